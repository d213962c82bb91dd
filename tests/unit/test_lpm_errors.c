/* test_lpm_errors.c: what the text form refuses, and that it never breaks. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

static const struct {
    const char *text;
    int line;
    const char *reason; /* begins the message */
} refused[] = {
    /* statements */
    {"", 1, "the text holds no model"},
    {"\n# nothing\n;", 3, "the text holds no model"},
    {"lpm 2", 1, "the version of the text form must be from 1 to 1, not 2"},
    {"opset 17; lpm 1", 1, "lpm must be the first statement"},
    {"foo x: float32", 1, "expected ',' or '=', found 'x'"},
    {"= Relu(x)", 1, "expected a statement, found '='"},
    {"17", 1, "expected a statement, found '17'"},
    {"model a\nmodel b", 2, "given twice, here as 'b'"},
    {"model \"\"", 1, "expected the name of the model"},
    {"ir x", 1, "expected the version of the IR, found 'x'"},
    {"ir -3", 1, "the version of the IR must be from 1 to"},
    {"opset 0", 1, "the version of an opset must be from 1 to"},
    {"opset 99999999999", 1, "the version of an opset must be from 1 to"},
    {"opset 17; opset ai.onnx 18", 1, "two opsets for domain ''"},
    {"y = A(); opset 17", 1, "opset must stand before the layers"},
    {"input x: float32 y", 1, "expected the end of the statement, found 'y'"},
    {"input x\ninput x", 2, "two tensors are called 'x'"},
    {"input _", 1, "expected the name of a tensor, found '_'"},
    {"input \"\"", 1, "expected the name of a tensor, found '\"\"'"},
    {"value x", 1, "expected ':', found the end of the text"},
    {"input x\nvalue z: float32", 2, "this graph has no tensor 'z'"},
    {"input x: int8\nvalue x: int8", 2, "two types are given for 'x'"},
    {"input x\noutput y", 2, "nothing produces the tensor 'y'"},
    /* characters and strings */
    {"input x\n\n  $", 3, "no statement can hold the byte 0x24 here"},
    {"\xef\xbb\xbfinput x", 1, "no statement can hold the byte 0xef here"},
    {"model \"abc\ninput x", 1, "a string does not end on its line"},
    {"model \"abc", 1, "a string does not end on its line"},
    {"model \"a\\q\"", 1, "a string knows the escapes"},
    {"model \"a\\x4\"", 1, "a string knows the escapes"},
    {"model \"a\\x00\"", 1, "a string cannot hold a zero byte"},
    /* types and contents */
    {"input x: flaot32", 1, "unknown dtype 'flaot32'"},
    {"input x: 3", 1, "expected a dtype, found '3'"},
    {"input x: float32[1, ", 1, "expected a dimension, found the end of"},
    {"input x: float32[-1]", 1, "a dimension must be from 0 to"},
    {"input x: float32[1.5]", 1, "expected a dimension, found '1.5'"},
    {"input x: float32[9223372036854775808]", 1, "a dimension must be from"},
    {"input x: float32[1 2]", 1, "expected ',' or ']', found '2'"},
    {"input x: sequence float32", 1, "expected '(', found 'float32'"},
    {"weight w", 1, "expected ':', found the end of the text"},
    {"weight w: float32", 1, "a stored tensor needs a shape of numbers"},
    {"weight w: float32[n]", 1, "a stored tensor needs a shape of numbers"},
    {"weight w: int8[4294967296, 4294967296]", 1, "the bytes of this shape"},
    {"weight w: int64[2] = {1}", 1, "1 values, the shape wants 2"},
    {"weight w: int64[2] = {1, 2,\n 3}", 2, "more than 2 values"},
    {"weight w: int64[2] = {1, 2", 1, "expected ',' or '}', found the end"},
    {"weight w: int64[0] = {1}", 1, "expected '}', found '1'"},
    {"weight w: int64[] = 5", 1, "expected '{', found '5'"},
    {"weight w: int8[1] = {128}", 1, "an element must be from -128 to 127"},
    {"weight w: uint8[1] = {-1}", 1, "an element must be from 0 to 255"},
    {"weight w: int4[1] = {8}", 1, "an element must be from -8 to 7"},
    {"weight w: uint2[1] = {4}", 1, "an element must be from 0 to 3"},
    {"weight w: bool[1] = {2}", 1, "an element must be from 0 to 1"},
    {"weight w: int8[1] = {1.0}", 1, "expected an element, found '1.0'"},
    {"weight w: uint64[1] = {-1}", 1, "expected a whole number without sign"},
    {"weight w: uint64[1] = {18446744073709551616}", 1, "64 bits do not hold"},
    {"weight w: float32[1] = {1e39}", 1, "out of range is '1e39'"},
    {"weight w: float32[1] = {1.5.2}", 1, "expected a number"},
    {"weight w: float32[1] = {x}", 1, "expected a number, found 'x'"},
    {"weight w: string[1] = {\"a\"}", 1, "a content of dtype string cannot"},
    {"weight w: int8[2] = hex\"00\"", 1, "2 digits, the shape wants 4"},
    {"weight w: int8[1] = hex\"0g\"", 1, "expected a string of digits"},
    {"weight w: int8[1000000000000] = {1}", 1, "the text is too short for"},
    {"weight w: int8[1] @ file", 1, "expected the name of a file in quotes"},
    {"weight w: int8[1] @ \"f\" -1", 1, "an offset must be from 0 to"},
    {"weight w: int8[1] @ \"f\" 9223372036854775807 1", 1, "a length must be"},
    {"weight w: int8[1] @ \"\"", 1, "not below the folder of the model is"},
    {"weight w: int8[1] @ \"/f\"", 1, "not below the folder of the model is"},
    {"weight w: int8[1] @ \"a/..\"", 1, "not below the folder of the model is"},
    {"weight w: int8[4] @ \"f\" 0 5", 1, "5 bytes, the shape wants 4"},
    {"weight w: int8[4] @ \"f\" varint", 1, "expected offset and length"},
    /* layers */
    {"y = Relu", 1, "expected '(', found the end of the text"},
    {"y = (x)", 1, "expected an operator, found '('"},
    {"y = a.(x)", 1, "the operator has no name"},
    {"y = Relu(x", 1, "expected ',' or ')', found the end of the text"},
    {"y = Relu(1)", 1, "expected the name of a tensor, found '1'"},
    {"y, y = F()", 1, "two tensors are called 'y'"},
    {"y = F()\n\nz = G(y,\nq)", 4, "nothing produces the tensor 'q'"},
    {"a = F(b); b = F(a)", 0, "the graph has a cycle through layer '"},
    {"y = F() {a: 1, a: 2}", 1, "two attributes are called 'a'"},
    {"y = F() {a}", 1, "expected ':', found '}'"},
    {"y = F() {1: 2}", 1, "expected the name of an attribute, found '1'"},
    {"y = F() {a: b}", 1, "expected the value of an attribute, found 'b'"},
    {"y = F() {a: []}", 1, "an empty list needs its kind"},
    {"y = F() {a: [1, 2.0]}", 1, "expected a whole number, found '2.0'"},
    {"y = F() {a: [\"a\", 2]}", 1, "expected a string, found '2'"},
    {"y = F() {a: 9223372036854775808}", 1, "a whole number must be from"},
    {"y = F() {a: tensor float32}", 1, "a stored tensor needs a shape"},
    {"y = F() name a name b", 1, "given twice, here as 'b'"},
    {"y = F() opset 0", 1, "the version of an opset must be from 1"},
    {"y = F() domain q", 1, "expected a domain in quotes, found 'q'"},
    /* bodies */
    {"y = F() {a: graph x}", 1, "expected '{', found 'x'"},
    {"y = F() {a: graph {\nz = G()", 2, "expected '}', found the end"},
    {"y = F() {a: graph {\nopset 17}}", 2, "opset cannot stand in a body"},
    {"y = F() {a: graph {\nz = G(v)}}", 2, "nothing produces the tensor 'v'"},
    {"y = F() {a: graph {\nvalue y: int8}}", 2, "this graph has no tensor"},
    {"y = F() {a: graph {\nz = G() }", 2, "expected ',' or '}', found the"},
};

static void errors_name_line_and_reason(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *text = refused[i].text;
        lp_error error = {0};
        lp_model *model;
        char where[32] = "t";

        if (refused[i].line)
            snprintf(where, sizeof(where), "t:%d", refused[i].line);
        if (lpi_lpm_read(text, strlen(text), "t", 0, &model, &error) == LP_OK)
            fail_msg("is read: %s", text);
        if (error.status != LP_EINPUT || strcmp(error.where, where) != 0 ||
            strncmp(error.message, refused[i].reason,
                    strlen(refused[i].reason)) != 0)
            fail_msg("%s\nwanted %s: %s\ngot %s: %s", text, where,
                     refused[i].reason, error.where, error.message);
        assert_null(strchr(error.message, '\n'));
    }
}

static const char rich[] =
    "lpm 1; model \"m\"; opset 17; opset com.microsoft 1\n"
    "input x: float32[1, n, ?]; weight w: int4[3] = {1, -2, 3}\n"
    "weight v: float32[2] = hex\"0000803f00000040\"\n"
    "weight u: int64[9] @ \"data\" 8 72 varint # out there\n"
    "a, _ = com.microsoft.F(x, _, w) {i: 1, f: 1.5, s: \"\\x41\\n\", "
    "l: [1, 2], m: floats[], t: tensor float16[2] = {0.5, nan}, o: other} "
    "name \"n\" module \"/m\"\n"
    "y = If(a) {then_branch: graph { z = Relu(late); output z: float32 },\n"
    "else_branch: graph { input q: sequence(int8[?]); output a }} opset 9\n"
    "late = \"dotted.op\"(u, v) domain \"d\"; value late: bfloat16[]\n"
    "output y: optional(float32[1, n])\n";

/* Read "text"; when that succeeds, it can be written and read again. */
static lp_status try_text(const char *text, size_t length)
{
    lp_error error = {0};
    lp_model *model;
    lpi_text written = {0}, again = {0};
    lp_status status = lpi_lpm_read(text, length, "t", 1 << 20, &model, &error);

    if (status != LP_OK) {
        assert_int_equal(status, error.status);
        assert_true(*error.message);
        return status;
    }
    assert_int_equal(lpi_lpm_write(model, &written, &error), LP_OK);
    lp_model_free(model);
    if (lpi_lpm_read(written.bytes, written.length, "t", 0, &model, &error))
        fail_msg("%s: %s in\n%s", error.where, error.message, written.bytes);
    assert_int_equal(lpi_lpm_write(model, &again, &error), LP_OK);
    assert_string_equal(written.bytes, again.bytes);
    lp_model_free(model);
    lpi_text_drop(&written);
    lpi_text_drop(&again);
    return LP_OK;
}

static void every_beginning_is_handled(void **state)
{
    size_t length;

    (void)state;
    assert_int_equal(try_text(rich, strlen(rich)), LP_OK);
    for (length = 0; length < strlen(rich); length++) {
        char *copy = malloc(length ? length : 1);

        assert_non_null(copy);
        memcpy(copy, rich, length);
        try_text(copy, length);
        free(copy);
    }
}

static void every_changed_byte_is_handled(void **state)
{
    static const char bytes[] = "\0\n\"\\{}[](),:;=@?#_ 09.-xehg\x80\xff";
    size_t i, k, length = strlen(rich);
    char *copy = malloc(length);

    (void)state;
    assert_non_null(copy);
    memcpy(copy, rich, length);
    for (i = 0; i < length; i++) {
        for (k = 0; k < sizeof(bytes); k++) {
            copy[i] = bytes[k];
            try_text(copy, length);
        }
        copy[i] = rich[i];
    }
    free(copy);
}

/* Fail every allocation in turn. */
static void no_memory_is_reported(void **state)
{
    lp_status status = LP_ENOMEM;
    int64_t n;

    (void)state;
    for (n = 1; status != LP_OK; n++) {
        lp_model *model = NULL;
        lpi_text text = {0};
        lp_error error = {0};

        assert_true(n < 1000);
        lpi_alloc_fail_at(n);
        status = lpi_lpm_read(rich, strlen(rich), "t", 0, &model, &error);
        if (status == LP_OK)
            status = lpi_lpm_write(model, &text, &error);
        lpi_alloc_fail_at(0);
        if (status != LP_OK)
            assert_int_equal(status, LP_ENOMEM);
        lp_model_free(model);
        lpi_text_drop(&text);
    }
    assert_true(n > 5);
}

/* A chain of "count" layers, from the last to the first. */
static lpi_text chain(int64_t count)
{
    lpi_text text = {0};
    int64_t i;

    lpi_text_put(&text, "input y0: float32[1]\n");
    for (i = count; i > 0; i--)
        lpi_text_printf(&text, "y%lld = Relu(y%lld)\n", (long long)i,
                        (long long)i - 1);
    return text;
}

static void memory_stays_below_the_cap(void **state)
{
    lpi_text text = chain(10000);
    lp_error error = {0};
    lp_model *model;
    int64_t cap;
    lp_status status = LP_ENOMEM;

    (void)state;
    for (cap = 1; status != LP_OK; cap *= 2) {
        assert_true(cap < INT64_C(64) << 20);
        status =
            lpi_lpm_read(text.bytes, text.length, "t", cap, &model, &error);
        if (status != LP_OK)
            assert_int_equal(status, LP_ENOMEM);
    }
    assert_true(lpi_arena_used(model->arena) <= cap / 2);
    lp_model_free(model);
    lpi_text_drop(&text);
}

/* Memory for ten times the layers is about ten times the memory. */
static void memory_is_linear(void **state)
{
    int64_t used[2], i;

    (void)state;
    for (i = 0; i < 2; i++) {
        lpi_text text = chain(i ? 100000 : 10000);
        lp_error error = {0};
        lp_model *model;

        assert_int_equal(
            lpi_lpm_read(text.bytes, text.length, "t", 0, &model, &error),
            LP_OK);
        assert_string_equal(model->layers[0]->name, "y1");
        used[i] = lpi_arena_used(model->arena);
        lp_model_free(model);
        lpi_text_drop(&text);
    }
    assert_true(used[1] < 20 * used[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_line_and_reason),
        cmocka_unit_test(every_beginning_is_handled),
        cmocka_unit_test(every_changed_byte_is_handled),
        cmocka_unit_test(no_memory_is_reported),
        cmocka_unit_test(memory_stays_below_the_cap),
        cmocka_unit_test(memory_is_linear),
    };

    return cmocka_run_group_tests_name("lpm errors", tests, NULL, NULL);
}
