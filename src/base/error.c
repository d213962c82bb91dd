/* error.c: filling an lp_error, and stopping at a bug. */
#include <stdlib.h>
#include <string.h>

#include "base.h"

const char *lp_version(void)
{
    return LPI_VERSION;
}

lp_status lpi_fail(lp_error *error, lp_status status, const char *where,
                   const char *format, ...)
{
    va_list arguments;

    if (!error)
        return status;
    error->status = status;
    snprintf(error->where, sizeof(error->where), "%s", where ? where : "");
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return status;
}

lp_status lpi_fail_memory(lp_error *error)
{
    return lpi_fail(error, LP_ENOMEM, NULL,
                    "out of memory, or over the memory limit");
}

lp_status lpi_fail_within(lp_error *error, lp_status status, const char *where)
{
    char old[sizeof(error->where)];

    if (!error || error->status != status)
        return status;
    memcpy(old, error->where, sizeof(old));
    snprintf(error->where, sizeof(error->where), "%.250s%s%.250s", where,
             old[0] ? ": " : "", old);
    return status;
}

void lpi_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "lplan: bug at %s:%d: %s does not hold\n", file, line,
            expression);
    abort();
}
