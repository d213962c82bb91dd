/* reducing.c: reductions of float32, float16 and bfloat16, and their tiles.
 *
 * Neighbouring axes are reduced by the lanes of kernel.h; a ReduceSum, which
 * may be computed in parts, by one ascending chain of floats.  Which way is
 * taken depends on the axes alone, so that tiles give the same bytes. */
#include <string.h>

#include "../ops.h"

/* Axes [first, until) of "mask" are all that are set; false otherwise. */
static bool neighbours(const bool *mask, int32_t rank, int32_t *ret_first,
                       int32_t *ret_until)
{
    int32_t first = 0, until, i;

    while (first < rank && !mask[first])
        first++;
    until = first;
    while (until < rank && mask[until])
        until++;
    for (i = until; i < rank; i++)
        if (mask[i])
            return false;
    *ret_first = first;
    *ret_until = until;
    return until > first;
}

/* Sums along any axes, element by element in the order of the input. */
static lp_status walk_sums(const lpi_run *run, const bool *mask,
                           const float *from, float *to)
{
    lp_shape in = lpi_in_shape(run->node, 0);
    int64_t *own = LPI_NEW(run->scratch, int64_t, in.rank), stride = 1;
    int64_t *sums = LPI_NEW(run->scratch, int64_t, in.rank);
    const int64_t *strides[] = {own, sums};
    lpi_walk walk;

    if (own == NULL || sums == NULL)
        return lpi_node_fail_memory(run->node);
    lpi_strides(in.rank, in.dims, own);
    for (int32_t i = in.rank - 1; i >= 0; i--) {
        sums[i] = mask[i] ? 0 : stride;
        stride = mask[i] ? stride : lpi_mul(stride, in.dims[i]);
    }
    for (bool more = lpi_walk_start(&walk, in.rank, in.dims, 2, strides); more;
         more = lpi_walk_next(&walk)) {
        float *sum = to + walk.at[1];

        for (int64_t i = 0; i < walk.length; i++)
            sum[i * walk.step[1]] += from[walk.at[0] + i * walk.step[0]];
    }
    return LP_OK;
}

static void finish(const lpi_run *run, int64_t count, float *to)
{
    const lpi_chain *facts = run->node->layer->row->facts;
    int64_t each = count > 0 ? lpi_in_elements(run->node, 0) / count : 0;

    for (int64_t i = 0; i < count && facts->finish != NULL; i++)
        to[i] = (float)facts->finish((double)to[i], (double)each);
}

lp_status lpi_reduce_floats(const lpi_run *run, const bool *mask,
                            bool *ret_done)
{
    const lpi_chain *facts = run->node->layer->row->facts;
    lp_shape in = lpi_in_shape(run->node, 0);
    int64_t count = lpi_out_elements(run->node, 0);
    lpi_team team = lpi_run_team(run);
    int32_t first = 0, until = 0;
    bool joined = neighbours(mask, in.rank, &first, &until);
    lpi_reduction r = {.chain = facts->goes_on};

    if (!facts->lanes || !lpi_is_single(lpi_in_dtype(run->node, 0)) ||
        (!joined && !facts->goes_on) || lpi_in_elements(run->node, 0) == 0)
        return LP_OK;
    LP_TRY(lpi_run_floats(run, 0, &r.from));
    LP_TRY(lpi_run_result(run, 0, &r.to));
    if (facts->goes_on && !run->continues)
        memset(r.to, 0, (size_t)count * sizeof(*r.to));
    r.outer = lpi_dims_product(in, 0, first);
    r.count = lpi_dims_product(in, first, until);
    r.inner = lpi_dims_product(in, until, in.rank);
    if (joined)
        lpi_reduction_run(&team, (lpi_reducer)(facts->lanes - 1), &r);
    else
        LP_TRY(walk_sums(run, mask, r.from, r.to));
    finish(run, count, r.to);
    lpi_run_store(run, 0, r.to);
    *ret_done = true;
    return LP_OK;
}

/* The axes of "node" as its operand says, when that is known. */
static lp_status known_axes(const lpi_node *node, int32_t rank, bool *mask)
{
    const lp_tensor *axes = lpi_in(node, 1);
    int64_t values[LPI_RANKS];
    lpi_list list = {.count = 0, .ints = values};

    if (axes == NULL)
        return lpi_reduce_mask(node, NULL, rank, mask);
    list.count = lpi_tensor_elements(axes);
    if (axes->value == NULL || axes->dtype != LP_INT64 ||
        list.count > LPI_RANKS)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "the axes of a tile are not known");
    memcpy(values, axes->value, (size_t)list.count * sizeof(*values));
    return lpi_reduce_mask(node, &list, rank, mask);
}

lp_status lpi_reduce_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params)
{
    const lpi_reduce *p = params;
    lp_shape x = lpi_in_shape(node, 0);
    bool mask[LPI_RANKS];
    int32_t axis = 0;

    if (x.rank > LPI_RANKS)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "tiles of rank %d", x.rank);
    LP_TRY(known_axes(node, x.rank, mask));
    in[0] = lpi_box_whole(node, 0);
    for (int32_t i = 0; i < x.rank; i++) {
        if (!mask[i]) {
            in[0].from[i] = out->from[axis];
            in[0].to[i] = out->to[axis];
        }
        axis += !mask[i] || p->keepdims != 0;
    }
    if (node->layer->inputs_count > 1)
        in[1] = lpi_box_whole(node, 1);
    return LP_OK;
}
