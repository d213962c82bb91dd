/* main.c: find the command, parse its line, run it, check stdout.
 *
 * The table is the only list of commands: a new one is its row and its file.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &cli_analyze, &cli_plot, &cli_diff,       &cli_dump, &cli_schedule,
    &cli_check,   &cli_run,  &cli_fill,       &cli_plan, &cli_solve,
    &cli_listing, &cli_help, &cli_completion, NULL,
};

const cli_command *cli_command_find(const char *name)
{
    const cli_command *const *command;

    for (command = cli_commands; *command; command++)
        if (!strcmp((*command)->name, name))
            return *command;
    return NULL;
}

/* Occupy closed standard descriptors, so that no file of ours becomes
 * stdout; what is opened this way refuses to be written. */
static void hold_descriptors(void)
{
    int descriptor;

    for (descriptor = 0; descriptor < 3; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", O_RDONLY) != descriptor)
            _exit(CLI_SYSTEM);
}

/* Begin anew with threads that sleep while they wait, when some are asked for
 * and the user does not say how they wait: on a busy machine threads that spin
 * take several times the CPU time.  OpenMP reads its environment before main;
 * where a program cannot be begun anew, threads spin. */
static void calm_threads(char **argv)
{
    bool wants = false;

    for (char **at = argv; *at; at++)
        wants = wants || !strncmp(*at, "--threads", strlen("--threads"));
    if (wants && !getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT") &&
        setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
        (void)execv("/proc/self/exe", argv);
}

/* Run the command line "argv" from its first word on. */
static cli_exit dispatch(char **argv)
{
    const cli_command *command;
    cli_list operands = {0};
    bool stop = false;
    cli_exit code;
    void *args;

    if (!*argv)
        return cli_fail(CLI_USAGE, NULL,
                        "a command is missing; see 'lplan help'");
    if (!strcmp(*argv, "--version")) {
        cli_print("lplan %s\n", lp_version());
        return CLI_YES;
    }
    if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h")) {
        cli_usage(NULL);
        return CLI_YES;
    }
    command = cli_command_find(*argv);
    if (!command)
        return cli_fail(CLI_USAGE, NULL,
                        "no command is called '%s'; see 'lplan help'", *argv);
    args = cli_alloc(command->size);
    code = cli_parse(command, argv + 1, args, &operands, &stop);
    if (code != CLI_YES || stop)
        return code;
    return command->run(args, &operands);
}

int main(int argc, char **argv)
{
    cli_exit code, finish;

    calm_threads(argv);
    hold_descriptors();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    code = dispatch(argv + (argc > 0));
    finish = cli_finish();
    cli_free_all();
    return finish != CLI_YES ? finish : code;
}
