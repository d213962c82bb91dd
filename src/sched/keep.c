/* keep.c: a group that keeps rows of one tile for the next.
 *
 * Tiles run in ascending order along one axis.  What those after a layer need
 * of its result in a tile grows along one axis of it, too; so a tile computes
 * only what no tile before it has, and rows that a later tile needs again are
 * held.  A tile may compute nothing of a layer: what it needs is there.  Rows
 * that no tile needs (a window may step over some) are left out; where several
 * readers step unevenly, so that a later tile does need them, all tiles are cut
 * again and that layer leaves none out.
 *
 * Invariant: "held" of a tile reaches from the first row that this tile or a
 * later one needs to the last one computed so far. */
#include "sched.h"

/* What a stage has computed so far. */
typedef struct lpi_rows {
    bool begun;
    int32_t axis;    /* along which it grows; -1: not known yet */
    lpi_box done;    /* hull of the boxes computed */
    int64_t skipped; /* end of the last rows that were left out */
    bool fills;      /* leaves none out */
} lpi_rows;

bool lpi_box_empty(const lpi_box *box)
{
    int32_t a;

    for (a = 0; a < box->rank; a++)
        if (box->to[a] <= box->from[a])
            return true;
    return false;
}

lp_status lpi_keep_start(lpi_cutter *c)
{
    const lp_tensor *out = c->stages[c->group->layers_count - 1].out[0].tensor;
    int64_t counts = 0;
    int32_t s, a;

    for (a = 0; a < out->shape.rank; a++)
        counts += c->counts[a] > 1;
    if (counts > 1)
        return lpi_cutter_refuse(
            c, out, "rows are kept along one axis, its tiles cut several");
    c->rows = LPI_NEW(c->l->scratch, lpi_rows, c->group->layers_count);
    if (!c->rows)
        return lpi_fail_memory(c->l->error);
    for (s = 0; s < c->group->layers_count; s++) {
        lpi_piece *piece = (lpi_piece *)c->stages[s].out;
        int64_t t;

        c->rows[s].axis = -1;
        c->rows[s].fills = piece->value >= 0;
        piece->held = LPI_NEW(c->l->program->arena, lpi_box, c->tiles);
        if (!piece->held)
            return lpi_fail_memory(c->l->error);
        for (t = 0; t < c->tiles; t++)
            ((lpi_box *)piece->boxes)[t].rank = piece->tensor->shape.rank;
    }
    return LP_OK;
}

/* Widen "done" to hold "box": what is new is stored there. */
static bool grow(lpi_rows *rows, lpi_box *box)
{
    int32_t a, axis = -1;

    for (a = 0; a < box->rank; a++) {
        if (box->from[a] < rows->done.from[a])
            return false;
        if (box->to[a] <= rows->done.to[a])
            continue;
        if (axis >= 0 || (rows->axis >= 0 && rows->axis != a))
            return false;
        axis = a;
    }
    if (rows->axis >= 0 && box->from[rows->axis] < rows->skipped)
        rows->fills = true;
    if (axis < 0) {
        *box = (lpi_box){.rank = box->rank};
        return true;
    }
    rows->axis = axis;
    for (a = 0; a < box->rank; a++)
        if (a != axis) {
            box->from[a] = rows->done.from[a];
            box->to[a] = rows->done.to[a];
        }
    if (box->from[axis] > rows->done.to[axis] && !rows->fills)
        rows->skipped = box->from[axis];
    else
        box->from[axis] = rows->done.to[axis];
    rows->done.to[axis] = box->to[axis];
    return true;
}

lp_status lpi_keep_take(lpi_cutter *c, int32_t s, int64_t tile)
{
    lpi_rows *rows = &c->rows[s];
    lpi_box *box = (lpi_box *)&c->stages[s].out[0].boxes[tile];

    ((lpi_box *)c->stages[s].out[0].held)[tile] = *box;
    if (lpi_box_empty(box))
        return LP_OK;
    if (!rows->begun) {
        rows->begun = true;
        rows->done = *box;
        return LP_OK;
    }
    if (!grow(rows, box))
        return lpi_cutter_refuse(c, c->stages[s].out[0].tensor,
                                 "its rows do not grow along one axis, and "
                                 "cannot be kept");
    return LP_OK;
}

/* From what is needed in each tile to what is held: up to the last row computed
 * by then, from the first that it or a later one needs, or computes. */
static void hold(lpi_piece *out, const lpi_rows *rows, int64_t tiles)
{
    lpi_box *held = (lpi_box *)out->held;
    int32_t axis = rows->axis;
    int64_t first = rows->done.to[axis], end = rows->done.from[axis], t;

    for (t = 0; t < tiles; t++) {
        int64_t from = lpi_box_empty(&held[t]) ? first : held[t].from[axis];

        if (!lpi_box_empty(&out->boxes[t]))
            end = out->boxes[t].to[axis];
        held[t] = rows->done;
        held[t].from[axis] = from;
        held[t].to[axis] = end;
    }
    for (t = tiles - 1; t >= 0; t--) {
        const lpi_box *made = &out->boxes[t];

        if (held[t].from[axis] < first)
            first = held[t].from[axis];
        if (!lpi_box_empty(made) && made->from[axis] < first)
            first = made->from[axis];
        held[t].from[axis] = first < held[t].to[axis] ? first
                                                      : held[t].to[axis];
    }
}

/* Whether each tile computes all that it holds. */
static bool is_fresh(const lpi_piece *out, int64_t tiles)
{
    int64_t t;
    int32_t a;

    for (t = 0; t < tiles; t++) {
        if (lpi_box_empty(&out->boxes[t]))
            return false;
        for (a = 0; a < out->boxes[t].rank; a++)
            if (out->boxes[t].from[a] != out->held[t].from[a] ||
                out->boxes[t].to[a] != out->held[t].to[a])
                return false;
    }
    return true;
}

bool lpi_keep_again(lpi_cutter *c)
{
    bool again = false;
    int64_t t;
    int32_t s;

    for (s = 0; s < c->group->layers_count; s++)
        again = again || (c->rows[s].fills && c->rows[s].skipped > 0);
    for (s = 0; again && s < c->group->layers_count; s++) {
        lpi_piece *out = (lpi_piece *)c->stages[s].out;

        c->rows[s] = (lpi_rows){.axis = -1, .fills = c->rows[s].fills};
        for (t = 0; t < c->tiles; t++)
            ((lpi_box *)out->boxes)[t] =
                (lpi_box){.rank = out->tensor->shape.rank};
    }
    return again;
}

lp_status lpi_keep_settle(lpi_cutter *c)
{
    int32_t s;
    int64_t t;

    for (s = 0; s < c->group->layers_count; s++) {
        lpi_piece *out = (lpi_piece *)c->stages[s].out;
        lpi_rows *rows = &c->rows[s];

        if (!rows->begun)
            return lpi_cutter_refuse(
                c, out->tensor, "a layer makes nothing for those after it");
        if (rows->axis >= 0)
            hold(out, rows, c->tiles);
        for (t = 0; t < c->tiles && rows->axis < 0; t++)
            ((lpi_box *)out->held)[t] = rows->done;
        if (s == c->group->layers_count - 1 || is_fresh(out, c->tiles))
            out->held = NULL;
        else if (lp_dtype_bits(out->tensor->dtype) % 8)
            return lpi_cutter_refuse(c, out->tensor,
                                     "elements below a byte are not kept");
    }
    return LP_OK;
}
