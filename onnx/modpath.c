/* modpath.c: module paths from what exporters leave.
 *
 * PyTorch's dynamo exporter writes the scopes of a node into its metadata, as
 * a list of full names ("['', 'a.0', 'a.0.b', 'op']") or as a namespace
 * (": Class/a.0: Class/a.0.b: Class/op: target").  Each scope minus the one
 * around it is a component; the last names the operator and is dropped.  Its
 * TorchScript exporter writes the path into the name ("/a.0/b/MatMul"), and
 * repeats the parent where a child of a Sequential is only a number
 * ("/layer1/layer1.0/conv"); the same is done here, so that both exports of
 * a model give the same paths. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

/* A part of a text. */
typedef struct part {
    const char *text;
    size_t length;
} part;

/* The metadata of "node" called "key", or NULL. */
static const char *metadata(const Onnx__NodeProto *node, const char *key)
{
    size_t i;

    for (i = 0; i < node->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = node->metadata_props[i];

        if (entry->key && entry->value && !strcmp(entry->key, key))
            return entry->value;
    }
    return NULL;
}

/* Take the next quoted text of a list as Python prints it. */
static bool next_quoted(const char **at, part *ret_part)
{
    const char *start = *at + strcspn(*at, "'\"");
    const char *end;

    if (!*start)
        return false;
    for (end = start + 1; *end && *end != *start; end++)
        if (*end == '\\' && end[1])
            end++;
    if (!*end)
        return false;
    *ret_part = (part){start + 1, (size_t)(end - start - 1)};
    *at = end + 1;
    return true;
}

/* Take the name of the next "name: class" of a namespace. */
static bool next_named(const char **at, part *ret_part)
{
    size_t whole = strcspn(*at, "/");
    const char *colon = strstr(*at, ": ");

    if (!**at || !colon || colon >= *at + whole)
        return false;
    *ret_part = (part){*at, (size_t)(colon - *at)};
    *at += whole + ((*at)[whole] == '/');
    return true;
}

/* Append a copy of what follows the last slash of "text" and a dot. */
static void repeat_component(lpi_text *text)
{
    size_t end = text->length, at = end;

    while (at > 0 && text->bytes[at - 1] != '/')
        at--;
    lpi_text_put(text, "/");
    for (; at < end && !text->failed; at++) {
        char letter = text->bytes[at];

        lpi_text_append(text, &letter, 1);
    }
    lpi_text_put(text, ".");
}

/* Append the component of "scope" inside the scope "around" to "text". */
static void put_scope(lpi_text *text, part around, part scope)
{
    size_t digits;

    if (!scope.length || (scope.length == around.length &&
                          !memcmp(scope.text, around.text, scope.length)))
        return;
    if (around.length && scope.length > around.length + 1 &&
        !memcmp(scope.text, around.text, around.length) &&
        scope.text[around.length] == '.') {
        scope.text += around.length + 1;
        scope.length -= around.length + 1;
        digits = strspn(scope.text, "0123456789");
        if (digits >= scope.length || (digits && scope.text[digits] == '.')) {
            repeat_component(text);
            lpi_text_append(text, scope.text, scope.length);
            return;
        }
    }
    lpi_text_put(text, "/");
    lpi_text_append(text, scope.text, scope.length);
}

/* Append the scopes that "next" finds in "list", the last one dropped. */
static void put_scopes(lpi_text *text, const char *list,
                       bool (*next)(const char **, part *))
{
    part around = {"", 0}, scope = {"", 0}, after;

    while (next(&list, &after)) {
        put_scope(text, around, scope);
        if (scope.length)
            around = scope;
        scope = after;
    }
}

/* Append the components of "name" but the last. */
static void put_name(lpi_text *text, const char *name)
{
    for (;;) {
        size_t length = strcspn(name, "/");

        if (!name[length])
            return;
        if (length) {
            lpi_text_put(text, "/");
            lpi_text_append(text, name, length);
        }
        name += length + 1;
    }
}

/* The one copy of the path in "import->text" in the model's memory. */
static lp_status intern(lpi_import *import, const char **ret_path)
{
    int64_t at;

    lpi_text_put(&import->text, "");
    if (import->text.failed)
        return lpi_import_fail_memory(import);
    at = lpi_map_get(import->modules, import->text.bytes);
    if (at < 0) {
        const char *path =
            lpi_arena_strdup(import->model->arena, import->text.bytes);

        at = import->paths_count;
        if (!path ||
            !LPI_GROW(import->scratch, import->paths, import->paths_count,
                      import->paths_room) ||
            !lpi_map_set(import->modules, path, at))
            return lpi_import_fail_memory(import);
        import->paths[import->paths_count++] = path;
    }
    *ret_path = import->paths[at];
    return LP_OK;
}

lp_status lpi_onnx_module_path(lpi_import *import,
                               const struct Onnx__NodeProto *node,
                               const lpi_onnx_call *call, bool inside,
                               const char **ret_path)
{
    const char *scopes = metadata(node, "pkg.torch.onnx.name_scopes");
    const char *namespace = metadata(node, "namespace");
    const char *name = lpi_onnx_node_name(node);
    const char *slash = strrchr(name, '/');

    import->text.length = 0;
    if (call)
        lpi_text_put(&import->text, call->module);
    if (scopes)
        put_scopes(&import->text, scopes, next_quoted);
    else if (namespace)
        put_scopes(&import->text, namespace, next_named);
    else
        put_name(&import->text, name);
    if (inside) {
        lpi_text_put(&import->text, "/");
        lpi_text_put(&import->text, slash ? slash + 1 : name);
    }
    return intern(import, ret_path);
}
