/* shape.c: shapes as content (Shape, Size) and the same content in another
 * shape (Identity, Reshape, Flatten, Squeeze, Unsqueeze).
 *
 * Source: ONNX operators, newest versions. */
#include <string.h>

#include "../ops.h"

/* ---- Shape, Size -------------------------------------------------------- */

typedef struct part {
    int64_t start, end;
} part;

static const lpi_spec part_specs[] = {
    LPI_SPEC_INT(part, start, 0),
    LPI_SPEC_INT(part, end, INT64_MAX),
    {0},
};

/* Position "at" of a list of "count", from the end when negative, clamped. */
static int64_t clamped(int64_t at, int64_t count)
{
    if (at < 0)
        at = at < -count ? 0 : at + count;
    return at > count ? count : at;
}

static lp_status shape_shape(lpi_node *node)
{
    const part *p = node->params;
    int32_t rank = lpi_in_shape(node, 0).rank;
    int64_t count = clamped(p->end, rank) - clamped(p->start, rank);

    count = rank < 0 ? -1 : count < 0 ? 0 : count;
    return lpi_out_set(node, 0, LP_INT64, 1, &count);
}

static lp_status shape_run(const lpi_run *run)
{
    const part *p = run->node->params;
    lp_shape shape = lpi_in_shape(run->node, 0);
    int64_t start = clamped(p->start, shape.rank);
    int64_t count = lpi_out_elements(run->node, 0);

    if (count > 0)
        memcpy(run->out[0], shape.dims + start, (size_t)count * 8);
    return LP_OK;
}

static lp_status size_shape(lpi_node *node)
{
    return lpi_out_set(node, 0, LP_INT64, 0, NULL);
}

static lp_status size_run(const lpi_run *run)
{
    int64_t elements = lpi_in_elements(run->node, 0);

    memcpy(run->out[0], &elements, sizeof(elements));
    return LP_OK;
}

/* ---- Reshape ------------------------------------------------------------ */

typedef struct reshape {
    int64_t allowzero;
} reshape;

static const lpi_spec reshape_specs[] = {
    LPI_SPEC_INT(reshape, allowzero, 0),
    {0},
};

static lp_status reshape_settle(lpi_node *node)
{
    return node->layer->version < 5 ? lpi_node_take_ints(node, 1, "shape")
                                    : LP_OK;
}

/* Fill in what 0 (the dimension of the input) and -1 (the rest) in "dims" of
 * "count" stand for. */
static lp_status reshape_fill(const lpi_node *node, lp_shape in, int64_t count,
                              int64_t *dims)
{
    int64_t allowzero = ((const reshape *)node->params)->allowzero;
    int64_t elements = lpi_shape_elements(in), known = 1, free = -1, i;
    bool exact = !lpi_in_bound(node);

    for (i = 0; i < count; i++) {
        if (dims[i] == 0 && !allowzero && in.rank >= 0 && i >= in.rank)
            return lpi_node_fail(node,
                                 "shape has a 0 at %lld, the input has "
                                 "%d dimensions",
                                 (long long)i, in.rank);
        if (dims[i] < -1 || (dims[i] == -1 && free >= 0))
            return lpi_node_fail(node, "shape has %s",
                                 dims[i] < -1 ? "a dimension below -1"
                                              : "more than one -1");
        if (dims[i] == -1)
            free = i;
        else if (dims[i] == 0 && !allowzero)
            dims[i] = in.rank >= 0 ? in.dims[i] : -1;
        if (i != free)
            known = lpi_dim_mul(known, dims[i]);
    }
    if (elements < 0 || known < 0)
        return LP_OK;
    if (free >= 0 && known > 0)
        dims[free] = lpi_ceil_div(elements, known);
    else if (free >= 0)
        dims[free] = 0;
    if (exact && elements != (free >= 0 ? lpi_mul(known, dims[free]) : known))
        return lpi_node_fail(node, "%lld elements do not fit the shape",
                             (long long)elements);
    return LP_OK;
}

/* Output 0 with "count" dimensions of which none is known (-1: not even how
 * many). */
static lp_status set_rank(lpi_node *node, int64_t count)
{
    int64_t *dims, i;

    if (count < 0 || count > LPI_FOLD_MOST)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    dims = lpi_node_dims(node, count);
    if (!dims)
        return lpi_node_fail_memory(node);
    for (i = 0; i < count; i++)
        dims[i] = -1;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), (int32_t)count, dims);
}

static lp_status reshape_shape(lpi_node *node)
{
    lp_shape wanted = lpi_in_shape(node, 1);
    lpi_list list;
    int64_t *dims;

    if (!lpi_in(node, 0) || !lpi_in_ints(node, 1, &list))
        return set_rank(node, wanted.rank == 1 ? wanted.dims[0] : -1);
    dims = lpi_node_dims(node, list.count);
    if (!dims)
        return lpi_node_fail_memory(node);
    if (list.count > 0)
        memcpy(dims, list.ints, (size_t)list.count * sizeof(*dims));
    LP_TRY(reshape_fill(node, lpi_in_shape(node, 0), list.count, dims));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), (int32_t)list.count,
                       dims);
}

/* ---- Flatten ------------------------------------------------------------ */

typedef struct flatten {
    int64_t axis;
} flatten;

static const lpi_spec flatten_specs[] = {
    LPI_SPEC_INT(flatten, axis, 1),
    {0},
};

static lp_status flatten_shape(lpi_node *node)
{
    lp_shape shape = lpi_in_shape(node, 0);
    int64_t axis = ((const flatten *)node->params)->axis;
    int64_t dims[2] = {-1, -1};

    if (shape.rank >= 0) {
        if (axis < -shape.rank || axis > shape.rank)
            return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                                 (long long)axis, shape.rank);
        axis += axis < 0 ? shape.rank : 0;
        dims[0] = lpi_dims_product(shape, 0, axis);
        dims[1] = lpi_dims_product(shape, axis, shape.rank);
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 2, dims);
}

/* ---- Squeeze, Unsqueeze ------------------------------------------------- */

static lp_status axes_settle(lpi_node *node)
{
    return node->layer->version < 13 ? lpi_node_take_ints(node, 1, "axes")
                                     : LP_OK;
}

/* Room for a mark of each of "rank" axes. */
static bool *new_mask(const lpi_node *node, int64_t rank)
{
    return LPI_NEW(node->model->arena, bool, rank);
}

static lp_status squeeze_shape(lpi_node *node)
{
    lp_shape shape = lpi_in_shape(node, 0);
    bool all = !lpi_in(node, 1);
    lpi_list axes = {0};
    int64_t *dims = lpi_node_dims(node, shape.rank < 0 ? 0 : shape.rank);
    bool *mask = new_mask(node, shape.rank < 0 ? 0 : shape.rank);
    int32_t rank = 0, i;

    if (!dims || !mask)
        return lpi_node_fail_memory(node);
    if (shape.rank < 0 || (!all && !lpi_in_ints(node, 1, &axes)))
        return set_rank(node, -1);
    LP_TRY(lpi_axes_mask(node, &axes, shape.rank, mask));
    for (i = 0; i < shape.rank; i++) {
        if (all && shape.dims[i] < 0)
            return set_rank(node, -1);
        if (mask[i] && shape.dims[i] >= 0 && shape.dims[i] != 1 &&
            !lpi_in_bound(node))
            return lpi_node_fail(node,
                                 "axis %d has %lld elements, must "
                                 "have 1",
                                 i, (long long)shape.dims[i]);
        if (!mask[i] && !(all && shape.dims[i] == 1))
            dims[rank++] = shape.dims[i];
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

static lp_status unsqueeze_shape(lpi_node *node)
{
    lp_shape shape = lpi_in_shape(node, 0);
    lpi_list axes;
    int64_t *dims;
    int32_t rank, i, from = 0;
    bool *mask;

    if (shape.rank < 0 || !lpi_in_ints(node, 1, &axes))
        return set_rank(node, -1);
    if (axes.count > LPI_FOLD_MOST)
        return lpi_node_fail(node, "has too many axes");
    rank = shape.rank + (int32_t)axes.count;
    dims = lpi_node_dims(node, rank);
    mask = new_mask(node, rank);
    if (!dims || !mask)
        return lpi_node_fail_memory(node);
    LP_TRY(lpi_axes_mask(node, &axes, rank, mask));
    for (i = 0; i < rank; i++)
        dims[i] = mask[i] ? 1 : shape.dims[from++];
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

/* What rows of another shape have, with "most" inputs. */
#define VIEW(op, least, most)                                                  \
    .domain = "", .name = op, .since = 1, .inputs_min = (least),               \
    .inputs_max = (most), .outputs_min = 1, .outputs_max = 1, .roles = "di",   \
    .run = lpi_run_view, .flags = LPI_VIEW | LPI_MONOTONE

/* What rows that read a shape have. */
#define OF_SHAPE(op)                                                           \
    .domain = "", .name = op, .since = 1, .inputs_min = 1, .inputs_max = 1,    \
    .outputs_min = 1, .outputs_max = 1, .cost = lpi_cost_unread,               \
    .flags = LPI_OF_SHAPE

const lp_op lpi_ops_shape[] = {
    {OF_SHAPE("Shape"), .params_size = sizeof(part), .specs = part_specs,
     .shape = shape_shape, .run = shape_run,
     .samples = "input x: float32[2, 3, 4]; y = Shape(x) {start: -2}; "
                "output y\n---\n"
                "opset 9; input x: float32[2, 3]; y = Shape(x); output y"},
    {OF_SHAPE("Size"), .shape = size_shape, .run = size_run,
     .samples = "input x: float32[2, 3]; y = Size(x); output y"},
    {.domain = "",
     .name = "Identity",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .run = lpi_run_view,
     .flags = LPI_VIEW | LPI_MONOTONE | LPI_BUNDLES,
     .shape = lpi_shape_as_first,
     .samples = "input x: float32[2, 3]; y = Identity(x); output y"},
    {VIEW("Reshape", 2, 2), .params_size = sizeof(reshape),
     .specs = reshape_specs, .settle = reshape_settle, .shape = reshape_shape,
     .samples = "input x: float32[2, 3, 4]; weight s: int64[3] = {0, -1, 2}; "
                "y = Reshape(x, s); output y\n---\n"
                "input x: float32[0, 3]; weight s: int64[2] = {3, 0}; "
                "y = Reshape(x, s) {allowzero: 1}; output y\n---\n"
                "opset 4; input x: float32[2, 3]; "
                "y = Reshape(x) {shape: [6]}; output y"},
    {VIEW("Flatten", 1, 1), .params_size = sizeof(flatten),
     .specs = flatten_specs, .shape = flatten_shape,
     .samples = "input x: float32[2, 3, 4]; y = Flatten(x) {axis: -1}; "
                "output y"},
    {VIEW("Squeeze", 1, 2), .settle = axes_settle, .shape = squeeze_shape,
     .samples = "input x: float32[1, 3, 1]; weight a: int64[1] = {-1}; "
                "y = Squeeze(x, a); output y\n---\n"
                "input x: float32[1, 3, 1]; y = Squeeze(x); output y\n---\n"
                "opset 11; input x: float32[1, 3, 1]; "
                "y = Squeeze(x) {axes: [0]}; output y"},
    {VIEW("Unsqueeze", 2, 2), .settle = axes_settle, .shape = unsqueeze_shape,
     .samples = "input x: float32[3]; weight a: int64[2] = {0, -1}; "
                "y = Unsqueeze(x, a); output y\n---\n"
                "opset 11; input x: float32[3]; "
                "y = Unsqueeze(x) {axes: [1]}; output y"},
    {0},
};
