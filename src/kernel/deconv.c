/* deconv.c: transposed convolution, gathered.
 *
 * Outputs at one place modulo the stride (a phase) all meet the same taps of
 * the kernel: each phase is a convolution of stride 1 with those taps, whose
 * weights are copied into the order of its product. */
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

int64_t lpi_deconv_workspace(const lpi_conv *conv)
{
    int64_t most = 0;

    for (int64_t i = 0; i < phases_of(conv); i++) {
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

void lpi_deconv_run(const lpi_conv *conv)
{
    lpi_affine bias = {.outer = conv->batch,
                       .channels = conv->out_channels,
                       .plane = conv->out[0] * conv->out[1] * conv->out[2],
                       .from = conv->y,
                       .shift = conv->bias,
                       .to = conv->y};

    for (int64_t image = 0; image < conv->batch * conv->groups; image++)
        for (int64_t i = 0; i < phases_of(conv); i++)
            run_phase(conv, image, i);
    LPI_MACS(lpi_macs_cropped(conv));
    if (conv->bias)
        lpi_affine_run(&conv->team, &bias);
}
