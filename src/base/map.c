/* map.c: names to numbers.
 *
 * Open addressing with linear probing in a table of a power of two that is
 * at most half full.  The hash is xxHash's XXH3, whose value for a key is the
 * same on every machine. */
#include <string.h>
#include <xxhash.h>

#include "base.h"

typedef struct slot {
    const char *key;
    uint64_t hash;
    int64_t value;
} slot;

struct lpi_map {
    lpi_arena *arena;
    slot *slots;
    int64_t size, count;
};

enum { FIRST_SIZE = 64 };

lpi_map *lpi_map_new(lpi_arena *arena)
{
    lpi_map *map = LPI_NEW(arena, lpi_map, 1);

    if (!map)
        return NULL;
    map->arena = arena;
    map->size = FIRST_SIZE;
    map->slots = LPI_NEW(arena, slot, map->size);
    return map->slots ? map : NULL;
}

/* The slot that holds "key", or the empty one where it belongs. */
static slot *find(slot *slots, int64_t size, const char *key, uint64_t hash)
{
    uint64_t i = hash & (uint64_t)(size - 1);

    while (slots[i].key &&
           (slots[i].hash != hash || strcmp(slots[i].key, key) != 0))
        i = (i + 1) & (uint64_t)(size - 1);
    return &slots[i];
}

static bool widen(lpi_map *map)
{
    int64_t size = map->size * 2, i;
    slot *slots = LPI_NEW(map->arena, slot, size);

    if (!slots)
        return false;
    for (i = 0; i < map->size; i++) {
        const slot *old = &map->slots[i];

        if (old->key)
            *find(slots, size, old->key, old->hash) = *old;
    }
    map->slots = slots;
    map->size = size;
    return true;
}

int64_t lpi_map_get(const lpi_map *map, const char *key)
{
    const slot *at =
        find(map->slots, map->size, key, XXH3_64bits(key, strlen(key)));

    return at->key ? at->value : -1;
}

bool lpi_map_set(lpi_map *map, const char *key, int64_t value)
{
    uint64_t hash = XXH3_64bits(key, strlen(key));
    slot *at;

    if (map->count * 2 >= map->size && !widen(map))
        return false;
    at = find(map->slots, map->size, key, hash);
    if (!at->key)
        map->count++;
    *at = (slot){.key = key, .hash = hash, .value = value};
    return true;
}
