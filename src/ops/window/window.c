/* window.c: how many positions a sliding window takes (convolution, pooling),
 * and how far a transposed one spreads.
 *
 * Source: ONNX operators Conv-22, AveragePool-22 and ConvTranspose-22.  Where
 * versions or tools differ, what runtimes do counts: with ceil_mode a last
 * window that would start in the right padding is left out in every opset, and
 * a transposed convolution with SAME padding never spreads beyond input x
 * stride, whatever its output_padding is.  An absent list stands for ones
 * (strides, dilations) or zeros (pads). */
#include <string.h>

#include "../ops.h"

static int64_t item(const lpi_list *list, int64_t i, int64_t absent)
{
    return list->count > i ? list->ints[i] : absent;
}

/* "list" is absent or has "count" items, all of "least" or more. */
static lp_status check_list(const lpi_node *node, const char *name,
                            const lpi_list *list, int64_t count, int64_t least)
{
    if (list->count != 0 && list->count != count)
        return lpi_node_fail(node, "%s has %lld items, not %lld", name,
                             (long long)list->count, (long long)count);
    for (int64_t i = 0; i < list->count; i++)
        if (list->ints[i] < least || list->ints[i] > INT32_MAX)
            return lpi_node_fail(node, "%s holds %lld", name,
                                 (long long)list->ints[i]);
    return LP_OK;
}

static lp_status check_window(const lpi_node *node, const lpi_slide *window,
                              lp_shape in, const int64_t *kernel)
{
    static const char *const pads[] = {"NOTSET", "", "VALID", "SAME_UPPER",
                                       "SAME_LOWER"};
    int32_t i = 0;

    LP_TRY(check_list(node, "strides", &window->strides, in.rank, 1));
    LP_TRY(check_list(node, "dilations", &window->dilations, in.rank, 1));
    LP_TRY(check_list(node, "pads", &window->pads, 2 * (int64_t)in.rank,
                      -INT32_MAX));
    for (i = 0; i < in.rank; i++)
        if (kernel[i] == 0 || kernel[i] > INT32_MAX)
            return lpi_node_fail(node, "kernel of extent %lld",
                                 (long long)kernel[i]);
    for (i = 0; i < LPI_COUNT(pads); i++)
        if (strcmp(window->auto_pad, pads[i]) == 0)
            return LP_OK;
    return lpi_node_fail(node, "auto_pad is '%s'", window->auto_pad);
}

static bool is_same(const lpi_slide *window)
{
    return strncmp(window->auto_pad, "SAME", 4) == 0;
}

/* Sum of the explicit pads of axis "i" of "rank"; none with auto_pad. */
static int64_t pads_of(const lpi_slide *window, int32_t rank, int64_t i)
{
    if (strcmp(window->auto_pad, "VALID") == 0)
        return 0;
    return item(&window->pads, i, 0) + item(&window->pads, rank + i, 0);
}

/* Positions along axis "i" of an input of extent "in". */
static lp_status slide_axis(const lpi_node *node, const lpi_slide *window,
                            int32_t i, const int64_t sizes[3], int64_t *ret_out)
{
    int64_t in = sizes[0], kernel = sizes[1], rank = sizes[2];
    int64_t stride = item(&window->strides, i, 1);
    int64_t wide = (kernel - 1) * item(&window->dilations, i, 1) + 1;
    int64_t span = in - wide + pads_of(window, (int32_t)rank, i);
    int64_t out;

    if (in == 0 || is_same(window)) {
        *ret_out = lpi_ceil_div(in, stride);
        return LP_OK;
    }
    if (span < 0)
        return lpi_node_fail(node,
                             "a window of %lld does not fit an input of %lld",
                             (long long)wide, (long long)in);
    out =
        (window->ceil_mode != 0 ? lpi_ceil_div(span, stride) : span / stride) +
        1;
    if (window->ceil_mode != 0 &&
        (out - 1) * stride >= in + item(&window->pads, i, 0))
        out--;
    *ret_out = out;
    return LP_OK;
}

lp_status lpi_window_slide(const lpi_node *node, const lpi_slide *window,
                           lp_shape in, const int64_t *kernel, int64_t *out)
{
    LP_TRY(check_window(node, window, in, kernel));
    for (int32_t i = 0; i < in.rank; i++) {
        const int64_t sizes[3] = {in.dims[i], kernel[i], in.rank};

        out[i] = -1;
        if (in.dims[i] >= 0 && (kernel[i] >= 0 || is_same(window)))
            LP_TRY(slide_axis(node, window, i, sizes, &out[i]));
    }
    return LP_OK;
}

/* Extent along axis "i" of what "sizes" (input, kernel, rank) spreads to.  With
 * SAME padding it is cut to input x stride, where it reaches that far. */
static lp_status spread_axis(const lpi_node *node, const lpi_slide *window,
                             int32_t i, const int64_t sizes[3],
                             int64_t *ret_out)
{
    int64_t in = sizes[0], kernel = sizes[1], rank = sizes[2];
    int64_t stride = item(&window->strides, i, 1);
    int64_t wide = (kernel - 1) * item(&window->dilations, i, 1) + 1;
    int64_t out = in > 0 ? lpi_mul(in - 1, stride) : 0;

    out = lpi_add(out, lpi_add(wide, item(&window->output_padding, i, 0)));
    if (!is_same(window))
        out -= pads_of(window, (int32_t)rank, i);
    else if (out > lpi_mul(in, stride))
        out = lpi_mul(in, stride);
    if (out < 0)
        return lpi_node_fail(node, "the pads leave nothing of axis %d", i + 2);
    *ret_out = out;
    return LP_OK;
}

lp_status lpi_window_spread(const lpi_node *node, const lpi_slide *window,
                            lp_shape in, const int64_t *kernel, int64_t *out)
{
    const lpi_list *shape = &window->output_shape;
    int64_t skip = shape->count == in.rank + 2 ? 2 : 0;

    LP_TRY(check_window(node, window, in, kernel));
    LP_TRY(check_list(node, "output_padding", &window->output_padding, in.rank,
                      0));
    LP_TRY(check_list(node, "output_shape", shape, in.rank + skip, 0));
    for (int32_t i = 0; i < in.rank; i++) {
        const int64_t sizes[3] = {in.dims[i], kernel[i], in.rank};

        out[i] = shape->count > 0 ? shape->ints[i + skip] : -1;
        if (shape->count == 0 && in.dims[i] >= 0 && kernel[i] >= 0)
            LP_TRY(spread_axis(node, window, i, sizes, &out[i]));
    }
    return LP_OK;
}

/* Pads in front of and behind axis "k" of "s" (axis "i" of "rank"). */
static void resolve_pads(const lpi_slide *window, int32_t rank, int32_t i,
                         bool is_transposed, lpi_sliding *s, int32_t k)
{
    int64_t wide = (s->kernel[k] - 1) * s->dilation[k] + 1, total;
    bool by_shape = is_transposed && window->output_shape.count > 0;

    if (window->is_cut) {
        s->pad[k] = window->cut[k];
        s->pad_end[k] = window->cut[LPI_SPATIAL + k];
        return;
    }
    s->pad[k] = s->pad_end[k] = 0;
    if (!is_same(window) && !by_shape) {
        if (strcmp(window->auto_pad, "VALID") != 0) {
            s->pad[k] = item(&window->pads, i, 0);
            s->pad_end[k] = item(&window->pads, rank + i, 0);
        }
        return;
    }
    if (is_transposed)
        total = (s->in[k] - 1) * s->stride[k] + wide +
                item(&window->output_padding, i, 0) - s->out[k];
    else
        total = (s->out[k] - 1) * s->stride[k] + wide - s->in[k];
    if (total < 0)
        total = 0;
    s->pad[k] = strcmp(window->auto_pad, "SAME_UPPER") == 0 ? total / 2
                                                            : total - total / 2;
    s->pad_end[k] = total - s->pad[k];
}

lp_status lpi_slide_resolve(const lpi_node *node, const lpi_slide *window,
                            const lp_shape spatial[2], const int64_t *kernel,
                            bool is_transposed, lpi_sliding *ret_sliding)
{
    int32_t rank = spatial[0].rank, lead = LPI_SPATIAL - rank;
    lpi_sliding s;

    if (rank > LPI_SPATIAL)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "%d spatial axes", rank);
    for (int32_t k = 0; k < LPI_SPATIAL; k++) {
        int32_t i = k - lead;

        s.in[k] = i < 0 ? 1 : spatial[0].dims[i];
        s.out[k] = i < 0 ? 1 : spatial[1].dims[i];
        s.kernel[k] = i < 0 ? 1 : kernel[i];
        s.stride[k] = i < 0 ? 1 : item(&window->strides, i, 1);
        s.dilation[k] = i < 0 ? 1 : item(&window->dilations, i, 1);
        s.pad[k] = s.pad_end[k] = 0;
        if (i >= 0)
            resolve_pads(window, rank, i, is_transposed, &s, k);
    }
    *ret_sliding = s;
    return LP_OK;
}

void lpi_slide_cut(const lpi_sliding *s, lpi_slide *window, const lpi_box *out,
                   int32_t first, lpi_box *in)
{
    int32_t rank = out->rank - 2, lead = LPI_SPATIAL - rank;

    window->is_cut = true;
    for (int32_t i = 0; i < rank; i++) {
        int32_t k = lead + i, axis = first + i;
        int64_t wide = (s->kernel[k] - 1) * s->dilation[k] + 1;
        int64_t from = out->from[axis] * s->stride[k] - s->pad[k];
        int64_t to = (out->to[axis] - 1) * s->stride[k] - s->pad[k] + wide;
        int64_t end = s->in[k] + s->pad_end[k], start = from;

        from = from < 0 ? 0 : from < s->in[k] ? from : s->in[k] - 1;
        in->from[axis] = from;
        in->to[axis] = to > s->in[k] ? s->in[k] : to > from ? to : from + 1;
        window->cut[k] = from - start;
        to = to < end ? to : end;
        window->cut[LPI_SPATIAL + k] = to > in->to[axis] ? to - in->to[axis]
                                                         : 0;
    }
}
