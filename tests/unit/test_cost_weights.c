/* test_cost_weights.c: whose weights are whose in random graphs, and the sums
 * by module, against the definitions. */
#include "random_graph.h"

static const lp_tensor *charged[MOST * MOST];
static int32_t charged_count;

static bool same(const lp_tensor *a, const lp_tensor *b)
{
    return a == b || (a->payload.where == LPI_OUTSIDE &&
                      b->payload.where == LPI_OUTSIDE &&
                      a->payload.offset == b->payload.offset &&
                      !strcmp(a->payload.location, b->payload.location));
}

static void charge(const lp_tensor *tensor, char role, lp_cost *cost)
{
    bool apart = role == 's' || role == 'z';
    int32_t i;

    if (!apart && role != 'w' && !lpi_dtype_is_float(tensor->dtype))
        return;
    for (i = 0; i < charged_count; i++)
        if (same(charged[i], tensor))
            return;
    charged[charged_count++] = tensor;
    *(apart ? &cost->quant_params : &cost->params) +=
        lpi_tensor_elements(tensor);
    cost->weight_bytes += lpi_tensor_bytes(tensor);
}

static char role_of(const lp_layer *layer, int64_t i)
{
    const char *roles = layer->row->roles ? layer->row->roles : "d";
    int64_t last = (int64_t)strlen(roles) - 1;

    return roles[i < last ? i : last];
}

/* Whether "layer" of "model" makes of integers of "dtype" more of them, which
 * are weights to a later layer at last. */
static bool makes_weights(const lp_model *model, const lp_layer *layer,
                          lp_dtype dtype)
{
    int64_t i, j, k;

    for (i = 0; model && i < layer->outputs_count; i++) {
        const lp_tensor *made = layer->outputs[i];

        if (!made || made->dtype != dtype)
            continue;
        for (j = layer->id + 1; j < model->layers_count; j++) {
            const lp_layer *reader = model->layers[j];

            for (k = 0; k < reader->inputs_count; k++)
                if (reader->inputs[k] == made &&
                    (role_of(reader, k) == 'w' ||
                     (role_of(reader, k) == 'd' &&
                      makes_weights(model, reader, dtype))))
                    return true;
        }
    }
    return false;
}

/* Charge what "layer", itself read in "role", reads: an operand that is data
 * to it has the role of its reader, and what stands behind a scale, a zero
 * point or an index is that too. */
static void charge_behind(const lp_model *model, const lp_layer *layer,
                          char role, lp_cost *cost)
{
    const lp_model *at;
    int64_t i, j, k;

    for (i = 0; i < layer->inputs_count; i++) {
        const lp_tensor *tensor = layer->inputs[i];
        char own = role_of(layer, i);
        char here = strchr("szi", role) || own == 'd' ? role : own;

        if (here == 'd' && tensor && !lpi_dtype_is_float(tensor->dtype) &&
            makes_weights(model, layer, tensor->dtype))
            here = 'w';
        for (at = model; tensor && tensor->kind == LPI_CAPTURE; at = at->outer)
            tensor = tensor->outer;
        if (tensor && tensor->kind == LPI_WEIGHT)
            charge(tensor, here, cost);
        else if (tensor && tensor->is_static &&
                 !(tensor->producer->row->flags & LPI_OF_SHAPE))
            charge_behind(at, tensor->producer, here, cost);
    }
    for (i = 0; i < layer->attrs_count; i++) {
        const lp_model *body = layer->attrs[i].body;

        for (j = 0; j < body->layers_count; j++)
            if (!body->layers[j]->is_static)
                charge_behind(body, body->layers[j], role, cost);
        for (k = 0; k < body->outputs_count; k++) {
            lp_layer reader = {.inputs = &body->outputs[k],
                               .inputs_count = 1,
                               .row = &rows[0]};

            charge_behind(body, &reader, role, cost);
        }
    }
}

/* A tensor that one layer reads in two roles may count as either; params and
 * scales together are the same. */
static void check_weights(const lp_model *model, const lp_report *report)
{
    int64_t i;

    charged_count = 0;
    for (i = 0; i < model->layers_count; i++) {
        const lp_cost *got = &report->rows[i].cost;
        lp_cost cost = {0};

        if (!model->layers[i]->is_static)
            charge_behind(model, model->layers[i], 'd', &cost);
        assert_int_equal(got->params + got->quant_params,
                         cost.params + cost.quant_params);
        assert_int_equal(got->weight_bytes, cost.weight_bytes);
    }
}

static bool inside(const char *path, const char *module)
{
    size_t length = strlen(module);

    return strncmp(path, module, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

static void check_sums(const lp_report *report)
{
    int64_t params = 0, i, j;

    for (i = 0; i < report->rows_count; i++)
        params += report->rows[i].cost.params;
    assert_int_equal(report->total.params, params);
    for (j = 0; j < report->modules_count; j++) {
        const lp_module_row *module = &report->modules[j];
        int64_t layers = 0, live = 0;

        params = 0;
        for (i = 0; i < report->rows_count; i++) {
            const lp_row *row = &report->rows[i];

            if (row->status == LP_FOLDED || !inside(row->module, module->path))
                continue;
            layers++;
            params += row->cost.params;
            live = row->live_bytes > live ? row->live_bytes : live;
        }
        assert_int_equal(module->layers, layers);
        assert_int_equal(module->cost.params, params);
        assert_int_equal(module->live_peak_bytes, live);
    }
}

static void check_all(const lp_model *model, const lp_report *report)
{
    check_weights(model, report);
    check_sums(report);
}

static void weights_equal_definition(void **unused)
{
    (void)unused;
    check_graphs(check_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_equal_definition),
    };

    return cmocka_run_group_tests_name("cost_weights", tests, NULL, NULL);
}
