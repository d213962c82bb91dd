/* bound.c: how long a model takes on a device at the least, however it is run.
 *
 * Every weight that a layer reads for an output is read once, and every layer
 * that must be computed in full is computed once.  A layer that cannot be cut
 * runs whole; one that can, in a group of tiles, leaves out what its readers do
 * not take.  So its result must be an output of the graph or be taken in full
 * by a layer that runs in full itself.  A reader takes all of an operand when
 * its whole result does, and when tiles of one row next to each other, along
 * every axis, leave nothing out between them: what rows take is the same from
 * one tile to the next. */
#include <string.h>

#include "sched.h"

typedef struct needs {
    const lp_model *model;
    const lp_schedule *schedule; /* whose widths count; NULL: as they are */
    lpi_arena *arena, *scratch;
    bool *is_taken, *is_whole; /* by tensor: at all, in full */
    lp_error *error;
} needs;

static void take(needs *n, const lp_tensor *tensor, bool whole)
{
    if (!tensor)
        return;
    n->is_taken[tensor->id] = true;
    n->is_whole[tensor->id] = n->is_whole[tensor->id] || whole;
}

/* Boxes of the operands of "layer" for the rows "from" to "to" of axis "axis"
 * of its result; "*ret_boxes" is NULL where it cannot be cut so. */
static lp_status boxes_of(needs *n, const lp_layer *layer, int32_t axis,
                          int64_t from, int64_t to, lpi_box **ret_boxes)
{
    lpi_box out = lpi_tensor_box(layer->outputs[0]);
    lpi_box *boxes = LPI_NEW(n->scratch, lpi_box, layer->inputs_count);
    lp_error local = {.status = LP_OK};
    lp_status status;
    lp_layer *shadow;

    if (!boxes)
        return lpi_fail_memory(n->error);
    if (out.rank > 0) {
        out.from[axis] = from;
        out.to[axis] = to;
    }
    status = lpi_shadow_new(n->scratch, n->model, layer, &out, boxes, &shadow,
                            &local);
    *ret_boxes = status == LP_OK ? boxes : NULL;
    if (status == LP_OK || status == LP_EUNSUPPORTED)
        return LP_OK;
    return lpi_fail(n->error, status, local.where, "%s", local.message);
}

static bool covers(const lpi_box *box, const lp_tensor *tensor)
{
    int32_t a;

    for (a = 0; a < box->rank; a++)
        if (box->from[a] > 0 || box->to[a] < tensor->shape.dims[a])
            return false;
    return true;
}

/* Whether something of a tensor lies between two boxes of it. */
static bool is_apart(const lpi_box *a, const lpi_box *b)
{
    int32_t i;

    for (i = 0; i < a->rank && a->rank == b->rank; i++)
        if (b->from[i] > a->to[i] || a->from[i] > b->to[i])
            return true;
    return false;
}

/* Clear "all[i]" where tiles of "layer" along "axis", as thin as it takes them,
 * leave out something of its operand "i". */
static lp_status find_gaps(needs *n, const lp_layer *layer, int32_t axis,
                           bool *all)
{
    int64_t dim = layer->outputs[0]->shape.dims[axis], rows;
    lpi_box *first, *second;
    int32_t i;

    for (rows = 1; rows <= dim / 2; rows *= 2) {
        LP_TRY(boxes_of(n, layer, axis, 0, rows, &first));
        LP_TRY(boxes_of(n, layer, axis, rows, 2 * rows, &second));
        if (!first || !second)
            continue;
        for (i = 0; i < layer->inputs_count; i++)
            all[i] = all[i] && !is_apart(&first[i], &second[i]);
        return LP_OK;
    }
    return LP_OK;
}

/* Set "all[i]" where "layer" takes all of its operand "i" in tiles too. */
static lp_status find_taken(needs *n, const lp_layer *layer, bool *all)
{
    const lp_shape shape = layer->outputs[0]->shape;
    lpi_box *boxes;
    int32_t a, i;

    LP_TRY(boxes_of(n, layer, 0, 0, shape.rank ? shape.dims[0] : 1, &boxes));
    for (i = 0; i < layer->inputs_count; i++)
        all[i] = layer->inputs[i] &&
                 (!boxes || covers(&boxes[i], layer->inputs[i]));
    for (a = 0; a < shape.rank; a++)
        LP_TRY(find_gaps(n, layer, a, all));
    return LP_OK;
}

/* Whether "layer" may be one of a group, and so be cut. */
static bool may_be_cut(const lp_layer *layer)
{
    return layer->row && layer->row->tile && layer->outputs_count &&
           lpi_is_value(layer->outputs[0]) &&
           layer->outputs[0]->shape.rank <= LPI_RANKS;
}

/* Pass on what "layer" is needed for; "*ret_runs" when it runs in full. */
static lp_status pass(needs *n, const lp_layer *layer, bool *ret_runs)
{
    bool *all = LPI_NEW(n->scratch, bool, layer->inputs_count);
    const lp_model *body;
    bool runs = !may_be_cut(layer), taken = false;
    int32_t i, at = 0;
    int64_t j;

    *ret_runs = false;
    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i] && n->is_taken[layer->outputs[i]->id]) {
            taken = true;
            runs = runs || i > 0 || n->is_whole[layer->outputs[i]->id];
        }
    if (!all)
        return lpi_fail_memory(n->error);
    if (!taken)
        return LP_OK;
    if (runs && may_be_cut(layer))
        LP_TRY(find_taken(n, layer, all));
    for (i = 0; i < layer->inputs_count; i++)
        take(n, layer->inputs[i], !may_be_cut(layer) || (runs && all[i]));
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++)
            take(n, body->captures[j]->outer, true);
    *ret_runs = runs;
    return LP_OK;
}

static int64_t stored(const needs *n, const lp_tensor *tensor)
{
    return n->schedule ? lpi_planned_stored(n->schedule, tensor)
                       : tensor->stored_bytes;
}

static lp_status find(needs *n, const lp_device *device, int64_t *ret_bound)
{
    const lp_model *model = n->model;
    int64_t compute = 0, bytes = 0, copies = 0, read = 0, i;

    for (i = 0; i < model->outputs_count; i++)
        if (model->outputs[i] && !model->outputs[i]->is_static)
            take(n, model->outputs[i], true);
    for (i = model->layers_count - 1; i >= 0; i--) {
        const lp_layer *layer = model->layers[i];
        lp_row_status status;
        lp_cost cost;
        bool runs;

        if (layer->is_static)
            continue;
        LP_TRY(pass(n, layer, &runs));
        lpi_arena_reset(n->scratch);
        if (!runs)
            continue;
        LP_TRY(lpi_layer_cost(model, layer, &cost, &status, n->error));
        compute =
            lpi_add(compute, lpi_compute_ns(device, n->schedule, layer, &cost));
    }
    for (i = 0; i < model->tensors_count; i++)
        if (n->is_taken[i] && model->tensors[i]->is_static &&
            model->tensors[i]->stored_bytes) {
            bytes = lpi_add(bytes, stored(n, model->tensors[i]));
            copies++;
        }
    if (device->weights_memory && copies)
        read =
            lpi_add(lp_device_copy_ns(device, device->weights_memory, 0, bytes),
                    lpi_mul(copies - 1, device->dma_setup_ns));
    *ret_bound = compute > read ? compute : read;
    return LP_OK;
}

lp_status lpi_latency_bound(const lp_device *device, const lp_model *model,
                            const lp_schedule *schedule,
                            int64_t *ret_latency_ns, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(model->arena));
    needs n = {
        .model = model, .schedule = schedule, .arena = arena, .error = error};
    lp_status status = LP_ENOMEM;

    n.scratch = arena ? lpi_arena_new(lpi_arena_cap(model->arena)) : NULL;
    if (n.scratch) {
        n.is_taken = LPI_NEW(arena, bool, model->tensors_count);
        n.is_whole = LPI_NEW(arena, bool, model->tensors_count);
    }
    if (n.is_taken && n.is_whole)
        status = find(&n, device, ret_latency_ns);
    else
        lpi_fail_memory(error);
    lpi_arena_free(n.scratch);
    lpi_arena_free(arena);
    return status;
}

lp_status lp_device_bound(const lp_device *device, const lp_model *model,
                          int64_t *ret_latency_ns, lp_error *error)
{
    return lpi_latency_bound(device, model, NULL, ret_latency_ns, error);
}
