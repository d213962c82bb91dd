/* decode.c: from the attributes of a file to the struct of a row.
 *
 * Defaults first, then what the file says.  After the row's settle hook
 * everything below knows one form of the operator, the newest. */
#include <string.h>

#include "ops.h"

static const char *const kind_names[] = {
    [LPI_ATTR_FLOAT] = "a float",         [LPI_ATTR_INT] = "an integer",
    [LPI_ATTR_STRING] = "a string",       [LPI_ATTR_TENSOR] = "a tensor",
    [LPI_ATTR_BODY] = "a graph",          [LPI_ATTR_FLOATS] = "floats",
    [LPI_ATTR_INTS] = "integers",         [LPI_ATTR_STRINGS] = "strings",
    [LPI_ATTR_OTHER] = "of another kind",
};

/* Store the default of "spec" at "to". */
static void put_default(const lpi_spec *spec, void *to)
{
    if (spec->kind == LPI_ATTR_FLOAT)
        memcpy(to, &spec->f, sizeof(spec->f));
    else if (spec->kind == LPI_ATTR_INT)
        memcpy(to, &spec->i, sizeof(spec->i));
    else if (spec->kind == LPI_ATTR_STRING)
        memcpy(to, &spec->s, sizeof(spec->s));
}

/* Store the value of "attr" at "to". */
static void put_value(const lpi_attr *attr, void *to)
{
    lpi_list list = {.count = attr->count};

    switch (attr->kind) {
    case LPI_ATTR_FLOAT:
        memcpy(to, &attr->f, sizeof(attr->f));
        break;
    case LPI_ATTR_INT:
        memcpy(to, &attr->i, sizeof(attr->i));
        break;
    case LPI_ATTR_STRING:
        memcpy(to, &attr->s, sizeof(attr->s));
        break;
    case LPI_ATTR_TENSOR:
        memcpy(to, &attr->tensor, sizeof(attr->tensor));
        break;
    case LPI_ATTR_BODY:
        memcpy(to, &attr->body, sizeof(attr->body));
        break;
    case LPI_ATTR_FLOATS:
        list.floats = attr->floats;
        memcpy(to, &list, sizeof(list));
        break;
    case LPI_ATTR_INTS:
        list.ints = attr->ints;
        memcpy(to, &list, sizeof(list));
        break;
    case LPI_ATTR_STRINGS:
        list.strings = attr->strings;
        memcpy(to, &list, sizeof(list));
        break;
    case LPI_ATTR_OTHER:
        break;
    }
}

/* An empty list carries no kind in some files. */
static bool kind_fits(const lpi_attr *attr, const lpi_spec *spec)
{
    bool is_list = spec->kind == LPI_ATTR_FLOATS ||
                   spec->kind == LPI_ATTR_INTS ||
                   spec->kind == LPI_ATTR_STRINGS;

    return attr->kind == spec->kind ||
           (is_list && attr->kind >= LPI_ATTR_FLOATS && attr->count == 0 &&
            attr->kind != LPI_ATTR_OTHER);
}

static lp_status decode_specs(lpi_node *node, char *params)
{
    const lpi_spec *spec = node->layer->row->specs;

    for (; spec && spec->name; spec++) {
        const lpi_attr *attr = lpi_node_attr(node, spec->name);

        if (!attr && spec->required)
            return lpi_node_fail(node, "lacks the attribute '%s'", spec->name);
        if (attr && !kind_fits(attr, spec))
            return lpi_node_fail(node, "attribute '%s' is %s, must be %s",
                                 spec->name, kind_names[attr->kind],
                                 kind_names[spec->kind]);
        if (attr)
            put_value(attr, params + spec->offset);
        else
            put_default(spec, params + spec->offset);
    }
    return LP_OK;
}

static lp_status check_count(const lpi_node *node, int32_t count, int32_t least,
                             int32_t most, const char *what)
{
    if (count < least || (most >= 0 && count > most))
        return lpi_node_fail(node, "has %d %s, must have %d%s", count, what,
                             count < least ? least : most,
                             count < least ? " or more" : " at most");
    return LP_OK;
}

/* The first "inputs_min" inputs are there, unless the row allows gaps. */
static lp_status check_present(const lpi_node *node)
{
    const lp_op *row = node->layer->row;
    int32_t i;

    for (i = 0; i < row->inputs_min && !(row->flags & LPI_GAPS); i++)
        if (!node->layer->inputs[i])
            return lpi_node_fail(node, "input %d is absent", i);
    return LP_OK;
}

/* Operands that the oldest form has as attributes are added by settle, so the
 * least number of inputs is checked after it. */
lp_status lpi_node_decode(lpi_node *node)
{
    lp_layer *layer = node->layer;
    const lp_op *row = layer->row;
    char *params = lpi_arena_alloc(node->model->arena, row->params_size);

    if (!params)
        return lpi_node_fail_memory(node);
    LP_TRY(check_count(node, layer->outputs_count, row->outputs_min,
                       row->outputs_max, "outputs"));
    LP_TRY(decode_specs(node, params));
    layer->params = node->params = params;
    if (row->settle)
        LP_TRY(row->settle(node));
    LP_TRY(check_count(node, layer->inputs_count, row->inputs_min,
                       row->inputs_max, "inputs"));
    LP_TRY(check_present(node));
    layer->is_settled = true;
    return LP_OK;
}
