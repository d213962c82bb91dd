/* slice.c: boxes cut out of tensors: Slice, CenterCropPad.
 *
 * A slice is first made into numbers that stay in range, one start, step and
 * count an axis; starts and ends may be negative, beyond the axis, and
 * INT64_MAX.  Source: ONNX operators Slice-13, CenterCropPad-18. */
#include <string.h>

#include "../ops.h"

/* What a slice takes of each axis; count -1: not known. */
typedef struct cut {
    int64_t start, step, count;
} cut;

static lp_status slice_settle(lpi_node *node)
{
    static const char *const names[] = {"starts", "ends", "axes"};
    int32_t i;

    for (i = 0; i < LPI_COUNT(names) && node->layer->version < 10; i++)
        LP_TRY(lpi_node_take_ints(node, i + 1, names[i]));
    return LP_OK;
}

static int64_t limited(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* What [start, end) by "step" takes of an axis of "length". */
static cut cut_axis(int64_t length, int64_t start, int64_t end, int64_t step)
{
    int64_t back = step < 0, count;

    if (length == 0)
        return (cut){0, 1, 0};
    start = limited(start < 0 ? start + length : start, 0, length - back);
    end = limited(end < 0 ? end + length : end, -back, length - back);
    step = limited(step, -INT64_MAX, INT64_MAX);
    count = back ? start - end : end - start;
    count = count > 0 ? lpi_ceil_div(count, back ? -step : step) : 0;
    return (cut){start, step, count};
}

/* Starts, ends, axes, steps; "known" for those whose content is. */
typedef struct slices {
    lpi_list list[4];
    bool known[4], given[4];
} slices;

/* The axis of slice "i" of "s", in a tensor of "rank". */
static lp_status slice_axis(const lpi_node *node, const slices *s, int64_t i,
                            int32_t rank, int64_t *ret_axis)
{
    int64_t axis = s->given[2] ? s->list[2].ints[i] : i;

    if (!lpi_axis(axis, rank, ret_axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)axis, rank);
    return LP_OK;
}

/* Set what "s" takes of each axis of "shape" in "cuts", the whole axis where
 * nothing is said. */
static lp_status plan_cuts(const lpi_node *node, lp_shape shape,
                           const slices *s, cut *cuts)
{
    int64_t count = -1, axis, step, i;
    bool all_known = true;

    for (i = 0; i < shape.rank; i++)
        cuts[i] = (cut){0, 1, shape.dims[i]};
    for (i = 0; i < 4; i++) {
        all_known = all_known && (s->known[i] || !s->given[i]);
        if (!s->given[i] || !s->known[i])
            continue;
        if (count >= 0 && s->list[i].count != count)
            return lpi_node_fail(node, "operands of %lld and %lld numbers",
                                 (long long)count, (long long)s->list[i].count);
        count = s->list[i].count;
    }
    if (s->given[2] && !s->known[2])
        count = -1;
    for (i = 0; i < shape.rank && count < 0; i++)
        cuts[i].count = -1;
    for (i = 0; i < count; i++) {
        LP_TRY(slice_axis(node, s, i, shape.rank, &axis));
        step = s->given[3] && s->known[3] ? s->list[3].ints[i] : 1;
        if (step == 0)
            return lpi_node_fail(node, "a step of 0");
        if (all_known && shape.dims[axis] >= 0)
            cuts[axis] = cut_axis(shape.dims[axis], s->list[0].ints[i],
                                  s->list[1].ints[i], step);
        else
            cuts[axis].count = -1;
    }
    return LP_OK;
}

/* Where "shape" is a bound, a shorter axis may give more when one end is
 * counted from its end and the other from its begin: all of it bounds that. */
static lp_status widen_cuts(const lpi_node *node, lp_shape shape,
                            const slices *s, cut *cuts)
{
    int64_t axis;

    if (!lpi_in(node, 0)->is_bound || !s->known[0] || !s->known[1] ||
        (s->given[2] && !s->known[2]))
        return LP_OK;
    for (int64_t i = 0; i < s->list[0].count; i++) {
        int64_t start = s->list[0].ints[i], end = s->list[1].ints[i], length;
        int64_t step;

        LP_TRY(slice_axis(node, s, i, shape.rank, &axis));
        length = shape.dims[axis];
        step = cuts[axis].step;
        if (cuts[axis].count < 0 ||
            !(step > 0
                  ? start < 0 && end >= 0 && end < length
                  : start >= 0 && start < length && end < 0 && end > -length))
            continue;
        cuts[axis].count = lpi_ceil_div(length, step > 0 ? step : -step);
    }
    return LP_OK;
}

static lp_status slice_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    slices s = {0};
    int64_t *dims;
    cut *cuts;
    int32_t i;

    if (in.rank < 0)
        return lpi_shape_as_first(node);
    for (i = 0; i < 4; i++) {
        s.given[i] = lpi_in(node, i + 1) != NULL;
        s.known[i] = lpi_in_ints(node, i + 1, &s.list[i]);
    }
    if (!s.given[0] || !s.given[1])
        return lpi_node_fail(node, "lacks starts or ends");
    dims = lpi_node_dims(node, in.rank);
    cuts = LPI_NEW(node->model->arena, cut, in.rank);
    if (!dims || !cuts)
        return lpi_node_fail_memory(node);
    LP_TRY(plan_cuts(node, in, &s, cuts));
    LP_TRY(widen_cuts(node, in, &s, cuts));
    for (i = 0; i < in.rank; i++)
        dims[i] = cuts[i].count;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), in.rank, dims);
}

/* Only the elements that are taken are read. */
static void part_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_part(node, cost, 0, lpi_out_elements(node, 0));
}

static lp_status slice_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape in = lpi_in_shape(node, 0), out = lpi_out_shape(node, 0);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank), first = 0;
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank);
    cut *cuts = LPI_NEW(run->scratch, cut, in.rank);
    slices s = {0};
    int32_t i;

    if (!from || !to || !cuts)
        return lpi_node_fail_memory(node);
    for (i = 0; i < 4; i++) {
        s.given[i] = s.known[i] = lpi_in(node, i + 1) != NULL;
        if (s.given[i])
            LP_TRY(lpi_run_ints(run, i + 1, &s.list[i]));
    }
    LP_TRY(plan_cuts(node, in, &s, cuts));
    lpi_strides(in.rank, in.dims, from);
    lpi_strides(out.rank, out.dims, to);
    for (i = 0; i < in.rank; i++) {
        if (cuts[i].count != out.dims[i])
            return lpi_node_fail(node, "axis %d has %lld elements, not %lld", i,
                                 (long long)cuts[i].count,
                                 (long long)out.dims[i]);
        first += cuts[i].count ? cuts[i].start * from[i] : 0;
        from[i] = cuts[i].count > 1 ? from[i] * cuts[i].step : 0;
    }
    lpi_run_copy_box(run, out, (lpi_place){run->out[0], 0, to},
                     (lpi_place){(void *)run->in[0], first, from});
    return LP_OK;
}

/* ---- CenterCropPad ------------------------------------------------------ */

typedef struct center {
    lpi_list axes;
} center;

static const lpi_spec center_specs[] = {
    LPI_SPEC_LIST(center, axes, LPI_ATTR_INTS),
    {0},
};

/* Set the lengths "wanted" of the axes named (all: without the attribute) in
 * "dims", which has those of the input. */
static lp_status center_dims(const lpi_node *node, const lpi_list *wanted,
                             int32_t rank, int64_t *dims)
{
    const center *p = node->params;
    int64_t axis, i;

    if (wanted->count != (p->axes.count ? p->axes.count : rank))
        return lpi_node_fail(node, "%lld lengths do not fit the axes",
                             (long long)wanted->count);
    for (i = 0; i < wanted->count; i++) {
        if (!lpi_axis(p->axes.count ? p->axes.ints[i] : i, rank, &axis))
            return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                                 (long long)p->axes.ints[i], rank);
        if (wanted->ints[i] < 0)
            return lpi_node_fail(node, "a length of %lld",
                                 (long long)wanted->ints[i]);
        dims[axis] = wanted->ints[i];
    }
    return LP_OK;
}

static lp_status center_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    lpi_list wanted;
    int64_t *dims;

    if (in.rank < 0 || !lpi_in_ints(node, 1, &wanted))
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    dims = lpi_node_dims(node, in.rank);
    if (!dims)
        return lpi_node_fail_memory(node);
    if (in.rank)
        memcpy(dims, in.dims, (size_t)in.rank * sizeof(*dims));
    LP_TRY(center_dims(node, &wanted, in.rank, dims));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), in.rank, dims);
}

/* Copy the middle that both have; zeros around. */
static lp_status center_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0), out = lpi_out_shape(run->node, 0);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank), from_first = 0;
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank), to_first = 0;
    int32_t i;

    if (!dims || !from || !to)
        return lpi_node_fail_memory(run->node);
    lpi_strides(in.rank, in.dims, from);
    lpi_strides(out.rank, out.dims, to);
    for (i = 0; i < in.rank; i++) {
        int64_t more = out.dims[i] - in.dims[i];

        dims[i] = more < 0 ? out.dims[i] : in.dims[i];
        if (more < 0)
            from_first += lpi_mul(-more / 2, from[i]);
        else
            to_first += lpi_mul(more / 2, to[i]);
    }
    memset(run->out[0], 0, (size_t)lpi_tensor_bytes(lpi_out(run->node, 0)));
    lpi_copy_box(lp_dtype_bits(lpi_in_dtype(run->node, 0)), in.rank, dims,
                 (lpi_place){run->out[0], to_first, to},
                 (lpi_place){(void *)run->in[0], from_first, from});
    return LP_OK;
}

const lp_op lpi_ops_slice[] = {
    {.domain = "",
     .name = "Slice",
     .since = 1,
     .inputs_min = 3,
     .inputs_max = 5,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .settle = slice_settle,
     .shape = slice_shape,
     .cost = part_cost,
     .run = slice_run,
     .flags = LPI_MONOTONE,
     .samples =
         "input x: float32[5, 6]; weight s: int64[2] = {-1, 0}; "
         "weight e: int64[2] = {-9223372036854775807, 9223372036854775807}; "
         "weight a: int64[2] = {0, -1}; weight t: int64[2] = {-2, 1}; "
         "y = Slice(x, s, e, a, t); output y\n---\n"
         "opset 9; input x: float32[5, 6]; "
         "y = Slice(x) {starts: [1], ends: [3], axes: [1]}; output y"},
    {.domain = "",
     .name = "CenterCropPad",
     .since = 18,
     .inputs_min = 2,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .params_size = sizeof(center),
     .specs = center_specs,
     .shape = center_shape,
     .cost = part_cost,
     .run = center_run,
     .samples = "input x: float32[5, 6]; weight s: int64[2] = {3, 9}; "
                "y = CenterCropPad(x, s); output y"},
    {0},
};
