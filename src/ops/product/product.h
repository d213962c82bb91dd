/* product.h: runs of matrix products, of einsum, and of weights packed into
 * wider elements.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_PRODUCT_H
#define LPI_OPS_PRODUCT_H

/* ---- product.c: matrix products ---------------------------------------- */

typedef struct lpi_matmul {
    int64_t transA, transB, transBatchA, transBatchB;
    float alpha, beta, activation_alpha, activation_beta;
    const char *activation;
} lpi_matmul;

enum { LPI_VIEW_AXES = 16 };

/* An operand as [batch..., rows, columns]: its axes and strides; batch axes
 * that are missing or repeat have stride 0.  "rank" counts the batch. */
typedef struct lpi_factor {
    int32_t rank;
    int64_t dims[LPI_VIEW_AXES], strides[LPI_VIEW_AXES];
    int64_t rows, columns, row, column; /* extents and strides */
} lpi_factor;

/* The operands of a matrix product, brought to the batch of its result. */
lp_status lpi_factors(const lpi_run *run, lpi_factor *ret_a, lpi_factor *ret_b);

/* Offset of batch "i" (row-major over the dims of "factor"). */
int64_t lpi_factor_at(const lpi_factor *factor, int64_t i);

lp_status lpi_matmul_run(const lpi_run *run);

/* ---- product8.c: matrix products of 8-bit integers --------------------- */

/* What becomes of the sums of a product of 8-bit integers. */
typedef enum lpi_result8 {
    LPI_RESULT8_SUMS,
    LPI_RESULT8_QLINEAR,
    LPI_RESULT8_TO_FLOAT,
    LPI_RESULT8_DYNAMIC, /* A is quantized first */
    LPI_RESULT8_GEMM,
} lpi_result8;

/* Where the operands of a row stand (-1: none); the dtype of its result, or
 * the input it is taken from; operations for one element of it. */
typedef struct lpi_matmul_facts {
    lpi_result8 result8;
    int32_t b, bias, type_from;
    lp_dtype type;
    bool is_gemm;
    lpi_each each;
} lpi_matmul_facts;

lp_status lpi_matmul8_run(const lpi_run *run);

/* Input "i" as "count" floats: repeated when it has one element, "absent" when
 * there is none; NULL without memory or with another number of elements. */
const float *lpi_run_scales(const lpi_run *run, int32_t i, int64_t count,
                            float absent);

/* The same of bytes, as integers. */
const int32_t *lpi_run_zeros(const lpi_run *run, int32_t i, int64_t count);

/* Add the sums "from" to "to", modulo 2 to the 32. */
void lpi_add_sums(int64_t count, const int32_t *from, int32_t *to);

/* ---- boxes.c ----------------------------------------------------------- */

lp_status lpi_matmul_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* Their "split": the inner extent. */

lp_status lpi_matmul_split(const lpi_node *node, int64_t range[2], lpi_box *in);

/* ---- einsum.c, contract.c ---------------------------------------------- */

enum { LPI_EINSUM_SLOTS = 64, LPI_EINSUM_TERMS = 64 };

/* A term: the slots of its axes, a slot a letter or an axis of the ellipsis. */
typedef struct lpi_einsum_term {
    int32_t count;
    uint8_t slots[LPI_EINSUM_SLOTS];
} lpi_einsum_term;

/* An equation: its terms, and the extents of the slots; negative: not seen. */
typedef struct lpi_einsum {
    lpi_einsum_term terms[LPI_EINSUM_TERMS], result;
    int64_t extents[LPI_EINSUM_SLOTS];
} lpi_einsum;

lp_status lpi_einsum_read(const lpi_node *node, lpi_einsum *ret_einsum);
lp_status lpi_einsum_run(const lpi_run *run);

/* ---- unpack.c: runs of nbits.c ------------------------------------------- */

typedef struct lpi_nbits {
    int64_t K, N, bits, block_size;
    int64_t gather_axis, quantize_axis, quant_type;
} lpi_nbits;

lp_status lpi_nbits_run(const lpi_run *run);
lp_status lpi_bnb4_run(const lpi_run *run);
lp_status lpi_gather_blocks_run(const lpi_run *run);

#endif
