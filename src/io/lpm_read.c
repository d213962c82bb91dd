/* lpm_read.c: a model from its text form.
 *
 * The text is read once, from the front: every statement adds what it defines.
 * What a statement uses waits, as a position in the text, until all names of
 * its graph and of the graphs around it are known; so layers may stand in any
 * order.  Bodies are graphs of their own and are read where they stand.  Time
 * and memory are linear in the length of the text. */
#include <string.h>

#include "io.h"

enum {
    VERSION = 1,
    MOST_OPSETS = 256,
    DEFAULT_CAP_GIB = 8,
};

static lp_status read_lpm(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;
    int64_t version;

    if (scope->begun)
        return lpi_lex_fail(lexer, "lpm must be the first statement");
    return lpi_lex_int(lexer, "the version of the text form", VERSION, VERSION,
                       &version);
}

static lp_status read_model(lpi_scope *scope)
{
    return lpi_lex_once(scope->lexer, "the name of the model",
                        &scope->model->name);
}

static lp_status read_producer(lpi_scope *scope)
{
    return lpi_lex_once(scope->lexer, "the name of the producer",
                        &scope->model->producer);
}

static lp_status read_ir(lpi_scope *scope)
{
    return lpi_lex_int(scope->lexer, "the version of the IR", 1, INT64_MAX,
                       &scope->model->ir_version);
}

static lp_status read_opset(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;
    const char *domain = "";
    int64_t version;

    if (scope->model->layers_count)
        return lpi_lex_fail(lexer, "opset must stand before the layers");
    if (lexer->sign != LPI_NUMBER)
        LP_TRY(lpi_lex_take(lexer, "a domain or a version", &domain));
    if (!strcmp(domain, "ai.onnx"))
        domain = "";
    if (lpi_model_opset(scope->model, domain))
        return lpi_lex_fail(lexer, "two opsets for domain '%.100s'", domain);
    if (scope->model->opsets_count == MOST_OPSETS)
        return lpi_lex_fail(lexer, "more than %d opsets", MOST_OPSETS);
    LP_TRY(
        lpi_lex_int(lexer, "the version of an opset", 1, INT32_MAX, &version));
    return lpi_model_add_opset(scope->model, domain, version, lexer->error);
}

/* Add the tensor whose name is in hand, and pass the name. */
static lp_status define(lpi_scope *scope, lpi_kind kind, lp_tensor **ret_tensor)
{
    lpi_lexer *lexer = scope->lexer;

    LP_TRY(lpi_lex_name(lexer, "the name of a tensor"));
    LP_TRY(
        lpi_lex_blame(lexer, lpi_tensor_add(scope->model, lexer->word.bytes,
                                            kind, ret_tensor, lexer->error)));
    return lpi_lex_next(lexer);
}

/* Pass a colon and a type, if a colon is in hand. */
static lp_status read_type(lpi_lexer *lexer, const lpi_declared **ret_type)
{
    if (!lpi_lex_is(lexer, ':'))
        return LP_OK;
    LP_TRY(lpi_lex_next(lexer));
    return lpi_lpm_declared(lexer, ret_type);
}

static lp_status read_input(lpi_scope *scope)
{
    lp_tensor *tensor;

    LP_TRY(define(scope, LPI_INPUT, &tensor));
    LP_TRY(read_type(scope->lexer, &tensor->declared));
    return lpi_model_add_input(scope->model, tensor, scope->lexer->error);
}

static lp_status read_weight(lpi_scope *scope)
{
    lp_tensor *tensor;

    LP_TRY(define(scope, LPI_WEIGHT, &tensor));
    LP_TRY(lpi_lex_pass(scope->lexer, ':'));
    return lpi_lpm_tensor(scope->lexer, tensor);
}

/* Pass a name and a type, to be looked up later. */
static lp_status read_waiting(lpi_scope *scope, lpi_wait kind)
{
    lpi_waiting waiting = {.kind = kind, .spot = scope->lexer->token};

    LP_TRY(lpi_lex_name(scope->lexer, "the name of a tensor"));
    LP_TRY(lpi_lex_next(scope->lexer));
    if (kind == LPI_WAIT_VALUE && !lpi_lex_is(scope->lexer, ':'))
        return lpi_lex_expected(scope->lexer, "':'");
    LP_TRY(read_type(scope->lexer, &waiting.type));
    return lpi_lpm_wait(scope, waiting);
}

static lp_status read_value(lpi_scope *scope)
{
    return read_waiting(scope, LPI_WAIT_VALUE);
}

static lp_status read_output(lpi_scope *scope)
{
    return read_waiting(scope, LPI_WAIT_OUTPUT);
}

static const struct statement {
    const char *word;
    lp_status (*read)(lpi_scope *scope); /* what follows the word */
    bool in_bodies;
} statements[] = {
    {"lpm", read_lpm, false},           {"model", read_model, true},
    {"producer", read_producer, false}, {"ir", read_ir, false},
    {"opset", read_opset, false},       {"input", read_input, true},
    {"weight", read_weight, true},      {"value", read_value, true},
    {"output", read_output, true},
};

/* Pass a statement.  A keyword before "=" or "," is the name of an output. */
static lp_status read_statement(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;
    lpi_spot spot = lexer->token;
    const struct statement *found = NULL;
    int32_t i;

    for (i = 0; i < LPI_COUNT(statements); i++)
        if (lpi_lex_is_word(lexer, statements[i].word))
            found = &statements[i];
    if (!found)
        return lpi_lpm_layer(scope);
    LP_TRY(lpi_lex_next(lexer));
    if (lpi_lex_is(lexer, '=') || lpi_lex_is(lexer, ',')) {
        LP_TRY(lpi_lex_back(lexer, spot));
        return lpi_lpm_layer(scope);
    }
    if (scope->outer && !found->in_bodies)
        return lpi_lex_fail(lexer, "%s cannot stand in a body", found->word);
    return found->read(scope);
}

lp_status lpi_lpm_statements(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;

    for (;;) {
        if (lexer->sign == LPI_AT_STOP) {
            LP_TRY(lpi_lex_next(lexer));
            continue;
        }
        if (scope->outer ? lpi_lex_is(lexer, '}') : lexer->sign == LPI_AT_END)
            return LP_OK;
        if (lexer->sign == LPI_AT_END)
            return lpi_lex_expected(lexer, "'}'");
        LP_TRY(read_statement(scope));
        scope->begun = true;
        if (lexer->sign != LPI_AT_STOP && lexer->sign != LPI_AT_END &&
            !(scope->outer && lpi_lex_is(lexer, '}')))
            return lpi_lex_expected(lexer, "the end of the statement");
    }
}

static lp_status read_all(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;

    LP_TRY(lpi_lex_next(lexer));
    LP_TRY(lpi_lpm_statements(scope));
    if (!scope->begun)
        return lpi_lex_fail(lexer, "the text holds no model");
    return lpi_lpm_resolve(scope);
}

lp_status lpi_lpm_read(const char *text, size_t length, const char *name,
                       int64_t cap_bytes, lp_model **ret_model, lp_error *error)
{
    int64_t cap = cap_bytes > 0 ? cap_bytes : (int64_t)DEFAULT_CAP_GIB << 30;
    lp_model *model = length <= (size_t)cap ? lpi_model_new(name, cap) : NULL;
    lpi_lexer lexer = {
        .name = name,
        .begin = text,
        .end = text + length,
        .next = {.at = text, .line = 1},
        .arena = model ? model->arena : NULL,
        .error = error,
    };
    lpi_scope scope = {.lexer = &lexer, .model = model};
    lpi_locale locale;
    lp_status status;

    if (!model)
        return lpi_fail_memory(error);
    status = lpi_locale_enter(&locale, error);
    if (status == LP_OK) {
        status = read_all(&scope);
        lpi_locale_leave(locale);
    }
    lpi_text_drop(&lexer.word);
    if (status == LP_OK)
        *ret_model = model;
    else
        lp_model_free(model);
    return status;
}
