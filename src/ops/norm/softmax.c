/* softmax.c: Softmax, LogSoftmax, Hardmax.
 *
 * Before opset 13 all axes from "axis" on are taken as one, and the default is
 * 1; from 13 on a single axis is meant, and the default is the last.  Shapes
 * and counts are the same in both.  An element costs a compare (maximum), a
 * subtract, an exponential, an add (sum) and a division; LogSoftmax subtracts
 * instead of dividing, with one logarithm a group.  Sources: ONNX operators
 * Softmax-11 and Softmax-13. */
#include <math.h>

#include "../ops.h"

typedef struct softmax_params {
    int64_t axis;
    bool flattens; /* the axes from "axis" on are one */
} softmax_params;

typedef struct softmax_facts {
    lpi_each element, group;
} softmax_facts;

static const softmax_facts soft_facts = {
    .element = {{[LP_CMP] = 1, [LP_ADD] = 2, [LP_EXP] = 1, [LP_DIV] = 1}}};
static const softmax_facts log_facts = {
    .element = {{[LP_CMP] = 1, [LP_ADD] = 3, [LP_EXP] = 1}},
    .group = {{[LP_LOG] = 1}}};
static const softmax_facts hard_facts = {.element = {{[LP_CMP] = 2}}};

static const lpi_spec softmax_specs[] = {
    LPI_SPEC_INT(softmax_params, axis, -1),
    {.name = NULL},
};

static lp_status softmax_settle(lpi_node *node)
{
    softmax_params *params = (softmax_params *)node->params;

    params->flattens = node->layer->version > 0 && node->layer->version < 13;
    if (params->flattens && lpi_node_attr(node, "axis") == NULL)
        params->axis = 1;
    return LP_OK;
}

/* A flattening axis may stand behind the last one: the groups have one element
 * each. */
static bool group_axis(const lpi_node *node, int64_t *ret_axis)
{
    const softmax_params *params = node->params;
    int32_t rank = lpi_in_shape(node, 0).rank;

    if (params->flattens && params->axis == rank) {
        *ret_axis = rank;
        return true;
    }
    return lpi_axis(params->axis, rank, ret_axis);
}

static lp_status softmax_shape(lpi_node *node)
{
    const softmax_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis;

    if (x.rank > 0 && !group_axis(node, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)params->axis, x.rank);
    return lpi_shape_as_first(node);
}

static void softmax_cost(const lpi_node *node, lp_cost *cost)
{
    const softmax_params *params = node->params;
    const softmax_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis = 0, groups = 1;

    if (x.rank > 0 && group_axis(node, &axis)) {
        groups = lpi_dims_product(x, 0, axis);
        if (!params->flattens)
            groups = lpi_mul(groups, lpi_dims_product(x, axis + 1, x.rank));
    }
    lpi_cost_each(cost, &facts->element, lpi_in_elements(node, 0));
    lpi_cost_each(cost, &facts->group, groups);
}

/* The groups as the middle axis of outer x count x inner. */
static void groups_of(const lpi_node *node, lpi_softmax *ret)
{
    const softmax_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis = 0, until;

    if (x.rank > 0)
        group_axis(node, &axis);
    until = params->flattens || x.rank == 0 ? x.rank : axis + 1;
    ret->outer = lpi_dims_product(x, 0, axis);
    ret->count = lpi_dims_product(x, axis, until);
    ret->inner = lpi_dims_product(x, until, x.rank);
}

/* One where the first largest element of a group stands, else zero. */
static void harden(const lpi_softmax *s)
{
    for (int64_t i = 0; i < s->outer * s->inner; i++) {
        int64_t at = i / s->inner * s->count * s->inner + i % s->inner;
        int64_t best = 0;

        for (int64_t k = 1; k < s->count; k++)
            if (s->from[at + k * s->inner] > s->from[at + best * s->inner])
                best = k;
        for (int64_t k = 0; k < s->count; k++)
            s->to[at + k * s->inner] = k == best;
    }
}

/* The same in double, for float64. */
static lp_status softmax_reals(const lpi_run *run, const lpi_softmax *s,
                               bool is_hard)
{
    const double *from;
    double *to;

    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < s->outer * s->inner && s->count > 0; i++) {
        int64_t at = i / s->inner * s->count * s->inner + i % s->inner;
        const double *x = from + at;
        int64_t best = 0;
        double sum = 0;

        for (int64_t k = 1; k < s->count; k++)
            if (x[k * s->inner] > x[best * s->inner])
                best = k;
        for (int64_t k = 0; k < s->count; k++)
            sum += exp(x[k * s->inner] - x[best * s->inner]);
        for (int64_t k = 0; k < s->count; k++) {
            double shifted = x[k * s->inner] - x[best * s->inner];

            to[at + k * s->inner] = is_hard  ? k == best
                                    : s->log ? shifted - log(sum)
                                             : exp(shifted) / sum;
        }
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

static lp_status softmax_run(const lpi_run *run)
{
    const softmax_facts *facts = run->node->layer->row->facts;
    lpi_team team = lpi_run_team(run);
    lpi_softmax s = {.log = facts == &log_facts};

    groups_of(run->node, &s);
    if (!lpi_is_single(lpi_in_dtype(run->node, 0)))
        return softmax_reals(run, &s, facts == &hard_facts);
    LP_TRY(lpi_run_floats(run, 0, &s.from));
    LP_TRY(lpi_run_result(run, 0, &s.to));
    if (facts == &hard_facts)
        harden(&s);
    else
        lpi_softmax_run(&team, &s);
    lpi_run_store(run, 0, s.to);
    return LP_OK;
}

static lp_status softmax_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params)
{
    const softmax_params *p = node->params;
    int64_t axis = 0;

    if (out->rank > 0 && group_axis(node, &axis))
        LP_TRY(
            lpi_box_keep(node, out, axis, p->flattens ? out->rank : axis + 1));
    (void)params;
    in[0] = *out;
    return LP_OK;
}

#define SOFTMAX(name_, facts_)                                                 \
    .name = name_, .domain = "", .since = 1, .inputs_min = 1, .inputs_max = 1, \
    .outputs_min = 1, .outputs_max = 1, .params_size = sizeof(softmax_params), \
    .specs = softmax_specs, .facts = facts_, .settle = softmax_settle,         \
    .shape = softmax_shape, .cost = softmax_cost, .run = softmax_run,          \
    .tile = softmax_tile, .flags = LPI_IN_PLACE

const lp_op lpi_ops_softmax[] = {
    {SOFTMAX("Softmax", &soft_facts),
     .samples = "opset 17; input x: float32[2, 3, 4]; y = Softmax(x); output "
                "y\n---\n"
                "opset 11; input x: float32[2, 3, 4]; y = Softmax(x); output "
                "y"},
    {SOFTMAX("LogSoftmax", &log_facts),
     .samples = "opset 17; input x: float32[2, 3, 4]; y = LogSoftmax(x) "
                "{axis: 1}; output y"},
    {SOFTMAX("Hardmax", &hard_facts),
     .samples = "opset 11; input x: float32[2, 3, 4]; y = Hardmax(x) {axis: "
                "2}; output y"},
    {.name = NULL},
};
