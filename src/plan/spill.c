/* spill.c: a schedule within its budget by copies alone.
 *
 * While the fullest unit is over the budget, what waits there longest goes to
 * another memory right after the unit that touched it last, and comes back
 * right before the one that touches it next; of the tensors that are large
 * enough to matter, the longest wait first, which saves most for the bytes
 * moved.  Each copy is tried by lowering the schedule, and taken back where it
 * cannot be. */
#include <string.h>

#include "plan.h"

enum {
    STEPS = 200, /* copies tried */
    ROUNDS = 4,  /* placements, each for less at once than the one before */
    SHARE = 16   /* of what is too much: tensors from that part on count */
};

/* What waits at the fullest unit. */
typedef struct wait {
    const lp_tensor *tensor;
    int64_t bytes, from, to; /* units that touch it before and after */
} wait;

typedef struct spiller {
    lpi_planning *planning;
    lp_schedule *schedule;
    lpi_arena *scratch; /* of one step */
    lpi_program program;
    lp_move *moves;
    int64_t count;
    wait *refused;
    int64_t refused_count;
    lp_error *error;
} spiller;

/* A second memory, where the schedule has just one. */
static lp_status add_memory(lp_schedule *s, lp_error *error)
{
    lp_memory *memories;

    if (s->memories_count > 1)
        return LP_OK;
    memories = LPI_NEW(s->arena, lp_memory, 2);
    if (!memories)
        return lpi_fail_memory(error);
    memories[0] = s->memories[0];
    memories[1] =
        (lp_memory){.name = "outside", .alignment = memories[0].alignment};
    s->memories = memories;
    s->memories_count = 2;
    return LP_OK;
}

/* Give the schedule the first "count" moves, and lower it, in new scratch
 * memory.  "*ret_means" is false when it means nothing. */
static lp_status lower(spiller *s, int64_t count, bool *ret_means)
{
    lp_status status;

    lpi_arena_free(s->scratch);
    s->scratch = lpi_arena_new(lpi_arena_cap(s->planning->arena));
    if (!s->scratch)
        return lpi_fail_memory(s->error);
    status = lp_schedule_set_moves(s->schedule, s->moves, count, s->error);
    if (status == LP_OK)
        status = lp_schedule_baseline_aliases(s->schedule, true, s->error);
    if (status == LP_OK)
        status = lpi_program_lower(s->scratch, s->schedule, &s->program, NULL,
                                   s->error);
    *ret_means = status == LP_OK;
    return status == LP_ENOMEM ? status : LP_OK;
}

/* The fullest unit of memory 0, and its bytes. */
static lp_status find_fullest(const spiller *s, int64_t *ret_unit,
                              int64_t *ret_load)
{
    const int64_t *loads = lpi_loads_find(s->scratch, &s->program);
    int64_t i;

    if (!loads)
        return lpi_fail_memory(s->error);
    *ret_unit = *ret_load = 0;
    for (i = 0; i < s->program.units_count; i++)
        if (loads[i] > *ret_load) {
            *ret_load = loads[i];
            *ret_unit = i;
        }
    return LP_OK;
}

/* By root: the units that touch it last before "unit", at it, or first after
 * it; -1 and units_count where none does. */
static lp_status find_touches(const spiller *s, int64_t unit,
                              int64_t **ret_before, int64_t **ret_after)
{
    const lpi_program *p = &s->program;
    int64_t *before = LPI_NEW(s->scratch, int64_t, p->values_count);
    int64_t *after = LPI_NEW(s->scratch, int64_t, p->values_count);
    int64_t u;
    int32_t i;

    if (!before || !after)
        return lpi_fail_memory(s->error);
    for (u = 0; u < p->values_count; u++) {
        before[u] = -1;
        after[u] = p->units_count;
    }
    for (u = 0; u < p->units_count; u++) {
        const lpi_use *use = &p->uses[u];

        for (i = 0; i < lpi_use_values(use); i++) {
            int64_t root = p->values[lpi_use_value(use, i)].root;

            if (u <= unit)
                before[root] = u;
            if (u >= unit && u < after[root])
                after[root] = u;
        }
    }
    *ret_before = before;
    *ret_after = after;
    return LP_OK;
}

static bool is_refused(const spiller *s, const wait *w)
{
    int64_t i;

    for (i = 0; i < s->refused_count; i++)
        if (s->refused[i].tensor == w->tensor && s->refused[i].from == w->from)
            return true;
    return false;
}

/* Whether "a" is to go rather than "b", when "least" bytes matter. */
static bool goes_first(const wait *a, const wait *b, int64_t least)
{
    bool large = a->bytes >= least;

    if (!b->tensor || large != (b->bytes >= least))
        return !b->tensor || large;
    if (!large && a->bytes != b->bytes)
        return a->bytes > b->bytes;
    return a->to - a->from > b->to - b->from ||
           (a->to - a->from == b->to - b->from && a->bytes > b->bytes);
}

/* What is to go at unit "unit", where "excess" bytes are too much; no tensor
 * when nothing can. */
static lp_status choose(const spiller *s, int64_t unit, int64_t excess,
                        wait *ret_wait)
{
    const lpi_program *p = &s->program;
    int64_t *before = NULL, *after = NULL, i;

    *ret_wait = (wait){.tensor = NULL};
    LP_TRY(find_touches(s, unit, &before, &after));
    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];
        wait w = {.tensor = r->tensor, .bytes = r->bytes};

        if (r->memory != 0 || r->kind != LPI_OF_VALUE || r->first > unit ||
            r->last < unit)
            continue;
        w.from = before[r->value];
        w.to = after[r->value];
        if (w.from < unit && w.to > unit && w.from >= 0 &&
            w.to < p->units_count && !is_refused(s, &w) &&
            goes_first(&w, ret_wait, excess / SHARE))
            *ret_wait = w;
    }
    return LP_OK;
}

/* Copy away until no more than "target" bytes are there at once, or nothing
 * more can go. */
static lp_status squeeze(spiller *s, int64_t target, int64_t *steps)
{
    bool means = true;

    LP_TRY(lower(s, s->count, &means));
    while (means && (*steps)++ < STEPS) {
        int64_t unit = 0, load = 0;
        wait w;

        LP_TRY(find_fullest(s, &unit, &load));
        if (load <= target)
            return LP_OK;
        LP_TRY(choose(s, unit, load - target, &w));
        if (!w.tensor)
            return LP_OK;
        s->moves[s->count] = (lp_move){.tensor = w.tensor,
                                       .memory = 1,
                                       .after = w.from,
                                       .before = w.from + 1};
        s->moves[s->count + 1] =
            (lp_move){.tensor = w.tensor, .after = w.to - 1, .before = w.to};
        LP_TRY(lower(s, s->count + 2, &means));
        if (means) {
            s->count += 2;
            continue;
        }
        s->refused[s->refused_count++] = w;
        LP_TRY(lower(s, s->count, &means));
    }
    return LP_OK;
}

/* Place the schedule, by search where there is such a planner. */
static lp_status place(const spiller *s)
{
    const lp_planner *planner;
    lp_status status = LP_EINFEASIBLE;

    if (lpi_registry_find(s->planning->registry, "place", &planner, s->error) ==
        LP_OK)
        status = lpi_link_run(s->planning, planner, NULL,
                              s->planning->problem.budget_bytes, s->schedule,
                              s->error);
    if (status == LP_ENOMEM)
        return status;
    return lpi_chain_finish(s->schedule, LP_ALIAS, s->error);
}

lp_status lpi_spill(lpi_planning *planning, lp_schedule *schedule,
                    bool *ret_found, lp_error *error)
{
    int64_t budget = planning->problem.budget_bytes, target = budget, steps = 0;
    spiller s = {
        .planning = planning,
        .schedule = schedule,
        .moves = LPI_NEW(schedule->arena, lp_move, 2 * STEPS + 2 * ROUNDS),
        .refused = LPI_NEW(schedule->arena, wait, STEPS + ROUNDS),
        .error = error};
    lp_status status = s.moves && s.refused ? LP_OK : lpi_fail_memory(error);
    bool was_quiet = planning->is_quiet;
    int32_t round;

    planning->is_quiet = true;
    if (status == LP_OK)
        status = add_memory(schedule, error);
    for (round = 0; status == LP_OK && target > 0 && round < ROUNDS; round++) {
        status = squeeze(&s, target, &steps);
        if (status == LP_OK && s.count)
            status = place(&s);
        if (!s.count || schedule->predictions.arena_bytes <= budget)
            break;
        target -= schedule->predictions.arena_bytes - budget;
    }
    planning->is_quiet = was_quiet;
    lpi_arena_free(s.scratch);
    if (status != LP_OK && status != LP_ENOMEM) {
        status = LP_OK;
        s.count = 0;
    }
    *ret_found = s.count > 0;
    return status;
}
