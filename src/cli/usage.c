/* usage.c: the help of every command, and the OPTIONS of the manual pages,
 * both printed from the option tables. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

enum { WIDTH = 79, INDENT = 26 };

typedef struct help_args {
    bool mdoc;
} help_args;

static const cli_option help_options[] = {
    {.name = "mdoc",
     .kind = CLI_FLAG,
     .offset = offsetof(help_args, mdoc),
     .help = "Print the options of COMMAND as they stand in its manual page."},
    {.name = NULL},
};

/* Print "text" filled between columns INDENT and WIDTH; "at" is the column
 * where the cursor stands. */
static void fill(const char *text, int at)
{
    if (at > INDENT - 2) {
        cli_print("\n");
        at = 0;
    }
    cli_print("%*s", INDENT - at, "");
    at = INDENT;
    while (*text) {
        int length = (int)strcspn(text, " ");

        if (at > INDENT && at + 1 + length > WIDTH) {
            cli_print("\n%*s", INDENT, "");
            at = INDENT;
        }
        at += (at > INDENT) + length;
        cli_print("%s%.*s", at > INDENT + length ? " " : "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    cli_print("\n");
}

/* "  -o, --output FILE" and its help. */
static void print_option(const cli_option *row)
{
    const char *names = row->letter
                            ? cli_format("  -%c, --%s", row->letter, row->name)
                            : cli_format("      --%s", row->name);

    if (row->argument)
        names = cli_format("%s %s", names, row->argument);
    cli_print("%s", names);
    fill(row->help, (int)strlen(names));
}

static void usage_all(void)
{
    const cli_command *const *command;

    cli_print("Usage: lplan COMMAND [OPTION]... [OPERAND]...\n"
              "       lplan help COMMAND\n"
              "       lplan --version\n\n"
              "Say layer by layer what a neural network costs in memory and "
              "compute.\n\nCommands:\n");
    for (command = cli_commands; *command; command++) {
        cli_print("  %s", (*command)->name);
        fill((*command)->summary, 2 + (int)strlen((*command)->name));
    }
    cli_print("\nExit codes: 0 yes, 1 the answer is no, 2 usage, 3 bad "
              "input, 4 system.\nManual: man lplan\n");
}

void cli_usage(const cli_command *command)
{
    const cli_option *const *table;
    const cli_option *row;

    if (!command) {
        usage_all();
        return;
    }
    cli_print("Usage: lplan %s [OPTION]...%s%s\n\n%s.\n\nOptions:\n",
              command->name, *command->operands ? " " : "", command->operands,
              command->summary);
    for (table = command->options; *table; table++)
        for (row = *table; row->name; row++)
            print_option(row);
}

/* Print "text" as running mdoc text: backslashes and a leading control
 * character escaped, one sentence a line. */
static void print_mdoc(const char *text)
{
    bool start = true;

    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            cli_print("\\&");
        start = false;
        if (*text == '\\') {
            cli_print("\\e");
        } else if (*text == ' ' && text[-1] == '.') {
            cli_print("\n");
            start = true;
        } else {
            cli_print("%c", *text);
        }
    }
    cli_print("\n");
}

/* The list of options in mdoc: .It Fl o Ar FILE , Fl -output Ar FILE */
static void mdoc(const cli_command *command)
{
    const cli_option *const *table;
    const cli_option *row;

    cli_print(".Bl -tag -width Ds\n");
    for (table = command->options; *table; table++) {
        for (row = *table; row->name; row++) {
            const char *argument =
                row->argument ? cli_format(" Ar %s", row->argument) : "";

            cli_print(".It");
            if (row->letter)
                cli_print(" Fl %c%s ,", row->letter, argument);
            cli_print(" Fl -%s%s\n", row->name, argument);
            print_mdoc(row->help);
        }
    }
    cli_print(".El\n");
}

static cli_exit run(const void *args, const cli_list *operands)
{
    const help_args *help = args;
    const cli_command *command = NULL;

    if (operands->count > 1)
        return cli_fail(CLI_USAGE, "help", "more than one command: '%s'",
                        operands->items[1]);
    if (operands->count == 1) {
        command = cli_command_find(operands->items[0]);
        if (!command)
            return cli_fail(CLI_USAGE, "help", "no command is called '%s'",
                            operands->items[0]);
    }
    if (help->mdoc && !command)
        return cli_fail(CLI_USAGE, "help", "--mdoc needs a command");
    if (help->mdoc)
        mdoc(command);
    else
        cli_usage(command);
    return CLI_YES;
}

static const cli_option *const tables[] = {help_options, cli_common_options,
                                           NULL};

const cli_command cli_help = {
    .name = "help",
    .run = run,
    .size = sizeof(help_args),
    .options = tables,
    .operands = "[COMMAND]",
    .completes = CLI_NAMES,
    .summary = "Print the help of lplan or of one command",
};
