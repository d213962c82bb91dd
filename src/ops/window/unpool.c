/* unpool.c: the run of MaxUnpool.  Source: ONNX operator MaxUnpool-22. */
#include <string.h>

#include "../ops.h"

/* Indices count in the shape that the window gives; a larger output_shape
 * holds it at its front. */
lp_status lpi_unpool_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    const lpi_slide *window = node->params;
    lp_shape x = lpi_in_shape(node, 0), y = lpi_out_shape(node, 0);
    lp_shape spatial = {x.rank - 2, x.dims + 2};
    int64_t *dims = LPI_NEW(run->scratch, int64_t, x.rank);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, x.rank);
    int32_t bits = lp_dtype_bits(lpi_in_dtype(node, 0));
    lpi_list at;

    if (dims == NULL || strides == NULL)
        return lpi_node_fail_memory(node);
    LP_TRY(lpi_run_ints(run, 1, &at));
    dims[0] = x.dims[0];
    dims[1] = x.dims[1];
    LP_TRY(lpi_window_spread(node, window, spatial, window->kernel_shape.ints,
                             dims + 2));
    lpi_strides(y.rank, y.dims, strides);
    memset(run->out[0], 0, (size_t)lpi_tensor_bytes(lpi_out(node, 0)));
    for (int64_t i = 0; i < at.count; i++) {
        int64_t rest = at.ints[i], to = 0;
        bool inside = rest >= 0;

        for (int32_t k = x.rank - 1; k >= 0 && inside; k--) {
            int64_t own = k > 0 ? rest % dims[k] : rest;

            inside = own < y.dims[k];
            to += own * strides[k];
            rest /= dims[k];
        }
        if (!inside)
            return lpi_node_fail(node, "index %lld is out of the output",
                                 (long long)at.ints[i]);
        lpi_copy_run(bits, 1, (lpi_place){run->out[0], to, NULL},
                     (lpi_place){(void *)run->in[0], i, NULL});
    }
    return LP_OK;
}
