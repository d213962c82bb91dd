/* array.c: arrays, and reading them from files. */
#include <string.h>

#include "exec.h"

enum { DEFAULT_CAP_GIB = 8 };

/* The struct, its dimensions and its content in one block. */
lp_array *lpi_array_new(lp_dtype dtype, lp_shape shape)
{
    int64_t elements = lpi_shape_elements(shape);
    int64_t bytes = lpi_storage_bytes(dtype, elements < 0 ? 0 : elements);
    size_t dims = (size_t)(shape.rank < 0 ? 0 : shape.rank) * sizeof(int64_t);
    size_t head = (sizeof(lp_array) + dims + 63) / 64 * 64;
    lp_array *array;
    int64_t *copy;

    if (elements < 0 || lpi_add(bytes, (int64_t)head + 64) == INT64_MAX)
        return NULL;
    array = lpi_alloc(head + (size_t)bytes);
    if (!array)
        return NULL;
    copy = (int64_t *)(array + 1);
    if (shape.rank)
        memcpy(copy, shape.dims, dims);
    *array = (lp_array){
        .dtype = dtype,
        .shape = {.rank = shape.rank, .dims = copy},
        .size_bytes = bytes,
        .bytes = (char *)array + head,
    };
    memset(array->bytes, 0, (size_t)bytes);
    return array;
}

void lp_array_free(lp_array *array)
{
    lpi_free(array);
}

static lp_status read_proto(const char *path, int64_t cap_bytes,
                            lp_array **ret_array, lp_error *error)
{
    const lp_tensor *tensor;
    lp_array *array;
    lp_model *model;

    LP_TRY(lpi_onnx_tensor_read(path, cap_bytes, &model, error));
    tensor = model->tensors[0];
    array = lpi_array_new(tensor->dtype, tensor->shape);
    if (array)
        memcpy(array->bytes, tensor->value, (size_t)array->size_bytes);
    lp_model_free(model);
    if (!array)
        return lpi_fail_memory(error);
    *ret_array = array;
    return LP_OK;
}

/* Refuse a file of more than "most" bytes. */
static lp_status check_size(const char *path, int64_t most, lp_error *error)
{
    lpi_file *file;
    int64_t size;

    LP_TRY(lpi_file_open(path, &file, error));
    size = lpi_file_size(file);
    lpi_file_close(file);
    return size > most ? lpi_fail(error, LP_EUNSUPPORTED, path,
                                  "has %lld bytes, and at most %lld may be "
                                  "taken",
                                  (long long)size, (long long)most)
                       : LP_OK;
}

lp_status lp_array_read(const char *path, int64_t max_bytes,
                        lp_array **ret_array, lp_error *error)
{
    size_t length = strlen(path);

    if (max_bytes <= 0)
        max_bytes = (int64_t)DEFAULT_CAP_GIB << 30;
    LP_TRY(check_size(path, max_bytes, error));
    if (length >= 4 && !strcmp(path + length - 4, ".npy"))
        return lpi_npy_read(path, max_bytes, ret_array, error);
    return read_proto(path, max_bytes, ret_array, error);
}

lp_status lp_array_write(const lp_array *array, const char *path,
                         lp_error *error)
{
    lp_status status;
    size_t length;
    char *bytes;

    LP_TRY(lpi_npy_write(array, &bytes, &length, error));
    status = lp_file_write(path, bytes, length, error);
    lp_text_free(bytes);
    return status;
}
