/* test_graph.c: the graph floor: building, captures, order, sizes. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/graph/graph.h"

#include <cmocka.h>

static int new_model(void **state)
{
    *state = lpi_model_new("test", 0);
    return *state ? 0 : -1;
}

static int free_model(void **state)
{
    lp_model_free(*state);
    return 0;
}

static lp_tensor *add(lp_model *model, const char *name, lpi_kind kind)
{
    lp_tensor *tensor = NULL;

    assert_int_equal(lpi_tensor_add(model, name, kind, &tensor, NULL), LP_OK);
    assert_non_null(tensor);
    return tensor;
}

static lp_tensor *use(lp_model *model, const char *name)
{
    lp_tensor *tensor = NULL;

    assert_int_equal(lpi_tensor_use(model, name, &tensor, NULL), LP_OK);
    return tensor;
}

/* A layer called "name" that makes a tensor of that name from at most one
 * input, which is set later (link_input). */
static lp_layer *layer_of(lp_model *model, const char *name)
{
    lp_layer *layer = NULL;

    assert_int_equal(lpi_layer_add(model, name, "", "Relu", 1, 1, &layer, NULL),
                     LP_OK);
    layer->outputs[0] = add(model, name, LPI_ACTIVATION);
    layer->outputs[0]->producer = layer;
    return layer;
}

static void link_input(lp_model *model, const char *layer, const char *tensor)
{
    lpi_tensor_find(model, layer)->producer->inputs[0] = use(model, tensor);
}

/* The names of the layers of "model" in order, joined by blanks. */
static void assert_order(const lp_model *model, const char *expected)
{
    lpi_text text = {0};
    int64_t i;

    lpi_text_put(&text, "");
    for (i = 0; i < model->layers_count; i++) {
        lpi_text_printf(&text, "%s%s", i ? " " : "", model->layers[i]->name);
        assert_int_equal(model->layers[i]->id, i);
    }
    assert_string_equal(text.bytes, expected);
    lpi_text_drop(&text);
}

static void tensors_are_found(void **state)
{
    lp_model *model = *state;
    lp_tensor *x = add(model, "x", LPI_INPUT);
    lp_tensor *w = add(model, "w", LPI_WEIGHT);

    assert_ptr_equal(lpi_tensor_find(model, "x"), x);
    assert_ptr_equal(use(model, "w"), w);
    assert_null(lpi_tensor_find(model, "y"));
    assert_null(lpi_tensor_find(model, ""));
    assert_int_equal(x->id, 0);
    assert_int_equal(w->id, 1);
    assert_int_equal(x->shape.rank, -1);
    assert_int_equal(x->dtype, LP_UNDEFINED);
}

static void duplicates_are_refused(void **state)
{
    lp_model *model = *state;
    lp_tensor *tensor = NULL;
    lp_error error;

    add(model, "x", LPI_INPUT);
    assert_int_equal(
        lpi_tensor_add(model, "x", LPI_ACTIVATION, &tensor, &error), LP_EINPUT);
    assert_null(tensor);
    assert_non_null(strstr(error.message, "'x'"));
    add(model, "", LPI_CONSTANT);
    add(model, "", LPI_CONSTANT);
}

static void unknown_names_are_refused(void **state)
{
    lp_model *model = *state;
    lp_tensor *tensor = NULL;
    lp_error error;

    assert_int_equal(lpi_tensor_use(model, "ghost", &tensor, &error),
                     LP_EINPUT);
    assert_null(tensor);
    assert_non_null(strstr(error.message, "'ghost'"));
    assert_string_equal(error.where, "test");
}

static void bodies_capture_through_two_levels(void **state)
{
    lp_model *model = *state;
    lp_tensor *x = add(model, "x", LPI_INPUT);
    lp_model *body = lpi_model_new_body(model);
    lp_model *inner = lpi_model_new_body(body);
    lp_tensor *own = add(body, "own", LPI_INPUT), *seen;

    seen = use(inner, "x");
    assert_int_equal(seen->kind, LPI_CAPTURE);
    assert_int_equal(inner->captures_count, 1);
    assert_int_equal(body->captures_count, 1);
    assert_ptr_equal(inner->captures[0], seen);
    assert_ptr_equal(seen->outer, body->captures[0]);
    assert_ptr_equal(body->captures[0]->outer, x);
    assert_ptr_equal(use(inner, "x"), seen);
    assert_int_equal(inner->captures_count, 1);
    assert_ptr_equal(use(inner, "own")->outer, own);
    assert_ptr_equal(use(body, "own"), own);
    assert_int_equal(body->captures_count, 1);
    assert_ptr_equal(inner->arena, model->arena);
}

static void order_of_the_file_stays(void **state)
{
    lp_model *model = *state;

    add(model, "x", LPI_INPUT);
    layer_of(model, "a");
    layer_of(model, "b");
    layer_of(model, "c");
    link_input(model, "a", "x");
    link_input(model, "b", "x");
    link_input(model, "c", "a");
    assert_int_equal(lpi_model_sort(model, NULL), LP_OK);
    assert_order(model, "a b c");
}

static void producers_come_first(void **state)
{
    lp_model *model = *state;

    add(model, "x", LPI_INPUT);
    layer_of(model, "c");
    layer_of(model, "free");
    layer_of(model, "b");
    layer_of(model, "a");
    link_input(model, "a", "x");
    link_input(model, "b", "a");
    link_input(model, "c", "b");
    link_input(model, "free", "x");
    assert_int_equal(lpi_model_sort(model, NULL), LP_OK);
    assert_order(model, "a b c free");
}

static void captures_order_layers_too(void **state)
{
    lp_model *model = *state, *body;
    lpi_attr attr = {.name = "body", .kind = LPI_ATTR_BODY};
    lp_layer *outer;

    add(model, "x", LPI_INPUT);
    outer = layer_of(model, "outer");
    layer_of(model, "late");
    link_input(model, "outer", "x");
    link_input(model, "late", "x");
    body = lpi_model_new_body(model);
    use(body, "late");
    attr.body = body;
    outer->attrs = &attr;
    outer->attrs_count = 1;
    assert_int_equal(lpi_model_sort(model, NULL), LP_OK);
    assert_order(model, "late outer");
}

static void cycles_are_named(void **state)
{
    lp_model *model = *state;
    lp_error error;

    layer_of(model, "a");
    layer_of(model, "b");
    layer_of(model, "c");
    link_input(model, "a", "b");
    link_input(model, "b", "c");
    link_input(model, "c", "b");
    assert_int_equal(lpi_model_sort(model, &error), LP_EINPUT);
    assert_non_null(strstr(error.message, "cycle"));
    assert_true(strstr(error.message, "'b'") || strstr(error.message, "'c'"));
    link_input(model, "b", "b");
    assert_int_equal(lpi_model_sort(model, NULL), LP_EINPUT);
}

static void deep_chains_need_no_stack(void **state)
{
    enum { DEEP = 200000 };
    lp_model *model = *state;
    lp_layer *last = NULL;
    int64_t i;

    add(model, "x", LPI_INPUT);
    for (i = 0; i < DEEP; i++) {
        char name[32];
        lp_layer *layer;

        snprintf(name, sizeof(name), "n%d", (int)i);
        layer = layer_of(model, name);
        if (last)
            last->inputs[0] = layer->outputs[0];
        last = layer;
    }
    last->inputs[0] = use(model, "x");
    assert_int_equal(lpi_model_sort(model, NULL), LP_OK);
    assert_ptr_equal(model->layers[0], last);
    assert_string_equal(model->layers[DEEP - 1]->name, "n0");
}

static void opsets_are_found(void **state)
{
    lp_model *model = *state;
    lp_layer *layer;

    assert_int_equal(lpi_model_add_opset(model, "ai.onnx", 17, NULL), LP_OK);
    assert_int_equal(lpi_model_add_opset(model, "com.x", 2, NULL), LP_OK);
    assert_int_equal(lpi_model_opset(model, ""), 17);
    assert_int_equal(lpi_model_opset(model, "com.x"), 2);
    assert_int_equal(lpi_model_opset(model, "other"), 0);
    assert_int_equal(
        lpi_layer_add(model, "a", "com.x", "Op", 0, 0, &layer, NULL), LP_OK);
    assert_int_equal(layer->version, 2);
    assert_int_equal(lpi_model_add_opset(model, "", 0, NULL), LP_EINPUT);
    assert_int_equal(lpi_model_add_opset(model, "", INT64_MAX, NULL),
                     LP_EINPUT);
}

static void sizes_in_storage_form(void **state)
{
    static const struct {
        lp_dtype dtype;
        int64_t elements, bytes;
    } cases[] = {
        {LP_FLOAT32, 3, 12}, {LP_INT8, 3, 3},
        {LP_INT4, 3, 2},     {LP_INT4, 4, 2},
        {LP_UINT2, 5, 2},    {LP_FLOAT4E2M1, 1, 1},
        {LP_BOOL, 7, 7},     {LP_COMPLEX128, 2, 32},
        {LP_STRING, 9, 0},   {LP_UNDEFINED, 9, 0},
        {LP_FLOAT32, 0, 0},  {LP_FLOAT32, INT64_MAX / 2, INT64_MAX},
    };
    const int64_t dims[] = {2, 3, -1}, zero[] = {-1, 0};
    int32_t i;

    (void)state;
    for (i = 0; i < LPI_COUNT(cases); i++)
        assert_int_equal(lpi_storage_bytes(cases[i].dtype, cases[i].elements),
                         cases[i].bytes);
    assert_int_equal(lpi_shape_elements((lp_shape){2, dims}), 6);
    assert_int_equal(lpi_shape_elements((lp_shape){0, NULL}), 1);
    assert_int_equal(lpi_shape_elements((lp_shape){3, dims}), -1);
    assert_int_equal(lpi_shape_elements((lp_shape){2, zero}), -1);
    assert_int_equal(lpi_shape_elements(lpi_shape_unknown), -1);
}

static void every_dtype_has_a_name(void **state)
{
    int i;

    (void)state;
    for (i = LP_UNDEFINED + 1; i < LP_DTYPE_COUNT; i++)
        assert_int_equal(lp_dtype_from_name(lp_dtype_name((lp_dtype)i)), i);
    assert_int_equal(lp_dtype_from_name("fp16"), LP_FLOAT16);
    assert_int_equal(lp_dtype_from_name("i64"), LP_INT64);
    assert_int_equal(lp_dtype_from_name("undefined"), LP_UNDEFINED);
    assert_int_equal(lp_dtype_from_name(""), LP_UNDEFINED);
    assert_string_equal(lp_dtype_name((lp_dtype)99), "undefined");
    assert_int_equal(lp_dtype_bits((lp_dtype)-1), 0);
}

static void shapes_print(void **state)
{
    const int64_t dims[] = {1, 320, -1};
    lpi_text text = {0};

    (void)state;
    lpi_shape_print(&text, (lp_shape){3, dims});
    lpi_text_put(&text, " ");
    lpi_shape_print(&text, (lp_shape){0, NULL});
    lpi_text_put(&text, " ");
    lpi_shape_print(&text, lpi_shape_unknown);
    assert_string_equal(text.bytes, "1x320x? scalar ?");
    lpi_text_drop(&text);
}

#define WITH_MODEL(test)                                                       \
    cmocka_unit_test_setup_teardown(test, new_model, free_model)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MODEL(tensors_are_found),
        WITH_MODEL(duplicates_are_refused),
        WITH_MODEL(unknown_names_are_refused),
        WITH_MODEL(bodies_capture_through_two_levels),
        WITH_MODEL(order_of_the_file_stays),
        WITH_MODEL(producers_come_first),
        WITH_MODEL(captures_order_layers_too),
        WITH_MODEL(cycles_are_named),
        WITH_MODEL(deep_chains_need_no_stack),
        WITH_MODEL(opsets_are_found),
        cmocka_unit_test(sizes_in_storage_form),
        cmocka_unit_test(every_dtype_has_a_name),
        cmocka_unit_test(shapes_print),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
