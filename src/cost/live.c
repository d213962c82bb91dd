/* live.c: what is resident at each step.
 *
 * A storage is the memory of one activation and of all its views; a view of a
 * view resolves to the same root, because layers come in order.  Steps are
 * the listed layers.  One pass over the operands notes the first and the last
 * touch of each storage, and the longest wait between two; a difference array
 * over the steps then gives the bytes, so that time is linear.  A layer with
 * bodies takes the peak of its body, found the same way, as workspace.
 *
 * Invariant: live_bytes of a step is the sum of the storages whose first and
 * last step enclose it, and of the workspace of its layer. */
#include <string.h>

#include "cost.h"

/* One model being walked. */
typedef struct walk {
    lpi_arena *scratch;
    const lp_model *model;
    lpi_lives *lives;
    int64_t *storage_of; /* by tensor id; -1: static, or not of this model */
    int64_t *workspace;  /* by step */
    int32_t depth;       /* bodies around */
    lp_error *error;
} walk;

static lp_status find_lives(walk *w);

/* Whether the condition of If "layer" is known, and what it is. */
static bool known_condition(const lp_layer *layer, bool *ret_condition)
{
    const lp_tensor *condition = layer->inputs_count > 0 ? layer->inputs[0]
                                                         : NULL;

    if (strcmp(layer->op, "If") != 0 || *layer->domain || !condition ||
        !condition->value || condition->value_is_bound ||
        condition->dtype != LP_BOOL)
        return false;
    *ret_condition = *(const uint8_t *)condition->value != 0;
    return true;
}

const lp_model *lpi_next_body(const lp_layer *layer, int32_t *at)
{
    bool condition;

    if (layer->definition)
        return (*at)++ == 0 ? layer->definition : NULL;
    while (*at < layer->attrs_count) {
        const lpi_attr *attr = &layer->attrs[(*at)++];

        if (attr->kind != LPI_ATTR_BODY)
            continue;
        if (!known_condition(layer, &condition) ||
            strcmp(attr->name, condition ? "then_branch" : "else_branch") == 0)
            return attr->body;
    }
    return NULL;
}

/* A storage for "tensor", resident from "step". */
static void add_storage(walk *w, const lp_tensor *tensor, int64_t step)
{
    w->storage_of[tensor->id] = w->lives->count;
    w->lives->storages[w->lives->count++] = (lpi_storage){
        .root = tensor,
        .bytes = lpi_tensor_bytes(tensor),
        .first = step,
        .last = step,
        .from = step,
        .to = step,
    };
}

/* Note that "reader" (NULL: the caller) needs "tensor" at "step". */
static void touch(walk *w, const lp_tensor *tensor, int64_t step,
                  const lp_layer *reader)
{
    int64_t at = tensor ? w->storage_of[tensor->id] : -1;
    lpi_storage *storage = at < 0 ? NULL : &w->lives->storages[at];

    if (!storage)
        return;
    if (step - storage->last > storage->to - storage->from) {
        storage->from = storage->last;
        storage->to = step;
        storage->waiter = reader;
    }
    storage->last = step;
    storage->reader = reader;
}

/* The operands of "layer" and what its bodies see of the graph around. */
static void touch_operands(walk *w, const lp_layer *layer, int64_t step)
{
    const lp_model *body;
    int32_t i, at = 0;
    int64_t j;

    for (i = 0; i < layer->inputs_count; i++)
        touch(w, layer->inputs[i], step, layer);
    while ((body = lpi_next_body(layer, &at)))
        for (j = 0; j < body->captures_count; j++)
            touch(w, body->captures[j]->outer, step, layer);
}

/* Storages for the results of "layer"; a view shares that of its operand. */
static void add_results(walk *w, const lp_layer *layer, int64_t step)
{
    bool is_view = layer->row && layer->row->flags & LPI_VIEW &&
                   layer->inputs_count > 0 && layer->inputs[0] &&
                   !layer->inputs[0]->is_static;
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++) {
        const lp_tensor *tensor = layer->outputs[i];

        if (!tensor || tensor->is_static)
            continue;
        if (i == 0 && is_view)
            w->storage_of[tensor->id] = w->storage_of[layer->inputs[0]->id];
        else
            add_storage(w, tensor, step);
    }
}

/* Store in "*ret_bytes" the most that a body of "layer" has resident. */
static lp_status find_workspace(const walk *around, const lp_layer *layer,
                                int64_t *ret_bytes)
{
    const lp_model *body;
    int32_t at = 0;

    *ret_bytes = 0;
    while ((body = lpi_next_body(layer, &at))) {
        lpi_lives lives = {.scratch = around->scratch};
        walk w = {.scratch = around->scratch,
                  .model = body,
                  .lives = &lives,
                  .depth = around->depth + 1,
                  .error = around->error};

        if (w.depth > LPI_BODIES_DEEP)
            return lpi_fail(w.error, LP_EINPUT, body->path,
                            "layer '%.200s': bodies nest deeper than %d",
                            layer->name, LPI_BODIES_DEEP);
        LP_TRY(find_lives(&w));
        if (lives.peak_bytes > *ret_bytes)
            *ret_bytes = lives.peak_bytes;
    }
    return LP_OK;
}

/* Count steps and storages, and make room for them. */
static lp_status make_room(walk *w)
{
    const lp_model *model = w->model;
    lpi_lives *lives = w->lives;
    int64_t storages = 0, i;

    for (i = 0; i < model->layers_count; i++)
        lives->steps += !model->layers[i]->is_static;
    for (i = 0; i < model->tensors_count; i++)
        storages += model->tensors[i]->kind == LPI_ACTIVATION ||
                    model->tensors[i]->kind == LPI_INPUT;
    lives->layers = LPI_NEW(w->scratch, const lp_layer *, lives->steps);
    lives->storages = LPI_NEW(w->scratch, lpi_storage, storages);
    lives->live_bytes = LPI_NEW(w->scratch, int64_t, lives->steps + 1);
    w->workspace = LPI_NEW(w->scratch, int64_t, lives->steps);
    w->storage_of = LPI_NEW(w->scratch, int64_t, model->tensors_count);
    if (!lives->layers || !lives->storages || !lives->live_bytes ||
        !w->workspace || !w->storage_of)
        return lpi_fail_memory(w->error);
    for (i = 0; i < model->tensors_count; i++)
        w->storage_of[i] = -1;
    return LP_OK;
}

/* Find the storages, their first and last steps and their waits. */
static lp_status walk_layers(walk *w)
{
    const lp_model *model = w->model;
    lpi_lives *lives = w->lives;
    int64_t step = 0, i;

    for (i = 0; i < model->inputs_count; i++)
        if (model->inputs[i]->kind == LPI_INPUT &&
            w->storage_of[model->inputs[i]->id] < 0)
            add_storage(w, model->inputs[i], 0);
    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        if (layer->is_static)
            continue;
        touch_operands(w, layer, step);
        add_results(w, layer, step);
        LP_TRY(find_workspace(w, layer, &w->workspace[step]));
        lives->layers[step++] = layer;
    }
    for (i = 0; i < model->outputs_count && step; i++)
        touch(w, model->outputs[i], step - 1, NULL);
    return LP_OK;
}

/* Sum what is resident at each step, and find the peak.  The sum of all
 * storages bounds every partial sum, so that none can overflow. */
static lp_status sum_steps(walk *w)
{
    lpi_lives *lives = w->lives;
    int64_t *live = lives->live_bytes;
    int64_t all = 0, i;

    lives->peak_step = -1;
    for (i = 0; i < lives->count && lives->steps; i++) {
        const lpi_storage *storage = &lives->storages[i];

        all = lpi_add(all, storage->bytes);
        if (all == INT64_MAX)
            break;
        live[storage->first] += storage->bytes;
        live[storage->last + 1] -= storage->bytes;
    }
    for (i = 0; i < lives->steps; i++) {
        int64_t bytes;

        if (i)
            live[i] += live[i - 1];
        bytes = lpi_add(live[i], w->workspace[i]);
        all = lpi_add(all, w->workspace[i]);
        if (lives->peak_step < 0 || bytes > lives->peak_bytes) {
            lives->peak_step = i;
            lives->peak_bytes = bytes;
            lives->peak_workspace_bytes = w->workspace[i];
        }
    }
    if (all == INT64_MAX)
        return lpi_fail(w->error, LP_EINPUT, w->model->path,
                        "the activations do not fit 64 bits of bytes");
    for (i = 0; i < lives->steps; i++)
        live[i] += w->workspace[i];
    return LP_OK;
}

static lp_status find_lives(walk *w)
{
    LP_TRY(make_room(w));
    LP_TRY(walk_layers(w));
    return sum_steps(w);
}

lp_status lpi_lives_find(lpi_arena *scratch, const lp_model *model,
                         lpi_lives *ret_lives, lp_error *error)
{
    lpi_lives lives = {.scratch = scratch};
    walk w = {
        .scratch = scratch, .model = model, .lives = &lives, .error = error};

    LP_TRY(find_lives(&w));
    *ret_lives = lives;
    return LP_OK;
}
