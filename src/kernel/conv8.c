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

/* "count" bytes of a row, a stride apart from "at" on. */
static void copy_run(const planes *s, const uint8_t *row, int64_t at,
                     int64_t count, uint8_t *to)
{
    int64_t step = s->shape->stride[2], length = s->shape->in[2];
    int64_t low = at < 0 ? (-at + step - 1) / step : 0;
    int64_t high = at < length ? (length - at + step - 1) / step : 0;

    high = high < count ? high : count;
    low = low < high ? low : high;
    memset(to, s->zero, (size_t)low);
    if (step == 1)
        memcpy(to + low, row + at + low, (size_t)(high - low));
    else
        for (int64_t i = low; i < high; i++)
            to[i] = row[at + i * step];
    memset(to + high, s->zero, (size_t)(count - high));
}

/* Row "k" of the columns: "count" of them from "n" on. */
static void pack_row(const planes *s, int64_t k, int64_t n, int64_t count,
                     uint8_t *to)
{
    const lpi_conv *c = s->shape;
    const int64_t *kernel = c->kernel, *in = c->in, *out = c->out;
    const uint8_t *x = s->x + k / volume(kernel) * volume(in);
    int64_t shift[3] = {k / kernel[2] / kernel[1] % kernel[0],
                        k / kernel[2] % kernel[1], k % kernel[2]};

    for (int i = 0; i < 3; i++)
        shift[i] = shift[i] * c->dilation[i] - c->pad[i];
    for (int64_t j = 0, some; j < count; j += some) {
        int64_t at = (n + j) % out[2], y = (n + j) / out[2] % out[1];
        int64_t z = (n + j) / out[2] / out[1];

        some = out[2] - at < count - j ? out[2] - at : count - j;
        z = z * c->stride[0] + shift[0];
        y = y * c->stride[1] + shift[1];
        at = at * c->stride[2] + shift[2];
        if (z < 0 || z >= in[0] || y < 0 || y >= in[1]) {
            memset(to + j, s->zero, (size_t)some);
            continue;
        }
        copy_run(s, x + (z * in[1] + y) * in[2], at, some, to + j);
    }
}

static void pack_columns(const void *context, int64_t k, int64_t k_count,
                         int64_t n, int64_t n_count, int64_t width, uint8_t *to)
{
    for (int64_t p = 0; p < k_count; p++, to += width)
        pack_row(context, k + p, n, n_count, to);
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

int64_t lpi_conv8_workspace(const lpi_conv8 *conv)
{
    lpi_gemm8 gemm = product_of(conv->shape);

    return lpi_gemm8_workspace(&gemm);
}

void lpi_conv8_run(const lpi_conv8 *conv)
{
    const lpi_conv *shape = conv->shape;
    int64_t size = shape->in_channels / shape->groups * volume(shape->in);

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
