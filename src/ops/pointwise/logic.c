/* logic.c: comparisons, logic, and bits of two operands.
 *
 * A comparison with NaN is false.  Source: ONNX operators, newest versions;
 * before opset 7 the attributes broadcast and axis align the second operand. */
#include <string.h>

#include "../ops.h"

static double real_equal(const double *x, const void *params)
{
    (void)params;
    return x[0] == x[1];
}

static int64_t sint_equal(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] == x[1];
}

static uint64_t uint_equal(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] == x[1];
}

static double real_less(const double *x, const void *params)
{
    (void)params;
    return x[0] < x[1];
}

static int64_t sint_less(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] < x[1];
}

static uint64_t uint_less(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] < x[1];
}

static double real_greater(const double *x, const void *params)
{
    (void)params;
    return x[0] > x[1];
}

static int64_t sint_greater(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] > x[1];
}

static uint64_t uint_greater(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] > x[1];
}

static double real_less_or_equal(const double *x, const void *params)
{
    (void)params;
    return x[0] <= x[1];
}

static int64_t sint_less_or_equal(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] <= x[1];
}

static uint64_t uint_less_or_equal(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] <= x[1];
}

static double real_greater_or_equal(const double *x, const void *params)
{
    (void)params;
    return x[0] >= x[1];
}

static int64_t sint_greater_or_equal(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] >= x[1];
}

static uint64_t uint_greater_or_equal(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] >= x[1];
}

static int64_t sint_and(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] & x[1];
}

static uint64_t uint_and(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] & x[1];
}

static int64_t sint_or(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] | x[1];
}

static uint64_t uint_or(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] | x[1];
}

static int64_t sint_xor(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] ^ x[1];
}

static uint64_t uint_xor(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] ^ x[1];
}

typedef struct shift {
    const char *direction;
    bool right; /* set by settle */
} shift;

static lp_status shift_settle(lpi_node *node)
{
    shift *p = (shift *)node->params;

    p->right = strcmp(p->direction, "RIGHT") == 0;
    if (!p->right && strcmp(p->direction, "LEFT") != 0)
        return lpi_node_fail(node, "direction is '%.40s'", p->direction);
    return LP_OK;
}

/* Shifts by more than the width leave what the sign alone gives. */
static uint64_t uint_shift(const uint64_t *x, const void *params)
{
    if (x[1] > 63)
        return 0;
    return ((const shift *)params)->right ? x[0] >> x[1] : x[0] << x[1];
}

static int64_t sint_shift(const int64_t *x, const void *params)
{
    if (x[1] < 0 || x[1] > 63)
        return ((const shift *)params)->right && x[0] < 0 ? -1 : 0;
    if (((const shift *)params)->right)
        return x[0] < 0 ? ~(~x[0] >> x[1]) : x[0] >> x[1];
    return (int64_t)((uint64_t)x[0] << x[1]);
}

static const lpi_spec align_specs[] = {
    LPI_SPEC_INT(lpi_align, axis, LPI_UNALIGNED),
    LPI_SPEC_INT(lpi_align, broadcast, 0),
    {0},
};

static const lpi_spec shift_specs[] = {
    LPI_SPEC_NEEDED(shift, direction, LPI_ATTR_STRING),
    {0},
};

/* What all rows have. */
#define ROW(op, opset)                                                         \
    .domain = "", .name = op, .since = (opset), .inputs_min = 2,               \
    .inputs_max = 2, .outputs_min = 1, .outputs_max = 1,                       \
    .shape = lpi_pointwise_shape, .cost = lpi_pointwise_cost,                  \
    .run = lpi_pointwise_run, .tile = lpi_pointwise_tile

#define ALIGN                                                                  \
    .params_size = sizeof(lpi_align), .specs = align_specs,                    \
    .settle = lpi_align_settle

#define FACTS(...)                                                             \
    .facts = &(const lpi_pointwise)                                            \
    {                                                                          \
        .each = {{[LP_CMP] = 1}}, __VA_ARGS__                                  \
    }

/* "stem" ends the names of the functions of a row. */
#define COMPARE(stem)                                                          \
    .real = real_##stem, .sint = sint_##stem, .uint = uint_##stem,             \
    .floats = lpi_floats_##stem, .to_bool = true
#define BITS(stem) .sint = sint_##stem, .uint = uint_##stem

#define SAMPLE(op, type)                                                       \
    "input a: " type "[2, 1, 3]; input b: " type "[4, 3]; "                    \
    "y = " op "(a, b); output y"

#define OLD_SAMPLE(op, type)                                                   \
    SAMPLE(op, type)                                                           \
    "\n---\nopset 6; input a: " type "[2, 3, 4]; input b: " type "[3]; "       \
    "y = " op "(a, b) {broadcast: 1, axis: 1}; output y"

const lp_op lpi_ops_logic[] = {
    {ROW("Equal", 1), .operands = "T*,T*", ALIGN, .flags = LPI_BUNDLES,
     FACTS(COMPARE(equal), .aligned = true),
     .samples = OLD_SAMPLE("Equal", "int32")},
    {ROW("Less", 1), .operands = "T*,T*", ALIGN,
     FACTS(COMPARE(less), .aligned = true),
     .samples = OLD_SAMPLE("Less", "float32")},
    {ROW("Greater", 1), .operands = "T*,T*", ALIGN,
     FACTS(COMPARE(greater), .aligned = true),
     .samples = OLD_SAMPLE("Greater", "float32")},
    {ROW("LessOrEqual", 12), .operands = "T*,T*", FACTS(COMPARE(less_or_equal)),
     .samples = SAMPLE("LessOrEqual", "float16")},
    {ROW("GreaterOrEqual", 12), .operands = "T*,T*",
     FACTS(COMPARE(greater_or_equal)),
     .samples = SAMPLE("GreaterOrEqual", "uint64")},
    {ROW("And", 1), .operands = "T*,T*", ALIGN,
     FACTS(BITS(and), .aligned = true), .samples = OLD_SAMPLE("And", "bool")},
    {ROW("Or", 1), .operands = "T*,T*", ALIGN, FACTS(BITS(or), .aligned = true),
     .samples = OLD_SAMPLE("Or", "bool")},
    {ROW("Xor", 1), .operands = "T*,T*", ALIGN,
     FACTS(BITS(xor), .aligned = true), .samples = OLD_SAMPLE("Xor", "bool")},
    {ROW("BitwiseAnd", 18), .operands = "T*,T*", FACTS(BITS(and)),
     .samples = SAMPLE("BitwiseAnd", "uint8")},
    {ROW("BitwiseOr", 18), .operands = "T*,T*", FACTS(BITS(or)),
     .samples = SAMPLE("BitwiseOr", "int16")},
    {ROW("BitwiseXor", 18), .operands = "T*,T*", FACTS(BITS(xor)),
     .samples = SAMPLE("BitwiseXor", "uint64")},
    {ROW("BitShift", 11), .operands = "T*,T*", .params_size = sizeof(shift),
     .specs = shift_specs, .settle = shift_settle, FACTS(BITS(shift)),
     .samples = "input a: uint8[4]; input b: uint8[4]; "
                "y = BitShift(a, b) {direction: \"LEFT\"}; output y"},
    {0},
};
