/* check.c: proof that a program computes what its model computes.
 *
 * The steps are done without values: each residency is begun and ended, each
 * value is held or overwritten, as the steps say, and every read must find
 * what the latest production of its tensor left.  Nothing that lowering found
 * out is believed: lives are those of the steps, aliases are derived from the
 * operators again, and the intervals so found are swept for collisions. */
#include <string.h>

#include "sched.h"

static bool is_there(const lpi_held *h, int64_t unit)
{
    return h->begun && h->end < 0 && h->ready <= unit;
}

/* The residency of "root" in "memory" (-1: any) that is there; -1. */
static int64_t find_held(const lpi_checker *c, int64_t root, int32_t memory)
{
    int64_t i = c->p->first_residency[root];

    for (; i >= 0; i = c->p->next_residency[i])
        if (is_there(&c->held[i], c->unit) &&
            (memory < 0 || c->p->residencies[i].memory == memory))
            return i;
    return -1;
}

static void begin(lpi_checker *c, int64_t residency, int64_t ready)
{
    c->held[residency] =
        (lpi_held){.begin = c->unit, .end = -1, .ready = ready, .begun = true};
}

static lp_status check_read(lpi_checker *c, const lp_tensor *tensor)
{
    int64_t v;

    if (!lpi_is_value(tensor) || c->made_in[tensor->id] == c->unit + 1)
        return LP_OK;
    v = c->latest[tensor->id];
    if (v < 0)
        return LPI_REFUSE_AT(c, tensor, "reads '%.200s', which was not made",
                             tensor->name);
    if (!c->valid[v])
        return LPI_REFUSE_AT(c, tensor, "reads '%.200s', which was overwritten",
                             tensor->name);
    if (find_held(c, c->p->values[v].root, 0) < 0)
        return LPI_REFUSE_AT(c, tensor,
                             "reads '%.200s', which is not in memory '%s'",
                             tensor->name, c->p->memories[0].name);
    return LP_OK;
}

/* Value "at", output "i" of "layer" (NULL: of a group), is made. */
static lp_status make(lpi_checker *c, const lp_layer *layer, int32_t i,
                      int64_t at)
{
    const lpi_program *p = c->p;
    const lpi_value *v = &p->values[at];
    int64_t r = find_held(c, v->root, 0), end;

    if (r < 0)
        for (r = p->first_residency[v->root];
             r >= 0 && (c->held[r].begun || p->residencies[r].memory != 0);)
            r = p->next_residency[r];
    if (r < 0)
        return LPI_REFUSE_AT(c, v->tensor, "'%.200s' has no place",
                             v->tensor->name);
    if (!c->held[r].begun)
        begin(c, r, c->unit);
    end = v->root_offset + (v->blocks - 1) * v->stride_bytes + v->block_bytes;
    if (v->root_offset < 0 || v->blocks < 1 ||
        v->blocks * v->block_bytes !=
            lpi_planned_bytes(p->schedule, v->tensor) ||
        end > p->residencies[r].bytes)
        return LPI_REFUSE_AT(c, v->tensor, "'%.200s' does not fit its place",
                             v->tensor->name);
    LP_TRY(lpi_check_made(c, layer, i, at));
    c->valid[at] = true;
    c->links[at] = c->heads[v->root];
    c->heads[v->root] = at;
    return LP_OK;
}

static lp_status check_operands(lpi_checker *c, const lp_layer *layer)
{
    const lp_model *body;
    int32_t i, at = 0;
    int64_t j;

    for (i = 0; i < layer->inputs_count; i++)
        LP_TRY(check_read(c, layer->inputs[i]));
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++)
            LP_TRY(check_read(c, body->captures[j]->outer));
    return LP_OK;
}

static lp_status check_buffers(lpi_checker *c)
{
    const lpi_use *use = &c->p->uses[c->unit];
    int32_t i;

    for (i = 0; i < use->buffers_count; i++)
        begin(c, use->buffers[i], c->unit);
    return LP_OK;
}

static lp_status check_run(lpi_checker *c, const lpi_step *step)
{
    const lp_unit *unit = &c->p->units[c->unit];
    const lpi_use *use = &c->p->uses[c->unit];
    int32_t count, i, j, made = 0;
    lp_layer *const *layers = lpi_unit_layers(unit, &count);

    if (step->unit != c->unit)
        return LPI_REFUSE_AT(c, (lp_tensor *)NULL, "run %lld is out of order",
                             (long long)step->unit);
    LP_TRY(check_buffers(c));
    for (i = 0; i < count; i++) {
        LP_TRY(check_operands(c, layers[i]));
        for (j = 0; unit->group && j < layers[i]->outputs_count; j++)
            if (layers[i]->outputs[j])
                c->made_in[layers[i]->outputs[j]->id] = c->unit + 1;
    }
    for (i = 0; i < count; i++)
        for (j = 0; j < layers[i]->outputs_count; j++) {
            const lp_tensor *tensor = layers[i]->outputs[j];
            int64_t at;

            if (!lpi_is_value(tensor))
                continue;
            at = lpi_program_value(c->p, c->unit, tensor, true);
            c->latest[tensor->id] = at;
            if (at < 0)
                continue;
            made++;
            LP_TRY(make(c, unit->group ? NULL : layers[i], j, at));
        }
    if (made != use->outputs_count)
        return LPI_REFUSE_AT(c, (lp_tensor *)NULL,
                             "it makes what it should not");
    c->unit++;
    return LP_OK;
}

static lp_status check_copy(lpi_checker *c, const lpi_step *step)
{
    const lpi_residency *from = &c->p->residencies[step->from];
    const lpi_residency *to = &c->p->residencies[step->to];

    if (from->value != to->value || from->kind != LPI_OF_VALUE ||
        !is_there(&c->held[step->from], c->unit) ||
        c->held[step->to].begun != step->is_clean)
        return LPI_REFUSE_AT(c, from->tensor, "'%.200s' cannot be copied",
                             from->tensor->name);
    if (!step->is_clean)
        begin(c, step->to, step->unit);
    return LP_OK;
}

static lp_status check_drop(lpi_checker *c, const lpi_step *step)
{
    lpi_held *h = &c->held[step->from];

    if (!h->begun || h->end >= 0)
        return LPI_REFUSE_AT(c, c->p->residencies[step->from].tensor,
                             "what is dropped is not there");
    h->end = c->unit - 1;
    return LP_OK;
}

/* Outputs of the graph are there at the end, as they were made. */
static lp_status check_outputs(lpi_checker *c)
{
    const lp_model *model = c->p->model;
    int64_t i;

    for (i = 0; i < model->outputs_count; i++) {
        const lp_tensor *tensor = model->outputs[i];
        int64_t v;

        if (!lpi_is_value(tensor))
            continue;
        v = c->latest[tensor->id];
        if (v < 0 || !c->valid[v] || v != c->p->output_values[i] ||
            find_held(c, c->p->values[v].root, -1) < 0)
            return LPI_REFUSE_AT(c, tensor,
                                 "'%.200s', an output, is not there at the "
                                 "end",
                                 tensor->name);
    }
    return LP_OK;
}

/* Inputs of the graph lie where they begin. */
static lp_status begin_inputs(lpi_checker *c)
{
    const lpi_program *p = c->p;
    int64_t i;

    for (i = 0; i < p->values_count && p->values[i].unit < 0; i++) {
        c->latest[p->values[i].tensor->id] = i;
        c->valid[i] = true;
        c->heads[i] = i;
        c->links[i] = -1;
        if (p->first_residency[i] < 0)
            return LPI_REFUSE_AT(c, p->values[i].tensor,
                                 "'%.200s' has no place",
                                 p->values[i].tensor->name);
        begin(c, p->first_residency[i], 0);
    }
    return LP_OK;
}

static lp_status check_steps(lpi_checker *c)
{
    int64_t i;

    LP_TRY(begin_inputs(c));
    for (i = 0; i < c->p->steps_count; i++) {
        const lpi_step *step = &c->p->steps[i];

        if (step->kind == LPI_STEP_RUN)
            LP_TRY(check_run(c, step));
        else if (step->kind == LPI_STEP_DROP)
            LP_TRY(check_drop(c, step));
        else
            LP_TRY(check_copy(c, step));
    }
    if (c->unit != c->p->units_count)
        return LPI_REFUSE_AT(c, (lp_tensor *)NULL,
                             "some runs are not executed");
    return check_outputs(c);
}

static lp_status check(lpi_checker *c)
{
    const lpi_program *p = c->p;
    int64_t tensors = p->model->tensors_count, i;

    c->held = LPI_NEW(c->scratch, lpi_held, p->residencies_count);
    c->latest = LPI_NEW(c->scratch, int64_t, tensors);
    c->made_in = LPI_NEW(c->scratch, int64_t, tensors);
    c->valid = LPI_NEW(c->scratch, bool, p->values_count);
    c->heads = LPI_NEW(c->scratch, int64_t, p->values_count);
    c->links = LPI_NEW(c->scratch, int64_t, p->values_count);
    if (!c->held || !c->latest || !c->made_in || !c->valid || !c->heads ||
        !c->links)
        return lpi_fail_memory(c->error);
    for (i = 0; i < tensors; i++)
        c->latest[i] = -1;
    for (i = 0; i < p->values_count; i++)
        c->heads[i] = -1;
    LP_TRY(check_steps(c));
    return lpi_check_places(c);
}

lp_status lpi_program_check(const lpi_program *program, lp_refusal *refusal,
                            lp_error *error)
{
    lpi_checker c = {.p = program, .refusal = refusal, .error = error};
    lp_status status;

    c.scratch = lpi_arena_new(lpi_arena_cap(program->arena));
    if (!c.scratch)
        return lpi_fail_memory(error);
    status = check(&c);
    lpi_arena_free(c.scratch);
    return status;
}
