/* arrays.c: how fast the kernels that are bound by memory go, as a share of
 * memcpy in the same run, and of what bounds them: memory or, where that is
 * slower, the same passes over rows that stay in the cache.
 *
 * usage: arrays [SET]     SET: avx512vnni, avx512, avx2, generic */
#include "bench.h"

static const lpi_isa *isa;

/* Functions of memory: rates in bytes read and written.  "elements" of them
 * are taken: all, or again and again some that stay in the cache. */
enum { WIDE = 4096, ALL = WIDE * 2048, SOME = WIDE * 8 };
static float *memory[3];
static int64_t elements = ALL;

static void run_copy(const void *what, int32_t threads)
{
    (void)what;
    (void)threads;
    memcpy(memory[1], memory[0], (size_t)elements * sizeof(float));
}

static void run_add(const void *what, int32_t threads)
{
    const float *const both[] = {memory[0], memory[2]};

    (void)what;
    lpi_binary_flat(&(lpi_team){isa, threads}, LPI_BINARY_ADD, elements, both,
                    memory[1]);
}

/* WIDE, or less where fewer elements are taken. */
static int64_t count_of(int64_t inner)
{
    return elements / inner < WIDE ? elements / inner : WIDE;
}

static void run_softmax(const void *what, int32_t threads)
{
    int64_t inner = *(const int *)what;
    int64_t count = count_of(inner);
    lpi_softmax softmax = {
        elements / count / inner, count, inner, memory[0], memory[1], false};

    lpi_softmax_run(&(lpi_team){isa, threads}, &softmax);
}

static void run_norm(const void *what, int32_t threads)
{
    int64_t count = *(const int *)what;
    lpi_norm norm = {elements / count,
                     count,
                     count > WIDE ? WIDE : 1,
                     count > WIDE ? elements / WIDE : count,
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
    int64_t count = count_of(inner);
    lpi_reduction reduction = {
        elements / count / inner, count, inner, memory[0], memory[1], false};

    lpi_reduction_run(&(lpi_team){isa, threads}, LPI_REDUCE_SUM, &reduction);
}

static void run_halves(const void *what, int32_t threads)
{
    (void)what;
    (void)threads;
    isa->to_f16(elements, memory[0], (uint16_t *)memory[1]);
}

static void run_unary(const void *what, int32_t threads)
{
    lpi_unary_run(&(lpi_team){isa, threads}, *(const int *)what, elements,
                  memory[0], memory[1]);
}

static void run_affine(const void *what, int32_t threads)
{
    lpi_affine affine = {
        1,         *(const int *)what, elements / *(const int *)what,
        memory[0], memory[2],          memory[2],
        memory[1]};

    lpi_affine_run(&(lpi_team){isa, threads}, &affine);
}

/* Bytes read and written, and operations (of a fused multiply-add two), an
 * element; operations are those of the functions, given where they bound. */
typedef struct function {
    const char *name;
    job run;
    int what;
    double bytes, operations;
} function;

static void run_some(const void *what, int32_t threads)
{
    const function *f = what;

    elements = SOME;
    for (int i = 0; i < ALL / SOME; i++)
        f->run(&f->what, threads);
    elements = ALL;
}

static const function jobs[] = {
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
        const function *f = &jobs[i];
        double bytes = f->bytes * ALL, rate, bound;
        times of[2], cached;

        measure(f->run, &f->what, 2, of);
        measure(run_some, f, 1, &cached);
        rate = bytes / of[0].cpu;
        copied = i ? copied : rate;
        bound = fmin(copied, bytes / cached.cpu);
        printf("%-28s %8.1f GB/s  %5.1f %% of memcpy, %5.1f %% of its bound",
               f->name, rate * 1e-9, 100 * rate / copied, 100 * rate / bound);
        if (peak > 0 && f->operations > 0)
            printf(", %4.1f %% of the peak",
                   100 * f->operations * ALL / of[0].cpu / peak);
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
