/* quantize.c: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 * y = saturate(round(x / scale) + zero point) and x = (y - zero point) x
 * scale.  A scale is one for all, one for each index of "axis", or one for
 * each block of "block_size" indices along it.  Rounding is to nearest even.
 * Sources: ONNX operators QuantizeLinear-28, DequantizeLinear-28,
 * DynamicQuantizeLinear-11; com.microsoft QuantizeLinear, DequantizeLinear. */
#include <math.h>

#include "../ops.h"

static const lpi_spec quantize_specs[] = {
    LPI_SPEC_INT(lpi_quantize, axis, 1),
    LPI_SPEC_INT(lpi_quantize, block_size, 0),
    LPI_SPEC_INT(lpi_quantize, output_dtype, 0),
    LPI_SPEC_INT(lpi_quantize, saturate, 1),
    LPI_SPEC_INT(lpi_quantize, precision, 0),
    {.name = NULL},
};

static const lpi_each quantizing = {
    {[LP_DIV] = 1, [LP_ROUND] = 1, [LP_CMP] = 2}};
static const lpi_each dequantizing = {{[LP_ROUND] = 1, [LP_MUL] = 1}};

/* Scales along the axis: "scale" has one for each index, or, blocked, the rank
 * of "x" and one for each block. */
static lp_status check_scale(const lpi_node *node)
{
    const lpi_quantize *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), scale = lpi_in_shape(node, 1);
    int64_t axis = 0, wanted, unused;

    if (x.rank < 0 || scale.rank < 0 || lpi_shape_elements(scale) == 1)
        return LP_OK;
    if (params->block_size < 0)
        return lpi_node_fail(node, "block_size is %lld",
                             (long long)params->block_size);
    if (x.rank == 0 || (x.rank > 1 && !lpi_axis(params->axis, x.rank, &axis)))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    wanted = x.dims[axis];
    if (params->block_size > 0) {
        if (scale.rank != x.rank)
            return lpi_node_fail(node, "scale of rank %d, input of rank %d",
                                 scale.rank, x.rank);
        if (wanted >= 0)
            wanted = lpi_ceil_div(wanted, params->block_size);
        return lpi_dim_same(node, "blocks and scales", scale.dims[axis], wanted,
                            &unused);
    }
    return lpi_dim_same(node, "extent of the axis and scales",
                        lpi_shape_elements(scale), wanted, &unused);
}

static lp_status quantize_shape(lpi_node *node)
{
    const lpi_quantize *params = node->params;
    lp_dtype type = LP_UINT8;

    LP_TRY(check_scale(node));
    if (lpi_in(node, 2) != NULL)
        type = lpi_in_dtype(node, 2);
    else if (params->output_dtype != 0)
        type = (lp_dtype)params->output_dtype;
    return lpi_out_set_shape(node, 0, type, lpi_in_shape(node, 0));
}

static lp_status dequantize_shape(lpi_node *node)
{
    const lpi_quantize *params = node->params;
    lp_dtype type = lpi_in_dtype(node, 1);

    LP_TRY(check_scale(node));
    if (params->output_dtype != 0)
        type = (lp_dtype)params->output_dtype;
    return lpi_out_set_shape(node, 0, type, lpi_in_shape(node, 0));
}

static lp_status dynamic_shape(lpi_node *node)
{
    LP_TRY(lpi_out_set(node, 1, LP_FLOAT32, 0, NULL));
    LP_TRY(lpi_out_set(node, 2, LP_UINT8, 0, NULL));
    return lpi_out_set_shape(node, 0, LP_UINT8, lpi_in_shape(node, 0));
}

static void price(const lpi_node *node, const lpi_each *each, lp_cost *cost)
{
    int64_t elements = lpi_in_elements(node, 0);

    lpi_cost_each(cost, each, elements);
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_ADD, elements);
}

static void quantize_cost(const lpi_node *node, lp_cost *cost)
{
    price(node, &quantizing, cost);
}

static void dequantize_cost(const lpi_node *node, lp_cost *cost)
{
    price(node, &dequantizing, cost);
}

/* Minimum and maximum of all elements come first. */
static void dynamic_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t elements = lpi_in_elements(node, 0);

    lpi_cost_each(cost, &quantizing, elements);
    lpi_cost_arith(cost, LP_CMP, lpi_mul(elements, 2));
    lpi_cost_arith(cost, LP_ADD, elements);
}

#define QUANTIZE(domain_, since_)                                              \
    .domain = domain_, .name = "QuantizeLinear", .since = since_,              \
    .inputs_min = 2, .inputs_max = 3, .outputs_min = 1, .outputs_max = 1,      \
    .roles = "dsz", .params_size = sizeof(lpi_quantize),                       \
    .specs = quantize_specs, .shape = quantize_shape, .cost = quantize_cost,   \
    .run = lpi_quantize_run

#define DEQUANTIZE(domain_, since_)                                            \
    .domain = domain_, .name = "DequantizeLinear", .since = since_,            \
    .inputs_min = 2, .inputs_max = 3, .outputs_min = 1, .outputs_max = 1,      \
    .roles = "wsz", .params_size = sizeof(lpi_quantize),                       \
    .specs = quantize_specs, .shape = dequantize_shape,                        \
    .cost = dequantize_cost, .run = lpi_dequantize_run

const lp_op lpi_ops_quantize[] = {
    {QUANTIZE("", 10),
     .samples =
         "opset 17; input x: float32[2, 3]; weight s: float32[] = {0.5}; "
         "weight z: int8[] = {3}; y = QuantizeLinear(x, s, z); output "
         "y\n---\n"
         "opset 21; input x: float32[2, 8]; weight s: float32[2, 2] = {0.5, "
         "0.25, 1.0, 2.0}; y = QuantizeLinear(x, s) {axis: 1, block_size: 4, "
         "output_dtype: 22}; output y"},
    {DEQUANTIZE("", 10),
     .samples =
         "opset 17; input x: uint8[2, 3]; weight s: float32[3] = {0.5, 1.0, "
         "2.0}; weight z: uint8[3] = {1, 2, 3}; y = DequantizeLinear(x, s, "
         "z) {axis: 1}; output y\n---\n"
         "opset 21; input a: float32[2, 4]; weight x: int4[4, 2] = {1, -2, "
         "3, -4, 5, -6, 7, -8}; weight s: float32[2, 2] = {0.5, 0.25, 1.0, "
         "2.0}; w = DequantizeLinear(x, s) {axis: 0, block_size: 2}; y = "
         "MatMul(a, w); output y"},
    {.domain = "",
     .name = "DynamicQuantizeLinear",
     .since = 11,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 3,
     .outputs_max = 3,
     .shape = dynamic_shape,
     .cost = dynamic_cost,
     .run = lpi_quantize_dynamic_run,
     .samples = "opset 17; input x: float32[2, 3]; y, s, z = "
                "DynamicQuantizeLinear(x); output y; output s; output z"},
    {QUANTIZE("com.microsoft", 1),
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[2, 3]; weight s: "
         "float32[] = {0.5}; weight z: uint16[] = {3}; y = "
         "com.microsoft.QuantizeLinear(x, s, z); output y"},
    {DEQUANTIZE("com.microsoft", 1),
     .samples =
         "opset 17; opset com.microsoft 1; input x: uint16[2, 3]; weight s: "
         "float32[] = {0.5}; weight z: uint16[] = {3}; y = "
         "com.microsoft.DequantizeLinear(x, s, z); output y"},
    {.name = NULL},
};
