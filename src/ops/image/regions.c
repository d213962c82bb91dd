/* regions.c: runs of RoiAlign, MaxRoiPool, Col2Im and DeformConv.
 *
 * RoiAlign and DeformConv read an image between its pixels, four of them a
 * place; Col2Im adds what Im2Col would have copied.  All in double, rounded
 * once.  Sources: ONNX operators RoiAlign-22, MaxRoiPool-22, Col2Im-18,
 * DeformConv-22. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* ---- RoiAlign ------------------------------------------------------------ */

/* Four pixels and what they weigh. */
typedef struct corners {
    int64_t at[4];
    double weight[4];
} corners;

/* The corners of place (y, x) of an image; all weights 0 when it lies more
 * than a pixel outside. */
static corners corners_of(const int64_t size[2], double y, double x)
{
    int64_t height = size[0], width = size[1], top, left, bottom, right;
    corners c = {{0}, {0}};

    if (!(y >= -1 && y <= (double)height && x >= -1 && x <= (double)width))
        return c;
    y = fmin(fmax(y, 0), (double)(height - 1));
    x = fmin(fmax(x, 0), (double)(width - 1));
    top = (int64_t)y;
    left = (int64_t)x;
    bottom = top < height - 1 ? top + 1 : top;
    right = left < width - 1 ? left + 1 : left;
    y -= (double)top;
    x -= (double)left;
    return (corners){{top * width + left, top * width + right,
                      bottom * width + left, bottom * width + right},
                     {(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x}};
}

/* A region of interest: where its cells begin, their size, their samples. */
typedef struct region {
    double start[2], cell[2];
    int64_t samples[2];
} region;

static region region_of(const lpi_sample *params, const double *box)
{
    const int64_t cells[2] = {params->output_height, params->output_width};
    double offset = params->is_half ? 0.5 : 0;
    region r;

    for (int32_t i = 0; i < 2; i++) {
        double from = box[1 - i] * (double)params->spatial_scale - offset;
        double to = box[3 - i] * (double)params->spatial_scale - offset;
        double length = params->is_half ? to - from : fmax(to - from, 1);
        double count = ceil(length / (double)cells[i]);

        r.start[i] = from;
        r.cell[i] = length / (double)cells[i];
        r.samples[i] = params->sampling_ratio;
        if (params->sampling_ratio <= 0)
            r.samples[i] = count > 0 && count < 1e6 ? (int64_t)count : 0;
    }
    return r;
}

/* The value of cell (row, column) of region "r" of the plane at "from". */
static double align(const lpi_sample *params, const region *r,
                    const int64_t size[2], const int64_t cell[2],
                    const double *from)
{
    bool is_max = strcmp(params->mode, "max") == 0;
    int64_t count = lpi_mul(r->samples[0], r->samples[1]);
    double result = 0;

    for (int64_t i = 0; i < count; i++) {
        const int64_t sample[2] = {i / r->samples[1], i % r->samples[1]};
        double place[2], terms[4];
        corners c;

        for (int32_t a = 0; a < 2; a++)
            place[a] = r->start[a] + (double)cell[a] * r->cell[a] +
                       ((double)sample[a] + 0.5) * r->cell[a] /
                           (double)r->samples[a];
        c = corners_of(size, place[0], place[1]);
        for (int32_t k = 0; k < 4; k++)
            terms[k] = c.weight[k] * from[c.at[k]];
        if (!is_max)
            result += terms[0] + terms[1] + terms[2] + terms[3];
        else
            for (int32_t k = 0; k < 4; k++)
                result = i + k ? fmax(result, terms[k]) : terms[k];
    }
    return is_max || count == 0 ? result : result / (double)count;
}

lp_status lpi_align_run(const lpi_run *run)
{
    const lpi_sample *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t plane = lpi_dims_product(x, 2, 4), out = lpi_dims_product(y, 2, 4);
    const double *from, *boxes;
    lpi_list batches;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_reals(run, 1, &boxes));
    LP_TRY(lpi_run_ints(run, 2, &batches));
    LP_TRY(lpi_run_wants(run, 1, lpi_mul(y.dims[0], 4)));
    LP_TRY(lpi_run_wants(run, 2, y.dims[0]));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t n = 0; n < y.dims[0] && plane > 0; n++) {
        region r = region_of(params, boxes + n * 4);
        int64_t batch;

        LP_TRY(lpi_index(run->node, batches.ints[n], x.dims[0], &batch));
        for (int64_t i = 0; i < y.dims[1] * out; i++) {
            const int64_t cell[2] = {i % out / y.dims[3], i % y.dims[3]};

            to[n * y.dims[1] * out + i] =
                align(params, &r, x.dims + 2, cell,
                      from + (batch * x.dims[1] + i / out) * plane);
        }
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- MaxRoiPool ----------------------------------------------------------
 */

/* The pixels [from, until) of an axis of "length" that cell "cell" of "cells"
 * covers, when a region goes from "low" to "high". */
static void cell_range(double low, double high, const int64_t cell_and_cells[2],
                       int64_t length, int64_t *ret_from, int64_t *ret_until)
{
    double size = fmax(high - low + 1, 1) / (double)cell_and_cells[1];
    double from = floor((double)cell_and_cells[0] * size) + low;
    double until = ceil((double)(cell_and_cells[0] + 1) * size) + low;

    *ret_from = (int64_t)fmin(fmax(from, 0), (double)length);
    *ret_until = (int64_t)fmin(fmax(until, 0), (double)length);
}

/* The largest pixel of cell "i" of the plane at "from"; 0 of none. */
static double roi_cell(const lpi_run *run, const double *box, int64_t i,
                       const double *from)
{
    const lpi_pool *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    const int64_t cells[2] = {i / y.dims[3], i % y.dims[3]};
    double scale = (double)params->spatial_scale, most = -INFINITY;
    int64_t first[2], until[2];

    for (int32_t a = 0; a < 2; a++) {
        const int64_t cell[2] = {cells[a], y.dims[2 + a]};

        cell_range(round(box[2 - a] * scale), round(box[4 - a] * scale), cell,
                   x.dims[2 + a], &first[a], &until[a]);
    }
    for (int64_t r = first[0]; r < until[0]; r++)
        for (int64_t c = first[1]; c < until[1]; c++)
            most = fmax(most, from[r * x.dims[3] + c]);
    return isinf(most) && most < 0 ? 0 : most;
}

lp_status lpi_roi_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t plane = lpi_dims_product(x, 2, 4), out = lpi_dims_product(y, 2, 4);
    const double *from, *boxes;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_reals(run, 1, &boxes));
    LP_TRY(lpi_run_wants(run, 1, lpi_mul(y.dims[0], 5)));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t n = 0; n < y.dims[0]; n++) {
        double batch = boxes[n * 5];

        if (!(batch >= 0 && batch < (double)x.dims[0]))
            return lpi_node_fail(run->node, "region %lld is of no image",
                                 (long long)n);
        for (int64_t i = 0; i < y.dims[1] * out; i++)
            to[n * y.dims[1] * out + i] =
                roi_cell(run, boxes + n * 5, i % out,
                         from + ((int64_t)batch * x.dims[1] + i / out) * plane);
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- Col2Im -------------------------------------------------------------- */

enum { FOLD_MOST = 8 };

/* Item "i" of "list", "absent" when it has none. */
static int64_t item(const lpi_list *list, int64_t i, int64_t absent)
{
    return i < list->count ? list->ints[i] : absent;
}

static bool is_small(int64_t x)
{
    return x >= -(1 << 24) && x <= 1 << 24;
}

/* Where block element "e" of block "b" falls in the image, -1: outside. */
static int64_t fold_place(const lpi_sample *params, const lpi_list *image,
                          const lpi_list *block, const int64_t *blocks,
                          const int64_t element_and_block[2])
{
    int64_t e = element_and_block[0], b = element_and_block[1], at = 0;
    int64_t scale = 1;

    for (int64_t i = image->count - 1; i >= 0; i--) {
        int64_t x = b % blocks[i] * item(&params->strides, i, 1) +
                    e % block->ints[i] * item(&params->dilations, i, 1) -
                    item(&params->pads, i, 0);

        if (x < 0 || x >= image->ints[i])
            return -1;
        at += x * scale;
        scale *= image->ints[i];
        e /= block->ints[i];
        b /= blocks[i];
    }
    return at;
}

lp_status lpi_fold_run(const lpi_run *run)
{
    const lpi_sample *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t blocks[FOLD_MOST], size, pixels = lpi_dims_product(y, 2, y.rank);
    int64_t count = 1;
    lpi_list image, block;
    const double *from;
    double *to;

    LP_TRY(lpi_run_ints(run, 1, &image));
    LP_TRY(lpi_run_ints(run, 2, &block));
    if (image.count > FOLD_MOST || block.count != image.count)
        return lpi_node_fail(run->node, "blocks of %lld axes",
                             (long long)block.count);
    for (int64_t i = 0; i < image.count; i++) {
        int64_t stride = item(&params->strides, i, 1);

        if (!is_small(stride) || !is_small(item(&params->dilations, i, 1)) ||
            !is_small(item(&params->pads, i, 0)) ||
            !is_small(item(&params->pads, image.count + i, 0)) ||
            !is_small(block.ints[i]) || !is_small(image.ints[i]) ||
            block.ints[i] < 1)
            return lpi_node_fail(run->node, "a size of axis %lld is too large",
                                 (long long)i);
        int64_t reach = item(&params->dilations, i, 1) * (block.ints[i] - 1);
        int64_t room = image.ints[i] + item(&params->pads, i, 0) +
                       item(&params->pads, image.count + i, 0) - reach - 1;

        if (stride < 1 || room < 0)
            return lpi_node_fail(run->node, "the image holds no block");
        blocks[i] = room / stride + 1;
        count = lpi_mul(count, blocks[i]);
    }
    if (count != x.dims[2])
        return lpi_node_fail(run->node, "%lld blocks, the image holds %lld",
                             (long long)x.dims[2], (long long)count);
    size = lpi_product(block.ints, block.count);
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_shape_elements(x); i++) {
        int64_t row = i / count;
        const int64_t which[2] = {row % size, i % count};
        int64_t at = fold_place(params, &image, &block, blocks, which);

        if (at >= 0)
            to[row / size * pixels + at] += from[i];
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- DeformConv ---------------------------------------------------------- */

/* A pixel of the plane at "from", 0 outside. */
static double pixel(const int64_t size[2], const double *from, double y,
                    double x)
{
    bool inside = y >= 0 && y < (double)size[0] && x >= 0 &&
                  x < (double)size[1];

    return inside ? from[(int64_t)y * size[1] + (int64_t)x] : 0;
}

/* The plane at "from" between its pixels; zeros around it. */
static double between(const int64_t size[2], const double *from, double y,
                      double x)
{
    double top = floor(y), left = floor(x), dy = y - top, dx = x - left;

    return (1 - dy) * ((1 - dx) * pixel(size, from, top, left) +
                       dx * pixel(size, from, top, left + 1)) +
           dy * ((1 - dx) * pixel(size, from, top + 1, left) +
                 dx * pixel(size, from, top + 1, left + 1));
}

/* The operands of a DeformConv as doubles, and its sizes. */
typedef struct deform {
    lp_shape x, w, y;
    lpi_sliding slide;
    const double *in, *weight, *offset, *bias, *mask;
    int64_t group, offset_group;
} deform;

/* The value at place "at" of channel "channel" of batch "batch". */
static double deform_at(const deform *d, int64_t batch, int64_t channel,
                        int64_t at)
{
    int64_t taps = d->w.dims[2] * d->w.dims[3],
            out = d->y.dims[2] * d->y.dims[3];
    int64_t width = d->w.dims[1];
    int64_t first = channel / (d->w.dims[0] / d->group) * width;
    double sum = d->bias != NULL ? d->bias[channel] : 0;

    for (int64_t i = 0; i < width * taps; i++) {
        int64_t c = first + i / taps, t = i % taps;
        int64_t g = c / (d->x.dims[1] / d->offset_group);
        int64_t tap = (batch * d->offset_group + g) * taps + t;
        const double *offset = d->offset + tap * 2 * out + at;
        double y = (double)(at / d->y.dims[3] * d->slide.stride[1] -
                            d->slide.pad[1] +
                            t / d->w.dims[3] * d->slide.dilation[1]);
        double x = (double)(at % d->y.dims[3] * d->slide.stride[2] -
                            d->slide.pad[2] +
                            t % d->w.dims[3] * d->slide.dilation[2]);
        const double *plane = d->in + (batch * d->x.dims[1] + c) *
                                          d->x.dims[2] * d->x.dims[3];

        sum += d->weight[channel * width * taps + i] *
               (d->mask != NULL ? d->mask[tap * out + at] : 1) *
               between(d->x.dims + 2, plane, y + offset[0], x + offset[out]);
        LPI_MACS(1);
    }
    return sum;
}

lp_status lpi_deform_run(const lpi_run *run)
{
    const lpi_conv_params *params = run->node->params;
    deform d = {.x = lpi_in_shape(run->node, 0),
                .w = lpi_in_shape(run->node, 1),
                .y = lpi_out_shape(run->node, 0),
                .group = params->window.group,
                .offset_group = params->offset_group};
    int64_t out = lpi_dims_product(d.y, 2, d.y.rank), taps;
    double *to;

    if (d.x.rank != 4 || d.group < 1 || d.offset_group < 1 ||
        d.x.dims[1] % d.offset_group || d.w.dims[0] % d.group)
        return lpi_node_fail(run->node, "groups do not divide the channels");
    const lp_shape spatial[2] = {{2, d.x.dims + 2}, {2, d.y.dims + 2}};
    LP_TRY(lpi_slide_resolve(run->node, &params->window, spatial, d.w.dims + 2,
                             false, &d.slide));
    taps = lpi_mul(lpi_mul(d.w.dims[2], d.w.dims[3]),
                   lpi_mul(d.offset_group, lpi_mul(out, d.x.dims[0])));
    if (lpi_in_elements(run->node, 2) != lpi_mul(taps, 2) ||
        (lpi_in(run->node, 4) && lpi_in_elements(run->node, 4) != taps) ||
        d.w.dims[1] * d.group != d.x.dims[1])
        return lpi_node_fail(run->node, "offsets, mask or weight do not fit");
    LP_TRY(lpi_run_reals(run, 0, &d.in));
    LP_TRY(lpi_run_reals(run, 1, &d.weight));
    LP_TRY(lpi_run_reals(run, 2, &d.offset));
    LP_TRY(lpi_run_reals(run, 3, &d.bias));
    LP_TRY(lpi_run_reals(run, 4, &d.mask));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i++)
        to[i] = deform_at(&d, i / out / d.y.dims[1], i / out % d.y.dims[1],
                          i % out);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}
