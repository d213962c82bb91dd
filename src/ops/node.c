/* node.c: what the hooks of rows call. */
#include <string.h>

#include "ops.h"

lp_tensor *lpi_in(const lpi_node *node, int32_t i)
{
    const lp_layer *layer = node->layer;

    return i >= 0 && i < layer->inputs_count ? layer->inputs[i] : NULL;
}

lp_tensor *lpi_out(const lpi_node *node, int32_t i)
{
    const lp_layer *layer = node->layer;

    return i >= 0 && i < layer->outputs_count ? layer->outputs[i] : NULL;
}

lp_shape lpi_in_shape(const lpi_node *node, int32_t i)
{
    const lp_tensor *tensor = lpi_in(node, i);

    return tensor ? tensor->shape : lpi_shape_unknown;
}

lp_dtype lpi_in_dtype(const lpi_node *node, int32_t i)
{
    const lp_tensor *tensor = lpi_in(node, i);

    return tensor ? tensor->dtype : LP_UNDEFINED;
}

lp_shape lpi_out_shape(const lpi_node *node, int32_t i)
{
    const lp_tensor *tensor = lpi_out(node, i);

    return tensor ? tensor->shape : lpi_shape_unknown;
}

/* Elements of "tensor", 0 when it is absent or not known. */
static int64_t elements_or_none(const lp_tensor *tensor)
{
    int64_t elements = tensor ? lpi_tensor_elements(tensor) : 0;

    return elements < 0 ? 0 : elements;
}

int64_t lpi_in_elements(const lpi_node *node, int32_t i)
{
    return elements_or_none(lpi_in(node, i));
}

int64_t lpi_out_elements(const lpi_node *node, int32_t i)
{
    return elements_or_none(lpi_out(node, i));
}

/* The content of input "i" when it is known or can be read, else NULL. */
static const lp_tensor *known_input(lpi_node *node, int32_t i)
{
    lp_tensor *tensor = lpi_in(node, i);

    if (!tensor)
        return NULL;
    if (!tensor->value && lpi_tensor_load(node->model, tensor, LPI_FOLD_MOST,
                                          node->error) != LP_OK)
        return NULL;
    if (!tensor->value || lpi_class_of(tensor->dtype) == LPI_NO_CLASS)
        return NULL;
    if (tensor->value_is_bound)
        node->is_bound = true;
    return tensor;
}

/* The content of "tensor" as an array of "class", in the model's arena. */
static void *unpack_as(lpi_node *node, const lp_tensor *tensor, lpi_class class)
{
    int64_t count = lpi_tensor_elements(tensor);
    lpi_class own = lpi_class_of(tensor->dtype);
    void *raw = lpi_arena_array(node->model->arena, count, lpi_class_size(own));
    void *result =
        lpi_arena_array(node->model->arena, count, lpi_class_size(class));

    if (!raw || !result)
        return NULL;
    lpi_unpack(tensor->dtype, tensor->value, 0, count, raw);
    lpi_convert(own, raw, class, result, count);
    return result;
}

bool lpi_in_ints(lpi_node *node, int32_t i, lpi_list *ret_list)
{
    const lp_tensor *tensor = known_input(node, i);
    const int64_t *ints = tensor ? unpack_as(node, tensor, LPI_I64) : NULL;

    if (!ints)
        return false;
    ret_list->count = lpi_tensor_elements(tensor);
    ret_list->ints = ints;
    return true;
}

bool lpi_in_floats(lpi_node *node, int32_t i, lpi_list *ret_list)
{
    const lp_tensor *tensor = known_input(node, i);
    const float *floats = tensor ? unpack_as(node, tensor, LPI_F32) : NULL;

    if (!floats)
        return false;
    ret_list->count = lpi_tensor_elements(tensor);
    ret_list->floats = floats;
    return true;
}

lp_status lpi_out_set(lpi_node *node, int32_t i, lp_dtype dtype, int32_t rank,
                      const int64_t *dims)
{
    lp_tensor *tensor = lpi_out(node, i);
    int64_t elements = 1;
    int32_t axis;

    if (!tensor)
        return LP_OK;
    tensor->dtype = dtype;
    if (rank < 0) {
        tensor->shape = lpi_shape_unknown;
        return LP_OK;
    }
    for (axis = 0; axis < rank; axis++) {
        if (dims[axis] < -1)
            return lpi_node_fail(node,
                                 "output %d would have a dimension of "
                                 "%lld",
                                 i, (long long)dims[axis]);
        if (dims[axis] > 0)
            elements = lpi_mul(elements, dims[axis]);
    }
    if (lpi_mul(elements, 16) == INT64_MAX)
        return lpi_node_fail(node,
                             "output %d is too large: its bytes do not "
                             "fit 64 bits",
                             i);
    tensor->shape = lpi_shape_copy(node->model->arena, rank, dims);
    return tensor->shape.rank < 0 ? lpi_node_fail_memory(node) : LP_OK;
}

lp_status lpi_out_set_shape(lpi_node *node, int32_t i, lp_dtype dtype,
                            lp_shape shape)
{
    return lpi_out_set(node, i, dtype, shape.rank, shape.dims);
}

lp_status lpi_node_fail(const lpi_node *node, const char *format, ...)
{
    char reason[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return lpi_fail(node->error, LP_EINPUT, node->model->path,
                    "layer '%.200s' (%.60s): %s", node->layer->name,
                    node->layer->op, reason);
}

lp_status lpi_node_fail_memory(const lpi_node *node)
{
    return lpi_fail_memory(node->error);
}

void lpi_node_note(const lpi_node *node, const char *note)
{
    node->layer->note = note;
}

/* Make input "i", which is absent, a vector of "count" elements of "dtype"
 * that lie at "bytes". */
static lp_status add_operand(lpi_node *node, int32_t i, lp_dtype dtype,
                             int64_t count, const void *bytes)
{
    lp_layer *layer = node->layer;
    lpi_arena *arena = node->model->arena;
    size_t size = (size_t)lpi_storage_bytes(dtype, count);
    char *copy = lpi_arena_alloc(arena, size);
    lp_tensor *tensor;

    if (!copy)
        return lpi_node_fail_memory(node);
    if (size)
        memcpy(copy, bytes, size);
    LP_TRY(lpi_tensor_add(node->model, "", LPI_CONSTANT, &tensor, node->error));
    tensor->dtype = dtype;
    tensor->shape = lpi_shape_copy(arena, 1, &count);
    tensor->payload = (lpi_payload){
        .where = LPI_INLINE, .bytes = copy, .length = (int64_t)size};
    tensor->value = copy;
    tensor->is_static = tensor->is_weight = true;
    tensor->stored_bytes = (int64_t)size;
    if (tensor->shape.rank < 0)
        return lpi_node_fail_memory(node);
    if (i >= layer->inputs_count) {
        lp_tensor **wider = LPI_NEW(arena, lp_tensor *, i + 1);

        if (!wider)
            return lpi_node_fail_memory(node);
        if (layer->inputs_count)
            memcpy(wider, layer->inputs,
                   (size_t)layer->inputs_count * sizeof(*wider));
        layer->inputs = wider;
        layer->inputs_count = i + 1;
    }
    layer->inputs[i] = tensor;
    return LP_OK;
}

lp_status lpi_node_add_ints(lpi_node *node, int32_t i, const int64_t *values,
                            int64_t count)
{
    return add_operand(node, i, LP_INT64, count, values);
}

lp_status lpi_node_add_floats(lpi_node *node, int32_t i, const float *values,
                              int64_t count)
{
    return add_operand(node, i, LP_FLOAT32, count, values);
}

const lpi_attr *lpi_node_attr(const lpi_node *node, const char *name)
{
    int32_t i;

    for (i = 0; i < node->layer->attrs_count; i++)
        if (!strcmp(node->layer->attrs[i].name, name))
            return &node->layer->attrs[i];
    return NULL;
}

int64_t *lpi_node_dims(const lpi_node *node, int64_t count)
{
    return LPI_NEW(node->model->arena, int64_t, count);
}

bool lpi_axis(int64_t axis, int32_t rank, int64_t *ret_axis)
{
    if (axis < -(int64_t)rank || axis >= rank)
        return false;
    *ret_axis = axis < 0 ? axis + rank : axis;
    return true;
}

int64_t *lpi_product_class(const lpi_node *node, int32_t a, int32_t b,
                           lp_cost *cost)
{
    const lp_tensor *left = lpi_in(node, a), *right = lpi_in(node, b);

    return (left && left->is_weight) || (right && right->is_weight)
               ? &cost->macs_linear
               : &cost->macs_attention;
}

/* The dimension that "a" and "b" broadcast to; -2 when they do not match. */
static int64_t broadcast_dim(int64_t a, int64_t b)
{
    if (a == b || b == 1)
        return a;
    if (a == 1)
        return b;
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return -2;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool lpi_broadcast(const lpi_node *node, lp_shape a, lp_shape b,
                   lp_shape *ret_shape)
{
    int32_t rank = a.rank > b.rank ? a.rank : b.rank, i;
    int64_t *dims;

    *ret_shape = lpi_shape_unknown;
    if (a.rank < 0 || b.rank < 0)
        return true;
    dims = lpi_node_dims(node, rank);
    if (!dims)
        return true;
    for (i = 1; i <= rank; i++) {
        dims[rank - i] = broadcast_dim(i <= a.rank ? a.dims[a.rank - i] : 1,
                                       i <= b.rank ? b.dims[b.rank - i] : 1);
        if (dims[rank - i] != -2)
            continue;
        if (!lpi_in_bound(node))
            return false;
        dims[rank - i] = larger(a.dims[a.rank - i], b.dims[b.rank - i]);
    }
    *ret_shape = (lp_shape){.rank = rank, .dims = dims};
    return true;
}
