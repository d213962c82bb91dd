/* csv.c: the reader of buffers to place under libFuzzer: any bytes give a
 * problem or an error.  A problem is solved with little effort; what is found
 * is written, reads back, and its grade is its height.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/csv.c tests/fuzz/lines.c
 *   ./csv -max_len=4096 tests/fuzz/corpus/csv
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EFFORT = 500 };

/* Read the placement of "problem" again and compare. */
static void read_again(const lp_place_problem *problem,
                       const lp_place_answer *answer)
{
    lp_place_problem *again;
    lp_place_answer grade = {0};
    lp_status status;
    size_t length;
    char *text;

    if (lp_place_problem_write(problem, &text, &length, NULL) != LP_OK ||
        lp_place_problem_read(text, length, "again", &again, NULL) != LP_OK)
        abort();
    status = lp_place_problem_grade(again, EFFORT, &grade, NULL);
    if (status != LP_EINFEASIBLE &&
        (status != LP_OK || grade.height_bytes != answer->height_bytes ||
         grade.height_bytes < grade.bound_bytes))
        abort();
    lp_text_free(text);
    lp_place_problem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_error error = {.status = LP_OK};
    lp_place_problem *problem;
    lp_place_answer answer;
    lp_status status;

    status = lp_place_problem_read((const char *)data, size, "fuzz", &problem,
                                   &error);
    if (status == LP_OK) {
        status = lp_place_problem_solve(problem, 0, EFFORT, &answer, &error);
        if (status == LP_OK)
            read_again(problem, &answer);
        lp_place_problem_free(problem);
    }
    if (status != LP_OK && (error.status != status || !error.message[0]))
        abort();
    return 0;
}
