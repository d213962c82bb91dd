/* bundles.c: what rows of sequences, optionals and texts share.
 *
 * A result that is a bundle is made in the arena of the node's model and given
 * to the run; the executor copies it to where it belongs. */
#include <string.h>

#include "ops.h"

lp_status lpi_run_give(const lpi_run *run, int32_t i, const lpi_bundle *bundle)
{
    if (bundle == NULL)
        return lpi_node_fail_memory(run->node);
    if (lpi_out(run->node, i) == NULL)
        return LP_OK;
    if (run->bundles == NULL || !lpi_is_bundle(lpi_out(run->node, i)))
        return lpi_node_fail(run->node, "output %d is a plain tensor", i);
    run->bundles[i] = bundle;
    return LP_OK;
}

lp_status lpi_run_item(const lpi_run *run, int32_t i,
                       const lpi_bundle **ret_bundle)
{
    const lp_tensor *tensor = lpi_in(run->node, i);

    if (tensor == NULL || run->in[i] == NULL)
        return lpi_node_fail(run->node, "lacks input %d", i);
    *ret_bundle = lpi_is_bundle(tensor)
                      ? run->in[i]
                      : lpi_bundle_tensor(run->node->model->arena,
                                          tensor->dtype, tensor->shape,
                                          run->in[i]);
    return *ret_bundle != NULL ? LP_OK : lpi_node_fail_memory(run->node);
}

lp_status lpi_run_bundle(const lpi_run *run, int32_t i, lpi_container container,
                         const lpi_bundle **ret_bundle)
{
    LP_TRY(lpi_run_item(run, i, ret_bundle));
    if ((*ret_bundle)->container != (int32_t)container)
        return lpi_node_fail(run->node, "input %d is of another kind", i);
    return LP_OK;
}

lp_status lpi_run_take(const lpi_run *run, int32_t i, const lpi_bundle *item)
{
    const lp_tensor *tensor = lpi_out(run->node, i);
    lp_shape shape;

    if (tensor == NULL)
        return LP_OK;
    if (lpi_is_bundle(tensor))
        return lpi_run_give(run, i, item);
    if (item->container != LPI_TENSOR || item->dtype != (int32_t)tensor->dtype)
        return lpi_node_fail(run->node, "the item is no tensor of %s",
                             lp_dtype_name(tensor->dtype));
    shape = lpi_bundle_shape(item);
    if (shape.rank != tensor->shape.rank ||
        (shape.rank > 0 && memcmp(shape.dims, tensor->shape.dims,
                                  (size_t)shape.rank * sizeof(*shape.dims))))
        return lpi_node_fail(run->node, "the item has another shape");
    if (item->count > 0)
        memcpy(run->out[i], lpi_bundle_bytes(item),
               (size_t)lpi_storage_bytes(tensor->dtype, item->count));
    return LP_OK;
}

const lpi_bundle *lpi_in_bundle(const lpi_node *node, int32_t i)
{
    const lp_tensor *tensor = lpi_in(node, i);

    return tensor != NULL && lpi_is_bundle(tensor) ? tensor->value : NULL;
}

lp_status lpi_out_container(lpi_node *node, int32_t i, lpi_container container,
                            lp_dtype dtype, lp_shape shape)
{
    lp_tensor *tensor = lpi_out(node, i);

    if (tensor == NULL)
        return LP_OK;
    tensor->container = container;
    if (container != LPI_TENSOR)
        lpi_node_note(node, "the bytes of sequences and optionals are not "
                            "counted");
    return lpi_out_set_shape(node, i, dtype, shape);
}

lp_status lpi_out_item(lpi_node *node, int32_t i, const lpi_bundle *item)
{
    if (item->container != LPI_TENSOR)
        return LP_OK;
    return lpi_out_container(node, i, LPI_TENSOR, (lp_dtype)item->dtype,
                             lpi_bundle_shape(item));
}

lp_shape lpi_shape_shared(lp_shape a, lp_shape b)
{
    if (a.rank != b.rank || a.rank < 0 ||
        (a.rank > 0 &&
         memcmp(a.dims, b.dims, (size_t)a.rank * sizeof(*a.dims)) != 0))
        return lpi_shape_unknown;
    return a;
}
