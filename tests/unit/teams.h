/* teams.h: for tests of kernels: numbers to feed them, and every instruction
 * set of the machine to run them on. */
#ifndef TEAMS_H
#define TEAMS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/kernel/kernel.h"

#include <cmocka.h>

static uint32_t state = 1;

static inline uint32_t draw(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(state >> 8) * below >> 24);
}

static inline float *floats(int64_t count)
{
    float *made = malloc((size_t)(count + 1) * sizeof(*made));

    for (int64_t i = 0; i < count; i++)
        made[i] = (float)draw(1 << 20) * 0x1p-19f - 1;
    return made;
}

/* Exactly "count" bytes, so that reads behind them are found. */
static inline uint8_t *draw_bytes(int64_t count)
{
    uint8_t *made = malloc((size_t)count);

    for (int64_t i = 0; i < count; i++)
        made[i] = (uint8_t)draw(256);
    return made;
}

static inline float *copy_of(const float *from, int64_t count)
{
    float *made = malloc((size_t)(count + 1) * sizeof(*made));

    memcpy(made, from, (size_t)count * sizeof(*made));
    return made;
}

static inline float *room(int64_t count)
{
    float *made = malloc((size_t)(count + 1) * sizeof(*made));

    memset(made, 0xff, (size_t)(count + 1) * sizeof(*made));
    return made;
}

/* Places of a grid, and place "i" of it. */
static inline int64_t volume(const int64_t axes[3])
{
    return axes[0] * axes[1] * axes[2];
}

static inline void unfold(int64_t i, const int64_t axes[3],
                          int64_t ret_place[3])
{
    ret_place[2] = i % axes[2];
    ret_place[1] = i / axes[2] % axes[1];
    ret_place[0] = i / axes[2] / axes[1];
}

#define SAME(a, b, count)                                                      \
    assert_memory_equal(a, b, (size_t)(count) * sizeof(*(a)))

/* Every set of the machine, with 1 thread and with 2. */
static inline bool next_team(lpi_team *team)
{
    static const char *const names[] = {"generic", "avx2", "avx512",
                                        "avx512vnni", NULL};
    int32_t i = 0;

    if (team->isa && team->threads == 1) {
        team->threads = 2;
        return true;
    }
    while (team->isa && strcmp(names[i], team->isa->name) != 0)
        i++;
    if (team->isa)
        i++;
    team->threads = 1;
    for (; names[i]; i++)
        if ((team->isa = lpi_isa_find(names[i])))
            return true;
    return false;
}

#endif
