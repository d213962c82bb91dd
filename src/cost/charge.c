/* charge.c: whose weights are whose.
 *
 * Each stored tensor (an initializer, a range of a side file however often it
 * is named, the payload of a Constant) is charged once, to the first listed
 * layer that reads it.  From each static operand of a listed layer a stack
 * walks up through the folded layers that make it, and into bodies, so that
 * DequantizeLinear, Transpose, Cast and Reshape of a weight stay invisible.
 *
 * What a tensor counts as follows from its role (role.c): a float initializer
 * is parameters, and so is an integer one in a weight's place; scales and zero
 * points are listed apart, also when they are floats; integer shapes and
 * indices are nothing.  So the counts of a quantized model compare with those
 * of the float model that it was made from.  A float Constant is a parameter
 * when it is data to its reader and larger than 1 KiB, or in a side file, or
 * when the model has no float initializers: exporters write the numbers of
 * formulas as small Constants.
 *
 * Invariant: a folded layer is walked at most once a role, a stored tensor is
 * charged at most once: linear time. */
#include <string.h>

#include "cost.h"

enum { SMALL_CONSTANT_BYTES = 1024 };

static const lp_dtype weights_as[LPI_WEIGHTS_AS] = {
    LP_FLOAT32, LP_FLOAT16, LP_INT8, LP_INT4, LP_INT2,
};

static const char role_letters[] = "dwszi";

/* A graph on the way, with those around it. */
typedef struct scope {
    const lp_model *model;
    uint8_t *walked; /* by layer: a bit for each role */
    uint32_t *moved; /* by layer: integers that end in a weight's place */
    const struct scope *around;
    int32_t depth;
} scope;

/* A static tensor to look behind, and who reads it in which role. */
typedef struct visit {
    const lp_tensor *tensor;
    const scope *scope;
    const lp_layer *reader;
    int32_t operand;
    char role;
} visit;

typedef struct charger {
    lpi_arena *scratch;
    lp_dtype as;
    bool constants_count; /* small float Constants are parameters */
    lp_cost *cost;        /* of the listed layer at hand */
    lpi_weights *weights;
    int64_t *as_bytes;   /* by tensor of the model: parameters at "as", or -1 */
    lpi_stored *charged; /* tensors that have a layer to pay for them */
    visit *stack;
    int64_t count, room;
    lp_error *error;
} charger;

/* ---- charging ----------------------------------------------------------- */

/* Whether float "tensor" is more than a number of a formula. */
static bool is_trained(const charger *c, const lp_tensor *tensor)
{
    return tensor->kind == LPI_WEIGHT || c->constants_count ||
           lpi_in_file(tensor) ||
           lpi_tensor_bytes(tensor) > SMALL_CONSTANT_BYTES;
}

/* What "tensor" counts as in "role": 'p' parameters, 'q' of quantization, or
 * 0: neither.  Constants without a layer were made here, not stored. */
static char kind_of_count(const charger *c, const lp_tensor *tensor, char role)
{
    bool is_float = lpi_dtype_is_float(tensor->dtype);

    if (tensor->kind == LPI_CONSTANT && !tensor->producer)
        return 0;
    if (role == 's' || role == 'z')
        return 'q';
    if (is_float && role == 'i')
        return tensor->kind == LPI_WEIGHT ? 'p' : 0;
    if (is_float)
        return is_trained(c, tensor) ? 'p' : 0;
    return role == 'w' ? 'p' : 0;
}

/* Elements that the tensor of "at" stands for: as many as it has, unless its
 * reader knows better (weights packed into bytes). */
static int64_t elements_of(const visit *at)
{
    const lp_layer *reader = at->reader;
    lpi_node node = {.model = (lp_model *)at->scope->model,
                     .layer = (lp_layer *)reader,
                     .params = reader ? reader->params : NULL};
    int64_t elements = -1;

    if (reader && reader->row && reader->row->weight_elements)
        elements = reader->row->weight_elements(&node, at->operand);
    return elements < 0 ? lpi_tensor_elements(at->tensor) : elements;
}

/* Add the tensor of "at" to the layer at hand as "elements" parameters. */
static void add_params(charger *c, const visit *at, int64_t elements)
{
    int64_t bytes = c->as == LP_UNDEFINED ? lpi_tensor_bytes(at->tensor)
                                          : lpi_storage_bytes(c->as, elements);
    int32_t i;

    c->cost->params = lpi_add(c->cost->params, elements);
    c->cost->weight_bytes = lpi_add(c->cost->weight_bytes, bytes);
    for (i = 0; i < LPI_WEIGHTS_AS; i++)
        c->weights->as[i].bytes =
            lpi_add(c->weights->as[i].bytes,
                    lpi_storage_bytes(c->weights->as[i].dtype, elements));
}

/* Charge the stored tensor of "at" unless it is charged already. */
static lp_status charge(charger *c, const visit *at)
{
    const lp_tensor *tensor = at->tensor;
    char kind = kind_of_count(c, tensor, at->role);
    int64_t elements = elements_of(at);
    bool is_new;

    if (!kind || elements <= 0)
        return LP_OK;
    if (kind == 'p' && !at->scope->around)
        c->as_bytes[tensor->id] = lpi_storage_bytes(c->as, elements);
    LP_TRY(lpi_stored_add(c->charged, tensor, &is_new, c->error));
    if (!is_new)
        return LP_OK;
    if (kind == 'p') {
        add_params(c, at, elements);
        return LP_OK;
    }
    c->cost->quant_params = lpi_add(c->cost->quant_params, elements);
    c->cost->weight_bytes =
        lpi_add(c->cost->weight_bytes, lpi_tensor_bytes(tensor));
    return LP_OK;
}

/* ---- walking up --------------------------------------------------------- */

static lp_status push(charger *c, visit next)
{
    while (next.tensor && next.tensor->kind == LPI_CAPTURE) {
        next.tensor = next.tensor->outer;
        next.scope = next.scope->around;
    }
    if (!next.tensor ||
        (!next.tensor->is_static && next.tensor->kind != LPI_WEIGHT &&
         next.tensor->kind != LPI_CONSTANT))
        return LP_OK;
    if (!LPI_GROW(c->scratch, c->stack, c->count, c->room))
        return lpi_fail_memory(c->error);
    c->stack[c->count++] = next;
    return LP_OK;
}

static lp_status push_body(charger *c, const lp_model *body,
                           const scope *around, char role);

/* Push the operands of "layer", and those of its bodies. */
static lp_status push_operands(charger *c, const lp_layer *layer,
                               const scope *in, char role)
{
    const lp_model *body;
    int32_t i, at = 0;

    for (i = 0; i < layer->inputs_count; i++)
        LP_TRY(push(c, (visit){.tensor = layer->inputs[i],
                               .scope = in,
                               .reader = layer,
                               .operand = i,
                               .role = lpi_role(layer, i, role,
                                                in->moved[layer->id])}));
    while ((body = lpi_next_body(layer, &at)))
        LP_TRY(push_body(c, body, in, role));
    return LP_OK;
}

static lp_status new_scope(charger *c, const lp_model *model,
                           const scope *around, const scope **ret_scope)
{
    scope *fresh = LPI_NEW(c->scratch, scope, 1);

    if (fresh)
        *fresh = (scope){
            .model = model,
            .walked = LPI_NEW(c->scratch, uint8_t, model->layers_count),
            .moved = LPI_NEW(c->scratch, uint32_t, model->layers_count),
            .around = around,
            .depth = around ? around->depth + 1 : 0,
        };
    if (!fresh || !fresh->walked || !fresh->moved)
        return lpi_fail_memory(c->error);
    LP_TRY(lpi_find_moved(c->scratch, model, fresh->moved, c->error));
    if (fresh->depth > LPI_BODIES_DEEP)
        return lpi_fail(c->error, LP_EINPUT, model->path,
                        "bodies nest deeper than %d", LPI_BODIES_DEEP);
    *ret_scope = fresh;
    return LP_OK;
}

/* Push what the layers of "body" read, and what it returns. */
static lp_status push_body(charger *c, const lp_model *body,
                           const scope *around, char role)
{
    const scope *inside;
    int64_t i;

    LP_TRY(new_scope(c, body, around, &inside));
    for (i = 0; i < body->layers_count; i++)
        if (!body->layers[i]->is_static)
            LP_TRY(push_operands(c, body->layers[i], inside, role));
    for (i = 0; i < body->outputs_count; i++)
        LP_TRY(push(c, (visit){.tensor = body->outputs[i],
                               .scope = inside,
                               .role = role}));
    return LP_OK;
}

/* Look behind everything on the stack. */
static lp_status walk(charger *c)
{
    while (c->count) {
        visit at = c->stack[--c->count];
        const lp_layer *maker = at.tensor->producer;
        uint8_t bit =
            (uint8_t)(1 << (strchr(role_letters, at.role) - role_letters));

        if (at.tensor->kind == LPI_WEIGHT || at.tensor->kind == LPI_CONSTANT) {
            LP_TRY(charge(c, &at));
            continue;
        }
        if (!maker || at.scope->walked[maker->id] & bit ||
            (maker->row && maker->row->flags & LPI_OF_SHAPE))
            continue;
        at.scope->walked[maker->id] |= bit;
        LP_TRY(push_operands(c, maker, at.scope, at.role));
    }
    return LP_OK;
}

/* ---- all of it -------------------------------------------------------- */

/* Whether "model" or one of its bodies has a float initializer. */
static bool has_float_weight(const lp_model *model, int32_t depth)
{
    int64_t i;
    int32_t at;

    for (i = 0; i < model->tensors_count; i++)
        if (model->tensors[i]->kind == LPI_WEIGHT &&
            lpi_dtype_is_float(model->tensors[i]->dtype))
            return true;
    for (i = 0; i < model->layers_count && depth < LPI_BODIES_DEEP; i++) {
        const lp_model *body;

        at = 0;
        while ((body = lpi_next_body(model->layers[i], &at)))
            if (has_float_weight(body, depth + 1))
                return true;
    }
    return false;
}

/* Count the elements of the static operands of "layer" not met before. */
static void count_operands(charger *c, const lp_layer *layer, bool *met)
{
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++) {
        const lp_tensor *tensor = layer->inputs[i];
        int64_t elements;

        if (!tensor || !tensor->is_static || met[tensor->id] ||
            (tensor->kind == LPI_CONSTANT && !tensor->producer))
            continue;
        met[tensor->id] = true;
        elements = lpi_tensor_elements(tensor);
        if (elements > 0)
            c->weights->operand_elements =
                lpi_add(c->weights->operand_elements, elements);
    }
}

lp_status lpi_weights_charge(lpi_arena *scratch, const lp_model *model,
                             lp_dtype as, lp_row *rows,
                             lpi_weights *ret_weights, lp_error *error)
{
    lpi_weights weights = {0};
    charger c = {.scratch = scratch,
                 .as = as,
                 .constants_count = !has_float_weight(model, 0),
                 .weights = &weights,
                 .as_bytes = LPI_NEW(scratch, int64_t, model->tensors_count),
                 .charged = lpi_stored_new(scratch),
                 .error = error};
    bool *met = LPI_NEW(scratch, bool, model->tensors_count);
    const scope *top;
    int64_t i;

    if (!c.as_bytes || !c.charged || !met)
        return lpi_fail_memory(error);
    memset(c.as_bytes, -1, (size_t)model->tensors_count * sizeof(int64_t));
    for (i = 0; i < LPI_WEIGHTS_AS; i++)
        weights.as[i].dtype = weights_as[i];
    LP_TRY(new_scope(&c, model, NULL, &top));
    for (i = 0; i < model->layers_count; i++) {
        if (model->layers[i]->is_static)
            continue;
        c.cost = &rows[i].cost;
        count_operands(&c, model->layers[i], met);
        LP_TRY(push_operands(&c, model->layers[i], top, 'd'));
        LP_TRY(walk(&c));
    }
    if (as != LP_UNDEFINED)
        LP_TRY(lpi_reads_follow(scratch, model, c.as_bytes, rows, error));
    *ret_weights = weights;
    return LP_OK;
}
