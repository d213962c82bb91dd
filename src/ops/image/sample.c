/* sample.c: reading images at places: GridSample, AffineGrid, RoiAlign,
 * Col2Im.
 *
 * An interpolated value costs a multiply and an add for each neighbour: 2 an
 * axis (linear), 4 (cubic), none for the nearest.  Sources: ONNX operators
 * GridSample-22, AffineGrid-20, RoiAlign-22, Col2Im-18;
 * com.microsoft GridSample. */
#include <string.h>

#include "../ops.h"

static const lpi_spec grid_specs[] = {
    LPI_SPEC_STRING(lpi_sample, mode, "linear"),
    LPI_SPEC_STRING(lpi_sample, padding_mode, "zeros"),
    LPI_SPEC_INT(lpi_sample, align_corners, 0),
    {.name = NULL},
};

static const lpi_spec affine_specs[] = {
    LPI_SPEC_INT(lpi_sample, align_corners, 0),
    {.name = NULL},
};

static const lpi_spec fold_specs[] = {
    LPI_SPEC_LIST(lpi_sample, dilations, LPI_ATTR_INTS),
    LPI_SPEC_LIST(lpi_sample, pads, LPI_ATTR_INTS),
    LPI_SPEC_LIST(lpi_sample, strides, LPI_ATTR_INTS),
    {.name = NULL},
};

static const lpi_spec roi_specs[] = {
    LPI_SPEC_FLOAT(lpi_sample, spatial_scale, 1),
    LPI_SPEC_STRING(lpi_sample, mode, "avg"),
    LPI_SPEC_INT(lpi_sample, output_height, 1),
    LPI_SPEC_INT(lpi_sample, output_width, 1),
    LPI_SPEC_INT(lpi_sample, sampling_ratio, 0),
    {.name = NULL},
};

/* Before opset 16 regions are not shifted by half a pixel. */
static lp_status align_settle(lpi_node *node)
{
    const lpi_attr *mode =
        lpi_node_attr(node, "coordinate_transformation_mode");
    lpi_sample *params = (lpi_sample *)node->params;

    params->is_half = node->layer->version == 0 || node->layer->version >= 16;
    if (mode != NULL && mode->kind == LPI_ATTR_STRING)
        params->is_half = strcmp(mode->s, "half_pixel") == 0;
    if (params->output_height < 1 || params->output_width < 1)
        return lpi_node_fail(node, "an output of %lld x %lld",
                             (long long)params->output_height,
                             (long long)params->output_width);
    return LP_OK;
}

/* Y is [N, C, places...]: the grid is [N, places..., axes]. */
static lp_status grid_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0), grid = lpi_in_shape(node, 1);
    int64_t *dims, unused;

    if (x.rank < 0 || grid.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    if (x.rank < 3 || grid.rank != x.rank)
        return lpi_node_fail(node, "input of rank %d, grid of rank %d", x.rank,
                             grid.rank);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    LP_TRY(lpi_dim_same(node, "axes of the grid", grid.dims[grid.rank - 1],
                        x.rank - 2, &unused));
    LP_TRY(lpi_dim_same(node, "batch of input and grid", x.dims[0],
                        grid.dims[0], &dims[0]));
    dims[1] = x.dims[1];
    for (int32_t i = 2; i < x.rank; i++)
        dims[i] = grid.dims[i - 1];
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

/* "count" values, each between "sides" neighbours along "axes" axes. */
static void interpolate(lp_cost *cost, int64_t count, int64_t sides,
                        int32_t axes)
{
    for (int32_t i = 0; i < axes; i++)
        count = lpi_mul(count, sides);
    lpi_cost_arith(cost, LP_MUL, count);
    lpi_cost_arith(cost, LP_ADD, count);
}

/* Every coordinate is brought from [-1, 1] to the image: mul, add, round. */
static void grid_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_sample *params = node->params;
    static const lpi_each place = {
        {[LP_MUL] = 1, [LP_ADD] = 1, [LP_ROUND] = 1}};
    bool is_cubic = strstr(params->mode, "cubic") != NULL;

    lpi_cost_each(cost, &place, lpi_in_elements(node, 1));
    if (strcmp(params->mode, "nearest") != 0)
        interpolate(cost, lpi_out_elements(node, 0), is_cubic ? 4 : 2,
                    lpi_in_shape(node, 0).rank - 2);
}

/* size is (N, C, D, H, W) or (N, C, H, W), the grid (N, D, H, W, 3) or
 * (N, H, W, 2). */
static lp_status affine_shape(lpi_node *node)
{
    lp_shape theta = lpi_in_shape(node, 0), size = lpi_in_shape(node, 1);
    lp_dtype type = lpi_in_dtype(node, 0);
    int64_t rank = size.rank == 1 ? size.dims[0] : -1, dims[5] = {0}, unused;
    lpi_list sizes;

    if (rank < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (rank != 4 && rank != 5)
        return lpi_node_fail(node, "size has %lld items", (long long)rank);
    if (theta.rank >= 0 && theta.rank != 3)
        return lpi_node_fail(node, "theta of rank %d", theta.rank);
    if (theta.rank == 3)
        LP_TRY(lpi_dim_same(node, "rows of theta", theta.dims[1], rank - 2,
                            &unused));
    for (int32_t i = 0; i < rank; i++)
        dims[i] = -1;
    if (lpi_in_ints(node, 1, &sizes)) {
        dims[0] = sizes.ints[0];
        for (int32_t i = 1; i < rank - 1; i++)
            dims[i] = sizes.ints[i + 1];
    }
    dims[rank - 1] = rank - 2;
    return lpi_out_set(node, 0, type, (int32_t)rank, dims);
}

/* A place is multiplied by theta: axes + 1 multiplies and adds each result. */
static void affine_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t out = lpi_out_elements(node, 0);
    int64_t terms = lpi_mul(out, lpi_out_shape(node, 0).rank - 1);

    lpi_cost_arith(cost, LP_MUL, terms);
    lpi_cost_arith(cost, LP_ADD, terms);
}

static lp_status align_shape(lpi_node *node)
{
    const lpi_sample *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), rois = lpi_in_shape(node, 1);

    if (x.rank < 0 || rois.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    if (x.rank != 4 || rois.rank != 2)
        return lpi_node_fail(node, "input of rank %d, regions of rank %d",
                             x.rank, rois.rank);
    if (params->sampling_ratio <= 0)
        lpi_node_note(node, "the number of samples depends on the regions: 2 "
                            "x 2 are counted");
    const int64_t dims[4] = {rois.dims[0], x.dims[1], params->output_height,
                             params->output_width};
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 4, dims);
}

/* A cell takes the mean, or the maximum, of its samples. */
static void align_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_sample *params = node->params;
    int64_t side = params->sampling_ratio > 0 ? params->sampling_ratio : 2;
    int64_t out = lpi_out_elements(node, 0);
    int64_t samples = lpi_mul(out, lpi_mul(side, side));
    bool is_mean = strcmp(params->mode, "max") != 0;

    interpolate(cost, samples, 2, 2);
    lpi_cost_arith(cost, is_mean ? LP_ADD : LP_CMP, samples);
    if (is_mean)
        lpi_cost_arith(cost, LP_DIV, out);
}

/* [N, C x block, positions] becomes [N, C, image...]. */
static lp_status fold_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0), image = lpi_in_shape(node, 1);
    lpi_list extents, block = {.count = 0};
    bool has_block = lpi_in_ints(node, 2, &block);
    bool has_image = lpi_in_ints(node, 1, &extents);
    int64_t count = image.rank == 1 ? image.dims[0] : -1, *dims, size;

    if (x.rank < 0 || count < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    if (x.rank != 3 || count > 64)
        return lpi_node_fail(node, "input of rank %d, image of rank %lld",
                             x.rank, (long long)count);
    dims = lpi_node_dims(node, count + 2);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    dims[0] = x.dims[0];
    dims[1] = -1;
    for (int64_t i = 0; i < block.count; i++)
        if (block.ints[i] < 1 || block.ints[i] > INT32_MAX)
            return lpi_node_fail(node, "block of %lld",
                                 (long long)block.ints[i]);
    size = lpi_product(block.ints, block.count);
    if (has_block && x.dims[1] >= 0) {
        if (x.dims[1] % size != 0)
            return lpi_node_fail(node, "blocks of %lld do not divide %lld",
                                 (long long)size, (long long)x.dims[1]);
        dims[1] = x.dims[1] / size;
    }
    for (int64_t i = 0; i < count; i++)
        dims[i + 2] = has_image ? extents.ints[i] : -1;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), (int32_t)count + 2,
                       dims);
}

/* Every element is added to its place. */
static void fold_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 0));
}

#define SAMPLE(name_, since_, inputs, roles_, specs_)                          \
    .name = name_, .since = since_, .inputs_min = inputs,                      \
    .inputs_max = inputs, .outputs_min = 1, .outputs_max = 1, .roles = roles_, \
    .params_size = sizeof(lpi_sample), .specs = specs_

const lp_op lpi_ops_sample[] = {
    {SAMPLE("GridSample", 16, 2, NULL, grid_specs), .operands = ".n*,.n*",
     .domain = "", .shape = grid_shape, .cost = grid_cost, .run = lpi_grid_run,
     .samples =
         "opset 16; input x: float32[2, 3, 4, 5]; input g: float32[2, 6, 7, "
         "2]; y = GridSample(x, g) {mode: \"bilinear\"}; output y\n---\n"
         "opset 20; input x: float32[2, 3, 4, 5, 6]; input g: float32[2, 2, "
         "6, 7, 3]; y = GridSample(x, g) {mode: \"nearest\"}; output y"},
    {SAMPLE("GridSample", 1, 2, NULL, grid_specs), .operands = ".n*,.n*",
     .domain = "com.microsoft", .shape = grid_shape, .cost = grid_cost,
     .run = lpi_grid_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[2, 3, 4, 5]; "
         "input g: float32[2, 6, 7, 2]; y = com.microsoft.GridSample(x, g) "
         "{mode: \"bicubic\"}; output y"},
    {SAMPLE("AffineGrid", 20, 2, "di", affine_specs), .operands = "T*,I?",
     .domain = "", .shape = affine_shape, .cost = affine_cost,
     .run = lpi_affine_grid_run,
     .samples =
         "opset 20; input t: float32[2, 2, 3]; weight s: int64[4] = {2, 3, "
         "5, 6}; y = AffineGrid(t, s); output y"},
    {SAMPLE("RoiAlign", 10, 3, "dii", roi_specs), .operands = "Tnchw,Tk4,Ik",
     .domain = "", .settle = align_settle, .shape = align_shape,
     .cost = align_cost, .run = lpi_align_run,
     .samples =
         "opset 16; input x: float32[1, 3, 10, 10]; input r: float32[4, 4]; "
         "input b: int64[4]; y = RoiAlign(x, r, b) {output_height: 5, "
         "output_width: 5, sampling_ratio: 2}; output y"},
    {SAMPLE("Col2Im", 18, 3, "dii", fold_specs), .domain = "",
     .shape = fold_shape, .cost = fold_cost, .run = lpi_fold_run,
     .samples =
         "opset 18; input x: float32[1, 5, 5]; weight i: int64[2] = {5, 5}; "
         "weight b: int64[2] = {1, 5}; y = Col2Im(x, i, b); output y"},
    {.name = NULL},
};
