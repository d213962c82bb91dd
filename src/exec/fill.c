/* fill.c: how weights are drawn whose content is absent.
 *
 * Values follow from who reads a weight, through the static layers between:
 * what is multiplied and summed over n elements is uniform in +-1/sqrt(n), so
 * that activations keep their size through deep nets; scales of norms are
 * near 1, variances positive, biases small, quantized weights span their
 * dtype and their scales bring them back to +-1/sqrt(n). */
#include <math.h>
#include <string.h>

#include "exec.h"

enum { CHAIN_MOST = 64 };

/* What an operand does in its layer. */
typedef enum use {
    PLAIN,
    FACTOR,   /* near 1 */
    VARIANCE, /* positive */
    BIAS,
    SUMMED_0,    /* summed along axis 0 */
    SUMMED_1,    /* axis 1 */
    SUMMED_2,    /* axis 2 */
    SUMMED_REST, /* all axes but the first */
    SUMMED_BUT_1,
    SUMMED_LAST,
    SUMMED_LAST_BUT_ONE,
    SUMMED_GEMM, /* axis 0, or 1 when transposed */
    TABLE,       /* rows that are looked up */
} use;

static const struct {
    const char *op;
    int32_t input; /* -1: any */
    use does;
} uses[] = {
    {"Conv", 1, SUMMED_REST},
    {"ConvTranspose", 1, SUMMED_BUT_1},
    {"ConvInteger", 1, SUMMED_REST},
    {"DeformConv", 1, SUMMED_REST},
    {"Gemm", 1, SUMMED_GEMM},
    {"MatMul", 1, SUMMED_LAST_BUT_ONE},
    {"MatMul", 0, SUMMED_LAST},
    {"FusedMatMul", 1, SUMMED_LAST_BUT_ONE},
    {"Einsum", -1, SUMMED_LAST},
    {"Attention", 1, SUMMED_0},
    {"LSTM", 1, SUMMED_2},
    {"LSTM", 2, SUMMED_2},
    {"GRU", 1, SUMMED_2},
    {"GRU", 2, SUMMED_2},
    {"RNN", 1, SUMMED_2},
    {"RNN", 2, SUMMED_2},
    {"Gather", 0, TABLE},
    {"BatchNormalization", 1, FACTOR},
    {"BatchNormalization", 3, BIAS},
    {"BatchNormalization", 4, VARIANCE},
    {"InstanceNormalization", 1, FACTOR},
    {"GroupNormalization", 1, FACTOR},
    {"GroupNorm", 1, FACTOR},
    {"LayerNormalization", 1, FACTOR},
    {"RMSNormalization", 1, FACTOR},
    {"SimplifiedLayerNormalization", 1, FACTOR},
    {"SkipLayerNormalization", 2, FACTOR},
    {"SkipSimplifiedLayerNormalization", 2, FACTOR},
    {"EmbedLayerNormalization", -1, TABLE},
    {"Mul", -1, FACTOR},
    {"Div", -1, FACTOR},
    {"Sqrt", -1, VARIANCE},
    {"Pow", -1, FACTOR},
    {"PRelu", 1, BIAS},
};

/* The first layer of "model" that reads "tensor", and as which operand. */
static const lp_layer *reader_of(const lp_model *model, const lp_tensor *tensor,
                                 int32_t *ret_input)
{
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];

        for (int32_t k = 0; k < layer->inputs_count; k++)
            if (layer->inputs[k] == tensor) {
                *ret_input = k;
                return layer;
            }
    }
    return NULL;
}

static use use_of(const lp_layer *layer, int32_t input)
{
    for (int32_t i = 0; i < LPI_COUNT(uses); i++)
        if (!strcmp(uses[i].op, layer->op) &&
            (uses[i].input == input || uses[i].input < 0))
            return uses[i].does;
    return input > 0 || !strcmp(layer->op, "Add") ? BIAS : PLAIN;
}

static bool transposed(const lp_layer *layer)
{
    for (int32_t i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, "transB") &&
            layer->attrs[i].kind == LPI_ATTR_INT)
            return layer->attrs[i].i != 0;
    return false;
}

/* Elements of "shape" that a sum runs over. */
static int64_t summed(const lp_layer *layer, use does, lp_shape shape)
{
    int32_t axis = does == SUMMED_LAST           ? shape.rank - 1
                   : does == SUMMED_LAST_BUT_ONE ? shape.rank - 2
                   : does == SUMMED_GEMM         ? transposed(layer)
                                                 : (int32_t)does - SUMMED_0;
    int64_t count = 1;

    if (shape.rank < 1)
        return 1;
    if (does == SUMMED_REST || does == SUMMED_BUT_1) {
        for (int32_t i = 0; i < shape.rank; i++)
            if (i != (does == SUMMED_BUT_1))
                count = lpi_mul(count, shape.dims[i]);
        return count > 0 ? count : 1;
    }
    if (axis < 0 || axis >= shape.rank)
        axis = 0;
    return shape.dims[axis] > 0 ? shape.dims[axis] : 1;
}

/* How floats that layer "layer" reads as operand "input" are drawn. */
static lpi_draw draw_floats(const lp_layer *layer, int32_t input,
                            lp_shape shape)
{
    use does = use_of(layer, input);

    switch (does) {
    case PLAIN:
    case TABLE:
        return (lpi_draw){.spread = 1};
    case FACTOR:
        return (lpi_draw){.centre = 1, .spread = 0.125f};
    case VARIANCE:
        return (lpi_draw){.centre = 1, .spread = 0.5f};
    case BIAS:
        return (lpi_draw){.spread = 0.125f};
    default:
        return (lpi_draw){
            .spread = (float)(1 / sqrt((double)summed(layer, does, shape)))};
    }
}

/* The role letter of operand "input" of "layer" (lp_op.roles). */
static char role_of(const lp_layer *layer, int32_t input)
{
    const char *roles = layer->row && layer->row->roles ? layer->row->roles
                                                        : "d";
    int32_t last = (int32_t)strlen(roles) - 1;

    return last < 0 ? 'd' : roles[input < last ? input : last];
}

/* How integers of "dtype" in the role "role" are drawn. */
static lpi_draw draw_ints(lp_dtype dtype, char role)
{
    int32_t bits = lp_dtype_bits(dtype);
    int64_t half = bits > 8 ? 128 : (int64_t)1 << (bits - 1);
    bool is_signed = lpi_dtype_is_signed(dtype);

    if (role == 'z')
        half = is_signed || bits > 8 ? 0 : half;
    if (role == 'z')
        return (lpi_draw){.least = half, .most = half};
    if (bits <= 8 && role != 'i')
        return (lpi_draw){.least = is_signed ? 1 - half : 1,
                          .most = is_signed ? half - 1 : 2 * half - 1};
    return (lpi_draw){.least = 0, .most = role == 'i' ? 0 : 9};
}

/* A scale of quantized values that are drawn as "values". */
static lpi_draw draw_scale(lpi_draw values)
{
    float reach = values.spread > 0 ? values.spread / 128 : 1.0f / 64;

    return (lpi_draw){.centre = reach, .spread = reach / 8};
}

lpi_draw lpi_fill_draw(const lp_model *model, const lp_tensor *tensor)
{
    const lp_tensor *here = tensor;
    const lp_layer *layer = NULL;
    int32_t input = 0;
    bool is_scale = false;
    lpi_draw draw = {.spread = 0.125f, .most = 9};
    char role = 'd';

    for (int32_t i = 0; i < CHAIN_MOST; i++) {
        layer = reader_of(model, here, &input);
        if (!layer)
            break;
        role = role_of(layer, input);
        is_scale = is_scale || role == 's';
        if (!layer->is_static || role == 'z' || !layer->outputs_count ||
            !layer->outputs[0])
            break;
        here = layer->outputs[0];
    }
    if (!lpi_dtype_is_float(tensor->dtype))
        return draw_ints(tensor->dtype, role);
    if (layer)
        draw = draw_floats(layer, input, here->shape);
    return is_scale ? draw_scale(role == 's' ? (lpi_draw){.spread = 2} : draw)
                    : draw;
}
