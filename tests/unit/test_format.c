/* test_format.c: reports as TSV, JSON and Netron attachments, and views of
 * them, from a report made by hand. */
#include <jansson.h>

#include "handmade.h"

static void expect_report(lp_view view, const char *expected)
{
    char *text = write_report(&report, view);

    assert_string_equal(text, expected);
    lp_text_free(text);
}

/* ---- numbers ----------------------------------------------------------- */

static void expect_put(void (*put)(lpi_text *, int64_t), int64_t value,
                       const char *expected)
{
    lpi_text text = {0};

    put(&text, value);
    assert_string_equal(text.bytes, expected);
    lpi_text_drop(&text);
}

static void test_integers(void **state)
{
    (void)state;
    expect_put(lpi_put_int, 0, "0");
    expect_put(lpi_put_int, -12, "-12");
    expect_put(lpi_put_int, INT64_MIN, "-9223372036854775808");
    expect_put(lpi_put_thousands, 999, "999");
    expect_put(lpi_put_thousands, 859520964, "859,520,964");
    expect_put(lpi_put_thousands, -1000, "-1,000");
    expect_put(lpi_put_count, 0, "0");
    expect_put(lpi_put_count, 999, "999");
    expect_put(lpi_put_count, 1000, "1.00 k");
    expect_put(lpi_put_count, 9996, "10.0 k");
    expect_put(lpi_put_count, 999949, "999.9 k");
    expect_put(lpi_put_count, 999960, "1.00 M");
    expect_put(lpi_put_count, INT64_C(401636720640), "401.6 G");
    expect_put(lpi_put_count, -1500, "-1.50 k");
    expect_put(lpi_put_count, INT64_MAX, "9.22 E");
    expect_put(lpi_put_bytes, 1023, "1023 B");
    expect_put(lpi_put_bytes, 1024, "1.00 KiB");
    expect_put(lpi_put_bytes, INT64_C(3438083856), "3.20 GiB");
    expect_put(lpi_put_bytes, 1024000, "0.98 MiB");
    expect_put(lpi_put_bytes, (1 << 20) - 1, "1.00 MiB");
}

static void test_reals(void **state)
{
    static const struct {
        double value;
        const char *expected;
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {0.75, "0.75"},
        {1.0 / 3, "0.333333"},
        {123456.7, "123457"},
        {99999.96, "100000"},
        {-2.5, "-2.5"},
        {1e-9, "0.000000001"},
        {12.345678, "12.3457"},
        {6e15, "6000000000000000"},
    };
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(cases); i++) {
        lpi_text text = {0};

        lpi_put_real(&text, cases[i].value);
        assert_string_equal(text.bytes, cases[i].expected);
        lpi_text_drop(&text);
    }
}

/* ---- TSV --------------------------------------------------------------- */

#define HEAD                                                                   \
    "index\tname\top\tmodule\tout_shape\tdtype\tparams\tweight_bytes\tmacs\t"  \
    "macs_conv\tmacs_linear\tmacs_attention\tflops\tread_bytes\t"              \
    "write_bytes\tlive_bytes\tintensity\tstatus\n"
#define CONV                                                                   \
    "0\t/down/conv\tConv\t/down\t1x4x8x8\tfloat32\t108\t432\t6912\t6912\t0\t"  \
    "0\t13824\t1200\t1024\t1792\t6.21583\texact\n"
#define MYSTERY                                                                \
    "1\tweird\\ttab\\n\"q\" \\xff\xc3\xa4\\\\\tMystery\t\t?\t?\t0\t0\t0\t0\t"  \
    "0\t0\t0\t0\t0\t1024\t0\tunknown\n"
#define SHAPE                                                                  \
    "-1\t/up/shape\tShape\t/up\t?\t?\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t"       \
    "folded\n"
#define MATMUL                                                                 \
    "2\t/mid/a/mm\tMatMul\t/mid/a\t?x3\tfloat16\t200\t400\t"                   \
    "9000000000000000\t0\t9000000000000000\t0\t18000000000000000\t3\t0\t"      \
    "4096\t6000000000000000\testimated\n"
#define ADD                                                                    \
    "3\t/up/add\tAdd\t/up\tscalar\tint64\t0\t0\t5\t0\t0\t5\t11\t0\t0\t16\t0"   \
    "\texact\n"

static void test_tsv(void **state)
{
    (void)state;
    expect_report((lp_view){.format = LP_FORMAT_TSV},
                  HEAD CONV MYSTERY MATMUL ADD);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .all = true},
                  HEAD CONV MYSTERY SHAPE MATMUL ADD);
    expect_report(
        (lp_view){.format = LP_FORMAT_TSV, .table = LP_TABLE_CONVENTIONS},
        "name\tunit\tvalue\tcounts\n"
        "macs\tMAC\t7\tmultiply-accumulates\n"
        "flops\tFLOP\t15\ttwo a MAC, and one for every other "
        "operation\n");
    expect_report((lp_view){.format = LP_FORMAT_TSV, .table = LP_TABLE_PEAK},
                  "tensor\tproducer\tconsumer\tshape\tdtype\tbytes\tfrom\tto\t"
                  "distance\tbyte_layers\n"
                  "conv_out\t/down/conv\t/up/add\t1x4x8x8\tfloat32\t1024\t0\t"
                  "3\t3\t3072\n"
                  "in\t\t\tscalar\tfloat32\t4\t0\t2\t2\t8\n");
}

static void test_view(void **state)
{
    (void)state;
    expect_report((lp_view){.format = LP_FORMAT_TSV, .sort = "macs"},
                  HEAD MATMUL CONV ADD MYSTERY);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .sort = "op"},
                  HEAD ADD CONV MATMUL MYSTERY);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .sort = "out_shape"},
                  HEAD CONV ADD MYSTERY MATMUL);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .filter = "/up"},
                  HEAD ADD);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .filter = "M"},
                  HEAD MYSTERY MATMUL);
    expect_report((lp_view){.format = LP_FORMAT_TSV, .filter = "exact"}, HEAD);
    expect_report(
        (lp_view){
            .format = LP_FORMAT_TSV, .filter = "M", .sort = "macs", .top = 1},
        HEAD MATMUL);
}

static void test_bad_view(void **state)
{
    lp_view view = {.sort = "speed"};
    lp_error error;
    char *text = NULL;

    (void)state;
    assert_int_equal(lp_report_write(&report, &view, &text, NULL, &error),
                     LP_EINPUT);
    assert_true(has(error.message, "'speed'"));
    assert_true(has(error.message, " live_bytes intensity status"));
    view = (lp_view){.format = (lp_format)9};
    assert_int_equal(lp_report_write(&report, &view, &text, NULL, &error),
                     LP_EINVALID);
    assert_null(text);
}

#define MODULE_HEAD                                                            \
    "path\tdepth\tlayers\tparams\tweight_bytes\tmacs\tmacs_conv\t"             \
    "macs_linear\tmacs_attention\tflops\tread_bytes\twrite_bytes\t"            \
    "live_peak_bytes\n"
#define BIG "9000000000000000"

/* The rows of each depth sum to the whole. */
static void test_modules(void **state)
{
    (void)state;
    expect_report((lp_view){.format = LP_FORMAT_TSV, .table = LP_TABLE_MODULES},
                  MODULE_HEAD
                  "/down\t1\t1\t108\t0\t6912\t0\t6912\t0\t13824\t0\t0\t1792\n"
                  "/mid\t1\t1\t200\t0\t" BIG "\t0\t" BIG
                  "\t0\t18000000000000000\t0\t0\t"
                  "4096\n"
                  "/up\t1\t1\t0\t0\t5\t0\t5\t0\t10\t0\t0\t16\n"
                  "(other layers)\t0\t1\t0\t0\t0\t0\t0\t0\t0\t0\t0\t1024\n");
    expect_report((lp_view){.format = LP_FORMAT_TSV,
                            .table = LP_TABLE_MODULES,
                            .depth = 2,
                            .filter = "mid"},
                  MODULE_HEAD "/mid/a\t2\t1\t200\t0\t" BIG "\t0\t" BIG
                              "\t0\t18000000000000000\t0\t0\t4096\n");
}

/* ---- JSON -------------------------------------------------------------- */

/* "text" as JSON, which it is freed for; freed with json_decref. */
static json_t *parse(char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    lp_text_free(text);
    return root;
}

static json_t *parse_report(const lp_report *of, lp_table table)
{
    return parse(
        write_report(of, (lp_view){.format = LP_FORMAT_JSON, .table = table}));
}

static int64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static const char *string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static size_t size(const json_t *object, const char *key)
{
    return json_array_size(json_object_get(object, key));
}

static void test_json(void **state)
{
    json_t *root = parse_report(&report, LP_TABLE_ALL);
    json_t *totals = json_object_get(root, "totals");
    json_t *skips = json_object_get(root, "skips");

    (void)state;
    assert_string_equal(string(root, "model"), "net.onnx");
    assert_int_equal(number(totals, "macs"), INT64_C(9000000000006917));
    assert_int_equal(number(totals, "layers"), 4);
    assert_string_equal(string(totals, "peak_layer"), "/mid/a/mm");
    assert_true(json_real_value(json_object_get(totals, "coverage")) == 0.75);
    assert_int_equal(size(root, "layers"), 4);
    assert_int_equal(size(root, "modules"), 4);
    assert_int_equal(size(root, "weights_as"), 2);
    assert_int_equal(number(json_array_get(skips, 0), "byte_layers"), 3072);
    json_decref(root);
}

static void test_json_layers(void **state)
{
    json_t *root = parse_report(&report, LP_TABLE_LAYERS);
    json_t *layers = json_object_get(root, "layers");
    json_t *layer = json_array_get(layers, 0), *shape;

    (void)state;
    assert_int_equal(json_object_size(root), 2);
    shape = json_object_get(layer, "out_shape");
    assert_int_equal(json_array_size(shape), 4);
    assert_int_equal(json_integer_value(json_array_get(shape, 3)), 8);
    assert_null(json_object_get(layer, "note"));
    assert_null(json_object_get(layer, "domain"));
    layer = json_array_get(layers, 1);
    assert_string_equal(string(layer, "name"),
                        "weird\ttab\n\"q\" \\xff\xc3\xa4\\");
    assert_string_equal(string(layer, "domain"), "com.example");
    assert_string_equal(string(layer, "note"), "operator not known");
    assert_true(json_is_null(json_object_get(layer, "out_shape")));
    assert_true(json_is_null(json_object_get(layer, "dtype")));
    layer = json_array_get(layers, 2);
    shape = json_object_get(
        json_array_get(json_object_get(layer, "outputs"), 0), "shape");
    assert_true(json_is_null(json_array_get(shape, 0)));
    assert_int_equal(json_integer_value(json_array_get(shape, 1)), 3);
    json_decref(root);
    root = parse_report(&empty, LP_TABLE_ALL);
    assert_int_equal(size(root, "layers"), 0);
    json_decref(root);
}

/* Layers are found by node name up to its first line, the model by "". */
static void test_netron(void **state)
{
    json_t *root =
        parse(write_report(&report, (lp_view){.format = LP_FORMAT_NETRON}));
    json_t *metrics = json_object_get(root, "metrics"), *item;
    size_t i, weird = 0, values = 0, models = 0;

    (void)state;
    assert_string_equal(string(root, "signature"), "netron:attachment");
    json_array_foreach(metrics, i, item)
    {
        assert_int_equal(json_object_size(item), 5);
        number(item, "value");
        assert_string_equal(string(item, "type"), "attribute");
        weird += !strcmp(string(item, "target"), "weird\ttab");
        values += !strcmp(string(item, "kind"), "value");
        models += !strcmp(string(item, "target"), "");
    }
    assert_int_equal(weird, 1);
    assert_int_equal(values, 7);
    assert_int_equal(models, 9);
    json_decref(root);
}

static void test_compare(void **state)
{
    const lp_report *const both[] = {&empty, &report};
    lp_view view = {.format = LP_FORMAT_TSV, .sort = "macs"};
    lp_error error;
    json_t *root;
    char *text;

    (void)state;
    assert_int_equal(lp_compare_write(both, 2, &view, &text, NULL, NULL),
                     LP_OK);
    assert_string_equal(text,
                        "model\tlayers\tparams\tweight_bytes\tmacs\t"
                        "macs_conv\tmacs_linear\tmacs_attention\tflops\t"
                        "live_peak_bytes\tpeak_layer\tcoverage\n"
                        "net.onnx\t4\t308\t832\t9000000000006917\t6912\t" BIG
                        "\t5\t18000000000013835\t4096\t/mid/a/mm\t0.75\n"
                        "empty\t0\t0\t0\t0\t0\t0\t0\t0\t0\t\t1\n");
    lp_text_free(text);
    view = (lp_view){.format = LP_FORMAT_JSON};
    assert_int_equal(lp_compare_write(both, 2, &view, &text, NULL, NULL),
                     LP_OK);
    root = parse(text);
    assert_int_equal(json_array_size(root), 2);
    json_decref(root);
    view.format = LP_FORMAT_NETRON;
    assert_int_equal(lp_compare_write(both, 2, &view, &text, NULL, &error),
                     LP_EINPUT);
}

static char *write_diff(const lp_report *before, const lp_report *after,
                        lp_format format)
{
    lp_view view = {.format = format};
    char *text = NULL;

    assert_int_equal(lp_diff_write(before, after, &view, &text, NULL, NULL),
                     LP_OK);
    return text;
}

static void test_diff(void **state)
{
    lp_report after = report;
    json_t *root, *list;
    char *text;

    (void)state;
    after.modules = modules + 1;
    after.modules_count--;
    after.total.params = 200;
    text = write_diff(&report, &after, LP_FORMAT_TSV);
    assert_true(has(text, "\n/down\t108\t0\t-108\t-100\t6912\t0\t-6912\t-100"));
    assert_true(has(text, "\n/up\t0\t0\t0\t-\t5\t5\t0\t0\t"));
    assert_true(has(text, "\ntotal\t308\t200\t-108\t-35.0649\t"));
    lp_text_free(text);
    root = parse(write_diff(&after, &report, LP_FORMAT_JSON));
    assert_true(json_is_false(json_object_get(root, "identical")));
    list = json_object_get(root, "modules");
    assert_int_equal(json_array_size(list), 4);
    assert_string_equal(string(json_array_get(list, 3), "module"), "/down");
    assert_true(json_is_null(
        json_object_get(json_array_get(list, 1), "params_percent")));
    assert_int_equal(number(json_object_get(root, "total"), "params_change"),
                     108);
    json_decref(root);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers), cmocka_unit_test(test_reals),
        cmocka_unit_test(test_tsv),      cmocka_unit_test(test_view),
        cmocka_unit_test(test_bad_view), cmocka_unit_test(test_modules),
        cmocka_unit_test(test_json),     cmocka_unit_test(test_json_layers),
        cmocka_unit_test(test_netron),   cmocka_unit_test(test_compare),
        cmocka_unit_test(test_diff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
