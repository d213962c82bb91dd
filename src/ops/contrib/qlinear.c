/* qlinear.c: operators of com.microsoft on quantized operands.
 *
 * A quantized operator costs a dequantization of every operand element that
 * enters it (convert, subtract the zero point, multiply by the scale), its own
 * arithmetic, and a quantization of every result (divide, round, add, clip).
 * Source: onnxruntime, contributed operators. */
#include "../ops.h"

/* Operands: input "b" of a binary operator (0: none).  Operations for one
 * element of the input and one of the result. */
typedef struct qlinear_facts {
    int32_t b;
    lpi_each in, out;
} qlinear_facts;

#define IN_ONE  [LP_ROUND] = 1, [LP_ADD] = 1, [LP_MUL] = 1
#define OUT_ONE [LP_DIV] = 1, [LP_ROUND] = 1, [LP_CMP] = 2

static const qlinear_facts add_facts = {
    .b = 3, .in = {{IN_ONE}}, .out = {{OUT_ONE, [LP_ADD] = 2}}};
static const qlinear_facts mul_facts = {
    .b = 3, .in = {{IN_ONE}}, .out = {{OUT_ONE, [LP_ADD] = 1, [LP_MUL] = 1}}};
static const qlinear_facts mean_facts = {.in = {{[LP_ADD] = 1}},
                                         .out = {{[LP_DIV] = 2,
                                                  [LP_ROUND] = 2,
                                                  [LP_CMP] = 2,
                                                  [LP_ADD] = 2,
                                                  [LP_MUL] = 1}}};
static const qlinear_facts sigmoid_facts = {.in = {{IN_ONE}},
                                            .out = {{[LP_DIV] = 2,
                                                     [LP_ROUND] = 1,
                                                     [LP_CMP] = 2,
                                                     [LP_ADD] = 2,
                                                     [LP_EXP] = 1}}};
static const qlinear_facts leaky_facts = {.in = {{IN_ONE}},
                                          .out = {{[LP_DIV] = 1,
                                                   [LP_ROUND] = 1,
                                                   [LP_CMP] = 3,
                                                   [LP_ADD] = 1,
                                                   [LP_MUL] = 1}}};
static const qlinear_facts softmax_facts = {.in = {{IN_ONE}},
                                            .out = {{[LP_DIV] = 2,
                                                     [LP_ROUND] = 1,
                                                     [LP_CMP] = 3,
                                                     [LP_ADD] = 3,
                                                     [LP_EXP] = 1}}};
static const qlinear_facts concat_facts = {.in = {{IN_ONE}},
                                           .out = {{OUT_ONE, [LP_ADD] = 1}}};

static const lpi_spec pool_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, ceil_mode, 0),
    LPI_SPEC_INT(lpi_qlinear, channels_last, 0),
    LPI_SPEC_INT(lpi_pool, count_include_pad, 0),
    {.name = NULL},
};

static const lpi_spec axis_specs[] = {
    LPI_SPEC_INT(lpi_qlinear, axis, 0),
    LPI_SPEC_INT(lpi_qlinear, channels_last, 0),
    {.name = NULL},
};

static const lpi_spec leaky_specs[] = {
    LPI_SPEC_FLOAT(lpi_qlinear, alpha, 0.01f),
    {.name = NULL},
};

static const lpi_spec softmax_specs[] = {
    LPI_SPEC_INT(lpi_qlinear, axis, -1),
    LPI_SPEC_NEEDED(lpi_qlinear, opset, LPI_ATTR_INT),
    {.name = NULL},
};

static lp_status binary_shape(lpi_node *node)
{
    const qlinear_facts *facts = node->layer->row->facts;
    lp_shape result;

    if (!lpi_broadcast(node, lpi_in_shape(node, 0),
                       lpi_in_shape(node, facts->b), &result))
        return lpi_node_fail(node, "the operands do not broadcast");
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), result);
}

/* Means over all spatial axes, or over windows when there is a kernel. */
static lp_status mean_shape(lpi_node *node)
{
    const lpi_qlinear *params = node->params;
    const lpi_list *kernel = &params->pool.window.kernel_shape;
    lp_shape x = lpi_in_shape(node, 0);
    int32_t first = params->channels_last != 0 ? 1 : 2;
    int64_t *dims;

    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    if (x.rank < 3 || (kernel->count != 0 && kernel->count != x.rank - 2))
        return lpi_node_fail(node, "input of rank %d", x.rank);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    dims[0] = x.dims[0];
    dims[first == 1 ? x.rank - 1 : 1] = x.dims[first == 1 ? x.rank - 1 : 1];
    lp_shape spatial = {x.rank - 2, x.dims + first};
    if (kernel->count > 0)
        LP_TRY(lpi_window_slide(node, &params->pool.window, spatial,
                                kernel->ints, dims + first));
    for (int32_t i = 0; kernel->count == 0 && i < spatial.rank; i++)
        dims[first + i] = 1;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

/* Inputs 2, 5, 8, ... are the parts. */
static lp_status concat_shape(lpi_node *node)
{
    const lpi_qlinear *params = node->params;
    lp_shape first = lpi_in_shape(node, 2);
    int64_t axis, *dims;

    for (int32_t i = 2; i < node->layer->inputs_count; i += 3)
        if (lpi_in_shape(node, i).rank < 0)
            first = lpi_shape_unknown;
    if (first.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 1), first);
    if (!lpi_axis(params->axis, first.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, first.rank);
    dims = lpi_node_dims(node, first.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t d = 0; d < first.rank; d++)
        dims[d] = first.dims[d];
    for (int32_t i = 5; i < node->layer->inputs_count; i += 3) {
        lp_shape part = lpi_in_shape(node, i);

        if (part.rank != first.rank)
            return lpi_node_fail(node, "parts of rank %d and %d", first.rank,
                                 part.rank);
        for (int32_t d = 0; d < first.rank; d++) {
            if (d != axis)
                LP_TRY(lpi_dim_same(node, "extents of the parts", dims[d],
                                    part.dims[d], &dims[d]));
            else if (dims[d] >= 0 && part.dims[d] >= 0)
                dims[d] = lpi_add(dims[d], part.dims[d]);
            else
                dims[d] = -1;
        }
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 1), first.rank, dims);
}

static void qlinear_cost(const lpi_node *node, lp_cost *cost)
{
    const qlinear_facts *facts = node->layer->row->facts;
    int64_t elements = lpi_in_elements(node, 0);

    if (facts->b > 0)
        elements = lpi_add(elements, lpi_in_elements(node, facts->b));
    lpi_cost_each(cost, &facts->in, elements);
    lpi_cost_each(cost, &facts->out, lpi_out_elements(node, 0));
}

static void mean_cost(const lpi_node *node, lp_cost *cost)
{
    const qlinear_facts *facts = node->layer->row->facts;
    const lpi_list *kernel = &((const lpi_slide *)node->params)->kernel_shape;
    int64_t out = lpi_out_elements(node, 0);
    int64_t taps = lpi_in_elements(node, 0);

    if (kernel->count > 0)
        taps = lpi_mul(out, lpi_product(kernel->ints, kernel->count));
    lpi_cost_each(cost, &facts->in, taps);
    lpi_cost_each(cost, &facts->out, out);
}

static void concat_cost(const lpi_node *node, lp_cost *cost)
{
    const qlinear_facts *facts = node->layer->row->facts;

    lpi_cost_each(cost, &facts->in, lpi_out_elements(node, 0));
    lpi_cost_each(cost, &facts->out, lpi_out_elements(node, 0));
}

#define QLINEAR(name_, least, most, roles_, facts_)                            \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = least, \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1, .roles = roles_,   \
    .params_size = sizeof(lpi_qlinear), .facts = facts_

#define QTYPES                                                                 \
    "opset 17; opset com.microsoft 1; weight s: float32[] = {0.5}; weight z: " \
    "uint8[] = {128}; "

/* Parts of QLinearConcat: 20 of them have their roles. */
#define PARTS "wszwszwszwsz"

const lp_op lpi_ops_qlinear[] = {
    {QLINEAR("QLinearAdd", 7, 8, "wszwszsz", &add_facts), .shape = binary_shape,
     .operands = "A*,F*,A*,A*,F*,A*,F*,A*", .cost = qlinear_cost,
     .run = lpi_qlinear_add_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[2, 3, 4]; input b: uint8[3, 1]; y = "
                       "com.microsoft.QLinearAdd(a, s, z, b, s, z, s, z); "
                       "output y"},
    {QLINEAR("QLinearMul", 7, 8, "wszwszsz", &mul_facts), .shape = binary_shape,
     .operands = "A*,F*,A*,A*,F*,A*,F*,A*", .cost = qlinear_cost,
     .run = lpi_qlinear_mul_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[2, 3, 4]; input b: uint8[4]; y = "
                       "com.microsoft.QLinearMul(a, s, z, b, s, z, s, z); "
                       "output y"},
    {QLINEAR("QLinearConcat", 5, -1, "sz" PARTS PARTS PARTS PARTS PARTS,
             &concat_facts),
     .specs = axis_specs, .shape = concat_shape, .cost = concat_cost,
     .run = lpi_qlinear_concat_run,
     .samples = QTYPES "input a: uint8[2, 3, 4]; input b: uint8[2, 5, 4]; y "
                       "= com.microsoft.QLinearConcat(s, z, a, s, z, b, s, "
                       "z) {axis: 1}; output y"},
    {QLINEAR("QLinearGlobalAveragePool", 5, 5, "dszsz", &mean_facts),
     .specs = axis_specs, .shape = mean_shape, .cost = mean_cost,
     .run = lpi_qlinear_mean_run,
     .samples = QTYPES "input a: uint8[1, 3, 4, 4]; y = "
                       "com.microsoft.QLinearGlobalAveragePool(a, s, z, s, "
                       "z); output y"},
    {QLINEAR("QLinearAveragePool", 4, 5, "dszsz", &mean_facts),
     .specs = pool_specs, .shape = mean_shape, .cost = mean_cost,
     .run = lpi_qlinear_mean_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[1, 4, 4, 3]; y = "
                       "com.microsoft.QLinearAveragePool(a, s, z, s, z) "
                       "{kernel_shape: [2, 2], strides: [2, 2], "
                       "channels_last: 1}; output y"},
    {QLINEAR("QLinearSigmoid", 4, 5, "dszsz", &sigmoid_facts),
     .shape = lpi_shape_as_first, .cost = qlinear_cost,
     .run = lpi_qlinear_sigmoid_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[2, 3]; y = "
                       "com.microsoft.QLinearSigmoid(a, s, z, s, z); output "
                       "y"},
    {QLINEAR("QLinearLeakyRelu", 4, 5, "dszsz", &leaky_facts),
     .specs = leaky_specs, .shape = lpi_shape_as_first, .cost = qlinear_cost,
     .run = lpi_qlinear_leaky_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[2, 3]; y = "
                       "com.microsoft.QLinearLeakyRelu(a, s, z, s, z); "
                       "output y"},
    {QLINEAR("QLinearSoftmax", 5, 5, "dszsz", &softmax_facts),
     .specs = softmax_specs, .shape = lpi_shape_as_first, .cost = qlinear_cost,
     .run = lpi_qlinear_softmax_run, .flags = LPI_GAPS,
     .samples = QTYPES "input a: uint8[2, 3]; y = "
                       "com.microsoft.QLinearSoftmax(a, s, z, s, z) {opset: "
                       "13, axis: 1}; output y"},
    {.name = NULL},
};
