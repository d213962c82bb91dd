/* ready.c: what stands in the way of a run.
 *
 * Before anything is computed, every node that cannot be run and every weight
 * that is absent are listed; so a run that begins can end. */
#include <string.h>

#include "exec.h"

enum { NAMES_BYTES = 560, REST_BYTES = 200 };

/* Names of nodes, or of weights, as many as one line takes, and the operators
 * of those that it does not. */
typedef struct names {
    lpi_text text, rest;
    int64_t count, more;
    bool is_cut; /* not all operators of the rest are there */
} names;

static void drop_names(names *list)
{
    lpi_text_drop(&list->text);
    lpi_text_drop(&list->rest);
}

/* Add what fits whole, and the first in any case. */
static void add_name(names *list, const char *name, const char *what)
{
    size_t length = list->text.length;
    char op[64];

    list->count++;
    if (!list->more) {
        lpi_text_put(&list->text, length ? ", " : "");
        lpi_text_escape(&list->text, name);
        if (what)
            lpi_text_printf(&list->text, " (%.60s)", what);
        if (list->text.failed || !length || list->text.length < NAMES_BYTES)
            return;
        list->text.length = length;
        list->text.bytes[length] = '\0';
    }
    snprintf(op, sizeof(op), " %.60s,", what ? what : "");
    list->more++;
    if (!what || (list->rest.bytes && strstr(list->rest.bytes, op)))
        return;
    if (list->rest.length < REST_BYTES)
        lpi_text_put(&list->rest, op);
    else
        list->is_cut = true;
}

/* Whether all results are at hand without a run: constants, folded ones. */
static bool all_known(const lp_layer *layer)
{
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (tensor && tensor->kind != LPI_CONSTANT &&
            (!tensor->value || tensor->value_is_bound))
            return false;
    }
    return layer->is_static;
}

/* Whether "layer" runs with "tensor" as an operand or a result: constant texts
 * may lack content, and few rows know bundles. */
static bool is_fit(const lp_layer *layer, const lp_tensor *tensor)
{
    return !tensor || !lpi_is_bundle(tensor) ||
           ((!tensor->is_static || tensor->payload.where == LPI_INLINE) &&
            (lpi_body_known(layer) ||
             (layer->row && layer->row->flags & LPI_BUNDLES)));
}

static bool can_run(const lp_layer *layer)
{
    if (all_known(layer))
        return true;
    for (int32_t i = 0; i < layer->inputs_count; i++)
        if (!is_fit(layer, layer->inputs[i]))
            return false;
    for (int32_t i = 0; i < layer->outputs_count; i++)
        if (!is_fit(layer, layer->outputs[i]))
            return false;
    return lpi_body_known(layer) || (layer->row && layer->row->run);
}

/* List the nodes of "model" and its bodies that cannot be run. */
static void list_unsupported(const lp_model *model, names *list, int32_t depth)
{
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        const lp_model *body;
        int32_t at = 0;

        if (!can_run(layer))
            add_name(list, layer->name, layer->op);
        while (depth < LPI_BODIES_DEEP && (body = lpi_next_body(layer, &at)))
            list_unsupported(body, list, depth + 1);
    }
}

/* List the weights of "model" and its bodies that have no content. */
static lp_status list_absent(lpi_exec *exec, const lp_model *model, names *list,
                             int32_t depth)
{
    for (int64_t i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];
        bool exists = true;

        if (tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT)
            LP_TRY(lpi_content_exists(exec, tensor, &exists));
        if (!exists)
            add_name(list, tensor->name, NULL);
    }
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            LP_TRY(list_absent(exec, body, list, depth + 1));
    }
    return LP_OK;
}

static lp_status refuse(lpi_exec *exec, names *list, lp_status status,
                        const char *one, const char *many, const char *advice)
{
    char more[40] = "";
    bool is_of = list->rest.length > 0;

    if (!list->count)
        return LP_OK;
    if (list->more)
        snprintf(more, sizeof(more), " and %lld more%s", (long long)list->more,
                 is_of ? ", of" : "");
    if (list->text.failed || list->rest.failed)
        status = lpi_fail_memory(exec->error);
    else
        lpi_fail(
            exec->error, status, exec->model->path, "%lld %s: %.600s%s%.*s%s%s",
            (long long)list->count, list->count == 1 ? one : many,
            list->text.bytes, more, is_of ? (int)list->rest.length - 1 : 0,
            is_of ? list->rest.bytes : "", list->is_cut ? ", ..." : "", advice);
    drop_names(list);
    return status;
}

lp_status lpi_exec_check(lpi_exec *exec)
{
    names list = {.count = 0};
    lp_status status;

    list_unsupported(exec->model, &list, 0);
    LP_TRY(refuse(exec, &list, LP_EUNSUPPORTED, "node cannot be run",
                  "nodes cannot be run", ""));
    if (exec->content.fills)
        return LP_OK;
    list = (names){.count = 0};
    status = list_absent(exec, exec->model, &list, 0);
    if (status != LP_OK) {
        drop_names(&list);
        return status;
    }
    return refuse(exec, &list, LP_EINPUT, "weight has no content",
                  "weights have no content",
                  "; --fill-weights SEED draws some");
}
