/* function.c: local functions, expanded where they are called.
 *
 * A call binds the formal inputs and outputs of the function to the tensors
 * of the calling node and puts the function's layers in its place; the other
 * names get the name of the call in front.  Functions may call functions, not
 * themselves; depth and the number of layers made are bounded.
 * Source: onnx.proto, FunctionProto; onnx's docs/IR.md, "Functions". */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* What tells functions apart: domain, name, overload. */
static const char *make_key(const lpi_import *import, const char *domain,
                            const char *name, const char *overload)
{
    domain = lpi_onnx_or_empty(domain);
    return lpi_arena_printf(
        import->scratch, "%s\n%s\n%s", strcmp(domain, "ai.onnx") ? domain : "",
        lpi_onnx_or_empty(name), lpi_onnx_or_empty(overload));
}

lp_status lpi_onnx_functions_index(lpi_import *import)
{
    const Onnx__ModelProto *proto = import->proto;
    size_t i;

    if (!proto->n_functions)
        return LP_OK;
    import->functions = lpi_map_new(import->scratch);
    if (!import->functions)
        return lpi_import_fail_memory(import);
    for (i = 0; i < proto->n_functions; i++) {
        const Onnx__FunctionProto *function = proto->functions[i];
        const char *key = make_key(import, function->domain, function->name,
                                   function->overload);

        if (!key)
            return lpi_import_fail_memory(import);
        if (lpi_map_get(import->functions, key) >= 0)
            return lpi_import_fail(import, "function",
                                   lpi_onnx_or_empty(function->name),
                                   "is defined twice");
        if (function->n_opset_import > LPI_ONNX_MOST_OPSETS)
            return lpi_import_fail(
                import, "function", lpi_onnx_or_empty(function->name),
                "imports %zu opsets, more than %d", function->n_opset_import,
                LPI_ONNX_MOST_OPSETS);
        if (!lpi_map_set(import->functions, key, (int64_t)i))
            return lpi_import_fail_memory(import);
    }
    return LP_OK;
}

const struct Onnx__FunctionProto *
lpi_onnx_function_of(const lpi_import *import,
                     const struct Onnx__NodeProto *node)
{
    const char *key;
    int64_t at;

    if (!import->functions)
        return NULL;
    key = make_key(import, node->domain, node->op_type, node->overload);
    at = key ? lpi_map_get(import->functions, key) : -1;
    return at < 0 ? NULL : import->proto->functions[at];
}

/* Refuse calls that cannot be expanded. */
static lp_status check_call(const lpi_import *import, const lpi_onnx_call *call)
{
    const Onnx__FunctionProto *function = call->function;
    const lpi_onnx_call *outer;

    for (outer = call->outer; outer; outer = outer->outer)
        if (outer->function == function)
            return lpi_import_fail(import, "layer", call->prefix,
                                   "function '%.200s' calls itself",
                                   lpi_onnx_or_empty(function->name));
    if (import->depth >= LPI_ONNX_NESTING)
        return lpi_import_fail(import, "layer", call->prefix,
                               "functions and bodies are nested deeper than "
                               "%d levels",
                               LPI_ONNX_NESTING);
    if (call->node->n_input > function->n_input ||
        call->node->n_output > function->n_output)
        return lpi_import_fail(import, "layer", call->prefix,
                               "has %zu inputs and %zu outputs, function "
                               "'%.100s' %zu and %zu",
                               call->node->n_input, call->node->n_output,
                               lpi_onnx_or_empty(function->name),
                               function->n_input, function->n_output);
    return LP_OK;
}

/* Bind the formal inputs and outputs in "scope".  A formal output that is an
 * input, or an output before, keeps that meaning (pass_through). */
static lp_status bind_formals(lpi_import *import, lpi_onnx_scope *scope)
{
    const Onnx__FunctionProto *function = scope->call->function;
    const Onnx__NodeProto *node = scope->call->node;
    size_t i;

    for (i = 0; i < function->n_input; i++) {
        const char *actual = NULL;

        if (i < node->n_input && *node->input[i] &&
            !lpi_onnx_scope_find(scope->call->caller, node->input[i], &actual))
            return lpi_import_fail(import, "layer", scope->call->prefix,
                                   "nothing in its function produces '%.200s'",
                                   node->input[i]);
        if (lpi_map_get(scope->map, function->input[i]) >= 0)
            return lpi_import_fail(
                import, "function", lpi_onnx_or_empty(function->name),
                "two inputs are called '%.200s'", function->input[i]);
        LP_TRY(lpi_onnx_scope_bind(import, scope, function->input[i], actual));
    }
    for (i = 0; i < node->n_output; i++) {
        const char *actual;

        if (!*node->output[i] ||
            lpi_map_get(scope->map, function->output[i]) >= 0 ||
            !lpi_onnx_scope_find(scope->call->caller, node->output[i], &actual))
            continue;
        LP_TRY(lpi_onnx_scope_bind(import, scope, function->output[i], actual));
    }
    scope->formals = scope->count;
    return LP_OK;
}

/* Add an Identity layer that makes "to" from the tensor called "from". */
static lp_status add_identity(lpi_import *import, lp_model *model,
                              const lpi_onnx_call *call, const char *from,
                              lp_tensor *to)
{
    const char *name =
        lpi_arena_printf(import->scratch, "%s/%s", call->prefix, to->name);
    lp_layer *layer;

    if (!name)
        return lpi_import_fail_memory(import);
    LP_TRY(lpi_layer_add(model, name, "", "Identity", 1, 1, &layer,
                         import->error));
    if (!layer->version)
        layer->version = 1;
    layer->module = call->module;
    layer->outputs[0] = to;
    to->producer = layer;
    return lpi_tensor_use(model, from, &layer->inputs[0], import->error);
}

/* See that every output of the call has a producer.  Outputs that the
 * function takes from its inputs, or gives twice, are copied. */
static lp_status pass_through(lpi_import *import, lp_model *model,
                              const lpi_onnx_scope *scope)
{
    const Onnx__FunctionProto *function = scope->call->function;
    const Onnx__NodeProto *node = scope->call->node;
    size_t i;

    for (i = 0; i < node->n_output; i++) {
        const char *inner = NULL;
        lp_tensor *to;

        if (!*node->output[i])
            continue;
        to = lpi_import_find(model, scope->call->caller, node->output[i]);
        if (to && to->producer)
            continue;
        if (!to || to->kind != LPI_ACTIVATION ||
            !lpi_onnx_scope_find(scope, function->output[i], &inner) ||
            !inner || !strcmp(inner, to->name))
            return lpi_import_fail(import, "layer", scope->call->prefix,
                                   "function '%.200s' does not produce its "
                                   "output '%.200s'",
                                   lpi_onnx_or_empty(function->name),
                                   function->output[i]);
        LP_TRY(add_identity(import, model, scope->call, inner, to));
    }
    return LP_OK;
}

lp_status lpi_onnx_function_expand(lpi_import *import,
                                   lpi_onnx_building *building,
                                   const struct Onnx__FunctionProto *function,
                                   const struct Onnx__NodeProto *node,
                                   lpi_onnx_scope *scope)
{
    const lpi_onnx_call *outer = scope ? scope->call : NULL;
    lpi_onnx_call *call = LPI_NEW(import->scratch, lpi_onnx_call, 1);
    lpi_onnx_scope *inside = call ? lpi_onnx_scope_new(import, NULL, call)
                                  : NULL;
    const char *name = lpi_onnx_node_name(node);

    if (!inside)
        return lpi_import_fail_memory(import);
    if (!*name)
        name = lpi_onnx_or_empty(function->name);
    if (outer)
        name = lpi_arena_printf(import->scratch, "%s/%s", outer->prefix, name);
    if (!name)
        return lpi_import_fail_memory(import);
    *call = (lpi_onnx_call){
        .function = function,
        .node = node,
        .caller = scope,
        .outer = outer,
        .prefix = name,
    };
    LP_TRY(check_call(import, call));
    LP_TRY(lpi_onnx_module_path(import, node, outer, true, &call->module));
    import->depth++;
    LP_TRY(lpi_import_spend(import, LPI_ONNX_LAYER + function->n_input +
                                        function->n_value_info +
                                        strlen(name) / 16));
    LP_TRY(bind_formals(import, inside));
    LP_TRY(lpi_import_nodes(import, building, function->node, function->n_node,
                            inside));
    LP_TRY(pass_through(import, building->model, inside));
    LP_TRY(lpi_import_infos(import, building->model, inside,
                            function->value_info, function->n_value_info));
    import->depth--;
    return LP_OK;
}
