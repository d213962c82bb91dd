/* planting.c: trees whose nodes are named by a tree and a number.
 *
 * They are brought to the form of TreeEnsemble: leaves apart from nodes,
 * positions in place of numbers.  Names are sorted, so that looking one up is a
 * bisection.  A tree begins with the first of its nodes that is listed; one
 * that is a leaf gets a node above it, whose branches both end there.  Source:
 * ONNX operators TreeEnsembleClassifier-3 and TreeEnsembleRegressor-3 of
 * ai.onnx.ml. */
#include <stdlib.h>
#include <string.h>

#include "../ops.h"

/* A node by its name: "at" is its place in the lists, "to" the node or leaf
 * that it becomes, of "trees". */
typedef struct named {
    int64_t tree, node, at, to;
    bool is_leaf;
} named;

static int compare_named(const void *a, const void *b)
{
    const named *x = a, *y = b;

    if (x->tree != y->tree)
        return x->tree < y->tree ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* What the nodes become. */
typedef struct forest {
    lpi_node *node;
    lpi_forest *params;
    lpi_trees *trees;
    int64_t count;  /* of nodes in the lists */
    named *by_name; /* sorted */
    int64_t *roots, *features, *ends[2], *is_leaf[2], *missing;
    int64_t inner, leaves, roots_count;
} forest;

/* "list", or "tensor" where that is given, as "count" doubles. */
static lp_status take_numbers(const lpi_node *node, const lpi_list *list,
                              lp_tensor *tensor, int64_t count,
                              double **ret_numbers)
{
    double *numbers;

    if (tensor)
        return lpi_trees_numbers(node, tensor, count, ret_numbers);
    if (list->count != count)
        return lpi_node_fail(node, "%lld numbers in a list, not %lld",
                             (long long)list->count, (long long)count);
    numbers = LPI_NEW(node->model->arena, double, count);
    if (numbers == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (double)list->floats[i];
    *ret_numbers = numbers;
    return LP_OK;
}

/* All lists of nodes are of one length, and those of weights. */
static lp_status check_lengths(const lpi_node *node)
{
    const lpi_forest *p = node->params;
    const lpi_list *const lists[2][6] = {
        {&p->nodeids, &p->treeids, &p->nodes_modes, &p->truenodes,
         &p->falsenodes, &p->featureids},
        {&p->weight_ids, &p->weight_trees, &p->weight_nodes}};

    for (int32_t k = 0; k < 2; k++)
        for (int32_t i = 1; i < 6 && lists[k][i]; i++)
            if (lists[k][i]->count != lists[k][0]->count)
                return lpi_node_fail(node, "lists of %lld and %lld entries",
                                     (long long)lists[k][0]->count,
                                     (long long)lists[k][i]->count);
    if (p->missing.count != 0 && p->missing.count != p->nodeids.count)
        return lpi_node_fail(node, "%lld nodes_missing_value_tracks_true",
                             (long long)p->missing.count);
    return LP_OK;
}

/* The node called "id" of "tree"; NULL: none. */
static named *find(const forest *f, int64_t tree, int64_t id)
{
    const named key = {.tree = tree, .node = id};

    return bsearch(&key, f->by_name, (size_t)f->count, sizeof(key),
                   compare_named);
}

/* Name all nodes, and number those that branch and those that do not. */
static lp_status name_nodes(forest *f)
{
    const lpi_forest *p = f->params;

    for (int64_t i = 0; i < f->count; i++)
        f->by_name[i] =
            (named){.tree = p->treeids.ints[i],
                    .node = p->nodeids.ints[i],
                    .at = i,
                    .is_leaf = strcmp(p->nodes_modes.strings[i], "LEAF") == 0};
    if (f->count > 0)
        qsort(f->by_name, (size_t)f->count, sizeof(named), compare_named);
    for (int64_t i = 0; i < f->count; i++) {
        named *own = &f->by_name[i];

        if (i > 0 && compare_named(own - 1, own) == 0)
            return lpi_node_fail(f->node, "node %lld of tree %lld stands twice",
                                 (long long)own->node, (long long)own->tree);
    }
    for (int64_t i = 0; i < f->count; i++) {
        named *own = find(f, p->treeids.ints[i], p->nodeids.ints[i]);

        own->to = own->is_leaf ? f->leaves++ : f->inner++;
    }
    return LP_OK;
}

/* Branch "way" of node "at" goes to "end". */
static void lead(forest *f, int32_t way, int64_t at, const named *end)
{
    f->ends[way][at] = end->to;
    f->is_leaf[way][at] = end->is_leaf;
}

/* How node "own" branches. */
static lp_status branch(forest *f, const named *own, const double *values)
{
    static const char *const names[] = {"BRANCH_LEQ", "BRANCH_LT",
                                        "BRANCH_GTE", "BRANCH_GT",
                                        "BRANCH_EQ",  "BRANCH_NEQ"};
    const lpi_forest *p = f->params;
    const lpi_list *const ways[2] = {&p->truenodes, &p->falsenodes};
    int64_t at = own->to, mode = 0;

    while (mode < LPI_COUNT(names) &&
           strcmp(p->nodes_modes.strings[own->at], names[mode]) != 0)
        mode++;
    if (mode == LPI_COUNT(names) || p->featureids.ints[own->at] < 0 ||
        p->featureids.ints[own->at] == INT64_MAX)
        return lpi_node_fail(f->node, "node %lld is '%.40s' of feature %lld",
                             (long long)own->at,
                             p->nodes_modes.strings[own->at],
                             (long long)p->featureids.ints[own->at]);
    for (int32_t way = 0; way < 2; way++) {
        const named *end = find(f, own->tree, ways[way]->ints[own->at]);

        if (end == NULL)
            return lpi_node_fail(f->node, "tree %lld has no node %lld",
                                 (long long)own->tree,
                                 (long long)ways[way]->ints[own->at]);
        lead(f, way, at, end);
    }
    f->trees->modes[at] = mode;
    f->trees->splits[at] = values[own->at];
    f->features[at] = p->featureids.ints[own->at];
    f->missing[at] = p->missing.count > 0 && p->missing.ints[own->at] == 1;
    return LP_OK;
}

/* Begin each tree with the one of its nodes that is listed first. */
static void plant(forest *f)
{
    for (int64_t i = 0, end; i < f->count; i = end) {
        const named *own = &f->by_name[i];

        for (end = i; end < f->count && f->by_name[end].tree == own->tree;
             end++)
            if (f->by_name[end].at < own->at)
                own = &f->by_name[end];
        if (own->is_leaf) {
            lead(f, 0, f->inner, own);
            lead(f, 1, f->inner, own);
        }
        f->roots[f->roots_count++] = own->is_leaf ? f->inner++ : own->to;
    }
}

/* The entries of each leaf, in the order of the lists. */
static lp_status hang(forest *f)
{
    const lpi_forest *p = f->params;
    lpi_trees *trees = f->trees;
    int64_t count = p->weight_ids.count;
    int64_t *first = lpi_node_dims(f->node, f->leaves + 2);
    int64_t *targets = lpi_node_dims(f->node, count);
    double *given, *weights = LPI_NEW(f->node->model->arena, double, count);

    if (first == NULL || targets == NULL || weights == NULL)
        return lpi_node_fail_memory(f->node);
    LP_TRY(
        take_numbers(f->node, &p->weights, p->weights_tensor, count, &given));
    memset(first, 0, (size_t)(f->leaves + 2) * sizeof(*first));
    for (int32_t pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < count; i++) {
            const named *own =
                find(f, p->weight_trees.ints[i], p->weight_nodes.ints[i]);
            int64_t id = p->weight_ids.ints[i];

            if (own == NULL || id < 0 || id >= trees->n_targets)
                return lpi_node_fail(
                    f->node, "weight %lld of no node or target", (long long)i);
            if (pass > 0 && own->is_leaf) {
                weights[first[own->to + 1]] = given[i];
                targets[first[own->to + 1]++] = id;
            } else if (own->is_leaf) {
                first[own->to + 2]++;
            }
        }
        for (int64_t i = 1; pass == 0 && i < f->leaves + 2; i++) {
            if (first[i] > trees->entries)
                trees->entries = first[i];
            first[i] += first[i - 1];
        }
    }
    trees->first_entry = first;
    trees->weights = weights;
    trees->leaf_targetids = (lpi_list){.count = count, .ints = targets};
    return LP_OK;
}

/* Room for what "count" nodes become: one more where a tree is a leaf. */
static lp_status make_room(forest *f)
{
    int64_t most = lpi_mul(2, f->count);
    int64_t **const lists[] = {&f->roots,      &f->features,    &f->missing,
                               &f->ends[0],    &f->ends[1],     &f->is_leaf[0],
                               &f->is_leaf[1], &f->trees->modes};

    f->by_name = LPI_NEW(f->node->model->arena, named, f->count);
    f->trees->splits = LPI_NEW(f->node->model->arena, double, most);
    if (f->by_name == NULL || f->trees->splits == NULL)
        return lpi_node_fail_memory(f->node);
    for (int32_t i = 0; i < LPI_COUNT(lists); i++) {
        *lists[i] = lpi_node_dims(f->node, most);
        if (*lists[i] == NULL)
            return lpi_node_fail_memory(f->node);
        memset(*lists[i], 0, (size_t)most * sizeof(**lists[i]));
    }
    return LP_OK;
}

lp_status lpi_forest_grow(lpi_node *node, lpi_forest *p)
{
    lpi_trees *trees = &p->trees;
    forest f = {
        .node = node, .params = p, .trees = trees, .count = p->nodeids.count};
    double *values;

    LP_TRY(check_lengths(node));
    LP_TRY(make_room(&f));
    LP_TRY(take_numbers(node, &p->nodes_values, p->values_tensor, f.count,
                        &values));
    LP_TRY(name_nodes(&f));
    for (int64_t i = 0; i < f.count; i++)
        if (!f.by_name[i].is_leaf)
            LP_TRY(branch(&f, &f.by_name[i], values));
    plant(&f);
    trees->tree_roots = (lpi_list){.count = f.roots_count, .ints = f.roots};
    trees->nodes_featureids = (lpi_list){.count = f.inner, .ints = f.features};
    trees->nodes_truenodeids = (lpi_list){.count = f.inner, .ints = f.ends[0]};
    trees->nodes_falsenodeids = (lpi_list){.count = f.inner, .ints = f.ends[1]};
    trees->nodes_trueleafs = (lpi_list){.count = f.inner, .ints = f.is_leaf[0]};
    trees->nodes_falseleafs =
        (lpi_list){.count = f.inner, .ints = f.is_leaf[1]};
    trees->nodes_missing_value_tracks_true =
        (lpi_list){.count = f.inner, .ints = f.missing};
    LP_TRY(hang(&f));
    LP_TRY(lpi_scores_named(node, p->post_transform, &trees->post_transform));
    return lpi_trees_measure(node, trees);
}

int64_t lpi_forest_given_bases(const lpi_forest *p)
{
    return p->bases_tensor ? lpi_tensor_elements(p->bases_tensor)
                           : p->base_values.count;
}

lp_status lpi_forest_bases(const lpi_node *node, lpi_forest *p, int64_t count)
{
    p->trees.bases_count = lpi_forest_given_bases(p) == 0 ? 0 : count;
    return take_numbers(node, &p->base_values, p->bases_tensor,
                        p->trees.bases_count, &p->trees.bases);
}
