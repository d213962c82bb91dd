/* depthwise8.c: convolutions of 8-bit integers whose groups have one input
 * channel.
 *
 * A channel is copied with its padding, which holds its zero point, so that a
 * row of the output is a sum of multiples of runs of bytes.  Rows that are
 * neighbours are computed as one, which takes in the padding between them.
 * With the zero point taken off the weights, d = w - zw,
 *     sum (x - zx) d = sum x d - zx sum d
 * modulo 2^32.  Where the set multiplies bytes, x is unsigned (a toggled top
 * bit moves zx by 128), and a weight of more than 8 bits stands as several. */
#include <string.h>

#include "kernel.h"

enum { SLACK = 64 }; /* bytes, and sums, behind what is meant */
enum { PARTS = 4 };  /* most that a weight less its zero point stands as */

/* What a thread works with. */
typedef struct channel {
    const lpi_conv8 *conv;
    lpi_padded padded;
    int64_t taps, most;      /* of the window; of the list */
    int64_t *offsets, *list; /* of the taps; as they are multiplied */
    uint32_t *weights;       /* their weights in groups */
    int32_t *sums;           /* joined rows */
    uint8_t *bytes;
} channel;

static int64_t volume(const int64_t axes[3])
{
    return axes[0] * axes[1] * axes[2];
}

/* Rows of the output that are computed as one. */
static int64_t rows_at_once(const lpi_conv *shape, const lpi_padded *p)
{
    enum { MANY = 1024 };
    int64_t many = p->row < MANY ? MANY / p->row : 1;

    return shape->stride[1] != 1 ? 1 : lpi_least(many, shape->out[1]);
}

static int64_t length_of(const lpi_conv *shape, const lpi_padded *p,
                         int64_t rows)
{
    return (rows - 1) * p->row + shape->out[2];
}

/* A multiple of 8. */
static int64_t bytes_of(const lpi_conv *shape)
{
    lpi_padded p = lpi_padded_of(shape);
    int64_t taps = volume(shape->kernel);
    int64_t sums = length_of(shape, &p, rows_at_once(shape, &p)) + SLACK;

    return 8 * (taps + 4) + (8 + 4) * (PARTS * taps + 4) + 4 * sums + p.volume +
           SLACK + 16;
}

bool lpi_conv8_is_depthwise(const lpi_conv8 *conv)
{
    return lpi_conv_is_depthwise(conv->shape) && lpi_padded8_fits(conv->shape);
}

int64_t lpi_depthwise8_workspace(const lpi_conv8 *conv)
{
    return (bytes_of(conv->shape) / 8 * 8 + 8) * conv->shape->team.threads + 8;
}

/* Weight "i" of output channel "oc" less its zero point. */
static inline int32_t weight_at(const lpi_conv8 *conv, int64_t oc, int64_t taps,
                                int64_t i)
{
    const uint8_t *w = (const uint8_t *)conv->w + oc * taps;
    int32_t zero = conv->w_zeros ? conv->w_zeros[oc] : conv->w_zero;

    return (conv->w_signed ? (int8_t)w[i] : w[i]) - zero;
}

/* Element "i" of packed weights, of "size" bytes. */
static inline void put_weight(uint32_t *weights, int32_t size, int64_t i,
                              int32_t weight)
{
    uint8_t *to = (uint8_t *)weights;
    int16_t half = (int16_t)weight;

    if (size == 1)
        to[i] = (uint8_t)weight;
    else
        memcpy(to + 2 * i, &half, sizeof(half));
}

/* The taps as they are, where each weight of output channel "oc" is one of the
 * set; false: they are not.  "ret_all": the sum of the weights. */
static bool take_taps(const channel *c, int64_t oc, lpi_tap_dots *of,
                      uint32_t *ret_all)
{
    const lpi_dots *dots = c->conv->shape->team.isa->dots;
    int32_t size = dots->size, low = 0, high = 0;
    uint32_t all = 0;

    of->groups = lpi_ceil_div(c->taps, dots->group);
    of->offsets = c->offsets;
    c->weights[of->groups - 1] = 0;
    for (int64_t i = 0; i < c->taps; i++) {
        int32_t weight = weight_at(c->conv, oc, c->taps, i);

        low = weight < low ? weight : low;
        high = weight > high ? weight : high;
        all += (uint32_t)weight;
        put_weight(c->weights, size, i, weight);
    }
    *ret_all = all;
    return size > 1 || (low >= INT8_MIN && high <= INT8_MAX);
}

/* The same, where those that are too large for a byte stand in parts. */
static void part_taps(const channel *c, int64_t oc, lpi_tap_dots *of)
{
    int32_t group = c->conv->shape->team.isa->dots->group, part;
    int64_t count = 0;

    memset(c->weights, 0, (size_t)c->most * sizeof(*c->weights));
    for (int64_t i = 0; i < c->taps; i++) {
        int32_t rest = weight_at(c->conv, oc, c->taps, i);

        do {
            part = rest > INT8_MAX    ? INT8_MAX
                   : rest < -INT8_MAX ? -INT8_MAX
                                      : rest;
            put_weight(c->weights, 1, count, part);
            c->list[count++] = c->offsets[i];
            rest -= part;
        } while (rest != 0);
    }
    for (; count % group != 0; count++)
        c->list[count] = 0;
    of->groups = count / group;
    of->offsets = c->list;
}

/* "count" sums; what follows them, up to "room", is overwritten later. */
static void copy_row(const int32_t *from, int64_t count, int64_t room,
                     int32_t *to)
{
    enum { PIECE = 16 };

    for (int64_t i = 0; i < count; i += PIECE)
        if (i + PIECE <= room)
            memcpy(to + i, from + i, PIECE * sizeof(*to));
        else
            memcpy(to + i, from + i, (size_t)(count - i) * sizeof(*to));
}

/* Rows [y, y + rows) of plane "z" of the output, computed as one, to "to". */
static void run_rows(const channel *c, const lpi_tap_dots *of,
                     const int64_t z_y[2], int64_t rows, int32_t *to)
{
    const lpi_conv *shape = c->conv->shape;
    const int64_t *stride = shape->stride;
    lpi_tap_dots taps = *of;
    int64_t wide = shape->out[2];

    taps.from = c->bytes +
                (z_y[0] * stride[0] * c->padded.size[1] + z_y[1] * stride[1]) *
                    c->padded.row;
    taps.length = length_of(shape, &c->padded, rows);
    taps.to = c->sums;
    shape->team.isa->dots->taps(&taps);
    for (int64_t i = 0; i < rows; i++)
        copy_row(c->sums + i * c->padded.row, wide, (rows - i) * wide,
                 to + i * wide);
    LPI_MACS(c->taps * rows * shape->out[2]);
}

/* Channel "i" of the batch. */
static void run_channel(const channel *c, int64_t i)
{
    const lpi_conv *shape = c->conv->shape;
    bool is_byte = shape->team.isa->dots->size == 1;
    uint8_t flip = is_byte && c->conv->x_signed ? 0x80 : 0;
    uint32_t zero = (uint32_t)c->conv->x_zero + flip;
    int64_t many = shape->out_channels / shape->groups, rows;
    int64_t most = rows_at_once(shape, &c->padded);
    int32_t *to = c->conv->y + i * many * volume(shape->out);

    lpi_pad8(shape, &c->padded,
             (const uint8_t *)c->conv->x + i * volume(shape->in),
             (uint8_t)c->conv->x_zero, c->bytes);
    for (int64_t k = 0; flip && k < c->padded.volume; k++)
        c->bytes[k] ^= flip;
    for (int64_t m = 0; m < many; m++) {
        lpi_tap_dots of = {.w = c->weights,
                           .is_signed = !is_byte && c->conv->x_signed};
        int64_t oc = i % shape->groups * many + m;
        uint32_t all;

        if (!take_taps(c, oc, &of, &all))
            part_taps(c, oc, &of);
        of.first = -zero * all;
        for (int64_t z = 0; z < shape->out[0]; z++)
            for (int64_t y = 0; y < shape->out[1]; y += rows) {
                rows = lpi_least(most, shape->out[1] - y);
                run_rows(c, &of, (int64_t[]){z, y}, rows, to);
                to += rows * shape->out[2];
            }
    }
}

static channel place(const lpi_conv8 *conv, int32_t i)
{
    channel c = {.conv = conv, .padded = lpi_padded_of(conv->shape)};
    int64_t size = bytes_of(conv->shape) / 8 * 8 + 8;
    int64_t rows = rows_at_once(conv->shape, &c.padded);
    uint8_t *own = (uint8_t *)conv->workspace + size * i;

    own += -(uintptr_t)own % 8;
    c.taps = volume(conv->shape->kernel);
    c.most = PARTS * c.taps + 4;
    c.offsets = (int64_t *)own;
    c.list = c.offsets + c.taps + 4;
    c.weights = (uint32_t *)(c.list + c.most);
    c.sums = (int32_t *)(c.weights + c.most);
    c.bytes =
        (uint8_t *)(c.sums + length_of(conv->shape, &c.padded, rows) + SLACK);
    memset(c.offsets + c.taps, 0, 4 * sizeof(*c.offsets));
    lpi_padded_taps(conv->shape, c.offsets);
    return c;
}

void lpi_depthwise8_run(const lpi_conv8 *conv)
{
    int64_t channels = conv->shape->batch * conv->shape->groups;
    int32_t threads = conv->shape->team.threads;

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t t = 0; t < threads; t++) {
        channel c = place(conv, t);
        int64_t from, to;

        lpi_share(channels, 1, t, threads, &from, &to);
        for (int64_t i = from; i < to; i++)
            run_channel(&c, i);
    }
}
