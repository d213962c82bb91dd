/* branch.c: If, and what all rows with bodies share.
 *
 * When the condition is known, and not only up to a bound, the layer is the
 * branch that is taken: its shapes, its contents, its cost; the other one is
 * not even inferred, since it may contradict what is known here.  Else the
 * outputs take the larger extents of both branches and the layer costs as much
 * as the larger one.  Source: ONNX operator If-25. */
#include "../ops.h"

typedef struct if_params {
    lp_model *then_branch, *else_branch;
    const lp_model *taken; /* set by the shape hook; NULL: not known */
} if_params;

static const lpi_spec if_specs[] = {
    LPI_SPEC_NEEDED(if_params, then_branch, LPI_ATTR_BODY),
    LPI_SPEC_NEEDED(if_params, else_branch, LPI_ATTR_BODY),
    {.name = NULL},
};

void lpi_body_cost(const lpi_node *node, const lp_model *body, int64_t times,
                   lp_cost *cost)
{
    lp_row_status status = LP_EXACT;
    lp_cost own = {0};

    if (lpi_model_cost(body, &own, &status, node->error) != LP_OK)
        own.read_bytes = INT64_MAX;
    lpi_cost_scale(&own, times);
    *cost = own;
    if (node->status != NULL && status > *node->status)
        *node->status = status;
}

lp_status lpi_out_body(lpi_node *node, int32_t i, const lp_tensor *from,
                       lp_shape shape)
{
    lp_tensor *to = lpi_out(node, i);

    if (to == NULL)
        return LP_OK;
    to->container = from->container;
    to->is_bound = from->is_bound;
    return lpi_out_set_shape(node, i, from->dtype, shape);
}

lp_status lpi_out_all(lpi_node *node, const lp_model *branch)
{
    for (int32_t i = 0; i < node->layer->outputs_count; i++) {
        const lp_tensor *from = branch->outputs[i];
        lp_tensor *to = lpi_out(node, i);

        LP_TRY(lpi_out_body(node, i, from, from->shape));
        if (to == NULL)
            continue;
        to->is_static = from->is_static;
        to->is_weight = from->is_weight;
        to->value = from->value;
        to->value_is_bound = from->value_is_bound;
        to->stored_bytes = from->stored_bytes;
        to->payload = from->payload;
    }
    return LP_OK;
}

/* The larger extents of "a" and "b"; unknown when the ranks differ. */
static lp_status larger(const lpi_node *node, lp_shape a, lp_shape b,
                        lp_shape *ret_shape, bool *ret_differ)
{
    int64_t *dims;

    *ret_shape = lpi_shape_unknown;
    *ret_differ = true;
    if (a.rank != b.rank || a.rank < 0)
        return LP_OK;
    dims = lpi_node_dims(node, a.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    *ret_differ = false;
    for (int32_t i = 0; i < a.rank; i++) {
        dims[i] = a.dims[i] < b.dims[i] ? b.dims[i] : a.dims[i];
        if (a.dims[i] < 0 || b.dims[i] < 0)
            dims[i] = -1;
        *ret_differ = *ret_differ || a.dims[i] != b.dims[i];
    }
    *ret_shape = (lp_shape){a.rank, dims};
    return LP_OK;
}

static lp_status join_branches(lpi_node *node, const if_params *params)
{
    lpi_node_note(node, "the condition is not known: the larger branch counts");
    for (int32_t i = 0; i < node->layer->outputs_count; i++) {
        const lp_tensor *a = params->then_branch->outputs[i];
        const lp_tensor *b = params->else_branch->outputs[i];
        lp_tensor *to = lpi_out(node, i);
        lp_shape shape;
        bool differ;

        LP_TRY(larger(node, a->shape, b->shape, &shape, &differ));
        LP_TRY(lpi_out_body(node, i, a, shape));
        if (to == NULL)
            continue;
        to->is_bound = differ || a->is_bound || b->is_bound;
        to->is_weight = a->is_weight && b->is_weight;
        to->payload = (lpi_payload){.where = LPI_NOWHERE};
        to->stored_bytes = lpi_tensor_bytes(to);
    }
    return LP_OK;
}

/* Infer both branches.  One that contradicts itself can never be taken: then
 * "*ret_taken" is the other. */
static lp_status infer_both(const lpi_node *node, const if_params *params,
                            lp_model **ret_taken)
{
    lp_status first = lpi_body_infer(node, params->then_branch);
    lp_status second;

    *ret_taken = NULL;
    if (first != LP_OK && first != LP_EINPUT)
        return first;
    second = lpi_body_infer(node, params->else_branch);
    if (second != LP_OK && (second != LP_EINPUT || first != LP_OK))
        return second;
    if (first != LP_OK)
        *ret_taken = params->else_branch;
    else if (second != LP_OK)
        *ret_taken = params->then_branch;
    return LP_OK;
}

/* The condition, when it is known exactly. */
static bool condition_known(lpi_node *node, bool *ret_condition)
{
    bool was_bound = node->is_bound;
    lpi_list list;

    if (!lpi_in_ints(node, 0, &list) || list.count != 1 ||
        node->is_bound != was_bound) {
        node->is_bound = was_bound;
        return false;
    }
    *ret_condition = list.ints[0] != 0;
    return true;
}

static lp_status if_shape(lpi_node *node)
{
    if_params *params = (if_params *)node->params;
    int32_t outputs = node->layer->outputs_count;
    bool condition;
    lp_model *taken;

    if (params->then_branch->outputs_count < outputs ||
        params->else_branch->outputs_count < outputs)
        return lpi_node_fail(node, "has %d outputs, its branches %lld and %lld",
                             outputs,
                             (long long)params->then_branch->outputs_count,
                             (long long)params->else_branch->outputs_count);
    if (condition_known(node, &condition)) {
        taken = condition ? params->then_branch : params->else_branch;
        LP_TRY(lpi_body_infer(node, taken));
    } else {
        LP_TRY(infer_both(node, params, &taken));
    }
    params->taken = taken;
    return taken != NULL ? lpi_out_all(node, taken)
                         : join_branches(node, params);
}

/* Two per multiply-accumulate and one for every other operation. */
static int64_t operations(const lp_cost *cost)
{
    int64_t sum = lpi_add(cost->macs_conv,
                          lpi_add(cost->macs_linear, cost->macs_attention));

    sum = lpi_mul(sum, 2);
    for (int32_t kind = 0; kind < LP_ARITH_COUNT; kind++)
        sum = lpi_add(sum, cost->arith[kind]);
    return sum;
}

/* Whether "a" is more work than "b"; bytes decide between equals. */
static bool is_larger(const lp_cost *a, const lp_cost *b)
{
    if (operations(a) != operations(b))
        return operations(a) > operations(b);
    return lpi_add(a->read_bytes, a->write_bytes) >
           lpi_add(b->read_bytes, b->write_bytes);
}

static void if_cost(const lpi_node *node, lp_cost *cost)
{
    const if_params *params = node->params;
    lp_cost other;

    lpi_body_cost(node,
                  params->taken != NULL ? params->taken : params->then_branch,
                  1, cost);
    if (params->taken != NULL)
        return;
    lpi_body_cost(node, params->else_branch, 1, &other);
    if (is_larger(&other, cost))
        *cost = other;
}

const lp_op lpi_ops_branch[] = {
    {.domain = "",
     .name = "If",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = -1,
     .roles = "i",
     .params_size = sizeof(if_params),
     .specs = if_specs,
     .shape = if_shape,
     .cost = if_cost,
     .samples =
         "opset 17; input x: float32[2, 3]; weight c: bool[] = {1}; y = If(c) "
         "{then_branch: graph { a = Relu(x); output a }, else_branch: graph { "
         "b = Add(x, x); output b }}; output y\n---\n"
         "opset 17; input x: float32[2, 3]; input c: bool[]; y = If(c) "
         "{then_branch: graph { a = Relu(x); output a }, else_branch: graph { "
         "b = Exp(x); e = Exp(b); output e }}; output y"},
    {.name = NULL},
};
