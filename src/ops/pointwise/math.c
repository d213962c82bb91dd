/* math.c: mathematical functions of one operand, and tests of one operand.
 *
 * Prices of an element (struct lpi_each): one operation of the kind of the
 * function.  Source: ONNX operators, newest versions. */
#include <math.h>

#include "../ops.h"

static double real_sign(const double *x, const void *params)
{
    (void)params;
    return *x != *x ? *x : (*x > 0) - (*x < 0);
}

static double real_reciprocal(const double *x, const void *params)
{
    (void)params;
    return 1 / *x;
}

static double real_negative(const double *x, const void *params)
{
    (void)params;
    return -*x;
}

static int64_t sint_negative(const int64_t *x, const void *params)
{
    (void)params;
    return (int64_t)(0 - (uint64_t)*x);
}

static int64_t sint_abs(const int64_t *x, const void *params)
{
    return *x < 0 ? sint_negative(x, params) : *x;
}

static uint64_t uint_same(const uint64_t *x, const void *params)
{
    (void)params;
    return *x;
}

static int64_t sint_sign(const int64_t *x, const void *params)
{
    (void)params;
    return (*x > 0) - (*x < 0);
}

static uint64_t uint_sign(const uint64_t *x, const void *params)
{
    (void)params;
    return *x > 0;
}

static int64_t sint_complement(const int64_t *x, const void *params)
{
    (void)params;
    return ~*x;
}

static uint64_t uint_complement(const uint64_t *x, const void *params)
{
    (void)params;
    return ~*x;
}

static int64_t sint_not(const int64_t *x, const void *params)
{
    (void)params;
    return !*x;
}

static double real_is_nan(const double *x, const void *params)
{
    (void)params;
    return *x != *x;
}

typedef struct is_inf {
    int64_t detect_negative, detect_positive;
} is_inf;

static double real_is_inf(const double *x, const void *params)
{
    const is_inf *p = params;

    return (p->detect_positive && *x == INFINITY) ||
           (p->detect_negative && *x == -INFINITY);
}

static const lpi_spec is_inf_specs[] = {
    LPI_SPEC_INT(is_inf, detect_negative, 1),
    LPI_SPEC_INT(is_inf, detect_positive, 1),
    {0},
};

/* A row without attributes; the rest are fields of its lpi_pointwise. */
#define ROW(op, opset, type, ...)                                              \
    {                                                                          \
        .domain = "", .name = op, .since = (opset), .inputs_min = 1,           \
        .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,                   \
        .facts = &(const lpi_pointwise){__VA_ARGS__},                          \
        .shape = lpi_pointwise_shape, .cost = lpi_pointwise_cost,              \
        .run = lpi_pointwise_run, .tile = lpi_pointwise_tile,                  \
        .samples = "input x: " type "[2, 3]; y = " op "(x); output y"          \
    }

#define EACH(kind, count) .each = {{[kind] = (count)}}

const lp_op lpi_ops_math[] = {
    ROW("Abs", 1, "int8", .unary = 1 + LPI_UNARY_ABS, .libm = fabs,
        .sint = sint_abs, .uint = uint_same, EACH(LP_ADD, 1)),
    ROW("Neg", 1, "float16", .unary = 1 + LPI_UNARY_NEG, .real = real_negative,
        .sint = sint_negative, EACH(LP_ADD, 1)),
    ROW("Sign", 9, "float32", .real = real_sign, .sint = sint_sign,
        .uint = uint_sign, EACH(LP_CMP, 2)),
    ROW("Ceil", 1, "float32", .libm = ceil, EACH(LP_ROUND, 1)),
    ROW("Floor", 1, "float32", .libm = floor, EACH(LP_ROUND, 1)),
    ROW("Round", 11, "float64", .libm = rint, EACH(LP_ROUND, 1)),
    ROW("Reciprocal", 1, "float32", .unary = 1 + LPI_UNARY_RECIPROCAL,
        .real = real_reciprocal, EACH(LP_DIV, 1)),
    ROW("Sqrt", 1, "float32", .unary = 1 + LPI_UNARY_SQRT, .libm = sqrt,
        EACH(LP_SQRT, 1)),
    ROW("Exp", 1, "float32", .unary = 1 + LPI_UNARY_EXP, .libm = exp,
        EACH(LP_EXP, 1)),
    ROW("Log", 1, "float32", .unary = 1 + LPI_UNARY_LOG, .libm = log,
        EACH(LP_LOG, 1)),
    ROW("Erf", 9, "float32", .unary = 1 + LPI_UNARY_ERF, .libm = erf,
        EACH(LP_EXP, 1)),
    ROW("Tanh", 1, "float32", .unary = 1 + LPI_UNARY_TANH, .libm = tanh,
        EACH(LP_EXP, 1)),
    ROW("Sin", 7, "float32", .unary = 1 + LPI_UNARY_SIN, .libm = sin,
        EACH(LP_TRIG, 1)),
    ROW("Cos", 7, "float32", .unary = 1 + LPI_UNARY_COS, .libm = cos,
        EACH(LP_TRIG, 1)),
    ROW("Tan", 7, "float32", .libm = tan, EACH(LP_TRIG, 1)),
    ROW("Asin", 7, "float32", .libm = asin, EACH(LP_TRIG, 1)),
    ROW("Acos", 7, "float32", .libm = acos, EACH(LP_TRIG, 1)),
    ROW("Atan", 7, "float32", .libm = atan, EACH(LP_TRIG, 1)),
    ROW("Sinh", 9, "float32", .libm = sinh, EACH(LP_TRIG, 1)),
    ROW("Cosh", 9, "float32", .libm = cosh, EACH(LP_TRIG, 1)),
    ROW("Asinh", 9, "float32", .libm = asinh, EACH(LP_TRIG, 1)),
    ROW("Acosh", 9, "float32", .libm = acosh, EACH(LP_TRIG, 1)),
    ROW("Atanh", 9, "float32", .libm = atanh, EACH(LP_TRIG, 1)),
    ROW("BitwiseNot", 18, "uint16", .sint = sint_complement,
        .uint = uint_complement, EACH(LP_CMP, 1)),
    ROW("Not", 1, "bool", .sint = sint_not, EACH(LP_CMP, 1)),
    ROW("IsNaN", 9, "float16", .real = real_is_nan, EACH(LP_CMP, 1),
        .to_bool = true),
    {.domain = "",
     .name = "IsInf",
     .since = 10,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(is_inf),
     .specs = is_inf_specs,
     .facts = &(const lpi_pointwise){.real = real_is_inf,
                                     EACH(LP_CMP, 2),
                                     .to_bool = true},
     .shape = lpi_pointwise_shape,
     .cost = lpi_pointwise_cost,
     .run = lpi_pointwise_run,
     .tile = lpi_pointwise_tile,
     .samples = "input x: float32[4]; y = IsInf(x) {detect_negative: 0}; "
                "output y"},
    {0},
};
