/* tensor.c: a file that is one TensorProto, as ONNX's test data are.
 *
 * The way is that of a model: skimmed, unpacked, its content decoded by
 * payload.c; the tensor becomes the one weight of a model without layers, so
 * that content which stays in the file is read as that of any weight. */
#include <onnx.pb-c.h>

#include "onnx.h"

enum { SCRATCH_MIB = 64 };

/* Add the tensor "proto" to the model of "import", content and all. */
static lp_status add_tensor(lpi_import *import,
                            const struct Onnx__TensorProto *proto)
{
    lp_model *model = import->model;
    lp_tensor *tensor;

    if (proto->has_data_location &&
        proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return lpi_fail(import->error, LP_EUNSUPPORTED, model->path,
                        "its content stands in another file");
    LP_TRY(lpi_tensor_add(model, lpi_onnx_or_empty(proto->name), LPI_WEIGHT,
                          &tensor, import->error));
    LP_TRY(lpi_import_tensor(import, proto, tensor));
    if (tensor->dtype == LP_STRING)
        return lpi_fail(import->error, LP_EUNSUPPORTED, model->path,
                        "a tensor of strings cannot be computed with");
    if (lpi_tensor_elements(tensor) == 0)
        tensor->value = "";
    LP_TRY(lpi_tensor_load(model, tensor, INT64_MAX, import->error));
    if (!tensor->value)
        return lpi_fail(import->error, LP_EINPUT, model->path,
                        "the tensor has no content");
    return LP_OK;
}

/* Read "file" with "scratch" memory. */
static lp_status read_tensor(lpi_file *file, int64_t cap_bytes,
                             lpi_arena *scratch, lp_model **ret_model,
                             lp_error *error)
{
    lpi_onnx_links links = {0};
    lpi_import import = {.scratch = scratch, .links = &links, .error = error};
    struct Onnx__TensorProto *proto = NULL;
    lpi_text bytes = {0};
    lp_status status =
        lpi_onnx_skim_tensor(file, scratch, &bytes, &links, error);

    if (status == LP_OK)
        status = lpi_onnx_unpack_tensor(scratch, bytes.bytes ? bytes.bytes : "",
                                        bytes.length, &proto, error);
    lpi_text_drop(&bytes);
    if (status != LP_OK)
        return status;
    import.model = lpi_model_new(lpi_file_name(file), cap_bytes);
    if (!import.model)
        return lpi_fail_memory(error);
    status = add_tensor(&import, proto);
    if (status == LP_OK)
        *ret_model = import.model;
    else
        lp_model_free(import.model);
    return status;
}

lp_status lpi_onnx_tensor_read(const char *path, int64_t cap_bytes,
                               lp_model **ret_model, lp_error *error)
{
    lpi_arena *scratch;
    lp_status status;
    lpi_file *file;

    LP_TRY(lpi_file_open(path, &file, error));
    scratch = lpi_arena_new((int64_t)SCRATCH_MIB << 20);
    status = scratch ? read_tensor(file, cap_bytes, scratch, ret_model, error)
                     : lpi_fail_memory(error);
    lpi_arena_free(scratch);
    lpi_file_close(file);
    if (status != LP_OK && error && !error->where[0])
        lpi_fail_within(error, status, path);
    return status;
}
