/* roll.c: rows that a group keeps, moved to where its next tile wants them. */
#include <string.h>

#include "exec.h"

static int64_t extent(const lpi_box *box, int32_t axis)
{
    return box->to[axis] - box->from[axis];
}

/* Move the rows "from" to "to" of "at", laid out as "old", to where they lie in
 * the layout of "now": both are runs of rows along "axis".  Blocks that move
 * to the front go in ascending order, then the others in descending order: so
 * none is overwritten before it has moved. */
static void roll(char *at, const lpi_box *old, const lpi_box *now, int32_t axis,
                 int64_t element)
{
    int64_t first = now->from[axis] > old->from[axis] ? now->from[axis]
                                                      : old->from[axis];
    int64_t end = now->to[axis] < old->to[axis] ? now->to[axis] : old->to[axis];
    int64_t outer = 1, inner = element;

    for (int32_t a = 0; a < axis; a++)
        outer *= extent(old, a);
    for (int32_t a = axis + 1; a < old->rank; a++)
        inner *= extent(old, a);
    for (int64_t i = 0; i < 2 * outer && end > first; i++) {
        int64_t o = i < outer ? i : 2 * outer - 1 - i;
        int64_t source = o * extent(old, axis) + first - old->from[axis];
        int64_t target = o * extent(now, axis) + first - now->from[axis];

        if ((target > source) == (i >= outer))
            memmove(at + target * inner, at + source * inner,
                    (size_t)((end - first) * inner));
    }
}

void lpi_rows_roll(lpi_frame *frame, const lpi_tiling *tiling, int64_t tile)
{
    for (int32_t i = 0; i < tiling->stages_count && tile > 0; i++) {
        const lpi_piece *out = tiling->stages[i].out;
        const lpi_box *old, *now;

        if (out->kept < 0)
            continue;
        old = &out->held[tile - 1];
        now = &out->held[tile];
        for (int32_t axis = 0; axis < old->rank; axis++)
            if (old->from[axis] != now->from[axis] ||
                old->to[axis] != now->to[axis]) {
                roll(lpi_program_at(frame, out->kept), old, now, axis,
                     lp_dtype_bits(out->tensor->dtype) / 8);
                break;
            }
    }
}
