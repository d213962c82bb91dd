/* diff.c: two reports side by side per module.
 *
 * The rows are the modules that part the first network at the depth of the
 * view, in its order, then those that only the second has; a module that one
 * of them lacks counts as zero there.  The last row is the whole network. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "io.h"

/* What is compared; "after" follows "before", see get_change. */
typedef struct pair {
    int64_t before, after;
} pair;

typedef struct diff_row {
    const char *module;
    pair params, macs, weight_bytes, live_peak_bytes;
} diff_row;

typedef struct sides {
    lpi_page *page;
    const lp_report *before, *after;
    diff_row *rows;
    int64_t count;
    diff_row total;
    bool is_same; /* layer by layer */
} sides;

static lpi_cell get_change(const void *field)
{
    const pair *both = field;

    return (lpi_cell){.kind = LPI_CELL_COUNT,
                      .count = both->after - both->before};
}

/* Percent of "before", not defined when that is 0. */
static lpi_cell get_percent(const void *field)
{
    const pair *both = field;
    double change = (double)(both->after - both->before);

    return (lpi_cell){.kind = LPI_CELL_REAL,
                      .real = both->before ? 100 * change / (double)both->before
                                           : NAN};
}

#define PAIR(field)                                                            \
    {#field "_before", LPI_CELL_COUNT, offsetof(diff_row, field.before),       \
     false, NULL},                                                             \
        {#field "_after", LPI_CELL_COUNT, offsetof(diff_row, field.after),     \
         false, NULL},                                                         \
        {#field "_change", LPI_CELL_COUNT, offsetof(diff_row, field), false,   \
         get_change},                                                          \
    {                                                                          \
#field "_percent", LPI_CELL_REAL, offsetof(diff_row, field), false,    \
            get_percent                                                        \
    }

static const lpi_column columns[] = {
    {"module", LPI_CELL_NAME, offsetof(diff_row, module), true, NULL},
    PAIR(params),
    PAIR(macs),
    PAIR(weight_bytes),
    PAIR(live_peak_bytes),
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static const struct {
    const char *title;
    size_t offset;
    bool bytes;
} quantities[] = {
    {"Parameters", offsetof(diff_row, params), false},
    {"MACs", offsetof(diff_row, macs), false},
    {"Weights", offsetof(diff_row, weight_bytes), true},
    {"Live peak", offsetof(diff_row, live_peak_bytes), true},
};

static const pair *pair_of(const diff_row *row, int32_t quantity)
{
    return (const pair *)((const char *)row + quantities[quantity].offset);
}

static bool is_changed(const diff_row *row, int32_t quantity)
{
    const pair *both = pair_of(row, quantity);

    return both->before != both->after;
}

/* Store "cost" and "peak" as one side of "row". */
static void set_side(diff_row *row, bool after, const lp_cost *cost,
                     int64_t peak)
{
    *(after ? &row->params.after : &row->params.before) = cost->params;
    *(after ? &row->macs.after : &row->macs.before) = lp_cost_macs(cost);
    *(after ? &row->weight_bytes.after : &row->weight_bytes.before) =
        cost->weight_bytes;
    *(after ? &row->live_peak_bytes.after : &row->live_peak_bytes.before) =
        peak;
}

static bool is_same_shape(lp_shape a, lp_shape b)
{
    return a.rank == b.rank &&
           (a.rank <= 0 ||
            !memcmp(a.dims, b.dims, (size_t)a.rank * sizeof(*a.dims)));
}

static bool is_same_row(const lp_row *a, const lp_row *b)
{
    int32_t i;

    if (strcmp(a->name, b->name) != 0 || strcmp(a->op, b->op) != 0 ||
        strcmp(a->domain, b->domain) != 0 || a->status != b->status ||
        a->live_bytes != b->live_bytes ||
        a->outputs_count != b->outputs_count ||
        memcmp(&a->cost, &b->cost, sizeof(a->cost)) != 0)
        return false;
    for (i = 0; i < a->outputs_count; i++)
        if (a->outputs[i].dtype != b->outputs[i].dtype ||
            !is_same_shape(a->outputs[i].shape, b->outputs[i].shape))
            return false;
    return true;
}

static bool is_same(const lp_report *a, const lp_report *b)
{
    int64_t i;

    if (a->rows_count != b->rows_count ||
        memcmp(&a->total, &b->total, sizeof(a->total)) != 0)
        return false;
    for (i = 0; i < a->rows_count; i++)
        if (!is_same_row(&a->rows[i], &b->rows[i]))
            return false;
    return true;
}

/* Fill the rows of "diff" from both reports. */
static lp_status match_modules(sides *diff)
{
    const lp_report *reports[] = {diff->before, diff->after};
    const lp_module_row *modules[2];
    int64_t counts[2], at, i;
    lpi_page *page = diff->page;
    lpi_map *places = lpi_map_new(page->scratch);
    int32_t side;

    for (side = 0; side < 2; side++)
        LP_TRY(lpi_modules_at(page, reports[side], page->view.depth,
                              &modules[side], &counts[side]));
    diff->rows = LPI_NEW(page->scratch, diff_row, counts[0] + counts[1]);
    if (!diff->rows || !places)
        return lpi_fail_memory(page->error);
    for (side = 0; side < 2; side++) {
        for (i = 0; i < counts[side]; i++) {
            const lp_module_row *module = &modules[side][i];

            at = lpi_map_get(places, module->path);
            if (at < 0) {
                at = diff->count++;
                diff->rows[at].module = module->path;
                if (!lpi_map_set(places, module->path, at))
                    return lpi_fail_memory(page->error);
            }
            set_side(&diff->rows[at], side, &module->cost,
                     module->live_peak_bytes);
        }
        set_side(&diff->total, side, &reports[side]->total,
                 reports[side]->live_peak_bytes);
    }
    diff->total.module = "total";
    return LP_OK;
}

/* "+1.2 M" and its like, in "cells". */
static void put_change(lpi_text *cells, int64_t change, bool bytes)
{
    lpi_text_put(cells, change > 0 ? "+" : "");
    if (bytes)
        lpi_put_bytes(cells, change);
    else
        lpi_put_count(cells, change);
}

static lp_status put_row(lpi_grid *grid, const diff_row *row, int32_t quantity)
{
    const pair *both = pair_of(row, quantity);
    bool bytes = quantities[quantity].bytes;
    void (*put)(lpi_text *, int64_t) = bytes ? lpi_put_bytes : lpi_put_count;
    lpi_text *cells = &grid->page->cells;
    double percent = get_percent(both).real;

    LP_TRY(lpi_grid_name(grid, row->module));
    put(cells, both->before);
    LP_TRY(lpi_grid_next(grid));
    put(cells, both->after);
    LP_TRY(lpi_grid_next(grid));
    put_change(cells, both->after - both->before, bytes);
    LP_TRY(lpi_grid_next(grid));
    if (isnan(percent)) {
        lpi_text_put(cells, both->after ? "new" : "-");
    } else {
        lpi_text_put(cells, percent > 0 ? "+" : "");
        lpi_put_fixed(cells, percent, 1);
        lpi_text_put(cells, " %");
    }
    return lpi_grid_next(grid);
}

/* The modules of "table" in which "quantity" differs, and the total. */
static lp_status put_quantity(const sides *diff, const lpi_table *table,
                              int32_t quantity)
{
    static const lpi_grid_column heads[] = {
        {"module", false, 16, 0}, {"before", true, 0, 0}, {"after", true, 0, 0},
        {"change", true, 0, 0},   {"", true, 0, 0},
    };
    lpi_page *page = diff->page;
    int64_t differ = 0, i;
    lpi_grid grid;

    for (i = 0; i < table->count; i++)
        differ += is_changed(table->rows[i], quantity);
    lpi_page_heading(page, quantities[quantity].title);
    lpi_put_thousands(&page->cells, differ);
    lpi_text_put(&page->cells, " of ");
    lpi_put_thousands(&page->cells, table->count);
    lpi_text_put(&page->cells, " modules differ");
    lpi_page_heading_end(page);
    grid = lpi_grid_begin(page, heads, LPI_COUNT(heads));
    grid.rule = differ;
    for (i = 0; i < table->count; i++)
        if (is_changed(table->rows[i], quantity))
            LP_TRY(put_row(&grid, table->rows[i], quantity));
    LP_TRY(put_row(&grid, &diff->total, quantity));
    lpi_grid_print(&grid);
    return LP_OK;
}

static lp_status put_text(const sides *diff, const lpi_table *table)
{
    lpi_page *page = diff->page;
    int32_t quantity;

    lpi_put_name(&page->text, diff->before->model);
    lpi_text_put(&page->text, " -> ");
    lpi_put_name(&page->text, diff->after->model);
    lpi_text_put(&page->text, "\n");
    if (diff->is_same)
        lpi_text_put(&page->text, "identical: every layer has the same name, "
                                  "operator, shapes and cost\n");
    for (quantity = 0; quantity < LPI_COUNT(quantities); quantity++)
        LP_TRY(put_quantity(diff, table, quantity));
    return LP_OK;
}

static lp_status put_tsv(const sides *diff, lpi_table *table)
{
    const void **rows =
        LPI_NEW(diff->page->scratch, const void *, table->count + 1);

    if (!rows)
        return lpi_fail_memory(diff->page->error);
    if (table->count)
        memcpy(rows, table->rows, (size_t)table->count * sizeof(*rows));
    rows[table->count++] = &diff->total;
    table->rows = rows;
    lpi_tsv_table(&diff->page->text, table);
    return LP_OK;
}

static lp_status put_json(const sides *diff, const lpi_table *table)
{
    lpi_text *text = &diff->page->text;

    lpi_text_put(text, "{\"before\": ");
    lpi_json_string(text, diff->before->model);
    lpi_text_put(text, ", \"after\": ");
    lpi_json_string(text, diff->after->model);
    lpi_text_put(text, ", \"identical\": ");
    lpi_text_put(text, diff->is_same ? "true" : "false");
    lpi_text_put(text, ",\n\"modules\": ");
    lpi_json_table(text, table, NULL);
    lpi_text_put(text, ",\n\"total\": {");
    lpi_json_members(text, columns, &diff->total);
    lpi_text_put(text, "}}\n");
    return LP_OK;
}

static lp_status put_diff(sides *diff)
{
    lpi_page *page = diff->page;
    lpi_table table;

    LP_TRY(match_modules(diff));
    diff->is_same = is_same(diff->before, diff->after);
    table = (lpi_table){.name = "modules",
                        .columns = columns,
                        .all = diff->rows,
                        .all_count = diff->count,
                        .size = sizeof(diff_row)};
    LP_TRY(lpi_table_choose(page, &table, true));
    switch (page->view.format) {
    case LP_FORMAT_TSV:
        return put_tsv(diff, &table);
    case LP_FORMAT_JSON:
        return put_json(diff, &table);
    case LP_FORMAT_NETRON:
        return lpi_fail(page->error, LP_EINPUT, NULL,
                        "a Netron attachment is of one model, not of two");
    case LP_FORMAT_TEXT:
        break;
    }
    return put_text(diff, &table);
}

lp_status lp_diff_write(const lp_report *before, const lp_report *after,
                        const lp_view *view, char **ret_text,
                        size_t *ret_length, lp_error *error)
{
    sides diff = {.before = before, .after = after};
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, view, error));
    diff.page = &page;
    status = put_diff(&diff);
    return lpi_page_close(&page, status, ret_text, ret_length);
}
