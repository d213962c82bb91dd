/* attribute.c: attributes of a node, as they stand in the file.
 *
 * Inside a function an attribute can stand for one of the call, or for its
 * default in the function (AttributeProto.ref_attr_name); the walk from call
 * to caller ends outside all functions. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* The attribute among "count" at "attributes" called "name", or NULL. */
static const Onnx__AttributeProto *find(Onnx__AttributeProto *const *attributes,
                                        size_t count, const char *name)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (!strcmp(lpi_onnx_or_empty(attributes[i]->name), name))
            return attributes[i];
    return NULL;
}

/* Follow a reference: on return "*attribute" says the content, NULL when the
 * call leaves it out, and "*scope" what the names in it mean. */
static lp_status follow(lpi_import *import,
                        const Onnx__AttributeProto **attribute,
                        const lpi_onnx_scope **scope)
{
    while (*attribute && *lpi_onnx_or_empty((*attribute)->ref_attr_name)) {
        const char *name = (*attribute)->ref_attr_name;
        const lpi_onnx_call *call = *scope ? (*scope)->call : NULL;
        const Onnx__AttributeProto *found;

        if (!call)
            return lpi_import_fail(import, "attribute", name,
                                   "is referred to outside of a function");
        found = find(call->node->attribute, call->node->n_attribute, name);
        if (found) {
            *scope = call->caller;
            *attribute = found;
            continue;
        }
        found = find(call->function->attribute_proto,
                     call->function->n_attribute_proto, name);
        if (found && *lpi_onnx_or_empty(found->ref_attr_name))
            return lpi_import_fail(import, "attribute", name,
                                   "its default refers to another one");
        *attribute = found;
    }
    return LP_OK;
}

/* The kind of "from": its type, or where a file of the first IR version
 * gives none, by the field that is filled. */
static lpi_attr_kind kind_of(const Onnx__AttributeProto *from)
{
    switch ((int)from->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        return LPI_ATTR_FLOAT;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        return LPI_ATTR_INT;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        return LPI_ATTR_STRING;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
        return LPI_ATTR_TENSOR;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
        return LPI_ATTR_BODY;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        return LPI_ATTR_FLOATS;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        return LPI_ATTR_INTS;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
        return LPI_ATTR_STRINGS;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED:
        break;
    default:
        return LPI_ATTR_OTHER;
    }
    return from->has_f                      ? LPI_ATTR_FLOAT
           : from->has_i                    ? LPI_ATTR_INT
           : from->has_s                    ? LPI_ATTR_STRING
           : from->t || from->sparse_tensor ? LPI_ATTR_TENSOR
           : from->g                        ? LPI_ATTR_BODY
           : from->n_floats                 ? LPI_ATTR_FLOATS
           : from->n_ints                   ? LPI_ATTR_INTS
           : from->n_strings                ? LPI_ATTR_STRINGS
                                            : LPI_ATTR_OTHER;
}

/* A copy of "count" elements of "size" bytes at "from". */
static lp_status copy_list(const lpi_import *import, const void *from,
                           size_t count, size_t size, const void **ret_list)
{
    void *list = lpi_arena_array(import->model->arena, (int64_t)count, size);

    if (!list)
        return lpi_import_fail_memory(import);
    if (count)
        memcpy(list, from, count * size);
    *ret_list = list;
    return LP_OK;
}

static lp_status copy_string(const lpi_import *import, ProtobufCBinaryData from,
                             const char **ret_text)
{
    const char *text =
        lpi_arena_strndup(import->model->arena,
                          from.len ? (const char *)from.data : "", from.len);

    if (!text)
        return lpi_import_fail_memory(import);
    *ret_text = text;
    return LP_OK;
}

static lp_status copy_strings(lpi_import *import,
                              const Onnx__AttributeProto *from, lpi_attr *to)
{
    const char **list =
        LPI_NEW(import->model->arena, const char *, (int64_t)from->n_strings);
    size_t i;

    if (!list)
        return lpi_import_fail_memory(import);
    for (i = 0; i < from->n_strings; i++) {
        LP_TRY(lpi_import_spend(import, 1 + from->strings[i].len / 16));
        LP_TRY(copy_string(import, from->strings[i], &list[i]));
    }
    to->strings = list;
    return LP_OK;
}

/* The layer whose attributes are read. */
typedef struct owner {
    lp_model *model;
    lp_layer *layer;
} owner;

/* The tensor, dense or sparse, in attribute "from" of "layer". */
static lp_status read_tensor(lpi_import *import,
                             const Onnx__AttributeProto *from,
                             const lp_layer *layer, lpi_attr *to)
{
    const char *name = from->t ? lpi_onnx_or_empty(from->t->name) : "";

    if (!from->t && !from->sparse_tensor)
        return lpi_import_fail(import, "layer", layer->name,
                               "attribute '%.200s' holds no tensor", to->name);
    to->tensor = LPI_NEW(import->model->arena, lp_tensor, 1);
    name = *name ? lpi_arena_strdup(import->model->arena, name) : layer->name;
    if (!to->tensor || !name)
        return lpi_import_fail_memory(import);
    *to->tensor = (lp_tensor){
        .name = name, .kind = LPI_CONSTANT, .shape = lpi_shape_unknown};
    return from->t ? lpi_import_tensor(import, from->t, to->tensor)
                   : lpi_import_sparse(import, from->sparse_tensor, to->tensor);
}

static lp_status read_body(lpi_import *import, lp_model *model,
                           const Onnx__AttributeProto *from,
                           const lpi_onnx_scope *scope, lpi_attr *to)
{
    if (!from->g)
        return lpi_import_fail(import, "attribute", to->name, "holds no graph");
    to->body = lpi_model_new_body(model);
    if (!to->body)
        return lpi_import_fail_memory(import);
    return lpi_import_graph(import, from->g, scope, to->body);
}

/* Convert "from", an attribute of "of" whose names mean what "scope" says,
 * into "to". */
static lp_status convert(lpi_import *import, owner of,
                         const Onnx__AttributeProto *from,
                         const lpi_onnx_scope *scope, lpi_attr *to)
{
    const void *list = NULL;

    to->kind = kind_of(from);
    LP_TRY(lpi_import_spend(import, from->n_floats + from->n_ints +
                                        from->s.len / 16 +
                                        (from->t ? LPI_ONNX_LAYER : 0)));
    switch (to->kind) {
    case LPI_ATTR_FLOAT:
        to->f = from->f;
        break;
    case LPI_ATTR_INT:
        to->i = from->i;
        break;
    case LPI_ATTR_STRING:
        return copy_string(import, from->s, &to->s);
    case LPI_ATTR_TENSOR:
        return read_tensor(import, from, of.layer, to);
    case LPI_ATTR_BODY:
        return read_body(import, of.model, from, scope, to);
    case LPI_ATTR_FLOATS:
        to->count = (int64_t)from->n_floats;
        LP_TRY(copy_list(import, from->floats, from->n_floats,
                         sizeof(*from->floats), &list));
        to->floats = list;
        break;
    case LPI_ATTR_INTS:
        to->count = (int64_t)from->n_ints;
        LP_TRY(copy_list(import, from->ints, from->n_ints, sizeof(*from->ints),
                         &list));
        to->ints = list;
        break;
    case LPI_ATTR_STRINGS:
        to->count = (int64_t)from->n_strings;
        return copy_strings(import, from, to);
    case LPI_ATTR_OTHER:
        break;
    }
    return LP_OK;
}

lp_status lpi_import_attributes(lpi_import *import, lp_model *model,
                                const struct Onnx__NodeProto *node,
                                const lpi_onnx_scope *scope, lp_layer *layer)
{
    lpi_attr *attrs;
    size_t i;

    if (node->n_attribute > LPI_ONNX_MOST_ATTRIBUTES)
        return lpi_import_fail(import, "layer", layer->name,
                               "has %zu attributes, more than %d",
                               node->n_attribute, LPI_ONNX_MOST_ATTRIBUTES);
    attrs = LPI_NEW(model->arena, lpi_attr, (int64_t)node->n_attribute);
    if (!attrs)
        return lpi_import_fail_memory(import);
    layer->attrs = attrs;
    for (i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *from = node->attribute[i];
        const lpi_onnx_scope *inside = scope;
        lpi_attr *to = &attrs[layer->attrs_count];

        to->name =
            lpi_arena_strdup(model->arena, lpi_onnx_or_empty(from->name));
        if (!to->name)
            return lpi_import_fail_memory(import);
        if (!*to->name)
            return lpi_import_fail(import, "layer", layer->name,
                                   "has an attribute without a name");
        LP_TRY(follow(import, &from, &inside));
        if (!from)
            continue;
        LP_TRY(convert(import, (owner){model, layer}, from, inside, to));
        layer->attrs_count++;
    }
    return LP_OK;
}
