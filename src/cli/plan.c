/* plan.c: "lplan plan" makes a schedule with a chain of planners, and says what
 * it takes and how far from the best that can be. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct plan_args {
    cli_model model;
    const char *output, *device, *planners, *effort, *seed;
    int64_t budget_bytes;
    cli_list settings, folders;
    int32_t format;
} plan_args;

static const char *const formats[] = {"text", "json", NULL};

#define AT(member) .offset = offsetof(plan_args, member)

static const cli_option plan_options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write the schedule to FILE; it is written only when it fits."},
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
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Print the answer as text or json."},
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

/* Settle all options but the device. */
static cli_exit settle(const plan_args *args, lp_plan_options *options)
{
    cli_list names = {0}, folders = args->folders;
    const char *rest = args->planners, *name;
    char *end = NULL;

    while ((name = cli_part(&rest, ',')) != NULL)
        cli_push(&names, name);
    cli_planner_folders(&folders);
    options->planners = names.items;
    options->planners_count = names.count;
    options->budget_bytes = args->budget_bytes;
    options->settings = args->settings.items;
    options->settings_count = args->settings.count;
    options->folders = folders.items;
    options->folders_count = folders.count;
    if (args->seed) {
        options->seed = strtoll(args->seed, &end, 10);
        if (end == args->seed || *end || options->seed < 0)
            return cli_fail(CLI_USAGE, "plan",
                            "--seed '%s' is no whole number from 0 on",
                            args->seed);
    }
    return cli_effort(args->effort, &options->effort);
}

/* Write the schedule of "plan", if it has one, and say what it is. */
static cli_exit deliver(const plan_args *args, const lp_plan *plan)
{
    bool on_stdout = args->output && !strcmp(args->output, "-");
    lp_format format = args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT;
    lp_error error = {0};
    cli_exit code = CLI_YES;
    size_t length;
    char *text;

    if (args->output && plan->schedule) {
        if (lp_schedule_write(plan->schedule, &text, &length, &error) != LP_OK)
            return cli_fail_with(&error, CLI_INPUT);
        code = cli_write(args->output, text, length);
        lp_text_free(text);
    }
    if (code != CLI_YES || on_stdout)
        return code;
    if (lp_plan_write(plan, format, &text, &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    code = cli_write(NULL, text, length);
    lp_text_free(text);
    return code;
}

/* Plan "model". */
static cli_exit make(const plan_args *args, const lp_plan_options *options,
                     const lp_model *model)
{
    lp_error error = {0};
    lp_plan *plan = NULL;
    lp_status status = lp_plan_new(model, options, &plan, &error);
    cli_exit code = CLI_YES;

    if (plan)
        code = deliver(args, plan);
    lp_plan_free(plan);
    if (status == LP_OK || code != CLI_YES)
        return code;
    return cli_fail_with(&error, CLI_INPUT);
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const plan_args *args = arguments;
    lp_plan_options options = {0};
    lp_device *device = NULL;
    lp_model *model;
    cli_exit code = settle(args, &options);

    if (code == CLI_YES && args->device)
        code = cli_device_load(args->device, &device);
    options.device = device;
    if (code == CLI_YES)
        code = cli_load_one(&args->model, operands, "plan", &model);
    if (code == CLI_YES) {
        code = make(args, &options, model);
        lp_model_free(model);
    }
    lp_device_free(device);
    return code;
}

static const cli_option *const tables[] = {plan_options, cli_model_options,
                                           cli_common_options, NULL};

const cli_command cli_plan = {
    .name = "plan",
    .run = run,
    .size = sizeof(plan_args),
    .options = tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Plan how a model runs within a budget of memory",
};
