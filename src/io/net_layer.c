/* net_layer.c: the layers of the one-line form, all but the windows.
 *
 * Each function turns one layer into operators of ai.onnx, makes its weights
 * and works out the shape of the result. */
#include <string.h>

#include "io.h"

/* One operator of one input that keeps the shape. */
static lp_status build_unary(lpi_net *net)
{
    return lpi_net_finish(
        net, (lpi_net_call){.op = net->row->op, .inputs = {net->last.tensor}});
}

static lp_status build_softmax(lpi_net *net)
{
    LP_TRY(lpi_net_attr_int(net, "axis", -1));
    return build_unary(net);
}

/* x sigmoid(x), in two operators as exporters write it. */
static lp_status build_silu(lpi_net *net)
{
    lpi_net_call mul = {.op = "Mul", .inputs = {net->last.tensor}};

    LP_TRY(lpi_net_add(
        net, lpi_net_below(net, "sigmoid"),
        (lpi_net_call){.op = "Sigmoid", .inputs = {net->last.tensor}},
        &mul.inputs[1]));
    return lpi_net_finish(net, mul);
}

/* ---- linear layers ---------------------------------------------------------
 */

/* A product with a weight and a sum with a bias, from "input" to "width" in
 * the last dimension.  "part" names what belongs to it; "" is the layer. */
static lp_status project(lpi_net *net, const char *part, lp_tensor *input,
                         int64_t width, lp_tensor **ret_output)
{
    lpi_arena *arena = net->model->arena;
    const char *whole = net->label;
    int64_t dims[] = {net->last.dims[net->last.rank - 1], width};
    lpi_net_call product = {.op = "MatMul", .inputs = {input}};
    lpi_net_call sum = {.op = "Add"};

    if (*part)
        net->label = lpi_arena_printf(arena, "%s.%s", whole, part);
    if (!net->label)
        return lpi_fail_memory(net->lexer.error);
    LP_TRY(lpi_net_weight(net, "weight", 2, dims, &product.inputs[1]));
    LP_TRY(lpi_net_weight(net, "bias", 1, &width, &sum.inputs[1]));
    LP_TRY(lpi_net_add(net, lpi_net_below(net, "matmul"), product,
                       &sum.inputs[0]));
    LP_TRY(lpi_net_add(net, net->label, sum, ret_output));
    net->label = whole;
    return LP_OK;
}

/* Gemm for matrices, a product and a sum for all others. */
static lp_status build_linear(lpi_net *net)
{
    int32_t last = net->last.rank - 1;
    int64_t width = net->args.plain.at[0];
    int64_t dims[] = {width, net->last.dims[last]};
    lpi_net_call gemm = {.op = "Gemm", .inputs = {net->last.tensor}};

    if (net->last.rank != 2) {
        LP_TRY(project(net, "", net->last.tensor, width, &net->last.tensor));
        return lpi_net_set_dim(net, last, width);
    }
    LP_TRY(lpi_net_weight(net, "weight", 2, dims, &gemm.inputs[1]));
    LP_TRY(lpi_net_weight(net, "bias", 1, &width, &gemm.inputs[2]));
    LP_TRY(lpi_net_attr_int(net, "transB", 1));
    LP_TRY(lpi_net_set_dim(net, last, width));
    return lpi_net_finish(net, gemm);
}

/* Self-attention with its four projections. */
static lp_status build_attention(lpi_net *net)
{
    static const char *const parts[] = {"query", "key", "value"};
    int64_t heads = net->args.plain.at[0], width;
    lpi_net_call attention = {.op = "Attention"};
    lp_tensor *joined;
    int32_t i;

    LP_TRY(lpi_net_want_rank(net, 3, 3));
    width = net->last.dims[2];
    if (width % heads)
        return lpi_net_fail(net,
                            "a width of %lld does not split into %lld "
                            "heads",
                            (long long)width, (long long)heads);
    for (i = 0; i < LPI_COUNT(parts); i++)
        LP_TRY(project(net, parts[i], net->last.tensor, width,
                       &attention.inputs[i]));
    LP_TRY(lpi_net_attr_int(net, "q_num_heads", heads));
    LP_TRY(lpi_net_attr_int(net, "kv_num_heads", heads));
    LP_TRY(lpi_net_add(net, lpi_net_below(net, "heads"), attention, &joined));
    return project(net, "out", joined, width, &net->last.tensor);
}

/* Rows of a table, looked up by an integer input. */
static lp_status build_embedding(lpi_net *net)
{
    const int64_t *table = net->args.plain.at;
    lpi_net_call gather = {.op = "Gather", .inputs = {NULL, net->last.tensor}};

    if (!lpi_dtype_is_integer(net->last.dtype))
        return lpi_net_fail(net, "reads integers, '%.100s' is %s",
                            net->last.tensor->name,
                            lp_dtype_name(net->last.dtype));
    LP_TRY(lpi_net_want_rank(net, 1, LPI_NET_AXES - 1));
    net->last.dtype = LP_FLOAT32;
    LP_TRY(lpi_net_weight(net, "weight", 2, table, &gather.inputs[0]));
    net->last.dims[net->last.rank++] = table[1];
    return lpi_net_finish(net, gather);
}

/* ---- norms -----------------------------------------------------------------
 */

/* An operator that reads scale, bias and more weights of "size" elements. */
static lp_status build_scaled(lpi_net *net, int64_t size, int32_t weights)
{
    static const char *const parts[] = {"weight", "bias", "mean", "variance"};
    lpi_net_call call = {.op = net->row->op, .inputs = {net->last.tensor}};
    int32_t i;

    for (i = 0; i < weights; i++)
        LP_TRY(lpi_net_weight(net, parts[i], 1, &size, &call.inputs[i + 1]));
    return lpi_net_finish(net, call);
}

static lp_status build_batchnorm(lpi_net *net)
{
    LP_TRY(lpi_net_want_rank(net, 2, LPI_NET_AXES));
    return build_scaled(net, net->last.dims[1], 4);
}

static lp_status build_groupnorm(lpi_net *net)
{
    int64_t groups = net->args.plain.at[0];

    LP_TRY(lpi_net_want_rank(net, 3, LPI_NET_AXES));
    if (net->last.dims[1] % groups)
        return lpi_net_fail(net, "%lld channels do not split into %lld groups",
                            (long long)net->last.dims[1], (long long)groups);
    LP_TRY(lpi_net_attr_int(net, "num_groups", groups));
    return build_scaled(net, net->last.dims[1], 2);
}

static lp_status build_layernorm(lpi_net *net)
{
    LP_TRY(lpi_net_attr_int(net, "axis", -1));
    return build_scaled(net, net->last.dims[net->last.rank - 1], 2);
}

/* ---- shapes ----------------------------------------------------------------
 */

static lp_status build_flatten(lpi_net *net)
{
    lpi_net_value *last = &net->last;
    int64_t rest = lpi_product(last->dims + 1, last->rank - 1);

    last->rank = 2;
    LP_TRY(lpi_net_set_dim(net, 1, rest));
    LP_TRY(lpi_net_attr_int(net, "axis", 1));
    return build_unary(net);
}

static lp_status build_reshape(lpi_net *net)
{
    const lpi_net_numbers *dims = &net->args.plain;
    int64_t whole = lpi_product(net->last.dims, net->last.rank), given = 1;
    lpi_net_call call = {.op = "Reshape", .inputs = {net->last.tensor}};
    int32_t i, open = -1, opens = 0;

    for (i = 0; i < dims->count; i++) {
        if (dims->at[i] < 0) {
            open = i;
            opens++;
        } else {
            given = lpi_mul(given, dims->at[i]);
        }
    }
    if (opens > 1 || given == 0 || whole % given || (!opens && given != whole))
        return lpi_net_fail(net, "'%.100s' has %lld elements, not so many",
                            net->last.tensor->name, (long long)whole);
    LP_TRY(lpi_net_constant(net, "shape", LP_INT64, dims->count, dims->at,
                            &call.inputs[1]));
    net->last.rank = dims->count;
    for (i = 0; i < dims->count; i++)
        LP_TRY(
            lpi_net_set_dim(net, i, i == open ? whole / given : dims->at[i]));
    return lpi_net_finish(net, call);
}

static lp_status build_transpose(lpi_net *net)
{
    const lpi_net_numbers *order = &net->args.plain;
    lpi_net_value before = net->last;
    uint32_t seen = 0;
    int32_t i;

    for (i = 0; i < order->count && i < before.rank; i++)
        if (order->at[i] >= 0 && order->at[i] < before.rank) {
            seen |= 1u << order->at[i];
            net->last.dims[i] = before.dims[order->at[i]];
        }
    if (order->count != before.rank || seen != (1u << before.rank) - 1)
        return lpi_net_fail(net, "wants each of the axes 0 to %d once",
                            before.rank - 1);
    LP_TRY(lpi_net_attr_ints(net, "perm", order, 1));
    return build_unary(net);
}

/* ---- two results ------------------------------------------------------------
 */

/* Add and Mul: the shapes are broadcast (ONNX, Broadcasting). */
static lp_status build_binary(lpi_net *net)
{
    const lpi_net_value *a = &net->last, *b = &net->args.other;
    lpi_net_call call = {.op = net->row->op, .inputs = {a->tensor, b->tensor}};
    int32_t rank = a->rank > b->rank ? a->rank : b->rank, i;
    int64_t dims[LPI_NET_AXES];

    for (i = 0; i < rank; i++) {
        int32_t x = i - rank + a->rank, y = i - rank + b->rank;
        int64_t left = x < 0 ? 1 : a->dims[x], right = y < 0 ? 1 : b->dims[y];

        if (left != right && left != 1 && right != 1)
            return lpi_net_fail(net,
                                "%lld does not match %lld in dimension "
                                "%d of the result",
                                (long long)left, (long long)right, i);
        dims[i] = left == 1 ? right : left;
    }
    net->last.rank = rank;
    memcpy(net->last.dims, dims, (size_t)rank * sizeof(*dims));
    return lpi_net_finish(net, call);
}

/* Joins channels: what was read first, then the other. */
static lp_status build_concat(lpi_net *net)
{
    const lpi_net_value *a = &net->last, *b = &net->args.other;
    lpi_net_call call = {.op = "Concat", .inputs = {a->tensor, b->tensor}};
    int32_t i;

    LP_TRY(lpi_net_want_rank(net, 2, LPI_NET_AXES));
    for (i = 0; i < a->rank; i++)
        if (a->rank != b->rank || (i != 1 && a->dims[i] != b->dims[i]))
            return lpi_net_fail(net,
                                "'%.100s' and '%.100s' differ in more "
                                "than channels",
                                a->tensor->name, b->tensor->name);
    LP_TRY(lpi_net_set_dim(net, 1, a->dims[1] + b->dims[1]));
    LP_TRY(lpi_net_attr_int(net, "axis", 1));
    return lpi_net_finish(net, call);
}

/* No operator: the next layer reads the result that is named. */
static lp_status build_from(lpi_net *net)
{
    net->last = net->args.other;
    return LP_OK;
}

const lpi_net_row lpi_net_rows[] = {
    {"conv", lpi_net_conv, 1, 1, 1, "kspdg", false, NULL},
    {"dwconv", lpi_net_dwconv, 0, 0, 1, "kspd", false, NULL},
    {"convt", lpi_net_convt, 1, 1, 1, "kspd", false, NULL},
    {"linear", build_linear, 1, 1, 1, "", false, NULL},
    {"attention", build_attention, 1, 1, 1, "", false, NULL},
    {"embedding", build_embedding, 2, 2, 1, "", false, NULL},
    {"relu", build_unary, 0, 0, 1, "", false, "Relu"},
    {"gelu", build_unary, 0, 0, 1, "", false, "Gelu"},
    {"sigmoid", build_unary, 0, 0, 1, "", false, "Sigmoid"},
    {"tanh", build_unary, 0, 0, 1, "", false, "Tanh"},
    {"silu", build_silu, 0, 0, 1, "", false, NULL},
    {"softmax", build_softmax, 0, 0, 1, "", false, "Softmax"},
    {"maxpool", lpi_net_pool, 1, 3, 1, "spd", false, "MaxPool"},
    {"avgpool", lpi_net_pool, 1, 3, 1, "spd", false, "AveragePool"},
    {"gap", lpi_net_gap, 0, 0, 1, "", false, NULL},
    {"upsample", lpi_net_upsample, 1, 3, 1, "", false, NULL},
    {"batchnorm", build_batchnorm, 0, 0, 1, "", false, "BatchNormalization"},
    {"groupnorm", build_groupnorm, 1, 1, 1, "", false, "GroupNormalization"},
    {"layernorm", build_layernorm, 0, 0, 1, "", false, "LayerNormalization"},
    {"flatten", build_flatten, 0, 0, 1, "", false, "Flatten"},
    {"reshape", build_reshape, 1, LPI_NET_AXES, -1, "", false, NULL},
    {"transpose", build_transpose, 1, LPI_NET_AXES, 0, "", false, "Transpose"},
    {"add", build_binary, 0, 0, 1, "", true, "Add"},
    {"mul", build_binary, 0, 0, 1, "", true, "Mul"},
    {"concat", build_concat, 0, 0, 1, "", true, NULL},
    {"from", build_from, 0, 0, 1, "", true, NULL},
    {NULL, NULL, 0, 0, 0, NULL, false, NULL},
};
