/* meaning.c: what a schedule means, in the words of planners.
 *
 * The program is made in memory of its own, and what a planner wants of it is
 * copied: a lowering with many tiles takes far more than its figures. */
#include <string.h>

#include "plan.h"

static const lp_place_kind kinds[] = {
    [LPI_OF_VALUE] = LP_PLACE_VALUE,
    [LPI_OF_TILE] = LP_PLACE_TILE,
    [LPI_OF_WORKSPACE] = LP_PLACE_WORKSPACE,
    [LPI_OF_STAGING] = LP_PLACE_STAGING,
};

static lp_status copy_residencies(const lpi_program *p, lpi_arena *arena,
                                  lp_meaning *meaning, lp_error *error)
{
    lp_residency *list = LPI_NEW(arena, lp_residency, p->residencies_count);
    int64_t i;

    if (!list)
        return lpi_fail_memory(error);
    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        list[i] = (lp_residency){.placed = {.kind = kinds[r->kind],
                                            .tensor = r->tensor,
                                            .layer = r->layer,
                                            .memory = r->memory,
                                            .from = r->first,
                                            .to = r->last,
                                            .offset = r->offset},
                                 .bytes = r->bytes,
                                 .alignment = p->memories[r->memory].alignment};
    }
    meaning->residencies = list;
    meaning->residencies_count = p->residencies_count;
    return LP_OK;
}

/* Bytes of the distinct roots that "unit" touches; "seen" by value holds
 * unit + 1 where one was counted. */
static int64_t operand_bytes(const lpi_program *p, int64_t unit, int64_t *seen)
{
    const lpi_use *use = &p->uses[unit];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < lpi_use_values(use); i++) {
        int64_t value = lpi_use_value(use, i);
        int64_t root = p->values[value].root;

        if (seen[root] == unit + 1)
            continue;
        seen[root] = unit + 1;
        bytes += lpi_planned_bytes(p->schedule, p->values[root].tensor);
    }
    return bytes;
}

static void add_work(const lp_problem *problem, const lp_schedule *schedule,
                     const lp_layer *layer, const lp_cost *cost,
                     lp_unit_facts *facts)
{
    facts->macs = lpi_add(facts->macs, lp_cost_macs(cost));
    if (problem->device)
        facts->compute_ns =
            lpi_add(facts->compute_ns,
                    lpi_compute_ns(problem->device, schedule, layer, cost));
}

/* MACs and time of unit "unit". */
static void work(const lpi_program *p, const lp_problem *problem, int64_t unit,
                 lp_unit_facts *facts)
{
    const lp_layer *layer = p->units[unit].layer;
    const lpi_tiling *tiling = p->uses[unit].tiling;
    int32_t i;

    if (layer)
        add_work(problem, p->schedule, layer,
                 &problem->layers[lp_problem_layer(problem, layer)].cost,
                 facts);
    for (i = 0; tiling && i < tiling->stages_count; i++)
        add_work(problem, p->schedule, tiling->stages[i].layer,
                 &tiling->stages[i].cost, facts);
}

/* Add what residencies of memory 0 take to the live bytes of units. */
static void add_live(const lpi_program *p, lp_unit_facts *facts)
{
    int64_t sum = 0, i;

    for (i = 0; i < p->residencies_count; i++) {
        const lpi_residency *r = &p->residencies[i];

        if (r->memory != 0 || r->last < r->first || !p->units_count)
            continue;
        facts[r->first].live_bytes += r->bytes;
        if (r->last + 1 < p->units_count)
            facts[r->last + 1].live_bytes -= r->bytes;
    }
    for (i = 0; i < p->units_count; i++) {
        sum += facts[i].live_bytes;
        facts[i].live_bytes = sum;
    }
}

static lp_status find_facts(const lpi_program *p, const lp_problem *problem,
                            lpi_arena *scratch, lp_unit_facts *facts,
                            lp_error *error)
{
    int64_t *seen = LPI_NEW(scratch, int64_t, p->values_count);
    lpi_kin *kin = &problem->run->planning->kin;
    lpi_weights_held weights;
    int64_t u, i;
    bool in, out;

    if (!seen)
        return lpi_fail_memory(error);
    LP_TRY(lpi_weights_find(p, scratch, &weights, error));
    add_live(p, facts);
    for (u = 0; u < p->units_count; u++) {
        facts[u].operand_bytes = operand_bytes(p, u, seen);
        facts[u].weight_bytes = weights.bytes[u];
        facts[u].floor_bytes = lpi_operands_floor(kin, p, u, &in, &out);
        for (i = 0; i < p->uses[u].buffers_count; i++) {
            const lpi_residency *r = &p->residencies[p->uses[u].buffers[i]];

            facts[u].buffer_bytes += r->bytes;
            facts[u].buffer_live_bytes += r->live_bytes;
        }
        work(p, problem, u, &facts[u]);
    }
    return LP_OK;
}

static lp_status describe(const lp_problem *problem, const lpi_program *p,
                          lpi_arena *scratch, lp_meaning *ret_meaning,
                          lp_error *error)
{
    lp_meaning meaning = {.predictions = p->predictions,
                          .units_count = p->units_count};
    lp_unit_facts *facts =
        LPI_NEW(problem->scratch, lp_unit_facts, p->units_count);
    int64_t i;

    if (!facts)
        return lpi_fail_memory(error);
    meaning.units = facts;
    LP_TRY(copy_residencies(p, problem->scratch, &meaning, error));
    LP_TRY(find_facts(p, problem, scratch, facts, error));
    for (i = 0; i < p->units_count; i++)
        if (facts[i].live_bytes > meaning.load_bound_bytes)
            meaning.load_bound_bytes = facts[i].live_bytes;
    *ret_meaning = meaning;
    return LP_OK;
}

lp_status lp_schedule_lower(const lp_problem *problem,
                            const lp_schedule *schedule,
                            lp_meaning *ret_meaning, lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(problem->scratch));
    lpi_program program;
    lp_status status;

    if (!scratch)
        return lpi_fail_memory(error);
    status = lpi_program_lower(scratch, schedule, &program, NULL, error);
    if (status == LP_OK)
        status = describe(problem, &program, scratch, ret_meaning, error);
    lpi_arena_free(scratch);
    return status;
}
