/* attendgroups.c: runs of MultiHeadAttention and GroupQueryAttention of
 * com.microsoft, whose queries, keys and values are operands.
 *
 * See attendfused.c. */
#include <string.h>

#include "../ops.h"

typedef lpi_fusing job;

enum { NOTHING = 99 }; /* no operand stands there */

/* ---- MultiHeadAttention -------------------------------------------------- */

/* Add "bias" (NULL: none) to each row of heads of input "i", of rank 3; "at"
 * becomes the sum. */
static lp_status add_bias(const lpi_run *run, int32_t i, const float *bias,
                          const float **at)
{
    const lpi_isa *isa = lpi_run_team(run).isa;
    lp_shape x = lpi_in_shape(run->node, i);
    int64_t width = x.dims[x.rank - 1], count = lpi_shape_elements(x);
    float *to;

    if (bias == NULL)
        return LP_OK;
    to = LPI_NEW(run->scratch, float, count);
    if (to == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t k = 0; k < count; k += width)
        isa->binary[LPI_BINARY_ADD](width, *at + k, 1, bias, 1, to + k);
    *at = to;
    return LP_OK;
}

/* Queries, and fresh keys and values, in any of their forms. */
static lp_status multi_heads(job *j)
{
    const lpi_run *run = j->a.run;
    const lpi_attention *s = &j->a.sizes;
    lp_shape k = lpi_in_shape(run->node, 1);
    int64_t wide = s->q_heads * s->key_size, deep = s->q_heads * s->value_size;
    const float *q, *at[2], *bias;

    LP_TRY(lpi_run_floats(run, 0, &q));
    LP_TRY(lpi_run_floats(run, 1, &at[0]));
    LP_TRY(lpi_run_floats(run, 2, &at[1]));
    LP_TRY(lpi_run_wants(run, 3, 2 * wide + deep));
    LP_TRY(lpi_run_floats(run, 3, &bias));
    if (at[0] == NULL || k.rank == 5) {
        if (bias != NULL)
            return lpi_fail(run->node->error, LP_EUNSUPPORTED,
                            run->node->layer->name,
                            "a bias of packed operands");
        int32_t parts = at[0] == NULL ? 3 : 2;
        const float *from = at[0] == NULL ? q + s->key_size : at[0];
        int64_t step = parts * s->key_size;

        j->k = (lpi_heads){from, j->fresh * s->q_heads * step, step,
                           s->q_heads * step};
        j->v = j->k;
        j->v.at += s->key_size;
        j->a.q = parts == 3
                     ? j->k
                     : lpi_heads_in_rows(q, s->queries, s->key_size, wide);
        j->a.q.at = q;
        return LP_OK;
    }
    LP_TRY(add_bias(run, 0, bias, &q));
    j->a.q = lpi_heads_in_rows(q, s->queries, s->key_size, wide);
    if (k.rank == 4) {
        j->k = (lpi_heads){at[0], s->q_heads * j->fresh * s->key_size,
                           j->fresh * s->key_size, s->key_size};
        j->v = (lpi_heads){at[1], s->q_heads * j->fresh * s->value_size,
                           j->fresh * s->value_size, s->value_size};
        return LP_OK;
    }
    LP_TRY(add_bias(run, 1, bias != NULL ? bias + wide : NULL, &at[0]));
    LP_TRY(add_bias(run, 2, bias != NULL ? bias + 2 * wide : NULL, &at[1]));
    j->k = lpi_heads_in_rows(at[0], j->fresh, s->key_size, wide);
    j->v = lpi_heads_in_rows(at[1], j->fresh, s->value_size, deep);
    return LP_OK;
}

lp_status lpi_attend_multi_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape k = lpi_in_shape(node, 1), past = lpi_in_shape(node, 6);
    const float *pasts[2];
    float *kept[2];
    job j;

    LP_TRY(lpi_fuse_begin(run, &j));
    if (lpi_in(node, 8) != NULL || lpi_in(node, 9) != NULL)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "a shared buffer of the past");
    j.fresh = k.rank < 0    ? j.a.sizes.queries
              : k.rank == 4 ? k.dims[2]
                            : k.dims[1];
    if (past.rank == 4)
        j.a.past = past.dims[2];
    LP_TRY(multi_heads(&j));
    for (int32_t i = 0; i < 2; i++) {
        LP_TRY(lpi_run_floats(run, 6 + i, &pasts[i]));
        LP_TRY(lpi_run_result(run, 1 + i, &kept[i]));
    }
    LP_TRY(lpi_run_result(run, 3, &j.a.scores_out));
    LP_TRY(lpi_fuse_past(&j, pasts, kept, j.a.past, NULL));
    LP_TRY(lpi_fuse_masks(&j, 4, 5));
    LP_TRY(lpi_fuse_finish(&j));
    for (int32_t i = 0; i < 2; i++)
        lpi_run_store(run, 1 + i, kept[i]);
    lpi_run_store(run, 3, j.a.scores_out);
    return LP_OK;
}

/* ---- GroupQueryAttention ------------------------------------------------- */

/* Rotate "count" heads of each token of "x" by positions "used" on, into new
 * room. */
static lp_status rotate(const job *j, lpi_heads *x, int64_t count,
                        const int64_t *used)
{
    const lpi_run *run = j->a.run;
    const lpi_attention *s = &j->a.sizes;
    lp_shape cache = lpi_in_shape(run->node, 7);
    int64_t half = cache.rank == 2 ? cache.dims[1] : 0, size = s->key_size;
    int64_t tokens = s->batch * s->queries;
    float *to = LPI_NEW(run->scratch, float, tokens *count *size);
    const float *caches[2];
    lpi_list places = {0};

    if (to == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_floats(run, 7, &caches[0]));
    LP_TRY(lpi_run_floats(run, 8, &caches[1]));
    if (lpi_in(run->node, 9) != NULL)
        LP_TRY(lpi_run_ints(run, 9, &places));
    if (caches[0] == NULL || caches[1] == NULL || 2 * half > size ||
        (places.count > 0 && places.count != tokens))
        return lpi_node_fail(run->node, "rotation by caches that do not fit");
    for (int64_t i = 0; i < tokens * count; i++) {
        int64_t t = i / count, b = t / s->queries, row = t % s->queries;
        const float *from = x->at + b * x->batch + row * x->row +
                            i % count * x->head;
        int64_t at = places.count > 0 ? places.ints[t] : used[b] + row;

        if (at < 0 || at >= cache.dims[0])
            return lpi_node_fail(run->node, "position %lld of %lld",
                                 (long long)at, (long long)cache.dims[0]);
        const float *turns[2] = {caches[0] + at * half, caches[1] + at * half};
        memcpy(to + i * size, from, (size_t)size * sizeof(*to));
        lpi_rotate(from, turns, half, j->p->rotary_interleaved != 0,
                   to + i * size);
    }
    *x = lpi_heads_in_rows(to, s->queries, size, count * size);
    return LP_OK;
}

/* How much of the past each sequence has used, and how many keys it sees; no
 * score is computed behind the last key of the longest. */
static lp_status count_used(job *j, int64_t **ret_used)
{
    const lpi_run *run = j->a.run;
    lpi_attention *s = &j->a.sizes;
    int64_t *used = LPI_NEW(run->scratch, int64_t, 2 * s->batch), total;
    lpi_list lengths;

    if (used == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_wants(run, 5, s->batch));
    LP_TRY(lpi_run_ints(run, 5, &lengths));
    LP_TRY(lpi_run_int(run, 6, &total));
    s->keys = 0;
    for (int64_t b = 0; b < s->batch; b++) {
        int64_t all = lengths.ints[b] + 1;

        used[b] = total == s->queries ? 0 : all - s->queries;
        used[s->batch + b] = used[b] + s->queries;
        if (used[b] < 0 || used[b] + s->queries > j->p->buffer)
            return lpi_node_fail(run->node, "%lld keys of %lld", (long long)all,
                                 (long long)j->p->buffer);
        s->keys = s->keys < used[b] + s->queries ? used[b] + s->queries
                                                 : s->keys;
    }
    j->a.bias.limits = (lpi_list){.count = s->batch, .ints = used + s->batch};
    *ret_used = used;
    return LP_OK;
}

/* What the operator has that is not computed here. */
static bool is_odd(const lpi_node *node, const lpi_contrib *p)
{
    for (int32_t i = 11; i < 16; i++)
        if (lpi_in(node, i) != NULL)
            return true;
    return p->smooth_softmax > 0 || p->qk_output != 0 ||
           p->sliding_window_cache != 0 || lpi_out(node, 3) != NULL;
}

lp_status lpi_attend_groups_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape past = lpi_in_shape(node, 3);
    const float *q, *at[2], *pasts[2];
    int64_t *used = NULL, wide, deep, row;
    float *kept[2];
    lpi_attention *s;
    job j;

    LP_TRY(lpi_fuse_begin(run, &j));
    s = &j.a.sizes;
    if (is_odd(node, j.p))
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "sinks, scores or quantized caches");
    j.fresh = s->queries;
    j.params.is_causal = 1;
    if (j.p->local_window_size > 0)
        j.params.left_window_size = j.p->local_window_size - 1;
    LP_TRY(count_used(&j, &used));
    LP_TRY(lpi_run_floats(run, 0, &q));
    LP_TRY(lpi_run_floats(run, 1, &at[0]));
    LP_TRY(lpi_run_floats(run, 2, &at[1]));
    wide = s->q_heads * s->key_size;
    deep = s->kv_heads * s->key_size;
    row = at[0] == NULL ? wide + 2 * deep : wide;
    j.a.q = lpi_heads_in_rows(q, s->queries, s->key_size, row);
    row = at[0] == NULL ? row : deep;
    j.k = lpi_heads_in_rows(at[0] == NULL ? q + wide : at[0], s->queries,
                            s->key_size, row);
    j.v = lpi_heads_in_rows(at[0] == NULL ? q + wide + deep : at[1], s->queries,
                            s->key_size, row);
    if (j.p->do_rotary != 0) {
        LP_TRY(rotate(&j, &j.a.q, s->q_heads, used));
        LP_TRY(rotate(&j, &j.k, s->kv_heads, used));
    }
    for (int32_t i = 0; i < 2; i++) {
        LP_TRY(lpi_run_floats(run, 3 + i, &pasts[i]));
        LP_TRY(lpi_run_result(run, 1 + i, &kept[i]));
        if (kept[i] == NULL)
            kept[i] = LPI_NEW(run->scratch, float, s->batch *deep *j.p->buffer);
        if (kept[i] == NULL)
            return lpi_node_fail_memory(node);
    }
    LP_TRY(lpi_fuse_past(&j, pasts, kept, past.rank == 4 ? past.dims[2] : 0,
                         used));
    LP_TRY(lpi_fuse_masks(&j, NOTHING, 10));
    LP_TRY(lpi_fuse_finish(&j));
    for (int32_t i = 0; i < 2; i++)
        lpi_run_store(run, 1 + i, kept[i]);
    return LP_OK;
}
