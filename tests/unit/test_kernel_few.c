/* test_kernel_few.c: products of few rows against the chain of lpi_gemm, bit
 * for bit: random sizes, strides, dtypes and places in memory, every
 * instruction set, 1 to 3 threads.  Operands stand in memory that ends where
 * they do, so that a build with a sanitizer sees what reads behind them. */
#include "teams.h"

typedef enum form { FLOATS, HALVES, BRAINS, KINDS } form;

/* Where elements stand: "lines" runs of "count", "line" apart, behind "skip"
 * elements; "values" are all of them as floats. */
typedef struct store {
    form kind;
    int64_t lines, count, line, skip;
    float *values;
    void *bytes;
} store;

static int64_t size_of(const store *s)
{
    return s->skip + (s->lines - 1) * s->line + s->count;
}

static store draw_store(form kind, int64_t lines, int64_t count)
{
    store s = {.kind = kind, .lines = lines, .count = count};
    const lpi_isa *isa = lpi_isa_find("generic");
    int64_t size;

    s.line = count + draw(3) * draw(30);
    s.skip = draw(2) * draw(8);
    size = size_of(&s);
    s.values = malloc((size_t)size * sizeof(*s.values));
    for (int64_t i = 0; i < size; i++)
        s.values[i] = draw(50) ? (float)draw(1 << 20) * 0x1p-19f - 1 : -0.0f;
    s.bytes = malloc((size_t)size * (kind == FLOATS ? sizeof(float) : 2));
    if (kind == FLOATS)
        memcpy(s.bytes, s.values, (size_t)size * sizeof(float));
    else
        (kind == HALVES ? isa->to_f16 : isa->to_bf16)(size, s.values, s.bytes);
    if (kind != FLOATS)
        (kind == HALVES ? isa->from_f16 : isa->from_bf16)(size, s.bytes,
                                                          s.values);
    return s;
}

static void drop(store *s)
{
    free(s->values);
    free(s->bytes);
}

/* The matrix of lines, or, "turned", of columns. */
static lpi_matrix matrix_of(const store *s, bool turned, const lpi_isa *isa)
{
    lpi_matrix m = {s->bytes, s->line, 1, NULL};

    if (s->kind != FLOATS)
        m.widen = s->kind == HALVES ? isa->from_f16 : isa->from_bf16;
    if (turned) {
        m.row = 1;
        m.column = s->line;
    }
    return lpi_matrix_from(&m, s->skip);
}

static float element(const store *s, bool turned, int64_t i, int64_t j)
{
    return s->values[s->skip + (turned ? j * s->line + i : i * s->line + j)];
}

/* C by the definition. */
static void plain_product(const lpi_gemm *g, const store operands[2],
                          const bool turned[2])
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            float *c = g->c + i * g->c_row + j, sum = g->fresh ? 0 : *c;

            for (int64_t k = 0; k < g->k; k++)
                sum = fmaf(element(&operands[0], turned[0], i, k),
                           element(&operands[1], turned[1], k, j), sum);
            *c = g->bias ? sum + g->bias[i] : sum;
        }
}

static void run_threads(lpi_gemm g, const float *start, const float *want)
{
    size_t size = (size_t)((g.m - 1) * g.c_row + g.n) * sizeof(*start);

    for (g.team.threads = 1; g.team.threads <= 3; g.team.threads++) {
        g.c = malloc(size);
        memcpy(g.c, start, size);
        g.workspace = room(lpi_gemm_workspace(&g));
        lpi_gemm_run(&g);
        assert_memory_equal(g.c, want, size);
        free(g.workspace);
        free(g.c);
    }
}

static void check(int64_t m, int64_t n, int64_t k)
{
    const bool turned[] = {draw(4) == 0, draw(4) != 0};
    store s[] = {draw_store(draw(KINDS), turned[0] ? k : m, turned[0] ? m : k),
                 draw_store(draw(KINDS), turned[1] ? n : k, turned[1] ? k : n)};
    lpi_gemm g = {.m = m, .n = n, .k = k, .c_row = n + draw(2) * draw(9)};
    float *start = floats(m * g.c_row), *want = copy_of(start, m * g.c_row);
    float *bias = floats(m);

    g.fresh = draw(2);
    g.bias = draw(2) ? bias : NULL;
    g.c = want;
    plain_product(&g, s, turned);
    for (lpi_team team = {0}; next_team(&team);) {
        lpi_matrix b = matrix_of(&s[1], turned[1], team.isa);

        if (team.threads > 1)
            continue;
        g.a = matrix_of(&s[0], turned[0], team.isa);
        g.b = (lpi_columns){lpi_pack_matrix, &b};
        g.team = team;
        run_threads(g, start, want);
    }
    drop(&s[0]);
    drop(&s[1]);
    free(start);
    free(want);
    free(bias);
}

static void small(void **unused)
{
    (void)unused;
    for (int i = 0; i < 600; i++)
        check(1 + draw(14), 1 + draw(70), 1 + draw(i % 3 ? 60 : 300));
}

/* Blocks of every kind are met more than once, and are worth threads. */
static void large(void **unused)
{
    static const int64_t sizes[][2] = {
        {2100, 530}, {1025, 1100}, {4099, 260}, {129, 4100}, {16, 9000}};

    (void)unused;
    for (int i = 0; i < 5; i++)
        for (int64_t m = 1; m < 6; m += 3)
            check(m, sizes[i][0], sizes[i][1]);
}

/* Numbers that are no numbers, or of no size, meet only their own chain. */
static void special(void **unused)
{
    enum { N = 37, K = 53 };
    float a[K], b[N * K], c[N], want[N];
    lpi_matrix right = {b, 1, K, NULL};
    lpi_gemm g = {.m = 1,
                  .n = N,
                  .k = K,
                  .a = {a, K, 1, NULL},
                  .b = {lpi_pack_matrix, &right},
                  .c_row = N,
                  .fresh = true};

    (void)unused;
    for (int i = 0; i < K; i++)
        a[i] = i % 9 ? -0.0f : -1;
    for (int i = 0; i < N * K; i++)
        b[i] = i % 97 == 5 ? INFINITY : i % 3 ? 0 : 0x1p-149f;
    for (int j = 0; j < N; j++) {
        want[j] = 0;
        for (int i = 0; i < K; i++)
            want[j] = fmaf(a[i], b[j * K + i], want[j]);
    }
    for (lpi_team team = {0}; next_team(&team);) {
        g.c = c;
        g.team = team;
        g.workspace = room(lpi_gemm_workspace(&g));
        lpi_gemm_run(&g);
        for (int j = 0; j < N; j++)
            if (want[j] == want[j])
                SAME(c + j, want + j, 1);
            else
                assert_true(c[j] != c[j]);
        free(g.workspace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small),
                                       cmocka_unit_test(large),
                                       cmocka_unit_test(special)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
