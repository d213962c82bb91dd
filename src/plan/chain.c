/* chain.c: a plan from a chain of planners.
 *
 * The schedule starts as the model in its own order, everything stored.  After
 * the last planner it gets aliases and places where none decides them, and is
 * proved: capacity, then the checker. */
#include <string.h>

#include "plan.h"

/* Without planners given. */
static const char *const default_chain[] = {"joint"};

typedef struct holder {
    lp_plan plan; /* first: what the caller sees */
    lpi_arena *arena;
    lp_schedule *schedule;
} holder;

static const lp_plan_options no_options;

/* The empty schedule that a chain starts from. */
static lp_status start(lpi_planning *planning, lp_schedule **ret_schedule,
                       lp_error *error)
{
    const lp_plan_options *options = planning->options;
    lp_schedule *s;
    lp_memory *memories;
    lp_status status;

    LP_TRY(lpi_schedule_new(planning->model, &s, error));
    if (options->device) {
        status = lpi_schedule_for(s, options->device, error);
        memories = (lp_memory *)s->memories;
    } else {
        memories = LPI_NEW(s->arena, lp_memory, 1);
        status = memories ? LP_OK : lpi_fail_memory(error);
        if (memories)
            *memories =
                (lp_memory){.name = "arena", .alignment = LPI_ALIGNMENT};
        s->memories = memories;
        s->memories_count = 1;
    }
    if (status == LP_OK && options->budget_bytes)
        memories[0].capacity_bytes = options->budget_bytes;
    if (status == LP_OK)
        status = lpi_schedule_units(s, error);
    if (status == LP_OK)
        status = lpi_know(s, error);
    if (status != LP_OK) {
        lp_schedule_free(s);
        return status;
    }
    s->seed = options->seed;
    planning->problem.budget_bytes = memories[0].capacity_bytes;
    *ret_schedule = s;
    return LP_OK;
}

/* What "effort" units of work are called; in the arena of "s". */
static lp_status name_effort(lp_schedule *s, int64_t effort, lp_error *error)
{
    static const struct {
        int64_t work;
        const char *name;
    } names[] = {{LP_EFFORT_QUICK, "quick"},
                 {LP_EFFORT_DEFAULT, "default"},
                 {LP_EFFORT_THOROUGH, "thorough"}};
    int32_t i;

    for (i = 0; i < LPI_COUNT(names); i++)
        if (effort == names[i].work) {
            s->effort = names[i].name;
            return LP_OK;
        }
    s->effort = lpi_arena_printf(s->arena, "%lld", (long long)effort);
    return s->effort ? LP_OK : lpi_fail_memory(error);
}

/* Run the chain on "schedule"; "*ret_decided" are the columns decided. */
static lp_status run_chain(lpi_planning *planning, lp_schedule *schedule,
                           uint32_t *ret_decided, lp_error *error)
{
    const lp_plan_options *options = planning->options;
    const char *const *names = options->planners_count ? options->planners
                                                       : default_chain;
    int64_t count = options->planners_count ? (int64_t)options->planners_count
                                            : LPI_COUNT(default_chain);
    const char **chain = LPI_NEW(schedule->arena, const char *, count);
    const lp_planner *planner;
    int64_t i;

    if (!chain)
        return lpi_fail_memory(error);
    *ret_decided = 0;
    for (i = 0; i < count; i++) {
        LP_TRY(
            lpi_registry_find(planning->registry, names[i], &planner, error));
        chain[i] = lpi_arena_strdup(schedule->arena, names[i]);
        if (!chain[i])
            return lpi_fail_memory(error);
    }
    schedule->planners = chain;
    schedule->planners_count = count;
    for (i = 0; i < count; i++) {
        LP_TRY(
            lpi_registry_find(planning->registry, names[i], &planner, error));
        LP_TRY(lpi_link_run(planning, planner, NULL, 0, schedule, error));
        *ret_decided |= planner->decides;
    }
    return LP_OK;
}

/* Aliases and places, where no planner decides them, and predictions. */
static lp_status finish(lp_schedule *schedule, uint32_t decided,
                        lp_error *error)
{
    lpi_arena *arena;
    lpi_program program;
    lp_status status;

    if (!(decided & LP_ALIAS))
        LP_TRY(lp_schedule_baseline_aliases(schedule, true, error));
    if (!schedule->places_count) {
        const lp_bound *bounds = schedule->bounds;
        int64_t count = schedule->bounds_count;

        LP_TRY(lpi_schedule_place(schedule, NULL, error));
        schedule->bounds = bounds;
        schedule->bounds_count = count;
        return LP_OK;
    }
    arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    if (!arena)
        return lpi_fail_memory(error);
    schedule->has_predictions = false;
    status = lpi_program_lower(arena, schedule, &program, NULL, error);
    if (status == LP_OK) {
        schedule->predictions = program.predictions;
        schedule->has_predictions = true;
    }
    lpi_arena_free(arena);
    return status;
}

/* Prove the finished "schedule", or say what it does not fit. */
static lp_status prove(lpi_planning *planning, lp_schedule *schedule,
                       lp_plan *plan, lp_error *error)
{
    int64_t budget = planning->problem.budget_bytes;
    lpi_arena *arena;
    lpi_program program;
    lp_status status;

    plan->predictions = schedule->predictions;
    if (budget && schedule->predictions.arena_bytes > budget) {
        LP_TRY(lpi_obstacle_find(planning, schedule, plan, error));
        return lpi_fail(error, LP_EINFEASIBLE, NULL, "%s",
                        plan->obstacle->what);
    }
    arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, schedule, &program, NULL, error);
    if (status == LP_OK)
        status = lpi_program_check(&program, NULL, error);
    if (status == LP_OK)
        status = lpi_bounds_find(planning, schedule, &program, plan, error);
    lpi_arena_free(arena);
    if (status == LP_OK)
        plan->schedule = schedule;
    return status;
}

/* A planner found nothing that fits: show what stands in the way, once
 * attentions are cut as far as they can be. */
static lp_status explain(lpi_planning *planning, holder *h)
{
    const lp_planner *planner;
    lp_error ignored;

    if (!planning->problem.budget_bytes)
        return LP_OK;
    if (!h->schedule->groups_count &&
        lpi_registry_find(planning->registry, "attention", &planner,
                          &ignored) == LP_OK)
        (void)lpi_link_run(planning, planner, NULL, 0, h->schedule, &ignored);
    return lpi_obstacle_find(planning, h->schedule, &h->plan, NULL);
}

static lp_status drive(lpi_planning *planning, holder *h, lp_error *error)
{
    uint32_t decided = 0;
    lp_status status;

    LP_TRY(start(planning, &h->schedule, error));
    planning->problem.device = planning->options->device;
    LP_TRY(lpi_problem_build(planning, h->schedule, error));
    LP_TRY(lpi_settings_check(planning, error));
    LP_TRY(name_effort(h->schedule, planning->problem.effort, error));
    h->plan.budget_bytes = planning->problem.budget_bytes;
    status = run_chain(planning, h->schedule, &decided, error);
    if (status == LP_EINFEASIBLE && explain(planning, h) == LP_ENOMEM)
        status = lpi_fail_memory(error);
    if (status == LP_OK)
        status = finish(h->schedule, decided, error);
    if (status == LP_OK)
        status = prove(planning, h->schedule, &h->plan, error);
    h->plan.notes = planning->notes;
    h->plan.notes_count = planning->notes_count;
    h->plan.ways = planning->ways;
    h->plan.ways_count = planning->ways_count;
    if (planning->options->explain &&
        (status == LP_OK || status == LP_EINFEASIBLE))
        LP_TRY(lpi_break_even_find(planning, h->schedule, &h->plan, error));
    return status;
}

static lp_status check_options(const lp_plan_options *options, lp_error *error)
{
    if (options->budget_bytes < 0)
        return lpi_fail(error, LP_EINVALID, NULL, "a budget of %lld bytes",
                        (long long)options->budget_bytes);
    if (options->effort < 0)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "an effort of %lld units of work",
                        (long long)options->effort);
    return LP_OK;
}

lp_status lpi_plan_new(const lp_planner *const *table, const lp_model *model,
                       const lp_plan_options *options, lp_plan **ret_plan,
                       lp_error *error)
{
    lpi_planning planning = {.model = model,
                             .options = options ? options : &no_options};
    lpi_arena *arena;
    lp_status status;
    holder *h;

    LP_TRY(check_options(planning.options, error));
    arena = lpi_arena_new(lpi_arena_cap(model->arena));
    h = arena ? LPI_NEW(arena, holder, 1) : NULL;
    if (!h) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    h->arena = planning.arena = arena;
    planning.problem.effort =
        planning.options->effort ? planning.options->effort : LP_EFFORT_DEFAULT;
    planning.problem.seed = planning.options->seed;
    status = lpi_registry_new(table, planning.options->folders,
                              planning.options->folders_count,
                              &planning.registry, error);
    if (status == LP_OK) {
        status = drive(&planning, h, error);
        lpi_registry_free(planning.registry);
    }
    if (status == LP_OK ||
        (status == LP_EINFEASIBLE &&
         (h->plan.obstacle || h->plan.ways_count || h->plan.map)))
        *ret_plan = &h->plan;
    else
        lp_plan_free(&h->plan);
    return status;
}

void lp_plan_free(lp_plan *plan)
{
    holder *h = (holder *)plan;

    if (!plan)
        return;
    lp_schedule_free(h->schedule);
    lpi_arena_free(h->arena);
}
