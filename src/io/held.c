/* held.c: tensors that take memory, in the report for people: those at the
 * peak, and those that wait. */
#include "io.h"

enum { MOST_HELD = 12 };

/* "whole": bytes that the share of a tensor is of; 0: tensors that wait, with
 * their bytes x distance instead. */
static lp_status held_cells(lpi_grid *grid, const lp_held *held, int64_t whole)
{
    int64_t distance = held->to - held->from;

    LP_TRY(lpi_grid_bytes(grid, held->bytes));
    if (whole)
        LP_TRY(lpi_grid_share(grid, held->bytes, whole));
    else
        LP_TRY(lpi_grid_thousands(grid, distance));
    if (!whole)
        LP_TRY(lpi_grid_bytes(grid, lpi_mul(held->bytes, distance)));
    LP_TRY(lpi_grid_name(grid, held->tensor));
    LP_TRY(lpi_grid_shape(grid, held->shape));
    LP_TRY(lpi_grid_name(grid, lp_dtype_name(held->dtype)));
    LP_TRY(lpi_grid_thousands(grid, held->from));
    LP_TRY(lpi_grid_thousands(grid, held->to));
    return lpi_grid_name(grid, held->consumer);
}

/* The rows of "table" from "first" on that a page leaves out. */
static void put_rest(lpi_page *page, const lpi_table *table, int64_t first)
{
    int64_t bytes = 0, i;

    if (first >= table->count)
        return;
    for (i = first; i < table->count; i++)
        bytes = lpi_add(bytes, ((const lp_held *)table->rows[i])->bytes);
    lpi_text_put(&page->text, "  … and ");
    lpi_put_thousands(&page->text, table->count - first);
    lpi_text_put(&page->text, " more, ");
    lpi_put_bytes(&page->text, bytes);
    lpi_text_put(&page->text, "\n");
}

static lp_status held_grid(lpi_page *page, const lpi_table *table,
                           int64_t whole)
{
    static const lpi_grid_column peak_columns[] = {
        {"bytes", true, 0, 0},    {"%", true, 0, 0},
        {"tensor", false, 16, 0}, {"shape", false, 12, 0},
        {"dtype", false, 0, 0},   {"from", true, 0, 0},
        {"to", true, 0, 0},       {"last reader", false, 16, 130},
    };
    static const lpi_grid_column skip_columns[] = {
        {"bytes", true, 0, 0},
        {"layers", true, 0, 0},
        {"product", true, 0, 0},
        {"tensor", false, 16, 0},
        {"shape", false, 12, 0},
        {"dtype", false, 0, 0},
        {"from", true, 0, 0},
        {"to", true, 0, 0},
        {"last reader", false, 16, 130},
    };
    int64_t shown = table->count, i;
    lpi_grid grid =
        whole ? lpi_grid_begin(page, peak_columns, LPI_COUNT(peak_columns))
              : lpi_grid_begin(page, skip_columns, LPI_COUNT(skip_columns));

    if (page->view.table == LP_TABLE_ALL && shown > MOST_HELD)
        shown = MOST_HELD;
    for (i = 0; i < shown; i++)
        LP_TRY(held_cells(&grid, table->rows[i], whole));
    if (shown)
        lpi_grid_print(&grid);
    put_rest(page, table, shown);
    return LP_OK;
}

lp_status lpi_text_peak(lpi_page *page, const lp_report *report,
                        const lpi_table *table)
{
    lpi_page_heading(page, "At the peak");
    lpi_put_shown(page, table->count, table->matched);
    lpi_text_put(&page->cells,
                 table->matched == 1 ? " tensor is live" : " tensors are live");
    if (report->peak_index >= 0) {
        lpi_text_put(&page->cells, " while step ");
        lpi_put_thousands(&page->cells, report->peak_index);
        lpi_text_put(&page->cells, " runs");
    }
    lpi_page_heading_end(page);
    return held_grid(page, table,
                     report->live_peak_bytes ? report->live_peak_bytes : 1);
}

lp_status lpi_text_skips(lpi_page *page, const lpi_table *table)
{
    lpi_page_heading(page, "Skips");
    lpi_put_shown(page, table->count, table->matched);
    lpi_text_put(&page->cells, table->matched == 1 ? " tensor" : " tensors");
    lpi_text_put(&page->cells, " held across many layers, by bytes x layers");
    lpi_page_heading_end(page);
    return held_grid(page, table, 0);
}
