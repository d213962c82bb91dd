/* recurquant.c: what quantizes in DynamicQuantizeLSTM.
 *
 * ONNX Runtime quantizes what enters each product to bytes, by the range of all
 * of it, and multiplies integers.  Here these bytes are floats that have been
 * rounded to them, and the weights floats that they stand for: the sums differ
 * by the rounding of floats alone.  Source: onnxruntime, contributed operator
 * DynamicQuantizeLSTM. */
#include <string.h>

#include "../ops.h"

void lpi_round_range(const lpi_run *run, const float *from, int64_t count,
                     float *to)
{
    float scale, zero;

    lpi_quantize_range(run, from, count, &scale, &zero);
    for (int64_t i = 0; i < count; i++) {
        float q = lpi_round_even(from[i] / scale) + zero;

        to[i] = ((q < 0 ? 0 : q > 255 ? 255 : q) - zero) * scale;
    }
}

lp_status lpi_quantized_weights(const lpi_run *run, int32_t i, int32_t scales,
                                int64_t direction, float *to)
{
    lp_shape w = lpi_in_shape(run->node, i);
    int64_t rows = w.dims[1], columns = w.dims[2];
    bool is_wide = lpi_in_elements(run->node, scales) != w.dims[0];
    const lpi_isa *isa = lpi_run_team(run).isa;
    const float *by[2] = {NULL, NULL};

    for (int32_t k = 0; k < 2; k++) {
        int64_t count = lpi_in_elements(run->node, scales + k);
        float *own = LPI_NEW(run->scratch, float, count);

        if (lpi_in(run->node, scales + k) == NULL)
            continue;
        if (own == NULL)
            return lpi_node_fail_memory(run->node);
        lpi_load_floats(isa, lpi_in_dtype(run->node, scales + k),
                        run->in[scales + k], 0, count, own);
        by[k] = own + direction * (is_wide ? columns : 1);
    }
    lpi_load_floats(isa, lpi_in_dtype(run->node, i), run->in[i],
                    direction * rows * columns, rows * columns, to);
    for (int64_t k = 0; k < rows * columns; k++) {
        int64_t at = is_wide ? k % columns : 0;

        to[k] = (to[k] - (by[1] != NULL ? by[1][at] : 0)) * by[0][at];
    }
    return LP_OK;
}

lp_status lpi_rounded_inputs(const lpi_run *run, const int64_t *lengths,
                             const float **x)
{
    lp_shape shape = lpi_in_shape(run->node, 0);
    int64_t batch = shape.dims[1], most = lengths == NULL ? shape.dims[0] : 0;
    int64_t whole = lpi_in_elements(run->node, 0);
    float *to = LPI_NEW(run->scratch, float, whole);

    if (to == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t b = 0; lengths != NULL && b < batch; b++)
        if (lengths[b] > most)
            most = lengths[b] < shape.dims[0] ? lengths[b] : shape.dims[0];
    memset(to, 0, (size_t)whole * sizeof(*to));
    lpi_round_range(run, *x, most * batch * shape.dims[2], to);
    *x = to;
    return LP_OK;
}
