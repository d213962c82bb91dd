/* fewrows.c: products of so few rows that B is read once, in the order it
 * stands, without being packed.  Rows of B, some at a time, are added to C,
 * each times an element of A; lines of a B that is turned are turned back in
 * registers.  Both are the chain of lpi_gemm.  And what follows products, the
 * bias of their rows. */
#include <string.h>

#include "kernel.h"

enum { FEW_PLAIN = 6, FEW_TURNED = 8 }; /* rows that are few */

/* A row of C takes in rows of B, "row" apart; those columns that fill no lanes,
 * or all of one row, by another loop, which reads nothing behind them. */
static void take_rows(const lpi_isa *isa, lpi_taps t, int64_t row)
{
    int64_t all = t.length;
    int64_t whole = t.count > 1 ? all / LPI_LANES * LPI_LANES : 0;

    t.length = whole;
    isa->taps_row(&t);
    if (t.fresh)
        memset(t.to + whole, 0, (size_t)(all - whole) * sizeof(*t.to));
    for (int64_t k = 0; k < t.count && whole < all; k++)
        isa->axpy(all - whole, t.w[k], t.from + k * row + whole, t.to + whole);
    LPI_MACS(t.count * all);
}

/* Columns [from, to) of a B whose rows are runs of memory: blocks of B that
 * stay in the cache while they meet every row of A; for one row of A, long rows
 * of B as they come, which memory likes best. */
static void run_rows(const lpi_gemm *gemm, int64_t from, int64_t to)
{
    enum {
        LEAST = 8,
        MOST = 128,
        SOME = 1024,
        BLOCK = LEAST * SOME,
        LONG = 512
    };
    const lpi_matrix *b = gemm->b.context;
    bool whole = gemm->m == 1 && !b->widen && to - from > LONG;
    int64_t wide = whole ? to - from : lpi_least(to - from, SOME);
    int64_t row = b->widen ? wide : b->row;
    int64_t high = lpi_least(wide > 0 ? BLOCK / wide : 1, MOST), offsets[MOST];
    float buffer[BLOCK], left[MOST];

    high = whole ? 1 : high;
    for (int64_t i = 0; i < high; i++)
        offsets[i] = i * row;
    for (int64_t n = from; n < to; n += wide)
        for (int64_t k = 0; k == 0 || k < gemm->k; k += high) {
            lpi_taps t = {.length = lpi_least(to - n, wide),
                          .count = lpi_least(gemm->k - k, high),
                          .w = left,
                          .offset = offsets,
                          .from = b->widen ? buffer : b->at + k * row + n,
                          .fresh = gemm->fresh && k == 0};

            if (b->widen)
                lpi_pack_matrix(b, k, t.count, n, t.length, row, buffer);
            for (int64_t m = 0; m < gemm->m; m++) {
                lpi_pack_matrix(&gemm->a, m, 1, k, t.count, t.count, left);
                t.to = gemm->c + m * gemm->c_row + n;
                take_rows(gemm->team.isa, t, row);
            }
        }
}

/* Fewer than LPI_LANES lines, behind which "l" has others to read. */
static void run_edge(const lpi_isa *isa, lpi_lines l)
{
    float corner[FEW_TURNED * LPI_LANES] = {0}, *c = l.c;
    size_t size = (size_t)l.count * sizeof(*c);
    int64_t row = l.c_row;

    for (int64_t m = 0; m < l.rows && !l.fresh; m++)
        memcpy(corner + m * LPI_LANES, c + m * row, size);
    l.c = corner;
    l.c_row = l.count = LPI_LANES;
    isa->lines(&l);
    for (int64_t m = 0; m < l.rows; m++)
        memcpy(c + m * row, corner + m * LPI_LANES, size);
}

/* Columns [from, to) of a B whose columns are lines of memory, some elements at
 * a time of operands that are no lines of floats or too few of these. */
static void run_copied(const lpi_gemm *gemm, int64_t from, int64_t to)
{
    enum { SOME = 128 };
    const lpi_matrix *b = gemm->b.context;
    const lpi_matrix lines = {b->at, b->column, b->row, b->widen};
    float left[FEW_TURNED * SOME], right[LPI_LANES * SOME];

    memset(right, 0, sizeof(right));
    for (int64_t k = 0; k == 0 || k < gemm->k; k += SOME) {
        lpi_lines l = {.k = lpi_least(gemm->k - k, SOME),
                       .rows = gemm->m,
                       .a = left,
                       .b = right,
                       .a_row = SOME,
                       .line = SOME,
                       .c_row = gemm->c_row,
                       .fresh = gemm->fresh && k == 0};

        lpi_pack_matrix(&gemm->a, 0, l.rows, k, l.k, SOME, left);
        for (int64_t n = from; n < to; n += LPI_LANES) {
            l.count = lpi_least(to - n, LPI_LANES);
            l.c = gemm->c + n;
            lpi_pack_matrix(&lines, n, l.count, k, l.k, SOME, right);
            if (l.count == LPI_LANES)
                gemm->team.isa->lines(&l);
            else
                run_edge(gemm->team.isa, l);
        }
    }
}

/* Columns [from, to) of a B whose columns are lines of memory. */
static void run_lines(const lpi_gemm *gemm, int64_t from, int64_t to)
{
    const lpi_matrix *a = &gemm->a, *b = gemm->b.context;
    lpi_lines l = {.k = gemm->k,
                   .rows = gemm->m,
                   .count = (to - from) / LPI_LANES * LPI_LANES,
                   .a = a->at,
                   .b = b->at + from * b->column,
                   .a_row = a->row,
                   .line = b->column,
                   .c = gemm->c + from,
                   .c_row = gemm->c_row,
                   .fresh = gemm->fresh};

    if (a->widen || a->column != 1 || b->widen)
        l.count = 0;
    gemm->team.isa->lines(&l);
    if (from + l.count < to)
        run_copied(gemm, from + l.count, to);
    LPI_MACS(gemm->m * (to - from) * gemm->k);
}

void lpi_gemm_add_bias(const lpi_gemm *gemm, const int64_t rows[2],
                       const int64_t columns[2])
{
    lpi_binary_loop add = gemm->team.isa->binary[LPI_BINARY_ADD];
    int64_t count = columns[1] - columns[0];

    for (int64_t m = rows[0]; m < rows[1] && gemm->bias && count > 0; m++) {
        float *c = gemm->c + m * gemm->c_row + columns[0];

        add(count, c, 1, gemm->bias + m, 0, c);
    }
}

bool lpi_gemm_few_rows(const lpi_gemm *gemm, int32_t threads)
{
    const lpi_matrix *b = gemm->b.context;
    int64_t width = gemm->team.isa->tiles->tile[LPI_TILES - 1].columns, few;
    bool plain;

    if (gemm->b.pack != lpi_pack_matrix)
        return false;
    plain = b->column == 1;
    few = plain ? FEW_PLAIN : lpi_least(width / 2, FEW_TURNED);
    if ((!plain && b->row != 1) || gemm->m > few)
        return false;
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t from, to;

        lpi_share(gemm->n, LPI_LANES, i, threads, &from, &to);
        (plain ? run_rows : run_lines)(gemm, from, to);
        lpi_gemm_add_bias(gemm, (int64_t[]){0, gemm->m}, (int64_t[]){from, to});
    }
    return true;
}
