/* place_report.c: what a placement takes, as text and as JSON. */
#include "io.h"

#define FIGURE(member)                                                         \
    .name = #member, .offset = offsetof(lp_place_answer, member)

static const lpi_figure figures[] = {
    {FIGURE(buffers)},      {FIGURE(capacity_bytes), .optional = true},
    {FIGURE(height_bytes)}, {FIGURE(bound_bytes)},
    {FIGURE(work)},
};

/* How many times the bound "answer" is. */
static double ratio(const lp_place_answer *answer)
{
    return answer->bound_bytes > 0
               ? (double)answer->height_bytes / (double)answer->bound_bytes
               : 1;
}

static bool is_proved(const lp_place_answer *answer)
{
    return answer->height_bytes == answer->bound_bytes;
}

static void put_json(lpi_text *text, const lp_place_answer *answer)
{
    int64_t i;

    lpi_text_printf(text, "{\"fits\": %s", answer->fits ? "true" : "false");
    lpi_figures_json(text, figures, LPI_COUNT(figures), answer);
    lpi_text_printf(text, ", \"ratio\": ");
    lpi_put_real(text, ratio(answer));
    lpi_text_printf(text,
                    ", \"proved\": %s, \"proof\": \"%s\", \"rule\": "
                    "\"%s\", \"core\": [",
                    is_proved(answer) ? "true" : "false", answer->proof,
                    answer->rule);
    for (i = 0; i < answer->core_count; i++) {
        lpi_text_put(text, i ? ", " : "");
        lpi_json_string(text, answer->core[i]);
    }
    lpi_text_put(text, "]}\n");
}

void lpi_place_answer_put(lpi_text *text, const lp_place_answer *answer,
                          bool as_json)
{
    if (as_json) {
        put_json(text, answer);
        return;
    }
    lpi_figures_text(text, figures, LPI_COUNT(figures), answer);
    lpi_text_printf(text, "%-16s %.2f x the bound, %s (%s)\n", "height",
                    ratio(answer), is_proved(answer) ? "proved" : "open",
                    answer->proof);
    lpi_text_printf(text, "%-16s %s\n", "rule", answer->rule);
}
