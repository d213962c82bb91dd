/* conv.h: convolutions, of floats and of 8-bit integers.
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_CONV_H
#define LPI_KERNEL_CONV_H

#include <string.h>

/* ---- conv.c, window.c, depthwise.c, channelwise.c, deconv.c ------------- */

/* Convolutions of 1 to 3 spatial axes, always stored as 3: those that are
 * missing stand in front, with sizes 1, pads 0, stride and dilation 1.
 * x: batch, in_channels, in...; w: out_channels, in_channels / groups,
 * kernel...; y: batch, out_channels, out....
 *
 * y[n, oc, o] = chain over ic, kz, ky, kx ascending of fma(w, x, sum), from 0
 * or from what y holds; then bias[oc] is added.  A tap in the padding counts:
 * it does fma(w, 0, sum), in every path. */
typedef struct lpi_conv {
    int64_t batch, groups, in_channels, out_channels;
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
    int64_t pad[3]; /* in front; those behind follow from "out" */
    const float *x, *w;
    lpi_widen x_widen, w_widen; /* lpi_matrix; lpi_conv_takes_halves */
    const float *bias;          /* NULL: none */
    bool goes_on;               /* chains start from y instead of 0 */
    float *y;
    lpi_team team;
    float *workspace;
} lpi_conv;

/* How the columns of a convolution come from x: column o of the grid "out"
 * and tap t read element o * step + first + t * delta of an axis, zeros
 * beyond it.  Rows of the matrix: channels, then taps. */
typedef struct lpi_window {
    const float *x; /* channels x in */
    lpi_widen widen;
    int64_t in[3], out[3], step[3], taps[3], first[3], delta[3];
} lpi_window;

enum { LPI_STRETCHES = 64 }; /* most columns of a panel */

/* Columns [at, at + count) of a panel: neighbours along the last axis, from
 * "place" on. */
typedef struct lpi_stretch {
    int64_t at, count, place[3];
} lpi_stretch;

/* Cut columns [n, n + count) of an output of extents "out"; how many. */
int32_t lpi_stretches(const int64_t out[3], int64_t n, int64_t count,
                      lpi_stretch *ret);

/* Move "t" to the tap behind it, of "taps"; true: to the first, of the channel
 * behind. */
bool lpi_next_tap(const int64_t taps[3], int64_t t[3]);

/* A channel with its padding, as far as windows reach: size[0] x size[1] rows,
 * each "phases" (its places modulo the stride) times "length" elements long.
 * No memory may hold the volume. */
typedef struct lpi_padded {
    int64_t size[3], phases, length, row, volume;
} lpi_padded;

lpi_padded lpi_padded_of(const lpi_conv *shape);

/* Where the taps of a window stand, counted from where the window does, which
 * is y * stride * row + x. */
void lpi_padded_taps(const lpi_conv *shape, int64_t *ret_offsets);

/* lpi_columns.pack of an lpi_window. */
void lpi_pack_window(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to);

/* Convolutions with one channel a group, where windows fit (below);
 * lpi_conv_run calls them. */
bool lpi_conv_is_depthwise(const lpi_conv *conv);
int64_t lpi_depthwise_workspace(const lpi_conv *conv);
void lpi_depthwise_run(const lpi_conv *conv);

/* The same channel by channel (of batch x groups), in any order: what one
 * thread does with "own", lpi_depthwise_room() floats aligned to 8 bytes; where
 * windows do not reach far beyond a channel.
 * Without weights (NULL): maxima of windows, whose padding does not count; of
 * equal numbers the first; NaN when one is. */
bool lpi_depthwise_fits(const lpi_conv *conv);
int64_t lpi_depthwise_room(const lpi_conv *conv);
void lpi_depthwise_begin(const lpi_conv *conv, float *own);
void lpi_depthwise_channel(const lpi_conv *conv, int64_t c, float *own);

/* Of depthwise.c and channelwise.c: LPI_LANES channels of one image at once,
 * from "c" on, where they fit; what one thread does with "own". */
bool lpi_channelwise_fits(const lpi_conv *conv);
int64_t lpi_channelwise_room(const lpi_conv *conv);
void lpi_channelwise_begin(const lpi_conv *conv, float *own);
void lpi_channelwise_run(const lpi_conv *conv, int64_t c, float *own);

int64_t lpi_conv_workspace(const lpi_conv *conv);
void lpi_conv_run(const lpi_conv *conv);

/* Whether lpi_conv_run takes halves: not where depthwise.c runs. */
bool lpi_conv_takes_halves(const lpi_conv *conv);

/* The transposed convolution (ONNX ConvTranspose) with the same struct, where
 * w: in_channels, out_channels / groups, kernel...:
 * y[oc, o] = chain over ic, kz, ky, kx ascending of those taps for which
 * o + pad - k * dilation is a multiple of stride, of fma(w, x, sum); a tap
 * beyond x counts as fma(w, 0, sum), or not at all where inputs are scattered
 * (which the sizes decide alone); one that meets no multiple does not. */
int64_t lpi_deconv_workspace(const lpi_conv *conv);
void lpi_deconv_run(const lpi_conv *conv);

/* For counts of a transposed convolution, which are by its input: multiplies
 * whose output is cropped, so that no loop does them; and those that a loop
 * does beside the input, one row of weights and one channel. */
int64_t lpi_macs_cropped(const lpi_conv *conv);
int64_t lpi_macs_beside(const lpi_window *window);

/* ---- conv8.c: convolutions of 8-bit integers --------------------------- */

/* lpi_conv of 8-bit integers ("shape": sizes alone; its x, w, bias, y and
 * workspace are not read) into int32, overwritten.  Padding holds x_zero, so
 * adds 0.  Zero points are bytes, signed or not. */
typedef struct lpi_conv8 {
    const lpi_conv *shape;
    const void *x, *w;
    bool x_signed, w_signed;
    int32_t x_zero, w_zero;
    const int32_t *w_zeros; /* one an out channel; NULL: w_zero */
    int32_t *y;
    void *workspace; /* lpi_conv8_workspace() bytes */
} lpi_conv8;

/* Enough for some of the groups, or of the output channels of a group, too. */
int64_t lpi_conv8_workspace(const lpi_conv8 *conv);
void lpi_conv8_run(const lpi_conv8 *conv);

/* ---- padded8.c, depthwise8.c ------------------------------------------- */

/* Whether padded channels are not much larger than channels. */
bool lpi_padded8_fits(const lpi_conv *shape);

/* memcpy of "count" bytes, most often few: in two pieces that overlap. */
LPI_INLINED void lpi_copy_bytes(uint8_t *to, const uint8_t *from, int64_t count)
{
    enum { WIDE = 16, HALF = 8, QUARTER = 4 };

    if (count > 2 * WIDE) {
        memcpy(to, from, (size_t)count);
    } else if (count >= WIDE) {
        memcpy(to, from, WIDE);
        memcpy(to + count - WIDE, from + count - WIDE, WIDE);
    } else if (count >= HALF) {
        memcpy(to, from, HALF);
        memcpy(to + count - HALF, from + count - HALF, HALF);
    } else if (count >= QUARTER) {
        memcpy(to, from, QUARTER);
        memcpy(to + count - QUARTER, from + count - QUARTER, QUARTER);
    } else {
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
    }
}

/* The channel "x" into "to" of p->volume bytes, "zero" around it. */
void lpi_pad8(const lpi_conv *shape, const lpi_padded *p, const uint8_t *x,
              uint8_t zero, uint8_t *to);

/* Convolutions with one channel a group; lpi_conv8_run calls them. */
bool lpi_conv8_is_depthwise(const lpi_conv8 *conv);
int64_t lpi_depthwise8_workspace(const lpi_conv8 *conv);
void lpi_depthwise8_run(const lpi_conv8 *conv);

#endif
