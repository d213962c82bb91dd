/* order_flow.c: the cheapest live set, as a minimum cut.
 *
 * Vertices are nodes, tensors, a source and a sink.  A state is the side of the
 * source.  The producer of tensor t has an edge to t with its bytes, t has
 * endless edges to its readers: the bytes are cut exactly when the producer is
 * in the state and a reader is not.  Outputs of the graph have an edge from
 * the producer to the sink, tensors that are there from the start one from the
 * source.  Endless edges from each reader to the producers keep states closed.
 * The maximum flow is found along shortest paths (Edmonds and Karp 1972); a
 * path carries a tensor, and few tensors are live.
 *
 * Invariant: rooms[e] + rooms[e ^ 1] is constant. */
#include <string.h>

#include "solve.h"

#define ENDLESS ((int64_t)1 << 62)

enum { FREE, INSIDE, OUTSIDE };

/* Both directions of an edge, "at" the next. */
static void add_edge(lpi_flow *flow, int32_t *at, int32_t from, int32_t to,
                     int64_t room)
{
    flow->heads[*at] = to;
    flow->heads[*at + 1] = from;
    flow->capacities[*at] = room;
    *at += 2;
}

/* The edges of tensor "t". */
static void add_tensor(lpi_flow *flow, int32_t *at, int32_t t)
{
    const lpi_dag *dag = flow->dag;
    const lp_graph_tensor *tensor = &dag->graph->tensors[t];
    int32_t source = flow->vertices - 2, sink = flow->vertices - 1, e;

    if (tensor->bytes == 0 || !lpi_dag_waits(dag, t))
        return;
    if (tensor->is_output) {
        if (tensor->producer < 0)
            flow->fixed_bytes += tensor->bytes;
        else
            add_edge(flow, at, tensor->producer, sink, tensor->bytes);
        return;
    }
    add_edge(flow, at, tensor->producer < 0 ? source : tensor->producer,
             dag->count + t, tensor->bytes);
    for (e = dag->readers.begins[t]; e < dag->readers.begins[t + 1]; e++)
        add_edge(flow, at, dag->count + t, dag->readers.to[e], ENDLESS);
}

/* Sort the edges by where they leave. */
static lp_status link_edges(lpi_arena *arena, lpi_flow *flow, int32_t edges,
                            lp_error *error)
{
    int32_t *begins = LPI_NEW(arena, int32_t, flow->vertices + 2);
    int32_t e, v;

    flow->edges = (lpi_links){begins, LPI_NEW(arena, int32_t, edges)};
    if (!begins || !flow->edges.to)
        return lpi_fail_memory(error);
    for (e = 0; e < edges; e++)
        begins[flow->heads[e ^ 1] + 2]++;
    for (v = 0; v < flow->vertices; v++)
        begins[v + 2] += begins[v + 1];
    for (e = 0; e < edges; e++)
        flow->edges.to[begins[flow->heads[e ^ 1] + 1]++] = e;
    return LP_OK;
}

lp_status lpi_flow_new(lpi_arena *arena, const lpi_dag *dag, lpi_flow *ret_flow,
                       lp_error *error)
{
    int32_t tensors = dag->graph->tensors_count, at = 0, v, e;
    int32_t most = 2 * (dag->before.begins[dag->count] +
                        dag->readers.begins[tensors] + tensors);
    lpi_flow flow = {.dag = dag,
                     .vertices = dag->count + tensors + 2,
                     .heads = LPI_NEW(arena, int32_t, most),
                     .capacities = LPI_NEW(arena, int64_t, most),
                     .rooms = LPI_NEW(arena, int64_t, most),
                     .limit = INT64_MAX};

    flow.labels = LPI_NEW(arena, char, flow.vertices);
    flow.came = LPI_NEW(arena, int32_t, flow.vertices);
    flow.queue = LPI_NEW(arena, int32_t, flow.vertices);
    if (!flow.heads || !flow.capacities || !flow.rooms || !flow.labels ||
        !flow.came || !flow.queue)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++)
        for (e = dag->before.begins[v]; e < dag->before.begins[v + 1]; e++)
            add_edge(&flow, &at, v, dag->before.to[e], ENDLESS);
    for (v = 0; v < tensors; v++)
        add_tensor(&flow, &at, v);
    LP_TRY(link_edges(arena, &flow, at, error));
    *ret_flow = flow;
    return LP_OK;
}

/* A vertex outside that the vertices inside reach; -1: none.  "came" tells the
 * ways, 0 for what is not reached. */
static int32_t reach(lpi_flow *flow)
{
    int32_t count = 0, at, i, v;

    memset(flow->came, 0, (size_t)flow->vertices * sizeof(int32_t));
    for (v = 0; v < flow->vertices; v++)
        if (flow->labels[v] == INSIDE) {
            flow->came[v] = -1;
            flow->queue[count++] = v;
        }
    for (at = 0; at < count; at++) {
        v = flow->queue[at];
        flow->work += flow->edges.begins[v + 1] - flow->edges.begins[v];
        for (i = flow->edges.begins[v]; i < flow->edges.begins[v + 1]; i++) {
            int32_t e = flow->edges.to[i], to = flow->heads[e];

            if (flow->rooms[e] == 0 || flow->came[to])
                continue;
            flow->came[to] = e + 1;
            if (flow->labels[to] == OUTSIDE)
                return to;
            flow->queue[count++] = to;
        }
    }
    return -1;
}

/* Send what fits along the way to "end". */
static int64_t augment(lpi_flow *flow, int32_t end)
{
    int64_t bytes = ENDLESS;
    int32_t v;

    for (v = end; flow->came[v] > 0; v = flow->heads[(flow->came[v] - 1) ^ 1])
        if (flow->rooms[flow->came[v] - 1] < bytes)
            bytes = flow->rooms[flow->came[v] - 1];
    for (v = end; flow->came[v] > 0; v = flow->heads[(flow->came[v] - 1) ^ 1]) {
        flow->rooms[flow->came[v] - 1] -= bytes;
        flow->rooms[(flow->came[v] - 1) ^ 1] += bytes;
    }
    return bytes;
}

int64_t lpi_flow_lowest(lpi_flow *flow, const uint64_t *inside,
                        const uint64_t *outside, uint64_t *ret_state)
{
    int64_t sum = flow->fixed_bytes;
    int32_t edges = flow->edges.begins[flow->vertices], v, end;

    memcpy(flow->rooms, flow->capacities, (size_t)edges * sizeof(int64_t));
    memset(flow->labels, FREE, (size_t)flow->vertices);
    flow->labels[flow->vertices - 2] = INSIDE;
    flow->labels[flow->vertices - 1] = OUTSIDE;
    for (v = 0; v < flow->dag->count; v++)
        if (lpi_bit(inside, v))
            flow->labels[v] = INSIDE;
        else if (lpi_bit(outside, v))
            flow->labels[v] = OUTSIDE;
    while ((end = reach(flow)) >= 0) {
        sum += augment(flow, end);
        if (flow->work > flow->limit)
            return -1;
    }
    if (ret_state) {
        memset(ret_state, 0, (size_t)flow->dag->words * sizeof(uint64_t));
        for (v = 0; v < flow->dag->count; v++)
            if (flow->came[v])
                lpi_bit_set(ret_state, v);
    }
    return sum;
}
