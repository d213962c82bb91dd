/* dump.c: "lplan dump", a model in the text form. */
#include "cli.h"

typedef struct dump_args {
    cli_model model;
    const char *output;
} dump_args;

static const cli_option options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     .offset = offsetof(dump_args, output),
     .help = "Write to FILE instead of standard output."},
    {.name = NULL},
};

static cli_exit run(const void *args, const cli_list *operands)
{
    const dump_args *dump = args;
    const cli_source *sources;
    lp_load_options load = {0};
    lp_error error = {0};
    lp_model *model;
    size_t count, length;
    cli_exit code;
    char *text;

    code = cli_sources(&dump->model, operands, 0, &sources, &count);
    if (code != CLI_YES)
        return code;
    if (count != 1)
        return cli_fail(CLI_USAGE, "dump", "one model, not %zu", count);
    load.as_written = true;
    load.max_memory_bytes = dump->model.max_memory_bytes;
    code = cli_load(&sources[0], &load, &model);
    if (code != CLI_YES)
        return code;
    if (lp_model_dump(model, &text, &length, &error) == LP_OK) {
        code = cli_write(dump->output, text, length);
        lp_text_free(text);
    } else {
        code = cli_fail_with(&error, CLI_INPUT);
    }
    lp_model_free(model);
    return code;
}

static const cli_option *const tables[] = {options, cli_source_options,
                                           cli_common_options, NULL};

const cli_command cli_dump = {
    .name = "dump",
    .run = run,
    .size = sizeof(dump_args),
    .options = tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Print a model in the text form",
};
