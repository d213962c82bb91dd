/* reduce.c: reductions along axes: what all rows
 * share.
 *
 * The input is read once, in its own order, and each element is added to the
 * accumulator of its output element: one ascending chain an output element,
 * the order that any split of the work must keep.  Accumulators are double for
 * floats, 64 bits for integers, which wrap; the result is rounded once.
 *
 * Source: ONNX operators Reduce* of opset 18, 20 and 28; before 13 (Sum) and 18
 * (others) axes is an attribute. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* ---- shape and cost ----------------------------------------------------- */

lp_status lpi_reduce_settle(lpi_node *node)
{
    const lpi_chain *facts = node->layer->row->facts;

    return node->layer->version < facts->operand_since
               ? lpi_node_take_ints(node, 1, "axes")
               : LP_OK;
}

lp_status lpi_reduce_mask(const lpi_node *node, const lpi_list *axes,
                          int32_t rank, bool *mask)
{
    const lpi_reduce *p = node->params;

    if (axes && axes->count > 0)
        return lpi_axes_mask(node, axes, rank, mask);
    memset(mask, !p->noop_with_empty_axes, (size_t)rank);
    return LP_OK;
}

lp_status lpi_reduce_shape(lpi_node *node)
{
    const lpi_reduce *p = node->params;
    lp_shape in = lpi_in_shape(node, 0);
    int32_t most = in.rank < 0 ? 0 : in.rank, rank = 0, i;
    int64_t *dims = lpi_node_dims(node, most);
    bool *mask = LPI_NEW(node->model->arena, bool, most);
    bool given = lpi_in(node, 1) != NULL;
    bool known = !given;
    lpi_list axes;

    if (!dims || !mask)
        return lpi_node_fail_memory(node);
    if (given)
        known = lpi_in_ints(node, 1, &axes);
    if (in.rank < 0 || (!known && !p->keepdims))
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    if (known)
        LP_TRY(lpi_reduce_mask(node, given ? &axes : NULL, in.rank, mask));
    for (i = 0; i < in.rank; i++)
        if (!known)
            dims[rank++] = -1;
        else if (!mask[i])
            dims[rank++] = in.dims[i];
        else if (p->keepdims)
            dims[rank++] = 1;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

void lpi_reduce_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_chain *facts = node->layer->row->facts;
    int64_t in = lpi_in_elements(node, 0), out = lpi_out_elements(node, 0);

    lpi_cost_each(cost, &facts->element, in);
    lpi_cost_each(cost, &facts->joint, in > out ? in - out : 0);
    lpi_cost_each(cost, &facts->result, out);
}

/* ---- run ---------------------------------------------------------------- */

enum { BLOCK = 256 };

typedef union number {
    double real;
    int64_t sint;
    uint64_t uint;
} number;

/* One reduction at work. */
typedef struct work {
    const lpi_chain *facts;
    lp_dtype dtype;
    lpi_class kind;        /* LPI_F64, LPI_I64 or LPI_U64 */
    int64_t outputs, each; /* elements, and elements that make one */
    number *sums;
    const number *shifts; /* what to take from x, per output; or NULL */
} work;

/* The accumulator that no element has reached; the ends of a range are those
 * of the dtype. */
static number start_of(const work *w)
{
    int32_t bits = lp_dtype_bits(w->dtype);
    bool wide = lpi_dtype_is_signed(w->dtype);
    bool high = w->facts->start == LPI_FROM_HIGHEST;
    number n = {.uint = 0};

    if (w->facts->start == LPI_FROM_ZERO || w->facts->start == LPI_FROM_ONE) {
        n.sint = w->facts->start == LPI_FROM_ONE;
        if (w->kind == LPI_F64)
            n.real = (double)n.sint;
    } else if (w->kind == LPI_F64) {
        n.real = high ? INFINITY : -INFINITY;
    } else if (w->dtype == LP_BOOL) {
        n.sint = high;
    } else {
        n.uint = UINT64_MAX >> (64 - bits + wide);
        n.uint = high ? n.uint : wide ? ~n.uint : 0;
    }
    return n;
}

/* Add "count" elements at "x" to the accumulators from "at" on, "step" (0 or
 * 1) apart. */
static void accumulate(const work *w, const number *x, int64_t count,
                       int64_t at, int64_t step)
{
    number *sum = w->sums + at;
    const number *shift = w->shifts ? w->shifts + at : NULL;
    int64_t i;

    for (i = 0; i < count; i++, sum += step) {
        if (w->kind == LPI_F64)
            sum->real = w->facts->real(sum->real,
                                       shift ? x[i].real - shift[i * step].real
                                             : x[i].real);
        else if (w->kind == LPI_I64)
            sum->sint = w->facts->sint(sum->sint, x[i].sint);
        else
            sum->uint = w->facts->uint(sum->uint, x[i].uint);
    }
}

/* Read the whole input into the accumulators; "strides" those of the input
 * and, 0 along reduced axes, of the outputs. */
static void read_input(const lpi_run *run, const work *w,
                       const int64_t *const *strides)
{
    lp_shape in = lpi_in_shape(run->node, 0);
    number raw[BLOCK], x[BLOCK];
    lpi_walk walk;
    int64_t done, some;
    bool more;

    for (more = lpi_walk_start(&walk, in.rank, in.dims, 2, strides); more;
         more = lpi_walk_next(&walk))
        for (done = 0; done < walk.length; done += some) {
            some = walk.length - done < BLOCK ? walk.length - done : BLOCK;
            lpi_unpack(w->dtype, run->in[0], walk.at[0] + done, some, raw);
            lpi_convert(lpi_class_of(w->dtype), raw, w->kind, x, some);
            accumulate(w, x, some, walk.at[1] + done * walk.step[1],
                       walk.step[1]);
        }
}

/* Turn the accumulators into results. */
static void write_output(const lpi_run *run, const work *w)
{
    const lpi_chain *facts = w->facts;
    int64_t i;

    for (i = 0; i < w->outputs; i++) {
        number n = w->sums[i];
        lpi_class kind = w->kind;
        uint64_t raw;

        if (facts->mean && kind == LPI_I64 && w->each > 0) {
            n.sint /= w->each;
        } else if (facts->mean && kind == LPI_U64 && w->each > 0) {
            n.uint /= (uint64_t)w->each;
        } else if (facts->finish) {
            lpi_convert(kind, &w->sums[i], LPI_F64, &n, 1);
            n.real = facts->finish(n.real, (double)w->each);
            if (w->shifts)
                n.real += w->shifts[i].real;
            kind = LPI_F64;
        }
        lpi_convert(kind, &n, lpi_class_of(w->dtype), &raw, 1);
        lpi_pack(w->dtype, &raw, i, 1, run->out[0]);
    }
}

/* Accumulators of all outputs of "w", at their start. */
static lp_status start_sums(const lpi_run *run, work *w)
{
    int64_t i;

    w->sums = LPI_NEW(run->scratch, number, w->outputs);
    if (!w->sums)
        return lpi_node_fail_memory(run->node);
    for (i = 0; i < w->outputs; i++)
        w->sums[i] = start_of(w);
    return LP_OK;
}

static double real_max(double sum, double x)
{
    return sum != sum || sum > x ? sum : x;
}

/* The largest element of each output, 0 where that is infinite: taken from the
 * exponents, it keeps them from overflowing. */
static lp_status find_shifts(const lpi_run *run, work *w,
                             const int64_t *const *strides)
{
    static const lpi_chain largest = {.real = real_max,
                                      .start = LPI_FROM_LOWEST};
    work first = *w;
    int64_t i;

    first.facts = &largest;
    LP_TRY(start_sums(run, &first));
    read_input(run, &first, strides);
    for (i = 0; i < w->outputs; i++)
        if (!isfinite(first.sums[i].real))
            first.sums[i].real = 0;
    w->shifts = first.sums;
    return LP_OK;
}

/* Strides of the input, and of the output along the axes of the input. */
static lp_status make_strides(const lpi_run *run, const int64_t **strides,
                              const bool **ret_mask)
{
    lp_shape in = lpi_in_shape(run->node, 0);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank), stride = 1;
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank);
    bool *mask = LPI_NEW(run->scratch, bool, in.rank);
    lpi_list axes, *given = lpi_in(run->node, 1) ? &axes : NULL;
    int32_t i;

    if (!from || !to || !mask)
        return lpi_node_fail_memory(run->node);
    if (given)
        LP_TRY(lpi_run_ints(run, 1, given));
    LP_TRY(lpi_reduce_mask(run->node, given, in.rank, mask));
    lpi_strides(in.rank, in.dims, from);
    for (i = in.rank - 1; i >= 0; i--) {
        to[i] = mask[i] ? 0 : stride;
        stride = mask[i] ? stride : lpi_mul(stride, in.dims[i]);
    }
    strides[0] = from;
    strides[1] = to;
    *ret_mask = mask;
    return LP_OK;
}

lp_status lpi_reduce_run(const lpi_run *run)
{
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lpi_class class = lpi_class_of(dtype);
    const int64_t *strides[2];
    const bool *mask = NULL;
    bool is_done = false;
    work w = {.facts = run->node->layer->row->facts,
              .dtype = dtype,
              .kind = class == LPI_F32 ? LPI_F64 : class,
              .outputs = lpi_out_elements(run->node, 0)};

    if (w.facts->shifted && class != LPI_NO_CLASS)
        w.kind = LPI_F64;
    if (class == LPI_NO_CLASS)
        return lpi_run_refuse(run, dtype);
    if (w.outputs > 0)
        w.each = lpi_in_elements(run->node, 0) / w.outputs;
    LP_TRY(make_strides(run, strides, &mask));
    LP_TRY(lpi_reduce_floats(run, mask, &is_done));
    if (is_done)
        return LP_OK;
    LP_TRY(start_sums(run, &w));
    if (w.facts->shifted)
        LP_TRY(find_shifts(run, &w, strides));
    read_input(run, &w, strides);
    write_output(run, &w);
    return LP_OK;
}
