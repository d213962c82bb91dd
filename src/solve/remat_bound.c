/* remat_bound.c: what no sequence within a budget undercuts, in any order.
 *
 * Each node runs once.  While node v runs first, all that an ancestor of v made
 * and a descendant of v will read has been made and will be used; where the
 * order is fixed, all that an earlier node made and a later one reads.  What of
 * this does not fit beside the working set of v is absent then, so that it
 * is run again or loaded later.  The cheapest choice of absent tensors that
 * frees enough bytes is a knapsack; its linear relaxation, rounded up, after
 * the first few tensors that it would cut are taken or left, is the bound of v,
 * and the highest of all nodes holds.  (Outputs of the graph are wanted at the
 * end.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solve.h"

enum { DEPTH = 5 /* tensors taken or left */ };

/* The least cost of getting a tensor again. */
typedef struct absent {
    int64_t bytes, cost;
    bool is_decided; /* taken or left */
} absent;

typedef struct bounder {
    const lp_graph *graph;
    const lpi_remat *remat;
    bool *before, *after;      /* by node: ancestors and descendants of one */
    int32_t *begins, *readers; /* by tensor */
    int64_t *again;            /* by tensor: INT64_MAX: cannot be */
    absent *waiting;
    int64_t looked; /* tensors, in knapsacks */
} bounder;

/* Whether x costs less by the byte than y. */
static int by_ratio(const void *a, const void *b)
{
    const absent *x = a, *y = b;
    double left = (double)x->cost * (double)y->bytes;
    double right = (double)y->cost * (double)x->bytes;

    if (left != right)
        return left < right ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* What getting "tensor" again costs at least: a run shared by all that its
 * producer makes counts in parts. */
static int64_t again(const lp_graph *graph, int32_t tensor)
{
    const lp_graph_tensor *row = &graph->tensors[tensor];
    int64_t best = INT64_MAX;

    if (row->producer >= 0 && !graph->nodes[row->producer].once)
        best = graph->nodes[row->producer].cost /
               graph->nodes[row->producer].outputs_count;
    if (row->load_cost >= 0 && (row->is_stored || row->store_cost >= 0)) {
        int64_t cost = row->load_cost + (row->is_stored ? 0 : row->store_cost);

        if (cost < best)
            best = cost;
    }
    return best;
}

static bool list_readers(bounder *b, lpi_arena *arena)
{
    const lp_graph *graph = b->graph;
    int32_t tensors = graph->tensors_count, *fill, i, k, total = 0;

    b->begins = LPI_NEW(arena, int32_t, (int64_t)tensors + 1);
    b->again = LPI_NEW(arena, int64_t, tensors);
    b->waiting = LPI_NEW(arena, absent, tensors);
    b->before = LPI_NEW(arena, bool, graph->nodes_count);
    b->after = LPI_NEW(arena, bool, graph->nodes_count);
    fill = LPI_NEW(arena, int32_t, tensors);
    if (!b->begins || !b->again || !b->waiting || !b->before || !b->after ||
        !fill)
        return false;
    for (i = 0; i < graph->nodes_count; i++)
        for (k = 0; k < graph->nodes[i].inputs_count; k++)
            b->begins[graph->nodes[i].inputs[k] + 1]++;
    for (i = 0; i < tensors; i++) {
        fill[i] = b->begins[i];
        total = b->begins[i + 1] += b->begins[i];
        b->again[i] = again(graph, i);
    }
    b->readers = LPI_NEW(arena, int32_t, total);
    for (i = 0; b->readers && i < graph->nodes_count; i++)
        for (k = 0; k < graph->nodes[i].inputs_count; k++)
            b->readers[fill[graph->nodes[i].inputs[k]]++] = i;
    return b->readers;
}

/* Mark what runs before and after node "v" for certain. */
static void mark(bounder *b, int32_t v)
{
    const lp_graph *graph = b->graph;
    int32_t i, k, r;

    for (i = 0; i < graph->nodes_count; i++) {
        b->before[i] = !b->remat->free_order && i < v;
        b->after[i] = !b->remat->free_order && i > v;
    }
    if (!b->remat->free_order)
        return;
    b->before[v] = b->after[v] = true;
    for (i = v; i >= 0; i--)
        for (k = 0; b->before[i] && k < graph->nodes[i].inputs_count; k++) {
            int32_t made = graph->tensors[graph->nodes[i].inputs[k]].producer;

            if (made >= 0)
                b->before[made] = true;
        }
    for (i = v; i < graph->nodes_count; i++)
        for (k = 0; b->after[i] && k < graph->nodes[i].outputs_count; k++) {
            int32_t t = graph->nodes[i].outputs[k];

            for (r = b->begins[t]; r < b->begins[t + 1]; r++)
                b->after[b->readers[r]] = true;
        }
    b->before[v] = b->after[v] = false;
}

/* Whether "tensor", which node "v" neither takes nor makes, has been made and
 * is wanted later while "v" runs first. */
static bool must_wait(const bounder *b, int32_t tensor, int32_t v)
{
    const lp_graph_tensor *row = &b->graph->tensors[tensor];
    bool wanted = row->is_output;
    int32_t r;

    if (row->producer == v || (row->producer >= 0 && !b->before[row->producer]))
        return false;
    for (r = b->begins[tensor]; r < b->begins[tensor + 1]; r++) {
        if (b->readers[r] == v)
            return false;
        wanted = wanted || b->after[b->readers[r]];
    }
    return wanted;
}

/* Whether "tensor", in whose place node "v" may make its first output, is
 * wanted when "v" has run. */
static bool is_wanted(const bounder *b, int32_t tensor)
{
    int32_t r;

    for (r = b->begins[tensor]; r < b->begins[tensor + 1]; r++)
        if (b->after[b->readers[r]])
            return true;
    return b->graph->tensors[tensor].is_output;
}

/* What node "v" takes, less the budget: where its first output is not for
 * certain in the place of an input that dies, those that it may be in the place
 * of wait, so that they are listed as such. */
static int64_t excess_of(bounder *b, int32_t v, int32_t *ret_count)
{
    const lp_graph *graph = b->graph;
    const lp_graph_node *node = &graph->nodes[v];
    int32_t places, k, count = 0;
    int64_t excess = lpi_remat_set(graph, v, &places) - b->remat->budget_bytes;

    *ret_count = 0;
    for (k = 0; places && k < node->in_place_count; k++) {
        int32_t t = node->in_place[k];

        if (!lpi_remat_may_take(graph, v, t))
            continue;
        if (!is_wanted(b, t))
            return excess;
        if (b->again[t] < INT64_MAX)
            b->waiting[count++] =
                (absent){graph->tensors[t].bytes, b->again[t], false};
    }
    *ret_count = count;
    return places ? excess + graph->tensors[node->outputs[0]].bytes : excess;
}

/* The least cost of "count" tensors that wait, in the order of by_ratio, to
 * free "excess" bytes, with "depth" of them decided both ways; INT64_MAX: they
 * are not enough. */
static int64_t knapsack(bounder *b, int32_t count, int64_t excess,
                        int32_t depth)
{
    int64_t rest = excess, sum = 0, taken, left;
    absent *w = b->waiting;
    int32_t k;

    for (k = 0; k < count && rest > 0; k++) {
        w = &b->waiting[k];
        if (w->is_decided)
            continue;
        if (w->bytes > rest)
            break;
        rest -= w->bytes;
        sum += w->cost;
    }
    b->looked += k;
    if (rest <= 0)
        return sum;
    if (k == count)
        return INT64_MAX;
    if (!depth)
        return sum + (int64_t)ceil((double)w->cost * (double)rest /
                                   (double)w->bytes * (1 - 1e-12));
    w->is_decided = true;
    taken = w->bytes >= excess
                ? 0
                : knapsack(b, count, excess - w->bytes, depth - 1);
    taken = taken == INT64_MAX ? taken : taken + w->cost;
    left = knapsack(b, count, excess, depth - 1);
    w->is_decided = false;
    return taken < left ? taken : left;
}

/* The knapsack of node "v". */
static int64_t bound_of(bounder *b, int32_t v)
{
    int64_t excess, cost;
    int32_t t, count;

    mark(b, v);
    excess = excess_of(b, v, &count);
    for (t = 0; t < b->graph->tensors_count; t++) {
        int64_t bytes = b->graph->tensors[t].bytes;

        if (!bytes || !must_wait(b, t, v))
            continue;
        excess += bytes;
        if (b->again[t] < INT64_MAX)
            b->waiting[count++] = (absent){bytes, b->again[t], false};
    }
    if (excess <= 0)
        return 0;
    qsort(b->waiting, (size_t)count, sizeof(*b->waiting), by_ratio);
    cost = knapsack(b, count, excess, DEPTH);
    return cost < INT64_MAX ? cost : 0;
}

lp_status lpi_remat_bound(lpi_remat *remat, int64_t *ret_cost,
                          const char **ret_proof, lp_error *error)
{
    const lp_graph *graph = remat->graph;
    bounder b = {.graph = graph, .remat = remat};
    int64_t base = 0, best = 0;
    int64_t most = remat->scanned + remat->effort / 8 * LPI_REMAT_UNIT;
    int32_t v;

    if (!list_readers(&b, remat->arena))
        return lpi_fail_memory(error);
    for (v = 0; v < graph->nodes_count; v++)
        base += graph->nodes[v].cost;
    for (v = 0; v < graph->nodes_count && remat->scanned < most; v++) {
        int64_t cost = bound_of(&b, v);

        if (cost > best)
            best = cost;
        remat->scanned += b.begins[graph->tensors_count] + b.looked / 4;
        b.looked = 0;
    }
    *ret_cost = base + best;
    *ret_proof = best ? "absent tensors" : "each node runs once";
    return LP_OK;
}
