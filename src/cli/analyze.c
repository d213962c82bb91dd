/* analyze.c: "lplan analyze", what models cost.
 *
 * Every model, and every value of --sweep, is one case: loaded, counted and
 * kept until the text is written.  One case gives its whole report, several
 * give one row each. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct analyze_args {
    cli_model model;
    cli_list sweeps;
    int32_t format, table;
    int64_t depth, top, skip_distance;
    const char *sort, *filter, *plot, *output;
    lp_dtype as;
    bool all, chart;
    cli_list asserts;
} analyze_args;

/* A model under one binding, with its report; where there are several, only
 * the "totals" stay, so that memory does not grow with their number. */
typedef struct instance {
    lp_model *model;
    lp_report *report;
    const lp_report *totals; /* the report, or a copy without its lists */
} instance;

/* In the order of lp_format and of lp_table. */
static const char *const formats[] = {"text", "tsv", "json", "netron", NULL};
static const char *const table_names[] = {
    "all", "layers", "modules", "skips", "peak", "conventions", NULL};

#define AT(member) .offset = offsetof(analyze_args, member)

static const cli_option options[] = {
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Write text, tsv, json, or netron: the attachment file that "
             "makes Netron show the numbers."},
    {.name = "table",
     .argument = "TABLE",
     .kind = CLI_WORD,
     AT(table),
     .words = table_names,
     .help = "Write one table only: layers, modules, skips, peak (what is "
             "resident at the peak) or conventions. all is everything."},
    {.name = "depth",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(depth),
     .help = "Show modules down to depth N (1 unless given)."},
    {.name = "sort",
     .argument = "COLUMN",
     .kind = CLI_TEXT,
     AT(sort),
     .help = "Sort the layers by COLUMN: numbers fall, names rise."},
    {.name = "filter",
     .argument = "TEXT",
     .kind = CLI_TEXT,
     AT(filter),
     .help = "Show layers with TEXT in their name, operator or module."},
    {.name = "top",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(top),
     .help = "Show at most N rows."},
    {.name = "all",
     .kind = CLI_FLAG,
     AT(all),
     .help = "Show the folded layers too, which cost nothing at run time."},
    {.name = "as",
     .argument = "TYPE",
     .kind = CLI_DTYPE,
     AT(as),
     .help = "Count the bytes of weights as if each were of TYPE, such as "
             "float16, int8 or int4."},
    {.name = "skip-distance",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(skip_distance),
     .help = "Call a tensor a skip when it waits for N steps or more."},
    {.name = "sweep",
     .argument = "NAME=FROM:TO:STEP",
     .kind = CLI_LIST,
     AT(sweeps),
     .help = "Bind the symbolic dimension NAME to each value in turn, one "
             "row each."},
    {.name = "assert",
     .argument = "'KEY OP VALUE'",
     .kind = CLI_LIST,
     AT(asserts),
     .help = "Exit with 1 when a total is not as said, such as "
             "'live_peak_bytes < 2GiB'. May be given several times."},
    {.name = "plot",
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(plot),
     .help = "Draw the burden chart into FILE (.svg, .png or .pdf)."},
    {.name = "chart",
     .kind = CLI_FLAG,
     AT(chart),
     .help = "Draw the burden curves with characters, too."},
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write to FILE instead of standard output."},
    {.name = NULL},
};

/* Load and count "source" under "options"; "label" may be NULL. */
static cli_exit count(const analyze_args *args, const cli_source *source,
                      const lp_load_options *load, const char *label,
                      instance *ret_instance)
{
    lp_report_options wanted = {
        .label = label,
        .weights_as = args->as,
        .skip_distance = args->skip_distance,
    };
    lp_error error = {0};
    instance fresh = {0};
    cli_exit code;

    code = cli_load(source, load, &fresh.model);
    if (code != CLI_YES)
        return code;
    if (lp_report_new(fresh.model, &wanted, &fresh.report, &error) != LP_OK) {
        lp_model_free(fresh.model);
        return cli_fail_with(&error, CLI_INPUT);
    }
    fresh.totals = fresh.report;
    *ret_instance = fresh;
    return CLI_YES;
}

static void drop(instance *one)
{
    lp_report_free(one->report);
    lp_model_free(one->model);
    *one = (instance){.totals = one->totals};
}

/* Free all of "one" but its totals. */
static void keep_totals(instance *one)
{
    lp_report *totals = cli_alloc(sizeof(*totals));

    *totals = *one->report;
    totals->model = cli_format("%s", totals->model);
    totals->peak_layer = cli_format("%s", totals->peak_layer);
    totals->rows_count = totals->peak_count = totals->skips_count = 0;
    totals->modules_count = totals->conventions_count = 0;
    totals->weights_as_count = 0;
    one->totals = totals;
    drop(one);
}

/* Count every source (under every value of "sweep", if any). */
static cli_exit count_all(const analyze_args *args, const cli_source *sources,
                          size_t sources_count, const cli_sweep *sweep,
                          instance **ret_instances, size_t *ret_count)
{
    int64_t values = sweep ? (sweep->to - sweep->from) / sweep->step + 1 : 1;
    instance *all = cli_alloc(sources_count * (size_t)values * sizeof(*all));
    cli_exit code = CLI_YES;
    size_t i, n = 0;
    int64_t v;

    *ret_instances = all;
    for (i = 0; i < sources_count; i++) {
        for (v = 0; v < values && code == CLI_YES; v++) {
            const char *binding = "", *label = NULL;
            cli_list swept = {.items = &binding, .count = 1};
            lp_load_options load;

            if (sweep)
                label = binding =
                    cli_format("%s=%lld", sweep->name,
                               (long long)(sweep->from + v * sweep->step));
            if (sweep && sources_count > 1)
                label = cli_format("%s %s", sources[i].name, binding);
            code = cli_settle(&args->model, sweep ? &swept : NULL, NULL, &load);
            if (code == CLI_YES)
                code = count(args, &sources[i], &load, label, &all[n]);
            if (code == CLI_YES && (sweep || sources_count > 1))
                keep_totals(&all[n]);
            n += code == CLI_YES;
        }
    }
    *ret_count = n;
    return code;
}

static cli_exit write_text(const analyze_args *args, const instance *cases,
                           size_t cases_count)
{
    const lp_report **reports = cli_alloc(cases_count * sizeof(*reports));
    lp_error error = {0};
    lp_view view = {
        .format = (lp_format)args->format,
        .table = (lp_table)args->table,
        .sort = args->sort,
        .filter = args->filter,
        .top = args->top,
        .depth = args->depth > INT32_MAX ? INT32_MAX : (int32_t)args->depth,
        .all = args->all,
        .chart = args->chart,
    };
    lp_status status;
    cli_exit code;
    size_t length, i;
    char *text;

    for (i = 0; i < cases_count; i++)
        reports[i] = cases[i].totals;
    cli_view_terminal(&view, args->output);
    if (cases_count == 1 && !args->sweeps.count)
        status = lp_report_write(reports[0], &view, &text, &length, &error);
    else
        status = lp_compare_write(reports, cases_count, &view, &text, &length,
                                  &error);
    if (status != LP_OK)
        return cli_fail_with(&error, CLI_USAGE);
    code = cli_write(args->output, text, length);
    lp_text_free(text);
    return code;
}

/* Write, draw and judge what has been counted; the gravest code wins. */
static cli_exit answer(const analyze_args *args, const instance *cases,
                       size_t cases_count)
{
    cli_exit code = write_text(args, cases, cases_count), next;
    size_t i;

    if (code != CLI_YES)
        return code;
    if (args->plot)
        code = cli_chart_report("burden", cases[0].report, NULL, args->plot);
    for (i = 0; i < cases_count; i++) {
        next = cli_assert(&args->asserts, cases[i].totals);
        code = next > code ? next : code;
    }
    return code;
}

/* Refuse options that do not go together, before anything is read. */
static cli_exit check(const analyze_args *args, size_t sources_count)
{
    bool several = sources_count > 1 || args->sweeps.count;

    if (several && (args->plot || args->chart || args->table))
        return cli_fail(CLI_USAGE, "analyze",
                        "--%s shows one model; several models and --sweep "
                        "make one row each",
                        args->plot    ? "plot"
                        : args->chart ? "chart"
                                      : "table");
    if (several && args->format == LP_FORMAT_NETRON)
        return cli_fail(CLI_USAGE, "analyze",
                        "--format netron describes one model");
    if (args->sweeps.count > 1)
        return cli_fail(CLI_USAGE, "analyze", "--sweep can be given once");
    if (args->plot && cli_chart_check(args->plot) != CLI_YES)
        return CLI_USAGE;
    return cli_assert_check(&args->asserts);
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const analyze_args *args = arguments;
    const cli_source *sources;
    size_t sources_count, cases_count = 0, i;
    instance *cases;
    bool swept;
    cli_sweep sweep;
    cli_exit code;

    code = cli_sources(&args->model, operands, 0, &sources, &sources_count);
    if (code == CLI_YES)
        code = check(args, sources_count);
    swept = args->sweeps.count > 0;
    if (code == CLI_YES && swept)
        code = cli_sweep_parse(args->sweeps.items[0], &sweep);
    if (code != CLI_YES)
        return code;
    code = count_all(args, sources, sources_count, swept ? &sweep : NULL,
                     &cases, &cases_count);
    if (code == CLI_YES)
        code = answer(args, cases, cases_count);
    for (i = 0; i < cases_count; i++)
        drop(&cases[i]);
    return code;
}

static const cli_option *const tables[] = {
    options, cli_source_options, cli_model_options, cli_common_options, NULL};

const cli_command cli_analyze = {
    .name = "analyze",
    .run = run,
    .size = sizeof(analyze_args),
    .options = tables,
    .operands = "MODEL...",
    .completes = CLI_FILES,
    .summary = "Count memory and compute of models, layer by layer",
};
