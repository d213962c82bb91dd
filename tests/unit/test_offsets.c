/* test_offsets.c: greedy packings of random intervals, and the sweep that finds
 * collisions, against all pairs. */
#include "random_net.h"

static bool collide(const lpi_interval *a, int64_t at, const lpi_interval *b,
                    int64_t bt)
{
    return a->bytes && b->bytes && a->first <= b->last && b->first <= a->last &&
           at < bt + b->bytes && bt < at + a->bytes;
}

/* Whether two intervals collide, by looking at all pairs. */
static bool any_collision(const lpi_interval *intervals, const int64_t *offsets,
                          int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < i; j++)
            if (collide(&intervals[i], offsets[i], &intervals[j], offsets[j]))
                return true;
    return false;
}

static void check_packing(lpi_arena *arena, const lpi_interval *intervals,
                          int64_t count, const char *rule)
{
    lpi_packing packing = {0};
    int64_t pair[2], height = 0;
    bool found = true;

    assert_int_equal(
        lpi_offsets_pack(arena, intervals, count, rule, &packing, NULL), LP_OK);
    assert_false(any_collision(intervals, packing.offsets, count));
    assert_int_equal(lpi_offsets_overlap(arena, intervals, packing.offsets,
                                         count, &found, pair, NULL),
                     LP_OK);
    assert_false(found);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(packing.offsets[i] % intervals[i].alignment, 0);
        if (intervals[i].bytes &&
            packing.offsets[i] + intervals[i].bytes > height)
            height = packing.offsets[i] + intervals[i].bytes;
    }
    assert_int_equal(packing.height_bytes, height);
    assert_true(packing.bound_bytes <= height);
    if (rule)
        assert_string_equal(packing.rule, rule);
}

/* Move one interval: the sweep and the pairs must agree. */
static void check_sweep(lpi_arena *arena, lpi_interval *intervals,
                        int64_t count)
{
    int64_t *offsets = LPI_NEW(arena, int64_t, count);
    int64_t pair[2];
    bool found;

    for (int64_t i = 0; i < count; i++)
        offsets[i] = pick(300);
    assert_int_equal(lpi_offsets_overlap(arena, intervals, offsets, count,
                                         &found, pair, NULL),
                     LP_OK);
    assert_int_equal(found, any_collision(intervals, offsets, count));
    if (found)
        assert_true(collide(&intervals[pair[0]], offsets[pair[0]],
                            &intervals[pair[1]], offsets[pair[1]]));
}

static void test_placement(void **state)
{
    const int32_t rounds = getenv("LPLAN_SHORT") ? 60 : 600;
    lpi_interval intervals[40];

    (void)state;
    net_state = 7;
    for (int32_t round = 0; round < rounds; round++) {
        lpi_arena *arena = lpi_arena_new(1 << 26);
        int64_t count = pick(40);

        for (int64_t i = 0; i < count; i++) {
            intervals[i].first = pick(30);
            intervals[i].last = intervals[i].first + pick(1 + pick(30));
            intervals[i].bytes = pick(8) ? pick(60) : 0;
            intervals[i].alignment = 1 << pick(5);
        }
        check_packing(arena, intervals, count, NULL);
        for (int32_t i = 0; lpi_offset_rule(i); i++)
            check_packing(arena, intervals, count, lpi_offset_rule(i));
        check_sweep(arena, intervals, pick(4) ? count % 5 : count);
        lpi_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
