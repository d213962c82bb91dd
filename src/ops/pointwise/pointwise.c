/* pointwise.c: rows that compute one element at a time, operands broadcast.
 *
 * The output is walked run by run; a block of each operand is unpacked,
 * converted to one kind of number (real, signed, unsigned), computed, packed.
 * An operand that does not move along a run is spread over the block.  The
 * result of an element depends on the values of its operands alone, so that
 * any split of the work gives the same bytes. */
#include <math.h>

#include "../ops.h"

enum { BLOCK = 256, MOST = 3 };

typedef union block {
    double real[BLOCK];
    int64_t sint[BLOCK];
    uint64_t uint[BLOCK];
} block;

/* The row's struct begins with an lpi_align (rows that broadcast with an axis
 * attribute before opset 7). */
lp_status lpi_align_settle(lpi_node *node)
{
    lpi_align *align = (lpi_align *)node->params;

    if (node->layer->version >= 7 || !align->broadcast)
        align->axis = LPI_UNALIGNED;
    return LP_OK;
}

/* Shape of operand "i" as it broadcasts: with ones behind it when "pointwise"
 * aligns it to an axis of operand 0. */
static lp_status operand_shape(const lpi_node *node,
                               const lpi_pointwise *pointwise, int32_t i,
                               lp_shape *ret_shape)
{
    lp_shape shape = lpi_in_shape(node, i), first = lpi_in_shape(node, 0);
    const lpi_align *align = node->params;
    int64_t axis, *dims, k;

    *ret_shape = shape;
    if (!pointwise->aligned || i != 1 || align->axis == LPI_UNALIGNED ||
        shape.rank < 0 || first.rank < 0)
        return LP_OK;
    axis = align->axis + (align->axis < 0 ? first.rank : 0);
    if (axis < 0 || axis > first.rank)
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)align->axis, first.rank);
    if (shape.rank + axis >= first.rank)
        return LP_OK;
    dims = lpi_node_dims(node, first.rank - axis);
    if (!dims)
        return lpi_node_fail_memory(node);
    for (k = 0; k < first.rank - axis; k++)
        dims[k] = k < shape.rank ? shape.dims[k] : 1;
    *ret_shape = (lp_shape){(int32_t)(first.rank - axis), dims};
    return LP_OK;
}

/* All operands of known dtypes have the same; "*ret_dtype" is it. */
static lp_status same_dtype(const lpi_node *node, lp_dtype *ret_dtype)
{
    int32_t i;

    for (i = 0; i < node->layer->inputs_count; i++) {
        lp_dtype dtype = lpi_in_dtype(node, i);

        if (dtype == LP_UNDEFINED)
            continue;
        if (*ret_dtype == LP_UNDEFINED)
            *ret_dtype = dtype;
        if (dtype != *ret_dtype)
            return lpi_node_fail(node, "operands are %s and %s",
                                 lp_dtype_name(*ret_dtype),
                                 lp_dtype_name(dtype));
    }
    return LP_OK;
}

lp_status lpi_pointwise_shape(lpi_node *node)
{
    const lpi_pointwise *pointwise = node->layer->row->facts;
    lp_dtype dtype = lpi_in_dtype(node, pointwise->typed_by);
    lp_shape shape, more;
    int32_t i;

    LP_TRY(operand_shape(node, pointwise, 0, &shape));
    for (i = 1; i < node->layer->inputs_count; i++) {
        if (!lpi_in(node, i) && pointwise->optional)
            continue;
        if (!lpi_in(node, i))
            return lpi_node_fail(node, "lacks input %d", i);
        LP_TRY(operand_shape(node, pointwise, i, &more));
        if (!lpi_broadcast(node, shape, more, &shape))
            return lpi_node_fail(node, "its operands do not broadcast");
    }
    if (!pointwise->mixed)
        LP_TRY(same_dtype(node, &dtype));
    return lpi_out_set_shape(node, 0, pointwise->to_bool ? LP_BOOL : dtype,
                             shape);
}

void lpi_pointwise_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_pointwise *pointwise = node->layer->row->facts;

    lpi_cost_each(cost, &pointwise->each, lpi_out_elements(node, 0));
}

/* One computation at work. */
typedef struct work {
    const lpi_pointwise *pointwise;
    const void *params;
    const lpi_operand *operands;
    int32_t count;
    lpi_class kind; /* LPI_F64, LPI_I64 or LPI_U64 */
} work;

/* What stands for an absent operand "i": the end of the range of "kind". */
static void load_absent(int32_t i, lpi_class kind, int64_t count, block *to)
{
    int64_t k;

    for (k = 0; k < count; k++) {
        if (kind == LPI_F64)
            to->real[k] = i == 1 ? -INFINITY : INFINITY;
        else if (kind == LPI_I64)
            to->sint[k] = i == 1 ? INT64_MIN : INT64_MAX;
        else
            to->uint[k] = i == 1 ? 0 : UINT64_MAX;
    }
}

/* Elements of the block at position "done" of the run of "walk". */
static int64_t block_length(const lpi_walk *walk, int64_t done)
{
    return walk->length - done < BLOCK ? walk->length - done : BLOCK;
}

/* Load a block of operand "i" for the run that "walk" stands at, from position
 * "done" of the run on; an operand that does not move is spread. */
static void load(const work *w, const lpi_walk *walk, int32_t i, int64_t done,
                 block *to)
{
    const lpi_operand *operand = &w->operands[i];
    int64_t step = walk->step[i + 1], count = block_length(walk, done), k;
    block raw;

    if (!operand->bytes) {
        load_absent(i, w->kind, count, to);
        return;
    }
    lpi_unpack(operand->dtype, operand->bytes, walk->at[i + 1] + done * step,
               step ? count : 1, &raw);
    lpi_convert(lpi_class_of(operand->dtype), &raw, w->kind, to,
                step ? count : 1);
    for (k = 1; k < count && !step; k++)
        to->uint[k] = to->uint[0];
}

/* Compute "count" elements from blocks "x" of the operands into "to". */
static void compute(const work *w, const block *x, int64_t count, block *to)
{
    union {
        double real[MOST];
        int64_t sint[MOST];
        uint64_t uint[MOST];
    } one = {.uint = {0}};
    int64_t i;
    int32_t k;

    for (i = 0; i < count; i++) {
        for (k = 0; k < w->count; k++)
            one.uint[k] = x[k].uint[i];
        if (w->kind == LPI_I64)
            to->sint[i] = w->pointwise->sint(one.sint, w->params);
        else if (w->kind == LPI_U64)
            to->uint[i] = w->pointwise->uint(one.uint, w->params);
        else if (w->pointwise->libm)
            to->real[i] = w->pointwise->libm(one.real[0]);
        else
            to->real[i] = w->pointwise->real(one.real, w->params);
    }
}

/* The kind to compute in: real when one operand is, else unsigned when one
 * is; LPI_NO_CLASS when the row has no function for it. */
static lpi_class kind_of(const lpi_pointwise *pointwise,
                         const lpi_operand *operands, int32_t count)
{
    bool real = false, uint = false;
    int32_t k;

    for (k = 0; k < count; k++) {
        lpi_class class = lpi_class_of(operands[k].dtype);

        if (class == LPI_NO_CLASS && operands[k].bytes)
            return LPI_NO_CLASS;
        real = real || class == LPI_F32 || class == LPI_F64;
        uint = uint || class == LPI_U64;
    }
    if (real)
        return pointwise->real || pointwise->libm ? LPI_F64 : LPI_NO_CLASS;
    if (uint)
        return pointwise->uint ? LPI_U64 : LPI_NO_CLASS;
    return pointwise->sint ? LPI_I64 : LPI_NO_CLASS;
}

/* Strides of an operand of "shape" in a walk over "rank" axes; 0 where it
 * repeats. */
static const int64_t *broadcast_strides(lpi_arena *scratch, lp_shape shape,
                                        int32_t rank)
{
    int64_t *strides = LPI_NEW(scratch, int64_t, rank);
    int32_t axis, lead = rank - shape.rank;

    if (!strides || lead < 0)
        return NULL;
    lpi_strides(shape.rank, shape.dims, strides + lead);
    for (axis = 0; axis < shape.rank; axis++)
        if (shape.dims[axis] == 1)
            strides[lead + axis] = 0;
    return strides;
}

/* Compute the run that "walk" stands at, block by block; operand 0 of the
 * walk is the output. */
static void run_blocks(const lpi_run *run, const work *w, const lpi_walk *walk)
{
    lp_dtype dtype = lpi_out(run->node, 0)->dtype;
    block x[MOST], result, packed;
    int64_t done, count;
    int32_t i;

    for (done = 0; done < walk->length; done += count) {
        count = block_length(walk, done);
        for (i = 0; i < w->count; i++)
            load(w, walk, i, done, &x[i]);
        compute(w, x, count, &result);
        lpi_convert(w->kind, &result, lpi_class_of(dtype), &packed, count);
        lpi_pack(dtype, &packed, walk->at[0] + done, count, run->out[0]);
    }
}

lp_status lpi_pointwise_apply(const lpi_run *run,
                              const lpi_pointwise *pointwise,
                              const lpi_operand *operands, int32_t count)
{
    lp_shape out = lpi_out_shape(run->node, 0);
    const int64_t *strides[MOST + 1];
    work w = {.pointwise = pointwise,
              .params = run->node->params,
              .operands = operands,
              .count = count,
              .kind = kind_of(pointwise, operands, count)};
    lpi_walk walk;
    int32_t k;
    bool more;

    if (w.kind == LPI_NO_CLASS && lpi_class_of(operands[0].dtype) != LPI_F32)
        return lpi_run_refuse(run, operands[0].dtype);
    strides[0] = broadcast_strides(run->scratch, out, out.rank);
    for (k = 0; k < count; k++)
        strides[k + 1] = broadcast_strides(
            run->scratch,
            operands[k].bytes ? operands[k].shape : (lp_shape){0, NULL},
            out.rank);
    for (k = 0; k <= count; k++)
        if (!strides[k])
            return lpi_node_fail_memory(run->node);
    if (lpi_pointwise_is_fast(run, pointwise, operands, count))
        return lpi_pointwise_fast(run, pointwise, operands, count, strides);
    if (w.kind == LPI_NO_CLASS)
        return lpi_run_refuse(run, operands[0].dtype);
    for (more = lpi_walk_start(&walk, out.rank, out.dims, count + 1, strides);
         more; more = lpi_walk_next(&walk))
        run_blocks(run, &w, &walk);
    return LP_OK;
}

lp_status lpi_pointwise_run(const lpi_run *run)
{
    const lpi_pointwise *pointwise = run->node->layer->row->facts;
    int32_t count = run->node->layer->inputs_count, i;
    lpi_operand operands[MOST];

    LP_ASSERT(count <= MOST);
    if (run->node->layer->row->flags & LPI_BUNDLES &&
        lpi_in_dtype(run->node, 0) == LP_STRING)
        return lpi_texts_equal_run(run);
    for (i = 0; i < count; i++) {
        operands[i].dtype = lpi_in_dtype(run->node, i);
        operands[i].bytes = run->in[i];
        LP_TRY(operand_shape(run->node, pointwise, i, &operands[i].shape));
    }
    return lpi_pointwise_apply(run, pointwise, operands, count);
}
