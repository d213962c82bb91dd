/* signal.c: signals and their spectra: DFT, STFT.
 *
 * A complex value is a last axis of two.  Transforms of a power of two halve
 * it until one is left; others are summed term by term.  They are priced as
 * the first are: 5 n log2 n operations, half of them multiplies.  A window is
 * a sum of cosines.  Sources: ONNX operators DFT-20, STFT-17, HannWindow-17,
 * HammingWindow-17, BlackmanWindow-17, MelWeightMatrix-17; J. Cooley, J. Tukey,
 * "An algorithm for the machine calculation of complex Fourier series",
 * 1965. */
#include <math.h>
#include <string.h>

#include "../ops.h"

static const double pi = 3.14159265358979323846;

typedef struct signal_params {
    int64_t axis, inverse, onesided;
} signal_params;

static const lpi_spec dft_specs[] = {
    LPI_SPEC_INT(signal_params, axis, 1),
    LPI_SPEC_INT(signal_params, inverse, 0),
    LPI_SPEC_INT(signal_params, onesided, 0),
    {.name = NULL},
};

static const lpi_spec stft_specs[] = {
    LPI_SPEC_INT(signal_params, onesided, 1),
    {.name = NULL},
};

/* ---- transforms ---------------------------------------------------------- */

/* The Fourier transform of "n" complex numbers at "from", "step" apart, into
 * "to"; "sign" -1 forward, 1 backward. */
static void transform(const double *from, int64_t n, int64_t step, double sign,
                      double *to)
{
    int64_t half = n / 2;

    if (n % 2 == 0 && n > 0) {
        transform(from, half, 2 * step, sign, to);
        transform(from + 2 * step, half, 2 * step, sign, to + n);
        for (int64_t k = 0; k < half; k++) {
            double turn = sign * 2 * pi * (double)k / (double)n;
            double c = cos(turn), s = sin(turn);
            double *a = to + 2 * k, *b = to + n + 2 * k;
            double re = c * b[0] - s * b[1], im = c * b[1] + s * b[0];

            b[0] = a[0] - re;
            b[1] = a[1] - im;
            a[0] += re;
            a[1] += im;
        }
        return;
    }
    for (int64_t k = 0; k < n; k++) {
        double re = 0, im = 0;

        for (int64_t i = 0; i < n; i++) {
            double turn = sign * 2 * pi * (double)(i * k % n) / (double)n;
            double c = cos(turn), s = sin(turn);
            const double *x = from + 2 * step * i;

            re += c * x[0] - s * x[1];
            im += c * x[1] + s * x[0];
        }
        to[2 * k] = re;
        to[2 * k + 1] = im;
    }
}

static void transform_cost(lp_cost *cost, int64_t count, int64_t n)
{
    int64_t passes = 0, sum;

    for (int64_t reach = 1; reach < n && passes < 62; reach *= 2)
        passes++;
    sum = lpi_mul(lpi_mul(count, n), passes);
    lpi_cost_arith(cost, LP_MUL, lpi_mul(2, sum));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(3, sum));
}

/* ---- DFT ----------------------------------------------------------------- */

/* The axis of a DFT-17 is an attribute, of a DFT-20 input 2. */
static lp_status dft_settle(lpi_node *node)
{
    const signal_params *params = node->params;
    const int64_t newest = -2;
    bool is_old = node->layer->version > 0 && node->layer->version < 20;

    if (lpi_in(node, 2) != NULL)
        return LP_OK;
    return lpi_node_add_ints(node, 2, is_old ? &params->axis : &newest, 1);
}

/* The axis and the length of the transform; -1: not known. */
static lp_status dft_sizes(lpi_node *node, int64_t *ret_axis, int64_t *ret_n)
{
    const signal_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    lpi_list list;

    *ret_axis = *ret_n = -1;
    if (!lpi_in_ints(node, 2, &list) || list.count != 1)
        return LP_OK;
    if (x.rank < 2 || !lpi_axis(list.ints[0], x.rank, ret_axis) ||
        *ret_axis == x.rank - 1)
        return lpi_node_fail(node, "axis %lld of an input of rank %d",
                             (long long)list.ints[0], x.rank);
    if (x.dims[x.rank - 1] == 0 || x.dims[x.rank - 1] > 2)
        return lpi_node_fail(node, "numbers of %lld parts",
                             (long long)x.dims[x.rank - 1]);
    *ret_n = x.dims[*ret_axis];
    if (params->inverse && params->onesided && *ret_n > 0)
        *ret_n = 2 * (*ret_n - 1);
    if (lpi_in(node, 1) != NULL)
        *ret_n = lpi_in_ints(node, 1, &list) && list.count == 1 ? list.ints[0]
                                                                : -1;
    if (*ret_n < -1 || *ret_n > INT32_MAX)
        return lpi_node_fail(node, "a length of %lld", (long long)*ret_n);
    return LP_OK;
}

static lp_status dft_shape(lpi_node *node)
{
    const signal_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t axis, n, *dims;

    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    LP_TRY(dft_sizes(node, &axis, &n));
    if (axis < 0)
        return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                 lpi_shape_unknown);
    dims = lpi_node_dims(node, x.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    dims[axis] = params->onesided && !params->inverse && n >= 0 ? n / 2 + 1 : n;
    dims[x.rank - 1] = params->onesided && params->inverse ? 1 : 2;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), x.rank, dims);
}

/* The length of the transform is that of the output, or what one side of it
 * stands for. */
static void dft_cost(const lpi_node *node, lp_cost *cost)
{
    const signal_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0), y = lpi_out_shape(node, 0);
    int64_t axis = 0, n, others;

    while (axis < x.rank - 2 && x.dims[axis] == y.dims[axis])
        axis++;
    n = y.dims[axis];
    others = n > 0 ? lpi_dims_product(y, 0, y.rank - 1) / n : 0;
    if (params->onesided && !params->inverse)
        n = lpi_mul(2, n - 1);
    transform_cost(cost, others, n);
}

/* Row "row" of the input along the axis, as "n" complex numbers: cut, filled
 * with zeros, and one side of a spectrum mirrored. */
static void load_row(const lpi_node *node, const double *x, int64_t axis,
                     int64_t row, int64_t n, double *to)
{
    const signal_params *params = node->params;
    lp_shape shape = lpi_in_shape(node, 0);
    int64_t parts = shape.dims[shape.rank - 1], length = shape.dims[axis];
    int64_t inner = lpi_dims_product(shape, axis + 1, shape.rank - 1);
    bool mirrors = params->onesided && params->inverse;

    for (int64_t i = 0; i < n; i++) {
        bool is_other = mirrors && i > n / 2;
        int64_t k = is_other ? n - i : i;
        int64_t at = ((row / inner * length + k) * inner + row % inner) * parts;

        to[2 * i] = k < length ? x[at] : 0;
        to[2 * i + 1] = k < length && parts > 1 ? x[at + 1] : 0;
        if (is_other)
            to[2 * i + 1] = -to[2 * i + 1];
    }
}

static lp_status dft_run(const lpi_run *run)
{
    const signal_params *params = run->node->params;
    lpi_node node = *run->node;
    lp_shape y = lpi_out_shape(&node, 0);
    int64_t axis, n, inner, rows, parts = y.dims[y.rank - 1];
    lpi_list list;
    const double *x;
    double *to, *in, *out;

    LP_TRY(lpi_run_ints(run, 2, &list));
    if (list.count != 1 || !lpi_axis(list.ints[0], y.rank, &axis))
        return lpi_node_fail(&node, "has no single axis");
    n = params->inverse ? y.dims[axis] : lpi_in_shape(&node, 0).dims[axis];
    if (lpi_in(&node, 1) != NULL)
        LP_TRY(lpi_run_int(run, 1, &n));
    inner = lpi_dims_product(y, axis + 1, y.rank - 1);
    rows = lpi_mul(lpi_dims_product(y, 0, axis), inner);
    LP_TRY(lpi_run_reals(run, 0, &x));
    LP_TRY(lpi_run_room(run, 0, &to));
    in = LPI_NEW(run->scratch, double, lpi_mul(2, n));
    out = LPI_NEW(run->scratch, double, lpi_mul(2, n));
    if (in == NULL || out == NULL)
        return lpi_node_fail_memory(&node);
    for (int64_t row = 0; row < rows && n > 0; row++) {
        load_row(&node, x, axis, row, n, in);
        transform(in, n, 1, params->inverse ? 1 : -1, out);
        for (int64_t k = 0; k < y.dims[axis]; k++)
            for (int64_t p = 0; p < parts; p++)
                to[((row / inner * y.dims[axis] + k) * inner + row % inner) *
                       parts +
                   p] = out[2 * k + p] / (params->inverse ? (double)n : 1);
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* ---- STFT ---------------------------------------------------------------- */

/* Length of a frame and how far the next begins; -1: not known. */
static void frame_sizes(lpi_node *node, int64_t *ret_length, int64_t *ret_step)
{
    lp_shape window = lpi_in_shape(node, 2);
    lpi_list list;

    *ret_step = lpi_in_ints(node, 1, &list) && list.count == 1 ? list.ints[0]
                                                               : -1;
    *ret_length = -1;
    if (lpi_in(node, 3) != NULL) {
        if (lpi_in_ints(node, 3, &list) && list.count == 1)
            *ret_length = list.ints[0];
    } else if (window.rank == 1) {
        *ret_length = window.dims[0];
    } else if (lpi_in(node, 2) == NULL) {
        *ret_length = lpi_in_shape(node, 0).dims[1];
    }
}

static lp_status stft_shape(lpi_node *node)
{
    const signal_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t length, step, dims[4] = {-1, -1, -1, 2};

    if (x.rank < 0)
        return lpi_out_as(node, 0, 0);
    if ((x.rank != 2 && x.rank != 3) ||
        (x.rank == 3 && (x.dims[2] == 0 || x.dims[2] > 2)))
        return lpi_node_fail(node, "a signal of rank %d", x.rank);
    frame_sizes(node, &length, &step);
    if (step == 0 || length == 0 || step < -1 || length < -1 ||
        (length > 0 && x.dims[1] >= 0 && length > x.dims[1]))
        return lpi_node_fail(node, "frames of %lld, %lld apart",
                             (long long)length, (long long)step);
    dims[0] = x.dims[0];
    if (length > 0 && step > 0 && x.dims[1] >= 0)
        dims[1] = (x.dims[1] - length) / step + 1;
    if (length > 0)
        dims[2] = params->onesided ? length / 2 + 1 : length;
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), 4, dims);
}

static void stft_cost(const lpi_node *node, lp_cost *cost)
{
    const signal_params *params = node->params;
    lp_shape y = lpi_out_shape(node, 0);
    int64_t frames = lpi_mul(y.dims[0], y.dims[1]);
    int64_t n = params->onesided ? lpi_mul(2, y.dims[2] - 1) : y.dims[2];

    transform_cost(cost, frames, n);
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_MUL, lpi_mul(frames, n));
}

static lp_status stft_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t parts = x.rank == 3 ? x.dims[2] : 1, step, n = x.dims[1];
    const double *from, *window;
    double *to, *in, *out;

    LP_TRY(lpi_run_int(run, 1, &step));
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_reals(run, 2, &window));
    if (window != NULL)
        n = lpi_in_elements(run->node, 2);
    if (lpi_in(run->node, 3) != NULL)
        LP_TRY(lpi_run_int(run, 3, &n));
    if (window != NULL && lpi_in_elements(run->node, 2) != n)
        return lpi_node_fail(run->node, "the window is not as long as a frame");
    LP_TRY(lpi_run_room(run, 0, &to));
    in = LPI_NEW(run->scratch, double, lpi_mul(2, n));
    out = LPI_NEW(run->scratch, double, lpi_mul(2, n));
    if (in == NULL || out == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < y.dims[0] * y.dims[1]; i++) {
        int64_t first = i / y.dims[1] * x.dims[1] + i % y.dims[1] * step;

        for (int64_t k = 0; k < n; k++)
            for (int64_t p = 0; p < 2; p++)
                in[2 * k + p] = p < parts ? from[(first + k) * parts + p] *
                                                (window != NULL ? window[k] : 1)
                                          : 0;
        transform(in, n, 1, -1, out);
        memcpy(to + i * y.dims[2] * 2, out,
               (size_t)y.dims[2] * 2 * sizeof(*to));
    }
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

#define SIGNAL(name_, since_, least, most, specs_)                             \
    .domain = "", .name = name_, .since = since_, .inputs_min = least,         \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1,                    \
    .params_size = sizeof(signal_params), .specs = specs_

const lp_op lpi_ops_signal[] = {
    {SIGNAL("DFT", 17, 1, 3, dft_specs), .roles = "di", .settle = dft_settle,
     .shape = dft_shape, .cost = dft_cost, .run = dft_run,
     .samples =
         "opset 20; input x: float32[1, 10, 10, 1]; y = DFT(x) {onesided: 1}; "
         "output y\n---\n"
         "opset 17; input x: float32[1, 10, 10, 2]; y = DFT(x) {axis: 1, "
         "inverse: 1}; output y"},
    {SIGNAL("STFT", 17, 2, 4, stft_specs), .operands = ".*,.!,.w,.!",
     .roles = "didi", .shape = stft_shape, .cost = stft_cost, .run = stft_run,
     .samples =
         "opset 17; input x: float32[1, 128, 1]; weight s: int64[] = {8}; "
         "weight w: float32[16]; y = STFT(x, s, w); output y"},
    {.name = NULL},
};
