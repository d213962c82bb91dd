/* planners.h: the planners of the library, one row in planners.def each. */
#ifndef LPI_PLANNERS_H
#define LPI_PLANNERS_H

#include <lplan-planner.h>

#define LPI_PLANNER(name) extern const lp_planner lp_planner_##name;
#include "planners.def"
#undef LPI_PLANNER

#endif
