/* stored.c: the set of stored tensors.
 *
 * A stored tensor is an initializer, the payload of a Constant, or a range of
 * a file, however many tensors name it.  Open addressing with linear probing
 * in a table of a power of two that is at most half full. */
#include <string.h>
#include <xxhash.h>

#include "cost.h"

enum { FIRST_SLOTS = 256 };

struct lpi_stored {
    lpi_arena *arena;
    const lp_tensor **slots;
    int64_t size, count;
};

bool lpi_in_file(const lp_tensor *tensor)
{
    return tensor->payload.where == LPI_IN_FILE ||
           tensor->payload.where == LPI_OUTSIDE;
}

/* Whether "a" and "b" are the same stored tensor. */
static bool same_stored(const lp_tensor *a, const lp_tensor *b)
{
    const lpi_payload *x = &a->payload, *y = &b->payload;

    if (a == b)
        return true;
    return lpi_in_file(a) && x->where == y->where && x->offset == y->offset &&
           x->length == y->length &&
           (x->where == LPI_IN_FILE || strcmp(x->location, y->location) == 0);
}

static uint64_t hash_stored(const lp_tensor *tensor)
{
    const lpi_payload *payload = &tensor->payload;
    uint64_t key[3] = {(uintptr_t)tensor, 0, 0};

    if (lpi_in_file(tensor)) {
        key[0] = payload->where == LPI_OUTSIDE
                     ? XXH3_64bits(payload->location, strlen(payload->location))
                     : 0;
        key[1] = (uint64_t)payload->offset;
        key[2] = (uint64_t)payload->length;
    }
    return XXH3_64bits(key, sizeof(key));
}

/* The slot of "tensor", or the empty one where it belongs. */
static const lp_tensor **find(const lpi_stored *stored, const lp_tensor *tensor)
{
    uint64_t mask = (uint64_t)stored->size - 1;
    uint64_t i = hash_stored(tensor) & mask;

    while (stored->slots[i] && !same_stored(stored->slots[i], tensor))
        i = (i + 1) & mask;
    return &stored->slots[i];
}

/* Twice the room, so that at most half of it is used. */
static bool widen(lpi_stored *stored)
{
    lpi_stored wide = {
        .arena = stored->arena,
        .slots = LPI_NEW(stored->arena, const lp_tensor *, stored->size * 2),
        .size = stored->size * 2,
        .count = stored->count};
    int64_t i;

    if (!wide.slots)
        return false;
    for (i = 0; i < stored->size; i++)
        if (stored->slots[i])
            *find(&wide, stored->slots[i]) = stored->slots[i];
    *stored = wide;
    return true;
}

lpi_stored *lpi_stored_new(lpi_arena *arena)
{
    lpi_stored *stored = LPI_NEW(arena, lpi_stored, 1);

    if (!stored)
        return NULL;
    *stored = (lpi_stored){
        .arena = arena,
        .slots = LPI_NEW(arena, const lp_tensor *, FIRST_SLOTS),
        .size = FIRST_SLOTS,
    };
    return stored->slots ? stored : NULL;
}

lp_status lpi_stored_add(lpi_stored *stored, const lp_tensor *tensor,
                         bool *ret_new, lp_error *error)
{
    const lp_tensor **slot;

    if (stored->count * 2 >= stored->size && !widen(stored))
        return lpi_fail_memory(error);
    slot = find(stored, tensor);
    *ret_new = !*slot;
    stored->count += !*slot;
    if (!*slot)
        *slot = tensor;
    return LP_OK;
}
