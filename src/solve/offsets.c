/* offsets.c: buffers packed into one memory by greedy rules.
 *
 * A rule is an order: the buffers are placed one after the other, each at the
 * lowest offset (or in the tightest gap) that those placed before and alive at
 * the same time leave free; fixed ones are there from the start.  No rule is
 * best for all (Pisarchyk and Lee, arXiv 2001.03288; Moffitt, MiniMalloc,
 * ASPLOS 2023), so all are tried until one reaches the bound.  Where too many
 * meet to list, what is placed is kept in order of offset and searched, and one
 * rule is the order of time with a list of free blocks.
 *
 * Invariant: placed buffers never share a byte at the same time. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* What orders are made from; the index breaks ties. */
typedef struct item {
    int64_t of;
    int64_t keys[3]; /* in falling order */
} item;

/* Offsets below "end" and above "begin" are not free. */
typedef struct barrier {
    int64_t begin, end;
} barrier;

typedef struct packer {
    const lpi_layout *layout;
    const lpi_meetings *meetings;
    int64_t *met_bytes; /* by buffer: bytes of those it meets, with its own */
    item *items;
    barrier *barriers; /* around one buffer */
    int64_t *offsets;  /* -1: not placed yet */
    int64_t *hints;    /* best offsets, -1: none */
} packer;

typedef struct greedy {
    const char *name;
    void (*keys)(const packer *p, int64_t of, int64_t keys[3]);
    bool tightest; /* gap, not the lowest */
} greedy;

static int64_t bytes_of(const packer *p, int64_t of)
{
    return p->layout->buffers[of].bytes;
}

static int64_t length(const packer *p, int64_t of)
{
    return p->layout->buffers[of].upper - p->layout->buffers[of].lower;
}

static void by_size(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = bytes_of(p, of);
    keys[1] = length(p, of);
}

static void by_length(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = length(p, of);
    keys[1] = bytes_of(p, of);
}

static void by_area(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = lpi_mul(bytes_of(p, of), length(p, of));
    keys[1] = bytes_of(p, of);
}

static void by_meetings(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = p->met_bytes[of];
    keys[1] = bytes_of(p, of);
    keys[2] = length(p, of);
}

static void by_first(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = -p->layout->buffers[of].lower;
    keys[1] = bytes_of(p, of);
    keys[2] = p->layout->buffers[of].upper;
}

static void by_last(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = p->layout->buffers[of].upper;
    keys[1] = bytes_of(p, of);
    keys[2] = -p->layout->buffers[of].lower;
}

static const greedy rules[] = {
    {"size", by_size, false},          {"area", by_area, false},
    {"length", by_length, false},      {"meetings", by_meetings, false},
    {"first", by_first, false},        {"last", by_last, false},
    {"size-tight", by_size, true},     {"area-tight", by_area, true},
    {"length-tight", by_length, true}, {"first-tight", by_first, true},
    {"last-tight", by_last, true},
};

/* Where meetings are too many to list. */
static const char *const blocks_rule = "blocks";

const char *lpi_offset_rule(int32_t i)
{
    return i >= 0 && i < LPI_COUNT(rules) ? rules[i].name
           : i == LPI_COUNT(rules)        ? blocks_rule
                                          : NULL;
}

static int falling(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int32_t i;

    for (i = 0; i < 3; i++)
        if (x->keys[i] != y->keys[i])
            return x->keys[i] > y->keys[i] ? -1 : 1;
    return (x->of > y->of) - (x->of < y->of);
}

static int rising(const void *a, const void *b)
{
    const barrier *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Append the barrier that placed buffer "other" is to buffer "of". */
static void add_barrier(packer *p, int64_t of, int64_t other, int64_t *n)
{
    const lpi_layout *l = p->layout;
    int64_t at = p->offsets[other], above, below;

    if (at < 0)
        return;
    above = l->has_windows ? lpi_layout_lift(l, other, of) : bytes_of(p, other);
    below = l->has_windows ? lpi_layout_lift(l, of, other) : bytes_of(p, of);
    if (above != INT64_MIN && above > -below)
        p->barriers[(*n)++] = (barrier){at - below, at + above};
}

/* The barriers around buffer "of", in order. */
static int64_t find_barriers(packer *p, int64_t of)
{
    const lpi_layout *l = p->layout;
    int64_t n = 0, i;

    if (p->meetings->too_many) {
        for (i = 0; i < l->count; i++)
            if (l->first[i] < l->last[of] && l->first[of] < l->last[i])
                add_barrier(p, of, i, &n);
    } else {
        for (i = p->meetings->begins[of]; i < p->meetings->ends[of]; i++)
            add_barrier(p, of, p->meetings->others[i], &n);
    }
    qsort(p->barriers, (size_t)n, sizeof(*p->barriers), rising);
    return n;
}

/* The offset for buffer "of": its hint where that is free, the lowest, or the
 * lowest in the tightest gap. */
static int64_t find_gap(packer *p, int64_t of, bool tightest)
{
    int64_t alignment = p->layout->alignments[of], hint = p->hints[of];
    int64_t best = -1, slack = INT64_MAX, at = 0, n = find_barriers(p, of), i;
    bool is_free = hint >= 0 && hint % alignment == 0;

    for (i = 0; i < n && is_free; i++)
        is_free = hint <= p->barriers[i].begin || hint >= p->barriers[i].end;
    if (is_free)
        return hint;
    for (i = 0; i < n; i++) {
        int64_t left = p->barriers[i].begin - at;

        if (left >= 0 && left < slack) {
            best = at;
            slack = left;
            if (!tightest)
                return best;
        }
        if (p->barriers[i].end > at)
            at = lpi_round_up(p->barriers[i].end, alignment);
    }
    return best >= 0 ? best : at;
}

/* Place all by "r"; returns the height. */
static int64_t apply(packer *p, const greedy *r)
{
    const lpi_layout *l = p->layout;
    int64_t height = 0, i;

    for (i = 0; i < l->count; i++) {
        bool is_there = l->begins[i] < l->begins[i + 1];

        p->items[i] = (item){.of = i};
        r->keys(p, i, p->items[i].keys);
        p->offsets[i] = is_there ? l->buffers[i].offset : 0;
    }
    qsort(p->items, (size_t)l->count, sizeof(*p->items), falling);
    for (i = 0; i < l->count; i++) {
        int64_t of = p->items[i].of;

        if (p->offsets[of] < 0)
            p->offsets[of] = find_gap(p, of, r->tightest);
    }
    for (i = 0; i < l->count; i++) {
        if (l->begins[i] == l->begins[i + 1] && l->buffers[i].offset >= 0)
            p->offsets[i] = l->buffers[i].offset;
        if (p->offsets[i] + bytes_of(p, i) > height)
            height = p->offsets[i] + bytes_of(p, i);
    }
    return height;
}

/* Room for the rules, and what they look at. */
static lp_status prepare(packer *p, lpi_arena *scratch, lp_error *error)
{
    const lpi_meetings *m = p->meetings;
    int64_t count = p->layout->count, i, j;

    p->met_bytes = LPI_NEW(scratch, int64_t, count);
    p->items = LPI_NEW(scratch, item, count);
    p->barriers = LPI_NEW(scratch, barrier, count);
    p->offsets = LPI_NEW(scratch, int64_t, count);
    p->hints = LPI_NEW(scratch, int64_t, count);
    if (!p->met_bytes || !p->items || !p->barriers || !p->offsets || !p->hints)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++) {
        p->hints[i] = -1;
        p->met_bytes[i] = bytes_of(p, i);
        for (j = m->too_many ? 0 : m->begins[i];
             j < (m->too_many ? 0 : m->ends[i]); j++)
            p->met_bytes[i] += bytes_of(p, m->others[j]);
    }
    return LP_OK;
}

/* Keep what "p" holds when it is the first, or lower than "packing". */
static void keep(const packer *p, const char *rule, int64_t height,
                 lpi_packing *packing)
{
    if (packing->rule && height >= packing->height_bytes)
        return;
    packing->rule = rule;
    packing->height_bytes = height;
    memcpy(packing->offsets, p->offsets,
           (size_t)p->layout->count * sizeof(*p->offsets));
}

/* Try "wanted", or each rule, and keep the first lowest. */
static void try_rules(packer *p, const char *wanted, lpi_packing *packing)
{
    int32_t i;

    for (i = 0; i < LPI_COUNT(rules); i++) {
        if (wanted && strcmp(wanted, rules[i].name) != 0)
            continue;
        keep(p, rules[i].name, apply(p, &rules[i]), packing);
        if (packing->height_bytes == packing->bound_bytes)
            return;
    }
}

static bool is_rule(const char *name)
{
    int32_t i;

    for (i = 0; lpi_offset_rule(i); i++)
        if (!strcmp(lpi_offset_rule(i), name))
            return true;
    return false;
}

lp_status lpi_layout_pack(lpi_arena *arena, const lpi_layout *layout,
                          const lpi_meetings *meetings, const char *rule,
                          lpi_packing *ret_packing, lp_error *error)
{
    packer p = {.layout = layout, .meetings = meetings};
    lpi_packing packing = {.offsets = LPI_NEW(arena, int64_t, layout->count),
                           .bound_bytes = layout->bound_bytes};
    bool is_blocks = rule ? !strcmp(rule, blocks_rule) : meetings->too_many;

    if (rule && !is_rule(rule))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "no rule of placement is called '%s'", rule);
    if (!packing.offsets)
        return lpi_fail_memory(error);
    LP_TRY(prepare(&p, arena, error));
    if (is_blocks && !layout->has_fixed) {
        int64_t height;

        LP_TRY(lpi_blocks_pack(arena, layout, p.offsets, &height, error));
        keep(&p, blocks_rule, height, &packing);
    } else {
        try_rules(&p, meetings->too_many ? rules[0].name : rule, &packing);
    }
    *ret_packing = packing;
    return LP_OK;
}

/* Pack "intervals" in "scratch"; the offsets are copied into "packing". */
static lp_status pack(lpi_arena *scratch, const lpi_interval *intervals,
                      int64_t count, const char *rule, lpi_packing *packing,
                      lp_error *error)
{
    lp_buffer *buffers = LPI_NEW(scratch, lp_buffer, count);
    lpi_packing packed;
    lpi_meetings meetings;
    lpi_layout layout;
    int64_t i;

    if (!buffers)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++)
        buffers[i] = (lp_buffer){.lower = intervals[i].first,
                                 .upper = intervals[i].last + 1,
                                 .bytes = intervals[i].bytes,
                                 .alignment = intervals[i].alignment,
                                 .offset = -1,
                                 .hint = -1};
    LP_TRY(lpi_layout_new(scratch, buffers, count, &layout, error));
    LP_TRY(lpi_meetings_find(scratch, &layout, &meetings, error));
    LP_TRY(lpi_layout_pack(scratch, &layout, &meetings, rule, &packed, error));
    memcpy(packing->offsets, packed.offsets,
           (size_t)count * sizeof(*packed.offsets));
    packing->height_bytes = packed.height_bytes;
    packing->bound_bytes = packed.bound_bytes;
    packing->rule = packed.rule;
    return LP_OK;
}

lp_status lpi_offsets_pack(lpi_arena *arena, const lpi_interval *intervals,
                           int64_t count, const char *rule,
                           lpi_packing *ret_packing, lp_error *error)
{
    lpi_packing packing = {.offsets = LPI_NEW(arena, int64_t, count)};
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(arena));
    lp_status status =
        packing.offsets && scratch
            ? pack(scratch, intervals, count, rule, &packing, error)
            : lpi_fail_memory(error);

    lpi_arena_free(scratch);
    if (status == LP_OK)
        *ret_packing = packing;
    return status;
}
