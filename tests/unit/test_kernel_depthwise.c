/* test_kernel_depthwise.c: convolutions of so many groups of one channel that
 * vectors of them are computed at once, against the chain of lpi_conv, bit for
 * bit: every instruction set, 1 to 3 threads.  Operands stand in memory that
 * ends where they do. */
#include "teams.h"

static float *exact(int64_t count)
{
    float *made = malloc((size_t)count * sizeof(*made));

    for (int64_t i = 0; i < count; i++)
        made[i] = draw(40) ? (float)draw(1 << 20) * 0x1p-19f - 1 : -0.0f;
    return made;
}

static lpi_conv draw_conv(void)
{
    lpi_conv c = {.batch = 1 + draw(2),
                  .groups = 15 + draw(40),
                  .in = {1, 1, 1},
                  .out = {1, 1, 1},
                  .kernel = {1, 1, 1},
                  .stride = {1, 1, 1},
                  .dilation = {1, 1, 1}};

    if (draw(3) == 0)
        c.groups = 32;
    c.in_channels = c.out_channels = c.groups;
    for (int i = 1; i < 3; i++) {
        int64_t reach;

        c.kernel[i] = 1 + draw(5);
        c.stride[i] = 1 + draw(3);
        c.dilation[i] = 1 + draw(2);
        c.pad[i] = draw(4);
        c.in[i] = 1 + draw(draw(3) ? 9 : 30);
        reach = (c.kernel[i] - 1) * c.dilation[i] + 1;
        c.out[i] = (c.in[i] + 2 * c.pad[i] - reach) / c.stride[i] + 1;
        c.out[i] = c.out[i] < 1 ? 1 : c.out[i];
    }
    return c;
}

/* Output "i" of the plane of channel "plane" by the definition. */
static float plain_output(const lpi_conv *c, int64_t plane, int64_t i)
{
    const float *x = c->x + plane * c->in[1] * c->in[2];
    int64_t group = plane % c->groups, taps = c->kernel[1] * c->kernel[2];
    float sum = 0;

    for (int64_t k = 0; k < taps; k++) {
        int64_t y = i / c->out[2] * c->stride[1] - c->pad[1] +
                    k / c->kernel[2] * c->dilation[1];
        int64_t at = i % c->out[2] * c->stride[2] - c->pad[2] +
                     k % c->kernel[2] * c->dilation[2];
        bool in = y >= 0 && y < c->in[1] && at >= 0 && at < c->in[2];

        sum = fmaf(c->w[group * taps + k], in ? x[y * c->in[2] + at] : 0, sum);
    }
    return c->bias ? sum + c->bias[group] : sum;
}

static void check(lpi_conv c)
{
    int64_t planes = c.batch * c.groups, out = c.out[1] * c.out[2];
    size_t size = (size_t)(planes * out) * sizeof(float);
    float *x = exact(planes * c.in[1] * c.in[2]), *want = malloc(size);
    float *w = exact(c.groups * c.kernel[1] * c.kernel[2]);
    float *bias = exact(c.groups);

    c.x = x;
    c.w = w;
    c.bias = draw(2) ? bias : NULL;
    for (int64_t i = 0; i < planes * out; i++)
        want[i] = plain_output(&c, i / out, i % out);
    for (lpi_team team = {0}; next_team(&team);)
        for (c.team = team; c.team.threads <= 3; c.team.threads += 2) {
            c.y = malloc(size);
            c.workspace = room(lpi_conv_workspace(&c));
            lpi_conv_run(&c);
            assert_memory_equal(c.y, want, size);
            free(c.workspace);
            free(c.y);
        }
    free(x);
    free(w);
    free(bias);
    free(want);
}

static void planes(void **unused)
{
    (void)unused;
    for (int i = 0; i < 150; i++)
        check(draw_conv());
}

/* Matrices turned by every set; nothing beside them is written. */
static void turned(void **unused)
{
    enum { MOST = 70, WIDE = 75 };
    static float to[MOST * WIDE];

    (void)unused;
    for (lpi_team team = {0}; next_team(&team);)
        for (int i = 0; i < 60; i++) {
            const int64_t sides[] = {1 + draw(MOST), 1 + draw(MOST)};
            int64_t line = sides[0] + draw(9);
            float *from = exact((sides[1] - 1) * line + sides[0]);

            memset(to, 0xff, sizeof(to));
            team.isa->turn(from, line, sides, WIDE, to);
            for (int64_t p = 0; p < MOST; p++)
                for (int64_t j = 0; j < WIDE; j++)
                    if (p < sides[0] && j < sides[1])
                        SAME(to + p * WIDE + j, from + j * line + p, 1);
                    else
                        assert_true(lpi_bits_of(to[p * WIDE + j]) ==
                                    UINT32_MAX);
            free(from);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planes),
                                       cmocka_unit_test(turned)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
