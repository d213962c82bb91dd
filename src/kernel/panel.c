/* panel.c: panels of a product: matrices in memory, of floats or of halves of
 * them, copied, widened and turned into the form that register tiles read. */
#include <string.h>

#include "kernel.h"

enum { SIDE_MOST = 48 }; /* columns of halves that are turned at once */

/* Four runs of four floats, "stride" apart, turned into rows "width" apart. */
static void turn(const float *from, int64_t stride, int64_t width, float *to)
{
    lpi_four a = *(const lpi_loose_four *)from,
             b = *(const lpi_loose_four *)(from + stride);
    lpi_four c = *(const lpi_loose_four *)(from + 2 * stride);
    lpi_four d = *(const lpi_loose_four *)(from + 3 * stride);
    lpi_four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    lpi_four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    lpi_four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    lpi_four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);

    *(lpi_loose_four *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(lpi_loose_four *)(to + width) =
        __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    to += 2 * width;
    *(lpi_loose_four *)to =
        __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(lpi_loose_four *)(to + width) =
        __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

void lpi_turn(const float *from, int64_t stride, const int64_t sides[2],
              int64_t width, float *to)
{
    enum { SIDE = 4, BLOCK = 64 }; /* lines of "from" that stay in the cache */
    enum { AHEAD = 64, LINE = 8 }; /* floats fetched ahead; read at once */
    int64_t k_count = sides[0], n_count = sides[1];
    int64_t whole = n_count >= SIDE ? k_count / SIDE * SIDE : 0;

    for (int64_t n = 0; n < n_count; n += BLOCK) {
        int64_t end = lpi_least(n + BLOCK, n_count);

        for (int64_t k = 0; k < whole; k += LINE)
            for (int64_t j = n; j < end; j += SIDE) {
                int64_t at = lpi_least(j, n_count - SIDE);

                for (int64_t i = at; i < at + SIDE; i++)
                    __builtin_prefetch(from + i * stride + k + AHEAD);
                for (int64_t p = k; p < lpi_least(k + LINE, whole); p += SIDE)
                    turn(from + at * stride + p, stride, width,
                         to + p * width + at);
            }
        for (int64_t p = whole; p < k_count; p++)
            for (int64_t j = n; j < end; j++)
                memcpy(to + p * width + j, from + j * stride + p, sizeof(*to));
    }
}

lpi_matrix lpi_matrix_from(const lpi_matrix *matrix, int64_t first)
{
    lpi_matrix from = *matrix;
    const uint16_t *halves = (const uint16_t *)from.at + first;

    from.at = from.widen ? (const float *)halves : from.at + first;
    return from;
}

/* Columns [0, sides[1]) of "b", whose rows are neighbours, as rows "width"
 * apart: some elements of all at a time are widened, then turned. */
static void turn_halves(const lpi_matrix *b, const int64_t sides[2],
                        int64_t width, float *to)
{
    enum { SOME = 64 };
    float lines[SIDE_MOST * SOME];

    for (int64_t k = 0; k < sides[0]; k += SOME) {
        int64_t some = lpi_least(sides[0] - k, SOME);

        for (int64_t j = 0; j < sides[1]; j++)
            b->widen(some, (const uint16_t *)b->at + k + j * b->column,
                     lines + j * SOME);
        lpi_turn(lines, SOME, (int64_t[]){some, sides[1]}, width,
                 to + k * width);
    }
}

/* lpi_pack_matrix of halves, from the first element on. */
static void pack_halves(const lpi_matrix *b, const int64_t sides[2],
                        int64_t width, float *to)
{
    const uint16_t *from = (const uint16_t *)b->at;

    if (b->row == 1 && b->column != 1 && sides[1] <= SIDE_MOST) {
        turn_halves(b, sides, width, to);
        return;
    }
    for (int64_t p = 0; p < sides[0]; p++, to += width, from += b->row)
        if (b->column == 1)
            b->widen(sides[1], from, to);
        else
            for (int64_t j = 0; j < sides[1]; j++)
                b->widen(1, from + j * b->column, to + j);
}

void lpi_pack_matrix(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to)
{
    const lpi_matrix *b = context;
    lpi_matrix part = lpi_matrix_from(b, k * b->row + n * b->column);
    const int64_t sides[2] = {k_count, n_count};
    const float *from = part.at;

    if (n_count < width)
        memset(to, 0, (size_t)(k_count * width) * sizeof(*to));
    if (b->widen) {
        pack_halves(&part, sides, width, to);
        return;
    }
    if (b->row == 1 && b->column != 1) {
        lpi_turn(from, b->column, sides, width, to);
        return;
    }
    for (int64_t p = 0; p < k_count; p++, to += width, from += b->row)
        if (b->column == 1)
            memcpy(to, from, (size_t)n_count * sizeof(*to));
        else
            for (int64_t j = 0; j < n_count; j++)
                to[j] = from[j * b->column];
}
