/* width.c: what layers read when weights are stored at another width.
 *
 * Each static tensor takes its own bytes, or those of what it is made of when
 * they are less, as in the counts of src/ops; with parameters at the other
 * width the same rule gives their bytes, and the static part of what a layer
 * reads changes in proportion: exact for whole operands, and for rows
 * gathered from one.  What bodies read of their own weights stays as it is. */
#include "cost.h"

/* Complete "as_bytes", which holds those of parameters, for all tensors. */
static void spread(const lp_model *model, int64_t *as_bytes)
{
    int64_t i;
    int32_t j;

    for (i = 0; i < model->tensors_count; i++)
        if (as_bytes[i] < 0)
            as_bytes[i] = lpi_tensor_bytes(model->tensors[i]);
    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        int64_t bytes = 0;

        for (j = 0; j < layer->inputs_count; j++)
            if (layer->inputs[j])
                bytes = lpi_add(bytes, as_bytes[layer->inputs[j]->id]);
        for (j = 0; j < layer->outputs_count && layer->is_static && bytes; j++)
            if (layer->outputs[j] && bytes < as_bytes[layer->outputs[j]->id])
                as_bytes[layer->outputs[j]->id] = bytes;
    }
}

/* Correct the read_bytes of "layer" in "cost".  "seen" marks the operands of
 * a layer with its id + 1, so that each counts once. */
static void follow(const lp_layer *layer, const int64_t *as_bytes,
                   int64_t *seen, lp_cost *cost)
{
    int64_t stored = 0, as = 0, moving = 0, part;
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++) {
        const lp_tensor *tensor = layer->inputs[i];

        if (!tensor || seen[tensor->id] == layer->id + 1)
            continue;
        seen[tensor->id] = layer->id + 1;
        if (tensor->is_static) {
            stored = lpi_add(stored, tensor->stored_bytes);
            as = lpi_add(as, as_bytes[tensor->id]);
        } else {
            moving = lpi_add(moving, lpi_tensor_bytes(tensor));
        }
    }
    part = cost->read_bytes - moving;
    if (part > stored)
        part = stored;
    if (part <= 0 || stored == as)
        return;
    cost->read_bytes -= part;
    cost->read_bytes +=
        part == stored ? as
                       : (int64_t)((double)part * (double)as / (double)stored);
}

lp_status lpi_reads_follow(lpi_arena *scratch, const lp_model *model,
                           int64_t *as_bytes, lp_row *rows, lp_error *error)
{
    int64_t *seen = LPI_NEW(scratch, int64_t, model->tensors_count);
    int64_t i;

    if (!seen)
        return lpi_fail_memory(error);
    spread(model, as_bytes);
    for (i = 0; i < model->layers_count; i++)
        if (!model->layers[i]->is_static)
            follow(model->layers[i], as_bytes, seen, &rows[i].cost);
    return LP_OK;
}
