/* vectors.c: SVMClassifier and SVMRegressor of ai.onnx.ml.
 *
 * A kernel compares each row with each support vector; the coefficients weigh
 * what comes out.  A classifier decides between each two classes, and the class
 * is the one that most decisions are for; "prob_a" and "prob_b" make of these
 * decisions a probability a class.  Without support vectors there is a plane a
 * class.  Sources: ONNX operators SVMClassifier-1 and SVMRegressor-1 of
 * ai.onnx.ml, and ONNX Runtime where they leave open what comes out. */
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { LINEAR, POLY, RBF, SIGMOID, KERNELS };

typedef struct vector_params {
    lpi_list coefficients, support_vectors, rho, kernel_params;
    lpi_list vectors_per_class, prob_a, prob_b;
    lpi_list classlabels_ints, classlabels_strings;
    const char *kernel_type, *post_transform;
    int64_t n_supports, one_class;
    /* set by settle */
    int64_t kernel, transform, vectors, features, classes, pairs, scores;
} vector_params;

static const lpi_spec vector_specs[] = {
    LPI_SPEC_NEEDED(vector_params, coefficients, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(vector_params, support_vectors, LPI_ATTR_FLOATS),
    LPI_SPEC_NEEDED(vector_params, rho, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(vector_params, kernel_params, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(vector_params, vectors_per_class, LPI_ATTR_INTS),
    LPI_SPEC_LIST(vector_params, prob_a, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(vector_params, prob_b, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(vector_params, classlabels_ints, LPI_ATTR_INTS),
    LPI_SPEC_LIST(vector_params, classlabels_strings, LPI_ATTR_STRINGS),
    LPI_SPEC_STRING(vector_params, kernel_type, "LINEAR"),
    LPI_SPEC_STRING(vector_params, post_transform, "NONE"),
    LPI_SPEC_INT(vector_params, n_supports, 0),
    LPI_SPEC_INT(vector_params, one_class, 0),
    {.name = NULL},
};

static lp_status want(const lpi_node *node, const char *what, int64_t count,
                      int64_t wanted)
{
    if (count != wanted)
        return lpi_node_fail(node, "%lld %s, not %lld", (long long)count, what,
                             (long long)wanted);
    return LP_OK;
}

/* "vectors" support vectors, or planes where there are none; "sums" sums are
 * made of what the kernel makes of them. */
static lp_status take_kernel(const lpi_node *node, vector_params *p,
                             int64_t sums)
{
    static const char *const names[KERNELS] = {"LINEAR", "POLY", "RBF",
                                               "SIGMOID"};
    int64_t planes = p->classes > 0 ? p->classes : 1;

    while (p->kernel < KERNELS && strcmp(p->kernel_type, names[p->kernel]) != 0)
        p->kernel++;
    if (p->kernel == KERNELS)
        return lpi_node_fail(node, "kernel_type is '%.40s'", p->kernel_type);
    if (p->kernel_params.count > 0 || p->kernel != LINEAR)
        LP_TRY(want(node, "kernel_params", p->kernel_params.count, 3));
    LP_TRY(lpi_scores_named(node, p->post_transform, &p->transform));
    if (p->vectors > 0) {
        p->features = p->support_vectors.count / p->vectors;
        LP_TRY(want(node, "elements of support vectors",
                    p->support_vectors.count,
                    lpi_mul(p->vectors, p->features)));
        return want(node, "coefficients", p->coefficients.count,
                    lpi_mul(sums, p->vectors));
    }
    p->kernel = LINEAR;
    p->features = p->coefficients.count / planes;
    LP_TRY(want(node, "coefficients", p->coefficients.count,
                lpi_mul(planes, p->features)));
    return p->rho.count > 0 ? LP_OK : want(node, "rho", p->rho.count, 1);
}

static lp_status regressor_settle(lpi_node *node)
{
    vector_params *p = (vector_params *)node->params;

    p->vectors = p->n_supports;
    p->scores = 1;
    if (p->vectors < 0)
        return lpi_node_fail(node, "n_supports is %lld", (long long)p->vectors);
    LP_TRY(want(node, "rho", p->rho.count, 1));
    return take_kernel(node, p, 1);
}

static lp_status classifier_settle(lpi_node *node)
{
    vector_params *p = (vector_params *)node->params;

    p->classes = p->classlabels_strings.count > 0 ? p->classlabels_strings.count
                                                  : p->classlabels_ints.count;
    if (p->classes < 2 || p->classes > UINT16_MAX)
        return lpi_node_fail(node, "%lld classes", (long long)p->classes);
    p->pairs = p->classes * (p->classes - 1) / 2;
    for (int64_t i = 0; i < p->vectors_per_class.count; i++) {
        if (p->vectors_per_class.ints[i] < 0)
            return lpi_node_fail(node, "vectors_per_class[%lld] is %lld",
                                 (long long)i,
                                 (long long)p->vectors_per_class.ints[i]);
        p->vectors = lpi_add(p->vectors, p->vectors_per_class.ints[i]);
    }
    p->scores = p->classes;
    if (p->vectors > 0) {
        LP_TRY(want(node, "vectors_per_class", p->vectors_per_class.count,
                    p->classes));
        LP_TRY(want(node, "rho", p->rho.count, p->pairs));
        LP_TRY(want(node, "prob_b", p->prob_b.count, p->prob_a.count));
        if (p->prob_a.count > 0)
            LP_TRY(want(node, "prob_a", p->prob_a.count, p->pairs));
        else if (p->classes > 2)
            p->scores = p->pairs;
    }
    return take_kernel(node, p, p->classes - 1);
}

static lp_status vectors_shape(lpi_node *node)
{
    const vector_params *p = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t dims[2] = {x.rank == 2   ? x.dims[0]
                       : x.rank == 1 ? 1
                                     : -1,
                       p->scores};

    if (x.rank >= 0 &&
        (x.rank < 1 || x.rank > 2 ||
         (x.dims[x.rank - 1] >= 0 && x.dims[x.rank - 1] != p->features)))
        return lpi_node_fail(node, "input of rank %d, %lld features", x.rank,
                             (long long)p->features);
    if (p->classes == 0)
        return lpi_out_set(node, 0, LP_FLOAT32, 2, dims);
    LP_TRY(lpi_out_set(node, 0,
                       p->classlabels_strings.count > 0 ? LP_STRING : LP_INT64,
                       1, dims));
    return lpi_out_set(node, 1, LP_FLOAT32, 2, dims);
}

static int64_t rows_of(const lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);

    return x.rank == 2 ? x.dims[0] : 1;
}

/* Products of the kernel and with the coefficients, and what the kernel does to
 * an element and to a sum; coupled probabilities are an estimate. */
static void vectors_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each each[KERNELS] = {
        [POLY] = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_SQRT] = 1}},
        [RBF] = {{[LP_MUL] = 1, [LP_EXP] = 1}},
        [SIGMOID] = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_EXP] = 1}}};
    const vector_params *p = node->params;
    int64_t rows = rows_of(node);
    int64_t planes = p->classes > 0 ? p->classes : 1;
    int64_t first = p->vectors > 0 ? p->vectors : planes;
    int64_t sums = p->vectors == 0 ? 0 : p->classes > 0 ? p->classes - 1 : 1;
    int64_t products = lpi_mul(rows, lpi_mul(first, p->features));

    cost->macs_linear = lpi_add(cost->macs_linear, products);
    cost->macs_linear =
        lpi_add(cost->macs_linear, lpi_mul(rows, lpi_mul(sums, p->vectors)));
    lpi_cost_arith(cost, LP_ADD, p->kernel == RBF ? products : 0);
    lpi_cost_each(cost, &each[p->kernel], lpi_mul(rows, first));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(rows, p->scores));
}

/* What the kernel makes of "x" and vector "v". */
static double compare(const vector_params *p, const double *x, const float *v)
{
    const float *of = p->kernel_params.floats;
    double sum = 0;

    for (int64_t k = 0; k < p->features; k++) {
        double own = (double)v[k];

        sum += p->kernel == RBF ? (x[k] - own) * (x[k] - own) : x[k] * own;
    }
    LPI_MACS(p->features);
    if (p->kernel == LINEAR)
        return sum;
    if (p->kernel == RBF)
        return exp(-(double)of[0] * sum);
    sum = (double)of[0] * sum + (double)of[1];
    return p->kernel == POLY ? pow(sum, (double)of[2]) : tanh(sum);
}

/* "count" products of coefficients from "c" on with "values". */
static double weigh(const float *c, const double *values, int64_t count)
{
    double sum = 0;

    for (int64_t k = 0; k < count; k++)
        sum += (double)c[k] * values[k];
    LPI_MACS(count);
    return sum;
}

static lp_status regressor_run(const lpi_run *run)
{
    const vector_params *p = run->node->params;
    double *values = LPI_NEW(run->scratch, double, p->vectors + 1);
    const float *c = p->coefficients.floats;
    const double *x;
    double *y;

    LP_TRY(lpi_run_reals(run, 0, &x));
    LP_TRY(lpi_run_room(run, 0, &y));
    if (values == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t r = 0; r < rows_of(run->node); r++, x += p->features) {
        for (int64_t v = 0; v < p->vectors; v++)
            values[v] =
                compare(p, x, p->support_vectors.floats + v * p->features);
        y[r] = (double)p->rho.floats[0] + (p->vectors > 0
                                               ? weigh(c, values, p->vectors)
                                               : compare(p, x, c));
        if (p->one_class != 0)
            y[r] = y[r] > 0 ? 1 : -1;
    }
    lpi_run_keep(run, 0, y);
    return LP_OK;
}

/* The decisions between each two classes, by the kernel's "values", into
 * "decisions", and the first class that most are for. */
static int64_t decide(const vector_params *p, const double *values,
                      double *decisions, int64_t *votes)
{
    const float *c = p->coefficients.floats;
    const int64_t *counts = p->vectors_per_class.ints;
    int64_t at_i = 0, pair = 0, best = 0;

    memset(votes, 0, (size_t)p->classes * sizeof(*votes));
    for (int64_t i = 0; i < p->classes; at_i += counts[i++])
        for (int64_t j = i + 1, at_j = at_i + counts[i]; j < p->classes;
             at_j += counts[j++], pair++) {
            decisions[pair] =
                (double)p->rho.floats[pair] +
                weigh(c + (j - 1) * p->vectors + at_i, values + at_i,
                      counts[i]) +
                weigh(c + i * p->vectors + at_j, values + at_j, counts[j]);
            votes[decisions[pair] > 0 ? i : j]++;
        }
    for (int64_t k = 1; k < p->classes; k++)
        if (votes[k] > votes[best])
            best = k;
    return best;
}

/* Probabilities "y" of the classes from "decisions"; "r" has room for a number
 * each two classes and one each. */
static void couple(const vector_params *p, const double *decisions, double *r,
                   double *y)
{
    const double least = 1e-7;
    int64_t n = p->classes, pair = 0;

    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++, pair++) {
            double v = decisions[pair] * (double)p->prob_a.floats[pair] +
                       (double)p->prob_b.floats[pair];
            double own = fmin(fmax(1 / (1 + exp(v)), least), 1 - least);

            r[i * n + j] = own;
            r[j * n + i] = 1 - own;
        }
    lpi_couple(n, r, y, r + n * n);
}

/* The scores of row "x" into "y", and its class; "room" is for what the kernel
 * makes, decisions, and coupling. */
static int64_t classify(const vector_params *p, const double *x, double *room,
                        int64_t *votes, double *y)
{
    double *decisions = room + p->vectors, *r = decisions + p->pairs;
    bool is_plain = p->transform == LPI_SCORES_NONE ||
                    p->transform == LPI_SCORES_LOGISTIC;
    int64_t best = 0;

    if (p->vectors == 0) {
        for (int64_t k = 0; k < p->classes; k++) {
            y[k] = compare(p, x, p->coefficients.floats + k * p->features) +
                   (double)p->rho.floats[0];
            best = y[k] > y[best] ? k : best;
        }
    } else {
        for (int64_t v = 0; v < p->vectors; v++)
            room[v] =
                compare(p, x, p->support_vectors.floats + v * p->features);
        best = decide(p, room, decisions, votes);
    }
    if (p->vectors > 0 && p->prob_a.count > 0) {
        couple(p, decisions, r, y);
    } else if (p->vectors > 0 && p->pairs == 1) {
        y[0] = is_plain ? -decisions[0] : 1 - decisions[0];
        y[1] = decisions[0];
        if (p->transform == LPI_SCORES_LOGISTIC)
            lpi_scores_transform(p->transform, y, p->scores);
        return best;
    } else if (p->vectors > 0) {
        memcpy(y, decisions, (size_t)p->pairs * sizeof(*y));
    }
    lpi_scores_transform(p->transform, y, p->scores);
    return best;
}

static lp_status classifier_run(const lpi_run *run)
{
    const vector_params *p = run->node->params;
    int64_t rows = rows_of(run->node);
    int64_t coupling = p->prob_a.count > 0 ? lpi_mul(p->classes, p->classes + 1)
                                           : 0;
    double *room = LPI_NEW(run->scratch, double,
                           lpi_add(p->vectors, lpi_add(p->pairs, coupling)));
    double *y = LPI_NEW(run->scratch, double, lpi_mul(rows, p->scores));
    int64_t *votes = LPI_NEW(run->scratch, int64_t, p->classes);
    int64_t *best = LPI_NEW(run->scratch, int64_t, rows);
    const double *x;

    LP_TRY(lpi_run_reals(run, 0, &x));
    if (room == NULL || y == NULL || votes == NULL || best == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < rows; i++)
        best[i] =
            classify(p, x + i * p->features, room, votes, y + i * p->scores);
    lpi_run_keep(run, 1, y);
    return lpi_labels_give(run, &p->classlabels_strings, &p->classlabels_ints,
                           best, rows);
}

#define VECTORS(name_, outputs, stem)                                          \
    .domain = "ai.onnx.ml", .name = name_, .since = 1, .inputs_min = 1,        \
    .inputs_max = 1, .outputs_min = 1, .outputs_max = outputs,                 \
    .params_size = sizeof(vector_params), .specs = vector_specs,               \
    .settle = stem##_settle, .shape = vectors_shape, .cost = vectors_cost,     \
    .run = stem##_run

#define OPSETS "opset 17; opset ai.onnx.ml 1; "

const lp_op lpi_ops_vectors[] = {
    {VECTORS("SVMClassifier", 2, classifier), .flags = LPI_BUNDLES,
     .samples = OPSETS
     "input x: float32[5, 2]; l, y = ai.onnx.ml.SVMClassifier(x) "
     "{support_vectors: [1.0, 0.5, -1.0, 2.0, 0.25, 1.0], vectors_per_class: "
     "[1, 2], coefficients: [1.0, -0.5, -0.5], rho: [0.25], kernel_type: "
     "\"RBF\", kernel_params: [0.5, 0.0, 3.0], prob_a: [-1.0], prob_b: [0.5], "
     "classlabels_ints: [4, 7]}; output l; output y"},
    {VECTORS("SVMRegressor", 1, regressor),
     .samples = OPSETS
     "input x: float32[5, 2]; y = ai.onnx.ml.SVMRegressor(x) "
     "{support_vectors: [1.0, 0.5, -1.0, 2.0], n_supports: 2, coefficients: "
     "[1.0, -0.5], rho: [0.25], kernel_type: \"POLY\", kernel_params: [0.5, "
     "0.0, 3.0]}; output y"},
    {.name = NULL},
};
