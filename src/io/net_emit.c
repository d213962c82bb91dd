/* net_emit.c: adding operators, attributes and weights for the one-line form.
 *
 * Every function works on the layer under way: what it makes is named after
 * its label, and errors name its word and place. */
#include <string.h>

#include "io.h"

lp_status lpi_net_fail(lpi_net *net, const char *format, ...)
{
    char reason[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    net->lexer.token = net->spot;
    return lpi_lex_fail(&net->lexer, "%s: %s", net->row->word, reason);
}

const char *lpi_net_below(lpi_net *net, const char *part)
{
    const char *name =
        lpi_arena_printf(net->model->arena, "%s.%s", net->label, part);

    return name ? name : "";
}

lp_status lpi_net_add(lpi_net *net, const char *name, lpi_net_call call,
                      lp_tensor **ret_output)
{
    lp_error *error = net->lexer.error;
    lp_tensor *output;
    lp_layer *layer;
    int32_t count = LPI_COUNT(call.inputs);

    if (!*name)
        return lpi_fail_memory(error);
    while (!call.inputs[count - 1])
        count--;
    LP_TRY(
        lpi_layer_add(net->model, name, "", call.op, count, 1, &layer, error));
    LP_TRY(lpi_lex_blame(
        &net->lexer,
        lpi_tensor_add(net->model, name, LPI_ACTIVATION, &output, error)));
    memcpy(layer->inputs, call.inputs, (size_t)count * sizeof(*call.inputs));
    layer->outputs[0] = output;
    output->producer = layer;
    layer->attrs = net->attrs;
    layer->attrs_count = (int32_t)net->attrs_count;
    net->attrs = NULL;
    net->attrs_count = net->attrs_room = 0;
    *ret_output = output;
    return LP_OK;
}

lp_status lpi_net_finish(lpi_net *net, lpi_net_call call)
{
    return lpi_net_add(net, net->label, call, &net->last.tensor);
}

static lp_status add_attr(lpi_net *net, lpi_attr attr)
{
    if (!LPI_GROW(net->model->arena, net->attrs, net->attrs_count,
                  net->attrs_room))
        return lpi_fail_memory(net->lexer.error);
    net->attrs[net->attrs_count++] = attr;
    return LP_OK;
}

lp_status lpi_net_attr_int(lpi_net *net, const char *name, int64_t value)
{
    return add_attr(net,
                    (lpi_attr){.name = name, .kind = LPI_ATTR_INT, .i = value});
}

lp_status lpi_net_attr_string(lpi_net *net, const char *name, const char *value)
{
    return add_attr(
        net, (lpi_attr){.name = name, .kind = LPI_ATTR_STRING, .s = value});
}

lp_status lpi_net_attr_ints(lpi_net *net, const char *name,
                            const lpi_net_numbers *values, int32_t times)
{
    int32_t count = values->count, i;
    int64_t *copy = LPI_NEW(net->model->arena, int64_t, (int64_t)count * times);

    if (!copy)
        return lpi_fail_memory(net->lexer.error);
    for (i = 0; i < times; i++)
        memcpy(copy + i * count, values->at, (size_t)count * sizeof(*copy));
    return add_attr(net, (lpi_attr){.name = name,
                                    .kind = LPI_ATTR_INTS,
                                    .count = count * times,
                                    .ints = copy});
}

lp_status lpi_net_weight(lpi_net *net, const char *part, int32_t rank,
                         const int64_t *dims, lp_tensor **ret_weight)
{
    const char *name = lpi_net_below(net, part);
    lp_shape shape = lpi_shape_copy(net->model->arena, rank, dims);
    lp_tensor *tensor;

    if (shape.rank < 0 || !*name)
        return lpi_fail_memory(net->lexer.error);
    if (lpi_mul(lpi_product(dims, rank), 16) == INT64_MAX)
        return lpi_net_fail(net, "the weights do not fit 64 bits");
    LP_TRY(
        lpi_lex_blame(&net->lexer, lpi_tensor_add(net->model, name, LPI_WEIGHT,
                                                  &tensor, net->lexer.error)));
    tensor->dtype = net->last.dtype;
    tensor->shape = shape;
    *ret_weight = tensor;
    return LP_OK;
}

lp_status lpi_net_constant(lpi_net *net, const char *part, lp_dtype dtype,
                           int64_t count, const void *values,
                           lp_tensor **ret_tensor)
{
    int64_t size = lpi_storage_bytes(dtype, count);
    void *copy = lpi_arena_array(net->model->arena, size, 1);

    if (!copy)
        return lpi_fail_memory(net->lexer.error);
    memcpy(copy, values, (size_t)size);
    LP_TRY(lpi_net_weight(net, part, 1, &count, ret_tensor));
    (*ret_tensor)->dtype = dtype;
    (*ret_tensor)->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = copy, .length = size};
    return LP_OK;
}

lp_status lpi_net_set_dim(lpi_net *net, int32_t axis, int64_t dim)
{
    if (dim < 1 || dim > INT64_C(1) << LPI_NET_DIM_BITS)
        return lpi_net_fail(net, "dimension %d of the result would be %lld",
                            axis, (long long)dim);
    net->last.dims[axis] = dim;
    return LP_OK;
}

lp_status lpi_net_want_rank(lpi_net *net, int32_t least, int32_t most)
{
    if (net->last.rank >= least && net->last.rank <= most)
        return LP_OK;
    return lpi_net_fail(net, "reads %d to %d dimensions, '%.100s' has %d",
                        least, most, net->last.tensor->name, net->last.rank);
}

lp_status lpi_net_spread(lpi_net *net, lpi_net_numbers *numbers, int32_t count,
                         int64_t or_else)
{
    int32_t i;

    if (numbers->count > 1 && numbers->count != count)
        return lpi_net_fail(net,
                            "an option has %d numbers, the image has %d "
                            "dimensions",
                            numbers->count, count);
    for (i = numbers->count; i < count; i++)
        numbers->at[i] = i ? numbers->at[0] : or_else;
    numbers->count = count;
    return LP_OK;
}
