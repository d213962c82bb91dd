/* order_search.c: the order with the lowest peak, by a search over states.
 *
 * Bottleneck shortest path over sets of executed nodes (Liberis and Lane, arXiv
 * 1910.05110; Ahn et al., Serenity, MLSys 2020): moves are looked at by rising
 * level, a move has the level of the highest transient on its way.  The level
 * of the move at hand is a lower bound on every peak, so the search that ends
 * is a proof, and the one that is given up leaves a bound.
 *
 * Two rules forget all but one state, the anchor, for good:
 *
 * Valley.  X is reached from the anchor S within level B, live(X) <= live(S).
 * Let X' be a state between S and X with the fewest live bytes (a minimum
 * cut).  Any order of the rest from S that fits B gives one through X': first
 * the way to X, restricted to X' (transients fall, since live(Y & X') <=
 * live(Y) + live(X') - live(Y | X') <= live(Y) for a state Y on the way), then
 * the order with what is done left out (live(Y | X') <= live(Y) + live(X') -
 * live(Y & X') <= live(Y) for a state Y of it).  The way to X keeps its first
 * node, which may run beside inputs that nobody reads.
 *
 * Cut.  After a cut node (order_lazy.c) the smallest state that holds it and
 * the anchor is passed by all orders in which lazy nodes run late.
 *
 * Levels only rise, so what was right at a lower one stays right.  With a
 * width, states are looked at by the number of nodes run, the best few of each
 * number: a beam, whose failure proves nothing when it left states out. */
#include <string.h>

#include "solve.h"

/* Nodes on the way from the anchor to "state", in order, in "order" behind
 * what is there; those outside "within" left out. */
static void append_way(lpi_order_search *s, int32_t state,
                       const uint64_t *within)
{
    int32_t at, end = s->order_count, i;

    for (at = state; at >= 0; at = s->states[at].parent)
        for (i = 0; i < s->states[at].steps_count; i++)
            end += lpi_bit(within, s->steps[s->states[at].steps + i]);
    s->order_count = end;
    for (at = state; at >= 0; at = s->states[at].parent)
        for (i = s->states[at].steps_count - 1; i >= 0; i--) {
            int32_t v = s->steps[s->states[at].steps + i];

            if (lpi_bit(within, v))
                s->order[--end] = v;
        }
}

/* Make "within", on the way to "state", the anchor.  What the beam has dropped
 * does not matter any more. */
static lp_status commit(lpi_order_search *s, int32_t state,
                        const uint64_t *within, lp_error *error)
{
    s->has_dropped = false;
    append_way(s, state, within);
    lpi_order_walk_to(&s->walk, within);
    return lpi_order_restart(s, error);
}

/* Add the lazy nodes that "v" wants to "set". */
static void add_first(const lpi_dag *dag, int32_t v, uint64_t *set)
{
    int32_t e;

    for (e = dag->first.begins[v]; e < dag->first.begins[v + 1]; e++)
        lpi_bit_set(set, dag->first.to[e]);
}

static bool has_first(const lpi_dag *dag, int32_t v, const uint64_t *set)
{
    int32_t e;

    for (e = dag->first.begins[v]; e < dag->first.begins[v + 1]; e++)
        if (!lpi_bit(set, dag->first.to[e]))
            return false;
    return true;
}

/* Leave lazy nodes that nobody wants out of "spare". */
static void trim(lpi_order_search *s)
{
    const lpi_dag *dag = s->dag;
    size_t size = (size_t)dag->words * sizeof(uint64_t);
    int32_t v;

    memcpy(s->spare2, s->anchor, size);
    for (v = lpi_bit_next(s->spare, dag->words, 0); v >= 0;
         v = lpi_bit_next(s->spare, dag->words, v + 1))
        if (!(dag->is_lazy && dag->is_lazy[v])) {
            lpi_bit_set(s->spare2, v);
            add_first(dag, v, s->spare2);
        }
    for (v = dag->count; v < dag->count + dag->sweeps_count; v++)
        if (has_first(dag, v, s->spare))
            add_first(dag, v, s->spare2);
    memcpy(s->spare, s->spare2, size);
}

/* Put in "spare" the lowest state between the anchor and "state", where the
 * walk stands.  False when it must not be taken: with another first node,
 * beside the inputs that nobody reads, or with lazy nodes in part. */
static bool find_valley(lpi_order_search *s, int32_t state)
{
    const lpi_dag *dag = s->dag;
    const uint64_t *end = s->sets + (int64_t)state * dag->words;
    int64_t lowest, from = s->flow.work;
    bool holds;
    int32_t i;

    for (i = 0; i < dag->words; i++)
        s->spare2[i] = ~end[i];
    lowest = lpi_flow_lowest(&s->flow, s->anchor, s->spare2, s->spare);
    s->work += (s->flow.work - from) / 16;
    if (lowest == s->states[state].live_bytes) {
        memcpy(s->spare, end, (size_t)dag->words * sizeof(uint64_t));
        return true;
    }
    trim(s);
    lpi_order_walk_to(&s->walk, s->spare);
    holds = s->walk.live_bytes == lowest &&
            (dag->idle_bytes == 0 || s->order_count > 0);
    if (!holds)
        lpi_order_walk_to(&s->walk, end);
    return holds;
}

/* Commit to a state when a rule allows it; the walk stands at "state", just
 * added. */
static lp_status try_commit(lpi_order_search *s, int32_t state,
                            bool *ret_committed, lp_error *error)
{
    size_t size = (size_t)s->dag->words * sizeof(uint64_t);

    *ret_committed = true;
    if ((s->rules & LPI_ORDER_VALLEY) &&
        s->walk.live_bytes <= s->anchor_bytes && find_valley(s, state))
        return commit(s, state, s->spare, error);
    if (s->cut_count > 0) {
        while (s->trail_count > s->cut_count)
            lpi_order_walk_undo(&s->walk, s->trail[--s->trail_count]);
        memcpy(s->spare, s->walk.done, size);
        return commit(s, state, s->spare, error);
    }
    *ret_committed = false;
    return LP_OK;
}

/* Run "node" from "state", where the walk stands, and queue what comes of it.
 * "ret_committed": all other states are forgotten, which is not sought when
 * there is nothing to forget: "is_alone". */
static lp_status go(lpi_order_search *s, int32_t state, int32_t node,
                    bool is_alone, bool *ret_committed, lp_error *error)
{
    lpi_order_item item = {.level = s->level_bytes, .node = -1};

    *ret_committed = false;
    LP_TRY(lpi_order_spawn(s, state, node, &item.state, error));
    if (item.state < 0)
        return LP_OK;
    if (!is_alone || s->items_count > 0)
        LP_TRY(try_commit(s, item.state, ret_committed, error));
    if (*ret_committed)
        item.state = 0;
    item.live_bytes = s->states[item.state].live_bytes;
    if (s->width)
        item.level = s->walk.done_count;
    return lpi_order_push(s, item, error);
}

/* Run each ready node of "state", or queue it for a higher level. */
static lp_status expand(lpi_order_search *s, int32_t state, lp_error *error)
{
    const lpi_dag *dag = s->dag;
    bool committed = false;
    int32_t v, next;

    for (v = lpi_bit_next(s->walk.ready, s->walk.ready_words, 0); v >= 0;
         v = next) {
        int64_t delta, taken = lpi_order_measure(s, v, &delta);

        next = lpi_bit_next(s->walk.ready, s->walk.ready_words, v + 1);
        if (taken >= s->upper_bytes)
            continue;
        if (taken > s->level_bytes) {
            lpi_order_item item = {.level = taken,
                                   .live_bytes = s->walk.live_bytes + delta,
                                   .state = state,
                                   .node = v};

            LP_TRY(lpi_order_push(s, item, error));
            continue;
        }
        LP_TRY(go(s, state, v, next < 0, &committed, error));
        if (committed)
            return LP_OK;
        lpi_order_walk_to(&s->walk, s->sets + (int64_t)state * dag->words);
    }
    return LP_OK;
}

/* Whether the beam has looked at enough states with so many nodes run. */
static bool is_beyond_width(lpi_order_search *s, const lpi_order_item *item,
                            int64_t *level, int32_t *taken)
{
    if (item->level != *level) {
        *level = item->level;
        *taken = 0;
    }
    if (++*taken <= s->width)
        return false;
    s->has_dropped = true;
    return true;
}

/* Look at what is queued until all nodes are run, the queue is empty or the
 * effort is spent. */
static lp_status look(lpi_order_search *s, lp_error *error)
{
    int64_t level = -1;
    int32_t taken = 0;

    while (s->items_count > 0 && s->work <= s->effort && !s->is_complete) {
        lpi_order_item item = lpi_order_pop(s);
        bool committed;

        if (s->width && is_beyond_width(s, &item, &level, &taken))
            continue;
        if (!s->width && item.level > s->level_bytes)
            s->level_bytes = item.level;
        lpi_order_walk_to(&s->walk,
                          s->sets + (int64_t)item.state * s->dag->words);
        if (item.node >= 0) {
            LP_TRY(go(s, item.state, item.node, true, &committed, error));
        } else if (s->walk.done_count == s->dag->count) {
            append_way(s, item.state, s->walk.done);
            s->is_complete = true;
        } else {
            LP_TRY(expand(s, item.state, error));
        }
        s->work++;
    }
    return LP_OK;
}

/* Go back to the start, with nothing known. */
static lp_status start(lpi_order_search *s, lp_error *error)
{
    int32_t i;

    for (i = s->dag->count - 1; i >= 0; i--)
        if (lpi_bit(s->walk.done, i))
            lpi_order_walk_undo(&s->walk, i);
    s->order_count = 0;
    s->work = 0;
    s->has_dropped = false;
    LP_TRY(lpi_order_restart(s, error));
    return lpi_order_push(
        s, (lpi_order_item){.level = s->width ? 0 : s->level_bytes, .node = -1},
        error);
}

lp_status lpi_order_search_run(lpi_order_search *s, int64_t lower_bytes,
                               int64_t upper_bytes, int32_t *order,
                               lpi_order_found *ret_found, lp_error *error)
{
    lpi_order_found found = {.bound_bytes = lower_bytes};

    s->upper_bytes = upper_bytes;
    s->level_bytes = s->width ? upper_bytes - 1 : lower_bytes;
    LP_TRY(start(s, error));
    LP_TRY(look(s, error));
    found.work = s->work;
    found.is_better = s->is_complete;
    if (s->is_complete)
        memcpy(order, s->order, (size_t)s->dag->count * sizeof(int32_t));
    found.is_closed = s->work <= s->effort || s->is_complete;
    if (!s->width)
        found.bound_bytes = found.is_closed && !s->is_complete ? upper_bytes
                                                               : s->level_bytes;
    else if (!s->is_complete && found.is_closed && !s->has_dropped)
        found.bound_bytes = upper_bytes;
    *ret_found = found;
    return LP_OK;
}
