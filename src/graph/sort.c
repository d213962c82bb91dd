/* sort.c: an order in which every tensor is produced before it is used.
 *
 * A layer's demands are its inputs and what its bodies capture.  Layers are
 * visited in the order of the file; one whose demands are not met yet puts
 * its producers before itself, depth first, on a stack of its own.  A file
 * that is in order already keeps its order, and every edge is looked at
 * once. */
#include <string.h>

#include "graph.h"

typedef enum mark { NEW, OPEN, DONE } mark;

/* A layer on the stack, and which of its demands comes next. */
typedef struct visit {
    lp_layer *layer;
    int64_t next;
} visit;

typedef struct sorting {
    lp_model *model;
    uint8_t *marks; /* by the layer's old position */
    visit *stack;
    lp_layer **order;
    int64_t depth, done;
} sorting;

/* The "n"-th tensor that "layer" demands from its own graph, or NULL with
 * "*ret_end" set when there are no more. */
static lp_tensor *demand(const lp_layer *layer, int64_t n, bool *ret_end)
{
    int32_t i;

    *ret_end = false;
    if (n < layer->inputs_count)
        return layer->inputs[n];
    n -= layer->inputs_count;
    for (i = 0; i < layer->attrs_count; i++) {
        const lp_model *body = layer->attrs[i].body;

        if (layer->attrs[i].kind != LPI_ATTR_BODY)
            continue;
        if (n < body->captures_count)
            return body->captures[n]->outer;
        n -= body->captures_count;
    }
    *ret_end = true;
    return NULL;
}

/* Advance the layer on top of the stack by one demand. */
static lp_status step(sorting *sorter, lp_error *error)
{
    visit *top = &sorter->stack[sorter->depth - 1];
    bool end;
    lp_tensor *wanted = demand(top->layer, top->next, &end);
    lp_layer *producer = wanted ? wanted->producer : NULL;

    if (end) {
        sorter->marks[top->layer->id] = DONE;
        sorter->order[sorter->done++] = top->layer;
        sorter->depth--;
        return LP_OK;
    }
    top->next++;
    if (!producer || sorter->marks[producer->id] == DONE)
        return LP_OK;
    if (sorter->marks[producer->id] == OPEN)
        return lpi_fail(error, LP_EINPUT, sorter->model->path,
                        "the graph has a cycle through layer '%.200s'",
                        producer->name);
    sorter->marks[producer->id] = OPEN;
    sorter->stack[sorter->depth++] = (visit){.layer = producer};
    return LP_OK;
}

lp_status lpi_model_sort(lp_model *model, lp_error *error)
{
    int64_t count = model->layers_count, i;
    sorting sorter = {
        .model = model,
        .marks = LPI_NEW(model->arena, uint8_t, count),
        .stack = LPI_NEW(model->arena, visit, count),
        .order = LPI_NEW(model->arena, lp_layer *, count),
    };

    if (!sorter.marks || !sorter.stack || !sorter.order)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++) {
        if (sorter.marks[i] == DONE)
            continue;
        sorter.marks[i] = OPEN;
        sorter.stack[sorter.depth++] = (visit){.layer = model->layers[i]};
        while (sorter.depth)
            LP_TRY(step(&sorter, error));
    }
    model->layers = sorter.order;
    model->layers_room = count;
    for (i = 0; i < count; i++)
        model->layers[i]->id = i;
    return LP_OK;
}
