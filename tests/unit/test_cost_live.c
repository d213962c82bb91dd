/* test_cost_live.c: what is resident and what waits in random graphs, against
 * the definitions. */
#include "random_graph.h"

/* The tensor of "model" whose memory "tensor" is; NULL: none of this graph. */
static const lp_tensor *root_of(const lp_tensor *tensor)
{
    const lp_layer *maker = tensor ? tensor->producer : NULL;

    if (!tensor || tensor->is_static || tensor->kind == LPI_CAPTURE)
        return NULL;
    if (maker && maker->row->flags & LPI_VIEW && maker->outputs[0] == tensor &&
        maker->inputs[0] && !maker->inputs[0]->is_static)
        return root_of(maker->inputs[0]);
    return tensor;
}

static int64_t step_of(const lp_model *model, const lp_layer *layer)
{
    int64_t step = 0, i;

    for (i = 0; model->layers[i] != layer; i++)
        step += !model->layers[i]->is_static;
    return step;
}

static bool reads(const lp_layer *layer, const lp_tensor *root)
{
    int32_t i;
    int64_t j;

    for (i = 0; i < layer->inputs_count; i++)
        if (root_of(layer->inputs[i]) == root)
            return true;
    for (i = 0; i < layer->attrs_count; i++)
        for (j = 0; j < layer->attrs[i].body->captures_count; j++)
            if (root_of(layer->attrs[i].body->captures[j]->outer) == root)
                return true;
    return false;
}

static int64_t count_steps(const lp_model *model)
{
    int64_t steps = 0, i;

    for (i = 0; i < model->layers_count; i++)
        steps += !model->layers[i]->is_static;
    return steps;
}

/* Store in "*ret_touches" the steps at which "root" is made, read or given to
 * the caller, in order; returns how many. */
static int32_t touches_of(const lp_model *model, const lp_tensor *root,
                          int64_t *ret_touches)
{
    int32_t count = 0;
    int64_t i;

    ret_touches[count++] = root->producer ? step_of(model, root->producer) : 0;
    for (i = 0; i < model->layers_count; i++)
        if (!model->layers[i]->is_static && reads(model->layers[i], root))
            ret_touches[count++] = step_of(model, model->layers[i]);
    for (i = 0; i < model->outputs_count; i++)
        if (root_of(model->outputs[i]) == root)
            ret_touches[count++] = count_steps(model) - 1;
    return count;
}

static int64_t peak_of(const lp_model *model);

static int64_t live_at(const lp_model *model, const lp_layer *layer)
{
    int64_t step = step_of(model, layer), live = 0, workspace = 0, i;
    int64_t touches[MOST];

    for (i = 0; i < model->tensors_count; i++) {
        const lp_tensor *tensor = model->tensors[i];
        int32_t count;

        if (root_of(tensor) != tensor)
            continue;
        count = touches_of(model, tensor, touches);
        if (touches[0] <= step && step <= touches[count - 1])
            live += lpi_tensor_bytes(tensor);
    }
    for (i = 0; i < layer->attrs_count; i++)
        if (peak_of(layer->attrs[i].body) > workspace)
            workspace = peak_of(layer->attrs[i].body);
    return live + workspace;
}

static int64_t peak_of(const lp_model *model)
{
    int64_t peak = 0, i;

    for (i = 0; i < model->layers_count; i++)
        if (!model->layers[i]->is_static &&
            live_at(model, model->layers[i]) > peak)
            peak = live_at(model, model->layers[i]);
    return peak;
}

static void check_memory(const lp_model *model, const lp_report *report)
{
    int64_t sum = 0, peak = 0, peak_index = -1, i;

    for (i = 0; i < report->rows_count; i++) {
        const lp_row *row = &report->rows[i];

        if (model->layers[i]->is_static) {
            assert_int_equal(row->status, LP_FOLDED);
            assert_int_equal(row->index, -1);
            continue;
        }
        assert_int_equal(row->index, step_of(model, model->layers[i]));
        assert_int_equal(row->live_bytes, live_at(model, model->layers[i]));
        if (peak_index < 0 || row->live_bytes > peak) {
            peak = row->live_bytes;
            peak_index = row->index;
        }
    }
    assert_int_equal(report->live_peak_bytes, peak);
    assert_int_equal(report->peak_index, peak_index);
    for (i = 0; i < report->peak_count; i++)
        sum += report->peak[i].bytes;
    assert_int_equal(sum, peak);
}

/* Every storage with a wait of a step or more is a skip; none else is. */
static void check_skips(const lp_model *model, const lp_report *report)
{
    int64_t touches[MOST], expected = 0, i, j;
    int32_t count, k;

    for (i = 0; i < model->tensors_count && report->layers; i++) {
        const lp_tensor *tensor = model->tensors[i];
        int64_t wait = 0, from = 0;

        if (root_of(tensor) != tensor || !lpi_tensor_bytes(tensor))
            continue;
        count = touches_of(model, tensor, touches);
        for (k = 1; k < count; k++)
            if (touches[k] - touches[k - 1] > wait) {
                from = touches[k - 1];
                wait = touches[k] - from;
            }
        for (j = 0; j < report->skips_count && wait; j++)
            if (strcmp(report->skips[j].tensor, tensor->name) == 0) {
                assert_int_equal(report->skips[j].from, from);
                assert_int_equal(report->skips[j].to, from + wait);
                expected++;
                break;
            }
        assert_true(!wait || j < report->skips_count);
    }
    assert_int_equal(report->skips_count, expected);
    for (j = 1; j < report->skips_count; j++) {
        const lp_held *a = &report->skips[j - 1], *b = a + 1;

        assert_true(a->bytes * (a->to - a->from) >=
                    b->bytes * (b->to - b->from));
    }
}

static void check_live(const lp_model *model, const lp_report *report)
{
    check_memory(model, report);
    check_skips(model, report);
}

static void memory_equals_definition(void **unused)
{
    (void)unused;
    check_graphs(check_live);
}

/* Without memory at any point: LP_ENOMEM, and nothing is lost. */
static void survives_without_memory(void **unused)
{
    lp_status status = LP_ENOMEM;
    lp_report *report = NULL;
    lp_model *model;
    int64_t n;

    (void)unused;
    model = random_graph(12345);
    for (n = 1; status != LP_OK; n++) {
        lpi_alloc_fail_at(n);
        status = lp_report_new(model, NULL, &report, NULL);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
    }
    assert_true(n > 3);
    lp_report_free(report);
    lp_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_equals_definition),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("cost_live", tests, NULL, NULL);
}
