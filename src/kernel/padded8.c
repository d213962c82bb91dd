/* padded8.c: channels of bytes, copied with their padding, so that each tap of
 * a window is a run of neighbours at an offset of its own.  Rows of a strided
 * window are cut, one row for each place in a stride. */
#include <string.h>

#include "kernel.h"

static int64_t volume(const int64_t axes[3])
{
    return lpi_mul(lpi_mul(axes[0], axes[1]), axes[2]);
}

lpi_padded8 lpi_padded8_of(const lpi_conv *shape)
{
    lpi_padded8 p;

    for (int i = 0; i < 3; i++)
        p.size[i] = (shape->out[i] - 1) * shape->stride[i] +
                    (shape->kernel[i] - 1) * shape->dilation[i] + 1;
    p.phases = shape->out[2] > 1 ? shape->stride[2] : 1;
    p.length = lpi_ceil_div(p.size[2], p.phases);
    p.row = lpi_mul(p.phases, p.length);
    p.volume = lpi_mul(lpi_mul(p.size[0], p.size[1]), p.row);
    return p;
}

bool lpi_padded8_fits(const lpi_conv *shape)
{
    enum { TIMES = 8, FEW = 64 };

    return volume(shape->out) > 0 &&
           lpi_padded8_of(shape).volume <=
               lpi_add(lpi_mul(volume(shape->in), TIMES), FEW);
}

void lpi_padded8_taps(const lpi_conv *shape, int64_t *ret_offsets)
{
    const int64_t *k = shape->kernel, *d = shape->dilation;
    lpi_padded8 p = lpi_padded8_of(shape);

    for (int64_t z = 0; z < k[0]; z++)
        for (int64_t y = 0; y < k[1]; y++)
            for (int64_t x = 0; x < k[2]; x++)
                *ret_offsets++ = (z * d[0] * p.size[1] + y * d[1]) * p.row +
                                 x * d[2] % p.phases * p.length +
                                 x * d[2] / p.phases;
}

/* to[i] = from[i * step] */
static void pick(const uint8_t *from, int64_t step, int64_t count, uint8_t *to)
{
    if (step == 1)
        lpi_copy_bytes(to, from, count);
    else if (step == 2)
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = from[2 * i];
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i * step];
}

/* Whether place "i" of an axis is a tap's of some window. */
static bool is_met(const lpi_conv *shape, int axis, int64_t i)
{
    int64_t stride = shape->stride[axis];

    for (int64_t t = 0; t < shape->kernel[axis] && stride > 1; t++)
        if ((i - t * shape->dilation[axis]) % stride == 0)
            return true;
    return stride == 1;
}

/* Places of a phase that have elements of a row; where in it they begin. */
typedef struct places {
    int64_t to, from, count;
} places;

static places places_of(const lpi_conv *shape, const lpi_padded8 *p,
                        int64_t phase)
{
    int64_t pad = shape->pad[2] - phase, end = shape->in[2] + pad;
    int64_t low = pad > 0 ? lpi_ceil_div(pad, p->phases) : 0;
    int64_t high = end > 0 ? lpi_ceil_div(end, p->phases) : 0;

    high = lpi_least(high, p->length);
    if (high < low || (p->phases > 1 && !is_met(shape, 2, phase)))
        high = low;
    return (places){phase * p->length + low, low * p->phases - pad, high - low};
}

/* Rows of a phase from "x" on, of all planes. */
static void place_phase(const lpi_conv *shape, const lpi_padded8 *p,
                        const uint8_t *x, const places *of, uint8_t *to)
{
    const int64_t *pad = shape->pad, *in = shape->in;
    int64_t ends[2];

    for (int i = 0; i < 2; i++)
        ends[i] = lpi_least(in[i], p->size[i] - pad[i]);
    for (int64_t z = pad[0] < 0 ? -pad[0] : 0; z < ends[0]; z++)
        for (int64_t y = pad[1] < 0 ? -pad[1] : 0; y < ends[1]; y++)
            if (is_met(shape, 1, y + pad[1]))
                pick(x + (z * in[1] + y) * in[2] + of->from, p->phases,
                     of->count,
                     to + ((z + pad[0]) * p->size[1] + y + pad[1]) * p->row +
                         of->to);
}

void lpi_pad8(const lpi_conv *shape, const lpi_padded8 *p, const uint8_t *x,
              uint8_t zero, uint8_t *to)
{
    memset(to, zero, (size_t)p->volume);
    for (int64_t phase = 0; phase < p->phases; phase++) {
        places of = places_of(shape, p, phase);

        if (of.count > 0)
            place_phase(shape, p, x, &of, to);
    }
}
