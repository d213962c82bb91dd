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
        !lpi_is_value(layer->inputs[0]) ||
        !lpi_same_width(p->schedule, v->tensor, layer->inputs[0]))
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
        all = lpi_add(all, lpi_planned_bytes(l->schedule, p->values[i].tensor));
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
                     lpi_planned_bytes(l->schedule, p->values[i].tensor));
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

/* Add what is read from where weights live. */
static lp_status add_weights(lpi_lowering *l)
{
    lpi_program *p = l->program;
    const lp_schedule *s = p->schedule;
    lpi_weights_held weights;
    int64_t sum = p->predictions.traffic_bytes, i;

    if (!s->weights_memory)
        return LP_OK;
    LP_TRY(lpi_weights_find(p, l->scratch, &weights, l->error));
    for (i = 0; i < p->units_count; i++)
        sum = lpi_add(sum, weights.bytes[i]);
    for (i = 0; i < s->pins_count; i++)
        sum = lpi_add(sum, lpi_planned_stored(s, s->pins[i].tensor));
    p->predictions.traffic_bytes = sum;
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
    LP_TRY(add_weights(l));
    LP_TRY(count_macs(l));
    return find_live_peak(l);
}

/* What is known of weights and of time once all is placed. */
static lp_status predict_rest(lpi_program *p, lpi_arena *scratch,
                              lp_error *error)
{
    lpi_weights_held weights;
    int64_t peak;

    LP_TRY(lpi_weights_find(p, scratch, &weights, error));
    LP_TRY(lpi_weights_peak(p, &weights, &p->pinned_bytes, &peak, error));
    p->predictions.arena_bytes = p->arena_bytes[0];
    p->predictions.fast_peak_bytes = lpi_add(p->arena_bytes[0], peak);
    if (p->schedule->target) {
        lp_timeline timeline;

        LP_TRY(lpi_program_time(scratch, p, p->schedule->target, &timeline,
                                error));
        p->predictions.latency_ns = timeline.latency_ns;
    }
    return LP_OK;
}

lp_status lpi_predict_placed(lpi_program *program, lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(program->arena));
    lp_status status;
    int64_t i;

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
    status = predict_rest(program, scratch, error);
    lpi_arena_free(scratch);
    return status;
}

bool lpi_prediction_of(const lp_predictions *predictions, const char *quantity,
                       int64_t *ret_value)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"live_peak_bytes", predictions->live_peak_bytes},
                {"arena_bytes", predictions->arena_bytes},
                {"fast_peak_bytes", predictions->fast_peak_bytes},
                {"traffic_bytes", predictions->traffic_bytes},
                {"latency_ns", predictions->latency_ns},
                {"macs", predictions->macs}};

    for (int32_t i = 0; i < LPI_COUNT(rows); i++)
        if (!strcmp(rows[i].name, quantity)) {
            *ret_value = rows[i].value;
            return true;
        }
    return false;
}
