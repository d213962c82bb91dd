/* plan_write.c: plans and planners as text and JSON. */
#include <string.h>

#include "io.h"

/* What a plan takes, in the order that it is printed. */
static const struct {
    const char *name;
    size_t offset;
} figures[] = {
    {"live_peak_bytes", offsetof(lp_predictions, live_peak_bytes)},
    {"arena_bytes", offsetof(lp_predictions, arena_bytes)},
    {"fast_peak_bytes", offsetof(lp_predictions, fast_peak_bytes)},
    {"traffic_bytes", offsetof(lp_predictions, traffic_bytes)},
    {"latency_ns", offsetof(lp_predictions, latency_ns)},
    {"macs", offsetof(lp_predictions, macs)},
};

static int64_t figure(const lp_predictions *p, int32_t at)
{
    int64_t value;

    memcpy(&value, (const char *)p + figures[at].offset, sizeof(value));
    return value;
}

/* ---- JSON -----------------------------------------------------------------
 */

/* ", "KEY": " and a string, or a number; the comma after the first. */
static void put_string(lpi_text *text, const char *key, const char *value,
                       bool first)
{
    lpi_text_printf(text, "%s\"%s\": ", first ? "" : ", ", key);
    lpi_json_string(text, value);
}

static void put_number(lpi_text *text, const char *key, int64_t value)
{
    lpi_text_printf(text, ", \"%s\": %lld", key, (long long)value);
}

static void json_figures(lpi_text *text, const lp_predictions *p)
{
    int32_t i;

    lpi_text_put(text, "{");
    for (i = 0; i < LPI_COUNT(figures); i++)
        lpi_text_printf(text, "%s\"%s\": %lld", i ? ", " : "", figures[i].name,
                        (long long)figure(p, i));
    lpi_text_put(text, "}");
}

static void json_bounds(lpi_text *text, const lp_plan *plan)
{
    int64_t i;

    lpi_text_put(text, "[");
    for (i = 0; i < plan->bounds_count; i++) {
        const lp_plan_bound *b = &plan->bounds[i];

        lpi_text_put(text, i ? ",\n  {" : "\n  {");
        put_string(text, "quantity", b->quantity, true);
        put_number(text, "value", b->value);
        put_string(text, "proof", b->proof, false);
        put_number(text, "achieved", b->achieved);
        put_number(text, "gap", b->gap);
        put_string(text, "given", b->given, false);
        lpi_text_put(text, "}");
    }
    lpi_text_put(text, "]");
}

static void json_obstacle(lpi_text *text, const lp_obstacle *o)
{
    static const char *const causes[] = {"layer", "ends", "load", "placement"};
    int64_t i;

    lpi_text_put(text, ",\n \"obstacle\": {");
    put_string(text, "why", o->what, true);
    put_string(text, "cause", causes[o->cause], false);
    put_string(text, "layer", o->layer, false);
    put_number(text, "run", o->run);
    lpi_text_printf(text, ", \"proved\": %s, \"core\": %s",
                    o->is_proof ? "true" : "false",
                    o->is_core ? "true" : "false");
    put_number(text, "least_bytes", o->least_bytes);
    put_number(text, "bytes", o->bytes);
    lpi_text_put(text, ", \"buffers\": [");
    for (i = 0; i < o->buffers_count; i++) {
        lpi_text_put(text, i ? ", {" : "{");
        put_string(text, "name", o->buffers[i].name, true);
        put_number(text, "bytes", o->buffers[i].bytes);
        lpi_text_put(text, "}");
    }
    lpi_text_put(text, "]}");
}

static void json_rest(lpi_text *text, const lp_plan *plan)
{
    int64_t i;

    lpi_text_put(text, ",\n \"notes\": [");
    for (i = 0; i < plan->notes_count; i++) {
        lpi_text_put(text, i ? ",\n  {" : "\n  {");
        put_string(text, "planner", plan->notes[i].planner, true);
        put_string(text, "text", plan->notes[i].text, false);
        lpi_text_put(text, "}");
    }
    lpi_text_put(text, "],\n \"ways\": [");
    for (i = 0; i < plan->ways_count; i++) {
        const lp_way *way = &plan->ways[i];

        lpi_text_put(text, i ? ",\n  {" : "\n  {");
        put_string(text, "what", way->what, true);
        put_number(text, "peak_bytes", way->peak_bytes);
        put_number(text, "extra_macs", way->extra_macs);
        put_number(text, "extra_bytes", way->extra_bytes);
        put_number(text, "extra_ns", way->extra_ns);
        lpi_text_printf(text, ", \"fits\": %s}", way->fits ? "true" : "false");
    }
    lpi_text_put(text, "]");
}

static void write_json(lpi_text *text, const lp_plan *plan)
{
    lpi_text_printf(text, "{\"fits\": %s", plan->schedule ? "true" : "false");
    put_number(text, "budget_bytes", plan->budget_bytes);
    lpi_text_printf(text, ",\n \"effort\": %lld", (long long)plan->effort);
    if (plan->schedule && plan->schedule->precisions_count)
        put_number(text, "widths", plan->schedule->precisions_count);
    lpi_text_printf(text, ", \"reproducible\": %s",
                    plan->reproducible ? "true" : "false");
    lpi_text_put(text, ",\n \"predicted\": ");
    if (plan->schedule)
        json_figures(text, &plan->predictions);
    else
        lpi_text_put(text, "null");
    lpi_text_put(text, ",\n \"bounds\": ");
    json_bounds(text, plan);
    if (plan->obstacle)
        json_obstacle(text, plan->obstacle);
    json_rest(text, plan);
    lpi_text_put(text, "}\n");
}

/* ---- text -----------------------------------------------------------------
 */

/* How far "b" is from what it bounds. */
static void text_bound(lpi_text *text, const lp_plan_bound *b)
{
    lpi_text_printf(text, "%-16s %16lld %16lld ", b->quantity,
                    (long long)b->achieved, (long long)b->value);
    if (!b->gap)
        lpi_text_put(text, " proved   ");
    else if (b->value && b->gap / b->value < 10)
        lpi_text_printf(text, "%7.2f%%  ",
                        100.0 * (double)b->gap / (double)b->value);
    else
        lpi_text_put(text, "   far    ");
    lpi_text_escape(text, b->proof);
    if (*b->given)
        lpi_text_printf(text, " (given: %s)", b->given);
    lpi_text_put(text, "\n");
}

/* ", N MORE", or less; nothing for 0. */
static void text_price(lpi_text *text, int64_t price, const char *unit)
{
    if (price)
        lpi_text_printf(text, ", %lld %s %s",
                        price < 0 ? -(long long)price : (long long)price, unit,
                        price < 0 ? "less" : "more");
}

static void text_way(lpi_text *text, const lp_way *way)
{
    lpi_text_printf(text, "  %16lld  %s", (long long)way->peak_bytes,
                    way->fits ? "fits: " : "");
    lpi_text_escape(text, way->what);
    text_price(text, way->extra_macs, "MACs");
    text_price(text, way->extra_bytes, "bytes moved");
    text_price(text, way->extra_ns, "ns");
    lpi_text_put(text, "\n");
}

static void text_obstacle(lpi_text *text, const lp_obstacle *o)
{
    long long bytes = o->bytes;
    int64_t i;

    lpi_text_escape(text, o->what);
    switch (o->cause) {
    case LP_OBSTACLE_LAYER:
        lpi_text_printf(text, "\n%lld bytes that it needs at once:\n", bytes);
        break;
    case LP_OBSTACLE_ENDS:
        lpi_text_printf(text, "\n%lld bytes that are there at once:\n", bytes);
        break;
    case LP_OBSTACLE_LOAD:
        lpi_text_printf(text, "\n%lld bytes of them, the largest:\n", bytes);
        break;
    case LP_OBSTACLE_PLACEMENT:
        lpi_text_put(text, o->is_core
                               ? "\nProved: no offsets suit all of these:\n"
                               : "\nResident in the fullest run:\n");
        break;
    }
    for (i = 0; i < o->buffers_count; i++) {
        lpi_text_printf(text, "  %16lld  ", (long long)o->buffers[i].bytes);
        lpi_text_escape(text, o->buffers[i].name);
        lpi_text_put(text, "\n");
    }
}

static void write_text(lpi_text *text, const lp_plan *plan)
{
    int64_t i;
    int32_t f;

    for (f = 0; f < LPI_COUNT(figures) && plan->schedule; f++)
        lpi_text_printf(text, "%-16s %16lld\n", figures[f].name,
                        (long long)figure(&plan->predictions, f));
    if (plan->schedule && plan->schedule->precisions_count)
        lpi_text_printf(text, "%-16s %16lld  tensors in another dtype\n",
                        "widths", (long long)plan->schedule->precisions_count);
    if (!plan->reproducible)
        lpi_text_printf(text,
                        "made by an effort of %lld, as far as the time "
                        "allowed: not reproducible\n",
                        (long long)plan->effort);
    if (plan->bounds_count)
        lpi_text_printf(text, "\n%-16s %16s %16s %8s  %s\n", "quantity",
                        "value", "bound", "gap", "proof");
    for (i = 0; i < plan->bounds_count; i++)
        text_bound(text, &plan->bounds[i]);
    if (plan->obstacle)
        text_obstacle(text, plan->obstacle);
    if (plan->ways_count && !plan->schedule)
        lpi_text_put(text, "Ways to take less, and what they need:\n");
    for (i = 0; i < plan->ways_count && !plan->schedule; i++)
        text_way(text, &plan->ways[i]);
    for (i = 0; i < plan->notes_count; i++) {
        lpi_text_printf(text, "%s%s: ", i ? "" : "\n", plan->notes[i].planner);
        lpi_text_escape(text, plan->notes[i].text);
        lpi_text_put(text, "\n");
    }
}

lp_status lpi_plan_write(const lp_plan *plan, lp_format format, lpi_text *text,
                         lp_error *error)
{
    if (format == LP_FORMAT_JSON)
        write_json(text, plan);
    else if (format == LP_FORMAT_TEXT)
        write_text(text, plan);
    else
        return lpi_fail(error, LP_EINVALID, NULL,
                        "plans are written as text or JSON");
    return LP_OK;
}

/* ---- planners -------------------------------------------------------------
 */

/* The columns in "decides", with "between" between them. */
static void put_columns(lpi_text *text, uint32_t decides, const char *between,
                        const char *quote)
{
    const char *name;
    bool first = true;
    int32_t i;

    for (i = 0; (name = lpi_column_name(i)); i++) {
        if (!(decides & 1u << i))
            continue;
        lpi_text_printf(text, "%s%s%s%s", first ? "" : between, quote, name,
                        quote);
        first = false;
    }
}

static void json_offer(lpi_text *text, const lpi_offer *offer)
{
    const lp_planner *p = offer->planner;
    const lp_option *option = p ? p->options : NULL;
    bool first = true;

    put_string(text, "name", offer->name, true);
    put_string(text, "module", offer->origin, false);
    if (offer->fault)
        put_string(text, "fault", offer->fault, false);
    if (!p)
        return;
    put_string(text, "summary", p->summary, false);
    lpi_text_put(text, ", \"decides\": [");
    put_columns(text, p->decides, ", ", "\"");
    lpi_text_put(text, "], \"options\": [");
    for (; option && option->name; option++, first = false) {
        lpi_text_put(text, first ? "{" : ", {");
        put_string(text, "name", option->name, true);
        put_string(text, "default", option->initial, false);
        if (option->least || option->most) {
            put_number(text, "least", option->least);
            put_number(text, "most", option->most);
        }
        put_string(text, "help", option->help, false);
        lpi_text_put(text, "}");
    }
    lpi_text_put(text, "]");
}

static void text_offer(lpi_text *text, const lpi_offer *offer)
{
    const lp_planner *p = offer->planner;
    const lp_option *option = p ? p->options : NULL;

    lpi_text_printf(text, "%-12s ", offer->name);
    lpi_text_escape(text, p ? p->summary : offer->fault);
    if (p) {
        lpi_text_put(text, " (");
        put_columns(text, p->decides, ", ", "");
        lpi_text_put(text, ")");
    }
    if (*offer->origin) {
        lpi_text_put(text, "\n             in ");
        lpi_text_escape(text, offer->origin);
    }
    lpi_text_put(text, "\n");
    for (; option && option->name; option++) {
        lpi_text_printf(text, "  %s.%s=", offer->name, option->name);
        lpi_text_escape(text, option->initial);
        if (option->most == INT64_MAX)
            lpi_text_printf(text, " (from %lld)", (long long)option->least);
        else if (option->least || option->most)
            lpi_text_printf(text, " (%lld to %lld)", (long long)option->least,
                            (long long)option->most);
        lpi_text_put(text, "  ");
        lpi_text_escape(text, option->help);
        lpi_text_put(text, "\n");
    }
}

lp_status lpi_offers_write(const lpi_offer *offers, int64_t count,
                           lp_format format, lpi_text *text, lp_error *error)
{
    int64_t i;

    if (format != LP_FORMAT_JSON && format != LP_FORMAT_TEXT)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "planners are listed as text or JSON");
    if (format == LP_FORMAT_JSON)
        lpi_text_put(text, "[");
    for (i = 0; i < count; i++) {
        if (format == LP_FORMAT_TEXT) {
            text_offer(text, &offers[i]);
            continue;
        }
        lpi_text_put(text, i ? ",\n {" : "\n {");
        json_offer(text, &offers[i]);
        lpi_text_put(text, "}");
    }
    if (format == LP_FORMAT_JSON)
        lpi_text_put(text, "]\n");
    return LP_OK;
}
