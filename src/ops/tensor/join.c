/* join.c: tensors put together and taken apart along an axis: Concat, Split.
 *
 * Source: ONNX operators Concat-13, Split-18; Concat-1 has the axis 1 by
 * default, Split-1 to 11 the lengths as an attribute. */
#include <string.h>

#include "../ops.h"

/* ---- Concat ------------------------------------------------------------- */

typedef struct join {
    int64_t axis, num_outputs;
} join;

static const lpi_spec concat_specs[] = {
    LPI_SPEC_INT(join, axis, 1),
    {0},
};

static lp_status concat_settle(lpi_node *node)
{
    if (node->layer->version >= 4 && !lpi_node_attr(node, "axis"))
        return lpi_node_fail(node, "lacks the attribute 'axis'");
    return LP_OK;
}

/* Make "dims" the shape of all inputs from "i" down joined along "axis";
 * "bound": as lpi_in_bound tells. */
static lp_status concat_add(const lpi_node *node, int32_t i, bool bound,
                            int64_t axis, int64_t *dims)
{
    lp_shape in = lpi_in_shape(node, i);
    int32_t rank = lpi_in_shape(node, 0).rank, k;

    if (in.rank != rank)
        return lpi_node_fail(node, "input %d has rank %d, those before it %d",
                             i, in.rank, rank);
    for (k = 0; k < rank; k++) {
        if (k == axis)
            dims[k] = dims[k] < 0 || in.dims[k] < 0
                          ? -1
                          : lpi_add(dims[k], in.dims[k]);
        else if (bound)
            dims[k] = dims[k] > in.dims[k] ? dims[k] : in.dims[k];
        else
            LP_TRY(lpi_dim_same(node, "dimension of all inputs", dims[k],
                                in.dims[k], &dims[k]));
    }
    return LP_OK;
}

static lp_status concat_shape(lpi_node *node)
{
    lp_shape first = lpi_in_shape(node, 0);
    bool bound = lpi_in_bound(node);
    int64_t axis, *dims;
    int32_t i;

    for (i = 0; i < node->layer->inputs_count; i++)
        if (lpi_in_shape(node, i).rank < 0)
            return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                     lpi_shape_unknown);
    if (!lpi_axis(((const join *)node->params)->axis, first.rank, &axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)((const join *)node->params)->axis,
                             first.rank);
    dims = lpi_node_dims(node, first.rank);
    if (!dims)
        return lpi_node_fail_memory(node);
    memcpy(dims, first.dims, (size_t)first.rank * sizeof(*dims));
    for (i = 1; i < node->layer->inputs_count; i++) {
        lp_dtype dtype = lpi_in_dtype(node, i);

        if (dtype != lpi_in_dtype(node, 0) && dtype != LP_UNDEFINED &&
            lpi_in_dtype(node, 0) != LP_UNDEFINED)
            return lpi_node_fail(node, "inputs are %s and %s",
                                 lp_dtype_name(lpi_in_dtype(node, 0)),
                                 lp_dtype_name(dtype));
        LP_TRY(concat_add(node, i, bound, axis, dims));
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), first.rank, dims);
}

/* Whether operand "i" was made where it goes, from element "first" of the
 * result on, row by row. */
static bool is_there(const lpi_run *run, int32_t i, int64_t first)
{
    int32_t bits = lp_dtype_bits(lpi_out(run->node, 0)->dtype);

    return bits % 8 == 0 && (const char *)run->in[i] ==
                                (const char *)run->out[0] + first * bits / 8;
}

static lp_status concat_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape out = lpi_out_shape(node, 0);
    int64_t *to = LPI_NEW(run->scratch, int64_t, out.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, out.rank);
    int64_t axis = 0, at = 0;
    int32_t i;

    if (!to || !from)
        return lpi_node_fail_memory(node);
    lpi_axis(((const join *)node->params)->axis, out.rank, &axis);
    lpi_strides(out.rank, out.dims, to);
    for (i = 0; i < node->layer->inputs_count; i++) {
        lp_shape in = lpi_in_shape(node, i);

        lpi_strides(in.rank, in.dims, from);
        if (!is_there(run, i, lpi_mul(at, to[axis])))
            lpi_run_copy_box(
                run, in, (lpi_place){run->out[0], lpi_mul(at, to[axis]), to},
                (lpi_place){(void *)run->in[i], 0, from});
        at += in.dims[axis];
    }
    return LP_OK;
}

/* A tile that is whole along the axis. */
static lp_status concat_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params)
{
    int64_t axis = 0;

    (void)params;
    lpi_axis(((const join *)node->params)->axis, out->rank, &axis);
    LP_TRY(lpi_box_keep(node, out, axis, axis + 1));
    for (int32_t i = 0; i < node->layer->inputs_count; i++) {
        in[i] = *out;
        in[i].to[axis] = lpi_in_shape(node, i).dims[axis];
    }
    return LP_OK;
}

/* ---- Split -------------------------------------------------------------- */

static const lpi_spec split_specs[] = {
    LPI_SPEC_INT(join, axis, 0),
    LPI_SPEC_INT(join, num_outputs, 0),
    {0},
};

static lp_status split_settle(lpi_node *node)
{
    const join *p = node->params;

    if (p->num_outputs < 0 ||
        (p->num_outputs && p->num_outputs < node->layer->outputs_count))
        return lpi_node_fail(node, "num_outputs is %lld, there are %d",
                             (long long)p->num_outputs,
                             node->layer->outputs_count);
    return node->layer->version < 13 ? lpi_node_take_ints(node, 1, "split")
                                     : LP_OK;
}

/* Length of part "i" of an axis of "length": as "list" says, or equal parts
 * of which the last may be shorter. */
static int64_t part_length(const lpi_node *node, const lpi_list *list,
                           int64_t length, int32_t i)
{
    const join *p = node->params;
    int64_t parts = p->num_outputs ? p->num_outputs
                                   : node->layer->outputs_count;
    int64_t chunk, rest;

    if (list)
        return list->ints[i];
    if (length < 0)
        return -1;
    chunk = lpi_ceil_div(length, parts);
    rest = length - lpi_mul(chunk, i);
    return rest < 0 ? 0 : rest < chunk ? rest : chunk;
}

/* The lengths given fit the axis of "length". */
static lp_status check_lengths(const lpi_node *node, const lpi_list *list,
                               int64_t length)
{
    int64_t sum = 0, i;

    if (list->count != node->layer->outputs_count)
        return lpi_node_fail(node, "has %lld lengths for %d outputs",
                             (long long)list->count,
                             node->layer->outputs_count);
    for (i = 0; i < list->count; i++) {
        if (list->ints[i] < 0)
            return lpi_node_fail(node, "a part has length %lld",
                                 (long long)list->ints[i]);
        sum = lpi_add(sum, list->ints[i]);
    }
    if (length >= 0 && sum != length && !lpi_in_bound(node))
        return lpi_node_fail(node,
                             "the parts have %lld elements, the axis "
                             "%lld",
                             (long long)sum, (long long)length);
    return LP_OK;
}

static lp_status split_shape(lpi_node *node)
{
    const join *p = node->params;
    lp_shape in = lpi_in_shape(node, 0);
    bool given = lpi_in(node, 1) != NULL;
    int64_t axis, *dims = lpi_node_dims(node, in.rank < 0 ? 0 : in.rank);
    lpi_list list;
    int32_t i;

    if (!dims)
        return lpi_node_fail_memory(node);
    for (i = 0; i < node->layer->outputs_count && in.rank < 0; i++)
        LP_TRY(lpi_out_as(node, i, 0));
    if (in.rank < 0)
        return LP_OK;
    if (!lpi_axis(p->axis, in.rank, &axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)p->axis, in.rank);
    memcpy(dims, in.dims, (size_t)in.rank * sizeof(*dims));
    if (given && lpi_in_ints(node, 1, &list))
        LP_TRY(check_lengths(node, &list, in.dims[axis]));
    else if (given)
        list.count = -1;
    else if (node->layer->version < 18 && in.dims[axis] >= 0 &&
             in.dims[axis] % node->layer->outputs_count && !lpi_in_bound(node))
        return lpi_node_fail(node, "%lld elements are not split evenly in %d",
                             (long long)in.dims[axis],
                             node->layer->outputs_count);
    for (i = 0; i < node->layer->outputs_count; i++) {
        dims[axis] =
            given && list.count < 0
                ? -1
                : part_length(node, given ? &list : NULL, in.dims[axis], i);
        LP_TRY(lpi_out_set(node, i, lpi_in_dtype(node, 0), in.rank, dims));
    }
    return LP_OK;
}

/* Only the parts that somebody wants are read. */
static void split_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t elements = 0;
    int32_t i;

    for (i = 0; i < node->layer->outputs_count; i++)
        elements = lpi_add(elements, lpi_out_elements(node, i));
    lpi_cost_part(node, cost, 0, elements);
}

static lp_status split_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape in = lpi_in_shape(node, 0);
    int32_t bits = lp_dtype_bits(lpi_in_dtype(node, 0)), i;
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank);
    bool given = lpi_in(node, 1) != NULL;
    int64_t axis = 0, at = 0;
    lpi_list list;

    if (!to || !from)
        return lpi_node_fail_memory(node);
    if (given) {
        LP_TRY(lpi_run_ints(run, 1, &list));
        LP_TRY(check_lengths(node, &list, -1));
    }
    lpi_axis(((const join *)node->params)->axis, in.rank, &axis);
    lpi_strides(in.rank, in.dims, from);
    for (i = 0; i < node->layer->outputs_count; i++) {
        lp_shape out = lpi_out_shape(node, i);

        if (run->out[i]) {
            lpi_strides(out.rank, out.dims, to);
            lpi_copy_box(
                bits, out.rank, out.dims, (lpi_place){run->out[i], 0, to},
                (lpi_place){(void *)run->in[0], lpi_mul(at, from[axis]), from});
        }
        at += part_length(node, given ? &list : NULL, in.dims[axis], i);
    }
    return LP_OK;
}

const lp_op lpi_ops_join[] = {
    {.domain = "",
     .name = "Concat",
     .operands = "T*+",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = -1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(join),
     .specs = concat_specs,
     .settle = concat_settle,
     .shape = concat_shape,
     .run = concat_run,
     .tile = concat_tile,
     .flags = LPI_MONOTONE,
     .samples = "input a: float32[2, 3]; input b: float32[2, 1]; "
                "y = Concat(a, b) {axis: -1}; output y\n---\n"
                "opset 3; input a: float32[2, 3]; input b: float32[2, 1]; "
                "y = Concat(a, b); output y"},
    {.domain = "",
     .name = "Split",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = -1,
     .roles = "di",
     .params_size = sizeof(join),
     .specs = split_specs,
     .settle = split_settle,
     .shape = split_shape,
     .cost = split_cost,
     .run = split_run,
     .flags = LPI_MONOTONE,
     .samples = "input x: float32[2, 6]; weight s: int64[2] = {2, 4}; "
                "a, b = Split(x, s) {axis: 1}; output a; output b\n---\n"
                "input x: float32[7]; a, b, c = Split(x) {num_outputs: 3}; "
                "output a; output b; output c\n---\n"
                "opset 11; input x: float32[2, 6]; "
                "_, b = Split(x) {axis: 1, split: [2, 4]}; output b"},
    {0},
};
