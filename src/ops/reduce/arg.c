/* arg.c: the position of the largest or smallest element: ArgMax, ArgMin.
 *
 * The first of equals, or the last when asked for; NaN is before everything
 * (numpy.argmax).  Source: ONNX operators ArgMax-13, ArgMin-13. */
#include "../ops.h"

typedef struct arg {
    int64_t axis, keepdims, select_last_index;
} arg;

static const lpi_spec arg_specs[] = {
    LPI_SPEC_INT(arg, axis, 0),
    LPI_SPEC_INT(arg, keepdims, 1),
    LPI_SPEC_INT(arg, select_last_index, 0),
    {0},
};

/* What makes the two rows differ. */
typedef struct order {
    bool largest;
} order;

static lp_status arg_shape(lpi_node *node)
{
    const arg *p = node->params;
    lp_shape in = lpi_in_shape(node, 0);
    int32_t rank = 0, i;
    int64_t axis, *dims;

    if (in.rank < 0)
        return lpi_out_set_shape(node, 0, LP_INT64, lpi_shape_unknown);
    if (!lpi_axis(p->axis, in.rank, &axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)p->axis, in.rank);
    dims = lpi_node_dims(node, in.rank);
    if (!dims)
        return lpi_node_fail_memory(node);
    for (i = 0; i < in.rank; i++)
        if (i != axis)
            dims[rank++] = in.dims[i];
        else if (p->keepdims)
            dims[rank++] = 1;
    return lpi_out_set(node, 0, LP_INT64, rank, dims);
}

static void arg_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t in = lpi_in_elements(node, 0), out = lpi_out_elements(node, 0);

    lpi_cost_arith(cost, LP_CMP, in > out ? in - out : 0);
}

typedef union number {
    double real;
    int64_t sint;
    uint64_t uint;
} number;

/* Whether "x" of "kind" comes before "best". */
static bool comes_first(lpi_class kind, bool largest, number x, number best)
{
    if (kind == LPI_F64)
        return best.real == best.real &&
               (x.real != x.real ||
                (largest ? x.real > best.real : x.real < best.real));
    if (kind == LPI_I64)
        return largest ? x.sint > best.sint : x.sint < best.sint;
    return largest ? x.uint > best.uint : x.uint < best.uint;
}

/* Neither comes before the other. */
static bool ties(lpi_class kind, number x, number best)
{
    if (kind == LPI_F64)
        return x.real == best.real ||
               (x.real != x.real && best.real != best.real);
    return x.uint == best.uint;
}

/* Position in the line of "length" elements "step" apart from "at" on. */
static int64_t find(const lpi_run *run, int64_t at, int64_t step,
                    int64_t length)
{
    const order *facts = run->node->layer->row->facts;
    bool last = ((const arg *)run->node->params)->select_last_index != 0;
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lpi_class class = lpi_class_of(dtype);
    lpi_class kind = class == LPI_F32 ? LPI_F64 : class;
    int64_t found = 0, i;
    number best = {.uint = 0}, x;

    for (i = 0; i < length; i++, at += step) {
        uint64_t raw;

        lpi_unpack(dtype, run->in[0], at, 1, &raw);
        lpi_convert(class, &raw, kind, &x, 1);
        if (i == 0 || comes_first(kind, facts->largest, x, best) ||
            (last && ties(kind, x, best))) {
            best = x;
            found = i;
        }
    }
    return found;
}

static lp_status arg_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0);
    int64_t axis = 0, inner, length, lines, line;
    int64_t *out = run->out[0];

    if (lpi_class_of(lpi_in_dtype(run->node, 0)) == LPI_NO_CLASS)
        return lpi_run_refuse(run, lpi_in_dtype(run->node, 0));
    lpi_axis(((const arg *)run->node->params)->axis, in.rank, &axis);
    inner = lpi_dims_product(in, axis + 1, in.rank);
    length = in.dims[axis];
    lines = lpi_out_elements(run->node, 0);
    for (line = 0; line < lines; line++)
        out[line] = find(run, line / inner * length * inner + line % inner,
                         inner, length);
    return LP_OK;
}

/* What both rows have. */
#define ROW(op, ...)                                                           \
    .domain = "", .name = op, .since = 1, .inputs_min = 1, .inputs_max = 1,    \
    .outputs_min = 1, .outputs_max = 1, .params_size = sizeof(arg),            \
    .specs = arg_specs, .facts = &(const order){__VA_ARGS__},                  \
    .shape = arg_shape, .cost = arg_cost, .run = arg_run,                      \
    .samples = "input x: float32[2, 3]; y = " op                               \
               "(x) {axis: 1, select_last_index: 1}; output y\n---\n"          \
               "opset 11; input x: int32[2, 3]; "                              \
               "y = " op "(x) {keepdims: 0}; output y"

const lp_op lpi_ops_arg[] = {
    {ROW("ArgMax", true)},
    {ROW("ArgMin", false)},
    {0},
};
