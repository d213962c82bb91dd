/* cost.c: what one layer costs.
 *
 * Operands and results count whole, each tensor once a layer; a view moves
 * nothing; then the row adds its arithmetic and corrects the bytes where it
 * touches less.  Counts saturate, and one that does is an error. */
#include <string.h>

#include "ops.h"

/* The bytes that "layer" reads and writes when it touches all there is. */
static void count_bytes(const lp_layer *layer, lp_cost *cost)
{
    int32_t i;

    if (layer->row && layer->row->flags & LPI_VIEW && layer->inputs_count > 0 &&
        layer->inputs[0] && !layer->inputs[0]->is_static)
        return;
    cost->read_bytes = layer->operand_bytes;
    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i])
            cost->write_bytes =
                lpi_add(cost->write_bytes, lpi_tensor_bytes(layer->outputs[i]));
}

/* Every operand and result has a known shape. */
static bool shapes_known(const lp_layer *layer)
{
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i] && layer->inputs[i]->container == LPI_TENSOR &&
            !lpi_shape_known(layer->inputs[i]->shape))
            return false;
    return !layer->is_unknown;
}

static bool any_bound(lp_tensor *const *tensors, int32_t count)
{
    int32_t i;

    for (i = 0; i < count; i++)
        if (tensors[i] && tensors[i]->is_bound)
            return true;
    return false;
}

/* The number of counts in an lp_cost, which is made of nothing else. */
enum { COST_FIELDS = sizeof(lp_cost) / sizeof(int64_t) };

static bool overflowed(const lp_cost *cost)
{
    int64_t fields[COST_FIELDS];
    int32_t i;

    memcpy(fields, cost, sizeof(fields));
    for (i = 0; i < COST_FIELDS; i++)
        if (fields[i] < 0 || fields[i] >= INT64_MAX / 4)
            return true;
    return false;
}

lp_status lpi_layer_cost(const lp_model *model, const lp_layer *layer,
                         lp_cost *ret_cost, lp_row_status *ret_status,
                         lp_error *error)
{
    lp_cost cost = {0};
    lp_row_status status = LP_EXACT;
    lpi_node node = {.model = (lp_model *)model,
                     .layer = (lp_layer *)layer,
                     .params = layer->params,
                     .error = error,
                     .status = &status};

    count_bytes(layer, &cost);
    if (!shapes_known(layer))
        status = LP_UNKNOWN;
    else if (layer->note || any_bound(layer->inputs, layer->inputs_count) ||
             any_bound(layer->outputs, layer->outputs_count))
        status = LP_ESTIMATED;
    if (status != LP_UNKNOWN && layer->row->cost)
        layer->row->cost(&node, &cost);
    if (overflowed(&cost))
        return lpi_node_fail(&node, "its cost does not fit 64 bits");
    *ret_cost = cost;
    *ret_status = status;
    return LP_OK;
}

void lpi_cost_add(lp_cost *sum, const lp_cost *more)
{
    int64_t a[COST_FIELDS], b[COST_FIELDS];
    int32_t i;

    memcpy(a, sum, sizeof(a));
    memcpy(b, more, sizeof(b));
    for (i = 0; i < COST_FIELDS; i++)
        a[i] = lpi_add(a[i], b[i]);
    memcpy(sum, a, sizeof(a));
}

void lpi_cost_scale(lp_cost *cost, int64_t factor)
{
    int64_t fields[COST_FIELDS];
    int32_t i;

    memcpy(fields, cost, sizeof(fields));
    for (i = 0; i < COST_FIELDS; i++)
        fields[i] = lpi_mul(fields[i], factor);
    memcpy(cost, fields, sizeof(fields));
}

lp_status lpi_model_cost(const lp_model *model, lp_cost *ret_cost,
                         lp_row_status *ret_status, lp_error *error)
{
    lp_cost sum = {0};
    lp_row_status worst = LP_EXACT;
    int64_t i;

    for (i = 0; i < model->layers_count; i++) {
        lp_row_status status;
        lp_cost cost;

        if (model->layers[i]->is_static)
            continue;
        LP_TRY(lpi_layer_cost(model, model->layers[i], &cost, &status, error));
        lpi_cost_add(&sum, &cost);
        if (status > worst)
            worst = status;
    }
    *ret_cost = sum;
    *ret_status = worst;
    return LP_OK;
}
