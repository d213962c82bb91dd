/* rows.c: softmax, reductions and normalisation along an axis.
 *
 * Each row (or column, where the reduced axis is not the innermost one) is
 * reduced in the order of lpi_isa.reduce, by one thread.  Columns are taken in
 * strips, whose 16 lanes stay in the cache. */
#include <math.h>
#include <string.h>

#include "kernel.h"

enum { STRIP = 64 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const float neutral[LPI_REDUCERS] = {
    [LPI_REDUCE_MAX] = -(float)INFINITY,
    [LPI_REDUCE_MIN] = (float)INFINITY,
    [LPI_REDUCE_PROD] = 1,
};

/* Reduce "width" columns of "count" rows, "inner" floats apart. */
static void reduce_strip(const lpi_isa *isa, lpi_reducer what,
                         const lpi_reduction *r, const float *from,
                         int64_t width, float *to)
{
    float lane[LPI_LANES][STRIP];

    if (r->chain) {
        for (int64_t i = 0; i < r->count; i++)
            isa->take[what](width, from + i * r->inner, to);
        return;
    }
    for (int32_t j = 0; j < LPI_LANES; j++)
        for (int64_t x = 0; x < width; x++)
            lane[j][x] = neutral[what];
    for (int64_t i = 0; i < r->count; i++)
        isa->take[what](width, from + i * r->inner, lane[i % LPI_LANES]);
    for (int32_t half = LPI_LANES / 2; half; half /= 2)
        for (int32_t j = 0; j < half; j++)
            isa->join[what](width, lane[j + half], lane[j]);
    memcpy(to, lane[0], (size_t)width * sizeof(*to));
}

/* Chains along rows: some rows are turned, so that they go side by side. */
static void chain_rows(const lpi_isa *isa, lpi_reducer what, int64_t rows,
                       const lpi_reduction *r, int64_t first)
{
    enum { SIDE = LPI_LANES };
    const float *from = r->from + first * r->count;
    float square[SIDE * SIDE];

    for (int64_t k = 0; k < r->count; k += SIDE) {
        int64_t some = least(r->count - k, SIDE);

        for (int64_t i = 0; i < rows; i++)
            for (int64_t p = 0; p < some; p++)
                square[p * SIDE + i] = from[i * r->count + k + p];
        for (int64_t p = 0; p < some; p++)
            isa->take[what](rows, square + p * SIDE, r->to + first);
    }
}

/* Unit "i" of a reduction: a row, 16 rows of chains, or a strip of columns. */
static void reduce_unit(const lpi_isa *isa, lpi_reducer what,
                        const lpi_reduction *r, int64_t i)
{
    int64_t strips = lpi_ceil_div(r->inner, STRIP);
    int64_t outer = i / strips, at = i % strips * STRIP;

    if (r->inner == 1 && r->chain)
        chain_rows(isa, what, least(r->outer - i * LPI_LANES, LPI_LANES), r,
                   i * LPI_LANES);
    else if (r->inner == 1)
        r->to[i] = isa->reduce[what](r->count, r->from + i * r->count);
    else
        reduce_strip(isa, what, r, r->from + outer * r->count * r->inner + at,
                     least(r->inner - at, STRIP),
                     r->to + outer * r->inner + at);
}

void lpi_reduction_run(const lpi_team *team, lpi_reducer what,
                       const lpi_reduction *reduction)
{
    int64_t units = reduction->outer * lpi_ceil_div(reduction->inner, STRIP);

    if (reduction->inner == 1 && reduction->chain)
        units = lpi_ceil_div(reduction->outer, LPI_LANES);
#pragma omp parallel for num_threads(team->threads)                            \
    schedule(static) if (team->threads > 1)
    for (int64_t i = 0; i < units; i++)
        reduce_unit(team->isa, what, reduction, i);
}

void lpi_softmax_row(const lpi_isa *isa, int64_t count, const float *from,
                     float *to)
{
    float max = isa->reduce[LPI_REDUCE_MAX](count, from);
    float scale = 1 / isa->exp_sum(count, from, max, to);

    isa->binary[LPI_BINARY_MUL](count, to, 1, &scale, 0, to);
}

static void log_softmax_row(const lpi_isa *isa, int64_t count,
                            const float *from, float *to)
{
    float max = isa->reduce[LPI_REDUCE_MAX](count, from);
    float sum = isa->exp_sum(count, from, max, NULL), other;

    isa->unary[LPI_UNARY_LOG](1, &sum, &other);
    isa->binary[LPI_BINARY_SUB](count, from, 1, &max, 0, to);
    isa->binary[LPI_BINARY_SUB](count, to, 1, &other, 0, to);
}

/* "width" columns at once, by the same steps. */
static void softmax_strip(const lpi_isa *isa, const lpi_softmax *s,
                          const float *from, int64_t width, float *to)
{
    const lpi_binary_loop *binary = isa->binary;
    float max[STRIP], sum[STRIP], e[STRIP], lane[LPI_LANES][STRIP];
    lpi_reduction r = {.count = s->count, .inner = s->inner};
    int64_t i;

    reduce_strip(isa, LPI_REDUCE_MAX, &r, from, width, max);
    memset(lane, 0, sizeof(lane));
    for (i = 0; i < s->count; i++) {
        float *exps = s->log ? e : to + i * s->inner;

        binary[LPI_BINARY_SUB](width, from + i * s->inner, 1, max, 1, exps);
        if (s->log)
            memcpy(to + i * s->inner, exps, (size_t)width * sizeof(*to));
        isa->unary[LPI_UNARY_EXP](width, exps, exps);
        isa->take[LPI_REDUCE_SUM](width, exps, lane[i % LPI_LANES]);
    }
    for (int32_t half = LPI_LANES / 2; half; half /= 2)
        for (int32_t j = 0; j < half; j++)
            isa->join[LPI_REDUCE_SUM](width, lane[j + half], lane[j]);
    isa->unary[s->log ? LPI_UNARY_LOG : LPI_UNARY_RECIPROCAL](width, lane[0],
                                                              sum);
    for (i = 0; i < s->count; i++, to += s->inner)
        binary[s->log ? LPI_BINARY_SUB : LPI_BINARY_MUL](width, to, 1, sum, 1,
                                                         to);
}

void lpi_softmax_run(const lpi_team *team, const lpi_softmax *softmax)
{
    int64_t strips = lpi_ceil_div(softmax->inner, STRIP);
    int64_t units = softmax->count ? softmax->outer * strips : 0;

#pragma omp parallel for num_threads(team->threads)                            \
    schedule(static) if (team->threads > 1)
    for (int64_t i = 0; i < units; i++) {
        int64_t at = i / strips * softmax->count * softmax->inner +
                     i % strips * STRIP;

        if (softmax->inner == 1)
            (softmax->log ? log_softmax_row : lpi_softmax_row)(
                team->isa, softmax->count, softmax->from + at,
                softmax->to + at);
        else
            softmax_strip(team->isa, softmax, softmax->from + at,
                          least(softmax->inner - i % strips * STRIP, STRIP),
                          softmax->to + at);
    }
}

/* The mean of a row and 1 / sqrt(variance + epsilon). */
static void statistics(const lpi_isa *isa, const lpi_norm *norm,
                       const float *from, float ret_of[2])
{
    double mean = 0, count = (double)norm->count, squares;

    if (norm->centred)
        mean = isa->first_moment(norm->count, from, 0) / count;
    squares = isa->second_moment(norm->count, from, mean);
    ret_of[0] = (float)mean;
    ret_of[1] = (float)(1 / sqrt(squares / count + norm->epsilon));
}

static void repeat(float *to, int64_t count, const float *value, float other)
{
    float x = value ? *value : other;

    for (int64_t i = 0; i < count; i++)
        to[i] = x;
}

/* Row "r": planes of one parameter each, or a parameter an element. */
static void norm_row(const lpi_isa *isa, const lpi_norm *norm, int64_t r)
{
    enum { BLOCK = 512 };
    const float *from = norm->from + r * norm->count;
    float *to = norm->to + r * norm->count;
    float of[2], scale[BLOCK], shift[BLOCK];
    int64_t planes = norm->count / norm->plane;

    statistics(isa, norm, from, of);
    if (norm->ret_mean)
        norm->ret_mean[r] = of[0];
    if (norm->ret_inverse)
        norm->ret_inverse[r] = of[1];
    if (norm->plane == 1 && norm->channels == norm->count && norm->scale &&
        norm->shift) {
        isa->normalise(norm->count, from, of, norm->scale, norm->shift, to);
        return;
    }
    for (int64_t at = 0, some; at < norm->count; at += some) {
        int64_t c = (r * planes + at / norm->plane) % norm->channels;

        if (norm->plane == 1) {
            some = least(least(norm->count - at, norm->channels - c), BLOCK);
            repeat(scale, some, NULL, 1);
            repeat(shift, some, NULL, 0);
            isa->normalise(some, from + at, of,
                           norm->scale ? norm->scale + c : scale,
                           norm->shift ? norm->shift + c : shift, to + at);
            continue;
        }
        if (at % norm->plane == 0) {
            int64_t most = least(norm->plane, BLOCK);

            repeat(scale, most, norm->scale ? norm->scale + c : NULL, 1);
            repeat(shift, most, norm->shift ? norm->shift + c : NULL, 0);
        }
        some = least(norm->plane - at % norm->plane, BLOCK);
        isa->normalise(some, from + at, of, scale, shift, to + at);
    }
}

void lpi_norm_run(const lpi_team *team, const lpi_norm *norm)
{
#pragma omp parallel for num_threads(team->threads)                            \
    schedule(static) if (team->threads > 1)
    for (int64_t r = 0; r < norm->rows; r++)
        norm_row(team->isa, norm, r);
}
