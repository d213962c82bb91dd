/* define.c: operators that are made of others.
 *
 * The settle hook of such a row writes its definition: a body whose layers are
 * of other rows, in the form of opset LPI_DEFINED_OPSET, and whose captures
 * are the operands.  The row itself then needs neither a shape nor a cost nor a
 * run of its own.
 *
 * Invariant: a definition sees nothing of the graph around but the operands of
 * its layer and what the bodies of that layer capture. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

/* The capture in "body" of "tensor", which belongs to the graph "owner" around
 * it, at some distance; made now, at every level, where there is none. */
static lp_status capture_of(const lpi_define *d, lp_model *body,
                            lp_tensor *tensor, lp_tensor **ret_capture)
{
    lp_error *error = d->node->error;

    if (body->outer != d->node->model)
        LP_TRY(capture_of(d, body->outer, tensor, &tensor));
    for (int64_t i = 0; i < body->captures_count; i++)
        if (body->captures[i]->outer == tensor) {
            *ret_capture = body->captures[i];
            return LP_OK;
        }
    if (!LPI_GROW(body->arena, body->captures, body->captures_count,
                  body->captures_room))
        return lpi_fail_memory(error);
    LP_TRY(lpi_tensor_add(body, "", LPI_CAPTURE, ret_capture, error));
    (*ret_capture)->outer = tensor;
    body->captures[body->captures_count++] = *ret_capture;
    return LP_OK;
}

static lpi_define begin(lpi_node *node, lp_model *outer, lp_status status)
{
    lpi_define d = {.node = node, .status = status};

    if (d.status == LP_OK && !(d.body = lpi_model_new_body(outer)))
        d.status = lpi_node_fail_memory(node);
    return d;
}

lpi_define lpi_define_begin(lpi_node *node)
{
    return begin(node, node->model, LP_OK);
}

lpi_define lpi_define_body(lpi_define *d)
{
    return begin(d->node, d->body, d->status);
}

void lpi_define_input(lpi_define *d, const char *name)
{
    lp_tensor *tensor;

    if (d->status == LP_OK)
        d->status =
            lpi_tensor_add(d->body, name, LPI_INPUT, &tensor, d->node->error);
    if (d->status == LP_OK)
        d->status = lpi_model_add_input(d->body, tensor, d->node->error);
}

/* The tensor that "name", "length" bytes long, stands for: an operand when it
 * is a number, else what a layer before made. */
static lp_status find(lpi_define *d, const char *name, size_t length,
                      lp_tensor **ret_tensor)
{
    char text[32];

    snprintf(text, sizeof(text), "%.*s", (int)length, name);
    *ret_tensor = NULL;
    if (*text < '0' || *text > '9') {
        *ret_tensor = lpi_tensor_find(d->body, text);
        return *ret_tensor ? LP_OK
                           : lpi_node_fail(d->node, "has no part '%s'", text);
    }
    lp_tensor *operand = lpi_in(d->node, atoi(text));

    return operand ? capture_of(d, d->body, operand, ret_tensor) : LP_OK;
}

/* Words of "text", which are parted by one space. */
static int32_t count_words(const char *text)
{
    int32_t count = *text != '\0';

    for (; *text; text++)
        count += *text == ' ';
    return count;
}

/* Put what the words of "text" stand for into "tensors", an output of "maker"
 * each unless that is NULL. */
static lp_status name_tensors(lpi_define *d, const char *text, lp_layer *maker,
                              lp_tensor **tensors)
{
    for (int32_t i = 0; *text; i++) {
        size_t length = strcspn(text, " ");

        bool is_absent = strncmp(text, "_", length) == 0;

        if (maker && !is_absent) {
            char *name = lpi_arena_strndup(d->body->arena, text, length);

            if (!name)
                return lpi_node_fail_memory(d->node);
            LP_TRY(lpi_tensor_add(d->body, name, LPI_ACTIVATION, &tensors[i],
                                  d->node->error));
            tensors[i]->producer = maker;
        } else if (!is_absent) {
            LP_TRY(find(d, text, length, &tensors[i]));
        }
        text += length + (text[length] == ' ');
    }
    return LP_OK;
}

static lp_status add_layer(lpi_define *d, const char *op, const char *in,
                           const char *out, const lpi_attr *attrs)
{
    const char *dot = strrchr(op, '.');
    char *domain =
        lpi_arena_strndup(d->body->arena, op, dot ? (size_t)(dot - op) : 0);
    char *name =
        lpi_arena_printf(d->body->arena, "%s/%s", d->node->layer->name, out);
    int32_t count = 0;
    lpi_attr *copy;
    lp_layer *layer;

    while (attrs && attrs[count].name)
        count++;
    copy = LPI_NEW(d->body->arena, lpi_attr, count);
    if (!domain || !name || !copy)
        return lpi_node_fail_memory(d->node);
    LP_TRY(lpi_layer_add(d->body, name, domain, dot ? dot + 1 : op,
                         count_words(in), count_words(out), &layer,
                         d->node->error));
    layer->module = d->node->layer->module;
    layer->version = strcmp(domain, "ai.onnx.ml") == 0 ? LPI_DEFINED_ML
                     : *domain                         ? 1
                                                       : LPI_DEFINED_OPSET;
    for (int32_t i = 0; i < count; i++)
        copy[i] = attrs[i];
    layer->attrs = copy;
    layer->attrs_count = count;
    LP_TRY(name_tensors(d, in, NULL, layer->inputs));
    return name_tensors(d, out, layer, layer->outputs);
}

void lpi_define_layer(lpi_define *d, const char *op, const char *in,
                      const char *out, const lpi_attr *attrs)
{
    if (d->status == LP_OK)
        d->status = add_layer(d, op, in, out, attrs);
}

static lp_status add_constant(lpi_define *d, const char *name, lp_dtype dtype,
                              lp_shape shape, const void *bytes)
{
    lpi_arena *arena = d->body->arena;
    int64_t size = lpi_storage_bytes(dtype, lpi_shape_elements(shape));
    char *copy = lpi_arena_alloc(arena, (size_t)size + 1);
    lp_tensor *tensor;

    LP_TRY(
        lpi_tensor_add(d->body, name, LPI_CONSTANT, &tensor, d->node->error));
    tensor->shape = lpi_shape_copy(arena, shape.rank, shape.dims);
    if (!copy || tensor->shape.rank < 0)
        return lpi_node_fail_memory(d->node);
    memcpy(copy, bytes, (size_t)size);
    tensor->dtype = dtype;
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = copy, .length = size};
    tensor->value = copy;
    return LP_OK;
}

void lpi_define_ints(lpi_define *d, const char *name, const int64_t *values,
                     int64_t count)
{
    if (d->status == LP_OK)
        d->status =
            add_constant(d, name, LP_INT64, (lp_shape){1, &count}, values);
}

void lpi_define_number(lpi_define *d, const char *name, lp_dtype dtype,
                       double value)
{
    static const int64_t none[1] = {0};
    char bytes[16];

    if (d->status != LP_OK)
        return;
    lpi_store_reals(dtype, &value, 1, bytes);
    d->status = add_constant(d, name, dtype, (lp_shape){0, none}, bytes);
}

/* Let input "i" of "body", adopted from "original", be the capture of "given";
 * the original, which is written as it was read, gets another in its place. */
static lp_status capture_input(const lpi_define *d, lp_model *body,
                               lp_model *original, int32_t i, lp_tensor *given)
{
    lp_tensor *input = body->inputs[i];
    lp_tensor *other = LPI_NEW(d->body->arena, lp_tensor, 1);

    if (!other)
        return lpi_node_fail_memory(d->node);
    *other = *input;
    original->inputs[i] = original->tensors[input->id] = other;
    input->kind = LPI_CAPTURE;
    input->outer = given;
    body->captures[body->captures_count++] = input;
    return LP_OK;
}

/* A copy of the "count" pointers "from"; NULL without memory. */
static lp_tensor **copy_list(const lpi_define *d, lp_tensor **from,
                             int64_t count)
{
    lp_tensor **to = LPI_NEW(d->body->arena, lp_tensor *, count);

    if (to && count)
        memcpy(to, from, (size_t)count * sizeof(*to));
    return to;
}

/* A copy of "body", whose graph around is now that of "d", and whose first
 * inputs are what "in" names there. */
static lp_status adopt(lpi_define *d, lp_model *body, const char *in,
                       lp_model **ret_body)
{
    int32_t count = count_words(in);
    lp_tensor **given = LPI_NEW(d->body->arena, lp_tensor *, count);
    lp_model *copy = LPI_NEW(d->body->arena, lp_model, 1);
    int64_t all = body->captures_count + count;

    if (!given || !copy)
        return lpi_node_fail_memory(d->node);
    *copy = *body;
    copy->outer = d->body;
    copy->captures = LPI_NEW(d->body->arena, lp_tensor *, all);
    copy->captures_room = all;
    copy->inputs = copy_list(d, body->inputs, body->inputs_count);
    copy->tensors = copy_list(d, body->tensors, body->tensors_count);
    copy->tensors_room = body->tensors_count;
    if (!copy->captures || !copy->inputs || !copy->tensors)
        return lpi_node_fail_memory(d->node);
    for (int64_t i = 0; i < body->captures_count; i++) {
        copy->captures[i] = body->captures[i];
        LP_TRY(capture_of(d, d->body, body->captures[i]->outer,
                          &copy->captures[i]->outer));
    }
    LP_TRY(name_tensors(d, in, NULL, given));
    for (int32_t i = 0; i < count; i++)
        LP_TRY(capture_input(d, copy, body, i, given[i]));
    copy->inputs += count;
    copy->inputs_count -= count;
    *ret_body = copy;
    return LP_OK;
}

lp_model *lpi_define_adopt(lpi_define *d, lp_model *body, const char *in)
{
    lp_model *adopted = NULL;

    if (d->status == LP_OK)
        d->status = adopt(d, body, in, &adopted);
    return adopted;
}

static lp_status set_outputs(lpi_define *d, const char *out)
{
    int32_t count = count_words(out);
    lp_tensor **outputs = LPI_NEW(d->body->arena, lp_tensor *, count);

    if (!outputs)
        return lpi_node_fail_memory(d->node);
    d->body->outputs = outputs;
    d->body->outputs_count = count;
    return name_tensors(d, out, NULL, outputs);
}

void lpi_define_outputs(lpi_define *d, const char *out)
{
    if (d->status == LP_OK)
        d->status = set_outputs(d, out);
}

lp_status lpi_define_end(lpi_define *d, const char *out)
{
    lpi_define_outputs(d, out);
    if (d->status == LP_OK)
        d->node->layer->definition = d->body;
    return d->status;
}

lp_status lpi_defined_shape(lpi_node *node)
{
    lp_model *body = node->layer->definition;

    LP_TRY(lpi_body_infer(node, body));
    return lpi_out_all(node, body);
}

/* The arithmetic of the parts, and the bytes of the whole. */
void lpi_defined_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t read = cost->read_bytes, write = cost->write_bytes;

    if (!node->layer->definition)
        return;
    lpi_body_cost(node, node->layer->definition, 1, cost);
    cost->read_bytes = read;
    cost->write_bytes = write;
}
