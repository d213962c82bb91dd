/* test_array.c: arrays in files and their comparison. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

static lp_array *array_of(lp_dtype dtype, int32_t rank, const int64_t *dims,
                          const void *bytes)
{
    lp_array *array = lpi_array_new(dtype, (lp_shape){rank, dims});

    assert_non_null(array);
    if (bytes)
        memcpy(array->bytes, bytes, (size_t)array->size_bytes);
    return array;
}

/* ---- NPY -------------------------------------------------------------- */

/* Every dtype and some shapes come back as they were written. */
static void test_npy_round(void **state)
{
    static const lp_dtype dtypes[] = {
        LP_FLOAT32, LP_FLOAT64, LP_FLOAT16,  LP_INT8,   LP_UINT8,
        LP_INT16,   LP_UINT16,  LP_INT32,    LP_UINT32, LP_INT64,
        LP_UINT64,  LP_BOOL,    LP_COMPLEX64};
    static const int64_t dims[3] = {2, 3, 4};
    char path[] = "test_array_XXXXXX.npy";

    (void)state;
    close(mkstemps(path, 4));
    for (int32_t i = 0; i < LPI_COUNT(dtypes); i++)
        for (int32_t rank = 0; rank <= 3; rank++) {
            lp_array *array = array_of(dtypes[i], rank, dims, NULL), *back;
            lp_difference difference;

            for (int64_t k = 0; k < array->size_bytes; k++)
                ((uint8_t *)array->bytes)[k] = (uint8_t)(k % 2);
            assert_int_equal(lp_array_write(array, path, NULL), LP_OK);
            assert_int_equal(lp_array_read(path, 0, &back, NULL), LP_OK);
            lp_array_compare(back, array, &(lp_tolerance){.bytes = true},
                             &difference, NULL);
            assert_true(difference.same);
            lp_array_free(array);
            lp_array_free(back);
        }
    unlink(path);
}

/* Elements below eight bits become bytes. */
static void test_npy_packed(void **state)
{
    static const uint8_t packed[2] = {0xf1, 0x08};
    static const int8_t wanted[3] = {1, -1, -8};
    const int64_t dims[1] = {3};
    lp_array *array = array_of(LP_INT4, 1, dims, packed);
    size_t length;
    char *bytes;

    (void)state;
    assert_int_equal(lpi_npy_write(array, &bytes, &length, NULL), LP_OK);
    assert_memory_equal(bytes + length - 3, wanted, 3);
    lp_text_free(bytes);
    lp_array_free(array);
}

static void test_npy_refused(void **state)
{
    static const struct {
        const char *header, *message;
    } bad[] = {
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "Fortran"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "big"},
        {"{'descr': '<M8', 'fortran_order': False, 'shape': (1,), }", "<M8"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
         "fields"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
         "wants 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
         "key"},
        {"{'descr': '<f4', 'fortran_order': False, 'fortran_order': False}",
         "twice"},
        {"{'descr': '<f4', 'shape': (1,)}", "lacks"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "behind"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': "
         "(99999999999999999999,)}",
         "large"},
        {"[1]", "dict"},
        {"{'descr", "dict"},
    };
    char path[] = "test_array_XXXXXX.npy";

    (void)state;
    close(mkstemps(path, 4));
    for (int32_t i = 0; i < LPI_COUNT(bad); i++) {
        size_t length = strlen(bad[i].header);
        lp_error error = {.status = LP_OK};
        char bytes[256] = "\x93NUMPY\1";
        lp_array *array;

        bytes[8] = (char)length;
        memcpy(bytes + 10, bad[i].header, length);
        assert_int_equal(lp_file_write(path, bytes, 14 + length, NULL), LP_OK);
        assert_int_not_equal(lp_array_read(path, 0, &array, &error), LP_OK);
        if (!strstr(error.message, bad[i].message))
            fail_msg("%s: %s", bad[i].header, error.message);
    }
    unlink(path);
}

/* ---- comparison ------------------------------------------------------- */

static void test_compare(void **state)
{
    static const struct {
        float got, wanted;
        bool same;
    } pairs[] = {
        {1, 1, true},
        {1.0009f, 1, true},
        {1.002f, 1, false},
        {5e-8f, 0, true},
        {2e-7f, 0, false},
        {NAN, NAN, true},
        {NAN, 1, false},
        {1, NAN, false},
        {INFINITY, INFINITY, true},
        {INFINITY, -INFINITY, false},
        {1, INFINITY, false},
        {INFINITY, 1, false},
        {-0.0f, 0, true},
    };
    lp_difference difference;

    (void)state;
    for (int32_t i = 0; i < LPI_COUNT(pairs); i++) {
        lp_array *got = array_of(LP_FLOAT32, 0, NULL, &pairs[i].got);
        lp_array *wanted = array_of(LP_FLOAT32, 0, NULL, &pairs[i].wanted);

        assert_int_equal(lp_array_compare(got, wanted, NULL, &difference, NULL),
                         LP_OK);
        if (difference.same != pairs[i].same)
            fail_msg("%g against %g", (double)pairs[i].got,
                     (double)pairs[i].wanted);
        lp_array_free(got);
        lp_array_free(wanted);
    }
}

static void test_compare_types(void **state)
{
    static const int64_t line[1] = {4}, square[2] = {2, 2};
    static const int8_t numbers[4] = {1, 2, 3, 4}, others[4] = {1, 2, 3, 5};
    lp_array *a = array_of(LP_INT8, 1, line, numbers);
    lp_array *b = array_of(LP_INT8, 2, square, numbers);
    lp_array *c = array_of(LP_UINT8, 1, line, numbers);
    lp_array *d = array_of(LP_INT8, 1, line, others);
    lp_difference difference;

    (void)state;
    lp_array_compare(a, a, NULL, &difference, NULL);
    assert_true(difference.same);
    lp_array_compare(a, b, NULL, &difference, NULL);
    assert_string_equal(difference.message, "has the shape 4, not 2x2");
    lp_array_compare(a, c, NULL, &difference, NULL);
    assert_string_equal(difference.message, "is int8, not uint8");
    lp_array_compare(a, d, NULL, &difference, NULL);
    assert_int_equal(difference.count, 1);
    assert_string_equal(difference.message, "element 3 is 4, not 5");
    lp_array_free(a);
    lp_array_free(b);
    lp_array_free(c);
    lp_array_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_round),     cmocka_unit_test(test_npy_packed),
        cmocka_unit_test(test_npy_refused),   cmocka_unit_test(test_compare),
        cmocka_unit_test(test_compare_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
