/* compare.c: totals of several reports, one row each. */
#include <string.h>

#include "io.h"

/* The totals as a table; a report is its own row. */
static lp_status totals_table(lpi_page *page, const lp_report *const *reports,
                              size_t count, lpi_table *ret_table)
{
    lp_report *rows = LPI_NEW(page->scratch, lp_report, (int64_t)count);
    size_t i;

    if (!rows)
        return lpi_fail_memory(page->error);
    for (i = 0; i < count; i++)
        rows[i] = *reports[i];
    *ret_table = (lpi_table){.name = "models",
                             .columns = lpi_total_columns,
                             .all = rows,
                             .all_count = (int64_t)count,
                             .size = sizeof(lp_report)};
    return lpi_table_choose(page, ret_table, true);
}

/* Bytes of the folder that all models of "table" lie in, to be left out. */
static size_t common_folder(const lpi_table *table)
{
    const char *first = ((const lp_report *)table->rows[0])->model;
    size_t length = strlen(first), common;
    int64_t i;

    for (i = 1; i < table->count; i++) {
        const char *model = ((const lp_report *)table->rows[i])->model;

        for (common = 0; common < length && model[common] == first[common];)
            common++;
        length = common;
    }
    while (length && first[length - 1] != '/')
        length--;
    return length;
}

static lp_status put_work(lpi_page *page, const lpi_table *table, size_t folder)
{
    static const lpi_grid_column columns[] = {
        {"model", false, 12, 0},   {"weights", true, 0, 0},
        {"params", true, 0, 0},    {"MACs", true, 0, 0},
        {"conv", true, 0, 0},      {"linear", true, 0, 0},
        {"attention", true, 0, 0}, {"FLOPs", true, 0, 0},
    };
    lpi_grid grid = lpi_grid_begin(page, columns, LPI_COUNT(columns));
    int64_t i;
    int32_t c;

    for (i = 0; i < table->count; i++) {
        const lp_report *report = table->rows[i];
        const lp_cost *total = &report->total;
        const int64_t counts[] = {
            total->params,      lp_cost_macs(total),   total->macs_conv,
            total->macs_linear, total->macs_attention, lp_cost_flops(total),
        };

        LP_TRY(lpi_grid_name(&grid, report->model + folder));
        LP_TRY(lpi_grid_bytes(&grid, total->weight_bytes));
        for (c = 0; c < LPI_COUNT(counts); c++)
            LP_TRY(lpi_grid_count(&grid, counts[c]));
    }
    lpi_grid_print(&grid);
    return LP_OK;
}

/* How many layers, how many of them counted, where the peak is. */
static lp_status put_peaks(lpi_page *page, const lpi_table *table,
                           size_t folder)
{
    static const lpi_grid_column columns[] = {
        {"model", false, 12, 0},    {"layers", true, 0, 0},
        {"counted", true, 0, 0},    {"live peak", true, 0, 0},
        {"at layer", false, 16, 0},
    };
    lpi_grid grid = lpi_grid_begin(page, columns, LPI_COUNT(columns));
    int64_t i;

    for (i = 0; i < table->count; i++) {
        const lp_report *report = table->rows[i];

        LP_TRY(lpi_grid_name(&grid, report->model + folder));
        LP_TRY(lpi_grid_thousands(&grid, report->layers));
        LP_TRY(lpi_grid_thousands(&grid, report->known));
        LP_TRY(lpi_grid_bytes(&grid, report->live_peak_bytes));
        LP_TRY(lpi_grid_name(&grid, report->peak_layer));
    }
    lpi_text_put(&page->text, "\n");
    lpi_grid_print(&grid);
    return LP_OK;
}

static lp_status put_text(lpi_page *page, const lpi_table *table)
{
    size_t folder = table->count ? common_folder(table) : 0;

    LP_TRY(put_work(page, table, folder));
    return put_peaks(page, table, folder);
}

static lp_status put_compare(lpi_page *page, const lp_report *const *reports,
                             size_t count)
{
    lpi_table table;

    LP_TRY(totals_table(page, reports, count, &table));
    switch (page->view.format) {
    case LP_FORMAT_TSV:
        lpi_tsv_table(&page->text, &table);
        return LP_OK;
    case LP_FORMAT_JSON:
        lpi_json_table(&page->text, &table, NULL);
        lpi_text_put(&page->text, "\n");
        return LP_OK;
    case LP_FORMAT_NETRON:
        return lpi_fail(page->error, LP_EINPUT, NULL,
                        "a Netron attachment is of one model, not of %zu",
                        count);
    case LP_FORMAT_TEXT:
        break;
    }
    return put_text(page, &table);
}

lp_status lp_compare_write(const lp_report *const *reports, size_t count,
                           const lp_view *view, char **ret_text,
                           size_t *ret_length, lp_error *error)
{
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, view, error));
    status = put_compare(&page, reports, count);
    return lpi_page_close(&page, status, ret_text, ret_length);
}
