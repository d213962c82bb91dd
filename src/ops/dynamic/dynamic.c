/* dynamic.c: operators whose shapes depend on what their operands hold:
 * NonZero, NonMaxSuppression, TopK, Unique.
 *
 * Where the content is known the shape is exact; else it is the upper bound,
 * and marked as one.  A search over n elements is priced as n compares, a sort
 * as n compares for every doubling.  Sources: ONNX operators NonZero-13,
 * NonMaxSuppression-11, TopK-24, Unique-28. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../ops.h"

static const lpi_spec top_specs[] = {
    LPI_SPEC_INT(lpi_dynamic, axis, -1),
    LPI_SPEC_INT(lpi_dynamic, sorted, 1),
    LPI_SPEC_INT(lpi_dynamic, largest, 1),
    LPI_SPEC_INT(lpi_dynamic, k, -1),
    {.name = NULL},
};

static const lpi_spec unique_specs[] = {
    LPI_SPEC_INT(lpi_dynamic, axis, 0),
    LPI_SPEC_INT(lpi_dynamic, sorted, 1),
    {.name = NULL},
};

static const lpi_spec boxes_specs[] = {
    LPI_SPEC_INT(lpi_dynamic, center_point_box, 0),
    {.name = NULL},
};

/* Doublings that reach "count": the passes of a sort of as many. */
static int64_t doublings(int64_t count)
{
    int64_t passes = 0;

    for (int64_t reach = 1; reach < count && passes < 62; reach *= 2)
        passes++;
    return passes;
}

/* ---- NonZero ---------------------------------------------------------------
 */

/* Flags of the elements of input 0 that are not zero; NULL without memory. */
static bool *nonzero_flags(lpi_arena *arena, const lp_tensor *x,
                           const void *bytes)
{
    int64_t count = lpi_tensor_elements(x);
    lpi_class class = lpi_class_of(x->dtype);
    size_t size = lpi_class_size(class);
    char *values = lpi_arena_array(arena, count, size);
    bool *flags = LPI_NEW(arena, bool, count);

    if (values == NULL || flags == NULL)
        return NULL;
    lpi_unpack(x->dtype, bytes, 0, count, values);
    for (int64_t i = 0; i < count; i++) {
        const void *at = values + (size_t)i * size;

        if (class == LPI_F32)
            flags[i] = *(const float *)at != 0;
        else if (class == LPI_F64)
            flags[i] = *(const double *)at != 0;
        else
            flags[i] = *(const uint64_t *)at != 0;
    }
    return flags;
}

/* [rank, elements that are not zero]; a scalar has no axes. */
static lp_status nonzero_shape(lpi_node *node)
{
    const lp_tensor *x = lpi_in(node, 0);
    int64_t dims[2] = {x->shape.rank, lpi_tensor_elements(x)};
    const bool *flags;
    lpi_list unused;

    if (x->shape.rank < 0)
        return lpi_out_set_shape(node, 0, LP_INT64, lpi_shape_unknown);
    if (!lpi_in_ints(node, 0, &unused) || node->is_bound || x->is_bound) {
        node->is_bound = true;
        return lpi_out_set(node, 0, LP_INT64, 2, dims);
    }
    flags = nonzero_flags(node->context->scratch, x, x->value);
    if (flags == NULL)
        return lpi_node_fail_memory(node);
    for (int64_t i = dims[1] - 1; i >= 0; i--)
        dims[1] -= !flags[i];
    return lpi_out_set(node, 0, LP_INT64, 2, dims);
}

static void nonzero_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_CMP, lpi_in_elements(node, 0));
}

static lp_status nonzero_run(const lpi_run *run)
{
    const lp_tensor *x = lpi_in(run->node, 0);
    int64_t count = lpi_tensor_elements(x), found = 0;
    int64_t all = 0, *out = run->out[0];
    const bool *flags = nonzero_flags(run->scratch, x, run->in[0]);

    if (flags == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++)
        all += flags[i];
    if (run->out_dims != NULL && run->out_dims[0] != NULL) {
        run->out_dims[0][0] = x->shape.rank;
        run->out_dims[0][1] = all;
    }
    for (int64_t i = 0; i < count && found < all; i++) {
        int64_t rest = i;

        if (!flags[i])
            continue;
        for (int32_t axis = x->shape.rank - 1; axis >= 0; axis--) {
            out[axis * all + found] = rest % x->shape.dims[axis];
            rest /= x->shape.dims[axis];
        }
        found++;
    }
    return LP_OK;
}

/* ---- NonMaxSuppression ------------------------------------------------------
 */

/* Boxes kept of "boxes" for each batch and class: input 2, none without it. */
static int64_t most_kept(lpi_node *node, int64_t boxes)
{
    lpi_list most;

    if (lpi_in(node, 2) == NULL)
        return 0;
    if (!lpi_in_ints(node, 2, &most) || most.count < 1)
        return boxes;
    return most.ints[0] < 0 ? 0 : most.ints[0] < boxes ? most.ints[0] : boxes;
}

static lp_status suppress_shape(lpi_node *node)
{
    lp_shape boxes = lpi_in_shape(node, 0), scores = lpi_in_shape(node, 1);
    int64_t dims[2] = {-1, 3}, unused;

    if (boxes.rank >= 0 && scores.rank >= 0) {
        if (boxes.rank != 3 || scores.rank != 3)
            return lpi_node_fail(node, "boxes of rank %d, scores of rank %d",
                                 boxes.rank, scores.rank);
        LP_TRY(lpi_dim_same(node, "batch of boxes and scores", boxes.dims[0],
                            scores.dims[0], &unused));
        LP_TRY(lpi_dim_same(node, "boxes and scores", boxes.dims[1],
                            scores.dims[2], &unused));
        if (lpi_shape_known(scores))
            dims[0] = lpi_mul(lpi_mul(scores.dims[0], scores.dims[1]),
                              most_kept(node, scores.dims[2]));
    }
    node->is_bound = dims[0] != 0;
    return lpi_out_set(node, 0, LP_INT64, 2, dims);
}

/* Scores are sorted; each kept box is compared with all boxes of its class:
 * the corners of the intersection (4 cmp), its sides (2 sub, 2 cmp), areas and
 * union (mul, add sub), the quotient and the threshold. */
static void suppress_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each pair = {
        {[LP_CMP] = 7, [LP_ADD] = 4, [LP_MUL] = 1, [LP_DIV] = 1}};
    lp_shape scores = lpi_in_shape(node, 1), y = lpi_out_shape(node, 0);
    int64_t boxes = scores.dims[2];

    lpi_cost_each(cost, &pair, lpi_mul(y.dims[0], boxes));
    lpi_cost_arith(cost, LP_CMP,
                   lpi_mul(lpi_in_elements(node, 1), doublings(boxes)));
}

/* ---- TopK -------------------------------------------------------------------
 */

/* Before opset 10 the number is an attribute. */
static lp_status top_settle(lpi_node *node)
{
    const lpi_dynamic *params = node->params;

    if (lpi_node_attr(node, "k") != NULL && lpi_in(node, 1) == NULL)
        return lpi_node_add_ints(node, 1, &params->k, 1);
    return LP_OK;
}

static lp_status top_shape(lpi_node *node)
{
    const lpi_dynamic *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    bool was_bound = node->is_bound || lpi_in(node, 0)->is_bound;
    lpi_list k;
    int64_t axis, *dims;

    if (x.rank < 0) {
        LP_TRY(lpi_out_set_shape(node, 1, LP_INT64, lpi_shape_unknown));
        return lpi_out_as(node, 0, 0);
    }
    if (!lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    if (!lpi_in_ints(node, 1, &k) || k.count != 1) {
        node->is_bound = true;
    } else if (k.ints[0] < 0 || (dims[axis] >= 0 && k.ints[0] > dims[axis] &&
                                 !node->is_bound && !was_bound)) {
        return lpi_node_fail(node, "k is %lld of %lld", (long long)k.ints[0],
                             (long long)dims[axis]);
    } else if (dims[axis] < 0 || k.ints[0] < dims[axis]) {
        dims[axis] = k.ints[0];
    }
    LP_TRY(lpi_out_set(node, 1, LP_INT64, x.rank, dims));
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

/* A heap of k takes a compare for every doubling of k an element. */
static void top_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_dynamic *params = node->params;
    lp_shape y = lpi_out_shape(node, 0);
    int64_t axis = 0, k = 1;

    if (y.rank >= 0 && lpi_axis(params->axis, y.rank, &axis))
        k = y.dims[axis];
    lpi_cost_arith(cost, LP_CMP,
                   lpi_mul(lpi_in_elements(node, 0), doublings(k) + 1));
}

#define SIGN_BIT ((uint64_t)1 << 63)

/* An element of a row, and where it stood.  NaN counts as the largest. */
typedef struct ranked {
    double real;
    int64_t whole, at;
} ranked;

/* Largest first; equal ones in their order. */
static int compare(const void *a, const void *b)
{
    const ranked *left = a, *right = b;

    if (left->real != right->real)
        return left->real < right->real ? 1 : -1;
    if (left->whole != right->whole)
        return left->whole < right->whole ? 1 : -1;
    return left->at < right->at ? -1 : left->at > right->at;
}

/* Element "i" of "values" as a key; negated when the least come first. */
static ranked key_of(lpi_class class, const void *values, int64_t i,
                     bool is_largest)
{
    ranked key = {.real = 0};

    if (class == LPI_F32)
        key.real = (double)((const float *)values)[i];
    else if (class == LPI_F64)
        key.real = ((const double *)values)[i];
    else
        key.whole = ((const int64_t *)values)[i];
    if (!is_largest) {
        key.real = -key.real;
        key.whole = ~key.whole;
    }
    return key;
}

static lp_status top_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    const lpi_dynamic *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), y = lpi_out_shape(node, 0);
    lp_dtype type = lpi_in_dtype(node, 0);
    lpi_class class = lpi_class_of(type);
    size_t size = lpi_class_size(class);
    int64_t axis = 0, count = lpi_shape_elements(x), rows, inner;

    lpi_axis(params->axis, x.rank, &axis);
    inner = lpi_dims_product(x, axis + 1, x.rank);
    rows = lpi_mul(lpi_dims_product(x, 0, axis), inner);
    char *in = lpi_arena_array(run->scratch, count, size);
    char *out = lpi_arena_array(run->scratch, count, size);
    int64_t *at = LPI_NEW(run->scratch, int64_t, count);
    ranked *row = LPI_NEW(run->scratch, ranked, x.dims[axis]);

    if (in == NULL || out == NULL || at == NULL || row == NULL)
        return lpi_node_fail_memory(node);
    lpi_unpack(type, run->in[0], 0, count, in);
    for (int64_t r = 0; r < rows && count > 0; r++) {
        int64_t from = r / inner * x.dims[axis] * inner + r % inner;
        int64_t to = r / inner * y.dims[axis] * inner + r % inner;

        for (int64_t i = 0; i < x.dims[axis]; i++) {
            row[i] = key_of(class, in, from + i * inner, params->largest != 0);
            row[i].at = i;
        }
        qsort(row, (size_t)x.dims[axis], sizeof(*row), compare);
        for (int64_t i = 0; i < y.dims[axis]; i++, to += inner) {
            memcpy(out + (size_t)to * size,
                   in + (size_t)(from + row[i].at * inner) * size, size);
            at[to] = row[i].at;
        }
    }
    if (run->out[0] != NULL)
        lpi_pack(type, out, 0, lpi_shape_elements(y), run->out[0]);
    if (run->out[1] != NULL)
        lpi_pack(LP_INT64, at, 0, lpi_shape_elements(y), run->out[1]);
    return LP_OK;
}

/* ---- Unique -----------------------------------------------------------------
 */

static lp_status unique_settle(lpi_node *node)
{
    lpi_dynamic *params = (lpi_dynamic *)node->params;

    params->is_flat = lpi_node_attr(node, "axis") == NULL;
    return LP_OK;
}

/* At most all elements, or all slices along the axis, are unique; the inverse
 * has as many as there are. */
static lp_status unique_shape(lpi_node *node)
{
    const lpi_dynamic *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t count = -1, axis = 0;

    if (x.rank >= 0 && !params->is_flat &&
        !lpi_axis(params->axis, x.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    if (x.rank >= 0)
        count = params->is_flat ? lpi_shape_elements(x) : x.dims[axis];
    node->is_bound = count != 0;
    for (int32_t i = 1; i < 4; i++)
        LP_TRY(lpi_out_set(node, i, LP_INT64, 1, &count));
    if (!params->is_flat)
        return lpi_out_as(node, 0, 0);
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 1, &count);
}

static void unique_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t elements = lpi_in_elements(node, 0);

    lpi_cost_arith(cost, LP_CMP, lpi_mul(elements, doublings(elements) + 1));
}

#define DYNAMIC(name_, since_, least, most, specs_)                            \
    .domain = "", .name = name_, .since = since_, .inputs_min = least,         \
    .inputs_max = most, .params_size = sizeof(lpi_dynamic), .specs = specs_

const lp_op lpi_ops_dynamic[] = {
    {DYNAMIC("NonZero", 9, 1, 1, NULL), .outputs_min = 1, .outputs_max = 1,
     .shape = nonzero_shape, .cost = nonzero_cost, .run = nonzero_run,
     .samples = "opset 17; input x: float32[2, 3]; y = NonZero(x); output "
                "y\n---\n"
                "opset 17; weight x: int64[2, 2] = {1, 0, 0, 3}; y = "
                "NonZero(x); output y"},
    {DYNAMIC("NonMaxSuppression", 10, 2, 5, boxes_specs),
     .operands = "Tbs4,Tbcs,.!,.!,.!", .outputs_min = 1, .outputs_max = 1,
     .roles = "ddi", .shape = suppress_shape, .cost = suppress_cost,
     .run = lpi_suppress_run,
     .samples =
         "opset 17; input b: float32[1, 6, 4]; input s: float32[1, 2, 6]; "
         "weight m: int64[1] = {3}; y = NonMaxSuppression(b, s, m); output y"},
    {DYNAMIC("TopK", 1, 2, 2, top_specs), .operands = ".*,.!", .outputs_min = 1,
     .outputs_max = 2, .roles = "di", .settle = top_settle, .shape = top_shape,
     .cost = top_cost, .run = top_run, .flags = LPI_MONOTONE,
     .samples =
         "opset 17; input x: float32[3, 8]; weight k: int64[1] = {4}; v, i = "
         "TopK(x, k) {axis: 1}; output v; output i\n---\n"
         "opset 1; input x: float32[3, 8]; v, i = TopK(x) {k: 2, axis: 0}; "
         "output v; output i"},
    {DYNAMIC("Unique", 11, 1, 1, unique_specs), .outputs_min = 1,
     .outputs_max = 4, .settle = unique_settle, .shape = unique_shape,
     .cost = unique_cost, .run = lpi_unique_run,
     .samples =
         "opset 17; input x: float32[6]; y, i, v, c = Unique(x); output y; "
         "output v\n---\n"
         "opset 17; input x: float32[2, 3]; y = Unique(x) {axis: 1, sorted: "
         "0}; output y"},
    {.name = NULL},
};
