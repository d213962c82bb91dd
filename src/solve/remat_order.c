/* remat_order.c: the order of a sequence, where it is free.
 *
 * Annealing by threshold: a move takes a tensor that waits across a position
 * above the budget and puts its producer after that position, or its next
 * reader before it, or moves any item by some places; it is made when the
 * overflow rises by less than a threshold that falls to 0 (Dueck and Scheuer,
 * 1990).  The best order met is kept. */
#include <string.h>

#include "solve.h"

/* The first threshold is this part of the overflow. */
enum { HEAT = 100 };

/* Put the item at "from" before the item at "to", when that is another place
 * where it may stand and the overflow rises by "slack" at most. */
static bool try_move(lpi_remat *remat, int32_t from, int32_t to, int64_t slack)
{
    lpi_remat_change change = {.removed = from, .at = to, .group_count = 1};

    if (from < 0 || from >= remat->count || to < 0 || to > remat->count ||
        to == from || to == from + 1 || !lpi_remat_may_move(remat, from, to))
        return false;
    change.group[0] = remat->items[from];
    lpi_remat_measure(remat, &change);
    return change.relief >= -slack && lpi_remat_apply(remat, &change);
}

static bool move_any(lpi_remat *remat, int64_t slack)
{
    int32_t from = lpi_remat_draw(remat, remat->count);
    int32_t reach = 1 << (1 + lpi_remat_draw(remat, 7));

    return try_move(remat, from,
                    from + lpi_remat_draw(remat, reach) - reach / 2, slack);
}

void lpi_remat_shake(lpi_remat *remat, int32_t count)
{
    while (count--)
        move_any(remat, INT64_MAX);
}

/* A position above the budget near a random one; -1: none. */
static int32_t find_position(lpi_remat *remat)
{
    int32_t start = lpi_remat_draw(remat, remat->count + 1), i;

    for (i = 0; i <= remat->count; i++) {
        int32_t p = (start + i) % (remat->count + 1);

        if (remat->resident[p] > remat->budget_bytes) {
            remat->scanned += i / 8;
            return p;
        }
    }
    return -1;
}

/* Between "low" and "high", both included. */
static int32_t between(lpi_remat *remat, int32_t low, int32_t high)
{
    return low + (high > low ? lpi_remat_draw(remat, high - low + 1) : 0);
}

/* End the wait of some tensor across a position above the budget. */
static bool move_one(lpi_remat *remat, int64_t slack)
{
    int32_t p = find_position(remat), tries, near[2];

    for (tries = 0; p >= 0 && tries < 16; tries++) {
        int32_t t = lpi_remat_draw(remat, remat->graph->tensors_count);
        int32_t made, used;

        lpi_remat_around(remat, t, p, -1, near);
        if (near[0] < 0 || !LPI_REMAT_IS_USE(near[1]))
            continue;
        made = LPI_REMAT_POSITION(near[0]);
        used = LPI_REMAT_POSITION(near[1]);
        if (lpi_remat_draw(remat, 2) && used < remat->count)
            return try_move(remat, used,
                            between(remat, lpi_remat_earliest(remat, used), p),
                            slack);
        return try_move(remat, made, between(remat, p + 1, used), slack);
    }
    return false;
}

void lpi_remat_anneal(lpi_remat *remat, int64_t effort)
{
    int64_t begin = remat->scanned, span = effort * LPI_REMAT_UNIT;
    int64_t best = remat->overflow, hot = remat->overflow / HEAT;
    int32_t *items = remat->spare;

    memcpy(items, remat->items, (size_t)remat->count * sizeof(*items));
    while (best && remat->scanned - begin < span) {
        double left = 1 - (double)(remat->scanned - begin) / (double)span;
        int64_t slack = (int64_t)((double)hot * left * left);

        remat->scanned += 16;
        if (lpi_remat_draw(remat, 4))
            move_one(remat, slack);
        else
            move_any(remat, slack);
        if (remat->overflow >= best)
            continue;
        best = remat->overflow;
        memcpy(items, remat->items, (size_t)remat->count * sizeof(*items));
    }
    lpi_remat_assign(remat, items, remat->count);
}
