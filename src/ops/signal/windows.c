/* windows.c: weights for signals: HannWindow, HammingWindow, BlackmanWindow,
 * MelWeightMatrix.
 *
 * A window is a sum of cosines.  A column of the mel matrix is a triangle over
 * the bins of a spectrum whose corners stand at equal distances in mels.
 * Sources: ONNX operators HannWindow-17, HammingWindow-17, BlackmanWindow-17,
 * MelWeightMatrix-17. */
#include <math.h>

#include "../ops.h"

typedef struct window_params {
    int64_t output_datatype, periodic;
} window_params;

static const lpi_spec window_specs[] = {
    LPI_SPEC_INT(window_params, output_datatype, LP_FLOAT32),
    LPI_SPEC_INT(window_params, periodic, 1),
    {.name = NULL},
};

/* ---- windows ------------------------------------------------------------- */

/* A window: the weights of the cosines of 0, 1 and 2 turns. */
typedef struct window_facts {
    double cosines[3];
} window_facts;

static const window_facts hann = {{0.5, -0.5, 0}};
static const window_facts hamming = {{25.0 / 46, 25.0 / 46 - 1, 0}};
static const window_facts blackman = {{0.42, -0.5, 0.08}};

/* Set the output to the dtype that the attribute names. */
static lp_status set_out(lpi_node *node, int32_t rank, const int64_t *dims)
{
    const window_params *params = node->params;

    if (params->output_datatype <= LP_UNDEFINED ||
        params->output_datatype >= LP_DTYPE_COUNT)
        return lpi_node_fail(node, "no dtype has the number %lld",
                             (long long)params->output_datatype);
    return lpi_out_set(node, 0, (lp_dtype)params->output_datatype, rank, dims);
}

static lp_status window_shape(lpi_node *node)
{
    int64_t size = -1;
    lpi_list list;

    if (lpi_in_ints(node, 0, &list) && list.count == 1)
        size = list.ints[0];
    return set_out(node, 1, &size);
}

static void window_cost(const lpi_node *node, lp_cost *cost)
{
    const window_facts *facts = node->layer->row->facts;
    int64_t terms = facts->cosines[2] != 0 ? 2 : 1;
    int64_t count = lpi_mul(terms, lpi_out_elements(node, 0));

    lpi_cost_arith(cost, LP_TRIG, count);
    lpi_cost_arith(cost, LP_MUL, lpi_mul(2, count));
    lpi_cost_arith(cost, LP_ADD, count);
}

static lp_status window_run(const lpi_run *run)
{
    const window_facts *facts = run->node->layer->row->facts;
    const window_params *params = run->node->params;
    int64_t size = lpi_out_elements(run->node, 0);
    double turn = 2 * acos(-1) / (double)(params->periodic ? size : size - 1);
    double *to;

    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < size; i++)
        for (int32_t k = 0; k < 3; k++)
            to[i] += facts->cosines[k] * cos(k * turn * (double)i);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- MelWeightMatrix ----------------------------------------------------- */

/* [bins of the spectrum, bins in mels]. */
static lp_status mel_shape(lpi_node *node)
{
    int64_t dims[2] = {-1, -1};
    lpi_list list;

    if (lpi_in_ints(node, 1, &list) && list.count == 1)
        dims[0] = list.ints[0] / 2 + 1;
    if (lpi_in_ints(node, 0, &list) && list.count == 1)
        dims[1] = list.ints[0];
    return set_out(node, 2, dims);
}

/* A subtraction and a division an element. */
static void mel_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_arith(cost, LP_ADD, lpi_out_elements(node, 0));
    lpi_cost_arith(cost, LP_DIV, lpi_out_elements(node, 0));
}

/* The sizes and edges: bins, length, rate, least and highest frequency. */
static lp_status read_mel(const lpi_run *run, double *ret_values)
{
    for (int32_t i = 0; i < 5; i++) {
        const double *value;

        LP_TRY(lpi_run_reals(run, i, &value));
        if (value == NULL || lpi_in_elements(run->node, i) != 1)
            return lpi_node_fail(run->node, "input %d is no single number", i);
        ret_values[i] = *value;
    }
    return LP_OK;
}

/* The bin of the spectrum where edge "i" of the triangles stands. */
static int64_t mel_edge(const double *values, int64_t i)
{
    double low = 2595 * log10(1 + values[3] / 700);
    double high = 2595 * log10(1 + values[4] / 700);
    double mel = low + (double)i * (high - low) / (values[0] + 2);
    double hertz = 700 * (pow(10, mel / 2595) - 1);
    double bin = floor((values[1] + 1) * hertz / values[2]);

    return bin >= 0 && bin < 0x1p50 ? (int64_t)bin : 0;
}

static lp_status mel_run(const lpi_run *run)
{
    lp_shape y = lpi_out_shape(run->node, 0);
    double values[5], *to;

    LP_TRY(read_mel(run, values));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < y.dims[1]; i++) {
        int64_t low = mel_edge(values, i), centre = mel_edge(values, i + 1);
        int64_t high = mel_edge(values, i + 2);

        for (int64_t j = 0; j < y.dims[0]; j++) {
            double *cell = &to[j * y.dims[1] + i];

            if (j == centre)
                *cell = 1;
            else if (j >= low && j < centre)
                *cell = (double)(j - low) / (double)(centre - low);
            else if (j > centre && j < high)
                *cell = (double)(high - j) / (double)(high - centre);
        }
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

#define WEIGHTS(name_, inputs)                                                 \
    .domain = "", .name = name_, .since = 17, .inputs_min = inputs,            \
    .inputs_max = inputs, .outputs_min = 1, .outputs_max = 1, .roles = "i",    \
    .params_size = sizeof(window_params), .specs = window_specs

#define WINDOW(name_, facts_)                                                  \
    WEIGHTS(name_, 1),                                                         \
        .facts = facts_, .shape = window_shape, .cost = window_cost,           \
        .run = window_run,                                                     \
        .samples = "opset 17; weight n: int64[] = {10}; y = " name_            \
                   "(n) {periodic: 0}; output y"

const lp_op lpi_ops_windows[] = {
    {WINDOW("HannWindow", &hann)},
    {WINDOW("HammingWindow", &hamming)},
    {WINDOW("BlackmanWindow", &blackman)},
    {WEIGHTS("MelWeightMatrix", 5), .operands = ".!,.!,.!,.!,.!",
     .shape = mel_shape, .cost = mel_cost, .run = mel_run,
     .samples =
         "opset 17; weight b: int64[] = {8}; weight n: int64[] = {16}; weight "
         "r: int64[] = {8192}; weight l: float32[] = {0}; weight h: float32[] "
         "= {4096}; y = MelWeightMatrix(b, n, r, l, h); output y"},
    {.name = NULL},
};
