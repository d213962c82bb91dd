/* test_kernel.c: products, convolutions and attention against plain loops of
 * fmaf, bit for bit: every instruction set of the machine, 1 and 2 threads,
 * and every dimension split in two. */
#include "teams.h"

static void run_gemm(lpi_gemm gemm)
{
    gemm.workspace = room(lpi_gemm_workspace(&gemm));
    lpi_gemm_run(&gemm);
    free(gemm.workspace);
}

/* C += A B by the definition. */
static void plain_gemm(const lpi_gemm *g)
{
    const lpi_matrix *b = g->b.context;

    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            float sum = g->fresh ? 0 : g->c[i * g->c_row + j];

            for (int64_t k = 0; k < g->k; k++)
                sum = fmaf(g->a.at[i * g->a.row + k * g->a.column],
                           b->at[k * b->row + j * b->column], sum);
            g->c[i * g->c_row + j] = sum;
        }
}

/* The product in two parts along "axis": m, n or k. */
static void run_split(lpi_gemm g, int axis)
{
    lpi_matrix b = *(const lpi_matrix *)g.b.context;
    int64_t *size = axis == 0 ? &g.m : axis == 1 ? &g.n : &g.k;
    int64_t whole = *size, first = (int64_t)draw((uint32_t)whole + 1);

    g.b.context = &b;
    *size = first;
    run_gemm(g);
    *size = whole - first;
    if (axis == 0 || axis == 2)
        g.a.at += first * (axis == 0 ? g.a.row : g.a.column);
    if (axis == 1 || axis == 2)
        b.at += first * (axis == 1 ? b.column : b.row);
    g.c += axis == 0 ? first * g.c_row : axis == 1 ? first : 0;
    g.fresh = g.fresh && axis != 2;
    run_gemm(g);
}

static void check_gemm(int64_t m, int64_t n, int64_t k, uint32_t form)
{
    lpi_matrix b = {floats(n * k), n, 1, NULL};
    lpi_gemm g = {.m = m,
                  .n = n,
                  .k = k,
                  .a = {floats(m * k), k, 1, NULL},
                  .b = {lpi_pack_matrix, &b},
                  .c_row = n + 3,
                  .fresh = form & 4};
    float *start = floats(m * g.c_row), *want = copy_of(start, m * g.c_row);

    if (form & 1)
        g.a = (lpi_matrix){g.a.at, 1, m, NULL};
    if (form & 2)
        b = (lpi_matrix){b.at, 1, k, NULL};
    g.c = want;
    plain_gemm(&g);
    for (lpi_team team = {0}; next_team(&team);)
        for (int axis = -1; axis < 3; axis++) {
            g.team = team;
            g.c = copy_of(start, m * g.c_row);
            if (axis < 0)
                run_gemm(g);
            else
                run_split(g, axis);
            SAME(g.c, want, m * g.c_row);
            free(g.c);
        }
    free((float *)g.a.at);
    free((float *)b.at);
    free(start);
    free(want);
}

static void test_gemm(void **unused)
{
    static const int64_t sizes[] = {1, 2, 3, 7, 8, 13, 24, 40, 49, 64, 100};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };

    (void)unused;
    for (uint32_t form = 0; form < 8; form++) {
        for (int i = 0; i < 12; i++)
            check_gemm(sizes[draw(COUNT)], sizes[draw(COUNT)],
                       sizes[draw(COUNT)], form);
        check_gemm(230, 110, 120, form);
        check_gemm(1, 1100, 2000, form);
        check_gemm(1, 70, 30, form);
        check_gemm(150, 5, 20, form);
        check_gemm(5, 150, 20, form);
        check_gemm(20, 30, 800, form);
        check_gemm(3, 4, 0, form);
    }
    check_gemm(3, 2400, 5, 0);
}

/* The element of the input under tap t of output o; 0 beyond it. */
static float under(const lpi_conv *c, const float *x, const int64_t o[3],
                   const int64_t t[3])
{
    int64_t at = 0;

    for (int i = 0; i < 3; i++) {
        int64_t p = o[i] * c->stride[i] + t[i] * c->dilation[i] - c->pad[i];

        if (p < 0 || p >= c->in[i])
            return 0;
        at = at * c->in[i] + p;
    }
    return x[at];
}

/* The same for a transposed convolution; false: the tap is not met. */
static bool meets(const lpi_conv *c, const float *x, const int64_t o[3],
                  const int64_t t[3], float *ret_x)
{
    int64_t at = 0;
    bool inside = true;

    for (int i = 0; i < 3; i++) {
        int64_t p = o[i] + c->pad[i] - t[i] * c->dilation[i];

        if (p % c->stride[i] != 0)
            return false;
        p /= c->stride[i];
        inside = inside && p >= 0 && p < c->in[i];
        at = at * c->in[i] + p;
    }
    *ret_x = inside ? x[at] : 0;
    return true;
}

/* One output by the definition. */
static float plain_output(const lpi_conv *c, int64_t n, int64_t oc, int64_t i,
                          bool transposed)
{
    int64_t channels = c->in_channels / c->groups;
    int64_t many = c->out_channels / c->groups, taps = volume(c->kernel);
    int64_t group = oc / many, o[3], t[3];
    float sum =
        c->goes_on ? c->y[(n * c->out_channels + oc) * volume(c->out) + i] : 0;

    unfold(i, c->out, o);
    for (int64_t ic = 0; ic < channels; ic++)
        for (int64_t k = 0; k < taps; k++) {
            int64_t plane = n * c->in_channels + group * channels + ic;
            const float *x = c->x + plane * volume(c->in);
            int64_t w = (oc * channels + ic) * taps + k;
            float value;

            unfold(k, c->kernel, t);
            if (transposed)
                w = ((group * channels + ic) * many + oc % many) * taps + k;
            else
                value = under(c, x, o, t);
            if (!transposed || meets(c, x, o, t, &value))
                sum = fmaf(c->w[w], value, sum);
        }
    return c->bias ? sum + c->bias[oc] : sum;
}

static void check_conv(lpi_conv c, bool transposed)
{
    int64_t in = c.batch * c.in_channels * volume(c.in);
    int64_t out = c.batch * c.out_channels * volume(c.out);
    float *x = floats(in), *bias = floats(c.out_channels), *w, *start, *want;

    w = floats(c.in_channels * c.out_channels / c.groups * volume(c.kernel));
    start = floats(out);
    want = room(out);
    c.x = x;
    c.w = w;
    c.bias = draw(2) ? bias : NULL;
    c.y = start;
    for (int64_t i = 0; i < out; i++)
        want[i] = plain_output(&c, i / volume(c.out) / c.out_channels,
                               i / volume(c.out) % c.out_channels,
                               i % volume(c.out), transposed);
    for (lpi_team team = {0}; next_team(&team);) {
        c.team = team;
        c.y = copy_of(start, out);
        c.workspace = room(transposed ? lpi_deconv_workspace(&c)
                                      : lpi_conv_workspace(&c));
        (transposed ? lpi_deconv_run : lpi_conv_run)(&c);
        SAME(c.y, want, out);
        free(c.workspace);
        free(c.y);
    }
    free(x);
    free(w);
    free(bias);
    free(start);
    free(want);
}

/* A small convolution; "depthwise": a channel a group. */
static lpi_conv draw_conv(bool depthwise)
{
    lpi_conv c = {.batch = 1 + draw(2), .groups = 1 + draw(3)};

    c.in_channels = c.groups * (depthwise ? 1 : 1 + draw(3));
    c.out_channels = c.groups * (1 + draw(depthwise ? 2 : 9));
    c.goes_on = draw(2);
    for (int i = 0; i < 3; i++) {
        bool used = i == 2 || draw(3);

        c.kernel[i] = used ? 1 + draw(3) : 1;
        c.stride[i] = used ? 1 + draw(3) : 1;
        c.dilation[i] = used ? 1 + draw(2) : 1;
        c.pad[i] = used ? draw(3) : 0;
        c.in[i] = used ? 3 + draw(8) : 1;
    }
    if (depthwise && draw(2))
        c.in[2] = 3 + draw(160);
    return c;
}

static void set_out(lpi_conv *c, bool transposed)
{
    for (int i = 0; i < 3; i++) {
        int64_t reach = (c->kernel[i] - 1) * c->dilation[i] + 1;

        c->out[i] = transposed
                        ? (c->in[i] - 1) * c->stride[i] + reach - c->pad[i] +
                              draw(2)
                        : (c->in[i] + 2 * c->pad[i] - reach) / c->stride[i] + 1;
        if (c->out[i] < 1)
            c->out[i] = 1;
    }
}

static void test_conv(void **unused)
{
    (void)unused;
    for (int i = 0; i < 150; i++) {
        lpi_conv c = draw_conv(i % 3 == 0);

        set_out(&c, false);
        check_conv(c, false);
    }
}

static void test_conv_1x1(void **unused)
{
    lpi_conv c = {.batch = 2,
                  .groups = 1,
                  .in_channels = 9,
                  .out_channels = 30,
                  .in = {1, 7, 9},
                  .out = {1, 7, 9},
                  .kernel = {1, 1, 1},
                  .stride = {1, 1, 1},
                  .dilation = {1, 1, 1}};

    lpi_conv large = {.batch = 1,
                      .groups = 1,
                      .in_channels = 16,
                      .out_channels = 41,
                      .in = {1, 21, 20},
                      .out = {1, 21, 20},
                      .kernel = {1, 3, 3},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .pad = {0, 1, 1}};

    (void)unused;
    check_conv(c, false);
    check_conv(large, false);
}

static void test_deconv(void **unused)
{
    (void)unused;
    for (int i = 0; i < 60; i++) {
        lpi_conv c = draw_conv(false);

        if (i >= 40) {
            int axis = (int)draw(3);

            for (int d = 0; d < 3; d++)
                c.in[d] = 1 + draw(2);
            c.kernel[axis] = 34 + draw(30);
            c.stride[axis] = 1 + draw(3) * draw(60);
        }
        set_out(&c, true);
        check_conv(c, true);
    }
}

/* One output of an integer convolution by the definition. */
static int32_t plain_integer(const lpi_conv8 *c, int64_t n, int64_t oc,
                             int64_t i)
{
    const lpi_conv *s = c->shape;
    int64_t channels = s->in_channels / s->groups, taps = volume(s->kernel);
    int64_t group = oc / (s->out_channels / s->groups), o[3], t[3];
    int32_t sum = 0;

    unfold(i, s->out, o);
    for (int64_t k = 0; k < channels * taps; k++) {
        int64_t plane = n * s->in_channels + group * channels + k / taps;
        int64_t at = plane, w = oc * channels * taps + k;
        bool inside = true;

        unfold(k % taps, s->kernel, t);
        for (int axis = 0; axis < 3; axis++) {
            int64_t p = o[axis] * s->stride[axis] +
                        t[axis] * s->dilation[axis] - s->pad[axis];

            inside = inside && p >= 0 && p < s->in[axis];
            at = at * s->in[axis] + p;
        }
        if (inside)
            sum += ((c->x_signed ? ((const int8_t *)c->x)[at]
                                 : ((const uint8_t *)c->x)[at]) -
                    c->x_zero) *
                   ((c->w_signed ? ((const int8_t *)c->w)[w]
                                 : ((const uint8_t *)c->w)[w]) -
                    (c->w_zeros ? c->w_zeros[oc] : c->w_zero));
    }
    return sum;
}

static void check_conv8(lpi_conv shape, uint32_t form)
{
    int64_t in = shape.batch * shape.in_channels * volume(shape.in);
    int64_t out = shape.batch * shape.out_channels * volume(shape.out);
    uint8_t *x = draw_bytes(in), *w;
    float *want = room(out), *got = room(out);
    int32_t zeros[64];
    lpi_conv8 c = {.shape = &shape,
                   .x = x,
                   .x_signed = form & 1,
                   .w_signed = form & 2,
                   .x_zero = form & 1 ? -100 : 200,
                   .w_zero = 3,
                   .w_zeros = form & 4 ? zeros : NULL,
                   .y = (int32_t *)got};

    c.w = w = draw_bytes(shape.in_channels / shape.groups * shape.out_channels *
                         volume(shape.kernel));
    for (int i = 0; i < 64; i++)
        zeros[i] = (int32_t)draw(200) - 100;
    for (int64_t i = 0; i < out; i++)
        ((int32_t *)want)[i] = plain_integer(
            &c, i / volume(shape.out) / shape.out_channels,
            i / volume(shape.out) % shape.out_channels, i % volume(shape.out));
    for (lpi_team team = {0}; next_team(&team);) {
        shape.team = team;
        c.workspace = room(lpi_conv8_workspace(&c) / 4 + 1);
        lpi_conv8_run(&c);
        SAME(got, want, out);
        free(c.workspace);
    }
    free(x);
    free(w);
    free(want);
    free(got);
}

static void test_conv8(void **unused)
{
    (void)unused;
    for (uint32_t i = 0; i < 160; i++) {
        lpi_conv c = draw_conv(i % 4 == 0);

        c.dilation[2] += i >= 96 ? draw(16) : 0;
        c.pad[2] += i >= 96 ? draw(20) : 0;
        c.in[2] += i >= 96 ? draw(70) : 0;
        set_out(&c, false);
        check_conv8(c, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm),     cmocka_unit_test(test_conv),
        cmocka_unit_test(test_conv_1x1), cmocka_unit_test(test_deconv),
        cmocka_unit_test(test_conv8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
