/* pointwise.h: rows that compute one element at a time.
 *
 * A row gives one function for each kind of number and its operands broadcast.
 * "x" has one value of each operand, "params" is the row's struct.  Floats of
 * all widths are computed in double and rounded once; integers wrap.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_POINTWISE_H
#define LPI_OPS_POINTWISE_H

/* ---- pointwise.c, fast.c ----------------------------------------------- */

typedef struct lpi_pointwise {
    double (*real)(const double *x, const void *params);
    double (*libm)(double x); /* instead of "real": one operand, no params */
    int64_t (*sint)(const int64_t *x, const void *params);
    uint64_t (*uint)(const uint64_t *x, const void *params);
    lpi_each each;   /* arithmetic of an element of the output */
    bool to_bool;    /* the output is bool, whatever the operands are */
    bool mixed;      /* the operands may have different dtypes */
    bool aligned;    /* the struct begins with an lpi_align */
    bool optional;   /* operands 1 and 2 may be absent */
    int8_t typed_by; /* the operand that gives its dtype to the output */
    /* float32, float16 and bfloat16 are computed in float32, by a loop of the
     * kernel: its number and 1, */
    int8_t unary, binary;
    /* or by this function: "step[k]" is 0 where operand k is one value. */
    void (*floats)(const lpi_isa *isa, int64_t count, const float *const *x,
                   const int64_t *step, float *to, const void *params);
} lpi_pointwise;

/* How the second operand broadcast before opset 7: its first axis falls on
 * axis "axis" of the first operand; LPI_UNALIGNED: on the last, as today. */
typedef struct lpi_align {
    int64_t axis, broadcast;
} lpi_align;

#define LPI_UNALIGNED INT64_MIN

/* Hooks of such rows; lpi_align_settle for those with an lpi_align. */
lp_status lpi_align_settle(lpi_node *node);
lp_status lpi_pointwise_shape(lpi_node *node);
void lpi_pointwise_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_pointwise_run(const lpi_run *run);

/* What lpi_pointwise_apply does where lpi_pointwise_is_fast says so. */
typedef struct lpi_operand lpi_operand;
bool lpi_pointwise_is_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                           const lpi_operand *operands, int32_t count);
lp_status lpi_pointwise_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                             const lpi_operand *operands, int32_t count,
                             const int64_t *const *strides);

/* Operands of lpi_pointwise_apply; bytes NULL: absent, the lowest value of all
 * for operand 1, the highest for operand 2 (Clip). */
struct lpi_operand {
    lp_dtype dtype;
    lp_shape shape;
    const void *bytes;
};

/* Fill output 0 of "run" with what "pointwise" makes of "count" operands
 * (three at most), which broadcast to its shape. */
lp_status lpi_pointwise_apply(const lpi_run *run,
                              const lpi_pointwise *pointwise,
                              const lpi_operand *operands, int32_t count);

/* ---- curves.c: functions for lpi_pointwise.floats ----------------------- */

/* Attributes of activations; each row's specs name its own. */
typedef struct lpi_curve {
    lpi_align align; /* PRelu */
    float alpha, beta, gamma, bias, lambd;
} lpi_curve;

#define LPI_FLOATS(stem)                                                       \
    void lpi_floats_##stem(const lpi_isa *isa, int64_t count,                  \
                           const float *const *x, const int64_t *step,         \
                           float *to, const void *params)
LPI_FLOATS(leaky);
LPI_FLOATS(prelu);
LPI_FLOATS(thresholded);
LPI_FLOATS(hard_swish);
LPI_FLOATS(hard_sigmoid);
LPI_FLOATS(softsign);
LPI_FLOATS(clip);
LPI_FLOATS(elu);
LPI_FLOATS(selu);
LPI_FLOATS(celu);
LPI_FLOATS(where);
LPI_FLOATS(swish);
LPI_FLOATS(swiglu);
LPI_FLOATS(mish);
LPI_FLOATS(equal);
LPI_FLOATS(less);
LPI_FLOATS(greater);
LPI_FLOATS(less_or_equal);
LPI_FLOATS(greater_or_equal);

/* ---- strings.c --------------------------------------------------------- */

/* The run of Equal, of texts. */
lp_status lpi_texts_equal_run(const lpi_run *run);

#endif
