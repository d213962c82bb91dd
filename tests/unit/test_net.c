/* test_net.c: the one-line form of models. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

/* What each layer becomes, with the shape that inference then finds. */
static const struct {
    const char *net, *layers, *shape;
} nets[] = {
    {"x:1x3x32x32; conv 16 k3 p1; relu; maxpool 2",
     "conv_1 = Conv(x, conv_1.weight, conv_1.bias) {kernel_shape: [3, 3], "
     "strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1}\n"
     "relu_1 = Relu(conv_1)\n"
     "maxpool_1 = MaxPool(relu_1) {kernel_shape: [2, 2], strides: [2, 2], "
     "dilations: [1, 1], pads: [0, 0, 0, 0]}\n",
     "1x16x16x16"},
    {"x:1x4x9; c = conv 8 k3 s2 p1 g2 d2",
     "c = Conv(x, c.weight, c.bias) {kernel_shape: [3], strides: [2], "
     "dilations: [2], pads: [1, 1], group: 2}\n",
     "1x8x4"},
    {"x:1x4x5x6x7; c = conv 8 k1x2x3 s1x2x3 same",
     "c = Conv(x, c.weight, c.bias) {kernel_shape: [1, 2, 3], "
     "strides: [1, 2, 3], dilations: [1, 1, 1], auto_pad: \"SAME_UPPER\", "
     "group: 1}\n",
     "1x8x5x3x3"},
    {"x:1x4x9x9; c = dwconv k3 p0x1",
     "c = Conv(x, c.weight, c.bias) {kernel_shape: [3, 3], strides: [1, 1], "
     "dilations: [1, 1], pads: [0, 1, 0, 1], group: 4}\n",
     "1x4x7x9"},
    {"x:1x4x9x9; c = convt 6 k3 s2 p1",
     "c = ConvTranspose(x, c.weight, c.bias) {kernel_shape: [3, 3], "
     "strides: [2, 2], dilations: [1, 1], pads: [1, 1, 1, 1]}\n",
     "1x6x17x17"},
    {"x:2x8; l = linear 4", "l = Gemm(x, l.weight, l.bias) {transB: 1}\n",
     "2x4"},
    {"x:2x3x8:float16; l = linear 4",
     "l.matmul = MatMul(x, l.weight)\nl = Add(l.matmul, l.bias)\n", "2x3x4"},
    {"x:1x4x8x8; a = avgpool 3x2 s1 p1x0",
     "a = AveragePool(x) {kernel_shape: [3, 2], strides: [1, 1], "
     "dilations: [1, 1], pads: [1, 0, 1, 0]}\n",
     "1x4x8x7"},
    {"x:1x4x8x8; gap; flatten",
     "gap_1 = GlobalAveragePool(x)\nflatten_1 = Flatten(gap_1) {axis: 1}\n",
     "1x4"},
    {"x:1x4x8x8; upsample 2x3",
     "upsample_1 = Resize(x, _, upsample_1.scales) {mode: \"nearest\"}\n",
     "1x4x16x24"},
    {"x:2x6; sigmoid; tanh; softmax; gelu",
     "sigmoid_1 = Sigmoid(x)\ntanh_1 = Tanh(sigmoid_1)\n"
     "softmax_1 = Softmax(tanh_1) {axis: -1}\ngelu_1 = Gelu(softmax_1)\n",
     "2x6"},
    {"x:2x6; s = silu", "s.sigmoid = Sigmoid(x)\ns = Mul(x, s.sigmoid)\n",
     "2x6"},
    {"x:2x6x5; b = batchnorm; g = groupnorm 3; l = layernorm",
     "b = BatchNormalization(x, b.weight, b.bias, b.mean, b.variance)\n"
     "g = GroupNormalization(b, g.weight, g.bias) {num_groups: 3}\n"
     "l = LayerNormalization(g, l.weight, l.bias) {axis: -1}\n",
     "2x6x5"},
    {"i:2x5:int64; e = embedding 100 8", "e = Gather(e.weight, i)\n", "2x5x8"},
    {"x:1x7x8; a = attention 2",
     "a.query.matmul = MatMul(x, a.query.weight)\n"
     "a.query = Add(a.query.matmul, a.query.bias)\n"
     "a.key.matmul = MatMul(x, a.key.weight)\n"
     "a.key = Add(a.key.matmul, a.key.bias)\n"
     "a.value.matmul = MatMul(x, a.value.weight)\n"
     "a.value = Add(a.value.matmul, a.value.bias)\n"
     "a.heads = Attention(a.query, a.key, a.value) {q_num_heads: 2, "
     "kv_num_heads: 2}\n"
     "a.out.matmul = MatMul(a.heads, a.out.weight)\n"
     "a.out = Add(a.out.matmul, a.out.bias)\n",
     "1x7x8"},
    {"x:2x6x4; r = reshape 2x-1; t = transpose 1x0",
     "r = Reshape(x, r.shape)\nt = Transpose(r) {perm: [1, 0]}\n", "24x2"},
    {"a:2x1x4; b:3x1; c = add a; mul c; from a; x = concat a",
     "c = Add(b, a)\nmul_1 = Mul(c, c)\nx = Concat(a, a) {axis: 1}\n", "2x2x4"},
};

/* The part of "text" from the first layer to the outputs. */
static char *layers_of(char *text)
{
    char *line = text, *end = strstr(text, "\noutput ");

    assert_non_null(end);
    end[1] = '\0';
    while (strncmp(line, "lpm ", 4) == 0 || strncmp(line, "opset ", 6) == 0 ||
           strncmp(line, "input ", 6) == 0 || strncmp(line, "weight ", 7) == 0)
        line = strchr(line, '\n') + 1;
    return line;
}

static void layers_become_operators(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        lp_error error = {0};
        lp_model *model;
        lpi_text shape = {0};
        char *text;

        if (lp_model_net(nets[i].net, NULL, &model, &error))
            fail_msg("%s: %s: %s", nets[i].net, error.where, error.message);
        assert_int_equal(lp_model_dump(model, &text, NULL, &error), LP_OK);
        assert_string_equal(layers_of(text), nets[i].layers);
        lpi_shape_print(&shape, model->outputs[0]->shape);
        assert_string_equal(shape.bytes, nets[i].shape);
        lpi_text_drop(&shape);
        lp_text_free(text);
        lp_model_free(model);
    }
}

static const struct {
    const char *net;
    int column;
    const char *reason;
} refused[] = {
    {"", 1, "expected an input such as x:1x3x32x32, found the end"},
    {"relu", 1, "expected an input such as x:1x3x32x32, found 'relu'"},
    {"x:1", 4, "expected a layer, found the end of the text"},
    {"x:1x0", 3, "expected a shape such as 1x3x32x32, found '1x0'"},
    {"x:a", 3, "expected a shape such as 1x3x32x32, found 'a'"},
    {"x:1x2x3x4x5x6x7x8x9", 3, "expected a shape such as 1x3x32x32"},
    {"x:1:flaot", 5, "unknown dtype 'flaot'"},
    {"x:1; x:2; relu", 6, "two tensors are called 'x'"},
    {"x:1x3; konv 16", 8, "unknown layer 'konv'"},
    {"x:1x3; relu x", 13, "unknown option, or one given twice: 'x'"},
    {"x:1x3; relu 3", 8, "relu: takes at most 0 numbers"},
    {"x:1x3 relu", 7, "expected ';', found 'relu'"},
    {"x:1x3x8; conv k3", 10, "conv: wants 1 number after it"},
    {"x:1x3x8; conv 4", 10, "conv: wants a kernel such as k3"},
    {"x:1x3x8; conv 4 k", 17, "unknown option, or one given twice: 'k'"},
    {"x:1x3x8; conv 4 k3 k3", 20, "unknown option, or one given twice: 'k3'"},
    {"x:1x3x8; conv 4 k9", 10, "conv: the window covers 9 of 8 elements"},
    {"x:1x3x8; conv 4 k3x3", 10, "conv: an option has 2 numbers, the image"},
    {"x:1x3x8; conv 4 k3 g2", 10, "conv: 3 and 4 channels do not split into 2"},
    {"x:1x3; conv 4 k3", 8, "conv: reads 3 to 5 dimensions, 'x' has 2"},
    {"x:1x3x8; convt 4 k1 p9", 10, "convt: dimension 2 of the result would be"},
    {"x:1x3x8; convt 4 k1 same", 10, "convt: knows pads by number only"},
    {"x:1x3x8; groupnorm 2", 10, "groupnorm: 3 channels do not split into 2"},
    {"x:1x3x8; attention 3", 10, "attention: a width of 8 does not split into"},
    {"x:1x3; embedding 9 8", 8, "embedding: reads integers, 'x' is float32"},
    {"x:2x3; reshape 4", 8, "reshape: 'x' has 6 elements, not so many"},
    {"x:2x3; reshape -1x-1", 8, "reshape: 'x' has 6 elements, not so many"},
    {"x:2x3; transpose 0x0", 8, "transpose: wants each of the axes 0 to 1"},
    {"x:2x3; add y", 12, "no result is called 'y'"},
    {"x:2x3; add", 11, "expected the name of a result, found the end"},
    {"x:2x3; y:4x3; add x", 15, "add: 4 does not match 2 in dimension 0"},
    {"x:2x3; y:4x3; concat x", 15, "concat: 'y' and 'x' differ in more than"},
    {"x:2x3; a = relu; a = relu", 22, "relu: there is a result called 'a'"},
    {"x:2x3; linear 1099511627777", 15, "expected a number, or several"},
    {"x:2x1099511627776; linear 1099511627776", 20,
     "linear: the weights do not fit 64 bits"},
    {"x:1x1099511627776x1099511627776; flatten", 34,
     "flatten: dimension 1 of the result would be"},
    {"x:1; $", 6, "no statement can hold the byte 0x24 here"},
};

static void errors_name_column_and_word(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        lp_error error = {0};
        lp_model *model;
        char where[32];

        snprintf(where, sizeof(where), "net:%d", refused[i].column);
        if (lpi_net_read(refused[i].net, 0, &model, &error) == LP_OK)
            fail_msg("is read: %s", refused[i].net);
        if (error.status != LP_EINPUT || strcmp(error.where, where) != 0 ||
            strncmp(error.message, refused[i].reason,
                    strlen(refused[i].reason)) != 0)
            fail_msg("%s\nwanted %s: %s\ngot %s: %s", refused[i].net, where,
                     refused[i].reason, error.where, error.message);
    }
}

/* Read every net cut after each byte, with each allocation failing. */
static void nothing_breaks_it(void **state)
{
    size_t i, length;

    (void)state;
    for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        lp_status status = LP_ENOMEM;
        lp_error error = {0};
        lp_model *model;
        int64_t n;

        for (length = 0; length < strlen(nets[i].net); length++) {
            char *cut = strndup(nets[i].net, length);

            assert_non_null(cut);
            if (lpi_net_read(cut, 0, &model, &error) == LP_OK)
                lp_model_free(model);
            free(cut);
        }
        for (n = 1; status != LP_OK; n++) {
            lpi_alloc_fail_at(n);
            status = lpi_net_read(nets[i].net, 0, &model, &error);
            lpi_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ENOMEM);
        }
        lp_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_become_operators),
        cmocka_unit_test(errors_name_column_and_word),
        cmocka_unit_test(nothing_breaks_it),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
