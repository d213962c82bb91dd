/* role.c: what an operand is to its layer.
 *
 * A role is a letter of lp_op.roles: data, weight, scale, zero point, or index
 * and the like.  Two patterns that rows do not see are added.  Integers that a
 * layer moves before another takes them as weights (an int8 table, gathered
 * from, then dequantized) are weights to both.  What is multiplied with the
 * scale that DynamicQuantizeLinear has found is the scale of the weights
 * (MatMulInteger, Cast, Mul by the product of both scales). */
#include <string.h>

#include "cost.h"

/* Whether operand "i" of "layer" is multiplied with a scale found at run
 * time. */
static bool times_scale(const lp_layer *layer, int32_t i)
{
    const lp_tensor *other;
    const lp_layer *maker;

    if (layer->inputs_count != 2 || strcmp(layer->op, "Mul") != 0)
        return false;
    other = layer->inputs[1 - i];
    maker = other ? other->producer : NULL;
    return maker && maker->outputs_count > 1 && maker->outputs[1] == other &&
           strcmp(maker->op, "DynamicQuantizeLinear") == 0;
}

/* The letter of operand "i" in the roles of "layer". */
static char role_of(const lp_layer *layer, int32_t i)
{
    const char *roles = layer->row ? layer->row->roles : NULL;
    int32_t length = roles ? (int32_t)strlen(roles) : 0;

    if (!length)
        return times_scale(layer, i) ? 's' : 'd';
    return roles[i < length ? i : length - 1];
}

/* The role of what stands behind an operand: a scale made from anything is a
 * scale; a weight moved by an operator that sees data stays a weight. */
static char combine(char reader, char own)
{
    if (reader == 's' || reader == 'z' || reader == 'i')
        return reader;
    return own == 'd' ? reader : own;
}

/* The dtypes, a bit each, of the outputs of "layer" marked in "weighty". */
static uint32_t weighty_dtypes(const lp_layer *layer, const bool *weighty)
{
    uint32_t dtypes = 0;
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i] && weighty[layer->outputs[i]->id])
            dtypes |= UINT32_C(1) << (layer->outputs[i]->dtype & 31);
    return dtypes;
}

/* Whether data "tensor" is among the dtypes "moved" to a weight's place. */
static bool is_moved(const lp_tensor *tensor, uint32_t moved)
{
    return tensor && !lpi_dtype_is_float(tensor->dtype) &&
           moved >> (tensor->dtype & 31) & 1;
}

lp_status lpi_find_moved(lpi_arena *scratch, const lp_model *model,
                         uint32_t *moved, lp_error *error)
{
    bool *weighty = LPI_NEW(scratch, bool, model->tensors_count);
    int64_t i;
    int32_t j;

    if (!weighty)
        return lpi_fail_memory(error);
    for (i = model->layers_count - 1; i >= 0; i--) {
        const lp_layer *layer = model->layers[i];

        moved[i] = weighty_dtypes(layer, weighty);
        for (j = 0; j < layer->inputs_count; j++) {
            const lp_tensor *tensor = layer->inputs[j];
            char role = role_of(layer, j);

            if (tensor &&
                (role == 'w' || (role == 'd' && is_moved(tensor, moved[i]))))
                weighty[tensor->id] = true;
        }
    }
    return LP_OK;
}

char lpi_role(const lp_layer *layer, int32_t i, char reader, uint32_t moved)
{
    char role = combine(reader, role_of(layer, i));

    return role == 'd' && is_moved(layer->inputs[i], moved) ? 'w' : role;
}
