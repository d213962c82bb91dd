/* attending.c: runs of Attention.
 *
 * Each head is two products with a softmax between them, by blocks of rows
 * whose scores are complete.  Heads without cap and without outputs of their
 * scores go to the kernel (lpi_attend_run), whose bytes are those of the steps
 * here: product, times scale, cap, plus bias, softmax, product.  A row that
 * sees no key gives zeros.  Source: ONNX operator Attention-28. */
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { SCORES_MOST = 1 << 18 };

typedef lpi_heads heads;
typedef lpi_attending job;

/* Strides of operand "shape" with "count" heads of "size". */
static heads heads_of(const float *at, lp_shape shape, int64_t count,
                      int64_t size)
{
    heads h = {.at = at};

    if (shape.rank == 4) {
        h.row = size;
        h.head = shape.dims[2] * size;
        h.batch = shape.dims[1] * h.head;
    } else {
        h.row = count * size;
        h.head = size;
        h.batch = shape.dims[1] * h.row;
    }
    return h;
}

/* ---- keys and values with their past ----------------------------------------
 */

/* Join the past, input "past", and input "i" into [batch, heads, keys, size]
 * in storage form at "to". */
static void join(const job *j, int32_t past, int32_t i, int64_t size, void *to)
{
    const lpi_node *node = j->run->node;
    lp_shape own = lpi_in_shape(node, i);
    int32_t bits = lp_dtype_bits(lpi_in_dtype(node, i));
    int64_t batch = j->sizes.batch, count = j->sizes.kv_heads;
    int64_t keys = j->sizes.keys, before = j->past, fresh = keys - before;
    heads h = heads_of(NULL, own, count, size);
    int64_t dims[4] = {batch, count, before, size};
    int64_t to_strides[4] = {count * keys * size, keys * size, size, 1};
    int64_t past_strides[4] = {count * before * size, before * size, size, 1};
    int64_t strides[4] = {h.batch, h.head, h.row, 1};

    if (before > 0)
        lpi_copy_box(bits, 4, dims, (lpi_place){to, 0, to_strides},
                     (lpi_place){(void *)j->run->in[past], 0, past_strides});
    dims[2] = fresh;
    lpi_copy_box(bits, 4, dims, (lpi_place){to, before * size, to_strides},
                 (lpi_place){(void *)j->run->in[i], 0, strides});
}

/* Keys (which 0) or values (1): input 1 + which, joined with their past into
 * output 1 + which where there is one. */
static lp_status find_heads(job *j, int32_t which, heads *ret)
{
    const lpi_run *run = j->run;
    const lpi_node *node = run->node;
    int32_t i = 1 + which;
    lp_dtype type = lpi_in_dtype(node, i);
    int64_t size = which ? j->sizes.value_size : j->sizes.key_size;
    int64_t count = lpi_mul(lpi_mul(j->sizes.batch, j->sizes.kv_heads),
                            lpi_mul(j->sizes.keys, size));
    void *joined = lpi_out(node, i) != NULL ? run->out[i] : NULL;
    float *floats;

    if (joined == NULL && j->past == 0) {
        const float *at;

        LP_TRY(lpi_run_floats(run, i, &at));
        *ret = heads_of(at, lpi_in_shape(node, i), j->sizes.kv_heads, size);
        return LP_OK;
    }
    if (!lpi_is_single(type))
        return lpi_run_refuse(run, type);
    if (joined == NULL)
        joined =
            lpi_arena_array(run->scratch, lpi_storage_bytes(type, count), 1);
    if (joined == NULL)
        return lpi_node_fail_memory(node);
    join(j, 4 + which, i, size, joined);
    floats = joined;
    if (type != LP_FLOAT32) {
        floats = LPI_NEW(run->scratch, float, count);
        if (floats == NULL)
            return lpi_node_fail_memory(node);
        lpi_load_floats(lpi_run_team(run).isa, type, joined, 0, count, floats);
    }
    *ret = (heads){floats, j->sizes.kv_heads * j->sizes.keys * size,
                   j->sizes.keys * size, size};
    return LP_OK;
}

/* ---- heads -------------------------------------------------------------- */

static int64_t kv_head(const job *j, int64_t h)
{
    return h / (j->sizes.q_heads / j->sizes.kv_heads);
}

/* Copy a block of scores out when "mode" is the one that is wanted. */
static void expose(const job *j, int64_t mode, int64_t first, int64_t count,
                   const float *scores)
{
    if (j->scores_out != NULL && j->params->qk_matmul_output_mode == mode)
        memcpy(j->scores_out + first, scores, (size_t)count * sizeof(*scores));
}

static void multiply(const job *j, lpi_gemm *gemm, const lpi_matrix *b,
                     float *workspace)
{
    gemm->b = (lpi_columns){lpi_pack_matrix, b};
    gemm->fresh = true;
    gemm->team = lpi_run_team(j->run);
    gemm->workspace = workspace;
    lpi_gemm_run(gemm);
}

/* Scores of a block to weights, as the operator says. */
static void weigh(const job *j, int64_t first, int64_t rows, float *scores,
                  const float *bias, const bool *live)
{
    const lpi_isa *isa = lpi_run_team(j->run).isa;
    int64_t keys = j->sizes.keys, count = rows * keys;
    float cap = j->params->softcap;

    if (j->scale != 1)
        isa->binary[LPI_BINARY_MUL](count, scores, 1, &j->scale, 0, scores);
    expose(j, 0, first, count, scores);
    if (cap > 0) {
        isa->binary[LPI_BINARY_DIV](count, scores, 1, &cap, 0, scores);
        isa->unary[LPI_UNARY_TANH](count, scores, scores);
        isa->binary[LPI_BINARY_MUL](count, scores, 1, &cap, 0, scores);
    }
    expose(j, 1, first, count, scores);
    isa->binary[LPI_BINARY_ADD](count, scores, 1, bias, 1, scores);
    expose(j, 2, first, count, scores);
    for (int64_t r = 0; r < rows; r++) {
        lpi_softmax s = {.outer = 1,
                         .count = keys,
                         .inner = 1,
                         .from = scores + r * keys,
                         .to = scores + r * keys};
        lpi_team one = {isa, 1};

        if (live[r])
            lpi_softmax_run(&one, &s);
        else
            memset(s.to, 0, (size_t)keys * sizeof(*s.to));
    }
    expose(j, 3, first, count, scores);
}

/* Head "h" of batch "b", block by block. */
static void run_head(const job *j, int64_t b, int64_t h, bool *live)
{
    const lpi_attention *s = &j->sizes;
    const float *q = j->q.at + b * j->q.batch + h * j->q.head;
    const float *k = j->k.at + b * j->k.batch + kv_head(j, h) * j->k.head;
    const float *v = j->v.at + b * j->v.batch + kv_head(j, h) * j->v.head;
    lpi_matrix keys = {k, 1, j->k.row, NULL}, values = {v, j->v.row, 1, NULL};
    float *scores = j->room, *bias = scores + j->rows * s->keys;
    float *workspace = bias + j->rows * s->keys;
    int64_t some;

    for (int64_t i = 0; i < s->queries; i += some) {
        int64_t first = ((b * s->q_heads + h) * s->queries + i) * s->keys;
        float *out = j->out + b * j->out_batch + h * j->out_head;
        lpi_gemm left, right;

        some = s->queries - i < j->rows ? s->queries - i : j->rows;
        left = (lpi_gemm){.m = some,
                          .n = s->keys,
                          .k = s->key_size,
                          .a = {q + i * j->q.row, j->q.row, 1, NULL},
                          .c = scores,
                          .c_row = s->keys};
        right = (lpi_gemm){.m = some,
                           .n = s->value_size,
                           .k = s->keys,
                           .a = {scores, s->keys, 1, NULL},
                           .c = out + i * j->out_row,
                           .c_row = j->out_row};
        multiply(j, &left, &keys, workspace);
        lpi_bias_rows(&j->bias, (int64_t[]){b, h}, i, some, bias, live);
        weigh(j, first, some, scores, bias, live);
        multiply(j, &right, &values, workspace);
    }
}

/* Floats that the products of a block work with. */
static int64_t gemm_room(const job *j)
{
    lpi_matrix any = {j->q.at, j->k.row, 1, NULL};
    lpi_gemm left = {.m = j->rows,
                     .n = j->sizes.keys,
                     .k = j->sizes.key_size,
                     .a = {j->q.at, j->q.row, 1, NULL},
                     .b = {lpi_pack_matrix, &any},
                     .c_row = j->sizes.keys,
                     .fresh = true,
                     .team = lpi_run_team(j->run)};
    lpi_gemm right = left;
    int64_t a, b;

    right.n = j->sizes.value_size;
    right.k = j->sizes.keys;
    right.a.row = j->sizes.keys;
    right.c_row = j->out_row;
    a = lpi_gemm_workspace(&left);
    b = lpi_gemm_workspace(&right);
    return (a > b ? a : b) + 4096;
}

/* Whether the kernel for attention does it: no cap, no scores, no windows, a
 * mask of all keys. */
static bool is_plain(const job *j)
{
    const lpi_attention_params *p = j->params;
    lp_shape mask = j->bias.mask_shape;

    return p->softcap <= 0 && j->scores_out == NULL &&
           j->bias.limits.count == 0 && p->left_window_size < 0 &&
           p->right_window_size < 0 &&
           (j->bias.mask == NULL || mask.rank == 0 ||
            mask.dims[mask.rank - 1] == j->sizes.keys ||
            mask.dims[mask.rank - 1] == 1);
}

/* Zero the rows of a head whose mask leaves them nothing. */
static void blank_rows(const job *j, const lpi_attend *a)
{
    for (int64_t r = 0; r < a->rows && a->mask.at != NULL; r++) {
        const float *row = a->mask.at + r * a->mask.row;
        int64_t seen = a->causal ? r + a->past + 1 : a->keys, k = 0;

        seen = seen < a->keys ? seen : a->keys;
        while (k < seen && row[k * a->mask.column] == -(float)INFINITY)
            k++;
        if (k == seen)
            memset(a->out + r * a->out_row, 0,
                   (size_t)a->value_depth * sizeof(*a->out));
    }
    (void)j;
}

static lp_status run_plain(job *j)
{
    const lpi_attention *s = &j->sizes;
    lpi_attend a = {.rows = s->queries,
                    .keys = s->keys,
                    .depth = s->key_size,
                    .value_depth = s->value_size,
                    .scale = j->scale,
                    .causal = j->params->is_causal != 0,
                    .past = j->past + j->params->first_row,
                    .out_row = j->out_row,
                    .team = lpi_run_team(j->run)};
    int64_t bytes = lpi_mul(lpi_attend_workspace(&a), sizeof(float));

    a.workspace = lpi_arena_room(j->run->scratch, (size_t)bytes);
    if (a.workspace == NULL)
        return lpi_node_fail_memory(j->run->node);
    for (int64_t i = 0; i < s->batch * s->q_heads; i++) {
        int64_t b = i / s->q_heads, h = i % s->q_heads;
        int64_t kv = kv_head(j, h);

        a.q = (lpi_matrix){j->q.at + b * j->q.batch + h * j->q.head, j->q.row,
                           1, NULL};
        a.k = (lpi_matrix){j->k.at + b * j->k.batch + kv * j->k.head, j->k.row,
                           1, NULL};
        a.v = (lpi_matrix){j->v.at + b * j->v.batch + kv * j->v.head, j->v.row,
                           1, NULL};
        a.mask = lpi_bias_mask(&j->bias, b, h);
        a.out = j->out + b * j->out_batch + h * j->out_head;
        lpi_attend_run(&a);
        blank_rows(j, &a);
    }
    return LP_OK;
}

static lp_status run_blocks(job *j)
{
    const lpi_attention *s = &j->sizes;
    bool *live;

    j->rows = SCORES_MOST / s->keys;
    j->rows = j->rows < 8 ? 8 : j->rows < 192 ? j->rows : 192;
    live = LPI_NEW(j->run->scratch, bool, j->rows);
    j->room =
        LPI_NEW(j->run->scratch, float, 2 * j->rows * s->keys + gemm_room(j));
    if (live == NULL || j->room == NULL)
        return lpi_node_fail_memory(j->run->node);
    for (int64_t i = 0; i < s->batch * s->q_heads; i++)
        run_head(j, i / s->q_heads, i % s->q_heads, live);
    return LP_OK;
}

lp_status lpi_attend_all(lpi_attending *j)
{
    if (lpi_out_elements(j->run->node, 0) == 0 || j->sizes.keys == 0)
        return LP_OK;
    return is_plain(j) ? run_plain(j) : run_blocks(j);
}

lp_status lpi_attention_run(const lpi_run *run)
{
    job j = {.run = run, .params = run->node->params};
    lp_shape q = lpi_in_shape(run->node, 0);
    lpi_attention *s = &j.sizes;
    const float *at;
    heads out;

    LP_TRY(lpi_attention_resolve(run->node, s));
    if (lpi_in(run->node, 4) != NULL)
        j.past = lpi_in_shape(run->node, 4).dims[2];
    if (lpi_in(run->node, 6) != NULL)
        LP_TRY(lpi_run_ints(run, 6, &j.bias.limits));
    j.scale = j.params->scale != 0 ? j.params->scale
                                   : (float)(1 / sqrt((double)s->key_size));
    LP_TRY(lpi_run_floats(run, 0, &at));
    j.q = heads_of(at, q, s->q_heads, s->key_size);
    LP_TRY(find_heads(&j, 0, &j.k));
    LP_TRY(find_heads(&j, 1, &j.v));
    j.bias.params = j.params;
    j.bias.queries = s->queries;
    j.bias.keys = s->keys;
    j.bias.past = j.past;
    LP_TRY(lpi_bias_read(run, &j.bias));
    LP_TRY(lpi_run_result(run, 0, &j.out));
    if (lpi_out(run->node, 3) != NULL)
        LP_TRY(lpi_run_result(run, 3, &j.scores_out));
    out =
        heads_of(NULL, lpi_out_shape(run->node, 0), s->q_heads, s->value_size);
    j.out_batch = out.batch;
    j.out_head = out.head;
    j.out_row = out.row;
    LP_TRY(lpi_attend_all(&j));
    lpi_run_store(run, 0, j.out);
    if (j.scores_out != NULL)
        lpi_run_store(run, 3, j.scores_out);
    return LP_OK;
}
