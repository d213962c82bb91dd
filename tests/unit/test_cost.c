/* test_cost.c: whose weights are whose, at which width, and what bodies cost.
 */
#include "counted.h"

/* ---- weights ----------------------------------------------------------------
 */

#define DEQUANTIZED                                                            \
    "opset 21; input x: float32[1, 8]; weight w: int8[8, 4];"                  \
    "weight s: float32[4]; weight z: int8[4];"                                 \
    "d = DequantizeLinear(w, s, z) {axis: 1}; t = Identity(d);"                \
    "y = MatMul(x, t); output y"

static void weights_behind_folded_layers(void **unused)
{
    counted got = count(DEQUANTIZED);
    const lp_cost *cost = &row(got, "y")->cost;

    (void)unused;
    assert_int_equal(row(got, "d")->status, LP_FOLDED);
    assert_int_equal(row(got, "d")->cost.weight_bytes, 0);
    assert_int_equal(got.report->layers, 1);
    assert_int_equal(got.report->folded, 2);
    assert_int_equal(cost->macs_linear, 32);
    assert_int_equal(cost->params, 32);
    assert_int_equal(cost->quant_params, 8);
    assert_int_equal(cost->weight_bytes, 32 + 16 + 4);
    assert_int_equal(cost->read_bytes, 32 + 52);
    assert_int_equal(convention(got, "params"), 32);
    assert_int_equal(convention(got, "params-stored"), 40);
    assert_int_equal(convention(got, "params-operands"), 32);
    drop(got);
}

static void weights_at_other_widths(void **unused)
{
    static const struct {
        lp_dtype dtype;
        int64_t params_bytes;
    } cases[] = {{LP_FLOAT32, 128},
                 {LP_FLOAT16, 64},
                 {LP_INT8, 32},
                 {LP_INT4, 16},
                 {LP_INT2, 8}};
    int32_t i;

    (void)unused;
    for (i = 0; i < LPI_COUNT(cases); i++) {
        counted got = count_as(DEQUANTIZED, cases[i].dtype);
        int64_t weight = cases[i].params_bytes + 20;

        assert_int_equal(got.report->total.params, 32);
        assert_int_equal(got.report->total.weight_bytes, weight);
        assert_int_equal(got.report->total.read_bytes,
                         32 + (weight < 128 ? weight : 128));
        assert_int_equal(got.report->weights_as[i].dtype, cases[i].dtype);
        assert_int_equal(got.report->weights_as[i].bytes,
                         cases[i].params_bytes);
        drop(got);
    }
}

static void reads_follow_in_gathered_rows(void **unused)
{
    static const char text[] =
        "opset 17; input i: int64[3]; weight table: float32[100, 16];"
        "y = Gather(table, i); output y";
    counted whole = count(text), half = count_as(text, LP_FLOAT16);

    (void)unused;
    assert_int_equal(whole.report->total.read_bytes, 24 + 3 * 64);
    assert_int_equal(half.report->total.read_bytes, 24 + 3 * 32);
    assert_int_equal(half.report->total.weight_bytes, 3200);
    drop(whole);
    drop(half);
}

static void stored_once_charged_once(void **unused)
{
    counted got = count("opset 17; input x: float32[2, 8];"
                        "weight a: float32[8, 8] @ \"f\" 0 256;"
                        "weight b: float32[8, 8] @ \"f\" 0 256;"
                        "weight c: float32[8, 8] @ \"g\" 0 256;"
                        "p = MatMul(x, a); q = MatMul(p, b);"
                        "r = MatMul(q, c); y = MatMul(r, a); output y");

    (void)unused;
    assert_int_equal(row(got, "p")->cost.params, 64);
    assert_int_equal(row(got, "q")->cost.params, 0);
    assert_int_equal(row(got, "r")->cost.params, 64);
    assert_int_equal(row(got, "y")->cost.params, 0);
    assert_int_equal(row(got, "y")->cost.read_bytes, 64 + 256);
    assert_int_equal(got.report->total.weight_bytes, 512);
    drop(got);
}

static void constants_and_shapes(void **unused)
{
    static const char small[] =
        "opset 17; input x: float32[2, 8]; weight s: int64[2] = {4, 4};"
        "k = Constant() {value: tensor float32[8] = {1., 2., 3., 4., 5., 6.,"
        " 7., 8.}}; m = Mul(x, k);";
    char text[512];
    counted got;

    (void)unused;
    snprintf(text, sizeof(text), "%s y = Reshape(m, s); output y", small);
    got = count(text);
    assert_int_equal(got.report->total.params, 8);
    assert_int_equal(convention(got, "params-operands"), 10);
    drop(got);
    snprintf(text, sizeof(text),
             "%s weight w: float32[8]; n = Add(m, w);"
             "y = Reshape(n, s); output y",
             small);
    got = count(text);
    assert_int_equal(got.report->total.params, 8);
    assert_int_equal(row(got, "m")->cost.params, 0);
    assert_int_equal(row(got, "n")->cost.params, 8);
    assert_int_equal(row(got, "y")->cost.weight_bytes, 0);
    drop(got);
}

/* An int8 table is weights to the layer that gathers from it; the scale of
 * weights that is multiplied with a scale found at run time is no weight. */
static void weights_of_dynamic_quantization(void **unused)
{
    counted got = count(
        "opset 21; input i: int64[4]; weight table: uint8[50, 8];"
        "weight s: float32[]; weight z: uint8[]; weight w: int8[8, 3];"
        "weight ws: float32[]; weight wz: int8[]; g = Gather(table, i);"
        "x = DequantizeLinear(g, s, z); q, xs, xz = DynamicQuantizeLinear(x);"
        "m = MatMulInteger(q, w, xz, wz); f = Cast(m) {to: 1};"
        "k = Mul(xs, ws); y = Mul(f, k); output y");

    (void)unused;
    assert_int_equal(row(got, "g")->cost.params, 400);
    assert_int_equal(row(got, "x")->cost.quant_params, 2);
    assert_int_equal(row(got, "m")->cost.params, 24);
    assert_int_equal(row(got, "m")->cost.quant_params, 1);
    assert_int_equal(row(got, "k")->cost.params, 0);
    assert_int_equal(row(got, "k")->cost.quant_params, 1);
    assert_int_equal(got.report->total.params, 424);
    drop(got);
}

static void packed_weights(void **unused)
{
    counted got = count(
        "opset 17; opset com.microsoft 1; input a: float32[1, 8, 64];"
        "weight b: uint8[48, 2, 16]; weight s: float32[96]; weight z: "
        "uint8[48]; y = com.microsoft.MatMulNBits(a, b, s, z) {K: 64, N: 48, "
        "bits: 4, block_size: 32}; output y");

    (void)unused;
    assert_int_equal(got.report->total.params, 64 * 48);
    assert_int_equal(got.report->total.quant_params, 96 + 48);
    assert_int_equal(got.report->total.weight_bytes, 1536 + 384 + 48);
    assert_int_equal(got.report->total.macs_linear, 8 * 64 * 48);
    assert_int_equal(got.report->weights_as[2].bytes, 64 * 48);
    drop(got);
}

/* ---- bodies
 * ------------------------------------------------------------------- */

/* A branch that holds "n" tensors of the size of x at once. */
#define BRANCH_2 "graph { a = Relu(x); output a }"
#define BRANCH_3 "graph { b = Relu(x); c = Neg(b); d = Add(b, c); output d }"

static void bodies_are_workspace(void **unused)
{
    counted got = count("opset 17; input c: bool[]; input x: float32[256];"
                        "y = If(c) {then_branch: " BRANCH_2
                        ", else_branch: " BRANCH_3 "}; output y");

    (void)unused;
    assert_int_equal(row(got, "y")->live_bytes, 1 + 2 * 1024 + 3 * 1024);
    assert_int_equal(row(got, "y")->status, LP_ESTIMATED);
    assert_string_equal(got.report->peak[0].tensor, "(workspace)");
    assert_int_equal(got.report->peak[0].bytes, 3 * 1024);
    drop(got);
    got = count("opset 17; weight c: bool[] = {1}; input x: float32[256];"
                "y = If(c) {then_branch: " BRANCH_2 ", else_branch: " BRANCH_3
                "}; output y");
    assert_int_equal(row(got, "y")->live_bytes, 2 * 1024 + 1024);
    assert_int_equal(row(got, "y")->status, LP_EXACT);
    drop(got);
}

static void bodies_pay_for_their_weights(void **unused)
{
    counted got = count(
        "opset 17; input x: float32[2, 4]; weight n: int64[] = {3};"
        "weight w: float32[4, 4]; weight on: bool[] = {1};"
        "y = Loop(n, on, x) {body: graph { input i: int64[]; input c: bool[];"
        "input h: float32[2, 4]; weight v: float32[4, 4];"
        "d = Identity(c); p = MatMul(h, w); q = MatMul(p, v);"
        "output d; output q }}; z = MatMul(y, w); output z");

    (void)unused;
    assert_int_equal(row(got, "y")->cost.params, 32);
    assert_int_equal(row(got, "y")->cost.macs_linear, 3 * 2 * 32);
    assert_int_equal(row(got, "z")->cost.params, 0);
    drop(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_behind_folded_layers),
        cmocka_unit_test(weights_at_other_widths),
        cmocka_unit_test(reads_follow_in_gathered_rows),
        cmocka_unit_test(stored_once_charged_once),
        cmocka_unit_test(constants_and_shapes),
        cmocka_unit_test(weights_of_dynamic_quantization),
        cmocka_unit_test(packed_weights),
        cmocka_unit_test(bodies_are_workspace),
        cmocka_unit_test(bodies_pay_for_their_weights),
    };

    return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
