/* mask.c: elements chosen by their position: OneHot, Trilu.
 *
 * Source: ONNX operators OneHot-28, Trilu-14. */
#include <string.h>

#include "../ops.h"

/* ---- OneHot ------------------------------------------------------------- */

typedef struct one_hot {
    int64_t axis;
} one_hot;

static const lpi_spec one_hot_specs[] = {
    LPI_SPEC_INT(one_hot, axis, -1),
    {0},
};

static lp_status one_hot_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    int64_t axis = ((const one_hot *)node->params)->axis, *dims;
    lpi_list depth;
    int32_t i;

    if (in.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 2),
                                 lpi_shape_unknown);
    if (!lpi_axis(axis, in.rank + 1, &axis))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)axis, in.rank + 1);
    dims = lpi_node_dims(node, in.rank + 1);
    if (!dims)
        return lpi_node_fail_memory(node);
    for (i = 0; i <= in.rank; i++)
        dims[i] = i < axis ? in.dims[i] : i > axis ? in.dims[i - 1] : -1;
    if (lpi_in_ints(node, 1, &depth)) {
        if (depth.count != 1 || depth.ints[0] < 0)
            return lpi_node_fail(node, "depth is no count");
        dims[axis] = depth.ints[0];
    }
    if (lpi_shape_elements(lpi_in_shape(node, 2)) >= 0 &&
        lpi_in_elements(node, 2) != 2)
        return lpi_node_fail(node, "has %lld values, must have 2",
                             (long long)lpi_in_elements(node, 2));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 2), in.rank + 1, dims);
}

/* All off, then one on for each index that is in range. */
static lp_status one_hot_run(const lpi_run *run)
{
    const lp_tensor *out = lpi_out(run->node, 0);
    int32_t bits = lp_dtype_bits(out->dtype);
    int64_t axis = 0, depth, inner, count = lpi_tensor_elements(out), i;
    const int64_t one = 1, none = 0;
    lpi_list indices;

    LP_TRY(lpi_run_ints(run, 0, &indices));
    lpi_axis(((const one_hot *)run->node->params)->axis, out->shape.rank,
             &axis);
    depth = out->shape.dims[axis];
    inner = lpi_dims_product(out->shape, axis + 1, out->shape.rank);
    lpi_copy_box(bits, 1, &count, (lpi_place){run->out[0], 0, &one},
                 (lpi_place){(void *)run->in[2], 0, &none});
    for (i = 0; i < indices.count; i++) {
        int64_t index = indices.ints[i];

        if (index < -depth || index >= depth)
            continue;
        index += index < 0 ? depth : 0;
        lpi_run_copy(run, 2, (i / inner * depth + index) * inner + i % inner, 1,
                     1);
    }
    return LP_OK;
}

/* ---- Trilu -------------------------------------------------------------- */

typedef struct trilu {
    int64_t upper;
} trilu;

static const lpi_spec trilu_specs[] = {
    LPI_SPEC_INT(trilu, upper, 1),
    {0},
};

static lp_status trilu_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);

    if (in.rank >= 0 && in.rank < 2)
        return lpi_node_fail(node, "input of rank %d, must be 2 or more",
                             in.rank);
    return lpi_shape_as_first(node);
}

static lp_status trilu_run(const lpi_run *run)
{
    const lp_tensor *out = lpi_out(run->node, 0);
    bool upper = ((const trilu *)run->node->params)->upper != 0;
    int32_t rank = out->shape.rank;
    int64_t rows = out->shape.dims[rank - 2];
    int64_t columns = out->shape.dims[rank - 1];
    int64_t count = lpi_dims_product(out->shape, 0, rank - 1), k = 0, row;
    lpi_list list;

    if (lpi_in(run->node, 1)) {
        LP_TRY(lpi_run_ints(run, 1, &list));
        k = list.count == 1 ? list.ints[0] : 0;
    }
    k = k < -rows ? -rows : k > columns ? columns : k;
    memset(run->out[0], 0, (size_t)lpi_tensor_bytes(out));
    for (row = 0; row < count && columns > 0; row++) {
        int64_t cut = row % rows + k + (upper ? 0 : 1);
        int64_t at = row * columns;

        cut = cut < 0 ? 0 : cut > columns ? columns : cut;
        lpi_run_copy(run, 0, at + (upper ? cut : 0), at + (upper ? cut : 0),
                     upper ? columns - cut : cut);
    }
    return LP_OK;
}

const lp_op lpi_ops_mask[] = {
    {.domain = "",
     .name = "OneHot",
     .operands = ".*,.!,.2",
     .since = 9,
     .inputs_min = 3,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "iid",
     .params_size = sizeof(one_hot),
     .specs = one_hot_specs,
     .shape = one_hot_shape,
     .run = one_hot_run,
     .samples = "input i: int64[2, 3]; weight d: int64[] = {4}; "
                "weight v: float32[2] = {0.0, 1.0}; "
                "y = OneHot(i, d, v) {axis: 1}; output y"},
    {.domain = "",
     .name = "Trilu",
     .operands = ".*,.!",
     .since = 14,
     .inputs_min = 1,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .params_size = sizeof(trilu),
     .specs = trilu_specs,
     .shape = trilu_shape,
     .run = trilu_run,
     .samples = "input x: float32[2, 3, 4]; weight k: int64[] = {1}; "
                "y = Trilu(x, k); output y\n---\n"
                "input x: float32[3, 3]; y = Trilu(x) {upper: 0}; output y"},
    {0},
};
