/* contract.c: the run of Einsum.
 *
 * Each element of the result is one ascending chain, over the letters that it
 * lacks in the order of their slots, of the product of all operands from left
 * to right.  Sums are doubles, which round once.  Source: ONNX operator
 * Einsum-12. */
#include <string.h>

#include "ops.h"

enum { TERMS_MOST = 8 };

/* Letters of the result first, then those that are summed. */
typedef struct job {
    int32_t letters, kept, terms;
    int64_t dims[LPI_EINSUM_SLOTS];
    int64_t strides[TERMS_MOST][LPI_EINSUM_SLOTS];
    const double *values[TERMS_MOST];
    double *to;
} job;

/* Move "index" on by one among letters [from, until) and the positions "at"
 * with it; false when it has gone round. */
static bool step(const job *j, int32_t from, int32_t until, int64_t *index,
                 int64_t *at)
{
    for (int32_t k = until - 1; k >= from; k--) {
        bool wraps = ++index[k] == j->dims[k];
        int64_t steps = wraps ? 1 - j->dims[k] : 1;

        for (int32_t t = 0; t < j->terms; t++)
            at[t] += steps * j->strides[t][k];
        if (!wraps)
            return true;
        index[k] = 0;
    }
    return false;
}

static double product_at(const job *j, const int64_t *at)
{
    double product = j->values[0][at[0]];

    for (int32_t t = 1; t < j->terms; t++)
        product *= j->values[t][at[t]];
    return product;
}

/* Elements [first, last) of the result. */
static void sum_share(const void *context, int64_t first, int64_t last)
{
    const job *j = context;
    int64_t index[LPI_EINSUM_SLOTS] = {0}, at[TERMS_MOST] = {0}, rest = first;

    for (int32_t k = j->kept - 1; k >= 0; k--) {
        index[k] = rest % j->dims[k];
        rest /= j->dims[k];
        for (int32_t t = 0; t < j->terms; t++)
            at[t] += index[k] * j->strides[t][k];
    }
    for (; first < last; first++) {
        double sum = 0;

        do
            sum += product_at(j, at);
        while (step(j, j->kept, j->letters, index, at));
        j->to[first] = sum;
        step(j, 0, j->kept, index, at);
    }
}

/* Input "i" as doubles. */
static const double *doubles_of(const lpi_run *run, int32_t i)
{
    lp_dtype dtype = lpi_in_dtype(run->node, i);
    lpi_class class = lpi_class_of(dtype);
    int64_t count = lpi_in_elements(run->node, i);
    void *raw = lpi_arena_array(run->scratch, count, sizeof(double));
    double *to = LPI_NEW(run->scratch, double, count);

    if (raw == NULL || to == NULL)
        return NULL;
    lpi_unpack(dtype, run->in[i], 0, count, raw);
    lpi_convert(class, raw, LPI_F64, to, count);
    return to;
}

/* Strides of term "t": the sum of those of the axes that have a letter. */
static void add_term(const lpi_run *run, const lpi_einsum *plan, int32_t t,
                     const int32_t *letter_of, job *j)
{
    lp_shape shape = lpi_in_shape(run->node, t);
    int64_t stride = 1;

    for (int32_t axis = shape.rank - 1; axis >= 0; axis--) {
        int32_t letter = letter_of[plan->terms[t].slots[axis]];

        if (shape.dims[axis] > 1)
            j->strides[t][letter] += stride;
        stride *= shape.dims[axis];
    }
}

/* Give letters to the slots: those of the result, then the others. */
static void add_letters(const lpi_einsum *plan, int32_t *letter_of, job *j)
{
    for (int32_t k = 0; k < LPI_EINSUM_SLOTS; k++)
        letter_of[k] = -1;
    for (int32_t i = 0; i < plan->result.count; i++) {
        letter_of[plan->result.slots[i]] = j->letters;
        j->dims[j->letters++] = plan->extents[plan->result.slots[i]];
    }
    j->kept = j->letters;
    for (int32_t k = 0; k < LPI_EINSUM_SLOTS; k++)
        if (letter_of[k] < 0 && plan->extents[k] >= 0) {
            letter_of[k] = j->letters;
            j->dims[j->letters++] = plan->extents[k];
        }
}

lp_status lpi_einsum_run(const lpi_run *run)
{
    lp_dtype dtype = lpi_out(run->node, 0)->dtype;
    int64_t count = lpi_out_elements(run->node, 0), all = 1;
    int32_t letter_of[LPI_EINSUM_SLOTS];
    job j = {.terms = run->node->layer->inputs_count};
    lpi_einsum *plan = LPI_NEW(run->scratch, lpi_einsum, 1);
    void *raw = lpi_arena_array(run->scratch, count, sizeof(double));

    j.to = LPI_NEW(run->scratch, double, count);
    if (plan == NULL || raw == NULL || j.to == NULL)
        return lpi_node_fail_memory(run->node);
    if (lpi_class_of(dtype) == LPI_NO_CLASS || j.terms > TERMS_MOST)
        return lpi_run_refuse(run, dtype);
    LP_TRY(lpi_einsum_read(run->node, plan));
    add_letters(plan, letter_of, &j);
    for (int32_t t = 0; t < j.terms; t++) {
        j.values[t] = doubles_of(run, t);
        if (j.values[t] == NULL)
            return lpi_node_fail_memory(run->node);
        add_term(run, plan, t, letter_of, &j);
    }
    for (int32_t k = j.kept; k < j.letters; k++)
        all = lpi_mul(all, j.dims[k]);
    if (all == 0)
        memset(j.to, 0, (size_t)count * sizeof(*j.to));
    else
        lpi_run_share(run, count, lpi_mul(count, all), sum_share, &j);
    lpi_convert(LPI_F64, j.to, lpi_class_of(dtype), raw, count);
    lpi_pack(dtype, raw, 0, count, run->out[0]);
    return LP_OK;
}
