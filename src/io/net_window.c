/* net_window.c: convolutions, pooling and interpolation of the one-line form.
 *
 * Sizes are those of the ONNX operators Conv, ConvTranspose and MaxPool: a
 * window of k taps, d apart, that moves s at a time over n elements padded by
 * p on both sides gives (n + 2p - d(k - 1) - 1) / s + 1 elements, and n of a
 * transposed one give (n - 1)s + d(k - 1) + 1 - 2p. */
#include <string.h>

#include "io.h"

enum { MOST_SPATIAL = 3 };

/* Settle the options of a window and add its attributes. */
static lp_status window_attrs(lpi_net *net)
{
    lpi_net_args *args = &net->args;
    int32_t count = net->last.rank - 2;

    if (!args->kernel.count)
        return lpi_net_fail(net, "wants a kernel such as k3");
    LP_TRY(lpi_net_spread(net, &args->kernel, count, 1));
    LP_TRY(lpi_net_spread(net, &args->stride, count, 1));
    LP_TRY(lpi_net_spread(net, &args->pad, count, 0));
    LP_TRY(lpi_net_spread(net, &args->dilation, count, 1));
    LP_TRY(lpi_net_attr_ints(net, "kernel_shape", &args->kernel, 1));
    LP_TRY(lpi_net_attr_ints(net, "strides", &args->stride, 1));
    LP_TRY(lpi_net_attr_ints(net, "dilations", &args->dilation, 1));
    if (args->same)
        return lpi_net_attr_string(net, "auto_pad", "SAME_UPPER");
    return lpi_net_attr_ints(net, "pads", &args->pad, 2);
}

/* Set the size of the image after a window has moved over it. */
static lp_status window_size(lpi_net *net)
{
    const lpi_net_args *args = &net->args;
    int32_t i;

    for (i = 0; i < net->last.rank - 2; i++) {
        int64_t stride = args->stride.at[i], in = net->last.dims[i + 2];
        int64_t reach = lpi_mul(args->dilation.at[i], args->kernel.at[i] - 1);
        int64_t room = in + 2 * args->pad.at[i];

        if (!args->same && reach >= room)
            return lpi_net_fail(net, "the window covers %lld of %lld elements",
                                (long long)lpi_add(reach, 1), (long long)room);
        LP_TRY(lpi_net_set_dim(net, i + 2,
                               args->same ? lpi_ceil_div(in, stride)
                                          : (room - reach - 1) / stride + 1));
    }
    return LP_OK;
}

/* Make weight and bias of a convolution from "in" to "out" channels, whose
 * weight begins with the dimensions "first" and "second", and add it. */
static lp_status convolve(lpi_net *net, const char *op, int64_t first,
                          int64_t second, int64_t out)
{
    int64_t dims[LPI_NET_AXES] = {first, second};
    lpi_net_call call = {.op = op, .inputs = {net->last.tensor}};

    memcpy(dims + 2, net->args.kernel.at, MOST_SPATIAL * sizeof(*dims));
    LP_TRY(
        lpi_net_weight(net, "weight", net->last.rank, dims, &call.inputs[1]));
    LP_TRY(lpi_net_weight(net, "bias", 1, &out, &call.inputs[2]));
    LP_TRY(lpi_net_set_dim(net, 1, out));
    return lpi_net_finish(net, call);
}

/* Convolution to "out" channels in "group" groups. */
static lp_status conv_groups(lpi_net *net, int64_t out, int64_t group)
{
    int64_t in = net->last.dims[1];

    if (in % group || out % group)
        return lpi_net_fail(net,
                            "%lld and %lld channels do not split into "
                            "%lld groups",
                            (long long)in, (long long)out, (long long)group);
    LP_TRY(window_attrs(net));
    LP_TRY(lpi_net_attr_int(net, "group", group));
    LP_TRY(window_size(net));
    return convolve(net, "Conv", out, in / group, out);
}

lp_status lpi_net_conv(lpi_net *net)
{
    const lpi_net_args *args = &net->args;

    LP_TRY(lpi_net_want_rank(net, 3, 2 + MOST_SPATIAL));
    return conv_groups(net, args->plain.at[0],
                       args->group.count ? args->group.at[0] : 1);
}

lp_status lpi_net_dwconv(lpi_net *net)
{
    LP_TRY(lpi_net_want_rank(net, 3, 2 + MOST_SPATIAL));
    return conv_groups(net, net->last.dims[1], net->last.dims[1]);
}

lp_status lpi_net_convt(lpi_net *net)
{
    lpi_net_args *args = &net->args;
    int64_t out = args->plain.at[0];
    int32_t i;

    LP_TRY(lpi_net_want_rank(net, 3, 2 + MOST_SPATIAL));
    if (args->same)
        return lpi_net_fail(net, "knows pads by number only");
    LP_TRY(window_attrs(net));
    for (i = 0; i < net->last.rank - 2; i++) {
        int64_t reach = lpi_mul(args->dilation.at[i], args->kernel.at[i] - 1);
        int64_t steps = lpi_mul(net->last.dims[i + 2] - 1, args->stride.at[i]);
        int64_t size = lpi_add(lpi_add(steps, reach), 1);

        LP_TRY(lpi_net_set_dim(net, i + 2, size - 2 * args->pad.at[i]));
    }
    return convolve(net, "ConvTranspose", net->last.dims[1], out, out);
}

/* MaxPool and AveragePool: the plain numbers are the kernel and the stride. */
lp_status lpi_net_pool(lpi_net *net)
{
    lpi_net_args *args = &net->args;
    lpi_net_call call = {.op = net->row->op, .inputs = {net->last.tensor}};

    LP_TRY(lpi_net_want_rank(net, 3, 2 + MOST_SPATIAL));
    args->kernel = args->plain;
    if (!args->stride.count)
        args->stride = args->kernel;
    LP_TRY(window_attrs(net));
    LP_TRY(window_size(net));
    return lpi_net_finish(net, call);
}

lp_status lpi_net_gap(lpi_net *net)
{
    int32_t i;

    LP_TRY(lpi_net_want_rank(net, 3, LPI_NET_AXES));
    for (i = 2; i < net->last.rank; i++)
        net->last.dims[i] = 1;
    return lpi_net_finish(net, (lpi_net_call){.op = "GlobalAveragePool",
                                              .inputs = {net->last.tensor}});
}

/* Nearest-neighbour interpolation. */
lp_status lpi_net_upsample(lpi_net *net)
{
    lpi_net_numbers *factors = &net->args.plain;
    lpi_net_call call = {.op = "Resize", .inputs = {net->last.tensor}};
    float scales[LPI_NET_AXES] = {1, 1};
    int32_t i;

    LP_TRY(lpi_net_want_rank(net, 3, 2 + MOST_SPATIAL));
    LP_TRY(lpi_net_spread(net, factors, net->last.rank - 2, 1));
    for (i = 0; i < factors->count; i++) {
        scales[i + 2] = (float)factors->at[i];
        LP_TRY(lpi_net_set_dim(net, i + 2,
                               lpi_mul(net->last.dims[i + 2], factors->at[i])));
    }
    LP_TRY(lpi_net_attr_string(net, "mode", "nearest"));
    LP_TRY(lpi_net_constant(net, "scales", LP_FLOAT32, net->last.rank, scales,
                            &call.inputs[2]));
    return lpi_net_finish(net, call);
}
