/* forest.c: TreeEnsembleClassifier and TreeEnsembleRegressor of ai.onnx.ml.
 *
 * The class of a row is that of the highest score.  Where all weights are of
 * one class of two, the row is of class 1 when their score is above 0.5, if no
 * weight is negative, else above 0; a score of class 0 stands for class 1 then.
 * Two base values make two plain scores of these, too, as the operator says:
 * ONNX Runtime leaves out a base value or the weights there, and decides by one
 * score.  Source: ONNX operators TreeEnsembleClassifier-3 and
 * TreeEnsembleRegressor-3 of ai.onnx.ml, and, for the one score, ONNX
 * Runtime. */
#include <string.h>

#include "../ops.h"

#define SPEC(name_, field, kind_)                                              \
    {                                                                          \
        .name = (name_), .kind = (kind_),                                      \
        .offset = offsetof(lpi_forest, field)                                  \
    }

#define NODE_SPECS                                                             \
    SPEC("nodes_treeids", treeids, LPI_ATTR_INTS),                             \
        SPEC("nodes_nodeids", nodeids, LPI_ATTR_INTS),                         \
        SPEC("nodes_modes", nodes_modes, LPI_ATTR_STRINGS),                    \
        SPEC("nodes_values", nodes_values, LPI_ATTR_FLOATS),                   \
        SPEC("nodes_values_as_tensor", values_tensor, LPI_ATTR_TENSOR),        \
        SPEC("nodes_truenodeids", truenodes, LPI_ATTR_INTS),                   \
        SPEC("nodes_falsenodeids", falsenodes, LPI_ATTR_INTS),                 \
        SPEC("nodes_featureids", featureids, LPI_ATTR_INTS),                   \
        SPEC("nodes_missing_value_tracks_true", missing, LPI_ATTR_INTS),       \
        SPEC("base_values", base_values, LPI_ATTR_FLOATS),                     \
        SPEC("base_values_as_tensor", bases_tensor, LPI_ATTR_TENSOR),          \
        LPI_SPEC_STRING(lpi_forest, post_transform, "NONE")

#define WEIGHT_SPECS(prefix)                                                   \
    SPEC(prefix "_treeids", weight_trees, LPI_ATTR_INTS),                      \
        SPEC(prefix "_nodeids", weight_nodes, LPI_ATTR_INTS),                  \
        SPEC(prefix "_ids", weight_ids, LPI_ATTR_INTS),                        \
        SPEC(prefix "_weights", weights, LPI_ATTR_FLOATS),                     \
        SPEC(prefix "_weights_as_tensor", weights_tensor, LPI_ATTR_TENSOR)

static const lpi_spec regressor_specs[] = {
    NODE_SPECS,
    WEIGHT_SPECS("target"),
    LPI_SPEC_STRING(lpi_forest, aggregate_function, "SUM"),
    {.name = "n_targets",
     .kind = LPI_ATTR_INT,
     .offset = offsetof(lpi_forest, trees.n_targets),
     .i = 1},
    {.name = NULL},
};

static const lpi_spec classifier_specs[] = {
    NODE_SPECS,
    WEIGHT_SPECS("class"),
    LPI_SPEC_LIST(lpi_forest, classlabels_int64s, LPI_ATTR_INTS),
    LPI_SPEC_LIST(lpi_forest, classlabels_strings, LPI_ATTR_STRINGS),
    {.name = NULL},
};

static lp_status regressor_settle(lpi_node *node)
{
    static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    lpi_forest *p = (lpi_forest *)node->params;
    lpi_trees *trees = &p->trees;

    while (trees->aggregate_function < LPI_COUNT(names) &&
           strcmp(p->aggregate_function, names[trees->aggregate_function]) != 0)
        trees->aggregate_function++;
    if (trees->aggregate_function == LPI_COUNT(names) || trees->n_targets < 1)
        return lpi_node_fail(node, "%lld targets, aggregate_function '%.40s'",
                             (long long)trees->n_targets,
                             p->aggregate_function);
    LP_TRY(lpi_forest_bases(node, p, trees->n_targets));
    return lpi_forest_grow(node, p);
}

/* The class of two that all weights are of, which decides alone; -1: none. */
static int64_t lone_class(const lpi_forest *p)
{
    int64_t lone = p->weight_ids.count > 0 ? p->weight_ids.ints[0] : 0;

    if (p->trees.n_targets != 2 || lpi_forest_given_bases(p) == 2)
        return -1;
    for (int64_t i = 0; i < p->weight_ids.count; i++)
        if (p->weight_ids.ints[i] != lone)
            return -1;
    return lone == 0 || lone == 1 ? lone : -1;
}

static lp_status classifier_settle(lpi_node *node)
{
    lpi_forest *p = (lpi_forest *)node->params;
    lpi_trees *trees = &p->trees;

    trees->aggregate_function = LPI_TREES_SUM;
    trees->n_targets = p->classlabels_strings.count > 0
                           ? p->classlabels_strings.count
                           : p->classlabels_int64s.count;
    if (trees->n_targets < 1)
        return lpi_node_fail(node, "names no classes");
    p->lone = lone_class(p);
    LP_TRY(lpi_forest_bases(node, p, p->lone == 0 ? 1 : trees->n_targets));
    LP_TRY(lpi_forest_grow(node, p));
    p->is_positive = true;
    for (int64_t i = 0; i < p->weight_ids.count; i++)
        p->is_positive &= !(trees->weights[i] < 0);
    return LP_OK;
}

static lp_status regressor_shape(lpi_node *node)
{
    const lpi_trees *trees = node->params;
    int64_t dims[2] = {-1, trees->n_targets};

    LP_TRY(lpi_trees_rows(node, trees, &dims[0]));
    return lpi_out_set(node, 0, LP_FLOAT32, 2, dims);
}

static lp_status classifier_shape(lpi_node *node)
{
    const lpi_forest *p = node->params;
    int64_t dims[2] = {-1, p->trees.n_targets};

    LP_TRY(lpi_trees_rows(node, &p->trees, &dims[0]));
    LP_TRY(lpi_out_set(node, 0,
                       p->classlabels_strings.count > 0 ? LP_STRING : LP_INT64,
                       1, dims));
    return lpi_out_set(node, 1, LP_FLOAT32, 2, dims);
}

/* The class of the scores "y", each of "counts" entries. */
static int64_t choose(const lpi_forest *p, const double *y,
                      const int64_t *counts)
{
    const lpi_trees *trees = &p->trees;
    int64_t best = -1;

    if (p->lone >= 0)
        return y[p->lone] > (p->is_positive ? 0.5 : 0.0);
    for (int64_t k = 0; k < trees->n_targets; k++)
        if ((counts[k] > 0 || trees->bases_count > 0) &&
            (best < 0 || y[k] > y[best]))
            best = k;
    return best < 0 ? 0 : best;
}

/* What becomes of the scores "y". */
static void transform(const lpi_forest *p, double *y)
{
    int64_t post = p->trees.post_transform;
    bool is_logistic = post == LPI_SCORES_LOGISTIC;

    if (p->lone == 0) {
        y[1] = y[0];
        y[0] = p->is_positive && !is_logistic ? 1 - y[1] : -y[1];
    }
    if (p->lone != 0 || is_logistic)
        lpi_scores_transform(post, y, p->trees.n_targets);
}

static lp_status classifier_run(const lpi_run *run)
{
    const lpi_forest *p = run->node->params;
    const lpi_trees *trees = &p->trees;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t *counts = LPI_NEW(run->scratch, int64_t, trees->n_targets);
    int64_t *best = LPI_NEW(run->scratch, int64_t, x.dims[0]);
    double *to = lpi_arena_array(
        run->scratch, lpi_mul(x.dims[0], trees->n_targets), sizeof(*to));
    const double *from;

    LP_TRY(lpi_run_reals(run, 0, &from));
    if (counts == NULL || best == NULL || to == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < x.dims[0]; i++) {
        double *y = to + i * trees->n_targets;

        LP_TRY(lpi_trees_scores(run, trees, from + i * x.dims[1], y, counts));
        best[i] = choose(p, y, counts);
        transform(p, y);
    }
    lpi_run_keep(run, 1, to);
    return lpi_labels_give(run, &p->classlabels_strings, &p->classlabels_int64s,
                           best, x.dims[0]);
}

#define FOREST(name_, outputs, stem)                                           \
    .domain = "ai.onnx.ml", .name = name_, .since = 1, .inputs_min = 1,        \
    .inputs_max = 1, .outputs_min = 1, .outputs_max = outputs,                 \
    .params_size = sizeof(lpi_forest), .specs = stem##_specs,                  \
    .settle = stem##_settle, .shape = stem##_shape, .cost = lpi_trees_cost

/* A node over two leaves, and a tree that is a leaf. */
#define NODES                                                                  \
    "nodes_treeids: [0, 0, 0, 1], nodes_nodeids: [0, 1, 2, 0], "               \
    "nodes_featureids: [1, 0, 0, 0], nodes_modes: [\"BRANCH_LT\", "            \
    "\"LEAF\", \"LEAF\", \"LEAF\"], nodes_values: [0.5, 0.0, 0.0, 0.0], "      \
    "nodes_truenodeids: [1, 0, 0, 0], nodes_falsenodeids: [2, 0, 0, 0], "

const lp_op lpi_ops_forest[] = {
    {FOREST("TreeEnsembleClassifier", 2, classifier), .run = classifier_run,
     .flags = LPI_BUNDLES,
     .samples = "opset 17; opset ai.onnx.ml 1; input x: float32[3, 2]; l, y = "
                "ai.onnx.ml.TreeEnsembleClassifier(x) {" NODES
                "class_treeids: [0, 0, 0, 1], class_nodeids: [1, 1, 2, 0], "
                "class_ids: [0, 2, 1, 2], class_weights: [1.0, 0.5, 2.0, "
                "0.25], classlabels_int64s: [4, 7, 9], post_transform: "
                "\"SOFTMAX\"}; output l; output y"},
    {FOREST("TreeEnsembleRegressor", 1, regressor), .run = lpi_trees_run,
     .samples = "opset 17; opset ai.onnx.ml 3; input x: float64[3, 2]; y = "
                "ai.onnx.ml.TreeEnsembleRegressor(x) {" NODES
                "target_treeids: [0, 0, 1], target_nodeids: [1, 2, 0], "
                "target_ids: [0, 0, 0], target_weights_as_tensor: tensor "
                "float64[3] = {1.0, 2.0, 0.5}, base_values: [10.0], "
                "aggregate_function: \"AVERAGE\"}; output y"},
    {.name = NULL},
};
