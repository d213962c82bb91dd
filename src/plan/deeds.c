/* deeds.c: what a schedule does again: runs, and loads, found by what they are
 * of.
 *
 * Sorted lists, so that each question is a binary search. */
#include <stdlib.h>

#include "plan.h"

static int by_deed(const void *a, const void *b)
{
    const lpi_deed *x = a, *y = b;

    if (x->of != y->of)
        return x->of < y->of ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static void sort(lpi_deeds *deeds)
{
    if (deeds->count)
        qsort(deeds->list, (size_t)deeds->count, sizeof(lpi_deed), by_deed);
}

bool lpi_deeds_have(const lpi_deeds *deeds, int64_t of, int64_t low,
                    int64_t high)
{
    int64_t from = 0, to = deeds->count;

    while (from < to) {
        int64_t middle = from + (to - from) / 2;
        const lpi_deed *d = &deeds->list[middle];

        if (d->of < of || (d->of == of && d->at <= low))
            from = middle + 1;
        else
            to = middle;
    }
    return from < deeds->count && deeds->list[from].of == of &&
           deeds->list[from].at <= high;
}

/* A number for the layer or the group of "unit". */
static int64_t slot_of(const lp_schedule *s, const lp_unit *unit)
{
    return unit->layer ? unit->layer->id
                       : s->model->layers_count + (unit->group - s->groups);
}

lp_status lpi_deeds_find(const lp_problem *problem, const lp_schedule *schedule,
                         lpi_deeds *ret_runs, lpi_deeds *ret_loads,
                         lp_error *error)
{
    const lp_schedule *s = schedule;
    lpi_arena *arena = problem->scratch;
    int64_t *first =
        LPI_NEW(arena, int64_t, s->model->layers_count + s->groups_count);
    lpi_deeds runs = {LPI_NEW(arena, lpi_deed, s->units_count), 0};
    lpi_deeds loads = {LPI_NEW(arena, lpi_deed, s->moves_count), 0};
    int64_t position = 0, i;

    if (!first || !runs.list || !loads.list)
        return lpi_fail_memory(error);
    for (i = 0; i < s->units_count; i++) {
        const lp_unit *unit = &s->units[i];

        if (unit->ordinal == 1)
            first[slot_of(s, unit)] = position++;
        else
            runs.list[runs.count++] = (lpi_deed){first[slot_of(s, unit)], i};
    }
    for (i = 0; i < s->moves_count; i++) {
        int32_t moved = lp_problem_tensor(problem, s->moves[i].tensor);

        if (moved >= 0 && s->moves[i].memory == 0)
            loads.list[loads.count++] =
                (lpi_deed){problem->tensors[moved].viewed, s->moves[i].before};
    }
    sort(&runs);
    sort(&loads);
    *ret_runs = runs;
    *ret_loads = loads;
    return LP_OK;
}
