/* test_alloc.c: every allocation fails in turn, from a model's text or file to
 * its last report.
 *
 * Each must come back as LP_ENOMEM with the error filled and the outputs not
 * written, and leak nothing (the address sanitizer looks).  A second loop
 * raises the memory limit bit by bit instead, which fails every allocation
 * inside the arena of the model. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/base.h"

#include <cmocka.h>

/* A net that branches and joins, with shape arithmetic and modules. */
static const char plain[] =
    "lpm 1; model \"plain\"; opset 17\n"
    "input x: float32[n, 3, 8, 8]\n"
    "weight w: float32[4, 3, 3, 3]\n"
    "weight v: float32[32, 16] @ \"absent.data\" 0 2048\n"
    "weight shape: int64[2] = {-1, 32}\n"
    "a = Conv(x, w, _) {pads: [1, 1, 1, 1]} name \"/down/conv\"\n"
    "b = Relu(a) name \"/down/relu\"\n"
    "s = Shape(b)\n"
    "c = Reshape(b, shape) name \"/mid/reshape\"\n"
    "d = MatMul(c, v) name \"/mid/matmul\"\n"
    "e = Softmax(d) {axis: -1}\n"
    "f, g = Split(e, _) {axis: 1, num_outputs: 2}\n"
    "h = Add(f, g) name \"/up/add\"\n"
    "output h; output s\n";

/* Bodies that capture. */
static const char bodies[] =
    "opset 17\n"
    "input c: bool[]; input x: float32[n, 4]\n"
    "y = If(c) {\n"
    "    then_branch: graph { t = Relu(x); output t },\n"
    "    else_branch: graph { e = MatMul(x, x); output e }}\n"
    "z = Add(y, x); output z\n";

/* An operator that lplan does not know. */
static const char opaque[] =
    "opset 17; opset com.example 1\n"
    "input x: float32[2, n]\n"
    "value y: float32[2, 4]\n"
    "y = com.example.Mystery(x) {level: 3, name: \"m\", of: [1.0, 2.0]}\n"
    "z = Relu(y); output z\n";

static const char *const models[] = {plain, bodies, opaque};

static const lp_binding dims[] = {{"n", 4}};

/* Write "report" in each way there is. */
static lp_status write_all(const lp_report *report, lp_error *error)
{
    static const lp_view views[] = {
        {.format = LP_FORMAT_TEXT, .chart = true, .all = true, .depth = 2},
        {.format = LP_FORMAT_TEXT, .table = LP_TABLE_LAYERS, .sort = "macs"},
        {.format = LP_FORMAT_TEXT, .table = LP_TABLE_PEAK, .colour = true},
        {.format = LP_FORMAT_TSV, .filter = "a", .top = 3},
        {.format = LP_FORMAT_TSV, .table = LP_TABLE_MODULES},
        {.format = LP_FORMAT_TSV, .table = LP_TABLE_SKIPS},
        {.format = LP_FORMAT_JSON, .all = true},
        {.format = LP_FORMAT_NETRON},
    };
    const lp_report *pair[] = {report, report};
    int32_t i;
    char *text;

    for (i = 0; i < LPI_COUNT(views); i++) {
        LP_TRY(lp_report_write(report, &views[i], &text, NULL, error));
        lp_text_free(text);
    }
    LP_TRY(lp_compare_write(pair, 2, &views[0], &text, NULL, error));
    lp_text_free(text);
    LP_TRY(lp_diff_write(report, report, &views[0], &text, NULL, error));
    lp_text_free(text);
    return LP_OK;
}

/* A model's text, or the path of its file. */
typedef struct source {
    const char *text, *path;
} source;

/* Read or load "from" under the limit "cap_bytes", count it, write it, dump it.
 */
static lp_status whole_way(source from, int64_t cap_bytes, lp_error *error)
{
    const lp_load_options options = {
        .dims = dims,
        .dims_count = from.text ? 1 : 0,
        .max_memory_bytes = cap_bytes,
    };
    lp_model *model = NULL;
    lp_report *report = NULL;
    char *dump = NULL;
    lp_status status = from.text
                           ? lp_model_read(from.text, strlen(from.text),
                                           "model", &options, &model, error)
                           : lp_model_load(from.path, &options, &model, error);

    if (status == LP_OK)
        status = lp_report_new(model, NULL, &report, error);
    if (status == LP_OK)
        status = write_all(report, error);
    if (status == LP_OK)
        status = lp_model_dump(model, &dump, NULL, error);
    lp_text_free(dump);
    lp_report_free(report);
    lp_model_free(model);
    return status;
}

/* How many allocations the whole way takes, whatever its end. */
static int64_t count_allocations(source from)
{
    lpi_alloc_fail_at(INT64_MAX);
    whole_way(from, 0, NULL);
    return INT64_MAX - lpi_alloc_fail_at(0);
}

/* Fail each of the allocations of the whole way in turn. */
static void fail_each(source from)
{
    int64_t count = count_allocations(from), n;

    assert_true(count > 3);
    for (n = 1; n <= count; n++) {
        lp_error error = {0};
        lp_status status;

        lpi_alloc_fail_at(n);
        status = whole_way(from, 0, &error);
        lpi_alloc_fail_at(0);
        if (status != LP_ENOMEM || error.status != LP_ENOMEM)
            fail_msg("%s: allocation %lld of %lld: status %d, %s",
                     from.path ? from.path : from.text, (long long)n,
                     (long long)count, (int)status, error.message);
    }
}

/* Raise the memory limit from nothing until the whole way ends as it does
 * without a limit. */
static void raise_limit(source from)
{
    enum { STEP = 48, MOST = 1 << 20 };
    lp_error error = {0};
    lp_status wanted = whole_way(from, 0, NULL), status = LP_ENOMEM;
    int64_t cap;

    for (cap = 1; status == LP_ENOMEM && cap < MOST; cap += STEP) {
        error = (lp_error){0};
        status = whole_way(from, cap, &error);
        if (status != wanted &&
            (status != LP_ENOMEM || error.status != LP_ENOMEM))
            fail_msg("%s: limit %lld: status %d, %s",
                     from.path ? from.path : from.text, (long long)cap,
                     (int)status, error.message);
    }
    assert_int_equal(status, wanted);
    assert_true(cap > STEP);
}

static void texts_are_good(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        lp_error error = {0};

        if (whole_way((source){.text = models[i]}, 0, &error) != LP_OK)
            fail_msg("%s: %s", error.where, error.message);
    }
}

static void every_allocation_of_a_text_fails(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        fail_each((source){.text = models[i]});
}

static void every_limit_of_a_text_is_kept(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        raise_limit((source){.text = models[i]});
}

/* Call "check" for every file of the corpus of ONNX models. */
static void each_file(void (*check)(source))
{
    const char *top = getenv("top_srcdir");
    char folder[PATH_MAX], path[2 * PATH_MAX];
    struct dirent *entry;
    int files = 0;
    DIR *corpus;

    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/onnx",
             top ? top : ".");
    corpus = opendir(folder);
    if (!corpus)
        skip();
    while ((entry = readdir(corpus))) {
        if (!strstr(entry->d_name, ".onnx"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        check((source){.path = path});
        files++;
    }
    closedir(corpus);
    assert_true(files > 0);
}

static void every_allocation_of_a_file_fails(void **state)
{
    (void)state;
    each_file(fail_each);
}

static void every_limit_of_a_file_is_kept(void **state)
{
    (void)state;
    each_file(raise_limit);
}

static void outputs_stay_unwritten(void **state)
{
    lp_model *model = (lp_model *)&state;
    lp_error error;

    lpi_alloc_fail_at(1);
    assert_int_equal(
        lp_model_read(opaque, strlen(opaque), "model", NULL, &model, &error),
        LP_ENOMEM);
    lpi_alloc_fail_at(0);
    assert_ptr_equal(model, (lp_model *)&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_good),
        cmocka_unit_test(every_allocation_of_a_text_fails),
        cmocka_unit_test(every_limit_of_a_text_is_kept),
        cmocka_unit_test(every_allocation_of_a_file_fails),
        cmocka_unit_test(every_limit_of_a_file_is_kept),
        cmocka_unit_test(outputs_stay_unwritten),
    };

    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
