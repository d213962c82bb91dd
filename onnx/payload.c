/* payload.c: dtype, shape and content of a TensorProto.
 *
 * Small content is decoded into storage form: little-endian, elements below
 * eight bits packed (onnx.proto, TensorProto).  Large content stays in the
 * file, where the skimmer's link says.  A tensor without any content is taken
 * as one whose weights were removed; wrong content is an error. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* Fields of TensorProto that hold content. */
enum {
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    INT64_DATA = 7,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    UINT64_DATA = 11
};

/* Content of one field: "count" numbers of "size" bytes. */
typedef struct numbers {
    const void *items;
    size_t count, size;
} numbers;

/* The field for numbers of "dtype" that are not raw. */
static uint32_t field_of(lp_dtype dtype)
{
    switch (dtype) {
    case LP_FLOAT32:
    case LP_COMPLEX64:
        return FLOAT_DATA;
    case LP_FLOAT64:
    case LP_COMPLEX128:
        return DOUBLE_DATA;
    case LP_INT64:
        return INT64_DATA;
    case LP_UINT32:
    case LP_UINT64:
        return UINT64_DATA;
    default:
        return INT32_DATA;
    }
}

/* Bytes in storage form of one number in the field of "dtype"; one number
 * holds several elements when they are below eight bits. */
static int64_t number_bytes(lp_dtype dtype)
{
    int32_t bits = lp_dtype_bits(dtype);

    if (dtype == LP_COMPLEX64 || dtype == LP_COMPLEX128)
        bits /= 2;
    return bits < 8 ? 1 : bits / 8;
}

static numbers numbers_of(const Onnx__TensorProto *proto, uint32_t field)
{
    switch (field) {
    case FLOAT_DATA:
        return (numbers){proto->float_data, proto->n_float_data, 4};
    case DOUBLE_DATA:
        return (numbers){proto->double_data, proto->n_double_data, 8};
    case INT64_DATA:
        return (numbers){proto->int64_data, proto->n_int64_data, 8};
    case UINT64_DATA:
        return (numbers){proto->uint64_data, proto->n_uint64_data, 8};
    default:
        return (numbers){proto->int32_data, proto->n_int32_data, 4};
    }
}

static lp_status wrong_length(const lpi_import *import, const lp_tensor *tensor,
                              int64_t got, int64_t wanted)
{
    return lpi_import_fail(import, "tensor", tensor->name,
                           "has %lld bytes of content, its shape wants %lld",
                           (long long)got, (long long)wanted);
}

static lp_status wrong_field(const lpi_import *import, const lp_tensor *tensor)
{
    return lpi_import_fail(import, "tensor", tensor->name,
                           "its content stands in a field that is not for %s",
                           lp_dtype_name(tensor->dtype));
}

/* Keep "bytes" bytes at "from" as the content of "tensor". */
static lp_status keep_raw(lpi_import *import, lp_tensor *tensor,
                          const void *from, int64_t bytes)
{
    void *copy = lpi_arena_array(import->model->arena, bytes, 1);

    if (!copy)
        return lpi_import_fail_memory(import);
    if (bytes)
        memcpy(copy, from, (size_t)bytes);
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = copy, .length = bytes};
    return LP_OK;
}

/* Keep the numbers of a field as the content of "tensor": of each the low
 * bytes. */
static lp_status keep_numbers(lpi_import *import,
                              const Onnx__TensorProto *proto, lp_tensor *tensor,
                              int64_t bytes)
{
    numbers from = numbers_of(proto, field_of(tensor->dtype));
    size_t width = (size_t)number_bytes(tensor->dtype), i;
    size_t all = proto->n_float_data + proto->n_int32_data +
                 proto->n_int64_data + proto->n_double_data +
                 proto->n_uint64_data;
    const char *items = from.items;
    char *to;

    if (all != from.count)
        return wrong_field(import, tensor);
    if (!all && bytes)
        return LP_OK;
    if (lpi_mul((int64_t)all, (int64_t)width) != bytes)
        return wrong_length(import, tensor, (int64_t)(all * width), bytes);
    to = lpi_arena_array(import->model->arena, bytes, 1);
    if (!to)
        return lpi_import_fail_memory(import);
    for (i = 0; i < all; i++)
        memcpy(to + i * width, items + i * from.size, width);
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = to, .length = bytes};
    return LP_OK;
}

/* Point "tensor" at its content in the file.  Of varints only the range of
 * their count can be checked without reading. */
static lp_status keep_link(lpi_import *import, const lpi_onnx_link *link,
                           lp_tensor *tensor, int64_t bytes)
{
    uint32_t field = field_of(tensor->dtype);
    bool varints = link->field == INT32_DATA || link->field == INT64_DATA ||
                   link->field == UINT64_DATA;
    int64_t count = bytes / number_bytes(tensor->dtype);

    if (link->field != RAW_DATA && link->field != field)
        return wrong_field(import, tensor);
    if (link->scattered)
        return LP_OK;
    if (varints ? link->length < count || link->length / 10 > count
                : link->length != bytes)
        return wrong_length(import, tensor, link->length, bytes);
    tensor->payload = (lpi_payload){
        .where = LPI_IN_FILE,
        .encoding = varints ? LPI_VARINT : LPI_RAW,
        .offset = link->offset,
        .length = link->length,
    };
    return LP_OK;
}

/* Keep the texts of "proto", in number as its shape wants, as a bundle; one
 * that holds a NUL leaves the tensor without content. */
static lp_status keep_texts(lpi_import *import, const Onnx__TensorProto *proto,
                            lp_tensor *tensor)
{
    int64_t count = lpi_tensor_elements(tensor);
    const char **texts = LPI_NEW(import->scratch, const char *, count);
    const lpi_bundle *bundle;

    if (!proto->n_string_data && count)
        return LP_OK;
    if ((int64_t)proto->n_string_data != count)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "has %zu texts, its shape wants %lld",
                               proto->n_string_data, (long long)count);
    for (int64_t i = 0; texts && i < count; i++) {
        const ProtobufCBinaryData *from = &proto->string_data[i];

        if (from->len && memchr(from->data, 0, from->len))
            return LP_OK;
        LP_TRY(lpi_import_spend(import, 1 + from->len / 16));
        texts[i] = lpi_arena_strndup(import->scratch,
                                     from->len ? (const char *)from->data : "",
                                     from->len);
        if (!texts[i])
            texts = NULL;
    }
    bundle =
        texts ? lpi_bundle_of_texts(import->model->arena, tensor->shape, texts)
              : NULL;
    if (!bundle)
        return lpi_import_fail_memory(import);
    tensor->payload = (lpi_payload){
        .where = LPI_INLINE, .bytes = bundle, .length = bundle->size};
    return LP_OK;
}

lp_status lpi_import_shape(const lpi_import *import, lp_tensor *tensor,
                           int32_t dtype, const int64_t *dims, size_t rank)
{
    int64_t elements, bytes;
    size_t i;

    if (dtype <= LP_UNDEFINED || dtype >= LP_DTYPE_COUNT)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "has the unknown element type %d", (int)dtype);
    if (rank > LPI_ONNX_RANK)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "has %zu dimensions, more than %d", rank,
                               LPI_ONNX_RANK);
    for (i = 0; i < rank; i++)
        if (dims[i] < 0)
            return lpi_import_fail(import, "tensor", tensor->name,
                                   "dimension %zu is %lld", i,
                                   (long long)dims[i]);
    elements = lpi_product(dims, (int64_t)rank);
    bytes = lpi_storage_bytes((lp_dtype)dtype, elements);
    if (elements == INT64_MAX || bytes == INT64_MAX)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "its dimensions overflow");
    tensor->dtype = (lp_dtype)dtype;
    tensor->shape = lpi_shape_copy(import->model->arena, (int32_t)rank, dims);
    return tensor->shape.rank < 0 ? lpi_import_fail_memory(import) : LP_OK;
}

lp_status lpi_import_tensor(lpi_import *import,
                            const struct Onnx__TensorProto *proto,
                            lp_tensor *tensor)
{
    int64_t bytes;

    LP_TRY(lpi_import_shape(import, tensor,
                            proto->has_data_type ? proto->data_type : 0,
                            proto->dims, proto->n_dims));
    bytes = lpi_tensor_bytes(tensor);
    if (proto->has_data_location &&
        proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return lpi_import_external(import, proto, tensor, bytes);
    if (tensor->dtype == LP_STRING)
        return keep_texts(import, proto, tensor);
    if (proto->segment) {
        LP_ASSERT(proto->segment->begin >= 0 &&
                  proto->segment->begin < import->links->count);
        return keep_link(import, &import->links->items[proto->segment->begin],
                         tensor, bytes);
    }
    if (!proto->has_raw_data)
        return keep_numbers(import, proto, tensor, bytes);
    if ((int64_t)proto->raw_data.len != bytes)
        return wrong_length(import, tensor, (int64_t)proto->raw_data.len,
                            bytes);
    return keep_raw(import, tensor, proto->raw_data.data, bytes);
}
