/* trees.c: TreeEnsemble of ai.onnx.ml.
 *
 * Every row of the input falls through every tree, from its root to a leaf,
 * which adds its weight to a target.  How far it falls depends on the data: the
 * cost is that of the deepest leaves.  All positions are checked when the
 * attributes are read; a fall that visits more nodes than there are has met a
 * cycle.  Source: ONNX operator TreeEnsemble-5 of ai.onnx.ml. */
#include <math.h>
#include <string.h>

#include "ops.h"

typedef struct tree_params {
    lpi_list tree_roots, nodes_featureids, nodes_truenodeids, nodes_trueleafs;
    lpi_list nodes_falsenodeids, nodes_falseleafs, leaf_targetids;
    lpi_list nodes_missing_value_tracks_true;
    lp_tensor *nodes_modes, *nodes_splits, *leaf_weights, *membership_values;
    int64_t n_targets, aggregate_function, post_transform;
    int64_t features; /* that are read; set by settle */
    int64_t visits;   /* of nodes by one row, at most */
    double *splits, *weights, *members;
    int64_t *modes, *first_member; /* by node */
} tree_params;

enum { LEQ, LESS, GTE, GREATER, EQUAL, NOT_EQUAL, MEMBER, MODES };
enum { AVERAGE, SUM, LEAST, MOST };
enum { NOTHING, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT };

#define NEEDED(field) LPI_SPEC_NEEDED(tree_params, field, LPI_ATTR_INTS)

static const lpi_spec tree_specs[] = {
    NEEDED(tree_roots),
    NEEDED(nodes_featureids),
    NEEDED(nodes_truenodeids),
    NEEDED(nodes_trueleafs),
    NEEDED(nodes_falsenodeids),
    NEEDED(nodes_falseleafs),
    NEEDED(leaf_targetids),
    LPI_SPEC_LIST(tree_params, nodes_missing_value_tracks_true, LPI_ATTR_INTS),
    LPI_SPEC_NEEDED(tree_params, nodes_modes, LPI_ATTR_TENSOR),
    LPI_SPEC_NEEDED(tree_params, nodes_splits, LPI_ATTR_TENSOR),
    LPI_SPEC_NEEDED(tree_params, leaf_weights, LPI_ATTR_TENSOR),
    LPI_SPEC_LIST(tree_params, membership_values, LPI_ATTR_TENSOR),
    LPI_SPEC_INT(tree_params, n_targets, 1),
    LPI_SPEC_INT(tree_params, aggregate_function, SUM),
    LPI_SPEC_INT(tree_params, post_transform, NOTHING),
    {.name = NULL},
};

/* The content of "tensor", "count" numbers, as doubles. */
static lp_status read_numbers(const lpi_node *node, lp_tensor *tensor,
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
    const tree_params *p = node->params;

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
    tree_params *p = (tree_params *)node->params;
    int64_t members =
        p->membership_values ? lpi_tensor_elements(p->membership_values) : 0;
    int64_t at = 0;
    double *modes;

    LP_TRY(read_numbers(node, p->nodes_modes, nodes, &modes));
    if (p->membership_values)
        LP_TRY(read_numbers(node, p->membership_values, members, &p->members));
    p->modes = lpi_node_dims(node, nodes);
    p->first_member = lpi_node_dims(node, nodes);
    if (p->modes == NULL || p->first_member == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < nodes; i++) {
        if (!(modes[i] >= 0 && modes[i] < MODES))
            return lpi_node_fail(node, "mode %g of node %lld", modes[i],
                                 (long long)i);
        p->modes[i] = (int64_t)modes[i];
        p->first_member[i] = at;
        while (p->modes[i] == MEMBER && at < members && !isnan(p->members[at]))
            at++;
        if (p->modes[i] == MEMBER && at++ >= members)
            return lpi_node_fail(node, "node %lld has no set of members",
                                 (long long)i);
    }
    return LP_OK;
}

/* The longest falls of all trees together, by the lengths of the falls from
 * each node, which are found from the last one on; a node that goes back counts
 * all nodes. */
static lp_status count_visits(lpi_node *node, int64_t nodes)
{
    tree_params *p = (tree_params *)node->params;
    int64_t *falls = lpi_node_dims(node, nodes);

    if (falls == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = nodes; i-- > 0;) {
        int64_t yes = p->nodes_truenodeids.ints[i];
        int64_t no = p->nodes_falsenodeids.ints[i];
        int64_t a = p->nodes_trueleafs.ints[i] ? 0
                    : yes > i                  ? falls[yes]
                                               : nodes;
        int64_t b = p->nodes_falseleafs.ints[i] ? 0
                    : no > i                    ? falls[no]
                                                : nodes;

        falls[i] = (a > b ? a : b) + 1;
        if (falls[i] > nodes)
            falls[i] = nodes;
    }
    p->visits = 0;
    for (int64_t t = 0; t < p->tree_roots.count; t++)
        p->visits = lpi_add(p->visits, falls[p->tree_roots.ints[t]]);
    return LP_OK;
}

static lp_status tree_settle(lpi_node *node)
{
    tree_params *p = (tree_params *)node->params;
    int64_t nodes = p->nodes_featureids.count;
    int64_t leaves = p->leaf_targetids.count;

    if (p->n_targets < 1 || p->aggregate_function < AVERAGE ||
        p->aggregate_function > MOST || p->post_transform < NOTHING ||
        p->post_transform > PROBIT)
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
    LP_TRY(read_numbers(node, p->nodes_splits, nodes, &p->splits));
    LP_TRY(read_numbers(node, p->leaf_weights, leaves, &p->weights));
    LP_TRY(read_modes(node, nodes));
    for (int64_t i = 0; i < nodes; i++)
        if (p->nodes_featureids.ints[i] >= p->features)
            p->features = p->nodes_featureids.ints[i] + 1;
    return count_visits(node, nodes);
}

static lp_status tree_shape(lpi_node *node)
{
    const tree_params *p = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t dims[2] = {x.rank > 0 ? x.dims[0] : -1, p->n_targets};

    if (x.rank >= 0 &&
        (x.rank != 2 || (x.dims[1] >= 0 && x.dims[1] < p->features)))
        return lpi_node_fail(node, "input of rank %d, %lld features are read",
                             x.rank, (long long)p->features);
    lpi_node_note(node, "how far rows fall depends on the data");
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 2, dims);
}

/* A comparison a node, an addition a tree. */
static void tree_cost(const lpi_node *node, lp_cost *cost)
{
    const tree_params *p = node->params;
    int64_t rows = lpi_in_shape(node, 0).dims[0];

    lpi_cost_arith(cost, LP_CMP, lpi_mul(rows, p->visits));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(rows, p->tree_roots.count));
}

/* Whether "x" takes the true branch of node "i". */
static bool goes_true(const tree_params *p, int64_t i, double x)
{
    double split = p->splits[i];

    if (isnan(x) && p->nodes_missing_value_tracks_true.count > 0 &&
        p->nodes_missing_value_tracks_true.ints[i])
        return true;
    switch (p->modes[i]) {
    case LEQ:
        return x <= split;
    case LESS:
        return x < split;
    case GTE:
        return x >= split;
    case GREATER:
        return x > split;
    case EQUAL:
        return x == split;
    case NOT_EQUAL:
        return x != split;
    default:
        for (int64_t k = p->first_member[i]; !isnan(p->members[k]); k++)
            if (p->members[k] == x)
                return true;
        return false;
    }
}

/* The leaf that "row" falls to in the tree from node "at" on; -1: none. */
static int64_t fall(const tree_params *p, const double *row, int64_t at)
{
    for (int64_t i = 0; i < p->nodes_featureids.count; i++) {
        bool yes = goes_true(p, at, row[p->nodes_featureids.ints[at]]);
        bool is_leaf =
            (yes ? p->nodes_trueleafs : p->nodes_falseleafs).ints[at];

        at = (yes ? p->nodes_truenodeids : p->nodes_falsenodeids).ints[at];
        if (is_leaf)
            return at;
    }
    return -1;
}

/* Add "weight" to "*sum", where "*count" are in it. */
static void aggregate(const tree_params *p, double weight, double *sum,
                      int64_t *count)
{
    if (p->aggregate_function == LEAST)
        *sum = *count > 0 ? fmin(*sum, weight) : weight;
    else if (p->aggregate_function == MOST)
        *sum = *count > 0 ? fmax(*sum, weight) : weight;
    else
        *sum += weight;
    (*count)++;
}

/* The quantile of the normal distribution for 2x - 1, by Winitzki's formula. */
static double probit(double x)
{
    double a = 0.147, y = 2 * x - 1, l = log((1 - y) * (1 + y));
    double v = 2 / (3.14159265358979323846 * a) + l / 2;
    double root = sqrt(-v + sqrt(v * v - l / a));

    return sqrt(2) * (y < 0 ? -root : root);
}

static void transform(const tree_params *p, double *y)
{
    double sum = 0, most = -INFINITY;
    int64_t i;

    for (i = 0; i < p->n_targets; i++)
        most = fmax(most, y[i]);
    for (i = 0; i < p->n_targets && p->post_transform != NOTHING; i++) {
        bool skips = p->post_transform == SOFTMAX_ZERO && y[i] == 0;

        if (p->post_transform == LOGISTIC)
            y[i] = 1 / (1 + exp(-y[i]));
        else if (p->post_transform == PROBIT)
            y[i] = probit(y[i]);
        else if (!skips)
            y[i] = exp(y[i] - most);
        sum += y[i];
    }
    if (p->post_transform == SOFTMAX || p->post_transform == SOFTMAX_ZERO)
        for (i = 0; i < p->n_targets && sum > 0; i++)
            y[i] /= sum;
}

static lp_status tree_run(const lpi_run *run)
{
    const tree_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t *counts = LPI_NEW(run->scratch, int64_t, p->n_targets);
    const double *from;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    if (counts == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < x.dims[0]; i++) {
        double *y = to + i * p->n_targets;

        memset(counts, 0, (size_t)p->n_targets * sizeof(*counts));
        for (int64_t t = 0; t < p->tree_roots.count; t++) {
            int64_t leaf = fall(p, from + i * x.dims[1], p->tree_roots.ints[t]);

            if (leaf < 0)
                return lpi_node_fail(run->node, "tree %lld has a cycle",
                                     (long long)t);
            aggregate(p, p->weights[leaf], &y[p->leaf_targetids.ints[leaf]],
                      &counts[p->leaf_targetids.ints[leaf]]);
        }
        for (int64_t k = 0; k < p->n_targets; k++)
            if (p->aggregate_function == AVERAGE && p->tree_roots.count > 0)
                y[k] /= (double)p->tree_roots.count;
        transform(p, y);
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
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
     .cost = tree_cost,
     .run = tree_run,
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
