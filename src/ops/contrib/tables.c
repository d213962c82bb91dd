/* tables.c: runs of the QLinear operators of com.microsoft, on bytes.
 *
 * What ONNX Runtime computes, bit by bit: functions of one operand through a
 * table of 256 results; sums and products by one factor an operand, the zero
 * points taken together; means of whole planes from exact sums.  Each rounds
 * once, half to even.  Source: onnxruntime, contributed operators and MLAS. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { BYTES = 256 };

/* A quantized operand or result. */
typedef struct scaled {
    float scale;
    int32_t zero;
    bool is_signed;
} scaled;

/* The scale in input "i" and the zero point behind it, for bytes of "type". */
static lp_status read_scaled(const lpi_run *run, int32_t i, lp_dtype type,
                             scaled *ret)
{
    lp_dtype zero_type = lpi_in_dtype(run->node, i + 1);
    const float *scale;
    const int32_t *zero;

    if (type != LP_INT8 && type != LP_UINT8)
        return lpi_run_refuse(run, type);
    if (zero_type != LP_UNDEFINED && zero_type != type)
        return lpi_run_refuse(run, zero_type);
    scale = lpi_run_scales(run, i, 1, 1);
    zero = lpi_run_zeros(run, i + 1, 1);
    if ((scale == NULL || zero == NULL) && lpi_in_elements(run->node, i) <= 1 &&
        lpi_in_elements(run->node, i + 1) <= 1)
        return lpi_node_fail_memory(run->node);
    if (scale == NULL || zero == NULL)
        return lpi_node_fail(run->node,
                             "inputs %d and %d are no single scale "
                             "and zero point",
                             i, i + 1);
    *ret = (scaled){*scale, *zero, type == LP_INT8};
    return LP_OK;
}

/* Byte "raw" as the integer it stands for. */
static int32_t whole(const scaled *of, uint8_t raw)
{
    return of->is_signed ? (int8_t)raw : raw;
}

/* "value" kept in the range of bytes of "of". */
static uint8_t clamp(const scaled *of, float value)
{
    float least = of->is_signed ? -128 : 0;

    value = value != value || value < least ? least
            : value > least + 255           ? least + 255
                                            : value;
    return (uint8_t)(int32_t)value;
}

/* "value" quantized: rounded, then moved by the zero point. */
static uint8_t quantized(const scaled *to, float value)
{
    return clamp(to, rintf(value / to->scale) + (float)to->zero);
}

/* ---- functions of one operand ------------------------------------------- */

/* The results of all bytes of "from": "unary" (LPI_UNARIES: none), or with
 * "alpha" below zero. */
static void fill_table(const lpi_run *run, const scaled ends[2], int32_t unary,
                       float alpha, uint8_t table[BYTES])
{
    float values[BYTES];

    for (int32_t i = 0; i < BYTES; i++) {
        int32_t moved = whole(&ends[0], (uint8_t)i) - ends[0].zero;

        values[i] = ends[0].scale * (float)moved;
        values[i] = values[i] < 0 ? values[i] * alpha : values[i];
    }
    if (unary < LPI_UNARIES)
        lpi_run_team(run).isa->unary[unary](BYTES, values, values);
    for (int32_t i = 0; i < BYTES; i++)
        table[i] = quantized(&ends[1], values[i]);
}

static lp_status table_run(const lpi_run *run, int32_t unary, float alpha)
{
    lp_dtype type = lpi_in_dtype(run->node, 0);
    const uint8_t *from = run->in[0];
    uint8_t table[BYTES], *to = run->out[0];
    scaled ends[2];

    LP_TRY(read_scaled(run, 1, type, &ends[0]));
    LP_TRY(read_scaled(run, 3, type, &ends[1]));
    fill_table(run, ends, unary, alpha, table);
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i++)
        to[i] = table[from[i]];
    return LP_OK;
}

lp_status lpi_qlinear_sigmoid_run(const lpi_run *run)
{
    return table_run(run, LPI_UNARY_SIGMOID, 1);
}

lp_status lpi_qlinear_leaky_run(const lpi_run *run)
{
    return table_run(run, LPI_UNARIES,
                     ((const lpi_qlinear *)run->node->params)->alpha);
}

/* Parts are copied where scale and zero point are those of the result. */
lp_status lpi_qlinear_concat_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape out = lpi_out_shape(node, 0);
    lp_dtype type = lpi_in_dtype(node, 1);
    int64_t axis = 0, first = 0, inner, outer;
    scaled ends[2];

    lpi_axis(((const lpi_qlinear *)node->params)->axis, out.rank, &axis);
    inner = lpi_dims_product(out, axis, out.rank);
    outer = lpi_dims_product(out, 0, axis);
    LP_TRY(read_scaled(run, 0, type, &ends[1]));
    for (int32_t p = 2; p < node->layer->inputs_count; p += 3) {
        int64_t own = lpi_dims_product(lpi_in_shape(node, p), axis, out.rank);
        const uint8_t *from = run->in[p];
        uint8_t table[BYTES];
        bool same;

        if (lpi_in_dtype(node, p) != type)
            return lpi_run_refuse(run, lpi_in_dtype(node, p));
        LP_TRY(read_scaled(run, p + 1, type, &ends[0]));
        same = ends[0].scale == ends[1].scale && ends[0].zero == ends[1].zero;
        fill_table(run, ends, LPI_UNARIES, 1, table);
        for (int64_t i = 0; i < outer * own; i++)
            ((uint8_t *)run->out[0])[i / own * inner + first + i % own] =
                same ? from[i] : table[from[i]];
        first += own;
    }
    return LP_OK;
}

/* ---- sums and products -------------------------------------------------- */

/* A result is fma(a, factor[0], fma(b, factor[1], rest)), or a and b moved by
 * their zero points, multiplied, times factor[0], plus "rest". */
typedef struct binary {
    scaled a, b, y;
    float factor[2], rest;
    bool is_product;
} binary;

static uint8_t combine(const binary *w, int32_t a, int32_t b)
{
    float product;

    if (!w->is_product)
        return clamp(&w->y, rintf(fmaf((float)a, w->factor[0],
                                       fmaf((float)b, w->factor[1], w->rest))));
    product = (float)((a - w->a.zero) * (b - w->b.zero)) * w->factor[0];
    return clamp(&w->y, rintf(product + w->rest));
}

/* Strides of input "i" in a walk over the output. */
static const int64_t *strides_of(const lpi_run *run, int32_t i)
{
    lp_shape out = lpi_out_shape(run->node, 0);
    lp_shape own = lpi_in_shape(run->node, i);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, out.rank);
    int32_t lead = out.rank - own.rank;

    if (strides == NULL)
        return NULL;
    lpi_strides(own.rank, own.dims, strides + lead);
    for (int32_t k = 0; k < own.rank; k++)
        if (own.dims[k] == 1)
            strides[lead + k] = 0;
    return strides;
}

static lp_status binary_run(const lpi_run *run, binary *w)
{
    lp_shape out = lpi_out_shape(run->node, 0);
    const int64_t *strides[2] = {strides_of(run, 0), strides_of(run, 3)};
    const uint8_t *a = run->in[0], *b = run->in[3];
    uint8_t *to = run->out[0];
    lpi_walk walk;
    bool more;

    if (strides[0] == NULL || strides[1] == NULL)
        return lpi_node_fail_memory(run->node);
    for (more = lpi_walk_start(&walk, out.rank, out.dims, 2, strides); more;
         more = lpi_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++)
            *to++ = combine(w, whole(&w->a, a[walk.at[0] + i * walk.step[0]]),
                            whole(&w->b, b[walk.at[1] + i * walk.step[1]]));
    return LP_OK;
}

static lp_status read_binary(const lpi_run *run, binary *w)
{
    lp_dtype type = lpi_in_dtype(run->node, 0);

    LP_TRY(read_scaled(run, 1, type, &w->a));
    LP_TRY(read_scaled(run, 4, type, &w->b));
    return read_scaled(run, 6, type, &w->y);
}

lp_status lpi_qlinear_add_run(const lpi_run *run)
{
    binary w = {.is_product = false};
    float moved;

    LP_TRY(read_binary(run, &w));
    w.factor[0] = w.a.scale / w.y.scale;
    w.factor[1] = w.b.scale / w.y.scale;
    moved = w.factor[0] * (float)w.a.zero;
    w.rest = (float)w.y.zero - fmaf(w.factor[1], (float)w.b.zero, moved);
    return binary_run(run, &w);
}

lp_status lpi_qlinear_mul_run(const lpi_run *run)
{
    binary w = {.is_product = true};
    float product;

    LP_TRY(read_binary(run, &w));
    product = w.a.scale * w.b.scale;
    w.factor[0] = product / w.y.scale;
    w.rest = (float)w.y.zero;
    return binary_run(run, &w);
}

/* ---- Softmax ------------------------------------------------------------ */

/* Exponentials by the distance from the largest byte of a row, as far above
 * 1 as a sum of "count" of them allows. */
static void fill_exponentials(float scale, int64_t count, float table[BYTES])
{
    double room = log((double)(FLT_MAX / (float)count)) - 5;
    double shift = (room > 0 ? room : 0) / (double)scale;

    for (int32_t i = 0; i < BYTES; i++)
        table[i] = (float)exp((i - 255 + shift) * (double)scale);
}

/* "count" bytes "step" apart. */
static void soften(const float table[BYTES], const scaled ends[2],
                   const int64_t count_step[2], const uint8_t *from,
                   uint8_t *to)
{
    int64_t count = count_step[0], step = count_step[1];
    float sum = 0, most = floorf(1 / ends[1].scale);
    int32_t top = INT32_MIN;

    for (int64_t i = 0; i < count; i++) {
        int32_t own = whole(&ends[0], from[i * step]);

        top = own > top ? own : top;
    }
    for (int64_t i = 0; i < count; i++)
        sum += table[255 - top + whole(&ends[0], from[i * step])];
    for (int64_t i = 0; i < count; i++) {
        float one = table[255 - top + whole(&ends[0], from[i * step])] * most;

        to[i * step] = clamp(&ends[1], rintf(one / sum) + (float)ends[1].zero);
    }
}

lp_status lpi_qlinear_softmax_run(const lpi_run *run)
{
    const lpi_qlinear *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lp_dtype type = lpi_in_dtype(run->node, 0);
    int64_t axis = p->axis, inner = 1, count;
    float table[BYTES];
    scaled ends[2];

    if (!lpi_axis(axis, x.rank, &axis))
        return lpi_node_fail(run->node, "axis %lld of an input of rank %d",
                             (long long)axis, x.rank);
    if (p->opset >= 13)
        inner = lpi_dims_product(x, axis + 1, x.rank);
    count = lpi_dims_product(x, axis, x.rank) / (inner > 0 ? inner : 1);
    LP_TRY(read_scaled(run, 1, type, &ends[0]));
    LP_TRY(read_scaled(run, 3, type, &ends[1]));
    fill_exponentials(ends[0].scale, count, table);
    for (int64_t i = 0; i < lpi_dims_product(x, 0, axis) * inner; i++) {
        int64_t at = i / inner * count * inner + i % inner;
        const int64_t count_step[2] = {count, inner};

        if (count > 0)
            soften(table, ends, count_step, (const uint8_t *)run->in[0] + at,
                   (uint8_t *)run->out[0] + at);
    }
    return LP_OK;
}

/* ---- means -------------------------------------------------------------- */

/* Means of whole planes, from sums of the bytes. */
static void mean_planes(const scaled ends[2], int64_t planes, int64_t size,
                        const uint8_t *from, uint8_t *to)
{
    float factor = ends[0].scale / (ends[1].scale * (float)size);

    for (int64_t p = 0; p < planes; p++, from += size) {
        int64_t sum = -ends[0].zero * size;

        for (int64_t i = 0; i < size; i++)
            sum += whole(&ends[0], from[i]);
        to[p] =
            clamp(&ends[1], rintf((float)sum * factor) + (float)ends[1].zero);
    }
}

/* Means of windows, in floats. */
static lp_status mean_windows(const lpi_run *run, const scaled ends[2],
                              int32_t first, const uint8_t *from, uint8_t *to)
{
    int64_t in = lpi_in_elements(run->node, 0);
    int64_t out = lpi_out_elements(run->node, 0);
    float *x = LPI_NEW(run->scratch, float, in);
    float *y = LPI_NEW(run->scratch, float, out);

    if (x == NULL || y == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < in; i++)
        x[i] = ends[0].scale * (float)(whole(&ends[0], from[i]) - ends[0].zero);
    LP_TRY(lpi_pool_means(run, first, x, y));
    for (int64_t i = 0; i < out; i++) {
        float moved = y[i] / ends[1].scale + (float)ends[1].zero;

        to[i] = clamp(&ends[1], rintf(moved));
    }
    return LP_OK;
}

lp_status lpi_qlinear_mean_run(const lpi_run *run)
{
    const lpi_qlinear *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    lp_dtype type = lpi_in_dtype(run->node, 0);
    int32_t first = p->channels_last != 0 ? 1 : 2;
    const uint8_t *from = run->in[0];
    uint8_t *to = run->out[0], *turned = NULL;
    int64_t planes, in = lpi_in_elements(run->node, 0);
    scaled ends[2];

    LP_TRY(read_scaled(run, 1, type, &ends[0]));
    LP_TRY(read_scaled(run, 3, type, &ends[1]));
    if (first == 1) {
        turned = LPI_NEW(run->scratch, uint8_t,
                         lpi_add(in, lpi_out_elements(run->node, 0)));
        if (turned == NULL)
            return lpi_node_fail_memory(run->node);
        lpi_channels_turn(8, x, true, from, turned);
        from = turned;
        to = turned + in;
    }
    planes = x.dims[0] * x.dims[first == 1 ? x.rank - 1 : 1];
    if (p->pool.window.kernel_shape.count > 0)
        LP_TRY(mean_windows(run, ends, first, from, to));
    else if (planes > 0)
        mean_planes(ends, planes, in / planes, from, to);
    if (first == 1)
        lpi_channels_turn(8, y, false, to, run->out[0]);
    return LP_OK;
}
