/* problem.c: a model in the words of planners: numbered tensors and layers.
 *
 * Tensors are the activations in the order of the model's tensors, layers those
 * that run, in order.  What bodies take is read off a lowering of the model in
 * its own order. */
#include <string.h>

#include "plan.h"

typedef struct builder {
    lpi_planning *planning;
    const lp_model *model;
    const lp_schedule *first; /* whose widths count */
    lpi_arena *arena, *scratch;
    lp_plan_tensor *tensors;
    lp_plan_layer *layers;
    int32_t tensors_count, layers_count;
    int64_t *seen; /* by tensor id: the mark of the pass that saw it */
    int64_t mark;
    int64_t *workspace; /* by layer id */
    lp_error *error;
} builder;

typedef struct reads {
    int32_t *inputs;
    const lp_tensor **weights;
    int32_t inputs_count, weights_count;
    int64_t weight_bytes;
} reads;

/* Note that a layer reads "tensor", once in a pass; without room "r" only
 * counts. */
static void note_read(builder *b, const lp_tensor *tensor, reads *r)
{
    if (!tensor || tensor->id >= b->model->tensors_count ||
        b->model->tensors[tensor->id] != tensor ||
        b->seen[tensor->id] == b->mark)
        return;
    b->seen[tensor->id] = b->mark;
    if (lpi_is_value(tensor)) {
        if (r->inputs)
            r->inputs[r->inputs_count] =
                b->planning->tensor_numbers[tensor->id];
        r->inputs_count++;
    } else if (tensor->is_static) {
        if (r->weights)
            r->weights[r->weights_count] = tensor;
        r->weights_count++;
        r->weight_bytes =
            lpi_add(r->weight_bytes, lpi_planned_stored(b->first, tensor));
    }
}

/* Note all that "layer" reads, and what its bodies see of the graph around. */
static void note_reads(builder *b, const lp_layer *layer, reads *r)
{
    const lp_model *body;
    int32_t i, at = 0;
    int64_t j;

    b->mark++;
    for (i = 0; i < layer->inputs_count; i++)
        note_read(b, layer->inputs[i], r);
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++)
            note_read(b, body->captures[j]->outer, r);
}

static lp_status add_operands(builder *b, lp_plan_layer *to)
{
    const lp_layer *layer = to->layer;
    reads r = {0};
    int32_t *outputs = LPI_NEW(b->arena, int32_t, layer->outputs_count);
    int32_t i;

    note_reads(b, layer, &r);
    r = (reads){
        .inputs = LPI_NEW(b->arena, int32_t, r.inputs_count),
        .weights = LPI_NEW(b->arena, const lp_tensor *, r.weights_count)};
    if (!r.inputs || !r.weights || !outputs)
        return lpi_fail_memory(b->error);
    note_reads(b, layer, &r);
    for (i = 0; i < layer->outputs_count; i++)
        if (lpi_is_value(layer->outputs[i]))
            outputs[to->outputs_count++] =
                b->planning->tensor_numbers[layer->outputs[i]->id];
    to->inputs = r.inputs;
    to->inputs_count = r.inputs_count;
    to->weights = r.weights;
    to->weights_count = r.weights_count;
    to->weight_bytes = r.weight_bytes;
    to->outputs = outputs;
    return LP_OK;
}

static lp_status add_layer(builder *b, lp_layer *layer)
{
    int32_t number = b->layers_count++;
    lp_plan_layer *to = &b->layers[number];
    const lp_device *device = b->planning->problem.device;
    lp_row_status status;

    *to = (lp_plan_layer){
        .layer = layer,
        .name = layer->name,
        .op = layer->op,
        .module = layer->module,
        .workspace_bytes = b->workspace[layer->id],
        .is_pure = !layer->row || !(layer->row->flags & LPI_IMPURE),
        .is_view =
            layer->row && layer->row->flags & LPI_VIEW && layer->inputs_count &&
            lpi_is_value(layer->inputs[0]) &&
            lpi_same_width(b->first, layer->inputs[0], layer->outputs[0]),
    };
    b->planning->layer_numbers[layer->id] = number;
    LP_TRY(add_operands(b, to));
    LP_TRY(lpi_layer_cost(b->model, layer, &to->cost, &status, b->error));
    if (device)
        to->compute_ns = lpi_compute_ns(device, b->first, layer, &to->cost);
    return LP_OK;
}

static void add_tensor(builder *b, const lp_tensor *tensor)
{
    int32_t number = b->tensors_count++;

    b->planning->tensor_numbers[tensor->id] = number;
    b->tensors[number] = (lp_plan_tensor){
        .tensor = tensor,
        .name = tensor->name,
        .dtype = lpi_planned_dtype(b->first, tensor),
        .shape = tensor->shape,
        .bytes = lpi_planned_bytes(b->first, tensor),
        .producer = -1,
        .viewed = number,
    };
}

/* Producers, readers and what is a view of what. */
static lp_status link(builder *b)
{
    int32_t *room = LPI_NEW(b->scratch, int32_t, b->tensors_count);
    int32_t i, j;

    if (!room)
        return lpi_fail_memory(b->error);
    for (i = 0; i < b->layers_count; i++) {
        const lp_plan_layer *layer = &b->layers[i];

        for (j = 0; j < layer->outputs_count; j++)
            b->tensors[layer->outputs[j]].producer = i;
        for (j = 0; j < layer->inputs_count; j++)
            room[layer->inputs[j]]++;
    }
    for (i = 0; i < b->tensors_count; i++) {
        b->tensors[i].readers = LPI_NEW(b->arena, int32_t, room[i]);
        if (!b->tensors[i].readers)
            return lpi_fail_memory(b->error);
    }
    for (i = 0; i < b->layers_count; i++) {
        const lp_plan_layer *layer = &b->layers[i];
        lp_plan_tensor *of, *out;

        for (j = 0; j < layer->inputs_count; j++) {
            of = &b->tensors[layer->inputs[j]];
            ((int32_t *)of->readers)[of->readers_count++] = i;
        }
        if (!layer->is_view || !lpi_is_value(layer->layer->outputs[0]))
            continue;
        out = &b->tensors[b->planning
                              ->tensor_numbers[layer->layer->outputs[0]->id]];
        of = &b->tensors[b->planning
                             ->tensor_numbers[layer->layer->inputs[0]->id]];
        out->viewed = of->viewed;
    }
    return LP_OK;
}

/* What the bodies of each layer take, from a lowering of "first". */
static lp_status find_workspace(builder *b, const lp_schedule *first)
{
    lpi_program p;
    int64_t i;

    LP_TRY(lpi_program_lower(b->scratch, first, &p, NULL, b->error));
    for (i = 0; i < p.residencies_count; i++)
        if (p.residencies[i].kind == LPI_OF_WORKSPACE)
            b->workspace[p.residencies[i].layer->id] = p.residencies[i].bytes;
    return LP_OK;
}

static lp_status build(builder *b, const lp_schedule *first)
{
    const lp_model *model = b->model;
    lpi_planning *planning = b->planning;
    int64_t i;

    b->tensors = LPI_NEW(b->arena, lp_plan_tensor, model->tensors_count);
    b->layers = LPI_NEW(b->arena, lp_plan_layer, model->layers_count);
    b->seen = LPI_NEW(b->scratch, int64_t, model->tensors_count);
    b->workspace = LPI_NEW(b->scratch, int64_t, model->layers_count);
    planning->tensor_numbers = LPI_NEW(b->arena, int32_t, model->tensors_count);
    planning->layer_numbers = LPI_NEW(b->arena, int32_t, model->layers_count);
    if (!b->tensors || !b->layers || !b->seen || !b->workspace ||
        !planning->tensor_numbers || !planning->layer_numbers)
        return lpi_fail_memory(b->error);
    LP_TRY(find_workspace(b, first));
    for (i = 0; i < model->tensors_count; i++) {
        planning->tensor_numbers[i] = -1;
        if (lpi_is_value(model->tensors[i]))
            add_tensor(b, model->tensors[i]);
    }
    for (i = 0; i < model->layers_count; i++) {
        planning->layer_numbers[i] = -1;
        if (!model->layers[i]->is_static)
            LP_TRY(add_layer(b, model->layers[i]));
    }
    for (i = 0; i < model->outputs_count; i++)
        if (lpi_is_value(model->outputs[i]))
            b->tensors[planning->tensor_numbers[model->outputs[i]->id]]
                .is_output = true;
    return link(b);
}

lp_status lpi_problem_build(lpi_planning *planning, const lp_schedule *first,
                            lp_error *error)
{
    builder b = {.planning = planning,
                 .model = planning->model,
                 .first = first,
                 .arena = planning->arena,
                 .error = error};
    lp_status status;

    LP_TRY(lpi_kin_find(planning, error));
    b.scratch = lpi_arena_new(lpi_arena_cap(planning->arena));
    status = b.scratch ? build(&b, first) : lpi_fail_memory(error);
    lpi_arena_free(b.scratch);
    planning->problem.model = planning->model;
    planning->problem.layers = b.layers;
    planning->problem.layers_count = b.layers_count;
    planning->problem.tensors = b.tensors;
    planning->problem.tensors_count = b.tensors_count;
    return status;
}

int32_t lp_problem_tensor(const lp_problem *problem, const lp_tensor *tensor)
{
    const lp_model *model = problem->model;

    return tensor && tensor->id < model->tensors_count &&
                   model->tensors[tensor->id] == tensor
               ? problem->run->planning->tensor_numbers[tensor->id]
               : -1;
}

int32_t lp_problem_layer(const lp_problem *problem, const lp_layer *layer)
{
    const lp_model *model = problem->model;

    return layer && layer->id < model->layers_count &&
                   model->layers[layer->id] == layer
               ? problem->run->planning->layer_numbers[layer->id]
               : -1;
}
