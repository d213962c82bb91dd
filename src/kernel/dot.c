/* dot.c: the tile of integer products, compiled once for each instruction
 * set: the only file with intrinsics.
 *
 * With VNNI four products of an unsigned and a signed byte are added to an
 * int32 at once; else two products of int16.  Neither saturates, so all sets
 * are exact. */
#include "kernel.h"

#if defined(__AVX512VNNI__)
#include <immintrin.h>

enum { ROWS = 8, VECTORS = 3, LANES = 16, GROUP = 4, SIZE = 1 };
typedef __m512i vector;
#define LOAD(at)       _mm512_loadu_si512(at)
#define STORE(at, x)   _mm512_storeu_si512(at, x)
#define REPEAT(x)      _mm512_set1_epi32(x)
#define DOT(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
#elif defined(__AVX512BW__)
#include <immintrin.h>

enum { ROWS = 8, VECTORS = 3, LANES = 16, GROUP = 2, SIZE = 2 };
typedef __m512i vector;
#define LOAD(at)       _mm512_loadu_si512(at)
#define STORE(at, x)   _mm512_storeu_si512(at, x)
#define REPEAT(x)      _mm512_set1_epi32(x)
#define DOT(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
#elif defined(__AVX2__)
#include <immintrin.h>

enum { ROWS = 6, VECTORS = 2, LANES = 8, GROUP = 2, SIZE = 2 };
typedef __m256i vector;
#define LOAD(at)       _mm256_loadu_si256((const __m256i *)(at))
#define STORE(at, x)   _mm256_storeu_si256((__m256i *)(at), x)
#define REPEAT(x)      _mm256_set1_epi32(x)
#define DOT(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#elif defined(__SSE2__)
#include <emmintrin.h>

enum { ROWS = 4, VECTORS = 2, LANES = 4, GROUP = 2, SIZE = 2 };
typedef __m128i vector;
#define LOAD(at)       _mm_loadu_si128((const __m128i *)(at))
#define STORE(at, x)   _mm_storeu_si128((__m128i *)(at), x)
#define REPEAT(x)      _mm_set1_epi32(x)
#define DOT(sum, a, b) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
#else
enum { ROWS = 4, VECTORS = 4, LANES = 1, GROUP = 2, SIZE = 2 };
typedef int32_t vector;

static int32_t dot_pair(int32_t a, int32_t b)
{
    return (int16_t)a * (int16_t)b + (a >> 16) * (b >> 16);
}

#define LOAD(at)       (*(at))
#define STORE(at, x)   (*(at) = (x))
#define REPEAT(x)      (x)
#define DOT(sum, a, b) ((int32_t)((uint32_t)(sum) + (uint32_t)dot_pair(a, b)))
#endif

static void run_dots(int64_t groups, const void *a, const void *b, int32_t *c,
                     int64_t c_row)
{
    const int32_t *left = a, *right = b;
    vector sum[ROWS][VECTORS];

    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            sum[i][j] = LOAD(c + i * c_row + j * LANES);
    for (int64_t p = 0; p < groups; p++) {
        vector of_b[VECTORS];

        for (int j = 0; j < VECTORS; j++)
            of_b[j] = LOAD(right + j * LANES);
        for (int i = 0; i < ROWS; i++) {
            vector of_a = REPEAT(left[i]);

            for (int j = 0; j < VECTORS; j++)
                sum[i][j] = DOT(sum[i][j], of_a, of_b[j]);
        }
        left += ROWS;
        right += (int64_t)VECTORS * LANES;
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            STORE(c + i * c_row + j * LANES, sum[i][j]);
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
