/* test_sched.c: schedules of random models: what is proved is so, and what is
 * damaged is refused, or runs right all the same. */
#include "random_net.h"
#include "schedules.h"

static bool is_short(void)
{
    return getenv("LPLAN_SHORT") != NULL;
}

static int32_t graphs(void)
{
    return is_short() ? 60 : 600;
}

/* ---- baselines --------------------------------------------------------------
 */

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
        cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
