/* window.c: columns of a convolution, packed for the product of its weights
 * with them, without ever writing the whole matrix (implicit im2col); and where
 * the taps stand in a channel that is copied with its padding.
 *
 * The columns of a panel are cut into runs along x first; each row of the
 * panel, one tap of one channel, then copies its runs. */
#include <string.h>

#include "kernel.h"

int32_t lpi_stretches(const int64_t out[3], int64_t n, int64_t count,
                      lpi_stretch *ret)
{
    int64_t x = n % out[2], y = n / out[2] % out[1];
    int64_t z = n / out[2] / out[1];
    int32_t made = 0;

    for (int64_t at = 0; at < count; x = 0) {
        int64_t some = out[2] - x;

        if (some > count - at)
            some = count - at;
        ret[made++] = (lpi_stretch){at, some, {z, y, x}};
        at += some;
        if (++y == out[1]) {
            y = 0;
            z++;
        }
    }
    return made;
}

bool lpi_next_tap(const int64_t taps[3], int64_t t[3])
{
    for (int i = 2; i >= 0; i--) {
        if (++t[i] < taps[i])
            return false;
        t[i] = 0;
    }
    return true;
}

lpi_padded lpi_padded_of(const lpi_conv *shape)
{
    lpi_padded p;

    for (int i = 0; i < 3; i++)
        p.size[i] = lpi_add(
            1, lpi_add(lpi_mul(shape->out[i] - 1, shape->stride[i]),
                       lpi_mul(shape->kernel[i] - 1, shape->dilation[i])));
    p.phases = shape->out[2] > 1 ? shape->stride[2] : 1;
    p.length = lpi_ceil_div(p.size[2], p.phases);
    p.row = lpi_mul(p.phases, p.length);
    p.volume = lpi_mul(lpi_mul(p.size[0], p.size[1]), p.row);
    return p;
}

void lpi_padded_taps(const lpi_conv *shape, int64_t *ret_offsets)
{
    const int64_t *k = shape->kernel, *d = shape->dilation;
    lpi_padded p = lpi_padded_of(shape);

    for (int64_t z = 0; z < k[0]; z++)
        for (int64_t y = 0; y < k[1]; y++)
            for (int64_t x = 0; x < k[2]; x++)
                *ret_offsets++ = (z * d[0] * p.size[1] + y * d[1]) * p.row +
                                 x * d[2] % p.phases * p.length +
                                 x * d[2] / p.phases;
}

/* memcpy of "count" floats, most often few: in two pieces that overlap. */
static inline void copy_floats(float *to, const float *from, int64_t count)
{
    enum { WIDE = 8, HALF = 4 };

    if (count > 2 * WIDE) {
        memcpy(to, from, (size_t)count * sizeof(*to));
    } else if (count >= WIDE) {
        memcpy(to, from, WIDE * sizeof(*to));
        memcpy(to + count - WIDE, from + count - WIDE, WIDE * sizeof(*to));
    } else if (count >= HALF) {
        memcpy(to, from, HALF * sizeof(*to));
        memcpy(to + count - HALF, from + count - HALF, HALF * sizeof(*to));
    } else {
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
    }
}

/* Every other one of the floats from "from" on: "count" of them. */
static inline void copy_seconds(float *to, const float *from, int64_t count)
{
    int64_t i = 0;

    /* the last one has nothing behind it that may be read */
    for (; i + 4 < count; i += 4) {
        lpi_four a = *(const lpi_loose_four *)(from + 2 * i);
        lpi_four b = *(const lpi_loose_four *)(from + 2 * i + 4);

        *(lpi_loose_four *)(to + i) = __builtin_shufflevector(a, b, 0, 2, 4, 6);
    }
    for (; i < count; i++)
        to[i] = from[2 * i];
}

/* "count" elements of the row "from" of "length", "step" apart from "at" on;
 * zeros where there are none. */
static void copy_run(const float *from, int64_t length, int64_t at,
                     int64_t step, int64_t count, float *to)
{
    int64_t low = at < 0 ? -at : 0, high = at < length ? length - at : 0;

    if (step != 1) {
        low = (low + step - 1) / step;
        high = (high + step - 1) / step;
    }
    high = high < count ? high : count;
    low = low < high ? low : high;
    for (int64_t i = 0; i < low; i++)
        to[i] = 0;
    if (step == 1)
        copy_floats(to + low, from + at + low, high - low);
    else if (step == 2)
        copy_seconds(to + low, from + at + 2 * low, high - low);
    else
        for (int64_t i = low; i < high; i++)
            to[i] = from[at + i * step];
    for (int64_t i = high; i < count; i++)
        to[i] = 0;
}

/* The same of halves; a run is at most a panel wide. */
static void widen_run(lpi_widen widen, const uint16_t *from,
                      const int64_t length_at_step[3], int64_t count, float *to)
{
    int64_t length = length_at_step[0], at = length_at_step[1];
    int64_t step = length_at_step[2], some = 0, first = 0;
    uint16_t halves[LPI_STRETCHES];

    for (int64_t i = 0; i < count; i++) {
        int64_t k = at + i * step;

        to[i] = 0;
        if (k < 0 || k >= length)
            continue;
        if (some == 0)
            first = i;
        halves[some++] = from[k];
    }
    widen(some, halves, to + first);
}

/* The runs of one tap "t" of the channel that begins "x" elements behind the
 * first. */
static void pack_tap(const lpi_window *w, int64_t x, const int64_t t[3],
                     const lpi_stretch *runs, int32_t count, float *to)
{
    int64_t shift[3];

    for (int i = 0; i < 3; i++)
        shift[i] = w->first[i] + t[i] * w->delta[i];
    for (const lpi_stretch *r = runs; r < runs + count; r++) {
        int64_t z = r->place[0] * w->step[0] + shift[0];
        int64_t y = r->place[1] * w->step[1] + shift[1];
        int64_t at = r->place[2] * w->step[2] + shift[2];
        bool inside = z >= 0 && z < w->in[0] && y >= 0 && y < w->in[1];
        int64_t row = inside ? x + (z * w->in[1] + y) * w->in[2] : 0;
        int64_t length = inside ? w->in[2] : 0;

        if (w->widen)
            widen_run(w->widen, (const uint16_t *)w->x + row,
                      (int64_t[]){length, at, w->step[2]}, r->count,
                      to + r->at);
        else
            copy_run(w->x + row, length, at, w->step[2], r->count, to + r->at);
    }
}

void lpi_pack_window(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to)
{
    const lpi_window *w = context;
    const int64_t *taps = w->taps;
    int64_t plane = w->in[0] * w->in[1] * w->in[2];
    int64_t t[3] = {k / taps[2] / taps[1] % taps[0], k / taps[2] % taps[1],
                    k % taps[2]};
    int64_t x = k / (taps[0] * taps[1] * taps[2]) * plane;
    lpi_stretch runs[LPI_STRETCHES];
    int32_t count = lpi_stretches(w->out, n, n_count, runs);

    for (int64_t p = 0; p < k_count; p++, to += width) {
        pack_tap(w, x, t, runs, count, to);
        for (int64_t j = n_count; j < width; j++)
            to[j] = 0;
        if (lpi_next_tap(taps, t))
            x += plane;
    }
}
