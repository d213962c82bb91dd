/* test_kernel_bytes.c: products of 8-bit integers against sums of 64 bits:
 * random sizes, none among them, both operands of either sign and wherever
 * they may stand in memory, columns that a function makes, zero points of one
 * and of each; every instruction set, 1 to 3 threads.  Operands, results and
 * the workspace stand in memory that ends where they do, so that a build with a
 * sanitizer sees what is done behind them. */
#include "teams.h"

/* Rows side by side, columns side by side, neither, and the same for all. */
typedef enum place { ROWS, COLUMNS, APART, REPEATED, PLACES } place;

typedef struct factor {
    uint8_t *bytes;
    int32_t *zeros;
    lpi_matrix8 m;
} factor;

/* A byte, most often one at the end of a range. */
static uint8_t draw_byte(void)
{
    static const uint8_t ends[] = {0, 127, 128, 255};

    return (uint8_t)(draw(3) ? ends[draw(4)] : draw(256));
}

/* A matrix of "rows" x "columns" with "zeros" zero points. */
static factor draw_factor(int64_t rows, int64_t columns, int64_t zeros)
{
    place where = (place)draw(PLACES);
    int64_t gap = draw(2) * draw(20), skip = draw(9), size = skip;
    factor f = {.m.is_signed = draw(2)};
    int32_t least = f.m.is_signed ? -128 : 0;

    f.m.row = where == COLUMNS ? 1 : where == REPEATED ? 0 : columns + gap;
    f.m.column = where == COLUMNS ? rows + gap : 1;
    if (where == APART)
        f.m.row = 3 * (columns + gap), f.m.column = 3;
    if (rows > 0 && columns > 0)
        size += (rows - 1) * f.m.row + (columns - 1) * f.m.column + 1;
    f.bytes = malloc((size_t)size);
    for (int64_t i = 0; i < size; i++)
        f.bytes[i] = draw_byte();
    f.zeros = malloc((size_t)zeros * sizeof(*f.zeros));
    for (int64_t i = 0; i < zeros; i++)
        f.zeros[i] = least + draw_byte();
    f.m.at = f.bytes + skip;
    f.m.zero = least + draw_byte();
    f.m.zeros = draw(2) ? f.zeros : NULL;
    return f;
}

static void drop(factor *f)
{
    free(f->bytes);
    free(f->zeros);
}

static uint8_t raw_at(const lpi_matrix8 *m, int64_t i, int64_t j)
{
    return ((const uint8_t *)m->at)[i * m->row + j * m->column];
}

/* Element (i, j) less zero point "of". */
static int64_t number_at(const lpi_matrix8 *m, int64_t i, int64_t j, int64_t of)
{
    int64_t raw = raw_at(m, i, j), zero = m->zeros ? m->zeros[of] : m->zero;

    return (m->is_signed && raw > 127 ? raw - 256 : raw) - zero;
}

static void plain_product(const lpi_gemm8 *g, uint32_t *c)
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            int64_t sum = 0;

            for (int64_t k = 0; k < g->k; k++)
                sum += number_at(&g->a, i, k, i) * number_at(&g->b, k, j, j);
            c[i * g->c_row + j] = (uint32_t)sum;
        }
}

/* lpi_columns8.pack of an lpi_matrix8, which writes all that it may. */
static void pack_columns(const void *context, int64_t k, int64_t k_count,
                         int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    memset(to, 0xa5, (size_t)(k_count * width + LPI_BYTES_SLACK));
    for (int64_t i = 0; i < k_count; i++)
        for (int64_t j = 0; j < n_count; j++)
            to[i * width + j] = raw_at(context, k + i, n + j);
}

/* "start" is what C holds before; room for more rows must do. */
static void run_threads(lpi_gemm8 g, const uint32_t *start,
                        const uint32_t *want, size_t size)
{
    for (g.team.threads = 1; g.team.threads <= 3; g.team.threads++) {
        lpi_gemm8 most = g;
        size_t skip = draw(64), bytes;
        uint8_t *workspace;

        most.m += draw(2) * draw(20);
        bytes = (size_t)lpi_gemm8_workspace(&most);
        workspace = malloc(skip + bytes);
        memset(workspace, 0xa5, skip + bytes);
        g.workspace = workspace + skip;
        g.c = malloc(size);
        memcpy(g.c, start, size);
        lpi_gemm8_run(&g);
        assert_memory_equal(g.c, want, size);
        free(g.c);
        free(workspace);
    }
}

static void check(int64_t m, int64_t n, int64_t k)
{
    factor a = draw_factor(m, k, m), b = draw_factor(k, n, n);
    lpi_gemm8 g = {.m = m,
                   .n = n,
                   .k = k,
                   .a = a.m,
                   .b = b.m,
                   .c_row = n + draw(2) * draw(9)};
    size_t count = m > 0 && n > 0 ? (size_t)((m - 1) * g.c_row + n) : 0;
    uint32_t *start = malloc((count + 1) * sizeof(*start));
    uint32_t *want = malloc((count + 1) * sizeof(*want));

    for (size_t i = 0; i < count; i++)
        want[i] = start[i] = draw(1 << 24);
    plain_product(&g, want);
    if (draw(4) == 0)
        g.b_from = (lpi_columns8){pack_columns, &b.m};
    for (lpi_team team = {0}; next_team(&team);)
        if (team.threads == 1) {
            g.team = team;
            run_threads(g, start, want, count * sizeof(*want));
        }
    drop(&a);
    drop(&b);
    free(start);
    free(want);
}

static void small(void **unused)
{
    (void)unused;
    for (int i = 0; i < 400; i++) {
        check(draw(4), draw(4), draw(4));
        check(1 + draw(70), 1 + draw(70), 1 + draw(70));
        check(1 + draw(8), 1 + draw(200), draw(40));
        check(1 + draw(200), 1 + draw(8), 1 + draw(40));
    }
}

/* More than a block of rows, of columns and of k. */
static void large(void **unused)
{
    (void)unused;
    for (int i = 0; i < 8; i++) {
        check(140 + draw(10), 1 + draw(9), 1 + draw(9));
        check(1 + draw(20), 1148 + draw(60), 1 + draw(6));
        check(1 + draw(20), 1 + draw(20), 1020 + draw(1100));
    }
    check(60, 1160, 1030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small),
                                       cmocka_unit_test(large)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
