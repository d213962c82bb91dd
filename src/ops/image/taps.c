/* taps.c: which input positions an output position of Resize takes, and with
 * which weights, an axis at a time.
 *
 * Weights are made in doubles and rounded once; those beyond the ends fall on
 * the ends.  Source: ONNX operator Resize-19 and its reference
 * implementation. */
#include <math.h>
#include <string.h>

#include "../ops.h"

int64_t lpi_resize_item(const lpi_resize *params, int32_t rank, int64_t axis)
{
    int64_t own;

    if (params->axes.count == 0)
        return axis;
    for (int64_t i = 0; i < params->axes.count; i++)
        if (lpi_axis(params->axes.ints[i], rank, &own) && own == axis)
            return i;
    return -1;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

double lpi_resize_position(const lpi_resize *p, const lpi_axis_map *m,
                           int64_t i)
{
    const char *mode = p->coordinate_transformation_mode;
    double x = (double)i, in = (double)m->in, scaled = m->scaled;

    if (is(mode, "align_corners"))
        return scaled != 1 ? x * (in - 1) / (scaled - 1) : 0;
    if (is(mode, "asymmetric"))
        return x / m->scale;
    if (is(mode, "tf_half_pixel_for_nn"))
        return (x + 0.5) / m->scale;
    if (is(mode, "pytorch_half_pixel") && m->out == 1)
        return 0;
    if (is(mode, "half_pixel_symmetric")) {
        double whole = (double)m->out / scaled;
        double shift = in / 2 * (1 - whole);

        return shift + (x + 0.5) / m->scale - 0.5;
    }
    if (is(mode, "tf_crop_and_resize")) {
        double start = m->is_cut ? m->roi[0] : 0;
        double end = m->is_cut ? m->roi[1] : 1;

        if (scaled == 1)
            return 0.5 * (start + end) * (in - 1);
        return start * (in - 1) + x * (end - start) * (in - 1) / (scaled - 1);
    }
    return (x + 0.5) / m->scale - 0.5;
}

bool lpi_resize_is_outside(const lpi_resize *p, const lpi_axis_map *m, double x)
{
    return is(p->coordinate_transformation_mode, "tf_crop_and_resize") &&
           !(x >= 0 && x <= (double)(m->in - 1));
}

int64_t lpi_resize_nearest(const lpi_resize *p, const lpi_axis_map *m, double x)
{
    double at;

    if (is(p->nearest_mode, "floor"))
        at = floor(x);
    else if (is(p->nearest_mode, "ceil"))
        at = ceil(x);
    else if (is(p->nearest_mode, "round_prefer_ceil"))
        at = floor(x + 0.5);
    else
        at = ceil(x - 0.5);
    return at < 0 ? 0 : at > (double)(m->in - 1) ? m->in - 1 : (int64_t)at;
}

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return 0;
}

static double linear(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Add the weight of position "at", kept within the axis, to those of output
 * "i", whose positions begin at first[i]. */
static void add_weight(const lpi_axis_map *m, lpi_resize_map *t, int64_t i,
                       int64_t at, double weight, double *sums)
{
    at = at < 0 ? 0 : at >= m->in ? m->in - 1 : at;
    sums[at - t->first[i]] += weight;
}

/* Weights of output position "i" of a linear or cubic axis. */
static void make_weights(const lpi_resize *p, const lpi_axis_map *m, int64_t i,
                         lpi_resize_map *t, double *sums)
{
    bool is_cubic = is(p->mode, "cubic");
    double x = lpi_resize_position(p, m, i), total = 0;
    double shrink = p->antialias != 0 && m->scale < 1 ? m->scale : 1;
    double reach = (is_cubic ? 2 : 1) / shrink;
    int64_t low, high, first, last;

    t->outside[i] = lpi_resize_is_outside(p, m, x);
    x = t->outside[i] ? 0 : x;
    low = (int64_t)floor(x - reach) + (shrink < 1 ? 1 : 0);
    high = (int64_t)ceil(x + reach);
    first = low < 0 ? 0 : low < m->in ? low : m->in - 1;
    last = high < 0 ? 0 : high < m->in ? high : m->in - 1;
    t->first[i] = first;
    t->count[i] = last - first + 1;
    memset(sums, 0, (size_t)t->most * sizeof(*sums));
    for (int64_t at = low; at <= high; at++) {
        double weight = is_cubic ? cubic(((double)at - x) * shrink,
                                         (double)p->cubic_coeff_a)
                                 : linear(((double)at - x) * shrink);

        if (weight == 0 || (p->exclude_outside != 0 && (at < 0 || at >= m->in)))
            continue;
        total += weight;
        add_weight(m, t, i, at, weight, sums);
    }
    if (shrink == 1 && p->exclude_outside == 0)
        total = 1;
    for (int64_t k = 0; k < t->count[i]; k++)
        t->weight[i * t->most + k] =
            (float)(total != 0 ? sums[k] / total : sums[k]);
}

lp_status lpi_resize_taps(const lpi_run *run, const lpi_axis_map *m,
                          lpi_resize_map *t)
{
    const lpi_resize *p = run->node->params;
    double reach = is(p->mode, "cubic") ? 2 : 1;
    double *sums;

    if (p->antialias != 0 && m->scale < 1)
        reach /= m->scale;
    if (reach > (double)m->in)
        reach = (double)m->in;
    t->most = (int64_t)(2 * reach) + 4;
    t->first = LPI_NEW(run->scratch, int64_t, m->out);
    t->count = LPI_NEW(run->scratch, int64_t, m->out);
    t->weight = LPI_NEW(run->scratch, float, lpi_mul(m->out, t->most));
    t->outside = LPI_NEW(run->scratch, bool, m->out);
    sums = LPI_NEW(run->scratch, double, t->most);
    if (t->first == NULL || t->count == NULL || t->weight == NULL ||
        t->outside == NULL || sums == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < m->out; i++)
        make_weights(p, m, i, t, sums);
    return LP_OK;
}
