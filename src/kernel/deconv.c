/* deconv.c: transposed convolution, gathered.
 *
 * Outputs at one place modulo the stride (a phase) all meet the same taps of
 * the kernel: each phase is a convolution of stride 1 with those taps, whose
 * weights are copied into the order of its product.
 *
 * Where nearly all that the taps of the phases meet is padding, as with kernels
 * much larger than the image, or where there is next to nothing in a phase, the
 * inputs are scattered instead, one after the other: the same chain over
 * channels and taps for every output, less the padding. */
#include <math.h>
#include <string.h>

#include "kernel.h"

/* The taps that a phase meets along an axis: kernel elements from "tap" on,
 * "hop" apart, "count" of them. */
typedef struct axis {
    int64_t out, tap, hop, count, first, delta;
} axis;

/* A phase: its first output along each axis, its product and its columns. */
typedef struct phase {
    axis axes[3];
    int64_t at[3];
    int64_t m, n, k;
} phase;

static int64_t divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static axis axis_of(const lpi_conv *conv, int i, int64_t at)
{
    int64_t s = conv->stride[i], d = conv->dilation[i];
    axis a = {.out = conv->out[i] > at ? (conv->out[i] - at + s - 1) / s : 0};

    a.hop = s / divisor(s, d);
    if (d == 1)
        a.tap = ((at + conv->pad[i]) % s + s) % s;
    while (a.tap < conv->kernel[i] && a.tap < a.hop &&
           (at + conv->pad[i] - a.tap * d) % s != 0)
        a.tap++;
    if (conv->in[i] > 0 && a.tap < conv->kernel[i] && a.tap < a.hop)
        a.count = (conv->kernel[i] - a.tap + a.hop - 1) / a.hop;
    a.first = a.count ? (at + conv->pad[i] - a.tap * d) / s : 0;
    a.delta = -(a.hop * d / s);
    return a;
}

/* Phases along an axis that have outputs. */
static int64_t phases_along(const lpi_conv *conv, int i)
{
    return conv->out[i] < conv->stride[i] ? conv->out[i] : conv->stride[i];
}

static phase phase_of(const lpi_conv *conv, int64_t i)
{
    phase p = {.m = 0};

    for (int d = 2; d >= 0; d--) {
        p.at[d] = i % phases_along(conv, d);
        i /= phases_along(conv, d);
        p.axes[d] = axis_of(conv, d, p.at[d]);
    }
    p.m = conv->out_channels / conv->groups;
    p.n = p.axes[0].out * p.axes[1].out * p.axes[2].out;
    p.k = conv->in_channels / conv->groups * p.axes[0].count * p.axes[1].count *
          p.axes[2].count;
    return p;
}

static lpi_gemm product_of(const lpi_conv *conv, const phase *p)
{
    return (lpi_gemm){.m = p->m,
                      .n = p->n,
                      .k = p->k,
                      .a.row = p->k,
                      .a.column = 1,
                      .c_row = p->n,
                      .fresh = !conv->goes_on,
                      .team = conv->team};
}

static int64_t phases_of(const lpi_conv *conv)
{
    return phases_along(conv, 0) * phases_along(conv, 1) *
           phases_along(conv, 2);
}

/* Whether the inputs are scattered: multiply-adds of the products, those of
 * padding among them, and what phases cost beside, against those that count. */
static bool is_scattered(const lpi_conv *conv)
{
    enum { PHASE = 4096, DEARER = 32 };
    int64_t met = 1, phases = phases_of(conv), real = 1;
    int64_t pairs = conv->out_channels / conv->groups * conv->in_channels /
                    conv->groups;

    for (int d = 0; d < 3; d++) {
        int64_t sum = 0;

        for (int64_t at = 0; at < phases_along(conv, d); at++) {
            axis a = axis_of(conv, d, at);

            sum = lpi_add(sum, lpi_mul(a.out, a.count));
        }
        met = lpi_mul(met, sum);
        real = lpi_mul(real, lpi_mul(conv->in[d], conv->kernel[d]));
    }
    met = lpi_add(lpi_mul(met, pairs), lpi_mul(phases, PHASE));
    return met / DEARER > lpi_mul(real, pairs);
}

int64_t lpi_deconv_workspace(const lpi_conv *conv)
{
    int64_t most = 0, count = is_scattered(conv) ? 0 : phases_of(conv);

    for (int64_t i = 0; i < count; i++) {
        phase p = phase_of(conv, i);
        lpi_gemm gemm = product_of(conv, &p);
        int64_t size = lpi_gemm_workspace(&gemm) + p.m * (p.k + p.n);

        most = size > most ? size : most;
    }
    return most;
}

static int32_t threads_for(const lpi_conv *conv, int64_t count)
{
    enum { SMALL = 32768 }; /* elements that are not worth a second thread */

    return count < SMALL ? 1 : conv->team.threads;
}

/* The weights of "group" that phase "p" meets: m rows of k. */
static void copy_weights(const lpi_conv *conv, const phase *p, int64_t group,
                         float *to)
{
    const int64_t *kernel = conv->kernel;
    const axis *a = p->axes;
    int64_t channels = conv->in_channels / conv->groups;
    int64_t taps = kernel[0] * kernel[1] * kernel[2];
    int32_t threads = threads_for(conv, p->m * p->k);

#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t m = 0; m < p->m; m++) {
        float *row = to + m * p->k;

        for (int64_t c = 0; c < channels; c++) {
            const float *w = conv->w +
                             ((group * channels + c) * p->m + m) * taps;

            for (int64_t z = 0; z < a[0].count; z++)
                for (int64_t y = 0; y < a[1].count; y++)
                    for (int64_t x = 0; x < a[2].count; x++)
                        *row++ = w[((a[0].tap + z * a[0].hop) * kernel[1] +
                                    a[1].tap + y * a[1].hop) *
                                       kernel[2] +
                                   a[2].tap + x * a[2].hop];
        }
    }
}

/* Between the product of phase "p" and its places in the planes "y". */
static void move(const lpi_conv *conv, const phase *p, float *y, float *product,
                 bool back)
{
    const int64_t *s = conv->stride, *out = conv->out;
    const axis *a = p->axes;
    int32_t threads = threads_for(conv, p->m * p->n);

#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t m = 0; m < p->m; m++) {
        float *own = product + m * p->n;

        for (int64_t z = 0; z < a[0].out; z++)
            for (int64_t r = 0; r < a[1].out; r++)
                for (int64_t x = 0; x < a[2].out; x++, own++) {
                    float *place =
                        y +
                        ((m * out[0] + p->at[0] + z * s[0]) * out[1] +
                         p->at[1] + r * s[1]) *
                            out[2] +
                        p->at[2] + x * s[2];

                    if (back)
                        *place = *own;
                    else
                        *own = *place;
                }
    }
}

static void run_phase(const lpi_conv *conv, int64_t image, int64_t i)
{
    int64_t channels = conv->in_channels / conv->groups;
    phase p = phase_of(conv, i);
    lpi_gemm gemm = product_of(conv, &p);
    lpi_window window = {.x = conv->x + image * channels * conv->in[0] *
                                            conv->in[1] * conv->in[2]};
    float *weights = conv->workspace, *product = weights + p.m * p.k;
    float *y = conv->y +
               image * p.m * conv->out[0] * conv->out[1] * conv->out[2];

    for (int d = 0; d < 3; d++) {
        window.in[d] = conv->in[d];
        window.out[d] = p.axes[d].out;
        window.step[d] = 1;
        window.taps[d] = p.axes[d].count;
        window.first[d] = p.axes[d].first;
        window.delta[d] = p.axes[d].delta;
    }
    copy_weights(conv, &p, image % conv->groups, weights);
    gemm.a.at = weights;
    gemm.b = (lpi_columns){lpi_pack_window, &window};
    gemm.c = phases_of(conv) == 1 ? y : product;
    gemm.workspace = product + p.m * p.n;
    if (conv->goes_on && gemm.c != y)
        move(conv, &p, y, product, false);
    lpi_gemm_run(&gemm);
    LPI_MACS(-p.m * channels * lpi_macs_beside(&window));
    if (gemm.c != y)
        move(conv, &p, y, product, true);
}

/* Inputs [range[0], range[1]) along axis "d" whose product with tap "t" is an
 * output, and the output of input 0. */
static int64_t reach_of(const lpi_conv *conv, int d, int64_t t,
                        int64_t range[2])
{
    int64_t s = conv->stride[d], zero = t * conv->dilation[d] - conv->pad[d];
    int64_t end = conv->out[d] - zero;

    range[0] = zero < 0 ? lpi_ceil_div(-zero, s) : 0;
    range[1] = end > 0 ? lpi_least(lpi_ceil_div(end, s), conv->in[d]) : 0;
    return zero;
}

/* Add one tap, whose weight is "w", of plane "x" to plane "y". */
static void scatter_tap(const lpi_conv *conv, const int64_t t[3], float w,
                        const float *x, float *y)
{
    const int64_t *in = conv->in, *out = conv->out, *s = conv->stride;
    int64_t range[3][2], zero[3];

    for (int d = 0; d < 3; d++)
        zero[d] = reach_of(conv, d, t[d], range[d]);
    for (int64_t i = range[0][0]; i < range[0][1]; i++)
        for (int64_t j = range[1][0]; j < range[1][1]; j++) {
            const float *from = x + (i * in[1] + j) * in[2];
            float *to = y +
                        ((zero[0] + i * s[0]) * out[1] + zero[1] + j * s[1]) *
                            out[2];

            for (int64_t k = range[2][0]; k < range[2][1]; k++) {
                float *place = to + zero[2] + k * s[2];

                *place = fmaf(w, from[k], *place);
                LPI_MACS(1);
            }
        }
}

/* Output channel "m" of an image and its group, which "x" and "y" are. */
static void scatter(const lpi_conv *conv, int64_t group, int64_t m,
                    const float *x, float *y)
{
    const int64_t *kernel = conv->kernel, *in = conv->in, *out = conv->out;
    int64_t channels = conv->in_channels / conv->groups;
    int64_t rows = conv->out_channels / conv->groups;
    int64_t taps = kernel[0] * kernel[1] * kernel[2];
    int64_t plane = out[0] * out[1] * out[2];

    y += m * plane;
    if (!conv->goes_on)
        memset(y, 0, (size_t)plane * sizeof(*y));
    for (int64_t c = 0; c < channels; c++) {
        const float *w = conv->w + ((group * channels + c) * rows + m) * taps;
        int64_t t[3] = {0};

        for (int64_t i = 0; i < taps; i++, lpi_next_tap(kernel, t))
            scatter_tap(conv, t, w[i], x + c * in[0] * in[1] * in[2], y);
    }
}

static void run_image(const lpi_conv *conv, int64_t image, bool scattered)
{
    const int64_t *in = conv->in, *out = conv->out;
    int64_t channels = conv->in_channels / conv->groups;
    int64_t rows = conv->out_channels / conv->groups;
    const float *x = conv->x + image * channels * in[0] * in[1] * in[2];
    float *y = conv->y + image * rows * out[0] * out[1] * out[2];
    int32_t threads = conv->team.threads;

    for (int64_t i = 0; i < phases_of(conv) && !scattered; i++)
        run_phase(conv, image, i);
    if (!scattered)
        return;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t m = 0; m < rows; m++)
        scatter(conv, image % conv->groups, m, x, y);
}

void lpi_deconv_run(const lpi_conv *conv)
{
    bool scattered = is_scattered(conv);
    lpi_affine bias = {.outer = conv->batch,
                       .channels = conv->out_channels,
                       .plane = conv->out[0] * conv->out[1] * conv->out[2],
                       .from = conv->y,
                       .shift = conv->bias,
                       .to = conv->y};

    for (int64_t image = 0; image < conv->batch * conv->groups; image++)
        run_image(conv, image, scattered);
    LPI_MACS(lpi_macs_cropped(conv));
    if (conv->bias)
        lpi_affine_run(&conv->team, &bias);
}
