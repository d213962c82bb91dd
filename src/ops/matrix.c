/* matrix.c: matrices whole: Det.
 *
 * Gauss elimination with the largest pivot of a column: n^3 / 3 multiplies and
 * as many adds.  Source: ONNX operator Det-22. */
#include <math.h>

#include "ops.h"

static lp_status det_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t same;

    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    if (x.rank < 2)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    LP_TRY(lpi_dim_same(node, "sides of a square matrix", x.dims[x.rank - 1],
                        x.dims[x.rank - 2], &same));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank - 2, x.dims);
}

static void det_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t n = x.dims[x.rank - 1], elements = lpi_in_elements(node, 0);

    lpi_cost_arith(cost, LP_MUL, lpi_mul(elements, n) / 3);
    lpi_cost_arith(cost, LP_ADD, lpi_mul(elements, n) / 3);
    lpi_cost_arith(cost, LP_DIV, elements / 2);
}

/* The determinant of the "n" x "n" matrix "m", which is overwritten. */
static double determinant(double *m, int64_t n)
{
    double result = 1;

    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;

        for (int64_t i = k + 1; i < n; i++)
            if (fabs(m[i * n + k]) > fabs(m[pivot * n + k]))
                pivot = i;
        if (m[pivot * n + k] == 0)
            return 0;
        for (int64_t j = k; pivot != k && j < n; j++) {
            double swap = m[k * n + j];

            m[k * n + j] = m[pivot * n + j];
            m[pivot * n + j] = swap;
        }
        result *= pivot == k ? m[k * n + k] : -m[k * n + k];
        for (int64_t i = k + 1; i < n; i++) {
            double factor = m[i * n + k] / m[k * n + k];

            for (int64_t j = k; j < n; j++)
                m[i * n + j] -= factor * m[k * n + j];
        }
    }
    return result;
}

static lp_status det_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t n = x.dims[x.rank - 1];
    const double *from;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i++)
        to[i] = determinant((double *)from + i * n * n, n);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

const lp_op lpi_ops_matrix[] = {
    {.domain = "",
     .name = "Det",
     .since = 11,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .shape = det_shape,
     .cost = det_cost,
     .run = det_run,
     .samples = "opset 17; input x: float32[2, 3, 3]; y = Det(x); output y"},
    {.name = NULL},
};
