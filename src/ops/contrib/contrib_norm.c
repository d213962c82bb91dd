/* contrib_norm.c: normalizations of com.microsoft that fuse what stands before
 * or behind them: a residual, a bias, an activation, embeddings.
 *
 * The normalization is priced as in norm.c, every fused operand as an add an
 * element.  GroupNorm has its channels last.  Source: onnxruntime, contributed
 * operators. */
#include "../ops.h"

static const lpi_fused_facts layer_facts = {
    .element = {{[LP_ADD] = 3, [LP_MUL] = 3}},
    .group = {{[LP_DIV] = 3, [LP_ADD] = 1, [LP_SQRT] = 1}},
    .added = {1, 4},
    .scale = 2,
    .shift = 3,
    .centred = true};
static const lpi_fused_facts rms_facts = {
    .element = {{[LP_MUL] = 3, [LP_ADD] = 1}},
    .group = {{[LP_DIV] = 2, [LP_ADD] = 1, [LP_SQRT] = 1}},
    .added = {1, 3},
    .scale = 2};
static const lpi_fused_facts group_facts = {
    .element = {{[LP_ADD] = 3, [LP_MUL] = 3}},
    .group = {{[LP_DIV] = 3, [LP_ADD] = 1, [LP_SQRT] = 1}},
    .added = {3, 4},
    .scale = 1,
    .shift = 2,
    .centred = true};
static const lpi_fused_facts embed_facts = {
    .element = {{[LP_ADD] = 4, [LP_MUL] = 3}},
    .group = {{[LP_DIV] = 3, [LP_ADD] = 1, [LP_SQRT] = 1}},
    .scale = 5,
    .shift = 6,
    .centred = true};

static const lpi_each silu = {
    {[LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1, [LP_MUL] = 1}};

static const lpi_spec skip_specs[] = {
    LPI_SPEC_FLOAT(lpi_fused_norm, epsilon, 1e-12f),
    LPI_SPEC_INT(lpi_fused_norm, mask_index_type, 0),
    {.name = NULL},
};

static const lpi_spec group_specs[] = {
    LPI_SPEC_FLOAT(lpi_fused_norm, epsilon, 1e-5f),
    LPI_SPEC_NEEDED(lpi_fused_norm, groups, LPI_ATTR_INT),
    LPI_SPEC_INT(lpi_fused_norm, activation, 0),
    LPI_SPEC_INT(lpi_fused_norm, channels_last, 1),
    {.name = NULL},
};

/* Outputs 1 and 2 are the statistics of a row, output 3 the sum that is
 * normalized. */
static lp_status skip_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0), sum;
    int64_t *dims;

    LP_TRY(lpi_out_as(node, 3, 0));
    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    if (x.rank < 2 || !lpi_broadcast(node, x, lpi_in_shape(node, 1), &sum))
        return lpi_node_fail(node, "the residual does not fit the input");
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < x.rank; i++)
        dims[i] = i < x.rank - 1 ? x.dims[i] : 1;
    LP_TRY(lpi_out_set(node, 1, LP_FLOAT32, x.rank, dims));
    LP_TRY(lpi_out_set(node, 2, LP_FLOAT32, x.rank, dims));
    return lpi_out_as(node, 0, 0);
}

/* "groups" divides the channels; output 1 is the sum that is normalized. */
static lp_status group_shape(lpi_node *node)
{
    const lpi_fused_norm *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t channels = -1;

    if (x.rank >= 2)
        channels = x.dims[params->channels_last != 0 ? x.rank - 1 : 1];
    if (params->groups < 1 || (channels >= 0 && channels % params->groups != 0))
        return lpi_node_fail(node, "%lld groups do not divide %lld channels",
                             (long long)params->groups, (long long)channels);
    LP_TRY(lpi_out_as(node, 1, 0));
    return lpi_out_as(node, 0, 0);
}

static void price(const lpi_node *node, int64_t elements, int64_t groups,
                  lp_cost *cost)
{
    const lpi_fused_facts *facts = node->layer->row->facts;

    lpi_cost_each(cost, &facts->element, elements);
    lpi_cost_each(cost, &facts->group, groups);
    for (int32_t i = 0; i < LPI_COUNT(facts->added); i++)
        if (facts->added[i] > 0 && lpi_in(node, facts->added[i]) != NULL)
            lpi_cost_arith(cost, LP_ADD, elements);
    if (facts->shift > 0 && lpi_in(node, facts->shift) != NULL)
        lpi_cost_arith(cost, LP_ADD, elements);
}

static void skip_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0);

    price(node, lpi_in_elements(node, 0), lpi_dims_product(x, 0, x.rank - 1),
          cost);
}

static void group_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_fused_norm *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t elements = lpi_in_elements(node, 0);

    price(node, elements, lpi_mul(params->groups, x.rank > 0 ? x.dims[0] : 1),
          cost);
    if (params->activation != 0)
        lpi_cost_each(cost, &silu, elements);
}

/* Words, positions and segments are looked up, added and normalized: [batch,
 * length, width], the lengths of the sequences, the sum. */
static lp_status embed_shape(lpi_node *node)
{
    lp_shape ids = lpi_in_shape(node, 0), table = lpi_in_shape(node, 2);
    lp_dtype type = lpi_in_dtype(node, 2);

    if (ids.rank < 0 || table.rank < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (ids.rank != 2 || table.rank != 2)
        return lpi_node_fail(node, "words of rank %d, table of rank %d",
                             ids.rank, table.rank);
    const int64_t dims[3] = {ids.dims[0], ids.dims[1], table.dims[1]};
    LP_TRY(lpi_out_set(node, 1, LP_INT32, 1, dims));
    LP_TRY(lpi_out_set(node, 2, type, 3, dims));
    return lpi_out_set(node, 0, type, 3, dims);
}

/* Of each table only the rows that are looked up are read. */
static void embed_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t elements = lpi_out_elements(node, 0);

    price(node, elements, lpi_in_elements(node, 0), cost);
    for (int32_t i = 2; i < 5; i++)
        if (lpi_in(node, i) != NULL)
            lpi_cost_part(node, cost, i, elements);
}

#define FUSED_NORM(name_, least, most, outputs)                                \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = least, \
    .inputs_max = most, .outputs_min = 1, .outputs_max = outputs,              \
    .params_size = sizeof(lpi_fused_norm)

#define CONTRIB "opset 17; opset com.microsoft 1; "

const lp_op lpi_ops_contrib_norm[] = {
    {FUSED_NORM("SkipLayerNormalization", 3, 5, 4),
     .operands = "T*h,T*h,Th,Th,Th", .facts = &layer_facts, .specs = skip_specs,
     .shape = skip_shape, .cost = skip_cost, .run = lpi_norm_skip_run,
     .samples = CONTRIB
     "input x: float32[2, 3, 4]; input r: float32[2, 3, 4]; weight g: "
     "float32[4]; weight b: float32[4]; y, _, _, s = "
     "com.microsoft.SkipLayerNormalization(x, r, g, b); output y; output s"},
    {FUSED_NORM("SkipSimplifiedLayerNormalization", 3, 4, 4),
     .operands = "T*h,T*h,Th,Th", .facts = &rms_facts, .specs = skip_specs,
     .shape = skip_shape, .cost = skip_cost, .run = lpi_norm_skip_run,
     .samples = CONTRIB
     "input x: float16[2, 3, 4]; input r: float16[2, 3, 4]; weight g: "
     "float16[4]; y, _, _, s = "
     "com.microsoft.SkipSimplifiedLayerNormalization(x, r, g); output y; "
     "output s"},
    {FUSED_NORM("GroupNorm", 3, 3, 1), .operands = "T*,Uc,Uc",
     .specs = group_specs, .facts = &group_facts, .shape = group_shape,
     .cost = group_cost, .run = lpi_norm_skip_groups_run,
     .samples = CONTRIB
     "input x: float16[2, 4, 4, 6]; weight g: float32[6]; weight b: "
     "float32[6]; y = com.microsoft.GroupNorm(x, g, b) {groups: 3, "
     "activation: 1}; output y"},
    {FUSED_NORM("SkipGroupNorm", 4, 5, 2), .operands = "T*,Uc,Uc,T*,T*",
     .specs = group_specs, .facts = &group_facts, .shape = group_shape,
     .cost = group_cost, .run = lpi_norm_skip_groups_run,
     .samples = CONTRIB
     "input x: float16[2, 4, 4, 6]; weight g: float32[6]; weight b: "
     "float32[6]; input r: float16[2, 4, 4, 6]; y, s = "
     "com.microsoft.SkipGroupNorm(x, g, b, r) {groups: 3}; output y; output "
     "s"},
    {FUSED_NORM("EmbedLayerNormalization", 7, 9, 3),
     .operands = "Ibs,.bs,Tvh,Tph,Tgh,Th,Th,.bs,.?s", .roles = "iidddddii",
     .facts = &embed_facts, .specs = skip_specs, .shape = embed_shape,
     .cost = embed_cost, .run = lpi_norm_embed_run, .flags = LPI_GAPS,
     .samples = CONTRIB
     "input i: int32[2, 3]; weight w: float32[50, 4]; weight p: float32[16, "
     "4]; weight g: float32[4]; weight b: float32[4]; y, m = "
     "com.microsoft.EmbedLayerNormalization(i, _, w, p, _, g, b); output y; "
     "output m"},
    {.name = NULL},
};
