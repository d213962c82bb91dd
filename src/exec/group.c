/* group.c: a group run tile by tile.
 *
 * Each tile passes through all layers.  A layer of a tile is a shadow with
 * tensors of the boxes' shapes, so that rows know nothing of tiles.  Boxes
 * that are contiguous where they lie are used there; others are gathered into
 * tile buffers, and results are copied to the whole tensor when something
 * later reads it.  Static operands are made once for all tiles and cut. */
#include <string.h>

#include "exec.h"

/* One group while it runs. */
typedef struct tiles {
    lpi_frame *frame;
    const lpi_tiling *tiling;
    int64_t unit;
    lpi_arena *arena; /* of one layer of one tile */
} tiles;

/* An array in memory that covers "box" of a tensor of shape "shape". */
typedef struct area {
    char *bytes;
    lpi_box box;
} area;

static lpi_box whole_box(lp_shape shape)
{
    lpi_box box = {.rank = shape.rank};

    for (int32_t i = 0; i < shape.rank && i < LPI_RANKS; i++)
        box.to[i] = shape.dims[i];
    return box;
}

static int64_t extent(const lpi_box *box, int32_t axis)
{
    return box->to[axis] - box->from[axis];
}

static int64_t box_elements(const lpi_box *box)
{
    int64_t count = 1;

    for (int32_t i = 0; i < box->rank; i++)
        count *= extent(box, i);
    return count;
}

/* Elements before "box" in the array of "around", and its strides there. */
static int64_t locate(const lpi_box *around, const lpi_box *box,
                      int64_t *strides)
{
    int64_t stride = 1, first = 0;

    for (int32_t i = box->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        first += (box->from[i] - around->from[i]) * stride;
        stride *= extent(around, i);
    }
    return first;
}

/* Copy box "box" of a tensor of "bits" between the arrays "to" and "from",
 * which both cover it. */
static void copy_box(int32_t bits, const lpi_box *box, const area *to,
                     const area *from)
{
    int64_t dims[LPI_RANKS], to_strides[LPI_RANKS], from_strides[LPI_RANKS];
    lpi_place target = {.bytes = to->bytes, .strides = to_strides};
    lpi_place source = {.bytes = from->bytes, .strides = from_strides};

    for (int32_t i = 0; i < box->rank; i++)
        dims[i] = extent(box, i);
    target.first = locate(&to->box, box, to_strides);
    source.first = locate(&from->box, box, from_strides);
    lpi_copy_box(bits, box->rank, dims, target, source);
}

/* The box of "piece" at "tile"; the whole tensor where it says nothing. */
static lpi_box box_of(const lpi_piece *piece, int64_t tile)
{
    lpi_box box = piece->boxes ? piece->boxes[tile] : (lpi_box){.rank = -1};

    return box.rank < 0 ? whole_box(piece->tensor->shape) : box;
}

/* Bytes before "box" in the array of "around", which it lies in without
 * gaps. */
static int64_t offset_in(const lp_tensor *tensor, const lpi_box *around,
                         const lpi_box *box)
{
    int64_t strides[LPI_RANKS];

    return locate(around, box, strides) * lp_dtype_bits(tensor->dtype) / 8;
}

/* Where the bytes of "piece" lie at "tile", whatever they cover. */
static lp_status area_of(tiles *t, const lpi_piece *piece, int64_t tile,
                         area *ret_area)
{
    int64_t room;

    if (piece->buffer >= 0) {
        ret_area->bytes = lpi_program_at(t->frame, piece->buffer);
        ret_area->box = box_of(piece, tile);
        return LP_OK;
    }
    if (piece->value >= 0) {
        ret_area->box = whole_box(piece->tensor->shape);
        return lpi_program_address(t->frame, piece->value, t->unit,
                                   &ret_area->bytes, &room);
    }
    if (piece->source)
        return area_of(t, piece->source, tile, ret_area);
    return lpi_exec_fail(t->frame->exec, "tensor '%.200s' lies nowhere",
                         piece->tensor->name);
}

/* The part of static operand "piece" at "tile": in place where it is
 * contiguous from the start, else cut out. */
static lp_status cut_static(tiles *t, const lpi_piece *piece, int64_t tile,
                            const void **ret_bytes)
{
    const lp_tensor *tensor = piece->tensor;
    lpi_box box = box_of(piece, tile), all = whole_box(tensor->shape);
    int64_t bytes = lpi_storage_bytes(tensor->dtype, box_elements(&box));
    area from = {.box = all}, to = {.box = box};
    const void *content;

    LP_TRY(lpi_content_get(t->frame, tensor, &content));
    *ret_bytes = content;
    if (bytes == lpi_tensor_bytes(tensor))
        return LP_OK;
    from.bytes = (char *)content;
    to.bytes = lpi_arena_array(t->arena, bytes, 1);
    if (!to.bytes)
        return lpi_fail_memory(t->frame->exec->error);
    copy_box(lp_dtype_bits(tensor->dtype), &box, &to, &from);
    *ret_bytes = to.bytes;
    return LP_OK;
}

/* Address of operand "piece" at "tile", gathered where it has to be. */
static lp_status get_input(tiles *t, const lpi_piece *piece, int64_t tile,
                           const void **ret_bytes)
{
    lpi_piece outside = *piece;
    lpi_box box;
    area from, to;

    if (piece->value < 0 && !piece->source)
        return cut_static(t, piece, tile, ret_bytes);
    box = box_of(piece, tile);
    outside.buffer = -1;
    if (piece->source)
        LP_TRY(area_of(t, piece->source, tile, &from));
    else
        LP_TRY(area_of(t, &outside, tile, &from));
    if (piece->buffer < 0) {
        *ret_bytes = from.bytes + offset_in(piece->tensor, &from.box, &box);
        return LP_OK;
    }
    to = (area){lpi_program_at(t->frame, piece->buffer), box};
    copy_box(lp_dtype_bits(piece->tensor->dtype), &box, &to, &from);
    *ret_bytes = to.bytes;
    return LP_OK;
}

/* Address where output "piece" is computed at "tile". */
static lp_status get_output(tiles *t, const lpi_piece *piece, int64_t tile,
                            void **ret_bytes)
{
    lpi_box box = box_of(piece, tile);
    area at;

    LP_TRY(area_of(t, piece, tile, &at));
    *ret_bytes = at.bytes + (piece->buffer >= 0
                                 ? 0
                                 : offset_in(piece->tensor, &at.box, &box));
    return LP_OK;
}

/* Copy output "piece" of "tile" to the whole tensor, if there is one. */
static lp_status put_output(tiles *t, const lpi_piece *piece, int64_t tile)
{
    lpi_box box;
    area from, to;
    int64_t room;

    if (!piece->tensor || piece->buffer < 0 || piece->value < 0)
        return LP_OK;
    box = box_of(piece, tile);
    LP_TRY(area_of(t, piece, tile, &from));
    to.box = whole_box(piece->tensor->shape);
    LP_TRY(
        lpi_program_address(t->frame, piece->value, t->unit, &to.bytes, &room));
    copy_box(lp_dtype_bits(piece->tensor->dtype), &box, &to, &from);
    return LP_OK;
}

/* Run stage "s" of "tile". */
static lp_status run_stage(tiles *t, const lpi_stage *s, int64_t tile)
{
    const lp_layer *layer = s->layer;
    lpi_exec *exec = t->frame->exec;
    lpi_box *boxes = LPI_NEW(t->arena, lpi_box, layer->inputs_count);
    const void **in = LPI_NEW(t->arena, const void *, layer->inputs_count);
    void **out = LPI_NEW(t->arena, void *, layer->outputs_count);
    lpi_node node = {.model = (lp_model *)t->frame->model};
    lpi_run run = {.node = &node, .in = in, .out = out};
    lpi_box box;
    lp_layer *shadow = NULL;

    if (!boxes || !in || !out)
        return lpi_fail_memory(exec->error);
    for (int32_t i = 0; i < layer->inputs_count; i++)
        if (s->in[i].tensor)
            LP_TRY(get_input(t, &s->in[i], tile, &in[i]));
    for (int32_t i = 0; i < layer->outputs_count; i++)
        if (s->out[i].tensor)
            LP_TRY(get_output(t, &s->out[i], tile, &out[i]));
    box = s->out[0].boxes ? s->out[0].boxes[tile] : (lpi_box){.rank = -1};
    LP_TRY(lpi_shadow_new(t->arena, t->frame->model, layer, &box, boxes,
                          &shadow, exec->error));
    node.layer = shadow;
    LP_TRY(lpi_layer_compute(t->frame, &run));
    for (int32_t i = 0; i < layer->outputs_count; i++)
        LP_TRY(put_output(t, &s->out[i], tile));
    return lpi_layer_count(t->frame, layer, shadow);
}

static lp_status run_tiles(tiles *t)
{
    for (int64_t tile = 0; tile < t->tiling->tiles; tile++) {
        for (int32_t i = 0; i < t->tiling->stages_count; i++) {
            const lpi_stage *s = &t->tiling->stages[i];
            int64_t start = lpi_exec_now_ns();

            LP_TRY(run_stage(t, s, tile));
            lpi_exec_profile(t->frame, s->layer, start, tile == 0);
            lpi_arena_reset(t->arena);
        }
    }
    return LP_OK;
}

lp_status lpi_group_run(lpi_frame *frame, int64_t unit)
{
    const lp_unit *u = &frame->program->units[unit];
    int64_t mark = lpi_content_mark(frame->exec);
    tiles t = {.frame = frame,
               .tiling = frame->program->uses[unit].tiling,
               .unit = unit,
               .arena = frame->shadow};
    lp_status status = run_tiles(&t);

    lpi_content_release(frame->exec, mark);
    lpi_arena_reset(frame->shadow);
    LP_TRY(status);
    return lpi_exec_step(frame->exec, u->group->name);
}
