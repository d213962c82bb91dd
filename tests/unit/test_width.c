/* test_width.c: schedules that plan tensors in other dtypes: what they take,
 * what is refused, and what is computed. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"
#include "../../src/exec/exec.h"

#include <cmocka.h>

static lp_model *model_of(const char *text)
{
    lp_model *model = NULL;
    lp_error error = {0};

    if (lp_model_read(text, strlen(text), "net", NULL, &model, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

/* The baseline of "model" with "before" in front of its runs, "after" in place
 * of what follows them. */
static lp_status schedule_with(const lp_model *model, const char *before,
                               const char *after, lp_schedule **ret_schedule,
                               lp_error *error)
{
    lp_schedule *plain;
    lpi_text text = {0};
    const char *runs, *end, *alias;
    lp_status status;
    size_t length;
    char *written;

    assert_int_equal(lp_schedule_new(model, NULL, &plain, NULL), LP_OK);
    assert_int_equal(lp_schedule_write(plain, &written, &length, NULL), LP_OK);
    runs = strstr(written, "runs:\n");
    end = strstr(written, "place:\n");
    alias = strstr(written, "alias:\n");
    if (alias)
        end = alias;
    lpi_text_append(&text, written, (size_t)(runs - written));
    lpi_text_put(&text, before);
    lpi_text_append(&text, runs, (size_t)(end - runs));
    lpi_text_put(&text, after);
    status = lp_schedule_read(model, text.bytes, text.length, "p.yaml",
                              ret_schedule, error);
    lpi_text_drop(&text);
    lp_text_free(written);
    lp_schedule_free(plain);
    return status;
}

static lp_schedule *read_with(const lp_model *model, const char *before,
                              const char *after)
{
    lp_schedule *schedule = NULL;
    lp_error error = {0};

    if (schedule_with(model, before, after, &schedule, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return schedule;
}

/* ---- bytes ------------------------------------------------------------ */

static const char *const plain_model =
    "opset 18\ninput x: float32[3, 5]\nweight w: float32[5, 7]\n"
    "a = Relu(x)\nb = MatMul(a, w)\nc = Reshape(b, s)\nd = Neg(c)\n"
    "weight s: int64[2] = {7, 3}\noutput d\n";

static lp_predictions figures_of(const char *before, const char *after)
{
    lp_model *model = model_of(plain_model);
    lp_schedule *schedule = read_with(model, before, after);
    lp_predictions figures = {0};
    lp_error error = {0};
    lp_refusal refusal;

    if (lp_schedule_check(schedule, &figures, &refusal, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    lp_schedule_free(schedule);
    lp_model_free(model);
    return figures;
}

/* Counted by hand: 15, 21, 21 and 21 elements. */
static void test_bytes(void **state)
{
    lp_predictions figures;

    (void)state;
    figures = figures_of("", "");
    assert_int_equal(figures.live_peak_bytes, 84 + 84);
    figures = figures_of("precision:\n  - {tensor: b, assume: int4}\n"
                         "  - {tensor: c, assume: int4}\n",
                         "");
    assert_int_equal(figures.live_peak_bytes, 60 + 60);
    figures = figures_of("precision:\n  - {tensor: b, assume: int4}\n"
                         "  - {tensor: c, assume: int2}\n",
                         "");
    assert_int_equal(figures.live_peak_bytes, 60 + 60);
    figures = figures_of("precision:\n  - {tensor: x, assume: int2}\n"
                         "  - {tensor: a, assume: int8}\n"
                         "  - {tensor: b, assume: int4}\n"
                         "  - {tensor: c, assume: int2}\n"
                         "  - {tensor: d, assume: int4}\n",
                         "");
    assert_int_equal(figures.live_peak_bytes, 15 + 11);
}

/* Weights, 35 floats and the 16 bytes of a shape, and rates at planned
 * widths. */
static void test_device(void **state)
{
    static const lp_device_memory memories[] = {
        {.name = "near", .capacity_bytes = 4096, .alignment = 1},
        {.name = "far",
         .alignment = 1,
         .read_bytes_per_s = 1000000000,
         .write_bytes_per_s = 1000000000}};
    static const lp_device_rate rates[] = {
        {.dtype = LP_FLOAT32, .macs_per_s = 1000000000},
        {.dtype = LP_INT8, .macs_per_s = 4000000000}};
    static const lp_device device = {.name = "box",
                                     .memories = memories,
                                     .memories_count = 2,
                                     .weights_memory = 1,
                                     .rates = rates,
                                     .rates_count = 2};
    lp_model *model = model_of(plain_model);
    const lp_schedule_options options = {.device = &device};
    const lp_schedule_options narrow = {.device = &device, .assume = LP_INT8};
    lp_schedule *schedule;
    lp_predictions figures;

    (void)state;
    assert_int_equal(lp_schedule_new(model, &options, &schedule, NULL), LP_OK);
    assert_int_equal(lp_schedule_check(schedule, &figures, NULL, NULL), LP_OK);
    assert_int_equal(figures.traffic_bytes, 140 + 16);
    assert_int_equal(figures.latency_ns, 140 + 16);
    lp_schedule_free(schedule);
    assert_int_equal(lp_schedule_new(model, &narrow, &schedule, NULL), LP_OK);
    assert_int_equal(lp_schedule_check(schedule, &figures, NULL, NULL), LP_OK);
    assert_int_equal(figures.traffic_bytes, 35 + 16);
    assert_int_equal(figures.latency_ns, 35 + 16);
    assert_int_equal(figures.live_peak_bytes, 21 + 84);
    lp_schedule_free(schedule);
    lp_model_free(model);
}

/* ---- what is refused --------------------------------------------------- */

static void test_refusals(void **state)
{
    static const struct {
        const char *widths, *alias, *why, *tensor;
        int64_t bytes;
    } cases[] = {
        {"  - {tensor: a, assume: int8}\n  - {tensor: a, assume: int4}\n", "",
         "two widths", "a", 15},
        {"  - {tensor: s, assume: int8}\n", "", "no tensor of floats", "s", 2},
        {"  - {tensor: a, assume: bool}\n", "", "cannot be stored so", "a", 15},
        {"  - {tensor: a, dtype: int8}\n", "", "without scales", "a", 15},
        {"  - {tensor: a, dtype: int32, scales: [1]}\n", "", "16 bits", "a",
         60},
        {"  - {tensor: b, assume: int8}\n",
         "alias:\n  - {tensor: c, of: b, kind: view}\n", "21 bytes of int8",
         "c", 84},
        {"  - {tensor: c, assume: int4}\n",
         "alias:\n  - {tensor: d, of: c, kind: in_place}\n",
         "cannot be made in place of 'c', 11 bytes of int4", "d", 84},
        {"  - {tensor: b, dtype: int8, scales: [1]}\n"
         "  - {tensor: c, dtype: int8, scales: [2]}\n",
         "alias:\n  - {tensor: c, of: b, kind: view}\n", "cannot be a view",
         "c", 21},
    };
    lp_model *model = model_of(plain_model);

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(cases); i++) {
        char widths[400];
        lp_schedule *schedule;
        lp_predictions figures;
        lp_refusal refusal;
        lp_error error = {0};

        snprintf(widths, sizeof(widths), "precision:\n%s", cases[i].widths);
        schedule = read_with(model, widths, cases[i].alias);
        assert_int_equal(
            lp_schedule_check(schedule, &figures, &refusal, &error),
            LP_EINFEASIBLE);
        if (!strstr(error.message, cases[i].why))
            fail_msg("%s", error.message);
        assert_string_equal(refusal.tensor, cases[i].tensor);
        assert_int_equal(refusal.bytes, cases[i].bytes);
        lp_schedule_free(schedule);
    }
    lp_model_free(model);
}

/* Entries that no tensor could have are errors of the file. */
static void test_form(void **state)
{
    static const char *const entries[] = {
        "{tensor: a}",
        "{tensor: a, assume: int8, axis: 0}",
        "{tensor: a, assume: int8, dtype: int8}",
        "{tensor: a, dtype: int8, scales: [1, 2]}",
        "{tensor: a, dtype: int8, scales: [0]}",
        "{tensor: a, dtype: int8, scales: [1e-60]}",
        "{tensor: a, dtype: int8, scales: [1e60]}",
        "{tensor: a, dtype: int8, scales: [1], zero_points: [128]}",
        "{tensor: a, dtype: uint4, scales: [1], zero_points: [-1]}",
        "{tensor: a, dtype: float16, scales: [1], zero_points: [0]}",
        "{tensor: a, dtype: int8, axis: 2, scales: [1]}",
        "{tensor: a, dtype: int9}",
        "{tensor: nobody, assume: int8}",
    };
    lp_model *model = model_of(plain_model);

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(entries); i++) {
        char widths[200];
        lp_schedule *schedule;

        snprintf(widths, sizeof(widths), "precision:\n  - %s\n", entries[i]);
        if (schedule_with(model, widths, "", &schedule, NULL) != LP_EINPUT)
            fail_msg("%s", entries[i]);
    }
    lp_model_free(model);
}

/* ---- what is computed -------------------------------------------------- */

/* Output 0 of "model" run as "schedule" says (NULL: the baseline), from "x"
 * where it is given. */
static lp_run *run_with(const lp_model *model, const lp_schedule *schedule,
                        lp_array *x)
{
    const lp_given given = {"x", x};
    const lp_run_options options = {.schedule = schedule,
                                    .inputs = &given,
                                    .inputs_count = x != NULL,
                                    .fill_weights = true,
                                    .threads = 1};
    lp_error error = {0};
    lp_run *run = NULL;

    if (lp_model_run(model, &options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    if (schedule) {
        assert_int_equal(run->measured.arena_bytes, run->predicted.arena_bytes);
        assert_int_equal(run->measured.traffic_bytes,
                         run->predicted.traffic_bytes);
        assert_int_equal(run->measured.macs, run->predicted.macs);
    }
    return run;
}

/* Rounding known by hand: half to even, saturation, NaN, zero points, axes. */
static void test_rounding(void **state)
{
    static const struct {
        const char *entry;
        float wanted[8];
    } cases[] = {
        {"dtype: int8, scales: [1]", {0, 2, 2, -0.0f, 127, -128, 0, 3}},
        {"dtype: int4, scales: [0.5]",
         {0.5f, 1.5f, 2.5f, -0.5f, 3.5f, -4, 0, 3.5f}},
        {"dtype: uint8, scales: [1], zero_points: [1]",
         {0, 2, 2, 0, 254, -1, 0, 3}},
        {"dtype: int2, axis: 0, scales: [1, 100]",
         {0, 1, 1, -0.0f, 100, -200, 0, 0}},
        {"dtype: float16",
         {0.5f, 1.5f, 2.5f, -0.5f, 1000, -1000, NAN, 3.30078125f}},
        {"dtype: float8e4m3fn, scales: [2]",
         {0.5f, 1.5f, 2.5f, -0.5f, 896, -896, NAN, 3.25f}},
    };
    static const float values[8] = {0.5f, 1.5f,  2.5f, -0.5f,
                                    1000, -1000, NAN,  3.3f};
    lp_model *model =
        model_of("opset 18; input x: float32[2, 4]; y = Identity(x); z = "
                 "Identity(y); output z");

    (void)state;
    for (int32_t i = 0; i < 2 * LPI_COUNT(cases); i++) {
        lp_array *x = lpi_array_new(LP_FLOAT32, model->inputs[0]->shape);
        char widths[200];
        lp_schedule *schedule;
        const float *got;
        lp_run *run;

        memcpy(x->bytes, values, sizeof(values));
        snprintf(widths, sizeof(widths), "precision:\n  - {tensor: %s, %s}\n",
                 i & 1 ? "x" : "y", cases[i / 2].entry);
        schedule = read_with(model, widths, "");
        run = run_with(model, schedule, x);
        assert_int_equal(run->results, LP_RESULTS_QUANTIZED);
        got = run->outputs[0]->bytes;
        for (int32_t k = 0; k < 8; k++)
            if (got[k] != cases[i / 2].wanted[k] &&
                !(isnan(got[k]) && isnan(cases[i / 2].wanted[k])))
                fail_msg("%s: %g is %g", cases[i / 2].entry, (double)values[k],
                         (double)got[k]);
        lp_run_free(run);
        lp_array_free(x);
        lp_schedule_free(schedule);
    }
    lp_model_free(model);
}

/* Weights that are drawn are rounded too, whole and in slices; the distance is
 * that of the results. */
static void test_weights(void **state)
{
    static const char *const entries[] = {
        "precision:\n  - {tensor: w, dtype: int8, scales: [0.01]}\n",
        "precision:\n  - {tensor: w, dtype: int4, axis: 0, "
        "scales: [0.1, 0.05, 0.03, 0.02, 0.01]}\n",
        "precision:\n  - {tensor: w, dtype: int4, axis: 1, "
        "scales: [0.1, 0.05, 0.03, 0.02, 0.01, 0.2, 0.3]}\n",
    };
    static const float scales[][7] = {
        {0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f},
        {0.1f, 0.05f, 0.03f, 0.02f, 0.01f},
        {0.1f, 0.05f, 0.03f, 0.02f, 0.01f, 0.2f, 0.3f}};
    lp_model *model = model_of("opset 18; input x: float32[5, 5]; weight w: "
                               "float32[5, 7]; y = MatMul(x, w); output y");
    lp_array *x = lpi_array_new(LP_FLOAT32, model->inputs[0]->shape);

    (void)state;
    for (int32_t i = 0; i < 5; i++)
        ((float *)x->bytes)[6 * i] = 1;
    for (int32_t i = 0; i < 3; i++) {
        lp_schedule *whole = read_with(model, entries[i], "");
        lp_run *plain = run_with(model, NULL, x);
        lp_run *run = run_with(model, whole, x);
        const float *was = plain->outputs[0]->bytes;
        const float *is = run->outputs[0]->bytes;
        double largest = 0;

        for (int32_t k = 0; k < 35; k++) {
            float scale = scales[i][i == 1 ? k / 7 : k % 7];
            float q = nearbyintf(was[k] / scale);
            float most = i ? 7 : 127, least = -most - 1;

            q = q < least ? least : q > most ? most : q;
            assert_true(is[k] == q * scale);
            if (fabs((double)is[k] - (double)was[k]) > largest)
                largest = fabs((double)is[k] - (double)was[k]);
        }
        assert_int_equal(run->results, LP_RESULTS_QUANTIZED);
        assert_true(run->distance.largest == largest);
        assert_true(run->distance.snr_db > 0 && run->distance.cosine <= 1);
        lp_run_free(plain);
        lp_run_free(run);
        lp_schedule_free(whole);
    }
    lp_array_free(x);
    lp_model_free(model);
}

/* ---- the map of the planned memory ------------------------------------- */

/* Run "model" by "program", and compare with a run without one. */
static bool runs_equal(const lp_model *model, const lpi_program *program)
{
    const lp_run_options options = {.threads = 1, .fill_weights = true};
    const lp_array *inputs[1];
    lp_array *x = lpi_array_new(LP_FLOAT32, model->inputs[0]->shape);
    lp_array *got[1] = {NULL}, *wanted[1] = {NULL};
    lp_error error = {0};
    lpi_exec exec;
    bool same;

    for (int32_t i = 0; i < 64; i++)
        ((float *)x->bytes)[i] = (float)i + 1;
    inputs[0] = x;
    lpi_exec_open(model, &options, &exec, &error);
    assert_int_equal(lpi_exec_start(&exec), LP_OK);
    if (lpi_exec_run(&exec, program, inputs, got) != LP_OK ||
        lpi_exec_run(&exec, NULL, inputs, wanted) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    lpi_exec_end(&exec);
    same = !memcmp(got[0]->bytes, wanted[0]->bytes, 64 * sizeof(float));
    lp_array_free(x);
    lp_array_free(got[0]);
    lp_array_free(wanted[0]);
    return same;
}

/* A plan in which planned bytes of a tensor that waits are overwritten shows,
 * though nothing overwrites what is computed. */
static void test_collisions(void **state)
{
    lp_model *model = model_of("opset 18; input x: float32[64]; a = Exp(x); b "
                               "= Neg(x); c = Relu(b); d = Add(c, a); output "
                               "d");
    lp_schedule_options options = {.assume = LP_INT8, .no_in_place = true};
    lp_schedule *schedule;
    int32_t collided = 0;

    (void)state;
    assert_int_equal(lp_schedule_new(model, &options, &schedule, NULL), LP_OK);
    for (int64_t i = 0; i < 5; i++)
        for (int64_t j = 0; j < 5; j++) {
            lpi_arena *arena = lpi_arena_new(1 << 28);
            lpi_program p;
            bool collides;

            assert_int_equal(lpi_program_lower(arena, schedule, &p, NULL, NULL),
                             LP_OK);
            assert_int_equal(p.residencies_count, 5);
            for (int64_t k = 0; k < 5; k++)
                p.residencies[k].offset = 1024 * k;
            p.residencies[i].offset = p.residencies[j].offset + 63;
            assert_int_equal(lpi_predict_placed(&p, NULL), LP_OK);
            collides =
                i == j ? false
                       : p.residencies[i].first <= p.residencies[j].last &&
                             p.residencies[j].first <= p.residencies[i].last;
            assert_int_equal(runs_equal(model, &p), !collides);
            collided += collides;
            lpi_arena_free(arena);
        }
    assert_true(collided > 8);
    lp_schedule_free(schedule);
    lp_model_free(model);
}

/* ---- memory that fails ------------------------------------------------- */

static void test_no_memory(void **state)
{
    static const char *const widths =
        "precision:\n  - {tensor: a, assume: int4}\n"
        "  - {tensor: w, dtype: int8, scales: [0.01], zero_points: [1]}\n"
        "  - {tensor: b, dtype: float16}\n";
    lp_model *model = model_of(plain_model);
    const lp_schedule_options options = {.assume = LP_INT8};
    lp_schedule *schedule;
    lp_status status = LP_ENOMEM;
    int64_t n;

    (void)state;
    for (n = 1; status != LP_OK; n++) {
        lpi_alloc_fail_at(n);
        status = lp_schedule_new(model, &options, &schedule, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
    }
    lp_schedule_free(schedule);
    schedule = read_with(model, widths, "");
    for (n = 1, status = LP_ENOMEM; status != LP_OK; n++) {
        const lp_run_options run_options = {
            .schedule = schedule, .fill_weights = true, .threads = 1};
        lp_run *run;

        lpi_alloc_fail_at(n);
        status = lp_model_run(model, &run_options, &run, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
        if (status == LP_OK)
            lp_run_free(run);
    }
    assert_true(n > 10);
    lp_schedule_free(schedule);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_device),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_form),
        cmocka_unit_test(test_rounding),   cmocka_unit_test(test_weights),
        cmocka_unit_test(test_collisions), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
