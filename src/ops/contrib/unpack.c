/* unpack.c: runs of nbits.c: products with packed weights, tables of them.
 *
 * Weights become floats, (q - zero) * scale, while the product packs its
 * columns, so that no unpacked copy of all exists; each element is one chain of
 * fused multiply-adds.  Source: onnxruntime, contributed operators. */
#include <string.h>

#include "../ops.h"

/* Values of 4-bit floats of MatMulBnb4, quant_type 0 and 1: Dettmers et al.,
 * QLoRA, 2023. */
static const float codes[2][16] = {
    {0, 0x1.555556p-8f, 0x1.555556p-1f, 1, 0x1.555556p-2f, 0.5f, 0x1.555556p-3f,
     0.25f, -0.0f, -0x1.555556p-8f, -0x1.555556p-1f, -1, -0x1.555556p-2f, -0.5f,
     -0x1.555556p-3f, -0.25f},
    {-1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
     -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
     0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
     0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
     0.7229568362236023f, 1},
};

/* A packed matrix: column n has "blocks" blocks of "block" weights. */
typedef struct packed {
    const uint8_t *bytes;
    const float *scales, *zeros; /* a value a block; zeros NULL: "zero" */
    const int64_t *groups;       /* the block of each k; NULL: k / block */
    const float *code;           /* NULL: integers */
    int64_t k, bits, block, blocks;
    float zero;
} packed;

/* Item "i" of those of "bits" bits from "bytes" on, lowest bits first. */
static int32_t item(const uint8_t *bytes, int64_t bits, int64_t i)
{
    int64_t each = 8 / bits;

    return bytes[i / each] >> (i % each * bits) & ((1 << bits) - 1);
}

static float weight_at(const packed *w, int64_t k, int64_t n)
{
    int64_t group = w->groups != NULL ? w->groups[k] : k / w->block, at;

    if (w->code != NULL) {
        at = n * w->k + k;
        return w->code[item(w->bytes, 4, at ^ 1)] * w->scales[at / w->block];
    }
    at = n * w->blocks * w->block + k;
    group += n * w->blocks;
    return ((float)item(w->bytes, w->bits, at) -
            (w->zeros != NULL ? w->zeros[group] : w->zero)) *
           w->scales[group];
}

static void pack_weights(const void *context, int64_t k, int64_t k_count,
                         int64_t n, int64_t n_count, int64_t width, float *to)
{
    const packed *w = context;

    for (int64_t i = 0; i < k_count; i++, to += width) {
        for (int64_t j = 0; j < n_count; j++)
            to[j] = weight_at(w, k + i, n + j);
        for (int64_t j = n_count; j < width; j++)
            to[j] = 0;
    }
}

/* Zero points: floats like the scales, or packed, each column in bytes of its
 * own. */
static lp_status read_zeros(const lpi_run *run, int64_t columns, packed *w)
{
    int64_t row = lpi_ceil_div(w->blocks * w->bits, 8);
    int64_t count = columns * w->blocks;
    float *zeros;

    if (lpi_in(run->node, 3) == NULL)
        return LP_OK;
    if (lpi_in_dtype(run->node, 3) != LP_UINT8) {
        LP_TRY(lpi_run_wants(run, 3, count));
        return lpi_run_floats(run, 3, &w->zeros);
    }
    LP_TRY(lpi_run_wants(run, 3, columns * row));
    zeros = LPI_NEW(run->scratch, float, count);
    if (zeros == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++)
        zeros[i] =
            (float)item((const uint8_t *)run->in[3] + i / w->blocks * row,
                        w->bits, i % w->blocks);
    w->zeros = zeros;
    return LP_OK;
}

/* Input 4 names the block of each row. */
static lp_status read_groups(const lpi_run *run, packed *w)
{
    lpi_list list;

    if (lpi_in(run->node, 4) == NULL)
        return LP_OK;
    LP_TRY(lpi_run_ints(run, 4, &list));
    if (list.count < w->k)
        return lpi_node_fail(run->node, "%lld indices of blocks for %lld rows",
                             (long long)list.count, (long long)w->k);
    for (int64_t k = 0; k < w->k; k++)
        if (list.ints[k] < 0 || list.ints[k] >= w->blocks)
            return lpi_node_fail(run->node, "block %lld of %lld",
                                 (long long)list.ints[k], (long long)w->blocks);
    w->groups = list.ints;
    return LP_OK;
}

/* The product, plus input "bias". */
static lp_status multiply(const lpi_run *run, packed *w, int32_t bias)
{
    const lpi_nbits *p = run->node->params;
    const lpi_isa *isa = lpi_run_team(run).isa;
    int64_t rows = lpi_in_elements(run->node, 0) / p->K;
    lpi_gemm gemm = {.m = rows,
                     .n = p->N,
                     .k = p->K,
                     .a = {NULL, p->K, 1, NULL},
                     .b = {pack_weights, w},
                     .c_row = p->N,
                     .fresh = true,
                     .team = lpi_run_team(run)};
    const float *more = NULL;

    LP_TRY(lpi_run_floats(run, 0, &gemm.a.at));
    LP_TRY(lpi_run_result(run, 0, &gemm.c));
    if (bias > 0) {
        LP_TRY(lpi_run_wants(run, bias, p->N));
        LP_TRY(lpi_run_floats(run, bias, &more));
    }
    gemm.workspace = lpi_arena_room(
        run->scratch,
        (size_t)lpi_mul(lpi_gemm_workspace(&gemm), sizeof(float)));
    if (gemm.workspace == NULL)
        return lpi_node_fail_memory(run->node);
    if (rows > 0)
        lpi_gemm_run(&gemm);
    for (int64_t i = 0; i < rows && more != NULL; i++)
        isa->binary[LPI_BINARY_ADD](p->N, gemm.c + i * p->N, 1, more, 1,
                                    gemm.c + i * p->N);
    lpi_run_store(run, 0, gemm.c);
    return LP_OK;
}

lp_status lpi_nbits_run(const lpi_run *run)
{
    const lpi_nbits *p = run->node->params;
    packed w = {.bytes = run->in[1],
                .k = p->K,
                .bits = p->bits,
                .block = p->block_size,
                .blocks = lpi_ceil_div(p->K, p->block_size),
                .zero = (float)((int64_t)1 << (p->bits - 1))};

    if (p->bits != 2 && p->bits != 4 && p->bits != 8)
        return lpi_node_fail(run->node, "bits is %lld", (long long)p->bits);
    LP_TRY(
        lpi_run_wants(run, 1, p->N * w.blocks * p->block_size * p->bits / 8));
    LP_TRY(lpi_run_wants(run, 2, p->N * w.blocks));
    LP_TRY(lpi_run_floats(run, 2, &w.scales));
    LP_TRY(read_zeros(run, p->N, &w));
    LP_TRY(read_groups(run, &w));
    return multiply(run, &w, 5);
}

lp_status lpi_bnb4_run(const lpi_run *run)
{
    const lpi_nbits *p = run->node->params;
    int64_t count = lpi_mul(p->K, p->N);
    packed w = {.bytes = run->in[1], .k = p->K, .block = p->block_size};

    w.code = codes[p->quant_type != 0];
    LP_TRY(lpi_run_wants(run, 1, lpi_ceil_div(count, 2)));
    LP_TRY(lpi_run_wants(run, 2, lpi_ceil_div(count, p->block_size)));
    LP_TRY(lpi_run_floats(run, 2, &w.scales));
    return multiply(run, &w, -1);
}

/* ---- GatherBlockQuantized ------------------------------------------------ */

typedef struct table {
    const float *values, *scales, *zeros; /* zeros NULL: "zero" */
    float zero;
    int64_t inner, extent, block, blocks; /* of the quantized axis */
} table;

/* Element "i" of the table. */
static float element(const table *t, int64_t i)
{
    int64_t rest = i % t->inner, index = i / t->inner % t->extent;
    int64_t at = (i / t->inner / t->extent * t->blocks + index / t->block) *
                     t->inner +
                 rest;

    return (t->values[i] - (t->zeros != NULL ? t->zeros[at] : t->zero)) *
           t->scales[at];
}

/* Input "i" as "count" floats: bytes hold several items where "bits" are less
 * than 8, rows of "row" items each in bytes of their own. */
static lp_status read_items(const lpi_run *run, int32_t i, int64_t count,
                            int64_t row, const float **ret)
{
    lp_dtype type = lpi_in_dtype(run->node, i);
    int64_t bits = ((const lpi_nbits *)run->node->params)->bits;
    float *to = LPI_NEW(run->scratch, float, count);
    int64_t bytes = lpi_ceil_div(row * bits, 8);

    if (to == NULL)
        return lpi_node_fail_memory(run->node);
    *ret = to;
    if (type != LP_UINT8 || bits >= 8) {
        LP_TRY(lpi_run_wants(run, i, count));
        lpi_load_floats(lpi_run_team(run).isa, type, run->in[i], 0, count, to);
        return LP_OK;
    }
    LP_TRY(lpi_run_wants(run, i, row > 0 ? count / row * bytes : 0));
    for (int64_t k = 0; k < count; k++)
        to[k] = (float)item((const uint8_t *)run->in[i] + k / row * bytes, bits,
                            k % row);
    return LP_OK;
}

/* The extents of the table, unpacked; false when they do not fit. */
static bool unpacked(const lpi_node *node, int64_t *dims, table *t,
                     int64_t *ret_gather)
{
    const lpi_nbits *p = node->params;
    lp_shape shape = lpi_in_shape(node, 0);
    int64_t axis;

    if (shape.rank < 1 || shape.rank > LPI_VIEW_AXES || p->block_size < 1 ||
        !lpi_axis(p->quantize_axis, shape.rank, &axis) ||
        !lpi_axis(p->gather_axis, shape.rank, ret_gather))
        return false;
    memcpy(dims, shape.dims, (size_t)shape.rank * sizeof(*dims));
    if (lpi_in_dtype(node, 0) == LP_UINT8 && p->bits > 0 && p->bits < 8)
        dims[shape.rank - 1] *= 8 / p->bits;
    shape.dims = dims;
    t->inner = lpi_dims_product(shape, axis + 1, shape.rank);
    t->extent = dims[axis];
    t->block = p->block_size;
    t->blocks = lpi_ceil_div(t->extent, t->block);
    return true;
}

/* Copy what the indices name, slice by slice. */
static lp_status look_up(const lpi_run *run, const table *t, lp_shape shape,
                         int64_t axis, float *to)
{
    int64_t inner = lpi_dims_product(shape, axis + 1, shape.rank), index;
    lpi_list indices;

    LP_TRY(lpi_run_ints(run, 1, &indices));
    for (int64_t o = 0; o < lpi_dims_product(shape, 0, axis); o++)
        for (int64_t k = 0; k < indices.count; k++) {
            LP_TRY(lpi_index(run->node, indices.ints[k], shape.dims[axis],
                             &index));
            for (int64_t i = 0; i < inner; i++)
                *to++ = element(t, (o * shape.dims[axis] + index) * inner + i);
        }
    return LP_OK;
}

lp_status lpi_gather_blocks_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    const lpi_nbits *p = node->params;
    int64_t dims[LPI_VIEW_AXES], axis = 0, count, last;
    lp_shape shape = {lpi_in_shape(node, 0).rank, dims};
    table t = {0};
    float *to;

    if (!unpacked(node, dims, &t, &axis))
        return lpi_node_fail(node, "axes %lld and %lld of a table of rank %d",
                             (long long)p->gather_axis,
                             (long long)p->quantize_axis, shape.rank);
    if (lpi_in_dtype(node, 0) == LP_UINT8)
        t.zero = (float)((int64_t)1 << (p->bits - 1));
    count = lpi_in_elements(node, 2);
    last = lpi_in_shape(node, 2).rank > 0
               ? lpi_in_shape(node, 2).dims[lpi_in_shape(node, 2).rank - 1]
               : 1;
    LP_TRY(read_items(run, 0, lpi_shape_elements(shape), dims[shape.rank - 1],
                      &t.values));
    LP_TRY(lpi_run_wants(
        run, 2,
        t.extent > 0 ? lpi_shape_elements(shape) / t.extent * t.blocks : 0));
    LP_TRY(lpi_run_floats(run, 2, &t.scales));
    if (lpi_in(node, 3) != NULL)
        LP_TRY(read_items(run, 3, count, last, &t.zeros));
    LP_TRY(lpi_run_result(run, 0, &to));
    LP_TRY(look_up(run, &t, shape, axis, to));
    lpi_run_store(run, 0, to);
    return LP_OK;
}
