/* fewrows.c: products of so few rows that B is read once, in the order it
 * stands, without being packed: each of its rows, times an element of A, is
 * added to C, which is the chain of lpi_gemm.  And what follows products, the
 * bias of their rows. */
#include <string.h>

#include "kernel.h"

/* Columns [from, to). */
static void run_columns(const lpi_gemm *gemm, int64_t from, int64_t to)
{
    enum { SOME = 1024 };
    const lpi_matrix *a = &gemm->a, *b = gemm->b.context;
    int64_t step = b->widen ? SOME : to - from, some;
    float row[SOME], left;

    for (int64_t n = from; n < to; n += some) {
        float *c = gemm->c + n;

        some = lpi_least(to - n, step);
        for (int64_t m = 0; m < gemm->m && gemm->fresh; m++)
            memset(c + m * gemm->c_row, 0, (size_t)some * sizeof(*c));
        for (int64_t k = 0; k < gemm->k; k++) {
            lpi_matrix right = lpi_matrix_from(b, k * b->row + n);

            if (b->widen) {
                b->widen(some, (const uint16_t *)right.at, row);
                right.at = row;
            }
            for (int64_t m = 0; m < gemm->m; m++) {
                lpi_pack_matrix(a, m, 1, k, 1, 1, &left);
                gemm->team.isa->axpy(some, left, right.at, c + m * gemm->c_row);
                LPI_MACS(some);
            }
        }
    }
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
    enum { FEW = 2 };
    const lpi_matrix *b = gemm->b.context;

    if (gemm->m > FEW || gemm->b.pack != lpi_pack_matrix || b->column != 1)
        return false;
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t from, to;

        lpi_share(gemm->n, LPI_LANES, i, threads, &from, &to);
        run_columns(gemm, from, to);
        lpi_gemm_add_bias(gemm, (int64_t[]){0, gemm->m}, (int64_t[]){from, to});
    }
    return true;
}
