/* rows.h: arrays at memory speed, row by row: functions of elements, softmax,
 * reductions, normalizations, attention.
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_ROWS_H
#define LPI_KERNEL_ROWS_H

/* ---- rows.c, pointwise.c ----------------------------------------------- */

void lpi_unary_run(const lpi_team *team, lpi_unary what, int64_t count,
                   const float *from, float *to);

/* An element-wise function with broadcasting: strides are in elements, 0
 * repeats; "to" is contiguous with "dims" and may be an operand that has the
 * same shape. */
typedef struct lpi_spread {
    int32_t rank;
    const int64_t *dims;
    const float *a, *b;
    const int64_t *a_strides, *b_strides;
    float *to;
} lpi_spread;

void lpi_binary_run(const lpi_team *team, lpi_binary what,
                    const lpi_spread *spread);

/* Both operands of the same shape, contiguous. */
void lpi_binary_flat(const lpi_team *team, lpi_binary what, int64_t count,
                     const float *const operands[2], float *to);

/* Softmax over the middle axis of outer x count x inner, contiguous: max,
 * exp(x - max), their sum by LPI_LANES lanes (see lpi_isa.reduce), times its
 * reciprocal; log: x - max - log(sum).  In place is fine. */
typedef struct lpi_softmax {
    int64_t outer, count, inner;
    const float *from;
    float *to;
    bool log;
} lpi_softmax;

void lpi_softmax_run(const lpi_team *team, const lpi_softmax *softmax);

/* One row of it. */
void lpi_softmax_row(const lpi_isa *isa, int64_t count, const float *from,
                     float *to);

/* Reduce the middle axis of outer x count x inner into outer x inner.
 * "chain": one ascending chain from what "to" holds (for sums that go on);
 * else by lanes. */
typedef struct lpi_reduction {
    int64_t outer, count, inner;
    const float *from;
    float *to;
    bool chain;
} lpi_reduction;

void lpi_reduction_run(const lpi_team *team, lpi_reducer what,
                       const lpi_reduction *reduction);

/* Normalise rows of "count" elements: mean and variance from the sums of x - p
 * and of its squares, p the row's first element (0 without "centred"), in
 * doubles by lanes, then (x - mean) * inverse * scale + shift in floats, the
 * last step fused, inverse = 1 / sqrt(variance + epsilon) rounded once.
 * Without "centred": mean 0 (RMS).  Element i of row r has parameter
 * (r * (count / plane) + i / plane) mod channels: a layer norm has plane 1 and
 * channels = count; a group norm has count = channels of a group x plane. */
typedef struct lpi_norm {
    int64_t rows, count, plane, channels;
    const float *from;
    const float *scale, *shift; /* NULL: 1, 0 */
    double epsilon;
    bool centred;
    float *to;
    float *ret_mean, *ret_inverse; /* a value a row; NULL: not wanted */
} lpi_norm;

void lpi_norm_run(const lpi_team *team, const lpi_norm *norm);

/* y = x * scale[c] + shift[c] (fused) of outer x channels x plane: batch
 * normalisation with its statistics given, biases of convolutions. */
typedef struct lpi_affine {
    int64_t outer, channels, plane;
    const float *from, *scale, *shift; /* NULL: 1, 0 */
    float *to;
} lpi_affine;

void lpi_affine_run(const lpi_team *team, const lpi_affine *affine);

/* ---- attend.c ---------------------------------------------------------- */

/* out = softmax(q k^T * scale + mask) v of one head, by blocks of rows whose
 * scores are complete, with the bytes of lpi_gemm_run, multiply, add,
 * lpi_softmax_run, lpi_gemm_run. */
typedef struct lpi_attend {
    int64_t rows, keys, depth, value_depth;
    lpi_matrix q, k, v; /* rows x depth, keys x depth, keys x value_depth */
    float scale;        /* 1: not multiplied */
    lpi_matrix mask;    /* added when "at" is set; strides may be 0 */
    bool causal;        /* row i sees keys 0 .. i + past only */
    int64_t past;
    float *out;
    int64_t out_row;
    lpi_team team;

    float *workspace;
} lpi_attend;

int64_t lpi_attend_workspace(const lpi_attend *attention);
void lpi_attend_run(const lpi_attend *attention);

#endif
