/* matmul.c: matrix products.
 *
 * One rule serves all: the operands are brought into the form [batch..., M, K]
 * and [batch..., K, N], the result has batch x M x N elements, and the
 * multiplies are that times K.  They are linear when an operand derives from
 * weights alone, else attention.  Sources: ONNX operators MatMul-13, Gemm-13,
 * MatMulInteger-10, QLinearMatMul-21; com.microsoft FusedMatMul, QGemm,
 * MatMulIntegerToFloat, DynamicQuantizeMatMul, FusedGemm. */
#include <string.h>

#include "../ops.h"

static const lpi_matmul_facts matmul_plain = {.b = 1, .bias = -1};
static const lpi_matmul_facts matmul_integer = {
    .b = 1, .bias = -1, .type_from = -1, .type = LP_INT32};
static const lpi_matmul_facts matmul_qlinear = {
    .result8 = LPI_RESULT8_QLINEAR,
    .b = 3,
    .bias = -1,
    .type_from = 7,
    .each = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_ROUND] = 1, [LP_CMP] = 2}}};
static const lpi_matmul_facts matmul_scaled = {
    .result8 = LPI_RESULT8_TO_FLOAT,
    .b = 1,
    .bias = 6,
    .type_from = 2,
    .each = {{[LP_ROUND] = 1, [LP_MUL] = 1}}};
static const lpi_matmul_facts matmul_dynamic = {
    .result8 = LPI_RESULT8_DYNAMIC,
    .b = 1,
    .bias = 4,
    .each = {{[LP_ROUND] = 1, [LP_MUL] = 1}}};
static const lpi_matmul_facts gemm_plain = {.b = 1, .bias = 2, .is_gemm = true};
static const lpi_matmul_facts gemm_quantized = {
    .result8 = LPI_RESULT8_GEMM,
    .b = 3,
    .bias = 6,
    .type_from = 8,
    .type = LP_FLOAT32,
    .is_gemm = true,
    .each = {{[LP_MUL] = 1, [LP_ADD] = 1, [LP_ROUND] = 1, [LP_CMP] = 2}}};

/* What a quantization of the left operand costs an element (DynamicQuantize-
 * Linear): minimum and maximum, then divide, round, add, clip. */
static const lpi_each quantizing = {
    {[LP_CMP] = 4, [LP_DIV] = 1, [LP_ROUND] = 1, [LP_ADD] = 1}};

static const lpi_spec gemm_specs[] = {
    LPI_SPEC_INT(lpi_matmul, transA, 0),
    LPI_SPEC_INT(lpi_matmul, transB, 0),
    LPI_SPEC_FLOAT(lpi_matmul, alpha, 1),
    LPI_SPEC_FLOAT(lpi_matmul, beta, 1),
    LPI_SPEC_STRING(lpi_matmul, activation, ""),
    LPI_SPEC_FLOAT(lpi_matmul, activation_alpha, 0),
    LPI_SPEC_FLOAT(lpi_matmul, activation_beta, 0),
    {.name = NULL},
};

static const lpi_spec fused_specs[] = {
    LPI_SPEC_INT(lpi_matmul, transA, 0),
    LPI_SPEC_INT(lpi_matmul, transB, 0),
    LPI_SPEC_INT(lpi_matmul, transBatchA, 0),
    LPI_SPEC_INT(lpi_matmul, transBatchB, 0),
    LPI_SPEC_FLOAT(lpi_matmul, alpha, 1),
    {.name = NULL},
};

/* "shape" with its last two axes exchanged when "swap", and its first moved
 * behind the batch when "batch" (com.microsoft FusedMatMul); vectors stay. */
static lp_status turned(const lpi_node *node, lp_shape shape, bool swap,
                        bool batch, lp_shape *ret_shape)
{
    int32_t rank = shape.rank;
    int64_t *dims;

    *ret_shape = shape;
    if (rank < 2 || !(swap || batch))
        return LP_OK;
    dims = lpi_node_dims(node, rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    memcpy(dims, shape.dims, (size_t)rank * sizeof(*dims));
    if (batch) {
        memmove(dims, dims + 1, (size_t)(rank - 2) * sizeof(*dims));
        dims[rank - 2] = shape.dims[0];
    }
    if (swap) {
        int64_t last = dims[rank - 1];

        dims[rank - 1] = dims[rank - 2];
        dims[rank - 2] = last;
    }
    *ret_shape = (lp_shape){rank, dims};
    return LP_OK;
}

/* The operands of "node" as [batch..., M, K] and [batch..., K, N]. */
static lp_status operands(const lpi_node *node, lp_shape *ret_a,
                          lp_shape *ret_b)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;
    const lpi_matmul *params = node->params;

    LP_TRY(turned(node, lpi_in_shape(node, 0), params->transA != 0,
                  params->transBatchA != 0, ret_a));
    return turned(node, lpi_in_shape(node, facts->b), params->transB != 0,
                  params->transBatchB != 0, ret_b);
}

static lp_dtype result_type(const lpi_node *node)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;

    if (facts->type_from >= 0 && lpi_in(node, facts->type_from) != NULL)
        return lpi_in_dtype(node, facts->type_from);
    return facts->type;
}

/* Input "c" of Gemm broadcasts to "result", and does not widen it. */
static lp_status check_bias(const lpi_node *node, int32_t c, lp_shape result)
{
    lp_shape bias = c < 0 ? lpi_shape_unknown : lpi_in_shape(node, c);
    lp_shape sum;
    bool fits = bias.rank <= result.rank;

    if (bias.rank < 0 || result.rank < 0)
        return LP_OK;
    fits = fits && lpi_broadcast(node, result, bias, &sum);
    for (int32_t i = 0; fits && i < bias.rank; i++) {
        int64_t wide = result.dims[result.rank - 1 - i];
        int64_t own = bias.dims[bias.rank - 1 - i];

        fits = wide < 0 || own <= wide || own == 1;
    }
    if (!fits)
        return lpi_node_fail(node, "the bias does not broadcast to the result");
    return LP_OK;
}

static lp_status matmul_shape(lpi_node *node)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;
    lp_shape a, b, result;
    int64_t k;

    LP_TRY(operands(node, &a, &b));
    if (facts->is_gemm &&
        ((a.rank >= 0 && a.rank != 2) || (b.rank >= 0 && b.rank != 2)))
        return lpi_node_fail(node, "operands of rank %d and %d, not 2", a.rank,
                             b.rank);
    LP_TRY(lpi_matmul_shape(node, a, b, &result, &k));
    LP_TRY(check_bias(node, facts->bias, result));
    return lpi_out_set_shape(node, 0, result_type(node), result);
}

/* K: the last extent of the left operand, the other one when it is turned. */
static int64_t sum_length(const lpi_node *node)
{
    const lpi_matmul *params = node->params;
    lp_shape a = lpi_in_shape(node, 0);

    if (params->transA == 0 || a.rank < 2)
        return a.dims[a.rank - 1];
    return a.dims[params->transBatchA != 0 ? 0 : a.rank - 2];
}

static void matmul_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_matmul_facts *facts = node->layer->row->facts;
    int64_t out = lpi_out_elements(node, 0);
    int64_t *macs = lpi_product_class(node, 0, facts->b, cost);

    *macs = lpi_add(*macs, lpi_mul(out, sum_length(node)));
    if (facts->bias >= 0 && lpi_in(node, facts->bias) != NULL)
        lpi_cost_arith(cost, LP_ADD, out);
    lpi_cost_each(cost, &facts->each, out);
}

/* Factors other than 1 cost a multiply an element. */
static void gemm_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_matmul *params = node->params;

    matmul_cost(node, cost);
    if (params->alpha != 1)
        lpi_cost_arith(cost, LP_MUL, lpi_out_elements(node, 0));
    if (params->beta != 1)
        lpi_cost_arith(cost, LP_MUL, lpi_in_elements(node, 2));
    if (params->activation != NULL && params->activation[0] != '\0')
        lpi_cost_arith(cost, LP_CMP, lpi_out_elements(node, 0));
}

static void fused_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_matmul *params = node->params;

    matmul_cost(node, cost);
    if (params->alpha != 1)
        lpi_cost_arith(cost, LP_MUL, lpi_out_elements(node, 0));
}

/* A zero point is subtracted from every element it belongs to. */
static void integer_cost(const lpi_node *node, lp_cost *cost)
{
    matmul_cost(node, cost);
    if (lpi_in(node, 2) != NULL)
        lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 0));
    if (lpi_in(node, 3) != NULL)
        lpi_cost_arith(cost, LP_ADD, lpi_in_elements(node, 1));
}

static void dynamic_cost(const lpi_node *node, lp_cost *cost)
{
    matmul_cost(node, cost);
    lpi_cost_each(cost, &quantizing, lpi_in_elements(node, 0));
}

#define MATMUL(domain_, name_, since_, least, most)                            \
    .domain = domain_, .name = name_, .since = since_, .inputs_min = least,    \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1,                    \
    .params_size = sizeof(lpi_matmul), .shape = matmul_shape

const lp_op lpi_ops_matmul[] = {
    {MATMUL("", "MatMul", 1, 2, 2), .operands = "T*,T*", .facts = &matmul_plain,
     .cost = matmul_cost, .run = lpi_matmul_run, .tile = lpi_matmul_tile,
     .split = lpi_matmul_split, .flags = LPI_CHAINS,
     .samples =
         "opset 17; input a: float32[4, 1, 64, 32]; input b: float32[1, 8, "
         "32, 64]; y = MatMul(a, b); output y\n---\n"
         "opset 17; input a: float32[3, 5, 7]; weight b: float32[7]; y = "
         "MatMul(a, b); output y\n---\n"
         "opset 9; input a: float32[6]; input b: float32[6]; y = MatMul(a, "
         "b); output y"},
    {MATMUL("", "Gemm", 1, 2, 3), .operands = "T*,T*,T*", .specs = gemm_specs,
     .facts = &gemm_plain, .cost = gemm_cost, .run = lpi_matmul_run,
     .tile = lpi_matmul_tile, .split = lpi_matmul_split, .flags = LPI_CHAINS,
     .samples =
         "opset 17; input a: float32[3, 5]; weight b: float32[4, 5]; weight "
         "c: float32[4]; y = Gemm(a, b, c) {transB: 1}; output y\n---\n"
         "opset 7; input a: float32[5, 3]; weight b: float32[5, 4]; weight c: "
         "float32[3, 1]; y = Gemm(a, b, c) {transA: 1, alpha: 0.5, beta: "
         "2.0}; output y"},
    {MATMUL("", "MatMulInteger", 10, 2, 4), .operands = "A*,B*,A*,B*",
     .roles = "wwzz", .facts = &matmul_integer, .cost = integer_cost,
     .run = lpi_matmul8_run, .split = lpi_matmul_split, .flags = LPI_CHAINS,
     .samples = "opset 17; input a: uint8[4, 3]; weight b: int8[3, 2]; weight "
                "z: uint8[] = {12}; y = MatMulInteger(a, b, z); output y"},
    {MATMUL("", "QLinearMatMul", 10, 8, 8),
     .operands = "A*,F*,A*,B*,F*,B*,F*,Y*", .roles = "wszwszsz",
     .facts = &matmul_qlinear, .cost = matmul_cost, .run = lpi_matmul8_run,
     .samples =
         "opset 10; input a: uint8[2, 2, 4]; weight s: float32[] = {0.1}; "
         "weight z: uint8[] = {1}; weight b: uint8[4, 3]; y = "
         "QLinearMatMul(a, s, z, b, s, z, s, z); output y"},
    {MATMUL("com.microsoft", "FusedMatMul", 1, 2, 2), .operands = "T*,T*",
     .specs = fused_specs, .facts = &matmul_plain, .cost = fused_cost,
     .run = lpi_matmul_run, .split = lpi_matmul_split, .flags = LPI_CHAINS,
     .samples =
         "opset 17; opset com.microsoft 1; input a: float32[2, 3, 4, 5]; "
         "input b: float32[2, 3, 6, 5]; y = com.microsoft.FusedMatMul(a, b) "
         "{transB: 1, alpha: 0.125}; output y\n---\n"
         "opset 17; opset com.microsoft 1; input a: float32[4, 2, 3, 5]; "
         "input b: float32[2, 3, 5, 6]; y = com.microsoft.FusedMatMul(a, b) "
         "{transBatchA: 1}; output y"},
    {MATMUL("com.microsoft", "TransposeMatMul", 1, 2, 2), .operands = "T*,T*",
     .specs = fused_specs, .facts = &matmul_plain, .cost = fused_cost,
     .run = lpi_matmul_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: float32[2, 4, 3]; weight "
         "b: float32[4, 5]; y = com.microsoft.TransposeMatMul(a, b) {transA: "
         "1}; output y"},
    {MATMUL("com.microsoft", "FusedGemm", 1, 2, 3), .operands = "F*,F*,F*",
     .specs = gemm_specs, .facts = &gemm_plain, .cost = gemm_cost,
     .run = lpi_matmul_run,
     .samples = "opset 17; opset com.microsoft 1; input a: float32[3, 5]; "
                "weight b: float32[5, 4]; weight c: float32[4]; y = "
                "com.microsoft.FusedGemm(a, b, c) {activation: \"Relu\"}; "
                "output y"},
    {MATMUL("com.microsoft", "QGemm", 1, 6, 9),
     .operands = "A??,F!,A!,B??,F*,B*,I*,F!,A!", .roles = "wszwszwsz",
     .specs = gemm_specs, .facts = &gemm_quantized, .cost = matmul_cost,
     .run = lpi_matmul8_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: uint8[2, 4]; weight s: "
         "float32[] = {0.1}; weight z: uint8[] = {1}; weight b: uint8[3, 4]; "
         "weight c: int32[3]; y = com.microsoft.QGemm(a, s, z, b, s, z, c, "
         "s, z) {transB: 1}; output y"},
    {MATMUL("com.microsoft", "MatMulIntegerToFloat", 1, 4, 7),
     .operands = "A*,B*,F*,F*,A*,B*,F*", .roles = "wwsszzd",
     .facts = &matmul_scaled, .cost = matmul_cost, .run = lpi_matmul8_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: uint8[2, 4]; weight b: "
         "int8[4, 3]; weight s: float32[] = {0.1}; y = "
         "com.microsoft.MatMulIntegerToFloat(a, b, s, s); output y"},
    {MATMUL("com.microsoft", "DynamicQuantizeMatMul", 1, 3, 5),
     .operands = "F*,B*,F*,B*,F*", .roles = "dwszd", .facts = &matmul_dynamic,
     .cost = dynamic_cost, .run = lpi_matmul8_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: float32[2, 4]; weight b: "
         "int8[4, 3]; weight s: float32[] = {0.1}; weight c: float32[3]; y = "
         "com.microsoft.DynamicQuantizeMatMul(a, b, s, _, c); output y"},
    {.name = NULL},
};
