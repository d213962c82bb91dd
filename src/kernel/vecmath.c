/* vecmath.c: exp, log, erf, tanh, sin and their kin over arrays, compiled once
 * for each instruction set.
 *
 * Every function is written for one number, without branches, with the fused
 * multiply-adds spelled out; the compiler makes vectors of the loops, so that
 * a number gives the same bytes whatever its place and the set.  Arguments are
 * reduced as in Cody and Waite, "Software Manual for the Elementary
 * Functions"; the polynomials are minimax fits in relative error. */
#include <math.h>
#include <string.h>

#include "kernel.h"

LPI_INLINED float copy_sign(float size, float sign)
{
    return lpi_float_of((lpi_bits_of(size) & 0x7fffffff) |
                        (lpi_bits_of(sign) & 0x80000000));
}

/* The logarithm of x = 2^n m, m in [sqrt(1/2), sqrt(2)). */
LPI_INLINED float log_of(float x)
{
    bool small = x < 0x1p-126f;
    float scaled = small ? x * 0x1p23f : x;
    uint32_t bits = lpi_bits_of(scaled) - 0x3f3504f3;
    float n = (float)((int32_t)bits >> 23) - (small ? 23.0f : 0.0f);
    float f = lpi_float_of((bits & 0x7fffff) + 0x3f3504f3) - 1;
    float p = 6.915503740310669e-2f, square = f * f, y;

    p = fmaf(p, f, -0.11789960414171219f);
    p = fmaf(p, f, 0.11872997134923935f);
    p = fmaf(p, f, -0.123843252658844f);
    p = fmaf(p, f, 0.14218652248382568f);
    p = fmaf(p, f, -0.16669252514839172f);
    p = fmaf(p, f, 0.20002226531505585f);
    p = fmaf(p, f, -0.24999986588954926f);
    p = fmaf(p, f, 0.3333331048488617f);
    y = fmaf(n, -2.12194440e-4f, p * f * square);
    y = fmaf(-0.5f, square, y) + f;
    y = fmaf(n, 0.693359375f, y);
    y = x > 0x1.fffffep127f ? x : y;
    y = x == 0 ? -(float)INFINITY : y;
    return x >= 0 ? y : x < 0 ? (float)NAN : x;
}

/* erf(x) for |x| <= 1. */
LPI_INLINED float erf_near(float x)
{
    float u = x * x, p = 7.853860734030604e-05f;

    p = fmaf(p, u, -8.010193705558777e-4f);
    p = fmaf(p, u, 5.188327748328447e-3f);
    p = fmaf(p, u, -2.6853812858462334e-2f);
    p = fmaf(p, u, 0.1128358542919159f);
    p = fmaf(p, u, -0.3761262595653534f);
    return fmaf(p * u, x, 1.1283791065216064f * x);
}

/* erfc(x + rest) for x >= 1: e^(-x^2), the square with its rounding error,
 * times a polynomial of 1 / (1 + 0.4 x). */
LPI_INLINED float erfc_far(float size, float rest)
{
    float x = size > 11.0f ? 11.0f : size;
    float square = x * x;
    float low = -fmaf(2 * x, rest, fmaf(x, x, -square));
    float t = 1 / fmaf(0.4f, x, 1.0f), p = 6.377718597650528e-2f, e;

    p = fmaf(p, t, -0.23454786837100983f);
    p = fmaf(p, t, 0.2515900433063507f);
    p = fmaf(p, t, -7.716376334428787e-2f);
    p = fmaf(p, t, 0.17807164788246155f);
    p = fmaf(p, t, 0.15725615620613098f);
    p = fmaf(p, t, 0.20987951755523682f);
    p = fmaf(p, t, 0.22547216713428497f);
    p = fmaf(p, t, 0.2256838083267212f);
    e = lpi_exp_below(-square);
    return p * t * fmaf(e, low, e);
}

LPI_INLINED float erf_of(float x)
{
    float size = lpi_float_of(lpi_bits_of(x) & 0x7fffffff);
    float far = copy_sign(1 - erfc_far(size, 0), x);

    return size > 1 ? far : erf_near(x);
}

LPI_INLINED float tanh_of(float x)
{
    float size = lpi_float_of(lpi_bits_of(x) & 0x7fffffff);
    float u = x * x, p = 2.2995625622570515e-3f, e = lpi_exp_below(-2 * size);
    float far = copy_sign((1 - e) / (1 + e), x);

    p = fmaf(p, u, -8.350673131644726e-3f);
    p = fmaf(p, u, 2.1771254017949104e-2f);
    p = fmaf(p, u, -5.3959593176841736e-2f);
    p = fmaf(p, u, 0.13333305716514587f);
    p = fmaf(p, u, -0.3333333432674408f);
    return size > 0.625f ? far : fmaf(p * u, x, x);
}

/* 1 / (1 + e^-x), from the side on which nothing overflows; NaN becomes 1. */
LPI_INLINED float sigmoid_number(float x)
{
    float e = lpi_exp_below(-lpi_float_of(lpi_bits_of(x) & 0x7fffffff));

    return (x < 0 ? e : 1.0f) / (1 + e);
}

LPI_INLINED float sigmoid_of(float x)
{
    float y = sigmoid_number(x);

    return x != x ? x : y;
}

/* log(1 + e^x) = max(x, 0) + log1p(e^-|x|); where 1 + e rounds, the error it
 * makes is put back in (Kahan). */
LPI_INLINED float softplus_of(float x)
{
    float e = lpi_exp_below(-lpi_float_of(lpi_bits_of(x) & 0x7fffffff));
    float one = 1 + e, rest = e - (one - 1);
    float y = log_of(one) + rest / one;

    return (x <= 0 ? 0.0f : x) + y;
}

/* x Phi(x); where x is far from 0 through erfc, which keeps small values. */
LPI_INLINED float gelu_of(float x)
{
    float t = x * 0x1.6a09e6p-1f;
    float size = lpi_float_of(lpi_bits_of(t) & 0x7fffffff);
    float low = fmaf(x, 0x1.9fcef4p-27f, fmaf(x, 0x1.6a09e6p-1f, -t));
    float rest = size > 11 ? 0.0f : x < 0 ? -low : low;
    float far = 0.5f * erfc_far(size, rest);
    float near = fmaf(0.5f, erf_near(t), 0.5f);
    float phi = size > 1 ? (x < 0 ? far : 1 - far) : near;

    return x * phi;
}

/* x (1 + tanh(z)) / 2 = x / (1 + e^-2z). */
LPI_INLINED float gelu_tanh_of(float x)
{
    float z = x * fmaf(x * x, 0x1.2444f2p-4f, 0x1.988454p0f);

    return x * sigmoid_number(z);
}

/* sin(x + quarter * pi / 2) for |x| <= 1e5. */
LPI_INLINED float sine_of(float x, uint32_t quarter)
{
    float shifted = fmaf(x, 0x1.45f306p-1f, LPI_ROUNDER);
    float n = shifted - LPI_ROUNDER;
    uint32_t turn = lpi_bits_of(shifted) + quarter;
    float r = fmaf(n, -0x1.921fb6p0f, x), u, s, c, y;

    r = fmaf(n, 0x1.777a5cp-25f, r);
    r = fmaf(n, 0x1.ee59dap-50f, r);
    u = r * r;
    s = fmaf(u, 2.7254650376562495e-6f, -1.984013943001628e-4f);
    s = fmaf(s, u, 8.333331905305386e-3f);
    s = fmaf(s, u, -0.1666666716337204f);
    s = fmaf(s * u, r, r);
    c = fmaf(u, -2.7820487957797013e-7f, 2.4805174689390697e-05f);
    c = fmaf(c, u, -1.3888897374272346e-3f);
    c = fmaf(c, u, 4.16666679084301e-2f);
    c = fmaf(c, u, -0.5f);
    c = fmaf(c, u, 1.0f);
    y = turn & 1 ? c : s;
    return turn & 2 ? -y : y;
}

/* Above this in size libm takes over. */
static const float reducible = 1e5f;

static void sines(int64_t count, const float *from, float *to, uint32_t quarter)
{
    enum { BLOCK = 256 };
    float kept[BLOCK];

    for (int64_t at = 0; at < count; at += BLOCK) {
        int64_t some = count - at < BLOCK ? count - at : BLOCK;
        int32_t large = 0;

        memcpy(kept, from + at, (size_t)some * sizeof(*kept));
#pragma omp simd reduction(| : large)
        for (int64_t i = 0; i < some; i++) {
            to[at + i] = sine_of(kept[i], quarter);
            large |= !(kept[i] <= reducible && kept[i] >= -reducible);
        }
        for (int64_t i = 0; i < some && large; i++)
            if (!(kept[i] <= reducible && kept[i] >= -reducible))
                to[at + i] = quarter ? cosf(kept[i]) : sinf(kept[i]);
    }
}

static void run_sin(int64_t count, const float *from, float *to)
{
    sines(count, from, to, 0);
}

static void run_cos(int64_t count, const float *from, float *to)
{
    sines(count, from, to, 1);
}

#define UNARY(name, value)                                                     \
    static void run_##name(int64_t count, const float *from, float *to)        \
    {                                                                          \
        _Pragma("omp simd") for (int64_t i = 0; i < count; i++)                \
        {                                                                      \
            float x = from[i];                                                 \
            to[i] = (value);                                                   \
        }                                                                      \
    }

UNARY(exp, lpi_exp_of(x))
UNARY(log, log_of(x))
UNARY(erf, erf_of(x))
UNARY(tanh, tanh_of(x))
UNARY(sigmoid, sigmoid_of(x))
UNARY(silu, x *sigmoid_number(x))
UNARY(gelu, gelu_of(x))
UNARY(gelu_tanh, gelu_tanh_of(x))
UNARY(softplus, softplus_of(x))
UNARY(relu, x < 0 ? 0.0f : x)
UNARY(sqrt, sqrtf(x))
UNARY(reciprocal, 1 / x)
UNARY(neg, -x)
UNARY(abs, lpi_float_of(lpi_bits_of(x) & 0x7fffffff))
UNARY(square, x *x)

void LPI_OF_SET(lpi_elu_loop)(int64_t count, const float *from,
                              const float *params, float *to)
{
    float alpha = params[0], unit = params[1], scale = params[2];

#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float x = from[i], low = alpha * lpi_expm1_of(x / unit);

        to[i] = scale * (x < 0 ? low : x);
    }
}

const lpi_unary_loop LPI_OF_SET(lpi_unary_loops)[LPI_UNARIES] = {
    [LPI_UNARY_EXP] = run_exp,
    [LPI_UNARY_LOG] = run_log,
    [LPI_UNARY_ERF] = run_erf,
    [LPI_UNARY_TANH] = run_tanh,
    [LPI_UNARY_SIGMOID] = run_sigmoid,
    [LPI_UNARY_SILU] = run_silu,
    [LPI_UNARY_GELU] = run_gelu,
    [LPI_UNARY_GELU_TANH] = run_gelu_tanh,
    [LPI_UNARY_SIN] = run_sin,
    [LPI_UNARY_COS] = run_cos,
    [LPI_UNARY_SOFTPLUS] = run_softplus,
    [LPI_UNARY_RELU] = run_relu,
    [LPI_UNARY_SQRT] = run_sqrt,
    [LPI_UNARY_RECIPROCAL] = run_reciprocal,
    [LPI_UNARY_NEG] = run_neg,
    [LPI_UNARY_ABS] = run_abs,
    [LPI_UNARY_SQUARE] = run_square,
};
