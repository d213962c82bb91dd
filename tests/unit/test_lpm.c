/* test_lpm.c: the text form of models, both ways. */
#include <locale.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

/* One of everything. */
static const char everything[] =
    "lpm 1\n"
    "model \"a \\\"b\\\" \\\\ \\n\\t\\x01\\xff \xc3\xa9\"\n"
    "producer \"by hand\"\n"
    "ir 8\n"
    "opset 17\n"
    "opset com.microsoft 1\n"
    "input x: float32[1, 3, height, \"w + 1\", ?]\n"
    "input s: sequence(float32[?])\n"
    "input o: optional(int64)\n"
    "input m: map(undefined)\n"
    "input bare\n"
    "weight w: float32[2, 2] = {1.0, -2.5e-08, 0.125, nan}\n"
    "weight h: float16[3] = {1.0, 65504.0, -inf}\n"
    "weight nan16: float16[2] = hex\"017e0100\"\n"
    "weight b: bfloat16[2] = {0.100097656, inf}\n"
    "weight i4: int4[3] = {-8, 7, 1}\n"
    "weight padded: int4[3] = hex\"78f1\"\n"
    "weight u2: uint2[5] = {0, 1, 2, 3, 1}\n"
    "weight f8: float8e4m3fn[2] = {448.0, nan}\n"
    "weight inf8: float8e5m2[2] = hex\"7cfc\"\n"
    "weight scale: float8e8m0[2] = {1.0, 0.5}\n"
    "weight c: complex64[2] = {1.0, 2.0, 3.0, 4.0}\n"
    "weight u64: uint64[1] = {18446744073709551615}\n"
    "weight i64: int64[2] = {-9223372036854775808, 9223372036854775807}\n"
    "weight truth: bool[2] = {1, 0}\n"
    "weight d: float64[2] = {0.1, -0.0}\n"
    "weight none: float32[3, 0] = {}\n"
    "weight scalar: int32[] = {5}\n"
    "weight absent: string[4]\n"
    "weight outside: float32[1000] @ \"file.data\" 4096 4000\n"
    "weight coded: int32[10] @ \"m.onnx\" 12 30 varint\n"
    "weight whole: int32[10] @ \"m.onnx\"\n"
    "z = Conv(x, w) {kernel_shape: [3, 3], a: 1.0, b: \"s\", c: ints[], "
    "d: [1.0, 2.5], e: [\"x\", \"y\"], t: tensor int64[2] = {1, -2}, "
    "u: floats[], v: strings[], o: other, i: -9223372036854775808} "
    "name \"/z/Conv\" module \"/z\"\n"
    "value z: float32[1, ?]\n"
    "output = Relu(z)\n"
    "\"a:0\", _, r = com.microsoft.Foo(_, x)\n"
    "dotted = a.b(\"a:0\") domain \"dd\"\n"
    "old = Add(r, r) opset 6\n"
    "late = Neg(old)\n"
    "y = If(truth) {then_branch: graph {\n"
    "    k = Add(output, late)\n"
    "    output k: float32[1]\n"
    "}, else_branch: graph {\n"
    "    model \"inner\"\n"
    "    input i\n"
    "    weight inside: int8[1] = {-1}\n"
    "    k = If(i) {then_branch: graph {\n"
    "        output z\n"
    "    }, else_branch: graph {\n"
    "        v = Neg(late)\n"
    "        output v\n"
    "    }}\n"
    "    output k\n"
    "}}\n"
    "_ = Sink(y)\n"
    "output y\n"
    "output output: float32[?]\n";

static lp_model *read_text(const char *text)
{
    lp_error error = {0};
    lp_model *model = NULL;

    if (lpi_lpm_read(text, strlen(text), "t.lpm", 0, &model, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

/* The text form of "model", which is freed; free the text. */
static char *write_text(lp_model *model)
{
    lpi_text text = {0};
    lp_error error = {0};

    if (lpi_lpm_write(model, &text, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    lp_model_free(model);
    return text.bytes;
}

static void assert_reads_as(const char *text, const char *expected)
{
    char *got = write_text(read_text(text));

    assert_string_equal(got, expected);
    lp_text_free(got);
}

static void everything_stays(void **state)
{
    (void)state;
    assert_reads_as(everything, everything);
}

/* What people may write, and how it is written back. */
static void freedoms(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"y = Relu(x); input x: f32 [ 2 , n ]; output y # end",
         "lpm 1\nopset 28\ninput x: float32[2, n]\ny = Relu(x)\noutput y\n"},
        {"\r\n\n;;lpm 1;\ny = ai.onnx.Relu(\nx,\n_ # absent\n, _)\ninput x",
         "lpm 1\nopset 28\ninput x\ny = Relu(x)\n"},
        {"opset ai.onnx 9; input input; output = Add(input, input)\n"
         "output output",
         "lpm 1\nopset 9\ninput input\noutput = Add(input, input)\n"
         "output output\n"},
        {"weight w: f32[5] = {1, 1e3, 0x1p-2, +2, nan}",
         "lpm 1\nweight w: float32[5] = {1.0, 1000.0, 0.25, 2.0, nan}\n"},
        {"weight w: float32[2] = hex\"0000803f00000040\"",
         "lpm 1\nweight w: float32[2] = {1.0, 2.0}\n"},
        {"weight w: bool[2] = {true, false}",
         "lpm 1\nweight w: bool[2] = {1, 0}\n"},
        {"c = Constant() {}; b = Relu(a) name c; a = Relu(c) name a",
         "lpm 1\nopset 28\nc = Constant()\na = Relu(c)\n"
         "b = Relu(a) name \"c\"\n"},
        {"model m; y = F(x) {v: floats[1, 2], w: ints[3]} domain \"q\"\n"
         "input x",
         "lpm 1\nmodel \"m\"\ninput x\ny = q.F(x) {v: [1.0, 2.0], w: [3]}\n"},
        {"\"\\x41\" = Relu(x); input x; value A: float32",
         "lpm 1\nopset 28\ninput x\nA = Relu(x)\nvalue A: float32\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_reads_as(cases[i].text, cases[i].expected);
}

/* The weight "w" of "text" has the bits of "expected". */
static void assert_bits(const char *text, const void *expected, size_t size)
{
    lp_model *model = read_text(text);
    lp_tensor *tensor = lpi_tensor_find(model, "w");

    assert_int_equal(tensor->payload.length, size);
    assert_memory_equal(tensor->payload.bytes, expected, size);
    lp_model_free(model);
}

/* Write the weight w of "dtype" with the content "bytes" to a text, through
 * the writer; its bits come back. */
static void assert_bits_come_back(lp_dtype dtype, int64_t count,
                                  const void *bytes)
{
    lp_model *model = lpi_model_new("t", 0);
    int64_t size = lpi_storage_bytes(dtype, count);
    lp_tensor *tensor = NULL;
    char *text;

    assert_int_equal(lpi_tensor_add(model, "w", LPI_WEIGHT, &tensor, NULL),
                     LP_OK);
    tensor->dtype = dtype;
    tensor->shape = (lp_shape){1, &count};
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = bytes, .length = size};
    text = write_text(model);
    assert_bits(text, bytes, (size_t)size);
    lp_text_free(text);
}

/* All bytes of every dtype, in pieces small enough for values; bits that no
 * value has come back through digits. */
static void all_contents_are_exact(void **state)
{
    uint8_t bytes[1024], more[2048];
    uint32_t seed = 1;
    int dtype, round;
    size_t i;

    (void)state;
    for (dtype = LP_FLOAT32; dtype < LP_DTYPE_COUNT; dtype++) {
        int32_t bits = lp_dtype_bits((lp_dtype)dtype);

        if (!bits)
            continue;
        for (round = 0; round < 64; round++) {
            for (i = 0; i < sizeof(bytes); i++) {
                seed = seed * 1664525u + 1013904223u;
                bytes[i] = (uint8_t)(seed >> 24);
            }
            assert_bits_come_back((lp_dtype)dtype, 16 * 8 / bits + 1, bytes);
        }
        assert_bits_come_back((lp_dtype)dtype, 0, bytes);
        memset(more, 0x11, sizeof(more));
        assert_bits_come_back((lp_dtype)dtype, 2048 * 8 / bits, more);
    }
    for (round = 0; round < 1 << 16; round += 512) {
        uint16_t codes[512];

        for (i = 0; i < 512; i++)
            codes[i] = (uint16_t)((size_t)round + i);
        assert_bits_come_back(LP_FLOAT16, 512, codes);
        assert_bits_come_back(LP_BFLOAT16, 512, codes);
    }
}

static void numbers_keep_their_point(void **state)
{
    static const char text[] = "lpm 1\nopset 1\ny = F() {a: 1.5, b: [0.25]}\n"
                               "weight w: float64[1] = {1.5}\n";
    static const char expected[] =
        "lpm 1\nopset 1\nweight w: float64[1] = {1.5}\n"
        "y = F() {a: 1.5, b: [0.25]}\n";

    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    assert_reads_as(text, expected);
    assert_string_equal(localeconv()->decimal_point, ",");
    setlocale(LC_ALL, "C");
}

/* "depth" bodies inside each other. */
static char *nested(int depth)
{
    lpi_text text = {0};
    int i;

    for (i = 0; i < depth; i++)
        lpi_text_printf(&text, "y%d = If(x) {b: graph {", i);
    lpi_text_put(&text, "z = Relu(x)");
    for (i = 0; i < depth; i++)
        lpi_text_put(&text, "}}");
    lpi_text_put(&text, "; input x");
    return text.bytes;
}

static void bodies_nest_so_deep(void **state)
{
    char *text = nested(64);
    lp_model *model = read_text(text);
    lp_error error = {0};
    char *again;

    (void)state;
    lp_text_free(text);
    text = write_text(model);
    again = write_text(read_text(text));
    assert_string_equal(text, again);
    lp_text_free(text);
    lp_text_free(again);
    text = nested(65);
    assert_int_equal(lpi_lpm_read(text, strlen(text), "t", 0, &model, &error),
                     LP_EINPUT);
    assert_string_equal(error.message, "bodies are nested more than 64 deep");
    lp_text_free(text);
}

/* Operands that settling adds are not written, and nothing else changes. */
static void settling_leaves_no_trace(void **state)
{
    static const char text[] =
        "lpm 1\nopset 9\ninput x: float32[n, 1, 3]\n"
        "weight scales: float32[2] = {1.0, 2.0}\n"
        "y = Squeeze(x) {axes: [1]}\nz = ReduceSum(y) {axes: [0]}\n"
        "u = Upsample(z, scales)\noutput u\n";
    const lp_binding dims[] = {{"n", 2}};
    const lp_load_options options = {.dims = dims, .dims_count = 1};
    lp_error error = {0};
    lp_model *model;
    char *got;

    (void)state;
    if (lp_model_read(text, strlen(text), "t", &options, &model, &error))
        fail_msg("%s: %s", error.where, error.message);
    assert_int_equal(lp_model_dump(model, &got, NULL, &error), LP_OK);
    lp_model_free(model);
    assert_string_equal(got, text);
    lp_text_free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_stays),
        cmocka_unit_test(freedoms),
        cmocka_unit_test(all_contents_are_exact),
        cmocka_unit_test(numbers_keep_their_point),
        cmocka_unit_test(bodies_nest_so_deep),
        cmocka_unit_test(settling_leaves_no_trace),
    };

    return cmocka_run_group_tests_name("lpm", tests, NULL, NULL);
}
