/* labels.c: operators of ai.onnx.ml about labels: CategoryMapper, and ZipMap,
 * which is counted and not run: there are no maps here.
 *
 * Source: ONNX operators CategoryMapper-1 and ZipMap-1 of ai.onnx.ml. */
#include "../ops.h"

typedef struct category_params {
    lpi_list cats_int64s, cats_strings;
    int64_t default_int64;
    const char *default_string;
} category_params;

static const lpi_spec category_specs[] = {
    LPI_SPEC_NEEDED(category_params, cats_int64s, LPI_ATTR_INTS),
    LPI_SPEC_NEEDED(category_params, cats_strings, LPI_ATTR_STRINGS),
    LPI_SPEC_INT(category_params, default_int64, -1),
    LPI_SPEC_STRING(category_params, default_string, "_Unused"),
    {.name = NULL},
};

/* A LabelEncoder from texts to numbers, or back. */
static lp_status category_shape(lpi_node *node)
{
    const category_params *p = node->params;
    lp_dtype type = lpi_in_dtype(node, 0);
    bool is_text = type == LP_STRING;
    lpi_define d;

    if (type == LP_UNDEFINED)
        return LP_OK;
    if (node->layer->definition != NULL)
        return lpi_defined_shape(node);
    if (!is_text && type != LP_INT64)
        return lpi_node_fail(node, "maps texts and int64, not %s",
                             lp_dtype_name(type));
    d = lpi_define_begin(node);
    lpi_define_layer(
        &d, "ai.onnx.ml.LabelEncoder", "0", "y",
        LPI_ATTRS({.name = is_text ? "keys_strings" : "values_strings",
                   .kind = LPI_ATTR_STRINGS,
                   .count = p->cats_strings.count,
                   .strings = p->cats_strings.strings},
                  {.name = is_text ? "values_int64s" : "keys_int64s",
                   .kind = LPI_ATTR_INTS,
                   .count = p->cats_int64s.count,
                   .ints = p->cats_int64s.ints},
                  {.name = "default_int64",
                   .kind = LPI_ATTR_INT,
                   .i = p->default_int64},
                  {.name = "default_string",
                   .kind = LPI_ATTR_STRING,
                   .s = p->default_string}));
    LP_TRY(lpi_define_end(&d, "y"));
    return lpi_defined_shape(node);
}

typedef struct zip_params {
    lpi_list classlabels_int64s, classlabels_strings;
} zip_params;

static const lpi_spec zip_specs[] = {
    LPI_SPEC_LIST(zip_params, classlabels_int64s, LPI_ATTR_INTS),
    LPI_SPEC_LIST(zip_params, classlabels_strings, LPI_ATTR_STRINGS),
    {.name = NULL},
};

/* A sequence of maps, one a row, from the labels to scores. */
static lp_status zip_shape(lpi_node *node)
{
    const zip_params *p = node->params;
    int64_t labels = p->classlabels_int64s.count + p->classlabels_strings.count;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t columns = x.rank > 0 ? x.dims[x.rank - 1] : -1;

    if (columns >= 0 && columns != labels)
        return lpi_node_fail(node, "%lld labels, %lld columns",
                             (long long)labels, (long long)columns);
    return lpi_out_container(node, 0, LPI_SEQUENCE, LP_FLOAT32,
                             lpi_shape_unknown);
}

#define LABELS(name_, stem)                                                    \
    .domain = "ai.onnx.ml", .name = name_, .since = 1, .inputs_min = 1,        \
    .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,                       \
    .params_size = sizeof(stem##_params), .specs = stem##_specs,               \
    .shape = stem##_shape

#define OPSETS "opset 17; opset ai.onnx.ml 1; "

const lp_op lpi_ops_labels[] = {
    {LABELS("CategoryMapper", category), .cost = lpi_defined_cost,
     .samples = OPSETS "input x: int64[4]; y = ai.onnx.ml.CategoryMapper(x) "
                       "{cats_int64s: [2, 5], cats_strings: [\"a\", \"b\"]}; "
                       "output y"},
    {LABELS("ZipMap", zip), .flags = LPI_BUNDLES,
     .samples = OPSETS "input x: float32[3, 2]; y = ai.onnx.ml.ZipMap(x) "
                       "{classlabels_int64s: [1, 4]}; output y"},
    {.name = NULL},
};
