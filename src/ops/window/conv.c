/* conv.c: convolutions.
 *
 * X is [N, C, spatial...], W is [M, C/group, kernel...] (transposed ones:
 * [C, M/group, kernel...]), Y is [N, M, spatial...].  Multiplies: elements of
 * Y x C/group x kernel, taps in the padding included; transposed ones:
 * elements of X x M/group x kernel.  Sources: ONNX operators Conv-22,
 * ConvTranspose-22, ConvInteger-10, QLinearConv-10 and DeformConv-22;
 * com.microsoft FusedConv, NhwcConv and NhwcFusedConv (X and Y [N, spatial...,
 * C], W as ever). */
#include <string.h>

#include "../ops.h"

static const lpi_conv_facts plain_facts = {
    .weight = 1, .bias = 2, .sum = -1, .type_from = 0};
static const lpi_conv_facts fused_facts = {
    .weight = 1, .bias = 2, .sum = 3, .type_from = 0};
static const lpi_conv_facts last_facts = {
    .weight = 1, .bias = 2, .sum = 3, .type_from = 0, .channels_last = true};
static const lpi_conv_facts transposed_facts = {
    .weight = 1, .bias = 2, .sum = -1, .type_from = 0, .is_transposed = true};
static const lpi_conv_facts integer_facts = {
    .weight = 1, .bias = -1, .sum = -1, .type_from = -1, .type = LP_INT32};
static const lpi_conv_facts qlinear_facts = {
    .weight = 3,
    .bias = 8,
    .sum = -1,
    .type_from = 7,
    .each = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_ROUND] = 1, [LP_CMP] = 2}}};
static const lpi_conv_facts deform_facts = {
    .weight = 1, .bias = 3, .sum = -1, .type_from = 0};

static const lpi_spec conv_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, group, 1),
    {.name = NULL},
};

static const lpi_spec last_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, group, 1),
    LPI_SPEC_INT(lpi_conv_params, channels_last, 0),
    {.name = NULL},
};

static const lpi_spec fused_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, group, 1),
    LPI_SPEC_STRING(lpi_conv_params, activation, ""),
    LPI_SPEC_LIST(lpi_conv_params, activation_params, LPI_ATTR_FLOATS),
    {.name = NULL},
};

static const lpi_spec transposed_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, group, 1),
    LPI_SPEC_LIST(lpi_slide, output_padding, LPI_ATTR_INTS),
    LPI_SPEC_LIST(lpi_slide, output_shape, LPI_ATTR_INTS),
    {.name = NULL},
};

static const lpi_spec deform_specs[] = {
    LPI_WINDOW_SPECS,
    LPI_SPEC_INT(lpi_slide, group, 1),
    LPI_SPEC_INT(lpi_conv_params, offset_group, 1),
    {.name = NULL},
};

/* Activations that can be fused, by their operations. */
static const struct {
    const char *name;
    lpi_each each;
} activations[] = {
    {"Relu", {{[LP_CMP] = 1}}},
    {"LeakyRelu", {{[LP_CMP] = 1, [LP_MUL] = 1}}},
    {"Clip", {{[LP_CMP] = 2}}},
    {"Tanh", {{[LP_EXP] = 1}}},
    {"Sigmoid", {{[LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1}}},
    {"HardSigmoid", {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_CMP] = 2}}},
};

/* The "channels" of the input and "w" agree, and "w" with kernel_shape. */
static lp_status check_weight(const lpi_node *node, const lpi_slide *window,
                              int64_t channels, lp_shape w)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    const lpi_list *kernel = &window->kernel_shape;
    int64_t group = window->group, unused;
    int64_t wanted = w.dims[0];

    if (group < 1)
        return lpi_node_fail(node, "group is %lld", (long long)group);
    if (w.dims[0] % group != 0 && w.dims[0] >= 0)
        return lpi_node_fail(node, "group %lld does not divide %lld channels",
                             (long long)group, (long long)w.dims[0]);
    if (!facts->is_transposed)
        wanted = lpi_dim_mul(w.dims[1], group);
    LP_TRY(lpi_dim_same(node, "channels of the input and of the weight",
                        channels, wanted, &unused));
    if (kernel->count != 0 && kernel->count != w.rank - 2)
        return lpi_node_fail(node, "kernel_shape has %lld items, not %d",
                             (long long)kernel->count, w.rank - 2);
    for (int64_t i = 0; i < kernel->count; i++)
        LP_TRY(lpi_dim_same(node, "kernel_shape and the shape of the weight",
                            kernel->ints[i], w.dims[i + 2], &unused));
    return LP_OK;
}

/* Dtype of the result. */
static lp_dtype conv_type(const lpi_node *node)
{
    const lpi_conv_facts *facts = node->layer->row->facts;

    return facts->type_from < 0 ? facts->type
                                : lpi_in_dtype(node, facts->type_from);
}

/* Set the result of "x" and "w", whose ranks are equal. */
static lp_status slide_or_spread(lpi_node *node, lp_shape x, lp_shape w)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    const lpi_slide *window = node->params;
    lp_shape bias = lpi_in_shape(node, facts->bias);
    int64_t *dims = lpi_node_dims(node, x.rank), unused;
    int32_t first = lpi_conv_is_last(node) ? 1 : 2;
    int32_t channel = first == 1 ? x.rank - 1 : 1;

    if (dims == NULL)
        return lpi_node_fail_memory(node);
    LP_TRY(check_weight(node, window, x.dims[channel], w));
    lp_shape spatial = {x.rank - 2, x.dims + first};
    dims[0] = x.dims[0];
    dims[channel] = w.dims[0];
    if (facts->is_transposed) {
        dims[channel] = lpi_dim_mul(w.dims[1], window->group);
        LP_TRY(
            lpi_window_spread(node, window, spatial, w.dims + 2, dims + first));
    } else {
        LP_TRY(
            lpi_window_slide(node, window, spatial, w.dims + 2, dims + first));
    }
    LP_TRY(lpi_dim_same(node, "channels and their bias",
                        lpi_dims_product(bias, 0, bias.rank), dims[channel],
                        &unused));
    return lpi_out_set(node, 0, conv_type(node), x.rank, dims);
}

static lp_status conv_shape(lpi_node *node)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, facts->weight);

    if (x.rank < 0 || w.rank < 0)
        return lpi_out_set_shape(node, 0, conv_type(node), lpi_shape_unknown);
    if (x.rank < 3 || x.rank != w.rank)
        return lpi_node_fail(node, "input of rank %d, weight of rank %d",
                             x.rank, w.rank);
    return slide_or_spread(node, x, w);
}

static void conv_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    lp_shape w = lpi_in_shape(node, facts->weight);
    int64_t out = lpi_out_elements(node, 0);
    int64_t from = facts->is_transposed ? lpi_in_elements(node, 0) : out;

    cost->macs_conv =
        lpi_add(cost->macs_conv, lpi_mul(from, lpi_dims_product(w, 1, w.rank)));
    if (facts->bias >= 0 && lpi_in(node, facts->bias) != NULL)
        lpi_cost_arith(cost, LP_ADD, out);
    if (facts->sum >= 0 && lpi_in(node, facts->sum) != NULL)
        lpi_cost_arith(cost, LP_ADD, out);
    lpi_cost_each(cost, &facts->each, out);
}

/* A zero point is subtracted from every element it belongs to. */
static void integer_cost(const lpi_node *node, lp_cost *cost)
{
    conv_cost(node, cost);
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 0));
    if (lpi_in(node, 3) != NULL)
        lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 1));
}

static void fused_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_conv_params *params = node->params;

    conv_cost(node, cost);
    for (int32_t i = 0; i < LPI_COUNT(activations); i++)
        if (strcmp(params->activation, activations[i].name) == 0)
            lpi_cost_each(cost, &activations[i].each,
                          lpi_out_elements(node, 0));
}

/* Offsets are [N, groups x taps x spatial rank, spatial...], and the spatial
 * extents are those of the result. */
static lp_status deform_shape(lpi_node *node)
{
    const lpi_conv_params *params = node->params;
    lp_shape offset = lpi_in_shape(node, 2), w = lpi_in_shape(node, 1);
    lp_shape y;
    int64_t channels, unused;

    LP_TRY(conv_shape(node));
    y = lpi_out_shape(node, 0);
    if (y.rank < 0 || offset.rank < 0)
        return LP_OK;
    if (offset.rank != y.rank || params->offset_group < 1)
        return lpi_node_fail(node, "offset of rank %d, offset_group %lld",
                             offset.rank, (long long)params->offset_group);
    channels = lpi_dim_mul(lpi_dims_product(w, 2, w.rank),
                           lpi_mul(params->offset_group, y.rank - 2));
    LP_TRY(lpi_dim_same(node, "channels of the offset", offset.dims[1],
                        channels, &unused));
    for (int32_t i = 2; i < y.rank; i++)
        LP_TRY(lpi_dim_same(node, "extents of the offset and of the output",
                            offset.dims[i], y.dims[i], &unused));
    return LP_OK;
}

/* Every sampled tap is interpolated between 2 to the spatial rank neighbours:
 * a multiply and an add for each; one more multiply with a mask. */
static void deform_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, 1);
    lp_shape y = lpi_out_shape(node, 0);
    int64_t taps = lpi_mul(lpi_dims_product(x, 0, 2),
                           lpi_mul(lpi_dims_product(w, 2, w.rank),
                                   lpi_dims_product(y, 2, y.rank)));
    int64_t near = lpi_mul(taps, (int64_t)1 << (y.rank < 12 ? y.rank - 2 : 10));

    conv_cost(node, cost);
    lpi_cost_arith(cost, LP_MUL, near);
    lpi_cost_arith(cost, LP_ADD, near);
    if (lpi_in(node, 4) != NULL)
        lpi_cost_arith(cost, LP_MUL, taps);
}

#define FUSED(name_, facts_)                                                   \
    .name = name_, .domain = "com.microsoft", .since = 1, .inputs_min = 2,     \
    .inputs_max = 4, .outputs_min = 1, .outputs_max = 1,                       \
    .params_size = sizeof(lpi_conv_params), .specs = fused_specs,              \
    .facts = facts_, .operands = "F*,F*,Fm,F*", .shape = conv_shape,           \
    .cost = fused_cost

const lp_op lpi_ops_conv[] = {
    {.name = "Conv",
     .domain = "",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(lpi_conv_params),
     .specs = conv_specs,
     .facts = &plain_facts,
     .shape = conv_shape,
     .cost = conv_cost,
     .run = lpi_conv_layer_run,
     .tile = lpi_conv_tile,
     .split = lpi_conv_split,
     .flags = LPI_CHAINS,
     .samples =
         "opset 17; input x: float32[1, 3, 8, 8]; weight w: float32[4, 3, 3, "
         "3]; weight b: float32[4]; y = Conv(x, w, b) {pads: [1, 1, 1, 1]}; "
         "output y\n---\n"
         "opset 22; input x: float32[2, 4, 9]; weight w: float32[6, 2, 3]; y "
         "= Conv(x, w) {group: 2, strides: [2], dilations: [2], auto_pad: "
         "\"SAME_UPPER\"}; output y\n---\n"
         "opset 1; input x: float32[1, 2, 5, 6, 7]; weight w: float32[3, 2, "
         "1, 2, 3]; y = Conv(x, w) {auto_pad: \"VALID\", kernel_shape: [1, 2, "
         "3]}; output y"},
    {.name = "ConvTranspose",
     .domain = "",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(lpi_conv_params),
     .specs = transposed_specs,
     .facts = &transposed_facts,
     .shape = conv_shape,
     .cost = conv_cost,
     .run = lpi_conv_layer_run,
     .samples =
         "opset 17; input x: float32[1, 4, 5, 5]; weight w: float32[4, 3, 2, "
         "2]; weight b: float32[3]; y = ConvTranspose(x, w, b) {strides: [2, "
         "2]}; output y\n---\n"
         "opset 11; input x: float32[1, 4, 5]; weight w: float32[4, 2, 3]; y "
         "= ConvTranspose(x, w) {group: 2, strides: [3], output_padding: [1], "
         "dilations: [2]}; output y\n---\n"
         "opset 22; input x: float32[1, 1, 3, 3]; weight w: float32[1, 2, 3, "
         "3]; y = ConvTranspose(x, w) {strides: [3, 2], output_shape: [10, "
         "8]}; output y\n---\n"
         "opset 17; input x: float32[1, 2, 1, 2]; weight w: float32[2, 1, 40, "
         "40]; y = ConvTranspose(x, w) {pads: [1, 2, 3, 4], strides: [1, 3]}; "
         "output y"},
    {.name = "ConvInteger",
     .operands = "A*,B*,A*,B*",
     .domain = "",
     .since = 10,
     .inputs_min = 2,
     .inputs_max = 4,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "dwzz",
     .params_size = sizeof(lpi_conv_params),
     .specs = conv_specs,
     .facts = &integer_facts,
     .shape = conv_shape,
     .cost = integer_cost,
     .run = lpi_conv8_layer_run,
     .tile = lpi_conv_tile,
     .split = lpi_conv_split,
     .flags = LPI_CHAINS,
     .samples =
         "opset 10; input x: uint8[1, 1, 3, 3]; weight w: uint8[1, 1, 2, 2]; "
         "weight z: uint8[] = {1}; y = ConvInteger(x, w, z) {pads: [1, 1, 1, "
         "1]}; output y"},
    {.name = "QLinearConv",
     .operands = "A*,F*,A*,B*,F*,B*,F*,Y*,I*",
     .domain = "",
     .since = 10,
     .inputs_min = 8,
     .inputs_max = 9,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "dszwszszw",
     .params_size = sizeof(lpi_conv_params),
     .specs = conv_specs,
     .facts = &qlinear_facts,
     .shape = conv_shape,
     .cost = conv_cost,
     .run = lpi_conv8_layer_run,
     .tile = lpi_conv_tile,
     .samples =
         "opset 10; input x: uint8[1, 3, 7, 7]; weight s: float32[] = {0.5}; "
         "weight z: uint8[] = {128}; weight w: int8[2, 3, 1, 1]; weight v: "
         "int8[] = {0}; weight b: int32[2]; y = QLinearConv(x, s, z, w, s, v, "
         "s, z, b); output y"},
    {.name = "DeformConv",
     .operands = "T*,T*,T*,Tm,T*",
     .domain = "",
     .since = 19,
     .inputs_min = 3,
     .inputs_max = 5,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(lpi_conv_params),
     .specs = deform_specs,
     .facts = &deform_facts,
     .shape = deform_shape,
     .cost = deform_cost,
     .run = lpi_deform_run,
     .samples =
         "opset 19; input x: float32[1, 2, 3, 3]; weight w: float32[4, 2, 2, "
         "2]; input o: float32[1, 8, 4, 4]; input m: float32[1, 4, 4, 4]; y = "
         "DeformConv(x, w, o, _, m) {pads: [1, 1, 1, 1], kernel_shape: [2, "
         "2]}; output y"},
    {.name = "QLinearConv",
     .operands = "A*,F*,A*,B*,F*,B*,F*,Y*,I*",
     .domain = "com.microsoft",
     .since = 1,
     .inputs_min = 8,
     .inputs_max = 9,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "dszwszszw",
     .params_size = sizeof(lpi_conv_params),
     .specs = last_specs,
     .facts = &qlinear_facts,
     .shape = conv_shape,
     .cost = conv_cost,
     .run = lpi_conv_last_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: uint8[1, 7, 7, 3]; weight "
         "s: float32[] = {0.5}; weight z: uint8[] = {128}; weight w: int8[2, "
         "3, 2, 2]; weight v: int8[] = {0}; y = com.microsoft.QLinearConv(x, "
         "s, z, w, s, v, s, z) {channels_last: 1}; output y"},
    {FUSED("FusedConv", &fused_facts), .run = lpi_conv_layer_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[1, 3, 8, 8]; "
         "weight w: float32[4, 3, 3, 3]; input z: float32[1, 4, 6, 6]; y = "
         "com.microsoft.FusedConv(x, w, _, z) {activation: \"Relu\"}; output "
         "y"},
    {FUSED("NhwcConv", &last_facts), .run = lpi_conv_last_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[1, 8, 9, 3]; "
         "weight w: float32[4, 3, 3, 3]; y = com.microsoft.NhwcConv(x, w); "
         "output y"},
    {FUSED("NhwcFusedConv", &last_facts), .run = lpi_conv_last_run,
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[1, 8, 9, 3]; "
         "weight w: float32[4, 3, 3, 3]; weight b: float32[4]; y = "
         "com.microsoft.NhwcFusedConv(x, w, b) {activation: \"Tanh\"}; "
         "output y"},
    {.name = NULL},
};
