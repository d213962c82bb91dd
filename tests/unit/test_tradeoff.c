/* test_tradeoff.c: break-even maps, sweeps of budgets and arenas as tables:
 * what must hold of each row, and that running out of memory is an error. */
#include "../../src/plan/plan.h"
#include "random_net.h"

static const char net_text[] = "x:1x1x8x8; a = conv 4 k1; conv 16 k1; relu; "
                               "conv 16 k1; relu; conv 16 k1; relu; "
                               "conv 4 k1; add a";

static const char box_text[] =
    "lplan-device: 1\n"
    "name: box\n"
    "source: made up\n"
    "memories:\n"
    "  - {name: near, capacity_bytes: 64Ki, alignment: 16, source: a}\n"
    "  - {name: far, alignment: 16, read_bytes_per_s: 1G,"
    " write_bytes_per_s: 1M, source: b}\n"
    "weights: far\n"
    "compute:\n"
    "  rates:\n"
    "    - {dtype: float32, macs_per_s: 1G, source: c}\n";

static const char *const chain[] = {"order", "remat", "place"};

static const lp_format formats[] = {LP_FORMAT_TEXT, LP_FORMAT_TSV,
                                    LP_FORMAT_JSON};

/* Everything that this file is about, in all formats; "*ret_texts" (may be
 * NULL) are all of them, one after the other. */
static lp_status whole_way(lpi_text *ret_texts, lp_error *error)
{
    lp_plan_options options = {.planners = chain,
                               .planners_count = LPI_COUNT(chain),
                               .budget_bytes = 8500,
                               .effort = LP_EFFORT_QUICK,
                               .explain = true};
    lp_tradeoff_options sweep = {.steps = 2};
    lp_tradeoff *tradeoff = NULL;
    lp_device *device = NULL;
    lp_model *model = NULL;
    lp_plan *plan = NULL;
    char *texts[2 * LPI_COUNT(formats) + 1] = {NULL};
    int32_t i;
    lp_status status = lp_model_net(net_text, NULL, &model, error);

    if (status == LP_OK)
        status =
            lp_device_read(box_text, strlen(box_text), "box", &device, error);
    options.device = device;
    if (status == LP_OK)
        status = lp_plan_new(model, &options, &plan, error);
    options.budget_bytes = 0;
    if (status == LP_OK)
        status = lp_tradeoff_new(model, &options, &sweep, &tradeoff, error);
    for (i = 0; status == LP_OK && i < LPI_COUNT(formats); i++) {
        lp_view view = {.format = formats[i]};

        status =
            lp_break_even_write(plan->map, &view, &texts[2 * i], NULL, error);
        if (status == LP_OK)
            status = lp_tradeoff_write(tradeoff, &view, &texts[2 * i + 1], NULL,
                                       error);
    }
    if (status == LP_OK)
        status = lp_schedule_arena(plan->schedule, &texts[2 * i], NULL, error);
    for (i = 0; i < LPI_COUNT(texts); i++) {
        if (ret_texts && texts[i])
            lpi_text_put(ret_texts, texts[i]);
        lp_text_free(texts[i]);
    }
    lp_tradeoff_free(tradeoff);
    lp_plan_free(plan);
    lp_device_free(device);
    lp_model_free(model);
    return status;
}

static void test_twice_the_same(void **state)
{
    lpi_text first = {0}, second = {0};
    lp_error error = {0};

    (void)state;
    if (whole_way(&first, &error) != LP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(whole_way(&second, NULL), LP_OK);
    assert_string_equal(first.bytes, second.bytes);
    assert_non_null(strstr(first.bytes, "recomputed"));
    lpi_text_drop(&first);
    lpi_text_drop(&second);
}

static void test_each_allocation_fails(void **state)
{
    lp_status status = LP_ENOMEM;
    int64_t n;

    (void)state;
    for (n = 1; status == LP_ENOMEM; n += 1 + n / 16) {
        lp_error error = {0};

        lpi_alloc_fail_at(n);
        status = whole_way(NULL, &error);
        lpi_alloc_fail_at(0);
        assert_int_equal(status, error.status);
    }
    assert_int_equal(status, LP_OK);
    assert_true(n > 50);
}

/* Budgets fall, what fits fits, nothing is below a bound. */
static void test_points(void **state)
{
    lp_plan_options options = {.planners = chain,
                               .planners_count = LPI_COUNT(chain)};
    lp_tradeoff_options sweep = {.steps = 7};
    lp_tradeoff *made;
    lp_model *model;
    int64_t last = INT64_MAX, fits = 0, i;

    (void)state;
    assert_int_equal(lp_model_net(net_text, NULL, &model, NULL), LP_OK);
    assert_int_equal(lp_tradeoff_new(model, &options, &sweep, &made, NULL),
                     LP_OK);
    assert_int_equal(made->count, 9);
    assert_int_equal(made->floor_bytes, 8192);
    for (i = 1; i < made->count; i++) {
        const lp_tradeoff_point *p = &made->points[i];

        assert_true(p->budget_bytes < last);
        last = p->budget_bytes;
        if (strcmp(p->status, "fits") != 0)
            continue;
        fits++;
        assert_true(p->predictions.arena_bytes <= p->budget_bytes);
        assert_true(p->predictions.arena_bytes >= made->floor_bytes);
        assert_int_equal(p->predictions.macs - p->again_macs,
                         made->points[0].predictions.macs);
    }
    assert_true(fits >= 5);
    assert_int_equal(last, made->floor_bytes);
    lp_tradeoff_free(made);
    lp_model_free(model);
}

static bool stop(void *context, int64_t done, int64_t all, const char *what)
{
    int64_t *left = context;

    assert_true(done < all && *what);
    return (*left)--;
}

static void test_refused(void **state)
{
    int64_t left = 2;
    lp_tradeoff_options none = {.steps = 0}, many = {.steps = 10001},
                        stops = {.steps = 3,
                                 .progress = stop,
                                 .progress_context = &left};
    lp_plan_options odd = {.explain = true, .map_as = LP_STRING};
    lp_view netron = {.format = LP_FORMAT_NETRON};
    lp_break_even_map map = {.device = ""};
    lp_tradeoff tradeoff = {.device = ""};
    lp_tradeoff *made = NULL;
    lp_plan *plan = NULL;
    lp_model *model;
    char *text;

    (void)state;
    assert_int_equal(lp_model_net(net_text, NULL, &model, NULL), LP_OK);
    assert_int_equal(lp_tradeoff_new(model, NULL, &none, &made, NULL),
                     LP_EINVALID);
    assert_int_equal(lp_tradeoff_new(model, NULL, &many, &made, NULL),
                     LP_EINVALID);
    assert_int_equal(lp_tradeoff_new(model, NULL, &stops, &made, NULL), LP_EIO);
    assert_int_equal(lp_plan_new(model, &odd, &plan, NULL), LP_EINVALID);
    assert_int_equal(lp_break_even_write(&map, &netron, &text, NULL, NULL),
                     LP_EINVALID);
    assert_int_equal(lp_tradeoff_write(&tradeoff, &netron, &text, NULL, NULL),
                     LP_EINVALID);
    assert_null(made);
    assert_null(plan);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twice_the_same),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
