/* gather.c: elements picked by index: Gather, GatherElements, GatherND,
 * Compress.
 *
 * Indices count from the end when negative; one out of range is an error.
 * Source: ONNX operators Gather-13, GatherElements-13, GatherND-13,
 * Compress-28. */
#include <string.h>

#include "../ops.h"

typedef struct gather {
    int64_t axis, batch_dims;
} gather;

static const lpi_spec axis_specs[] = {
    LPI_SPEC_INT(gather, axis, 0),
    {0},
};

static const lpi_spec batch_specs[] = {
    LPI_SPEC_INT(gather, batch_dims, 0),
    {0},
};

/* The axis of the row's struct in a tensor of "rank". */
static lp_status find_axis(const lpi_node *node, int32_t rank,
                           int64_t *ret_axis)
{
    int64_t axis = ((const gather *)node->params)->axis;

    if (!lpi_axis(axis, rank, ret_axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)axis, rank);
    return LP_OK;
}

static lp_status unknown_shape(lpi_node *node)
{
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), lpi_shape_unknown);
}

/* Only the elements that are picked are read. */
static void part_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_part(node, cost, 0, lpi_out_elements(node, 0));
}

/* Output 0 with the shape of "head", then that of "tail". */
static lp_status set_joined(lpi_node *node, lp_shape head, lp_shape middle,
                            lp_shape tail)
{
    const lp_shape parts[] = {head, middle, tail};
    int32_t rank = head.rank + middle.rank + tail.rank, at = 0, i;
    int64_t *dims = lpi_node_dims(node, rank);

    if (!dims)
        return lpi_node_fail_memory(node);
    for (i = 0; i < LPI_COUNT(parts); i++) {
        if (parts[i].rank > 0)
            memcpy(dims + at, parts[i].dims,
                   (size_t)parts[i].rank * sizeof(*dims));
        at += parts[i].rank;
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

/* ---- Gather ------------------------------------------------------------- */

static lp_status gather_shape(lpi_node *node)
{
    lp_shape data = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    int32_t at;
    int64_t axis;

    if (data.rank < 0 || indices.rank < 0)
        return unknown_shape(node);
    LP_TRY(find_axis(node, data.rank, &axis));
    at = (int32_t)axis;
    return set_joined(node, (lp_shape){at, data.dims}, indices,
                      (lp_shape){data.rank - at - 1, data.dims + at + 1});
}

static lp_status gather_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape data = lpi_in_shape(node, 0);
    int64_t axis, outer, inner, length, index, to = 0, i, o;
    lpi_list indices;

    LP_TRY(lpi_run_ints(run, 1, &indices));
    LP_TRY(find_axis(node, data.rank, &axis));
    outer = lpi_dims_product(data, 0, axis);
    inner = lpi_dims_product(data, axis + 1, data.rank);
    length = data.dims[axis];
    for (i = 0; i < indices.count; i++)
        LP_TRY(lpi_index(node, indices.ints[i], length, &index));
    if (inner == 0)
        return LP_OK;
    for (o = 0; o < outer; o++)
        for (i = 0; i < indices.count; i++) {
            LP_TRY(lpi_index(node, indices.ints[i], length, &index));
            lpi_run_copy(run, 0, to, (o * length + index) * inner, inner);
            to += inner;
        }
    return LP_OK;
}

/* ---- GatherElements ----------------------------------------------------- */

static lp_status elements_shape(lpi_node *node)
{
    lp_shape data = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    int64_t axis;

    if (data.rank >= 0 && indices.rank >= 0) {
        LP_TRY(find_axis(node, data.rank, &axis));
        if (data.rank != indices.rank)
            return lpi_node_fail(node, "data of rank %d, indices of rank %d",
                                 data.rank, indices.rank);
        LP_TRY(lpi_indices_fit(node, data, indices, axis));
    }
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), indices);
}

static void gather_one(const lpi_run *run, int64_t in_data, int64_t at)
{
    lpi_run_copy(run, 0, at, in_data, 1);
}

static lp_status elements_run(const lpi_run *run)
{
    int64_t axis;

    LP_TRY(find_axis(run->node, lpi_in_shape(run->node, 0).rank, &axis));
    return lpi_run_elements(run, axis, gather_one);
}

/* ---- GatherND ----------------------------------------------------------- */

/* Set the number of axes one index has; the shapes must fit. */
static lp_status check_nd(const lpi_node *node, lp_shape data, lp_shape indices,
                          int64_t batch, int32_t *ret_depth)
{
    int64_t depth = indices.rank > 0 ? indices.dims[indices.rank - 1] : 0, i;

    if (data.rank < 1 || indices.rank < 1)
        return lpi_node_fail(node, "data of rank %d, indices of rank %d",
                             data.rank, indices.rank);
    if (batch < 0 || batch >= indices.rank || batch >= data.rank)
        return lpi_node_fail(node, "batch_dims is %lld", (long long)batch);
    if (depth > data.rank - batch)
        return lpi_node_fail(node, "indices of %lld axes into %lld",
                             (long long)depth, (long long)(data.rank - batch));
    for (i = 0; i < batch; i++)
        if (data.dims[i] >= 0 && indices.dims[i] >= 0 &&
            data.dims[i] != indices.dims[i])
            return lpi_node_fail(node, "batch axis %lld differs", (long long)i);
    *ret_depth = (int32_t)depth;
    return LP_OK;
}

static lp_status nd_shape(lpi_node *node)
{
    lp_shape data = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    int64_t batch = ((const gather *)node->params)->batch_dims;
    int32_t depth, skip;

    if (data.rank < 0 || indices.rank < 0)
        return unknown_shape(node);
    LP_TRY(check_nd(node, data, indices, batch, &depth));
    if (depth < 0)
        return unknown_shape(node);
    skip = (int32_t)batch + depth;
    return set_joined(node, (lp_shape){indices.rank - 1, indices.dims},
                      (lp_shape){0, NULL},
                      (lp_shape){data.rank - skip, data.dims + skip});
}

static lp_status nd_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape data = lpi_in_shape(node, 0), shape = lpi_in_shape(node, 1);
    int64_t batch = ((const gather *)node->params)->batch_dims;
    int64_t count, in_batch, whole, inner, index, i;
    int32_t depth, k;
    lpi_list indices;

    LP_TRY(lpi_run_ints(run, 1, &indices));
    LP_TRY(check_nd(node, data, shape, batch, &depth));
    count = lpi_dims_product(shape, 0, shape.rank - 1);
    in_batch = lpi_dims_product(shape, batch, shape.rank - 1);
    whole = lpi_dims_product(data, batch, data.rank);
    inner = lpi_dims_product(data, batch + depth, data.rank);
    for (i = 0; i < count && inner > 0; i++) {
        int64_t at = 0;

        for (k = 0; k < depth; k++) {
            int64_t length = data.dims[batch + k];

            LP_TRY(
                lpi_index(node, indices.ints[i * depth + k], length, &index));
            at = at * length + index;
        }
        lpi_run_copy(run, 0, i * inner, i / in_batch * whole + at * inner,
                     inner);
    }
    return LP_OK;
}

/* ---- Compress ----------------------------------------------------------- */

static const lpi_spec compress_specs[] = {
    LPI_SPEC_INT(gather, axis, INT64_MIN),
    {0},
};

/* The input as Compress sees it: flat without an axis. */
static lp_status compress_view(const lpi_node *node, int64_t *ret_axis,
                               lp_shape *ret_shape, int64_t *flat)
{
    *ret_shape = lpi_in_shape(node, 0);
    *ret_axis = 0;
    if (((const gather *)node->params)->axis != INT64_MIN)
        return find_axis(node, ret_shape->rank, ret_axis);
    *flat = lpi_shape_elements(*ret_shape);
    *ret_shape = (lp_shape){1, flat};
    return LP_OK;
}

/* Without the content of the condition, as many as it has elements. */
static lp_status compress_shape(lpi_node *node)
{
    lp_shape condition = lpi_in_shape(node, 1), shape;
    int64_t axis, flat, count = -1, i;
    lpi_list list;

    if (lpi_in_shape(node, 0).rank < 0)
        return unknown_shape(node);
    LP_TRY(compress_view(node, &axis, &shape, &flat));
    if (lpi_in_ints(node, 1, &list)) {
        for (i = 0, count = 0; i < list.count; i++)
            count += list.ints[i] != 0;
    } else {
        if (condition.rank == 1)
            count = condition.dims[0];
        if (count < 0 || count > shape.dims[axis])
            count = shape.dims[axis];
        node->is_bound = true;
        lpi_node_note(node, "as many as the condition could choose");
    }
    return set_joined(
        node, (lp_shape){(int32_t)axis, shape.dims}, (lp_shape){1, &count},
        (lp_shape){shape.rank - (int32_t)axis - 1, shape.dims + axis + 1});
}

static lp_status compress_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    int64_t axis, flat, outer, inner, length, to = 0, most, i, o;
    lpi_list list;
    lp_shape shape;

    LP_TRY(lpi_run_ints(run, 1, &list));
    LP_TRY(compress_view(node, &axis, &shape, &flat));
    outer = lpi_dims_product(shape, 0, axis);
    inner = lpi_dims_product(shape, axis + 1, shape.rank);
    length = shape.dims[axis];
    most = lpi_out_elements(node, 0);
    for (o = 0; o < outer && inner > 0; o++)
        for (i = 0; i < list.count; i++) {
            if (!list.ints[i])
                continue;
            if (i >= length || to + inner > most)
                return lpi_node_fail(node,
                                     "the condition chooses element "
                                     "%lld of %lld",
                                     (long long)i, (long long)length);
            lpi_run_copy(run, 0, to, (o * length + i) * inner, inner);
            to += inner;
        }
    return LP_OK;
}

/* What all rows have. */
#define ROW(op, opset, list)                                                   \
    .domain = "", .name = op, .since = (opset), .inputs_min = 2,               \
    .inputs_max = 2, .outputs_min = 1, .outputs_max = 1, .roles = "di",        \
    .params_size = sizeof(gather), .specs = (list), .cost = part_cost

const lp_op lpi_ops_gather[] = {
    {ROW("Gather", 1, axis_specs), .shape = gather_shape, .run = gather_run,
     .flags = LPI_MONOTONE,
     .samples = "weight x: float32[5, 4]; input i: int64[2, 3]; "
                "y = Gather(x, i); output y\n---\n"
                "input x: float32[2, 5]; weight i: int32[] = {-1}; "
                "y = Gather(x, i) {axis: 1}; output y"},
    {ROW("GatherElements", 11, axis_specs), .shape = elements_shape,
     .run = elements_run,
     .samples = "input x: float32[3, 3]; weight i: int64[2, 2] = "
                "{0, 2, 1, -1}; y = GatherElements(x, i) {axis: 1}; output y"},
    {ROW("GatherND", 11, batch_specs), .shape = nd_shape, .run = nd_run,
     .samples = "input x: float32[2, 3, 4]; weight i: int64[2, 1] = {2, 0}; "
                "y = GatherND(x, i) {batch_dims: 1}; output y\n---\n"
                "opset 11; input x: float32[2, 3]; weight i: int64[2, 2] = "
                "{0, 1, 1, 2}; y = GatherND(x, i); output y"},
    {ROW("Compress", 9, compress_specs), .operands = ".*,.k",
     .shape = compress_shape, .run = compress_run,
     .samples = "input x: float32[3, 2]; input c: bool[3]; "
                "y = Compress(x, c) {axis: 0}; output y\n---\n"
                "input x: float32[3, 2]; weight c: bool[3] = {1, 0, 1}; "
                "y = Compress(x, c); output y"},
    {0},
};
