/* case.c: ONNX's backend tests: a model, and folders of inputs and outputs.
 *
 * A case passes when every data set gives the stored outputs; it is skipped
 * when it cannot be read or run, and fails when a result differs. */
#include <string.h>
#include <unistd.h>

#include "api.h"

enum { SETS_MOST = 1000, OPERANDS_MOST = 1000 };

/* One data set of a case. */
typedef struct set {
    lp_array *inputs[OPERANDS_MOST], *outputs[OPERANDS_MOST];
    lp_given given[OPERANDS_MOST];
    lp_input_shape shapes[OPERANDS_MOST];
    int64_t inputs_count, outputs_count;
    size_t given_count, shapes_count;
} set;

/* What the case of a raw model gives, or stores, as file "i". */
static const lp_tensor *tensor_of(const lp_model *model, bool is_input,
                                  int64_t i)
{
    if (!is_input)
        return i < model->outputs_count ? model->outputs[i] : NULL;
    for (int64_t k = 0; k < model->inputs_count; k++)
        if (model->inputs[k]->kind == LPI_INPUT && i-- == 0)
            return model->inputs[k];
    return NULL;
}

/* Read the inputs (input_0.pb, ...) or outputs of "model" in the folder
 * "path" into "arrays". */
static lp_status read_arrays(const char *path, const lp_model *model,
                             bool is_input, lp_array **arrays,
                             int64_t *ret_count, lp_error *error)
{
    size_t size = strlen(path) + 64;
    char *name = lpi_alloc(size);
    lp_status status = LP_OK;

    *ret_count = 0;
    if (!name)
        return lpi_fail_memory(error);
    while (*ret_count < OPERANDS_MOST && status == LP_OK) {
        snprintf(name, size, "%s/%s_%lld.pb", path,
                 is_input ? "input" : "output", (long long)*ret_count);
        if (access(name, F_OK) != 0)
            break;
        status = lpi_array_read(name, tensor_of(model, is_input, *ret_count),
                                &arrays[*ret_count], error);
        *ret_count += status == LP_OK;
    }
    lpi_free(name);
    return status;
}

static void free_set(set *s)
{
    for (int64_t i = 0; i < s->inputs_count; i++)
        lp_array_free(s->inputs[i]);
    for (int64_t i = 0; i < s->outputs_count; i++)
        lp_array_free(s->outputs[i]);
    lpi_free(s);
}

/* Give the inputs of "model" the arrays of "s", in order. */
static void name_inputs(const lp_model *model, set *s)
{
    int64_t count = 0;

    for (int64_t i = 0; i < model->inputs_count && count < s->inputs_count;
         i++) {
        const char *name = model->inputs[i]->name;

        if (model->inputs[i]->kind != LPI_INPUT)
            continue;
        s->given[count] = (lp_given){name, s->inputs[count]};
        if (model->inputs[i]->declared &&
            model->inputs[i]->declared->container == LPI_TENSOR)
            s->shapes[s->shapes_count++] = (lp_input_shape){
                .input = name, .shape = s->inputs[count]->shape};
        count++;
    }
    s->given_count = (size_t)count;
}

/* Read the model at "path", and the arrays of "folder" into "s", and settle it
 * for their shapes. */
static lp_status load(const char *path, const char *folder, set *s,
                      lp_model **ret_model, lp_error *error)
{
    lp_load_options options = {.shapes = s->shapes};
    lp_model *model;
    lp_status status;

    LP_TRY(lpi_onnx_read(path, 0, &model, error));
    status =
        read_arrays(folder, model, true, s->inputs, &s->inputs_count, error);
    if (status == LP_OK)
        status = read_arrays(folder, model, false, s->outputs,
                             &s->outputs_count, error);
    if (status == LP_OK) {
        name_inputs(model, s);
        options.shapes_count = s->shapes_count;
        status = lpi_model_settle(model, &options, error);
    }
    if (status != LP_OK)
        lp_model_free(model);
    else
        *ret_model = model;
    return status;
}

/* Compare the outputs of "run" with those of "s", which must be as many;
 * "reason" says what differs, "" when nothing does. */
static lp_status judge(const lp_run *run, const set *s,
                       const lp_tolerance *tolerance, lpi_text *reason,
                       lp_error *error)
{
    if (s->outputs_count != run->outputs_count)
        return lpi_fail(
            error, LP_EINPUT, NULL, "stores %lld outputs, the model has %lld",
            (long long)s->outputs_count, (long long)run->outputs_count);
    for (int64_t i = 0; i < s->outputs_count; i++) {
        lp_difference difference;
        char extent[100];

        LP_TRY(lp_array_compare(run->outputs[i], s->outputs[i], tolerance,
                                &difference, error));
        if (difference.same || reason->length)
            continue;
        lpi_text_put(reason, "output '");
        lpi_text_escape(reason, run->output_names[i]);
        lpi_difference_print(&difference, extent, sizeof(extent));
        lpi_text_printf(reason, "' %s%s", difference.message, extent);
    }
    return LP_OK;
}

/* Run the data set in the folder "path". */
static lp_status run_set(const char *model_path, const char *path, set *s,
                         const lp_run_options *options,
                         const lp_tolerance *tolerance, lpi_text *reason,
                         lp_error *error)
{
    lp_run_options own = {.inputs = s->given};
    lp_model *model = NULL;
    lp_run *run = NULL;
    lp_status status;

    if (options)
        own = *options;
    own.inputs = s->given;
    LP_TRY(load(model_path, path, s, &model, error));
    own.inputs_count = s->given_count;
    status = lp_model_run(model, &own, &run, error);
    if (status == LP_OK) {
        status = judge(run, s, tolerance, reason, error);
        if (!reason->length && run->results == LP_RESULTS_DIFFERENT)
            lpi_text_put(reason, run->difference);
    }
    lp_run_free(run);
    lp_model_free(model);
    return status;
}

/* Run all data sets of the case "path", until one differs. */
static lp_status run_sets(const char *path, const lp_run_options *options,
                          const lp_tolerance *tolerance, lpi_text *reason,
                          lp_error *error)
{
    size_t size = strlen(path) + 64;
    char *model = lpi_alloc(size), *folder = lpi_alloc(size);
    lp_status status = model && folder ? LP_OK : lpi_fail_memory(error);
    int64_t i;

    for (i = 0; i < SETS_MOST && status == LP_OK && !reason->length; i++) {
        set *s;

        snprintf(model, size, "%s/model.onnx", path);
        snprintf(folder, size, "%s/test_data_set_%lld", path, (long long)i);
        if (access(folder, F_OK) != 0)
            break;
        s = lpi_alloc(sizeof(*s));
        if (s) {
            memset(s, 0, sizeof(*s));
            status =
                run_set(model, folder, s, options, tolerance, reason, error);
            free_set(s);
        } else {
            status = lpi_fail_memory(error);
        }
    }
    if (status == LP_OK && i == 0)
        status = lpi_fail(error, LP_EINPUT, path,
                          "is no case: it has no test_data_set_0");
    lpi_free(model);
    lpi_free(folder);
    return status;
}

lp_status lp_case_run(const char *path, const lp_run_options *options,
                      const lp_tolerance *tolerance, lp_verdict *ret_verdict,
                      char **ret_reason, lp_error *error)
{
    lp_error local = {.status = LP_OK};
    lpi_text reason = {0};
    lp_verdict verdict = LP_PASS;
    lp_status status = run_sets(path, options, tolerance, &reason, &local);
    size_t length;

    if (status == LP_ENOMEM || (status == LP_EINFEASIBLE)) {
        lpi_text_drop(&reason);
        if (error)
            *error = local;
        return status;
    }
    if (status == LP_OK && reason.length)
        verdict = LP_FAIL;
    if (status != LP_OK) {
        verdict = LP_SKIP;
        reason.length = 0;
        lpi_text_put(&reason, local.message);
    }
    lpi_text_put(&reason, "");
    LP_TRY(lpi_text_take(&reason, ret_reason, &length, error));
    *ret_verdict = verdict;
    return LP_OK;
}
