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
    int64_t per_root; /* for each square root in it, one a normalized group */
} price;

typedef struct price_list {
    const price *prices; /* sorted by name */
    int32_t count;
    int64_t per_mac;
    int64_t by_kind[LP_ARITH_COUNT];
} price_list;

/* onnx-tool 1.0.1, onnx_tool/node.py. */
static const price onnx_tool_prices[] = {
    {"And", 1, 0},
    {"Atan", 32, 0},
    {"BatchNormalization", 31, 0},
    {"Cast", 0, 0},
    {"Clip", 2, 0},
    {"DequantizeLinear", 2, 0},
    {"Elu", 35, 0},
    {"Equal", 1, 0},
    {"Erf", 0, 0},
    {"Gelu", 34, 0},
    {"HardSigmoid", 4, 0},
    {"HardSwish", 5, 0},
    {"InstanceNormalization", 7, 0},
    {"LayerNormalization", 7, 29},
    {"LeakyRelu", 2, 0},
    {"LogSoftmax", 80, 0},
    {"Mod", 1, 0},
    {"Not", 1, 0},
    {"Or", 1, 0},
    {"Pow", 32, 0},
    {"PRelu", 2, 0},
    {"QuantizeLinear", 2, 0},
    {"Resize", 0, 0},
    {"Round", 1, 0},
    {"Sigmoid", 32, 0},
    {"Sign", 1, 0},
    {"Softmax", 36, 0},
    {"Softplus", 76, 0},
    {"Tanh", 38, 0},
    {"Where", 0, 0},
    {"Xor", 1, 0},
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
    {"Add", 1, 0},
    {"BatchNormalization", 7, 0},
    {"Erf", 2, 0},
    {"Exp", 2, 0},
    {"FastGelu", 2, 0},
    {"Gelu", 2, 0},
    {"GroupNormalization", 7, 0},
    {"HardSigmoid", 2, 0},
    {"HardSwish", 2, 0},
    {"InstanceNormalization", 7, 0},
    {"LayerNormalization", 7, 0},
    {"Mish", 2, 0},
    {"QuickGelu", 2, 0},
    {"RMSNormalization", 7, 0},
    {"Relu", 2, 0},
    {"Sigmoid", 2, 0},
    {"SimplifiedLayerNormalization", 7, 0},
    {"Softmax", 5, 0},
    {"Swish", 2, 0},
    {"Tanh", 2, 0},
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
    if (elements > 0)
        sum = lpi_mul(elements, found->per_element);
    return lpi_add(sum, lpi_mul(row->cost.arith[LP_SQRT], found->per_root));
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
