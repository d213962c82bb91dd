/* layers.c: nodes to layers, in two passes.
 *
 * All outputs are defined before the first layer is made, and all layers are
 * made before the first input is looked up, so that nodes may stand in any
 * order.  Calls of local functions are expanded where they stand. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

const char *lpi_onnx_node_name(const struct Onnx__NodeProto *node)
{
    size_t i;

    if (*lpi_onnx_or_empty(node->name))
        return node->name;
    for (i = 0; i < node->n_output; i++)
        if (*node->output[i])
            return node->output[i];
    return "";
}

lp_tensor *lpi_import_find(const lp_model *model, const lpi_onnx_scope *scope,
                           const char *name)
{
    const char *actual;

    if (!lpi_onnx_scope_find(scope, name, &actual) || !actual)
        return NULL;
    return lpi_tensor_find(model, actual);
}

/* Define the outputs of "node"; formal outputs of a function are tensors of
 * its caller. */
static lp_status define_outputs(lpi_import *import, lp_model *model,
                                const Onnx__NodeProto *node,
                                lpi_onnx_scope *scope)
{
    size_t i;

    for (i = 0; i < node->n_output; i++) {
        const char *name = node->output[i];
        int64_t at = scope && *name ? lpi_map_get(scope->map, name) : -1;
        lp_tensor *tensor;

        if (*name && (at < 0 || at >= scope->formals))
            LP_TRY(lpi_onnx_scope_define(import, model, scope, name, &tensor));
    }
    return LP_OK;
}

/* Make "layer" the producer of the outputs of "node". */
static lp_status attach_outputs(lpi_import *import, lp_model *model,
                                const Onnx__NodeProto *node,
                                const lpi_onnx_scope *scope, lp_layer *layer)
{
    size_t i;

    for (i = 0; i < node->n_output; i++) {
        lp_tensor *tensor;

        if (!*node->output[i])
            continue;
        tensor = lpi_import_find(model, scope, node->output[i]);
        if (!tensor || tensor->producer || tensor->kind != LPI_ACTIVATION)
            return lpi_import_fail(import, "layer", layer->name,
                                   "its output '%.200s' is produced twice",
                                   node->output[i]);
        tensor->producer = layer;
        layer->outputs[i] = tensor;
    }
    return LP_OK;
}

/* Set the opset of "layer": that of the function it stands in, or of the
 * model. */
static lp_status set_version(lpi_import *import, const lpi_onnx_scope *scope,
                             lp_layer *layer)
{
    const Onnx__FunctionProto *function = scope ? scope->call->function : NULL;
    size_t i;

    for (i = 0; function && i < function->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *opset = function->opset_import[i];
        const char *domain = lpi_onnx_or_empty(opset->domain);

        if (strcmp(strcmp(domain, "ai.onnx") ? domain : "", layer->domain))
            continue;
        if (opset->version < 1 || opset->version > INT32_MAX)
            return lpi_import_fail(import, "layer", layer->name,
                                   "opset %lld of domain '%.100s' does not "
                                   "exist",
                                   (long long)opset->version, domain);
        layer->version = (int32_t)opset->version;
        break;
    }
    if (!layer->version && !*layer->domain)
        return lpi_import_fail(import, "layer", layer->name,
                               "the model imports no opset of ai.onnx");
    if (!layer->version)
        layer->version = 1;
    return LP_OK;
}

lp_status lpi_import_layer(lpi_import *import, lpi_onnx_building *building,
                           const struct Onnx__NodeProto *node,
                           lpi_onnx_scope *scope)
{
    lp_model *model = building->model;
    const lpi_onnx_call *call = scope ? scope->call : NULL;
    const char *name = lpi_onnx_node_name(node);
    lp_layer *layer;

    if (!*name)
        name = lpi_arena_printf(import->scratch, "%s_%lld",
                                lpi_onnx_or_empty(node->op_type),
                                (long long)model->layers_count);
    if (name && call)
        name = lpi_arena_printf(import->scratch, "%s/%s", call->prefix, name);
    if (!name)
        return lpi_import_fail_memory(import);
    LP_TRY(lpi_import_spend(import, LPI_ONNX_LAYER + node->n_input +
                                        node->n_output + node->n_attribute +
                                        strlen(name) / 16));
    if (!*lpi_onnx_or_empty(node->op_type))
        return lpi_import_fail(import, "layer", name, "has no operator");
    LP_TRY(lpi_layer_add(model, name, lpi_onnx_or_empty(node->domain),
                         node->op_type, (int32_t)node->n_input,
                         (int32_t)node->n_output, &layer, import->error));
    LP_TRY(set_version(import, scope, layer));
    LP_TRY(lpi_onnx_module_path(import, node, call, false, &layer->module));
    LP_TRY(attach_outputs(import, model, node, scope, layer));
    if (!LPI_GROW(import->scratch, building->pending, building->count,
                  building->room))
        return lpi_import_fail_memory(import);
    building->pending[building->count++] =
        (lpi_onnx_pending){.layer = layer, .node = node, .scope = scope};
    return LP_OK;
}

lp_status lpi_import_nodes(lpi_import *import, lpi_onnx_building *building,
                           struct Onnx__NodeProto *const *nodes, size_t count,
                           lpi_onnx_scope *scope)
{
    size_t i;

    for (i = 0; i < count; i++)
        LP_TRY(define_outputs(import, building->model, nodes[i], scope));
    for (i = 0; i < count; i++) {
        const Onnx__FunctionProto *function =
            lpi_onnx_function_of(import, nodes[i]);

        LP_TRY(function ? lpi_onnx_function_expand(import, building, function,
                                                   nodes[i], scope)
                        : lpi_import_layer(import, building, nodes[i], scope));
    }
    return LP_OK;
}

/* Give "layer" the inputs of "node". */
static lp_status use_inputs(lpi_import *import, lp_model *model,
                            const Onnx__NodeProto *node,
                            const lpi_onnx_scope *scope, lp_layer *layer)
{
    size_t i;

    for (i = 0; i < node->n_input; i++) {
        const char *actual;
        lp_status status;

        if (!*node->input[i])
            continue;
        if (!lpi_onnx_scope_find(scope, node->input[i], &actual))
            return lpi_import_fail(import, "layer", layer->name,
                                   "nothing in its function produces '%.200s'",
                                   node->input[i]);
        if (!actual)
            continue;
        status =
            lpi_tensor_use(model, actual, &layer->inputs[i], import->error);
        if (status == LP_EINPUT)
            return lpi_import_fail(import, "layer", layer->name,
                                   "nothing produces its input '%.200s'",
                                   actual);
        LP_TRY(status);
    }
    return LP_OK;
}

lp_status lpi_import_operands(lpi_import *import, lpi_onnx_building *building)
{
    int64_t i;

    for (i = 0; i < building->count; i++) {
        const lpi_onnx_pending *pending = &building->pending[i];

        LP_TRY(lpi_import_attributes(import, building->model, pending->node,
                                     pending->scope, pending->layer));
        LP_TRY(use_inputs(import, building->model, pending->node,
                          pending->scope, pending->layer));
    }
    return LP_OK;
}
