/* test_onnx_beyond.c: what an ONNX file calls or points at: its functions, and
 * the files beside it. */
#include "test_onnx.h"

/* ---- functions ---------------------------------------------------------- */

/* Function "name" of domain "f": out = BODY(in). */
static void put_function(lpi_text *more, const char *name, const char *body,
                         const char *output)
{
    lpi_text function = {0}, node = {0};

    put_text(&function, 1, name);
    put_text(&function, 4, "in");
    put_text(&function, 5, "out");
    put_text(&function, 10, "f");
    put_text(&node, 1, "in");
    put_text(&node, 2, output);
    put_text(&node, 4, body);
    put_text(&node, 7, "f");
    put_child(&function, 7, &node);
    put_child(more, 25, &function);
}

/* Fill the file with a model that calls function A of domain f. */
static void fill_call(sandbox *box, lpi_text *more)
{
    lpi_text graph = {0}, node = {0};

    put_relu(&graph);
    put_text(&node, 1, "x");
    put_text(&node, 2, "z");
    put_text(&node, 4, "A");
    put_text(&node, 7, "f");
    put_child(&graph, GRAPH_NODE, &node);
    fill_model(box, &graph, more);
}

static void functions_are_checked(void **state)
{
    enum { CHAIN = 200 };
    lpi_text more = {0};
    int i;

    put_function(&more, "A", "B", "out");
    put_function(&more, "B", "A", "out");
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "calls itself");
    put_function(&more, "A", "Op", "other");
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "does not produce its output 'out'");
    put_function(&more, "A", "Op", "in");
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "produced twice");
    put_function(&more, "A", "Op", "out");
    put_function(&more, "A", "Op", "out");
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "defined twice");
    put_function(&more, "A", "F0", "out");
    for (i = 0; i < CHAIN; i++) {
        char name[16], next[16];

        snprintf(name, sizeof(name), "F%d", i);
        snprintf(next, sizeof(next), "F%d", i + 1);
        put_function(&more, name, next, "out");
    }
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "nested deeper than");
}

/* Each function calls the next ten times: 10^40 layers. */
static void expansion_is_bounded(void **state)
{
    enum { DEPTH = 40, CALLS = 10 };
    lpi_text more = {0};
    int i, call;

    for (i = 0; i < DEPTH; i++) {
        lpi_text function = {0};
        char name[16], output[16];

        snprintf(name, sizeof(name), "%c", i ? 'A' + i : 'A');
        put_text(&function, 1, name);
        put_text(&function, 4, "in");
        put_text(&function, 10, "f");
        snprintf(name, sizeof(name), "%c", 'A' + i + 1);
        for (call = 0; call < CALLS; call++) {
            lpi_text node = {0};

            snprintf(output, sizeof(output), "n%d", call);
            put_text(&node, 1, "in");
            put_text(&node, 3, output);
            put_text(&node, 4, name);
            put_text(&node, 7, "f");
            put_child(&function, 7, &node);
        }
        put_text(&function, 5, "in");
        put_child(&more, 25, &function);
    }
    fill_call(*state, &more);
    refused(*state, LP_EINPUT, "functions and bodies make more than");
}

/* ---- beside the model --------------------------------------------------- */

static void put_external(lpi_text *graph, const char *location,
                         const char *offset, const char *length)
{
    const char *const pairs[][2] = {
        {"location", location}, {"offset", offset}, {"length", length}};
    lpi_text tensor = {0}, pair = {0};
    int i;

    put_number(&tensor, 1, 4);
    put_number(&tensor, 2, LP_FLOAT32);
    put_text(&tensor, 8, "w");
    put_number(&tensor, 14, 1);
    for (i = 0; i < 3; i++) {
        put_text(&pair, 1, pairs[i][0]);
        put_text(&pair, 2, pairs[i][1]);
        put_child(&tensor, 13, &pair);
    }
    put_child(graph, GRAPH_WEIGHT, &tensor);
}

static const struct {
    const char *location, *offset, *length, *says;
} externals[] = {
    {"absent.data", "0", "16", NULL},
    {"absent/absent.data", "9000000000", "16", NULL},
    {"side", "4", "16", NULL},
    {"./side", "0", "16", NULL},
    {"side", "5", "16", "past the end"},
    {"side", "9223372036854775807", "16", "past the end"},
    {"side", "-1", "16", "offset"},
    {"side", "0x10", "16", "offset"},
    {"side", "0", "15", "its shape wants 16"},
    {"/etc/passwd", "0", "16", "below the model's folder"},
    {"../side", "0", "16", "below the model's folder"},
    {"absent/../side", "0", "16", "below the model's folder"},
    {"", "0", "16", "below the model's folder"},
    {"link", "0", "16", "link"},
};

static void external_data_is_checked(void **state)
{
    sandbox *box = *state;
    char side[PATH_MAX], link_path[PATH_MAX];
    int descriptor;
    size_t i;

    snprintf(side, sizeof(side), "%s/side", box->folder);
    snprintf(link_path, sizeof(link_path), "%s/link", box->folder);
    descriptor = open(side, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(descriptor, 20), 0);
    close(descriptor);
    assert_int_equal(symlink("side", link_path), 0);
    for (i = 0; i < sizeof(externals) / sizeof(externals[0]); i++) {
        lpi_text graph = {0};

        put_relu(&graph);
        put_external(&graph, externals[i].location, externals[i].offset,
                     externals[i].length);
        fill_model(box, &graph, NULL);
        if (!externals[i].says) {
            assert_int_equal(read_once(box), LP_OK);
            continue;
        }
        assert_int_equal(read_once(box), LP_EINPUT);
        if (!strstr(box->error.message, externals[i].says))
            fail_msg("'%s' does not say '%s'", box->error.message,
                     externals[i].says);
    }
    unlink(side);
    unlink(link_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SANDBOX(functions_are_checked),
        IN_SANDBOX(expansion_is_bounded),
        IN_SANDBOX(external_data_is_checked),
    };

    return cmocka_run_group_tests_name("onnx beyond", tests, NULL, NULL);
}
