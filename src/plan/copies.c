/* copies.c: what any schedule with the same groups and runs copies at least.
 *
 * The runs of a schedule as a graph of their own: a node for each run, a tensor
 * for each production, none of which comes twice, so that what the memory
 * cannot hold is copied away and back.  The bound of lp_solve_remat for it, in
 * the order that it has, then holds for every choice of homes, moves, pins and
 * aliases within the capacity of memory 0, for it grants what any of them may
 * bring: inputs are outside from the start, outputs need not come to stay, a
 * result may take the place of any operand that dies, what Concat makes and
 * Split cuts takes nothing beside the parts and the whole, tiles take nothing,
 * and a copy goes by the fastest way, without set-up. */
#include <string.h>

#include "plan.h"

typedef struct unroller {
    const lp_problem *problem;
    const lpi_program *p;
    lpi_arena *scratch;
    int32_t *storages; /* by value */
    int32_t *node_of;  /* by unit */
    int32_t *seen;     /* by storage: node + 1 that lists it already */
    int32_t *pool;     /* lists of the nodes */
    int64_t pool_count;
    lp_graph_node *nodes;
    lp_graph_tensor *tensors;
    lp_graph graph;
} unroller;

/* The value that value "v" is a view of; -1: it has bytes of its own. */
static int64_t viewed(const unroller *r, const lpi_value *v)
{
    const lp_layer *layer = v->unit < 0 ? NULL : r->p->units[v->unit].layer;

    if (!layer || !layer->row || !(layer->row->flags & LPI_VIEW) ||
        !layer->inputs_count || layer->outputs[0] != v->tensor ||
        !lpi_is_value(layer->inputs[0]) ||
        !lpi_same_width(r->p->schedule, layer->inputs[0], v->tensor))
        return -1;
    return lpi_program_value(r->p, v->unit, layer->inputs[0], false);
}

/* Whether "tensor" may lie inside others that are counted, or hold them. */
static bool may_be_part(const lp_tensor *tensor)
{
    const lp_layer *layer = tensor->producer;

    return layer &&
           (!strcmp(layer->op, "Concat") || !strcmp(layer->op, "Split"));
}

/* Number the storages of all values, and the units that make any. */
static void add_storages(unroller *r)
{
    const lpi_program *p = r->p;
    int64_t v, u;

    for (u = 0; u < p->units_count; u++)
        r->node_of[u] = -1;
    for (v = 0; v < p->values_count; v++) {
        const lpi_value *value = &p->values[v];
        int64_t of = viewed(r, value);

        if (of >= 0) {
            r->storages[v] = r->storages[of];
            continue;
        }
        if (value->unit >= 0 && r->node_of[value->unit] < 0)
            r->node_of[value->unit] = r->graph.nodes_count++;
        r->storages[v] = r->graph.tensors_count;
        r->tensors[r->graph.tensors_count++] = (lp_graph_tensor){
            .bytes = may_be_part(value->tensor)
                         ? 0
                         : lpi_planned_bytes(p->schedule, value->tensor),
            .producer = value->unit < 0 ? -1 : r->node_of[value->unit],
            .is_stored = value->unit < 0,
            .store_cost = -1,
            .load_cost = -1};
    }
}

/* List the storages of "values" for "node", each once; "*ret_count" of them. */
static const int32_t *list(unroller *r, const int64_t *values, int32_t count,
                           int32_t node, int32_t *ret_count)
{
    int32_t *first = r->pool + r->pool_count;
    int32_t i;

    for (i = 0; i < count; i++) {
        int32_t storage = r->storages[values[i]];

        if (r->seen[storage] == node + 1)
            continue;
        r->seen[storage] = node + 1;
        r->pool[r->pool_count++] = storage;
    }
    *ret_count = (int32_t)(r->pool + r->pool_count - first);
    return first;
}

/* List in "node" the operands of unit "unit" that a result may overwrite. */
static void list_places(unroller *r, int64_t unit, lp_graph_node *node)
{
    const lp_layer *layer = r->p->units[unit].layer;
    int32_t i;

    node->in_place = r->pool + r->pool_count;
    for (i = 0; layer && i < layer->inputs_count; i++)
        if (lpi_is_value(layer->inputs[i]) && lpi_in_place(layer, i))
            r->pool[r->pool_count++] = r->storages[lpi_program_value(
                r->p, unit, layer->inputs[i], false)];
    node->in_place_count = (int32_t)(r->pool + r->pool_count - node->in_place);
}

static void add_nodes(unroller *r)
{
    int64_t u;

    for (u = 0; u < r->p->units_count; u++) {
        const lpi_use *use = &r->p->uses[u];
        int32_t at = r->node_of[u];
        lp_graph_node *node;

        if (at < 0)
            continue;
        node = &r->nodes[at];
        *node = (lp_graph_node){.once = true};
        node->inputs =
            list(r, use->inputs, use->inputs_count, at, &node->inputs_count);
        node->outputs =
            list(r, use->outputs, use->outputs_count, at, &node->outputs_count);
        if (r->p->units[u].layer)
            node->extra_bytes = lpi_buffers_floor(r->p, u);
        list_places(r, u, node);
    }
}

static lp_status unroll(unroller *r, lp_error *error)
{
    const lpi_program *p = r->p;
    int64_t listed = 0, u;

    for (u = 0; u < p->units_count; u++)
        listed += p->uses[u].inputs_count + p->uses[u].outputs_count +
                  (p->units[u].layer ? p->units[u].layer->inputs_count : 0);
    r->storages = LPI_NEW(r->scratch, int32_t, p->values_count);
    r->node_of = LPI_NEW(r->scratch, int32_t, p->units_count);
    r->seen = LPI_NEW(r->scratch, int32_t, p->values_count);
    r->pool = LPI_NEW(r->scratch, int32_t, listed);
    r->nodes = LPI_NEW(r->scratch, lp_graph_node, p->units_count);
    r->tensors = LPI_NEW(r->scratch, lp_graph_tensor, p->values_count);
    if (!r->storages || !r->node_of || !r->seen || !r->pool || !r->nodes ||
        !r->tensors)
        return lpi_fail_memory(error);
    add_storages(r);
    add_nodes(r);
    r->graph.nodes = r->nodes;
    r->graph.tensors = r->tensors;
    return LP_OK;
}

/* The least that a copy of "bytes" to ("out") or from another memory costs, as
 * bytes or in nanoseconds; -1: there is no way. */
static int64_t copy_cost(const lp_device *device, bool out, int64_t bytes,
                         bool timed)
{
    int64_t best = -1, ns;
    int32_t i;

    for (i = 1; i < device->memories_count; i++) {
        ns = out ? lp_device_copy_ns(device, 0, i, bytes)
                 : lp_device_copy_ns(device, i, 0, bytes);
        if (ns < 0)
            continue;
        if (!timed)
            return bytes;
        ns -= device->dma_setup_ns + 1;
        if (best < 0 || ns < best)
            best = ns < 0 ? 0 : ns;
    }
    return best;
}

/* What copies cost at least, as bytes or in nanoseconds; 0: nothing known. */
static int64_t solve(unroller *r, int64_t capacity, int64_t effort, bool timed)
{
    const lp_device *device = r->problem->device;
    const lp_remat_options options = {.budget_bytes = capacity,
                                      .effort = effort};
    lp_rematerialisation found;
    int32_t i;

    for (i = 0; i < r->graph.tensors_count; i++) {
        lp_graph_tensor *tensor = &r->tensors[i];

        tensor->store_cost = copy_cost(device, true, tensor->bytes, timed);
        tensor->load_cost = copy_cost(device, false, tensor->bytes, timed);
    }
    if (lp_solve_remat(r->scratch, &r->graph, &options, &found, NULL) != LP_OK)
        return 0;
    return found.floor_bytes > capacity ? 0 : found.bound_cost;
}

/* State that "quantity" is at least "weights", of reading them, and "copies".
 */
static lp_status state(lp_schedule *schedule, const char *quantity,
                       int64_t weights, int64_t copies, lp_error *error)
{
    const lp_bound bound = {
        .quantity = quantity,
        .value = lpi_add(weights, copies),
        .proof = "every weight once, and what the memory does not hold",
        .given = LP_PRECISION | LP_GROUPS | LP_RUNS};

    return copies > 0 ? lp_schedule_add_bound(schedule, &bound, error) : LP_OK;
}

static lp_status bound(unroller *r, lp_schedule *schedule, int64_t effort,
                       lp_error *error)
{
    int64_t capacity = schedule->memories[0].capacity_bytes, u;
    const lp_device *device = r->problem->device;
    int64_t bytes = 0, ns = 0;
    lpi_weights_held weights;

    LP_TRY(unroll(r, error));
    if (schedule->weights_memory) {
        LP_TRY(lpi_weights_firsts(r->p, r->scratch, &weights, error));
        for (u = 0; u < r->p->units_count; u++)
            bytes = lpi_add(bytes, weights.bytes[u]);
        if (bytes)
            ns = lp_device_copy_ns(device, schedule->weights_memory, 0, bytes);
    }
    LP_TRY(state(schedule, "traffic_bytes", bytes,
                 solve(r, capacity, effort / 2, false), error));
    return state(schedule, "latency_ns", ns > 0 ? ns : 0,
                 solve(r, capacity, effort / 2, true), error);
}

lp_status lp_schedule_bound_copies(const lp_problem *problem,
                                   lp_schedule *schedule, int64_t effort,
                                   lp_error *error)
{
    lpi_program program;
    unroller r = {.problem = problem, .p = &program};
    lp_status status;

    if (!problem->device || problem->device->memories_count < 2 ||
        !schedule->memories[0].capacity_bytes)
        return LP_OK;
    r.scratch = lpi_arena_new(lpi_arena_cap(problem->scratch));
    if (!r.scratch)
        return lpi_fail_memory(error);
    status = lpi_program_lower(r.scratch, schedule, &program, NULL, error);
    if (status == LP_OK)
        status = bound(&r, schedule, effort, error);
    lpi_arena_free(r.scratch);
    return status;
}
