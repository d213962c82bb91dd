/* remat_dual.c: a lower bound for first runs in the given order, by prices.
 *
 * Stage t ends with the first run of node t; stage "count" is the end.  Of any
 * sequence we look at what runs again or is loaded in a stage, and at what is
 * resident right after the first run of node t, which with what node t takes
 * and makes must fit the budget.  Two kinds of conditions get prices and leave:
 * that budget, for each stage ("rent"), and that a node that runs again in
 * stage t finds input x there ("fee", for each edge and stage).  What is left
 * falls apart into one shortest path for each tensor (there or not, stored
 * or not, by stages), whose sum is a lower bound at any prices of 0 or more
 * (Lagrange); a node with k outputs splits its cost among them.  Prices climb
 * along averaged subgradients (Barahona and Anbil's volume algorithm, steps
 * after Polyak).
 *
 * Where a node may make its first output in the place of one input, that input
 * counts only if it is kept behind the node; where of several, one never
 * counts.
 *
 * Doubles, in a fixed order of operations; the result is lowered by far more
 * than they can be off. */
#include <math.h>
#include <string.h>

#include "solve.h"

enum { MOST_FEES = 1 << 24, STALL = 24 };

/* Of a tensor in a stage, and how: bits of the path. */
enum { THERE = 1, STORED = 2, RUNS = 4, LOADS = 8, FROM = 16 };

static const double far = 1e300;

/* "tensor" is read by "node"; the fee for it in stage t > "node" stands at
 * fees + t. */
typedef struct edge {
    int64_t fees;
    int32_t tensor, node;
    bool may_run; /* again: there are fees */
} edge;

/* Prices of one kind. */
typedef struct prices {
    double *now, *slopes, *trends;
    int64_t count;
} prices;

typedef struct dual {
    lpi_remat *remat;
    const lp_graph *graph;
    int32_t count; /* nodes; stages but one */
    double unit;   /* bytes in which rents are counted */
    edge *edges;   /* by tensor */
    int32_t *edge_begins;
    prices rents, fees;    /* by stage; by edge and stage */
    int32_t *places;       /* by node: the one input it may be in place of */
    int64_t *rows;         /* by node: where its stage 0 would be below */
    double *again;         /* by node and stage: cost and fees of a run */
    double *running;       /* by node and stage: runs */
    double *reward, *hold; /* of a tensor by stage: for being there, rent */
    bool *forced;          /* of a tensor by stage: must be there */
    uint8_t *path;         /* of a tensor by stage and state */
} dual;

/* Number the edges, by tensor. */
static bool list_edges(dual *d)
{
    const lp_graph *graph = d->graph;
    lpi_arena *arena = d->remat->arena;
    int32_t tensors = graph->tensors_count, *fill, i, k, total = 0;

    d->edge_begins = LPI_NEW(arena, int32_t, (int64_t)tensors + 1);
    fill = LPI_NEW(arena, int32_t, tensors);
    if (!d->edge_begins || !fill)
        return false;
    for (i = 0; i < d->count; i++)
        for (k = 0; k < graph->nodes[i].inputs_count; k++)
            d->edge_begins[graph->nodes[i].inputs[k] + 1]++;
    for (i = 0; i < tensors; i++) {
        fill[i] = d->edge_begins[i];
        total = d->edge_begins[i + 1] += d->edge_begins[i];
    }
    d->edges = LPI_NEW(arena, edge, total);
    for (i = 0; d->edges && i < d->count; i++) {
        const lp_graph_node *node = &graph->nodes[i];

        for (k = 0; k < node->inputs_count; k++) {
            bool may_run = !node->once && node->outputs_count;

            d->edges[fill[node->inputs[k]]++] =
                (edge){d->fees.count - i - 1, node->inputs[k], i, may_run};
            d->fees.count += may_run ? d->count - i : 0;
        }
    }
    return d->edges;
}

static bool make_prices(lpi_arena *arena, prices *p)
{
    p->now = LPI_NEW(arena, double, p->count);
    p->slopes = LPI_NEW(arena, double, p->count);
    p->trends = LPI_NEW(arena, double, p->count);
    return p->now && p->slopes && p->trends;
}

static bool make_room(dual *d)
{
    lpi_arena *arena = d->remat->arena;
    int64_t stages = (int64_t)d->count + 1, sum = 0;
    int32_t i;

    d->places = LPI_NEW(arena, int32_t, d->count);
    d->rows = LPI_NEW(arena, int64_t, d->count);
    d->forced = LPI_NEW(arena, bool, stages);
    d->path = LPI_NEW(arena, uint8_t, 4 * stages);
    d->reward = LPI_NEW(arena, double, stages);
    d->hold = LPI_NEW(arena, double, stages);
    if (!d->places || !d->rows || !d->forced || !d->path || !d->reward ||
        !d->hold)
        return false;
    for (i = 0; i < d->count; i++) {
        d->places[i] = lpi_remat_place(d->graph, i);
        d->rows[i] = sum - i - 1;
        sum += d->count - i;
    }
    d->again = LPI_NEW(arena, double, sum);
    d->running = LPI_NEW(arena, double, sum);
    d->rents.count = stages;
    return d->again && d->running && make_prices(arena, &d->rents) &&
           make_prices(arena, &d->fees);
}

/* What each node costs when it runs again, with the fees of its inputs. */
static void price_nodes(dual *d)
{
    int32_t i, t, k;

    for (i = 0; i < d->count; i++)
        for (t = i + 1; t <= d->count; t++) {
            d->again[d->rows[i] + t] = (double)d->graph->nodes[i].cost;
            d->running[d->rows[i] + t] = 0;
        }
    for (k = 0; k < d->edge_begins[d->graph->tensors_count]; k++) {
        const edge *e = &d->edges[k];

        for (t = e->node + 1; e->may_run && t <= d->count; t++)
            d->again[d->rows[e->node] + t] += d->fees.now[e->fees + t];
    }
    d->remat->scanned += d->fees.count / 2;
}

/* Fill reward, hold and forced of "tensor". */
static void price_tensor(dual *d, int32_t tensor)
{
    const lp_graph_tensor *row = &d->graph->tensors[tensor];
    int32_t t, k, first = row->producer + 1;

    for (t = first; t <= d->count; t++) {
        d->reward[t] = 0;
        d->forced[t] = t == d->count && row->is_output;
        d->hold[t] = d->rents.now[t] * ((double)row->bytes / d->unit);
    }
    d->hold[d->count] = 0;
    for (k = d->edge_begins[tensor]; k < d->edge_begins[tensor + 1]; k++) {
        const edge *e = &d->edges[k];

        d->forced[e->node] = true;
        if (d->places[e->node] != tensor)
            d->hold[e->node] = 0;
        for (t = e->node + 1; e->may_run && t <= d->count; t++)
            d->reward[t] += d->fees.now[e->fees + t];
    }
    d->remat->scanned += d->count - first;
}

/* The states after a stage, with the least cost to reach them. */
typedef struct front {
    double next[4];
    uint8_t *path; /* of this stage */
} front;

static void relax(front *f, int32_t state, double value, int32_t how)
{
    if (value < f->next[state]) {
        f->next[state] = value;
        f->path[state] = (uint8_t)how;
    }
}

/* Go on from "state" of "tensor", reached at "value", through stage "t". */
static void go_on(dual *d, const lp_graph_tensor *row, int32_t t, int32_t state,
                  double value, front *f)
{
    const lp_graph_node *made =
        row->producer < 0 ? NULL : &d->graph->nodes[row->producer];
    int32_t stored = state & STORED;
    double paid = value - d->reward[t];

    if (state & THERE) {
        relax(f, stored, paid, FROM * state);
        relax(f, state, paid + d->hold[t], FROM * state);
        return;
    }
    if (!d->forced[t])
        relax(f, state, value, FROM * state);
    if (made && !made->once) {
        double cost = paid + d->again[d->rows[row->producer] + t] /
                                 (double)made->outputs_count;

        relax(f, state, cost, FROM * state | RUNS);
        relax(f, state | THERE, cost + d->hold[t], FROM * state | RUNS);
    }
    if (row->load_cost >= 0 && (stored || row->store_cost >= 0)) {
        double cost = paid + (double)row->load_cost +
                      (stored ? 0 : (double)row->store_cost);

        relax(f, STORED, cost, FROM * state | LOADS);
        relax(f, STORED | THERE, cost + d->hold[t], FROM * state | LOADS);
    }
}

/* Put what the path of "tensor" does at stage "t" into the slopes. */
static void note(dual *d, int32_t tensor, int32_t t, int32_t step)
{
    const lp_graph_tensor *row = &d->graph->tensors[tensor];
    bool there = step & (RUNS | LOADS) || step / FROM & THERE;
    int32_t k;

    if (step & RUNS)
        d->running[d->rows[row->producer] + t] +=
            1.0 / d->graph->nodes[row->producer].outputs_count;
    if (step & THERE && t < d->count &&
        (!d->forced[t] || d->places[t] == tensor))
        d->rents.slopes[t] += (double)row->bytes / d->unit;
    for (k = d->edge_begins[tensor];
         there && k < d->edge_begins[tensor + 1] && d->edges[k].node < t; k++)
        if (d->edges[k].may_run)
            d->fees.slopes[d->edges[k].fees + t] -= 1;
}

/* The least cost of "tensor"; its path goes into the slopes. */
static double shortest(dual *d, int32_t tensor)
{
    const lp_graph_tensor *row = &d->graph->tensors[tensor];
    int32_t first = row->producer + 1, state = 0, t, s;
    double now[4] = {far, far, far, far};

    now[THERE | (row->is_stored ? STORED : 0)] = 0;
    for (t = first; t <= d->count; t++) {
        front f = {{far, far, far, far}, d->path + 4 * (int64_t)t};

        for (s = 0; s < 4; s++)
            if (now[s] < far)
                go_on(d, row, t, s, now[s], &f);
        memcpy(now, f.next, sizeof(now));
    }
    for (s = 1; s < 4; s++)
        if (now[s] < now[state])
            state = s;
    for (t = d->count, s = state; t >= first; t--) {
        int32_t how = d->path[4 * (int64_t)t + s];

        note(d, tensor, t, how | s);
        s = how / FROM;
    }
    d->remat->scanned += 4 * (int64_t)(d->count - first);
    return now[state];
}

/* The bound at the prices as they are; fills the slopes. */
static double evaluate(dual *d)
{
    const lp_graph *graph = d->graph;
    double sum = 0;
    int32_t t, k;
    int64_t i;

    price_nodes(d);
    memset(d->fees.slopes, 0, (size_t)d->fees.count * sizeof(double));
    for (t = 0; t < d->count; t++) {
        double bytes =
            (double)(lpi_remat_set(graph, t, NULL) - d->remat->budget_bytes);

        d->rents.slopes[t] = bytes / d->unit;
        sum += d->rents.now[t] * d->rents.slopes[t] +
               (double)graph->nodes[t].cost;
    }
    for (t = 0; t < graph->tensors_count; t++) {
        price_tensor(d, t);
        sum += shortest(d, t);
    }
    for (k = 0; k < d->edge_begins[graph->tensors_count]; k++) {
        const edge *e = &d->edges[k];

        for (i = e->node + 1; e->may_run && i <= d->count; i++)
            d->fees.slopes[e->fees + i] += d->running[d->rows[e->node] + i];
    }
    return sum;
}

/* How far a bound at these prices can be off: they are summed up at most a few
 * times "count" times. */
static double margin(const dual *d)
{
    double sum = (double)d->remat->cost, bytes = 0;
    int64_t i;

    for (i = 0; i < d->graph->tensors_count; i++)
        bytes += (double)d->graph->tensors[i].bytes;
    bytes += (double)d->remat->budget_bytes;
    for (i = 0; i < d->rents.count; i++)
        sum += d->rents.now[i] * (bytes / d->unit);
    for (i = 0; i < d->fees.count; i++)
        sum += 2 * d->fees.now[i];
    return sum * 1e-10;
}

/* Fold the slopes into the trends; those that lead a price below 0 do not
 * count.  Returns the sum of squares. */
static double follow(prices *p)
{
    double sum = 0;
    int64_t i;

    for (i = 0; i < p->count; i++) {
        double trend = 0.4 * p->slopes[i] + 0.6 * p->trends[i];

        if (trend < 0 && p->now[i] <= 0)
            trend = 0;
        p->trends[i] = trend;
        sum += trend * trend;
    }
    return sum;
}

static void move(prices *p, double step)
{
    int64_t i;

    for (i = 0; i < p->count; i++) {
        p->now[i] += step * p->trends[i];
        if (p->now[i] < 0)
            p->now[i] = 0;
    }
}

lp_status lpi_remat_dual(lpi_remat *remat, int64_t cost, int64_t effort,
                         int64_t *bound, lp_error *error)
{
    dual d = {.remat = remat,
              .graph = remat->graph,
              .count = remat->graph->nodes_count};
    int64_t end = remat->scanned + effort * LPI_REMAT_UNIT, i;
    double pace = 1, best = -far;
    int32_t stall = 0;

    d.unit = 1;
    for (i = 0; i < d.graph->tensors_count; i++)
        d.unit += (double)d.graph->tensors[i].bytes / d.graph->tensors_count;
    if (!list_edges(&d))
        return lpi_fail_memory(error);
    if (d.fees.count > MOST_FEES)
        return LP_OK;
    if (!make_room(&d))
        return lpi_fail_memory(error);
    while (remat->scanned < end && *bound < cost && pace > 1e-4) {
        double value = evaluate(&d), squares, safe = value - margin(&d);

        if (safe > (double)*bound)
            *bound = (int64_t)ceil(safe) < cost ? (int64_t)ceil(safe) : cost;
        if (value > best + 1e-9 * fabs(best)) {
            best = value;
            stall = 0;
        } else if (++stall == STALL) {
            pace *= 0.7;
            stall = 0;
        }
        squares = follow(&d.rents) + follow(&d.fees);
        if (!(squares > 0))
            continue;
        move(&d.rents, pace * ((double)cost - value) / squares);
        move(&d.fees, pace * ((double)cost - value) / squares);
        remat->scanned += 2 * d.fees.count;
    }
    return LP_OK;
}
