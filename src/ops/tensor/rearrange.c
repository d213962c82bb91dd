/* rearrange.c: the same elements in another order: Transpose, DepthToSpace,
 * SpaceToDepth, ReverseSequence.
 *
 * Each is one copy of a box whose axes have other strides on the two sides.
 * Source: ONNX operators Transpose-25, DepthToSpace-28, SpaceToDepth-28,
 * ReverseSequence-28. */
#include <string.h>

#include "../ops.h"

/* ---- Transpose ---------------------------------------------------------- */

typedef struct transpose {
    lpi_list perm;
} transpose;

static const lpi_spec transpose_specs[] = {
    LPI_SPEC_LIST(transpose, perm, LPI_ATTR_INTS),
    {0},
};

/* Axis of the input that becomes axis "i" of "rank". */
static int64_t source_axis(const lpi_node *node, int32_t rank, int32_t i)
{
    const transpose *p = node->params;
    int64_t axis = p->perm.count ? p->perm.ints[i] : rank - 1 - i;

    return axis < 0 ? axis + rank : axis;
}

static lp_status transpose_shape(lpi_node *node)
{
    const transpose *p = node->params;
    lp_shape in = lpi_in_shape(node, 0);
    int32_t rank = in.rank < 0 ? 0 : in.rank, i;
    int64_t *dims = lpi_node_dims(node, rank);
    bool *mask = LPI_NEW(node->model->arena, bool, rank);

    if (!dims || !mask)
        return lpi_node_fail_memory(node);
    if (in.rank < 0)
        return lpi_shape_as_first(node);
    if (p->perm.count) {
        LP_TRY(lpi_axes_mask(node, &p->perm, rank, mask));
        if (p->perm.count != rank)
            return lpi_node_fail(node, "perm has %lld axes, the input %d",
                                 (long long)p->perm.count, rank);
    }
    for (i = 0; i < rank; i++)
        dims[i] = in.dims[source_axis(node, rank, i)];
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

static lp_status transpose_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0), out = lpi_out_shape(run->node, 0);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank);
    int32_t i;

    if (!strides || !from || !to)
        return lpi_node_fail_memory(run->node);
    lpi_strides(in.rank, in.dims, strides);
    lpi_strides(out.rank, out.dims, to);
    for (i = 0; i < in.rank; i++)
        from[i] = strides[source_axis(run->node, in.rank, i)];
    lpi_run_copy_box(run, out, (lpi_place){run->out[0], 0, to},
                     (lpi_place){(void *)run->in[0], 0, from});
    return LP_OK;
}

static lp_status transpose_tile(const lpi_node *node, const lpi_box *out,
                                lpi_box *in, void *params)
{
    (void)params;
    in[0] = *out;
    for (int32_t i = 0; i < out->rank; i++) {
        int64_t axis = source_axis(node, out->rank, i);

        in[0].from[axis] = out->from[i];
        in[0].to[axis] = out->to[i];
    }
    return LP_OK;
}

/* ---- DepthToSpace, SpaceToDepth ----------------------------------------- */

typedef struct blocks {
    int64_t blocksize;
    const char *mode;
    bool depth_first; /* set by settle: mode CRD */
} blocks;

static const lpi_spec blocks_specs[] = {
    LPI_SPEC_NEEDED(blocks, blocksize, LPI_ATTR_INT),
    LPI_SPEC_STRING(blocks, mode, "DCR"),
    {0},
};

static lp_status blocks_settle(lpi_node *node)
{
    blocks *p = (blocks *)node->params;

    p->depth_first = strcmp(p->mode, "CRD") == 0;
    if (!p->depth_first && strcmp(p->mode, "DCR") != 0)
        return lpi_node_fail(node, "mode is '%.40s'", p->mode);
    if (p->blocksize < 1 || p->blocksize > INT32_MAX)
        return lpi_node_fail(node, "blocksize is %lld",
                             (long long)p->blocksize);
    return LP_OK;
}

/* "dim" divided by "by", which must leave no rest. */
static lp_status divide(const lpi_node *node, int64_t dim, int64_t by,
                        int64_t *ret_dim)
{
    if (dim >= 0 && dim % by)
        return lpi_node_fail(node, "%lld is no multiple of %lld",
                             (long long)dim, (long long)by);
    *ret_dim = dim < 0 ? -1 : dim / by;
    return LP_OK;
}

/* The input must be an image: batch, channels, height, width. */
static lp_status image_shape(const lpi_node *node, lp_shape *ret_shape)
{
    *ret_shape = lpi_in_shape(node, 0);
    if (ret_shape->rank >= 0 && ret_shape->rank != 4)
        return lpi_node_fail(node, "input of rank %d, must be 4",
                             ret_shape->rank);
    return LP_OK;
}

static lp_status depth_to_space_shape(lpi_node *node)
{
    int64_t size = ((const blocks *)node->params)->blocksize, dims[4];
    lp_shape in;

    LP_TRY(image_shape(node, &in));
    if (in.rank < 0)
        return lpi_shape_as_first(node);
    dims[0] = in.dims[0];
    LP_TRY(divide(node, in.dims[1], lpi_mul(size, size), &dims[1]));
    dims[2] = lpi_dim_mul(in.dims[2], size);
    dims[3] = lpi_dim_mul(in.dims[3], size);
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 4, dims);
}

static lp_status space_to_depth_shape(lpi_node *node)
{
    int64_t size = ((const blocks *)node->params)->blocksize, dims[4];
    lp_shape in;

    LP_TRY(image_shape(node, &in));
    if (in.rank < 0)
        return lpi_shape_as_first(node);
    dims[0] = in.dims[0];
    dims[1] = lpi_dim_mul(in.dims[1], lpi_mul(size, size));
    LP_TRY(divide(node, in.dims[2], size, &dims[2]));
    LP_TRY(divide(node, in.dims[3], size, &dims[3]));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 4, dims);
}

/* Copy between the deep tensor at "deep" (N, blocks and C, h, w) and the flat
 * one at "flat" (N, C, h blocks, w blocks); both are seen as boxes of N, C,
 * block row, block column, h, w.  "flat_shape" is the shape of the second. */
static void copy_blocks(const lpi_run *run, lp_shape flat_shape, void *deep,
                        void *flat, bool to_flat)
{
    const blocks *p = run->node->params;
    int64_t b = p->blocksize, c = flat_shape.dims[1];
    int64_t h = flat_shape.dims[2] / b, w = flat_shape.dims[3] / b;
    int64_t plane = h * w;
    int64_t dims[] = {flat_shape.dims[0], c, b, b, h, w};
    int64_t flat_strides[] = {
        c * b * b * plane, b * b * plane, b * w, 1, b * b * w, b};
    int64_t deep_strides[] = {c * b * b * plane,
                              p->depth_first ? b * b * plane : plane,
                              p->depth_first ? b * plane : b * c * plane,
                              p->depth_first ? plane : c * plane,
                              w,
                              1};
    lpi_place deep_place = {deep, 0, deep_strides};
    lpi_place flat_place = {flat, 0, flat_strides};

    lpi_run_copy_box(run, (lp_shape){6, dims},
                     to_flat ? flat_place : deep_place,
                     to_flat ? deep_place : flat_place);
}

static lp_status depth_to_space_run(const lpi_run *run)
{
    if (lpi_out_elements(run->node, 0) > 0)
        copy_blocks(run, lpi_out_shape(run->node, 0), (void *)run->in[0],
                    run->out[0], true);
    return LP_OK;
}

static lp_status space_to_depth_run(const lpi_run *run)
{
    if (lpi_out_elements(run->node, 0) > 0)
        copy_blocks(run, lpi_in_shape(run->node, 0), run->out[0],
                    (void *)run->in[0], false);
    return LP_OK;
}

/* ---- ReverseSequence ---------------------------------------------------- */

typedef struct reverse {
    int64_t batch_axis, time_axis;
} reverse;

static const lpi_spec reverse_specs[] = {
    LPI_SPEC_INT(reverse, batch_axis, 1),
    LPI_SPEC_INT(reverse, time_axis, 0),
    {0},
};

static lp_status reverse_shape(lpi_node *node)
{
    const reverse *p = node->params;
    lp_shape in = lpi_in_shape(node, 0), lengths = lpi_in_shape(node, 1);
    int64_t batch, time, ignored;

    if (in.rank >= 0) {
        if (!lpi_axis(p->batch_axis, in.rank, &batch) ||
            !lpi_axis(p->time_axis, in.rank, &time) || batch == time)
            return lpi_node_fail(node,
                                 "batch axis %lld and time axis %lld of "
                                 "a tensor of rank %d",
                                 (long long)p->batch_axis,
                                 (long long)p->time_axis, in.rank);
        if (lengths.rank >= 0 && lengths.rank != 1)
            return lpi_node_fail(node, "lengths of rank %d, must be 1",
                                 lengths.rank);
        if (lengths.rank == 1)
            LP_TRY(lpi_dim_same(node, "number of sequences", in.dims[batch],
                                lengths.dims[0], &ignored));
    }
    return lpi_shape_as_first(node);
}

/* The first steps of each sequence backwards, the rest as they are: two boxes
 * for each element of the batch. */
static lp_status reverse_run(const lpi_run *run)
{
    const reverse *p = run->node->params;
    lp_shape in = lpi_in_shape(run->node, 0);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *to = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t batch = 0, time = 0, i, first, step;
    int32_t bits = lp_dtype_bits(lpi_in_dtype(run->node, 0));
    lpi_list lengths;

    if (!dims || !to || !from)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_ints(run, 1, &lengths));
    lpi_axis(p->batch_axis, in.rank, &batch);
    lpi_axis(p->time_axis, in.rank, &time);
    lpi_strides(in.rank, in.dims, to);
    memcpy(dims, in.dims, (size_t)in.rank * sizeof(*dims));
    memcpy(from, to, (size_t)in.rank * sizeof(*from));
    dims[batch] = 1;
    step = to[time];
    for (i = 0; i < lengths.count; i++) {
        int64_t length = lengths.ints[i];

        if (length < 0 || length > in.dims[time])
            return lpi_node_fail(run->node,
                                 "sequence %lld has length %lld "
                                 "of %lld",
                                 (long long)i, (long long)length,
                                 (long long)in.dims[time]);
        first = i * to[batch];
        dims[time] = length;
        from[time] = -step;
        lpi_copy_box(
            bits, in.rank, dims, (lpi_place){run->out[0], first, to},
            (lpi_place){(void *)run->in[0], first + (length - 1) * step, from});
        dims[time] = in.dims[time] - length;
        from[time] = step;
        first += length * step;
        lpi_copy_box(bits, in.rank, dims, (lpi_place){run->out[0], first, to},
                     (lpi_place){(void *)run->in[0], first, from});
    }
    return LP_OK;
}

/* What all rows have, with "count" inputs. */
#define ROW(op, opset, count)                                                  \
    .domain = "", .name = op, .since = (opset), .inputs_min = (count),         \
    .inputs_max = (count), .outputs_min = 1, .outputs_max = 1, .roles = "di"

const lp_op lpi_ops_rearrange[] = {
    {ROW("Transpose", 1, 1), .params_size = sizeof(transpose),
     .specs = transpose_specs, .shape = transpose_shape, .run = transpose_run,
     .tile = transpose_tile, .flags = LPI_MONOTONE,
     .samples = "input x: float32[2, 3, 4]; y = Transpose(x) {perm: [1, 2, "
                "0]}; output y\n---\n"
                "input x: int4[2, 3]; y = Transpose(x); output y"},
    {ROW("DepthToSpace", 1, 1), .params_size = sizeof(blocks),
     .specs = blocks_specs, .settle = blocks_settle,
     .shape = depth_to_space_shape, .run = depth_to_space_run,
     .samples = "input x: float32[1, 8, 2, 3]; y = DepthToSpace(x) "
                "{blocksize: 2}; output y\n---\n"
                "input x: float32[1, 8, 2, 3]; y = DepthToSpace(x) "
                "{blocksize: 2, mode: \"CRD\"}; output y"},
    {ROW("SpaceToDepth", 1, 1), .params_size = sizeof(blocks),
     .specs = blocks_specs, .settle = blocks_settle,
     .shape = space_to_depth_shape, .run = space_to_depth_run,
     .samples = "input x: float32[1, 2, 4, 6]; y = SpaceToDepth(x) "
                "{blocksize: 2}; output y"},
    {ROW("ReverseSequence", 10, 2), .params_size = sizeof(reverse),
     .specs = reverse_specs, .shape = reverse_shape, .run = reverse_run,
     .samples = "input x: float32[4, 2]; weight n: int64[2] = {3, 2}; "
                "y = ReverseSequence(x, n); output y"},
    {0},
};
