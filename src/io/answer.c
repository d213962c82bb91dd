/* answer.c: the figures of an answer to a problem, as text and as JSON. */
#include "io.h"

static long long value(const void *answer, const lpi_figure *figure)
{
    return *(const int64_t *)((const char *)answer + figure->offset);
}

void lpi_figures_json(lpi_text *text, const lpi_figure *figures, int64_t count,
                      const void *answer)
{
    for (int64_t i = 0; i < count; i++)
        lpi_text_printf(text, ", \"%s\": %lld", figures[i].name,
                        value(answer, &figures[i]));
}

void lpi_figures_text(lpi_text *text, const lpi_figure *figures, int64_t count,
                      const void *answer)
{
    for (int64_t i = 0; i < count; i++)
        if (!figures[i].optional || value(answer, &figures[i]))
            lpi_text_printf(text, "%-16s %lld\n", figures[i].name,
                            value(answer, &figures[i]));
}
