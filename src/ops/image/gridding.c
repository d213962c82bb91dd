/* gridding.c: runs of GridSample and AffineGrid.
 *
 * A place is brought from [-1, 1] to the image, or mirrored and clamped into
 * it; along each axis it has one, two or four taps, whose product weighs a
 * pixel.  All in double, rounded once.  Sources: ONNX operators GridSample-22,
 * AffineGrid-20; R. G. Keys, "Cubic convolution interpolation for digital image
 * processing", 1981 (a = -0.75). */
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { AXES_MOST = 3, TAPS_MOST = 4 };

typedef enum padding { PAD_ZEROS, PAD_BORDER, PAD_REFLECTION } padding;

/* An image and how it is read. */
typedef struct picture {
    int32_t axes;
    int64_t extents[AXES_MOST];
    int32_t taps; /* an axis */
    padding padding;
    bool aligned;
} picture;

/* The pixels of one axis; index -1: none. */
typedef struct axis_taps {
    int64_t index[TAPS_MOST];
    double weight[TAPS_MOST];
} axis_taps;

/* "x" mirrored at "low" and "high" until it lies between them. */
static double reflect(double x, double low, double high)
{
    double range = high - low, beyond, rest, folds;

    if (range <= 0)
        return low;
    if (x >= low && x <= high)
        return x;
    beyond = x < low ? low - x : x - high;
    folds = floor(beyond / range);
    rest = beyond - folds * range;
    return (fmod(folds, 2) == 0) == (x < low) ? low + rest : high - rest;
}

static double clamp(double x, double low, double high)
{
    return x > high ? high : x >= low ? x : low;
}

/* The weights of the taps around a place "x" behind the one before it. */
static void weigh(int32_t taps, double x, double *weight)
{
    const double a = -0.75;

    weight[0] = 1;
    if (taps == 2) {
        weight[0] = 1 - x;
        weight[1] = x;
    } else if (taps == 4) {
        double y = 1 - x;

        weight[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
        weight[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
        weight[2] = ((a + 2) * y - (a + 3)) * y * y + 1;
        weight[3] = ((a * (y + 1) - 5 * a) * (y + 1) + 8 * a) * (y + 1) - 4 * a;
    }
}

/* The taps of axis "axis" at the place "x" in [-1, 1]. */
static void tap(const picture *image, int32_t axis, double x, axis_taps *ret)
{
    int64_t length = image->extents[axis], first;
    double low = image->aligned ? 0 : -0.5;
    double high = (double)length - (image->aligned ? 1 : 0.5);

    x = image->aligned ? (x + 1) / 2 * (double)(length - 1)
                       : ((x + 1) * (double)length - 1) / 2;
    x = clamp(x, -0x1p50, 0x1p50);
    if (image->taps == 1)
        x = nearbyint(x);
    if (image->padding == PAD_BORDER && (x < low || x > high))
        x = clamp(x, 0, (double)(length - 1));
    else if (image->padding == PAD_REFLECTION)
        x = reflect(x, low, high);
    first = (int64_t)floor(x);
    weigh(image->taps, x - floor(x), ret->weight);
    first -= image->taps == 4;
    for (int32_t i = 0; i < image->taps; i++) {
        int64_t at = first + i;

        if (image->padding == PAD_BORDER)
            at = (int64_t)clamp((double)at, 0, (double)(length - 1));
        else if (image->padding == PAD_REFLECTION)
            at = (int64_t)clamp(reflect((double)at, low, high), 0,
                                (double)(length - 1));
        ret->index[i] = at < 0 || at >= length ? -1 : at;
    }
}

/* The value of the channel at "from" where "taps" say. */
static double gather(const picture *image, const axis_taps *taps,
                     const double *from)
{
    int32_t combinations = 1;
    double sum = 0;

    for (int32_t i = 0; i < image->axes; i++)
        combinations *= image->taps;
    for (int32_t c = 0; c < combinations; c++) {
        int32_t rest = c;
        int64_t at = 0;
        double weight = 1;

        for (int32_t i = 0; i < image->axes; i++) {
            int32_t k = rest % image->taps;

            rest /= image->taps;
            if (taps[i].index[k] < 0)
                at = INT64_MIN / 2;
            at = at < 0 ? at : at * image->extents[i] + taps[i].index[k];
            weight *= taps[i].weight[k];
        }
        if (at >= 0)
            sum += weight * from[at];
    }
    return sum;
}

static lp_status read_image(const lpi_run *run, picture *ret)
{
    const lpi_sample *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);

    if (x.rank - 2 > AXES_MOST)
        return lpi_node_fail(run->node, "an image of %d axes", x.rank - 2);
    ret->axes = x.rank - 2;
    for (int32_t i = 0; i < ret->axes; i++)
        ret->extents[i] = x.dims[i + 2];
    ret->taps = strstr(params->mode, "cubic")      ? 4
                : !strcmp(params->mode, "nearest") ? 1
                                                   : 2;
    ret->padding = !strcmp(params->padding_mode, "border") ? PAD_BORDER
                   : !strcmp(params->padding_mode, "reflection")
                       ? PAD_REFLECTION
                       : PAD_ZEROS;
    ret->aligned = params->align_corners != 0;
    return LP_OK;
}

lp_status lpi_grid_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t pixels = lpi_dims_product(x, 2, x.rank);
    int64_t places = lpi_dims_product(y, 2, y.rank);
    const double *from, *grid;
    double *to;
    picture image = {0};

    LP_TRY(read_image(run, &image));
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_reals(run, 1, &grid));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < y.dims[0] * places && pixels > 0; i++) {
        axis_taps taps[AXES_MOST];
        int64_t batch = i / places;

        for (int32_t a = 0; a < image.axes; a++)
            tap(&image, a, grid[i * image.axes + image.axes - 1 - a], &taps[a]);
        for (int64_t c = 0; c < x.dims[1]; c++) {
            int64_t plane = batch * x.dims[1] + c;

            to[plane * places + i % places] =
                gather(&image, taps, from + plane * pixels);
        }
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* Position "i" of "length" in [-1, 1]. */
static double position(int64_t i, int64_t length, bool aligned)
{
    if (!aligned)
        return (2 * (double)i + 1) / (double)length - 1;
    return length > 1 ? 2 * (double)i / (double)(length - 1) - 1 : 0;
}

lp_status lpi_affine_grid_run(const lpi_run *run)
{
    const lpi_sample *params = run->node->params;
    lp_shape y = lpi_out_shape(run->node, 0);
    int32_t axes = y.rank - 2;
    int64_t places = lpi_dims_product(y, 1, y.rank - 1);
    const double *theta;
    double *to;

    LP_TRY(lpi_run_wants(run, 0, lpi_mul(y.dims[0], axes * (axes + 1))));
    LP_TRY(lpi_run_reals(run, 0, &theta));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < y.dims[0] * places; i++) {
        double place[AXES_MOST + 1];
        int64_t rest = i % places;

        for (int32_t a = 0; a < axes; a++) {
            int64_t length = y.dims[axes - a];

            place[a] =
                position(rest % length, length, params->align_corners != 0);
            rest /= length;
        }
        place[axes] = 1;
        for (int32_t row = 0; row < axes; row++)
            for (int32_t a = 0; a <= axes; a++)
                to[i * axes + row] +=
                    theta[(i / places * axes + row) * (axes + 1) + a] *
                    place[a];
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}
