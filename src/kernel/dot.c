/* dot.c: the loops of integer products, compiled once for each instruction
 * set.
 *
 * A is read in lines along k, of which bytes of VNNI need no packing; B is
 * woven: rows of it are interleaved, so that a group of neighbours in k stands
 * where a lane is. */
#include <string.h>

#define LPI_DOTS
#include "kernel.h"

enum {
    ROWS = LPI_DOT_ROWS,
    VECTORS = LPI_DOT_VECTORS,
    LANES = LPI_DOT_LANES,
    GROUP = LPI_DOT_GROUP,
    SIZE = LPI_DOT_SIZE,
    BYTES = LPI_DOT_BYTES,
};

typedef lpi_dot_vector vector;
typedef lpi_dot_loose loose;

/* The same of GROUP rows, "row" bytes apart. */
LPI_INLINED vector woven(const uint8_t *from, int64_t row, uint8_t flip,
                         bool is_signed)
{
    const uint8_t *at[GROUP];

    for (int e = 0; e < GROUP; e++)
        at[e] = from + e * row;
    return lpi_woven(at, flip, is_signed);
}

LPI_INLINED uint32_t group_at(const char *from)
{
    uint32_t x;

    memcpy(&x, from, sizeof(x));
    return x;
}

/* The tile of "vectors" vectors; "turned": A is the signed operand. */
LPI_INLINED void run_tile(const lpi_dot_args *t, int vectors, bool turned)
{
    enum { STEP = 3 }; /* rows that are reached from one address */
    const char *left[(ROWS + STEP - 1) / STEP];
    const uint32_t *right = t->b;
    int64_t row = t->a_row;
    vector sum[ROWS][VECTORS];

    for (int i = 0; i < ROWS; i += STEP)
        left[i / STEP] = (const char *)t->a + i * row;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (vector){0};
    for (int64_t p = 0; p < t->groups; p++) {
        vector of_b[VECTORS];

        for (int j = 0; j < vectors; j++)
            of_b[j] = *(const loose *)(right + j * LANES);
        for (int i = 0; i < ROWS; i++) {
            vector of_a = group_at(left[i / STEP] + i % STEP * row + 4 * p) +
                          (vector){0};

            for (int j = 0; j < vectors; j++)
                sum[i][j] = turned ? lpi_dot(sum[i][j], of_b[j], of_a)
                                   : lpi_dot(sum[i][j], of_a, of_b[j]);
        }
        right += vectors * LANES;
    }
    for (int j = 0; j < vectors; j++) {
        vector of_column = *(const loose *)(t->of_columns + j * LANES);

#pragma GCC unroll 8
        for (int i = 0; i < ROWS; i++)
            sum[i][j] += of_column + t->of_rows[i];
    }
    if (!t->fresh)
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < vectors; j++)
                sum[i][j] += *(const loose *)(t->c + i * t->c_row + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < vectors; j++)
            *(loose *)(t->c + i * t->c_row + j * LANES) = sum[i][j];
}

#define TILE(VECTORS_)                                                         \
    static void run_##VECTORS_(const lpi_dot_args *args)                       \
    {                                                                          \
        run_tile(args, VECTORS_, false);                                       \
    }                                                                          \
                                                                               \
    static void run_turned_##VECTORS_(const lpi_dot_args *args)                \
    {                                                                          \
        run_tile(args, VECTORS_, SIZE == 1);                                   \
    }

TILE(1)
TILE(2)
TILE(3)

/* The same as woven of "rows" rows and "columns" columns, zeros behind them. */
static vector woven_part(const lpi_weave *w, const uint8_t *from, int64_t rows,
                         int64_t columns)
{
    uint8_t block[BYTES];

    memset(block, w->flip, sizeof(block));
    for (int64_t e = 0; e < rows; e++)
        memcpy(block + e * LANES, from + e * w->row, (size_t)columns);
    return woven(block, LANES, w->flip, w->is_signed);
}

/* "groups" whole groups of "vectors" whole vectors. */
LPI_INLINED void weave_whole(const lpi_weave *w, int64_t groups, int vectors,
                             bool is_signed)
{
    int64_t row = w->row;
    uint8_t flip = w->flip;
    const uint8_t *from = w->from;
    uint32_t *to = w->to;
    vector sum[VECTORS];

    for (int j = 0; j < vectors; j++)
        sum[j] = *(const loose *)(w->sums + j * LANES);
    for (int64_t g = 0; g < groups; g++, from += GROUP * row)
        for (int j = 0; j < vectors; j++, to += LANES) {
            vector x = woven(from + j * LANES, row, flip, is_signed);

            *(loose *)to = x;
            sum[j] = lpi_dot_count(sum[j], x, is_signed);
        }
    for (int j = 0; j < vectors; j++)
        *(loose *)(w->sums + j * LANES) = sum[j];
}

/* The groups from "first" on, and where they or their columns end. */
static void weave_rest(const lpi_weave *w, int64_t first, int vectors)
{
    for (int64_t g = first; g * GROUP < w->count; g++)
        for (int j = 0; j < vectors; j++) {
            const uint8_t *from = w->from + g * GROUP * w->row + j * LANES;
            uint32_t *to = (uint32_t *)w->to + (g * vectors + j) * LANES;
            loose *sums = (loose *)(w->sums + j * LANES);
            int64_t rows = lpi_least(w->count - g * GROUP, GROUP);
            int64_t columns = lpi_least(w->columns - j * LANES, LANES);
            vector x = woven_part(w, from, rows, columns);

            *(loose *)to = x;
            *sums = lpi_dot_count(*sums, x, w->is_signed);
        }
}

static void weave(const lpi_weave *w)
{
    int vectors = (int)((w->columns + LANES - 1) / LANES);
    int64_t whole = w->columns % LANES == 0 ? w->count / GROUP : 0;

    if (vectors == VECTORS && w->is_signed)
        weave_whole(w, whole, VECTORS, true);
    else if (vectors == VECTORS)
        weave_whole(w, whole, VECTORS, false);
    else if (w->is_signed)
        weave_whole(w, whole, vectors, true);
    else
        weave_whole(w, whole, vectors, false);
    weave_rest(w, whole, vectors);
}

/* The sum of the lanes of "sum". */
static uint32_t folded(vector sum)
{
    uint32_t all = 0;

    for (int i = 0; i < LANES; i++)
        all += sum[i];
    return all;
}

LPI_INLINED uint32_t widen_line(const lpi_byte_lines *l, const uint8_t *from,
                                uint8_t *to, bool is_signed)
{
    enum { DEEP = 4 }; /* vectors at once */
    vector sum[DEEP] = {{0}};
    int64_t at = 0;
    uint8_t rest[BYTES];

    for (; at + DEEP * BYTES <= l->count; at += DEEP * BYTES)
        for (int d = 0; d < DEEP; d++) {
            vector x = lpi_widened(from + at + d * BYTES, l->flip, is_signed);

            sum[d] = lpi_dot_count(sum[d], x, is_signed);
            if (to)
                *(loose *)(to + (at + d * BYTES) * SIZE) = x;
        }
    for (; at < l->count; at += BYTES) {
        int64_t some = lpi_least(l->count - at, BYTES);
        vector x;

        memset(rest, l->flip, sizeof(rest));
        memcpy(rest, from + at, (size_t)some);
        x = lpi_widened(rest, l->flip, is_signed);
        sum[0] = lpi_dot_count(sum[0], x, is_signed);
        if (to)
            *(loose *)(to + at * SIZE) = x;
    }
    return folded(sum[0] + sum[1] + (sum[2] + sum[3]));
}

static void lines(const lpi_byte_lines *l)
{
    for (int64_t i = 0; i < l->lines; i++) {
        const uint8_t *from = l->from + i * l->line;
        uint8_t *to = l->to ? (uint8_t *)l->to + i * l->to_line : NULL;

        l->sums[i] += l->is_signed ? widen_line(l, from, to, true)
                                   : widen_line(l, from, to, false);
    }
}

/* What "deep" woven groups of k, from group "p" on, add to column "j" and
 * those behind it. */
LPI_INLINED void take(const lpi_few_dots *f, const vector *of_b, int deep,
                      const int64_t p_j[2], bool turned)
{
    const char *a = (const char *)f->a + 4 * p_j[0];
    int32_t *c = f->c + p_j[1];
    loose *sums = (loose *)(f->b.sums + p_j[1]);
    vector sum = *sums;

    for (int d = 0; d < deep; d++)
        sum = lpi_dot_count(sum, of_b[d], !turned);
    *sums = sum;
    for (int64_t i = 0; i < f->rows; i++, a += f->a_row, c += f->c_row) {
        sum = *(const loose *)c;
        for (int d = 0; d < deep; d++) {
            vector of_a = group_at(a + 4 * d) + (vector){0};

            sum = turned ? lpi_dot(sum, of_b[d], of_a)
                         : lpi_dot(sum, of_a, of_b[d]);
        }
        *(loose *)c = sum;
    }
}

LPI_INLINED void run_few_as(const lpi_few_dots *f, bool turned, bool is_signed)
{
    enum { DEEP = 4 };
    const lpi_weave *w = &f->b;
    const uint8_t *from = w->from;
    int64_t columns = w->columns / LANES * LANES, rest = w->columns % LANES;
    int64_t whole = w->count / GROUP, p = 0, row = w->row;
    vector of_b[DEEP];

    for (; p + DEEP <= whole; p += DEEP, from += DEEP * GROUP * row)
        for (int64_t j = 0; j < columns; j += LANES) {
            for (int d = 0; d < DEEP; d++)
                of_b[d] =
                    woven(from + d * GROUP * row + j, row, w->flip, is_signed);
            take(f, of_b, DEEP, (int64_t[]){p, j}, turned);
        }
    for (; p * GROUP < w->count; p++, from += GROUP * row)
        for (int64_t j = 0; j < columns; j += LANES) {
            int64_t rows = lpi_least(w->count - p * GROUP, GROUP);

            of_b[0] = woven_part(w, from + j, rows, LANES);
            take(f, of_b, 1, (int64_t[]){p, j}, turned);
        }
    for (p = 0, from = w->from; rest && p * GROUP < w->count; p++) {
        int64_t rows = lpi_least(w->count - p * GROUP, GROUP);

        of_b[0] = woven_part(w, from + columns, rows, rest);
        take(f, of_b, 1, (int64_t[]){p, columns}, turned);
        from += GROUP * row;
    }
}

static void few(const lpi_few_dots *f)
{
    if (SIZE == 1 && f->turned)
        run_few_as(f, true, false);
    else if (f->b.is_signed)
        run_few_as(f, false, true);
    else
        run_few_as(f, false, false);
}

LPI_INLINED void run_taps(const lpi_tap_dots *t, bool is_signed)
{
    enum { DEEP = 2 }; /* vectors at once */

    for (int64_t i = 0; i < t->length; i += DEEP * LANES) {
        const int64_t *offset = t->offsets;
        vector sum[DEEP];

        for (int d = 0; d < DEEP; d++)
            sum[d] = t->first + (vector){0};
        for (int64_t g = 0; g < t->groups; g++, offset += GROUP) {
            vector w = t->w[g] + (vector){0};

            for (int d = 0; d < DEEP; d++) {
                const uint8_t *at[GROUP];

                for (int e = 0; e < GROUP; e++)
                    at[e] = t->from + i + d * LANES + offset[e];
                sum[d] = lpi_dot(sum[d], lpi_woven(at, 0, is_signed), w);
            }
        }
        for (int d = 0; d < DEEP; d++)
            *(loose *)(t->to + i + d * LANES) = sum[d];
    }
}

static void taps(const lpi_tap_dots *t)
{
    if (t->is_signed)
        run_taps(t, true);
    else
        run_taps(t, false);
}

/* The sum of "a", groups of a row of A, times "count" bytes of a column of B.
 */
LPI_INLINED uint32_t times_line(const lpi_few_dots *f, const char *a,
                                const uint8_t *b, bool turned)
{
    enum { DEEP = 2 }; /* vectors at once */
    const lpi_weave *w = &f->b;
    bool is_signed = SIZE == 1 ? !turned : w->is_signed;
    vector sum[DEEP] = {{0}};
    int64_t at = 0;
    uint8_t rest[BYTES];

    for (; at < w->count; at += DEEP * BYTES)
        for (int d = 0; d < DEEP && at + d * BYTES < w->count; d++) {
            const uint8_t *from = b + at + d * BYTES;
            int64_t some = w->count - at - d * BYTES;
            vector of_a, of_b;

            if (some < BYTES) {
                memset(rest, w->flip, sizeof(rest));
                memcpy(rest, from, (size_t)some);
                from = rest;
            }
            of_b = lpi_widened(from, w->flip, is_signed);
            if (!a) {
                sum[d] = lpi_dot_count(sum[d], of_b, is_signed);
                continue;
            }
            of_a = *(const loose *)(a + (at + d * BYTES) * SIZE);
            sum[d] = turned ? lpi_dot(sum[d], of_b, of_a)
                            : lpi_dot(sum[d], of_a, of_b);
        }
    return folded(sum[0] + sum[1]);
}

LPI_INLINED void run_lines_as(const lpi_few_dots *f, bool turned)
{
    const lpi_weave *w = &f->b;

    for (int64_t j = 0; j < w->columns; j++) {
        const uint8_t *b = w->from + j * w->row;

        w->sums[j] += times_line(f, NULL, b, turned);
        for (int64_t i = 0; i < f->rows; i++)
            f->c[i * f->c_row + j] += (int32_t)times_line(
                f, (const char *)f->a + i * f->a_row, b, turned);
    }
}

static void few_lines(const lpi_few_dots *f)
{
    if (SIZE == 1 && f->turned)
        run_lines_as(f, true);
    else
        run_lines_as(f, false);
}

const lpi_dots LPI_OF_SET(lpi_dots) = {
    .rows = ROWS,
    .lanes = LANES,
    .columns = VECTORS * LANES,
    .group = GROUP,
    .size = SIZE,
    .weave = weave,
    .lines = lines,
    .few = few,
    .few_lines = few_lines,
    .taps = taps,
    .run = {{run_1, run_2, VECTORS > 2 ? run_3 : NULL},
            {run_turned_1, run_turned_2, VECTORS > 2 ? run_turned_3 : NULL}},
};
