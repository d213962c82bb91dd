/* device.c: what work and copies take on a device, and schedules made for one.
 *
 * All times are whole nanoseconds, rounded up, by products of 128 bits, so that
 * they are the same everywhere. */
#include <string.h>

#include "sched.h"

enum { NS_PER_S = 1000000000 };

int64_t lp_device_macs_per_s(const lp_device *device, lp_dtype dtype)
{
    const lp_device_rate *fit = NULL, *widest = &device->rates[0];
    int32_t bits = lp_dtype_bits(dtype), i;
    int64_t scaled;

    for (i = 0; i < device->rates_count; i++) {
        const lp_device_rate *rate = &device->rates[i];
        int32_t has = lp_dtype_bits(rate->dtype);

        if (rate->dtype == dtype)
            return rate->macs_per_s;
        if (has >= bits && (!fit || has < lp_dtype_bits(fit->dtype)))
            fit = rate;
        if (has > lp_dtype_bits(widest->dtype))
            widest = rate;
    }
    if (fit)
        return fit->macs_per_s;
    scaled = lpi_mul(widest->macs_per_s, lp_dtype_bits(widest->dtype)) / bits;
    return scaled > 0 ? scaled : 1;
}

int64_t lp_device_copy_ns(const lp_device *device, int32_t from, int32_t to,
                          int64_t bytes)
{
    int64_t reads = device->memories[from].read_bytes_per_s;
    int64_t writes = device->memories[to].write_bytes_per_s;
    int64_t slower;

    if (to > 0 && !writes)
        return -1;
    slower = !writes || (reads && reads < writes) ? reads : writes;
    return lpi_add(device->dma_setup_ns,
                   slower ? lpi_mul_div(bytes, NS_PER_S, slower) : 0);
}

/* The dtype that "schedule" (NULL: none) plans for operand "tensor" of "layer",
 * or for the one of its first two that is of the same dtype and planned
 * wider. */
static lp_dtype planned(const lp_schedule *schedule, const lp_layer *layer,
                        const lp_tensor *tensor)
{
    lp_dtype dtype = schedule ? lpi_planned_dtype(schedule, tensor)
                              : tensor->dtype;
    int32_t i;

    for (i = 0; schedule && i < 2 && i < layer->inputs_count; i++) {
        const lp_tensor *other = layer->inputs[i];

        if (other && other->dtype == tensor->dtype &&
            lp_dtype_bits(lpi_planned_dtype(schedule, other)) >
                lp_dtype_bits(dtype))
            dtype = lpi_planned_dtype(schedule, other);
    }
    return dtype;
}

/* The dtype in which "layer" computes: of its first activation; of its first
 * result when it has bodies or reads none. */
static lp_dtype dtype_of(const lp_schedule *schedule, const lp_layer *layer)
{
    int32_t i, at = 0;

    for (i = 0; i < layer->inputs_count && !lpi_next_body(layer, &at); i++)
        if (layer->inputs[i] && !layer->inputs[i]->is_static &&
            lp_dtype_bits(layer->inputs[i]->dtype))
            return planned(schedule, layer, layer->inputs[i]);
    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i] && lp_dtype_bits(layer->outputs[i]->dtype))
            return layer->outputs[i]->dtype;
    return LP_FLOAT32;
}

int64_t lpi_compute_ns(const lp_device *device, const lp_schedule *schedule,
                       const lp_layer *layer, const lp_cost *cost)
{
    int64_t macs = lp_cost_macs(cost), ops = 0, ns = 0;
    int32_t i;

    for (i = 0; i < LP_ARITH_COUNT; i++)
        ops = lpi_add(ops, cost->arith[i]);
    if (macs)
        ns = lpi_mul_div(
            macs, NS_PER_S,
            lp_device_macs_per_s(device, dtype_of(schedule, layer)));
    if (ops && device->ops_per_s)
        ns = lpi_add(ns, lpi_mul_div(ops, NS_PER_S, device->ops_per_s));
    return ns;
}

int64_t lp_device_compute_ns(const lp_device *device, const lp_layer *layer,
                             const lp_cost *cost)
{
    return lpi_compute_ns(device, NULL, layer, cost);
}

/* ---- schedules for a device ------------------------------------------------
 */

lp_status lpi_schedule_for(lp_schedule *schedule, const lp_device *device,
                           lp_error *error)
{
    lp_memory *memories =
        LPI_NEW(schedule->arena, lp_memory, device->memories_count);
    const char *name = lpi_arena_strdup(schedule->arena, device->name);
    int32_t i;

    if (!memories || !name)
        return lpi_fail_memory(error);
    for (i = 0; i < device->memories_count; i++) {
        const lp_device_memory *from = &device->memories[i];

        memories[i] =
            (lp_memory){.name = lpi_arena_strdup(schedule->arena, from->name),
                        .capacity_bytes = from->capacity_bytes,
                        .alignment = from->alignment};
        if (!memories[i].name)
            return lpi_fail_memory(error);
    }
    schedule->memories = memories;
    schedule->memories_count = device->memories_count;
    schedule->weights_memory = device->weights_memory;
    schedule->device = name;
    schedule->target = device;
    return LP_OK;
}

/* Why memory "m" of a schedule is not "of" of a device; NULL. */
static const char *why_not(const lp_memory *m, const lp_device_memory *of)
{
    if (strcmp(m->name, of->name) != 0)
        return "is called so";
    if (of->capacity_bytes &&
        (!m->capacity_bytes || m->capacity_bytes > of->capacity_bytes))
        return "is as large";
    if (m->alignment % of->alignment)
        return "may be aligned so";
    return NULL;
}

lp_status lp_schedule_set_device(lp_schedule *schedule, const lp_device *device,
                                 lp_error *error)
{
    int64_t i;

    if (*schedule->device && strcmp(schedule->device, device->name) != 0)
        return lpi_fail(error, LP_EINPUT, schedule->name,
                        "the schedule is made for device '%.200s', not for "
                        "'%.200s'",
                        schedule->device, device->name);
    for (i = 0; i < schedule->memories_count; i++) {
        const lp_memory *m = &schedule->memories[i];
        const char *why = i < device->memories_count
                              ? why_not(m, &device->memories[i])
                              : "stands there";

        if (why)
            return lpi_fail(error, LP_EINPUT, schedule->name,
                            "memory '%.200s': none of device '%.200s' %s",
                            m->name, device->name, why);
    }
    if (schedule->weights_memory != device->weights_memory)
        return lpi_fail(error, LP_EINPUT, schedule->name,
                        "weights live in memory '%.200s' of device '%.200s'",
                        device->memories[device->weights_memory].name,
                        device->name);
    schedule->target = device;
    return LP_OK;
}

lp_status lp_schedule_timeline(const lp_problem *problem,
                               const lp_schedule *schedule,
                               lp_timeline *ret_timeline, lp_error *error)
{
    const lp_device *device = problem->device ? problem->device
                                              : schedule->target;
    lpi_program program;

    if (!device)
        return lpi_fail(error, LP_EINVALID, schedule->name,
                        "a timeline is one on a device, and none is given");
    LP_TRY(
        lpi_program_lower(problem->scratch, schedule, &program, NULL, error));
    return lpi_program_time(problem->scratch, &program, device, ret_timeline,
                            error);
}
