/* bench.h: times of kernels: CPU time, so that other work on the machine shows
 * little; the best of some rounds. */
#ifndef BENCH_H
#define BENCH_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/kernel/kernel.h"

static inline double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline float *floats(int64_t count)
{
    float *made = malloc((size_t)count * sizeof(*made));
    uint32_t state = 1;

    if (!made)
        exit(4);
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        made[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return made;
}

typedef void (*job)(const void *what, int32_t threads);

/* CPU seconds and wall seconds of one run, the best of several. */
static inline void measure(job run, const void *what, int32_t threads,
                           double ret_best[2])
{
    double end = seconds(CLOCK_MONOTONIC) + 0.6;

    ret_best[0] = ret_best[1] = INFINITY;
    for (int i = 0; i < 3 || seconds(CLOCK_MONOTONIC) < end; i++) {
        double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        double wall = seconds(CLOCK_MONOTONIC);

        run(what, threads);
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        wall = seconds(CLOCK_MONOTONIC) - wall;
        ret_best[0] = cpu < ret_best[0] ? cpu : ret_best[0];
        ret_best[1] = wall < ret_best[1] ? wall : ret_best[1];
    }
}

#endif
