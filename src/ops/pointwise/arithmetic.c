/* arithmetic.c: arithmetic of two operands.
 *
 * Integers wrap.  What ONNX leaves undefined has one result: an integer divided
 * by 0 is 0, and so is the remainder; an integer power that is no integer is
 * truncated toward zero.  Source: ONNX operators, newest versions; before opset
 * 7 the attributes broadcast and axis align the second operand. */
#include <math.h>

#include "../ops.h"

static double real_add(const double *x, const void *params)
{
    (void)params;
    return x[0] + x[1];
}

static uint64_t uint_add(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] + x[1];
}

static int64_t sint_add(const int64_t *x, const void *params)
{
    (void)params;
    return (int64_t)((uint64_t)x[0] + (uint64_t)x[1]);
}

static double real_sub(const double *x, const void *params)
{
    (void)params;
    return x[0] - x[1];
}

static uint64_t uint_sub(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] - x[1];
}

static int64_t sint_sub(const int64_t *x, const void *params)
{
    (void)params;
    return (int64_t)((uint64_t)x[0] - (uint64_t)x[1]);
}

static double real_mul(const double *x, const void *params)
{
    (void)params;
    return x[0] * x[1];
}

static uint64_t uint_mul(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] * x[1];
}

static int64_t sint_mul(const int64_t *x, const void *params)
{
    (void)params;
    return (int64_t)((uint64_t)x[0] * (uint64_t)x[1]);
}

static double real_div(const double *x, const void *params)
{
    (void)params;
    return x[0] / x[1];
}

static uint64_t uint_div(const uint64_t *x, const void *params)
{
    (void)params;
    return x[1] ? x[0] / x[1] : 0;
}

static int64_t sint_div(const int64_t *x, const void *params)
{
    (void)params;
    if (x[1] == -1)
        return (int64_t)(0 - (uint64_t)x[0]);
    return x[1] ? x[0] / x[1] : 0;
}

static double real_pow(const double *x, const void *params)
{
    (void)params;
    return pow(x[0], x[1]);
}

static uint64_t uint_pow(const uint64_t *x, const void *params)
{
    uint64_t result = 1, base = x[0], exponent;

    (void)params;
    for (exponent = x[1]; exponent; exponent >>= 1) {
        if (exponent & 1)
            result *= base;
        base *= base;
    }
    return result;
}

static int64_t sint_pow(const int64_t *x, const void *params)
{
    uint64_t pair[] = {(uint64_t)x[0], (uint64_t)x[1]};

    if (x[1] >= 0)
        return (int64_t)uint_pow(pair, params);
    if (x[0] == 1 || x[0] == -1)
        return x[1] % 2 ? x[0] : 1;
    return 0;
}

typedef struct mod {
    int64_t fmod;
} mod;

static double real_mod(const double *x, const void *params)
{
    double rest = fmod(x[0], x[1]);

    if (((const mod *)params)->fmod)
        return rest;
    if (rest == 0)
        return copysign(0, x[1]);
    return (rest < 0) != (x[1] < 0) ? rest + x[1] : rest;
}

static int64_t sint_mod(const int64_t *x, const void *params)
{
    int64_t rest = x[1] && x[1] != -1 ? x[0] % x[1] : 0;

    if (((const mod *)params)->fmod)
        return rest;
    return rest && (rest < 0) != (x[1] < 0) ? rest + x[1] : rest;
}

static uint64_t uint_mod(const uint64_t *x, const void *params)
{
    (void)params;
    return x[1] ? x[0] % x[1] : 0;
}

static const lpi_spec align_specs[] = {
    LPI_SPEC_INT(lpi_align, axis, LPI_UNALIGNED),
    LPI_SPEC_INT(lpi_align, broadcast, 0),
    {0},
};

static const lpi_spec mod_specs[] = {LPI_SPEC_INT(mod, fmod, 0), {0}};

/* What all rows have. */
#define ROW(op, opset)                                                         \
    .domain = "", .name = op, .since = (opset), .inputs_min = 2,               \
    .inputs_max = 2, .outputs_min = 1, .outputs_max = 1,                       \
    .shape = lpi_pointwise_shape, .cost = lpi_pointwise_cost,                  \
    .run = lpi_pointwise_run, .tile = lpi_pointwise_tile

/* A row with an lpi_align; "stem" ends the names of its functions. */
#define ALIGNED(op, stem, kind, loop)                                          \
    ROW(op, 1), .params_size = sizeof(lpi_align), .specs = align_specs,        \
                .settle = lpi_align_settle, .facts = &(const lpi_pointwise)    \
    {                                                                          \
        .real = real_##stem, .sint = sint_##stem, .uint = uint_##stem,         \
        .each = {{[kind] = 1}}, .aligned = true, .binary = 1 + (loop)          \
    }

#define SAMPLE(op)                                                             \
    "input a: float32[2, 1, 3]; input b: float32[4, 3]; "                      \
    "y = " op "(a, b); output y\n---\n"                                        \
    "input a: int32[2, 3]; weight b: int32[] = {3}; "                          \
    "y = " op "(a, b); output y"

#define OLD_SAMPLE(op)                                                         \
    SAMPLE(op)                                                                 \
    "\n---\nopset 6; input a: float32[2, 3, 4]; weight b: float32[3]; "        \
    "y = " op "(a, b) {broadcast: 1, axis: 1}; output y"

const lp_op lpi_ops_arithmetic[] = {
    {ALIGNED("Add", add, LP_ADD, LPI_BINARY_ADD), .operands = "T*,T*",
     .flags = LPI_MONOTONE, .samples = OLD_SAMPLE("Add")},
    {ALIGNED("Sub", sub, LP_ADD, LPI_BINARY_SUB), .operands = "T*,T*",
     .samples = OLD_SAMPLE("Sub")},
    {ALIGNED("Mul", mul, LP_MUL, LPI_BINARY_MUL), .operands = "T*,T*",
     .flags = LPI_MONOTONE, .samples = OLD_SAMPLE("Mul")},
    {ALIGNED("Div", div, LP_DIV, LPI_BINARY_DIV), .operands = "T*,T*",
     .samples = OLD_SAMPLE("Div")},
    {ROW("Pow", 1), .params_size = sizeof(lpi_align), .specs = align_specs,
     .settle = lpi_align_settle,
     .facts = &(const lpi_pointwise){.real = real_pow,
                                     .sint = sint_pow,
                                     .uint = uint_pow,
                                     .binary = 1 + LPI_BINARY_POW,
                                     .each = {{[LP_SQRT] = 1}},
                                     .mixed = true,
                                     .aligned = true},
     .samples = OLD_SAMPLE("Pow")},
    {ROW("Mod", 10), .operands = "T*,T*", .params_size = sizeof(mod),
     .specs = mod_specs,
     .facts = &(const lpi_pointwise){.real = real_mod,
                                     .sint = sint_mod,
                                     .uint = uint_mod,
                                     .each = {{[LP_DIV] = 1}}},
     .samples = SAMPLE("Mod") "\n---\n"
                              "input a: float32[3]; input b: float32[3]; "
                              "y = Mod(a, b) {fmod: 1}; output y"},
    {0},
};
