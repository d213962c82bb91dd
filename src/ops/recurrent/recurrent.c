/* recurrent.c: LSTM, GRU, RNN, DynamicQuantizeLSTM.
 *
 * X is [T, B, I] (layout 1: [B, T, I]), W is [D, gates x H, I] and R is
 * [D, gates x H, H], with D directions.  Multiplies are linear: T x B x
 * (elements of W + elements of R), all directions being in W and R.  Each
 * step and unit of the state costs the sums of both products and their biases,
 * the activations (sigmoid: exp add div; tanh: exp) and the update of the
 * state.  DynamicQuantizeLSTM has W as [D, I, gates x H] and R as [D, H, gates
 * x H], of bytes.  Sources: ONNX operators LSTM-22, GRU-22, RNN-22;
 * onnxruntime, contributed operator DynamicQuantizeLSTM. */
#include <string.h>

#include "../ops.h"

/* Gates; operations for one unit and step: without biases, for the biases, for
 * the peepholes of LSTM. */
typedef struct recurrent_facts {
    int64_t gates;
    lpi_each unit, bias, peephole;
    bool quantizes; /* W: [D, I, gates x H], R: [D, H, gates x H] */
} recurrent_facts;

static const recurrent_facts lstm_facts = {
    .gates = 4,
    .unit = {{[LP_ADD] = 4 + 3 + 1, [LP_EXP] = 5, [LP_DIV] = 3, [LP_MUL] = 3}},
    .bias = {{[LP_ADD] = 8}},
    .peephole = {{[LP_MUL] = 3, [LP_ADD] = 3}}};
static const recurrent_facts quantized_facts = {
    .gates = 4,
    .unit = {{[LP_ADD] = 4 + 3 + 1 + 1,
              [LP_EXP] = 5,
              [LP_DIV] = 3 + 1,
              [LP_MUL] = 3,
              [LP_ROUND] = 1,
              [LP_CMP] = 4}},
    .bias = {{[LP_ADD] = 8}},
    .peephole = {{[LP_MUL] = 3, [LP_ADD] = 3}},
    .quantizes = true};
static const recurrent_facts gru_facts = {
    .gates = 3,
    .unit = {{[LP_ADD] = 3 + 2 + 2, [LP_EXP] = 3, [LP_DIV] = 2, [LP_MUL] = 3}},
    .bias = {{[LP_ADD] = 6}}};
static const recurrent_facts rnn_facts = {
    .gates = 1,
    .unit = {{[LP_ADD] = 1, [LP_EXP] = 1}},
    .bias = {{[LP_ADD] = 2}}};

static const lpi_spec recurrent_specs[] = {
    LPI_SPEC_INT(lpi_recurrent, hidden_size, 0),
    LPI_SPEC_INT(lpi_recurrent, layout, 0),
    LPI_SPEC_INT(lpi_recurrent, linear_before_reset, 0),
    LPI_SPEC_INT(lpi_recurrent, input_forget, 0),
    LPI_SPEC_STRING(lpi_recurrent, direction, "forward"),
    LPI_SPEC_FLOAT(lpi_recurrent, clip, 0),
    LPI_SPEC_LIST(lpi_recurrent, activations, LPI_ATTR_STRINGS),
    LPI_SPEC_LIST(lpi_recurrent, activation_alpha, LPI_ATTR_FLOATS),
    LPI_SPEC_LIST(lpi_recurrent, activation_beta, LPI_ATTR_FLOATS),
    {.name = NULL},
};

/* 2 when both ways are taken, 1 for one; LP_EINPUT for no direction. */
static lp_status directions(const lpi_node *node, int64_t *ret_count)
{
    const char *direction = ((const lpi_recurrent *)node->params)->direction;

    if (strcmp(direction, "bidirectional") == 0)
        *ret_count = 2;
    else if (strcmp(direction, "forward") == 0 ||
             strcmp(direction, "reverse") == 0)
        *ret_count = 1;
    else
        return lpi_node_fail(node, "direction is '%s'", direction);
    return LP_OK;
}

/* Scales or zero points, input "i": one a direction, or one a column of each;
 * those of a weight alike. */
static lp_status check_scales(const lpi_node *node, int32_t i, int64_t count,
                              int64_t columns)
{
    lp_shape own = lpi_in_shape(node, i), scale = lpi_in_shape(node, i & ~1);
    int64_t elements = lpi_dims_product(own, 0, own.rank), same;
    int64_t all = lpi_dim_mul(count, columns);

    if (i % 2 == 0 && lpi_in(node, i) == NULL)
        return lpi_node_fail(node, "input %d is absent", i);
    if (own.rank < 0 || elements < 0 || all < 0)
        return LP_OK;
    if (elements != count && elements != all)
        return lpi_node_fail(node, "input %d has %lld elements", i,
                             (long long)elements);
    return lpi_dim_same(node, "scales and zero points", elements,
                        lpi_dims_product(scale, 0, scale.rank), &same);
}

/* Shapes of W and R agree with each other, with X and with the attributes;
 * store the hidden size. */
static lp_status check_weights(const lpi_node *node, int64_t count,
                               int64_t *ret_hidden)
{
    const lpi_recurrent *params = node->params;
    const recurrent_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, 1);
    lp_shape r = lpi_in_shape(node, 2);
    int64_t hidden = params->hidden_size > 0 ? params->hidden_size : -1, rest;
    int32_t in = facts->quantizes ? 1 : 2, out = facts->quantizes ? 2 : 1;

    if (x.rank != 3 || w.rank != 3 || r.rank != 3)
        return lpi_node_fail(node, "operands of rank %d, %d and %d, not 3",
                             x.rank, w.rank, r.rank);
    LP_TRY(lpi_dim_same(node, "hidden size", r.dims[in], hidden, &hidden));
    LP_TRY(lpi_dim_same(node, "directions of W", w.dims[0], count, &rest));
    LP_TRY(lpi_dim_same(node, "directions of R", r.dims[0], count, &rest));
    LP_TRY(
        lpi_dim_same(node, "width of X and W", x.dims[2], w.dims[in], &rest));
    rest = lpi_dim_mul(hidden, facts->gates);
    LP_TRY(lpi_dim_same(node, "gates of W", w.dims[out], rest, &rest));
    LP_TRY(lpi_dim_same(node, "gates of R", r.dims[out], rest, &rest));
    *ret_hidden = hidden;
    for (int32_t i = 8; i < 12 && facts->quantizes; i++)
        LP_TRY(check_scales(node, i, count, rest));
    return LP_OK;
}

/* Biases, lengths, first states and peepholes have as many elements as
 * "units", the directions times the hidden size, and "batch" ask for. */
static lp_status check_others(const lpi_node *node, int64_t units,
                              int64_t batch)
{
    const recurrent_facts *facts = node->layer->row->facts;
    const int64_t wanted[5] = {
        lpi_dim_mul(units, 2 * facts->gates), batch, lpi_dim_mul(units, batch),
        lpi_dim_mul(units, batch), lpi_dim_mul(units, 3)};
    int64_t same;

    for (int32_t i = 0; i < 5; i++) {
        lp_shape own = lpi_in_shape(node, 3 + i);

        LP_TRY(lpi_dim_same(node, "elements of an operand",
                            lpi_dims_product(own, 0, own.rank), wanted[i],
                            &same));
    }
    return LP_OK;
}

static lp_status recurrent_shape(lpi_node *node)
{
    const lpi_recurrent *params = node->params;
    const recurrent_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0);
    lp_dtype type = lpi_in_dtype(node, 0);
    bool batch_first = params->layout != 0;
    int64_t count = 1, hidden = -1, steps, batch;

    LP_TRY(directions(node, &count));
    if (batch_first && facts->quantizes)
        return lpi_node_fail(node, "layout is %lld", (long long)params->layout);
    for (int32_t i = 0; i < 3; i++)
        if (lpi_in_shape(node, i).rank < 0)
            return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    LP_TRY(check_weights(node, count, &hidden));
    steps = x.dims[batch_first ? 1 : 0];
    batch = x.dims[batch_first ? 0 : 1];
    LP_TRY(check_others(node, lpi_dim_mul(count, hidden), batch));
    for (int32_t i = 1; i < 3; i++) {
        const int64_t dims[3] = {batch_first ? batch : count,
                                 batch_first ? count : batch, hidden};

        LP_TRY(lpi_out_set(node, i, type, 3, dims));
    }
    const int64_t dims[4] = {batch_first ? batch : steps,
                             batch_first ? steps : count,
                             batch_first ? count : batch, hidden};
    return lpi_out_set(node, 0, type, 4, dims);
}

static void recurrent_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each rounding = {
        {[LP_CMP] = 4, [LP_DIV] = 1, [LP_ROUND] = 1, [LP_ADD] = 1}};
    const recurrent_facts *facts = node->layer->row->facts;
    lp_shape x = lpi_in_shape(node, 0), r = lpi_in_shape(node, 2);
    int64_t places = lpi_mul(x.dims[0], x.dims[1]);
    int64_t units =
        lpi_mul(places, lpi_mul(r.dims[0], r.dims[facts->quantizes ? 1 : 2]));
    int64_t weights =
        lpi_add(lpi_in_elements(node, 1), lpi_in_elements(node, 2));

    cost->macs_linear = lpi_add(cost->macs_linear, lpi_mul(places, weights));
    lpi_cost_each(cost, &facts->unit, units);
    if (lpi_in(node, 3) != NULL)
        lpi_cost_each(cost, &facts->bias, units);
    if (lpi_in(node, 7) != NULL)
        lpi_cost_each(cost, &facts->peephole, units);
    if (facts->quantizes)
        lpi_cost_each(cost, &rounding, lpi_in_elements(node, 0));
}

#define RECURRENT(domain_, name_, most, outputs, roles_, facts_, run_)         \
    .domain = domain_, .name = name_, .since = 1, .inputs_min = 3,             \
    .inputs_max = most, .outputs_min = 0, .outputs_max = outputs,              \
    .roles = roles_, .params_size = sizeof(lpi_recurrent),                     \
    .specs = recurrent_specs, .facts = facts_, .shape = recurrent_shape,       \
    .cost = recurrent_cost, .run = run_

const lp_op lpi_ops_recurrent[] = {
    {RECURRENT("", "LSTM", 8, 3, "ddddiddd", &lstm_facts, lpi_lstm_run),
     .samples =
         "opset 14; input x: float32[5, 2, 3]; weight w: float32[1, 16, 3]; "
         "weight r: float32[1, 16, 4]; weight b: float32[1, 32]; y, h, c = "
         "LSTM(x, w, r, b) {hidden_size: 4}; output y; output h; output "
         "c\n---\n"
         "opset 22; input x: float32[2, 5, 3]; weight w: float32[2, 16, 3]; "
         "weight r: float32[2, 16, 4]; weight p: float32[2, 12]; y, h = "
         "LSTM(x, w, r, _, _, _, _, p) {hidden_size: 4, layout: 1, direction: "
         "\"bidirectional\"}; output y; output h"},
    {RECURRENT("", "GRU", 6, 2, "ddddiddd", &gru_facts, lpi_gru_run),
     .samples =
         "opset 14; input x: float32[5, 2, 3]; weight w: float32[1, 12, 3]; "
         "weight r: float32[1, 12, 4]; _, h = GRU(x, w, r) {hidden_size: 4, "
         "linear_before_reset: 1}; output h"},
    {RECURRENT("", "RNN", 6, 2, "ddddiddd", &rnn_facts, lpi_rnn_run),
     .samples =
         "opset 7; input x: float32[5, 2, 3]; weight w: float32[2, 4, 3]; "
         "weight r: float32[2, 4, 4]; y, h = RNN(x, w, r) {hidden_size: 4, "
         "direction: \"bidirectional\"}; output y; output h"},
    {RECURRENT("com.microsoft", "DynamicQuantizeLSTM", 12, 3, "dwwdidddszsz",
               &quantized_facts, lpi_lstm_quantized_run),
     .operands = "F*,W*,W*,F*,I*,F*,F*,F*,F*,W*,F*,W*",
     .samples =
         "opset 17; opset com.microsoft 1; input x: float32[5, 2, 3]; weight "
         "w: int8[1, 3, 16]; weight r: int8[1, 4, 16]; weight b: float32[1, "
         "32]; weight s: float32[1]; weight z: int8[1]; y, h, c = "
         "com.microsoft.DynamicQuantizeLSTM(x, w, r, b, _, _, _, _, s, z, s, "
         "z) {hidden_size: 4}; output y; output h; output c"},
    {.name = NULL},
};
