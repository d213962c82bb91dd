/* test_pack_wide.c: packing of integers, truth and the wide dtypes, and
 * conversions between classes. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include "../../src/kernel/kernel.h"

#include <cmocka.h>

/* ---- integers --------------------------------------------------------------
 */

static const struct integer {
    lp_dtype dtype;
    int bits;
    bool has_sign;
} integers[] = {
    {LP_UINT2, 2, false},   {LP_INT2, 2, true},   {LP_UINT4, 4, false},
    {LP_INT4, 4, true},     {LP_UINT8, 8, false}, {LP_INT8, 8, true},
    {LP_UINT16, 16, false}, {LP_INT16, 16, true}, {LP_UINT32, 32, false},
    {LP_INT32, 32, true},
};

/* Low bits of "x" as a number of "n". */
static int64_t slow_wrap(const struct integer *n, int64_t x)
{
    int64_t span = INT64_C(1) << n->bits, rest = x % span;

    rest += rest < 0 ? span : 0;
    return n->has_sign && rest >= span / 2 ? rest - span : rest;
}

static void integers_keep_their_low_bits(void **state)
{
    static const int64_t more[] = {INT64_MIN, INT64_MAX, -1,
                                   INT32_MAX, INT32_MIN, UINT32_MAX};
    int i, k;

    (void)state;
    for (i = 0; i < LPI_COUNT(integers); i++) {
        const struct integer *n = &integers[i];
        unsigned char bytes[8] = {0};
        int64_t x, back;

        assert_int_equal(lpi_class_of(n->dtype), LPI_I64);
        for (x = -70000; x < 70000 + LPI_COUNT(more); x++) {
            int64_t value = x < 70000 ? x : more[x - 70000];

            lpi_pack(n->dtype, &value, 1, 1, bytes);
            lpi_unpack(n->dtype, bytes, 1, 1, &back);
            assert_int_equal(back, slow_wrap(n, value));
        }
        for (k = 0; k < 4 && n->bits == 32; k++)
            assert_int_equal(bytes[k], 0);
    }
}

/* Elements below a byte stand low bits first and leave their neighbours. */
static void small_elements_have_neighbours(void **state)
{
    static const lp_dtype dtypes[] = {LP_UINT4, LP_UINT2};
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(dtypes); i++) {
        int bits = lp_dtype_bits(dtypes[i]), k;
        unsigned char bytes[2] = {0xff, 0xff};
        int64_t zero = 0, back[8];

        lpi_pack(dtypes[i], &zero, 1, 1, bytes);
        lpi_unpack(dtypes[i], bytes, 0, 16 / bits, back);
        for (k = 0; k < 16 / bits; k++)
            assert_int_equal(back[k], k == 1 ? 0 : (1 << bits) - 1);
        assert_int_equal(bytes[0], 0xff & ~(((1 << bits) - 1) << bits));
        assert_int_equal(bytes[1], 0xff);
    }
}

static void truth_is_one(void **state)
{
    static const int64_t values[] = {0, 1, -1, 2, 256, INT64_MIN};
    unsigned char bytes[6];
    int64_t back[6];
    int i;

    (void)state;
    lpi_pack(LP_BOOL, values, 0, 6, bytes);
    for (i = 0; i < 6; i++)
        assert_int_equal(bytes[i], values[i] != 0);
    bytes[1] = 7;
    lpi_unpack(LP_BOOL, bytes, 0, 6, back);
    for (i = 0; i < 6; i++)
        assert_int_equal(back[i], values[i] != 0);
}

static void wide_ones_are_copied(void **state)
{
    static const double reals[] = {0.1, -0.0, INFINITY};
    static const uint64_t wholes[] = {0, 1, UINT64_MAX};
    double real[3];
    uint64_t whole[3];

    (void)state;
    lpi_pack(LP_FLOAT64, reals, 0, 3, real);
    assert_memory_equal(real, reals, sizeof(reals));
    lpi_unpack(LP_FLOAT64, reals, 1, 2, real);
    assert_memory_equal(real, reals + 1, sizeof(double) * 2);
    lpi_pack(LP_UINT64, wholes, 0, 3, whole);
    assert_memory_equal(whole, wholes, sizeof(wholes));
}

static void classes_of_all_dtypes(void **state)
{
    int i;

    (void)state;
    for (i = -1; i <= LP_DTYPE_COUNT; i++) {
        lpi_class class = lpi_class_of((lp_dtype)i);
        bool none = i <= 0 || i >= LP_DTYPE_COUNT || i == LP_STRING ||
                    i == LP_COMPLEX64 || i == LP_COMPLEX128;

        assert_int_equal(class == LPI_NO_CLASS, none);
        assert_int_equal(lpi_class_size(class), none               ? 0
                                                : class == LPI_F32 ? 4
                                                                   : 8);
    }
}

/* ---- between classes
 * --------------------------------------------------------- */

static void floats_truncate(void **state)
{
    static const double from[] = {1.9,      -1.9,      0x1p62, NAN,
                                  INFINITY, -INFINITY, 0x1p63, -0x1p63};
    static const int64_t want[] = {1,         -1,        INT64_C(1) << 62,
                                   INT64_MIN, INT64_MIN, INT64_MIN,
                                   INT64_MIN, INT64_MIN};
    int64_t got[8];
    uint64_t bits;
    double large = 0x1p63, less = -1;

    (void)state;
    lpi_convert(LPI_F64, from, LPI_I64, got, 8);
    assert_memory_equal(got, want, sizeof(want));
    lpi_convert(LPI_F64, &large, LPI_U64, &bits, 1);
    assert_true(bits == UINT64_C(1) << 63);
    lpi_convert(LPI_F64, &less, LPI_U64, &bits, 1);
    assert_true(bits == UINT64_MAX);
}

static void integers_become_floats(void **state)
{
    int64_t whole = (INT64_C(1) << 53) + 1;
    uint64_t top = UINT64_MAX;
    double real;
    float single;

    (void)state;
    lpi_convert(LPI_I64, &whole, LPI_F64, &real, 1);
    assert_true(real == 0x1p53);
    lpi_convert(LPI_U64, &top, LPI_F64, &real, 1);
    assert_true(real == 0x1p64);
    lpi_convert(LPI_U64, &top, LPI_F32, &single, 1);
    assert_true(single == 0x1p64f);
    whole = -5;
    lpi_convert(LPI_I64, &whole, LPI_U64, &top, 1);
    assert_true(top == UINT64_MAX - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_keep_their_low_bits),
        cmocka_unit_test(small_elements_have_neighbours),
        cmocka_unit_test(truth_is_one),
        cmocka_unit_test(wide_ones_are_copied),
        cmocka_unit_test(classes_of_all_dtypes),
        cmocka_unit_test(floats_truncate),
        cmocka_unit_test(integers_become_floats),
    };

    return cmocka_run_group_tests_name("pack_wide", tests, NULL, NULL);
}
