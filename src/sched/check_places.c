/* check_places.c: proof that what lives at the same time lies apart, by the
 * lives that the steps showed. */
#include <string.h>

#include "sched.h"

/* Lives as stated, sizes, alignment and capacity of residency "i". */
static lp_status check_residency(lpi_checker *c, int64_t i)
{
    const lpi_residency *r = &c->p->residencies[i];
    const lp_memory *memory = &c->p->memories[r->memory];
    lpi_held *h = &c->held[i];

    c->unit = r->first;
    if (h->end < 0)
        h->end = c->p->units_count ? c->p->units_count - 1 : 0;
    if (!h->begun || h->begin != r->first || h->end != r->last)
        return LPI_REFUSE_AT(
            c, r->tensor,
            "its bytes are taken from run %lld to run %lld, not from "
            "run %lld to run %lld",
            (long long)h->begin, (long long)h->end, (long long)r->first,
            (long long)r->last);
    if (r->kind != LPI_OF_TILE && r->tensor &&
        r->bytes != lpi_planned_bytes(c->p->schedule, r->tensor))
        return LPI_REFUSE_AT(c, r->tensor, "%lld bytes are kept for it",
                             (long long)r->bytes);
    if (r->offset < 0 || r->offset % memory->alignment)
        return LPI_REFUSE_AT(
            c, r->tensor,
            "its place, byte %lld of memory '%.100s', is not a "
            "multiple of %lld",
            (long long)r->offset, memory->name, (long long)memory->alignment);
    if (memory->capacity_bytes &&
        lpi_add(r->offset, r->bytes) > memory->capacity_bytes)
        return lpi_refuse(c->refusal, c->error, c->p->schedule, r->first,
                          r->tensor ? r->tensor->name : r->layer->name,
                          r->bytes, 0,
                          "'%.200s' ends at byte %lld of memory '%.100s', "
                          "which has %lld",
                          r->tensor ? r->tensor->name : r->layer->name,
                          (long long)lpi_add(r->offset, r->bytes), memory->name,
                          (long long)memory->capacity_bytes);
    return LP_OK;
}

static const char *called(const lpi_residency *r)
{
    return r->tensor ? r->tensor->name : r->layer->name;
}

/* No two residencies of "memory" collide. */
static lp_status check_memory(lpi_checker *c, int32_t memory)
{
    const lpi_program *p = c->p;
    lpi_interval *intervals =
        LPI_NEW(c->scratch, lpi_interval, p->residencies_count);
    int64_t *offsets = LPI_NEW(c->scratch, int64_t, p->residencies_count);
    int64_t *of = LPI_NEW(c->scratch, int64_t, p->residencies_count);
    int64_t pair[2], n = 0, i;
    const lpi_residency *a, *b;
    bool found;

    if (!intervals || !offsets || !of)
        return lpi_fail_memory(c->error);
    for (i = 0; i < p->residencies_count; i++) {
        if (p->residencies[i].memory != memory)
            continue;
        intervals[n] = (lpi_interval){c->held[i].begin, c->held[i].end,
                                      p->residencies[i].bytes, 1};
        offsets[n] = p->residencies[i].offset;
        of[n++] = i;
    }
    LP_TRY(lpi_offsets_overlap(c->scratch, intervals, offsets, n, &found, pair,
                               c->error));
    if (!found)
        return LP_OK;
    a = &p->residencies[of[pair[0]]];
    b = &p->residencies[of[pair[1]]];
    return lpi_refuse(
        c->refusal, c->error, p->schedule,
        a->first > b->first ? a->first : b->first, called(b), b->bytes, 0,
        "'%.200s' (bytes %lld to %lld of memory '%.100s') and '%.200s' (bytes "
        "%lld to %lld) collide",
        called(a), (long long)a->offset, (long long)(a->offset + a->bytes - 1),
        p->memories[memory].name, called(b), (long long)b->offset,
        (long long)(b->offset + b->bytes - 1));
}

/* What the schedule says of itself. */
static lp_status check_predictions(const lpi_checker *c)
{
    static const char *const names[] = {
        "live_peak_bytes", "arena_bytes", "fast_peak_bytes",
        "traffic_bytes",   "macs",        "latency_ns"};
    const lp_predictions *said = &c->p->schedule->predictions;
    const lp_predictions *found = &c->p->predictions;
    int64_t pairs[][2] = {
        {said->live_peak_bytes, found->live_peak_bytes},
        {said->arena_bytes, found->arena_bytes},
        {said->fast_peak_bytes, found->fast_peak_bytes},
        {said->traffic_bytes, found->traffic_bytes},
        {said->macs, found->macs},
        {said->latency_ns ? said->latency_ns : found->latency_ns,
         found->latency_ns ? found->latency_ns : said->latency_ns},
    };
    int32_t i;

    for (i = 0; i < LPI_COUNT(pairs) && c->p->schedule->has_predictions; i++)
        if (pairs[i][0] != pairs[i][1])
            return lpi_refuse(c->refusal, c->error, c->p->schedule, -1, NULL,
                              pairs[i][1], 0,
                              "it predicts %s %lld, and takes %lld", names[i],
                              (long long)pairs[i][0], (long long)pairs[i][1]);
    return LP_OK;
}

/* What is pinned and the arena fit memory 0 together, where weights are copied
 * to it. */
static lp_status check_pins(const lpi_checker *c)
{
    const lpi_program *p = c->p;
    int64_t bytes = lpi_add(p->pinned_bytes, p->arena_bytes[0]);
    int64_t most = p->memories[0].capacity_bytes;

    if (!p->schedule->weights_memory || !most || !p->pinned_bytes ||
        bytes <= most)
        return LP_OK;
    return lpi_refuse(c->refusal, c->error, p->schedule, -1, NULL, bytes, 0,
                      "pinned weights of %lld bytes and an arena of %lld do "
                      "not fit memory '%.100s', which has %lld",
                      (long long)p->pinned_bytes, (long long)p->arena_bytes[0],
                      p->memories[0].name, (long long)most);
}

lp_status lpi_check_places(lpi_checker *c)
{
    int64_t i;

    for (i = 0; i < c->p->residencies_count; i++)
        LP_TRY(check_residency(c, i));
    for (i = 0; i < c->p->memories_count; i++)
        LP_TRY(check_memory(c, (int32_t)i));
    LP_TRY(check_pins(c));
    return check_predictions(c);
}

lp_status lpi_check_bounds(const lp_schedule *schedule,
                           const lp_predictions *found, lp_refusal *refusal,
                           lp_error *error)
{
    for (int64_t i = 0; i < schedule->bounds_count; i++) {
        const lp_bound *b = &schedule->bounds[i];
        int64_t value;

        if (!lpi_prediction_of(found, b->quantity, &value) || b->value <= value)
            continue;
        if (!value && !strcmp(b->quantity, "latency_ns"))
            continue; /* it is not known without the device */
        return lpi_refuse(refusal, error, schedule, -1, NULL, value, 0,
                          "a bound on %s, %lld by '%.200s', is above what it "
                          "takes, %lld",
                          b->quantity, (long long)b->value, b->proof,
                          (long long)value);
    }
    return LP_OK;
}
