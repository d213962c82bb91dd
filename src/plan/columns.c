/* columns.c: columns of a schedule, read and written by planners.
 *
 * What is set is verified entry by entry, then copied: a column that fails is
 * left as it was.  Columns depend on each other in their order; setting one
 * clears those after it, where cleared units are the layers and groups in the
 * order of the model.  Entries lie in room that the next setting uses again.
 *
 * Invariant: every pointer in a column is a tensor, a layer or a group of this
 * schedule. */
#include <string.h>

#include "plan.h"

typedef struct column {
    const char *name;
    size_t size;         /* of an entry */
    size_t items, count; /* where the schedule has them */
    uint32_t bit;        /* LP_GROUPS, ... */
    const char *(*wrong)(const lp_schedule *schedule, const void *item);
} column;

static const char *wrong_group(const lp_schedule *s, const void *item)
{
    const lp_group *group = item;
    int32_t i;

    if (!group->name || !*group->name)
        return "it has no name";
    if (group->layers_count < 1 || !group->layers)
        return "it has no layers";
    if (group->tiles_count < 0 || group->tiles_count > LPI_RANKS ||
        (group->tiles_count && !group->tiles))
        return "its tiles are none, or too many";
    for (i = 0; i < group->layers_count; i++)
        if (!lpi_knows_layer(s, group->layers[i]))
            return "it names a layer that does not run in this model";
    return NULL;
}

static const char *wrong_unit(const lp_schedule *s, const void *item)
{
    const lp_unit *unit = item;
    int64_t i;

    if (!unit->layer == !unit->group)
        return "it is a layer or a group, one of them";
    if (unit->layer)
        return lpi_knows_layer(s, unit->layer)
                   ? NULL
                   : "it names a layer that does not run in this model";
    for (i = 0; i < s->groups_count; i++)
        if (unit->group == &s->groups[i])
            return NULL;
    return "it names a group that is none of this schedule";
}

static const char *wrong_value(const lp_schedule *s, const lp_tensor *tensor,
                               int32_t memory)
{
    if (!lpi_knows_tensor(s, tensor) || !lpi_is_value(tensor))
        return "it names a tensor that is no activation of this model";
    if (memory < 0 || memory >= s->memories_count)
        return "it names a memory that does not exist";
    return NULL;
}

static const char *wrong_home(const lp_schedule *s, const void *item)
{
    const lp_home *home = item;

    return wrong_value(s, home->tensor, home->memory);
}

static const char *wrong_move(const lp_schedule *s, const void *item)
{
    const lp_move *move = item;

    if (move->after < -1 || move->after >= s->units_count ||
        move->before <= move->after || move->before > s->units_count)
        return "its units are out of range, or do not rise";
    return wrong_value(s, move->tensor, move->memory);
}

static const char *wrong_pin(const lp_schedule *s, const void *item)
{
    const lp_pin *pin = item;

    if (!lpi_knows_tensor(s, pin->tensor) || !pin->tensor->is_static)
        return "it names a tensor that is no weight of this model";
    if (pin->from < 0 || pin->to < pin->from || pin->to >= s->units_count)
        return "its units are out of range, or fall";
    return NULL;
}

static const char *wrong_alias(const lp_schedule *s, const void *item)
{
    const lp_alias *alias = item;

    if ((uint32_t)alias->kind > LP_ALIAS_PART)
        return "its kind does not exist";
    if (wrong_value(s, alias->tensor, 0))
        return wrong_value(s, alias->tensor, 0);
    return wrong_value(s, alias->of, 0);
}

static const char *wrong_place(const lp_schedule *s, const void *item)
{
    const lp_placed *place = item;

    if ((uint32_t)place->kind > LP_PLACE_STAGING)
        return "its kind does not exist";
    if (place->from < 0 || place->to < place->from || place->offset < 0)
        return "its units or its offset are below zero, or fall";
    if (place->layer && !lpi_knows_layer(s, place->layer))
        return "it names a layer that does not run in this model";
    if (place->kind == LP_PLACE_WORKSPACE)
        return place->tensor || !place->layer || place->memory
                   ? "a workspace has a layer alone, in memory 0"
                   : NULL;
    return wrong_value(s, place->tensor, place->memory);
}

#define COLUMN(type, member, name, bit, wrong)                                 \
    {                                                                          \
        name, sizeof(type), offsetof(lp_schedule, member),                     \
            offsetof(lp_schedule, member##_count), bit, wrong                  \
    }

static const column columns[LPI_COLUMNS] = {
    [LPI_COLUMN_GROUPS] =
        COLUMN(lp_group, groups, "group", LP_GROUPS, wrong_group),
    [LPI_COLUMN_UNITS] = COLUMN(lp_unit, units, "run", LP_RUNS, wrong_unit),
    [LPI_COLUMN_HOMES] = COLUMN(lp_home, homes, "home", LP_MOVE, wrong_home),
    [LPI_COLUMN_MOVES] = COLUMN(lp_move, moves, "move", LP_MOVE, wrong_move),
    [LPI_COLUMN_PINS] = COLUMN(lp_pin, pins, "pin", LP_MOVE, wrong_pin),
    [LPI_COLUMN_ALIASES] =
        COLUMN(lp_alias, aliases, "alias", LP_ALIAS, wrong_alias),
    [LPI_COLUMN_PLACES] =
        COLUMN(lp_placed, places, "place", LP_PLACE, wrong_place),
};

_Static_assert((int)LPI_COLUMNS <= (int)LPI_STASHES, "a stash a column");

static void point(lp_schedule *s, int32_t at, const void *items, int64_t count)
{
    memcpy((char *)s + columns[at].items, &items, sizeof(items));
    memcpy((char *)s + columns[at].count, &count, sizeof(count));
}

const char *lpi_column_name(int32_t at)
{
    static const char *const names[] = {"precision", "groups", "runs", "move",
                                        "alias",     "place",  "once"};

    return at < LPI_COUNT(names) ? names[at] : NULL;
}

/* Drop the bounds that take one of "columns_set" as it was. */
static void drop_bounds(lp_schedule *s, uint32_t columns_set)
{
    int64_t kept = 0, i;

    for (i = 0; i < s->bounds_count; i++)
        if (!(s->bounds[i].given & columns_set))
            ((lp_bound *)s->bounds)[kept++] = s->bounds[i];
    s->bounds_count = kept;
}

/* Clear what depends on column "at", and what was said of the result. */
static lp_status clear_after(lp_schedule *s, int32_t at, lp_error *error)
{
    int32_t later;

    for (later = at + 1; later < LPI_COLUMNS; later++)
        if (columns[later].bit > columns[at].bit)
            point(s, later, NULL, 0);
    drop_bounds(s, columns[at].bit);
    s->has_predictions = false;
    s->rule = "given";
    return at == LPI_COLUMN_GROUPS ? lpi_schedule_units(s, error) : LP_OK;
}

/* Room for "count" entries of column "at", used again. */
static void *stash(lp_schedule *s, int32_t at, int64_t count)
{
    lpi_stash *own = &s->stashes[at];
    int64_t room = count > 2 * own->room ? count : 2 * own->room;
    void *bytes;

    if (own->bytes && count <= own->room)
        return own->bytes;
    bytes = lpi_arena_array(s->arena, room, columns[at].size);
    if (bytes)
        *own = (lpi_stash){bytes, room};
    return bytes;
}

static lp_status verify(const lp_schedule *s, int32_t at, const void *items,
                        int64_t count, lp_error *error)
{
    int64_t i;

    if (count < 0 || count > INT32_MAX || (count && !items))
        return lpi_fail(error, LP_EINVALID, NULL, "%ss: %lld of them",
                        columns[at].name, (long long)count);
    for (i = 0; i < count; i++) {
        const char *why = columns[at].wrong(
            s, (const char *)items + (size_t)i * columns[at].size);

        if (why)
            return lpi_fail(error, LP_EINVALID, NULL, "%s %lld: %s",
                            columns[at].name, (long long)i, why);
    }
    return LP_OK;
}

static lp_status set(lp_schedule *s, int32_t at, const void *items,
                     int64_t count, lp_error *error)
{
    void *bytes;

    LP_TRY(lpi_know(s, error));
    LP_TRY(verify(s, at, items, count, error));
    bytes = stash(s, at, count);
    if (!bytes)
        return lpi_fail_memory(error);
    if (count)
        memmove(bytes, items, (size_t)count * columns[at].size);
    point(s, at, bytes, count);
    if (count && (at == LPI_COLUMN_HOMES || at == LPI_COLUMN_MOVES))
        drop_bounds(s, LP_ONCE);
    return clear_after(s, at, error);
}

/* Copies of the names, layers and tiles of "groups", in the arena of "s". */
static lp_status copy_groups(lp_schedule *s, lp_group *groups, int64_t count,
                             lp_error *error)
{
    int64_t i;

    for (i = 0; i < count; i++) {
        lp_group *g = &groups[i];
        lp_layer **layers = LPI_NEW(s->arena, lp_layer *, g->layers_count);
        lp_tile *tiles = LPI_NEW(s->arena, lp_tile, g->tiles_count);
        char *name = lpi_arena_strdup(s->arena, g->name);

        if (!layers || !tiles || !name)
            return lpi_fail_memory(error);
        memcpy(layers, g->layers, (size_t)g->layers_count * sizeof(*layers));
        if (g->tiles_count)
            memcpy(tiles, g->tiles, (size_t)g->tiles_count * sizeof(*tiles));
        g->layers = layers;
        g->tiles = tiles;
        g->name = name;
        g->line = 0;
    }
    return LP_OK;
}

lp_status lp_schedule_set_groups(lp_schedule *schedule, const lp_group *groups,
                                 int64_t count, lp_error *error)
{
    lp_group *copy;

    LP_TRY(lpi_know(schedule, error));
    LP_TRY(verify(schedule, LPI_COLUMN_GROUPS, groups, count, error));
    copy = LPI_NEW(schedule->arena, lp_group, count);
    if (!copy)
        return lpi_fail_memory(error);
    if (count)
        memcpy(copy, groups, (size_t)count * sizeof(*copy));
    LP_TRY(copy_groups(schedule, copy, count, error));
    point(schedule, LPI_COLUMN_GROUPS, copy, count);
    return clear_after(schedule, LPI_COLUMN_GROUPS, error);
}

/* Number the executions of each layer and group. */
static lp_status count_runs(lp_schedule *s, lp_error *error)
{
    int64_t layers = s->model->layers_count, i;
    int64_t room = layers + s->groups_count;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(s->arena));
    int64_t *runs = scratch ? LPI_NEW(scratch, int64_t, room) : NULL;
    lp_unit *units = (lp_unit *)s->units;
    bool repeats = false;

    for (i = 0; runs && i < s->units_count; i++) {
        int64_t at = units[i].layer ? units[i].layer->id
                                    : layers + (units[i].group - s->groups);

        units[i].ordinal = ++runs[at];
        units[i].line = 0;
        repeats = repeats || units[i].ordinal > 1;
    }
    if (repeats)
        drop_bounds(s, LP_ONCE);
    lpi_arena_free(scratch);
    return runs ? LP_OK : lpi_fail_memory(error);
}

lp_status lp_schedule_set_units(lp_schedule *schedule, const lp_unit *units,
                                int64_t count, lp_error *error)
{
    LP_TRY(set(schedule, LPI_COLUMN_UNITS, units, count, error));
    if (!count)
        return lpi_schedule_units(schedule, error);
    return count_runs(schedule, error);
}

lp_status lp_schedule_set_homes(lp_schedule *schedule, const lp_home *homes,
                                int64_t count, lp_error *error)
{
    return set(schedule, LPI_COLUMN_HOMES, homes, count, error);
}

lp_status lp_schedule_set_moves(lp_schedule *schedule, const lp_move *moves,
                                int64_t count, lp_error *error)
{
    return set(schedule, LPI_COLUMN_MOVES, moves, count, error);
}

lp_status lp_schedule_set_pins(lp_schedule *schedule, const lp_pin *pins,
                               int64_t count, lp_error *error)
{
    return set(schedule, LPI_COLUMN_PINS, pins, count, error);
}

lp_status lp_schedule_set_aliases(lp_schedule *schedule,
                                  const lp_alias *aliases, int64_t count,
                                  lp_error *error)
{
    return set(schedule, LPI_COLUMN_ALIASES, aliases, count, error);
}

lp_status lp_schedule_set_places(lp_schedule *schedule, const lp_placed *places,
                                 int64_t count, lp_error *error)
{
    return set(schedule, LPI_COLUMN_PLACES, places, count, error);
}

#define GETTER(type, member)                                                   \
    const type *lp_schedule_##member(const lp_schedule *schedule,              \
                                     int64_t *ret_count)                       \
    {                                                                          \
        *ret_count = schedule->member##_count;                                 \
        return schedule->member;                                               \
    }

GETTER(lp_memory, memories)
GETTER(lp_group, groups)
GETTER(lp_unit, units)
GETTER(lp_home, homes)
GETTER(lp_move, moves)
GETTER(lp_pin, pins)
GETTER(lp_alias, aliases)
GETTER(lp_placed, places)
