/* chain.c: planners in turn.
 *
 * The schedule starts as the model in its own order, everything stored.  After
 * the last planner it gets aliases and places where none decides them. */
#include <string.h>

#include "plan.h"

lp_status lpi_chain_start(lpi_planning *planning, lp_schedule **ret_schedule,
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
    if (status == LP_OK && options->assume)
        status = lpi_schedule_assume(s, options->assume, error);
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

lp_status lpi_chain_run(lpi_planning *planning, lp_schedule *schedule,
                        uint32_t *ret_decided, lp_error *error)
{
    const lpi_turns *plan = &planning->chain;
    const char **chain = LPI_NEW(schedule->arena, const char *, plan->count);
    const lp_planner *planner;
    int64_t i;

    if (!chain)
        return lpi_fail_memory(error);
    *ret_decided = 0;
    for (i = 0; i < plan->count; i++) {
        LP_TRY(lpi_registry_find(planning->registry, plan->names[i], &planner,
                                 error));
        chain[i] = lpi_arena_strdup(schedule->arena, plan->names[i]);
        if (!chain[i])
            return lpi_fail_memory(error);
    }
    schedule->planners = chain;
    schedule->planners_count = plan->count;
    for (i = 0; i < plan->count; i++) {
        LP_TRY(lpi_registry_find(planning->registry, plan->names[i], &planner,
                                 error));
        LP_TRY(lpi_link_run(planning, planner, NULL,
                            planning->problem.budget_bytes, schedule, error));
        *ret_decided |= planner->decides;
    }
    return LP_OK;
}

lp_status lpi_chain_finish(lp_schedule *schedule, uint32_t decided,
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

lp_status lpi_chain_try(lpi_planning *planning, const lpi_turns *chain,
                        int64_t budget_bytes, int64_t effort,
                        lp_schedule **ret_schedule, lp_error *error)
{
    lp_plan_options options = *planning->options;
    lpi_planning kept = *planning;
    lp_schedule *schedule;
    uint32_t decided;
    lp_status status;

    options.budget_bytes = budget_bytes;
    planning->options = &options;
    planning->chain = *chain;
    planning->problem.effort = effort;
    planning->is_quiet = true;
    status = lpi_chain_start(planning, &schedule, error);
    if (status == LP_OK) {
        if (!budget_bytes)
            planning->problem.budget_bytes = 0;
        status = lpi_chain_run(planning, schedule, &decided, error);
        if (status == LP_OK)
            status = lpi_chain_finish(schedule, decided, error);
        if (status == LP_OK)
            *ret_schedule = schedule;
        else
            lp_schedule_free(schedule);
    }
    planning->options = kept.options;
    planning->chain = kept.chain;
    planning->problem = kept.problem;
    planning->is_quiet = kept.is_quiet;
    return status;
}
