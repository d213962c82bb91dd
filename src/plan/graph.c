/* graph.c: the units of a schedule as a graph for the solvers.
 *
 * Nodes are units.  A unit that only views a tensor is no node: it takes no
 * bytes and no time, and follows the storage that it shows.  Tensors of the
 * graph are storages: what a unit makes and a later one, or the caller, reads,
 * and the inputs of the graph.  Element-wise results may take the place of an
 * operand, as in lpi_in_place.
 *
 * Invariant: the live peak of an order of the nodes is the live peak of the
 * schedule that runs the units so. */
#include "plan.h"

typedef struct grapher {
    const lp_problem *problem;
    const lp_schedule *schedule;
    const lp_unit *units;
    int64_t units_count;
    lpi_arena *scratch;
    int32_t *makers;   /* by tensor of the problem: unit + 1 that makes it */
    int32_t *storages; /* by tensor of the problem: of the graph; -1: none */
    int32_t *seen;     /* by storage: node + 1 that lists it already */
    int32_t *pool;     /* lists of the nodes */
    int64_t pool_count;
    lp_graph_node *nodes;
    lp_graph_tensor *tensors;
    int32_t *roots; /* by storage */
    int64_t *unit_of;
    lp_unit_view *views;
    lp_unit_graph *made;
} grapher;

/* The layer of "unit" when it only shows its first input; NULL. */
static const lp_plan_layer *view_of(const grapher *g, int64_t unit)
{
    const lp_layer *layer = g->units[unit].layer;
    int32_t at = layer ? lp_problem_layer(g->problem, layer) : -1;
    const lp_plan_layer *facts = at < 0 ? NULL : &g->problem->layers[at];

    return facts && facts->is_view && facts->outputs_count == 1 &&
                   lpi_is_value(layer->inputs[0])
               ? facts
               : NULL;
}

/* A storage of its own for "tensor", made by node "producer". */
static void add_storage(grapher *g, int32_t tensor, int32_t producer)
{
    const lp_plan_tensor *facts = &g->problem->tensors[tensor];
    int32_t at = g->made->graph.tensors_count++;

    g->storages[tensor] = at;
    g->roots[at] = tensor;
    g->tensors[at] = (lp_graph_tensor){.bytes = facts->bytes,
                                       .producer = producer,
                                       .is_output = facts->is_output,
                                       .store_cost = -1,
                                       .load_cost = -1};
}

static void add_view(grapher *g, int64_t unit, const lp_plan_layer *layer)
{
    int32_t of = lp_problem_tensor(g->problem, layer->layer->inputs[0]);
    int32_t tensor = layer->outputs[0];
    int32_t storage = g->storages[of];

    g->storages[tensor] = storage;
    if (g->problem->tensors[tensor].is_output)
        g->tensors[storage].is_output = true;
    g->views[g->made->views_count++] = (lp_unit_view){
        .unit = unit, .storage = storage, .tensor = tensor, .source = of};
}

/* Whether "tensor", made by unit "unit", is read by another or by the
 * caller; a single layer's results are storages in any case. */
static bool is_kept(const grapher *g, int32_t tensor, int64_t unit,
                    const int32_t *unit_of_layer)
{
    const lp_plan_tensor *facts = &g->problem->tensors[tensor];
    int32_t i;

    if (facts->is_output || g->units[unit].layer)
        return true;
    for (i = 0; i < facts->readers_count; i++)
        if (unit_of_layer[facts->readers[i]] != unit)
            return true;
    return false;
}

/* Append the storage of "tensor" to the list of "node" that is open. */
static void list(grapher *g, int32_t tensor, int32_t node)
{
    int32_t storage = g->storages[tensor];

    if (storage < 0 || g->seen[storage] == node + 1)
        return;
    g->seen[storage] = node + 1;
    g->pool[g->pool_count++] = storage;
}

/* How many operands of "layer", captures too, show storage "storage". */
static int32_t count_shown(const grapher *g, const lp_layer *layer,
                           int32_t storage)
{
    const lp_model *body;
    int32_t count = 0, i, at = 0, t;
    int64_t j;

    for (i = 0; i < layer->inputs_count; i++) {
        t = lp_problem_tensor(g->problem, layer->inputs[i]);
        count += t >= 0 && g->storages[t] == storage;
    }
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++) {
            t = lp_problem_tensor(g->problem, body->captures[j]->outer);
            count += t >= 0 && g->storages[t] == storage;
        }
    return count;
}

/* List in "n" the storages in whose place "layer" may make its result: what no
 * other operand shows, and is no input of the graph. */
static void list_places(grapher *g, lp_graph_node *n, const lp_layer *layer)
{
    int32_t i;

    n->in_place = g->pool + g->pool_count;
    for (i = 0; i < layer->inputs_count; i++) {
        bool may =
            lpi_is_value(layer->inputs[i]) && lpi_in_place(layer, i) &&
            lpi_same_width(g->schedule, layer->inputs[i], layer->outputs[0]);
        int32_t t = may ? lp_problem_tensor(g->problem, layer->inputs[i]) : -1;
        int32_t storage = t < 0 ? -1 : g->storages[t];

        if (storage >= 0 && g->tensors[storage].producer >= 0 &&
            count_shown(g, layer, storage) == 1)
            g->pool[g->pool_count++] = storage;
    }
    n->in_place_count = (int32_t)(g->pool + g->pool_count - n->in_place);
}

/* The node of unit "unit"; tensors made inside are marked in "makers". */
static void add_node(grapher *g, int64_t unit, const int32_t *unit_of_layer)
{
    int32_t node = g->made->graph.nodes_count++, count, i, j;
    lp_layer *const *layers = lpi_unit_layers(&g->units[unit], &count);
    lp_graph_node *n = &g->nodes[node];
    const lp_plan_layer *facts;

    *n = (lp_graph_node){.inputs = g->pool + g->pool_count};
    g->unit_of[node] = unit;
    for (i = 0; i < count; i++) {
        facts = &g->problem->layers[lp_problem_layer(g->problem, layers[i])];
        n->once |= !facts->is_pure;
        for (j = 0; j < facts->outputs_count; j++)
            g->makers[facts->outputs[j]] = (int32_t)unit + 1;
        for (j = 0; j < facts->inputs_count; j++)
            if (g->makers[facts->inputs[j]] != unit + 1)
                list(g, facts->inputs[j], node);
    }
    n->inputs_count = (int32_t)(g->pool + g->pool_count - n->inputs);
    n->outputs = g->pool + g->pool_count;
    for (i = 0; i < count; i++) {
        facts = &g->problem->layers[lp_problem_layer(g->problem, layers[i])];
        for (j = 0; j < facts->outputs_count; j++)
            if (is_kept(g, facts->outputs[j], unit, unit_of_layer)) {
                add_storage(g, facts->outputs[j], node);
                g->pool[g->pool_count++] = g->storages[facts->outputs[j]];
            }
    }
    n->outputs_count = (int32_t)(g->pool + g->pool_count - n->outputs);
    if (g->units[unit].layer)
        list_places(g, n, g->units[unit].layer);
}

static lp_status make_room(grapher *g, lp_error *error)
{
    const lp_problem *p = g->problem;
    int64_t listed = 0, i;

    for (i = 0; i < p->layers_count; i++)
        listed += 2 * (int64_t)p->layers[i].inputs_count +
                  p->layers[i].outputs_count;
    g->makers = LPI_NEW(g->scratch, int32_t, p->tensors_count);
    g->storages = LPI_NEW(g->scratch, int32_t, p->tensors_count);
    g->seen = LPI_NEW(g->scratch, int32_t, p->tensors_count);
    g->pool = LPI_NEW(g->scratch, int32_t, listed);
    g->nodes = LPI_NEW(g->scratch, lp_graph_node, g->units_count);
    g->tensors = LPI_NEW(g->scratch, lp_graph_tensor, p->tensors_count);
    g->roots = LPI_NEW(g->scratch, int32_t, p->tensors_count);
    g->unit_of = LPI_NEW(g->scratch, int64_t, g->units_count);
    g->views = LPI_NEW(g->scratch, lp_unit_view, g->units_count);
    if (!g->makers || !g->storages || !g->seen || !g->pool || !g->nodes ||
        !g->tensors || !g->roots || !g->unit_of || !g->views)
        return lpi_fail_memory(error);
    for (i = 0; i < p->tensors_count; i++)
        g->storages[i] = -1;
    return LP_OK;
}

/* What the nodes take beside their operands, and what they cost. */
static lp_status price(grapher *g, const lp_schedule *schedule, lp_error *error)
{
    lp_meaning meaning;
    int32_t i;

    LP_TRY(lp_schedule_lower(g->problem, schedule, &meaning, error));
    for (i = 0; i < g->made->graph.nodes_count; i++) {
        const lp_unit_facts *facts = &meaning.units[g->unit_of[i]];

        g->nodes[i].extra_bytes = facts->buffer_live_bytes;
        g->nodes[i].cost = g->problem->device ? facts->compute_ns : facts->macs;
    }
    g->made->facts = meaning.units;
    return LP_OK;
}

lp_status lp_schedule_graph(const lp_problem *problem,
                            const lp_schedule *schedule,
                            lp_unit_graph *ret_graph, lp_error *error)
{
    lp_unit_graph made = {0};
    grapher g = {.problem = problem,
                 .schedule = schedule,
                 .units = schedule->units,
                 .units_count = schedule->units_count,
                 .scratch = problem->scratch,
                 .made = &made};
    int32_t *unit_of_layer = LPI_NEW(g.scratch, int32_t, problem->layers_count);
    const lp_plan_layer *view;
    int64_t u;
    int32_t i, count;

    if (!unit_of_layer)
        return lpi_fail_memory(error);
    LP_TRY(make_room(&g, error));
    for (u = 0; u < g.units_count; u++) {
        lp_layer *const *layers = lpi_unit_layers(&g.units[u], &count);

        if (g.units[u].ordinal != 1)
            return lpi_fail(error, LP_EINVALID, schedule->name,
                            "a schedule that computes something again is no "
                            "graph of units");
        for (i = 0; i < count; i++)
            unit_of_layer[lp_problem_layer(problem, layers[i])] = (int32_t)u;
    }
    for (i = 0; i < problem->tensors_count; i++)
        if (problem->tensors[i].producer < 0)
            add_storage(&g, i, -1);
    for (u = 0; u < g.units_count; u++)
        if ((view = view_of(&g, u)))
            add_view(&g, u, view);
        else
            add_node(&g, u, unit_of_layer);
    made.graph.nodes = g.nodes;
    made.graph.tensors = g.tensors;
    made.units = g.unit_of;
    made.roots = g.roots;
    made.storages = g.storages;
    made.views = g.views;
    LP_TRY(price(&g, schedule, error));
    *ret_graph = made;
    return LP_OK;
}
