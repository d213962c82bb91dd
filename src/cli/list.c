/* list.c: "lplan list": the planners and the devices there are. */
#include <string.h>

#include "cli.h"

typedef struct list_args {
    cli_list folders;
    int32_t format;
} list_args;

static const char *const formats[] = {"text", "json", NULL};

static const cli_option list_options[] = {
    {.name = "planner-path",
     .argument = "DIR",
     .kind = CLI_LIST,
     .offset = offsetof(list_args, folders),
     .help = "Look for modules with planners in DIR too; may be given several "
             "times."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     .offset = offsetof(list_args, format),
     .words = formats,
     .help = "List planners as text or json."},
    {.name = NULL},
};

static cli_exit list_planners(const list_args *args)
{
    cli_list folders = args->folders;
    lp_error error = {0};
    size_t length;
    cli_exit code;
    char *text;

    cli_planner_folders(&folders);
    if (lp_planner_list(folders.items, folders.count,
                        args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT, &text,
                        &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    code = cli_write(NULL, text, length);
    lp_text_free(text);
    return code;
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const list_args *args = arguments;
    const char *what = operands->count == 1 ? operands->items[0] : "";

    if (!strcmp(what, "planners"))
        return list_planners(args);
    if (!strcmp(what, "devices") && !args->format)
        return cli_device_list();
    return cli_fail(CLI_USAGE, "list",
                    !strcmp(what, "devices")
                        ? "devices are listed as text"
                        : "'planners' or 'devices' is expected");
}

static const cli_option *const tables[] = {list_options, cli_common_options,
                                           NULL};

const cli_command cli_listing = {
    .name = "list",
    .run = run,
    .size = sizeof(list_args),
    .options = tables,
    .operands = "planners|devices",
    .completes = CLI_NOTHING,
    .summary = "List the planners or the devices there are",
};
