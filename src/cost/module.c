/* module.c: sums by module.
 *
 * A module path "/a/b/c" names the modules /a, /a/b and /a/b/c.  A module gets
 * its row the first time that it, or one inside it, appears, so that a row
 * stands behind the one of its parent.  Layers are added to the row of their
 * own path; then, from the last row to the first, each is added to its parent:
 * linear time.  Paths deeper than DEEPEST count as their first DEEPEST names.
 * Layers without a module are in no row. */
#include <string.h>

#include "cost.h"

enum { DEEPEST = 64 };

typedef struct modules {
    lpi_arena *arena;
    lp_module_row *rows;
    int64_t *parents; /* by row; -1 at depth 1 */
    int64_t count, rows_room, parents_room;
    lpi_map *at; /* path to row */
} modules;

/* The row of "path" (copied), made now if need be; -1 without memory. */
static int64_t find_row(modules *m, const char *path, int32_t depth,
                        int64_t parent)
{
    int64_t at = lpi_map_get(m->at, path);
    char *copy;

    if (at >= 0)
        return at;
    copy = lpi_arena_strdup(m->arena, path);
    if (!copy || !LPI_GROW(m->arena, m->rows, m->count, m->rows_room) ||
        !LPI_GROW(m->arena, m->parents, m->count, m->parents_room) ||
        !lpi_map_set(m->at, copy, m->count))
        return -1;
    m->rows[m->count] = (lp_module_row){.path = copy, .depth = depth};
    m->parents[m->count] = parent;
    return m->count++;
}

/* The row of the layers whose module is "path", with those of all modules
 * around it; -1 without memory. */
static int64_t find_rows(modules *m, const char *path)
{
    int64_t row = lpi_map_get(m->at, path);
    size_t length = strlen(path), end;
    int32_t depth = 0;
    char *copy;

    if (row >= 0)
        return row;
    copy = lpi_arena_strdup(m->arena, path);
    for (end = 1; copy && end <= length && depth < DEEPEST; end++) {
        if (end < length && path[end] != '/')
            continue;
        copy[end] = '\0';
        row = find_row(m, copy, ++depth, row);
        copy[end] = path[end];
        if (row < 0)
            return -1;
    }
    return copy && lpi_map_set(m->at, path, row) ? row : -1;
}

static void add_row(lp_module_row *sum, int64_t layers, const lp_cost *cost,
                    int64_t live_bytes)
{
    sum->layers += layers;
    lpi_cost_add(&sum->cost, cost);
    if (live_bytes > sum->live_peak_bytes)
        sum->live_peak_bytes = live_bytes;
}

lp_status lpi_module_list(lpi_arena *arena, lp_report *report, lp_error *error)
{
    modules m = {.arena = arena, .at = lpi_map_new(arena)};
    int64_t i;

    if (!m.at)
        return lpi_fail_memory(error);
    for (i = 0; i < report->rows_count; i++) {
        const lp_row *row = &report->rows[i];
        int64_t at;

        if (row->status == LP_FOLDED || !*row->module)
            continue;
        at = find_rows(&m, row->module);
        if (at < 0)
            return lpi_fail_memory(error);
        add_row(&m.rows[at], 1, &row->cost, row->live_bytes);
    }
    for (i = m.count - 1; i >= 0; i--)
        if (m.parents[i] >= 0)
            add_row(&m.rows[m.parents[i]], m.rows[i].layers, &m.rows[i].cost,
                    m.rows[i].live_peak_bytes);
    report->modules = m.rows;
    report->modules_count = m.count;
    return LP_OK;
}
