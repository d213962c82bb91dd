/* place_core.c: a small set of buffers that do not fit a capacity.
 *
 * From a set that is known not to fit, parts are taken out, large ones first,
 * as long as the rest is proved not to fit either (a deletion filter); the
 * proof is the bound, or an exhausted search.  In the end no single buffer can
 * be taken out, unless the work ran out on the way.
 *
 * Invariant: the kept buffers do not fit. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* Steps of one search, and the most buffers that are filtered by search. */
enum { STEPS_EACH = 200000, MOST = 2048 };

typedef struct core {
    lpi_arena *scratch;
    const lpi_layout *layout;
    int64_t capacity, steps;
    int64_t *items;     /* buffers */
    int64_t *rest;      /* room for a part of them */
    lp_buffer *buffers; /* of the rest */
    int64_t count;
    bool is_unsure; /* a search ended early */
} core;

/* Whether the "count" buffers in c->rest are proved not to fit. */
static lp_status refuses(core *c, int64_t count, bool *ret_refuses,
                         lp_error *error)
{
    lpi_quest quest = {.capacity = c->capacity};
    lpi_search *search;
    lpi_packing packing;
    lpi_meetings meetings;
    lpi_layout layout;
    lpi_found found;
    int64_t i;

    *ret_refuses = false;
    lpi_arena_reset(c->scratch);
    for (i = 0; i < count; i++)
        c->buffers[i] = c->layout->buffers[c->rest[i]];
    LP_TRY(lpi_layout_new(c->scratch, c->buffers, count, &layout, error));
    *ret_refuses = layout.bound_bytes > c->capacity;
    if (*ret_refuses || layout.has_windows || c->is_unsure || count > MOST)
        return LP_OK;
    LP_TRY(lpi_meetings_find(c->scratch, &layout, &meetings, error));
    if (meetings.too_many)
        return LP_OK;
    LP_TRY(
        lpi_layout_pack(c->scratch, &layout, &meetings, NULL, &packing, error));
    if (packing.height_bytes <= c->capacity)
        return LP_OK;
    LP_TRY(lpi_search_new(c->scratch, &layout, &meetings, &search, error));
    quest.limit = c->steps < STEPS_EACH ? c->steps : STEPS_EACH;
    found = lpi_search_run(search, &quest, packing.offsets);
    c->steps -= quest.steps;
    *ret_refuses = found == LPI_NONE;
    c->is_unsure = found == LPI_SPENT;
    return LP_OK;
}

/* Take out runs of "size" buffers where the rest does not fit either. */
static lp_status thin(core *c, int64_t size, lp_error *error)
{
    int64_t at = 0;

    while (at < c->count && c->count > 1) {
        int64_t taken = size < c->count - at ? size : c->count - at;
        int64_t rest = c->count - taken;
        bool is_refused = false;

        memcpy(c->rest, c->items, (size_t)at * sizeof(*c->items));
        memcpy(c->rest + at, c->items + at + taken,
               (size_t)(rest - at) * sizeof(*c->items));
        if (rest > 0)
            LP_TRY(refuses(c, rest, &is_refused, error));
        if (is_refused) {
            memcpy(c->items, c->rest, (size_t)rest * sizeof(*c->items));
            c->count = rest;
        } else {
            at += taken;
        }
    }
    return LP_OK;
}

/* Buffer and what it is sorted by. */
typedef struct entry {
    int64_t key, of;
} entry;

static int rising(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->of > y->of) - (x->of < y->of);
}

/* Whether buffer "of" takes bytes in "section". */
static int64_t taken_in(const lpi_layout *l, int64_t of, int32_t section)
{
    int32_t i;

    for (i = l->begins[of]; i < l->begins[of + 1]; i++)
        if (l->spans[i].begin <= section && section < l->spans[i].end)
            return l->spans[i].high - l->spans[i].low;
    return 0;
}

/* Start with the buffers of the first section that is overloaded, less the
 * smallest ones that it does not need; with all where there is none. */
static void start(core *c, entry *entries)
{
    const lpi_layout *l = c->layout;
    int64_t load = 0, n = 0, i;
    int32_t section = 0;

    while (section < l->sections && l->loads[section] <= c->capacity)
        section++;
    if (section < l->sections)
        load = l->loads[section];
    for (i = 0; i < l->count; i++) {
        int64_t bytes = load ? taken_in(l, i, section) : 0;

        if (load ? bytes > 0 : l->begins[i] < l->begins[i + 1])
            entries[n++] = (entry){load ? bytes : l->first[i], i};
    }
    qsort(entries, (size_t)n, sizeof(*entries), rising);
    for (i = 0; i < n; i++) {
        if (load && load - entries[i].key > c->capacity)
            load -= entries[i].key;
        else
            c->items[c->count++] = entries[i].of;
    }
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

lp_status lpi_core_find(lpi_arena *arena, const lpi_layout *layout,
                        int64_t capacity, int64_t steps, lpi_core *ret_core,
                        lp_error *error)
{
    core c = {.layout = layout, .capacity = capacity, .steps = steps};
    entry *entries = LPI_NEW(arena, entry, layout->count);
    lp_status status = LP_OK;
    int64_t size;

    c.items = LPI_NEW(arena, int64_t, layout->count);
    c.rest = LPI_NEW(arena, int64_t, layout->count);
    c.buffers = LPI_NEW(arena, lp_buffer, layout->count);
    c.scratch = lpi_arena_new(lpi_arena_cap(arena));
    if (!entries || !c.items || !c.rest || !c.buffers || !c.scratch) {
        lpi_arena_free(c.scratch);
        return lpi_fail_memory(error);
    }
    start(&c, entries);
    for (size = c.count / 2; size > 0 && c.count <= MOST && status == LP_OK;
         size /= 2)
        status = thin(&c, size, error);
    lpi_arena_free(c.scratch);
    if (status != LP_OK)
        return status;
    qsort(c.items, (size_t)c.count, sizeof(*c.items), by_number);
    *ret_core = (lpi_core){c.items, c.count, !c.is_unsure && c.count <= MOST};
    return LP_OK;
}
