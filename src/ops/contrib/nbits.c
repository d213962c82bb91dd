/* nbits.c: products with weights packed into blocks of a few bits each.
 *
 * B holds K x N weights of "bits" bits, packed by blocks along K into bytes;
 * each block has a scale and maybe a zero point.  Its bytes are those of the
 * stored tensor, its parameters are K x N.  GatherBlockQuantized looks rows up
 * in a table that is packed the same way along its last axis.  Source:
 * onnxruntime, contributed operators MatMulNBits, MatMulBnb4,
 * GatherBlockQuantized. */
#include "../ops.h"

static const lpi_spec nbits_specs[] = {
    LPI_SPEC_NEEDED(lpi_nbits, K, LPI_ATTR_INT),
    LPI_SPEC_NEEDED(lpi_nbits, N, LPI_ATTR_INT),
    LPI_SPEC_INT(lpi_nbits, bits, 4),
    LPI_SPEC_INT(lpi_nbits, block_size, 128),
    LPI_SPEC_INT(lpi_nbits, quant_type, 1),
    {.name = NULL},
};

static const lpi_spec table_specs[] = {
    LPI_SPEC_INT(lpi_nbits, bits, 4),
    LPI_SPEC_INT(lpi_nbits, block_size, 128),
    LPI_SPEC_INT(lpi_nbits, gather_axis, 0),
    LPI_SPEC_INT(lpi_nbits, quantize_axis, 1),
    {.name = NULL},
};

static lp_status table_settle(lpi_node *node)
{
    const lpi_nbits *params = node->params;

    if (params->bits < 1 || params->bits > 8 || params->block_size < 1 ||
        params->block_size > INT32_MAX)
        return lpi_node_fail(node, "bits is %lld and block_size is %lld",
                             (long long)params->bits,
                             (long long)params->block_size);
    return LP_OK;
}

/* MatMulBnb4 has no "bits": its weights always have 4. */
static lp_status nbits_settle(lpi_node *node)
{
    const lpi_nbits *params = node->params;

    if (params->K < 1 || params->N < 1 || params->K > INT32_MAX ||
        params->N > INT32_MAX)
        return lpi_node_fail(node, "K is %lld and N is %lld",
                             (long long)params->K, (long long)params->N);
    return table_settle(node);
}

static lp_status nbits_shape(lpi_node *node)
{
    const lpi_nbits *params = node->params;
    lp_shape a = lpi_in_shape(node, 0), packed = lpi_in_shape(node, 1), y;
    const int64_t weight_dims[2] = {params->K, params->N};
    const lp_shape weight = {2, weight_dims};
    int64_t bytes = lpi_ceil_div(lpi_mul(params->K, params->bits), 8), k;

    LP_TRY(lpi_matmul_shape(node, a, weight, &y, &k));
    if (lpi_shape_elements(packed) >= 0 &&
        lpi_storage_bytes(lpi_in_dtype(node, 1), lpi_shape_elements(packed)) <
            lpi_mul(bytes, params->N))
        return lpi_node_fail(node,
                             "B has %lld elements, too few for %lld x %lld "
                             "weights of %lld bits",
                             (long long)lpi_shape_elements(packed),
                             (long long)params->K, (long long)params->N,
                             (long long)params->bits);
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0), y);
}

/* Each weight is unpacked once: a conversion, a multiply by its scale, and an
 * add of its zero point. */
static void nbits_cost(const lpi_node *node, lp_cost *cost)
{
    const lpi_nbits *params = node->params;
    int64_t out = lpi_out_elements(node, 0);
    int64_t weights = lpi_mul(params->K, params->N);
    int64_t *macs = lpi_product_class(node, 0, 1, cost);

    *macs = lpi_add(*macs, lpi_mul(out, params->K));
    lpi_cost_arith(cost, LP_ROUND, weights);
    lpi_cost_arith(cost, LP_ADD, weights);
    lpi_cost_arith(cost, LP_MUL, weights);
    if (lpi_in(node, 5) != NULL)
        lpi_cost_arith(cost, LP_ADD, out);
}

static int64_t nbits_elements(const lpi_node *node, int32_t input)
{
    const lpi_nbits *params = node->params;

    return input == 1 ? lpi_mul(params->K, params->N) : -1;
}

/* Elements that one of the table's holds: bytes hold several. */
static int64_t packed_in_one(const lpi_node *node)
{
    int64_t bits = ((const lpi_nbits *)node->params)->bits;

    return lpi_in_dtype(node, 0) == LP_UINT8 && bits > 0 && bits < 8 ? 8 / bits
                                                                     : 1;
}

/* The shape of the table with the indices in the place of an axis; the last
 * axis is unpacked. */
static lp_status table_shape(lpi_node *node)
{
    const lpi_nbits *params = node->params;
    lp_shape table = lpi_in_shape(node, 0), indices = lpi_in_shape(node, 1);
    lp_dtype type = lpi_in_dtype(node, 2);
    int64_t axis, *dims, count = 0;

    if (table.rank < 0 || indices.rank < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (!lpi_axis(params->gather_axis, table.rank, &axis))
        return lpi_node_fail(node, "axis %lld of a table of rank %d",
                             (long long)params->gather_axis, table.rank);
    dims = lpi_node_dims(node, (int64_t)table.rank + indices.rank);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    for (int32_t i = 0; i < table.rank; i++) {
        if (i != axis)
            dims[count++] =
                i + 1 < table.rank
                    ? table.dims[i]
                    : lpi_dim_mul(table.dims[i], packed_in_one(node));
        for (int32_t j = 0; i == axis && j < indices.rank; j++)
            dims[count++] = indices.dims[j];
    }
    return lpi_out_set(node, 0, type, (int32_t)count, dims);
}

/* Only the rows that are looked up are read, and each is dequantized. */
static void table_cost(const lpi_node *node, lp_cost *cost)
{
    static const lpi_each dequantizing = {
        {[LP_ROUND] = 1, [LP_ADD] = 1, [LP_MUL] = 1}};
    const lpi_nbits *params = node->params;
    int64_t out = lpi_out_elements(node, 0);

    lpi_cost_each(cost, &dequantizing, out);
    lpi_cost_part(node, cost, 0, lpi_ceil_div(out, packed_in_one(node)));
    if (params->block_size > 0)
        lpi_cost_part(node, cost, 2, lpi_ceil_div(out, params->block_size));
}

static int64_t table_elements(const lpi_node *node, int32_t input)
{
    return input == 0 ? lpi_mul(lpi_in_elements(node, 0), packed_in_one(node))
                      : -1;
}

#define NBITS(name_, most, roles_)                                             \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = 3,     \
    .inputs_max = most, .outputs_min = 1, .outputs_max = 1, .roles = roles_,   \
    .params_size = sizeof(lpi_nbits), .specs = nbits_specs,                    \
    .settle = nbits_settle, .shape = nbits_shape, .cost = nbits_cost,          \
    .weight_elements = nbits_elements

const lp_op lpi_ops_nbits[] = {
    {NBITS("MatMulNBits", 6, "dwszid"), .operands = "F*,I*,F*,.*,J*,F*",
     .run = lpi_nbits_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: float32[1, 8, 64]; weight "
         "b: uint8[48, 2, 16]; weight s: float32[96]; weight z: uint8[48]; y "
         "= com.microsoft.MatMulNBits(a, b, s, z) {K: 64, N: 48, bits: 4, "
         "block_size: 32}; output y"},
    {NBITS("MatMulBnb4", 3, "dws"), .operands = "F*,I*,F*", .run = lpi_bnb4_run,
     .samples =
         "opset 17; opset com.microsoft 1; input a: float32[8, 64]; weight "
         "b: uint8[1536]; weight s: float32[96]; y = "
         "com.microsoft.MatMulBnb4(a, b, s) {K: 64, N: 48, block_size: 32, "
         "quant_type: 1}; output y"},
    {.domain = "com.microsoft",
     .name = "GatherBlockQuantized",
     .since = 1,
     .inputs_min = 3,
     .inputs_max = 4,
     .outputs_min = 1,
     .outputs_max = 1,
     .roles = "wisz",
     .operands = "W*,I*,F*,.*",
     .params_size = sizeof(lpi_nbits),
     .specs = table_specs,
     .settle = table_settle,
     .shape = table_shape,
     .cost = table_cost,
     .run = lpi_gather_blocks_run,
     .weight_elements = table_elements,
     .samples =
         "opset 17; opset com.microsoft 1; weight t: uint8[50, 32]; input i: "
         "int64[2, 3]; weight s: float32[50, 4]; y = "
         "com.microsoft.GatherBlockQuantized(t, i, s) {bits: 4, block_size: "
         "16}; output y"},
    {.name = NULL},
};
