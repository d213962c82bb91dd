/* reductions.c: the reductions along axes: Reduce*.
 *
 * Prices (n elements into m): Sum n-m add; Mean + m div; Prod n-m mul; Max, Min
 * n-m cmp; L1 n + n-m add; L2 n mul, n-m add, m sqrt; SumSquare n mul, n-m add;
 * LogSum n-m add, m log; LogSumExp n exp, n-m add, m log.
 *
 * Max and Min give NaN when an element is NaN; of no elements they give the end
 * of the range of the dtype.  Source: ONNX operators Reduce* of opset 18, 20
 * and 28. */
#include <math.h>

#include "../ops.h"

static const lpi_spec reduce_specs[] = {
    LPI_SPEC_INT(lpi_reduce, keepdims, 1),
    LPI_SPEC_INT(lpi_reduce, noop_with_empty_axes, 0),
    {0},
};

static double real_sum(double sum, double x)
{
    return sum + x;
}

static int64_t sint_sum(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (uint64_t)x);
}

static uint64_t uint_sum(uint64_t sum, uint64_t x)
{
    return sum + x;
}

static double real_abs(double sum, double x)
{
    return sum + fabs(x);
}

static int64_t sint_abs(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (x < 0 ? 0 - (uint64_t)x : (uint64_t)x));
}

static double real_square(double sum, double x)
{
    return sum + x * x;
}

static int64_t sint_square(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (uint64_t)x * (uint64_t)x);
}

static uint64_t uint_square(uint64_t sum, uint64_t x)
{
    return sum + x * x;
}

static double real_product(double sum, double x)
{
    return sum * x;
}

static int64_t sint_product(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum * (uint64_t)x);
}

static uint64_t uint_product(uint64_t sum, uint64_t x)
{
    return sum * x;
}

static double real_max(double sum, double x)
{
    return sum != sum || sum > x ? sum : x;
}

static int64_t sint_max(int64_t sum, int64_t x)
{
    return sum > x ? sum : x;
}

static uint64_t uint_max(uint64_t sum, uint64_t x)
{
    return sum > x ? sum : x;
}

static double real_min(double sum, double x)
{
    return sum != sum || sum < x ? sum : x;
}

static int64_t sint_min(int64_t sum, int64_t x)
{
    return sum < x ? sum : x;
}

static uint64_t uint_min(uint64_t sum, uint64_t x)
{
    return sum < x ? sum : x;
}

static double real_exp(double sum, double x)
{
    return sum + exp(x);
}

static double finish_mean(double sum, double count)
{
    return sum / count;
}

static double finish_root(double sum, double count)
{
    (void)count;
    return sqrt(sum);
}

static double finish_log(double sum, double count)
{
    (void)count;
    return log(sum);
}

/* What all rows have; "opset" is the one in which axes became an operand. */
#define ROW(op, opset, ...)                                                    \
    .domain = "", .name = op, .since = 1, .inputs_min = 1, .inputs_max = 2,    \
    .outputs_min = 1, .outputs_max = 1, .roles = "di",                         \
    .params_size = sizeof(lpi_reduce), .specs = reduce_specs,                  \
    .facts = &(const lpi_chain){.operand_since = (opset), __VA_ARGS__},        \
    .settle = lpi_reduce_settle, .shape = lpi_reduce_shape,                    \
    .cost = lpi_reduce_cost, .run = lpi_reduce_run, .tile = lpi_reduce_tile,   \
    .samples = "input x: float32[2, 3, 4]; weight a: int64[2] = {0, -1}; "     \
               "y = " op "(x, a) {keepdims: 0}; output y\n---\n"               \
               "input x: float32[2, 3]; y = " op                               \
               "(x) {noop_with_empty_axes: 1}; output y\n---\n"                \
               "opset 11; input x: float32[2, 3]; "                            \
               "y = " op "(x) {axes: [1]}; output y"

#define ELEMENT(kind) .element = {{[kind] = 1}}
#define JOINT(kind)   .joint = {{[kind] = 1}}
#define RESULT(kind)  .result = {{[kind] = 1}}

/* "stem" ends the names of the functions of a row. */
#define CHAIN(stem)                                                            \
    .real = real_##stem, .sint = sint_##stem, .uint = uint_##stem

const lp_op lpi_ops_reductions[] = {
    {ROW("ReduceSum", 13, CHAIN(sum), JOINT(LP_ADD),
         .lanes = 1 + LPI_REDUCE_SUM, .goes_on = true),
     .flags = LPI_MONOTONE | LPI_CHAINS},
    {ROW("ReduceMean", 18, CHAIN(sum), .lanes = 1 + LPI_REDUCE_SUM,
         JOINT(LP_ADD), RESULT(LP_DIV), .finish = finish_mean, .mean = true)},
    {ROW("ReduceProd", 18, CHAIN(product), .lanes = 1 + LPI_REDUCE_PROD,
         JOINT(LP_MUL), .start = LPI_FROM_ONE),
     .flags = LPI_MONOTONE},
    {ROW("ReduceMax", 18, CHAIN(max), .lanes = 1 + LPI_REDUCE_MAX,
         JOINT(LP_CMP), .start = LPI_FROM_LOWEST),
     .flags = LPI_MONOTONE},
    {ROW("ReduceMin", 18, CHAIN(min), .lanes = 1 + LPI_REDUCE_MIN,
         JOINT(LP_CMP), .start = LPI_FROM_HIGHEST),
     .flags = LPI_MONOTONE},
    {ROW("ReduceL1", 18, .lanes = 1 + LPI_REDUCE_SUM_ABS, .real = real_abs,
         .sint = sint_abs, .uint = uint_sum, ELEMENT(LP_ADD), JOINT(LP_ADD))},
    {ROW("ReduceL2", 18, .lanes = 1 + LPI_REDUCE_SUM_SQUARES, CHAIN(square),
         ELEMENT(LP_MUL), JOINT(LP_ADD), RESULT(LP_SQRT),
         .finish = finish_root)},
    {ROW("ReduceSumSquare", 18, .lanes = 1 + LPI_REDUCE_SUM_SQUARES,
         CHAIN(square), ELEMENT(LP_MUL), JOINT(LP_ADD))},
    {ROW("ReduceLogSum", 18, CHAIN(sum), .lanes = 1 + LPI_REDUCE_SUM,
         JOINT(LP_ADD), RESULT(LP_LOG), .finish = finish_log)},
    {ROW("ReduceLogSumExp", 18, .real = real_exp, ELEMENT(LP_EXP),
         JOINT(LP_ADD), RESULT(LP_LOG), .finish = finish_log, .shifted = true)},
    {0},
};
