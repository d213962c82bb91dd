/* bundle.c: files that are one SequenceProto, OptionalProto, or TensorProto of
 * texts, as ONNX's test data are.
 *
 * Both kinds of containers have their items in fields of the same numbers.
 * The wire is walked here; a tensor of numbers is unpacked and decoded as that
 * of a model is. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

enum {
    SCRATCH_MIB = 256,
    DIMS = 1,
    DATA_TYPE = 2,
    STRING_DATA = 6,
    ITEM_TENSOR = 3,
    ITEM_SEQUENCE = 5,
    ITEM_OPTIONAL = 7
};

/* What one reading shares. */
typedef struct reader {
    lpi_wire wire;
    lpi_import import;
    lpi_arena *arena; /* of the result */
} reader;

/* What a TensorProto of texts holds. */
typedef struct texts {
    int64_t dims[LPI_ONNX_RANK], rank;
    uint64_t dtype;
    const char **items;
    int64_t count, room;
} texts;

/* Add "value" to the dimensions. */
static lp_status add_dim(reader *r, texts *t, uint64_t value)
{
    if (t->rank == LPI_ONNX_RANK || value > INT32_MAX)
        return lpi_wire_fail(&r->wire, r->wire.offset, "dimension %lld is %llu",
                             (long long)t->rank, (unsigned long long)value);
    t->dims[t->rank++] = (int64_t)value;
    return LP_OK;
}

/* Keep the next bytes as a text. */
static lp_status add_text(reader *r, texts *t, int64_t end)
{
    lpi_arena *scratch = r->import.scratch;
    int64_t length, first = r->wire.offset;
    lpi_text bytes = {0};
    char *copy = NULL;

    LP_TRY(lpi_wire_length(&r->wire, end, &length));
    LP_TRY(lpi_wire_copy(&r->wire, length, &bytes));
    lpi_text_put(&bytes, "");
    if (!bytes.failed && LPI_GROW(scratch, t->items, t->count, t->room))
        copy = lpi_arena_strndup(scratch, bytes.bytes ? bytes.bytes : "",
                                 bytes.length);
    lpi_text_drop(&bytes);
    if (!copy)
        return lpi_fail_memory(r->wire.error);
    if ((int64_t)strlen(copy) != length)
        return lpi_wire_fail(&r->wire, first, "a text holds a NUL");
    t->items[t->count++] = copy;
    return LP_OK;
}

/* The dimensions, dtype and texts of the TensorProto that ends at "end". */
static lp_status scan_tensor(reader *r, int64_t end, texts *t)
{
    while (r->wire.offset < end) {
        lpi_wire_type type;
        uint64_t value;
        uint32_t number;
        int64_t stop;

        LP_TRY(lpi_wire_tag(&r->wire, end, &number, &type));
        if (number == STRING_DATA && type == LPI_WIRE_BYTES) {
            LP_TRY(add_text(r, t, end));
        } else if (number == DIMS && type == LPI_WIRE_BYTES) {
            LP_TRY(lpi_wire_length(&r->wire, end, &stop));
            stop += r->wire.offset;
            while (r->wire.offset < stop) {
                LP_TRY(lpi_wire_varint(&r->wire, stop, &value));
                LP_TRY(add_dim(r, t, value));
            }
        } else if (type == LPI_WIRE_VARINT) {
            LP_TRY(lpi_wire_varint(&r->wire, end, &value));
            if (number == DIMS)
                LP_TRY(add_dim(r, t, value));
            if (number == DATA_TYPE)
                t->dtype = value;
        } else {
            LP_TRY(lpi_wire_skip(&r->wire, end, type));
        }
    }
    return LP_OK;
}

/* The tensor of numbers in the "length" bytes at the place of the wire. */
static lp_status read_numbers(reader *r, int64_t length,
                              const lpi_bundle **ret_bundle)
{
    lpi_import *import = &r->import;
    struct Onnx__TensorProto *proto = NULL;
    lpi_text bytes = {0};
    lp_tensor *tensor;
    lp_status status = lpi_wire_copy(&r->wire, length, &bytes);

    if (status == LP_OK)
        status = lpi_onnx_unpack_tensor(import->scratch,
                                        bytes.bytes ? bytes.bytes : "",
                                        bytes.length, &proto, import->error);
    lpi_text_drop(&bytes);
    if (status != LP_OK)
        return status;
    if (proto->segment || (proto->has_data_location && proto->data_location))
        return lpi_wire_fail(&r->wire, r->wire.offset,
                             "the content of a tensor stands elsewhere");
    LP_TRY(lpi_tensor_add(import->model, "", LPI_CONSTANT, &tensor,
                          import->error));
    LP_TRY(lpi_import_tensor(import, proto, tensor));
    if (lpi_tensor_elements(tensor) == 0)
        tensor->value = "";
    LP_TRY(lpi_tensor_load(import->model, tensor, INT64_MAX, import->error));
    if (!tensor->value)
        return lpi_wire_fail(&r->wire, r->wire.offset,
                             "a tensor has no content");
    *ret_bundle = lpi_bundle_tensor(r->arena, tensor->dtype, tensor->shape,
                                    tensor->value);
    return *ret_bundle ? LP_OK : lpi_fail_memory(import->error);
}

static lp_status read_tensor(reader *r, int64_t end,
                             const lpi_bundle **ret_bundle)
{
    int64_t first = r->wire.offset;
    texts t = {.rank = 0};

    LP_TRY(scan_tensor(r, end, &t));
    if (t.dtype != LP_STRING) {
        r->wire.offset = first;
        return read_numbers(r, end - first, ret_bundle);
    }
    if (lpi_product(t.dims, t.rank) != t.count)
        return lpi_wire_fail(&r->wire, first,
                             "%lld texts do not fit their shape",
                             (long long)t.count);
    *ret_bundle = lpi_bundle_of_texts(
        r->arena, (lp_shape){(int32_t)t.rank, t.dims}, t.items);
    return *ret_bundle ? LP_OK : lpi_fail_memory(r->wire.error);
}

/* The value of "container" that ends at "end". */
static lp_status read_value(reader *r, lpi_container container, int64_t end,
                            int32_t depth, const lpi_bundle **ret_bundle)
{
    const lpi_bundle **items = NULL;
    int64_t count = 0, room = 0;

    if (container == LPI_TENSOR)
        return read_tensor(r, end, ret_bundle);
    if (depth >= LPI_BUNDLES_DEEP)
        return lpi_wire_fail(&r->wire, r->wire.offset, "values nest too deep");
    while (r->wire.offset < end) {
        lpi_wire_type type;
        uint32_t number;
        int64_t length;

        LP_TRY(lpi_wire_tag(&r->wire, end, &number, &type));
        if ((number != ITEM_TENSOR && number != ITEM_SEQUENCE &&
             number != ITEM_OPTIONAL) ||
            type != LPI_WIRE_BYTES) {
            LP_TRY(lpi_wire_skip(&r->wire, end, type));
            continue;
        }
        LP_TRY(lpi_wire_length(&r->wire, end, &length));
        if (!LPI_GROW(r->import.scratch, items, count, room))
            return lpi_fail_memory(r->wire.error);
        LP_TRY(read_value(r,
                          number == ITEM_TENSOR     ? LPI_TENSOR
                          : number == ITEM_SEQUENCE ? LPI_SEQUENCE
                                                    : LPI_OPTIONAL,
                          r->wire.offset + length, depth + 1, &items[count]));
        count++;
    }
    if (container == LPI_OPTIONAL && count > 1)
        return lpi_wire_fail(&r->wire, end, "an optional holds %lld values",
                             (long long)count);
    *ret_bundle = lpi_bundle_of_items(r->arena, container, count, items);
    return *ret_bundle ? LP_OK : lpi_fail_memory(r->wire.error);
}

lp_status lpi_onnx_bundle_read(const char *path, lpi_container container,
                               lpi_arena *arena, const lpi_bundle **ret_bundle,
                               lp_error *error)
{
    lpi_arena *scratch;
    lp_status status;
    lpi_file *file;

    LP_TRY(lpi_file_open(path, &file, error));
    scratch = lpi_arena_new((int64_t)SCRATCH_MIB << 20);
    lpi_onnx_links links = {0};
    reader r = {.wire = {.file = file, .error = error},
                .import = {.scratch = scratch,
                           .model = lpi_model_new(path, 0),
                           .links = &links,
                           .error = error},
                .arena = arena};

    status = scratch && r.import.model
                 ? read_value(&r, container, lpi_file_size(file), 0, ret_bundle)
                 : lpi_fail_memory(error);
    lp_model_free(r.import.model);
    lpi_arena_free(scratch);
    lpi_file_close(file);
    if (status != LP_OK && error && !error->where[0])
        lpi_fail_within(error, status, path);
    return status;
}
