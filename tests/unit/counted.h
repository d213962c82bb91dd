/* counted.h: models in the text form with their reports, for tests. */
#ifndef COUNTED_H
#define COUNTED_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/cost/cost.h"

#include <cmocka.h>

/* One model with its report. */
typedef struct counted {
    lp_model *model;
    lp_report *report;
} counted;

static inline lp_model *read_model(const char *text)
{
    lp_model *model = NULL;
    lp_error error = {0};

    if (lp_model_read(text, strlen(text), "test", NULL, &model, &error) !=
        LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

static inline counted count_as(const char *text, lp_dtype as)
{
    lp_report_options options = {.weights_as = as};
    counted got = {.model = read_model(text)};
    lp_error error = {0};

    if (lp_report_new(got.model, &options, &got.report, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return got;
}

static inline counted count(const char *text)
{
    return count_as(text, LP_UNDEFINED);
}

static inline void drop(counted got)
{
    lp_report_free(got.report);
    lp_model_free(got.model);
}

static inline const lp_row *row(counted got, const char *name)
{
    int64_t i;

    for (i = 0; i < got.report->rows_count; i++)
        if (strcmp(got.report->rows[i].name, name) == 0)
            return &got.report->rows[i];
    fail_msg("no layer '%s'", name);
    return NULL;
}

static inline int64_t convention(counted got, const char *name)
{
    int64_t i;

    for (i = 0; i < got.report->conventions_count; i++)
        if (strcmp(got.report->conventions[i].name, name) == 0)
            return got.report->conventions[i].value;
    fail_msg("no convention '%s'", name);
    return 0;
}

#endif
