/* murmur.c: MurmurHash3 of com.microsoft: a number out of each element.
 *
 * The bytes of the element, or of its text, go through MurmurHash3_x86_32.
 * Sources: onnxruntime, contributed operators; A. Appleby, MurmurHash3. */
#include <string.h>

#include "../ops.h"

typedef struct murmur_params {
    int64_t seed, positive;
} murmur_params;

static const lpi_spec murmur_specs[] = {
    LPI_SPEC_INT(murmur_params, seed, 0),
    LPI_SPEC_INT(murmur_params, positive, 1),
    {.name = NULL},
};

static uint32_t turned(uint32_t x, int32_t bits)
{
    return x << bits | x >> (32 - bits);
}

static uint32_t mixed(uint32_t block)
{
    return turned(block * 0xcc9e2d51U, 15) * 0x1b873593U;
}

static uint32_t murmur(const uint8_t *bytes, size_t length, uint32_t hash)
{
    uint32_t block = 0;

    for (size_t i = 0; i < length; i++) {
        block |= (uint32_t)bytes[i] << 8 * (i % 4);
        if (i % 4 < 3)
            continue;
        hash = turned(hash ^ mixed(block), 13) * 5 + 0xe6546b64U;
        block = 0;
    }
    hash ^= mixed(block) ^ (uint32_t)length;
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

static lp_status murmur_shape(lpi_node *node)
{
    const murmur_params *params = node->params;

    return lpi_out_set_shape(node, 0, params->positive ? LP_UINT32 : LP_INT32,
                             lpi_in_shape(node, 0));
}

/* Two products and three sums a block of four bytes, and those of the end. */
static void murmur_cost(const lpi_node *node, lp_cost *cost)
{
    int64_t elements = lpi_in_elements(node, 0);
    int64_t blocks = lp_dtype_bits(lpi_in_dtype(node, 0)) / 32 + 1;

    lpi_cost_arith(cost, LP_MUL, lpi_mul(elements, 3 * blocks + 2));
    lpi_cost_arith(cost, LP_ADD, lpi_mul(elements, 3 * blocks + 3));
}

static lp_status murmur_run(const lpi_run *run)
{
    const murmur_params *params = run->node->params;
    lp_dtype type = lpi_in_dtype(run->node, 0);
    size_t size = (size_t)lp_dtype_bits(type) / 8;
    int64_t count = lpi_out_elements(run->node, 0);
    const uint8_t *from = run->in[0];
    uint32_t *to = run->out[0];
    const char **texts = NULL;
    const lpi_bundle *bundle;

    if (type == LP_STRING) {
        LP_TRY(lpi_run_bundle(run, 0, LPI_TENSOR, &bundle));
        texts = lpi_bundle_texts(run->scratch, bundle);
        if (texts == NULL)
            return lpi_node_fail_memory(run->node);
    }
    for (int64_t i = 0; i < count; i++)
        to[i] = texts != NULL ? murmur((const uint8_t *)texts[i],
                                       strlen(texts[i]), (uint32_t)params->seed)
                              : murmur(from + (size_t)i * size, size,
                                       (uint32_t)params->seed);
    return LP_OK;
}

const lp_op lpi_ops_murmur[] = {
    {.domain = "com.microsoft",
     .name = "MurmurHash3",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(murmur_params),
     .specs = murmur_specs,
     .shape = murmur_shape,
     .cost = murmur_cost,
     .run = murmur_run,
     .flags = LPI_BUNDLES,
     .samples = "opset 17; opset com.microsoft 1; input x: int32[2, 3]; y = "
                "com.microsoft.MurmurHash3(x); output y"},
    {.name = NULL},
};
