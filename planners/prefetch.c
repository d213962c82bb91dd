/* prefetch.c: weights read before their unit, while another computes.
 *
 * A unit that streams its weights ends when its computing and its stream both
 * have: where the stream is longer, computing waits.  A pin of the weights from
 * an earlier unit on lets the DMA engine read them while that unit computes,
 * at the price of memory.  Units are taken in turn, with the time on both
 * engines: a unit's weights are pinned when it ends earlier so, or later by no
 * more than some part of what overlaps in its stream, since a pin leaves the
 * DMA engine to the next while the unit computes; several parts are tried.
 * Weights are read in the order of need, and all pins fit what places leave of
 * the budget.
 *
 * Invariant: what is pinned at any unit is within that room.  The pins stay
 * only if the whole timeline is shorter with them. */
#include <lplan-planner.h>

static const lp_option options[] = {
    {.name = "ahead",
     .initial = "64",
     .most = INT64_MAX,
     .help = "Units that a weight may be read ahead of its own."},
    {.name = NULL},
};

enum { PARTS = 4 };

typedef struct reader {
    const lp_problem *problem;
    const lp_unit *units;
    const lp_meaning *meaning;
    int64_t units_count;
    int64_t room;     /* bytes for pins */
    int64_t ahead;    /* units */
    int32_t part;     /* of PARTS: how much later a unit may end */
    int64_t *pinned;  /* by unit: bytes of pins */
    int64_t *starts;  /* by unit: when it starts */
    int64_t earliest; /* unit: no pin begins before, to keep the order */
    int64_t compute_at, dma_at; /* when the engines are free */
    lp_pin *pins;
    int64_t pins_count, pins_room;
} reader;

static lp_status no_memory(lp_error *error)
{
    return lp_fail(error, LP_ENOMEM, "out of memory");
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t read_ns(const reader *r, int64_t bytes)
{
    const lp_device *device = r->problem->device;

    return bytes > 0
               ? lp_device_copy_ns(device, device->weights_memory, 0, bytes)
               : 0;
}

/* Append pins of the weights of "layer" to "unit", each once. */
static void list_weights(reader *r, int64_t unit, const lp_layer *layer,
                         int64_t first)
{
    int32_t at = lp_problem_layer(r->problem, layer), i;
    const lp_plan_layer *l = at < 0 ? NULL : &r->problem->layers[at];
    int64_t k;

    for (i = 0; l && i < l->weights_count; i++) {
        for (k = first; k < r->pins_count; k++)
            if (r->pins[k].tensor == l->weights[i])
                break;
        if (k == r->pins_count && k < r->pins_room)
            r->pins[r->pins_count++] =
                (lp_pin){.tensor = l->weights[i], .to = unit};
    }
}

/* The earliest unit from which on "bytes" more fit up to "unit". */
static int64_t find_begin(const reader *r, int64_t unit, int64_t bytes)
{
    int64_t begin = unit, low = larger(r->earliest, unit - r->ahead);

    if (bytes > r->room || r->pinned[unit] > r->room - bytes)
        return unit;
    while (begin > low && r->pinned[begin - 1] <= r->room - bytes)
        begin--;
    return begin;
}

/* Let unit "unit" run at the earliest, its weights streamed or pinned. */
static void take(reader *r, int64_t unit)
{
    const lp_unit_facts *facts = &r->meaning->units[unit];
    const lp_unit *u = &r->units[unit];
    int64_t bytes = facts->weight_bytes, ns = read_ns(r, bytes), first, k;
    int64_t start = larger(r->compute_at, bytes ? r->dma_at : 0);
    int64_t end = start + larger(facts->compute_ns, ns);
    int64_t begin = bytes ? find_begin(r, unit, bytes) : unit, later, read;
    int32_t i;

    later = smaller(facts->compute_ns, ns) * r->part / PARTS;
    read = begin < unit ? larger(r->dma_at, r->starts[begin]) + ns : end;
    first = r->pins_count;
    if (begin < unit &&
        larger(r->compute_at, read) + facts->compute_ns < end + later) {
        if (u->layer)
            list_weights(r, unit, u->layer, first);
        for (i = 0; u->group && i < u->group->layers_count; i++)
            list_weights(r, unit, u->group->layers[i], first);
    }
    if (r->pins_count > first) {
        for (k = first; k < r->pins_count; k++)
            r->pins[k].from = begin;
        for (k = begin; k <= unit; k++)
            r->pinned[k] += bytes;
        r->earliest = begin;
        r->dma_at = read;
        start = larger(r->compute_at, read);
        end = start + facts->compute_ns;
    } else if (bytes) {
        r->earliest = unit;
        r->dma_at = start + ns;
    }
    r->starts[unit] = start;
    r->compute_at = end;
}

/* Room for pins: what places leave of memory 0. */
static int64_t find_room(const lp_problem *problem, const lp_meaning *meaning)
{
    if (!problem->budget_bytes)
        return INT64_MAX / 4;
    return problem->budget_bytes - meaning->predictions.arena_bytes;
}

/* Room for as many pins as units read weights. */
static lp_status make_room(reader *r, lp_error *error)
{
    int64_t u;
    int32_t i;

    for (u = 0; u < r->units_count; u++) {
        const lp_group *group = r->units[u].group;
        int32_t at = lp_problem_layer(r->problem, r->units[u].layer);

        if (at >= 0)
            r->pins_room += r->problem->layers[at].weights_count;
        for (i = 0; group && i < group->layers_count; i++) {
            at = lp_problem_layer(r->problem, group->layers[i]);
            r->pins_room += r->problem->layers[at].weights_count;
        }
    }
    r->pins = LP_NEW(r->problem->scratch, lp_pin, r->pins_room);
    r->pinned = LP_NEW(r->problem->scratch, int64_t, r->units_count);
    r->starts = LP_NEW(r->problem->scratch, int64_t, r->units_count);
    return r->pins && r->pinned && r->starts ? LP_OK : no_memory(error);
}

/* Pins by "part". */
static void find_pins(reader *r, int32_t part)
{
    int64_t u;

    r->part = part;
    r->pins_count = r->earliest = r->compute_at = r->dma_at = 0;
    for (u = 0; u < r->units_count; u++)
        r->pinned[u] = 0;
    for (u = 0; u < r->units_count; u++)
        take(r, u);
}

/* Set "pins" in "schedule", and again what depends on them. */
static lp_status set_pins(lp_schedule *schedule, const reader *r,
                          const lp_schedule *from, lp_error *error)
{
    int64_t aliases_count, places_count;
    const lp_alias *aliases = lp_schedule_aliases(from, &aliases_count);
    const lp_placed *places = lp_schedule_places(from, &places_count);

    LP_TRY(lp_schedule_set_pins(schedule, r->pins, r->pins_count, error));
    LP_TRY(lp_schedule_set_aliases(schedule, aliases, aliases_count, error));
    return lp_schedule_set_places(schedule, places, places_count, error);
}

static const char *refuses(const lp_problem *problem)
{
    return problem->device && problem->device->weights_memory
               ? NULL
               : "no device is given, or its weights are where it computes";
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    reader r = {.problem = problem,
                .ahead = lp_problem_count(problem, "ahead")};
    lp_schedule *best = NULL, *draft;
    lp_timeline before, after;
    int64_t least, pins = 0;
    lp_meaning meaning;
    int32_t part;

    LP_TRY(lp_schedule_lower(problem, schedule, &meaning, error));
    LP_TRY(lp_schedule_timeline(problem, schedule, &before, error));
    least = before.latency_ns;
    r.units = lp_schedule_units(schedule, &r.units_count);
    r.meaning = &meaning;
    r.room = find_room(problem, &meaning);
    if (r.room <= 0 || r.ahead <= 0)
        return LP_OK;
    LP_TRY(make_room(&r, error));
    for (part = 0; part <= PARTS; part++) {
        find_pins(&r, part);
        if (!r.pins_count)
            continue;
        LP_TRY(lp_schedule_draft(problem, schedule, &draft, error));
        LP_TRY(set_pins(draft, &r, schedule, error));
        LP_TRY(lp_schedule_timeline(problem, draft, &after, error));
        if (after.latency_ns >= least)
            continue;
        best = draft;
        least = after.latency_ns;
        pins = r.pins_count;
    }
    if (!best)
        return LP_OK;
    LP_TRY(lp_problem_note(
        problem, error, "%lld weights are read ahead: %lld ns, not %lld",
        (long long)pins, (long long)least, (long long)before.latency_ns));
    return lp_schedule_copy(schedule, best, error);
}

LP_API const lp_planner lp_planner_prefetch = {
    .abi = LP_PLANNER_ABI,
    .name = "prefetch",
    .summary = "Reads weights ahead, while other units compute",
    .decides = LP_MOVE | LP_ALIAS | LP_PLACE,
    .options = options,
    .refuses = refuses,
    .plan = plan,
};
