/* pad.c: Pad.
 *
 * For every axis a list says which element of the input each position takes,
 * -1 for the constant; the output is then written row by row.  Source: ONNX
 * operator Pad-25; Pad-1 and 2 have pads and value as attributes, axes come
 * with Pad-18, the mode wrap with Pad-19. */
#include <string.h>

#include "../ops.h"

enum mode { CONSTANT, REFLECT, EDGE, WRAP };

typedef struct pad {
    const char *mode;
    enum mode kind; /* set by settle */
} pad;

static const lpi_spec pad_specs[] = {
    LPI_SPEC_STRING(pad, mode, "constant"),
    {0},
};

static lp_status pad_settle(lpi_node *node)
{
    static const char *const modes[] = {
        [CONSTANT] = "constant",
        [REFLECT] = "reflect",
        [EDGE] = "edge",
        [WRAP] = "wrap",
    };
    pad *p = (pad *)node->params;
    const lpi_attr *value = lpi_node_attr(node, "value");
    int32_t i;

    for (i = 0; i < LPI_COUNT(modes) && strcmp(p->mode, modes[i]); i++)
        ;
    if (i == LPI_COUNT(modes))
        return lpi_node_fail(node, "mode is '%.40s'", p->mode);
    p->kind = (enum mode)i;
    if (node->layer->version >= 11)
        return LP_OK;
    LP_TRY(lpi_node_take_ints(node, 1,
                              node->layer->version < 2 ? "paddings" : "pads"));
    if (value && value->kind == LPI_ATTR_FLOAT && !lpi_in(node, 2))
        return lpi_node_add_floats(node, 2, &value->f, 1);
    return LP_OK;
}

/* Elements to add before ("pads"[i]) and behind ("pads"[rank + i]) each axis,
 * from the numbers and the axes (NULL: all of them) given. */
static lp_status spread_pads(const lpi_node *node, const lpi_list *given,
                             const lpi_list *axes, int32_t rank, int64_t *pads)
{
    int64_t count = axes ? axes->count : rank, i, axis;

    if (given->count != 2 * count)
        return lpi_node_fail(node, "has %lld pads for %lld axes",
                             (long long)given->count, (long long)count);
    for (i = 0; i < count; i++) {
        if (!lpi_axis(axes ? axes->ints[i] : i, rank, &axis))
            return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                                 (long long)axes->ints[i], rank);
        pads[axis] = given->ints[i];
        pads[rank + axis] = given->ints[count + i];
        if (pads[axis] < -INT32_MAX || pads[axis] > INT64_MAX / 4 ||
            pads[rank + axis] < -INT32_MAX || pads[rank + axis] > INT64_MAX / 4)
            return lpi_node_fail(node, "pads axis %lld by %lld and %lld",
                                 (long long)axis, (long long)pads[axis],
                                 (long long)pads[rank + axis]);
    }
    return LP_OK;
}

static lp_status pad_shape(lpi_node *node)
{
    lp_shape in = lpi_in_shape(node, 0);
    lpi_list given, axes;
    int64_t *dims;
    int32_t i;

    if (in.rank < 0)
        return lpi_shape_as_first(node);
    dims = lpi_node_dims(node, 3 * (int64_t)in.rank);
    if (!dims)
        return lpi_node_fail_memory(node);
    if (!lpi_in_ints(node, 1, &given) ||
        (lpi_in(node, 3) && !lpi_in_ints(node, 3, &axes))) {
        for (i = 0; i < in.rank; i++)
            dims[i] = -1;
        return lpi_out_set(node, 0, lpi_in_dtype(node, 0), in.rank, dims);
    }
    LP_TRY(spread_pads(node, &given, lpi_in(node, 3) ? &axes : NULL, in.rank,
                       dims + in.rank));
    for (i = 0; i < in.rank; i++) {
        int64_t more = dims[in.rank + i] + dims[2 * in.rank + i];

        dims[i] = in.dims[i] < 0 ? -1 : lpi_add(in.dims[i], more);
        if (in.dims[i] >= 0 && dims[i] < 0)
            return lpi_node_fail(node, "axis %d would have %lld elements", i,
                                 (long long)dims[i]);
        if (((const pad *)node->params)->kind != CONSTANT && in.dims[i] == 0 &&
            dims[i] > 0)
            return lpi_node_fail(node, "axis %d has no elements to repeat", i);
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), in.rank, dims);
}

/* Cropping reads less than all. */
static void pad_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_part(node, cost, 0, lpi_out_elements(node, 0));
}

/* Element of an axis of "length" for position "at", which may lie outside. */
static int64_t source_of(enum mode kind, int64_t length, int64_t at)
{
    int64_t period = kind == REFLECT ? 2 * (length - 1) : length;

    if (at >= 0 && at < length)
        return at;
    if (kind == CONSTANT)
        return -1;
    if (kind == EDGE || length == 1)
        return at < 0 ? 0 : length - 1;
    at %= period;
    at += at < 0 ? period : 0;
    return at < length ? at : period - at;
}

/* The lists of all axes, one after the other. */
static int64_t *make_maps(const lpi_run *run, const int64_t *pads)
{
    lp_shape in = lpi_in_shape(run->node, 0), out = lpi_out_shape(run->node, 0);
    enum mode kind = ((const pad *)run->node->params)->kind;
    int64_t total = 0, *maps, *map, i;
    int32_t axis;

    for (axis = 0; axis < out.rank; axis++)
        total = lpi_add(total, out.dims[axis]);
    maps = map = LPI_NEW(run->scratch, int64_t, total);
    for (axis = 0; axis < out.rank && maps; axis++)
        for (i = 0; i < out.dims[axis]; i++)
            *map++ = source_of(kind, in.dims[axis], i - pads[axis]);
    return maps;
}

/* Write the row of the output that starts at "at": from the row of the input
 * at "from" by "map", or of constants alone when "from" is -1. */
static void write_row(const lpi_run *run, int64_t at, int64_t from,
                      const int64_t *map, const void *constant)
{
    int32_t bits = lp_dtype_bits(lpi_in_dtype(run->node, 0));
    lp_shape out = lpi_out_shape(run->node, 0);
    int64_t length = out.rank ? out.dims[out.rank - 1] : 1, i, run_length;

    for (i = 0; i < length; i += run_length) {
        bool inside = from >= 0 && (!map || map[i] >= 0);

        run_length = 1;
        while (inside && map && i + run_length < length &&
               map[i + run_length] == map[i] + run_length)
            run_length++;
        if (inside)
            lpi_run_copy(run, 0, at + i, from + (map ? map[i] : 0), run_length);
        else
            lpi_copy_run(bits, 1, (lpi_place){run->out[0], at + i, NULL},
                         (lpi_place){(void *)constant, 0, NULL});
    }
}

/* The element to pad with, as the dtype of the output. */
static void make_constant(const lpi_run *run, void *to)
{
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lp_dtype given = lpi_in_dtype(run->node, 2);
    uint64_t raw, value;

    if (!lpi_in_elements(run->node, 2))
        return;
    if (given == dtype) {
        lpi_copy_run(lp_dtype_bits(dtype), 1, (lpi_place){to, 0, NULL},
                     (lpi_place){(void *)run->in[2], 0, NULL});
    } else {
        lpi_unpack(given, run->in[2], 0, 1, &raw);
        lpi_convert(lpi_class_of(given), &raw, lpi_class_of(dtype), &value, 1);
        lpi_pack(dtype, &value, 0, 1, to);
    }
}

/* Walk over the rows of the output, "index" their position on all axes but the
 * last. */
static void write_rows(const lpi_run *run, const int64_t *maps,
                       const int64_t *strides, int64_t *index,
                       const void *constant)
{
    lp_shape out = lpi_out_shape(run->node, 0);
    int64_t row = out.rank ? out.dims[out.rank - 1] : 1;
    int64_t count = lpi_out_elements(run->node, 0), at;
    int32_t axis;

    for (at = 0; at < count; at += row) {
        const int64_t *map = maps;
        int64_t from = 0;

        for (axis = 0; axis < out.rank - 1; axis++) {
            int64_t source = map[index[axis]];

            from = from < 0 || source < 0 ? -1 : from + source * strides[axis];
            map += out.dims[axis];
        }
        write_row(run, at, from, out.rank ? map : NULL, constant);
        for (axis = out.rank - 2; axis >= 0; axis--) {
            if (++index[axis] < out.dims[axis])
                break;
            index[axis] = 0;
        }
    }
}

static lp_status pad_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape in = lpi_in_shape(node, 0);
    int64_t *pads = LPI_NEW(run->scratch, int64_t, 2 * (int64_t)in.rank);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, in.rank);
    int64_t *index = LPI_NEW(run->scratch, int64_t, in.rank);
    uint64_t constant[2] = {0};
    lpi_list given, axes;
    int64_t *maps;

    if (!pads || !strides || !index)
        return lpi_node_fail_memory(node);
    LP_TRY(lpi_run_ints(run, 1, &given));
    if (lpi_in(node, 3))
        LP_TRY(lpi_run_ints(run, 3, &axes));
    LP_TRY(spread_pads(node, &given, lpi_in(node, 3) ? &axes : NULL, in.rank,
                       pads));
    maps = make_maps(run, pads);
    if (!maps)
        return lpi_node_fail_memory(node);
    lpi_strides(in.rank, in.dims, strides);
    make_constant(run, constant);
    write_rows(run, maps, strides, index, constant);
    return LP_OK;
}

const lp_op lpi_ops_pad[] = {
    {.domain = "",
     .name = "Pad",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = 4,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "didi",
     .params_size = sizeof(pad),
     .specs = pad_specs,
     .settle = pad_settle,
     .shape = pad_shape,
     .cost = pad_cost,
     .run = pad_run,
     .samples = "input x: float32[2, 3]; weight p: int64[4] = {0, 1, 1, 2}; "
                "weight v: float32[] = {0.5}; y = Pad(x, p, v); output y\n---\n"
                "input x: float32[2, 3]; weight p: int64[2] = {2, -1}; "
                "weight a: int64[1] = {-1}; y = Pad(x, p, _, a) "
                "{mode: \"reflect\"}; output y\n---\n"
                "opset 2; input x: float32[2, 3]; "
                "y = Pad(x) {pads: [0, 1, 0, 1], value: 1.5}; output y\n---\n"
                "opset 1; input x: float32[2, 3]; "
                "y = Pad(x) {paddings: [0, 1, 0, 1]}; output y"},
    {0},
};
