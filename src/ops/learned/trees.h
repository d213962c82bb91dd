/* trees.h: decision trees, and scores of classes.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_TREES_H
#define LPI_OPS_TREES_H

/* ---- falling.c: from rows of features to scores -------------------------- */

enum {
    LPI_BRANCH_LEQ,
    LPI_BRANCH_LT,
    LPI_BRANCH_GTE,
    LPI_BRANCH_GT,
    LPI_BRANCH_EQ,
    LPI_BRANCH_NEQ,
    LPI_BRANCH_MEMBER,
    LPI_BRANCHES
};
enum { LPI_TREES_AVERAGE, LPI_TREES_SUM, LPI_TREES_MIN, LPI_TREES_MAX };
enum {
    LPI_SCORES_NONE,
    LPI_SCORES_SOFTMAX,
    LPI_SCORES_LOGISTIC,
    LPI_SCORES_SOFTMAX_ZERO,
    LPI_SCORES_PROBIT
};

/* Trees: nodes that branch, and leaves, each numbered from 0.  A branch goes to
 * the leaf where "nodes_trueleafs" says so, else to the node.  Each leaf adds
 * its entries, a weight and its target each. */
typedef struct lpi_trees {
    lpi_list tree_roots, nodes_featureids, nodes_truenodeids, nodes_trueleafs;
    lpi_list nodes_falsenodeids, nodes_falseleafs, leaf_targetids;
    lpi_list nodes_missing_value_tracks_true;
    int64_t n_targets, aggregate_function, post_transform;
    int64_t features; /* that are read; set by lpi_trees_measure */
    int64_t visits;   /* of nodes by one row, at most; set there too */
    int64_t entries;  /* of a leaf, at most */
    double *splits, *weights, *members;
    int64_t *modes, *first_member; /* by node */
    double *bases;                 /* added to the first scores */
    int64_t bases_count;           /* n_targets at most */
    const int64_t *first_entry;    /* those of leaf i: from [i] up to [i + 1];
                                      NULL: leaf i has entry i */
} lpi_trees;

/* In settle: set what depends on the nodes, all of which are checked. */
lp_status lpi_trees_measure(lpi_node *node, lpi_trees *trees);

/* In shape: "ret_rows" rows (-1: unknown) with all features that are read. */
lp_status lpi_trees_rows(lpi_node *node, const lpi_trees *trees,
                         int64_t *ret_rows);

/* Hooks of rows whose struct begins with an lpi_trees; the run makes all scores
 * output 0. */
void lpi_trees_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_trees_run(const lpi_run *run);

/* In a run: the scores of the "features", with the bases, into "y", and how
 * many entries made each into "counts". */
lp_status lpi_trees_scores(const lpi_run *run, const lpi_trees *trees,
                           const double *features, double *y, int64_t *counts);

/* Apply "transform" to "count" scores in place. */
void lpi_scores_transform(int64_t transform, double *y, int64_t count);

/* LPI_SCORES_ of its name; LP_EINPUT for another. */
lp_status lpi_scores_named(const lpi_node *node, const char *name,
                           int64_t *ret_transform);

/* In a run: make the labels of classes "best", one a row, output 0: "texts",
 * or, without, "numbers". */
lp_status lpi_labels_give(const lpi_run *run, const lpi_list *texts,
                          const lpi_list *numbers, const int64_t *best,
                          int64_t rows);

/* ---- trees.c ------------------------------------------------------------ */

/* In settle: the content of "tensor", "count" numbers, as doubles in the arena
 * of the model. */
lp_status lpi_trees_numbers(const lpi_node *node, lp_tensor *tensor,
                            int64_t count, double **ret_numbers);

/* ---- coupling.c --------------------------------------------------------- */

/* Probabilities "p" of "n" classes, where r[i n + j] is that of i among i and
 * j; "room" is for a number a class. */
void lpi_couple(int64_t n, const double *r, double *p, double *room);

/* ---- planting.c --------------------------------------------------------- */

/* What the attributes of both operators say.  Those that are called target_* of
 * one and class_* of the other share the fields weight_trees to weights. */
typedef struct lpi_forest {
    lpi_trees trees;
    lpi_list treeids, nodeids, nodes_modes, nodes_values, truenodes, falsenodes;
    lpi_list missing, featureids, weight_trees, weight_nodes, weight_ids;
    lpi_list weights, base_values, classlabels_int64s, classlabels_strings;
    lp_tensor *values_tensor, *weights_tensor, *bases_tensor;
    const char *post_transform, *aggregate_function;
    int64_t lone;     /* classifier of two: class of all weights; -1: none */
    bool is_positive; /* classifier: no weight is below 0 */
} lpi_forest;

/* In settle: make the trees of what "forest" says, its targets known. */
lp_status lpi_forest_grow(lpi_node *node, lpi_forest *forest);

/* How many base values the attributes have. */
int64_t lpi_forest_given_bases(const lpi_forest *forest);

/* In settle: take "count" base values, or none. */
lp_status lpi_forest_bases(const lpi_node *node, lpi_forest *forest,
                           int64_t count);

#endif
