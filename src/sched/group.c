/* group.c: a group cut into tiles.
 *
 * The box of each tile of the last result goes backwards through the rows of
 * the layers, last to first; what several readers inside need of a tensor is
 * joined into one box.  So halos are computed again, tile by tile, unless the
 * group keeps rows (keep.c).  A box that lies contiguous in what holds it is
 * used there; any other has a buffer as large as its largest.
 *
 * Invariant: every operand of a tile is inside the box its producer makes, or
 * holds, for the same tile, or inside a whole tensor. */
#include <string.h>

#include "sched.h"

enum { TILES_MOST = 1 << 16, BOXES_MOST = 1 << 20 };

lp_status lpi_cutter_refuse(const lpi_cutter *c, const lp_tensor *tensor,
                            const char *why)
{
    return LPI_REFUSE(c->l, c->unit, tensor, c->group->line,
                      "group '%.200s': %s", c->group->name, why);
}

lpi_box lpi_tensor_box(const lp_tensor *tensor)
{
    lpi_box box = {.rank = tensor->shape.rank};
    int32_t a;

    for (a = 0; a < box.rank; a++)
        box.to[a] = tensor->shape.dims[a];
    return box;
}

/* Count the tiles along each axis of the last result. */
static lp_status count_tiles(lpi_cutter *c)
{
    const lp_group *g = c->group;
    const lp_layer *last = g->layers[g->layers_count - 1];
    const lp_tensor *out = last->outputs_count ? last->outputs[0] : NULL;
    int32_t i;

    if (!lpi_is_value(out) || out->shape.rank > LPI_RANKS)
        return lpi_cutter_refuse(c, out,
                                 "its last layer has no result to be cut");
    c->tiles = c->parts = 1;
    for (i = 0; i < out->shape.rank; i++) {
        c->extents[i] = out->shape.dims[i];
        c->counts[i] = 1;
    }
    for (i = 0; i < g->tiles_count; i++) {
        int32_t axis = g->tiles[i].axis;

        if (axis == LP_AXIS_REDUCTION && g->tiles[i].extent > 0) {
            LP_TRY(lpi_cutter_split(c, g->tiles[i].extent));
            continue;
        }
        if (axis < 0 || axis >= out->shape.rank || g->tiles[i].extent < 1)
            return lpi_cutter_refuse(
                c, out, "its tiles do not fit the rank of the result");
        c->extents[axis] = g->tiles[i].extent;
        c->counts[axis] = lpi_ceil_div(out->shape.dims[axis], c->extents[axis]);
    }
    for (i = 0; i < out->shape.rank; i++)
        c->tiles = lpi_mul(c->tiles, c->counts[i]);
    c->tiles = lpi_mul(c->tiles, c->parts);
    if (c->tiles < 1 || c->tiles > TILES_MOST)
        return lpi_cutter_refuse(c, out, "it has no tiles, or more than 65536");
    return LP_OK;
}

static lpi_box tile_box(const lpi_cutter *c, const lp_tensor *out, int64_t tile)
{
    lpi_box box = {.rank = out->shape.rank};
    int32_t a;

    for (a = box.rank - 1; a >= 0; a--) {
        box.from[a] = tile % c->counts[a] * c->extents[a];
        box.to[a] = box.from[a] + c->extents[a];
        if (box.to[a] > out->shape.dims[a])
            box.to[a] = out->shape.dims[a];
        tile /= c->counts[a];
    }
    return box;
}

/* Pieces of all stages, with room for their boxes. */
static lp_status make_pieces(lpi_cutter *c)
{
    const lp_group *g = c->group;
    lpi_arena *arena = c->l->program->arena;
    int64_t operands = 0;
    int32_t s, i;
    lpi_piece *pieces;
    lpi_box *boxes;

    for (s = 0; s < g->layers_count; s++)
        operands += g->layers[s]->inputs_count + g->layers[s]->outputs_count;
    if (lpi_mul(operands, c->tiles) > BOXES_MOST)
        return lpi_cutter_refuse(c, NULL,
                                 "it has more than 1048576 tiles of operands");
    c->stages = LPI_NEW(arena, lpi_stage, g->layers_count);
    pieces = LPI_NEW(arena, lpi_piece, operands);
    boxes = LPI_NEW(arena, lpi_box, operands * c->tiles);
    c->makers =
        LPI_NEW(c->l->scratch, int32_t, c->l->program->model->tensors_count);
    if (!c->stages || !pieces || !boxes || !c->makers)
        return lpi_fail_memory(c->l->error);
    for (i = 0; i < operands; i++) {
        pieces[i] =
            (lpi_piece){.value = -1, .buffer = -1, .kept = -1, .boxes = boxes};
        boxes += c->tiles;
    }
    for (s = 0; s < g->layers_count; s++) {
        const lp_layer *layer = g->layers[s];

        c->stages[s] = (lpi_stage){
            .layer = layer, .in = pieces, .out = pieces + layer->inputs_count};
        for (i = 0; i < layer->inputs_count; i++)
            pieces[i].tensor = layer->inputs[i];
        if (layer->outputs_count)
            pieces[layer->inputs_count].tensor = layer->outputs[0];
        pieces += layer->inputs_count + layer->outputs_count;
    }
    return LP_OK;
}

/* The stage that makes "tensor"; -1: none. */
static int32_t maker(const lpi_cutter *c, const lp_tensor *tensor)
{
    return lpi_is_value(tensor) ? c->makers[tensor->id] - 1 : -1;
}

/* Link inputs to the stages that make them, outputs to their values. */
static lp_status link_pieces(lpi_cutter *c)
{
    const lpi_program *p = c->l->program;
    int32_t s, i;

    for (s = 0; s < c->group->layers_count; s++) {
        const lp_layer *layer = c->stages[s].layer;
        lpi_piece *in = (lpi_piece *)c->stages[s].in;
        lpi_piece *out = (lpi_piece *)c->stages[s].out;

        if (!layer->outputs_count || !lpi_is_value(layer->outputs[0]))
            return lpi_cutter_refuse(c, NULL,
                                     "a layer has no result to be cut");
        for (i = 0; i < layer->inputs_count; i++) {
            int32_t from = maker(c, in[i].tensor);

            if (from >= 0 && c->stages[from].layer->outputs[0] != in[i].tensor)
                return lpi_cutter_refuse(
                    c, in[i].tensor, "only first results are cut into tiles");
            in[i].source = from >= 0 ? c->stages[from].out : NULL;
            if (lpi_is_value(in[i].tensor) && from < 0)
                in[i].value =
                    lpi_program_value(p, c->unit, in[i].tensor, false);
        }
        out[0].value = lpi_program_value(p, c->unit, out[0].tensor, true);
        for (i = 0; i < layer->outputs_count; i++) {
            if (i && layer->outputs[i] &&
                lpi_program_value(p, c->unit, layer->outputs[i], true) >= 0)
                return lpi_cutter_refuse(
                    c, layer->outputs[i],
                    "only first results are cut into tiles");
            if (lpi_is_value(layer->outputs[i]))
                c->makers[layer->outputs[i]->id] = s + 1;
        }
    }
    return LP_OK;
}

/* Join "more" into "sum", empty at first. */
static void join(lpi_box *sum, const lpi_box *more, bool is_first)
{
    int32_t a;

    if (is_first)
        *sum = *more;
    for (a = 0; a < more->rank; a++) {
        if (more->from[a] < sum->from[a])
            sum->from[a] = more->from[a];
        if (more->to[a] > sum->to[a])
            sum->to[a] = more->to[a];
    }
}

/* Note what an operand of a stage needs of "tile". */
static void need(lpi_cutter *c, lpi_piece *in, const lpi_box *box, int64_t tile,
                 bool *needed)
{
    lpi_box *boxes = (lpi_box *)in->boxes;
    int32_t from = maker(c, in->tensor);

    if (!in->tensor)
        return;
    boxes[tile] = *box;
    if (box->rank < 0 && lpi_is_value(in->tensor))
        boxes[tile] = lpi_tensor_box(in->tensor);
    if (from < 0 || !in->source || (c->rows && lpi_box_empty(&boxes[tile])))
        return;
    join((lpi_box *)&in->source->boxes[tile], &boxes[tile], !needed[from]);
    needed[from] = true;
}

/* The boxes that stage "s" needs in "tile", and its MACs. */
static lp_status cut_stage(lpi_cutter *c, int32_t s, int64_t tile,
                           lpi_arena *arena, bool *needed)
{
    lpi_lowering *l = c->l;
    const lp_layer *layer = c->stages[s].layer;
    const lpi_tiling tiling = {
        .tiles = c->tiles, .parts = c->parts, .part_extent = c->part_extent};
    lpi_part part = {.out = &c->stages[s].out[0].boxes[tile]};
    lpi_box *in = LPI_NEW(arena, lpi_box, layer->inputs_count);
    int64_t range[2];
    lp_row_status status;
    lp_layer *shadow;
    lp_cost cost;
    int32_t i;

    if (!in)
        return lpi_fail_memory(l->error);
    lpi_tiling_range(&tiling, tile, range);
    part.from = range[0];
    part.to = range[1];
    LP_TRY(lpi_shadow_part(arena, l->program->model, layer, &part, in, &shadow,
                           l->error));
    LP_TRY(lpi_layer_cost(l->program->model, shadow, &cost, &status, l->error));
    l->program->predictions.macs =
        lpi_add(l->program->predictions.macs, lp_cost_macs(&cost));
    lpi_cost_add(&c->stages[s].cost, &cost);
    for (i = 0; i < layer->inputs_count; i++)
        need(c, (lpi_piece *)&c->stages[s].in[i], &in[i], tile, needed);
    return LP_OK;
}

/* The boxes of one tile, from the last layer to the first. */
static lp_status cut_tile(lpi_cutter *c, int64_t tile, lpi_arena *arena)
{
    int32_t last = c->group->layers_count - 1, s;
    bool *needed = LPI_NEW(arena, bool, c->group->layers_count);

    if (!needed)
        return lpi_fail_memory(c->l->error);
    *(lpi_box *)&c->stages[last].out[0].boxes[tile] =
        tile_box(c, c->stages[last].out[0].tensor, tile);
    needed[last] = true;
    for (s = last; s >= 0; s--) {
        if (!needed[s] && !c->rows)
            return lpi_cutter_refuse(
                c, c->stages[s].layer->outputs[0],
                "a layer makes nothing for those after it");
        if (c->rows)
            LP_TRY(lpi_keep_take(c, s, tile));
        if (!c->rows || !lpi_box_empty(&c->stages[s].out[0].boxes[tile]))
            LP_TRY(cut_stage(c, s, tile, arena, needed));
    }
    return LP_OK;
}

static lp_status cut_tiles(lpi_cutter *c)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(c->l->scratch));
    lp_status status = arena ? LP_OK : lpi_fail_memory(c->l->error);
    int64_t macs = c->l->program->predictions.macs, tile;
    int32_t s;

    do {
        c->l->program->predictions.macs = macs;
        for (s = 0; s < c->group->layers_count; s++)
            c->stages[s].cost = (lp_cost){0};
        for (tile = 0; status == LP_OK && tile < c->tiles; tile++) {
            status = cut_tile(c, tile, arena);
            lpi_arena_reset(arena);
        }
    } while (status == LP_OK && c->rows && lpi_keep_again(c));
    lpi_arena_free(arena);
    return status;
}

lp_status lpi_lower_group(lpi_lowering *l, int64_t unit)
{
    lpi_cutter c = {
        .l = l, .unit = unit, .group = l->program->units[unit].group};
    lpi_tiling *tiling = LPI_NEW(l->program->arena, lpi_tiling, 1);

    if (!tiling)
        return lpi_fail_memory(l->error);
    LP_TRY(count_tiles(&c));
    LP_TRY(make_pieces(&c));
    LP_TRY(link_pieces(&c));
    if (c.group->keeps_rows)
        LP_TRY(lpi_keep_start(&c));
    LP_TRY(cut_tiles(&c));
    if (c.group->keeps_rows)
        LP_TRY(lpi_keep_settle(&c));
    LP_TRY(lpi_cutter_buffers(&c));
    *tiling = (lpi_tiling){.tiles = c.tiles,
                           .stages = c.stages,
                           .stages_count = c.group->layers_count,
                           .parts = c.parts,
                           .part_extent = c.part_extent,
                           .sliced_bytes = lpi_cutter_sliced(&c)};
    l->program->uses[unit].tiling = tiling;
    return LP_OK;
}
