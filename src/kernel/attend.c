/* attend.c: attention of one head by blocks of rows.
 *
 * Keys and values are packed once; a block of rows of q then makes all its
 * scores, which stay in the cache through the softmax and the product with
 * the values.  The sums are those of the two products and the softmax done one
 * after the other, so the bytes are too. */
#include <math.h>
#include <string.h>

#include "kernel.h"

/* SCORES: floats of a block of scores; ROWS_UNIT: a multiple of the rows of
 * every tile. */
enum { SCORES = 160 * 1024, ROWS_UNIT = 24, ROWS_MOST = 192, K_BLOCK = 512 };

/* Sizes rounded up to tiles, and the packed operands. */
typedef struct sizes {
    const lpi_gemm_tile *left, *right; /* of q k^T and of p v */
    int64_t keys, values, rows;        /* padded; rows of a block */
} sizes;

static int64_t padded(int64_t x, int64_t unit)
{
    return lpi_ceil_div(x, unit) * unit;
}

static sizes sizes_of(const lpi_attend *a)
{
    const lpi_gemm_tile *tile = a->team.isa->tiles->tile;
    sizes s = {.left = &tile[0], .right = &tile[0]};

    if (padded(a->value_depth, tile[1].columns) <
        padded(a->value_depth, tile[0].columns))
        s.right = &tile[1];
    s.keys = padded(a->keys, s.left->columns);
    s.values = padded(a->value_depth, s.right->columns);
    s.rows = SCORES / s.keys / ROWS_UNIT * ROWS_UNIT;
    s.rows = s.rows < ROWS_UNIT ? ROWS_UNIT : lpi_least(s.rows, ROWS_MOST);
    return s;
}

/* Floats of a thread: a block of q, of scores and of the result. */
static int64_t own_floats(const lpi_attend *a, const sizes *s)
{
    return s->rows * (a->depth + s->keys + s->values);
}

int64_t lpi_attend_workspace(const lpi_attend *attend)
{
    sizes s = sizes_of(attend);

    return attend->depth * s.keys + attend->keys * s.values +
           own_floats(attend, &s) * attend->team.threads;
}

/* Rows [i, i + count) of scores, which "softmax" completes. */
static void make_weights(const lpi_attend *a, const sizes *s, int64_t i,
                         int64_t count, float *scores)
{
    const lpi_binary_loop *binary = a->team.isa->binary;

    for (int64_t r = i; r < i + count; r++, scores += s->keys) {
        const float *mask = a->mask.at ? a->mask.at + r * a->mask.row : NULL;

        if (a->scale != 1)
            binary[LPI_BINARY_MUL](a->keys, scores, 1, &a->scale, 0, scores);
        if (a->mask.at && a->mask.column <= 1)
            binary[LPI_BINARY_ADD](a->keys, scores, 1, mask, a->mask.column,
                                   scores);
        else if (a->mask.at)
            for (int64_t j = 0; j < a->keys; j++)
                scores[j] += mask[j * a->mask.column];
        for (int64_t j = r + a->past + 1; a->causal && j < a->keys; j++)
            scores[j < 0 ? 0 : j] = -(float)INFINITY;
        lpi_softmax_row(a->team.isa, a->keys, scores, scores);
    }
}

/* C += A B with A in place and B packed, "k" in blocks; all sizes padded. */
static void product(const lpi_gemm_tile *tile, int64_t k, int64_t rows,
                    int64_t columns, lpi_tile_args args)
{
    const float *a = args.a, *b = args.b;
    float *c = args.c;

    for (int64_t p = 0; p < k; p += K_BLOCK)
        for (int64_t j = 0; j < columns; j += tile->columns)
            for (int64_t i = 0; i < rows; i += tile->rows) {
                args.k = lpi_least(k - p, K_BLOCK);
                args.a = a + i * args.a_row + p;
                args.b = b + j * k + p * tile->columns;
                args.c = c + i * args.c_row + j;
                args.fresh = p == 0;
                tile->run(&args);
            }
}

/* "count" rows from "i" on with the packed operands, in the thread's floats. */
static void run_block(const lpi_attend *a, const sizes *s, int64_t i,
                      int64_t count, float *own)
{
    const float *packed = a->workspace;
    float *scores = own + s->rows * a->depth;
    float *result = scores + s->rows * s->keys;
    lpi_tile_args left = {.a = own,
                          .a_row = a->depth,
                          .a_column = 1,
                          .b = packed,
                          .c = scores,
                          .c_row = s->keys};
    lpi_tile_args right = {.a = scores,
                           .a_row = s->keys,
                           .a_column = 1,
                           .b = packed + a->depth * s->keys,
                           .c = result,
                           .c_row = s->values};

    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t d = 0; d < a->depth; d++)
            own[r * a->depth + d] =
                r < count ? a->q.at[(i + r) * a->q.row + d * a->q.column] : 0;
    product(s->left, a->depth, padded(count, s->left->rows), s->keys, left);
    LPI_MACS(count * a->keys * a->depth);
    make_weights(a, s, i, count, scores);
    product(s->right, a->keys, padded(count, s->right->rows), s->values, right);
    LPI_MACS(count * a->keys * a->value_depth);
    for (int64_t r = 0; r < count; r++)
        memcpy(a->out + (i + r) * a->out_row, result + r * s->values,
               (size_t)a->value_depth * sizeof(*result));
}

/* Panel "j" of the keys, or of the values behind them. */
static void pack_panel(const lpi_attend *a, const sizes *s, int64_t j,
                       float *packed)
{
    int64_t wide = s->left->columns, of_keys = s->keys / wide;
    lpi_matrix turned = {a->k.at, a->k.column, a->k.row, NULL};

    if (j < of_keys) {
        lpi_pack_matrix(&turned, 0, a->depth, j * wide,
                        lpi_least(a->keys - j * wide, wide), wide,
                        packed + j * wide * a->depth);
        return;
    }
    packed += a->depth * s->keys;
    wide = s->right->columns;
    j -= of_keys;
    lpi_pack_matrix(&a->v, 0, a->keys, j * wide,
                    lpi_least(a->value_depth - j * wide, wide), wide,
                    packed + j * wide * a->keys);
}

void lpi_attend_run(const lpi_attend *attend)
{
    sizes s = sizes_of(attend);
    int32_t threads = attend->team.threads;
    int64_t panels = s.keys / s.left->columns + s.values / s.right->columns;
    float *own = attend->workspace + attend->depth * s.keys +
                 attend->keys * s.values;

#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t j = 0; j < panels; j++)
        pack_panel(attend, &s, j, attend->workspace);
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t t = 0; t < threads; t++) {
        int64_t from, to;

        lpi_share(attend->rows, ROWS_UNIT, t, threads, &from, &to);
        for (int64_t i = from; i < to; i += s.rows)
            run_block(attend, &s, i, lpi_least(to - i, s.rows),
                      own + t * own_floats(attend, &s));
    }
}
