/* attendfit.c: which keys, values and pasts fit attention of com.microsoft.
 *
 * The runs take sizes from queries and attributes alone; what the operands have
 * of them is compared here. */
#include "../ops.h"

/* Dimension "k" of input "i", from the end where it is negative, is "wanted"
 * (-1: anything). */
static lp_status want(const lpi_node *node, int32_t i, int32_t k,
                      int64_t wanted)
{
    lp_shape x = lpi_in_shape(node, i);
    char what[64];
    int64_t same;

    snprintf(what, sizeof(what), "a dimension of input %d", i);
    return lpi_dim_same(node, what, x.dims[k < 0 ? x.rank + k : k], wanted,
                        &same);
}

lp_status lpi_attend_fresh(const lpi_node *node, int64_t size,
                           int64_t *ret_length, int64_t *ret_size)
{
    int64_t heads = ((const lpi_contrib *)node->params)->num_heads;
    lp_shape q = lpi_in_shape(node, 0), k = lpi_in_shape(node, 1);
    lp_shape v = lpi_in_shape(node, 2);

    if (q.rank == 5 || k.rank == 5) {
        int32_t packed = q.rank == 5 ? 0 : 1;

        for (int32_t i = packed + 1; i < 3; i++)
            if (lpi_in(node, i) != NULL)
                return lpi_node_fail(node, "input %d is packed, input %d given",
                                     packed, i);
        *ret_length = (packed ? k : q).dims[1];
        *ret_size = (packed ? k : q).dims[4];
        LP_TRY(want(node, packed, 2, heads));
        LP_TRY(want(node, packed, 3, packed ? 2 : 3));
        return want(node, packed, 4, size);
    }
    if (k.rank == 4 && v.rank == 4) {
        *ret_length = k.dims[2];
        *ret_size = v.dims[3];
        LP_TRY(want(node, 1, 1, heads));
        LP_TRY(want(node, 2, 1, heads));
        LP_TRY(want(node, 1, 3, size));
        return want(node, 2, 2, *ret_length);
    }
    if (k.rank != 3 || v.rank != 3)
        return lpi_node_fail(node, "operands of rank %d, %d and %d", q.rank,
                             k.rank, v.rank);
    *ret_length = k.dims[1];
    LP_TRY(want(node, 1, 2, lpi_dim_mul(heads, size)));
    LP_TRY(want(node, 2, 1, *ret_length));
    return lpi_attention_head(node, v.dims[2], heads, ret_size);
}

lp_status lpi_attend_past(const lpi_node *node, int32_t i, int64_t size)
{
    const lpi_attention *found = &((const lpi_contrib *)node->params)->found;
    lp_shape past = lpi_in_shape(node, i);

    if (past.rank < 0 || lpi_in_dtype(node, i) == LP_UINT8)
        return LP_OK;
    if (past.rank < 4)
        return lpi_node_fail(node, "a past of rank %d", past.rank);
    LP_TRY(want(node, i, -4, found->batch));
    LP_TRY(want(node, i, -3, found->kv_heads));
    return want(node, i, -1, size);
}

lp_status lpi_attend_pasts(const lpi_node *node, int32_t i)
{
    const lpi_attention *found = &((const lpi_contrib *)node->params)->found;

    if ((lpi_in(node, i) == NULL) != (lpi_in(node, i + 1) == NULL))
        return lpi_node_fail(node, "a past of keys or of values alone");
    LP_TRY(lpi_attend_past(node, i, found->key_size));
    return lpi_attend_past(node, i + 1, found->value_size);
}
