/* remat_level.c: an order with a low peak, by annealing over a soft peak.
 *
 * The peak alone says nothing of a move elsewhere, and the sum of what is above
 * the budget lets a broad hill stand beside a lower one.  So the level of an
 * order is the sum over positions of exp(bytes / scale): with a small scale,
 * its logarithm is the peak, and it still tells how often the peak is met.  A
 * move puts one node elsewhere between its neighbours; it is made when the
 * level rises by less than a random threshold (Dueck and Scheuer, 1990), in
 * proportion.  Scale and threshold fall.  What is made in place counts beside
 * what it is made from.
 *
 * The exponentials come from a table and from plain arithmetic, so that all
 * machines draw the same order.
 *
 * Invariant: "bytes" and "last" describe "order". */
#include <string.h>

#include "solve.h"

enum {
    FINE = 64,           /* entries of the table in a scale */
    ENTRIES = 32 * FINE, /* the peak stands at a quarter of it */
    PHASES = 64,         /* falls of scale and threshold */
    TRIES = 16,          /* draws of a position near the peak */
};

/* Scales in mean bytes of tensors, and thresholds, at first and at the end. */
static const double first_scale = 2, last_scale = 1;
static const double first_heat = 0.1, last_heat = 0.04;

static const double step_down = 0.98449643700540845; /* exp(-1 / FINE) */

typedef struct level {
    lpi_remat *remat; /* draws, and counts work */
    const lp_graph *graph;
    lpi_dag dag;
    int32_t count;  /* nodes; the number of the end, too */
    int32_t *order; /* by position: node */
    int32_t *at;    /* by node: position */
    int32_t *last;  /* by tensor: its last reader, or the end; -1: none */
    int64_t *bytes; /* by position: resident */
    int64_t *fresh; /* by position: after a move */
    int64_t *own;   /* by node: what it makes, and extra bytes */
    int64_t *kept;  /* by node: what it makes for others */
    double weights[ENTRIES];
    double sum, heat, entries_per_byte;
    int64_t top; /* bytes of the first entry */
    int32_t *best;
    int64_t best_peak;
    double best_sum; /* lowest of a phase */
} level;

static double weight(const level *l, int64_t bytes)
{
    double entry = (double)(l->top - bytes) * l->entries_per_byte;

    if (entry < 0)
        return l->weights[0];
    return entry < ENTRIES ? l->weights[(int32_t)entry] : 0;
}

/* The last reader of "tensor" where the nodes stand now. */
static int32_t last_reader(const level *l, int32_t tensor)
{
    const lpi_links *readers = &l->dag.readers;
    int32_t last = -1, e;

    if (l->graph->tensors[tensor].is_output)
        return l->count;
    for (e = readers->begins[tensor]; e < readers->begins[tensor + 1]; e++)
        if (last < 0 || l->at[readers->to[e]] > l->at[last])
            last = readers->to[e];
    return last;
}

/* Add "bytes" to what is resident after the move at "first" to "end" - 1. */
static void add(level *l, int32_t first, int32_t end, int64_t bytes)
{
    for (; first < end; first++)
        l->fresh[first] += bytes;
}

/* Fill "fresh" for node "v" put from "from" to a later position "to": what it
 * makes comes later, and what it reads last stays as long. */
static void put_later(level *l, int32_t v, int32_t from, int32_t to)
{
    const lp_graph_node *node = &l->graph->nodes[v];
    int64_t entering = l->bytes[to + 1] - l->own[l->order[to + 1]] - l->kept[v];
    int32_t q, k;

    for (q = from; q < to; q++)
        l->fresh[q] = l->bytes[q + 1] - l->kept[v];
    for (k = 0; k < node->inputs_count; k++) {
        int32_t t = node->inputs[k], last = l->at[l->last[t]];

        if (last > to)
            continue;
        add(l, last, to, l->graph->tensors[t].bytes);
        entering += l->graph->tensors[t].bytes;
    }
    l->fresh[to] = entering + l->own[v];
}

/* The same for an earlier position "to": what it reads last goes with its other
 * readers. */
static void put_earlier(level *l, int32_t v, int32_t from, int32_t to)
{
    const lp_graph_node *node = &l->graph->nodes[v];
    const lpi_links *readers = &l->dag.readers;
    int32_t q, k, e;

    for (q = to; q < from; q++)
        l->fresh[q + 1] = l->bytes[q] + l->kept[v];
    for (k = 0; k < node->inputs_count; k++) {
        int32_t t = node->inputs[k], first = to;

        if (l->last[t] != v)
            continue;
        for (e = readers->begins[t]; e < readers->begins[t + 1]; e++)
            if (readers->to[e] != v && l->at[readers->to[e]] >= first)
                first = l->at[readers->to[e]] + 1;
        add(l, first + 1, from + 1, -l->graph->tensors[t].bytes);
    }
    l->fresh[to] = l->bytes[to] - l->own[l->order[to]] + l->own[v];
}

/* Make the move of "v" that "fresh" describes. */
static void make(level *l, int32_t v, int32_t from, int32_t to)
{
    const lp_graph_node *node = &l->graph->nodes[v];
    int32_t low = from < to ? from : to, high = from < to ? to : from, k;
    int32_t *order = l->order;

    memcpy(l->bytes + low, l->fresh + low,
           (size_t)(high - low + 1) * sizeof(*l->bytes));
    if (from < to)
        memmove(order + from, order + from + 1,
                (size_t)(to - from) * sizeof(*order));
    else
        memmove(order + to + 1, order + to,
                (size_t)(from - to) * sizeof(*order));
    order[to] = v;
    for (k = low; k <= high; k++)
        l->at[order[k]] = k;
    for (k = 0; k < node->inputs_count; k++) {
        int32_t t = node->inputs[k];

        if (l->last[t] == v && to < from)
            l->last[t] = last_reader(l, t);
        else if (l->at[l->last[t]] < to)
            l->last[t] = v;
    }
}

/* A position near the peak, when some draws find one. */
static int32_t pick(level *l)
{
    int64_t near = l->best_peak - l->best_peak / 8;
    int32_t p = 0, tries;

    for (tries = 0; tries < TRIES; tries++) {
        p = lpi_remat_draw(l->remat, l->count);
        if (l->bytes[p] >= near)
            break;
    }
    return p;
}

/* Where a node at "from" may go: "to", brought between its neighbours. */
static int32_t bring_between(const level *l, int32_t from, int32_t to)
{
    const lpi_links *links = from < to ? &l->dag.after : &l->dag.before;
    int32_t v = l->order[from], e;

    if (to < 0)
        to = 0;
    if (to >= l->count)
        to = l->count - 1;
    for (e = links->begins[v]; e < links->begins[v + 1]; e++) {
        int32_t other = l->at[links->to[e]];

        if (from < to && other <= to)
            to = other - 1;
        if (to < from && other >= to)
            to = other + 1;
    }
    return to;
}

/* Keep the order in hand when its peak is the lowest so far. */
static void keep_best(level *l)
{
    int64_t peak = 0;
    int32_t p;

    for (p = 0; p <= l->count; p++)
        if (l->bytes[p] > peak)
            peak = l->bytes[p];
    l->remat->scanned += l->count / 8;
    if (peak >= l->best_peak)
        return;
    l->best_peak = peak;
    memcpy(l->best, l->order, (size_t)l->count * sizeof(*l->best));
}

static void move(level *l)
{
    int32_t from = pick(l), reach = 2 << lpi_remat_draw(l->remat, 9);
    int32_t aim = from + lpi_remat_draw(l->remat, 2 * reach + 1) - reach;
    int32_t to = bring_between(l, from, aim), v = l->order[from], p;
    int32_t low = from < to ? from : to, high = from < to ? to : from;
    double rise = 0, chance;

    l->remat->scanned += 80 + high - low;
    if (from == to)
        return;
    if (from < to)
        put_later(l, v, from, to);
    else
        put_earlier(l, v, from, to);
    for (p = low; p <= high; p++)
        rise += weight(l, l->fresh[p]) - weight(l, l->bytes[p]);
    chance = (double)lpi_remat_draw(l->remat, 1 << 20) / (1 << 19);
    if (rise > l->sum * l->heat * chance)
        return;
    make(l, v, from, to);
    l->sum += rise;
    if (l->sum >= l->best_sum)
        return;
    l->best_sum = l->sum;
    keep_best(l);
}

/* Begin phase "phase": scale, threshold and level. */
static void begin_phase(level *l, int32_t phase, int64_t mean)
{
    double part = (double)phase / PHASES, scale;
    int64_t peak = 0;
    int32_t p;

    scale = (first_scale + (last_scale - first_scale) * part) * (double)mean;
    l->heat = first_heat + (last_heat - first_heat) * part;
    for (p = 0; p <= l->count; p++)
        if (l->bytes[p] > peak)
            peak = l->bytes[p];
    l->entries_per_byte = FINE / scale;
    l->top = peak + (int64_t)(8 * scale);
    l->sum = 0;
    for (p = 0; p <= l->count; p++)
        l->sum += weight(l, l->bytes[p]);
    l->best_sum = l->sum;
}

/* Residency of the order that "remat" has, each node once. */
static void fill(level *l)
{
    const lp_graph *graph = l->graph;
    int64_t live = 0;
    int32_t p, t, k;

    for (p = 0; p <= l->count; p++) {
        l->order[p] = p < l->count ? l->remat->items[p] : p;
        l->at[l->order[p]] = p;
    }
    for (t = 0; t < graph->tensors_count; t++) {
        int32_t maker = graph->tensors[t].producer;

        l->last[t] = last_reader(l, t);
        if (maker >= 0)
            l->own[maker] += graph->tensors[t].bytes;
        if (maker >= 0 && l->last[t] >= 0)
            l->kept[maker] += graph->tensors[t].bytes;
        if (maker < 0 && l->last[t] >= 0)
            live += graph->tensors[t].bytes;
    }
    for (p = 0; p < l->count; p++) {
        const lp_graph_node *node = &graph->nodes[l->order[p]];

        l->own[l->order[p]] += node->extra_bytes;
        l->bytes[p] = live + l->own[l->order[p]];
        live += l->kept[l->order[p]];
        for (k = 0; k < node->inputs_count; k++)
            if (l->last[node->inputs[k]] == l->order[p])
                live -= graph->tensors[node->inputs[k]].bytes;
    }
    l->bytes[p] = live;
}

static lp_status start(lpi_arena *arena, lpi_remat *remat, level *ret_level,
                       lp_error *error)
{
    int64_t positions = (int64_t)remat->graph->nodes_count + 1;
    level *l = ret_level;
    int32_t i;

    *l = (level){.remat = remat, .graph = remat->graph};
    LP_TRY(lpi_dag_new(arena, remat->graph, &l->dag, error));
    l->count = remat->graph->nodes_count;
    l->order = LPI_NEW(arena, int32_t, positions);
    l->at = LPI_NEW(arena, int32_t, positions);
    l->last = LPI_NEW(arena, int32_t, remat->graph->tensors_count);
    l->bytes = LPI_NEW(arena, int64_t, positions);
    l->fresh = LPI_NEW(arena, int64_t, positions);
    l->own = LPI_NEW(arena, int64_t, positions);
    l->kept = LPI_NEW(arena, int64_t, positions);
    l->best = LPI_NEW(arena, int32_t, positions);
    if (!l->order || !l->at || !l->last || !l->bytes || !l->fresh || !l->own ||
        !l->kept || !l->best)
        return lpi_fail_memory(error);
    l->weights[0] = 1;
    for (i = 1; i < ENTRIES; i++)
        l->weights[i] = l->weights[i - 1] * step_down;
    fill(l);
    l->best_peak = INT64_MAX;
    keep_best(l);
    return LP_OK;
}

/* Mean bytes of the tensors that take any, at least 1. */
static int64_t mean_bytes(const lp_graph *graph)
{
    int64_t sum = 0, count = 0;
    int32_t t;

    for (t = 0; t < graph->tensors_count; t++) {
        sum += graph->tensors[t].bytes;
        count += graph->tensors[t].bytes > 0;
    }
    return sum ? sum / count + 1 : 1;
}

lp_status lpi_remat_level(lpi_remat *remat, int64_t effort, int64_t *ret_bytes,
                          lp_error *error)
{
    int64_t begin = remat->scanned, span = lpi_mul(effort, LPI_REMAT_UNIT);
    int64_t mean = mean_bytes(remat->graph), given = remat->peak_bytes;
    int32_t phase = -1;
    level l;

    LP_TRY(start(remat->arena, remat, &l, error));
    memcpy(remat->spare, l.order, (size_t)l.count * sizeof(*l.order));
    while (l.count > 1 && remat->scanned - begin < span &&
           l.best_peak > remat->budget_bytes) {
        int64_t now =
            (int64_t)((double)(remat->scanned - begin) / (double)span * PHASES);

        if (now > phase) {
            phase = (int32_t)now;
            begin_phase(&l, phase, mean);
        }
        move(&l);
    }
    lpi_remat_assign(remat, l.best, l.count);
    if (remat->peak_bytes > given)
        lpi_remat_assign(remat, remat->spare, l.count);
    *ret_bytes = l.best_peak;
    return LP_OK;
}
