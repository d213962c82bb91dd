/* conv8.c: convolution of 8-bit integers, as conv.c does it: the weights of a
 * group times its columns.  Elements of the padding are the zero point of x,
 * so that they add nothing. */
#include <string.h>

#include "kernel.h"

/* What columns are made of: the planes of an image and group. */
typedef struct planes {
    const lpi_conv *shape;
    const uint8_t *x;
    uint8_t zero;
} planes;

static int64_t volume(const int64_t axes[3])
{
    return axes[0] * axes[1] * axes[2];
}

/* memcpy of "count" bytes, most often few: in two pieces that overlap. */
static inline void copy_bytes(uint8_t *to, const uint8_t *from, int64_t count)
{
    enum { WIDE = 16, HALF = 8 };

    if (count > 2 * WIDE) {
        memcpy(to, from, (size_t)count);
    } else if (count >= WIDE) {
        memcpy(to, from, WIDE);
        memcpy(to + count - WIDE, from + count - WIDE, WIDE);
    } else if (count >= HALF) {
        memcpy(to, from, HALF);
        memcpy(to + count - HALF, from + count - HALF, HALF);
    } else {
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
    }
}

/* "count" bytes of a row, a stride apart from "at" on. */
static void copy_run(const planes *s, const uint8_t *row, int64_t at,
                     int64_t count, uint8_t *to)
{
    int64_t step = s->shape->stride[2], length = s->shape->in[2];
    int64_t low = at < 0 ? -at : 0, high = at < length ? length - at : 0;

    if (step != 1) {
        low = (low + step - 1) / step;
        high = (high + step - 1) / step;
    }
    high = high < count ? high : count;
    low = low < high ? low : high;
    for (int64_t i = 0; i < low; i++)
        to[i] = s->zero;
    if (step == 1)
        copy_bytes(to + low, row + at + low, high - low);
    else
        for (int64_t i = low; i < high; i++)
            to[i] = row[at + i * step];
    for (int64_t i = high; i < count; i++)
        to[i] = s->zero;
}

/* Tap "t" of the first channel for the columns that "runs" are. */
static void pack_tap(const planes *s, const int64_t t[3],
                     const lpi_stretch *runs, int32_t count, uint8_t *to)
{
    const lpi_conv *c = s->shape;
    const int64_t *in = c->in;
    int64_t shift[3];

    for (int i = 0; i < 3; i++)
        shift[i] = t[i] * c->dilation[i] - c->pad[i];
    for (const lpi_stretch *r = runs; r < runs + count; r++) {
        int64_t z = r->place[0] * c->stride[0] + shift[0];
        int64_t y = r->place[1] * c->stride[1] + shift[1];
        int64_t at = r->place[2] * c->stride[2] + shift[2];

        if (z < 0 || z >= in[0] || y < 0 || y >= in[1])
            memset(to + r->at, s->zero, (size_t)r->count);
        else
            copy_run(s, s->x + (z * in[1] + y) * in[2], at, r->count,
                     to + r->at);
    }
}

/* Whether the columns are x itself. */
static bool is_plain(const lpi_conv *c)
{
    for (int i = 0; i < 3; i++)
        if (c->kernel[i] != 1 || c->stride[i] != 1 || c->pad[i] != 0 ||
            c->in[i] != c->out[i])
            return false;
    return true;
}

static void pack_columns(const void *context, int64_t k, int64_t k_count,
                         int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    planes s = *(const planes *)context;
    const int64_t *taps = s.shape->kernel;
    int64_t plane = volume(s.shape->in);
    int64_t t[3] = {k / taps[2] / taps[1] % taps[0], k / taps[2] % taps[1],
                    k % taps[2]};
    lpi_stretch runs[LPI_STRETCHES];
    int32_t count;

    s.x += k / volume(taps) * plane;
    if (is_plain(s.shape)) {
        for (int64_t p = 0; p < k_count; p++, to += width, s.x += plane)
            memcpy(to, s.x + n, (size_t)n_count);
        return;
    }
    count = lpi_stretches(s.shape->out, n, n_count, runs);
    for (int64_t p = 0; p < k_count; p++, to += width) {
        pack_tap(&s, t, runs, count, to);
        if (lpi_next_tap(taps, t))
            s.x += plane;
    }
}

/* The product of one image and group, operands not yet set. */
static lpi_gemm8 product_of(const lpi_conv *shape)
{
    int64_t k = shape->in_channels / shape->groups * volume(shape->kernel);

    return (lpi_gemm8){.m = shape->out_channels / shape->groups,
                       .n = volume(shape->out),
                       .k = k,
                       .a.row = k,
                       .a.column = 1,
                       .c_row = volume(shape->out),
                       .team = shape->team};
}

/* ---- groups of one input channel ---------------------------------------
 *
 * Products of such numbers are below 2^16 in size, so that sums of up to 256
 * of them are exact in float32, whatever the order: channels become floats,
 * their zero points taken off, for the loops of depthwise.c. */

enum { EXACT_TAPS = 256 };

static bool is_depthwise(const lpi_conv *shape)
{
    return lpi_conv_is_depthwise(shape) && volume(shape->kernel) <= EXACT_TAPS;
}

/* The convolution of one channel by one thread. */
static lpi_conv channel_of(const lpi_conv *shape)
{
    lpi_conv one = *shape;

    one.out_channels /= one.groups;
    one.batch = one.groups = one.in_channels = 1;
    one.team.threads = 1;
    one.goes_on = false;
    one.bias = NULL;
    return one;
}

/* Floats that a thread works with, an even number: what depthwise.c wants, the
 * channel, and its weights. */
static int64_t floats_of(const lpi_conv *shape)
{
    lpi_conv one = channel_of(shape);
    int64_t floats = volume(one.in) + one.out_channels * volume(one.kernel) +
                     lpi_depthwise_room(&one);

    return floats + floats % 2;
}

/* "count" bytes less "zero" as floats. */
static void load(const void *from, bool is_signed, int32_t zero, int64_t count,
                 float *to)
{
    const uint8_t *bytes = from;
    const int8_t *sints = from;

    if (is_signed)
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = (float)(sints[i] - zero);
    else
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = (float)(bytes[i] - zero);
}

/* Channel "c" of the batch, as "one". */
static void run_channel(const lpi_conv8 *conv, int64_t c, lpi_conv one,
                        float *own)
{
    float *x = own + lpi_depthwise_room(&one), *w = x + volume(one.in);
    int64_t taps = volume(one.kernel), plane = volume(one.out);
    int64_t first = c % conv->shape->groups * one.out_channels;
    int32_t *sums = conv->y + c * one.out_channels * plane;

    load((const uint8_t *)conv->x + c * volume(one.in), conv->x_signed,
         conv->x_zero, volume(one.in), x);
    for (int64_t i = 0; i < one.out_channels; i++)
        load((const uint8_t *)conv->w + (first + i) * taps, conv->w_signed,
             conv->w_zeros ? conv->w_zeros[first + i] : conv->w_zero, taps,
             w + i * taps);
    one.x = x;
    one.w = w;
    one.y = (float *)sums;
    lpi_depthwise_channel(&one, 0, own);
    for (int64_t i = 0; i < one.out_channels * plane; i++) {
        float sum;

        memcpy(&sum, &sums[i], sizeof(sum));
        sums[i] = (int32_t)sum;
    }
}

static void run_channels(const lpi_conv8 *conv)
{
    const lpi_conv *shape = conv->shape;
    int64_t channels = shape->batch * shape->groups, size = floats_of(shape);
    int32_t threads = shape->team.threads;
    float *workspace =
        (float *)((char *)conv->workspace + -(uintptr_t)conv->workspace % 8);

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t t = 0; t < threads; t++) {
        int64_t from, to;

        lpi_conv one = channel_of(shape);

        one.w = workspace;
        lpi_share(channels, 1, t, threads, &from, &to);
        lpi_depthwise_begin(&one, workspace + t * size);
        for (int64_t c = from; c < to; c++)
            run_channel(conv, c, one, workspace + t * size);
    }
}

int64_t lpi_conv8_workspace(const lpi_conv8 *conv)
{
    lpi_gemm8 gemm = product_of(conv->shape);

    if (is_depthwise(conv->shape))
        return floats_of(conv->shape) * conv->shape->team.threads *
                   (int64_t)sizeof(float) +
               8;
    return lpi_gemm8_workspace(&gemm);
}

void lpi_conv8_run(const lpi_conv8 *conv)
{
    const lpi_conv *shape = conv->shape;
    int64_t size = shape->in_channels / shape->groups * volume(shape->in);

    if (is_depthwise(shape)) {
        run_channels(conv);
        return;
    }
    for (int64_t i = 0; i < shape->batch * shape->groups; i++) {
        int64_t group = i % shape->groups;
        lpi_gemm8 gemm = product_of(shape);
        planes source = {shape, (const uint8_t *)conv->x + i * size,
                         (uint8_t)conv->x_zero};

        gemm.a.at = (const uint8_t *)conv->w + group * gemm.m * gemm.k;
        gemm.a.is_signed = conv->w_signed;
        gemm.a.zero = conv->w_zero;
        gemm.a.zeros = conv->w_zeros ? conv->w_zeros + group * gemm.m : NULL;
        gemm.b.is_signed = conv->x_signed;
        gemm.b.zero = conv->x_zero;
        gemm.b_from = (lpi_columns8){pack_columns, &source};
        gemm.c = conv->y + i * gemm.m * gemm.n;
        gemm.workspace = conv->workspace;
        lpi_gemm8_run(&gemm);
    }
}
