/* values.c: productions, and who reads which.
 *
 * One walk over the units keeps the latest production of every tensor; a read
 * takes it and extends its life.  Tensors made inside a group are candidates
 * until the walk has shown whether a later unit reads them: the others exist
 * as tiles only and are taken out again.
 *
 * Invariant: values stand in the order of their units, graph inputs first. */
#include <string.h>

#include "sched.h"

typedef struct candidate {
    lpi_value value;
    int64_t seen_at; /* unit that lists it among its inputs last */
    bool is_inner;   /* made inside a group, and not its result */
} candidate;

/* Where the lists of a unit begin in the pool. */
typedef struct span {
    int64_t inputs, outputs, end;
} span;

typedef struct walk {
    lpi_lowering *l;
    int64_t *current; /* by tensor id: latest candidate, -1 */
    int64_t *made_in; /* by tensor id: unit + 1 whose group made it last */
    int64_t *runs;    /* by layer id */
    candidate *candidates;
    int64_t count, room;
    int64_t *pool;
    int64_t pooled, pool_room;
    span *spans;
} walk;

bool lpi_is_value(const lp_tensor *tensor)
{
    return tensor && !tensor->is_static &&
           (tensor->kind == LPI_ACTIVATION || tensor->kind == LPI_INPUT);
}

/* Impure, by its row or that of a layer in a body; "depth" bodies around. */
static bool is_impure(const lp_layer *layer, int32_t depth)
{
    const lp_model *body;
    int32_t at = 0;
    int64_t i;

    if (!layer->row || layer->row->flags & LPI_IMPURE)
        return true;
    while (depth < LPI_BODIES_DEEP && (body = lpi_next_body(layer, &at)))
        for (i = 0; i < body->layers_count; i++)
            if (is_impure(body->layers[i], depth + 1))
                return true;
    return false;
}

static lp_status check_type(const walk *w, const lp_tensor *tensor)
{
    if (tensor->container == LPI_TENSOR && lpi_shape_known(tensor->shape) &&
        lp_dtype_bits(tensor->dtype) > 0)
        return LP_OK;
    return lpi_fail(w->l->error, LP_EUNSUPPORTED, w->l->program->model->path,
                    "tensor '%.300s' has no known size, so that no memory can "
                    "be planned for it",
                    tensor->name);
}

/* A new production of "tensor" by "unit". */
static lp_status produce(walk *w, const lp_tensor *tensor, int64_t unit,
                         bool is_inner)
{
    candidate fresh = {
        .value = {.tensor = tensor,
                  .unit = unit,
                  .last_unit = unit < 0 ? 0 : unit,
                  .blocks = 1,
                  .block_bytes = lpi_planned_bytes(w->l->schedule, tensor),
                  .in_place_of = -1},
        .seen_at = -1,
        .is_inner = is_inner,
    };

    LP_TRY(check_type(w, tensor));
    if (!LPI_GROW(w->l->scratch, w->candidates, w->count, w->room))
        return lpi_fail_memory(w->l->error);
    w->current[tensor->id] = w->count;
    w->candidates[w->count++] = fresh;
    return LP_OK;
}

static lp_status pool(walk *w, int64_t value)
{
    if (!LPI_GROW(w->l->scratch, w->pool, w->pooled, w->pool_room))
        return lpi_fail_memory(w->l->error);
    w->pool[w->pooled++] = value;
    return LP_OK;
}

static lp_status read_tensor(walk *w, const lp_tensor *tensor, int64_t unit)
{
    candidate *read;

    if (!lpi_is_value(tensor) || w->made_in[tensor->id] == unit + 1)
        return LP_OK;
    if (w->current[tensor->id] < 0)
        return LPI_REFUSE(w->l, unit, tensor, 0,
                          "reads '%.200s', which no run before it makes",
                          tensor->name);
    read = &w->candidates[w->current[tensor->id]];
    read->value.last_unit = unit;
    if (read->seen_at == unit)
        return LP_OK;
    read->seen_at = unit;
    return pool(w, w->current[tensor->id]);
}

/* The operands of "layer" and what its bodies see of the graph around. */
static lp_status read_operands(walk *w, const lp_layer *layer, int64_t unit)
{
    const lp_model *body;
    int32_t i, at = 0;
    int64_t j;

    for (i = 0; i < layer->inputs_count; i++)
        LP_TRY(read_tensor(w, layer->inputs[i], unit));
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++)
            LP_TRY(read_tensor(w, body->captures[j]->outer, unit));
    return LP_OK;
}

/* Note the tensors of "layer" as made inside the group "unit". */
static lp_status make_inside(walk *w, const lp_layer *layer, int64_t unit)
{
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (!lpi_is_value(tensor))
            continue;
        if (w->made_in[tensor->id] == unit + 1)
            return LPI_REFUSE(w->l, unit, tensor, 0,
                              "its group has layer '%.200s' twice",
                              layer->name);
        w->made_in[tensor->id] = unit + 1;
    }
    return LP_OK;
}

static lp_status check_layer(walk *w, const lp_layer *layer, int64_t unit)
{
    if (layer->is_static)
        return LPI_REFUSE(w->l, unit, (lp_tensor *)NULL, 0,
                          "layer '%.200s' is computed before any run",
                          layer->name);
    if (w->runs[layer->id]++ && is_impure(layer, 0))
        return LPI_REFUSE(w->l, unit, (lp_tensor *)NULL, 0,
                          "layer '%.200s' (%s) gives other values each time "
                          "and cannot run twice",
                          layer->name, layer->op);
    return LP_OK;
}

static lp_status walk_unit(walk *w, int64_t u)
{
    const lp_unit *unit = &w->l->program->units[u];
    int32_t count, i, j;
    lp_layer *const *layers = lpi_unit_layers(unit, &count);

    w->spans[u].inputs = w->pooled;
    for (i = 0; i < count; i++) {
        LP_TRY(check_layer(w, layers[i], u));
        LP_TRY(read_operands(w, layers[i], u));
        if (unit->group)
            LP_TRY(make_inside(w, layers[i], u));
    }
    w->spans[u].outputs = w->pooled;
    for (i = 0; i < count; i++)
        for (j = 0; j < layers[i]->outputs_count; j++) {
            const lp_tensor *tensor = layers[i]->outputs[j];

            if (!lpi_is_value(tensor))
                continue;
            LP_TRY(pool(w, w->count));
            LP_TRY(
                produce(w, tensor, u, unit->group && (i < count - 1 || j > 0)));
        }
    w->spans[u].end = w->pooled;
    return LP_OK;
}

/* Outputs of the graph are read after the last unit. */
static lp_status read_outputs(walk *w)
{
    const lp_model *model = w->l->program->model;
    int64_t i;

    for (i = 0; i < model->outputs_count; i++) {
        const lp_tensor *tensor = model->outputs[i];

        if (!lpi_is_value(tensor))
            continue;
        if (w->current[tensor->id] < 0)
            return LPI_REFUSE(w->l, -1, tensor, 0,
                              "no run makes '%.200s', an output of the graph",
                              tensor->name);
        w->candidates[w->current[tensor->id]].value.last_unit =
            w->l->program->units_count;
    }
    return LP_OK;
}

/* Hand the values over, without tensors that exist as tiles only. */
static lp_status keep_values(walk *w)
{
    lpi_program *p = w->l->program;
    int64_t *fresh = LPI_NEW(w->l->scratch, int64_t, w->count);
    int64_t *lists = LPI_NEW(p->arena, int64_t, w->pooled);
    int64_t n = 0, u, i;

    p->values = LPI_NEW(p->arena, lpi_value, w->count);
    if (!fresh || !lists || !p->values)
        return lpi_fail_memory(w->l->error);
    for (i = 0; i < w->count; i++) {
        const candidate *c = &w->candidates[i];

        fresh[i] = -1;
        if (c->is_inner && c->value.last_unit == c->value.unit)
            continue;
        fresh[i] = p->values_count;
        p->values[p->values_count] = c->value;
        p->values[p->values_count].root = p->values_count;
        p->values_count++;
    }
    for (u = 0; u < p->units_count; u++) {
        lpi_use *use = &p->uses[u];

        use->inputs = lists + n;
        for (i = w->spans[u].inputs; i < w->spans[u].outputs; i++)
            lists[n++] = fresh[w->pool[i]];
        use->inputs_count = (int32_t)(lists + n - use->inputs);
        use->outputs = lists + n;
        for (; i < w->spans[u].end; i++)
            if (fresh[w->pool[i]] >= 0)
                lists[n++] = fresh[w->pool[i]];
        use->outputs_count = (int32_t)(lists + n - use->outputs);
    }
    for (i = 0; i < p->model->inputs_count; i++) {
        const lp_tensor *tensor = p->model->inputs[i];

        p->input_values[i] = tensor->kind == LPI_INPUT ? w->made_in[tensor->id]
                                                       : -1;
    }
    for (i = 0; i < p->model->outputs_count; i++) {
        const lp_tensor *tensor = p->model->outputs[i];

        p->output_values[i] =
            lpi_is_value(tensor) ? fresh[w->current[tensor->id]] : -1;
    }
    return LP_OK;
}

static lp_status make_room(walk *w)
{
    lpi_program *p = w->l->program;
    lpi_arena *scratch = w->l->scratch;
    int64_t i;

    w->current = LPI_NEW(scratch, int64_t, p->model->tensors_count);
    w->made_in = LPI_NEW(scratch, int64_t, p->model->tensors_count);
    w->runs = LPI_NEW(scratch, int64_t, p->model->layers_count);
    w->spans = LPI_NEW(scratch, span, p->units_count);
    p->uses = LPI_NEW(p->arena, lpi_use, p->units_count);
    p->input_values = LPI_NEW(p->arena, int64_t, p->model->inputs_count);
    p->output_values = LPI_NEW(p->arena, int64_t, p->model->outputs_count);
    if (!w->current || !w->made_in || !w->runs || !w->spans || !p->uses ||
        !p->input_values || !p->output_values)
        return lpi_fail_memory(w->l->error);
    for (i = 0; i < p->model->tensors_count; i++)
        w->current[i] = -1;
    return LP_OK;
}

lp_status lpi_lower_values(lpi_lowering *l)
{
    const lp_model *model = l->program->model;
    walk w = {.l = l};
    int64_t i;

    LP_TRY(make_room(&w));
    for (i = 0; i < model->inputs_count; i++) {
        const lp_tensor *tensor = model->inputs[i];

        if (!lpi_is_value(tensor) || w.current[tensor->id] >= 0)
            continue;
        LP_TRY(produce(&w, tensor, -1, false));
    }
    for (i = 0; i < l->program->units_count; i++)
        LP_TRY(walk_unit(&w, i));
    LP_TRY(read_outputs(&w));
    for (i = 0; i < model->inputs_count; i++)
        w.made_in[model->inputs[i]->id] = -1;
    for (i = 0; i < w.count && w.candidates[i].value.unit < 0; i++)
        w.made_in[w.candidates[i].value.tensor->id] = i;
    return keep_values(&w);
}
