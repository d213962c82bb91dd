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

/* Columns of B by a function, as lpi_columns; bytes as they are stored, without
 * zeros behind; LPI_BYTES_SLACK bytes behind the last row may be written, too.
 */
enum { LPI_BYTES_SLACK = 64 };
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

/* Enough for products of less rows, too. */
int64_t lpi_gemm8_workspace(const lpi_gemm8 *gemm);
void lpi_gemm8_run(const lpi_gemm8 *gemm);

/* ---- pack8.c: operands of gemm8.c in the form of the set's loops ------- */

enum { LPI_SIDE8 = 48, LPI_K8 = 1024 }; /* most columns of a tile; k at once */

/* An operand, each byte with "flip" toggled, which adds "moved" to its zero
 * points; "is_signed" then. */
typedef struct lpi_operand8 {
    const lpi_matrix8 *matrix;
    lpi_columns8 from;
    uint8_t flip;
    bool is_signed;
    uint32_t moved;
} lpi_operand8;

/* k[1] of k from k[0] on, of the rows of A or columns of B n[1] from n[0] on,
 * packed to "to"; the sums of what is packed are added to "sums".  "bytes" is
 * scratch memory of lpi_pack8_room(k[1]) bytes. */
typedef struct lpi_packing8 {
    const lpi_dots *dots;
    const lpi_operand8 *of;
    int64_t k[2], n[2];
    uint8_t *bytes, *to;
    uint32_t *sums;
} lpi_packing8;

int64_t lpi_pack8_room(int64_t k);

/* Rows of A as lines of groups, lpi_line8_bytes() apart; "to" NULL: only their
 * sums, where they may be read in place. */
int64_t lpi_line8_bytes(int64_t k);
bool lpi_lines8_in_place(const lpi_packing8 *p);
void lpi_pack8_lines(const lpi_packing8 *p);

/* Columns of B in panels of dots->columns, the last one of fewer vectors. */
void lpi_pack8_panels(const lpi_packing8 *p);

/* The operands of "gemm"; whether A is the signed one of two (lpi_dots). */
lpi_operand8 lpi_left8(const lpi_gemm8 *gemm);
lpi_operand8 lpi_right8(const lpi_gemm8 *gemm);
bool lpi_is_turned8(const lpi_gemm8 *gemm);

/* Zero point "i" of an operand, as it was moved. */
uint32_t lpi_zero8(const lpi_operand8 *of, int64_t i);

/* ---- few8.c: products of few rows, whose B is read where it is --------- */

bool lpi_gemm8_is_few(const lpi_gemm8 *gemm);
int64_t lpi_few8_workspace(const lpi_gemm8 *gemm);
void lpi_few8_run(const lpi_gemm8 *gemm);

#endif
