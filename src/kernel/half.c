/* half.c: float16 and bfloat16 to float32 and back over arrays, compiled once
 * for each instruction set; the same bytes as the table in pack.c.
 *
 * A float16 is scaled by a power of two in float32, where its denormals are
 * normal numbers; the way back rounds to nearest even by an integer addition,
 * and for denormals by adding a float whose last bit is that of the result. */
#include "kernel.h"

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

void LPI_OF_SET(lpi_from_f16)(int64_t count, const uint16_t *from, float *to)
{
    const loose *at = (const loose *)from;

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = widen_f16(at[i]);
}

void LPI_OF_SET(lpi_to_f16)(int64_t count, const float *from, uint16_t *to)
{
    loose *at = (loose *)to;

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
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
