/* tradeoff.c: plans for several budgets as text, TSV and JSON, a row each. */
#include <string.h>

#include "io.h"

#define COUNT(field, name)                                                     \
    {                                                                          \
        name, LPI_CELL_COUNT, offsetof(lp_tradeoff_point, field), false, NULL  \
    }
#define NAME(field)                                                            \
    {                                                                          \
#field, LPI_CELL_NAME, offsetof(lp_tradeoff_point, field), true, NULL  \
    }

static const lpi_column columns[] = {
    NAME(what),
    COUNT(budget_bytes, "budget_bytes"),
    NAME(status),
    COUNT(predictions.arena_bytes, "arena_bytes"),
    COUNT(predictions.live_peak_bytes, "live_peak_bytes"),
    COUNT(predictions.macs, "macs"),
    COUNT(again_macs, "again_macs"),
    COUNT(predictions.traffic_bytes, "traffic_bytes"),
    COUNT(copied_bytes, "copied_bytes"),
    COUNT(weight_bytes, "weight_bytes"),
    COUNT(predictions.latency_ns, "latency_ns"),
    COUNT(latency_bound_ns, "latency_bound_ns"),
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static lp_status put_row(lpi_grid *grid, const lp_tradeoff_point *point)
{
    const lp_predictions *p = &point->predictions;
    int32_t i;

    if (point->budget_bytes)
        LP_TRY(lpi_grid_thousands(grid, point->budget_bytes));
    else
        LP_TRY(lpi_grid_name(grid, point->what));
    if (strcmp(point->status, "fits") != 0) {
        for (i = 0; i < 6; i++)
            LP_TRY(lpi_grid_name(grid, "-"));
        return lpi_grid_name(grid, point->status);
    }
    LP_TRY(lpi_grid_thousands(grid, p->arena_bytes));
    LP_TRY(lpi_grid_thousands(grid, p->live_peak_bytes));
    LP_TRY(lpi_grid_count(grid, point->again_macs));
    LP_TRY(lpi_grid_bytes(grid, point->copied_bytes));
    LP_TRY(lpi_grid_us(grid, p->latency_ns));
    LP_TRY(lpi_grid_us(grid, point->latency_bound_ns));
    return lpi_grid_name(grid, point->status);
}

static lp_status put_text(lpi_page *page, const lp_tradeoff *tradeoff,
                          const lpi_table *table)
{
    static const lpi_grid_column heads[] = {
        {"budget", true, 0, 0},    {"arena", true, 0, 0},
        {"live peak", true, 0, 0}, {"MACs again", true, 0, 0},
        {"spilled", true, 0, 0},   {"latency us", true, 0, 0},
        {"bound us", true, 0, 0},  {"", false, 0, 0},
    };
    lpi_grid grid;
    int64_t i;

    lpi_page_heading(page, "Budgets");
    if (*tradeoff->device) {
        lpi_text_put(&page->cells, "on ");
        lpi_put_name(&page->cells, tradeoff->device);
    }
    if (tradeoff->floor_bytes) {
        lpi_text_put(&page->cells, *tradeoff->device ? "; " : "");
        lpi_text_put(&page->cells, "the largest working set is ");
        lpi_put_thousands(&page->cells, tradeoff->floor_bytes);
        lpi_text_put(&page->cells, " bytes");
    }
    lpi_page_heading_end(page);
    grid = lpi_grid_begin(page, heads, LPI_COUNT(heads));
    for (i = 0; i < table->count; i++)
        LP_TRY(put_row(&grid, table->rows[i]));
    lpi_grid_print(&grid);
    return LP_OK;
}

static void put_json(lpi_text *text, const lp_tradeoff *tradeoff,
                     const lpi_table *table)
{
    lpi_text_put(text, "{\"device\": ");
    lpi_json_string(text, tradeoff->device);
    lpi_text_printf(text, ", \"floor_bytes\": %lld,\n \"points\": ",
                    (long long)tradeoff->floor_bytes);
    lpi_json_table(text, table, NULL);
    lpi_text_put(text, "}\n");
}

lp_status lp_tradeoff_write(const lp_tradeoff *tradeoff, const lp_view *view,
                            char **ret_text, size_t *ret_length,
                            lp_error *error)
{
    lpi_table table = {.name = "points",
                       .columns = columns,
                       .all = tradeoff->points,
                       .size = sizeof(lp_tradeoff_point),
                       .all_count = tradeoff->count};
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, view, error));
    status = lpi_table_choose(&page, &table, true);
    if (status == LP_OK && page.view.format == LP_FORMAT_TEXT)
        status = put_text(&page, tradeoff, &table);
    else if (status == LP_OK && page.view.format == LP_FORMAT_TSV)
        lpi_tsv_table(&page.text, &table);
    else if (status == LP_OK && page.view.format == LP_FORMAT_JSON)
        put_json(&page.text, tradeoff, &table);
    else if (status == LP_OK)
        status = lpi_fail(error, LP_EINVALID, NULL,
                          "trade-offs are written as text, TSV or JSON");
    return lpi_page_close(&page, status, ret_text, ret_length);
}
