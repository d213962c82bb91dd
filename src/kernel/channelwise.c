/* channelwise.c: convolutions whose groups have one channel, on planes so small
 * that rows fill no vectors: LPI_LANES channels at once.
 *
 * Their planes are turned, so that the channels of a place are neighbours,
 * copied with their padding, summed in the order of lpi_conv, and turned back.
 * The padding is written once a thread. */
#include <string.h>

#include "kernel.h"

/* What a thread works with, each of LPI_LANES channels but the offsets. */
typedef struct desk {
    int64_t in, out, taps, size[2]; /* places; as far as windows reach */
    int64_t *offsets;
    float *x, *padded, *w, *y;
} desk;

static desk desk_for(const lpi_conv *conv)
{
    desk d = {.in = conv->in[1] * conv->in[2],
              .out = conv->out[1] * conv->out[2],
              .taps = conv->kernel[1] * conv->kernel[2]};

    lpi_padded p = lpi_padded_of(conv);

    d.size[0] = p.size[1];
    d.size[1] = p.size[2];
    return d;
}

/* ... in the memory that is the thread's "own". */
static desk desk_in(const lpi_conv *conv, float *own)
{
    desk d = desk_for(conv);

    d.offsets = (int64_t *)own;
    d.x = own + 2 * d.taps;
    d.padded = d.x + d.in * LPI_LANES;
    d.w = d.padded + d.size[0] * d.size[1] * LPI_LANES;
    d.y = d.w + d.taps * LPI_LANES;
    return d;
}

bool lpi_channelwise_fits(const lpi_conv *conv)
{
    enum { OUT = 28 * 28, IN = 64 * 64 }; /* places: a cache holds them */
    desk d = desk_for(conv);

    return conv->out_channels == conv->groups && conv->groups >= LPI_LANES &&
           conv->in[0] == 1 && conv->out[0] == 1 && conv->kernel[0] == 1 &&
           conv->pad[0] == 0 && conv->pad[1] >= 0 && conv->pad[2] >= 0 &&
           d.out <= OUT && d.in <= IN && d.size[0] <= IN / d.size[1] &&
           !conv->goes_on;
}

int64_t lpi_channelwise_room(const lpi_conv *conv)
{
    desk d = desk_for(conv);

    return 2 * d.taps +
           (d.in + d.out + d.taps + d.size[0] * d.size[1]) * LPI_LANES;
}

void lpi_channelwise_begin(const lpi_conv *conv, float *own)
{
    desk d = desk_in(conv, own);

    for (int64_t k = 0; k < d.taps; k++)
        d.offsets[k] = (k / conv->kernel[2] * conv->dilation[1] * d.size[1] +
                        k % conv->kernel[2] * conv->dilation[2]) *
                       LPI_LANES;
    memset(d.padded, 0,
           (size_t)(d.size[0] * d.size[1] * LPI_LANES) * sizeof(*d.padded));
}

/* The turned planes into their places in the padding. */
static void place(const lpi_conv *conv, const desk *d)
{
    int64_t high = lpi_least(conv->in[1], d->size[0] - conv->pad[1]);
    int64_t wide = lpi_least(conv->in[2], d->size[1] - conv->pad[2]);
    float *to = d->padded +
                (conv->pad[1] * d->size[1] + conv->pad[2]) * LPI_LANES;

    for (int64_t y = 0; y < high && wide > 0; y++)
        memcpy(to + y * d->size[1] * LPI_LANES,
               d->x + y * conv->in[2] * LPI_LANES,
               (size_t)(wide * LPI_LANES) * sizeof(*to));
}

void lpi_channelwise_run(const lpi_conv *conv, int64_t c, float *own)
{
    desk d = desk_in(conv, own);
    int64_t group = c % conv->groups;
    void (*turn)(const float *, int64_t, const int64_t[2], int64_t, float *) =
        conv->team.isa->turn;
    lpi_channels t = {.length = conv->out[2],
                      .count = d.taps,
                      .step = conv->stride[2] * LPI_LANES,
                      .w = d.w,
                      .bias = conv->bias ? conv->bias + group : NULL,
                      .offset = d.offsets};

    turn(conv->x + c * d.in, d.in, (int64_t[]){d.in, LPI_LANES}, LPI_LANES,
         d.x);
    turn(conv->w + group * d.taps, d.taps, (int64_t[]){d.taps, LPI_LANES},
         LPI_LANES, d.w);
    place(conv, &d);
    for (int64_t y = 0; y < conv->out[1]; y++) {
        t.from = d.padded + y * conv->stride[1] * d.size[1] * LPI_LANES;
        t.to = d.y + y * conv->out[2] * LPI_LANES;
        conv->team.isa->taps_channels(&t);
    }
    turn(d.y, LPI_LANES, (int64_t[]){LPI_LANES, d.out}, d.out,
         conv->y + c * d.out);
    LPI_MACS(d.taps * d.out * LPI_LANES);
}
