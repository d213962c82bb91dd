/* remat_events.c: a sequence of items as events.
 *
 * Every residency ends in a DROP, but those of outputs at the end; a tensor
 * that is loaded is stored right after it is first made, unless a copy is
 * outside from the start.  What waits for no use is dropped at once. */
#include "solve.h"

typedef struct writer {
    lpi_remat *remat;
    lp_event *events;
    int64_t count, capacity;
    bool failed;
    bool *stored;
} writer;

static void put(writer *w, lp_event_kind kind, int32_t of)
{
    if (!LPI_GROW(w->remat->arena, w->events, w->count, w->capacity)) {
        w->failed = true;
        return;
    }
    w->events[w->count++] = (lp_event){kind, of};
}

/* "tensor" was made at "position": store it when it is loaded one day. */
static void made(writer *w, int32_t tensor)
{
    if (!w->remat->loads[tensor] || w->stored[tensor] ||
        w->remat->graph->tensors[tensor].is_stored)
        return;
    w->stored[tensor] = true;
    put(w, LP_EVENT_STORE, tensor);
}

/* Drop "tensor", touched at "position", unless it waits for a use. */
static void maybe_drop(writer *w, int32_t tensor, int32_t position)
{
    int32_t near[2];

    lpi_remat_around(w->remat, tensor, position + 1, -1, near);
    if (!LPI_REMAT_IS_USE(near[1]))
        put(w, LP_EVENT_DROP, tensor);
}

static void write_item(writer *w, int32_t position)
{
    int32_t own, k, of = w->remat->items[position];
    lpi_remat_item item = lpi_remat_item_of(w->remat->graph, of, &own);

    put(w, of < 0 ? LP_EVENT_LOAD : LP_EVENT_RUN, of < 0 ? ~of : of);
    for (k = 0; k < item.outputs_count; k++) {
        if (of >= 0)
            made(w, item.outputs[k]);
        maybe_drop(w, item.outputs[k], position);
    }
    for (k = 0; k < item.inputs_count; k++)
        maybe_drop(w, item.inputs[k], position);
}

lp_status lpi_remat_events(lpi_remat *remat, const lp_event **ret_events,
                           int64_t *ret_count, lp_error *error)
{
    int32_t tensors = remat->graph->tensors_count, t, p;
    writer w = {.remat = remat, .stored = LPI_NEW(remat->arena, bool, tensors)};

    if (!w.stored)
        return lpi_fail_memory(error);
    for (t = 0; t < tensors; t++) {
        if (remat->graph->tensors[t].producer >= 0)
            continue;
        made(&w, t);
        maybe_drop(&w, t, -1);
    }
    for (p = 0; p < remat->count; p++)
        write_item(&w, p);
    if (w.failed)
        return lpi_fail_memory(error);
    *ret_events = w.events;
    *ret_count = w.count;
    return LP_OK;
}
