/* weights.c: which weights a unit reads from where they live.
 *
 * A unit reads each of its static operands once, with those of the bodies of
 * its layers, and with what bodies capture; what a pin holds it finds in
 * memory 0.  A pin is read once, at its first unit.  Bytes are those that are
 * stored, or planned to be; inside bodies nothing else is planned. */
#include <string.h>

#include "sched.h"

/* The static tensors of a body, those of the bodies inside with them, each
 * once. */
typedef struct inner {
    int64_t bytes, copies;
    bool is_known;
} inner;

typedef struct walk {
    const lpi_program *p;
    lpi_arena *scratch;
    lpi_weights_held weights;
    int64_t *held; /* by tensor id: no copy up to this unit, not at it */
    int64_t *heads, *next;   /* pins by tensor id, linked */
    int64_t *begins, *links; /* pins by unit "from", linked */
    inner *inner;            /* by layer */
    bool once;               /* count first reads alone, without pins */
    lp_error *error;
} walk;

static void count_inner(inner *sum, const lp_tensor *tensor, bool *seen)
{
    if (!tensor || !tensor->is_static || tensor->kind == LPI_CAPTURE ||
        seen[tensor->id])
        return;
    seen[tensor->id] = true;
    sum->copies += tensor->stored_bytes > 0;
    sum->bytes = lpi_add(sum->bytes, tensor->stored_bytes);
}

/* Add what "body", "depth" bodies deep, reads of its own. */
static lp_status find_inner(walk *w, const lp_model *body, int32_t depth,
                            inner *sum)
{
    bool *seen = LPI_NEW(w->scratch, bool, body->tensors_count);
    int64_t i, j;

    if (!seen)
        return lpi_fail_memory(w->error);
    for (i = 0; i < body->layers_count; i++) {
        const lp_layer *layer = body->layers[i];
        const lp_model *deeper;
        int32_t at = 0;

        for (j = 0; j < layer->inputs_count && !layer->is_static; j++)
            count_inner(sum, layer->inputs[j], seen);
        while (!layer->is_static && depth < LPI_BODIES_DEEP &&
               (deeper = lpi_next_body(layer, &at))) {
            for (j = 0; j < deeper->captures_count; j++)
                count_inner(sum, deeper->captures[j]->outer, seen);
            LP_TRY(find_inner(w, deeper, depth + 1, sum));
        }
    }
    for (i = 0; i < body->outputs_count; i++)
        count_inner(sum, body->outputs[i], seen);
    return LP_OK;
}

/* Unit "unit" reads "tensor". */
static void read_tensor(walk *w, const lp_tensor *tensor, int64_t unit)
{
    lpi_weights_held *weights = &w->weights;
    int64_t i;

    if (!tensor || !tensor->is_static)
        return;
    for (i = w->heads[tensor->id]; i >= 0; i = w->next[i])
        if (weights->readers[i] < 0 && w->p->schedule->pins[i].from <= unit &&
            w->p->schedule->pins[i].to >= unit)
            weights->readers[i] = unit;
    if (w->held[tensor->id] > unit)
        return;
    w->held[tensor->id] = w->once ? INT64_MAX : unit + 1;
    weights->copies[unit] += tensor->stored_bytes > 0;
    weights->bytes[unit] = lpi_add(weights->bytes[unit],
                                   lpi_planned_stored(w->p->schedule, tensor));
}

static lp_status read_bodies(walk *w, const lp_layer *layer, int64_t unit)
{
    inner *known = &w->inner[layer->id];
    const lp_model *body;
    int32_t at = 0;
    int64_t i;

    while ((body = lpi_next_body(layer, &at))) {
        for (i = 0; i < body->captures_count; i++)
            read_tensor(w, body->captures[i]->outer, unit);
        if (!known->is_known)
            LP_TRY(find_inner(w, body, 1, known));
    }
    known->is_known = true;
    w->weights.copies[unit] += known->copies;
    w->weights.bytes[unit] = lpi_add(w->weights.bytes[unit], known->bytes);
    return LP_OK;
}

static lp_status walk_units(walk *w)
{
    const lpi_program *p = w->p;
    const lp_pin *pins = p->schedule->pins;
    int64_t u, i;

    for (u = 0; u < p->units_count; u++) {
        int32_t count, j, k;
        lp_layer *const *layers = lpi_unit_layers(&p->units[u], &count);

        for (i = w->begins[u]; i >= 0; i = w->links[i])
            if (w->held[pins[i].tensor->id] <= pins[i].to)
                w->held[pins[i].tensor->id] = pins[i].to + 1;
        for (j = 0; j < count; j++) {
            for (k = 0; k < layers[j]->inputs_count; k++)
                read_tensor(w, layers[j]->inputs[k], u);
            LP_TRY(read_bodies(w, layers[j], u));
        }
    }
    return LP_OK;
}

/* Lists of the pins, by what they hold and by where they begin. */
static void link_pins(walk *w)
{
    const lp_schedule *s = w->p->schedule;
    int64_t i;

    for (i = 0; i < w->p->model->tensors_count; i++)
        w->heads[i] = -1;
    for (i = 0; i < w->p->units_count; i++)
        w->begins[i] = -1;
    for (i = s->pins_count - 1; i >= 0; i--) {
        const lp_pin *pin = &s->pins[i];

        w->weights.readers[i] = -1;
        w->next[i] = w->heads[pin->tensor->id];
        w->heads[pin->tensor->id] = i;
        if (w->once)
            continue;
        w->links[i] = w->begins[pin->from];
        w->begins[pin->from] = i;
    }
}

/* What the units of "program" read, as the pins say, or, with "once", each
 * weight where it is read first. */
static lp_status find(const lpi_program *program, lpi_arena *arena, bool once,
                      lpi_weights_held *ret_weights, lp_error *error)
{
    int64_t tensors = program->model->tensors_count;
    int64_t pins = program->schedule->pins_count, units = program->units_count;
    walk w = {
        .p = program,
        .scratch = arena,
        .weights = {.bytes = LPI_NEW(arena, int64_t, units),
                    .copies = LPI_NEW(arena, int64_t, units),
                    .readers = LPI_NEW(arena, int64_t, pins)},
        .held = LPI_NEW(arena, int64_t, tensors),
        .heads = LPI_NEW(arena, int64_t, tensors),
        .next = LPI_NEW(arena, int64_t, pins),
        .begins = LPI_NEW(arena, int64_t, units),
        .links = LPI_NEW(arena, int64_t, pins),
        .inner = LPI_NEW(arena, inner, program->model->layers_count),
        .once = once,
        .error = error,
    };

    if (!w.weights.bytes || !w.weights.copies || !w.weights.readers ||
        !w.held || !w.heads || !w.next || !w.begins || !w.links || !w.inner)
        return lpi_fail_memory(error);
    link_pins(&w);
    LP_TRY(walk_units(&w));
    *ret_weights = w.weights;
    return LP_OK;
}

lp_status lpi_weights_find(const lpi_program *program, lpi_arena *arena,
                           lpi_weights_held *ret_weights, lp_error *error)
{
    return find(program, arena, false, ret_weights, error);
}

lp_status lpi_weights_firsts(const lpi_program *program, lpi_arena *arena,
                             lpi_weights_held *ret_weights, lp_error *error)
{
    return find(program, arena, true, ret_weights, error);
}

/* Bytes of the weights of unit "u" that are never in flight together, because
 * it reads them in slices; what is pinned is not. */
static int64_t sliced_bytes(const lpi_program *p, int64_t u)
{
    const lpi_tiling *tiling = p->uses[u].tiling;
    const lpi_stage *stage = tiling ? &tiling->stages[0] : NULL;
    int32_t i;
    int64_t k;

    if (!tiling || tiling->parts < 2)
        return 0;
    for (i = 0; i < stage->layer->inputs_count; i++)
        for (k = 0; k < p->schedule->pins_count; k++)
            if (p->schedule->pins[k].tensor == stage->in[i].tensor &&
                p->schedule->pins[k].from <= u &&
                p->schedule->pins[k].to >= u &&
                lpi_is_sliced(tiling, &stage->in[i]))
                return 0;
    return tiling->sliced_bytes;
}

lp_status lpi_weights_peak(const lpi_program *program,
                           const lpi_weights_held *weights, int64_t *ret_pinned,
                           int64_t *ret_all, lp_error *error)
{
    const lp_schedule *s = program->schedule;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(program->arena));
    int64_t *change =
        scratch ? LPI_NEW(scratch, int64_t, program->units_count + 1) : NULL;
    int64_t held = 0, flight, u, i;

    *ret_pinned = *ret_all = 0;
    for (i = 0; change && i < s->pins_count; i++) {
        int64_t bytes = lpi_planned_stored(s, s->pins[i].tensor);

        change[s->pins[i].from] += bytes;
        change[s->pins[i].to + 1] -= bytes;
    }
    for (u = 0; change && u < program->units_count; u++) {
        held += change[u];
        if (held > *ret_pinned)
            *ret_pinned = held;
        flight = weights->bytes[u] - sliced_bytes(program, u);
        if (lpi_add(held, flight) > *ret_all)
            *ret_all = lpi_add(held, flight);
    }
    lpi_arena_free(scratch);
    return change ? LP_OK : lpi_fail_memory(error);
}
