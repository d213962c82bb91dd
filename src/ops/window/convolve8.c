/* convolve8.c: runs of convolutions of 8-bit integers.
 *
 * Sums are exact in int32, in parts too; padding holds the zero point.
 * QLinearConv adds the bias to the sum and requantizes as product8.c says; it
 * is computed some channels at a time, so that its sums stay in the cache. */
#include "../ops.h"

enum { SUMS_MOST = 1 << 18 };

/* Positions of the operands of one of the rows; -1: none. */
typedef struct places {
    int32_t x_zero, w, w_zero, x_scale, w_scale, y_scale, y_zero, bias;
} places;

static const places integer_places = {2, 1, 3, -1, -1, -1, -1, -1};
static const places qlinear_places = {2, 3, 5, 1, 4, 6, 7, 8};

typedef struct job {
    const lpi_run *run;
    const places *at;
    lpi_conv shape;
    lpi_conv8 conv;
    const int32_t *zeros, *bias;
    const float *factors;
    float zero;     /* of the result */
    bool is_signed; /* the result */
} job;

/* Whether the scales are single ones, that of the weight one a channel too. */
static bool scales_fit(const lpi_run *run, const places *at, int64_t channels)
{
    int64_t own = lpi_in_elements(run->node, at->w_scale);

    return lpi_in_elements(run->node, at->x_scale) <= 1 &&
           lpi_in_elements(run->node, at->y_scale) <= 1 &&
           lpi_in_elements(run->node, at->y_zero) <= 1 &&
           (own <= 1 || own == channels);
}

static lp_status read_scales(job *j)
{
    const lpi_run *run = j->run;
    const places *at = j->at;
    int64_t channels = j->shape.out_channels;
    const float *x = lpi_run_scales(run, at->x_scale, 1, 1);
    const float *w = lpi_run_scales(run, at->w_scale, channels, 1);
    const float *y = lpi_run_scales(run, at->y_scale, 1, 1);
    const int32_t *zero = lpi_run_zeros(run, at->y_zero, 1);
    float *factors = LPI_NEW(run->scratch, float, channels);

    if (x == NULL || w == NULL || y == NULL || zero == NULL || factors == NULL)
        return scales_fit(run, at, channels)
                   ? lpi_node_fail_memory(run->node)
                   : lpi_node_fail(run->node,
                                   "scales or zero points do not fit");
    for (int64_t k = 0; k < channels; k++) {
        float product = *x * w[k];

        factors[k] = product / *y;
    }
    j->factors = factors;
    j->zero = (float)*zero;
    j->is_signed = lpi_out(run->node, 0)->dtype == LP_INT8;
    if (lpi_in(run->node, at->bias) == NULL)
        return LP_OK;
    if (lpi_in_dtype(run->node, at->bias) != LP_INT32)
        return lpi_run_refuse(run, lpi_in_dtype(run->node, at->bias));
    j->bias = run->in[at->bias];
    return LP_OK;
}

/* Sums of "channels" channels from "first" on of image "image" into "to": of
 * some channels of the one group, or of whole groups. */
static void convolve(job *j, int64_t image, int64_t first, int64_t channels,
                     int32_t *to)
{
    int64_t taps = lpi_product(j->shape.kernel, LPI_SPATIAL) *
                   (j->shape.in_channels / j->shape.groups);
    int64_t plane = lpi_product(j->shape.in, LPI_SPATIAL), skipped = 0;
    lpi_conv shape = j->shape;
    lpi_conv8 conv = j->conv;

    shape.batch = 1;
    shape.out_channels = channels;
    if (j->shape.groups > 1) {
        int64_t high = j->shape.out_channels / j->shape.groups;
        int64_t wide = j->shape.in_channels / j->shape.groups;

        shape.groups = channels / high;
        shape.in_channels = shape.groups * wide;
        skipped = first / high * wide;
    }
    conv.shape = &shape;
    conv.x = (const char *)conv.x +
             (image * j->shape.in_channels + skipped) * plane;
    conv.w = (const char *)conv.w + first * taps;
    conv.w_zeros = j->zeros + first;
    conv.y = to;
    lpi_conv8_run(&conv);
}

static void requantize(const job *j, int64_t image, int64_t first,
                       int64_t channels, int32_t *sums)
{
    lpi_team team = j->shape.team;
    int64_t plane = lpi_product(j->shape.out, LPI_SPATIAL);
    uint8_t *to = (uint8_t *)j->run->out[0] +
                  (image * j->shape.out_channels + first) * plane;
    bool shares = team.threads > 1 && channels * plane >= LPI_SHARED;

#pragma omp parallel for num_threads(team.threads) schedule(static) if (shares)
    for (int64_t c = 0; c < channels; c++) {
        lpi_to_bytes how = {&j->factors[first + c], &j->zero, 0, j->is_signed};
        uint32_t bias = j->bias ? (uint32_t)j->bias[first + c] : 0;
        int32_t *own = sums + c * plane;

#pragma omp simd
        for (int64_t i = 0; i < (bias ? plane : 0); i++)
            own[i] = (int32_t)((uint32_t)own[i] + bias);
        team.isa->bytes_of_sums(&how, plane, own, to + c * plane);
    }
}

static bool is_byte(lp_dtype dtype)
{
    return dtype == LP_INT8 || dtype == LP_UINT8;
}

/* All images, "some" channels at a time. */
static lp_status run_all(job *j, bool scaled)
{
    int64_t channels = j->shape.out_channels;
    int64_t plane = lpi_product(j->shape.out, LPI_SPATIAL), some = channels;
    int64_t unit = j->shape.groups > 1 ? channels / j->shape.groups : 1;
    int32_t *sums = NULL;
    int64_t step;

    if (plane == 0 || channels == 0)
        return LP_OK;
    if (scaled && plane * channels > SUMS_MOST)
        some = plane < SUMS_MOST / 64 ? SUMS_MOST / plane : 64;
    some = lpi_ceil_div(some, unit) * unit;
    some = some < channels ? some : channels;
    if (scaled || j->run->continues)
        sums = lpi_arena_room(j->run->scratch,
                              (size_t)lpi_mul(some * plane, sizeof(*sums)));
    if ((scaled || j->run->continues) && sums == NULL)
        return lpi_node_fail_memory(j->run->node);
    for (int64_t n = 0; n < j->shape.batch; n++)
        for (int64_t c = 0; c < channels; c += step) {
            int32_t *to = scaled ? NULL
                                 : (int32_t *)j->run->out[0] +
                                       (n * channels + c) * plane;

            step = channels - c < some ? channels - c : some;
            convolve(j, n, c, step, sums != NULL ? sums : to);
            if (scaled)
                requantize(j, n, c, step, sums);
            else if (sums != NULL)
                lpi_add_sums(step * plane, sums, to);
        }
    return LP_OK;
}

lp_status lpi_conv8_layer_run(const lpi_run *run)
{
    const lpi_conv_facts *facts = run->node->layer->row->facts;
    bool scaled = facts->weight == 3;
    job j = {.run = run, .at = scaled ? &qlinear_places : &integer_places};
    lp_dtype x = lpi_in_dtype(run->node, 0);
    lp_dtype w = lpi_in_dtype(run->node, facts->weight);
    const int32_t *zero;

    if (!is_byte(x) || !is_byte(w))
        return lpi_run_refuse(run, is_byte(x) ? w : x);
    if (scaled && !is_byte(lpi_out(run->node, 0)->dtype))
        return lpi_run_refuse(run, lpi_out(run->node, 0)->dtype);
    LP_TRY(lpi_conv_sizes(run->node, &j.shape));
    j.shape.team = lpi_run_team(run);
    zero = lpi_run_zeros(run, j.at->x_zero, 1);
    j.zeros = lpi_run_zeros(run, j.at->w_zero, j.shape.out_channels);
    if (zero == NULL || j.zeros == NULL)
        return lpi_node_fail(run->node, "zero points do not fit");
    if (scaled)
        LP_TRY(read_scales(&j));
    j.conv = (lpi_conv8){.shape = &j.shape,
                         .x = run->in[0],
                         .w = run->in[facts->weight],
                         .x_signed = x == LP_INT8,
                         .w_signed = w == LP_INT8,
                         .x_zero = *zero,
                         .w_zeros = j.zeros};
    j.conv.workspace =
        lpi_arena_room(run->scratch, (size_t)lpi_conv8_workspace(&j.conv));
    if (j.conv.workspace == NULL)
        return lpi_node_fail_memory(run->node);
    return run_all(&j, scaled);
}
