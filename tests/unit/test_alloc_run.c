/* test_alloc_run.c: allocations fail in turn while models of files are
 * counted and run.
 *
 * Every model of tests/models, and of the folder "tiny" where LPLAN_MODELS
 * names one, is loaded, reported and computed with drawn inputs.  Each
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

enum { SAMPLE = 40 };

/* Load, count and run the model in the file "path". */
static lp_status whole_way(const char *path, lp_error *error)
{
    static const lp_binding dims[] = {{"batch", 2}, {"time", 5}};
    const lp_load_options load = {
        .dims = dims,
        .dims_count = strstr(path, "_dynamic/") ? 2 : 0,
        .max_memory_bytes = 1 << 28,
    };
    const lp_run_options options = {
        .threads = 1, .fill_weights = true, .max_memory_bytes = 1 << 28};
    lp_model *model = NULL;
    lp_report *report = NULL;
    lp_run *run = NULL;
    lp_status status = lp_model_load(path, &load, &model, error);

    if (status == LP_OK)
        status = lp_report_new(model, NULL, &report, error);
    if (status == LP_OK)
        status = lp_model_run(model, &options, &run, error);
    lp_run_free(run);
    lp_report_free(report);
    lp_model_free(model);
    return status;
}

/* Allocations of the whole way; "*ret_status" is how it ends. */
static int64_t count_allocations(const char *path, lp_status *ret_status)
{
    int64_t low = 0, high = 1;
    lp_error error;

    *ret_status = whole_way(path, &error);
    for (;; high *= 2) {
        lpi_alloc_fail_at(high);
        if (whole_way(path, &error) != LP_ENOMEM)
            break;
        low = high;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        lpi_alloc_fail_at(middle);
        if (whole_way(path, &error) == LP_ENOMEM)
            low = middle;
        else
            high = middle;
    }
    lpi_alloc_fail_at(0);
    return low;
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

/* Fail allocations of each model in a folder of "folder". */
static int each_model(const char *folder)
{
    DIR *all = opendir(folder);
    struct dirent *entry;
    struct stat info;
    int count = 0;

    if (!all)
        return 0;
    while ((entry = readdir(all))) {
        char path[2 * PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s/model.onnx", folder, entry->d_name);
        if (*entry->d_name == '.' || stat(path, &info) != 0)
            continue;
        fail_some(path);
        count++;
    }
    closedir(all);
    return count;
}

static void models_of_the_tree(void **state)
{
    const char *top = getenv("top_srcdir");
    char folder[PATH_MAX];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/tests/models", top ? top : ".");
    assert_true(each_model(folder) > 0);
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
