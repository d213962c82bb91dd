/* scan.c: Scan.
 *
 * Iteration t sees slice t of every scan input; what it gives is stacked into
 * the scan outputs.  The number of iterations is the common extent of the scan
 * inputs.  Scan-8 has an operand of lengths first and a batch in front of all
 * operands: it is a Scan over the batch whose body is the Scan of today.
 * Sources: ONNX operators Scan-25 and Scan-8. */
#include "../ops.h"

typedef struct scan_params {
    lp_model *body;
    lpi_list scan_input_axes, scan_output_axes;
    int64_t num_scan_inputs;
    lpi_list directions; /* Scan-8 */
    int64_t trips;       /* set by the shape hook; -1: not known */
} scan_params;

static const lpi_spec scan_specs[] = {
    LPI_SPEC_NEEDED(scan_params, body, LPI_ATTR_BODY),
    LPI_SPEC_NEEDED(scan_params, num_scan_inputs, LPI_ATTR_INT),
    LPI_SPEC_LIST(scan_params, scan_input_axes, LPI_ATTR_INTS),
    LPI_SPEC_LIST(scan_params, scan_output_axes, LPI_ATTR_INTS),
    LPI_SPEC_LIST(scan_params, directions, LPI_ATTR_INTS),
    {.name = NULL},
};

/* "count" names of the form "x7", parted by spaces, from number "first" on. */
static void put_names(lpi_text *text, const char *stem, int32_t first,
                      int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        lpi_text_printf(text, "%s%s%d", i > 0 ? " " : "", stem, first + i);
}

/* The definition of Scan-8: operands 1 and on, and all results, are scanned
 * over the batch. */
static lp_status define_batch(lpi_node *node, lpi_text *in, lpi_text *inner,
                              lpi_text *out)
{
    const scan_params *params = node->params;
    lpi_define d = lpi_define_begin(node), each = lpi_define_body(&d);
    int32_t operands = node->layer->inputs_count - 1;

    put_names(in, "", 1, operands);
    put_names(inner, "x", 1, operands);
    put_names(out, "y", 0, node->layer->outputs_count);
    if (in->failed || inner->failed || out->failed)
        return lpi_node_fail_memory(node);
    for (int32_t i = 1; i <= operands; i++) {
        char name[16];

        snprintf(name, sizeof(name), "x%d", i);
        lpi_define_input(&each, name);
    }
    lp_model *body = lpi_define_adopt(&each, params->body, "");
    lpi_define_layer(
        &each, "Scan", inner->bytes, out->bytes,
        LPI_ATTRS(LPI_GIVE_INT("num_scan_inputs", params->num_scan_inputs),
                  LPI_GIVE_BODY("body", body),
                  LPI_GIVE_INTS("scan_input_directions", params->directions)));
    lpi_define_outputs(&each, out->bytes);
    LP_TRY(each.status);
    lpi_define_layer(&d, "Scan", in->bytes, out->bytes,
                     LPI_ATTRS(LPI_GIVE_INT("num_scan_inputs", operands),
                               LPI_GIVE_BODY("body", each.body)));
    return lpi_define_end(&d, out->bytes);
}

static lp_status scan_settle(lpi_node *node)
{
    const scan_params *params = node->params;
    int32_t lengths = node->layer->version == 8 ? 1 : 0;
    lpi_text in = {0}, inner = {0}, out = {0};
    lp_status status;

    if (params->num_scan_inputs < 1 ||
        params->num_scan_inputs > node->layer->inputs_count - lengths)
        return lpi_node_fail(node, "num_scan_inputs is %lld",
                             (long long)params->num_scan_inputs);
    if (lengths == 0)
        return LP_OK;
    if (lpi_in(node, 0) != NULL)
        return lpi_node_fail(node, "lengths that differ (sequence_lens) are "
                                   "not supported");
    status = define_batch(node, &in, &inner, &out);
    lpi_text_drop(&in);
    lpi_text_drop(&inner);
    lpi_text_drop(&out);
    return status;
}

static int64_t axis_of(const lpi_list *axes, int64_t i)
{
    return axes->count > i ? axes->ints[i] : 0;
}

/* "shape" without the dimension at "axis", which goes to "*ret_extent". */
static lp_status sliced(const lpi_node *node, lp_shape shape, int64_t axis,
                        lp_shape *ret_shape, int64_t *ret_extent)
{
    int64_t *dims;

    *ret_shape = lpi_shape_unknown;
    *ret_extent = -1;
    if (shape.rank < 0)
        return LP_OK;
    if (!lpi_axis(axis, shape.rank, &axis))
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)axis, shape.rank);
    dims = lpi_node_dims(node, shape.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < shape.rank; i++)
        if (i != axis)
            dims[i < axis ? i : i - 1] = shape.dims[i];
    *ret_extent = shape.dims[axis];
    *ret_shape = (lp_shape){shape.rank - 1, dims};
    return LP_OK;
}

/* Bind the slices of scan input "i" of the layer to input "at" of the body,
 * and check its number of slices against the others'. */
static lp_status bind_slices(lpi_node *node, int32_t i, int32_t at,
                             int64_t axis)
{
    scan_params *params = (scan_params *)node->params;
    const lp_tensor *from = lpi_in(node, i);
    lp_tensor *to = params->body->inputs[at];
    lp_shape shape;
    int64_t extent;

    if (from == NULL)
        return lpi_node_fail(node, "input %d is absent", i);
    shape = from->shape;
    LP_TRY(sliced(node, shape, axis, &shape, &extent));
    LP_TRY(lpi_dim_same(node, "length of the scan inputs", params->trips,
                        extent, &params->trips));
    lpi_body_bind(params->body, at, from, shape, false);
    to->is_static = false;
    to->is_weight = from->is_weight;
    to->stored_bytes = lpi_tensor_bytes(to);
    return LP_OK;
}

/* Output "i" of the layer from that of the body: a final state, or slices that
 * are stacked at "axis"; the batch in front where there is one. */
static lp_status scan_out(lpi_node *node, const lpi_states *states, int32_t i)
{
    const scan_params *params = node->params;
    lp_shape shape = params->body->outputs[i]->shape;

    if (i >= states->count) {
        int64_t axis = axis_of(&params->scan_output_axes, i - states->count);

        LP_TRY(lpi_states_stack(node, shape, axis, params->trips, &shape));
    }
    if (i < states->count)
        return lpi_states_out(node, states, i, shape);
    return lpi_out_body(node, i, params->body->outputs[i], shape);
}

static lp_status scan_shape(lpi_node *node)
{
    scan_params *params = (scan_params *)node->params;
    int32_t inputs = node->layer->inputs_count;
    int32_t scans = (int32_t)params->num_scan_inputs;
    lpi_states states = {.body = params->body, .count = inputs - scans};
    int32_t outputs = node->layer->outputs_count;

    if (node->layer->definition != NULL)
        return lpi_defined_shape(node);
    LP_TRY(lpi_states_check(node, params->body, inputs,
                            outputs > states.count ? outputs : states.count));
    params->trips = -1;
    for (int32_t i = 0; i < scans; i++)
        LP_TRY(bind_slices(node, states.count + i, states.count + i,
                           axis_of(&params->scan_input_axes, i)));
    LP_TRY(lpi_states_infer(node, &states, params->trips));
    for (int32_t i = 0; i < outputs; i++)
        LP_TRY(scan_out(node, &states, i));
    return LP_OK;
}

static void scan_cost(const lpi_node *node, lp_cost *cost)
{
    const scan_params *params = node->params;

    if (node->layer->definition != NULL)
        lpi_defined_cost(node, cost);
    else if (params->trips >= 0)
        lpi_body_cost(node, params->body, params->trips, cost);
}

const lp_op lpi_ops_scan[] = {
    {.domain = "",
     .name = "Scan",
     .since = 8,
     .inputs_min = 1,
     .inputs_max = -1,
     .outputs_min = 1,
     .outputs_max = -1,
     .params_size = sizeof(scan_params),
     .specs = scan_specs,
     .settle = scan_settle,
     .shape = scan_shape,
     .cost = scan_cost,
     .flags = LPI_GAPS,
     .samples =
         "opset 17; input h: float32[2]; input x: float32[5, 2]; y, s = "
         "Scan(h, x) {num_scan_inputs: 1, body: graph { input a: float32[2]; "
         "input b: float32[2]; n = Add(a, b); t = Identity(n); output n; "
         "output t }}; output y; output s\n---\n"
         "opset 8; input h: float32[1, 2]; input x: float32[1, 3, 2]; y, s = "
         "Scan(_, h, x) {num_scan_inputs: 1, body: graph { input a: "
         "float32[2]; input b: float32[2]; n = Add(a, b); t = Identity(n); "
         "output n; output t }}; output y; output s"},
    {.name = NULL},
};
