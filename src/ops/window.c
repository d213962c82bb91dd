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

#include "ops.h"

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

static lp_status check_window(const lpi_node *node, const lpi_window *window,
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

static bool is_same(const lpi_window *window)
{
    return strncmp(window->auto_pad, "SAME", 4) == 0;
}

/* Sum of the explicit pads of axis "i" of "rank"; none with auto_pad. */
static int64_t pads_of(const lpi_window *window, int32_t rank, int64_t i)
{
    if (strcmp(window->auto_pad, "VALID") == 0)
        return 0;
    return item(&window->pads, i, 0) + item(&window->pads, rank + i, 0);
}

/* Positions along axis "i" of an input of extent "in". */
static lp_status slide_axis(const lpi_node *node, const lpi_window *window,
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

lp_status lpi_window_slide(const lpi_node *node, const lpi_window *window,
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
static lp_status spread_axis(const lpi_node *node, const lpi_window *window,
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

lp_status lpi_window_spread(const lpi_node *node, const lpi_window *window,
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
