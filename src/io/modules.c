/* modules.c: the modules that part a network at one depth.
 *
 * A report lists modules of every depth, each with all that lies below it.
 * Taking those of depth N, and shallower ones that have nothing below them at
 * depth N, gives a partition; what lies directly in a module that is opened up
 * (or in none) is gathered in one more row, so that the costs of the rows sum
 * to the total of the network. */
#include <string.h>

#include "io.h"

/* The first "depth" components of "path", in "arena"; NULL without memory. */
static const char *path_head(lpi_arena *arena, const char *path, int32_t depth)
{
    const char *at = path;

    while (*at && depth--)
        at += 1 + strcspn(at + 1, "/");
    return *at ? lpi_arena_strndup(arena, path, (size_t)(at - path)) : path;
}

/* Parents of modules at "depth" or above: those are opened up. */
static lp_status opened(lpi_page *page, const lp_report *report, int32_t depth,
                        lpi_map *ret_map)
{
    int64_t i;

    for (i = 0; i < report->modules_count; i++) {
        const lp_module_row *module = &report->modules[i];
        const char *parent;

        if (module->depth < 2 || module->depth > depth)
            continue;
        parent = path_head(page->scratch, module->path, module->depth - 1);
        if (!parent || !lpi_map_set(ret_map, parent, i))
            return lpi_fail_memory(page->error);
    }
    return LP_OK;
}

/* Add to "rest" the listed layers that lie in none of the modules in "map". */
static lp_status gather_rest(lpi_page *page, const lp_report *report,
                             int32_t depth, const lpi_map *map,
                             lp_module_row *rest)
{
    const char *before = NULL;
    bool inside = false;
    int64_t i;

    for (i = 0; i < report->rows_count; i++) {
        const lp_row *row = &report->rows[i];

        if (row->status == LP_FOLDED)
            continue;
        if (!before || strcmp(before, row->module) != 0) {
            const char *head = path_head(page->scratch, row->module, depth);

            if (!head)
                return lpi_fail_memory(page->error);
            before = row->module;
            inside = lpi_map_get(map, head) >= 0;
        }
        if (inside)
            continue;
        rest->layers++;
        lpi_cost_add(&rest->cost, &row->cost);
        if (row->live_bytes > rest->live_peak_bytes)
            rest->live_peak_bytes = row->live_bytes;
    }
    return LP_OK;
}

lp_status lpi_modules_at(lpi_page *page, const lp_report *report, int32_t depth,
                         const lp_module_row **ret_rows, int64_t *ret_count)
{
    lpi_map *parents = lpi_map_new(page->scratch);
    lpi_map *shown = lpi_map_new(page->scratch);
    lp_module_row *rows =
        LPI_NEW(page->scratch, lp_module_row, report->modules_count + 1);
    lp_module_row rest = {.path = "(other layers)"};
    int64_t count = 0, i;

    if (!parents || !shown || !rows)
        return lpi_fail_memory(page->error);
    if (depth < 1)
        depth = 1;
    LP_TRY(opened(page, report, depth, parents));
    for (i = 0; i < report->modules_count; i++) {
        const lp_module_row *module = &report->modules[i];

        if (module->depth > depth ||
            (module->depth < depth && lpi_map_get(parents, module->path) >= 0))
            continue;
        if (!lpi_map_set(shown, module->path, i))
            return lpi_fail_memory(page->error);
        rows[count++] = *module;
    }
    LP_TRY(gather_rest(page, report, depth, shown, &rest));
    if (rest.layers)
        rows[count++] = rest;
    *ret_rows = rows;
    *ret_count = count;
    return LP_OK;
}
