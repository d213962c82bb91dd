/* solve_place.c: "lplan solve place" and "lplan solve grade", offsets of
 * buffers in MiniMalloc's CSV form. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Longest file that is read. */
enum { CSV_BYTES = 1 << 30 };

/* What the file "path" is called in messages. */
static const char *name_of(const char *path)
{
    return strcmp(path, "-") != 0 ? path : "stdin";
}

static cli_exit load(const char *path, lp_place_problem **ret_problem)
{
    lp_error error = {0};
    lp_status status;
    size_t length;
    cli_exit code;
    char *text;

    code = cli_slurp(path, CSV_BYTES, &text, &length);
    if (code != CLI_YES)
        return code;
    status =
        lp_place_problem_read(text, length, name_of(path), ret_problem, &error);
    free(text);
    return status == LP_OK ? CLI_YES : cli_fail_with(&error, CLI_INPUT);
}

/* Print the figures of "answer". */
static cli_exit print(const cli_solve_args *args, const lp_place_answer *answer)
{
    lp_error error = {0};
    size_t length;
    cli_exit code;
    char *text;

    if (lp_place_answer_write(answer,
                              args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT,
                              &text, &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_SYSTEM);
    code = cli_write(NULL, text, length);
    lp_text_free(text);
    return code;
}

/* Write "problem" with its offsets. */
static cli_exit write(const char *path, const lp_place_problem *problem)
{
    lp_error error = {0};
    size_t length;
    cli_exit code;
    char *text;

    if (lp_place_problem_write(problem, &text, &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_SYSTEM);
    code = cli_write(path, text, length);
    lp_text_free(text);
    return code;
}

/* "a, b and 3 more" */
static const char *list_core(const lp_place_answer *answer)
{
    enum { SHOWN = 20 };
    const char *all = "";
    int64_t i;

    for (i = 0; i < answer->core_count && i < SHOWN; i++)
        all = cli_format("%s%s%s", all, i ? ", " : "", answer->core[i]);
    if (answer->core_count > SHOWN)
        all = cli_format("%s and %lld more", all,
                         (long long)answer->core_count - SHOWN);
    return all;
}

/* Say that nothing fits, or that nothing was found. */
static cli_exit refuse(const char *path, const lp_place_answer *answer)
{
    long long capacity = answer->capacity_bytes;

    if (answer->bound_bytes > answer->capacity_bytes)
        return cli_fail(CLI_NO, name_of(path),
                        "nothing fits into %lld bytes: %lld are needed at "
                        "least (%s), by buffers %s",
                        capacity, (long long)answer->bound_bytes, answer->proof,
                        list_core(answer));
    return cli_fail(CLI_NO, name_of(path),
                    "found nothing that fits into %lld bytes within the "
                    "effort; the lowest takes %lld, and %lld are needed at "
                    "least",
                    capacity, (long long)answer->height_bytes,
                    (long long)answer->bound_bytes);
}

/* Whether the answer itself goes to standard output. */
static bool is_stdout(const cli_solve_args *args)
{
    return args->output && !strcmp(args->output, "-");
}

static cli_exit place(const cli_solve_args *args, const char *path,
                      int64_t effort, lp_place_problem *problem)
{
    lp_place_answer answer;
    lp_error error = {0};
    cli_exit code = CLI_YES;

    if (lp_place_problem_solve(problem, args->capacity_bytes, effort, &answer,
                               &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    if (answer.fits && args->output)
        code = write(args->output, problem);
    if (code == CLI_YES && (answer.fits || args->format) && !is_stdout(args))
        code = print(args, &answer);
    return code == CLI_YES && !answer.fits ? refuse(path, &answer) : code;
}

static cli_exit grade(const cli_solve_args *args, const char *path,
                      int64_t effort, lp_place_problem *problem)
{
    lp_place_answer answer;
    lp_error error = {0};

    (void)path;
    if (lp_place_problem_grade(problem, effort, &answer, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    return print(args, &answer);
}

/* Read the problem in "path" and "act" on it. */
static cli_exit with_problem(const cli_solve_args *args, const char *path,
                             cli_exit (*act)(const cli_solve_args *,
                                             const char *, int64_t,
                                             lp_place_problem *))
{
    lp_place_problem *problem;
    int64_t effort;
    cli_exit code;

    code = cli_effort(args->effort, &effort);
    if (code == CLI_YES)
        code = load(path, &problem);
    if (code != CLI_YES)
        return code;
    code = act(args, path, effort, problem);
    lp_place_problem_free(problem);
    return code;
}

static cli_exit run_place(const cli_solve_args *args, const char *path)
{
    return with_problem(args, path, place);
}

static cli_exit run_grade(const cli_solve_args *args, const char *path)
{
    return with_problem(args, path, grade);
}

static const char *const place_takes[] = {"capacity", "effort", "output",
                                          "format", NULL};
static const char *const grade_takes[] = {"effort", "format", NULL};

const cli_problem cli_solve_place = {"place", run_place, place_takes};
const cli_problem cli_solve_grade = {"grade", run_grade, grade_takes};
