/* baseline.c: the model in its own order, everything stored.
 *
 * Views share bytes, and results overwrite operands that die there; what there
 * is to gain, other planners are measured against. */
#include <lplan-planner.h>

static const lp_option options[] = {
    {.name = "in_place",
     .initial = "1",
     .help = "0: no result overwrites an operand.",
     .most = 1},
    {.name = NULL},
};

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    lp_status status = lp_schedule_set_units(schedule, NULL, 0, error);

    return status == LP_OK
               ? lp_schedule_baseline_aliases(
                     schedule, lp_problem_count(problem, "in_place") != 0,
                     error)
               : status;
}

LP_API const lp_planner lp_planner_baseline = {
    .abi = LP_PLANNER_ABI,
    .name = "baseline",
    .summary = "Keeps the order of the model, everything stored",
    .decides = LP_RUNS | LP_ALIAS,
    .options = options,
    .plan = plan,
};
