/* expand.c: elements repeated: Expand, Tile.
 *
 * Both are one copy of a box in which the repeating axes of the operand have a
 * stride of 0.  Source: ONNX operators Expand-13, Tile-13. */
#include "../ops.h"

static lp_status expand_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0), shape;
    lpi_list list;
    int64_t i;

    if (!lpi_in_ints(node, 1, &list))
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    for (i = 0; i < list.count; i++)
        if (list.ints[i] < 0)
            return lpi_node_fail(node, "a dimension of %lld",
                                 (long long)list.ints[i]);
    shape = (lp_shape){(int32_t)list.count, list.ints};
    if (!lpi_broadcast(node, in, shape, &shape))
        return lpi_node_fail(node, "the input does not broadcast to the shape");
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), shape);
}

static lp_status expand_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0), out = lpi_out_shape(run->node, 0);
    int64_t *from = LPI_NEW(run->scratch, int64_t, out.rank);
    int64_t *to = LPI_NEW(run->scratch, int64_t, out.rank);
    int32_t lead = out.rank - in.rank, i;

    if (!from || !to)
        return lpi_node_fail_memory(run->node);
    lpi_strides(out.rank, out.dims, to);
    lpi_strides(in.rank, in.dims, from + lead);
    for (i = 0; i < in.rank; i++)
        if (in.dims[i] == 1)
            from[lead + i] = 0;
    lpi_run_copy_box(run, out, (lpi_place){run->out[0], 0, to},
                     (lpi_place){(void *)run->in[0], 0, from});
    return LP_OK;
}

/* Repeats of each of the "rank" axes from the content of the operands after
 * the first: the newest form has them, Tile-1 one number and an axis. */
static lp_status tile_repeats(const lpi_node *node, const lpi_list *repeats,
                              const lpi_list *axes, int32_t rank,
                              int64_t **ret_repeats)
{
    int64_t *all = lpi_node_dims(node, rank), axis, i;

    if (!all)
        return lpi_node_fail_memory(node);
    for (i = 0; i < rank; i++)
        all[i] = axes ? 1 : i < repeats->count ? repeats->ints[i] : -1;
    if (axes && (axes->count != 1 || repeats->count != 1 ||
                 !lpi_axis(axes->ints[0], rank, &axis)))
        return lpi_node_fail(node, "tiles and axis are not one number each");
    if (axes)
        all[axis] = repeats->ints[0];
    if (!axes && repeats->count != rank)
        return lpi_node_fail(node, "has %lld repeats for %d axes",
                             (long long)repeats->count, rank);
    for (i = 0; i < rank; i++)
        if (all[i] < 0)
            return lpi_node_fail(node, "repeats an axis %lld times",
                                 (long long)all[i]);
    *ret_repeats = all;
    return LP_OK;
}

static lp_status tile_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    bool old = node->layer->version && node->layer->version < 6;
    lpi_list repeats, axes;
    int64_t *dims = NULL;
    int32_t i;

    if (in.rank < 0 || !lpi_in_ints(node, 1, &repeats) ||
        (old && !lpi_in_ints(node, 2, &axes)))
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    LP_TRY(tile_repeats(node, &repeats, old ? &axes : NULL, in.rank, &dims));
    for (i = 0; i < in.rank; i++)
        dims[i] = lpi_dim_mul(in.dims[i], dims[i]);
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), in.rank, dims);
}

/* Axis i of the output is two of the walk: the repeat, and the axis of the
 * input. */
static lp_status tile_run(const lpi_run *run)
{
    lp_shape in = lpi_in_shape(run->node, 0), out = lpi_out_shape(run->node, 0);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, 2 * (int64_t)in.rank);
    int64_t *from = LPI_NEW(run->scratch, int64_t, 2 * (int64_t)in.rank);
    int64_t *to = LPI_NEW(run->scratch, int64_t, 2 * (int64_t)in.rank);
    int64_t in_stride = 1, out_stride = 1;
    int32_t i;

    if (!dims || !from || !to)
        return lpi_node_fail_memory(run->node);
    for (i = in.rank - 1; i >= 0; i--) {
        dims[2 * i + 1] = in.dims[i];
        dims[2 * i] = in.dims[i] ? out.dims[i] / in.dims[i] : 0;
        from[2 * i + 1] = in_stride;
        to[2 * i + 1] = out_stride;
        to[2 * i] = lpi_mul(out_stride, in.dims[i]);
        in_stride = lpi_mul(in_stride, in.dims[i]);
        out_stride = lpi_mul(out_stride, out.dims[i]);
    }
    lpi_run_copy_box(run, (lp_shape){2 * in.rank, dims},
                     (lpi_place){run->out[0], 0, to},
                     (lpi_place){(void *)run->in[0], 0, from});
    return LP_OK;
}

const lp_op lpi_ops_expand[] = {
    {.domain = "",
     .name = "Expand",
     .operands = ".*,.r",
     .since = 8,
     .inputs_min = 2,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .shape = expand_shape,
     .run = expand_run,
     .flags = LPI_MONOTONE,
     .samples = "input x: float32[3, 1]; weight s: int64[3] = {2, 1, 4}; "
                "y = Expand(x, s); output y"},
    {.domain = "",
     .name = "Tile",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .shape = tile_shape,
     .run = tile_run,
     .flags = LPI_MONOTONE,
     .samples = "input x: float32[2, 3]; weight r: int64[2] = {2, 1}; "
                "y = Tile(x, r); output y\n---\n"
                "opset 5; input x: float32[2, 3]; weight t: float32[] = {2.0}; "
                "weight a: float32[] = {1.0}; y = Tile(x, t, a); output y"},
    {0},
};
