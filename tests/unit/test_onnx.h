/* test_onnx.h: what the tests of the ONNX reader share: a file to read from,
 * and bytes of the wire format. */
#ifndef TEST_ONNX_H
#define TEST_ONNX_H

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../onnx/onnx.h"

#include <cmocka.h>

/* A folder for one test, and a file in it. */
typedef struct sandbox {
    char folder[PATH_MAX / 2], path[PATH_MAX];
    int descriptor;
    lp_error error;
} sandbox;

static inline int open_sandbox(void **state)
{
    static sandbox box;
    const char *above = getenv("TMPDIR");

    snprintf(box.folder, sizeof(box.folder), "%s/lplan-XXXXXX",
             above ? above : "/tmp");
    if (!mkdtemp(box.folder))
        return -1;
    snprintf(box.path, sizeof(box.path), "%s/model.onnx", box.folder);
    box.descriptor = open(box.path, O_RDWR | O_CREAT, 0600);
    *state = &box;
    return box.descriptor < 0 ? -1 : 0;
}

static inline int close_sandbox(void **state)
{
    sandbox *box = *state;

    close(box->descriptor);
    unlink(box->path);
    return rmdir(box->folder);
}

/* Make the file hold the "length" bytes at "bytes". */
static inline void fill(sandbox *box, const void *bytes, size_t length)
{
    assert_int_equal(ftruncate(box->descriptor, 0), 0);
    assert_int_equal(pwrite(box->descriptor, bytes, length, 0), length);
}

/* Read the file; a model is freed.  A failure must say why. */
static inline lp_status read_once(sandbox *box)
{
    lp_model *model = NULL;
    lp_status status;

    box->error = (lp_error){.status = LP_OK};
    status = lpi_onnx_read(box->path, 0, &model, &box->error);
    if (status == LP_OK) {
        lp_model_free(model);
    } else {
        assert_null(model);
        assert_int_equal(box->error.status, status);
        assert_true(box->error.message[0] != '\0');
        assert_null(strchr(box->error.message, '\n'));
    }
    return status;
}

/* Reading must fail with "status" and say "says". */
static inline void refused(sandbox *box, lp_status status, const char *says)
{
    assert_int_equal(read_once(box), status);
    if (!strstr(box->error.message, says) && !strstr(box->error.where, says))
        fail_msg("'%s: %s' does not say '%s'", box->error.where,
                 box->error.message, says);
    assert_true(strstr(box->error.where, "model.onnx") || status == LP_ENOMEM);
}

#define IN_SANDBOX(test)                                                       \
    cmocka_unit_test_setup_teardown(test, open_sandbox, close_sandbox)

/* ---- messages ----------------------------------------------------------- */

static inline void put_bytes(lpi_text *text, uint32_t field, const void *bytes,
                             size_t length)
{
    lpi_wire_put(text, (uint64_t)field << 3 | 2, 1);
    lpi_wire_put(text, length, 1);
    lpi_text_append(text, bytes, length);
}

static inline void put_text(lpi_text *text, uint32_t field, const char *value)
{
    put_bytes(text, field, value, strlen(value));
}

static inline void put_number(lpi_text *text, uint32_t field, int64_t value)
{
    lpi_wire_put(text, (uint64_t)field << 3, 1);
    lpi_wire_put(text, (uint64_t)value, 1);
}

/* Put the message "child" into "text", and empty it. */
static inline void put_child(lpi_text *text, uint32_t field, lpi_text *child)
{
    put_bytes(text, field, child->length ? child->bytes : "", child->length);
    lpi_text_drop(child);
}

/* Put each word of "words" into "text"; "-" stands for an empty one. */
static inline void put_words(lpi_text *text, uint32_t field, const char *words)
{
    while (*words) {
        size_t length = strcspn(words, " ");

        put_bytes(text, field, words, *words == '-' ? 0 : length);
        words += length + (words[length] == ' ');
    }
}

enum { GRAPH_NODE = 1, GRAPH_WEIGHT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

static inline void put_node(lpi_text *graph, const char *op, const char *inputs,
                            const char *outputs)
{
    lpi_text node = {0};

    put_words(&node, 1, inputs);
    put_words(&node, 2, outputs);
    put_text(&node, 4, op);
    put_child(graph, GRAPH_NODE, &node);
}

/* A value called "name": float32 with "rank" dimensions. */
static inline void put_value(lpi_text *graph, uint32_t field, const char *name,
                             const int64_t *dims, int32_t rank)
{
    lpi_text value = {0}, type = {0}, tensor = {0}, shape = {0}, dim = {0};
    int32_t i;

    for (i = 0; i < rank; i++) {
        put_number(&dim, 1, dims[i]);
        put_child(&shape, 1, &dim);
    }
    put_number(&tensor, 1, LP_FLOAT32);
    put_child(&tensor, 2, &shape);
    put_child(&type, 1, &tensor);
    put_text(&value, 1, name);
    put_child(&value, 2, &type);
    put_child(graph, field, &value);
}

/* An initializer of "dtype" and "shape" whose raw content is "length" zeros
 * (-1: no content). */
static inline void put_weight(lpi_text *graph, const char *name, int dtype,
                              lp_shape shape, int length)
{
    lpi_text tensor = {0};
    char zeros[4096] = "";
    int32_t i;

    for (i = 0; i < shape.rank; i++)
        put_number(&tensor, 1, shape.dims[i]);
    put_number(&tensor, 2, dtype);
    put_text(&tensor, 8, name);
    if (length >= 0)
        put_bytes(&tensor, 9, zeros, (size_t)length);
    put_child(graph, GRAPH_WEIGHT, &tensor);
}

/* The graph y = Relu(x), to which a test adds. */
static inline void put_relu(lpi_text *graph)
{
    const int64_t dims[] = {4};

    put_node(graph, "Relu", "x", "y");
    put_value(graph, GRAPH_INPUT, "x", dims, 1);
    put_value(graph, GRAPH_OUTPUT, "y", dims, 1);
}

/* Fill the file with a model of "graph" and of the fields in "more" (both
 * are emptied), importing opset 17. */
static inline void fill_model(sandbox *box, lpi_text *graph, lpi_text *more)
{
    lpi_text model = {0}, opset = {0};

    put_number(&model, 1, 8);
    put_child(&model, 7, graph);
    put_number(&opset, 2, 17);
    put_child(&model, 8, &opset);
    if (more && more->length)
        lpi_text_append(&model, more->bytes, more->length);
    if (more)
        lpi_text_drop(more);
    fill(box, model.bytes, model.length);
    lpi_text_drop(&model);
}

#endif
