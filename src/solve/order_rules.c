/* order_rules.c: orders made by simple rules, as incumbents and to compare.
 *
 * "reverse-dfs" is the default order of ONNX Runtime (Graph::ReverseDFSFrom in
 * onnxruntime/core/graph/graph.cc): depth first from the nodes that nobody
 * follows, the last one first, producers with higher numbers first.  "kahn" is
 * a queue, "greedy" takes the ready node that leaves the fewest bytes, and
 * "hill-valley" the best segment: nodes from a ready one along what they make
 * ready, up to the lowest live bytes; a segment that frees is taken for its
 * low hill, else the one with the longest way down from hill to valley (Liu
 * 1987, for trees; here a heuristic). */
#include <string.h>

#include "solve.h"

enum { SEGMENT = 32 };

static lp_status kahn(lpi_arena *arena, const lpi_dag *dag, int64_t limit,
                      int32_t *order, bool *ret_made, lp_error *error)
{
    int32_t *waits = LPI_NEW(arena, int32_t, dag->count);
    int32_t count = 0, at, v, e;

    (void)limit;
    if (!waits)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++) {
        waits[v] = dag->before.begins[v + 1] - dag->before.begins[v];
        if (waits[v] == 0)
            order[count++] = v;
    }
    for (at = 0; at < count; at++)
        for (e = dag->after.begins[order[at]];
             e < dag->after.begins[order[at] + 1]; e++)
            if (--waits[dag->after.to[e]] == 0)
                order[count++] = dag->after.to[e];
    *ret_made = true;
    return LP_OK;
}

/* Push the producers of "v" that were not met yet, lowest number first. */
static int32_t push_before(const lpi_dag *dag, int32_t v, const bool *met,
                           int32_t *stack, int32_t count)
{
    int32_t begin = count, e, i;

    for (e = dag->before.begins[v]; e < dag->before.begins[v + 1]; e++) {
        int32_t from = dag->before.to[e];

        if (met[from])
            continue;
        for (i = count++; i > begin && stack[i - 1] > from; i--)
            stack[i] = stack[i - 1];
        stack[i] = from;
    }
    return count;
}

static lp_status reverse_dfs(lpi_arena *arena, const lpi_dag *dag,
                             int64_t limit, int32_t *order, bool *ret_made,
                             lp_error *error)
{
    int32_t *stack = LPI_NEW(arena, int32_t,
                             2 * dag->count + dag->before.begins[dag->count]);
    bool *met = LPI_NEW(arena, bool, dag->count);
    int32_t count = 0, made = 0, v;

    (void)limit;
    if (!stack || !met)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++)
        if (dag->after.begins[v] == dag->after.begins[v + 1])
            stack[count++] = v;
    while (count > 0) {
        v = stack[--count];
        if (v < 0) {
            order[made++] = -1 - v;
        } else if (!met[v]) {
            met[v] = true;
            stack[count++] = -1 - v;
            count = push_before(dag, v, met, stack, count);
        }
    }
    *ret_made = true;
    return LP_OK;
}

/* The nodes of a segment, its highest transient and what it leaves. */
typedef struct segment {
    int32_t nodes[SEGMENT];
    int32_t count;
    int64_t hill, valley; /* above the live bytes before it */
} segment;

static bool is_better(const segment *a, const segment *b)
{
    if ((a->valley <= 0) != (b->valley <= 0))
        return a->valley <= 0;
    if (a->valley > 0 && a->hill - a->valley != b->hill - b->valley)
        return a->hill - a->valley > b->hill - b->valley;
    if (a->hill != b->hill)
        return a->hill < b->hill;
    return a->valley < b->valley;
}

/* The ready neighbour after "v" that leaves the fewest bytes; -1. */
static int32_t follow(const lpi_order_walk *w, int32_t v)
{
    int64_t least = 0;
    int32_t best = -1, e;

    for (e = w->after->begins[v]; e < w->after->begins[v + 1]; e++) {
        int32_t to = w->after->to[e];
        int64_t delta;

        if (!lpi_bit(w->ready, to))
            continue;
        delta = lpi_order_walk_delta(w, to);
        if (best < 0 || delta < least) {
            best = to;
            least = delta;
        }
    }
    return best;
}

/* The segment that begins with "v", by walking there and back. */
static void find_segment(lpi_order_walk *w, int32_t v, int32_t longest,
                         segment *ret_segment)
{
    segment s = {.count = 0};
    int64_t before = w->live_bytes, hill = 0;
    int32_t length = 0;

    while (v >= 0 && length < longest) {
        int64_t high = lpi_order_walk_taken(w, v) - before;

        if (high > hill)
            hill = high;
        lpi_order_walk_run(w, v);
        s.nodes[length++] = v;
        if (s.count == 0 || w->live_bytes - before < s.valley) {
            s.count = length;
            s.hill = hill;
            s.valley = w->live_bytes - before;
        }
        v = s.valley <= 0 ? -1 : follow(w, v);
    }
    while (length > 0)
        lpi_order_walk_undo(w, s.nodes[--length]);
    *ret_segment = s;
}

/* Take the best segment of at most "longest" nodes until all are run. */
static lp_status by_segments(lpi_arena *arena, const lpi_dag *dag,
                             int64_t limit, int32_t longest, int32_t *order,
                             bool *ret_made, lp_error *error)
{
    int32_t count = 0, v, i;
    lpi_order_walk w;

    *ret_made = false;
    LP_TRY(lpi_order_walk_new(arena, dag, false, &w, error));
    while (count < dag->count) {
        segment best = {.count = 0}, tried;

        for (v = lpi_bit_next(w.ready, dag->words, 0); v >= 0;
             v = lpi_bit_next(w.ready, dag->words, v + 1)) {
            find_segment(&w, v, longest, &tried);
            limit -= tried.count + 1;
            if (best.count == 0 || is_better(&tried, &best))
                best = tried;
        }
        for (i = 0; i < best.count; i++) {
            lpi_order_walk_run(&w, best.nodes[i]);
            order[count++] = best.nodes[i];
        }
        if (limit < 0)
            return LP_OK;
    }
    *ret_made = true;
    return LP_OK;
}

static lp_status hill_valley(lpi_arena *arena, const lpi_dag *dag,
                             int64_t limit, int32_t *order, bool *ret_made,
                             lp_error *error)
{
    return by_segments(arena, dag, limit, SEGMENT, order, ret_made, error);
}

/* Take the ready node that leaves the fewest bytes; the lower transient, the
 * lower number decide. */
static lp_status greedy(lpi_arena *arena, const lpi_dag *dag, int64_t limit,
                        int32_t *order, bool *ret_made, lp_error *error)
{
    int32_t count = 0, v;
    lpi_order_walk w;

    *ret_made = false;
    LP_TRY(lpi_order_walk_new(arena, dag, false, &w, error));
    while (count < dag->count) {
        int64_t least = 0, lowest = 0;
        int32_t best = -1;

        for (v = lpi_bit_next(w.ready, dag->words, 0); v >= 0;
             v = lpi_bit_next(w.ready, dag->words, v + 1)) {
            int64_t delta = lpi_order_walk_delta(&w, v);
            int64_t taken = lpi_order_walk_taken(&w, v);

            if (best < 0 || delta < least ||
                (delta == least && taken < lowest)) {
                best = v;
                least = delta;
                lowest = taken;
            }
            limit--;
        }
        lpi_order_walk_run(&w, best);
        order[count++] = best;
        if (limit < 0)
            return LP_OK;
    }
    *ret_made = true;
    return LP_OK;
}

const lpi_order_rule *lpi_order_rule_at(int32_t i)
{
    static const lpi_order_rule rules[] = {
        {"kahn", kahn},
        {"reverse-dfs", reverse_dfs},
        {"greedy", greedy},
        {"hill-valley", hill_valley},
    };

    return i < LPI_COUNT(rules) ? &rules[i] : NULL;
}
