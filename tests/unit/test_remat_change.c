/* test_remat_change.c: changes of a sequence, measured and made. */
#include "remat_graphs.h"

/* Whether "change" is the first load of what may share bytes in place, or takes
 * the only one out: what that does to others is not measured. */
static bool is_rough(const drawn *d, const lpi_remat *remat,
                     const lpi_remat_change *change)
{
    int32_t item = change->removed >= 0 ? remat->items[change->removed]
                                        : change->group[0];
    int32_t others = item < 0 ? remat->loads[~item] : 1, i;

    if (others > (change->removed >= 0 && !change->group_count) ||
        (change->removed >= 0 && change->group_count))
        return false;
    for (i = 0; i < d->graph.nodes_count; i++)
        if (remat->takes[i] >= 0 &&
            (remat->takes[i] == ~item || d->outputs[i][0] == ~item))
            return true;
    return false;
}

/* A change of the items of "remat", drawn: one left out, one moved, one put in
 * again, with a load perhaps.  False when what was drawn cannot be. */
static bool draw_change(const drawn *d, lpi_remat *remat,
                        lpi_remat_change *change)
{
    int32_t at = draw(remat->count + 1), item, t;

    *change = (lpi_remat_change){.removed = -1, .at = at};
    if (draw(3) == 0) {
        change->removed = change->at = draw(remat->count);
        return remat->is_again[change->removed];
    }
    if (draw(2) && remat->count) {
        change->removed = draw(remat->count);
        change->group[change->group_count++] = remat->items[change->removed];
        return at != change->removed && at != change->removed + 1 &&
               lpi_remat_may_move(remat, change->removed, at);
    }
    if (!at)
        return false;
    item = remat->items[draw(at)];
    t = draw(d->graph.tensors_count);
    if (d->tensors[t].load_cost >= 0 &&
        (d->tensors[t].is_stored || d->tensors[t].store_cost >= 0) &&
        LPI_REMAT_POSITION(remat->events[remat->begins[t]]) < at)
        change->group[change->group_count++] = ~t;
    if (item < 0 || !d->nodes[item].outputs_count)
        return false;
    change->group[change->group_count++] = item;
    return true;
}

/* What a change is said to do is what it does. */
static void test_change(void **state)
{
    int32_t i, k, made = 0;

    (void)state;
    for (i = 0; i < 60; i++) {
        lpi_arena *arena = lpi_arena_new(64 << 20);
        lp_remat_options options = {.free_order = true, .seed = i};
        lpi_remat remat;
        drawn d;

        seed = 5000 + (uint32_t)i;
        draw_graph(&d, 5 + draw(40), 2 * BIG);
        options.budget_bytes = 3 * draw_budget(arena, &d) / 4;
        assert_int_equal(
            lpi_remat_start(arena, &d.graph, &options, &remat, NULL), LP_OK);
        for (k = 0; k < 300; k++) {
            int64_t overflow = remat.overflow, cost = remat.cost;
            lpi_remat_change change;
            bool rough;

            if (!draw_change(&d, &remat, &change))
                continue;
            lpi_remat_measure(&remat, &change);
            rough = is_rough(&d, &remat, &change);
            if (!lpi_remat_apply(&remat, &change))
                continue;
            made++;
            if (!rough && overflow - remat.overflow != change.relief)
                fail_msg("graph %d, change %d: relief %lld, said %lld", i, k,
                         (long long)(overflow - remat.overflow),
                         (long long)change.relief);
            assert_int_equal(remat.cost - cost, change.price);
        }
        lpi_arena_free(arena);
    }
    print_message("# %d changes measured\n", made);
    assert_true(made > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change),
    };

    return cmocka_run_group_tests_name("remat changes", tests, NULL, NULL);
}
