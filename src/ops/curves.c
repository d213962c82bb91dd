/* curves.c: activation functions of floats, block by block.
 *
 * Exponentials are those of the kernel; each function is one stated sequence
 * of float operations, the same in every place where it is computed.  An
 * output may lie where operand 0 lies. */
#include <string.h>

#include "ops.h"

enum { BLOCK = 512 };

/* The body of a function of "x[0][i * step[0]]": an expression in "v". */
#define EACH_FLOAT(expression)                                                 \
    for (int64_t i = 0; i < count; i++) {                                      \
        float v = x[0][i * step[0]];                                           \
                                                                               \
        to[i] = (expression);                                                  \
    }                                                                          \
    (void)isa;                                                                 \
    (void)params

/* "v" kept within 0 and 1, NaN as it is. */
static float unit(float v)
{
    v = v < 0 ? 0 : v;
    return v > 1 ? 1 : v;
}

void lpi_floats_leaky(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha;

    EACH_FLOAT(v < 0 ? alpha * v : v);
}

void lpi_floats_prelu(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    EACH_FLOAT(v < 0 ? x[1][i * step[1]] * v : v);
}

void lpi_floats_thresholded(const lpi_isa *isa, int64_t count,
                            const float *const *x, const int64_t *step,
                            float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha;

    EACH_FLOAT(v <= alpha ? 0 : v);
}

void lpi_floats_hard_swish(const lpi_isa *isa, int64_t count,
                           const float *const *x, const int64_t *step,
                           float *to, const void *params)
{
    EACH_FLOAT(v * unit(v / 6 + 0.5f));
}

void lpi_floats_hard_sigmoid(const lpi_isa *isa, int64_t count,
                             const float *const *x, const int64_t *step,
                             float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha;
    float beta = ((const lpi_curve *)params)->beta;

    EACH_FLOAT(unit(alpha * v + beta));
}

void lpi_floats_softsign(const lpi_isa *isa, int64_t count,
                         const float *const *x, const int64_t *step, float *to,
                         const void *params)
{
    EACH_FLOAT(v / (1 + (v < 0 ? -v : v)));
}

void lpi_floats_clip(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    float low, high;

    if (count == 0)
        return;
    low = *x[1];
    high = *x[2];
    if (step[0] == 0) {
        EACH_FLOAT(v < low ? low : v > high ? high : v);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        float v = x[0][i];

        v = v < low ? low : v;
        to[i] = v > high ? high : v;
    }
}

void lpi_floats_where(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    (void)isa;
    (void)params;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits[2], mask = 0u - (x[0][i * step[0]] != 0);

        memcpy(&bits[0], &x[1][i * step[1]], sizeof(bits[0]));
        memcpy(&bits[1], &x[2][i * step[2]], sizeof(bits[1]));
        bits[0] = (bits[0] & mask) | (bits[1] & ~mask);
        memcpy(&to[i], &bits[0], sizeof(bits[0]));
    }
}

/* "loop" of a block of "x" times its factor, and the factor; in "to". */
static void swish(const lpi_isa *isa, int64_t count, const float *x,
                  int64_t step, float alpha, float *to)
{
    float inner[BLOCK];

    isa->binary[LPI_BINARY_MUL](count, x, step, &alpha, 0, inner);
    isa->unary[LPI_UNARY_SIGMOID](count, inner, inner);
    isa->binary[LPI_BINARY_MUL](count, x, step, inner, 1, to);
}

void lpi_floats_swish(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha;

    for (int64_t i = 0; i < count; i += BLOCK)
        swish(isa, count - i < BLOCK ? count - i : BLOCK, x[0] + i * step[0],
              step[0], alpha, to + i);
}

void lpi_floats_swiglu(const lpi_isa *isa, int64_t count, const float *const *x,
                       const int64_t *step, float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha, block[BLOCK];

    for (int64_t i = 0; i < count; i += BLOCK) {
        int64_t some = count - i < BLOCK ? count - i : BLOCK;

        swish(isa, some, x[0] + i * step[0], step[0], alpha, block);
        isa->binary[LPI_BINARY_MUL](some, block, 1, x[1] + i * step[1], step[1],
                                    to + i);
    }
}

void lpi_floats_mish(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    float inner[BLOCK];

    (void)params;
    for (int64_t i = 0; i < count; i += BLOCK) {
        int64_t some = count - i < BLOCK ? count - i : BLOCK;
        const float *from = x[0] + i * step[0];

        for (int64_t k = 0; k < some; k++)
            inner[k] = from[k * step[0]];
        isa->unary[LPI_UNARY_SOFTPLUS](some, inner, inner);
        isa->unary[LPI_UNARY_TANH](some, inner, inner);
        isa->binary[LPI_BINARY_MUL](some, from, step[0], inner, 1, to + i);
    }
}

void lpi_floats_equal(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    EACH_FLOAT(v == x[1][i * step[1]]);
}

void lpi_floats_less(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    EACH_FLOAT(v < x[1][i * step[1]]);
}

void lpi_floats_greater(const lpi_isa *isa, int64_t count,
                        const float *const *x, const int64_t *step, float *to,
                        const void *params)
{
    EACH_FLOAT(v > x[1][i * step[1]]);
}

void lpi_floats_less_or_equal(const lpi_isa *isa, int64_t count,
                              const float *const *x, const int64_t *step,
                              float *to, const void *params)
{
    EACH_FLOAT(v <= x[1][i * step[1]]);
}

void lpi_floats_greater_or_equal(const lpi_isa *isa, int64_t count,
                                 const float *const *x, const int64_t *step,
                                 float *to, const void *params)
{
    EACH_FLOAT(v >= x[1][i * step[1]]);
}
