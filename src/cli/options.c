/* options.c: parse a command line by its tables.
 *
 * Long options take "--name VALUE" or "--name=VALUE", short ones "-o VALUE"
 * or "-oVALUE"; options and operands may be mixed; "--" ends the options and
 * "-" is an operand.  Every value is checked here, so a command starts only
 * when its whole line is well formed. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

const cli_option cli_common_options[] = {
    {.name = "help",
     .letter = 'h',
     .kind = CLI_HELP,
     .help = "Print this help and exit."},
    {.name = NULL},
};

/* Room doubles whenever the count is a power of two from 8 on. */
void cli_push(cli_list *list, const char *item)
{
    size_t count = list->count;

    if (!count || (count >= 8 && !(count & (count - 1)))) {
        const char **items =
            cli_alloc((count ? 2 * count : 8) * sizeof(*items));

        if (count)
            memcpy(items, list->items, count * sizeof(*items));
        list->items = items;
    }
    list->items[list->count++] = item;
}

/* The row of "command" with the long name "name" of "length" bytes, or with
 * "letter" when "name" is NULL. */
static const cli_option *find(const cli_command *command, const char *name,
                              size_t length, char letter)
{
    const cli_option *const *table;
    const cli_option *row;

    for (table = command->options; *table; table++)
        for (row = *table; row->name; row++)
            if (name ? strlen(row->name) == length &&
                           !memcmp(row->name, name, length)
                     : row->letter && row->letter == letter)
                return row;
    return NULL;
}

/* "a, b, c" */
static const char *join(const char *const *words)
{
    const char *all = *words;

    while (all && *++words)
        all = cli_format("%s, %s", all, *words);
    return all ? all : "";
}

static cli_exit store_word(const cli_command *command, const cli_option *row,
                           const char *value, int32_t *target)
{
    int32_t i;

    for (i = 0; row->words[i]; i++) {
        if (!strcmp(row->words[i], value)) {
            *target = i;
            return CLI_YES;
        }
    }
    return cli_fail(CLI_USAGE, command->name, "--%s '%s' is none of %s",
                    row->name, value, join(row->words));
}

/* Store "value" (NULL for a flag) as "row" says. */
static cli_exit store(const cli_command *command, const cli_option *row,
                      const char *value, void *args)
{
    char *target = (char *)args + row->offset;

    switch (row->kind) {
    case CLI_HELP:
        break;
    case CLI_FLAG:
        *(bool *)target = true;
        break;
    case CLI_TEXT:
    case CLI_PATH:
        if (row->kind == CLI_PATH && !*value)
            return cli_fail(CLI_USAGE, command->name,
                            "--%s: the name of the file is empty", row->name);
        *(const char **)target = value;
        break;
    case CLI_COUNT:
        if (!lp_parse_count(value, (int64_t *)target) ||
            *(int64_t *)target <= 0)
            return cli_fail(CLI_USAGE, command->name,
                            "--%s '%s' is not a count above zero", row->name,
                            value);
        break;
    case CLI_WORD:
        return store_word(command, row, value, (int32_t *)target);
    case CLI_DTYPE:
        *(lp_dtype *)target = lp_dtype_from_name(value);
        if (lp_dtype_bits(*(lp_dtype *)target) == 0)
            return cli_fail(CLI_USAGE, command->name,
                            "--%s '%s' is no number type, such as float16, "
                            "int8 or int4",
                            row->name, value);
        break;
    case CLI_LIST:
        cli_push((cli_list *)target, value);
        break;
    }
    return CLI_YES;
}

/* Parse the option at "*argv", moving it on past an argument. */
static cli_exit option(const cli_command *command, char ***argv, void *args,
                       bool *stop)
{
    const char *word = **argv, *value = NULL;
    bool is_long = word[1] == '-';
    const cli_option *row;

    if (is_long) {
        size_t length = strcspn(word + 2, "=");

        row = find(command, word + 2, length, 0);
        if (word[2 + length])
            value = word + 2 + length + 1;
    } else {
        row = find(command, NULL, 0, word[1]);
        if (word[2])
            value = word + 2;
    }
    if (!row)
        return cli_fail(CLI_USAGE, command->name,
                        "unknown option '%s'; see 'lplan help %s'", word,
                        command->name);
    if (!row->argument && value)
        return cli_fail(CLI_USAGE, command->name,
                        "--%s takes no argument, but '%s' is one", row->name,
                        value);
    if (row->argument && !value && !(value = *++*argv))
        return cli_fail(CLI_USAGE, command->name, "--%s needs its %s",
                        row->name, row->argument);
    if (row->kind == CLI_HELP)
        *stop = true;
    return store(command, row, value, args);
}

cli_exit cli_parse(const cli_command *command, char **argv, void *args,
                   cli_list *operands, bool *ret_stop)
{
    bool stop = false, plain = false;

    for (; *argv && !stop; argv++) {
        if (plain || **argv != '-' || !(*argv)[1]) {
            cli_push(operands, *argv);
        } else if (!strcmp(*argv, "--")) {
            plain = true;
        } else {
            cli_exit code = option(command, &argv, args, &stop);

            if (code != CLI_YES)
                return code;
        }
    }
    if (stop)
        cli_usage(command);
    *ret_stop = stop;
    return CLI_YES;
}
