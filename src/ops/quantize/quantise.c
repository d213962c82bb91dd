/* quantise.c: runs of QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 * Quantizing divides in float32, rounds half to even, adds the zero point and
 * saturates; dequantizing subtracts the zero point, then multiplies.  Elements
 * are taken in runs that share a scale or step through the scales one by one.
 * Source: ONNX operators QuantizeLinear-25, DequantizeLinear-25,
 * DynamicQuantizeLinear-11. */
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { BLOCK = 2048 };

/* Where the scale of an element stands. */
typedef struct scale_map {
    int64_t count;         /* scales in all */
    int64_t inner, extent; /* elements behind the axis; its extent */
    int64_t block, blocks; /* indices of one scale; scales along the axis; 0:
                              the scale is a vector */
} scale_map;

typedef struct job {
    const lpi_run *run;
    scale_map map;
    const float *scale, *zero; /* zero NULL: none */
    lp_dtype from, to;
    bool is_forward;
} job;

static scale_map map_scales(const lpi_node *node)
{
    const lpi_quantize *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), scale = lpi_in_shape(node, 1);
    scale_map map = {.count = lpi_shape_elements(scale), .inner = 1};
    int64_t axis = 0;

    if (map.count == 1 || x.rank == 0)
        return map;
    if (x.rank > 1)
        lpi_axis(params->axis, x.rank, &axis);
    map.extent = x.dims[axis];
    map.inner = lpi_dims_product(x, axis + 1, x.rank);
    if (params->block_size > 0) {
        map.block = params->block_size;
        map.blocks = scale.dims[axis];
    }
    return map;
}

/* The scale of element "i", how scales step from it, and for how many
 * elements. */
static int64_t run_at(const scale_map *map, int64_t i, int64_t *ret_step,
                      int64_t *ret_length)
{
    int64_t index, outer, rest;

    *ret_step = 0;
    *ret_length = INT64_MAX;
    if (map->count == 1)
        return 0;
    index = i / map->inner % map->extent;
    rest = i % map->inner;
    outer = i / map->inner / map->extent;
    *ret_length = map->inner - rest;
    if (map->block > 0) {
        if (map->inner == 1) {
            *ret_length = map->block - index % map->block;
            if (*ret_length > map->extent - index)
                *ret_length = map->extent - index;
        } else {
            *ret_step = 1;
        }
        return (outer * map->blocks + index / map->block) * map->inner + rest;
    }
    if (map->inner == 1) {
        *ret_step = 1;
        *ret_length = map->extent - index;
    }
    return index;
}

/* Integers from "at" on of "x" = value / scale, rounded, moved and kept in
 * range; none is a byte. */
static void store_integers(const job *j, const float *x, const float *zero,
                           int64_t step, int64_t at, int64_t count)
{
    int32_t bits = lp_dtype_bits(j->to);
    bool is_signed = lpi_dtype_is_signed(j->to);
    float most = ldexpf(1, bits - is_signed) - 1;
    float least = is_signed ? -most - 1 : 0;
    int64_t whole[BLOCK];

    for (int64_t i = 0; i < count; i++) {
        float offset = zero != NULL ? zero[i * step] : 0, v = x[i];
        float low = least - offset, high = most - offset;

        v = v != v ? 0 : v < low ? low : v > high ? high : v;
        whole[i] = (int64_t)(lpi_round_even(v) + offset);
    }
    lpi_pack(j->to, whole, at, count, j->run->out[0]);
}

static bool makes_bytes(const job *j)
{
    return j->is_forward && (j->to == LP_UINT8 || j->to == LP_INT8);
}

/* Elements [at, at + count), which share a run of scales: at most BLOCK, but
 * for floats that become bytes as they stand. */
static void convert_block(const job *j, int64_t at, int64_t count,
                          int64_t scale, int64_t step)
{
    const lpi_isa *isa = lpi_run_team(j->run).isa;
    const float *zero = j->zero != NULL ? j->zero + scale : NULL;
    const lpi_quantize *p = j->run->node->params;
    lpi_target target = {j->to, p == NULL || p->saturate != 0, LPI_NEAREST};
    float kept[BLOCK], *x = kept;

    if (makes_bytes(j)) {
        lpi_to_bytes how = {j->scale + scale, zero, step, j->to == LP_INT8};
        const float *from = x;

        if (j->from == LP_FLOAT32)
            from = (const float *)j->run->in[0] + at;
        else
            lpi_load_floats(isa, j->from, j->run->in[0], at, count, x);
        isa->bytes_of_floats(&how, count, from, (uint8_t *)j->run->out[0] + at);
        return;
    }
    if (!j->is_forward && j->to == LP_FLOAT32)
        x = (float *)j->run->out[0] + at;
    lpi_load_floats(isa, j->from, j->run->in[0], at, count, x);
    if (!j->is_forward) {
        if (zero != NULL)
            isa->binary[LPI_BINARY_SUB](count, x, 1, zero, step, x);
        isa->binary[LPI_BINARY_MUL](count, x, 1, j->scale + scale, step, x);
        if (x == kept)
            lpi_store_floats(isa, j->to, x, at, count, j->run->out[0]);
        return;
    }
    isa->binary[LPI_BINARY_DIV](count, x, 1, j->scale + scale, step, x);
    if (lpi_dtype_is_integer(j->to)) {
        store_integers(j, x, zero, step, at, count);
        return;
    }
    if (zero != NULL)
        isa->binary[LPI_BINARY_ADD](count, x, 1, zero, step, x);
    lpi_pack_as(&target, x, at, count, j->run->out[0]);
}

static void convert_share(const void *context, int64_t from, int64_t to)
{
    const job *j = context;
    bool is_whole = makes_bytes(j) && j->from == LP_FLOAT32;
    int64_t some, step;

    for (from *= BLOCK, to *= BLOCK; from < to; from += some) {
        int64_t all = lpi_out_elements(j->run->node, 0), scale;

        if (from >= all)
            return;
        scale = run_at(&j->map, from, &step, &some);
        some = some < to - from ? some : to - from;
        some = some < all - from ? some : all - from;
        some = is_whole || some < BLOCK ? some : BLOCK;
        convert_block(j, from, some, scale, step);
    }
}

/* Input "i" as an array of floats. */
static const float *floats_of(const lpi_run *run, int32_t i)
{
    return lpi_run_scales(run, i, lpi_in_elements(run->node, i), 0);
}

static lp_status convert(const lpi_run *run, bool is_forward)
{
    const lpi_node *node = run->node;
    int64_t count = lpi_out_elements(node, 0);
    job j = {.run = run,
             .map = map_scales(node),
             .from = lpi_in_dtype(node, 0),
             .to = lpi_out(node, 0)->dtype,
             .is_forward = is_forward};

    if (lpi_class_of(j.from) == LPI_NO_CLASS)
        return lpi_run_refuse(run, j.from);
    j.scale = floats_of(run, 1);
    if (lpi_in(node, 2) != NULL)
        j.zero = floats_of(run, 2);
    if (j.scale == NULL || (lpi_in(node, 2) != NULL && j.zero == NULL))
        return lpi_node_fail_memory(node);
    lpi_run_share(run, lpi_ceil_div(count, BLOCK), count, convert_share, &j);
    return LP_OK;
}

lp_status lpi_quantize_run(const lpi_run *run)
{
    return convert(run, true);
}

lp_status lpi_dequantize_run(const lpi_run *run)
{
    return convert(run, false);
}

/* ---- DynamicQuantizeLinear ---------------------------------------------- */

void lpi_quantize_range(const lpi_run *run, const float *x, int64_t count,
                        float *ret_scale, float *ret_zero)
{
    lpi_team team = lpi_run_team(run);
    float most = 0, least = 0, zero;

    if (count > 0) {
        most = team.isa->reduce[LPI_REDUCE_MAX](count, x);
        least = team.isa->reduce[LPI_REDUCE_MIN](count, x);
    }
    most = most > 0 ? most : 0;
    least = least < 0 ? least : 0;
    *ret_scale = most == least ? 1 : (most - least) / 255;
    zero = 0 - least / *ret_scale;
    zero = zero < 0 ? 0 : zero > 255 ? 255 : zero;
    *ret_zero = lpi_round_even(zero);
}

lp_status lpi_quantize_dynamic_run(const lpi_run *run)
{
    int64_t count = lpi_in_elements(run->node, 0);
    float scale, zero;
    const float *x;
    job j = {.run = run,
             .map = {.count = 1, .inner = 1},
             .scale = &scale,
             .zero = &zero,
             .from = lpi_in_dtype(run->node, 0),
             .to = LP_UINT8,
             .is_forward = true};

    LP_TRY(lpi_run_floats(run, 0, &x));
    lpi_quantize_range(run, x, count, &scale, &zero);
    if (run->node->layer->outputs_count > 1 && run->out[1] != NULL)
        memcpy(run->out[1], &scale, sizeof(scale));
    if (run->node->layer->outputs_count > 2 && run->out[2] != NULL)
        *(uint8_t *)run->out[2] = (uint8_t)zero;
    if (run->out[0] != NULL)
        lpi_run_share(run, lpi_ceil_div(count, BLOCK), count, convert_share,
                      &j);
    return LP_OK;
}
