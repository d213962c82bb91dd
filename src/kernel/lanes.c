/* lanes.c: reductions of arrays, compiled once for each instruction set.
 *
 * The order is fixed: element i goes into lane i mod 16, in ascending order;
 * then lane j takes in lane j + 8, j + 4, j + 2, j + 1.  A vector of any width
 * holds some of the lanes, so all sets give the same bytes. */
#include <math.h>
#include <string.h>

#include "kernel.h"

LPI_INLINED float larger(float a, float b)
{
    return a >= b || a != a ? a : b;
}

LPI_INLINED float smaller(float a, float b)
{
    return a <= b || a != a ? a : b;
}

LPI_INLINED float size_of(float x)
{
    return x < 0 ? -x : x;
}

/* Lane j takes in lane j + half: "join" of x and y. */
#define JOIN(join)                                                             \
    for (int32_t half = LPI_LANES / 2; half; half /= 2)                        \
        for (int32_t j = 0; j < half; j++) {                                   \
            float x = lane[j], y = lane[j + half];                             \
            lane[j] = join;                                                    \
        }

/* "take" makes lane[j] of itself and x. */
#define REDUCE(name, neutral, take, join)                                      \
    static float reduce_##name(int64_t count, const float *from)               \
    {                                                                          \
        float lane[LPI_LANES];                                                 \
        int64_t at = 0;                                                        \
                                                                               \
        for (int32_t j = 0; j < LPI_LANES; j++)                                \
            lane[j] = neutral;                                                 \
        for (; at + LPI_LANES <= count; at += LPI_LANES)                       \
            _Pragma("omp simd") for (int32_t j = 0; j < LPI_LANES; j++)        \
            {                                                                  \
                float x = from[at + j];                                        \
                lane[j] = take;                                                \
            }                                                                  \
        for (int32_t j = 0; at + j < count; j++) {                             \
            float x = from[at + j];                                            \
            lane[j] = take;                                                    \
        }                                                                      \
        JOIN(join)                                                             \
        return lane[0];                                                        \
    }

/* The same for max and min, where of equal numbers (0 and -0) the first wins,
 * so that blocks may meet in pairs before they meet the lanes, which wait less
 * for each other.  NaN is looked for aside; the last blocks are filled up. */
#define EXTREME(name, neutral, wins)                                           \
    static float reduce_##name(int64_t count, const float *from)               \
    {                                                                          \
        enum { BLOCK = 4 * LPI_LANES };                                        \
        float lane[LPI_LANES], last[BLOCK];                                    \
        int32_t nan[LPI_LANES] = {0}, any = 0;                                 \
                                                                               \
        for (int32_t j = 0; j < LPI_LANES; j++)                                \
            lane[j] = neutral;                                                 \
        for (int64_t at = 0; at < count; at += BLOCK) {                        \
            const float *block = from + at;                                    \
                                                                               \
            if (at + BLOCK > count) {                                          \
                for (int32_t j = 0; j < BLOCK; j++)                            \
                    last[j] = at + j < count ? from[at + j] : neutral;         \
                block = last;                                                  \
            }                                                                  \
            _Pragma("omp simd") for (int32_t j = 0; j < LPI_LANES; j++)        \
            {                                                                  \
                float a = block[j], b = block[j + LPI_LANES];                  \
                float c = block[j + 2 * LPI_LANES];                            \
                float d = block[j + 3 * LPI_LANES];                            \
                float x = b wins a ? b : a, y = d wins c ? d : c;              \
                                                                               \
                nan[j] |= __builtin_isunordered(a, b);                         \
                nan[j] |= __builtin_isunordered(c, d);                         \
                x = y wins x ? y : x;                                          \
                lane[j] = x wins lane[j] ? x : lane[j];                        \
            }                                                                  \
        }                                                                      \
        JOIN(y wins x ? y : x)                                                 \
        for (int32_t j = 0; j < LPI_LANES; j++)                                \
            any |= nan[j];                                                     \
        return any ? (float)NAN : lane[0];                                     \
    }

/* Steps of many reductions at once; "join" of x and y. */
#define STEPS(name, take, join)                                                \
    static void take_##name(int64_t count, const float *from, float *lane)     \
    {                                                                          \
        _Pragma("omp simd") for (int64_t j = 0; j < count; j++)                \
        {                                                                      \
            float x = from[j];                                                 \
            lane[j] = take;                                                    \
        }                                                                      \
    }                                                                          \
                                                                               \
    static void join_##name(int64_t count, const float *from, float *to)       \
    {                                                                          \
        _Pragma("omp simd") for (int64_t j = 0; j < count; j++)                \
        {                                                                      \
            float x = to[j], y = from[j];                                      \
            to[j] = join;                                                      \
        }                                                                      \
    }

#define REDUCER(name, neutral, take, join)                                     \
    REDUCE(name, neutral, take, join)                                          \
    STEPS(name, take, join)

REDUCER(sum, 0, lane[j] + x, x + y)
REDUCER(sum_abs, 0, lane[j] + size_of(x), x + y)
REDUCER(sum_squares, 0, fmaf(x, x, lane[j]), x + y)
EXTREME(max, -(float)INFINITY, >)
STEPS(max, larger(lane[j], x), larger(x, y))
EXTREME(min, (float)INFINITY, <)
STEPS(min, smaller(lane[j], x), smaller(x, y))
REDUCER(prod, 1, lane[j] * x, x *y)

const lpi_reduce_loop LPI_OF_SET(lpi_reduce_loops)[LPI_REDUCERS] = {
    [LPI_REDUCE_SUM] = reduce_sum,
    [LPI_REDUCE_SUM_ABS] = reduce_sum_abs,
    [LPI_REDUCE_SUM_SQUARES] = reduce_sum_squares,
    [LPI_REDUCE_MAX] = reduce_max,
    [LPI_REDUCE_MIN] = reduce_min,
    [LPI_REDUCE_PROD] = reduce_prod,
};

const lpi_take_loop LPI_OF_SET(lpi_take_loops)[LPI_REDUCERS] = {
    [LPI_REDUCE_SUM] = take_sum,
    [LPI_REDUCE_SUM_ABS] = take_sum_abs,
    [LPI_REDUCE_SUM_SQUARES] = take_sum_squares,
    [LPI_REDUCE_MAX] = take_max,
    [LPI_REDUCE_MIN] = take_min,
    [LPI_REDUCE_PROD] = take_prod,
};

const lpi_take_loop LPI_OF_SET(lpi_join_loops)[LPI_REDUCERS] = {
    [LPI_REDUCE_SUM] = join_sum,
    [LPI_REDUCE_SUM_ABS] = join_sum_abs,
    [LPI_REDUCE_SUM_SQUARES] = join_sum_squares,
    [LPI_REDUCE_MAX] = join_max,
    [LPI_REDUCE_MIN] = join_min,
    [LPI_REDUCE_PROD] = join_prod,
};

void LPI_OF_SET(lpi_moments)(const lpi_row *row, float pivot,
                             double ret_sums[2])
{
    double sum[LPI_LANES] = {0}, squares[LPI_LANES] = {0};
    int64_t at = 0;

    for (; at + LPI_LANES <= row->count; at += LPI_LANES) {
        const float *from = row->from + at;

        lpi_row_fetch(row, at);
#pragma omp simd
        for (int32_t j = 0; j < LPI_LANES; j++) {
            double x = (double)from[j] - (double)pivot;

            sum[j] += x;
            squares[j] = fma(x, x, squares[j]);
        }
    }
    for (int32_t j = 0; at + j < row->count; j++) {
        double x = (double)row->from[at + j] - (double)pivot;

        sum[j] += x;
        squares[j] = fma(x, x, squares[j]);
    }
    for (int32_t half = LPI_LANES / 2; half; half /= 2)
        for (int32_t j = 0; j < half; j++) {
            sum[j] += sum[j + half];
            squares[j] += squares[j + half];
        }
    ret_sums[0] = sum[0];
    ret_sums[1] = squares[0];
}

/* lpi_exp_sum; "below": nothing is above "max" or NaN.  The last block is
 * filled up with numbers whose powers are 0. */
LPI_INLINED float exp_sum(const lpi_row *row, float max, bool below)
{
    float lane[LPI_LANES] = {0}, e[LPI_LANES], last[LPI_LANES];
    int64_t at = 0, rest = row->count % LPI_LANES;

    for (; at + LPI_LANES <= row->count; at += LPI_LANES) {
        const float *from = row->from + at;

        lpi_row_fetch(row, at);
#pragma omp simd
        for (int32_t j = 0; j < LPI_LANES; j++) {
            e[j] = below ? lpi_exp_below(from[j] - max)
                         : lpi_exp_of(from[j] - max);
            lane[j] += e[j];
        }
        if (row->to)
            memcpy(row->to + at, e, sizeof(e));
    }
    for (int32_t j = 0; j < LPI_LANES; j++)
        last[j] = j < rest ? row->from[at + j] : -(float)INFINITY;
#pragma omp simd
    for (int32_t j = 0; j < (rest ? LPI_LANES : 0); j++) {
        e[j] = lpi_exp_of(last[j] - max);
        lane[j] += e[j];
    }
    if (row->to && rest)
        memcpy(row->to + at, e, (size_t)rest * sizeof(*e));
    for (int32_t half = LPI_LANES / 2; half; half /= 2)
        for (int32_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

float LPI_OF_SET(lpi_exp_sum)(const lpi_row *row, float max)
{
    return max - max == 0 ? exp_sum(row, max, true) : exp_sum(row, max, false);
}

void LPI_OF_SET(lpi_exp_take)(int64_t count, const float *from,
                              const float *max, float *to, float *lane)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float e = lpi_exp_of(from[i] - max[i]);

        to[i] = e;
        lane[i] += e;
    }
}
