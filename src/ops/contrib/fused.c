/* fused.c: activations of com.microsoft, with the bias or the gate that they
 * fuse.
 *
 * Each is the activation of its sum, element by element; prices follow
 * activation.c, an add for the bias.  Source: onnxruntime, contributed
 * operators. */
#include <math.h>

#include "../ops.h"

enum { BLOCK = 512 };

typedef struct fused {
    lpi_curve curve;
    int64_t has_bias; /* set when settled */
} fused;

static const lpi_spec quick_specs[] = {
    LPI_SPEC_FLOAT(lpi_curve, alpha, 1.702f),
    {.name = NULL},
};

static lp_status fused_settle(lpi_node *node)
{
    ((fused *)node->params)->has_bias = lpi_in(node, 1) != NULL;
    return LP_OK;
}

/* Operand 0, plus the bias when there is one. */
static double biased(const double *x, const void *params)
{
    return ((const fused *)params)->has_bias ? x[0] + x[1] : x[0];
}

static double real_gelu(const double *x, const void *params)
{
    double v = biased(x, params);

    return v / 2 * (1 + erf(v / sqrt(2)));
}

static double real_tanh(const double *x, const void *params)
{
    double v = biased(x, params);

    return v / 2 * (1 + tanh(sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
}

static double real_quick(const double *x, const void *params)
{
    return *x / (1 + exp((double)-((const lpi_curve *)params)->alpha * *x));
}

/* "unary" of operand 0 plus the bias. */
static void apply(const lpi_isa *isa, int64_t count, const float *const *x,
                  const int64_t *step, lpi_unary unary, float *to)
{
    isa->binary[LPI_BINARY_ADD](count, x[0], step[0], x[1], step[1], to);
    isa->unary[unary](count, to, to);
}

static void plain(const lpi_isa *isa, int64_t count, const float *x,
                  int64_t step, lpi_unary unary, float *to)
{
    if (step == 1) {
        isa->unary[unary](count, x, to);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        isa->unary[unary](1, x, to + i);
}

static void floats_gelu(const lpi_isa *isa, int64_t count,
                        const float *const *x, const int64_t *step, float *to,
                        const void *params)
{
    if (((const fused *)params)->has_bias)
        apply(isa, count, x, step, LPI_UNARY_GELU, to);
    else
        plain(isa, count, x[0], step[0], LPI_UNARY_GELU, to);
}

static void floats_tanh(const lpi_isa *isa, int64_t count,
                        const float *const *x, const int64_t *step, float *to,
                        const void *params)
{
    if (((const fused *)params)->has_bias)
        apply(isa, count, x, step, LPI_UNARY_GELU_TANH, to);
    else
        plain(isa, count, x[0], step[0], LPI_UNARY_GELU_TANH, to);
}

static void floats_sum(const lpi_isa *isa, int64_t count, const float *const *x,
                       const int64_t *step, float *to, const void *params)
{
    (void)params;
    isa->binary[LPI_BINARY_ADD](count, x[0], step[0], x[1], step[1], to);
    isa->binary[LPI_BINARY_ADD](count, to, 1, x[2], step[2], to);
}

static double real_sum(const double *x, const void *params)
{
    (void)params;
    return x[0] + x[1] + x[2];
}

#define FACTS(...)                                                             \
    .facts = &(const lpi_pointwise)                                            \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define EACH(...) .each = {{__VA_ARGS__}}

/* An add for the bias. */
static void fused_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_pointwise_cost(node, cost);
    if (lpi_in(node, 1) != NULL)
        lpi_cost_arith(cost, LP_ADD, lpi_out_elements(node, 0));
}

/* ---- BiasSplitGelu: half of the last axis, the other half gates it ------- */

static lp_status split_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t *dims;

    if (x.rank < 1)
        return lpi_out_as(node, 0, 0);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < x.rank; i++)
        dims[i] = x.dims[i];
    if (dims[x.rank - 1] >= 0)
        dims[x.rank - 1] /= 2;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

static void split_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each gate = {{[LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 4}};

    lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 0));
    lpi_cost_each(cost, &gate, lpi_out_elements(node, 0));
}

static lp_status split_run(const lpi_run *run)
{
    const lpi_isa *isa = lpi_run_team(run).isa;
    lp_shape y = lpi_out_shape(run->node, 0);
    int64_t half = y.rank > 0 ? y.dims[y.rank - 1] : 0, some;
    const float *x, *bias;
    float gate[BLOCK], *to;

    LP_TRY(lpi_run_wants(run, 1, 2 * half));
    LP_TRY(lpi_run_floats(run, 0, &x));
    LP_TRY(lpi_run_floats(run, 1, &bias));
    LP_TRY(lpi_run_result(run, 0, &to));
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i += some) {
        int64_t at = i % half;
        const float *row = x + i / half * 2 * half + at;

        some = half - at < BLOCK ? half - at : BLOCK;
        isa->binary[LPI_BINARY_ADD](some, row + half, 1, bias + half + at, 1,
                                    gate);
        isa->unary[LPI_UNARY_GELU](some, gate, gate);
        isa->binary[LPI_BINARY_ADD](some, row, 1, bias + at, 1, to + i);
        isa->binary[LPI_BINARY_MUL](some, to + i, 1, gate, 1, to + i);
    }
    lpi_run_store(run, 0, to);
    return LP_OK;
}

#define FUSED(name_, least, most)                                              \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = least, \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1,                    \
    .params_size = sizeof(fused)

#define POINTWISE(name_, least, most)                                          \
    FUSED(name_, least, most), .settle = fused_settle,                         \
                               .shape = lpi_pointwise_shape,                   \
                               .cost = fused_cost, .run = lpi_pointwise_run,   \
                               .tile = lpi_pointwise_tile

#define CONTRIB "opset 17; opset com.microsoft 1; "

const lp_op lpi_ops_fused[] = {
    {POINTWISE("Gelu", 1, 1),
     FACTS(.real = real_gelu, .floats = floats_gelu,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 3)),
     .samples = CONTRIB "input x: float32[2, 3]; y = com.microsoft.Gelu(x); "
                        "output y"},
    {POINTWISE("BiasGelu", 2, 2), .operands = "T*h,Th",
     FACTS(.real = real_gelu, .floats = floats_gelu,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_MUL] = 3)),
     .samples = CONTRIB "input x: float32[2, 3]; weight b: float32[3]; y = "
                        "com.microsoft.BiasGelu(x, b); output y"},
    {POINTWISE("FastGelu", 1, 2), .operands = "T*h,Th",
     FACTS(.real = real_tanh, .floats = floats_tanh, .optional = true,
           EACH([LP_EXP] = 1, [LP_ADD] = 2, [LP_MUL] = 6)),
     .samples = CONTRIB
     "input x: float32[2, 3]; weight b: float32[3]; y = "
     "com.microsoft.FastGelu(x, b); output y\n---\n" CONTRIB
     "input x: float32[2, 3]; y = com.microsoft.FastGelu(x); output y"},
    {POINTWISE("QuickGelu", 1, 1), .specs = quick_specs,
     FACTS(.real = real_quick, .floats = lpi_floats_swish,
           EACH([LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1, [LP_MUL] = 2)),
     .samples = CONTRIB "input x: float32[2, 3]; y = "
                        "com.microsoft.QuickGelu(x) {alpha: 1.5}; output y"},
    {POINTWISE("BiasAdd", 3, 3), .operands = "T*h,Th,T=",
     FACTS(.real = real_sum, .floats = floats_sum, EACH([LP_ADD] = 1)),
     .samples = CONTRIB
     "input x: float16[2, 3, 8]; weight b: float16[8]; input s: float16[2, "
     "3, 8]; y = com.microsoft.BiasAdd(x, b, s); output y"},
    {FUSED("BiasSplitGelu", 2, 2), .operands = "T*h,Th", .shape = split_shape,
     .cost = split_cost, .run = split_run,
     .samples = CONTRIB "input x: float16[2, 3, 8]; weight b: float16[8]; y = "
                        "com.microsoft.BiasSplitGelu(x, b); output y"},
    {.name = NULL},
};
