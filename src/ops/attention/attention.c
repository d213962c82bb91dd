/* attention.c: the Attention operator, and what its relatives share.
 *
 * Multiplies: batch x query heads x queries x keys x (size of a key + size of
 * a value); the keys are those of the past and the new ones, masked ones
 * count, and heads of keys and values that queries share are read once.  A
 * score costs its scale (mul), bias (add), cap (div exp mul) and the softmax
 * (cmp sub exp add div).  Source: ONNX operator Attention-25. */
#include "../ops.h"

static const lpi_each scoring = {
    {[LP_MUL] = 1, [LP_CMP] = 1, [LP_ADD] = 2, [LP_EXP] = 1, [LP_DIV] = 1}};
static const lpi_each capping = {{[LP_DIV] = 1, [LP_EXP] = 1, [LP_MUL] = 1}};

static const lpi_spec attention_specs[] = {
    LPI_SPEC_INT(lpi_attention_params, q_num_heads, 0),
    LPI_SPEC_INT(lpi_attention_params, kv_num_heads, 0),
    LPI_SPEC_INT(lpi_attention_params, qk_matmul_output_mode, 0),
    LPI_SPEC_INT(lpi_attention_params, softmax_precision, 0),
    LPI_SPEC_INT(lpi_attention_params, is_causal, 0),
    LPI_SPEC_INT(lpi_attention_params, left_window_size, -1),
    LPI_SPEC_INT(lpi_attention_params, right_window_size, -1),
    LPI_SPEC_FLOAT(lpi_attention_params, scale, 0),
    LPI_SPEC_FLOAT(lpi_attention_params, softcap, 0),
    {.name = NULL},
};

void lpi_attention_cost(lp_cost *cost, const lpi_attention *attention)
{
    int64_t scores = lpi_mul(lpi_mul(attention->batch, attention->q_heads),
                             lpi_mul(attention->queries, attention->keys));
    int64_t depth = lpi_add(attention->key_size, attention->value_size);

    cost->macs_attention =
        lpi_add(cost->macs_attention, lpi_mul(scores, depth));
    lpi_cost_each(cost, &scoring, scores);
    if (attention->has_bias)
        lpi_cost_arith(cost, LP_ADD, scores);
    if (attention->has_softcap)
        lpi_cost_each(cost, &capping, scores);
}

lp_status lpi_attention_scores(lpi_node *node, int32_t i, lp_dtype dtype,
                               const lpi_attention *attention)
{
    const int64_t dims[4] = {attention->batch, attention->q_heads,
                             attention->queries, attention->keys};

    return lpi_out_set(node, i, dtype, 4, dims);
}

lp_status lpi_attention_cache(lpi_node *node, int32_t i, lp_dtype dtype,
                              const lpi_attention *attention,
                              const int64_t length_and_size[2])
{
    const int64_t dims[4] = {attention->batch, attention->kv_heads,
                             length_and_size[0], length_and_size[1]};

    return lpi_out_set(node, i, dtype, 4, dims);
}

lp_status lpi_attention_head(const lpi_node *node, int64_t hidden,
                             int64_t heads, int64_t *ret_size)
{
    if (heads < 1 || heads > INT32_MAX)
        return lpi_node_fail(node, "%lld heads", (long long)heads);
    if (hidden >= 0 && hidden % heads != 0)
        return lpi_node_fail(node, "%lld heads do not divide %lld",
                             (long long)heads, (long long)hidden);
    *ret_size = hidden < 0 ? -1 : hidden / heads;
    return LP_OK;
}

/* Heads, length and size of a head of operand "x": [batch, heads, length,
 * size], or [batch, length, heads x size] with "heads" from an attribute. */
static lp_status look_at(const lpi_node *node, lp_shape x, int64_t heads,
                         int64_t ret_parts[3])
{
    if (x.rank == 4) {
        for (int32_t i = 0; i < 3; i++)
            ret_parts[i] = x.dims[i + 1];
        return LP_OK;
    }
    if (x.rank != 3)
        return lpi_node_fail(node, "operand of rank %d", x.rank);
    ret_parts[0] = heads;
    ret_parts[1] = x.dims[1];
    return lpi_attention_head(node, x.dims[2], heads, &ret_parts[2]);
}

/* Extend the keys of "ret_attention" by the past, inputs 4 and 5: both are
 * [batch, heads, past, size], of the type of what they are joined with. */
static lp_status add_past(const lpi_node *node, lpi_attention *ret_attention)
{
    lpi_attention *found = ret_attention;
    int64_t sizes[2] = {found->key_size, found->value_size}, length = -1, same;

    if (!lpi_in(node, 4) && !lpi_in(node, 5))
        return LP_OK;
    for (int32_t i = 0; i < 2; i++) {
        lp_shape past = lpi_in_shape(node, 4 + i);

        if (!lpi_in(node, 4 + i) || (past.rank >= 0 && past.rank != 4))
            return lpi_node_fail(node, "past %s of rank %d",
                                 i ? "values" : "keys", past.rank);
        if (lpi_in_dtype(node, 4 + i) != lpi_in_dtype(node, 1 + i))
            return lpi_node_fail(node, "past of %s joined with %s",
                                 lp_dtype_name(lpi_in_dtype(node, 4 + i)),
                                 lp_dtype_name(lpi_in_dtype(node, 1 + i)));
        if (past.rank < 0)
            continue;
        LP_TRY(lpi_dim_same(node, "batch of the past", past.dims[0],
                            found->batch, &same));
        LP_TRY(lpi_dim_same(node, "heads of the past", past.dims[1],
                            found->kv_heads, &same));
        LP_TRY(lpi_dim_same(node, "length of the past", past.dims[2], length,
                            &length));
        LP_TRY(lpi_dim_same(node, "size of the past", past.dims[3], sizes[i],
                            &same));
    }
    found->keys = length < 0 || found->keys < 0 ? -1
                                                : lpi_add(found->keys, length);
    return LP_OK;
}

/* The mask, input 3, spreads to [batch, heads, queries, keys], or is shorter
 * along keys; input 6 counts the keys of each batch. */
static lp_status check_masks(const lpi_node *node, const lpi_attention *found)
{
    const int64_t wanted[3] = {found->batch, found->q_heads, found->queries};
    lp_shape mask = lpi_in_shape(node, 3), count = lpi_in_shape(node, 6);
    int64_t same;

    if (mask.rank > 4)
        return lpi_node_fail(node, "mask of rank %d", mask.rank);
    for (int32_t k = 0; k < mask.rank - 1; k++)
        if (mask.dims[k] != 1)
            LP_TRY(lpi_dim_same(node, "mask and scores", mask.dims[k],
                                wanted[4 - mask.rank + k], &same));
    if (count.rank >= 0 && count.rank != 1)
        return lpi_node_fail(node, "counts of keys of rank %d", count.rank);
    return count.rank < 0 ? LP_OK
                          : lpi_dim_same(node, "counts of keys", count.dims[0],
                                         found->batch, &same);
}

/* What "node" attends; the ranks of its operands are known. */
lp_status lpi_attention_resolve(const lpi_node *node,
                                lpi_attention *ret_attention)
{
    const lpi_attention_params *params = node->params;
    int64_t q[3], k[3], v[3], batch;

    LP_TRY(look_at(node, lpi_in_shape(node, 0), params->q_num_heads, q));
    LP_TRY(look_at(node, lpi_in_shape(node, 1), params->kv_num_heads, k));
    LP_TRY(look_at(node, lpi_in_shape(node, 2), params->kv_num_heads, v));
    LP_TRY(lpi_dim_same(node, "batch of queries and keys",
                        lpi_in_shape(node, 0).dims[0],
                        lpi_in_shape(node, 1).dims[0], &batch));
    LP_TRY(lpi_dim_same(node, "batch of queries and values", batch,
                        lpi_in_shape(node, 2).dims[0], &batch));
    LP_TRY(lpi_dim_same(node, "heads of keys and values", k[0], v[0], &k[0]));
    LP_TRY(lpi_dim_same(node, "length of keys and values", k[1], v[1], &k[1]));
    LP_TRY(lpi_dim_same(node, "size of queries and keys", q[2], k[2], &q[2]));
    if (q[0] > 0 && k[0] > 0 && q[0] % k[0] != 0)
        return lpi_node_fail(node,
                             "%lld heads of keys do not divide %lld of "
                             "queries",
                             (long long)k[0], (long long)q[0]);
    *ret_attention = (lpi_attention){
        .batch = batch,
        .q_heads = q[0],
        .kv_heads = k[0],
        .queries = q[1],
        .keys = k[1],
        .key_size = q[2],
        .value_size = v[2],
        .has_bias = lpi_in(node, 3) != NULL,
        .has_softcap = params->softcap != 0,
    };
    return add_past(node, ret_attention);
}

static bool ranks_known(const lpi_node *node)
{
    return lpi_in_shape(node, 0).rank >= 0 && lpi_in_shape(node, 1).rank >= 0 &&
           lpi_in_shape(node, 2).rank >= 0;
}

static lp_status attention_shape(lpi_node *node)
{
    lp_dtype type = lpi_in_dtype(node, 0);
    lpi_attention found;

    if (!ranks_known(node))
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    LP_TRY(lpi_attention_resolve(node, &found));
    LP_TRY(check_masks(node, &found));
    const int64_t key[2] = {found.keys, found.key_size};
    const int64_t value[2] = {found.keys, found.value_size};
    LP_TRY(lpi_attention_cache(node, 1, lpi_in_dtype(node, 1), &found, key));
    LP_TRY(lpi_attention_cache(node, 2, lpi_in_dtype(node, 2), &found, value));
    LP_TRY(lpi_attention_scores(node, 3, type, &found));
    if (lpi_in_shape(node, 0).rank == 3) {
        const int64_t dims[3] = {found.batch, found.queries,
                                 lpi_dim_mul(found.q_heads, found.value_size)};

        return lpi_out_set(node, 0, type, 3, dims);
    }
    const int64_t dims[4] = {found.batch, found.q_heads, found.queries,
                             found.value_size};
    return lpi_out_set(node, 0, type, 4, dims);
}

static void attention_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_attention found;

    if (ranks_known(node) && lpi_attention_resolve(node, &found) == LP_OK)
        lpi_attention_cost(cost, &found);
}

const lp_op lpi_ops_attention[] = {
    {.name = "Attention",
     .domain = "",
     .since = 23,
     .inputs_min = 3,
     .inputs_max = 7,
     .outputs_min = 1,
     .outputs_max = 4,
     .roles = "ddddddi",
     .params_size = sizeof(lpi_attention_params),
     .specs = attention_specs,
     .shape = attention_shape,
     .cost = attention_cost,
     .run = lpi_attention_run,
     .tile = lpi_attention_tile,
     .samples =
         "opset 23; input q: float32[2, 4, 6, 8]; input k: float32[2, 4, 5, "
         "8]; input v: float32[2, 4, 5, 10]; y = Attention(q, k, v); output "
         "y\n---\n"
         "opset 23; input q: float32[1, 3, 32]; input k: float32[1, 3, 16]; "
         "input v: float32[1, 3, 16]; input m: float32[3, 7]; input p: "
         "float32[1, 2, 4, 8]; y, pk, pv, s = Attention(q, k, v, m, p, p) "
         "{q_num_heads: 4, kv_num_heads: 2, softcap: 2.0}; output y; output "
         "pk; output pv; output s\n---\n"
         "opset 24; input q: float16[1, 4, 1, 8]; input k: float16[1, 2, 16, "
         "8]; weight n: int64[1] = {9}; y = Attention(q, k, k, _, _, _, n) "
         "{is_causal: 1}; output y"},
    {.name = NULL},
};
