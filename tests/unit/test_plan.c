/* test_plan.c: chains of planners: columns and their rules, planners that do
 * what they may not, drafts, bounds, and plans of random models. */
#include "../../src/plan/plan.h"
#include "random_net.h"

static const char net_text[] = "x:1x4x8x8; conv 8 k3 p1; relu; conv 8 k3 p1; "
                               "relu; maxpool 2; conv 4 k1";

static lp_model *small(void)
{
    lp_model *model = NULL;

    assert_int_equal(lp_model_net(net_text, NULL, &model, NULL), LP_OK);
    return model;
}

/* ---- planners for tests -------------------------------------------------- */

/* Each does one thing; "say" is what went on. */
#define PLANNER(title, columns, function)                                      \
    static const lp_planner planner_##title = {.abi = LP_PLANNER_ABI,          \
                                               .name = #title,                 \
                                               .summary = "a test",            \
                                               .decides = columns,             \
                                               .plan = function}

/* Write the runs backwards as far as they were: they mean nothing. */
static lp_status reverse(const lp_problem *problem, lp_schedule *schedule,
                         lp_error *error)
{
    int64_t count;
    const lp_unit *units = lp_schedule_units(schedule, &count);
    lp_unit *turned = LP_NEW(problem->scratch, lp_unit, count);

    if (!turned)
        return lp_fail(error, LP_ENOMEM, "out of memory");
    for (int64_t i = 0; i < count; i++)
        turned[i] = units[count - 1 - i];
    return lp_schedule_set_units(schedule, turned, count, error);
}

PLANNER(backwards, LP_RUNS, reverse);
PLANNER(thief, LP_ALIAS, reverse);

static lp_status keep_runs(const lp_problem *problem, lp_schedule *schedule,
                           lp_error *error)
{
    int64_t count;
    const lp_unit *units = lp_schedule_units(schedule, &count);

    (void)problem;
    return lp_schedule_set_units(schedule, units, count, error);
}

PLANNER(same, LP_RUNS, keep_runs);

static lp_status foreign(const lp_problem *problem, lp_schedule *schedule,
                         lp_error *error)
{
    lp_unit unit = {.layer = (lp_layer *)(uintptr_t)0x10};

    (void)problem;
    return lp_schedule_set_units(schedule, &unit, 1, error);
}

PLANNER(stranger, LP_RUNS, foreign);

static lp_status out_of_range(const lp_problem *problem, lp_schedule *schedule,
                              lp_error *error)
{
    lp_placed place = {
        .tensor = problem->tensors[0].tensor, .memory = 7, .to = 1000000};

    return lp_schedule_set_places(schedule, &place, 1, error);
}

PLANNER(far, LP_PLACE, out_of_range);

static lp_status negative(const lp_problem *problem, lp_schedule *schedule,
                          lp_error *error)
{
    lp_unit unit = {0};

    (void)problem;
    return lp_schedule_set_units(schedule, &unit, -5, error);
}

PLANNER(less, LP_RUNS, negative);

static lp_status nonsense(const lp_problem *problem, lp_schedule *schedule,
                          lp_error *error)
{
    (void)problem, (void)schedule;
    memset(error, 'x', sizeof(*error));
    return (lp_status)77;
}

PLANNER(mad, LP_RUNS, nonsense);

static lp_status boast(const lp_problem *problem, lp_schedule *schedule,
                       lp_error *error)
{
    lp_bound bound = {
        .quantity = "arena_bytes", .value = INT64_MAX, .proof = "my word"};

    (void)problem;
    return lp_schedule_add_bound(schedule, &bound, error);
}

PLANNER(boaster, LP_ALIAS, boast);

static lp_status call_itself(const lp_problem *problem, lp_schedule *schedule,
                             lp_error *error)
{
    return lp_plan_with(problem, "round", 0, schedule, error);
}

PLANNER(round, LP_RUNS, call_itself);

static lp_status call_round(const lp_problem *problem, lp_schedule *schedule,
                            lp_error *error)
{
    return lp_plan_with(problem, "circle", 0, schedule, error);
}

static lp_status call_other(const lp_problem *problem, lp_schedule *schedule,
                            lp_error *error)
{
    return lp_plan_with(problem, "other", 0, schedule, error);
}

PLANNER(circle, LP_RUNS, call_other);
PLANNER(other, LP_RUNS, call_round);

static lp_status say_no(const lp_problem *problem, lp_schedule *schedule,
                        lp_error *error)
{
    (void)problem, (void)schedule;
    return lp_fail(error, LP_EINFEASIBLE, "it cannot be");
}

PLANNER(pessimist, LP_RUNS, say_no);

static const char *refuse(const lp_problem *problem)
{
    (void)problem;
    return "it is Monday";
}

static const lp_planner planner_lazy = {.abi = LP_PLANNER_ABI,
                                        .name = "lazy",
                                        .summary = "a test",
                                        .decides = LP_RUNS,
                                        .refuses = refuse,
                                        .plan = keep_runs};

/* Columns clear those after them; drafts are apart from what they are of. */
static lp_status try_columns(const lp_problem *problem, lp_schedule *schedule,
                             lp_error *error)
{
    lp_schedule *draft = NULL;
    lp_meaning meaning = {0};
    lp_group group = {0};
    int64_t units, count;
    lp_layer *pair[2];

    assert_int_equal(lp_schedule_baseline_aliases(schedule, true, error),
                     LP_OK);
    lp_schedule_aliases(schedule, &count);
    assert_true(count > 0);
    assert_int_equal(lp_schedule_draft(problem, schedule, &draft, error),
                     LP_OK);
    lp_schedule_units(draft, &units);
    assert_int_equal(lp_schedule_set_units(
                         draft, lp_schedule_units(draft, &units), units, error),
                     LP_OK);
    assert_null(lp_schedule_aliases(draft, &count));
    assert_int_equal(count, 0);
    lp_schedule_aliases(schedule, &count);
    assert_true(count > 0);
    pair[0] = problem->layers[0].layer;
    pair[1] = problem->layers[1].layer;
    group = (lp_group){.name = "pair", .layers = pair, .layers_count = 2};
    assert_int_equal(lp_schedule_set_groups(draft, &group, 1, error), LP_OK);
    lp_schedule_units(draft, &count);
    assert_int_equal(count, units - 1);
    assert_int_equal(lp_schedule_lower(problem, draft, &meaning, error), LP_OK);
    assert_int_equal(meaning.units_count, units - 1);
    assert_true(meaning.predictions.arena_bytes >= meaning.load_bound_bytes);
    /* A group of another schedule is a foreign one. */
    assert_int_equal(lp_schedule_set_units(schedule,
                                           lp_schedule_units(draft, &count),
                                           count, error),
                     LP_EINVALID);
    assert_int_equal(lp_schedule_copy(schedule, draft, error), LP_OK);
    lp_schedule_groups(schedule, &count);
    assert_int_equal(count, 1);
    return LP_OK;
}

PLANNER(columns, LP_GROUPS, try_columns);

static lp_status count_options(const lp_problem *problem, lp_schedule *schedule,
                               lp_error *error)
{
    (void)schedule;
    assert_non_null(lp_problem_text(problem, "word"));
    assert_null(lp_problem_text(problem, "nothing"));
    assert_int_equal(lp_problem_count(problem, "number"), 2048);
    return lp_problem_note(problem, error, "%d is enough", 5);
}

static const lp_option chooser_options[] = {
    {.name = "word", .initial = "none", .help = "a word"},
    {.name = "number", .initial = "7", .help = "a number"},
    {.name = "flag", .initial = "0", .help = "a flag", .most = 1},
    {.name = "size", .initial = "2", .help = "a size", .least = 1, .most = 64},
    {.name = NULL}};

static const lp_planner planner_chooser = {.abi = LP_PLANNER_ABI,
                                           .name = "chooser",
                                           .summary = "a test",
                                           .decides = LP_RUNS,
                                           .options = chooser_options,
                                           .plan = count_options};

static const lp_planner *const table[] = {
    &planner_backwards, &planner_thief,   &planner_same,    &planner_stranger,
    &planner_far,       &planner_less,    &planner_mad,     &planner_boaster,
    &planner_round,     &planner_circle,  &planner_other,   &planner_pessimist,
    &planner_lazy,      &planner_columns, &planner_chooser, NULL,
};

static lp_status plan_with(const lp_model *model, const char *name,
                           lp_plan **ret_plan, lp_error *error)
{
    lp_plan_options options = {.planners = &name, .planners_count = 1};

    *ret_plan = NULL;
    return lpi_plan_new(table, model, &options, ret_plan, error);
}

/* ---- tests ----------------------------------------------------------------
 */

static void test_faults(void **state)
{
    static const struct {
        const char *name;
        lp_status status;
        const char *says;
    } rows[] = {
        {"backwards", LP_EINPUT, "'backwards' made a schedule that means"},
        {"thief", LP_EINPUT, "'thief' wrote the column 'runs'"},
        {"same", LP_OK, ""},
        {"stranger", LP_EINPUT, "'stranger' failed: run 0: it names a layer"},
        {"far", LP_EINPUT, "'far' failed: place 0: it names a memory"},
        {"less", LP_EINPUT, "'less' failed: runs: -5 of them"},
        {"mad", LP_EINPUT, "'mad' returned a status that does not exist"},
        {"boaster", LP_EINPUT, "a bound on arena_bytes, 9223372036854775807"},
        {"round", LP_EINPUT, "'round' is called while it is at work"},
        {"circle", LP_EINPUT, "'circle' is called while it is at work"},
        {"pessimist", LP_EINFEASIBLE, "'pessimist': it cannot be"},
        {"lazy", LP_EUNSUPPORTED, "'lazy' refuses: it is Monday"},
        {"columns", LP_OK, ""},
        {"nobody", LP_EINVALID, "no planner is called 'nobody'"},
        {"../x", LP_EINVALID, "no planner is called '../x'"},
        {"", LP_EINVALID, "no planner is called ''"},
    };
    lp_model *model = small();

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(rows); i++) {
        lp_error error = {0};
        lp_plan *plan = NULL;

        if (plan_with(model, rows[i].name, &plan, &error) != rows[i].status ||
            !strstr(error.message, rows[i].says))
            fail_msg("%s: %d %s", rows[i].name, error.status, error.message);
        lp_plan_free(plan);
    }
    lp_model_free(model);
}

static void test_settings(void **state)
{
    static const struct {
        const char *setting, *says;
    } rows[] = {
        {"chooser.number=2Ki", NULL},
        {"chooser.number=2048", NULL},
        {"chooser.word=some", NULL},
        {"chooser.number=x", "'x' is no whole number"},
        {"chooser.flag=1", NULL},
        {"chooser.flag=2", "'2' is above 1"},
        {"chooser.flag=-1", "'-1' is below 0"},
        {"chooser.flag=no", "'no' is no whole number"},
        {"chooser.size=64", NULL},
        {"chooser.size=1k", "'1k' is above 64"},
        {"chooser.size=0", "'0' is below 1"},
        {"chooser.colour=red", "planner 'chooser' has word, number, flag"},
        {"same.colour=red", "planner 'same' has none"},
        {"nobody.colour=red", "no planner is called 'nobody'"},
        {"chooser.number", "not of the form"},
        {".number=2", "not of the form"},
        {"chooser.=2", "not of the form"},
    };
    lp_model *model = small();
    const char *name = "chooser";

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(rows); i++) {
        const char *settings[] = {"chooser.number=2Ki", rows[i].setting};
        lp_plan_options options = {.planners = &name,
                                   .planners_count = 1,
                                   .settings = settings,
                                   .settings_count = 2};
        lp_error error = {0};
        lp_plan *plan = NULL;
        lp_status status = lpi_plan_new(table, model, &options, &plan, &error);

        assert_int_equal(status, rows[i].says ? LP_EINVALID : LP_OK);
        if (rows[i].says && !strstr(error.message, rows[i].says))
            fail_msg("%s", error.message);
        if (plan) {
            assert_int_equal(plan->notes_count, 1);
            assert_string_equal(plan->notes[0].text, "5 is enough");
        }
        lp_plan_free(plan);
    }
    lp_model_free(model);
}

/* Plan "model" twice with the library's planners "chain": the same bytes, no
 * bound above what it takes, and it passes the check. */
static void check_plan(const lp_model *model, const char *const *chain,
                       size_t count, int64_t budget)
{
    lp_plan_options options = {
        .planners = chain, .planners_count = count, .budget_bytes = budget};
    char *texts[2] = {NULL, NULL};

    for (int32_t i = 0; i < 2; i++) {
        lp_predictions found;
        lp_schedule *again = NULL;
        lp_plan *plan = NULL;
        lp_error error = {0};
        lp_status status = lp_plan_new(model, &options, &plan, &error);
        size_t length;

        if (status == LP_EINFEASIBLE && budget) {
            assert_true(!plan || !plan->schedule);
            lp_plan_free(plan);
            return;
        }
        if (status != LP_OK)
            fail_msg("%s", error.message);
        for (int64_t b = 0; b < plan->bounds_count; b++)
            assert_true(plan->bounds[b].gap >= 0);
        assert_true(!budget || plan->predictions.arena_bytes <= budget);
        assert_int_equal(
            lp_schedule_write(plan->schedule, &texts[i], &length, NULL), LP_OK);
        assert_int_equal(
            lp_schedule_read(model, texts[i], length, "again", &again, &error),
            LP_OK);
        assert_int_equal(lp_schedule_check(again, &found, NULL, &error), LP_OK);
        assert_memory_equal(&found, &plan->predictions, sizeof(found));
        lp_schedule_free(again);
        lp_plan_free(plan);
    }
    assert_string_equal(texts[0], texts[1]);
    lp_text_free(texts[0]);
    lp_text_free(texts[1]);
}

static void test_random(void **state)
{
    static const char *const chains[][3] = {{"baseline"},
                                            {"skeleton"},
                                            {"attention", "baseline"},
                                            {"attention", "skeleton"}};
    int32_t graphs = getenv("LPLAN_SHORT") ? 20 : 200;

    (void)state;
    for (int32_t g = 0; g < graphs; g++) {
        lp_model *model = random_net((uint64_t)g + 1, 4 + g % 30);

        for (int32_t c = 0; c < LPI_COUNT(chains); c++) {
            check_plan(model, chains[c], chains[c][1] ? 2 : 1, 0);
            check_plan(model, chains[c], chains[c][1] ? 2 : 1, 64 << (g % 16));
        }
        lp_model_free(model);
    }
}

static void test_obstacle(void **state)
{
    static const char *const chain[] = {"baseline"};
    lp_plan_options options = {.planners = chain, .planners_count = 1};
    lp_model *model = small();

    (void)state;
    for (options.budget_bytes = 1; options.budget_bytes < 1 << 20;
         options.budget_bytes *= 2) {
        lp_plan *plan = NULL;
        lp_error error = {0};
        lp_status status = lp_plan_new(model, &options, &plan, &error);
        int64_t sum = 0;

        assert_non_null(plan);
        if (status == LP_OK) {
            assert_null(plan->obstacle);
            assert_true(plan->predictions.arena_bytes <= options.budget_bytes);
            lp_plan_free(plan);
            continue;
        }
        assert_int_equal(status, LP_EINFEASIBLE);
        assert_null(plan->schedule);
        assert_non_null(plan->obstacle);
        for (int64_t i = 0; i < plan->obstacle->buffers_count; i++) {
            assert_true(sum <= options.budget_bytes);
            sum += plan->obstacle->buffers[i].bytes;
        }
        assert_int_equal(sum, plan->obstacle->bytes);
        assert_true(sum > options.budget_bytes);
        lp_plan_free(plan);
    }
    options.budget_bytes = -1;
    assert_int_equal(lp_plan_new(model, &options, &(lp_plan *){NULL}, NULL),
                     LP_EINVALID);
    lp_model_free(model);
}

/* Plan with each allocation failed in turn: the answer is "wanted", or memory.
 */
static void fail_each(const lp_model *model, const lp_plan_options *options,
                      lp_status wanted)
{
    int64_t n, calm = 0;
    lp_status status;

    for (n = 1; calm < 50; n++) {
        lp_plan *plan = NULL;

        lpi_alloc_fail_at(n);
        status = lp_plan_new(model, options, &plan, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == wanted || status == LP_ENOMEM);
        calm = status == LP_ENOMEM ? 0 : calm + 1;
        lp_plan_free(plan);
    }
    assert_true(n > 100);
}

static void test_no_memory(void **state)
{
    static const char *const chain[] = {"attention", "baseline", "skeleton"};
    static const char *const all[] = {"joint", "remat"};
    static const char *const settings[] = {"attention.rows=2"};
    static const char text[] =
        "lplan-device: 1\nname: two\nsource: none\nweights: slow\nmemories:\n"
        "  - {name: fast, capacity_bytes: 1Mi, alignment: 16, source: none}\n"
        "  - {name: slow, alignment: 16, read_bytes_per_s: 1G, "
        "write_bytes_per_s: 1G, source: none}\n"
        "compute: {rates: [{dtype: float32, macs_per_s: 1G, source: none}]}\n";
    lp_plan_options options = {.planners = chain,
                               .planners_count = 3,
                               .settings = settings,
                               .settings_count = 1};
    lp_model *model = random_net(3, 12);
    lp_device *device = NULL;
    lp_plan *plan = NULL;

    (void)state;
    assert_int_equal(
        lp_device_read(text, sizeof(text) - 1, "two", &device, NULL), LP_OK);
    fail_each(model, &options, LP_OK);
    options.planners = all;
    options.planners_count = 2;
    options.device = device;
    options.effort = 200;
    assert_int_equal(lp_plan_new(model, &options, &plan, NULL), LP_OK);
    options.budget_bytes = plan->predictions.arena_bytes - 1;
    lp_plan_free(plan);
    plan = NULL;
    assert_int_equal(lp_plan_new(model, &options, &plan, NULL), LP_OK);
    lp_plan_free(plan);
    fail_each(model, &options, LP_OK);
    options.budget_bytes = 1;
    fail_each(model, &options, LP_EINFEASIBLE);
    lp_device_free(device);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_settings),
        cmocka_unit_test(test_random),    cmocka_unit_test(test_obstacle),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
