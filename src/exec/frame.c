/* frame.c: where the tensors of one graph lie while it runs.
 *
 * A slot has bytes while its tensor is resident.  A capture has no slot of
 * its own: it is looked up in the frame around. */
#include <string.h>

#include "exec.h"

enum { ARENA_CAP_GIB = 2, SPARE_LEAST = 64 << 10 };

lp_status lpi_exec_fail(const lpi_exec *exec, const char *format, ...)
{
    char reason[700];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return lpi_fail(exec->error, LP_EINPUT, exec->model->path, "%s", reason);
}

void lpi_buffer_trim(lpi_exec *exec, int64_t more)
{
    const lpi_counters *counters = &exec->counters;
    int64_t load = lpi_add(counters->heap_bytes, more);

    while (exec->spare &&
           lpi_add(load, exec->spare_bytes) > counters->heap_peak_bytes) {
        lpi_buffer **oldest = &exec->spare, *buffer;

        while ((*oldest)->next)
            oldest = &(*oldest)->next;
        buffer = *oldest;
        *oldest = NULL;
        exec->spare_bytes -= buffer->room;
        lpi_free(buffer);
    }
}

/* The smallest spare buffer of "size" bytes that is not twice as large, taken
 * out; NULL: none. */
static lpi_buffer *take_spare(lpi_exec *exec, int64_t size)
{
    lpi_buffer **link, **best = NULL, *buffer;

    for (link = &exec->spare; *link; link = &(*link)->next)
        if ((*link)->room >= size && (*link)->room / 2 <= size &&
            (!best || (*link)->room < (*best)->room))
            best = link;
    if (!best)
        return NULL;
    buffer = *best;
    *best = buffer->next;
    exec->spare_bytes -= buffer->room;
    return buffer;
}

lp_status lpi_exec_fits(const lpi_exec *exec, int64_t bytes, const char *what,
                        const char *name)
{
    int64_t most = exec->options->max_memory_bytes;

    return most > 0 && bytes > most
               ? lpi_fail(exec->error, LP_EUNSUPPORTED, exec->model->path,
                          "%s '%.200s': %lld bytes, --max-memory allows %lld",
                          what, name, (long long)bytes, (long long)most)
               : LP_OK;
}

lp_status lpi_buffer_new(lpi_exec *exec, const lp_tensor *tensor, int64_t size,
                         bool is_static, lpi_buffer **ret_buffer)
{
    lpi_counters *counters = &exec->counters;
    int64_t load = is_static ? size : lpi_add(counters->heap_bytes, size);
    size_t head = 64;
    lpi_buffer *buffer;
    int64_t room;

    LP_TRY(lpi_exec_fits(exec, load,
                         load == size ? "tensor" : "activations up to tensor",
                         tensor->name));
    buffer = take_spare(exec, size);
    room = buffer ? buffer->room : size;
    if (!buffer && size < INT64_MAX - 64) {
        lpi_buffer_trim(exec, size);
        buffer = lpi_alloc(head + (size_t)size);
    }
    if (!buffer)
        return lpi_fail(exec->error, LP_ENOMEM, exec->model->path,
                        "%lld bytes for tensor '%.200s': out of memory",
                        (long long)size, tensor->name);
    *buffer = (lpi_buffer){
        .size = size,
        .room = room,
        .references = 1,
        .is_static = is_static,
        .bytes = (char *)buffer + head,
    };
    counters->heap_bytes += is_static ? 0 : size;
    if (counters->heap_bytes > counters->heap_peak_bytes)
        counters->heap_peak_bytes = counters->heap_bytes;
    *ret_buffer = buffer;
    return LP_OK;
}

void lpi_buffer_drop(lpi_exec *exec, lpi_buffer *buffer)
{
    if (!buffer || --buffer->references)
        return;
    exec->counters.heap_bytes -= buffer->is_static ? 0 : buffer->size;
    if (buffer->is_static || buffer->room < SPARE_LEAST) {
        lpi_free(buffer);
        return;
    }
    buffer->next = exec->spare;
    exec->spare = buffer;
    exec->spare_bytes += buffer->room;
    lpi_buffer_trim(exec, 0);
}

/* Free what hangs on the slots, and what came into flight since the start. */
static void drop_buffers(lpi_frame *frame)
{
    if (frame->slots)
        lpi_content_release(frame->exec, frame->mark);
    for (int64_t i = 0; frame->slots && i < frame->model->tensors_count; i++)
        lpi_buffer_drop(frame->exec, frame->slots[i].buffer);
    frame->slots = NULL;
}

lp_status lpi_frame_start(lpi_exec *exec, const lp_model *model,
                          lpi_frame *outer, lpi_frame *ret_frame)
{
    lpi_frame *frame = ret_frame;

    if (frame->arena) {
        drop_buffers(frame);
        lpi_arena_reset(frame->arena);
        lpi_arena_reset(frame->shadow);
    } else {
        frame->exec = exec;
        frame->model = model;
        frame->outer = outer;
        frame->depth = outer ? outer->depth + 1 : 0;
        frame->mark = lpi_content_mark(exec);
        frame->arena = lpi_arena_new((int64_t)ARENA_CAP_GIB << 30);
        frame->shadow = lpi_arena_new((int64_t)ARENA_CAP_GIB << 30);
    }
    frame->unit = -1;
    if (frame->depth > LPI_BODIES_DEEP)
        return lpi_exec_fail(exec, "bodies nest deeper than %d",
                             LPI_BODIES_DEEP);
    if (frame->arena && frame->shadow)
        frame->slots = LPI_NEW(frame->arena, lpi_slot, model->tensors_count);
    if (!frame->slots)
        return lpi_fail_memory(exec->error);
    for (int64_t i = 0; i < model->tensors_count; i++)
        frame->slots[i].shape = model->tensors[i]->shape;
    return LP_OK;
}

void lpi_frame_end(lpi_frame *frame)
{
    drop_buffers(frame);
    lpi_arena_free(frame->arena);
    lpi_arena_free(frame->shadow);
    frame->arena = frame->shadow = NULL;
}

lp_status lpi_frame_get(lpi_frame *frame, const lp_tensor *tensor,
                        const void **ret_bytes, lp_shape *ret_shape)
{
    const lpi_slot *slot;

    while (tensor->kind == LPI_CAPTURE && frame->outer) {
        tensor = tensor->outer;
        frame = frame->outer;
    }
    slot = &frame->slots[tensor->id];
    *ret_shape = slot->shape;
    *ret_bytes = slot->bytes;
    if (slot->bytes && tensor->is_static)
        return lpi_stream_note(frame, tensor);
    if (slot->bytes)
        return LP_OK;
    if (tensor->is_static)
        return lpi_content_get(frame, tensor, ret_bytes);
    if (lpi_shape_elements(slot->shape) == 0) {
        *ret_bytes = "";
        return LP_OK;
    }
    return lpi_exec_fail(frame->exec, "tensor '%.200s' is not resident",
                         tensor->name);
}

static bool same_shape(lp_shape a, lp_shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int32_t i = 0; i < a.rank; i++)
        if (a.dims[i] != b.dims[i])
            return false;
    return true;
}

lp_status lpi_frame_shape(lpi_frame *frame, const lp_tensor *tensor,
                          lp_shape shape)
{
    lpi_slot *slot = &frame->slots[tensor->id];

    slot->shape = tensor->shape;
    if (same_shape(shape, tensor->shape))
        return LP_OK;
    slot->shape = lpi_shape_copy(frame->arena, shape.rank, shape.dims);
    return slot->shape.rank < 0 ? lpi_fail_memory(frame->exec->error) : LP_OK;
}

/* The value of "tensor", a result of the unit that runs, or, before the first
 * one, an input of the graph; -1. */
static int64_t value_of(const lpi_frame *frame, const lp_tensor *tensor)
{
    const lpi_program *program = frame->program;

    if (frame->unit >= 0)
        return lpi_program_value(program, frame->unit, tensor, true);
    for (int64_t i = 0; i < frame->model->inputs_count; i++)
        if (frame->model->inputs[i] == tensor)
            return program->input_values[i];
    return -1;
}

/* Where the program wants "tensor", "bytes" of it, now; NULL: nowhere. */
static lp_status planned(lpi_frame *frame, const lp_tensor *tensor,
                         int64_t bytes, void **ret_bytes)
{
    int64_t value = value_of(frame, tensor);
    int64_t room;
    char *at;

    *ret_bytes = NULL;
    if (value < 0)
        return LP_OK;
    if (frame->unit < 0)
        LP_TRY(lpi_program_end(frame, value, false, &at, &room));
    else
        LP_TRY(lpi_program_address(frame, value, frame->unit, &at, &room));
    if (bytes > room)
        return lpi_exec_fail(frame->exec,
                             "tensor '%.200s' takes %lld bytes, %lld were "
                             "planned",
                             tensor->name, (long long)bytes, (long long)room);
    *ret_bytes = at;
    return LP_OK;
}

lp_status lpi_frame_put(lpi_frame *frame, const lp_tensor *tensor,
                        lp_shape shape, void **ret_bytes)
{
    lpi_slot *slot = &frame->slots[tensor->id];
    int64_t elements = lpi_shape_elements(shape);
    int64_t bytes = lpi_storage_bytes(tensor->dtype, elements);

    if (elements < 0 || lpi_mul(elements, 16) == INT64_MAX ||
        !lp_dtype_bits(tensor->dtype))
        return lpi_exec_fail(frame->exec,
                             "tensor '%.200s' has no shape, or no dtype",
                             tensor->name);
    LP_TRY(lpi_frame_shape(frame, tensor, shape));
    if (frame->program) {
        LP_TRY(planned(frame, tensor, bytes, &slot->bytes));
        if (slot->bytes) {
            *ret_bytes = slot->bytes;
            return LP_OK;
        }
    }
    lpi_buffer_drop(frame->exec, slot->buffer);
    slot->buffer = NULL;
    LP_TRY(lpi_buffer_new(frame->exec, tensor, bytes, tensor->is_static,
                          &slot->buffer));
    *ret_bytes = slot->bytes = slot->buffer->bytes;
    return LP_OK;
}
