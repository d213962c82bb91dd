/* arith.c: element-wise arithmetic over arrays, compiled once for each
 * instruction set.
 *
 * Results may overwrite an operand element by element; the loops say so to the
 * compiler, which makes vectors of them. */
#include <math.h>
#include <string.h>

#include "kernel.h"

/* Powers that need no logarithm are products or roots, by the exponent of the
 * element alone; the rest is libm's. */
static float power(float x, float y)
{
    if (y == 2)
        return x * x;
    if (y == 1)
        return x;
    if (y == 3)
        return x * x * x;
    if (y == -1)
        return 1 / x;
    if (y == 0.5f && x > 0)
        return sqrtf(x);
    return powf(x, y);
}

LPI_INLINED float larger(float a, float b)
{
    return a >= b || a != a ? a : b;
}

LPI_INLINED float smaller(float a, float b)
{
    return a <= b || a != a ? a : b;
}

#define LOOP(left, right, value)                                               \
    _Pragma("omp simd") for (int64_t i = 0; i < count; i++)                    \
    {                                                                          \
        float x = left, y = right;                                             \
        to[i] = value;                                                         \
    }

#define BINARY(name, value)                                                    \
    static void run_##name(int64_t count, const float *a, int64_t a_step,      \
                           const float *b, int64_t b_step, float *to)          \
    {                                                                          \
        float first = count ? *a : 0, second = count ? *b : 0;                 \
                                                                               \
        if (a_step && b_step)                                                  \
            LOOP(a[i], b[i], value)                                            \
        else if (a_step)                                                       \
            LOOP(a[i], second, value)                                          \
        else if (b_step)                                                       \
            LOOP(first, b[i], value)                                           \
        else                                                                   \
            LOOP(first, second, value)                                         \
    }

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY(max, larger(x, y))
BINARY(min, smaller(x, y))

static void run_pow(int64_t count, const float *a, int64_t a_step,
                    const float *b, int64_t b_step, float *to)
{
    if (b_step == 0 && count && *b == 2 && a_step)
        run_mul(count, a, 1, a, 1, to);
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = power(a[i * a_step], b[i * b_step]);
}

const lpi_binary_loop LPI_OF_SET(lpi_binary_loops)[LPI_BINARIES] = {
    [LPI_BINARY_ADD] = run_add, [LPI_BINARY_SUB] = run_sub,
    [LPI_BINARY_MUL] = run_mul, [LPI_BINARY_DIV] = run_div,
    [LPI_BINARY_MAX] = run_max, [LPI_BINARY_MIN] = run_min,
    [LPI_BINARY_POW] = run_pow,
};

/* "x" within "low" and "high", NaN as it is. */
LPI_INLINED float within(float x, float low, float high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

#define SHAPED(name, value)                                                    \
    static void shape_##name(int64_t count, const float *from,                 \
                             const float *params, float *to)                   \
    {                                                                          \
        float p = params[0], q = params[1];                                    \
                                                                               \
        _Pragma("omp simd") for (int64_t i = 0; i < count; i++)                \
        {                                                                      \
            float x = from[i];                                                 \
            to[i] = value;                                                     \
        }                                                                      \
        (void)p;                                                               \
        (void)q;                                                               \
    }

SHAPED(leaky, x < 0 ? p * x : x)
SHAPED(threshold, x <= p ? 0 : x)
SHAPED(hard_sigmoid, within(p *x + q, 0, 1))
SHAPED(hard_swish, x *within(x / 6 + 0.5f, 0, 1))
SHAPED(softsign, x / (1 + (x < 0 ? -x : x)))
SHAPED(clip, within(x, p, q))

const lpi_shaped_loop LPI_OF_SET(lpi_shaped_loops)[LPI_SHAPES] = {
    [LPI_SHAPED_LEAKY] = shape_leaky,
    [LPI_SHAPED_THRESHOLD] = shape_threshold,
    [LPI_SHAPED_HARD_SIGMOID] = shape_hard_sigmoid,
    [LPI_SHAPED_HARD_SWISH] = shape_hard_swish,
    [LPI_SHAPED_SOFTSIGN] = shape_softsign,
    [LPI_SHAPED_CLIP] = shape_clip,
    [LPI_SHAPED_ELU] = LPI_OF_SET(lpi_elu_loop),
};

/* "x", 0 if it is NaN, rounded half to even and moved by "zero", within the
 * bytes from "least" on; |x| below 2^22 after it was kept in range. */
LPI_INLINED uint8_t byte_of(float x, float zero, float least)
{
    const float magic = 0x1.8p23f;
    uint32_t known = -(uint32_t)(x == x);

    x = lpi_float_of(lpi_bits_of(x) & known);
    x = within(x, least - zero, least + 255 - zero);
    return (uint8_t)(int32_t)((x + magic) - magic + zero);
}

enum { BYTES_AT_ONCE = 64 };

/* With one factor for all, and with one (and a zero point) each. */
#define BYTES(name, type, value)                                               \
    LPI_INLINED void name##_some(const lpi_to_bytes *how, const type *from,    \
                                 uint8_t *to)                                  \
    {                                                                          \
        float least = how->is_signed ? -128 : 0;                               \
        float factor = *how->factor, zero = how->zero ? *how->zero : 0;        \
                                                                               \
        _Pragma("omp simd") for (int i = 0; i < BYTES_AT_ONCE; i++)            \
        {                                                                      \
            float x = (float)from[i];                                          \
            to[i] = byte_of(value, zero, least);                               \
        }                                                                      \
    }                                                                          \
                                                                               \
    static void name##_one(const lpi_to_bytes *how, int64_t count,             \
                           const type *from, uint8_t *to)                      \
    {                                                                          \
        type rest[BYTES_AT_ONCE] = {0};                                        \
        uint8_t bytes[BYTES_AT_ONCE];                                          \
        int64_t i = 0;                                                         \
                                                                               \
        for (; i + BYTES_AT_ONCE <= count; i += BYTES_AT_ONCE)                 \
            name##_some(how, from + i, to + i);                                \
        if (i == count)                                                        \
            return;                                                            \
        memcpy(rest, from + i, (size_t)(count - i) * sizeof(type));            \
        name##_some(how, rest, bytes);                                         \
        memcpy(to + i, bytes, (size_t)(count - i));                            \
    }                                                                          \
                                                                               \
    LPI_INLINED void name##_moved(const lpi_to_bytes *how, int64_t count,      \
                                  const type *from, bool moves, uint8_t *to)   \
    {                                                                          \
        const float *factors = how->factor, *zeros = how->zero;                \
        float least = how->is_signed ? -128 : 0;                               \
                                                                               \
        _Pragma("omp simd") for (int64_t i = 0; i < count; i++)                \
        {                                                                      \
            float x = (float)from[i], factor = factors[i];                     \
            to[i] = byte_of(value, moves ? zeros[i] : 0, least);               \
        }                                                                      \
    }                                                                          \
                                                                               \
    static void name##_each(const lpi_to_bytes *how, int64_t count,            \
                            const type *from, uint8_t *to)                     \
    {                                                                          \
        if (how->zero)                                                         \
            name##_moved(how, count, from, true, to);                          \
        else                                                                   \
            name##_moved(how, count, from, false, to);                         \
    }

BYTES(divided, float, x / factor)
BYTES(scaled, int32_t, x *factor)

void LPI_OF_SET(lpi_bytes_of_floats)(const lpi_to_bytes *how, int64_t count,
                                     const float *from, uint8_t *to)
{
    (how->step ? divided_each : divided_one)(how, count, from, to);
}

void LPI_OF_SET(lpi_bytes_of_sums)(const lpi_to_bytes *how, int64_t count,
                                   const int32_t *from, uint8_t *to)
{
    (how->step ? scaled_each : scaled_one)(how, count, from, to);
}

void LPI_OF_SET(lpi_axpy)(int64_t count, float a, const float *b, float *to)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = fmaf(a, b[i], to[i]);
}

void LPI_OF_SET(lpi_halve)(int64_t count, const float *from, float *even,
                           float *odd)
{
#pragma omp simd
    for (int64_t i = 0; i < count / 2; i++) {
        even[i] = from[2 * i];
        odd[i] = from[2 * i + 1];
    }
    if (count % 2)
        even[count / 2] = from[count - 1];
}

void LPI_OF_SET(lpi_affine_loop)(int64_t count, const float *from, float scale,
                                 float shift, float *to)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = fmaf(from[i], scale, shift);
}

void LPI_OF_SET(lpi_normalise)(int64_t count, const float *from,
                               const float *of, const float *scale,
                               const float *shift, float *to)
{
    float mean = of[0], inverse = of[1];

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = fmaf((from[i] - mean) * inverse, scale[i], shift[i]);
}

void LPI_OF_SET(lpi_normalise_plane)(int64_t count, const float *from,
                                     const float *of, float *to)
{
    float mean = of[0], inverse = of[1], scale = of[2], shift = of[3];

#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = fmaf((from[i] - mean) * inverse, scale, shift);
}
