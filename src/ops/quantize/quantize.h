/* quantize.h: runs of quantizing rows, and of rows on quantized operands.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_QUANTIZE_H
#define LPI_OPS_QUANTIZE_H

/* ---- quantise.c: runs of QuantizeLinear and its kin --------------------- */

typedef struct lpi_quantize {
    int64_t axis, block_size, output_dtype, saturate, precision;
} lpi_quantize;

lp_status lpi_quantize_run(const lpi_run *run);
lp_status lpi_dequantize_run(const lpi_run *run);
lp_status lpi_quantize_dynamic_run(const lpi_run *run);

/* Scale and zero point of bytes for the range of "count" elements, which holds
 * 0. */
void lpi_quantize_range(const lpi_run *run, const float *x, int64_t count,
                        float *ret_scale, float *ret_zero);

/* "v", within +-2^22, rounded half to even. */
static inline float lpi_round_even(float v)
{
    const float magic = 0x1.8p23f;

    return (v + magic) - magic;
}

/* ---- tables.c: runs of qlinear.c ---------------------------------------- */

typedef struct lpi_qlinear {
    lpi_pool pool;
    int64_t axis, channels_last, opset;
    float alpha;
} lpi_qlinear;

lp_status lpi_qlinear_add_run(const lpi_run *run);
lp_status lpi_qlinear_mul_run(const lpi_run *run);
lp_status lpi_qlinear_concat_run(const lpi_run *run);
lp_status lpi_qlinear_mean_run(const lpi_run *run);
lp_status lpi_qlinear_sigmoid_run(const lpi_run *run);
lp_status lpi_qlinear_leaky_run(const lpi_run *run);
lp_status lpi_qlinear_softmax_run(const lpi_run *run);

#endif
