/* sequencing.c: sequences made of a tensor and back: SplitToSequence,
 * ConcatFromSequence; a body run for each item: SequenceMap.
 *
 * Sources: ONNX operators SplitToSequence-24, ConcatFromSequence-11,
 * SequenceMap-17. */
#include <string.h>

#include "../ops.h"

typedef struct join_params {
    int64_t axis, keepdims, new_axis;
    lp_model *body;
} join_params;

static const lpi_spec split_specs[] = {
    LPI_SPEC_INT(join_params, axis, 0),
    LPI_SPEC_INT(join_params, keepdims, 1),
    {.name = NULL},
};

static const lpi_spec concat_specs[] = {
    LPI_SPEC_NEEDED(join_params, axis, LPI_ATTR_INT),
    LPI_SPEC_INT(join_params, new_axis, 0),
    {.name = NULL},
};

static const lpi_spec map_specs[] = {
    LPI_SPEC_NEEDED(join_params, body, LPI_ATTR_BODY),
    {.name = NULL},
};

/* ---- SplitToSequence ----------------------------------------------------- */

/* The extents of the items along the axis of "length": of the operand, or
 * ones. */
static lp_status split_extents(const lpi_node *node, const lpi_list *split,
                               int64_t length, lpi_arena *arena,
                               lpi_list *ret_extents)
{
    int64_t each = split == NULL ? 1 : split->count > 0 ? split->ints[0] : 0;
    bool is_list = split != NULL && lpi_in_shape(node, 1).rank == 1;
    int64_t sum = 0, count, *extents;

    if (is_list) {
        for (int64_t i = 0; i < split->count; i++)
            sum = split->ints[i] < 0 ? INT64_MAX : lpi_add(sum, split->ints[i]);
        *ret_extents = *split;
        return sum == length ? LP_OK
                             : lpi_node_fail(node,
                                             "the split does not make "
                                             "up %lld",
                                             (long long)length);
    }
    if (each < 1)
        return lpi_node_fail(node, "a split of %lld", (long long)each);
    count = lpi_ceil_div(length, each);
    extents = LPI_NEW(arena, int64_t, count);
    if (extents == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < count; i++)
        extents[i] = i < count - 1 ? each : length - (count - 1) * each;
    *ret_extents = (lpi_list){.count = count, .ints = extents};
    return LP_OK;
}

/* Dimensions of an item of extent "extent"; its rank. */
static int32_t item_dims(const lpi_node *node, int64_t axis, int64_t extent,
                         int64_t *dims)
{
    const join_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    bool drops = lpi_in(node, 1) == NULL && params->keepdims == 0;
    int32_t rank = 0;

    for (int32_t i = 0; i < x.rank; i++)
        if (i != axis || !drops)
            dims[rank++] = i == axis ? extent : x.dims[i];
    return rank;
}

static lp_status split_shape(lpi_node *node)
{
    const join_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), shape = lpi_shape_unknown;
    bool known = lpi_in(node, 1) == NULL;
    lpi_list split, extents;
    int64_t axis = 0, *dims;

    if (x.rank >= 0 && !lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    if (!known)
        known = lpi_in_ints(node, 1, &split);
    if (known && x.rank > 0 && x.dims[axis] > 0) {
        LP_TRY(split_extents(node, lpi_in(node, 1) != NULL ? &split : NULL,
                             x.dims[axis], node->model->arena, &extents));
        dims = lpi_node_dims(node, x.rank);
        if (dims == NULL)
            return lpi_node_fail_memory(node);
        shape.rank = item_dims(node, axis, extents.ints[0], dims);
        shape.dims = dims;
        for (int64_t i = 1; i < extents.count; i++)
            if (extents.ints[i] != extents.ints[0])
                shape = lpi_shape_unknown;
    }
    return lpi_out_container(node, 0, LPI_SEQUENCE, lpi_in_dtype(node, 0),
                             shape);
}

/* The item of extent "extent" that begins at "from" along the axis. */
static const lpi_bundle *cut_item(const lpi_run *run, int64_t axis,
                                  int64_t from, int64_t extent)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    int64_t inner = lpi_dims_product(x, axis + 1, x.rank);
    int64_t outer = lpi_dims_product(x, 0, axis);
    int64_t count = lpi_mul(lpi_mul(outer, extent), inner);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, x.rank);
    void *bytes =
        lpi_arena_array(run->scratch, lpi_storage_bytes(dtype, count), 1);
    lp_shape shape;

    if (dims == NULL || bytes == NULL)
        return NULL;
    for (int64_t o = 0; o < outer; o++)
        lpi_copy_run(lp_dtype_bits(dtype), extent * inner,
                     (lpi_place){bytes, o * extent * inner, NULL},
                     (lpi_place){(void *)run->in[0],
                                 (o * x.dims[axis] + from) * inner, NULL});
    shape.rank = item_dims(run->node, axis, extent, dims);
    shape.dims = dims;
    return lpi_bundle_tensor(run->scratch, dtype, shape, bytes);
}

static lp_status split_run(const lpi_run *run)
{
    const join_params *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_list split, extents;
    const lpi_bundle **items;
    int64_t axis, from = 0;

    if (lpi_is_bundle(lpi_in(run->node, 0)) ||
        !lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(run->node, "texts cannot be split");
    if (lpi_in(run->node, 1) != NULL)
        LP_TRY(lpi_run_ints(run, 1, &split));
    LP_TRY(split_extents(run->node,
                         lpi_in(run->node, 1) != NULL ? &split : NULL,
                         x.dims[axis], run->scratch, &extents));
    items = LPI_NEW(run->scratch, const lpi_bundle *, extents.count);
    if (items == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < extents.count; i++) {
        items[i] = cut_item(run, axis, from, extents.ints[i]);
        if (items[i] == NULL)
            return lpi_node_fail_memory(run->node);
        from += extents.ints[i];
    }
    return lpi_run_give(run, 0,
                        lpi_bundle_of_items(run->node->model->arena,
                                            LPI_SEQUENCE, extents.count,
                                            items));
}

/* ---- ConcatFromSequence -------------------------------------------------- */

/* Add an item of "shape" to the result "sum", NULL while there is none. */
static lp_status add_item(const lpi_node *node, lp_shape shape, int64_t **sum,
                          int32_t *ret_rank)
{
    const join_params *params = node->params;
    int32_t rank = shape.rank + (params->new_axis != 0);
    int64_t axis;

    if (!lpi_axis(params->axis, rank, &axis))
        return lpi_node_fail(node, "axis %lld of a result of rank %d",
                             (long long)params->axis, rank);
    if (*sum == NULL) {
        *sum = lpi_node_dims(node, rank);
        *ret_rank = rank;
        if (*sum == NULL)
            return lpi_node_fail_memory(node);
        for (int32_t i = 0, k = 0; i < rank; i++)
            (*sum)[i] = params->new_axis != 0 && i == axis ? 1
                                                           : shape.dims[k++];
        return LP_OK;
    }
    if (rank != *ret_rank)
        return lpi_node_fail(node, "items of different ranks");
    for (int32_t i = 0; i < rank; i++) {
        bool is_behind = params->new_axis != 0 && i > axis;

        if (i != axis && (*sum)[i] != shape.dims[i - is_behind])
            return lpi_node_fail(node, "items that differ along axis %d", i);
    }
    (*sum)[axis] =
        lpi_add((*sum)[axis], params->new_axis != 0 ? 1 : shape.dims[axis]);
    return LP_OK;
}

/* From the items of this run, or those that a SequenceConstruct names. */
static lp_status concat_shape(lpi_node *node)
{
    const lpi_bundle *sequence = lpi_in_bundle(node, 0);
    const lp_layer *maker = lpi_in(node, 0)->producer;
    lp_dtype dtype = lpi_in_dtype(node, 0);
    int64_t *dims = NULL;
    int32_t rank = -1;

    for (int64_t i = 0; sequence != NULL && i < sequence->count; i++)
        LP_TRY(add_item(node, lpi_bundle_shape(lpi_bundle_item(sequence, i)),
                        &dims, &rank));
    if (sequence == NULL && maker != NULL &&
        strcmp(maker->op, "SequenceConstruct") == 0)
        for (int32_t i = 0; i < maker->inputs_count; i++) {
            if (maker->inputs[i] == NULL ||
                !lpi_shape_known(maker->inputs[i]->shape))
                return lpi_out_container(node, 0, LPI_TENSOR, dtype,
                                         lpi_shape_unknown);
            LP_TRY(add_item(node, maker->inputs[i]->shape, &dims, &rank));
        }
    if (sequence != NULL && sequence->count == 0)
        return lpi_node_fail(node, "the sequence is empty");
    return lpi_out_container(node, 0, LPI_TENSOR, dtype,
                             (lp_shape){rank, dims});
}

static lp_status concat_run(const lpi_run *run)
{
    const join_params *params = run->node->params;
    lp_shape y = lpi_out_shape(run->node, 0);
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    const lpi_bundle *sequence;
    int64_t axis, done = 0, inner, outer;

    LP_TRY(lpi_run_bundle(run, 0, LPI_SEQUENCE, &sequence));
    if (dtype == LP_STRING || !lpi_axis(params->axis, y.rank, &axis))
        return lpi_node_fail(run->node, "texts cannot be joined");
    inner = lpi_dims_product(y, axis + 1, y.rank);
    outer = lpi_dims_product(y, 0, axis);
    for (int64_t i = 0; i < sequence->count; i++) {
        const lpi_bundle *item = lpi_bundle_item(sequence, i);
        int64_t length = outer * inner > 0 ? item->count / (outer * inner) : 0;

        if (item->container != LPI_TENSOR || item->dtype != (int32_t)dtype)
            return lpi_node_fail(run->node, "item %lld is of another dtype",
                                 (long long)i);
        for (int64_t o = 0; o < outer; o++)
            lpi_copy_run(lp_dtype_bits(dtype), length * inner,
                         (lpi_place){run->out[0],
                                     (o * y.dims[axis] + done) * inner, NULL},
                         (lpi_place){(void *)lpi_bundle_bytes(item),
                                     o * length * inner, NULL});
        done += length;
    }
    return LP_OK;
}

/* ---- SequenceMap --------------------------------------------------------- */

/* The body gets an item of each sequence, other operands whole; the executor
 * runs it. */
static lp_status map_shape(lpi_node *node)
{
    const join_params *params = node->params;
    lp_model *body = params->body;
    int32_t i;

    LP_TRY(lpi_states_check(node, body, node->layer->inputs_count,
                            node->layer->outputs_count));
    for (i = 0; i < node->layer->inputs_count; i++) {
        const lp_tensor *from = lpi_in(node, i);

        if (from == NULL)
            return lpi_node_fail(node, "input %d is absent", i);
        lpi_body_bind(body, i, from, from->shape, false);
        body->inputs[i]->container = LPI_TENSOR;
    }
    LP_TRY(lpi_body_infer(node, body));
    for (i = 0; i < node->layer->outputs_count; i++)
        LP_TRY(lpi_out_container(node, i, LPI_SEQUENCE, body->outputs[i]->dtype,
                                 body->outputs[i]->shape));
    return LP_OK;
}

#define SEQUENCING(name_, since_, least, most, specs_)                         \
    .domain = "", .name = name_, .since = since_, .inputs_min = least,         \
    .inputs_max = most, .outputs_min = 1, .roles = "dii",                      \
    .params_size = sizeof(join_params), .specs = specs_, .flags = LPI_BUNDLES

const lp_op lpi_ops_sequencing[] = {
    {SEQUENCING("SplitToSequence", 11, 1, 2, split_specs), .outputs_max = 1,
     .shape = split_shape, .run = split_run,
     .samples = "opset 17; input x: float32[4, 6]; weight n: int64[] = {2}; s "
                "= SplitToSequence(x, n) {axis: 1}; k = SequenceLength(s); "
                "output k"},
    {SEQUENCING("ConcatFromSequence", 11, 1, 1, concat_specs), .outputs_max = 1,
     .shape = concat_shape, .run = concat_run,
     .samples = "opset 17; input x: float32[2, 3]; s = SequenceConstruct(x, "
                "x); y = ConcatFromSequence(s) {axis: -1, new_axis: 1}; output "
                "y"},
    {SEQUENCING("SequenceMap", 17, 1, -1, map_specs), .outputs_max = -1,
     .shape = map_shape,
     .samples = "opset 17; input x: float32[2, 3]; s = SequenceConstruct(x, "
                "x); t = SequenceMap(s) {body: graph { input a: float32[2, 3]; "
                "b = Relu(a); output b }}; k = SequenceLength(t); output k"},
    {.name = NULL},
};
