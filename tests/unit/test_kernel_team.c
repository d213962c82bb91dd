/* test_kernel_team.c: products so large that threads share the packing of B,
 * several panels and blocks of it: 2 and 3 threads against 1, byte for byte,
 * and the bias against an addition behind the product; transposed convolutions
 * of that size. */
#include "teams.h"

/* rows, columns, k, whether A and B are turned */
static const int64_t shapes[][5] = {
    {420, 2400, 800, 0, 0}, {700, 100, 900, 0, 1}, {900, 330, 4000, 1, 0},
    {26, 130, 9000, 0, 0},  {2500, 48, 385, 0, 0}, {130, 700, 600, 1, 1},
    {1, 9000, 300, 0, 0},   {2000, 1, 1500, 0, 0}, {1500, 7, 384, 0, 1}};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

/* Sets but the generic one, which has no fused multiply-add to be fast with. */
static bool next_fast(lpi_team *team)
{
    static const char *const names[] = {"avx2", "avx512", "avx512vnni"};

    while (team->threads < 3) {
        team->isa = lpi_isa_find(names[team->threads++]);
        if (team->isa)
            return true;
    }
    return false;
}

static void products(void **unused)
{
    (void)unused;
    for (int s = 0; s < SHAPES; s++) {
        const int64_t *d = shapes[s];
        int64_t m = d[0], n = d[1], k = d[2];
        float *a = floats(m * k), *b = floats(n * k), *bias = floats(m);
        float *want = room(m * n), *got = room(m * n);
        lpi_matrix right = {b, d[4] ? 1 : n, d[4] ? k : 1, NULL};
        lpi_gemm g = {.m = m,
                      .n = n,
                      .k = k,
                      .a = {a, d[3] ? 1 : k, d[3] ? m : 1, NULL},
                      .b = {lpi_pack_matrix, &right},
                      .c_row = n,
                      .fresh = true};

        for (lpi_team set = {0}; next_fast(&set);)
            for (int32_t threads = 1; threads <= 3; threads++) {
                g.team = (lpi_team){set.isa, threads};
                g.bias = threads > 1 ? bias : NULL;
                g.c = threads > 1 ? got : want;
                g.workspace = room(lpi_gemm_workspace(&g));
                lpi_gemm_run(&g);
                free(g.workspace);
                for (int64_t i = 0; i < m * n && threads == 1; i++)
                    want[i] += bias[i / n];
                SAME(g.c, want, m * n);
            }
        free(a);
        free(b);
        free(bias);
        free(want);
        free(got);
    }
}

static void products_of_bytes(void **unused)
{
    (void)unused;
    for (int s = 0; s < SHAPES; s++) {
        const int64_t *d = shapes[s];
        int64_t m = d[0], n = d[1], k = d[2];
        uint8_t *a = malloc((size_t)(m * k)), *b = malloc((size_t)(n * k));
        float *want = room(m * n), *got = room(m * n);
        lpi_gemm8 g = {.m = m,
                       .n = n,
                       .k = k,
                       .a = {a, d[3] ? 1 : k, d[3] ? m : 1, false, 3, NULL},
                       .b = {b, d[4] ? 1 : n, d[4] ? k : 1, true, -5, NULL},
                       .c_row = n};

        for (int64_t i = 0; i < m * k; i++)
            a[i] = (uint8_t)draw(256);
        for (int64_t i = 0; i < n * k; i++)
            b[i] = (uint8_t)draw(256);
        for (lpi_team set = {0}; next_fast(&set);)
            for (int32_t threads = 1; threads <= 3; threads++) {
                g.team = (lpi_team){set.isa, threads};
                g.c = (int32_t *)(threads > 1 ? got : want);
                g.workspace = malloc((size_t)lpi_gemm8_workspace(&g));
                lpi_gemm8_run(&g);
                free(g.workspace);
                assert_memory_equal(g.c, want, (size_t)(m * n) * 4);
            }
        free(a);
        free(b);
        free(want);
        free(got);
    }
}

/* Transposed convolutions whose phases are moved by all threads. */
static void spread_convolutions(void **unused)
{
    lpi_conv c = {.batch = 1,
                  .groups = 1,
                  .in_channels = 128,
                  .out_channels = 96,
                  .in = {1, 24, 24},
                  .out = {1, 48, 48},
                  .kernel = {1, 4, 4},
                  .stride = {1, 2, 2},
                  .dilation = {1, 1, 1},
                  .pad = {0, 1, 1}};
    int64_t all = c.out_channels * 48 * 48;
    float *x = floats(c.in_channels * 24 * 24), *bias = floats(c.out_channels);
    float *w = floats(c.in_channels * c.out_channels * 16);
    float *start = floats(all), *want = room(all), *got = room(all);

    (void)unused;
    c.x = x;
    c.w = w;
    c.bias = bias;
    for (int form = 0; form < 2; form++)
        for (lpi_team set = {0}; next_fast(&set);)
            for (int32_t threads = 1; threads <= 3; threads++) {
                c.team = (lpi_team){set.isa, threads};
                c.goes_on = form;
                c.y = threads > 1 ? got : want;
                memcpy(c.y, start, (size_t)all * sizeof(*start));
                c.workspace = room(lpi_deconv_workspace(&c));
                lpi_deconv_run(&c);
                free(c.workspace);
                SAME(c.y, want, all);
            }
    free(x);
    free(bias);
    free(w);
    free(start);
    free(want);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(products_of_bytes),
        cmocka_unit_test(spread_convolutions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
