/* place_search.c: an exact search for a packing within a capacity.
 *
 * Depth first over canonical packings (Moffitt, MiniMalloc, ASPLOS 2023):
 * buffers are placed in rising order of (offset, static rank), each at its
 * floor, the lowest offset that those placed before leave it.  A packing in
 * which nothing can move down is built so, and each can be pushed down into
 * one.  What is cut off:
 * - sections that overflow: nothing that waits goes below the last offset, so
 *   for each floor the bytes that start there or above must fit above it (the
 *   bound of one machine with release dates, per section);
 * - a buffer that is passed over must still be raised by one that meets it: as
 *   soon as none can, nothing else may be placed first (dominance and the
 *   hatless rule of MiniMalloc are cases of this);
 * - of equal buffers the first goes first (SuperMalloc, fpedd/omnimalloc);
 * - where no waiting buffer crosses a border of sections, both sides are
 *   searched alone.
 *
 * Invariant: the floors of waiting buffers are right for what is placed; the
 * trail undoes a placement.  With windows a buffer may lie below one that
 * starts lower; such packings are not visited, so LPI_NONE proves nothing. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* ---- the search ---------------------------------------------------------- */

static bool search(lpi_search *s, const lpi_search_part *p, lpi_search_key last,
                   int32_t *free);

/* Search the parts of "p" that no waiting buffer connects, each alone. */
static bool search_parts(lpi_search *s, const lpi_search_part *p,
                         lpi_search_key last, int32_t *free)
{
    int32_t begin = p->first, i, j;

    for (i = p->first; i < p->last; i++) {
        lpi_search_part part = {.items = free, .first = begin, .last = i + 1};
        lpi_search_key next = last;

        if (i + 1 < p->last && s->crossing[i] > 0)
            continue;
        for (j = 0; j < p->count; j++)
            if (s->layout->first[p->items[j]] >= begin &&
                s->layout->first[p->items[j]] <= i)
                free[part.count++] = p->items[j];
        begin = i + 1;
        if (lpi_search_ranks_again(s->quest->order) &&
            s->trail_count + part.count <= s->trail_spare) {
            lpi_search_rank_again(s, free, part.count);
            next.rank = -1;
        }
        if (part.count > 0 && !search(s, &part, next, free + part.count))
            return false;
    }
    return true;
}

/* Place item "index" of "p" at its floor and search the rest. */
static bool attempt(lpi_search *s, const lpi_search_part *p, int32_t index,
                    int32_t *free)
{
    const lpi_layout *l = s->layout;
    int32_t of = p->items[index];
    lpi_search_key last = {s->floors[of], s->rank[of]};
    lpi_search_part rest = {.items = free, .first = p->first, .last = p->last};
    int64_t mark = s->trail_count;
    bool is_cut = false, is_done;
    int32_t i;

    s->quest->steps += 4;
    s->is_spent = s->is_spent || s->quest->steps > s->quest->limit;
    if (s->is_spent || !lpi_search_fits_at(s, of, last.offset) ||
        !lpi_search_fits_over(s, p->first, p->last, last.offset))
        return false;
    s->trail[s->trail_count++] = (lpi_search_change){LPI_CHANGED_PLACED, of, 0};
    lpi_search_put(s, of, last.offset);
    rest.count = p->count - 1;
    lpi_search_sort(s, p, index, free);
    s->quest->steps += rest.count;
    for (i = l->first[of]; i < l->last[of] - 1; i++)
        is_cut = is_cut || s->crossing[i] == 0;
    is_done = lpi_search_fits_above(s, &rest, last.offset) &&
              (is_cut ? search_parts(s, &rest, last, free + rest.count)
                      : search(s, &rest, last, free + rest.count));
    if (!is_done)
        lpi_search_undo(s, mark);
    return is_done;
}

/* Complete "p" with placements after "last"; "free" is room for items. */
static bool search(lpi_search *s, const lpi_search_part *p, lpi_search_key last,
                   int32_t *free)
{
    int64_t limit = INT64_MAX;
    int32_t i;

    for (i = 0; i < p->count; i++) {
        int32_t of = p->items[i], twin = s->twins[of];
        int64_t floor = s->floors[of];

        if (floor >= limit)
            return false;
        if ((floor > last.offset ||
             (floor == last.offset && s->rank[of] > last.rank)) &&
            (twin < 0 || s->placed[twin] >= 0)) {
            if (attempt(s, p, i, free))
                return true;
            if (s->is_spent)
                return false;
        }
        if (!lpi_search_can_rise(s, of))
            return false;
        if (floor + s->layout->buffers[of].bytes < limit)
            limit = floor + s->layout->buffers[of].bytes;
    }
    return p->count == 0;
}

lp_status lpi_search_new(lpi_arena *arena, const lpi_layout *layout,
                         const lpi_meetings *meetings, lpi_search **ret_search,
                         lp_error *error)
{
    int64_t count = layout->count, all = count ? meetings->ends[count - 1] : 0;
    lpi_search *s = LPI_NEW(arena, lpi_search, 1);

    if (!s)
        return lpi_fail_memory(error);
    s->layout = layout;
    s->meetings = meetings;
    s->lifts = LPI_NEW(arena, int64_t, all);
    s->floors = LPI_NEW(arena, int64_t, count);
    s->placed = LPI_NEW(arena, int64_t, count);
    s->waiting = LPI_NEW(arena, int64_t, layout->sections);
    s->sums = LPI_NEW(arena, int64_t, layout->sections);
    s->crossing = LPI_NEW(arena, int32_t, layout->sections);
    s->trail = LPI_NEW(arena, lpi_search_change, 2 * all + 20 * count);
    s->stack = LPI_NEW(arena, int32_t, lpi_mul(count + 1, count + 1));
    s->traits = LPI_NEW(arena, lpi_search_trait, count);
    s->sorted = LPI_NEW(arena, int32_t, count);
    s->rank = LPI_NEW(arena, int32_t, count);
    s->twins = LPI_NEW(arena, int32_t, count);
    if (!s->traits || !s->sorted || !s->rank || !s->twins || !s->lifts ||
        !s->floors || !s->placed || !s->waiting || !s->sums || !s->crossing ||
        !s->trail || !s->stack)
        return lpi_fail_memory(error);
    s->trail_spare = all + 19 * count;
    lpi_search_find_lifts(s);
    *ret_search = s;
    return LP_OK;
}

lpi_found lpi_search_run(lpi_search *s, lpi_quest *quest, int64_t *offsets)
{
    const lpi_layout *l = s->layout;
    lpi_search_part all = {.items = s->stack, .last = l->sections};
    lpi_search_key none = {-1, -1};
    int32_t i;

    s->quest = quest;
    lpi_search_rank(s, quest->order);
    all.count = s->count;
    s->trail_count = 0;
    s->is_spent = false;
    quest->steps = l->count + l->sections;
    quest->next = INT64_MAX;
    memset(s->waiting, 0, (size_t)l->sections * sizeof(*s->waiting));
    memset(s->crossing, 0, (size_t)l->sections * sizeof(*s->crossing));
    for (i = 0; i < l->count; i++)
        s->placed[i] = l->buffers[i].offset;
    for (i = 0; i < s->count; i++) {
        int32_t of = s->sorted[i];

        s->floors[of] = lpi_search_legal(s, of, 0);
        lpi_search_count_in(s, of, 1);
    }
    lpi_search_sort(s,
                    &(lpi_search_part){.items = s->sorted, .count = s->count},
                    -1, s->stack);
    if (!lpi_search_fits_over(s, 0, l->sections, 0))
        return LPI_NONE;
    if (!search_parts(s, &all, none, s->stack + s->count))
        return s->is_spent ? LPI_SPENT : LPI_NONE;
    for (i = 0; i < l->count; i++)
        offsets[i] = s->placed[i] >= 0 ? s->placed[i] : 0;
    return LPI_FOUND;
}
