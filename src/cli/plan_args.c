/* plan_args.c: what commands that plan have in common: the device, the budget
 * and the chain of planners. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { STEPS = 10 };

/* Of --time-limit: a hundred days. */
#define LIMIT_MOST (INT64_C(8640000) * 1000000000)

#define AT(member) .offset = offsetof(cli_planned, planning.member)

const cli_option cli_planning_options[] = {
    {.name = "device",
     .argument = "DEVICE",
     .kind = CLI_PATH,
     AT(device),
     .help = "Plan for the device in the file DEVICE, or one that 'lplan list "
             "devices' shows."},
    {.name = "budget",
     .argument = "BYTES",
     .kind = CLI_COUNT,
     AT(budget_bytes),
     .help = "Keep the arena within BYTES (2MiB, 500k), in place of the "
             "capacity of the device."},
    {.name = "sweep",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(sweep),
     .help = "Plan for N budgets more, which fall from what the plan without "
             "one takes to the largest working set, or to --budget."},
    {.name = "planner",
     .argument = "NAMES",
     .kind = CLI_TEXT,
     AT(planners),
     .help = "Run the planners NAMES, with commas between them, in turn (see "
             "lplan-plan(1) for those run unless told)."},
    {.name = "set",
     .argument = "PLANNER.OPTION=VALUE",
     .kind = CLI_LIST,
     AT(settings),
     .help = "Set an option of a planner; may be given several times."},
    {.name = "effort",
     .argument = "EFFORT",
     .kind = CLI_TEXT,
     AT(effort),
     .help = "Search for quick, default or thorough, or N units of work."},
    {.name = "time-limit",
     .argument = "SECONDS",
     .kind = CLI_TEXT,
     AT(time_limit),
     .help = "Search with more and more effort, as long as the next time is "
             "likely to end within SECONDS; not reproducible."},
    {.name = "seed",
     .argument = "N",
     .kind = CLI_TEXT,
     AT(seed),
     .help = "A number that searches start from (0 unless given)."},
    {.name = "planner-path",
     .argument = "DIR",
     .kind = CLI_LIST,
     AT(folders),
     .help = "Look for modules with planners in DIR first; may be given "
             "several times."},
    {.name = NULL},
};

#undef AT

void cli_planner_folders(cli_list *folders)
{
    const char *rest = getenv("LPLAN_PLANNERS"), *part;

    while (rest && *rest && (part = cli_part(&rest, ':')) != NULL)
        if (*part)
            cli_push(folders, part);
}

/* "text", seconds with up to nine decimals, above 0, as ns; 0: it is none. */
static int64_t parse_seconds(const char *text)
{
    int64_t ns = 0, unit = 1000000000;
    bool is_fraction = false;

    for (; *text; text++) {
        if (*text == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            return 0;
        if (is_fraction)
            unit /= 10;
        else
            ns *= 10;
        if (!unit || ns > LIMIT_MOST)
            return 0;
        ns += (*text - '0') * unit;
    }
    return ns > LIMIT_MOST ? 0 : ns;
}

cli_exit cli_planning_settle(const cli_planning *args, const char *command,
                             lp_plan_options *options, lp_device **ret_device)
{
    cli_list names = {0}, folders = args->folders;
    const char *rest = args->planners, *name;
    char *end = NULL;
    cli_exit code;

    *ret_device = NULL;
    while ((name = cli_part(&rest, ',')) != NULL)
        cli_push(&names, name);
    cli_planner_folders(&folders);
    *options = (lp_plan_options){.planners = names.items,
                                 .planners_count = names.count,
                                 .budget_bytes = args->budget_bytes,
                                 .settings = args->settings.items,
                                 .settings_count = args->settings.count,
                                 .folders = folders.items,
                                 .folders_count = folders.count};
    if (args->seed) {
        errno = 0;
        options->seed = strtoll(args->seed, &end, 10);
        if (errno || end == args->seed || *end || options->seed < 0)
            return cli_fail(CLI_USAGE, command,
                            "--seed '%s' is no whole number from 0 on",
                            args->seed);
    }
    if (args->time_limit && args->effort)
        return cli_fail(CLI_USAGE, command,
                        "--time-limit and --effort exclude each other");
    options->time_limit_ns = args->time_limit ? parse_seconds(args->time_limit)
                                              : 0;
    if (args->time_limit && !options->time_limit_ns)
        return cli_fail(CLI_USAGE, command,
                        "--time-limit '%s' is no number of seconds above 0",
                        args->time_limit);
    code = cli_effort(args->effort, &options->effort);
    if (code == CLI_YES && args->device)
        code = cli_device_load(args->device, ret_device);
    options->device = *ret_device;
    return code;
}

cli_exit cli_tradeoff(const lp_model *model, const lp_plan_options *plan,
                      int64_t steps, lp_tradeoff **ret_tradeoff)
{
    cli_bar bar = {.shows = isatty(STDERR_FILENO) != 0};
    lp_tradeoff_options options = {.steps = steps ? steps : STEPS,
                                   .progress = cli_bar_show,
                                   .progress_context = &bar};
    lp_error error = {0};
    lp_status status;

    cli_interrupt_catch();
    status = lp_tradeoff_new(model, plan, &options, ret_tradeoff, &error);
    if (bar.shows)
        cli_bar_show(&bar, 1, 1, "");
    if (status == LP_OK)
        return CLI_YES;
    return cli_fail_with(&error, cli_interrupted() ? CLI_SYSTEM : CLI_INPUT);
}
