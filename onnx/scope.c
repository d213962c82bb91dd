/* scope.c: what a name stands for while functions are expanded.
 *
 * Outside functions a name means itself.  In a function, formal inputs and
 * outputs stand for the tensors of the call, and every other name gets the
 * name of the call in front; a number behind makes it unique where the model
 * has that name already.  Graphs inside a function get a scope of their
 * own. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

lp_status lpi_import_fail(const lpi_import *import, const char *what,
                          const char *name, const char *format, ...)
{
    char where[512], message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(where, sizeof(where), "%.250s: %s '%.200s'", import->model->path,
             what, name);
    return lpi_fail(import->error, LP_EINPUT, where, "%s", message);
}

lp_status lpi_import_fail_memory(const lpi_import *import)
{
    return lpi_fail_memory(import->error);
}

lp_status lpi_import_spend(lpi_import *import, size_t amount)
{
    if (import->depth > 1)
        import->effort = lpi_add(import->effort, (int64_t)amount);
    if (import->effort > LPI_ONNX_EFFORT)
        return lpi_fail(import->error, LP_EINPUT, import->model->path,
                        "its functions and bodies make more than about %d "
                        "layers",
                        LPI_ONNX_EFFORT / LPI_ONNX_LAYER);
    return LP_OK;
}

const char *lpi_onnx_or_empty(const char *text)
{
    return text ? text : "";
}

lpi_onnx_scope *lpi_onnx_scope_new(lpi_import *import,
                                   const lpi_onnx_scope *outer,
                                   const lpi_onnx_call *call)
{
    lpi_onnx_scope *scope = LPI_NEW(import->scratch, lpi_onnx_scope, 1);

    if (!scope)
        return NULL;
    scope->outer = outer;
    scope->call = call;
    scope->map = lpi_map_new(import->scratch);
    return scope->map ? scope : NULL;
}

lp_status lpi_onnx_scope_bind(lpi_import *import, lpi_onnx_scope *scope,
                              const char *name, const char *actual)
{
    if (!LPI_GROW(import->scratch, scope->actual, scope->count, scope->room) ||
        !lpi_map_set(scope->map, name, scope->count))
        return lpi_import_fail_memory(import);
    scope->actual[scope->count++] = actual;
    return LP_OK;
}

bool lpi_onnx_scope_find(const lpi_onnx_scope *scope, const char *name,
                         const char **ret_actual)
{
    for (; scope; scope = scope->outer) {
        int64_t at = lpi_map_get(scope->map, name);

        if (at >= 0) {
            *ret_actual = scope->actual[at];
            return true;
        }
        if (!scope->outer)
            return false;
    }
    *ret_actual = name;
    return true;
}

/* "model" or a graph around it has a tensor called "name". */
static bool is_taken(const lp_model *model, const char *name)
{
    for (; model; model = model->outer)
        if (lpi_tensor_find(model, name))
            return true;
    return false;
}

/* A name for "name" inside the call of "scope" that is new to "model". */
static lp_status make_unique(lpi_import *import, const lp_model *model,
                             const lpi_onnx_scope *scope, const char *name,
                             const char **ret_name)
{
    const char *base =
        lpi_arena_printf(import->scratch, "%s/%s", scope->call->prefix, name);
    const char *unique = base;
    int64_t number = 2;

    if (!base)
        return lpi_import_fail_memory(import);
    if (is_taken(model, base) && lpi_map_get(import->suffixes, base) >= 0)
        number = lpi_map_get(import->suffixes, base);
    while (is_taken(model, unique)) {
        unique = lpi_arena_printf(import->scratch, "%s_%lld", base,
                                  (long long)number++);
        if (!unique || !lpi_map_set(import->suffixes, base, number))
            return lpi_import_fail_memory(import);
    }
    *ret_name = unique;
    return LP_OK;
}

lp_status lpi_onnx_scope_define(lpi_import *import, lp_model *model,
                                lpi_onnx_scope *scope, const char *name,
                                lp_tensor **ret_tensor)
{
    const char *actual = NULL;

    if (!scope)
        return lpi_tensor_add(model, name, LPI_ACTIVATION, ret_tensor,
                              import->error);
    if (lpi_map_get(scope->map, name) >= 0)
        return lpi_import_fail(import, "function",
                               lpi_onnx_or_empty(scope->call->function->name),
                               "two tensors are called '%.200s'", name);
    LP_TRY(make_unique(import, model, scope, name, &actual));
    LP_TRY(lpi_import_spend(import, 1 + strlen(actual) / 16));
    LP_TRY(lpi_onnx_scope_bind(import, scope, name, actual));
    return lpi_tensor_add(model, actual, LPI_ACTIVATION, ret_tensor,
                          import->error);
}
