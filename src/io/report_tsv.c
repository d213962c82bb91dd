/* report_tsv.c: one table of a report as tab-separated values.
 *
 * The first line names the columns.  Names are escaped, so that a line is a
 * row and a tab ends a cell whatever a file calls its layers; what is not
 * known is '?', what is not defined '-'. */
#include <math.h>

#include "io.h"

static void put_cell(lpi_text *text, const lpi_cell *cell)
{
    switch (cell->kind) {
    case LPI_CELL_COUNT:
        lpi_put_int(text, cell->count);
        break;
    case LPI_CELL_NAME:
        lpi_put_name(text, cell->name);
        break;
    case LPI_CELL_SHAPE:
        lpi_shape_print(text, cell->shape);
        break;
    case LPI_CELL_REAL:
        if (isnan(cell->real))
            lpi_text_append(text, "-", 1);
        else
            lpi_put_real(text, cell->real);
    }
}

void lpi_tsv_table(lpi_text *text, const lpi_table *table)
{
    const lpi_column *column;
    int64_t i;

    for (column = table->columns; column->name; column++) {
        lpi_text_put(text, column->name);
        lpi_text_append(text, column[1].name ? "\t" : "\n", 1);
    }
    for (i = 0; i < table->count; i++) {
        for (column = table->columns; column->name; column++) {
            lpi_cell cell = lpi_cell_get(column, table->rows[i]);

            put_cell(text, &cell);
            lpi_text_append(text, column[1].name ? "\t" : "\n", 1);
        }
    }
}

lp_status lpi_report_tsv(lpi_page *page, const lp_report *report)
{
    lp_table which = page->view.table;
    lpi_table table;

    if (which == LP_TABLE_ALL)
        which = LP_TABLE_LAYERS;
    LP_TRY(lpi_table_of(page, report, which, &table));
    lpi_tsv_table(&page->text, &table);
    return LP_OK;
}
