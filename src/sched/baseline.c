/* baseline.c: the schedule that decides as little as it can.
 *
 * Layers in their order, each once; views share bytes, and an element-wise
 * result takes the place of the first operand that dies there; everything is
 * placed by the best greedy rule.  With attention rows, attentions that the
 * exporter spelled out run as groups, a tile of rows of the scores at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

lp_status lpi_schedule_new(const lp_model *model, lp_schedule **ret_schedule,
                           lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(model->arena));
    lp_schedule *s = arena ? LPI_NEW(arena, lp_schedule, 1) : NULL;

    if (!s) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    *s = (lp_schedule){.arena = arena,
                       .model = model,
                       .name = "schedule",
                       .device = "",
                       .effort = "default",
                       .rule = "given"};
    *ret_schedule = s;
    return LP_OK;
}

void lp_schedule_free(lp_schedule *schedule)
{
    if (schedule)
        lpi_arena_free(schedule->arena);
}

const char *lp_schedule_rule(const lp_schedule *schedule)
{
    return schedule->rule;
}

/* A baseline in the making. */
typedef struct maker {
    lp_schedule *s;
    const lp_schedule_options *options;
    lpi_arena *scratch;
    int32_t *last_unit; /* by tensor id: unit that reads it last */
    int64_t *roots;     /* by tensor id: whose bytes it has; -1: none */
    int64_t *root_last; /* by tensor id of a root */
    bool *is_input;     /* by tensor id of a root: of the graph */
    lp_alias *aliases;
    int64_t aliases_room;
    lp_error *error;
} maker;

static lp_status add_units(maker *m)
{
    const lp_model *model = m->s->model;
    const lp_group **group_of =
        LPI_NEW(m->scratch, const lp_group *, model->layers_count);
    lp_unit *units = LPI_NEW(m->s->arena, lp_unit, model->layers_count);
    int64_t i;
    int32_t j;

    if (!group_of || !units)
        return lpi_fail_memory(m->error);
    for (i = 0; i < m->s->groups_count; i++)
        for (j = 0; j < m->s->groups[i].layers_count; j++)
            group_of[m->s->groups[i].layers[j]->id] = &m->s->groups[i];
    for (i = 0; i < model->layers_count; i++) {
        lp_layer *layer = model->layers[i];
        const lp_group *group = group_of[i];

        if (layer->is_static ||
            (group && group->layers[group->layers_count - 1] != layer))
            continue;
        units[m->s->units_count++] = (lp_unit){
            .layer = group ? NULL : layer, .group = group, .ordinal = 1};
    }
    m->s->units = units;
    return LP_OK;
}

static void note_read(maker *m, const lp_tensor *tensor, int64_t unit)
{
    if (lpi_is_value(tensor))
        m->last_unit[tensor->id] = (int32_t)unit;
}

/* Who reads each tensor last; an output of the graph, the caller. */
static void find_lasts(maker *m)
{
    const lp_model *model = m->s->model, *body;
    int64_t u, i;

    for (u = 0; u < m->s->units_count; u++) {
        int32_t count, j, k, at;
        lp_layer *const *layers = lpi_unit_layers(&m->s->units[u], &count);

        for (j = 0; j < count; j++) {
            for (k = 0; k < layers[j]->outputs_count; k++)
                note_read(m, layers[j]->outputs[k], u);
            for (k = 0; k < layers[j]->inputs_count; k++)
                note_read(m, layers[j]->inputs[k], u);
            for (at = 0; (body = lpi_next_body(layers[j], &at));)
                for (i = 0; i < body->captures_count; i++)
                    note_read(m, body->captures[i]->outer, u);
        }
    }
    for (i = 0; i < model->outputs_count; i++)
        note_read(m, model->outputs[i], m->s->units_count);
}

static lp_status add_alias(maker *m, const lp_tensor *tensor,
                           const lp_tensor *of, lp_alias_kind kind)
{
    int64_t root = m->roots[of->id];

    if (!LPI_GROW(m->s->arena, m->aliases, m->s->aliases_count,
                  m->aliases_room))
        return lpi_fail_memory(m->error);
    m->aliases[m->s->aliases_count++] =
        (lp_alias){.tensor = tensor, .of = of, .kind = kind};
    m->roots[tensor->id] = root;
    if (m->last_unit[tensor->id] > m->root_last[root])
        m->root_last[root] = m->last_unit[tensor->id];
    return LP_OK;
}

/* Whether the result of "layer" at "unit" may overwrite input "i". */
static bool dies_here(const maker *m, const lp_layer *layer, int32_t i,
                      int64_t unit)
{
    int64_t root;
    int32_t j;

    if (!lpi_in_place(layer, i))
        return false;
    root = m->roots[layer->inputs[i]->id];
    if (root < 0 || m->is_input[root] || m->root_last[root] > unit)
        return false;
    for (j = 0; j < layer->inputs_count; j++)
        if (j != i && lpi_is_value(layer->inputs[j]) &&
            m->roots[layer->inputs[j]->id] == root)
            return false;
    return true;
}

/* The alias of output 0 of "layer", if any. */
static lp_status alias_result(maker *m, const lp_layer *layer, int64_t unit)
{
    const lp_tensor *in = layer->inputs_count ? layer->inputs[0] : NULL;
    const lp_tensor *out = layer->outputs_count ? layer->outputs[0] : NULL;
    int32_t i;

    if (!lpi_is_value(out))
        return LP_OK;
    if (layer->row && layer->row->flags & LPI_VIEW && lpi_is_value(in) &&
        lpi_tensor_bytes(in) == lpi_tensor_bytes(out) && m->roots[in->id] >= 0)
        return add_alias(m, out, in, LP_ALIAS_VIEW);
    for (i = 0; i < layer->inputs_count && !m->options->no_in_place; i++)
        if (dies_here(m, layer, i, unit))
            return add_alias(m, out, layer->inputs[i], LP_ALIAS_IN_PLACE);
    return LP_OK;
}

static void add_root(maker *m, const lp_tensor *tensor, bool is_input)
{
    m->roots[tensor->id] = tensor->id;
    m->root_last[tensor->id] = m->last_unit[tensor->id];
    m->is_input[tensor->id] = is_input;
}

/* In-place results inside groups share a tile buffer where tiles allow. */
static lp_status alias_group(maker *m, const lp_group *group, int64_t unit)
{
    int32_t i, j;

    for (i = 0; i < group->layers_count; i++) {
        const lp_layer *layer = group->layers[i];

        for (j = 0; j < layer->outputs_count; j++)
            if (lpi_is_value(layer->outputs[j]))
                add_root(m, layer->outputs[j], false);
        if (i < group->layers_count - 1)
            LP_TRY(alias_result(m, layer, unit));
    }
    return LP_OK;
}

static lp_status add_aliases(maker *m)
{
    const lp_model *model = m->s->model;
    int64_t i;
    int32_t j;

    for (i = 0; i < model->tensors_count; i++)
        m->roots[i] = -1;
    for (i = 0; i < model->inputs_count; i++)
        if (lpi_is_value(model->inputs[i]))
            add_root(m, model->inputs[i], true);
    for (i = 0; i < m->s->units_count; i++) {
        const lp_layer *layer = m->s->units[i].layer;

        if (!layer) {
            LP_TRY(alias_group(m, m->s->units[i].group, i));
            continue;
        }
        for (j = 0; j < layer->outputs_count; j++)
            if (lpi_is_value(layer->outputs[j]))
                add_root(m, layer->outputs[j], false);
        LP_TRY(alias_result(m, layer, i));
    }
    m->s->aliases = m->aliases;
    return LP_OK;
}

/* Copy the offsets and figures of "program" into the schedule. */
static lp_status keep_places(lp_schedule *s, const lpi_program *program,
                             lp_error *error)
{
    lp_placed *places =
        LPI_NEW(s->arena, lp_placed, program->residencies_count);
    lp_bound *bounds = LPI_NEW(s->arena, lp_bound, 1);
    int64_t i;

    if (!places || !bounds)
        return lpi_fail_memory(error);
    for (i = 0; i < program->residencies_count; i++) {
        const lpi_residency *r = &program->residencies[i];

        places[i] = (lp_placed){.kind = (lp_place_kind)r->kind,
                                .tensor = r->tensor,
                                .layer = r->layer,
                                .memory = r->memory,
                                .from = r->first,
                                .to = r->last,
                                .offset = r->offset};
    }
    bounds[0] = (lp_bound){.quantity = "arena_bytes",
                           .value = program->bound_bytes,
                           .proof = "load"};
    s->places = places;
    s->places_count = program->residencies_count;
    s->predictions = program->predictions;
    s->has_predictions = true;
    s->bounds = bounds;
    s->bounds_count = 1;
    s->rule = program->rule;
    return LP_OK;
}

static lp_status place(lp_schedule *s, const char *rule, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(s->arena));
    lpi_program program;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, s, &program, NULL, error);
    if (status == LP_OK && rule)
        status = lpi_program_place(&program, rule, error);
    if (status == LP_OK)
        status = keep_places(s, &program, error);
    lpi_arena_free(arena);
    return status;
}

static lp_status fill(maker *m)
{
    lp_schedule *s = m->s;
    int64_t tensors = s->model->tensors_count;
    lp_memory *memory = LPI_NEW(s->arena, lp_memory, 1);
    const char **planners = LPI_NEW(s->arena, const char *, 1);

    m->last_unit = LPI_NEW(m->scratch, int32_t, tensors);
    m->roots = LPI_NEW(m->scratch, int64_t, tensors);
    m->root_last = LPI_NEW(m->scratch, int64_t, tensors);
    m->is_input = LPI_NEW(m->scratch, bool, tensors);
    if (!memory || !planners || !m->last_unit || !m->roots || !m->root_last ||
        !m->is_input)
        return lpi_fail_memory(m->error);
    *memory = (lp_memory){.name = "arena",
                          .alignment = m->options->alignment
                                           ? m->options->alignment
                                           : LPI_ALIGNMENT};
    planners[0] = "baseline";
    s->memories = memory;
    s->memories_count = 1;
    s->planners = planners;
    s->planners_count = 1;
    if (m->options->attention_rows)
        LP_TRY(lpi_schedule_attention(s, m->options->attention_rows, m->error));
    if (m->options->layer_rows)
        LP_TRY(lpi_schedule_rows(s, m->options->layer_rows, m->error));
    LP_TRY(add_units(m));
    find_lasts(m);
    LP_TRY(add_aliases(m));
    return place(s, m->options->rule, m->error);
}

lp_status lpi_schedule_baseline(const lp_model *model,
                                const lp_schedule_options *options,
                                lp_schedule **ret_schedule, lp_error *error)
{
    lp_schedule_options wanted = options ? *options : (lp_schedule_options){0};
    maker m = {.options = &wanted, .error = error};
    lp_status status;

    if (wanted.alignment < 0 || (wanted.alignment & (wanted.alignment - 1)))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "alignment %lld is no power of two",
                        (long long)wanted.alignment);
    LP_TRY(lpi_schedule_new(model, &m.s, error));
    m.scratch = lpi_arena_new(lpi_arena_cap(m.s->arena));
    status = m.scratch ? fill(&m) : lpi_fail_memory(error);
    lpi_arena_free(m.scratch);
    if (status != LP_OK)
        lp_schedule_free(m.s);
    else
        *ret_schedule = m.s;
    return status;
}

/* Move what "program" has of its schedule into its own arena. */
static lp_status adopt(lpi_program *program, lp_error *error)
{
    size_t size = (size_t)program->units_count * sizeof(lp_unit);
    lp_unit *units = LPI_NEW(program->arena, lp_unit, program->units_count);
    lp_memory *memories =
        LPI_NEW(program->arena, lp_memory, program->memories_count);
    lp_schedule *s = LPI_NEW(program->arena, lp_schedule, 1);

    if (!units || !memories || !s)
        return lpi_fail_memory(error);
    memcpy(units, program->units, size);
    memcpy(memories, program->memories,
           (size_t)program->memories_count * sizeof(*memories));
    *s = (lp_schedule){.model = program->model,
                       .name = program->schedule->name,
                       .device = "",
                       .memories = memories,
                       .memories_count = program->memories_count,
                       .units = units,
                       .units_count = program->units_count};
    program->units = units;
    program->memories = memories;
    program->schedule = s;
    return LP_OK;
}

lp_status lpi_program_body(lpi_arena *arena, const lp_model *body,
                           lpi_program *ret_program, lp_error *error)
{
    lp_schedule *s;
    lp_status status;

    LP_TRY(lpi_schedule_baseline(body, NULL, &s, error));
    status = lpi_program_lower(arena, s, ret_program, NULL, error);
    if (status == LP_OK)
        status = adopt(ret_program, error);
    lp_schedule_free(s);
    return status;
}
