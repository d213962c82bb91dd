/* chart.c: from tables and a script to a picture.
 *
 * A chart is a script NAME.gp in $LPLAN_PLOTS or in the installed folder.
 * Its first comment line says what it shows; a line "# columns: a b c" names
 * the columns it reads, which are looked for here, so that a table without
 * them gives a message and no half-drawn picture.  Names reach gnuplot as
 * data or as arguments only, never as commands. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define SUFFIX ".gp"

enum { SCRIPT_BYTES = 1 << 20 };

/* Kinds of pictures; "tail" ends every whole file of the kind. */
static const struct kind {
    const char *suffix, *terminal, *tail;
} kinds[] = {
    {".svg", "svg", "</svg>"},
    {".png", "pngcairo", "IEND"},
    {".pdf", "pdfcairo", "%%EOF"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const struct kind *kind_of(const char *output)
{
    size_t length = strlen(output), i;

    for (i = 0; i < KINDS; i++) {
        size_t suffix = strlen(kinds[i].suffix);

        if (length > suffix &&
            !strcmp(output + length - suffix, kinds[i].suffix))
            return &kinds[i];
    }
    return NULL;
}

cli_exit cli_chart_check(const char *output)
{
    if (kind_of(output))
        return CLI_YES;
    return cli_fail(CLI_USAGE, NULL, "'%s' does not end in .svg, .png or .pdf",
                    output);
}

/* Where scripts are looked for, best first; ended by NULL. */
static const char *const *folders(void)
{
    static const char *all[3];
    const char *own = getenv("LPLAN_PLOTS");
    size_t n = 0;

    if (own && *own)
        all[n++] = own;
    all[n++] = LPI_PLOTDIR;
    all[n] = NULL;
    return all;
}

/* A name of a chart is letters, digits, '-' and '_'. */
static bool is_name(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' &&
            name[i] != '_')
            return false;
    return length > 0;
}

/* The absolute path of the script of chart "name", or NULL. */
static const char *script_path(const char *name)
{
    const char *const *folder;

    for (folder = folders(); *folder && is_name(name, strlen(name)); folder++) {
        char *real = realpath(cli_format("%s/%s" SUFFIX, *folder, name), NULL);
        const char *path = real ? cli_format("%s", real) : NULL;

        free(real);
        if (path && access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

static cli_exit no_chart(const char *name)
{
    return cli_fail(CLI_USAGE, "plot",
                    "no chart is called '%s'; see 'lplan plot --list'", name);
}

/* What follows "# KEY:" in "script" ("key" NULL: its first comment), as a
 * copy without the blanks in front, or NULL. */
static const char *directive(const char *script, const char *key)
{
    const char *mark = key ? cli_format("# %s:", key) : "#";
    const char *line = script;
    size_t length;

    while (strncmp(line, mark, strlen(mark)) != 0 || !strncmp(line, "#!", 2)) {
        line = strchr(line, '\n');
        if (!line)
            return NULL;
        line++;
    }
    line += strlen(mark);
    line += strspn(line, " \t");
    length = strcspn(line, "\n");
    return cli_format("%.*s", (int)length, line);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Append the names of the charts in "folder" to "names". */
static void find_charts(const char *folder, cli_list *names)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;

    while (stream && (entry = readdir(stream)) != NULL) {
        size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);

        if (length > suffix &&
            !strcmp(entry->d_name + length - suffix, SUFFIX) &&
            is_name(entry->d_name, length - suffix))
            cli_push(names,
                     cli_format("%.*s", (int)(length - suffix), entry->d_name));
    }
    if (stream)
        closedir(stream);
}

cli_exit cli_chart_list(void)
{
    const char *const *folder, *path, *summary;
    cli_list names = {0};
    size_t i, length;
    char *script;

    for (folder = folders(); *folder; folder++)
        find_charts(*folder, &names);
    if (names.count)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    for (i = 0; i < names.count; i++) {
        path = script_path(names.items[i]);
        if ((i && !strcmp(names.items[i - 1], names.items[i])) || !path ||
            cli_slurp(path, SCRIPT_BYTES, &script, &length) != CLI_YES)
            continue;
        summary = directive(script, NULL);
        cli_print("%-10s %s\n", names.items[i], summary ? summary : "");
        free(script);
    }
    return CLI_YES;
}

/* "table" as gnuplot may read it: lines that are not empty, broken UTF-8 and
 * control characters as '?', a double quote as a single one. */
static const char *clean(const char *table)
{
    size_t length = strlen(table), at = 0, n = 0;
    char *copy = cli_alloc(length + 2);

    while (at < length) {
        char here = table[at];
        size_t step = cli_printable(table + at);

        if (here == '\n' && (n == 0 || copy[n - 1] == '\n'))
            at++;
        else if (here == '\r' && table[at + 1] == '\n')
            at++;
        else if (here == '\n' || here == '\t' || here == '"' || !step) {
            copy[n++] = here == '\n' || here == '\t' ? here
                        : here == '"'                ? '\''
                                                     : '?';
            at++;
        } else {
            memcpy(copy + n, table + at, step);
            n += step;
            at += step;
        }
    }
    return copy;
}

/* Refuse "table" (named "source") unless it has the columns that the
 * directive "key" of "script" names, and a row. */
static cli_exit check_columns(const char *table, const char *source,
                              const char *script, const char *key)
{
    const char *wanted = directive(script, key), *rest = table, *column;
    const char *header = cli_part(&rest, '\n'), *cell;

    while (wanted && (column = cli_part(&wanted, ' ')) != NULL) {
        const char *left = header;
        bool found = !*column;

        while (!found && (cell = cli_part(&left, '\t')) != NULL)
            found = !strcmp(cell, column);
        if (!found)
            return cli_fail(CLI_INPUT, source,
                            "has no column '%s', which the chart draws",
                            column);
    }
    return CLI_YES;
}

/* True when "table" has a row below its header. */
static bool has_rows(const char *table)
{
    const char *line = strchr(table, '\n');

    return line && line[1];
}

/* The last part of "path". */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* Write the "length" bytes of a picture, unless they are cut off. */
static cli_exit keep(const cli_chart *chart, const char *bytes, size_t length)
{
    const struct kind *kind = kind_of(chart->output);
    size_t tail = strlen(kind->tail), back;

    for (back = tail; back <= tail + 8 && back <= length; back++)
        if (!memcmp(bytes + length - back, kind->tail, tail))
            return cli_write(chart->output, bytes, length);
    return cli_fail(CLI_SYSTEM, chart->output,
                    "gnuplot has not drawn the whole picture");
}

cli_exit cli_chart_data(const char *name, cli_data *ret_data)
{
    static const char *const names[] = {[CLI_LAYERS] = "layers",
                                        [CLI_BUDGETS] = "budgets",
                                        [CLI_ARENA] = "arena"};
    const char *path = script_path(name), *said;
    char *script = NULL;
    size_t length, i;
    cli_exit code;

    *ret_data = CLI_LAYERS;
    if (!path)
        return no_chart(name);
    code = cli_slurp(path, SCRIPT_BYTES, &script, &length);
    said = code == CLI_YES ? directive(script, "data") : NULL;
    free(script);
    for (i = 0; said && i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(said, names[i])) {
            *ret_data = (cli_data)i;
            return CLI_YES;
        }
    return said ? cli_fail(CLI_INPUT, path,
                           "draws '%s', which is none of "
                           "layers, budgets, arena",
                           said)
                : code;
}

cli_exit cli_chart_draw(const cli_chart *chart)
{
    const char *path = script_path(chart->name), *const *own = folders();
    const char *title = chart->title ? chart->title : base_name(chart->source);
    cli_gnuplot job = {.script = path};
    char *script, *bytes;
    size_t length;
    cli_exit code;

    if (!path)
        return no_chart(chart->name);
    code = cli_slurp(path, SCRIPT_BYTES, &script, &length);
    if (code != CLI_YES)
        return code;
    job.layers = clean(chart->layers);
    job.skips = chart->skips ? clean(chart->skips) : NULL;
    code = check_columns(job.layers, chart->source, script, "columns");
    if (code == CLI_YES && job.skips)
        code = check_columns(job.skips, chart->source, script, "skips");
    free(script);
    if (code == CLI_YES && !has_rows(job.layers))
        code = cli_fail(CLI_INPUT, chart->source, "has nothing to draw");
    if (code != CLI_YES)
        return code;
    if (job.skips && !has_rows(job.skips))
        job.skips = NULL;
    job.folders = own[1] ? cli_format("%s:%s", own[0], own[1]) : own[0];
    job.terminal = kind_of(chart->output)->terminal;
    job.title = cli_escape(title);
    code = cli_gnuplot_run(&job, &bytes, &length);
    if (code != CLI_YES)
        return code;
    code = keep(chart, bytes, length);
    free(bytes);
    return code;
}

cli_exit cli_chart_report(const char *name, const lp_report *report,
                          const char *title, const char *output)
{
    lp_view view = {.format = LP_FORMAT_TSV, .table = LP_TABLE_LAYERS};
    cli_chart chart = {
        .name = name,
        .title = title,
        .source = report->model,
        .output = output,
    };
    char *layers = NULL, *skips = NULL;
    lp_error error = {0};
    lp_status status;
    cli_exit code;

    status = lp_report_write(report, &view, &layers, NULL, &error);
    view.table = LP_TABLE_SKIPS;
    if (status == LP_OK)
        status = lp_report_write(report, &view, &skips, NULL, &error);
    chart.layers = layers;
    chart.skips = skips;
    code = status == LP_OK ? cli_chart_draw(&chart)
                           : cli_fail_with(&error, CLI_INPUT);
    lp_text_free(layers);
    lp_text_free(skips);
    return code;
}
