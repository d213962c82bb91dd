/* width.c: values whose planned widths are not their own.
 *
 * They are computed in their own dtypes, where a second lowering of the same
 * schedule without widths, the carrier, places them; values, residencies and
 * steps of both correspond one to one.  Beside them a map of the planned memory
 * is kept, as the residencies whose planned bytes are taken: one that begins
 * over planned bytes of another spoils that one, and one that is dropped is
 * spoiled too, by poison over what it holds in the carrier.  So a plan whose
 * bytes collide shows in the results, and bytes are counted at planned widths.
 *
 * A value with a dtype (not one that is assumed) is rounded to what is stored
 * as soon as it is made: y = saturate(round(x / scale) + zero point), to
 * nearest even, and back, (y - zero point) * scale, all in float32.
 * Source: ONNX operators QuantizeLinear-25, DequantizeLinear-25, Cast-25. */
#include <math.h>
#include <string.h>

#include "exec.h"

enum { BLOCK = 512 };

/* ---- the carrier ----------------------------------------------------- */

/* Whether both programs have the same values, residencies and steps. */
static bool correspond(const lpi_program *a, const lpi_program *b)
{
    bool same = a->values_count == b->values_count &&
                a->residencies_count == b->residencies_count &&
                a->steps_count == b->steps_count;

    for (int64_t i = 0; same && i < a->values_count; i++)
        same = a->values[i].root == b->values[i].root &&
               a->values[i].blocks == b->values[i].blocks;
    for (int64_t i = 0; same && i < a->residencies_count; i++) {
        const lpi_residency *x = &a->residencies[i], *y = &b->residencies[i];

        same = x->kind == y->kind && x->tensor == y->tensor &&
               x->layer == y->layer && x->memory == y->memory &&
               x->first == y->first && x->last == y->last;
    }
    for (int64_t i = 0; same && i < a->steps_count; i++)
        same = a->steps[i].kind == b->steps[i].kind &&
               a->steps[i].from == b->steps[i].from &&
               a->steps[i].to == b->steps[i].to &&
               a->steps[i].is_clean == b->steps[i].is_clean;
    return same;
}

lp_status lpi_width_start(lpi_exec *exec, const lpi_program *planned,
                          const lpi_program **ret_carrier)
{
    lpi_arena *arena = exec->arena;
    lp_schedule *schedule = LPI_NEW(arena, lp_schedule, 1);
    lpi_program *carrier = LPI_NEW(arena, lpi_program, 1);
    lp_memory *memories = LPI_NEW(arena, lp_memory, planned->memories_count);
    lpi_widths *widths = &exec->widths;

    *widths = (lpi_widths){
        .planned = planned,
        .begun = LPI_NEW(arena, bool, planned->residencies_count),
        .taken = LPI_NEW(arena, int64_t, planned->residencies_count)};
    if (!schedule || !carrier || !memories || !widths->begun || !widths->taken)
        return lpi_fail_memory(exec->error);
    *schedule = *planned->schedule;
    for (int64_t i = 0; i < planned->memories_count; i++) {
        memories[i] = planned->memories[i];
        memories[i].capacity_bytes = 0;
    }
    schedule->memories = memories;
    schedule->target = NULL;
    schedule->widths = NULL;
    schedule->precisions_count = schedule->places_count = 0;
    LP_TRY(lpi_program_lower(arena, schedule, carrier, NULL, exec->error));
    if (!correspond(planned, carrier))
        return lpi_exec_fail(exec, "the schedule means something else without "
                                   "its widths");
    *ret_carrier = carrier;
    return LP_OK;
}

/* ---- the map of the planned memory ----------------------------------- */

static void spoil(lpi_frame *frame, int64_t residency)
{
    const lpi_residency *r = &frame->program->residencies[residency];

    lpi_poison(frame->memories[r->memory] + r->offset, r->bytes);
}

/* Take the planned bytes of "residency", from whoever has some of them. */
static void take(lpi_frame *frame, int64_t residency)
{
    lpi_widths *widths = &frame->exec->widths;
    const lpi_residency *all = widths->planned->residencies;
    const lpi_residency *r = &all[residency];
    int64_t kept = 0;

    for (int64_t i = 0; i < widths->taken_count; i++) {
        const lpi_residency *other = &all[widths->taken[i]];

        if (other->memory == r->memory && other->bytes && r->bytes &&
            other->offset < r->offset + r->bytes &&
            r->offset < other->offset + other->bytes)
            spoil(frame, widths->taken[i]);
        else
            widths->taken[kept++] = widths->taken[i];
    }
    widths->taken[kept++] = residency;
    widths->taken_count = kept;
}

const lpi_residency *lpi_width_touch(lpi_frame *frame, int64_t residency)
{
    lpi_widths *widths = &frame->exec->widths;

    if (!widths->planned || frame->depth)
        return &frame->program->residencies[residency];
    if (!widths->begun[residency])
        take(frame, residency);
    widths->begun[residency] = true;
    return &widths->planned->residencies[residency];
}

void lpi_width_drop(lpi_frame *frame, int64_t residency)
{
    lpi_widths *widths = &frame->exec->widths;
    int64_t i = 0;

    if (!widths->planned || frame->depth)
        return;
    while (i < widths->taken_count && widths->taken[i] != residency)
        i++;
    if (i < widths->taken_count)
        widths->taken[i] = widths->taken[--widths->taken_count];
    spoil(frame, residency);
}

int64_t lpi_width_stored(const lpi_frame *frame, const lp_tensor *tensor)
{
    const lpi_program *planned = frame->exec->widths.planned;

    return planned && !frame->depth
               ? lpi_planned_stored(planned->schedule, tensor)
               : tensor->stored_bytes;
}

/* ---- rounding -------------------------------------------------------- */

/* Elements that share a scale. */
typedef struct rounding {
    lp_dtype dtype;
    bool is_scaled;
    float scale, zero;
} rounding;

/* To integers and back. */
static void round_integers(const rounding *how, float *x, int64_t count)
{
    bool is_signed = lpi_dtype_is_signed(how->dtype);
    float most = ldexpf(1, lp_dtype_bits(how->dtype) - is_signed) - 1;
    float least = is_signed ? -most - 1 : 0;
    float low = least - how->zero, high = most - how->zero;

    for (int64_t i = 0; i < count; i++) {
        float v = x[i] / how->scale;

        v = v != v ? 0 : v < low ? low : v > high ? high : v;
        x[i] = lpi_round_even(v) * how->scale;
    }
}

/* To narrower floats and back. */
static void round_floats(const rounding *how, float *x, int64_t count)
{
    const lpi_target target = {how->dtype, true, LPI_NEAREST};
    float stored[BLOCK];

    for (int64_t i = 0; i < count; i += BLOCK) {
        int64_t some = count - i < BLOCK ? count - i : BLOCK;

        for (int64_t k = 0; how->is_scaled && k < some; k++)
            x[i + k] /= how->scale;
        lpi_pack_as(&target, x + i, 0, some, stored);
        lpi_unpack(how->dtype, stored, 0, some, x + i);
        for (int64_t k = 0; how->is_scaled && k < some; k++)
            x[i + k] *= how->scale;
    }
}

static void round_run(const lpi_precision *p, int64_t channel, float *x,
                      int64_t count)
{
    rounding how = {
        .dtype = p->dtype,
        .is_scaled = p->scales_count > 0,
        .scale = p->scales_count ? (float)p->scales[channel] : 1,
        .zero = p->zero_points_count ? (float)p->zero_points[channel] : 0};

    if (lpi_dtype_is_integer(p->dtype))
        round_integers(&how, x, count);
    else
        round_floats(&how, x, count);
}

const lpi_precision *lpi_width_rounds(const lpi_frame *frame,
                                      const lp_tensor *tensor)
{
    const lpi_program *planned = frame->exec->widths.planned;
    const lpi_precision *p = planned && !frame->depth
                                 ? lpi_precision_of(planned->schedule, tensor)
                                 : NULL;

    return p && !p->is_assumed ? p : NULL;
}

void lpi_width_round(const lpi_frame *frame, const lp_tensor *tensor,
                     const lpi_box *box, void *bytes)
{
    const lpi_precision *p = lpi_width_rounds(frame, tensor);
    int64_t outer = 1, channels = 1, inner = 1;

    if (!p)
        return;
    for (int32_t a = 0; a < box->rank; a++) {
        int64_t extent = box->to[a] - box->from[a];

        if (a < p->axis)
            outer *= extent;
        else if (a == p->axis)
            channels = extent;
        else
            inner *= extent;
    }
    for (int64_t i = 0; i < outer * channels; i++)
        round_run(p, p->axis < 0 ? 0 : box->from[p->axis] + i % channels,
                  (float *)bytes + i * inner, inner);
}

void lpi_width_round_whole(const lpi_frame *frame, const lp_tensor *tensor,
                           lp_shape shape, void *bytes)
{
    lpi_box box = {.rank = shape.rank};

    if (!lpi_width_rounds(frame, tensor))
        return;
    for (int32_t a = 0; a < box.rank; a++)
        box.to[a] = shape.dims[a];
    lpi_width_round(frame, tensor, &box, bytes);
}
