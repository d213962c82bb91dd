/* tile.c: the register tiles of a matrix product, compiled once for each
 * instruction set.
 *
 * The accumulators of a tile stay in vector registers while k runs; each lane
 * is one chain of fused multiply-adds, so the width of the vectors does not
 * show in the result.  The multiply-add is named, not left to the compiler's
 * contraction, which comes and goes with its options. */
#include <math.h>
#include <string.h>

#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
enum { WIDTH = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float loose
    __attribute__((vector_size(WIDTH * sizeof(float)), aligned(4), may_alias));

typedef int32_t whole __attribute__((vector_size(WIDTH * sizeof(float))));

enum { LINE = 16 }; /* floats of a line of the cache */

/* a * b + c, rounded once. */
LPI_INLINED vector fuse(vector a, vector b, vector c)
{
#if defined(__AVX512F__)
    return (vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__) && defined(__FMA__)
    return (vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    for (int i = 0; i < WIDTH; i++)
        c[i] = fmaf(a[i], b[i], c[i]);
    return c;
#endif
}

LPI_INLINED vector load(const float *at)
{
    return *(const loose *)at;
}

LPI_INLINED vector repeat(float x)
{
    return x - (vector){0};
}

/* The tile ROWS x VECTORS, A being read with the strides "a_row" and
 * "a_column", which are constants where A is packed.  The tile of C that comes
 * next is fetched while this one is computed. */
#define TILE(name, ROWS, VECTORS, a_row, a_column)                             \
    LPI_INLINED void name##_from(const lpi_tile_args *args, bool fresh)        \
    {                                                                          \
        const float *a = args->a, *b = args->b;                                \
        float *c = args->c;                                                    \
        vector sum[ROWS][VECTORS];                                             \
                                                                               \
        for (int i = 0; i < ROWS; i++)                                         \
            for (int j = 0; j < VECTORS; j++)                                  \
                sum[i][j] = fresh ? (vector){0}                                \
                                  : load(c + i * args->c_row + j * WIDTH);     \
        for (int i = 0; i < ROWS && args->next; i++)                           \
            for (int j = 0; j < VECTORS * WIDTH; j += LINE)                    \
                __builtin_prefetch(args->next + i * args->c_row + j, 1);       \
        for (int64_t p = 0; p < args->k; p++, b += VECTORS * WIDTH) {          \
            vector right[VECTORS];                                             \
                                                                               \
            for (int j = 0; j < VECTORS; j++)                                  \
                right[j] = load(b + j * WIDTH);                                \
            for (int i = 0; i < ROWS; i++) {                                   \
                vector left = repeat(a[i * (a_row)]);                          \
                                                                               \
                for (int j = 0; j < VECTORS; j++)                              \
                    sum[i][j] = fuse(left, right[j], sum[i][j]);               \
            }                                                                  \
            a += (a_column);                                                   \
        }                                                                      \
        for (int i = 0; i < ROWS; i++)                                         \
            for (int j = 0; j < VECTORS; j++)                                  \
                *(loose *)(c + i * args->c_row + j * WIDTH) = sum[i][j];       \
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

/* Floats of "rest" that vector "j" of a block holds. */
LPI_INLINED int64_t within(int64_t rest, int j)
{
    rest -= (int64_t)j * WIDTH;
    return rest < WIDTH ? rest : WIDTH;
}

/* The first "count" floats of "v". */
LPI_INLINED void store_some(float *to, vector v, int64_t count)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    memcpy(to, &v, (size_t)count * sizeof(*to));
#endif
}

/* "vectors" vectors of a row, "rest" floats of them wanted. */
LPI_INLINED void taps_block(const lpi_taps *t, int64_t at, int64_t rest,
                            int vectors)
{
    enum { MOST = 4 };
    vector sum[MOST] = {{0}};
    const float *from = t->from + at;
    float *to = t->to + at;

    for (int j = 0; j < vectors && !t->fresh; j++) {
        float kept[WIDTH] = {0};

        if (within(rest, j) == WIDTH) {
            sum[j] = load(to + j * WIDTH);
            continue;
        }
        memcpy(kept, to + j * WIDTH, (size_t)within(rest, j) * sizeof(*to));
        sum[j] = load(kept);
    }
    for (int64_t k = 0; k < t->count; k++) {
        vector w = repeat(t->w[k]);
        const float *tap = from + t->offset[k];

        for (int j = 0; j < vectors; j++)
            sum[j] = fuse(w, load(tap + j * WIDTH), sum[j]);
    }
    for (int j = 0; j < vectors; j++)
        if (within(rest, j) == WIDTH)
            *(loose *)(to + j * WIDTH) = sum[j];
        else
            store_some(to + j * WIDTH, sum[j], within(rest, j));
}

void LPI_OF_SET(lpi_taps_row)(const lpi_taps *t)
{
    for (int64_t at = 0, rest = t->length; rest > 0;
         at += (int64_t)4 * WIDTH, rest -= (int64_t)4 * WIDTH)
        if (rest > 3 * WIDTH)
            taps_block(t, at, rest, 4);
        else if (rest > 2 * WIDTH)
            taps_block(t, at, rest, 3);
        else if (rest > WIDTH)
            taps_block(t, at, rest, 2);
        else
            taps_block(t, at, rest, 1);
}

/* "x" where it is larger, else "most", which stays when one is NaN. */
LPI_INLINED vector larger(vector x, vector most)
{
#if defined(__AVX512F__)
    return (vector)_mm512_max_ps((__m512)x, (__m512)most);
#elif defined(__AVX2__)
    return (vector)_mm256_max_ps((__m256)x, (__m256)most);
#elif defined(__SSE2__)
    return (vector)_mm_max_ps((__m128)x, (__m128)most);
#else
    for (int i = 0; i < WIDTH; i++)
        most[i] = x[i] > most[i] ? x[i] : most[i];
    return most;
#endif
}

/* NaN is looked for aside. */
LPI_INLINED void max_block(const lpi_taps *t, int64_t at, int64_t rest,
                           int vectors)
{
    enum { MOST = 4 };
    vector most[MOST];
    whole nan[MOST] = {{0}};

    for (int j = 0; j < vectors; j++)
        most[j] = repeat(-(float)INFINITY);
    for (int64_t k = 0; k < t->count; k++)
        for (int j = 0; j < vectors; j++) {
            vector x = load(t->from + at + t->offset[k] + j * WIDTH);

            nan[j] |= x != x;
            most[j] = larger(x, most[j]);
        }
    for (int j = 0; j < vectors; j++) {
        whole quiet = nan[j] & 0x7fc00000;
        vector kept = (vector)(((whole)most[j] & ~nan[j]) | quiet);

        if (within(rest, j) == WIDTH)
            *(loose *)(t->to + at + j * WIDTH) = kept;
        else
            store_some(t->to + at + j * WIDTH, kept, within(rest, j));
    }
}

void LPI_OF_SET(lpi_taps_max)(const lpi_taps *t)
{
    int64_t at = 0;

    for (; t->length - at >= 4 * WIDTH; at += (int64_t)4 * WIDTH)
        max_block(t, at, 4 * WIDTH, 4);
    for (; at < t->length; at += WIDTH)
        max_block(t, at, t->length - at, 1);
}

const lpi_gemm_tiles LPI_OF_SET(lpi_gemm_tiles) = {
    .tile = {{ROWS_0, WIDE_0 *WIDTH, wide},
             {ROWS_1, WIDE_1 *WIDTH, middle},
             {ROWS_2, WIDTH, narrow}},
};
