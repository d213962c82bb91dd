/* layer.c: one layer: operands found, results placed, the row's run called.
 *
 * A layer whose shapes are exact runs as it stands.  Where a shape depends on
 * data, a shadow of the layer gets the shapes and contents of this run, its
 * row infers the results anew, and a row whose results are known only when it
 * has run sets them then (lpi_out_set on the shadow). */
#include <string.h>

#include "exec.h"

/* What a layer reads in this run. */
typedef struct call {
    lpi_frame *frame;
    const lp_layer *layer;  /* of the model */
    const lp_layer *actual; /* it, or its shadow */
    lp_model model;         /* of the shadow: allocates beside it */
    const void **in;
    void **out;
    lp_shape *shapes;           /* of the inputs */
    int64_t **out_dims;         /* of the results of a shadow; NULL without */
    const lpi_bundle **bundles; /* results that are some */
} call;

static lp_status gather(call *c)
{
    const lp_layer *layer = c->layer;
    lpi_arena *arena = c->frame->shadow;

    c->in = LPI_NEW(arena, const void *, layer->inputs_count);
    c->out = LPI_NEW(arena, void *, layer->outputs_count);
    c->shapes = LPI_NEW(arena, lp_shape, layer->inputs_count);
    c->bundles = LPI_NEW(arena, const lpi_bundle *, layer->outputs_count);
    if (!c->in || !c->out || !c->shapes || !c->bundles)
        return lpi_fail_memory(c->frame->exec->error);
    for (int32_t i = 0; i < layer->inputs_count; i++) {
        if (!layer->inputs[i])
            continue;
        LP_TRY(lpi_check_bundle(c->frame, layer->inputs[i]));
        LP_TRY(lpi_frame_get(c->frame, layer->inputs[i], &c->in[i],
                             &c->shapes[i]));
    }
    return LP_OK;
}

static bool same_dims(lp_shape a, lp_shape b)
{
    return a.rank == b.rank &&
           (a.dims == b.dims || a.rank == 0 ||
            !memcmp(a.dims, b.dims, (size_t)a.rank * sizeof(*a.dims)));
}

/* Whether "layer" makes output "i" although nobody wants it: rows compute their
 * first result always. */
static bool is_unwanted(const lp_layer *layer, int32_t i)
{
    return i == 0 && !layer->outputs[0];
}

/* Whether the shapes of this run can differ from those of the model. */
static bool is_loose(const call *c)
{
    for (int32_t i = 0; i < c->layer->inputs_count; i++) {
        const lp_tensor *tensor = c->layer->inputs[i];

        if (tensor &&
            (tensor->is_bound || tensor->value_is_bound ||
             lpi_is_bundle(tensor) || !same_dims(c->shapes[i], tensor->shape)))
            return true;
    }
    for (int32_t i = 0; i < c->layer->outputs_count; i++) {
        const lp_tensor *tensor = c->layer->outputs[i];

        if (is_unwanted(c->layer, i))
            return true;
        if (tensor &&
            (tensor->is_bound || tensor->dtype == LP_UNDEFINED ||
             lpi_is_bundle(tensor) || !lpi_shape_known(tensor->shape)))
            return true;
    }
    return false;
}

/* A copy of "tensor" (NULL stays NULL) in "arena". */
static lp_tensor *copy_tensor(lpi_arena *arena, const lp_tensor *tensor)
{
    lp_tensor *copy = LPI_NEW(arena, lp_tensor, 1);

    if (copy)
        *copy = *tensor;
    return copy;
}

/* A copy of the layer whose tensors are those of this run. */
static lp_status make_shadow(call *c, lp_layer **ret_shadow)
{
    const lp_layer *layer = c->layer;
    lpi_arena *arena = c->frame->shadow;
    lp_layer *shadow = LPI_NEW(arena, lp_layer, 1);
    lp_tensor **in = LPI_NEW(arena, lp_tensor *, layer->inputs_count);
    lp_tensor **out = LPI_NEW(arena, lp_tensor *, layer->outputs_count);
    void *params = lpi_arena_alloc(arena, layer->row->params_size);

    if (!shadow || !in || !out || !params)
        return lpi_fail_memory(c->frame->exec->error);
    for (int32_t i = 0; i < layer->inputs_count; i++) {
        for (int32_t k = 0; k < i && !in[i]; k++)
            if (layer->inputs[k] == layer->inputs[i])
                in[i] = in[k];
        if (!layer->inputs[i] || in[i])
            continue;
        in[i] = copy_tensor(arena, layer->inputs[i]);
        if (!in[i])
            return lpi_fail_memory(c->frame->exec->error);
        in[i]->shape = c->shapes[i];
        in[i]->is_bound = in[i]->value_is_bound = false;
        in[i]->value = c->in[i];
    }
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        if (!layer->outputs[i] && !is_unwanted(layer, i))
            continue;
        out[i] = layer->outputs[i] ? copy_tensor(arena, layer->outputs[i])
                                   : LPI_NEW(arena, lp_tensor, 1);
        if (!out[i])
            return lpi_fail_memory(c->frame->exec->error);
        if (!out[i]->name)
            out[i]->name = "";
        out[i]->shape = lpi_shape_unknown;
        out[i]->is_bound = false;
        out[i]->value = NULL;
    }
    if (layer->row->params_size)
        memcpy(params, layer->params, layer->row->params_size);
    *shadow = *layer;
    shadow->inputs = in;
    shadow->outputs = out;
    shadow->params = params;
    shadow->operand_bytes = lpi_operand_bytes(shadow);
    *ret_shadow = shadow;
    return LP_OK;
}

/* Room for the dimensions that the run of "shadow" finds, which begin as those
 * inferred. */
static lp_status note_dims(call *c, lp_layer *shadow, bool is_bound)
{
    lpi_arena *arena = c->frame->shadow;

    c->out_dims = LPI_NEW(arena, int64_t *, shadow->outputs_count);
    if (!c->out_dims)
        return lpi_fail_memory(c->frame->exec->error);
    for (int32_t i = 0; i < shadow->outputs_count; i++) {
        lp_tensor *tensor = shadow->outputs[i];
        lp_shape copy;

        if (!tensor || tensor->shape.rank < 0)
            continue;
        tensor->is_bound = tensor->is_bound || is_bound;
        copy = lpi_shape_copy(arena, tensor->shape.rank, tensor->shape.dims);
        if (copy.rank < 0)
            return lpi_fail_memory(c->frame->exec->error);
        c->out_dims[i] = (int64_t *)copy.dims;
    }
    return LP_OK;
}

/* Make "c" run a shadow whose results have the shapes of this run. */
static lp_status infer(call *c)
{
    lpi_exec *exec = c->frame->exec;
    lp_layer *shadow = NULL;
    lpi_node node = {
        .model = &c->model, .context = &exec->context, .error = exec->error};

    LP_TRY(make_shadow(c, &shadow));
    c->model.arena = c->frame->shadow;
    node.layer = shadow;
    node.params = shadow->params;
    LP_TRY(lpi_node_fit(&node));
    LP_TRY(shadow->row->shape(&node));
    lpi_arena_reset(exec->scratch);
    c->actual = shadow;
    exec->counters.is_estimated = true;
    return note_dims(c, shadow, node.is_bound);
}

/* Whether the result of a view can share the bytes of its operand. */
static bool shares(const call *c)
{
    const lp_layer *layer = c->layer;

    return !c->frame->program && layer->row->flags & LPI_VIEW &&
           layer->inputs[0] && !layer->inputs[0]->is_static &&
           layer->inputs[0]->kind != LPI_CAPTURE && layer->outputs[0] &&
           c->frame->slots[layer->inputs[0]->id].buffer;
}

/* Let output 0 be the bytes of input 0. */
static lp_status share(call *c)
{
    lpi_frame *frame = c->frame;
    const lp_tensor *from = c->layer->inputs[0], *to = c->layer->outputs[0];
    lpi_slot *slot = &frame->slots[to->id];

    lpi_buffer_drop(frame->exec, slot->buffer);
    slot->buffer = frame->slots[from->id].buffer;
    slot->buffer->references++;
    c->out[0] = slot->bytes = frame->slots[from->id].bytes;
    slot->shape = frame->slots[from->id].shape;
    if (lpi_is_bundle(to))
        return LP_OK;
    return lpi_frame_shape(frame, to, c->actual->outputs[0]->shape);
}

static lp_status place(call *c)
{
    const lp_layer *layer = c->layer;
    int32_t first = shares(c) ? 1 : 0;

    if (first)
        LP_TRY(share(c));
    if (layer->outputs_count && is_unwanted(layer, 0) && c->actual != layer) {
        int64_t bytes = lpi_tensor_bytes(c->actual->outputs[0]);

        c->out[0] =
            bytes < 0 ? NULL
                      : lpi_arena_array(c->frame->shadow, lpi_add(bytes, 1), 1);
        if (!c->out[0])
            return lpi_fail_memory(c->frame->exec->error);
    }
    for (int32_t i = first; i < layer->outputs_count; i++)
        if (layer->outputs[i] && !lpi_is_bundle(layer->outputs[i]))
            LP_TRY(lpi_frame_put(c->frame, layer->outputs[i],
                                 c->actual->outputs[i]->shape, &c->out[i]));
    return LP_OK;
}

/* Nothing has to be done for a view that lies where its operand lies. */
static bool is_done(const call *c)
{
    return c->layer->row->flags & LPI_VIEW && c->layer->outputs_count == 1 &&
           c->out[0] == c->in[0];
}

/* Whether there is nothing to compute: no output has an element. */
static bool is_empty(const lp_layer *layer)
{
    bool any = false;

    for (int32_t i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *to = layer->outputs[i];

        if (to && (lpi_is_bundle(to) || to->is_bound ||
                   lpi_shape_elements(to->shape) != 0))
            return false;
        any = any || to;
    }
    return any;
}

lp_status lpi_layer_compute(lpi_frame *frame, const lpi_run *given)
{
    lpi_exec *exec = frame->exec;
    lpi_node node = *given->node;
    const lp_layer *layer = node.layer;
    lpi_run run = *given;
    lp_status status;

    node.params = layer->params;
    node.context = &exec->context;
    node.error = exec->error;
    run.node = &node;
    run.scratch = exec->scratch;
    run.threads = exec->threads;
    if (!layer->row || !layer->row->run)
        return lpi_exec_fail(exec, "layer '%.200s': %.100s cannot be run",
                             layer->name, layer->op);
    status = is_empty(layer) ? LP_OK : layer->row->run(&run);
    lpi_arena_reset(exec->scratch);
    return status;
}

lp_status lpi_layer_count(lpi_frame *frame, const lp_layer *layer,
                          const lp_layer *actual)
{
    lpi_exec *exec = frame->exec;
    lp_row_status status = LP_EXACT;
    lp_cost cost = {0};

    LP_TRY(lpi_layer_cost(frame->model, actual, &cost, &status, exec->error));
    exec->counters.macs += lp_cost_macs(&cost);
    if (status != LP_EXACT)
        exec->counters.is_estimated = true;
    if (exec->profile) {
        lpi_profile *profile =
            &exec->profile[frame->depth ? exec->outermost : layer->id];

        profile->macs += lp_cost_macs(&cost);
        profile->flops += lp_cost_flops(&cost);
        profile->bytes += lpi_add(cost.read_bytes, cost.write_bytes);
    }
    return LP_OK;
}

static lp_status compute(const call *c)
{
    bool is_shadow = c->actual != c->layer;
    const lpi_node node = {
        .model = (lp_model *)(is_shadow ? &c->model : c->frame->model),
        .layer = (lp_layer *)c->actual,
    };
    const lpi_run run = {.node = &node,
                         .in = c->in,
                         .out = c->out,
                         .out_dims = c->out_dims,
                         .bundles = c->bundles};

    return lpi_layer_compute(c->frame, &run);
}

static lp_status run_call(call *c)
{
    const lp_layer *layer = c->layer;

    LP_TRY(gather(c));
    if (!layer->row)
        return lpi_exec_fail(c->frame->exec, "layer '%.200s' cannot be run",
                             layer->name);
    if (is_loose(c))
        LP_TRY(infer(c));
    LP_TRY(place(c));
    if (!is_done(c))
        LP_TRY(compute(c));
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        lp_shape shape = {0};

        if (!layer->outputs[i] || c->actual == layer)
            continue;
        if (lpi_is_bundle(layer->outputs[i])) {
            if (c->bundles[i])
                LP_TRY(lpi_frame_bundle(c->frame, layer->outputs[i],
                                        c->bundles[i]));
            continue;
        }
        shape.rank = c->actual->outputs[i]->shape.rank;
        shape.dims = c->out_dims[i];
        LP_TRY(lpi_frame_shape(c->frame, layer->outputs[i], shape));
    }
    return lpi_layer_count(c->frame, layer, c->actual);
}

/* A layer with bodies, which count what they do.  Bounds were planned where
 * data say what that is: of If, which branch runs, of Loop, how often. */
static lp_status run_bodies(lpi_frame *frame, const lp_layer *layer)
{
    lp_row_status status = LP_EXACT;
    lp_cost cost;

    LP_TRY(lpi_layer_cost(frame->model, layer, &cost, &status,
                          frame->exec->error));
    if (status != LP_EXACT)
        frame->exec->counters.is_estimated = true;
    return lpi_body_run(frame, layer);
}

lp_status lpi_layer_run(lpi_frame *frame, const lp_layer *layer)
{
    int64_t mark = lpi_content_mark(frame->exec);
    call c = {.frame = frame,
              .layer = layer,
              .actual = layer,
              .model = *frame->model};
    lp_status status = lpi_body_known(layer) ? run_bodies(frame, layer)
                                             : run_call(&c);

    lpi_content_release(frame->exec, mark);
    lpi_arena_reset(frame->shadow);
    return status;
}
