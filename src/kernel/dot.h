/* dot.h: vectors of integer products, as each instruction set has them.
 *
 * With VNNI four products of an unsigned and a signed byte are added to an
 * int32 at once; else two products of int16.  Neither saturates, so all sets
 * are exact.
 *
 * A part of kernel.h, which includes it where LPI_DOTS is defined: in dot.c. */
#ifndef LPI_KERNEL_DOT_H
#define LPI_KERNEL_DOT_H

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The tile; lanes of a vector. */
#if defined(__AVX512BW__)
enum { LPI_DOT_ROWS = 8, LPI_DOT_VECTORS = 3, LPI_DOT_LANES = 16 };
#elif defined(__AVX2__)
enum { LPI_DOT_ROWS = 6, LPI_DOT_VECTORS = 2, LPI_DOT_LANES = 8 };
#else
enum { LPI_DOT_ROWS = 4, LPI_DOT_VECTORS = 2, LPI_DOT_LANES = 4 };
#endif

/* Elements of a group of k, and their bytes; bytes that a vector takes in. */
#if defined(__AVX512VNNI__)
enum { LPI_DOT_GROUP = 4 };
#else
enum { LPI_DOT_GROUP = 2 };
#endif
enum {
    LPI_DOT_SIZE = 4 / LPI_DOT_GROUP,
    LPI_DOT_BYTES = LPI_DOT_GROUP * LPI_DOT_LANES
};

typedef uint32_t lpi_dot_vector __attribute__((vector_size(LPI_DOT_LANES * 4)));
typedef uint32_t lpi_dot_loose
    __attribute__((vector_size(LPI_DOT_LANES * 4), aligned(4), may_alias));
typedef uint16_t lpi_dot_halves __attribute__((vector_size(LPI_DOT_LANES * 4)));
typedef uint8_t lpi_dot_bytes __attribute__((vector_size(LPI_DOT_BYTES)));
typedef uint8_t lpi_dot_piece __attribute__((vector_size(LPI_DOT_LANES)));
typedef int8_t lpi_dot_signed_piece __attribute__((vector_size(LPI_DOT_LANES)));

/* "sum" and the products of the groups of "a" and "b"; bytes of "a" are
 * unsigned, of "b" signed.  The instruction of VNNI is written out: gcc 12
 * moves each sum to and fro around its builtin. */
LPI_INLINED lpi_dot_vector lpi_dot(lpi_dot_vector sum, lpi_dot_vector a,
                                   lpi_dot_vector b)
{
#if defined(__AVX512VNNI__)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
#elif defined(__AVX512BW__)
    return sum + (lpi_dot_vector)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (lpi_dot_vector)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (lpi_dot_vector)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    for (int i = 0; i < LPI_DOT_LANES; i++)
        sum[i] += (uint32_t)((int16_t)a[i] * (int16_t)b[i]) +
                  (uint32_t)(((int32_t)a[i] >> 16) * ((int32_t)b[i] >> 16));
    return sum;
#endif
}

/* Groups of LPI_DOT_LANES bytes at each of "at", flipped where they stay bytes
 * (else "flip" is 0). */
LPI_INLINED lpi_dot_vector lpi_woven(const uint8_t *const at[LPI_DOT_GROUP],
                                     uint8_t flip, bool is_signed)
{
#if defined(__AVX512VNNI__)
    const __m512i turn =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i order = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const void *)at[0]));

    (void)is_signed;
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const void *)at[1]), 1);
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const void *)at[2]), 2);
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const void *)at[3]), 3);
    x = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(turn, x), order);
    return (lpi_dot_vector)_mm512_xor_si512(x, _mm512_set1_epi8((char)flip));
#elif defined(__AVX512BW__)
    __m128i a = _mm_loadu_si128((const void *)at[0]);
    __m128i b = _mm_loadu_si128((const void *)at[1]);
    __m256i x =
        _mm256_set_m128i(_mm_unpackhi_epi8(a, b), _mm_unpacklo_epi8(a, b));

    (void)flip;
    return (lpi_dot_vector)(is_signed ? _mm512_cvtepi8_epi16(x)
                                      : _mm512_cvtepu8_epi16(x));
#elif defined(__AVX2__)
    __m128i x = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)at[0]),
                                  _mm_loadl_epi64((const void *)at[1]));

    (void)flip;
    return (lpi_dot_vector)(is_signed ? _mm256_cvtepi8_epi16(x)
                                      : _mm256_cvtepu8_epi16(x));
#elif defined(__SSE2__)
    int32_t low, high;
    __m128i x, none = _mm_setzero_si128();

    (void)flip;
    memcpy(&low, at[0], sizeof(low));
    memcpy(&high, at[1], sizeof(high));
    x = _mm_unpacklo_epi8(_mm_cvtsi32_si128(low), _mm_cvtsi32_si128(high));
    return (lpi_dot_vector)(is_signed
                                ? _mm_srai_epi16(_mm_unpacklo_epi8(none, x), 8)
                                : _mm_unpacklo_epi8(x, none));
#else
    lpi_dot_piece low, high;
    lpi_dot_vector a, b;

    memcpy(&low, at[0], sizeof(low));
    memcpy(&high, at[1], sizeof(high));
    (void)flip;
    if (is_signed) {
        a = __builtin_convertvector((lpi_dot_signed_piece)low, lpi_dot_vector);
        b = __builtin_convertvector((lpi_dot_signed_piece)high, lpi_dot_vector);
    } else {
        a = __builtin_convertvector(low, lpi_dot_vector);
        b = __builtin_convertvector(high, lpi_dot_vector);
    }
    return (a & 0xffff) | b << 16;
#endif
}

/* LPI_DOT_BYTES bytes at "from" as groups, flipped. */
LPI_INLINED lpi_dot_vector lpi_widened(const uint8_t *from, uint8_t flip,
                                       bool is_signed)
{
    lpi_dot_bytes x;

    memcpy(&x, from, sizeof(x));
    x ^= flip;
#if defined(__AVX512VNNI__)
    (void)is_signed;
    return (lpi_dot_vector)x;
#elif defined(__AVX512BW__)
    return (lpi_dot_vector)(is_signed ? _mm512_cvtepi8_epi16((__m256i)x)
                                      : _mm512_cvtepu8_epi16((__m256i)x));
#elif defined(__AVX2__)
    return (lpi_dot_vector)(is_signed ? _mm256_cvtepi8_epi16((__m128i)x)
                                      : _mm256_cvtepu8_epi16((__m128i)x));
#else
    lpi_dot_halves wide = __builtin_convertvector(x, lpi_dot_halves);

    return (lpi_dot_vector)(is_signed ? (wide ^ 0x80) - 0x80 : wide);
#endif
}

/* "sum" and the sums of the groups of "x". */
LPI_INLINED lpi_dot_vector lpi_dot_count(lpi_dot_vector sum, lpi_dot_vector x,
                                         bool is_signed)
{
    lpi_dot_vector ones = (lpi_dot_vector){0} +
                          (LPI_DOT_SIZE == 1 ? 0x01010101 : 0x00010001);

    return is_signed ? lpi_dot(sum, ones, x) : lpi_dot(sum, x, ones);
}

#endif
