/* places.c: what the events of a solver make in the place of an operand.
 *
 * A result may lie where an operand does when that is dropped right after, each
 * time the unit runs, since an alias holds for all productions of a tensor; and
 * when neither is ever moved.  A schedule finds those of what runs once itself.
 */
#include "plan.h"

typedef struct finder {
    const lp_graph *graph;
    const lp_event *events;
    int64_t count;
    bool *is_loaded; /* by storage */
} finder;

/* Whether storage "storage" is dropped right after run "e". */
static bool dies_at(const finder *f, int64_t e, int32_t storage)
{
    for (e++; e < f->count && f->events[e].kind != LP_EVENT_RUN &&
              f->events[e].kind != LP_EVENT_LOAD;
         e++)
        if (f->events[e].kind == LP_EVENT_DROP && f->events[e].of == storage)
            return true;
    return false;
}

/* The storage that run "e" may overwrite; -1. */
static int32_t find_place(const finder *f, int64_t e)
{
    const lp_graph_node *node = &f->graph->nodes[f->events[e].of];
    int32_t k;

    for (k = 0; k < node->in_place_count; k++)
        if (!f->is_loaded[node->in_place[k]] &&
            !f->is_loaded[node->outputs[0]] && dies_at(f, e, node->in_place[k]))
            return node->in_place[k];
    return -1;
}

lp_status lpi_events_places(lpi_arena *scratch, const lp_unit_graph *graph,
                            const lp_event *events, int64_t count,
                            int32_t **ret_places, lp_error *error)
{
    finder f = {&graph->graph, events, count,
                LPI_NEW(scratch, bool, graph->graph.tensors_count)};
    bool *seen = LPI_NEW(scratch, bool, graph->graph.nodes_count);
    int32_t *places = LPI_NEW(scratch, int32_t, graph->graph.nodes_count);
    int64_t e;

    if (!seen || !f.is_loaded || !places)
        return lpi_fail_memory(error);
    for (e = 0; e < count; e++)
        if (events[e].kind == LP_EVENT_LOAD)
            f.is_loaded[events[e].of] = true;
    for (e = 0; e < count; e++) {
        int32_t node = events[e].of;

        if (events[e].kind != LP_EVENT_RUN)
            continue;
        if (!seen[node])
            places[node] = find_place(&f, e);
        else if (places[node] >= 0 && !dies_at(&f, e, places[node]))
            places[node] = -1;
        seen[node] = true;
    }
    *ret_places = places;
    return LP_OK;
}

/* The alias of what unit "unit" makes in the place of "storage". */
static lp_alias alias_of(const lp_problem *problem, const lp_unit_graph *graph,
                         const lp_unit *unit, int32_t storage)
{
    const lp_layer *layer = unit->layer;
    int32_t i = 0, shown = -1;

    for (; shown != storage; i++) {
        int32_t at = lp_problem_tensor(problem, layer->inputs[i]);

        shown = at < 0 ? -1 : graph->storages[at];
    }
    return (lp_alias){.tensor = layer->outputs[0],
                      .of = layer->inputs[i - 1],
                      .kind = LP_ALIAS_IN_PLACE};
}

lp_status lpi_events_aliases(const lp_problem *problem, lp_schedule *schedule,
                             const lp_unit_graph *graph, const lp_unit *units,
                             const int32_t *places, lp_error *error)
{
    int32_t nodes = graph->graph.nodes_count, i;
    bool *known = LPI_NEW(problem->scratch, bool, problem->tensors_count);
    lp_alias *aliases;
    int64_t count, a;

    LP_TRY(lp_schedule_baseline_aliases(schedule, true, error));
    count = schedule->aliases_count;
    aliases = LPI_NEW(problem->scratch, lp_alias, count + nodes);
    if (!known || !aliases)
        return lpi_fail_memory(error);
    for (a = 0; a < count; a++) {
        int32_t at = lp_problem_tensor(problem, schedule->aliases[a].tensor);

        aliases[a] = schedule->aliases[a];
        if (at >= 0)
            known[at] = true;
    }
    for (i = 0; i < nodes; i++)
        if (places[i] >= 0 &&
            !known[graph->roots[graph->graph.nodes[i].outputs[0]]])
            aliases[count++] =
                alias_of(problem, graph, &units[graph->units[i]], places[i]);
    return lp_schedule_set_aliases(schedule, aliases, count, error);
}
