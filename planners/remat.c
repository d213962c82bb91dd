/* remat.c: keep, compute again, or spill what waits, within the budget.
 *
 * The units of the schedule become a graph of storages, and lp_solve_remat
 * finds events that fit.  The two engines of a device work at the same time,
 * so that a copy or a second computation costs what the time of its engine is
 * worth: several prices are tried, and the plan with the shortest timeline is
 * kept.  Without a device MACs count, and nothing is spilled.
 *
 * Stated are bounds on what is copied for the runs that come out, and, without
 * a device, on the MACs of any runs. */
#include <string.h>

#include <lplan-planner.h>

enum {
    WHOLE = 16, /* of compute and DMA together */
    ROUNDS = 3
};

/* Parts that compute costs. */
static const int32_t prices[] = {8, 14, 2, 15};

typedef struct task {
    const lp_problem *problem;
    const lp_schedule *given;
    lp_unit_graph units;
    bool free_order;
    int64_t seed;
    lp_schedule *best; /* NULL: none yet */
    int64_t best_ns, best_bytes;
    int64_t floor_bytes;
    int32_t floor_node;
    lp_error *error;
} task;

static lp_status no_memory(lp_error *error)
{
    return lp_fail(error, LP_ENOMEM, "out of memory");
}

/* "ns", not negative, at "parts" of its price; held below where sums of a few
 * would overflow. */
static int64_t priced(int64_t ns, int64_t parts)
{
    const int64_t most = INT64_MAX / (4 * WHOLE);

    return (ns < most ? ns : most) * parts;
}

/* Time of streaming the weights of node "node". */
static int64_t weights_ns(const task *t, int32_t node)
{
    const lp_device *device = t->problem->device;
    int64_t bytes = t->units.facts[t->units.units[node]].weight_bytes;

    return device->weights_memory && bytes
               ? lp_device_copy_ns(device, device->weights_memory, 0, bytes)
               : 0;
}

/* Cost of copying storage "storage" at "dma" parts; -1: it cannot be. */
static int64_t copy_cost(const task *t, int32_t storage, int32_t from,
                         int32_t to, int64_t dma)
{
    const lp_device *device = t->problem->device;
    int64_t ns = device && device->memories_count > 1
                     ? lp_device_copy_ns(device, from, to,
                                         t->units.graph.tensors[storage].bytes)
                     : -1;

    return ns < 0 ? -1 : priced(ns, dma);
}

/* The graph of "t" with compute at "compute" parts of WHOLE. */
static lp_status price(const task *t, int32_t compute, lp_graph *ret_graph)
{
    const lp_device *device = t->problem->device;
    const lp_graph *g = &t->units.graph;
    lp_scratch *scratch = t->problem->scratch;
    lp_graph_node *nodes = LP_NEW(scratch, lp_graph_node, g->nodes_count);
    lp_graph_tensor *tensors =
        LP_NEW(scratch, lp_graph_tensor, g->tensors_count);
    int32_t i;

    if (!nodes || !tensors)
        return no_memory(t->error);
    for (i = 0; i < g->nodes_count; i++) {
        nodes[i] = g->nodes[i];
        nodes[i].extra_bytes = t->units.facts[t->units.units[i]].buffer_bytes;
        if (device)
            nodes[i].cost = priced(nodes[i].cost, compute) +
                            priced(weights_ns(t, i), WHOLE - compute);
    }
    for (i = 0; i < g->tensors_count; i++) {
        tensors[i] = g->tensors[i];
        tensors[i].store_cost = copy_cost(t, i, 0, 1, WHOLE - compute);
        tensors[i].load_cost = copy_cost(t, i, 1, 0, WHOLE - compute);
    }
    *ret_graph = *g;
    ret_graph->nodes = nodes;
    ret_graph->tensors = tensors;
    return LP_OK;
}

/* Turn "answer" into a schedule, and keep it if it is within the budget and its
 * timeline is the shortest, or as short with less traffic.  "*ret_load" is what
 * it takes of memory 0 at once, results in place. */
static lp_status consider(task *t, const lp_rematerialisation *answer,
                          int64_t *ret_load)
{
    lp_timeline timeline = {.latency_ns = answer->cost};
    lp_schedule *draft;
    lp_meaning meaning;

    LP_TRY(lp_schedule_draft(t->problem, t->given, &draft, t->error));
    LP_TRY(lp_schedule_set_events(t->problem, draft, &t->units, answer->events,
                                  answer->events_count, t->error));
    LP_TRY(lp_schedule_lower(t->problem, draft, &meaning, t->error));
    *ret_load = meaning.load_bound_bytes;
    if (*ret_load > t->problem->budget_bytes)
        return LP_OK;
    if (t->problem->device)
        LP_TRY(lp_schedule_timeline(t->problem, draft, &timeline, t->error));
    if (t->best && (timeline.latency_ns > t->best_ns ||
                    (timeline.latency_ns == t->best_ns &&
                     timeline.traffic_bytes >= t->best_bytes)))
        return LP_OK;
    t->best = draft;
    t->best_ns = timeline.latency_ns;
    t->best_bytes = timeline.traffic_bytes;
    return LP_OK;
}

/* Search with compute at "compute" parts of the cost.  What comes out may take
 * more than the solver counts, aligned and with what runs several times in
 * place each time or never, so that the next round gets less. */
static lp_status search(task *t, int32_t compute, int64_t effort)
{
    lp_remat_options options = {.budget_bytes = t->problem->budget_bytes,
                                .free_order = t->free_order,
                                .seed = t->seed};
    int64_t budget = t->problem->budget_bytes, load;
    lp_rematerialisation answer;
    lp_graph graph;
    int32_t round;

    LP_TRY(price(t, compute, &graph));
    for (round = 0; round < ROUNDS && options.budget_bytes > 0; round++) {
        options.effort = effort >> (round + 1);
        LP_TRY(lp_solve_remat(t->problem->scratch, &graph, &options, &answer,
                              t->error));
        t->floor_bytes = answer.floor_bytes;
        t->floor_node = answer.floor_node;
        if (!answer.fits)
            return LP_OK;
        LP_TRY(consider(t, &answer, &load));
        if (load <= budget)
            return LP_OK;
        options.budget_bytes += budget - load;
    }
    return LP_OK;
}

/* What unit "unit" of the given schedule is called. */
static const char *name_of(const task *t, int64_t unit)
{
    int64_t count;
    const lp_unit *u = &lp_schedule_units(t->given, &count)[unit];
    int32_t layer = u->layer ? lp_problem_layer(t->problem, u->layer) : -1;

    return layer < 0 ? u->group->name : t->problem->layers[layer].name;
}

/* Refuse a budget that the operands of one unit are over, wherever they lie:
 * nothing that is done to what waits helps there. */
static lp_status check_floors(const task *t, const lp_meaning *meaning)
{
    int64_t most = 0, u;

    for (u = 1; u < meaning->units_count; u++)
        if (meaning->units[u].floor_bytes > meaning->units[most].floor_bytes)
            most = u;
    if (!meaning->units_count ||
        meaning->units[most].floor_bytes <= t->problem->budget_bytes)
        return LP_OK;
    return lp_fail(t->error, LP_EINFEASIBLE,
                   "'%.200s' alone works on %lld bytes, which the budget of "
                   "%lld does not hold: nothing that waits is to blame, so "
                   "recomputing and spilling gain nothing; cut it into tiles",
                   name_of(t, most),
                   (long long)meaning->units[most].floor_bytes,
                   (long long)t->problem->budget_bytes);
}

static lp_status does_not_fit(const task *t)
{
    if (!t->units.graph.nodes_count)
        return lp_fail(t->error, LP_EINFEASIBLE,
                       "no plan within %lld bytes was found: nothing is "
                       "computed, so nothing can be computed again",
                       (long long)t->problem->budget_bytes);
    return lp_fail(t->error, LP_EINFEASIBLE,
                   "no plan within %lld bytes was found; the largest working "
                   "set is that of '%.200s', %lld",
                   (long long)t->problem->budget_bytes,
                   name_of(t, t->units.units[t->floor_node]),
                   (long long)t->floor_bytes);
}

/* Whether each node of "graph" makes what another one or the caller reads. */
static bool all_wanted(const lp_graph *graph, bool *wanted)
{
    int32_t i, k;

    for (i = graph->nodes_count - 1; i >= 0; i--) {
        const lp_graph_node *node = &graph->nodes[i];
        bool is_wanted = false;

        for (k = 0; k < node->outputs_count; k++)
            is_wanted = is_wanted || wanted[node->outputs[k]] ||
                        graph->tensors[node->outputs[k]].is_output;
        for (k = 0; k < node->inputs_count; k++)
            wanted[node->inputs[k]] = true;
        if (!is_wanted)
            return false;
    }
    return true;
}

/* The graph of "t" as any aliases may have it: what Concat makes and Split cuts
 * takes nothing beside the parts and the whole, and tiles take nothing. */
static lp_status relax(const task *t, lp_graph *ret_graph)
{
    const lp_problem *p = t->problem;
    lp_graph g = t->units.graph;
    lp_graph_node *nodes = LP_NEW(p->scratch, lp_graph_node, g.nodes_count);
    lp_graph_tensor *tensors =
        LP_NEW(p->scratch, lp_graph_tensor, g.tensors_count);
    int64_t count;
    const lp_unit *units = lp_schedule_units(t->given, &count);
    int32_t i;

    if (!nodes || !tensors)
        return no_memory(t->error);
    for (i = 0; i < g.nodes_count; i++) {
        nodes[i] = g.nodes[i];
        if (units[t->units.units[i]].group)
            nodes[i].extra_bytes = 0;
    }
    for (i = 0; i < g.tensors_count; i++) {
        int32_t layer = p->tensors[t->units.roots[i]].producer;
        const char *op = layer < 0 ? "" : p->layers[layer].op;

        tensors[i] = g.tensors[i];
        if (!strcmp(op, "Concat") || !strcmp(op, "Split"))
            tensors[i].bytes = 0;
    }
    g.nodes = nodes;
    g.tensors = tensors;
    *ret_graph = g;
    return LP_OK;
}

/* State the MACs that runs in any order take within the capacity: nothing can
 * be copied away without a device. */
static lp_status bound_macs(const task *t, lp_schedule *schedule)
{
    const lp_problem *p = t->problem;
    lp_bound bound = {.quantity = "macs",
                      .proof = "each unit once, and absent tensors again",
                      .given = LP_PRECISION | LP_GROUPS};
    lp_remat_options options = {.free_order = true, .effort = p->effort / 8};
    bool *wanted = LP_NEW(p->scratch, bool, t->units.graph.tensors_count);
    lp_rematerialisation found;
    lp_graph graph;
    int64_t count;

    options.budget_bytes =
        lp_schedule_memories(schedule, &count)->capacity_bytes;
    if (!wanted)
        return no_memory(t->error);
    if (!options.budget_bytes || !all_wanted(&t->units.graph, wanted))
        return LP_OK;
    LP_TRY(relax(t, &graph));
    LP_TRY(lp_solve_remat(p->scratch, &graph, &options, &found, t->error));
    bound.value = found.bound_cost;
    return found.floor_bytes > options.budget_bytes
               ? LP_OK
               : lp_schedule_add_bound(schedule, &bound, t->error);
}

/* Whether what is given fits once it is placed, as results in place and parts
 * of a whole take less than their sum.  Not asked with a part of the budget:
 * who gives that has placed it before. */
static lp_status fits_placed(const task *t, bool *ret_fits)
{
    int64_t budget = t->problem->budget_bytes, count;
    lp_schedule *draft;
    lp_meaning meaning;
    lp_status status;

    *ret_fits = false;
    if (lp_schedule_memories(t->given, &count)->capacity_bytes > budget)
        return LP_OK;
    LP_TRY(lp_schedule_draft(t->problem, t->given, &draft, t->error));
    status = lp_plan_with(t->problem, "place", 0, draft, t->error);
    if (status == LP_EINFEASIBLE)
        return LP_OK;
    LP_TRY(status);
    LP_TRY(lp_schedule_lower(t->problem, draft, &meaning, t->error));
    *ret_fits = meaning.predictions.arena_bytes <= budget;
    return LP_OK;
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    int32_t count =
        problem->device ? (int32_t)(sizeof(prices) / sizeof(*prices)) : 1;
    task t = {.problem = problem,
              .given = schedule,
              .free_order = !lp_problem_count(problem, "keep_order"),
              .seed = problem->seed ^ lp_problem_count(problem, "seed"),
              .error = error};
    lp_meaning meaning;
    bool fits;
    int32_t i;

    LP_TRY(lp_schedule_lower(problem, schedule, &meaning, error));
    if (!problem->budget_bytes ||
        meaning.predictions.live_peak_bytes <= problem->budget_bytes)
        return LP_OK; /* it fits as it is */
    LP_TRY(check_floors(&t, &meaning));
    LP_TRY(fits_placed(&t, &fits));
    if (fits)
        return LP_OK;
    LP_TRY(lp_schedule_graph(problem, schedule, &t.units, error));
    for (i = 0; i < count; i++)
        LP_TRY(search(&t, prices[i], problem->effort / count));
    if (!t.best)
        return does_not_fit(&t);
    LP_TRY(lp_schedule_copy(schedule, t.best, error));
    return problem->device ? lp_schedule_bound_copies(
                                 problem, schedule, problem->effort / 4, error)
                           : bound_macs(&t, schedule);
}

static const lp_option options[] = {
    {.name = "keep_order",
     .initial = "0",
     .help = "1: first executions keep their order.",
     .most = 1},
    {.name = "seed",
     .initial = "0",
     .help = "Mixed with the seed of the plan."},
    {.name = NULL},
};

const lp_planner lp_planner_remat = {
    .abi = LP_PLANNER_ABI,
    .name = "remat",
    .summary = "Keeps, computes again, or spills what waits, within the budget",
    .decides = LP_RUNS | LP_MOVE | LP_ALIAS,
    .options = options,
    .plan = plan,
};
