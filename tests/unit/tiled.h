/* tiled.h: one group cut into tiles, as the text of a schedule says: read,
 * checked, run, and compared with the run of the whole (by lp_model_run). */
#ifndef TESTS_TILED_H
#define TESTS_TILED_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

/* A number below "limit" (Marsaglia's xorshift). */
static int32_t pick(int32_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int32_t)(state % (uint64_t)limit);
}

static lp_model *read_model(const char *text)
{
    lp_error error = {.status = LP_OK};
    lp_model *model = NULL;

    if (lp_model_read(text, strlen(text), "test", NULL, &model, &error) !=
        LP_OK)
        fail_msg("%s: %s\n%s", error.where, error.message, text);
    return model;
}

/* The schedule of "model" whose one group has all layers and "tiles", the rest
 * of its map. */
static lp_schedule *read_group(const lp_model *model, int32_t alignment,
                               const char *tiles)
{
    lp_error error = {.status = LP_OK};
    lpi_text text = {0};
    lp_schedule *schedule = NULL;
    uint64_t hash;
    int64_t i;

    assert_int_equal(lpi_model_hash(model, &hash, &error), LP_OK);
    lpi_text_printf(&text,
                    "lplan-schedule: 1\nmodel: {name: net, hash: "
                    "\"%016llx\"}\nmemories:\n  - {name: arena, alignment: "
                    "%d}\ngroups:\n  - {name: all, layers: [",
                    (unsigned long long)hash, alignment);
    for (i = 0; i < model->layers_count; i++)
        lpi_text_printf(&text, "%s\"%s\"", i ? ", " : "",
                        model->layers[i]->name);
    lpi_text_printf(&text, "], %s}\nruns:\n  - all\n", tiles);
    assert_false(text.failed);
    if (lp_schedule_read(model, text.bytes, strlen(text.bytes), "plan",
                         &schedule, &error) != LP_OK)
        fail_msg("%s: %s\n%s", error.where, error.message, text.bytes);
    lpi_text_drop(&text);
    return schedule;
}

/* Run "schedule", which must compute the bytes of the whole with what was
 * predicted; NULL: refused. */
static lp_run *run_group(const lp_schedule *schedule)
{
    const lp_run_options options = {.schedule = schedule,
                                    .fill_weights = true,
                                    .check_memory = true,
                                    .threads = 1 + pick(2)};
    lp_error error = {.status = LP_OK};
    lp_predictions predictions;
    lp_refusal refusal;
    lp_run *run = NULL;
    lp_status status =
        lp_schedule_check(schedule, &predictions, &refusal, &error);

    if (status == LP_EINFEASIBLE || status == LP_EUNSUPPORTED)
        return NULL;
    if (status != LP_OK ||
        lp_model_run(schedule->model, &options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    if (run->results != LP_RESULTS_EQUAL)
        fail_msg("%s: %s", schedule->model->layers[0]->op, run->difference);
    assert_int_equal(run->measured.arena_bytes, run->predicted.arena_bytes);
    assert_int_equal(run->measured.macs, run->predicted.macs);
    return run;
}

#endif
