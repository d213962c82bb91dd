/* schedule_yaml.c: YAML as a tree of scalars, lists and maps.
 *
 * libyaml's events are read one by one.  Anchors, aliases, tags and a second
 * document are refused, depth is bounded, and everything a hostile file can
 * make grow lies in an arena with a cap.  Every scalar is a text: what it
 * means is for the reader to say. */
#include <string.h>
#include <yaml.h>

#include "io.h"

enum { DEEPEST = 16 };

typedef struct loader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *name;
    lpi_arena *arena;
    lp_error *error;
} loader;

lp_status lpi_yaml_fail(const char *name, int64_t line, lp_error *error,
                        const char *format, ...)
{
    char where[500], why[900];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    snprintf(where, sizeof(where), "%.440s:%lld", name, (long long)line);
    return lpi_fail(error, LP_EINPUT, where, "%s", why);
}

static int64_t line_of(const loader *l)
{
    return (int64_t)l->event.start_mark.line + 1;
}

/* Read the next event in place of the one in hand. */
static lp_status next(loader *l)
{
    const yaml_parser_t *parser = &l->parser;

    yaml_event_delete(&l->event);
    if (yaml_parser_parse(&l->parser, &l->event))
        return LP_OK;
    memset(&l->event, 0, sizeof(l->event));
    if (parser->error == YAML_MEMORY_ERROR)
        return lpi_fail_memory(l->error);
    return lpi_yaml_fail(l->name, (int64_t)parser->problem_mark.line + 1,
                         l->error, "%s",
                         parser->problem ? parser->problem : "no YAML");
}

/* Whether the node in hand has an anchor or a tag. */
static bool is_marked(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor ||
               event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor ||
               event->data.mapping_start.tag;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static lp_status take_scalar(loader *l, lpi_yaml *node)
{
    const char *text = (const char *)l->event.data.scalar.value;
    size_t length = l->event.data.scalar.length;

    if (strlen(text) != length)
        return lpi_yaml_fail(l->name, node->line, l->error,
                             "a text holds a zero byte");
    node->text = lpi_arena_strndup(l->arena, text, length);
    return node->text ? LP_OK : lpi_fail_memory(l->error);
}

static lp_status take(loader *l, int32_t depth, lpi_yaml *ret_node);

/* The items up to "end"; those of a map are keys and values in turn. */
static lp_status take_items(loader *l, int32_t depth, yaml_event_type_t end,
                            lpi_yaml *node)
{
    int64_t room = 0;

    LP_TRY(next(l));
    while (l->event.type != end) {
        lpi_yaml item;

        LP_TRY(take(l, depth + 1, &item));
        if (node->kind == LPI_YAML_MAP && node->count % 2 == 0 &&
            item.kind != LPI_YAML_TEXT)
            return lpi_yaml_fail(l->name, item.line, l->error,
                                 "a key must be a text");
        if (!LPI_GROW(l->arena, node->items, node->count, room))
            return lpi_fail_memory(l->error);
        node->items[node->count++] = item;
        LP_TRY(next(l));
    }
    return LP_OK;
}

/* The node in hand; its last event stays in hand. */
static lp_status take(loader *l, int32_t depth, lpi_yaml *ret_node)
{
    lpi_yaml node = {.line = line_of(l)};
    lp_status status = LP_OK;

    if (is_marked(&l->event))
        return lpi_yaml_fail(l->name, node.line, l->error,
                             "anchors, aliases and tags are not read");
    if (depth > DEEPEST)
        return lpi_yaml_fail(l->name, node.line, l->error,
                             "nested deeper than %d", DEEPEST);
    if (l->event.type == YAML_SCALAR_EVENT) {
        node.kind = LPI_YAML_TEXT;
        status = take_scalar(l, &node);
    } else if (l->event.type == YAML_SEQUENCE_START_EVENT) {
        node.kind = LPI_YAML_LIST;
        status = take_items(l, depth, YAML_SEQUENCE_END_EVENT, &node);
    } else if (l->event.type == YAML_MAPPING_START_EVENT) {
        node.kind = LPI_YAML_MAP;
        status = take_items(l, depth, YAML_MAPPING_END_EVENT, &node);
    } else {
        status =
            lpi_yaml_fail(l->name, node.line, l->error, "nothing is there");
    }
    if (status == LP_OK)
        *ret_node = node;
    return status;
}

static lp_status expect(loader *l, yaml_event_type_t type, const char *what)
{
    LP_TRY(next(l));
    if (l->event.type != type)
        return lpi_yaml_fail(l->name, line_of(l), l->error, "%s", what);
    return LP_OK;
}

static lp_status load(loader *l, lpi_yaml *ret_root)
{
    LP_TRY(expect(l, YAML_STREAM_START_EVENT, "no YAML"));
    LP_TRY(expect(l, YAML_DOCUMENT_START_EVENT, "the file is empty"));
    LP_TRY(next(l));
    LP_TRY(take(l, 0, ret_root));
    LP_TRY(expect(l, YAML_DOCUMENT_END_EVENT, "more than one node"));
    return expect(l, YAML_STREAM_END_EVENT, "more than one document");
}

lp_status lpi_yaml_read(lpi_arena *arena, const char *text, size_t length,
                        const char *name, lpi_yaml *ret_root, lp_error *error)
{
    static const char mark[] = "\xef\xbb\xbf";
    loader l = {.name = name, .arena = arena, .error = error};
    size_t skip = length >= 3 && !memcmp(text, mark, 3) ? 3 : 0;
    lp_status status;

    if (!yaml_parser_initialize(&l.parser))
        return lpi_fail_memory(error);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text + skip,
                                 length - skip);
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    status = load(&l, ret_root);
    yaml_event_delete(&l.event);
    yaml_parser_delete(&l.parser);
    return status;
}
