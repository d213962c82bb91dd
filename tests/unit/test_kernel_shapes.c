/* test_kernel_shapes.c: functions with parameters, and numbers as bytes, of
 * every instruction set, compared with plain loops. */
#include "teams.h"

/* Numbers of all sizes, infinities and NaN among them. */
static int64_t sweep(float **ret_x)
{
    static const float special[] = {0,        -0.0f,     INFINITY, -INFINITY,
                                    NAN,      0x1p-149f, 3,        -3,
                                    0x1p127f, -0x1p127f};
    enum { SPECIAL = sizeof(special) / sizeof(special[0]), ALL = 3001 };
    float *x = floats(ALL);

    for (int i = 0; i < ALL; i++)
        x[i] = i < SPECIAL ? special[i] : ldexpf(x[i], i % 40 - 20);
    *ret_x = x;
    return ALL;
}

static void assert_same_numbers(const float *a, const float *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (a[i] == a[i] || b[i] == b[i])
            SAME(a + i, b + i, 1);
}

static float plain_shaped(lpi_shaped what, float x, float p, float q)
{
    float unit;

    switch (what) {
    case LPI_SHAPED_LEAKY:
        return x < 0 ? p * x : x;
    case LPI_SHAPED_THRESHOLD:
        return x <= p ? 0 : x;
    case LPI_SHAPED_SOFTSIGN:
        return x / (1 + fabsf(x));
    case LPI_SHAPED_CLIP:
        x = x < p ? p : x;
        return x > q ? q : x;
    default:
        unit = what == LPI_SHAPED_HARD_SWISH ? x / 6 + 0.5f : p * x + q;
        unit = unit < 0 ? 0 : unit > 1 ? 1 : unit;
        return what == LPI_SHAPED_HARD_SWISH ? x * unit : unit;
    }
}

static void shaped(void **unused)
{
    static const float of[] = {-0.25f, 0.5f};
    float *x, *want, *got;
    int64_t count = sweep(&x);

    (void)unused;
    want = room(count);
    got = room(count);
    for (int what = 0; what < LPI_SHAPES; what++) {
        for (int64_t i = 0; i < count; i++)
            want[i] = plain_shaped(what, x[i], of[0], of[1]);
        for (lpi_team team = {0}; next_team(&team);) {
            team.isa->shaped[what](count, x, of, got);
            assert_same_numbers(want, got, count);
        }
    }
    free(x);
    free(want);
    free(got);
}

/* "x" to a byte as lpi_to_bytes says. */
static uint8_t plain_byte(float x, float zero, bool is_signed)
{
    float least = is_signed ? -128 : 0;
    float y = x != x ? zero : rintf(fmaxf(fminf(x, 1000), -1000)) + zero;

    y = y < least ? least : y > least + 255 ? least + 255 : y;
    return (uint8_t)(int32_t)y;
}

static void bytes(void **unused)
{
    float *x, *factor, *zero;
    int64_t count = sweep(&x);
    int32_t *sums = malloc((size_t)count * sizeof(*sums));
    uint8_t *got = malloc((size_t)count);

    (void)unused;
    factor = floats(count);
    zero = floats(count);
    for (int64_t i = 0; i < count; i++) {
        sums[i] = (int32_t)draw(1 << 20) - (1 << 19);
        factor[i] = i % 3 ? 0.0625f : fabsf(factor[i]) + 0.001f;
        zero[i] = (float)draw(100);
        if (i % 2)
            x[i] = (float)draw(1 << 12) / 64 - 32;
    }
    for (lpi_team team = {0}; next_team(&team);)
        for (int form = 0; form < 8; form++) {
            bool is_signed = form & 1, moves = form & 4;
            lpi_to_bytes how = {factor, form & 2 ? zero : NULL, moves,
                                is_signed};

            for (int sum = 0; sum < 2; sum++) {
                if (sum)
                    team.isa->bytes_of_sums(&how, count, sums, got);
                else
                    team.isa->bytes_of_floats(&how, count, x, got);
                for (int64_t i = 0; i < count; i++) {
                    float f = factor[moves ? i : 0];
                    float z = how.zero ? zero[moves ? i : 0] : 0;
                    float y = sum ? (float)sums[i] * f : x[i] / f;

                    assert_int_equal(got[i], plain_byte(y, z, is_signed));
                }
            }
        }
    free(x);
    free(factor);
    free(zero);
    free(sums);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shaped),
        cmocka_unit_test(bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
