/* states.c: the states that the bodies of Loop and Scan carry along.
 *
 * A state that comes out of an iteration with another shape than it went in
 * loses the dimensions that differ, and the body is inferred again, until
 * nothing changes: dimensions are only lost, so this ends.  Below a depth of
 * a few bodies all states are unknown from the start, since the time would be
 * exponential in the depth. */
#include <string.h>

#include "../ops.h"

enum { ROUNDS_MOST = 4, DEPTH_MOST = 4 };

bool lpi_body_passes(const lp_model *body, int64_t out, int64_t in)
{
    const lp_tensor *tensor = body->outputs[out];

    for (int32_t steps = 0; steps < 64; steps++) {
        const lp_layer *layer = tensor->producer;

        if (tensor == body->inputs[in])
            return true;
        if (tensor->kind != LPI_ACTIVATION || layer == NULL ||
            strcmp(layer->op, "Identity") != 0 || layer->inputs_count != 1 ||
            layer->inputs[0] == NULL)
            return false;
        tensor = layer->inputs[0];
    }
    return false;
}

/* Make unknown in "a" what differs in "b"; true when that is something. */
static bool widen(const lpi_node *node, lp_shape *a, lp_shape b)
{
    int64_t *dims = NULL;

    if (a->rank < 0)
        return false;
    for (int32_t i = 0; a->rank == b.rank && i < a->rank; i++) {
        if (a->dims[i] == b.dims[i] || a->dims[i] < 0)
            continue;
        if (dims == NULL)
            dims = lpi_node_dims(node, a->rank);
        if (dims == NULL)
            break;
        if (dims != a->dims)
            memcpy(dims, a->dims, (size_t)a->rank * sizeof(*dims));
        a->dims = dims;
        dims[i] = -1;
    }
    if (dims != NULL || a->rank == b.rank)
        return dims != NULL;
    *a = lpi_shape_unknown;
    return true;
}

/* Bind the states to their shapes and infer the body.  A state that no
 * iteration changes keeps its content. */
static lp_status infer_once(lpi_node *node, const lpi_states *states)
{
    for (int32_t i = 0; i < states->count; i++) {
        const lp_tensor *from = lpi_in(node, states->in + i);
        int32_t at = states->body_in + i;
        bool same = lpi_body_passes(states->body, states->body_out + i, at);
        lp_tensor *to = states->body->inputs[at];

        lpi_body_bind(states->body, at, from, states->shapes[i], same);
        to->is_static = same && from->is_static;
        to->is_weight = same && from->is_weight;
        to->stored_bytes = from->stored_bytes;
    }
    return lpi_body_infer(node, states->body);
}

/* Make the shapes of the states what lasts; true when that changed some. */
static bool widen_states(const lpi_node *node, const lpi_states *states)
{
    bool changed = false;

    for (int32_t i = 0; i < states->count; i++)
        if (widen(node, &states->shapes[i],
                  states->body->outputs[states->body_out + i]->shape))
            changed = true;
    return changed;
}

lp_status lpi_states_infer(lpi_node *node, lpi_states *states, int64_t trips)
{
    int32_t depth = 0;

    for (const lp_model *up = node->model; up != NULL; up = up->outer)
        depth++;
    states->shapes = LPI_NEW(node->model->arena, lp_shape, states->count);
    if (states->shapes == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < states->count; i++) {
        if (lpi_in(node, states->in + i) == NULL)
            return lpi_node_fail(node, "input %d is absent", states->in + i);
        states->shapes[i] = lpi_in_shape(node, states->in + i);
    }
    for (int32_t round = 0; depth <= DEPTH_MOST && round < ROUNDS_MOST;
         round++) {
        LP_TRY(infer_once(node, states));
        if (trips == 0 || trips == 1 || !widen_states(node, states))
            return LP_OK;
    }
    for (int32_t i = 0; i < states->count; i++)
        states->shapes[i] = lpi_shape_unknown;
    return infer_once(node, states);
}

lp_status lpi_states_stack(const lpi_node *node, lp_shape shape, int64_t axis,
                           int64_t extent, lp_shape *ret_shape)
{
    int64_t *dims;

    *ret_shape = lpi_shape_unknown;
    if (shape.rank < 0)
        return LP_OK;
    dims = lpi_node_dims(node, (int64_t)shape.rank + 1);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    if (!lpi_axis(axis, shape.rank + 1, &axis))
        return lpi_node_fail(node, "axis %lld of an output of rank %d",
                             (long long)axis, shape.rank + 1);
    for (int32_t i = 0; i <= shape.rank; i++)
        dims[i] = i == axis ? extent : shape.dims[i < axis ? i : i - 1];
    *ret_shape = (lp_shape){shape.rank + 1, dims};
    return LP_OK;
}

lp_status lpi_states_check(const lpi_node *node, const lp_model *body,
                           int64_t inputs, int64_t outputs)
{
    if (body->inputs_count != inputs || body->outputs_count < outputs)
        return lpi_node_fail(node,
                             "its body has %lld inputs and %lld outputs, must "
                             "have %lld and %lld",
                             (long long)body->inputs_count,
                             (long long)body->outputs_count, (long long)inputs,
                             (long long)outputs);
    return LP_OK;
}

lp_status lpi_states_out(lpi_node *node, const lpi_states *states, int32_t i,
                         lp_shape shape)
{
    const lp_tensor *from = states->body->outputs[states->body_out + i];
    lp_tensor *to = lpi_out(node, i);

    LP_TRY(lpi_out_body(node, i, from, shape));
    if (to != NULL) {
        to->is_bound = to->is_bound || lpi_in(node, states->in + i)->is_bound;
        to->stored_bytes = lpi_tensor_bytes(to);
    }
    return LP_OK;
}
