/* remat_report.c: sequences of runs within a budget, as JSON and text. */
#include "io.h"

#define FIGURE(member)                                                         \
    {                                                                          \
        .name = #member, .offset = offsetof(lp_remat_answer, member)           \
    }

static const lpi_figure figures[] = {
    FIGURE(nodes),       FIGURE(runs),       FIGURE(given_peak_bytes),
    FIGURE(floor_bytes), FIGURE(floor_node), FIGURE(budget_bytes),
    FIGURE(peak_bytes),  FIGURE(base_time),  FIGURE(time),
    FIGURE(bound_time),  FIGURE(work),
};

/* How much "time" is above the time of "answer" with each node once, in
 * percent. */
static double percent(const lp_remat_answer *answer, int64_t time)
{
    return answer->base_time > 0 ? 100.0 * (double)(time - answer->base_time) /
                                       (double)answer->base_time
                                 : 0;
}

static const char *proved(const lp_remat_answer *answer)
{
    if (!answer->fits)
        return answer->floor_bytes > answer->budget_bytes ? "infeasible"
                                                          : "not found";
    return answer->time == answer->bound_time ? "optimal" : "open";
}

static void put_json(lpi_text *text, const lp_remat_answer *answer)
{
    lpi_text_printf(text, "{\"fits\": %s", answer->fits ? "true" : "false");
    lpi_figures_json(text, figures, LPI_COUNT(figures), answer);
    lpi_text_put(text, ", \"extra_percent\": ");
    lpi_put_real(text, answer->fits ? percent(answer, answer->time) : 0);
    lpi_text_put(text, ", \"bound_percent\": ");
    lpi_put_real(text, percent(answer, answer->bound_time));
    lpi_text_printf(
        text, ", \"state\": \"%s\", \"proof\": \"%s\", \"reproducible\": %s}\n",
        proved(answer), answer->proof, answer->reproducible ? "true" : "false");
}

void lpi_remat_answer_put(lpi_text *text, const lp_remat_answer *answer,
                          bool as_json)
{
    if (as_json) {
        put_json(text, answer);
        return;
    }
    lpi_figures_text(text, figures, LPI_COUNT(figures), answer);
    lpi_text_printf(text, "%-16s ", "extra_percent");
    lpi_put_fixed(text, answer->fits ? percent(answer, answer->time) : 0, 3);
    lpi_text_printf(text, "\n%-16s ", "bound_percent");
    lpi_put_fixed(text, percent(answer, answer->bound_time), 3);
    lpi_text_printf(text, "\n%-16s %s (%s)%s\n", "state", proved(answer),
                    answer->proof,
                    answer->reproducible ? "" : ", not reproducible");
}

void lpi_remat_sequence_put(lpi_text *text, const lp_remat_problem *problem)
{
    const lp_remat_answer *answer = &problem->answer;
    int64_t i;
    bool first = true;

    lpi_text_put(text, "{\"sequence\": [");
    for (i = 0; i < problem->events_count; i++) {
        if (problem->events[i].kind != LP_EVENT_RUN)
            continue;
        lpi_text_put(text, first ? "" : ", ");
        lpi_put_int(text, problem->ids[problem->events[i].of]);
        first = false;
    }
    lpi_text_printf(text, "],\n \"peak\": %lld, \"time\": %lld, ",
                    (long long)answer->peak_bytes, (long long)answer->time);
    lpi_text_put(text, "\"extra_percent\": ");
    lpi_put_real(text, percent(answer, answer->time));
    lpi_text_printf(text, ", \"bound\": %lld}\n",
                    (long long)answer->bound_time);
}
