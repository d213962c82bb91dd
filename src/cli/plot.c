/* plot.c: "lplan plot", charts of a model or of a stored table. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { TABLE_BYTES = 1 << 30 };

typedef struct plot_args {
    cli_planned planned; /* first */
    const char *from, *skips, *schedule, *title, *output;
    int64_t skip_distance;
    bool list;
} plot_args;

#define AT(member) .offset = offsetof(plot_args, member)

static const cli_option options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Draw into FILE; its suffix .svg, .png or .pdf tells the kind."},
    {.name = "from",
     .argument = "TABLE",
     .kind = CLI_PATH,
     AT(from),
     .help = "Draw TABLE, which 'lplan analyze --format tsv' has written "
             "('lplan plan --sweep N --format tsv' for budgets), in place of a "
             "model."},
    {.name = "skips",
     .argument = "TABLE",
     .kind = CLI_PATH,
     AT(skips),
     .help = "With --from: the table of 'lplan analyze --format tsv --table "
             "skips', for the memory chart."},
    {.name = "schedule",
     .argument = "SCHEDULE",
     .kind = CLI_PATH,
     AT(schedule),
     .help = "Draw the arena of the schedule of the model in SCHEDULE."},
    {.name = "title",
     .argument = "TEXT",
     .kind = CLI_TEXT,
     AT(title),
     .help = "Put TEXT above the chart in place of the name of the model."},
    {.name = "skip-distance",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(skip_distance),
     .help = "Call a tensor a skip when it waits for N steps or more."},
    {.name = "list",
     .kind = CLI_FLAG,
     AT(list),
     .help = "List the charts that can be drawn."},
    {.name = NULL},
};

/* Draw the chart "name" from stored tables. */
static cli_exit plot_tables(const plot_args *args, const char *name)
{
    cli_chart chart = {
        .name = name,
        .title = args->title,
        .source = strcmp(args->from, "-") != 0 ? args->from : "stdin",
        .output = args->output,
    };
    char *layers = NULL, *skips = NULL;
    size_t length;
    cli_exit code;

    code = cli_slurp(args->from, TABLE_BYTES, &layers, &length);
    if (code == CLI_YES && args->skips)
        code = cli_slurp(args->skips, TABLE_BYTES, &skips, &length);
    chart.layers = layers;
    chart.skips = skips;
    if (code == CLI_YES)
        code = cli_chart_draw(&chart);
    free(layers);
    free(skips);
    return code;
}

/* Draw the chart "name" of the report of "model". */
static cli_exit plot_report(const plot_args *args, const char *name,
                            const lp_model *model)
{
    lp_report_options wanted = {.skip_distance = args->skip_distance};
    lp_error error = {0};
    lp_report *report;
    cli_exit code;

    if (lp_report_new(model, &wanted, &report, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    code = cli_chart_report(name, report, args->title, args->output);
    lp_report_free(report);
    return code;
}

/* Draw "data" of a model as the chart "name". */
static cli_exit plot_model(const plot_args *args, const char *name,
                           cli_data data, const cli_source *source)
{
    cli_chart chart = {.name = name,
                       .title = args->title,
                       .source = source->name,
                       .output = args->output};
    lp_load_options load;
    lp_model *model;
    cli_exit code;

    code = cli_settle(&args->planned.model, NULL, NULL, &load);
    if (code == CLI_YES)
        code = cli_load(source, &load, &model);
    if (code != CLI_YES)
        return code;
    if (data == CLI_BUDGETS)
        code = cli_plot_budgets(&args->planned.planning, model, &chart);
    else if (data == CLI_ARENA)
        code = cli_plot_arena(args->schedule, model, &chart);
    else
        code = plot_report(args, name, model);
    lp_model_free(model);
    return code;
}

/* Refuse options that do not go with the chart "name", which draws "data". */
static cli_exit check(const plot_args *args, const char *name, cli_data data)
{
    const cli_planning *plan = &args->planned.planning;

    if (args->skips && !args->from)
        return cli_fail(CLI_USAGE, "plot", "--skips goes with --from");
    if (args->schedule && data != CLI_ARENA)
        return cli_fail(CLI_USAGE, "plot", "chart '%s' draws no --schedule",
                        name);
    if (!args->schedule && data == CLI_ARENA && !args->from)
        return cli_fail(CLI_USAGE, "plot", "chart '%s' draws a --schedule",
                        name);
    if (data != CLI_BUDGETS &&
        (plan->device || plan->planners || plan->effort || plan->time_limit ||
         plan->seed || plan->budget_bytes || plan->sweep ||
         plan->settings.count || plan->folders.count))
        return cli_fail(CLI_USAGE, "plot",
                        "chart '%s' plans nothing: no options of plans", name);
    return CLI_YES;
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const plot_args *args = arguments;
    const cli_source *sources;
    cli_data data;
    size_t count;
    cli_exit code;

    if (args->list)
        return operands->count
                   ? cli_fail(CLI_USAGE, "plot", "--list stands alone")
                   : cli_chart_list();
    if (!operands->count)
        return cli_fail(CLI_USAGE, "plot",
                        "name a chart first; see 'lplan plot --list'");
    if (!args->output)
        return cli_fail(CLI_USAGE, "plot", "-o FILE is missing");
    if (cli_chart_check(args->output) != CLI_YES)
        return CLI_USAGE;
    if (args->from && (operands->count > 1 || args->planned.model.nets.count))
        return cli_fail(CLI_USAGE, "plot",
                        "either --from or a model, not both");
    code = cli_chart_data(operands->items[0], &data);
    if (code == CLI_YES)
        code = check(args, operands->items[0], data);
    if (code != CLI_YES)
        return code;
    if (args->from)
        return plot_tables(args, operands->items[0]);
    code = cli_sources(&args->planned.model, operands, 1, &sources, &count);
    if (code == CLI_YES && count > 1)
        code = cli_fail(CLI_USAGE, "plot", "one model, not %zu", count);
    return code == CLI_YES ? plot_model(args, operands->items[0], data, sources)
                           : code;
}

static const cli_option *const tables[] = {
    options,           cli_planning_options, cli_source_options,
    cli_model_options, cli_common_options,   NULL};

const cli_command cli_plot = {
    .name = "plot",
    .run = run,
    .size = sizeof(plot_args),
    .options = tables,
    .operands = "CHART [MODEL]",
    .completes = CLI_CHARTS,
    .summary = "Draw a chart of a model or of a stored table",
};
