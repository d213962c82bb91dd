/* test_plan_ways.c: what a plan says when nothing fits, and how plans against
 * the clock and their bounds are written. */
#include "../../src/plan/plan.h"
#include "random_net.h"

static const char two_memories[] =
    "lplan-device: 1\nname: two\nsource: none\nweights: slow\nmemories:\n"
    "  - {name: fast, capacity_bytes: 1Mi, alignment: 16, source: none}\n"
    "  - {name: slow, alignment: 16, read_bytes_per_s: 1G, "
    "write_bytes_per_s: 1G, source: none}\n"
    "compute: {rates: [{dtype: float32, macs_per_s: 1G, source: none}]}\n";

/* A chain of convolutions with a skip around them: "x" waits. */
static const char skip_text[] =
    "opset 17\ninput x: float32[1, 8, 16, 16]\n"
    "weight w: float32[8, 8, 3, 3]\nweight v: float32[32, 8, 3, 3]\n"
    "weight u: float32[8, 32, 3, 3]\n"
    "a = Conv(x, w) {pads: [1, 1, 1, 1]}\n"
    "b = Conv(a, v) {pads: [1, 1, 1, 1]}\nc = Relu(b)\n"
    "d = Conv(c, v2) {pads: [1, 1, 1, 1]}\n"
    "e = Conv(d, u) {pads: [1, 1, 1, 1]}\nf = Add(e, a)\noutput f\n"
    "weight v2: float32[32, 32, 3, 3]\n";

static lp_model *parse(const char *text)
{
    lp_model *model = NULL;
    lp_error error = {0};

    if (lp_model_read(text, strlen(text), "test", NULL, &model, &error) !=
        LP_OK)
        fail_msg("%s", error.message);
    return model;
}

/* The price and the order of the ways of "plan". */
static void check_ways(const lp_plan *plan)
{
    const lp_obstacle *o = plan->obstacle;
    int64_t i;

    for (i = 0; i < plan->ways_count; i++) {
        const lp_way *way = &plan->ways[i];

        assert_true(*way->what && way->peak_bytes > 0);
        assert_int_equal(way->fits, way->peak_bytes <= plan->budget_bytes);
        assert_true(i == 0 || plan->ways[i - 1].fits >= way->fits);
        assert_true(i == 0 || way->fits ||
                    plan->ways[i - 1].peak_bytes <= way->peak_bytes ||
                    plan->ways[i - 1].fits);
        if (o && o->cause == LP_OBSTACLE_ENDS)
            assert_true(way->peak_bytes >= o->least_bytes);
    }
    assert_true(!o || o->is_proof == (o->least_bytes > 0));
    assert_true(!o || !o->is_proof || o->least_bytes > plan->budget_bytes);
    for (i = 0; o && i < o->buffers_count; i++)
        assert_true(i == 0 || o->buffers[i - 1].bytes >= o->buffers[i].bytes);
}

/* The budgets that ways name are enough for the planners they name. */
static void test_ways(void **state)
{
    static const char *const chains[][3] = {
        {"baseline"}, {"order"}, {"joint"}, {"order", "remat", "place"}};
    int32_t graphs = getenv("LPLAN_SHORT") ? 5 : 40, seen = 0, larger = 0;

    (void)state;
    for (int32_t g = 0; g < graphs; g++) {
        lp_model *model = random_net((uint64_t)g + 900, 4 + g % 20);

        for (int32_t c = 0; c < LPI_COUNT(chains); c++) {
            lp_plan_options options = {.planners = chains[c],
                                       .planners_count = chains[c][1] ? 3 : 1,
                                       .find_ways = true,
                                       .effort = 3000,
                                       .budget_bytes = INT64_C(200) << g % 9};
            lp_plan *plan = NULL;
            lp_error error = {0};
            lp_status status = lp_plan_new(model, &options, &plan, &error);

            if (status == LP_EINFEASIBLE) {
                assert_non_null(plan);
                check_ways(plan);
                seen += plan->ways_count > 0;
                for (int64_t i = 0; i < plan->ways_count; i++)
                    larger += !!strstr(plan->ways[i].what, "same planners");
            } else {
                assert_int_equal(status, LP_OK);
                assert_int_equal(plan->ways_count, 0);
            }
            lp_plan_free(plan);
        }
        lp_model_free(model);
    }
    assert_true(seen > graphs / 2 && larger > 0);
}

/* What waits is copied away, at a price that is known by hand: "a" has 8192
 * bytes, goes and comes back. */
static void test_spill(void **state)
{
    static const char *const chain[] = {"order"};
    lp_plan_options options = {
        .planners = chain, .planners_count = 1, .find_ways = true};
    lp_model *model = parse(skip_text);
    lp_device *device = NULL;

    (void)state;
    assert_int_equal(lp_device_read(two_memories, sizeof(two_memories) - 1,
                                    "two", &device, NULL),
                     LP_OK);
    /* c and d of 32768 bytes each; a waits. */
    options.budget_bytes = 2 * 32768;
    for (int32_t with_device = 0; with_device < 2; with_device++) {
        const lp_way *way = NULL;
        lp_plan *plan = NULL;

        options.device = with_device ? device : NULL;
        assert_int_equal(lp_plan_new(model, &options, &plan, NULL),
                         LP_EINFEASIBLE);
        check_ways(plan);
        assert_int_equal(plan->obstacle->cause, LP_OBSTACLE_LOAD);
        for (int64_t i = 0; i < plan->ways_count; i++)
            if (strstr(plan->ways[i].what, "copies away 'a'"))
                way = &plan->ways[i];
        assert_non_null(way);
        assert_true(way->fits);
        assert_int_equal(way->peak_bytes, 65536);
        assert_int_equal(way->extra_bytes, 2 * 8192);
        assert_int_equal(way->extra_macs, 0);
        assert_true(with_device ? way->extra_ns >= 0 : way->extra_ns == 0);
        lp_plan_free(plan);
    }
    lp_device_free(device);
    lp_model_free(model);
}

/* Inputs, or outputs, that are over the budget together prove it. */
static void test_ends(void **state)
{
    static const char text[] =
        "opset 17\ninput x: float32[1000]\ninput y: float32[2000]\n"
        "a = Relu(x)\nb = Relu(y)\noutput a\noutput b\n";
    lp_plan_options options = {.budget_bytes = 11999};
    lp_model *model = parse(text);
    lp_plan *plan = NULL;

    (void)state;
    assert_int_equal(lp_plan_new(model, &options, &plan, NULL), LP_EINFEASIBLE);
    assert_int_equal(plan->obstacle->cause, LP_OBSTACLE_ENDS);
    assert_true(plan->obstacle->is_proof);
    assert_int_equal(plan->obstacle->least_bytes, 12000);
    assert_int_equal(plan->obstacle->buffers_count, 2);
    lp_plan_free(plan);
    lp_model_free(model);
}

/* A plan against the clock says so, and what it takes as it stands is kept. */
static void test_written(void **state)
{
    static const char *const chain[] = {"order", "place"};
    lp_plan_options options = {
        .planners = chain, .planners_count = 2, .time_limit_ns = 1000000};
    lp_model *model = parse(skip_text);
    lp_schedule *again = NULL;
    char *text = NULL, *second = NULL;
    lp_plan *plan = NULL;
    size_t length;

    (void)state;
    assert_int_equal(lp_plan_new(model, &options, &plan, NULL), LP_OK);
    assert_false(plan->reproducible);
    assert_true(plan->effort >= 1000);
    assert_int_equal(lp_schedule_write(plan->schedule, &text, &length, NULL),
                     LP_OK);
    assert_non_null(strstr(text, "\nreproducible: false\n"));
    assert_non_null(strstr(text, ", given: [precision, groups, once]}\n"));
    assert_int_equal(
        lp_schedule_read(model, text, length, "again", &again, NULL), LP_OK);
    assert_int_equal(lp_schedule_write(again, &second, &length, NULL), LP_OK);
    assert_string_equal(text, second);
    lp_text_free(text);
    lp_text_free(second);
    lp_schedule_free(again);
    lp_plan_free(plan);
    options.effort = 5;
    assert_int_equal(lp_plan_new(model, &options, &plan, NULL), LP_EINVALID);
    lp_model_free(model);
}

/* Every allocation of the ways fails in turn. */
static void test_no_memory(void **state)
{
    static const char *const chain[] = {"order"};
    lp_plan_options options = {.planners = chain,
                               .planners_count = 1,
                               .find_ways = true,
                               .effort = 100,
                               .budget_bytes = 2 * 32768};
    lp_model *model = parse(skip_text);
    int64_t n, calm = 0;

    (void)state;
    for (n = 1; calm < 50; n++) {
        lp_plan *plan = NULL;
        lp_status status;

        lpi_alloc_fail_at(n);
        status = lp_plan_new(model, &options, &plan, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_EINFEASIBLE || status == LP_ENOMEM);
        calm = status == LP_ENOMEM ? 0 : calm + 1;
        lp_plan_free(plan);
    }
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),      cmocka_unit_test(test_spill),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_written),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
