/* api.h: the place that knows everyone. */
#ifndef LPI_API_H
#define LPI_API_H

#include "../exec/exec.h"
#include "../io/io.h"

/* One run of a model while it is prepared. */
typedef struct lpi_job {
    const lp_model *model;
    const lp_run_options *options;
    lpi_arena *arena;
    const lp_array **inputs; /* as the graph's; NULL: static */
    lp_array **drawn;        /* those of them that are ours */
    lp_array **outputs, **again;
    lp_run *run;
    lp_error *error;
} lpi_job;

/* inputs.c: take the inputs that are given, draw the others. */
lp_status lpi_job_inputs(lpi_job *job);

/* solve.c: an arena for a problem, and in it the name that messages use. */
lp_status lpi_problem_open(const char *name, lpi_arena **ret_arena,
                           const char **ret_name, lp_error *error);

/* LP_EINVALID unless answers are written in "format". */
lp_status lpi_answer_format(lp_format format, lp_error *error);

#endif
