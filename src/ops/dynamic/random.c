/* random.c: random numbers, and Dropout.
 *
 * A run of Dropout without training passes its input on: a view.  One that
 * trains draws a number and scales each element.  A uniform number is priced
 * as a multiply and an add; a normal one as Box and Muller make it, half a
 * logarithm, root and pair of sine and cosine each, rounded up; a choice as
 * the compare with the drawn number.  Sources: ONNX operators Dropout-22,
 * RandomNormal-22, RandomUniform-22, Bernoulli-22, Multinomial-22. */
#include "../ops.h"

static const lpi_each uniform = {{[LP_MUL] = 1, [LP_ADD] = 1}};
static const lpi_each normal = {
    {[LP_MUL] = 2, [LP_ADD] = 1, [LP_LOG] = 1, [LP_SQRT] = 1, [LP_TRIG] = 1}};
static const lpi_each choice = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_CMP] = 1}};
static const lpi_each dropping = {{[LP_CMP] = 1, [LP_MUL] = 1}};

static const lpi_spec shape_specs[] = {
    LPI_SPEC_NEEDED(lpi_chance, shape, LPI_ATTR_INTS),
    LPI_SPEC_INT(lpi_chance, dtype, LP_FLOAT32),
    LPI_SPEC_FLOAT(lpi_chance, mean, 0),
    LPI_SPEC_FLOAT(lpi_chance, scale, 1),
    LPI_SPEC_FLOAT(lpi_chance, low, 0),
    LPI_SPEC_FLOAT(lpi_chance, high, 1),
    {.name = NULL},
};

static const lpi_spec like_specs[] = {
    LPI_SPEC_INT(lpi_chance, dtype, 0),   LPI_SPEC_FLOAT(lpi_chance, mean, 0),
    LPI_SPEC_FLOAT(lpi_chance, scale, 1), LPI_SPEC_FLOAT(lpi_chance, low, 0),
    LPI_SPEC_FLOAT(lpi_chance, high, 1),  {.name = NULL},
};

static const lpi_spec samples_specs[] = {
    LPI_SPEC_INT(lpi_chance, dtype, LP_INT32),
    LPI_SPEC_INT(lpi_chance, sample_size, 1),
    {.name = NULL},
};

static const lpi_spec dropout_specs[] = {
    LPI_SPEC_INT(lpi_chance, is_test, 0),
    LPI_SPEC_FLOAT(lpi_chance, ratio, 0.5F),
    {.name = NULL},
};

/* The seed is a float, of Dropout an integer. */
static lp_status seed_settle(lpi_node *node)
{
    lpi_chance *params = (lpi_chance *)node->params;
    const lpi_attr *seed = lpi_node_attr(node, "seed");

    if (params->dtype < LP_UNDEFINED || params->dtype >= LP_DTYPE_COUNT)
        return lpi_node_fail(node, "no dtype has the number %lld",
                             (long long)params->dtype);
    params->is_normal = node->layer->row->facts == &normal;
    params->is_seeded = seed != NULL;
    if (seed != NULL && seed->kind == LPI_ATTR_INT)
        params->seed = seed->i;
    else if (seed != NULL && seed->kind == LPI_ATTR_FLOAT)
        lpi_convert(LPI_F32, &seed->f, LPI_I64, &params->seed, 1);
    return LP_OK;
}

static lp_status random_shape(lpi_node *node)
{
    const lpi_chance *params = node->params;

    for (int64_t i = 0; i < params->shape.count; i++)
        if (params->shape.ints[i] < 0)
            return lpi_node_fail(node, "shape holds %lld",
                                 (long long)params->shape.ints[i]);
    if (params->shape.count > INT32_MAX)
        return lpi_node_fail(node, "shape has %lld items",
                             (long long)params->shape.count);
    return lpi_out_set(node, 0, (lp_dtype)params->dtype,
                       (int32_t)params->shape.count, params->shape.ints);
}

static lp_status like_shape(lpi_node *node)
{
    const lpi_chance *params = node->params;
    lp_dtype type = params->dtype != 0 ? (lp_dtype)params->dtype
                                       : lpi_in_dtype(node, 0);

    return lpi_out_set_shape(node, 0, type, lpi_in_shape(node, 0));
}

static lp_status multinomial_shape(lpi_node *node)
{
    const lpi_chance *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t dims[2] = {-1, params->sample_size};

    if (x.rank >= 0 && x.rank != 2)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    if (params->sample_size < 0)
        return lpi_node_fail(node, "sample_size is %lld",
                             (long long)params->sample_size);
    if (x.rank == 2)
        dims[0] = x.dims[0];
    return lpi_out_set(node, 0, (lp_dtype)params->dtype, 2, dims);
}

static void random_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_each(cost, node->layer->row->facts, lpi_out_elements(node, 0));
}

/* RandomNormalLike and RandomUniformLike only look at the shape. */
static void like_cost(const lpi_node *node, lp_cost *cost)
{
    random_cost(node, cost);
    lpi_cost_unread(node, cost);
}

/* A softmax over the classes, then a search for every sample. */
static void multinomial_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t classes = lpi_in_elements(node, 0);

    lpi_cost_arith(cost, LP_EXP, classes);
    lpi_cost_arith(cost, LP_ADD, classes);
    random_cost(node, cost);
}

/* Before opset 10 the mask has the dtype of the input. */
static lp_status dropout_shape(lpi_node *node)
{
    bool is_old = node->layer->version > 0 && node->layer->version < 10;

    LP_TRY(lpi_out_set_shape(node, 1, is_old ? lpi_in_dtype(node, 0) : LP_BOOL,
                             lpi_in_shape(node, 0)));
    return lpi_out_as(node, 0, 0);
}

/* Without training the mask keeps everything. */
static lp_status dropout_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    int64_t count = lpi_out_elements(node, 0);
    lp_dtype type;
    int64_t *ones;
    void *values;

    LP_TRY(lpi_run_view(run));
    if (lpi_out(node, 1) == NULL)
        return LP_OK;
    type = lpi_out(node, 1)->dtype;
    ones = LPI_NEW(run->scratch, int64_t, count);
    values = lpi_arena_array(run->scratch, count, sizeof(int64_t));
    if (ones == NULL || values == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < count; i++)
        ones[i] = 1;
    lpi_convert(LPI_I64, ones, lpi_class_of(type), values, count);
    lpi_pack(type, values, 0, count, run->out[1]);
    return LP_OK;
}

/* The row of a Dropout that trains: random, and no view. */
static const lp_op training_row = {
    .domain = "",
    .name = "Dropout",
    .operands = ".*,.!,.!",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 2,
    .roles = "di",
    .params_size = sizeof(lpi_chance),
    .facts = &dropping,
    .shape = dropout_shape,
    .cost = random_cost,
    .run = lpi_dropout_run,
    .flags = LPI_IMPURE,
};

/* Change to the row above where the operands, or the form of old opsets, ask
 * for training, or may do so when the model runs. */
static lp_status dropout_settle(lpi_node *node)
{
    const lpi_chance *params = node->params;
    bool trains = params->is_test == 0 && node->layer->outputs_count > 1;
    lpi_list mode;

    if (node->layer->version == 0 || node->layer->version >= 7)
        trains = lpi_in(node, 2) != NULL &&
                 (!lpi_in_ints(node, 2, &mode) ||
                  (mode.count > 0 && mode.ints[0] != 0));
    if (trains)
        node->layer->row = &training_row;
    return seed_settle(node);
}

#define RANDOM(name_, since_, inputs, specs_, facts_)                          \
    .domain = "", .name = name_, .since = since_, .inputs_min = inputs,        \
    .inputs_max = inputs, .outputs_min = 1, .outputs_max = 1,                  \
    .params_size = sizeof(lpi_chance), .specs = specs_, .facts = facts_,       \
    .settle = seed_settle, .flags = LPI_IMPURE

const lp_op lpi_ops_random[] = {
    {RANDOM("RandomNormal", 1, 0, shape_specs, &normal), .shape = random_shape,
     .cost = random_cost, .run = lpi_random_run,
     .samples = "opset 17; y = RandomNormal() {shape: [2, 3]}; output y"},
    {RANDOM("RandomUniform", 1, 0, shape_specs, &uniform),
     .shape = random_shape, .cost = random_cost, .run = lpi_random_run,
     .samples = "opset 17; y = RandomUniform() {shape: [2, 3], dtype: 10}; "
                "output y"},
    {RANDOM("RandomNormalLike", 1, 1, like_specs, &normal), .shape = like_shape,
     .cost = like_cost, .run = lpi_random_run,
     .samples = "opset 17; input x: float32[2, 3]; y = RandomNormalLike(x); "
                "output y"},
    {RANDOM("RandomUniformLike", 1, 1, like_specs, &uniform),
     .shape = like_shape, .cost = like_cost, .run = lpi_random_run,
     .samples = "opset 17; input x: int64[2, 3]; y = RandomUniformLike(x) "
                "{dtype: 1}; output y"},
    {RANDOM("Bernoulli", 15, 1, like_specs, &choice), .shape = like_shape,
     .cost = random_cost, .run = lpi_bernoulli_run,
     .samples = "opset 17; input x: float32[2, 3]; y = Bernoulli(x) {dtype: "
                "9}; output y"},
    {RANDOM("Multinomial", 7, 1, samples_specs, &choice),
     .shape = multinomial_shape, .cost = multinomial_cost,
     .run = lpi_multinomial_run,
     .samples = "opset 17; input x: float32[2, 5]; y = Multinomial(x) "
                "{sample_size: 4}; output y"},
    {.domain = "",
     .name = "Dropout",
     .operands = ".*,.!,.!",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 2,
     .roles = "di",
     .params_size = sizeof(lpi_chance),
     .specs = dropout_specs,
     .settle = dropout_settle,
     .shape = dropout_shape,
     .run = dropout_run,
     .flags = LPI_VIEW,
     .samples =
         "opset 17; input x: float32[2, 3]; weight r: float32[] = {0.5}; y, m "
         "= Dropout(x, r); output y; output m\n---\n"
         "opset 7; input x: float32[2, 3]; y = Dropout(x) {ratio: 0.5}; "
         "output y"},
    {.name = NULL},
};
