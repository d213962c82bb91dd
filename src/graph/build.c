/* build.c: how readers build a model.
 *
 * Names are resolved in two passes, so that nodes may stand in any order:
 * every tensor is defined before the first is used.  A name that a graph does
 * not define is looked for in the graphs around it; what is found becomes a
 * capture at every level between, so that a body's operands are always
 * tensors of its own. */
#include <string.h>

#include "graph.h"

enum { DEFAULT_CAP_GIB = 8, DEEPEST_BODY = 64 };

static lp_model *init(lpi_arena *arena)
{
    lp_model *model = LPI_NEW(arena, lp_model, 1);

    if (!model)
        return NULL;
    model->arena = arena;
    model->name = model->producer = model->path = "";
    model->names = lpi_map_new(arena);
    return model->names ? model : NULL;
}

lp_model *lpi_model_new(const char *path, int64_t cap_bytes)
{
    lpi_arena *arena = lpi_arena_new(
        cap_bytes > 0 ? cap_bytes : (int64_t)DEFAULT_CAP_GIB << 30);
    lp_model *model = arena ? init(arena) : NULL;

    if (model)
        model->path = lpi_arena_strdup(arena, path);
    if (!model || !model->path) {
        lpi_arena_free(arena);
        return NULL;
    }
    return model;
}

lp_model *lpi_model_new_body(lp_model *outer)
{
    lp_model *body = init(outer->arena);

    if (!body)
        return NULL;
    body->path = outer->path;
    body->ir_version = outer->ir_version;
    body->producer = outer->producer;
    body->opsets = outer->opsets;
    body->opsets_count = outer->opsets_count;
    body->outer = outer;
    return body;
}

void lp_model_free(lp_model *model)
{
    if (model)
        lpi_arena_free(model->arena);
}

lp_status lpi_tensor_add(lp_model *model, const char *name, lpi_kind kind,
                         lp_tensor **ret_tensor, lp_error *error)
{
    lp_tensor *tensor = LPI_NEW(model->arena, lp_tensor, 1);

    if (*name && lpi_map_get(model->names, name) >= 0)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "two tensors are called '%.200s'", name);
    if (!tensor || !LPI_GROW(model->arena, model->tensors, model->tensors_count,
                             model->tensors_room))
        return lpi_fail_memory(error);
    *tensor = (lp_tensor){
        .name = lpi_arena_strdup(model->arena, name),
        .id = model->tensors_count,
        .kind = kind,
        .shape = lpi_shape_unknown,
    };
    if (!tensor->name ||
        (*name && !lpi_map_set(model->names, tensor->name, tensor->id)))
        return lpi_fail_memory(error);
    model->tensors[model->tensors_count++] = tensor;
    *ret_tensor = tensor;
    return LP_OK;
}

lp_tensor *lpi_tensor_find(const lp_model *model, const char *name)
{
    int64_t id = *name ? lpi_map_get(model->names, name) : -1;

    return id < 0 ? NULL : model->tensors[id];
}

/* Make "outer_tensor" of the graph around "model" a capture in "model". */
static lp_status capture(lp_model *model, lp_tensor *outer_tensor,
                         lp_tensor **ret_tensor, lp_error *error)
{
    lp_tensor *inner = NULL;

    LP_TRY(
        lpi_tensor_add(model, outer_tensor->name, LPI_CAPTURE, &inner, error));
    inner->outer = outer_tensor;
    if (!LPI_GROW(model->arena, model->captures, model->captures_count,
                  model->captures_room))
        return lpi_fail_memory(error);
    model->captures[model->captures_count++] = inner;
    *ret_tensor = inner;
    return LP_OK;
}

lp_status lpi_tensor_use(lp_model *model, const char *name,
                         lp_tensor **ret_tensor, lp_error *error)
{
    lp_model *path[DEEPEST_BODY];
    lp_model *at = model;
    lp_tensor *found;
    int32_t depth = 0;

    while (!(found = lpi_tensor_find(at, name)) && at->outer &&
           depth < DEEPEST_BODY) {
        path[depth++] = at;
        at = at->outer;
    }
    if (!found)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "nothing produces the tensor '%.200s'", name);
    while (depth > 0)
        LP_TRY(capture(path[--depth], found, &found, error));
    *ret_tensor = found;
    return LP_OK;
}

lp_status lpi_layer_add(lp_model *model, const char *name, const char *domain,
                        const char *op, int32_t inputs_count,
                        int32_t outputs_count, lp_layer **ret_layer,
                        lp_error *error)
{
    lp_layer *layer = LPI_NEW(model->arena, lp_layer, 1);

    if (!layer || !LPI_GROW(model->arena, model->layers, model->layers_count,
                            model->layers_room))
        return lpi_fail_memory(error);
    *layer = (lp_layer){
        .name = lpi_arena_strdup(model->arena, name),
        .op = lpi_arena_strdup(model->arena, op),
        .domain = strcmp(domain, "ai.onnx")
                      ? lpi_arena_strdup(model->arena, domain)
                      : "",
        .module = "",
        .id = model->layers_count,
        .inputs = LPI_NEW(model->arena, lp_tensor *, inputs_count),
        .outputs = LPI_NEW(model->arena, lp_tensor *, outputs_count),
        .inputs_count = inputs_count,
        .outputs_count = outputs_count,
    };
    if (!layer->name || !layer->op || !layer->domain || !layer->inputs ||
        !layer->outputs)
        return lpi_fail_memory(error);
    layer->given = layer->inputs;
    layer->given_count = inputs_count;
    layer->version = lpi_model_opset(model, layer->domain);
    model->layers[model->layers_count++] = layer;
    *ret_layer = layer;
    return LP_OK;
}

lp_status lpi_model_add_input(lp_model *model, lp_tensor *tensor,
                              lp_error *error)
{
    if (!LPI_GROW(model->arena, model->inputs, model->inputs_count,
                  model->inputs_room))
        return lpi_fail_memory(error);
    model->inputs[model->inputs_count++] = tensor;
    return LP_OK;
}

lp_status lpi_model_add_output(lp_model *model, lp_tensor *tensor,
                               lp_error *error)
{
    if (!LPI_GROW(model->arena, model->outputs, model->outputs_count,
                  model->outputs_room))
        return lpi_fail_memory(error);
    model->outputs[model->outputs_count++] = tensor;
    return LP_OK;
}

lp_status lpi_model_add_opset(lp_model *model, const char *domain,
                              int64_t version, lp_error *error)
{
    if (version < 1 || version > INT32_MAX)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "opset %lld of domain '%.100s' does not exist",
                        (long long)version, domain);
    if (!LPI_GROW(model->arena, model->opsets, model->opsets_count,
                  model->opsets_room))
        return lpi_fail_memory(error);
    model->opsets[model->opsets_count] = (lpi_opset){
        .domain = strcmp(domain, "ai.onnx")
                      ? lpi_arena_strdup(model->arena, domain)
                      : "",
        .version = version,
    };
    if (!model->opsets[model->opsets_count].domain)
        return lpi_fail_memory(error);
    model->opsets_count++;
    return LP_OK;
}

int32_t lpi_model_opset(const lp_model *model, const char *domain)
{
    int64_t i;

    for (i = 0; i < model->opsets_count; i++)
        if (!strcmp(model->opsets[i].domain, domain))
            return (int32_t)model->opsets[i].version;
    return 0;
}
