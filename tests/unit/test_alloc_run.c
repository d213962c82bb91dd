/* test_alloc_run.c: allocations fail in turn while models of files are
 * counted, written, run and planned.
 *
 * Every model of tests/models and of examples, and of the folder "tiny" where
 * LPLAN_MODELS names one, is loaded, reported, dumped and read again, computed
 * with drawn inputs, planned, and its schedule written, read and proved.  Each
 * allocation that fails must come back as LP_ENOMEM with the error filled, and
 * leak nothing (the address sanitizer looks).  Of many allocations an even
 * sample fails; all of them with LPLAN_EVERY set. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

enum { SAMPLE = 40, EFFORT = 1000 };

static lp_status report_of(const lp_model *model, lp_error *error)
{
    static const lp_view views[] = {
        {.format = LP_FORMAT_TEXT, .all = true, .chart = true},
        {.format = LP_FORMAT_JSON, .all = true},
    };
    lp_report *report;
    lp_status status = lp_report_new(model, NULL, &report, error);
    char *text;
    int32_t i;

    if (status != LP_OK)
        return status;
    for (i = 0; i < LPI_COUNT(views) && status == LP_OK; i++) {
        status = lp_report_write(report, &views[i], &text, NULL, error);
        if (status == LP_OK)
            lp_text_free(text);
    }
    lp_report_free(report);
    return status;
}

/* "model" as text, and read again. */
static lp_status dump_of(const lp_model *model, lp_error *error)
{
    const lp_load_options options = {.as_written = true};
    lp_model *again;
    lp_status status;
    size_t length;
    char *text;

    LP_TRY(lp_model_dump(model, &text, &length, error));
    status = lp_model_read(text, length, "again", &options, &again, error);
    lp_text_free(text);
    if (status == LP_OK)
        lp_model_free(again);
    return status;
}

static lp_status run_of(const lp_model *model, lp_error *error)
{
    const lp_run_options options = {
        .threads = 1, .fill_weights = true, .max_memory_bytes = 1 << 28};
    lp_run *run;

    LP_TRY(lp_model_run(model, &options, &run, error));
    lp_run_free(run);
    return LP_OK;
}

/* Plan "model", and let the schedule pass through its text. */
static lp_status plan_of(const lp_model *model, lp_error *error)
{
    const lp_plan_options options = {.effort = EFFORT};
    lp_schedule *again = NULL;
    lp_predictions found;
    lp_plan *plan = NULL;
    char *text = NULL;
    size_t length;
    lp_status status = lp_plan_new(model, &options, &plan, error);

    if (status == LP_OK)
        status = lp_plan_write(plan, LP_FORMAT_TEXT, &text, &length, error);
    if (status == LP_OK) {
        lp_text_free(text);
        text = NULL;
        status = lp_schedule_write(plan->schedule, &text, &length, error);
    }
    if (status == LP_OK)
        status = lp_schedule_read(model, text, length, "again", &again, error);
    if (status == LP_OK)
        status = lp_schedule_check(again, &found, NULL, error);
    lp_text_free(text);
    lp_schedule_free(again);
    lp_plan_free(plan);
    return status;
}

/* Load, count, write, run and plan the model in the file "path"; what cannot be
 * run or planned is passed over. */
static lp_status whole_way(const char *path, lp_error *error)
{
    static lp_status (*const parts[])(const lp_model *, lp_error *) = {
        report_of, dump_of, run_of, plan_of};
    static const lp_binding dims[] = {{"batch", 2}, {"time", 5}};
    const lp_load_options load = {
        .dims = dims,
        .dims_count = strstr(path, "_dynamic/") ? 2 : 0,
        .max_memory_bytes = 1 << 28,
    };
    lp_model *model;
    lp_status status = lp_model_load(path, &load, &model, error);
    int32_t i;

    if (status != LP_OK)
        return status;
    for (i = 0; i < LPI_COUNT(parts) && status != LP_ENOMEM; i++)
        status = parts[i](model, error);
    lp_model_free(model);
    return status;
}

/* Allocations of the whole way; "*ret_status" is how it ends. */
static int64_t count_allocations(const char *path, lp_status *ret_status)
{
    lp_error error;

    lpi_alloc_fail_at(INT64_MAX);
    *ret_status = whole_way(path, &error);
    return INT64_MAX - lpi_alloc_fail_at(0);
}

static void fail_some(const char *path)
{
    lp_status wanted, status;
    int64_t count = count_allocations(path, &wanted), step = 1, n;

    if (wanted == LP_ENOMEM)
        fail_msg("%s takes too much memory", path);
    if (!getenv("LPLAN_EVERY") && count > SAMPLE)
        step = count / SAMPLE;
    for (n = 1; n <= count; n += step) {
        lp_error error = {.status = LP_OK};

        lpi_alloc_fail_at(n);
        status = whole_way(path, &error);
        lpi_alloc_fail_at(0);
        if (status != LP_ENOMEM || error.status != LP_ENOMEM)
            fail_msg("%s: allocation %lld of %lld: status %d, %s", path,
                     (long long)n, (long long)count, (int)status,
                     error.message);
    }
}

/* Fail allocations of each model of "folder": text forms, small ones of ONNX,
 * and those in a folder of their own. */
static int each_model(const char *folder)
{
    enum { MOST_BYTES = 1 << 18 };
    DIR *all = opendir(folder);
    struct dirent *entry;
    struct stat info;
    int count = 0;

    if (!all)
        return 0;
    while ((entry = readdir(all))) {
        const char *dot = strrchr(entry->d_name, '.');
        bool is_model = dot && (!strcmp(dot, ".lpm") || !strcmp(dot, ".onnx"));
        char path[2 * PATH_MAX];

        snprintf(path, sizeof(path), is_model ? "%s/%s" : "%s/%s/model.onnx",
                 folder, entry->d_name);
        if (*entry->d_name == '.' || stat(path, &info) != 0 ||
            (is_model && info.st_size > MOST_BYTES))
            continue;
        fail_some(path);
        count++;
    }
    closedir(all);
    return count;
}

static void models_of_the_tree(void **state)
{
    static const char *const folders[] = {"tests/models", "examples"};
    const char *top = getenv("top_srcdir");
    char folder[PATH_MAX];
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(folders); i++) {
        snprintf(folder, sizeof(folder), "%s/%s", top ? top : ".", folders[i]);
        assert_true(each_model(folder) > 0);
    }
}

static void models_elsewhere(void **state)
{
    const char *models = getenv("LPLAN_MODELS");
    char folder[PATH_MAX];

    (void)state;
    if (!models || !*models)
        skip();
    snprintf(folder, sizeof(folder), "%s/tiny", models);
    if (!each_model(folder))
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_the_tree),
        cmocka_unit_test(models_elsewhere),
    };

    return cmocka_run_group_tests_name("alloc_run", tests, NULL, NULL);
}
