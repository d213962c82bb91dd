/* stale.c: a module for planners of another ABI, whose other members mean
 * something else. */
#include <lplan-planner.h>

LP_API const lp_planner lp_planner_stale = {
    .abi = LP_PLANNER_ABI + 1,
    .name = (const char *)(uintptr_t)1,
};
