/* padded8.c: channels of bytes, copied with their padding, so that each tap of
 * a window is a run of neighbours at an offset of its own.  Rows of a strided
 * window are cut, one row for each place in a stride. */
#include <string.h>

#include "kernel.h"

static int64_t volume(const int64_t axes[3])
{
    return lpi_mul(lpi_mul(axes[0], axes[1]), axes[2]);
}

bool lpi_padded8_fits(const lpi_conv *shape)
{
    enum { TIMES = 8, FEW = 64 };

    return volume(shape->out) > 0 &&
           lpi_padded_of(shape).volume <=
               lpi_add(lpi_mul(volume(shape->in), TIMES), FEW);
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

static places places_of(const lpi_conv *shape, const lpi_padded *p,
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
static void place_phase(const lpi_conv *shape, const lpi_padded *p,
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

void lpi_pad8(const lpi_conv *shape, const lpi_padded *p, const uint8_t *x,
              uint8_t zero, uint8_t *to)
{
    memset(to, zero, (size_t)p->volume);
    for (int64_t phase = 0; phase < p->phases; phase++) {
        places of = places_of(shape, p, phase);

        if (of.count > 0)
            place_phase(shape, p, x, &of, to);
    }
}
