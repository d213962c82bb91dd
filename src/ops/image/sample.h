/* sample.h: runs that sample images: Resize, grids, regions.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_SAMPLE_H
#define LPI_OPS_SAMPLE_H

/* ---- sampling.c: runs of Resize ----------------------------------------- */

typedef struct lpi_resize {
    const char *mode, *coordinate_transformation_mode, *nearest_mode;
    const char *keep_aspect_ratio_policy;
    int64_t antialias, exclude_outside;
    float cubic_coeff_a, extrapolation_value;
    lpi_list axes, scales;
    float height_scale, width_scale;
    int64_t factor[LPI_RANKS]; /* a tile of integer factors; 0: none */
} lpi_resize;

/* Positions of the operands. */
enum {
    LPI_RESIZE_X,
    LPI_RESIZE_ROI,
    LPI_RESIZE_SCALES,
    LPI_RESIZE_SIZES,
};

/* Position in scales and sizes that belongs to axis "axis", -1 for none. */
int64_t lpi_resize_item(const lpi_resize *params, int32_t rank, int64_t axis);

lp_status lpi_resize_run(const lpi_run *run);
lp_status lpi_resize_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* ---- taps.c: positions of Resize ---------------------------------------- */

/* What an axis does; "scale" 0: nothing. */
typedef struct lpi_axis_map {
    int64_t in, out;
    double scale, roi[2];
    double scaled; /* the extent that scale makes, before it is rounded */
    bool is_cut;   /* the region of interest counts */
} lpi_axis_map;

/* The positions an output position takes, "count" of them from "first" on,
 * and their weights. */
typedef struct lpi_resize_map {
    int64_t most;
    int64_t *first, *count;
    float *weight; /* most an output position */
    bool *outside; /* extrapolate */
} lpi_resize_map;

/* Where output position "i" falls in the input; whether "x" (NaN is) is cut
 * off, so that the output is extrapolated; and else the nearest position to it.
 */
double lpi_resize_position(const lpi_resize *params, const lpi_axis_map *map,
                           int64_t i);
bool lpi_resize_is_outside(const lpi_resize *params, const lpi_axis_map *map,
                           double x);
int64_t lpi_resize_nearest(const lpi_resize *params, const lpi_axis_map *map,
                           double x);

/* The taps of a linear or cubic axis, in the scratch of "run". */
lp_status lpi_resize_taps(const lpi_run *run, const lpi_axis_map *map,
                          lpi_resize_map *ret_taps);

/* An axis whose output is its input (sampling.c). */
bool lpi_resize_is_same(const lpi_resize *params, const lpi_axis_map *map);

/* ---- nearest.c: nearest neighbours --------------------------------------- */

/* Resize by copies; "maps" has one an axis. */
lp_status lpi_resize_copy(const lpi_run *run, const lpi_axis_map *maps);

/* ---- gridding.c, regions.c: runs of sample.c ----------------------------- */

typedef struct lpi_sample {
    const char *mode, *padding_mode;
    int64_t align_corners;
    int64_t output_height, output_width, sampling_ratio;
    float spatial_scale;
    bool is_half; /* regions are shifted by half a pixel */
    lpi_list dilations, pads, strides;
} lpi_sample;

lp_status lpi_grid_run(const lpi_run *run);
lp_status lpi_affine_grid_run(const lpi_run *run);
lp_status lpi_align_run(const lpi_run *run);
lp_status lpi_fold_run(const lpi_run *run);
lp_status lpi_roi_run(const lpi_run *run); /* MaxRoiPool */
lp_status lpi_deform_run(const lpi_run *run);

#endif
