/* convention.c: one network, counted under many names.
 *
 * Published counts of the same network differ by half, because each counter
 * leaves out or prices something else.  Each row here turns a report into one
 * of these numbers: weights over the kinds of operations, or a function where
 * weights cannot say it.  A new convention is a new row. */
#include "cost.h"

typedef struct convention {
    const char *name, *unit;
    const char *counts;
    int64_t conv, linear, attention, other; /* weights */
    int64_t (*count)(const lp_report *report, const lpi_weights *weights);
} convention;

static int64_t count_onnx_tool(const lp_report *report,
                               const lpi_weights *weights)
{
    (void)weights;
    return lpi_price_onnx_tool(report);
}

static int64_t count_llm_viewer(const lp_report *report,
                                const lpi_weights *weights)
{
    (void)weights;
    return lpi_price_llm_viewer(report);
}

static int64_t count_params(const lp_report *report, const lpi_weights *weights)
{
    (void)weights;
    return report->total.params;
}

static int64_t count_stored(const lp_report *report, const lpi_weights *weights)
{
    (void)weights;
    return lpi_add(report->total.params, report->total.quant_params);
}

static int64_t count_operands(const lp_report *report,
                              const lpi_weights *weights)
{
    (void)report;
    return weights->operand_elements;
}

static const convention conventions[] = {
    {.name = "macs",
     .unit = "MAC",
     .conv = 1,
     .linear = 1,
     .attention = 1,
     .counts = "multiply-accumulates of convolutions, of products with a "
               "weight and of attention; some tools (fvcore, torchvision) "
               "print this number as FLOPs"},
    {.name = "macs-no-attention",
     .unit = "MAC",
     .conv = 1,
     .linear = 1,
     .counts = "convolutions and products with a weight only: thop and other "
               "counters that look at layers (BK-SDM's 338.6 G for the U-Net "
               "of Stable Diffusion 1) miss the products of attention"},
    {.name = "flops-no-attention",
     .unit = "FLOP",
     .conv = 2,
     .linear = 2,
     .counts = "the same at two operations each: DeepSpeed's profiler where "
               "attention runs fused"},
    {.name = "flops-products",
     .unit = "FLOP",
     .conv = 2,
     .linear = 2,
     .attention = 2,
     .counts = "two operations a MAC, a multiply and an add, and nothing "
               "else: onnxsim, most papers"},
    {.name = "flops",
     .unit = "FLOP",
     .conv = 2,
     .linear = 2,
     .attention = 2,
     .other = 1,
     .counts = "two operations a MAC and one for every other operation "
               "(adds, divisions, exponentials, comparisons ...): the column "
               "of this report"},
    {.name = "llm-viewer",
     .unit = "OP",
     .count = count_llm_viewer,
     .counts = "LLM-Viewer: two a MAC; an element of softmax 5, of a "
               "normalization 7, of an activation function 2, of an Add 1, all "
               "else free; normalizations that the exporter spelled out are "
               "not recognised"},
    {.name = "onnx-tool",
     .unit = "MAC",
     .count = count_onnx_tool,
     .counts = "onnx-tool: one a MAC, and prices for the rest in the same "
               "unit: add, multiply, compare 1, divide 4, sqrt 24, exp 32, "
               "log 43, softmax 36 an element, erf 0; it prints 431.1 G to "
               "431.3 G for the U-Net of Stable Diffusion 1, depending on the "
               "export, but counts transposed convolutions by their output "
               "and recurrent layers without all their steps"},
    {.name = "params",
     .unit = "element",
     .count = count_params,
     .counts = "weight elements, each stored tensor once; no shape "
               "constants, no scales, no zero points"},
    {.name = "params-stored",
     .unit = "element",
     .count = count_stored,
     .counts = "the same with scales and zero points"},
    {.name = "params-operands",
     .unit = "element",
     .count = count_operands,
     .counts = "elements of every constant operand that a layer reads, shapes "
               "and axes too, after folding: onnx-tool's habit (240 more than "
               "there are weights for an export of the U-Net of Stable "
               "Diffusion 1)"},
};

/* The weighted sum of "rule" over "cost". */
static int64_t weigh(const convention *rule, const lp_cost *cost)
{
    int64_t sum = lpi_add(lpi_mul(rule->conv, cost->macs_conv),
                          lpi_mul(rule->linear, cost->macs_linear));
    int32_t i;

    sum = lpi_add(sum, lpi_mul(rule->attention, cost->macs_attention));
    for (i = 0; i < LP_ARITH_COUNT; i++)
        sum = lpi_add(sum, lpi_mul(rule->other, cost->arith[i]));
    return sum;
}

lp_status lpi_convention_list(lpi_arena *arena, const lpi_weights *weights,
                              lp_report *report, lp_error *error)
{
    lp_convention *list = LPI_NEW(arena, lp_convention, LPI_COUNT(conventions));
    int32_t i;

    if (!list)
        return lpi_fail_memory(error);
    for (i = 0; i < LPI_COUNT(conventions); i++) {
        const convention *rule = &conventions[i];

        list[i] = (lp_convention){
            .name = rule->name,
            .unit = rule->unit,
            .value = rule->count ? rule->count(report, weights)
                                 : weigh(rule, &report->total),
            .counts = rule->counts,
        };
        if (list[i].value == INT64_MAX)
            return lpi_fail(error, LP_EINPUT, report->model,
                            "the count '%s' does not fit 64 bits", rule->name);
    }
    report->conventions = list;
    report->conventions_count = LPI_COUNT(conventions);
    return LP_OK;
}
