/* lpm_body.c: bodies, and what waits until names are known.
 *
 * A body is a graph of its own inside an attribute; it sees the names of the
 * graphs around it, wherever those define them.  So uses wait until the whole
 * text has been read, and are then resolved graph by graph, the inner ones
 * where they stand in the outer one. */
#include "io.h"

enum { DEEPEST_BODY = 64 };

lp_status lpi_lpm_wait(lpi_scope *scope, lpi_waiting waiting)
{
    if (!LPI_GROW(scope->lexer->arena, scope->waiting, scope->waiting_count,
                  scope->waiting_room))
        return lpi_fail_memory(scope->lexer->error);
    scope->waiting[scope->waiting_count++] = waiting;
    return LP_OK;
}

lp_status lpi_lpm_body(lpi_scope *outer, lp_model **ret_body)
{
    lpi_lexer *lexer = outer->lexer;
    lpi_scope *scope = LPI_NEW(lexer->arena, lpi_scope, 1);
    int32_t open = lexer->next.open;

    if (outer->depth == DEEPEST_BODY)
        return lpi_lex_fail(lexer, "bodies are nested more than %d deep",
                            DEEPEST_BODY);
    if (!scope)
        return lpi_fail_memory(lexer->error);
    *scope = (lpi_scope){
        .lexer = lexer,
        .model = lpi_model_new_body(outer->model),
        .outer = outer,
        .depth = outer->depth + 1,
    };
    if (!scope->model)
        return lpi_fail_memory(lexer->error);
    lexer->next.open = 0;
    LP_TRY(lpi_lex_pass(lexer, '{'));
    LP_TRY(lpi_lpm_statements(scope));
    lexer->next.open = open - 1;
    LP_TRY(lpi_lex_next(lexer));
    *ret_body = scope->model;
    return lpi_lpm_wait(outer,
                        (lpi_waiting){.kind = LPI_WAIT_BODY, .body = scope});
}

/* Give the tensor named at "waiting" its type; an output is also appended to
 * the outputs of the graph. */
static lp_status resolve_name(lpi_scope *scope, const lpi_waiting *waiting)
{
    lpi_lexer *lexer = scope->lexer;
    lp_tensor *tensor;
    lp_status status;

    LP_TRY(lpi_lex_back(lexer, waiting->spot));
    if (waiting->kind == LPI_WAIT_OUTPUT) {
        status = lpi_tensor_use(scope->model, lexer->word.bytes, &tensor,
                                lexer->error);
        LP_TRY(lpi_lex_blame(lexer, status));
        if (!tensor->declared)
            tensor->declared = waiting->type;
        return lpi_model_add_output(scope->model, tensor, lexer->error);
    }
    tensor = lpi_tensor_find(scope->model, lexer->word.bytes);
    if (!tensor || tensor->kind == LPI_CAPTURE)
        return lpi_lex_refuse(lexer, "this graph has no tensor");
    if (tensor->declared)
        return lpi_lex_refuse(lexer, "two types are given for");
    tensor->declared = waiting->type;
    return LP_OK;
}

lp_status lpi_lpm_resolve(lpi_scope *scope)
{
    int64_t i;

    for (i = 0; i < scope->waiting_count; i++) {
        const lpi_waiting *waiting = &scope->waiting[i];

        if (waiting->kind == LPI_WAIT_BODY) {
            LP_TRY(lpi_lpm_resolve(waiting->body));
        } else if (waiting->kind == LPI_WAIT_INPUTS) {
            LP_TRY(lpi_lpm_inputs(scope, waiting->layer, waiting->spot));
        } else {
            LP_TRY(resolve_name(scope, waiting));
        }
    }
    return lpi_model_sort(scope->model, scope->lexer->error);
}
