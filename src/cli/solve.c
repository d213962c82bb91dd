/* solve.c: "lplan solve", problems of other tools in their own files.
 *
 * Each problem is a row and a file of its own (solve_NAME.c).  The options are
 * one table for all; a row names those that its problem takes, and the others
 * are refused here. */
#include <string.h>

#include "cli.h"

static const cli_problem *const problems[] = {
    &cli_solve_place,
    &cli_solve_grade,
    &cli_solve_remat,
};

enum { PROBLEMS = sizeof(problems) / sizeof(problems[0]) };

static const char *const formats[] = {"text", "json", NULL};
static const char *const orders[] = {"fixed", "free", NULL};

#define AT(member) .offset = offsetof(cli_solve_args, member)

static const cli_option options[] = {
    {.name = "capacity",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(capacity_bytes),
     .help = "place: fit into N bytes, in place of the fewest."},
    {.name = "budget",
     .argument = "N",
     .kind = CLI_TEXT,
     AT(budget),
     .help = "remat: stay within N bytes, or a fraction (0.9) of the peak of "
             "the given order."},
    {.name = "order",
     .argument = "ORDER",
     .kind = CLI_WORD,
     AT(order),
     .words = orders,
     .help = "remat: first runs in the given order (fixed), or in any (free)."},
    {.name = "seed",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(seed),
     .help = "remat: a number that the search starts from."},
    {.name = "exact",
     .kind = CLI_FLAG,
     AT(exact),
     .help = "remat: go on with CBC, where it was built in."},
    {.name = "effort",
     .argument = "EFFORT",
     .kind = CLI_TEXT,
     AT(effort),
     .help = "Search for quick, default or thorough, or N units of work."},
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write the answer to FILE; it is written only when there is one."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Print the figures as text or json."},
    {.name = NULL},
};

#undef AT

/* Names of effort; what --effort gives when it is not said is 0. */
static const struct {
    const char *name;
    int64_t work;
} efforts[] = {
    {"quick", 50000},
    {"default", 1000000},
    {"thorough", 20000000},
};

cli_exit cli_effort(const char *text, int64_t *ret_work)
{
    size_t i;

    *ret_work = 0;
    if (!text)
        return CLI_YES;
    for (i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++) {
        if (!strcmp(text, efforts[i].name)) {
            *ret_work = efforts[i].work;
            return CLI_YES;
        }
    }
    if (lp_parse_count(text, ret_work) && *ret_work > 0)
        return CLI_YES;
    return cli_fail(CLI_USAGE, NULL,
                    "--effort '%s' is none of quick, default, thorough, and no "
                    "count above zero",
                    text);
}

/* Whether "row" was given: its target is not zero. */
static bool is_given(const cli_option *row, const void *args)
{
    const char *target = (const char *)args + row->offset;

    switch (row->kind) {
    case CLI_FLAG:
        return *(const bool *)target;
    case CLI_COUNT:
        return *(const int64_t *)target != 0;
    case CLI_WORD:
        return *(const int32_t *)target != 0;
    case CLI_LIST:
        return ((const cli_list *)target)->count != 0;
    default:
        return *(const char *const *)target != NULL;
    }
}

/* Refuse options that "problem" does not take. */
static cli_exit check_options(const cli_problem *problem, const void *args)
{
    const cli_option *row;

    for (row = options; row->name; row++) {
        const char *const *taken = problem->takes;

        while (*taken && strcmp(*taken, row->name) != 0)
            taken++;
        if (!*taken && is_given(row, args))
            return cli_fail(CLI_USAGE, "solve", "%s takes no --%s",
                            problem->name, row->name);
    }
    return CLI_YES;
}

static cli_exit run(const void *args, const cli_list *operands)
{
    size_t i;

    if (operands->count != 2)
        return cli_fail(CLI_USAGE, "solve",
                        "a problem and a file, not %zu "
                        "operands; see 'lplan help solve'",
                        operands->count);
    for (i = 0; i < PROBLEMS; i++) {
        cli_exit code;

        if (strcmp(problems[i]->name, operands->items[0]) != 0)
            continue;
        code = check_options(problems[i], args);
        return code == CLI_YES ? problems[i]->run(args, operands->items[1])
                               : code;
    }
    return cli_fail(CLI_USAGE, "solve", "no problem is called '%s'",
                    operands->items[0]);
}

static const cli_option *const tables[] = {options, cli_common_options, NULL};

const cli_command cli_solve = {
    .name = "solve",
    .run = run,
    .size = sizeof(cli_solve_args),
    .options = tables,
    .operands = "PROBLEM FILE",
    .completes = CLI_FILES,
    .summary = "Solve a problem of another tool: place, grade, remat",
};
