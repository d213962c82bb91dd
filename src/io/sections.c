/* sections.c: the tables of the report for people.
 *
 * Each section is a heading and a grid.  In the whole report the long tables
 * show their first rows and say how many there are; a table asked for by name
 * is shown in full. */
#include <string.h>

#include "io.h"

enum { MOST_LAYERS = 20, MOST_INEXACT = 10, BAR = 8 };

static lp_status cell_bar(lpi_grid *grid, int64_t part, int64_t whole)
{
    lpi_put_bar(&grid->page->cells, (double)part, (double)whole, BAR);
    return lpi_grid_next(grid);
}

/* Percent of "part" in "whole", and a bar of it. */
static lp_status cell_share(lpi_grid *grid, int64_t part, int64_t whole)
{
    LP_TRY(lpi_grid_share(grid, part, whole));
    return cell_bar(grid, part, whole);
}

static void put_value(lpi_text *text, const lp_convention *row)
{
    lpi_put_count(text, row->value);
    lpi_text_put(text, " ");
    lpi_put_name(text, row->unit);
}

/* Name, value and unit in columns, then what is counted, broken into lines. */
static void section_conventions(lpi_page *page, const lpi_table *table)
{
    int64_t widths[2] = {0}, i;

    lpi_page_heading(page, "Counting conventions");
    lpi_text_put(&page->cells, "the same network, counted in other ways");
    lpi_page_heading_end(page);
    for (i = 0; i < 2 * table->count; i++) {
        const lp_convention *row = table->rows[i / 2];

        page->cells.length = 0;
        if (i % 2)
            put_value(&page->cells, row);
        else
            lpi_put_name(&page->cells, row->name);
        if ((int64_t)page->cells.length > widths[i % 2])
            widths[i % 2] = (int64_t)page->cells.length;
    }
    for (i = 0; i < table->count; i++) {
        const lp_convention *row = table->rows[i];
        int64_t begin = (int64_t)page->text.length;

        page->cells.length = 0;
        lpi_text_put(&page->text, "  ");
        lpi_put_name(&page->text, row->name);
        begin += widths[0] + 4;
        lpi_put_repeated(&page->text, " ", begin - (int64_t)page->text.length);
        put_value(&page->text, row);
        begin += widths[1] + 2;
        lpi_put_repeated(&page->text, " ", begin - (int64_t)page->text.length);
        lpi_put_name(&page->cells, row->counts);
        lpi_page_wrap_cells(page, (int32_t)(widths[0] + widths[1] + 6));
    }
}

static lp_status section_modules(lpi_page *page, const lp_report *report,
                                 const lpi_table *table)
{
    static const lpi_grid_column columns[] = {
        {"module", false, 12, 0},  {"layers", true, 0, 120},
        {"params", true, 0, 0},    {"%", true, 0, 0},
        {"", false, 0, 0},         {"MACs", true, 0, 0},
        {"%", true, 0, 0},         {"", false, 0, 0},
        {"live peak", true, 0, 0}, {"", false, 0, 110},
    };
    lpi_grid grid;
    int64_t i;

    lpi_page_heading(page, "Modules");
    if (!report->modules_count) {
        lpi_text_put(&page->cells, "none: no layer has a module path");
        lpi_page_heading_end(page);
        return LP_OK;
    }
    lpi_text_put(&page->cells, "at depth ");
    lpi_put_int(&page->cells, page->view.depth < 1 ? 1 : page->view.depth);
    lpi_text_put(&page->cells, ", with their shares of the whole");
    lpi_page_heading_end(page);
    grid = lpi_grid_begin(page, columns, LPI_COUNT(columns));
    for (i = 0; i < table->count; i++) {
        const lp_module_row *row = table->rows[i];
        int64_t macs = lp_cost_macs(&row->cost);

        LP_TRY(lpi_grid_name(&grid, row->path));
        LP_TRY(lpi_grid_thousands(&grid, row->layers));
        LP_TRY(lpi_grid_count(&grid, row->cost.params));
        LP_TRY(cell_share(&grid, row->cost.params, report->total.params));
        LP_TRY(lpi_grid_count(&grid, macs));
        LP_TRY(cell_share(&grid, macs, lp_cost_macs(&report->total)));
        LP_TRY(lpi_grid_bytes(&grid, row->live_peak_bytes));
        lpi_put_bar(&page->cells, (double)row->live_peak_bytes,
                    (double)report->live_peak_bytes, BAR);
        LP_TRY(lpi_grid_next(&grid));
    }
    lpi_grid_print(&grid);
    return LP_OK;
}

/* MACs of a layer; "≤" marks an upper bound, "?" what is not counted. */
static lp_status cell_macs(lpi_grid *grid, const lp_row *row)
{
    lpi_text *cells = &grid->page->cells;

    if (row->status == LP_UNKNOWN || row->status == LP_FOLDED) {
        lpi_text_put(cells, row->status == LP_FOLDED ? "folded" : "?");
        return lpi_grid_next(grid);
    }
    lpi_text_put(cells, row->status == LP_ESTIMATED ? "≤ " : "");
    return lpi_grid_count(grid, lp_cost_macs(&row->cost));
}

static lp_status layer_cells(lpi_grid *grid, const lp_row *row,
                             int64_t all_macs)
{
    int64_t moved = lpi_add(row->cost.read_bytes, row->cost.write_bytes);

    if (row->index >= 0)
        lpi_put_int(&grid->page->cells, row->index);
    LP_TRY(lpi_grid_next(grid));
    LP_TRY(lpi_grid_name(grid, row->name));
    LP_TRY(lpi_grid_name(grid, row->op));
    LP_TRY(lpi_grid_shape(grid, row->outputs_count ? row->outputs[0].shape
                                                   : lpi_shape_unknown));
    LP_TRY(lpi_grid_count(grid, row->cost.params));
    LP_TRY(cell_macs(grid, row));
    LP_TRY(lpi_grid_share(grid, lp_cost_macs(&row->cost), all_macs));
    LP_TRY(lpi_grid_bytes(grid, row->cost.read_bytes));
    LP_TRY(lpi_grid_bytes(grid, row->cost.write_bytes));
    LP_TRY(lpi_grid_bytes(grid, row->live_bytes));
    lpi_put_fixed(&grid->page->cells,
                  moved ? (double)lp_cost_flops(&row->cost) / (double)moved : 0,
                  1);
    return lpi_grid_next(grid);
}

static lp_status section_layers(lpi_page *page, const lp_report *report,
                                const lpi_table *table)
{
    static const lpi_grid_column columns[] = {
        {"step", true, 0, 0},     {"layer", false, 16, 0},
        {"op", false, 12, 0},     {"output", false, 12, 0},
        {"params", true, 0, 0},   {"MACs", true, 0, 0},
        {"%", true, 0, 0},        {"reads", true, 0, 130},
        {"writes", true, 0, 130}, {"live", true, 0, 0},
        {"FLOP/B", true, 0, 110},
    };
    lpi_grid grid;
    int64_t i;

    lpi_page_heading(page, "Layers");
    lpi_put_shown(page, table->count, table->matched);
    if (page->view.filter) {
        lpi_text_put(&page->cells, " with '");
        lpi_put_name(&page->cells, page->view.filter);
        lpi_text_put(&page->cells, "'");
    }
    if (page->view.sort) {
        lpi_text_put(&page->cells, ", by ");
        lpi_text_put(&page->cells, page->view.sort);
    }
    lpi_page_heading_end(page);
    if (!table->count)
        return LP_OK;
    grid = lpi_grid_begin(page, columns, LPI_COUNT(columns));
    for (i = 0; i < table->count; i++)
        LP_TRY(
            layer_cells(&grid, table->rows[i], lp_cost_macs(&report->total)));
    lpi_grid_print(&grid);
    return LP_OK;
}

/* Layers of one operator that are not exact for one reason. */
typedef struct alike {
    const lp_row *first;
    int64_t layers;
} alike;

static bool is_of(const alike *group, const lp_row *row)
{
    const lp_row *first = group->first;

    return first->status == row->status && !strcmp(first->op, row->op) &&
           !strcmp(first->domain, row->domain) && !first->note == !row->note &&
           (!row->note || !strcmp(first->note, row->note));
}

/* Gather the layers of "report" that are not exact in at most MOST_INEXACT
 * "groups"; returns the number of such layers. */
static int64_t gather_inexact(const lp_report *report, alike *groups,
                              int32_t *ret_count)
{
    int64_t layers = 0, i;
    int32_t count = 0, g;

    for (i = 0; i < report->rows_count; i++) {
        const lp_row *row = &report->rows[i];

        if (row->status != LP_ESTIMATED && row->status != LP_UNKNOWN)
            continue;
        layers++;
        for (g = 0; g < count && !is_of(&groups[g], row);)
            g++;
        if (g == MOST_INEXACT)
            continue;
        if (g == count)
            groups[count++] = (alike){.first = row};
        groups[g].layers++;
    }
    *ret_count = count;
    return layers;
}

static const char *reason_of(const lp_row *row)
{
    if (row->note)
        return row->note;
    return row->status == LP_ESTIMATED
               ? "an upper bound: the size depends on data"
               : "not counted";
}

/* The operators whose cost is not exact, with the reason. */
static lp_status section_inexact(lpi_page *page, const lp_report *report)
{
    static const lpi_grid_column columns[] = {
        {"op", false, 12, 0},     {"layers", true, 0, 0},
        {"first", false, 16, 0},  {"status", false, 0, 0},
        {"reason", false, 24, 0},
    };
    alike groups[MOST_INEXACT];
    int64_t layers, shown = 0;
    int32_t count, g;
    lpi_grid grid;

    layers = gather_inexact(report, groups, &count);
    if (!layers)
        return LP_OK;
    for (g = 0; g < count; g++)
        shown += groups[g].layers;
    lpi_page_heading(page, "Not exact");
    lpi_put_shown(page, shown, layers);
    lpi_text_put(&page->cells, layers == 1 ? " layer" : " layers");
    lpi_page_heading_end(page);
    grid = lpi_grid_begin(page, columns, LPI_COUNT(columns));
    for (g = 0; g < count; g++) {
        const lp_row *row = groups[g].first;

        LP_TRY(lpi_grid_name(&grid, row->op));
        LP_TRY(lpi_grid_thousands(&grid, groups[g].layers));
        LP_TRY(lpi_grid_name(&grid, row->name));
        LP_TRY(lpi_grid_name(&grid, lpi_row_status_name(row->status)));
        LP_TRY(lpi_grid_name(&grid, reason_of(row)));
    }
    lpi_grid_print(&grid);
    return LP_OK;
}

lp_status lpi_text_section(lpi_page *page, const lp_report *report,
                           lp_table which)
{
    const lp_view view = page->view;
    lpi_table table;
    lp_status status;

    if (which == LP_TABLE_LAYERS && view.table == LP_TABLE_ALL &&
        !view.filter && !view.top) {
        page->view.top = MOST_LAYERS;
        page->view.sort = view.sort ? view.sort : "macs";
    }
    LP_TRY(lpi_table_of(page, report, which, &table));
    switch (which) {
    case LP_TABLE_MODULES:
        status = section_modules(page, report, &table);
        break;
    case LP_TABLE_SKIPS:
        status = lpi_text_skips(page, &table);
        break;
    case LP_TABLE_PEAK:
        status = lpi_text_peak(page, report, &table);
        break;
    case LP_TABLE_CONVENTIONS:
        section_conventions(page, &table);
        status = LP_OK;
        break;
    default:
        status = section_layers(page, report, &table);
        if (status == LP_OK && view.table == LP_TABLE_ALL)
            status = section_inexact(page, report);
    }
    page->view = view;
    return status;
}
