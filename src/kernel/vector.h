/* vector.h: the widest vectors of an instruction set, and what their loops are
 * made of.  The multiply-add is named, not left to the compiler's contraction,
 * which comes and goes with its options.
 *
 * A part of kernel.h, which includes it where LPI_VECTORS is defined: in files
 * that are compiled once for each set. */
#ifndef LPI_KERNEL_VECTOR_H
#define LPI_KERNEL_VECTOR_H

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
enum { LPI_WIDTH = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { LPI_WIDTH = 8 };
#else
enum { LPI_WIDTH = 4 };
#endif

typedef float lpi_vector
    __attribute__((vector_size(LPI_WIDTH * sizeof(float))));
typedef float lpi_loose __attribute__((vector_size(LPI_WIDTH * sizeof(float)),
                                       aligned(4), may_alias));

typedef int32_t lpi_whole
    __attribute__((vector_size(LPI_WIDTH * sizeof(float))));

/* a * b + c, rounded once. */
LPI_INLINED lpi_vector lpi_fuse(lpi_vector a, lpi_vector b, lpi_vector c)
{
#if defined(__AVX512F__)
    return (lpi_vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__) && defined(__FMA__)
    return (lpi_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (lpi_vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a,
                                 (float32x4_t)b);
#else
    for (int i = 0; i < LPI_WIDTH; i++)
        c[i] = fmaf(a[i], b[i], c[i]);
    return c;
#endif
}

LPI_INLINED lpi_vector lpi_load(const float *at)
{
    return *(const lpi_loose *)at;
}

LPI_INLINED lpi_vector lpi_repeat(float x)
{
    return x - (lpi_vector){0};
}

#endif
