/* falling.c: rows of features that fall through decision trees.
 *
 * Every row falls through every tree, from its root to a leaf, which adds its
 * weights to their targets; a fall that visits more nodes than there are has
 * met a cycle.  How far a row falls depends on the data: what is charged is the
 * deepest leaves.  Positions and feature ids, below INT64_MAX, are checked by
 * those who decode the trees, and that a row has all features by
 * lpi_trees_rows.  Scores are summed in double, in the order of the trees, and
 * rounded once.  Source: ONNX operator TreeEnsemble-5 of ai.onnx.ml. */
#include <math.h>
#include <string.h>

#include "../ops.h"

static const char *const transform_names[] = {
    [LPI_SCORES_NONE] = "NONE",
    [LPI_SCORES_SOFTMAX] = "SOFTMAX",
    [LPI_SCORES_LOGISTIC] = "LOGISTIC",
    [LPI_SCORES_PROBIT] = "PROBIT",
    [LPI_SCORES_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
};

lp_status lpi_scores_named(const lpi_node *node, const char *name,
                           int64_t *ret_transform)
{
    for (int32_t i = 0; i < LPI_COUNT(transform_names); i++)
        if (strcmp(name, transform_names[i]) == 0) {
            *ret_transform = i;
            return LP_OK;
        }
    return lpi_node_fail(node, "post_transform is '%.40s'", name);
}

/* The longest falls of all trees together, by the lengths of the falls from
 * each node, which are found from the last one on; a node that goes back counts
 * all nodes. */
lp_status lpi_trees_measure(lpi_node *node, lpi_trees *p)
{
    int64_t nodes = p->nodes_featureids.count;
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
        if (p->nodes_featureids.ints[i] >= p->features)
            p->features = p->nodes_featureids.ints[i] + 1;
    }
    for (int64_t t = 0; t < p->tree_roots.count; t++)
        p->visits = lpi_add(p->visits, falls[p->tree_roots.ints[t]]);
    return LP_OK;
}

lp_status lpi_trees_rows(lpi_node *node, const lpi_trees *p, int64_t *ret_rows)
{
    lp_shape x = lpi_in_shape(node, 0);

    if (x.rank >= 0 &&
        (x.rank != 2 || (x.dims[1] >= 0 && x.dims[1] < p->features)))
        return lpi_node_fail(node, "input of rank %d, %lld features are read",
                             x.rank, (long long)p->features);
    lpi_node_note(node, "how far rows fall depends on the data");
    *ret_rows = x.rank > 0 ? x.dims[0] : -1;
    return LP_OK;
}

/* A comparison a node, additions a tree, and what the transform does. */
void lpi_trees_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_trees *p = node->params;
    static const lpi_each each[] = {
        [LPI_SCORES_SOFTMAX] = {{[LP_EXP] = 1, [LP_ADD] = 2, [LP_DIV] = 1}},
        [LPI_SCORES_LOGISTIC] = {{[LP_EXP] = 1, [LP_ADD] = 1, [LP_DIV] = 1}},
        [LPI_SCORES_SOFTMAX_ZERO] =
            {{[LP_EXP] = 1, [LP_ADD] = 2, [LP_DIV] = 1, [LP_CMP] = 1}},
        [LPI_SCORES_PROBIT] =
            {{[LP_LOG] = 1, [LP_SQRT] = 2, [LP_ADD] = 6, [LP_MUL] = 5}},
    };
    int64_t rows = lpi_in_shape(node, 0).dims[0];

    lpi_cost_arith(cost, LP_CMP, lpi_mul(rows, p->visits));
    lpi_cost_arith(cost, LP_ADD,
                   lpi_mul(rows, lpi_mul(p->tree_roots.count, p->entries)));
    lpi_cost_each(cost, &each[p->post_transform], lpi_mul(rows, p->n_targets));
}

/* Whether "x" takes the true branch of node "i". */
static bool goes_true(const lpi_trees *p, int64_t i, double x)
{
    double split = p->splits[i];

    if (isnan(x) && p->nodes_missing_value_tracks_true.count > 0 &&
        p->nodes_missing_value_tracks_true.ints[i])
        return true;
    switch (p->modes[i]) {
    case LPI_BRANCH_LEQ:
        return x <= split;
    case LPI_BRANCH_LT:
        return x < split;
    case LPI_BRANCH_GTE:
        return x >= split;
    case LPI_BRANCH_GT:
        return x > split;
    case LPI_BRANCH_EQ:
        return x == split;
    case LPI_BRANCH_NEQ:
        return x != split;
    default:
        for (int64_t k = p->first_member[i]; !isnan(p->members[k]); k++)
            if (p->members[k] == x)
                return true;
        return false;
    }
}

/* The leaf that "row" falls to in the tree from node "at" on; -1: none. */
static int64_t fall(const lpi_trees *p, const double *row, int64_t at)
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
static void aggregate(const lpi_trees *p, double weight, double *sum,
                      int64_t *count)
{
    if (p->aggregate_function == LPI_TREES_MIN)
        *sum = *count > 0 ? fmin(*sum, weight) : weight;
    else if (p->aggregate_function == LPI_TREES_MAX)
        *sum = *count > 0 ? fmax(*sum, weight) : weight;
    else
        *sum += weight;
    (*count)++;
}

lp_status lpi_trees_scores(const lpi_run *run, const lpi_trees *p,
                           const double *features, double *y, int64_t *counts)
{
    memset(counts, 0, (size_t)p->n_targets * sizeof(*counts));
    memset(y, 0, (size_t)p->n_targets * sizeof(*y));
    for (int64_t t = 0; t < p->tree_roots.count; t++) {
        int64_t leaf = fall(p, features, p->tree_roots.ints[t]);
        int64_t from, to;

        if (leaf < 0)
            return lpi_node_fail(run->node, "tree %lld has a cycle",
                                 (long long)t);
        from = p->first_entry ? p->first_entry[leaf] : leaf;
        to = p->first_entry ? p->first_entry[leaf + 1] : leaf + 1;
        for (int64_t e = from; e < to; e++)
            aggregate(p, p->weights[e], &y[p->leaf_targetids.ints[e]],
                      &counts[p->leaf_targetids.ints[e]]);
    }
    for (int64_t k = 0; k < p->n_targets; k++)
        if (p->aggregate_function == LPI_TREES_AVERAGE &&
            p->tree_roots.count > 0)
            y[k] /= (double)p->tree_roots.count;
    for (int64_t k = 0; k < p->bases_count; k++)
        y[k] += p->bases[k];
    return LP_OK;
}

/* The quantile of the normal distribution for 2x - 1, by Winitzki's formula. */
static double probit(double x)
{
    double a = 0.147, y = 2 * x - 1, l = log((1 - y) * (1 + y));
    double v = 2 / (3.14159265358979323846 * a) + l / 2;
    double root = sqrt(-v + sqrt(v * v - l / a));

    return sqrt(2) * (y < 0 ? -root : root);
}

void lpi_scores_transform(int64_t transform, double *y, int64_t count)
{
    double sum = 0, most = -INFINITY;
    int64_t i;

    for (i = 0; i < count; i++)
        most = fmax(most, y[i]);
    for (i = 0; i < count && transform != LPI_SCORES_NONE; i++) {
        bool skips = transform == LPI_SCORES_SOFTMAX_ZERO && y[i] == 0;

        if (transform == LPI_SCORES_LOGISTIC)
            y[i] = 1 / (1 + exp(-y[i]));
        else if (transform == LPI_SCORES_PROBIT)
            y[i] = probit(y[i]);
        else if (!skips)
            y[i] = exp(y[i] - most);
        sum += y[i];
    }
    if (transform == LPI_SCORES_SOFTMAX || transform == LPI_SCORES_SOFTMAX_ZERO)
        for (i = 0; i < count && sum > 0; i++)
            y[i] /= sum;
}

lp_status lpi_trees_run(const lpi_run *run)
{
    const lpi_trees *p = run->node->params;
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

        LP_TRY(lpi_trees_scores(run, p, from + i * x.dims[1], y, counts));
        lpi_scores_transform(p->post_transform, y, p->n_targets);
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

lp_status lpi_labels_give(const lpi_run *run, const lpi_list *texts,
                          const lpi_list *numbers, const int64_t *best,
                          int64_t rows)
{
    const char **labels;

    if (texts->count == 0) {
        for (int64_t i = 0; i < rows && run->out[0]; i++)
            ((int64_t *)run->out[0])[i] = numbers->ints[best[i]];
        return LP_OK;
    }
    labels = LPI_NEW(run->scratch, const char *, rows);
    if (labels == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < rows; i++)
        labels[i] = texts->strings[best[i]];
    return lpi_run_give(run, 0,
                        lpi_bundle_of_texts(run->node->model->arena,
                                            lpi_out_shape(run->node, 0),
                                            labels));
}
