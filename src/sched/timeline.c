/* timeline.c: when a program does what, on two serial engines.
 *
 * Steps are taken in their order.  A copy is a job of the DMA engine, issued
 * when the unit before it has ended.  A unit starts when the compute engine is
 * free and its copies are ready; what it reads of weights streams while it
 * computes, so it also waits for the DMA engine, and ends when both are done.
 * A pinned weight is read at its first unit: in that unit's stream when the
 * unit reads it, else by a job issued when the unit starts.  Bytes that a store
 * still reads are not written over: who lies there next waits for it. */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

/* What each unit does, and the DMA work that cuts before it see. */
typedef struct times {
    const lpi_program *p;
    const lp_device *device;
    lpi_arena *arena;
    lpi_weights_held weights;
    int32_t *memories;      /* of the device, by memory of the schedule */
    int64_t *computes;      /* by unit */
    int64_t *streams;       /* by unit: its weights, and pins that it reads */
    int64_t *heads, *links; /* pins by unit "from", linked */
    int64_t *readies;       /* by unit: when its copies are ready */
    int64_t *starts, *ends; /* by unit */
    int64_t *needed;        /* by unit: DMA that must be done before it ... */
    int64_t *issued;        /* ... and that is issued when it starts, or after
                               it */
    int64_t *by_first;      /* residencies, by their first unit */
    bool *is_copied;        /* by residency: it begins with a copy */
    int64_t compute_at, dma_at; /* when the engines are free */
    int64_t dma_ns, traffic_bytes;
    lp_error *error;
} times;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- what each takes -------------------------------------------------------
 */

static lp_status unit_compute(const times *t, int64_t unit, int64_t *known)
{
    const lp_unit *u = &t->p->units[unit];
    const lpi_tiling *tiling = t->p->uses[unit].tiling;
    lp_row_status status;
    lp_cost cost;
    int32_t i;

    for (i = 0; tiling && i < tiling->stages_count; i++) {
        const lpi_stage *s = &tiling->stages[i];

        t->computes[unit] = lpi_add(
            t->computes[unit],
            lpi_compute_ns(t->device, t->p->schedule, s->layer, &s->cost));
    }
    if (!u->layer)
        return LP_OK;
    if (!known[u->layer->id]) {
        LP_TRY(lpi_layer_cost(t->p->model, u->layer, &cost, &status, t->error));
        known[u->layer->id] = lpi_add(
            1, lpi_compute_ns(t->device, t->p->schedule, u->layer, &cost));
    }
    t->computes[unit] = known[u->layer->id] - 1;
    return LP_OK;
}

/* Time of reading "copies" weights, "bytes" in all. */
static int64_t read_ns(const times *t, int64_t bytes, int64_t copies)
{
    int64_t setup = t->device->dma_setup_ns, one;

    if (!t->p->schedule->weights_memory || !copies)
        return 0;
    one = lp_device_copy_ns(
        t->device, t->memories[t->p->schedule->weights_memory], 0, bytes);
    return lpi_add(one, lpi_mul(copies - 1, setup));
}

static int64_t pin_ns(const times *t, int64_t pin)
{
    int64_t bytes =
        lpi_planned_stored(t->p->schedule, t->p->schedule->pins[pin].tensor);

    return read_ns(t, bytes, bytes > 0);
}

/* The streams of units, with the pins that begin there and are read there. */
static lp_status find_streams(times *t)
{
    const lp_schedule *s = t->p->schedule;
    int64_t units = t->p->units_count, u, i;
    int64_t *copies = LPI_NEW(t->arena, int64_t, units);
    int64_t *bytes = LPI_NEW(t->arena, int64_t, units);

    if (!copies || !bytes)
        return lpi_fail_memory(t->error);
    for (u = 0; u < units; u++) {
        copies[u] = t->weights.copies[u];
        bytes[u] = t->weights.bytes[u];
        t->heads[u] = -1;
    }
    for (i = s->pins_count - 1; i >= 0; i--) {
        const lp_pin *pin = &s->pins[i];

        if (t->weights.readers[i] == pin->from) {
            copies[pin->from] += pin->tensor->stored_bytes > 0;
            bytes[pin->from] =
                lpi_add(bytes[pin->from], lpi_planned_stored(s, pin->tensor));
            continue;
        }
        t->links[i] = t->heads[pin->from];
        t->heads[pin->from] = i;
    }
    for (u = 0; u < units; u++)
        t->streams[u] = read_ns(t, bytes[u], copies[u]);
    if (s->weights_memory) {
        for (u = 0; u < units; u++)
            t->traffic_bytes = lpi_add(t->traffic_bytes, bytes[u]);
        for (u = 0; u < units; u++)
            for (i = t->heads[u]; i >= 0; i = t->links[i])
                t->traffic_bytes = lpi_add(
                    t->traffic_bytes, lpi_planned_stored(s, s->pins[i].tensor));
    }
    return LP_OK;
}

/* Find the memories of the schedule on the device: memory 0 is memory 0, the
 * others are known by their names. */
static lp_status find_memories(times *t)
{
    const lp_schedule *s = t->p->schedule;
    int64_t i;
    int32_t j;

    for (i = 1; i < s->memories_count; i++) {
        for (j = 1; j < t->device->memories_count &&
                    strcmp(t->device->memories[j].name, s->memories[i].name);)
            j++;
        if (j >= t->device->memories_count)
            return lpi_fail(t->error, LP_EINPUT, s->name,
                            "device '%.200s' has no memory '%.200s'",
                            t->device->name, s->memories[i].name);
        t->memories[i] = j;
    }
    return LP_OK;
}

/* ---- steps -----------------------------------------------------------------
 */

/* Units "unit" and after it wait until "at". */
static void wait(times *t, int64_t unit, int64_t at)
{
    if (unit < t->p->units_count && t->readies[unit] < at)
        t->readies[unit] = at;
}

/* The first unit that writes over bytes of residency "r", after its end;
 * copies over them are behind it in the queue. */
static int64_t next_over(const times *t, const lpi_residency *r)
{
    const lpi_program *p = t->p;
    int64_t low = 0, high = p->residencies_count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (p->residencies[t->by_first[middle]].first <= r->last)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < p->residencies_count; low++) {
        const lpi_residency *next = &p->residencies[t->by_first[low]];

        if (!t->is_copied[t->by_first[low]] && next->memory == r->memory &&
            next->offset < r->offset + r->bytes &&
            r->offset < next->offset + next->bytes)
            return next->first;
    }
    return p->units_count;
}

/* A copy, while unit "next" is the next to run. */
static lp_status do_copy(times *t, const lpi_step *step, int64_t next)
{
    const lpi_residency *from = &t->p->residencies[step->from];
    const lpi_residency *to = &t->p->residencies[step->to];
    int64_t issue = next ? t->ends[next - 1] : 0, until = step->unit, over, ns;

    ns = lp_device_copy_ns(t->device, t->memories[from->memory],
                           t->memories[to->memory], to->bytes);
    if (ns < 0)
        return lpi_fail(t->error, LP_EINFEASIBLE, t->p->schedule->name,
                        "tensor '%.200s' is written to memory '%.200s', which "
                        "is only read",
                        from->tensor->name, t->p->memories[to->memory].name);
    t->dma_at = lpi_add(t->dma_at > issue ? t->dma_at : issue, ns);
    t->dma_ns = lpi_add(t->dma_ns, ns);
    t->traffic_bytes = lpi_add(t->traffic_bytes, to->bytes);
    if (step->kind == LPI_STEP_STORE) {
        over = next_over(t, from);
        until = over < until ? over : until;
    }
    if (until < next)
        until = next;
    wait(t, until, t->dma_at);
    t->needed[until] = lpi_add(t->needed[until], ns);
    if (next)
        t->issued[next - 1] = lpi_add(t->issued[next - 1], ns);
    return LP_OK;
}

static void do_run(times *t, int64_t unit)
{
    const lpi_program *p = t->p;
    int64_t start = t->compute_at, stream = t->streams[unit], i;

    if (start < t->readies[unit])
        start = t->readies[unit];
    if (stream && start < t->dma_at)
        start = t->dma_at;
    t->starts[unit] = start;
    t->ends[unit] = lpi_add(start, t->computes[unit]);
    t->dma_ns = lpi_add(t->dma_ns, stream);
    t->needed[unit + 1] = lpi_add(t->needed[unit + 1], stream);
    t->issued[unit] = lpi_add(t->issued[unit], stream);
    if (stream)
        t->dma_at = lpi_add(start, stream);
    if (stream && t->ends[unit] < t->dma_at)
        t->ends[unit] = t->dma_at;
    t->compute_at = t->ends[unit];
    for (i = t->heads[unit]; i >= 0; i = t->links[i]) {
        int64_t ns = pin_ns(t, i), reader = t->weights.readers[i];

        t->dma_at = lpi_add(t->dma_at > start ? t->dma_at : start, ns);
        t->dma_ns = lpi_add(t->dma_ns, ns);
        reader = reader < 0 ? p->units_count : reader;
        wait(t, reader, t->dma_at);
        t->needed[reader] = lpi_add(t->needed[reader], ns);
        t->issued[unit] = lpi_add(t->issued[unit], ns);
    }
}

static lp_status do_steps(times *t)
{
    int64_t next = 0, i;

    for (i = 0; i < t->p->steps_count; i++) {
        const lpi_step *step = &t->p->steps[i];

        if (step->kind == LPI_STEP_RUN)
            do_run(t, next++);
        else if (step->kind != LPI_STEP_DROP && !step->is_clean)
            LP_TRY(do_copy(t, step, next));
    }
    return LP_OK;
}

/* ---- bounds ----------------------------------------------------------------
 */

/* At the cut before each unit: what must be done by then on the busier engine,
 * and what comes after it. */
static int64_t find_bound(const times *t)
{
    int64_t units = t->p->units_count, compute = 0, needed = 0, best = 0, u;
    int64_t later = 0, issued = 0;

    for (u = 0; u < units; u++) {
        later = lpi_add(later, t->computes[u]);
        issued = lpi_add(issued, t->issued[u]);
    }
    best = larger(later, t->dma_ns);
    for (u = 0; u < units; u++) {
        needed = lpi_add(needed, t->needed[u]);
        best = larger(best,
                      lpi_add(larger(compute, needed), larger(later, issued)));
        compute = lpi_add(compute, t->computes[u]);
        later -= later == INT64_MAX ? 0 : t->computes[u];
        issued -= issued == INT64_MAX ? 0 : t->issued[u];
    }
    return best;
}

/* The same for any schedule with these units: a weight that is first read after
 * a cut was read before it only if it fits memory 0. */
static lp_status find_order_bound(const times *t, int64_t *ret_bound)
{
    int64_t units = t->p->units_count, room = t->p->memories[0].capacity_bytes;
    int64_t compute = 0, read = 0, copies = 0, best, u;
    int64_t later = 0, unread = 0;
    lpi_weights_held firsts;

    LP_TRY(lpi_weights_firsts(t->p, t->arena, &firsts, t->error));
    for (u = 0; u < units; u++) {
        later = lpi_add(later, t->computes[u]);
        unread = lpi_add(unread, firsts.bytes[u]);
    }
    best = later;
    for (u = 0; u < units; u++) {
        int64_t rest = room && unread > room ? read_ns(t, unread - room, 1) -
                                                   t->device->dma_setup_ns
                                             : 0;

        best = larger(best, lpi_add(larger(compute, read_ns(t, read, copies)),
                                    larger(later, rest)));
        compute = lpi_add(compute, t->computes[u]);
        read = lpi_add(read, firsts.bytes[u]);
        copies += firsts.copies[u];
        later -= later == INT64_MAX ? 0 : t->computes[u];
        unread -= unread == INT64_MAX ? 0 : firsts.bytes[u];
    }
    *ret_bound = larger(best, read_ns(t, read, copies));
    return LP_OK;
}

/* ---- all of it -------------------------------------------------------------
 */

/* Sort the residencies by their first unit, and note which begin with a
 * copy. */
static lp_status sort_residencies(times *t)
{
    const lpi_program *p = t->p;
    int64_t *counts = LPI_NEW(t->arena, int64_t, p->units_count + 2);
    int64_t i;

    t->by_first = LPI_NEW(t->arena, int64_t, p->residencies_count);
    t->is_copied = LPI_NEW(t->arena, bool, p->residencies_count);
    if (!counts || !t->by_first || !t->is_copied)
        return lpi_fail_memory(t->error);
    for (i = 0; i < p->residencies_count; i++)
        counts[p->residencies[i].first + 1]++;
    for (i = 0; i < p->units_count; i++)
        counts[i + 1] += counts[i];
    for (i = 0; i < p->residencies_count; i++)
        t->by_first[counts[p->residencies[i].first]++] = i;
    for (i = 0; i < p->steps_count; i++)
        if (p->steps[i].kind == LPI_STEP_LOAD ||
            p->steps[i].kind == LPI_STEP_STORE)
            t->is_copied[p->steps[i].to] = true;
    return LP_OK;
}

static lp_status prepare(times *t)
{
    const lpi_program *p = t->p;
    int64_t *known = LPI_NEW(t->arena, int64_t, p->model->layers_count);
    int64_t units = p->units_count, u;

    t->memories = LPI_NEW(t->arena, int32_t, p->memories_count);
    t->computes = LPI_NEW(t->arena, int64_t, units);
    t->streams = LPI_NEW(t->arena, int64_t, units);
    t->heads = LPI_NEW(t->arena, int64_t, units);
    t->links = LPI_NEW(t->arena, int64_t, p->schedule->pins_count);
    t->readies = LPI_NEW(t->arena, int64_t, units);
    t->starts = LPI_NEW(t->arena, int64_t, units);
    t->ends = LPI_NEW(t->arena, int64_t, units);
    t->needed = LPI_NEW(t->arena, int64_t, units + 1);
    t->issued = LPI_NEW(t->arena, int64_t, units);
    if (!known || !t->memories || !t->computes || !t->streams || !t->heads ||
        !t->links || !t->readies || !t->starts || !t->ends || !t->needed ||
        !t->issued)
        return lpi_fail_memory(t->error);
    LP_TRY(find_memories(t));
    LP_TRY(lpi_weights_find(p, t->arena, &t->weights, t->error));
    for (u = 0; u < units; u++)
        LP_TRY(unit_compute(t, u, known));
    LP_TRY(find_streams(t));
    return sort_residencies(t);
}

lp_status lpi_program_time(lpi_arena *arena, const lpi_program *program,
                           const lp_device *device, lp_timeline *ret_timeline,
                           lp_error *error)
{
    times t = {.p = program, .device = device, .arena = arena, .error = error};
    lp_timeline timeline = {.units_count = program->units_count};
    int64_t u;

    LP_TRY(prepare(&t));
    LP_TRY(do_steps(&t));
    LP_TRY(find_order_bound(&t, &timeline.order_bound_ns));
    timeline.latency_ns = larger(t.compute_at, t.dma_at);
    timeline.dma_ns = t.dma_ns;
    for (u = 0; u < program->units_count; u++)
        timeline.compute_ns = lpi_add(timeline.compute_ns, t.computes[u]);
    timeline.starts = t.starts;
    timeline.ends = t.ends;
    timeline.traffic_bytes = t.traffic_bytes;
    timeline.bound_ns = find_bound(&t);
    *ret_timeline = timeline;
    return LP_OK;
}
