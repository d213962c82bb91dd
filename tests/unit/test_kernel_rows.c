/* test_kernel_rows.c: reductions, softmax, norms, attention and products of
 * integers: against plain loops in the stated order, on every instruction set
 * and with any number of threads. */
#include "teams.h"

static float fold(lpi_reducer what, float a, float b)
{
    switch (what) {
    case LPI_REDUCE_MAX:
        return a >= b || a != a ? a : b;
    case LPI_REDUCE_MIN:
        return a <= b || a != a ? a : b;
    case LPI_REDUCE_PROD:
        return a * b;
    default:
        return a + b;
    }
}

static float take(lpi_reducer what, float sum, float x)
{
    if (what == LPI_REDUCE_SUM_SQUARES)
        return fmaf(x, x, sum);
    return fold(what, sum, what == LPI_REDUCE_SUM_ABS ? fabsf(x) : x);
}

static float neutral(lpi_reducer what)
{
    return what == LPI_REDUCE_MAX    ? -(float)INFINITY
           : what == LPI_REDUCE_MIN  ? (float)INFINITY
           : what == LPI_REDUCE_PROD ? 1
                                     : 0;
}

/* One reduction in the stated order. */
static float plain_reduce(lpi_reducer what, int64_t count, const float *x,
                          int64_t step)
{
    float lane[LPI_LANES];

    for (int j = 0; j < LPI_LANES; j++)
        lane[j] = neutral(what);
    for (int64_t i = 0; i < count; i++)
        lane[i % LPI_LANES] = take(what, lane[i % LPI_LANES], x[i * step]);
    for (int half = LPI_LANES / 2; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = fold(what, lane[j], lane[j + half]);
    return lane[0];
}

/* outer, count, inner */
static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 1},    {40, 16, 1},
                                    {2, 1000, 1}, {3, 77, 4},   {1, 33, 130},
                                    {5, 3, 64},   {2, 100, 65}, {19, 2, 1}};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static void reductions(void **unused)
{
    (void)unused;
    for (int s = 0; s < SHAPES * LPI_REDUCERS * 2; s++) {
        const int64_t *d = shapes[s % SHAPES];
        lpi_reducer what = (lpi_reducer)(s / SHAPES % LPI_REDUCERS);
        int64_t results = d[0] * d[2];
        float *x = floats(results * d[1]), *want = room(results);
        float *got = room(results), *start = floats(results);
        lpi_reduction r = {d[0], d[1], d[2],
                           x,    got,  s >= SHAPES * LPI_REDUCERS};

        for (int64_t i = 0; i < results; i++) {
            const float *at = x + i / d[2] * d[1] * d[2] + i % d[2];

            want[i] = r.chain ? start[i] : plain_reduce(what, d[1], at, d[2]);
            for (int64_t k = 0; k < d[1] && r.chain; k++)
                want[i] = take(what, want[i], at[k * d[2]]);
        }
        for (lpi_team team = {0}; next_team(&team);) {
            memcpy(got, start, (size_t)results * sizeof(*got));
            lpi_reduction_run(&team, what, &r);
            SAME(got, want, results);
        }
        free(x);
        free(want);
        free(got);
        free(start);
    }
}

/* Zeros keep the sign that the order gives them; NaN wins. */
static void extremes(void **unused)
{
    enum { COUNT = 37 };
    float x[COUNT], got;
    lpi_reduction r = {1, COUNT, 1, x, &got, false};

    (void)unused;
    for (int round = 0; round < 40; round++)
        for (lpi_team team = {0}; next_team(&team);)
            for (int what = LPI_REDUCE_MAX; what <= LPI_REDUCE_MIN; what++) {
                float want;

                for (int i = 0; i < COUNT; i++)
                    x[i] = draw(2) ? 0.0f : -0.0f;
                want = plain_reduce((lpi_reducer)what, COUNT, x, 1);
                lpi_reduction_run(&team, (lpi_reducer)what, &r);
                SAME(&got, &want, 1);
                x[draw(COUNT)] = (float)NAN;
                lpi_reduction_run(&team, (lpi_reducer)what, &r);
                assert_true(got != got);
            }
}

static void softmaxes(void **unused)
{
    const lpi_isa *plain = lpi_isa_find("generic");

    (void)unused;
    for (int s = 0; s < SHAPES * 2; s++) {
        const int64_t *d = shapes[s % SHAPES];
        int64_t all = d[0] * d[1] * d[2];
        float *x = floats(all), *want = room(all), *got = room(all);
        lpi_softmax softmax = {d[0], d[1], d[2], got, got, s >= SHAPES};

        for (int64_t i = 0; i < d[0] * d[2]; i++) {
            int64_t at = i / d[2] * d[1] * d[2] + i % d[2];
            float max = plain_reduce(LPI_REDUCE_MAX, d[1], x + at, d[2]), sum;

            for (int64_t k = 0; k < d[1]; k++)
                want[at + k * d[2]] = x[at + k * d[2]] - max;
            for (int64_t k = 0; k < d[1]; k++)
                plain->unary[LPI_UNARY_EXP](1, want + at + k * d[2],
                                            got + at + k * d[2]);
            sum = plain_reduce(LPI_REDUCE_SUM, d[1], got + at, d[2]);
            if (softmax.log)
                plain->unary[LPI_UNARY_LOG](1, &sum, &sum);
            for (int64_t k = at; k < at + d[1] * d[2]; k += d[2])
                want[k] = softmax.log ? want[k] - sum : got[k] * (1 / sum);
        }
        for (lpi_team team = {0}; next_team(&team);) {
            memcpy(got, x, (size_t)all * sizeof(*got));
            lpi_softmax_run(&team, &softmax);
            SAME(got, want, all);
        }
        free(x);
        free(want);
        free(got);
    }
}

/* Element "i" of row "r" by the definition, in doubles. */
static double plain_norm(const lpi_norm *n, int64_t r, int64_t i)
{
    const float *x = n->from + r * n->count;
    double mean = 0, squares = 0;
    int64_t c = (r * (n->count / n->plane) + i / n->plane) % n->channels;

    for (int64_t k = 0; k < n->count && n->centred; k++)
        mean += (double)x[k] / (double)n->count;
    for (int64_t k = 0; k < n->count; k++)
        squares += ((double)x[k] - mean) * ((double)x[k] - mean);
    return ((double)x[i] - mean) /
               sqrt(squares / (double)n->count + n->epsilon) *
               (n->scale ? (double)n->scale[c] : 1) +
           (n->shift ? (double)n->shift[c] : 0);
}

static void norms(void **unused)
{
    /* rows, count, plane, channels */
    static const int64_t forms[][4] = {{5, 40, 1, 40},     {4, 60, 10, 12},
                                       {6, 700, 700, 3},   {4, 1200, 600, 4},
                                       {3, 1000, 1, 1000}, {6, 12, 1, 4}};
    (void)unused;
    for (int s = 0; s < 6 * 4; s++) {
        const int64_t *f = forms[s % 6];
        int64_t all = f[0] * f[1];
        float *x = floats(all), *scale = floats(f[3]), *shift = floats(f[3]);
        float *first = room(all), *got = room(all);
        lpi_norm norm = {f[0],
                         f[1],
                         f[2],
                         f[3],
                         x,
                         s / 6 & 1 ? scale : NULL,
                         s / 6 & 2 ? shift : NULL,
                         1e-5,
                         s % 5 > 0,
                         got,
                         NULL,
                         NULL};

        for (lpi_team team = {0}; next_team(&team);) {
            bool begin = !strcmp(team.isa->name, "generic") &&
                         team.threads == 1;

            norm.to = begin ? first : got;
            lpi_norm_run(&team, &norm);
            if (!begin)
                SAME(got, first, all);
        }
        for (int64_t i = 0; i < all; i++)
            assert_true(fabs((double)first[i] -
                             plain_norm(&norm, i / f[1], i % f[1])) < 1e-5);
        free(x);
        free(scale);
        free(shift);
        free(first);
        free(got);
    }
}

/* The same by products, multiply, add, softmax. */
static void unfused(const lpi_attend *a, float *out)
{
    lpi_team team = {lpi_isa_find("generic"), 1};
    float *scores = room(a->rows * a->keys);
    lpi_matrix k = {a->k.at, a->k.column, a->k.row, NULL};
    lpi_gemm g = {.m = a->rows,
                  .n = a->keys,
                  .k = a->depth,
                  .a = a->q,
                  .b = {lpi_pack_matrix, &k},
                  .c = scores,
                  .c_row = a->keys,
                  .fresh = true,
                  .team = team};
    lpi_gemm h = {.m = a->rows,
                  .n = a->value_depth,
                  .k = a->keys,
                  .a = {scores, a->keys, 1, NULL},
                  .b = {lpi_pack_matrix, &a->v},
                  .c = out,
                  .c_row = a->value_depth,
                  .fresh = true,
                  .team = team};
    lpi_softmax softmax = {a->rows, a->keys, 1, scores, scores, false};

    g.workspace = room(lpi_gemm_workspace(&g));
    h.workspace = room(lpi_gemm_workspace(&h));
    lpi_gemm_run(&g);
    for (int64_t i = 0; i < a->rows * a->keys; i++) {
        int64_t r = i / a->keys, j = i % a->keys;

        scores[i] *= a->scale;
        if (a->mask.at)
            scores[i] += a->mask.at[r * a->mask.row + j * a->mask.column];
        if (a->causal && j > r + a->past)
            scores[i] = -(float)INFINITY;
    }
    lpi_softmax_run(&team, &softmax);
    lpi_gemm_run(&h);
    free(g.workspace);
    free(h.workspace);
    free(scores);
}

static void check_attention(int64_t rows, int64_t keys, int64_t depth,
                            uint32_t form)
{
    int64_t values = 1 + draw(60);
    float *q = floats(rows * depth), *k = floats(keys * depth);
    float *v = floats(keys * values), *mask = floats(rows * keys);
    float *want = room(rows * values), *got = room(rows * values);
    lpi_attend a = {.rows = rows,
                    .keys = keys,
                    .depth = depth,
                    .value_depth = values,
                    .q = {q, depth, 1, NULL},
                    .k = {k, depth, 1, NULL},
                    .v = {v, values, 1, NULL},
                    .scale = form & 1 ? 0.3f : 1,
                    .causal = form & 4,
                    .past = 2,
                    .out = got,
                    .out_row = values};

    if (form & 2)
        a.mask = (lpi_matrix){mask, form & 8 ? 0 : keys, 1, NULL};
    if (form & 8)
        a.k = (lpi_matrix){k, 1, keys, NULL};
    unfused(&a, want);
    for (lpi_team team = {0}; next_team(&team);) {
        a.team = team;
        a.workspace = room(lpi_attend_workspace(&a));
        lpi_attend_run(&a);
        SAME(got, want, rows * values);
        free(a.workspace);
    }
    free(q);
    free(k);
    free(v);
    free(mask);
    free(want);
    free(got);
}

static void attention(void **unused)
{
    (void)unused;
    for (uint32_t form = 0; form < 16; form++) {
        check_attention(1 + draw(60), 1 + draw(90), 1 + draw(40), form);
        check_attention(1, 1 + draw(40), 1 + draw(20), form);
    }
    check_attention(300, 700, 8, 1);
}

static int32_t byte_at(const lpi_matrix8 *m, int64_t i, int64_t j)
{
    int64_t at = i * m->row + j * m->column;

    return m->is_signed ? ((const int8_t *)m->at)[at]
                        : ((const uint8_t *)m->at)[at];
}

static void check_integers(int64_t m, int64_t n, int64_t k, uint32_t form)
{
    uint8_t *a = malloc((size_t)(m * k + 1)), *b = malloc((size_t)(n * k + 1));
    int32_t *zeros = malloc((size_t)(m + n) * sizeof(*zeros));
    int32_t *want = malloc((size_t)(m * n) * sizeof(*want));
    int32_t *got = malloc((size_t)(m * n) * sizeof(*got));
    lpi_gemm8 g = {.m = m,
                   .n = n,
                   .k = k,
                   .a = {a, k, 1, form & 1, 5, form & 8 ? zeros : NULL},
                   .b = {b, n, 1, form & 2, -7, form & 8 ? zeros + m : NULL},
                   .c = got,
                   .c_row = n};

    if (form & 4)
        g.b.row = 1, g.b.column = k;
    for (int64_t i = 0; i < m * k; i++)
        a[i] = (uint8_t)(draw(3) ? draw(256) : 255);
    for (int64_t i = 0; i < n * k; i++)
        b[i] = (uint8_t)(draw(3) ? draw(256) : 128);
    for (int64_t i = 0; i < m + n; i++)
        zeros[i] = (int32_t)draw(256) - 128;
    for (int64_t i = 0; i < m * n; i++) {
        int32_t za = form & 8 ? zeros[i / n] : 5;
        int32_t zb = form & 8 ? zeros[m + i % n] : -7;

        want[i] = 0;
        for (int64_t p = 0; p < k; p++)
            want[i] += (byte_at(&g.a, i / n, p) - za) *
                       (byte_at(&g.b, p, i % n) - zb);
    }
    for (lpi_team team = {0}; next_team(&team);) {
        g.team = team;
        g.workspace = malloc((size_t)lpi_gemm8_workspace(&g));
        memset(got, 0xff, (size_t)(m * n) * sizeof(*got));
        lpi_gemm8_run(&g);
        SAME(got, want, m * n);
        free(g.workspace);
    }
    free(a);
    free(b);
    free(zeros);
    free(want);
    free(got);
}

static void integers(void **unused)
{
    (void)unused;
    for (uint32_t form = 0; form < 16; form++) {
        for (int i = 0; i < 4; i++)
            check_integers(1 + draw(60), 1 + draw(110), 1 + draw(90), form);
        check_integers(1 + draw(6), 500 + draw(100), 1 + draw(90), form);
        check_integers(7 + draw(9), 1 + draw(60), 1030, form);
        check_integers(3, 5, 2100, form);
        check_integers(1, 1, 1, form);
    }
    check_integers(150, 7, 3, 0);
    check_integers(7, 1200, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions), cmocka_unit_test(softmaxes),
        cmocka_unit_test(extremes),   cmocka_unit_test(norms),
        cmocka_unit_test(attention),  cmocka_unit_test(integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
