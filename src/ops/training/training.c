/* training.c: steps of optimizers: Adagrad, Adam, Momentum.
 *
 * Operands are the rate, the count of steps so far, then n tensors of each
 * kind: weights, gradients and the states.  Every element is computed alone.
 * Sources: ONNX operators Adagrad-1, Adam-1, Momentum-1 of
 * ai.onnx.preview.training. */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef struct step_params {
    float alpha, beta, epsilon, decay_factor;
    float norm_coefficient, norm_coefficient_post;
    const char *mode;
} step_params;

enum { RATE, COUNT, FIRST, KINDS_MOST = 4 };

/* An optimizer: tensors an operand stands for (weight, gradient, states), and
 * one step of an element "x" of each kind at "rate" and "count". */
typedef struct step_facts {
    int32_t kinds;
    lpi_each each;
    void (*step)(const step_params *p, double rate, double count, double *x);
} step_facts;

/* x: weight, gradient, sum of squares. */
static void adagrad(const step_params *p, double rate, double count, double *x)
{
    double g = (double)p->norm_coefficient * x[0] + x[1];

    x[2] += g * g;
    x[0] -= rate / (1 + count * (double)p->decay_factor) * g /
            (sqrt(x[2]) + (double)p->epsilon);
}

/* x: weight, gradient, mean, mean of squares. */
static void adam(const step_params *p, double rate, double count, double *x)
{
    double a = (double)p->alpha, b = (double)p->beta;
    double g = (double)p->norm_coefficient * x[0] + x[1];

    x[2] = a * x[2] + (1 - a) * g;
    x[3] = b * x[3] + (1 - b) * g * g;
    if (count > 0)
        rate *= sqrt(1 - pow(b, count)) / (1 - pow(a, count));
    x[0] -= rate * x[2] / (sqrt(x[3]) + (double)p->epsilon);
    x[0] *= 1 - (double)p->norm_coefficient_post;
}

/* x: weight, gradient, momentum. */
static void momentum(const step_params *p, double rate, double count, double *x)
{
    double a = (double)p->alpha, g = (double)p->norm_coefficient * x[0] + x[1];

    x[2] = a * x[2] + (count > 0 ? (double)p->beta : 1) * g;
    x[0] -= rate * (strcmp(p->mode, "nesterov") ? x[2] : g + a * x[2]);
}

static const step_facts adagrad_facts = {
    .kinds = 3,
    .each = {{[LP_MUL] = 3, [LP_ADD] = 4, [LP_SQRT] = 1, [LP_DIV] = 1}},
    .step = adagrad};
static const step_facts adam_facts = {
    .kinds = 4,
    .each = {{[LP_MUL] = 8, [LP_ADD] = 5, [LP_SQRT] = 1, [LP_DIV] = 1}},
    .step = adam};
static const step_facts momentum_facts = {
    .kinds = 3, .each = {{[LP_MUL] = 4, [LP_ADD] = 3}}, .step = momentum};

static const lpi_spec step_specs[] = {
    LPI_SPEC_FLOAT(step_params, alpha, 0.9F),
    LPI_SPEC_FLOAT(step_params, beta, 0.999F),
    LPI_SPEC_FLOAT(step_params, epsilon, 1e-6F),
    LPI_SPEC_FLOAT(step_params, decay_factor, 0),
    LPI_SPEC_FLOAT(step_params, norm_coefficient, 0),
    LPI_SPEC_FLOAT(step_params, norm_coefficient_post, 0),
    LPI_SPEC_STRING(step_params, mode, "standard"),
    {.name = NULL},
};

/* Tensors of a kind. */
static int32_t tensors_of(const lpi_node *node)
{
    const step_facts *facts = node->layer->row->facts;

    return (node->layer->inputs_count - FIRST) / facts->kinds;
}

/* Results: all kinds but the gradients, as the operands are. */
static lp_status step_shape(lpi_node *node)
{
    const step_facts *facts = node->layer->row->facts;
    int32_t count = tensors_of(node), i;

    if (node->layer->inputs_count != FIRST + count * facts->kinds ||
        node->layer->outputs_count != count * (facts->kinds - 1))
        return lpi_node_fail(node, "%d operands and %d results",
                             node->layer->inputs_count,
                             node->layer->outputs_count);
    for (i = FIRST; i < node->layer->inputs_count; i++)
        if (lpi_in(node, i) == NULL ||
            lpi_in_dtype(node, i) !=
                lpi_in_dtype(node, FIRST + (i - FIRST) % count) ||
            lpi_in_elements(node, i) !=
                lpi_in_elements(node, FIRST + (i - FIRST) % count))
            return lpi_node_fail(node, "operand %d does not fit its weight", i);
    for (i = 0; i < node->layer->outputs_count; i++)
        LP_TRY(lpi_out_as(node, i, FIRST + i + (i >= count ? count : 0)));
    return LP_OK;
}

static void step_cost(const lpi_node *node, lp_cost *cost)
{
    const step_facts *facts = node->layer->row->facts;

    for (int32_t i = 0; i < tensors_of(node); i++)
        lpi_cost_each(cost, &facts->each, lpi_in_elements(node, FIRST + i));
}

/* The step of tensor "t" of "count" at the rate and count of "at". */
static lp_status step_tensor(const lpi_run *run, int32_t t, int32_t count,
                             const double at[2])
{
    const step_facts *facts = run->node->layer->row->facts;
    const double *in[KINDS_MOST];
    double x[KINDS_MOST];
    int32_t k;

    for (k = 0; k < facts->kinds; k++)
        LP_TRY(lpi_run_reals(run, FIRST + t + k * count, &in[k]));
    for (int64_t i = 0; i < lpi_in_elements(run->node, FIRST + t); i++) {
        for (k = 0; k < facts->kinds; k++)
            x[k] = in[k][i];
        facts->step(run->node->params, at[0], at[1], x);
        for (k = 0; k < facts->kinds; k++)
            ((double *)in[k])[i] = x[k];
    }
    for (k = 0; k < facts->kinds; k++)
        if (k != 1)
            lpi_run_keep(run, t + (k > 1 ? k - 1 : 0) * count, in[k]);
    return LP_OK;
}

static lp_status step_run(const lpi_run *run)
{
    int32_t count = tensors_of(run->node);
    const double *rate, *steps;

    LP_TRY(lpi_run_reals(run, RATE, &rate));
    LP_TRY(lpi_run_reals(run, COUNT, &steps));
    if (rate == NULL || steps == NULL || !lpi_in_elements(run->node, RATE) ||
        !lpi_in_elements(run->node, COUNT))
        return lpi_node_fail(run->node, "lacks a rate, or a count of steps");
    const double at[2] = {*rate, *steps};

    for (int32_t t = 0; t < count; t++)
        LP_TRY(step_tensor(run, t, count, at));
    return LP_OK;
}

#define OPTIMIZER(name_, facts_)                                               \
    .domain = "ai.onnx.preview.training", .name = name_, .since = 1,           \
    .inputs_min = 5, .inputs_max = -1, .outputs_min = 2, .outputs_max = -1,    \
    .params_size = sizeof(step_params), .specs = step_specs, .facts = facts_,  \
    .operands = "F!,I!,.*+", .shape = step_shape, .cost = step_cost,           \
    .run = step_run

#define OPERANDS                                                               \
    "opset 17; opset ai.onnx.preview.training 1; input r: float32[]; input "   \
    "t: "                                                                      \
    "int64[]; input x: float32[4]; input g: float32[4]; input v: float32[4]; "

const lp_op lpi_ops_training[] = {
    {OPTIMIZER("Adagrad", &adagrad_facts),
     .samples = OPERANDS "y, w = ai.onnx.preview.training.Adagrad(r, t, x, g, "
                         "v); output y; output w"},
    {OPTIMIZER("Adam", &adam_facts),
     .samples = OPERANDS "input h: float32[4]; y, w, z = "
                         "ai.onnx.preview.training.Adam(r, t, x, g, v, h); "
                         "output y; output w; output z"},
    {OPTIMIZER("Momentum", &momentum_facts),
     .samples = OPERANDS "y, w = ai.onnx.preview.training.Momentum(r, t, x, g, "
                         "v) {mode: \"nesterov\", alpha: 0.9, beta: 1.0}; "
                         "output y; output w"},
    {.name = NULL},
};
