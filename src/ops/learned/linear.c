/* linear.c: LinearClassifier and LinearRegressor of ai.onnx.ml.
 *
 * Both are a product with the coefficients, a row a score, plus the intercepts;
 * the classifier also gives the label of the highest score.  They are defined
 * by those layers.  A classifier with one score for two classes, and the
 * transforms SOFTMAX_ZERO and PROBIT, are not known.  Source: ONNX operators
 * LinearClassifier-1 and LinearRegressor-1 of ai.onnx.ml. */
#include <string.h>

#include "../ops.h"

typedef struct linear_params {
    lpi_list coefficients, intercepts, classlabels_ints, classlabels_strings;
    const char *post_transform;
    int64_t targets;
} linear_params;

static const lpi_spec linear_specs[] = {
    LPI_SPEC_LIST(linear_params, coefficients, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(linear_params, intercepts, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(linear_params, classlabels_ints, LPI_ATTR_INTS),
    LPI_SPEC_LIST(linear_params, classlabels_strings, LPI_ATTR_STRINGS),
    LPI_SPEC_STRING(linear_params, post_transform, "NONE"),
    LPI_SPEC_INT(linear_params, targets, 1),
    {.name = NULL},
};

/* The operator that stands for the transform of the scores; NULL: none does. */
static const char *transform_of(const linear_params *p)
{
    static const char *const operators[][2] = {
        {"NONE", "Identity"}, {"LOGISTIC", "Sigmoid"}, {"SOFTMAX", "Softmax"}};

    for (int32_t i = 0; i < LPI_COUNT(operators); i++)
        if (strcmp(p->post_transform, operators[i][0]) == 0)
            return operators[i][1];
    return NULL;
}

/* Layers that make "scores", "count" a row, and "y", what the transform makes
 * of them. */
static lp_status define_scores(lpi_define *d, int64_t count)
{
    const linear_params *p = d->node->params;
    const char *transform = transform_of(p);
    const int64_t dims[2] = {count, -1};

    if (transform == NULL)
        return lpi_node_fail(d->node, "post_transform is '%.40s'",
                             p->post_transform);
    if (count < 1 || p->coefficients.count % count != 0 ||
        (p->intercepts.count != 0 && p->intercepts.count != count))
        return lpi_node_fail(d->node,
                             "%lld scores, %lld coefficients and %lld "
                             "intercepts",
                             (long long)count, (long long)p->coefficients.count,
                             (long long)p->intercepts.count);
    lpi_define_layer(
        d, "Constant", "", "flat",
        LPI_ATTRS(LPI_GIVE_FLOATS("value_floats", p->coefficients)));
    lpi_define_ints(d, "dims", dims, 2);
    lpi_define_layer(d, "Reshape", "flat dims", "rows", NULL);
    lpi_define_layer(d, "Transpose", "rows", "columns", NULL);
    lpi_define_layer(d, "Cast", "0", "x",
                     LPI_ATTRS(LPI_GIVE_INT("to", LP_FLOAT32)));
    lpi_define_layer(d, "MatMul", "x columns", "sums", NULL);
    if (p->intercepts.count > 0)
        lpi_define_layer(
            d, "Constant", "", "b",
            LPI_ATTRS(LPI_GIVE_FLOATS("value_floats", p->intercepts)));
    lpi_define_layer(d, p->intercepts.count > 0 ? "Add" : "Identity",
                     p->intercepts.count > 0 ? "sums b" : "sums", "scores",
                     NULL);
    lpi_define_layer(d, transform, "scores", "y", NULL);
    return d->status;
}

static lp_status regressor_settle(lpi_node *node)
{
    lpi_define d = lpi_define_begin(node);

    LP_TRY(d.status);
    LP_TRY(define_scores(&d, ((const linear_params *)node->params)->targets));
    return lpi_define_end(&d, "y");
}

static lp_status classifier_settle(lpi_node *node)
{
    const linear_params *p = node->params;
    bool is_text = p->classlabels_strings.count > 0;
    lpi_list labels = is_text ? p->classlabels_strings : p->classlabels_ints;
    int64_t *numbers = lpi_node_dims(node, labels.count);
    lpi_define d = lpi_define_begin(node);

    LP_TRY(d.status);
    if (numbers == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = 0; i < labels.count; i++)
        numbers[i] = i;
    const lpi_list keys = {.count = labels.count, .ints = numbers};
    LP_TRY(define_scores(&d, labels.count));
    lpi_define_layer(
        &d, "ArgMax", "scores", "best",
        LPI_ATTRS(LPI_GIVE_INT("axis", 1), LPI_GIVE_INT("keepdims", 0)));
    lpi_define_layer(
        &d, "ai.onnx.ml.LabelEncoder", "best", "label",
        LPI_ATTRS(LPI_GIVE_INTS("keys_int64s", keys),
                  {.name = is_text ? "values_strings" : "values_int64s",
                   .kind = is_text ? LPI_ATTR_STRINGS : LPI_ATTR_INTS,
                   .count = labels.count,
                   .ints = labels.ints}));
    return lpi_define_end(&d, "label y");
}

#define LINEAR(name_, outputs, settle_)                                        \
    .domain = "ai.onnx.ml", .name = name_, .since = 1, .inputs_min = 1,        \
    .inputs_max = 1, .outputs_min = 1, .outputs_max = outputs,                 \
    .params_size = sizeof(linear_params), .specs = linear_specs,               \
    .settle = settle_, .shape = lpi_defined_shape, .cost = lpi_defined_cost

#define OPSETS "opset 17; opset ai.onnx.ml 1; "

const lp_op lpi_ops_linear[] = {
    {LINEAR("LinearClassifier", 2, classifier_settle),
     .samples = OPSETS
     "input x: float32[5, 3]; l, y = ai.onnx.ml.LinearClassifier(x) "
     "{coefficients: [1.0, 0.5, -1.0, -1.0, 0.25, 1.0], intercepts: [0.5, "
     "-0.5], classlabels_ints: [4, 7], post_transform: \"LOGISTIC\"}; output "
     "l; output y"},
    {LINEAR("LinearRegressor", 1, regressor_settle),
     .samples = OPSETS
     "input x: float32[5, 3]; y = ai.onnx.ml.LinearRegressor(x) "
     "{coefficients: [1.0, 0.5, -1.0], intercepts: [0.5]}; output y"},
    {.name = NULL},
};
