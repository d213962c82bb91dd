/* layout.c: buffers as boxes over sections of time, and what bounds them.
 *
 * A sweep over the begins and ends, in order of time, gives the sections: a
 * section ends at the first end after a begin, so that those that are alive at
 * a time are alive together in some section, and no section is part of another
 * (Moffitt, MiniMalloc, ASPLOS 2023).  A buffer has spans: runs of sections in
 * which it takes the same bytes; a gap parts them.  The load of a section is
 * the sum of the bytes taken in it. */
#include <stdlib.h>

#include "solve.h"

int lpi_edge_order(const void *a, const void *b)
{
    const lpi_edge *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->is_begin != y->is_begin)
        return x->is_begin ? 1 : -1;
    return (x->of > y->of) - (x->of < y->of);
}

static lp_status check_buffer(const lp_buffer *b, int64_t index,
                              lp_error *error)
{
    const int64_t far = INT64_C(1) << 61;
    const char *why = NULL;
    int32_t i;

    if (b->lower >= b->upper || b->lower < -far || b->upper > far)
        why = "its lifetime is empty or out of range";
    else if (b->bytes < 0 || b->alignment < 0)
        why = "its size or alignment is negative";
    else if (b->offset < -1 || b->hint < -1)
        why = "its offset or hint is negative";
    else if (b->offset > 0 && b->alignment > 1 && b->offset % b->alignment)
        why = "its fixed offset is not aligned";
    for (i = 0; i < b->gaps_count && !why; i++) {
        const lp_gap *gap = &b->gaps[i];

        if (gap->from >= gap->to || gap->from < b->lower ||
            gap->to > b->upper || (i > 0 && gap->from < b->gaps[i - 1].to))
            why = "its gaps overlap or leave its lifetime";
        else if (gap->low < 0 || gap->low > gap->high || gap->high > b->bytes)
            why = "its gaps leave its bytes";
    }
    return why ? lpi_fail(error, LP_EINPUT, NULL, "buffer %lld: %s",
                          (long long)index, why)
               : LP_OK;
}

/* Append the span of bytes "low" to "high" from "from" to "to". */
static void add_span(lpi_layout *l, lpi_edge *events, int64_t from, int64_t to,
                     lpi_span bytes)
{
    if (from >= to || bytes.low >= bytes.high)
        return;
    events[2 * l->spans_count] = (lpi_edge){from, l->spans_count, true};
    events[2 * l->spans_count + 1] = (lpi_edge){to, l->spans_count, false};
    l->spans[l->spans_count++] = bytes;
}

/* The spans of all buffers, not in sections yet, and their events. */
static void list_spans(lpi_layout *l, lpi_edge *events)
{
    int64_t i;
    int32_t g;

    for (i = 0; i < l->count; i++) {
        const lp_buffer *b = &l->buffers[i];
        int64_t from = b->lower;

        l->begins[i] = l->spans_count;
        for (g = 0; g < b->gaps_count; g++) {
            const lp_gap *gap = &b->gaps[g];

            add_span(l, events, from, gap->from, (lpi_span){.high = b->bytes});
            add_span(l, events, gap->from, gap->to,
                     (lpi_span){.low = gap->low, .high = gap->high});
            l->has_windows =
                l->has_windows ||
                (gap->low < gap->high && gap->high - gap->low < b->bytes);
            from = gap->to;
        }
        add_span(l, events, from, b->upper, (lpi_span){.high = b->bytes});
    }
    l->begins[l->count] = l->spans_count;
}

/* Number the sections and give each span its own. */
static void cut_sections(lpi_layout *l, lpi_edge *events)
{
    bool is_open = false;
    int64_t i;

    qsort(events, 2 * (size_t)l->spans_count, sizeof(*events), lpi_edge_order);
    for (i = 0; i < 2 * (int64_t)l->spans_count; i++) {
        lpi_span *span = &l->spans[events[i].of];

        if (events[i].is_begin) {
            span->begin = l->sections;
        } else {
            l->sections += is_open;
            span->end = l->sections;
        }
        is_open = events[i].is_begin;
    }
    for (i = 0; i < l->count; i++) {
        if (l->begins[i] == l->begins[i + 1])
            continue;
        l->first[i] = l->spans[l->begins[i]].begin;
        l->last[i] = l->spans[l->begins[i + 1] - 1].end;
    }
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

int64_t lpi_round_up(int64_t value, int64_t step)
{
    return lpi_mul(lpi_ceil_div(value, step), step);
}

/* The largest number that divides all offsets of the packings in which nothing
 * can move down: sums of sizes and fixed offsets, rounded up to alignments. */
static int64_t common_step(const lpi_layout *l)
{
    int64_t step = 0, before = -1, i;

    for (i = 0; i < l->count; i++) {
        step = gcd(step, l->buffers[i].bytes);
        if (l->buffers[i].offset > 0)
            step = gcd(step, l->buffers[i].offset);
    }
    while (step != before) {
        before = step;
        for (i = 0; i < l->count; i++)
            if (step % l->alignments[i])
                step = gcd(step, l->alignments[i]);
    }
    return step > 0 && !l->has_windows ? step : 1;
}

/* The number that divides all offsets there can be. */
static int64_t common_grid(const lpi_layout *l)
{
    int64_t grid = 0, i;

    for (i = 0; i < l->count; i++) {
        int64_t offset = l->buffers[i].offset;

        if (l->begins[i] < l->begins[i + 1])
            grid = gcd(grid, offset >= 0 ? offset : l->alignments[i]);
    }
    return grid > 0 && !l->has_windows ? grid : 1;
}

/* The loads, and what follows from them and from fixed buffers: the bound.
 * Where all offsets are multiples of a grid, all but the highest buffer of a
 * section take multiples of it. */
static lp_status bound(lpi_layout *l, lpi_arena *scratch, lp_error *error)
{
    int64_t *evens = LPI_NEW(scratch, int64_t, l->sections + 1);
    int64_t grid = common_grid(l), load = 0, even = 0, end, i;

    if (!evens)
        return lpi_fail_memory(error);
    for (i = 0; i < l->count; i++) {
        const lp_buffer *b = &l->buffers[i];

        l->has_fixed = l->has_fixed || b->offset >= 0;
        l->has_hints = l->has_hints || b->hint >= 0;
        end = lpi_add(b->offset >= 0 ? b->offset : 0, b->bytes);
        l->bound_bytes = end > l->bound_bytes ? end : l->bound_bytes;
    }
    for (i = 0; i < l->spans_count; i++) {
        const lpi_span *span = &l->spans[i];
        int64_t bytes = span->high - span->low;

        l->loads[span->begin] += bytes;
        l->loads[span->end] -= bytes;
        evens[span->begin] += lpi_round_up(bytes, grid);
        evens[span->end] -= lpi_round_up(bytes, grid);
    }
    for (i = 0; i < l->sections; i++) {
        int64_t most;

        load = l->loads[i] += load;
        even += evens[i];
        most = even - (grid - 1) > load ? even - (grid - 1) : load;
        if (most > l->bound_bytes)
            l->bound_bytes = most;
    }
    l->step = common_step(l);
    l->bound_bytes = lpi_round_up(l->bound_bytes, l->step);
    return LP_OK;
}

/* The sum of what is free to move, each aligned, above the highest fixed end
 * bounds every offset; the sum of all bytes bounds every load. */
static lp_status check_sum(const lpi_layout *l, lp_error *error)
{
    int64_t sum = 0, movable = 0, fixed = 0, i;

    for (i = 0; i < l->count; i++) {
        const lp_buffer *b = &l->buffers[i];

        sum = lpi_add(sum, b->bytes);
        if (b->offset < 0)
            movable = lpi_add(movable, lpi_add(b->bytes, l->alignments[i]));
        else if (lpi_add(b->offset, b->bytes) > fixed)
            fixed = lpi_add(b->offset, b->bytes);
    }
    if (lpi_add(movable, fixed) >= INT64_MAX / 8 || sum >= INT64_MAX / 2)
        return lpi_fail(error, LP_EINFEASIBLE, NULL,
                        "the intervals to place do not fit 60 bits of bytes");
    return LP_OK;
}

/* Count the spans that there may be at most. */
static lp_status check_buffers(const lp_buffer *buffers, int64_t count,
                               int64_t *ret_spans, lp_error *error)
{
    int64_t most = 0, i;

    for (i = 0; i < count; i++) {
        LP_TRY(check_buffer(&buffers[i], i, error));
        most += 1 + 2 * (int64_t)buffers[i].gaps_count;
        if (most > INT32_MAX / 4)
            return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                            "more than %d buffers and gaps to place",
                            INT32_MAX / 4);
    }
    *ret_spans = most;
    return LP_OK;
}

lp_status lpi_layout_new(lpi_arena *arena, const lp_buffer *buffers,
                         int64_t count, lpi_layout *ret_layout, lp_error *error)
{
    lpi_layout l = {.buffers = buffers, .count = count};
    lpi_edge *events;
    int64_t most = 0, i;

    LP_TRY(check_buffers(buffers, count, &most, error));
    l.spans = LPI_NEW(arena, lpi_span, most);
    l.begins = LPI_NEW(arena, int32_t, count + 1);
    l.first = LPI_NEW(arena, int32_t, count);
    l.last = LPI_NEW(arena, int32_t, count);
    l.alignments = LPI_NEW(arena, int64_t, count);
    events = LPI_NEW(arena, lpi_edge, 2 * most);
    if (!l.spans || !l.begins || !l.first || !l.last || !l.alignments ||
        !events)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++)
        l.alignments[i] = buffers[i].alignment ? buffers[i].alignment : 1;
    LP_TRY(check_sum(&l, error));
    list_spans(&l, events);
    cut_sections(&l, events);
    l.loads = LPI_NEW(arena, int64_t, l.sections + 1);
    if (!l.loads)
        return lpi_fail_memory(error);
    LP_TRY(bound(&l, arena, error));
    *ret_layout = l;
    return LP_OK;
}

int64_t lpi_layout_lift(const lpi_layout *l, int64_t low, int64_t high)
{
    int32_t a = l->begins[low], b = l->begins[high];
    int64_t lift = INT64_MIN;

    while (a < l->begins[low + 1] && b < l->begins[high + 1]) {
        const lpi_span *x = &l->spans[a], *y = &l->spans[b];

        if (x->begin < y->end && y->begin < x->end && x->high - y->low > lift)
            lift = x->high - y->low;
        if (x->end <= y->end)
            a++;
        else
            b++;
    }
    return lift;
}
