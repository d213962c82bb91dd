/* kernels.c: how much of the machine's fused multiply-add peak the kernels
 * reach.
 *
 * usage: kernels [SET]     SET: avx512vnni, avx512, avx2, generic */
#include <dlfcn.h>

#include "bench.h"

static const lpi_isa *isa;
static double peak;

/* One line: the rate of "run", whose work is "work" multiply-adds, with one
 * thread by CPU time, and what a second thread gives. */
static void show(const char *name, job run, const void *what, double work)
{
    times of[2];

    measure(run, what, 2, of);
    printf("%-28s %8.1f GFLOP/s  %5.1f %%", name, 2e-9 * work / of[0].cpu,
           200 * work / of[0].cpu / peak);
    print_threads(of);
}

/* The tile on packed panels, nothing else. */
enum { PEAK_K = 384, PEAK_RUNS = 500 };

static void run_tile(const void *what, int32_t threads)
{
    const lpi_gemm_tile *tile = &isa->tiles->tile[0];
    static float a[8 * PEAK_K], b[PEAK_K * 48], c[8 * 48];
    lpi_tile_args args = {.k = PEAK_K,
                          .a = a,
                          .a_row = 1,
                          .a_column = tile->rows,
                          .b = b,
                          .c = c,
                          .c_row = tile->columns};

    (void)what;
    (void)threads;
    for (int i = 0; i < PEAK_RUNS; i++)
        tile->run(&args);
}

/* Measure the peak; where the set has no fused multiply-adds to ask for, the
 * tile's rate stands for it. */
static void find_peak(void)
{
    const lpi_gemm_tile *tile = &isa->tiles->tile[0];
    double rate;
    times best;

    measure(run_tile, NULL, 1, &best);
    rate = 2.0 * PEAK_RUNS * PEAK_K * tile->rows * tile->columns / best.cpu;
    peak = measure_peak(isa);
    if (peak <= 0)
        peak = rate;
    printf("%-28s %8.1f GFLOP/s (%s)\n", "peak", peak * 1e-9, isa->name);
    printf("%-28s %8.1f GFLOP/s  %5.1f %%\n", "tile", rate * 1e-9,
           100 * rate / peak);
}

typedef struct sizes {
    const char *name;
    int64_t m, n, k;
} sizes;

static void run_gemm(const void *what, int32_t threads)
{
    static const void *last;
    static float *a, *b, *c, *workspace;
    const sizes *s = what;
    lpi_matrix right = {b, s->n, 1, NULL};
    lpi_gemm gemm = {.m = s->m,
                     .n = s->n,
                     .k = s->k,
                     .a = {a, s->k, 1, NULL},
                     .b = {lpi_pack_matrix, &right},
                     .c_row = s->n,
                     .fresh = true,
                     .team = {isa, threads}};

    if (last != what) {
        lpi_gemm most = gemm;

        free(a), free(b), free(c), free(workspace);
        most.team.threads = 2;
        gemm.a.at = a = floats(s->m * s->k);
        right.at = b = floats(s->n * s->k);
        c = floats(s->m * s->n);
        workspace = floats(lpi_gemm_workspace(&most));
        last = what;
    }
    gemm.c = c;
    gemm.workspace = workspace;
    lpi_gemm_run(&gemm);
}

/* ---- other libraries, where they are installed ------------------------ */

typedef void (*cblas)(int order, int a_turned, int b_turned, int m, int n,
                      int k, float alpha, const float *a, int a_row,
                      const float *b, int b_row, float beta, float *c,
                      int c_row);
typedef int (*dnnl)(char a_turned, char b_turned, int64_t m, int64_t n,
                    int64_t k, float alpha, const float *a, int64_t a_row,
                    const float *b, int64_t b_row, float beta, float *c,
                    int64_t c_row);

/* cblas_sgemm of OpenBLAS, dnnl_sgemm of oneDNN. */
static cblas openblas;
static dnnl onednn;

static void *find(const char *const *files, const char *name)
{
    for (; *files; files++) {
        void *library = dlopen(*files, RTLD_NOW | RTLD_LOCAL);

        if (library)
            return dlsym(library, name);
    }
    return NULL;
}

static void find_peers(void)
{
    static const char *const blas[] = {"libopenblas.so.0", "libopenblas.so",
                                       NULL};
    static const char *const dnn[] = {"libdnnl.so.3", "libdnnl.so.2", NULL};

    omp_set_num_threads(1);
    *(void **)&openblas = find(blas, "cblas_sgemm");
    *(void **)&onednn = find(dnn, "dnnl_sgemm");
}

static void run_peer(const void *what, int32_t threads)
{
    enum { ROW_MAJOR = 101, PLAIN = 111 };
    static const sizes *last;
    static float *a, *b, *c;
    const sizes *s = *(const sizes *const *)what;
    bool blas = ((const sizes *const *)what)[1] != NULL;

    (void)threads;
    if (last != s) {
        free(a), free(b), free(c);
        a = floats(s->m * s->k);
        b = floats(s->n * s->k);
        c = floats(s->m * s->n);
        last = s;
    }
    if (blas)
        openblas(ROW_MAJOR, PLAIN, PLAIN, (int)s->m, (int)s->n, (int)s->k, 1, a,
                 (int)s->k, b, (int)s->n, 0, c, (int)s->n);
    else
        onednn('N', 'N', s->m, s->n, s->k, 1, a, s->k, b, s->n, 0, c, s->n);
}

/* One line a library, beside our rate above it. */
static void show_peers(const sizes *s)
{
    const struct {
        const char *name;
        bool is_there;
        const sizes *what[2];
    } peers[] = {{"  OpenBLAS", openblas != NULL, {s, s}},
                 {"  oneDNN", onednn != NULL, {s, NULL}}};

    for (int i = 0; i < 2; i++) {
        double work = (double)(s->m * s->n * s->k);
        times one;

        if (!peers[i].is_there)
            continue;
        measure(run_peer, peers[i].what, 1, &one);
        printf("%-28s %8.1f GFLOP/s  %5.1f %%\n", peers[i].name,
               2e-9 * work / one.cpu, 200 * work / one.cpu / peak);
    }
}

/* ---- ours ------------------------------------------------------------- */

static void run_conv(const void *what, int32_t threads)
{
    static const void *last;
    static float *x, *w, *y, *workspace;
    lpi_conv conv = *(const lpi_conv *)what;
    int64_t in = conv.in[1] * conv.in[2], out = conv.out[1] * conv.out[2];

    conv.team = (lpi_team){isa, 2};
    if (last != what) {
        free(x), free(w), free(y), free(workspace);
        x = floats(conv.in_channels * in);
        y = floats(conv.out_channels * out);
        w = floats(conv.in_channels * conv.out_channels / conv.groups *
                   conv.kernel[1] * conv.kernel[2]);
        workspace = floats(lpi_conv_workspace(&conv));
        last = what;
    }
    conv.team.threads = threads;
    conv.x = x;
    conv.w = w;
    conv.y = y;
    conv.workspace = workspace;
    lpi_conv_run(&conv);
}

static void run_conv8(const void *what, int32_t threads)
{
    static const void *last;
    static float *x, *w, *y, *workspace;
    lpi_conv shape = *(const lpi_conv *)what;
    lpi_conv8 conv = {.shape = &shape, .x_zero = 128, .w_signed = true};
    int64_t size = shape.in[1] * shape.in[2];

    shape.team = (lpi_team){isa, 2};
    if (last != what) {
        free(x), free(w), free(y), free(workspace);
        x = floats(shape.in_channels * size / 4);
        y = floats(shape.out_channels * size);
        w = floats(shape.in_channels * shape.out_channels * 9 / 4);
        workspace = floats(lpi_conv8_workspace(&conv) / 4 + 1);
        last = what;
    }
    shape.team.threads = threads;
    conv.x = x;
    conv.w = w;
    conv.y = (int32_t *)y;
    conv.workspace = workspace;
    lpi_conv8_run(&conv);
}

static void run_attention(const void *what, int32_t threads)
{
    static const void *last;
    static float *q, *k, *v, *out, *workspace;
    const sizes *s = what; /* rows, depth, keys */
    lpi_attend attend = {.rows = s->m,
                         .keys = s->k,
                         .depth = s->n,
                         .value_depth = s->n,
                         .scale = 0.125f,
                         .out_row = s->n,
                         .team = {isa, 2}};

    if (last != what) {
        free(q), free(k), free(v), free(out), free(workspace);
        q = floats(s->m * s->n);
        k = floats(s->k * s->n);
        v = floats(s->k * s->n);
        out = floats(s->m * s->n);
        workspace = floats(lpi_attend_workspace(&attend));
        last = what;
    }
    attend.team.threads = threads;
    attend.q = (lpi_matrix){q, s->n, 1, NULL};
    attend.k = (lpi_matrix){k, s->n, 1, NULL};
    attend.v = (lpi_matrix){v, s->n, 1, NULL};
    attend.out = out;
    attend.workspace = workspace;
    lpi_attend_run(&attend);
}

static const sizes gemms[] = {
    {"gemm 4096x320x320", 4096, 320, 320},
    {"gemm 4096x320x2880", 4096, 320, 2880},
    {"gemm 1024x1280x1280", 1024, 1280, 1280},
    {"gemm 256x1280x11520", 256, 1280, 11520},
    {"gemm 4096x4096x40", 4096, 4096, 40},
    {"gemm 4096x40x4096", 4096, 40, 4096},
    {"gemm 64x1280x1280", 64, 1280, 1280},
    {"gemm 2x1280x320", 2, 1280, 320},
    {"gemm 1x4096x4096", 1, 4096, 4096},
};

static const sizes heads[] = {
    {"attention 4096x40x4096", 4096, 40, 4096},
    {"attention 1024x80x1024", 1024, 80, 1024},
    {"attention 4096x40x77", 4096, 40, 77},
};

/* Channels, side, groups. */
static const int64_t convs[][4] = {
    {320, 320, 64, 1},  {640, 640, 32, 1},   {1280, 1280, 16, 1},
    {1280, 1280, 8, 1}, {960, 320, 64, 1},   {64, 64, 56, 1},
    {3, 64, 224, 1},    {512, 512, 28, 512},
};

static lpi_conv conv_of(const int64_t *c)
{
    return (lpi_conv){.batch = 1,
                      .groups = c[3],
                      .in_channels = c[0],
                      .out_channels = c[1],
                      .in = {1, c[2], c[2]},
                      .out = {1, c[2], c[2]},
                      .kernel = {1, 3, 3},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .pad = {0, 1, 1}};
}

static void bench_convs(bool integers)
{
    char name[64];

    for (size_t i = 0; i < sizeof(convs) / sizeof(convs[0]); i++) {
        lpi_conv *conv = malloc(sizeof(*conv));
        const int64_t *c = convs[i];

        if (!conv)
            exit(4);
        *conv = conv_of(c);
        snprintf(name, sizeof(name), "conv%s 3x3 %d->%d %dx%d%s",
                 integers ? "8" : "", (int)c[0], (int)c[1], (int)c[2],
                 (int)c[2], c[3] > 1 ? " dw" : "");
        if (!integers || i < 4)
            show(name, integers ? run_conv8 : run_conv, conv,
                 9.0 * (double)(c[0] * c[1] / c[3] * c[2] * c[2]));
    }
}

int main(int argc, char **argv)
{
    wait_asleep(argv);
    isa = lpi_isa_find(argc > 1 ? argv[1] : NULL);
    if (!isa) {
        fprintf(stderr, "kernels: this machine has no %s\n", argv[1]);
        return 2;
    }
    find_peak();
    find_peers();
    for (size_t i = 0; i < sizeof(gemms) / sizeof(gemms[0]); i++) {
        show(gemms[i].name, run_gemm, &gemms[i],
             (double)(gemms[i].m * gemms[i].n * gemms[i].k));
        show_peers(&gemms[i]);
    }
    bench_convs(false);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        show(heads[i].name, run_attention, &heads[i],
             2 * (double)(heads[i].m * heads[i].n * heads[i].k));
    bench_convs(true);
    return 0;
}
