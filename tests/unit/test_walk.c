/* test_walk.c: walks and copies of boxes, against loops over every element.
 *
 * Boxes are random, small, of every rank up to six, with strides that are
 * dense, transposed, repeating (0) or reversed. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/kernel/kernel.h"

#include <cmocka.h>

enum { RANK = 6, SIDE = 4, ROUNDS = 20000 };

static uint32_t seed;

static int random_below(int n)
{
    seed = seed * 1664525 + 1013904223;
    return (int)(seed >> 8) % n;
}

typedef struct box {
    int32_t rank;
    int64_t dims[RANK], strides[RANK];
    int64_t elements, first;
} box;

/* A box with axes of 0 to SIDE elements, dense strides permuted, some 0, some
 * reversed; positions stay within the elements of the dense box. */
static box random_box(bool may_repeat)
{
    box b = {.rank = random_below(RANK + 1), .elements = 1};
    int32_t order[RANK], i, k;

    for (i = 0; i < b.rank; i++) {
        b.dims[i] = random_below(40) ? 1 + random_below(SIDE) : 0;
        k = random_below(i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    for (i = 0; i < b.rank; i++) {
        b.strides[order[i]] = b.elements;
        b.elements *= b.dims[order[i]];
    }
    for (i = 0; i < b.rank && b.elements; i++) {
        int what = random_below(6);

        if (what == 0 && may_repeat)
            b.strides[i] = 0;
        if (what == 1) {
            b.first += (b.dims[i] - 1) * b.strides[i];
            b.strides[i] = -b.strides[i];
        }
    }
    return b;
}

/* Position, from its start on, of element "n" of "b" in row-major order. */
static int64_t position(const box *b, const int64_t *strides, int64_t n)
{
    int64_t at = 0;
    int32_t i;

    for (i = b->rank - 1; i >= 0; i--) {
        at += n % b->dims[i] * strides[i];
        n /= b->dims[i];
    }
    return at;
}

static void walks_reach_every_element_in_order(void **state)
{
    int round;

    (void)state;
    seed = 1;
    for (round = 0; round < ROUNDS; round++) {
        box b = random_box(true);
        int64_t dense[RANK], n = 0, i;
        const int64_t *strides[] = {dense, b.strides};
        lpi_walk walk;
        bool more;

        lpi_strides(b.rank, b.dims, dense);
        for (more = lpi_walk_start(&walk, b.rank, b.dims, 2, strides); more;
             more = lpi_walk_next(&walk))
            for (i = 0; i < walk.length; i++, n++) {
                assert_int_equal(walk.at[0] + i * walk.step[0], n);
                assert_int_equal(walk.at[1] + i * walk.step[1],
                                 position(&b, b.strides, n));
            }
        assert_int_equal(n, b.elements);
    }
}

static void dense_boxes_are_one_run(void **state)
{
    const int64_t dims[] = {2, 1, 3, 4}, dense[] = {12, 99, 4, 1};
    const int64_t *strides[] = {dense, dense};
    lpi_walk walk;

    (void)state;
    assert_true(lpi_walk_start(&walk, 4, dims, 2, strides));
    assert_int_equal(walk.length, 24);
    assert_int_equal(walk.step[0], 1);
    assert_false(lpi_walk_next(&walk));
}

/* Ranks without a limit: axes of one element cost nothing. */
static void ones_do_not_count(void **state)
{
    enum { MANY = 5000 };
    int64_t *dims = calloc(MANY, sizeof(*dims));
    int64_t *dense = calloc(MANY, sizeof(*dense));
    const int64_t *strides[] = {dense};
    lpi_walk walk;
    int i;

    (void)state;
    assert_non_null(dims);
    assert_non_null(dense);
    for (i = 0; i < MANY; i++)
        dims[i] = i == 7 || i == 4000 ? 3 : 1;
    lpi_strides(MANY, dims, dense);
    assert_true(lpi_walk_start(&walk, MANY, dims, 1, strides));
    assert_int_equal(walk.length, 9);
    dims[9] = 0;
    assert_false(lpi_walk_start(&walk, MANY, dims, 1, strides));
    free(dims);
    free(dense);
}

/* Element "i" of "bits" each of "bytes", in the low bits. */
static uint64_t element(const unsigned char *bytes, int bits, int64_t i)
{
    uint64_t value = 0;

    if (bits < 8)
        return bytes[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
    memcpy(&value, bytes + i * bits / 8, bits < 64 ? (size_t)bits / 8 : 8);
    return value;
}

static void copies_match_elements(void **state)
{
    static const int widths[] = {2, 4, 8, 16, 32, 64, 128};
    enum { MOST = 4096 * 16 + 64 };
    static unsigned char from[MOST], to[MOST];
    int round, i;

    (void)state;
    seed = 2;
    for (i = 0; i < MOST; i++)
        from[i] = (unsigned char)random_below(256);
    for (round = 0; round < ROUNDS / 4; round++) {
        int bits = widths[round % LPI_COUNT(widths)];
        box a = random_box(true);
        int64_t dense[RANK], n;

        lpi_strides(a.rank, a.dims, dense);
        memset(to, 0, sizeof(to));
        lpi_copy_box(bits, a.rank, a.dims, (lpi_place){to, 3, dense},
                     (lpi_place){from, a.first, a.strides});
        for (n = 0; n < a.elements; n++)
            assert_true(
                element(to, bits, 3 + n) ==
                element(from, bits, a.first + position(&a, a.strides, n)));
        assert_true(element(to, bits, 2) == 0);
        assert_true(element(to, bits, 3 + a.elements) == 0);
    }
}

static void copies_scatter_too(void **state)
{
    static unsigned char from[4096 * 4], to[4096 * 4];
    int round, i;

    (void)state;
    seed = 3;
    for (i = 0; i < LPI_COUNT(from); i++)
        from[i] = (unsigned char)random_below(256);
    for (round = 0; round < ROUNDS / 4; round++) {
        box a = random_box(false);
        int64_t dense[RANK], n;

        lpi_strides(a.rank, a.dims, dense);
        lpi_copy_box(32, a.rank, a.dims, (lpi_place){to, a.first, a.strides},
                     (lpi_place){from, 0, dense});
        for (n = 0; n < a.elements; n++)
            assert_true(element(from, 32, n) ==
                        element(to, 32, a.first + position(&a, a.strides, n)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_reach_every_element_in_order),
        cmocka_unit_test(dense_boxes_are_one_run),
        cmocka_unit_test(ones_do_not_count),
        cmocka_unit_test(copies_match_elements),
        cmocka_unit_test(copies_scatter_too),
    };

    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
