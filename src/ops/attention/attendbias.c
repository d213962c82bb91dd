/* attendbias.c: which keys a query of Attention may look at, and with which
 * bias: masks, causal order, windows, the number of keys that count.
 *
 * What may not be seen has bias -infinity.  Source: ONNX operator
 * Attention-28. */
#include <math.h>

#include "../ops.h"

lp_status lpi_bias_read(const lpi_run *run, lpi_bias *j)
{
    const lpi_node *node = run->node;
    int64_t count = lpi_in_elements(node, 3);
    const bool *bits;
    float *floats;

    if (lpi_in(node, 3) == NULL)
        return LP_OK;
    j->mask_shape = lpi_in_shape(node, 3);
    if (lpi_in_dtype(node, 3) != LP_BOOL)
        return lpi_run_floats(run, 3, &j->mask);
    floats = LPI_NEW(run->scratch, float, count);
    if (floats == NULL)
        return lpi_node_fail_memory(node);
    bits = run->in[3];
    for (int64_t i = 0; i < count; i++)
        floats[i] = bits[i] ? 0 : -(float)INFINITY;
    j->mask = floats;
    return LP_OK;
}

lpi_matrix lpi_bias_mask(const lpi_bias *j, int64_t b, int64_t h)
{
    const int64_t index[4] = {b, h, 0, 0};
    lp_shape shape = j->mask_shape;
    int64_t strides[4] = {0}, stride = 1;
    lpi_matrix mask = {.at = j->mask};

    if (j->mask == NULL)
        return mask;
    for (int32_t k = shape.rank - 1; k >= 0; k--) {
        int32_t axis = 4 - shape.rank + k;

        strides[axis] = shape.dims[k] == 1 ? 0 : stride;
        mask.at += strides[axis] * index[axis];
        stride *= shape.dims[k];
    }
    mask.row = strides[2];
    mask.column = strides[3];
    return mask;
}

/* Offset of the positions of the queries of batch "b" before the keys. */
static int64_t offset_of(const lpi_bias *j, int64_t b)
{
    int64_t queries = j->params->queries > 0 ? j->params->queries : j->queries;

    if (j->limits.count > 0)
        return j->limits.ints[b] - queries + j->params->first_row;
    return j->past + j->params->first_row;
}

/* Whether the query of row "row" of batch "b" may look at key "key". */
static bool sees(const lpi_bias *j, int64_t b, int64_t row, int64_t key)
{
    const lpi_attention_params *p = j->params;
    int64_t at = row + offset_of(j, b);

    return !((p->is_causal != 0 && key > at) ||
             (p->left_window_size >= 0 && at - key > p->left_window_size) ||
             (p->right_window_size >= 0 && key - at > p->right_window_size) ||
             (j->limits.count > 0 && key >= j->limits.ints[b]));
}

void lpi_bias_rows(const lpi_bias *j, const int64_t b_h[2], int64_t from,
                   int64_t rows, float *to, bool *live)
{
    lpi_matrix mask = lpi_bias_mask(j, b_h[0], b_h[1]);
    int64_t keys = j->keys;
    int64_t wide = j->mask == NULL ? keys
                   : mask.column == 0
                       ? keys
                       : j->mask_shape.dims[j->mask_shape.rank - 1];

    for (int64_t r = 0; r < rows; r++) {
        const float *row = mask.at ? mask.at + (from + r) * mask.row : NULL;

        live[r] = false;
        for (int64_t k = 0; k < keys; k++, to++) {
            *to = -(float)INFINITY;
            if (k < wide && sees(j, b_h[0], from + r, k))
                *to = j->mask != NULL ? row[k * mask.column] : 0;
            live[r] = live[r] || *to != -(float)INFINITY;
        }
    }
}
