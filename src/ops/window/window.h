/* window.h: rows that slide a window: convolution, pooling.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_WINDOW_H
#define LPI_OPS_WINDOW_H

/* ---- window.c ---------------------------------------------------------- */

enum { LPI_SPATIAL = 3 };

typedef struct lpi_slide {
    lpi_list kernel_shape, strides, pads, dilations;
    lpi_list output_padding, output_shape; /* transposed ones */
    const char *auto_pad;
    int64_t ceil_mode, group;
    /* A tile: its pads are these, in front, then behind; the lists above do
     * not hold. */
    bool is_cut;
    int64_t cut[2 * LPI_SPATIAL];
} lpi_slide;

/* Specs of a struct whose first field is an lpi_slide. */
#define LPI_WINDOW_SPECS                                                       \
    LPI_SPEC_LIST(lpi_slide, kernel_shape, LPI_ATTR_INTS),                     \
        LPI_SPEC_LIST(lpi_slide, strides, LPI_ATTR_INTS),                      \
        LPI_SPEC_LIST(lpi_slide, pads, LPI_ATTR_INTS),                         \
        LPI_SPEC_LIST(lpi_slide, dilations, LPI_ATTR_INTS),                    \
        LPI_SPEC_STRING(lpi_slide, auto_pad, "NOTSET")

/* Extents of the result of sliding a window of extents "kernel" over the
 * spatial extents "in" (-1: unknown, passed on) into "out", which has room
 * for in.rank of them.  LP_EINPUT for attributes that contradict. */
lp_status lpi_window_slide(const lpi_node *node, const lpi_slide *window,
                           lp_shape in, const int64_t *kernel, int64_t *out);

/* The same backwards: extents of the result of a transposed convolution. */
lp_status lpi_window_spread(const lpi_node *node, const lpi_slide *window,
                            lp_shape in, const int64_t *kernel, int64_t *out);

/* A window over up to three axes, as the kernels see it: missing axes stand in
 * front. */
typedef struct lpi_sliding {
    int64_t in[LPI_SPATIAL], out[LPI_SPATIAL], kernel[LPI_SPATIAL];
    int64_t stride[LPI_SPATIAL], dilation[LPI_SPATIAL];
    int64_t pad[LPI_SPATIAL], pad_end[LPI_SPATIAL];
} lpi_sliding;

/* Resolve "window" for a layer that slides (or spreads, "is_transposed") over
 * the spatial extents "in" to "out"; LP_EUNSUPPORTED beyond three axes. */
lp_status lpi_slide_resolve(const lpi_node *node, const lpi_slide *window,
                            const lp_shape spatial[2], const int64_t *kernel,
                            bool is_transposed, lpi_sliding *ret_sliding);

/* The part of the input that the box "out" of the output of "node" needs along
 * spatial axis "axis" (counted from the first of "rank"), which begins at
 * dimension "first" of both; sets the pads of "window". */
void lpi_slide_cut(const lpi_sliding *sliding, lpi_slide *window,
                   const lpi_box *out, int32_t first, lpi_box *in);

/* ---- convolve.c, convolve8.c, channels.c: runs of convolutions --------- */

typedef struct lpi_conv_params {
    lpi_slide window;
    const char *activation;
    lpi_list activation_params;
    int64_t offset_group, channels_last;
} lpi_conv_params;

/* Where the operands of a row stand (-1: none), the dtype of its result (or
 * the input it is taken from), operations for one element of it. */
typedef struct lpi_conv_facts {
    int32_t weight, bias, sum, type_from;
    lp_dtype type;
    bool is_transposed, channels_last;
    lpi_each each;
} lpi_conv_facts;

/* The sizes of the convolution "node", without operands. */
lp_status lpi_conv_sizes(const lpi_node *node, lpi_conv *ret_conv);

/* Whether the channels of "node" are the last axis; the run of rows that may
 * have them there. */
bool lpi_conv_is_last(const lpi_node *node);
lp_status lpi_conv_last_run(const lpi_run *run);

lp_status lpi_conv_layer_run(const lpi_run *run);
lp_status lpi_conv8_layer_run(const lpi_run *run);
lp_status lpi_conv_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params);

/* Its "split": channels of the input. */

lp_status lpi_conv_split(const lpi_node *node, int64_t range[2], lpi_box *in);

/* Bring elements of "bits" of "shape", whose channels are last, to a form with
 * channels behind the batch ("to_front"), or back. */
void lpi_channels_turn(int32_t bits, lp_shape last, bool to_front,
                       const void *from, void *to);

/* ---- pooling.c, planes.c, unpool.c: runs of pooling -------------------- */

typedef struct lpi_pool {
    lpi_slide window;
    int64_t p, count_include_pad, storage_order;
    lpi_list pooled_shape;
    float spatial_scale;
} lpi_pool;

lp_status lpi_pool_max_run(const lpi_run *run);
lp_status lpi_pool_mean_run(const lpi_run *run);
lp_status lpi_pool_norm_run(const lpi_run *run);
lp_status lpi_global_max_run(const lpi_run *run);
lp_status lpi_global_mean_run(const lpi_run *run);
lp_status lpi_global_norm_run(const lpi_run *run);
lp_status lpi_unpool_run(const lpi_run *run);
lp_status lpi_pool_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params);
lp_status lpi_global_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* Means of the windows of planes "from", channels behind the batch; the first
 * spatial axis of input 0 is "first" (1: its channels are last). */
lp_status lpi_pool_means(const lpi_run *run, int32_t first, const float *from,
                         float *to);

#endif
