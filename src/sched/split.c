/* split.c: the sums of a layer in parts.
 *
 * The parts are the outermost loop of the tiles: every tile of the result adds
 * the terms of one part to what it holds, then those of the next, in ascending
 * order.  So each sum stays one chain, and only the slice of the weights that
 * belongs to a part is in flight.  The result holds what has been summed, so it
 * must be stored in the type of the sums. */
#include "sched.h"

void lpi_tiling_range(const lpi_tiling *tiling, int64_t tile,
                      int64_t ret_range[2])
{
    int64_t each = tiling->tiles / (tiling->parts ? tiling->parts : 1);

    ret_range[0] = ret_range[1] = 0;
    if (!tiling->part_extent)
        return;
    ret_range[0] = tile / each * tiling->part_extent;
    ret_range[1] = lpi_add(ret_range[0], tiling->part_extent);
}

bool lpi_can_slice(const lp_tensor *tensor)
{
    return tensor->is_static && !tensor->value &&
           (tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT) &&
           tensor->payload.where != LPI_INLINE &&
           tensor->payload.encoding != LPI_VARINT &&
           lp_dtype_bits(tensor->dtype) % 8 == 0;
}

bool lpi_is_sliced(const lpi_tiling *tiling, const lpi_piece *piece)
{
    const lpi_box *first, *second;
    int32_t a;

    if (tiling->parts < 2 || !piece->tensor || !piece->boxes ||
        !lpi_can_slice(piece->tensor))
        return false;
    first = &piece->boxes[0];
    second = &piece->boxes[tiling->tiles / tiling->parts];
    for (a = 0; a < first->rank; a++)
        if (first->from[a] != second->from[a] || first->to[a] != second->to[a])
            return true;
    return false;
}

/* The number of terms of the sums of "layer". */
static lp_status count_terms(const lpi_cutter *c, const lp_layer *layer,
                             int64_t *ret_terms)
{
    lpi_node node = {.model = (lp_model *)c->l->program->model,
                     .layer = (lp_layer *)layer,
                     .params = layer->params,
                     .error = c->l->error};
    lpi_box *in = LPI_NEW(c->l->scratch, lpi_box, layer->inputs_count);
    int64_t range[2] = {0, INT64_MAX};
    int32_t i;

    if (!in)
        return lpi_fail_memory(c->l->error);
    for (i = 0; i < layer->inputs_count; i++)
        in[i].rank = -1;
    LP_TRY(layer->row->split(&node, range, in));
    *ret_terms = range[1];
    return LP_OK;
}

lp_status lpi_cutter_split(lpi_cutter *c, int64_t extent)
{
    const lp_group *g = c->group;
    const lp_layer *layer = g->layers[0];
    const lp_tensor *out = layer->outputs[0];
    int64_t terms = 0;
    int32_t i;

    if (g->layers_count != 1 || g->keeps_rows)
        return lpi_cutter_refuse(
            c, out, "sums are cut in groups of one layer that keep no rows");
    if (!layer->row || !layer->row->split || !(layer->row->flags & LPI_CHAINS))
        return lpi_cutter_refuse(
            c, out,
            "its operator sums in a fixed tree, or not at all: its "
            "sums cannot be cut");
    if ((out->dtype != LP_FLOAT32 && out->dtype != LP_INT32) ||
        lpi_planned_dtype(c->l->schedule, out) != out->dtype)
        return lpi_cutter_refuse(
            c, out,
            "its result is narrower than its sums, which cannot be "
            "cut");
    if (g->tiles_count > 2)
        return lpi_cutter_refuse(c, out,
                                 "beside its sums, one axis is cut at most");
    for (i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i] && layer->inputs[i]->shape.rank > LPI_RANKS)
            return lpi_cutter_refuse(c, out, "an operand has too many axes");
    LP_TRY(count_terms(c, layer, &terms));
    c->parts = lpi_ceil_div(terms, extent);
    c->part_extent = extent;
    return LP_OK;
}

int64_t lpi_cutter_sliced(const lpi_cutter *c)
{
    const lpi_tiling tiling = {.tiles = c->tiles, .parts = c->parts};
    const lp_layer *layer = c->stages[0].layer;
    int64_t saved = 0, stored, tile;
    int32_t i, a;

    for (i = 0; i < layer->inputs_count; i++) {
        const lpi_piece *in = &c->stages[0].in[i];
        int64_t most = 0;

        if (!lpi_is_sliced(&tiling, in))
            continue;
        for (tile = 0; tile < c->tiles; tile++) {
            int64_t elements = 1;

            for (a = 0; a < in->boxes[tile].rank; a++)
                elements *= in->boxes[tile].to[a] - in->boxes[tile].from[a];
            elements = lpi_storage_bytes(
                lpi_planned_dtype(c->l->schedule, in->tensor), elements);
            most = elements > most ? elements : most;
        }
        stored = lpi_planned_stored(c->l->schedule, in->tensor);
        saved += most < stored ? stored - most : 0;
    }
    return saved;
}
