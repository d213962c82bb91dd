/* schedule_figures.c: the sections of a schedule that decide nothing: what it
 * takes, and what none takes less of. */
#include <string.h>

#include "io.h"

#define FIGURE(member, is_required)                                            \
    {                                                                          \
        .key = #member, .kind = LPI_FIELD_INT,                                 \
        .offset = offsetof(lp_predictions, member), .required = is_required    \
    }

static const lpi_field prediction_fields[] = {
    FIGURE(live_peak_bytes, true),
    FIGURE(arena_bytes, true),
    FIGURE(fast_peak_bytes, true),
    FIGURE(traffic_bytes, true),
    FIGURE(macs, true),
    FIGURE(latency_ns, false), /* 0: left out */
    {.key = NULL},
};

typedef struct bound_entry {
    lp_bound bound;
    const lpi_yaml *given;
} bound_entry;

static const lpi_field bound_fields[] = {
    {.key = "quantity",
     .kind = LPI_FIELD_TEXT,
     .offset = offsetof(bound_entry, bound.quantity),
     .required = true},
    {.key = "value",
     .kind = LPI_FIELD_INT,
     .offset = offsetof(bound_entry, bound.value),
     .required = true},
    {.key = "proof",
     .kind = LPI_FIELD_TEXT,
     .offset = offsetof(bound_entry, bound.proof),
     .required = true},
    LPI_FIELD(bound_entry, given, "given", NODE, false),
    {.key = NULL},
};

/* ---- reading ---------------------------------------------------------------
 */

/* Add the column that "node" names to "given". */
static lp_status read_column(lpi_reader *r, const lpi_yaml *node,
                             uint32_t *given)
{
    const char *name;
    int32_t i;

    for (i = 0; (name = lpi_column_name(i)); i++)
        if (node->kind == LPI_YAML_TEXT && !strcmp(name, node->text)) {
            *given |= 1u << i;
            return LP_OK;
        }
    return lpi_yaml_fail(r->name, node->line, r->error,
                         "given: '%.200s' is no column",
                         node->kind == LPI_YAML_TEXT ? node->text : "[...]");
}

static lp_status read_bound(lpi_reader *r, const lpi_yaml *node,
                            lp_bound *ret_bound)
{
    bound_entry entry = {.given = NULL};
    int64_t i;

    LP_TRY(lpi_record_read(r, node, bound_fields, &entry));
    if (entry.given)
        LP_TRY(lpi_node_list(r, entry.given, "given"));
    for (i = 0; entry.given && i < entry.given->count; i++)
        LP_TRY(read_column(r, &entry.given->items[i], &entry.bound.given));
    *ret_bound = entry.bound;
    return LP_OK;
}

lp_status lpi_bounds_read(lpi_reader *reader, const lpi_yaml *node)
{
    lp_bound *bounds;
    int64_t i;

    LP_TRY(lpi_node_list(reader, node, "bounds"));
    bounds = LPI_NEW(reader->schedule->arena, lp_bound, node->count);
    if (!bounds)
        return lpi_fail_memory(reader->error);
    for (i = 0; i < node->count; i++)
        LP_TRY(read_bound(reader, &node->items[i], &bounds[i]));
    reader->schedule->bounds = bounds;
    reader->schedule->bounds_count = node->count;
    return LP_OK;
}

lp_status lpi_predictions_read(lpi_reader *reader, const lpi_yaml *node)
{
    reader->schedule->has_predictions = true;
    return lpi_record_read(reader, node, prediction_fields,
                           &reader->schedule->predictions);
}

/* ---- writing ---------------------------------------------------------------
 */

static void put_predictions(lpi_text *text, const lp_predictions *predictions)
{
    const lpi_field *field;
    int64_t value;

    lpi_text_put(text, "predictions: {");
    for (field = prediction_fields; field->key; field++) {
        memcpy(&value, (const char *)predictions + field->offset,
               sizeof(value));
        if (field->required || value)
            lpi_text_printf(text, "%s%s: %lld",
                            field == prediction_fields ? "" : ", ", field->key,
                            (long long)value);
    }
    lpi_text_put(text, "}\n");
}

static void put_bound(lpi_text *text, const lp_bound *bound)
{
    const char *name, *before = ", given: [";
    int32_t i;

    lpi_text_put(text, "  - {quantity: ");
    lpi_put_scalar(text, bound->quantity);
    lpi_text_printf(text, ", value: %lld, proof: ", (long long)bound->value);
    lpi_put_scalar(text, bound->proof);
    for (i = 0; (name = lpi_column_name(i)); i++)
        if (bound->given & 1u << i) {
            lpi_text_printf(text, "%s%s", before, name);
            before = ", ";
        }
    lpi_text_put(text, bound->given ? "]}\n" : "}\n");
}

void lpi_figures_write(const lp_schedule *schedule, lpi_text *text)
{
    int64_t i;

    if (schedule->has_predictions)
        put_predictions(text, &schedule->predictions);
    if (schedule->bounds_count)
        lpi_text_put(text, "bounds:\n");
    for (i = 0; i < schedule->bounds_count; i++)
        put_bound(text, &schedule->bounds[i]);
}
