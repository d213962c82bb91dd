/* print.c: a number for each column, to tell what a planner has changed.
 *
 * Entries are streams of numbers: ids of tensors and layers, positions of
 * groups, units.  Equal columns of two schedules of a model give equal
 * numbers. */
#include <string.h>

#include "plan.h"

/* One step of a mixing chain: the finalizer of SplitMix64 (Steele et al.,
 * OOPSLA 2014). */
static void mix(uint64_t *hash, int64_t number)
{
    uint64_t z = *hash + (uint64_t)number + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    *hash = z ^ (z >> 31);
}

static void mix_text(uint64_t *hash, const char *text)
{
    for (; *text; text++)
        mix(hash, *text);
    mix(hash, -1);
}

static void mix_group(uint64_t *hash, const lp_group *group)
{
    int32_t i;

    mix_text(hash, group->name);
    mix(hash, group->layers_count);
    for (i = 0; i < group->layers_count; i++)
        mix(hash, group->layers[i]->id);
    mix(hash, group->tiles_count);
    for (i = 0; i < group->tiles_count; i++) {
        mix(hash, group->tiles[i].axis);
        mix(hash, group->tiles[i].extent);
    }
    mix(hash, group->keeps_rows);
}

static int64_t id_of(const lp_tensor *tensor)
{
    return tensor ? tensor->id : -1;
}

static void mix_runs(const lp_schedule *s, uint64_t *columns)
{
    int64_t i;

    for (i = 0; i < s->groups_count; i++)
        mix_group(&columns[LPI_COLUMN_GROUPS], &s->groups[i]);
    for (i = 0; i < s->units_count; i++) {
        const lp_unit *unit = &s->units[i];

        mix(&columns[LPI_COLUMN_UNITS],
            unit->layer ? unit->layer->id : -1 - (unit->group - s->groups));
    }
}

static void mix_moves(const lp_schedule *s, uint64_t *columns)
{
    int64_t i;

    for (i = 0; i < s->homes_count; i++) {
        mix(&columns[LPI_COLUMN_HOMES], id_of(s->homes[i].tensor));
        mix(&columns[LPI_COLUMN_HOMES], s->homes[i].memory);
    }
    for (i = 0; i < s->moves_count; i++) {
        mix(&columns[LPI_COLUMN_MOVES], id_of(s->moves[i].tensor));
        mix(&columns[LPI_COLUMN_MOVES], s->moves[i].memory);
        mix(&columns[LPI_COLUMN_MOVES], s->moves[i].after);
        mix(&columns[LPI_COLUMN_MOVES], s->moves[i].before);
    }
    for (i = 0; i < s->pins_count; i++) {
        mix(&columns[LPI_COLUMN_PINS], id_of(s->pins[i].tensor));
        mix(&columns[LPI_COLUMN_PINS], s->pins[i].from);
        mix(&columns[LPI_COLUMN_PINS], s->pins[i].to);
    }
}

static void mix_places(const lp_schedule *s, uint64_t *columns)
{
    int64_t i;

    for (i = 0; i < s->aliases_count; i++) {
        mix(&columns[LPI_COLUMN_ALIASES], id_of(s->aliases[i].tensor));
        mix(&columns[LPI_COLUMN_ALIASES], id_of(s->aliases[i].of));
        mix(&columns[LPI_COLUMN_ALIASES], s->aliases[i].kind);
    }
    for (i = 0; i < s->places_count; i++) {
        const lp_placed *place = &s->places[i];
        uint64_t *column = &columns[LPI_COLUMN_PLACES];

        mix(column, place->kind);
        mix(column, id_of(place->tensor));
        mix(column, place->layer ? place->layer->id : -1);
        mix(column, place->memory);
        mix(column, place->from);
        mix(column, place->to);
        mix(column, place->offset);
    }
}

void lpi_print_find(const lp_schedule *schedule, lpi_print *ret_print)
{
    lpi_print print = {{0}};

    mix_runs(schedule, print.columns);
    mix_moves(schedule, print.columns);
    mix_places(schedule, print.columns);
    *ret_print = print;
}

/* A column of a print: its name, the bit of a planner that may write it. */
static const struct {
    const char *name;
    uint32_t bit;
} columns[LPI_COLUMNS] = {
    [LPI_COLUMN_GROUPS] = {"groups", LP_GROUPS},
    [LPI_COLUMN_UNITS] = {"runs", LP_RUNS},
    [LPI_COLUMN_HOMES] = {"home", LP_MOVE},
    [LPI_COLUMN_MOVES] = {"move", LP_MOVE},
    [LPI_COLUMN_PINS] = {"pin", LP_MOVE},
    [LPI_COLUMN_ALIASES] = {"alias", LP_ALIAS},
    [LPI_COLUMN_PLACES] = {"place", LP_PLACE},
};

const char *lpi_print_compare(const lpi_print *before, const lpi_print *after,
                              const lpi_print *cleared, uint32_t decides)
{
    int32_t i;

    for (i = 0; i < LPI_COLUMNS; i++) {
        bool is_cleared = after->columns[i] == cleared->columns[i];

        if (decides & columns[i].bit ||
            after->columns[i] == before->columns[i] ||
            (is_cleared && decides & (columns[i].bit - 1)))
            continue;
        return columns[i].name;
    }
    return NULL;
}
