/* resize.c: Resize and Upsample.
 *
 * The newest form has the operands X, roi, scales, sizes; older ones are
 * brought to it.  From scales an extent is floor(extent x scale), computed in
 * float32 like the onnx package and ONNX Runtime do (Resize-19 leaves the
 * precision open); with tf_crop_and_resize the extent of the region takes the
 * place of the input's.
 *
 * Nearest neighbours cost no arithmetic; linear interpolation takes 2 taps an
 * axis, cubic 4, each a multiply and an add; antialiasing widens them by the
 * factor of the reduction.  Finding the taps costs nothing: it is done once an
 * axis.  Source: ONNX operator Resize-19. */
#include <math.h>
#include <string.h>

#include "../ops.h"

static const lpi_spec resize_specs[] = {
    LPI_SPEC_STRING(lpi_resize, mode, "nearest"),
    LPI_SPEC_STRING(lpi_resize, coordinate_transformation_mode, "half_pixel"),
    LPI_SPEC_STRING(lpi_resize, nearest_mode, "round_prefer_floor"),
    LPI_SPEC_STRING(lpi_resize, keep_aspect_ratio_policy, "stretch"),
    LPI_SPEC_INT(lpi_resize, antialias, 0),
    LPI_SPEC_INT(lpi_resize, exclude_outside, 0),
    LPI_SPEC_FLOAT(lpi_resize, cubic_coeff_a, -0.75f),
    LPI_SPEC_FLOAT(lpi_resize, extrapolation_value, 0),
    LPI_SPEC_LIST(lpi_resize, axes, LPI_ATTR_INTS),
    {.name = NULL},
};

static const lpi_spec upsample_specs[] = {
    LPI_SPEC_STRING(lpi_resize, mode, "nearest"),
    LPI_SPEC_LIST(lpi_resize, scales, LPI_ATTR_FLOATS),
    LPI_SPEC_FLOAT(lpi_resize, height_scale, 0),
    LPI_SPEC_FLOAT(lpi_resize, width_scale, 0),
    {.name = NULL},
};

/* Put the scales, input 1 of Resize-10 and Upsample-9, where they stand today.
 */
static lp_status move_scales(lpi_node *node)
{
    lp_layer *layer = node->layer;
    lp_tensor **inputs =
        LPI_NEW(node->model->arena, lp_tensor *, LPI_RESIZE_SCALES + 1);

    if (inputs == NULL)
        return lpi_node_fail_memory(node);
    inputs[LPI_RESIZE_X] = layer->inputs[0];
    inputs[LPI_RESIZE_SCALES] = layer->inputs[1];
    layer->inputs = inputs;
    layer->inputs_count = LPI_RESIZE_SCALES + 1;
    return LP_OK;
}

/* Opset 10 counts coordinates from the corner, without rounding. */
static void old_coordinates(lpi_resize *params)
{
    params->coordinate_transformation_mode = "asymmetric";
    params->nearest_mode = "floor";
}

static lp_status resize_settle(lpi_node *node)
{
    if (node->layer->version == 10) {
        old_coordinates((lpi_resize *)node->params);
        if (node->layer->inputs_count == 2)
            return move_scales(node);
    }
    return LP_OK;
}

static lp_status upsample_settle(lpi_node *node)
{
    lpi_resize *params = (lpi_resize *)node->params;
    const float pair[4] = {1, 1, params->height_scale, params->width_scale};

    old_coordinates(params);
    params->keep_aspect_ratio_policy = "stretch";
    if (node->layer->inputs_count == 2)
        return move_scales(node);
    if (node->layer->inputs_count != 1)
        return lpi_node_fail(node, "%d inputs", node->layer->inputs_count);
    if (params->scales.count > 0)
        return lpi_node_add_floats(node, LPI_RESIZE_SCALES,
                                   params->scales.floats, params->scales.count);
    return lpi_node_add_floats(node, LPI_RESIZE_SCALES, pair, 4);
}

static lp_status check_items(const lpi_node *node, const lpi_list *list,
                             int32_t rank)
{
    const lpi_resize *params = node->params;
    int64_t wanted = params->axes.count > 0 ? params->axes.count : rank;
    int64_t own;

    for (int64_t i = 0; i < params->axes.count; i++)
        if (!lpi_axis(params->axes.ints[i], rank, &own))
            return lpi_node_fail(node, "axis %lld of an input of rank %d",
                                 (long long)params->axes.ints[i], rank);
    if (list->count != wanted)
        return lpi_node_fail(node, "%lld scales or sizes, not %lld",
                             (long long)list->count, (long long)wanted);
    return LP_OK;
}

/* Extents of the region of interest over those of the input, by item; 1
 * without one; false when it is not known. */
static bool region_part(lpi_node *node, int64_t item, int64_t items,
                        float *ret_part)
{
    const lpi_resize *params = node->params;
    lpi_list roi;

    *ret_part = 1;
    if (strcmp(params->coordinate_transformation_mode, "tf_crop_and_resize") !=
            0 ||
        lpi_in(node, LPI_RESIZE_ROI) == NULL)
        return true;
    if (!lpi_in_floats(node, LPI_RESIZE_ROI, &roi) || roi.count != 2 * items)
        return false;
    *ret_part = roi.floats[items + item] - roi.floats[item];
    return true;
}

static lp_status by_scales(lpi_node *node, lp_shape x, const lpi_list *scales,
                           int64_t *dims)
{
    const lpi_resize *params = node->params;

    LP_TRY(check_items(node, scales, x.rank));
    for (int32_t i = 0; i < x.rank; i++) {
        int64_t item = lpi_resize_item(params, x.rank, i);
        float part = 1, size;

        dims[i] = x.dims[i];
        if (item < 0 || dims[i] < 0)
            continue;
        if (!(scales->floats[item] > 0))
            return lpi_node_fail(node, "scale %g",
                                 (double)scales->floats[item]);
        if (!region_part(node, item, scales->count, &part)) {
            dims[i] = -1;
            continue;
        }
        size = (float)dims[i] * part;
        size = size * scales->floats[item];
        if (!(size >= 0 && size < 9e18f))
            return lpi_node_fail(node, "scale %g of an extent of %lld",
                                 (double)scales->floats[item],
                                 (long long)dims[i]);
        dims[i] = (int64_t)floorf(size);
    }
    return LP_OK;
}

/* The one scale of all axes that keeps the aspect ratio: the least of those
 * that the sizes ask for ("not_larger"), or the greatest; 0 when an extent is
 * not known. */
static float common_scale(const lpi_resize *params, lp_shape x,
                          const lpi_list *sizes)
{
    bool least = strcmp(params->keep_aspect_ratio_policy, "not_larger") == 0;
    float common = 0;

    for (int32_t i = 0; i < x.rank; i++) {
        int64_t item = lpi_resize_item(params, x.rank, i);
        float scale;

        if (item < 0)
            continue;
        if (x.dims[i] <= 0)
            return 0;
        scale = (float)sizes->ints[item] / (float)x.dims[i];
        if (common == 0 || (least ? scale < common : scale > common))
            common = scale;
    }
    return common;
}

static lp_status by_sizes(lpi_node *node, lp_shape x, const lpi_list *sizes,
                          int64_t *dims)
{
    const lpi_resize *params = node->params;
    bool stretch = strcmp(params->keep_aspect_ratio_policy, "stretch") == 0;
    float scale = 0;

    LP_TRY(check_items(node, sizes, x.rank));
    if (!stretch)
        scale = common_scale(params, x, sizes);
    for (int32_t i = 0; i < x.rank; i++) {
        int64_t item = lpi_resize_item(params, x.rank, i);

        dims[i] = x.dims[i];
        if (item < 0)
            continue;
        if (sizes->ints[item] < 0 || sizes->ints[item] > INT32_MAX)
            return lpi_node_fail(node, "size %lld",
                                 (long long)sizes->ints[item]);
        if (stretch)
            dims[i] = sizes->ints[item];
        else if (scale > 0 && scale * (float)x.dims[i] < 9e18f)
            dims[i] = (int64_t)floorf(scale * (float)x.dims[i] + 0.5f);
        else
            dims[i] = -1;
    }
    return LP_OK;
}

static lp_status resize_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, LPI_RESIZE_X);
    lp_dtype type = lpi_in_dtype(node, LPI_RESIZE_X);
    lpi_list scales = {.count = 0}, sizes = {.count = 0};
    bool has_scales = lpi_in_floats(node, LPI_RESIZE_SCALES, &scales);
    bool has_sizes = lpi_in_ints(node, LPI_RESIZE_SIZES, &sizes);
    int64_t *dims;

    if (x.rank < 0)
        return lpi_out_as(node, 0, LPI_RESIZE_X);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    if (has_sizes && sizes.count > 0) {
        LP_TRY(by_sizes(node, x, &sizes, dims));
    } else if (has_scales && (scales.count > 0 || x.rank == 0)) {
        LP_TRY(by_scales(node, x, &scales, dims));
    } else {
        for (int32_t i = 0; i < x.rank; i++)
            dims[i] = lpi_resize_item(node->params, x.rank, i) < 0 ? x.dims[i]
                                                                   : -1;
    }
    return lpi_out_set(node, 0, type, x.rank, dims);
}

/* Taps of one result along an axis that goes from "in" to "out". */
static int64_t taps_of(const lpi_resize *params, int64_t in, int64_t out)
{
    int64_t taps = strcmp(params->mode, "cubic") == 0 ? 4 : 2;

    if (params->antialias != 0 && out > 0 && in > out)
        taps = lpi_ceil_div(lpi_mul(taps, in), out);
    return taps;
}

/* Nearest neighbours read no more elements than they write. */
static void resize_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_resize *params = node->params;
    lp_shape x = lpi_in_shape(node, LPI_RESIZE_X), y = lpi_out_shape(node, 0);
    int64_t out = lpi_out_elements(node, 0), taps = out;

    if (strcmp(params->mode, "nearest") == 0) {
        if (out < lpi_in_elements(node, LPI_RESIZE_X))
            lpi_cost_part(node, cost, LPI_RESIZE_X, out);
        return;
    }
    for (int32_t i = 0; i < x.rank; i++)
        if (x.dims[i] != y.dims[i])
            taps = lpi_mul(taps, taps_of(params, x.dims[i], y.dims[i]));
    if (taps == out)
        return;
    lpi_cost_arith(cost, LP_MUL, taps);
    lpi_cost_arith(cost, LP_ADD, taps);
}

const lp_op lpi_ops_resize[] = {
    {.name = "Resize",
     .domain = "",
     .since = 10,
     .inputs_min = 1,
     .inputs_max = 4,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "diii",
     .params_size = sizeof(lpi_resize),
     .specs = resize_specs,
     .settle = resize_settle,
     .shape = resize_shape,
     .cost = resize_cost,
     .run = lpi_resize_run,
     .tile = lpi_resize_tile,
     .samples =
         "opset 19; input x: float32[1, 2, 5, 7]; weight s: float32[4] = "
         "{1.0, 1.0, 2.0, 0.6}; y = Resize(x, _, s) {mode: \"linear\"}; "
         "output y\n---\n"
         "opset 18; input x: float32[1, 2, 5, 7]; weight s: int64[2] = {8, "
         "9}; y = Resize(x, _, _, s) {axes: [2, 3], keep_aspect_ratio_policy: "
         "\"not_larger\"}; output y\n---\n"
         "opset 10; input x: float32[1, 2, 5, 7]; weight s: float32[4] = "
         "{1.0, 1.0, 2.0, 2.0}; y = Resize(x, s); output y"},
    {.name = "Upsample",
     .domain = "",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "diii",
     .params_size = sizeof(lpi_resize),
     .specs = upsample_specs,
     .settle = upsample_settle,
     .shape = resize_shape,
     .cost = resize_cost,
     .run = lpi_resize_run,
     .tile = lpi_resize_tile,
     .samples =
         "opset 9; input x: float32[1, 2, 5, 7]; weight s: float32[4] = {1.0, "
         "1.0, 2.0, 3.0}; y = Upsample(x, s); output y\n---\n"
         "opset 7; input x: float32[1, 2, 5, 7]; y = Upsample(x) {scales: "
         "[1.0, 1.0, 1.5, 2.0], mode: \"linear\"}; output y\n---\n"
         "opset 1; input x: float32[1, 2, 5, 7]; y = Upsample(x) "
         "{height_scale: 2.0, width_scale: 2.0}; output y"},
    {.name = NULL},
};
