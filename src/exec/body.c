/* body.c: layers with bodies, which run in frames of their own; If, and
 * definitions.
 *
 * Where the layer has planned workspace, the body runs in it as the program
 * that the workspace was sized by; else on the heap.  Source: ONNX operator
 * If-25. */
#include <string.h>

#include "exec.h"

bool lpi_body_known(const lp_layer *layer)
{
    return layer->definition ||
           (!*layer->domain &&
            (!strcmp(layer->op, "If") || !strcmp(layer->op, "Loop") ||
             !strcmp(layer->op, "SequenceMap") || !strcmp(layer->op, "Scan")));
}

lp_model *lpi_body_of(const lp_layer *layer, const char *name)
{
    for (int32_t i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, name) &&
            layer->attrs[i].kind == LPI_ATTR_BODY)
            return layer->attrs[i].body;
    return NULL;
}

/* A copy of what "tensor" of "frame" holds. */
lp_status lpi_copy_out(lpi_frame *frame, const lp_tensor *tensor,
                       lp_array **ret_array)
{
    int64_t mark = lpi_content_mark(frame->exec);
    const void *bytes;
    lp_shape shape;
    lp_array *array;

    LP_TRY(lpi_check_bundle(frame, tensor));
    LP_TRY(lpi_frame_get(frame, tensor, &bytes, &shape));
    array = lpi_is_bundle(tensor) ? lpi_array_of_bundle(bytes)
                                  : lpi_array_new(tensor->dtype, shape);
    if (!array)
        return lpi_fail_memory(frame->exec->error);
    if (!lpi_is_bundle(tensor))
        memcpy(array->bytes, bytes, (size_t)array->size_bytes);
    lpi_content_release(frame->exec, mark);
    *ret_array = array;
    return LP_OK;
}

/* Give "tensor" (NULL: absent) of "frame" the content of "array". */
lp_status lpi_copy_in(lpi_frame *frame, const lp_tensor *tensor,
                      const lp_array *array)
{
    void *bytes;

    if (!tensor)
        return LP_OK;
    if (lpi_is_bundle(tensor) || lpi_array_is_bundle(array))
        return lpi_frame_bundle(
            frame, tensor, lpi_array_is_bundle(array) ? array->bytes : NULL);
    LP_TRY(lpi_frame_put(frame, tensor, array->shape, &bytes));
    memcpy(bytes, array->bytes, (size_t)array->size_bytes);
    return LP_OK;
}

/* The first element of operand "i" of "layer" as an integer, or "absent". */
lp_status lpi_read_int(lpi_frame *frame, const lp_layer *layer, int32_t i,
                       int64_t absent, int64_t *ret_value)
{
    const lp_tensor *tensor = i < layer->inputs_count ? layer->inputs[i] : NULL;
    const void *bytes;
    lp_shape shape;

    *ret_value = absent;
    if (!tensor)
        return LP_OK;
    LP_TRY(lpi_frame_get(frame, tensor, &bytes, &shape));
    if (lpi_shape_elements(shape) != 1 ||
        (tensor->dtype != LP_BOOL && tensor->dtype != LP_INT64))
        return lpi_exec_fail(frame->exec,
                             "layer '%.200s': input %d is no single number",
                             layer->name, i);
    if (tensor->dtype == LP_BOOL)
        *ret_value = *(const uint8_t *)bytes != 0;
    else
        memcpy(ret_value, bytes, sizeof(*ret_value));
    return LP_OK;
}

/* ---- workspace ------------------------------------------------------- */

/* The residency of the workspace of "layer" at the unit that runs, or -1. */
static int64_t workspace_of(const lpi_frame *frame, const lp_layer *layer)
{
    const lpi_use *use;

    if (!frame->program || frame->unit < 0)
        return -1;
    use = &frame->program->uses[frame->unit];
    for (int32_t i = 0; i < use->buffers_count; i++) {
        const lpi_residency *r = &frame->program->residencies[use->buffers[i]];

        if (r->kind == LPI_OF_WORKSPACE && r->layer == layer)
            return use->buffers[i];
    }
    return -1;
}

lp_status lpi_body_place(lpi_frame *frame, const lp_layer *layer,
                         const lp_model *body, lpi_frame *inner)
{
    int64_t workspace = workspace_of(frame, layer);
    lpi_arena *arena = frame->shadow;
    lpi_program *program;
    char **memories;

    if (workspace < 0)
        return LP_OK;
    program = LPI_NEW(arena, lpi_program, 1);
    memories = LPI_NEW(arena, char *, 1);
    if (!program || !memories)
        return lpi_fail_memory(frame->exec->error);
    LP_TRY(lpi_program_body(arena, body, program, frame->exec->error));
    if (program->memories_count != 1 ||
        program->arena_bytes[0] > frame->program->residencies[workspace].bytes)
        return lpi_exec_fail(frame->exec,
                             "layer '%.200s': its body takes more than the "
                             "workspace",
                             layer->name);
    memories[0] = lpi_program_at(frame, workspace);
    inner->program = program;
    inner->memories = memories;
    return LP_OK;
}

/* ---- If -------------------------------------------------------------- */

static lp_status run_branch(lpi_frame *frame, const lp_layer *layer,
                            const lp_model *body, lpi_frame *inner)
{
    LP_TRY(lpi_body_place(frame, layer, body, inner));
    LP_TRY(lpi_frame_start(frame->exec, body, frame, inner));
    LP_TRY(lpi_frame_run(inner));
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *from = body->outputs[i], *to = layer->outputs[i];
        const void *bytes;
        lp_shape shape;
        void *room;

        if (!to)
            continue;
        LP_TRY(lpi_check_bundle(inner, from));
        LP_TRY(lpi_frame_get(inner, from, &bytes, &shape));
        if (lpi_is_bundle(to) || lpi_is_bundle(from)) {
            LP_TRY(lpi_frame_bundle(frame, to,
                                    lpi_is_bundle(from) ? bytes : NULL));
            continue;
        }
        LP_TRY(lpi_frame_put(frame, to, shape, &room));
        memcpy(room, bytes,
               (size_t)lpi_storage_bytes(to->dtype, lpi_shape_elements(shape)));
    }
    return LP_OK;
}

/* Run the definition of "layer", or the branch of If that its condition takes.
 */
static lp_status run_if(lpi_frame *frame, const lp_layer *layer)
{
    lpi_frame inner = {.exec = NULL};
    const lp_model *body = layer->definition;
    int64_t condition = 0;
    lp_status status;

    if (!body) {
        LP_TRY(lpi_read_int(frame, layer, 0, 0, &condition));
        body = lpi_body_of(layer, condition ? "then_branch" : "else_branch");
    }
    if (!body || body->outputs_count < layer->outputs_count)
        return lpi_exec_fail(frame->exec, "layer '%.200s' has no such branch",
                             layer->name);
    status = run_branch(frame, layer, body, &inner);
    lpi_frame_end(&inner);
    return status;
}

lp_status lpi_body_run(lpi_frame *frame, const lp_layer *layer)
{
    if (layer->definition || !strcmp(layer->op, "If"))
        return run_if(frame, layer);
    if (!strcmp(layer->op, "SequenceMap"))
        return lpi_map_run(frame, layer);
    return !strcmp(layer->op, "Loop") ? lpi_loop_run(frame, layer)
                                      : lpi_scan_run(frame, layer);
}
