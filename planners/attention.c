/* attention.c: attentions as groups of rows, and large layers as tiles.
 *
 * An attention (a product, scales and masks, a softmax, a product) runs a tile
 * of rows of its scores at a time, so that the scores never lie in memory as a
 * whole; a row of them is complete in its tile, so that nothing is computed
 * twice.  Each attention gets the most rows, a power of two, with which what is
 * resident while it runs stays within the budget; without a budget, within what
 * the other layers reach anyway.  Where no number of rows gets there, buffers
 * of an eighth of its operands are small enough.  A layer that is larger than
 * the budget by itself is cut into rows where that brings it down. */
#include <lplan-planner.h>

static const lp_option options[] = {
    {.name = "rows",
     .initial = "0",
     .help = "Rows of the scores in a tile; 0: as the budget allows.",
     .most = INT64_MAX},
    {.name = "layers",
     .initial = "1",
     .help = "0: layers larger than the budget are left whole.",
     .most = 1},
    {.name = NULL},
};

typedef struct cutter {
    const lp_problem *problem;
    lp_schedule *schedule;
    lp_error *error;
} cutter;

/* The least power of two that is not below the longest axis of rows; 2^62 at
 * most. */
static int64_t most_rows(const lp_problem *problem)
{
    int64_t most = 1, rows = 1;
    int32_t i;

    for (i = 0; i < problem->tensors_count; i++) {
        lp_shape shape = problem->tensors[i].shape;

        if (shape.rank >= 2 && shape.dims[shape.rank - 2] > most)
            most = shape.dims[shape.rank - 2];
    }
    while (rows < most && rows <= INT64_MAX / 2)
        rows *= 2;
    return rows;
}

/* The most that is resident while a unit that is no group runs. */
static int64_t plain_peak(const lp_unit *units, const lp_meaning *meaning)
{
    int64_t most = 0, u;

    for (u = 0; u < meaning->units_count; u++)
        if (!units[u].group && meaning->units[u].live_bytes > most)
            most = meaning->units[u].live_bytes;
    return most;
}

/* Whether a group with "facts" is small enough for "target" bytes, or fewer
 * rows bring it no nearer: what it reads and makes is there in any case. */
static bool is_small(const lp_unit_facts *facts, int64_t target)
{
    if (facts->live_bytes <= target)
        return true;
    if (facts->operand_bytes <= target &&
        (facts->live_bytes - facts->buffer_bytes <= target ||
         facts->operand_bytes + facts->buffer_bytes > target))
        return false;
    return facts->buffer_bytes <= facts->operand_bytes / 8;
}

/* Halve the rows of the groups that are too large; returns how many were. */
static lp_status halve(const cutter *c, const lp_meaning *meaning,
                       int64_t target, int64_t *ret_halved)
{
    int64_t count, units_count, u, halved = 0;
    const lp_group *groups = lp_schedule_groups(c->schedule, &count);
    const lp_unit *units = lp_schedule_units(c->schedule, &units_count);
    lp_group *cut = LP_NEW(c->problem->scratch, lp_group, count);
    lp_tile *tile;

    if (!cut)
        return lp_fail(c->error, LP_ENOMEM, "out of memory");
    for (u = 0; u < count; u++)
        cut[u] = groups[u];
    for (u = 0; u < units_count; u++) {
        const lp_group *group = units[u].group;
        int32_t last, i;

        if (!group || is_small(&meaning->units[u], target))
            continue;
        last = group->tiles_count - 1;
        if (group->tiles[last].extent <= 1)
            continue;
        tile = LP_NEW(c->problem->scratch, lp_tile, group->tiles_count);
        if (!tile)
            return lp_fail(c->error, LP_ENOMEM, "out of memory");
        for (i = 0; i <= last; i++)
            tile[i] = group->tiles[i];
        tile[last].extent /= 2;
        cut[group - groups].tiles = tile;
        halved++;
    }
    *ret_halved = halved;
    return halved ? lp_schedule_set_groups(c->schedule, cut, count, c->error)
                  : LP_OK;
}

/* Group the attentions with the rows that "target" bytes allow. */
static lp_status fit_rows(const cutter *c)
{
    int64_t count, halved = 1, target;
    lp_meaning meaning;

    LP_TRY(lp_schedule_group_attention(c->schedule, most_rows(c->problem),
                                       c->error));
    lp_schedule_groups(c->schedule, &count);
    while (count && halved) {
        const lp_unit *units = lp_schedule_units(c->schedule, &count);

        LP_TRY(lp_schedule_lower(c->problem, c->schedule, &meaning, c->error));
        target = c->problem->budget_bytes ? c->problem->budget_bytes
                                          : plain_peak(units, &meaning);
        LP_TRY(halve(c, &meaning, target, &halved));
    }
    return LP_OK;
}

/* Facts of the unit that "layer" ends; NULL: it stands inside a group. */
static const lp_unit_facts *facts_of(const cutter *c, const lp_meaning *meaning,
                                     const lp_layer *layer)
{
    int64_t count, u;
    const lp_unit *units = lp_schedule_units(c->schedule, &count);

    for (u = 0; u < count; u++) {
        const lp_group *group = units[u].group;

        if (units[u].layer == layer ||
            (group && group->layers[group->layers_count - 1] == layer))
            return &meaning->units[u];
    }
    return NULL;
}

/* Cut layer "layer", of "before" bytes, where tiles of it take less. */
static lp_status cut_layer(const cutter *c, int32_t layer, int64_t before)
{
    const lp_plan_layer *l = &c->problem->layers[layer];
    lp_shape shape = {0};
    const lp_unit_facts *facts;
    lp_meaning meaning;
    lp_schedule *draft;
    int64_t rows;

    if (l->outputs_count)
        shape = c->problem->tensors[l->outputs[0]].shape;
    rows = shape.rank >= 2 ? shape.dims[shape.rank - 2] / 2 : 0;
    for (; rows >= 1; rows /= 8) {
        LP_TRY(lp_schedule_draft(c->problem, c->schedule, &draft, c->error));
        if (lp_schedule_group_rows(c->problem, draft, layer, rows, NULL) !=
                LP_OK ||
            lp_schedule_lower(c->problem, draft, &meaning, NULL) != LP_OK)
            return LP_OK;
        facts = facts_of(&(cutter){c->problem, draft, c->error}, &meaning,
                         l->layer);
        if (facts && facts->operand_bytes + facts->buffer_bytes < before)
            return lp_schedule_copy(c->schedule, draft, c->error);
    }
    return LP_OK;
}

static lp_status cut_large(const cutter *c)
{
    int64_t budget = c->problem->budget_bytes;
    lp_meaning meaning;
    int32_t i;

    LP_TRY(lp_schedule_lower(c->problem, c->schedule, &meaning, c->error));
    for (i = 0; i < c->problem->layers_count; i++) {
        const lp_unit_facts *facts =
            facts_of(c, &meaning, c->problem->layers[i].layer);

        if (!facts || facts->operand_bytes > budget ||
            facts->operand_bytes + facts->buffer_bytes <= budget)
            continue;
        LP_TRY(cut_layer(c, i, facts->operand_bytes + facts->buffer_bytes));
        LP_TRY(lp_schedule_lower(c->problem, c->schedule, &meaning, c->error));
    }
    return LP_OK;
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    cutter c = {problem, schedule, error};
    int64_t rows = lp_problem_count(problem, "rows");

    if (rows)
        LP_TRY(lp_schedule_group_attention(schedule, rows, error));
    else
        LP_TRY(fit_rows(&c));
    return problem->budget_bytes && lp_problem_count(problem, "layers")
               ? cut_large(&c)
               : LP_OK;
}

LP_API const lp_planner lp_planner_attention = {
    .abi = LP_PLANNER_ABI,
    .name = "attention",
    .summary = "Runs attentions by rows, without their score matrices",
    .decides = LP_GROUPS,
    .options = options,
    .plan = plan,
};
