/* order.c: the order of the nodes with the lowest peak, and a bound.
 *
 * First quick orders (order_rules.c) and bounds (order_bound.c); when they do
 * not meet, the exact search (order_search.c) with half of the effort; when it
 * does not end, beams of growing width with the rest, each asked for less than
 * the best order so far.  The given order is the first candidate and only a
 * lower peak replaces the best, so the result is never above it. */
#include <string.h>

#include "solve.h"

/* A unit of effort is so many moves tried, about a microsecond. */
enum { MOVES = 16 };

enum { EFFORT = 1000000, CANDIDATES = 8, FIRST_WIDTH = 8 };

typedef struct solver {
    lpi_arena *work;
    lpi_dag dag;
    int64_t effort, spent, enough_bytes;
    int32_t *best, *tried; /* orders */
    int64_t *seen;         /* by node: the least that an order takes there */
    lp_ordering result;    /* "order" is "best" */
    lp_order_candidate candidates[CANDIDATES];
} solver;

/* The peak of "order"; "seen" (or NULL) is lowered to what its nodes take. */
static int64_t peak_of(lpi_order_walk *w, const int32_t *order, int64_t *seen)
{
    int64_t peak = 0;
    int32_t i;

    for (i = 0; i < w->dag->count; i++) {
        int64_t taken = lpi_order_walk_taken(w, order[i]);

        if (seen && taken < seen[order[i]])
            seen[order[i]] = taken;
        if (taken > peak)
            peak = taken;
        lpi_order_walk_run(w, order[i]);
    }
    for (i = w->dag->count - 1; i >= 0; i--)
        lpi_order_walk_undo(w, order[i]);
    return peak;
}

/* Keep the order "tried" when it takes less than the best. */
static void keep_better(solver *s, int64_t peak, const char *rule)
{
    if (peak >= s->result.peak_bytes)
        return;
    memcpy(s->best, s->tried, (size_t)s->dag.count * sizeof(int32_t));
    s->result.peak_bytes = peak;
    s->result.rule = rule;
}

/* The given order, then those of the rules. */
static lp_status try_candidates(solver *s, lpi_order_walk *w, lp_error *error)
{
    const lpi_order_rule *rule;
    int32_t i;

    for (i = 0; i < s->dag.count; i++) {
        s->tried[i] = i;
        s->seen[i] = INT64_MAX;
    }
    s->result.peak_bytes = INT64_MAX;
    s->result.given_bytes = peak_of(w, s->tried, s->seen);
    keep_better(s, s->result.given_bytes, "given");
    s->candidates[s->result.candidates_count++] =
        (lp_order_candidate){"given", s->result.given_bytes};
    for (i = 0; (rule = lpi_order_rule_at(i)); i++) {
        bool made = false;
        int64_t peak;

        LP_TRY(rule->make(s->work, &s->dag, s->effort, s->tried, &made, error));
        if (!made)
            continue;
        peak = peak_of(w, s->tried, s->seen);
        s->candidates[s->result.candidates_count++] =
            (lp_order_candidate){rule->name, peak};
        keep_better(s, peak, rule->name);
    }
    return LP_OK;
}

static bool is_done(const solver *s)
{
    return s->result.peak_bytes <= s->result.bound_bytes ||
           s->result.peak_bytes <= s->enough_bytes;
}

/* Note what a search by "rule" has found; the order is in "tried". */
static void note_found(solver *s, lpi_order_walk *w,
                       const lpi_order_found *found, const char *rule)
{
    s->spent += found->work;
    if (found->bound_bytes > s->result.bound_bytes) {
        s->result.bound_bytes = found->bound_bytes;
        s->result.proof = "exhausted search";
    }
    if (found->is_better)
        keep_better(s, peak_of(w, s->tried, NULL), rule);
}

/* Beams, until one proves the best, or the effort is spent. */
static lp_status try_beams(solver *s, lpi_order_walk *w,
                           lpi_order_search *search, lp_error *error)
{
    int32_t width = FIRST_WIDTH;

    while (s->spent < s->effort && !is_done(s)) {
        lpi_order_found found;

        search->width = width;
        search->effort = s->effort - s->spent;
        LP_TRY(lpi_order_search_run(search, s->result.bound_bytes,
                                    s->result.peak_bytes, s->tried, &found,
                                    error));
        note_found(s, w, &found, "beam");
        if (!found.is_better) {
            if (width > INT32_MAX / 4)
                break;
            width *= 4;
        }
    }
    return LP_OK;
}

/* All that is done with a valid graph. */
static lp_status solve(solver *s, int32_t rules, lp_error *error)
{
    lpi_order_search search;
    lpi_order_bound bound;
    lpi_order_found found;
    lpi_order_walk w;

    LP_TRY(lpi_order_walk_new(s->work, &s->dag, false, &w, error));
    LP_TRY(try_candidates(s, &w, error));
    LP_TRY(lpi_dag_rules(s->work, &s->dag, rules, error));
    LP_TRY(lpi_order_bound_find(s->work, &s->dag, s->seen, s->effort, &bound,
                                error));
    s->result.bound_bytes = bound.bytes;
    s->result.proof = bound.proof;
    if (is_done(s) || s->dag.count == 0)
        return LP_OK;
    LP_TRY(lpi_order_search_new(s->work, &s->dag, rules, &search, error));
    search.effort = s->effort / 2;
    LP_TRY(lpi_order_search_run(&search, s->result.bound_bytes,
                                s->result.peak_bytes, s->tried, &found, error));
    note_found(s, &w, &found, "exact");
    return try_beams(s, &w, &search, error);
}

/* Copy the result into "scratch". */
static lp_status hand_over(lp_scratch *scratch, const solver *s,
                           lp_ordering *ret_ordering, lp_error *error)
{
    int32_t *order = LPI_NEW(scratch, int32_t, s->dag.count);
    lp_order_candidate *candidates =
        LPI_NEW(scratch, lp_order_candidate, s->result.candidates_count);

    if (!order || !candidates)
        return lpi_fail_memory(error);
    memcpy(order, s->best, (size_t)s->dag.count * sizeof(int32_t));
    memcpy(candidates, s->candidates,
           (size_t)s->result.candidates_count * sizeof(*candidates));
    *ret_ordering = s->result;
    ret_ordering->order = order;
    ret_ordering->candidates = candidates;
    ret_ordering->work = (s->spent + MOVES - 1) / MOVES;
    return LP_OK;
}

lp_status lpi_solve_order(lp_scratch *scratch, const lp_graph *graph,
                          const lp_order_options *options, int32_t rules,
                          lp_ordering *ret_ordering, lp_error *error)
{
    int64_t effort = options && options->effort ? options->effort : EFFORT;
    solver s = {.work = lpi_arena_new(lpi_arena_cap(scratch)),
                .effort = lpi_mul(effort, MOVES),
                .enough_bytes = options ? options->enough_bytes : 0};
    lp_status status;

    if (!s.work)
        return lpi_fail_memory(error);
    status = lpi_dag_new(s.work, graph, &s.dag, error);
    if (status == LP_OK) {
        s.best = LPI_NEW(s.work, int32_t, s.dag.count);
        s.tried = LPI_NEW(s.work, int32_t, s.dag.count);
        s.seen = LPI_NEW(s.work, int64_t, s.dag.count);
        status = s.best && s.tried && s.seen ? solve(&s, rules, error)
                                             : lpi_fail_memory(error);
    }
    if (status == LP_OK)
        status = hand_over(scratch, &s, ret_ordering, error);
    lpi_arena_free(s.work);
    return status;
}

lp_status lp_solve_order(lp_scratch *scratch, const lp_graph *graph,
                         const lp_order_options *options,
                         lp_ordering *ret_ordering, lp_error *error)
{
    return lpi_solve_order(scratch, graph, options, LPI_ORDER_ALL, ret_ordering,
                           error);
}

/* The peak of "order" of "dag", -1 when it is none. */
static int64_t checked_peak(lpi_arena *work, const lpi_dag *dag,
                            const int32_t *order)
{
    lpi_order_walk w;
    int32_t i;

    if (lpi_order_walk_new(work, dag, false, &w, NULL) != LP_OK)
        return -1;
    for (i = 0; i < dag->count; i++) {
        if (order[i] < 0 || order[i] >= dag->count ||
            !lpi_bit(w.ready, order[i]))
            return -1;
        lpi_order_walk_run(&w, order[i]);
    }
    for (i = dag->count - 1; i >= 0; i--)
        lpi_order_walk_undo(&w, order[i]);
    return peak_of(&w, order, NULL);
}

int64_t lp_order_peak(lp_scratch *scratch, const lp_graph *graph,
                      const int32_t *order)
{
    lpi_arena *work = lpi_arena_new(lpi_arena_cap(scratch));
    int64_t peak = -1;
    lpi_dag dag;

    if (!work)
        return -1;
    if (lpi_dag_new(work, graph, &dag, NULL) == LP_OK)
        peak = checked_peak(work, &dag, order);
    lpi_arena_free(work);
    return peak;
}
