/* random_graph.h: small random graphs, settled by hand, with rows made up here:
 * views, folded layers, shared weights, captures and bodies.  For tests that
 * work definitions out in the slowest and plainest way. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/cost/cost.h"

#include <cmocka.h>

enum { GRAPHS = 4000, MOST = 64 };

static const lp_op rows[] = {
    {.domain = "", .name = "Plain"},
    {.domain = "", .name = "View", .flags = LPI_VIEW},
    {.domain = "", .name = "Weigh", .roles = "dwsz"},
    {.domain = "", .name = "Scale", .roles = "wsi"},
    {.domain = "", .name = "Shape", .flags = LPI_OF_SHAPE},
};

static const char *const modules[] = {"", "/a", "/a/b", "/a/c/d", "/b", "/a/b"};

/* ---- random graphs ----------------------------------------------------------
 */

static uint64_t random_state;
static int named;

/* A number below "limit" (Marsaglia's xorshift). */
static int32_t draw(int32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int32_t)(random_state % (uint64_t)limit);
}

static lp_tensor *new_tensor(lp_model *model, lpi_kind kind, lp_dtype dtype,
                             int64_t elements)
{
    char name[16];
    lp_tensor *tensor = NULL;

    snprintf(name, sizeof(name), "t%d", named++);
    assert_int_equal(lpi_tensor_add(model, name, kind, &tensor, NULL), LP_OK);
    tensor->dtype = dtype;
    tensor->shape = lpi_shape_copy(model->arena, 1, &elements);
    return tensor;
}

/* A weight; one in three is a range of a file that others name too. */
static lp_tensor *new_weight(lp_model *model)
{
    static const lp_dtype dtypes[] = {LP_FLOAT32, LP_INT8, LP_INT64};
    lp_tensor *tensor =
        new_tensor(model, LPI_WEIGHT, dtypes[draw(3)], 1 + draw(50));

    tensor->is_static = tensor->is_weight = true;
    if (draw(3) == 0) {
        tensor->dtype = LP_FLOAT32;
        tensor->shape = lpi_shape_copy(model->arena, 1, &(int64_t){10});
        tensor->payload = (lpi_payload){.where = LPI_OUTSIDE,
                                        .location = draw(2) ? "x" : "y",
                                        .offset = draw(2) * 40,
                                        .length = 40};
    }
    return tensor;
}

static lp_model *new_graph(lp_model *outer, int32_t depth);

/* Give "layer" of "model" one or two bodies. */
static void add_bodies(lp_model *model, lp_layer *layer, int32_t depth)
{
    int32_t count = 1 + draw(2), i;
    lpi_attr *attrs = LPI_NEW(model->arena, lpi_attr, count);

    for (i = 0; i < count; i++)
        attrs[i] = (lpi_attr){.name = i ? "else_branch" : "then_branch",
                              .kind = LPI_ATTR_BODY,
                              .body = new_graph(model, depth + 1)};
    layer->attrs = attrs;
    layer->attrs_count = count;
}

/* A tensor that a layer of "model" may read: one of its own, or sometimes one
 * of the graphs around; NULL when there is none. */
static lp_tensor *pick(lp_model *model)
{
    lp_tensor *tensor = NULL;
    lp_model *from = model;

    while (from->outer && draw(4) == 0)
        from = from->outer;
    if (!from->tensors_count)
        return NULL;
    tensor = from->tensors[draw((int32_t)from->tensors_count)];
    assert_int_equal(lpi_tensor_use(model, tensor->name, &tensor, NULL), LP_OK);
    if (tensor->kind == LPI_CAPTURE)
        tensor->dtype = tensor->outer->dtype;
    return tensor;
}

/* Whether "tensor", perhaps a capture, is static. */
static bool is_static(const lp_tensor *tensor)
{
    while (tensor && tensor->kind == LPI_CAPTURE)
        tensor = tensor->outer;
    return !tensor || tensor->is_static;
}

static void add_layer(lp_model *model, int32_t depth)
{
    int32_t inputs = 1 + draw(3), outputs = 1 + draw(2), i;
    const lp_op *row = &rows[draw(LPI_COUNT(rows))];
    bool folded = true;
    lp_layer *layer;
    char name[16];

    snprintf(name, sizeof(name), "l%d", named++);
    assert_int_equal(lpi_layer_add(model, name, "", row->name, inputs, outputs,
                                   &layer, NULL),
                     LP_OK);
    layer->row = row;
    layer->module = modules[draw(LPI_COUNT(modules))];
    for (i = 0; i < inputs; i++)
        layer->inputs[i] = i == 0 || draw(5) ? pick(model) : NULL;
    for (i = 0; i < inputs; i++)
        folded = folded && is_static(layer->inputs[i]);
    folded = folded || row->flags & LPI_OF_SHAPE;
    if (depth < 3 && draw(6) == 0) {
        add_bodies(model, layer, depth);
        folded = false;
    }
    layer->is_static = folded;
    for (i = 0; i < outputs; i++) {
        lp_tensor *made = NULL;

        if (i && draw(4) == 0)
            continue;
        made = new_tensor(model, LPI_ACTIVATION, draw(2) ? LP_UINT8 : LP_INT8,
                          draw(30));
        made->producer = layer;
        made->is_static = folded;
        layer->outputs[i] = made;
    }
}

static lp_model *new_graph(lp_model *outer, int32_t depth)
{
    lp_model *model = outer ? lpi_model_new_body(outer) : lpi_model_new("", 0);
    int32_t i;

    for (i = draw(3) + !outer; i > 0; i--)
        assert_int_equal(
            lpi_model_add_input(
                model, new_tensor(model, LPI_INPUT, LP_UINT8, draw(30)), NULL),
            LP_OK);
    for (i = draw(4); i > 0; i--)
        new_weight(model);
    for (i = draw(depth ? 5 : 14); i > 0; i--)
        add_layer(model, depth);
    for (i = draw(3); i > 0; i--) {
        lp_tensor *tensor = pick(model);

        if (tensor)
            assert_int_equal(lpi_model_add_output(model, tensor, NULL), LP_OK);
    }
    return model;
}

/* The graph number "n", to be freed with lp_model_free. */
static lp_model *random_graph(int32_t n)
{
    random_state = (uint64_t)n * UINT64_C(0x9e3779b97f4a7c15);
    named = 0;
    return new_graph(NULL, 0);
}

/* Let "check" look at all graphs and what is reported of them. */
static void check_graphs(void (*check)(const lp_model *model,
                                       const lp_report *report))
{
    const lp_report_options options = {.skip_distance = 1};
    int32_t i;

    for (i = 1; i <= GRAPHS; i++) {
        lp_model *model = random_graph(i);
        lp_report *report = NULL;

        assert_int_equal(lp_report_new(model, &options, &report, NULL), LP_OK);
        check(model, report);
        lp_report_free(report);
        lp_model_free(model);
    }
}

#endif
