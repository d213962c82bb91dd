/* channels.c: tensors whose channels are their last axis, brought to the form
 * that the kernels want, channels behind the batch, and back; convolutions of
 * them. */
#include <string.h>

#include "../ops.h"

void lpi_channels_turn(int32_t bits, lp_shape last, bool to_front,
                       const void *from, void *to)
{
    int64_t channels = last.dims[last.rank - 1];
    int64_t plane = lpi_dims_product(last, 1, last.rank - 1);
    const int64_t dims[3] = {last.dims[0], channels, plane};
    const int64_t front[3] = {channels * plane, plane, 1};
    const int64_t back[3] = {channels * plane, 1, channels};

    lpi_copy_box(bits, 3, dims, (lpi_place){to, 0, to_front ? front : back},
                 (lpi_place){(void *)from, 0, to_front ? back : front});
}

bool lpi_conv_is_last(const lpi_node *node)
{
    const lpi_conv_facts *facts = node->layer->row->facts;

    return facts->channels_last ||
           ((const lpi_conv_params *)node->params)->channels_last != 0;
}

/* The operands that have channels are turned, and so is the result. */
lp_status lpi_conv_last_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    const lpi_conv_facts *facts = node->layer->row->facts;
    int32_t inputs = node->layer->inputs_count;
    const void **in = LPI_NEW(run->scratch, const void *, inputs);
    int32_t bits = lp_dtype_bits(lpi_out(node, 0)->dtype);
    lp_shape y = lpi_out_shape(node, 0);
    void *out = lpi_arena_array(run->scratch, lpi_out_elements(node, 0),
                                sizeof(double));
    lpi_run turned = *run;

    if (!lpi_conv_is_last(node))
        return facts->weight == 3 ? lpi_conv8_layer_run(run)
                                  : lpi_conv_layer_run(run);
    if (in == NULL || out == NULL)
        return lpi_node_fail_memory(node);
    memcpy(in, run->in, (size_t)inputs * sizeof(*in));
    for (int32_t i = 0; i < inputs; i++) {
        int64_t count = lpi_in_elements(node, i);
        void *room;

        if ((i != 0 && i != facts->sum) || lpi_in(node, i) == NULL)
            continue;
        room = lpi_arena_array(run->scratch, count, sizeof(double));
        if (room == NULL)
            return lpi_node_fail_memory(node);
        lpi_channels_turn(lp_dtype_bits(lpi_in_dtype(node, i)),
                          lpi_in_shape(node, i), true, run->in[i], room);
        in[i] = room;
    }
    turned.in = in;
    turned.out = &out;
    LP_TRY(facts->weight == 3 ? lpi_conv8_layer_run(&turned)
                              : lpi_conv_layer_run(&turned));
    lpi_channels_turn(bits, y, false, out, run->out[0]);
    return LP_OK;
}
