/* refuse.c: saying why a schedule is refused, by the names of its runs. */
#include <string.h>

#include "sched.h"

lp_layer *const *lpi_unit_layers(const lp_unit *unit, int32_t *ret_count)
{
    *ret_count = unit->group ? unit->group->layers_count : 1;
    return unit->group ? unit->group->layers : &unit->layer;
}

void lpi_unit_name(const lp_schedule *schedule, int64_t unit, lpi_text *text)
{
    const lp_unit *self = &schedule->units[unit];

    lpi_text_put(text, self->group ? self->group->name : self->layer->name);
    if (self->ordinal > 1)
        lpi_text_printf(text, "#%lld", (long long)self->ordinal);
}

/* Copy as much of "text" as fits. */
static void put(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%.*s", (int)size - 1, text ? text : "");
}

lp_status lpi_refuse(lp_refusal *refusal, lp_error *error,
                     const lp_schedule *schedule, int64_t unit,
                     const char *tensor, int64_t bytes, lp_line line,
                     const char *format, ...)
{
    char why[640], where[400];
    lpi_text name = {0};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    if (unit >= 0 && unit < schedule->units_count) {
        lpi_unit_name(schedule, unit, &name);
        if (!line)
            line = schedule->units[unit].line;
    }
    if (refusal) {
        refusal->run = unit;
        refusal->bytes = bytes;
        put(refusal->layer, sizeof(refusal->layer), name.bytes);
        put(refusal->tensor, sizeof(refusal->tensor), tensor);
    }
    if (line)
        snprintf(where, sizeof(where), "%.360s:%d", schedule->name, (int)line);
    else
        put(where, sizeof(where), schedule->name);
    if (name.bytes)
        lpi_fail(error, LP_EINFEASIBLE, where, "run %lld, '%.200s': %s",
                 (long long)unit, name.bytes, why);
    else
        lpi_fail(error, LP_EINFEASIBLE, where, "%s", why);
    lpi_text_drop(&name);
    return LP_EINFEASIBLE;
}
