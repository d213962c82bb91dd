/* joint.c: attention rows, order, recompute and placement by turns.
 *
 * A plan that fits by its sums may not fit once it is placed, and rows that fit
 * alone may leave too little for what waits.  So groups are made for parts of
 * the budget, the larger first, until a plan that keeps everything fits; each
 * is ordered and placed, and where it does not fit, planned again for less
 * until the placed peak does, or stops falling.  Of what fits, the shortest
 * timeline (without a device the fewest MACs) is kept, and what places leave of
 * the budget takes weights ahead of time; without a budget, the lowest arena is
 * kept, be it without groups. */
#include <lplan-planner.h>

/* Parts of the budget that a group may take, in sixteenths. */
static const int32_t parts[] = {16, 12, 8, 4, 2, 1};

enum { WHOLE = 16, ROUNDS = 6 };

typedef struct task {
    const lp_problem *problem;
    const lp_schedule *given;
    lp_schedule *best; /* NULL: none yet */
    int64_t best_cost, best_arena;
    int64_t least_arena;       /* of all that were tried */
    int64_t last_arena;        /* of the last groups, before recomputing */
    const lp_schedule *groups; /* with the last groups; NULL */
    lp_error refusal;          /* why remat found nothing; "" */
    bool is_hopeless;          /* one unit alone is over the budget */
    bool fits_whole;           /* there is a plan that keeps everything */
    lp_error *error;
} task;

/* What "schedule" costs: ns on the device, else MACs. */
static lp_status cost_of(const task *t, const lp_schedule *schedule,
                         const lp_meaning *meaning, int64_t *ret_cost)
{
    lp_timeline timeline;

    *ret_cost = meaning->predictions.macs;
    if (!t->problem->device)
        return LP_OK;
    LP_TRY(lp_schedule_timeline(t->problem, schedule, &timeline, t->error));
    *ret_cost = timeline.latency_ns;
    return LP_OK;
}

/* Keep "draft", which is placed, if it fits and is the best. */
static lp_status consider(task *t, lp_schedule *draft, int64_t *ret_arena)
{
    int64_t budget = t->problem->budget_bytes, arena, cost;
    lp_meaning meaning;
    bool better;

    LP_TRY(lp_schedule_lower(t->problem, draft, &meaning, t->error));
    *ret_arena = arena = meaning.predictions.arena_bytes;
    if (arena < t->least_arena)
        t->least_arena = arena;
    if (budget && arena > budget)
        return LP_OK;
    LP_TRY(cost_of(t, draft, &meaning, &cost));
    better = budget ? cost < t->best_cost ||
                          (cost == t->best_cost && arena < t->best_arena)
                    : arena < t->best_arena ||
                          (arena == t->best_arena && cost < t->best_cost);
    if (t->best && !better)
        return LP_OK;
    LP_TRY(lp_schedule_draft(t->problem, draft, &t->best, t->error));
    t->best_cost = cost;
    t->best_arena = arena;
    return LP_OK;
}

/* Recompute and spill in "draft", which is ordered, until it fits. */
static lp_status squeeze(task *t, const lp_schedule *draft, int64_t arena)
{
    int64_t budget = t->problem->budget_bytes, live = budget, last = arena;
    int64_t over = arena - budget, spare;
    lp_meaning meaning;
    int32_t round;

    LP_TRY(lp_schedule_lower(t->problem, draft, &meaning, t->error));
    spare = live - meaning.predictions.live_peak_bytes;
    if (spare >= 0) /* nothing would be done: it fits by its sums */
        live -= (spare / over + 1) * over;
    for (round = 0; round < ROUNDS && live > 0; round++) {
        lp_schedule *trial;
        lp_status status;

        LP_TRY(lp_schedule_draft(t->problem, draft, &trial, t->error));
        status = lp_plan_with(t->problem, "remat", live, trial, t->error);
        if (status == LP_EINFEASIBLE) {
            if (t->error)
                t->refusal = *t->error;
            return LP_OK;
        }
        LP_TRY(status);
        LP_TRY(lp_plan_with(t->problem, "place", budget, trial, t->error));
        LP_TRY(consider(t, trial, &arena));
        if (arena <= budget || (round && arena >= last))
            return LP_OK;
        last = arena;
        live -= arena - budget;
    }
    return LP_OK;
}

/* Whether a unit of "draft" has operands that are over the budget by
 * themselves; fewer rows do not change that. */
static lp_status is_hopeless(const task *t, const lp_schedule *draft,
                             bool *ret_is)
{
    lp_meaning meaning;
    int64_t u;

    *ret_is = false;
    if (!t->problem->budget_bytes)
        return LP_OK;
    LP_TRY(lp_schedule_lower(t->problem, draft, &meaning, t->error));
    for (u = 0; u < meaning.units_count; u++)
        if (meaning.units[u].floor_bytes > t->problem->budget_bytes) {
            *ret_is = true;
            return LP_OK;
        }
    return LP_OK;
}

/* Whether the groups of "a" are those of "b". */
static bool same_groups(const lp_schedule *a, const lp_schedule *b)
{
    int64_t count, other, g;
    const lp_group *x = lp_schedule_groups(a, &count);
    const lp_group *y = lp_schedule_groups(b, &other);
    int32_t i;

    if (count != other)
        return false;
    for (g = 0; g < count; g++) {
        if (x[g].layers_count != y[g].layers_count ||
            x[g].layers[0] != y[g].layers[0] ||
            x[g].tiles_count != y[g].tiles_count)
            return false;
        for (i = 0; i < x[g].tiles_count; i++)
            if (x[g].tiles[i].axis != y[g].tiles[i].axis ||
                x[g].tiles[i].extent != y[g].tiles[i].extent)
                return false;
    }
    return true;
}

/* Order and place "draft", which has its groups, and squeeze it if need be;
 * not when these groups take no less than those before them. */
static lp_status finish(task *t, lp_schedule *draft)
{
    int64_t budget = t->problem->budget_bytes, arena;

    LP_TRY(lp_plan_with(t->problem, "order", 0, draft, t->error));
    LP_TRY(lp_plan_with(t->problem, "place", budget, draft, t->error));
    LP_TRY(consider(t, draft, &arena));
    t->fits_whole = !budget || arena <= budget;
    if (t->fits_whole || arena >= t->last_arena)
        return LP_OK;
    t->last_arena = arena;
    return squeeze(t, draft, arena);
}

/* Groups for "part" of the budget (0: for none), unless they are those before.
 */
static lp_status attempt(task *t, int32_t part)
{
    int64_t budget = t->problem->budget_bytes;
    lp_problem problem = *t->problem;
    int64_t share = budget / WHOLE * part + budget % WHOLE * part / WHOLE;
    lp_schedule *draft, *groups;
    lp_status status;

    if (!part)
        problem.budget_bytes = 0;
    LP_TRY(lp_schedule_draft(t->problem, t->given, &draft, t->error));
    status = lp_plan_with(&problem, "attention", share, draft, t->error);
    if (status == LP_EINFEASIBLE)
        return LP_OK;
    LP_TRY(status);
    if (t->groups && same_groups(t->groups, draft))
        return LP_OK;
    LP_TRY(lp_schedule_draft(t->problem, draft, &groups, t->error));
    t->groups = groups;
    LP_TRY(is_hopeless(t, draft, &t->is_hopeless));
    return t->is_hopeless ? LP_OK : finish(t, draft);
}

/* Whether the units of "a", none of which is a group, are those of "b". */
static bool same_order(const lp_schedule *a, const lp_schedule *b)
{
    int64_t count, other, i;
    const lp_unit *x = lp_schedule_units(a, &count);
    const lp_unit *y = lp_schedule_units(b, &other);

    for (i = 0; i < count && count == other; i++)
        if (x[i].layer != y[i].layer)
            return false;
    return count == other;
}

/* What was groups also without them, and what was not also in the order given,
 * as either can keep results from lying in place. */
static lp_status try_whole(task *t)
{
    lp_schedule *draft;
    int64_t arena, groups = 0;

    if (t->groups)
        lp_schedule_groups(t->groups, &groups);
    LP_TRY(lp_schedule_draft(t->problem, t->given, &draft, t->error));
    if (groups)
        LP_TRY(lp_plan_with(t->problem, "order", 0, draft, t->error));
    else if (t->best && same_order(draft, t->best))
        return LP_OK;
    LP_TRY(lp_plan_with(t->problem, "place", 0, draft, t->error));
    return consider(t, draft, &arena);
}

/* Read weights of the best plan ahead, where that makes it shorter. */
static lp_status read_ahead(const task *t)
{
    const lp_device *device = t->problem->device;

    return device && device->weights_memory && t->problem->budget_bytes
               ? lp_plan_with(t->problem, "prefetch", 0, t->best, t->error)
               : LP_OK;
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    task t = {.problem = problem,
              .given = schedule,
              .least_arena = INT64_MAX,
              .last_arena = INT64_MAX,
              .error = error};
    int32_t count = (int32_t)(sizeof(parts) / sizeof(*parts)), i;

    if (!problem->budget_bytes)
        count = 1;
    for (i = 0; !t.is_hopeless && !t.fits_whole && i < count; i++)
        LP_TRY(attempt(&t, parts[i]));
    if (problem->budget_bytes && !t.is_hopeless && !t.best)
        LP_TRY(attempt(&t, 0));
    if (!t.is_hopeless && (!problem->budget_bytes || !t.best))
        LP_TRY(try_whole(&t));
    if (t.is_hopeless)
        return lp_fail(error, LP_EINFEASIBLE,
                       "one unit alone works on more than the %lld bytes of "
                       "the budget",
                       (long long)problem->budget_bytes);
    if (!t.best && *t.refusal.message)
        return lp_fail(error, LP_EINFEASIBLE, "%s", t.refusal.message);
    if (!t.best)
        return lp_fail(error, LP_EINFEASIBLE,
                       "no plan within %lld bytes was found; the lowest that "
                       "was takes %lld",
                       (long long)problem->budget_bytes,
                       (long long)t.least_arena);
    LP_TRY(read_ahead(&t));
    return lp_schedule_copy(schedule, t.best, error);
}

const lp_planner lp_planner_joint = {
    .abi = LP_PLANNER_ABI,
    .name = "joint",
    .summary = "Groups, orders, recomputes and places by turns",
    .decides = LP_GROUPS | LP_RUNS | LP_MOVE | LP_ALIAS | LP_PLACE,
    .plan = plan,
};
