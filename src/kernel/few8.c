/* few8.c: products of few rows of 8-bit integers: B, which is much larger, is
 * read once where it stands, nothing of it is packed.  Threads take parts of
 * its columns; a chunk of sums of all rows stays in the cache. */
#include <string.h>

#include "kernel.h"

enum { FEW = 6, CHUNK = 512, SLACK = 64 };

/* What a thread works with: A as lines, sums of its rows and of columns of B,
 * and of the chunk of C. */
typedef struct room {
    uint8_t *lines, *bytes;
    uint32_t *rows, *columns;
    int32_t *c;
} room;

bool lpi_gemm8_is_few(const lpi_gemm8 *gemm)
{
    return gemm->m <= FEW && !gemm->b_from.pack && gemm->k > 0 &&
           (gemm->b.row == 1 || gemm->b.column == 1);
}

static int64_t bytes_of(const lpi_gemm8 *gemm)
{
    int64_t m = lpi_least(gemm->m, FEW);
    int64_t bytes = m * (lpi_line8_bytes(gemm->k) + gemm->k) + 4 * FEW +
                    4 * (m + 1) * CHUNK + SLACK;

    return (bytes + 63) / 64 * 64;
}

int64_t lpi_few8_workspace(const lpi_gemm8 *gemm)
{
    return bytes_of(gemm) * gemm->team.threads + 64;
}

static room place(const lpi_gemm8 *gemm, int32_t i)
{
    uint8_t *own = (uint8_t *)gemm->workspace + bytes_of(gemm) * i;
    room r;

    own += -(uintptr_t)own % 64;
    r.lines = own;
    r.rows = (uint32_t *)(own + gemm->m * lpi_line8_bytes(gemm->k));
    r.columns = r.rows + FEW;
    r.c = (int32_t *)(r.columns + CHUNK);
    r.bytes = (uint8_t *)(r.c + gemm->m * CHUNK);
    return r;
}

/* Put the sums of "columns" columns from "n" on into C, with the zero points.
 */
static void store(const lpi_gemm8 *gemm, const room *r, int64_t n,
                  int64_t columns)
{
    lpi_operand8 a = lpi_left8(gemm), b = lpi_right8(gemm);

    for (int64_t m = 0; m < gemm->m; m++) {
        uint32_t za = lpi_zero8(&a, m);
        uint32_t rest = (uint32_t)gemm->k * za - r->rows[m];
        uint32_t zb = lpi_zero8(&b, n) * rest;
        const uint32_t *from = (const uint32_t *)r->c + m * CHUNK;
        const int32_t *zeros = b.matrix->zeros ? b.matrix->zeros + n : NULL;
        int32_t *to = gemm->c + m * gemm->c_row + n;

#pragma omp simd
        for (int64_t j = 0; j < columns; j++)
            to[j] = (int32_t)(from[j] + zb - za * r->columns[j]);
        if (zeros)
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                to[j] = (int32_t)((uint32_t)to[j] +
                                  (uint32_t)(zeros[j] - zeros[0]) * rest);
    }
}

/* Columns [from, to) by thread "i". */
static void run_part(const lpi_gemm8 *gemm, int32_t i, int64_t from, int64_t to)
{
    const lpi_dots *dots = gemm->team.isa->dots;
    lpi_operand8 a = lpi_left8(gemm), b = lpi_right8(gemm);
    bool is_lined = b.matrix->column != 1;
    room r = place(gemm, i);
    lpi_packing8 lines = {.dots = dots,
                          .of = &a,
                          .k = {0, gemm->k},
                          .n = {0, gemm->m},
                          .bytes = r.bytes,
                          .to = r.lines,
                          .sums = r.rows};

    memset(r.rows, 0, FEW * sizeof(*r.rows));
    lpi_pack8_lines(&lines);
    for (int64_t n = from; n < to; n += CHUNK) {
        int64_t columns = lpi_least(to - n, CHUNK);
        lpi_few_dots few = {
            .b = {.count = gemm->k,
                  .columns = columns,
                  .from = (const uint8_t *)b.matrix->at + n * b.matrix->column,
                  .row = is_lined ? b.matrix->column : b.matrix->row,
                  .flip = b.flip,
                  .is_signed = b.is_signed,
                  .sums = r.columns},
            .rows = gemm->m,
            .a = r.lines,
            .a_row = lpi_line8_bytes(gemm->k),
            .turned = lpi_is_turned8(gemm),
            .c = r.c,
            .c_row = CHUNK};

        memset(r.columns, 0,
               (size_t)(gemm->m + 1) * CHUNK * sizeof(*r.columns));
        (is_lined ? dots->few_lines : dots->few)(&few);
        store(gemm, &r, n, columns);
        LPI_MACS(gemm->m * columns * gemm->k);
    }
}

void lpi_few8_run(const lpi_gemm8 *gemm)
{
    enum { UNIT = 64 };
    int32_t threads = gemm->team.threads;

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t from, to;

        lpi_share(gemm->n, UNIT, i, threads, &from, &to);
        run_part(gemm, i, from, to);
    }
}
