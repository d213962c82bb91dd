/* stream.c: weights on their way from where they live.
 *
 * Where a schedule names a memory for weights, the first time that a unit asks
 * for the content of a static tensor its stored bytes are traffic; those of a
 * body too, once for all its iterations.  What is pinned is acquired at the
 * first unit of the pin, stays in its slot up to the last one, and is traffic
 * once. */
#include <string.h>

#include "exec.h"

/* The set of tensors that were seen: open addressing over their addresses. */
static bool add_seen(lpi_stream *s, const lp_tensor *tensor)
{
    size_t at = (size_t)((uintptr_t)tensor >> 4) & (size_t)(s->room - 1);

    while (s->seen[at] && s->seen[at] != tensor)
        at = (at + 1) & (size_t)(s->room - 1);
    if (s->seen[at])
        return false;
    s->seen[at] = tensor;
    s->count++;
    return true;
}

/* Room for one more; the set is rebuilt when it is half full. */
static bool make_room(lpi_exec *exec)
{
    lpi_stream *s = &exec->stream, old = *s;

    if (2 * s->count < s->room)
        return true;
    s->room = old.room ? 2 * old.room : 256;
    s->seen = LPI_NEW(exec->arena, const lp_tensor *, s->room);
    s->count = 0;
    for (int64_t i = 0; s->seen && i < old.room; i++)
        if (old.seen[i])
            add_seen(s, old.seen[i]);
    return s->seen != NULL;
}

lp_status lpi_stream_note(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_exec *exec = frame->exec;
    lpi_stream *s = &exec->stream;

    while (tensor->kind == LPI_CAPTURE && frame->outer) {
        tensor = tensor->outer;
        frame = frame->outer;
    }
    if (!s->is_open || exec->content.making)
        return LP_OK;
    if (!make_room(exec))
        return lpi_fail_memory(exec->error);
    if (add_seen(s, tensor) &&
        (frame->depth || !s->pins || !s->pins[tensor->id]))
        exec->counters.traffic_bytes = lpi_add(exec->counters.traffic_bytes,
                                               lpi_width_stored(frame, tensor));
    return LP_OK;
}

/* ---- pins ------------------------------------------------------------ */

/* Acquire "tensor" for a pin; the first of several makes it stay. */
static lp_status pin(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_exec *exec = frame->exec;
    lpi_slot *slot = &frame->slots[tensor->id];
    int64_t mark = lpi_content_mark(exec);
    bool was_there = slot->bytes != NULL;
    const void *bytes;

    if (frame->program->schedule->weights_memory)
        exec->counters.traffic_bytes = lpi_add(exec->counters.traffic_bytes,
                                               lpi_width_stored(frame, tensor));
    if (exec->stream.pins[tensor->id]++ || was_there)
        return LP_OK;
    exec->content.pinning = tensor;
    exec->content.making++;
    LP_TRY(lpi_content_get(frame, tensor, &bytes));
    exec->content.making--;
    exec->content.pinning = NULL;
    lpi_content_release(exec, mark);
    return LP_OK;
}

static void unpin(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_exec *exec = frame->exec;
    lpi_slot *slot = &frame->slots[tensor->id];

    if (--exec->stream.pins[tensor->id] || !slot->is_pinned)
        return;
    exec->content.pinned_bytes -= slot->buffer->size;
    lpi_buffer_drop(exec, slot->buffer);
    slot->buffer = NULL;
    slot->bytes = NULL;
    slot->is_pinned = false;
}

/* Lists of the pins, by their first and by their last units. */
static lp_status list_pins(lpi_frame *frame)
{
    const lpi_program *p = frame->program;
    const lp_schedule *schedule = p->schedule;
    lpi_arena *arena = frame->exec->arena;
    lpi_stream *s = &frame->exec->stream;

    s->pins = LPI_NEW(arena, int32_t, frame->model->tensors_count);
    s->begins = LPI_NEW(arena, int64_t, p->units_count);
    s->ends = LPI_NEW(arena, int64_t, p->units_count);
    s->next_begin = LPI_NEW(arena, int64_t, schedule->pins_count);
    s->next_end = LPI_NEW(arena, int64_t, schedule->pins_count);
    if (!s->pins || !s->begins || !s->ends || !s->next_begin || !s->next_end)
        return lpi_fail_memory(frame->exec->error);
    for (int64_t i = 0; i < p->units_count; i++)
        s->begins[i] = s->ends[i] = -1;
    for (int64_t i = schedule->pins_count - 1; i >= 0; i--) {
        const lp_pin *pinned = &schedule->pins[i];

        s->next_begin[i] = s->begins[pinned->from];
        s->begins[pinned->from] = i;
        s->next_end[i] = s->ends[pinned->to];
        s->ends[pinned->to] = i;
    }
    return LP_OK;
}

lp_status lpi_stream_begin(lpi_frame *frame, int64_t unit)
{
    const lpi_program *p = frame->program;
    lpi_stream *s = &frame->exec->stream;
    int32_t count, at = 0;
    lp_layer *const *layers = lpi_unit_layers(&p->units[unit], &count);

    if (frame->depth)
        return LP_OK;
    if (unit == 0 && p->schedule->pins_count)
        LP_TRY(list_pins(frame));
    for (int64_t i = s->pins ? s->begins[unit] : -1; i >= 0;
         i = s->next_begin[i])
        LP_TRY(pin(frame, p->schedule->pins[i].tensor));
    s->is_open = p->schedule->weights_memory != 0;
    if (s->count)
        memset(s->seen, 0, (size_t)s->room * sizeof(*s->seen));
    s->count = 0;
    for (int32_t i = 0; s->is_open && i < count; i++)
        if (lpi_next_body(layers[i], &at))
            frame->exec->counters.is_estimated = true;
    return LP_OK;
}

void lpi_stream_end(lpi_frame *frame, int64_t unit)
{
    lpi_stream *s = &frame->exec->stream;

    if (frame->depth)
        return;
    s->is_open = false;
    for (int64_t i = s->pins ? s->ends[unit] : -1; i >= 0; i = s->next_end[i])
        unpin(frame, frame->program->schedule->pins[i].tensor);
}
