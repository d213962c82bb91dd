/* loss.c: losses of classifications: NegativeLogLikelihoodLoss and
 * SoftmaxCrossEntropyLoss.
 *
 * Scores are [N, C, d...], targets [N, d...].  A target that is
 * "ignore_index" counts nothing; the mean is taken over the weights of the
 * targets that count.  Of the log-likelihoods only those of the targets are
 * read.  Sources: ONNX operators NegativeLogLikelihoodLoss-28,
 * SoftmaxCrossEntropyLoss-13. */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef struct loss_params {
    const char *reduction;
    int64_t ignore_index;
    bool ignores; /* the attribute is there */
} loss_params;

static const lpi_spec loss_specs[] = {
    LPI_SPEC_STRING(loss_params, reduction, "mean"),
    LPI_SPEC_INT(loss_params, ignore_index, 0),
    {.name = NULL},
};

/* The row takes scores, not their logarithms. */
static const bool takes_scores = true;

static lp_status loss_settle(lpi_node *node)
{
    loss_params *params = (loss_params *)node->params;

    params->ignores = lpi_node_attr(node, "ignore_index") != NULL;
    if (strcmp(params->reduction, "none") != 0 &&
        strcmp(params->reduction, "sum") != 0 &&
        strcmp(params->reduction, "mean") != 0)
        return lpi_node_fail(node, "reduction is '%.40s'", params->reduction);
    return LP_OK;
}

static lp_status loss_shape(lpi_node *node)
{
    const loss_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), target = lpi_in_shape(node, 1);
    lp_dtype type = lpi_in_dtype(node, 0);
    int64_t same;

    LP_TRY(lpi_out_set_shape(node, 1, type, x));
    if (x.rank >= 0 && target.rank >= 0) {
        if (x.rank < 2 || target.rank != x.rank - 1)
            return lpi_node_fail(node, "scores of rank %d, targets of rank %d",
                                 x.rank, target.rank);
        for (int32_t i = 0; i < target.rank; i++)
            LP_TRY(lpi_dim_same(node, "scores and targets", x.dims[i + (i > 0)],
                                target.dims[i], &same));
    }
    if (lpi_in(node, 2) != NULL && lpi_in_shape(node, 2).rank == 1 &&
        x.rank > 1)
        LP_TRY(lpi_dim_same(node, "weights and classes",
                            lpi_in_shape(node, 2).dims[0], x.dims[1], &same));
    if (strcmp(params->reduction, "none") == 0)
        return lpi_out_set_shape(node, 0, type, target);
    return lpi_out_set(node, 0, type, 0, NULL);
}

/* A softmax and its logarithm where the row takes scores; then a sign, a
 * weight and a sum a target. */
static void loss_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each element = {
        {[LP_CMP] = 1, [LP_ADD] = 3, [LP_EXP] = 1}};
    const loss_params *params = node->params;
    int64_t targets = lpi_in_elements(node, 1);
    int64_t scores = lpi_in_elements(node, 0);

    if (node->layer->row->facts != NULL) {
        lpi_cost_each(cost, &element, scores);
        lpi_cost_arith(cost, LP_LOG, targets);
    } else {
        lpi_cost_part(node, cost, 0, targets);
    }
    lpi_cost_arith(cost, LP_ADD, targets);
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_MUL, targets);
    if (strcmp(params->reduction, "none") != 0)
        lpi_cost_arith(cost, LP_ADD, targets);
    if (strcmp(params->reduction, "mean") == 0)
        lpi_cost_arith(cost, LP_DIV, 1);
}

/* The logarithm of the softmax along the middle axis of "dims", in place. */
static void log_softmax(const int64_t dims[3], double *x)
{
    for (int64_t i = 0; i < dims[0] * dims[2]; i++) {
        double *at = x + i / dims[2] * dims[1] * dims[2] + i % dims[2];
        double most = -INFINITY, sum = 0;

        for (int64_t k = 0; k < dims[1]; k++)
            most = fmax(most, at[k * dims[2]]);
        for (int64_t k = 0; k < dims[1]; k++)
            sum += exp(at[k * dims[2]] - most);
        for (int64_t k = 0; k < dims[1]; k++)
            at[k * dims[2]] -= most + log(sum);
    }
}

/* The losses of the targets into "losses"; "*ret_weight" is what they weigh
 * together. */
static lp_status lose(const lpi_run *run, const int64_t dims[3],
                      const double *x, double *losses, double *ret_weight)
{
    const loss_params *params = run->node->params;
    const double *weights;
    lpi_list targets;

    *ret_weight = 0;
    LP_TRY(lpi_run_wants(run, 2, dims[1]));
    LP_TRY(lpi_run_ints(run, 1, &targets));
    LP_TRY(lpi_run_reals(run, 2, &weights));
    for (int64_t i = 0; i < targets.count; i++) {
        int64_t target = targets.ints[i];
        double weight;

        losses[i] = 0;
        if (params->ignores && target == params->ignore_index)
            continue;
        LP_TRY(lpi_index(run->node, target, dims[1], &target));
        weight = weights != NULL ? weights[target] : 1;
        losses[i] = -weight *
                    x[(i / dims[2] * dims[1] + target) * dims[2] + i % dims[2]];
        *ret_weight += weight;
    }
    return LP_OK;
}

static lp_status loss_run(const lpi_run *run)
{
    const loss_params *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t targets = lpi_in_elements(run->node, 1);
    const int64_t dims[3] = {x.dims[0], x.dims[1],
                             lpi_dims_product(x, 2, x.rank)};
    double *losses = LPI_NEW(run->scratch, double, targets);
    double weight, sum = 0;
    const double *scores;

    if (losses == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_reals(run, 0, &scores));
    if (run->node->layer->row->facts != NULL) {
        log_softmax(dims, (double *)scores);
        lpi_run_keep(run, 1, scores);
    }
    LP_TRY(lose(run, dims, scores, losses, &weight));
    if (strcmp(params->reduction, "none") == 0) {
        lpi_run_keep(run, 0, losses);
        return LP_OK;
    }
    for (int64_t i = 0; i < targets; i++)
        sum += losses[i];
    if (strcmp(params->reduction, "mean") == 0)
        sum /= weight;
    lpi_run_keep(run, 0, &sum);
    return LP_OK;
}

#define LOSS(name_, since_, outputs, facts_)                                   \
    .domain = "", .name = name_, .since = since_, .inputs_min = 2,             \
    .inputs_max = 3, .outputs_min = 1, .outputs_max = outputs, .roles = "did", \
    .params_size = sizeof(loss_params), .specs = loss_specs, .facts = facts_,  \
    .settle = loss_settle, .shape = loss_shape, .cost = loss_cost,             \
    .run = loss_run

const lp_op lpi_ops_loss[] = {
    {LOSS("NegativeLogLikelihoodLoss", 12, 1, NULL), .operands = "Tnc*,In*,Tc",
     .samples = "opset 17; input x: float32[3, 5, 2]; input t: int64[3, 2]; y "
                "= NegativeLogLikelihoodLoss(x, t) {reduction: \"none\"}; "
                "output y"},
    {LOSS("SoftmaxCrossEntropyLoss", 12, 2, &takes_scores),
     .operands = "Tnc*,In*,Tc",
     .samples = "opset 17; input x: float32[3, 5]; input t: int64[3]; weight "
                "w: float32[5]; y, l = SoftmaxCrossEntropyLoss(x, t, w) "
                "{ignore_index: 1}; output y; output l"},
    {.name = NULL},
};
