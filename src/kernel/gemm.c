/* gemm.c: matrix products in blocks that fit the caches (Goto and van de
 * Geijn, "Anatomy of high-performance matrix multiplication", 2008).
 *
 * B is packed in panels as wide as the register tile, K_BLOCK rows at a time;
 * A in panels as high, M_TILES of them; every tile continues what C holds.
 * Threads take parts of the columns, or of the rows when there are more of
 * them, and share nothing. */
#include <string.h>

#include "kernel.h"

enum { K_BLOCK = 384, M_TILES = 16, N_TILES = 48, TILE_MOST = 8 * 48 };

/* A part of the product that one thread computes, and its workspace. */
typedef struct part {
    const lpi_gemm *gemm;
    int64_t m_from, m_to, n_from, n_to;
    float *a, *b;
} part;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t workspace_of_part(const lpi_gemm *gemm)
{
    int64_t k = least(gemm->k, K_BLOCK);

    return k * gemm->isa->rows * M_TILES + k * gemm->isa->columns * N_TILES;
}

int64_t lpi_gemm_workspace(const lpi_gemm *gemm)
{
    return workspace_of_part(gemm) * gemm->threads;
}

void lpi_pack_matrix(const void *context, int64_t k, int64_t k_count,
                     int64_t n, int64_t n_count, int64_t width, float *to)
{
    const lpi_matrix *b = context;

    for (int64_t p = 0; p < k_count; p++, to += width) {
        const float *from = b->at + (k + p) * b->row + n * b->column;

        if (b->column == 1)
            memcpy(to, from, (size_t)n_count * sizeof(*to));
        else
            for (int64_t j = 0; j < n_count; j++)
                to[j] = from[j * b->column];
        memset(to + n_count, 0, (size_t)(width - n_count) * sizeof(*to));
    }
}

/* Rows [m, m + m_count) and columns [k, k + k_count) of A in panels of
 * "height" rows, zeros behind the last. */
static void pack_a(const lpi_matrix *a, int64_t m, int64_t m_count, int64_t k,
                   int64_t k_count, int64_t height, float *to)
{
    for (int64_t i = 0; i < m_count; i += height)
        for (int64_t p = 0; p < k_count; p++)
            for (int64_t q = 0; q < height; q++)
                *to++ = i + q < m_count ? a->at[(m + i + q) * a->row +
                                                (k + p) * a->column]
                                        : 0;
}

/* A tile that stands over the edge: "rows" x "columns" of it exist. */
static void edge_tile(const lpi_isa *isa, int64_t k, const float *a,
                      const float *b, lpi_matrix c, int64_t rows,
                      int64_t columns)
{
    float whole[TILE_MOST] = {0};
    float *at = (float *)c.at;

    for (int64_t i = 0; i < rows; i++)
        memcpy(whole + i * isa->columns, at + i * c.row,
               (size_t)columns * sizeof(*at));
    isa->tile(k, a, b, whole, isa->columns);
    for (int64_t i = 0; i < rows; i++)
        memcpy(at + i * c.row, whole + i * isa->columns,
               (size_t)columns * sizeof(*at));
}

/* The block of C at (m, n), "rows" x "columns", from packed panels. */
static void run_block(const part *part, int64_t m, int64_t n, int64_t rows,
                      int64_t columns, int64_t k)
{
    const lpi_gemm *gemm = part->gemm;
    const lpi_isa *isa = gemm->isa;

    for (int64_t j = 0; j < columns; j += isa->columns)
        for (int64_t i = 0; i < rows; i += isa->rows) {
            float *c = gemm->c + (m + i) * gemm->c_row + n + j;
            const float *a = part->a + i * k, *b = part->b + j * k;
            int64_t high = least(rows - i, isa->rows);
            int64_t wide = least(columns - j, isa->columns);

            if (high == isa->rows && wide == isa->columns)
                isa->tile(k, a, b, c, gemm->c_row);
            else
                edge_tile(isa, k, a, b, (lpi_matrix){c, gemm->c_row, 1}, high,
                          wide);
        }
}

/* All rows of "part" for columns [n, n + columns) and one block of k. */
static void run_panel(const part *part, int64_t n, int64_t columns, int64_t k,
                      int64_t k_count)
{
    const lpi_gemm *gemm = part->gemm;
    int64_t width = gemm->isa->columns;
    int64_t high = (int64_t)gemm->isa->rows * M_TILES;

    for (int64_t j = 0; j < columns; j += width)
        gemm->b.pack(gemm->b.context, k, k_count, n + j,
                     least(columns - j, width), width, part->b + j * k_count);
    for (int64_t m = part->m_from; m < part->m_to; m += high) {
        int64_t rows = least(part->m_to - m, high);

        pack_a(&gemm->a, m, rows, k, k_count, gemm->isa->rows, part->a);
        run_block(part, m, n, rows, columns, k_count);
    }
}

static void run_part(const part *part)
{
    const lpi_gemm *gemm = part->gemm;
    int64_t wide = (int64_t)gemm->isa->columns * N_TILES;

    for (int64_t n = part->n_from; n < part->n_to; n += wide)
        for (int64_t k = 0; k < gemm->k; k += K_BLOCK)
            run_panel(part, n, least(part->n_to - n, wide), k,
                      least(gemm->k - k, K_BLOCK));
}

/* The bounds of share "i" of "count" of [0, whole), in multiples of "unit". */
static void share(int64_t whole, int64_t unit, int32_t i, int32_t count,
                  int64_t *ret_from, int64_t *ret_to)
{
    int64_t units = lpi_ceil_div(whole, unit);

    *ret_from = least(units * i / count * unit, whole);
    *ret_to = least(units * (i + 1) / count * unit, whole);
}

void lpi_gemm_run(const lpi_gemm *gemm)
{
    int64_t size = workspace_of_part(gemm);
    int32_t threads = gemm->threads;
    bool by_rows = gemm->m / gemm->isa->rows > gemm->n / gemm->isa->columns;

#pragma omp parallel for num_threads(threads) schedule(static, 1)              \
    if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        part part = {.gemm = gemm, .m_to = gemm->m, .n_to = gemm->n};

        part.a = gemm->workspace + size * i;
        part.b = part.a + least(gemm->k, K_BLOCK) * gemm->isa->rows * M_TILES;
        if (by_rows)
            share(gemm->m, gemm->isa->rows, i, threads, &part.m_from,
                  &part.m_to);
        else
            share(gemm->n, gemm->isa->columns, i, threads, &part.n_from,
                  &part.n_to);
        run_part(&part);
    }
}
