/* test_order.c: orders with the lowest peak, against all orders of small
 * graphs, on random layered and Watts-Strogatz graphs, with rules switched off,
 * and with every allocation failing. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/solve/solve.h"
#include "order_graphs.h"

#include <cmocka.h>

static bool is_short(void)
{
    return getenv("LPLAN_SHORT") != NULL;
}

/* ---- oracle: what is resident, by definition -------------------------------
 */

static int64_t peak_by_definition(const lp_graph *g, const int32_t *order)
{
    int32_t at[64] = {0};
    int64_t peak = 0;

    for (int32_t i = 0; i < g->nodes_count; i++)
        at[order[i]] = i;
    for (int32_t i = 0; i < g->nodes_count; i++) {
        int64_t sum = g->nodes[order[i]].extra_bytes;

        for (int32_t t = 0; t < g->tensors_count; t++) {
            const lp_graph_tensor *tensor = &g->tensors[t];
            int32_t first = tensor->producer < 0 ? 0 : at[tensor->producer];
            int32_t last = tensor->is_output ? g->nodes_count : first;

            for (int32_t v = 0; v < g->nodes_count; v++)
                for (int32_t k = 0; k < g->nodes[v].inputs_count; k++)
                    if (g->nodes[v].inputs[k] == t && at[v] > last)
                        last = at[v];
            if (first <= i && i <= last)
                sum += tensor->bytes;
        }
        if (sum > peak)
            peak = sum;
    }
    return peak;
}

typedef struct brute {
    const lp_graph *g;
    int32_t order[16];
    int64_t best;
} brute;

static bool is_ready(const lp_graph *g, int32_t v, uint32_t done)
{
    for (int32_t k = 0; k < g->nodes[v].inputs_count; k++) {
        int32_t from = g->tensors[g->nodes[v].inputs[k]].producer;

        if (from >= 0 && !(done >> from & 1))
            return false;
    }
    return true;
}

static void try_orders(brute *b, int32_t count, uint32_t done)
{
    if (count == b->g->nodes_count) {
        int64_t peak = peak_by_definition(b->g, b->order);

        if (peak < b->best)
            b->best = peak;
    }
    for (int32_t v = 0; v < b->g->nodes_count; v++)
        if (!(done >> v & 1) && is_ready(b->g, v, done)) {
            b->order[count] = v;
            try_orders(b, count + 1, done | 1u << v);
        }
}

static int64_t best_by_brute_force(const lp_graph *g)
{
    brute b = {.g = g, .best = INT64_MAX};

    try_orders(&b, 0, 0);
    return g->nodes_count ? b.best : 0;
}

/* ---- properties -------------------------------------------------------------
 */

static lp_ordering solve(lpi_arena *arena, const lp_graph *g, int64_t effort,
                         int32_t rules)
{
    lp_order_options options = {.effort = effort};
    lp_ordering got = {0};
    lp_error error = {0};

    if (lpi_solve_order(arena, g, &options, rules, &got, &error) != LP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(lp_order_peak(arena, g, got.order), got.peak_bytes);
    assert_true(got.peak_bytes <= got.given_bytes);
    assert_true(got.bound_bytes <= got.peak_bytes);
    assert_non_null(got.proof);
    assert_string_equal(got.candidates[0].rule, "given");
    assert_int_equal(got.candidates[0].peak_bytes, got.given_bytes);
    for (int32_t i = 0; i < got.candidates_count; i++)
        assert_true(got.peak_bytes <= got.candidates[i].peak_bytes);
    return got;
}

/* Every set of rules proves the peak of brute force; small efforts stay above
 * it, and their bounds below. */
static void check_small(lpi_arena *arena, const lp_graph *g, uint32_t turn)
{
    static const int32_t sets[] = {
        LPI_ORDER_ALL,
        0,
        LPI_ORDER_EAGER,
        LPI_ORDER_LAZY,
        LPI_ORDER_VALLEY,
        LPI_ORDER_CUT | LPI_ORDER_LAZY,
        LPI_ORDER_EAGER | LPI_ORDER_CHAIN,
        LPI_ORDER_ALL & ~LPI_ORDER_EAGER,
        LPI_ORDER_ALL & ~LPI_ORDER_CHAIN,
        LPI_ORDER_ALL & ~LPI_ORDER_LAZY,
        LPI_ORDER_ALL & ~LPI_ORDER_VALLEY,
        LPI_ORDER_ALL & ~LPI_ORDER_CUT,
        LPI_ORDER_VALLEY | LPI_ORDER_LAZY,
        LPI_ORDER_SWEEP | LPI_ORDER_LAZY,
        LPI_ORDER_ALL & ~LPI_ORDER_SWEEP,
    };
    int64_t best = best_by_brute_force(g);
    int32_t i;

    for (i = 0; i < LPI_COUNT(sets); i++) {
        lp_ordering got = solve(arena, g, 0, sets[i]);

        assert_int_equal(peak_by_definition(g, got.order), got.peak_bytes);
        assert_int_equal(got.peak_bytes, best);
        assert_int_equal(got.bound_bytes, best);
    }
    for (i = 1; i < 64; i += 1 + (int32_t)(turn % 7)) {
        lp_ordering got = solve(arena, g, i, LPI_ORDER_ALL);

        assert_true(got.bound_bytes <= best && best <= got.peak_bytes);
    }
}

static void test_brute_force(void **state)
{
    uint32_t count = is_short() ? 200 : 3000;

    (void)state;
    for (uint32_t seed = 0; seed < count; seed++) {
        lpi_arena *arena = lpi_arena_new(INT64_MAX);
        graph_maker m = maker(arena, seed);

        check_small(arena, random_graph(&m, 1 + (int32_t)seed % 8), seed);
        check_small(arena, shared_graph(&m, 1 + (int32_t)seed % 8), seed);
        lpi_arena_free(arena);
    }
}

static void check_proved(const lp_graph *g, lpi_arena *arena)
{
    lp_ordering got = solve(arena, g, 0, LPI_ORDER_ALL);
    lp_ordering again = solve(arena, g, 0, LPI_ORDER_ALL);
    lp_ordering plain = solve(arena, g, 100000000, LPI_ORDER_EAGER);

    assert_int_equal(got.peak_bytes, got.bound_bytes);
    assert_int_equal(got.work, again.work);
    assert_memory_equal(got.order, again.order,
                        (size_t)g->nodes_count * sizeof(int32_t));
    if (plain.peak_bytes == plain.bound_bytes)
        assert_int_equal(got.peak_bytes, plain.peak_bytes);
    else
        assert_true(plain.bound_bytes <= got.peak_bytes);
}

static void test_layered(void **state)
{
    uint32_t count = is_short() ? 10 : 100;

    (void)state;
    for (uint32_t seed = 0; seed < count; seed++) {
        lpi_arena *arena = lpi_arena_new(INT64_MAX);
        graph_maker m = maker(arena, seed);

        check_proved(layered_graph(&m, 10 + (int32_t)seed % 21), arena);
        check_proved(random_graph(&m, 10 + (int32_t)seed % 21), arena);
        check_proved(shared_graph(&m, 10 + (int32_t)seed % 21), arena);
        lpi_arena_free(arena);
    }
}

static void test_watts_strogatz(void **state)
{
    uint32_t count = is_short() ? 4 : 40;

    (void)state;
    for (uint32_t seed = 0; seed < count; seed++) {
        lpi_arena *arena = lpi_arena_new(INT64_MAX);
        graph_maker m = maker(arena, seed);

        check_proved(watts_strogatz(&m, 32, seed % 2 == 0), arena);
        lpi_arena_free(arena);
    }
}

/* ---- bad input, little memory -----------------------------------------------
 */

static void test_allocations(void **state)
{
    int64_t n = 0;
    lp_status status = LP_ENOMEM;

    (void)state;
    while (status != LP_OK) {
        lpi_arena *arena = lpi_arena_new(INT64_MAX);
        graph_maker m = maker(arena, 7);
        const lp_graph *g = layered_graph(&m, 400);
        lp_order_options options = {.effort = 3000};
        lp_ordering got = {0};
        lp_error error = {0};
        int64_t peak;

        lpi_alloc_fail_at(++n);
        status = lp_solve_order(arena, g, &options, &got, &error);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
        if (status != LP_OK) {
            assert_null(got.order);
            assert_int_equal(error.status, LP_ENOMEM);
        }
        lpi_alloc_fail_at(n);
        peak = lp_order_peak(arena, g, m.identity);
        lpi_alloc_fail_at(0);
        assert_true(peak == -1 || peak == lp_order_peak(arena, g, m.identity));
        lpi_arena_free(arena);
    }
    assert_true(n > 3);
}

static void test_bad_graphs(void **state)
{
    static const int32_t zero[] = {0}, twice[] = {0, 0}, far[] = {9};
    static const lp_graph_node makes = {.outputs = zero, .outputs_count = 1};
    static const lp_graph_node reads = {.inputs = zero, .inputs_count = 1};
    static const lp_graph_node reads_twice = {.inputs = twice,
                                              .inputs_count = 2};
    static const lp_graph_node reads_far = {.inputs = far, .inputs_count = 1};
    static const lp_graph_node makes_far = {.outputs = far, .outputs_count = 1};
    static const lp_graph_node negative = {.extra_bytes = -1};
    static const lp_graph_node huge = {.extra_bytes = INT64_MAX};
    const struct {
        lp_graph_node nodes[2];
        lp_graph_tensor tensor;
    } bad[] = {
        {{reads, makes}, {.bytes = 1, .producer = 1}},
        {{makes, reads}, {.bytes = 1, .producer = -1}},
        {{makes, reads}, {.bytes = -1, .producer = 0}},
        {{makes, reads}, {.bytes = 1, .producer = 2}},
        {{makes, reads}, {.bytes = 1, .producer = -2}},
        {{makes, reads}, {.bytes = INT64_MAX, .producer = 0}},
        {{makes, makes}, {.bytes = 1, .producer = 0}},
        {{makes, reads_twice}, {.bytes = 1, .producer = 0}},
        {{makes, reads_far}, {.bytes = 1, .producer = 0}},
        {{makes_far, reads}, {.bytes = 1, .producer = 0}},
        {{reads, reads}, {.bytes = 1, .producer = 0}},
        {{makes, negative}, {.bytes = 1, .producer = 0}},
        {{makes, huge}, {.bytes = 1, .producer = 0}},
    };

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(bad); i++) {
        lpi_arena *arena = lpi_arena_new(INT64_MAX);
        lp_graph g = {bad[i].nodes, &bad[i].tensor, 2, 1};
        int32_t order[] = {0, 1};
        lp_ordering got = {0};
        lp_error error = {0};

        assert_int_equal(lp_solve_order(arena, &g, NULL, &got, &error),
                         LP_EINPUT);
        assert_true(strlen(error.message) > 10);
        assert_int_equal(lp_order_peak(arena, &g, order), -1);
        lpi_arena_free(arena);
    }
}

static void test_small_cases(void **state)
{
    static const int32_t zero[] = {0}, one[] = {1};
    static const lp_graph_node nodes[] = {
        {.inputs = zero, .inputs_count = 1, .outputs = one, .outputs_count = 1},
    };
    static const lp_graph_tensor tensors[] = {
        {.bytes = 5, .producer = -1},
        {.bytes = 7, .producer = 0},
        {.bytes = 100, .producer = -1},
    };
    lpi_arena *arena = lpi_arena_new(INT64_MAX);
    lp_graph empty = {0}, g = {nodes, tensors, 1, 3};
    int32_t order[] = {0}, wrong[] = {1};
    lp_ordering got = {0};

    (void)state;
    assert_int_equal(lp_solve_order(arena, &empty, NULL, &got, NULL), LP_OK);
    assert_int_equal(got.peak_bytes, 0);
    assert_int_equal(lp_solve_order(arena, &g, NULL, &got, NULL), LP_OK);
    assert_int_equal(got.peak_bytes, 112);
    assert_int_equal(got.bound_bytes, 112);
    assert_int_equal(lp_order_peak(arena, &g, order), 112);
    assert_int_equal(lp_order_peak(arena, &g, wrong), -1);
    lpi_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_cases),
        cmocka_unit_test(test_bad_graphs),
        cmocka_unit_test(test_brute_force),
        cmocka_unit_test(test_layered),
        cmocka_unit_test(test_watts_strogatz),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
