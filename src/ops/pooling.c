/* pooling.c: runs of pooling.
 *
 * A window takes its taps in ascending order; padding has no taps, but counts
 * in a mean with count_include_pad.  Integers of 8 bits are exact in float32.
 */
#include <math.h>
#include <string.h>

#include "ops.h"

enum { ROW_MOST = 4096 };

typedef struct job job;

/* What makes a result of the window at output "o" of plane "from". */
typedef float (*window_fn)(const job *j, const float *from,
                           const int64_t o[LPI_SPATIAL], int64_t *ret_at);

struct job {
    const lpi_isa *isa;
    const lpi_pool *params;
    window_fn window;
    lpi_sliding s;
    const float *from;
    float *to;
    int64_t *at; /* indices of maxima; NULL */
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
    return most;
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
 * Planes of maxima without indices, and of means: a row of the input with its
 * padding, which is neutral, is cut into one row for each place in a stride;
 * what a tap gives to a row of the output are then neighbours. */

/* Floats of a padded row: "*ret_length" for each place in a stride. */
static int64_t row_room(const job *j, int64_t *ret_length)
{
    const lpi_sliding *s = &j->s;
    int64_t width = (s->out[2] - 1) * s->stride[2] +
                    (s->kernel[2] - 1) * s->dilation[2] + 1;

    *ret_length = lpi_ceil_div(width, s->stride[2]);
    return *ret_length * s->stride[2];
}

/* Whether pool_rows does it. */
static bool is_by_rows(const job *j)
{
    const lpi_sliding *s = &j->s;
    int64_t length;

    return (j->window == largest || j->window == mean) && j->at == NULL &&
           s->in[0] == 1 && s->kernel[0] == 1 && s->pad[0] == 0 &&
           s->pad[2] >= 0 && row_room(j, &length) <= ROW_MOST;
}

/* Row "row" of the input as "what" takes it into the padded row "room". */
static void take_row(const job *j, lpi_binary what, const float *row,
                     int64_t width, float *room)
{
    int64_t lead = j->s.pad[2], copied = width - lead;

    copied = copied < j->s.in[2] ? copied : j->s.in[2];
    if (copied > 0)
        j->isa->binary[what](copied, room + lead, 1, row, 1, room + lead);
}

/* "to" takes in what the taps along x give it of the padded row "room". */
static void take_taps(const job *j, lpi_binary what, const float *room,
                      float *to)
{
    const lpi_sliding *s = &j->s;
    int64_t length, width = row_room(j, &length), step = s->stride[2];
    float cut[ROW_MOST];

    if (step == 2)
#pragma omp simd
        for (int64_t i = 0; i < length; i++) {
            cut[i] = room[2 * i];
            cut[length + i] = room[2 * i + 1];
        }
    for (int64_t i = 0; i < width && step > 2; i++)
        cut[i % step * length + i / step] = room[i];
    for (int64_t k = 0; k < s->kernel[2]; k++) {
        int64_t at = k * s->dilation[2];
        const float *from = step == 1 ? room + at
                                      : cut + at % step * length + at / step;

        j->isa->binary[what](s->out[2], to, 1, from, 1, to);
    }
}

static void fill(float *to, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = value;
}

/* What sums of windows with "high" taps along y are divided by; 1 for windows
 * without any, whose sums are 0. */
static void find_divisors(const job *j, int64_t high, float *to)
{
    const lpi_sliding *s = &j->s;
    bool padded = j->params->count_include_pad;
    int64_t end = s->in[2] + (padded ? s->pad_end[2] : 0), taps[2];

    for (int64_t x = 0; x < s->out[2]; x++) {
        int64_t count;

        taps_within(s, 2, x, end, taps);
        count = high * (padded ? taps[1] : taps[1] - taps[0]);
        to[x] = count > 0 ? (float)count : 1;
    }
}

static void pool_rows(const job *j, const float *from, float *to)
{
    const lpi_sliding *s = &j->s;
    bool is_max = j->window == largest, padded = j->params->count_include_pad;
    lpi_binary what = is_max ? LPI_BINARY_MAX : LPI_BINARY_ADD;
    float room[ROW_MOST], neutral = is_max ? -(float)INFINITY : 0;
    float divisors[ROW_MOST];
    int64_t length, width = row_room(j, &length), last = -1, high;

    for (int64_t y = 0; y < s->out[1]; y++, to += s->out[2]) {
        int64_t taps[2], all[2];

        taps_within(s, 1, y, s->in[1], taps);
        fill(to, s->out[2], neutral);
        fill(room, width, neutral);
        for (int64_t t = taps[0]; t < taps[1]; t++) {
            take_row(j, what, from + spot(s, 1, y, t) * s->in[2], width, room);
            if (is_max)
                continue;
            take_taps(j, what, room, to);
            fill(room, width, neutral);
        }
        if (is_max) {
            take_taps(j, what, room, to);
            continue;
        }
        taps_within(s, 1, y, s->in[1] + (padded ? s->pad_end[1] : 0), all);
        high = padded ? all[1] : all[1] - all[0];
        if (high != last)
            find_divisors(j, high, divisors);
        last = high;
        j->isa->binary[LPI_BINARY_DIV](s->out[2], to, 1, divisors, 1, to);
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
    bool by_rows = is_by_rows(j);

    for (; first < last; first++) {
        const float *from = j->from + first * in_plane;
        int64_t to = first * plane;

        if (by_rows) {
            pool_rows(j, from, j->to + to);
            continue;
        }
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

static lp_status pool_run(const lpi_run *run, window_fn window)
{
    lp_dtype type = lpi_in_dtype(run->node, 0);
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t count = lpi_out_elements(run->node, 0);
    job j = {.isa = lpi_run_team(run).isa,
             .params = run->node->params,
             .window = window};

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
    lpi_run_share(run, x.dims[0] * x.dims[1],
                  count * lpi_product(j.s.kernel, LPI_SPATIAL), pool_planes,
                  &j);
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
    job j = {.isa = lpi_run_team(run).isa,
             .params = run->node->params,
             .window = mean,
             .from = from,
             .to = to};

    LP_TRY(resolve(run->node, first, &j.s));
    pool_planes(&j, 0, x.dims[0] * x.dims[first == 1 ? x.rank - 1 : 1]);
    return LP_OK;
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
