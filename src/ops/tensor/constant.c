/* constant.c: tensors from nothing, or from a few numbers: Constant,
 * ConstantOfShape, EyeLike, Range.
 *
 * Whatever form the value of a Constant has in the file, settling makes it one
 * tensor, whose payload the output takes over: nothing is copied, and a large
 * one is never read. */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef struct constant {
    lp_tensor *value; /* NULL: of a form that is not read (sparse) */
} constant;

/* A tensor of "dtype" with the content at "bytes"; "count" elements, -1: one,
 * a scalar. */
static lp_status make_tensor(const lpi_node *node, lp_dtype dtype,
                             int64_t count, const void *bytes,
                             lp_tensor **ret_tensor)
{
    lp_tensor *tensor = LPI_NEW(node->model->arena, lp_tensor, 1);

    if (!tensor)
        return lpi_node_fail_memory(node);
    tensor->dtype = dtype;
    tensor->shape = lpi_shape_copy(node->model->arena, count >= 0, &count);
    if (tensor->shape.rank < 0)
        return lpi_node_fail_memory(node);
    tensor->payload.bytes = bytes;
    tensor->payload.length = lpi_storage_bytes(dtype, count < 0 ? 1 : count);
    tensor->payload.where = bytes ? LPI_INLINE : LPI_NOWHERE;
    *ret_tensor = tensor;
    return LP_OK;
}

/* A tensor of "count" texts, -1: one, a scalar. */
static lp_status make_texts(const lpi_node *node, int64_t count,
                            const char *const *texts, lp_tensor **ret_tensor)
{
    const lpi_bundle *bundle;

    LP_TRY(make_tensor(node, LP_STRING, count, NULL, ret_tensor));
    bundle =
        lpi_bundle_of_texts(node->model->arena, (*ret_tensor)->shape, texts);
    if (!bundle)
        return lpi_node_fail_memory(node);
    (*ret_tensor)->payload = (lpi_payload){
        .where = LPI_INLINE, .bytes = bundle, .length = bundle->size};
    return LP_OK;
}

/* The attribute "attr" of a Constant, whose name tells its form. */
static lp_status constant_form(const lpi_node *node, const lpi_attr *attr,
                               lp_tensor **ret_tensor)
{
    switch (attr->kind) {
    case LPI_ATTR_TENSOR:
        *ret_tensor = attr->tensor;
        return LP_OK;
    case LPI_ATTR_INT:
        return make_tensor(node, LP_INT64, -1, &attr->i, ret_tensor);
    case LPI_ATTR_FLOAT:
        return make_tensor(node, LP_FLOAT32, -1, &attr->f, ret_tensor);
    case LPI_ATTR_STRING:
        return make_texts(node, -1, &attr->s, ret_tensor);
    case LPI_ATTR_INTS:
        return make_tensor(node, LP_INT64, attr->count, attr->ints, ret_tensor);
    case LPI_ATTR_FLOATS:
        return make_tensor(node, LP_FLOAT32, attr->count, attr->floats,
                           ret_tensor);
    case LPI_ATTR_STRINGS:
        return make_texts(node, attr->count, attr->strings, ret_tensor);
    default:
        return LP_OK;
    }
}

static lp_status constant_settle(lpi_node *node)
{
    constant *p = (constant *)node->params;
    int32_t i, found = 0;

    for (i = 0; i < node->layer->attrs_count; i++) {
        const lpi_attr *attr = &node->layer->attrs[i];

        if (strncmp(attr->name, "value", 5) &&
            strcmp(attr->name, "sparse_value"))
            continue;
        found++;
        LP_TRY(constant_form(node, attr, &p->value));
    }
    if (found != 1)
        return lpi_node_fail(node, "has %d values, must have one", found);
    return LP_OK;
}

static lp_status constant_shape(lpi_node *node)
{
    const lp_tensor *value = ((const constant *)node->params)->value;
    lp_tensor *out = lpi_out(node, 0);

    if (!value || !out)
        return LP_OK;
    out->kind = LPI_CONSTANT;
    out->payload = value->payload;
    out->value = value->value;
    return lpi_out_set_shape(node, 0, value->dtype, value->shape);
}

/* ---- ConstantOfShape ---------------------------------------------------- */

static const lpi_spec fill_specs[] = {
    LPI_SPEC_LIST(constant, value, LPI_ATTR_TENSOR),
    {0},
};

static lp_status fill_settle(lpi_node *node)
{
    static const float zero = 0;
    constant *p = (constant *)node->params;

    if (!p->value)
        return make_tensor(node, LP_FLOAT32, 1, &zero, &p->value);
    if (lpi_tensor_elements(p->value) != 1)
        return lpi_node_fail(node, "value has %lld elements, must have one",
                             (long long)lpi_tensor_elements(p->value));
    return lpi_tensor_load(node->model, p->value, 1, node->error);
}

static lp_status fill_shape(lpi_node *node)
{
    const lp_tensor *value = ((const constant *)node->params)->value;
    lp_shape shape = lpi_in_shape(node, 0);
    lpi_list dims;
    int64_t *unknown, i;

    if (lpi_in_ints(node, 0, &dims)) {
        for (i = 0; i < dims.count; i++)
            if (dims.ints[i] < 0)
                return lpi_node_fail(node, "a dimension of %lld",
                                     (long long)dims.ints[i]);
        return lpi_out_set(node, 0, value->dtype, (int32_t)dims.count,
                           dims.ints);
    }
    if (shape.rank != 1 || shape.dims[0] < 0 || shape.dims[0] > LPI_FOLD_MOST)
        return lpi_out_set_shape(node, 0, value->dtype, lpi_shape_unknown);
    unknown = lpi_node_dims(node, shape.dims[0]);
    if (!unknown)
        return lpi_node_fail_memory(node);
    for (i = 0; i < shape.dims[0]; i++)
        unknown[i] = -1;
    return lpi_out_set(node, 0, value->dtype, (int32_t)shape.dims[0], unknown);
}

static lp_status fill_run(const lpi_run *run)
{
    const lp_tensor *value = ((const constant *)run->node->params)->value;
    int64_t count = lpi_out_elements(run->node, 0);
    const int64_t one = 1, none = 0;
    const void *bytes = value->value ? value->value : value->payload.bytes;

    if (!bytes)
        return lpi_node_fail(run->node, "its value cannot be read");
    lpi_copy_box(lp_dtype_bits(value->dtype), 1, &count,
                 (lpi_place){run->out[0], 0, &one},
                 (lpi_place){(void *)bytes, 0, &none});
    return LP_OK;
}

/* ---- EyeLike ------------------------------------------------------------ */

typedef struct eye {
    int64_t dtype, k;
} eye;

static const lpi_spec eye_specs[] = {
    LPI_SPEC_INT(eye, dtype, 0),
    LPI_SPEC_INT(eye, k, 0),
    {0},
};

static lp_status eye_shape(lpi_node *node)
{
    const eye *p = node->params;
    lp_shape shape = lpi_in_shape(node, 0);

    if (shape.rank >= 0 && shape.rank != 2)
        return lpi_node_fail(node, "input of rank %d, must be 2", shape.rank);
    if (p->dtype < 0 || p->dtype >= LP_DTYPE_COUNT)
        return lpi_node_fail(node, "no dtype has the number %lld",
                             (long long)p->dtype);
    if (lpi_in(node, 0) && lpi_in(node, 0)->is_bound)
        node->is_bound = true;
    return lpi_out_set_shape(
        node, 0, p->dtype ? (lp_dtype)p->dtype : lpi_in_dtype(node, 0), shape);
}

static lp_status eye_run(const lpi_run *run)
{
    const lp_tensor *out = lpi_out(run->node, 0);
    int64_t rows = out->shape.dims[0], columns = out->shape.dims[1], row;
    int64_t k = ((const eye *)run->node->params)->k;
    lpi_class class = lpi_class_of(out->dtype);
    const int64_t integer = 1;
    uint64_t one;

    if (class == LPI_NO_CLASS)
        return lpi_run_refuse(run, out->dtype);
    lpi_convert(LPI_I64, &integer, class, &one, 1);
    memset(run->out[0], 0, (size_t)lpi_tensor_bytes(out));
    if (k <= -rows || k >= columns)
        return LP_OK;
    for (row = k < 0 ? -k : 0; row < rows && row + k < columns; row++)
        lpi_pack(out->dtype, &one, row * columns + row + k, 1, run->out[0]);
    return LP_OK;
}

/* ---- Range -------------------------------------------------------------- */

/* Numbers of a range of a float dtype: ceil((limit - start) / delta). */
static lp_status count_real(const lpi_node *node, const double *x,
                            int64_t *ret_count)
{
    double count = ceil((x[1] - x[0]) / x[2]);

    if (!(count < 0x1p62))
        return lpi_node_fail(node, "no range goes from %g to %g by %g", x[0],
                             x[1], x[2]);
    *ret_count = count > 0 ? (int64_t)count : 0;
    return LP_OK;
}

/* The same in exact integers. */
static lp_status count_sint(const lpi_node *node, const int64_t *x,
                            int64_t *ret_count)
{
    bool rises = x[2] > 0;
    uint64_t span = rises ? (uint64_t)x[1] - (uint64_t)x[0]
                          : (uint64_t)x[0] - (uint64_t)x[1];
    uint64_t step = rises ? (uint64_t)x[2] : 0 - (uint64_t)x[2];

    if (!step)
        return lpi_node_fail(node, "a range by 0");
    if (rises ? x[1] <= x[0] : x[1] >= x[0])
        span = 0;
    span = span / step + (span % step > 0);
    *ret_count = span > INT64_MAX ? INT64_MAX : (int64_t)span;
    return LP_OK;
}

/* The content of the three operands as "to_class". */
static void read_operands(const lpi_node *node, const void *const *bytes,
                          lpi_class to_class, void *to)
{
    int32_t i;

    for (i = 0; i < 3; i++) {
        lp_dtype dtype = lpi_in_dtype(node, i);
        uint64_t raw;

        lpi_unpack(dtype, bytes[i], 0, 1, &raw);
        lpi_convert(lpi_class_of(dtype), &raw, to_class, (uint64_t *)to + i, 1);
    }
}

static lp_status range_shape(lpi_node *node)
{
    lp_dtype dtype = lpi_in_dtype(node, 0);
    const void *bytes[3];
    int64_t count = -1;
    lpi_list ignored;
    double real[3];
    int64_t sint[3];
    int32_t i;

    for (i = 0; i < 3; i++) {
        bool known = lpi_in_ints(node, i, &ignored);

        if (known && ignored.count != 1)
            return lpi_node_fail(node, "operand %d is not a scalar", i);
        if (!known)
            return lpi_out_set(node, 0, dtype, 1, &count);
        bytes[i] = lpi_in(node, i)->value;
    }
    if (lpi_class_of(dtype) == LPI_I64) {
        read_operands(node, bytes, LPI_I64, sint);
        LP_TRY(count_sint(node, sint, &count));
    } else {
        read_operands(node, bytes, LPI_F64, real);
        LP_TRY(count_real(node, real, &count));
    }
    return lpi_out_set(node, 0, dtype, 1, &count);
}

static void range_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_MUL, lpi_out_elements(node, 0));
    lpi_cost_arith(cost, LP_ADD, lpi_out_elements(node, 0));
}

static lp_status range_run(const lpi_run *run)
{
    const lp_tensor *out = lpi_out(run->node, 0);
    lpi_class class = lpi_class_of(out->dtype);
    int64_t count = lpi_tensor_elements(out), sint[3], i;
    double real[3];
    uint64_t one;

    read_operands(run->node, run->in, LPI_F64, real);
    read_operands(run->node, run->in, LPI_I64, sint);
    for (i = 0; i < count; i++) {
        double x = real[0] + (double)i * real[2];

        if (class == LPI_I64)
            one = (uint64_t)sint[0] + (uint64_t)i * (uint64_t)sint[2];
        else
            lpi_convert(LPI_F64, &x, class, &one, 1);
        lpi_pack(out->dtype, &one, i, 1, run->out[0]);
    }
    return LP_OK;
}

const lp_op lpi_ops_constant[] = {
    {.domain = "",
     .name = "Constant",
     .since = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(constant),
     .settle = constant_settle,
     .shape = constant_shape,
     .samples = "y = Constant() {value: tensor float32[2] = {1.0, 2.0}}; "
                "output y\n---\n"
                "y = Constant() {value_ints: [1, 2, 3]}; output y\n---\n"
                "y = Constant() {value_float: 0.5}; output y\n---\n"
                "y = Constant() {value_string: \"a\"}; output y"},
    {.domain = "",
     .name = "ConstantOfShape",
     .since = 9,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "i",
     .params_size = sizeof(constant),
     .specs = fill_specs,
     .settle = fill_settle,
     .shape = fill_shape,
     .run = fill_run,
     .samples = "weight s: int64[2] = {2, 3}; y = ConstantOfShape(s) "
                "{value: tensor int64[1] = {7}}; output y\n---\n"
                "weight s: int64[0] = {}; y = ConstantOfShape(s); output y"},
    {.domain = "",
     .name = "EyeLike",
     .since = 9,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(eye),
     .specs = eye_specs,
     .shape = eye_shape,
     .cost = lpi_cost_unread,
     .run = eye_run,
     .flags = LPI_OF_SHAPE,
     .samples = "input x: int32[3, 4]; y = EyeLike(x) {dtype: 1, k: 1}; "
                "output y"},
    {.domain = "",
     .name = "Range",
     .operands = "T!,T!,T!",
     .since = 11,
     .inputs_min = 3,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .shape = range_shape,
     .cost = range_cost,
     .run = range_run,
     .samples = "weight a: int64[] = {10}; weight b: int64[] = {4}; "
                "weight d: int64[] = {-2}; y = Range(a, b, d); output y\n---\n"
                "weight a: float32[] = {1.0}; weight b: float32[] = {5.0}; "
                "weight d: float32[] = {2.0}; y = Range(a, b, d); output y"},
    {0},
};
