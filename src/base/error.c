/* error.c: filling an lp_error, and stopping at a bug. */
#include <stdlib.h>
#include <string.h>

#include "base.h"

const char *lp_version(void)
{
    return LPI_VERSION;
}

/* Copy "from" to the "size" bytes at "to" as one line: names in files may hold
 * control characters, which become \n, \t and \xHH. */
static void put_line(char *to, size_t size, const char *from)
{
    const char *end = to + size;

    for (; *from && end - to > 4; from++) {
        unsigned char c = (unsigned char)*from;

        if (c >= 0x20 && c != 0x7f)
            *to++ = *from;
        else if (c == '\n' || c == '\t')
            to += snprintf(to, 3, "\\%c", c == '\n' ? 'n' : 't');
        else
            to += snprintf(to, 5, "\\x%02x", c);
    }
    *to = '\0';
}

lp_status lpi_fail(lp_error *error, lp_status status, const char *where,
                   const char *format, ...)
{
    char message[sizeof(error->message)];
    va_list arguments;

    if (!error)
        return status;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    error->status = status;
    put_line(error->where, sizeof(error->where), where ? where : "");
    put_line(error->message, sizeof(error->message), message);
    return status;
}

lp_status lpi_fail_memory(lp_error *error)
{
    return lpi_fail(error, LP_ENOMEM, NULL,
                    "out of memory, or over the memory limit");
}

lp_status lpi_fail_within(lp_error *error, lp_status status, const char *where)
{
    char both[sizeof(error->where)];

    if (!error || error->status != status)
        return status;
    snprintf(both, sizeof(both), "%.250s%s%.250s", where,
             error->where[0] ? ": " : "", error->where);
    put_line(error->where, sizeof(error->where), both);
    return status;
}

void lpi_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "lplan: bug at %s:%d: %s does not hold\n", file, line,
            expression);
    abort();
}
