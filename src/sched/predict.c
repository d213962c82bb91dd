/* predict.c: what a program will take: live peak, arenas, traffic, MACs.
 *
 * The live peak follows from the order alone: storages as values with their
 * views, nothing in place, unaligned, wherever they lie, and what units take
 * beside their operands. */
#include <string.h>

#include "sched.h"

/* Add "bytes" from unit "first" to unit "last" to the differences "live". */
static void add_live(int64_t *live, int64_t first, int64_t last, int64_t bytes)
{
    live[first] += bytes;
    live[last + 1] -= bytes;
}

/* The value that "v" is a view of, -1: it has bytes of its own. */
static int64_t viewed(const lpi_program *p, const lpi_value *v)
{
    const lp_layer *layer = v->unit < 0 ? NULL : p->units[v->unit].layer;

    if (!layer || !layer->row || !(layer->row->flags & LPI_VIEW) ||
        layer->inputs_count == 0 || layer->outputs[0] != v->tensor ||
        !lpi_is_value(layer->inputs[0]))
        return -1;
    return lpi_program_value(p, v->unit, layer->inputs[0], false);
}

static lp_status find_live_peak(lpi_lowering *l)
{
    lpi_program *p = l->program;
    int64_t *roots = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t *lasts = LPI_NEW(l->scratch, int64_t, p->values_count);
    int64_t *live = LPI_NEW(l->scratch, int64_t, p->units_count + 1);
    int64_t sum = 0, all = 0, i;

    if (!roots || !lasts || !live)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->values_count; i++) {
        int64_t of = viewed(p, &p->values[i]);
        int64_t last = p->values[i].last_unit;

        roots[i] = of < 0 ? i : roots[of];
        if (last > lasts[roots[i]])
            lasts[roots[i]] = last;
        all = lpi_add(all, lpi_tensor_bytes(p->values[i].tensor));
    }
    for (i = 0; i < p->residencies_count; i++)
        all = lpi_add(all, lpi_mul(p->residencies[i].bytes, 2));
    if (all >= INT64_MAX / 4)
        return lpi_fail(l->error, LP_EINPUT, p->model->path,
                        "the activations do not fit 64 bits of bytes");
    for (i = 0; i < p->values_count && p->units_count; i++)
        if (roots[i] == i)
            add_live(live, p->values[i].unit < 0 ? 0 : p->values[i].unit,
                     lasts[i] < p->units_count ? lasts[i] : p->units_count - 1,
                     lpi_tensor_bytes(p->values[i].tensor));
    for (i = 0; i < p->residencies_count && p->units_count; i++)
        add_live(live, p->residencies[i].first, p->residencies[i].last,
                 p->residencies[i].live_bytes);
    for (i = 0; i < p->units_count; i++) {
        sum += live[i];
        if (sum > p->predictions.live_peak_bytes)
            p->predictions.live_peak_bytes = sum;
    }
    return LP_OK;
}

/* Count the MACs of single layers; those of groups are counted already. */
static lp_status count_macs(lpi_lowering *l)
{
    lpi_program *p = l->program;
    int64_t *known = LPI_NEW(l->scratch, int64_t, p->model->layers_count);
    int64_t u;

    if (!known)
        return lpi_fail_memory(l->error);
    for (u = 0; u < p->units_count; u++) {
        const lp_layer *layer = p->units[u].layer;
        lp_row_status status;
        lp_cost cost;

        if (!layer)
            continue;
        if (!known[layer->id]) {
            LP_TRY(lpi_layer_cost(p->model, layer, &cost, &status, l->error));
            known[layer->id] = lp_cost_macs(&cost) + 1;
        }
        p->predictions.macs =
            lpi_add(p->predictions.macs, known[layer->id] - 1);
    }
    return LP_OK;
}

lp_status lpi_predict(lpi_lowering *l)
{
    lpi_program *p = l->program;
    int64_t i;

    for (i = 0; i < p->steps_count; i++)
        if ((p->steps[i].kind == LPI_STEP_LOAD ||
             p->steps[i].kind == LPI_STEP_STORE) &&
            !p->steps[i].is_clean)
            p->predictions.traffic_bytes =
                lpi_add(p->predictions.traffic_bytes,
                        p->residencies[p->steps[i].to].bytes);
    LP_TRY(count_macs(l));
    return find_live_peak(l);
}

/* Bytes of the static operands of unit "unit" that no pin holds, each once;
 * "seen" by tensor id holds unit + 1 where one was counted. */
static int64_t in_flight(const lpi_program *p, int64_t unit, int64_t *seen)
{
    int32_t count, i, j;
    lp_layer *const *layers = lpi_unit_layers(&p->units[unit], &count);
    int64_t bytes = 0;

    for (i = 0; i < count; i++)
        for (j = 0; j < layers[i]->inputs_count; j++) {
            const lp_tensor *tensor = layers[i]->inputs[j];

            if (!tensor || !tensor->is_static || seen[tensor->id] > unit)
                continue;
            seen[tensor->id] = unit + 1;
            bytes = lpi_add(bytes, tensor->stored_bytes);
        }
    return bytes;
}

/* The most that weights take in memory 0 at a unit. */
static lp_status find_weights_peak(const lpi_program *p, lpi_arena *scratch,
                                   int64_t *ret_bytes, lp_error *error)
{
    const lp_schedule *s = p->schedule;
    int64_t *seen = LPI_NEW(scratch, int64_t, p->model->tensors_count);
    int64_t *begins = LPI_NEW(scratch, int64_t, p->units_count + 1);
    int64_t *links = LPI_NEW(scratch, int64_t, s->pins_count);
    int64_t *pinned = LPI_NEW(scratch, int64_t, p->units_count + 1);
    int64_t held = 0, u, i;

    if (!seen || !begins || !links || !pinned)
        return lpi_fail_memory(error);
    for (u = 0; u <= p->units_count; u++)
        begins[u] = -1;
    for (i = 0; i < s->pins_count; i++) {
        links[i] = begins[s->pins[i].from];
        begins[s->pins[i].from] = i;
        add_live(pinned, s->pins[i].from, s->pins[i].to,
                 s->pins[i].tensor->stored_bytes);
    }
    *ret_bytes = 0;
    for (u = 0; u < p->units_count; u++) {
        int64_t sum;

        held += pinned[u];
        for (i = begins[u]; i >= 0; i = links[i])
            if (seen[s->pins[i].tensor->id] <= s->pins[i].to)
                seen[s->pins[i].tensor->id] = s->pins[i].to + 1;
        sum = lpi_add(held, in_flight(p, u, seen));
        if (sum > *ret_bytes)
            *ret_bytes = sum;
    }
    return LP_OK;
}

lp_status lpi_predict_placed(lpi_program *program, lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(program->arena));
    lp_status status;
    int64_t weights = 0, i;

    if (!scratch)
        return lpi_fail_memory(error);
    memset(program->arena_bytes, 0,
           (size_t)program->memories_count * sizeof(int64_t));
    for (i = 0; i < program->residencies_count; i++) {
        const lpi_residency *r = &program->residencies[i];
        int64_t end = lpi_add(r->offset, r->bytes);

        if (r->bytes && end > program->arena_bytes[r->memory])
            program->arena_bytes[r->memory] = end;
    }
    status = find_weights_peak(program, scratch, &weights, error);
    lpi_arena_free(scratch);
    program->predictions.arena_bytes = program->arena_bytes[0];
    program->predictions.fast_peak_bytes =
        lpi_add(program->arena_bytes[0], weights);
    return status;
}
