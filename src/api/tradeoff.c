/* tradeoff.c: one model planned for budgets that fall.
 *
 * The chain first plans without a budget and without a device: what that takes
 * is the first budget, and the largest working set of its runs is the
 * last.  Each budget is planned from the start, as "lplan plan" does.  A plan
 * for a smaller budget holds in a larger one too: where it is faster (without a
 * device, has fewer MACs) or the only one, it stands there. */
#include <string.h>

#include "api.h"

enum { MOST_STEPS = 10000 };

/* A budget that is none. */
static const int64_t unlimited = INT64_C(1) << 60;

typedef struct sweeper {
    lp_tradeoff made; /* first: what the caller sees */
    lpi_arena *arena;
    const lp_model *model;
    lp_plan_options plan;
    const lp_tradeoff_options *options;
    lp_tradeoff_point *points;
    int64_t all;
    lp_error *error;
} sweeper;

static bool goes_on(const sweeper *s, const char *what)
{
    return !s->options->progress ||
           s->options->progress(s->options->progress_context, s->made.count,
                                s->all, what);
}

/* What a schedule copies, and the most that one of its units works on. */
typedef struct measures {
    int64_t copied_bytes, floor_bytes;
} measures;

/* Bytes of the distinct roots that unit "unit" touches, and of its buffers. */
static int64_t working_set(const lpi_program *p, int64_t unit, int64_t *seen)
{
    const lpi_use *use = &p->uses[unit];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < lpi_use_values(use); i++) {
        int64_t root = p->values[lpi_use_value(use, i)].root;

        if (seen[root] != unit + 1)
            bytes = lpi_add(
                bytes, lpi_planned_bytes(p->schedule, p->values[root].tensor));
        seen[root] = unit + 1;
    }
    for (i = 0; i < use->buffers_count; i++)
        bytes = lpi_add(bytes, p->residencies[use->buffers[i]].bytes);
    return bytes;
}

static lp_status measure(const lp_schedule *schedule, measures *ret_measures,
                         lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    measures m = {0};
    int64_t *seen = NULL, i, bytes;
    lpi_program p;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, schedule, &p, NULL, error);
    if (status == LP_OK && !(seen = LPI_NEW(arena, int64_t, p.values_count)))
        status = lpi_fail_memory(error);
    for (i = 0; status == LP_OK && i < p.steps_count; i++)
        if ((p.steps[i].kind == LPI_STEP_LOAD ||
             p.steps[i].kind == LPI_STEP_STORE) &&
            !p.steps[i].is_clean)
            m.copied_bytes =
                lpi_add(m.copied_bytes, p.residencies[p.steps[i].to].bytes);
    for (i = 0; status == LP_OK && i < p.units_count; i++) {
        bytes = working_set(&p, i, seen);
        m.floor_bytes = bytes > m.floor_bytes ? bytes : m.floor_bytes;
    }
    lpi_arena_free(arena);
    *ret_measures = m;
    return status;
}

/* The highest bound of "plan" on its latency that takes nothing but groups for
 * granted; 0: there is none. */
static int64_t find_bound(const lp_plan *plan)
{
    int64_t most = 0, i;

    for (i = 0; i < plan->bounds_count; i++) {
        const lp_plan_bound *b = &plan->bounds[i];

        if (!strcmp(b->quantity, "latency_ns") && b->value > most &&
            (!*b->given || !strcmp(b->given, "groups")))
            most = b->value;
    }
    return most;
}

static lp_status fill(const sweeper *s, const lp_plan *plan,
                      lp_tradeoff_point *point)
{
    const lp_predictions *p = &plan->predictions;
    measures m;

    LP_TRY(measure(plan->schedule, &m, s->error));
    point->status = "fits";
    point->predictions = *p;
    point->copied_bytes = m.copied_bytes;
    point->weight_bytes = p->traffic_bytes - point->copied_bytes;
    point->latency_bound_ns = find_bound(plan);
    if (s->made.count)
        point->again_macs = p->macs - s->points[0].predictions.macs;
    return LP_OK;
}

/* Plan by "options", and append the point. */
static lp_status add_point(sweeper *s, const lp_plan_options *options,
                           const char *what)
{
    lp_tradeoff_point *point = &s->points[s->made.count];
    lp_plan *plan = NULL;
    lp_status status;

    *point = (lp_tradeoff_point){.what = what, .status = "not found"};
    if (options->budget_bytes != unlimited)
        point->budget_bytes = options->budget_bytes;
    status = lp_plan_new(s->model, options, &plan, s->error);
    if (status == LP_OK)
        status = fill(s, plan, point);
    else if (status == LP_EINFEASIBLE)
        status = LP_OK;
    if (plan && plan->obstacle && plan->obstacle->is_proof)
        point->status = "impossible";
    lp_plan_free(plan);
    s->made.count += status == LP_OK;
    return status;
}

static lp_status add_baseline(sweeper *s)
{
    static const char *const names[] = {"baseline"};
    lp_plan_options options = {.planners = names,
                               .planners_count = LPI_COUNT(names),
                               .device = s->plan.device,
                               .budget_bytes = unlimited,
                               .assume = s->plan.assume,
                               .seed = s->plan.seed};

    return add_point(s, &options, "baseline");
}

/* What the chain takes without a budget, and its largest working set.  A
 * planner at the end that refuses without a device (prefetch) is left out. */
static lp_status find_ends(const sweeper *s, int64_t *ret_first,
                           int64_t *ret_floor)
{
    lp_plan_options options = s->plan;
    lp_plan *plan = NULL;
    lp_status status;

    options.device = NULL;
    options.budget_bytes = 0;
    status = lp_plan_new(s->model, &options, &plan, s->error);
    while (status == LP_EUNSUPPORTED && options.planners_count > 1) {
        options.planners_count--;
        status = lp_plan_new(s->model, &options, &plan, s->error);
    }
    if (status == LP_OK) {
        measures m;

        status = measure(plan->schedule, &m, s->error);
        *ret_first = plan->predictions.arena_bytes;
        *ret_floor = m.floor_bytes;
    }
    lp_plan_free(plan);
    return status;
}

/* Whether "a", a plan for less, is to stand where "b" does. */
static bool is_better(const lp_tradeoff_point *a, const lp_tradeoff_point *b)
{
    const lp_predictions *x = &a->predictions, *y = &b->predictions;

    if (!strcmp(b->status, "impossible") || strcmp(a->status, "fits") != 0)
        return false;
    if (strcmp(b->status, "fits") != 0)
        return true;
    return x->latency_ns != y->latency_ns ? x->latency_ns < y->latency_ns
                                          : x->macs < y->macs;
}

/* Let plans for smaller budgets stand where those for larger ones are worse;
 * the first point is the baseline, of no budget. */
static void carry_over(sweeper *s)
{
    int64_t i;

    for (i = s->made.count - 1; i > 1; i--) {
        lp_tradeoff_point *larger = &s->points[i - 1];
        int64_t budget_bytes = larger->budget_bytes;

        if (!is_better(&s->points[i], larger))
            continue;
        *larger = s->points[i];
        larger->budget_bytes = budget_bytes;
    }
}

static lp_status stopped(const sweeper *s)
{
    return lpi_fail(s->error, LP_EIO, NULL, "stopped after %lld of %lld plans",
                    (long long)s->made.count, (long long)s->all);
}

static lp_status sweep(sweeper *s)
{
    lp_plan_options options = s->plan;
    int64_t steps = s->options->steps, first, floor, last, i;

    s->points = LPI_NEW(s->arena, lp_tradeoff_point, steps + 2);
    s->made.device =
        lpi_arena_strdup(s->arena, s->plan.device ? s->plan.device->name : "");
    if (!s->points || !s->made.device)
        return lpi_fail_memory(s->error);
    s->made.points = s->points;
    s->all = steps + 2;
    if (!goes_on(s, "baseline"))
        return stopped(s);
    LP_TRY(add_baseline(s));
    if (!goes_on(s, "without a budget"))
        return stopped(s);
    LP_TRY(find_ends(s, &first, &floor));
    s->made.floor_bytes = floor;
    last = s->plan.budget_bytes ? s->plan.budget_bytes : floor;
    last = last > 0 ? last : 1;
    for (i = 0; i <= steps && (i == 0 || last < first); i++) {
        options.budget_bytes = first;
        if (i)
            options.budget_bytes -= lpi_mul_div(first - last, i, steps);
        if (!goes_on(s, "a budget"))
            return stopped(s);
        LP_TRY(add_point(s, &options, "budget"));
    }
    carry_over(s);
    return LP_OK;
}

lp_status lp_tradeoff_new(const lp_model *model, const lp_plan_options *plan,
                          const lp_tradeoff_options *options,
                          lp_tradeoff **ret_tradeoff, lp_error *error)
{
    static const lp_tradeoff_options none = {.steps = 10};
    lpi_arena *arena;
    lp_status status;
    sweeper *s;

    if (options && (options->steps < 1 || options->steps > MOST_STEPS))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "a sweep has from 1 to %d steps, not %lld", MOST_STEPS,
                        (long long)options->steps);
    arena = lpi_arena_new(lpi_arena_cap(model->arena));
    s = arena ? LPI_NEW(arena, sweeper, 1) : NULL;
    if (!s) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    *s = (sweeper){.arena = arena,
                   .model = model,
                   .options = options ? options : &none,
                   .error = error};
    if (plan)
        s->plan = *plan;
    s->plan.explain = false;
    status = sweep(s);
    if (status == LP_OK)
        *ret_tradeoff = &s->made;
    else
        lpi_arena_free(arena);
    return status;
}

void lp_tradeoff_free(lp_tradeoff *tradeoff)
{
    if (tradeoff)
        lpi_arena_free(((sweeper *)tradeoff)->arena);
}
