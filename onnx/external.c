/* external.c: content in a file beside the model.
 *
 * Source: onnx's docs/ExternalData.md: entries location (relative to the
 * model's folder), offset, length.  The file may be absent; where it is
 * present, ranges are checked against its size, which is looked up once a
 * file. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* "location" is relative and has no "..". */
static bool is_below(const char *location)
{
    const char *at = location;

    if (!*at || *at == '/')
        return false;
    while (*at) {
        size_t length = strcspn(at, "/");

        if (length == 2 && !memcmp(at, "..", 2))
            return false;
        at += length + (at[length] == '/');
    }
    return true;
}

/* Store the size of the file "location" in "ret_bytes", -1 when it cannot be
 * opened; "name" is the tensor that asks. */
static lp_status side_bytes(lpi_import *import, const char *location,
                            const char *name, int64_t *ret_bytes)
{
    int64_t at = lpi_map_get(import->sides, location);
    lpi_file *file;
    lp_error local = {0};
    lp_status status;

    if (at < 0) {
        status =
            lpi_file_open_below(import->model->path, location, &file, &local);
        if (status == LP_ENOMEM)
            return lpi_import_fail_memory(import);
        if (status != LP_OK && status != LP_EIO)
            return lpi_import_fail(import, "tensor", name,
                                   "its external data '%.200s': %s", location,
                                   local.message);
        at = import->sides_count;
        if (!LPI_GROW(import->scratch, import->side_bytes, import->sides_count,
                      import->sides_room)) {
            if (status == LP_OK)
                lpi_file_close(file);
            return lpi_import_fail_memory(import);
        }
        import->side_bytes[at] = status == LP_OK ? lpi_file_size(file) : -1;
        import->sides_count++;
        if (status == LP_OK)
            lpi_file_close(file);
        if (!lpi_map_set(import->sides, location, at))
            return lpi_import_fail_memory(import);
    }
    *ret_bytes = import->side_bytes[at];
    return LP_OK;
}

/* Read the entries of "proto" into "payload"; "length" -1: not given. */
static lp_status read_entries(const lpi_import *import,
                              const Onnx__TensorProto *proto, const char *name,
                              lpi_payload *payload)
{
    size_t i;

    for (i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];
        const char *key = lpi_onnx_or_empty(entry->key);
        const char *value = lpi_onnx_or_empty(entry->value);
        int64_t *number = !strcmp(key, "offset")   ? &payload->offset
                          : !strcmp(key, "length") ? &payload->length
                                                   : NULL;

        if (!strcmp(key, "location"))
            payload->location = value;
        if (number && (!lpi_parse_int(value, number) || *number < 0))
            return lpi_import_fail(import, "tensor", name,
                                   "the %s of its external data is '%.40s'",
                                   key, value);
    }
    return LP_OK;
}

lp_status lpi_import_external(lpi_import *import,
                              const struct Onnx__TensorProto *proto,
                              lp_tensor *tensor, int64_t bytes)
{
    lpi_payload payload = {.where = LPI_OUTSIDE, .location = "", .length = -1};
    int64_t size;

    LP_TRY(read_entries(import, proto, tensor->name, &payload));
    if (tensor->dtype == LP_STRING)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "strings cannot be external");
    if (!is_below(payload.location))
        return lpi_import_fail(import, "tensor", tensor->name,
                               "its external data '%.200s' do not lie below "
                               "the model's folder",
                               payload.location);
    if (payload.length >= 0 && payload.length != bytes)
        return lpi_import_fail(import, "tensor", tensor->name,
                               "has %lld bytes of content, its shape wants "
                               "%lld",
                               (long long)payload.length, (long long)bytes);
    LP_TRY(side_bytes(import, payload.location, tensor->name, &size));
    if (lpi_add(payload.offset, bytes) == INT64_MAX ||
        (size >= 0 && lpi_add(payload.offset, bytes) > size))
        return lpi_import_fail(import, "tensor", tensor->name,
                               "bytes %lld to %lld lie past the end of "
                               "'%.200s' at %lld",
                               (long long)payload.offset,
                               (long long)lpi_add(payload.offset, bytes),
                               payload.location, (long long)size);
    payload.length = bytes;
    payload.location = lpi_arena_strdup(import->model->arena, payload.location);
    if (!payload.location)
        return lpi_import_fail_memory(import);
    tensor->payload = payload;
    return LP_OK;
}
