/* sharing.c: aliases that any schedule may have.
 *
 * Views share the bytes of what they show; an element-wise result takes the
 * place of the first operand that dies there; and where parts are wanted, what
 * Concat alone joins is made where it ends up, if it is contiguous there. Lives
 * are those of the units as they stand.  What is made several times or moved is
 * left alone, its views excepted: only lowering knows its lives apart. */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

typedef struct maker {
    lp_schedule *s;
    bool in_place, parts;
    lpi_arena *scratch;
    int32_t *last_unit; /* by tensor id: unit that reads it last */
    int32_t *runs;      /* by layer id: executions */
    int64_t *roots;     /* by tensor id: whose bytes it has; -1: none */
    int64_t *root_last; /* by tensor id of a root */
    bool *is_input;     /* by tensor id of a root: of the graph */
    bool *is_moved;     /* by tensor id: has a home or moves */
    bool *is_part;      /* by tensor id: made inside the result of a Concat */
    lp_alias *aliases;
    int64_t aliases_count, aliases_room;
    lp_error *error;
} maker;

/* Count executions, and note what is moved. */
static void find_fixed(maker *m)
{
    const lp_schedule *s = m->s;
    int64_t u;

    for (u = 0; u < s->units_count; u++) {
        int32_t count, j;
        lp_layer *const *layers = lpi_unit_layers(&s->units[u], &count);

        for (j = 0; j < count; j++)
            m->runs[layers[j]->id]++;
    }
    for (u = 0; u < s->homes_count; u++)
        m->is_moved[s->homes[u].tensor->id] = true;
    for (u = 0; u < s->moves_count; u++)
        m->is_moved[s->moves[u].tensor->id] = true;
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

    if (!LPI_GROW(m->s->arena, m->aliases, m->aliases_count, m->aliases_room))
        return lpi_fail_memory(m->error);
    m->aliases[m->aliases_count++] =
        (lp_alias){.tensor = tensor, .of = of, .kind = kind};
    m->roots[tensor->id] = root;
    if (m->last_unit[tensor->id] > m->root_last[root])
        m->root_last[root] = m->last_unit[tensor->id];
    return LP_OK;
}

static bool runs_again(const maker *m, const lp_tensor *tensor)
{
    return tensor->producer && m->runs[tensor->producer->id] > 1;
}

/* Whether the result of "layer" at "unit" may overwrite input "i". */
static bool dies_here(const maker *m, const lp_layer *layer, int32_t i,
                      int64_t unit)
{
    int64_t root;
    int32_t j;

    if (m->runs[layer->id] > 1 || !lpi_in_place(layer, i) ||
        runs_again(m, layer->inputs[i]) ||
        !lpi_same_width(m->s, layer->inputs[i], layer->outputs[0]))
        return false;
    root = m->roots[layer->inputs[i]->id];
    if (root < 0 || m->is_input[root] || m->is_moved[root] ||
        m->root_last[root] > unit || runs_again(m, m->s->model->tensors[root]))
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

    if (!lpi_is_value(out) || m->is_moved[out->id] || m->is_part[out->id])
        return LP_OK;
    if (layer->row && layer->row->flags & LPI_VIEW && lpi_is_value(in) &&
        lpi_tensor_bytes(in) == lpi_tensor_bytes(out) &&
        lpi_same_width(m->s, out, in) && lpi_same_values(m->s, out, in) &&
        m->roots[in->id] >= 0)
        return add_alias(m, out, in, LP_ALIAS_VIEW);
    for (i = 0; i < layer->inputs_count && m->in_place; i++)
        if (dies_here(m, layer, i, unit))
            return add_alias(m, out, layer->inputs[i], LP_ALIAS_IN_PLACE);
    return LP_OK;
}

static void add_root(maker *m, const lp_tensor *tensor, bool is_input)
{
    if (m->is_part[tensor->id])
        return;
    m->roots[tensor->id] = tensor->id;
    if (m->last_unit[tensor->id] > m->root_last[tensor->id])
        m->root_last[tensor->id] = m->last_unit[tensor->id];
    m->is_input[tensor->id] = is_input;
}

/* Whether input "i" of "layer", a Concat, may be made inside its result. */
static bool may_join(const maker *m, const lp_layer *layer, int32_t i)
{
    const lp_tensor *part = layer->inputs[i];
    lpi_value box;
    int32_t j;

    if (!lpi_is_value(part) || !part->producer || m->is_part[part->id] ||
        m->is_moved[part->id] || runs_again(m, part) ||
        m->last_unit[part->id] >= m->s->units_count ||
        m->roots[part->id] >= 0 || !part->producer->row ||
        part->producer->row->flags & LPI_VIEW ||
        !strcmp(part->producer->op, "Split"))
        return false;
    for (j = 0; j < layer->inputs_count; j++)
        if (j != i && layer->inputs[j] == part)
            return false;
    return lpi_part_find(m->s, layer, i, true, &box) && box.blocks == 1 &&
           lpi_same_values(m->s, layer->outputs[0], part);
}

/* Note what is made inside the results of Concats, itself no part, so that
 * nothing lies in two places. */
static lp_status join_parts(maker *m)
{
    const lp_schedule *s = m->s;
    int64_t u;
    int32_t i;

    for (u = 0; m->parts && u < s->units_count; u++) {
        const lp_layer *layer = s->units[u].layer;
        const lp_tensor *whole = layer ? layer->outputs[0] : NULL;

        if (!layer || strcmp(layer->op, "Concat") != 0 ||
            !lpi_is_value(whole) || m->is_moved[whole->id] ||
            m->is_part[whole->id] || m->runs[layer->id] > 1)
            continue;
        for (i = 0; i < layer->inputs_count; i++) {
            if (!may_join(m, layer, i))
                continue;
            m->roots[whole->id] = whole->id;
            LP_TRY(add_alias(m, layer->inputs[i], whole, LP_ALIAS_PART));
            m->is_part[layer->inputs[i]->id] = true;
        }
    }
    return LP_OK;
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

/* The first execution of each unit gives the aliases of all. */
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
    LP_TRY(join_parts(m));
    for (i = 0; i < m->s->units_count; i++) {
        const lp_layer *layer = m->s->units[i].layer;

        if (m->s->units[i].ordinal > 1)
            continue;
        if (!layer) {
            LP_TRY(alias_group(m, m->s->units[i].group, i));
            continue;
        }
        for (j = 0; j < layer->outputs_count; j++)
            if (lpi_is_value(layer->outputs[j]))
                add_root(m, layer->outputs[j], false);
        LP_TRY(alias_result(m, layer, i));
    }
    return LP_OK;
}

static lp_status make(maker *m)
{
    const lp_model *model = m->s->model;

    m->last_unit = LPI_NEW(m->scratch, int32_t, model->tensors_count);
    m->runs = LPI_NEW(m->scratch, int32_t, model->layers_count);
    m->roots = LPI_NEW(m->scratch, int64_t, model->tensors_count);
    m->root_last = LPI_NEW(m->scratch, int64_t, model->tensors_count);
    m->is_input = LPI_NEW(m->scratch, bool, model->tensors_count);
    m->is_moved = LPI_NEW(m->scratch, bool, model->tensors_count);
    m->is_part = LPI_NEW(m->scratch, bool, model->tensors_count);
    if (!m->last_unit || !m->runs || !m->roots || !m->root_last ||
        !m->is_input || !m->is_moved || !m->is_part)
        return lpi_fail_memory(m->error);
    find_fixed(m);
    find_lasts(m);
    return add_aliases(m);
}

lp_status lpi_schedule_aliases(lp_schedule *schedule, bool in_place, bool parts,
                               lp_error *error)
{
    maker m = {
        .s = schedule, .in_place = in_place, .parts = parts, .error = error};
    lp_status status;

    m.scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    status = m.scratch ? make(&m) : lpi_fail_memory(error);
    lpi_arena_free(m.scratch);
    if (status == LP_OK) {
        schedule->aliases = m.aliases;
        schedule->aliases_count = m.aliases_count;
    }
    return status;
}
