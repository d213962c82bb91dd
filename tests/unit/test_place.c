/* test_place.c: offsets found against those that exist.
 *
 * Small random problems are solved by trying every offset of every buffer, on
 * a grid of times and bytes that shares nothing with the solver; larger ones
 * are checked for validity, bounds and equal answers. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/solve/solve.h"

#include <cmocka.h>

enum { TIMES = 8, BYTES = 24, BUFFERS = 6 };

typedef struct problem {
    lp_buffer buffers[64];
    lp_gap gaps[64][2];
    int64_t count;
    bool has_windows;
} problem;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static int64_t rounds(int64_t most)
{
    return getenv("LPLAN_SHORT") ? most / 10 : most;
}

/* Whether buffer "b" at "offset" takes "byte" at "time". */
static bool takes(const lp_buffer *b, int64_t offset, int64_t time,
                  int64_t byte)
{
    int64_t low = 0, high = b->bytes;

    if (time < b->lower || time >= b->upper)
        return false;
    for (int32_t i = 0; i < b->gaps_count; i++) {
        if (time < b->gaps[i].from || time >= b->gaps[i].to)
            continue;
        low = b->gaps[i].low;
        high = b->gaps[i].high;
    }
    return byte >= offset + low && byte < offset + high;
}

/* Mark (or unmark) the bytes of "b" at "offset"; false, with nothing marked,
 * when one is taken or lies at "height" or above. */
static bool mark(char grid[TIMES][BYTES], const lp_buffer *b, int64_t offset,
                 int64_t height, bool on)
{
    for (int pass = on ? 0 : 1; pass < 2; pass++)
        for (int64_t t = b->lower; t < b->upper; t++)
            for (int64_t y = offset; y < offset + b->bytes; y++) {
                if (!takes(b, offset, t, y))
                    continue;
                if (pass == 0 && (y >= height || grid[t][y]))
                    return false;
                if (pass == 1)
                    grid[t][y] = on;
            }
    return true;
}

/* Whether buffers from number "at" on fit below "height". */
static bool fits(char grid[TIMES][BYTES], const problem *p, int64_t at,
                 int64_t height)
{
    const lp_buffer *b = &p->buffers[at];
    int64_t step = b->alignment > 0 ? b->alignment : 1;

    if (at == p->count)
        return true;
    for (int64_t o = 0; o + b->bytes <= height || o == 0; o += step) {
        int64_t offset = b->offset >= 0 ? b->offset : o;

        if (offset + b->bytes <= height &&
            mark(grid, b, offset, height, true)) {
            bool all = fits(grid, p, at + 1, height);

            mark(grid, b, offset, height, false);
            if (all)
                return true;
        }
        if (b->offset >= 0)
            return false;
    }
    return false;
}

static bool all_fit(const problem *p, int64_t height)
{
    char grid[TIMES][BYTES] = {{0}};

    return fits(grid, p, 0, height);
}

/* A small problem: gaps, windows, alignment and fixed offsets as "kind" says,
 * bit by bit. */
static void make(uint32_t seed, uint32_t kind, problem *p)
{
    uint32_t state = seed * 2654435761u + 17;

    memset(p, 0, sizeof(*p));
    p->count = 2 + draw(&state, BUFFERS - 1);
    for (int64_t i = 0; i < p->count; i++) {
        lp_buffer *b = &p->buffers[i];

        b->lower = draw(&state, TIMES);
        b->upper = b->lower + 1 + draw(&state, (uint32_t)(TIMES - b->lower));
        b->bytes = 1 + draw(&state, 4);
        b->alignment = kind & 1 ? 1 + draw(&state, 3) : draw(&state, 2);
        b->offset = b->hint = -1;
        b->gaps = p->gaps[i];
        if ((kind & 6) && b->upper - b->lower > 2 && draw(&state, 2)) {
            lp_gap *gap = &p->gaps[i][b->gaps_count++];

            gap->from = b->lower + 1;
            gap->to = b->upper - (int64_t)draw(&state, 2);
            if (kind & 4) {
                gap->low = draw(&state, (uint32_t)b->bytes);
                gap->high = gap->low +
                            draw(&state, (uint32_t)(b->bytes - gap->low + 1));
                p->has_windows = p->has_windows || gap->low < gap->high;
            }
        }
        if ((kind & 8) && draw(&state, 4) == 0) {
            int64_t step = b->alignment ? b->alignment : 1;

            b->offset = (int64_t)draw(&state, 6) / step * step;
        }
        if (draw(&state, 8) == 0)
            b->hint = draw(&state, 6);
    }
}

/* Whether "answer" is a packing, as the grid sees it. */
static bool is_packing(const problem *p, const lp_placement *answer)
{
    char grid[TIMES][BYTES] = {{0}};

    for (int64_t i = 0; i < p->count; i++) {
        const lp_buffer *b = &p->buffers[i];

        if ((b->alignment > 1 && answer->offsets[i] % b->alignment) ||
            (b->offset >= 0 && answer->offsets[i] != b->offset) ||
            answer->offsets[i] + b->bytes > answer->height_bytes ||
            !mark(grid, b, answer->offsets[i], BYTES, true))
            return false;
    }
    return true;
}

/* The core does not fit, and does as soon as one is taken out. */
static void check_core(const problem *p, const lp_placement *answer,
                       int64_t capacity)
{
    problem part = {.count = answer->core_count};

    assert_true(answer->core_count > 0);
    for (int64_t i = 0; i < part.count; i++)
        part.buffers[i] = p->buffers[answer->core[i]];
    assert_false(all_fit(&part, capacity));
    for (int64_t out = 0; out < answer->core_count && answer->core_minimal;
         out++) {
        problem less = {.count = 0};

        for (int64_t i = 0; i < part.count; i++)
            if (i != out)
                less.buffers[less.count++] = part.buffers[i];
        if (!p->has_windows)
            assert_true(all_fit(&less, capacity));
    }
}

/* Solve "p" for the lowest height and for each capacity around it. */
static void check_small(const problem *p)
{
    lpi_arena *arena = lpi_arena_new(INT64_C(1) << 30);
    lp_error error = {.status = LP_OK};
    lp_placement answer;
    int64_t lowest = 0, capacity;
    lp_status status;

    while (lowest < BYTES && !all_fit(p, lowest))
        lowest++;
    status = lp_solve_place(arena, p->buffers, p->count, NULL, &answer, &error);
    if (lowest == BYTES) { /* fixed ones collide */
        assert_int_equal(status, LP_EINPUT);
        assert_true(error.message[0]);
        lpi_arena_free(arena);
        return;
    }
    assert_int_equal(status, LP_OK);
    assert_true(is_packing(p, &answer));
    assert_true(answer.fits && answer.bound_bytes <= lowest);
    if (p->has_windows)
        assert_true(answer.height_bytes >= lowest);
    else
        assert_true(answer.height_bytes == lowest &&
                    answer.bound_bytes == lowest);
    for (capacity = lowest > 2 ? lowest - 2 : 1; capacity < lowest + 2;
         capacity++) {
        lp_place_options options = {.capacity_bytes = capacity};

        assert_int_equal(lp_solve_place(arena, p->buffers, p->count, &options,
                                        &answer, NULL),
                         LP_OK);
        assert_true(is_packing(p, &answer));
        assert_true(answer.bound_bytes <= lowest);
        assert_true(!answer.fits || answer.height_bytes <= capacity);
        if (!p->has_windows)
            assert_int_equal(answer.fits, capacity >= lowest);
        if (answer.bound_bytes > capacity)
            check_core(p, &answer, capacity);
    }
    lpi_arena_free(arena);
}

static void test_small(void **state)
{
    static problem p;

    (void)state;
    for (uint32_t kind = 0; kind < 16; kind++)
        for (uint32_t seed = 0; seed < (uint32_t)rounds(1500); seed++) {
            make(seed * 16 + kind, kind, &p);
            check_small(&p);
        }
}

/* Ends of lifetimes that a leading gap must not waste: 180, not 240. */
static void test_leading_gap(void **state)
{
    static const lp_buffer buffers[] = {
        {.lower = 0, .upper = 2, .bytes = 100, .offset = -1, .hint = -1},
        {.lower = 1, .upper = 3, .bytes = 80, .offset = -1, .hint = -1},
        {.lower = 2, .upper = 4, .bytes = 60, .offset = -1, .hint = -1},
    };
    lpi_arena *arena = lpi_arena_new(1 << 20);
    lp_placement answer;

    (void)state;
    assert_int_equal(lp_solve_place(arena, buffers, 3, NULL, &answer, NULL),
                     LP_OK);
    assert_int_equal(answer.height_bytes, 180);
    assert_int_equal(answer.bound_bytes, 180);
    assert_string_equal(answer.proof, "max-load");
    lpi_arena_free(arena);
}

static bool overlap(const lp_buffer *a, int64_t at, const lp_buffer *b,
                    int64_t bt)
{
    return a->lower < b->upper && b->lower < a->upper && at < bt + b->bytes &&
           bt < at + a->bytes;
}

/* Larger ones: valid, bounded, and the same twice, with whatever effort. */
static void test_large(void **state)
{
    static lp_buffer buffers[300];

    (void)state;
    for (uint32_t seed = 0; seed < (uint32_t)rounds(40); seed++) {
        lp_place_options options = {.effort = 1 + seed * 500};
        int64_t count = 20 + seed * 7;
        uint32_t random = seed + 99;
        lp_placement answers[2];
        lpi_arena *arenas[2];

        for (int64_t i = 0; i < count; i++) {
            int64_t lower = draw(&random, 500);

            buffers[i] = (lp_buffer){
                .lower = lower,
                .upper = lower + 1 + draw(&random, seed % 2 ? 20 : 300),
                .bytes = (1 + draw(&random, 999)) * (seed % 3 ? 1 : 64),
                .alignment = seed % 5 ? 1 : 48,
                .offset = -1,
                .hint = -1};
        }
        for (int i = 0; i < 2; i++) {
            arenas[i] = lpi_arena_new(INT64_C(1) << 30);
            assert_int_equal(lp_solve_place(arenas[i], buffers, count, &options,
                                            &answers[i], NULL),
                             LP_OK);
        }
        assert_memory_equal(answers[0].offsets, answers[1].offsets,
                            (size_t)count * sizeof(int64_t));
        assert_int_equal(answers[0].work, answers[1].work);
        assert_true(answers[0].height_bytes >= answers[0].bound_bytes);
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < i; j++)
                assert_false(overlap(&buffers[i], answers[0].offsets[i],
                                     &buffers[j], answers[0].offsets[j]));
        lpi_arena_free(arenas[0]);
        lpi_arena_free(arenas[1]);
    }
}

/* What is malformed is refused. */
static void test_refusals(void **state)
{
    static const lp_gap outside = {.from = 0, .to = 3};
    static const lp_gap wide = {.from = 1, .to = 2, .low = 0, .high = 9};
    static const lp_buffer good = {
        .lower = 1, .upper = 2, .bytes = 8, .offset = -1, .hint = -1};
    lp_buffer bad[] = {good, good, good, good, good, good, good};
    lpi_arena *arena = lpi_arena_new(1 << 20);
    lp_placement answer;
    lp_error error;

    (void)state;
    bad[0].upper = 1;
    bad[1].bytes = -1;
    bad[2].alignment = -4;
    bad[3].offset = -2;
    bad[4].gaps = &outside;
    bad[4].gaps_count = 1;
    bad[5].gaps = &wide;
    bad[5].gaps_count = 1;
    bad[6].alignment = 16;
    bad[6].offset = 8;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(
            lp_solve_place(arena, &bad[i], 1, NULL, &answer, &error),
            LP_EINPUT);
        assert_true(error.message[0]);
    }
    assert_int_equal(lp_solve_place(arena, NULL, 0, NULL, &answer, NULL),
                     LP_OK);
    assert_true(answer.fits && answer.height_bytes == 0);
    bad[0] = bad[1] = good;
    bad[0].bytes = bad[1].bytes = INT64_MAX / 2;
    assert_int_equal(lp_solve_place(arena, bad, 2, NULL, &answer, &error),
                     LP_EINFEASIBLE);
    lpi_arena_free(arena);
}

/* Every allocation fails in turn; also under a cap that rises. */
static void test_no_memory(void **state)
{
    static const char csv[] = "size,id,lower,end,gaps,offset,hint,alignment\n"
                              "3,a,0,4,1-2 3-4@0:1,-1,-1,1\n4,b,0,1,,,,2\n"
                              "4,c,1,5,,,,1\n5,d,0,5,,,,1\n2,e,2,3,,,,1\n";
    lp_status status = LP_ENOMEM;

    (void)state;
    for (int64_t n = 1; status != LP_OK; n++) {
        lp_place_problem *read = NULL;
        lp_place_answer answer;
        char *text = NULL;

        lpi_alloc_fail_at(n);
        status = lp_place_problem_read(csv, strlen(csv), "x", &read, NULL);
        if (status == LP_OK)
            status = lp_place_problem_solve(read, 9, 0, &answer, NULL);
        if (status == LP_OK)
            status = lp_place_problem_solve(read, 0, 0, &answer, NULL);
        if (status == LP_OK)
            status = lp_place_problem_write(read, &text, NULL, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
        lp_text_free(text);
        lp_place_problem_free(read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),     cmocka_unit_test(test_leading_gap),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
