/* arrays.c: how fast the kernels that are bound by memory go, as a share of
 * memcpy in the same run, and, for functions that compute much, of the peak of
 * fused multiply-adds.
 *
 * usage: arrays [SET]     SET: avx512vnni, avx512, avx2, generic */
#include "bench.h"

static const lpi_isa *isa;

/* Functions of memory: rates in bytes read and written. */
enum { WIDE = 4096, ALL = WIDE * 2048 };
static float *memory[3];

static void run_copy(const void *what, int32_t threads)
{
    (void)what;
    (void)threads;
    memcpy(memory[1], memory[0], ALL * sizeof(float));
}

static void run_add(const void *what, int32_t threads)
{
    const float *const both[] = {memory[0], memory[2]};

    (void)what;
    lpi_binary_flat(&(lpi_team){isa, threads}, LPI_BINARY_ADD, ALL, both,
                    memory[1]);
}

static void run_softmax(const void *what, int32_t threads)
{
    int64_t inner = *(const int *)what;
    lpi_softmax softmax = {ALL / WIDE / inner, WIDE,      inner,
                           memory[0],          memory[1], false};

    lpi_softmax_run(&(lpi_team){isa, threads}, &softmax);
}

static void run_norm(const void *what, int32_t threads)
{
    int64_t count = *(const int *)what;
    lpi_norm norm = {ALL / count,
                     count,
                     count > WIDE ? WIDE : 1,
                     count > WIDE ? ALL / WIDE : count,
                     memory[0],
                     memory[2],
                     memory[2],
                     1e-5,
                     true,
                     memory[1],
                     NULL,
                     NULL};

    lpi_norm_run(&(lpi_team){isa, threads}, &norm);
}

static void run_sum(const void *what, int32_t threads)
{
    int64_t inner = *(const int *)what;
    lpi_reduction reduction = {ALL / WIDE / inner, WIDE,      inner,
                               memory[0],          memory[1], false};

    lpi_reduction_run(&(lpi_team){isa, threads}, LPI_REDUCE_SUM, &reduction);
}

static void run_halves(const void *what, int32_t threads)
{
    (void)what;
    (void)threads;
    isa->to_f16(ALL, memory[0], (uint16_t *)memory[1]);
}

static void run_unary(const void *what, int32_t threads)
{
    lpi_unary_run(&(lpi_team){isa, threads}, *(const int *)what, ALL, memory[0],
                  memory[1]);
}

static void run_affine(const void *what, int32_t threads)
{
    lpi_affine affine = {
        1,         *(const int *)what, ALL / *(const int *)what,
        memory[0], memory[2],          memory[2],
        memory[1]};

    lpi_affine_run(&(lpi_team){isa, threads}, &affine);
}

/* Bytes read and written, and operations (of a fused multiply-add two), an
 * element; operations are those of the functions, given where they bound. */
static const struct {
    const char *name;
    job run;
    int what;
    double bytes, operations;
} jobs[] = {
    {"memcpy", run_copy, 0, 8, 0},
    {"add", run_add, 0, 12, 0},
    {"relu", run_unary, LPI_UNARY_RELU, 8, 0},
    {"batch norm of 64", run_affine, 64, 8, 0},
    {"softmax of 4096", run_softmax, 1, 8, 25},
    {"softmax of 4096, inner 64", run_softmax, 64, 8, 25},
    {"layer norm of 1024", run_norm, 1024, 8, 0},
    {"group norm of 8x4096", run_norm, 8 * WIDE, 8, 0},
    {"sum of 4096", run_sum, 1, 4, 0},
    {"sum of 4096, inner 64", run_sum, 64, 4, 0},
    {"float32 to float16", run_halves, 0, 6, 0},
    {"exp", run_unary, LPI_UNARY_EXP, 8, 22},
    {"log", run_unary, LPI_UNARY_LOG, 8, 28},
    {"erf", run_unary, LPI_UNARY_ERF, 8, 67},
    {"tanh", run_unary, LPI_UNARY_TANH, 8, 40},
    {"sigmoid", run_unary, LPI_UNARY_SIGMOID, 8, 25},
    {"silu", run_unary, LPI_UNARY_SILU, 8, 26},
    {"gelu", run_unary, LPI_UNARY_GELU, 8, 77},
    {"gelu by tanh", run_unary, LPI_UNARY_GELU_TANH, 8, 31},
    {"sin", run_unary, LPI_UNARY_SIN, 8, 30},
    {"softplus", run_unary, LPI_UNARY_SOFTPLUS, 8, 56},
};

static void bench_memory(void)
{
    double peak = measure_peak(isa), copied = 0;

    for (int i = 0; i < 3; i++)
        memory[i] = floats(ALL);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        double rate;
        times of[2];

        measure(jobs[i].run, &jobs[i].what, 2, of);
        rate = jobs[i].bytes * ALL / of[0].cpu;
        copied = i ? copied : rate;
        printf("%-28s %8.1f GB/s  %5.1f %% of memcpy", jobs[i].name,
               rate * 1e-9, 100 * rate / copied);
        if (peak > 0 && jobs[i].operations > 0)
            printf(", %4.1f %% of the peak",
                   100 * jobs[i].operations * ALL / of[0].cpu / peak);
        print_threads(of);
    }
}

int main(int argc, char **argv)
{
    wait_asleep(argv);
    isa = lpi_isa_find(argc > 1 ? argv[1] : NULL);
    if (!isa) {
        fprintf(stderr, "arrays: this machine has no %s\n", argv[1]);
        return 2;
    }
    bench_memory();
    return 0;
}
