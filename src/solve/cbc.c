/* cbc.c: recompute, store or spill as an integer program, through CBC.
 *
 * First runs in the given order; stage t ends with the first run of node t,
 * stage "count" is the end.  Binary: tensor i is there when stage t begins
 * (stays), its node runs again or it is loaded in stage t, it is stored.  What
 * a node reads is there or comes in that stage; what is there when a stage
 * begins was there or came in the one before (the form of Checkmate, Jain and
 * others, 2020, with one row for each cause in place of sums).  Two kinds of
 * rows hold the budget: at the first run of t, what stays behind it; at another
 * run in stage t, what lies there through the whole stage (between, 0 to 1).
 * All hold in every sequence, so that CBC's bound is one; an answer is put in
 * order, measured, repaired and taken only when it is cheaper.
 *
 * CBC works by the clock: its answers are not reproducible.  In a build without
 * it the exported functions say so. */
#include "solve.h"

#ifdef LPI_CBC

#include <Cbc_C_Interface.h>
#include <math.h>
#include <string.h>

enum { MOST_NODES = 160, SECONDS = 60, ROW = 4096 };

/* Kinds of columns, by tensor (a run again: by the first its node makes). */
enum { STAYS, RUNS, LOADS, BETWEEN, KINDS };

typedef struct program {
    lpi_remat *remat;
    const lp_graph *graph;
    Cbc_Model *model;
    int32_t count;           /* nodes */
    int32_t *columns[KINDS]; /* by stage and tensor; -1: none */
    int32_t *stored;         /* by tensor */
    int32_t columns_count;
    double unit; /* of cost */
    int *indices;
    double *values;
    int width; /* of the row in hand */
} program;

static int32_t *column(const program *p, int32_t kind, int32_t stage,
                       int32_t tensor)
{
    return &p->columns[kind][(int64_t)stage * p->graph->tensors_count + tensor];
}

static void add(program *p, int32_t of, double value)
{
    if (of < 0)
        return;
    p->indices[p->width] = of;
    p->values[p->width++] = value;
}

static void end_row(program *p, char sense, double right)
{
    Cbc_addRow(p->model, "", p->width, p->indices, p->values, sense, right);
    p->width = 0;
}

static int32_t add_column(program *p, double cost, bool whole)
{
    Cbc_addCol(p->model, "", 0, 1, cost / p->unit, whole, 0, NULL, NULL);
    return p->columns_count++;
}

/* What makes "tensor" be there in stage "t", times "value". */
static void add_there(program *p, int32_t t, int32_t tensor, double value)
{
    int32_t kind;

    for (kind = STAYS; kind <= LOADS; kind++)
        add(p, *column(p, kind, t, tensor), value);
}

static bool reads(const lp_graph_node *node, int32_t tensor)
{
    int32_t k;

    for (k = 0; k < node->inputs_count; k++)
        if (node->inputs[k] == tensor)
            return true;
    for (k = 0; k < node->outputs_count; k++)
        if (node->outputs[k] == tensor)
            return true;
    return false;
}

static void add_columns(program *p)
{
    const lp_graph *graph = p->graph;
    int32_t t, i, k;

    for (i = 0; i < graph->tensors_count; i++) {
        const lp_graph_tensor *row = &graph->tensors[i];
        const lp_graph_node *made =
            row->producer < 0 ? NULL : &graph->nodes[row->producer];
        bool loads = row->load_cost >= 0 &&
                     (row->is_stored || row->store_cost >= 0);

        p->stored[i] = loads && !row->is_stored
                           ? add_column(p, (double)row->store_cost, true)
                           : -1;
        for (t = row->producer + 1; t <= p->count; t++) {
            *column(p, STAYS, t, i) = add_column(p, 0, true);
            *column(p, BETWEEN, t, i) = add_column(p, 0, false);
            if (loads)
                *column(p, LOADS, t, i) =
                    add_column(p, (double)row->load_cost, true);
            if (!made || made->once)
                continue;
            if (made->outputs[0] == i)
                *column(p, RUNS, t, i) =
                    add_column(p, (double)made->cost, true);
            for (k = 1; k < made->outputs_count; k++)
                *column(p, RUNS, t, made->outputs[k]) =
                    *column(p, RUNS, t, made->outputs[0]);
        }
    }
}

/* The rows of tensor "i" in stage "t". */
static void add_tensor_rows(program *p, int32_t t, int32_t i)
{
    const lp_graph_tensor *row = &p->graph->tensors[i];
    bool last = t == p->count;
    bool read = !last && reads(&p->graph->nodes[t], i);

    if (read || (last && row->is_output)) {
        add_there(p, t, i, 1);
        end_row(p, 'G', 1);
    }
    if (p->stored[i] >= 0) {
        add(p, *column(p, LOADS, t, i), 1);
        add(p, p->stored[i], -1);
        end_row(p, 'L', 0);
    }
    if (last)
        return;
    add(p, *column(p, STAYS, t + 1, i), 1);
    add_there(p, t, i, -1);
    end_row(p, 'L', 0);
    add_there(p, t, i, -1);
    add(p, *column(p, STAYS, t, i), 2);
    if (!read)
        add(p, *column(p, STAYS, t + 1, i), 1);
    add(p, *column(p, BETWEEN, t, i), -1);
    end_row(p, 'L', read ? 0 : 1);
}

/* The rows of another run of node "j" in stage "t". */
static void add_run_rows(program *p, int32_t t, int32_t j)
{
    const lp_graph_node *node = &p->graph->nodes[j];
    int32_t i, k, run;

    if (node->once || !node->outputs_count)
        return;
    run = *column(p, RUNS, t, node->outputs[0]);
    for (k = 0; k < node->inputs_count; k++) {
        add(p, run, 1);
        add_there(p, t, node->inputs[k], -1);
        end_row(p, 'L', 0);
    }
    if (t == p->count)
        return;
    for (i = 0; i < p->graph->tensors_count; i++)
        if (!reads(node, i))
            add(p, *column(p, BETWEEN, t, i),
                (double)p->graph->tensors[i].bytes /
                    (double)p->remat->budget_bytes);
    add(p, run,
        (double)lpi_remat_set(p->graph, j, NULL) /
            (double)p->remat->budget_bytes);
    end_row(p, 'L', 1 + 1e-9);
}

static void add_rows(program *p)
{
    const lp_graph *graph = p->graph;
    int32_t t, i, place;

    for (t = 0; t <= p->count; t++) {
        for (i = 0; i < graph->tensors_count; i++)
            if (graph->tensors[i].producer < t)
                add_tensor_rows(p, t, i);
        for (i = 0; i < t; i++)
            add_run_rows(p, t, i);
        place = t < p->count ? lpi_remat_place(graph, t) : -1;
        for (i = 0; t < p->count && i < graph->tensors_count; i++)
            if (graph->tensors[i].producer < t &&
                (i == place || !reads(&graph->nodes[t], i)))
                add(p, *column(p, STAYS, t + 1, i),
                    (double)graph->tensors[i].bytes /
                        (double)p->remat->budget_bytes);
        if (p->width)
            end_row(p, 'L',
                    1 + 1e-9 -
                        (double)lpi_remat_set(graph, t, NULL) /
                            (double)p->remat->budget_bytes);
    }
}

/* The sequence in hand as CBC's first answer. */
static void start(program *p)
{
    lpi_remat *remat = p->remat;
    int32_t position, stage = 0, i, near[2];

    p->width = 0;
    for (position = 0; position <= remat->count; position++) {
        int32_t of = position < remat->count ? remat->items[position] : -1;

        if (position == remat->count || !remat->is_again[position]) {
            if (stage == p->count)
                break;
            stage++;
            for (i = 0; i < p->graph->tensors_count; i++) {
                lpi_remat_around(remat, i, position + 1, -1, near);
                if (near[0] >= 0 && LPI_REMAT_IS_USE(near[1]))
                    add(p, *column(p, STAYS, stage, i), 1);
            }
        } else if (of >= 0 && p->graph->nodes[of].outputs_count) {
            add(p, *column(p, RUNS, stage, p->graph->nodes[of].outputs[0]), 1);
        } else if (of < 0) {
            add(p, *column(p, LOADS, stage, ~of), 1);
        }
    }
    for (i = 0; i < p->graph->tensors_count; i++)
        if (remat->loads[i])
            add(p, p->stored[i], 1);
    Cbc_setMIPStartI(p->model, p->width, p->indices, p->values);
}

/* Put the items of "answer" in order; their number, or -1 without room. */
static int32_t order(const program *p, const double *answer, int32_t *items)
{
    int32_t t, i, k, count = 0;

    for (t = 0; t <= p->count; t++) {
        for (i = 0; i < p->graph->tensors_count; i++) {
            int32_t load = *column(p, LOADS, t, i);

            if (count + 2 >= p->remat->capacity)
                return -1;
            if (load >= 0 && answer[load] > 0.5)
                items[count++] = ~i;
        }
        for (k = 0; k < t; k++) {
            const lp_graph_node *node = &p->graph->nodes[k];
            int32_t run = node->outputs_count
                              ? *column(p, RUNS, t, node->outputs[0])
                              : -1;

            if (count + 2 >= p->remat->capacity)
                return -1;
            if (run >= 0 && answer[run] > 0.5)
                items[count++] = k;
        }
        if (t < p->count)
            items[count++] = t;
    }
    return count;
}

/* Take what CBC found, where it is cheaper than the sequence in hand. */
static lp_status take(program *p, lp_rematerialisation *result, lp_error *error)
{
    lpi_remat *remat = p->remat;
    const double *answer = Cbc_bestSolution(p->model);
    int32_t *old = LPI_NEW(remat->arena, int32_t, remat->capacity);
    int32_t *items = LPI_NEW(remat->arena, int32_t, remat->capacity);
    int32_t old_count = remat->count, count;
    int64_t old_cost = remat->cost;

    if (!old || !items)
        return lpi_fail_memory(error);
    count = answer ? order(p, answer, items) : -1;
    if (count < 0)
        return LP_OK;
    memcpy(old, remat->items, (size_t)old_count * sizeof(*old));
    lpi_remat_assign(remat, items, count);
    if (lpi_remat_repair(remat))
        lpi_remat_prune(remat);
    if (remat->overflow || (result->fits && remat->cost >= old_cost))
        lpi_remat_assign(remat, old, old_count);
    result->fits = !remat->overflow;
    return LP_OK;
}

/* Raise the bound of "result" to what CBC proved. */
static void raise_bound(const program *p, lp_rematerialisation *result)
{
    double bound = Cbc_getBestPossibleObjValue(p->model) * p->unit;
    int64_t cost;

    if (!(bound > 0) || bound > 1e17)
        return;
    bound -= bound * 1e-7 + 1e-6 * p->unit;
    cost = result->base_cost + (int64_t)ceil(bound);
    if (result->fits && cost > p->remat->cost)
        cost = p->remat->cost;
    if (cost > result->bound_cost) {
        result->bound_cost = cost;
        result->proof = "branch and cut";
    }
}

static bool make_room(program *p, lpi_arena *arena)
{
    int64_t cells = ((int64_t)p->count + 1) *
                    ((int64_t)p->graph->tensors_count + 1);
    int32_t kind;
    int64_t i;

    for (kind = 0; kind < KINDS; kind++) {
        p->columns[kind] = LPI_NEW(arena, int32_t, cells);
        if (!p->columns[kind])
            return false;
        for (i = 0; i < cells; i++)
            p->columns[kind][i] = -1;
    }
    p->stored = LPI_NEW(arena, int32_t, p->graph->tensors_count);
    p->indices = LPI_NEW(arena, int, KINDS *cells + ROW);
    p->values = LPI_NEW(arena, double, KINDS *cells + ROW);
    return p->stored && p->indices && p->values;
}

bool lp_solve_has_cbc(void)
{
    return true;
}

lp_status lpi_remat_exact(lpi_remat *remat, lp_rematerialisation *result,
                          lp_error *error)
{
    program p = {.remat = remat,
                 .graph = remat->graph,
                 .count = remat->graph->nodes_count,
                 .unit = (double)result->base_cost / 10000 + 1e-9};
    lp_status status;

    if (p.count > MOST_NODES || !remat->budget_bytes ||
        (result->fits && remat->cost == result->bound_cost))
        return LP_OK;
    if (!make_room(&p, remat->arena))
        return lpi_fail_memory(error);
    p.model = Cbc_newModel();
    add_columns(&p);
    add_rows(&p);
    if (result->fits)
        start(&p);
    Cbc_setLogLevel(p.model, 0);
    Cbc_setMaximumSeconds(p.model, SECONDS);
    Cbc_solve(p.model);
    status = take(&p, result, error);
    raise_bound(&p, result);
    Cbc_deleteModel(p.model);
    return status;
}

#else

bool lp_solve_has_cbc(void)
{
    return false;
}

lp_status lpi_remat_exact(lpi_remat *remat, lp_rematerialisation *result,
                          lp_error *error)
{
    (void)remat;
    (void)result;
    return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                    "exact: lplan was built without CBC");
}

#endif
