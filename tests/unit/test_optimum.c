/* test_optimum.c: bounds and plans of small models against all that there is:
 * every topological order, one run more at every position of each, and every
 * packing (a buffer after the other, in all sequences, as low as it goes: one
 * of the sequences is that of the offsets of the best packing). */
#include "../../src/plan/plan.h"
#include "random_net.h"

enum { LAYERS_MOST = 8, BUFFERS_MOST = 7, PACKED_ORDERS = 40 };

/* What the enumeration finds. */
static struct found {
    int64_t orders;
    int64_t live, arena; /* the least of all orders */
    int64_t again_live;  /* and with one run more */
    int64_t given_live;  /* of the order given */
    int64_t given_arena; /* with aliases, as they are placed; -1: large */
    bool all_packed;     /* "arena" is that of all orders and aliases */
} found;

typedef struct search {
    const lp_problem *problem;
    lp_schedule *draft;
    lp_unit units[LAYERS_MOST + 1];
    uint32_t needs[LAYERS_MOST]; /* by layer: those before it */
    int32_t count;
    lp_error *error;
} search;

/* ---- packings --------------------------------------------------------------
 */

typedef struct packing {
    const lp_residency *buffers[BUFFERS_MOST];
    int64_t offsets[BUFFERS_MOST];
    int32_t count, sequence[BUFFERS_MOST];
    int64_t least;
} packing;

static bool meet(const lp_residency *a, const lp_residency *b)
{
    return a->placed.from <= b->placed.to && b->placed.from <= a->placed.to;
}

/* The lowest offset of buffer "at" beside the first "placed" of the sequence.
 */
static int64_t lowest(const packing *p, int32_t placed, int32_t at)
{
    int64_t offset = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (int32_t i = 0; i < placed; i++) {
            int32_t other = p->sequence[i];
            int64_t end = p->offsets[other] + p->buffers[other]->bytes;

            if (meet(p->buffers[at], p->buffers[other]) && offset < end &&
                p->offsets[other] < offset + p->buffers[at]->bytes) {
                int64_t a = p->buffers[at]->alignment;

                offset = (end + a - 1) / a * a;
                moved = true;
            }
        }
    }
    return offset;
}

static void pack_all(packing *p, int32_t placed, uint32_t used, int64_t height)
{
    if (height >= p->least)
        return;
    if (placed == p->count) {
        p->least = height;
        return;
    }
    for (int32_t i = 0; i < p->count; i++)
        if (!(used & 1u << i)) {
            int64_t end;

            p->offsets[i] = lowest(p, placed, i);
            p->sequence[placed] = i;
            end = p->offsets[i] + p->buffers[i]->bytes;
            pack_all(p, placed + 1, used | 1u << i,
                     end > height ? end : height);
        }
}

/* The lowest arena for "meaning"; -1: it has too many buffers. */
static int64_t pack(const lp_meaning *meaning)
{
    packing p = {.least = INT64_MAX};

    for (int64_t i = 0; i < meaning->residencies_count; i++)
        if (meaning->residencies[i].bytes) {
            if (p.count == BUFFERS_MOST)
                return -1;
            p.buffers[p.count++] = &meaning->residencies[i];
        }
    pack_all(&p, 0, 0, 0);
    return p.count ? p.least : 0;
}

/* ---- orders ----------------------------------------------------------------
 */

static void lower(int64_t *least, int64_t value)
{
    if (value < *least)
        *least = value;
}

/* The live peak of "count" units; -1: they mean nothing. */
static int64_t live_of(search *s, int32_t count)
{
    lp_meaning meaning;

    if (lp_schedule_set_units(s->draft, s->units, count, s->error) != LP_OK ||
        lp_schedule_lower(s->problem, s->draft, &meaning, s->error) != LP_OK)
        return -1;
    return meaning.predictions.live_peak_bytes;
}

/* The lowest arena of the order in hand, whatever is aliased. */
static void pack_order(search *s)
{
    for (int32_t a = 0; a < 3; a++) {
        lp_meaning meaning;
        int64_t arena;

        assert_int_equal(
            a == 2 ? lp_schedule_joined_aliases(s->draft, s->error)
                   : lp_schedule_baseline_aliases(s->draft, a == 0, s->error),
            LP_OK);
        assert_int_equal(
            lp_schedule_lower(s->problem, s->draft, &meaning, s->error), LP_OK);
        arena = pack(&meaning);
        if (arena < 0)
            found.all_packed = false;
        else
            lower(&found.arena, arena);
    }
}

/* One unit more at each position that has all it reads. */
static void run_again(search *s)
{
    for (int32_t at = 1; at <= s->count; at++)
        for (int32_t u = 0; u < at; u++) {
            lp_unit kept[LAYERS_MOST + 1];
            int64_t live;

            memcpy(kept, s->units, sizeof(kept));
            memmove(&s->units[at + 1], &s->units[at],
                    (size_t)(s->count - at) * sizeof(lp_unit));
            s->units[at] = kept[u];
            live = live_of(s, s->count + 1);
            if (live >= 0)
                lower(&found.again_live, live);
            memcpy(s->units, kept, sizeof(kept));
        }
}

static void visit(search *s, int32_t placed, uint32_t done)
{
    if (placed == s->count) {
        int64_t live = live_of(s, s->count);

        assert_true(live >= 0);
        lower(&found.live, live);
        if (found.orders++ < PACKED_ORDERS)
            pack_order(s);
        else
            found.all_packed = false;
        if (s->count <= 5)
            run_again(s);
        return;
    }
    for (int32_t l = 0; l < s->count; l++)
        if (!(done & 1u << l) && (s->needs[l] & ~done) == 0) {
            s->units[placed] = (lp_unit){.layer = s->problem->layers[l].layer};
            visit(s, placed + 1, done | 1u << l);
        }
}

static lp_status enumerate(const lp_problem *problem, lp_schedule *schedule,
                           lp_error *error)
{
    search s = {
        .problem = problem, .count = problem->layers_count, .error = error};

    found = (struct found){.live = INT64_MAX,
                           .arena = INT64_MAX,
                           .again_live = INT64_MAX,
                           .all_packed = true};
    if (s.count > LAYERS_MOST)
        return LP_OK;
    for (int32_t l = 0; l < s.count; l++)
        for (int32_t i = 0; i < problem->layers[l].inputs_count; i++) {
            int32_t by =
                problem->tensors[problem->layers[l].inputs[i]].producer;

            if (by >= 0)
                s.needs[l] |= 1u << by;
        }
    LP_TRY(lp_schedule_draft(problem, schedule, &s.draft, error));
    visit(&s, 0, 0);
    for (int32_t l = 0; l < s.count; l++)
        s.units[l] = (lp_unit){.layer = problem->layers[l].layer};
    found.given_live = live_of(&s, s.count);
    return LP_OK;
}

static const lp_planner planner_all = {.abi = LP_PLANNER_ABI,
                                       .name = "all",
                                       .summary = "looks at everything",
                                       .decides = LP_RUNS,
                                       .plan = enumerate};

/* The best packing of the schedule in hand. */
static lp_status pack_given(const lp_problem *problem, lp_schedule *schedule,
                            lp_error *error)
{
    lp_meaning meaning;

    LP_TRY(lp_schedule_lower(problem, schedule, &meaning, error));
    found.given_arena = pack(&meaning);
    return LP_OK;
}

static const lp_planner planner_packed = {.abi = LP_PLANNER_ABI,
                                          .name = "packed",
                                          .summary = "packs in every way",
                                          .decides = LP_PLACE,
                                          .plan = pack_given};

extern const lp_planner lp_planner_order, lp_planner_place, lp_planner_baseline;

static const lp_planner *const table[] = {
    &planner_all,      &planner_packed,      &lp_planner_order,
    &lp_planner_place, &lp_planner_baseline, NULL};

/* ---- tests -----------------------------------------------------------------
 */

static lp_plan *plan_of(const lp_model *model, const char *const *chain,
                        size_t count)
{
    lp_plan_options options = {.planners = chain, .planners_count = count};
    lp_plan *plan = NULL;
    lp_error error = {0};

    if (lpi_plan_new(table, model, &options, &plan, &error) != LP_OK)
        fail_msg("%s", error.message);
    return plan;
}

/* No bound of "plan" is above the least of what it speaks of. */
static void check_bounds(const lp_plan *plan, int64_t *counts)
{
    for (int64_t i = 0; i < plan->bounds_count; i++) {
        const lp_plan_bound *b = &plan->bounds[i];
        bool live = !strcmp(b->quantity, "live_peak_bytes");
        bool arena = !strcmp(b->quantity, "arena_bytes");
        bool free = !*b->given || !strcmp(b->given, "groups");

        if (live && !strstr(b->given, "runs")) {
            assert_true(b->value <= found.live);
            counts[0]++;
        }
        if (live && free)
            assert_true(b->value <= found.again_live);
        if (arena && free && found.all_packed) {
            assert_true(b->value <= found.arena);
            counts[1]++;
        }
        if (arena && strstr(b->given, "alias") && found.given_arena >= 0) {
            assert_true(b->value <= found.given_arena);
            counts[2]++;
        }
    }
}

static void test_all(void **state)
{
    static const char *const all[] = {"all"};
    static const char *const ordered[] = {"order", "place", "packed"};
    static const char *const kept[] = {"baseline", "packed"};
    int32_t graphs = getenv("LPLAN_SHORT") ? 20 : 150, orders = 0, better = 0;
    int64_t counts[3] = {0}, packed = 0;

    (void)state;
    for (int32_t g = 0; g < graphs; g++) {
        lp_model *model = random_net((uint64_t)g + 5000, 2 + g % 6);
        lp_plan *plan = plan_of(model, all, 1);

        lp_plan_free(plan);
        if (found.orders < 1) {
            lp_model_free(model);
            continue;
        }
        plan = plan_of(model, ordered, 3);
        assert_int_equal(plan->predictions.live_peak_bytes, found.live);
        if (found.given_arena >= 0) {
            assert_int_equal(plan->predictions.arena_bytes, found.given_arena);
            packed++;
        }
        check_bounds(plan, counts);
        lp_plan_free(plan);
        plan = plan_of(model, kept, 2);
        assert_int_equal(plan->predictions.live_peak_bytes, found.given_live);
        check_bounds(plan, counts);
        lp_plan_free(plan);
        orders += found.orders > 1;
        better += found.live < found.given_live;
        lp_model_free(model);
    }
    print_message("%d models of several orders, %d gain; %lld exact packings\n",
                  (int)orders, (int)better, (long long)packed);
    assert_true(orders > graphs / 4 && better > 0 && packed > graphs / 4);
    assert_true(counts[0] > graphs && counts[1] > graphs / 4 &&
                counts[2] > graphs / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
