/* check_bytes.c: proof that no value is made over bytes that are still read.
 *
 * A value may be made where an operand lies when the operator leaves the bytes
 * as they are (views, parts of a Split, what a Concat finds in its place), or
 * reads each element before it writes it.  Whatever else it touches of its
 * root is forgotten. */
#include <string.h>

#include "sched.h"

bool lpi_value_touches(const lpi_value *a, const lpi_value *b)
{
    int64_t a_end = a->root_offset + (a->blocks - 1) * a->stride_bytes +
                    a->block_bytes;
    int64_t b_end = b->root_offset + (b->blocks - 1) * b->stride_bytes +
                    b->block_bytes;

    if (a->root_offset >= b_end || b->root_offset >= a_end)
        return false;
    if (a->blocks > 1 && b->blocks > 1 && a->stride_bytes == b->stride_bytes) {
        int64_t gap = (b->root_offset - a->root_offset) % a->stride_bytes;

        gap += gap < 0 ? a->stride_bytes : 0;
        return gap < a->block_bytes || gap + b->block_bytes > a->stride_bytes;
    }
    return true;
}

static bool same_box(const lpi_value *a, const lpi_value *b)
{
    return a->root_offset == b->root_offset && a->blocks == b->blocks &&
           a->block_bytes == b->block_bytes &&
           (a->blocks == 1 || a->stride_bytes == b->stride_bytes);
}

/* Whether value "v", output "i" of "layer", is where operand "of" lies, its
 * bytes the same by nature of the operator. */
static bool is_same_bytes(const lp_schedule *s, const lp_layer *layer,
                          int32_t i, const lpi_value *v, const lpi_value *of)
{
    lpi_value box;

    if (layer->row && layer->row->flags & LPI_VIEW && i == 0 &&
        layer->inputs[0] == of->tensor)
        return same_box(v, of) && lpi_same_width(s, v->tensor, of->tensor) &&
               lpi_same_values(s, v->tensor, of->tensor);
    if (strcmp(layer->op, "Split") != 0 || layer->inputs[0] != of->tensor ||
        of->blocks != 1 || !lpi_part_find(s, layer, i, false, &box) ||
        !lpi_same_values(s, v->tensor, of->tensor))
        return false;
    box.root_offset += of->root_offset;
    return same_box(v, &box);
}

bool lpi_is_joined(const lp_schedule *s, const lp_layer *layer,
                   const lpi_value *v, const lpi_value *of)
{
    lpi_value box;
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++) {
        if (layer->inputs[i] != of->tensor || v->blocks != 1 ||
            !lpi_part_find(s, layer, i, true, &box) ||
            !lpi_same_values(s, v->tensor, of->tensor))
            continue;
        box.root_offset += v->root_offset;
        if (same_box(of, &box))
            return true;
    }
    return false;
}

/* Whether all blocks of "part" are inside those of "whole". */
static bool is_inside(const lpi_value *part, const lpi_value *whole)
{
    int64_t gap = part->root_offset - whole->root_offset;
    int64_t end = gap + (part->blocks - 1) * part->stride_bytes +
                  part->block_bytes;

    if (gap < 0 || (whole->blocks > 1 && part->blocks > 1 &&
                    part->stride_bytes != whole->stride_bytes))
        return false;
    return whole->blocks == 1 ? end <= whole->block_bytes
                              : gap + part->block_bytes <= whole->block_bytes &&
                                    part->blocks <= whole->blocks;
}

/* Whether the bytes of "old" stay as they are when Concat "layer" makes "v":
 * they are those of an operand that lies in its place. */
static bool is_left(const lpi_checker *c, const lp_layer *layer,
                    const lpi_value *v, const lpi_value *old)
{
    const lpi_use *use = &c->p->uses[c->unit];
    int32_t i;

    for (i = 0; i < use->inputs_count; i++) {
        const lpi_value *of = &c->p->values[use->inputs[i]];

        if (of->root == v->root &&
            lpi_is_joined(c->p->schedule, layer, v, of) && is_inside(old, of))
            return true;
    }
    return false;
}

/* Forget the values of the root of "v" that it overwrites; what "layer", a
 * Concat (else NULL), finds in its place stays, with all that shares its
 * bytes. */
static void overwrite(lpi_checker *c, const lpi_value *v, const lp_layer *layer)
{
    int64_t *link = &c->heads[v->root];

    while (*link >= 0) {
        const lpi_value *old = &c->p->values[*link];

        if (lpi_value_touches(old, v) &&
            !(layer && is_left(c, layer, v, old))) {
            c->valid[*link] = false;
            *link = c->links[*link];
        } else {
            link = &c->links[*link];
        }
    }
}

/* Whether "layer" (NULL: a group) may make its output "i" as "v" where its
 * operand "of" lies, or a part of it. */
static bool may_share(const lpi_checker *c, const lp_layer *layer, int32_t i,
                      const lpi_value *v, const lpi_value *of)
{
    int32_t j, in = -1;

    if (!layer)
        return false;
    for (j = 0; j < layer->inputs_count; j++)
        if (layer->inputs[j] == of->tensor)
            in = j;
    if (is_same_bytes(c->p->schedule, layer, i, v, of) ||
        (!strcmp(layer->op, "Concat") && is_left(c, layer, v, of)))
        return true;
    return i == 0 && in >= 0 && same_box(v, of) && lpi_in_place(layer, in) &&
           lpi_same_width(c->p->schedule, v->tensor, of->tensor) &&
           c->p->values[v->root].unit >= 0;
}

lp_status lpi_check_made(lpi_checker *c, const lp_layer *layer, int32_t i,
                         int64_t at)
{
    const lpi_value *v = &c->p->values[at];
    const lpi_use *use = &c->p->uses[c->unit];
    bool is_same = false;
    int32_t j;

    for (j = 0; j < use->inputs_count; j++) {
        const lpi_value *of = &c->p->values[use->inputs[j]];

        if (of->root != v->root || !lpi_value_touches(of, v))
            continue;
        if (!may_share(c, layer, i, v, of))
            return LPI_REFUSE_AT(c, v->tensor,
                                 "'%.200s' is made over its operand '%.200s'",
                                 v->tensor->name, of->tensor->name);
        is_same = is_same || is_same_bytes(c->p->schedule, layer, i, v, of);
    }
    if (!is_same)
        overwrite(c, v, layer && !strcmp(layer->op, "Concat") ? layer : NULL);
    return LP_OK;
}
