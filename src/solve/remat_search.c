/* remat_search.c: ruin and recreate over sequences.
 *
 * A round takes some of the repeated items out of the sequence in hand, next to
 * each other or anywhere, moves a few others where the order is free, repairs
 * what is above the budget and trims.  The result replaces the sequence in hand
 * when it costs less, or, early on, slightly more.  The rounds end when the
 * effort is spent, the bound is met, or nothing better came for long.  All
 * draws come from the seed. */
#include <string.h>

#include "solve.h"

enum { RUIN = 12, PATIENCE = 400, ROUNDS_PER_NODE = 60, ANNEAL = 10 };

/* A sequence put aside. */
typedef struct kept {
    int32_t *items;
    int32_t count;
    int64_t cost, overflow;
} kept;

static void keep(const lpi_remat *remat, kept *into)
{
    memcpy(into->items, remat->items,
           (size_t)remat->count * sizeof(*remat->items));
    into->count = remat->count;
    into->cost = remat->cost;
    into->overflow = remat->overflow;
}

static int64_t work_of(const lpi_remat *remat)
{
    return remat->scanned / LPI_REMAT_UNIT;
}

/* Take up to "most" repeated items out. */
static void ruin(lpi_remat *remat, int32_t most)
{
    int32_t count = 0, left = 1 + lpi_remat_draw(remat, most), p, to = 0;
    bool neighbours = lpi_remat_draw(remat, 2);

    for (p = 0; p < remat->count; p++)
        if (remat->is_again[p])
            remat->list[count++] = p;
    if (!count)
        return;
    if (neighbours) {
        int32_t first = lpi_remat_draw(remat, count);

        for (; left-- && first < count; first++)
            remat->items[remat->list[first]] = INT32_MIN;
    } else {
        while (left--)
            remat->items[remat->list[lpi_remat_draw(remat, count)]] = INT32_MIN;
    }
    for (p = 0; p < remat->count; p++)
        if (remat->items[p] != INT32_MIN)
            remat->items[to++] = remat->items[p];
    remat->count = to;
    lpi_remat_rebuild(remat);
}

/* Whether the sequence in hand is better than "than", or as good within
 * "slack" of its cost. */
static bool is_better(const lpi_remat *remat, const kept *than, int64_t slack)
{
    if (remat->overflow || than->overflow)
        return remat->overflow <= than->overflow;
    return remat->cost <= than->cost + slack;
}

/* One round on the copy of "current". */
static void round_of(lpi_remat *remat, const kept *current)
{
    lpi_remat_assign(remat, current->items, current->count);
    ruin(remat, RUIN);
    if (remat->free_order && lpi_remat_draw(remat, 2))
        lpi_remat_shake(remat, 1 + lpi_remat_draw(remat, 4));
    if (remat->free_order && lpi_remat_draw(remat, 4) == 0)
        lpi_remat_anneal(remat, ANNEAL);
    if (lpi_remat_repair(remat))
        lpi_remat_prune(remat);
}

/* What a sequence in hand may cost more at "work" of "effort": a thirtieth of
 * the best one's extra cost at first, nothing from two thirds on. */
static int64_t slack_at(const lpi_remat *remat, int64_t extra)
{
    int64_t left = remat->effort * 2 / 3 - work_of(remat);

    if (left <= 0)
        return 0;
    return (int64_t)((double)extra / 30 * (double)left / (double)remat->effort);
}

lp_status lpi_remat_search(lpi_remat *remat, int64_t bound_cost, bool *ret_fits,
                           lp_error *error)
{
    int64_t base = bound_cost, quiet = 0;
    int64_t patience = PATIENCE +
                       ROUNDS_PER_NODE * (int64_t)remat->graph->nodes_count;
    kept current = {.items = LPI_NEW(remat->arena, int32_t, remat->capacity)};
    kept best = {.items = LPI_NEW(remat->arena, int32_t, remat->capacity)};

    if (!current.items || !best.items)
        return lpi_fail_memory(error);
    if (lpi_remat_repair(remat))
        lpi_remat_prune(remat);
    keep(remat, &current);
    keep(remat, &best);
    while (work_of(remat) < remat->effort && quiet++ < patience &&
           (best.overflow || best.cost > bound_cost)) {
        int64_t slack = best.overflow ? 0 : slack_at(remat, best.cost - base);

        round_of(remat, &current);
        if (is_better(remat, &current, slack))
            keep(remat, &current);
        if (is_better(remat, &best, -1) &&
            (remat->overflow < best.overflow || !remat->overflow)) {
            keep(remat, &best);
            quiet = 0;
        }
    }
    lpi_remat_assign(remat, best.items, best.count);
    *ret_fits = !remat->overflow;
    return LP_OK;
}
