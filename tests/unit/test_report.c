/* test_report.c: modules, skips, totals, conventions and limits of reports. */
#include "counted.h"

/* ---- modules, skips, totals -------------------------------------------- */

static void modules_of_every_depth(void **unused)
{
    counted got = count("opset 17; input x: float32[4];"
                        "a = Relu(x) module \"/m/n\"; b = Neg(a) module \"/m\";"
                        "c = Neg(b) module \"/k\"; d = Neg(c);"
                        "y = Neg(d) module \"/m/n/o\"; output y");
    static const char *const paths[] = {"/m", "/m/n", "/k", "/m/n/o"};
    static const int32_t depths[] = {1, 2, 1, 3}, layers[] = {3, 2, 1, 1};
    int32_t i;

    (void)unused;
    assert_int_equal(got.report->modules_count, LPI_COUNT(paths));
    for (i = 0; i < LPI_COUNT(paths); i++) {
        const lp_module_row *module = &got.report->modules[i];

        assert_string_equal(module->path, paths[i]);
        assert_int_equal(module->depth, depths[i]);
        assert_int_equal(module->layers, layers[i]);
        assert_int_equal(module->cost.write_bytes, 16 * layers[i]);
        assert_int_equal(module->live_peak_bytes, 32);
    }
    drop(got);
}

static void skips_of_a_small_u(void **unused)
{
    counted got = count("opset 17; input x: float32[8]; a = Relu(x);"
                        "b = Relu(a); c = Neg(b); d = Neg(c); e = Add(b, d);"
                        "f = Neg(e); g = Neg(f); h = Add(a, g);"
                        "y = Relu(h); output y");
    const lp_held *skip = got.report->skips;

    (void)unused;
    assert_int_equal(got.report->skips_count, 1);
    assert_string_equal(skip->tensor, "a");
    assert_string_equal(skip->producer, "a");
    assert_string_equal(skip->consumer, "h");
    assert_int_equal(skip->bytes, 32);
    assert_int_equal(skip->from, 1);
    assert_int_equal(skip->to, 7);
    drop(got);
}

static void totals_by_name(void **unused)
{
    counted got = count("opset 17; input x: float32[1, 3, 8, 8];"
                        "weight w: float32[4, 3, 3, 3];"
                        "c = Conv(x, w) {pads: [1, 1, 1, 1]}; y = Relu(c);"
                        "output y");
    static const struct {
        const char *key;
        int64_t value;
    } expected[] = {{"params", 108},
                    {"quant_params", 0},
                    {"weight_bytes", 432},
                    {"macs", 6912},
                    {"macs_conv", 6912},
                    {"macs_linear", 0},
                    {"macs_attention", 0},
                    {"flops", 2 * 6912 + 256},
                    {"read_bytes", 768 + 432 + 1024},
                    {"write_bytes", 2048},
                    {"live_peak_bytes", 2048},
                    {"layers", 2},
                    {"coverage_percent", 100}};
    int64_t value;
    int32_t i;

    (void)unused;
    for (i = 0; i < LPI_COUNT(expected); i++) {
        assert_true(lp_report_total(got.report, expected[i].key, &value));
        assert_int_equal(value, expected[i].value);
    }
    assert_false(lp_report_total(got.report, "speed", &value));
    assert_int_equal(got.report->peak_index, 1);
    assert_string_equal(got.report->peak_layer, "y");
    drop(got);
}

static void conventions_differ_as_they_should(void **unused)
{
    counted got = count("opset 20; input x: float32[4, 16];"
                        "weight w: float32[16, 16]; weight k: float32[16];"
                        "q = MatMul(x, w); t = Transpose(q); s = MatMul(q, t);"
                        "p = Softmax(s); e = Erf(q); f = PRelu(e, k);"
                        "h = Sqrt(f); z = Pow(h, k); g = Sigmoid(z);"
                        "output p; output g");

    (void)unused;
    assert_int_equal(convention(got, "macs"), 1024 + 256);
    assert_int_equal(convention(got, "macs-no-attention"), 1024);
    assert_int_equal(convention(got, "flops-no-attention"), 2048);
    assert_int_equal(convention(got, "flops-products"), 2560);
    assert_int_equal(convention(got, "flops"),
                     lp_cost_flops(&got.report->total));
    assert_int_equal(convention(got, "onnx-tool"),
                     1280 + 16 * 36 + 64 * (0 + 2 + 24 + 32 + 32));
    assert_int_equal(convention(got, "llm-viewer"),
                     2560 + 16 * 5 + 64 * (2 + 2));
    drop(got);
}

/* ---- limits
 * -------------------------------------------------------------------------- */

static void nothing_to_run(void **unused)
{
    counted got = count("opset 17; input x: float32[4]; output x");

    (void)unused;
    assert_int_equal(got.report->layers, 0);
    assert_int_equal(got.report->live_peak_bytes, 0);
    assert_int_equal(got.report->peak_index, -1);
    assert_string_equal(got.report->peak_layer, "");
    assert_true(got.report->coverage == 1);
    drop(got);
}

/* Products of 2^60 MACs: three fit, of four the operations do not, of eight
 * the MACs do not. */
static void sums_that_do_not_fit(void **unused)
{
    static const int32_t counts[] = {3, 4, 8};
    int32_t i, j;

    (void)unused;
    for (i = 0; i < LPI_COUNT(counts); i++) {
        lp_report *report = NULL;
        lp_error error = {0};
        char text[1024];
        lp_model *model;
        size_t length = (size_t)snprintf(text, sizeof(text),
                                         "opset 17; input a: float32[1048576, "
                                         "1048576]; weight w: float32[1048576, "
                                         "1048576] @ \"f\" 0 4398046511104");

        for (j = 0; j < counts[i]; j++)
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "; %c = MatMul(%c, w)", 'b' + j,
                                       'a' + j);
        snprintf(text + length, sizeof(text) - length, "; output %c", 'a' + j);
        model = read_model(text);
        assert_int_equal(lp_report_new(model, NULL, &report, &error),
                         i ? LP_EINPUT : LP_OK);
        assert_true(!i || strstr(error.message, "64 bits"));
        lp_report_free(report);
        lp_model_free(model);
    }
}

static void refuses_widths_that_are_none(void **unused)
{
    lp_report_options options = {.weights_as = LP_STRING};
    lp_model *model = read_model("input x: float32[4]; y = Relu(x); output y");
    lp_report *report = NULL;

    (void)unused;
    assert_int_equal(lp_report_new(model, &options, &report, NULL),
                     LP_EINVALID);
    assert_null(report);
    lp_model_free(model);
}

/* A model as written keeps free dimensions, can be dumped, not counted. */
static void models_as_written(void **unused)
{
    static const char text[] = "input x: float32[n]; y = Relu(x); output y";
    lp_load_options options = {.as_written = true};
    lp_model *model = NULL;
    lp_report *report = NULL;
    lp_error error = {0};
    char *dump = NULL;

    (void)unused;
    assert_int_equal(
        lp_model_read(text, strlen(text), "t", &options, &model, &error),
        LP_OK);
    assert_int_equal(lp_model_dump(model, &dump, NULL, &error), LP_OK);
    assert_non_null(strstr(dump, "float32[n]"));
    assert_int_equal(lp_report_new(model, NULL, &report, &error), LP_EINVALID);
    assert_null(report);
    lp_text_free(dump);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_of_every_depth),
        cmocka_unit_test(skips_of_a_small_u),
        cmocka_unit_test(totals_by_name),
        cmocka_unit_test(conventions_differ_as_they_should),
        cmocka_unit_test(nothing_to_run),
        cmocka_unit_test(sums_that_do_not_fit),
        cmocka_unit_test(refuses_widths_that_are_none),
        cmocka_unit_test(models_as_written),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
