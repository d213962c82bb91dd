/* obstacle.c: why a plan does not fit, and what would.
 *
 * When one layer, as it is cut, takes more than the budget by itself, its
 * operands prove that nothing fits.  Else what is resident at the fullest unit
 * shows what the plan found lacks.  Either set is reduced: the largest buffers
 * of it that are over the budget together. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

typedef struct scene {
    lpi_planning *planning;
    const lpi_program *p;
    int64_t budget;
    lp_plan_buffer *buffers;
    int64_t count;
    lp_error *error;
} scene;

static bool add(scene *s, const char *name, int64_t bytes)
{
    char *copy = lpi_arena_strdup(s->planning->arena, name);

    if (copy && bytes > 0)
        s->buffers[s->count++] = (lp_plan_buffer){copy, bytes};
    return copy;
}

static const char *called(const lpi_residency *r)
{
    return r->tensor ? r->tensor->name : r->layer->name;
}

/* The unit that needs most by itself, and how much. */
static int64_t find_floor(const scene *s, int64_t *ret_bytes)
{
    lpi_kin *kin = &s->planning->kin;
    const lpi_program *p = s->p;
    int64_t at = -1, u;
    bool in, out;

    *ret_bytes = 0;
    for (u = 0; u < p->units_count; u++) {
        int64_t bytes = lpi_add(lpi_operands_floor(kin, p, u, &in, &out),
                                lpi_buffers_floor(p, u));

        if (at < 0 || bytes > *ret_bytes) {
            at = u;
            *ret_bytes = bytes;
        }
    }
    return at;
}

/* Those of "values" that share no bytes, the largest of each family. */
static bool list_values(scene *s, const int64_t *values, int32_t count)
{
    lpi_kin *kin = &s->planning->kin;
    bool ok = true;
    int32_t i;

    lpi_kin_bytes(kin, s->p, values, count);
    for (i = 0; ok && i < count; i++) {
        const lp_tensor *tensor = s->p->values[values[i]].tensor;

        if (lpi_kin_stands(kin, tensor))
            ok = add(s, tensor->name, lpi_tensor_bytes(tensor));
    }
    return ok;
}

/* The operands and buffers of "unit" that must lie apart. */
static bool list_operands(scene *s, int64_t unit)
{
    const lpi_use *use = &s->p->uses[unit];
    bool in, out, ok = true;
    int32_t i;

    lpi_operands_floor(&s->planning->kin, s->p, unit, &in, &out);
    ok = (!in || list_values(s, use->inputs, use->inputs_count)) &&
         (!out || list_values(s, use->outputs, use->outputs_count));
    for (i = 0; ok && i < use->buffers_count; i++) {
        const lpi_residency *r = &s->p->residencies[use->buffers[i]];

        if (r->kind != LPI_OF_STAGING)
            ok = add(s, called(r), r->bytes);
    }
    return ok;
}

/* The fullest unit, and what is resident then in memory 0; without units, what
 * the graph begins and ends with. */
static bool list_residents(scene *s, int64_t *ret_unit, int64_t *ret_load)
{
    const lpi_program *p = s->p;
    int64_t *change = LPI_NEW(s->planning->arena, int64_t, p->units_count + 2);
    int64_t sum = 0, u, i;
    bool ok = true;

    if (!change)
        return false;
    for (i = 0; i < p->residencies_count; i++)
        if (p->residencies[i].memory == 0) {
            change[p->residencies[i].first] += p->residencies[i].bytes;
            change[p->residencies[i].last + 1] -= p->residencies[i].bytes;
        }
    *ret_unit = *ret_load = 0;
    for (u = 0; u == 0 || u < p->units_count; u++) {
        sum += change[u];
        if (sum > *ret_load) {
            *ret_load = sum;
            *ret_unit = u;
        }
    }
    for (i = 0; ok && i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->memory == 0 && r->first <= *ret_unit && r->last >= *ret_unit)
            ok = add(s, called(r), r->bytes);
    }
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    const lp_plan_buffer *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Keep the fewest buffers that are over the budget; returns their bytes. */
static int64_t reduce(scene *s)
{
    int64_t sum = 0, n = 0;

    if (s->count)
        qsort(s->buffers, (size_t)s->count, sizeof(*s->buffers), by_bytes);
    while (n < s->count && sum <= s->budget)
        sum = lpi_add(sum, s->buffers[n++].bytes);
    s->count = n;
    return sum;
}

static lp_status say(scene *s, lp_obstacle *o, int64_t load, int64_t arena)
{
    lpi_arena *to = s->planning->arena;

    if (o->is_proof)
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and layer '%.200s' alone takes %lld: no "
            "order, copy or recomputation helps, smaller tiles might",
            (long long)s->budget, o->layer, (long long)load);
    else if (!s->p->units_count)
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and what a model without layers begins "
            "and ends with takes %lld",
            (long long)s->budget, (long long)arena);
    else if (load > s->budget)
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and %lld are resident while run %lld, "
            "'%.200s', computes; that no other plan fits is not proved",
            (long long)s->budget, (long long)load, (long long)o->run, o->layer);
    else
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes; no more than %lld are resident at a "
            "time, but the best placement found takes %lld",
            (long long)s->budget, (long long)load, (long long)arena);
    return o->what ? LP_OK : lpi_fail_memory(s->error);
}

static lp_status describe(scene *s, lp_schedule *schedule, lp_plan *plan)
{
    lpi_arena *arena = s->planning->arena;
    lp_obstacle *o = LPI_NEW(arena, lp_obstacle, 1);
    lpi_text name = {0};
    int64_t load, unit = find_floor(s, &load);
    bool ok = o != NULL;

    if (!ok)
        return lpi_fail_memory(s->error);
    o->is_proof = unit >= 0 && load > s->budget;
    ok = o->is_proof ? list_operands(s, unit) : list_residents(s, &unit, &load);
    if (s->p->units_count)
        lpi_unit_name(schedule, unit, &name);
    else
        lpi_text_put(&name, "no layer");
    o->layer = name.bytes ? lpi_arena_strdup(arena, name.bytes) : NULL;
    lpi_text_drop(&name);
    if (!ok || !o->layer)
        return lpi_fail_memory(s->error);
    o->run = unit;
    o->bytes = reduce(s);
    o->buffers = s->buffers;
    o->buffers_count = s->count;
    LP_TRY(say(s, o, load, s->p->predictions.arena_bytes));
    plan->obstacle = o;
    return LP_OK;
}

lp_status lpi_obstacle_find(lpi_planning *planning, lp_schedule *schedule,
                            lp_plan *plan, lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(planning->arena));
    scene s = {.planning = planning,
               .budget = planning->problem.budget_bytes,
               .error = error};
    lpi_program program;
    lp_status status;

    if (!scratch)
        return lpi_fail_memory(error);
    status = lpi_program_lower(scratch, schedule, &program, NULL, error);
    if (status == LP_OK) {
        s.p = &program;
        s.buffers = LPI_NEW(planning->arena, lp_plan_buffer,
                            program.residencies_count + program.values_count);
        status = s.buffers ? describe(&s, schedule, plan)
                           : lpi_fail_memory(error);
    }
    lpi_arena_free(scratch);
    return status;
}
