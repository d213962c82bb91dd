/* completion.c: the completion script of bash, printed from the tables.
 *
 * The script has one case per option that takes an argument and one list of
 * options per command; charts are asked of lplan itself, so that a new chart
 * is completed too. */
#include <string.h>

#include "cli.h"

static const char opening[] =
    "# bash completion for lplan, made by: lplan completion bash\n"
    "_lplan_files()\n"
    "{\n"
    "    compopt -o filenames\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
    "}\n"
    "\n"
    "_lplan_words()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$1\")\n"
    "}\n"
    "\n"
    "_lplan()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]}\n"
    "    local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command=${COMP_WORDS[1]}\n"
    "\n"
    "    COMPREPLY=()\n"
    "    if [ \"$current\" = = ]; then\n"
    "        current=\n"
    "    elif [ \"$previous\" = = ]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n";

static const char closing[] = "}\n"
                              "complete -F _lplan lplan\n";

/* "a b c" */
static void print_words(const char *const *words)
{
    for (; *words; words++)
        cli_print("%s%s", *words, words[1] ? " " : "");
}

/* One case: what may follow an option that takes an argument. */
static void print_argument(const cli_command *command, const cli_option *row)
{
    if (row->letter)
        cli_print("    %s,-%c | ", command->name, row->letter);
    else
        cli_print("    ");
    cli_print("%s,--%s)\n", command->name, row->name);
    if (row->kind == CLI_WORD) {
        cli_print("        _lplan_words \"$current\" '");
        print_words(row->words);
        cli_print("'\n");
    } else if (row->kind == CLI_PATH) {
        cli_print("        _lplan_files \"$current\"\n");
    } else {
        cli_print("        :\n");
    }
    cli_print("        return ;;\n");
}

static void print_names(void)
{
    const cli_command *const *command;

    for (command = cli_commands; *command; command++)
        cli_print("%s%s", (*command)->name, command[1] ? " " : "");
}

/* What an operand of "command" may be. */
static void print_operand(const cli_command *command)
{
    cli_print("    %s,*) ", command->name);
    switch (command->completes) {
    case CLI_NOTHING:
        cli_print(": ;;\n");
        break;
    case CLI_FILES:
        cli_print("_lplan_files \"$current\" ;;\n");
        break;
    case CLI_CHARTS:
        cli_print("\n        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                  "            _lplan_words \"$current\" \\\n"
                  "                \"$(lplan plot --list 2>/dev/null |"
                  " cut -d ' ' -f 1)\"\n"
                  "        else\n"
                  "            _lplan_files \"$current\"\n"
                  "        fi ;;\n");
        break;
    case CLI_NAMES:
        cli_print("_lplan_words \"$current\" '");
        print_names();
        cli_print("' ;;\n");
        break;
    case CLI_SHELLS:
        cli_print("_lplan_words \"$current\" bash ;;\n");
        break;
    }
}

/* All options of "command". */
static void print_options(const cli_command *command)
{
    const cli_option *const *table;
    const cli_option *row;

    cli_print("    %s,-*)\n        _lplan_words \"$current\" '", command->name);
    for (table = command->options; *table; table++) {
        for (row = *table; row->name; row++) {
            if (row->letter)
                cli_print("-%c ", row->letter);
            cli_print("--%s ", row->name);
        }
    }
    cli_print("' ;;\n");
}

static void print_script(void)
{
    const cli_command *const *command;
    const cli_option *const *table;
    const cli_option *row;

    cli_print("%s    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
              "        _lplan_words \"$current\" '",
              opening);
    print_names();
    cli_print(" --help --version'\n        return\n    fi\n"
              "    case $command,$previous in\n");
    for (command = cli_commands; *command; command++)
        for (table = (*command)->options; *table; table++)
            for (row = *table; row->name; row++)
                if (row->argument)
                    print_argument(*command, row);
    cli_print("    esac\n    case $command,$current in\n");
    for (command = cli_commands; *command; command++) {
        print_options(*command);
        print_operand(*command);
    }
    cli_print("    esac\n%s", closing);
}

static cli_exit run(const void *args, const cli_list *operands)
{
    (void)args;
    if (operands->count != 1 || strcmp(operands->items[0], "bash") != 0)
        return cli_fail(CLI_USAGE, "completion",
                        "name the shell: lplan completion bash");
    print_script();
    return CLI_YES;
}

static const cli_option *const tables[] = {cli_common_options, NULL};

const cli_command cli_completion = {
    .name = "completion",
    .run = run,
    .size = 1,
    .options = tables,
    .operands = "bash",
    .completes = CLI_SHELLS,
    .summary = "Print the completion script of a shell",
};
