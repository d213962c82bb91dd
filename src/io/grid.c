/* grid.c: text in aligned columns.
 *
 * A grid gathers all its cells first, then knows how wide each column must be.
 * When the page is too narrow the widest of the columns that may be cut gives
 * way, one column of the terminal at a time.  Lines have no blanks at their
 * end. */
#include <string.h>

#include "io.h"

enum { MOST_COLUMNS = 16, GAP = 2, INDENT = 2 };

lpi_grid lpi_grid_begin(lpi_page *page, const lpi_grid_column *columns,
                        int32_t columns_count)
{
    LP_ASSERT(columns_count <= MOST_COLUMNS);
    page->cells.length = 0;
    return (lpi_grid){
        .page = page, .columns = columns, .columns_count = columns_count};
}

lp_status lpi_grid_next(lpi_grid *grid)
{
    if (!LPI_GROW(grid->page->scratch, grid->ends, grid->count, grid->room))
        return lpi_fail_memory(grid->page->error);
    grid->ends[grid->count++] = (int64_t)grid->page->cells.length;
    return LP_OK;
}

lp_status lpi_grid_count(lpi_grid *grid, int64_t value)
{
    lpi_put_count(&grid->page->cells, value);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_bytes(lpi_grid *grid, int64_t value)
{
    lpi_put_bytes(&grid->page->cells, value);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_thousands(lpi_grid *grid, int64_t value)
{
    lpi_put_thousands(&grid->page->cells, value);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_name(lpi_grid *grid, const char *name)
{
    lpi_put_name(&grid->page->cells, name);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_shape(lpi_grid *grid, lp_shape shape)
{
    lpi_shape_print(&grid->page->cells, shape);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_us(lpi_grid *grid, int64_t ns)
{
    lpi_text *cells = &grid->page->cells;

    if (!ns)
        lpi_text_put(cells, "-");
    else if (ns < 100000)
        lpi_put_fixed(cells, (double)ns / 1e3, 1);
    else
        lpi_put_thousands(cells, lpi_add(ns, 500) / 1000);
    return lpi_grid_next(grid);
}

lp_status lpi_grid_share(lpi_grid *grid, int64_t part, int64_t whole)
{
    if (whole)
        lpi_put_fixed(&grid->page->cells, 100.0 * (double)part / (double)whole,
                      1);
    return lpi_grid_next(grid);
}

/* Cell "i" in order of writing: its bytes, and their number. */
static const char *cell_at(const lpi_grid *grid, int64_t i, int64_t *ret_length)
{
    int64_t begin = i ? grid->ends[i - 1] : 0;

    *ret_length = grid->ends[i] - begin;
    return *ret_length ? grid->page->cells.bytes + begin : "";
}

/* Whether the page shows column "i". */
static bool is_shown(const lpi_grid *grid, int32_t i)
{
    return grid->columns[i].from <= grid->page->view.width;
}

/* Store in "widths" what each column takes, after some gave way. */
static void measure(const lpi_grid *grid, int64_t *widths)
{
    int64_t page = grid->page->view.width, over = INDENT - GAP - page, i;
    int32_t c, widest;

    for (c = 0; c < grid->columns_count; c++)
        widths[c] = (int64_t)strlen(grid->columns[c].head);
    for (i = 0; i < grid->count; i++) {
        int64_t length, columns;
        const char *bytes = cell_at(grid, i, &length);

        c = (int32_t)(i % grid->columns_count);
        columns = lpi_text_columns(bytes, length);
        if (columns > page && grid->columns[c].least)
            columns = page;
        if (columns > widths[c])
            widths[c] = columns;
    }
    for (c = 0; c < grid->columns_count; c++)
        over += is_shown(grid, c) ? widths[c] + GAP : 0;
    for (; over > 0; over--) {
        for (c = 0, widest = -1; c < grid->columns_count; c++)
            if (is_shown(grid, c) && grid->columns[c].least &&
                widths[c] > grid->columns[c].least &&
                (widest < 0 || widths[c] >= widths[widest]))
                widest = c;
        if (widest < 0)
            return;
        widths[widest]--;
    }
}

/* One cell of column "c"; blanks to its left are owed in "*blanks" and only
 * written before something visible. */
static void put_aligned(const lpi_grid *grid, int32_t c, const char *bytes,
                        int64_t length, const int64_t *widths, int64_t *blanks)
{
    int64_t columns = lpi_text_columns(bytes, length);
    int64_t spare = columns < widths[c] ? widths[c] - columns : 0;
    lpi_text *text = &grid->page->text;

    if (!columns) {
        *blanks += spare + GAP;
        return;
    }
    if (grid->columns[c].right)
        *blanks += spare;
    lpi_put_repeated(text, " ", *blanks);
    lpi_put_columns(text, bytes, length, columns, widths[c]);
    *blanks = GAP + (grid->columns[c].right ? 0 : spare);
}

static void put_head(const lpi_grid *grid, const int64_t *widths)
{
    int64_t blanks = INDENT;
    lpi_page *page = grid->page;
    int32_t c;

    lpi_text_put(&page->text, page->view.colour ? "\033[2m" : "");
    for (c = 0; c < grid->columns_count; c++) {
        const char *head = grid->columns[c].head;

        if (is_shown(grid, c))
            put_aligned(grid, c, head, (int64_t)strlen(head), widths, &blanks);
    }
    lpi_text_put(&page->text, page->view.colour ? "\033[0m\n" : "\n");
}

static void put_rule(const lpi_grid *grid, const int64_t *widths)
{
    int64_t total = -GAP;
    int32_t c;

    for (c = 0; c < grid->columns_count; c++)
        total += is_shown(grid, c) ? widths[c] + GAP : 0;
    lpi_put_repeated(&grid->page->text, " ", INDENT);
    lpi_put_repeated(&grid->page->text, "─", total);
    lpi_text_put(&grid->page->text, "\n");
}

void lpi_grid_print(const lpi_grid *grid)
{
    int64_t widths[MOST_COLUMNS], blanks = INDENT, i;

    if (grid->page->cells.failed)
        return;
    measure(grid, widths);
    put_head(grid, widths);
    for (i = 0; i < grid->count; i++) {
        int32_t c = (int32_t)(i % grid->columns_count);
        int64_t length;
        const char *bytes = cell_at(grid, i, &length);

        if (c == 0 && grid->rule && i == grid->rule * grid->columns_count)
            put_rule(grid, widths);
        if (is_shown(grid, c))
            put_aligned(grid, c, bytes, length, widths, &blanks);
        if (c == grid->columns_count - 1) {
            lpi_text_put(&grid->page->text, "\n");
            blanks = INDENT;
        }
    }
}
