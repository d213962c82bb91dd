/* test_remat.c: recompute, store or spill, against a search of all states.
 *
 * Small graphs are drawn with several outputs, spills, nodes that run once and
 * tensors that are there from the start.  The oracle is Dijkstra's search over
 * (which nodes ran, what is resident, what is stored); the events are replayed
 * by a few lines that know only their contract. */
#include "remat_graphs.h"

enum { GRAPHS = 400 };

/* ---- the oracle --------------------------------------------------------- */

enum {
    STATES = 1 << (NODES + 2 * TENSORS),
    RESIDENT = NODES,
    STORED = NODES + TENSORS,
    FAR = 1 << 30,
    COSTS = 400
};

static int32_t distance[STATES];

static int64_t bytes_in(const drawn *d, uint32_t mask)
{
    int64_t sum = 0;
    int32_t t;

    for (t = 0; t < d->graph.tensors_count; t++)
        sum += mask >> t & 1 ? d->tensors[t].bytes : 0;
    return sum;
}

static void reach(uint32_t state, int32_t cost, bool *more)
{
    if (cost < distance[state]) {
        distance[state] = cost;
        *more = true;
    }
}

/* Go from "state" to where one event leads. */
static void spread(const drawn *d, uint32_t state, int64_t budget,
                   bool free_order, bool *more)
{
    uint32_t all = (1u << TENSORS) - 1, resident = state >> RESIDENT & all;
    uint32_t ran = state & ((1u << NODES) - 1);
    int32_t cost = distance[state], i, k, t;

    for (t = 0; t < d->graph.tensors_count; t++) {
        const lp_graph_tensor *row = &d->tensors[t];
        uint32_t in = 1u << (RESIDENT + t), out = 1u << (STORED + t);

        if (state & in) {
            reach(state & ~in, cost, more);
            if (!(state & out) && row->store_cost >= 0 && row->load_cost >= 0)
                reach(state | out, cost + (int32_t)row->store_cost, more);
        } else if (state & out && row->load_cost >= 0 &&
                   bytes_in(d, resident) + row->bytes <= budget) {
            reach(state | in, cost + (int32_t)row->load_cost, more);
        }
    }
    for (i = 0; i < d->graph.nodes_count; i++) {
        const lp_graph_node *node = &d->nodes[i];
        uint32_t made = resident;
        bool may = true;

        if (ran >> i & 1)
            may = !node->once;
        else if (!free_order)
            may = ran == (1u << i) - 1;
        for (k = 0; k < node->inputs_count; k++)
            may = may && resident >> node->inputs[k] & 1;
        for (k = 0; k < node->outputs_count; k++)
            made |= 1u << node->outputs[k];
        state &= ~(all << RESIDENT);
        if (may && bytes_in(d, made) + node->extra_bytes <= budget)
            reach(state | made << RESIDENT | 1u << i,
                  cost + (int32_t)node->cost, more);
        for (k = 0; may && k < node->in_place_count; k++) {
            uint32_t left = made & ~(1u << node->in_place[k]);

            if (bytes_in(d, left) + node->extra_bytes <= budget)
                reach(state | left << RESIDENT | 1u << i,
                      cost + (int32_t)node->cost, more);
        }
        state |= resident << RESIDENT;
    }
}

/* Least cost within "budget"; FAR: none. */
static int32_t optimum(const drawn *d, int64_t budget, bool free_order)
{
    uint32_t start = 0, state, wanted = 0;
    int32_t best = FAR, t;
    bool more = true;

    for (state = 0; state < STATES; state++)
        distance[state] = FAR;
    for (t = 0; t < d->graph.tensors_count; t++) {
        if (d->tensors[t].producer < 0)
            start |= 1u << (RESIDENT + t);
        if (d->tensors[t].is_stored)
            start |= 1u << (STORED + t);
        if (d->tensors[t].is_output)
            wanted |= 1u << t;
    }
    distance[start] = 0;
    while (more) {
        more = false;
        for (state = 0; state < STATES; state++)
            if (distance[state] < FAR)
                spread(d, state, budget, free_order, &more);
    }
    for (state = 0; state < STATES; state++)
        if ((state & ((1u << NODES) - 1)) == (1u << d->graph.nodes_count) - 1 &&
            ((state >> RESIDENT) & wanted) == wanted && distance[state] < best)
            best = distance[state];
    return best;
}

/* ---- the events, replayed ------------------------------------------------ */

typedef struct replay {
    bool resident[2 * BIG], stored[2 * BIG], loads[2 * BIG], ran[BIG];
    int64_t bytes, peak, cost;
} replay;

static void bring(replay *r, const drawn *d, int32_t t)
{
    if (!r->resident[t])
        r->bytes += d->tensors[t].bytes;
    r->resident[t] = true;
}

/* Whether "event", a run, is followed by the drop of "tensor". */
static bool drops(const lp_event *event, const lp_event *end, int32_t tensor)
{
    for (event++; event < end && event->kind != LP_EVENT_RUN &&
                  event->kind != LP_EVENT_LOAD;
         event++)
        if (event->kind == LP_EVENT_DROP && event->of == tensor)
            return true;
    return false;
}

/* Bytes that the run "event" saves in place. */
static int64_t saved(const replay *r, const drawn *d, const lp_event *event,
                     const lp_event *end)
{
    const lp_graph_node *node = &d->nodes[event->of];
    int32_t k;

    for (k = 0; k < node->in_place_count; k++)
        if (drops(event, end, node->in_place[k]) &&
            !r->loads[node->in_place[k]] && !r->loads[node->outputs[0]])
            return d->tensors[node->outputs[0]].bytes;
    return 0;
}

static void play(replay *r, const drawn *d, const lp_event *event,
                 const lp_event *end, bool free_order)
{
    bool runs = event->kind == LP_EVENT_RUN;
    const lp_graph_node *node = &d->nodes[runs ? event->of : 0];
    int64_t extra = 0;
    int32_t k;

    switch (event->kind) {
    case LP_EVENT_RUN:
        for (k = 0; k < node->inputs_count; k++)
            assert_true(r->resident[node->inputs[k]]);
        for (k = 0; k < event->of && !free_order; k++)
            assert_true(r->ran[k]);
        assert_false(r->ran[event->of] && node->once);
        r->ran[event->of] = true;
        for (k = 0; k < node->outputs_count; k++)
            bring(r, d, node->outputs[k]);
        extra = node->extra_bytes - saved(r, d, event, end);
        r->cost += node->cost;
        break;
    case LP_EVENT_STORE:
        assert_true(r->resident[event->of] && !r->stored[event->of]);
        assert_true(d->tensors[event->of].store_cost >= 0);
        r->stored[event->of] = true;
        r->cost += d->tensors[event->of].store_cost;
        return;
    case LP_EVENT_LOAD:
        assert_true(r->stored[event->of]);
        assert_true(d->tensors[event->of].load_cost >= 0);
        bring(r, d, event->of);
        r->cost += d->tensors[event->of].load_cost;
        break;
    case LP_EVENT_DROP:
        assert_true(r->resident[event->of]);
        r->resident[event->of] = false;
        r->bytes -= d->tensors[event->of].bytes;
        return;
    }
    if (r->bytes + extra > r->peak)
        r->peak = r->bytes + extra;
}

static void check_events(const drawn *d, const lp_rematerialisation *found,
                         int64_t budget, bool free_order)
{
    replay r = {0};
    int64_t i;
    int32_t t;

    for (t = 0; t < d->graph.tensors_count; t++) {
        r.stored[t] = d->tensors[t].is_stored;
        if (d->tensors[t].producer < 0)
            bring(&r, d, t);
    }
    for (i = 0; i < found->events_count; i++)
        if (found->events[i].kind == LP_EVENT_LOAD)
            r.loads[found->events[i].of] = true;
    for (i = 0; i < found->events_count; i++)
        play(&r, d, &found->events[i], found->events + found->events_count,
             free_order);
    for (t = 0; t < d->graph.nodes_count; t++)
        assert_true(r.ran[t]);
    for (t = 0; t < d->graph.tensors_count; t++)
        assert_true(r.resident[t] == d->tensors[t].is_output);
    assert_int_equal(r.cost, found->cost);
    assert_true(r.peak <= found->peak_bytes);
    assert_true(found->peak_bytes <= budget);
    assert_true(found->bound_cost <= found->cost);
}

/* ---- the tests ------------------------------------------------------------
 */

static void solve(lpi_arena *arena, const drawn *d, int64_t budget,
                  bool free_order, lp_rematerialisation *ret_found)
{
    const lp_remat_options options = {.budget_bytes = budget,
                                      .free_order = free_order,
                                      .effort = 3000,
                                      .seed = 7};
    lp_error error = {0};

    assert_int_equal(
        lp_solve_remat(arena, &d->graph, &options, ret_found, &error), LP_OK);
}

/* The same through CBC, when it was built in: neither worse, nor a bound above
 * the optimum "best". */
static void compare_exact(lpi_arena *arena, const drawn *d, int64_t budget,
                          int32_t best)
{
    const lp_remat_options options = {
        .budget_bytes = budget, .effort = 100, .exact = true};
    lp_rematerialisation found;
    lp_error error = {0};

    if (!lp_solve_has_cbc()) {
        assert_int_equal(
            lp_solve_remat(arena, &d->graph, &options, &found, &error),
            LP_EUNSUPPORTED);
        return;
    }
    assert_int_equal(lp_solve_remat(arena, &d->graph, &options, &found, &error),
                     LP_OK);
    if (found.fits)
        check_events(d, &found, budget, false);
    if (best < FAR && found.bound_cost > best)
        fail_msg("CBC's bound %lld is above the optimum %d",
                 (long long)found.bound_cost, best);
}

static void compare(int32_t index, bool free_order, int32_t *misses)
{
    lpi_arena *arena = lpi_arena_new(64 << 20);
    lp_rematerialisation found;
    int64_t budget;
    int32_t best;
    drawn d;

    seed = (uint32_t)index;
    draw_graph(&d, 2 + draw(NODES - 1), TENSORS);
    budget = draw_budget(arena, &d);
    if (budget < 0)
        budget = 0;
    best = optimum(&d, budget, free_order);
    solve(arena, &d, budget, free_order, &found);
    if (found.floor_bytes > budget)
        assert_int_equal(best, FAR);
    if (best < FAR && found.bound_cost > best)
        fail_msg("graph %d: the bound %lld is above the optimum %d", index,
                 (long long)found.bound_cost, best);
    if (found.fits) {
        check_events(&d, &found, budget, free_order);
        assert_true(found.cost >= best);
    }
    if (!free_order)
        compare_exact(arena, &d, budget, best);
    if (best < FAR && (!found.fits || found.cost > best))
        ++*misses;
    lpi_arena_free(arena);
}

static void test_optimum(void **state)
{
    int32_t misses[2] = {0}, i;

    (void)state;
    for (i = 0; i < GRAPHS; i++)
        compare(i, i % 2, &misses[i % 2]);
    print_message("# of %d graphs each, not optimal: fixed %d, free %d\n",
                  GRAPHS / 2, misses[0], misses[1]);
    assert_true(misses[0] <= GRAPHS / 100);
    assert_true(misses[1] <= GRAPHS / 100);
}

/* Events of larger graphs, fixed and free; the same again. */
static void test_larger(void **state)
{
    int32_t i, fits = 0;

    (void)state;
    for (i = 0; i < 100; i++) {
        lpi_arena *arena = lpi_arena_new(64 << 20);
        lp_rematerialisation found, again;
        int64_t budget, k;
        drawn d;

        seed = 1000 + (uint32_t)i;
        draw_graph(&d, 10 + draw(BIG - 10), 2 * BIG);
        budget = draw_budget(arena, &d);
        solve(arena, &d, budget, i % 2, &found);
        solve(arena, &d, budget, i % 2, &again);
        assert_int_equal(found.fits, again.fits);
        assert_int_equal(found.events_count, again.events_count);
        assert_int_equal(found.work, again.work);
        assert_int_equal(found.bound_cost, again.bound_cost);
        for (k = 0; k < found.events_count; k++)
            assert_true(found.events[k].kind == again.events[k].kind &&
                        found.events[k].of == again.events[k].of);
        if (found.fits)
            check_events(&d, &found, budget, i % 2);
        fits += found.fits;
        lpi_arena_free(arena);
    }
    print_message("# %d of 100 larger graphs fit\n", fits);
}

/* Let inputs of "d" that nobody reads take nothing. */
static void empty_unread(drawn *d)
{
    int32_t t, i;

    for (t = 0; t < d->graph.tensors_count; t++) {
        bool is_read = d->tensors[t].producer >= 0 || d->tensors[t].is_output;

        for (i = 0; !is_read && i < d->graph.nodes_count; i++)
            is_read = reads(d, i, t);
        if (!is_read)
            d->tensors[t].bytes = 0;
    }
}

/* The level of an order leads to a low peak: that which is counted, never above
 * the given one, and mostly the lowest. */
static void test_level(void **state)
{
    int32_t i, misses = 0;

    (void)state;
    for (i = 0; i < 200; i++) {
        lpi_arena *arena = lpi_arena_new(64 << 20);
        const lp_remat_options options = {.free_order = true, .seed = i};
        lp_ordering lowest;
        int64_t bytes, peak;
        lpi_remat remat;
        drawn d;

        seed = 9000 + (uint32_t)i;
        draw_graph(&d, 1 + draw(i % 2 ? BIG - 1 : 14), 2 * BIG);
        empty_unread(&d);
        assert_int_equal(
            lpi_remat_start(arena, &d.graph, &options, &remat, NULL), LP_OK);
        assert_int_equal(lpi_remat_level(&remat, 200, &bytes, NULL), LP_OK);
        assert_int_equal(lp_solve_order(arena, &d.graph, NULL, &lowest, NULL),
                         LP_OK);
        assert_int_equal(remat.count, d.graph.nodes_count);
        peak = lp_order_peak(arena, &d.graph, remat.items);
        assert_true(peak == bytes || peak == lowest.given_bytes);
        assert_true(bytes >= lowest.bound_bytes);
        assert_true(bytes <= lowest.given_bytes);
        assert_true(remat.peak_bytes <= lowest.given_bytes);
        misses += bytes > lowest.peak_bytes;
        lpi_arena_free(arena);
    }
    print_message("# of 200 orders, above the lowest: %d\n", misses);
    assert_true(misses <= 20);
}

static void test_working_set(void **state)
{
    static const int32_t one[] = {0}, two[] = {1};
    const lp_graph_node nodes[] = {
        {.outputs = one, .outputs_count = 1, .cost = 1},
        {.inputs = one, .inputs_count = 1, .outputs = two, .outputs_count = 1},
    };
    const lp_graph_tensor tensors[] = {
        {.bytes = 10, .producer = 0, .store_cost = -1, .load_cost = -1},
        {.bytes = 5, .producer = 1, .store_cost = -1, .load_cost = -1},
    };
    const lp_graph graph = {nodes, tensors, 2, 2};
    lp_remat_options options = {.budget_bytes = 14};
    lpi_arena *arena = lpi_arena_new(64 << 20);
    lp_rematerialisation found;
    lp_error error = {0};

    (void)state;
    assert_int_equal(lp_solve_remat(arena, &graph, &options, &found, &error),
                     LP_OK);
    assert_false(found.fits);
    assert_int_equal(found.floor_bytes, 15);
    assert_int_equal(found.floor_node, 1);
    options.budget_bytes = 15;
    assert_int_equal(lp_solve_remat(arena, &graph, &options, &found, &error),
                     LP_OK);
    assert_true(found.fits);
    assert_int_equal(found.cost, 1);
    options.budget_bytes = -1;
    assert_int_equal(lp_solve_remat(arena, &graph, &options, &found, &error),
                     LP_EINVALID);
    lpi_arena_free(arena);
}

static void test_memory(void **state)
{
    lp_remat_options options = {.effort = 500};
    lp_rematerialisation found;
    int32_t n, free_order;
    drawn d;

    (void)state;
    for (free_order = 0; free_order < 2; free_order++) {
        lp_status status = LP_ENOMEM;

        seed = 9;
        draw_graph(&d, 40, 2 * BIG);
        for (n = 1; status == LP_ENOMEM && n < 1000; n++) {
            lpi_arena *arena = lpi_arena_new(256 << 20);
            lp_error error = {0};

            options.budget_bytes = draw_budget(arena, &d);
            options.free_order = free_order;
            lpi_alloc_fail_at(n);
            status = lp_solve_remat(arena, &d.graph, &options, &found, &error);
            lpi_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ENOMEM);
            assert_int_equal(error.status, status);
            lpi_arena_free(arena);
        }
        assert_int_equal(status, LP_OK);
        assert_true(n > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimum), cmocka_unit_test(test_larger),
        cmocka_unit_test(test_level),   cmocka_unit_test(test_working_set),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("remat", tests, NULL, NULL);
}
