/* tensor.c: shapes, sizes and the content of tensors.
 *
 * Storage form: elements in row-major order, little-endian, those below eight
 * bits packed from the low bits of each byte (onnx.proto, TensorProto). */
#include <string.h>

#include "graph.h"

const lp_shape lpi_shape_unknown = {.rank = -1};

bool lpi_shape_known(lp_shape shape)
{
    return lpi_shape_elements(shape) >= 0;
}

int64_t lpi_shape_elements(lp_shape shape)
{
    int32_t i;

    if (shape.rank < 0)
        return -1;
    for (i = 0; i < shape.rank; i++)
        if (shape.dims[i] < 0)
            return -1;
    return lpi_product(shape.dims, shape.rank);
}

int64_t lpi_storage_bytes(lp_dtype dtype, int64_t elements)
{
    int32_t bits = lp_dtype_bits(dtype);

    if (bits >= 8)
        return lpi_mul(elements, bits / 8);
    return bits ? lpi_ceil_div(elements, 8 / bits) : 0;
}

int64_t lpi_tensor_elements(const lp_tensor *tensor)
{
    return lpi_shape_elements(tensor->shape);
}

int64_t lpi_tensor_bytes(const lp_tensor *tensor)
{
    int64_t elements = lpi_tensor_elements(tensor);

    return elements < 0 || tensor->container != LPI_TENSOR
               ? 0
               : lpi_storage_bytes(tensor->dtype, elements);
}

void lpi_shape_print(lpi_text *text, lp_shape shape)
{
    int32_t i;

    if (shape.rank < 0)
        lpi_text_put(text, "?");
    if (shape.rank == 0)
        lpi_text_put(text, "scalar");
    for (i = 0; i < shape.rank; i++) {
        lpi_text_put(text, i ? "x" : "");
        if (shape.dims[i] < 0)
            lpi_text_put(text, "?");
        else
            lpi_text_printf(text, "%lld", (long long)shape.dims[i]);
    }
}

lp_shape lpi_shape_copy(lpi_arena *arena, int32_t rank, const int64_t *dims)
{
    int64_t *copy = LPI_NEW(arena, int64_t, rank);

    if (!copy)
        return lpi_shape_unknown;
    if (rank)
        memcpy(copy, dims, (size_t)rank * sizeof(*dims));
    return (lp_shape){.rank = rank, .dims = copy};
}

/* Decode "elements" varints from the "length" bytes at "from" into storage
 * form of "dtype" at "to" (int32_data, int64_data and uint64_data of
 * TensorProto; dtypes of 4 and 2 bits stand there packed, one byte a
 * varint). */
static bool decode_varints(const uint8_t *from, int64_t length, lp_dtype dtype,
                           int64_t elements, uint8_t *to)
{
    int32_t bits = lp_dtype_bits(dtype);
    int64_t width = bits < 8 ? 1 : bits / 8;
    int64_t count = bits < 8 ? lpi_storage_bytes(dtype, elements) : elements;
    int64_t i, at = 0;

    for (i = 0; i < count; i++) {
        uint64_t value = 0;
        int32_t shift = 0;

        do {
            if (at >= length || shift > 63)
                return false;
            value |= (uint64_t)(from[at] & 0x7f) << shift;
            shift += 7;
        } while (from[at++] & 0x80);
        memcpy(to + i * width, &value, (size_t)width);
    }
    return at == length;
}

/* Read the payload of "tensor", "size" bytes in storage form, into "value"
 * through "file". */
static lp_status read_payload(lp_model *model, lpi_file *file,
                              const lp_tensor *tensor, int64_t size,
                              uint8_t *value, lp_error *error)
{
    const lpi_payload *payload = &tensor->payload;
    int64_t length = payload->length < 0 ? size : payload->length;
    uint8_t *coded;

    if (payload->encoding == LPI_RAW) {
        if (length != size)
            return lpi_fail(error, LP_EINPUT, model->path,
                            "tensor '%.200s' has %lld bytes, its shape wants "
                            "%lld",
                            tensor->name, (long long)length, (long long)size);
        return lpi_file_read(file, payload->offset, size, value, error);
    }
    coded = lpi_arena_array(model->arena, length, 1);
    if (!coded)
        return lpi_fail_memory(error);
    LP_TRY(lpi_file_read(file, payload->offset, length, coded, error));
    if (!decode_varints(coded, length, tensor->dtype,
                        lpi_tensor_elements(tensor), value))
        return lpi_fail(error, LP_EINPUT, model->path,
                        "tensor '%.200s': its data do not hold %lld elements",
                        tensor->name, (long long)lpi_tensor_elements(tensor));
    return LP_OK;
}

/* Open the file that holds the payload of "tensor"; "*ret_file" is NULL when
 * there is no such file. */
static lp_status open_payload(const lp_model *model, const lp_tensor *tensor,
                              lpi_file **ret_file, lp_error *error)
{
    lp_error local = {0};
    lp_status status = tensor->payload.where == LPI_IN_FILE
                           ? lpi_file_open(model->path, ret_file, &local)
                           : lpi_file_open_below(model->path,
                                                 tensor->payload.location,
                                                 ret_file, &local);

    if (status == LP_OK)
        return LP_OK;
    *ret_file = NULL;
    if (status == LP_EIO)
        return LP_OK;
    if (error)
        *error = local;
    return status;
}

lp_status lpi_tensor_load(lp_model *model, lp_tensor *tensor, int64_t most,
                          lp_error *error)
{
    int64_t elements = lpi_tensor_elements(tensor);
    int64_t size = lpi_tensor_bytes(tensor);
    lpi_file *file;
    lp_status status;
    uint8_t *value;

    if (tensor->value || tensor->payload.where == LPI_NOWHERE || elements < 0 ||
        elements > most || !lp_dtype_bits(tensor->dtype))
        return LP_OK;
    if (tensor->payload.where == LPI_INLINE) {
        tensor->value = tensor->payload.bytes;
        return LP_OK;
    }
    value = lpi_arena_array(model->arena, size, 1);
    if (!value)
        return lpi_fail_memory(error);
    LP_TRY(open_payload(model, tensor, &file, error));
    if (!file)
        return LP_OK;
    status = read_payload(model, file, tensor, size, value, error);
    lpi_file_close(file);
    if (status == LP_OK)
        tensor->value = value;
    return status;
}
