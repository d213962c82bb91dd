/* place.c: an offset for every residency, by search.
 *
 * Each memory is a problem of its own: buffers with lives in units, solved by
 * lp_solve_place, memory 0 within the budget when there is one, else as low as
 * it gets.  A schedule without aliases gets them: views and results in place,
 * these and what Concat joins made in its place, or views alone, whichever
 * takes less of memory 0; the more bytes overlap, the harder they are to
 * place. */
#include <lplan-planner.h>

/* One schedule placed. */
typedef struct trial {
    lp_schedule *schedule;
    lp_placement placement; /* of memory 0 */
    int64_t load_bytes;     /* no placement of memory 0 is lower */
} trial;

static lp_status no_memory(lp_error *error)
{
    return lp_fail(error, LP_ENOMEM, "out of memory");
}

/* Solve for "buffers": first for the budget, then for the lowest. */
static lp_status solve(const lp_problem *problem, int32_t memory,
                       const lp_buffer *buffers, int64_t count,
                       lp_placement *ret_placement, lp_error *error)
{
    lp_place_options options = {
        .capacity_bytes = memory == 0 ? problem->budget_bytes : 0,
        .effort = problem->effort};

    LP_TRY(lp_solve_place(problem->scratch, buffers, count, &options,
                          ret_placement, error));
    if (ret_placement->fits)
        return LP_OK;
    options.capacity_bytes = 0;
    return lp_solve_place(problem->scratch, buffers, count, &options,
                          ret_placement, error);
}

/* Place what "meaning" wants in memory "memory"; offsets go into "places". */
static lp_status place_memory(const lp_problem *problem,
                              const lp_meaning *meaning, int32_t memory,
                              lp_placed *places, lp_placement *ret_placement,
                              lp_error *error)
{
    int64_t all = meaning->residencies_count, count = 0, i;
    lp_buffer *buffers = LP_NEW(problem->scratch, lp_buffer, all);

    if (!buffers)
        return no_memory(error);
    for (i = 0; i < all; i++) {
        const lp_residency *r = &meaning->residencies[i];

        if (r->placed.memory == memory)
            buffers[count++] = (lp_buffer){.lower = r->placed.from,
                                           .upper = r->placed.to + 1,
                                           .bytes = r->bytes,
                                           .alignment = r->alignment,
                                           .offset = -1,
                                           .hint = r->placed.offset};
    }
    LP_TRY(solve(problem, memory, buffers, count, ret_placement, error));
    for (i = count = 0; i < all; i++)
        if (places[i].memory == memory)
            places[i].offset = ret_placement->offsets[count++];
    return LP_OK;
}

/* Place all memories of "t"; not when memory 0 cannot get below "height". */
static lp_status place(const lp_problem *problem, trial *t, int64_t height,
                       lp_error *error)
{
    lp_placement placement;
    lp_meaning meaning;
    lp_placed *places;
    int64_t memories, i;

    LP_TRY(lp_schedule_lower(problem, t->schedule, &meaning, error));
    lp_schedule_memories(t->schedule, &memories);
    t->load_bytes = meaning.load_bound_bytes;
    if (t->load_bytes >= height)
        return LP_OK;
    places = LP_NEW(problem->scratch, lp_placed, meaning.residencies_count);
    if (!places)
        return no_memory(error);
    for (i = 0; i < meaning.residencies_count; i++)
        places[i] = meaning.residencies[i].placed;
    for (i = memories - 1; i >= 0; i--)
        LP_TRY(place_memory(problem, &meaning, (int32_t)i, places, &placement,
                            error));
    t->placement = placement;
    return lp_schedule_set_places(t->schedule, places,
                                  meaning.residencies_count, error);
}

/* Choose aliases for "schedule", which has none, and place it. */
static lp_status place_best(const lp_problem *problem, lp_schedule *schedule,
                            trial *ret_best, lp_error *error)
{
    trial trials[3] = {{0}};
    int32_t best = 0, i;

    for (i = 0; i < 3; i++) {
        trial *t = &trials[i];

        LP_TRY(lp_schedule_draft(problem, schedule, &t->schedule, error));
        if (i == 1)
            LP_TRY(lp_schedule_joined_aliases(t->schedule, error));
        else
            LP_TRY(lp_schedule_baseline_aliases(t->schedule, i == 0, error));
        LP_TRY(place(problem, t,
                     i ? trials[best].placement.height_bytes : INT64_MAX,
                     error));
        if (t->placement.offsets &&
            t->placement.height_bytes < trials[best].placement.height_bytes)
            best = i;
    }
    *ret_best = trials[best];
    LP_TRY(lp_schedule_copy(schedule, ret_best->schedule, error));
    ret_best->schedule = schedule;
    return LP_OK;
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    lp_bound bound = {.quantity = "arena_bytes",
                      .given = LP_PRECISION | LP_GROUPS | LP_RUNS | LP_MOVE |
                               LP_ALIAS};
    trial t = {.schedule = schedule};
    int64_t count;

    lp_schedule_aliases(schedule, &count);
    if (count)
        LP_TRY(place(problem, &t, INT64_MAX, error));
    else
        LP_TRY(place_best(problem, schedule, &t, error));
    bound.value = t.placement.bound_bytes;
    bound.proof = t.placement.proof;
    LP_TRY(lp_problem_note(
        problem, error, "placed by '%s': %lld bytes, bound %lld (%s)",
        t.placement.rule, (long long)t.placement.height_bytes,
        (long long)bound.value, bound.proof));
    return lp_schedule_add_bound(schedule, &bound, error);
}

LP_API const lp_planner lp_planner_place = {
    .abi = LP_PLANNER_ABI,
    .name = "place",
    .summary = "Places everything, by search, with a bound",
    .decides = LP_ALIAS | LP_PLACE,
    .plan = plan,
};
