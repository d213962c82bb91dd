/* half.c: float16 and bfloat16 to float32 and back over arrays, compiled once
 * for each instruction set; the same bytes as the table in pack.c.
 *
 * A float16 is scaled by a power of two in float32, where its denormals are
 * normal numbers; the way back rounds to nearest even by an integer addition,
 * and for denormals by adding a float whose last bit is that of the result. */
#include "kernel.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/* Storage form may stand anywhere. */
typedef uint16_t loose __attribute__((aligned(1), may_alias));

LPI_INLINED float widen_f16(uint32_t half)
{
    uint32_t size = half & 0x7fff, sign = (half & 0x8000) << 16;
    uint32_t finite = lpi_bits_of(lpi_float_of(size << 13) * 0x1p112f);
    uint32_t special = size == 0x7c00 ? 0x7f800000 : 0x7fc00000;

    return lpi_float_of((size >= 0x7c00 ? special : finite) | sign);
}

LPI_INLINED uint32_t narrow_f16(float x)
{
    uint32_t bits = lpi_bits_of(x), size = bits & 0x7fffffff;
    uint32_t small = lpi_bits_of(lpi_float_of(size) + 0.5f) - 0x3f000000;
    uint32_t normal = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
    uint32_t finite = size < 0x38800000 ? small : normal;
    uint32_t code = size >= 0x477ff000 ? 0x7c00 : finite;

    return (size > 0x7f800000 ? 0x7e00 : code) | (bits >> 16 & 0x8000);
}

LPI_INLINED float widen_bf16(uint32_t half)
{
    uint32_t bits = half << 16;

    return lpi_float_of((bits & 0x7fffffff) > 0x7f800000
                            ? 0x7fc00000 | (bits & 0x80000000)
                            : bits);
}

LPI_INLINED uint32_t narrow_bf16(float x)
{
    uint32_t bits = lpi_bits_of(x), sign = bits >> 16 & 0x8000;
    uint32_t code = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;

    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 | sign : code;
}

/* The first numbers, as many as instructions take that convert; returns how
 * many.  NaN, whose bits these keep, loses them here as well. */
#if defined(__AVX512F__)
enum { WIDTH = 16, NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };

static __m512 without_payload(__m512 x)
{
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m512i sign = _mm512_set1_epi32((int)0x80000000);
    __m512i bits = _mm512_and_si512(_mm512_castps_si512(x), sign);

    bits = _mm512_or_si512(bits, _mm512_set1_epi32(0x7fc00000));
    return _mm512_mask_mov_ps(x, nan, _mm512_castsi512_ps(bits));
}

static int64_t widen_some(int64_t count, const uint16_t *from, float *to)
{
    int64_t at = 0;

    for (; at + WIDTH <= count; at += WIDTH) {
        __m256i halves = _mm256_loadu_si256((const __m256i *)(from + at));

        _mm512_storeu_ps(to + at, without_payload(_mm512_cvtph_ps(halves)));
    }
    return at;
}

static int64_t narrow_some(int64_t count, const float *from, uint16_t *to)
{
    int64_t at = 0;

    for (; at + WIDTH <= count; at += WIDTH) {
        __m512 x = without_payload(_mm512_loadu_ps(from + at));

        _mm256_storeu_si256((__m256i *)(to + at), _mm512_cvtps_ph(x, NEAREST));
    }
    return at;
}
#else
static int64_t widen_some(int64_t count, const uint16_t *from, float *to)
{
    (void)count;
    (void)from;
    (void)to;
    return 0;
}

static int64_t narrow_some(int64_t count, const float *from, uint16_t *to)
{
    (void)count;
    (void)from;
    (void)to;
    return 0;
}
#endif

void LPI_OF_SET(lpi_from_f16)(int64_t count, const uint16_t *from, float *to)
{
    const loose *at = (const loose *)from;
    int64_t done = widen_some(count, from, to);

#pragma omp simd
    for (int64_t i = done; i < count; i++)
        to[i] = widen_f16(at[i]);
}

void LPI_OF_SET(lpi_to_f16)(int64_t count, const float *from, uint16_t *to)
{
    loose *at = (loose *)to;
    int64_t done = narrow_some(count, from, to);

#pragma omp simd
    for (int64_t i = done; i < count; i++)
        at[i] = (uint16_t)narrow_f16(from[i]);
}

void LPI_OF_SET(lpi_from_bf16)(int64_t count, const uint16_t *from, float *to)
{
    const loose *at = (const loose *)from;

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = widen_bf16(at[i]);
}

void LPI_OF_SET(lpi_to_bf16)(int64_t count, const float *from, uint16_t *to)
{
    loose *at = (loose *)to;

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        at[i] = (uint16_t)narrow_bf16(from[i]);
}
