/* group_buffers.c: where the tiles of a group lie.
 *
 * A box that is contiguous in what holds it is used there; any other has a
 * buffer as large as its largest. */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

static int64_t box_bytes(const lp_schedule *s, const lp_tensor *tensor,
                         const lpi_box *box)
{
    int64_t elements = 1;
    int32_t a;

    for (a = 0; a < box->rank; a++)
        elements = lpi_mul(elements, box->to[a] - box->from[a]);
    return lpi_storage_bytes(lpi_planned_dtype(s, tensor), elements);
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

typedef struct span { /* of the boxes along an axis */
    int64_t from, to;
} span;

static int by_from(const void *a, const void *b)
{
    const span *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* The fewest of "spans" that cover an axis of "extent"; 0: they do not. */
static int64_t cover(span *spans, int64_t count, int64_t extent)
{
    int64_t reached = 0, furthest = 0, steps = 0, at = 0;

    qsort(spans, (size_t)count, sizeof(*spans), by_from);
    while (reached < extent) {
        for (; at < count && spans[at].from <= reached; at++)
            if (spans[at].to > furthest)
                furthest = spans[at].to;
        if (furthest <= reached)
            return 0;
        reached = furthest;
        steps++;
    }
    return steps;
}

/* A tensor that is kept must be made whole by the tiles together: their boxes
 * are a grid whose intervals cover each axis. */
static bool is_covered(const lpi_cutter *c, const lpi_piece *out, span *spans)
{
    int64_t distinct = 1, t;
    int32_t a;

    for (a = 0; a < out->tensor->shape.rank; a++) {
        int64_t extent = out->tensor->shape.dims[a], count = 0, steps;

        for (t = 0; t < c->tiles; t++) {
            span here = {out->boxes[t].from[a], out->boxes[t].to[a]};

            if (!count || by_from(&here, &spans[count - 1]) != 0)
                spans[count++] = here;
        }
        steps = cover(spans, count, extent);
        if (!steps && extent > 0)
            return false;
        distinct = lpi_mul(distinct, steps);
    }
    return distinct <= c->tiles;
}

/* A buffer of "layer" for "tensor", as large as the largest of "boxes". */
static lp_status add_buffer(lpi_cutter *c, const lp_tensor *tensor,
                            const lpi_box *boxes, const lp_layer *layer,
                            int64_t *ret_buffer)
{
    int64_t bytes = 0, t;

    for (t = 0; t < c->tiles; t++) {
        int64_t box = box_bytes(c->l->schedule, tensor, &boxes[t]);

        if (box > bytes)
            bytes = box;
    }
    return lpi_buffer_add(c->l, c->unit,
                          &(lpi_residency){.kind = LPI_OF_TILE,
                                           .value = -1,
                                           .tensor = tensor,
                                           .layer = layer,
                                           .bytes = bytes,
                                           .live_bytes = bytes},
                          ret_buffer);
}

/* Whether all boxes of "piece" lie contiguous in those of "around", by tile,
 * or, when it is NULL, in the whole tensor. */
static bool lies_in(const lpi_cutter *c, const lpi_piece *piece,
                    const lpi_box *around)
{
    lpi_box whole = lpi_tensor_box(piece->tensor);
    int64_t t;

    for (t = 0; t < c->tiles; t++)
        if (!(c->rows && lpi_box_empty(&piece->boxes[t])) &&
            !is_contiguous(&piece->boxes[t], around ? &around[t] : &whole))
            return false;
    return true;
}

static bool lies_in_whole(const lpi_cutter *c, const lpi_piece *piece)
{
    return lies_in(c, piece, NULL);
}

static bool lies_in_source(const lpi_cutter *c, const lpi_piece *piece)
{
    const lpi_piece *source = piece->source;

    if (source->kept >= 0)
        return lies_in(c, piece, source->held);
    return lies_in(c, piece,
                   source->held || source->buffer < 0 ? NULL : source->boxes);
}

/* The buffer of the operand that stage "s" may overwrite, as its alias says:
 * read last here, made inside, the same box in every tile; -1: none. */
static int64_t shared_buffer(const lpi_cutter *c, int32_t s)
{
    const lpi_stage *stage = &c->stages[s];
    const lp_alias *alias = c->l->aliases[stage->out[0].tensor->id];
    int32_t i, at = -1, later;

    if (!alias || alias->kind == LP_ALIAS_PART || stage->out[0].value >= 0 ||
        stage->out[0].held)
        return -1;
    for (i = 0; i < stage->layer->inputs_count; i++)
        if (stage->in[i].tensor == alias->of)
            at = i;
    if (at < 0 || !stage->in[at].source || stage->in[at].buffer >= 0 ||
        stage->in[at].source->buffer < 0 || stage->in[at].source->value >= 0 ||
        stage->in[at].source->held)
        return -1;
    if (memcmp(stage->in[at].boxes, stage->in[at].source->boxes,
               (size_t)c->tiles * sizeof(lpi_box)) != 0)
        return -1;
    if (alias->kind == LP_ALIAS_IN_PLACE &&
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

/* Where stage "s" computes its result, and where its rows are kept. */
static lp_status place_result(lpi_cutter *c, int32_t s)
{
    lpi_piece *out = (lpi_piece *)c->stages[s].out;
    span *spans = out->value >= 0 ? LPI_NEW(c->l->scratch, span, c->tiles)
                                  : NULL;

    if (out->value >= 0 && !spans)
        return lpi_fail_memory(c->l->error);
    if (out->value >= 0 && !is_covered(c, out, spans))
        return lpi_cutter_refuse(c, out->tensor,
                                 "its tiles do not make the whole of a tensor "
                                 "that is read later");
    if (out->value >= 0 && lies_in_whole(c, out))
        return LP_OK;
    if (out->value < 0 && out->held) {
        LP_TRY(add_buffer(c, out->tensor, out->held, c->stages[s].layer,
                          &out->kept));
        if (lies_in(c, out, out->held))
            return LP_OK;
    }
    out->buffer = shared_buffer(c, s);
    return out->buffer >= 0
               ? LP_OK
               : add_buffer(c, out->tensor, out->boxes, NULL, &out->buffer);
}

lp_status lpi_cutter_buffers(lpi_cutter *c)
{
    int32_t s, i;

    for (s = 0; s < c->group->layers_count; s++) {
        const lp_layer *layer = c->stages[s].layer;
        lpi_piece *in = (lpi_piece *)c->stages[s].in;

        for (i = 0; i < layer->inputs_count; i++) {
            bool lies = !lpi_is_value(in[i].tensor) ||
                        (in[i].source ? lies_in_source(c, &in[i])
                                      : lies_in_whole(c, &in[i]));

            if (!lies)
                LP_TRY(add_buffer(c, in[i].tensor, in[i].boxes, layer,
                                  &in[i].buffer));
        }
        LP_TRY(place_result(c, s));
    }
    return LP_OK;
}
