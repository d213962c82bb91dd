/* draft.c: schedules copied, and columns that are ready-made.
 *
 * Units name groups by address, so that a copy names its own ones, by
 * position. */
#include <string.h>

#include "plan.h"

/* Set the units of "from" in "to", whose groups are equal. */
static lp_status copy_units(lp_schedule *to, const lp_schedule *from,
                            lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(to->arena));
    lp_unit *units = scratch ? LPI_NEW(scratch, lp_unit, from->units_count)
                             : NULL;
    lp_status status = units ? LP_OK : lpi_fail_memory(error);
    int64_t i;

    for (i = 0; status == LP_OK && i < from->units_count; i++) {
        units[i] = from->units[i];
        if (units[i].group)
            units[i].group = &to->groups[units[i].group - from->groups];
    }
    if (status == LP_OK)
        status = lp_schedule_set_units(to, units, from->units_count, error);
    lpi_arena_free(scratch);
    return status;
}

lp_status lp_schedule_copy(lp_schedule *to, const lp_schedule *from,
                           lp_error *error)
{
    int64_t i;

    if (to == from)
        return LP_OK;
    if (to->model != from->model)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "schedules of different models are copied");
    LP_TRY(lp_schedule_set_groups(to, from->groups, from->groups_count, error));
    LP_TRY(copy_units(to, from, error));
    LP_TRY(lp_schedule_set_homes(to, from->homes, from->homes_count, error));
    LP_TRY(lp_schedule_set_moves(to, from->moves, from->moves_count, error));
    LP_TRY(lp_schedule_set_pins(to, from->pins, from->pins_count, error));
    LP_TRY(
        lp_schedule_set_aliases(to, from->aliases, from->aliases_count, error));
    LP_TRY(lp_schedule_set_places(to, from->places, from->places_count, error));
    for (i = 0; i < from->bounds_count; i++)
        LP_TRY(lp_schedule_add_bound(to, &from->bounds[i], error));
    to->rule = from->rule;
    return LP_OK;
}

lp_status lp_schedule_draft(const lp_problem *problem,
                            const lp_schedule *schedule,
                            lp_schedule **ret_draft, lp_error *error)
{
    lpi_plan_run *run = problem->run;
    lp_schedule *draft;

    if (!LPI_GROW(run->scratch, run->drafts, run->drafts_count,
                  run->drafts_room))
        return lpi_fail_memory(error);
    LP_TRY(lpi_schedule_new(schedule->model, &draft, error));
    run->drafts[run->drafts_count++] = draft;
    draft->name = schedule->name;
    draft->device = schedule->device;
    draft->target = schedule->target;
    draft->weights_memory = schedule->weights_memory;
    draft->memories = schedule->memories;
    draft->memories_count = schedule->memories_count;
    draft->precisions = schedule->precisions;
    draft->precisions_count = schedule->precisions_count;
    draft->widths = schedule->widths;
    draft->known = schedule->known;
    LP_TRY(lp_schedule_copy(draft, schedule, error));
    *ret_draft = draft;
    return LP_OK;
}

/* Groups were written into "schedule" in place: have the rest follow. */
static lp_status settle_groups(lp_schedule *schedule, lp_error *error)
{
    return lp_schedule_set_groups(schedule, schedule->groups,
                                  schedule->groups_count, error);
}

lp_status lp_schedule_baseline_aliases(lp_schedule *schedule, bool in_place,
                                       lp_error *error)
{
    lp_schedule found = *schedule;

    LP_TRY(lpi_schedule_aliases(&found, in_place, false, error));
    return lp_schedule_set_aliases(schedule, found.aliases, found.aliases_count,
                                   error);
}

lp_status lp_schedule_joined_aliases(lp_schedule *schedule, lp_error *error)
{
    lp_schedule found = *schedule;

    LP_TRY(lpi_schedule_aliases(&found, true, true, error));
    return lp_schedule_set_aliases(schedule, found.aliases, found.aliases_count,
                                   error);
}

lp_status lp_schedule_group_attention(lp_schedule *schedule, int64_t rows,
                                      lp_error *error)
{
    lp_schedule found = *schedule;

    if (rows < 1)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "tiles of %lld rows of an attention", (long long)rows);
    found.groups = NULL;
    found.groups_count = 0;
    LP_TRY(lpi_schedule_attention(&found, rows, error));
    schedule->groups = found.groups;
    schedule->groups_count = found.groups_count;
    return settle_groups(schedule, error);
}

lp_status lp_schedule_group_rows(const lp_problem *problem,
                                 lp_schedule *schedule, int32_t layer,
                                 int64_t rows, lp_error *error)
{
    lp_schedule found = *schedule;

    if (rows < 1 || layer < -1 || layer >= problem->layers_count)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "tiles of %lld rows of layer %d", (long long)rows,
                        (int)layer);
    if (layer < 0)
        LP_TRY(lpi_schedule_rows(&found, rows, error));
    else
        LP_TRY(lpi_schedule_rows_of(&found, problem->layers[layer].layer, rows,
                                    error));
    schedule->groups = found.groups;
    schedule->groups_count = found.groups_count;
    return settle_groups(schedule, error);
}

lp_status lp_schedule_add_bound(lp_schedule *schedule, const lp_bound *bound,
                                lp_error *error)
{
    lp_bound *bounds, added = *bound;
    int64_t kept = 0, i;

    if (!bound->quantity || !bound->proof || bound->value < 0)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "a bound without a quantity, a value or a proof");
    for (i = 0; i < schedule->bounds_count; i++) {
        const lp_bound *old = &schedule->bounds[i];

        if (!strcmp(old->quantity, bound->quantity) &&
            old->given == bound->given && old->value >= bound->value)
            return LP_OK;
    }
    bounds = LPI_NEW(schedule->arena, lp_bound, schedule->bounds_count + 1);
    added.quantity = lpi_arena_strdup(schedule->arena, bound->quantity);
    added.proof = lpi_arena_strdup(schedule->arena, bound->proof);
    if (!bounds || !added.quantity || !added.proof)
        return lpi_fail_memory(error);
    for (i = 0; i < schedule->bounds_count; i++)
        if (strcmp(schedule->bounds[i].quantity, bound->quantity) != 0 ||
            schedule->bounds[i].given != bound->given)
            bounds[kept++] = schedule->bounds[i];
    bounds[kept++] = added;
    schedule->bounds = bounds;
    schedule->bounds_count = kept;
    return LP_OK;
}
