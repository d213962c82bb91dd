/* exec.c: a run of a model from arrays to arrays. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"

enum { ARENA_CAP_GIB = 1, SCRATCH_CAP_GIB = 64, THREADS_MOST = 256 };

int64_t lpi_exec_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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
    return lpi_exec_check(exec);
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
