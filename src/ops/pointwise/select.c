/* select.c: choices between operands (Where, Clip), and Max, Min, Sum, Mean of
 * any number of them.
 *
 * Max and Min give NaN when an operand is NaN (numpy.maximum).  Those of many
 * operands are taken from left to right; each partial result is rounded to
 * the dtype.  Clip with a minimum above its maximum gives the maximum. */
#include "../ops.h"

static double real_where(const double *x, const void *params)
{
    (void)params;
    return x[0] != 0 ? x[1] : x[2];
}

static int64_t sint_where(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] ? x[1] : x[2];
}

static uint64_t uint_where(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] ? x[1] : x[2];
}

static double real_clip(const double *x, const void *params)
{
    double low = x[0] < x[1] ? x[1] : x[0];

    (void)params;
    return low > x[2] ? x[2] : low;
}

static int64_t sint_clip(const int64_t *x, const void *params)
{
    int64_t low = x[0] < x[1] ? x[1] : x[0];

    (void)params;
    return low > x[2] ? x[2] : low;
}

static uint64_t uint_clip(const uint64_t *x, const void *params)
{
    uint64_t low = x[0] < x[1] ? x[1] : x[0];

    (void)params;
    return low > x[2] ? x[2] : low;
}

static double real_max(const double *x, const void *params)
{
    (void)params;
    return x[0] != x[0] || x[0] > x[1] ? x[0] : x[1];
}

static int64_t sint_max(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] > x[1] ? x[0] : x[1];
}

static uint64_t uint_max(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] > x[1] ? x[0] : x[1];
}

static double real_min(const double *x, const void *params)
{
    (void)params;
    return x[0] != x[0] || x[0] < x[1] ? x[0] : x[1];
}

static int64_t sint_min(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] < x[1] ? x[0] : x[1];
}

static uint64_t uint_min(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0] < x[1] ? x[0] : x[1];
}

static double real_sum(const double *x, const void *params)
{
    (void)params;
    return x[0] + x[1];
}

static double real_quotient(const double *x, const void *params)
{
    (void)params;
    return x[0] / x[1];
}

static const lpi_pointwise quotient = {.real = real_quotient, .mixed = true};

/* Before opset 11 the limits are attributes; since 6 with defaults, the
 * largest finite floats, which limit infinities. */
static lp_status clip_settle(lpi_node *node)
{
    static const char *const names[] = {"min", "max"};
    static const float limits[] = {-0x1.fffffep127f, 0x1.fffffep127f};
    int32_t i;

    if (node->layer->version >= 11)
        return LP_OK;
    for (i = 0; i < 2; i++) {
        const lpi_attr *attr = lpi_node_attr(node, names[i]);
        float limit = attr && attr->kind == LPI_ATTR_FLOAT ? attr->f
                                                           : limits[i];

        if ((attr || node->layer->version >= 6) && !lpi_in(node, i + 1))
            LP_TRY(lpi_node_add_floats(node, i + 1, &limit, 1));
    }
    return LP_OK;
}

/* The limits are scalars (one element in the older forms). */
static lp_status clip_shape(lpi_node *node)
{
    int32_t i;

    for (i = 1; i < 3; i++) {
        int64_t count = lpi_shape_elements(lpi_in_shape(node, i));

        if (count >= 0 && count != 1)
            return lpi_node_fail(node, "limit %d has %lld elements", i,
                                 (long long)count);
    }
    return lpi_shape_as_first(node);
}

/* One comparison for each limit there is. */
static void clip_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t limits = (lpi_in(node, 1) != NULL) + (lpi_in(node, 2) != NULL);

    lpi_cost_arith(cost, LP_CMP, lpi_mul(limits, lpi_out_elements(node, 0)));
}

static lp_status clip_run(const lpi_run *run)
{
    lpi_operand operands[3] = {
        {lpi_in_dtype(run->node, 0), lpi_in_shape(run->node, 0), run->in[0]}};
    int32_t i;

    for (i = 1; i < run->node->layer->inputs_count; i++)
        operands[i] = (lpi_operand){.dtype = lpi_in_dtype(run->node, i),
                                    .bytes = run->in[i]};
    return lpi_pointwise_apply(run, run->node->layer->row->facts, operands, 3);
}

/* The arithmetic of all operands but the first; Mean divides once more. */
static void many_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_pointwise *pointwise = node->layer->row->facts;
    int64_t elements = lpi_out_elements(node, 0);

    lpi_cost_each(cost, &pointwise->each,
                  lpi_mul(elements, node->layer->inputs_count - 1));
}

static void mean_cost(const lpi_node *node, lp_cost *cost)
{
    many_cost(node, cost);
    lpi_cost_arith(cost, LP_DIV, lpi_out_elements(node, 0));
}

/* The first operand spread over the output: its minimum with itself. */
static lp_status spread_first(const lpi_run *run, const lpi_operand *first)
{
    static const lpi_pointwise same = {.real = real_min,
                                       .sint = sint_min,
                                       .uint = uint_min,
                                       .binary = 1 + LPI_BINARY_MIN};
    lpi_operand twice[2] = {*first, *first};

    return lpi_pointwise_apply(run, &same, twice, 2);
}

static lp_status many_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    const lp_tensor *out = lpi_out(node, 0);
    lpi_operand pair[2];
    int32_t i;

    for (i = 0; i < node->layer->inputs_count; i++) {
        pair[1].dtype = lpi_in_dtype(node, i);
        pair[1].shape = lpi_in_shape(node, i);
        pair[1].bytes = run->in[i];
        if (i == 0)
            LP_TRY(spread_first(run, &pair[1]));
        else
            LP_TRY(lpi_pointwise_apply(run, node->layer->row->facts, pair, 2));
        pair[0] = (lpi_operand){out->dtype, out->shape, run->out[0]};
    }
    return LP_OK;
}

static lp_status mean_run(const lpi_run *run)
{
    const lp_tensor *out = lpi_out(run->node, 0);
    double count = run->node->layer->inputs_count;
    lpi_operand pair[2] = {
        {out->dtype, out->shape, run->out[0]},
        {LP_FLOAT64, {0, NULL}, &count},
    };

    LP_TRY(many_run(run));
    return lpi_pointwise_apply(run, &quotient, pair, 2);
}

/* What rows of any number of operands have. */
#define MANY(op, ...)                                                          \
    .domain = "", .name = op, .since = 1, .inputs_min = 1, .inputs_max = -1,   \
    .outputs_min = 1, .outputs_max = 1, .shape = lpi_pointwise_shape,          \
    .facts = &(const lpi_pointwise){__VA_ARGS__},                              \
    .samples = "input a: float32[2, 1]; input b: float32[3]; "                 \
               "input c: float32[1]; y = " op "(a, b, c); output y\n---\n"     \
               "opset 7; input a: float32[2]; y = " op "(a); output y"

const lp_op lpi_ops_select[] = {
    {.domain = "",
     .name = "Where",
     .operands = "B*,T*,T*",
     .since = 9,
     .inputs_min = 3,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .facts = &(const lpi_pointwise){.real = real_where,
                                     .floats = lpi_floats_where,
                                     .sint = sint_where,
                                     .uint = uint_where,
                                     .each = {{[LP_CMP] = 1}},
                                     .mixed = true,
                                     .typed_by = 1},
     .shape = lpi_pointwise_shape,
     .cost = lpi_pointwise_cost,
     .run = lpi_pointwise_run,
     .tile = lpi_pointwise_tile,
     .samples = "input c: bool[2, 1]; input a: float32[2, 3]; "
                "weight b: float32[] = {0.5}; y = Where(c, a, b); output y"},
    {.domain = "",
     .name = "Clip",
     .operands = ".*,.!,.!",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .facts = &(const lpi_pointwise){.real = real_clip,
                                     .floats = lpi_floats_clip,
                                     .sint = sint_clip,
                                     .uint = uint_clip},
     .settle = clip_settle,
     .shape = clip_shape,
     .cost = clip_cost,
     .run = clip_run,
     .tile = lpi_pointwise_tile,
     .flags = LPI_MONOTONE | LPI_IN_PLACE,
     .samples = "input x: float32[2, 3]; weight low: float32[] = {0.0}; "
                "weight high: float32[] = {6.0}; y = Clip(x, low, high); "
                "output y\n---\n"
                "opset 6; input x: float32[2]; y = Clip(x) {max: 6.0}; "
                "output y\n---\n"
                "input x: int8[2]; weight high: int8[] = {6}; "
                "y = Clip(x, _, high); output y"},
    {MANY("Max", .real = real_max, .binary = 1 + LPI_BINARY_MAX,
          .sint = sint_max, .uint = uint_max, .each = {{[LP_CMP] = 1}}),
     .operands = "T*+", .cost = many_cost, .run = many_run,
     .tile = lpi_pointwise_tile, .flags = LPI_MONOTONE},
    {MANY("Min", .real = real_min, .binary = 1 + LPI_BINARY_MIN,
          .sint = sint_min, .uint = uint_min, .each = {{[LP_CMP] = 1}}),
     .operands = "T*+", .cost = many_cost, .run = many_run,
     .tile = lpi_pointwise_tile, .flags = LPI_MONOTONE},
    {MANY("Sum", .real = real_sum, .binary = 1 + LPI_BINARY_ADD,
          .each = {{[LP_ADD] = 1}}),
     .operands = "T*+", .cost = many_cost, .run = many_run,
     .tile = lpi_pointwise_tile, .flags = LPI_MONOTONE},
    {MANY("Mean", .real = real_sum, .binary = 1 + LPI_BINARY_ADD,
          .each = {{[LP_ADD] = 1}}),
     .operands = "T*+", .cost = mean_cost, .run = mean_run,
     .tile = lpi_pointwise_tile},
    {0},
};
