/* operands.c: operands that say what to do (axes, indices, sizes), and the
 * bytes of operands that are read in part.
 *
 * Older opsets have many of them as attributes; settling makes them operands,
 * so that shape and run know one form. */
#include <string.h>

#include "ops.h"

lp_status lpi_node_take_ints(lpi_node *node, int32_t i, const char *attr)
{
    const lpi_attr *found = lpi_node_attr(node, attr);

    if (!found || lpi_in(node, i))
        return LP_OK;
    if (found->kind != LPI_ATTR_INTS && found->count)
        return lpi_node_fail(node, "attribute '%s' is no list of integers",
                             attr);
    return lpi_node_add_ints(node, i, found->ints, found->count);
}

lp_status lpi_run_ints(const lpi_run *run, int32_t i, lpi_list *ret_list)
{
    const lp_tensor *tensor = lpi_in(run->node, i);
    lpi_class class = tensor ? lpi_class_of(tensor->dtype) : LPI_NO_CLASS;
    int64_t count = tensor ? lpi_tensor_elements(tensor) : -1;
    void *raw, *ints;

    if (count < 0 || class == LPI_NO_CLASS || !run->in[i])
        return lpi_node_fail(run->node, "lacks integers as input %d", i);
    raw = lpi_arena_array(run->scratch, count, lpi_class_size(class));
    ints = LPI_NEW(run->scratch, int64_t, count);
    if (!raw || !ints)
        return lpi_node_fail_memory(run->node);
    lpi_unpack(tensor->dtype, run->in[i], 0, count, raw);
    lpi_convert(class, raw, LPI_I64, ints, count);
    *ret_list = (lpi_list){.count = count, .ints = ints};
    return LP_OK;
}

lp_status lpi_index(const lpi_node *node, int64_t index, int64_t length,
                    int64_t *ret_index)
{
    if (index < -length || index >= length)
        return lpi_node_fail(node, "index %lld of an axis of %lld elements",
                             (long long)index, (long long)length);
    *ret_index = index < 0 ? index + length : index;
    return LP_OK;
}

lp_status lpi_axes_mask(const lpi_node *node, const lpi_list *axes,
                        int32_t rank, bool *ret_mask)
{
    int64_t i, axis;

    memset(ret_mask, 0, (size_t)rank * sizeof(*ret_mask));
    for (i = 0; i < axes->count; i++) {
        if (!lpi_axis(axes->ints[i], rank, &axis))
            return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                                 (long long)axes->ints[i], rank);
        if (ret_mask[axis])
            return lpi_node_fail(node, "axis %lld is given twice",
                                 (long long)axis);
        ret_mask[axis] = true;
    }
    return LP_OK;
}

/* Bytes of "tensor" as they are read. */
static int64_t bytes_read(const lp_tensor *tensor)
{
    return tensor->is_static ? tensor->stored_bytes : lpi_tensor_bytes(tensor);
}

/* Another input of "node" is the same tensor as input "i". */
static bool read_elsewhere(const lpi_node *node, int32_t i)
{
    int32_t k;

    for (k = 0; k < node->layer->inputs_count; k++)
        if (k != i && node->layer->inputs[k] == node->layer->inputs[i])
            return true;
    return false;
}

void lpi_cost_part(const lpi_node *node, lp_cost *cost, int32_t i,
                   int64_t elements)
{
    const lp_tensor *tensor = lpi_in(node, i);
    int64_t all = lpi_in_elements(node, i), whole, part;

    if (!tensor || elements >= all || read_elsewhere(node, i))
        return;
    whole = bytes_read(tensor);
    part = lpi_add(lpi_mul(whole / all, elements),
                   lpi_ceil_div(lpi_mul(whole % all, elements), all));
    if (part < whole)
        cost->read_bytes -= whole - part;
}

void lpi_cost_unread(const lpi_node *node, lp_cost *cost)
{
    (void)node;
    cost->read_bytes = 0;
}

bool lpi_in_bound(const lpi_node *node)
{
    int32_t i;

    for (i = 0; i < node->layer->inputs_count; i++)
        if (lpi_in(node, i) && lpi_in(node, i)->is_bound)
            return true;
    return node->is_bound;
}

bool lpi_in_absent(const lpi_node *node)
{
    int32_t i;

    for (i = 0; i < node->layer->inputs_count; i++) {
        const lp_tensor *tensor = lpi_in(node, i);

        if (tensor && tensor->payload.where == LPI_OUTSIDE && !tensor->value &&
            lpi_dtype_is_integer(tensor->dtype) &&
            lpi_tensor_elements(tensor) <= LPI_FOLD_MOST)
            return true;
    }
    return false;
}

lp_status lpi_run_refuse(const lpi_run *run, lp_dtype dtype)
{
    return lpi_fail(run->node->error, LP_EUNSUPPORTED, run->node->layer->name,
                    "%s of %s cannot be computed", run->node->layer->op,
                    lp_dtype_name(dtype));
}

void lpi_run_copy(const lpi_run *run, int32_t i, int64_t to, int64_t from,
                  int64_t count)
{
    lpi_copy_run(lp_dtype_bits(lpi_in_dtype(run->node, i)), count,
                 (lpi_place){run->out[0], to, NULL},
                 (lpi_place){(void *)run->in[i], from, NULL});
}

lp_status lpi_run_view(const lpi_run *run)
{
    int64_t elements = lpi_out_elements(run->node, 0);

    if (lpi_is_bundle(lpi_in(run->node, 0)))
        return lpi_run_give(run, 0, run->in[0]);
    if (elements != lpi_in_elements(run->node, 0))
        return lpi_node_fail(run->node, "%lld elements become %lld",
                             (long long)lpi_in_elements(run->node, 0),
                             (long long)elements);
    if (elements > 0 && run->out[0])
        lpi_run_copy(run, 0, 0, 0, elements);
    return LP_OK;
}

lp_status lpi_indices_fit(const lpi_node *node, lp_shape data, lp_shape indices,
                          int64_t axis)
{
    int32_t i;

    for (i = 0; i < data.rank; i++)
        if (i != axis && data.dims[i] >= 0 && indices.dims[i] > data.dims[i] &&
            !lpi_in_bound(node))
            return lpi_node_fail(node,
                                 "axis %d of the indices has %lld elements, of "
                                 "the data %lld",
                                 i, (long long)indices.dims[i],
                                 (long long)data.dims[i]);
    return LP_OK;
}

/* The walk goes over the indices; operand 1 is the data at position 0 of the
 * axis. */
lp_status lpi_run_elements(const lpi_run *run, int64_t axis,
                           void (*each)(const lpi_run *run, int64_t in_data,
                                        int64_t at))
{
    const lpi_node *node = run->node;
    lp_shape data = lpi_in_shape(node, 0), shape = lpi_in_shape(node, 1);
    int64_t *own = LPI_NEW(run->scratch, int64_t, data.rank);
    int64_t *in_data = LPI_NEW(run->scratch, int64_t, data.rank);
    const int64_t *strides[] = {own, in_data};
    int64_t stride, index = 0, i;
    lpi_list indices;
    lpi_walk walk;
    bool more;

    if (!own || !in_data)
        return lpi_node_fail_memory(node);
    LP_TRY(lpi_run_ints(run, 1, &indices));
    lpi_strides(data.rank, shape.dims, own);
    lpi_strides(data.rank, data.dims, in_data);
    stride = in_data[axis];
    in_data[axis] = 0;
    for (more = lpi_walk_start(&walk, data.rank, shape.dims, 2, strides); more;
         more = lpi_walk_next(&walk))
        for (i = 0; i < walk.length; i++) {
            int64_t at = walk.at[0] + i * walk.step[0];

            LP_TRY(lpi_index(node, indices.ints[at], data.dims[axis], &index));
            each(run, walk.at[1] + i * walk.step[1] + index * stride, at);
        }
    return LP_OK;
}
