/* test_split.c: sums in parts, as a schedule says, against whole ones.
 *
 * Products and convolutions of many shapes, floats and 8-bit integers, their
 * sums cut into parts of drawn extents, alone or beside an axis of the result:
 * the same bytes, the multiplies of the whole, and only the slice of the
 * weights in flight.  Operators that sum in trees are refused. */
#include "tiled.h"

enum { ROUNDS = 40 };

/* Models of one layer; %d: drawn extents, the terms among them; "axes": how
 * many axes the result has. */
static const struct {
    const char *text;
    int32_t axes;
} layers[] = {
    {"opset 17; input x: float32[%2$d, %1$d]; weight w: float32[%1$d, %3$d]; y "
     "= MatMul(x, w); output y",
     2},
    {"opset 17; input x: float32[2, %2$d, %1$d]; input w: float32[2, %1$d, "
     "%3$d]; y = MatMul(x, w); output y",
     3},
    {"opset 17; input x: float32[%2$d, %1$d]; weight w: float32[%1$d]; y = "
     "MatMul(x, w); output y",
     1},
    {"opset 17; input x: float32[%1$d]; weight w: float32[%1$d, %3$d]; y = "
     "MatMul(x, w); output y",
     1},
    {"opset 17; input x: float32[%2$d, %1$d]; weight w: float32[%3$d, %1$d]; "
     "weight b: float32[%3$d]; y = Gemm(x, w, b) {transB: 1, alpha: 0.5, beta: "
     "2.0}; output y",
     2},
    {"opset 17; input x: float32[%1$d, %2$d]; weight w: float32[%1$d, %3$d]; y "
     "= Gemm(x, w) {transA: 1}; output y",
     2},
    {"opset 17; input x: float32[2, %1$d, 6, %2$d]; weight w: float32[%3$d, "
     "%1$d, 3, 3]; weight b: float32[%3$d]; y = Conv(x, w, b) {pads: [1, 1, 1, "
     "1], strides: [1, 2]}; output y",
     4},
    {"opset 17; input x: float32[1, %1$d, 5, %2$d]; weight w: float32[%3$d, "
     "%1$d, 1, 1]; y = Conv(x, w); output y",
     4},
    {"opset 17; input x: uint8[%2$d, %1$d]; weight w: int8[%1$d, %3$d]; weight "
     "z: uint8[] = {12}; y = MatMulInteger(x, w, z); output y",
     0},
    {"opset 17; input x: uint8[1, %1$d, 5, %2$d]; weight w: uint8[%3$d, %1$d, "
     "2, 3]; weight z: uint8[] = {3}; weight v: uint8[] = {7}; y = "
     "ConvInteger(x, w, z, v) {pads: [1, 1, 1, 1]}; output y",
     4},
};

/* A schedule of the only layer of "model" cut along its sums, and along "axis"
 * unless it is below 0. */
static lp_schedule *cut(const lp_model *model, int64_t terms, int32_t axis,
                        int32_t extent)
{
    lp_error error = {.status = LP_OK};
    lp_schedule *schedule, *again = NULL;
    size_t length;
    char *said, tiles[128];

    if (axis >= 0)
        snprintf(tiles, sizeof(tiles),
                 "tiles: [{axis: reduction, extent: %lld}, {axis: %d, extent: "
                 "%d}]",
                 (long long)terms, axis, extent);
    else
        snprintf(tiles, sizeof(tiles),
                 "tiles: [{axis: reduction, extent: %lld}]", (long long)terms);
    schedule = read_group(model, 64, tiles);
    if (lp_schedule_write(schedule, &said, &length, &error) != LP_OK ||
        lp_schedule_read(model, said, length, "again", &again, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    lp_text_free(said);
    lp_schedule_free(schedule);
    return again;
}

/* Run "model" so; false: refused. */
static bool run_cut(const lp_model *model, int64_t terms, int32_t axis,
                    int32_t extent)
{
    const lp_run_options options = {.fill_weights = true, .threads = 1};
    lp_schedule *schedule = cut(model, terms, axis, extent);
    lp_run *run = run_group(schedule), *whole = NULL;
    bool ran = run != NULL;

    assert_int_equal(lp_model_run(model, &options, &whole, NULL), LP_OK);
    if (ran && axis < 0)
        assert_int_equal(run->measured.macs, whole->measured.macs);
    lp_run_free(run);
    lp_run_free(whole);
    lp_schedule_free(schedule);
    return ran;
}

static void test_parts(void **ignored)
{
    (void)ignored;
    for (int32_t i = 0; i < LPI_COUNT(layers); i++)
        for (int32_t round = 0; round < ROUNDS; round++) {
            int32_t terms = 2 + pick(round % 4 ? 40 : 700);
            int32_t m = 3 + pick(round % 4 ? 6 : 40), n = 1 + pick(40);
            char text[1024];
            lp_model *model;
            bool ran;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof(text), layers[i].text, terms, m, n);
#pragma GCC diagnostic pop
            model = read_model(text);
            ran = run_cut(model, 1 + pick(terms), -1, 0);
            if (!ran)
                fail_msg("refused: %s", text);
            if (layers[i].axes)
                run_cut(model, 1 + pick(terms), pick(layers[i].axes),
                        1 + pick(9));
            lp_model_free(model);
        }
}

/* What is in flight falls to the slice, as predicted. */
static void test_flight(void **ignored)
{
    lp_model *model = read_model("opset 17; input x: float32[4, 1024]; weight "
                                 "w: float32[1024, 512]; y = "
                                 "MatMul(x, w); output y");
    const int64_t all = 1024 * 512 * 4, parts[] = {1024, 512, 64, 100};

    (void)ignored;
    for (int32_t i = 0; i < LPI_COUNT(parts); i++) {
        lp_schedule *schedule = cut(model, parts[i], -1, 0);
        lp_run_options options = {.schedule = schedule, .fill_weights = true};
        lp_run *run = NULL;
        int64_t slice = parts[i] * 512 * 4;

        assert_int_equal(lp_model_run(model, &options, &run, NULL), LP_OK);
        assert_int_equal(run->results, LP_RESULTS_EQUAL);
        assert_int_equal(
            run->predicted.fast_peak_bytes - run->predicted.arena_bytes, slice);
        assert_int_equal(run->weights_peak_bytes, slice);
        assert_true(slice <= all);
        lp_run_free(run);
        lp_schedule_free(schedule);
    }
    lp_model_free(model);
}

static void test_refused(void **ignored)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"opset 17; input x: float32[4, 8]; y = Softmax(x); output y",
         "fixed tree"},
        {"opset 17; input x: float16[4, 8]; weight w: float16[8, 3]; y = "
         "MatMul(x, w); output y",
         "narrower"},
        {"opset 17; input x: float32[1, 4, 8, 8]; weight w: float32[4, 2, 3, "
         "3]; y = Conv(x, w) {group: 2}; output y",
         "groups"},
    };

    (void)ignored;
    for (int32_t i = 0; i < LPI_COUNT(bad); i++) {
        lp_model *model = read_model(bad[i].text);
        lp_schedule *schedule = cut(model, 2, -1, 0);
        lp_error error = {.status = LP_OK};
        lp_predictions predictions;
        lp_refusal refusal;

        assert_int_not_equal(
            lp_schedule_check(schedule, &predictions, &refusal, &error), LP_OK);
        if (!strstr(error.message, bad[i].why))
            fail_msg("%s: %s", bad[i].why, error.message);
        lp_schedule_free(schedule);
        lp_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_flight),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
