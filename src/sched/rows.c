/* rows.c: single layers cut into tiles of rows.
 *
 * A row is an index of the last axis but one of the first result: lines of an
 * image, rows of a matrix.  What cannot be cut stays whole. */
#include <string.h>

#include "sched.h"

/* Whether "layer" has one result, and its row can cut it to "box". */
static bool can_cut(const lp_schedule *s, const lp_layer *layer, int64_t rows,
                    lpi_arena *scratch)
{
    const lp_tensor *out = layer->outputs_count ? layer->outputs[0] : NULL;
    lpi_box box = {0}, *in = LPI_NEW(scratch, lpi_box, layer->inputs_count);
    lp_layer *shadow;
    int32_t i;

    if (!in || !lpi_is_value(out) || !layer->row || !layer->row->tile ||
        layer->row->flags & (LPI_VIEW | LPI_IMPURE) || out->is_bound ||
        out->shape.rank < 2 || out->shape.rank > LPI_RANKS ||
        out->shape.dims[out->shape.rank - 2] <= rows)
        return false;
    for (i = 1; i < layer->outputs_count; i++)
        if (layer->outputs[i])
            return false;
    for (i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i] && (layer->inputs[i]->is_bound ||
                                 layer->inputs[i]->shape.rank > LPI_RANKS))
            return false;
    box.rank = out->shape.rank;
    for (i = 0; i < box.rank; i++)
        box.to[i] = i == box.rank - 2 ? rows : out->shape.dims[i];
    return lpi_shadow_new(scratch, s->model, layer, &box, in, &shadow, NULL) ==
           LP_OK;
}

/* A group of "layer" alone. */
static bool add_group(lp_schedule *s, lp_group *group, lp_layer *layer,
                      int64_t rows)
{
    lp_layer **layers = LPI_NEW(s->arena, lp_layer *, 1);
    lp_tile *tile = LPI_NEW(s->arena, lp_tile, 1);
    char *name =
        lpi_arena_printf(s->arena, "rows_%lld", (long long)s->groups_count + 1);

    if (!layers || !tile || !name)
        return false;
    layers[0] = layer;
    *tile = (lp_tile){layer->outputs[0]->shape.rank - 2, rows};
    *group = (lp_group){.name = name,
                        .layers = layers,
                        .layers_count = 1,
                        .tiles = tile,
                        .tiles_count = 1};
    return true;
}

/* Cut "only" (NULL: every layer) of "schedule" where it stands in no group;
 * "*ret_cut" counts them. */
static lp_status cut(lp_schedule *schedule, const lp_layer *only, int64_t rows,
                     int64_t *ret_cut, lp_error *error)
{
    const lp_model *model = schedule->model;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    lp_group *groups =
        LPI_NEW(schedule->arena, lp_group,
                schedule->groups_count + (only ? 1 : model->layers_count));
    bool *taken = scratch ? LPI_NEW(scratch, bool, model->layers_count) : NULL;
    lp_status status = groups && taken ? LP_OK : lpi_fail_memory(error);
    int64_t before = schedule->groups_count, i;
    int32_t j;

    for (i = 0; status == LP_OK && i < schedule->groups_count; i++) {
        groups[i] = schedule->groups[i];
        for (j = 0; j < groups[i].layers_count; j++)
            taken[groups[i].layers[j]->id] = true;
    }
    schedule->groups = groups;
    for (i = 0; status == LP_OK && i < model->layers_count; i++) {
        lp_layer *layer = model->layers[i];

        if (layer->is_static || taken[i] || (only && layer != only) ||
            !can_cut(schedule, layer, rows, scratch))
            continue;
        if (!add_group(schedule, &groups[schedule->groups_count], layer, rows))
            status = lpi_fail_memory(error);
        else
            schedule->groups_count++;
    }
    lpi_arena_free(scratch);
    *ret_cut = schedule->groups_count - before;
    return status;
}

lp_status lpi_schedule_rows(lp_schedule *schedule, int64_t rows,
                            lp_error *error)
{
    int64_t count;

    return cut(schedule, NULL, rows, &count, error);
}

lp_status lpi_schedule_rows_of(lp_schedule *schedule, const lp_layer *layer,
                               int64_t rows, lp_error *error)
{
    int64_t count;

    LP_TRY(cut(schedule, layer, rows, &count, error));
    if (!count)
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "layer '%.200s' cannot be cut into tiles of %lld rows",
                        layer->name, (long long)rows);
    return LP_OK;
}
