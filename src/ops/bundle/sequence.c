/* sequence.c: sequences and optionals.
 *
 * Their values are bundles.  The shape of a sequence is the one that its items
 * share; of an item taken out at a run its own.  Bytes move, nothing is
 * computed.  Sources: ONNX operators SequenceAt-11, SequenceConstruct-11,
 * SequenceEmpty-11, SequenceErase-11, SequenceInsert-11, SequenceLength-11,
 * Optional-15, OptionalGetElement-18, OptionalHasElement-18. */
#include <string.h>

#include "../ops.h"

typedef struct sequence_params {
    int64_t dtype;
} sequence_params;

static const lpi_spec empty_specs[] = {
    LPI_SPEC_INT(sequence_params, dtype, LP_FLOAT32),
    {.name = NULL},
};

static lp_status set_sequence(lpi_node *node, lp_dtype dtype, lp_shape shape)
{
    return lpi_out_container(node, 0, LPI_SEQUENCE, dtype, shape);
}

static lp_status empty_shape(lpi_node *node)
{
    const sequence_params *params = node->params;

    if (params->dtype <= LP_UNDEFINED || params->dtype >= LP_DTYPE_COUNT)
        return lpi_node_fail(node, "no dtype has the number %lld",
                             (long long)params->dtype);
    return set_sequence(node, (lp_dtype)params->dtype, lpi_shape_unknown);
}

static lp_status empty_run(const lpi_run *run)
{
    return lpi_run_give(
        run, 0,
        lpi_bundle_of_items(run->node->model->arena, LPI_SEQUENCE, 0, NULL));
}

static lp_status construct_shape(lpi_node *node)
{
    lp_shape shape = lpi_in_shape(node, 0);

    for (int32_t i = 1; i < node->layer->inputs_count; i++) {
        if (lpi_in_dtype(node, i) != lpi_in_dtype(node, 0))
            return lpi_node_fail(node, "items of different dtypes");
        shape = lpi_shape_shared(shape, lpi_in_shape(node, i));
    }
    return set_sequence(node, lpi_in_dtype(node, 0), shape);
}

static lp_status construct_run(const lpi_run *run)
{
    int32_t count = run->node->layer->inputs_count;
    lpi_arena *arena = run->node->model->arena;
    const lpi_bundle **items = LPI_NEW(arena, const lpi_bundle *, count);

    if (items == NULL)
        return lpi_node_fail_memory(run->node);
    for (int32_t i = 0; i < count; i++)
        LP_TRY(lpi_run_bundle(run, i, LPI_TENSOR, &items[i]));
    return lpi_run_give(run, 0,
                        lpi_bundle_of_items(arena, LPI_SEQUENCE, count, items));
}

/* Whether input 0 comes from a SequenceEmpty, so that what is put in gives the
 * shape. */
static bool is_empty(const lpi_node *node)
{
    const lp_tensor *tensor = lpi_in(node, 0);

    return tensor->producer != NULL &&
           strcmp(tensor->producer->op, "SequenceEmpty") == 0;
}

static lp_status insert_shape(lpi_node *node)
{
    lp_shape item = lpi_in_shape(node, 1);

    return set_sequence(
        node, lpi_in_dtype(node, 1),
        is_empty(node) ? item : lpi_shape_shared(lpi_in_shape(node, 0), item));
}

/* The items of input 0, with room for one more. */
static lp_status read_items(const lpi_run *run, const lpi_bundle ***ret_items,
                            int64_t *ret_count)
{
    const lpi_bundle *sequence;

    LP_TRY(lpi_run_bundle(run, 0, LPI_SEQUENCE, &sequence));
    *ret_count = sequence->count;
    *ret_items = LPI_NEW(run->node->model->arena, const lpi_bundle *,
                         sequence->count + 1);
    if (*ret_items == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < sequence->count; i++)
        (*ret_items)[i] =
            i > 0 ? (const void *)((const char *)(*ret_items)[i - 1] +
                                   (*ret_items)[i - 1]->size)
                  : lpi_bundle_item(sequence, 0);
    return LP_OK;
}

/* The position that input "i" names among "count"; "absent" without it. */
static lp_status read_position(const lpi_run *run, int32_t i, int64_t count,
                               int64_t absent, int64_t *ret_position)
{
    int64_t position;

    *ret_position = absent;
    if (lpi_in(run->node, i) == NULL)
        return LP_OK;
    LP_TRY(lpi_run_int(run, i, &position));
    return lpi_index(run->node, position, count, ret_position);
}

static lp_status insert_run(const lpi_run *run)
{
    const lpi_bundle **items, *item;
    int64_t count, at;

    LP_TRY(read_items(run, &items, &count));
    LP_TRY(lpi_run_bundle(run, 1, LPI_TENSOR, &item));
    at = count;
    if (lpi_in(run->node, 2) != NULL) {
        LP_TRY(lpi_run_int(run, 2, &at));
        if (at != count)
            LP_TRY(lpi_index(run->node, at, count, &at));
    }
    memmove(items + at + 1, items + at, (size_t)(count - at) * sizeof(*items));
    items[at] = item;
    return lpi_run_give(run, 0,
                        lpi_bundle_of_items(run->node->model->arena,
                                            LPI_SEQUENCE, count + 1, items));
}

static lp_status erase_shape(lpi_node *node)
{
    return set_sequence(node, lpi_in_dtype(node, 0), lpi_in_shape(node, 0));
}

static lp_status erase_run(const lpi_run *run)
{
    const lpi_bundle **items;
    int64_t count, at;

    LP_TRY(read_items(run, &items, &count));
    if (count == 0)
        return lpi_node_fail(run->node, "the sequence is empty");
    LP_TRY(read_position(run, 1, count, count - 1, &at));
    memmove(items + at, items + at + 1,
            (size_t)(count - at - 1) * sizeof(*items));
    return lpi_run_give(run, 0,
                        lpi_bundle_of_items(run->node->model->arena,
                                            LPI_SEQUENCE, count - 1, items));
}

/* The item of the sequence "bundle" that input 1 of "node", known, names;
 * NULL. */
static const lpi_bundle *item_at(lpi_node *node, const lpi_bundle *bundle)
{
    lpi_list at;

    if (bundle == NULL || !lpi_in_ints(node, 1, &at) || at.count != 1)
        return NULL;
    return lpi_bundle_item(bundle, at.ints[0] < 0 ? at.ints[0] + bundle->count
                                                  : at.ints[0]);
}

static lp_status at_shape(lpi_node *node)
{
    const lpi_bundle *item = item_at(node, lpi_in_bundle(node, 0));

    if (item != NULL)
        return lpi_out_item(node, 0, item);
    return lpi_out_container(node, 0, LPI_TENSOR, lpi_in_dtype(node, 0),
                             lpi_in_shape(node, 0));
}

static lp_status at_run(const lpi_run *run)
{
    const lpi_bundle *sequence;
    int64_t at;

    LP_TRY(lpi_run_bundle(run, 0, LPI_SEQUENCE, &sequence));
    LP_TRY(read_position(run, 1, sequence->count, 0, &at));
    return lpi_run_take(run, 0, lpi_bundle_item(sequence, at));
}

static lp_status length_shape(lpi_node *node)
{
    return lpi_out_set(node, 0, LP_INT64, 0, NULL);
}

static lp_status length_run(const lpi_run *run)
{
    const lpi_bundle *sequence;

    LP_TRY(lpi_run_bundle(run, 0, LPI_SEQUENCE, &sequence));
    *(int64_t *)run->out[0] = sequence->count;
    return LP_OK;
}

/* ---- optionals ----------------------------------------------------------- */

static lp_status optional_shape(lpi_node *node)
{
    return lpi_out_container(node, 0, LPI_OPTIONAL, lpi_in_dtype(node, 0),
                             lpi_in_shape(node, 0));
}

static lp_status optional_run(const lpi_run *run)
{
    const lpi_bundle *item = NULL;
    int64_t count = lpi_in(run->node, 0) != NULL;

    if (count > 0)
        LP_TRY(lpi_run_item(run, 0, &item));
    return lpi_run_give(run, 0,
                        lpi_bundle_of_items(run->node->model->arena,
                                            LPI_OPTIONAL, count, &item));
}

/* What is no optional is its own element. */
static lp_status get_shape(lpi_node *node)
{
    const lp_tensor *in = lpi_in(node, 0);
    const lpi_bundle *bundle = lpi_in_bundle(node, 0);
    lpi_container container = in->container == LPI_OPTIONAL ? LPI_TENSOR
                                                            : in->container;

    if (bundle != NULL && bundle->container == LPI_OPTIONAL)
        bundle = lpi_bundle_item(bundle, 0);
    if (bundle != NULL)
        return lpi_out_item(node, 0, bundle);
    return lpi_out_container(node, 0, container, in->dtype, in->shape);
}

static lp_status get_run(const lpi_run *run)
{
    const lpi_bundle *item;

    LP_TRY(lpi_run_item(run, 0, &item));
    if (item->container == LPI_OPTIONAL)
        item = lpi_bundle_item(item, 0);
    if (item == NULL)
        return lpi_node_fail(run->node, "the optional is empty");
    return lpi_run_take(run, 0, item);
}

static lp_status has_shape(lpi_node *node)
{
    return lpi_out_set(node, 0, LP_BOOL, 0, NULL);
}

static lp_status has_run(const lpi_run *run)
{
    const lpi_bundle *item;
    bool has = lpi_in(run->node, 0) != NULL;

    if (has) {
        LP_TRY(lpi_run_item(run, 0, &item));
        has = item->container != LPI_OPTIONAL || item->count > 0;
    }
    *(uint8_t *)run->out[0] = has;
    return LP_OK;
}

#define SEQUENCE(name_, since_, least, most)                                   \
    .domain = "", .name = name_, .since = since_, .inputs_min = least,         \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1, .roles = "dii",    \
    .flags = LPI_BUNDLES

#define TWO                                                                    \
    "opset 17; input x: float32[2, 3]; input y: float32[2, 3]; s = "           \
    "SequenceConstruct(x, y); "

const lp_op lpi_ops_sequence[] = {
    {SEQUENCE("SequenceEmpty", 11, 0, 0),
     .params_size = sizeof(sequence_params), .specs = empty_specs,
     .shape = empty_shape, .run = empty_run,
     .samples = "opset 17; input x: float32[2]; e = SequenceEmpty(); s = "
                "SequenceInsert(e, x); n = SequenceLength(s); output n"},
    {SEQUENCE("SequenceConstruct", 11, 1, -1), .shape = construct_shape,
     .run = construct_run, .samples = TWO "n = SequenceLength(s); output n"},
    {SEQUENCE("SequenceInsert", 11, 2, 3), .shape = insert_shape,
     .run = insert_run,
     .samples = TWO "t = SequenceInsert(s, x); n = SequenceLength(t); output "
                    "n"},
    {SEQUENCE("SequenceErase", 11, 1, 2), .shape = erase_shape,
     .run = erase_run,
     .samples = TWO "t = SequenceErase(s); n = SequenceLength(t); output n"},
    {SEQUENCE("SequenceAt", 11, 2, 2), .shape = at_shape, .run = at_run,
     .samples = TWO "weight i: int64[] = {1}; z = SequenceAt(s, i); output z"},
    {SEQUENCE("SequenceLength", 11, 1, 1), .shape = length_shape,
     .run = length_run, .samples = TWO "n = SequenceLength(s); output n"},
    {SEQUENCE("Optional", 15, 0, 1), .shape = optional_shape,
     .run = optional_run,
     .samples = "opset 18; input x: float32[2]; o = Optional(x); y = "
                "OptionalGetElement(o); output y"},
    {SEQUENCE("OptionalGetElement", 15, 1, 1), .shape = get_shape,
     .run = get_run,
     .samples = "opset 18; input x: float32[2]; o = Optional(x); y = "
                "OptionalGetElement(o); output y"},
    {SEQUENCE("OptionalHasElement", 15, 0, 1), .shape = has_shape,
     .run = has_run,
     .samples = "opset 18; input x: float32[2]; o = Optional(x); y = "
                "OptionalHasElement(o); output y"},
    {.name = NULL},
};
