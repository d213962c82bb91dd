/* arena.c: memory that is freed all at once.
 *
 * Blocks of growing size hang in a list; an allocation moves a mark in the
 * newest.  A request larger than a block gets one of its own.  The sum of all
 * blocks never exceeds the cap. */
#include <string.h>

#include "base.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 16 << 10, LARGEST_BLOCK = 1 << 20 };

typedef struct block {
    struct block *older;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
} block;

struct lpi_arena {
    block *newest;
    int64_t used, cap;
    size_t next_size;
};

lpi_arena *lpi_arena_new(int64_t cap_bytes)
{
    lpi_arena *arena = lpi_alloc(sizeof(*arena));

    if (arena)
        *arena = (lpi_arena){.cap = cap_bytes, .next_size = FIRST_BLOCK};
    return arena;
}

void lpi_arena_free(lpi_arena *arena)
{
    if (!arena)
        return;
    while (arena->newest) {
        block *older = arena->newest->older;

        lpi_free(arena->newest);
        arena->newest = older;
    }
    lpi_free(arena);
}

/* Hang a new block with room for "size" bytes into "arena". */
static block *add_block(lpi_arena *arena, size_t size)
{
    size_t room = size > arena->next_size ? size : arena->next_size;
    block *fresh;

    if ((int64_t)room > arena->cap - arena->used)
        room = size;
    if ((int64_t)room > arena->cap - arena->used)
        return NULL;
    fresh = (room <= LARGEST_BLOCK ? lpi_alloc
                                   : lpi_alloc_large)(sizeof(*fresh) + room);
    if (!fresh)
        return NULL;
    *fresh = (block){.older = arena->newest, .size = room};
    arena->newest = fresh;
    arena->used += (int64_t)room;
    if (arena->next_size < LARGEST_BLOCK)
        arena->next_size *= 2;
    else
        arena->next_size = LARGEST_BLOCK;
    return fresh;
}

void *lpi_arena_room(lpi_arena *arena, size_t size)
{
    block *current = arena->newest;
    void *result;

    if (size > (size_t)INT64_MAX / 2)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!current || current->size - current->used < size)
        current = add_block(arena, size);
    if (!current)
        return NULL;
    result = current->bytes + current->used;
    current->used += size;
    return result;
}

void *lpi_arena_alloc(lpi_arena *arena, size_t size)
{
    void *result = lpi_arena_room(arena, size);

    return result ? memset(result, 0, size) : NULL;
}

void *lpi_arena_array(lpi_arena *arena, int64_t count, size_t size)
{
    if (count < 0 || (size && (uint64_t)count > SIZE_MAX / 2 / size))
        return NULL;
    return lpi_arena_alloc(arena, (size_t)count * size);
}

char *lpi_arena_strndup(lpi_arena *arena, const char *text, size_t length)
{
    char *copy = lpi_arena_alloc(arena, length + 1);

    return copy ? memcpy(copy, text, length) : NULL;
}

char *lpi_arena_strdup(lpi_arena *arena, const char *text)
{
    return lpi_arena_strndup(arena, text, strlen(text));
}

char *lpi_arena_printf(lpi_arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = length < 0 ? NULL : lpi_arena_alloc(arena, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

bool lpi_arena_grow(lpi_arena *arena, void **items, int64_t count,
                    int64_t *capacity, size_t size)
{
    int64_t wider = *capacity ? *capacity * 2 : 8;
    void *fresh = lpi_arena_array(arena, wider, size);

    if (!fresh)
        return false;
    if (count)
        memcpy(fresh, *items, (size_t)count * size);
    *items = fresh;
    *capacity = wider;
    return true;
}

void lpi_arena_reset(lpi_arena *arena)
{
    size_t all = 0;

    if (arena->newest && !arena->newest->older) {
        arena->newest->used = 0;
        return;
    }
    while (arena->newest) {
        block *older = arena->newest->older;

        all += arena->newest->size;
        lpi_free(arena->newest);
        arena->newest = older;
    }
    arena->used = 0;
    arena->next_size = all;
}

int64_t lpi_arena_used(const lpi_arena *arena)
{
    return arena->used;
}

int64_t lpi_arena_cap(const lpi_arena *arena)
{
    return arena->cap;
}
