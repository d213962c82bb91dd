/* fast.c: rows that compute one element at a time, in float32.
 *
 * Operands of float32, float16 and bfloat16 are taken block by block into
 * float32 (float32 where it stands), given to a loop, and rounded once.  The
 * result of an element depends on the values of its operands alone, so that
 * any split of the work gives the same bytes. */
#include <math.h>
#include <string.h>

#include "../ops.h"

enum { BLOCK = 1024, MOST = 3 };

/* The work that the threads share: operand 0 of the walk is the output. */
typedef struct job {
    const lpi_run *run;
    const lpi_pointwise *pointwise;
    const lpi_operand *operands;
    int32_t count;
    lp_dtype type;
    lpi_walk walk;
    bool by_run; /* shares are of the one run, else of the first axis */
} job;

static bool is_real(lp_dtype dtype, const void *bytes)
{
    return bytes == NULL || lpi_is_single(dtype);
}

bool lpi_pointwise_is_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                           const lpi_operand *operands, int32_t count)
{
    lp_dtype type = lpi_out(run->node, 0)->dtype;
    bool fast = pointwise->unary || pointwise->binary || pointwise->floats;

    if (pointwise->to_bool ? type != LP_BOOL : !lpi_is_single(type))
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (i < pointwise->typed_by && operands[i].dtype == LP_BOOL)
            continue;
        fast = fast && is_real(operands[i].dtype, operands[i].bytes);
    }
    return fast;
}

/* Elements [at, at + count), "step" apart. */
typedef struct strip {
    int64_t at, step, count;
} strip;

/* "s" of operand "i", as floats with step 0 or 1: "*ret_at", in "room" unless
 * they can be read where they stand. */
static int64_t take(const job *j, int32_t i, strip s, float *room,
                    const float **ret_at)
{
    const lpi_operand *operand = &j->operands[i];
    const lpi_isa *isa = lpi_run_team(j->run).isa;

    *ret_at = room;
    if (operand->bytes == NULL) {
        room[0] = i == 1 ? -(float)INFINITY : (float)INFINITY;
        return 0;
    }
    if (operand->dtype == LP_FLOAT32 && (s.step == 0 || s.step == 1)) {
        *ret_at = (const float *)operand->bytes + s.at;
        return s.step;
    }
    if (s.step == 0 || s.step == 1) {
        lpi_load_floats(isa, operand->dtype, operand->bytes, s.at,
                        s.step == 1 ? s.count : 1, room);
        return s.step;
    }
    for (int64_t k = 0; k < s.count; k++)
        lpi_load_floats(isa, operand->dtype, operand->bytes, s.at + k * s.step,
                        1, room + k);
    return 1;
}

/* Compute "count" elements from operands "x" into "to". */
static void compute(const job *j, const float *const *x, const int64_t *step,
                    int64_t count, float *to)
{
    const lpi_isa *isa = lpi_run_team(j->run).isa;
    const lpi_pointwise *p = j->pointwise;

    if (p->floats != NULL)
        p->floats(isa, count, x, step, to, j->run->node->params);
    else if (p->binary)
        isa->binary[p->binary - 1](count, x[0], step[0], x[1], step[1], to);
    else if (step[0] == 1 || count == 1)
        isa->unary[p->unary - 1](count, x[0], to);
    else
        for (int64_t i = 0; i < count; i++)
            isa->unary[p->unary - 1](1, x[0], to + i);
}

/* The run that "walk" stands at. */
static void run_blocks(const job *j, const lpi_walk *walk)
{
    const lpi_isa *isa = lpi_run_team(j->run).isa;
    float room[MOST][BLOCK], result[BLOCK];
    int64_t most = j->type == LP_FLOAT32 ? INT64_MAX : BLOCK;

    for (int32_t i = 0; i < j->count; i++) {
        int64_t step = walk->step[i + 1];

        if (j->operands[i].bytes != NULL &&
            (step != 0 && (step != 1 || j->operands[i].dtype != LP_FLOAT32)))
            most = BLOCK;
    }
    for (int64_t done = 0, some; done < walk->length; done += some) {
        const float *x[MOST];
        int64_t step[MOST];
        float *to = result;

        some = walk->length - done < most ? walk->length - done : most;
        for (int32_t i = 0; i < j->count; i++) {
            int64_t apart = walk->step[i + 1];
            strip s = {walk->at[i + 1] + done * apart,
                       walk->length > 1 ? apart : 0, some};

            step[i] = take(j, i, s, room[i], &x[i]);
        }
        if (j->type == LP_FLOAT32)
            to = (float *)j->run->out[0] + walk->at[0] + done;
        compute(j, x, step, some, to);
        if (to == result)
            lpi_store_floats(isa, j->type, result, walk->at[0] + done, some,
                             j->run->out[0]);
    }
}

static void share(const void *context, int64_t from, int64_t to)
{
    const job *j = context;
    lpi_walk walk = j->walk;
    bool more = true;

    for (int32_t k = 0; k < walk.operands; k++)
        walk.at[k] += from * (j->by_run ? walk.step[k] : walk.strides[k][0]);
    if (j->by_run)
        walk.length = to - from;
    else
        walk.dims[0] = to - from;
    for (; more; more = lpi_walk_next(&walk))
        run_blocks(j, &walk);
}

lp_status lpi_pointwise_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                             const lpi_operand *operands, int32_t count,
                             const int64_t *const *strides)
{
    lp_shape out = lpi_out_shape(run->node, 0);
    job j = {.run = run,
             .pointwise = pointwise,
             .operands = operands,
             .count = count,
             .type = lpi_out(run->node, 0)->dtype};

    if (!lpi_walk_start(&j.walk, out.rank, out.dims, count + 1, strides))
        return LP_OK;
    j.by_run = j.walk.rank == 0;
    lpi_run_share(run, j.by_run ? j.walk.length : j.walk.dims[0],
                  lpi_out_elements(run->node, 0), share, &j);
    return LP_OK;
}
