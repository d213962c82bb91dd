/* report.c: everything that is counted in a model, put together.
 *
 * A row a layer, in the order of the model.  The order of work follows from
 * what needs what: costs by operator, then the weights on top of them, what is
 * resident, the totals, and what is derived from rows and totals.  A report
 * owns one arena; strings and shapes are those of the model.
 *
 * Invariant: every total is the sum (live_peak_bytes: the largest) of the same
 * column of the listed rows, and fits 64 bits. */
#include <string.h>

#include "cost.h"

/* What lp_report_new allocates. */
typedef struct holder {
    lp_report report; /* first: what callers see */
    lpi_arena *arena;
} holder;

/* One report being made. */
typedef struct maker {
    lpi_arena *arena, *scratch;
    const lp_model *model;
    lp_report_options options;
    lp_report *report;
    lp_row *rows;
    lp_error *error;
} maker;

int64_t lp_cost_macs(const lp_cost *cost)
{
    return lpi_add(lpi_add(cost->macs_conv, cost->macs_linear),
                   cost->macs_attention);
}

int64_t lp_cost_flops(const lp_cost *cost)
{
    int64_t flops = lpi_mul(lp_cost_macs(cost), 2);
    int32_t i;

    for (i = 0; i < LP_ARITH_COUNT; i++)
        flops = lpi_add(flops, cost->arith[i]);
    return flops;
}

/* Describe the outputs of "layer" in "row", using up "*outputs". */
static void list_outputs(const lp_layer *layer, lp_row *row,
                         lp_output **outputs)
{
    int32_t i;

    row->outputs = *outputs;
    for (i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (tensor)
            (*outputs)[row->outputs_count++] =
                (lp_output){.name = tensor->name,
                            .shape = tensor->shape,
                            .dtype = tensor->dtype};
    }
    *outputs += row->outputs_count;
}

/* Why the cost of "layer" is not exact; NULL when it is. */
static const char *note_of(const lp_layer *layer, lp_row_status status)
{
    if (status == LP_EXACT || layer->note)
        return status == LP_EXACT ? NULL : layer->note;
    return status == LP_ESTIMATED ? "the size of a tensor is an upper bound"
                                  : "the shape of an operand is not known";
}

/* Whether "tensor" is an operand of "layer". */
static bool reads(const lp_layer *layer, const lp_tensor *tensor)
{
    int32_t i = 0;

    while (i < layer->inputs_count && layer->inputs[i] != tensor)
        i++;
    return i < layer->inputs_count;
}

/* Name the inputs of "layer" in "row". */
static lp_status list_inputs(maker *m, const lp_layer *layer, lp_row *row)
{
    const lp_model *body;
    const char **names;
    int64_t count = layer->inputs_count, j;
    int32_t at = 0, i;

    while ((body = lpi_next_body(layer, &at)))
        count += body->captures_count;
    names = LPI_NEW(m->arena, const char *, count);
    if (!names)
        return lpi_fail_memory(m->error);
    row->inputs = names;
    for (i = 0; i < layer->inputs_count; i++)
        names[row->inputs_count++] = layer->inputs[i] ? layer->inputs[i]->name
                                                      : NULL;
    for (at = 0; (body = lpi_next_body(layer, &at));)
        for (j = 0; j < body->captures_count; j++)
            if (!layer->definition || !reads(layer, body->captures[j]->outer))
                names[row->inputs_count++] = body->captures[j]->outer->name;
    return LP_OK;
}

/* Describe "count" tensors of the graph. */
static lp_status list_tensors(maker *m, lp_tensor *const *tensors,
                              int64_t count, const lp_output **ret_list,
                              int64_t *ret_count)
{
    lp_output *list = LPI_NEW(m->arena, lp_output, count);
    int64_t n = 0, i;

    if (!list)
        return lpi_fail_memory(m->error);
    for (i = 0; i < count; i++)
        if (tensors[i]->kind != LPI_WEIGHT)
            list[n++] = (lp_output){.name = tensors[i]->name,
                                    .shape = tensors[i]->shape,
                                    .dtype = tensors[i]->dtype};
    *ret_list = list;
    *ret_count = n;
    return LP_OK;
}

/* One row a layer, with what its operator alone tells. */
static lp_status make_rows(maker *m)
{
    const lp_model *model = m->model;
    int64_t outputs_count = 0, i;
    lp_output *outputs;

    for (i = 0; i < model->layers_count; i++)
        outputs_count += model->layers[i]->outputs_count;
    m->rows = LPI_NEW(m->arena, lp_row, model->layers_count);
    outputs = LPI_NEW(m->arena, lp_output, outputs_count);
    if (!m->rows || !outputs)
        return lpi_fail_memory(m->error);
    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        lp_row *row = &m->rows[i];

        *row = (lp_row){.index = -1,
                        .name = layer->name,
                        .op = layer->op,
                        .domain = layer->domain,
                        .module = layer->module ? layer->module : "",
                        .status = LP_FOLDED};
        list_outputs(layer, row, &outputs);
        LP_TRY(list_inputs(m, layer, row));
        if (layer->is_static)
            continue;
        LP_TRY(
            lpi_layer_cost(model, layer, &row->cost, &row->status, m->error));
        row->note = note_of(layer, row->status);
        row->index = m->report->layers++;
        m->report->known += row->status != LP_UNKNOWN;
    }
    m->report->rows = m->rows;
    m->report->rows_count = model->layers_count;
    m->report->folded = model->layers_count - m->report->layers;
    m->report->coverage = m->report->layers ? (double)m->report->known /
                                                  (double)m->report->layers
                                            : 1;
    return LP_OK;
}

/* What is resident at each step, at the peak, and what waits. */
static lp_status fill_memory(maker *m)
{
    lp_report *report = m->report;
    lpi_lives lives;
    int64_t i;

    LP_TRY(lpi_lives_find(m->scratch, m->model, &lives, m->error));
    for (i = 0; i < report->rows_count; i++)
        if (m->rows[i].index >= 0)
            m->rows[i].live_bytes = lives.live_bytes[m->rows[i].index];
    report->live_peak_bytes = lives.peak_bytes;
    report->peak_index = lives.peak_step;
    report->peak_layer =
        lives.peak_step < 0 ? "" : lives.layers[lives.peak_step]->name;
    LP_TRY(lpi_peak_list(m->arena, &lives, report, m->error));
    return lpi_skip_list(m->arena, &lives, m->options.skip_distance, report,
                         m->error);
}

/* The sum of all listed rows; a count that reached INT64_MAX overflowed. */
static lp_status fill_total(maker *m)
{
    lp_cost *total = &m->report->total;
    int64_t i, fields[sizeof(lp_cost) / sizeof(int64_t)];

    for (i = 0; i < m->report->rows_count; i++)
        if (m->rows[i].index >= 0)
            lpi_cost_add(total, &m->rows[i].cost);
    memcpy(fields, total, sizeof(fields));
    for (i = 0; i < LPI_COUNT(fields); i++)
        if (fields[i] == INT64_MAX)
            return lpi_fail(m->error, LP_EINPUT, m->report->model,
                            "the counts of all layers together do not fit 64 "
                            "bits");
    if (lp_cost_flops(total) == INT64_MAX)
        return lpi_fail(m->error, LP_EINPUT, m->report->model,
                        "the operations of all layers together do not fit 64 "
                        "bits");
    return LP_OK;
}

static lp_status fill_weights_as(maker *m, const lpi_weights *weights)
{
    lp_weights_as *list = LPI_NEW(m->arena, lp_weights_as, LPI_WEIGHTS_AS);

    if (!list)
        return lpi_fail_memory(m->error);
    memcpy(list, weights->as, sizeof(weights->as));
    m->report->weights_as = list;
    m->report->weights_as_count = LPI_WEIGHTS_AS;
    return LP_OK;
}

static lp_status fill(maker *m)
{
    lp_report *report = m->report;
    lpi_weights weights;

    LP_TRY(make_rows(m));
    LP_TRY(list_tensors(m, m->model->inputs, m->model->inputs_count,
                        &report->graph_inputs, &report->graph_inputs_count));
    LP_TRY(list_tensors(m, m->model->outputs, m->model->outputs_count,
                        &report->graph_outputs, &report->graph_outputs_count));
    LP_TRY(lpi_weights_charge(m->scratch, m->model, m->options.weights_as,
                              m->rows, &weights, m->error));
    LP_TRY(fill_memory(m));
    LP_TRY(fill_total(m));
    LP_TRY(fill_weights_as(m, &weights));
    LP_TRY(lpi_module_list(m->arena, report, m->error));
    return lpi_convention_list(m->arena, &weights, report, m->error);
}

/* What the model is called in its report. */
static const char *label(const lp_model *model, const char *wanted)
{
    if (wanted)
        return wanted;
    if (model->net)
        return model->net;
    return *model->path ? model->path : model->name;
}

lp_status lp_report_new(const lp_model *model, const lp_report_options *options,
                        lp_report **ret_report, lp_error *error)
{
    lp_report_options wanted = options ? *options : (lp_report_options){0};
    int64_t cap = lpi_arena_cap(model->arena);
    maker m = {.arena = lpi_arena_new(cap),
               .scratch = lpi_arena_new(cap),
               .model = model,
               .options = wanted,
               .error = error};
    holder *fresh = m.arena && m.scratch ? LPI_NEW(m.arena, holder, 1) : NULL;
    lp_status status = LP_OK;

    if (wanted.weights_as != LP_UNDEFINED && !lp_dtype_bits(wanted.weights_as))
        status = lpi_fail(error, LP_EINVALID, NULL,
                          "weights cannot be counted as %s",
                          lp_dtype_name(wanted.weights_as));
    else if (model->as_written)
        status = lpi_fail(error, LP_EINVALID, model->path,
                          "a model loaded as written has no costs");
    else if (!fresh)
        status = lpi_fail_memory(error);
    if (status == LP_OK) {
        m.report = &fresh->report;
        fresh->arena = m.arena;
        m.report->model = label(model, wanted.label);
        status = fill(&m);
    }
    lpi_arena_free(m.scratch);
    if (status == LP_OK)
        *ret_report = m.report;
    else
        lpi_arena_free(m.arena);
    return status;
}

void lp_report_free(lp_report *report)
{
    if (report)
        lpi_arena_free(((holder *)report)->arena);
}

/* ---- totals by name ----------------------------------------------------- */

/* A total that stands in the report itself. */
typedef struct total {
    const char *key;
    size_t offset;
} total;

static const total totals[] = {
    {"params", offsetof(lp_report, total.params)},
    {"quant_params", offsetof(lp_report, total.quant_params)},
    {"weight_bytes", offsetof(lp_report, total.weight_bytes)},
    {"macs_conv", offsetof(lp_report, total.macs_conv)},
    {"macs_linear", offsetof(lp_report, total.macs_linear)},
    {"macs_attention", offsetof(lp_report, total.macs_attention)},
    {"read_bytes", offsetof(lp_report, total.read_bytes)},
    {"write_bytes", offsetof(lp_report, total.write_bytes)},
    {"live_peak_bytes", offsetof(lp_report, live_peak_bytes)},
    {"layers", offsetof(lp_report, layers)},
};

bool lp_report_total(const lp_report *report, const char *key,
                     int64_t *ret_value)
{
    int32_t i;

    for (i = 0; i < LPI_COUNT(totals); i++) {
        if (strcmp(totals[i].key, key) != 0)
            continue;
        memcpy(ret_value, (const char *)report + totals[i].offset,
               sizeof(*ret_value));
        return true;
    }
    if (strcmp(key, "macs") == 0)
        *ret_value = lp_cost_macs(&report->total);
    else if (strcmp(key, "flops") == 0)
        *ret_value = lp_cost_flops(&report->total);
    else if (strcmp(key, "coverage_percent") == 0)
        *ret_value = report->layers ? report->known * 100 / report->layers
                                    : 100;
    else
        return false;
    return true;
}
