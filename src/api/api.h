/* api.h: the place that knows everyone. */
#ifndef LPI_API_H
#define LPI_API_H

#include "../exec/exec.h"
#include "../io/io.h"

/* solve.c: an arena for a problem, and in it the name that messages use. */
lp_status lpi_problem_open(const char *name, lpi_arena **ret_arena,
                           const char **ret_name, lp_error *error);

/* LP_EINVALID unless answers are written in "format". */
lp_status lpi_answer_format(lp_format format, lp_error *error);

#endif
