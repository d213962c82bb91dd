/* fill.c: "lplan fill", weights that are absent as files. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

typedef struct fill_args {
    cli_model model;
    const char *output, *seed;
} fill_args;

static const cli_option options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "DIR",
     .kind = CLI_PATH,
     .offset = offsetof(fill_args, output),
     .help = "Write the files into DIR, which is made (needed)."},
    {.name = "seed",
     .argument = "N",
     .kind = CLI_TEXT,
     .offset = offsetof(fill_args, seed),
     .help = "Draw from the seed N (0 unless given)."},
    {.name = NULL},
};

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const fill_args *args = arguments;
    const cli_source *sources;
    lp_load_options load;
    lp_error error = {0};
    lp_model *model;
    cli_bar bar = {.shows = isatty(STDERR_FILENO)};
    lp_run_options wanted = {.progress = cli_bar_show,
                             .progress_context = &bar};
    size_t count;
    cli_exit code;
    char *end;

    if (!args->output)
        return cli_fail(CLI_USAGE, "fill", "-o DIR is missing");
    if (args->seed) {
        errno = 0;
        wanted.fill_seed = strtoll(args->seed, &end, 10);
        if (errno || end == args->seed || *end)
            return cli_fail(CLI_USAGE, "fill", "--seed '%s' is no number",
                            args->seed);
    }
    code = cli_sources(&args->model, operands, 0, &sources, &count);
    if (code == CLI_YES && count != 1)
        code = cli_fail(CLI_USAGE, "fill", "one model, not %zu", count);
    if (code == CLI_YES)
        code = cli_settle(&args->model, NULL, NULL, &load);
    if (code == CLI_YES)
        code = cli_load(&sources[0], &load, &model);
    if (code != CLI_YES)
        return code;
    cli_interrupt_catch();
    if (lp_model_fill(model, &wanted, args->output, &error) != LP_OK)
        code = cli_interrupted()
                   ? cli_fail(CLI_SYSTEM, "fill",
                              "interrupted: only whole files were written")
                   : cli_fail_with(&error, error.status == LP_EINPUT
                                               ? CLI_INPUT
                                               : CLI_SYSTEM);
    lp_model_free(model);
    return code;
}

static const cli_option *const tables[] = {
    options, cli_source_options, cli_model_options, cli_common_options, NULL};

const cli_command cli_fill = {
    .name = "fill",
    .run = run,
    .size = sizeof(fill_args),
    .options = tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Write drawn weights as external data",
};
