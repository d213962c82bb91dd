/* kin.c: what one unit needs of memory 0 whatever shares bytes.
 *
 * Two operands may have bytes in common only when one is a view of the other,
 * or a part of it: a family.  Of each family the largest counts, so that the
 * sum is a lower bound for any choice of aliases. */
#include <string.h>

#include "plan.h"

static int64_t find(int64_t *of, int64_t at)
{
    while (of[at] != at) {
        of[at] = of[of[at]];
        at = of[at];
    }
    return at;
}

static void join(int64_t *of, const lp_tensor *a, const lp_tensor *b)
{
    if (lpi_is_value(a) && lpi_is_value(b))
        of[find(of, a->id)] = find(of, b->id);
}

static void join_layer(int64_t *of, const lp_layer *layer)
{
    const lp_tensor *in = layer->inputs_count ? layer->inputs[0] : NULL;
    const lp_tensor *out = layer->outputs_count ? layer->outputs[0] : NULL;
    int32_t i;

    if (layer->row && layer->row->flags & LPI_VIEW)
        join(of, in, out);
    for (i = 0; !strcmp(layer->op, "Concat") && i < layer->inputs_count; i++)
        join(of, layer->inputs[i], out);
    for (i = 0; !strcmp(layer->op, "Split") && i < layer->outputs_count; i++)
        join(of, layer->outputs[i], in);
}

lp_status lpi_kin_find(lpi_planning *planning, lp_error *error)
{
    const lp_model *model = planning->model;
    int64_t count = model->tensors_count, i;
    lpi_kin f = {
        .of = LPI_NEW(planning->arena, int64_t, count),
        .most = LPI_NEW(planning->arena, int64_t, count),
        .marks = LPI_NEW(planning->arena, int64_t, count),
    };

    if (!f.of || !f.most || !f.marks)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++)
        f.of[i] = i;
    for (i = 0; i < model->layers_count; i++)
        join_layer(f.of, model->layers[i]);
    for (i = 0; i < count; i++)
        f.of[i] = find(f.of, i);
    planning->kin = f;
    return LP_OK;
}

int64_t lpi_kin_bytes(lpi_kin *kin, const lpi_program *program,
                      const int64_t *values, int32_t count)
{
    int64_t sum = 0, bytes;
    int32_t i;

    kin->mark++;
    for (i = 0; i < count; i++) {
        const lp_tensor *tensor = program->values[values[i]].tensor;
        int64_t family = kin->of[tensor->id];

        bytes = lpi_planned_bytes(program->schedule, tensor);
        if (kin->marks[family] != kin->mark) {
            kin->marks[family] = kin->mark;
            kin->most[family] = 0;
        }
        if (bytes <= kin->most[family])
            continue;
        sum = lpi_add(sum, bytes - kin->most[family]);
        kin->most[family] = bytes;
    }
    return sum;
}

bool lpi_kin_stands(lpi_kin *kin, const lp_schedule *schedule,
                    const lp_tensor *tensor)
{
    int64_t family = kin->of[tensor->id];

    if (kin->most[family] != lpi_planned_bytes(schedule, tensor))
        return false;
    kin->most[family] = -1;
    return true;
}

/* Whether the result of "layer" may lie where an operand does. */
static bool may_share(const lp_layer *layer)
{
    int32_t i;

    if (!layer || !layer->outputs_count || !layer->outputs[0])
        return false;
    if (layer->row && layer->row->flags & LPI_VIEW)
        return true;
    if (!strcmp(layer->op, "Concat") || !strcmp(layer->op, "Split"))
        return true;
    for (i = 0; i < layer->inputs_count; i++)
        if (lpi_is_value(layer->inputs[i]) && lpi_in_place(layer, i))
            return true;
    return false;
}

int64_t lpi_operands_floor(lpi_kin *kin, const lpi_program *program,
                           int64_t unit, bool *ret_inputs, bool *ret_outputs)
{
    const lpi_use *use = &program->uses[unit];
    int64_t out = lpi_kin_bytes(kin, program, use->outputs, use->outputs_count);
    int64_t in = lpi_kin_bytes(kin, program, use->inputs, use->inputs_count);

    *ret_inputs = in >= out;
    *ret_outputs = !*ret_inputs;
    if (may_share(program->units[unit].layer))
        return in > out ? in : out;
    *ret_inputs = *ret_outputs = true;
    return lpi_add(in, out);
}

int64_t lpi_buffers_floor(const lpi_program *program, int64_t unit)
{
    const lpi_use *use = &program->uses[unit];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < use->buffers_count; i++)
        if (program->residencies[use->buffers[i]].kind != LPI_OF_STAGING)
            bytes = lpi_add(bytes, program->residencies[use->buffers[i]].bytes);
    return bytes;
}
