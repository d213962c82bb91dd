/* contract.c: the run of Einsum.
 *
 * Operands are contracted from the left, two at a time, as einsum.c counts
 * them: a letter that neither a later operand nor the result has is summed
 * away.  Each element of a contraction is one ascending chain over those
 * letters, in the order of their slots.  Values between are doubles, which
 * round once.  Source: ONNX operator Einsum-12. */
#include <string.h>

#include "../ops.h"

enum { SLOTS = LPI_EINSUM_SLOTS };

/* A factor of a contraction: its values, and the slot of each axis. */
typedef struct factor {
    const double *values;
    int32_t axes;
    const uint8_t *slots;
    const int64_t *dims;
} factor;

/* One or two factors.  Letters that are kept first, then those that are
 * summed. */
typedef struct job {
    int32_t letters, kept, terms;
    int64_t dims[SLOTS];
    int64_t strides[2][SLOTS];
    const double *values[2];
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

/* The chain of the element whose factors begin at "at"; "index" stands at the
 * first of the letters that are summed, and does so again. */
static double chain(const job *j, int64_t *index, int64_t *at)
{
    double sum = 0;
    int64_t done = 0;

    do {
        double product = j->values[0][at[0]];

        if (j->terms > 1)
            product *= j->values[1][at[1]];
        sum += product;
        done++;
    } while (step(j, j->kept, j->letters, index, at));
    LPI_MACS(j->terms > 1 ? done : 0);
    return sum;
}

/* Elements [first, last) of the contraction. */
static void sum_share(const void *context, int64_t first, int64_t last)
{
    const job *j = context;
    int64_t index[SLOTS] = {0}, at[2] = {0}, rest = first;

    for (int32_t k = j->kept - 1; k >= 0; k--) {
        index[k] = rest % j->dims[k];
        rest /= j->dims[k];
        for (int32_t t = 0; t < j->terms; t++)
            at[t] += index[k] * j->strides[t][k];
    }
    for (; first < last; first++) {
        j->to[first] = chain(j, index, at);
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

/* Enter "f" as term "t": strides are the sum of those of the axes that have a
 * letter. */
static void add_term(const factor *f, int32_t t, const int32_t *letter_of,
                     job *j)
{
    int64_t stride = 1;

    j->values[t] = f->values;
    for (int32_t axis = f->axes - 1; axis >= 0; axis--) {
        if (f->dims[axis] > 1)
            j->strides[t][letter_of[f->slots[axis]]] += stride;
        stride *= f->dims[axis];
    }
}

static uint64_t slots_of(int32_t count, const uint8_t *slots)
{
    uint64_t set = 0;

    for (int32_t i = 0; i < count; i++)
        set |= (uint64_t)1 << slots[i];
    return set;
}

static bool names_twice(const lpi_einsum_term *term)
{
    for (int32_t i = 1; i < term->count; i++)
        if (slots_of(i, term->slots) >> term->slots[i] & 1)
            return true;
    return false;
}

/* Contract "terms" factors at "factors" to the axes "kept", into the values of
 * "*ret_made". */
static lp_status contract(const lpi_run *run, const int64_t *extents,
                          const factor *factors, int32_t terms,
                          factor *ret_made)
{
    int32_t letter_of[SLOTS];
    int64_t count, all = 1;
    uint64_t held = 0, kept = slots_of(ret_made->axes, ret_made->slots);
    job j = {.terms = terms, .letters = ret_made->axes, .kept = ret_made->axes};

    for (int32_t k = 0; k < j.kept; k++) {
        letter_of[ret_made->slots[k]] = k;
        j.dims[k] = extents[ret_made->slots[k]];
    }
    for (int32_t t = 0; t < terms; t++)
        held |= slots_of(factors[t].axes, factors[t].slots);
    for (int32_t k = 0; k < SLOTS; k++)
        if ((held & ~kept) >> k & 1) {
            letter_of[k] = j.letters;
            all = lpi_mul(all, extents[k]);
            j.dims[j.letters++] = extents[k];
        }
    for (int32_t t = 0; t < terms; t++)
        add_term(&factors[t], t, letter_of, &j);
    count = lpi_product(j.dims, j.kept);
    j.to = LPI_NEW(run->scratch, double, count);
    if (j.to == NULL)
        return lpi_node_fail_memory(run->node);
    if (all == 0)
        memset(j.to, 0, (size_t)count * sizeof(*j.to));
    else
        lpi_run_share(run, count, lpi_mul(count, all), sum_share, &j);
    ret_made->values = j.to;
    return LP_OK;
}

/* The axes of what the first "until" operands come to: the result's after the
 * last, else those that the result or a later operand has. */
static lp_status axes_after(const lpi_run *run, const lpi_einsum *plan,
                            int32_t until, factor *ret_made)
{
    int32_t terms = run->node->layer->inputs_count;
    uint64_t held = 0, later = slots_of(plan->result.count, plan->result.slots);
    uint8_t *slots = LPI_NEW(run->scratch, uint8_t, SLOTS);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, SLOTS);

    if (slots == NULL || dims == NULL)
        return lpi_node_fail_memory(run->node);
    *ret_made = (factor){.slots = slots, .dims = dims};
    for (int32_t t = 0; t < terms; t++)
        *(t < until ? &held : &later) |=
            slots_of(plan->terms[t].count, plan->terms[t].slots);
    if (until == terms) {
        ret_made->axes = plan->result.count;
        memcpy(slots, plan->result.slots, (size_t)ret_made->axes);
        return LP_OK;
    }
    for (int32_t k = 0; k < SLOTS; k++)
        if ((held & later) >> k & 1) {
            dims[ret_made->axes] = plan->extents[k];
            slots[ret_made->axes++] = (uint8_t)k;
        }
    return LP_OK;
}

static lp_status contract_all(const lpi_run *run, const lpi_einsum *plan,
                              factor *ret_made)
{
    int32_t terms = run->node->layer->inputs_count;
    factor pair[2] = {{0}};

    for (int32_t t = 0; t < terms; t++) {
        factor *own = &pair[t > 0];

        own->values = doubles_of(run, t);
        own->axes = plan->terms[t].count;
        own->slots = plan->terms[t].slots;
        own->dims = lpi_in_shape(run->node, t).dims;
        if (own->values == NULL)
            return lpi_node_fail_memory(run->node);
        if (t == 0 && terms > 1)
            continue;
        LP_TRY(axes_after(run, plan, t + 1, ret_made));
        LP_TRY(contract(run, plan->extents, pair, t > 0 ? 2 : 1, ret_made));
        pair[0] = *ret_made;
    }
    return LP_OK;
}

lp_status lpi_einsum_run(const lpi_run *run)
{
    lp_dtype dtype = lpi_out(run->node, 0)->dtype;
    int64_t count = lpi_out_elements(run->node, 0);
    lpi_einsum *plan = LPI_NEW(run->scratch, lpi_einsum, 1);
    void *raw = lpi_arena_array(run->scratch, count, sizeof(double));
    factor made = {0};

    if (plan == NULL || raw == NULL)
        return lpi_node_fail_memory(run->node);
    if (lpi_class_of(dtype) == LPI_NO_CLASS)
        return lpi_run_refuse(run, dtype);
    LP_TRY(lpi_einsum_read(run->node, plan));
    if (names_twice(&plan->result))
        return lpi_node_fail(run->node, "an axis stands twice in the result");
    LP_TRY(contract_all(run, plan, &made));
    lpi_convert(LPI_F64, made.values, lpi_class_of(dtype), raw, count);
    lpi_pack(dtype, raw, 0, count, run->out[0]);
    return LP_OK;
}
