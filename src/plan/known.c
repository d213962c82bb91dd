/* known.c: addresses of the tensors and layers of a model.
 *
 * What a planner hands over is compared with these before it is followed, so
 * that a foreign pointer is an error and no crash. */
#include <stdlib.h>

#include "plan.h"

typedef struct lpi_known {
    const void **tensors, **layers; /* by address */
    int64_t tensors_count, layers_count;
} lpi_known;

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const void *const *)a;
    uintptr_t y = (uintptr_t) * (const void *const *)b;

    return (x > y) - (x < y);
}

static bool is_listed(const void **list, int64_t count, const void *address)
{
    return address && bsearch(&address, list, (size_t)count, sizeof(*list),
                              by_address) != NULL;
}

lp_status lpi_know(lp_schedule *schedule, lp_error *error)
{
    const lp_model *model = schedule->model;
    lpi_known *known;
    int64_t i;

    if (schedule->known)
        return LP_OK;
    known = LPI_NEW(schedule->arena, lpi_known, 1);
    if (!known)
        return lpi_fail_memory(error);
    known->tensors =
        LPI_NEW(schedule->arena, const void *, model->tensors_count);
    known->layers = LPI_NEW(schedule->arena, const void *, model->layers_count);
    if (!known->tensors || !known->layers)
        return lpi_fail_memory(error);
    for (i = 0; i < model->tensors_count; i++)
        known->tensors[known->tensors_count++] = model->tensors[i];
    for (i = 0; i < model->layers_count; i++)
        if (!model->layers[i]->is_static)
            known->layers[known->layers_count++] = model->layers[i];
    qsort(known->tensors, (size_t)known->tensors_count, sizeof(void *),
          by_address);
    qsort(known->layers, (size_t)known->layers_count, sizeof(void *),
          by_address);
    schedule->known = known;
    return LP_OK;
}

bool lpi_knows_tensor(const lp_schedule *schedule, const lp_tensor *tensor)
{
    return is_listed(schedule->known->tensors, schedule->known->tensors_count,
                     tensor);
}

bool lpi_knows_layer(const lp_schedule *schedule, const lp_layer *layer)
{
    return is_listed(schedule->known->layers, schedule->known->layers_count,
                     layer);
}
