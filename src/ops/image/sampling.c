/* sampling.c: runs of Resize and Upsample.
 *
 * Axis by axis, from the last to the first: each output position of an axis is
 * a weighted sum of input positions, in ascending order, in floats; the
 * weights are made in doubles.  Source: ONNX operator Resize-19 and its
 * reference in onnx/reference/ops/op_resize.py. */
#include <math.h>
#include <string.h>

#include "../ops.h"

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* One axis of outer x axis x inner at work. */
typedef struct pass {
    const lpi_isa *isa;
    const lpi_resize_map *t;
    int64_t in, out, inner;
    const float *from;
    float *to, extrapolation;
} pass;

/* A row whose elements are neighbours along the axis. */
static void sum_row(const pass *p, const float *from, float *to)
{
    const lpi_resize_map *t = p->t;

    for (int64_t i = 0; i < p->out; i++) {
        const float *weight = t->weight + i * t->most;
        const float *row = from + t->first[i];
        float sum = 0;

        for (int64_t k = 0; k < t->count[i]; k++)
            sum += weight[k] * row[k];
        to[i] = t->outside[i] ? p->extrapolation : sum;
    }
}

/* The same where "inner" elements stand side by side. */
static void sum_rows(const pass *p, const float *from, float *to)
{
    const lpi_resize_map *t = p->t;

    for (int64_t i = 0; i < p->out; i++, to += p->inner) {
        const float *weight = t->weight + i * t->most;
        const float *row = from + t->first[i] * p->inner;

        memset(to, 0, (size_t)p->inner * sizeof(*to));
        for (int64_t k = 0; k < t->count[i]; k++, row += p->inner) {
            float w = weight[k];

#pragma omp simd
            for (int64_t x = 0; x < p->inner; x++)
                to[x] += w * row[x];
        }
        for (int64_t x = 0; x < p->inner && t->outside[i]; x++)
            to[x] = p->extrapolation;
    }
}

static void pass_rows(const void *context, int64_t first, int64_t last)
{
    const pass *p = context;

    for (; first < last; first++) {
        const float *from = p->from + first * p->in * p->inner;
        float *to = p->to + first * p->out * p->inner;

        (p->inner == 1 ? sum_row : sum_rows)(p, from, to);
    }
}

/* ---- all axes ----------------------------------------------------------- */

/* Scales as given, or the quotient of the extents. */
static lp_status map_axes(const lpi_run *run, lpi_axis_map *maps)
{
    const lpi_resize *p = run->node->params;
    const lpi_isa *isa = lpi_run_team(run).isa;
    lp_shape x = lpi_in_shape(run->node, LPI_RESIZE_X);
    lp_shape y = lpi_out_shape(run->node, 0);
    int64_t scales = lpi_in_elements(run->node, LPI_RESIZE_SCALES);
    int64_t roi = lpi_in_elements(run->node, LPI_RESIZE_ROI);
    bool sized = lpi_in_elements(run->node, LPI_RESIZE_SIZES) > 0;

    for (int32_t i = 0; i < x.rank; i++) {
        int64_t item = lpi_resize_item(p, x.rank, i);
        lpi_axis_map *m = &maps[i];
        float value;

        *m = (lpi_axis_map){.in = x.dims[i], .out = y.dims[i]};
        if (item < 0)
            continue;
        m->scale = (double)y.dims[i] / (double)x.dims[i];
        m->scaled = (double)y.dims[i];
        if (!sized && item < scales) {
            lpi_load_floats(isa, lpi_in_dtype(run->node, LPI_RESIZE_SCALES),
                            run->in[LPI_RESIZE_SCALES], item, 1, &value);
            m->scale = (double)value;
            m->scaled = m->scale * (double)x.dims[i];
        }
        if (p->factor[i < LPI_RANKS ? i : 0] > 0)
            m->scale = (double)p->factor[i];
        if (roi >= 2 * (item + 1) && run->in[LPI_RESIZE_ROI] != NULL) {
            lp_dtype type = lpi_in_dtype(run->node, LPI_RESIZE_ROI);

            m->is_cut = true;
            for (int32_t k = 0; k < 2; k++) {
                lpi_load_floats(isa, type, run->in[LPI_RESIZE_ROI],
                                item + k * roi / 2, 1, &value);
                m->roi[k] = (double)value;
            }
        }
    }
    return LP_OK;
}

bool lpi_resize_is_same(const lpi_resize *p, const lpi_axis_map *m)
{
    return m->scale == 0 ||
           (m->in == m->out && m->scale == 1 &&
            !is(p->coordinate_transformation_mode, "tf_crop_and_resize"));
}

/* The one scale of the axes that keep the aspect ratio. */
static lp_status keep_ratio(const lpi_run *run, lpi_axis_map *maps)
{
    const lpi_resize *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, LPI_RESIZE_X);
    bool least = is(p->keep_aspect_ratio_policy, "not_larger");
    double common = 0;
    lpi_list sizes;

    if (lpi_in_elements(run->node, LPI_RESIZE_SIZES) == 0 ||
        is(p->keep_aspect_ratio_policy, "stretch"))
        return LP_OK;
    LP_TRY(lpi_run_ints(run, LPI_RESIZE_SIZES, &sizes));
    for (int32_t i = 0; i < x.rank; i++) {
        int64_t item = lpi_resize_item(p, x.rank, i);
        double scale;

        if (item < 0)
            continue;
        scale = (double)sizes.ints[item] / (double)x.dims[i];
        if (common == 0 || (least ? scale < common : scale > common))
            common = scale;
    }
    for (int32_t i = 0; i < x.rank; i++)
        if (lpi_resize_item(p, x.rank, i) >= 0)
            maps[i].scale = common;
    return LP_OK;
}

/* No axis before "k" changes. */
static bool is_last(const lpi_resize *p, const lpi_axis_map *maps, int32_t k)
{
    while (k > 0 && lpi_resize_is_same(p, &maps[k - 1]))
        k--;
    return k == 0;
}

/* Weighted sums along each axis that changes, the last one first. */
static lp_status sum_axes(const lpi_run *run, const lpi_axis_map *maps)
{
    const lpi_resize *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t inner = 1, outer = lpi_in_elements(run->node, 0);
    lp_dtype type = lpi_in_dtype(run->node, 0);
    const float *from = NULL;
    float *copy = NULL;

    if (type == LP_FLOAT32) {
        from = run->in[0];
    } else {
        copy = LPI_NEW(run->scratch, float, outer);
        if (copy == NULL)
            return lpi_node_fail_memory(run->node);
        lpi_load_floats(lpi_run_team(run).isa, type, run->in[0], 0, outer,
                        copy);
        from = copy;
    }
    for (int32_t k = x.rank - 1; k >= 0; k--) {
        const lpi_axis_map *m = &maps[k];
        pass work = {.isa = lpi_run_team(run).isa,
                     .in = m->in,
                     .out = m->out,
                     .inner = inner,
                     .from = from,
                     .extrapolation = p->extrapolation_value};
        lpi_resize_map t;

        outer /= m->in;
        inner *= m->out;
        if (lpi_resize_is_same(p, m))
            continue;
        LP_TRY(lpi_resize_taps(run, m, &t));
        work.t = &t;
        work.to = type == LP_FLOAT32 && is_last(p, maps, k)
                      ? (float *)run->out[0]
                      : LPI_NEW(run->scratch, float, lpi_mul(outer, inner));
        if (work.to == NULL)
            return lpi_node_fail_memory(run->node);
        lpi_run_share(run, outer, lpi_mul(outer, inner * t.most), pass_rows,
                      &work);
        from = work.to;
    }
    if (from != run->out[0])
        lpi_store_floats(lpi_run_team(run).isa, type, from, 0, inner,
                         run->out[0]);
    return LP_OK;
}

lp_status lpi_resize_run(const lpi_run *run)
{
    const lpi_resize *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, LPI_RESIZE_X);
    lpi_axis_map *maps = LPI_NEW(run->scratch, lpi_axis_map, x.rank + 1);

    if (maps == NULL)
        return lpi_node_fail_memory(run->node);
    if (lpi_out_elements(run->node, 0) == 0)
        return LP_OK;
    if (lpi_in_elements(run->node, LPI_RESIZE_X) == 0)
        return lpi_node_fail(run->node, "there is nothing to sample");
    LP_TRY(map_axes(run, maps));
    LP_TRY(keep_ratio(run, maps));
    if (is(p->mode, "nearest"))
        return lpi_resize_copy(run, maps);
    return sum_axes(run, maps);
}

/* The scale of axis "k" is known to be "factor". */
static bool scales_by(const lpi_node *node, int32_t k, int64_t factor)
{
    const lp_tensor *scales = lpi_in(node, LPI_RESIZE_SCALES);
    int64_t item = lpi_resize_item(node->params, lpi_in_shape(node, 0).rank, k);
    float value;

    if (scales == NULL || lpi_tensor_elements(scales) == 0 || item < 0)
        return true;
    if (scales->value == NULL || scales->dtype != LP_FLOAT32)
        return false;
    memcpy(&value, (const float *)scales->value + item, sizeof(value));
    return value == (float)factor;
}

/* Nearest neighbours by whole factors, each output element being input element
 * i / factor: the box of the output must begin and end at multiples. */
lp_status lpi_resize_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params)
{
    lpi_resize *p = params;
    lp_shape x = lpi_in_shape(node, 0), y = lpi_out_shape(node, 0);
    bool fits = is(p->mode, "nearest") &&
                (is(p->coordinate_transformation_mode, "asymmetric") ||
                 is(p->coordinate_transformation_mode, "half_pixel") ||
                 is(p->coordinate_transformation_mode, "pytorch_half_pixel")) &&
                (is(p->nearest_mode, "floor") ||
                 !is(p->coordinate_transformation_mode, "asymmetric")) &&
                out->rank <= LPI_RANKS;

    in[0] = *out;
    for (int32_t k = 0; k < out->rank && fits; k++) {
        int64_t factor = x.dims[k] > 0 ? y.dims[k] / x.dims[k] : 0;

        fits = factor > 0 && y.dims[k] == x.dims[k] * factor &&
               scales_by(node, k, factor) && out->from[k] % factor == 0 &&
               out->to[k] % factor == 0;
        if (!fits)
            break;
        in[0].from[k] = out->from[k] / factor;
        in[0].to[k] = out->to[k] / factor;
        p->factor[k] = factor;
    }
    if (!fits)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "a tile cuts what is not repeated a whole number of "
                        "times");
    for (int32_t i = 1; i < node->layer->inputs_count; i++)
        in[i] = lpi_box_whole(node, i);
    return LP_OK;
}
