/* schedule_record.c: YAML maps into structs, by tables of their keys.
 *
 * The only way from a node to a number, a tensor or a layer: so that every
 * mistake is reported at its line, and none passes in silence. */
#include <string.h>

#include "io.h"

lp_status lpi_layer_names_find(lpi_arena *arena, const lp_model *model,
                               lpi_layer_names *ret_names, lp_error *error)
{
    lpi_layer_names names = {.map = lpi_map_new(arena), .model = model};
    int64_t i;

    if (!names.map)
        return lpi_fail_memory(error);
    for (i = 0; i < model->layers_count; i++) {
        const char *name = model->layers[i]->name;
        bool is_new = lpi_map_get(names.map, name) < 0;

        if (!lpi_map_set(names.map, name, is_new ? i + 1 : 0))
            return lpi_fail_memory(error);
    }
    *ret_names = names;
    return LP_OK;
}

lp_layer *lpi_layer_named(const lpi_layer_names *names, const char *name)
{
    int64_t at = lpi_map_get(names->map, name);
    const lp_tensor *tensor;

    if (at > 0)
        return names->model->layers[at - 1];
    if (*name != '^')
        return NULL;
    tensor = lpi_tensor_find(names->model, name + 1);
    return tensor && tensor->producer ? tensor->producer : NULL;
}

/* Whether "text" may stand in YAML, in brackets too, without quotes. */
static bool is_plain(const char *text)
{
    size_t i;

    if (!*text || strspn(text, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ_/^") == 0)
        return false;
    for (i = 0; text[i]; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_/.^-#",
                    text[i]) ||
            (text[i] == '#' && i == 0))
            return false;
    return true;
}

void lpi_put_scalar(lpi_text *text, const char *name)
{
    if (is_plain(name))
        lpi_text_put(text, name);
    else
        lpi_json_string(text, name);
}

/* The first output of "layer" that is there. */
static const lp_tensor *first_output(const lp_layer *layer)
{
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i])
            return layer->outputs[i];
    return NULL;
}

void lpi_put_layer(lpi_text *text, const lpi_layer_names *names,
                   const lp_layer *layer, int64_t ordinal)
{
    const lp_tensor *out = first_output(layer);
    lpi_text name = {0};

    if (out && (lpi_map_get(names->map, layer->name) <= 0 ||
                strchr(layer->name, '#') || *layer->name == '^'))
        lpi_text_printf(&name, "^%s", out->name);
    else
        lpi_text_put(&name, layer->name);
    if (ordinal > 1 || (ordinal == 1 && name.bytes && strchr(name.bytes, '#')))
        lpi_text_printf(&name, "#%lld", (long long)ordinal);
    if (name.bytes)
        lpi_put_scalar(text, name.bytes);
    text->failed = text->failed || name.failed;
    lpi_text_drop(&name);
}

static lp_status refuse(const lpi_reader *reader, const lpi_yaml *node,
                        const char *what, const char *wanted)
{
    return lpi_yaml_fail(reader->name, node->line, reader->error,
                         "%s: '%.200s' is no %s", what,
                         node->kind == LPI_YAML_TEXT   ? node->text
                         : node->kind == LPI_YAML_LIST ? "[...]"
                                                       : "{...}",
                         wanted);
}

lp_status lpi_node_int(const lpi_reader *reader, const lpi_yaml *node,
                       const char *what, int64_t *ret_value)
{
    if (node->kind != LPI_YAML_TEXT || !lpi_parse_int(node->text, ret_value))
        return refuse(reader, node, what, "whole number");
    return LP_OK;
}

/* "node" as a count above 0, a suffix allowed. */
static lp_status read_count(const lpi_reader *reader, const lpi_yaml *node,
                            const char *what, int64_t *ret_value)
{
    int64_t value;

    if (node->kind != LPI_YAML_TEXT || !lp_parse_count(node->text, &value) ||
        value < 1 || value > LPI_COUNT_MOST)
        return refuse(reader, node, what,
                      "count above 0, of 18 digits at most");
    *ret_value = value;
    return LP_OK;
}

lp_status lpi_node_list(const lpi_reader *reader, const lpi_yaml *node,
                        const char *what)
{
    if (node->kind != LPI_YAML_LIST)
        return refuse(reader, node, what, "list");
    return LP_OK;
}

/* Whether a body below "model", itself "depth" deep, has a tensor "name". */
static bool is_in_body(const lp_model *model, const char *name, int32_t depth)
{
    int64_t i;

    for (i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            if (lpi_tensor_find(body, name) ||
                is_in_body(body, name, depth + 1))
                return true;
    }
    return false;
}

static lp_status read_tensor(lpi_reader *reader, const lpi_yaml *node,
                             const char *key, void *to)
{
    const lp_tensor *tensor = lpi_tensor_find(reader->model, node->text);

    if (!tensor && is_in_body(reader->model, node->text, 0))
        return refuse(reader, node, key,
                      "tensor of the main graph: what bodies hold is planned "
                      "as a whole, the workspace of their layer");
    if (!tensor)
        return refuse(reader, node, key, "tensor of the model");
    *(const lp_tensor **)to = tensor;
    return LP_OK;
}

static lp_status read_layer(lpi_reader *reader, const lpi_yaml *node,
                            const char *key, void *to)
{
    const lp_layer *layer = lpi_layer_named(&reader->layers, node->text);

    if (!layer)
        return refuse(reader, node, key, "layer of the model, or of several");
    *(const lp_layer **)to = layer;
    return LP_OK;
}

static lp_status read_memory(lpi_reader *reader, const lpi_yaml *node,
                             const char *key, void *to)
{
    const lp_schedule *s = reader->schedule;
    int32_t i;

    for (i = 0; i < s->memories_count; i++)
        if (!strcmp(s->memories[i].name, node->text)) {
            *(int32_t *)to = i;
            return LP_OK;
        }
    return refuse(reader, node, key, "memory of the schedule");
}

static lp_status read_word(lpi_reader *reader, const lpi_yaml *node,
                           const lpi_field *field, void *to)
{
    int32_t i;

    for (i = 0; field->words[i]; i++)
        if (!strcmp(field->words[i], node->text)) {
            *(int32_t *)to = i;
            return LP_OK;
        }
    return refuse(reader, node, field->key, "word that is known here");
}

lp_status lpi_field_read(lpi_reader *reader, const lpi_yaml *node,
                         const lpi_field *field, void *to)
{
    if (field->kind == LPI_FIELD_NODE) {
        *(const lpi_yaml **)to = node;
        return LP_OK;
    }
    if (field->kind == LPI_FIELD_INT)
        return lpi_node_int(reader, node, field->key, to);
    if (field->kind == LPI_FIELD_COUNT)
        return read_count(reader, node, field->key, to);
    if (node->kind != LPI_YAML_TEXT)
        return refuse(reader, node, field->key, "text");
    switch (field->kind) {
    case LPI_FIELD_TENSOR:
        return read_tensor(reader, node, field->key, to);
    case LPI_FIELD_LAYER:
        return read_layer(reader, node, field->key, to);
    case LPI_FIELD_MEMORY:
        return read_memory(reader, node, field->key, to);
    case LPI_FIELD_WORD:
        return read_word(reader, node, field, to);
    case LPI_FIELD_DTYPE:
        *(lp_dtype *)to = lp_dtype_from_name(node->text);
        return *(lp_dtype *)to == LP_UNDEFINED
                   ? refuse(reader, node, field->key, "dtype")
                   : LP_OK;
    default:
        *(const char **)to = lpi_arena_strdup(reader->arena, node->text);
        return *(const char **)to ? LP_OK : lpi_fail_memory(reader->error);
    }
}

lp_status lpi_record_read(lpi_reader *reader, const lpi_yaml *node,
                          const lpi_field *fields, void *record)
{
    uint64_t seen = 0;
    int64_t i;
    int32_t f;

    if (node->kind != LPI_YAML_MAP)
        return lpi_yaml_fail(reader->name, node->line, reader->error,
                             "keys and values are expected here");
    for (i = 0; i < node->count; i += 2) {
        const lpi_yaml *key = &node->items[i];

        for (f = 0; fields[f].key && strcmp(fields[f].key, key->text); f++)
            ;
        if (!fields[f].key)
            return lpi_yaml_fail(reader->name, key->line, reader->error,
                                 "unknown key '%.200s'", key->text);
        if (seen & (uint64_t)1 << f)
            return lpi_yaml_fail(reader->name, key->line, reader->error,
                                 "key '%.200s' stands there twice", key->text);
        seen |= (uint64_t)1 << f;
        LP_TRY(lpi_field_read(reader, &node->items[i + 1], &fields[f],
                              (char *)record + fields[f].offset));
    }
    for (f = 0; fields[f].key; f++)
        if (fields[f].required && !(seen & (uint64_t)1 << f))
            return lpi_yaml_fail(reader->name, node->line, reader->error,
                                 "key '%s' is missing", fields[f].key);
    return LP_OK;
}

lp_status lpi_records_read(lpi_reader *reader, const lpi_yaml *node,
                           const lpi_records *kind, void **ret_records,
                           int64_t *ret_count)
{
    char *records;
    int64_t i;

    LP_TRY(lpi_node_list(reader, node, "section"));
    records = lpi_arena_array(reader->arena, node->count, kind->size);
    if (!records)
        return lpi_fail_memory(reader->error);
    for (i = 0; i < node->count; i++) {
        char *record = records + (size_t)i * kind->size;
        int64_t line = node->items[i].line;

        *(lp_line *)(record + kind->line_offset) =
            line > INT32_MAX ? INT32_MAX : (lp_line)line;
        LP_TRY(lpi_record_read(reader, &node->items[i], kind->fields, record));
    }
    *ret_records = records;
    *ret_count = node->count;
    return LP_OK;
}
