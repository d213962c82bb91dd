/* order_bound.c: bytes that every order takes.
 *
 * While node v runs, what is taken are its outputs and extra bytes and the
 * live bytes of a state that contains its ancestors and neither v nor a
 * descendant.  Three bounds on those live bytes, each at least the one before:
 *   node         the inputs of v;
 *   forced-live  the results of ancestors (and inputs of the graph) that v or
 *                a descendant reads, or that are outputs;
 *   min-cut      the cheapest such state, by a maximum flow (the convex
 *                minimum cut of Elango et al., SPAA 2014).
 * Only nodes at which all known orders take more than the bound so far can
 * raise it; the others are left out. */
#include "solve.h"

/* Bytes of the inputs of "v". */
static int64_t input_bytes(const lpi_dag *dag, int32_t v)
{
    const lp_graph_node *node = &dag->graph->nodes[v];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < node->inputs_count; i++)
        bytes += dag->graph->tensors[node->inputs[i]].bytes;
    return bytes;
}

static void raise_bound(lpi_order_bound *bound, int64_t bytes,
                        const char *proof)
{
    if (bytes > bound->bytes)
        *bound = (lpi_order_bound){bytes, proof};
}

/* The node bounds; the first node has all inputs of the graph beside it. */
static void bound_nodes(const lpi_dag *dag, lpi_order_bound *bound)
{
    int64_t first = INT64_MAX;
    int32_t v;

    for (v = 0; v < dag->count; v++) {
        int64_t start = dag->start_bytes + dag->idle_bytes;

        raise_bound(bound, input_bytes(dag, v) + dag->wants_bytes[v], "node");
        if (dag->before.begins[v] == dag->before.begins[v + 1] &&
            start + dag->wants_bytes[v] < first)
            first = start + dag->wants_bytes[v];
    }
    if (dag->count)
        raise_bound(bound, first, "node");
}

/* Bytes that are live whenever "v" runs. */
static int64_t forced_bytes(const lpi_dag *dag, int32_t v)
{
    const uint64_t *above = dag->above + (int64_t)v * dag->words;
    const uint64_t *below = dag->below + (int64_t)v * dag->words;
    int64_t bytes = 0;
    int32_t t, e;

    for (t = 0; t < dag->graph->tensors_count; t++) {
        const lp_graph_tensor *tensor = &dag->graph->tensors[t];
        bool stays = tensor->is_output;

        if (tensor->producer >= 0 && !lpi_bit(above, tensor->producer))
            continue;
        for (e = dag->readers.begins[t];
             e < dag->readers.begins[t + 1] && !stays; e++)
            stays = dag->readers.to[e] == v ||
                    lpi_bit(below, dag->readers.to[e]);
        bytes += stays ? tensor->bytes : 0;
    }
    return bytes;
}

lp_status lpi_order_bound_find(lpi_arena *arena, const lpi_dag *dag,
                               const int64_t *seen, int64_t limit,
                               lpi_order_bound *ret_bound, lp_error *error)
{
    lpi_order_bound bound = {0, "node"};
    uint64_t *outside = LPI_NEW(arena, uint64_t, dag->words);
    lpi_flow flow;
    int32_t v, i;

    if (!outside)
        return lpi_fail_memory(error);
    bound_nodes(dag, &bound);
    for (v = 0; v < dag->count && dag->above; v++)
        if (seen[v] > bound.bytes)
            raise_bound(&bound, forced_bytes(dag, v) + dag->wants_bytes[v],
                        "forced-live");
    for (v = 0; v < dag->count && seen[v] <= bound.bytes; v++)
        ;
    if (v == dag->count || !dag->above) {
        *ret_bound = bound;
        return LP_OK;
    }
    LP_TRY(lpi_flow_new(arena, dag, &flow, error));
    flow.limit = limit;
    for (; v < dag->count; v++) {
        int64_t lowest;

        if (seen[v] <= bound.bytes)
            continue;
        for (i = 0; i < dag->words; i++)
            outside[i] = dag->below[(int64_t)v * dag->words + i];
        lpi_bit_set(outside, v);
        lowest = lpi_flow_lowest(&flow, dag->above + (int64_t)v * dag->words,
                                 outside, NULL);
        if (lowest < 0)
            break;
        raise_bound(&bound, lowest + dag->wants_bytes[v], "min-cut");
    }
    *ret_bound = bound;
    return LP_OK;
}
