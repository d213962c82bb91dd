/* rotary.c: rotary position embedding, linear attention and the stateful
 * causal convolution that goes before it.
 *
 * A rotated pair costs four multiplies, an add and a subtract.  Only the rows
 * of the caches that positions name are read.  Linear attention keeps one
 * matrix of state a head of keys: each token adds an outer product to it and
 * multiplies the query with it; the delta rules also multiply the key with
 * it, the gated ones decay it.  Sources: ONNX operators RotaryEmbedding-23,
 * LinearAttention-27, CausalConvWithState-27; com.microsoft RotaryEmbedding. */
#include <string.h>

#include "../ops.h"

static const lpi_rotary_facts onnx_facts = {.cosine = 1, .positions = 3};
static const lpi_rotary_facts contrib_facts = {.cosine = 2, .positions = 1};

static const lpi_spec rotary_specs[] = {
    LPI_SPEC_INT(lpi_rotary, num_heads, 0),
    LPI_SPEC_INT(lpi_rotary, rotary_embedding_dim, 0),
    LPI_SPEC_INT(lpi_rotary, interleaved, 0),
    {.name = NULL},
};

static const lpi_spec linear_specs[] = {
    LPI_SPEC_NEEDED(lpi_linear, q_num_heads, LPI_ATTR_INT),
    LPI_SPEC_NEEDED(lpi_linear, kv_num_heads, LPI_ATTR_INT),
    LPI_SPEC_INT(lpi_linear, chunk_size, 64),
    LPI_SPEC_FLOAT(lpi_linear, scale, 0),
    LPI_SPEC_STRING(lpi_linear, update_rule, "gated_delta"),
    {.name = NULL},
};

static const lpi_spec causal_specs[] = {
    LPI_SPEC_STRING(lpi_causal, activation, "none"),
    {.name = NULL},
};

static lp_status rotary_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);

    if (x.rank >= 0 && x.rank != 3 && x.rank != 4)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    return lpi_shape_as_first(node);
}

/* Pairs of one position that rotate, over all heads. */
static int64_t pairs_of(const lpi_node *node, lp_shape cosine)
{
    const lpi_rotary *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t width = cosine.rank > 0 ? cosine.dims[cosine.rank - 1] : 0;
    int64_t heads = params->num_heads;

    if (x.rank == 4)
        heads = x.dims[1];
    else if (heads < 1)
        heads = width > 0 ? x.dims[2] / width / 2 : 0;
    return lpi_mul(heads, width);
}

static void rotary_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_rotary_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0);
    lp_shape cosine = lpi_in_shape(node, facts->cosine);
    int64_t length = x.rank == 4 ? x.dims[2] : x.dims[1];
    int64_t places = lpi_in_elements(node, facts->positions);
    int64_t pairs = lpi_mul(lpi_mul(x.dims[0], length), pairs_of(node, cosine));

    lpi_cost_arith(cost, LP_MUL, lpi_mul(pairs, 4));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(pairs, 2));
    if (places == 0 || cosine.rank != 2)
        return;
    if (places == 1)
        places = length;
    for (int32_t i = 0; i < 2; i++)
        lpi_cost_part(node, cost, facts->cosine + i,
                      lpi_mul(places, cosine.dims[1]));
}

/* Sizes of a head of the keys and of the values. */
static lp_status head_sizes(const lpi_node *node, int64_t ret_sizes[2])
{
    const lpi_linear *params = node->params;
    lp_shape q = lpi_in_shape(node, 0), k = lpi_in_shape(node, 1);
    lp_shape v = lpi_in_shape(node, 2);
    int64_t query_size, unused;

    if (q.rank != 3 || k.rank != 3 || v.rank != 3)
        return lpi_node_fail(node, "operands of rank %d, %d and %d", q.rank,
                             k.rank, v.rank);
    LP_TRY(
        lpi_attention_head(node, q.dims[2], params->q_num_heads, &query_size));
    LP_TRY(lpi_attention_head(node, k.dims[2], params->kv_num_heads,
                              &ret_sizes[0]));
    LP_TRY(lpi_attention_head(node, v.dims[2], params->kv_num_heads,
                              &ret_sizes[1]));
    if (params->q_num_heads % params->kv_num_heads != 0)
        return lpi_node_fail(node,
                             "%lld heads of keys do not divide %lld of "
                             "queries",
                             (long long)params->kv_num_heads,
                             (long long)params->q_num_heads);
    return lpi_dim_same(node, "size of queries and keys", query_size,
                        ret_sizes[0], &unused);
}

static lp_status linear_shape(lpi_node *node)
{
    const lpi_linear *params = node->params;
    lp_shape q = lpi_in_shape(node, 0);
    int32_t state = lpi_in(node, 3) != NULL ? 3 : 0;
    int64_t sizes[2];

    if (q.rank < 0 || lpi_in_shape(node, 1).rank < 0 ||
        lpi_in_shape(node, 2).rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    LP_TRY(head_sizes(node, sizes));
    const int64_t dims[3] = {q.dims[0], q.dims[1],
                             lpi_dim_mul(params->q_num_heads, sizes[1])};
    const int64_t kept[4] = {q.dims[0], params->kv_num_heads, sizes[0],
                             sizes[1]};
    LP_TRY(lpi_out_set(node, 1, lpi_in_dtype(node, state), 4, kept));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 3, dims);
}

static void linear_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_linear *params = node->params;
    lp_shape q = lpi_in_shape(node, 0);
    bool is_delta = strstr(params->update_rule, "delta") != NULL;
    bool is_gated = strncmp(params->update_rule, "gated", 5) == 0;
    int64_t sizes[2], tokens, state, updates;

    if (head_sizes(node, sizes) != LP_OK)
        return;
    tokens = lpi_mul(q.dims[0], q.dims[1]);
    state = lpi_mul(tokens, lpi_mul(sizes[0], sizes[1]));
    updates = lpi_mul(state, params->kv_num_heads);
    cost->macs_attention =
        lpi_add(cost->macs_attention, lpi_mul(state, params->q_num_heads));
    cost->macs_attention =
        lpi_add(cost->macs_attention, lpi_mul(updates, is_delta ? 2 : 1));
    if (is_gated) {
        lpi_cost_arith(cost, LP_MUL, updates);
        lpi_cost_arith(cost, LP_EXP, lpi_in_elements(node, 4));
    }
    if (is_delta) {
        int64_t values = lpi_in_elements(node, 2);

        lpi_cost_arith(cost, LP_ADD, values);
        lpi_cost_arith(cost, LP_MUL, values);
    }
    lpi_cost_arith(cost, LP_MUL, lpi_out_elements(node, 0));
}

static lp_status causal_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, 1);
    int64_t unused;

    if (x.rank < 0 || w.rank < 0)
        return lpi_out_as(node, 0, 0);
    if (x.rank != 3 || w.rank != 3 || w.dims[1] > 1 || w.dims[2] == 0)
        return lpi_node_fail(node, "input of rank %d, weight of rank %d",
                             x.rank, w.rank);
    LP_TRY(lpi_dim_same(node, "channels of the input and of the weight",
                        x.dims[1], w.dims[0], &unused));
    const int64_t kept[3] = {x.dims[0], x.dims[1],
                             w.dims[2] < 0 ? -1 : w.dims[2] - 1};
    LP_TRY(lpi_out_set(node, 1, lpi_in_dtype(node, 0), 3, kept));
    return lpi_out_as(node, 0, 0);
}

static void causal_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_causal *params = node->params;
    lp_shape w = lpi_in_shape(node, 1);
    int64_t out = lpi_out_elements(node, 0);

    cost->macs_conv =
        lpi_add(cost->macs_conv, lpi_mul(out, lpi_dims_product(w, 1, w.rank)));
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_ADD, out);
    if (strcmp(params->activation, "none") != 0) {
        static const lpi_each silu = {
            {[LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1, [LP_MUL] = 1}};

        lpi_cost_each(cost, &silu, out);
    }
}

#define ROTARY(domain_, since_, least, roles_, facts_)                         \
    .domain = domain_, .name = "RotaryEmbedding", .since = since_,             \
    .inputs_min = least, .inputs_max = 4, .outputs_min = 1, .outputs_max = 1,  \
    .roles = roles_, .params_size = sizeof(lpi_rotary), .specs = rotary_specs, \
    .facts = facts_, .shape = rotary_shape, .cost = rotary_cost,               \
    .run = lpi_rotary_run

#define LINEAR_ATTENTION(domain_, since_)                                      \
    .domain = domain_, .name = "LinearAttention", .since = since_,             \
    .inputs_min = 3, .inputs_max = 6, .outputs_min = 1, .outputs_max = 2,      \
    .operands = "Fbt?,Fbt?,Fbt?,.b???,Fbt?,Fbt?",                              \
    .params_size = sizeof(lpi_linear), .specs = linear_specs,                  \
    .shape = linear_shape, .cost = linear_cost, .run = lpi_linear_run

#define CAUSAL_CONV(domain_, since_)                                           \
    .domain = domain_, .name = "CausalConvWithState", .since = since_,         \
    .inputs_min = 2, .inputs_max = 4, .outputs_min = 1, .outputs_max = 2,      \
    .operands = "Fbc?,Fc1?,Fc,Fbc?", .params_size = sizeof(lpi_causal),        \
    .specs = causal_specs, .shape = causal_shape, .cost = causal_cost,         \
    .run = lpi_causal_run

const lp_op lpi_ops_rotary[] = {
    {ROTARY("", 23, 3, "dddi", &onnx_facts),
     .samples =
         "opset 23; input x: float32[2, 4, 3, 8]; weight c: float32[50, 4]; "
         "weight s: float32[50, 4]; input p: int64[2, 3]; y = "
         "RotaryEmbedding(x, c, s, p); output y\n---\n"
         "opset 23; input x: float32[2, 3, 32]; input c: float32[2, 3, 4]; "
         "input s: float32[2, 3, 4]; y = RotaryEmbedding(x, c, s) "
         "{num_heads: 4}; output y"},
    {ROTARY("com.microsoft", 1, 4, "didd", &contrib_facts),
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[2, 3, 32]; input "
         "p: int64[1]; weight c: float32[50, 4]; weight s: float32[50, 4]; y "
         "= com.microsoft.RotaryEmbedding(x, p, c, s); output y"},
    {LINEAR_ATTENTION("", 27),
     .samples =
         "opset 27; input q: float32[1, 6, 32]; input k: float32[1, 6, 16]; "
         "input v: float32[1, 6, 20]; input g: float32[1, 6, 2]; input b: "
         "float32[1, 6, 2]; y, s = LinearAttention(q, k, v, _, g, b) "
         "{q_num_heads: 4, kv_num_heads: 2}; output y; output s"},
    {LINEAR_ATTENTION("com.microsoft", 1),
     .samples =
         "opset 17; opset com.microsoft 1; input q: float32[1, 6, 16]; y, s "
         "= com.microsoft.LinearAttention(q, q, q) {q_num_heads: 2, "
         "kv_num_heads: 2, update_rule: \"linear\"}; output y"},
    {CAUSAL_CONV("", 27),
     .samples =
         "opset 27; input x: float32[1, 6, 9]; weight w: float32[6, 1, 4]; "
         "weight b: float32[6]; input p: float32[1, 6, 3]; y, s = "
         "CausalConvWithState(x, w, b, p) {activation: \"silu\"}; output y; "
         "output s"},
    {CAUSAL_CONV("com.microsoft", 1),
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[1, 6, 9]; weight "
         "w: float32[6, 1, 4]; y = com.microsoft.CausalConvWithState(x, w); "
         "output y"},
    {.name = NULL},
};
