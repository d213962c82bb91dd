/* break_even.c: the break-even map of a plan as text, TSV and JSON: which
 * tensors that wait had better be copied away, and which computed again. */
#include <math.h>
#include <string.h>

#include "io.h"

#define COUNT(field)                                                           \
    {                                                                          \
#field, LPI_CELL_COUNT, offsetof(lp_break_even, field), false, NULL    \
    }
#define NAME(field)                                                            \
    {                                                                          \
#field, LPI_CELL_NAME, offsetof(lp_break_even, field), true, NULL      \
    }
#define REAL(field)                                                            \
    {                                                                          \
#field, LPI_CELL_REAL, offsetof(lp_break_even, field), false, NULL     \
    }

static const lpi_column columns[] = {
    NAME(tensor),
    NAME(producer),
    NAME(consumer),
    COUNT(bytes),
    COUNT(from),
    COUNT(to),
    COUNT(runs),
    COUNT(ops),
    REAL(ops_per_byte),
    REAL(flips_fresh),
    REAL(flips_clean),
    COUNT(weight_bytes),
    COUNT(recompute_ns),
    COUNT(spill_ns),
    COUNT(reload_ns),
    NAME(cheaper),
    NAME(plan),
    COUNT(input_bytes),
    {NULL, LPI_CELL_NAME, 0, 0, NULL},
};

/* Operations per byte that the device of "map" is balanced at. */
static double balance(const lp_break_even_map *map)
{
    return map->bytes_per_s ? (double)map->ops_per_s / (double)map->bytes_per_s
                            : NAN;
}

/* ---- text ------------------------------------------------------------------
 */

/* "real" as a whole number with commas. */
static lp_status put_whole(lpi_grid *grid, double real)
{
    if (isnan(real))
        return lpi_grid_name(grid, "-");
    return real < 10 ? (lpi_put_fixed(&grid->page->cells, real, 1),
                        lpi_grid_next(grid))
                     : lpi_grid_thousands(grid, (int64_t)(real + 0.5));
}

/* A verdict, in few letters. */
static lp_status put_word(lpi_grid *grid, const char *word)
{
    return lpi_grid_name(grid, !*word                           ? "-"
                               : !strncmp(word, "recompute", 9) ? "again"
                                                                : word);
}

static lp_status put_row(lpi_grid *grid, const lp_break_even *row)
{
    LP_TRY(lpi_grid_bytes(grid, row->bytes));
    LP_TRY(lpi_grid_name(grid, row->tensor));
    LP_TRY(put_whole(grid, row->ops_per_byte));
    LP_TRY(put_whole(grid, row->flips_fresh));
    LP_TRY(lpi_grid_bytes(grid, row->weight_bytes));
    LP_TRY(lpi_grid_us(grid, row->recompute_ns));
    LP_TRY(lpi_grid_us(grid, lpi_add(row->spill_ns, row->reload_ns)));
    LP_TRY(put_word(grid, row->cheaper));
    LP_TRY(put_word(grid, row->plan));
    LP_TRY(lpi_grid_thousands(grid, row->from));
    return lpi_grid_thousands(grid, row->to);
}

/* What the device can do, beside the heading. */
static void put_heading(lpi_page *page, const lp_break_even_map *map,
                        const lpi_table *table)
{
    lpi_page_heading(page, "Break-even map");
    lpi_put_shown(page, table->count, table->matched);
    lpi_text_put(&page->cells,
                 table->matched == 1 ? " tensor waits" : " tensors wait");
    lpi_text_put(&page->cells, " across ");
    lpi_put_thousands(&page->cells, map->distance);
    lpi_text_put(&page->cells, " runs or more");
    if (map->bytes_per_s) {
        lpi_text_printf(&page->cells, ", in %s; ", lp_dtype_name(map->dtype));
        lpi_put_name(&page->cells, map->device);
        lpi_text_put(&page->cells, " does ");
        lpi_put_count(&page->cells, map->ops_per_s);
        lpi_text_put(&page->cells, " operations and copies ");
        lpi_put_count(&page->cells, map->bytes_per_s);
        lpi_text_put(&page->cells, " bytes a second: ");
        lpi_put_real(&page->cells, balance(map));
        lpi_text_put(&page->cells, " operations a byte");
    }
    lpi_page_heading_end(page);
}

/* What inputs of the graph must wait for, if anything is computed again. */
static void put_inputs(lpi_page *page, const lp_break_even_map *map)
{
    int64_t count = 0, i;

    for (i = 0; i < map->count; i++)
        count += map->rows[i].input_bytes > 0;
    if (!count)
        return;
    lpi_text_printf(&page->cells,
                    "Inputs of the graph are taken to be there; %lld of %lld "
                    "need some that nobody else reads any more by then "
                    "(input_bytes in TSV and JSON).",
                    (long long)count, (long long)map->count);
    lpi_page_wrap_cells(page, 0);
    page->cells.length = 0;
}

/* How many rows are cheaper to compute again, and what would change it. */
static void put_verdict(lpi_page *page, const lp_break_even_map *map)
{
    int64_t again = 0, light = 0, i;

    if (!map->bytes_per_s || !map->count)
        return;
    for (i = 0; i < map->count; i++) {
        const lp_break_even *row = &map->rows[i];

        again += !strcmp(row->cheaper, "recompute");
        light += row->runs >= 0 && row->flips_fresh < balance(map);
    }
    lpi_text_printf(&page->cells,
                    "Computing again is cheaper than copying away and back "
                    "for %lld of %lld",
                    (long long)again, (long long)map->count);
    if (light != again)
        lpi_text_printf(&page->cells,
                        "; with the weights there already, for %lld",
                        (long long)light);
    lpi_text_put(&page->cells, ".");
    lpi_page_wrap_cells(page, 0);
}

static lp_status put_text(lpi_page *page, const lp_break_even_map *map,
                          const lpi_table *table)
{
    static const lpi_grid_column heads[] = {
        {"bytes", true, 0, 0},     {"tensor", false, 24, 0},
        {"ops/byte", true, 0, 0},  {"flips at", true, 0, 0},
        {"weights", true, 0, 130}, {"again us", true, 0, 0},
        {"copy us", true, 0, 0},   {"cheaper", false, 0, 0},
        {"plan", false, 0, 0},     {"from", true, 0, 130},
        {"to", true, 0, 130},
    };
    lpi_grid grid;
    int64_t i;

    put_heading(page, map, table);
    grid = lpi_grid_begin(page, heads, LPI_COUNT(heads));
    for (i = 0; i < table->count; i++)
        LP_TRY(put_row(&grid, table->rows[i]));
    if (table->count)
        lpi_grid_print(&grid);
    page->cells.length = 0;
    put_inputs(page, map);
    put_verdict(page, map);
    return LP_OK;
}

/* ---- JSON ------------------------------------------------------------------
 */

static void put_json(lpi_text *text, const lp_break_even_map *map,
                     const lpi_table *table)
{
    double at = balance(map);

    lpi_text_put(text, "{\"device\": ");
    lpi_json_string(text, map->device);
    lpi_text_printf(text,
                    ", \"dtype\": \"%s\", \"distance\": %lld, \"ops_per_s\": "
                    "%lld, \"bytes_per_s\": %lld, \"balance\": ",
                    lp_dtype_name(map->dtype), (long long)map->distance,
                    (long long)map->ops_per_s, (long long)map->bytes_per_s);
    if (isnan(at))
        lpi_text_put(text, "null");
    else
        lpi_put_real(text, at);
    lpi_text_put(text, ",\n \"waits\": ");
    lpi_json_table(text, table, NULL);
    lpi_text_put(text, "}\n");
}

lp_status lp_break_even_write(const lp_break_even_map *map, const lp_view *view,
                              char **ret_text, size_t *ret_length,
                              lp_error *error)
{
    lpi_table table = {.name = "waits",
                       .columns = columns,
                       .all = map->rows,
                       .size = sizeof(lp_break_even),
                       .all_count = map->count};
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, view, error));
    status = lpi_table_choose(&page, &table, true);
    if (status == LP_OK && page.view.format == LP_FORMAT_TEXT)
        status = put_text(&page, map, &table);
    else if (status == LP_OK && page.view.format == LP_FORMAT_TSV)
        lpi_tsv_table(&page.text, &table);
    else if (status == LP_OK && page.view.format == LP_FORMAT_JSON)
        put_json(&page.text, map, &table);
    else if (status == LP_OK)
        status = lpi_fail(error, LP_EINVALID, NULL,
                          "break-even maps are written as text, TSV or JSON");
    return lpi_page_close(&page, status, ret_text, ret_length);
}
