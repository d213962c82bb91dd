/* schedule_read.c: the YAML form of a schedule, section by section.
 *
 * The sections are read in the order in which they depend on each other,
 * however they stand in the file; the hash comes first, so that a schedule of
 * another model is refused for what it is. */
#include <string.h>

#include "io.h"

enum { FORMAT = 1 };

/* The sections, as nodes. */
typedef struct sections {
    int64_t format, seed;
    const lpi_yaml *model, *dims, *planners, *memories, *precision, *groups,
        *runs, *weights, *home, *move, *pin, *alias, *place, *predictions,
        *bounds;
    const char *device, *effort;
    int32_t is_timed; /* position in truths */
} sections;

static const char *const truths[] = {"true", "false", NULL};

static const lpi_field section_fields[] = {
    LPI_FIELD(sections, format, "lplan-schedule", INT, true),
    LPI_FIELD(sections, model, "model", NODE, true),
    LPI_FIELD(sections, memories, "memories", NODE, true),
    LPI_FIELD(sections, runs, "runs", NODE, true),
    LPI_FIELD(sections, dims, "dims", NODE, false),
    LPI_FIELD(sections, device, "device", TEXT, false),
    LPI_FIELD(sections, weights, "weights", NODE, false),
    LPI_FIELD(sections, planners, "planners", NODE, false),
    LPI_FIELD(sections, seed, "seed", INT, false),
    LPI_FIELD(sections, effort, "effort", TEXT, false),
    {.key = "reproducible",
     .kind = LPI_FIELD_WORD,
     .offset = offsetof(sections, is_timed),
     .words = truths},
    LPI_FIELD(sections, precision, "precision", NODE, false),
    LPI_FIELD(sections, groups, "groups", NODE, false),
    LPI_FIELD(sections, home, "home", NODE, false),
    LPI_FIELD(sections, move, "move", NODE, false),
    LPI_FIELD(sections, pin, "pin", NODE, false),
    LPI_FIELD(sections, alias, "alias", NODE, false),
    LPI_FIELD(sections, place, "place", NODE, false),
    LPI_FIELD(sections, predictions, "predictions", NODE, false),
    LPI_FIELD(sections, bounds, "bounds", NODE, false),
    {.key = NULL},
};

/* ---- model and dims -------------------------------------------------------
 */

typedef struct model_entry {
    const char *name, *hash;
} model_entry;

static const lpi_field model_fields[] = {
    LPI_FIELD(model_entry, name, "name", TEXT, false),
    LPI_FIELD(model_entry, hash, "hash", TEXT, true),
    {.key = NULL},
};

/* Whether input "input" is said to have the shape that it has. */
static bool same_dims(const lp_tensor *input, const lpi_yaml *dims)
{
    bool same = dims->kind == LPI_YAML_LIST &&
                dims->count == (input->shape.rank < 0 ? 0 : input->shape.rank);
    int64_t i, value;

    for (i = 0; same && i < dims->count; i++)
        same = dims->items[i].kind == LPI_YAML_TEXT &&
               lpi_parse_int(dims->items[i].text, &value) &&
               value == input->shape.dims[i];
    return same;
}

/* The name of the first input of the model that "dims" (NULL: left out) says
 * has another shape; NULL. */
static const char *other_dims(const lpi_reader *r, const lpi_yaml *dims)
{
    int64_t i;

    for (i = 0; dims && dims->kind == LPI_YAML_MAP && i < dims->count; i += 2) {
        const char *name = dims->items[i].text;
        const lp_tensor *input = lpi_tensor_find(r->model, name);

        if (input && input->kind == LPI_INPUT &&
            !same_dims(input, &dims->items[i + 1]))
            return name;
    }
    return NULL;
}

/* Shapes are part of the hash: the same model with other dims has another. */
static lp_status check_hash(lpi_reader *r, const sections *nodes)
{
    const lpi_yaml *node = nodes->model;
    model_entry entry = {0};
    const char *input;
    char found[20];
    uint64_t hash;

    LP_TRY(lpi_record_read(r, node, model_fields, &entry));
    input = other_dims(r, nodes->dims);
    LP_TRY(lpi_model_hash(r->model, &hash, r->error));
    snprintf(found, sizeof(found), "%016llx", (unsigned long long)hash);
    if (strcmp(found, entry.hash) != 0)
        return lpi_yaml_fail(r->name, node->line, r->error,
                             "the schedule is one of another model: its hash "
                             "is %.40s, that of this model %s%s%.100s%s",
                             entry.hash, found, input ? " (where input '" : "",
                             input ? input : "",
                             input ? "' has other dims)" : "");
    return LP_OK;
}

static lp_status check_dims(lpi_reader *r, const lpi_yaml *node)
{
    int64_t i, j, value;

    if (node->kind != LPI_YAML_MAP)
        return lpi_yaml_fail(r->name, node->line, r->error,
                             "dims: inputs and their shapes are expected");
    for (i = 0; i < node->count; i += 2) {
        const lpi_yaml *key = &node->items[i], *dims = &node->items[i + 1];
        const lp_tensor *input = lpi_tensor_find(r->model, key->text);

        if (!input || input->kind != LPI_INPUT)
            return lpi_yaml_fail(r->name, key->line, r->error,
                                 "dims: '%.200s' is no input of the model",
                                 key->text);
        LP_TRY(lpi_node_list(r, dims, "dims"));
        for (j = 0; j < dims->count; j++)
            LP_TRY(lpi_node_int(r, &dims->items[j], "dims", &value));
        if (!same_dims(input, dims))
            return lpi_yaml_fail(r->name, dims->line, r->error,
                                 "dims: the schedule is one for other dims of "
                                 "input '%.200s'",
                                 key->text);
    }
    return LP_OK;
}

/* ---- lists of plain records -----------------------------------------------
 */

static const lpi_field home_fields[] = {
    LPI_FIELD(lp_home, tensor, "tensor", TENSOR, true),
    LPI_FIELD(lp_home, memory, "memory", MEMORY, true),
    {.key = NULL},
};

static const lpi_field move_fields[] = {
    LPI_FIELD(lp_move, tensor, "tensor", TENSOR, true),
    LPI_FIELD(lp_move, memory, "to", MEMORY, true),
    LPI_FIELD(lp_move, after, "after", INT, true),
    LPI_FIELD(lp_move, before, "before", INT, true),
    {.key = NULL},
};

static const lpi_field pin_fields[] = {
    LPI_FIELD(lp_pin, tensor, "weight", TENSOR, true),
    LPI_FIELD(lp_pin, from, "from", INT, true),
    LPI_FIELD(lp_pin, to, "to", INT, true),
    {.key = NULL},
};

static const char *const alias_kinds[] = {"view", "in_place", "part", NULL};

_Static_assert(sizeof(lp_alias_kind) == sizeof(int32_t),
               "enums are read as LPI_FIELD_WORD");

static const lpi_field alias_fields[] = {
    LPI_FIELD(lp_alias, tensor, "tensor", TENSOR, true),
    LPI_FIELD(lp_alias, of, "of", TENSOR, true),
    {.key = "kind",
     .kind = LPI_FIELD_WORD,
     .offset = offsetof(lp_alias, kind),
     .required = true,
     .words = alias_kinds},
    {.key = NULL},
};

static const char *const place_kinds[] = {"value", "tile", "workspace",
                                          "staging", NULL};

static const lpi_field place_fields[] = {
    {.key = "kind",
     .kind = LPI_FIELD_WORD,
     .offset = offsetof(lp_placed, kind),
     .words = place_kinds},
    LPI_FIELD(lp_placed, tensor, "tensor", TENSOR, false),
    LPI_FIELD(lp_placed, layer, "layer", LAYER, false),
    LPI_FIELD(lp_placed, memory, "memory", MEMORY, false),
    LPI_FIELD(lp_placed, from, "from", INT, true),
    LPI_FIELD(lp_placed, to, "to", INT, true),
    LPI_FIELD(lp_placed, offset, "offset", INT, true),
    {.key = NULL},
};

/* The sections that are lists of records, and where these go. */
#define LIST(section, type, member)                                            \
    {                                                                          \
        offsetof(sections, section), offsetof(lp_schedule, member),            \
            offsetof(lp_schedule, member##_count),                             \
        {                                                                      \
            section##_fields, sizeof(type), offsetof(type, line)               \
        }                                                                      \
    }

static const struct {
    size_t section, member, count;
    lpi_records records;
} lists[] = {
    LIST(home, lp_home, homes),     LIST(move, lp_move, moves),
    LIST(pin, lp_pin, pins),        LIST(alias, lp_alias, aliases),
    LIST(place, lp_placed, places),
};

static lp_status read_lists(lpi_reader *r, const sections *nodes)
{
    lp_schedule *s = r->schedule;
    int64_t i;

    for (i = 0; i < LPI_COUNT(lists); i++) {
        const lpi_yaml *node =
            *(const lpi_yaml *const *)((const char *)nodes + lists[i].section);
        void *list;

        if (!node)
            continue;
        LP_TRY(lpi_records_read(r, node, &lists[i].records, &list,
                                (int64_t *)((char *)s + lists[i].count)));
        memcpy((char *)s + lists[i].member, &list, sizeof(list));
    }
    for (i = 0; i < s->places_count; i++) {
        const lp_placed *place = &s->places[i];

        if ((place->kind == LP_PLACE_WORKSPACE ? !place->layer || place->tensor
                                               : !place->tensor) ||
            (place->layer && place->kind != LP_PLACE_WORKSPACE &&
             place->kind != LP_PLACE_TILE))
            return lpi_yaml_fail(r->name, place->line, r->error,
                                 "place: a workspace has a 'layer', all else a "
                                 "'tensor'");
        if (place->from < 0 || place->to < place->from || place->offset < 0)
            return lpi_yaml_fail(r->name, place->line, r->error,
                                 "place: runs and offset are not below zero, "
                                 "and rise");
    }
    return LP_OK;
}

/* ---- the rest -------------------------------------------------------------
 */

static lp_status read_planners(lpi_reader *r, const lpi_yaml *node)
{
    const char **names;
    int64_t i;

    LP_TRY(lpi_node_list(r, node, "planners"));
    names = LPI_NEW(r->schedule->arena, const char *, node->count);
    if (!names)
        return lpi_fail_memory(r->error);
    for (i = 0; i < node->count; i++) {
        if (node->items[i].kind != LPI_YAML_TEXT)
            return lpi_yaml_fail(r->name, node->items[i].line, r->error,
                                 "planners: names are expected");
        names[i] = lpi_arena_strdup(r->schedule->arena, node->items[i].text);
        if (!names[i])
            return lpi_fail_memory(r->error);
    }
    r->schedule->planners = names;
    r->schedule->planners_count = node->count;
    return LP_OK;
}

static lp_status read_all(lpi_reader *r, const lpi_yaml *root)
{
    lp_schedule *s = r->schedule;
    sections nodes = {.device = "", .effort = "default"};

    LP_TRY(lpi_record_read(r, root, section_fields, &nodes));
    if (nodes.format != FORMAT)
        return lpi_yaml_fail(r->name, root->line, r->error,
                             "format %lld is not known, %d is",
                             (long long)nodes.format, FORMAT);
    LP_TRY(check_hash(r, &nodes));
    if (nodes.dims)
        LP_TRY(check_dims(r, nodes.dims));
    LP_TRY(lpi_memories_read(r, nodes.memories, nodes.weights));
    if (nodes.precision)
        LP_TRY(lpi_precision_read(r, nodes.precision));
    if (nodes.groups)
        LP_TRY(lpi_groups_read(r, nodes.groups));
    LP_TRY(lpi_runs_read(r, nodes.runs));
    LP_TRY(read_lists(r, &nodes));
    if (nodes.planners)
        LP_TRY(read_planners(r, nodes.planners));
    if (nodes.bounds)
        LP_TRY(lpi_bounds_read(r, nodes.bounds));
    if (nodes.predictions)
        LP_TRY(lpi_predictions_read(r, nodes.predictions));
    s->device = nodes.device;
    s->effort = nodes.effort;
    s->is_timed = nodes.is_timed != 0;
    s->seed = nodes.seed;
    return LP_OK;
}

lp_status lpi_schedule_read(const lp_model *model, const char *text,
                            size_t length, const char *name,
                            lp_schedule **ret_schedule, lp_error *error)
{
    lpi_reader r = {.model = model, .name = name, .error = error};
    lp_status status;
    lpi_yaml root;

    LP_TRY(lpi_schedule_new(model, &r.schedule, error));
    r.arena = r.schedule->arena;
    r.scratch = lpi_arena_new(lpi_arena_cap(r.arena));
    r.groups = r.scratch ? lpi_map_new(r.scratch) : NULL;
    r.schedule->name = lpi_arena_strdup(r.arena, name);
    if (!r.groups || !r.schedule->name)
        status = lpi_fail_memory(error);
    else
        status = lpi_layer_names_find(r.scratch, model, &r.layers, error);
    if (status == LP_OK)
        status = lpi_yaml_read(r.scratch, text, length, name, &root, error);
    if (status == LP_OK)
        status = read_all(&r, &root);
    lpi_arena_free(r.scratch);
    if (status != LP_OK)
        lp_schedule_free(r.schedule);
    else
        *ret_schedule = r.schedule;
    return status;
}
