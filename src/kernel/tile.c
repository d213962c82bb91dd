/* tile.c: the register tile of a matrix product, compiled once for each
 * instruction set (LPI_ISA names it).
 *
 * The accumulators of a tile stay in vector registers while k runs; each lane
 * is one chain of fused multiply-adds, so the width of the vectors does not
 * show in the result.  Where the machine fuses, the compiler contracts a * b +
 * c (-ffp-contract=fast for this file alone); elsewhere fmaf does. */
#include <math.h>

#include "kernel.h"

#if defined(__AVX512F__)
enum { WIDTH = 16, ROWS = 8, VECTORS = 3 };
#define LPI_ISA lpi_isa_avx512
#define LPI_ISA_NAME "avx512"
#elif defined(__AVX2__) && defined(__FMA__)
enum { WIDTH = 8, ROWS = 6, VECTORS = 2 };
#define LPI_ISA lpi_isa_avx2
#define LPI_ISA_NAME "avx2"
#else
enum { WIDTH = 4, ROWS = 4, VECTORS = 2 };
#define LPI_ISA lpi_isa_generic
#define LPI_ISA_NAME "generic"
#endif

enum { COLUMNS = WIDTH * VECTORS };

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float loose
    __attribute__((vector_size(WIDTH * sizeof(float)), aligned(4), may_alias));

#if defined(__FMA__) || defined(__aarch64__)
static inline vector fuse(vector a, vector b, vector c)
{
    return a * b + c;
}
#else
static inline vector fuse(vector a, vector b, vector c)
{
    for (int i = 0; i < WIDTH; i++)
        c[i] = fmaf(a[i], b[i], c[i]);
    return c;
}
#endif

static void run_tile(int64_t k, const float *a, const float *b, float *c,
                     int64_t stride)
{
    vector sum[ROWS][VECTORS];

    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            sum[i][j] = *(const loose *)(c + i * stride + j * WIDTH);
    for (int64_t p = 0; p < k; p++, a += ROWS, b += COLUMNS) {
        vector right[VECTORS];

        for (int j = 0; j < VECTORS; j++)
            right[j] = *(const loose *)(b + j * WIDTH);
        for (int i = 0; i < ROWS; i++) {
            vector left = a[i] - (vector){0};

            for (int j = 0; j < VECTORS; j++)
                sum[i][j] = fuse(left, right[j], sum[i][j]);
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VECTORS; j++)
            *(loose *)(c + i * stride + j * WIDTH) = sum[i][j];
}

const lpi_isa LPI_ISA = {
    .name = LPI_ISA_NAME,
    .rows = ROWS,
    .columns = COLUMNS,
    .tile = run_tile,
};
