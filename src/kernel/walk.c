/* walk.c: walks through boxes of elements, and copies along them.
 *
 * A box is normalised first: axes of one element are dropped and neighbouring
 * axes merged where every operand steps through both as through one.  A box
 * that is not empty and whose elements can be counted has at most 62 axes left,
 * so that the state of a walk has a fixed size whatever the rank. */
#include <string.h>

#include "kernel.h"

void lpi_strides(int32_t rank, const int64_t *dims, int64_t *ret_strides)
{
    int64_t stride = 1;
    int32_t axis;

    for (axis = rank - 1; axis >= 0; axis--) {
        ret_strides[axis] = stride;
        stride = lpi_mul(stride, dims[axis]);
    }
}

/* Append an axis of "length" to "walk", merged into the last one if every
 * operand allows it. */
static void add_axis(lpi_walk *walk, int64_t length, int32_t axis,
                     const int64_t *const *strides)
{
    int32_t last = walk->rank - 1, k;
    bool merge = last >= 0;

    for (k = 0; k < walk->operands && merge; k++)
        merge = walk->strides[k][last] == lpi_mul(strides[k][axis], length);
    if (merge) {
        walk->dims[last] *= length;
    } else {
        LP_ASSERT(walk->rank < LPI_WALK_AXES);
        last = walk->rank++;
        walk->dims[last] = length;
    }
    for (k = 0; k < walk->operands; k++)
        walk->strides[k][last] = strides[k][axis];
}

bool lpi_walk_start(lpi_walk *walk, int32_t rank, const int64_t *dims,
                    int32_t operands, const int64_t *const *strides)
{
    int32_t axis, k;

    LP_ASSERT(operands <= LPI_WALK_OPERANDS);
    walk->operands = operands;
    walk->rank = 0;
    walk->length = 1;
    for (axis = 0; axis < rank; axis++)
        if (dims[axis] == 0)
            return false;
    for (axis = 0; axis < rank; axis++)
        if (dims[axis] > 1)
            add_axis(walk, dims[axis], axis, strides);
    for (k = 0; k < operands; k++) {
        walk->at[k] = 0;
        walk->step[k] = walk->rank ? walk->strides[k][walk->rank - 1] : 0;
    }
    if (walk->rank)
        walk->length = walk->dims[--walk->rank];
    memset(walk->index, 0, (size_t)walk->rank * sizeof(*walk->index));
    return true;
}

bool lpi_walk_next(lpi_walk *walk)
{
    int32_t axis, k;

    for (axis = walk->rank - 1; axis >= 0; axis--) {
        bool wraps = ++walk->index[axis] == walk->dims[axis];
        int64_t steps = wraps ? 1 - walk->dims[axis] : 1;

        for (k = 0; k < walk->operands; k++)
            walk->at[k] += steps * walk->strides[k][axis];
        if (!wraps)
            return true;
        walk->index[axis] = 0;
    }
    return false;
}

static uint32_t get_bits(const uint8_t *bytes, int32_t bits, int64_t i)
{
    return (uint32_t)bytes[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
}

static void put_bits(uint8_t *bytes, int32_t bits, int64_t i, uint32_t code)
{
    int32_t shift = (int32_t)(i * bits % 8);
    uint32_t mask = ((1u << bits) - 1) << shift;

    bytes += i * bits / 8;
    *bytes = (uint8_t)((*bytes & ~mask) | (code << shift & mask));
}

void lpi_copy_run(int32_t bits, int64_t count, lpi_place to, lpi_place from)
{
    size_t size = (size_t)bits / 8;
    int64_t i;

    if (size)
        memcpy((uint8_t *)to.bytes + (size_t)to.first * size,
               (const uint8_t *)from.bytes + (size_t)from.first * size,
               (size_t)count * size);
    for (i = 0; i < count && !size; i++)
        put_bits(to.bytes, bits, to.first + i,
                 get_bits(from.bytes, bits, from.first + i));
}

/* The run of "walk" with strides, elements of "size" bytes; widths of the
 * common dtypes are constants to the compiler. */
static void copy_steps(size_t size, const lpi_walk *walk, uint8_t *to,
                       const uint8_t *from)
{
    ptrdiff_t to_step = walk->step[0] * (ptrdiff_t)size;
    ptrdiff_t from_step = walk->step[1] * (ptrdiff_t)size;
    int64_t i;

    switch (size) {
    case 4:
        for (i = 0; i < walk->length; i++)
            memcpy(to + i * to_step, from + i * from_step, 4);
        break;
    case 8:
        for (i = 0; i < walk->length; i++)
            memcpy(to + i * to_step, from + i * from_step, 8);
        break;
    default:
        for (i = 0; i < walk->length; i++)
            memcpy(to + i * to_step, from + i * from_step, size);
    }
}

/* The axis of "walk" along which the source has neighbours, when elements are
 * strided along the run; -1: none. */
static int32_t turned_axis(const lpi_walk *walk, size_t size)
{
    if ((size != 1 && size != 2 && size != 4 && size != 8) ||
        walk->step[0] != 1 || walk->step[1] < 2)
        return -1;
    for (int32_t axis = 0; axis < walk->rank; axis++)
        if (walk->strides[1][axis] == 1 && walk->strides[0][axis] > 0)
            return axis;
    return -1;
}

/* Planes of the walk's run and "axis", turned. */
static void copy_turned(lpi_walk *walk, int32_t axis, size_t size, uint8_t *to,
                        const uint8_t *from)
{
    const int64_t sides[2] = {walk->dims[axis], walk->length};
    int64_t width = walk->strides[0][axis];

    walk->dims[axis] = 1;
    do
        lpi_turn_elements((int64_t)size, from + walk->at[1] * (ptrdiff_t)size,
                          walk->step[1], sides, width,
                          to + walk->at[0] * (ptrdiff_t)size);
    while (lpi_walk_next(walk));
}

void lpi_copy_box(int32_t bits, int32_t rank, const int64_t *dims, lpi_place to,
                  lpi_place from)
{
    const int64_t *strides[] = {to.strides, from.strides};
    size_t size = (size_t)bits / 8;
    lpi_walk walk;
    int64_t i;
    bool more = lpi_walk_start(&walk, rank, dims, 2, strides);
    int32_t turned = more ? turned_axis(&walk, size) : -1;

    if (turned >= 0) {
        copy_turned(&walk, turned, size,
                    (uint8_t *)to.bytes + to.first * (ptrdiff_t)size,
                    (const uint8_t *)from.bytes + from.first * (ptrdiff_t)size);
        return;
    }
    for (; more; more = lpi_walk_next(&walk)) {
        int64_t t = to.first + walk.at[0], f = from.first + walk.at[1];

        if (walk.step[0] == 1 && walk.step[1] == 1)
            lpi_copy_run(bits, walk.length, (lpi_place){to.bytes, t, NULL},
                         (lpi_place){from.bytes, f, NULL});
        else if (size)
            copy_steps(size, &walk, (uint8_t *)to.bytes + t * (ptrdiff_t)size,
                       (const uint8_t *)from.bytes + f * (ptrdiff_t)size);
        else
            for (i = 0; i < walk.length; i++)
                put_bits(to.bytes, bits, t + i * walk.step[0],
                         get_bits(from.bytes, bits, f + i * walk.step[1]));
    }
}
