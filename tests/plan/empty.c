/* empty.c: a module without a planner. */
#include <lplan-planner.h>

LP_API extern const int lp_planner_of_another_name;
const int lp_planner_of_another_name = 1;
