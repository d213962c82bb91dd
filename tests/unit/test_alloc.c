/* test_alloc.c: every allocation fails in turn, from the text of a model to
 * the last report.
 *
 * Each must come back as LP_ENOMEM with the error filled and the outputs not
 * written, and leak nothing (the address sanitizer looks).  A second loop
 * lowers the memory limit byte by byte instead, which fails every allocation
 * inside the arena of the model. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/base.h"

#include <cmocka.h>

/* A net that branches and joins, with shape arithmetic and modules. */
static const char plain[] =
    "lpm 1; model \"plain\"; opset 17\n"
    "input x: float32[1, 3, n, 8]\n"
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
    "input c: bool[]; input x: float32[4, 4]\n"
    "y = If(c) {\n"
    "    then_branch: graph { t = Relu(x); output t },\n"
    "    else_branch: graph { e = MatMul(x, x); output e }}\n"
    "z = Add(y, x); output z\n";

/* An operator that lplan does not know. */
static const char opaque[] =
    "opset 17; opset com.example 1\n"
    "input x: float32[2, 2]\n"
    "value y: float32[2, 2]\n"
    "y = com.example.Mystery(x) {level: 3, name: \"m\", of: [1.0, 2.0]}\n"
    "z = Relu(y); output z\n";

static const char *const models[] = {plain, bodies, opaque};

static const lp_binding dims[] = {{"n", 8}};

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

/* Read "text" under the limit "cap_bytes", count it, write it, dump it. */
static lp_status whole_way(const char *text, int64_t cap_bytes, lp_error *error)
{
    const lp_load_options options = {
        .dims = dims,
        .dims_count = 1,
        .max_memory_bytes = cap_bytes,
    };
    lp_model *model = NULL;
    lp_report *report = NULL;
    char *dump = NULL;
    lp_status status =
        lp_model_read(text, strlen(text), "model", &options, &model, error);

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

/* How many allocations the whole way of "text" takes. */
static int64_t count_allocations(const char *text)
{
    enum { PLENTY = 1000000 };
    int64_t left = 0;
    lp_error error = {0};
    void *block;

    lpi_alloc_fail_at(PLENTY);
    if (whole_way(text, 0, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    while ((block = lpi_alloc(1))) {
        lpi_free(block);
        left++;
    }
    lpi_alloc_fail_at(0);
    return PLENTY - 1 - left;
}

static void every_allocation_fails(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        int64_t count = count_allocations(models[i]), n;

        assert_true(count > 10);
        for (n = 1; n <= count; n++) {
            lp_error error = {0};
            lp_status status;

            lpi_alloc_fail_at(n);
            status = whole_way(models[i], 0, &error);
            lpi_alloc_fail_at(0);
            if (status != LP_ENOMEM || error.status != LP_ENOMEM)
                fail_msg("model %zu, allocation %lld of %lld: status %d, %s", i,
                         (long long)n, (long long)count, (int)status,
                         error.message);
        }
    }
}

static void every_limit_is_kept(void **state)
{
    enum { STEP = 48, MOST = 1 << 20 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        lp_status status = LP_ENOMEM;
        int64_t cap;

        for (cap = 1; status == LP_ENOMEM && cap < MOST; cap += STEP) {
            lp_error error = {0};

            status = whole_way(models[i], cap, &error);
            if (status != LP_OK &&
                (status != LP_ENOMEM || error.status != LP_ENOMEM))
                fail_msg("model %zu, limit %lld: status %d, %s", i,
                         (long long)cap, (int)status, error.message);
        }
        assert_int_equal(status, LP_OK);
        assert_true(cap > 1000);
    }
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
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(every_limit_is_kept),
        cmocka_unit_test(outputs_stay_unwritten),
    };

    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
