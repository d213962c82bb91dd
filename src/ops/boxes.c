/* boxes.c: which parts of operands the tiles of many rows need. */
#include "ops.h"

lpi_box lpi_box_whole(const lpi_node *node, int32_t i)
{
    lp_shape shape = lpi_in_shape(node, i);
    lpi_box box = {.rank = -1};

    if (lpi_in(node, i) == NULL || shape.rank < 0 || shape.rank > LPI_RANKS)
        return box;
    box.rank = shape.rank;
    for (int32_t k = 0; k < shape.rank; k++) {
        box.from[k] = 0;
        box.to[k] = shape.dims[k];
    }
    return box;
}

lpi_box lpi_box_broadcast(lp_shape shape, const lpi_box *out)
{
    lpi_box box = {.rank = shape.rank};
    int32_t lead = out->rank - shape.rank;

    if (shape.rank < 0 || lead < 0)
        return (lpi_box){.rank = -1};
    for (int32_t k = 0; k < shape.rank; k++) {
        bool repeats = shape.dims[k] == 1;

        box.from[k] = repeats ? 0 : out->from[lead + k];
        box.to[k] = repeats ? 1 : out->to[lead + k];
    }
    return box;
}

lp_status lpi_box_keep(const lpi_node *node, const lpi_box *out, int64_t axis,
                       int64_t until)
{
    lp_shape y = lpi_out_shape(node, 0);

    for (; axis < until; axis++)
        if (out->from[axis] != 0 || out->to[axis] != y.dims[axis])
            return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                            "a tile cuts axis %lld, which %s needs whole",
                            (long long)axis, node->layer->op);
    return LP_OK;
}

lp_status lpi_box_split(const lpi_node *node, int32_t i, int32_t axis,
                        int64_t range[2], lpi_box *in)
{
    int64_t length = lpi_in_shape(node, i).dims[axis];

    if (in[i].rank < 0)
        in[i] = lpi_box_whole(node, i);
    range[1] = range[1] < length ? range[1] : length;
    if (in[i].from[axis] != 0 || in[i].to[axis] != length || range[0] < 0 ||
        range[0] >= range[1])
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "terms %lld to %lld of %lld cannot be summed apart",
                        (long long)range[0], (long long)range[1],
                        (long long)length);
    in[i].from[axis] = range[0];
    in[i].to[axis] = range[1];
    return LP_OK;
}

lp_status lpi_pointwise_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params)
{
    const lpi_pointwise *facts = node->layer->row->facts;
    const lpi_align *align = node->params;

    (void)params;
    if (facts->aligned && align->axis != LPI_UNALIGNED)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "tiles of operands aligned to an axis");
    for (int32_t i = 0; i < node->layer->inputs_count; i++)
        in[i] = lpi_in(node, i) != NULL
                    ? lpi_box_broadcast(lpi_in_shape(node, i), out)
                    : (lpi_box){.rank = -1};
    return LP_OK;
}

/* Leading axes of "box", of "factor" rank, for the batch of "out". */
static void batch_box(lp_shape shape, const lpi_box *out, int32_t out_batch,
                      lpi_box *box)
{
    int32_t batch = shape.rank - 2;

    for (int32_t k = 0; k < batch; k++) {
        int32_t axis = out_batch - batch + k;
        bool repeats = shape.dims[k] == 1;

        box->from[k] = repeats ? 0 : out->from[axis];
        box->to[k] = repeats ? 1 : out->to[axis];
    }
}

/* Rows of the left operand, columns of the right one, the batch of both; the
 * bias as it broadcasts. */
lp_status lpi_matmul_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;
    const lpi_matmul *p = node->params;
    lp_shape a = lpi_in_shape(node, 0), b = lpi_in_shape(node, facts->b);
    int32_t right = b.rank > 1, left = a.rank > 1;
    int32_t batch = out->rank - left - right;

    (void)params;
    for (int32_t i = 0; i < node->layer->inputs_count; i++)
        in[i] = lpi_box_whole(node, i);
    batch_box(a, out, batch, &in[0]);
    batch_box(b, out, batch, &in[facts->b]);
    if (left) {
        int32_t axis = p->transA != 0 ? a.rank - 1 : a.rank - 2;

        in[0].from[axis] = out->from[batch];
        in[0].to[axis] = out->to[batch];
    }
    if (right) {
        int32_t axis = p->transB != 0 ? b.rank - 2 : b.rank - 1;

        in[facts->b].from[axis] = out->from[out->rank - 1];
        in[facts->b].to[axis] = out->to[out->rank - 1];
    }
    if (facts->bias >= 0 && lpi_in(node, facts->bias) != NULL)
        in[facts->bias] =
            lpi_box_broadcast(lpi_in_shape(node, facts->bias), out);
    return LP_OK;
}

lp_status lpi_matmul_split(const lpi_node *node, int64_t range[2], lpi_box *in)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;
    const lpi_matmul *p = node->params;
    int32_t a = lpi_in_shape(node, 0).rank;
    int32_t b = lpi_in_shape(node, facts->b).rank;

    if (p->transBatchA != 0 || p->transBatchB != 0)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "sums of operands whose batch is turned");
    LP_TRY(lpi_box_split(node, 0, a > 1 && p->transA != 0 ? a - 2 : a - 1,
                         range, in));
    return lpi_box_split(node, facts->b,
                         b > 1 && p->transB == 0 ? b - 2 : b - 1, range, in);
}
