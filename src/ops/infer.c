/* infer.c: settling a model, one layer after the other in file order.
 *
 * A layer is decoded once, gets the shapes of its outputs from its row, is
 * marked static when it gives the same in every run, and is folded, computed
 * now by the row's own run, when all its operands are known and small: chains
 * of shape arithmetic end in known shapes without a second rule. */
#include <string.h>

#include "ops.h"

/* Give "tensor" the type its declaration gives, with symbols bound; only when
 * every dimension is then known. */
static void take_declared(const lpi_node *node, lp_tensor *tensor)
{
    const lpi_declared *declared = tensor->declared;
    int64_t *dims;
    int32_t i;

    if (!declared)
        return;
    if (tensor->dtype == LP_UNDEFINED)
        tensor->dtype = declared->dtype;
    tensor->container = declared->container;
    if (declared->rank < 0 || lpi_shape_known(tensor->shape))
        return;
    dims = lpi_node_dims(node, declared->rank);
    if (!dims)
        return;
    for (i = 0; i < declared->rank; i++) {
        const lpi_dim *dim = &declared->dims[i];

        dims[i] = dim->value >= 0
                      ? dim->value
                      : lpi_map_get(node->context->symbols, dim->symbol);
        if (dims[i] < 0)
            return;
    }
    if (lpi_mul(lpi_product(dims, declared->rank), 16) != INT64_MAX)
        tensor->shape = (lp_shape){.rank = declared->rank, .dims = dims};
}

/* Forget what an earlier inference found. */
static void reset_outputs(lp_layer *layer)
{
    int32_t i;

    layer->is_static = layer->is_unknown = false;
    layer->note = NULL;
    for (i = 0; i < layer->outputs_count; i++) {
        lp_tensor *tensor = layer->outputs[i];

        if (!tensor)
            continue;
        tensor->dtype = LP_UNDEFINED;
        tensor->shape = lpi_shape_unknown;
        tensor->is_bound = tensor->is_static = tensor->is_weight = false;
        tensor->value = NULL;
        tensor->value_is_bound = false;
        tensor->stored_bytes = 0;
    }
}

static bool has_bodies(const lp_layer *layer)
{
    int32_t i;

    for (i = 0; i < layer->attrs_count; i++)
        if (layer->attrs[i].kind == LPI_ATTR_BODY)
            return true;
    return layer->definition != NULL;
}

/* What the operands of a layer have in common. */
typedef struct operands {
    bool all_static, all_weight, any_bound;
    int64_t stored_bytes; /* of the static ones */
    int32_t count;
} operands;

static operands look_at_operands(const lp_layer *layer)
{
    operands seen = {.all_static = true, .all_weight = true};
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++) {
        const lp_tensor *tensor = layer->inputs[i];

        if (!tensor)
            continue;
        seen.count++;
        seen.all_static = seen.all_static && tensor->is_static;
        seen.all_weight = seen.all_weight && tensor->is_weight;
        seen.any_bound = seen.any_bound || tensor->is_bound;
        if (tensor->is_static)
            seen.stored_bytes =
                lpi_add(seen.stored_bytes, tensor->stored_bytes);
    }
    return seen;
}

/* Mark the outputs of a layer without bodies: static, weight, bound. */
static void mark_outputs(lpi_node *node)
{
    lp_layer *layer = node->layer;
    uint32_t flags = layer->row ? layer->row->flags : LPI_IMPURE;
    operands seen = look_at_operands(layer);
    bool pure = !(flags & LPI_IMPURE), of_shape = flags & LPI_OF_SHAPE;
    bool sized = of_shape && lpi_shape_known(lpi_in_shape(node, 0)) &&
                 !seen.any_bound;
    bool is_static = pure && (seen.all_static || sized) && !node->is_bound;
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++) {
        lp_tensor *tensor = layer->outputs[i];
        int64_t bytes;

        if (!tensor)
            continue;
        tensor->is_bound = node->is_bound || (seen.any_bound && !of_shape);
        tensor->is_static =
            is_static && !tensor->is_bound &&
            (tensor->kind == LPI_CONSTANT || !lpi_is_bundle(tensor));
        tensor->is_weight = pure && seen.all_weight;
        bytes = lpi_tensor_bytes(tensor);
        tensor->stored_bytes = seen.count && seen.all_static &&
                                       seen.stored_bytes < bytes
                                   ? seen.stored_bytes
                                   : bytes;
    }
}

/* Whether the content of "tensor" is at hand: weights are read only when they
 * are small integers, or lie in the graph itself. */
static lp_status content_known(const lpi_node *node, lp_tensor *tensor,
                               bool *ret_known)
{
    bool cheap = tensor->payload.where == LPI_INLINE ||
                 !lpi_dtype_is_float(tensor->dtype);

    *ret_known = false;
    if (!tensor->value && cheap)
        LP_TRY(
            lpi_tensor_load(node->model, tensor, LPI_FOLD_MOST, node->error));
    *ret_known = tensor->value &&
                 lpi_tensor_elements(tensor) <= LPI_FOLD_MOST &&
                 lpi_class_of(tensor->dtype) != LPI_NO_CLASS;
    return LP_OK;
}

/* Whether all operands of "node" are known; "*ret_bound" when one is so only
 * up to a bound. */
static lp_status operands_known(const lpi_node *node, bool *ret_known,
                                bool *ret_bound)
{
    const lp_layer *layer = node->layer;
    int32_t i;

    *ret_known = *ret_bound = false;
    if (layer->row->flags & LPI_OF_SHAPE) {
        *ret_known = lpi_shape_known(lpi_in_shape(node, 0));
        *ret_bound = layer->inputs[0]->is_bound;
        return LP_OK;
    }
    for (i = 0; i < layer->inputs_count; i++) {
        bool known;

        if (!layer->inputs[i])
            continue;
        LP_TRY(content_known(node, layer->inputs[i], &known));
        if (!known)
            return LP_OK;
        *ret_bound = *ret_bound || layer->inputs[i]->value_is_bound;
    }
    *ret_known = true;
    return LP_OK;
}

/* Small known outputs of known dtypes, none missing that the row always
 * computes. */
static bool outputs_small(const lp_layer *layer)
{
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];
        int64_t elements = tensor ? lpi_tensor_elements(tensor) : 0;

        if (!tensor && i < layer->row->outputs_min)
            return false;
        if (tensor && (elements < 0 || lpi_is_bundle(tensor) ||
                       elements > LPI_FOLD_MOST ||
                       lpi_class_of(tensor->dtype) == LPI_NO_CLASS))
            return false;
    }
    return true;
}

/* Compute the outputs of "node" now, into the model's arena. */
static lp_status compute(const lpi_node *node, bool is_bound)
{
    const lp_layer *layer = node->layer;
    lpi_arena *scratch = node->context->scratch;
    const void **in = LPI_NEW(scratch, const void *, layer->inputs_count);
    void **out = LPI_NEW(scratch, void *, layer->outputs_count);
    lpi_run run = {.node = node, .in = in, .out = out, .scratch = scratch};
    int32_t i;

    if (!in || !out)
        return lpi_node_fail_memory(node);
    for (i = 0; i < layer->inputs_count; i++)
        in[i] = layer->inputs[i] ? layer->inputs[i]->value : NULL;
    for (i = 0; i < layer->outputs_count; i++) {
        if (!layer->outputs[i])
            continue;
        out[i] = lpi_arena_array(node->model->arena,
                                 lpi_tensor_bytes(layer->outputs[i]), 1);
        if (!out[i])
            return lpi_node_fail_memory(node);
    }
    LP_TRY(layer->row->run(&run));
    for (i = 0; i < layer->outputs_count; i++) {
        if (!layer->outputs[i])
            continue;
        layer->outputs[i]->value = out[i];
        layer->outputs[i]->value_is_bound = is_bound;
    }
    return LP_OK;
}

/* Fold "node" when it can be: the content of its outputs becomes known. */
static lp_status fold(const lpi_node *node)
{
    const lp_op *row = node->layer->row;
    bool known, bound;

    if (!row || !row->run || row->flags & LPI_IMPURE || node->is_bound ||
        !outputs_small(node->layer))
        return LP_OK;
    LP_TRY(operands_known(node, &known, &bound));
    if (!known || (bound && !(row->flags & (LPI_MONOTONE | LPI_OF_SHAPE))))
        return LP_OK;
    LP_TRY(compute(node, bound));
    lpi_arena_reset(node->context->scratch);
    return LP_OK;
}

int64_t lpi_operand_bytes(const lp_layer *layer)
{
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i])
            layer->inputs[i]->reader = NULL;
    for (i = 0; i < layer->inputs_count; i++) {
        lp_tensor *tensor = layer->inputs[i];

        if (!tensor || tensor->reader == layer)
            continue;
        tensor->reader = layer;
        bytes = lpi_add(bytes, tensor->is_static ? tensor->stored_bytes
                                                 : lpi_tensor_bytes(tensor));
    }
    return bytes;
}

/* Set what follows for the layer from the marks of its outputs. */
static void conclude(lpi_node *node)
{
    lp_layer *layer = node->layer;
    bool all_static = true, any = false;
    int32_t i;

    if (!layer->row) {
        layer->is_unknown = true;
        layer->note = "the operator is not known";
    }
    for (i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (!tensor)
            continue;
        any = true;
        all_static = all_static && tensor->is_static;
        if (tensor->container != LPI_TENSOR)
            continue;
        if (!lpi_shape_known(tensor->shape) || tensor->dtype == LP_UNDEFINED) {
            layer->is_unknown = true;
            if (!layer->note)
                layer->note =
                    lpi_in_absent(node)
                        ? "its shape is in the file of weights, which is absent"
                        : "the shape of an output is not known";
        }
    }
    layer->is_static = any && all_static;
    layer->operand_bytes = lpi_operand_bytes(layer);
}

/* The row that serves "layer", or NULL. */
static const lp_op *find_row(const lpi_context *context, const lp_layer *layer)
{
    char key[256];
    int64_t at;

    snprintf(key, sizeof(key), "%s.%s", layer->domain, layer->op);
    at = lpi_map_get(context->rows, key);
    if (at < 0 || (layer->version && layer->version < context->list[at]->since))
        return NULL;
    return context->list[at];
}

static lp_status infer_layer(lp_model *model, lp_layer *layer,
                             const lpi_context *context, lp_error *error)
{
    lpi_node node = {.model = model,
                     .layer = layer,
                     .context = context,
                     .params = layer->params,
                     .error = error};
    int32_t i;

    reset_outputs(layer);
    if (!layer->is_settled && (layer->row = find_row(context, layer)))
        LP_TRY(lpi_node_decode(&node));
    LP_TRY(lpi_node_fit(&node));
    if (layer->row)
        LP_TRY(layer->row->shape(&node));
    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i])
            take_declared(&node, layer->outputs[i]);
    if (!layer->row || !has_bodies(layer)) {
        mark_outputs(&node);
        LP_TRY(fold(&node));
    }
    conclude(&node);
    return LP_OK;
}

/* Weights and constants are known from the start. */
static void mark_constants(lp_model *model)
{
    int64_t i;

    for (i = 0; i < model->tensors_count; i++) {
        lp_tensor *tensor = model->tensors[i];

        if (tensor->kind != LPI_WEIGHT && tensor->kind != LPI_CONSTANT)
            continue;
        tensor->is_static = tensor->is_weight = true;
        tensor->stored_bytes = lpi_tensor_bytes(tensor);
    }
}

lp_status lpi_model_infer(lp_model *model, const lpi_context *context,
                          lp_error *error)
{
    int64_t i;

    mark_constants(model);
    for (i = 0; i < model->layers_count; i++)
        LP_TRY(infer_layer(model, model->layers[i], context, error));
    return LP_OK;
}

lp_status lpi_body_infer(const lpi_node *node, lp_model *body)
{
    int64_t i;

    for (i = 0; i < body->captures_count; i++) {
        lp_tensor *inner = body->captures[i];
        const lp_tensor *outer = inner->outer;

        inner->container = outer->container;
        inner->dtype = outer->dtype;
        inner->shape = outer->shape;
        inner->is_bound = outer->is_bound;
        inner->is_static = outer->is_static;
        inner->is_weight = outer->is_weight;
        inner->value = outer->value;
        inner->value_is_bound = outer->value_is_bound;
        inner->stored_bytes = outer->stored_bytes;
        inner->payload = outer->payload;
    }
    return lpi_model_infer(body, node->context, node->error);
}

void lpi_body_bind(lp_model *body, int32_t i, const lp_tensor *from,
                   lp_shape shape, bool with_value)
{
    lp_tensor *input = body->inputs[i];

    input->container = from->container;
    input->dtype = from->dtype;
    input->shape = shape;
    input->is_bound = from->is_bound;
    input->value = with_value ? from->value : NULL;
    input->value_is_bound = with_value && from->value_is_bound;
}
