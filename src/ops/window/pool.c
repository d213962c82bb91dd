/* pool.c: pooling over windows and over whole planes.
 *
 * Every element that enters a window costs the operations of its row, taps in
 * the padding included, and every result those of its end (the division of a
 * mean).  Sources: ONNX operators MaxPool-22, AveragePool-22, LpPool-22,
 * MaxUnpool-22, MaxRoiPool-22, GlobalAveragePool-22 and kin; com.microsoft
 * NhwcMaxPool. */
#include <string.h>

#include "../ops.h"

/* Operations for one tap and for one result. */
typedef struct pool_facts {
    lpi_each tap, end;
} pool_facts;

static const pool_facts max_facts = {.tap = {{[LP_CMP] = 1}}};
static const pool_facts mean_facts = {.tap = {{[LP_ADD] = 1}},
                                      .end = {{[LP_DIV] = 1}}};

/* By p: absolute values, squares, powers. */
static const pool_facts norm_facts[] = {
    {.tap = {{[LP_ADD] = 2}}},
    {.tap = {{[LP_MUL] = 1, [LP_ADD] = 1}}, .end = {{[LP_SQRT] = 1}}},
    {.tap = {{[LP_ADD] = 2, [LP_SQRT] = 1}}, .end = {{[LP_SQRT] = 1}}},
};

static const lpi_spec pool_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, ceil_mode, 0),
    LPI_SPEC_INT(lpi_pool, count_include_pad, 0),
    LPI_SPEC_INT(lpi_pool, storage_order, 0),
    {.name = NULL},
};

static const lpi_spec norm_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, ceil_mode, 0),
    LPI_SPEC_INT(lpi_pool, p, 2),
    {.name = NULL},
};

static const lpi_spec roi_specs[] = {
    LPI_SPEC_NEEDED(lpi_pool, pooled_shape, LPI_ATTR_INTS),
    LPI_SPEC_FLOAT(lpi_pool, spatial_scale, 1),
    {.name = NULL},
};

static lp_status norm_settle(lpi_node *node)
{
    lpi_pool *params = (lpi_pool *)node->params;

    if (params->p < 1)
        return lpi_node_fail(node, "p is %lld", (long long)params->p);
    return LP_OK;
}

/* kernel_shape is there, one item a spatial axis, all at least 1. */
static lp_status check_kernel(const lpi_node *node, lp_shape x)
{
    const lpi_list *kernel = &((const lpi_slide *)node->params)->kernel_shape;

    if (x.rank < 3 || kernel->count != x.rank - 2)
        return lpi_node_fail(node,
                             "input of rank %d, kernel_shape of %lld items",
                             x.rank, (long long)kernel->count);
    for (int64_t i = 0; i < kernel->count; i++)
        if (kernel->ints[i] < 1)
            return lpi_node_fail(node, "kernel_shape holds %lld",
                                 (long long)kernel->ints[i]);
    return LP_OK;
}

/* Check the window, and set "ret_dims" to the extents of input 0 with those of
 * the result along the spatial axes, from axis "first" on, over which the
 * window slides or ("spreads") which it spreads. */
static lp_status slide_dims(const lpi_node *node, int32_t first, bool spreads,
                            int64_t **ret_dims)
{
    const lpi_slide *window = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    lp_shape spatial = {x.rank - 2, x.dims + first};
    int64_t *dims;

    LP_TRY(check_kernel(node, x));
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    *ret_dims = dims;
    return (spreads ? lpi_window_spread : lpi_window_slide)(
        node, window, spatial, window->kernel_shape.ints, dims + first);
}

static lp_status pool_shape(lpi_node *node)
{
    int32_t rank = lpi_in_shape(node, 0).rank;
    int64_t *dims = NULL;

    LP_TRY(lpi_out_set_shape(node, 1, LP_INT64, lpi_shape_unknown));
    if (rank < 0)
        return lpi_out_as(node, 0, 0);
    LP_TRY(slide_dims(node, 2, false, &dims));
    LP_TRY(lpi_out_set(node, 1, LP_INT64, rank, dims));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

static void count_taps(const lpi_node *node, const pool_facts *facts,
                       lp_cost *cost)
{
    const lpi_list *kernel = &((const lpi_slide *)node->params)->kernel_shape;
    int64_t out = lpi_out_elements(node, 0);
    int64_t taps = lpi_mul(out, lpi_product(kernel->ints, kernel->count));

    lpi_cost_each(cost, &facts->tap, taps);
    lpi_cost_each(cost, &facts->end, out);
}

static void pool_cost(const lpi_node *node, lp_cost *cost)
{
    count_taps(node, node->layer->row->facts, cost);
}

static const pool_facts *facts_of_p(const lpi_node *node)
{
    int64_t p = ((const lpi_pool *)node->params)->p;

    return &norm_facts[p < 3 ? p - 1 : 2];
}

static void norm_cost(const lpi_node *node, lp_cost *cost)
{
    count_taps(node, facts_of_p(node), cost);
}

/* Every spatial extent becomes 1. */
static lp_status global_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t *dims;

    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    if (x.rank < 2)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < x.rank; i++)
        dims[i] = i < 2 ? x.dims[i] : 1;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

static void global_cost(const lpi_node *node, lp_cost *cost)
{
    const pool_facts *facts = node->layer->row->facts;

    if (facts == NULL)
        facts = facts_of_p(node);
    lpi_cost_each(cost, &facts->tap, lpi_in_elements(node, 0));
    lpi_cost_each(cost, &facts->end, lpi_out_elements(node, 0));
}

/* The extents that MaxPool had before, or those of input 2: of the whole
 * result, or of its spatial axes only. */
static lp_status unpool_shape(lpi_node *node)
{
    int32_t rank = lpi_in_shape(node, 0).rank;
    int64_t *dims = NULL;
    lpi_list wanted;

    if (rank < 0)
        return lpi_out_as(node, 0, 0);
    LP_TRY(slide_dims(node, 2, true, &dims));
    if (lpi_in(node, 2) != NULL) {
        bool known = lpi_in_ints(node, 2, &wanted);

        if (known && wanted.count != rank)
            return lpi_node_fail(node, "output_shape has %lld items, not %d",
                                 (long long)wanted.count, rank);
        for (int32_t i = 0; i < rank; i++)
            dims[i] = known ? wanted.ints[i] : -1;
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), rank, dims);
}

/* One maximum a cell of every region. */
static lp_status roi_shape(lpi_node *node)
{
    const lpi_list *cells = &((const lpi_pool *)node->params)->pooled_shape;
    lp_shape x = lpi_in_shape(node, 0), rois = lpi_in_shape(node, 1);
    int64_t dims[4];

    if (x.rank < 0 || rois.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    if (x.rank != 4 || rois.rank != 2 || cells->count != 2)
        return lpi_node_fail(node, "input of rank %d, regions of rank %d",
                             x.rank, rois.rank);
    dims[0] = rois.dims[0];
    dims[1] = x.dims[1];
    dims[2] = cells->ints[0];
    dims[3] = cells->ints[1];
    lpi_node_note(node, "a region is counted as the whole plane");
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 4, dims);
}

static void roi_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0), rois = lpi_in_shape(node, 1);

    lpi_cost_arith(cost, LP_CMP,
                   lpi_mul(rois.dims[0], lpi_dims_product(x, 1, 4)));
}

/* Rows of one input and one output; LpPool-1's p is a float, so those begin
 * with opset 2. */
#define POOL(name_, since_, specs_, facts_, cost_)                             \
    .name = name_, .domain = "", .since = since_, .inputs_min = 1,             \
    .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,                       \
    .params_size = sizeof(lpi_pool), .specs = specs_, .facts = facts_,         \
    .cost = cost_

const lp_op lpi_ops_pool[] = {
    {.name = "MaxPool",
     .domain = "",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 2,
     .params_size = sizeof(lpi_pool),
     .specs = pool_specs,
     .facts = &max_facts,
     .shape = pool_shape,
     .cost = pool_cost,
     .run = lpi_pool_max_run,
     .tile = lpi_pool_tile,
     .samples =
         "opset 17; input x: float32[1, 3, 9, 9]; y = MaxPool(x) "
         "{kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1]}; output "
         "y\n---\n"
         "opset 12; input x: int8[1, 2, 6]; y, i = MaxPool(x) {kernel_shape: "
         "[3], strides: [2], ceil_mode: 1}; output y; output i"},
    {POOL("AveragePool", 1, pool_specs, &mean_facts, pool_cost),
     .shape = pool_shape, .run = lpi_pool_mean_run, .tile = lpi_pool_tile,
     .samples = "opset 19; input x: float32[1, 2, 7, 7]; y = AveragePool(x) "
                "{kernel_shape: [3, 3], dilations: [2, 2], auto_pad: "
                "\"SAME_LOWER\"}; output y"},
    {POOL("LpPool", 2, norm_specs, NULL, norm_cost), .settle = norm_settle,
     .shape = pool_shape, .run = lpi_pool_norm_run, .tile = lpi_pool_tile,
     .samples = "opset 18; input x: float32[1, 2, 7, 7]; y = LpPool(x) "
                "{kernel_shape: [2, 2], p: 3}; output y"},
    {POOL("GlobalMaxPool", 1, NULL, &max_facts, global_cost),
     .shape = global_shape, .run = lpi_global_max_run, .tile = lpi_global_tile,
     .samples = "opset 17; input x: float32[2, 3, 7, 7]; y = "
                "GlobalMaxPool(x); output y"},
    {POOL("GlobalAveragePool", 1, NULL, &mean_facts, global_cost),
     .shape = global_shape, .run = lpi_global_mean_run, .tile = lpi_global_tile,
     .samples = "opset 17; input x: float32[2, 3, 7]; y = "
                "GlobalAveragePool(x); output y"},
    {POOL("GlobalLpPool", 2, norm_specs, NULL, global_cost),
     .settle = norm_settle, .shape = global_shape, .run = lpi_global_norm_run,
     .tile = lpi_global_tile,
     .samples = "opset 17; input x: float32[2, 3, 7, 7]; y = "
                "GlobalLpPool(x) {p: 1}; output y"},
    {.name = "MaxUnpool",
     .operands = ".*,.=",
     .domain = "",
     .since = 9,
     .inputs_min = 2,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .params_size = sizeof(lpi_pool),
     .specs = pool_specs,
     .shape = unpool_shape,
     .run = lpi_unpool_run,
     .samples = "opset 11; input x: float32[1, 1, 2, 2]; input i: int64[1, 1, "
                "2, 2]; weight s: int64[4] = {1, 1, 5, 5}; y = MaxUnpool(x, "
                "i, s) {kernel_shape: [2, 2], strides: [2, 2]}; output y"},
    {.name = "MaxRoiPool",
     .operands = "Tnchw,Tk5",
     .domain = "",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "di",
     .params_size = sizeof(lpi_pool),
     .specs = roi_specs,
     .shape = roi_shape,
     .cost = roi_cost,
     .run = lpi_roi_run,
     .samples = "opset 17; input x: float32[1, 3, 9, 9]; input r: float32[6, "
                "5]; y = MaxRoiPool(x, r) {pooled_shape: [2, 2]}; output y"},
    {.name = NULL},
};
