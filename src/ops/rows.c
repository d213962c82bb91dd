/* rows.c: small things that many rows share: arithmetic by kind, outputs as
 * inputs, dimensions that must agree, the shape rule of matrix products.
 *
 * A dimension of -1 is not known; it agrees with every other and makes every
 * product with it unknown. */
#include <string.h>

#include "ops.h"

void lpi_cost_arith(lp_cost *cost, lp_arith kind, int64_t count)
{
    cost->arith[kind] = lpi_add(cost->arith[kind], count);
}

void lpi_cost_each(lp_cost *cost, const lpi_each *each, int64_t elements)
{
    for (int32_t kind = 0; kind < LP_ARITH_COUNT; kind++)
        if (each->n[kind] > 0)
            lpi_cost_arith(cost, (lp_arith)kind,
                           lpi_mul(each->n[kind], elements));
}

lp_status lpi_out_as(lpi_node *node, int32_t i, int32_t from)
{
    if (lpi_in(node, from) != NULL && lpi_out(node, i) != NULL)
        lpi_out(node, i)->container = lpi_in(node, from)->container;
    return lpi_out_set_shape(node, i, lpi_in_dtype(node, from),
                             lpi_in_shape(node, from));
}

lp_status lpi_shape_as_first(lpi_node *node)
{
    return lpi_out_as(node, 0, 0);
}

lp_status lpi_dim_same(const lpi_node *node, const char *what, int64_t a,
                       int64_t b, int64_t *ret_dim)
{
    if (a >= 0 && b >= 0 && a != b && !lpi_in_bound(node))
        return lpi_node_fail(node, "%s: %lld does not match %lld", what,
                             (long long)a, (long long)b);
    *ret_dim = a >= 0 && (b < 0 || a > b) ? a : b;
    return LP_OK;
}

int64_t lpi_dim_mul(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : lpi_mul(a, b);
}

int64_t lpi_dims_product(lp_shape shape, int64_t from, int64_t to)
{
    int64_t product = 1;

    if (shape.rank < 0)
        return -1;
    for (int64_t i = from; i < to; i++)
        product = lpi_dim_mul(product, shape.dims[i]);
    return product;
}

/* Append to "dims" the rows of "a" and the columns of "b", which vectors do
 * not have. */
static int32_t matmul_tail(lp_shape a, lp_shape b, int32_t rank, int64_t *dims)
{
    if (a.rank > 1)
        dims[rank++] = a.dims[a.rank - 2];
    if (b.rank > 1)
        dims[rank++] = b.dims[b.rank - 1];
    return rank;
}

lp_status lpi_matmul_shape(const lpi_node *node, lp_shape a, lp_shape b,
                           lp_shape *ret_shape, int64_t *ret_k)
{
    lp_shape batch;
    int64_t *dims;
    int32_t rank;

    if (a.rank == 0 || b.rank == 0)
        return lpi_node_fail(node, "a matrix product of a scalar");
    if (a.rank < 0 || b.rank < 0) {
        *ret_shape = lpi_shape_unknown;
        *ret_k = -1;
        return LP_OK;
    }
    LP_TRY(lpi_dim_same(node, "length of the sum of a matrix product",
                        a.dims[a.rank - 1], b.dims[b.rank > 1 ? b.rank - 2 : 0],
                        ret_k));
    batch.rank = 0;
    batch.dims = a.dims;
    lp_shape a_batch = {a.rank > 2 ? a.rank - 2 : 0, a.dims};
    lp_shape b_batch = {b.rank > 2 ? b.rank - 2 : 0, b.dims};
    if (!lpi_broadcast(node, a_batch, b_batch, &batch))
        return lpi_node_fail(node, "batch dimensions of a matrix product do "
                                   "not broadcast");
    if (batch.rank < 0) {
        *ret_shape = lpi_shape_unknown;
        return LP_OK;
    }
    dims = lpi_node_dims(node, batch.rank + 2);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    if (batch.rank > 0)
        memcpy(dims, batch.dims, (size_t)batch.rank * sizeof(*dims));
    rank = matmul_tail(a, b, batch.rank, dims);
    *ret_shape = (lp_shape){rank, dims};
    return LP_OK;
}
