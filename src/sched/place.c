/* place.c: an offset for every residency, found or given.
 *
 * Each memory is packed alone.  Offsets that a schedule gives are matched to
 * the residencies one to one, by what they are, where and when: whether they
 * collide is for the checker. */
#include <string.h>

#include "sched.h"

/* Pack the residencies of "memory". */
static lp_status place_memory(lpi_program *p, int32_t memory, const char *rule,
                              lpi_arena *scratch, lp_error *error)
{
    lpi_interval *intervals =
        LPI_NEW(scratch, lpi_interval, p->residencies_count);
    int64_t n = 0, i;
    lpi_packing packing;

    if (!intervals)
        return lpi_fail_memory(error);
    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->memory == memory)
            intervals[n++] = (lpi_interval){r->first, r->last, r->bytes,
                                            p->memories[memory].alignment};
    }
    LP_TRY(lpi_offsets_pack(scratch, intervals, n, rule, &packing, error));
    for (i = n = 0; i < p->residencies_count; i++)
        if (p->residencies[i].memory == memory)
            p->residencies[i].offset = packing.offsets[n++];
    if (memory == 0) {
        p->rule = packing.rule;
        p->bound_bytes = packing.bound_bytes;
    }
    return LP_OK;
}

lp_status lpi_program_place(lpi_program *program, const char *rule,
                            lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(program->arena));
    lp_status status = scratch ? LP_OK : lpi_fail_memory(error);
    int32_t i;

    for (i = 0; i < program->memories_count && status == LP_OK; i++) {
        status = place_memory(program, i, rule, scratch, error);
        lpi_arena_reset(scratch);
    }
    lpi_arena_free(scratch);
    return status == LP_OK ? lpi_predict_placed(program, error) : status;
}

static bool is_same(const lpi_residency *r, const lp_placed *place)
{
    static const lpi_residency_kind kinds[] = {
        [LP_PLACE_VALUE] = LPI_OF_VALUE,
        [LP_PLACE_TILE] = LPI_OF_TILE,
        [LP_PLACE_WORKSPACE] = LPI_OF_WORKSPACE,
        [LP_PLACE_STAGING] = LPI_OF_STAGING,
    };

    return r->kind == kinds[place->kind] && r->memory == place->memory &&
           r->tensor == place->tensor && r->layer == place->layer &&
           r->first == place->from && r->last == place->to;
}

/* What a residency is called in messages. */
static const char *name_of(const lp_tensor *tensor, const lp_layer *layer)
{
    return tensor ? tensor->name : layer->name;
}

static const char *const kind_names[] = {"tensor", "tile buffer of",
                                         "workspace of", "staging of"};

lp_status lpi_place_given(lpi_lowering *l)
{
    lpi_program *p = l->program;
    const lp_schedule *s = l->schedule;
    int64_t *heads = LPI_NEW(l->scratch, int64_t, p->units_count + 1);
    int64_t *links = LPI_NEW(l->scratch, int64_t, p->residencies_count);
    int64_t i;

    if (!heads || !links)
        return lpi_fail_memory(l->error);
    for (i = 0; i <= p->units_count; i++)
        heads[i] = -1;
    for (i = p->residencies_count - 1; i >= 0; i--) {
        links[i] = heads[p->residencies[i].first];
        heads[p->residencies[i].first] = i;
    }
    for (i = 0; i < s->places_count; i++) {
        const lp_placed *place = &s->places[i];
        int64_t *at = place->from >= 0 && place->from <= p->units_count
                          ? &heads[place->from]
                          : NULL;

        while (at && *at >= 0 && !is_same(&p->residencies[*at], place))
            at = &links[*at];
        if (!at || *at < 0)
            return LPI_REFUSE(l, place->from, place->tensor, place->line,
                              "nothing to place: %s '%.200s' is not in memory "
                              "'%.100s' from run %lld to run %lld",
                              kind_names[place->kind],
                              name_of(place->tensor, place->layer),
                              p->memories[place->memory].name,
                              (long long)place->from, (long long)place->to);
        p->residencies[*at].offset = place->offset;
        *at = links[*at];
    }
    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->offset < 0)
            return LPI_REFUSE(l, r->first, r->tensor, 0,
                              "%s '%.200s' has no place in memory '%.100s' "
                              "from run %lld to run %lld",
                              kind_names[r->kind], name_of(r->tensor, r->layer),
                              p->memories[r->memory].name, (long long)r->first,
                              (long long)r->last);
    }
    p->rule = "given";
    return lpi_predict_placed(p, l->error);
}
