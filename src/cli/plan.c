/* plan.c: "lplan plan" makes a schedule with a chain of planners, and says what
 * it takes and how far from the best that can be. */
#include <string.h>

#include "cli.h"

typedef struct plan_args {
    cli_planned planned; /* first */
    const char *output;
    lp_dtype as;
    int32_t format;
    bool explain;
} plan_args;

static const char *const formats[] = {"text", "json", "tsv", NULL};

#define AT(member) .offset = offsetof(plan_args, member)

static const cli_option plan_options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write the schedule to FILE; it is written only when it fits."},
    {.name = "explain",
     .kind = CLI_FLAG,
     AT(explain),
     .help = "Print in place of the answer what each tensor that waits costs "
             "to copy away and back, and to compute again."},
    {.name = "as",
     .argument = "DTYPE",
     .kind = CLI_DTYPE,
     AT(as),
     .help = "Plan as if floats were stored as DTYPE where that takes less, "
             "inputs and outputs of the graph excepted; with --explain count "
             "all floats, and compute, as DTYPE."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Print the answer as text or json; with --explain or --sweep also "
             "as tsv."},
    {.name = NULL},
};

#undef AT

/* What the options ask for as a view. */
static lp_view view_of(const plan_args *args)
{
    static const lp_format known[] = {LP_FORMAT_TEXT, LP_FORMAT_JSON,
                                      LP_FORMAT_TSV};
    lp_view view = {.format = known[args->format]};

    cli_view_terminal(&view, NULL);
    return view;
}

/* Print "text" when "status" is LP_OK, and free it. */
static cli_exit print(lp_status status, char *text, size_t length,
                      const lp_error *error)
{
    cli_exit code;

    if (status != LP_OK)
        return cli_fail_with(error, CLI_INPUT);
    code = cli_write(NULL, text, length);
    lp_text_free(text);
    return code;
}

static cli_exit print_map(const plan_args *args, const lp_plan *plan)
{
    lp_view view = view_of(args);
    lp_error error = {0};
    size_t length = 0;
    char *text = NULL;
    lp_status status =
        lp_break_even_write(plan->map, &view, &text, &length, &error);

    return print(status, text, length, &error);
}

/* Write the schedule of "plan", if it has one, and say what it is. */
static cli_exit deliver(const plan_args *args, const lp_plan *plan)
{
    bool on_stdout = args->output && !strcmp(args->output, "-");
    lp_format format = args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT;
    lp_error error = {0};
    cli_exit code = CLI_YES;
    lp_status status;
    size_t length = 0;
    char *text = NULL;

    if (args->output && plan->schedule) {
        if (lp_schedule_write(plan->schedule, &text, &length, &error) != LP_OK)
            return cli_fail_with(&error, CLI_INPUT);
        code = cli_write(args->output, text, length);
        lp_text_free(text);
    }
    if (code != CLI_YES || on_stdout)
        return code;
    if (plan->map)
        return print_map(args, plan);
    status = lp_plan_write(plan, format, &text, &length, &error);
    return print(status, text, length, &error);
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

/* Plan "model" for many budgets. */
static cli_exit sweep(const plan_args *args, const lp_plan_options *options,
                      const lp_model *model)
{
    lp_view view = view_of(args);
    lp_error error = {0};
    lp_tradeoff *tradeoff;
    size_t length = 0;
    char *text = NULL;
    lp_status status;
    cli_exit code =
        cli_tradeoff(model, options, args->planned.planning.sweep, &tradeoff);

    if (code != CLI_YES)
        return code;
    status = lp_tradeoff_write(tradeoff, &view, &text, &length, &error);
    lp_tradeoff_free(tradeoff);
    return print(status, text, length, &error);
}

/* Refuse options that contradict each other. */
static cli_exit check(const plan_args *args)
{
    bool sweeps = args->planned.planning.sweep;

    if (sweeps && (args->explain || args->output))
        return cli_fail(CLI_USAGE, "plan",
                        "--sweep prints a table of plans: no --explain, no -o");
    if (!strcmp(formats[args->format], "tsv") && !sweeps && !args->explain)
        return cli_fail(CLI_USAGE, "plan",
                        "--format tsv goes with --explain or --sweep");
    return CLI_YES;
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const plan_args *args = arguments;
    lp_plan_options options = {0};
    lp_device *device = NULL;
    lp_model *model;
    cli_exit code = check(args);

    if (code == CLI_YES)
        code = cli_planning_settle(&args->planned.planning, "plan", &options,
                                   &device);
    options.explain = args->explain;
    options.map_as = args->as;
    options.find_ways = !args->explain;
    options.assume = args->as;
    if (code == CLI_YES)
        code = cli_load_one(&args->planned.model, operands, "plan", &model);
    if (code == CLI_YES) {
        code = args->planned.planning.sweep ? sweep(args, &options, model)
                                            : make(args, &options, model);
        lp_model_free(model);
    }
    lp_device_free(device);
    return code;
}

static const cli_option *const tables[] = {
    plan_options,      cli_planning_options, cli_source_options,
    cli_model_options, cli_common_options,   NULL};

const cli_command cli_plan = {
    .name = "plan",
    .run = run,
    .size = sizeof(plan_args),
    .options = tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Plan how a model runs within a budget of memory",
};
