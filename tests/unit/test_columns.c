/* test_columns.c: columns written by hand: parts of joined tensors, widths;
 * what is legal runs right, what is not is refused. */
#include "schedules.h"

static const char *const parts_model =
    "opset 18\ninput x: float32[4, 6]\nweight s: int64[2] = {1, 3}\n"
    "a = Relu(x)\nb = Neg(x)\nc = Concat(a, b) {axis: 0}\n"
    "d, e = Split(c, s2) {axis: 0}\nweight s2: int64[2] = {3, 5}\n"
    "f = Relu(e)\ng = Concat(a, b) {axis: 1}\noutput d; output f; output g\n";

/* A schedule of "model" with the text "columns" after the runs. */
static lp_status read_columns(const lp_model *model, const char *columns,
                              lp_schedule **ret_schedule, lp_error *error)
{
    lp_schedule *schedule = schedule_of(model, NULL);
    lpi_text out = {0};
    lp_status status;
    size_t length;
    char *text, *end;

    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    end = strstr(text, "alias:\n");
    lpi_text_append(&out, text,
                    end ? (size_t)(end - text)
                        : (size_t)(strstr(text, "place:\n") - text));
    lpi_text_put(&out, columns);
    status = lp_schedule_read(model, out.bytes, out.length, "columns",
                              ret_schedule, error);
    lpi_text_drop(&out);
    lp_text_free(text);
    lp_schedule_free(schedule);
    return status;
}

/* The arena with "columns", which must run right; -1 when refused. */
static int64_t arena_with(const char *source, const char *columns)
{
    lp_model *model = NULL;
    lp_schedule *schedule;
    lp_predictions figures = {.arena_bytes = -1};
    lp_error error = {0};

    assert_int_equal(
        lp_model_read(source, strlen(source), "net", NULL, &model, &error),
        LP_OK);
    if (read_columns(model, columns, &schedule, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    if (lp_schedule_check(schedule, &figures, NULL, &error) == LP_OK)
        assert_true(runs_right(model, schedule));
    else
        figures.arena_bytes = -1;
    lp_schedule_free(schedule);
    lp_model_free(model);
    return figures.arena_bytes;
}

static void test_parts(void **state)
{
    int64_t plain = arena_with(parts_model, "");

    (void)state;
    assert_true(plain > 0);
    assert_true(arena_with(parts_model,
                           "alias:\n  - {tensor: a, of: c, kind: part}\n"
                           "  - {tensor: b, of: c, kind: part}\n"
                           "  - {tensor: d, of: c, kind: part}\n"
                           "  - {tensor: e, of: c, kind: part}\n") > 0);
    assert_true(arena_with(parts_model,
                           "alias:\n  - {tensor: a, of: g, kind: part}\n") > 0);
    assert_int_equal(arena_with(parts_model,
                                "alias:\n"
                                "  - {tensor: f, of: e, kind: in_place}\n"
                                "  - {tensor: e, of: c, kind: part}\n"
                                "  - {tensor: d, of: c, kind: part}\n") > 0,
                     1);
    assert_int_equal(arena_with(parts_model,
                                "alias:\n"
                                "  - {tensor: b, of: x, kind: in_place}\n"),
                     -1);
}

static void test_precision(void **state)
{
    lp_model *model = NULL;
    lp_schedule *schedule;
    lp_error error = {0};
    char *text;
    size_t length;

    (void)state;
    assert_int_equal(lp_model_read(parts_model, strlen(parts_model), "net",
                                   NULL, &model, &error),
                     LP_OK);
    assert_int_equal(
        read_columns(model,
                     "precision:\n  - {tensor: a, dtype: int8, axis: 0, "
                     "scales: [0.5, 1, 2.5e-3, 1], zero_points: [0, 1, -2, 3]}"
                     "\n  - {tensor: b, assume: int8}\n",
                     &schedule, &error),
        LP_OK);
    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    assert_non_null(strstr(text, "zero_points: [0, 1, -2, 3]}"));
    lp_text_free(text);
    lp_schedule_free(schedule);
    assert_int_equal(read_columns(model,
                                  "precision:\n  - {tensor: a, dtype: int8, "
                                  "scales: [1, 2]}\n",
                                  &schedule, &error),
                     LP_EINPUT);
    assert_int_equal(read_columns(model,
                                  "precision:\n  - {tensor: a, dtype: int8, "
                                  "scales: [-1]}\n",
                                  &schedule, &error),
                     LP_EINPUT);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_precision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
