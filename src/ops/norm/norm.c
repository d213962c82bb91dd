/* norm.c: normalizations.
 *
 * A row has two prices: for each element of its input, and for each group that
 * shares a mean or a norm.  A mean and a variance are priced as two passes, an
 * add, and a subtract, a multiply and an add an element; the result a multiply
 * by the factor of its group, then scale and bias a multiply and an add.  A
 * group costs its divisions, the add of epsilon and the square root.  Sources:
 * ONNX operators BatchNormalization-15, InstanceNormalization-22,
 * LayerNormalization-17, GroupNormalization-21, RMSNormalization-23, LRN-13,
 * LpNormalization-22, MeanVarianceNormalization-13. */
#include "../ops.h"

typedef struct norm_facts {
    lpi_each element, group;
    int32_t bias; /* an input whose add is optional; -1: none */
} norm_facts;

/* Prices of a mean and a variance, and of a root mean square. */
#define NORM_MEAN                                                              \
    {                                                                          \
        {                                                                      \
            [LP_ADD] = 4, [LP_MUL] = 3                                         \
        }                                                                      \
    }
#define NORM_MEAN_GROUP                                                        \
    {                                                                          \
        {                                                                      \
            [LP_DIV] = 3, [LP_ADD] = 1, [LP_SQRT] = 1                          \
        }                                                                      \
    }

static const norm_facts batch_facts = {
    .element = {{[LP_MUL] = 1, [LP_ADD] = 1}},
    .group = {{[LP_ADD] = 2, [LP_MUL] = 1, [LP_DIV] = 1, [LP_SQRT] = 1}},
    .bias = -1};
static const norm_facts mean_facts = {
    .element = NORM_MEAN, .group = NORM_MEAN_GROUP, .bias = -1};
static const norm_facts layer_facts = {
    .element = {{[LP_ADD] = 3, [LP_MUL] = 3}},
    .group = NORM_MEAN_GROUP,
    .bias = 2};
static const norm_facts rms_facts = {
    .element = {{[LP_MUL] = 3, [LP_ADD] = 1}},
    .group = {{[LP_DIV] = 2, [LP_ADD] = 1, [LP_SQRT] = 1}},
    .bias = -1};
static const norm_facts plain_facts = {
    .element = {{[LP_ADD] = 3, [LP_MUL] = 2}},
    .group = NORM_MEAN_GROUP,
    .bias = -1};

/* By p of LpNormalization: 1 and 2. */
static const norm_facts lp_facts[2] = {
    {.element = {{[LP_ADD] = 2, [LP_DIV] = 1}}},
    {.element = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_DIV] = 1}},
     .group = {{[LP_SQRT] = 1}}},
};

static const lpi_spec epsilon_specs[] = {
    LPI_SPEC_FLOAT(lpi_norm_params, epsilon, 1e-5f),
    {.name = NULL},
};

static const lpi_spec axis_specs[] = {
    LPI_SPEC_FLOAT(lpi_norm_params, epsilon, 1e-5f),
    LPI_SPEC_INT(lpi_norm_params, axis, -1),
    LPI_SPEC_INT(lpi_norm_params, stash_type, 1),
    LPI_SPEC_INT(lpi_norm_params, p, 2),
    {.name = NULL},
};

static const lpi_spec batch_specs[] = {
    LPI_SPEC_FLOAT(lpi_norm_params, epsilon, 1e-5f),
    LPI_SPEC_FLOAT(lpi_norm_params, momentum, 0.9f),
    LPI_SPEC_INT(lpi_norm_params, spatial, 1),
    LPI_SPEC_INT(lpi_norm_params, training_mode, 0),
    {.name = NULL},
};

static const lpi_spec groups_specs[] = {
    LPI_SPEC_FLOAT(lpi_norm_params, epsilon, 1e-5f),
    LPI_SPEC_NEEDED(lpi_norm_params, num_groups, LPI_ATTR_INT),
    LPI_SPEC_INT(lpi_norm_params, stash_type, 1),
    {.name = NULL},
};

static const lpi_spec local_specs[] = {
    LPI_SPEC_FLOAT(lpi_norm_params, alpha, 1e-4f),
    LPI_SPEC_FLOAT(lpi_norm_params, beta, 0.75f),
    LPI_SPEC_FLOAT(lpi_norm_params, bias, 1.0f),
    LPI_SPEC_NEEDED(lpi_norm_params, size, LPI_ATTR_INT),
    {.name = NULL},
};

static const lpi_spec axes_specs[] = {
    LPI_SPEC_LIST(lpi_norm_params, axes, LPI_ATTR_INTS),
    {.name = NULL},
};

/* Before opset 14 there is no training_mode: more than one output told. */
static lp_status batch_settle(lpi_node *node)
{
    lpi_norm_params *params = (lpi_norm_params *)node->params;

    if (node->layer->version < 14)
        params->training_mode = node->layer->outputs_count > 1;
    return LP_OK;
}

/* Dimension 1 of a batch; 1 for a vector; -1 when it is not known. */
static int64_t channels_of(lp_shape x)
{
    return x.rank < 0 ? -1 : x.rank > 1 ? x.dims[1] : 1;
}

/* Inputs [1, until) have an element for each of "channels". */
static lp_status check_channels(const lpi_node *node, int32_t until,
                                int64_t channels)
{
    int64_t unused;

    for (int32_t i = 1; i < until; i++) {
        lp_shape own = lpi_in_shape(node, i);

        if (own.rank >= 0)
            LP_TRY(lpi_dim_same(node, "channels and their scale or bias",
                                lpi_dims_product(own, 0, own.rank), channels,
                                &unused));
    }
    return LP_OK;
}

/* Further outputs are statistics, a vector each. */
static lp_status batch_shape(lpi_node *node)
{
    int32_t type = node->layer->inputs_count > 3 ? 3 : 1;
    int64_t channels = -1;

    if (lpi_in_shape(node, 0).rank >= 0)
        channels = channels_of(lpi_in_shape(node, 0));
    if (node->layer->version >= 9)
        LP_TRY(check_channels(node, node->layer->inputs_count,
                              channels_of(lpi_in_shape(node, 0))));
    for (int32_t i = 1; i < node->layer->outputs_count; i++)
        LP_TRY(lpi_out_set(node, i, lpi_in_dtype(node, type), 1, &channels));
    return lpi_shape_as_first(node);
}

static lp_status channel_shape(lpi_node *node)
{
    LP_TRY(check_channels(node, node->layer->inputs_count,
                          channels_of(lpi_in_shape(node, 0))));
    return lpi_shape_as_first(node);
}

/* The axes from "axis" on are normalized: outputs 1 and 2, mean and inverse
 * deviation, have extent 1 there. */
static lp_status layer_shape(lpi_node *node)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), sum;
    lp_dtype type = params->stash_type == LP_UNDEFINED
                        ? LP_FLOAT32
                        : (lp_dtype)params->stash_type;
    int64_t axis, *dims;

    if (x.rank < 0)
        return lpi_shape_as_first(node);
    if (!lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    for (int32_t i = 1; i < 3; i++) {
        lp_shape own = lpi_in_shape(node, i);

        if (!lpi_broadcast(node, x, own, &sum) || own.rank > x.rank)
            return lpi_node_fail(node, "the %s does not broadcast to the input",
                                 i == 1 ? "scale" : "bias");
    }
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < x.rank; i++)
        dims[i] = i < axis ? x.dims[i] : 1;
    LP_TRY(lpi_out_set(node, 1, type, x.rank, dims));
    LP_TRY(lpi_out_set(node, 2, type, x.rank, dims));
    return lpi_shape_as_first(node);
}

/* RMSNormalization gives the dtype of its scale. */
static lp_status rms_shape(lpi_node *node)
{
    LP_TRY(layer_shape(node));
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 1),
                             lpi_in_shape(node, 0));
}

/* Before opset 21 scale and bias have an element a group. */
static lp_status groups_shape(lpi_node *node)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);

    if (params->num_groups < 1 ||
        (x.rank > 1 && x.dims[1] >= 0 && x.dims[1] % params->num_groups != 0))
        return lpi_node_fail(node, "%lld groups do not divide %lld channels",
                             (long long)params->num_groups,
                             (long long)(x.rank > 1 ? x.dims[1] : 1));
    LP_TRY(check_channels(node, 3,
                          node->layer->version < 21 ? params->num_groups
                                                    : channels_of(x)));
    return lpi_shape_as_first(node);
}

static lp_status axis_shape(lpi_node *node)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis;

    if (x.rank >= 0 && !lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    if (params->p != 1 && params->p != 2)
        return lpi_node_fail(node, "p is %lld", (long long)params->p);
    return lpi_shape_as_first(node);
}

/* Charge the facts of the row, or "facts", with "groups" groups. */
static void norm_price(const lpi_node *node, const norm_facts *facts,
                       int64_t groups, lp_cost *cost)
{
    int64_t elements = lpi_in_elements(node, 0);

    lpi_cost_each(cost, &facts->element, elements);
    lpi_cost_each(cost, &facts->group, groups);
    if (facts->bias > 0 && lpi_in(node, facts->bias) != NULL)
        lpi_cost_arith(cost, LP_ADD, elements);
}

/* A group is a channel; in training its statistics are taken too. */
static void batch_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_norm_params *params = node->params;
    int64_t channels = channels_of(lpi_in_shape(node, 0));

    norm_price(node, params->training_mode != 0 ? &mean_facts : &batch_facts,
               channels, cost);
}

static void instance_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0);

    norm_price(node, &mean_facts,
               lpi_dims_product(x, 0, x.rank < 2 ? x.rank : 2), cost);
}

static void layer_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis = 0;

    lpi_axis(params->axis, x.rank, &axis);
    norm_price(node, node->layer->row->facts, lpi_dims_product(x, 0, axis),
               cost);
}

static void groups_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);

    norm_price(node, &mean_facts,
               lpi_mul(params->num_groups, x.rank > 0 ? x.dims[0] : 1), cost);
}

/* Every element sums "size" squares; then scale, power, divide. */
static void local_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_norm_params *params = node->params;
    int64_t elements = lpi_in_elements(node, 0);
    int64_t size = params->size > 0 ? params->size : 0;

    lpi_cost_arith(cost, LP_MUL, lpi_mul(elements, 2));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(elements, lpi_add(size, 1)));
    lpi_cost_arith(cost, LP_SQRT, elements);
    lpi_cost_arith(cost, LP_DIV, elements);
}

static void lp_norm_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis = 0, groups = 0;

    if (lpi_axis(params->axis, x.rank, &axis) && x.dims[axis] > 0)
        groups = lpi_shape_elements(x) / x.dims[axis];
    norm_price(node, &lp_facts[params->p == 1 ? 0 : 1], groups, cost);
}

/* The axes that are not listed (0, 2 and 3 by default) make the groups. */
static void variance_cost(const lpi_node *node, lp_cost *cost)
{
    static const int64_t usual[3] = {0, 2, 3};
    const lpi_norm_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t count = params->axes.count > 0 ? params->axes.count : 3;
    const int64_t *axes = params->axes.count > 0 ? params->axes.ints : usual;
    int64_t groups = 1, axis;

    for (int32_t i = 0; i < x.rank; i++) {
        bool listed = false;

        for (int64_t j = 0; j < count; j++)
            listed = listed || (lpi_axis(axes[j], x.rank, &axis) && axis == i);
        if (!listed)
            groups = lpi_mul(groups, x.dims[i]);
    }
    norm_price(node, &plain_facts, groups, cost);
}

#define NORM(name_, since_, least, most, specs_)                               \
    .name = name_, .domain = "", .since = since_, .inputs_min = least,         \
    .inputs_max = most, .outputs_min = 1, .specs = specs_,                     \
    .params_size = sizeof(lpi_norm_params)

const lp_op lpi_ops_norm[] = {
    {NORM("BatchNormalization", 1, 5, 5, batch_specs),
     .operands = "Tnc*,Uc,Uc,Vc,Vc", .outputs_max = 5, .settle = batch_settle,
     .shape = batch_shape, .cost = batch_cost, .run = lpi_norm_batch_run,
     .tile = lpi_norm_batch_tile, .flags = LPI_IN_PLACE,
     .samples =
         "opset 15; input x: float32[2, 3, 4, 4]; weight s: float32[3]; "
         "weight b: float32[3]; weight m: float32[3]; weight v: float32[3]; y "
         "= BatchNormalization(x, s, b, m, v); output y\n---\n"
         "opset 15; input x: float32[2, 3]; weight s: float32[3]; weight b: "
         "float32[3]; weight m: float32[3]; weight v: float32[3]; y, n, u = "
         "BatchNormalization(x, s, b, m, v) {training_mode: 1}; output y"},
    {NORM("InstanceNormalization", 1, 3, 3, epsilon_specs),
     .operands = "Tnc*,Tc,Tc", .outputs_max = 1, .shape = channel_shape,
     .cost = instance_cost, .run = lpi_norm_instance_run,
     .tile = lpi_norm_channel_tile, .flags = LPI_IN_PLACE,
     .samples = "opset 17; input x: float32[2, 3, 4]; weight s: float32[3]; "
                "weight b: float32[3]; y = InstanceNormalization(x, s, b); "
                "output y"},
    {NORM("LayerNormalization", 17, 2, 3, axis_specs), .outputs_max = 3,
     .facts = &layer_facts, .shape = layer_shape, .cost = layer_cost,
     .run = lpi_norm_layer_run, .tile = lpi_norm_layer_tile,
     .flags = LPI_IN_PLACE,
     .samples =
         "opset 17; input x: float32[2, 3, 4]; weight s: float32[4]; weight "
         "b: float32[4]; y = LayerNormalization(x, s, b); output y\n---\n"
         "opset 17; input x: float16[2, 3, 4]; weight s: float16[3, 4]; y, m, "
         "d = LayerNormalization(x, s) {axis: 1}; output y; output d"},
    {NORM("SimplifiedLayerNormalization", 1, 2, 2, axis_specs),
     .outputs_max = 2, .facts = &rms_facts, .shape = layer_shape,
     .cost = layer_cost, .run = lpi_norm_root_run, .tile = lpi_norm_layer_tile,
     .flags = LPI_IN_PLACE,
     .samples = "opset 17; input x: float32[2, 3, 4]; weight s: float32[4]; "
                "y = SimplifiedLayerNormalization(x, s); output y"},
    {NORM("GroupNormalization", 18, 3, 3, groups_specs), .outputs_max = 1,
     .shape = groups_shape, .cost = groups_cost, .run = lpi_norm_groups_run,
     .tile = lpi_norm_groups_tile, .flags = LPI_IN_PLACE,
     .samples = "opset 21; input x: float32[2, 6, 4, 4]; weight s: "
                "float32[6]; weight b: float32[6]; y = GroupNormalization(x, "
                "s, b) {num_groups: 3}; output y\n---\n"
                "opset 18; input x: float32[2, 6, 4]; weight s: float32[2]; "
                "weight b: float32[2]; y = GroupNormalization(x, s, b) "
                "{num_groups: 2}; output y"},
    {NORM("RMSNormalization", 23, 2, 2, axis_specs), .outputs_max = 1,
     .facts = &rms_facts, .shape = rms_shape, .cost = layer_cost,
     .run = lpi_norm_root_run, .tile = lpi_norm_layer_tile,
     .flags = LPI_IN_PLACE,
     .samples = "opset 23; input x: float32[2, 3, 4]; weight s: float32[4]; "
                "y = RMSNormalization(x, s); output y"},
    {NORM("LRN", 1, 1, 1, local_specs), .outputs_max = 1,
     .shape = lpi_shape_as_first, .cost = local_cost, .run = lpi_norm_local_run,
     .samples = "opset 13; input x: float32[1, 6, 4, 4]; y = LRN(x) {size: "
                "5}; output y"},
    {NORM("LpNormalization", 1, 1, 1, axis_specs), .outputs_max = 1,
     .shape = axis_shape, .cost = lp_norm_cost, .run = lpi_norm_length_run,
     .samples = "opset 13; input x: float32[2, 3, 4]; y = LpNormalization(x) "
                "{axis: 1, p: 1}; output y"},
    {NORM("MeanVarianceNormalization", 9, 1, 1, axes_specs), .outputs_max = 1,
     .shape = lpi_shape_as_first, .cost = variance_cost,
     .run = lpi_norm_variance_run,
     .samples = "opset 13; input x: float32[2, 3, 4, 4]; y = "
                "MeanVarianceNormalization(x); output y"},
    {.name = NULL},
};
