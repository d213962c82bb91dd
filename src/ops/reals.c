/* reals.c: operands as doubles, for runs that no model spends its time in.
 *
 * One form for every dtype that holds numbers: unpacked to double, computed,
 * rounded once where it is stored.  Integers beyond 2^53 lose their last
 * bits. */
#include "ops.h"

enum { BLOCK = 256 };

static void load(lp_dtype dtype, const void *from, int64_t count, double *to)
{
    lpi_class class = lpi_class_of(dtype);
    uint64_t raw[BLOCK];

    for (int64_t done = 0; done < count; done += BLOCK) {
        int64_t some = count - done < BLOCK ? count - done : BLOCK;

        lpi_unpack(dtype, from, done, some, raw);
        lpi_convert(class, raw, LPI_F64, to + done, some);
    }
}

lp_status lpi_run_reals(const lpi_run *run, int32_t i, const double **ret_reals)
{
    lp_dtype dtype = lpi_in_dtype(run->node, i);
    int64_t count = lpi_in_elements(run->node, i);
    double *reals;

    *ret_reals = NULL;
    if (lpi_in(run->node, i) == NULL || run->in[i] == NULL)
        return LP_OK;
    if (lpi_class_of(dtype) == LPI_NO_CLASS)
        return lpi_run_refuse(run, dtype);
    reals = LPI_NEW(run->scratch, double, count);
    if (reals == NULL)
        return lpi_node_fail_memory(run->node);
    load(dtype, run->in[i], count, reals);
    *ret_reals = reals;
    return LP_OK;
}

lp_status lpi_run_wants(const lpi_run *run, int32_t i, int64_t count)
{
    if (lpi_in(run->node, i) == NULL || lpi_in_elements(run->node, i) == count)
        return LP_OK;
    return lpi_node_fail(run->node, "input %d has %lld elements, not %lld", i,
                         (long long)lpi_in_elements(run->node, i),
                         (long long)count);
}

lp_status lpi_run_room(const lpi_run *run, int32_t i, double **ret_reals)
{
    const lp_tensor *tensor = lpi_out(run->node, i);
    int64_t count = lpi_out_elements(run->node, i);

    if (tensor != NULL && lpi_class_of(tensor->dtype) == LPI_NO_CLASS)
        return lpi_run_refuse(run, tensor->dtype);
    *ret_reals = LPI_NEW(run->scratch, double, count);
    return *ret_reals != NULL ? LP_OK : lpi_node_fail_memory(run->node);
}

void lpi_store_reals(lp_dtype dtype, const double *from, int64_t count,
                     void *to)
{
    lpi_class class = lpi_class_of(dtype);
    uint64_t raw[BLOCK];

    for (int64_t done = 0; done < count; done += BLOCK) {
        int64_t some = count - done < BLOCK ? count - done : BLOCK;

        if (class == LPI_F32 && dtype != LP_FLOAT32)
            lpi_narrow(from + done, (float *)raw, some);
        else
            lpi_convert(LPI_F64, from + done, class, raw, some);
        lpi_pack(dtype, raw, done, some, to);
    }
}

void lpi_run_keep(const lpi_run *run, int32_t i, const double *reals)
{
    const lp_tensor *tensor = lpi_out(run->node, i);

    if (tensor != NULL && run->out[i] != NULL)
        lpi_store_reals(tensor->dtype, reals, lpi_out_elements(run->node, i),
                        run->out[i]);
}
