/* report_text.c: a report for people: the totals, and the order of the
 * sections.
 *
 * Every number that stands for the whole network is exact to the last digit
 * beside its rounded form; while some layers are not counted it says "at
 * least". */
#include <math.h>
#include <string.h>

#include "io.h"

enum { LABEL = 14 };

/* Begin a line of the totals; what it says goes to the cells. */
static void put_label(lpi_page *page, const char *label)
{
    lpi_text_put(&page->text, "  ");
    lpi_page_dim(page, label);
    lpi_put_repeated(&page->text, " ", LABEL - (int64_t)strlen(label));
}

static void end_line(lpi_page *page)
{
    lpi_page_wrap_cells(page, LABEL + 2);
}

/* "859,520,964 (859.5 M)"; the short form only where it is shorter. */
static void put_exact(lpi_text *text, int64_t value)
{
    lpi_put_thousands(text, value);
    if (value >= 10000) {
        lpi_text_put(text, " (");
        lpi_put_count(text, value);
        lpi_text_put(text, ")");
    }
}

static void put_at_least(lpi_page *page, const lp_report *report)
{
    if (report->known < report->layers)
        lpi_text_put(&page->cells, "at least ");
}

static void put_weights(lpi_page *page, const lp_report *report)
{
    lpi_text *text = &page->cells;
    int64_t i;

    put_label(page, "parameters");
    put_at_least(page, report);
    put_exact(text, report->total.params);
    if (report->total.quant_params) {
        lpi_text_put(text, ", and ");
        lpi_put_thousands(text, report->total.quant_params);
        lpi_text_put(text, " scales and zero points");
    }
    end_line(page);
    put_label(page, "weights");
    lpi_put_bytes(text, report->total.weight_bytes);
    lpi_text_put(text, " as stored");
    for (i = 0; i < report->weights_as_count; i++) {
        const lp_weights_as *as = &report->weights_as[i];

        if (as->bytes == report->total.weight_bytes)
            continue;
        lpi_text_put(text, ", ");
        lpi_put_bytes(text, as->bytes);
        lpi_text_put(text, " as ");
        lpi_text_put(text, lp_dtype_name(as->dtype));
    }
    end_line(page);
}

static void put_work(lpi_page *page, const lp_report *report)
{
    const lp_cost *total = &report->total;
    int64_t flops = lp_cost_flops(total);
    int64_t moved = lpi_add(total->read_bytes, total->write_bytes);
    lpi_text *text = &page->cells;

    put_label(page, "MACs");
    put_at_least(page, report);
    put_exact(text, lp_cost_macs(total));
    lpi_text_put(text, ": conv ");
    lpi_put_count(text, total->macs_conv);
    lpi_text_put(text, ", linear ");
    lpi_put_count(text, total->macs_linear);
    lpi_text_put(text, ", attention ");
    lpi_put_count(text, total->macs_attention);
    end_line(page);
    put_label(page, "FLOPs");
    put_at_least(page, report);
    put_exact(text, flops);
    lpi_text_put(text, ": 2 a MAC, 1 for every other operation");
    end_line(page);
    put_label(page, "traffic");
    lpi_text_put(text, "reads ");
    lpi_put_bytes(text, total->read_bytes);
    lpi_text_put(text, ", writes ");
    lpi_put_bytes(text, total->write_bytes);
    lpi_text_put(text, " when each layer runs alone: ");
    lpi_put_fixed(text, moved ? (double)flops / (double)moved : 0, 1);
    lpi_text_put(text, " FLOPs a byte");
    end_line(page);
}

static void put_peak(lpi_page *page, const lp_report *report)
{
    lpi_text *text = &page->cells;

    put_label(page, "live peak");
    lpi_put_bytes(text, report->live_peak_bytes);
    lpi_text_put(text, " of activations");
    if (report->peak_index >= 0) {
        lpi_text_put(text, " at step ");
        lpi_put_thousands(text, report->peak_index);
        lpi_text_put(text, ", ");
        lpi_put_cut(page, report->peak_layer, page->view.width - LABEL - 2);
    }
    end_line(page);
}

/* How many listed layers of "report" have "status". */
static int64_t count_status(const lp_report *report, lp_row_status status)
{
    int64_t count = 0, i;

    for (i = 0; i < report->rows_count; i++)
        count += report->rows[i].status == status;
    return count;
}

static void put_coverage(lpi_page *page, const lp_report *report)
{
    int64_t estimated = count_status(report, LP_ESTIMATED);
    lpi_text *text = &page->cells;

    put_label(page, "coverage");
    lpi_put_thousands(text, report->known);
    lpi_text_put(text, " of ");
    lpi_put_thousands(text, report->layers);
    lpi_text_put(text, " layers counted");
    if (report->known < report->layers) {
        lpi_text_put(text, " (");
        lpi_put_fixed(text, floor(1000 * lpi_coverage(report)) / 10, 1);
        lpi_text_put(text, " %)");
    }
    if (estimated) {
        lpi_text_put(text, ", ");
        lpi_put_thousands(text, estimated);
        lpi_text_put(text, " of them as upper bounds");
    }
    if (report->folded) {
        lpi_text_put(text, "; ");
        lpi_put_thousands(text, report->folded);
        lpi_text_put(text, " more folded away");
    }
    end_line(page);
}

static void put_totals(lpi_page *page, const lp_report *report)
{
    lpi_put_cut(page, report->model, page->view.width);
    if (page->cells.length)
        lpi_page_bold(page, page->cells.bytes);
    page->cells.length = 0;
    lpi_text_put(&page->text, "\n");
    put_weights(page, report);
    put_work(page, report);
    put_peak(page, report);
    put_coverage(page, report);
}

lp_status lpi_report_text(lpi_page *page, const lp_report *report)
{
    static const lp_table order[] = {LP_TABLE_CONVENTIONS, LP_TABLE_MODULES,
                                     LP_TABLE_LAYERS, LP_TABLE_PEAK,
                                     LP_TABLE_SKIPS};
    lp_table asked = page->view.table;
    int32_t i;

    if (asked == LP_TABLE_ALL)
        put_totals(page, report);
    if (page->view.chart)
        LP_TRY(lpi_text_chart(page, report));
    if (asked != LP_TABLE_ALL)
        return lpi_text_section(page, report, asked);
    for (i = 0; i < LPI_COUNT(order); i++)
        LP_TRY(lpi_text_section(page, report, order[i]));
    return LP_OK;
}
