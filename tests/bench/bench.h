/* bench.h: times of kernels: CPU time, so that other work on the machine shows
 * little; the best of some rounds, runs with one thread and with two in turns.
 *
 * Where the machine is busy the wall time of two threads says nothing; the CPU
 * time of the thread that works longest does, as long as threads that wait do
 * not spin. */
#ifndef BENCH_H
#define BENCH_H

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* Seconds of one run, the best of several: CPU time of all threads, wall time,
 * and CPU time of the thread that works longest. */
typedef struct times {
    double cpu, wall, longest;
} times;

enum { MOST_THREADS = 2 };

/* CPU seconds of each thread so far. */
static inline void threads_seconds(int32_t threads, double *ret_seconds)
{
#pragma omp parallel num_threads(threads)
    ret_seconds[omp_get_thread_num()] = seconds(CLOCK_THREAD_CPUTIME_ID);
}

static inline void measure_once(job run, const void *what, int32_t threads,
                                times *best)
{
    double from[MOST_THREADS], to[MOST_THREADS], longest = 0, cpu, wall;

    threads_seconds(threads, from);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    wall = seconds(CLOCK_MONOTONIC);
    run(what, threads);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    threads_seconds(threads, to);
    for (int32_t i = 0; i < threads; i++)
        longest = to[i] - from[i] > longest ? to[i] - from[i] : longest;
    best->cpu = cpu < best->cpu ? cpu : best->cpu;
    best->wall = wall < best->wall ? wall : best->wall;
    best->longest = longest < best->longest ? longest : best->longest;
}

/* Fill ret_times[0], of one thread, and, with "threads" 2, ret_times[1]. */
static inline void measure(job run, const void *what, int32_t threads,
                           times *ret_times)
{
    double end = seconds(CLOCK_MONOTONIC) + 0.6 * threads;

    for (int32_t i = 0; i < threads; i++)
        ret_times[i] = (times){INFINITY, INFINITY, INFINITY};
    for (int i = 0; i < 3 || seconds(CLOCK_MONOTONIC) < end; i++)
        for (int32_t k = 0; k < threads; k++)
            measure_once(run, what, k + 1, &ret_times[k]);
}

/* The end of a line: how much faster two threads are. */
static inline void print_threads(const times *of)
{
    printf("  2 threads: %4.2f x, by CPU time %4.2f x\n",
           of[0].wall / of[1].wall, of[0].cpu / of[1].longest);
}

/* Start anew with threads that sleep while they wait. */
static inline void wait_asleep(char **argv)
{
    if (getenv("OMP_WAIT_POLICY"))
        return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv);
}

/* ---- the peak ---------------------------------------------------------- */

/* Fused multiply-adds on registers alone: enough chains to hide what each
 * waits for. */
enum { CHAINS = 12, ROUNDS = 1000000, MOST = 16 };

#define CHAINS_OF(name, vector, fuse, set)                                     \
    __attribute__((target(set))) static void name(float *sums)                 \
    {                                                                          \
        vector sum[CHAINS] = {0}, a = {0}, b = {0};                            \
                                                                               \
        __asm__("" : "+v"(a), "+v"(b));                                        \
        for (int i = 0; i < ROUNDS; i++) {                                     \
            _Pragma("GCC unroll 12") for (int j = 0; j < CHAINS; j++)          \
            {                                                                  \
                sum[j] = fuse(a, b, sum[j]);                                   \
                __asm__ volatile("" : "+v"(sum[j]));                           \
            }                                                                  \
        }                                                                      \
        _Pragma("GCC unroll 12") for (int j = 0; j < CHAINS; j++)              \
        {                                                                      \
            vector one = sum[j];                                               \
            memcpy(sums, &one, sizeof(one));                                   \
        }                                                                      \
    }

#if defined(__x86_64__)
#include <immintrin.h>
CHAINS_OF(chains_16, __m512, _mm512_fmadd_ps, "avx512f")
CHAINS_OF(chains_8, __m256, _mm256_fmadd_ps, "avx2,fma")
static void (*const chains[])(float *sums) = {chains_8, chains_16};
#else
static void (*const chains[2])(float *sums);
#endif

static inline void run_peak(const void *what, int32_t threads)
{
    static float sums[MOST];
    void (*run)(float *) = *(void (*const *)(float *))what;

    (void)threads;
    run(sums);
}

/* Operations a second of fused multiply-adds as "isa" has them; 0: it has none
 * to ask for. */
static inline double measure_peak(const lpi_isa *isa)
{
    int32_t width = isa->tiles->tile[LPI_TILES - 1].columns;
    times best;

    if (width < 8 || !chains[width == 16])
        return 0;
    measure(run_peak, &chains[width == 16], 1, &best);
    return 2.0 * CHAINS * ROUNDS * width / best.cpu;
}

#endif
