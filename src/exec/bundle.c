/* bundle.c: bundles while a graph runs: kept in buffers, as arrays, compared;
 * SequenceMap.
 *
 * An array of dtype LP_UNDEFINED holds a sequence or an optional, one of
 * LP_STRING texts: its bytes are a bundle.  Graphs that hold any run on the
 * heap.  Source: ONNX operator SequenceMap-17. */
#include <string.h>

#include "exec.h"

enum { ARENA_CAP_GIB = 1 };

bool lpi_array_is_bundle(const lp_array *array)
{
    return array->dtype == LP_UNDEFINED || array->dtype == LP_STRING;
}

lp_array *lpi_array_of_bundle(const lpi_bundle *bundle)
{
    const lp_shape bytes = {1, &bundle->size};
    lp_array *array = lpi_array_new(LP_UINT8, bytes);

    if (!array)
        return NULL;
    memcpy(array->bytes, bundle, (size_t)bundle->size);
    array->dtype = (lp_dtype)bundle->dtype;
    array->shape = lpi_bundle_shape(array->bytes);
    return array;
}

lp_status lpi_array_read(const char *path, const lp_tensor *tensor,
                         lp_array **ret_array, lp_error *error)
{
    const lpi_declared *declared = tensor ? tensor->declared : NULL;
    const lpi_bundle *bundle;
    lpi_arena *arena;
    lp_status status;

    if (!declared ||
        (declared->container == LPI_TENSOR && declared->dtype != LP_STRING))
        return lp_array_read(path, 0, ret_array, error);
    arena = lpi_arena_new((int64_t)ARENA_CAP_GIB << 30);
    status = arena ? lpi_onnx_bundle_read(path, declared->container, arena,
                                          &bundle, error)
                   : lpi_fail_memory(error);
    if (status == LP_OK && !(*ret_array = lpi_array_of_bundle(bundle)))
        status = lpi_fail_memory(error);
    lpi_arena_free(arena);
    return status;
}

/* "text" as much of it as a message takes. */
static void differ(lp_difference *difference, const char *what, int64_t i)
{
    if (!difference->count++)
        snprintf(difference->message, sizeof(difference->message), "%s %lld",
                 what, (long long)i);
}

/* What differs between two tensors of texts of one shape. */
static void compare_texts(const lpi_bundle *got, const lpi_bundle *wanted,
                          lp_difference *difference)
{
    const char *a = lpi_bundle_bytes(got), *b = lpi_bundle_bytes(wanted);

    for (int64_t i = 0; i < wanted->count; i++) {
        if (strcmp(a, b) != 0)
            differ(difference, "differs in text", i);
        a += strlen(a) + 1;
        b += strlen(b) + 1;
    }
}

/* A bundle of a tensor as an array that owns nothing. */
static lp_array view_of(const lpi_bundle *bundle)
{
    lp_shape shape = lpi_bundle_shape(bundle);

    return (lp_array){
        .dtype = (lp_dtype)bundle->dtype,
        .shape = shape,
        .size_bytes = lpi_storage_bytes((lp_dtype)bundle->dtype, bundle->count),
        .bytes = (void *)lpi_bundle_bytes(bundle)};
}

static lp_status compare(const lpi_bundle *got, const lpi_bundle *wanted,
                         const lp_tolerance *tolerance, int32_t depth,
                         lp_difference *difference, lp_error *error)
{
    lp_status status = LP_OK;

    if (got->container != wanted->container || got->dtype != wanted->dtype ||
        depth > LPI_BUNDLES_DEEP) {
        differ(difference, "is of another kind at depth", depth);
    } else if (got->count != wanted->count) {
        differ(difference, "does not have as many items:", wanted->count);
    } else if (wanted->container == LPI_TENSOR && wanted->dtype == LP_STRING) {
        compare_texts(got, wanted, difference);
    } else if (wanted->container == LPI_TENSOR) {
        lp_array a = view_of(got), b = view_of(wanted);
        lp_difference own;

        LP_TRY(lp_array_compare(&a, &b, tolerance, &own, error));
        if (!own.same && !difference->count)
            *difference = own;
    }
    for (int64_t i = 0; wanted->container != LPI_TENSOR && !difference->count &&
                        status == LP_OK && i < wanted->count;
         i++)
        status = compare(lpi_bundle_item(got, i), lpi_bundle_item(wanted, i),
                         tolerance, depth + 1, difference, error);
    return status;
}

lp_status lpi_bundles_compare(const lp_array *got, const lp_array *wanted,
                              const lp_tolerance *tolerance,
                              lp_difference *ret_difference, lp_error *error)
{
    lp_difference difference = {0};

    if (!lpi_array_is_bundle(got) || !lpi_array_is_bundle(wanted))
        differ(&difference, "is a tensor of numbers, or must be; dtype",
               got->dtype);
    else
        LP_TRY(compare(got->bytes, wanted->bytes, tolerance, 0, &difference,
                       error));
    difference.same = !difference.count;
    *ret_difference = difference;
    return LP_OK;
}

lp_status lpi_frame_bundle(lpi_frame *frame, const lp_tensor *tensor,
                           const lpi_bundle *bundle)
{
    lpi_slot *slot = &frame->slots[tensor->id];

    if (!bundle || !lpi_is_bundle(tensor))
        return lpi_exec_fail(
            frame->exec, "tensor '%.200s' gets a %s", tensor->name,
            bundle ? "sequence or text, and is none" : "tensor, and is none");
    lpi_buffer_drop(frame->exec, slot->buffer);
    slot->buffer = NULL;
    LP_TRY(lpi_buffer_new(frame->exec, tensor, bundle->size, false,
                          &slot->buffer));
    slot->bytes = slot->buffer->bytes;
    memcpy(slot->bytes, bundle, (size_t)bundle->size);
    return tensor->container == LPI_TENSOR
               ? lpi_frame_shape(frame, tensor, lpi_bundle_shape(slot->bytes))
               : LP_OK;
}

lp_status lpi_check_bundle(const lpi_frame *frame, const lp_tensor *tensor)
{
    return lpi_is_bundle(tensor) && tensor->is_static &&
                   tensor->payload.where != LPI_INLINE
               ? lpi_exec_fail(frame->exec,
                               "tensor '%.200s': its texts have no content",
                               tensor->name)
               : LP_OK;
}

/* ---- SequenceMap ----------------------------------------------------- */

/* Give input "k" of the body item "i" of operand "k", or the operand itself
 * where it is no sequence. */
static lp_status put_item(lpi_frame *frame, const lp_layer *layer,
                          lpi_frame *inner, int32_t k, int64_t i)
{
    const lp_tensor *from = layer->inputs[k], *to = inner->model->inputs[k];
    const lpi_bundle *sequence, *item;
    const void *bytes;
    lp_shape shape;
    void *room;

    LP_TRY(lpi_frame_get(frame, from, &bytes, &shape));
    if (from->container == LPI_SEQUENCE) {
        sequence = bytes;
        item = lpi_bundle_item(sequence, i);
        if (!item || item->container != LPI_TENSOR ||
            item->dtype != (int32_t)to->dtype || lpi_is_bundle(to))
            return lpi_exec_fail(frame->exec,
                                 "layer '%.200s': operand %d has no such item",
                                 layer->name, k);
        bytes = lpi_bundle_bytes(item);
        shape = lpi_bundle_shape(item);
    }
    LP_TRY(lpi_frame_put(inner, to, shape, &room));
    memcpy(room, bytes,
           (size_t)lpi_storage_bytes(to->dtype, lpi_shape_elements(shape)));
    return LP_OK;
}

/* Run the body for item "i"; its outputs are kept in "items", a row each. */
static lp_status map_item(lpi_frame *frame, const lp_layer *layer,
                          lpi_frame *inner, int64_t i,
                          const lpi_bundle ***items)
{
    const lp_model *body = inner->model;

    LP_TRY(lpi_frame_start(frame->exec, body, frame, inner));
    for (int32_t k = 0; k < layer->inputs_count; k++)
        LP_TRY(put_item(frame, layer, inner, k, i));
    LP_TRY(lpi_frame_run(inner));
    for (int32_t k = 0; k < layer->outputs_count; k++) {
        const lp_tensor *from = body->outputs[k];
        const void *bytes;
        lp_shape shape;

        LP_TRY(lpi_frame_get(inner, from, &bytes, &shape));
        items[k][i] =
            lpi_is_bundle(from)
                ? NULL
                : lpi_bundle_tensor(frame->shadow, from->dtype, shape, bytes);
        if (!items[k][i])
            return lpi_exec_fail(frame->exec,
                                 "layer '%.200s': item %lld cannot be kept",
                                 layer->name, (long long)i);
    }
    return LP_OK;
}

/* All items, in "inner", a frame of the body. */
static lp_status map_all(lpi_frame *frame, const lp_layer *layer,
                         lpi_frame *inner)
{
    int32_t outputs = layer->outputs_count;
    const lpi_bundle ***items =
        LPI_NEW(frame->shadow, const lpi_bundle **, outputs);
    const void *sequence;
    lp_shape unused;
    int64_t count;

    LP_TRY(lpi_frame_get(frame, layer->inputs[0], &sequence, &unused));
    count = ((const lpi_bundle *)sequence)->count;
    for (int32_t k = 0; items && k < outputs; k++) {
        items[k] = LPI_NEW(frame->shadow, const lpi_bundle *, count);
        if (!items[k])
            items = NULL;
    }
    if (!items)
        return lpi_fail_memory(frame->exec->error);
    for (int64_t i = 0; i < count; i++)
        LP_TRY(map_item(frame, layer, inner, i, items));
    for (int32_t k = 0; k < outputs; k++)
        if (layer->outputs[k])
            LP_TRY(lpi_frame_bundle(frame, layer->outputs[k],
                                    lpi_bundle_of_items(frame->shadow,
                                                        LPI_SEQUENCE, count,
                                                        items[k])));
    return LP_OK;
}

lp_status lpi_map_run(lpi_frame *frame, const lp_layer *layer)
{
    const lp_model *body = lpi_body_of(layer, "body");
    lpi_frame inner = {.exec = NULL};
    lp_status status;

    if (!body || body->inputs_count != layer->inputs_count ||
        body->outputs_count < layer->outputs_count ||
        layer->inputs[0]->container != LPI_SEQUENCE)
        return lpi_exec_fail(frame->exec, "layer '%.200s' maps no sequence",
                             layer->name);
    LP_TRY(lpi_frame_start(frame->exec, body, frame, &inner));
    status = map_all(frame, layer, &inner);
    lpi_frame_end(&inner);
    return status;
}
