/* matrix.c: matrices whole: Det, and Inverse of com.microsoft.
 *
 * Gauss elimination with the largest pivot of a column: n^3 / 3 multiplies and
 * as many adds for the determinant, n^3 for the inverse.  Sources: ONNX
 * operator Det-22; onnxruntime, contributed operators. */
#include <math.h>

#include "../ops.h"

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

/* Bring the row with the largest pivot of column "k" to row "k" of the "n" rows
 * of "m", "width" wide: "*ret_sign" -1 when rows changed places, 0 when all
 * pivots are. */
static void take_pivot(double *m, int64_t n, int64_t width, int64_t k,
                       int *ret_sign)
{
    int64_t pivot = k;

    for (int64_t i = k + 1; i < n; i++)
        if (fabs(m[i * width + k]) > fabs(m[pivot * width + k]))
            pivot = i;
    *ret_sign = m[pivot * width + k] == 0 ? 0 : pivot == k ? 1 : -1;
    for (int64_t j = 0; pivot != k && j < width; j++) {
        double swap = m[k * width + j];

        m[k * width + j] = m[pivot * width + j];
        m[pivot * width + j] = swap;
    }
}

/* Subtract from row "i" the multiple of row "k" that makes column "k" zero. */
static void clear_column(double *m, int64_t width, int64_t k, int64_t i)
{
    double factor = m[i * width + k] / m[k * width + k];

    for (int64_t j = k; j < width; j++)
        m[i * width + j] -= factor * m[k * width + j];
}

/* The determinant of the "n" x "n" matrix "m", which is overwritten. */
static double determinant(double *m, int64_t n)
{
    double result = 1;

    for (int64_t k = 0; k < n; k++) {
        int sign;

        take_pivot(m, n, n, k, &sign);
        if (sign == 0)
            return 0;
        result *= sign * m[k * n + k];
        for (int64_t i = k + 1; i < n; i++)
            clear_column(m, n, k, i);
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

static lp_status inverse_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t same;

    if (x.rank >= 0 && x.rank < 2)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    if (x.rank >= 2)
        LP_TRY(lpi_dim_same(node, "sides of a square matrix",
                            x.dims[x.rank - 1], x.dims[x.rank - 2], &same));
    return lpi_out_as(node, 0, 0);
}

static void inverse_cost(const lpi_node *node, lp_cost *cost)
{
    lp_shape x = lpi_in_shape(node, 0);
    int64_t n = x.dims[x.rank - 1], elements = lpi_in_elements(node, 0);

    lpi_cost_arith(cost, LP_MUL, lpi_mul(elements, n));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(elements, n));
    lpi_cost_arith(cost, LP_DIV, lpi_mul(elements, 2));
}

/* Store the inverse of the "n" x "n" matrix "m" in "to"; "both" has room for
 * two matrices side by side. */
static lp_status invert(const lpi_run *run, const double *m, int64_t n,
                        double *both, double *to)
{
    int64_t width = 2 * n, i, j, k;
    int sign;

    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            both[i * width + j] = m[i * n + j];
            both[i * width + n + j] = i == j;
        }
    for (k = 0; k < n; k++) {
        take_pivot(both, n, width, k, &sign);
        if (sign == 0)
            return lpi_node_fail(run->node, "a matrix has no inverse");
        for (i = 0; i < n; i++)
            if (i != k)
                clear_column(both, width, k, i);
    }
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            to[i * n + j] = both[i * width + n + j] / both[i * width + i];
    return LP_OK;
}

static lp_status inverse_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t n = x.dims[x.rank - 1];
    double *both = LPI_NEW(run->scratch, double, lpi_mul(2 * n, n));
    const double *from;
    double *to;

    if (both == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_dims_product(x, 0, x.rank - 2); i++)
        LP_TRY(invert(run, from + i * n * n, n, both, to + i * n * n));
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
    {.domain = "com.microsoft",
     .name = "Inverse",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .shape = inverse_shape,
     .cost = inverse_cost,
     .run = inverse_run,
     .samples = "opset 17; opset com.microsoft 1; input x: float32[2, 3, 3]; y "
                "= com.microsoft.Inverse(x); output y"},
    {.name = NULL},
};
