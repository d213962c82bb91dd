/* normalise.c: runs of normalizations.
 *
 * Means and variances are taken in double over fixed lanes, by the kernel
 * (kernel.h); the result is one fused multiply-add.  Sources: norm.c. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* Inputs "scale" and "shift" and the output of "norm"; then run it. */
static lp_status run_norm(const lpi_run *run, lpi_norm *norm)
{
    lpi_team team = lpi_run_team(run);

    LP_TRY(lpi_run_floats(run, 0, &norm->from));
    LP_TRY(lpi_run_result(run, 0, &norm->to));
    if (norm->rows > 0 && norm->count > 0)
        lpi_norm_run(&team, norm);
    lpi_run_store(run, 0, norm->to);
    return LP_OK;
}

static int64_t channels_of(lp_shape x)
{
    return x.rank > 1 ? x.dims[1] : 1;
}

/* ---- BatchNormalization ------------------------------------------------- */

/* The factor and the summand of each channel, from statistics. */
static void fold_statistics(int64_t channels, const float *const of[4],
                            double epsilon, float *scale, float *shift)
{
    for (int64_t c = 0; c < channels; c++) {
        double factor = (double)of[0][c] / sqrt((double)of[3][c] + epsilon);

        scale[c] = (float)factor;
        shift[c] = (float)((double)of[1][c] - (double)of[2][c] * factor);
    }
}

/* Mean and variance of channel "c" of "x" over the batch, in ascending
 * chains of doubles. */
static void channel_moments(const float *from, lp_shape x, int64_t c,
                            double ret[2])
{
    int64_t channels = channels_of(x), plane = lpi_dims_product(x, 2, x.rank);
    double count = (double)(x.dims[0] * plane);

    ret[0] = ret[1] = 0;
    for (int32_t pass = 0; pass < 2; pass++) {
        double sum = 0;

        for (int64_t n = 0; n < x.dims[0]; n++)
            for (int64_t i = 0; i < plane; i++) {
                double v = (double)from[(n * channels + c) * plane + i];

                sum += pass ? (v - ret[0]) * (v - ret[0]) : v;
            }
        ret[pass] = sum / count;
    }
}

/* Training: statistics of the batch in "mean" and "variance", and outputs 1
 * and 2, their running kin. */
static lp_status take_statistics(const lpi_run *run, const float *from,
                                 const float *const of[4], float *mean,
                                 float *variance)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    float *running[2] = {NULL, NULL}, momentum = p->momentum;

    for (int32_t i = 0; i < 2 && i + 1 < run->node->layer->outputs_count; i++)
        LP_TRY(lpi_run_result(run, i + 1, &running[i]));
    for (int64_t c = 0; c < channels_of(x); c++) {
        double found[2];

        channel_moments(from, x, c, found);
        mean[c] = (float)found[0];
        variance[c] = (float)found[1];
        for (int32_t i = 0; i < 2; i++)
            if (running[i] != NULL)
                running[i][c] = of[2 + i][c] * momentum +
                                (i ? variance[c] : mean[c]) * (1 - momentum);
    }
    for (int32_t i = 0; i < 2; i++)
        lpi_run_store(run, i + 1, running[i]);
    return LP_OK;
}

lp_status lpi_norm_batch_run(const lpi_run *run)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t channels = channels_of(x);
    float *folded = LPI_NEW(run->scratch, float, 4 * channels);
    lpi_affine affine = {.outer = x.rank > 0 ? x.dims[0] : 1,
                         .channels = channels,
                         .plane = lpi_dims_product(x, 2, x.rank),
                         .scale = folded,
                         .shift = folded + channels};
    lpi_team team = lpi_run_team(run);
    const float *of[4];

    if (folded == NULL)
        return lpi_node_fail_memory(run->node);
    if (p->spatial == 0)
        return lpi_fail(run->node->error, LP_EUNSUPPORTED,
                        run->node->layer->name, "spatial is 0");
    LP_TRY(lpi_run_floats(run, 0, &affine.from));
    LP_TRY(lpi_run_result(run, 0, &affine.to));
    for (int32_t i = 0; i < 4; i++)
        LP_TRY(lpi_run_floats(run, i + 1, &of[i]));
    if (p->training_mode != 0) {
        float *mean = folded + 2 * channels, *variance = mean + channels;

        LP_TRY(take_statistics(run, affine.from, of, mean, variance));
        of[2] = mean;
        of[3] = variance;
    }
    fold_statistics(channels, of, (double)p->epsilon, folded,
                    folded + channels);
    lpi_affine_run(&team, &affine);
    lpi_run_store(run, 0, affine.to);
    return LP_OK;
}

/* ---- groups of channels ------------------------------------------------- */

lp_status lpi_norm_instance_run(const lpi_run *run)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_norm norm = {.rows = lpi_dims_product(x, 0, 2),
                     .count = lpi_dims_product(x, 2, x.rank),
                     .channels = channels_of(x),
                     .epsilon = (double)p->epsilon,
                     .centred = true};

    norm.plane = norm.count;
    LP_TRY(lpi_run_floats(run, 1, &norm.scale));
    LP_TRY(lpi_run_floats(run, 2, &norm.shift));
    return run_norm(run, &norm);
}

/* "from", a value a group, as a value a channel. */
static const float *spread_groups(const lpi_run *run, const float *from,
                                  int64_t groups, int64_t channels)
{
    float *to = LPI_NEW(run->scratch, float, channels);

    for (int64_t c = 0; c < channels && to != NULL; c++)
        to[c] = from[c / (channels / groups)];
    return to;
}

lp_status lpi_norm_groups_run(const lpi_run *run)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t channels = channels_of(x), groups = p->num_groups;
    lpi_norm norm = {.rows = lpi_mul(x.dims[0], groups),
                     .plane = lpi_dims_product(x, 2, x.rank),
                     .channels = channels,
                     .epsilon = (double)p->epsilon,
                     .centred = true};

    norm.count = channels / groups * norm.plane;
    LP_TRY(lpi_run_floats(run, 1, &norm.scale));
    LP_TRY(lpi_run_floats(run, 2, &norm.shift));
    if (lpi_in_elements(run->node, 1) != channels) {
        norm.scale = spread_groups(run, norm.scale, groups, channels);
        norm.shift = spread_groups(run, norm.shift, groups, channels);
        if (norm.scale == NULL || norm.shift == NULL)
            return lpi_node_fail_memory(run->node);
    }
    return run_norm(run, &norm);
}

/* ---- LayerNormalization, RMSNormalization ------------------------------- */

/* Multiply or add input "i", broadcast, to "to". */
static lp_status apply(const lpi_run *run, lpi_binary what, int32_t i,
                       float *to)
{
    lp_shape x = lpi_in_shape(run->node, 0), own = lpi_in_shape(run->node, i);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, x.rank);
    int64_t *b_strides = LPI_NEW(run->scratch, int64_t, x.rank);
    lpi_spread spread = {.rank = x.rank, .dims = x.dims, .a = to, .to = to};
    lpi_team team = lpi_run_team(run);
    int32_t lead = x.rank - own.rank;

    if (strides == NULL || b_strides == NULL)
        return lpi_node_fail_memory(run->node);
    lpi_strides(x.rank, x.dims, strides);
    lpi_strides(own.rank, own.dims, b_strides + lead);
    for (int32_t k = 0; k < own.rank; k++)
        if (own.dims[k] == 1)
            b_strides[lead + k] = 0;
    spread.a_strides = strides;
    spread.b_strides = b_strides;
    LP_TRY(lpi_run_floats(run, i, &spread.b));
    lpi_binary_run(&team, what, &spread);
    return LP_OK;
}

/* A scale of all the elements of a row goes with the norm, any other one is
 * multiplied afterwards. */
static lp_status layer_run(const lpi_run *run, bool centred)
{
    const lpi_norm_params *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_team team = lpi_run_team(run);
    lpi_norm norm = {
        .plane = 1, .epsilon = (double)p->epsilon, .centred = centred};
    bool has_shift = run->node->layer->inputs_count > 2 && centred &&
                     run->in[2] != NULL;
    bool fits;
    int64_t axis = 0;

    lpi_axis(p->axis, x.rank, &axis);
    norm.rows = lpi_dims_product(x, 0, axis);
    norm.count = norm.channels = lpi_dims_product(x, axis, x.rank);
    fits = lpi_in_elements(run->node, 1) == norm.count &&
           (!has_shift || lpi_in_elements(run->node, 2) == norm.count);
    if (fits)
        LP_TRY(lpi_run_floats(run, 1, &norm.scale));
    if (fits && has_shift)
        LP_TRY(lpi_run_floats(run, 2, &norm.shift));
    for (int32_t i = 1; i < run->node->layer->outputs_count; i++)
        LP_TRY(lpi_run_result(
            run, i, i == 1 && centred ? &norm.ret_mean : &norm.ret_inverse));
    LP_TRY(lpi_run_floats(run, 0, &norm.from));
    LP_TRY(lpi_run_result(run, 0, &norm.to));
    if (!fits)
        norm.to = LPI_NEW(run->scratch, float, lpi_shape_elements(x));
    if (norm.to == NULL)
        return lpi_node_fail_memory(run->node);
    if (norm.rows > 0 && norm.count > 0)
        lpi_norm_run(&team, &norm);
    if (!fits)
        LP_TRY(apply(run, LPI_BINARY_MUL, 1, norm.to));
    if (!fits && has_shift)
        LP_TRY(apply(run, LPI_BINARY_ADD, 2, norm.to));
    lpi_run_store(run, 0, norm.to);
    for (int32_t i = 1; i < run->node->layer->outputs_count; i++)
        lpi_run_store(run, i,
                      i == 1 && centred ? norm.ret_mean : norm.ret_inverse);
    return LP_OK;
}

lp_status lpi_norm_layer_run(const lpi_run *run)
{
    return layer_run(run, true);
}

lp_status lpi_norm_root_run(const lpi_run *run)
{
    return layer_run(run, false);
}

/* ---- tiles -------------------------------------------------------------- */

/* Cut vectors with an element a channel like the output. */
static void cut_vectors(const lpi_node *node, const lpi_box *out, lpi_box *in)
{
    lp_shape x = lpi_in_shape(node, 0);

    in[0] = *out;
    for (int32_t i = 1; i < node->layer->inputs_count; i++) {
        in[i] = lpi_box_whole(node, i);
        if (in[i].rank == 1 && in[i].to[0] == channels_of(x) && x.rank > 1) {
            in[i].from[0] = out->from[1];
            in[i].to[0] = out->to[1];
        }
    }
}

lp_status lpi_norm_batch_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params)
{
    const lpi_norm_params *p = node->params;

    (void)params;
    if (p->training_mode != 0)
        LP_TRY(lpi_box_keep(node, out, 0, out->rank));
    cut_vectors(node, out, in);
    return LP_OK;
}

lp_status lpi_norm_channel_tile(const lpi_node *node, const lpi_box *out,
                                lpi_box *in, void *params)
{
    (void)params;
    LP_TRY(lpi_box_keep(node, out, 2, out->rank));
    cut_vectors(node, out, in);
    return LP_OK;
}

/* Whole groups only. */
lp_status lpi_norm_groups_tile(const lpi_node *node, const lpi_box *out,
                               lpi_box *in, void *params)
{
    lpi_norm_params *p = params;
    int64_t channels = channels_of(lpi_in_shape(node, 0));
    int64_t each = channels / p->num_groups;

    LP_TRY(lpi_box_keep(node, out, 2, out->rank));
    if (each == 0 || out->from[1] % each != 0 || out->to[1] % each != 0)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "a tile cuts a group of channels");
    cut_vectors(node, out, in);
    for (int32_t i = 1; i < 3; i++)
        if (in[i].rank == 1 && lpi_in_elements(node, i) == p->num_groups) {
            in[i].from[0] = out->from[1] / each;
            in[i].to[0] = out->to[1] / each;
        }
    p->num_groups = (out->to[1] - out->from[1]) / each;
    return LP_OK;
}

lp_status lpi_norm_layer_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params)
{
    const lpi_norm_params *p = params;
    int64_t axis = 0;

    lpi_axis(p->axis, out->rank, &axis);
    LP_TRY(lpi_box_keep(node, out, axis, out->rank));
    for (int32_t i = 1; i < node->layer->outputs_count; i++)
        if (lpi_out(node, i) != NULL)
            return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                            "tiles of a norm that gives its statistics");
    in[0] = *out;
    for (int32_t i = 1; i < node->layer->inputs_count; i++)
        in[i] = lpi_in(node, i) != NULL
                    ? lpi_box_broadcast(lpi_in_shape(node, i), out)
                    : (lpi_box){.rank = -1};
    return LP_OK;
}
