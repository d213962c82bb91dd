/* taps.c: rows of convolutions whose groups have one channel, and of maxima of
 * windows, compiled once for each instruction set.
 *
 * Sums stay in vector registers while the taps run; each lane is the chain of
 * one output, so the width of the vectors does not show in the result. */
#include <math.h>
#include <string.h>

#define LPI_VECTORS
#include "kernel.h"

/* Floats of "rest" that lpi_vector "j" of a block holds. */
LPI_INLINED int64_t within(int64_t rest, int j)
{
    rest -= (int64_t)j * LPI_WIDTH;
    return rest < LPI_WIDTH ? rest : LPI_WIDTH;
}

/* The first "count" floats of "v". */
LPI_INLINED void store_some(float *to, lpi_vector v, int64_t count)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    memcpy(to, &v, (size_t)count * sizeof(*to));
#endif
}

/* "vectors" vectors of a row, "rest" floats of them wanted. */
LPI_INLINED void taps_block(const lpi_taps *t, int64_t at, int64_t rest,
                            int vectors)
{
    enum { MOST = 4 };
    lpi_vector sum[MOST] = {{0}};
    const float *from = t->from + at;
    float *to = t->to + at;

    for (int j = 0; j < vectors && !t->fresh; j++) {
        float kept[LPI_WIDTH] = {0};

        if (within(rest, j) == LPI_WIDTH) {
            sum[j] = lpi_load(to + j * LPI_WIDTH);
            continue;
        }
        memcpy(kept, to + j * LPI_WIDTH, (size_t)within(rest, j) * sizeof(*to));
        sum[j] = lpi_load(kept);
    }
    for (int64_t k = 0; k < t->count; k++) {
        lpi_vector w = lpi_repeat(t->w[k]);
        const float *tap = from + t->offset[k];

        for (int j = 0; j < vectors; j++)
            sum[j] = lpi_fuse(w, lpi_load(tap + j * LPI_WIDTH), sum[j]);
    }
    for (int j = 0; j < vectors; j++)
        if (within(rest, j) == LPI_WIDTH)
            *(lpi_loose *)(to + j * LPI_WIDTH) = sum[j];
        else
            store_some(to + j * LPI_WIDTH, sum[j], within(rest, j));
}

void LPI_OF_SET(lpi_taps_row)(const lpi_taps *t)
{
    for (int64_t at = 0, rest = t->length; rest > 0;
         at += (int64_t)4 * LPI_WIDTH, rest -= (int64_t)4 * LPI_WIDTH)
        if (rest > 3 * LPI_WIDTH)
            taps_block(t, at, rest, 4);
        else if (rest > 2 * LPI_WIDTH)
            taps_block(t, at, rest, 3);
        else if (rest > LPI_WIDTH)
            taps_block(t, at, rest, 2);
        else
            taps_block(t, at, rest, 1);
}

/* "x" where it is larger, else "most", which stays when one is NaN. */
LPI_INLINED lpi_vector larger(lpi_vector x, lpi_vector most)
{
#if defined(__AVX512F__)
    return (lpi_vector)_mm512_max_ps((__m512)x, (__m512)most);
#elif defined(__AVX2__)
    return (lpi_vector)_mm256_max_ps((__m256)x, (__m256)most);
#elif defined(__SSE2__)
    return (lpi_vector)_mm_max_ps((__m128)x, (__m128)most);
#else
    for (int i = 0; i < LPI_WIDTH; i++)
        most[i] = x[i] > most[i] ? x[i] : most[i];
    return most;
#endif
}

/* NaN is looked for aside. */
LPI_INLINED void max_block(const lpi_taps *t, int64_t at, int64_t rest,
                           int vectors)
{
    enum { MOST = 4 };
    lpi_vector most[MOST];
    lpi_whole nan[MOST] = {{0}};

    for (int j = 0; j < vectors; j++)
        most[j] = lpi_repeat(-(float)INFINITY);
    for (int64_t k = 0; k < t->count; k++)
        for (int j = 0; j < vectors; j++) {
            lpi_vector x =
                lpi_load(t->from + at + t->offset[k] + j * LPI_WIDTH);

            nan[j] |= x != x;
            most[j] = larger(x, most[j]);
        }
    for (int j = 0; j < vectors; j++) {
        lpi_whole quiet = nan[j] & 0x7fc00000;
        lpi_vector kept = (lpi_vector)(((lpi_whole)most[j] & ~nan[j]) | quiet);

        if (within(rest, j) == LPI_WIDTH)
            *(lpi_loose *)(t->to + at + j * LPI_WIDTH) = kept;
        else
            store_some(t->to + at + j * LPI_WIDTH, kept, within(rest, j));
    }
}

void LPI_OF_SET(lpi_taps_max)(const lpi_taps *t)
{
    int64_t at = 0;

    for (; t->length - at >= 4 * LPI_WIDTH; at += (int64_t)4 * LPI_WIDTH)
        max_block(t, at, 4 * LPI_WIDTH, 4);
    for (; at < t->length; at += LPI_WIDTH)
        max_block(t, at, t->length - at, 1);
}

/* The outputs from "at" on, of which there are "count", a constant. */
LPI_INLINED void channels_block(const lpi_channels *t, int64_t at, int count)
{
    enum { MOST = 8 };

    for (int64_t j = 0; j < LPI_LANES; j += LPI_WIDTH) {
        lpi_vector sum[MOST] = {{0}};
        const float *from = t->from + at * t->step + j;
        float *to = t->to + at * LPI_LANES + j;

        for (int64_t k = 0; k < t->count; k++) {
            lpi_vector w = lpi_load(t->w + k * LPI_LANES + j);
            const float *tap = from + t->offset[k];

            for (int i = 0; i < count; i++)
                sum[i] = lpi_fuse(w, lpi_load(tap + i * t->step), sum[i]);
        }
        for (int i = 0; i < count; i++) {
            if (t->bias)
                sum[i] += lpi_load(t->bias + j);
            *(lpi_loose *)(to + (int64_t)i * LPI_LANES) = sum[i];
        }
    }
}

void LPI_OF_SET(lpi_taps_channels)(const lpi_channels *t)
{
    int64_t at = 0, rest;

    while ((rest = t->length - at) > 0)
        if (rest >= 8 && rest != 14) {
            channels_block(t, at, 8);
            at += 8;
        } else if (rest >= 7) {
            channels_block(t, at, 7);
            at += 7;
        } else if (rest >= 4) {
            channels_block(t, at, 4);
            at += 4;
        } else if (rest >= 2) {
            channels_block(t, at, 2);
            at += 2;
        } else {
            channels_block(t, at, 1);
            at++;
        }
}
