/* misnamed.c: a module whose planner is called otherwise than its file. */
#include <lplan-planner.h>

LP_API const lp_planner lp_planner_misnamed = {
    .abi = LP_PLANNER_ABI,
    .name = "another",
    .summary = "a test",
    .decides = LP_RUNS,
};
