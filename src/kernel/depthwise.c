/* depthwise.c: convolutions whose groups have one input channel.
 *
 * A channel is copied with its padding, so that a row of the output is a sum
 * of multiples of rows, in the order of lpi_conv, padding included.  Rows of a
 * strided convolution are gathered first, one for each place in a stride. */
#include <string.h>

#include "kernel.h"

/* What a thread works with: a padded channel. */
typedef struct padded {
    int64_t size[3];        /* as far as windows reach */
    int64_t phases, length; /* of a row: its places modulo the stride */
} padded;

static padded padding_of(const lpi_conv *conv)
{
    padded p;

    for (int i = 0; i < 3; i++)
        p.size[i] = (conv->out[i] - 1) * conv->stride[i] +
                    (conv->kernel[i] - 1) * conv->dilation[i] + 1;
    p.phases = conv->stride[2];
    p.length = lpi_ceil_div(p.size[2], p.phases);
    return p;
}

static int64_t taps_of(const lpi_conv *conv)
{
    return conv->kernel[0] * conv->kernel[1] * conv->kernel[2];
}

/* Whether rows are so short that they are computed as one, which takes in the
 * padding between them. */
static bool is_joined(const lpi_conv *conv)
{
    enum { SHORT = 24 };

    return conv->stride[1] == 1 && conv->stride[2] == 1 && conv->out[0] == 1 &&
           conv->out[1] > 1 && conv->out[2] <= SHORT && !conv->goes_on;
}

static int64_t joined_length(const lpi_conv *conv, const padded *p)
{
    return (conv->out[1] - 1) * p->length + conv->out[2];
}

/* Of a thread: the offsets of the taps, the channel, joined rows, and an even
 * number. */
static int64_t floats_of(const lpi_conv *conv, const padded *p)
{
    int64_t size = 2 * taps_of(conv) +
                   p->size[0] * p->size[1] * p->phases * p->length + LPI_SLACK;

    if (is_joined(conv))
        size += joined_length(conv, p);

    return size + size % 2;
}

/* What is read behind the channel, in a thread's "own" floats. */
static float *slack_of(const lpi_conv *conv, const padded *p, float *own)
{
    return own + 2 * taps_of(conv) +
           p->size[0] * p->size[1] * p->phases * p->length;
}

bool lpi_conv_is_depthwise(const lpi_conv *conv)
{
    return conv->groups == conv->in_channels && conv->groups > 1;
}

int64_t lpi_depthwise_workspace(const lpi_conv *conv)
{
    padded p = padding_of(conv);

    return floats_of(conv, &p) * conv->team.threads + 2;
}

/* The row (z, y) of the channel "x" into "to", by phases. */
static void copy_row(const lpi_conv *conv, const padded *p, const float *x,
                     int64_t row, float *to)
{
    int64_t z = row / p->size[1] - conv->pad[0];
    int64_t y = row % p->size[1] - conv->pad[1];
    int64_t front = conv->pad[2];
    bool inside = z >= 0 && z < conv->in[0] && y >= 0 && y < conv->in[1];

    if (!inside) {
        memset(to, 0, (size_t)(p->phases * p->length) * sizeof(*to));
        return;
    }
    x += (z * conv->in[1] + y) * conv->in[2];
    for (int64_t phase = 0; phase < p->phases; phase++, to += p->length) {
        int64_t shift = phase - front, step = p->phases;
        int64_t low = shift < 0 ? (step - 1 - shift) / step : 0;
        int64_t high = (conv->in[2] - shift + step - 1) / step;

        low = low < p->length ? low : p->length;
        high = high < p->length ? high : p->length;
        high = high > low ? high : low;
        memset(to, 0, (size_t)low * sizeof(*to));
        if (step == 1)
            memcpy(to + low, x + low + shift,
                   (size_t)(high - low) * sizeof(*to));
        else if (step == 2)
#pragma omp simd
            for (int64_t i = low; i < high; i++)
                to[i] = x[2 * i + shift];
        else
            for (int64_t i = low; i < high; i++)
                to[i] = x[i * step + shift];
        memset(to + high, 0, (size_t)(p->length - high) * sizeof(*to));
    }
}

/* Where the taps stand, counted from where their window does. */
static void find_taps(const lpi_conv *conv, const padded *p, int64_t *offsets)
{
    const int64_t *k = conv->kernel, *d = conv->dilation;
    int64_t row = p->phases * p->length;

    for (int64_t z = 0; z < k[0]; z++)
        for (int64_t y = 0; y < k[1]; y++)
            for (int64_t x = 0; x < k[2]; x++)
                *offsets++ = (z * d[0] * p->size[1] + y * d[1]) * row +
                             x * d[2] % p->phases * p->length +
                             x * d[2] / p->phases;
}

/* A plane of the output as one row, computed in "room". */
static void run_joined(const lpi_conv *conv, const padded *p, lpi_taps t,
                       float *room)
{
    float *to = t.to;

    t.to = room;
    t.length = joined_length(conv, p);
    conv->team.isa->taps_row(&t);
    for (int64_t y = 0; y < conv->out[1]; y++)
        memcpy(to + y * conv->out[2], room + y * p->length,
               (size_t)conv->out[2] * sizeof(*to));
    LPI_MACS(t.count * conv->out[1] * conv->out[2]);
}

/* All output channels of input channel "c" of the batch; "copy" begins with
 * the offsets of the taps. */
static void run_channel(const lpi_conv *conv, const padded *p, int64_t c,
                        float *copy)
{
    int64_t many = conv->out_channels / conv->groups;
    lpi_taps t = {.length = conv->out[2],
                  .count = taps_of(conv),
                  .offset = (const int64_t *)copy,
                  .fresh = !conv->goes_on};
    int64_t rows = conv->out[0] * conv->out[1];
    const float *x = conv->x + c * conv->in[0] * conv->in[1] * conv->in[2];

    float *joined = slack_of(conv, p, copy) + LPI_SLACK;

    copy += 2 * t.count;
    for (int64_t i = 0; i < p->size[0] * p->size[1]; i++)
        copy_row(conv, p, x, i, copy + i * p->phases * p->length);
    for (int64_t m = 0; m < many; m++) {
        int64_t oc = c % conv->groups * many + m;
        float *to = conv->y + (c * many + m) * rows * conv->out[2];

        t.w = conv->w + oc * t.count;
        if (is_joined(conv)) {
            t.to = to;
            t.from = copy;
            run_joined(conv, p, t, joined);
        }
        for (int64_t i = 0; i < rows && !is_joined(conv); i++) {
            int64_t z = i / conv->out[1] * conv->stride[0];
            int64_t y = i % conv->out[1] * conv->stride[1];

            t.from = copy + (z * p->size[1] + y) * p->phases * p->length;
            t.to = to + i * conv->out[2];
            conv->team.isa->taps_row(&t);
            LPI_MACS(t.count * t.length);
        }
        if (conv->bias)
            conv->team.isa->binary[LPI_BINARY_ADD](rows * conv->out[2], to, 1,
                                                   conv->bias + oc, 0, to);
    }
}

void lpi_depthwise_run(const lpi_conv *conv)
{
    padded p = padding_of(conv);
    int64_t channels = conv->batch * conv->groups;
    int32_t threads = conv->team.threads;
    float *workspace = conv->workspace +
                       (uintptr_t)conv->workspace % 8 / sizeof(float);

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t t = 0; t < threads; t++) {
        int64_t from, to;

        float *own = workspace + t * floats_of(conv, &p);

        find_taps(conv, &p, (int64_t *)own);
        memset(slack_of(conv, &p, own), 0, LPI_SLACK * sizeof(*own));
        lpi_share(channels, 1, t, threads, &from, &to);
        for (int64_t c = from; c < to; c++)
            run_channel(conv, &p, c, own);
    }
}
