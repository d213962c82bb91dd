/* solve.h: problems that know no model, and their solvers, by problem:
 *
 * place.h  where buffers that want bytes for a time lie in a memory
 * remat.h  what to recompute, store or spill within a budget of bytes
 * order.h  in which order a graph takes the fewest bytes
 *
 * lp_solve_place, lp_solve_remat and lp_solve_order stand on them. */
#ifndef LPI_SOLVE_H
#define LPI_SOLVE_H

#include "../base/base.h"

#include "place.h"
#include "remat.h"
#include "order.h"

#endif
