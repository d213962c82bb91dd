/* place_state.c: what a placement does to what waits, and what cannot be
 * completed any more: the ground that the search stands on. */
#include <string.h>

#include "solve.h"

/* ---- what a placement does ----------------------------------------------- */

/* The lowest aligned offset from "offset" on at which buffer "of" meets no
 * fixed one. */
int64_t lpi_search_legal(const lpi_search *s, int32_t of, int64_t offset)
{
    const lpi_meetings *m = s->meetings;
    int64_t alignment = s->layout->alignments[of], before = -1, i;

    offset = alignment > 1 ? lpi_round_up(offset, alignment) : offset;
    while (s->layout->has_fixed && before != offset) {
        before = offset;
        for (i = m->begins[of]; i < m->ends[of]; i++) {
            int32_t other = m->others[i];
            int64_t at = s->layout->buffers[other].offset, lift;

            if (at < 0 || at >= offset + s->lifts[i])
                continue;
            lift = lpi_layout_lift(s->layout, other, of);
            if (offset < at + lift)
                offset = lpi_round_up(at + lift, alignment);
        }
    }
    return offset;
}

/* Add "sign" times buffer "of" to what waits in its sections. */
void lpi_search_count_in(lpi_search *s, int32_t of, int32_t sign)
{
    const lpi_layout *l = s->layout;
    int32_t i, j;

    for (i = l->begins[of]; i < l->begins[of + 1]; i++) {
        const lpi_span *span = &l->spans[i];
        int64_t bytes = sign * (span->high - span->low);

        for (j = span->begin; j < span->end; j++)
            s->waiting[j] += bytes;
    }
    for (j = l->first[of]; j < l->last[of] - 1; j++)
        s->crossing[j] += sign;
}

/* Place "of" at "offset": those that it meets are raised. */
void lpi_search_put(lpi_search *s, int32_t of, int64_t offset)
{
    const lpi_meetings *m = s->meetings;
    int64_t i;

    s->placed[of] = offset;
    lpi_search_count_in(s, of, -1);
    for (i = m->begins[of]; i < m->ends[of]; i++) {
        int32_t other = m->others[i];
        int64_t floor = offset + s->lifts[i];

        if (s->placed[other] >= 0 || s->floors[other] >= floor)
            continue;
        s->trail[s->trail_count++] =
            (lpi_search_change){LPI_CHANGED_FLOOR, other, s->floors[other]};
        s->floors[other] = lpi_search_legal(s, other, floor);
    }
}

/* Undo all changes down to "mark". */
void lpi_search_undo(lpi_search *s, int64_t mark)
{
    while (s->trail_count > mark) {
        lpi_search_change c = s->trail[--s->trail_count];

        if (c.what == LPI_CHANGED_FLOOR) {
            s->floors[c.of] = c.before;
        } else if (c.what == LPI_CHANGED_RANK) {
            s->rank[c.of] = (int32_t)c.before;
        } else {
            s->placed[c.of] = -1;
            lpi_search_count_in(s, c.of, 1);
        }
    }
}

/* ---- what cannot be completed -------------------------------------------- */

/* Note that "height" is too much; it would be the next capacity to try. */
static bool too_high(lpi_search *s, int64_t height)
{
    if (height <= s->quest->capacity)
        return false;
    if (height < s->quest->next)
        s->quest->next = height;
    return true;
}

/* Whether buffer "of", windows or not, ends below the capacity at "offset". */
bool lpi_search_fits_at(lpi_search *s, int32_t of, int64_t offset)
{
    return !too_high(s, offset + s->layout->buffers[of].bytes);
}

/* Whether what waits fits over "offset" in sections "first" to "last". */
bool lpi_search_fits_over(lpi_search *s, int32_t first, int32_t last,
                          int64_t offset)
{
    int64_t most = 0;
    int32_t i;

    for (i = first; i < last; i++)
        if (s->waiting[i] > most)
            most = s->waiting[i];
    return !too_high(s, offset + most);
}

/* Whether in each section, and for each floor, what starts there or above fits
 * over it.  Nothing starts below "offset". */
bool lpi_search_fits_above(lpi_search *s, const lpi_search_part *p,
                           int64_t offset)
{
    const lpi_layout *l = s->layout;
    int32_t i, j, k;

    memset(&s->sums[p->first], 0,
           (size_t)(p->last - p->first) * sizeof(*s->sums));
    for (i = p->count - 1; i >= 0; i--) {
        int32_t of = p->items[i];
        int64_t most = 0;

        for (k = l->begins[of]; k < l->begins[of + 1]; k++) {
            const lpi_span *span = &l->spans[k];
            int64_t bytes = span->high - span->low;

            for (j = span->begin; j < span->end; j++) {
                s->sums[j] += bytes;
                most = s->sums[j] > most ? s->sums[j] : most;
            }
        }
        if (s->floors[of] <= offset)
            break;
        if (too_high(s, s->floors[of] + most))
            return false;
    }
    return true;
}

/* Whether some waiting buffer can still raise "of" from its floor. */
bool lpi_search_can_rise(const lpi_search *s, int32_t of)
{
    const lpi_meetings *m = s->meetings;
    int64_t i;

    for (i = m->begins[of]; i < m->ends[of]; i++)
        if (s->placed[m->others[i]] < 0 &&
            s->floors[m->others[i]] < s->floors[of] + s->lifts[i])
            return true;
    return false;
}

/* How much higher each meeting has to start than the one whose list it is. */
void lpi_search_find_lifts(lpi_search *s)
{
    const lpi_layout *l = s->layout;
    int64_t i, j;

    for (i = 0; i < l->count; i++)
        for (j = s->meetings->begins[i]; j < s->meetings->ends[i]; j++)
            s->lifts[j] = l->has_windows
                              ? lpi_layout_lift(l, i, s->meetings->others[j])
                              : l->buffers[i].bytes;
}
