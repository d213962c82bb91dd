/* schedule_write.c: the YAML form of a schedule (lplan-schedule(5)).
 *
 * One entry a line, in the order of the sections; empty sections are left out,
 * so that reading and writing again gives the same bytes. */
#include <string.h>

#include "io.h"

typedef struct writer {
    lpi_text *text;
    const lp_schedule *s;
    lpi_layer_names layers;
} writer;

/* ", KEY: " or, first, "KEY: ". */
static void put_key(writer *w, const char *key, bool first)
{
    lpi_text_printf(w->text, "%s%s: ", first ? "  - {" : ", ", key);
}

static void put_int(writer *w, const char *key, int64_t value)
{
    put_key(w, key, false);
    lpi_put_int(w->text, value);
}

static void put_memory(writer *w, const char *key, int32_t memory)
{
    put_key(w, key, false);
    lpi_put_scalar(w->text, w->s->memories[memory].name);
}

static void put_tensor(writer *w, const char *key, const lp_tensor *tensor,
                       bool first)
{
    put_key(w, key, first);
    lpi_put_scalar(w->text, tensor->name);
}

static void put_end(writer *w)
{
    lpi_text_put(w->text, "}\n");
}

/* The name of a section, if it has entries. */
static void put_section(writer *w, const char *name, int64_t count)
{
    if (count)
        lpi_text_printf(w->text, "%s:\n", name);
}

static void put_list(writer *w, const char *const *names, int64_t count)
{
    int64_t i;

    lpi_text_put(w->text, "[");
    for (i = 0; i < count; i++) {
        lpi_text_put(w->text, i ? ", " : "");
        lpi_put_scalar(w->text, names[i]);
    }
    lpi_text_put(w->text, "]\n");
}

static lp_status put_head(writer *w, lp_error *error)
{
    const lp_model *model = w->s->model;
    const char *slash = strrchr(model->path ? model->path : "", '/');
    uint64_t hash;
    int64_t i;
    int32_t j;

    LP_TRY(lpi_model_hash(model, &hash, error));
    lpi_text_put(w->text, "lplan-schedule: 1\nmodel: {name: ");
    lpi_json_string(w->text, model->net    ? model->net
                             : slash       ? slash + 1
                             : model->path ? model->path
                                           : "");
    lpi_text_printf(w->text, ", hash: \"%016llx\"}\n",
                    (unsigned long long)hash);
    put_section(w, "dims", model->inputs_count);
    for (i = 0; i < model->inputs_count; i++) {
        const lp_tensor *input = model->inputs[i];

        if (input->kind != LPI_INPUT)
            continue;
        lpi_text_put(w->text, "  ");
        lpi_put_scalar(w->text, input->name);
        lpi_text_put(w->text, ": [");
        for (j = 0; j < input->shape.rank; j++) {
            lpi_text_put(w->text, j ? ", " : "");
            lpi_put_int(w->text, input->shape.dims[j]);
        }
        lpi_text_put(w->text, "]\n");
    }
    return LP_OK;
}

static void put_origin(writer *w)
{
    if (*w->s->device) {
        lpi_text_put(w->text, "device: ");
        lpi_put_scalar(w->text, w->s->device);
        lpi_text_put(w->text, "\n");
    }
    if (w->s->planners_count) {
        lpi_text_put(w->text, "planners: ");
        put_list(w, w->s->planners, w->s->planners_count);
    }
    lpi_text_printf(w->text, "seed: %lld\neffort: ", (long long)w->s->seed);
    lpi_put_scalar(w->text, w->s->effort);
    lpi_text_put(w->text, w->s->is_timed ? "\nreproducible: false\n" : "\n");
}

static void put_memories(writer *w)
{
    int64_t i;

    put_section(w, "memories", w->s->memories_count);
    for (i = 0; i < w->s->memories_count; i++) {
        put_key(w, "name", true);
        lpi_put_scalar(w->text, w->s->memories[i].name);
        if (w->s->memories[i].capacity_bytes)
            put_int(w, "capacity_bytes", w->s->memories[i].capacity_bytes);
        put_int(w, "alignment", w->s->memories[i].alignment);
        put_end(w);
    }
    if (w->s->weights_memory) {
        lpi_text_put(w->text, "weights: ");
        lpi_put_scalar(w->text, w->s->memories[w->s->weights_memory].name);
        lpi_text_put(w->text, "\n");
    }
}

static void put_group(writer *w, const lp_group *group)
{
    int32_t i;

    put_key(w, "name", true);
    lpi_put_scalar(w->text, group->name);
    put_key(w, "layers", false);
    for (i = 0; i < group->layers_count; i++) {
        lpi_text_put(w->text, i ? ", " : "[");
        lpi_put_layer(w->text, &w->layers, group->layers[i], 0);
    }
    lpi_text_put(w->text, "], tiles: [");
    for (i = 0; i < group->tiles_count; i++) {
        lpi_text_put(w->text, i ? ", {axis: " : "{axis: ");
        if (group->tiles[i].axis == LP_AXIS_REDUCTION)
            lpi_text_put(w->text, "reduction");
        else
            lpi_text_printf(w->text, "%d", (int)group->tiles[i].axis);
        lpi_text_printf(w->text, ", extent: %lld}",
                        (long long)group->tiles[i].extent);
    }
    lpi_text_printf(w->text, "], overlap: %s",
                    group->keeps_rows ? "keep" : "recompute");
    put_end(w);
}

static void put_runs(writer *w)
{
    int64_t i;

    put_section(w, "groups", w->s->groups_count);
    for (i = 0; i < w->s->groups_count; i++)
        put_group(w, &w->s->groups[i]);
    lpi_text_put(w->text, w->s->units_count ? "runs:\n" : "runs: []\n");
    for (i = 0; i < w->s->units_count; i++) {
        const lp_unit *unit = &w->s->units[i];

        lpi_text_put(w->text, "  - ");
        if (unit->layer) {
            lpi_put_layer(w->text, &w->layers, unit->layer, unit->ordinal);
        } else if (unit->ordinal > 1) {
            lpi_text name = {0};

            lpi_text_printf(&name, "%s#%lld", unit->group->name,
                            (long long)unit->ordinal);
            if (name.bytes)
                lpi_put_scalar(w->text, name.bytes);
            w->text->failed = w->text->failed || name.failed;
            lpi_text_drop(&name);
        } else {
            lpi_put_scalar(w->text, unit->group->name);
        }
        lpi_text_put(w->text, "\n");
    }
}

static void put_moves(writer *w)
{
    int64_t i;

    put_section(w, "home", w->s->homes_count);
    for (i = 0; i < w->s->homes_count; i++) {
        put_tensor(w, "tensor", w->s->homes[i].tensor, true);
        put_memory(w, "memory", w->s->homes[i].memory);
        put_end(w);
    }
    put_section(w, "move", w->s->moves_count);
    for (i = 0; i < w->s->moves_count; i++) {
        put_tensor(w, "tensor", w->s->moves[i].tensor, true);
        put_memory(w, "to", w->s->moves[i].memory);
        put_int(w, "after", w->s->moves[i].after);
        put_int(w, "before", w->s->moves[i].before);
        put_end(w);
    }
    put_section(w, "pin", w->s->pins_count);
    for (i = 0; i < w->s->pins_count; i++) {
        put_tensor(w, "weight", w->s->pins[i].tensor, true);
        put_int(w, "from", w->s->pins[i].from);
        put_int(w, "to", w->s->pins[i].to);
        put_end(w);
    }
}

static void put_aliases(writer *w)
{
    static const char *const kinds[] = {"view", "in_place", "part"};
    int64_t i;

    put_section(w, "alias", w->s->aliases_count);
    for (i = 0; i < w->s->aliases_count; i++) {
        put_tensor(w, "tensor", w->s->aliases[i].tensor, true);
        put_tensor(w, "of", w->s->aliases[i].of, false);
        put_key(w, "kind", false);
        lpi_text_put(w->text, kinds[w->s->aliases[i].kind]);
        put_end(w);
    }
}

static void put_places(writer *w)
{
    static const char *const kinds[] = {NULL, "tile", "workspace", "staging"};
    int64_t i;

    put_section(w, "place", w->s->places_count);
    for (i = 0; i < w->s->places_count; i++) {
        const lp_placed *place = &w->s->places[i];

        if (place->tensor)
            put_tensor(w, "tensor", place->tensor, true);
        if (place->layer) {
            put_key(w, "layer", !place->tensor);
            lpi_put_layer(w->text, &w->layers, place->layer, 0);
        }
        if (kinds[place->kind]) {
            put_key(w, "kind", false);
            lpi_text_put(w->text, kinds[place->kind]);
        }
        if (place->memory)
            put_memory(w, "memory", place->memory);
        put_int(w, "from", place->from);
        put_int(w, "to", place->to);
        put_int(w, "offset", place->offset);
        put_end(w);
    }
}

lp_status lpi_schedule_write(const lp_schedule *schedule, lpi_text *text,
                             lp_error *error)
{
    lpi_arena *scratch = lpi_arena_new(lpi_arena_cap(schedule->arena));
    writer w = {.text = text, .s = schedule};
    lp_status status;

    if (!scratch)
        return lpi_fail_memory(error);
    status = lpi_layer_names_find(scratch, schedule->model, &w.layers, error);
    if (status == LP_OK)
        status = put_head(&w, error);
    if (status == LP_OK) {
        put_origin(&w);
        put_memories(&w);
        status = lpi_precision_write(schedule, text, error);
    }
    if (status == LP_OK) {
        put_runs(&w);
        put_moves(&w);
        put_aliases(&w);
        put_places(&w);
        lpi_figures_write(schedule, text);
    }
    lpi_arena_free(scratch);
    return status;
}
