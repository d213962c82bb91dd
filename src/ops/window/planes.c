/* planes.c: runs of pooling over whole planes.
 *
 * Planes are reduced by the lanes of kernel.h. */
#include <math.h>

#include "../ops.h"

/* Reduce each plane of input 0 into "*ret_to". */
static lp_status reduce_planes(const lpi_run *run, lpi_reducer what,
                               float **ret_to)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_reduction reduction = {.outer = lpi_dims_product(x, 0, 2),
                               .count = lpi_dims_product(x, 2, x.rank),
                               .inner = 1};
    lpi_team team = lpi_run_team(run);

    LP_TRY(lpi_run_floats(run, 0, &reduction.from));
    LP_TRY(lpi_run_result(run, 0, ret_to));
    reduction.to = *ret_to;
    lpi_reduction_run(&team, what, &reduction);
    return LP_OK;
}

lp_status lpi_global_max_run(const lpi_run *run)
{
    float *to = NULL;

    LP_TRY(reduce_planes(run, LPI_REDUCE_MAX, &to));
    lpi_run_store(run, 0, to);
    return LP_OK;
}

lp_status lpi_global_mean_run(const lpi_run *run)
{
    int64_t out = lpi_out_elements(run->node, 0);
    float *to = NULL, count;

    LP_TRY(reduce_planes(run, LPI_REDUCE_SUM, &to));
    count = out > 0 ? (float)(lpi_in_elements(run->node, 0) / out) : 1;
    for (int64_t i = 0; i < out; i++)
        to[i] /= count;
    lpi_run_store(run, 0, to);
    return LP_OK;
}

lp_status lpi_global_norm_run(const lpi_run *run)
{
    const lpi_pool *p = run->node->params;
    int64_t out = lpi_out_elements(run->node, 0);
    float *to = NULL;

    if (p->p > 2)
        return lpi_fail(run->node->error, LP_EUNSUPPORTED,
                        run->node->layer->name, "p is %lld", (long long)p->p);
    LP_TRY(reduce_planes(
        run, p->p == 1 ? LPI_REDUCE_SUM_ABS : LPI_REDUCE_SUM_SQUARES, &to));
    for (int64_t i = 0; i < out; i++)
        to[i] = p->p == 1 ? to[i] : sqrtf(to[i]);
    lpi_run_store(run, 0, to);
    return LP_OK;
}

lp_status lpi_global_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params)
{
    (void)params;
    in[0] = lpi_box_whole(node, 0);
    for (int32_t i = 0; i < 2; i++) {
        in[0].from[i] = out->from[i];
        in[0].to[i] = out->to[i];
    }
    return LP_OK;
}
