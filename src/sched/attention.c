/* attention.c: attentions that exporters spell out, as row-complete groups.
 *
 * A chain of layers, each the only reader of the one before, found from its
 * Softmax: product, any scales and masks, softmax, product.  A row of the
 * scores needs nothing of the other rows, so that tiles of some rows of one
 * head are exact without halos. */
#include <string.h>

#include "sched.h"

/* What may stand at a place of the chain; a row a place, in order. */
typedef struct place {
    const char *ops[6]; /* NULL ends */
    bool repeats;       /* any number of them, none too */
} place;

static const place chain[] = {
    {{"MatMul", "Gemm"}, false},
    {{"Mul", "Div", "Add", "Sub", "Where"}, true},
    {{"Softmax"}, false},
    {{"Mul", "Cast", "Dropout", "Identity", "Where"}, true},
    {{"MatMul", "Gemm"}, false},
};

enum { CHAIN_MOST = 16 };

typedef struct finder {
    lp_schedule *s;
    lp_layer **readers; /* by tensor id: the only reader; NULL */
    int32_t *reads;     /* by tensor id: layers and outputs that read it */
    bool *taken;        /* by layer id */
    lp_group *groups;
    int64_t room;
    int64_t rows;
    lp_error *error;
} finder;

static bool is_at(const lp_layer *layer, int32_t at)
{
    int32_t i;

    for (i = 0; i < 6 && chain[at].ops[i]; i++)
        if (!*layer->domain && !strcmp(layer->op, chain[at].ops[i]))
            return true;
    return false;
}

/* The layer that alone reads the first result of "layer", or NULL. */
static lp_layer *next_of(const finder *f, const lp_layer *layer)
{
    const lp_tensor *out = layer->outputs_count ? layer->outputs[0] : NULL;
    lp_layer *next;

    if (!lpi_is_value(out) || f->reads[out->id] != 1)
        return NULL;
    next = f->readers[out->id];
    return next && !next->is_static && !f->taken[next->id] ? next : NULL;
}

/* Follow the chain from "layer", a product; returns its length, 0: none. */
static int32_t follow(const finder *f, lp_layer *layer, lp_layer **layers)
{
    int32_t n = 0, at = 0;

    while (layer && n < CHAIN_MOST && at < LPI_COUNT(chain)) {
        if (is_at(layer, at)) {
            layers[n++] = layer;
            if (at == LPI_COUNT(chain) - 1)
                return layers[n - 1]->inputs[0] == layers[n - 2]->outputs[0]
                           ? n
                           : 0;
            at += !chain[at].repeats;
            layer = next_of(f, layer);
        } else if (chain[at].repeats) {
            at++;
        } else {
            return 0;
        }
    }
    return 0;
}

/* Whether the softmax of the chain runs along the rows of its scores, and no
 * layer changes their shape. */
static bool is_by_rows(lp_layer *const *layers, int32_t count)
{
    const lp_tensor *scores = layers[0]->outputs[0];
    int32_t i, j;

    if (scores->shape.rank < 2 || scores->shape.rank > LPI_RANKS ||
        scores->is_bound)
        return false;
    for (i = 1; i < count - 1; i++) {
        const lp_tensor *out = layers[i]->outputs[0];

        if (out->shape.rank != scores->shape.rank ||
            memcmp(out->shape.dims, scores->shape.dims,
                   (size_t)scores->shape.rank * sizeof(int64_t)) != 0)
            return false;
        for (j = 0; j < layers[i]->attrs_count; j++)
            if (!strcmp(layers[i]->op, "Softmax") &&
                !strcmp(layers[i]->attrs[j].name, "axis") &&
                layers[i]->attrs[j].i != -1 &&
                layers[i]->attrs[j].i != scores->shape.rank - 1)
                return false;
    }
    return layers[count - 1]->outputs[0]->shape.rank == scores->shape.rank;
}

static lp_status add_group(finder *f, lp_layer *const *layers, int32_t count)
{
    lpi_arena *arena = f->s->arena;
    int32_t rank = layers[count - 1]->outputs[0]->shape.rank, i;
    lp_layer **copy = LPI_NEW(arena, lp_layer *, count);
    lp_tile *tiles = LPI_NEW(arena, lp_tile, rank - 1);
    char *name = lpi_arena_printf(arena, "attention_%lld",
                                  (long long)f->s->groups_count + 1);

    if (!copy || !tiles || !name ||
        !LPI_GROW(arena, f->groups, f->s->groups_count, f->room))
        return lpi_fail_memory(f->error);
    for (i = 0; i < count; i++) {
        copy[i] = layers[i];
        f->taken[layers[i]->id] = true;
    }
    for (i = 0; i < rank - 1; i++)
        tiles[i] = (lp_tile){i, i < rank - 2 ? 1 : f->rows};
    f->groups[f->s->groups_count++] = (lp_group){.name = name,
                                                 .layers = copy,
                                                 .layers_count = count,
                                                 .tiles = tiles,
                                                 .tiles_count = rank - 1};
    return LP_OK;
}

static void count_read(finder *f, const lp_tensor *tensor, lp_layer *reader)
{
    if (!tensor)
        return;
    f->readers[tensor->id] = reader;
    f->reads[tensor->id]++;
}

static lp_status find_all(finder *f)
{
    const lp_model *model = f->s->model, *body;
    lp_layer *layers[CHAIN_MOST];
    int64_t i, j;
    int32_t k, at;

    for (i = 0; i < model->layers_count; i++) {
        for (k = 0; k < model->layers[i]->inputs_count; k++)
            count_read(f, model->layers[i]->inputs[k], model->layers[i]);
        for (at = 0; (body = lpi_next_body(model->layers[i], &at));)
            for (j = 0; j < body->captures_count; j++)
                count_read(f, body->captures[j]->outer, NULL);
    }
    for (i = 0; i < model->outputs_count; i++)
        count_read(f, model->outputs[i], NULL);
    for (i = 0; i < model->layers_count; i++) {
        lp_layer *layer = model->layers[i];
        int32_t count;

        if (layer->is_static || f->taken[i] || !is_at(layer, 0))
            continue;
        count = follow(f, layer, layers);
        if (count && is_by_rows(layers, count))
            LP_TRY(add_group(f, layers, count));
    }
    f->s->groups = f->groups;
    return LP_OK;
}

lp_status lpi_schedule_attention(lp_schedule *schedule, int64_t rows,
                                 lp_error *error)
{
    const lp_model *model = schedule->model;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    finder f = {.s = schedule, .rows = rows, .error = error};
    lp_status status;

    if (!scratch)
        return lpi_fail_memory(error);
    f.readers = LPI_NEW(scratch, lp_layer *, model->tensors_count);
    f.reads = LPI_NEW(scratch, int32_t, model->tensors_count);
    f.taken = LPI_NEW(scratch, bool, model->layers_count);
    status = f.readers && f.reads && f.taken ? find_all(&f)
                                             : lpi_fail_memory(error);
    lpi_arena_free(scratch);
    return status;
}
