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
    for (int what = 0; what < LPI_SHAPED_ELU; what++) {
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

/* Elu against doubles of libm, within some units of the last place, and the
 * same bytes for every set and any cut. */
static void elu(void **unused)
{
    static const float of[][3] = {{1, 1, 1}, {1.67f, 1, 1.05f}, {2, -2, 1}};
    float *x, *want, *got;
    int64_t count = sweep(&x);

    (void)unused;
    want = room(count);
    got = room(count);
    for (int k = 0; k < 3; k++) {
        double alpha = (double)of[k][0], unit = (double)of[k][1];

        lpi_isa_best()->shaped[LPI_SHAPED_ELU](count, x, of[k], want);
        for (int64_t i = 0; i < count; i++) {
            double v = (double)(x[i] / of[k][1]);
            double exact = (double)of[k][2] *
                           (x[i] < 0 ? alpha * expm1(v) : (double)x[i]);
            double most = fabs(exact) * 0x1p-21 + 0x1p-148;

            if (fabs(exact) > 0x1p127 || exact != exact)
                assert_true(isinf(want[i]) || isnan(want[i]) ||
                            fabs((double)want[i] / exact - 1) < 0x1p-20);
            else if (!(fabs((double)want[i] - exact) <= most))
                fail_msg("elu of %a by %g: %a, not %a", (double)x[i], unit,
                         (double)want[i], exact);
        }
        for (lpi_team team = {0}; next_team(&team);)
            for (int64_t at = 0, some; at < count; at += some) {
                some = 1 + draw(100);
                some = some < count - at ? some : count - at;
                team.isa->shaped[LPI_SHAPED_ELU](some, x + at, of[k], got);
                assert_same_numbers(want + at, got, some);
            }
    }
    free(x);
    free(want);
    free(got);
}

/* Pairs parted, of any number. */
static void halves_of_rows(void **unused)
{
    float *x = floats(200), *even = room(100), *odd = room(100);

    (void)unused;
    for (lpi_team team = {0}; next_team(&team);)
        for (int64_t count = 0; count < 200; count++) {
            team.isa->halve(count, x, even, odd);
            for (int64_t i = 0; i < count; i++)
                SAME(x + i, (i % 2 ? odd : even) + i / 2, 1);
        }
    free(x);
    free(even);
    free(odd);
}

/* Matrices of every size of elements, turned. */
static void turned(void **unused)
{
    enum { MOST = 100, WIDE = 110 };
    static uint8_t from[MOST * WIDE * 8], to[MOST * WIDE * 8];

    (void)unused;
    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)draw(256);
    for (int64_t size = 1; size <= 8; size *= 2)
        for (int round = 0; round < 300; round++) {
            int64_t sides[] = {1 + draw(MOST), 1 + draw(MOST)};

            memset(to, 0x5a, sizeof(to));
            lpi_turn_elements(size, from, WIDE, sides, WIDE, to);
            for (int64_t p = 0; p < WIDE; p++)
                for (int64_t j = 0; j < WIDE && p < MOST; j++) {
                    const uint8_t *at = to + (p * WIDE + j) * size;
                    bool inside = p < sides[0] && j < sides[1];

                    if (inside)
                        assert_memory_equal(at, from + (j * WIDE + p) * size,
                                            (size_t)size);
                    else
                        assert_int_equal(*at, 0x5a);
                }
        }
}

/* The largest number of the window at "o". */
static float plain_largest(const lpi_conv *c, const float *x,
                           const int64_t o[3])
{
    int64_t taps = c->kernel[0] * c->kernel[1] * c->kernel[2];
    float most = -(float)INFINITY;

    for (int64_t t = 0; t < taps; t++) {
        const int64_t tap[3] = {t / c->kernel[2] / c->kernel[1],
                                t / c->kernel[2] % c->kernel[1],
                                t % c->kernel[2]};
        int64_t at = 0;
        bool in = true;

        for (int i = 0; i < 3; i++) {
            int64_t p = o[i] * c->stride[i] + tap[i] * c->dilation[i] -
                        c->pad[i];

            in = in && p >= 0 && p < c->in[i];
            at = at * c->in[i] + p;
        }
        if (in && (x[at] > most || x[at] != x[at]) && most == most)
            most = x[at] == x[at] ? x[at] : (float)NAN;
    }
    return most;
}

/* Windows over "channels" channels, of one group. */
static lpi_conv draw_windows(int i, int64_t channels)
{
    lpi_conv c = {.batch = 2,
                  .groups = 1,
                  .in_channels = channels,
                  .out_channels = channels > 1 ? 5 : 1};

    for (int k = 0; k < 3; k++) {
        int64_t reach;

        c.kernel[k] = 1 + draw(k ? 3 : 2);
        c.stride[k] = 1 + draw(3);
        c.dilation[k] = 1 + draw(2);
        c.pad[k] = draw(3);
        c.in[k] = 3 + draw(k == 2 && i % 2 ? 160 : 9);
        reach = (c.kernel[k] - 1) * c.dilation[k] + 1;
        c.out[k] = (c.in[k] + 2 * c.pad[k] - reach) / c.stride[k] + 1;
        c.out[k] = c.out[k] < 1 ? 1 : c.out[k];
    }
    return c;
}

/* Maxima of windows, of equal numbers the first, NaN where one is. */
static void maxima(void **unused)
{
    static const float special[] = {0, -0.0f, NAN, 1, INFINITY};

    (void)unused;
    for (int i = 0; i < 80; i++) {
        lpi_conv c = draw_windows(i, 1);
        int64_t in = c.in[0] * c.in[1] * c.in[2];
        int64_t out = c.out[0] * c.out[1] * c.out[2];
        float *x = floats(2 * in), *want = room(2 * out), *own;

        for (int64_t k = 0; k < 2 * in; k++)
            x[k] = draw(4) ? x[k] : special[draw(5)];
        for (int64_t k = 0; k < 2 * out; k++)
            want[k] = plain_largest(&c, x + k / out * in,
                                    (int64_t[]){k % out / c.out[2] / c.out[1],
                                                k / c.out[2] % c.out[1],
                                                k % c.out[2]});
        c.x = x;
        own = room(lpi_depthwise_room(&c));
        for (lpi_team team = {0}; next_team(&team);) {
            c.y = room(2 * out);
            c.team = team;
            lpi_depthwise_begin(&c, own);
            lpi_depthwise_channel(&c, 1, own);
            lpi_depthwise_channel(&c, 0, own);
            SAME(c.y, want, 2 * out);
            free(c.y);
        }
        free(own);
        free(x);
        free(want);
    }
}

/* "count" floats as halves, which take their place in "floats" too. */
static float *halves_of(float *floats, int64_t count)
{
    uint16_t *halves = (uint16_t *)room(count);

    lpi_isa_best()->to_f16(count, floats, halves);
    lpi_isa_best()->from_f16(count, halves, floats);
    return (float *)halves;
}

/* Products of halves are those of the same numbers as floats. */
static void products_of_halves(void **unused)
{
    (void)unused;
    for (int i = 0; i < 60; i++) {
        int64_t m = 1 + draw(i % 3 ? 60 : 2), n = 1 + draw(130);
        int64_t k = 1 + draw(i % 4 ? 80 : 900);
        float *a = floats(m * k), *b = floats(k * n);
        float *half_a = halves_of(a, m * k), *half_b = halves_of(b, k * n);
        float *want = room(2 * m * n), *got = want + m * n;
        lpi_matrix left = {a, k, 1, NULL}, right = {b, n, 1, NULL};

        if (i & 1)
            left = (lpi_matrix){a, 1, m, NULL};
        if (i & 2)
            right = (lpi_matrix){b, 1, k, NULL};
        for (lpi_team team = {0}; next_team(&team);)
            for (int form = 0; form < 4; form++) {
                lpi_matrix other = right;
                lpi_gemm g = {m,    n, k,    left, {lpi_pack_matrix, &other},
                              want, n, true, team, NULL,
                              NULL};

                g.workspace = room(lpi_gemm_workspace(&g));
                if (form & 1)
                    g.a = (lpi_matrix){half_a, left.row, left.column,
                                       team.isa->from_f16};
                if (form & 2)
                    other = (lpi_matrix){half_b, right.row, right.column,
                                         team.isa->from_f16};
                g.c = form ? got : want;
                lpi_gemm_run(&g);
                SAME(g.c, want, m * n);
                free(g.workspace);
            }
        free(a);
        free(b);
        free(half_a);
        free(half_b);
        free(want);
    }
}

static void convolutions_of_halves(void **unused)
{
    (void)unused;
    for (int i = 0; i < 40; i++) {
        lpi_conv c = draw_windows(i, 3);
        int64_t in = 6 * c.in[0] * c.in[1] * c.in[2];
        int64_t out = 10 * c.out[0] * c.out[1] * c.out[2];
        int64_t taps = 15 * c.kernel[0] * c.kernel[1] * c.kernel[2];
        float *x = floats(in), *w = floats(taps);
        float *half_x = halves_of(x, in), *half_w = halves_of(w, taps);
        float *want = room(2 * out), *got = want + out;

        for (lpi_team team = {0}; next_team(&team);) {
            c.team = team;
            c.workspace = room(lpi_conv_workspace(&c));
            c.x = x;
            c.w = w;
            c.x_widen = c.w_widen = NULL;
            c.y = want;
            lpi_conv_run(&c);
            c.x = half_x;
            c.w = half_w;
            c.x_widen = c.w_widen = team.isa->from_f16;
            c.y = got;
            lpi_conv_run(&c);
            SAME(got, want, out);
            free(c.workspace);
        }
        free(x);
        free(w);
        free(half_x);
        free(half_w);
        free(want);
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(shaped),
                                       cmocka_unit_test(elu),
                                       cmocka_unit_test(halves_of_rows),
                                       cmocka_unit_test(turned),
                                       cmocka_unit_test(maxima),
                                       cmocka_unit_test(products_of_halves),
                                       cmocka_unit_test(convolutions_of_halves),
                                       cmocka_unit_test(bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
