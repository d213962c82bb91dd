/* place.c: offsets for buffers, by greedy rules first and then by search.
 *
 * The greedy rules give an incumbent; when it is no lower than the bound, the
 * exact search answers decisions "is there a packing within C?" in rounds: each
 * round tries some capacities between the bound and the incumbent in every
 * static order, with twice the work of the round before.  A packing lowers the
 * incumbent; an exhausted search raises the bound (to the next height that
 * differs); spent work says nothing.  All is counted, so the same question gets
 * the same answer everywhere.
 *
 * Invariant: bound <= height of every packing; the incumbent is one. */
#include <string.h>

#include "solve.h"

/* Steps of search that make one unit of work, units when none are said, steps
 * of the first round, and the most buffers that are searched. */
enum { STEPS = 64, UNITS = 1000000, FIRST_STEPS = 20000, MOST = 4096 };

typedef struct solver {
    const lpi_layout *layout;
    lpi_search *search;
    lpi_packing best;
    int64_t *offsets; /* of a try */
    int64_t bound;    /* proved */
    int64_t low;      /* no use to ask for less: the bound, with windows what
                         the search found no packing below */
    const char *proof;
    int64_t goal; /* settled at this height; 0: at the bound */
    int64_t steps, limit;
} solver;

static int64_t height_of(const lpi_layout *l, const int64_t *offsets)
{
    int64_t height = 0, i;

    for (i = 0; i < l->count; i++)
        if (offsets[i] + l->buffers[i].bytes > height)
            height = offsets[i] + l->buffers[i].bytes;
    return height;
}

/* Ask for a packing within "capacity" in static order "order" with at most
 * "steps" of work.  Whether something came of it, or may come of more work. */
static bool ask(solver *s, int64_t capacity, int32_t order, int64_t steps)
{
    lpi_quest quest = {.capacity = capacity, .order = order};
    lpi_found found;
    int64_t next;

    quest.limit = steps < s->limit - s->steps ? steps : s->limit - s->steps;
    found = lpi_search_run(s->search, &quest, s->offsets);
    s->steps += quest.steps;
    next = quest.next == INT64_MAX ? capacity + 1 : quest.next;
    next = lpi_round_up(next, s->layout->step);
    if (found == LPI_NONE && next > s->low) {
        s->low = next < s->best.height_bytes ? next : s->best.height_bytes;
        if (!s->layout->has_windows) {
            s->bound = s->low;
            s->proof = "exhausted search";
        }
        return true;
    }
    if (found == LPI_FOUND &&
        height_of(s->layout, s->offsets) < s->best.height_bytes) {
        memcpy(s->best.offsets, s->offsets,
               (size_t)s->layout->count * sizeof(*s->offsets));
        s->best.height_bytes = height_of(s->layout, s->offsets);
        s->best.rule = lpi_search_name(order);
        return true;
    }
    return found == LPI_SPENT;
}

/* Whether the answer is known. */
static bool is_settled(const solver *s)
{
    return s->best.height_bytes <= s->goal || s->best.height_bytes <= s->low ||
           (s->goal && s->low > s->goal);
}

/* Rounds of decisions until the answer is known, the work is done, or a round
 * would only repeat the last one. */
static void search(solver *s)
{
    /* Shares, in eighths, of the way from the bound to the incumbent. */
    static const int32_t shares[] = {0, 1, 4};
    bool is_open = true;
    int64_t steps;
    int32_t order, i;

    for (steps = FIRST_STEPS; is_open; steps = lpi_mul(steps, 2)) {
        is_open = false;
        for (order = 0; lpi_search_name(order); order++) {
            for (i = 0; i < LPI_COUNT(shares); i++) {
                int64_t gap = s->best.height_bytes - s->low;
                int64_t over = s->goal ? s->goal - s->low : gap / 8 * shares[i];

                if (is_settled(s) || s->steps >= s->limit)
                    return;
                if (i == 0)
                    is_open |= ask(s, s->low, order, steps);
                else if (over > 0 && (i == 1 || !s->goal))
                    is_open |= ask(s, s->low + over, order, steps);
            }
        }
    }
}

/* Find the lowest packing there is work for. */
static lp_status solve(solver *s, lpi_arena *arena,
                       const lp_place_options *options, lp_error *error)
{
    const lpi_layout *l = s->layout;
    int64_t units = options->effort > 0 ? options->effort : UNITS;
    lpi_meetings meetings;

    LP_TRY(lpi_meetings_find(arena, l, &meetings, error));
    LP_TRY(lpi_layout_pack(arena, l, &meetings, NULL, &s->best, error));
    s->offsets = LPI_NEW(arena, int64_t, l->count);
    if (!s->offsets)
        return lpi_fail_memory(error);
    s->bound = s->low = l->bound_bytes;
    s->proof = "max-load";
    s->goal = options->capacity_bytes;
    s->limit = lpi_mul(units, STEPS);
    if (is_settled(s) || meetings.too_many || l->count > MOST)
        return LP_OK;
    LP_TRY(lpi_search_new(arena, l, &meetings, &s->search, error));
    search(s);
    return LP_OK;
}

/* Refuse fixed buffers that take the same byte at the same time. */
static lp_status check_fixed(lpi_arena *arena, const lpi_layout *l,
                             lp_error *error)
{
    lpi_interval *intervals = LPI_NEW(arena, lpi_interval, l->spans_count);
    int64_t *offsets = LPI_NEW(arena, int64_t, l->spans_count);
    int64_t *owners = LPI_NEW(arena, int64_t, l->spans_count);
    int64_t n = 0, pair[2], i;
    bool found;
    int32_t j;

    if (!intervals || !offsets || !owners)
        return lpi_fail_memory(error);
    for (i = 0; i < l->count; i++) {
        if (l->buffers[i].offset < 0)
            continue;
        for (j = l->begins[i]; j < l->begins[i + 1]; j++) {
            const lpi_span *span = &l->spans[j];

            intervals[n] = (lpi_interval){span->begin, span->end - 1,
                                          span->high - span->low, 1};
            offsets[n] = l->buffers[i].offset + span->low;
            owners[n++] = i;
        }
    }
    LP_TRY(
        lpi_offsets_overlap(arena, intervals, offsets, n, &found, pair, error));
    if (!found)
        return LP_OK;
    return lpi_fail(error, LP_EINPUT, NULL,
                    "buffers number %lld and %lld (from 0), whose offsets are "
                    "fixed, take the same byte at the same time",
                    (long long)owners[pair[0]], (long long)owners[pair[1]]);
}

/* Solve in "arena", which holds the offsets and the core of "placement". */
static lp_status place(lpi_arena *arena, const lp_buffer *buffers,
                       int64_t count, const lp_place_options *options,
                       lp_placement *placement, lp_error *error)
{
    lpi_layout layout;
    solver s = {.layout = &layout};
    lpi_core core = {0};

    LP_TRY(lpi_layout_new(arena, buffers, count, &layout, error));
    LP_TRY(check_fixed(arena, &layout, error));
    LP_TRY(solve(&s, arena, options, error));
    if (s.goal && s.bound > s.goal)
        LP_TRY(lpi_core_find(arena, &layout, s.goal, s.limit, &core, error));
    *placement = (lp_placement){
        .fits = !s.goal || s.best.height_bytes <= s.goal,
        .offsets = s.best.offsets,
        .height_bytes = s.best.height_bytes,
        .bound_bytes = s.bound,
        .proof = s.proof,
        .rule = s.best.rule,
        .work = lpi_ceil_div(s.steps, STEPS),
        .core = core.items,
        .core_count = core.count,
        .core_minimal = core.is_minimal,
    };
    return LP_OK;
}

/* Move the "count" numbers at "*items" into memory of "scratch". */
static lp_status keep(lp_scratch *scratch, int64_t count, const int64_t **items,
                      lp_error *error)
{
    int64_t *copy = LPI_NEW(scratch, int64_t, count);

    if (!copy)
        return lpi_fail_memory(error);
    if (count > 0)
        memcpy(copy, *items, (size_t)count * sizeof(*copy));
    *items = copy;
    return LP_OK;
}

lp_status lp_solve_place(lp_scratch *scratch, const lp_buffer *buffers,
                         int64_t count, const lp_place_options *options,
                         lp_placement *ret_placement, lp_error *error)
{
    static const lp_place_options defaults;
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(scratch));
    lp_placement placement;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(error);
    status = place(arena, buffers, count, options ? options : &defaults,
                   &placement, error);
    if (status == LP_OK)
        status = keep(scratch, count, &placement.offsets, error);
    if (status == LP_OK)
        status = keep(scratch, placement.core_count, &placement.core, error);
    lpi_arena_free(arena);
    if (status == LP_OK)
        *ret_placement = placement;
    return status;
}
