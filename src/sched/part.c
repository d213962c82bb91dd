/* part.c: which tensors may lie where others lie, by their operators.
 *
 * An element-wise result may take the place of an operand of its shape, an
 * input of Concat may lie inside the result, an output of Split inside the
 * input: blocks of bytes at equal distances.  Lifetimes are another matter. */
#include <string.h>

#include "sched.h"

bool lpi_in_place(const lp_layer *layer, int32_t i)
{
    const lp_tensor *in = layer->inputs[i], *out = layer->outputs[0];
    int32_t j;

    if (!layer->row ||
        !(layer->row->flags & LPI_IN_PLACE ||
          layer->row->run == lpi_pointwise_run) ||
        !lpi_is_value(in) || !lpi_is_value(out) || in->dtype != out->dtype ||
        in->shape.rank < 0 || in->shape.rank != out->shape.rank ||
        in->is_bound != out->is_bound)
        return false;
    for (j = 0; j < layer->inputs_count; j++)
        if (j != i && layer->inputs[j] == in)
            return false;
    return in->shape.rank == 0 ||
           !memcmp(in->shape.dims, out->shape.dims,
                   (size_t)in->shape.rank * sizeof(*in->shape.dims));
}

/* The axis along which "layer", a Concat or a Split, cuts "whole". */
static bool cut_axis(const lp_layer *layer, const lp_tensor *whole,
                     int64_t *ret_axis)
{
    int64_t axis = 0;
    int32_t i;

    for (i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, "axis") &&
            layer->attrs[i].kind == LPI_ATTR_INT)
            axis = layer->attrs[i].i;
    return lpi_axis(axis, whole->shape.rank, ret_axis);
}

bool lpi_part_find(const lp_schedule *schedule, const lp_layer *layer,
                   int32_t i, bool is_concat, lpi_value *ret_box)
{
    const lp_tensor *whole = is_concat ? layer->outputs[0] : layer->inputs[0];
    lp_tensor *const *parts = is_concat ? layer->inputs : layer->outputs;
    int64_t axis, blocks, before = 0, row, bits;
    int32_t j;

    if (strcmp(layer->op, is_concat ? "Concat" : "Split") != 0 ||
        *layer->domain || !lpi_is_value(whole) || whole->is_bound ||
        !cut_axis(layer, whole, &axis))
        return false;
    bits = lp_dtype_bits(lpi_planned_dtype(schedule, whole));
    blocks = lpi_product(whole->shape.dims, axis);
    row =
        lpi_product(whole->shape.dims + axis + 1, whole->shape.rank - axis - 1);
    for (j = 0; j <= i; j++) {
        if (!parts[j] || parts[j]->shape.rank != whole->shape.rank ||
            parts[j]->is_bound)
            return false;
        if (j < i)
            before += parts[j]->shape.dims[axis];
    }
    row *= bits;
    *ret_box = (lpi_value){
        .root_offset = before * row / 8,
        .blocks = blocks > 0 ? blocks : 1,
        .block_bytes = parts[i]->shape.dims[axis] * row / 8,
        .stride_bytes = whole->shape.dims[axis] * row / 8,
    };
    return lp_dtype_bits(whole->dtype) % 8 == 0 &&
           lpi_same_width(schedule, whole, parts[i]) && before * row % 8 == 0 &&
           parts[i]->shape.dims[axis] * row % 8 == 0 &&
           whole->shape.dims[axis] * row % 8 == 0;
}
