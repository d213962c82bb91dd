/* lower.c: from decisions to a program, pass after pass.
 *
 * values, aliases, residencies, buffers, steps, predictions, offsets: each
 * pass reads what those before it made, and refuses what cannot be meant. */
#include <string.h>

#include "sched.h"

/* What needs no lowering to be wrong. */
static lp_status check_form(lpi_lowering *l)
{
    const lp_schedule *s = l->schedule;
    int64_t i;

    for (i = 0; i < s->pins_count; i++) {
        const lp_pin *pin = &s->pins[i];

        if (!pin->tensor->is_static)
            return LPI_REFUSE(l, -1, pin->tensor, pin->line,
                              "'%.200s' is no weight, and is not pinned",
                              pin->tensor->name);
        if (pin->from < 0 || pin->to < pin->from || pin->to >= s->units_count)
            return LPI_REFUSE(l, -1, pin->tensor, pin->line,
                              "'%.200s' is pinned from run %lld to run %lld "
                              "of %lld",
                              pin->tensor->name, (long long)pin->from,
                              (long long)pin->to, (long long)s->units_count);
    }
    return LP_OK;
}

/* Lists of the residencies of each value, in order. */
static lp_status link_residencies(lpi_lowering *l)
{
    lpi_program *p = l->program;
    int64_t i;

    p->first_residency = LPI_NEW(p->arena, int64_t, p->values_count);
    p->next_residency = LPI_NEW(p->arena, int64_t, p->residencies_count);
    if (!p->first_residency || !p->next_residency)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->values_count; i++)
        p->first_residency[i] = -1;
    for (i = p->residencies_count - 1; i >= 0; i--) {
        const lpi_residency *r = &p->residencies[i];

        p->next_residency[i] = -1;
        if (r->kind != LPI_OF_VALUE)
            continue;
        p->next_residency[i] = p->first_residency[r->value];
        p->first_residency[r->value] = i;
    }
    return LP_OK;
}

int64_t lpi_program_where(const lpi_program *program, int64_t value,
                          int64_t unit)
{
    int64_t i = program->first_residency[program->values[value].root];

    for (; i >= 0; i = program->next_residency[i])
        if (program->residencies[i].memory == 0 &&
            program->residencies[i].first <= unit &&
            program->residencies[i].last >= unit)
            return i;
    return -1;
}

static lp_status lower(lpi_lowering *l)
{
    LP_TRY(check_form(l));
    LP_TRY(lpi_lower_widths(l));
    LP_TRY(lpi_lower_values(l));
    LP_TRY(lpi_lower_aliases(l));
    LP_TRY(lpi_lower_residencies(l));
    LP_TRY(lpi_lower_buffers(l));
    LP_TRY(link_residencies(l));
    LP_TRY(lpi_lower_steps(l));
    LP_TRY(lpi_predict(l));
    if (l->schedule->places_count)
        return lpi_place_given(l);
    return lpi_program_place(l->program, NULL, l->error);
}

lp_status lpi_program_lower(lpi_arena *arena, const lp_schedule *schedule,
                            lpi_program *ret_program, lp_refusal *refusal,
                            lp_error *error)
{
    lpi_program program = {
        .arena = arena,
        .model = schedule->model,
        .schedule = schedule,
        .units = schedule->units,
        .units_count = schedule->units_count,
        .memories = schedule->memories,
        .memories_count = schedule->memories_count,
        .arena_bytes = LPI_NEW(arena, int64_t, schedule->memories_count),
    };
    lpi_lowering l = {.program = &program,
                      .schedule = schedule,
                      .refusal = refusal,
                      .error = error};
    lp_status status;

    if (refusal)
        *refusal = (lp_refusal){.run = -1, .bytes = -1};
    l.scratch = lpi_arena_new(lpi_arena_cap(arena));
    if (!program.arena_bytes || !l.scratch)
        status = lpi_fail_memory(error);
    else
        status = lower(&l);
    lpi_arena_free(l.scratch);
    if (status == LP_OK)
        *ret_program = program;
    return status;
}
