/* link.c: one planner at work, and what it did verified.
 *
 * A planner gets scratch memory and drafts that die with its call.  Then the
 * columns that it does not decide must be as they were, those after the ones
 * that it does may be cleared, and what stands there must mean something. */
#include <string.h>

#include "plan.h"

enum { CALLS_DEEP = 16 };

/* LP_EINPUT: the planner is to blame; what "error" says already follows. */
static lp_status blame(const lp_planner *planner, lp_error *error,
                       const char *what)
{
    lp_error said = error ? *error : (lp_error){0};

    return lpi_fail(error, LP_EINPUT, NULL, "planner '%.100s' %s%s%.700s",
                    planner->name, what, *said.message ? ": " : "",
                    said.message);
}

/* What "status" of plan(), with its message, says to the caller. */
static lp_status answer(const lp_planner *planner, lp_status status,
                        lp_error *error)
{
    lp_error said = *error;

    said.message[sizeof(said.message) - 1] = '\0';
    said.where[sizeof(said.where) - 1] = '\0';
    switch (status) {
    case LP_OK:
        return LP_OK;
    case LP_ENOMEM:
        return lpi_fail_memory(error);
    case LP_EINFEASIBLE:
    case LP_EUNSUPPORTED:
        return lpi_fail(error, status, NULL, "planner '%.100s': %.900s",
                        planner->name,
                        *said.message ? said.message : "it says no more");
    case LP_EINPUT:
    case LP_EINVALID:
    case LP_EIO:
        *error = said;
        return blame(planner, error, "failed");
    }
    *error = (lp_error){.status = LP_OK};
    return blame(planner, error, "returned a status that does not exist");
}

/* What the columns after groups are when they are cleared. */
static lp_status find_cleared(const lp_schedule *schedule, lpi_print *ret_print,
                              lp_error *error)
{
    lp_schedule bare = {.arena = schedule->arena,
                        .model = schedule->model,
                        .groups = schedule->groups,
                        .groups_count = schedule->groups_count};

    LP_TRY(lpi_schedule_units(&bare, error));
    lpi_print_find(&bare, ret_print);
    return LP_OK;
}

/* Verify what "planner" made of "schedule", which was "before". */
static lp_status verify(const lp_planner *planner, const lpi_print *before,
                        const lp_schedule *schedule, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    lpi_print after, cleared;
    lpi_program program;
    lp_status status = arena ? LP_OK : lpi_fail_memory(error);
    const char *column;

    if (status == LP_OK)
        status = find_cleared(schedule, &cleared, error);
    if (status != LP_OK) {
        lpi_arena_free(arena);
        return status;
    }
    lpi_print_find(schedule, &after);
    column = lpi_print_compare(before, &after, &cleared, planner->decides);
    if (column) {
        lpi_arena_free(arena);
        return lpi_fail(error, LP_EINPUT, NULL,
                        "planner '%.100s' wrote the column '%s', which it does "
                        "not decide",
                        planner->name, column);
    }
    status = lpi_program_lower(arena, schedule, &program, NULL, error);
    lpi_arena_free(arena);
    if (status == LP_EINFEASIBLE || status == LP_EINPUT)
        return blame(planner, error, "made a schedule that means nothing");
    return status;
}

/* Refuse a planner that is at work already, and calls that go too deep. */
static lp_status check_calls(const lp_planner *planner,
                             const lpi_plan_run *caller, lp_error *error)
{
    const lpi_plan_run *run;
    int32_t depth = 0;

    for (run = caller; run; run = run->caller) {
        if (run->planner == planner)
            return lpi_fail(error, LP_EINVALID, NULL,
                            "planner '%.100s' is called while it is at work",
                            planner->name);
        depth++;
    }
    if (depth >= CALLS_DEEP)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "planners call each other deeper than %d", CALLS_DEEP);
    return LP_OK;
}

static lp_status call(const lp_planner *planner, const lp_problem *problem,
                      lp_schedule *schedule, lp_error *error)
{
    lp_error said = {0};
    const char *reason;
    lp_status status;

    reason = planner->refuses ? planner->refuses(problem) : NULL;
    if (reason)
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "planner '%.100s' refuses: %.700s", planner->name,
                        reason);
    status = answer(planner, planner->plan(problem, schedule, &said), &said);
    if (error)
        *error = said;
    return status;
}

lp_status lpi_link_run(lpi_planning *planning, const lp_planner *planner,
                       const lpi_plan_run *caller, int64_t budget_bytes,
                       lp_schedule *schedule, lp_error *error)
{
    lpi_plan_run run = {
        .planning = planning, .planner = planner, .caller = caller};
    lp_problem problem = planning->problem;
    lpi_print before;
    lp_status status;
    int64_t i;

    LP_TRY(check_calls(planner, caller, error));
    if (lpi_is_late(planning))
        return lpi_fail(error, LP_EINFEASIBLE, NULL, "the time is over");
    run.scratch = lpi_arena_new(lpi_arena_cap(planning->arena));
    if (!run.scratch)
        return lpi_fail_memory(error);
    problem.budget_bytes = budget_bytes;
    problem.scratch = run.scratch;
    problem.run = &run;
    lpi_print_find(schedule, &before);
    status = lpi_settings_find(planning, run.scratch, planner, &problem, error);
    if (status == LP_OK)
        status = call(planner, &problem, schedule, error);
    for (i = 0; i < run.drafts_count; i++)
        lp_schedule_free(run.drafts[i]);
    lpi_arena_free(run.scratch);
    return status == LP_OK ? verify(planner, &before, schedule, error) : status;
}

lp_status lp_plan_with(const lp_problem *problem, const char *name,
                       int64_t budget_bytes, lp_schedule *schedule,
                       lp_error *error)
{
    lpi_planning *planning = problem->run->planning;
    const lp_planner *planner;

    if (budget_bytes < 0)
        return lpi_fail(error, LP_EINVALID, NULL, "a budget of %lld bytes",
                        (long long)budget_bytes);
    LP_TRY(lpi_registry_find(planning->registry, name, &planner, error));
    return lpi_link_run(planning, planner, problem->run,
                        budget_bytes ? budget_bytes : problem->budget_bytes,
                        schedule, error);
}

lp_status lp_problem_note(const lp_problem *problem, lp_error *error,
                          const char *format, ...)
{
    lpi_planning *planning = problem->run->planning;
    char text[1024];
    va_list arguments;
    lp_plan_note note = {.planner = problem->run->planner->name};

    if (problem->run->caller || planning->is_quiet)
        return LP_OK;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    note.planner = lpi_arena_strdup(planning->arena, note.planner);
    note.text = lpi_arena_strdup(planning->arena, text);
    if (!note.planner || !note.text ||
        !LPI_GROW(planning->arena, planning->notes, planning->notes_count,
                  planning->notes_room))
        return lpi_fail_memory(error);
    planning->notes[planning->notes_count++] = note;
    return LP_OK;
}

lp_status lp_problem_add_way(const lp_problem *problem, const lp_way *way,
                             lp_error *error)
{
    lpi_planning *planning = problem->run->planning;
    lp_way copy = *way;

    copy.what = way->what ? lpi_arena_strdup(planning->arena, way->what) : NULL;
    if (!way->what || way->peak_bytes < 0)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "a way out without a name or a peak");
    if (planning->is_quiet)
        return LP_OK;
    if (!copy.what || !LPI_GROW(planning->arena, planning->ways,
                                planning->ways_count, planning->ways_room))
        return lpi_fail_memory(error);
    planning->ways[planning->ways_count++] = copy;
    return LP_OK;
}
