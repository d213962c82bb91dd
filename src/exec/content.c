/* content.c: what static tensors hold, made when it is needed.
 *
 * Weights are read or drawn (weights.c); what static layers make of them is
 * computed by their rows, the layers behind it first.  Content in
 * flight hangs on the slots of its frame and is freed after the layer that
 * wanted it; what is small stays, so that a loop does not read it each time. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec.h"

enum { KEPT_TENSOR = 64 << 10, KEPT_ALL = 8 << 20, FLIGHT_ALIGN = 64 };

#define FLIGHT_MOST ((int64_t)1 << 46)

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
    void *flight = MAP_FAILED;
    int64_t size;

    if (content->flight)
        return LP_OK;
    size = static_bytes(exec->model, 0);
    if (size < FLIGHT_MOST)
        flight = mmap(NULL, (size_t)size + 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (flight == MAP_FAILED)
        return lpi_fail(exec->error, LP_ENOMEM, exec->model->path,
                        "no addresses for %lld bytes of weights",
                        (long long)size);
    (void)madvise(flight, (size_t)size + 1, MADV_HUGEPAGE);
    content->flight = flight;
    content->flight_size = size;
    return LP_OK;
}

static void note_peak(lpi_content *content)
{
    int64_t bytes = content->flight_bytes + content->pinned_bytes;

    if (bytes > content->flight_peak_bytes)
        content->flight_peak_bytes = bytes;
}

/* Put "tensor" into flight, on top of the stack. */
static lp_status take_off(lpi_exec *exec, lpi_slot *slot, int64_t size)
{
    lpi_content *content = &exec->content;
    int64_t aligned = (size + FLIGHT_ALIGN - 1) / FLIGHT_ALIGN * FLIGHT_ALIGN;
    int64_t most = exec->options->max_memory_bytes;

    if (most > 0 && content->flight_bytes + aligned > most)
        return lpi_fail(exec->error, LP_EUNSUPPORTED, exec->model->path,
                        "weights in flight take %lld bytes, --max-memory "
                        "allows %lld",
                        (long long)(content->flight_bytes + aligned),
                        (long long)most);
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
    note_peak(content);
    return LP_OK;
}

lp_status lpi_content_slice(lpi_frame *frame, const lp_tensor *tensor,
                            const lpi_box *box, lpi_slot *slot)
{
    int64_t strides[LPI_RANKS], dims[LPI_RANKS], run = 1, count = 1;
    int64_t bytes = lp_dtype_bits(tensor->dtype) / 8, first = 0, i;
    int32_t axis = box->rank, a;

    LP_TRY(lpi_stream_note(frame, tensor));
    lpi_strides(box->rank, tensor->shape.dims, strides);
    for (a = 0; a < box->rank; a++) {
        dims[a] = box->to[a] - box->from[a];
        first += box->from[a] * strides[a];
    }
    while (axis > 0 && run == strides[axis - 1])
        run *= dims[--axis];
    for (a = 0; a < axis; a++)
        count *= dims[a];
    LP_TRY(take_off(frame->exec, slot, run * count * bytes));
    for (i = 0; i < count; i++) {
        int64_t from = first, rest = i;

        for (a = axis - 1; a >= 0; rest /= dims[a--])
            from += rest % dims[a] * strides[a];
        LP_TRY(lpi_content_read_part(frame->exec, frame->model, tensor,
                                     (int64_t[2]){from, from + run},
                                     (char *)slot->bytes + i * run * bytes));
    }
    lpi_width_round(frame, tensor, box, slot->bytes);
    return LP_OK;
}

/* Room for the content of "tensor" in its slot of "frame": what is small, or
 * pinned, stays there. */
static lp_status hold(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_exec *exec = frame->exec;
    lpi_content *content = &exec->content;
    lpi_slot *slot = &frame->slots[tensor->id];
    int64_t size = lpi_tensor_bytes(tensor);
    bool stays = size <= KEPT_TENSOR && content->kept_bytes + size <= KEPT_ALL;

    slot->shape = tensor->shape;
    if (!stays && tensor != content->pinning)
        return take_off(exec, slot, size);
    LP_TRY(lpi_buffer_new(exec, tensor, size, true, &slot->buffer));
    slot->bytes = slot->buffer->bytes;
    slot->is_pinned = !stays;
    content->kept_bytes += stays ? size : 0;
    content->pinned_bytes += stays ? 0 : size;
    note_peak(content);
    return LP_OK;
}

/* ---- what static layers make ----------------------------------------- */

/* What the model holds of static "tensor", or NULL. */
static const void *in_model(const lp_tensor *tensor)
{
    if (tensor->value && !tensor->value_is_bound)
        return tensor->value;
    if (lpi_tensor_elements(tensor) == 0 && !lpi_is_bundle(tensor))
        return "";
    if (tensor->kind != LPI_ACTIVATION && tensor->payload.where == LPI_INLINE)
        return tensor->payload.bytes;
    return NULL;
}

/* Static content that is at hand without work, or NULL. */
static const void *at_hand(const lpi_frame *frame, const lp_tensor *tensor)
{
    const void *bytes = frame->slots[tensor->id].bytes;

    return bytes || lpi_width_rounds(frame, tensor) ? bytes : in_model(tensor);
}

/* The layer that has to run for "tensor"; NULL: none. */
static const lp_layer *maker(const lpi_frame *frame, const lp_tensor *tensor)
{
    return tensor->kind == LPI_ACTIVATION && !at_hand(frame, tensor) &&
                   !in_model(tensor)
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

/* Round what was just put into the slot of "tensor" (NULL) to what is stored.
 */
static void round_static(const lpi_frame *frame, const lp_tensor *tensor)
{
    if (tensor && frame->slots[tensor->id].bytes)
        lpi_width_round_whole(frame, tensor, tensor->shape,
                              frame->slots[tensor->id].bytes);
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
    for (int64_t i = 0; i < c->count; i++) {
        LP_TRY(run_static(frame, c->layers[i]));
        for (int32_t k = 0; k < c->layers[i]->outputs_count; k++)
            round_static(frame, c->layers[i]->outputs[k]);
    }
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
    LP_TRY(lpi_stream_note(frame, tensor));
    while (tensor->kind == LPI_CAPTURE && !at_hand(frame, tensor)) {
        tensor = tensor->outer;
        frame = frame->outer;
    }
    *ret_bytes = at_hand(frame, tensor);
    if (*ret_bytes)
        return LP_OK;
    if (in_model(tensor)) {
        LP_TRY(hold(frame, tensor));
        memcpy(frame->slots[tensor->id].bytes, in_model(tensor),
               (size_t)lpi_tensor_bytes(tensor));
        round_static(frame, tensor);
    } else if (tensor->kind == LPI_ACTIVATION) {
        frame->exec->content.making++;
        lpi_exec_tally(frame->exec, true);
        LP_TRY(make_chain(frame, tensor));
        lpi_exec_tally(frame->exec, false);
        frame->exec->content.making--;
    } else {
        LP_TRY(hold(frame, tensor));
        LP_TRY(lpi_content_read(frame->exec, frame->model, tensor,
                                frame->slots[tensor->id].bytes));
        round_static(frame, tensor);
    }
    *ret_bytes = at_hand(frame, tensor);
    return *ret_bytes
               ? LP_OK
               : lpi_exec_fail(frame->exec, "tensor '%.200s' was not made",
                               tensor->name);
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
