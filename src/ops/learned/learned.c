/* learned.c: operators of ai.onnx.ml but trees: ArrayFeatureExtractor,
 * Binarizer, LabelEncoder, Scaler.
 *
 * Source: ONNX operators ArrayFeatureExtractor-1, Binarizer-1, LabelEncoder-4,
 * Scaler-1 of ai.onnx.ml. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* Keys, values or the default of a LabelEncoder: numbers or texts. */
typedef struct column {
    lp_dtype dtype; /* LP_UNDEFINED: not given */
    int64_t count;
    const void *bytes; /* in storage form */
    const char *const *texts;
} column;

typedef struct label_params {
    column keys, values, absent;
} label_params;

/* The texts of a tensor of texts; NULL without. */
static const char *const *texts_of(const lpi_node *node,
                                   const lp_tensor *tensor)
{
    return tensor->payload.where == LPI_INLINE
               ? lpi_bundle_texts(node->model->arena, tensor->payload.bytes)
               : NULL;
}

/* The column that attribute "attr" holds. */
static lp_status take_column(const lpi_node *node, const lpi_attr *attr,
                             column *ret_column)
{
    lp_tensor *tensor;

    switch (attr->kind) {
    case LPI_ATTR_STRINGS:
        *ret_column = (column){LP_STRING, attr->count, NULL, attr->strings};
        return LP_OK;
    case LPI_ATTR_INTS:
        *ret_column = (column){LP_INT64, attr->count, attr->ints, NULL};
        return LP_OK;
    case LPI_ATTR_FLOATS:
        *ret_column = (column){LP_FLOAT32, attr->count, attr->floats, NULL};
        return LP_OK;
    case LPI_ATTR_STRING:
        *ret_column = (column){LP_STRING, 1, NULL, &attr->s};
        return LP_OK;
    case LPI_ATTR_INT:
        *ret_column = (column){LP_INT64, 1, &attr->i, NULL};
        return LP_OK;
    case LPI_ATTR_FLOAT:
        *ret_column = (column){LP_FLOAT32, 1, &attr->f, NULL};
        return LP_OK;
    case LPI_ATTR_TENSOR:
        break;
    default:
        return lpi_node_fail(node, "attribute '%s' is no list", attr->name);
    }
    tensor = attr->tensor;
    LP_TRY(lpi_tensor_load(node->model, tensor, INT64_MAX, node->error));
    *ret_column = (column){tensor->dtype, lpi_tensor_elements(tensor),
                           tensor->value, NULL};
    if (tensor->dtype == LP_STRING)
        ret_column->texts = texts_of(node, tensor);
    else if (lpi_class_of(tensor->dtype) == LPI_NO_CLASS)
        return lpi_node_fail(node, "attribute '%s' is of %s", attr->name,
                             lp_dtype_name(tensor->dtype));
    if (ret_column->count > 0 && !ret_column->bytes && !ret_column->texts)
        return lpi_node_fail(node, "attribute '%s' has no content", attr->name);
    return LP_OK;
}

/* What a text, integer or float becomes that is no key. */
static column absent_of(lp_dtype dtype)
{
    static const char *const unused = "_Unused";
    static const int64_t minus_one = -1;
    static const float zero = -0.0F;

    if (dtype == LP_STRING)
        return (column){LP_STRING, 1, NULL, &unused};
    return lpi_dtype_is_float(dtype) ? (column){LP_FLOAT32, 1, &zero, NULL}
                                     : (column){LP_INT64, 1, &minus_one, NULL};
}

static lp_status label_settle(lpi_node *node)
{
    label_params *p = (label_params *)node->params;

    for (int32_t i = 0; i < node->layer->attrs_count; i++) {
        const lpi_attr *attr = &node->layer->attrs[i];

        if (strncmp(attr->name, "keys_", 5) == 0)
            LP_TRY(take_column(node, attr, &p->keys));
        else if (strncmp(attr->name, "values_", 7) == 0)
            LP_TRY(take_column(node, attr, &p->values));
    }
    if (p->keys.dtype == LP_UNDEFINED || p->keys.count != p->values.count)
        return lpi_node_fail(node, "has %lld keys and %lld values",
                             (long long)p->keys.count,
                             (long long)p->values.count);
    p->absent = absent_of(p->values.dtype);
    for (int32_t i = 0; i < node->layer->attrs_count; i++) {
        const lpi_attr *attr = &node->layer->attrs[i];
        column own;

        if (strncmp(attr->name, "default_", 8) != 0)
            continue;
        LP_TRY(take_column(node, attr, &own));
        if (own.count == 1 &&
            (own.dtype == LP_STRING) == (p->values.dtype == LP_STRING) &&
            lpi_dtype_is_float(own.dtype) ==
                lpi_dtype_is_float(p->values.dtype))
            p->absent = own;
    }
    return LP_OK;
}

static lp_status label_shape(lpi_node *node)
{
    const label_params *p = node->params;
    lp_dtype type = lpi_in_dtype(node, 0);

    if (type != LP_UNDEFINED &&
        (type == LP_STRING) != (p->keys.dtype == LP_STRING))
        return lpi_node_fail(node, "%s are looked up among keys of %s",
                             lp_dtype_name(type), lp_dtype_name(p->keys.dtype));
    return lpi_out_set_shape(node, 0, p->values.dtype, lpi_in_shape(node, 0));
}

/* Every key is compared with every element at most. */
static void label_cost(const lpi_node *node, lp_cost *cost)
{
    const label_params *p = node->params;

    lpi_cost_arith(cost, LP_CMP,
                   lpi_mul(p->keys.count, lpi_in_elements(node, 0)));
}

/* "count" numbers of "dtype" as integers or doubles, in the scratch. */
static void *unpacked(const lpi_run *run, lp_dtype dtype, const void *bytes,
                      int64_t count, lpi_class class)
{
    lpi_class own = lpi_class_of(dtype);
    void *raw = lpi_arena_array(run->scratch, count, lpi_class_size(own));
    void *numbers = lpi_arena_array(run->scratch, count, lpi_class_size(class));

    if (raw == NULL || numbers == NULL)
        return NULL;
    lpi_unpack(dtype, bytes, 0, count, raw);
    lpi_convert(own, raw, class, numbers, count);
    return numbers;
}

/* For each element the last key that it is, or -1, in "found". */
static lp_status find_texts(const lpi_run *run, int64_t *found)
{
    const label_params *p = run->node->params;
    const lpi_bundle *bundle;
    const char **texts;

    LP_TRY(lpi_run_bundle(run, 0, LPI_TENSOR, &bundle));
    texts = lpi_bundle_texts(run->scratch, bundle);
    if (texts == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < bundle->count; i++) {
        found[i] = p->keys.count;
        while (--found[i] >= 0 &&
               strcmp(texts[i], p->keys.texts[found[i]]) != 0)
            ;
    }
    return LP_OK;
}

static lp_status find_numbers(const lpi_run *run, int64_t *found)
{
    const label_params *p = run->node->params;
    int64_t count = lpi_in_elements(run->node, 0);
    lp_dtype type = lpi_in_dtype(run->node, 0);
    bool exact = !lpi_dtype_is_float(type) &&
                 !lpi_dtype_is_float(p->keys.dtype);
    lpi_class class = exact ? LPI_I64 : LPI_F64;
    const void *x = unpacked(run, type, run->in[0], count, class);
    const void *keys =
        unpacked(run, p->keys.dtype, p->keys.bytes, p->keys.count, class);

    if (x == NULL || keys == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++) {
        bool same = false;
        int64_t k = p->keys.count;

        while (!same && --k >= 0) {
            double a = exact ? 0 : ((const double *)x)[i];
            double b = exact ? 0 : ((const double *)keys)[k];

            same = exact ? ((const int64_t *)x)[i] == ((const int64_t *)keys)[k]
                         : a == b || (isnan(a) && isnan(b));
        }
        found[i] = k;
    }
    return LP_OK;
}

static lp_status label_run(const lpi_run *run)
{
    const label_params *p = run->node->params;
    int64_t count = lpi_in_elements(run->node, 0);
    int64_t *found = LPI_NEW(run->scratch, int64_t, count);
    bool to_texts = p->values.dtype == LP_STRING;
    const char **texts = LPI_NEW(run->scratch, const char *, count);
    lp_status status;

    if (found == NULL || texts == NULL)
        return lpi_node_fail_memory(run->node);
    status = p->keys.dtype == LP_STRING ? find_texts(run, found)
                                        : find_numbers(run, found);
    LP_TRY(status);
    if (to_texts) {
        for (int64_t i = 0; i < count; i++)
            texts[i] = found[i] < 0 ? p->absent.texts[0]
                                    : p->values.texts[found[i]];
        return lpi_run_give(run, 0,
                            lpi_bundle_of_texts(run->node->model->arena,
                                                lpi_out_shape(run->node, 0),
                                                texts));
    }
    lpi_class class = lpi_class_of(p->values.dtype);
    size_t size = lpi_class_size(class);
    const char *all =
        unpacked(run, p->values.dtype, p->values.bytes, p->values.count, class);
    const char *none =
        unpacked(run, p->absent.dtype, p->absent.bytes, 1, class);

    if (all == NULL || none == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++)
        lpi_pack(p->values.dtype,
                 found[i] < 0 ? none : all + (size_t)found[i] * size, i, 1,
                 run->out[0]);
    return LP_OK;
}

/* ---- Binarizer ----------------------------------------------------------- */

typedef struct threshold_params {
    float threshold;
} threshold_params;

static const lpi_spec threshold_specs[] = {
    LPI_SPEC_FLOAT(threshold_params, threshold, 0),
    {.name = NULL},
};

static double real_binarizer(const double *x, const void *params)
{
    return x[0] > (double)((const threshold_params *)params)->threshold;
}

static int64_t sint_binarizer(const int64_t *x, const void *params)
{
    return (double)x[0] > (double)((const threshold_params *)params)->threshold;
}

static const lpi_pointwise binarizer_facts = {
    .real = real_binarizer, .sint = sint_binarizer, .each = {{[LP_CMP] = 1}}};

/* ---- ArrayFeatureExtractor ----------------------------------------------- */

/* The columns of input 0, or the elements of a vector as a row, that input 1
 * counts. */
static lp_status extract_shape(lpi_node *node)
{
    static const int64_t flat = -1, front = 0;
    lp_shape x = lpi_in_shape(node, 0);
    lpi_define d;

    if (x.rank < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), x);
    if (node->layer->definition != NULL)
        return lpi_defined_shape(node);
    d = lpi_define_begin(node);
    lpi_define_ints(&d, "flat", &flat, 1);
    lpi_define_ints(&d, "front", &front, 1);
    lpi_define_layer(&d, "Reshape", "1 flat", "places", NULL);
    lpi_define_layer(&d, "Gather", "0 places", "y",
                     LPI_ATTRS(LPI_GIVE_INT("axis", -1)));
    lpi_define_layer(&d, x.rank > 1 ? "Identity" : "Unsqueeze",
                     x.rank > 1 ? "y" : "y front", "z", NULL);
    LP_TRY(lpi_define_end(&d, "z"));
    return lpi_defined_shape(node);
}

/* ---- Scaler -------------------------------------------------------------- */

typedef struct scaler_params {
    lpi_list offset, scale;
} scaler_params;

static const lpi_spec scaler_specs[] = {
    LPI_SPEC_LIST(scaler_params, offset, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(scaler_params, scale, LPI_ATTR_FLOATS),
    {.name = NULL},
};

static lp_status scaler_shape(lpi_node *node)
{
    const scaler_params *p = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t features = x.rank > 0 ? x.dims[x.rank - 1] : -1;
    const lpi_list *const lists[2] = {&p->offset, &p->scale};

    for (int32_t i = 0; i < 2; i++)
        if (features >= 0 && lists[i]->count > 1 && lists[i]->count != features)
            return lpi_node_fail(node, "%lld offsets or scales, %lld features",
                                 (long long)lists[i]->count,
                                 (long long)features);
    return lpi_out_set_shape(node, 0, LP_FLOAT32, x);
}

static void scaler_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 0));
    lpi_cost_arith(cost, LP_MUL, lpi_in_elements(node, 0));
}

/* Number "i" of "list", which may have one for all; "none" without. */
static double number_of(const lpi_list *list, int64_t i, float none)
{
    if (list->count == 0)
        return (double)none;
    return (double)list->floats[list->count > 1 ? i : 0];
}

static lp_status scaler_run(const lpi_run *run)
{
    const scaler_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t features = x.rank > 0 ? x.dims[x.rank - 1] : 1;
    const double *from;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_in_elements(run->node, 0); i++)
        to[i] = (from[i] - number_of(&p->offset, i % features, 0)) *
                number_of(&p->scale, i % features, 1);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

#define LEARNED(name_, inputs)                                                 \
    .domain = "ai.onnx.ml", .name = name_, .inputs_min = inputs,               \
    .inputs_max = inputs, .outputs_min = 1, .outputs_max = 1

#define OPSETS "opset 17; opset ai.onnx.ml 4; "

const lp_op lpi_ops_learned[] = {
    {LEARNED("ArrayFeatureExtractor", 2), .since = 1, .roles = "di",
     .shape = extract_shape, .cost = lpi_defined_cost,
     .samples = OPSETS "input x: float32[3, 4]; weight i: int64[2] = {0, 1}; "
                       "y = ai.onnx.ml.ArrayFeatureExtractor(x, i); output y"},
    {LEARNED("Binarizer", 1), .since = 1,
     .params_size = sizeof(threshold_params), .specs = threshold_specs,
     .facts = &binarizer_facts, .shape = lpi_pointwise_shape,
     .cost = lpi_pointwise_cost, .run = lpi_pointwise_run,
     .tile = lpi_pointwise_tile,
     .samples = OPSETS "input x: float32[3, 4]; y = ai.onnx.ml.Binarizer(x) "
                       "{threshold: 1.0}; output y"},
    {LEARNED("LabelEncoder", 1), .since = 2,
     .params_size = sizeof(label_params), .settle = label_settle,
     .shape = label_shape, .cost = label_cost, .run = label_run,
     .flags = LPI_BUNDLES,
     .samples = OPSETS "input x: int64[5]; y = ai.onnx.ml.LabelEncoder(x) "
                       "{keys_int64s: [3, 1], values_floats: [0.5, 2.0], "
                       "default_float: -1.0}; output y"},
    {LEARNED("Scaler", 1), .since = 1, .params_size = sizeof(scaler_params),
     .specs = scaler_specs, .shape = scaler_shape, .cost = scaler_cost,
     .run = scaler_run,
     .samples = OPSETS "input x: float32[3, 2]; y = ai.onnx.ml.Scaler(x) "
                       "{offset: [0.5, 1.0], scale: [2.0, 3.0]}; output y"},
    {.name = NULL},
};
