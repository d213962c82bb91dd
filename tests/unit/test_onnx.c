/* test_onnx.c: what the ONNX reader makes of each feature of the format.
 *
 * The files of the fuzzing corpus are read and printed in a short form, one
 * layer a line, which is compared as a whole; contents of tensors are compared
 * by their bytes. */
#include "test_onnx.h"

/* Read the file "name" of the corpus. */
static lp_model *load(const char *name)
{
    const char *top = getenv("top_srcdir");
    lp_model *model = NULL;
    lp_error error = {.status = LP_OK};
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/onnx/%s",
             top ? top : ".", name);
    if (lpi_onnx_read(path, 0, &model, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

/* ---- layers ------------------------------------------------------------- */

static void print_names(lpi_text *text, lp_tensor *const *tensors,
                        int64_t count)
{
    int64_t i;

    for (i = 0; i < count; i++)
        lpi_text_printf(text, "%s%s", i ? " " : "",
                        tensors[i] ? tensors[i]->name : "-");
}

/* "name@module: op:opset(inputs) outputs"; bodies follow, indented. */
static void print_layers(lpi_text *text, const lp_model *model, int depth)
{
    int64_t i;
    int32_t a;

    for (i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        lpi_text_printf(text, "%*s%s@%s: %s%s%s:%d(", 2 * depth, "",
                        layer->name, layer->module, layer->domain,
                        *layer->domain ? "." : "", layer->op, layer->version);
        print_names(text, layer->inputs, layer->inputs_count);
        lpi_text_put(text, ") ");
        print_names(text, layer->outputs, layer->outputs_count);
        lpi_text_put(text, "\n");
        for (a = 0; a < layer->attrs_count; a++) {
            const lpi_attr *attr = &layer->attrs[a];

            if (attr->kind != LPI_ATTR_BODY)
                continue;
            lpi_text_printf(text, "%*s{%s captures ", 2 * depth + 1, "",
                            attr->name);
            print_names(text, attr->body->captures, attr->body->captures_count);
            lpi_text_put(text, "\n");
            print_layers(text, attr->body, depth + 1);
        }
    }
}

static const struct {
    const char *file, *layers;
} files[] = {
    {"functions.onnx",
     "/layers.0/first/one/leak@/layers.0/first/one: LeakyRelu:13(x) "
     "/layers.0/first/one/t\n"
     "/layers.0/first/one/r@/layers.0/first/one: Clip:13("
     "/layers.0/first/one/t - x) /layers.0/first/q\n"
     "/layers.0/first/pick@/layers.0/first: If:15(c) /layers.0/first/w\n"
     " {else_branch captures x\n"
     "  /layers.0/first/s@/layers.0/first: LeakyRelu:15(x) "
     "/layers.0/first/s\n"
     " {then_branch captures x /layers.0/first/q\n"
     "  /layers.0/first/s@/layers.0/first: Add:15(x /layers.0/first/q) "
     "/layers.0/first/s\n"
     "/layers.0/first/z/leak@/layers.0/first/z: LeakyRelu:13("
     "/layers.0/first/w) /layers.0/first/z/t\n"
     "/layers.0/first/z/r@/layers.0/first/z: Clip:13("
     "/layers.0/first/z/t - -) u\n"
     "second/leak@/second: LeakyRelu:13(u) second/t_2\n"
     "second/r@/second: Clip:13(second/t_2 - x) v\n"
     "second/same@/second: Identity:17(u) same\n"
     "third/z@/third: Neg:15(u) o\n"
     "second/t@/second: Relu:17(v) second/t\n"
     "d/z@/d: If:15(c) d\n"
     " {then_branch captures x u\n"
     "  m@: Mul:17(x u) m\n"
     " {else_branch captures x u\n"
     "  m@: Mul:17(x u) m\n"},
    {"modules.onnx",
     "node_relu@/down.0/net/net.1/net.1.2/it's: Relu:17(x) a\n"
     "node_other@/down.0/net: Relu:17(a) b\n"
     "/layer1/layer1.0/relu/Relu@/layer1/layer1.0/relu: Relu:17(b) c\n"
     "tower/act/y:0@/tower/act: Relu:17(c) tower/act/y:0\n"
     "Custom_4@: test.Custom:1(c) \n"
     "plain@: Relu:17(c) y\n"},
    {"branches.onnx", "v@: Relu:17(x) v\n"
                      "choice@: If:17(c) a\n"
                      " {else_branch captures x\n"
                      "  else_out@: Mul:17(x own) else_out\n"
                      " {then_branch captures x v c\n"
                      "  t@: Abs:17(x) t\n"
                      "  then_out@: If:17(c) then_out\n"
                      "   {else_branch captures t\n"
                      "    flat_out@: Neg:17(t) flat_out\n"
                      "   {then_branch captures x v\n"
                      "    deep_out@: Add:17(x v) deep_out\n"
                      "rounds@: Loop:17(trips c a) l\n"
                      " {body captures x\n"
                      "  more@: Identity:17(go) more\n"
                      "  next@: Add:17(carry x) next\n"
                      "end@: Scan:17(zero l) end sums\n"
                      " {body captures \n"
                      "  sum@: Add:17(state item) sum\n"
                      "  kept@: Identity:17(sum) kept\n"},
    {"old.onnx", "r@: Reshape:7(x s) r\ny@: Sum:7(r w) y\n"},
    {"unpacked.onnx", "y@: test.Op:1(x) y\n"},
};

static void layers_are_read(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        lp_model *model = load(files[i].file);
        lpi_text text = {0};

        print_layers(&text, model, 0);
        assert_string_equal(text.bytes, files[i].layers);
        lpi_text_drop(&text);
        lp_model_free(model);
    }
}

/* ---- tensors ------------------------------------------------------------ */

static const struct {
    const char *file, *name;
    lp_dtype dtype;
    lpi_where where;
    int64_t length;
    const char *bytes; /* the first ones, in hexadecimal */
} tensors[] = {
    {"typed.onnx", "float", LP_FLOAT32, LPI_INLINE, 20, "0000803f00000040"},
    {"typed.onnx", "uint8", LP_UINT8, LPI_INLINE, 5, "0102030102"},
    {"typed.onnx", "int8", LP_INT8, LPI_INLINE, 5, "ff02fd6480"},
    {"typed.onnx", "uint16", LP_UINT16, LPI_INLINE, 10, "0100020003"},
    {"typed.onnx", "int16", LP_INT16, LPI_INLINE, 10, "ffff0200fdff640080ff"},
    {"typed.onnx", "int32", LP_INT32, LPI_INLINE, 20, "ffffffff02000000"},
    {"typed.onnx", "int64", LP_INT64, LPI_INLINE, 40, "ffffffffffffffff02"},
    {"typed.onnx", "string", LP_STRING, LPI_INLINE, 128, "8000000000000000"},
    {"typed.onnx", "bool", LP_BOOL, LPI_INLINE, 5, "0100010100"},
    {"typed.onnx", "float16", LP_FLOAT16, LPI_INLINE, 10, "003c0040"},
    {"typed.onnx", "double", LP_FLOAT64, LPI_INLINE, 40, "000000000000f03f"},
    {"typed.onnx", "uint32", LP_UINT32, LPI_INLINE, 20, "0100000002000000"},
    {"typed.onnx", "uint64", LP_UINT64, LPI_INLINE, 40, "010000000000000002"},
    {"typed.onnx", "complex64", LP_COMPLEX64, LPI_INLINE, 16,
     "0000803f00000040"},
    {"typed.onnx", "complex128", LP_COMPLEX128, LPI_INLINE, 32,
     "000000000000f03f0000000000000040"},
    {"typed.onnx", "bfloat16", LP_BFLOAT16, LPI_INLINE, 10, "803f0040"},
    {"typed.onnx", "float8e4m3fn", LP_FLOAT8E4M3FN, LPI_INLINE, 5, "3840"},
    {"typed.onnx", "float8e5m2", LP_FLOAT8E5M2, LPI_INLINE, 5, "3c40"},
    {"typed.onnx", "float8e8m0", LP_FLOAT8E8M0, LPI_INLINE, 5, "7f8081"},
    {"typed.onnx", "uint4", LP_UINT4, LPI_INLINE, 3, "211302"},
    {"typed.onnx", "int4", LP_INT4, LPI_INLINE, 3, "211302"},
    {"typed.onnx", "float4e2m1", LP_FLOAT4E2M1, LPI_INLINE, 3, "422504"},
    {"typed.onnx", "uint2", LP_UINT2, LPI_INLINE, 2, "5100"},
    {"typed.onnx", "int2", LP_INT2, LPI_INLINE, 2, "5100"},
    {"typed.onnx", "empty", LP_FLOAT32, LPI_INLINE, 0, ""},
    {"typed.onnx", "removed", LP_FLOAT32, LPI_NOWHERE, 0, ""},
    {"typed.onnx", "long_float", LP_FLOAT32, LPI_IN_FILE, 1200, ""},
    {"typed.onnx", "long_double", LP_FLOAT64, LPI_IN_FILE, 1200, ""},
    {"unpacked.onnx", "small", LP_FLOAT32, LPI_INLINE, 12,
     "000000000000803f00000040"},
    {"unpacked.onnx", "large", LP_INT64, LPI_NOWHERE, 0, ""},
    {"conv.onnx", "b", LP_FLOAT32, LPI_INLINE, 64, ""},
    {"conv.onnx", "w", LP_FLOAT32, LPI_IN_FILE, 1728, ""},
    {"beside.onnx", "w", LP_FLOAT32, LPI_OUTSIDE, 2400, ""},
    {"sparse.onnx", "flat", LP_FLOAT32, LPI_INLINE, 48,
     "0000803f0000000000000000"},
    {"sparse.onnx", "pairs", LP_FLOAT32, LPI_INLINE, 48,
     "000000000000404000000000"},
    {"sparse.onnx", "large", LP_FLOAT32, LPI_NOWHERE, 0, ""},
};

static void tensors_are_read(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++) {
        lp_model *model = load(tensors[i].file);
        const lp_tensor *tensor = lpi_tensor_find(model, tensors[i].name);
        const uint8_t *bytes;

        if (!tensor || tensor->kind != LPI_WEIGHT ||
            tensor->dtype != tensors[i].dtype ||
            tensor->payload.where != tensors[i].where ||
            tensor->payload.length != tensors[i].length)
            fail_msg("%s of %s is wrong", tensors[i].name, tensors[i].file);
        bytes = tensor->payload.bytes;
        for (k = 0; tensors[i].bytes[2 * k]; k++) {
            char hex[3];

            snprintf(hex, sizeof(hex), "%02x", bytes[k]);
            if (memcmp(hex, tensors[i].bytes + 2 * k, 2) != 0)
                fail_msg("%s of %s: byte %zu is %s", tensors[i].name,
                         tensors[i].file, k, hex);
        }
        lp_model_free(model);
    }
}

/* Contents that stay in the file are found there, raw or as varints. */
static void links_lead_to_content(void **state)
{
    lp_model *model = load("typed.onnx");
    lp_tensor *integers = lpi_tensor_find(model, "long_int64");
    lp_tensor *floats = lpi_tensor_find(model, "long_float");
    lp_tensor *halves = lpi_tensor_find(model, "long_half");
    uint16_t half;
    int64_t i;

    (void)state;
    assert_int_equal(integers->payload.where, LPI_IN_FILE);
    assert_int_equal(integers->payload.encoding, LPI_VARINT);
    assert_int_equal(floats->payload.encoding, LPI_RAW);
    assert_int_equal(lpi_tensor_load(model, integers, 4096, NULL), LP_OK);
    assert_int_equal(lpi_tensor_load(model, floats, 4096, NULL), LP_OK);
    assert_int_equal(lpi_tensor_load(model, halves, 4096, NULL), LP_OK);
    for (i = 0; i < 400; i++)
        assert_int_equal(((const int64_t *)integers->value)[i], i * 1000);
    for (i = 0; i < 300; i++)
        assert_true(((const float *)floats->value)[i] == (float)i);
    memcpy(&half, (const char *)halves->value + 16, sizeof(half));
    assert_int_equal(half, 0x3c00);
    lp_model_free(model);
}

static void external_data_is_read(void **state)
{
    lp_model *model = load("beside.onnx");
    const lp_tensor *weight = lpi_tensor_find(model, "w");
    const lpi_attr *value = &model->layers[0]->attrs[0];

    (void)state;
    assert_string_equal(weight->payload.location, "sub/weights.bin");
    assert_string_equal(model->layers[0]->op, "Constant");
    assert_string_equal(value->name, "value");
    assert_int_equal(value->kind, LPI_ATTR_TENSOR);
    assert_int_equal(value->tensor->payload.where, LPI_OUTSIDE);
    assert_int_equal(value->tensor->payload.offset, 4096);
    assert_int_equal(value->tensor->payload.length, 2400);
    lp_model_free(model);
}

/* ---- declared types, attributes, the head ------------------------------- */

static void types_are_read(void **state)
{
    static const struct {
        const char *name;
        lpi_container container;
        lp_dtype dtype;
        int32_t rank;
    } wanted[] = {
        {"s", LPI_SEQUENCE, LP_FLOAT32, 2}, {"o", LPI_OPTIONAL, LP_INT64, 0},
        {"m", LPI_MAP, LP_FLOAT32, 1},      {"free", LPI_TENSOR, LP_FLOAT32, 2},
        {"y", LPI_TENSOR, LP_FLOAT32, -1},
    };
    lp_model *model = load("containers.onnx");
    const lpi_declared *declared;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        declared = lpi_tensor_find(model, wanted[i].name)->declared;
        assert_int_equal(declared->container, wanted[i].container);
        assert_int_equal(declared->dtype, wanted[i].dtype);
        assert_int_equal(declared->rank, wanted[i].rank);
    }
    declared = lpi_tensor_find(model, "s")->declared;
    assert_int_equal(declared->dims[0].value, 2);
    assert_int_equal(declared->dims[1].value, -1);
    assert_string_equal(declared->dims[1].symbol, "n");
    declared = lpi_tensor_find(model, "free")->declared;
    assert_int_equal(declared->dims[0].value, -1);
    assert_string_equal(declared->dims[0].symbol, "");
    lp_model_free(model);
}

/* The attribute called "name" of the last layer of "model". */
static const lpi_attr *attribute(const lp_model *model, const char *name)
{
    const lp_layer *layer = model->layers[model->layers_count - 1];
    int32_t i;

    for (i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, name))
            return &layer->attrs[i];
    fail_msg("no attribute %s", name);
    return NULL;
}

static void attributes_are_read(void **state)
{
    lp_model *model = load("attributes.onnx");

    (void)state;
    assert_true(attribute(model, "f")->f == 1.5f);
    assert_int_equal(attribute(model, "i")->i, -7);
    assert_string_equal(attribute(model, "s")->s, "text");
    assert_int_equal(attribute(model, "fs")->count, 2);
    assert_true(attribute(model, "fs")->floats[1] == -2.5f);
    assert_int_equal(attribute(model, "is_")->ints[2], INT64_C(1) << 40);
    assert_string_equal(attribute(model, "ss")->strings[1], "b\n");
    assert_int_equal(attribute(model, "t")->tensor->payload.where, LPI_INLINE);
    assert_int_equal(attribute(model, "big")->tensor->payload.where,
                     LPI_IN_FILE);
    assert_int_equal(attribute(model, "empty")->kind, LPI_ATTR_INTS);
    assert_int_equal(attribute(model, "empty")->count, 0);
    assert_int_equal(attribute(model, "tp")->kind, LPI_ATTR_OTHER);
    assert_int_equal(attribute(model, "ts")->kind, LPI_ATTR_OTHER);
    lp_model_free(model);
    model = load("unpacked.onnx");
    assert_int_equal(attribute(model, "axes")->count, 3);
    assert_int_equal(attribute(model, "axes")->ints[2], 0);
    lp_model_free(model);
}

static void heads_are_read(void **state)
{
    lp_model *model = load("old.onnx");

    (void)state;
    assert_int_equal(model->ir_version, 3);
    assert_int_equal(model->inputs_count, 1);
    assert_string_equal(model->inputs[0]->name, "x");
    assert_int_equal(lpi_tensor_find(model, "w")->kind, LPI_WEIGHT);
    assert_non_null(lpi_tensor_find(model, "w")->declared);
    assert_string_equal(model->producer, "corpus 1");
    assert_string_equal(model->name, "g");
    assert_int_equal(lpi_model_opset(model, ""), 7);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_read),
        cmocka_unit_test(tensors_are_read),
        cmocka_unit_test(links_lead_to_content),
        cmocka_unit_test(external_data_is_read),
        cmocka_unit_test(types_are_read),
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(heads_are_read),
    };

    return cmocka_run_group_tests_name("onnx", tests, NULL, NULL);
}
