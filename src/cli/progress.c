/* progress.c: a bar on the terminal, and the interrupt that ends a run
 * within the step it is in. */
#include <signal.h>
#include <stdio.h>

#include "cli.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void cli_interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted;
}

bool cli_bar_show(void *context, int64_t done, int64_t all, const char *layer)
{
    cli_bar *bar = context;
    time_t now = time(NULL);

    if (bar->shows && (now != bar->last || done == all)) {
        int filled = all > 0 ? (int)(done * 30 / all) : 0;

        filled = filled > 30 ? 30 : filled;
        fprintf(stderr, "\r\033[K[%.*s%*s] %lld/%lld %.40s", filled,
                "##############################", 30 - filled, "",
                (long long)done, (long long)all, cli_escape(layer));
        if (done >= all)
            fputs("\r\033[K", stderr);
        fflush(stderr);
        bar->last = now;
    }
    return !interrupted;
}
