/* lpm_attr.c: attributes, read from the text form.
 *
 * The writing of a value tells its kind: a float has a point, an exponent or
 * a name, a list is of the kind of its first element unless a word before it
 * says so (ints[], floats[1, 2]). */
#include <string.h>

#include "io.h"

/* Names are compared one by one, which more would make slow. */
enum { MOST_ATTRS = 256 };

static const struct {
    const char *word;
    lpi_attr_kind kind;
} list_words[] = {
    {"ints", LPI_ATTR_INTS},
    {"floats", LPI_ATTR_FLOATS},
    {"strings", LPI_ATTR_STRINGS},
};

/* A list under way. */
typedef struct items {
    int64_t count, room;
    int64_t *ints;
    float *floats;
    const char **strings;
} items;

/* Pass one element of "list", which is of the kind "kind". */
static lp_status read_element(lpi_lexer *lexer, lpi_attr_kind kind, items *list)
{
    lpi_arena *arena = lexer->arena;
    int64_t i = list->count;

    if (kind == LPI_ATTR_STRINGS) {
        if (!LPI_GROW(arena, list->strings, i, list->room))
            return lpi_fail_memory(lexer->error);
        LP_TRY(lpi_lex_string(lexer, "a string", &list->strings[i]));
    } else if (kind == LPI_ATTR_FLOATS) {
        if (!LPI_GROW(arena, list->floats, i, list->room))
            return lpi_fail_memory(lexer->error);
        LP_TRY(lpi_lex_float(lexer, &list->floats[i]));
    } else {
        if (!LPI_GROW(arena, list->ints, i, list->room))
            return lpi_fail_memory(lexer->error);
        LP_TRY(lpi_lex_int(lexer, "a whole number", INT64_MIN, INT64_MAX,
                           &list->ints[i]));
    }
    list->count++;
    return LP_OK;
}

/* Pass the list after '['.  With "typed" its kind is that of "attr", else
 * that of its first element. */
static lp_status read_list(lpi_lexer *lexer, bool typed, lpi_attr *attr)
{
    bool more = !lpi_lex_is(lexer, ']');
    items list = {0};

    if (!more && !typed)
        return lpi_lex_fail(lexer, "an empty list needs its kind: ints[], "
                                   "floats[] or strings[]");
    if (!typed)
        attr->kind = lexer->sign == LPI_QUOTED ? LPI_ATTR_STRINGS
                     : lpi_lex_is_float(lexer) ? LPI_ATTR_FLOATS
                                               : LPI_ATTR_INTS;
    if (!more)
        LP_TRY(lpi_lex_next(lexer));
    while (more) {
        LP_TRY(read_element(lexer, attr->kind, &list));
        LP_TRY(lpi_lex_item(lexer, ']', &more));
    }
    attr->count = list.count;
    if (attr->kind == LPI_ATTR_STRINGS)
        attr->strings = list.strings;
    else if (attr->kind == LPI_ATTR_FLOATS)
        attr->floats = list.floats;
    else
        attr->ints = list.ints;
    return LP_OK;
}

/* Pass the value after the word "tensor". */
static lp_status read_tensor(lpi_lexer *lexer, lpi_attr *attr)
{
    lp_tensor *tensor = LPI_NEW(lexer->arena, lp_tensor, 1);

    if (!tensor)
        return lpi_fail_memory(lexer->error);
    tensor->name = "";
    tensor->id = -1;
    tensor->kind = LPI_CONSTANT;
    attr->kind = LPI_ATTR_TENSOR;
    attr->tensor = tensor;
    return lpi_lpm_tensor(lexer, tensor);
}

/* Pass a value that begins with a word. */
static lp_status read_worded(lpi_scope *scope, lpi_attr *attr)
{
    lpi_lexer *lexer = scope->lexer;
    int32_t i;

    for (i = 0; i < LPI_COUNT(list_words); i++) {
        if (!lpi_lex_is_word(lexer, list_words[i].word))
            continue;
        attr->kind = list_words[i].kind;
        LP_TRY(lpi_lex_next(lexer));
        LP_TRY(lpi_lex_pass(lexer, '['));
        return read_list(lexer, true, attr);
    }
    if (lpi_lex_is_word(lexer, "tensor")) {
        LP_TRY(lpi_lex_next(lexer));
        return read_tensor(lexer, attr);
    }
    if (lpi_lex_is_word(lexer, "graph")) {
        LP_TRY(lpi_lex_next(lexer));
        attr->kind = LPI_ATTR_BODY;
        return lpi_lpm_body(scope, &attr->body);
    }
    if (lpi_lex_is_word(lexer, "other")) {
        attr->kind = LPI_ATTR_OTHER;
        return lpi_lex_next(lexer);
    }
    return lpi_lex_expected(lexer, "the value of an attribute");
}

static lp_status read_value(lpi_scope *scope, lpi_attr *attr)
{
    lpi_lexer *lexer = scope->lexer;

    if (lpi_lex_is(lexer, '[')) {
        LP_TRY(lpi_lex_next(lexer));
        return read_list(lexer, false, attr);
    }
    if (lexer->sign == LPI_QUOTED) {
        attr->kind = LPI_ATTR_STRING;
        return lpi_lex_string(lexer, "a string", &attr->s);
    }
    if (lpi_lex_is_float(lexer)) {
        attr->kind = LPI_ATTR_FLOAT;
        return lpi_lex_float(lexer, &attr->f);
    }
    if (lexer->sign == LPI_NUMBER) {
        attr->kind = LPI_ATTR_INT;
        return lpi_lex_int(lexer, "a whole number", INT64_MIN, INT64_MAX,
                           &attr->i);
    }
    return read_worded(scope, attr);
}

/* Pass the name of attribute "count" of "attrs", and its colon. */
static lp_status read_name(lpi_lexer *lexer, lpi_attr *attrs, int64_t count)
{
    int64_t i;

    LP_TRY(lpi_lex_name(lexer, "the name of an attribute"));
    for (i = 0; i < count; i++)
        if (!strcmp(attrs[i].name, lexer->word.bytes))
            return lpi_lex_refuse(lexer, "two attributes are called");
    if (count >= MOST_ATTRS)
        return lpi_lex_fail(lexer, "more than %d attributes", MOST_ATTRS);
    LP_TRY(lpi_lex_take(lexer, "a name", &attrs[count].name));
    return lpi_lex_pass(lexer, ':');
}

lp_status lpi_lpm_attrs(lpi_scope *scope, const lpi_attr **ret_attrs,
                        int32_t *ret_count)
{
    lpi_lexer *lexer = scope->lexer;
    int64_t count = 0, room = 0;
    lpi_attr *attrs = NULL;
    bool more;

    LP_TRY(lpi_lex_pass(lexer, '{'));
    more = !lpi_lex_is(lexer, '}');
    if (!more)
        LP_TRY(lpi_lex_next(lexer));
    while (more) {
        if (!LPI_GROW(lexer->arena, attrs, count, room))
            return lpi_fail_memory(lexer->error);
        LP_TRY(read_name(lexer, attrs, count));
        LP_TRY(read_value(scope, &attrs[count++]));
        LP_TRY(lpi_lex_item(lexer, '}', &more));
    }
    *ret_attrs = attrs;
    *ret_count = (int32_t)count;
    return LP_OK;
}
