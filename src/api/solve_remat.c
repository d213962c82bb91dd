/* solve_remat.c: recompute within a budget, read, solved and written. */
#include "api.h"

/* Fill in what is known before a search. */
static lp_status look(lp_remat_problem *problem, lp_error *error)
{
    lp_remat_answer *answer = &problem->answer;
    int32_t node, i;

    answer->nodes = problem->graph.nodes_count;
    lpi_remat_floor(&problem->graph, &answer->floor_bytes, &node);
    answer->floor_node = problem->ids[node];
    for (i = 0; i < problem->graph.nodes_count; i++)
        answer->base_time =
            lpi_add(answer->base_time, problem->graph.nodes[i].cost);
    return lpi_remat_peak(problem->arena, &problem->graph,
                          &answer->given_peak_bytes, error);
}

lp_status lp_remat_problem_read(const char *text, size_t length,
                                const char *name,
                                lp_remat_problem **ret_problem, lp_error *error)
{
    lpi_arena *arena = NULL;
    const char *copy = NULL;
    lp_remat_problem *problem;
    lp_status status;

    LP_TRY(lpi_problem_open(name, &arena, &copy, error));
    problem = LPI_NEW(arena, lp_remat_problem, 1);
    if (problem)
        *problem = (lp_remat_problem){.arena = arena, .name = copy};
    status = problem ? lpi_graph_json_read(problem, text, length, error)
                     : lpi_fail_memory(error);
    if (status == LP_OK) {
        status = look(problem, error);
        if (status == LP_EUNSUPPORTED)
            lpi_fail_within(error, status, problem->name);
    }
    if (status == LP_OK)
        *ret_problem = problem;
    else
        lpi_arena_free(arena);
    return status;
}

int64_t lp_remat_problem_peak(const lp_remat_problem *problem)
{
    return problem->answer.given_peak_bytes;
}

lp_status lp_remat_problem_solve(lp_remat_problem *problem,
                                 const lp_remat_wish *wish,
                                 lp_remat_answer *ret_answer, lp_error *error)
{
    const lp_remat_options options = {.budget_bytes = wish->budget_bytes,
                                      .free_order = wish->free_order,
                                      .effort = wish->effort,
                                      .seed = wish->seed,
                                      .exact = wish->exact};
    lp_remat_answer *answer = &problem->answer;
    lp_rematerialisation found;
    int64_t i;

    LP_TRY(lp_solve_remat(problem->arena, &problem->graph, &options, &found,
                          error));
    problem->events = found.events;
    problem->events_count = found.events_count;
    answer->runs = 0;
    for (i = 0; i < found.events_count; i++)
        answer->runs += found.events[i].kind == LP_EVENT_RUN;
    answer->fits = found.fits;
    answer->budget_bytes = wish->budget_bytes;
    answer->peak_bytes = found.peak_bytes;
    answer->time = found.cost;
    answer->bound_time = found.bound_cost;
    answer->proof = found.proof;
    answer->work = found.work;
    answer->reproducible = !wish->exact;
    *ret_answer = *answer;
    return LP_OK;
}

lp_status lp_remat_problem_write(const lp_remat_problem *problem,
                                 char **ret_text, size_t *ret_length,
                                 lp_error *error)
{
    lpi_text text = {0};

    if (!problem->answer.fits)
        return lpi_fail(error, LP_EINVALID, problem->name,
                        "no sequence to write: none was found");
    lpi_remat_sequence_put(&text, problem);
    return lpi_text_take(&text, ret_text, ret_length, error);
}

lp_status lp_remat_answer_write(const lp_remat_answer *answer, lp_format format,
                                char **ret_text, size_t *ret_length,
                                lp_error *error)
{
    lpi_text text = {0};

    LP_TRY(lpi_answer_format(format, error));
    lpi_remat_answer_put(&text, answer, format == LP_FORMAT_JSON);
    return lpi_text_take(&text, ret_text, ret_length, error);
}

void lp_remat_problem_free(lp_remat_problem *problem)
{
    if (problem)
        lpi_arena_free(problem->arena);
}
