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
    lpi_padded padded;      /* where "x" is padded */
    const int64_t *offsets; /* of the taps, then */
} planes;

static int64_t volume(const int64_t axes[3])
{
    return axes[0] * axes[1] * axes[2];
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
        lpi_copy_bytes(to + low, row + (at + low), high - low);
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

/* lpi_columns8.pack of planes as they stand. */
static void pack_columns(const void *context, int64_t k, int64_t k_count,
                         int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    planes s = *(const planes *)context;
    const int64_t *taps = s.shape->kernel;
    int64_t plane = volume(s.shape->in);
    int64_t t[3] = {k / taps[2] / taps[1] % taps[0], k / taps[2] % taps[1],
                    k % taps[2]};
    lpi_stretch runs[LPI_STRETCHES];
    int32_t count = lpi_stretches(s.shape->out, n, n_count, runs);

    s.x += k / volume(taps) * plane;
    for (int64_t p = 0; p < k_count; p++, to += width) {
        pack_tap(&s, t, runs, count, to);
        if (lpi_next_tap(taps, t))
            s.x += plane;
    }
}

/* The same of padded planes.  Runs are copied in pieces, what follows them
 * being overwritten by the run behind, or beyond the last row. */
static void pack_padded(const void *context, int64_t k, int64_t k_count,
                        int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    enum { PIECE = 16 };
    const planes *s = context;
    const int64_t *stride = s->shape->stride, *size = s->padded.size;
    int64_t taps = volume(s->shape->kernel), tap = k % taps, pieces = 0;
    const uint8_t *x = s->x + k / taps * s->padded.volume;
    lpi_stretch runs[LPI_STRETCHES];
    int32_t count = lpi_stretches(s->shape->out, n, n_count, runs);
    int64_t from[LPI_STRETCHES * 2], at[LPI_STRETCHES * 2];

    for (int32_t r = 0; r < count; r++) {
        const int64_t *o = runs[r].place;
        int64_t first = (o[0] * stride[0] * size[1] + o[1] * stride[1]) *
                            s->padded.row +
                        o[2];

        for (int64_t i = 0; i < runs[r].count; i += PIECE, pieces++) {
            from[pieces] = first + i;
            at[pieces] = runs[r].at + i;
        }
    }
    for (int64_t p = 0; p < k_count; p++, to += width) {
        const uint8_t *window = x + s->offsets[tap];

        for (int64_t i = 0; i < pieces; i++)
            memcpy(to + at[i], window + from[i], PIECE);
        if (++tap == taps) {
            tap = 0;
            x += s->padded.volume;
        }
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

/* How columns come from x: from memory, from padded planes, or from x with the
 * padding made on the way. */
typedef enum source {
    PLAIN,
    PADDED,
    MADE,
} source;

static source source_of(const lpi_conv *shape)
{
    if (is_plain(shape))
        return PLAIN;
    return lpi_padded8_fits(shape) ? PADDED : MADE;
}

/* Bytes of the padded planes of a group, and of the offsets before them. */
static int64_t bytes_of_offsets(const lpi_conv *shape)
{
    return volume(shape->kernel) * (int64_t)sizeof(int64_t);
}

static int64_t bytes_of_planes(const lpi_conv *shape)
{
    return shape->in_channels / shape->groups * lpi_padded_of(shape).volume +
           LPI_BYTES_SLACK;
}

/* The planes of a group at "x", padded in "workspace". */
static planes pad_planes(const lpi_conv8 *conv, const uint8_t *x,
                         uint8_t *workspace)
{
    enum { MUCH = 1 << 17 }; /* bytes worth a second thread */
    const lpi_conv *shape = conv->shape;
    int64_t *offsets = (int64_t *)(workspace + -(uintptr_t)workspace % 8);
    uint8_t *to = (uint8_t *)offsets + bytes_of_offsets(shape);
    int64_t channels = shape->in_channels / shape->groups;
    int32_t threads = shape->team.threads;
    planes s = {shape, to, (uint8_t)conv->x_zero, lpi_padded_of(shape),
                offsets};

    lpi_padded_taps(shape, offsets);
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static) if (threads > 1 && channels * s.padded.volume >= MUCH)
    for (int64_t c = 0; c < channels; c++)
        lpi_pad8(shape, &s.padded, x + c * volume(shape->in), s.zero,
                 to + c * s.padded.volume);
    return s;
}

int64_t lpi_conv8_workspace(const lpi_conv8 *conv)
{
    const lpi_conv *shape = conv->shape;
    lpi_gemm8 gemm = product_of(shape);
    int64_t bytes = lpi_gemm8_workspace(&gemm), other = 0;

    if (source_of(shape) == PADDED)
        bytes += bytes_of_offsets(shape) + bytes_of_planes(shape) + 8;
    if (lpi_conv8_is_depthwise(conv))
        other = lpi_depthwise8_workspace(conv);
    return bytes > other ? bytes : other;
}

/* The product of group "i" of all images, its columns from "x". */
static void run_group(const lpi_conv8 *conv, int64_t i, const uint8_t *x)
{
    const lpi_conv *shape = conv->shape;
    int64_t group = i % shape->groups;
    lpi_gemm8 gemm = product_of(shape);
    planes s = {shape, x, (uint8_t)conv->x_zero, {{0}, 0, 0, 0, 0}, NULL};

    gemm.workspace = conv->workspace;
    if (source_of(shape) == PADDED)
        s = pad_planes(conv, x,
                       (uint8_t *)conv->workspace + lpi_gemm8_workspace(&gemm));
    if (s.offsets)
        gemm.b_from = (lpi_columns8){pack_padded, &s};
    else if (source_of(shape) == MADE)
        gemm.b_from = (lpi_columns8){pack_columns, &s};
    gemm.a.at = (const uint8_t *)conv->w + group * gemm.m * gemm.k;
    gemm.a.is_signed = conv->w_signed;
    gemm.a.zero = conv->w_zero;
    gemm.a.zeros = conv->w_zeros ? conv->w_zeros + group * gemm.m : NULL;
    gemm.b.at = x;
    gemm.b.row = gemm.n;
    gemm.b.column = 1;
    gemm.b.is_signed = conv->x_signed;
    gemm.b.zero = conv->x_zero;
    gemm.c = conv->y + i * gemm.m * gemm.n;
    lpi_gemm8_run(&gemm);
}

void lpi_conv8_run(const lpi_conv8 *conv)
{
    const lpi_conv *shape = conv->shape;
    int64_t size = shape->in_channels / shape->groups * volume(shape->in);

    if (lpi_conv8_is_depthwise(conv)) {
        lpi_depthwise8_run(conv);
        return;
    }
    for (int64_t i = 0; i < shape->batch * shape->groups; i++)
        run_group(conv, i, (const uint8_t *)conv->x + i * size);
}
