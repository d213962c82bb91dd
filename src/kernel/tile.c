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

#define INLINE static inline __attribute__((always_inline))

enum { LINE = 16 }; /* floats of a line of the cache */

/* a * b + c, rounded once. */
INLINE vector fuse(vector a, vector b, vector c)
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

INLINE vector load(const float *at)
{
    return *(const loose *)at;
}

INLINE vector repeat(float x)
{
    return x - (vector){0};
}

/* The tile ROWS x VECTORS, A being read with the strides "a_row" and
 * "a_column", which are constants where A is packed.  The tile of C that comes
 * next is fetched while this one is computed. */
#define TILE(name, ROWS, VECTORS, a_row, a_column)                             \
    INLINE void name##_from(const lpi_tile_args *args, bool fresh)             \
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

/* VECTORS vectors of a row, "rest" floats of them wanted. */
INLINE void taps_block(const lpi_taps *t, int64_t at, int64_t rest)
{
    enum { VECTORS = 2, ALL = VECTORS * WIDTH };
    vector sum[VECTORS] = {{0}};
    float kept[ALL] = {0};

    if (!t->fresh && rest >= ALL)
        for (int j = 0; j < VECTORS; j++)
            sum[j] = load(t->to + at + j * WIDTH);
    else if (!t->fresh) {
        memcpy(kept, t->to + at, (size_t)rest * sizeof(*kept));
        for (int j = 0; j < VECTORS; j++)
            sum[j] = load(kept + j * WIDTH);
    }
    for (int64_t k = 0; k < t->count; k++)
        for (int j = 0; j < VECTORS; j++)
            sum[j] = fuse(repeat(t->w[k]),
                          load(t->from + t->offset[k] + at + j * WIDTH),
                          sum[j]);
    for (int j = 0; j < VECTORS; j++)
        *(loose *)(rest >= ALL ? t->to + at + j * WIDTH : kept + j * WIDTH) =
            sum[j];
    if (rest < ALL)
        memcpy(t->to + at, kept, (size_t)rest * sizeof(*kept));
}

void LPI_OF_SET(lpi_taps_row)(const lpi_taps *t)
{
    for (int64_t at = 0; at < t->length; at += (int64_t)2 * WIDTH)
        taps_block(t, at, t->length - at);
}

const lpi_gemm_tiles LPI_OF_SET(lpi_gemm_tiles) = {
    .tile = {{ROWS_0, WIDE_0 *WIDTH, wide},
             {ROWS_1, WIDE_1 *WIDTH, middle},
             {ROWS_2, WIDTH, narrow}},
};
