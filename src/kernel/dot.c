/* dot.c: the tile of integer products, compiled once for each instruction
 * set: the only file with intrinsics.
 *
 * With VNNI four products of an unsigned and a signed byte are added to an
 * int32 at once; else two products of int16.  Neither saturates, so all sets
 * are exact. */
#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512VNNI__)
enum { ROWS = 8, VECTORS = 3, LANES = 16, GROUP = 4, SIZE = 1 };
#elif defined(__AVX512BW__)
enum { ROWS = 8, VECTORS = 3, LANES = 16, GROUP = 2, SIZE = 2 };
#elif defined(__AVX2__)
enum { ROWS = 6, VECTORS = 2, LANES = 8, GROUP = 2, SIZE = 2 };
#else
enum { ROWS = 4, VECTORS = 2, LANES = 4, GROUP = 2, SIZE = 2 };
#endif

typedef uint32_t vector __attribute__((vector_size(LANES * 4)));
typedef uint32_t loose
    __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* "sum" and the products of the groups of "a" and "b".  The instruction of
 * VNNI is written out: gcc 12 moves each sum to and fro around its builtin. */
static inline __attribute__((always_inline)) vector dot(vector sum, vector a,
                                                        vector b)
{
#if defined(__AVX512VNNI__)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
#elif defined(__AVX512BW__)
    return sum + (vector)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (vector)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (vector)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    for (int i = 0; i < LANES; i++)
        sum[i] += (uint32_t)((int16_t)a[i] * (int16_t)b[i]) +
                  (uint32_t)(((int32_t)a[i] >> 16) * ((int32_t)b[i] >> 16));
    return sum;
#endif
}

static void run_dots(int64_t groups, const void *a, const void *b, int32_t *c,
                     int64_t c_row)
{
    const uint32_t *left = a, *right = b;
    vector sum[ROWS][VECTORS];

    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            sum[i][j] = *(const loose *)(c + i * c_row + j * LANES);
    for (int64_t p = 0; p < groups; p++) {
        vector of_b[VECTORS];

        for (int j = 0; j < VECTORS; j++)
            of_b[j] = *(const loose *)(right + j * LANES);
        for (int i = 0; i < ROWS; i++) {
            vector of_a = left[i] + (vector){0};

            for (int j = 0; j < VECTORS; j++)
                sum[i][j] = dot(sum[i][j], of_a, of_b[j]);
        }
        left += ROWS;
        right += (int64_t)VECTORS * LANES;
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            *(loose *)(c + i * c_row + j * LANES) = sum[i][j];
}

/* A byte as the number it stands for. */
static inline int32_t value_of(uint8_t byte, bool is_signed)
{
    return is_signed ? (int32_t)(int8_t)byte : (int32_t)byte;
}

static inline __attribute__((always_inline)) void weave_as(const lpi_weave *w,
                                                           bool is_signed)
{
    const uint8_t *from = w->from;
    uint32_t mask = SIZE == 1 ? 0xff : 0xffff, *to = w->to, *sums = w->sums;
    uint8_t flip = w->flip;
    int64_t width = w->width;

    for (int64_t g = 0; g < w->groups; g++, to += width, from += GROUP * width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            uint32_t whole = 0, sum = 0;

            for (int64_t e = 0; e < GROUP; e++) {
                uint32_t x =
                    (uint32_t)value_of(from[e * width + j] ^ flip, is_signed);

                sum += x;
                whole |= (x & mask) << (SIZE * 8 * e);
            }
            to[j] = whole;
            sums[j] += sum;
        }
}

static void weave(const lpi_weave *w)
{
    if (w->is_signed)
        weave_as(w, true);
    else
        weave_as(w, false);
}

/* The group of "count" bytes at "from"; adds them to "sum". */
static inline __attribute__((always_inline)) uint32_t
group_of(const uint8_t *from, int64_t count, const lpi_weave *w, uint32_t *sum)
{
    uint32_t whole = 0;

    for (int64_t e = 0; e < count; e++) {
        uint32_t x = (uint32_t)value_of(from[e] ^ w->flip, w->is_signed);

        *sum += x;
        whole |= (x & (SIZE == 1 ? 0xff : 0xffff)) << (SIZE * 8 * e);
    }
    return whole;
}

static void weave_lines(const lpi_weave *w, int64_t line, int64_t count)
{
    lpi_weave kept = *w;
    uint32_t *to = w->to;
    int64_t rest = count % GROUP;

    for (int64_t j = 0; j < w->width; j++) {
        const uint8_t *from = w->from + j * line;
        uint32_t sum = 0, *at = to + j;

        for (int64_t g = 0; g < count / GROUP; g++, from += GROUP) {
            *at = group_of(from, GROUP, &kept, &sum);
            at += w->width;
        }
        if (rest)
            *at = group_of(from, rest, &kept, &sum);
        w->sums[j] += sum;
    }
}

const lpi_dots LPI_OF_SET(lpi_dots) = {
    .rows = ROWS,
    .columns = VECTORS * LANES,
    .group = GROUP,
    .size = SIZE,
    .weave = weave,
    .weave_lines = weave_lines,
    .run = run_dots,
};
