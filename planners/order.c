/* order.c: the units in the order with the lowest live peak.
 *
 * The units of the schedule become a graph of storages (views share theirs, a
 * group is one node, with the smaller buffers that results in place leave it),
 * whose order lp_solve_order finds; views run as soon as they can, so that the
 * order given may take more in fact than in the graph.  The bound holds for
 * every order of these units, each run once.  What the order of ONNX Runtime
 * takes is noted. */
#include <string.h>

#include <lplan-planner.h>

static lp_status no_memory(lp_error *error)
{
    return lp_fail(error, LP_ENOMEM, "out of memory");
}

/* The peak of the order by "rule"; -1: it was not made. */
static int64_t peak_by(const lp_ordering *ordering, const char *rule)
{
    int32_t i;

    for (i = 0; i < ordering->candidates_count; i++)
        if (strcmp(ordering->candidates[i].rule, rule) == 0)
            return ordering->candidates[i].peak_bytes;
    return -1;
}

/* Run the nodes of "units" in "order"; aliases are for others to choose. */
static lp_status set_order(const lp_problem *problem, lp_schedule *schedule,
                           const lp_unit_graph *units, const int32_t *order,
                           lp_error *error)
{
    int32_t count = units->graph.nodes_count, i;
    lp_event *events = LP_NEW(problem->scratch, lp_event, count);

    if (!events)
        return no_memory(error);
    for (i = 0; i < count; i++)
        events[i] = (lp_event){LP_EVENT_RUN, order[i]};
    LP_TRY(
        lp_schedule_set_events(problem, schedule, units, events, count, error));
    return lp_schedule_set_aliases(schedule, NULL, 0, error);
}

/* Whether a view shows an input of the graph, so that it may run first. */
static bool begins_with_view(const lp_unit_graph *units)
{
    int64_t i;

    for (i = 0; i < units->views_count; i++)
        if (units->graph.tensors[units->views[i].storage].producer < 0)
            return true;
    return false;
}

/* Inputs of the graph that nobody reads are there for the first unit alone.
 * Where that is a view, no node of "graph", let them take nothing. */
static lp_status forget_unread(const lp_problem *problem, lp_graph *graph,
                               lp_error *error)
{
    int32_t count = graph->tensors_count, i, j;
    lp_graph_tensor *tensors = LP_NEW(problem->scratch, lp_graph_tensor, count);
    bool *read = LP_NEW(problem->scratch, bool, count);

    if (!tensors || !read)
        return no_memory(error);
    for (i = 0; i < graph->nodes_count; i++)
        for (j = 0; j < graph->nodes[i].inputs_count; j++)
            read[graph->nodes[i].inputs[j]] = true;
    for (i = 0; i < count; i++) {
        tensors[i] = graph->tensors[i];
        if (tensors[i].producer < 0 && !tensors[i].is_output && !read[i])
            tensors[i].bytes = 0;
    }
    graph->tensors = tensors;
    return LP_OK;
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    lp_order_options options = {.effort = problem->effort};
    lp_bound bound = {.quantity = "live_peak_bytes",
                      .given = LP_PRECISION | LP_GROUPS | LP_ONCE};
    lp_ordering ordering;
    lp_unit_graph units;
    lp_schedule *draft;
    lp_meaning meaning;
    int64_t given;

    LP_TRY(lp_schedule_draft(problem, schedule, &draft, error));
    LP_TRY(lp_schedule_baseline_aliases(draft, true, error));
    LP_TRY(lp_schedule_lower(problem, draft, &meaning, error));
    LP_TRY(lp_schedule_graph(problem, draft, &units, error));
    if (begins_with_view(&units))
        LP_TRY(forget_unread(problem, &units.graph, error));
    LP_TRY(lp_solve_order(problem->scratch, &units.graph, &options, &ordering,
                          error));
    given = meaning.predictions.live_peak_bytes;
    if (ordering.peak_bytes < given)
        LP_TRY(set_order(problem, schedule, &units, ordering.order, error));
    LP_TRY(lp_problem_note(
        problem, error,
        "live peak %lld bytes by '%s', bound %lld by '%s'; in the order given "
        "%lld, in that of ONNX Runtime %lld",
        (long long)ordering.peak_bytes, ordering.rule,
        (long long)ordering.bound_bytes, ordering.proof, (long long)given,
        (long long)peak_by(&ordering, "reverse-dfs")));
    bound.value = ordering.bound_bytes;
    bound.proof = ordering.proof;
    return lp_schedule_add_bound(schedule, &bound, error);
}

LP_API const lp_planner lp_planner_order = {
    .abi = LP_PLANNER_ABI,
    .name = "order",
    .summary = "Orders the units for the lowest live peak",
    .decides = LP_RUNS,
    .plan = plan,
};
