/* cases.c: "lplan run --case" and "--cases": a line each, and a summary. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct tally {
    int64_t counts[3]; /* by lp_verdict */
    char *table;
    size_t length, room;
} tally;

static const char *const verdicts[] = {"PASS", "FAIL", "SKIP"};

/* Append a line to the table. */
static void note(tally *t, const char *line)
{
    size_t length = strlen(line);

    if (t->length + length >= t->room) {
        char *wider;

        t->room = 2 * (t->room + length) + 256;
        wider = cli_alloc(t->room);
        if (t->length)
            memcpy(wider, t->table, t->length);
        t->table = wider;
    }
    memcpy(t->table + t->length, line, length);
    t->length += length;
}

/* The last part of "path". */
static const char *name_of(const char *path)
{
    size_t end = strlen(path), start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    return cli_format("%.*s", (int)(end - start), path + start);
}

static cli_exit run_case(const char *path, const lp_run_options *wanted,
                         const lp_tolerance *tolerance, tally *t)
{
    const char *name = name_of(path);
    lp_error error = {0};
    lp_verdict verdict;
    char *reason;

    if (lp_case_run(path, wanted, tolerance, &verdict, &reason, &error) !=
        LP_OK)
        return error.status == LP_EINFEASIBLE
                   ? cli_fail(CLI_SYSTEM, "run", "interrupted")
                   : cli_fail_with(&error, CLI_INPUT);
    cli_print("%s %s%s%s\n", verdicts[verdict], cli_escape(name),
              *reason ? " " : "", cli_escape(reason));
    note(t, cli_format("%s\t%s\t%s\n", verdicts[verdict], cli_escape(name),
                       cli_escape(reason)));
    t->counts[verdict]++;
    lp_text_free(reason);
    return CLI_YES;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static cli_exit run_folder(const char *root, const lp_run_options *wanted,
                           const lp_tolerance *tolerance, tally *t)
{
    struct dirent **entries;
    int count = scandir(root, &entries, is_visible, by_name), i;
    cli_exit code = CLI_YES;

    if (count < 0)
        return cli_fail(CLI_INPUT, root, "%s", strerror(errno));
    for (i = 0; i < count; i++) {
        const char *path = cli_format("%s/%s", root, entries[i]->d_name);

        if (code == CLI_YES &&
            access(cli_format("%s/model.onnx", path), F_OK) == 0)
            code = run_case(path, wanted, tolerance, t);
        free(entries[i]);
    }
    free(entries);
    return code;
}

cli_exit cli_cases_run(const char *path, bool is_root, const char *tsv,
                       const lp_run_options *wanted,
                       const lp_tolerance *tolerance)
{
    tally t = {.table = NULL};
    cli_exit code;

    if (!is_root && access(path, F_OK) != 0)
        return cli_fail(CLI_INPUT, path, "%s", strerror(errno));
    note(&t, "verdict\tcase\treason\n");
    code = is_root ? run_folder(path, wanted, tolerance, &t)
                   : run_case(path, wanted, tolerance, &t);
    if (code != CLI_YES)
        return code;
    cli_print("%lld passed, %lld failed, %lld skipped\n",
              (long long)t.counts[LP_PASS], (long long)t.counts[LP_FAIL],
              (long long)t.counts[LP_SKIP]);
    if (tsv)
        code = cli_write(tsv, t.table, t.length);
    return code == CLI_YES && t.counts[LP_FAIL] ? CLI_NO : code;
}
