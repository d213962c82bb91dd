/* width.c: how wide a schedule plans its tensors to be.
 *
 * An entry of the column precision gives a tensor another dtype: its elements
 * times the bits of that dtype, packed and rounded up to whole bytes, are what
 * it takes, wherever it lies and whenever it moves; scales are no part of it.
 * Only floats have entries.  Two tensors that share bytes have elements of the
 * same bits, and, where values are rounded to what is stored, the same scale.
 */
#include <string.h>

#include "sched.h"

const lpi_precision *lpi_precision_of(const lp_schedule *schedule,
                                      const lp_tensor *tensor)
{
    return schedule->widths && tensor &&
                   tensor->id < schedule->model->tensors_count &&
                   schedule->model->tensors[tensor->id] == tensor
               ? schedule->widths[tensor->id]
               : NULL;
}

lp_dtype lpi_planned_dtype(const lp_schedule *schedule, const lp_tensor *tensor)
{
    const lpi_precision *p = lpi_precision_of(schedule, tensor);

    return p ? p->dtype : tensor->dtype;
}

int64_t lpi_planned_bytes(const lp_schedule *schedule, const lp_tensor *tensor)
{
    const lpi_precision *p = lpi_precision_of(schedule, tensor);
    int64_t elements = lpi_tensor_elements(tensor);

    return p && elements >= 0 ? lpi_storage_bytes(p->dtype, elements)
                              : lpi_tensor_bytes(tensor);
}

int64_t lpi_planned_stored(const lp_schedule *schedule, const lp_tensor *tensor)
{
    return tensor->stored_bytes && lpi_precision_of(schedule, tensor)
               ? lpi_planned_bytes(schedule, tensor)
               : tensor->stored_bytes;
}

bool lpi_same_width(const lp_schedule *schedule, const lp_tensor *a,
                    const lp_tensor *b)
{
    return !a || !b ||
           lp_dtype_bits(lpi_planned_dtype(schedule, a)) ==
               lp_dtype_bits(lpi_planned_dtype(schedule, b));
}

bool lpi_same_values(const lp_schedule *schedule, const lp_tensor *later,
                     const lp_tensor *earlier)
{
    const lpi_precision *a = lpi_precision_of(schedule, later);
    const lpi_precision *b = lpi_precision_of(schedule, earlier);

    if (!a || a->is_assumed)
        return true;
    return b && !b->is_assumed && a->dtype == b->dtype && a->axis < 0 &&
           b->axis < 0 && a->scales_count == b->scales_count &&
           (a->scales || b->scales || !a->file || !b->file ||
            !strcmp(a->file, b->file)) &&
           (!a->scales_count || (float)a->scales[0] == (float)b->scales[0]) &&
           (a->zero_points_count ? a->zero_points[0] : 0) ==
               (b->zero_points_count ? b->zero_points[0] : 0);
}

/* ---- which entries are legal ----------------------------------------- */

/* Who reads a tensor. */
typedef enum reader {
    BY_RUNS = 1,   /* layers that run */
    BY_OTHERS = 2, /* layers that are computed before, and bodies */
} reader;

/* Add the readers of each tensor to "readers", by tensor id. */
static void find_readers(const lp_model *model, uint8_t *readers)
{
    int64_t i, j;
    int32_t k;

    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        const lp_model *body;
        int32_t at = 0;

        for (k = 0; k < layer->inputs_count; k++)
            if (layer->inputs[k])
                readers[layer->inputs[k]->id] |= layer->is_static ? BY_OTHERS
                                                                  : BY_RUNS;
        while (!layer->is_static && (body = lpi_next_body(layer, &at)))
            for (j = 0; j < body->captures_count; j++)
                if (body->captures[j]->outer)
                    readers[body->captures[j]->outer->id] |= BY_RUNS |
                                                             BY_OTHERS;
    }
}

/* Why "p", whose tensor has "readers", is no legal entry; NULL. */
static const char *why_not(const lpi_precision *p, uint8_t readers)
{
    const lp_tensor *tensor = p->tensor;

    if (!lpi_dtype_is_float(tensor->dtype) || tensor->container != LPI_TENSOR)
        return "is no tensor of floats, and has no other width";
    if (!lpi_dtype_is_float(p->dtype) && !lpi_dtype_is_integer(p->dtype))
        return "cannot be stored so";
    if (tensor->is_static &&
        (!(readers & BY_RUNS) || tensor->kind == LPI_CAPTURE))
        return "is read by no run, and has no width of its own";
    if (!tensor->is_static && !lpi_is_value(tensor))
        return "is no activation";
    if (p->is_assumed)
        return NULL;
    if (tensor->is_static && readers & BY_OTHERS)
        return "is read before any run or in a body, and can have an assumed "
               "width alone";
    if (tensor->dtype != LP_FLOAT32 || tensor->shape.rank > LPI_RANKS)
        return "is not float32 of at most 8 axes, and can have an assumed "
               "width alone";
    if (lpi_dtype_is_integer(p->dtype) &&
        (lp_dtype_bits(p->dtype) > 16 || (!p->scales_count && !p->file)))
        return "would be integers of more than 16 bits, or without scales";
    return NULL;
}

lp_status lpi_lower_widths(lpi_lowering *l)
{
    const lp_schedule *s = l->schedule;
    uint8_t *readers;
    int64_t i;

    if (!s->precisions_count)
        return LP_OK;
    readers = LPI_NEW(l->scratch, uint8_t, s->model->tensors_count);
    if (!readers)
        return lpi_fail_memory(l->error);
    find_readers(s->model, readers);
    for (i = 0; i < s->precisions_count; i++) {
        const lpi_precision *p = &s->precisions[i];
        const char *why = why_not(p, readers[p->tensor->id]);

        if (lpi_precision_of(s, p->tensor) != p)
            why = "has two widths";
        if (why)
            return LPI_REFUSE(l, -1, p->tensor, p->line, "'%.200s' %s",
                              p->tensor->name, why);
    }
    return LP_OK;
}

/* ---- the column set -------------------------------------------------- */

lp_status lpi_schedule_set_widths(lp_schedule *schedule,
                                  const lpi_precision *list, int64_t count,
                                  lp_error *error)
{
    const lpi_precision **widths = LPI_NEW(
        schedule->arena, const lpi_precision *, schedule->model->tensors_count);
    int64_t i;

    if (!widths)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++)
        if (!widths[list[i].tensor->id])
            widths[list[i].tensor->id] = &list[i];
    schedule->precisions = list;
    schedule->precisions_count = count;
    schedule->widths = count ? widths : NULL;
    return LP_OK;
}

/* Whether "tensor" is handed over by the caller, or to it. */
static bool is_end(const lp_model *model, const lp_tensor *tensor)
{
    int64_t i;

    for (i = 0; i < model->outputs_count; i++)
        if (model->outputs[i] == tensor)
            return true;
    return tensor->kind == LPI_INPUT;
}

lp_status lpi_schedule_assume(lp_schedule *schedule, lp_dtype dtype,
                              lp_error *error)
{
    const lp_model *model = schedule->model;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    uint8_t *readers = scratch ? LPI_NEW(scratch, uint8_t, model->tensors_count)
                               : NULL;
    lpi_precision *list =
        LPI_NEW(schedule->arena, lpi_precision, model->tensors_count);
    int64_t count = 0, i;

    if (!readers || !list) {
        lpi_arena_free(scratch);
        return lpi_fail_memory(error);
    }
    find_readers(model, readers);
    for (i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];
        lpi_precision p = {
            .tensor = tensor, .dtype = dtype, .is_assumed = true, .axis = -1};
        int64_t bytes = lpi_storage_bytes(dtype, lpi_tensor_elements(tensor));

        if (why_not(&p, readers[i]) || is_end(model, tensor) ||
            bytes >= (tensor->is_static ? tensor->stored_bytes
                                        : lpi_tensor_bytes(tensor)))
            continue;
        list[count++] = p;
    }
    lpi_arena_free(scratch);
    if (!count && !lpi_dtype_is_float(dtype) && !lpi_dtype_is_integer(dtype))
        return lpi_fail(error, LP_EINVALID, NULL, "nothing is stored as %s",
                        lp_dtype_name(dtype));
    return lpi_schedule_set_widths(schedule, list, count, error);
}
