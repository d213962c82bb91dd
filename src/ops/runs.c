/* runs.c: what the runs of many rows share: operands as floats, shares of
 * work.
 *
 * float16 and bfloat16 are computed in float32 and rounded once, at the
 * output. */
#include <string.h>

#include "ops.h"

enum { SMALL_COST = 32768 }; /* operations that are not worth a thread */

bool lpi_is_single(lp_dtype dtype)
{
    return dtype == LP_FLOAT32 || dtype == LP_FLOAT16 || dtype == LP_BFLOAT16;
}

lpi_team lpi_run_team(const lpi_run *run)
{
    return (lpi_team){run->isa ? run->isa : lpi_isa_best(),
                      run->threads > 0 ? run->threads : 1};
}

/* Bytes, signed, unsigned or truths, as floats; false for other dtypes. */
static bool load_bytes(lp_dtype dtype, const void *from, int64_t count,
                       float *to)
{
    const uint8_t *bytes = from;
    const int8_t *sints = from;

    if (dtype == LP_UINT8)
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = (float)bytes[i];
    else if (dtype == LP_INT8)
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = (float)sints[i];
    else if (dtype == LP_BOOL)
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            to[i] = bytes[i] ? 1.0f : 0.0f;
    else
        return false;
    return true;
}

void lpi_load_floats(const lpi_isa *isa, lp_dtype dtype, const void *from,
                     int64_t first, int64_t count, float *to)
{
    enum { BLOCK = 256 };
    lpi_class class = lpi_class_of(dtype);
    uint64_t raw[BLOCK];

    if (dtype == LP_FLOAT16) {
        isa->from_f16(count, (const uint16_t *)from + first, to);
    } else if (dtype == LP_BFLOAT16) {
        isa->from_bf16(count, (const uint16_t *)from + first, to);
    } else if (class == LPI_F32) {
        lpi_unpack(dtype, from, first, count, to);
    } else if (!load_bytes(dtype, (const uint8_t *)from + first, count, to)) {
        for (int64_t done = 0; done < count; done += BLOCK) {
            int64_t some = count - done < BLOCK ? count - done : BLOCK;

            lpi_unpack(dtype, from, first + done, some, raw);
            lpi_convert(class, raw, LPI_F32, to + done, some);
        }
    }
}

void lpi_store_floats(const lpi_isa *isa, lp_dtype dtype, const float *from,
                      int64_t first, int64_t count, void *to)
{
    enum { BLOCK = 256 };
    lpi_class class = lpi_class_of(dtype);
    uint64_t raw[BLOCK];

    if (dtype == LP_FLOAT16) {
        isa->to_f16(count, from, (uint16_t *)to + first);
    } else if (dtype == LP_BFLOAT16) {
        isa->to_bf16(count, from, (uint16_t *)to + first);
    } else if (class == LPI_F32) {
        lpi_pack(dtype, from, first, count, to);
    } else if (dtype == LP_BOOL) {
        uint8_t *truths = (uint8_t *)to + first;

#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            truths[i] = from[i] != 0;
    } else {
        for (int64_t done = 0; done < count; done += BLOCK) {
            int64_t some = count - done < BLOCK ? count - done : BLOCK;

            lpi_convert(LPI_F32, from + done, class, raw, some);
            lpi_pack(dtype, raw, first + done, some, to);
        }
    }
}

lp_status lpi_run_floats(const lpi_run *run, int32_t i,
                         const float **ret_floats)
{
    lp_dtype dtype = lpi_in_dtype(run->node, i);
    int64_t count = lpi_in_elements(run->node, i);
    float *floats;

    *ret_floats = NULL;
    if (lpi_in(run->node, i) == NULL || run->in[i] == NULL)
        return LP_OK;
    if (!lpi_is_single(dtype))
        return lpi_run_refuse(run, dtype);
    if (dtype == LP_FLOAT32) {
        *ret_floats = run->in[i];
        return LP_OK;
    }
    floats =
        lpi_arena_room(run->scratch, (size_t)lpi_mul(count, sizeof(*floats)));
    if (floats == NULL)
        return lpi_node_fail_memory(run->node);
    lpi_load_floats(lpi_run_team(run).isa, dtype, run->in[i], 0, count, floats);
    *ret_floats = floats;
    return LP_OK;
}

lp_status lpi_run_halves(const lpi_run *run, int32_t i, const float **ret_at,
                         lpi_widen *ret_widen)
{
    lp_dtype dtype = lpi_in_dtype(run->node, i);
    const lpi_isa *isa = lpi_run_team(run).isa;

    *ret_widen = NULL;
    if (lpi_in(run->node, i) == NULL || run->in[i] == NULL ||
        (dtype != LP_FLOAT16 && dtype != LP_BFLOAT16))
        return lpi_run_floats(run, i, ret_at);
    *ret_at = run->in[i];
    *ret_widen = dtype == LP_FLOAT16 ? isa->from_f16 : isa->from_bf16;
    return LP_OK;
}

lp_status lpi_run_result(const lpi_run *run, int32_t i, float **ret_floats)
{
    const lp_tensor *tensor = lpi_out(run->node, i);

    *ret_floats = NULL;
    if (tensor == NULL || run->out[i] == NULL)
        return LP_OK;
    if (!lpi_is_single(tensor->dtype))
        return lpi_run_refuse(run, tensor->dtype);
    *ret_floats = run->out[i];
    if (tensor->dtype != LP_FLOAT32)
        *ret_floats =
            LPI_NEW(run->scratch, float, lpi_out_elements(run->node, i));
    return *ret_floats != NULL ? LP_OK : lpi_node_fail_memory(run->node);
}

void lpi_run_store(const lpi_run *run, int32_t i, const float *floats)
{
    const lp_tensor *tensor = lpi_out(run->node, i);

    if (tensor != NULL && floats != NULL && floats != run->out[i])
        lpi_store_floats(lpi_run_team(run).isa, tensor->dtype, floats, 0,
                         lpi_out_elements(run->node, i), run->out[i]);
}

void lpi_run_share(const lpi_run *run, int64_t whole, int64_t cost,
                   lpi_work work, const void *context)
{
    int32_t threads = lpi_run_team(run).threads;

    if (cost < SMALL_COST || whole < threads)
        threads = 1;
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t from, to;

        lpi_share(whole, 1, i, threads, &from, &to);
        if (from < to)
            work(context, from, to);
    }
}

/* A box that is copied, shared along "axis". */
typedef struct box_job {
    int32_t bits, axis;
    lp_shape box;
    lpi_place to, from;
} box_job;

static void copy_share(const void *context, int64_t first, int64_t last)
{
    const box_job *j = context;
    lpi_place to = j->to, from = j->from;
    int64_t dims[LPI_WALK_AXES];

    memcpy(dims, j->box.dims, (size_t)j->box.rank * sizeof(*dims));
    dims[j->axis] = last - first;
    to.first += first * to.strides[j->axis];
    from.first += first * from.strides[j->axis];
    lpi_copy_box(j->bits, j->box.rank, dims, to, from);
}

void lpi_run_copy_box(const lpi_run *run, lp_shape box, lpi_place to,
                      lpi_place from)
{
    enum { MANY = 16 }; /* elements of an axis that make shares even */
    int32_t bits = lp_dtype_bits(lpi_in_dtype(run->node, 0)), axis = 0;
    int64_t all = lpi_product(box.dims, box.rank);

    for (int32_t i = 1; i < box.rank; i++)
        if (box.dims[axis] < MANY && box.dims[i] > box.dims[axis])
            axis = i;
    if (bits < 8 || box.rank < 1 || box.rank > LPI_WALK_AXES || all == 0) {
        lpi_copy_box(bits, box.rank, box.dims, to, from);
        return;
    }
    lpi_run_share(run, box.dims[axis], all, copy_share,
                  &(box_job){bits, axis, box, to, from});
}

lp_status lpi_run_int(const lpi_run *run, int32_t i, int64_t *ret_value)
{
    lpi_list list;

    *ret_value = 0;
    if (lpi_in(run->node, i) == NULL || lpi_in_elements(run->node, i) == 0)
        return LP_OK;
    LP_TRY(lpi_run_ints(run, i, &list));
    *ret_value = list.ints[0];
    return LP_OK;
}
