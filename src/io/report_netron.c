/* report_netron.c: a report as an attachment for Netron, which shows the
 * numbers beside its drawing of the model.
 *
 * The form is the one that class Attachment in Netron's source reads: an
 * object with the signature "netron:attachment" and a list "metrics" of {kind,
 * target, name, value, type}.  A target is the name of the node or value up to
 * its first line break, "" for the model; type "attribute" is a plain value.
 * The name "parameters" takes the place of Netron's own count.  A node without
 * a name cannot be addressed, so a layer called after its output is attached
 * to that value too. */
#include <string.h>

#include "io.h"

static void put_item(lpi_page *page, const char *kind, const char *target,
                     const char *name, int64_t value)
{
    lpi_text *text = &page->text;
    bool first = text->length && text->bytes[text->length - 1] == '[';

    lpi_text_put(text, first ? "\n  {\"kind\": \"" : ",\n  {\"kind\": \"");
    lpi_text_put(text, kind);
    lpi_text_put(text, "\", \"target\": ");
    lpi_json_string(text, target);
    lpi_text_put(text, ", \"name\": \"");
    lpi_text_put(text, name);
    lpi_text_put(text, "\", \"value\": ");
    lpi_put_int(text, value);
    lpi_text_put(text, ", \"type\": \"attribute\"}");
}

static void put_cost(lpi_page *page, const char *kind, const char *target,
                     const lp_cost *cost)
{
    put_item(page, kind, target, "parameters", cost->params);
    put_item(page, kind, target, "weight_bytes", cost->weight_bytes);
    put_item(page, kind, target, "macs", lp_cost_macs(cost));
    put_item(page, kind, target, "flops", lp_cost_flops(cost));
    put_item(page, kind, target, "read_bytes", cost->read_bytes);
    put_item(page, kind, target, "write_bytes", cost->write_bytes);
}

/* The counts of "row"; where the operator is not known only what is. */
static lp_status put_row(lpi_page *page, const lp_row *row)
{
    static const char *const kinds[] = {"node", "value"};
    const char *target =
        lpi_arena_strndup(page->scratch, row->name, strcspn(row->name, "\n"));
    int32_t last = row->outputs_count &&
                   !strcmp(row->outputs[0].name, row->name);
    int32_t i;

    if (!target)
        return lpi_fail_memory(page->error);
    for (i = 0; i <= last; i++) {
        if (row->status != LP_UNKNOWN)
            put_cost(page, kinds[i], target, &row->cost);
        put_item(page, kinds[i], target, "live_bytes", row->live_bytes);
    }
    return LP_OK;
}

lp_status lpi_report_netron(lpi_page *page, const lp_report *report)
{
    int64_t i;

    lpi_text_put(&page->text,
                 "{\"signature\": \"netron:attachment\",\n\"metrics\": [");
    put_cost(page, "model", "", &report->total);
    put_item(page, "model", "", "live_peak_bytes", report->live_peak_bytes);
    put_item(page, "model", "", "layers", report->layers);
    put_item(page, "model", "", "layers_counted", report->known);
    for (i = 0; i < report->rows_count; i++)
        if (report->rows[i].status != LP_FOLDED)
            LP_TRY(put_row(page, &report->rows[i]));
    lpi_text_put(&page->text, "\n]}\n");
    return LP_OK;
}
