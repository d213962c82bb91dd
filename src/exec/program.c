/* program.c: the step interpreter: a graph run as a program says.
 *
 * Every memory of the program is a mapping of its own, of exactly the planned
 * size, between guard pages; tensors lie where their residencies say and
 * nowhere else.  Bytes pass from one memory to another in copy alone, which
 * counts them.  Dead bytes are poisoned when asked for. */
#include <string.h>

#include "exec.h"

/* Note that residency "residency" is touched. */
static void touch(lpi_frame *frame, int64_t residency)
{
    const lpi_residency *r = lpi_width_touch(frame, residency);
    int64_t end = r->offset + r->bytes;

    if (!frame->depth && !r->memory && end > frame->exec->counters.arena_bytes)
        frame->exec->counters.arena_bytes = end;
}

char *lpi_program_at(lpi_frame *frame, int64_t residency)
{
    const lpi_residency *r = &frame->program->residencies[residency];

    touch(frame, residency);
    return frame->memories[r->memory] + r->offset;
}

/* The staging residency of strided part "value" at unit "unit", or -1. */
static int64_t staging_of(const lpi_program *program, int64_t value,
                          int64_t unit)
{
    const lpi_use *use = &program->uses[unit];

    for (int32_t i = 0; i < use->buffers_count; i++) {
        const lpi_residency *r = &program->residencies[use->buffers[i]];

        if (r->kind == LPI_OF_STAGING && r->value == value)
            return use->buffers[i];
    }
    return -1;
}

lp_status lpi_program_address(lpi_frame *frame, int64_t value, int64_t unit,
                              char **ret_bytes, int64_t *ret_room)
{
    const lpi_program *program = frame->program;
    const lpi_value *v = &program->values[value];
    int64_t where = lpi_program_where(program, value, unit);
    int64_t room;

    if (v->blocks > 1 && unit < program->units_count) {
        int64_t staging = staging_of(program, value, unit);

        if (staging >= 0) {
            *ret_room = program->residencies[staging].bytes;
            *ret_bytes = lpi_program_at(frame, staging);
            return LP_OK;
        }
    }
    if (where < 0)
        return lpi_exec_fail(frame->exec,
                             "tensor '%.200s' is not in memory '%.100s' at run "
                             "%lld",
                             v->tensor->name, program->memories[0].name,
                             (long long)unit);
    room = program->residencies[where].bytes - v->root_offset;
    if (room < 0)
        return lpi_exec_fail(frame->exec,
                             "tensor '%.200s' lies outside its storage",
                             v->tensor->name);
    *ret_room = room;
    *ret_bytes = lpi_program_at(frame, where) + v->root_offset;
    return LP_OK;
}

/* Copy strided part "value" between its root and its staging buffer. */
static void move_part(lpi_frame *frame, int64_t value, int64_t unit,
                      bool to_root)
{
    const lpi_program *program = frame->program;
    const lpi_value *v = &program->values[value];
    int64_t staging = staging_of(program, value, unit);
    int64_t where = lpi_program_where(program, value, unit);
    char *packed, *strided;

    if (v->blocks <= 1 || staging < 0 || where < 0)
        return;
    packed = lpi_program_at(frame, staging);
    strided = lpi_program_at(frame, where) + v->root_offset;
    for (int64_t i = 0; i < v->blocks; i++) {
        char *block = packed + i * v->block_bytes;
        char *part = strided + i * v->stride_bytes;

        memcpy(to_root ? part : block, to_root ? block : part,
               (size_t)v->block_bytes);
    }
}

/* ---- steps ----------------------------------------------------------- */

/* The one place where bytes pass from memory to memory. */
static void copy(lpi_frame *frame, const lpi_step *step)
{
    const lpi_residency *from = &frame->program->residencies[step->from];
    const lpi_residency *to = &frame->program->residencies[step->to];
    int64_t bytes = from->bytes < to->bytes ? from->bytes : to->bytes;

    if (step->is_clean)
        return;
    memcpy(lpi_program_at(frame, step->to), lpi_program_at(frame, step->from),
           (size_t)bytes);
    from = lpi_width_touch(frame, step->from);
    to = lpi_width_touch(frame, step->to);
    frame->exec->counters.traffic_bytes += from->bytes < to->bytes ? from->bytes
                                                                   : to->bytes;
}

static void drop(lpi_frame *frame, const lpi_step *step)
{
    const lpi_residency *r = &frame->program->residencies[step->from];

    if (frame->exec->options->check_memory)
        lpi_poison(frame->memories[r->memory] + r->offset, r->bytes);
    lpi_width_drop(frame, step->from);
}

/* Let the slots of what unit "unit" reads point at its values. */
static lp_status bind_inputs(lpi_frame *frame, int64_t unit)
{
    const lpi_program *program = frame->program;
    const lpi_use *use = &program->uses[unit];

    for (int32_t i = 0; i < use->inputs_count; i++) {
        const lp_tensor *tensor = program->values[use->inputs[i]].tensor;
        int64_t room;
        char *at;

        LP_TRY(lpi_program_address(frame, use->inputs[i], unit, &at, &room));
        move_part(frame, use->inputs[i], unit, false);
        frame->slots[tensor->id].bytes = at;
    }
    return LP_OK;
}

static void unbind(lpi_frame *frame, int64_t unit)
{
    const lpi_program *program = frame->program;
    const lpi_use *use = &program->uses[unit];

    for (int32_t i = 0; i < use->outputs_count; i++) {
        const lp_tensor *tensor = program->values[use->outputs[i]].tensor;
        lpi_slot *slot = &frame->slots[tensor->id];

        if (program->units[unit].layer && slot->bytes)
            lpi_width_round_whole(frame, tensor, slot->shape, slot->bytes);
        move_part(frame, use->outputs[i], unit, true);
        slot->bytes = NULL;
    }
    for (int32_t i = 0; i < use->inputs_count; i++)
        frame->slots[program->values[use->inputs[i]].tensor->id].bytes = NULL;
}

static lp_status run_unit(lpi_frame *frame, int64_t unit)
{
    const lp_unit *u = &frame->program->units[unit];

    frame->unit = unit;
    LP_TRY(lpi_stream_begin(frame, unit));
    LP_TRY(bind_inputs(frame, unit));
    if (u->group)
        LP_TRY(lpi_group_run(frame, unit));
    else
        LP_TRY(lpi_exec_layer(frame, u->layer));
    unbind(frame, unit);
    lpi_stream_end(frame, unit);
    return LP_OK;
}

/* ---- ends ------------------------------------------------------------ */

/* The residency in which "value" begins, or ends, whatever the memory; -1. */
static int64_t outermost(const lpi_program *program, int64_t value, bool is_end)
{
    int64_t at = program->first_residency[program->values[value].root];
    int64_t best = at;

    for (; at >= 0; at = program->next_residency[at]) {
        const lpi_residency *r = &program->residencies[at];
        const lpi_residency *b = &program->residencies[best];

        if (is_end ? r->last > b->last : r->first < b->first)
            best = at;
    }
    return best;
}

lp_status lpi_program_end(lpi_frame *frame, int64_t value, bool is_end,
                          char **ret_bytes, int64_t *ret_room)
{
    const lpi_program *program = frame->program;
    const lpi_value *v = &program->values[value];
    int64_t at = outermost(program, value, is_end);

    if (at < 0 || v->blocks > 1 ||
        v->root_offset > program->residencies[at].bytes)
        return lpi_exec_fail(frame->exec,
                             "tensor '%.200s' is not resident as a whole at "
                             "the %s",
                             v->tensor->name, is_end ? "end" : "start");
    *ret_room = program->residencies[at].bytes - v->root_offset;
    *ret_bytes = lpi_program_at(frame, at) + v->root_offset;
    return LP_OK;
}

/* Let the slots of the outputs point at their values, after the last unit. */
static lp_status bind_outputs(lpi_frame *frame)
{
    const lpi_program *program = frame->program;

    for (int64_t i = 0; i < frame->model->outputs_count; i++) {
        int64_t value = program->output_values[i], room;
        char *at;

        if (value < 0)
            continue;
        LP_TRY(lpi_program_end(frame, value, true, &at, &room));
        frame->slots[frame->model->outputs[i]->id].bytes = at;
    }
    return LP_OK;
}

lp_status lpi_program_run(lpi_frame *frame)
{
    const lpi_program *program = frame->program;

    for (int64_t i = 0; i < program->steps_count; i++) {
        const lpi_step *step = &program->steps[i];

        switch (step->kind) {
        case LPI_STEP_RUN:
            LP_TRY(run_unit(frame, step->unit));
            break;
        case LPI_STEP_LOAD:
        case LPI_STEP_STORE:
            copy(frame, step);
            break;
        case LPI_STEP_DROP:
            drop(frame, step);
            break;
        }
    }
    return bind_outputs(frame);
}

lp_status lpi_frame_run(lpi_frame *frame)
{
    return frame->program ? lpi_program_run(frame) : lpi_heap_run(frame);
}
