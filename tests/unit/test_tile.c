/* test_tile.c: computed by tiles, by several threads or by any instruction set,
 * every row gives the same bytes.
 *
 * Each layer of each sample whose row has a tile hook gets drawn operands; its
 * output is cut along drawn positions of every axis, each box is computed by a
 * shadow layer from the boxes that the hook asks for, and compared.  Boxes
 * that a row refuses are left out, but every row must take some real part. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sched/sched.h"

#include <cmocka.h>

enum { ROUNDS = 24, OPERANDS = 16 };

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A layer with the content of its operands. */
typedef struct work {
    lp_model *model;
    const lp_layer *layer;
    void *in[OPERANDS];
    void *whole; /* output 0 */
    lpi_arena *arena, *scratch;
} work;

static void *content(lpi_arena *arena, const lp_tensor *tensor)
{
    int64_t count = lpi_tensor_elements(tensor), i;
    int64_t bytes = lpi_tensor_bytes(tensor);
    lpi_class class = lpi_class_of(tensor->dtype);
    void *to = lpi_arena_array(arena, bytes + 1, 1);

    assert_non_null(to);
    if (tensor->value != NULL) {
        memcpy(to, tensor->value, (size_t)bytes);
        return to;
    }
    for (i = 0; i < count && class != LPI_NO_CLASS; i++) {
        double value = (double)(draw() % 2000) / 1000 - 1;
        uint64_t raw = draw() % 4;

        if (class == LPI_F64)
            memcpy(&raw, &value, sizeof(value));
        if (class == LPI_F32) {
            float narrow = (float)value;

            memcpy(&raw, &narrow, sizeof(narrow));
        }
        lpi_pack(tensor->dtype, &raw, i, 1, to);
    }
    return to;
}

/* Run "layer" from "in" into output 0 at "out"; others get memory. */
static void compute(const work *w, const lp_layer *layer, void *const *in,
                    void *out, const lpi_isa *isa, int32_t threads)
{
    const lp_load_options options = {.trips = 0};
    const lpi_context context = {.options = &options, .scratch = w->scratch};
    lp_error error = {0};
    lpi_node node = {.model = w->model,
                     .layer = (lp_layer *)layer,
                     .params = layer->params,
                     .context = &context,
                     .error = &error};
    const void *from[OPERANDS];
    void *to[OPERANDS] = {out};
    lpi_run run = {.node = &node,
                   .in = from,
                   .out = to,
                   .scratch = w->scratch,
                   .isa = isa,
                   .threads = threads};
    int32_t i;

    for (i = 0; i < layer->inputs_count; i++)
        from[i] = in[i];
    for (i = 1; i < layer->outputs_count; i++)
        if (layer->outputs[i] != NULL)
            to[i] = lpi_arena_array(w->scratch,
                                    lpi_tensor_bytes(layer->outputs[i]) + 1, 1);
    if (layer->row->run(&run) != LP_OK)
        fail_msg("%s: %s", layer->op, error.message);
    lpi_arena_reset(w->scratch);
}

/* Copy between the box of "tensor" at "whole" and the part at "part". */
static void move(const lp_tensor *tensor, const lpi_box *box, void *whole,
                 void *part, bool out)
{
    int64_t dims[LPI_RANKS], far[LPI_RANKS], near[LPI_RANKS], first = 0;
    int32_t k;

    lpi_strides(tensor->shape.rank, tensor->shape.dims, far);
    for (k = 0; k < box->rank; k++) {
        dims[k] = box->to[k] - box->from[k];
        first += box->from[k] * far[k];
    }
    lpi_strides(box->rank, dims, near);
    lpi_copy_box(
        lp_dtype_bits(tensor->dtype), box->rank, dims,
        out ? (lpi_place){part, 0, near} : (lpi_place){whole, first, far},
        out ? (lpi_place){whole, first, far} : (lpi_place){part, 0, near});
}

static int64_t elements_of(const lpi_box *box)
{
    int64_t count = 1;
    int32_t k;

    for (k = 0; k < box->rank; k++)
        count *= box->to[k] - box->from[k];
    return count;
}

/* Compute box "out" of "w" apart and put it into "result"; false when the row
 * refuses it. */
static bool compute_box(const work *w, const lpi_box *out, void *result)
{
    static const char *const sets[] = {NULL, "generic", "avx2", "avx512",
                                       "avx512vnni"};
    const lp_layer *layer = w->layer;
    const lpi_isa *isa = NULL;
    lpi_box boxes[OPERANDS];
    void *in[OPERANDS], *part;
    lp_layer *shadow;
    lp_error error = {0};
    const char *set = sets[draw() % 5];
    int32_t i;

    if (lpi_shadow_new(w->arena, w->model, layer, out, boxes, &shadow,
                       &error) != LP_OK)
        return false;
    for (i = 0; i < layer->inputs_count; i++) {
        in[i] = w->in[i];
        if (boxes[i].rank < 0 || in[i] == NULL)
            continue;
        in[i] = lpi_arena_array(
            w->arena,
            lpi_storage_bytes(layer->inputs[i]->dtype, elements_of(&boxes[i])) +
                1,
            1);
        assert_non_null(in[i]);
        move(layer->inputs[i], &boxes[i], w->in[i], in[i], true);
    }
    part = lpi_arena_array(
        w->arena,
        lpi_storage_bytes(layer->outputs[0]->dtype, elements_of(out)) + 1, 1);
    assert_non_null(part);
    if (set != NULL)
        isa = lpi_isa_find(set);
    compute(w, shadow, in, part, isa, 1 + (int32_t)(draw() % 2));
    move(layer->outputs[0], out, result, part, false);
    return true;
}

/* Cut the output at drawn positions and compute the boxes; returns how many
 * real parts were computed. */
static int64_t cut(const work *w)
{
    const lp_tensor *tensor = w->layer->outputs[0];
    lp_shape y = tensor->shape;
    size_t size = (size_t)lpi_tensor_bytes(tensor);
    void *result = lpi_arena_array(w->arena, (int64_t)size + 1, 1);
    int64_t at[LPI_RANKS][3], taken = 0, all = 1, i;
    int32_t k;

    assert_non_null(result);
    memcpy(result, w->whole, size);
    for (k = 0; k < y.rank; k++) {
        bool whole = draw() % 3 == 0;

        at[k][0] = 0;
        at[k][2] = y.dims[k];
        at[k][1] = whole ? y.dims[k]
                         : (int64_t)(draw() % ((uint64_t)y.dims[k] + 1));
        all *= 2;
    }
    for (i = 0; i < all; i++) {
        lpi_box box = {.rank = y.rank};

        for (k = 0; k < y.rank; k++) {
            box.from[k] = at[k][i >> k & 1];
            box.to[k] = at[k][(i >> k & 1) + 1];
        }
        if (elements_of(&box) > 0 && compute_box(w, &box, result) &&
            elements_of(&box) < lpi_tensor_elements(tensor))
            taken++;
    }
    if (memcmp(result, w->whole, size) != 0)
        fail_msg("%s: tiles differ from the whole", w->layer->op);
    return taken;
}

/* All splits of "layer"; returns how many real parts were computed. */
static int64_t check_layer(lp_model *model, const lp_layer *layer)
{
    static const char *const sets[] = {"generic", "avx2", "avx512",
                                       "avx512vnni"};
    work w = {.model = model,
              .layer = layer,
              .arena = lpi_arena_new(1 << 28),
              .scratch = lpi_arena_new(1 << 28)};
    size_t size = (size_t)lpi_tensor_bytes(layer->outputs[0]);
    int64_t taken = 0;
    void *again;
    int32_t i;

    assert_true(layer->inputs_count <= OPERANDS);
    for (i = 0; i < layer->inputs_count; i++)
        if (layer->inputs[i] != NULL)
            w.in[i] = content(w.arena, layer->inputs[i]);
    w.whole = lpi_arena_array(w.arena, (int64_t)size + 1, 1);
    again = lpi_arena_array(w.arena, (int64_t)size + 1, 1);
    compute(&w, layer, w.in, w.whole, NULL, 1);
    for (i = 0; i < LPI_COUNT(sets); i++) {
        const lpi_isa *isa = lpi_isa_find(sets[i]);

        if (isa == NULL)
            continue;
        compute(&w, layer, w.in, again, isa, 1 + i % 2);
        if (memcmp(again, w.whole, size) != 0)
            fail_msg("%s: %s differs", layer->op, sets[i]);
    }
    for (i = 0; i < ROUNDS; i++)
        taken += cut(&w);
    lpi_arena_free(w.arena);
    lpi_arena_free(w.scratch);
    return taken;
}

static int64_t check_sample(const lp_op *row, const char *text, size_t length)
{
    lp_model *model = NULL;
    lp_error error = {0};
    int64_t taken = 0, i;

    if (lp_model_read(text, length, "sample", NULL, &model, &error) != LP_OK)
        fail_msg("%s: %s", row->name, error.message);
    for (i = 0; i < model->layers_count; i++)
        if (model->layers[i]->row == row && model->layers[i]->outputs[0])
            taken += check_layer(model, model->layers[i]);
    lp_model_free(model);
    return taken;
}

static void check_row(const lp_op *row)
{
    const char *text = row->samples, *end;
    int64_t taken = 0;

    while ((end = strstr(text, "\n---\n")) != NULL) {
        taken += check_sample(row, text, (size_t)(end - text));
        text = end + 5;
    }
    taken += check_sample(row, text, strlen(text));
    if (taken == 0)
        fail_msg("%s takes no tile", row->name);
}

static void test_tiles(void **ignored)
{
    int32_t f;

    (void)ignored;
    for (f = 0; lpi_families[f] != NULL; f++)
        for (const lp_op *row = lpi_families[f]; row->name != NULL; row++)
            if (row->tile != NULL)
                check_row(row);
}

/* ---- sums in parts ------------------------------------------------------ */

/* The layer of "text", its operands cut from "in" along "axes" (-1: whole) to
 * [from, to), into "out". */
static void run_part(const char *text, const float *const *whole,
                     const lp_shape *shapes, const int32_t *axes,
                     const int64_t range[2], float *out)
{
    lpi_arena *scratch = lpi_arena_new(1 << 28);
    lp_model *model = NULL;
    lp_error error = {0};
    const lp_layer *layer;
    void *in[OPERANDS] = {NULL};
    lpi_node node;
    int32_t i;

    if (lp_model_read(text, strlen(text), "part", NULL, &model, &error) !=
        LP_OK)
        fail_msg("%s", error.message);
    layer = model->layers[0];
    for (i = 0; i < layer->inputs_count; i++) {
        lp_tensor of = {.dtype = LP_FLOAT32, .shape = shapes[i]};
        lpi_box box = {.rank = shapes[i].rank};

        for (int32_t k = 0; k < box.rank; k++) {
            box.from[k] = k == axes[i] ? range[0] : 0;
            box.to[k] = k == axes[i] ? range[1] : shapes[i].dims[k];
        }
        in[i] = lpi_arena_array(scratch, elements_of(&box), sizeof(float));
        move(&of, &box, (void *)whole[i], in[i], true);
    }
    node = (lpi_node){.model = model,
                      .layer = (lp_layer *)layer,
                      .params = layer->params,
                      .error = &error};
    lpi_run run = {.node = &node,
                   .in = (const void *const *)in,
                   .out = (void *[]){out},
                   .scratch = scratch,
                   .continues = range[0] > 0,
                   .goes_on = range[1] < shapes[0].dims[axes[0]]};
    assert_true((layer->row->flags & LPI_CHAINS) != 0);
    if (layer->row->run(&run) != LP_OK)
        fail_msg("%s", error.message);
    lp_model_free(model);
    lpi_arena_free(scratch);
}

/* A product of 5 x 9 and 9 x 6, and a convolution of 9 channels, whole and in
 * parts of 4 and 5. */
static void test_chains(void **ignored)
{
    static const char *const product =
        "input a: float32[5, %d]; input b: float32[%d, 6]; weight c: "
        "float32[6] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}; y = Gemm(a, b, c) "
        "{alpha: 0.5}; output y";
    static const char *const conv =
        "input a: float32[1, %d, 5, 5]; input b: float32[4, %d, 3, 3]; y = "
        "Conv(a, b) {pads: [1, 1, 1, 1]}; output y";
    const int64_t dims[2][2][4] = {{{5, 9}, {9, 6}},
                                   {{1, 9, 5, 5}, {4, 9, 3, 3}}};
    const int32_t axes[2][3] = {{1, 0, -1}, {1, 1, -1}};
    const int64_t ranges[3][2] = {{0, 9}, {0, 4}, {4, 9}};
    float a[225], b[324], bias[6] = {1, 2, 3, 4, 5, 6};
    const float *const whole[3] = {a, b, bias};
    const int64_t six[1] = {6};

    (void)ignored;
    for (int32_t i = 0; i < 225; i++)
        a[i] = (float)(draw() % 1000) / 999;
    for (int32_t i = 0; i < 324; i++)
        b[i] = (float)(draw() % 1000) / 777 - 0.6f;
    for (int32_t c = 0; c < 2; c++) {
        const lp_shape shapes[3] = {
            {c ? 4 : 2, dims[c][0]}, {c ? 4 : 2, dims[c][1]}, {1, six}};
        float out[2][100] = {{0}};

        for (int32_t i = 0; i < 3; i++) {
            int length = (int)(ranges[i][1] - ranges[i][0]);
            char text[512];

            snprintf(text, sizeof(text), c ? conv : product, length, length);
            run_part(text, whole, shapes, axes[c], ranges[i], out[i > 0]);
        }
        assert_memory_equal(out[0], out[1], sizeof(out[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
