/* run.c: running a model: inputs given or drawn, once as the schedule says
 * and once layer by layer on the heap, the results compared byte by byte. */
#include "api.h"

/* A run and the memory behind it. */
typedef struct holder {
    lp_run run;
    lpi_arena *arena;
} holder;

typedef lpi_job job;

/* ---- the program ----------------------------------------------------- */

/* Whether every value of the model is a plain tensor of known shape, which is
 * what plans are made of. */
static bool is_plannable(const lp_model *model)
{
    for (int64_t i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];

        if (!tensor->is_static &&
            (tensor->container != LPI_TENSOR || tensor->dtype == LP_STRING ||
             !lpi_shape_known(tensor->shape)))
            return false;
    }
    return true;
}

/* Scales in files are read with the file of the schedule. */
static lp_status check_widths(const lp_schedule *schedule, lp_error *error)
{
    for (int64_t i = 0; i < schedule->precisions_count; i++)
        if (schedule->precisions[i].file && !schedule->precisions[i].scales)
            return lpi_fail(error, LP_EUNSUPPORTED, schedule->name,
                            "the scales of '%.200s' stand in a file that was "
                            "not read: it cannot be run",
                            schedule->precisions[i].tensor->name);
    return LP_OK;
}

/* Whether values are rounded to what is stored. */
static bool is_rounded(const lp_schedule *schedule)
{
    for (int64_t i = 0; schedule && i < schedule->precisions_count; i++)
        if (!schedule->precisions[i].is_assumed)
            return true;
    return false;
}

/* Lower the schedule, or the baseline; "*ret_program" is NULL when nothing
 * can be planned because shapes depend on data. */
static lp_status make_program(job *j, lp_schedule **ret_baseline,
                              lpi_program **ret_program)
{
    lpi_program *program = LPI_NEW(j->arena, lpi_program, 1);
    const lp_schedule *schedule = j->options->schedule;
    lp_error local = {.status = LP_OK};
    lp_status status = LP_OK;

    *ret_program = NULL;
    if (!program)
        return lpi_fail_memory(j->error);
    if (!schedule && !is_plannable(j->model))
        return LP_OK;
    if (!schedule) {
        status = lpi_schedule_baseline(j->model, NULL, ret_baseline, &local);
        schedule = *ret_baseline;
    }
    if (status == LP_OK)
        status = check_widths(schedule, &local);
    if (status == LP_OK)
        status = lpi_program_lower(j->arena, schedule, program, NULL, &local);
    if (status == LP_OK)
        status = lpi_program_check(program, NULL, &local);
    if (status == LP_OK) {
        *ret_program = program;
        j->run->predicted = program->predictions;
        j->run->widths = schedule->precisions_count;
        j->run->is_placed = true;
        return LP_OK;
    }
    if (!j->options->schedule && status == LP_EUNSUPPORTED)
        return LP_OK;
    if (j->error)
        *j->error = local;
    return status;
}

/* ---- results --------------------------------------------------------- */

static lp_status compare(job *j)
{
    const lp_tolerance exact = {.bytes = true};
    lp_run *run = j->run;
    lpi_distances sums = {0};

    run->results = LP_RESULTS_EQUAL;
    for (int64_t i = 0; i < run->outputs_count; i++) {
        lp_difference difference;

        LP_TRY(lp_array_compare(j->outputs[i], j->again[i], &exact, &difference,
                                j->error));
        lpi_distance_add(&sums, j->outputs[i], j->again[i]);
        if (difference.same || run->results == LP_RESULTS_DIFFERENT)
            continue;
        run->results = LP_RESULTS_DIFFERENT;
        snprintf(run->difference, sizeof(run->difference),
                 "output '%.200s': %.250s", run->output_names[i],
                 difference.message);
    }
    if (run->results == LP_RESULTS_DIFFERENT &&
        is_rounded(j->options->schedule)) {
        run->results = LP_RESULTS_QUANTIZED;
        run->distance = lpi_distance_of(&sums);
        run->difference[0] = '\0';
    }
    return LP_OK;
}

/* What was measured, beside what analyze counts. */
static lp_status list_layers(job *j, const lpi_exec *exec)
{
    const lp_model *model = j->model;
    lp_run_layer *layers = LPI_NEW(j->arena, lp_run_layer, model->layers_count);

    if (!layers)
        return lpi_fail_memory(j->error);
    j->run->layers = layers;
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        const lpi_profile *profile = &exec->profile[i];
        lp_row_status status = LP_EXACT;
        lp_cost cost = {0};

        if (!profile->runs)
            continue;
        LP_TRY(lpi_layer_cost(model, layer, &cost, &status, j->error));
        layers[j->run->layers_count++] = (lp_run_layer){
            .name = layer->name,
            .op = layer->op,
            .runs = profile->runs,
            .time_ns = profile->time_ns,
            .macs = profile->macs,
            .flops = profile->flops,
            .moved_bytes = profile->bytes,
            .counted_macs = lp_cost_macs(&cost),
            .counted_flops = lp_cost_flops(&cost),
            .counted_bytes = lpi_add(cost.read_bytes, cost.write_bytes),
        };
    }
    return LP_OK;
}

/* Zero the bits of the last byte of each of "outputs" that no element takes,
 * where elements are packed below eight bits: kernels leave them as they are.
 */
static void clear_padding(const job *j, lp_array *const *outputs)
{
    for (int64_t i = 0; i < j->run->outputs_count; i++) {
        const lp_array *array = outputs[i];
        int64_t bits = lpi_shape_elements(array->shape) *
                       lp_dtype_bits(array->dtype) % 8;

        if (bits && !lpi_array_is_bundle(array))
            ((uint8_t *)array->bytes)[array->size_bytes - 1] &=
                (uint8_t)((1 << bits) - 1);
    }
}

static lp_status run_once(job *j, lpi_exec *exec, const lpi_program *program)
{
    lp_run *run = j->run;
    int64_t start = lpi_exec_now_ns();

    LP_TRY(lpi_exec_run(exec, program, j->inputs, j->outputs));
    clear_padding(j, j->outputs);
    run->time_ns = lpi_exec_now_ns() - start;
    run->measured = (lp_measured){
        .arena_bytes = program ? exec->counters.arena_bytes
                               : exec->counters.heap_peak_bytes,
        .traffic_bytes = exec->counters.traffic_bytes,
        .macs = exec->counters.macs,
    };
    run->is_estimated = exec->counters.is_estimated;
    run->weights_peak_bytes = exec->content.flight_peak_bytes;
    return exec->profile ? list_layers(j, exec) : LP_OK;
}

/* Run without a program, to compare with. */
static lp_status run_plain(job *j, lpi_exec *exec)
{
    lp_status status = lpi_exec_run(exec, NULL, j->inputs, j->again);
    lp_error why;

    if (status == LP_OK)
        clear_padding(j, j->again);
    if (status != LP_EUNSUPPORTED)
        return status;
    why = *j->error;
    return lpi_fail(j->error, status, why.where,
                    "the run to compare with, layer by layer: %s", why.message);
}

static lp_status run_all(job *j, lpi_exec *exec, const lpi_program *program)
{
    bool compares = program &&
                    (j->options->schedule || j->options->check_memory);

    exec->all = 0;
    for (int64_t i = 0; i < j->model->layers_count; i++)
        exec->all += !j->model->layers[i]->is_static;
    if (j->options->schedule && program)
        exec->all += program->units_count;
    else if (compares)
        exec->all *= 2;
    LP_TRY(run_once(j, exec, program));
    if (!compares)
        return LP_OK;
    exec->profile = NULL;
    LP_TRY(run_plain(j, exec));
    return compare(j);
}

/* ---- a job ----------------------------------------------------------- */

static lp_status make_room(job *j)
{
    const lp_model *model = j->model;
    const char **names = LPI_NEW(j->arena, const char *, model->outputs_count);

    j->inputs = LPI_NEW(j->arena, const lp_array *, model->inputs_count);
    j->drawn = LPI_NEW(j->arena, lp_array *, model->inputs_count);
    j->outputs = LPI_NEW(j->arena, lp_array *, model->outputs_count);
    j->again = LPI_NEW(j->arena, lp_array *, model->outputs_count);
    if (!names || !j->inputs || !j->drawn || !j->outputs || !j->again)
        return lpi_fail_memory(j->error);
    for (int64_t i = 0; i < model->outputs_count; i++)
        names[i] = model->outputs[i]->name;
    j->run->output_names = names;
    j->run->outputs = j->outputs;
    j->run->outputs_count = model->outputs_count;
    return LP_OK;
}

static lp_status prepare_and_run(job *j)
{
    lp_schedule *baseline = NULL;
    lpi_program *program = NULL;
    lpi_exec exec;
    lp_status status;

    LP_TRY(make_room(j));
    lpi_exec_open(j->model, j->options, &exec, j->error);
    status = lpi_exec_start(&exec);
    if (status == LP_OK)
        status = lpi_job_inputs(j);
    if (status == LP_OK)
        status = make_program(j, &baseline, &program);
    if (status == LP_OK)
        status = run_all(j, &exec, program);
    lpi_exec_end(&exec);
    lp_schedule_free(baseline);
    for (int64_t i = 0; i < j->model->inputs_count; i++)
        lp_array_free(j->drawn[i]);
    for (int64_t i = 0; i < j->model->outputs_count; i++)
        lp_array_free(j->again[i]);
    return status;
}

lp_status lp_model_run(const lp_model *model, const lp_run_options *options,
                       lp_run **ret_run, lp_error *error)
{
    static const lp_run_options none = {.seed = 0};
    lpi_arena *arena = lpi_arena_new((int64_t)4 << 30);
    holder *own = arena ? LPI_NEW(arena, holder, 1) : NULL;
    lp_error local = {.status = LP_OK};
    lp_status status;
    job j = {
        .model = model,
        .options = options ? options : &none,
        .arena = arena,
        .error = error ? error : &local,
    };

    if (!own) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    own->arena = arena;
    j.run = &own->run;
    status = prepare_and_run(&j);
    if (status != LP_OK) {
        lp_run_free(&own->run);
        return status;
    }
    *ret_run = &own->run;
    return LP_OK;
}

void lp_run_free(lp_run *run)
{
    holder *own = (holder *)run;

    if (!run)
        return;
    for (int64_t i = 0; run->outputs && i < run->outputs_count; i++)
        lp_array_free(run->outputs[i]);
    lpi_arena_free(own->arena);
}
