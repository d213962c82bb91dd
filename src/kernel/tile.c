/* tile.c: the register tiles of a matrix product, and its lines where B is
 * turned and rows are few, compiled once for each instruction set.
 *
 * The accumulators of a tile stay in vector registers while k runs; each lane
 * is one chain of fused multiply-adds, so the width of the vectors does not
 * show in the result. */
#include <math.h>
#include <string.h>

#define LPI_VECTORS
#include "kernel.h"

enum { LINE = 16 }; /* floats of a line of the cache */

/* The tile ROWS x VECTORS, A being read with the strides "a_row" and
 * "a_column", which are constants where A is packed.  The tile of C that comes
 * next is fetched while this one is computed. */
#define TILE(name, ROWS, VECTORS, a_row, a_column)                             \
    LPI_INLINED void name##_from(const lpi_tile_args *args, bool fresh)        \
    {                                                                          \
        const float *a = args->a, *b = args->b;                                \
        float *c = args->c;                                                    \
        lpi_vector sum[ROWS][VECTORS];                                         \
                                                                               \
        for (int i = 0; i < ROWS; i++)                                         \
            for (int j = 0; j < VECTORS; j++)                                  \
                sum[i][j] =                                                    \
                    fresh ? (lpi_vector){0}                                    \
                          : lpi_load(c + i * args->c_row + j * LPI_WIDTH);     \
        for (int i = 0; i < ROWS && args->next; i++)                           \
            for (int j = 0; j < VECTORS * LPI_WIDTH; j += LINE)                \
                __builtin_prefetch(args->next + i * args->c_row + j, 1);       \
        for (int64_t p = 0; p < args->k; p++, b += VECTORS * LPI_WIDTH) {      \
            lpi_vector right[VECTORS];                                         \
                                                                               \
            for (int j = 0; j < VECTORS; j++)                                  \
                right[j] = lpi_load(b + j * LPI_WIDTH);                        \
            for (int i = 0; i < ROWS; i++) {                                   \
                lpi_vector left = lpi_repeat(a[i * (a_row)]);                  \
                                                                               \
                for (int j = 0; j < VECTORS; j++)                              \
                    sum[i][j] = lpi_fuse(left, right[j], sum[i][j]);           \
            }                                                                  \
            a += (a_column);                                                   \
        }                                                                      \
        for (int i = 0; i < ROWS; i++)                                         \
            for (int j = 0; j < VECTORS; j++)                                  \
                *(lpi_loose *)(c + i * args->c_row + j * LPI_WIDTH) =          \
                    sum[i][j];                                                 \
    }                                                                          \
    static void name(const lpi_tile_args *args)                                \
    {                                                                          \
        if (args->fresh)                                                       \
            name##_from(args, true);                                           \
        else                                                                   \
            name##_from(args, false);                                          \
    }

/* The tile for A packed in panels, for A as it stands, and the choice. */
#define TILES(name, ROWS, VECTORS)                                             \
    TILE(name##_packed, ROWS, VECTORS, 1, ROWS)                                \
    TILE(name##_in_place, ROWS, VECTORS, args->a_row, args->a_column)          \
    static void name(const lpi_tile_args *args)                                \
    {                                                                          \
        if (args->a_row == 1 && args->a_column == ROWS)                        \
            name##_packed(args);                                               \
        else                                                                   \
            name##_in_place(args);                                             \
    }

#if defined(__AVX512F__)
enum { ROWS_0 = 8, WIDE_0 = 3, ROWS_1 = 12, WIDE_1 = 2, ROWS_2 = 24 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { ROWS_0 = 6, WIDE_0 = 2, ROWS_1 = 4, WIDE_1 = 3, ROWS_2 = 12 };
#else
enum { ROWS_0 = 4, WIDE_0 = 2, ROWS_1 = 4, WIDE_1 = 2, ROWS_2 = 8 };
#endif

TILES(wide, ROWS_0, WIDE_0)
TILES(middle, ROWS_1, WIDE_1)
TILES(narrow, ROWS_2, 1)

/* In groups of four lanes: the first or the last two of "a" and "b" in turn,
 * lane by lane or pair by pair; then groups: each other one of both. */
#if defined(__AVX512F__)
#define GROUPS(a, b, p, q, r, s)                                               \
    __builtin_shufflevector(a, b, p, q, r, s, (p) + 4, (q) + 4, (r) + 4,       \
                            (s) + 4, (p) + 8, (q) + 8, (r) + 8, (s) + 8,       \
                            (p) + 12, (q) + 12, (r) + 12, (s) + 12)
#define OTHER(a, b, p)                                                         \
    __builtin_shufflevector(a, b, p, (p) + 1, (p) + 2, (p) + 3, (p) + 8,       \
                            (p) + 9, (p) + 10, (p) + 11, (p) + 16, (p) + 17,   \
                            (p) + 18, (p) + 19, (p) + 24, (p) + 25, (p) + 26,  \
                            (p) + 27)
#elif defined(__AVX2__) && defined(__FMA__)
#define GROUPS(a, b, p, q, r, s)                                               \
    __builtin_shufflevector(a, b, p, q, r, s, (p) + 4, (q) + 4, (r) + 4,       \
                            (s) + 4)
#define OTHER(a, b, p)                                                         \
    __builtin_shufflevector(a, b, p, (p) + 1, (p) + 2, (p) + 3, (p) + 8,       \
                            (p) + 9, (p) + 10, (p) + 11)
#else
#define GROUPS(a, b, p, q, r, s) __builtin_shufflevector(a, b, p, q, r, s)
#define OTHER(a, b, p)           ((void)(b), (a)) /* there is but one group */
#endif

/* v[p] becomes element p of all: squares of four in every group of lanes, then
 * the groups, by halves. */
static inline __attribute__((always_inline)) void turn_square(lpi_vector *v)
{
    enum { FOURS = LPI_WIDTH / 4 };
    lpi_vector w[LPI_WIDTH];

    for (int i = 0; i < LPI_WIDTH; i += 4) {
        lpi_vector a = GROUPS(v[i], v[i + 1], 0, LPI_WIDTH, 1, LPI_WIDTH + 1);
        lpi_vector b =
            GROUPS(v[i + 2], v[i + 3], 0, LPI_WIDTH, 1, LPI_WIDTH + 1);
        lpi_vector c =
            GROUPS(v[i], v[i + 1], 2, LPI_WIDTH + 2, 3, LPI_WIDTH + 3);
        lpi_vector d =
            GROUPS(v[i + 2], v[i + 3], 2, LPI_WIDTH + 2, 3, LPI_WIDTH + 3);

        v[i] = GROUPS(a, b, 0, 1, LPI_WIDTH, LPI_WIDTH + 1);
        v[i + 1] = GROUPS(a, b, 2, 3, LPI_WIDTH + 2, LPI_WIDTH + 3);
        v[i + 2] = GROUPS(c, d, 0, 1, LPI_WIDTH, LPI_WIDTH + 1);
        v[i + 3] = GROUPS(c, d, 2, 3, LPI_WIDTH + 2, LPI_WIDTH + 3);
    }
    for (int round = 1; round < FOURS; round *= 2) {
        for (int i = 0; i < LPI_WIDTH / 2; i++) {
            int at = i / 4 * 8 + i % 4;

            w[i] = OTHER(v[at], v[at + 4], 0);
            w[i + LPI_WIDTH / 2] = OTHER(v[at], v[at + 4], 4);
        }
        for (int i = 0; i < LPI_WIDTH; i++)
            v[i] = w[i];
    }
}

/* The sums of "rows" rows, a constant, with LPI_LANES lines from "from" on.
 * What comes later is fetched, in the lines behind where these end. */
LPI_INLINED void lines_block(const lpi_lines *l, const float *a,
                             const float *from, float *c, int rows)
{
    enum { ROWS = 4, BLOCKS = LPI_LANES / LPI_WIDTH, AHEAD = 128 };
    lpi_vector sum[ROWS][BLOCKS], v[LPI_WIDTH];
    int64_t k = 0;

    for (int i = 0; i < rows; i++)
        for (int j = 0; j < BLOCKS; j++)
            sum[i][j] = l->fresh ? (lpi_vector){0}
                                 : lpi_load(c + i * l->c_row + j * LPI_WIDTH);
    for (; k + LPI_WIDTH <= l->k; k += LPI_WIDTH) {
        int64_t next = k + AHEAD < l->k
                           ? k + AHEAD
                           : k + AHEAD - l->k + LPI_LANES * l->line;

        for (int j = 0; j < BLOCKS; j++) {
            const float *b = from + j * LPI_WIDTH * l->line;

            for (int i = 0; i < LPI_WIDTH; i++) {
                __builtin_prefetch(b + i * l->line + next);
                v[i] = lpi_load(b + i * l->line + k);
            }
            turn_square(v);
#pragma GCC unroll 16
            for (int p = 0; p < LPI_WIDTH; p++)
                for (int i = 0; i < rows; i++)
                    sum[i][j] = lpi_fuse(lpi_repeat(a[i * l->a_row + k + p]),
                                         v[p], sum[i][j]);
        }
    }
    for (; k < l->k; k++) {
        float some[LPI_LANES];

        for (int p = 0; p < LPI_LANES; p++)
            some[p] = from[p * l->line + k];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < BLOCKS; j++)
                sum[i][j] = lpi_fuse(lpi_repeat(a[i * l->a_row + k]),
                                     lpi_load(some + j * LPI_WIDTH), sum[i][j]);
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < BLOCKS; j++)
            *(lpi_loose *)(c + i * l->c_row + j * LPI_WIDTH) = sum[i][j];
}

void LPI_OF_SET(lpi_lines_run)(const lpi_lines *l)
{
    for (int64_t j = 0; j < l->count; j += LPI_LANES)
        for (int64_t i = 0; i < l->rows; i += 4) {
            const float *a = l->a + i * l->a_row, *b = l->b + j * l->line;
            float *c = l->c + i * l->c_row + j;

            if (l->rows - i >= 4)
                lines_block(l, a, b, c, 4);
            else if (l->rows - i == 3)
                lines_block(l, a, b, c, 3);
            else if (l->rows - i == 2)
                lines_block(l, a, b, c, 2);
            else
                lines_block(l, a, b, c, 1);
        }
}

void LPI_OF_SET(lpi_turn_squares)(const float *from, int64_t stride,
                                  const int64_t sides[2], int64_t width,
                                  float *to)
{
    enum { AHEAD = 64 }; /* floats that are fetched */
    lpi_vector v[LPI_WIDTH];

    if (sides[0] < LPI_WIDTH || sides[1] < LPI_WIDTH) {
        lpi_turn(from, stride, sides, width, to);
        return;
    }
    for (int64_t k = 0; k < sides[0]; k += LPI_WIDTH)
        for (int64_t j = 0; j < sides[1]; j += LPI_WIDTH) {
            int64_t p = lpi_least(k, sides[0] - LPI_WIDTH);
            int64_t n = lpi_least(j, sides[1] - LPI_WIDTH);

            for (int i = 0; i < LPI_WIDTH; i++) {
                __builtin_prefetch(from + (n + i) * stride + p + AHEAD);
                v[i] = lpi_load(from + (n + i) * stride + p);
            }
            turn_square(v);
            for (int i = 0; i < LPI_WIDTH; i++)
                *(lpi_loose *)(to + (p + i) * width + n) = v[i];
        }
}

const lpi_gemm_tiles LPI_OF_SET(lpi_gemm_tiles) = {
    .tile = {{ROWS_0, WIDE_0 *LPI_WIDTH, wide},
             {ROWS_1, WIDE_1 *LPI_WIDTH, middle},
             {ROWS_2, LPI_WIDTH, narrow}},
};
