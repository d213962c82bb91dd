/* group.c: a group run tile by tile.
 *
 * Each tile passes through all layers.  A layer of a tile is a shadow with
 * tensors of the boxes' shapes, so that rows know nothing of tiles.  Boxes
 * that are contiguous where they lie are used there; others are gathered into
 * tile buffers, and results are copied to the whole tensor when something
 * later reads it.  Rows that a group keeps move to where the next tile wants
 * them before it runs.  Static operands are made once for all tiles and cut;
 * where sums are computed in parts, only the slice of a part is read. */
#include <string.h>

#include "exec.h"

/* One group while it runs. */
typedef struct tiles {
    lpi_frame *frame;
    const lpi_tiling *tiling;
    int64_t unit;
    lpi_arena *arena;           /* of one layer of one tile */
    lpi_slot slices[LPI_RANKS]; /* of weights, by operand; of sums in parts */
    lpi_box cuts[LPI_RANKS];    /* what they hold */
    int64_t mark;               /* of what was in flight before them */
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
    return lpi_exec_fail(t->frame->exec, "tensor '%.200s' lies nowhere",
                         piece->tensor->name);
}

/* Where those after it read output "piece" at "tile". */
static lp_status read_area(tiles *t, const lpi_piece *piece, int64_t tile,
                           area *ret_area)
{
    lpi_piece whole = *piece;

    if (piece->kept >= 0) {
        ret_area->bytes = lpi_program_at(t->frame, piece->kept);
        ret_area->box = piece->held[tile];
        return LP_OK;
    }
    if (piece->held)
        whole.buffer = -1;
    return area_of(t, &whole, tile, ret_area);
}

static bool same_box(const lpi_box *a, const lpi_box *b)
{
    for (int32_t i = 0; i < a->rank; i++)
        if (a->from[i] != b->from[i] || a->to[i] != b->to[i])
            return false;
    return a->rank == b->rank;
}

/* The slice of weight "piece", operand "i", at "tile": read unless it is the
 * one of the tile before. */
static lp_status get_slice(tiles *t, const lpi_piece *piece, int32_t i,
                           int64_t tile, const void **ret_bytes)
{
    lpi_box box = box_of(piece, tile);

    if (t->slices[i].bytes == NULL || !same_box(&box, &t->cuts[i])) {
        lpi_content_release(t->frame->exec, t->mark);
        LP_TRY(lpi_content_slice(t->frame, piece->tensor, &box, &t->slices[i]));
        t->cuts[i] = box;
    }
    *ret_bytes = t->slices[i].bytes;
    return LP_OK;
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
static lp_status get_input(tiles *t, const lpi_piece *piece, int32_t i,
                           int64_t tile, const void **ret_bytes)
{
    lpi_piece outside = *piece;
    lpi_box box;
    area from, to;

    if (piece->value < 0 && !piece->source)
        return i < LPI_RANKS && lpi_is_sliced(t->tiling, piece) &&
                       !t->frame->slots[piece->tensor->id].bytes
                   ? get_slice(t, piece, i, tile, ret_bytes)
                   : cut_static(t, piece, tile, ret_bytes);
    box = box_of(piece, tile);
    outside.buffer = -1;
    if (piece->source)
        LP_TRY(read_area(t, piece->source, tile, &from));
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

    if (piece->buffer < 0)
        LP_TRY(read_area(t, piece, tile, &at));
    else
        LP_TRY(area_of(t, piece, tile, &at));
    *ret_bytes = at.bytes + (piece->buffer >= 0
                                 ? 0
                                 : offset_in(piece->tensor, &at.box, &box));
    return LP_OK;
}

/* Round output "piece" of "tile", computed at "bytes" (NULL: not yet all), to
 * what is stored of it. */
static void round_output(const tiles *t, const lpi_piece *piece, int64_t tile,
                         void *bytes)
{
    lpi_box box;

    if (!piece->tensor || !bytes)
        return;
    box = box_of(piece, tile);
    lpi_width_round(t->frame, piece->tensor, &box, bytes);
}

/* Copy output "piece" of "tile" to the rows kept, or to the whole tensor, if
 * there is one. */
static lp_status put_output(tiles *t, const lpi_piece *piece, int64_t tile)
{
    lpi_piece whole = {.tensor = piece->tensor,
                       .value = piece->value,
                       .buffer = -1,
                       .kept = piece->kept,
                       .held = piece->held};
    lpi_box box;
    area from, to;

    if (!piece->tensor || piece->buffer < 0 ||
        (piece->value < 0 && piece->kept < 0))
        return LP_OK;
    box = box_of(piece, tile);
    LP_TRY(area_of(t, piece, tile, &from));
    LP_TRY(read_area(t, &whole, tile, &to));
    copy_box(lp_dtype_bits(piece->tensor->dtype), &box, &to, &from);
    return LP_OK;
}

/* Copy what output "piece" of "tile" holds of its sums from the whole tensor to
 * where it is computed. */
static lp_status take_sums(tiles *t, const lpi_piece *piece, int64_t tile)
{
    lpi_piece whole = *piece;
    lpi_box box = box_of(piece, tile);
    area from, to;

    if (piece->buffer < 0)
        return LP_OK;
    whole.buffer = -1;
    LP_TRY(area_of(t, &whole, tile, &from));
    LP_TRY(area_of(t, piece, tile, &to));
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
    lpi_part part = {.out = &box};
    int64_t range[2];
    lp_layer *shadow = NULL;

    if (!boxes || !in || !out)
        return lpi_fail_memory(exec->error);
    for (int32_t i = 0; i < layer->inputs_count; i++)
        if (s->in[i].tensor)
            LP_TRY(get_input(t, &s->in[i], i, tile, &in[i]));
    for (int32_t i = 0; i < layer->outputs_count; i++)
        if (s->out[i].tensor)
            LP_TRY(get_output(t, &s->out[i], tile, &out[i]));
    box = s->out[0].boxes ? s->out[0].boxes[tile] : (lpi_box){.rank = -1};
    lpi_tiling_range(t->tiling, tile, range);
    part.from = range[0];
    part.to = range[1];
    LP_TRY(lpi_shadow_part(t->arena, t->frame->model, layer, &part, boxes,
                           &shadow, exec->error));
    node.layer = shadow;
    run.continues = range[0] > 0;
    run.goes_on = range[1] &&
                  tile + t->tiling->tiles / t->tiling->parts < t->tiling->tiles;
    if (run.continues)
        LP_TRY(take_sums(t, &s->out[0], tile));
    LP_TRY(lpi_layer_compute(t->frame, &run));
    for (int32_t i = 0; i < layer->outputs_count; i++) {
        round_output(t, &s->out[i], tile, run.goes_on ? NULL : out[i]);
        LP_TRY(put_output(t, &s->out[i], tile));
    }
    return lpi_layer_count(t->frame, layer, shadow);
}

/* Whether all that "tile" needs of stage "s" was computed before. */
static bool is_idle(const lpi_stage *s, int64_t tile)
{
    return s->out[0].held && lpi_box_empty(&s->out[0].boxes[tile]);
}

static lp_status run_tiles(tiles *t)
{
    for (int64_t tile = 0; tile < t->tiling->tiles; tile++) {
        LP_TRY(lpi_exec_poll(t->frame->exec,
                             t->frame->program->units[t->unit].group->name));
        lpi_rows_roll(t->frame, t->tiling, tile);
        for (int32_t i = 0; i < t->tiling->stages_count; i++) {
            const lpi_stage *s = &t->tiling->stages[i];
            int64_t start = lpi_exec_now_ns();

            if (!is_idle(s, tile))
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
               .arena = frame->shadow,
               .mark = mark};
    lp_status status = run_tiles(&t);

    lpi_content_release(frame->exec, mark);
    lpi_arena_reset(frame->shadow);
    LP_TRY(status);
    return lpi_exec_step(frame->exec, u->group->name);
}
