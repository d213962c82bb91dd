/* greedy.c: a module that does what it may not: its runs name no layers of the
 * model. */
#include <lplan-planner.h>

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    lp_unit units[2] = {{.layer = (lp_layer *)(uintptr_t)24},
                        {.layer = (lp_layer *)(uintptr_t)problem}};

    return lp_schedule_set_units(schedule, units, 2, error);
}

LP_API const lp_planner lp_planner_greedy = {
    .abi = LP_PLANNER_ABI,
    .name = "greedy",
    .summary = "Names layers that do not exist",
    .decides = LP_RUNS,
    .plan = plan,
};
