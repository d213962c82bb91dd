/* hash.c: a number that tells models apart, by structure.
 *
 * The canonical graph is a stream of numbers and names: operators, operands,
 * attributes, types, and integer constants that stand in the graph itself.
 * Where weights lie, and what they hold, is no part of it.  XXH3 of the stream
 * is the same on every machine. */
#include <string.h>
#include <xxhash.h>

#include "sched.h"

typedef struct hasher {
    XXH3_state_t *state;
    int32_t depth;
} hasher;

enum { CONSTANT_MOST = 1024 };

static void put_bytes(hasher *h, const void *bytes, int64_t size)
{
    XXH3_64bits_update(h->state, &size, sizeof(size));
    if (size)
        XXH3_64bits_update(h->state, bytes, (size_t)size);
}

static void put_number(hasher *h, int64_t number)
{
    XXH3_64bits_update(h->state, &number, sizeof(number));
}

static void put_name(hasher *h, const char *name)
{
    put_bytes(h, name, (int64_t)strlen(name));
}

static void put_model(hasher *h, const lp_model *model);

/* Name, type, and content when it is small, whole numbers and in the graph. */
static void put_tensor(hasher *h, const lp_tensor *tensor)
{
    int64_t bytes;
    int32_t i;

    put_number(h, tensor ? 1 : 0);
    if (!tensor)
        return;
    put_name(h, tensor->name);
    put_number(h, tensor->dtype);
    put_number(h, tensor->shape.rank);
    for (i = 0; i < tensor->shape.rank; i++)
        put_number(h, tensor->shape.dims[i]);
    bytes = lpi_tensor_bytes(tensor);
    if ((tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT) &&
        tensor->payload.where == LPI_INLINE && tensor->value &&
        bytes <= CONSTANT_MOST &&
        (lpi_dtype_is_integer(tensor->dtype) || tensor->dtype == LP_BOOL))
        put_bytes(h, tensor->value, bytes);
}

static void put_strings(hasher *h, const lpi_attr *attr)
{
    int64_t i;

    for (i = 0; i < attr->count; i++)
        put_name(h, attr->strings[i]);
}

static void put_attr(hasher *h, const lpi_attr *attr)
{
    put_name(h, attr->name);
    put_number(h, attr->kind);
    switch (attr->kind) {
    case LPI_ATTR_FLOAT:
        put_bytes(h, &attr->f, sizeof(attr->f));
        break;
    case LPI_ATTR_INT:
        put_number(h, attr->i);
        break;
    case LPI_ATTR_STRING:
        put_name(h, attr->s);
        break;
    case LPI_ATTR_FLOATS:
        put_bytes(h, attr->floats, attr->count * (int64_t)sizeof(float));
        break;
    case LPI_ATTR_INTS:
        put_bytes(h, attr->ints, attr->count * (int64_t)sizeof(int64_t));
        break;
    case LPI_ATTR_STRINGS:
        put_strings(h, attr);
        break;
    case LPI_ATTR_TENSOR:
        put_tensor(h, attr->tensor);
        break;
    case LPI_ATTR_BODY:
        put_model(h, attr->body);
        break;
    case LPI_ATTR_OTHER:
        break;
    }
}

static void put_layer(hasher *h, const lp_layer *layer)
{
    int32_t i;

    put_name(h, layer->name);
    put_name(h, layer->domain);
    put_name(h, layer->op);
    put_number(h, layer->version);
    put_number(h, layer->inputs_count);
    for (i = 0; i < layer->inputs_count; i++)
        put_tensor(h, layer->inputs[i]);
    put_number(h, layer->outputs_count);
    for (i = 0; i < layer->outputs_count; i++)
        put_tensor(h, layer->outputs[i]);
    put_number(h, layer->attrs_count);
    for (i = 0; i < layer->attrs_count; i++)
        put_attr(h, &layer->attrs[i]);
}

static void put_model(hasher *h, const lp_model *model)
{
    int64_t i;

    if (h->depth++ < LPI_BODIES_DEEP) {
        put_number(h, model->inputs_count);
        for (i = 0; i < model->inputs_count; i++)
            put_tensor(h, model->inputs[i]);
        put_number(h, model->layers_count);
        for (i = 0; i < model->layers_count; i++)
            put_layer(h, model->layers[i]);
        put_number(h, model->outputs_count);
        for (i = 0; i < model->outputs_count; i++)
            put_tensor(h, model->outputs[i]);
    }
    h->depth--;
}

lp_status lpi_model_hash(const lp_model *model, uint64_t *ret_hash,
                         lp_error *error)
{
    hasher h = {.state = XXH3_createState()};

    if (!h.state)
        return lpi_fail_memory(error);
    XXH3_64bits_reset(h.state);
    put_model(&h, model);
    *ret_hash = XXH3_64bits_digest(h.state);
    XXH3_freeState(h.state);
    return LP_OK;
}
