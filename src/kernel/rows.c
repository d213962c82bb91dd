/* rows.c: softmax, reductions and normalisation along an axis.
 *
 * Each row (or column, where the reduced axis is not the innermost one) is
 * reduced in the order of lpi_isa.reduce, by one thread.  Columns are taken in
 * strips, whose 16 lanes stay in the cache. */
#include <math.h>
#include <string.h>

#include "kernel.h"

/* FETCH: floats ahead that are fetched while a row is computed, at least; rows
 * above FETCH_MOST would drive out of the cache what is still needed. */
enum { STRIP = 64, FETCH = 2048, FETCH_MOST = 65536 };

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
        int64_t some = lpi_least(r->count - k, SIDE);

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
        chain_rows(isa, what, lpi_least(r->outer - i * LPI_LANES, LPI_LANES), r,
                   i * LPI_LANES);
    else if (r->inner == 1)
        r->to[i] = isa->reduce[what](r->count, r->from + i * r->count);
    else
        reduce_strip(isa, what, r, r->from + outer * r->count * r->inner + at,
                     lpi_least(r->inner - at, STRIP),
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

/* Which of "rows" rows is fetched while row "i" is computed: how many elements
 * ahead of it. */
static int64_t ahead_of(int64_t count, int64_t rows, int64_t i)
{
    int64_t far = lpi_ceil_div(FETCH, count);

    return count > FETCH_MOST || i + far >= rows ? 0 : far * count;
}

static void softmax_row(const lpi_isa *isa, const lpi_row *row)
{
    float max = isa->reduce[LPI_REDUCE_MAX](row->count, row->from);
    float scale = 1 / isa->exp_sum(row, max);

    isa->binary[LPI_BINARY_MUL](row->count, row->to, 1, &scale, 0, row->to);
}

void lpi_softmax_row(const lpi_isa *isa, int64_t count, const float *from,
                     float *to)
{
    softmax_row(isa, &(lpi_row){count, 0, from, to});
}

static void log_softmax_row(const lpi_isa *isa, const lpi_row *row)
{
    const lpi_row read = {row->count, 0, row->from, NULL};
    float max = isa->reduce[LPI_REDUCE_MAX](row->count, row->from);
    float sum = isa->exp_sum(&read, max), other;

    isa->unary[LPI_UNARY_LOG](1, &sum, &other);
    isa->binary[LPI_BINARY_SUB](row->count, row->from, 1, &max, 0, row->to);
    isa->binary[LPI_BINARY_SUB](row->count, row->to, 1, &other, 0, row->to);
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
        const float *x = from + i * s->inner;
        float *y = to + i * s->inner;

        isa->exp_take(width, x, max, s->log ? e : y, lane[i % LPI_LANES]);
        if (s->log)
            binary[LPI_BINARY_SUB](width, x, 1, max, 1, y);
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
            (softmax->log ? log_softmax_row : softmax_row)(
                team->isa,
                &(lpi_row){softmax->count, ahead_of(softmax->count, units, i),
                           softmax->from + at, softmax->to + at});
        else
            softmax_strip(team->isa, softmax, softmax->from + at,
                          lpi_least(softmax->inner - i % strips * STRIP, STRIP),
                          softmax->to + at);
    }
}

/* The mean of row "r" and 1 / sqrt(variance + epsilon), in one pass around its
 * first element (0 where that is not finite), from which the mean is at most
 * sqrt(count) deviations away: what cancels is little beside the digits of a
 * double. */
static void statistics(const lpi_isa *isa, const lpi_norm *norm, int64_t r,
                       float ret_of[2])
{
    const lpi_row row = {norm->count, ahead_of(norm->count, norm->rows, r),
                         norm->from + r * norm->count, NULL};
    float pivot = norm->centred ? *row.from : 0;
    double count = (double)norm->count, sums[2], mean = 0, variance;

    if (!isfinite(pivot))
        pivot = 0;
    isa->moments(&row, pivot, sums);
    if (norm->centred)
        mean = sums[0] / count;
    variance = sums[1] / count - mean * mean;
    variance = variance < 0 ? 0 : variance;
    ret_of[0] = (float)((double)pivot + mean);
    ret_of[1] = (float)(1 / sqrt(variance + norm->epsilon));
}

/* Row "r" with a parameter an element; "of": mean and inverse. */
static void norm_elements(const lpi_isa *isa, const lpi_norm *norm, int64_t r,
                          const float of[2])
{
    enum { BLOCK = 512 };
    const float *from = norm->from + r * norm->count;
    float *to = norm->to + r * norm->count, one[BLOCK], zero[BLOCK];
    bool has_both = norm->scale && norm->shift;

    for (int64_t i = 0; i < BLOCK && !has_both; i++) {
        one[i] = 1;
        zero[i] = 0;
    }
    for (int64_t at = 0, some; at < norm->count; at += some) {
        int64_t c = (r * norm->count + at) % norm->channels;

        some = lpi_least(norm->count - at, norm->channels - c);
        some = has_both ? some : lpi_least(some, BLOCK);
        isa->normalise(some, from + at, of, norm->scale ? norm->scale + c : one,
                       norm->shift ? norm->shift + c : zero, to + at);
    }
}

/* The same with a parameter a plane. */
static void norm_planes(const lpi_isa *isa, const lpi_norm *norm, int64_t r,
                        const float of[2])
{
    int64_t planes = norm->count / norm->plane;

    for (int64_t i = r * planes; i < (r + 1) * planes; i++) {
        int64_t c = i % norm->channels, at = i * norm->plane;
        const float all[4] = {of[0], of[1], norm->scale ? norm->scale[c] : 1,
                              norm->shift ? norm->shift[c] : 0};

        isa->normalise_plane(norm->plane, norm->from + at, all, norm->to + at);
    }
}

static void norm_row(const lpi_isa *isa, const lpi_norm *norm, int64_t r)
{
    float of[2];

    statistics(isa, norm, r, of);
    if (norm->ret_mean)
        norm->ret_mean[r] = of[0];
    if (norm->ret_inverse)
        norm->ret_inverse[r] = of[1];
    (norm->plane == 1 ? norm_elements : norm_planes)(isa, norm, r, of);
}

void lpi_norm_run(const lpi_team *team, const lpi_norm *norm)
{
#pragma omp parallel for num_threads(team->threads)                            \
    schedule(static) if (team->threads > 1)
    for (int64_t r = 0; r < norm->rows; r++)
        norm_row(team->isa, norm, r);
}
