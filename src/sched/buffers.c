/* buffers.c: bytes that a unit needs beside its operands.
 *
 * Workspace: a layer with bodies runs the largest of them in it, as a program
 * of its own.  Staging: rows read and write contiguous tensors, so that a
 * strided part has a contiguous copy while a unit touches it, but the Concat
 * that finds it where it goes. */
#include <string.h>

#include "sched.h"

lp_status lpi_buffer_add(lpi_lowering *l, int64_t unit,
                         const lpi_residency *residency, int64_t *ret_at)
{
    lpi_program *p = l->program;
    lpi_use *use = &p->uses[unit];
    int64_t *wider =
        LPI_NEW(p->arena, int64_t, (int64_t)use->buffers_count + 1);
    lpi_residency placed = *residency;
    int64_t at;

    if (!wider)
        return lpi_fail_memory(l->error);
    placed.first = placed.last = unit;
    placed.offset = -1;
    LP_TRY(lpi_residency_add(l, &placed, &at));
    if (use->buffers_count)
        memcpy(wider, use->buffers,
               (size_t)use->buffers_count * sizeof(*wider));
    wider[use->buffers_count++] = at;
    use->buffers = wider;
    if (ret_at)
        *ret_at = at;
    return LP_OK;
}

/* What a body of "layer" takes at most, in an arena and live. */
static lp_status size_bodies(lpi_lowering *l, const lp_layer *layer,
                             int64_t *ret_bytes, int64_t *ret_live)
{
    const lp_model *body;
    int32_t at = 0;

    *ret_bytes = *ret_live = 0;
    while ((body = lpi_next_body(layer, &at))) {
        lpi_arena *arena = lpi_arena_new(lpi_arena_cap(l->scratch));
        lpi_program program;
        lpi_lives lives;
        lp_status status;

        if (!arena)
            return lpi_fail_memory(l->error);
        status = lpi_lives_find(arena, body, &lives, l->error);
        if (status == LP_OK && lives.peak_bytes > *ret_live)
            *ret_live = lives.peak_bytes;
        if (status == LP_OK)
            status = lpi_program_body(arena, body, &program, l->error);
        if (status == LP_OK && program.arena_bytes[0] > *ret_bytes)
            *ret_bytes = program.arena_bytes[0];
        lpi_arena_free(arena);
        if (status != LP_OK)
            return lpi_fail_within(l->error, status, layer->name);
    }
    return LP_OK;
}

/* Sizes of a layer with bodies, found once. */
typedef struct sizes {
    bool known;
    int64_t bytes, live;
} sizes;

static lp_status add_workspace(lpi_lowering *l, int64_t unit, sizes *by_layer)
{
    int32_t count, i;
    lp_layer *const *layers = lpi_unit_layers(&l->program->units[unit], &count);

    for (i = 0; i < count; i++) {
        int32_t at = 0;
        sizes *s = &by_layer[layers[i]->id];

        if (!layers[i]->attrs_count || !lpi_next_body(layers[i], &at))
            continue;
        if (!s->known)
            LP_TRY(size_bodies(l, layers[i], &s->bytes, &s->live));
        s->known = true;
        LP_TRY(lpi_buffer_add(l, unit,
                              &(lpi_residency){.kind = LPI_OF_WORKSPACE,
                                               .value = -1,
                                               .layer = layers[i],
                                               .bytes = s->bytes,
                                               .live_bytes = s->live},
                              NULL));
    }
    return LP_OK;
}

/* Whether unit "unit" is the Concat that finds "v" where it goes. */
static bool is_at_home(const lpi_program *p, int64_t unit, const lpi_value *v)
{
    const lp_layer *layer = p->units[unit].layer;
    const lpi_use *use = &p->uses[unit];

    return layer && !strcmp(layer->op, "Concat") && use->outputs_count &&
           p->values[use->outputs[0]].root == v->root &&
           lpi_is_joined(p->schedule, layer, &p->values[use->outputs[0]], v);
}

static lp_status add_staging(lpi_lowering *l, int64_t unit,
                             const int64_t *values, int32_t count)
{
    const lpi_program *p = l->program;
    int32_t i;

    for (i = 0; i < count; i++) {
        const lpi_value *v = &p->values[values[i]];

        if (v->blocks == 1 || is_at_home(p, unit, v))
            continue;
        if (p->units[unit].group)
            return lpi_fail(l->error, LP_EUNSUPPORTED, l->schedule->name,
                            "group '%.200s' touches '%.200s', a strided part",
                            p->units[unit].group->name, v->tensor->name);
        LP_TRY(lpi_buffer_add(l, unit,
                              &(lpi_residency){.kind = LPI_OF_STAGING,
                                               .value = values[i],
                                               .tensor = v->tensor,
                                               .bytes = lpi_planned_bytes(
                                                   l->schedule, v->tensor)},
                              NULL));
    }
    return LP_OK;
}

lp_status lpi_lower_buffers(lpi_lowering *l)
{
    const lpi_program *p = l->program;
    sizes *by_layer = LPI_NEW(l->scratch, sizes, p->model->layers_count);
    int64_t i;

    if (!by_layer)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->units_count; i++) {
        const lpi_use *use = &p->uses[i];

        LP_TRY(add_workspace(l, i, by_layer));
        LP_TRY(add_staging(l, i, use->inputs, use->inputs_count));
        LP_TRY(add_staging(l, i, use->outputs, use->outputs_count));
        if (p->units[i].group)
            LP_TRY(lpi_lower_group(l, i));
    }
    return LP_OK;
}
