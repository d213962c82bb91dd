/* test_kernel_math.c: functions over arrays: their accuracy against doubles of
 * libm, and the same bytes for every instruction set and any cut of an array.
 */
#include "teams.h"

/* Numbers of all exponents and signs, and the special ones. */
static int64_t sweep(float **ret_x)
{
    enum { STEP = 9973 };
    static const uint32_t special[] = {0,          0x80000000, 0x7f800000,
                                       0xff800000, 0x7fc00000, 1,
                                       0x80000001, 0x007fffff, 0x7f7fffff};
    int64_t count = (int64_t)(UINT32_MAX / STEP), some = 9;
    float *x = malloc((size_t)(count + some) * sizeof(*x));

    memcpy(x, special, sizeof(special));
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)i * STEP;

        memcpy(x + some + i, &bits, sizeof(bits));
    }
    *ret_x = x;
    return count + some;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * sqrt(0.5));
}

static double gelu_tanh(double x)
{
    return x * sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}

static double softplus(double x)
{
    return x > 40 ? x : log1p(exp(x));
}

static double relu(double x)
{
    return x < 0 ? 0 : x;
}

static double inverse(double x)
{
    return 1 / x;
}

static double minus(double x)
{
    return -x;
}

static double square(double x)
{
    return x * x;
}

/* "low": below it results are not compared but for being as small. */
static const struct {
    const char *name;
    double (*exact)(double x);
    double ulps, low;
} known[LPI_UNARIES] = {
    [LPI_UNARY_EXP] = {"exp", exp, 2, 0},
    [LPI_UNARY_LOG] = {"log", log, 2, 0},
    [LPI_UNARY_ERF] = {"erf", erf, 4, 0},
    [LPI_UNARY_TANH] = {"tanh", tanh, 4, 0},
    [LPI_UNARY_SIGMOID] = {"sigmoid", sigmoid, 4, 0},
    [LPI_UNARY_SILU] = {"silu", silu, 4, 0x1p-118},
    [LPI_UNARY_GELU] = {"gelu", gelu, 16, 0x1p-118},
    [LPI_UNARY_GELU_TANH] = {"gelu_tanh", gelu_tanh, 32, 0x1p-24},
    [LPI_UNARY_SIN] = {"sin", sin, 4, 0},
    [LPI_UNARY_COS] = {"cos", cos, 4, 0},
    [LPI_UNARY_SOFTPLUS] = {"softplus", softplus, 4, 0},
    [LPI_UNARY_RELU] = {"relu", relu, 0.5, 0},
    [LPI_UNARY_SQRT] = {"sqrt", sqrt, 0.5, 0},
    [LPI_UNARY_RECIPROCAL] = {"reciprocal", inverse, 0.5, 0},
    [LPI_UNARY_NEG] = {"neg", minus, 0.5, 0},
    [LPI_UNARY_ABS] = {"abs", fabs, 0.5, 0},
    [LPI_UNARY_SQUARE] = {"square", square, 0.5, 0},
};

/* The distance of "got" from "exact" in units of the last place of a float. */
static double ulps_off(float got, double exact)
{
    int exponent;

    if (exact != exact || got != got)
        return got != got && exact != exact ? 0 : INFINITY;
    if ((double)got == exact)
        return 0;
    if (isinf(got))
        return fabs(exact) > 0x1.ffffffp127 && (got > 0) == (exact > 0)
                   ? 0
                   : INFINITY;
    frexp(exact, &exponent);
    exponent = exponent < -125 ? -125 : exponent;
    return fabs(((double)got - exact) * ldexp(1, 24 - exponent));
}

static void accuracy(void **unused)
{
    float *x, *y;
    int64_t count = sweep(&x);

    (void)unused;
    y = room(count);
    for (int what = 0; what < LPI_UNARIES; what++) {
        double worst = 0, at = 0;

        lpi_isa_best()->unary[what](count, x, y);
        for (int64_t i = 0; i < count; i++) {
            double exact = known[what].exact((double)x[i]);
            double off = ulps_off(y[i], exact);

            if (fabs(exact) < known[what].low &&
                fabsf(y[i]) <= 2 * known[what].low)
                continue;
            if (off > worst) {
                worst = off;
                at = (double)x[i];
            }
        }
        if (!(worst <= known[what].ulps + 0.001))
            fail_msg("%s is %g ulp off at %a", known[what].name, worst, at);
        if (getenv("LPLAN_VERBOSE"))
            print_message("# %s %.2f ulp at %g\n", known[what].name, worst, at);
    }
    free(x);
    free(y);
}

/* NaNs may differ in their sign and content. */
static void assert_same_numbers(const float *a, const float *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (memcmp(a + i, b + i, sizeof(*a)) && (a[i] == a[i] || b[i] == b[i]))
            fail_msg("%a and %a at %lld", (double)a[i], (double)b[i],
                     (long long)i);
}

static void sets_agree_on_functions(void **unused)
{
    float *x, *want, *got;
    int64_t count = sweep(&x) / 8, step = 1;

    (void)unused;
    for (int64_t i = 0; i < count; i++)
        x[i] = x[i * 8];
    want = room(count);
    got = room(count);
    for (int what = 0; what < LPI_UNARIES; what++) {
        lpi_isa_find("generic")->unary[what](count, x, want);
        for (lpi_team team = {0}; next_team(&team);) {
            lpi_unary_run(&team, (lpi_unary)what, count, x, got);
            assert_same_numbers(got, want, count);
            for (int64_t i = 0; i < 4000; i += step, step = step % 37 + 1) {
                memcpy(got, x + i, (size_t)step * sizeof(*got));
                team.isa->unary[what](step, got, got);
                assert_same_numbers(got, want + i, step);
            }
        }
    }
    free(x);
    free(want);
    free(got);
}

static float plain_binary(int what, float a, float b)
{
    switch (what) {
    case LPI_BINARY_ADD:
        return a + b;
    case LPI_BINARY_SUB:
        return a - b;
    case LPI_BINARY_MUL:
        return a * b;
    case LPI_BINARY_DIV:
        return a / b;
    case LPI_BINARY_MAX:
        return a != a || a >= b ? a : b;
    case LPI_BINARY_MIN:
        return a != a || a <= b ? a : b;
    default:
        return b == 2 ? a * a : powf(a, b);
    }
}

static void binary_broadcasts(void **unused)
{
    enum { A = 5, B = 7, C = 19, ALL = A * B * C };
    static const int64_t dims[] = {A, B, C};
    static const int64_t strides[][3] = {{B * C, C, 1}, {0, 0, 0}, {0, 0, 1},
                                         {B, 1, 0},     {0, 1, 0}, {1, A, 0},
                                         {1, A, A * B}, {C, 0, 1}};
    enum { FORMS = sizeof(strides) / sizeof(strides[0]) };
    float *a = floats(ALL), *b = floats(ALL), want[ALL], got[ALL];

    (void)unused;
    b[3] = 2;
    a[5] = (float)NAN;
    for (int form = 0; form < FORMS * FORMS; form++)
        for (int what = 0; what < LPI_BINARIES; what++) {
            const int64_t *as = strides[form % FORMS];
            const int64_t *bs = strides[form / FORMS];
            lpi_spread spread = {3, dims, a, b, as, bs, got};

            for (int64_t i = 0; i < ALL; i++)
                want[i] = plain_binary(
                    what,
                    a[i / C / B * as[0] + i / C % B * as[1] + i % C * as[2]],
                    b[i / C / B * bs[0] + i / C % B * bs[1] + i % C * bs[2]]);
            for (lpi_team team = {0}; next_team(&team);) {
                lpi_binary_run(&team, (lpi_binary)what, &spread);
                assert_same_numbers(got, want, ALL);
            }
        }
    free(a);
    free(b);
}

static void planes(void **unused)
{
    enum { OUTER = 3, CHANNELS = 5, PLANE = 4000 };
    enum { ALL = OUTER * CHANNELS * PLANE };
    float *x = floats(ALL), *want = room(ALL), *got = room(ALL);
    float *scale = floats(CHANNELS), *shift = floats(CHANNELS);
    lpi_affine affine = {OUTER, CHANNELS, PLANE, x, scale, shift, got};

    (void)unused;
    for (lpi_team team = {0}; next_team(&team);) {
        for (int64_t i = 0; i < ALL; i++)
            want[i] = fmaf(x[i], scale[i / PLANE % CHANNELS],
                           shift[i / PLANE % CHANNELS]);
        lpi_affine_run(&team, &affine);
        SAME(got, want, ALL);
        lpi_binary_flat(&team, LPI_BINARY_MUL, ALL, (const float *[]){got, x},
                        got);
        for (int64_t i = 0; i < ALL; i++)
            want[i] *= x[i];
        SAME(got, want, ALL);
    }
    free(x);
    free(want);
    free(got);
    free(scale);
    free(shift);
}

/* A half of "bits" of mantissa as the number it stands for. */
static double plain_half(uint16_t code, int bits)
{
    int exponent = (code & 0x7fff) >> bits, bias = bits == 10 ? 15 : 127;
    double mantissa = code & ((1 << bits) - 1), size;

    if (exponent == 2 * bias + 1)
        size = mantissa > 0 ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        size = ldexp(mantissa, 1 - bias - bits);
    else
        size = ldexp(mantissa + (1 << bits), exponent - bias - bits);
    return code & 0x8000 ? -size : size;
}

/* The number of that format nearest to "x", ties to even. */
static double nearest_half(double x, int bits)
{
    int exponent, bias = bits == 10 ? 15 : 127;
    double unit;

    if (!isfinite(x))
        return x;
    frexp(x, &exponent);
    unit = ldexp(1, (exponent < 2 - bias ? 2 - bias : exponent) - bits - 1);
    x = nearbyint(x / unit) * unit;
    return fabs(x) >= ldexp(1, bias + 1) ? copysign((double)INFINITY, x) : x;
}

static void assert_same_double(double a, double b)
{
    assert_true(a == b ? !signbit(a) == !signbit(b) : a != a && b != b);
}

static void halves(void **unused)
{
    enum { ALL = 65536 };
    float *wide = room(ALL), *x;
    int64_t count = sweep(&x);
    uint16_t *codes = malloc(ALL * sizeof(*codes));
    uint16_t *back = malloc((size_t)count * sizeof(*back));

    (void)unused;
    for (int32_t i = 0; i < ALL; i++)
        codes[i] = (uint16_t)i;
    for (int32_t i = 9; i < 2000; i++)
        x[i] = ldexpf((float)(2 * i + 1), i % 40 - 36);
    for (lpi_team team = {0}; next_team(&team);)
        for (int b = 0; b < 2; b++) {
            const lpi_isa *isa = team.isa;
            int bits = b ? 7 : 10;

            (b ? isa->from_bf16 : isa->from_f16)(ALL, codes, wide);
            for (int32_t i = 0; i < ALL; i++)
                assert_same_double((double)wide[i], plain_half(codes[i], bits));
            (b ? isa->to_bf16 : isa->to_f16)(count, x, back);
            for (int64_t i = 0; i < count; i++)
                assert_same_double(plain_half(back[i], bits),
                                   nearest_half((double)x[i], bits));
        }
    free(codes);
    free(back);
    free(wide);
    free(x);
}

/* Numbers become the bytes of their quotients, rounded once, where these are
 * halves, or as near to one as can be. */
static void quotients_near_halves(void **unused)
{
    enum { COUNT = 200, MIDDLE = 128 };
    float x[COUNT], zero = MIDDLE;
    uint8_t got[COUNT];

    (void)unused;
    for (int round = 0; round < 400; round++) {
        float factor = ldexpf(1 + (float)draw(1 << 23) * 0x1p-23f,
                              (int)draw(60) - 30 - round % 2 * 90);
        lpi_to_bytes how = {&factor, &zero, 0, false};

        for (int i = 0; i < COUNT; i++) {
            x[i] = factor * ((float)draw(300) - 150 + 0.5f);
            x[i] = draw(3) ? x[i] : nextafterf(x[i], draw(2) ? 1e30f : -1e30f);
        }
        for (lpi_team team = {0}; next_team(&team);) {
            team.isa->bytes_of_floats(&how, COUNT, x, got);
            for (int i = 0; i < COUNT; i++) {
                float y = rintf(x[i] / factor) + zero;

                y = y < 0 ? 0 : y > 255 ? 255 : y;
                assert_int_equal(got[i], (int)y);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy),
        cmocka_unit_test(sets_agree_on_functions),
        cmocka_unit_test(binary_broadcasts),
        cmocka_unit_test(planes),
        cmocka_unit_test(halves),
        cmocka_unit_test(quotients_near_halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
