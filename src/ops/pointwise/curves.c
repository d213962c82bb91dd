/* curves.c: activation functions of floats, block by block.
 *
 * Exponentials are those of the kernel; each function is one stated sequence
 * of float operations, the same in every place where it is computed.  An
 * output may lie where operand 0 lies. */
#include <string.h>

#include "../ops.h"

enum { BLOCK = 512 };

/* "body" for each i; the result may lie where the operand lies. */
#define EACH(body)                                                             \
    _Pragma("omp simd") for (int64_t i = 0; i < count; i++)                    \
    {                                                                          \
        body;                                                                  \
    }

/* The body of a function of two operands: an expression in "v" and "w" whose
 * choices choose between numbers that are there, so that it becomes vectors. */
#define EACH_PAIR(expression)                                                  \
    const float *from = x[0], *other = x[1];                                   \
    float first = count > 0 ? *from : 0, second = count > 0 ? *other : 0;      \
                                                                               \
    if (step[0] && step[1])                                                    \
        EACH(float v = from[i]; float w = other[i]; to[i] = (expression))      \
    else if (step[0])                                                          \
        EACH(float v = from[i]; float w = second; to[i] = (expression))        \
    else if (step[1])                                                          \
        EACH(float v = first; float w = other[i]; to[i] = (expression))        \
    else                                                                       \
        EACH(float v = first; float w = second; to[i] = (expression))          \
    (void)isa;                                                                 \
    (void)params

/* "a" where "yes", else "b", both being computed. */
static inline float choose(bool yes, float a, float b)
{
    return yes ? a : b;
}

/* What "loop" makes of operand 0 with the parameters "of". */
static void shape(lpi_shaped_loop loop, int64_t count, const float *const *x,
                  const int64_t *step, const float *of, float *to)
{
    if (step[0])
        loop(count, x[0], of, to);
    for (int64_t i = 0; i < count && !step[0]; i++)
        loop(1, x[0], of, to + i);
}

void lpi_floats_leaky(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    const lpi_curve *p = params;
    const float of[] = {p->alpha, p->beta};

    shape(isa->shaped[LPI_SHAPED_LEAKY], count, x, step, of, to);
}

void lpi_floats_prelu(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    EACH_PAIR(choose(v < 0, w * v, v));
}

void lpi_floats_thresholded(const lpi_isa *isa, int64_t count,
                            const float *const *x, const int64_t *step,
                            float *to, const void *params)
{
    const lpi_curve *p = params;
    const float of[] = {p->alpha, p->beta};

    shape(isa->shaped[LPI_SHAPED_THRESHOLD], count, x, step, of, to);
}

void lpi_floats_hard_swish(const lpi_isa *isa, int64_t count,
                           const float *const *x, const int64_t *step,
                           float *to, const void *params)
{
    const float of[] = {0, 0};

    (void)params;
    shape(isa->shaped[LPI_SHAPED_HARD_SWISH], count, x, step, of, to);
}

void lpi_floats_hard_sigmoid(const lpi_isa *isa, int64_t count,
                             const float *const *x, const int64_t *step,
                             float *to, const void *params)
{
    const lpi_curve *p = params;
    const float of[] = {p->alpha, p->beta};

    shape(isa->shaped[LPI_SHAPED_HARD_SIGMOID], count, x, step, of, to);
}

void lpi_floats_softsign(const lpi_isa *isa, int64_t count,
                         const float *const *x, const int64_t *step, float *to,
                         const void *params)
{
    const float of[] = {0, 0};

    (void)params;
    shape(isa->shaped[LPI_SHAPED_SOFTSIGN], count, x, step, of, to);
}

void lpi_floats_clip(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    const float of[] = {count > 0 ? *x[1] : 0, count > 0 ? *x[2] : 0};

    (void)params;
    shape(isa->shaped[LPI_SHAPED_CLIP], count, x, step, of, to);
}

void lpi_floats_elu(const lpi_isa *isa, int64_t count, const float *const *x,
                    const int64_t *step, float *to, const void *params)
{
    const float of[] = {((const lpi_curve *)params)->alpha, 1, 1};

    shape(isa->shaped[LPI_SHAPED_ELU], count, x, step, of, to);
}

void lpi_floats_selu(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    const lpi_curve *p = params;
    const float of[] = {p->alpha, 1, p->gamma};

    shape(isa->shaped[LPI_SHAPED_ELU], count, x, step, of, to);
}

void lpi_floats_celu(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    float alpha = ((const lpi_curve *)params)->alpha;
    const float of[] = {alpha, alpha, 1};

    shape(isa->shaped[LPI_SHAPED_ELU], count, x, step, of, to);
}

/* "count" floats from "from" on, or the one there when "step" is 0. */
static void spread(int64_t count, const float *from, int64_t step, float *to)
{
    float first = *from;

    if (step == 1)
        memmove(to, from, (size_t)count * sizeof(*to));
    else
        EACH(to[i] = first)
}

void lpi_floats_where(const lpi_isa *isa, int64_t count, const float *const *x,
                      const int64_t *step, float *to, const void *params)
{
    const float *where = x[0], *a = x[1], *b = x[2];
    float of_a = count > 0 ? *a : 0, of_b = count > 0 ? *b : 0;

    (void)isa;
    (void)params;
    if (step[0] == 0 && count > 0) {
        const float *one = *where != 0 ? a : b;

        spread(count, one, step[*where != 0 ? 1 : 2], to);
    } else if (step[1] && step[2]) {
        EACH(to[i] = choose(where[i] != 0, a[i], b[i]))
    } else if (step[1]) {
        EACH(to[i] = choose(where[i] != 0, a[i], of_b))
    } else if (step[2]) {
        EACH(to[i] = choose(where[i] != 0, of_a, b[i]))
    } else {
        EACH(to[i] = choose(where[i] != 0, of_a, of_b))
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
    EACH_PAIR(choose(v == w, 1, 0));
}

void lpi_floats_less(const lpi_isa *isa, int64_t count, const float *const *x,
                     const int64_t *step, float *to, const void *params)
{
    EACH_PAIR(choose(v < w, 1, 0));
}

void lpi_floats_greater(const lpi_isa *isa, int64_t count,
                        const float *const *x, const int64_t *step, float *to,
                        const void *params)
{
    EACH_PAIR(choose(v > w, 1, 0));
}

void lpi_floats_less_or_equal(const lpi_isa *isa, int64_t count,
                              const float *const *x, const int64_t *step,
                              float *to, const void *params)
{
    EACH_PAIR(choose(v <= w, 1, 0));
}

void lpi_floats_greater_or_equal(const lpi_isa *isa, int64_t count,
                                 const float *const *x, const int64_t *step,
                                 float *to, const void *params)
{
    EACH_PAIR(choose(v >= w, 1, 0));
}
