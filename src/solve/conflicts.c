/* conflicts.c: which intervals collide in memory.
 *
 * A sweep over the begins and ends, in order of time, keeps what is open.  The
 * collision test keeps the open ones in a binary tree by offset whose ends
 * rise as the offsets do, since nothing in it collides: a new interval then
 * collides with its neighbour below or above, if with any. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* The begins and ends, in order, of the intervals that want bytes; an end
 * stands at the time after the last. */
static lpi_edge *list_events(lpi_arena *scratch, const lpi_interval *intervals,
                             int64_t count, int64_t *ret_count)
{
    lpi_edge *events = LPI_NEW(scratch, lpi_edge, lpi_mul(count, 2));
    int64_t n = 0, i;

    if (!events)
        return NULL;
    for (i = 0; i < count; i++) {
        if (intervals[i].bytes <= 0)
            continue;
        events[n++] = (lpi_edge){intervals[i].first, i, true};
        events[n++] = (lpi_edge){lpi_add(intervals[i].last, 1), i, false};
    }
    qsort(events, (size_t)n, sizeof(*events), lpi_edge_order);
    *ret_count = n;
    return events;
}

/* A tree of open intervals by offset: a treap whose priorities are a hash of
 * the index, so that its form is the same in every run. */
typedef struct tree {
    const lpi_interval *intervals;
    const int64_t *offsets;
    int64_t *left, *right; /* by interval; -1: none */
    int64_t root;
} tree;

static uint64_t priority(int64_t of)
{
    uint64_t x = (uint64_t)of + 0x9e3779b97f4a7c15u;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Split the tree "at" into offsets below and from "offset" on. */
static void split(tree *t, int64_t at, int64_t offset, int64_t *low,
                  int64_t *high)
{
    while (at >= 0) {
        if (t->offsets[at] < offset) {
            *low = at;
            low = &t->right[at];
            at = *low;
        } else {
            *high = at;
            high = &t->left[at];
            at = *high;
        }
    }
    *low = *high = -1;
}

static void insert(tree *t, int64_t of)
{
    int64_t *at = &t->root;

    while (*at >= 0 && priority(*at) >= priority(of))
        at = t->offsets[of] > t->offsets[*at] ? &t->right[*at] : &t->left[*at];
    split(t, *at, t->offsets[of], &t->left[of], &t->right[of]);
    *at = of;
}

static void drop(tree *t, int64_t of)
{
    int64_t *at = &t->root, low, high;

    while (*at != of)
        at = t->offsets[of] > t->offsets[*at] ? &t->right[*at] : &t->left[*at];
    low = t->left[of];
    high = t->right[of];
    while (low >= 0 && high >= 0) {
        if (priority(low) >= priority(high)) {
            *at = low;
            at = &t->right[low];
            low = *at;
        } else {
            *at = high;
            at = &t->left[high];
            high = *at;
        }
    }
    *at = low >= 0 ? low : high;
}

/* The open interval that shares a byte with "of", or -1. */
static int64_t collides(const tree *t, int64_t of)
{
    int64_t begin = t->offsets[of], end = begin + t->intervals[of].bytes;
    int64_t at = t->root, below = -1;

    while (at >= 0) {
        if (t->offsets[at] < end) {
            below = at;
            at = t->right[at];
        } else {
            at = t->left[at];
        }
    }
    if (below >= 0 && t->offsets[below] + t->intervals[below].bytes > begin)
        return below;
    return -1;
}

lp_status lpi_offsets_overlap(lpi_arena *scratch, const lpi_interval *intervals,
                              const int64_t *offsets, int64_t count,
                              bool *ret_found, int64_t ret_pair[2],
                              lp_error *error)
{
    tree t = {.intervals = intervals, .offsets = offsets, .root = -1};
    int64_t n = 0, i;
    lpi_edge *events = list_events(scratch, intervals, count, &n);

    t.left = LPI_NEW(scratch, int64_t, count);
    t.right = LPI_NEW(scratch, int64_t, count);
    if (!events || !t.left || !t.right)
        return lpi_fail_memory(error);
    *ret_found = false;
    for (i = 0; i < n; i++) {
        int64_t of = events[i].of, other;

        if (!events[i].is_begin) {
            drop(&t, of);
            continue;
        }
        other = collides(&t, of);
        if (other >= 0) {
            ret_pair[0] = other < of ? other : of;
            ret_pair[1] = other < of ? of : other;
            *ret_found = true;
            return LP_OK;
        }
        insert(&t, of);
    }
    return LP_OK;
}
