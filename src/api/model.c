/* model.c: opening models: a reader for the form, then settling. */
#include <string.h>

#include "api.h"

static bool has_suffix(const char *path, const char *suffix)
{
    size_t length = strlen(path), tail = strlen(suffix);

    return length >= tail && !strcmp(path + length - tail, suffix);
}

/* Settle "model" unless it is wanted as written, and hand it over, or free
 * it. */
static lp_status finish(lp_model *model, const lp_load_options *options,
                        lp_model **ret_model, lp_error *error)
{
    lp_status status = LP_OK;

    model->as_written = options && options->as_written;
    if (!model->as_written)
        status = lpi_model_settle(model, options, error);
    if (status != LP_OK) {
        lp_model_free(model);
        return status;
    }
    *ret_model = model;
    return LP_OK;
}

static int64_t cap_of(const lp_load_options *options)
{
    return options ? options->max_memory_bytes : 0;
}

/* The whole of the file "path" as a text; free it with lpi_free. */
static lp_status read_text(const char *path, char **ret_text,
                           size_t *ret_length, lp_error *error)
{
    lpi_file *file;
    lp_status status;
    int64_t size;
    char *text;

    LP_TRY(lpi_file_open(path, &file, error));
    size = lpi_file_size(file);
    text = lpi_alloc((size_t)size + 1);
    status = text ? lpi_file_read(file, 0, size, text, error)
                  : lpi_fail_memory(error);
    lpi_file_close(file);
    if (status != LP_OK) {
        lpi_free(text);
        return status;
    }
    text[size] = '\0';
    *ret_text = text;
    *ret_length = (size_t)size;
    return LP_OK;
}

lp_status lp_model_read(const char *text, size_t length, const char *name,
                        const lp_load_options *options, lp_model **ret_model,
                        lp_error *error)
{
    lp_model *model;

    LP_TRY(lpi_lpm_read(text, length, name, cap_of(options), &model, error));
    return finish(model, options, ret_model, error);
}

lp_status lp_model_net(const char *net, const lp_load_options *options,
                       lp_model **ret_model, lp_error *error)
{
    lp_model *model;

    LP_TRY(lpi_net_read(net, cap_of(options), &model, error));
    return finish(model, options, ret_model, error);
}

lp_status lp_model_load(const char *path, const lp_load_options *options,
                        lp_model **ret_model, lp_error *error)
{
    lp_model *model;

    if (has_suffix(path, ".lpm")) {
        lp_status status;
        size_t length;
        char *text;

        LP_TRY(read_text(path, &text, &length, error));
        status = lp_model_read(text, length, path, options, ret_model, error);
        lpi_free(text);
        return status;
    }
    LP_TRY(lpi_onnx_read(path, cap_of(options), &model, error));
    return finish(model, options, ret_model, error);
}

lp_status lp_model_dump(const lp_model *model, char **ret_text,
                        size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};
    lp_status status = lpi_lpm_write(model, &text, error);

    if (status != LP_OK) {
        lpi_text_drop(&text);
        return status;
    }
    return lpi_text_take(&text, ret_text, ret_length, error);
}
