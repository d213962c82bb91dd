/* test_plan_macs.c: the bound on MACs against all runs of small models.
 *
 * Each sequence of units with a few repeats that takes fewer MACs than the
 * bound is lowered and placed: none may fit the budget. */
#include "../../src/plan/plan.h"
#include "random_net.h"

enum { MODELS = 60, REPEATS = 2, MOST = 24 };

typedef struct walk {
    lp_schedule *schedule;
    lp_unit units[MOST]; /* of the model, in order */
    lp_unit sequence[MOST];
    int64_t macs[MOST]; /* by unit */
    int32_t runs[MOST]; /* by unit, in "sequence" */
    int64_t budget, bound;
    int32_t count, length;
    int64_t tried;
} walk;

/* A chain of products and element-wise layers with one or two tensors that wait
 * for a sum at its end. */
static lp_model *draw_model(int32_t index, lp_error *error)
{
    lp_model *model = NULL;
    char text[512];
    int32_t width = 2 + pick(4), layers = 2 + pick(3), i, at;
    bool nested = pick(2);

    at = snprintf(text, sizeof(text), "x:1x%dx4x4; a = conv %d k1; ",
                  1 + pick(4), width);
    for (i = 0; i < layers; i++) {
        at += snprintf(text + at, sizeof(text) - (size_t)at, "conv %d k1; %s",
                       nested && !i ? width : 2 + pick(12),
                       pick(3) ? "" : "relu; ");
        if (nested && !i)
            at += snprintf(text + at, sizeof(text) - (size_t)at,
                           "b = conv %d k1; ", width);
    }
    snprintf(text + at, sizeof(text) - (size_t)at, "conv %d k1; %sadd a", width,
             nested ? "add b; " : "");
    if (lp_model_net(text, NULL, &model, error) != LP_OK)
        fail_msg("model %d, '%s': %s", index, text, error->message);
    return model;
}

/* What the baseline takes, within "budget" when one is given. */
static lp_plan *plan_by(const lp_model *model, const char *const *names,
                        size_t count, int64_t budget)
{
    const lp_plan_options options = {.planners = names,
                                     .planners_count = count,
                                     .budget_bytes = budget,
                                     .effort = 2000};
    lp_plan *plan = NULL;
    lp_error error = {0};

    if (lp_plan_new(model, &options, &plan, &error) != LP_OK) {
        lp_plan_free(plan);
        return NULL;
    }
    return plan;
}

/* The sequence in hand as a schedule: it does not fit. */
static void judge(walk *w)
{
    lp_error error = {0};

    assert_int_equal(
        lp_schedule_set_units(w->schedule, w->sequence, w->length, &error),
        LP_OK);
    assert_int_equal(lp_schedule_baseline_aliases(w->schedule, true, &error),
                     LP_OK);
    if (lpi_schedule_place(w->schedule, NULL, &error) != LP_OK)
        fail_msg("%s", error.message);
    w->tried++;
    if (w->schedule->predictions.arena_bytes <= w->budget)
        fail_msg("%lld MACs fit into %lld bytes, below the bound %lld",
                 (long long)w->schedule->predictions.macs, (long long)w->budget,
                 (long long)w->bound);
}

/* Whether all that unit "unit" reads has been made. */
static bool is_ready(const walk *w, int32_t unit)
{
    const lp_layer *layer = w->units[unit].layer;
    int32_t i, k;

    for (i = 0; i < layer->inputs_count; i++)
        for (k = 0; k < w->count; k++)
            if (w->units[k].layer->outputs[0] == layer->inputs[i] &&
                !w->runs[k])
                return false;
    return true;
}

/* All ways to go on with "macs" spent and "repeats" left. */
static void go_on(walk *w, int64_t macs, int32_t repeats, int32_t left)
{
    int32_t u;

    if (!left)
        judge(w);
    for (u = 0; left && u < w->count; u++) {
        bool again = w->runs[u];

        if (macs + w->macs[u] >= w->bound || repeats < again ||
            !is_ready(w, u) ||
            (w->length &&
             w->sequence[w->length - 1].layer == w->units[u].layer))
            continue;
        w->sequence[w->length] = w->units[u];
        w->sequence[w->length++].ordinal = ++w->runs[u];
        go_on(w, macs + w->macs[u], repeats - again, left - !again);
        w->runs[u]--;
        w->length--;
    }
}

/* MACs of the model with unit "extra" run twice in turn; -1: none is. */
static int64_t macs_with(walk *w, int32_t extra)
{
    lpi_arena *arena = lpi_arena_new(64 << 20);
    lpi_program program;
    int64_t macs;
    int32_t u;

    w->length = 0;
    for (u = 0; u < w->count; u++) {
        w->sequence[w->length++] = w->units[u];
        if (u == extra) {
            w->sequence[w->length] = w->units[u];
            w->sequence[w->length++].ordinal = 2;
        }
    }
    assert_int_equal(
        lp_schedule_set_units(w->schedule, w->sequence, w->length, NULL),
        LP_OK);
    assert_int_equal(
        lpi_program_lower(arena, w->schedule, &program, NULL, NULL), LP_OK);
    macs = program.predictions.macs;
    lpi_arena_free(arena);
    w->length = 0;
    return macs;
}

/* Try all runs of "model" within "budget" that take less than "bound". */
static int64_t compare(const lp_model *model, int64_t budget, int64_t bound)
{
    lp_memory memory = {.name = "arena", .alignment = LPI_ALIGNMENT};
    walk w = {.budget = budget, .bound = bound};
    int32_t u;

    assert_int_equal(lpi_schedule_new(model, &w.schedule, NULL), LP_OK);
    w.schedule->memories = &memory;
    w.schedule->memories_count = 1;
    assert_int_equal(lpi_schedule_units(w.schedule, NULL), LP_OK);
    w.count = (int32_t)w.schedule->units_count;
    assert_true(w.count + REPEATS <= MOST);
    memcpy(w.units, w.schedule->units, (size_t)w.count * sizeof(*w.units));
    for (u = 0; u < w.count; u++)
        w.macs[u] = macs_with(&w, u) - macs_with(&w, -1);
    go_on(&w, 0, REPEATS, w.count);
    lp_schedule_free(w.schedule);
    return w.tried;
}

static void test_macs(void **state)
{
    static const char *const chain[] = {"order", "remat", "place"};
    static const char *const order[] = {"order", "place"};
    int32_t raised = 0, met = 0, i;
    int64_t tried = 0, b;

    (void)state;
    for (i = 0; i < MODELS; i++) {
        lp_error error = {0};
        lp_model *model;
        lp_plan *whole, *plan = NULL;
        int64_t budget;

        net_state = 77 + (uint64_t)i;
        model = draw_model(i, &error);
        whole = plan_by(model, order, LPI_COUNT(order), 0);
        assert_non_null(whole);
        for (budget = whole->predictions.arena_bytes - 64; budget > 0;
             budget -= 64) {
            plan = plan_by(model, chain, LPI_COUNT(chain), budget);
            if (!plan)
                break;
            for (b = 0; b < plan->bounds_count; b++) {
                if (strcmp(plan->bounds[b].quantity, "macs") != 0)
                    continue;
                tried += compare(model, budget, plan->bounds[b].value);
                raised += plan->bounds[b].value > whole->predictions.macs;
                met += !plan->bounds[b].gap;
            }
            lp_plan_free(plan);
        }
        lp_plan_free(whole);
        lp_model_free(model);
    }
    print_message(
        "# bounds above one run each: %d; met: %d; runs below: %lld\n", raised,
        met, (long long)tried);
    assert_true(raised > 10 && met > 10 && tried > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macs),
    };

    return cmocka_run_group_tests_name("bounds on MACs", tests, NULL, NULL);
}
