/* test_device.c: devices as files: what is read, what is refused, rates. */
#include "devices.h"

/* ---- files --------------------------------------------------------------- */

static void test_read(void **state)
{
    lp_device *device = read_device(good), *again;
    size_t length, same;
    char *text, *twice;

    (void)state;
    assert_string_equal(device->name, "box");
    assert_string_equal(device->source, "made up");
    assert_int_equal(device->memories_count, 2);
    assert_int_equal(device->memories[0].capacity_bytes, 4096);
    assert_int_equal(device->memories[0].read_bytes_per_s, 0);
    assert_int_equal(device->memories[1].capacity_bytes, 0);
    assert_int_equal(device->memories[1].write_bytes_per_s, 500000000);
    assert_int_equal(device->weights_memory, 1);
    assert_int_equal(device->rates_count, 2);
    assert_int_equal(device->ops_per_s, 2000000000);
    assert_int_equal(device->dma_setup_ns, 10);
    assert_int_equal(lp_device_write(device, &text, &length, NULL), LP_OK);
    again = read_device(text);
    assert_int_equal(lp_device_write(again, &twice, &same, NULL), LP_OK);
    assert_string_equal(text, twice);
    lp_text_free(text);
    lp_text_free(twice);
    lp_device_free(device);
    lp_device_free(again);
    lp_device_free(NULL);
}

/* Edits of the good text, and what is said of them where. */
static const struct {
    const char *old, *fresh, *where, *why;
} refused[] = {
    {"lplan-device: 1", "lplan-device: 2", ":1", "format 2"},
    {"lplan-device: 1\n", "", ":1", "'lplan-device' is missing"},
    {"name: box", "name: ''", ":1", "name: a text"},
    {"name: box", "nmae: box", ":2", "unknown key 'nmae'"},
    {"name: box", "name: [box]", ":2", "no text"},
    {"source: made up\n", "", ":1", "'source' is missing"},
    {"source: made up", "source: ''", ":1", "source: a text"},
    {"4Ki", "0", ":5", "'0' is no count"},
    {"4Ki", "-4", ":5", "'-4' is no count"},
    {"4Ki", "nan", ":5", "'nan' is no count"},
    {"4Ki", "1e9", ":5", "'1e9' is no count"},
    {"4Ki", "4 Ki", ":5", "no count"},
    {"4Ki", "9999999999999999999", ":5", "no count"},
    {"4Ki", "1000001T", ":5", "no count"},
    {"4Ki", "[1]", ":5", "no count"},
    {"capacity_bytes: 4Ki, ", "", ":5", "no capacity_bytes"},
    {"capacity_bytes: 4Ki", "capacity_bytes: 8", ":5", "alignment"},
    {"alignment: 16", "alignment: 12", ":5", "power of two"},
    {"alignment: 16", "alignment: 4Gi", ":5", "power of two"},
    {"alignment: 16, ", "", ":5", "'alignment' is missing"},
    {", source: a", "", ":5", "'source' is missing"},
    {"source: b", "source: ''", ":6", "source: a text"},
    {"read_bytes_per_s: 1G, ", "", ":6", "no read_bytes_per_s"},
    {"read_bytes_per_s: 1G", "read_bytes_per_s: 0", ":6", "no count"},
    {"name: far", "name: near", ":6", "stands there twice"},
    {"name: far", "name: near, name: far", ":6", "stands there twice"},
    {"weights: far", "weights: away", ":7", "no memory 'away'"},
    {"weights: far\n", "", ":1", "'weights' is missing"},
    {"float32", "float33", ":12", "no dtype"},
    {"float32", "string", ":12", "cannot be computed"},
    {"int8", "float32", ":13", "stands there twice"},
    {"macs_per_s: 4G", "macs_per_s: 0", ":13", "no count"},
    {", source: e", "", ":13", "'source' is missing"},
    {"  source: c\n", "", ":9", "ops_per_s has no source"},
    {"ops_per_s: 2G", "ops_per_s: 0", ":9", "no count"},
    {"setup_ns: 10", "setup_ns: -1", ":14", "setup_ns -1"},
    {"setup_ns: 10", "setup_ns: 10000000000", ":14", "setup_ns"},
    {"setup_ns: 10", "setup_ns: 1.5", ":14", "no whole number"},
    {", source: f", "", ":14", "'source' is missing"},
    {"dma: {setup_ns: 10, source: f}", "dma: *x", ":14", "alias"},
    {"dma: {setup_ns: 10, source: f}", "dma: &x {}", ":14", "anchors"},
    {"dma: {setup_ns: 10, source: f}\n", "dma: {\n", ":15", ""},
};

static void test_refusals(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char *text = edited(refused[i].old, refused[i].fresh);
        lp_device *device = NULL;
        lp_error error = {0};
        lp_status status =
            lp_device_read(text, strlen(text), "box.yaml", &device, &error);

        if (status != LP_EINPUT || device ||
            !strstr(error.where, refused[i].where) ||
            !strstr(error.message, refused[i].why))
            fail_msg("%s: %d %s: %s", refused[i].fresh, (int)status,
                     error.where, error.message);
        lpi_free(text);
    }
}

static void test_no_list(void **state)
{
    static const char *const lists[][2] = {
        {"memories: []", "from 1 to 64"},
        {"memories: near", "no list"},
        {"memories: {a: b}", "no list"},
    };
    const char *end = strstr(good, "weights:");
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        lp_device *device = NULL;
        lp_error error = {0};
        lpi_text text = {0};

        lpi_text_append(&text, good, (size_t)(strstr(good, "memories") - good));
        lpi_text_printf(&text, "%s\n%s", lists[i][0], end);
        assert_int_equal(lp_device_read(text.bytes, text.length, "box.yaml",
                                        &device, &error),
                         LP_EINPUT);
        assert_non_null(strstr(error.message, lists[i][1]));
        lpi_text_drop(&text);
    }
}

static void test_no_memory(void **state)
{
    lp_status status = LP_ENOMEM;
    int64_t n;

    (void)state;
    for (n = 1; status != LP_OK && n < 1000; n++) {
        lp_device *device = NULL;
        lp_error error = {0};

        lpi_alloc_fail_at(n);
        status =
            lp_device_read(good, strlen(good), "box.yaml", &device, &error);
        lpi_alloc_fail_at(0);
        if (status != LP_OK)
            assert_int_equal(status, LP_ENOMEM);
        lp_device_free(device);
    }
    assert_int_equal(status, LP_OK);
}

/* ---- rates --------------------------------------------------------------- */

static void test_rates(void **state)
{
    lp_device *device = read_device(good);

    (void)state;
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT32), 1000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_INT8), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_INT4), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_UINT8), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT16), 1000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT64), 500000000);
    assert_int_equal(lp_device_copy_ns(device, 1, 0, 1000), 1010);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, 1000), 2010);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, 0), 10);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, INT64_MAX), INT64_MAX);
    lp_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_list), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_rates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
