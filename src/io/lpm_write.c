/* lpm_write.c: a model in the text form.
 *
 * Only what a reader was told is written, nothing that settling found, so the
 * text is the same before and after, and reading it gives the same text
 * again.  Operands that decoders made have no name and are left out, as are
 * absent operands at the end. */
#include <inttypes.h>
#include <string.h>

#include "io.h"

enum { INDENT = 4 };

/* A model under way. */
typedef struct writer {
    lpi_text *text;
    int32_t depth;
} writer;

static void write_graph(writer *to, const lp_model *model);

static void begin_line(writer *to)
{
    lpi_text_printf(to->text, "%*s", to->depth * INDENT, "");
}

/* ---- attributes -----------------------------------------------------------
 */

static void write_list(lpi_text *text, const lpi_attr *attr)
{
    static const char *const kinds[] = {
        [LPI_ATTR_FLOATS] = "floats",
        [LPI_ATTR_INTS] = "ints",
        [LPI_ATTR_STRINGS] = "strings",
    };
    int64_t i;

    lpi_text_put(text, attr->count ? "" : kinds[attr->kind]);
    lpi_text_put(text, "[");
    for (i = 0; i < attr->count; i++) {
        lpi_text_put(text, i ? ", " : "");
        if (attr->kind == LPI_ATTR_STRINGS)
            lpi_print_quoted(text, attr->strings[i]);
        else if (attr->kind == LPI_ATTR_FLOATS)
            lpi_print_float(text, attr->floats[i]);
        else
            lpi_text_printf(text, "%" PRId64, attr->ints[i]);
    }
    lpi_text_put(text, "]");
}

static void write_body(writer *to, const lp_model *body)
{
    lpi_text_put(to->text, "graph {\n");
    to->depth++;
    write_graph(to, body);
    to->depth--;
    begin_line(to);
    lpi_text_put(to->text, "}");
}

static void write_attr(writer *to, const lp_model *model, const lpi_attr *attr)
{
    lpi_text *text = to->text;

    lpi_print_name(text, attr->name);
    lpi_text_put(text, ": ");
    switch (attr->kind) {
    case LPI_ATTR_FLOAT:
        lpi_print_float(text, attr->f);
        break;
    case LPI_ATTR_INT:
        lpi_text_printf(text, "%" PRId64, attr->i);
        break;
    case LPI_ATTR_STRING:
        lpi_print_quoted(text, attr->s);
        break;
    case LPI_ATTR_TENSOR:
        lpi_text_put(text, "tensor ");
        lpi_print_tensor(text, model->path, attr->tensor);
        break;
    case LPI_ATTR_BODY:
        write_body(to, attr->body);
        break;
    case LPI_ATTR_OTHER:
        lpi_text_put(text, "other");
        break;
    default:
        write_list(text, attr);
    }
}

/* ---- layers ---------------------------------------------------------------
 */

/* Append the names of "count" tensors, "_" for absent ones. */
static void write_names(lpi_text *text, lp_tensor *const *tensors,
                        int32_t count)
{
    int32_t i;

    for (i = 0; i < count; i++) {
        lpi_text_put(text, i ? ", " : "");
        if (tensors[i] && *tensors[i]->name)
            lpi_print_name(text, tensors[i]->name);
        else
            lpi_text_put(text, "_");
    }
}

/* Append the operator of "layer".  A dot in its name hides where the domain
 * ends; "*ret_apart" says that the domain has to follow. */
static void write_operator(lpi_text *text, const lp_layer *layer,
                           bool *ret_apart)
{
    lpi_text whole = {0};

    *ret_apart = strchr(layer->op, '.');
    if (*layer->domain && !*ret_apart)
        lpi_text_printf(&whole, "%s.", layer->domain);
    lpi_text_put(&whole, layer->op);
    if (whole.failed)
        text->failed = true;
    else
        lpi_print_name(text, whole.bytes);
    lpi_text_drop(&whole);
}

static void write_layer(writer *to, const lp_model *model,
                        const lp_layer *layer)
{
    lpi_text *text = to->text;
    int32_t inputs = layer->given_count, i;
    bool apart;

    while (inputs > 0 &&
           !(layer->given[inputs - 1] && *layer->given[inputs - 1]->name))
        inputs--;
    write_names(text, layer->outputs, layer->outputs_count);
    lpi_text_put(text, layer->outputs_count ? " = " : "_ = ");
    write_operator(text, layer, &apart);
    lpi_text_put(text, "(");
    write_names(text, layer->given, inputs);
    lpi_text_put(text, ")");
    for (i = 0; i < layer->attrs_count; i++) {
        lpi_text_put(text, i ? ", " : " {");
        write_attr(to, model, &layer->attrs[i]);
    }
    lpi_text_put(text, layer->attrs_count ? "}" : "");
    if (apart) {
        lpi_text_put(text, " domain ");
        lpi_print_quoted(text, layer->domain);
    }
    if (layer->version != lpi_layer_default_opset(model, layer->domain))
        lpi_text_printf(text, " opset %d", layer->version);
    if (strcmp(layer->name, lpi_layer_default_name(layer)) != 0) {
        lpi_text_put(text, " name ");
        lpi_print_quoted(text, layer->name);
    }
    if (*layer->module) {
        lpi_text_put(text, " module ");
        lpi_print_quoted(text, layer->module);
    }
    lpi_text_put(text, "\n");
}

/* ---- graphs ---------------------------------------------------------------
 */

/* Append a statement "word" about "tensor", with "type" unless it is NULL. */
static void write_typed(writer *to, const char *word, const lp_tensor *tensor,
                        const lpi_declared *type)
{
    lpi_text *text = to->text;

    begin_line(to);
    lpi_text_printf(text, "%s ", word);
    lpi_print_name(text, tensor->name);
    if (type) {
        lpi_text_put(text, ": ");
        lpi_print_declared(text, type);
    }
    lpi_text_put(text, "\n");
}

/* Whether "tensor" is an output of "model", so that its type stands there. */
static bool *mark_outputs(const lp_model *model)
{
    bool *marks = lpi_alloc((size_t)model->tensors_count);
    int64_t i;

    if (!marks)
        return NULL;
    memset(marks, 0, (size_t)model->tensors_count);
    for (i = 0; i < model->outputs_count; i++)
        marks[model->outputs[i]->id] = true;
    return marks;
}

static void write_head(lpi_text *text, const lp_model *model)
{
    int64_t i;

    if (*model->producer) {
        lpi_text_put(text, "producer ");
        lpi_print_quoted(text, model->producer);
        lpi_text_put(text, "\n");
    }
    if (model->ir_version > 0)
        lpi_text_printf(text, "ir %" PRId64 "\n", model->ir_version);
    for (i = 0; i < model->opsets_count; i++) {
        lpi_text_put(text, "opset ");
        if (*model->opsets[i].domain)
            lpi_print_name(text, model->opsets[i].domain);
        lpi_text_printf(text, "%s%" PRId64 "\n",
                        *model->opsets[i].domain ? " " : "",
                        model->opsets[i].version);
    }
}

/* Append the layers of "model", each followed by the types its file declares
 * for inner tensors. */
static void write_layers(writer *to, const lp_model *model)
{
    bool *is_output = mark_outputs(model);
    int64_t i;
    int32_t k;

    if (!is_output) {
        to->text->failed = true;
        return;
    }
    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        begin_line(to);
        write_layer(to, model, layer);
        for (k = 0; k < layer->outputs_count; k++) {
            const lp_tensor *tensor = layer->outputs[k];

            if (tensor && tensor->declared && !is_output[tensor->id])
                write_typed(to, "value", tensor, tensor->declared);
        }
    }
    lpi_free(is_output);
}

static void write_graph(writer *to, const lp_model *model)
{
    lpi_text *text = to->text;
    int64_t i;

    if (*model->name) {
        begin_line(to);
        lpi_text_put(text, "model ");
        lpi_print_quoted(text, model->name);
        lpi_text_put(text, "\n");
    }
    if (!model->outer)
        write_head(text, model);
    for (i = 0; i < model->inputs_count; i++)
        if (model->inputs[i]->kind == LPI_INPUT)
            write_typed(to, "input", model->inputs[i],
                        model->inputs[i]->declared);
    for (i = 0; i < model->tensors_count; i++) {
        if (model->tensors[i]->kind != LPI_WEIGHT)
            continue;
        begin_line(to);
        lpi_text_put(text, "weight ");
        lpi_print_name(text, model->tensors[i]->name);
        lpi_text_put(text, ": ");
        lpi_print_tensor(text, model->path, model->tensors[i]);
        lpi_text_put(text, "\n");
    }
    write_layers(to, model);
    for (i = 0; i < model->outputs_count; i++) {
        const lp_tensor *output = model->outputs[i];

        write_typed(to, "output", output,
                    output->kind == LPI_INPUT || output->kind == LPI_WEIGHT
                        ? NULL
                        : output->declared);
    }
}

lp_status lpi_lpm_write(const lp_model *model, lpi_text *text, lp_error *error)
{
    writer to = {.text = text};
    lpi_locale locale;

    LP_TRY(lpi_locale_enter(&locale, error));
    lpi_text_put(text, "lpm 1\n");
    write_graph(&to, model);
    lpi_locale_leave(locale);
    return text->failed ? lpi_fail_memory(error) : LP_OK;
}
