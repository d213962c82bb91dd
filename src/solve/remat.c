/* remat.c: lp_solve_remat.
 *
 * The largest working set decides whether a budget can hold anything.  Then a
 * lower bound, a search by ruin and recreate (remat_search.c), and, where it
 * was asked for and built in, CBC on top.
 *
 * Invariant: bound_cost <= cost; the events replay within peak_bytes. */
#include "solve.h"

enum { EFFORT = 1000000 };

static const int64_t most_effort = INT64_C(1) << 50;

int64_t lpi_remat_set(const lp_graph *graph, int32_t i, int32_t *ret_places)
{
    const lp_graph_node *node = &graph->nodes[i];
    int64_t sum = node->extra_bytes;
    int32_t places = 0, k;

    for (k = 0; k < node->inputs_count; k++)
        sum = lpi_add(sum, graph->tensors[node->inputs[k]].bytes);
    for (k = 0; k < node->outputs_count; k++)
        sum = lpi_add(sum, graph->tensors[node->outputs[k]].bytes);
    for (k = 0; k < node->in_place_count; k++)
        places += lpi_remat_may_take(graph, i, node->in_place[k]);
    if (places)
        sum -= graph->tensors[node->outputs[0]].bytes;
    if (ret_places)
        *ret_places = places;
    return sum;
}

int32_t lpi_remat_place(const lp_graph *graph, int32_t i)
{
    const lp_graph_node *node = &graph->nodes[i];
    int32_t place = -1, places, k;

    lpi_remat_set(graph, i, &places);
    for (k = 0; places == 1 && k < node->in_place_count; k++)
        if (lpi_remat_may_take(graph, i, node->in_place[k]))
            place = node->in_place[k];
    return place;
}

void lpi_remat_floor(const lp_graph *graph, int64_t *ret_bytes,
                     int32_t *ret_node)
{
    int64_t end = 0;
    int32_t i;

    *ret_bytes = 0;
    *ret_node = -1;
    for (i = 0; i < graph->nodes_count; i++) {
        int64_t sum = lpi_remat_set(graph, i, NULL);

        if (*ret_node < 0 || sum > *ret_bytes) {
            *ret_bytes = sum;
            *ret_node = i;
        }
    }
    for (i = 0; i < graph->tensors_count; i++)
        if (graph->tensors[i].is_output)
            end = lpi_add(end, graph->tensors[i].bytes);
    if (end > *ret_bytes) {
        *ret_bytes = end;
        *ret_node = graph->nodes_count - 1;
    }
}

/* Refuse costs and sizes whose sums do not fit. */
static lp_status check(const lp_graph *graph, int64_t budget_bytes,
                       lp_error *error)
{
    int64_t bytes = 0, cost = 0;
    int32_t i;

    if (budget_bytes < 0)
        return lpi_fail(error, LP_EINVALID, NULL, "a budget of %lld bytes",
                        (long long)budget_bytes);
    for (i = 0; i < graph->tensors_count; i++) {
        const lp_graph_tensor *tensor = &graph->tensors[i];

        if (tensor->bytes < 0)
            return lpi_fail(error, LP_EINVALID, NULL,
                            "tensor %d has %lld bytes", i,
                            (long long)tensor->bytes);
        bytes = lpi_add(bytes, tensor->bytes);
        if (tensor->store_cost > 0)
            cost = lpi_add(cost, tensor->store_cost);
        if (tensor->load_cost > 0)
            cost = lpi_add(cost, tensor->load_cost);
    }
    for (i = 0; i < graph->nodes_count; i++) {
        const lp_graph_node *node = &graph->nodes[i];

        if (node->cost < 0 || node->extra_bytes < 0)
            return lpi_fail(error, LP_EINVALID, NULL,
                            "node %d has a negative cost", i);
        bytes = lpi_add(bytes, node->extra_bytes);
        cost = lpi_add(cost, node->cost);
    }
    if (bytes > INT64_MAX >> 24 || cost > INT64_MAX >> 16)
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "the sum of all sizes or costs is too large");
    return LP_OK;
}

static int64_t base_cost(const lp_graph *graph)
{
    int64_t sum = 0;
    int32_t i;

    for (i = 0; i < graph->nodes_count; i++)
        sum += graph->nodes[i].cost;
    return sum;
}

lp_status lpi_remat_peak(lpi_arena *scratch, const lp_graph *graph,
                         int64_t *ret_bytes, lp_error *error)
{
    const lp_remat_options options = {.budget_bytes = INT64_MAX};
    lpi_remat remat;

    LP_TRY(check(graph, 0, error));
    LP_TRY(lpi_remat_start(scratch, graph, &options, &remat, error));
    *ret_bytes = remat.peak_bytes;
    return LP_OK;
}

/* Begin with the order of the lowest peak that half of the effort finds: from
 * the given order by its level, or as the solver of orders does. */
static lp_status reorder(lpi_remat *remat, lp_error *error)
{
    const lp_order_options options = {.effort = remat->effort / 4 + 1,
                                      .enough_bytes = remat->budget_bytes};
    lp_ordering found;
    int64_t bytes;

    if (!remat->overflow)
        return LP_OK;
    LP_TRY(lp_solve_order(remat->arena, remat->graph, &options, &found, error));
    remat->scanned += found.work * LPI_REMAT_UNIT;
    if (found.peak_bytes > remat->budget_bytes)
        LP_TRY(lpi_remat_level(remat, remat->effort / 4 + 1, &bytes, error));
    if (found.peak_bytes < remat->peak_bytes)
        lpi_remat_assign(remat, found.order, remat->graph->nodes_count);
    return LP_OK;
}

/* Bound, search, and the bound again with what the search found. */
static lp_status solve(lpi_remat *remat, lp_rematerialisation *result,
                       lp_error *error)
{
    int64_t effort = remat->effort, bound;

    LP_TRY(lpi_remat_bound(remat, &result->bound_cost, &result->proof, error));
    if (remat->free_order)
        LP_TRY(reorder(remat, error));
    else
        remat->effort -= effort / 4;
    LP_TRY(lpi_remat_search(remat, result->bound_cost, &result->fits, error));
    bound = result->bound_cost;
    if (result->fits && !remat->free_order && remat->cost > bound)
        LP_TRY(
            lpi_remat_dual(remat, remat->cost, effort / 4 + 1, &bound, error));
    if (bound > result->bound_cost) {
        result->bound_cost = bound;
        result->proof = "prices of memory";
    }
    remat->effort = effort;
    return LP_OK;
}

lp_status lp_solve_remat(lp_scratch *scratch, const lp_graph *graph,
                         const lp_remat_options *options,
                         lp_rematerialisation *ret_remat, lp_error *error)
{
    lp_remat_options wanted = *options;
    lp_rematerialisation result = {.proof = "largest working set"};
    lpi_remat remat;

    LP_TRY(check(graph, wanted.budget_bytes, error));
    if (wanted.effort <= 0)
        wanted.effort = EFFORT;
    if (wanted.effort > most_effort)
        wanted.effort = most_effort;
    if (wanted.exact && !lp_solve_has_cbc())
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "exact: lplan was built without CBC");
    lpi_remat_floor(graph, &result.floor_bytes, &result.floor_node);
    result.base_cost = result.bound_cost = base_cost(graph);
    if (result.floor_bytes > wanted.budget_bytes) {
        *ret_remat = result;
        return LP_OK;
    }
    LP_TRY(lpi_remat_start(scratch, graph, &wanted, &remat, error));
    LP_TRY(solve(&remat, &result, error));
    if (wanted.exact && !wanted.free_order)
        LP_TRY(lpi_remat_exact(&remat, &result, error));
    result.work = remat.scanned / LPI_REMAT_UNIT;
    if (result.fits) {
        LP_TRY(lpi_remat_events(&remat, &result.events, &result.events_count,
                                error));
        result.peak_bytes = remat.peak_bytes;
        result.cost = remat.cost;
    } else {
        result.proof = "not found";
    }
    *ret_remat = result;
    return LP_OK;
}
