/* loop.c: Loop.
 *
 * A body is a model of its own.  Its inputs get the types of what the layer
 * passes in (states.c), it is inferred, and its outputs give the layer's.  The
 * layer costs its body times the number of iterations, which is known when
 * the trip count is and no condition may end the loop before.  Source: ONNX
 * operator Loop-25. */
#include "../ops.h"

typedef struct loop_params {
    lp_model *body;
    int64_t trips; /* set by the shape hook; -1: not known */
    bool is_bound; /* the trips are an upper bound */
} loop_params;

static const lpi_spec loop_specs[] = {
    LPI_SPEC_NEEDED(loop_params, body, LPI_ATTR_BODY),
    {.name = NULL},
};

/* Number of iterations: input 0, an upper bound when a condition may end the
 * loop; else what the options say. */
static void count_trips(lpi_node *node, bool may_end)
{
    loop_params *params = (loop_params *)node->params;
    int64_t given = node->context->options->trips;
    lpi_list list;

    params->trips = given > 0 ? given : -1;
    params->is_bound = true;
    if (lpi_in_ints(node, 0, &list) && list.count == 1) {
        params->is_bound = may_end || node->is_bound;
        if (!may_end || given <= 0 || list.ints[0] < given)
            params->trips = list.ints[0] < 0 ? 0 : list.ints[0];
    }
    if (lpi_in_ints(node, 1, &list) && list.count == 1 && list.ints[0] == 0) {
        params->trips = 0;
        params->is_bound = false;
    }
    if (params->trips < 0)
        lpi_node_note(node, "the trip count is not known: counted once");
    else if (params->is_bound && params->trips > 0)
        lpi_node_note(node, "the loop may end before its trip count");
}

/* The number of the iteration and the condition, inputs 0 and 1 of the body.
 * The condition is known when the body passes on the one it gets. */
static void bind_counters(const lpi_node *node, lp_model *body)
{
    static const int64_t none[1] = {0};
    lp_tensor *number = body->inputs[0], *condition = body->inputs[1];
    const lp_tensor *given = lpi_in(node, 1);
    bool same = given != NULL && lpi_body_passes(body, 0, 1);

    number->dtype = LP_INT64;
    number->shape = (lp_shape){0, none};
    condition->dtype = LP_BOOL;
    condition->shape = (lp_shape){0, none};
    if (given != NULL && given->shape.rank >= 0)
        condition->shape = given->shape;
    condition->value = same ? given->value : NULL;
    condition->value_is_bound = same && given->value_is_bound;
}

/* Whether the body may set a condition that ends the loop: not when there is
 * none, when the condition passes through or when it is constant. */
static bool may_end(const lpi_node *node, lp_model *body)
{
    const lp_tensor *given = lpi_in(node, 1);
    lp_tensor *next = body->outputs[0];

    if (given == NULL)
        return false;
    if (given->value == NULL || given->value_is_bound)
        return true;
    if (lpi_body_passes(body, 0, 1))
        return false;
    if (next->value == NULL &&
        lpi_tensor_load(body, next, 1, node->error) != LP_OK)
        return true;
    return next->value == NULL || next->value_is_bound ||
           *(const uint8_t *)next->value == 0;
}

/* Output "i", a scan output: what the iterations give, one above the other. */
static lp_status out_stacked(lpi_node *node, int32_t i)
{
    const loop_params *params = node->params;
    const lp_tensor *from = params->body->outputs[i + 1];
    lp_tensor *to = lpi_out(node, i);
    lp_shape shape;

    LP_TRY(lpi_states_stack(node, from->shape, 0, params->trips, &shape));
    LP_TRY(lpi_out_body(node, i, from, shape));
    if (to != NULL) {
        to->is_bound = to->is_bound || params->is_bound;
        to->stored_bytes = lpi_tensor_bytes(to);
    }
    return LP_OK;
}

/* Output "i", a final state: the initial one when there is no iteration. */
static lp_status out_state(lpi_node *node, const lpi_states *states, int32_t i)
{
    const loop_params *params = node->params;

    if (params->trips == 0)
        return lpi_out_as(node, i, states->in + i);
    return lpi_states_out(node, states, i, states->body->outputs[i + 1]->shape);
}

/* A first inference finds what the condition is; when it shows that there is
 * a single iteration, a second one keeps the shapes of the first states. */
static lp_status loop_shape(lpi_node *node)
{
    loop_params *params = (loop_params *)node->params;
    lp_model *body = params->body;
    lpi_states states = {.body = body,
                         .count = node->layer->inputs_count - 2,
                         .in = 2,
                         .body_in = 2,
                         .body_out = 1};
    int32_t outputs = node->layer->outputs_count;
    lpi_list unused;

    LP_TRY(lpi_states_check(
        node, body, node->layer->inputs_count,
        1 + (outputs > states.count ? outputs : states.count)));
    (void)lpi_in_ints(node, 1, &unused);
    bind_counters(node, body);
    LP_TRY(lpi_states_infer(node, &states, -1));
    count_trips(node, may_end(node, body));
    if (params->trips == 1 && !params->is_bound)
        LP_TRY(lpi_states_infer(node, &states, 1));
    for (int32_t i = 0; i < outputs; i++)
        LP_TRY(i < states.count ? out_state(node, &states, i)
                                : out_stacked(node, i));
    return LP_OK;
}

static void loop_cost(const lpi_node *node, lp_cost *cost)
{
    const loop_params *params = node->params;

    lpi_body_cost(node, params->body, params->trips < 0 ? 1 : params->trips,
                  cost);
}

const lp_op lpi_ops_loop[] = {
    {.domain = "",
     .name = "Loop",
     .since = 1,
     .inputs_min = 2,
     .inputs_max = -1,
     .outputs_min = 1,
     .outputs_max = -1,
     .roles = "iid",
     .params_size = sizeof(loop_params),
     .specs = loop_specs,
     .shape = loop_shape,
     .cost = loop_cost,
     .flags = LPI_GAPS,
     .samples =
         "opset 17; input x: float32[2, 4]; weight m: int64[] = {7}; weight "
         "w: float32[4, 4]; y, s = Loop(m, _, x) {body: graph { input i: "
         "int64[]; input c: bool[]; input h: float32[2, 4]; d = Identity(c); "
         "n = MatMul(h, w); t = Tanh(n); output d; output n; output t }}; "
         "output y; output s\n---\n"
         "opset 17; input x: float32[2, 4]; input m: int64[]; weight c: "
         "bool[] = {1}; y = Loop(m, c, x) {body: graph { input i: int64[]; "
         "input k: bool[]; input h: float32[2, 4]; d = Identity(k); n = "
         "Relu(h); output d; output n }}; output y"},
    {.name = NULL},
};
