/* trees.c: TreeEnsemble of ai.onnx.ml.
 *
 * All positions are checked when the attributes are read, so that what falls
 * through the trees finds a node or a leaf.  Source: ONNX operator
 * TreeEnsemble-5 of ai.onnx.ml. */
#include <math.h>

#include "../ops.h"

typedef struct tree_params {
    lpi_trees trees;
    lp_tensor *nodes_modes, *nodes_splits, *leaf_weights, *membership_values;
} tree_params;

/* A field of the trees in tree_params. */
#define OF_TREES(field, kind_, ...)                                            \
    {                                                                          \
        .name = #field, .kind = (kind_),                                       \
        .offset = offsetof(tree_params, trees.field), __VA_ARGS__              \
    }
#define NEEDED(field)        OF_TREES(field, LPI_ATTR_INTS, .required = true)
#define NUMBER(field, value) OF_TREES(field, LPI_ATTR_INT, .i = (value))

static const lpi_spec tree_specs[] = {
    NEEDED(tree_roots),
    NEEDED(nodes_featureids),
    NEEDED(nodes_truenodeids),
    NEEDED(nodes_trueleafs),
    NEEDED(nodes_falsenodeids),
    NEEDED(nodes_falseleafs),
    NEEDED(leaf_targetids),
    OF_TREES(nodes_missing_value_tracks_true, LPI_ATTR_INTS, .required = false),
    LPI_SPEC_NEEDED(tree_params, nodes_modes, LPI_ATTR_TENSOR),
    LPI_SPEC_NEEDED(tree_params, nodes_splits, LPI_ATTR_TENSOR),
    LPI_SPEC_NEEDED(tree_params, leaf_weights, LPI_ATTR_TENSOR),
    LPI_SPEC_LIST(tree_params, membership_values, LPI_ATTR_TENSOR),
    NUMBER(n_targets, 1),
    NUMBER(aggregate_function, LPI_TREES_SUM),
    NUMBER(post_transform, LPI_SCORES_NONE),
    {.name = NULL},
};

/* The content of "tensor", "count" numbers, as doubles. */
lp_status lpi_trees_numbers(const lpi_node *node, lp_tensor *tensor,
                            int64_t count, double **ret_numbers)
{
    lpi_class class;
    double *numbers;
    void *raw;

    LP_TRY(lpi_tensor_load(node->model, tensor, INT64_MAX, node->error));
    class = lpi_class_of(tensor->dtype);
    if (lpi_tensor_elements(tensor) != count || class == LPI_NO_CLASS ||
        (count > 0 && tensor->value == NULL))
        return lpi_node_fail(node, "%lld numbers in an attribute, not %lld",
                             (long long)lpi_tensor_elements(tensor),
                             (long long)count);
    raw = lpi_arena_array(node->model->arena, count, lpi_class_size(class));
    numbers = LPI_NEW(node->model->arena, double, count);
    if (raw == NULL || numbers == NULL)
        return lpi_node_fail_memory(node);
    lpi_unpack(tensor->dtype, tensor->value, 0, count, raw);
    lpi_convert(class, raw, LPI_F64, numbers, count);
    *ret_numbers = numbers;
    return LP_OK;
}

/* "list" has "count" entries, each in [0, limit). */
static lp_status check_list(const lpi_node *node, const lpi_list *list,
                            int64_t count, int64_t limit)
{
    if (list->count != count)
        return lpi_node_fail(node, "%lld entries in a list, not %lld",
                             (long long)list->count, (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (list->ints[i] < 0 || list->ints[i] >= limit)
            return lpi_node_fail(node, "entry %lld of a list is %lld",
                                 (long long)i, (long long)list->ints[i]);
    return LP_OK;
}

/* Where a fall goes from each node exists: a leaf or a node. */
static lp_status check_branches(const lpi_node *node, const lpi_list *ids,
                                const lpi_list *leafs, int64_t nodes)
{
    const lpi_trees *p = node->params;

    LP_TRY(check_list(node, leafs, nodes, 2));
    for (int64_t i = 0; i < nodes && ids->count == nodes; i++)
        if (ids->ints[i] < 0 ||
            ids->ints[i] >= (leafs->ints[i] ? p->leaf_targetids.count : nodes))
            return lpi_node_fail(node, "node %lld goes to %lld", (long long)i,
                                 (long long)ids->ints[i]);
    return check_list(node, ids, nodes, INT64_MAX);
}

/* The modes of the nodes, and where the members of each set begin: sets stand
 * in the order of the nodes, a NaN behind each. */
static lp_status read_modes(lpi_node *node, int64_t nodes)
{
    const tree_params *given = node->params;
    lpi_trees *p = (lpi_trees *)node->params;
    lp_tensor *sets = given->membership_values;
    int64_t members = sets ? lpi_tensor_elements(sets) : 0;
    int64_t at = 0;
    double *modes;

    LP_TRY(lpi_trees_numbers(node, given->nodes_modes, nodes, &modes));
    if (sets)
        LP_TRY(lpi_trees_numbers(node, sets, members, &p->members));
    p->modes = lpi_node_dims(node, nodes);
    p->first_member = lpi_node_dims(node, nodes);
    if (p->modes == NULL || p->first_member == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < nodes; i++) {
        if (!(modes[i] >= 0 && modes[i] < LPI_BRANCHES))
            return lpi_node_fail(node, "mode %g of node %lld", modes[i],
                                 (long long)i);
        p->modes[i] = (int64_t)modes[i];
        p->first_member[i] = at;
        while (p->modes[i] == LPI_BRANCH_MEMBER && at < members &&
               !isnan(p->members[at]))
            at++;
        if (p->modes[i] == LPI_BRANCH_MEMBER && at++ >= members)
            return lpi_node_fail(node, "node %lld has no set of members",
                                 (long long)i);
    }
    return LP_OK;
}

static lp_status tree_settle(lpi_node *node)
{
    tree_params *given = (tree_params *)node->params;
    lpi_trees *p = &given->trees;
    int64_t nodes = p->nodes_featureids.count;
    int64_t leaves = p->leaf_targetids.count;

    if (p->n_targets < 1 || p->aggregate_function < LPI_TREES_AVERAGE ||
        p->aggregate_function > LPI_TREES_MAX ||
        p->post_transform < LPI_SCORES_NONE ||
        p->post_transform > LPI_SCORES_PROBIT)
        return lpi_node_fail(node,
                             "%lld targets, aggregate %lld, transform "
                             "%lld",
                             (long long)p->n_targets,
                             (long long)p->aggregate_function,
                             (long long)p->post_transform);
    LP_TRY(check_list(node, &p->tree_roots, p->tree_roots.count, nodes));
    LP_TRY(check_list(node, &p->nodes_featureids, nodes, INT64_MAX));
    LP_TRY(check_list(node, &p->leaf_targetids, leaves, p->n_targets));
    if (p->nodes_missing_value_tracks_true.count > 0)
        LP_TRY(check_list(node, &p->nodes_missing_value_tracks_true, nodes, 2));
    LP_TRY(check_branches(node, &p->nodes_truenodeids, &p->nodes_trueleafs,
                          nodes));
    LP_TRY(check_branches(node, &p->nodes_falsenodeids, &p->nodes_falseleafs,
                          nodes));
    LP_TRY(lpi_trees_numbers(node, given->nodes_splits, nodes, &p->splits));
    LP_TRY(lpi_trees_numbers(node, given->leaf_weights, leaves, &p->weights));
    LP_TRY(read_modes(node, nodes));
    p->entries = 1;
    return lpi_trees_measure(node, p);
}

static lp_status tree_shape(lpi_node *node)
{
    const lpi_trees *p = node->params;
    int64_t dims[2] = {-1, p->n_targets};

    LP_TRY(lpi_trees_rows(node, p, &dims[0]));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 2, dims);
}

const lp_op lpi_ops_trees[] = {
    {.domain = "ai.onnx.ml",
     .name = "TreeEnsemble",
     .since = 5,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(tree_params),
     .specs = tree_specs,
     .settle = tree_settle,
     .shape = tree_shape,
     .cost = lpi_trees_cost,
     .run = lpi_trees_run,
     .samples =
         "opset 17; opset ai.onnx.ml 5; input x: float32[3, 2]; y = "
         "ai.onnx.ml.TreeEnsemble(x) {tree_roots: [0], nodes_featureids: [0, "
         "1], nodes_truenodeids: [1, 0], nodes_trueleafs: [0, 1], "
         "nodes_falsenodeids: [2, 1], nodes_falseleafs: [1, 1], "
         "leaf_targetids: [0, 1, 0], n_targets: 2, nodes_modes: tensor "
         "uint8[2] = {0, 3}, nodes_splits: tensor float32[2] = {0.5, 1.5}, "
         "leaf_weights: tensor float32[3] = {1.0, 2.0, 3.0}}; output y"},
    {.name = NULL},
};
