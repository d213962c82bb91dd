/* remat_state.c: a sequence of items, and what is resident along it.
 *
 * Each tensor has its events in order: made (run of its producer, load, or the
 * start) and used.  It is resident from where it is made to the last use before
 * it is made again; between two events of which the second is a use it waits.
 * So what is kept and what is dropped follows from the items alone, and the
 * items are the whole state.  A rebuild takes time linear in items and edges.
 * Where a result is made in the place of an input that dies, the input counts
 * up to the position before.
 *
 * Invariant after a rebuild: "events" and "resident" describe "items". */
#include <string.h>

#include "solve.h"

/* Kinds of events. */
enum { USE = 1, USE_AND_TAKE = 3 };

lpi_remat_item lpi_remat_item_of(const lp_graph *graph, int32_t item,
                                 int32_t *tensor_of)
{
    const lp_graph_node *node;

    if (item < 0) {
        *tensor_of = ~item;
        return (lpi_remat_item){.outputs = tensor_of,
                                .outputs_count = 1,
                                .cost = graph->tensors[~item].load_cost};
    }
    node = &graph->nodes[item];
    return (lpi_remat_item){node->inputs,       node->outputs,
                            node->inputs_count, node->outputs_count,
                            node->extra_bytes,  node->cost};
}

int32_t lpi_remat_draw(lpi_remat *remat, int32_t limit)
{
    uint64_t z = remat->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (int32_t)((z >> 32) * (uint64_t)limit >> 32);
}

/* Count the events of each tensor into "begins", as offsets. */
static int64_t count_events(lpi_remat *remat)
{
    const lp_graph *graph = remat->graph;
    int32_t *counts = remat->begins + 1;
    int64_t sum = 0;
    int32_t t, i, k;

    remat->begins[0] = 0;
    for (t = 0; t < graph->tensors_count; t++) {
        counts[t] = (graph->tensors[t].producer < 0) +
                    graph->tensors[t].is_output;
        remat->loads[t] = 0;
    }
    for (i = 0; i < remat->count; i++) {
        int32_t own = -1;
        lpi_remat_item item = lpi_remat_item_of(graph, remat->items[i], &own);

        for (k = 0; k < item.inputs_count; k++)
            counts[item.inputs[k]]++;
        for (k = 0; k < item.outputs_count; k++)
            counts[item.outputs[k]]++;
        if (remat->items[i] < 0)
            remat->loads[own]++;
    }
    for (t = 0; t < graph->tensors_count; t++) {
        sum += counts[t];
        remat->fills[t] = remat->begins[t];
        counts[t] = (int32_t)sum;
    }
    return sum;
}

/* Note an event of "tensor"; "kind" is that of LPI_REMAT_POSITION. */
static void put(lpi_remat *remat, int32_t tensor, int32_t position,
                int32_t kind)
{
    remat->events[remat->fills[tensor]++] = 4 * (position + 1) + kind;
}

/* Write the events in order of position, and the cost; mark what runs again. */
static void fill_events(lpi_remat *remat)
{
    const lp_graph *graph = remat->graph;
    int32_t t, i, k;

    remat->cost = 0;
    remat->stamp++;
    for (t = 0; t < graph->tensors_count; t++) {
        const lp_graph_tensor *tensor = &graph->tensors[t];

        if (tensor->producer < 0)
            put(remat, t, -1, 0);
        if (remat->loads[t] && !tensor->is_stored)
            remat->cost += tensor->store_cost;
    }
    for (i = 0; i < remat->count; i++) {
        int32_t own, of = remat->items[i], taken = lpi_remat_taken(remat, of);
        lpi_remat_item item = lpi_remat_item_of(graph, of, &own);

        for (k = 0; k < item.inputs_count; k++)
            put(remat, item.inputs[k], i,
                item.inputs[k] == taken ? USE_AND_TAKE : USE);
        for (k = 0; k < item.outputs_count; k++)
            put(remat, item.outputs[k], i, 0);
        remat->resident[i] = item.extra_bytes;
        remat->cost += item.cost;
        remat->is_again[i] = of < 0 || remat->node_stamps[of] == remat->stamp;
        if (of >= 0)
            remat->node_stamps[of] = remat->stamp;
    }
    remat->resident[remat->count] = 0;
    for (t = 0; t < graph->tensors_count; t++)
        if (graph->tensors[t].is_output)
            put(remat, t, remat->count, USE);
}

/* Add "bytes" to the residency at "first" to "last", as differences. */
static void hold(lpi_remat *remat, int32_t first, int32_t last, int64_t bytes)
{
    if (first < 0)
        first = 0;
    if (first > last)
        return;
    remat->change[first] += bytes;
    remat->change[last + 1] -= bytes;
}

/* The residency of "tensor" from its events, as differences. */
static void hold_tensor(lpi_remat *remat, int32_t tensor)
{
    const int32_t *event = remat->events + remat->begins[tensor];
    const int32_t *end = remat->events + remat->begins[tensor + 1];
    int64_t bytes = remat->graph->tensors[tensor].bytes;
    int32_t first, last;

    if (event == end)
        return;
    first = last = LPI_REMAT_POSITION(*event);
    for (event++; event < end; event++) {
        if (!LPI_REMAT_IS_USE(*event)) {
            hold(remat, first, last, bytes);
            first = LPI_REMAT_POSITION(*event);
        }
        last = LPI_REMAT_POSITION(*event) - (LPI_REMAT_TAKES(*event) != 0);
    }
    hold(remat, first, last, bytes);
}

void lpi_remat_rebuild(lpi_remat *remat)
{
    int64_t sum = 0;
    int32_t t, p;

    remat->scanned += 2 * count_events(remat) + remat->count;
    fill_events(remat);
    for (t = 0; t < remat->graph->tensors_count; t++)
        hold_tensor(remat, t);
    remat->peak_bytes = remat->overflow = 0;
    for (p = 0; p <= remat->count; p++) {
        int64_t bytes;

        sum += remat->change[p];
        remat->change[p] = 0;
        bytes = remat->resident[p] += sum;
        if (bytes > remat->peak_bytes)
            remat->peak_bytes = bytes;
        if (bytes > remat->budget_bytes)
            remat->overflow += bytes - remat->budget_bytes;
    }
    remat->change[p] = 0;
}

void lpi_remat_around(lpi_remat *remat, int32_t tensor, int32_t at,
                      int32_t ignored, int32_t ret_events[2])
{
    const int32_t *events = remat->events;
    int32_t begin = remat->begins[tensor], end = remat->begins[tensor + 1];
    int32_t low = begin, high = end;

    remat->scanned += 2;
    while (low < high) {
        int32_t middle = (low + high) / 2;

        if (LPI_REMAT_POSITION(events[middle]) < at)
            low = middle + 1;
        else
            high = middle;
    }
    high = low--;
    if (low >= begin && LPI_REMAT_POSITION(events[low]) == ignored)
        low--;
    if (high < end && LPI_REMAT_POSITION(events[high]) == ignored)
        high++;
    ret_events[0] = low >= begin ? events[low] : -1;
    ret_events[1] = high < end ? events[high] : -1;
}

void lpi_remat_assign(lpi_remat *remat, const int32_t *items, int32_t count)
{
    memcpy(remat->items, items, (size_t)count * sizeof(*items));
    remat->count = count;
    lpi_remat_rebuild(remat);
}

/* Events that the items of "change" bring. */
static int64_t events_of(const lpi_remat *remat, const lpi_remat_change *change)
{
    int64_t sum = 0;
    int32_t k;

    for (k = 0; k < change->group_count; k++) {
        int32_t own;
        lpi_remat_item item =
            lpi_remat_item_of(remat->graph, change->group[k], &own);

        sum += item.inputs_count + item.outputs_count;
    }
    return sum;
}

bool lpi_remat_apply(lpi_remat *remat, const lpi_remat_change *change)
{
    int32_t *items = remat->items, added = change->group_count;
    int32_t at = change->at, removed = change->removed;
    int64_t events = remat->begins[remat->graph->tensors_count];

    if (remat->count + added > remat->capacity ||
        events + events_of(remat, change) > remat->events_capacity)
        return false;
    memmove(items + at + added, items + at,
            (size_t)(remat->count - at) * sizeof(*items));
    memcpy(items + at, change->group, (size_t)added * sizeof(*items));
    remat->count += added;
    if (removed >= at)
        removed += added;
    if (removed >= 0) {
        remat->count--;
        memmove(items + removed, items + removed + 1,
                (size_t)(remat->count - removed) * sizeof(*items));
    }
    lpi_remat_rebuild(remat);
    return true;
}

/* Room for "tensors" tensors, "nodes" nodes, and the arrays by position. */
static bool make_room(lpi_remat *remat, int64_t nodes, int64_t tensors)
{
    lpi_arena *arena = remat->arena;
    int64_t positions = (int64_t)remat->capacity + 2;

    remat->items = LPI_NEW(arena, int32_t, positions);
    remat->spare = LPI_NEW(arena, int32_t, positions);
    remat->resident = LPI_NEW(arena, int64_t, positions);
    remat->is_again = LPI_NEW(arena, bool, positions);
    remat->change = LPI_NEW(arena, int64_t, positions + 1);
    remat->loads = LPI_NEW(arena, int32_t, tensors);
    remat->begins = LPI_NEW(arena, int32_t, tensors + 1);
    remat->fills = LPI_NEW(arena, int32_t, tensors);
    remat->stamps = LPI_NEW(arena, int64_t, tensors);
    remat->node_stamps = LPI_NEW(arena, int64_t, nodes);
    remat->takes = LPI_NEW(arena, int32_t, nodes);
    remat->list = LPI_NEW(arena, int32_t, positions + tensors);
    remat->events = LPI_NEW(arena, int32_t, remat->events_capacity);
    return remat->items && remat->spare && remat->resident && remat->is_again &&
           remat->change && remat->loads && remat->begins && remat->fills &&
           remat->stamps && remat->node_stamps && remat->takes && remat->list &&
           remat->events;
}

bool lpi_remat_may_take(const lp_graph *graph, int32_t node, int32_t tensor)
{
    const lp_graph_node *made = &graph->nodes[node];

    return made->outputs_count && graph->tensors[tensor].producer >= 0 &&
           graph->tensors[tensor].bytes ==
               graph->tensors[made->outputs[0]].bytes;
}

/* Choose for each node one input in whose place it makes its first output: that
 * with the fewest readers, the one made last among these. */
static void choose_takes(lpi_remat *remat)
{
    const lp_graph *graph = remat->graph;
    int32_t *readers = remat->fills, i, k;

    for (i = 0; i < graph->tensors_count; i++)
        readers[i] = graph->tensors[i].is_output;
    for (i = 0; i < graph->nodes_count; i++)
        for (k = 0; k < graph->nodes[i].inputs_count; k++)
            readers[graph->nodes[i].inputs[k]]++;
    for (i = 0; i < graph->nodes_count; i++) {
        const lp_graph_node *node = &graph->nodes[i];
        int32_t best = -1;

        for (k = 0; k < node->in_place_count; k++) {
            int32_t t = node->in_place[k];

            if (lpi_remat_may_take(graph, i, t) &&
                (best < 0 || readers[t] < readers[best] ||
                 (readers[t] == readers[best] &&
                  graph->tensors[t].producer > graph->tensors[best].producer)))
                best = t;
        }
        remat->takes[i] = best;
    }
}

lp_status lpi_remat_start(lpi_arena *arena, const lp_graph *graph,
                          const lp_remat_options *options, lpi_remat *ret_remat,
                          lp_error *error)
{
    int64_t edges = 2 * (int64_t)graph->tensors_count;
    int64_t capacity = 4 * (int64_t)graph->nodes_count + 64;
    lpi_remat remat = {.arena = arena,
                       .graph = graph,
                       .budget_bytes = options->budget_bytes,
                       .free_order = options->free_order,
                       .effort = options->effort,
                       .random = (uint64_t)options->seed};
    int32_t i;

    for (i = 0; i < graph->nodes_count; i++)
        edges += (int64_t)graph->nodes[i].inputs_count +
                 graph->nodes[i].outputs_count;
    remat.events_capacity = 4 * edges + 256;
    if (capacity > INT32_MAX / 8 || remat.events_capacity > INT32_MAX / 4)
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "a graph of %d nodes and %lld edges is too large",
                        graph->nodes_count, (long long)edges);
    remat.capacity = (int32_t)capacity;
    if (!make_room(&remat, graph->nodes_count, graph->tensors_count))
        return lpi_fail_memory(error);
    for (i = 0; i < graph->nodes_count; i++)
        remat.items[i] = i;
    remat.count = graph->nodes_count;
    choose_takes(&remat);
    lpi_remat_rebuild(&remat);
    *ret_remat = remat;
    return LP_OK;
}
