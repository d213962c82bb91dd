/* schedule_runs.c: the sections that say what runs: groups, and their and the
 * layers' executions in order. */
#include <string.h>

#include "io.h"

static const char *const overlaps[] = {"recompute", "keep", NULL};

typedef struct group_entry {
    lp_line line;
    int32_t overlap;
    const char *name;
    const lpi_yaml *layers, *tiles;
} group_entry;

static const lpi_field group_fields[] = {
    LPI_FIELD(group_entry, name, "name", TEXT, true),
    LPI_FIELD(group_entry, layers, "layers", NODE, true),
    LPI_FIELD(group_entry, tiles, "tiles", NODE, true),
    {.key = "overlap",
     .kind = LPI_FIELD_WORD,
     .offset = offsetof(group_entry, overlap),
     .words = overlaps},
    {.key = NULL},
};

typedef struct tile_entry {
    lp_line line;
    const char *axis;
    int64_t extent;
} tile_entry;

static const lpi_field tile_fields[] = {
    LPI_FIELD(tile_entry, axis, "axis", TEXT, true),
    LPI_FIELD(tile_entry, extent, "extent", INT, true),
    {.key = NULL},
};

static lp_status read_group_layers(lpi_reader *r, const lpi_yaml *node,
                                   lp_group *group)
{
    lp_layer **layers;
    int64_t i;

    LP_TRY(lpi_node_list(r, node, "layers"));
    layers = LPI_NEW(r->schedule->arena, lp_layer *, node->count);
    if (!layers)
        return lpi_fail_memory(r->error);
    if (node->count < 1 || node->count > INT32_MAX)
        return lpi_yaml_fail(r->name, node->line, r->error,
                             "groups: a group has layers");
    for (i = 0; i < node->count; i++) {
        const lpi_yaml *item = &node->items[i];

        layers[i] = item->kind == LPI_YAML_TEXT
                        ? lpi_layer_named(&r->layers, item->text)
                        : NULL;
        if (!layers[i])
            return lpi_yaml_fail(r->name, item->line, r->error,
                                 "groups: the model has no layer '%.200s'",
                                 item->text ? item->text : "");
    }
    group->layers = layers;
    group->layers_count = (int32_t)node->count;
    return LP_OK;
}

/* The number of an axis, or that of "reduction"; LPI_RANKS: neither. */
static int32_t axis_called(const char *text)
{
    if (!strcmp(text, "reduction"))
        return LP_AXIS_REDUCTION;
    return text[0] >= '0' && text[0] < '0' + LPI_RANKS && !text[1]
               ? text[0] - '0'
               : LPI_RANKS;
}

static lp_status read_tiles(lpi_reader *r, const lpi_yaml *node,
                            lp_group *group)
{
    const tile_entry *entries;
    int64_t count, i, j;
    lp_tile *tiles;
    void *list;

    LP_TRY(lpi_records_read(r, node, LPI_RECORDS(tile_entry, tile_fields),
                            &list, &count));
    entries = list;
    tiles = LPI_NEW(r->schedule->arena, lp_tile, count);
    if (!tiles)
        return lpi_fail_memory(r->error);
    for (i = 0; i < count; i++) {
        int32_t axis = axis_called(entries[i].axis);
        bool twice = false;

        for (j = 0; j < i; j++)
            twice = twice || tiles[j].axis == axis;
        if (twice || axis == LPI_RANKS || entries[i].extent < 1)
            return lpi_yaml_fail(r->name, entries[i].line, r->error,
                                 "tiles: an axis from 0 to %d or 'reduction', "
                                 "once, and an extent above zero",
                                 LPI_RANKS - 1);
        tiles[i] = (lp_tile){axis, entries[i].extent};
    }
    group->tiles = tiles;
    group->tiles_count = (int32_t)count;
    return LP_OK;
}

lp_status lpi_groups_read(lpi_reader *r, const lpi_yaml *node)
{
    const group_entry *entries;
    lp_group *groups;
    int64_t count, i;
    void *list;

    LP_TRY(lpi_records_read(r, node, LPI_RECORDS(group_entry, group_fields),
                            &list, &count));
    entries = list;
    groups = LPI_NEW(r->schedule->arena, lp_group, count);
    if (!groups)
        return lpi_fail_memory(r->error);
    for (i = 0; i < count; i++) {
        groups[i] = (lp_group){.name = entries[i].name,
                               .keeps_rows = entries[i].overlap == 1,
                               .line = entries[i].line};
        if (!*groups[i].name || strchr(groups[i].name, '#') ||
            lpi_map_get(r->groups, groups[i].name) >= 0 ||
            lpi_layer_named(&r->layers, groups[i].name))
            return lpi_yaml_fail(r->name, groups[i].line, r->error,
                                 "groups: the name '%.200s' is taken, or no "
                                 "name",
                                 groups[i].name);
        if (!lpi_map_set(r->groups, groups[i].name, i))
            return lpi_fail_memory(r->error);
        LP_TRY(read_group_layers(r, entries[i].layers, &groups[i]));
        LP_TRY(read_tiles(r, entries[i].tiles, &groups[i]));
    }
    r->schedule->groups = groups;
    r->schedule->groups_count = count;
    return LP_OK;
}

/* The layer or the group that "name" stands for. */
static bool find_run(const lpi_reader *r, const char *name, lp_unit *unit)
{
    int64_t group = lpi_map_get(r->groups, name);

    unit->group = group < 0 ? NULL : &r->schedule->groups[group];
    unit->layer = unit->group ? NULL : lpi_layer_named(&r->layers, name);
    return unit->group || unit->layer;
}

/* "NAME", the first execution unless "NAME#ORDINAL". */
static lp_status read_run(lpi_reader *r, const lpi_yaml *node, lp_unit *unit)
{
    const char *mark = node->kind == LPI_YAML_TEXT ? strrchr(node->text, '#')
                                                   : NULL;
    char *name;

    unit->ordinal = 1;
    unit->line = (lp_line)node->line;
    if (node->kind == LPI_YAML_TEXT && find_run(r, node->text, unit))
        return LP_OK;
    if (mark && lpi_parse_int(mark + 1, &unit->ordinal)) {
        name = lpi_arena_strndup(r->scratch, node->text,
                                 (size_t)(mark - node->text));
        if (!name)
            return lpi_fail_memory(r->error);
        if (find_run(r, name, unit))
            return LP_OK;
    }
    return lpi_yaml_fail(r->name, node->line, r->error,
                         "runs: '%.200s' is no layer of the model, and no "
                         "group",
                         node->kind == LPI_YAML_TEXT ? node->text : "");
}

lp_status lpi_runs_read(lpi_reader *r, const lpi_yaml *node)
{
    lp_schedule *s = r->schedule;
    int64_t *layer_runs = LPI_NEW(r->scratch, int64_t, r->model->layers_count);
    int64_t *group_runs = LPI_NEW(r->scratch, int64_t, s->groups_count);
    lp_unit *units;
    int64_t i;

    LP_TRY(lpi_node_list(r, node, "runs"));
    units = LPI_NEW(s->arena, lp_unit, node->count);
    if (!layer_runs || !group_runs || !units)
        return lpi_fail_memory(r->error);
    for (i = 0; i < node->count; i++) {
        int64_t *runs;

        LP_TRY(read_run(r, &node->items[i], &units[i]));
        runs = units[i].group ? &group_runs[units[i].group - s->groups]
                              : &layer_runs[units[i].layer->id];
        if (units[i].ordinal != ++*runs)
            return lpi_yaml_fail(r->name, node->items[i].line, r->error,
                                 "runs: '%.200s' is execution %lld",
                                 node->items[i].text, (long long)*runs);
    }
    s->units = units;
    s->units_count = node->count;
    return LP_OK;
}
