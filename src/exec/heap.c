/* heap.c: a graph run in the order of its layers, every tensor in a buffer of
 * its own that is freed after its last use.
 *
 * It needs no plan, and so is what plans are compared with, and what runs
 * graphs whose shapes nobody knows before. */
#include "exec.h"

/* Count "by" more uses of "tensor" (which may be NULL). */
static void use(lpi_frame *frame, const lp_tensor *tensor, int32_t by)
{
    if (tensor && tensor->kind != LPI_CAPTURE)
        frame->slots[tensor->id].uses += by;
}

/* Count "by" uses of all that "layer" reads. */
static void use_operands(lpi_frame *frame, const lp_layer *layer, int32_t by)
{
    const lp_model *body;
    int32_t at;

    for (int32_t i = 0; i < layer->inputs_count; i++)
        use(frame, layer->inputs[i], by);
    for (at = 0; (body = lpi_next_body(layer, &at));)
        for (int64_t k = 0; k < body->captures_count; k++)
            use(frame, body->captures[k]->outer, by);
}

/* Free "tensor" when nobody will read it. */
static void drop(lpi_frame *frame, const lp_tensor *tensor)
{
    lpi_slot *slot;

    if (!tensor || tensor->is_static || tensor->kind == LPI_CAPTURE)
        return;
    slot = &frame->slots[tensor->id];
    if (slot->uses > 0 || !slot->buffer)
        return;
    lpi_buffer_drop(frame->exec, slot->buffer);
    slot->buffer = NULL;
    slot->bytes = NULL;
}

static void drop_operands(lpi_frame *frame, const lp_layer *layer)
{
    const lp_model *body;
    int32_t at;

    for (int32_t i = 0; i < layer->inputs_count; i++)
        drop(frame, layer->inputs[i]);
    for (int32_t i = 0; i < layer->outputs_count; i++)
        drop(frame, layer->outputs[i]);
    for (at = 0; (body = lpi_next_body(layer, &at));)
        for (int64_t k = 0; k < body->captures_count; k++)
            drop(frame, body->captures[k]->outer);
}

lp_status lpi_heap_run(lpi_frame *frame)
{
    const lp_model *model = frame->model;

    for (int64_t i = 0; i < model->layers_count; i++)
        if (!model->layers[i]->is_static)
            use_operands(frame, model->layers[i], 1);
    for (int64_t i = 0; i < model->outputs_count; i++)
        use(frame, model->outputs[i], 1);
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        if (layer->is_static)
            continue;
        LP_TRY(lpi_exec_layer(frame, layer));
        use_operands(frame, layer, -1);
        drop_operands(frame, layer);
    }
    return LP_OK;
}
