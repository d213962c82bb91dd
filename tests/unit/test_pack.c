/* test_pack.c: packing and unpacking of the small floats, against slow
 * formulas.
 *
 * The oracle decodes a code by the definition of its format, and encodes by
 * looking for the nearest value among all codes; it shares nothing with the
 * table under test. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/kernel/kernel.h"

#include <cmocka.h>

/* How a format spends its highest codes. */
typedef enum style {
    IEEE,   /* exponent of ones: infinity, NaN */
    FN,     /* all ones: NaN; no infinity */
    FNUZ,   /* the code of -0: NaN; no infinity */
    FINITE, /* neither */
} style;

static const struct format {
    lp_dtype dtype;
    int exponent, mantissa, bias;
    style style;
    bool saturates;
} formats[] = {
    {LP_FLOAT16, 5, 10, 15, IEEE, false},
    {LP_BFLOAT16, 8, 7, 127, IEEE, false},
    {LP_FLOAT8E4M3FN, 4, 3, 7, FN, true},
    {LP_FLOAT8E4M3FNUZ, 4, 3, 8, FNUZ, true},
    {LP_FLOAT8E5M2, 5, 2, 15, IEEE, true},
    {LP_FLOAT8E5M2FNUZ, 5, 2, 16, FNUZ, true},
    {LP_FLOAT4E2M1, 2, 1, 1, FINITE, true},
};

static int bits_of(const struct format *f)
{
    return 1 + f->exponent + f->mantissa;
}

/* The value of "code" by the definition of "f". */
static double slow_decode(const struct format *f, unsigned code)
{
    unsigned sign = code >> (f->exponent + f->mantissa);
    unsigned e = code >> f->mantissa & ((1u << f->exponent) - 1);
    unsigned m = code & ((1u << f->mantissa) - 1);
    unsigned ones = (1u << f->exponent) - 1;
    double value;

    if (f->style == IEEE && e == ones)
        return m ? NAN : sign ? -INFINITY : INFINITY;
    if (f->style == FN && e == ones && m == (1u << f->mantissa) - 1)
        return NAN;
    if (f->style == FNUZ && sign && !e && !m)
        return NAN;
    value = e ? ldexp(1 + ldexp(m, -f->mantissa), (int)e - f->bias)
              : ldexp(m, 1 - f->bias - f->mantissa);
    return sign ? -value : value;
}

/* The largest magnitude code of a number. */
static unsigned max_code(const struct format *f)
{
    unsigned codes = 1u << (f->exponent + f->mantissa);

    return f->style == IEEE ? codes - (1u << f->mantissa) - 1
           : f->style == FN ? codes - 2
                            : codes - 1;
}

/* Magnitude code nearest to the finite "x" > 0 among those up to one above the
 * largest (which stands for out of range), ties to the even code. */
static unsigned slow_nearest(const struct format *f, double x)
{
    unsigned low = 0, high = max_code(f) + 1;
    double top = 2 * slow_decode(f, high - 1) - slow_decode(f, high - 2);
    double above, below;

    while (high - low > 1) {
        unsigned middle = (low + high) / 2;

        if (slow_decode(f, middle) <= x)
            low = middle;
        else
            high = middle;
    }
    below = x - slow_decode(f, low);
    above = (high > max_code(f) ? top : slow_decode(f, high)) - x;
    if (below == above)
        return low % 2 ? high : low;
    return below < above ? low : high;
}

static unsigned pack_one(lp_dtype dtype, float x)
{
    unsigned code = 0;

    lpi_pack(dtype, &x, 0, 1, &code);
    return code;
}

static float unpack_one(lp_dtype dtype, unsigned code)
{
    float x;

    lpi_unpack(dtype, &code, 0, 1, &x);
    return x;
}

/* "x" packs to what the nearest value says. */
static void check_rounding(const struct format *f, float x)
{
    unsigned sign = signbit(x) ? 1u << (bits_of(f) - 1) : 0;
    unsigned want = x == 0 ? 0 : slow_nearest(f, fabs((double)x));
    unsigned got = pack_one(f->dtype, x);

    if (want > max_code(f) && f->saturates)
        want = max_code(f);
    want |= f->style == FNUZ && !want ? 0 : sign;
    if (got != want)
        fail_msg("%s: %a packs to %#x, not %#x", lp_dtype_name(f->dtype),
                 (double)x, got, want);
}

static void floats_decode_by_definition(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++) {
        const struct format *f = &formats[i];
        unsigned code;

        assert_true(isfinite(slow_decode(f, max_code(f))));
        assert_false(f->style != FINITE &&
                     isfinite(slow_decode(f, max_code(f) + 1)));
        for (code = 0; code < 1u << bits_of(f); code++) {
            double want = slow_decode(f, code);
            double got = (double)unpack_one(f->dtype, code);

            assert_true(want == got || (isnan(want) && isnan(got)));
            assert_true(isnan(want) || signbit(want) == signbit(got));
            if (!isnan(want) && !isinf(want))
                assert_int_equal(pack_one(f->dtype, (float)got), code);
        }
    }
}

static void floats_round_to_nearest_even(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++) {
        const struct format *f = &formats[i];
        unsigned code;

        for (code = 0; code <= max_code(f); code++) {
            double low = slow_decode(f, code);
            double high = code < max_code(f)
                              ? slow_decode(f, code + 1)
                              : 2 * low - slow_decode(f, code - 1);
            float middle = (float)((low + high) / 2);

            check_rounding(f, middle);
            check_rounding(f, -middle);
            check_rounding(f, nextafterf(middle, 0));
            check_rounding(f, nextafterf(middle, INFINITY));
            check_rounding(f, nextafterf((float)low, INFINITY));
        }
    }
}

static void floats_round_at_random(void **state)
{
    uint32_t seed = 1;
    int i, n;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++)
        for (n = 0; n < 20000; n++) {
            float x;

            seed = seed * 1664525 + 1013904223;
            memcpy(&x, &seed, sizeof(x));
            if (isfinite(x))
                check_rounding(&formats[i], x);
        }
}

/* The two tables of ONNX's Cast, rows Inf and beyond the largest; -1 stands
 * for infinity, -2 for NaN, 0 for the largest. */
static void floats_out_of_range(void **state)
{
    static const float large[] = {INFINITY, -INFINITY, 1e30f, -1e30f};
    int i, k;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++) {
        const struct format *f = &formats[i];
        float largest = (float)slow_decode(f, max_code(f));
        float nan = NAN;
        unsigned code = 0;

        lpi_pack(f->dtype, &nan, 0, 1, &code);
        assert_true(isnan(unpack_one(f->dtype, code)) || f->style == FINITE);
        for (k = 0; k < LPI_COUNT(large); k++) {
            float strict,
                loose = unpack_one(f->dtype, pack_one(f->dtype, large[k]));

            if (fabsf(large[k]) <= largest)
                continue;
            lpi_pack_as(&(lpi_target){f->dtype, false, LPI_NEAREST}, &large[k],
                        0, 1, &code);
            strict = unpack_one(f->dtype, code);
            assert_true(f->saturates ? fabsf(loose) == largest : isinf(loose));
            assert_int_equal(signbit(loose), signbit(large[k]));
            if (f->style == FINITE)
                assert_true(fabsf(strict) == largest);
            else
                assert_true(f->style == IEEE ? isinf(strict) : isnan(strict));
        }
    }
}

/* Zero has a sign but in the formats without one. */
static void floats_keep_zero(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++) {
        const struct format *f = &formats[i];

        assert_int_equal(pack_one(f->dtype, 0.0f), 0);
        assert_int_equal(pack_one(f->dtype, -0.0f),
                         f->style == FNUZ ? 0 : 1u << (bits_of(f) - 1));
    }
}

/* Doubles go through lpi_narrow: one rounding, not two. */
static void doubles_round_once(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(formats); i++) {
        const struct format *f = &formats[i];
        unsigned code, want, sides;

        for (code = 1; code < max_code(f); code++)
            for (sides = 0; sides < 3; sides++) {
                double x = (slow_decode(f, code) + slow_decode(f, code + 1)) /
                           2;
                float narrow;

                x = sides == 0   ? x
                    : sides == 1 ? nextafter(x, 0)
                                 : nextafter(x, INFINITY);
                lpi_narrow(&x, &narrow, 1);
                want = slow_nearest(f, x);
                assert_int_equal(pack_one(f->dtype, narrow), want);
            }
    }
}

static void narrow_marks_what_it_drops(void **state)
{
    static const double exact[] = {0.0, 1.5, -3.0, INFINITY, 0x1p-149};
    static const double inexact[] = {0.1, -0.1, 1e300, 1e-300, 1 + 0x1p-40};
    uint32_t bits;
    float x;
    int i;

    (void)state;
    for (i = 0; i < LPI_COUNT(exact); i++) {
        lpi_narrow(&exact[i], &x, 1);
        assert_true((double)x == exact[i]);
    }
    for (i = 0; i < LPI_COUNT(inexact); i++) {
        lpi_narrow(&inexact[i], &x, 1);
        memcpy(&bits, &x, sizeof(bits));
        assert_int_equal(bits & 1, 1);
        assert_true(isfinite(x));
    }
}

/* ---- powers of two ---------------------------------------------------------
 */

static unsigned pack_scale(float x, bool saturate, lpi_round round)
{
    unsigned char code = 0;

    lpi_pack_as(&(lpi_target){LP_FLOAT8E8M0, saturate, round}, &x, 0, 1, &code);
    return code;
}

static void scales_are_powers_of_two(void **state)
{
    unsigned code;

    (void)state;
    for (code = 0; code < 255; code++) {
        float x = unpack_one(LP_FLOAT8E8M0, code);
        unsigned next = code < 254 ? code + 1 : 254;

        assert_true((double)x == ldexp(1, (int)code - 127));
        assert_int_equal(pack_one(LP_FLOAT8E8M0, x), code);
        assert_int_equal(pack_scale(x * 1.25f, true, LPI_UP), next);
        assert_int_equal(pack_scale(x * 1.25f, true, LPI_NEAREST), code);
        assert_int_equal(pack_scale(x * 1.5f, true, LPI_NEAREST), next);
        assert_int_equal(pack_scale(x * 1.75f, true, LPI_DOWN), code);
    }
    assert_true(isnan(unpack_one(LP_FLOAT8E8M0, 255)));
}

/* The table of ONNX's Cast to float8e8m0. */
static void scales_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(pack_scale(0, true, LPI_UP), 0);
    assert_int_equal(pack_scale(0, false, LPI_NEAREST), 255);
    assert_int_equal(pack_scale(NAN, true, LPI_UP), 255);
    assert_int_equal(pack_scale(NAN, false, LPI_NEAREST), 255);
    assert_int_equal(pack_scale(INFINITY, true, LPI_UP), 254);
    assert_int_equal(pack_scale(INFINITY, false, LPI_NEAREST), 255);
    assert_int_equal(pack_scale(0x1.8p127f, true, LPI_UP), 254);
    assert_int_equal(pack_scale(0x1.8p127f, false, LPI_UP), 255);
    assert_int_equal(pack_scale(0x1p-140f, true, LPI_UP), 0);
    assert_int_equal(pack_scale(0x1p-140f, false, LPI_NEAREST), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_decode_by_definition),
        cmocka_unit_test(floats_round_to_nearest_even),
        cmocka_unit_test(floats_round_at_random),
        cmocka_unit_test(floats_out_of_range),
        cmocka_unit_test(floats_keep_zero),
        cmocka_unit_test(doubles_round_once),
        cmocka_unit_test(narrow_marks_what_it_drops),
        cmocka_unit_test(scales_are_powers_of_two),
        cmocka_unit_test(scales_out_of_range),
    };

    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
