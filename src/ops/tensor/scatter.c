/* scatter.c: a copy with elements replaced at indices: ScatterElements (and
 * its old name Scatter), ScatterND, TensorScatter.
 *
 * Updates are applied in their row-major order, so that the last one of those
 * with the same index wins, and reductions have one stated order; each partial
 * result is rounded to the dtype.  Source: ONNX operators ScatterElements-18,
 * ScatterND-18, TensorScatter-24. */
#include <string.h>

#include "../ops.h"

enum reduction { NONE, ADD, MUL, MIN, MAX };

typedef struct scatter {
    int64_t axis;
    const char *reduction, *mode;
    enum reduction kind; /* set by settle */
    bool circular;
} scatter;

static const lpi_spec scatter_specs[] = {
    LPI_SPEC_INT(scatter, axis, 0),
    LPI_SPEC_STRING(scatter, reduction, "none"),
    {0},
};

static const lpi_spec cache_specs[] = {
    LPI_SPEC_INT(scatter, axis, -2),
    LPI_SPEC_STRING(scatter, mode, "linear"),
    {0},
};

static lp_status scatter_settle(lpi_node *node)
{
    static const char *const names[] = {
        [NONE] = "none", [ADD] = "add", [MUL] = "mul",
        [MIN] = "min",   [MAX] = "max",
    };
    scatter *p = (scatter *)node->params;
    int32_t i;

    for (i = 0; i < LPI_COUNT(names); i++)
        if (!strcmp(p->reduction, names[i])) {
            p->kind = (enum reduction)i;
            return LP_OK;
        }
    return lpi_node_fail(node, "reduction is '%.40s'", p->reduction);
}

/* What a reduction costs for each update. */
static void scatter_cost(const lpi_node *node, lp_cost *cost)
{
    static const lp_arith kinds[] = {
        [ADD] = LP_ADD, [MUL] = LP_MUL, [MIN] = LP_CMP, [MAX] = LP_CMP};
    enum reduction kind = ((const scatter *)node->params)->kind;

    if (kind != NONE)
        lpi_cost_arith(cost, kinds[kind], lpi_in_elements(node, 2));
}

static double combine_real(enum reduction kind, double a, double b)
{
    switch (kind) {
    case ADD:
        return a + b;
    case MUL:
        return a * b;
    case MIN:
        return a != a || a < b ? a : b;
    case MAX:
        return a != a || a > b ? a : b;
    default:
        return b;
    }
}

/* The same of integers, as their bits; "less" tells whether a < b. */
static uint64_t combine_bits(enum reduction kind, uint64_t a, uint64_t b,
                             bool less)
{
    switch (kind) {
    case ADD:
        return a + b;
    case MUL:
        return a * b;
    case MIN:
        return less ? a : b;
    case MAX:
        return less ? b : a;
    default:
        return b;
    }
}

/* Reduce element "to_at" of output 0 by element "from_at" of the updates. */
static void combine_one(const lpi_run *run, int64_t to_at, int64_t from_at)
{
    enum reduction kind = ((const scatter *)run->node->params)->kind;
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lpi_class class = lpi_class_of(dtype);
    uint64_t raw[2] = {0, 0};
    double real[2];
    bool less;

    lpi_unpack(dtype, run->out[0], to_at, 1, &raw[0]);
    lpi_unpack(dtype, run->in[2], from_at, 1, &raw[1]);
    if (class == LPI_F32 || class == LPI_F64) {
        lpi_convert(class, &raw[0], LPI_F64, &real[0], 1);
        lpi_convert(class, &raw[1], LPI_F64, &real[1], 1);
        real[0] = combine_real(kind, real[0], real[1]);
        lpi_convert(LPI_F64, real, class, raw, 1);
    } else {
        less = class == LPI_U64 ? raw[0] < raw[1]
                                : (int64_t)raw[0] < (int64_t)raw[1];
        raw[0] = combine_bits(kind, raw[0], raw[1], less);
    }
    lpi_pack(dtype, raw, to_at, 1, run->out[0]);
}

/* Apply "count" neighbouring elements. */
static void combine(const lpi_run *run, int64_t count, int64_t to_at,
                    int64_t from_at)
{
    int64_t i;

    if (((const scatter *)run->node->params)->kind == NONE)
        lpi_run_copy(run, 2, to_at, from_at, count);
    else
        for (i = 0; i < count; i++)
            combine_one(run, to_at + i, from_at + i);
}

/* Reductions compute; only numbers can be. */
static lp_status check_class(const lpi_run *run)
{
    lp_dtype dtype = lpi_in_dtype(run->node, 0);

    if (((const scatter *)run->node->params)->kind != NONE &&
        lpi_class_of(dtype) == LPI_NO_CLASS)
        return lpi_run_refuse(run, dtype);
    return LP_OK;
}

/* ---- ScatterElements ---------------------------------------------------- */

static lp_status elements_shape(lpi_node *node)
{
    lp_shape data = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    lp_shape updates = lpi_in_shape(node, 2);
    int64_t axis = ((const scatter *)node->params)->axis, found = 0, ignored;
    int32_t i;

    if (data.rank >= 0 && !lpi_axis(axis, data.rank, &found))
        return lpi_node_fail(node, "axis %lld of a tensor of rank %d",
                             (long long)axis, data.rank);
    if (data.rank >= 0 && indices.rank >= 0 && updates.rank >= 0) {
        if (indices.rank != data.rank || updates.rank != data.rank)
            return lpi_node_fail(node, "ranks %d, %d and %d differ", data.rank,
                                 indices.rank, updates.rank);
        for (i = 0; i < data.rank; i++)
            LP_TRY(lpi_dim_same(node, "indices and updates", indices.dims[i],
                                updates.dims[i], &ignored));
        LP_TRY(lpi_indices_fit(node, data, indices, found));
    }
    return lpi_shape_as_first(node);
}

static void scatter_one(const lpi_run *run, int64_t in_data, int64_t at)
{
    combine(run, 1, in_data, at);
}

static lp_status elements_run(const lpi_run *run)
{
    int64_t axis = 0;

    LP_TRY(check_class(run));
    LP_TRY(lpi_run_view(run));
    lpi_axis(((const scatter *)run->node->params)->axis,
             lpi_in_shape(run->node, 0).rank, &axis);
    return lpi_run_elements(run, axis, scatter_one);
}

/* ---- ScatterND ---------------------------------------------------------- */

/* Axes of one index. */
static int64_t depth_of(lp_shape indices)
{
    return indices.rank > 0 ? indices.dims[indices.rank - 1] : -1;
}

static lp_status nd_shape(lpi_node *node)
{
    lp_shape data = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    int64_t depth = depth_of(indices), wanted, given;

    if (indices.rank == 0 || (data.rank >= 0 && depth > data.rank))
        return lpi_node_fail(node, "indices of %lld axes into %d",
                             (long long)depth, data.rank);
    if (data.rank >= 0 && depth >= 0 && !lpi_in_bound(node)) {
        wanted = lpi_dim_mul(lpi_dims_product(indices, 0, indices.rank - 1),
                             lpi_dims_product(data, depth, data.rank));
        given = lpi_shape_elements(lpi_in_shape(node, 2));
        LP_TRY(lpi_dim_same(node, "elements of the updates", given, wanted,
                            &wanted));
    }
    return lpi_shape_as_first(node);
}

static lp_status nd_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape data = lpi_in_shape(node, 0), shape = lpi_in_shape(node, 1);
    int64_t depth = depth_of(shape), index, i, k;
    int64_t count = lpi_dims_product(shape, 0, shape.rank - 1);
    int64_t inner = lpi_dims_product(data, depth, data.rank);
    lpi_list indices;

    LP_TRY(check_class(run));
    LP_TRY(lpi_run_ints(run, 1, &indices));
    LP_TRY(lpi_run_view(run));
    for (i = 0; i < count && inner > 0; i++) {
        int64_t at = 0;

        for (k = 0; k < depth; k++) {
            LP_TRY(lpi_index(node, indices.ints[i * depth + k], data.dims[k],
                             &index));
            at = at * data.dims[k] + index;
        }
        combine(run, inner, at * inner, i * inner);
    }
    return LP_OK;
}

/* ---- TensorScatter ------------------------------------------------------ */

static lp_status cache_settle(lpi_node *node)
{
    scatter *p = (scatter *)node->params;

    p->circular = strcmp(p->mode, "circular") == 0;
    if (!p->circular && strcmp(p->mode, "linear") != 0)
        return lpi_node_fail(node, "mode is '%.40s'", p->mode);
    return LP_OK;
}

static lp_status cache_shape(lpi_node *node)
{
    lp_shape cache = lpi_in_shape(node, 0), update = lpi_in_shape(node, 1);
    int64_t axis = ((const scatter *)node->params)->axis, found = 0, ignored;
    int32_t i;

    if (cache.rank < 0 || update.rank < 0)
        return lpi_shape_as_first(node);
    if (!lpi_axis(axis, cache.rank, &found) || found == 0 ||
        update.rank != cache.rank)
        return lpi_node_fail(node, "axis %lld of tensors of rank %d and %d",
                             (long long)axis, cache.rank, update.rank);
    for (i = 0; i < cache.rank; i++)
        if (i != found)
            LP_TRY(lpi_dim_same(node, "cache and update", cache.dims[i],
                                update.dims[i], &ignored));
    return lpi_shape_as_first(node);
}

/* Position in an axis of "length" of element "k" of an update that begins at
 * "start". */
static lp_status cache_position(const lpi_node *node, int64_t start, int64_t k,
                                int64_t length, int64_t *ret_at)
{
    if (start < 0 || start > INT64_MAX / 2)
        return lpi_node_fail(node, "writes at %lld", (long long)start);
    if (((const scatter *)node->params)->circular && length > 0) {
        *ret_at = (start + k) % length;
        return LP_OK;
    }
    return lpi_index(node, start + k, length, ret_at);
}

static lp_status cache_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape cache = lpi_in_shape(node, 0), update = lpi_in_shape(node, 1);
    int64_t axis = 0, outer, inner, per_batch, at, o, k;
    lpi_list starts = {0};

    LP_TRY(lpi_run_view(run));
    if (lpi_in(node, 2))
        LP_TRY(lpi_run_ints(run, 2, &starts));
    lpi_axis(((const scatter *)node->params)->axis, cache.rank, &axis);
    outer = lpi_dims_product(cache, 0, axis);
    inner = lpi_dims_product(cache, axis + 1, cache.rank);
    per_batch = lpi_dims_product(cache, 1, axis);
    for (o = 0; o < outer && inner > 0; o++) {
        int64_t batch = o / per_batch;
        int64_t start = batch < starts.count ? starts.ints[batch] : 0;

        for (k = 0; k < update.dims[axis]; k++) {
            LP_TRY(cache_position(node, start, k, cache.dims[axis], &at));
            lpi_run_copy(run, 1, (o * cache.dims[axis] + at) * inner,
                         (o * update.dims[axis] + k) * inner, inner);
        }
    }
    return LP_OK;
}

/* What all rows have. */
#define ROW(op, opset, least, list)                                            \
    .domain = "", .name = op, .since = (opset), .inputs_min = (least),         \
    .inputs_max = 3, .outputs_min = 1, .outputs_max = 1,                       \
    .params_size = sizeof(scatter), .specs = (list)

#define ELEMENTS(op, opset)                                                    \
    ROW(op, opset, 3, scatter_specs),                                          \
        .roles = "did", .settle = scatter_settle, .shape = elements_shape,     \
        .cost = scatter_cost, .run = elements_run,                             \
        .samples = "opset 10; input x: float32[3, 3]; weight i: int64[1, 2] "  \
                   "= {1, 0}; input u: float32[1, 2]; "                        \
                   "y = " op "(x, i, u) {axis: 1}; output y"

const lp_op lpi_ops_scatter[] = {
    {ELEMENTS("Scatter", 9), .operands = "T*,I*,T*"},
    {ELEMENTS("ScatterElements", 9), .operands = "T*,I*,T*"},
    {ROW("ScatterND", 11, 3, scatter_specs), .operands = "T*,I*,T*",
     .roles = "did", .settle = scatter_settle, .shape = nd_shape,
     .cost = scatter_cost, .run = nd_run,
     .samples = "input x: float32[4, 3]; weight i: int64[2, 1] = {1, -1}; "
                "input u: float32[2, 3]; "
                "y = ScatterND(x, i, u) {reduction: \"add\"}; output y"},
    {ROW("TensorScatter", 24, 2, cache_specs), .operands = "T*,T*,I?",
     .roles = "ddi", .settle = cache_settle, .shape = cache_shape,
     .run = cache_run,
     .samples = "input x: float32[1, 4, 3]; input u: float32[1, 2, 3]; "
                "weight i: int64[1] = {3}; y = TensorScatter(x, u, i) "
                "{mode: \"circular\"}; output y"},
    {0},
};
