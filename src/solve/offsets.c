/* offsets.c: intervals packed into one memory by greedy rules.
 *
 * A rule is an order: the intervals are placed one after the other, each at
 * the lowest offset (or in the tightest gap) that those placed before and
 * alive at the same time leave free.  No rule is best for all (Pisarchyk and
 * Lee, arXiv 2001.03288; Moffitt, MiniMalloc, ASPLOS 2023), so all are tried
 * until one reaches the bound.  Too many meetings to list leave one rule, the
 * order of time with a list of free blocks.
 *
 * Invariant: placed intervals never share a byte at the same time. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* What orders are made from; the index breaks ties. */
typedef struct item {
    int64_t of;
    int64_t keys[3]; /* in falling order */
} item;

typedef struct packer {
    lpi_arena *scratch;
    const lpi_interval *intervals;
    int64_t count;
    lpi_meetings meetings;
    int64_t *met_bytes; /* by interval: bytes of those it meets, with its own */
    item *items;
    int64_t *gaps;    /* begins and ends of what is placed around one */
    int64_t *offsets; /* -1: not placed yet */
} packer;

typedef struct greedy {
    const char *name;
    void (*keys)(const packer *p, int64_t of, int64_t keys[3]);
    bool tightest; /* gap, not the lowest */
} greedy;

static int64_t length(const lpi_interval *interval)
{
    return interval->last - interval->first + 1;
}

static void by_size(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = p->intervals[of].bytes;
    keys[1] = length(&p->intervals[of]);
}

static void by_length(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = length(&p->intervals[of]);
    keys[1] = p->intervals[of].bytes;
}

static void by_area(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = lpi_mul(p->intervals[of].bytes, length(&p->intervals[of]));
    keys[1] = p->intervals[of].bytes;
}

static void by_meetings(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = p->met_bytes[of];
    keys[1] = p->intervals[of].bytes;
    keys[2] = length(&p->intervals[of]);
}

static void by_first(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = -p->intervals[of].first;
    keys[1] = p->intervals[of].bytes;
    keys[2] = p->intervals[of].last;
}

static void by_last(const packer *p, int64_t of, int64_t keys[3])
{
    keys[0] = p->intervals[of].last;
    keys[1] = p->intervals[of].bytes;
    keys[2] = -p->intervals[of].first;
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
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int64_t align(int64_t offset, int64_t alignment)
{
    return lpi_mul(lpi_ceil_div(offset, alignment), alignment);
}

/* The offset for interval "of": the lowest, or the lowest in the tightest gap,
 * between those that it meets and that are placed. */
static int64_t find_gap(packer *p, int64_t of, bool tightest)
{
    const lpi_interval *self = &p->intervals[of];
    int64_t best = -1, slack = INT64_MAX, free_from = 0, n = 0, i;

    for (i = p->meetings.begins[of]; i < p->meetings.ends[of]; i++) {
        int64_t other = p->meetings.others[i];

        if (p->offsets[other] < 0)
            continue;
        p->gaps[2 * n] = p->offsets[other];
        p->gaps[2 * n++ + 1] = p->offsets[other] + p->intervals[other].bytes;
    }
    qsort(p->gaps, (size_t)n, 2 * sizeof(*p->gaps), rising);
    for (i = 0; i < n; i++) {
        int64_t at = align(free_from, self->alignment);
        int64_t left = p->gaps[2 * i] - at - self->bytes;

        if (left >= 0 && left < slack) {
            best = at;
            slack = left;
            if (!tightest)
                return best;
        }
        if (p->gaps[2 * i + 1] > free_from)
            free_from = p->gaps[2 * i + 1];
    }
    return best >= 0 ? best : align(free_from, self->alignment);
}

/* Place all by "r"; returns the height. */
static int64_t apply(packer *p, const greedy *r)
{
    int64_t height = 0, i;

    for (i = 0; i < p->count; i++) {
        p->items[i] = (item){.of = i};
        r->keys(p, i, p->items[i].keys);
        p->offsets[i] = p->intervals[i].bytes > 0 ? -1 : 0;
    }
    qsort(p->items, (size_t)p->count, sizeof(*p->items), falling);
    for (i = 0; i < p->count; i++) {
        int64_t of = p->items[i].of;

        if (p->offsets[of] < 0)
            p->offsets[of] = find_gap(p, of, r->tightest);
        if (p->offsets[of] + p->intervals[of].bytes > height)
            height = p->offsets[of] + p->intervals[of].bytes;
    }
    return height;
}

/* Room for the rules, and what they look at. */
static lp_status prepare(packer *p, lp_error *error)
{
    int64_t i, j;

    p->met_bytes = LPI_NEW(p->scratch, int64_t, p->count);
    p->items = LPI_NEW(p->scratch, item, p->count);
    p->gaps = LPI_NEW(p->scratch, int64_t, lpi_mul(p->count, 2));
    p->offsets = LPI_NEW(p->scratch, int64_t, p->count);
    if (!p->met_bytes || !p->items || !p->gaps || !p->offsets)
        return lpi_fail_memory(error);
    LP_TRY(lpi_meetings_find(p->scratch, p->intervals, p->count, &p->meetings,
                             error));
    for (i = 0; i < p->count && !p->meetings.too_many; i++) {
        p->met_bytes[i] = p->intervals[i].bytes;
        for (j = p->meetings.begins[i]; j < p->meetings.ends[i]; j++)
            p->met_bytes[i] += p->intervals[p->meetings.others[j]].bytes;
    }
    return LP_OK;
}

/* Try "wanted", or each rule, and keep the first lowest. */
static void try_rules(packer *p, const char *wanted, lpi_packing *packing)
{
    int32_t i;

    for (i = 0; i < LPI_COUNT(rules); i++) {
        int64_t height;

        if (wanted && strcmp(wanted, rules[i].name) != 0)
            continue;
        height = apply(p, &rules[i]);
        if (packing->rule && height >= packing->height_bytes)
            continue;
        packing->rule = rules[i].name;
        packing->height_bytes = height;
        memcpy(packing->offsets, p->offsets,
               (size_t)p->count * sizeof(*p->offsets));
        if (height == packing->bound_bytes)
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

/* The sum of all bytes, each aligned, bounds every offset. */
static lp_status check_sum(const lpi_interval *intervals, int64_t count,
                           lp_error *error)
{
    int64_t sum = 0, i;

    for (i = 0; i < count; i++)
        sum = lpi_add(sum, lpi_add(intervals[i].bytes, intervals[i].alignment));
    if (sum == INT64_MAX)
        return lpi_fail(error, LP_EINFEASIBLE, NULL,
                        "the intervals to place do not fit 64 bits of bytes");
    return LP_OK;
}

static lp_status pack(packer *p, const char *wanted, lpi_packing *packing,
                      lp_error *error)
{
    LP_TRY(check_sum(p->intervals, p->count, error));
    LP_TRY(lpi_offsets_bound(p->scratch, p->intervals, p->count,
                             &packing->bound_bytes, error));
    LP_TRY(prepare(p, error));
    if (!p->meetings.too_many &&
        (!wanted || strcmp(wanted, blocks_rule) != 0)) {
        try_rules(p, wanted, packing);
        return LP_OK;
    }
    packing->rule = blocks_rule;
    return lpi_blocks_pack(p->scratch, p->intervals, p->count, packing, error);
}

lp_status lpi_offsets_pack(lpi_arena *arena, const lpi_interval *intervals,
                           int64_t count, const char *rule,
                           lpi_packing *ret_packing, lp_error *error)
{
    packer p = {.intervals = intervals, .count = count};
    lpi_packing packing = {.offsets = LPI_NEW(arena, int64_t, count)};
    lp_status status;

    if (rule && !is_rule(rule))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "no rule of placement is called '%s'", rule);
    p.scratch = lpi_arena_new(lpi_arena_cap(arena));
    if (!packing.offsets || !p.scratch) {
        lpi_arena_free(p.scratch);
        return lpi_fail_memory(error);
    }
    status = pack(&p, rule, &packing, error);
    lpi_arena_free(p.scratch);
    if (status == LP_OK)
        *ret_packing = packing;
    return status;
}
