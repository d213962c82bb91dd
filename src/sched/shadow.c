/* shadow.c: a layer cut down to a tile, which rows take as any other layer. */
#include <string.h>

#include "sched.h"

/* A copy of "tensor" with the shape of "box"; NULL without memory. */
static lp_tensor *cut(lpi_arena *arena, const lp_tensor *tensor,
                      const lpi_box *box)
{
    int64_t dims[LPI_RANKS];
    lp_tensor *fresh;
    bool is_whole = true;
    int32_t a;

    for (a = 0; a < box->rank; a++) {
        dims[a] = box->to[a] - box->from[a];
        is_whole = is_whole && dims[a] == tensor->shape.dims[a];
    }
    if (box->rank < 0 || is_whole)
        return (lp_tensor *)tensor;
    fresh = LPI_NEW(arena, lp_tensor, 1);
    if (!fresh)
        return NULL;
    *fresh = *tensor;
    fresh->shape = lpi_shape_copy(arena, box->rank, dims);
    fresh->value = NULL;
    fresh->payload = (lpi_payload){0};
    return fresh->shape.rank == box->rank ? fresh : NULL;
}

static bool is_whole(const lp_tensor *tensor, const lpi_box *box)
{
    int32_t a;

    for (a = 0; a < box->rank; a++)
        if (box->from[a] != 0 || box->to[a] != tensor->shape.dims[a])
            return false;
    return true;
}

/* Ask the row which boxes it needs; a whole result needs whole operands. */
static lp_status ask(const lpi_node *node, const lpi_box *out, lpi_box *in,
                     void *params)
{
    const lp_layer *layer = node->layer;
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++)
        in[i] = (lpi_box){.rank = -1};
    if (layer->row && layer->row->tile)
        return layer->row->tile(node, out, in, params);
    if (is_whole(layer->outputs[0], out))
        return LP_OK;
    return lpi_fail(node->error, LP_EUNSUPPORTED, node->model->path,
                    "layer '%.200s' (%s) cannot be cut into tiles", layer->name,
                    layer->op);
}

/* The same for some terms of its sums. */
static lp_status ask_part(const lpi_node *node, const lpi_part *part,
                          lpi_box *in, void *params)
{
    int64_t range[2] = {part->from, part->to};

    LP_TRY(ask(node, part->out, in, params));
    if (part->to == 0)
        return LP_OK;
    if (!node->layer->row || !node->layer->row->split)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->model->path,
                        "layer '%.200s' (%s) does not sum in parts",
                        node->layer->name, node->layer->op);
    return node->layer->row->split(node, range, in);
}

lp_status lpi_shadow_new(lpi_arena *arena, const lp_model *model,
                         const lp_layer *layer, const lpi_box *out,
                         lpi_box *ret_in, lp_layer **ret_shadow,
                         lp_error *error)
{
    const lpi_part part = {.out = out};

    return lpi_shadow_part(arena, model, layer, &part, ret_in, ret_shadow,
                           error);
}

lp_status lpi_shadow_part(lpi_arena *arena, const lp_model *model,
                          const lp_layer *layer, const lpi_part *part,
                          lpi_box *ret_in, lp_layer **ret_shadow,
                          lp_error *error)
{
    size_t size = layer->row ? layer->row->params_size : 0;
    lpi_node node = {.model = (lp_model *)model,
                     .layer = (lp_layer *)layer,
                     .params = layer->params,
                     .error = error};
    lp_layer *shadow = LPI_NEW(arena, lp_layer, 1);
    void *params = LPI_NEW(arena, char, (int64_t)size + 1);
    int32_t i;

    if (!shadow || !params)
        return lpi_fail_memory(error);
    if (size && layer->params)
        memcpy(params, layer->params, size);
    LP_TRY(ask_part(&node, part, ret_in, params));
    *shadow = *layer;
    shadow->params = layer->params ? params : NULL;
    shadow->inputs = LPI_NEW(arena, lp_tensor *, layer->inputs_count);
    shadow->outputs = LPI_NEW(arena, lp_tensor *, layer->outputs_count);
    if (!shadow->inputs || !shadow->outputs)
        return lpi_fail_memory(error);
    for (i = 0; i < layer->inputs_count; i++) {
        if (!layer->inputs[i])
            continue;
        shadow->inputs[i] = cut(arena, layer->inputs[i], &ret_in[i]);
        if (!shadow->inputs[i])
            return lpi_fail_memory(error);
    }
    shadow->outputs[0] = cut(arena, layer->outputs[0], part->out);
    if (!shadow->outputs[0])
        return lpi_fail_memory(error);
    *ret_shadow = shadow;
    return LP_OK;
}
