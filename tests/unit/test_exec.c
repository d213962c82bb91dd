/* test_exec.c: drawn numbers, guarded memory, runs of models. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

static lp_model *read_model(const char *text)
{
    lp_error error = {.status = LP_OK};
    lp_model *model = NULL;

    if (lp_model_read(text, strlen(text), "test", NULL, &model, &error) !=
        LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

/* ---- drawn numbers ---------------------------------------------------- */

/* The same stream gives the same values whatever the dtype's width, within
 * the range, with the mean and spread of a uniform distribution. */
static void test_draw(void **state)
{
    enum { COUNT = 10000 };
    static float floats[COUNT], again[COUNT];
    static double doubles[COUNT];
    static int8_t ints[COUNT];
    const lpi_draw draw = {.centre = 1, .spread = 0.5f, .least = -3, .most = 3};
    uint64_t key = lpi_draw_key(7, "name");
    double sum = 0, squares = 0;
    int64_t seen = 0;

    (void)state;
    assert_true(lpi_draw_key(8, "name") != key);
    assert_true(lpi_draw_key(7, "named") != key);
    lpi_draw_fill(LP_FLOAT32, &draw, key, COUNT, floats);
    lpi_draw_fill(LP_FLOAT32, &draw, key, COUNT / 2, again);
    lpi_draw_fill(LP_FLOAT64, &draw, key, COUNT, doubles);
    lpi_draw_fill(LP_INT8, &draw, key, COUNT, ints);
    assert_memory_equal(floats, again, sizeof(again) / 2);
    for (int32_t i = 0; i < COUNT; i++) {
        assert_true((double)floats[i] == doubles[i]);
        assert_true(floats[i] >= 0.5f && floats[i] < 1.5f);
        assert_true(ints[i] >= -3 && ints[i] <= 3);
        sum += doubles[i];
        squares += (doubles[i] - 1) * (doubles[i] - 1);
        seen |= (int64_t)1 << (ints[i] + 3);
    }
    assert_true(fabs(sum / COUNT - 1) < 0.01);
    assert_true(fabs(squares / COUNT - 1.0 / 12) < 0.005);
    assert_int_equal(seen, 127);
    assert_false(lpi_draw_fill(LP_STRING, &draw, key, 1, floats));
}

/* Numbers that must never change: saved results depend on them. */
static void test_draw_pinned(void **state)
{
    const lpi_draw draw = {.spread = 1};
    float values[3];

    (void)state;
    lpi_draw_fill(LP_FLOAT32, &draw, lpi_draw_key(1, "w"), 3, values);
    assert_true(values[0] == 0x1.b2378p-2f);
    assert_true(values[1] == 0x1.e1d788p-1f);
    assert_true(values[2] == -0x1.da6e48p-2f);
}

/* Weights are drawn by what reads them. */
static void test_fill(void **state)
{
    lp_model *model = read_model(
        "opset 17; input x: float32[1, 8, 4, 4]; weight w: float32[16, 8, 3, "
        "3]; weight b: float32[16]; weight s: float32[16]; weight m: "
        "float32[16]; weight v: float32[16]; weight p: float32[16, 64]; y = "
        "Conv(x, w, b); z = BatchNormalization(y, s, b, m, v); t = "
        "Transpose(p) {perm: [1, 0]}; f = Flatten(z); g = MatMul(f, t); "
        "output g");
    lpi_draw w = lpi_fill_draw(model, lpi_tensor_find(model, "w"));
    lpi_draw s = lpi_fill_draw(model, lpi_tensor_find(model, "s"));
    lpi_draw v = lpi_fill_draw(model, lpi_tensor_find(model, "v"));
    lpi_draw p = lpi_fill_draw(model, lpi_tensor_find(model, "p"));

    (void)state;
    assert_true(fabs((double)w.spread - 1 / sqrt(72)) < 1e-6);
    assert_true(s.centre == 1 && s.spread < 1);
    assert_true(v.centre - v.spread > 0);
    assert_true(p.spread < 0.2f);
    lp_model_free(model);
}

/* ---- memory ----------------------------------------------------------- */

static void test_region(void **state)
{
    static const int64_t sizes[] = {0, 1, 63, 64, 4096, 100000};

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(sizes); i++) {
        lpi_region region;

        assert_int_equal(lpi_region_map(sizes[i], 64, &region, NULL), LP_OK);
        assert_int_equal((uintptr_t)region.base % 64, 0);
        memset(region.base, 1, (size_t)sizes[i]);
        assert_true(lpi_region_whole(&region));
        if (sizes[i] % 64) {
            region.base[sizes[i]] = 0;
            assert_false(lpi_region_whole(&region));
        }
        lpi_region_unmap(&region);
    }
    assert_int_equal(lpi_region_map(INT64_MAX - 5, 64, NULL, NULL), LP_ENOMEM);
}

/* ---- runs -------------------------------------------------------------- */

/* Models that are run in every way there is; the last needs the heap. */
static const char *const models[] = {
    "opset 17; input x: float32[1, 3, 8, 8]; weight w: float32[4, 3, 3, 3]; "
    "weight b: float32[4]; y = Conv(x, w, b) {pads: [1, 1, 1, 1]}; r = "
    "Relu(y); p = MaxPool(r) {kernel_shape: [2, 2], strides: [2, 2]}; f = "
    "Flatten(p); output f; output r",
    "opset 17; input x: float32[4, 6]; weight w: float32[6, 6]; weight t: "
    "float32[6, 6]; u = Transpose(t) {perm: [1, 0]}; m = MatMul(x, w); n = "
    "MatMul(m, u); a = Add(n, x); s = Softmax(a) {axis: -1}; c = Concat(s, "
    "a) {axis: 0}; l, r = Split(c, _) {axis: 0, num_outputs: 2}; o = Mul(l, "
    "r); output o; output a",
    "opset 17; input c: bool[]; input x: float32[2, 4]; weight m: int64[] = "
    "{5}; y = If(c) {then_branch: graph { t = Relu(x); output t }, "
    "else_branch: graph { e = Add(x, x); f = Mul(e, e); output f }}; z, s = "
    "Loop(m, _, y) {body: graph { input i: int64[]; input k: bool[]; input "
    "h: float32[2, 4]; d = Identity(k); n = Tanh(h); q = Add(n, x); output "
    "d; output q; output n }}; output z; output s",
    "opset 17; input h: float32[2]; input x: float32[5, 2]; y, s = Scan(h, "
    "x) {num_scan_inputs: 1, body: graph { input a: float32[2]; input b: "
    "float32[2]; n = Add(a, b); t = Identity(n); output n; output t }}; "
    "output y; output s",
    "opset 17; input x: float32[3, 4]; r = Relu(x); n = NonZero(r); t = "
    "Transpose(n) {perm: [1, 0]}; s = Shape(t); c = Cast(s) {to: 1}; output "
    "t; output c",
};

static lp_run *run_model(const lp_model *model, const lp_run_options *options)
{
    lp_error error = {.status = LP_OK};
    lp_run *run = NULL;

    if (lp_model_run(model, options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return run;
}

/* Threads, poison and placement change no byte; what is planned is measured. */
static void test_runs(void **state)
{
    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(models); i++) {
        lp_model *model = read_model(models[i]);
        lp_run *one = run_model(
            model, &(lp_run_options){.fill_weights = true, .threads = 1});
        lp_run *two = run_model(model, &(lp_run_options){.fill_weights = true,
                                                         .check_memory = true,
                                                         .profile = true,
                                                         .threads = 3});

        assert_int_equal(one->results, LP_RESULTS_NONE);
        assert_int_equal(two->results, LP_RESULTS_EQUAL);
        assert_true(one->is_placed);
        assert_int_equal(one->measured.arena_bytes, one->predicted.arena_bytes);
        if (!one->is_estimated)
            assert_int_equal(one->measured.macs, one->predicted.macs);
        for (int64_t k = 0; k < one->outputs_count; k++) {
            lp_difference difference;

            lp_array_compare(one->outputs[k], two->outputs[k],
                             &(lp_tolerance){.bytes = true}, &difference, NULL);
            assert_true(difference.same);
        }
        assert_true(two->layers_count > 0);
        lp_run_free(one);
        lp_run_free(two);
        lp_model_free(model);
    }
}

/* A progress that says no ends the run without results. */
static bool refuse(void *context, int64_t done, int64_t all, const char *layer)
{
    (void)all;
    (void)layer;
    *(int64_t *)context = done;
    return done < 2;
}

static void test_stopped(void **state)
{
    lp_model *model = read_model(models[0]);
    int64_t done = 0;
    lp_run_options options = {
        .fill_weights = true, .progress = refuse, .progress_context = &done};
    lp_run *run;

    (void)state;
    assert_int_equal(lp_model_run(model, &options, &run, NULL), LP_EINFEASIBLE);
    assert_int_equal(done, 2);
    lp_model_free(model);
}

/* Every allocation fails in turn. */
static void test_allocations(void **state)
{
    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(models); i++) {
        lp_model *model = read_model(models[i]);
        lp_run_options options = {.fill_weights = true, .check_memory = true};
        lp_status status = LP_ENOMEM;

        for (int64_t n = 1; status != LP_OK; n++) {
            lp_error error = {.status = LP_OK};
            lp_run *run = NULL;

            lpi_alloc_fail_at(n);
            status = lp_model_run(model, &options, &run, &error);
            lpi_alloc_fail_at(0);
            if (status != LP_OK) {
                assert_int_equal(status, LP_ENOMEM);
                assert_int_equal(error.status, LP_ENOMEM);
                assert_null(run);
            }
            lp_run_free(run);
        }
        lp_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw),        cmocka_unit_test(test_draw_pinned),
        cmocka_unit_test(test_fill),        cmocka_unit_test(test_region),
        cmocka_unit_test(test_runs),        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
