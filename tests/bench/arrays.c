/* arrays.c: how fast the kernels that are bound by memory go, beside memcpy,
 * and what functions cost an element.
 *
 * usage: arrays [SET]     SET: avx512vnni, avx512, avx2, generic */
#include "bench.h"

static const lpi_isa *isa;

/* Functions of memory: rates in bytes read and written. */
enum { WIDE = 4096, ALL = WIDE * 2048, BLOCK = 4096 };
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

static void bench_memory(void)
{
    static const struct {
        const char *name;
        job run;
        int what;
        double bytes; /* an element */
    } jobs[] = {{"memcpy", run_copy, 0, 8},
                {"add", run_add, 0, 12},
                {"softmax of 4096", run_softmax, 1, 8},
                {"softmax of 4096, inner 64", run_softmax, 64, 8},
                {"layer norm of 1024", run_norm, 1024, 8},
                {"group norm of 8x4096", run_norm, 8 * WIDE, 8},
                {"sum of 4096", run_sum, 1, 4},
                {"sum of 4096, inner 64", run_sum, 64, 4},
                {"float32 to float16", run_halves, 0, 6}};

    for (int i = 0; i < 3; i++)
        memory[i] = floats(ALL);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        double one[2], two[2];

        measure(jobs[i].run, &jobs[i].what, 1, one);
        measure(jobs[i].run, &jobs[i].what, 2, two);
        printf("%-28s %8.1f GB/s                2 threads: %4.2f x\n",
               jobs[i].name, jobs[i].bytes * ALL * 1e-9 / one[0],
               one[1] / two[1]);
    }
}

static void run_function(const void *what, int32_t threads)
{
    (void)threads;
    for (int i = 0; i < 64; i++)
        isa->unary[*(const int *)what](BLOCK, memory[0], memory[1]);
}

static void bench_functions(void)
{
    static const char *const names[LPI_UNARIES] = {
        "exp",  "log",       "erf", "tanh", "sigmoid",  "silu",
        "gelu", "gelu_tanh", "sin", "cos",  "softplus", "relu"};

    for (int i = 0; i < LPI_UNARIES && names[i]; i++) {
        double best[2];

        measure(run_function, &i, 1, best);
        printf("%-28s %8.3f ns an element\n", names[i],
               best[0] * 1e9 / (BLOCK * 64));
    }
}

int main(int argc, char **argv)
{
    isa = lpi_isa_find(argc > 1 ? argv[1] : NULL);
    if (!isa) {
        fprintf(stderr, "arrays: this machine has no %s\n", argv[1]);
        return 2;
    }
    bench_memory();
    bench_functions();
    return 0;
}
