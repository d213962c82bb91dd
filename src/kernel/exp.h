/* exp.h: the exponential of one number, for loops that the compiler makes
 * vectors of: without branches, the fused multiply-adds spelled out, so that a
 * number gives the same bytes whatever its place and the instruction set.
 *
 * Arguments are reduced as in Cody and Waite, "Software Manual for the
 * Elementary Functions"; the polynomials are minimax fits in relative error.
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_EXP_H
#define LPI_KERNEL_EXP_H

#include <math.h>

/* Adding it rounds a float below 2^22 to an integer in its low bits; the other
 * adds 64 to that integer, too. */
#define LPI_ROUNDER    0x1.8p23f
#define LPI_ROUNDER_64 (LPI_ROUNDER + 64)

/* e^x = 2^power (1 + rest), |log(1 + rest)| <= log(2) / 2; the power in the
 * low 9 bits. */
typedef struct lpi_powers {
    uint32_t power;
    float rest;
} lpi_powers;

/* The bits of 89 and of -105. */
#define LPI_EXP_MOST  0x42b20000
#define LPI_EXP_LEAST 0xc2d20000u

/* x within -105 and 89 by its bits, where negative numbers stand behind the
 * others when they are taken as unsigned; NaN becomes a number. */
LPI_INLINED float lpi_exp_clamp(float x)
{
    int32_t bits = (int32_t)lpi_bits_of(x);
    uint32_t kept = (uint32_t)(bits < LPI_EXP_MOST ? bits : LPI_EXP_MOST);

    return lpi_float_of(kept < LPI_EXP_LEAST ? kept : LPI_EXP_LEAST);
}

LPI_INLINED lpi_powers lpi_powers_of(float x)
{
    float clamped = lpi_exp_clamp(x),
          shifted = fmaf(clamped, 0x1.715476p0f, LPI_ROUNDER);
    float n = shifted - LPI_ROUNDER, r = fmaf(n, -0x1.62e43p-1f, clamped);
    uint32_t power = lpi_bits_of(shifted);
    float p = 1.9907737441826612e-4f;

    r = fmaf(n, 0x1.05c610p-29f, r);
    p = fmaf(p, r, 1.3933753361925483e-3f);
    p = fmaf(p, r, 8.333285339176655e-3f);
    p = fmaf(p, r, 4.1666463017463684e-2f);
    p = fmaf(p, r, 0.1666666716337204f);
    p = fmaf(p, r, 0.5f);
    return (lpi_powers){power, fmaf(p * r, r, r)};
}

/* 2^power, whose low 9 bits count, for normal numbers. */
LPI_INLINED float lpi_two_to(uint32_t power)
{
    return lpi_float_of((power << 23) + 0x3f800000);
}

/* e^x of x within -105 and 89: 2^(n + 64) 2^f, f = x / log(2) - n, |f| <= 1/2,
 * as the bits of 2^f with n + 64 added to the exponent. */
LPI_INLINED uint32_t lpi_power_bits(float x)
{
    float shifted = fmaf(x, 0x1.715476p0f, LPI_ROUNDER_64);
    float n = shifted - LPI_ROUNDER_64, f = fmaf(x, 0x1.715476p0f, -n);
    float p = 1.5328824520111084e-4f;

    f = fmaf(x, 0x1.4ae0c0p-26f, f);
    p = fmaf(p, f, 1.3390976237133145e-3f);
    p = fmaf(p, f, 9.618500247597694e-3f);
    p = fmaf(p, f, 5.550359562039375e-2f);
    p = fmaf(p, f, 0.24022647738456726f);
    p = fmaf(p, f, 0.6931471824645996f);
    p = fmaf(p, f, 1.0f);
    return lpi_bits_of(p) + (lpi_bits_of(shifted) << 23);
}

/* e^x; NaN stays.  A factor, 2^-64 where x is negative, else 2^64, takes part
 * of the power, so that nothing overflows before the end and results below
 * 2^-126 are rounded once. */
LPI_INLINED float lpi_exp_of(float x)
{
    uint32_t side = lpi_bits_of(x) >> 1 & 0x40000000;
    uint32_t scale = 0x5f800000 ^ side;
    float y =
        lpi_float_of(lpi_power_bits(lpi_exp_clamp(x)) + 0x1f800000 - scale) *
        lpi_float_of(scale);

    return x != x ? x : y;
}

/* The same bytes for x <= 0, and NaN with its sign set becomes 0; any other NaN
 * gives anything. */
LPI_INLINED float lpi_exp_below(float x)
{
    uint32_t bits = lpi_bits_of(x);
    float least = lpi_float_of(bits < LPI_EXP_LEAST ? bits : LPI_EXP_LEAST);

    return lpi_float_of(lpi_power_bits(least)) * 0x1p-64f;
}

/* e^x - 1, for x of any sign. */
LPI_INLINED float lpi_expm1_of(float x)
{
    lpi_powers e = lpi_powers_of(x);
    int32_t power = (int32_t)(e.power - lpi_bits_of(LPI_ROUNDER));
    int32_t high = power > 64 ? power - 64 : 0;
    int32_t low = power < -64 ? -64 : power - high;
    float y =
        fmaf(lpi_two_to((uint32_t)low), e.rest, lpi_two_to((uint32_t)low) - 1) *
        lpi_two_to((uint32_t)high);

    return x == 0 || x != x ? x : y;
}

#endif
