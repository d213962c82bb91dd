/* bounds.c: what no schedule can beat, beside what planners prove.
 *
 * Peak: the graph begins with all of its inputs and ends with all of its
 * outputs; while a unit runs, what it reads and makes is there.  Traffic:
 * weights are read once where they live elsewhere, and what has its home
 * elsewhere comes and goes once.  Latency: of the device and the model, and of
 * the timeline.  Each is stated with what it takes as it stands; one that is no
 * higher than another that takes less is left out. */
#include <string.h>

#include "plan.h"

typedef struct finder {
    lpi_planning *planning;
    lp_schedule *schedule;
    const lpi_program *program;
    lpi_arena *scratch;
    lp_error *error;
} finder;

enum {
    ALL_BUT_PLACE = LP_PRECISION | LP_GROUPS | LP_RUNS | LP_MOVE | LP_ALIAS,
};

static lp_status add(finder *f, const char *quantity, int64_t value,
                     const char *proof, uint32_t given)
{
    lp_bound bound = {
        .quantity = quantity, .value = value, .proof = proof, .given = given};

    return value > 0 ? lp_schedule_add_bound(f->schedule, &bound, f->error)
                     : LP_OK;
}

/* What unit "unit" has beside its operands, its part of the live peak. */
static int64_t live_buffers(const lpi_program *p, int64_t unit)
{
    const lpi_use *use = &p->uses[unit];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < use->buffers_count; i++)
        bytes = lpi_add(bytes, p->residencies[use->buffers[i]].live_bytes);
    return bytes;
}

/* Distinct storages that unit "unit" reads and makes, views free, with its
 * part of the live peak. */
static int64_t live_floor(const lpi_program *p, int64_t unit,
                          const lp_problem *problem, int64_t *seen)
{
    const lpi_use *use = &p->uses[unit];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < lpi_use_values(use); i++) {
        int64_t value = lpi_use_value(use, i);
        int32_t at = lp_problem_tensor(problem, p->values[value].tensor);
        int32_t root = at < 0 ? -1 : problem->tensors[at].viewed;

        if (root < 0 || seen[root] == unit + 1)
            continue;
        seen[root] = unit + 1;
        bytes = lpi_add(bytes, problem->tensors[root].bytes);
    }
    return lpi_add(bytes, live_buffers(p, unit));
}

/* Sums of the storages of the inputs, and of the outputs, of the graph. */
static lp_status find_ends(finder *f, const lp_problem *problem)
{
    int64_t *seen = LPI_NEW(f->scratch, int64_t, problem->tensors_count);
    int64_t *values =
        LPI_NEW(f->scratch, int64_t, f->program->model->outputs_count);
    int64_t in = 0, out = 0, j;
    int32_t count = 0, i;

    if (!seen || !values)
        return lpi_fail_memory(f->error);
    for (i = 0; i < problem->tensors_count; i++) {
        const lp_plan_tensor *t = &problem->tensors[i];

        if (t->producer < 0)
            in = lpi_add(in, t->bytes);
        if (t->is_output && !seen[t->viewed]++)
            out = lpi_add(out, problem->tensors[t->viewed].bytes);
    }
    for (j = 0; j < f->program->model->outputs_count; j++)
        if (f->program->output_values[j] >= 0)
            values[count++] = f->program->output_values[j];
    if (f->program->units_count)
        LP_TRY(add(f, "live_peak_bytes", in > out ? in : out,
                   "inputs and outputs", 0));
    if (f->schedule->memories_count > 1)
        return LP_OK;
    out = lpi_kin_bytes(&f->planning->kin, f->program, values, count);
    return add(f, "arena_bytes", in > out ? in : out, "inputs and outputs", 0);
}

/* Raise "*most" to "value". */
static void raise(int64_t *most, int64_t value)
{
    if (value > *most)
        *most = value;
}

/* Tiles may share buffers by aliases, so that they count with these alone. */
static lp_status find_peaks(finder *f)
{
    static const uint32_t cut = LP_PRECISION | LP_GROUPS;
    const lpi_program *p = f->program;
    lpi_plan_run run = {.planning = f->planning};
    lp_problem problem = f->planning->problem;
    int64_t *seen = LPI_NEW(f->scratch, int64_t, problem.tensors_count);
    const int64_t *loads = lpi_loads_find(f->scratch, p);
    int64_t live[2] = {0}, arena[2] = {0}, load = 0, u, i;
    bool in, out;

    if (!seen || !loads)
        return lpi_fail_memory(f->error);
    problem.run = &run;
    LP_TRY(find_ends(f, &problem));
    for (u = 0; u < p->units_count; u++) {
        int64_t operands =
            lpi_operands_floor(&f->planning->kin, p, u, &in, &out);
        int64_t needs = live_floor(p, u, &problem, seen);
        int64_t tiles = p->units[u].group ? live_buffers(p, u) : 0;

        raise(&load, loads[u]);
        raise(&live[0], needs - tiles);
        raise(&live[1], needs);
        raise(&arena[0], p->units[u].group
                             ? operands
                             : lpi_add(operands, lpi_buffers_floor(p, u)));
        raise(&arena[1], lpi_add(operands, lpi_buffers_floor(p, u)));
    }
    for (i = 0; i < 2; i++) {
        uint32_t given = cut | (i ? LP_ALIAS : 0);

        LP_TRY(
            add(f, "live_peak_bytes", live[i], "largest working set", given));
        LP_TRY(add(f, "arena_bytes", arena[i], "largest working set", given));
    }
    return add(f, "arena_bytes", load, "load", ALL_BUT_PLACE);
}

/* Bytes of values that begin or end in another memory. */
static int64_t away_bytes(const finder *f)
{
    const lp_schedule *s = f->schedule;
    int64_t bytes = 0, i;

    for (i = 0; i < s->homes_count; i++) {
        const lp_tensor *tensor = s->homes[i].tensor;

        if (s->homes[i].memory > 0 && tensor->kind == LPI_INPUT)
            bytes = lpi_add(bytes, lpi_planned_bytes(s, tensor));
    }
    return bytes;
}

static lp_status find_traffic(finder *f)
{
    const lpi_program *p = f->program;
    lpi_weights_held weights;
    int64_t bytes = 0, u;

    if (f->schedule->weights_memory) {
        LP_TRY(lpi_weights_firsts(p, f->scratch, &weights, f->error));
        for (u = 0; u < p->units_count; u++)
            bytes = lpi_add(bytes, weights.bytes[u]);
    }
    LP_TRY(add(f, "traffic_bytes", bytes, "every weight once", 0));
    return add(f, "traffic_bytes", lpi_add(bytes, away_bytes(f)),
               "every weight and every input that lies elsewhere once",
               LP_MOVE);
}

static lp_status find_latency(finder *f)
{
    const lp_device *device = f->planning->problem.device;
    lp_timeline timeline;
    int64_t ns;

    if (!device)
        return LP_OK;
    LP_TRY(lpi_latency_bound(device, f->planning->model, f->schedule, &ns,
                             f->error));
    LP_TRY(
        lpi_program_time(f->scratch, f->program, device, &timeline, f->error));
    LP_TRY(add(f, "latency_ns", ns, "busier engine", 0));
    LP_TRY(add(f, "latency_ns", timeline.order_bound_ns, "busier engine",
               LP_PRECISION | LP_GROUPS | LP_RUNS));
    return add(f, "latency_ns", timeline.bound_ns, "busier engine",
               ALL_BUT_PLACE);
}

/* ---- what is achieved ------------------------------------------------------
 */

/* "groups, runs"; widths as they stand are always taken for granted. */
static const char *name_columns(lpi_arena *arena, uint32_t given)
{
    const char *all = "", *name;
    int32_t i;

    for (i = 1; all && (name = lpi_column_name(i)); i++)
        if (given & 1u << i)
            all =
                lpi_arena_printf(arena, "%s%s%s", all, *all ? ", " : "", name);
    return all;
}

/* Whether another bound of the same kind, one that takes columns as they stand
 * or one that takes none, says more, or as much with fewer columns. */
static bool is_idle(const lp_schedule *s, int64_t at)
{
    const lp_bound *b = &s->bounds[at];
    int64_t i;

    for (i = 0; i < s->bounds_count; i++) {
        const lp_bound *other = &s->bounds[i];

        if (i == at || strcmp(other->quantity, b->quantity) != 0 ||
            other->value < b->value || (other->given && !b->given))
            continue;
        if (!other->given && b->given)
            return true;
        if (other->value > b->value || other->given < b->given ||
            (other->given == b->given && i < at))
            return true;
    }
    return false;
}

/* The bounds of the schedule into "plan"; idle ones are dropped. */
static lp_status report(finder *f, lp_plan *plan)
{
    lpi_arena *arena = f->planning->arena;
    lp_schedule *s = f->schedule;
    lp_plan_bound *list = LPI_NEW(arena, lp_plan_bound, s->bounds_count);
    lp_bound *kept = LPI_NEW(s->arena, lp_bound, s->bounds_count);
    int64_t count = 0, value, i;

    if (!list || !kept)
        return lpi_fail_memory(f->error);
    for (i = 0; i < s->bounds_count; i++) {
        const lp_bound *b = &s->bounds[i];

        if (!lpi_prediction_of(&s->predictions, b->quantity, &value) ||
            is_idle(s, i))
            continue;
        if (b->value > value)
            return lpi_fail(f->error, LP_EINPUT, NULL,
                            "a bound on %.60s, %lld by '%.200s', is above what "
                            "the plan takes, %lld",
                            b->quantity, (long long)b->value, b->proof,
                            (long long)value);
        kept[count] = *b;
        list[count++] =
            (lp_plan_bound){.quantity = lpi_arena_strdup(arena, b->quantity),
                            .proof = lpi_arena_strdup(arena, b->proof),
                            .given = name_columns(arena, b->given),
                            .value = b->value,
                            .achieved = value,
                            .gap = value - b->value};
        if (!list[count - 1].quantity || !list[count - 1].proof ||
            !list[count - 1].given)
            return lpi_fail_memory(f->error);
    }
    s->bounds = kept;
    s->bounds_count = count;
    plan->bounds = list;
    plan->bounds_count = count;
    return LP_OK;
}

lp_status lpi_bounds_find(lpi_planning *planning, lp_schedule *schedule,
                          const lpi_program *program, lp_plan *plan,
                          lp_error *error)
{
    finder f = {.planning = planning,
                .schedule = schedule,
                .program = program,
                .error = error};
    lp_status status;

    f.scratch = lpi_arena_new(lpi_arena_cap(planning->arena));
    status = f.scratch ? find_peaks(&f) : lpi_fail_memory(error);
    if (status == LP_OK)
        status = find_traffic(&f);
    if (status == LP_OK)
        status = find_latency(&f);
    lpi_arena_free(f.scratch);
    return status == LP_OK ? report(&f, plan) : status;
}
