/* meetings.c: which buffers are alive together.
 *
 * Spans are opened and closed section by section; each that opens meets those
 * that are open.  The walk is made twice, to count and to fill; buffers with
 * several spans may meet twice, and lists with doubles are thinned. */
#include "solve.h"

typedef struct walk {
    const lpi_layout *layout;
    int32_t *starts, *sorted; /* spans by first section */
    int32_t *owners;          /* buffer of each span */
    int32_t *open;            /* spans */
} walk;

/* Sort the spans by their first section, by counting. */
static lp_status sort_spans(walk *w, lpi_arena *arena, lp_error *error)
{
    const lpi_layout *l = w->layout;
    int64_t i;
    int32_t s;

    w->starts = LPI_NEW(arena, int32_t, (int64_t)l->sections + 2);
    w->sorted = LPI_NEW(arena, int32_t, l->spans_count);
    w->owners = LPI_NEW(arena, int32_t, l->spans_count);
    w->open = LPI_NEW(arena, int32_t, l->spans_count);
    if (!w->starts || !w->sorted || !w->owners || !w->open)
        return lpi_fail_memory(error);
    for (i = 0; i < l->count; i++)
        for (s = l->begins[i]; s < l->begins[i + 1]; s++)
            w->owners[s] = (int32_t)i;
    for (s = 0; s < l->spans_count; s++)
        w->starts[l->spans[s].begin + 2]++;
    for (s = 1; s <= l->sections; s++)
        w->starts[s + 1] += w->starts[s];
    for (s = 0; s < l->spans_count; s++)
        w->sorted[w->starts[l->spans[s].begin + 1]++] = s;
    return LP_OK;
}

/* Walk the sections: count the pairs into "ends", or list them too where "m"
 * has room.  False when there are more than LPI_MEETINGS_MOST. */
static bool pass(const walk *w, lpi_meetings *m)
{
    const lpi_layout *l = w->layout;
    int64_t pairs = 0;
    int32_t opened = 0, section, at, i, kept;

    for (section = 0; section < l->sections; section++) {
        for (i = kept = 0; i < opened; i++)
            if (l->spans[w->open[i]].end > section)
                w->open[kept++] = w->open[i];
        opened = kept;
        for (at = w->starts[section]; at < w->starts[section + 1]; at++) {
            int32_t of = w->owners[w->sorted[at]];

            pairs += opened;
            if (pairs > LPI_MEETINGS_MOST)
                return false;
            for (i = 0; i < opened; i++) {
                int32_t other = w->owners[w->open[i]];

                if (m->others) {
                    m->others[m->ends[of]] = other;
                    m->others[m->ends[other]] = of;
                }
                m->ends[of]++;
                m->ends[other]++;
            }
            w->open[opened++] = w->sorted[at];
        }
    }
    return true;
}

/* Take doubles out of the lists. */
static lp_status thin(const lpi_layout *l, lpi_arena *arena, lpi_meetings *m,
                      lp_error *error)
{
    int32_t *seen = LPI_NEW(arena, int32_t, l->count);
    int64_t i, j, kept;

    if (!seen)
        return lpi_fail_memory(error);
    for (i = 0; i < l->count; i++) {
        for (j = kept = m->begins[i]; j < m->ends[i]; j++) {
            int32_t other = m->others[j];

            if (seen[other] == i + 1)
                continue;
            seen[other] = (int32_t)(i + 1);
            m->others[kept++] = other;
        }
        m->ends[i] = kept;
    }
    return LP_OK;
}

lp_status lpi_meetings_find(lpi_arena *arena, const lpi_layout *layout,
                            lpi_meetings *ret_meetings, lp_error *error)
{
    walk w = {.layout = layout};
    lpi_meetings m = {0};
    int64_t sum = 0, i;

    LP_TRY(sort_spans(&w, arena, error));
    m.begins = LPI_NEW(arena, int64_t, layout->count);
    m.ends = LPI_NEW(arena, int64_t, layout->count);
    if (!m.begins || !m.ends)
        return lpi_fail_memory(error);
    if (!pass(&w, &m)) {
        *ret_meetings = (lpi_meetings){.too_many = true};
        return LP_OK;
    }
    for (i = 0; i < layout->count; i++) {
        m.begins[i] = sum;
        sum += m.ends[i];
        m.ends[i] = m.begins[i];
    }
    m.others = LPI_NEW(arena, int32_t, sum);
    if (!m.others)
        return lpi_fail_memory(error);
    pass(&w, &m);
    if (layout->spans_count > layout->count)
        LP_TRY(thin(layout, arena, &m, error));
    *ret_meetings = m;
    return LP_OK;
}
