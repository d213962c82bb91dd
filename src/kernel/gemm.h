/* gemm.h: matrix products, of floats and of 8-bit integers.
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_GEMM_H
#define LPI_KERNEL_GEMM_H

/* ---- gemm.c, fewrows.c ------------------------------------------------- */

/* Every element of a product is one chain of fused multiply-adds in ascending
 * k that starts from what C holds (from 0 when "fresh").  So blocks, threads,
 * instruction sets and products split along m, n or (in ascending order) k
 * give the same bytes.
 *
 * Workspaces are floats, made by the caller: lpi_..._workspace tells how many
 * for the struct as it will be run. */

/* "at[i * row + j * column]"; with "widen" (lpi_isa.from_f16, from_bf16) these
 * are halves of a float, which become floats some rows at a time: in blocks of
 * a product, nowhere else. */
typedef void (*lpi_widen)(int64_t count, const uint16_t *from, float *to);
typedef struct lpi_matrix {
    const float *at;
    int64_t row, column;
    lpi_widen widen;
} lpi_matrix;

/* "matrix" from the element "first" behind its own first on. */
lpi_matrix lpi_matrix_from(const lpi_matrix *matrix, int64_t first);

/* Where the columns of B come from: fill "to" with rows [k, k + k_count) of
 * columns [n, n + n_count), "width" floats a row, zeros behind n_count. */
typedef struct lpi_columns {
    void (*pack)(const void *context, int64_t k, int64_t k_count, int64_t n,
                 int64_t n_count, int64_t width, float *to);
    const void *context;
} lpi_columns;

typedef struct lpi_gemm {
    int64_t m, n, k;
    lpi_matrix a;
    lpi_columns b; /* {lpi_pack_matrix, &an_lpi_matrix}: k rows, n columns */
    float *c;
    int64_t c_row; /* columns of C are neighbours */
    bool fresh;    /* C holds nothing yet */
    lpi_team team;
    float *workspace;
    const float *bias; /* one a row, added at the end; NULL: none */
} lpi_gemm;

int64_t lpi_gemm_workspace(const lpi_gemm *gemm);

/* C += A B. */
void lpi_gemm_run(const lpi_gemm *gemm);

/* Of gemm.c and fewrows.c: the bias of a part of C; a product of few rows,
 * false when this is none. */
void lpi_gemm_add_bias(const lpi_gemm *gemm, const int64_t rows[2],
                       const int64_t columns[2]);
bool lpi_gemm_few_rows(const lpi_gemm *gemm, int32_t threads);

/* lpi_columns.pack of a matrix in memory; the context is an lpi_matrix.  A
 * product that has it is known to stand in memory and may be computed
 * transposed, or without packing. */
void lpi_pack_matrix(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to);

/* to[p * width + j] = from[j * stride + p] for p < sides[0], j < sides[1]: a
 * matrix turned, in squares. */
void lpi_turn(const float *from, int64_t stride, const int64_t sides[2],
              int64_t width, float *to);

/* ---- gemm8.c: products of 8-bit integers ------------------------------- */

/* Exact: sums of (a - a_zero) * (b - b_zero) modulo 2^32, in int32.  Signed or
 * unsigned as each operand's flag says. */
typedef struct lpi_matrix8 {
    const void *at;
    int64_t row, column;
    bool is_signed;
    int32_t zero;         /* of all, when zeros is NULL */
    const int32_t *zeros; /* one a row of A, one a column of B */
} lpi_matrix8;

/* Columns of B by a function, as lpi_columns; bytes as they are stored. */
typedef struct lpi_columns8 {
    void (*pack)(const void *context, int64_t k, int64_t k_count, int64_t n,
                 int64_t n_count, int64_t width, uint8_t *to);
    const void *context;
} lpi_columns8;

typedef struct lpi_gemm8 {
    int64_t m, n, k;
    lpi_matrix8 a, b;
    lpi_columns8 b_from; /* pack NULL: B stands at b.at */
    int32_t *c;          /* overwritten */
    int64_t c_row;
    lpi_team team;
    void *workspace; /* lpi_gemm8_workspace() bytes */
} lpi_gemm8;

int64_t lpi_gemm8_workspace(const lpi_gemm8 *gemm);
void lpi_gemm8_run(const lpi_gemm8 *gemm);

#endif
