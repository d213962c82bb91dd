/* order_graph.c: a graph made ready for the search of an order, and a walk
 * through its states.
 *
 * What is resident depends on the set S of executed nodes alone, not on their
 * order: live(S) = bytes of the tensors whose producer is in S (or that are
 * there from the start) and that are outputs or have a reader outside S.
 * While node v runs after S, live(S) + wants(v) bytes are taken, where
 * wants(v) are all outputs of v and its extra bytes: the inputs of v are live,
 * because v is outside S.  An input of the graph that nobody reads is taken
 * while the first node runs and never again; it is no part of live().
 *
 * Each tensor gives live() the term [producer in S] - [all readers in S]: the
 * first is modular and the second supermodular, so live() is submodular:
 * live(A | B) + live(A & B) <= live(A) + live(B).  All rules of the search
 * rest on that.
 *
 * Invariant of a walk: "done" is closed under producers. */
#include <string.h>

#include "solve.h"

/* Point to the error of a graph that breaks its contract. */
static lp_status refuse(lp_error *error, const char *what, int32_t of)
{
    return lpi_fail(error, LP_EINPUT, NULL, "%s %d of the graph %s",
                    strncmp(what, "tensor ", 7) == 0 ? "tensor" : "node", of,
                    what + (strncmp(what, "tensor ", 7) == 0 ? 7 : 5));
}

/* Check the tensors of "graph" and that all bytes together fit 62 bits. */
static lp_status check_tensors(const lp_graph *graph, lp_error *error)
{
    int64_t all = 0;
    int32_t i;

    for (i = 0; i < graph->tensors_count; i++) {
        const lp_graph_tensor *t = &graph->tensors[i];

        if (t->bytes < 0)
            return refuse(error, "tensor has negative bytes", i);
        if (t->producer < -1 || t->producer >= graph->nodes_count)
            return refuse(error, "tensor has a producer that is no node", i);
        all = lpi_add(all, t->bytes);
    }
    for (i = 0; i < graph->nodes_count; i++) {
        if (graph->nodes[i].extra_bytes < 0)
            return refuse(error, "node has negative extra bytes", i);
        all = lpi_add(all, graph->nodes[i].extra_bytes);
    }
    if (all >= INT64_MAX / 4)
        return lpi_fail(error, LP_EINPUT, NULL,
                        "the tensors of the graph do not fit 62 bits of bytes");
    return LP_OK;
}

/* Check the edges of node "v"; "seen" holds by tensor the last node + 1 that
 * reads it, "made" whether it was produced already. */
static lp_status check_edges(const lp_graph *graph, int32_t v, int32_t *seen,
                             bool *made, lp_error *error)
{
    const lp_graph_node *node = &graph->nodes[v];
    int32_t i;

    for (i = 0; i < node->inputs_count; i++) {
        int32_t t = node->inputs[i];

        if (t < 0 || t >= graph->tensors_count || seen[t] == v + 1)
            return refuse(error, "node reads no tensor, or one twice", v);
        seen[t] = v + 1;
        if (graph->tensors[t].producer >= v)
            return refuse(error, "node reads what is produced later", v);
    }
    for (i = 0; i < node->outputs_count; i++) {
        int32_t t = node->outputs[i];

        if (t < 0 || t >= graph->tensors_count ||
            graph->tensors[t].producer != v || made[t])
            return refuse(error, "node has an output that is not its own", v);
        made[t] = true;
    }
    return LP_OK;
}

static lp_status check_graph(lpi_arena *work, const lp_graph *graph,
                             lp_error *error)
{
    int32_t *seen = LPI_NEW(work, int32_t, graph->tensors_count);
    bool *made = LPI_NEW(work, bool, graph->tensors_count);
    int32_t i;

    if (!seen || !made)
        return lpi_fail_memory(error);
    LP_TRY(check_tensors(graph, error));
    for (i = 0; i < graph->nodes_count; i++)
        LP_TRY(check_edges(graph, i, seen, made, error));
    for (i = 0; i < graph->tensors_count; i++)
        if (graph->tensors[i].producer >= 0 && !made[i])
            return refuse(error, "tensor is no output of its producer", i);
    return LP_OK;
}

lp_status lpi_links_turn(lpi_arena *arena, const lpi_links *links,
                         int32_t count, int32_t others, lpi_links *ret_turned,
                         lp_error *error)
{
    int32_t edges = count ? links->begins[count] : 0, i, e;
    lpi_links turned = {.begins = LPI_NEW(arena, int32_t, others + 2),
                        .to = LPI_NEW(arena, int32_t, edges)};

    if (!turned.begins || !turned.to)
        return lpi_fail_memory(error);
    for (e = 0; e < edges; e++)
        turned.begins[links->to[e] + 2]++;
    for (i = 0; i < others; i++)
        turned.begins[i + 2] += turned.begins[i + 1];
    for (i = 0; i < count; i++)
        for (e = links->begins[i]; e < links->begins[i + 1]; e++)
            turned.to[turned.begins[links->to[e] + 1]++] = i;
    *ret_turned = turned;
    return LP_OK;
}

/* Fill readers, before and after of "dag". */
static lp_status link_nodes(lpi_arena *arena, lpi_dag *dag, lp_error *error)
{
    const lp_graph *graph = dag->graph;
    int32_t *seen = LPI_NEW(arena, int32_t, dag->count);
    lpi_links inputs = {.begins = LPI_NEW(arena, int32_t, dag->count + 1)};
    int64_t edges = 0;
    int32_t v, i, kept = 0;

    for (v = 0; v < dag->count; v++)
        edges += graph->nodes[v].inputs_count;
    if (edges >= INT32_MAX)
        return lpi_fail(error, LP_EINPUT, NULL, "the graph has %lld edges",
                        (long long)edges);
    inputs.to = LPI_NEW(arena, int32_t, edges);
    dag->before.begins = LPI_NEW(arena, int32_t, dag->count + 1);
    dag->before.to = LPI_NEW(arena, int32_t, edges);
    if (!seen || !inputs.begins || !inputs.to || !dag->before.begins ||
        !dag->before.to)
        return lpi_fail_memory(error);
    for (edges = 0, v = 0; v < dag->count; v++) {
        for (i = 0; i < graph->nodes[v].inputs_count; i++) {
            int32_t t = graph->nodes[v].inputs[i];
            int32_t producer = graph->tensors[t].producer;

            inputs.to[edges++] = t;
            if (producer >= 0 && seen[producer] != v + 1) {
                seen[producer] = v + 1;
                dag->before.to[kept++] = producer;
            }
        }
        inputs.begins[v + 1] = (int32_t)edges;
        dag->before.begins[v + 1] = kept;
    }
    LP_TRY(lpi_links_turn(arena, &inputs, dag->count, graph->tensors_count,
                          &dag->readers, error));
    return lpi_links_turn(arena, &dag->before, dag->count, dag->count,
                          &dag->after, error);
}

bool lpi_dag_waits(const lpi_dag *dag, int32_t t)
{
    return dag->graph->tensors[t].is_output ||
           dag->readers.begins[t + 1] > dag->readers.begins[t];
}

lp_status lpi_dag_new(lpi_arena *arena, const lp_graph *graph, lpi_dag *ret_dag,
                      lp_error *error)
{
    lpi_dag dag = {.graph = graph,
                   .count = graph->nodes_count,
                   .words = (graph->nodes_count + 63) / 64};
    int32_t i;

    if (graph->nodes_count < 0 || graph->tensors_count < 0 ||
        graph->nodes_count > LPI_ORDER_NODES ||
        graph->tensors_count > LPI_ORDER_NODES * 8)
        return lpi_fail(error, LP_EINPUT, NULL,
                        "the graph has %d nodes and %d tensors",
                        graph->nodes_count, graph->tensors_count);
    LP_TRY(check_graph(arena, graph, error));
    LP_TRY(link_nodes(arena, &dag, error));
    dag.kept_bytes = LPI_NEW(arena, int64_t, dag.count);
    dag.wants_bytes = LPI_NEW(arena, int64_t, dag.count);
    if (!dag.kept_bytes || !dag.wants_bytes)
        return lpi_fail_memory(error);
    for (i = 0; i < dag.count; i++)
        dag.wants_bytes[i] = graph->nodes[i].extra_bytes;
    for (i = 0; i < graph->tensors_count; i++) {
        const lp_graph_tensor *t = &graph->tensors[i];
        bool waits = lpi_dag_waits(&dag, i);

        if (t->producer >= 0) {
            dag.wants_bytes[t->producer] += t->bytes;
            dag.kept_bytes[t->producer] += waits ? t->bytes : 0;
        } else if (waits) {
            dag.start_bytes += t->bytes;
        } else {
            dag.idle_bytes += t->bytes;
        }
    }
    *ret_dag = dag;
    return LP_OK;
}

int32_t lpi_bit_next(const uint64_t *set, int32_t words, int32_t from)
{
    int32_t i = from / 64;
    uint64_t rest;

    if (i >= words)
        return -1;
    rest = set[i] & (~0ull << (from % 64));
    while (!rest) {
        if (++i == words)
            return -1;
        rest = set[i];
    }
    return i * 64 + __builtin_ctzll(rest);
}

/* ---- walks ----------------------------------------------------------------
 */

lp_status lpi_order_walk_new(lpi_arena *arena, const lpi_dag *dag, bool is_lazy,
                             lpi_order_walk *ret_walk, lp_error *error)
{
    const lpi_links *after = is_lazy ? &dag->hard_after : &dag->after;
    lpi_order_walk w = {
        .dag = dag,
        .after = after,
        .skips = is_lazy ? dag->is_lazy : NULL,
        .done = LPI_NEW(arena, uint64_t, dag->words),
        .ready_words = (dag->count + dag->sweeps_count + 63) / 64,
        .waits = LPI_NEW(arena, int32_t, dag->count + dag->sweeps_count),
        .unread = LPI_NEW(arena, int32_t, dag->graph->tensors_count),
        .live_bytes = dag->start_bytes};
    int32_t i, e;

    w.ready = LPI_NEW(arena, uint64_t, w.ready_words);
    if (!w.done || !w.ready || !w.waits || !w.unread)
        return lpi_fail_memory(error);
    for (i = 0; i < dag->graph->tensors_count; i++)
        w.unread[i] = dag->readers.begins[i + 1] - dag->readers.begins[i] +
                      (dag->graph->tensors[i].is_output ? 1 : 0);
    for (i = 0; i < dag->count; i++)
        for (e = after->begins[i]; e < after->begins[i + 1]; e++)
            w.waits[after->to[e]]++;
    for (i = 0; i < dag->count + (is_lazy ? dag->sweeps_count : 0); i++)
        if (w.waits[i] == 0 && !(i < dag->count && w.skips && w.skips[i]))
            lpi_bit_set(w.ready, i);
    *ret_walk = w;
    return LP_OK;
}

int64_t lpi_order_walk_taken(const lpi_order_walk *w, int32_t v)
{
    return w->live_bytes + w->dag->wants_bytes[v] +
           (w->done_count == 0 ? w->dag->idle_bytes : 0);
}

int64_t lpi_order_walk_delta(const lpi_order_walk *w, int32_t v)
{
    const lp_graph_node *node = &w->dag->graph->nodes[v];
    int64_t delta = w->dag->kept_bytes[v];
    int32_t i;

    for (i = 0; i < node->inputs_count; i++)
        if (w->unread[node->inputs[i]] == 1)
            delta -= w->dag->graph->tensors[node->inputs[i]].bytes;
    return delta;
}

void lpi_order_walk_run(lpi_order_walk *w, int32_t v)
{
    const lp_graph_node *node = &w->dag->graph->nodes[v];
    int32_t i, e;

    w->live_bytes += lpi_order_walk_delta(w, v);
    for (i = 0; i < node->inputs_count; i++)
        w->unread[node->inputs[i]]--;
    for (e = w->after->begins[v]; e < w->after->begins[v + 1]; e++)
        if (--w->waits[w->after->to[e]] == 0)
            lpi_bit_set(w->ready, w->after->to[e]);
    lpi_bit_clear(w->ready, v);
    lpi_bit_set(w->done, v);
    w->done_count++;
}

void lpi_order_walk_undo(lpi_order_walk *w, int32_t v)
{
    const lp_graph_node *node = &w->dag->graph->nodes[v];
    int32_t i, e;

    for (i = 0; i < node->inputs_count; i++)
        w->unread[node->inputs[i]]++;
    w->live_bytes -= lpi_order_walk_delta(w, v);
    for (e = w->after->begins[v]; e < w->after->begins[v + 1]; e++)
        if (w->waits[w->after->to[e]]++ == 0)
            lpi_bit_clear(w->ready, w->after->to[e]);
    if (!(w->skips && w->skips[v]))
        lpi_bit_set(w->ready, v);
    lpi_bit_clear(w->done, v);
    w->done_count--;
}

void lpi_order_walk_to(lpi_order_walk *w, const uint64_t *done)
{
    int32_t i;

    for (i = w->dag->words - 1; i >= 0; i--) {
        uint64_t extra = w->done[i] & ~done[i];

        while (extra) {
            int32_t bit = 63 - __builtin_clzll(extra);

            extra &= ~(1ull << bit);
            lpi_order_walk_undo(w, i * 64 + bit);
        }
    }
    for (i = 0; i < w->dag->words; i++) {
        uint64_t missing = done[i] & ~w->done[i];

        for (; missing; missing &= missing - 1)
            lpi_order_walk_run(w, i * 64 + __builtin_ctzll(missing));
    }
}
