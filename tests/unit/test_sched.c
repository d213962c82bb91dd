/* test_sched.c: schedules of random models: what is proved is so, and what is
 * damaged is refused, or runs right all the same. */
#include "random_net.h"

static bool is_short(void)
{
    return getenv("LPLAN_SHORT") != NULL;
}

static int32_t graphs(void)
{
    return is_short() ? 60 : 600;
}

/* ---- placement ---------------------------------------------------------- */

static bool collide(const lpi_interval *a, int64_t at, const lpi_interval *b,
                    int64_t bt)
{
    return a->bytes && b->bytes && a->first <= b->last && b->first <= a->last &&
           at < bt + b->bytes && bt < at + a->bytes;
}

/* Whether two intervals collide, by looking at all pairs. */
static bool any_collision(const lpi_interval *intervals, const int64_t *offsets,
                          int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < i; j++)
            if (collide(&intervals[i], offsets[i], &intervals[j], offsets[j]))
                return true;
    return false;
}

static void check_packing(lpi_arena *arena, const lpi_interval *intervals,
                          int64_t count, const char *rule)
{
    lpi_packing packing = {0};
    int64_t pair[2], height = 0;
    bool found = true;

    assert_int_equal(
        lpi_offsets_pack(arena, intervals, count, rule, &packing, NULL), LP_OK);
    assert_false(any_collision(intervals, packing.offsets, count));
    assert_int_equal(lpi_offsets_overlap(arena, intervals, packing.offsets,
                                         count, &found, pair, NULL),
                     LP_OK);
    assert_false(found);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(packing.offsets[i] % intervals[i].alignment, 0);
        if (intervals[i].bytes &&
            packing.offsets[i] + intervals[i].bytes > height)
            height = packing.offsets[i] + intervals[i].bytes;
    }
    assert_int_equal(packing.height_bytes, height);
    assert_true(packing.bound_bytes <= height);
    if (rule)
        assert_string_equal(packing.rule, rule);
}

/* Move one interval: the sweep and the pairs must agree. */
static void check_sweep(lpi_arena *arena, lpi_interval *intervals,
                        int64_t count)
{
    int64_t *offsets = LPI_NEW(arena, int64_t, count);
    int64_t pair[2];
    bool found;

    for (int64_t i = 0; i < count; i++)
        offsets[i] = pick(300);
    assert_int_equal(lpi_offsets_overlap(arena, intervals, offsets, count,
                                         &found, pair, NULL),
                     LP_OK);
    assert_int_equal(found, any_collision(intervals, offsets, count));
    if (found)
        assert_true(collide(&intervals[pair[0]], offsets[pair[0]],
                            &intervals[pair[1]], offsets[pair[1]]));
}

static void test_placement(void **state)
{
    lpi_interval intervals[40];

    (void)state;
    net_state = 7;
    for (int32_t round = 0; round < graphs(); round++) {
        lpi_arena *arena = lpi_arena_new(1 << 26);
        int64_t count = pick(40);

        for (int64_t i = 0; i < count; i++) {
            intervals[i].first = pick(30);
            intervals[i].last = intervals[i].first + pick(1 + pick(30));
            intervals[i].bytes = pick(8) ? pick(60) : 0;
            intervals[i].alignment = 1 << pick(5);
        }
        check_packing(arena, intervals, count, NULL);
        for (int32_t i = 0; lpi_offset_rule(i); i++)
            check_packing(arena, intervals, count, lpi_offset_rule(i));
        check_sweep(arena, intervals, pick(4) ? count % 5 : count);
        lpi_arena_free(arena);
    }
}

/* ---- baselines --------------------------------------------------------------
 */

static lp_schedule *schedule_of(const lp_model *model,
                                const lp_schedule_options *options)
{
    lp_schedule *schedule = NULL;
    lp_error error = {0};

    if (lp_schedule_new(model, options, &schedule, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return schedule;
}

static lp_predictions proved(const lp_schedule *schedule)
{
    lp_predictions figures = {0};
    lp_refusal refusal;
    lp_error error = {0};

    if (lp_schedule_check(schedule, &figures, &refusal, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return figures;
}

/* The text form of "schedule", which reads back as the same. */
static char *text_of(const lp_schedule *schedule, const lp_model *model)
{
    char *text, *again;
    size_t length, length_again;
    lp_schedule *copy;
    lp_error error = {0};

    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    if (lp_schedule_read(model, text, length, "copy", &copy, &error) != LP_OK)
        fail_msg("%s: %s in\n%s", error.where, error.message, text);
    proved(copy);
    assert_int_equal(lp_schedule_write(copy, &again, &length_again, NULL),
                     LP_OK);
    assert_string_equal(text, again);
    lp_text_free(again);
    lp_schedule_free(copy);
    return text;
}

/* Whether "model" gives its results as "schedule" says. */
static bool runs_right(const lp_model *model, const lp_schedule *schedule)
{
    lp_run_options options = {.fill_weights = true,
                              .schedule = schedule,
                              .threads = 1,
                              .check_memory = true};
    lp_error error = {0};
    lp_run *run;
    bool right;

    if (lp_model_run(model, &options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    right = run->results == LP_RESULTS_EQUAL &&
            run->measured.arena_bytes == run->predicted.arena_bytes &&
            run->measured.traffic_bytes == run->predicted.traffic_bytes &&
            run->measured.macs == run->predicted.macs;
    lp_run_free(run);
    return right;
}

static void test_baselines(void **state)
{
    (void)state;
    for (int32_t seed = 1; seed <= graphs(); seed++) {
        lp_model *model = random_net((uint64_t)seed, 1 + seed % 23);
        lp_schedule_options plain = {.no_in_place = true, .alignment = 1};
        lp_schedule_options rows = {.attention_rows = 3, .layer_rows = 3};
        const lp_schedule_options *options[] = {NULL, &plain, &rows};
        lp_report *report;

        assert_int_equal(lp_report_new(model, NULL, &report, NULL), LP_OK);
        for (int32_t i = 0; i < 3; i++) {
            lp_schedule *schedule = schedule_of(model, options[i]);
            lp_predictions figures = proved(schedule);

            if (i < 2)
                assert_int_equal(figures.live_peak_bytes,
                                 report->live_peak_bytes);
            if (i == 1)
                assert_true(figures.arena_bytes >= figures.live_peak_bytes);
            assert_int_equal(figures.macs, lp_cost_macs(&report->total));
            lp_text_free(text_of(schedule, model));
            assert_true(runs_right(model, schedule));
            lp_schedule_free(schedule);
        }
        lp_report_free(report);
        lp_model_free(model);
    }
}

/* ---- damage
 * ------------------------------------------------------------------ */

/* The lines of a text, as pointers into it. */
typedef struct lines {
    char *at[2048];
    int32_t count;
} lines;

static void split(char *text, lines *l)
{
    for (l->count = 0; *text && l->count < 2048; text++) {
        l->at[l->count++] = text;
        text += strcspn(text, "\n");
        *text = '\0';
    }
}

/* A line with "mark" in it; -1: none. */
static int32_t line_with(const lines *l, const char *mark)
{
    int32_t from = pick(l->count);

    for (int32_t i = 0; i < l->count; i++)
        if (strstr(l->at[(from + i) % l->count], mark))
            return (from + i) % l->count;
    return -1;
}

static bool is_run(const char *line)
{
    return !strncmp(line, "  - ", 4) && line[4] != '{';
}

static int32_t some_run(const lines *l)
{
    int32_t i;

    do
        i = pick(l->count);
    while (!is_run(l->at[i]));
    return i;
}

/* Change the number after "key" in a line that has it. */
static void shift(lines *l, const char *key, lpi_text *fresh, int32_t *ret_line)
{
    int32_t i = line_with(l, key);
    char *at = i < 0 ? NULL : strstr(l->at[i], key) + strlen(key);
    long long value = at ? strtoll(at, &at, 10) : 0;

    *ret_line = i;
    if (i < 0)
        return;
    lpi_text_append(fresh, l->at[i],
                    (size_t)(strstr(l->at[i], key) - l->at[i]));
    lpi_text_printf(fresh, "%s%lld%s", key,
                    value + (pick(2) ? 64 : 1) * (pick(2) ? 1 : -1), at);
}

/* Damage "text" in one of many ways; predictions go, as they would tell. */
static char *damage(char *text, bool keeps_places)
{
    static const char *const keys[] = {"from: ", "to: ", "offset: "};
    lpi_text out = {0}, fresh = {0};
    int32_t kind = pick(6), a = -1, b = -1, changed = -1;
    bool in_places = false;
    lines l;

    split(text, &l);
    if (kind < 3) {
        a = some_run(&l);
        b = some_run(&l);
    } else if (kind == 3) {
        a = line_with(&l, "kind: ");
    } else if (kind == 4 && (a = line_with(&l, "kind: in_place")) >= 0) {
        changed = a;
        lpi_text_append(&fresh, l.at[a], strlen(l.at[a]) - strlen("in_place}"));
        lpi_text_put(&fresh, "view}");
    } else {
        shift(&l, keys[pick(3)], &fresh, &changed);
    }
    for (int32_t i = 0; i < l.count; i++) {
        const char *line = l.at[i];

        if (strncmp(line, "  ", 2) != 0)
            in_places = !strncmp(line, "place:", 6) ||
                        !strncmp(line, "predic", 6) ||
                        !strncmp(line, "bounds", 6);
        if ((in_places && !keeps_places) || !strncmp(line, "predic", 6) ||
            (kind == 3 && i == a) || (kind == 1 && i == a))
            continue;
        if (kind == 0 && (i == a || i == b))
            line = l.at[i == a ? b : a];
        lpi_text_printf(&out, "%s\n", i == changed ? fresh.bytes : line);
        if (kind == 2 && i == a)
            lpi_text_printf(&out, "%s#2\n", line);
    }
    lpi_text_drop(&fresh);
    return out.bytes;
}

static void test_damage(void **state)
{
    int32_t refused = 0, unread = 0, right = 0;

    (void)state;
    for (int32_t seed = 1; seed <= 4 * graphs(); seed++) {
        lp_model *model = random_net((uint64_t)seed, 4 + seed % 17);
        lp_schedule *schedule = schedule_of(model, NULL);
        char *text = text_of(schedule, model);
        char *broken = damage(text, pick(2));
        lp_predictions figures;
        lp_schedule *copy;

        if (lp_schedule_read(model, broken, strlen(broken), "broken", &copy,
                             NULL) != LP_OK) {
            unread++;
        } else {
            if (lp_schedule_check(copy, &figures, NULL, NULL) != LP_OK)
                refused++;
            else if (runs_right(model, copy))
                right++;
            else
                fail_msg("seed %d: a wrong schedule is accepted:\n%s", seed,
                         broken);
            lp_schedule_free(copy);
        }
        lp_text_free(broken);
        lp_text_free(text);
        lp_schedule_free(schedule);
        lp_model_free(model);
    }
    assert_true(refused > graphs() / 2 && right > graphs() / 4);
    print_message("# %d refused, %d not read, %d right\n", refused, unread,
                  right);
}

/* ---- columns
 * ------------------------------------------------------------------ */

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

/* ---- memory that fails
 * --------------------------------------------------------- */

static void test_no_memory(void **state)
{
    lp_model *model = random_net(5, 20);
    lp_schedule *schedule = schedule_of(model, NULL), *copy = NULL;
    lp_schedule_options rows = {.layer_rows = 2};
    lp_predictions figures;
    size_t length;
    char *text;

    (void)state;
    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    for (int32_t what = 0; what < 3; what++) {
        lp_status status = LP_ENOMEM;

        for (int64_t n = 1; status != LP_OK; n++) {
            char *again = NULL;

            lpi_alloc_fail_at(n);
            status =
                what == 0
                    ? lp_schedule_read(model, text, length, "x", &copy, NULL)
                : what == 1 ? lp_schedule_check(schedule, &figures, NULL, NULL)
                            : lp_schedule_new(model, &rows, &copy, NULL);
            lpi_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ENOMEM);
            (void)again;
        }
        if (what != 1)
            lp_schedule_free(copy);
    }
    lp_text_free(text);
    lp_schedule_free(schedule);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placement), cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_parts),
        cmocka_unit_test(test_precision), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
