/* sparse.c: sparse tensors, seen as the dense ones they stand for.
 *
 * The shape is the dense one.  Small content is expanded; large content is
 * not kept.  Source: onnx.proto, SparseTensorProto: indices are positions in
 * the flattened tensor, shape [n], or coordinates, shape [n, rank]. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* Store the position in the dense "tensor" of value "i" in "ret_at"; false
 * when it lies outside. */
static bool position(const lp_tensor *tensor, const lp_tensor *indices,
                     int64_t i, int64_t *ret_at)
{
    int64_t elements = lpi_tensor_elements(tensor), at = 0;
    const char *from = indices->payload.bytes;
    int64_t width = indices->shape.rank == 2 ? tensor->shape.rank : 1;
    int32_t axis;

    for (axis = 0; axis < width; axis++) {
        int64_t size = width == tensor->shape.rank && indices->shape.rank == 2
                           ? tensor->shape.dims[axis]
                           : elements;
        int64_t index;

        memcpy(&index, from + (i * width + axis) * (int64_t)sizeof(index),
               sizeof(index));
        if (index < 0 || index >= size)
            return false;
        at = at * size + index;
    }
    *ret_at = at;
    return true;
}

/* Put the values into a dense content of "bytes" bytes. */
static lp_status expand(lpi_import *import, const lp_tensor *values,
                        const lp_tensor *indices, lp_tensor *tensor,
                        int64_t bytes)
{
    int64_t width = lp_dtype_bits(tensor->dtype) / 8;
    int64_t count = lpi_tensor_elements(values), i, at;
    char *to = lpi_arena_array(import->model->arena, bytes, 1);

    if (!to)
        return lpi_import_fail_memory(import);
    for (i = 0; i < count; i++) {
        if (!position(tensor, indices, i, &at))
            return lpi_import_fail(import, "sparse tensor", tensor->name,
                                   "index %lld lies outside", (long long)i);
        memcpy(to + at * width, (const char *)values->payload.bytes + i * width,
               (size_t)width);
    }
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = to, .length = bytes};
    return LP_OK;
}

lp_status lpi_import_sparse(lpi_import *import,
                            const struct Onnx__SparseTensorProto *proto,
                            lp_tensor *tensor)
{
    lp_tensor values = {.name = tensor->name, .shape = lpi_shape_unknown};
    lp_tensor indices = {.name = tensor->name, .shape = lpi_shape_unknown};
    int64_t bytes, count;

    if (!proto->values || !proto->indices)
        return lpi_import_fail(import, "sparse tensor", tensor->name,
                               "has no values, or no indices");
    LP_TRY(lpi_import_tensor(import, proto->values, &values));
    LP_TRY(lpi_import_tensor(import, proto->indices, &indices));
    LP_TRY(lpi_import_shape(import, tensor, (int32_t)values.dtype, proto->dims,
                            proto->n_dims));
    bytes = lpi_tensor_bytes(tensor);
    count = lpi_tensor_elements(&values);
    if (values.shape.rank != 1 || indices.dtype != LP_INT64 ||
        (indices.shape.rank != 1 && indices.shape.rank != 2) ||
        indices.shape.dims[0] != count ||
        (indices.shape.rank == 2 &&
         indices.shape.dims[1] != tensor->shape.rank))
        return lpi_import_fail(import, "sparse tensor", tensor->name,
                               "its indices do not fit its %lld values",
                               (long long)count);
    if (bytes > LPI_ONNX_LINK_BYTES || values.payload.where != LPI_INLINE ||
        indices.payload.where != LPI_INLINE || lp_dtype_bits(tensor->dtype) < 8)
        return LP_OK;
    return expand(import, &values, &indices, tensor, bytes);
}
