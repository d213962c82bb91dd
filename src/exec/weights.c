/* weights.c: the content of weights: read from their files, or drawn.
 *
 * The file that was read last stays open.  Weights that are one range of a
 * file are one weight, and are drawn alike. */
#include <string.h>

#include "exec.h"

enum { KEY_BYTES = 512 };

/* Open the file of "payload", or keep the one that is open; "*ret_file" is
 * NULL when there is none. */
static lp_status open_file(lpi_exec *exec, const lp_model *model,
                           const lpi_payload *payload, lpi_file **ret_file)
{
    lpi_content *content = &exec->content;
    const char *location = payload->where == LPI_OUTSIDE ? payload->location
                                                         : NULL;
    lp_error local = {0};
    lp_status status;
    bool same = location
                    ? content->location && !strcmp(location, content->location)
                    : !content->location;

    *ret_file = content->file;
    if (content->file && same)
        return LP_OK;
    lpi_file_close(content->file);
    content->file = *ret_file = NULL;
    status = location ? lpi_file_open_below(model->path, location,
                                            &content->file, &local)
                      : lpi_file_open(model->path, &content->file, &local);
    if (status != LP_OK && status != LP_EIO) {
        *exec->error = local;
        return status;
    }
    content->location = location;
    *ret_file = status == LP_OK ? content->file : NULL;
    return LP_OK;
}

lp_status lpi_content_exists(lpi_exec *exec, const lp_tensor *tensor,
                             bool *ret_exists)
{
    lpi_file *file;

    *ret_exists = true;
    if (tensor->value || tensor->payload.where == LPI_INLINE ||
        (lpi_tensor_elements(tensor) == 0 && !lpi_is_bundle(tensor)))
        return LP_OK;
    if (tensor->payload.where == LPI_NOWHERE) {
        *ret_exists = false;
        return LP_OK;
    }
    LP_TRY(open_file(exec, exec->model, &tensor->payload, &file));
    *ret_exists = file != NULL;
    return LP_OK;
}

/* Decode varints of "file" at "offset", "length" bytes, into "tensor"'s
 * storage form at "to". */
static lp_status read_varints(lpi_exec *exec, lpi_file *file,
                              const lp_tensor *tensor, uint8_t *to)
{
    int32_t bits = lp_dtype_bits(tensor->dtype), shift = 0;
    int64_t at = tensor->payload.offset, end = at + tensor->payload.length;
    int64_t width = bits < 8 ? 1 : bits / 8, left = lpi_tensor_bytes(tensor);
    uint64_t value = 0;

    while (at < end) {
        const uint8_t *window;
        int64_t length, i;

        LP_TRY(lpi_file_window(file, at, &window, &length, exec->error));
        if (length > end - at)
            length = end - at;
        for (i = 0; i < length && shift < 64 && left >= 0; i++) {
            value |= (uint64_t)(window[i] & 0x7f) << shift;
            shift += 7;
            if (window[i] & 0x80)
                continue;
            left -= width;
            if (left >= 0)
                memcpy(to, &value, (size_t)width);
            to += width;
            value = 0;
            shift = 0;
        }
        if (i < length)
            break;
        at += length;
    }
    if (left || shift || at < end)
        return lpi_exec_fail(exec,
                             "tensor '%.200s': its data do not hold "
                             "%lld elements",
                             tensor->name,
                             (long long)lpi_tensor_elements(tensor));
    return LP_OK;
}

/* The tensor whose stream "tensor" takes: weights that are one range of a
 * file are one, called by the first of them. */
static lp_status stream_of(lpi_exec *exec, const lp_tensor *tensor,
                           const lp_tensor **ret_tensor)
{
    const lp_model *model = exec->model;
    char key[KEY_BYTES];
    int64_t first;

    *ret_tensor = tensor;
    if (tensor->payload.where != LPI_OUTSIDE)
        return LP_OK;
    if (!exec->content.first_of) {
        lpi_map *map = lpi_map_new(exec->arena);

        if (!map)
            return lpi_fail_memory(exec->error);
        for (int64_t i = 0; i < model->tensors_count; i++) {
            const lpi_payload *payload = &model->tensors[i]->payload;
            char *copy;

            if (payload->where != LPI_OUTSIDE)
                continue;
            copy = lpi_arena_printf(exec->arena, "%s@%lld", payload->location,
                                    (long long)payload->offset);
            if (!copy ||
                (lpi_map_get(map, copy) < 0 && !lpi_map_set(map, copy, i)))
                return lpi_fail_memory(exec->error);
        }
        exec->content.first_of = map;
    }
    snprintf(key, sizeof(key), "%s@%lld", tensor->payload.location,
             (long long)tensor->payload.offset);
    first = lpi_map_get(exec->content.first_of, key);
    if (first >= 0 && model->tensors[first]->dtype == tensor->dtype)
        *ret_tensor = model->tensors[first];
    return LP_OK;
}

static lp_status draw(lpi_exec *exec, const lp_model *model,
                      const lp_tensor *tensor, const int64_t range[2],
                      void *bytes)
{
    const lp_tensor *stream;
    lpi_draw how;

    if (!exec->content.fills)
        return lpi_exec_fail(exec, "weight '%.200s' has no content",
                             tensor->name);
    LP_TRY(stream_of(exec, tensor, &stream));
    how = lpi_fill_draw(stream == tensor ? model : exec->model, stream);
    if (!lpi_draw_part(tensor->dtype, &how,
                       lpi_draw_key(exec->content.seed, stream->name), range,
                       bytes))
        return lpi_exec_fail(exec, "weight '%.200s' of %s cannot be drawn",
                             tensor->name, lp_dtype_name(tensor->dtype));
    return LP_OK;
}

/* lpi_file_read by all threads; where one fails, all is read anew, to say why.
 */
static lp_status read_shared(lpi_exec *exec, lpi_file *file, int64_t offset,
                             int64_t length, char *bytes)
{
    enum { WORTH = 1 << 18, LINE = 64 }; /* bytes */
    int32_t threads = length < WORTH ? 1 : exec->threads, failed = threads < 2;

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        lp_error error = {.status = LP_OK};
        int64_t from, to;

        lpi_share(length, LINE, i, threads, &from, &to);
        if (threads > 1 && lpi_file_read(file, lpi_add(offset, from), to - from,
                                         bytes + from, &error) != LP_OK)
#pragma omp atomic write
            failed = 1;
    }
    return failed ? lpi_file_read(file, offset, length, bytes, exec->error)
                  : LP_OK;
}

lp_status lpi_content_read(lpi_exec *exec, const lp_model *model,
                           const lp_tensor *tensor, void *bytes)
{
    return lpi_content_read_part(exec, model, tensor,
                                 (int64_t[2]){0, lpi_tensor_elements(tensor)},
                                 bytes);
}

lp_status lpi_content_read_part(lpi_exec *exec, const lp_model *model,
                                const lp_tensor *tensor, const int64_t range[2],
                                void *bytes)
{
    const lpi_payload *payload = &tensor->payload;
    int64_t size = lpi_tensor_bytes(tensor);
    int64_t first = lpi_storage_bytes(tensor->dtype, range[0]);
    lpi_file *file = NULL;

    if (payload->where == LPI_INLINE) {
        memcpy(bytes, payload->bytes, (size_t)size);
        return LP_OK;
    }
    if (payload->where != LPI_NOWHERE)
        LP_TRY(open_file(exec, model, payload, &file));
    if (!file)
        return draw(exec, model, tensor, range, bytes);
    if (payload->encoding == LPI_VARINT)
        return read_varints(exec, file, tensor, bytes);
    if (payload->length >= 0 && payload->length != size)
        return lpi_exec_fail(exec,
                             "tensor '%.200s' has %lld bytes, its shape wants "
                             "%lld",
                             tensor->name, (long long)payload->length,
                             (long long)size);
    return read_shared(exec, file, payload->offset + first,
                       lpi_storage_bytes(tensor->dtype, range[1]) - first,
                       bytes);
}
