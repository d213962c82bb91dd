/* test_copies.c: bounds on what is copied, against schedules drawn at random.
 *
 * For small models, some with a unit that runs again, homes, moves and aliases
 * are drawn; of those schedules that mean something and keep the capacity by
 * their sums, none may copy less, or be faster, than lp_schedule_bound_copies
 * says. */
#include "../../src/plan/plan.h"
#include "random_net.h"

enum { GRAPHS = 80, TRIALS = 400 };

static int32_t bounds_seen, schedules_seen;

/* The bound on "quantity" that "schedule" states; 0: none. */
static int64_t bound_of(const lp_schedule *schedule, const char *quantity)
{
    for (int64_t i = 0; i < schedule->bounds_count; i++)
        if (!strcmp(schedule->bounds[i].quantity, quantity) &&
            schedule->bounds[i].given == (LP_PRECISION | LP_GROUPS | LP_RUNS))
            return schedule->bounds[i].value;
    return 0;
}

/* Run some unit of "schedule" again, somewhere behind its first run. */
static lp_status draw_runs(const lp_problem *problem, lp_schedule *schedule,
                           lp_error *error)
{
    int64_t count, at, to;
    const lp_unit *units = lp_schedule_units(schedule, &count);
    lp_unit *drawn = LP_NEW(problem->scratch, lp_unit, count + 1);

    assert_non_null(drawn);
    at = pick((int32_t)count);
    to = at + 1 + pick((int32_t)(count - at));
    for (int64_t i = 0; i < count; i++)
        drawn[i + (i >= to)] = units[i];
    drawn[to] = units[at];
    drawn[to].ordinal = 2;
    return lp_schedule_set_units(schedule, drawn, count + 1, error);
}

/* Draw homes of inputs and outputs, and round trips of some tensors. */
static lp_status draw_moves(const lp_problem *problem, lp_schedule *schedule,
                            lp_error *error)
{
    lp_home homes[8];
    lp_move moves[16];
    int32_t homes_count = 0, moves_count = 0, trips = pick(5);
    int64_t units;

    lp_schedule_units(schedule, &units);
    for (int32_t t = 0; t < problem->tensors_count && homes_count < 8; t++)
        if ((problem->tensors[t].producer < 0 ||
             problem->tensors[t].is_output) &&
            pick(3) == 0)
            homes[homes_count++] =
                (lp_home){.tensor = problem->tensors[t].tensor, .memory = 1};
    LP_TRY(lp_schedule_set_homes(schedule, homes, homes_count, error));
    while (trips--) {
        const lp_plan_tensor *tensor =
            &problem->tensors[pick(problem->tensors_count)];
        int64_t out = tensor->producer + pick(3);
        int64_t in = out + 1 + pick(1 + (int32_t)units / 2);

        if (in >= units)
            continue;
        moves[moves_count++] = (lp_move){.tensor = tensor->tensor,
                                         .memory = 1,
                                         .after = out,
                                         .before = out + 1};
        if (pick(4))
            moves[moves_count++] = (lp_move){.tensor = tensor->tensor,
                                             .memory = 0,
                                             .after = in,
                                             .before = in + 1};
    }
    return lp_schedule_set_moves(schedule, moves, moves_count, error);
}

static lp_status draw_aliases(lp_schedule *schedule, lp_error *error)
{
    switch (pick(4)) {
    case 0:
        return lp_schedule_set_aliases(schedule, NULL, 0, error);
    case 1:
        return lp_schedule_baseline_aliases(schedule, false, error);
    case 2:
        return lp_schedule_baseline_aliases(schedule, true, error);
    default:
        return lp_schedule_joined_aliases(schedule, error);
    }
}

/* One schedule with the units of "given". */
static void try_one(const lp_problem *problem, const lp_schedule *given,
                    int64_t traffic, int64_t latency)
{
    lp_schedule *draft;
    lp_timeline timeline;
    lp_meaning meaning;
    lp_error error = {0};

    assert_int_equal(lp_schedule_draft(problem, given, &draft, &error), LP_OK);
    if (draw_moves(problem, draft, &error) != LP_OK ||
        draw_aliases(draft, &error) != LP_OK ||
        lp_schedule_lower(problem, draft, &meaning, &error) != LP_OK ||
        meaning.load_bound_bytes > problem->budget_bytes)
        return;
    schedules_seen += traffic > 0;
    if (lp_schedule_timeline(problem, draft, &timeline, &error) != LP_OK)
        return;
    if (meaning.predictions.traffic_bytes < traffic)
        fail_msg("%lld bytes are copied, the bound is %lld",
                 (long long)meaning.predictions.traffic_bytes,
                 (long long)traffic);
    if (timeline.latency_ns < latency)
        fail_msg("%lld ns, the bound is %lld", (long long)timeline.latency_ns,
                 (long long)latency);
}

static lp_status draw(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    int64_t traffic, latency;
    lp_schedule *given;
    lp_meaning meaning;

    LP_TRY(lp_schedule_draft(problem, schedule, &given, error));
    if (pick(2) && (draw_runs(problem, given, NULL) != LP_OK ||
                    lp_schedule_lower(problem, given, &meaning, NULL) != LP_OK))
        LP_TRY(lp_schedule_draft(problem, schedule, &given, error));
    LP_TRY(lp_schedule_bound_copies(problem, given, 2000, error));
    traffic = bound_of(given, "traffic_bytes");
    latency = bound_of(given, "latency_ns");
    bounds_seen += traffic > 0;
    for (int32_t i = 0; i < (traffic ? 10 * TRIALS : TRIALS); i++)
        try_one(problem, given, traffic, latency);
    return LP_OK;
}

static const lp_planner planner_draws = {
    .abi = LP_PLANNER_ABI, .name = "draws", .summary = "a test", .plan = draw};

static void test_bounds(void **state)
{
    static const lp_planner *const table[] = {&planner_draws, NULL};
    static const char *const chain[] = {"draws"};
    static const char text[] =
        "lplan-device: 1\nname: two\nsource: none\nweights: slow\nmemories:\n"
        "  - {name: fast, capacity_bytes: 1Mi, alignment: 1, source: none}\n"
        "  - {name: slow, alignment: 1, read_bytes_per_s: 1G, "
        "write_bytes_per_s: 500M, source: none}\n"
        "compute: {rates: [{dtype: float32, macs_per_s: 1G, source: none}]}\n"
        "dma: {setup_ns: 7, source: none}\n";
    lp_plan_options options = {.planners = chain, .planners_count = 1};
    lp_device *device = NULL;
    lp_error error = {0};

    (void)state;
    if (lp_device_read(text, sizeof(text) - 1, "two", &device, &error) != LP_OK)
        fail_msg("%s", error.message);
    options.device = device;
    for (int32_t g = 0; g < GRAPHS; g++) {
        lp_model *model = random_net((uint64_t)g + 77, 4 + g % 9);
        lp_plan *plan = NULL;

        net_state = (uint64_t)g + 1;
        options.budget_bytes = 0;
        assert_int_equal(lpi_plan_new(table, model, &options, &plan, &error),
                         LP_OK);
        options.budget_bytes =
            plan->predictions.arena_bytes * (70 + pick(30)) / 100 + 1;
        lp_plan_free(plan);
        plan = NULL;
        lpi_plan_new(table, model, &options, &plan, &error);
        lp_plan_free(plan);
        lp_model_free(model);
    }
    lp_device_free(device);
    print_message("# %d bounds, %d schedules within the capacity\n",
                  bounds_seen, schedules_seen);
    assert_true(bounds_seen > 10 && schedules_seen > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
