/* pooling.c: runs of pooling.
 *
 * A window takes its taps in ascending order; padding has no taps, but counts
 * in a mean with count_include_pad.  Integers of 8 bits are exact in float32.
 */
#include <math.h>
#include <string.h>

#include "../ops.h"

typedef struct job job;

/* What makes a result of the window at output "o" of plane "from". */
typedef float (*window_fn)(const job *j, const float *from,
                           const int64_t o[LPI_SPATIAL], int64_t *ret_at);

struct job {
    const lpi_pool *params;
    window_fn window;
    lpi_sliding s;
    int64_t planes;
    const float *from;
    float *to;
    int64_t *at; /* indices of maxima; NULL */
    /* Planes by rows: as windows of channels, what each thread works with
     * ("room" floats; NULL: one result after the other), and its divisors. */
    lpi_conv windows;
    float *own;
    int64_t room;
    int32_t threads;
};

/* Taps [from, to) of axis "k" at output "o" that lie within [0, end). */
static void taps_within(const lpi_sliding *s, int32_t k, int64_t o, int64_t end,
                        int64_t ret[2])
{
    int64_t start = o * s->stride[k] - s->pad[k], d = s->dilation[k];

    ret[0] = start < 0 ? lpi_ceil_div(-start, d) : 0;
    ret[1] = end > start ? lpi_ceil_div(end - start, d) : 0;
    ret[1] = ret[1] < s->kernel[k] ? ret[1] : s->kernel[k];
    ret[0] = ret[0] < ret[1] ? ret[0] : ret[1];
}

/* Call for each tap of the window, "v" its value at index "at". */
#define EACH_TAP(j_, from_, o_, ...)                                           \
    do {                                                                       \
        const lpi_sliding *s_ = &(j_)->s;                                      \
        int64_t r_[LPI_SPATIAL][2];                                            \
                                                                               \
        for (int32_t k_ = 0; k_ < LPI_SPATIAL; k_++)                           \
            taps_within(s_, k_, (o_)[k_], s_->in[k_], r_[k_]);                 \
        for (int64_t z_ = r_[0][0]; z_ < r_[0][1]; z_++)                       \
            for (int64_t y_ = r_[1][0]; y_ < r_[1][1]; y_++)                   \
                for (int64_t x_ = r_[2][0]; x_ < r_[2][1]; x_++) {             \
                    int64_t at = ((spot(s_, 0, (o_)[0], z_) * s_->in[1] +      \
                                   spot(s_, 1, (o_)[1], y_)) *                 \
                                      s_->in[2] +                              \
                                  spot(s_, 2, (o_)[2], x_));                   \
                    float v = (from_)[at];                                     \
                                                                               \
                    __VA_ARGS__                                                \
                }                                                              \
    } while (0)

/* Where tap "t" of output "o" stands along axis "k". */
static int64_t spot(const lpi_sliding *s, int32_t k, int64_t o, int64_t t)
{
    return o * s->stride[k] - s->pad[k] + t * s->dilation[k];
}

static float largest(const job *j, const float *from,
                     const int64_t o[LPI_SPATIAL], int64_t *ret_at)
{
    float most = -INFINITY;
    int64_t best = -1;

    EACH_TAP(
        j, from, o, if (best < 0 || v > most || (v != v && most == most)) {
            most = v;
            best = at;
        });
    *ret_at = best;
    return most == most ? most : NAN;
}

static float mean(const job *j, const float *from, const int64_t o[LPI_SPATIAL],
                  int64_t *ret_at)
{
    const lpi_sliding *s = &j->s;
    int64_t count = 1, taps[2];
    float sum = 0;

    for (int32_t k = 0; k < LPI_SPATIAL; k++) {
        taps_within(s, k, o[k],
                    j->params->count_include_pad ? s->in[k] + s->pad_end[k]
                                                 : s->in[k],
                    taps);
        count *= j->params->count_include_pad ? taps[1] : taps[1] - taps[0];
    }
    EACH_TAP(j, from, o, (void)at; sum += v;);
    *ret_at = 0;
    return count > 0 ? sum / (float)count : 0;
}

/* The p-norm of the sum of powers "sum". */
static float root(float sum, int64_t p)
{
    return p == 1 ? sum : p == 2 ? sqrtf(sum) : powf(sum, 1 / (float)p);
}

static float power(float v, int64_t p)
{
    v = fabsf(v);
    return p == 1 ? v : p == 2 ? v * v : powf(v, (float)p);
}

static float length(const job *j, const float *from,
                    const int64_t o[LPI_SPATIAL], int64_t *ret_at)
{
    float sum = 0;

    EACH_TAP(j, from, o, (void)at; sum += power(v, j->params->p););
    *ret_at = 0;
    return root(sum, j->params->p);
}

/* ---- rows at once --------------------------------------------------------
 *
 * Planes of maxima without indices, and of means: the windows of a convolution
 * of each plane, whose sums, with weights of 1, are those of a mean. */

static lpi_conv windows_of(const lpi_run *run, const job *j)
{
    lpi_conv c = {.batch = j->planes,
                  .groups = 1,
                  .in_channels = 1,
                  .out_channels = 1,
                  .x = j->from,
                  .y = j->to,
                  .team = lpi_run_team(run)};

    memcpy(c.in, j->s.in, sizeof(c.in));
    memcpy(c.out, j->s.out, sizeof(c.out));
    memcpy(c.kernel, j->s.kernel, sizeof(c.kernel));
    memcpy(c.stride, j->s.stride, sizeof(c.stride));
    memcpy(c.dilation, j->s.dilation, sizeof(c.dilation));
    memcpy(c.pad, j->s.pad, sizeof(c.pad));
    return c;
}

/* Whether pool_rows does it. */
static bool is_by_rows(const job *j)
{
    return j->at == NULL && (j->window == largest || j->window == mean) &&
           lpi_depthwise_fits(&j->windows);
}

/* Prepare what pool_rows needs. */
static lp_status prepare_rows(const lpi_run *run, job *j)
{
    int64_t taps = lpi_product(j->s.kernel, LPI_SPATIAL), bytes;
    lpi_conv *c = &j->windows;
    float *ones;

    j->threads = c->team.threads;
    j->room = lpi_depthwise_room(c) + c->out[2] + c->out[2] % 2;
    bytes = lpi_mul(lpi_mul(j->room, j->threads), sizeof(float));
    j->own = lpi_arena_room(run->scratch, (size_t)bytes);
    ones = LPI_NEW(run->scratch, float, taps);
    if (j->own == NULL || ones == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < taps; i++)
        ones[i] = 1;
    c->w = j->window == mean ? ones : NULL;
    return LP_OK;
}

/* Taps along axis "k" that a mean at output "o" is of. */
static int64_t counted_taps(const job *j, int32_t k, int64_t o)
{
    bool padded = j->params->count_include_pad;
    int64_t taps[2];

    taps_within(&j->s, k, o, j->s.in[k] + (padded ? j->s.pad_end[k] : 0), taps);
    return padded ? taps[1] : taps[1] - taps[0];
}

/* What sums of windows with "high" taps along the other axes are divided by; 1
 * for windows without any, whose sums are 0. */
static void find_divisors(const job *j, int64_t high, float *to)
{
    for (int64_t x = 0; x < j->s.out[2]; x++) {
        int64_t count = high * counted_taps(j, 2, x);

        to[x] = count > 0 ? (float)count : 1;
    }
}

/* Plane "plane"; "own" as lpi_depthwise_begin left it. */
static void pool_rows(const job *j, int64_t plane, float *own)
{
    const int64_t *out = j->s.out;
    float *divisors = own + lpi_depthwise_room(&j->windows);
    float *to = j->to + plane * lpi_product(out, LPI_SPATIAL);
    int64_t last = -1;

    lpi_depthwise_channel(&j->windows, plane, own);
    if (j->window != mean)
        return;
    /* A tap times one is added, and no multiply of the layer's. */
    LPI_MACS(-lpi_product(j->s.kernel, LPI_SPATIAL) *
             lpi_product(out, LPI_SPATIAL));
    for (int64_t row = 0; row < out[0] * out[1]; row++, to += out[2]) {
        int64_t high = counted_taps(j, 0, row / out[1]) *
                       counted_taps(j, 1, row % out[1]);

        if (high != last)
            find_divisors(j, high, divisors);
        last = high;
        j->windows.team.isa->binary[LPI_BINARY_DIV](out[2], to, 1, divisors, 1,
                                                    to);
    }
}

/* What threads [first, last) of a job by rows do. */
static void pool_shares(const void *context, int64_t first, int64_t last)
{
    const job *j = context;

    for (; first < last; first++) {
        float *own = j->own + first * j->room;
        int64_t from, to;

        lpi_share(j->planes, 1, (int32_t)first, j->threads, &from, &to);
        if (from < to)
            lpi_depthwise_begin(&j->windows, own);
        for (; from < to; from++)
            pool_rows(j, from, own);
    }
}

/* "at", an index within a plane, column by column when storage_order says. */
static int64_t stored_index(const job *j, int64_t at)
{
    const int64_t *in = j->s.in;
    int64_t z = at / in[1] / in[2], y = at / in[2] % in[1], x = at % in[2];

    if (j->params->storage_order == 0)
        return at;
    return (x * in[1] + y) * in[0] + z;
}

static void pool_planes(const void *context, int64_t first, int64_t last)
{
    const job *j = context;
    const int64_t *out = j->s.out;
    int64_t in_plane = lpi_product(j->s.in, LPI_SPATIAL);
    int64_t plane = lpi_product(out, LPI_SPATIAL);

    for (; first < last; first++) {
        const float *from = j->from + first * in_plane;
        int64_t to = first * plane;

        for (int64_t z = 0; z < out[0]; z++)
            for (int64_t y = 0; y < out[1]; y++)
                for (int64_t x = 0; x < out[2]; x++, to++) {
                    const int64_t o[LPI_SPATIAL] = {z, y, x};
                    int64_t at;

                    j->to[to] = j->window(j, from, o, &at);
                    if (j->at != NULL)
                        j->at[to] = first * in_plane + stored_index(j, at);
                }
    }
}

/* "first": the first spatial axis. */
static lp_status resolve(const lpi_node *node, int32_t first, lpi_sliding *ret)
{
    const lpi_slide *window = node->params;
    lp_shape x = lpi_in_shape(node, 0), y = lpi_out_shape(node, 0);
    const lp_shape spatial[2] = {{x.rank - 2, x.dims + first},
                                 {y.rank - 2, y.dims + first}};

    return lpi_slide_resolve(node, window, spatial, window->kernel_shape.ints,
                             false, ret);
}

/* Input 0 as floats, integers of 8 bits too. */
static lp_status input_floats(const lpi_run *run, const float **ret)
{
    lp_dtype type = lpi_in_dtype(run->node, 0);
    int64_t count = lpi_in_elements(run->node, 0);
    float *floats;

    if (type != LP_INT8 && type != LP_UINT8)
        return lpi_run_floats(run, 0, ret);
    floats = LPI_NEW(run->scratch, float, count);
    if (floats == NULL)
        return lpi_node_fail_memory(run->node);
    lpi_load_floats(lpi_run_team(run).isa, type, run->in[0], 0, count, floats);
    *ret = floats;
    return LP_OK;
}

/* All planes; "cost": operations. */
static lp_status pool_all(const lpi_run *run, job *j, int64_t cost)
{
    if (j->planes == 0 || lpi_product(j->s.out, LPI_SPATIAL) == 0)
        return LP_OK;
    j->windows = windows_of(run, j);
    if (is_by_rows(j))
        LP_TRY(prepare_rows(run, j));
    if (j->own != NULL)
        lpi_run_share(run, j->threads, cost, pool_shares, j);
    else
        lpi_run_share(run, j->planes, cost, pool_planes, j);
    return LP_OK;
}

static lp_status pool_run(const lpi_run *run, window_fn window)
{
    lp_dtype type = lpi_in_dtype(run->node, 0);
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t count = lpi_out_elements(run->node, 0);
    job j = {.params = run->node->params,
             .window = window,
             .planes = x.dims[0] * x.dims[1]};

    LP_TRY(resolve(run->node, 2, &j.s));
    LP_TRY(input_floats(run, &j.from));
    if (type == LP_INT8 || type == LP_UINT8)
        j.to = LPI_NEW(run->scratch, float, count);
    else
        LP_TRY(lpi_run_result(run, 0, &j.to));
    if (j.to == NULL)
        return lpi_node_fail_memory(run->node);
    if (run->node->layer->outputs_count > 1)
        j.at = run->out[1];
    LP_TRY(pool_all(run, &j, count * lpi_product(j.s.kernel, LPI_SPATIAL)));
    lpi_run_store(run, 0, j.to);
    return LP_OK;
}

lp_status lpi_pool_max_run(const lpi_run *run)
{
    return pool_run(run, largest);
}

lp_status lpi_pool_mean_run(const lpi_run *run)
{
    return pool_run(run, mean);
}

lp_status lpi_pool_means(const lpi_run *run, int32_t first, const float *from,
                         float *to)
{
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t taps, count = lpi_out_elements(run->node, 0);
    job j = {.params = run->node->params,
             .window = mean,
             .planes = x.dims[0] * x.dims[first == 1 ? x.rank - 1 : 1],
             .from = from,
             .to = to};

    LP_TRY(resolve(run->node, first, &j.s));
    taps = lpi_product(j.s.kernel, LPI_SPATIAL);
    return pool_all(run, &j, lpi_mul(count, taps));
}

lp_status lpi_pool_norm_run(const lpi_run *run)
{
    return pool_run(run, length);
}

/* ---- tiles -------------------------------------------------------------- */

lp_status lpi_pool_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params)
{
    lpi_sliding s;

    if (lpi_out(node, 1) != NULL)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "indices of maxima are of the whole tensor");
    LP_TRY(resolve(node, 2, &s));
    in[0] = *out;
    lpi_slide_cut(&s, params, out, 2, &in[0]);
    return LP_OK;
}
