/* obstacle.c: why a plan does not fit.
 *
 * When one layer, as it is cut, takes more than the budget by itself, its
 * operands prove that nothing fits, as do inputs or outputs of the graph that
 * are over it together.  Else what is resident at the fullest unit shows what
 * the plan found lacks; and where that is within the budget, a small set of
 * buffers for which there are no offsets.  All sets but that one are reduced:
 * the largest buffers of them that are over the budget together are the
 * fewest. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

typedef struct scene {
    lpi_planning *planning;
    const lpi_program *p;
    lpi_arena *scratch;
    int64_t budget;
    lp_obstacle *o;
    lp_plan_buffer *buffers;
    int64_t count;
    int64_t unit, load; /* where most is, and how much */
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

/* Find the unit that needs most by itself; whether that is over the budget. */
static bool find_floor(scene *s)
{
    lpi_kin *kin = &s->planning->kin;
    const lpi_program *p = s->p;
    int64_t u;
    bool in, out;

    for (u = 0; u < p->units_count; u++) {
        int64_t bytes = lpi_add(lpi_operands_floor(kin, p, u, &in, &out),
                                lpi_buffers_floor(p, u));

        if (bytes > s->load) {
            s->unit = u;
            s->load = bytes;
        }
    }
    return s->load > s->budget;
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

        if (lpi_kin_stands(kin, s->p->schedule, tensor))
            ok =
                add(s, tensor->name, lpi_planned_bytes(s->p->schedule, tensor));
    }
    return ok;
}

/* The operands and buffers of the unit that must lie apart. */
static bool list_operands(scene *s)
{
    const lpi_use *use = &s->p->uses[s->unit];
    bool in, out, ok = true;
    int32_t i;

    lpi_operands_floor(&s->planning->kin, s->p, s->unit, &in, &out);
    ok = (!in || list_values(s, use->inputs, use->inputs_count)) &&
         (!out || list_values(s, use->outputs, use->outputs_count));
    for (i = 0; ok && i < use->buffers_count; i++) {
        const lpi_residency *r = &s->p->residencies[use->buffers[i]];

        if (r->kind != LPI_OF_STAGING)
            ok = add(s, called(r), r->bytes);
    }
    return ok;
}

/* The values of "ends", those that there are, which are all there together;
 * whether they are over the budget. */
static bool list_ends(scene *s, const int64_t *ends, int64_t count,
                      bool *ret_over)
{
    int64_t *values = LPI_NEW(s->scratch, int64_t, count), i;
    int32_t n = 0;

    if (!values)
        return false;
    for (i = 0; i < count && n < INT32_MAX; i++)
        if (ends[i] >= 0)
            values[n++] = ends[i];
    s->load = lpi_kin_bytes(&s->planning->kin, s->p, values, n);
    *ret_over = s->load > s->budget;
    return !*ret_over || list_values(s, values, n);
}

/* The fullest unit, and what is resident then in memory 0; without units, what
 * the graph begins and ends with. */
static bool list_residents(scene *s)
{
    const lpi_program *p = s->p;
    const int64_t *loads = lpi_loads_find(s->scratch, p);
    bool ok = true;
    int64_t i;

    if (!loads)
        return false;
    s->unit = s->load = 0;
    for (i = 0; i == 0 || i < p->units_count; i++)
        if (loads[i] > s->load) {
            s->load = loads[i];
            s->unit = i;
        }
    for (i = 0; ok && i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->memory == 0 && r->first <= s->unit && r->last >= s->unit)
            ok = add(s, called(r), r->bytes);
    }
    return ok;
}

/* In place of the residents: buffers that have no offsets within the budget,
 * if it is proved that there are such; whether it is. */
static lp_status list_core(scene *s, bool *ret_proved)
{
    lp_place_options options = {.capacity_bytes = s->budget,
                                .effort = s->planning->problem.effort};
    const lpi_program *p = s->p;
    lp_buffer *buffers = LPI_NEW(s->scratch, lp_buffer, p->residencies_count);
    int64_t *origins = LPI_NEW(s->scratch, int64_t, p->residencies_count);
    int64_t count = 0, i;
    lp_placement placement;
    bool ok = true;

    if (!buffers || !origins)
        return lpi_fail_memory(s->error);
    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->memory != 0)
            continue;
        origins[count] = i;
        buffers[count++] = (lp_buffer){.lower = r->first,
                                       .upper = r->last + 1,
                                       .bytes = r->bytes,
                                       .alignment = p->memories[0].alignment,
                                       .offset = -1,
                                       .hint = -1};
    }
    LP_TRY(lp_solve_place(s->scratch, buffers, count, &options, &placement,
                          s->error));
    *ret_proved = !placement.fits && placement.core_count > 0;
    if (!*ret_proved)
        return LP_OK;
    s->count = 0;
    for (i = 0; ok && i < placement.core_count; i++) {
        const lpi_residency *r = &p->residencies[origins[placement.core[i]]];

        ok = add(s, called(r), r->bytes);
    }
    return ok ? LP_OK : lpi_fail_memory(s->error);
}

static int by_bytes(const void *a, const void *b)
{
    const lp_plan_buffer *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sort the buffers, and keep the fewest that are over the budget, or "all". */
static void reduce(scene *s, bool all)
{
    int64_t sum = 0, n = 0;

    if (s->count)
        qsort(s->buffers, (size_t)s->count, sizeof(*s->buffers), by_bytes);
    while (n < s->count && (all || sum <= s->budget))
        sum = lpi_add(sum, s->buffers[n++].bytes);
    s->o->bytes = sum;
    s->o->buffers = s->buffers;
    s->o->buffers_count = n;
}

/* One line for "o", whose cause is known. */
static lp_status say(scene *s)
{
    lpi_arena *to = s->planning->arena;
    long long budget = s->budget, load = s->load;
    long long arena = s->p->predictions.arena_bytes;
    lp_obstacle *o = s->o;

    switch (o->cause) {
    case LP_OBSTACLE_LAYER:
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and layer '%.200s' alone takes %lld: no "
            "order, copy or recomputation helps, smaller tiles might",
            budget, o->layer, load);
        break;
    case LP_OBSTACLE_ENDS:
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and what the graph %s with takes %lld: "
            "no plan helps",
            budget, o->run < 0 ? "begins" : "ends", load);
        break;
    case LP_OBSTACLE_LOAD:
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes, and %lld are resident while run %lld, "
            "'%.200s', computes; that no other plan fits is not proved",
            budget, load, (long long)o->run, o->layer);
        break;
    case LP_OBSTACLE_PLACEMENT:
        o->what = lpi_arena_printf(
            to,
            "the budget is %lld bytes; no more than %lld are resident at a "
            "time, but the best placement found takes %lld",
            budget, load, arena);
        break;
    }
    return o->what ? LP_OK : lpi_fail_memory(s->error);
}

/* Find the cause, and list its buffers; "*ret_all": none can be left out. */
static lp_status find_cause(scene *s, bool *ret_all)
{
    const lpi_program *p = s->p;
    bool over = false, ok = true;

    *ret_all = false;
    s->o->is_proof = true;
    s->o->cause = LP_OBSTACLE_LAYER;
    if (find_floor(s))
        return list_operands(s) ? LP_OK : lpi_fail_memory(s->error);
    s->o->cause = LP_OBSTACLE_ENDS;
    s->unit = -1;
    if (p->memories_count == 1)
        ok = list_ends(s, p->input_values, p->model->inputs_count, &over);
    if (ok && p->memories_count == 1 && !over) {
        s->unit = p->units_count;
        ok = list_ends(s, p->output_values, p->model->outputs_count, &over);
    }
    if (!ok || over)
        return ok ? LP_OK : lpi_fail_memory(s->error);
    s->o->is_proof = false;
    s->o->cause = LP_OBSTACLE_LOAD;
    if (!list_residents(s))
        return lpi_fail_memory(s->error);
    if (s->load > s->budget)
        return LP_OK;
    s->o->cause = LP_OBSTACLE_PLACEMENT;
    *ret_all = true;
    return list_core(s, &s->o->is_core);
}

static lp_status describe(scene *s, lp_schedule *schedule)
{
    lp_obstacle *o = s->o;
    lpi_text name = {0};
    bool all;

    LP_TRY(find_cause(s, &all));
    o->run = s->unit;
    o->least_bytes = o->is_proof ? s->load : 0;
    if (o->run >= 0 && o->run < s->p->units_count)
        lpi_unit_name(schedule, o->run, &name);
    else
        lpi_text_put(&name, "");
    o->layer = name.bytes ? lpi_arena_strdup(s->planning->arena, name.bytes)
                          : NULL;
    lpi_text_drop(&name);
    if (!o->layer)
        return lpi_fail_memory(s->error);
    reduce(s, all);
    return say(s);
}

lp_status lpi_obstacle_find(lpi_planning *planning, lp_schedule *schedule,
                            lp_plan *plan, lp_error *error)
{
    scene s = {.planning = planning,
               .scratch = lpi_arena_new(lpi_arena_cap(planning->arena)),
               .budget = planning->problem.budget_bytes,
               .o = LPI_NEW(planning->arena, lp_obstacle, 1),
               .error = error};
    lpi_program program;
    lp_status status = LP_ENOMEM;

    if (s.scratch && s.o)
        status = lpi_program_lower(s.scratch, schedule, &program, NULL, error);
    else
        lpi_fail_memory(error);
    if (status == LP_OK) {
        s.p = &program;
        s.buffers = LPI_NEW(planning->arena, lp_plan_buffer,
                            program.residencies_count + program.values_count);
        status = s.buffers ? describe(&s, schedule) : lpi_fail_memory(error);
    }
    if (status == LP_OK)
        plan->obstacle = s.o;
    lpi_arena_free(s.scratch);
    return status;
}
