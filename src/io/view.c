/* view.c: which rows of a table a view shows, and in which order.
 *
 * Choosing is: leave out folded layers, filter, sort by one column, cut.  The
 * sort is stable (equal rows stay in the order of the network), so that the
 * same view always gives the same bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

/* A row and what it is sorted by; "place" keeps the sort stable. */
typedef struct entry {
    lpi_cell cell;
    const void *row;
    int64_t place;
} entry;

/* A shape counts as its elements. */
static double cell_number(const lpi_cell *cell)
{
    if (cell->kind == LPI_CELL_SHAPE)
        return (double)lpi_shape_elements(cell->shape);
    return isnan(cell->real) ? -HUGE_VAL : cell->real;
}

/* Numbers fall, names rise; equal ones stay in place. */
static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int order;

    if (a->cell.kind == LPI_CELL_NAME) {
        order = strcmp(a->cell.name ? a->cell.name : "",
                       b->cell.name ? b->cell.name : "");
    } else if (a->cell.kind == LPI_CELL_COUNT) {
        order = (a->cell.count < b->cell.count) -
                (a->cell.count > b->cell.count);
    } else {
        double x = cell_number(&a->cell), y = cell_number(&b->cell);

        order = (x < y) - (x > y);
    }
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* The column of "table" called "name"; LP_EINPUT names all there are. */
static lp_status find_column(const lpi_page *page, const lpi_table *table,
                             const char *name, const lpi_column **ret_column)
{
    char names[512];
    size_t length = 0;
    const lpi_column *column;

    for (column = table->columns; column->name; column++) {
        if (!strcmp(column->name, name)) {
            *ret_column = column;
            return LP_OK;
        }
        length += (size_t)snprintf(names + length, sizeof(names) - length,
                                   " %s", column->name);
        LP_ASSERT(length < sizeof(names));
    }
    return lpi_fail(page->error, LP_EINPUT, NULL,
                    "cannot sort %s by '%.100s': the columns are%s",
                    table->name, name, names);
}

static lp_status sort_rows(lpi_page *page, lpi_table *table)
{
    entry *entries;
    const lpi_column *column;
    int64_t i;

    LP_TRY(find_column(page, table, page->view.sort, &column));
    entries = LPI_NEW(page->scratch, entry, table->count);
    if (!entries)
        return lpi_fail_memory(page->error);
    for (i = 0; i < table->count; i++)
        entries[i] = (entry){.cell = lpi_cell_get(column, table->rows[i]),
                             .row = table->rows[i],
                             .place = i};
    qsort(entries, (size_t)table->count, sizeof(entry), compare_entries);
    for (i = 0; i < table->count; i++)
        table->rows[i] = entries[i].row;
    return LP_OK;
}

/* "filter" is a part of one of the columns that are searched. */
static bool passes(const lpi_table *table, const void *row, const char *filter)
{
    const lpi_column *column;

    if (!filter)
        return true;
    for (column = table->columns; column->name; column++) {
        if (column->searched) {
            const char *name = lpi_cell_get(column, row).name;

            if (name && strstr(name, filter))
                return true;
        }
    }
    return false;
}

/* Whether the view of "page" leaves "row" out. */
static bool is_left_out(const lpi_page *page, const lpi_table *table,
                        const void *row, bool filtered)
{
    if (table->is_layers && !page->view.all &&
        ((const lp_row *)row)->status == LP_FOLDED)
        return true;
    return filtered && !passes(table, row, page->view.filter);
}

lp_status lpi_table_choose(lpi_page *page, lpi_table *table, bool filtered)
{
    const lp_view *view = &page->view;
    const char *row = table->all;
    int64_t i;

    table->count = 0;
    table->rows = LPI_NEW(page->scratch, const void *, table->all_count);
    if (!table->rows)
        return lpi_fail_memory(page->error);
    for (i = 0; i < table->all_count; i++, row += table->size)
        if (!is_left_out(page, table, row, filtered))
            table->rows[table->count++] = row;
    table->matched = table->count;
    if (!filtered)
        return LP_OK;
    if (view->sort)
        LP_TRY(sort_rows(page, table));
    if (view->top > 0 && table->count > view->top)
        table->count = view->top;
    return LP_OK;
}
