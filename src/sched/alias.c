/* alias.c: whose bytes a value shares, and the proof that it may.
 *
 * Each alias makes a value point to a parent: a view and a result in place to
 * what they are made of, a part of a Concat to the result that comes later.
 * Following the parents gives the root, whose residencies hold them all.
 *
 * A result in place destroys what lay there: all values of the root produced
 * before it that share a byte with it must have had their last reader.  Those
 * produced after it come from it, or from such a value, which would then be
 * read too late. */
#include <string.h>

#include "sched.h"

static int64_t find_value(const lpi_program *p, const int64_t *list,
                          int32_t count, const lp_tensor *tensor)
{
    int32_t i;

    for (i = 0; i < count; i++)
        if (p->values[list[i]].tensor == tensor)
            return list[i];
    return -1;
}

int64_t lpi_program_value(const lpi_program *program, int64_t unit,
                          const lp_tensor *tensor, bool is_output)
{
    const lpi_use *use = &program->uses[unit];

    return is_output
               ? find_value(program, use->outputs, use->outputs_count, tensor)
               : find_value(program, use->inputs, use->inputs_count, tensor);
}

/* The position of "tensor" in the list, -1: none, -2: several. */
static int32_t position(lp_tensor *const *list, int32_t count,
                        const lp_tensor *tensor)
{
    int32_t at = -1, i;

    for (i = 0; i < count; i++)
        if (list[i] == tensor)
            at = at == -1 ? i : -2;
    return at;
}

/* Whether the widths and values of two tensors that share bytes agree; "later"
 * is made after "earlier", unless it overwrites it. */
static bool agree(const lp_schedule *s, const lp_tensor *later,
                  const lp_tensor *earlier, bool overwrites)
{
    return lpi_same_width(s, later, earlier) &&
           (overwrites || lpi_same_values(s, later, earlier));
}

/* Whether "alias" can hold at all between these two tensors. */
static bool can_hold(const lp_schedule *s, const lp_alias *alias)
{
    const lp_tensor *tensor = alias->tensor, *of = alias->of;
    const lp_layer *layer = tensor->producer, *reader = of->producer;
    lpi_value box;
    int32_t at;

    if (!lpi_is_value(tensor) || !lpi_is_value(of) || !layer)
        return false;
    at = position(layer->inputs, layer->inputs_count, of);
    switch (alias->kind) {
    case LP_ALIAS_VIEW:
        return layer->row && layer->row->flags & LPI_VIEW &&
               layer->outputs[0] == tensor && layer->inputs[0] == of &&
               lpi_tensor_bytes(tensor) == lpi_tensor_bytes(of) &&
               agree(s, tensor, of, false);
    case LP_ALIAS_IN_PLACE:
        return layer->outputs[0] == tensor && at >= 0 &&
               lpi_in_place(layer, at) && agree(s, tensor, of, true);
    case LP_ALIAS_PART:
        if (at == 0 && !strcmp(layer->op, "Split"))
            return lpi_part_find(
                       s, layer,
                       position(layer->outputs, layer->outputs_count, tensor),
                       false, &box) &&
                   agree(s, tensor, of, false);
        at = reader ? position(reader->inputs, reader->inputs_count, tensor)
                    : -1;
        return at >= 0 && reader->outputs[0] == of &&
               lpi_part_find(s, reader, at, true, &box) &&
               agree(s, of, tensor, false);
    }
    return false;
}

static const char *const kinds[] = {"a view of", "made in place of",
                                    "a part of"};

/* The first unit that executes "layer"; -1. */
static int64_t first_unit(const lpi_program *p, const lp_layer *layer)
{
    int64_t u;
    int32_t i;

    for (u = 0; u < p->units_count; u++) {
        int32_t count;
        lp_layer *const *layers = lpi_unit_layers(&p->units[u], &count);

        for (i = 0; i < count; i++)
            if (layers[i] == layer)
                return u;
    }
    return -1;
}

/* What shares bytes takes the same for each element. */
static lp_status check_widths(lpi_lowering *l, const lp_alias *alias)
{
    const lp_schedule *s = l->schedule;
    const lp_tensor *tensor = alias->tensor, *of = alias->of;

    if (lpi_same_width(s, tensor, of))
        return LP_OK;
    return LPI_REFUSE(
        l, first_unit(l->program, tensor->producer), tensor, alias->line,
        "'%.200s', %lld bytes of %s, cannot be %s '%.200s', "
        "%lld bytes of %s",
        tensor->name, (long long)lpi_planned_bytes(s, tensor),
        lp_dtype_name(lpi_planned_dtype(s, tensor)), kinds[alias->kind],
        of->name, (long long)lpi_planned_bytes(s, of),
        lp_dtype_name(lpi_planned_dtype(s, of)));
}

/* The alias of value "tensor", NULL without one. */
static const lp_alias *alias_of(const lpi_lowering *l, const lp_tensor *tensor)
{
    return lpi_is_value(tensor) ? l->aliases[tensor->id] : NULL;
}

static void set_box(lpi_value *v, const lpi_value *box)
{
    v->root_offset = box->root_offset;
    v->blocks = box->blocks;
    v->block_bytes = box->block_bytes;
    v->stride_bytes = box->stride_bytes;
}

/* Set the parents of what "unit", which is no group, makes. */
static void find_backward(lpi_lowering *l, int64_t unit, int64_t *parents)
{
    lpi_program *p = l->program;
    const lp_layer *layer = p->units[unit].layer;
    const lpi_use *use = &p->uses[unit];
    lpi_value box;
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++) {
        const lp_alias *alias = alias_of(l, layer->outputs[i]);
        int64_t v, of;

        if (!alias)
            continue;
        of = find_value(p, use->inputs, use->inputs_count, alias->of);
        if (of < 0)
            continue;
        v = find_value(p, use->outputs, use->outputs_count, alias->tensor);
        parents[v] = of;
        if (alias->kind == LP_ALIAS_IN_PLACE)
            p->values[v].in_place_of = of;
        if (alias->kind == LP_ALIAS_PART &&
            lpi_part_find(l->schedule, layer, i, false, &box))
            set_box(&p->values[v], &box);
    }
}

/* Set the parents of what "unit", a Concat, joins and nobody joined before. */
static lp_status find_forward(lpi_lowering *l, int64_t unit, int64_t *parents)
{
    lpi_program *p = l->program;
    const lp_layer *layer = p->units[unit].layer;
    const lpi_use *use = &p->uses[unit];
    lpi_value box;
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++) {
        const lp_alias *alias = alias_of(l, layer->inputs[i]);
        int64_t v;

        if (!alias || alias->kind != LP_ALIAS_PART ||
            alias->of != layer->outputs[0] ||
            !lpi_part_find(l->schedule, layer, i, true, &box))
            continue;
        v = find_value(p, use->inputs, use->inputs_count, alias->tensor);
        if (parents[v] >= 0)
            continue;
        if (p->values[v].unit < 0)
            return LPI_REFUSE(l, unit, alias->tensor, alias->line,
                              "'%.200s', an input of the graph, has a place "
                              "of its own",
                              alias->tensor->name);
        parents[v] = find_value(p, use->outputs, use->outputs_count, alias->of);
        set_box(&p->values[v], &box);
    }
    return LP_OK;
}

/* Place "v" in the root of its parent "of", which is resolved. */
static lp_status join(lpi_lowering *l, lpi_value *v, const lpi_value *of)
{
    bool is_whole = v->blocks == 1 && !v->root_offset &&
                    v->block_bytes ==
                        lpi_planned_bytes(l->schedule, of->tensor);

    v->root = of->root;
    if (of->blocks == 1) {
        v->root_offset += of->root_offset;
        return LP_OK;
    }
    if (!is_whole)
        return LPI_REFUSE(l, v->unit, v->tensor, 0,
                          "'%.200s' would be a part of a strided part",
                          v->tensor->name);
    v->root_offset = of->root_offset;
    v->blocks = of->blocks;
    v->block_bytes = of->block_bytes;
    v->stride_bytes = of->stride_bytes;
    return LP_OK;
}

/* Resolve all roots: up the parents to one that is resolved, and back. */
static lp_status find_roots(lpi_lowering *l, const int64_t *parents)
{
    lpi_program *p = l->program;
    bool *done = LPI_NEW(l->scratch, bool, p->values_count);
    int64_t *path = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t i;

    if (!done || !path)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->values_count; i++) {
        int64_t at = i, n = 0;

        while (!done[at] && parents[at] >= 0) {
            path[n++] = at;
            at = parents[at];
        }
        done[at] = true;
        while (n > 0) {
            lpi_value *v = &p->values[path[--n]];

            LP_TRY(join(l, v, &p->values[at]));
            at = path[n];
            done[at] = true;
        }
    }
    return LP_OK;
}

/* Value "at" is made in place: whatever it destroys must be dead. */
static lp_status check_destroyed(lpi_lowering *l, int64_t at,
                                 const int64_t *older)
{
    const lpi_program *p = l->program;
    const lpi_value *v = &p->values[at];
    const lpi_use *use = &p->uses[v->unit];
    int64_t i;

    if (p->values[v->root].unit < 0)
        return LPI_REFUSE(l, v->unit, v->tensor,
                          l->aliases[v->tensor->id]->line,
                          "'%.200s' would overwrite '%.200s', an input of the "
                          "graph",
                          v->tensor->name, p->values[v->root].tensor->name);
    for (i = older[at]; i >= 0; i = older[i])
        if (p->values[i].last_unit > v->unit &&
            lpi_value_touches(&p->values[i], v))
            return LPI_REFUSE(l, v->unit, v->tensor,
                              l->aliases[v->tensor->id]->line,
                              "'%.200s' would overwrite '%.200s', which %s",
                              v->tensor->name, p->values[i].tensor->name,
                              p->values[i].last_unit == p->units_count
                                  ? "is an output of the graph"
                                  : "is read later");
    for (i = 0; i < use->inputs_count; i++) {
        const lpi_value *other = &p->values[use->inputs[i]];

        if (use->inputs[i] != v->in_place_of && other->root == v->root &&
            lpi_value_touches(other, v))
            return LPI_REFUSE(l, v->unit, v->tensor,
                              l->aliases[v->tensor->id]->line,
                              "'%.200s' would overwrite '%.200s', another "
                              "operand",
                              v->tensor->name, other->tensor->name);
    }
    return LP_OK;
}

/* Check all results in place.  "older" links the values of a root; those that
 * died are unlinked on the way, so that long chains take linear time. */
static lp_status check_in_place(lpi_lowering *l)
{
    lpi_program *p = l->program;
    int64_t *older = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t *newest = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t i;

    if (!older || !newest)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->values_count; i++)
        newest[i] = -1;
    for (i = 0; i < p->values_count; i++) {
        const lpi_value *v = &p->values[i];
        int64_t *link = &newest[v->root];

        while (*link >= 0) {
            if (p->values[*link].last_unit <= v->unit)
                *link = older[*link];
            else
                link = &older[*link];
        }
        older[i] = newest[v->root];
        newest[v->root] = i;
        if (v->in_place_of >= 0)
            LP_TRY(check_destroyed(l, i, older));
    }
    return LP_OK;
}

/* Outputs of the graph are handed over as they lie: in one piece. */
static lp_status check_outputs(lpi_lowering *l)
{
    const lpi_program *p = l->program;
    int64_t i;

    for (i = 0; i < p->values_count; i++) {
        const lpi_value *v = &p->values[i];

        if (v->last_unit == p->units_count && v->blocks > 1)
            return LPI_REFUSE(l, v->unit, v->tensor, 0,
                              "'%.200s', an output of the graph, would be a "
                              "strided part",
                              v->tensor->name);
    }
    return LP_OK;
}

lp_status lpi_lower_aliases(lpi_lowering *l)
{
    lpi_program *p = l->program;
    const lp_schedule *s = l->schedule;
    int64_t *parents = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t i;

    l->aliases = LPI_NEW(l->scratch, const lp_alias *, p->model->tensors_count);
    if (!parents || !l->aliases)
        return lpi_fail_memory(l->error);
    for (i = 0; i < s->aliases_count; i++) {
        const lp_alias *alias = &s->aliases[i];

        LP_TRY(check_widths(l, alias));
        if (!can_hold(s, alias))
            return LPI_REFUSE(l, -1, alias->tensor, alias->line,
                              "'%.200s' cannot be %s '%.200s'",
                              alias->tensor->name, kinds[alias->kind],
                              alias->of->name);
        if (l->aliases[alias->tensor->id])
            return LPI_REFUSE(l, -1, alias->tensor, alias->line,
                              "'%.200s' has two aliases", alias->tensor->name);
        l->aliases[alias->tensor->id] = alias;
    }
    for (i = 0; i < p->values_count; i++)
        parents[i] = -1;
    for (i = 0; i < p->units_count; i++)
        if (p->units[i].layer)
            find_backward(l, i, parents);
    for (i = 0; i < p->units_count; i++)
        if (p->units[i].layer && !strcmp(p->units[i].layer->op, "Concat"))
            LP_TRY(find_forward(l, i, parents));
    LP_TRY(find_roots(l, parents));
    LP_TRY(check_outputs(l));
    return check_in_place(l);
}
