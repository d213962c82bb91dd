/* inputs.c: the inputs of a run: those that are given, which must be of the
 * types that the model declares, and the others, which are drawn. */
#include <string.h>

#include "api.h"

typedef lpi_job job;

static const lp_array *given(const job *j, const char *name)
{
    for (size_t i = 0; i < j->options->inputs_count; i++)
        if (!strcmp(j->options->inputs[i].input, name))
            return j->options->inputs[i].array;
    return NULL;
}

/* Refuse inputs that the model does not have. */
static lp_status check_names(const job *j)
{
    for (size_t i = 0; i < j->options->inputs_count; i++) {
        const char *name = j->options->inputs[i].input;
        const lp_tensor *tensor = lpi_tensor_find(j->model, name);

        if (!tensor || tensor->kind != LPI_INPUT)
            return lpi_fail(j->error, LP_EINPUT, j->model->path,
                            "no input is called '%.200s'", name);
    }
    return LP_OK;
}

static lp_status check_type(const job *j, const lp_tensor *tensor,
                            const lp_array *array)
{
    lpi_text text = {0};
    bool same = tensor->shape.rank == array->shape.rank;

    if (tensor->dtype != array->dtype)
        return lpi_fail(j->error, LP_EINPUT, j->model->path,
                        "input '%.200s' is %s, the file holds %s", tensor->name,
                        lp_dtype_name(tensor->dtype),
                        lp_dtype_name(array->dtype));
    for (int32_t i = 0; same && i < tensor->shape.rank; i++)
        same = tensor->shape.dims[i] == array->shape.dims[i];
    if (same)
        return LP_OK;
    lpi_shape_print(&text, tensor->shape);
    lpi_text_put(&text, ", the file holds ");
    lpi_shape_print(&text, array->shape);
    lpi_fail(j->error, LP_EINPUT, j->model->path, "input '%.200s' is %.300s",
             tensor->name, text.failed ? "of another shape" : text.bytes);
    lpi_text_drop(&text);
    return LP_EINPUT;
}

/* The same of a sequence, an optional or texts. */
static lp_status check_bundle(const job *j, const lp_tensor *tensor,
                              const lp_array *array)
{
    const lpi_bundle *bundle = lpi_array_is_bundle(array) ? array->bytes : NULL;

    if (bundle && bundle->container == (int32_t)tensor->container &&
        (tensor->container != LPI_TENSOR || array->dtype == tensor->dtype))
        return LP_OK;
    return lpi_fail(j->error, LP_EINPUT, j->model->path,
                    "input '%.200s' is given a value of another kind",
                    tensor->name);
}

/* Draw input "i". */
static lp_status draw(job *j, int64_t i)
{
    const lp_tensor *tensor = j->model->inputs[i];
    int64_t most = j->options->max_memory_bytes;
    lpi_draw how = lpi_draw_input(j->model, tensor);
    lp_array *array;

    if (most && lpi_tensor_bytes(tensor) > most)
        return lpi_fail(j->error, LP_EUNSUPPORTED, j->model->path,
                        "input '%.200s' takes %lld bytes, and at most %lld may "
                        "be taken",
                        tensor->name, (long long)lpi_tensor_bytes(tensor),
                        (long long)most);
    array = lpi_array_new(tensor->dtype, tensor->shape);
    if (!array)
        return lpi_fail_memory(j->error);
    j->inputs[i] = j->drawn[i] = array;
    if (!lpi_draw_fill(tensor->dtype, &how,
                       lpi_draw_key((uint64_t)j->options->seed, tensor->name),
                       lpi_tensor_elements(tensor), array->bytes))
        return lpi_fail(j->error, LP_EUNSUPPORTED, j->model->path,
                        "input '%.200s' of %s cannot be drawn", tensor->name,
                        lp_dtype_name(tensor->dtype));
    return LP_OK;
}

lp_status lpi_job_inputs(job *j)
{
    const lp_model *model = j->model;
    const char **names = LPI_NEW(j->arena, const char *, model->inputs_count);

    if (!names)
        return lpi_fail_memory(j->error);
    LP_TRY(check_names(j));
    for (int64_t i = 0; i < model->inputs_count; i++) {
        const lp_tensor *tensor = model->inputs[i];

        if (tensor->kind != LPI_INPUT)
            continue;
        j->inputs[i] = given(j, tensor->name);
        if (lpi_is_bundle(tensor) && j->inputs[i]) {
            LP_TRY(check_bundle(j, tensor, j->inputs[i]));
            continue;
        }
        if (tensor->container != LPI_TENSOR || !lp_dtype_bits(tensor->dtype))
            return lpi_fail(j->error, LP_EUNSUPPORTED, model->path,
                            "input '%.200s' is no tensor of numbers",
                            tensor->name);
        if (j->inputs[i]) {
            LP_TRY(check_type(j, tensor, j->inputs[i]));
            continue;
        }
        LP_TRY(draw(j, i));
        names[j->run->drawn_count++] = tensor->name;
    }
    j->run->drawn = names;
    return LP_OK;
}
