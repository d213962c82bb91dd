/* lpm_layer.c: layers, read from the text form.
 *
 *     outputs = operator(inputs) {attributes} trailers
 *
 * The names of outputs and inputs are counted first, so that the layer can be
 * made in one piece; then the reader goes back to define the outputs.  The
 * inputs wait until all names are known. */
#include <string.h>

#include "io.h"

/* How the tensor whose name is in hand is found. */
typedef lp_status finder(lpi_scope *scope, lp_tensor **ret_tensor);

static lp_status find_output(lpi_scope *scope, lp_tensor **ret_tensor)
{
    return lpi_tensor_add(scope->model, scope->lexer->word.bytes,
                          LPI_ACTIVATION, ret_tensor, scope->lexer->error);
}

static lp_status find_input(lpi_scope *scope, lp_tensor **ret_tensor)
{
    return lpi_tensor_use(scope->model, scope->lexer->word.bytes, ret_tensor,
                          scope->lexer->error);
}

/* Pass names up to "close", "_" standing for none.  "find" puts their tensors
 * into "slots"; NULL: they are counted only. */
static lp_status read_names(lpi_scope *scope, char close, finder *find,
                            lp_tensor **slots, int32_t *ret_count)
{
    lpi_lexer *lexer = scope->lexer;
    bool more = !lpi_lex_is(lexer, close);
    int32_t count = 0;

    if (!more)
        LP_TRY(lpi_lex_next(lexer));
    while (more) {
        if (!lpi_lex_is_word(lexer, "_")) {
            LP_TRY(lpi_lex_name(lexer, "the name of a tensor"));
            if (find)
                LP_TRY(lpi_lex_blame(lexer, find(scope, &slots[count])));
        }
        if (count++ == INT32_MAX - 1)
            return lpi_lex_fail(lexer, "too many names");
        LP_TRY(lpi_lex_next(lexer));
        LP_TRY(lpi_lex_item(lexer, close, &more));
    }
    *ret_count = count;
    return LP_OK;
}

/* A layer under way. */
typedef struct sketch {
    lpi_spot outputs, inputs;
    int32_t outputs_count, inputs_count;
    const char *domain, *op, *name, *module;
    int64_t version; /* 0: that of the domain in the model */
    const lpi_attr *attrs;
    int32_t attrs_count;
} sketch;

/* Pass what may follow the attributes: domain, opset, name and module. */
static lp_status read_trailers(lpi_lexer *lexer, sketch *draft)
{
    for (;;) {
        if (lpi_lex_is_word(lexer, "domain")) {
            LP_TRY(lpi_lex_next(lexer));
            LP_TRY(lpi_lex_string(lexer, "a domain in quotes", &draft->domain));
        } else if (lpi_lex_is_word(lexer, "opset")) {
            LP_TRY(lpi_lex_next(lexer));
            LP_TRY(lpi_lex_int(lexer, "the version of an opset", 1, INT32_MAX,
                               &draft->version));
        } else if (lpi_lex_is_word(lexer, "name")) {
            LP_TRY(lpi_lex_next(lexer));
            LP_TRY(lpi_lex_once(lexer, "the name of the layer", &draft->name));
        } else if (lpi_lex_is_word(lexer, "module")) {
            LP_TRY(lpi_lex_next(lexer));
            LP_TRY(
                lpi_lex_once(lexer, "the path of the module", &draft->module));
        } else {
            return LP_OK;
        }
    }
}

/* Split the operator at its last dot into domain and name, unless the domain
 * stands apart. */
static lp_status split_operator(lpi_lexer *lexer, sketch *draft)
{
    const char *dot = strrchr(draft->op, '.');

    if (!draft->domain && dot) {
        draft->domain = lpi_arena_strndup(lexer->arena, draft->op,
                                          (size_t)(dot - draft->op));
        draft->op = dot + 1;
    }
    if (!draft->domain)
        draft->domain = dot ? NULL : "";
    if (!draft->domain)
        return lpi_fail_memory(lexer->error);
    if (!*draft->op)
        return lpi_lex_fail(lexer, "the operator has no name");
    if (!strcmp(draft->domain, "ai.onnx"))
        draft->domain = "";
    return LP_OK;
}

/* Import the newest opset of ai.onnx when the text names none and a layer
 * needs it; the bodies under way share it. */
static lp_status need_opset(lpi_scope *scope, const char *domain)
{
    lpi_scope *top = scope;

    if (*domain || lpi_model_opset(scope->model, ""))
        return LP_OK;
    while (top->outer)
        top = top->outer;
    if (!lpi_model_opset(top->model, ""))
        LP_TRY(lpi_model_add_opset(top->model, "", LPI_NEWEST_OPSET,
                                   scope->lexer->error));
    scope->model->opsets = top->model->opsets;
    scope->model->opsets_count = top->model->opsets_count;
    return LP_OK;
}

/* Add the layer of "draft" and define its outputs. */
static lp_status add_layer(lpi_scope *scope, const sketch *draft)
{
    lpi_lexer *lexer = scope->lexer;
    lpi_spot end = lexer->token;
    lp_layer *layer;
    int32_t i;

    if (!draft->version)
        LP_TRY(need_opset(scope, draft->domain));
    LP_TRY(lpi_layer_add(scope->model, draft->name ? draft->name : "",
                         draft->domain, draft->op, draft->inputs_count,
                         draft->outputs_count, &layer, lexer->error));
    layer->version = draft->version
                         ? (int32_t)draft->version
                         : lpi_layer_default_opset(scope->model, layer->domain);
    layer->attrs = draft->attrs;
    layer->attrs_count = draft->attrs_count;
    if (draft->module)
        layer->module = draft->module;
    LP_TRY(lpi_lex_back(lexer, draft->outputs));
    LP_TRY(read_names(scope, '=', find_output, layer->outputs, &i));
    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i])
            layer->outputs[i]->producer = layer;
    if (!draft->name)
        layer->name = lpi_layer_default_name(layer);
    LP_TRY(lpi_lpm_wait(scope, (lpi_waiting){.kind = LPI_WAIT_INPUTS,
                                             .spot = draft->inputs,
                                             .layer = layer}));
    return lpi_lex_back(lexer, end);
}

lp_status lpi_lpm_layer(lpi_scope *scope)
{
    lpi_lexer *lexer = scope->lexer;
    sketch draft = {.outputs = lexer->token};

    if (lexer->sign != LPI_WORD && lexer->sign != LPI_QUOTED)
        return lpi_lex_expected(lexer, "a statement");
    LP_TRY(read_names(scope, '=', NULL, NULL, &draft.outputs_count));
    LP_TRY(lpi_lex_take(lexer, "an operator", &draft.op));
    LP_TRY(lpi_lex_pass(lexer, '('));
    draft.inputs = lexer->token;
    LP_TRY(read_names(scope, ')', NULL, NULL, &draft.inputs_count));
    if (lpi_lex_is(lexer, '{'))
        LP_TRY(lpi_lpm_attrs(scope, &draft.attrs, &draft.attrs_count));
    LP_TRY(read_trailers(lexer, &draft));
    LP_TRY(split_operator(lexer, &draft));
    return add_layer(scope, &draft);
}

lp_status lpi_lpm_inputs(lpi_scope *scope, lp_layer *layer, lpi_spot spot)
{
    int32_t count;

    LP_TRY(lpi_lex_back(scope->lexer, spot));
    return read_names(scope, ')', find_input, layer->inputs, &count);
}
