/* attendfused.c: runs of Attention, MultiHeadAttention, GroupQueryAttention of
 * com.microsoft.
 *
 * Each brings its operands to heads (ops.h): projected, with their bias,
 * rotated, joined with the past; masks become what is added to the scores.
 * The rest is attending.c's.  Source: onnxruntime, contributed operators. */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef lpi_fusing job;

lp_status lpi_fuse_begin(const lpi_run *run, job *j)
{
    const lpi_contrib *p = run->node->params;
    lpi_attention *s = &j->a.sizes;

    *j = (job){.p = p, .a = {.run = run, .sizes = p->found}};
    j->params = (lpi_attention_params){.is_causal = p->unidirectional,
                                       .qk_matmul_output_mode = 2,
                                       .left_window_size = -1,
                                       .right_window_size = -1,
                                       .softcap = p->softcap};
    j->a.params = &j->params;
    j->a.scale = p->scale != 0 ? p->scale
                               : (float)(1 / sqrt((double)s->key_size));
    j->a.out_row = s->q_heads * s->value_size;
    j->a.out_head = s->value_size;
    j->a.out_batch = s->queries * j->a.out_row;
    return lpi_run_result(run, 0, &j->a.out);
}

/* Heads that stand side by side in rows of "row" elements. */
lpi_heads lpi_heads_in_rows(const float *at, int64_t length, int64_t size,
                            int64_t row)
{
    return (lpi_heads){at, length * row, size, row};
}

/* Copy "count" rows of a head from row "at" of "to" on, heads of "size" and
 * "length" rows each. */
static void place_rows(const lpi_heads *from, const int64_t b_h[2],
                       int64_t count, int64_t size, float *to)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i * size,
               from->at + b_h[0] * from->batch + b_h[1] * from->head +
                   i * from->row,
               (size_t)size * sizeof(*to));
}

/* Join "past" (NULL: none), of "before" rows of which those of "used" (NULL:
 * all) count, and the fresh rows of the values ("is_value") or keys in "to". */
static void join(const job *j, bool is_value, const float *past, int64_t before,
                 const int64_t *used, float *to)
{
    const lpi_attention *s = &j->a.sizes;
    const lpi_heads *from = is_value ? &j->v : &j->k;
    int64_t size = is_value ? s->value_size : s->key_size;
    int64_t length = j->p->buffer;

    memset(to, 0,
           (size_t)(s->batch * s->kv_heads * length * size) * sizeof(*to));
    for (int64_t i = 0; i < s->batch * s->kv_heads; i++, to += length * size) {
        const int64_t b_h[2] = {i / s->kv_heads, i % s->kv_heads};
        int64_t old = used != NULL ? used[b_h[0]] : before;
        int64_t copied = old < before ? old : before;

        if (past != NULL)
            memcpy(to, past + i * before * size,
                   (size_t)(copied * size) * sizeof(*to));
        place_rows(from, b_h, j->fresh, size, to + old * size);
    }
}

/* Keys and values with their past, kept as outputs 1 and 2 where these are
 * wanted; "past[i]" NULL: none. */
lp_status lpi_fuse_past(job *j, const float *const past[2],
                        float *const kept[2], int64_t before,
                        const int64_t *used)
{
    const lpi_attention *s = &j->a.sizes;
    int64_t length = j->p->buffer;

    for (int32_t i = 0; i < 2; i++) {
        int64_t size = i ? s->value_size : s->key_size;
        float *to = kept[i];

        if (to == NULL && past[i] == NULL)
            continue;
        if (to == NULL)
            to = LPI_NEW(j->a.run->scratch, float,
                         s->batch * s->kv_heads * length * size);
        if (to == NULL)
            return lpi_node_fail_memory(j->a.run->node);
        join(j, i, past[i], before, used, to);
        *(i ? &j->v : &j->k) =
            (lpi_heads){to, s->kv_heads * length * size, length * size, size};
    }
    j->a.k = j->k;
    j->a.v = j->v;
    return LP_OK;
}

/* ---- masks -------------------------------------------------------------- */

/* What input "input" adds for query "i" and key "k" of batch "b": nothing
 * where it counts, else mask_filter_value. */
static float masked(const job *j, const lpi_list *mask, lp_shape shape,
                    const int64_t at[3])
{
    int64_t batch = j->a.sizes.batch, keys = j->a.sizes.keys;
    int64_t b = at[0], i = at[1], k = at[2];
    bool counts;

    if (shape.rank == 1)
        counts = k < mask->ints[b] &&
                 (mask->count < 2 * batch || k >= mask->ints[batch + b]);
    else if (shape.rank == 2)
        counts = mask->ints[b * keys + k] > 0;
    else if (shape.rank == 3)
        counts = mask->ints[(b * j->a.sizes.queries + i) * keys + k] > 0;
    else
        counts =
            mask->ints[(b * shape.dims[2] + i + j->a.past) * shape.dims[3] +
                       k] > 0;
    return counts ? 0 : j->p->mask_filter_value;
}

/* The mask in input "mask" and the bias in input "added" as one bias of the
 * scores, [batch, heads or 1, queries, keys]. */
lp_status lpi_fuse_masks(job *j, int32_t mask, int32_t added)
{
    const lpi_run *run = j->a.run;
    const lpi_node *node = run->node;
    const lpi_attention *s = &j->a.sizes;
    lp_shape own = lpi_in_shape(node, mask), more = lpi_in_shape(node, added);
    int64_t heads = lpi_in(node, added) != NULL ? s->q_heads : 1;
    int64_t *dims = LPI_NEW(run->scratch, int64_t, 4);
    const float *bias = NULL;
    lpi_list list = {0};
    float *to;

    if (lpi_in(node, mask) == NULL && lpi_in(node, added) == NULL)
        return LP_OK;
    if (lpi_in(node, mask) != NULL)
        LP_TRY(lpi_run_ints(run, mask, &list));
    if (lpi_in(node, added) != NULL)
        LP_TRY(lpi_run_floats(run, added, &bias));
    to = LPI_NEW(
        run->scratch, float,
        lpi_mul(lpi_mul(s->batch, heads), lpi_mul(s->queries, s->keys)));
    if (dims == NULL || to == NULL)
        return lpi_node_fail_memory(node);
    if (list.count > 0 && own.rank == 1 && list.count != s->batch &&
        list.count != 2 * s->batch)
        return lpi_node_fail(node, "a mask of %lld elements",
                             (long long)list.count);
    if (own.rank == 2 || own.rank == 3)
        LP_TRY(lpi_run_wants(
            run, mask, s->batch * s->keys * (own.rank == 3 ? s->queries : 1)));
    if (own.rank == 4 && (own.dims[2] < s->queries + j->a.past ||
                          own.dims[3] < s->keys || own.dims[1] != 1))
        return lpi_node_fail(node, "a mask that is too small");
    if (bias != NULL && (more.rank != 4 || more.dims[2] != s->queries ||
                         more.dims[3] < s->keys ||
                         (more.dims[0] != 1 && more.dims[0] != s->batch) ||
                         (more.dims[1] != 1 && more.dims[1] != s->q_heads)))
        return lpi_node_fail(node, "a bias that does not fit the scores");
    j->a.bias.mask = to;
    dims[0] = s->batch;
    dims[1] = heads;
    dims[2] = s->queries;
    dims[3] = s->keys;
    j->a.bias.mask_shape = (lp_shape){4, dims};
    for (int64_t r = 0; r < s->batch * heads * s->queries; r++)
        for (int64_t k = 0; k < s->keys; k++, to++) {
            const int64_t at[3] = {r / s->queries / heads, r % s->queries, k};
            int64_t h = r / s->queries % heads;

            *to = list.count > 0 ? masked(j, &list, own, at) : 0;
            if (bias != NULL)
                *to += bias[(((more.dims[0] == 1 ? 0 : at[0]) * more.dims[1] +
                              (more.dims[1] == 1 ? 0 : h)) *
                                 s->queries +
                             at[1]) *
                                more.dims[3] +
                            k];
        }
    return LP_OK;
}

/* All being set but what follows from the sizes. */
lp_status lpi_fuse_finish(job *j)
{
    const lpi_run *run = j->a.run;

    j->a.bias.params = &j->params;
    j->a.bias.queries = j->a.sizes.queries;
    j->a.bias.keys = j->a.sizes.keys;
    j->a.bias.past = j->a.past;
    LP_TRY(lpi_attend_all(&j->a));
    lpi_run_store(run, 0, j->a.out);
    return LP_OK;
}

/* ---- Attention ----------------------------------------------------------- */

/* x W + bias, rows of all of Q, K and V. */
static lp_status project(const lpi_run *run, float **ret)
{
    lp_shape x = lpi_in_shape(run->node, 0), w = lpi_in_shape(run->node, 1);
    const lpi_isa *isa = lpi_run_team(run).isa;
    int64_t rows = x.dims[0] * x.dims[1];
    lpi_matrix b = {.row = w.dims[1], .column = 1};
    lpi_gemm gemm = {.m = rows,
                     .n = w.dims[1],
                     .k = w.dims[0],
                     .a = {.row = w.dims[0], .column = 1},
                     .b = {lpi_pack_matrix, &b},
                     .c_row = w.dims[1],
                     .fresh = true,
                     .team = lpi_run_team(run)};
    const float *bias;

    LP_TRY(lpi_run_floats(run, 0, &gemm.a.at));
    LP_TRY(lpi_run_floats(run, 1, &b.at));
    LP_TRY(lpi_run_wants(run, 2, gemm.n));
    LP_TRY(lpi_run_floats(run, 2, &bias));
    gemm.c = LPI_NEW(run->scratch, float, rows *gemm.n);
    gemm.workspace = lpi_arena_room(
        run->scratch,
        (size_t)lpi_mul(lpi_gemm_workspace(&gemm), sizeof(float)));
    if (gemm.c == NULL || gemm.workspace == NULL)
        return lpi_node_fail_memory(run->node);
    if (rows > 0)
        lpi_gemm_run(&gemm);
    for (int64_t i = 0; i < rows && bias != NULL; i++)
        isa->binary[LPI_BINARY_ADD](gemm.n, gemm.c + i * gemm.n, 1, bias, 1,
                                    gemm.c + i * gemm.n);
    *ret = gemm.c;
    return LP_OK;
}

lp_status lpi_attend_merged_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape past = lpi_in_shape(node, 4), w = lpi_in_shape(node, 1);
    const float *pasts[2] = {NULL, NULL};
    float *rows = NULL, *kept[2] = {NULL, NULL};
    lpi_attention *s;
    int64_t half;
    job j;

    LP_TRY(lpi_fuse_begin(run, &j));
    s = &j.a.sizes;
    if (j.p->do_rotary != 0 || j.p->past_present_share_buffer != 0 ||
        (lpi_out(node, 1) != NULL && s->key_size != s->value_size))
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "rotation or a shared buffer");
    LP_TRY(project(run, &rows));
    j.fresh = s->queries;
    j.a.q = lpi_heads_in_rows(rows, s->queries, s->key_size, w.dims[1]);
    j.k = lpi_heads_in_rows(rows + s->q_heads * s->key_size, s->queries,
                            s->key_size, w.dims[1]);
    j.v = lpi_heads_in_rows(rows + 2 * s->q_heads * s->key_size, s->queries,
                            s->value_size, w.dims[1]);
    if (lpi_in(node, 4) != NULL) {
        j.a.past = past.dims[3];
        LP_TRY(lpi_run_floats(run, 4, &pasts[0]));
        pasts[1] = pasts[0] + lpi_shape_elements(past) / 2;
    }
    half = s->batch * s->kv_heads * j.p->buffer * s->key_size;
    LP_TRY(lpi_run_result(run, 1, &kept[0]));
    if (kept[0] != NULL)
        kept[1] = kept[0] + half;
    float *whole = kept[0];
    LP_TRY(lpi_fuse_past(&j, pasts, kept, j.a.past, NULL));
    LP_TRY(lpi_fuse_masks(&j, 3, 5));
    LP_TRY(lpi_fuse_finish(&j));
    lpi_run_store(run, 1, whole);
    return LP_OK;
}
