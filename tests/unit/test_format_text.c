/* test_format_text.c: reports, comparisons, diffs and charts for people, from
 * a report made by hand. */
#include "handmade.h"

/* No line of "text" is wider than "width", ends in a blank, or holds a control
 * character. */
static void check_lines(const char *text, int64_t width)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), i;

        for (i = 0; i < length; i++)
            assert_true((unsigned char)text[i] >= 0x20);
        assert_true(!length || text[length - 1] != ' ');
        if (lpi_text_columns(text, (int64_t)length) > width)
            fail_msg("wider than %d: %.*s", (int)width, (int)length, text);
        text += length + 1;
    }
}

static void test_text(void **state)
{
    static const int32_t widths[] = {80, 100, 115, 140, 500};
    char *text = write_report(&report, (lp_view){.chart = true});
    int32_t i;

    (void)state;
    assert_true(has(text, "net.onnx\n"));
    assert_true(has(text, "at least 9,000,000,000,006,917 (9.00 P): conv "));
    assert_true(has(text, "3 of 4 layers counted (75.0 %), 1 of them as upper "
                          "bounds; 1 more folded away"));
    assert_true(has(text, "832 B as stored, 616 B as float16, 308 B as int8"));
    assert_true(has(text, "operator not known"));
    assert_true(has(text, "≤ 9.00 P"));
    assert_true(has(text, "weird\\ttab\\n\"q\" \\xff\xc3\xa4\\\\"));
    assert_true(has(text, "(other layers)"));
    assert_false(has(text, "/up/shape"));
    assert_false(has(text, "\033"));
    lp_text_free(text);
    for (i = 0; i < LPI_COUNT(widths); i++) {
        text =
            write_report(&report, (lp_view){.width = widths[i], .chart = true});
        check_lines(text, widths[i]);
        lp_text_free(text);
    }
    text = write_report(&report, (lp_view){.colour = true});
    assert_true(has(text, "\033[1mnet.onnx\033[0m\n"));
    lp_text_free(text);
}

static void test_empty(void **state)
{
    char *text = write_report(&empty, (lp_view){.chart = true});

    (void)state;
    assert_true(has(text, "0 of 0 layers counted"));
    check_lines(text, 100);
    lp_text_free(text);
}

/* The whole report shows some layers, a table asked for all of them. */
static void test_limits(void **state)
{
    lp_row many[50];
    lp_report of = empty;
    char *text;
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(many); i++) {
        many[i] = rows[0];
        many[i].index = i;
    }
    of.rows = many;
    of.rows_count = of.layers = of.known = LPI_COUNT(many);
    text = write_report(&of, (lp_view){.table = LP_TABLE_ALL});
    assert_true(has(text, "20 of 50, by macs\n"));
    assert_false(has(text, "\n    20  /down/conv"));
    lp_text_free(text);
    text = write_report(&of, (lp_view){.sort = "params"});
    assert_true(has(text, "20 of 50, by params\n"));
    lp_text_free(text);
    text = write_report(&of, (lp_view){.top = 30});
    assert_true(has(text, "Layers  30 of 50\n"));
    lp_text_free(text);
    text = write_report(&of, (lp_view){.filter = "Conv"});
    assert_true(has(text, "Layers  50 with 'Conv'\n"));
    lp_text_free(text);
    text = write_report(&of, (lp_view){.table = LP_TABLE_LAYERS});
    assert_true(has(text, "Layers  50\n"));
    assert_false(has(text, "parameters"));
    lp_text_free(text);
}

/* A long name loses its middle, and code points are never cut apart. */
static void test_cut(void **state)
{
    lp_row row = rows[0];
    lp_report one = empty;
    char name[1201];
    char *text;
    int32_t i;

    (void)state;
    for (i = 0; i < 600; i++)
        memcpy(name + 2 * i, "\xc3\xa4", 3);
    memcpy(name, "/begin//", 8);
    row.name = name;
    one.rows = &row;
    one.rows_count = one.layers = one.known = 1;
    one.peak_layer = name;
    one.peak_index = 0;
    text = write_report(&one, (lp_view){.width = 100});
    assert_true(has(text, "/begin/"));
    assert_true(has(text, "…"));
    for (i = 0; text[i]; i += (int32_t)lpi_utf8_length(text + i, 4))
        assert_true(lpi_utf8_length(text + i, strlen(text + i)) > 0);
    check_lines(text, 100);
    lp_text_free(text);
}

/* ---- charts ------------------------------------------------------------ */

/* The chart of a U of "count" layers: parameters in the middle, MACs and live
 * bytes at both ends. */
static char *chart_of(int64_t count, int32_t width, const char *const *names)
{
    lp_row *u = calloc((size_t)count, sizeof(*u));
    lp_report of = empty;
    char *text;
    int64_t i;

    assert_non_null(u);
    for (i = 0; i < count; i++) {
        int64_t ends = llabs(2 * i - count);

        u[i] = (lp_row){.index = i,
                        .name = "x",
                        .op = "Conv",
                        .domain = "",
                        .module = names[i * 3 / count],
                        .cost = {.params = count - ends, .macs_conv = ends},
                        .live_bytes = ends};
    }
    of.rows = u;
    of.rows_count = of.layers = of.known = count;
    text = write_report(
        &of, (lp_view){.chart = true, .width = width, .table = LP_TABLE_PEAK});
    free(u);
    return text;
}

static void test_chart(void **state)
{
    static const int64_t counts[] = {1, 2, 7, 60, 100, 101, 5000};
    static const char *const unet[] = {"/unet/down_blocks.0", "/unet/mid",
                                       "/unet/up_blocks.1"};
    static const char *const classic[] = {"/encoder1", "/bottleneck",
                                          "/decoder4"};
    static const char *const mlp[] = {"/mlp/up_proj", "/mlp/act",
                                      "/mlp/down_proj"};
    char *text, *panel;
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(counts); i++) {
        text = chart_of(counts[i], 80, unet);
        check_lines(text, 80);
        assert_true(has(text, "live bytes, the largest"));
        lp_text_free(text);
    }
    text = chart_of(67, 80, unet);
    assert_true(has(text, "╌down╌") && has(text, "╌mid╌"));
    panel = strstr(text, "parameters per layer");
    assert_non_null(panel);
    assert_true(has(panel, "┤      "));
    panel = strstr(text, "MACs per layer");
    assert_non_null(panel);
    assert_true(has(panel, " ┤█"));
    lp_text_free(text);
    text = chart_of(67, 80, classic);
    assert_true(has(text, "╌mid╌") && has(text, "╌up╌"));
    lp_text_free(text);
    text = chart_of(67, 80, mlp);
    assert_false(has(text, "╌"));
    lp_text_free(text);
}

/* ---- several reports --------------------------------------------------- */

static void test_compare(void **state)
{
    const lp_report *const both[] = {&empty, &report};
    char *text = NULL;

    (void)state;
    assert_int_equal(lp_compare_write(both, 2, NULL, &text, NULL, NULL), LP_OK);
    assert_true(has(text, "  /mid/a/mm\n"));
    check_lines(text, 100);
    lp_text_free(text);
}

static char *write_diff(const lp_report *before, const lp_report *after)
{
    char *text = NULL;

    assert_int_equal(lp_diff_write(before, after, NULL, &text, NULL, NULL),
                     LP_OK);
    return text;
}

static void test_diff(void **state)
{
    lp_report after = report;
    char *text = write_diff(&report, &report);

    (void)state;
    assert_true(has(text, "identical: every layer"));
    assert_true(has(text, "0 of 4 modules differ"));
    lp_text_free(text);
    after.modules = modules + 1;
    after.modules_count--;
    after.total.params = 200;
    text = write_diff(&report, &after);
    assert_false(has(text, "identical"));
    assert_true(has(text, "-35.1 %"));
    check_lines(text, 100);
    lp_text_free(text);
    text = write_diff(&after, &report);
    assert_true(has(text, " +108 ") && has(text, " new\n"));
    lp_text_free(text);
}

/* ---- memory ------------------------------------------------------------ */

enum { WAYS = 10 };

/* Each way of writing a report, by number. */
static lp_status write_any(int32_t way, char **ret_text)
{
    const lp_report *const both[] = {&report, &report};
    lp_view view = {.format = (lp_format)(way % 4), .chart = true};

    if (way < 4)
        return lp_report_write(&report, &view, ret_text, NULL, NULL);
    if (way < 7)
        return lp_compare_write(both, 2, &view, ret_text, NULL, NULL);
    view.format = (lp_format)(way - 7);
    return lp_diff_write(&report, &report, &view, ret_text, NULL, NULL);
}

/* A failed allocation is reported wherever it strikes, and never changes the
 * text. */
static void test_out_of_memory(void **state)
{
    int32_t way;

    (void)state;
    for (way = 0; way < WAYS; way++) {
        lp_status status = LP_ENOMEM;
        char *whole = NULL, *text = NULL;
        int64_t n;

        assert_int_equal(write_any(way, &whole), LP_OK);
        for (n = 1; status != LP_OK; n++) {
            lpi_alloc_fail_at(n);
            status = write_any(way, &text);
            lpi_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ENOMEM);
        }
        assert_true(n > 3);
        assert_string_equal(text, whole);
        lp_text_free(text);
        lp_text_free(whole);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_empty),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_chart),  cmocka_unit_test(test_compare),
        cmocka_unit_test(test_diff),   cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
