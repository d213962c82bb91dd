/* activation.c: activation functions.
 *
 * Prices of an element follow the formula in the operator's definition, the
 * sign of an argument is free:
 *
 *   Relu, ThresholdedRelu      cmp                  x or 0
 *   LeakyRelu, PRelu           cmp mul              x or slope x
 *   Elu                        cmp exp add mul      alpha (exp(x) - 1)
 *   Selu                       cmp exp add 2 mul    gamma Elu
 *   Celu                       cmp div exp add mul  alpha (exp(x/alpha) - 1)
 *   Sigmoid                    exp add div          1 / (1 + exp(-x))
 *   Swish                      exp add div 2 mul    x Sigmoid(alpha x)
 *   SwiGLU                     exp add div 3 mul    Swish(a) b
 *   HardSigmoid                2 cmp add mul        clamp(alpha x + beta)
 *   HardSwish                  2 cmp add 2 mul      x HardSigmoid(x)
 *   Softplus                   exp add log          log(exp(x) + 1)
 *   Softsign                   2 add div            x / (1 + |x|)
 *   Mish                       2 exp add log mul    x tanh(Softplus(x))
 *   Gelu                       exp add 3 mul        x/2 (1 + erf(x/sqrt 2))
 *   Gelu, approximate tanh     exp 2 add 6 mul
 *   Shrink                     2 cmp add
 *
 * Source: ONNX operators, newest versions. */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef lpi_curve curve; /* of all rows but Gelu */

static double real_relu(const double *x, const void *params)
{
    (void)params;
    return *x < 0 ? 0 : *x;
}

static int64_t sint_relu(const int64_t *x, const void *params)
{
    (void)params;
    return *x < 0 ? 0 : *x;
}

static double real_leaky(const double *x, const void *params)
{
    return *x < 0 ? (double)((const curve *)params)->alpha * *x : *x;
}

static double real_prelu(const double *x, const void *params)
{
    (void)params;
    return x[0] < 0 ? x[1] * x[0] : x[0];
}

static int64_t sint_prelu(const int64_t *x, const void *params)
{
    (void)params;
    return x[0] < 0 ? (int64_t)((uint64_t)x[1] * (uint64_t)x[0]) : x[0];
}

static uint64_t uint_prelu(const uint64_t *x, const void *params)
{
    (void)params;
    return x[0];
}

static double real_thresholded(const double *x, const void *params)
{
    return *x <= (double)((const curve *)params)->alpha ? 0 : *x;
}

static double real_elu(const double *x, const void *params)
{
    return *x < 0 ? (double)((const curve *)params)->alpha * expm1(*x) : *x;
}

static double real_selu(const double *x, const void *params)
{
    return (double)((const curve *)params)->gamma * real_elu(x, params);
}

static double real_celu(const double *x, const void *params)
{
    double alpha = (double)((const curve *)params)->alpha;

    return *x < 0 ? alpha * expm1(*x / alpha) : *x;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double real_swish(const double *x, const void *params)
{
    return *x * sigmoid((double)((const curve *)params)->alpha * *x);
}

static double real_swiglu(const double *x, const void *params)
{
    return real_swish(x, params) * x[1];
}

/* "x" kept within 0 and 1, NaN as it is. */
static double unit(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double real_hard_sigmoid(const double *x, const void *params)
{
    const curve *p = params;

    return unit((double)p->alpha * *x + (double)p->beta);
}

static double real_hard_swish(const double *x, const void *params)
{
    (void)params;
    return *x * unit(*x / 6 + 0.5);
}

/* log(exp(x) + 1) without overflow. */
static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double real_softsign(const double *x, const void *params)
{
    (void)params;
    return *x / (1 + fabs(*x));
}

static double real_mish(const double *x, const void *params)
{
    (void)params;
    return *x * tanh(softplus(*x));
}

static double real_shrink(const double *x, const void *params)
{
    const curve *p = params;
    double lambd = (double)p->lambd, bias = (double)p->bias;

    return *x < -lambd ? *x + bias : *x > lambd ? *x - bias : 0;
}

static int64_t sint_shrink(const int64_t *x, const void *params)
{
    double value = (double)*x;

    return (int64_t)real_shrink(&value, params);
}

static uint64_t uint_shrink(const uint64_t *x, const void *params)
{
    double value = (double)*x;

    return (uint64_t)real_shrink(&value, params);
}

typedef struct gelu {
    const char *approximate;
    bool tanh; /* set by settle */
} gelu;

static const lpi_each gelu_tanh = {{[LP_EXP] = 1, [LP_ADD] = 2, [LP_MUL] = 6}};

static lp_status gelu_settle(lpi_node *node)
{
    gelu *p = (gelu *)node->params;

    p->tanh = strcmp(p->approximate, "tanh") == 0;
    if (!p->tanh && strcmp(p->approximate, "none") != 0)
        return lpi_node_fail(node, "approximate is '%.40s'", p->approximate);
    return LP_OK;
}

static void gelu_cost(const lpi_node *node, lp_cost *cost)
{
    if (((const gelu *)node->params)->tanh)
        lpi_cost_each(cost, &gelu_tanh, lpi_out_elements(node, 0));
    else
        lpi_pointwise_cost(node, cost);
}

static double real_gelu(const double *x, const void *params)
{
    static const double root_half = 0.70710678118654752440;
    static const double root_two_over_pi = 0.79788456080286535588;
    double inner;

    if (((const gelu *)params)->tanh)
        inner = tanh(root_two_over_pi * (*x + 0.044715 * *x * *x * *x));
    else
        inner = erf(*x * root_half);
    return 0.5 * *x * (1 + inner);
}

static void floats_gelu(const lpi_isa *isa, int64_t count,
                        const float *const *x, const int64_t *step, float *to,
                        const void *params)
{
    lpi_unary what = ((const gelu *)params)->tanh ? LPI_UNARY_GELU_TANH
                                                  : LPI_UNARY_GELU;

    for (int64_t i = 0; i < count && step[0] == 0; i++)
        isa->unary[what](1, x[0], to + i);
    if (step[0] == 1)
        isa->unary[what](count, x[0], to);
}

/* Before opset 7 a slope of rank 1 is one of each channel; since then it
 * broadcasts. */
static lp_status prelu_settle(lpi_node *node)
{
    curve *p = (curve *)node->params;

    p->align.axis = node->layer->version < 7 ? 1 : LPI_UNALIGNED;
    return LP_OK;
}

/* A scalar has no channels. */
static lp_status prelu_shape(lpi_node *node)
{
    curve *p = (curve *)node->params;

    if (lpi_in_shape(node, 0).rank == 0)
        p->align.axis = LPI_UNALIGNED;
    return lpi_pointwise_shape(node);
}

static const lpi_spec alpha_001[] = {LPI_SPEC_FLOAT(curve, alpha, 0.01f), {0}};
static const lpi_spec alpha_1[] = {LPI_SPEC_FLOAT(curve, alpha, 1.0f), {0}};
static const lpi_spec selu_specs[] = {
    LPI_SPEC_FLOAT(curve, alpha, 1.67326319217681884765625f),
    LPI_SPEC_FLOAT(curve, gamma, 1.05070102214813232421875f),
    {0},
};
static const lpi_spec hard_sigmoid_specs[] = {
    LPI_SPEC_FLOAT(curve, alpha, 0.2f),
    LPI_SPEC_FLOAT(curve, beta, 0.5f),
    {0},
};
static const lpi_spec shrink_specs[] = {
    LPI_SPEC_FLOAT(curve, bias, 0.0f),
    LPI_SPEC_FLOAT(curve, lambd, 0.5f),
    {0},
};
static const lpi_spec gelu_specs[] = {
    LPI_SPEC_STRING(gelu, approximate, "none"),
    {0},
};

/* Selu-1 rounded its defaults more. */
static lp_status selu_settle(lpi_node *node)
{
    curve *p = (curve *)node->params;

    if (node->layer->version >= 6)
        return LP_OK;
    if (!lpi_node_attr(node, "alpha"))
        p->alpha = 1.6732f;
    if (!lpi_node_attr(node, "gamma"))
        p->gamma = 1.0507f;
    return LP_OK;
}

static double real_sigmoid(const double *x, const void *params)
{
    (void)params;
    return sigmoid(*x);
}

#define EACH(...) .each = {{__VA_ARGS__}}
#define FACTS(...)                                                             \
    .facts = &(const lpi_pointwise)                                            \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

/* What all rows have; "count" operands. */
#define ROW(op, opset, count)                                                  \
    .domain = "", .name = op, .since = (opset), .inputs_min = (count),         \
    .inputs_max = (count), .outputs_min = 1, .outputs_max = 1,                 \
    .shape = lpi_pointwise_shape, .cost = lpi_pointwise_cost,                  \
    .run = lpi_pointwise_run, .tile = lpi_pointwise_tile

#define WITH(list) .params_size = sizeof(curve), .specs = (list)

#define SAMPLE(op, attrs)                                                      \
    .samples = "input x: float32[2, 3]; y = " op "(x)" attrs "; output y"

const lp_op lpi_ops_activation[] = {
    {ROW("Relu", 1, 1),
     FACTS(.real = real_relu, .sint = sint_relu, .unary = 1 + LPI_UNARY_RELU,
           EACH([LP_CMP] = 1)),
     SAMPLE("Relu", "")},
    {ROW("LeakyRelu", 1, 1), WITH(alpha_001),
     FACTS(.real = real_leaky, .floats = lpi_floats_leaky,
           EACH([LP_CMP] = 1, [LP_MUL] = 1)),
     SAMPLE("LeakyRelu", " {alpha: 0.1}")},
    {.domain = "",
     .name = "PRelu",
     .operands = "T*,T*",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "dw",
     .params_size = sizeof(curve),
     FACTS(.real = real_prelu, .floats = lpi_floats_prelu, .sint = sint_prelu,
           .uint = uint_prelu, EACH([LP_CMP] = 1, [LP_MUL] = 1),
           .aligned = true),
     .settle = prelu_settle,
     .shape = prelu_shape,
     .cost = lpi_pointwise_cost,
     .run = lpi_pointwise_run,
     .tile = lpi_pointwise_tile,
     .samples = "input x: float32[2, 3, 4]; weight s: float32[3, 1]; "
                "y = PRelu(x, s); output y\n---\n"
                "opset 6; input x: float32[2, 3, 4]; weight s: float32[3]; "
                "y = PRelu(x, s); output y"},
    {ROW("ThresholdedRelu", 10, 1), WITH(alpha_1),
     FACTS(.real = real_thresholded, .floats = lpi_floats_thresholded,
           EACH([LP_CMP] = 1)),
     SAMPLE("ThresholdedRelu", " {alpha: 2.0}")},
    {ROW("Elu", 1, 1), WITH(alpha_1),
     FACTS(.real = real_elu, .floats = lpi_floats_elu,
           EACH([LP_CMP] = 1, [LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 1)),
     SAMPLE("Elu", "")},
    {ROW("Selu", 1, 1), WITH(selu_specs), .settle = selu_settle,
     FACTS(.real = real_selu, .floats = lpi_floats_selu,
           EACH([LP_CMP] = 1, [LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 2)),
     SAMPLE("Selu", "")},
    {ROW("Celu", 12, 1), WITH(alpha_1),
     FACTS(.real = real_celu, .floats = lpi_floats_celu,
           EACH([LP_CMP] = 1, [LP_DIV] = 1, [LP_EXP] = 1, [LP_ADD] = 1,
                [LP_MUL] = 1)),
     SAMPLE("Celu", " {alpha: 2.0}")},
    {ROW("Sigmoid", 1, 1),
     FACTS(.real = real_sigmoid, .unary = 1 + LPI_UNARY_SIGMOID,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1)),
     SAMPLE("Sigmoid", "")},
    {ROW("Swish", 24, 1), WITH(alpha_1),
     FACTS(.real = real_swish, .floats = lpi_floats_swish,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1, [LP_MUL] = 2)),
     SAMPLE("Swish", "")},
    {ROW("SwiGLU", 28, 2), .operands = "T*,T*", WITH(alpha_1),
     FACTS(.real = real_swiglu, .floats = lpi_floats_swiglu,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1, [LP_MUL] = 3)),
     .samples = "opset 28; input a: float32[2, 3]; input b: float32[2, 3]; "
                "y = SwiGLU(a, b); output y"},
    {ROW("HardSigmoid", 1, 1), WITH(hard_sigmoid_specs),
     FACTS(.real = real_hard_sigmoid, .floats = lpi_floats_hard_sigmoid,
           EACH([LP_CMP] = 2, [LP_ADD] = 1, [LP_MUL] = 1)),
     SAMPLE("HardSigmoid", "")},
    {ROW("HardSwish", 14, 1),
     FACTS(.real = real_hard_swish, .floats = lpi_floats_hard_swish,
           EACH([LP_CMP] = 2, [LP_ADD] = 1, [LP_MUL] = 2)),
     SAMPLE("HardSwish", "")},
    {ROW("Softplus", 1, 1),
     FACTS(.libm = softplus, .unary = 1 + LPI_UNARY_SOFTPLUS,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_LOG] = 1)),
     SAMPLE("Softplus", "")},
    {ROW("Softsign", 1, 1),
     FACTS(.real = real_softsign, .floats = lpi_floats_softsign,
           EACH([LP_ADD] = 2, [LP_DIV] = 1)),
     SAMPLE("Softsign", "")},
    {ROW("Mish", 18, 1),
     FACTS(.real = real_mish, .floats = lpi_floats_mish,
           EACH([LP_EXP] = 2, [LP_ADD] = 1, [LP_LOG] = 1, [LP_MUL] = 1)),
     SAMPLE("Mish", "")},
    {.domain = "",
     .name = "Gelu",
     .since = 20,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(gelu),
     .specs = gelu_specs,
     FACTS(.real = real_gelu, .floats = floats_gelu,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 3)),
     .settle = gelu_settle,
     .shape = lpi_pointwise_shape,
     .cost = gelu_cost,
     .run = lpi_pointwise_run,
     .tile = lpi_pointwise_tile,
     .samples = "input x: float32[4]; y = Gelu(x); output y\n---\n"
                "input x: float32[4]; "
                "y = Gelu(x) {approximate: \"tanh\"}; output y"},
    {ROW("Shrink", 9, 1), WITH(shrink_specs),
     FACTS(.real = real_shrink, .sint = sint_shrink, .uint = uint_shrink,
           EACH([LP_CMP] = 2, [LP_ADD] = 1)),
     SAMPLE("Shrink", " {bias: 1.5, lambd: 1.5}")},
    {0},
};
