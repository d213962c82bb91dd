/* contrib_attention.c: Attention, MultiHeadAttention and
 * GroupQueryAttention of the domain com.microsoft.
 *
 * All are brought into an lpi_attention, priced in attention.c; Attention adds
 * the product with its merged weights, which is linear.  When past and present
 * share a buffer, its length is that of the buffer, and the keys are those in
 * use.  Source: onnxruntime, contributed operators. */
#include "../ops.h"

/* Where the operands of an Attention with merged weights stand (past the end
 * of them: none), and the one whose dtype its results have. */
typedef struct merged_facts {
    int32_t mask, added, past, used, type_from;
} merged_facts;

enum { NOWHERE = 99 };

static const merged_facts float_facts = {
    .mask = 3, .added = 5, .past = 4, .used = 6, .type_from = 0};

static const lpi_spec contrib_specs[] = {
    LPI_SPEC_NEEDED(lpi_contrib, num_heads, LPI_ATTR_INT),
    LPI_SPEC_INT(lpi_contrib, kv_num_heads, 0),
    LPI_SPEC_INT(lpi_contrib, past_present_share_buffer, 0),
    LPI_SPEC_INT(lpi_contrib, do_rotary, 0),
    LPI_SPEC_INT(lpi_contrib, sliding_window_cache, 0),
    LPI_SPEC_LIST(lpi_contrib, qkv_hidden_sizes, LPI_ATTR_INTS),
    LPI_SPEC_INT(lpi_contrib, unidirectional, 0),
    LPI_SPEC_INT(lpi_contrib, local_window_size, -1),
    LPI_SPEC_INT(lpi_contrib, rotary_interleaved, 0),
    LPI_SPEC_INT(lpi_contrib, smooth_softmax, 0),
    LPI_SPEC_INT(lpi_contrib, qk_output, 0),
    LPI_SPEC_FLOAT(lpi_contrib, softcap, 0),
    LPI_SPEC_FLOAT(lpi_contrib, scale, 0),
    LPI_SPEC_FLOAT(lpi_contrib, mask_filter_value, -10000),
    {.name = NULL},
};

/* Keys in all: the "fresh" ones and those of the past, input "past" of the
 * form [..., length, size].  With a shared buffer, input "used" tells how much
 * of it is past; when that is not known, all of it bounds the keys. */
static void count_keys(lpi_node *node, int64_t fresh, int32_t past,
                       int32_t used)
{
    lpi_contrib *params = (lpi_contrib *)node->params;
    lp_shape shape = lpi_in_shape(node, past);
    int64_t length = shape.rank >= 2 ? shape.dims[shape.rank - 2] : -1;
    lpi_list known;

    params->buffer = params->found.keys = fresh;
    if (lpi_in(node, past) == NULL)
        return;
    if (fresh < 0 || length < 0) {
        params->buffer = params->found.keys = -1;
    } else if (lpi_in(node, used) == NULL) {
        params->buffer = params->found.keys = lpi_add(length, fresh);
    } else {
        params->buffer = params->found.keys = length;
        if (lpi_in_ints(node, used, &known) && known.count > 0 &&
            known.ints[0] >= 0)
            params->found.keys = lpi_add(known.ints[0], fresh);
        else
            lpi_node_note(node, "the whole buffer of the past is counted");
    }
}

/* ---- Attention ----------------------------------------------------------- */

/* Sizes of Q, K and V: from the attribute, or thirds of "merged". */
static lp_status hidden_sizes(const lpi_node *node, int64_t merged,
                              int64_t ret_sizes[3])
{
    const lpi_list *given =
        &((const lpi_contrib *)node->params)->qkv_hidden_sizes;
    int64_t sum = 0;

    if (given->count == 0) {
        if (merged >= 0 && merged % 3 != 0)
            return lpi_node_fail(node, "weights of %lld columns",
                                 (long long)merged);
        ret_sizes[0] = ret_sizes[1] = ret_sizes[2] = merged < 0 ? -1
                                                                : merged / 3;
        return LP_OK;
    }
    if (given->count != 3)
        return lpi_node_fail(node, "qkv_hidden_sizes has %lld items",
                             (long long)given->count);
    for (int32_t i = 0; i < 3; i++) {
        ret_sizes[i] = given->ints[i];
        if (given->ints[i] < 1)
            return lpi_node_fail(node, "qkv_hidden_sizes holds %lld",
                                 (long long)given->ints[i]);
        sum = lpi_add(sum, given->ints[i]);
    }
    if (ret_sizes[0] != ret_sizes[1])
        return lpi_node_fail(node, "queries of %lld columns, keys of %lld",
                             (long long)ret_sizes[0], (long long)ret_sizes[1]);
    return lpi_dim_same(node, "columns of the weights", merged, sum, &sum);
}

static lp_status merged_shape(lpi_node *node)
{
    lpi_contrib *params = (lpi_contrib *)node->params;
    const merged_facts *facts = node->layer->row->facts;
    lpi_attention *found = &params->found;
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, 1);
    lp_dtype type = lpi_in_dtype(node, facts->type_from);
    int64_t sizes[3], unused;

    if (x.rank < 0 || w.rank < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (x.rank != 3 || w.rank != 2)
        return lpi_node_fail(node, "input of rank %d, weights of rank %d",
                             x.rank, w.rank);
    LP_TRY(lpi_dim_same(node, "width of the input and of the weights",
                        x.dims[2], w.dims[0], &unused));
    LP_TRY(hidden_sizes(node, w.dims[1], sizes));
    LP_TRY(lpi_attention_head(node, sizes[0], params->num_heads,
                              &found->key_size));
    LP_TRY(lpi_attention_head(node, sizes[2], params->num_heads,
                              &found->value_size));
    found->batch = x.dims[0];
    found->queries = x.dims[1];
    found->q_heads = found->kv_heads = params->num_heads;
    found->has_bias = lpi_in(node, facts->mask) != NULL ||
                      lpi_in(node, facts->added) != NULL;
    LP_TRY(lpi_attend_past(node, facts->past, found->key_size));
    count_keys(node, x.dims[1], facts->past, facts->used);
    const int64_t kept[5] = {2, x.dims[0], params->num_heads, params->buffer,
                             found->key_size};
    const int64_t dims[3] = {x.dims[0], x.dims[1], sizes[2]};
    LP_TRY(lpi_out_set(node, 1, type, 5, kept));
    return lpi_out_set(node, 0, type, 3, dims);
}

static void merged_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_contrib *params = node->params;
    lp_shape w = lpi_in_shape(node, 1);
    int64_t *macs = lpi_product_class(node, 0, 1, cost);

    *macs = lpi_add(*macs, lpi_mul(lpi_in_elements(node, 0), w.dims[1]));
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(
            cost, LP_ADD,
            lpi_mul(lpi_mul(params->found.batch, params->found.queries),
                    w.dims[1]));
    lpi_attention_cost(cost, &params->found);
}

/* ---- MultiHeadAttention ---------------------------------------------------
 */

/* Whether the ranks of the operands that are there are known. */
static bool ranks_known(const lpi_node *node)
{
    for (int32_t i = 0; i < 3; i++)
        if (lpi_in(node, i) != NULL && lpi_in_shape(node, i).rank < 0)
            return false;
    return true;
}

static lp_status multi_shape(lpi_node *node)
{
    lpi_contrib *params = (lpi_contrib *)node->params;
    lpi_attention *found = &params->found;
    lp_shape q = lpi_in_shape(node, 0);
    lp_dtype type = lpi_in_dtype(node, 0);
    int64_t fresh = -1;

    if (!ranks_known(node))
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (q.rank != 3 && q.rank != 5)
        return lpi_node_fail(node, "query of rank %d", q.rank);
    if (q.rank == 5)
        found->key_size = q.dims[4];
    else
        LP_TRY(lpi_attention_head(node, q.dims[2], params->num_heads,
                                  &found->key_size));
    LP_TRY(lpi_attend_fresh(node, found->key_size, &fresh, &found->value_size));
    found->batch = q.dims[0];
    found->queries = q.dims[1];
    found->q_heads = found->kv_heads = params->num_heads;
    found->has_bias = lpi_in(node, 4) != NULL || lpi_in(node, 5) != NULL;
    LP_TRY(lpi_attend_pasts(node, 6));
    count_keys(node, fresh, 6, 8);
    const int64_t dims[3] = {q.dims[0], q.dims[1],
                             lpi_dim_mul(found->value_size, params->num_heads)};
    const int64_t key[2] = {params->buffer, found->key_size};
    const int64_t value[2] = {params->buffer, found->value_size};
    LP_TRY(lpi_attention_cache(node, 1, type, found, key));
    LP_TRY(lpi_attention_cache(node, 2, type, found, value));
    LP_TRY(lpi_attention_scores(node, 3, type, found));
    return lpi_out_set(node, 0, type, 3, dims);
}

/* The bias of the projections is added to queries, keys and values. */
static void multi_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_contrib *params = node->params;

    lpi_attention_cost(cost, &params->found);
    for (int32_t i = 0; i < 3 && lpi_in(node, 3) != NULL; i++)
        lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, i));
}

/* ---- GroupQueryAttention --------------------------------------------------
 */

/* Size of a head: of separate queries, or of packed queries, keys and values.
 */
static lp_status group_head(const lpi_node *node, lp_shape q, int64_t *ret_size)
{
    const lpi_contrib *params = node->params;
    int64_t heads = params->num_heads;

    if (heads < 1 || heads > INT32_MAX || params->kv_num_heads < 1 ||
        heads % params->kv_num_heads != 0)
        return lpi_node_fail(node,
                             "%lld heads of keys do not divide %lld of "
                             "queries",
                             (long long)params->kv_num_heads, (long long)heads);
    if (lpi_in(node, 1) == NULL)
        heads += 2 * params->kv_num_heads;
    return lpi_attention_head(node, q.dims[2], heads, ret_size);
}

/* The present is as long as the past buffer, or as all keys if those are more;
 * input 6 tells their number; without it past and new ones bound it. */
static void group_keys(lpi_node *node, int64_t fresh)
{
    lpi_contrib *params = (lpi_contrib *)node->params;
    lp_shape past = lpi_in_shape(node, 3);
    int64_t length = past.rank == 4 ? past.dims[2] : 0, total = -1;
    lpi_list known;

    if (lpi_in(node, 3) != NULL && past.rank != 4)
        length = -1;
    if (lpi_in_ints(node, 6, &known) && known.count == 1 && known.ints[0] >= 0)
        total = known.ints[0];
    if (total < 0 && fresh >= 0 && length >= 0) {
        total = lpi_add(length, fresh);
        if (length > 0)
            lpi_node_note(node, "past and new keys are counted in full");
    }
    params->found.keys = total;
    params->buffer = total < 0 || length < 0 ? -1
                     : total > length        ? total
                                             : length;
    if (params->sliding_window_cache != 0 && length >= 0)
        params->found.keys = params->buffer = length;
}

static lp_status group_shape(lpi_node *node)
{
    lpi_contrib *params = (lpi_contrib *)node->params;
    lpi_attention *found = &params->found;
    lp_shape q = lpi_in_shape(node, 0), k = lpi_in_shape(node, 1);
    lp_dtype type = lpi_in_dtype(node, 0);
    lp_dtype kept = lpi_in(node, 3) != NULL ? lpi_in_dtype(node, 3) : type;
    int64_t unused;

    if (!ranks_known(node))
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (q.rank != 3 || (lpi_in(node, 1) != NULL && k.rank != 3) ||
        (lpi_in(node, 1) == NULL) != (lpi_in(node, 2) == NULL))
        return lpi_node_fail(node, "operands of rank %d, %d and %d", q.rank,
                             k.rank, lpi_in_shape(node, 2).rank);
    LP_TRY(group_head(node, q, &found->key_size));
    found->value_size = found->key_size;
    found->batch = q.dims[0];
    found->queries = q.dims[1];
    found->q_heads = params->num_heads;
    found->kv_heads = params->kv_num_heads;
    found->has_bias = lpi_in(node, 10) != NULL;
    found->has_softcap = params->softcap != 0;
    if (k.rank == 3)
        LP_TRY(lpi_dim_same(node, "width of the keys", k.dims[2],
                            lpi_dim_mul(found->kv_heads, found->key_size),
                            &unused));
    LP_TRY(lpi_attend_pasts(node, 3));
    group_keys(node, k.rank == 3 ? k.dims[1] : q.dims[1]);
    const int64_t dims[3] = {q.dims[0], q.dims[1],
                             lpi_dim_mul(found->q_heads, found->value_size)};
    lp_shape past = lpi_in_shape(node, 3);
    const int64_t cache[2] = {params->buffer,
                              past.rank == 4 ? past.dims[3] : found->key_size};
    LP_TRY(lpi_attention_cache(node, 1, kept, found, cache));
    LP_TRY(lpi_attention_cache(node, 2, kept, found, cache));
    LP_TRY(lpi_attention_scores(node, 3, type, found));
    return lpi_out_set(node, 0, type, 3, dims);
}

/* Rotation of queries and new keys, when asked for, is priced like
 * RotaryEmbedding: two multiplies and an add an element. */
static void group_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_contrib *params = node->params;
    const lpi_attention *found = &params->found;
    int64_t tokens = lpi_mul(found->batch, found->queries);
    int64_t heads = lpi_add(found->q_heads, found->kv_heads);
    int64_t turned = lpi_mul(lpi_mul(tokens, heads), found->key_size);

    lpi_attention_cost(cost, found);
    if (params->do_rotary == 0)
        return;
    lpi_cost_arith(cost, LP_MUL, lpi_mul(turned, 2));
    lpi_cost_arith(cost, LP_ADD, turned);
    for (int32_t i = 7; i < 9; i++)
        if (lpi_in_shape(node, i).rank == 2)
            lpi_cost_part(node, cost, i,
                          lpi_mul(tokens, lpi_in_shape(node, i).dims[1]));
}

#define CONTRIB(name_, least, most, outputs)                                   \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = least, \
    .inputs_max = most, .outputs_min = 1, .outputs_max = outputs,              \
    .params_size = sizeof(lpi_contrib), .specs = contrib_specs

const lp_op lpi_ops_contrib_attention[] = {
    {CONTRIB("Attention", 2, 7, 2), .roles = "dddiddi", .facts = &float_facts,
     .operands = "Fbt?,F??,F?,I*,F2bhl?,F*,I!", .shape = merged_shape,
     .cost = merged_cost, .run = lpi_attend_merged_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[2, 5, 16]; weight "
         "w: float32[16, 48]; weight b: float32[48]; y = "
         "com.microsoft.Attention(x, w, b) {num_heads: 4}; output y\n---\n"
         "opset 17; opset com.microsoft 1; input x: float32[2, 1, 16]; weight "
         "w: float32[16, 48]; weight b: float32[48]; input p: float32[2, 2, "
         "4, 7, 4]; y, n = com.microsoft.Attention(x, w, b, _, p) "
         "{num_heads: 4, unidirectional: 1}; output y; output n"},
    {CONTRIB("MultiHeadAttention", 1, 10, 4), .roles = "ddddidddii",
     .operands = "Fb*,Fb*,Fb*,F?,I*,F*,Fbhl?,Fbhl?", .shape = multi_shape,
     .cost = multi_cost, .run = lpi_attend_multi_run,
     .samples =
         "opset 17; opset com.microsoft 1; input q: float32[2, 5, 16]; input "
         "k: float32[2, 7, 16]; y = com.microsoft.MultiHeadAttention(q, k, k) "
         "{num_heads: 4}; output y\n---\n"
         "opset 17; opset com.microsoft 1; input q: float16[2, 5, 4, 3, 8]; "
         "y = com.microsoft.MultiHeadAttention(q) {num_heads: 4}; output y"},
    {CONTRIB("GroupQueryAttention", 7, 16, 4), .roles = "dddddiiddiddssdd",
     .operands = "Fbt?,Fbtk,Fbtk,Cbhld,Cbhld,I*,I!,Fpr,Fpr,I*,F*",
     .shape = group_shape, .cost = group_cost, .run = lpi_attend_groups_run,
     .flags = LPI_GAPS,
     .samples =
         "opset 17; opset com.microsoft 1; input q: float16[1, 1, 64]; input "
         "k: float16[1, 1, 16]; input p: float16[1, 2, 32, 8]; weight l: "
         "int32[1] = {9}; weight t: int32[] = {10}; y, pk, pv = "
         "com.microsoft.GroupQueryAttention(q, k, k, p, p, l, t) {num_heads: "
         "8, kv_num_heads: 2}; output y; output pk; output pv\n---\n"
         "opset 17; opset com.microsoft 1; input q: float16[2, 6, 96]; weight "
         "l: int32[2] = {5, 5}; weight t: int32[] = {6}; weight c: "
         "float16[64, 4]; y, pk, pv = com.microsoft.GroupQueryAttention(q, "
         "_, _, _, _, l, t, c, c) {num_heads: 8, kv_num_heads: 2, do_rotary: "
         "1}; output y; output pk; output pv"},
    {.name = NULL},
};
