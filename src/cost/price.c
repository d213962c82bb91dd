/* price.c: operations as other counters price them.
 *
 * A price list names operators and what one element of their first output
 * costs; operators that it does not name (and layers with bodies) cost what
 * their arithmetic costs by kind.  MACs come on top. */
#include <stdlib.h>
#include <string.h>

#include "cost.h"

typedef struct price {
    const char *op;
    int64_t per_element;
} price;

typedef struct price_list {
    const price *prices; /* sorted by name */
    int32_t count;
    int64_t per_mac;
    int64_t by_kind[LP_ARITH_COUNT];
} price_list;

/* onnx-tool 1.0.1, onnx_tool/node.py. */
static const price onnx_tool_prices[] = {
    {"And", 1},
    {"Atan", 32},
    {"BatchNormalization", 31},
    {"Cast", 0},
    {"Clip", 2},
    {"Elu", 35},
    {"Equal", 1},
    {"Erf", 0},
    {"Gelu", 34},
    {"HardSigmoid", 4},
    {"HardSwish", 5},
    {"InstanceNormalization", 7},
    {"LayerNormalization", 7},
    {"LeakyRelu", 2},
    {"LogSoftmax", 80},
    {"Mod", 1},
    {"Not", 1},
    {"Or", 1},
    {"Pow", 32},
    {"PRelu", 2},
    {"Resize", 0},
    {"Round", 1},
    {"Sigmoid", 32},
    {"Sign", 1},
    {"Softmax", 36},
    {"Softplus", 76},
    {"Tanh", 38},
    {"Where", 0},
    {"Xor", 1},
};

static const price_list onnx_tool = {
    .prices = onnx_tool_prices,
    .count = LPI_COUNT(onnx_tool_prices),
    .per_mac = 1,
    .by_kind = {[LP_ADD] = 1,
                [LP_MUL] = 1,
                [LP_CMP] = 1,
                [LP_DIV] = 4,
                [LP_EXP] = 32,
                [LP_LOG] = 43,
                [LP_SQRT] = 24,
                [LP_TRIG] = 39,
                [LP_ROUND] = 1},
};

/* LLM-Viewer, model_analyzer.py: softmax is max, sub, exp, sum and div; a
 * normalization sum, sub, pow, sum, div, mul and add; an activation function
 * 2; a residual 1.  The exponentials of other operators are those of the
 * softmax inside fused attention. */
static const price llm_viewer_prices[] = {
    {"Add", 1},
    {"BatchNormalization", 7},
    {"Erf", 2},
    {"Exp", 2},
    {"FastGelu", 2},
    {"Gelu", 2},
    {"GroupNormalization", 7},
    {"HardSigmoid", 2},
    {"HardSwish", 2},
    {"InstanceNormalization", 7},
    {"LayerNormalization", 7},
    {"Mish", 2},
    {"QuickGelu", 2},
    {"RMSNormalization", 7},
    {"Relu", 2},
    {"Sigmoid", 2},
    {"SimplifiedLayerNormalization", 7},
    {"Softmax", 5},
    {"Swish", 2},
    {"Tanh", 2},
};

static const price_list llm_viewer = {
    .prices = llm_viewer_prices,
    .count = LPI_COUNT(llm_viewer_prices),
    .per_mac = 2,
    .by_kind = {[LP_EXP] = 5},
};

static int compare_price(const void *name, const void *entry)
{
    return strcmp(name, ((const price *)entry)->op);
}

/* What "row" costs beside its MACs. */
static int64_t price_row(const price_list *list, const lp_row *row)
{
    const price *found = bsearch(row->op, list->prices, (size_t)list->count,
                                 sizeof(price), compare_price);
    int64_t sum = 0, elements;
    int32_t i;

    if (!found) {
        for (i = 0; i < LP_ARITH_COUNT; i++)
            sum = lpi_add(sum, lpi_mul(row->cost.arith[i], list->by_kind[i]));
        return sum;
    }
    elements = row->outputs_count ? lpi_shape_elements(row->outputs[0].shape)
                                  : 0;
    return elements > 0 ? lpi_mul(elements, found->per_element) : 0;
}

/* What the listed rows of "report" cost. */
static int64_t price_all(const price_list *list, const lp_report *report)
{
    int64_t sum = lpi_mul(lp_cost_macs(&report->total), list->per_mac), i;

    for (i = 0; i < report->rows_count; i++)
        if (report->rows[i].status != LP_FOLDED)
            sum = lpi_add(sum, price_row(list, &report->rows[i]));
    return sum;
}

int64_t lpi_price_onnx_tool(const lp_report *report)
{
    return price_all(&onnx_tool, report);
}

int64_t lpi_price_llm_viewer(const lp_report *report)
{
    return price_all(&llm_viewer, report);
}
