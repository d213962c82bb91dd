/* settle.c: the door of inference: dimensions are bound, rows looked up.
 *
 * After it every dimension of an input is a number.  A symbol gets its value
 * from "dims", or from a shape given for an input that declares it. */
#include <string.h>

#include "ops.h"

/* All rows in one list, and a map from "domain.name" to positions in it. */
static lp_status list_rows(lpi_arena *arena, lpi_context *context,
                           lp_error *error)
{
    lpi_map *map = lpi_map_new(arena);
    int64_t count = 0, room = 0;
    int32_t family;

    context->rows = map;
    if (!map)
        return lpi_fail_memory(error);
    for (family = 0; lpi_families[family]; family++) {
        const lp_op *row = lpi_families[family];

        for (; row->name; row++) {
            char *key =
                lpi_arena_printf(arena, "%s.%s", row->domain, row->name);

            if (!key || !LPI_GROW(arena, context->list, count, room) ||
                !lpi_map_set(map, key, count))
                return lpi_fail_memory(error);
            context->list[count++] = row;
        }
    }
    return LP_OK;
}

/* The shape that "options" give for the input called "name", or NULL. */
static const lp_shape *given_shape(const lp_load_options *options,
                                   const char *name)
{
    size_t i;

    for (i = 0; i < options->shapes_count; i++)
        if (!strcmp(options->shapes[i].input, name))
            return &options->shapes[i].shape;
    return NULL;
}

/* Set the value of the dimension "symbol", which may have it already. */
static lp_status bind_symbol(const lp_model *model, lpi_map *symbols,
                             const char *symbol, int64_t value, lp_error *error)
{
    int64_t old = lpi_map_get(symbols, symbol);

    if (value < 0)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "dimension '%.100s' cannot be %lld", symbol,
                        (long long)value);
    if (old >= 0 && old != value)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "dimension '%.100s' is given as %lld and as %lld",
                        symbol, (long long)old, (long long)value);
    if (!lpi_map_set(symbols, symbol, value))
        return lpi_fail_memory(error);
    return LP_OK;
}

/* Bind the symbols that "input" declares to the dimensions given for it. */
static lp_status bind_by_shape(const lp_model *model, lpi_map *symbols,
                               const lp_tensor *input,
                               const lp_input_shape *given, lp_error *error)
{
    const lpi_declared *declared = input->declared;
    const lp_shape *shape = &given->shape;
    int32_t i;

    if (!declared || declared->rank < 0)
        return LP_OK;
    if (declared->rank != shape->rank)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "input '%.100s' has %d dimensions, the shape given "
                        "for it has %d",
                        input->name, declared->rank, shape->rank);
    for (i = 0; i < shape->rank; i++) {
        int64_t value = declared->dims[i].value;

        if (given->binds && value >= 0 && value != shape->dims[i])
            return lpi_fail(error, LP_EINPUT, model->path,
                            "input '%.100s' has %lld in dimension %d, what is "
                            "given for it %lld",
                            input->name, (long long)value, i,
                            (long long)shape->dims[i]);
        if (value < 0 && *declared->dims[i].symbol)
            LP_TRY(bind_symbol(model, symbols, declared->dims[i].symbol,
                               shape->dims[i], error));
    }
    return LP_OK;
}

/* Whether some tensor of "model" declares the dimension "symbol". */
static bool symbol_exists(const lp_model *model, const char *symbol)
{
    int64_t i;
    int32_t axis;

    for (i = 0; i < model->tensors_count; i++) {
        const lpi_declared *declared = model->tensors[i]->declared;

        for (axis = 0; declared && axis < declared->rank; axis++)
            if (declared->dims[axis].value < 0 &&
                !strcmp(declared->dims[axis].symbol, symbol))
                return true;
    }
    return false;
}

static lp_status bind_symbols(const lp_model *model, lpi_map *symbols,
                              const lp_load_options *options, lp_error *error)
{
    size_t i;

    for (i = 0; i < options->dims_count; i++) {
        if (!symbol_exists(model, options->dims[i].name))
            return lpi_fail(error, LP_EINPUT, model->path,
                            "no dimension is called '%.100s'",
                            options->dims[i].name);
        LP_TRY(bind_symbol(model, symbols, options->dims[i].name,
                           options->dims[i].value, error));
    }
    for (i = 0; i < options->shapes_count; i++) {
        const lp_input_shape *given = &options->shapes[i];
        const lp_tensor *input = lpi_tensor_find(model, given->input);

        if (!input || input->kind != LPI_INPUT)
            return lpi_fail(error, LP_EINPUT, model->path,
                            "no input is called '%.100s'", given->input);
        LP_TRY(bind_by_shape(model, symbols, input, given, error));
    }
    return LP_OK;
}

/* Number of dimension "axis" of "input", or an error that says what option
 * gives it. */
static lp_status bind_dim(const lp_model *model, const lpi_map *symbols,
                          const lp_tensor *input, int32_t axis,
                          int64_t *ret_dim, lp_error *error)
{
    const lpi_dim *dim = &input->declared->dims[axis];
    int64_t value = dim->value >= 0 ? dim->value
                                    : lpi_map_get(symbols, dim->symbol);

    if (value < 0 && *dim->symbol)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "dimension '%.100s' of input '%.100s' is free: bind "
                        "it with --dim %.100s=N",
                        dim->symbol, input->name, dim->symbol);
    if (value < 0)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "dimension %d of input '%.100s' is free and has no "
                        "name: give the shape with --shape %.100s=AxBxC",
                        axis, input->name, input->name);
    *ret_dim = value;
    return LP_OK;
}

/* Give "input" its type: "given" when not NULL, else the declared one. */
static lp_status bind_input(lp_model *model, const lpi_map *symbols,
                            lp_tensor *input, const lp_shape *given,
                            lp_error *error)
{
    const lpi_declared *declared = input->declared;
    int32_t rank = given ? given->rank : declared ? declared->rank : -1, i;
    int64_t *dims;

    if (declared) {
        input->dtype = declared->dtype;
        input->container = declared->container;
    }
    if (input->container != LPI_TENSOR)
        return LP_OK;
    if (rank < 0)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "input '%.100s' has no shape: give one with --shape "
                        "%.100s=AxBxC",
                        input->name, input->name);
    dims = LPI_NEW(model->arena, int64_t, rank);
    if (!dims)
        return lpi_fail_memory(error);
    for (i = 0; i < rank; i++) {
        if (given)
            dims[i] = given->dims[i];
        else
            LP_TRY(bind_dim(model, symbols, input, i, &dims[i], error));
    }
    for (i = 0; i < rank; i++)
        if (dims[i] < 0)
            return lpi_fail(error, LP_EINPUT, model->path,
                            "input '%.100s' cannot have a dimension of %lld",
                            input->name, (long long)dims[i]);
    if (lpi_mul(lpi_product(dims, rank), 16) == INT64_MAX)
        return lpi_fail(error, LP_EINPUT, model->path,
                        "input '%.100s' is too large: its bytes do not fit "
                        "64 bits",
                        input->name);
    input->shape = (lp_shape){.rank = rank, .dims = dims};
    return LP_OK;
}

static lp_status bind_inputs(lp_model *model, lpi_context *context,
                             lp_error *error)
{
    lpi_map *symbols = lpi_map_new(model->arena);
    int64_t i;

    context->symbols = symbols;
    if (!symbols)
        return lpi_fail_memory(error);
    LP_TRY(bind_symbols(model, symbols, context->options, error));
    for (i = 0; i < model->inputs_count; i++) {
        lp_tensor *input = model->inputs[i];

        if (input->kind == LPI_INPUT)
            LP_TRY(bind_input(model, symbols, input,
                              given_shape(context->options, input->name),
                              error));
    }
    return LP_OK;
}

lp_status lpi_model_settle(lp_model *model, const lp_load_options *options,
                           lp_error *error)
{
    static const lp_load_options none = {0};
    lpi_context context = {.options = options ? options : &none};
    lp_status status;

    LP_TRY(list_rows(model->arena, &context, error));
    LP_TRY(bind_inputs(model, &context, error));
    context.scratch = lpi_arena_new(lpi_arena_cap(model->arena));
    if (!context.scratch)
        return lpi_fail_memory(error);
    status = lpi_model_infer(model, &context, error);
    lpi_arena_free(context.scratch);
    return status;
}
