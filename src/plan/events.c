/* events.c: the events of a solver as units and moves of a schedule.
 *
 * Each RUN becomes a unit, followed by the views of what it made that a later
 * reader of this production needs.  A tensor that is dropped and loaded again
 * before it is made anew moves outside at the drop (a copy that is there
 * already costs nothing) and inside at the load; all other drops follow from
 * the last reads.  Then each move is given as much time as the budget allows:
 * a load is issued earlier, a store ends later, while the bytes resident stay
 * within it, so that copies hide behind the units between.  What moves takes
 * its views with it, so views, and what may be in place, are aliased; a result
 * of a unit that runs several times, when each time the operand dies. */
#include <stdlib.h>

#include "plan.h"

/* View "view" must run after the production by event "event" (-1: the input
 * is there from the start). */
typedef struct wanted {
    int64_t event;
    int32_t view;
} wanted;

typedef struct teller {
    const lp_problem *problem;
    const lp_unit_graph *g;
    const lp_unit *old; /* units of the schedule before */
    const lp_event *events;
    int64_t events_count;
    lpi_arena *scratch;
    int64_t *made;    /* by storage: event of its latest production; -1 */
    int32_t *view_of; /* by tensor of the problem: view + 1 that makes it */
    int64_t *marked;  /* by view: event + 2 that it was wanted for last */
    wanted *wants;
    int64_t wants_count, wants_room;
    lp_unit *units;
    int64_t units_count;
    int64_t *ordinals; /* by unit of the schedule before */
    int64_t *times;    /* by event: units before it */
    lp_move *moves;
    int64_t moves_count;
    int64_t *live;   /* by unit: bytes inside */
    int32_t *places; /* by node: storage in whose place it makes its first
                        output, each time; -1 */
} teller;

/* ---- views -----------------------------------------------------------------
 */

/* The production "event" of a storage is read as "tensor". */
static bool want(teller *t, int64_t event, int32_t tensor)
{
    while (t->view_of[tensor]) {
        int32_t view = t->view_of[tensor] - 1;

        if (t->marked[view] == event + 2)
            return true;
        if (!LPI_GROW(t->scratch, t->wants, t->wants_count, t->wants_room))
            return false;
        t->marked[view] = event + 2;
        t->wants[t->wants_count++] = (wanted){event, view};
        tensor = t->g->views[view].source;
    }
    return true;
}

static bool want_inputs(teller *t, int64_t unit)
{
    int32_t count, i, j;
    lp_layer *const *layers = lpi_unit_layers(&t->old[unit], &count);

    for (i = 0; i < count; i++) {
        const lp_plan_layer *layer =
            &t->problem->layers[lp_problem_layer(t->problem, layers[i])];

        for (j = 0; j < layer->inputs_count; j++) {
            int32_t storage = t->g->storages[layer->inputs[j]];

            if (storage >= 0 && !want(t, t->made[storage], layer->inputs[j]))
                return false;
        }
    }
    return true;
}

static int by_event(const void *a, const void *b)
{
    const wanted *x = a, *y = b;

    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return (x->view > y->view) - (x->view < y->view);
}

/* Which views each production needs: those read, those that are outputs of
 * the graph (of the last production), and each at least once. */
static lp_status find_wants(teller *t, lp_error *error)
{
    int64_t *firsts = LPI_NEW(t->scratch, int64_t, t->g->graph.tensors_count);
    bool fine = firsts != NULL;
    int64_t e, v;
    int32_t i;

    for (i = 0; fine && i < t->g->graph.tensors_count; i++)
        t->made[i] = firsts[i] = -1;
    for (e = 0; fine && e < t->events_count; e++) {
        const lp_graph_node *node = &t->g->graph.nodes[t->events[e].of];

        if (t->events[e].kind != LP_EVENT_RUN)
            continue;
        fine = want_inputs(t, t->g->units[t->events[e].of]);
        for (i = 0; i < node->outputs_count; i++) {
            t->made[node->outputs[i]] = e;
            if (firsts[node->outputs[i]] < 0)
                firsts[node->outputs[i]] = e;
        }
    }
    for (v = 0; fine && v < t->g->views_count; v++) {
        const lp_unit_view *view = &t->g->views[v];

        if (t->problem->tensors[view->tensor].is_output)
            fine = want(t, t->made[view->storage], view->tensor);
        else if (!t->marked[v])
            fine = want(t, firsts[view->storage], view->tensor);
    }
    if (!fine)
        return lpi_fail_memory(error);
    if (t->wants_count)
        qsort(t->wants, (size_t)t->wants_count, sizeof(wanted), by_event);
    return LP_OK;
}

/* ---- units -----------------------------------------------------------------
 */

static void add_unit(teller *t, int64_t unit)
{
    t->units[t->units_count] = t->old[unit];
    t->units[t->units_count++].ordinal = ++t->ordinals[unit];
}

/* Lay the units out; "times" says how many stand before each event. */
static lp_status tell_units(teller *t, lp_error *error)
{
    int64_t next = 0, e;

    t->units = LPI_NEW(t->scratch, lp_unit, t->events_count + t->wants_count);
    if (!t->units)
        return lpi_fail_memory(error);
    for (e = -1; e < t->events_count; e++) {
        if (e >= 0) {
            t->times[e] = t->units_count;
            if (t->events[e].kind != LP_EVENT_RUN)
                continue;
            add_unit(t, t->g->units[t->events[e].of]);
        }
        for (; next < t->wants_count && t->wants[next].event == e; next++)
            add_unit(t, t->g->views[t->wants[next].view].unit);
    }
    return LP_OK;
}

/* ---- moves -----------------------------------------------------------------
 */

/* For each drop the event that loads the same production again, in "made"'s
 * place; -1: none. */
static void find_loads(const teller *t, int64_t *next_load)
{
    int64_t *loads = t->made;
    int64_t e;
    int32_t i;

    for (i = 0; i < t->g->graph.tensors_count; i++)
        loads[i] = -1;
    for (e = t->events_count - 1; e >= 0; e--) {
        const lp_event *event = &t->events[e];
        const lp_graph_node *node;

        next_load[e] = -1;
        switch (event->kind) {
        case LP_EVENT_LOAD:
            loads[event->of] = e;
            break;
        case LP_EVENT_DROP:
            next_load[e] = loads[event->of];
            loads[event->of] = -1;
            break;
        case LP_EVENT_RUN:
            node = &t->g->graph.nodes[event->of];
            for (i = 0; i < node->outputs_count; i++)
                loads[node->outputs[i]] = -1;
            break;
        case LP_EVENT_STORE:
            break;
        }
    }
}

/* Bytes inside while each unit runs, by the events. */
static void find_live(const teller *t)
{
    int64_t inside = 0, e, u;
    int32_t i;

    for (i = 0; i < t->g->graph.tensors_count; i++)
        if (t->g->graph.tensors[i].producer < 0)
            inside += t->g->graph.tensors[i].bytes;
    for (e = 0; e < t->events_count; e++) {
        const lp_event *event = &t->events[e];
        const lp_graph_node *node = &t->g->graph.nodes[event->of];
        int64_t end = e + 1 < t->events_count ? t->times[e + 1]
                                              : t->units_count;
        int64_t saved = 0;

        if (event->kind == LP_EVENT_LOAD)
            inside += t->g->graph.tensors[event->of].bytes;
        if (event->kind == LP_EVENT_DROP)
            inside -= t->g->graph.tensors[event->of].bytes;
        if (event->kind != LP_EVENT_RUN)
            continue;
        for (i = 0; i < node->outputs_count; i++)
            inside += t->g->graph.tensors[node->outputs[i]].bytes;
        if (t->places[event->of] >= 0)
            saved = t->g->graph.tensors[t->places[event->of]].bytes;
        for (u = t->times[e]; u < end; u++)
            t->live[u] = inside - saved;
        t->live[t->times[e]] += node->extra_bytes;
    }
}

/* Take "bytes" from unit "unit" on, in steps of "way", until "end" (not
 * included) or "most" units, while the budget holds; returns how many. */
static int64_t take(const teller *t, int64_t unit, int64_t way, int64_t end,
                    int64_t bytes)
{
    enum { REACH = 16 };
    int64_t budget = t->problem->budget_bytes, n = 0;

    for (; n < REACH && unit != end && unit >= 0 && unit < t->units_count;
         unit += way, n++) {
        if (lpi_add(t->live[unit], bytes) > budget)
            break;
        t->live[unit] += bytes;
    }
    return n;
}

/* Moves out at the drop "drop" and in at the load "load" of the tensor. */
static void add_round_trip(teller *t, int64_t drop, int64_t load)
{
    int32_t storage = t->events[drop].of;
    int64_t bytes = t->g->graph.tensors[storage].bytes;
    const lp_tensor *tensor = t->problem->tensors[t->g->roots[storage]].tensor;
    int64_t out = t->times[drop], in = t->times[load], early;

    if (out >= in) /* no unit runs between */
        return;
    early = take(t, in - 1, -1, out, bytes);
    t->moves[t->moves_count++] =
        (lp_move){.tensor = tensor,
                  .memory = 1,
                  .after = out - 1,
                  .before = out + take(t, out, 1, in - early - 1, bytes)};
    t->moves[t->moves_count++] = (lp_move){
        .tensor = tensor, .memory = 0, .after = in - early - 1, .before = in};
}

static lp_status tell_moves(teller *t, lp_error *error)
{
    int64_t *next_load = LPI_NEW(t->scratch, int64_t, t->events_count);
    int64_t e;

    t->moves = LPI_NEW(t->scratch, lp_move, 2 * t->events_count);
    t->live = LPI_NEW(t->scratch, int64_t, t->units_count);
    if (!next_load || !t->moves || !t->live)
        return lpi_fail_memory(error);
    find_loads(t, next_load);
    find_live(t);
    for (e = 0; e < t->events_count; e++)
        if (next_load[e] >= 0)
            add_round_trip(t, e, next_load[e]);
    return LP_OK;
}

lp_status lp_schedule_set_events(const lp_problem *problem,
                                 lp_schedule *schedule,
                                 const lp_unit_graph *graph,
                                 const lp_event *events, int64_t count,
                                 lp_error *error)
{
    lpi_arena *scratch = problem->scratch;
    int64_t units_count = schedule->units_count, v;
    teller t = {.problem = problem,
                .g = graph,
                .events = events,
                .events_count = count,
                .scratch = scratch,
                .made = LPI_NEW(scratch, int64_t, graph->graph.tensors_count),
                .view_of = LPI_NEW(scratch, int32_t, problem->tensors_count),
                .marked = LPI_NEW(scratch, int64_t, graph->views_count),
                .ordinals = LPI_NEW(scratch, int64_t, units_count),
                .times = LPI_NEW(scratch, int64_t, count)};
    lp_unit *old = LPI_NEW(scratch, lp_unit, units_count);

    if (!t.made || !t.view_of || !t.marked || !t.ordinals || !t.times || !old)
        return lpi_fail_memory(error);
    for (v = 0; v < units_count; v++)
        old[v] = schedule->units[v];
    t.old = old;
    for (v = 0; v < graph->views_count; v++)
        t.view_of[graph->views[v].tensor] = (int32_t)v + 1;
    LP_TRY(find_wants(&t, error));
    LP_TRY(tell_units(&t, error));
    LP_TRY(lpi_events_places(scratch, graph, events, count, &t.places, error));
    LP_TRY(tell_moves(&t, error));
    LP_TRY(lp_schedule_set_units(schedule, t.units, t.units_count, error));
    if (t.moves_count)
        LP_TRY(lp_schedule_set_moves(schedule, t.moves, t.moves_count, error));
    return lpi_events_aliases(problem, schedule, graph, old, t.places, error);
}
