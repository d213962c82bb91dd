/* solve.c: problems of other tools, read, solved and written. */
#include "api.h"

/* Cap on the memory taken for a problem and its solution. */
static const int64_t cap_bytes = INT64_C(8) << 30;

lp_status lpi_problem_open(const char *name, lpi_arena **ret_arena,
                           const char **ret_name, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(cap_bytes);
    const char *copy = arena ? lpi_arena_strdup(arena, name) : NULL;

    if (!copy) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    *ret_arena = arena;
    *ret_name = copy;
    return LP_OK;
}

lp_status lpi_answer_format(lp_format format, lp_error *error)
{
    if (format != LP_FORMAT_TEXT && format != LP_FORMAT_JSON)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "an answer is written as text or as JSON");
    return LP_OK;
}

lp_status lp_place_problem_read(const char *text, size_t length,
                                const char *name,
                                lp_place_problem **ret_problem, lp_error *error)
{
    lpi_arena *arena = NULL;
    const char *copy = NULL;
    lp_place_problem *problem;
    lp_status status;

    LP_TRY(lpi_problem_open(name, &arena, &copy, error));
    problem = LPI_NEW(arena, lp_place_problem, 1);
    if (problem)
        *problem = (lp_place_problem){.arena = arena, .name = copy};
    status = problem ? lpi_place_csv_read(problem, text, length, error)
                     : lpi_fail_memory(error);
    if (status == LP_OK)
        *ret_problem = problem;
    else
        lpi_arena_free(arena);
    return status;
}

void lp_place_problem_free(lp_place_problem *problem)
{
    if (problem)
        lpi_arena_free(problem->arena);
}

/* Put what "placement" says in words of the file. */
static lp_status tell(lp_place_problem *problem, const lp_placement *placement,
                      lp_place_answer *answer, lp_error *error)
{
    const char **core =
        LPI_NEW(problem->arena, const char *, placement->core_count);
    int64_t i;

    if (!core)
        return lpi_fail_memory(error);
    for (i = 0; i < placement->core_count; i++)
        core[i] = problem->ids[placement->core[i]];
    answer->fits = placement->fits;
    answer->buffers = problem->count;
    answer->height_bytes = placement->height_bytes;
    answer->bound_bytes = placement->bound_bytes;
    answer->proof = placement->proof;
    answer->rule = placement->rule;
    answer->work = placement->work;
    answer->core = core;
    answer->core_count = placement->core_count;
    return LP_OK;
}

/* Solve for "buffers", which are those of "problem" but for their offsets. */
static lp_status solve(lp_place_problem *problem, const lp_buffer *buffers,
                       const lp_place_options *options,
                       lp_placement *ret_placement, lp_error *error)
{
    lp_status status = lp_solve_place(problem->arena, buffers, problem->count,
                                      options, ret_placement, error);

    return status == LP_EINPUT ? lpi_fail_within(error, status, problem->name)
                               : status;
}

lp_status lp_place_problem_solve(lp_place_problem *problem,
                                 int64_t capacity_bytes, int64_t effort,
                                 lp_place_answer *ret_answer, lp_error *error)
{
    const lp_place_options options = {.capacity_bytes = capacity_bytes,
                                      .effort = effort};
    lp_place_answer answer = {.capacity_bytes = capacity_bytes};
    lp_placement placement;

    LP_TRY(solve(problem, problem->buffers, &options, &placement, error));
    LP_TRY(tell(problem, &placement, &answer, error));
    problem->offsets = placement.fits ? placement.offsets : NULL;
    *ret_answer = answer;
    return LP_OK;
}

lp_status lp_place_problem_grade(lp_place_problem *problem, int64_t effort,
                                 lp_place_answer *ret_answer, lp_error *error)
{
    const lp_place_options options = {.effort = effort};
    lp_buffer *movable = LPI_NEW(problem->arena, lp_buffer, problem->count);
    lp_placement given, best;
    lp_place_answer answer = {0};
    int64_t i;

    if (!movable)
        return lpi_fail_memory(error);
    for (i = 0; i < problem->count; i++) {
        if (problem->buffers[i].offset < 0)
            return lpi_fail(error, LP_EINPUT, problem->name,
                            "buffer '%.200s' has no offset to grade",
                            problem->ids[i]);
        movable[i] = problem->buffers[i];
        movable[i].hint = movable[i].offset;
        movable[i].offset = -1;
    }
    LP_TRY(solve(problem, problem->buffers, &options, &given, error));
    LP_TRY(solve(problem, movable, &options, &best, error));
    LP_TRY(tell(problem, &best, &answer, error));
    answer.height_bytes = given.height_bytes;
    answer.rule = "given";
    problem->offsets = given.offsets;
    *ret_answer = answer;
    return LP_OK;
}

lp_status lp_place_problem_write(const lp_place_problem *problem,
                                 char **ret_text, size_t *ret_length,
                                 lp_error *error)
{
    lpi_text text = {0};

    if (!problem->offsets)
        return lpi_fail(error, LP_EINVALID, problem->name,
                        "no placement to write: none was found");
    lpi_place_csv_write(problem, &text);
    return lpi_text_take(&text, ret_text, ret_length, error);
}

lp_status lp_place_answer_write(const lp_place_answer *answer, lp_format format,
                                char **ret_text, size_t *ret_length,
                                lp_error *error)
{
    lpi_text text = {0};

    LP_TRY(lpi_answer_format(format, error));
    lpi_place_answer_put(&text, answer, format == LP_FORMAT_JSON);
    return lpi_text_take(&text, ret_text, ret_length, error);
}
