/* gemm8.c: products of 8-bit integers, in blocks as gemm.c has them.
 *
 * Bytes are brought into the form of the set's tile, where the instruction
 * wants one operand unsigned and the other signed by toggling the top bit,
 * which moves its zero point by 128.  Threads take parts of the columns,
 * or of the rows: then they pack B together.  With the sums of the rows of A
 * and the columns of B, gathered while they are packed,
 *     sum (a - za)(b - zb) = sum ab - zb sum a - za sum b + k za zb,
 * all modulo 2^32. */
#include <string.h>

#include "kernel.h"

enum { K_BLOCK = 1024, M_BLOCK = 144, N_BLOCK = 1152 };
enum { TILE_MOST = 8 * 48, SIDE = 48 };

typedef struct operand {
    lpi_columns8 from;
    uint8_t flip;
    bool is_signed; /* after "flip" */
    uint32_t zero;
    const int32_t *zeros;
    uint32_t moved;           /* added to zeros */
    const lpi_matrix8 *lines; /* set where k runs along memory */
} operand;

/* A part of the product that one thread computes, and its workspace. */
typedef struct piece {
    const lpi_gemm8 *gemm;
    operand a, b;
    int64_t m_from, m_to, n_from, n_to;
    uint8_t *bytes, *packed_a, *packed_b;
    uint32_t *rows, *columns; /* sums */
} piece;

static int64_t m_padded(const lpi_gemm8 *gemm)
{
    return gemm->m + SIDE;
}

/* Room for K_BLOCK of k, rounded up to groups of 4, of at most 2 bytes. */
static int64_t workspace_of_part(const lpi_gemm8 *gemm)
{
    int64_t k = lpi_least((gemm->k + 3) / 4 * 4, K_BLOCK);
    int64_t n = lpi_least(gemm->n + SIDE, N_BLOCK);
    int64_t m = lpi_least(gemm->m + SIDE, M_BLOCK);

    return k * SIDE + k * 2 * (m + n) + 4 * (m_padded(gemm) + n) + 64;
}

int64_t lpi_gemm8_workspace(const lpi_gemm8 *gemm)
{
    return (workspace_of_part(gemm) + 64) * gemm->team.threads + 64;
}

/* lpi_columns8.pack of a matrix in memory. */
static void pack_matrix(const void *context, int64_t k, int64_t k_count,
                        int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    const lpi_matrix8 *b = context;
    const uint8_t *from = (const uint8_t *)b->at + k * b->row + n * b->column;

    for (int64_t p = 0; p < k_count; p++, to += width, from += b->row)
        if (b->column == 1)
            memcpy(to, from, (size_t)n_count);
        else
            for (int64_t j = 0; j < n_count; j++)
                to[j] = from[j * b->column];
}

/* "k[1]" rows from k[0] on of n[1] columns from n[0] on, in panels, with their
 * sums added to "sums". */
static void pack(const piece *part, const operand *o, const int64_t k[2],
                 const int64_t n[2], uint8_t *to, uint32_t *sums)
{
    const lpi_dots *dots = part->gemm->team.isa->dots;
    int64_t width = o == &part->a ? dots->rows : dots->columns;
    int64_t groups = lpi_ceil_div(k[1], dots->group);
    int64_t rest = groups * dots->group - k[1];

    for (int64_t j = 0; j < n[1]; j += width) {
        int64_t some = lpi_least(n[1] - j, width);

        lpi_weave weave = {
            groups,  width,        part->bytes,
            o->flip, o->is_signed, to + j * groups * dots->group * dots->size,
            sums + j};

        if (o->lines && some == width) {
            weave.from = (const uint8_t *)o->lines->at + k[0] +
                         (n[0] + j) * o->lines->column;
            dots->weave_lines(&weave, o->lines->column, k[1]);
            continue;
        }
        if (some < width)
            memset(part->bytes, 0, (size_t)(k[1] * width));
        o->from.pack(o->from.context, k[0], k[1], n[0] + j, some, width,
                     part->bytes);
        memset(part->bytes + k[1] * width, o->flip, (size_t)(rest * width));
        dots->weave(&weave);
    }
}

static void run_tile(const lpi_dots *dots, int64_t groups, const uint8_t *a,
                     const uint8_t *b, int32_t *c, const int64_t size[3])
{
    int32_t whole[TILE_MOST] = {0};
    int64_t high = size[0], wide = size[1], c_row = size[2];

    if (high == dots->rows && wide == dots->columns) {
        dots->run(groups, a, b, c, c_row);
        return;
    }
    for (int64_t i = 0; i < high; i++)
        memcpy(whole + i * dots->columns, c + i * c_row,
               (size_t)wide * sizeof(*c));
    dots->run(groups, a, b, whole, dots->columns);
    for (int64_t i = 0; i < high; i++)
        memcpy(c + i * c_row, whole + i * dots->columns,
               (size_t)wide * sizeof(*c));
}

/* Rows of "part" for packed columns [n, n + columns) and a block of k. */
static void run_panel(const piece *part, int64_t n, int64_t columns,
                      const int64_t k[2])
{
    const lpi_gemm8 *gemm = part->gemm;
    const lpi_dots *dots = gemm->team.isa->dots;
    int64_t groups = lpi_ceil_div(k[1], dots->group);
    int64_t bytes = groups * dots->group * dots->size;

    for (int64_t m = part->m_from; m < part->m_to; m += M_BLOCK) {
        int64_t rows = lpi_least(part->m_to - m, M_BLOCK);

        pack(part, &part->a, k, (int64_t[]){m, rows}, part->packed_a,
             part->rows + m - part->m_from);
        for (int64_t j = 0; j < columns; j += dots->columns)
            for (int64_t i = 0; i < rows; i += dots->rows) {
                int64_t size[] = {lpi_least(rows - i, dots->rows),
                                  lpi_least(columns - j, dots->columns),
                                  gemm->c_row};

                run_tile(dots, groups, part->packed_a + i * bytes,
                         part->packed_b + j * bytes,
                         gemm->c + (m + i) * gemm->c_row + n + j, size);
                LPI_MACS(size[0] * size[1] * k[1]);
            }
    }
}

static uint32_t zero_of(const operand *o, int64_t i)
{
    return (o->zeros ? (uint32_t)o->zeros[i] : o->zero) + o->moved;
}

/* Put the zero points into columns [n, n + columns). */
static void correct(const piece *part, int64_t n, int64_t columns)
{
    const lpi_gemm8 *gemm = part->gemm;

    for (int64_t m = part->m_from; m < part->m_to; m++) {
        uint32_t za = zero_of(&part->a, m), k = (uint32_t)gemm->k;
        uint32_t of_row = part->rows[m - part->m_from];
        uint32_t *c = (uint32_t *)gemm->c + m * gemm->c_row + n;
        uint32_t rest = k * za - of_row, zb = zero_of(&part->b, n) * rest;
        const uint32_t *sums = part->columns;
        const int32_t *zeros = part->b.zeros ? part->b.zeros + n : NULL;
        uint32_t moved = part->b.moved;

        if (zeros)
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                c[j] += ((uint32_t)zeros[j] + moved) * rest - za * sums[j];
        else if (za == 0)
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                c[j] += zb;
        else
#pragma omp simd
            for (int64_t j = 0; j < columns; j++)
                c[j] += zb - za * sums[j];
    }
}

/* Nothing is summed yet in columns [n, n + columns) of C and in the rows. */
static void clear(const piece *part, int64_t n, int64_t columns)
{
    const lpi_gemm8 *gemm = part->gemm;

    for (int64_t m = part->m_from; m < part->m_to; m++)
        memset(gemm->c + m * gemm->c_row + n, 0,
               (size_t)columns * sizeof(*gemm->c));
    memset(part->rows, 0, (size_t)m_padded(gemm) * sizeof(*part->rows));
}

static void run_part(const piece *part)
{
    const lpi_gemm8 *gemm = part->gemm;

    for (int64_t n = part->n_from; n < part->n_to; n += N_BLOCK) {
        int64_t columns = lpi_least(part->n_to - n, N_BLOCK);

        clear(part, n, columns);
        memset(part->columns, 0,
               (size_t)lpi_least(gemm->n + SIDE, N_BLOCK) *
                   sizeof(*part->rows));
        for (int64_t at = 0; at < gemm->k; at += K_BLOCK) {
            int64_t k[] = {at, lpi_least(gemm->k - at, K_BLOCK)};

            pack(part, &part->b, k, (int64_t[]){n, columns}, part->packed_b,
                 part->columns);
            run_panel(part, n, columns, k);
        }
        correct(part, n, columns);
    }
}

/* An operand for tiles that want it signed ("wants" 1), unsigned (0), or
 * either (-1). */
static operand operand_of(const lpi_matrix8 *matrix, lpi_columns8 from,
                          int wants)
{
    operand o = {.from = from,
                 .is_signed = matrix->is_signed,
                 .zero = (uint32_t)matrix->zero,
                 .zeros = matrix->zeros};
    const lpi_matrix8 *in_memory = from.context;

    if (from.pack == pack_matrix && in_memory->row == 1)
        o.lines = in_memory;
    if (wants >= 0 && matrix->is_signed != (wants == 1)) {
        o.flip = 0x80;
        o.is_signed = wants == 1;
        o.moved = wants == 1 ? -128u : 128u;
    }
    return o;
}

static void place(piece *part, uint8_t *workspace)
{
    const lpi_gemm8 *gemm = part->gemm;
    int64_t k = lpi_least((gemm->k + 3) / 4 * 4, K_BLOCK);

    workspace += -(uintptr_t)workspace % 64;
    part->rows = (uint32_t *)workspace;
    part->columns = part->rows + m_padded(gemm);
    part->packed_a =
        (uint8_t *)(part->columns + lpi_least(gemm->n + SIDE, N_BLOCK));
    part->packed_b = part->packed_a +
                     k * 2 * lpi_least(gemm->m + SIDE, M_BLOCK);
    part->bytes = part->packed_b + k * 2 * lpi_least(gemm->n + SIDE, N_BLOCK);
}

/* Part "i" of the rows, or of the columns: one a thread of the team. */
static piece part_of(const lpi_gemm8 *gemm, const operand of[2], bool by_rows,
                     int32_t i)
{
    const lpi_dots *dots = gemm->team.isa->dots;
    int64_t size = (workspace_of_part(gemm) + 63) / 64 * 64;
    int32_t threads = gemm->team.threads;
    piece part = {
        .gemm = gemm, .a = of[0], .b = of[1], .m_to = gemm->m, .n_to = gemm->n};

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
    int64_t bytes = lpi_ceil_div(k[1], dots->group) * dots->group * dots->size;
    int64_t from, to;

    lpi_share(n[1], dots->columns, i, part->gemm->team.threads, &from, &to);
    for (int64_t j = from; k[0] == 0 && j < to; j += dots->columns)
        memset(all->columns + j, 0, (size_t)dots->columns * sizeof(uint32_t));
    pack(part, &part->b, k, (int64_t[]){n[0] + from, to - from},
         all->packed_b + from * bytes, all->columns + from);
}

/* Threads take rows and pack B together, in turns in the buffers of the first
 * two parts: who is done with a panel packs the next while others read. */
static void run_together(const lpi_gemm8 *gemm, const operand of[2])
{
    int32_t threads = gemm->team.threads;

#pragma omp parallel num_threads(threads)
    {
        int32_t panels = 0, blocks = 0;

        for (int64_t n = 0; n < gemm->n; n += N_BLOCK, blocks++)
            for (int64_t at = 0; at < gemm->k; at += K_BLOCK, panels++) {
                int64_t k[] = {at, lpi_least(gemm->k - at, K_BLOCK)};
                int64_t columns[] = {n, lpi_least(gemm->n - n, N_BLOCK)};
                piece all = part_of(gemm, of, true, panels % 2);

                all.columns = part_of(gemm, of, true, blocks % 2).columns;
#pragma omp for schedule(static, 1)
                for (int32_t i = 0; i < threads; i++) {
                    piece part = part_of(gemm, of, true, i);

                    pack_share(&part, i, k, columns, &all);
                }
#pragma omp for schedule(static, 1) nowait
                for (int32_t i = 0; i < threads; i++) {
                    piece part = part_of(gemm, of, true, i);

                    part.packed_b = all.packed_b;
                    part.columns = all.columns;
                    if (at == 0)
                        clear(&part, n, columns[1]);
                    run_panel(&part, n, columns[1], k);
                    if (at + K_BLOCK >= gemm->k)
                        correct(&part, n, columns[1]);
                }
            }
    }
}

void lpi_gemm8_run(const lpi_gemm8 *gemm)
{
    const lpi_dots *dots = gemm->team.isa->dots;
    int32_t threads = gemm->team.threads, byte = dots->size == 1;
    lpi_matrix8 turned = {gemm->a.at, gemm->a.column, gemm->a.row, 0, 0, NULL};
    lpi_columns8 a = {pack_matrix, &turned}, b = {pack_matrix, &gemm->b};
    bool by_rows = gemm->m / dots->rows > gemm->n / dots->columns;
    operand of[2];

    if (gemm->b_from.pack)
        b = gemm->b_from;
    of[0] = operand_of(&gemm->a, a, byte ? 0 : -1);
    of[1] = operand_of(&gemm->b, b, byte ? 1 : -1);
    if (by_rows && threads > 1 && gemm->k > 0) {
        run_together(gemm, of);
        return;
    }
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        piece part = part_of(gemm, of, by_rows, i);

        run_part(&part);
    }
}
