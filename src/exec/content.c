/* content.c: what static tensors hold, made when it is needed.
 *
 * A weight is read from its file, or drawn; what static layers make of
 * weights is computed by their rows, the layers behind it first.  Content in
 * flight hangs on the slots of its frame and is freed after the layer that
 * wanted it; what is small stays, so that a loop does not read it each time. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec.h"

enum {
    KEPT_TENSOR = 64 << 10,
    KEPT_ALL = 8 << 20,
    KEY_BYTES = 512,
    FLIGHT_ALIGN = 64
};

#define FLIGHT_MOST ((int64_t)1 << 46)

/* ---- weights: read or drawn ------------------------------------------ */

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

void lpi_content_close(lpi_exec *exec)
{
    lpi_content *content = &exec->content;

    lpi_file_close(content->file);
    lpi_free(content->held);
    if (content->flight)
        munmap(content->flight, (size_t)content->flight_size + 1);
    content->file = NULL;
    content->held = NULL;
    content->flight = NULL;
}

lp_status lpi_content_exists(lpi_exec *exec, const lp_tensor *tensor,
                             bool *ret_exists)
{
    lpi_file *file;

    *ret_exists = true;
    if (tensor->value || tensor->payload.where == LPI_INLINE ||
        lpi_tensor_elements(tensor) == 0)
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
                      const lp_tensor *tensor, void *bytes)
{
    const lp_tensor *stream;
    lpi_draw how;

    if (!exec->content.fills)
        return lpi_exec_fail(exec, "weight '%.200s' has no content",
                             tensor->name);
    LP_TRY(stream_of(exec, tensor, &stream));
    how = lpi_fill_draw(stream == tensor ? model : exec->model, stream);
    if (!lpi_draw_fill(tensor->dtype, &how,
                       lpi_draw_key(exec->content.seed, stream->name),
                       lpi_tensor_elements(tensor), bytes))
        return lpi_exec_fail(exec, "weight '%.200s' of %s cannot be drawn",
                             tensor->name, lp_dtype_name(tensor->dtype));
    return LP_OK;
}

lp_status lpi_content_read(lpi_exec *exec, const lp_model *model,
                           const lp_tensor *tensor, void *bytes)
{
    const lpi_payload *payload = &tensor->payload;
    int64_t size = lpi_tensor_bytes(tensor);
    lpi_file *file = NULL;

    if (payload->where == LPI_INLINE) {
        memcpy(bytes, payload->bytes, (size_t)size);
        return LP_OK;
    }
    if (payload->where != LPI_NOWHERE)
        LP_TRY(open_file(exec, model, payload, &file));
    if (!file)
        return draw(exec, model, tensor, bytes);
    if (payload->encoding == LPI_VARINT)
        return read_varints(exec, file, tensor, bytes);
    if (payload->length >= 0 && payload->length != size)
        return lpi_exec_fail(exec,
                             "tensor '%.200s' has %lld bytes, its shape wants "
                             "%lld",
                             tensor->name, (long long)payload->length,
                             (long long)size);
    return lpi_file_read(file, payload->offset, size, bytes, exec->error);
}

/* ---- in flight ------------------------------------------------------- */

int64_t lpi_content_mark(const lpi_exec *exec)
{
    return exec->content.held_count;
}

void lpi_content_release(lpi_exec *exec, int64_t mark)
{
    lpi_content *content = &exec->content;

    while (content->held_count > mark) {
        lpi_slot *slot = content->held[--content->held_count];

        content->flight_bytes = (char *)slot->bytes - content->flight;
        slot->bytes = NULL;
    }
}

/* Bytes of all static tensors of "model" and its bodies, each aligned: what
 * can be in flight at once. */
static int64_t static_bytes(const lp_model *model, int32_t depth)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < model->tensors_count; i++)
        if (model->tensors[i]->is_static)
            sum = lpi_add(sum, lpi_add(lpi_tensor_bytes(model->tensors[i]),
                                       FLIGHT_ALIGN));
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            sum = lpi_add(sum, static_bytes(body, depth + 1));
    }
    return sum;
}

/* Reserve addresses for all that can be in flight: pages are taken when they
 * are first written, and used again by what comes later. */
static lp_status reserve(lpi_exec *exec)
{
    lpi_content *content = &exec->content;
    int64_t size = static_bytes(exec->model, 0);
    void *flight = MAP_FAILED;

    if (content->flight)
        return LP_OK;
    if (size < FLIGHT_MOST)
        flight = mmap(NULL, (size_t)size + 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (flight == MAP_FAILED)
        return lpi_fail(exec->error, LP_ENOMEM, exec->model->path,
                        "no addresses for %lld bytes of weights",
                        (long long)size);
    content->flight = flight;
    content->flight_size = size;
    return LP_OK;
}

/* Put "tensor" into flight, on top of the stack. */
static lp_status take_off(lpi_exec *exec, lpi_slot *slot, int64_t size)
{
    lpi_content *content = &exec->content;
    int64_t aligned = (size + FLIGHT_ALIGN - 1) / FLIGHT_ALIGN * FLIGHT_ALIGN;

    LP_TRY(reserve(exec));
    if (content->held_count == content->held_room) {
        int64_t room = content->held_room ? 2 * content->held_room : 16;
        lpi_slot **wider =
            lpi_realloc(content->held, (size_t)room * sizeof(*content->held));

        if (!wider)
            return lpi_fail_memory(exec->error);
        content->held = wider;
        content->held_room = room;
    }
    LP_ASSERT(content->flight_bytes + aligned <= content->flight_size);
    slot->bytes = content->flight + content->flight_bytes;
    content->held[content->held_count++] = slot;
    content->flight_bytes += aligned;
    if (content->flight_bytes > content->flight_peak_bytes)
        content->flight_peak_bytes = content->flight_bytes;
    return LP_OK;
}

/* Room for the content of "tensor" in its slot of "frame": what is small
 * stays there. */
static lp_status hold(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_exec *exec = frame->exec;
    lpi_content *content = &exec->content;
    lpi_slot *slot = &frame->slots[tensor->id];
    int64_t size = lpi_tensor_bytes(tensor);

    slot->shape = tensor->shape;
    if (size > KEPT_TENSOR || content->kept_bytes + size > KEPT_ALL)
        return take_off(exec, slot, size);
    slot->buffer = lpi_buffer_new(exec, size, true);
    if (!slot->buffer)
        return lpi_fail_memory(exec->error);
    slot->bytes = slot->buffer->bytes;
    content->kept_bytes += size;
    return LP_OK;
}

/* ---- what static layers make ----------------------------------------- */

/* Static content that is at hand without work, or NULL. */
static const void *at_hand(const lpi_frame *frame, const lp_tensor *tensor)
{
    if (frame->slots[tensor->id].bytes)
        return frame->slots[tensor->id].bytes;
    if (tensor->value && !tensor->value_is_bound)
        return tensor->value;
    if (lpi_tensor_elements(tensor) == 0)
        return "";
    if (tensor->kind != LPI_ACTIVATION && tensor->payload.where == LPI_INLINE)
        return tensor->payload.bytes;
    return NULL;
}

/* The layer that has to run for "tensor"; NULL: none. */
static const lp_layer *maker(const lpi_frame *frame, const lp_tensor *tensor)
{
    return tensor->kind == LPI_ACTIVATION && !at_hand(frame, tensor)
               ? tensor->producer
               : NULL;
}

static int by_id(const void *a, const void *b)
{
    const lp_layer *const *left = a, *const *right = b;

    return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

/* Layers behind static tensors, each once. */
typedef struct chain {
    const lp_layer **layers;
    bool *seen; /* by layer */
    int64_t count;
} chain;

static void add_maker(const lpi_frame *frame, chain *c, const lp_tensor *tensor)
{
    const lp_layer *layer = tensor ? maker(frame, tensor) : NULL;

    if (layer && !c->seen[layer->id]) {
        c->seen[layer->id] = true;
        c->layers[c->count++] = layer;
    }
}

/* Run static "layer", whose operands are at hand, or weights. */
static lp_status run_static(lpi_frame *frame, const lp_layer *layer)
{
    lpi_exec *exec = frame->exec;
    const lpi_node node = {.model = (lp_model *)frame->model,
                           .layer = (lp_layer *)layer};
    lpi_run run = {.node = &node};
    const void **in;
    void **out;

    if (lpi_body_known(layer))
        return lpi_body_run(frame, layer);
    in = LPI_NEW(frame->shadow, const void *, layer->inputs_count);
    out = LPI_NEW(frame->shadow, void *, layer->outputs_count);
    if (!in || !out)
        return lpi_fail_memory(exec->error);
    for (int32_t i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i])
            LP_TRY(lpi_content_get(frame, layer->inputs[i], &in[i]));
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        if (!layer->outputs[i])
            continue;
        LP_TRY(hold(frame, layer->outputs[i]));
        out[i] = frame->slots[layer->outputs[i]->id].bytes;
    }
    run.in = in;
    run.out = out;
    return lpi_layer_compute(frame, &run);
}

/* Run the layers behind static "tensor" of "frame". */
static lp_status make(lpi_frame *frame, const lp_tensor *tensor, chain *c)
{
    add_maker(frame, c, tensor);
    for (int64_t i = 0; i < c->count; i++)
        for (int32_t k = 0; k < c->layers[i]->inputs_count; k++)
            add_maker(frame, c, c->layers[i]->inputs[k]);
    qsort(c->layers, (size_t)c->count, sizeof(*c->layers), by_id);
    for (int64_t i = 0; i < c->count; i++)
        LP_TRY(run_static(frame, c->layers[i]));
    return LP_OK;
}

static lp_status make_chain(lpi_frame *frame, const lp_tensor *tensor)
{
    int64_t layers = frame->model->layers_count;
    chain c = {.layers = lpi_alloc((size_t)layers * sizeof(*c.layers)),
               .seen = lpi_alloc((size_t)layers)};
    lp_status status;

    if (c.layers && c.seen) {
        memset(c.seen, 0, (size_t)layers);
        status = make(frame, tensor, &c);
    } else {
        status = lpi_fail_memory(frame->exec->error);
    }
    lpi_free(c.layers);
    lpi_free(c.seen);
    return status;
}

lp_status lpi_content_get(lpi_frame *frame, const lp_tensor *tensor,
                          const void **ret_bytes)
{
    while (tensor->kind == LPI_CAPTURE && !at_hand(frame, tensor)) {
        tensor = tensor->outer;
        frame = frame->outer;
    }
    *ret_bytes = at_hand(frame, tensor);
    if (*ret_bytes)
        return LP_OK;
    if (tensor->kind == LPI_ACTIVATION) {
        LP_TRY(make_chain(frame, tensor));
    } else {
        LP_TRY(hold(frame, tensor));
        LP_TRY(lpi_content_read(frame->exec, frame->model, tensor,
                                frame->slots[tensor->id].bytes));
    }
    *ret_bytes = at_hand(frame, tensor);
    return *ret_bytes
               ? LP_OK
               : lpi_exec_fail(frame->exec, "tensor '%.200s' was not made",
                               tensor->name);
}
