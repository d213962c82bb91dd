/* diff.c: "lplan diff", two models, or one at two sizes, side by side. */
#include <string.h>

#include "cli.h"

typedef struct diff_args {
    cli_model model;
    cli_list dims[2], shapes[2];
    int32_t format;
    int64_t depth, top;
    const char *sort, *filter, *output;
    lp_dtype as;
} diff_args;

/* In the order of lp_format. */
static const char *const formats[] = {"text", "tsv", "json", NULL};

#define AT(member) .offset = offsetof(diff_args, member)

static const cli_option options[] = {
    {.name = "dim-a",
     .argument = "NAME=N[,NAME=N...]",
     .kind = CLI_LIST,
     AT(dims[0]),
     .help = "As --dim, for the first model only."},
    {.name = "dim-b",
     .argument = "NAME=N[,NAME=N...]",
     .kind = CLI_LIST,
     AT(dims[1]),
     .help = "As --dim, for the second model only."},
    {.name = "shape-a",
     .argument = "INPUT=AxBx...",
     .kind = CLI_LIST,
     AT(shapes[0]),
     .help = "As --shape, for the first model only."},
    {.name = "shape-b",
     .argument = "INPUT=AxBx...",
     .kind = CLI_LIST,
     AT(shapes[1]),
     .help = "As --shape, for the second model only."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Write text, tsv or json."},
    {.name = "depth",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(depth),
     .help = "Compare modules down to depth N (1 unless given)."},
    {.name = "sort",
     .argument = "COLUMN",
     .kind = CLI_TEXT,
     AT(sort),
     .help = "Sort the modules by COLUMN: numbers fall, names rise."},
    {.name = "filter",
     .argument = "TEXT",
     .kind = CLI_TEXT,
     AT(filter),
     .help = "Show modules with TEXT in their path."},
    {.name = "top",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(top),
     .help = "Show at most N rows."},
    {.name = "as",
     .argument = "TYPE",
     .kind = CLI_DTYPE,
     AT(as),
     .help = "Count the bytes of weights as if each were of TYPE."},
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write to FILE instead of standard output."},
    {.name = NULL},
};

/* Load and count side "side" (0 or 1) of the comparison. */
static cli_exit count(const diff_args *args, const cli_source *source, int side,
                      lp_model **ret_model, lp_report **ret_report)
{
    lp_report_options wanted = {.weights_as = args->as};
    lp_load_options load;
    lp_error error = {0};
    cli_exit code;

    code =
        cli_settle(&args->model, &args->dims[side], &args->shapes[side], &load);
    if (code == CLI_YES)
        code = cli_load(source, &load, ret_model);
    if (code == CLI_YES &&
        lp_report_new(*ret_model, &wanted, ret_report, &error) != LP_OK)
        code = cli_fail_with(&error, CLI_INPUT);
    return code;
}

static cli_exit write_text(const diff_args *args, lp_report *const *reports)
{
    lp_error error = {0};
    lp_view view = {
        .format = (lp_format)args->format,
        .sort = args->sort,
        .filter = args->filter,
        .top = args->top,
        .depth = args->depth > INT32_MAX ? INT32_MAX : (int32_t)args->depth,
    };
    size_t length;
    cli_exit code;
    char *text;

    cli_view_terminal(&view, args->output);
    if (lp_diff_write(reports[0], reports[1], &view, &text, &length, &error) !=
        LP_OK)
        return cli_fail_with(&error, CLI_USAGE);
    code = cli_write(args->output, text, length);
    lp_text_free(text);
    return code;
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const diff_args *args = arguments;
    lp_report *reports[2] = {NULL, NULL};
    lp_model *models[2] = {NULL, NULL};
    const cli_source *sources;
    size_t sources_count;
    cli_exit code;
    int side;

    code = cli_sources(&args->model, operands, 0, &sources, &sources_count);
    if (code == CLI_YES && sources_count != 2)
        code =
            cli_fail(CLI_USAGE, "diff", "two models, not %zu", sources_count);
    for (side = 0; side < 2 && code == CLI_YES; side++)
        code = count(args, &sources[side], side, &models[side], &reports[side]);
    if (code == CLI_YES)
        code = write_text(args, reports);
    for (side = 0; side < 2; side++) {
        lp_report_free(reports[side]);
        lp_model_free(models[side]);
    }
    return code;
}

static const cli_option *const tables[] = {
    options, cli_source_options, cli_model_options, cli_common_options, NULL};

const cli_command cli_diff = {
    .name = "diff",
    .run = run,
    .size = sizeof(diff_args),
    .options = tables,
    .operands = "A B",
    .completes = CLI_FILES,
    .summary = "Show two models, or one at two sizes, side by side",
};
