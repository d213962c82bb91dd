/* scales.c: scales of a schedule that stand in files of their own.
 *
 * An NPY file below the folder of the schedule, of float32 or float64, holds
 * the scales of one tensor: one, or one a channel.  Read, they are as if the
 * schedule had listed them. */
#include <math.h>

#include "exec.h"

/* LP_EINPUT at the line of "p". */
static lp_status wrong(const char *path, const lpi_precision *p,
                       lp_error *error, const char *why)
{
    char where[500];

    snprintf(where, sizeof(where), "%.440s:%lld", path, (long long)p->line);
    return lpi_fail(error, LP_EINPUT, where,
                    "scales of '%.200s' in '%.200s': %s", p->tensor->name,
                    p->file, why);
}

/* Take the elements of "array" as the scales of "p", in "arena". */
static lp_status take_scales(lpi_arena *arena, const char *path,
                             const lp_array *array, lpi_precision *p,
                             lp_error *error)
{
    int64_t wanted = p->axis < 0 ? 1 : p->tensor->shape.dims[p->axis], i;
    int64_t count = lpi_shape_elements(array->shape);
    double *scales;
    char why[120];

    if (array->dtype != LP_FLOAT32 && array->dtype != LP_FLOAT64)
        return wrong(path, p, error, "they are neither float32 nor float64");
    if (count != wanted) {
        snprintf(why, sizeof(why), "they are %lld, where %lld %s",
                 (long long)count, (long long)wanted,
                 wanted == 1 ? "is wanted" : "are wanted");
        return wrong(path, p, error, why);
    }
    scales = LPI_NEW(arena, double, count);
    if (!scales)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++) {
        scales[i] = array->dtype == LP_FLOAT32
                        ? (double)((const float *)array->bytes)[i]
                        : ((const double *)array->bytes)[i];
        if (!isfinite((float)scales[i]) || (float)scales[i] <= 0)
            return wrong(path, p, error, "a scale is a float32 above zero");
    }
    p->scales = scales;
    p->scales_count = count;
    return LP_OK;
}

lp_status lpi_scales_read(lp_schedule *schedule, const char *path,
                          lp_error *error)
{
    const int64_t cap = lpi_arena_cap(schedule->arena);
    lpi_precision *all = (lpi_precision *)schedule->precisions;

    for (int64_t i = 0; i < schedule->precisions_count; i++) {
        lp_error local = {.status = LP_OK};
        lp_array *array;
        lp_status status;

        if (!all[i].file)
            continue;
        status = lpi_npy_read_below(path, all[i].file, cap, &array, &local);
        if (status == LP_ENOMEM)
            return lpi_fail_memory(error);
        if (status != LP_OK)
            return wrong(path, &all[i], error, local.message);
        status = take_scales(schedule->arena, path, array, &all[i], error);
        lp_array_free(array);
        LP_TRY(status);
    }
    return LP_OK;
}
