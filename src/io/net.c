/* net.c: models in one line.
 *
 *     x:1x3x32x32; conv 16 k3 p1; a = relu; conv 16 k3 p1; add a
 *
 * Inputs stand first.  Every layer reads the result before it, and its shape
 * is known at once, so weights get theirs.  Words, numbers and marks are those
 * of the text form; messages count characters from 1. */
#include <string.h>

#include "io.h"

static const char input_form[] = "an input such as x:1x3x32x32";

/* Parse "text", numbers with an x between them, after those of "numbers".
 * None is below "least". */
static bool parse_numbers(const char *text, int64_t least,
                          lpi_net_numbers *numbers)
{
    for (;;) {
        size_t length = strcspn(text, "x");
        char digits[24] = {0};
        int64_t value;

        if (length >= sizeof(digits) || numbers->count == LPI_NET_AXES)
            return false;
        memcpy(digits, text, length);
        if (!lpi_parse_int(digits, &value) || value < least ||
            value > INT64_C(1) << LPI_NET_DIM_BITS)
            return false;
        numbers->at[numbers->count++] = value;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

/* Keep "last" under "name". */
static lp_status keep(lpi_net *net, const char *name)
{
    if (!LPI_GROW(net->model->arena, net->values, net->values_count,
                  net->values_room) ||
        !lpi_map_set(net->names, name, net->values_count))
        return lpi_fail_memory(net->lexer.error);
    net->values[net->values_count++] = net->last;
    return LP_OK;
}

/* Store in "ret_value" the result whose name is in hand, and pass it. */
static lp_status find(lpi_net *net, lpi_net_value *ret_value)
{
    int64_t position;

    LP_TRY(lpi_lex_name(&net->lexer, "the name of a result"));
    position = lpi_map_get(net->names, net->lexer.word.bytes);
    if (position < 0)
        return lpi_lex_refuse(&net->lexer, "no result is called");
    *ret_value = net->values[position];
    return lpi_lex_next(&net->lexer);
}

/* Declare "tensor", an input, as "value" says. */
static lp_status declare(lpi_net *net, lp_tensor *tensor,
                         const lpi_net_value *value)
{
    lpi_arena *arena = net->model->arena;
    lpi_declared *type = LPI_NEW(arena, lpi_declared, 1);
    lpi_dim *dims = LPI_NEW(arena, lpi_dim, value->rank);
    int32_t i;

    if (!type || !dims)
        return lpi_fail_memory(net->lexer.error);
    for (i = 0; i < value->rank; i++)
        dims[i] = (lpi_dim){.value = value->dims[i], .symbol = ""};
    *type = (lpi_declared){
        .dtype = value->dtype, .rank = value->rank, .dims = dims};
    tensor->declared = type;
    return lpi_model_add_input(net->model, tensor, net->lexer.error);
}

/* Pass an input, NAME:SHAPE or NAME:SHAPE:DTYPE, whose name stands at
 * "name"; the colon is in hand. */
static lp_status read_input(lpi_net *net, lpi_spot name)
{
    lpi_lexer *lexer = &net->lexer;
    lpi_net_numbers dims = {0};
    lpi_net_value value = {.dtype = LP_FLOAT32};
    lpi_spot end;

    LP_TRY(lpi_lex_next(lexer));
    if (lexer->sign != LPI_NUMBER ||
        !parse_numbers(lexer->word.bytes, 1, &dims))
        return lpi_lex_expected(lexer, "a shape such as 1x3x32x32");
    value.rank = dims.count;
    memcpy(value.dims, dims.at, sizeof(value.dims));
    LP_TRY(lpi_lex_next(lexer));
    if (lpi_lex_is(lexer, ':')) {
        LP_TRY(lpi_lex_next(lexer));
        value.dtype = lexer->sign == LPI_WORD
                          ? lp_dtype_from_name(lexer->word.bytes)
                          : LP_UNDEFINED;
        if (value.dtype == LP_UNDEFINED)
            return lpi_lex_refuse(lexer, "unknown dtype");
        LP_TRY(lpi_lex_next(lexer));
    }
    end = lexer->token;
    LP_TRY(lpi_lex_back(lexer, name));
    LP_TRY(lpi_lex_name(lexer, input_form));
    LP_TRY(lpi_lex_blame(lexer, lpi_tensor_add(net->model, lexer->word.bytes,
                                               LPI_INPUT, &value.tensor,
                                               lexer->error)));
    LP_TRY(declare(net, value.tensor, &value));
    net->last = value;
    LP_TRY(keep(net, value.tensor->name));
    return lpi_lex_back(lexer, end);
}

/* Pass an option in hand: a letter of "letters" and numbers, or "same". */
static lp_status read_option(lpi_net *net, const char *letters)
{
    lpi_net_args *args = &net->args;
    const struct {
        char letter;
        int8_t least;
        lpi_net_numbers *numbers;
    } options[] = {
        {'k', 1, &args->kernel}, {'s', 1, &args->stride},
        {'p', 0, &args->pad},    {'d', 1, &args->dilation},
        {'g', 1, &args->group},
    };
    const char *word = net->lexer.word.bytes;
    int32_t i;

    if (!strcmp(word, "same") && strchr(letters, 'p')) {
        args->same = true;
        return lpi_lex_next(&net->lexer);
    }
    for (i = 0; i < LPI_COUNT(options); i++)
        if (*word == options[i].letter && strchr(letters, *word) &&
            !options[i].numbers->count &&
            parse_numbers(word + 1, options[i].least, options[i].numbers))
            return lpi_lex_next(&net->lexer);
    return lpi_lex_refuse(&net->lexer, "unknown option, or one given twice:");
}

/* Pass what follows the word of "row". */
static lp_status read_args(lpi_net *net, const lpi_net_row *row)
{
    lpi_lexer *lexer = &net->lexer;
    lpi_net_args *args = &net->args;

    *args = (lpi_net_args){0};
    if (row->names)
        LP_TRY(find(net, &args->other));
    while (lexer->sign == LPI_NUMBER) {
        if (!parse_numbers(lexer->word.bytes, row->floor, &args->plain))
            return lpi_lex_expected(lexer, "a number, or several such as 3x3");
        LP_TRY(lpi_lex_next(lexer));
    }
    while (lexer->sign == LPI_WORD)
        LP_TRY(read_option(net, row->letters));
    if (args->plain.count < row->least)
        return lpi_net_fail(net, "wants %d number%s after it", row->least,
                            row->least > 1 ? "s" : "");
    if (args->plain.count > row->most)
        return lpi_net_fail(net, "takes at most %d number%s", row->most,
                            row->most == 1 ? "" : "s");
    return LP_OK;
}

/* Store in "net" what the layer under way is called: "label", or, when that is
 * NULL, the word of "row" and a number. */
static lp_status set_label(lpi_net *net, const lpi_net_row *row,
                           const char *label)
{
    int64_t *used = &net->used[row - lpi_net_rows];

    net->row = row;
    net->label = label ? label
                       : lpi_arena_printf(net->model->arena, "%s_%lld",
                                          row->word, (long long)++*used);
    if (!net->label)
        return lpi_fail_memory(net->lexer.error);
    if (lpi_map_get(net->names, net->label) >= 0)
        return lpi_net_fail(net, "there is a result called '%.100s' already",
                            net->label);
    return LP_OK;
}

/* Pass a layer whose word is in hand; "label" is its name or NULL. */
static lp_status read_layer(lpi_net *net, const char *label)
{
    lpi_lexer *lexer = &net->lexer;
    const lpi_net_row *row = lpi_net_rows;

    net->spot = lexer->token;
    while (row->word && !lpi_lex_is_word(lexer, row->word))
        row++;
    if (!row->word)
        return lexer->sign == LPI_WORD ? lpi_lex_refuse(lexer, "unknown layer")
                                       : lpi_lex_expected(lexer, "a layer");
    if (!net->last.tensor)
        return lpi_lex_expected(lexer, input_form);
    LP_TRY(set_label(net, row, label));
    LP_TRY(lpi_lex_next(lexer));
    LP_TRY(read_args(net, row));
    net->attrs_count = 0;
    LP_TRY(row->build(net));
    return keep(net, net->label);
}

/* Pass a statement: an input, a layer, or a layer with a name. */
static lp_status read_statement(lpi_net *net)
{
    lpi_lexer *lexer = &net->lexer;
    lpi_spot spot = lexer->token;
    const char *name;

    if (lexer->sign != LPI_WORD && lexer->sign != LPI_QUOTED)
        return lpi_lex_expected(lexer, "a layer");
    LP_TRY(lpi_lex_next(lexer));
    if (lpi_lex_is(lexer, ':'))
        return read_input(net, spot);
    if (!lpi_lex_is(lexer, '=')) {
        LP_TRY(lpi_lex_back(lexer, spot));
        return read_layer(net, NULL);
    }
    LP_TRY(lpi_lex_back(lexer, spot));
    LP_TRY(lpi_lex_take(lexer, "a name", &name));
    LP_TRY(lpi_lex_pass(lexer, '='));
    return read_layer(net, name);
}

/* Pass all statements and make the last result the output. */
static lp_status read_all(lpi_net *net)
{
    lpi_lexer *lexer = &net->lexer;

    LP_TRY(lpi_lex_next(lexer));
    while (lexer->sign != LPI_AT_END) {
        if (lexer->sign == LPI_AT_STOP) {
            LP_TRY(lpi_lex_next(lexer));
            continue;
        }
        LP_TRY(read_statement(net));
        if (lexer->sign != LPI_AT_STOP && lexer->sign != LPI_AT_END)
            return lpi_lex_expected(lexer, "';'");
    }
    if (!net->last.tensor)
        return lpi_lex_expected(lexer, input_form);
    if (!net->model->layers_count)
        return lpi_lex_expected(lexer, "a layer");
    return lpi_model_add_output(net->model, net->last.tensor, lexer->error);
}

/* Make what "net" needs beside the model. */
static lp_status prepare(lpi_net *net, const char *text)
{
    lp_model *model = net->model;
    int64_t rows = 0;

    while (lpi_net_rows[rows].word)
        rows++;
    net->names = lpi_map_new(model->arena);
    net->used = LPI_NEW(model->arena, int64_t, rows);
    model->net = lpi_arena_strdup(model->arena, text);
    if (!net->names || !net->used || !model->net)
        return lpi_fail_memory(net->lexer.error);
    return lpi_model_add_opset(model, "", LPI_NEWEST_OPSET, net->lexer.error);
}

lp_status lpi_net_read(const char *text, int64_t cap_bytes,
                       lp_model **ret_model, lp_error *error)
{
    lp_model *model = lpi_model_new("net", cap_bytes);
    lpi_net net = {
        .model = model,
        .lexer = {.name = "net",
                  .begin = text,
                  .end = text + strlen(text),
                  .by_column = true,
                  .next = {.at = text, .line = 1},
                  .arena = model ? model->arena : NULL,
                  .error = error},
    };
    lp_status status;

    if (!model)
        return lpi_fail_memory(error);
    status = prepare(&net, text);
    if (status == LP_OK)
        status = read_all(&net);
    lpi_text_drop(&net.lexer.word);
    if (status == LP_OK)
        *ret_model = model;
    else
        lp_model_free(model);
    return status;
}
