/* samples.c: every sample of every row of every family.
 *
 * None can be forgotten: a row without a sample fails.  Each sample must
 * settle and hold a layer of its row, every layer must be counted (exactly or
 * by a bound) with output shapes that are known, and its text form must read
 * back as the same text with the same report.  With --list the rows are told
 * instead, for the manual (tests/arch/operators.sh). */
#include <stdlib.h>
#include <string.h>

#include "../../src/ops/ops.h"

static int tests, failures;

/* What is wrong with the sample at hand; "" while nothing is. */
static char complaint[4096];

static bool complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static bool complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(complaint, sizeof(complaint), format, arguments);
    va_end(arguments);
    return false;
}

static bool complain_error(const char *what, const lp_error *error)
{
    return complain("%s: %s: %s", what, error->where, error->message);
}

/* Whether "model", or a body in it, has a layer of "row". */
static bool has_layer(const lp_model *model, const lp_op *row)
{
    int64_t i;
    int32_t k;

    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        if (layer->row == row)
            return true;
        for (k = 0; k < layer->attrs_count; k++)
            if (layer->attrs[k].kind == LPI_ATTR_BODY &&
                has_layer(layer->attrs[k].body, row))
                return true;
    }
    return false;
}

/* Every output of every layer of "model" has a dtype and a shape. */
static bool shapes_are_known(const lp_model *model)
{
    int64_t i;
    int32_t k;

    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        for (k = 0; k < layer->outputs_count; k++) {
            const lp_tensor *out = layer->outputs[k];

            if (!out || out->container != LPI_TENSOR)
                continue;
            if (out->dtype == LP_UNDEFINED || !lpi_shape_known(out->shape))
                return complain("'%s' has no known type", out->name);
        }
    }
    return true;
}

static bool rows_are_counted(const lp_report *report)
{
    int64_t i;

    for (i = 0; i < report->rows_count; i++) {
        const lp_row *row = &report->rows[i];

        if (row->status == LP_UNKNOWN)
            return complain("layer '%s' (%s) is unknown: %s", row->name,
                            row->op, row->note ? row->note : "");
        if (row->status == LP_ESTIMATED && !row->note)
            return complain("layer '%s' does not say why it is estimated",
                            row->name);
    }
    return true;
}

/* The report of "model" as a text, or NULL; also checked. */
static char *report_of(const lp_model *model)
{
    const lp_report_options options = {.label = "sample"};
    const lp_view view = {.format = LP_FORMAT_JSON, .all = true};
    lp_report *report = NULL;
    lp_error error;
    char *text = NULL;

    if (lp_report_new(model, &options, &report, &error) != LP_OK) {
        complain_error("report", &error);
        return NULL;
    }
    if (rows_are_counted(report) &&
        lp_report_write(report, &view, &text, NULL, &error) != LP_OK)
        complain_error("JSON", &error);
    lp_report_free(report);
    return text;
}

/* "model" read again from its text form gives the same text and report. */
static bool round_trips(const lp_model *model, const char *report)
{
    char *first = NULL, *second = NULL, *again = NULL;
    lp_model *copy = NULL;
    lp_error error;
    size_t length;

    if (lp_model_dump(model, &first, &length, &error) != LP_OK)
        return complain_error("dump", &error);
    if (lp_model_read(first, length, "dump", NULL, &copy, &error) != LP_OK)
        complain_error(first, &error);
    else if (lp_model_dump(copy, &second, NULL, &error) != LP_OK)
        complain_error("second dump", &error);
    else if (strcmp(first, second) != 0)
        complain("dumps differ:\n%s\n%s", first, second);
    else if ((again = report_of(copy)) && strcmp(report, again) != 0)
        complain("reports differ:\n%s\n%s", report, again);
    lp_model_free(copy);
    lp_text_free(first);
    lp_text_free(second);
    lp_text_free(again);
    return !complaint[0];
}

static bool check_model(const lp_model *model, const lp_op *row)
{
    char *report;
    bool good;

    if (!has_layer(model, row))
        return complain("it holds no layer of this row");
    if (!shapes_are_known(model))
        return false;
    report = report_of(model);
    good = report && round_trips(model, report);
    lp_text_free(report);
    return good;
}

static bool check_sample(const lp_op *row, const char *text, size_t length)
{
    lp_model *model = NULL;
    lp_error error;
    bool good;

    complaint[0] = '\0';
    if (lp_model_read(text, length, "sample", NULL, &model, &error) != LP_OK)
        return complain_error("read", &error);
    good = check_model(model, row);
    lp_model_free(model);
    return good;
}

/* One test line; "n" counts the samples of "row" from 1. */
static void tell(bool good, const lp_op *row, int n)
{
    const char *line = complaint;

    failures += !good;
    printf("%sok %d - %s%s%s sample %d\n", good ? "" : "not ", ++tests,
           row->domain, row->domain[0] ? "." : "", row->name, n);
    while (!good && *line) {
        size_t length = strcspn(line, "\n");

        printf("# %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void check_row(const lp_op *row)
{
    const char *at = row->samples;
    int n = 0;

    if (!at || !*at) {
        complain("this row has no sample");
        tell(false, row, 0);
        return;
    }
    while (at) {
        const char *end = strstr(at, "\n---");
        size_t length = end ? (size_t)(end - at) : strlen(at);

        tell(check_sample(row, at, length), row, ++n);
        at = end ? end + strlen("\n---") : NULL;
    }
}

/* Whether "row" runs: itself, as what defines it, as a body of the executor, or
 * as content. */
static bool runs(const lp_op *row)
{
    const lpi_spec *spec = row->specs;

    while (spec && spec->name && spec->kind != LPI_ATTR_BODY)
        spec++;
    return row->run || row->cost == lpi_defined_cost || (spec && spec->name) ||
           !strcmp(row->name, "Constant");
}

/* Domain, name, oldest opset, whether it runs and can be cut, of all rows. */
static void list_rows(void)
{
    const lp_op *const *family;
    const lp_op *row;

    for (family = lpi_families; *family; family++)
        for (row = *family; row->name; row++)
            printf("%s\t%s\t%d\t%s\t%s\n",
                   row->domain[0] ? row->domain : "ai.onnx", row->name,
                   (int)row->since, runs(row) ? "yes" : "no",
                   row->tile ? "yes" : "no");
}

int main(int argc, char **argv)
{
    const lp_op *const *family;
    const lp_op *row;

    if (argc > 1 && !strcmp(argv[1], "--list")) {
        list_rows();
        return 0;
    }
    for (family = lpi_families; *family; family++)
        for (row = *family; row->name; row++)
            check_row(row);
    printf("1..%d\n", tests);
    return failures > 0;
}
