/* test_onnx_hostile.c: ONNX files that lie.
 *
 * Each is an error that names the place, whatever the lie: on the wire, in
 * the graph, in tensors. */
#include "test_onnx.h"

/* ---- on the wire -------------------------------------------------------- */

#define BYTES(bytes) bytes, sizeof(bytes) - 1

static const struct {
    const char *bytes;
    size_t length;
    const char *says;
} wires[] = {
    {BYTES("\x08\x08\x02\x00"), "field number 0"},
    {BYTES("\x08\x08\x3b\x00\x3c"), "group"},
    {BYTES("\x08\x08\x3e\x00"), "wire type 6"},
    {BYTES("\x08\x08\x38\x01"), "field 7 of ModelProto has the wrong wire"},
    {BYTES("\x08\x08\x3a\x05\x00"), "length of 5 bytes runs past the end"},
    {BYTES("\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "runs past the end"},
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "longer than 10 bytes"},
    {BYTES("\x08\x08\x3a\x00\x3a\x00"), "stands twice"},
    {BYTES("\x08\x08\x3a\x03\x12\x01\x00"), "NUL"},
    {BYTES("\x08\x08\x3a\x02\x0a\x01"), "runs past the end"},
    {BYTES("\x08\x08\x3a\x06\x2a\x04\x1a\x02\x08\x00"), "segments"},
    {BYTES("\x08\x08\x3a\x05\x2a\x03\x25\x00\x00"), "runs past the end"},
    {BYTES("\x08\x08\x3a\x05\x2a\x03\x22\x01\x00"), "whole count"},
    {BYTES("\x08\x08\x3a\x0a\x2a\x08\x38\x01\x4a\x04"
           "abcd"),
     "content twice"},
    {BYTES("\x08\x08"), "holds no graph"},
    {BYTES("\x08\x08\x3a\x00"), "imports no opset"},
    {BYTES("\x3a\x00"), "no IR version"},
    {BYTES("{\"graph\": {}}"), "but a text"},
    {BYTES("<?xml version=\"1.0\"?>"), "but a text"},
    {BYTES("PK\x03\x04rest of the archive"), "zip archive"},
    {BYTES("\x1c\x00\x00\x00TFL3\x00\x00"), "TensorFlow Lite"},
    {BYTES(""), "is empty"},
};

static void wires_are_checked(void **state)
{
    size_t i;

    for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
        fill(*state, wires[i].bytes, wires[i].length);
        refused(*state, LP_EINPUT, wires[i].says);
    }
}

/* Wrap "levels" times what is in "text": each time as field "path[0]", then
 * "path[1]", and so on, with what "more" adds between. */
static void nest(lpi_text *text, const uint32_t *path, int32_t steps,
                 int32_t levels)
{
    int32_t level, step;

    for (level = 0; level < levels; level++) {
        for (step = 0; step < steps; step++) {
            lpi_text around = {0};

            put_child(&around, path[step], text);
            *text = around;
        }
    }
}

static void nesting_is_bounded(void **state)
{
    static const uint32_t bodies[] = {6, 5, 1}, types[] = {1, 4};
    enum { LEVELS = 2000 }; /* a body is three messages deep */
    lpi_text graph = {0}, type = {0};

    nest(&graph, bodies, 3, LEVELS * 5);
    fill_model(*state, &graph, NULL);
    refused(*state, LP_EINPUT, "nested deeper than");
    nest(&type, types, 2, LEVELS);
    nest(&type, (const uint32_t[]){2, 11}, 2, 1);
    fill_model(*state, &type, NULL);
    refused(*state, LP_EINPUT, "nested deeper than");
}

static void long_names_are_refused(void **state)
{
    lpi_text graph = {0}, node = {0};
    char *name = calloc(1, LPI_ONNX_NAME_BYTES + 2);

    assert_non_null(name);
    memset(name, 'a', LPI_ONNX_NAME_BYTES + 1);
    put_text(&node, 3, name);
    put_child(&graph, GRAPH_NODE, &node);
    fill_model(*state, &graph, NULL);
    refused(*state, LP_EINPUT, "a name has 16777217 bytes");
    free(name);
}

/* ---- in the graph ------------------------------------------------------- */

static const struct {
    const char *nodes[3][3];
    const char *says;
} graphs[] = {
    {{{"Neg", "x", "z"}, {"Abs", "x", "z"}}, "two tensors are called 'z'"},
    {{{"Neg", "x", "x"}}, "two tensors are called 'x'"},
    {{{"Neg", "lost", "z"}}, "nothing produces its input 'lost'"},
    {{{"Neg", "b", "a"}, {"Abs", "a", "b"}}, "cycle"},
    {{{"", "x", "z"}}, "has no operator"},
};

static void graphs_are_checked(void **state)
{
    size_t i, n;

    for (i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++) {
        lpi_text graph = {0};

        put_relu(&graph);
        for (n = 0; n < 3 && graphs[i].nodes[n][0]; n++)
            put_node(&graph, graphs[i].nodes[n][0], graphs[i].nodes[n][1],
                     graphs[i].nodes[n][2]);
        fill_model(*state, &graph, NULL);
        refused(*state, LP_EINPUT, graphs[i].says);
    }
}

static void outputs_need_producers(void **state)
{
    lpi_text graph = {0};

    put_relu(&graph);
    put_value(&graph, GRAPH_OUTPUT, "lost", NULL, 0);
    fill_model(*state, &graph, NULL);
    refused(*state, LP_EINPUT, "'lost'");
}

static void opsets_are_checked(void **state)
{
    static const int64_t versions[] = {0, -3, INT64_MAX, 16};
    size_t i;

    for (i = 0; i < 4; i++) {
        lpi_text graph = {0}, more = {0}, opset = {0};

        put_relu(&graph);
        put_number(&opset, 2, versions[i]);
        if (i < 3)
            put_text(&opset, 1, "other");
        put_child(&more, 8, &opset);
        fill_model(*state, &graph, &more);
        refused(*state, LP_EINPUT, i < 3 ? "does not exist" : "17 and 16");
    }
}

/* ---- in tensors --------------------------------------------------------- */

static const struct {
    int64_t dims[3];
    int32_t rank;
    int dtype, length;
    const char *says; /* NULL: is fine */
} tensors[] = {
    {{4}, 1, LP_FLOAT32, 16, NULL},
    {{4}, 1, LP_FLOAT32, -1, NULL},
    {{5}, 1, LP_INT4, 3, NULL},
    {{0, INT64_MAX}, 2, LP_FLOAT32, 0, NULL},
    {{1000, 1000, 1000}, 3, LP_FLOAT32, -1, NULL},
    {{4}, 1, LP_FLOAT32, 15, "has 15 bytes of content, its shape wants 16"},
    {{4}, 1, LP_FLOAT32, 0, "its shape wants 16"},
    {{400}, 1, LP_FLOAT32, 1601, "its shape wants 1600"},
    {{-4}, 1, LP_FLOAT32, 16, "dimension 0 is -4"},
    {{INT64_MAX, 2}, 2, LP_FLOAT32, -1, "overflow"},
    {{INT64_C(1) << 62}, 1, LP_FLOAT64, -1, "overflow"},
    {{1}, 1, 0, 4, "unknown element type 0"},
    {{1}, 1, 27, 4, "unknown element type 27"},
    {{1}, 1, -1, 4, "unknown element type -1"},
};

static void tensors_are_checked(void **state)
{
    size_t i;

    for (i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++) {
        lpi_text graph = {0};

        put_relu(&graph);
        put_weight(&graph, "w", tensors[i].dtype,
                   (lp_shape){tensors[i].rank, tensors[i].dims},
                   tensors[i].length);
        fill_model(*state, &graph, NULL);
        if (tensors[i].says)
            refused(*state, LP_EINPUT, tensors[i].says);
        else
            assert_int_equal(read_once(*state), LP_OK);
    }
}

static void declared_shapes_are_checked(void **state)
{
    static const int64_t dims[3][2] = {
        {-2, 1}, {INT64_MAX, 2}, {INT64_C(1) << 31, INT64_C(1) << 31}};
    static const char *const says[] = {"dimension 0 is -2", "overflow",
                                       "overflow"};
    lpi_text graph = {0};
    int64_t many[LPI_ONNX_RANK + 1] = {0};
    size_t i;

    for (i = 0; i < 3; i++) {
        put_relu(&graph);
        put_value(&graph, GRAPH_INPUT, "z", dims[i], 2);
        fill_model(*state, &graph, NULL);
        refused(*state, LP_EINPUT, says[i]);
    }
    put_relu(&graph);
    put_value(&graph, GRAPH_INPUT, "z", many, LPI_ONNX_RANK + 1);
    fill_model(*state, &graph, NULL);
    refused(*state, LP_EINPUT, "has 65 dimensions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SANDBOX(wires_are_checked),
        IN_SANDBOX(nesting_is_bounded),
        IN_SANDBOX(long_names_are_refused),
        IN_SANDBOX(graphs_are_checked),
        IN_SANDBOX(outputs_need_producers),
        IN_SANDBOX(opsets_are_checked),
        IN_SANDBOX(tensors_are_checked),
        IN_SANDBOX(declared_shapes_are_checked),
    };

    return cmocka_run_group_tests_name("onnx hostile", tests, NULL, NULL);
}
