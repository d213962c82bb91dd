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

/* A weight whose file is absent, of a model or of a body in it. */
typedef struct absent {
    const lp_model *model;
    const lp_tensor *tensor;
    struct absent *next;
} absent;

/* One filling. */
typedef struct filler {
    lpi_exec exec;
    const char *folder;
    absent *first, **end;
    const lp_tensor *homeless; /* the first that names no file; NULL */
    lpi_map *written;          /* locations */
    lp_error *error;
} filler;

/* List "tensor" of "model" if its file is absent. */
static lp_status find_absent(filler *f, const lp_model *model,
                             const lp_tensor *tensor)
{
    bool exists = true;
    absent *found;

    if (tensor->kind == LPI_WEIGHT || tensor->kind == LPI_CONSTANT)
        LP_TRY(lpi_content_exists(&f->exec, tensor, &exists));
    if (!exists && tensor->payload.where != LPI_OUTSIDE && !f->homeless &&
        !lpi_is_bundle(tensor))
        f->homeless = tensor;
    if (exists || tensor->payload.where != LPI_OUTSIDE)
        return LP_OK;
    found = LPI_NEW(f->exec.arena, absent, 1);
    if (!found)
        return lpi_fail_memory(f->error);
    *found = (absent){model, tensor, NULL};
    *f->end = found;
    f->end = &found->next;
    f->exec.all++;
    return LP_OK;
}

/* List the absent weights of "model" and its bodies. */
static lp_status find_all(filler *f, const lp_model *model, int32_t depth)
{
    for (int64_t i = 0; i < model->tensors_count; i++)
        LP_TRY(find_absent(f, model, model->tensors[i]));
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_model *body;
        int32_t at = 0;

        while (depth < LPI_BODIES_DEEP &&
               (body = lpi_next_body(model->layers[i], &at)))
            LP_TRY(find_all(f, body, depth + 1));
    }
    return LP_OK;
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

/* Write the value of "weight" into "descriptor". */
static lp_status write_weight(filler *f, int descriptor, const absent *weight)
{
    const lp_tensor *tensor = weight->tensor;
    int64_t size = lpi_tensor_bytes(tensor), at = 0;
    char *bytes = lpi_alloc((size_t)size);
    lp_status status =
        bytes ? lpi_content_read(&f->exec, weight->model, tensor, bytes)
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

/* Write all weights that lie in the file "location". */
static lp_status write_weights(filler *f, int descriptor, const char *location)
{
    for (const absent *weight = f->first; weight; weight = weight->next)
        if (!strcmp(weight->tensor->payload.location, location))
            LP_TRY(write_weight(f, descriptor, weight));
    return LP_OK;
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
    status = write_weights(f, descriptor, location);
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

/* Write each file that an absent weight lies in, once. */
static lp_status write_files(filler *f, const lp_model *model)
{
    LP_TRY(find_all(f, model, 0));
    if (f->homeless)
        return lpi_fail(f->error, LP_EINPUT, model->path,
                        "weight '%.200s' has no content, and names no file "
                        "that could hold it",
                        f->homeless->name);
    if (mkdir(f->folder, 0777) != 0 && errno != EEXIST)
        return lpi_fail(f->error, LP_EIO, f->folder, "%s", strerror(errno));
    for (const absent *weight = f->first; weight; weight = weight->next) {
        const char *location = weight->tensor->payload.location;

        if (lpi_map_get(f->written, location) >= 0)
            continue;
        if (!lpi_map_set(f->written, location, 1))
            return lpi_fail_memory(f->error);
        LP_TRY(write_file(f, location));
    }
    return LP_OK;
}

lp_status lp_model_fill(const lp_model *model, const lp_run_options *wanted,
                        const char *path, lp_error *error)
{
    static const lp_run_options none = {.seed = 0};
    const lp_run_options *given = wanted ? wanted : &none;
    lp_run_options options = {.fill_weights = true,
                              .fill_seed = given->fill_seed,
                              .progress = given->progress,
                              .progress_context = given->progress_context};
    lp_error local = {.status = LP_OK};
    filler f = {.folder = path, .error = error ? error : &local};
    lp_status status;

    f.end = &f.first;
    lpi_exec_open(model, &options, &f.exec, f.error);
    f.written = f.exec.arena ? lpi_map_new(f.exec.arena) : NULL;
    if (!f.written)
        status = lpi_fail_memory(f.error);
    else
        status = write_files(&f, model);
    lpi_exec_end(&f.exec);
    return status;
}
