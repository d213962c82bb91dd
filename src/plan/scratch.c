/* scratch.c: memory and errors for planners, who see no arena. */
#include <stdarg.h>

#include "plan.h"

void *lp_scratch_array(lp_scratch *scratch, int64_t count, size_t size)
{
    return lpi_arena_array(scratch, count, size);
}

lp_status lp_fail(lp_error *error, lp_status status, const char *format, ...)
{
    char message[sizeof(error->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return lpi_fail(error, status, NULL, "%s", message);
}
