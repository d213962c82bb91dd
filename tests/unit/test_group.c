/* test_group.c: groups run by tiles: random nets of windows, sums and joins,
 * halos computed again or rows kept, against the run of the whole.
 *
 * A net is one group, cut along an axis of its result.  What its tiles compute
 * is compared byte by byte (by lp_model_run), arena and multiplies with what
 * was planned; a group that keeps rows multiplies no more than the whole. */
#include "tiled.h"

enum { NETS = 400, DEEP = 9 };

/* A net under way: tensors t0 (the input), t1, ... of [1, channels, rows,
 * columns]. */
typedef struct net {
    lpi_text text;
    int32_t channels[64], rows[64], columns[64];
    int32_t count, weights;
    bool is_even; /* every element of every tensor is needed */
} net;

static int32_t fresh(net *n, int32_t channels, int32_t rows, int32_t columns)
{
    n->channels[n->count] = channels;
    n->rows[n->count] = rows;
    n->columns[n->count] = columns;
    return n->count++;
}

/* The tensor made last, or one that has its shape. */
static int32_t alike(const net *n)
{
    int32_t last = n->count - 1, other = pick(n->count);

    return n->channels[other] == n->channels[last] &&
                   n->rows[other] == n->rows[last] &&
                   n->columns[other] == n->columns[last]
               ? other
               : last;
}

/* "attrs" of a window of "taps" at "stride"; false when it does not fit. */
static bool add_window(net *n, int32_t a, bool is_conv)
{
    int32_t taps = 1 + pick(3), stride = 1 + (pick(4) == 0);
    int32_t step = is_conv ? 1 + (pick(5) == 0) : 1;
    int32_t pad = pick(taps), reach = (taps - 1) * step + 1;
    int32_t rows = n->rows[a] + 2 * pad - reach;
    int32_t columns = n->columns[a] + 2 * pad - reach;
    int32_t out = is_conv && pick(4) ? 1 + pick(4) : n->channels[a];
    int32_t group = is_conv && out == n->channels[a] && pick(3) == 0 ? out : 1;
    int32_t to;

    if (rows < 0 || columns < 0 || (!is_conv && 2 * pad > taps))
        return false;
    n->is_even = n->is_even && (stride == 1 || taps >= stride) &&
                 rows % stride == 0 && columns % stride == 0;
    to = fresh(n, is_conv ? out : n->channels[a], rows / stride + 1,
               columns / stride + 1);
    if (is_conv) {
        n->weights++;
        lpi_text_printf(&n->text,
                        "weight w%d: float32[%d, %d, %d, %d]; t%d = Conv(t%d, "
                        "w%d) {group: %d, dilations: [%d, %d], ",
                        n->weights, out, n->channels[a] / group, taps, taps, to,
                        a, n->weights, group, step, step);
    } else {
        lpi_text_printf(&n->text, "t%d = %s(t%d) {kernel_shape: [%d, %d], ", to,
                        pick(2) ? "MaxPool" : "AveragePool", a, taps, taps);
    }
    lpi_text_printf(&n->text, "strides: [%d, %d], pads: [%d, %d, %d, %d]};\n",
                    stride, stride, pad, pad, pad, pad);
    return true;
}

static void add_layer(net *n)
{
    static const char *const unary[] = {"Relu", "Sigmoid", "Tanh"};
    int32_t a = n->count - 1, b = alike(n), to;

    switch (pick(6)) {
    case 0:
        to = fresh(n, n->channels[a], n->rows[a], n->columns[a]);
        lpi_text_printf(&n->text, "t%d = %s(t%d);\n", to, unary[pick(3)], a);
        return;
    case 1:
        to = fresh(n, n->channels[a], n->rows[a], n->columns[a]);
        lpi_text_printf(&n->text, "t%d = %s(t%d, t%d);\n", to,
                        pick(2) ? "Add" : "Mul", a, b);
        return;
    case 2:
        to = fresh(n, 2 * n->channels[a], n->rows[a], n->columns[a]);
        lpi_text_printf(&n->text, "t%d = Concat(t%d, t%d) {axis: 1};\n", to, a,
                        b);
        return;
    default:
        add_window(n, a, pick(3) > 0);
    }
}

static lp_model *draw_net(net *n)
{
    int32_t layers = 2 + pick(DEEP - 1);

    *n = (net){.is_even = true};
    fresh(n, 1 + pick(3), 5 + pick(12), 4 + pick(6));
    lpi_text_printf(&n->text, "opset 17; input t0: float32[1, %d, %d, %d];\n",
                    n->channels[0], n->rows[0], n->columns[0]);
    while (layers-- > 0)
        add_layer(n);
    if (n->count == 1)
        lpi_text_printf(&n->text, "t%d = Relu(t0);\n",
                        fresh(n, n->channels[0], n->rows[0], n->columns[0]));
    lpi_text_printf(&n->text, "output t%d", n->count - 1);
    if (pick(4) == 0 && n->count > 2)
        lpi_text_printf(&n->text, "; output t%d", 1 + pick(n->count - 2));
    assert_false(n->text.failed);
    return read_model(n->text.bytes);
}

/* Run all layers of "model" as one group cut along "axis"; -1: refused, else
 * its multiplies. */
static int64_t macs_in_tiles(const lp_model *model, int32_t axis,
                             int32_t extent, bool keeps)
{
    lp_schedule *schedule;
    lp_run *run;
    int64_t macs = -1;
    char tiles[96];

    snprintf(tiles, sizeof(tiles),
             "tiles: [{axis: %d, extent: %d}], overlap: %s", axis, extent,
             keeps ? "keep" : "recompute");
    schedule = read_group(model, 16, tiles);
    run = run_group(schedule);
    if (run)
        macs = run->predicted.macs;
    lp_run_free(run);
    lp_schedule_free(schedule);
    return macs;
}

static int64_t macs_of(const lp_model *model)
{
    lp_run_options options = {.fill_weights = true, .threads = 1};
    lp_run *run = NULL;
    int64_t macs;

    assert_int_equal(lp_model_run(model, &options, &run, NULL), LP_OK);
    macs = run->predicted.macs;
    lp_run_free(run);
    return macs;
}

static void test_groups(void **ignored)
{
    int32_t ran[2] = {0, 0}, even = 0, i;

    (void)ignored;
    for (i = 0; i < NETS; i++) {
        net n;
        lp_model *model = draw_net(&n);
        int32_t axis = pick(5) ? 2 : 3, extent = 1 + pick(5);
        int64_t whole = macs_of(model);
        int64_t again = macs_in_tiles(model, axis, extent, false);
        int64_t kept = macs_in_tiles(model, axis, extent, true);

        ran[0] += again >= 0;
        ran[1] += kept >= 0;
        if (kept > whole || (again >= 0 && kept > again))
            fail_msg("%lld multiplies, %lld again, %lld whole:\n%s",
                     (long long)kept, (long long)again, (long long)whole,
                     n.text.bytes);
        if (kept >= 0 && n.is_even && axis == 2) {
            even++;
            if (kept != whole)
                fail_msg("%lld multiplies, %lld whole:\n%s", (long long)kept,
                         (long long)whole, n.text.bytes);
        }
        lp_model_free(model);
        lpi_text_drop(&n.text);
    }
    print_message("%d of %d groups computed again, %d kept, %d of them even\n",
                  ran[0], NETS, ran[1], even);
    assert_true(ran[0] > NETS / 3 && ran[1] > NETS / 3 && even > NETS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
