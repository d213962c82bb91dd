/* activate.c: activations that other operators of com.microsoft fuse, by name.
 *
 * Source: onnxruntime, contributed operators FusedConv, FusedGemm. */
#include <string.h>

#include "../ops.h"

typedef void (*floats_fn)(const lpi_isa *isa, int64_t count,
                          const float *const *x, const int64_t *step, float *to,
                          const void *params);

/* "unary" and 1, or "floats". */
static const struct {
    const char *name;
    int32_t unary;
    floats_fn floats;
} activations[] = {
    {"Relu", LPI_UNARY_RELU + 1, NULL},
    {"Tanh", LPI_UNARY_TANH + 1, NULL},
    {"Sigmoid", LPI_UNARY_SIGMOID + 1, NULL},
    {"Softplus", LPI_UNARY_SOFTPLUS + 1, NULL},
    {"LeakyRelu", 0, lpi_floats_leaky},
    {"HardSigmoid", 0, lpi_floats_hard_sigmoid},
    {"ThresholdedRelu", 0, lpi_floats_thresholded},
    {"Softsign", 0, lpi_floats_softsign},
    {"Clip", 0, lpi_floats_clip},
    {"Elu", 0, lpi_floats_elu},
};

lp_status lpi_activate(const lpi_run *run, const char *name, const float of[2],
                       int64_t count, float *y)
{
    lpi_team team = lpi_run_team(run);
    const float *const x[3] = {y, &of[0], &of[1]};
    const int64_t step[3] = {1, 0, 0};
    const lpi_curve curve = {.alpha = of[0], .beta = of[1]};

    if (name == NULL || name[0] == '\0')
        return LP_OK;
    for (int32_t i = 0; i < LPI_COUNT(activations); i++) {
        if (strcmp(name, activations[i].name) != 0)
            continue;
        if (activations[i].unary > 0)
            lpi_unary_run(&team, (lpi_unary)(activations[i].unary - 1), count,
                          y, y);
        else
            activations[i].floats(team.isa, count, x, step, y, &curve);
        return LP_OK;
    }
    return lpi_fail(run->node->error, LP_EUNSUPPORTED, run->node->layer->name,
                    "activation '%.40s' cannot be computed", name);
}
