/* schedules.h: a schedule of a model, and whether it runs as it says. */
#ifndef TESTS_SCHEDULES_H
#define TESTS_SCHEDULES_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

static lp_schedule *schedule_of(const lp_model *model,
                                const lp_schedule_options *options)
{
    lp_schedule *schedule = NULL;
    lp_error error = {0};

    if (lp_schedule_new(model, options, &schedule, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return schedule;
}

/* Whether "model" gives its results as "schedule" says. */
static bool runs_right(const lp_model *model, const lp_schedule *schedule)
{
    lp_run_options options = {.fill_weights = true,
                              .schedule = schedule,
                              .threads = 1,
                              .check_memory = true};
    lp_error error = {0};
    lp_run *run;
    bool right;

    if (lp_model_run(model, &options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    right = run->results == LP_RESULTS_EQUAL &&
            run->measured.arena_bytes == run->predicted.arena_bytes &&
            run->measured.traffic_bytes == run->predicted.traffic_bytes &&
            run->measured.macs == run->predicted.macs;
    lp_run_free(run);
    return right;
}

#endif
