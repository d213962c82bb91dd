/* types.c: declared types, as ValueInfoProto gives them. */
#include <onnx.pb-c.h>

#include "onnx.h"

/* Store the dimensions of "shape" in "declared". */
static lp_status read_shape(const lpi_import *import, const char *name,
                            const Onnx__TensorShapeProto *shape,
                            lpi_declared *declared)
{
    lpi_arena *arena = import->model->arena;
    int64_t elements = 1;
    lpi_dim *dims;
    size_t i;

    if (!shape)
        return LP_OK;
    if (shape->n_dim > LPI_ONNX_RANK)
        return lpi_import_fail(import, "tensor", name,
                               "has %zu dimensions, more than %d", shape->n_dim,
                               LPI_ONNX_RANK);
    dims = LPI_NEW(arena, lpi_dim, (int64_t)shape->n_dim);
    if (!dims)
        return lpi_import_fail_memory(import);
    for (i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];

        dims[i] = (lpi_dim){.value = -1, .symbol = ""};
        if (dim->value_case ==
            ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM) {
            dims[i].symbol = lpi_arena_strdup(arena, dim->dim_param);
            if (!dims[i].symbol)
                return lpi_import_fail_memory(import);
        } else if (dim->value_case ==
                   ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
            dims[i].value = dim->dim_value;
        }
        if (dims[i].value < -1)
            return lpi_import_fail(import, "tensor", name,
                                   "dimension %zu is %lld", i,
                                   (long long)dims[i].value);
        if (dims[i].value > 0)
            elements = lpi_mul(elements, dims[i].value);
    }
    if (lpi_storage_bytes(declared->dtype, elements) == INT64_MAX ||
        elements == INT64_MAX)
        return lpi_import_fail(import, "tensor", name,
                               "its dimensions overflow");
    declared->rank = (int32_t)shape->n_dim;
    declared->dims = dims;
    return LP_OK;
}

static lp_dtype dtype_of(bool present, int32_t number)
{
    return present && number > 0 && number < LP_DTYPE_COUNT ? (lp_dtype)number
                                                            : LP_UNDEFINED;
}

/* Describe "type" in "declared": of sequences and optionals the innermost
 * element, of maps the value. */
static lp_status read_type(const lpi_import *import, const char *name,
                           const Onnx__TypeProto *type, lpi_declared *declared)
{
    bool outermost = true;

    while (type) {
        lpi_container container = LPI_TENSOR;
        const Onnx__TypeProto *inner = NULL;

        switch (type->value_case) {
        case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
            declared->dtype = dtype_of(type->tensor_type->has_elem_type,
                                       type->tensor_type->elem_type);
            return read_shape(import, name, type->tensor_type->shape, declared);
        case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
            declared->dtype = dtype_of(type->sparse_tensor_type->has_elem_type,
                                       type->sparse_tensor_type->elem_type);
            return read_shape(import, name, type->sparse_tensor_type->shape,
                              declared);
        case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
            container = LPI_SEQUENCE;
            inner = type->sequence_type->elem_type;
            break;
        case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
            container = LPI_OPTIONAL;
            inner = type->optional_type->elem_type;
            break;
        case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
            container = LPI_MAP;
            inner = type->map_type->value_type;
            break;
        default:
            break;
        }
        if (outermost)
            declared->container = container;
        outermost = false;
        type = inner;
    }
    return LP_OK;
}

lp_status lpi_import_type(const lpi_import *import,
                          const struct Onnx__ValueInfoProto *info,
                          const lpi_declared **ret_declared)
{
    lpi_declared *declared = LPI_NEW(import->model->arena, lpi_declared, 1);

    if (!declared)
        return lpi_import_fail_memory(import);
    declared->rank = -1;
    LP_TRY(
        read_type(import, lpi_onnx_or_empty(info->name), info->type, declared));
    *ret_declared = declared;
    return LP_OK;
}
