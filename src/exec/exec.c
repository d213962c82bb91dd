/* exec.c: a run of a model from arrays to arrays.
 *
 * Before anything is computed, every node that cannot be run and every weight
 * that is absent are listed; so a run that begins can end. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"

enum {
    ARENA_CAP_GIB = 1,
    SCRATCH_CAP_GIB = 64,
    NAMES_BYTES = 560,
    REST_BYTES = 200,
    THREADS_MOST = 256
};

int64_t lpi_exec_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- what stands in the way ------------------------------------------ */

/* Names of nodes, or of weights, as many as one line takes, and the operators
 * of those that it does not. */
typedef struct names {
    lpi_text text, rest;
    int64_t count, more;
    bool is_cut; /* not all operators of the rest are there */
} names;

static void drop_names(names *list)
{
    lpi_text_drop(&list->text);
    lpi_text_drop(&list->rest);
}

/* Add what fits whole, and the first in any case. */
static void add_name(names *list, const char *name, const char *what)
{
    size_t length = list->text.length;
    char op[64];

    list->count++;
    if (!list->more) {
        lpi_text_put(&list->text, length ? ", " : "");
        lpi_text_escape(&list->text, name);
        if (what)
            lpi_text_printf(&list->text, " (%.60s)", what);
        if (list->text.failed || !length || list->text.length < NAMES_BYTES)
            return;
        list->text.length = length;
        list->text.bytes[length] = '\0';
    }
    snprintf(op, sizeof(op), " %.60s,", what ? what : "");
    list->more++;
    if (!what || (list->rest.bytes && strstr(list->rest.bytes, op)))
        return;
    if (list->rest.length < REST_BYTES)
        lpi_text_put(&list->rest, op);
    else
        list->is_cut = true;
}

/* Whether all results are at hand without a run: constants, folded ones. */
static bool all_known(const lp_layer *layer)
{
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (tensor && tensor->kind != LPI_CONSTANT &&
            (!tensor->value || tensor->value_is_bound))
            return false;
    }
    return layer->is_static;
}

/* Whether "layer" runs with "tensor" as an operand or a result: constant texts
 * may lack content, and few rows know bundles. */
static bool is_fit(const lp_layer *layer, const lp_tensor *tensor)
{
    return !tensor || !lpi_is_bundle(tensor) ||
           ((!tensor->is_static || tensor->payload.where == LPI_INLINE) &&
            (lpi_body_known(layer) ||
             (layer->row && layer->row->flags & LPI_BUNDLES)));
}

static bool can_run(const lp_layer *layer)
{
    if (all_known(layer))
        return true;
    for (int32_t i = 0; i < layer->inputs_count; i++)
        if (!is_fit(layer, layer->inputs[i]))
            return false;
    for (int32_t i = 0; i < layer->outputs_count; i++)
        if (!is_fit(layer, layer->outputs[i]))
            return false;
    return lpi_body_known(layer) || (layer->row && layer->row->run);
}

/* List the nodes of "model" and its bodies that cannot be run. */
static void list_unsupported(const lp_model *model, names *list, int32_t depth)
{
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        const lp_model *body;
        int32_t at = 0;

        if (!can_run(layer))
            add_name(list, layer->name, layer->op);
        while (depth < LPI_BODIES_DEEP && (body = lpi_next_body(layer, &at)))
            list_unsupported(body, list, depth + 1);
    }
}

/* List the weights of "model" and its bodies that have no content. */
static lp_status list_absent(lpi_exec *exec, const lp_model *model, names *list,
                             int32_t depth)
{
    for (int64_t i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];
        bool exists = true;

        if (tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT)
            LP_TRY(lpi_content_exists(exec, tensor, &exists));
        if (!exists)
            add_name(list, tensor->name, NULL);
    }
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            LP_TRY(list_absent(exec, body, list, depth + 1));
    }
    return LP_OK;
}

static lp_status refuse(lpi_exec *exec, names *list, lp_status status,
                        const char *one, const char *many, const char *advice)
{
    char more[40] = "";
    bool is_of = list->rest.length > 0;

    if (!list->count)
        return LP_OK;
    if (list->more)
        snprintf(more, sizeof(more), " and %lld more%s", (long long)list->more,
                 is_of ? ", of" : "");
    if (list->text.failed || list->rest.failed)
        status = lpi_fail_memory(exec->error);
    else
        lpi_fail(
            exec->error, status, exec->model->path, "%lld %s: %.600s%s%.*s%s%s",
            (long long)list->count, list->count == 1 ? one : many,
            list->text.bytes, more, is_of ? (int)list->rest.length - 1 : 0,
            is_of ? list->rest.bytes : "", list->is_cut ? ", ..." : "", advice);
    drop_names(list);
    return status;
}

static lp_status check_model(lpi_exec *exec)
{
    names list = {.count = 0};
    lp_status status;

    list_unsupported(exec->model, &list, 0);
    LP_TRY(refuse(exec, &list, LP_EUNSUPPORTED, "node cannot be run",
                  "nodes cannot be run", ""));
    if (exec->content.fills)
        return LP_OK;
    list = (names){.count = 0};
    status = list_absent(exec, exec->model, &list, 0);
    if (status != LP_OK) {
        drop_names(&list);
        return status;
    }
    return refuse(exec, &list, LP_EINPUT, "weight has no content",
                  "weights have no content",
                  "; --fill-weights SEED draws some");
}

/* ---- start and end --------------------------------------------------- */

static int32_t processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > THREADS_MOST ? THREADS_MOST : (int32_t)count;
}

void lpi_exec_open(const lp_model *model, const lp_run_options *options,
                   lpi_exec *ret_exec, lp_error *error)
{
    static const lp_load_options none = {.trips = 0};

    *ret_exec = (lpi_exec){
        .model = model,
        .options = options,
        .content = {.fills = options->fill_weights,
                    .seed = (uint64_t)options->fill_seed},
        .arena = lpi_arena_new((int64_t)ARENA_CAP_GIB << 30),
        .scratch = lpi_arena_new((int64_t)SCRATCH_CAP_GIB << 30),
        .threads = options->threads > 0 ? options->threads : processors(),
        .error = error,
    };
    ret_exec->context =
        (lpi_context){.options = &none, .scratch = ret_exec->scratch};
}

lp_status lpi_exec_start(lpi_exec *exec)
{
    const lp_model *model = exec->model;

    if (!exec->arena || !exec->scratch)
        return lpi_fail_memory(exec->error);
    if (exec->options->profile) {
        exec->profile = LPI_NEW(exec->arena, lpi_profile, model->layers_count);
        if (!exec->profile)
            return lpi_fail_memory(exec->error);
    }
    return check_model(exec);
}

void lpi_exec_end(lpi_exec *exec)
{
    lpi_buffer_trim(exec, INT64_MAX);
    lpi_content_close(exec);
    lpi_arena_free(exec->arena);
    lpi_arena_free(exec->scratch);
}

/* ---- steps ----------------------------------------------------------- */

void lpi_exec_tally(lpi_exec *exec, bool keeps)
{
    int64_t counted = lpi_macs_take();

    if (counted > 0 && keeps)
        exec->counters.loop_macs += counted;
}

lp_status lpi_exec_poll(const lpi_exec *exec, const char *name)
{
    const lp_run_options *options = exec->options;

    if (options->progress && !options->progress(options->progress_context,
                                                exec->done, exec->all, name))
        return lpi_fail(exec->error, LP_EINFEASIBLE, exec->model->path,
                        "stopped");
    return LP_OK;
}

lp_status lpi_exec_step(lpi_exec *exec, const char *name)
{
    exec->done++;
    return lpi_exec_poll(exec, name);
}

void lpi_exec_profile(lpi_frame *frame, const lp_layer *layer, int64_t start_ns,
                      bool is_first)
{
    lpi_profile *profile = frame->exec->profile;

    if (!profile || frame->depth)
        return;
    profile[layer->id].runs += is_first;
    profile[layer->id].time_ns += lpi_exec_now_ns() - start_ns;
}

lp_status lpi_exec_layer(lpi_frame *frame, const lp_layer *layer)
{
    int64_t start = lpi_exec_now_ns();

    if (!frame->depth)
        frame->exec->outermost = layer->id;
    LP_TRY(lpi_layer_run(frame, layer));
    lpi_exec_profile(frame, layer, start, true);
    return frame->depth ? lpi_exec_poll(frame->exec, layer->name)
                        : lpi_exec_step(frame->exec, layer->name);
}

/* ---- a run ----------------------------------------------------------- */

/* Put the inputs into buffers of the frame. */
static lp_status put_inputs(lpi_frame *frame, const lp_array *const *inputs)
{
    for (int64_t i = 0; i < frame->model->inputs_count; i++)
        if (inputs[i])
            LP_TRY(lpi_copy_in(frame, frame->model->inputs[i], inputs[i]));
    return LP_OK;
}

/* Copy the outputs of the graph into new arrays. */
static lp_status take_outputs(lpi_frame *frame, lp_array **ret_outputs)
{
    for (int64_t i = 0; i < frame->model->outputs_count; i++)
        LP_TRY(lpi_copy_out(frame, frame->model->outputs[i], &ret_outputs[i]));
    return LP_OK;
}

/* Map the memories of the program, run it, and take its outputs. */
static lp_status run_placed(lpi_frame *frame, lpi_region *regions,
                            const lp_array *const *inputs,
                            lp_array **ret_outputs)
{
    const lpi_program *program = frame->program;
    lpi_exec *exec = frame->exec;
    char **bases = LPI_NEW(frame->arena, char *, program->memories_count);
    int64_t most = exec->options->max_memory_bytes, sum = 0;

    if (!bases)
        return lpi_fail_memory(exec->error);
    for (int64_t i = 0; i < program->memories_count; i++)
        sum = lpi_add(sum, program->arena_bytes[i]);
    if (most > 0 && sum > most)
        return lpi_fail(exec->error, LP_EUNSUPPORTED, exec->model->path,
                        "the arena takes %lld bytes, --max-memory allows %lld",
                        (long long)sum, (long long)most);
    for (int64_t i = 0; i < program->memories_count; i++) {
        LP_TRY(lpi_region_map(program->arena_bytes[i],
                              program->memories[i].alignment, &regions[i],
                              exec->error));
        bases[i] = regions[i].base;
        if (exec->options->check_memory || exec->widths.planned)
            lpi_poison(bases[i], regions[i].size);
    }
    frame->memories = bases;
    LP_TRY(put_inputs(frame, inputs));
    for (int64_t i = 0; i < exec->model->inputs_count; i++) {
        const lp_tensor *tensor = exec->model->inputs[i];
        lpi_slot *slot = &frame->slots[tensor->id];

        if (inputs[i] && slot->bytes)
            lpi_width_round_whole(frame, tensor, slot->shape, slot->bytes);
    }
    LP_TRY(lpi_program_run(frame));
    LP_TRY(take_outputs(frame, ret_outputs));
    for (int64_t i = 0; i < program->memories_count; i++)
        if (!lpi_region_whole(&regions[i]))
            return lpi_exec_fail(exec,
                                 "memory '%.100s' was written past its "
                                 "end",
                                 program->memories[i].name);
    return LP_OK;
}

static lp_status run_frame(lpi_frame *frame, const lp_array *const *inputs,
                           lp_array **ret_outputs)
{
    int64_t memories = frame->program ? frame->program->memories_count : 0;
    lpi_exec *exec = frame->exec;
    lpi_region *regions;
    lp_status status;

    LP_TRY(lpi_frame_start(exec, exec->model, NULL, frame));
    if (!frame->program) {
        LP_TRY(put_inputs(frame, inputs));
        LP_TRY(lpi_heap_run(frame));
        return take_outputs(frame, ret_outputs);
    }
    regions = LPI_NEW(exec->arena, lpi_region, memories);
    if (!regions)
        return lpi_fail_memory(exec->error);
    status = run_placed(frame, regions, inputs, ret_outputs);
    for (int64_t i = 0; i < memories; i++)
        lpi_region_unmap(&regions[i]);
    return status;
}

lp_status lpi_exec_run(lpi_exec *exec, const lpi_program *program,
                       const lp_array *const *inputs, lp_array **ret_outputs)
{
    lpi_frame frame = {.exec = exec, .program = program};
    int64_t outputs = exec->model->outputs_count;
    lp_status status = LP_OK;

    memset(&exec->counters, 0, sizeof(exec->counters));
    exec->widths = (lpi_widths){.planned = NULL};
    lpi_exec_tally(exec, false);
    if (program && program->schedule->precisions_count)
        status = lpi_width_start(exec, program, &frame.program);
    if (status == LP_OK)
        status = run_frame(&frame, inputs, ret_outputs);
    lpi_exec_tally(exec, true);
    if (LPI_COUNTS_MACS)
        exec->counters.macs = exec->counters.loop_macs;
    lpi_frame_end(&frame);
    lpi_buffer_trim(exec, INT64_MAX);
    exec->content.kept_bytes = 0;
    for (int64_t i = 0; status != LP_OK && i < outputs; i++) {
        lp_array_free(ret_outputs[i]);
        ret_outputs[i] = NULL;
    }
    return status;
}
