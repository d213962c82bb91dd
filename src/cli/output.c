/* output.c: what the process prints, writes and allocates.
 *
 * Data go to stdout, talk to stderr.  Every write is checked, and stdout is
 * flushed and closed before the exit code is chosen, so a full disk or a
 * closed pipe is never taken for success.  Memory hangs on one list and is
 * freed at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

typedef struct block {
    struct block *next;
    max_align_t bytes[];
} block;

static block *blocks;
static int stdout_errno; /* the first failure of a write to stdout */

size_t cli_printable(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length, i;

    if (at[0] < 0x80)
        return at[0] >= 0x20 && at[0] != 0x7f;
    length = at[0] >= 0xf5   ? 0
             : at[0] >= 0xf0 ? 4
             : at[0] >= 0xe0 ? 3
             : at[0] >= 0xc2 ? 2
                             : 0;
    for (i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return at[0] == 0xc2 && at[1] < 0xa0 ? 0 : length;
}

const char *cli_escape(const char *text)
{
    char *copy = cli_alloc(4 * strlen(text) + 1), *to = copy;

    while (*text) {
        size_t length = cli_printable(text);

        if (length)
            memcpy(to, text, length);
        else
            snprintf(to, 5,
                     *text == '\n'   ? "\\n"
                     : *text == '\t' ? "\\t"
                                     : "\\x%02x",
                     (unsigned char)*text);
        to += length ? length : strlen(to);
        text += length ? length : 1;
    }
    return copy;
}

/* Remember why a write to stdout has failed, when it "failed" first. */
static void note_stdout(bool failed)
{
    if (failed && !stdout_errno)
        stdout_errno = errno ? errno : EIO;
}

cli_exit cli_fail(cli_exit code, const char *where, const char *format, ...)
{
    char message[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    errno = 0;
    note_stdout(fflush(stdout) != 0);
    if (where && *where)
        fprintf(stderr, "lplan: %s: %s\n", cli_escape(where),
                cli_escape(message));
    else
        fprintf(stderr, "lplan: %s\n", cli_escape(message));
    return code;
}

cli_exit cli_fail_with(const lp_error *error, cli_exit blame)
{
    static const cli_exit codes[] = {
        [LP_EUNSUPPORTED] = CLI_INPUT,
        [LP_EINFEASIBLE] = CLI_NO,
        [LP_EINVALID] = CLI_USAGE,
        [LP_ENOMEM] = CLI_SYSTEM,
    };
    bool blamed = error->status == LP_EINPUT || error->status == LP_EIO;

    return cli_fail(blamed ? blame : codes[error->status], error->where, "%s",
                    error->message);
}

/* Write into "descriptor" and close it; false with errno on failure. */
static bool write_close(int descriptor, const char *text, size_t length)
{
    int reason = 0;

    while (length && !reason) {
        ssize_t put = write(descriptor, text, length);

        if (put >= 0) {
            text += put;
            length -= (size_t)put;
        } else if (errno != EINTR) {
            reason = errno;
        }
    }
    if (close(descriptor) != 0 && !reason)
        reason = errno;
    errno = reason;
    return !reason;
}

/* A link is followed, so that it stays one. */
static cli_exit write_file(const char *path, const char *text, size_t length)
{
    struct stat status;
    lp_error error = {0};
    lp_status result;
    char *real;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        if (descriptor < 0 || !write_close(descriptor, text, length))
            return cli_fail(CLI_SYSTEM, path, "%s", strerror(errno));
        return CLI_YES;
    }
    real = realpath(path, NULL);
    result = lp_file_write(real ? real : path, text, length, &error);
    free(real);
    return result == LP_OK ? CLI_YES : cli_fail_with(&error, CLI_SYSTEM);
}

cli_exit cli_write(const char *path, const char *text, size_t length)
{
    if (path && strcmp(path, "-") != 0)
        return write_file(path, text, length);
    errno = 0;
    note_stdout(fwrite(text, 1, length, stdout) != length ||
                fflush(stdout) != 0);
    return CLI_YES;
}

void cli_print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    errno = 0;
    note_stdout(vprintf(format, arguments) < 0);
    va_end(arguments);
}

cli_exit cli_finish(void)
{
    errno = 0;
    note_stdout(fclose(stdout) != 0);
    if (stdout_errno)
        return cli_fail(CLI_SYSTEM, "standard output", "%s",
                        strerror(stdout_errno));
    return CLI_YES;
}

void *cli_alloc(size_t size)
{
    block *fresh = NULL;

    if (size < SIZE_MAX - sizeof(*fresh))
        fresh = calloc(1, sizeof(*fresh) + size);
    if (!fresh) {
        fputs("lplan: out of memory\n", stderr);
        _exit(CLI_SYSTEM);
    }
    fresh->next = blocks;
    blocks = fresh;
    return fresh->bytes;
}

char *cli_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = cli_alloc(length < 0 ? 1 : (size_t)length + 1);
    va_start(arguments, format);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void cli_free_all(void)
{
    while (blocks) {
        block *next = blocks->next;

        free(blocks);
        blocks = next;
    }
}

void cli_view_terminal(lp_view *view, const char *output)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    struct winsize size;

    if ((output && strcmp(output, "-") != 0) || !isatty(STDOUT_FILENO))
        return;
    view->colour = !(no_color && *no_color) && term && strcmp(term, "dumb");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        view->width = size.ws_col;
}
