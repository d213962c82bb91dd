/* solve_remat.c: "lplan solve remat", what to run again within a budget, for
 * graphs of Checkmate and MOCCASIN. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Longest file that is read. */
enum { JSON_BYTES = 256 << 20 };

/* "text" of a fraction such as 0.9 (at most 1, at most nine decimals) as
 * "ret_parts" / 10^9; false when it is none. */
static bool parse_fraction(const char *text, int64_t *ret_parts)
{
    int64_t parts, scale = 1000000000;

    if (text[0] != '0' && text[0] != '1')
        return false;
    parts = (text[0] - '0') * scale;
    if (*++text != '.' || !text[1] || strlen(text) > 10)
        return false;
    while (*++text) {
        if (*text < '0' || *text > '9')
            return false;
        parts += (*text - '0') * (scale /= 10);
    }
    *ret_parts = parts;
    return parts > 0 && parts <= 1000000000;
}

/* Whether "text" has a point, and no unit behind it. */
static bool is_decimal(const char *text)
{
    const char *point = strchr(text, '.');

    return point && strspn(point + 1, "0123456789") == strlen(point + 1);
}

/* Bytes of --budget "text": a count, or a fraction of "peak_bytes". */
static cli_exit parse_budget(const char *text, int64_t peak_bytes,
                             int64_t *ret_bytes)
{
    const int64_t scale = 1000000000;
    int64_t parts;

    if (!text)
        return cli_fail(CLI_USAGE, "solve", "remat needs --budget");
    if (parse_fraction(text, &parts)) {
        *ret_bytes = peak_bytes / scale * parts +
                     peak_bytes % scale * parts / scale;
        return CLI_YES;
    }
    if (!is_decimal(text) && lp_parse_count(text, ret_bytes) && *ret_bytes > 0)
        return CLI_YES;
    return cli_fail(CLI_USAGE, "solve",
                    "--budget '%s' is no count of bytes above zero and no "
                    "fraction such as 0.9, of the peak",
                    text);
}

static cli_exit load(const char *path, lp_remat_problem **ret_problem)
{
    lp_error error = {0};
    lp_status status;
    size_t length;
    cli_exit code;
    char *text;

    code = cli_slurp(path, JSON_BYTES, &text, &length);
    if (code != CLI_YES)
        return code;
    status = lp_remat_problem_read(text, length, path, ret_problem, &error);
    free(text);
    return status == LP_OK ? CLI_YES : cli_fail_with(&error, CLI_INPUT);
}

/* Write "text" of "status" to "path", and free it. */
static cli_exit deliver(const char *path, lp_status status, char *text,
                        size_t length, const lp_error *error)
{
    cli_exit code;

    if (status != LP_OK)
        return cli_fail_with(error, CLI_SYSTEM);
    code = cli_write(path, text, length);
    lp_text_free(text);
    return code;
}

/* Say that nothing fits, and why. */
static cli_exit refuse(const char *path, const lp_remat_answer *answer)
{
    if (answer->floor_bytes > answer->budget_bytes)
        return cli_fail(CLI_NO, path,
                        "nothing fits into %lld bytes: node %lld alone works "
                        "on %lld; recomputing gains nothing there, cut it "
                        "into tiles",
                        (long long)answer->budget_bytes,
                        (long long)answer->floor_node,
                        (long long)answer->floor_bytes);
    return cli_fail(CLI_NO, path,
                    "found nothing that fits into %lld bytes within the "
                    "effort; no node alone works on more than %lld",
                    (long long)answer->budget_bytes,
                    (long long)answer->floor_bytes);
}

static cli_exit answer(const cli_solve_args *args, const char *path,
                       lp_remat_problem *problem, const lp_remat_wish *wish)
{
    bool to_stdout = args->output && !strcmp(args->output, "-");
    cli_exit code = CLI_YES;
    lp_remat_answer found;
    lp_error error = {0};
    lp_status status;
    size_t length = 0;
    char *text = NULL;

    if (lp_remat_problem_solve(problem, wish, &found, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    if (found.fits && args->output) {
        status = lp_remat_problem_write(problem, &text, &length, &error);
        code = deliver(args->output, status, text, length, &error);
    }
    if (code == CLI_YES && (found.fits || args->format) && !to_stdout) {
        status = lp_remat_answer_write(
            &found, args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT, &text,
            &length, &error);
        code = deliver(NULL, status, text, length, &error);
    }
    return code == CLI_YES && !found.fits ? refuse(path, &found) : code;
}

static cli_exit run(const cli_solve_args *args, const char *path)
{
    lp_remat_wish wish = {.free_order = args->order == 1,
                          .seed = args->seed,
                          .exact = args->exact};
    lp_remat_problem *problem;
    cli_exit code;

    code = cli_effort(args->effort, &wish.effort);
    if (code == CLI_YES)
        code = parse_budget(args->budget, 1, &wish.budget_bytes);
    if (code == CLI_YES)
        code = load(path, &problem);
    if (code != CLI_YES)
        return code;
    code = parse_budget(args->budget, lp_remat_problem_peak(problem),
                        &wish.budget_bytes);
    if (code == CLI_YES)
        code = answer(args, path, problem, &wish);
    lp_remat_problem_free(problem);
    return code;
}

static const char *const takes[] = {"budget", "order",  "seed",   "exact",
                                    "effort", "output", "format", NULL};

const cli_problem cli_solve_remat = {
    .name = "remat",
    .run = run,
    .takes = takes,
};
