/* graph.c: the reader of graphs in JSON under libFuzzer: any bytes give a
 * problem or an error.  A problem is solved with little effort in both orders;
 * what fits is within its budget and not below its bound.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/graph.c tests/fuzz/lines.c
 *   ./graph -max_len=4096 tests/fuzz/corpus/graph
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EFFORT = 200 };

static lp_status solve(lp_remat_problem *problem, bool free_order,
                       lp_error *error)
{
    const lp_remat_wish wish = {.budget_bytes = lp_remat_problem_peak(problem) /
                                                10 * 9,
                                .free_order = free_order,
                                .effort = EFFORT};
    lp_remat_answer answer;
    size_t length;
    char *text;

    if (lp_remat_problem_solve(problem, &wish, &answer, error) != LP_OK)
        return error->status;
    if (!answer.fits)
        return LP_OK;
    if (answer.peak_bytes > wish.budget_bytes ||
        answer.time < answer.bound_time ||
        lp_remat_problem_write(problem, &text, &length, NULL) != LP_OK)
        abort();
    lp_text_free(text);
    return LP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_error error = {.status = LP_OK};
    lp_remat_problem *problem;
    lp_status status;

    status = lp_remat_problem_read((const char *)data, size, "fuzz", &problem,
                                   &error);
    if (status == LP_OK) {
        status = solve(problem, false, &error);
        if (status == LP_OK)
            status = solve(problem, true, &error);
        lp_remat_problem_free(problem);
    }
    if (status != LP_OK && (error.status != status || !error.message[0]))
        abort();
    return 0;
}
