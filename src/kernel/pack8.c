/* pack8.c: operands of products of 8-bit integers, brought into the form that
 * the loops of dot.c read: rows of A as lines along k, columns of B woven into
 * panels.  Of each the fitting way by how it stands in memory. */
#include <string.h>

#include "kernel.h"

enum {
    SOME = 128
}; /* rows of B that pass through the scratch memory at once */

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whole vectors, and a line of the cache so that neighbours fall on others. */
int64_t lpi_line8_bytes(int64_t k)
{
    return (k + 63) / 64 * 64 * 2 + 64;
}

int64_t lpi_pack8_room(int64_t k)
{
    return LPI_SIDE8 * most(lpi_line8_bytes(k), SOME) + LPI_BYTES_SLACK;
}

bool lpi_is_turned8(const lpi_gemm8 *gemm)
{
    return gemm->team.isa->dots->size == 1 && gemm->a.is_signed;
}

lpi_operand8 lpi_left8(const lpi_gemm8 *gemm)
{
    return (lpi_operand8){.matrix = &gemm->a, .is_signed = gemm->a.is_signed};
}

/* Of two operands of bytes one is signed, the other not. */
lpi_operand8 lpi_right8(const lpi_gemm8 *gemm)
{
    lpi_operand8 b = {.matrix = &gemm->b,
                      .from = gemm->b_from,
                      .is_signed = gemm->b.is_signed};

    if (gemm->team.isa->dots->size == 1 &&
        gemm->a.is_signed == gemm->b.is_signed) {
        b.flip = 0x80;
        b.moved = gemm->b.is_signed ? 128u : -128u;
        b.is_signed = !gemm->b.is_signed;
    }
    return b;
}

uint32_t lpi_zero8(const lpi_operand8 *of, int64_t i)
{
    const lpi_matrix8 *m = of->matrix;

    return (uint32_t)(m->zeros ? m->zeros[i] : m->zero) + of->moved;
}

bool lpi_lines8_in_place(const lpi_packing8 *p)
{
    return p->dots->size == 1 && p->of->flip == 0 &&
           p->of->matrix->column == 1 && p->k[1] % p->dots->group == 0;
}

/* to[j * k + i] of the elements (j, i) of "m" from (n[0], k[0]) on. */
static void copy_lines(const lpi_matrix8 *m, const int64_t k[2],
                       const int64_t n[2], uint8_t *to)
{
    const uint8_t *from = (const uint8_t *)m->at + n[0] * m->row +
                          k[0] * m->column;

    if (m->row == 1)
        lpi_turn_elements(1, from, m->column, (int64_t[]){n[1], k[1]}, k[1],
                          to);
    else
        for (int64_t j = 0; j < n[1]; j++)
            for (int64_t i = 0; i < k[1]; i++)
                to[j * k[1] + i] = from[j * m->row + i * m->column];
}

void lpi_pack8_lines(const lpi_packing8 *p)
{
    const lpi_matrix8 *m = p->of->matrix;
    int64_t line = lpi_line8_bytes(p->k[1]);
    lpi_byte_lines all = {
        .count = p->k[1],
        .lines = p->n[1],
        .from = (const uint8_t *)m->at + p->n[0] * m->row + p->k[0],
        .line = m->row,
        .flip = p->of->flip,
        .is_signed = p->of->is_signed,
        .to = p->to,
        .to_line = line,
        .sums = p->sums,
    };

    if (m->column == 1) {
        p->dots->lines(&all);
        return;
    }
    for (int64_t j = 0; j < p->n[1]; j += LPI_SIDE8) {
        lpi_byte_lines some = all;

        some.lines = lpi_least(p->n[1] - j, LPI_SIDE8);
        copy_lines(m, p->k, (int64_t[]){p->n[0] + j, some.lines}, p->bytes);
        some.from = p->bytes;
        some.line = p->k[1];
        some.to = p->to + j * line;
        some.sums = p->sums + j;
        p->dots->lines(&some);
    }
}

/* Columns that run along k: lines of groups, turned. */
static void turn_lines(const lpi_packing8 *p, const lpi_weave *panel,
                       int64_t width)
{
    const lpi_matrix8 *m = p->of->matrix;
    lpi_byte_lines lines = {
        .count = p->k[1],
        .lines = panel->columns,
        .from = panel->from,
        .line = m->column,
        .flip = panel->flip,
        .is_signed = panel->is_signed,
        .to = p->bytes,
        .to_line = lpi_line8_bytes(p->k[1]),
        .sums = panel->sums,
    };
    int64_t groups = lpi_ceil_div(p->k[1], p->dots->group);

    p->dots->lines(&lines);
    lpi_turn((const float *)(const void *)p->bytes, lines.to_line / 4,
             (int64_t[]){groups, panel->columns}, width, panel->to);
}

/* Columns from "n" on that come from a function or stand apart, some rows at a
 * time. */
static void weave_copies(const lpi_packing8 *p, const lpi_weave *panel,
                         int64_t n, int64_t width)
{
    const lpi_matrix8 *m = p->of->matrix;
    uint8_t *to = panel->to;

    for (int64_t k = 0; k < p->k[1]; k += SOME) {
        lpi_weave some = *panel;

        some.count = lpi_least(p->k[1] - k, SOME);
        some.to = to + k / p->dots->group * width * 4;
        some.from = p->bytes;
        some.row = width;
        some.columns = width;
        if (p->of->from.pack)
            p->of->from.pack(p->of->from.context, p->k[0] + k, some.count, n,
                             panel->columns, width, p->bytes);
        else
            for (int64_t i = 0; i < some.count; i++)
                for (int64_t j = 0; j < panel->columns; j++)
                    p->bytes[i * width + j] =
                        panel->from[(k + i) * m->row + j * m->column];
        p->dots->weave(&some);
    }
}

void lpi_pack8_panels(const lpi_packing8 *p)
{
    const lpi_dots *dots = p->dots;
    const lpi_matrix8 *m = p->of->matrix;
    int64_t groups = lpi_ceil_div(p->k[1], dots->group), columns;

    for (int64_t j = 0; j < p->n[1]; j += columns) {
        int64_t n = p->n[0] + j, width;

        columns = lpi_least(p->n[1] - j, dots->columns);
        width = lpi_ceil_div(columns, dots->lanes) * dots->lanes;

        lpi_weave panel = {
            .count = p->k[1],
            .columns = columns,
            .row = m->row,
            .flip = p->of->flip,
            .is_signed = p->of->is_signed,
            .to = p->to + j * groups * 4,
            .sums = p->sums + j,
        };

        if (!p->of->from.pack)
            panel.from = (const uint8_t *)m->at + p->k[0] * m->row +
                         n * m->column;
        if (p->of->from.pack || (m->column != 1 && m->row != 1))
            weave_copies(p, &panel, n, width);
        else if (m->column == 1)
            dots->weave(&panel);
        else
            turn_lines(p, &panel, width);
    }
}
