/* import.c: from messages to the raw model.
 *
 * Reading is: skim, unpack, build.  The skimmed bytes and the messages die
 * with the import; together they take at most half of the memory allowed.
 * A graph is built in the order that src/graph asks for: weights and inputs,
 * layers with their outputs, operands and bodies, outputs, sorting. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

enum { DEFAULT_CAP_GIB = 8, FIRST_IR_WITH_OPSETS = 3 };

lp_status lpi_import_infos(lpi_import *import, lp_model *model,
                           const lpi_onnx_scope *scope,
                           struct Onnx__ValueInfoProto *const *infos,
                           size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        lp_tensor *tensor =
            lpi_import_find(model, scope, lpi_onnx_or_empty(infos[i]->name));

        if (tensor && !tensor->declared && infos[i]->type)
            LP_TRY(lpi_import_type(import, infos[i], &tensor->declared));
    }
    return LP_OK;
}

/* Define the initializers of "graph". */
static lp_status add_weights(lpi_import *import, const Onnx__GraphProto *graph,
                             lpi_onnx_scope *scope, lp_model *model)
{
    lp_tensor *tensor;
    size_t i;

    for (i = 0; i < graph->n_initializer; i++) {
        const char *name = lpi_onnx_or_empty(graph->initializer[i]->name);

        if (!*name)
            return lpi_fail(import->error, LP_EINPUT, model->path,
                            "initializer %zu has no name", i);
        LP_TRY(lpi_onnx_scope_define(import, model, scope, name, &tensor));
        tensor->kind = LPI_WEIGHT;
        LP_TRY(lpi_import_tensor(import, graph->initializer[i], tensor));
    }
    for (i = 0; i < graph->n_sparse_initializer; i++) {
        const Onnx__SparseTensorProto *sparse = graph->sparse_initializer[i];
        const char *name =
            lpi_onnx_or_empty(sparse->values ? sparse->values->name : NULL);

        if (!*name)
            return lpi_fail(import->error, LP_EINPUT, model->path,
                            "sparse initializer %zu has no name", i);
        LP_TRY(lpi_onnx_scope_define(import, model, scope, name, &tensor));
        tensor->kind = LPI_WEIGHT;
        LP_TRY(lpi_import_sparse(import, sparse, tensor));
    }
    return LP_OK;
}

/* Define the inputs of "graph"; one that is an initializer too is a weight
 * (as all initializers are in IR version 3). */
static lp_status add_inputs(lpi_import *import, const Onnx__GraphProto *graph,
                            lpi_onnx_scope *scope, lp_model *model)
{
    size_t i;

    for (i = 0; i < graph->n_input; i++) {
        const char *name = lpi_onnx_or_empty(graph->input[i]->name);
        lp_tensor *tensor;

        if (!*name)
            return lpi_fail(import->error, LP_EINPUT, model->path,
                            "input %zu has no name", i);
        tensor = scope && lpi_map_get(scope->map, name) < 0
                     ? NULL
                     : lpi_import_find(model, scope, name);
        if (!tensor || tensor->kind != LPI_WEIGHT) {
            LP_TRY(lpi_onnx_scope_define(import, model, scope, name, &tensor));
            tensor->kind = LPI_INPUT;
            LP_TRY(lpi_model_add_input(model, tensor, import->error));
        }
        LP_TRY(lpi_import_type(import, graph->input[i], &tensor->declared));
    }
    return LP_OK;
}

static lp_status add_outputs(lpi_import *import, const Onnx__GraphProto *graph,
                             const lpi_onnx_scope *scope, lp_model *model)
{
    size_t i;

    for (i = 0; i < graph->n_output; i++) {
        const char *name = lpi_onnx_or_empty(graph->output[i]->name);
        const char *actual = NULL;
        lp_tensor *tensor;

        if (!lpi_onnx_scope_find(scope, name, &actual) || !actual || !*actual)
            return lpi_fail(import->error, LP_EINPUT, model->path,
                            "nothing produces the output '%.200s'", name);
        LP_TRY(lpi_tensor_use(model, actual, &tensor, import->error));
        LP_TRY(lpi_model_add_output(model, tensor, import->error));
    }
    return lpi_import_infos(import, model, scope, graph->output,
                            graph->n_output);
}

lp_status lpi_import_graph(lpi_import *import,
                           const struct Onnx__GraphProto *graph,
                           const lpi_onnx_scope *scope, lp_model *model)
{
    lpi_onnx_building building = {.model = model};
    lpi_onnx_scope *inside = NULL;

    if (scope) {
        inside = lpi_onnx_scope_new(import, scope, scope->call);
        if (!inside)
            return lpi_import_fail_memory(import);
    }
    model->name =
        lpi_arena_strdup(model->arena, lpi_onnx_or_empty(graph->name));
    if (!model->name)
        return lpi_import_fail_memory(import);
    if (import->depth++ >= LPI_ONNX_NESTING)
        return lpi_import_fail(import, "graph", model->name,
                               "functions and bodies are nested deeper than "
                               "%d levels",
                               LPI_ONNX_NESTING);
    LP_TRY(add_weights(import, graph, inside, model));
    LP_TRY(add_inputs(import, graph, inside, model));
    LP_TRY(lpi_import_nodes(import, &building, graph->node, graph->n_node,
                            inside));
    LP_TRY(lpi_import_infos(import, model, inside, graph->value_info,
                            graph->n_value_info));
    LP_TRY(lpi_import_operands(import, &building));
    LP_TRY(add_outputs(import, graph, inside, model));
    LP_TRY(lpi_model_sort(model, import->error));
    import->depth--;
    return LP_OK;
}

/* Read what the model says of itself: versions, producer, opsets. */
static lp_status read_head(lpi_import *import)
{
    const Onnx__ModelProto *proto = import->proto;
    lp_model *model = import->model;
    const char *version = lpi_onnx_or_empty(proto->producer_version);
    size_t i;

    if (!proto->has_ir_version || proto->ir_version < 1)
        return lpi_fail(import->error, LP_EINPUT, model->path,
                        "the model has no IR version");
    model->ir_version = proto->ir_version;
    model->producer = lpi_arena_printf(model->arena, "%s%s%s",
                                       lpi_onnx_or_empty(proto->producer_name),
                                       *version ? " " : "", version);
    if (!model->producer)
        return lpi_import_fail_memory(import);
    if (proto->n_opset_import > LPI_ONNX_MOST_OPSETS)
        return lpi_fail(import->error, LP_EINPUT, model->path,
                        "the model imports %zu opsets, more than %d",
                        proto->n_opset_import, LPI_ONNX_MOST_OPSETS);
    for (i = 0; i < proto->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *opset = proto->opset_import[i];
        const char *domain = lpi_onnx_or_empty(opset->domain);
        int32_t old =
            lpi_model_opset(model, strcmp(domain, "ai.onnx") ? domain : "");

        if (old && old != opset->version)
            return lpi_fail(import->error, LP_EINPUT, model->path,
                            "the model imports opsets %d and %lld of domain "
                            "'%.100s'",
                            old, (long long)opset->version, domain);
        if (!old)
            LP_TRY(lpi_model_add_opset(model, domain, opset->version,
                                       import->error));
    }
    if (!proto->n_opset_import && proto->ir_version < FIRST_IR_WITH_OPSETS)
        LP_TRY(lpi_model_add_opset(model, "", 1, import->error));
    if (!model->opsets_count)
        return lpi_fail(import->error, LP_EINPUT, model->path,
                        "the model imports no opset");
    return LP_OK;
}

/* Build "import->model" from "import->proto". */
static lp_status build(lpi_import *import)
{
    import->suffixes = lpi_map_new(import->scratch);
    import->sides = lpi_map_new(import->scratch);
    import->modules = lpi_map_new(import->scratch);
    if (!import->suffixes || !import->sides || !import->modules)
        return lpi_import_fail_memory(import);
    LP_TRY(read_head(import));
    LP_TRY(lpi_onnx_functions_index(import));
    return lpi_import_graph(import, import->proto->graph, NULL, import->model);
}

/* Skim and unpack "file" into "scratch". */
static lp_status read_proto(lpi_file *file, lpi_arena *scratch,
                            lpi_onnx_links *links, Onnx__ModelProto **ret_proto,
                            lp_error *error)
{
    const char *name = lpi_file_name(file), *other;
    lpi_text bytes = {0};
    lp_status status;

    if (!lpi_file_size(file))
        return lpi_fail(error, LP_EINPUT, name, "is empty");
    status = lpi_onnx_skim(file, scratch, &bytes, links, error);
    if (status == LP_OK)
        status = lpi_onnx_unpack(scratch, bytes.bytes, bytes.length, ret_proto,
                                 error);
    lpi_text_drop(&bytes);
    if (status == LP_OK && !(*ret_proto)->graph)
        status = lpi_fail(error, LP_EINPUT, name,
                          "is not an ONNX model: it holds no graph");
    other = status == LP_EINPUT ? lpi_onnx_guess(file) : NULL;
    return other ? lpi_fail(error, LP_EINPUT, name,
                            "is not an ONNX file, but %s", other)
                 : status;
}

/* Read "file" with "scratch" memory. */
static lp_status read_model(lpi_file *file, int64_t cap_bytes,
                            lpi_arena *scratch, lp_model **ret_model,
                            lp_error *error)
{
    lpi_onnx_links links = {0};
    Onnx__ModelProto *proto;
    lpi_import import = {.scratch = scratch, .links = &links, .error = error};
    lp_status status;

    LP_TRY(read_proto(file, scratch, &links, &proto, error));
    import.proto = proto;
    import.model = lpi_model_new(lpi_file_name(file), cap_bytes);
    if (!import.model)
        return lpi_fail_memory(error);
    status = build(&import);
    lpi_text_drop(&import.text);
    if (status == LP_OK)
        *ret_model = import.model;
    else
        lp_model_free(import.model);
    return status;
}

lp_status lpi_onnx_read(const char *path, int64_t cap_bytes,
                        lp_model **ret_model, lp_error *error)
{
    lpi_arena *scratch;
    lp_status status;
    lpi_file *file;

    if (cap_bytes <= 0)
        cap_bytes = (int64_t)DEFAULT_CAP_GIB << 30;
    LP_TRY(lpi_file_open(path, &file, error));
    scratch = lpi_arena_new(cap_bytes / 2);
    status = scratch ? read_model(file, cap_bytes, scratch, ret_model, error)
                     : lpi_fail_memory(error);
    lpi_arena_free(scratch);
    lpi_file_close(file);
    return status;
}
