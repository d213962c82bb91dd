/* depthwise.c: convolutions whose groups have one input channel, and pooling,
 * which takes the same windows.
 *
 * A channel is copied with its padding, so that a row of the output is a sum
 * of multiples of rows, in the order of lpi_conv, padding included.  Rows of a
 * strided window are cut first, one for each place in a stride.  The padding
 * is written once a thread: every channel fills the same places. */
#include <math.h>
#include <string.h>

#include "kernel.h"

/* A piece of a row that is copied at once, what follows it being overwritten
 * by the row behind; it fits into LPI_SLACK. */
enum { PIECE = 16 };

static int64_t taps_of(const lpi_conv *conv)
{
    return conv->kernel[0] * conv->kernel[1] * conv->kernel[2];
}

/* Rows of the output that are computed as one, which takes in the padding
 * between them; 1: each where it belongs. */
static int64_t rows_at_once(const lpi_conv *conv, const lpi_padded *p)
{
    enum { SHORT = 64, MANY = 1024 };
    int64_t many = p->length < MANY ? MANY / p->length : 1;

    if (conv->stride[1] != 1 || p->phases != 1 || conv->goes_on ||
        conv->out[2] > SHORT)
        return 1;
    return many < conv->out[1] ? many : conv->out[1];
}

/* Of a thread: the offsets of the taps, the channel, joined rows, and an even
 * number. */
int64_t lpi_depthwise_room(const lpi_conv *conv)
{
    lpi_padded p = lpi_padded_of(conv);
    int64_t size = 2 * taps_of(conv) + p.volume + LPI_SLACK;

    size += rows_at_once(conv, &p) * p.length + PIECE;
    return size + size % 2;
}

bool lpi_depthwise_fits(const lpi_conv *conv)
{
    enum { TIMES = 4, FEW = 16384 }; /* floats */
    int64_t in = conv->in[0] * conv->in[1] * conv->in[2];

    return lpi_padded_of(conv).volume <= lpi_add(FEW, lpi_mul(TIMES, in));
}

bool lpi_conv_is_depthwise(const lpi_conv *conv)
{
    return conv->groups == conv->in_channels && conv->groups > 1 &&
           lpi_depthwise_fits(conv);
}

/* Of a thread of a convolution; even, as its parts are. */
static int64_t room_of(const lpi_conv *conv)
{
    int64_t more = lpi_channelwise_fits(conv) ? lpi_channelwise_room(conv) : 0;

    return lpi_depthwise_room(conv) + more;
}

int64_t lpi_depthwise_workspace(const lpi_conv *conv)
{
    return room_of(conv) * conv->team.threads + 2;
}

/* Numbers of the padding: they change no sum, and no maximum. */
static float fill_of(const lpi_conv *conv)
{
    return conv->w ? 0 : -(float)INFINITY;
}

/* PIECE floats from "from" on, of which those behind "count" become "fill". */
static void copy_piece(const float *from, int64_t count, float fill, float *to)
{
    float piece[PIECE];

    memcpy(piece, from, sizeof(piece));
#pragma omp simd
    for (int i = 0; i < PIECE; i++) {
        float x = piece[i];

        to[i] = i < (int)count ? x : fill;
    }
}

/* The floats of the row "x" into their places in the padded row "to"; more can
 * be read until "end". */
static void place_row(const lpi_conv *conv, const lpi_padded *p, const float *x,
                      const float *end, float *to)
{
    int64_t at = conv->pad[2], step = p->phases, length = p->length;
    int64_t count = conv->in[2];

    if (at < 0) {
        x -= at;
        count += at;
        at = 0;
    }
    count = count < p->size[2] - at ? count : p->size[2] - at;
    if (count <= 0)
        return;
    if (step == 1 && count <= PIECE && end - x >= PIECE)
        copy_piece(x, count, fill_of(conv), to + at);
    else if (step == 1)
        memcpy(to + at, x, (size_t)count * sizeof(*to));
    else if (step == 2)
        conv->team.isa->halve(count, x, to + at % 2 * length + at / 2,
                              to + (at + 1) % 2 * length + (at + 1) / 2);
    else
        for (int64_t i = at; i < at + count; i++)
            to[i % step * length + i / step] = x[i - at];
}

/* Rows [range[0], range[1]) of the padded channel at "x" into "copy". */
static void place_rows(const lpi_conv *conv, const lpi_padded *p,
                       const float *x, const int64_t range[2], float *copy)
{
    const float *end = conv->x + conv->batch * conv->in_channels * conv->in[0] *
                                     conv->in[1] * conv->in[2];
    int64_t z = range[0] / p->size[1] - conv->pad[0];
    int64_t y = range[0] % p->size[1] - conv->pad[1];

    for (int64_t i = range[0]; i < range[1]; i++) {
        if (z >= 0 && z < conv->in[0] && y >= 0 && y < conv->in[1])
            place_row(conv, p, x + (z * conv->in[1] + y) * conv->in[2], end,
                      copy + i * p->row);
        if (++y == p->size[1] - conv->pad[1]) {
            y = -conv->pad[1];
            z++;
        }
    }
}

static void run_taps(const lpi_conv *conv, const lpi_taps *taps)
{
    if (conv->w)
        conv->team.isa->taps_row(taps);
    else
        conv->team.isa->taps_max(taps);
}

/* "rows" rows of the output, computed as one in "room". */
static void run_joined(const lpi_conv *conv, const lpi_padded *p, lpi_taps t,
                       int64_t rows, float *room)
{
    int64_t wide = conv->out[2], all = rows * wide;
    float *to = t.to;

    t.to = room;
    t.length = (rows - 1) * p->length + wide;
    run_taps(conv, &t);
    for (int64_t at = 0; at < all; at += wide, room += p->length)
        if (wide <= PIECE && at + PIECE <= all)
            memcpy(to + at, room, PIECE * sizeof(*to));
        else
            memcpy(to + at, room, (size_t)wide * sizeof(*to));
}

void lpi_depthwise_begin(const lpi_conv *conv, float *own)
{
    lpi_padded p = lpi_padded_of(conv);
    int64_t taps = taps_of(conv);
    float fill = fill_of(conv);

    lpi_padded_taps(conv, (int64_t *)own);
    for (int64_t i = 0; i < p.volume + LPI_SLACK; i++)
        own[2 * taps + i] = fill;
}

/* A plane of the output, some rows at a time; rows of the channel at "x" (NULL:
 * they are there) are placed in "copy" when they are first met. */
static void run_rows(const lpi_conv *conv, const lpi_padded *p, lpi_taps t,
                     const float *x, float *copy)
{
    const int64_t *k = conv->kernel, *d = conv->dilation;
    int64_t reach = (k[0] - 1) * d[0] * p->size[1] + (k[1] - 1) * d[1] + 1;
    int64_t most = rows_at_once(conv, p), rows, placed = 0;

    for (int64_t z = 0; z < conv->out[0]; z++)
        for (int64_t y = 0; y < conv->out[1]; y += rows) {
            int64_t first = z * conv->stride[0] * p->size[1];
            int64_t last;

            rows = most < conv->out[1] - y ? most : conv->out[1] - y;
            first += y * conv->stride[1];
            last = first + (rows - 1) * conv->stride[1] + reach;
            if (x && placed < last)
                place_rows(conv, p, x, (int64_t[]){placed, last}, copy);
            placed = placed < last ? last : placed;
            t.from = copy + first * p->phases * p->length;
            if (most > 1)
                run_joined(conv, p, t, rows, copy + p->volume + LPI_SLACK);
            else
                run_taps(conv, &t);
            t.to += rows * conv->out[2];
            LPI_MACS(conv->w ? t.count * rows * conv->out[2] : 0);
        }
}

void lpi_depthwise_channel(const lpi_conv *conv, int64_t c, float *own)
{
    lpi_padded p = lpi_padded_of(conv);
    int64_t many = conv->out_channels / conv->groups;
    lpi_taps t = {.length = conv->out[2],
                  .count = taps_of(conv),
                  .offset = (const int64_t *)own,
                  .fresh = !conv->goes_on};
    int64_t plane = conv->out[0] * conv->out[1] * conv->out[2];
    const float *x = conv->x + c * conv->in[0] * conv->in[1] * conv->in[2];

    for (int64_t m = 0; m < many; m++) {
        int64_t oc = c % conv->groups * many + m;
        float *to = conv->y + (c * many + m) * plane;

        t.w = conv->w ? conv->w + oc * t.count : NULL;
        t.to = to;
        run_rows(conv, &p, t, m ? NULL : x, own + 2 * t.count);
        if (conv->bias)
            conv->team.isa->binary[LPI_BINARY_ADD](plane, to, 1,
                                                   conv->bias + oc, 0, to);
    }
}

/* Channels [from, to), by vectors of them where these fit. */
static void run_channels(const lpi_conv *conv, int64_t from, int64_t to,
                         float *own)
{
    bool fits = lpi_channelwise_fits(conv);
    float *other = own + lpi_depthwise_room(conv);
    int64_t c = from;

    if (fits && from < to)
        lpi_channelwise_begin(conv, other);
    if ((!fits || (to - from) % LPI_LANES || conv->groups % LPI_LANES) &&
        from < to)
        lpi_depthwise_begin(conv, own);
    while (c < to)
        if (fits && c + LPI_LANES <= to &&
            c % conv->groups + LPI_LANES <= conv->groups) {
            lpi_channelwise_run(conv, c, other);
            c += LPI_LANES;
        } else {
            lpi_depthwise_channel(conv, c++, own);
        }
}

void lpi_depthwise_run(const lpi_conv *conv)
{
    int64_t channels = conv->batch * conv->groups;
    int64_t size = room_of(conv);
    int32_t threads = conv->team.threads;
    float *workspace = conv->workspace +
                       (uintptr_t)conv->workspace % 8 / sizeof(float);

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t t = 0; t < threads; t++) {
        int64_t from, to;

        lpi_share(channels, LPI_LANES, t, threads, &from, &to);
        run_channels(conv, from, to, workspace + t * size);
    }
}
