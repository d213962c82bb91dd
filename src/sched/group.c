/* group.c: a group cut into tiles.
 *
 * The box of each tile of the last result goes backwards through the rows of
 * the layers, last to first; what several readers inside need of a tensor is
 * joined into one box.  So halos are computed again, tile by tile.  A box that
 * lies contiguous in what holds it is used there; any other has a buffer as
 * large as its largest.
 *
 * Invariant: every operand of a tile is inside the box its producer makes for
 * the same tile, or inside a whole tensor. */
#include <string.h>

#include "sched.h"

enum { TILES_MOST = 1 << 16, BOXES_MOST = 1 << 20 };

typedef struct cutter {
    lpi_lowering *l;
    int64_t unit;
    const lpi_group *group;
    lpi_stage *stages;
    int64_t tiles;
    int64_t counts[LPI_RANKS];  /* of tiles, by axis */
    int64_t extents[LPI_RANKS]; /* by axis */
    int32_t *makers;            /* by tensor id: stage + 1 */
} cutter;

static lp_status refuse(const cutter *c, const lp_tensor *tensor,
                        const char *why)
{
    return LPI_REFUSE(c->l, c->unit, tensor, c->group->line,
                      "group '%.200s': %s", c->group->name, why);
}

static lpi_box whole_box(const lp_tensor *tensor)
{
    lpi_box box = {.rank = tensor->shape.rank};
    int32_t a;

    for (a = 0; a < box.rank; a++)
        box.to[a] = tensor->shape.dims[a];
    return box;
}

static int64_t box_bytes(const lp_tensor *tensor, const lpi_box *box)
{
    int64_t elements = 1;
    int32_t a;

    for (a = 0; a < box->rank; a++)
        elements = lpi_mul(elements, box->to[a] - box->from[a]);
    return lpi_storage_bytes(tensor->dtype, elements);
}

/* Whether "inner" is one run of bytes of "outer". */
static bool is_contiguous(const lpi_box *inner, const lpi_box *outer)
{
    bool cut = false;
    int32_t a;

    for (a = inner->rank - 1; a >= 0; a--) {
        int64_t extent = inner->to[a] - inner->from[a];

        if (cut && extent != 1)
            return false;
        cut = cut || extent != outer->to[a] - outer->from[a];
    }
    return true;
}

/* Count the tiles along each axis of the last result. */
static lp_status count_tiles(cutter *c)
{
    const lpi_group *g = c->group;
    const lp_layer *last = g->layers[g->layers_count - 1];
    const lp_tensor *out = last->outputs_count ? last->outputs[0] : NULL;
    int32_t i;

    if (!lpi_is_value(out) || out->shape.rank > LPI_RANKS)
        return refuse(c, out, "its last layer has no result to be cut");
    c->tiles = 1;
    for (i = 0; i < out->shape.rank; i++) {
        c->extents[i] = out->shape.dims[i];
        c->counts[i] = 1;
    }
    for (i = 0; i < g->tiles_count; i++) {
        int32_t axis = g->tiles[i].axis;

        if (axis < 0 || axis >= out->shape.rank || g->tiles[i].extent < 1)
            return refuse(c, out,
                          "its tiles do not fit the rank of the result");
        c->extents[axis] = g->tiles[i].extent;
        c->counts[axis] = lpi_ceil_div(out->shape.dims[axis], c->extents[axis]);
    }
    for (i = 0; i < out->shape.rank; i++)
        c->tiles = lpi_mul(c->tiles, c->counts[i]);
    if (c->tiles < 1 || c->tiles > TILES_MOST)
        return refuse(c, out, "it has no tiles, or more than 65536");
    return LP_OK;
}

static lpi_box tile_box(const cutter *c, const lp_tensor *out, int64_t tile)
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
static lp_status make_pieces(cutter *c)
{
    const lpi_group *g = c->group;
    lpi_arena *arena = c->l->program->arena;
    int64_t operands = 0;
    int32_t s, i;
    lpi_piece *pieces;
    lpi_box *boxes;

    for (s = 0; s < g->layers_count; s++)
        operands += g->layers[s]->inputs_count + g->layers[s]->outputs_count;
    if (lpi_mul(operands, c->tiles) > BOXES_MOST)
        return refuse(c, NULL, "it has more than 1048576 tiles of operands");
    c->stages = LPI_NEW(arena, lpi_stage, g->layers_count);
    pieces = LPI_NEW(arena, lpi_piece, operands);
    boxes = LPI_NEW(arena, lpi_box, operands * c->tiles);
    c->makers =
        LPI_NEW(c->l->scratch, int32_t, c->l->program->model->tensors_count);
    if (!c->stages || !pieces || !boxes || !c->makers)
        return lpi_fail_memory(c->l->error);
    for (i = 0; i < operands; i++) {
        pieces[i] = (lpi_piece){.value = -1, .buffer = -1, .boxes = boxes};
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
static int32_t maker(const cutter *c, const lp_tensor *tensor)
{
    return lpi_is_value(tensor) ? c->makers[tensor->id] - 1 : -1;
}

/* Link inputs to the stages that make them, outputs to their values. */
static lp_status link_pieces(cutter *c)
{
    const lpi_program *p = c->l->program;
    int32_t s, i;

    for (s = 0; s < c->group->layers_count; s++) {
        const lp_layer *layer = c->stages[s].layer;
        lpi_piece *in = (lpi_piece *)c->stages[s].in;
        lpi_piece *out = (lpi_piece *)c->stages[s].out;

        if (!layer->outputs_count || !lpi_is_value(layer->outputs[0]))
            return refuse(c, NULL, "a layer has no result to be cut");
        for (i = 0; i < layer->inputs_count; i++) {
            int32_t from = maker(c, in[i].tensor);

            if (from >= 0 && c->stages[from].layer->outputs[0] != in[i].tensor)
                return refuse(c, in[i].tensor,
                              "only first results are cut into tiles");
            in[i].source = from >= 0 ? c->stages[from].out : NULL;
            if (lpi_is_value(in[i].tensor) && from < 0)
                in[i].value =
                    lpi_program_value(p, c->unit, in[i].tensor, false);
        }
        out[0].value = lpi_program_value(p, c->unit, out[0].tensor, true);
        for (i = 0; i < layer->outputs_count; i++) {
            if (i && layer->outputs[i] &&
                lpi_program_value(p, c->unit, layer->outputs[i], true) >= 0)
                return refuse(c, layer->outputs[i],
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
static void need(cutter *c, lpi_piece *in, const lpi_box *box, int64_t tile,
                 bool *needed)
{
    lpi_box *boxes = (lpi_box *)in->boxes;
    int32_t from = maker(c, in->tensor);

    if (!in->tensor)
        return;
    boxes[tile] = *box;
    if (box->rank < 0 && lpi_is_value(in->tensor))
        boxes[tile] = whole_box(in->tensor);
    if (from < 0 || !in->source)
        return;
    join((lpi_box *)&in->source->boxes[tile], &boxes[tile], !needed[from]);
    needed[from] = true;
}

/* The boxes of one tile, from the last layer to the first, and its MACs. */
static lp_status cut_tile(cutter *c, int64_t tile, lpi_arena *arena)
{
    lpi_lowering *l = c->l;
    int32_t last = c->group->layers_count - 1, s, i;
    bool *needed = LPI_NEW(arena, bool, c->group->layers_count);

    if (!needed)
        return lpi_fail_memory(l->error);
    *(lpi_box *)&c->stages[last].out[0].boxes[tile] =
        tile_box(c, c->stages[last].out[0].tensor, tile);
    needed[last] = true;
    for (s = last; s >= 0; s--) {
        const lp_layer *layer = c->stages[s].layer;
        lpi_box *in = LPI_NEW(arena, lpi_box, layer->inputs_count);
        lp_row_status status;
        lp_layer *shadow;
        lp_cost cost;

        if (!in)
            return lpi_fail_memory(l->error);
        if (!needed[s])
            return refuse(c, layer->outputs[0],
                          "a layer makes nothing for those after it");
        LP_TRY(lpi_shadow_new(arena, l->program->model, layer,
                              &c->stages[s].out[0].boxes[tile], in, &shadow,
                              l->error));
        LP_TRY(lpi_layer_cost(l->program->model, shadow, &cost, &status,
                              l->error));
        l->program->predictions.macs =
            lpi_add(l->program->predictions.macs, lp_cost_macs(&cost));
        for (i = 0; i < layer->inputs_count; i++)
            need(c, (lpi_piece *)&c->stages[s].in[i], &in[i], tile, needed);
    }
    return LP_OK;
}

static lp_status cut_tiles(cutter *c)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(c->l->scratch));
    lp_status status = arena ? LP_OK : lpi_fail_memory(c->l->error);
    int64_t tile;

    for (tile = 0; status == LP_OK && tile < c->tiles; tile++) {
        status = cut_tile(c, tile, arena);
        lpi_arena_reset(arena);
    }
    lpi_arena_free(arena);
    return status;
}

/* A tensor that is kept must be made whole by the tiles together: their boxes
 * are a grid whose intervals cover each axis. */
static bool is_covered(const cutter *c, const lpi_piece *out)
{
    int64_t distinct = 1;
    int32_t a;

    for (a = 0; a < out->tensor->shape.rank; a++) {
        int64_t reached = 0, steps = 0;
        bool grows = true;

        while (reached < out->tensor->shape.dims[a] && grows) {
            int64_t furthest = reached, t;

            for (t = 0; t < c->tiles; t++)
                if (out->boxes[t].from[a] <= reached &&
                    out->boxes[t].to[a] > furthest)
                    furthest = out->boxes[t].to[a];
            grows = furthest > reached;
            reached = furthest;
            steps++;
        }
        if (!grows)
            return false;
        distinct = lpi_mul(distinct, steps);
    }
    return distinct <= c->tiles;
}

/* A buffer for "piece", as large as its largest box. */
static lp_status add_buffer(cutter *c, lpi_piece *piece, const lp_layer *reader)
{
    int64_t bytes = 0, t;

    for (t = 0; t < c->tiles; t++) {
        int64_t box = box_bytes(piece->tensor, &piece->boxes[t]);

        if (box > bytes)
            bytes = box;
    }
    return lpi_buffer_add(c->l, c->unit,
                          &(lpi_residency){.kind = LPI_OF_TILE,
                                           .value = -1,
                                           .tensor = piece->tensor,
                                           .layer = reader,
                                           .bytes = bytes,
                                           .live_bytes = bytes},
                          &piece->buffer);
}

/* Whether all boxes lie contiguous in the whole tensor. */
static bool lies_in_whole(const cutter *c, const lpi_piece *piece)
{
    lpi_box whole = whole_box(piece->tensor);
    int64_t t;

    for (t = 0; t < c->tiles; t++)
        if (!is_contiguous(&piece->boxes[t], &whole))
            return false;
    return true;
}

static bool lies_in_source(const cutter *c, const lpi_piece *piece)
{
    int64_t t;

    if (piece->source->buffer < 0)
        return lies_in_whole(c, piece);
    for (t = 0; t < c->tiles; t++)
        if (!is_contiguous(&piece->boxes[t], &piece->source->boxes[t]))
            return false;
    return true;
}

/* The buffer of the operand that stage "s" may overwrite, as its alias says:
 * read last here, made inside, the same box in every tile; -1: none. */
static int64_t shared_buffer(const cutter *c, int32_t s)
{
    const lpi_stage *stage = &c->stages[s];
    const lpi_alias *alias = c->l->aliases[stage->out[0].tensor->id];
    int32_t i, at = -1, later;

    if (!alias || alias->kind == LPI_ALIAS_PART || stage->out[0].value >= 0)
        return -1;
    for (i = 0; i < stage->layer->inputs_count; i++)
        if (stage->in[i].tensor == alias->of)
            at = i;
    if (at < 0 || !stage->in[at].source || stage->in[at].buffer >= 0 ||
        stage->in[at].source->buffer < 0 || stage->in[at].source->value >= 0)
        return -1;
    if (memcmp(stage->in[at].boxes, stage->in[at].source->boxes,
               (size_t)c->tiles * sizeof(lpi_box)) != 0)
        return -1;
    if (alias->kind == LPI_ALIAS_IN_PLACE &&
        memcmp(stage->in[at].boxes, stage->out[0].boxes,
               (size_t)c->tiles * sizeof(lpi_box)) != 0)
        return -1;
    for (later = s + 1; later < c->group->layers_count; later++)
        for (i = 0; i < c->stages[later].layer->inputs_count; i++)
            if (c->stages[later].in[i].source &&
                c->stages[later].in[i].source->buffer ==
                    stage->in[at].source->buffer)
                return -1;
    return stage->in[at].source->buffer;
}

static lp_status add_buffers(cutter *c)
{
    int32_t s, i;

    for (s = 0; s < c->group->layers_count; s++) {
        lpi_piece *in = (lpi_piece *)c->stages[s].in;
        lpi_piece *out = (lpi_piece *)c->stages[s].out;

        for (i = 0; i < c->stages[s].layer->inputs_count; i++) {
            bool lies = !lpi_is_value(in[i].tensor) ||
                        (in[i].source ? lies_in_source(c, &in[i])
                                      : lies_in_whole(c, &in[i]));

            if (!lies)
                LP_TRY(add_buffer(c, &in[i], c->stages[s].layer));
        }
        if (out->value >= 0 && !is_covered(c, out))
            return refuse(c, out->tensor,
                          "its tiles do not make the whole of a tensor that "
                          "is read later");
        if (out->value >= 0 && lies_in_whole(c, out))
            continue;
        out->buffer = shared_buffer(c, s);
        if (out->buffer < 0)
            LP_TRY(add_buffer(c, out, NULL));
    }
    return LP_OK;
}

lp_status lpi_lower_group(lpi_lowering *l, int64_t unit)
{
    cutter c = {.l = l, .unit = unit, .group = l->program->units[unit].group};
    lpi_tiling *tiling = LPI_NEW(l->program->arena, lpi_tiling, 1);

    if (!tiling)
        return lpi_fail_memory(l->error);
    if (c.group->keeps_rows)
        return lpi_fail(l->error, LP_EUNSUPPORTED, l->schedule->name,
                        "group '%.200s': overlap 'keep' is not lowered, only "
                        "'recompute'",
                        c.group->name);
    LP_TRY(count_tiles(&c));
    LP_TRY(make_pieces(&c));
    LP_TRY(link_pieces(&c));
    LP_TRY(cut_tiles(&c));
    LP_TRY(add_buffers(&c));
    *tiling = (lpi_tiling){.tiles = c.tiles,
                           .stages = c.stages,
                           .stages_count = c.group->layers_count};
    l->program->uses[unit].tiling = tiling;
    return LP_OK;
}
