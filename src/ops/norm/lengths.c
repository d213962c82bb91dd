/* lengths.c: runs of normalizations by other sums: LRN, LpNormalization,
 * MeanVarianceNormalization.
 *
 * Sums are ascending chains or the lanes of kernel.h, of floats (LRN,
 * LpNormalization) or doubles.  Sources: norm.c. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* y = x / (bias + alpha / size * sum of the squares of neighbouring
 * channels)^beta. */
lp_status lpi_norm_local_run(const lpi_run *run)
{
    const lpi_norm_params *p = run->node->params;
    const lpi_isa *isa = lpi_run_team(run).isa;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t channels = x.dims[1], plane = lpi_dims_product(x, 2, x.rank);
    float *sum = LPI_NEW(run->scratch, float, plane), *to = NULL;
    float factor = p->alpha / (float)p->size, exponent = p->beta;
    const float *from;

    LP_TRY(lpi_run_floats(run, 0, &from));
    LP_TRY(lpi_run_result(run, 0, &to));
    if (sum == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < x.dims[0] * channels; i++) {
        int64_t c = i % channels, first = c - (p->size - 1) / 2;
        int64_t last = c + p->size / 2;

        memset(sum, 0, (size_t)plane * sizeof(*sum));
        for (int64_t k = first < 0 ? 0 : first; k <= last && k < channels; k++)
            isa->take[LPI_REDUCE_SUM_SQUARES](plane, from + (i - c + k) * plane,
                                              sum);
        isa->affine(plane, sum, factor, p->bias, sum);
        isa->binary[LPI_BINARY_POW](plane, sum, 1, &exponent, 0, sum);
        isa->binary[LPI_BINARY_DIV](plane, from + i * plane, 1, sum, 1,
                                    to + i * plane);
    }
    lpi_run_store(run, 0, to);
    return LP_OK;
}

/* Divide by the sum of absolute values, or the root of the sum of squares,
 * along the axis; 0 where that is 0. */
lp_status lpi_norm_length_run(const lpi_run *run)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_team team = lpi_run_team(run);
    lpi_reduction r = {.count = 0};
    float *to = NULL;
    int64_t axis = 0;

    lpi_axis(p->axis, x.rank, &axis);
    r.outer = lpi_dims_product(x, 0, axis);
    r.count = x.dims[axis];
    r.inner = lpi_dims_product(x, axis + 1, x.rank);
    r.to = LPI_NEW(run->scratch, float, r.outer *r.inner);
    if (r.to == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_floats(run, 0, &r.from));
    LP_TRY(lpi_run_result(run, 0, &to));
    lpi_reduction_run(
        &team, p->p == 1 ? LPI_REDUCE_SUM_ABS : LPI_REDUCE_SUM_SQUARES, &r);
    for (int64_t i = 0; i < r.outer * r.count * r.inner; i++) {
        float sum = r.to[i / (r.count * r.inner) * r.inner + i % r.inner];

        sum = p->p == 1 ? sum : sqrtf(sum);
        to[i] = sum > 0 ? r.from[i] / sum : 0;
    }
    lpi_run_store(run, 0, to);
    return LP_OK;
}

/* The axes that are not reduced, as strides of the groups. */
static lp_status group_strides(const lpi_run *run, int64_t *strides,
                               int64_t *ret_groups)
{
    static const int64_t usual[3] = {0, 2, 3};
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_list axes = p->axes;
    bool *mask = LPI_NEW(run->scratch, bool, x.rank);
    int64_t groups = 1;

    if (mask == NULL)
        return lpi_node_fail_memory(run->node);
    if (axes.count == 0)
        axes = (lpi_list){.count = x.rank < 4 ? x.rank - 1 : 3, .ints = usual};
    LP_TRY(lpi_axes_mask(run->node, &axes, x.rank, mask));
    for (int32_t i = x.rank - 1; i >= 0; i--) {
        strides[i] = mask[i] ? 0 : groups;
        groups = mask[i] ? groups : lpi_mul(groups, x.dims[i]);
    }
    *ret_groups = groups;
    return LP_OK;
}

/* (x - mean) / (sqrt(mean of x^2 - mean^2) + 1e-9), as the operator's function
 * body says. */
lp_status lpi_norm_variance_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t *own = LPI_NEW(run->scratch, int64_t, x.rank), groups = 1;
    int64_t *to_group = LPI_NEW(run->scratch, int64_t, x.rank);
    const int64_t *strides[] = {own, to_group};
    const float *from;
    float *to = NULL;
    double *sums, count;
    lpi_walk walk;

    if (own == NULL || to_group == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_floats(run, 0, &from));
    LP_TRY(lpi_run_result(run, 0, &to));
    lpi_strides(x.rank, x.dims, own);
    LP_TRY(group_strides(run, to_group, &groups));
    sums = LPI_NEW(run->scratch, double, 2 * groups);
    if (sums == NULL)
        return lpi_node_fail_memory(run->node);
    count = (double)lpi_shape_elements(x) / (double)(groups ? groups : 1);
    for (int32_t pass = 0; pass < 2; pass++) {
        bool more = lpi_walk_start(&walk, x.rank, x.dims, 2, strides);

        for (; more; more = lpi_walk_next(&walk))
            for (int64_t i = 0; i < walk.length; i++) {
                int64_t at = walk.at[0] + i * walk.step[0];
                double *sum = sums + 2 * (walk.at[1] + i * walk.step[1]);
                double v = (double)from[at];

                if (pass == 0) {
                    sum[0] += v;
                    sum[1] += v * v;
                    continue;
                }
                to[at] = (float)((v - sum[0]) / sum[1]);
            }
        for (int64_t g = 0; g < groups && pass == 0; g++) {
            double mean = sums[2 * g] / count;
            double variance = sums[2 * g + 1] / count - mean * mean;

            sums[2 * g] = mean;
            sums[2 * g + 1] = sqrt(variance > 0 ? variance : 0) + 1e-9;
        }
    }
    lpi_run_store(run, 0, to);
    return LP_OK;
}
