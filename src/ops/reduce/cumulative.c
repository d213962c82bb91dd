/* cumulative.c: running sums and products along an axis: CumSum, CumProd.
 *
 * A line is one ascending (descending when reversed) chain; floats are kept in
 * double and each result is rounded from it.  Source: ONNX operators CumSum-14,
 * CumProd-26. */
#include "../ops.h"

typedef struct cumulative {
    int64_t exclusive, reverse;
} cumulative;

static const lpi_spec cumulative_specs[] = {
    LPI_SPEC_INT(cumulative, exclusive, 0),
    LPI_SPEC_INT(cumulative, reverse, 0),
    {0},
};

/* What makes the two rows differ. */
typedef struct chain {
    bool product;
    lp_arith kind;
} chain;

static lp_status cumulative_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    lpi_list axes;
    int64_t axis;

    if (in.rank >= 0 && lpi_in_ints(node, 1, &axes) &&
        (axes.count != 1 || !lpi_axis(axes.ints[0], in.rank, &axis)))
        return lpi_node_fail(node, "axis is none of a tensor of rank %d",
                             in.rank);
    return lpi_shape_as_first(node);
}

/* One operation for each element; the first of a line is not spared, as the
 * length of the lines may not be known. */
static void cumulative_cost(const lpi_node *node, lp_cost *cost)
{
    const chain *facts = node->layer->row->facts;

    lpi_cost_arith(cost, facts->kind, lpi_out_elements(node, 0));
}

/* A number of one of the three kinds. */
typedef union number {
    double real;
    uint64_t bits;
} number;

static number combined(const chain *facts, bool real, number a, number b)
{
    if (real)
        a.real = facts->product ? a.real * b.real : a.real + b.real;
    else
        a.bits = facts->product ? a.bits * b.bits : a.bits + b.bits;
    return a;
}

/* The line of "length" elements "step" apart from "at" on. */
static void run_line(const lpi_run *run, int64_t at, int64_t step,
                     int64_t length)
{
    const chain *facts = run->node->layer->row->facts;
    bool exclusive = ((const cumulative *)run->node->params)->exclusive;
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lpi_class class = lpi_class_of(dtype);
    bool real = class == LPI_F32 || class == LPI_F64;
    lpi_class kind = real ? LPI_F64 : class;
    number total, x, next;
    uint64_t raw;
    int64_t i;

    if (real)
        total.real = facts->product ? 1 : 0;
    else
        total.bits = facts->product ? 1 : 0;
    for (i = 0; i < length; i++, at += step) {
        lpi_unpack(dtype, run->in[0], at, 1, &raw);
        lpi_convert(class, &raw, kind, &x, 1);
        next = combined(facts, real, total, x);
        lpi_convert(kind, exclusive ? &total : &next, class, &raw, 1);
        lpi_pack(dtype, &raw, at, 1, run->out[0]);
        total = next;
    }
}

static lp_status cumulative_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0);
    bool reverse = ((const cumulative *)run->node->params)->reverse;
    int64_t axis, outer, length, inner, line;
    lpi_list axes;

    LP_TRY(lpi_run_ints(run, 1, &axes));
    if (axes.count != 1 || !lpi_axis(axes.ints[0], in.rank, &axis))
        return lpi_node_fail(run->node, "axis is none of a tensor of rank %d",
                             in.rank);
    if (lpi_class_of(lpi_in_dtype(run->node, 0)) == LPI_NO_CLASS)
        return lpi_run_refuse(run, lpi_in_dtype(run->node, 0));
    outer = lpi_dims_product(in, 0, axis);
    inner = lpi_dims_product(in, axis + 1, in.rank);
    length = in.dims[axis];
    for (line = 0; line < outer * inner && length > 0; line++) {
        int64_t first = line / inner * length * inner + line % inner;

        run_line(run, first + (reverse ? (length - 1) * inner : 0),
                 reverse ? -inner : inner, length);
    }
    return LP_OK;
}

/* What both rows have. */
#define ROW(op, opset, ...)                                                    \
    .domain = "", .name = op, .since = (opset), .inputs_min = 2,               \
    .inputs_max = 2, .outputs_min = 1, .outputs_max = 1, .roles = "di",        \
    .params_size = sizeof(cumulative), .specs = cumulative_specs,              \
    .facts = &(const chain){__VA_ARGS__}, .shape = cumulative_shape,           \
    .cost = cumulative_cost, .run = cumulative_run,                            \
    .samples = "opset 26; input x: float32[2, 3]; "                            \
               "weight a: int64[] = {1}; y = " op                              \
               "(x, a) {exclusive: 1, reverse: 1}; output y"

const lp_op lpi_ops_cumulative[] = {
    {ROW("CumSum", 11, false, LP_ADD), .operands = ".*,.!"},
    {ROW("CumProd", 26, true, LP_MUL), .operands = ".*,.!"},
    {0},
};
