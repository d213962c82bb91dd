/* fill.c: the values of drawn weights as files beside a model.
 *
 * Every file that external data name is written beside its final name and
 * renamed when it is whole, one weight in memory at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"

/* One filling. */
typedef struct filler {
    lpi_exec exec;
    const char *folder;
    lpi_map *written; /* locations */
    lp_error *error;
} filler;

static bool is_absent(filler *f, const lp_tensor *tensor, lp_status *ret_status)
{
    bool exists = true;

    if ((tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT) &&
        tensor->payload.where == LPI_OUTSIDE)
        *ret_status = lpi_content_exists(&f->exec, tensor, &exists);
    return !exists;
}

/* Make the folders on the way to the file "path". */
static lp_status make_folders(char *path, lp_error *error)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
            *at = '/';
            return LP_EIO;
        }
        *at = '/';
    }
    return LP_OK;
}

/* Write the value of "tensor" of "model" into "descriptor". */
static lp_status write_tensor(filler *f, int descriptor, const lp_model *model,
                              const lp_tensor *tensor)
{
    int64_t size = lpi_tensor_bytes(tensor), at = 0;
    char *bytes = lpi_alloc((size_t)size);
    lp_status status = bytes ? lpi_content_read(&f->exec, model, tensor, bytes)
                             : lpi_fail_memory(f->error);

    while (status == LP_OK && at < size) {
        ssize_t put = pwrite(descriptor, bytes + at, (size_t)(size - at),
                             tensor->payload.offset + at);

        if (put > 0)
            at += put;
        else if (errno != EINTR)
            status = lpi_fail(f->error, LP_EIO, tensor->payload.location, "%s",
                              strerror(errno));
    }
    lpi_free(bytes);
    return status == LP_OK ? lpi_exec_step(&f->exec, tensor->name) : status;
}

/* Write all absent weights of "model" and its bodies that lie in the file
 * "location". */
static lp_status write_weights(filler *f, int descriptor, const lp_model *model,
                               const char *location, int32_t depth)
{
    lp_status status = LP_OK;

    for (int64_t i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];

        if (!is_absent(f, tensor, &status) ||
            strcmp(tensor->payload.location, location) != 0)
            continue;
        LP_TRY(write_tensor(f, descriptor, model, tensor));
    }
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            LP_TRY(write_weights(f, descriptor, body, location, depth + 1));
    }
    return status;
}

/* Write the file "location" below the folder. */
static lp_status write_file(filler *f, const char *location)
{
    char *path = lpi_arena_printf(f->exec.arena, "%s/%s", f->folder, location);
    char *beside =
        lpi_arena_printf(f->exec.arena, "%s/%s.XXXXXX", f->folder, location);
    int descriptor, reason = 0;
    lp_status status;
    mode_t mask = umask(0);

    umask(mask);
    if (!path || !beside)
        return lpi_fail_memory(f->error);
    LP_TRY(make_folders(path, f->error));
    descriptor = mkstemp(beside);
    if (descriptor < 0)
        return lpi_fail(f->error, LP_EIO, path, "%s", strerror(errno));
    status = write_weights(f, descriptor, f->exec.model, location, 0);
    if (fchmod(descriptor, 0666 & ~mask) != 0)
        reason = errno;
    if (close(descriptor) != 0 && !reason)
        reason = errno;
    if (status == LP_OK && !reason && rename(beside, path) != 0)
        reason = errno;
    if (status != LP_OK || reason)
        unlink(beside);
    if (status == LP_OK && reason)
        status = lpi_fail(f->error, LP_EIO, path, "%s", strerror(reason));
    return status;
}

/* Write each file that an absent weight of "model" lies in, once. */
static lp_status write_files(filler *f, const lp_model *model, int32_t depth)
{
    lp_status status = LP_OK;

    for (int64_t i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];

        if (!is_absent(f, tensor, &status) ||
            lpi_map_get(f->written, tensor->payload.location) >= 0)
            continue;
        if (!lpi_map_set(f->written, tensor->payload.location, 1))
            return lpi_fail_memory(f->error);
        LP_TRY(write_file(f, tensor->payload.location));
    }
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            LP_TRY(write_files(f, body, depth + 1));
    }
    return status;
}

/* Absent weights of "model" and its bodies. */
static int64_t count_absent(filler *f, const lp_model *model, int32_t depth)
{
    lp_status status = LP_OK;
    int64_t count = 0;

    for (int64_t i = 0; i < model->tensors_count; i++)
        count += is_absent(f, model->tensors[i], &status);
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            count += count_absent(f, body, depth + 1);
    }
    return count;
}

lp_status lp_model_fill(const lp_model *model, const lp_run_options *wanted,
                        const char *path, lp_error *error)
{
    lp_run_options options = {.fill_weights = true,
                              .fill_seed = wanted->fill_seed,
                              .progress = wanted->progress,
                              .progress_context = wanted->progress_context};
    lp_error local = {.status = LP_OK};
    filler f = {.folder = path, .error = error ? error : &local};
    lp_status status;

    lpi_exec_open(model, &options, &f.exec, f.error);
    f.written = f.exec.arena ? lpi_map_new(f.exec.arena) : NULL;
    if (!f.written) {
        status = lpi_fail_memory(f.error);
    } else if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        status = lpi_fail(f.error, LP_EIO, path, "%s", strerror(errno));
    } else {
        f.exec.all = count_absent(&f, model, 0);
        status = write_files(&f, model, 0);
    }
    lpi_exec_end(&f.exec);
    return status;
}
