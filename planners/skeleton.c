/* skeleton.c: the smallest planner, to start a new one from.
 *
 * It keeps everything as it is, and lets views share the bytes of what they
 * show: a planner has done its work when the columns it decides are set.
 *
 * A planner of your own: copy this file, call it after the planner, and let the
 * struct at its end say which columns plan() writes.  A planner sees
 * <lplan-planner.h> alone, keeps nothing between calls, and takes its memory
 * from problem->scratch, which dies when plan() returns. */
#include <lplan-planner.h>

static const lp_option options[] = {
    {.name = "in_place",
     .initial = "0",
     .help = "1: results also overwrite operands that die there.",
     .most = 1},
    {.name = NULL},
};

/* A reason why this planner can do nothing for "problem", or NULL. */
static const char *refuses(const lp_problem *problem)
{
    return problem->layers_count ? NULL : "the model has no layers that run";
}

/* Write the columns named in "decides"; "error" says why it cannot. */
static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    return lp_schedule_baseline_aliases(
        schedule, lp_problem_count(problem, "in_place") == 1, error);
}

LP_API const lp_planner lp_planner_skeleton = {
    .abi = LP_PLANNER_ABI,
    .name = "skeleton",
    .summary = "Lets views share bytes: a template for planners",
    .decides = LP_ALIAS,
    .options = options,
    .refuses = refuses,
    .plan = plan,
};
