/* features.c: operators of ai.onnx.ml that prepare features: FeatureVectorizer,
 * Imputer, Normalizer, OneHotEncoder.
 *
 * Source: ONNX operators of these names, version 1, of ai.onnx.ml. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* ---- FeatureVectorizer --------------------------------------------------- */

typedef struct vector_params {
    lpi_list inputdimensions;
} vector_params;

static const lpi_spec vector_specs[] = {
    LPI_SPEC_NEEDED(vector_params, inputdimensions, LPI_ATTR_INTS),
    {.name = NULL},
};

/* Rows and columns of input "i": one row where it is a vector; -1: unknown. */
static int64_t rows_of(const lpi_node *node, int32_t i)
{
    lp_shape x = lpi_in_shape(node, i);

    return x.rank < 0 ? -1 : x.rank < 2 ? 1 : x.dims[0];
}

static int64_t columns_of(const lpi_node *node, int32_t i)
{
    lp_shape x = lpi_in_shape(node, i);

    return x.rank < 0 ? -1 : lpi_dims_product(x, x.rank < 2 ? 0 : 1, x.rank);
}

static lp_status vector_shape(lpi_node *node)
{
    const vector_params *p = node->params;
    int64_t dims[2] = {-1, 0};

    if (p->inputdimensions.count != node->layer->inputs_count)
        return lpi_node_fail(node, "%lld inputdimensions, %d inputs",
                             (long long)p->inputdimensions.count,
                             node->layer->inputs_count);
    for (int32_t i = 0; i < node->layer->inputs_count; i++) {
        int64_t own = p->inputdimensions.ints[i];

        if (own < 0)
            return lpi_node_fail(node, "inputdimensions[%d] is %lld", i,
                                 (long long)own);
        LP_TRY(lpi_dim_same(node, "rows of two inputs", rows_of(node, i),
                            dims[0], &dims[0]));
        dims[1] = lpi_add(dims[1], own);
    }
    return lpi_out_set(node, 0, LP_FLOAT32, 2, dims);
}

/* The first columns of each input, as many as "inputdimensions" says, 0 where
 * it has fewer. */
static lp_status vector_run(const lpi_run *run)
{
    const vector_params *p = run->node->params;
    lp_shape y = lpi_out_shape(run->node, 0);
    int64_t column = 0;
    double *to;

    LP_TRY(lpi_run_room(run, 0, &to));
    for (int32_t i = 0; i < run->node->layer->inputs_count; i++) {
        int64_t columns = columns_of(run->node, i);
        int64_t own = p->inputdimensions.ints[i];
        const double *from;

        LP_TRY(lpi_run_reals(run, i, &from));
        for (int64_t r = 0; from != NULL && r < y.dims[0]; r++)
            for (int64_t k = 0; k < own && k < columns; k++)
                to[r * y.dims[1] + column + k] = from[r * columns + k];
        column = lpi_add(column, own);
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- Imputer ------------------------------------------------------------- */

typedef struct imputer_params {
    lpi_list imputed_value_floats, imputed_value_int64s;
    float replaced_value_float;
    int64_t replaced_value_int64;
} imputer_params;

static const lpi_spec imputer_specs[] = {
    LPI_SPEC_LIST(imputer_params, imputed_value_floats, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(imputer_params, imputed_value_int64s, LPI_ATTR_INTS),
    LPI_SPEC_FLOAT(imputer_params, replaced_value_float, 0),
    LPI_SPEC_INT(imputer_params, replaced_value_int64, 0),
    {.name = NULL},
};

static lp_status imputer_shape(lpi_node *node)
{
    const imputer_params *p = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    lp_dtype type = lpi_in_dtype(node, 0);
    int64_t features = x.rank > 0 ? x.dims[x.rank - 1] : x.rank == 0 ? 1 : -1;
    int64_t count =
        (type == LP_INT64 ? p->imputed_value_int64s : p->imputed_value_floats)
            .count;

    if (type != LP_UNDEFINED && type != LP_INT64 && !lpi_dtype_is_float(type))
        return lpi_node_fail(node, "imputes no %s", lp_dtype_name(type));
    if (type != LP_UNDEFINED && count != 1 &&
        (count == 0 || (features >= 0 && count != features)))
        return lpi_node_fail(node, "%lld values to impute, %lld features",
                             (long long)count, (long long)features);
    return lpi_shape_as_first(node);
}

static lp_status imputer_run(const lpi_run *run)
{
    const imputer_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t features = x.rank > 0 ? x.dims[x.rank - 1] : 1;
    int64_t count = lpi_in_elements(run->node, 0);
    lpi_list ints = p->imputed_value_int64s, reals = p->imputed_value_floats;
    double replaced = (double)p->replaced_value_float;
    const int64_t *whole = run->in[0];
    const double *from;
    double *to;

    if (lpi_in_dtype(run->node, 0) == LP_INT64) {
        for (int64_t i = 0; i < count; i++)
            ((int64_t *)run->out[0])[i] =
                whole[i] == p->replaced_value_int64
                    ? ints.ints[ints.count > 1 ? i % features : 0]
                    : whole[i];
        return LP_OK;
    }
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] == replaced || (isnan(from[i]) && isnan(replaced))
                    ? (double)reals.floats[reals.count > 1 ? i % features : 0]
                    : from[i];
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- Normalizer ---------------------------------------------------------- */

typedef struct normalizer_params {
    const char *norm;
} normalizer_params;

static const lpi_spec normalizer_specs[] = {
    LPI_SPEC_STRING(normalizer_params, norm, "MAX"),
    {.name = NULL},
};

enum { NORM_MAX, NORM_L1, NORM_L2, NORMS };

/* What "norm" is called; NORMS: another name. */
static int32_t norm_of(const lpi_node *node)
{
    static const char *const names[NORMS] = {"MAX", "L1", "L2"};
    const normalizer_params *p = node->params;
    int32_t norm = 0;

    while (norm < NORMS && strcmp(p->norm, names[norm]) != 0)
        norm++;
    return norm;
}

static lp_status normalizer_shape(lpi_node *node)
{
    const normalizer_params *p = node->params;

    if (norm_of(node) == NORMS)
        return lpi_node_fail(node, "norm is '%.40s'", p->norm);
    return lpi_out_set_shape(node, 0, LP_FLOAT32, lpi_in_shape(node, 0));
}

static void normalizer_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each each[NORMS] = {
        {{[LP_CMP] = 1, [LP_DIV] = 1}},
        {{[LP_CMP] = 1, [LP_ADD] = 1, [LP_DIV] = 1}},
        {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_DIV] = 1}}};

    lpi_cost_each(cost, &each[norm_of(node)], lpi_in_elements(node, 0));
    if (norm_of(node) == NORM_L2)
        lpi_cost_arith(cost, LP_SQRT, rows_of(node, 0));
}

/* A row is left as it is where its norm is 0. */
static lp_status normalizer_run(const lpi_run *run)
{
    int32_t norm = norm_of(run->node);
    int64_t rows = rows_of(run->node, 0), columns = columns_of(run->node, 0);
    const double *from;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t r = 0; r < rows; r++) {
        const double *x = from + r * columns;
        double size = norm == NORM_MAX ? -INFINITY : 0;

        for (int64_t k = 0; k < columns; k++)
            size = norm == NORM_MAX  ? fmax(size, x[k])
                   : norm == NORM_L1 ? size + fabs(x[k])
                                     : size + x[k] * x[k];
        size = norm == NORM_L2 ? sqrt(size) : size;
        for (int64_t k = 0; k < columns; k++)
            to[r * columns + k] = size != 0 ? x[k] / size : x[k];
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- OneHotEncoder ------------------------------------------------------- */

typedef struct onehot_params {
    lpi_list cats_int64s, cats_strings;
    int64_t zeros;
} onehot_params;

static const lpi_spec onehot_specs[] = {
    LPI_SPEC_LIST(onehot_params, cats_int64s, LPI_ATTR_INTS),
    LPI_SPEC_LIST(onehot_params, cats_strings, LPI_ATTR_STRINGS),
    LPI_SPEC_INT(onehot_params, zeros, 1),
    {.name = NULL},
};

static lp_status onehot_shape(lpi_node *node)
{
    const onehot_params *p = node->params;
    bool is_text = p->cats_strings.count > 0;
    lp_dtype type = lpi_in_dtype(node, 0);
    lp_shape x = lpi_in_shape(node, 0);
    int64_t *dims = lpi_node_dims(node, (int64_t)(x.rank > 0 ? x.rank : 0) + 1);

    if (dims == NULL)
        return lpi_node_fail_memory(node);
    if ((p->cats_int64s.count > 0) == is_text ||
        (type != LP_UNDEFINED && (type == LP_STRING) != is_text))
        return lpi_node_fail(node, "%s, %lld categories of int64, %lld of text",
                             lp_dtype_name(type),
                             (long long)p->cats_int64s.count,
                             (long long)p->cats_strings.count);
    if (x.rank < 0)
        return lpi_out_set_shape(node, 0, LP_FLOAT32, x);
    if (x.rank > 0)
        memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    dims[x.rank] = is_text ? p->cats_strings.count : p->cats_int64s.count;
    return lpi_out_set(node, 0, LP_FLOAT32, x.rank + 1, dims);
}

/* Every category is compared with every element at most. */
static void onehot_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_CMP, lpi_out_elements(node, 0));
}

/* Input 0 as whole numbers into "ret_wholes": integers as they stand, others
 * rounded to zero, and "ret_none" of those that no int64 is. */
static lp_status take_wholes(const lpi_run *run, const int64_t **ret_wholes,
                             const bool **ret_none)
{
    int64_t count = lpi_in_elements(run->node, 0);
    int64_t *wholes = LPI_NEW(run->scratch, int64_t, count);
    bool *none = LPI_NEW(run->scratch, bool, count);
    const double *from;

    if (wholes == NULL || none == NULL)
        return lpi_node_fail_memory(run->node);
    *ret_wholes = lpi_in_dtype(run->node, 0) == LP_INT64 ? run->in[0] : wholes;
    *ret_none = none;
    if (*ret_wholes != wholes)
        return LP_OK;
    LP_TRY(lpi_run_reals(run, 0, &from));
    for (int64_t i = 0; i < count; i++) {
        none[i] = !(from[i] >= -0x1p63 && from[i] < 0x1p63);
        wholes[i] = none[i] ? 0 : (int64_t)from[i];
    }
    return LP_OK;
}

static lp_status onehot_run(const lpi_run *run)
{
    const onehot_params *p = run->node->params;
    bool is_text = p->cats_strings.count > 0;
    int64_t count = lpi_in_elements(run->node, 0);
    int64_t classes = is_text ? p->cats_strings.count : p->cats_int64s.count;
    float *to = run->out[0];
    const lpi_bundle *bundle;
    const char **texts = NULL;
    const int64_t *wholes = NULL;
    const bool *none = NULL;

    if (is_text) {
        LP_TRY(lpi_run_bundle(run, 0, LPI_TENSOR, &bundle));
        texts = lpi_bundle_texts(run->scratch, bundle);
        if (texts == NULL)
            return lpi_node_fail_memory(run->node);
    } else {
        LP_TRY(take_wholes(run, &wholes, &none));
    }
    for (int64_t i = 0; i < count; i++) {
        bool found = false;

        for (int64_t k = 0; k < classes; k++) {
            bool same = is_text
                            ? strcmp(texts[i], p->cats_strings.strings[k]) == 0
                            : !none[i] && wholes[i] == p->cats_int64s.ints[k];

            to[i * classes + k] = same && !found;
            found |= same;
        }
        if (!found && p->zeros == 0)
            return lpi_node_fail(run->node, "element %lld is of no category",
                                 (long long)i);
    }
    return LP_OK;
}

#define PREPARES(name_, most, stem)                                            \
    .domain = "ai.onnx.ml", .name = name_, .since = 1, .inputs_min = 1,        \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1,                    \
    .params_size = sizeof(stem##_params), .specs = stem##_specs,               \
    .shape = stem##_shape

#define OPSETS "opset 17; opset ai.onnx.ml 1; "

const lp_op lpi_ops_features[] = {
    {PREPARES("FeatureVectorizer", -1, vector), .run = vector_run,
     .samples = OPSETS "input a: float32[3, 2]; input b: int64[3, 1]; y = "
                       "ai.onnx.ml.FeatureVectorizer(a, b) {inputdimensions: "
                       "[2, 1]}; output y"},
    {PREPARES("Imputer", 1, imputer), .cost = onehot_cost, .run = imputer_run,
     .samples = OPSETS "input x: float32[3, 2]; y = ai.onnx.ml.Imputer(x) "
                       "{imputed_value_floats: [0.5, 1.5], "
                       "replaced_value_float: 3.0}; output y"},
    {PREPARES("Normalizer", 1, normalizer), .cost = normalizer_cost,
     .run = normalizer_run,
     .samples = OPSETS "input x: float32[3, 2]; y = ai.onnx.ml.Normalizer(x) "
                       "{norm: \"L2\"}; output y"},
    {PREPARES("OneHotEncoder", 1, onehot), .cost = onehot_cost,
     .run = onehot_run, .flags = LPI_BUNDLES,
     .samples = OPSETS "input x: int64[3, 2]; y = ai.onnx.ml.OneHotEncoder(x) "
                       "{cats_int64s: [1, 4, 7]}; output y"},
    {.name = NULL},
};
