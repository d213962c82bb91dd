/* gnuplot.c: run gnuplot on a script, without a shell.
 *
 * Data, picture and messages are files in a folder of their own, removed
 * when gnuplot has ended; gnuplot reads no start-up file and its stdin is
 * /dev/null.  As in system(3), an interrupt is left to the child meanwhile,
 * so that the folder is removed in any case. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

enum { PICTURE_BYTES = 1 << 28, MESSAGE_BYTES = 1 << 20 };

/* Files in the folder. */
enum file { LAYERS, SKIPS, PICTURE, MESSAGES, FILES };

typedef struct place {
    char *folder;
    const char *files[FILES];
} place;

extern char **environ;

static void remove_place(const place *here)
{
    int i;

    for (i = 0; i < FILES; i++)
        unlink(here->files[i]);
    rmdir(here->folder);
}

/* Make the folder below $TMPDIR and write the tables of "job". */
static cli_exit make_place(const cli_gnuplot *job, place *here)
{
    static const char *const names[] = {"layers.tsv", "skips.tsv", "picture",
                                        "messages"};
    const char *root = getenv("TMPDIR");
    lp_error error = {0};
    int i;

    here->folder =
        cli_format("%s/lplan-XXXXXX", root && *root == '/' ? root : "/tmp");
    if (!mkdtemp(here->folder))
        return cli_fail(CLI_SYSTEM, here->folder, "%s", strerror(errno));
    for (i = 0; i < FILES; i++)
        here->files[i] = cli_format("%s/%s", here->folder, names[i]);
    if (lp_file_write(here->files[LAYERS], job->layers, strlen(job->layers),
                      &error) != LP_OK ||
        (job->skips && lp_file_write(here->files[SKIPS], job->skips,
                                     strlen(job->skips), &error) != LP_OK)) {
        remove_place(here);
        return cli_fail_with(&error, CLI_SYSTEM);
    }
    return CLI_YES;
}

/* Start gnuplot with signals as a fresh process has them; returns 0 or a
 * number of errno. */
static int start(char *const *argv, const char *messages, pid_t *ret_child)
{
    static const int defaults[] = {SIGPIPE, SIGINT, SIGQUIT};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    size_t i;
    int reason;

    sigemptyset(&set);
    for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        sigaddset(&set, defaults[i]);
    reason = posix_spawn_file_actions_init(&actions);
    if (reason)
        return reason;
    reason = posix_spawnattr_init(&attributes);
    if (!reason) {
        posix_spawnattr_setsigdefault(&attributes, &set);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        reason = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                                  "/dev/null", O_RDONLY, 0);
        if (!reason)
            reason = posix_spawn_file_actions_addopen(
                &actions, STDERR_FILENO, messages, O_WRONLY | O_CREAT, 0600);
        if (!reason)
            reason = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
                                                      STDOUT_FILENO);
        if (!reason)
            reason = posix_spawnp(ret_child, argv[0], &actions, &attributes,
                                  argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return reason;
}

/* Wait for "child" with interrupts ignored; returns its wait status. */
static int await(pid_t child)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    int status = -1;

    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    return status;
}

/* Report the last line that gnuplot has written, if there is one. */
static cli_exit complain(const place *here, int status)
{
    char *text;
    size_t length, start;
    cli_exit code = CLI_SYSTEM;

    if (cli_slurp(here->files[MESSAGES], MESSAGE_BYTES, &text, &length) !=
        CLI_YES)
        return code;
    while (length && strchr("\n \t", text[length - 1]))
        text[--length] = '\0';
    for (start = length; start && text[start - 1] != '\n'; start--)
        ;
    if (WIFSIGNALED(status))
        cli_fail(code, "gnuplot", "%s", strsignal(WTERMSIG(status)));
    else if (length)
        cli_fail(code, "gnuplot", "%s", text + start);
    else
        cli_fail(code, "gnuplot", "has drawn nothing (exit code %d)",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    free(text);
    return code;
}

/* Run gnuplot in "here"; as cli_gnuplot_run. */
static cli_exit draw(const cli_gnuplot *job, const place *here,
                     char **ret_bytes, size_t *ret_length)
{
    const char *argv[] = {
        "gnuplot",
        "-d",
        "-c",
        job->script,
        here->files[LAYERS],
        here->files[PICTURE],
        job->terminal,
        job->title,
        job->skips ? here->files[SKIPS] : "",
        NULL,
    };
    pid_t child;
    int reason = start((char *const *)argv, here->files[MESSAGES], &child);
    int status;

    if (reason == ENOENT)
        return cli_fail(CLI_SYSTEM, NULL,
                        "no chart: gnuplot is not installed (on Debian: "
                        "apt install gnuplot-nox)");
    if (reason)
        return cli_fail(CLI_SYSTEM, "gnuplot", "%s", strerror(reason));
    status = await(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
        access(here->files[PICTURE], R_OK) != 0)
        return complain(here, status);
    return cli_slurp(here->files[PICTURE], PICTURE_BYTES, ret_bytes,
                     ret_length) == CLI_YES
               ? CLI_YES
               : CLI_SYSTEM;
}

cli_exit cli_gnuplot_run(const cli_gnuplot *job, char **ret_bytes,
                         size_t *ret_length)
{
    cli_exit code;
    place here;

    if (setenv("GNUPLOT_LIB", job->folders, 1) != 0)
        return cli_fail(CLI_SYSTEM, NULL, "%s", strerror(errno));
    code = make_place(job, &here);
    if (code != CLI_YES)
        return code;
    code = draw(job, &here, ret_bytes, ret_length);
    remove_place(&here);
    return code;
}
