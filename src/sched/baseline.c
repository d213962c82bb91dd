/* baseline.c: the schedule that decides as little as it can.
 *
 * Layers in their order, each once; views share bytes, and an element-wise
 * result takes the place of the first operand that dies there; everything is
 * placed by the best greedy rule.  With attention rows, attentions that the
 * exporter spelled out run as groups, a tile of rows of the scores at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

lp_status lpi_schedule_new(const lp_model *model, lp_schedule **ret_schedule,
                           lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(model->arena));
    lp_schedule *s = arena ? LPI_NEW(arena, lp_schedule, 1) : NULL;

    if (!s) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    *s = (lp_schedule){.arena = arena,
                       .model = model,
                       .name = "schedule",
                       .device = "",
                       .effort = "default",
                       .rule = "given"};
    *ret_schedule = s;
    return LP_OK;
}

void lp_schedule_free(lp_schedule *schedule)
{
    if (schedule)
        lpi_arena_free(schedule->arena);
}

const char *lp_schedule_rule(const lp_schedule *schedule)
{
    return schedule->rule;
}

lp_status lpi_schedule_units(lp_schedule *schedule, lp_error *error)
{
    const lp_model *model = schedule->model;
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    const lp_group **group_of =
        scratch ? LPI_NEW(scratch, const lp_group *, model->layers_count)
                : NULL;
    lp_unit *units = LPI_NEW(schedule->arena, lp_unit, model->layers_count);
    int64_t count = 0, i;
    int32_t j;

    if (!group_of || !units) {
        lpi_arena_free(scratch);
        return lpi_fail_memory(error);
    }
    for (i = 0; i < schedule->groups_count; i++)
        for (j = 0; j < schedule->groups[i].layers_count; j++)
            group_of[schedule->groups[i].layers[j]->id] = &schedule->groups[i];
    for (i = 0; i < model->layers_count; i++) {
        lp_layer *layer = model->layers[i];
        const lp_group *group = group_of[i];

        if (layer->is_static ||
            (group && group->layers[group->layers_count - 1] != layer))
            continue;
        units[count++] = (lp_unit){
            .layer = group ? NULL : layer, .group = group, .ordinal = 1};
    }
    lpi_arena_free(scratch);
    schedule->units = units;
    schedule->units_count = count;
    return LP_OK;
}

/* Copy the offsets and figures of "program" into the schedule. */
static lp_status keep_places(lp_schedule *s, const lpi_program *program,
                             lp_error *error)
{
    lp_placed *places =
        LPI_NEW(s->arena, lp_placed, program->residencies_count);
    lp_bound *bounds = LPI_NEW(s->arena, lp_bound, 1);
    int64_t i;

    if (!places || !bounds)
        return lpi_fail_memory(error);
    for (i = 0; i < program->residencies_count; i++) {
        const lpi_residency *r = &program->residencies[i];

        places[i] = (lp_placed){.kind = (lp_place_kind)r->kind,
                                .tensor = r->tensor,
                                .layer = r->layer,
                                .memory = r->memory,
                                .from = r->first,
                                .to = r->last,
                                .offset = r->offset};
    }
    bounds[0] = (lp_bound){.quantity = "arena_bytes",
                           .value = program->bound_bytes,
                           .proof = "load",
                           .given = LP_PRECISION | LP_GROUPS | LP_RUNS |
                                    LP_MOVE | LP_ALIAS};
    s->places = places;
    s->places_count = program->residencies_count;
    s->predictions = program->predictions;
    s->has_predictions = true;
    s->bounds = bounds;
    s->bounds_count = 1;
    s->rule = program->rule;
    return LP_OK;
}

lp_status lpi_schedule_place(lp_schedule *s, const char *rule, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(s->arena));
    lpi_program program;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, s, &program, NULL, error);
    if (status == LP_OK && rule)
        status = lpi_program_place(&program, rule, error);
    if (status == LP_OK)
        status = keep_places(s, &program, error);
    lpi_arena_free(arena);
    return status;
}

static lp_status fill(lp_schedule *s, const lp_schedule_options *options,
                      lp_error *error)
{
    lp_memory *memory = LPI_NEW(s->arena, lp_memory, 1);
    const char **planners = LPI_NEW(s->arena, const char *, 1);

    if (!memory || !planners)
        return lpi_fail_memory(error);
    *memory = (lp_memory){.name = "arena",
                          .alignment = options->alignment ? options->alignment
                                                          : LPI_ALIGNMENT};
    planners[0] = "baseline";
    s->memories = memory;
    s->memories_count = 1;
    if (options->device)
        LP_TRY(lpi_schedule_for(s, options->device, error));
    s->planners = planners;
    s->planners_count = 1;
    if (options->attention_rows)
        LP_TRY(lpi_schedule_attention(s, options->attention_rows, error));
    if (options->layer_rows)
        LP_TRY(lpi_schedule_rows(s, options->layer_rows, error));
    LP_TRY(lpi_schedule_units(s, error));
    if (options->assume)
        LP_TRY(lpi_schedule_assume(s, options->assume, error));
    LP_TRY(lpi_schedule_aliases(s, !options->no_in_place, false, error));
    return lpi_schedule_place(s, options->rule, error);
}

lp_status lpi_schedule_baseline(const lp_model *model,
                                const lp_schedule_options *options,
                                lp_schedule **ret_schedule, lp_error *error)
{
    lp_schedule_options wanted = options ? *options : (lp_schedule_options){0};
    lp_schedule *s = NULL;
    lp_status status;

    if (wanted.alignment < 0 || wanted.alignment > 1 << 30 ||
        (wanted.alignment & (wanted.alignment - 1)))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "alignment %lld is no power of two up to 2^30",
                        (long long)wanted.alignment);
    LP_TRY(lpi_schedule_new(model, &s, error));
    status = fill(s, &wanted, error);
    if (status != LP_OK)
        lp_schedule_free(s);
    else
        *ret_schedule = s;
    return status;
}

/* Move what "program" has of its schedule into its own arena. */
static lp_status adopt(lpi_program *program, lp_error *error)
{
    size_t size = (size_t)program->units_count * sizeof(lp_unit);
    lp_unit *units = LPI_NEW(program->arena, lp_unit, program->units_count);
    lp_memory *memories =
        LPI_NEW(program->arena, lp_memory, program->memories_count);
    lp_schedule *s = LPI_NEW(program->arena, lp_schedule, 1);

    if (!units || !memories || !s)
        return lpi_fail_memory(error);
    memcpy(units, program->units, size);
    memcpy(memories, program->memories,
           (size_t)program->memories_count * sizeof(*memories));
    *s = (lp_schedule){.model = program->model,
                       .name = program->schedule->name,
                       .device = "",
                       .memories = memories,
                       .memories_count = program->memories_count,
                       .units = units,
                       .units_count = program->units_count};
    program->units = units;
    program->memories = memories;
    program->schedule = s;
    return LP_OK;
}

lp_status lpi_program_body(lpi_arena *arena, const lp_model *body,
                           lpi_program *ret_program, lp_error *error)
{
    lp_schedule *s;
    lp_status status;

    LP_TRY(lpi_schedule_baseline(body, NULL, &s, error));
    status = lpi_program_lower(arena, s, ret_program, NULL, error);
    if (status == LP_OK)
        status = adopt(ret_program, error);
    lp_schedule_free(s);
    return status;
}
