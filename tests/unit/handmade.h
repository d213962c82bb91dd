/* handmade.h: a report made by hand, with all that formats must cope with:
 * names that need escapes, unknown shapes, every status, large counts. */
#ifndef TESTS_HANDMADE_H
#define TESTS_HANDMADE_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

static const int64_t dims_conv[] = {1, 4, 8, 8};
static const int64_t dims_open[] = {-1, 3};

static const lp_output outputs[] = {
    {"conv_out", {4, dims_conv}, LP_FLOAT32},
    {"mystery_out", {-1, NULL}, LP_UNDEFINED},
    {"mm_out", {2, dims_open}, LP_FLOAT16},
    {"/up/add", {0, NULL}, LP_INT64},
};

static const lp_row rows[] = {
    {.index = 0,
     .name = "/down/conv",
     .op = "Conv",
     .domain = "",
     .module = "/down",
     .outputs = &outputs[0],
     .outputs_count = 1,
     .cost = {.macs_conv = 6912,
              .params = 108,
              .weight_bytes = 432,
              .read_bytes = 1200,
              .write_bytes = 1024},
     .live_bytes = 1792},
    {.index = 1,
     .name = "weird\ttab\n\"q\" \xff\xc3\xa4\\",
     .op = "Mystery",
     .domain = "com.example",
     .module = "",
     .outputs = &outputs[1],
     .outputs_count = 1,
     .live_bytes = 1024,
     .status = LP_UNKNOWN,
     .note = "operator not known"},
    {.index = -1,
     .name = "/up/shape",
     .op = "Shape",
     .domain = "",
     .module = "/up",
     .status = LP_FOLDED},
    {.index = 2,
     .name = "/mid/a/mm",
     .op = "MatMul",
     .domain = "",
     .module = "/mid/a",
     .outputs = &outputs[2],
     .outputs_count = 1,
     .cost = {.macs_linear = INT64_C(9000000000000000),
              .params = 200,
              .weight_bytes = 400,
              .read_bytes = 3,
              .write_bytes = 0},
     .live_bytes = 4096,
     .status = LP_ESTIMATED,
     .note = "upper bound"},
    {.index = 3,
     .name = "/up/add",
     .op = "Add",
     .domain = "",
     .module = "/up",
     .outputs = &outputs[3],
     .outputs_count = 1,
     .cost = {.macs_attention = 5, .arith = {1}},
     .live_bytes = 16},
};

#define MODULE(name, deep, many, macs, weights, peak)                          \
    {                                                                          \
        .path = (name), .depth = (deep), .layers = (many),                     \
        .cost = {.macs_linear = (macs), .params = (weights)},                  \
        .live_peak_bytes = (peak)                                              \
    }

static const lp_module_row modules[] = {
    MODULE("/down", 1, 1, 6912, 108, 1792),
    MODULE("/mid", 1, 1, INT64_C(9000000000000000), 200, 4096),
    MODULE("/mid/a", 2, 1, INT64_C(9000000000000000), 200, 4096),
    MODULE("/up", 1, 1, 5, 0, 16),
};

static const lp_held held[] = {
    {"conv_out",
     "/down/conv",
     "/up/add",
     {4, dims_conv},
     LP_FLOAT32,
     1024,
     0,
     3},
    {"in", "", "", {0, NULL}, LP_FLOAT32, 4, 0, 2},
};

static const lp_convention conventions[] = {
    {"macs", "MAC", 7, "multiply-accumulates"},
    {"flops", "FLOP", 15, "two a MAC, and one for every other operation"},
};

static const lp_weights_as weights_as[] = {{LP_FLOAT16, 616}, {LP_INT8, 308}};

static const lp_report report = {
    .model = "net.onnx",
    .rows = rows,
    .rows_count = LPI_COUNT(rows),
    .layers = 4,
    .folded = 1,
    .total = {.macs_conv = 6912,
              .macs_linear = INT64_C(9000000000000000),
              .macs_attention = 5,
              .arith = {1},
              .params = 308,
              .weight_bytes = 832,
              .read_bytes = 1203,
              .write_bytes = 1024},
    .live_peak_bytes = 4096,
    .peak_index = 2,
    .peak_layer = "/mid/a/mm",
    .known = 3,
    .coverage = 0.75,
    .peak = held,
    .peak_count = 2,
    .skips = held,
    .skips_count = 1,
    .modules = modules,
    .modules_count = LPI_COUNT(modules),
    .conventions = conventions,
    .conventions_count = 2,
    .weights_as = weights_as,
    .weights_as_count = 2,
};

/* A model without a layer. */
static const lp_report empty = {
    .model = "empty", .peak_index = -1, .peak_layer = "", .coverage = 1};

/* "of" as "view" shows it; freed with lp_text_free. */
static inline char *write_report(const lp_report *of, lp_view view)
{
    char *text = NULL;
    size_t length = 0;

    assert_int_equal(lp_report_write(of, &view, &text, &length, NULL), LP_OK);
    assert_int_equal(strlen(text), length);
    return text;
}

static inline bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

#endif
