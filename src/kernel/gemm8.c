/* gemm8.c: products of 8-bit integers, in blocks as gemm.c has them.
 *
 * Bytes are brought into the form of the set's loops (dot.c), where the
 * instruction wants one operand unsigned and the other signed: A stays as it
 * is, B becomes the other by toggling the top bit, which moves its zero point
 * by 128.  Threads take parts of the columns, or of the rows: then they pack B
 * together.  With the sums of the rows of A and the columns of B, gathered
 * while they are packed,
 *     sum (a - za)(b - zb) = sum ab - zb sum a - za sum b + k za zb,
 * all modulo 2^32: of one zero point each, a term of the row and one of the
 * column, which the tiles of the last block of k take in. */
#include <string.h>

#include "kernel.h"

enum { M_BLOCK = 144, N_BLOCK = 1152 };
enum { TILE_MOST = 8 * LPI_SIDE8, ROWS_MOST = 8 };

/* A part of the product that one thread computes, and its workspace. */
typedef struct piece {
    const lpi_gemm8 *gemm;
    lpi_operand8 a, b;
    bool is_turned; /* A is signed, B unsigned */
    bool is_even;   /* one zero point each: "a_zero", "b_zero", as moved */
    uint32_t a_zero, b_zero;
    int64_t m_from, m_to, n_from, n_to;
    uint8_t *bytes, *packed_a, *packed_b;
    uint32_t *rows, *columns; /* sums */
} piece;

static int64_t m_padded(const lpi_gemm8 *gemm)
{
    return gemm->m + LPI_SIDE8;
}

static int64_t n_padded(const lpi_gemm8 *gemm)
{
    return lpi_least(gemm->n + LPI_SIDE8, N_BLOCK);
}

static int64_t k_most(const lpi_gemm8 *gemm)
{
    return lpi_least((gemm->k + 3) / 4 * 4, LPI_K8);
}

static int64_t bytes_of_a(const lpi_gemm8 *gemm)
{
    return lpi_least(gemm->m + ROWS_MOST, M_BLOCK) *
           lpi_line8_bytes(k_most(gemm));
}

/* Room for a block of k, of at most 2 bytes an element. */
static int64_t workspace_of_part(const lpi_gemm8 *gemm)
{
    int64_t k = k_most(gemm);

    return lpi_pack8_room(k) + bytes_of_a(gemm) + k * 2 * n_padded(gemm) +
           4 * (m_padded(gemm) + n_padded(gemm)) + 64;
}

int64_t lpi_gemm8_workspace(const lpi_gemm8 *gemm)
{
    int64_t many = (workspace_of_part(gemm) + 64) * gemm->team.threads + 64;
    int64_t few = lpi_few8_workspace(gemm);

    return few > many ? few : many;
}

static lpi_packing8 packing_of(const piece *part, const lpi_operand8 *of,
                               const int64_t k[2], const int64_t n[2])
{
    return (lpi_packing8){.dots = part->gemm->team.isa->dots,
                          .of = of,
                          .k = {k[0], k[1]},
                          .n = {n[0], n[1]},
                          .bytes = part->bytes};
}

static void run_tile(const lpi_dots *dots, bool is_turned, lpi_dot_args *tile,
                     int64_t high, int64_t wide)
{
    int32_t whole[TILE_MOST] = {0}, *c = tile->c;
    int64_t vectors = lpi_ceil_div(wide, dots->lanes), c_row = tile->c_row;
    size_t size = (size_t)wide * sizeof(*c);

    if (high == dots->rows && wide == vectors * dots->lanes) {
        dots->run[is_turned][vectors - 1](tile);
        return;
    }
    for (int64_t i = 0; i < high && !tile->fresh; i++)
        memcpy(whole + i * dots->columns, c + i * c_row, size);
    tile->c = whole;
    tile->c_row = dots->columns;
    dots->run[is_turned][vectors - 1](tile);
    for (int64_t i = 0; i < high; i++)
        memcpy(c + i * c_row, whole + i * dots->columns, size);
}

/* A block of k and whether C takes in the zero points after it. */
typedef struct block {
    int64_t k[2];
    bool is_last;
} block;

static block block_at(const piece *part, int64_t at)
{
    int64_t some = lpi_least(part->gemm->k - at, LPI_K8);

    return (block){{at, some}, at + some == part->gemm->k && part->is_even};
}

/* A's rows [m, m + rows) of the block of k, as lines; lines of "ret_last", its
 * last tile, may be read beyond them. */
static lpi_dot_args lines_of(const piece *part, const int64_t k[2], int64_t m,
                             int64_t rows, const void **ret_last)
{
    const lpi_dots *dots = part->gemm->team.isa->dots;
    const lpi_matrix8 *a = &part->gemm->a;
    int64_t line = lpi_line8_bytes(k[1]), beyond = rows % dots->rows;
    lpi_packing8 p = packing_of(part, &part->a, k, (int64_t[]){m, rows});
    uint32_t unused[ROWS_MOST] = {0};

    p.to = part->packed_a;
    p.sums = part->rows + m - part->m_from;
    if (!lpi_lines8_in_place(&p)) {
        lpi_pack8_lines(&p);
        *ret_last = part->packed_a + (rows - beyond) * line;
        return (lpi_dot_args){.a = part->packed_a, .a_row = line};
    }
    p.to = NULL;
    if (part->b_zero != 0 || !part->is_even)
        lpi_pack8_lines(&p);
    p.n[0] += rows - beyond;
    p.n[1] = beyond;
    p.to = part->packed_a;
    p.sums = unused;
    lpi_pack8_lines(&p);
    *ret_last = part->packed_a;
    return (lpi_dot_args){.a = (const uint8_t *)a->at + m * a->row + k[0],
                          .a_row = a->row};
}

/* What the zero points add to "count" rows, or columns, of these sums. */
static void add_terms(const uint32_t *sums, int64_t count, uint32_t zero,
                      uint32_t more, uint32_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = more - zero * sums[i];
}

/* Rows of "part" for packed columns [n, n + columns) and a block of k. */
static void run_panel(const piece *part, int64_t n, int64_t columns,
                      const block *b)
{
    const lpi_gemm8 *gemm = part->gemm;
    const lpi_dots *dots = gemm->team.isa->dots;
    int64_t groups = lpi_ceil_div(b->k[1], dots->group);
    uint32_t k_zeros = (uint32_t)gemm->k * part->a_zero * part->b_zero;
    uint32_t of_rows[M_BLOCK] = {0}, of_columns[LPI_SIDE8] = {0};

    for (int64_t m = part->m_from; m < part->m_to; m += M_BLOCK) {
        int64_t rows = lpi_least(part->m_to - m, M_BLOCK);
        const void *last;
        lpi_dot_args a = lines_of(part, b->k, m, rows, &last);

        if (b->is_last)
            add_terms(part->rows + m - part->m_from, rows, part->b_zero,
                      k_zeros, of_rows);
        for (int64_t j = 0; j < columns; j += dots->columns) {
            int64_t wide = lpi_least(columns - j, dots->columns);

            if (b->is_last)
                add_terms(part->columns + j, wide, part->a_zero, 0, of_columns);
            for (int64_t i = 0; i < rows; i += dots->rows) {
                int64_t high = lpi_least(rows - i, dots->rows);
                lpi_dot_args tile = {
                    .groups = groups,
                    .a = high < dots->rows ? last
                                           : (const uint8_t *)a.a + i * a.a_row,
                    .a_row = high < dots->rows ? lpi_line8_bytes(b->k[1])
                                               : a.a_row,
                    .b = part->packed_b + j * groups * 4,
                    .c = gemm->c + (m + i) * gemm->c_row + n + j,
                    .c_row = gemm->c_row,
                    .fresh = b->k[0] == 0,
                    .of_rows = of_rows + i,
                    .of_columns = of_columns};

                run_tile(dots, part->is_turned, &tile, high, wide);
                LPI_MACS(high * wide * b->k[1]);
            }
        }
    }
}

/* Put the zero points into columns [n, n + columns), where rows or columns have
 * their own. */
static void correct(const piece *part, int64_t n, int64_t columns)
{
    const lpi_gemm8 *gemm = part->gemm;

    for (int64_t m = part->m_from; m < part->m_to && !part->is_even; m++) {
        uint32_t za = lpi_zero8(&part->a, m), k = (uint32_t)gemm->k;
        uint32_t of_row = part->rows[m - part->m_from];
        uint32_t *c = (uint32_t *)gemm->c + m * gemm->c_row + n;
        uint32_t rest = k * za - of_row, zb = lpi_zero8(&part->b, n) * rest;
        const uint32_t *sums = part->columns;
        const int32_t *zeros = gemm->b.zeros ? gemm->b.zeros + n : NULL;
        uint32_t moved = part->b.moved;

        if (zeros)
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                c[j] += ((uint32_t)zeros[j] + moved) * rest - za * sums[j];
        else
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                c[j] += zb - za * sums[j];
    }
}

/* Nothing is summed yet of the rows. */
static void clear_rows(const piece *part)
{
    memset(part->rows, 0, (size_t)m_padded(part->gemm) * sizeof(*part->rows));
}

static void pack_panels(const piece *part, const int64_t k[2],
                        const int64_t n[2], uint8_t *to, uint32_t *sums)
{
    lpi_packing8 p = packing_of(part, &part->b, k, n);

    if (k[0] == 0)
        memset(sums, 0,
               (size_t)lpi_ceil_div(n[1], p.dots->lanes) *
                   (size_t)p.dots->lanes * sizeof(*sums));
    p.to = to;
    p.sums = sums;
    lpi_pack8_panels(&p);
}

static void run_part(const piece *part)
{
    const lpi_gemm8 *gemm = part->gemm;

    for (int64_t n = part->n_from; n < part->n_to; n += N_BLOCK) {
        int64_t columns = lpi_least(part->n_to - n, N_BLOCK);

        clear_rows(part);
        for (int64_t at = 0; at < gemm->k; at += LPI_K8) {
            block b = block_at(part, at);

            pack_panels(part, b.k, (int64_t[]){n, columns}, part->packed_b,
                        part->columns);
            run_panel(part, n, columns, &b);
        }
        correct(part, n, columns);
    }
}

static void place(piece *part, uint8_t *workspace)
{
    const lpi_gemm8 *gemm = part->gemm;

    workspace += -(uintptr_t)workspace % 64;
    part->packed_b = workspace;
    part->packed_a = part->packed_b + k_most(gemm) * 2 * n_padded(gemm);
    part->rows = (uint32_t *)(part->packed_a + bytes_of_a(gemm));
    part->columns = part->rows + m_padded(gemm);
    part->bytes = (uint8_t *)(part->columns + n_padded(gemm));
}

/* Part "i" of the rows, or of the columns: one a thread of the team. */
static piece part_of(const piece *whole, bool by_rows, int32_t i)
{
    const lpi_gemm8 *gemm = whole->gemm;
    const lpi_dots *dots = gemm->team.isa->dots;
    int64_t size = (workspace_of_part(gemm) + 63) / 64 * 64;
    int32_t threads = gemm->team.threads;
    piece part = *whole;

    place(&part, (uint8_t *)gemm->workspace + size * i);
    if (by_rows)
        lpi_share(gemm->m, dots->rows, i, threads, &part.m_from, &part.m_to);
    else
        lpi_share(gemm->n, dots->columns, i, threads, &part.n_from, &part.n_to);
    return part;
}

/* Pack what falls to "part", "i" of the team's, of B's columns [n[0], n[0] +
 * n[1]) into a buffer of "all", and their sums. */
static void pack_share(const piece *part, int32_t i, const int64_t k[2],
                       const int64_t n[2], const piece *all)
{
    const lpi_dots *dots = part->gemm->team.isa->dots;
    int64_t bytes = lpi_ceil_div(k[1], dots->group) * 4, from, to;

    lpi_share(n[1], dots->columns, i, part->gemm->team.threads, &from, &to);
    if (from < to)
        pack_panels(part, k, (int64_t[]){n[0] + from, to - from},
                    all->packed_b + from * bytes, all->columns + from);
}

/* Threads take rows and pack B together, in turns in the buffers of the first
 * two parts: who is done with a panel packs the next while others read. */
static void run_together(const piece *whole)
{
    const lpi_gemm8 *gemm = whole->gemm;
    int32_t threads = gemm->team.threads;

#pragma omp parallel num_threads(threads)
    {
        int32_t panels = 0, blocks = 0;

        for (int64_t n = 0; n < gemm->n; n += N_BLOCK, blocks++)
            for (int64_t at = 0; at < gemm->k; at += LPI_K8, panels++) {
                block b = block_at(whole, at);
                int64_t columns[] = {n, lpi_least(gemm->n - n, N_BLOCK)};
                piece all = part_of(whole, true, panels % 2);

                all.columns = part_of(whole, true, blocks % 2).columns;
#pragma omp for schedule(static, 1)
                for (int32_t i = 0; i < threads; i++) {
                    piece part = part_of(whole, true, i);

                    pack_share(&part, i, b.k, columns, &all);
                }
#pragma omp for schedule(static, 1) nowait
                for (int32_t i = 0; i < threads; i++) {
                    piece part = part_of(whole, true, i);

                    part.packed_b = all.packed_b;
                    part.columns = all.columns;
                    if (at == 0)
                        clear_rows(&part);
                    run_panel(&part, n, columns[1], &b);
                    if (at + LPI_K8 >= gemm->k)
                        correct(&part, n, columns[1]);
                }
            }
    }
}

/* Whether "count" zero points are one. */
static bool is_one(const lpi_matrix8 *m, int64_t count)
{
    for (int64_t i = 1; i < count && m->zeros; i++)
        if (m->zeros[i] != m->zeros[0])
            return false;
    return true;
}

/* The whole product, with the form that its operands take. */
static piece whole_of(const lpi_gemm8 *gemm)
{
    piece whole = {.gemm = gemm,
                   .a = lpi_left8(gemm),
                   .b = lpi_right8(gemm),
                   .is_turned = lpi_is_turned8(gemm),
                   .m_to = gemm->m,
                   .n_to = gemm->n};

    whole.is_even = is_one(&gemm->a, gemm->m) && is_one(&gemm->b, gemm->n);
    whole.a_zero = lpi_zero8(&whole.a, 0);
    whole.b_zero = lpi_zero8(&whole.b, 0);
    return whole;
}

void lpi_gemm8_run(const lpi_gemm8 *gemm)
{
    const lpi_dots *dots = gemm->team.isa->dots;
    int32_t threads = gemm->team.threads;
    bool by_rows = gemm->m / dots->rows > gemm->n / dots->columns;
    piece whole;

    if (gemm->m <= 0 || gemm->n <= 0)
        return;
    if (lpi_gemm8_is_few(gemm)) {
        lpi_few8_run(gemm);
        return;
    }
    whole = whole_of(gemm);
    for (int64_t i = 0; i < gemm->m && gemm->k == 0; i++)
        memset(gemm->c + i * gemm->c_row, 0, (size_t)gemm->n * sizeof(int32_t));
    if (by_rows && threads > 1 && gemm->k > 0) {
        run_together(&whole);
        return;
    }
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        piece part = part_of(&whole, by_rows, i);

        if (gemm->k > 0)
            run_part(&part);
    }
}
