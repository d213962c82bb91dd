/* convolve.c: runs of convolutions of floats, and their tiles.
 *
 * One chain an element, over channels, then taps (kernel.h); then bias, the
 * tensor that is added, the activation.  Parts of the output along any axis
 * need the channels, taps and rows that their windows reach. */
#include <string.h>

#include "../ops.h"

lp_status lpi_conv_sizes(const lpi_node *node, lpi_conv *ret_conv)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    const lpi_slide *window = node->params;
    lp_shape x = lpi_in_shape(node, 0), w = lpi_in_shape(node, facts->weight);
    lp_shape y = lpi_out_shape(node, 0);
    bool last = lpi_conv_is_last(node);
    int32_t first = last ? 1 : 2, channel = last ? x.rank - 1 : 1;
    const lp_shape spatial[2] = {{x.rank - 2, x.dims + first},
                                 {y.rank - 2, y.dims + first}};
    lpi_sliding s;

    LP_TRY(lpi_slide_resolve(node, window, spatial, w.dims + 2,
                             facts->is_transposed, &s));
    *ret_conv = (lpi_conv){.batch = x.dims[0],
                           .groups = window->group,
                           .in_channels = x.dims[channel],
                           .out_channels = y.dims[channel]};
    memcpy(ret_conv->in, s.in, sizeof(s.in));
    memcpy(ret_conv->out, s.out, sizeof(s.out));
    memcpy(ret_conv->kernel, s.kernel, sizeof(s.kernel));
    memcpy(ret_conv->stride, s.stride, sizeof(s.stride));
    memcpy(ret_conv->dilation, s.dilation, sizeof(s.dilation));
    memcpy(ret_conv->pad, s.pad, sizeof(s.pad));
    return LP_OK;
}

/* The tensor that is added, and the activation. */
static lp_status finish(const lpi_run *run, const lpi_conv_facts *facts,
                        float *y)
{
    const lpi_conv_params *p = run->node->params;
    lpi_team team = lpi_run_team(run);
    int64_t count = lpi_out_elements(run->node, 0);
    const float *sum = NULL;
    float of[2] = {0, 0};

    if (facts->sum >= 0) {
        LP_TRY(lpi_run_wants(run, facts->sum, count));
        LP_TRY(lpi_run_floats(run, facts->sum, &sum));
    }
    if (sum != NULL) {
        const float *const pair[2] = {y, sum};

        lpi_binary_flat(&team, LPI_BINARY_ADD, count, pair, y);
    }
    for (int64_t i = 0; i < 2 && i < p->activation_params.count; i++)
        of[i] = p->activation_params.floats[i];
    return lpi_activate(run, p->activation, of, count, y);
}

lp_status lpi_conv_layer_run(const lpi_run *run)
{
    const lpi_conv_facts *facts = run->node->layer->row->facts;
    float *y = NULL;
    lpi_conv conv;
    int64_t room;

    LP_TRY(lpi_conv_sizes(run->node, &conv));
    conv.team = lpi_run_team(run);
    conv.goes_on = run->continues;
    if (!facts->is_transposed && lpi_conv_takes_halves(&conv)) {
        LP_TRY(lpi_run_halves(run, 0, &conv.x, &conv.x_widen));
        LP_TRY(lpi_run_halves(run, facts->weight, &conv.w, &conv.w_widen));
    } else {
        LP_TRY(lpi_run_floats(run, 0, &conv.x));
        LP_TRY(lpi_run_floats(run, facts->weight, &conv.w));
    }
    if (!run->goes_on)
        LP_TRY(lpi_run_floats(run, facts->bias, &conv.bias));
    LP_TRY(lpi_run_result(run, 0, &y));
    conv.y = y;
    if (lpi_out_elements(run->node, 0) == 0)
        return LP_OK;
    room = facts->is_transposed ? lpi_deconv_workspace(&conv)
                                : lpi_conv_workspace(&conv);
    conv.workspace =
        lpi_arena_room(run->scratch, (size_t)lpi_mul(room, sizeof(float)));
    if (conv.workspace == NULL)
        return lpi_node_fail_memory(run->node);
    if (facts->is_transposed)
        lpi_deconv_run(&conv);
    else
        lpi_conv_run(&conv);
    if (!run->goes_on)
        LP_TRY(finish(run, facts, y));
    lpi_run_store(run, 0, y);
    return LP_OK;
}

/* Channels of the input and groups for the channels of "out"; false where they
 * begin or end inside a group and span several. */
static bool cut_groups(const lpi_conv *conv, const lpi_box *out, lpi_box *in,
                       lpi_slide *window)
{
    int64_t each = conv->out_channels / conv->groups;
    int64_t own = conv->in_channels / conv->groups;
    int64_t first = out->from[1] / each, last = (out->to[1] - 1) / each + 1;

    in->from[1] = first * own;
    in->to[1] = last * own;
    window->group = last - first;
    return last - first == 1 ||
           (out->from[1] == first * each && out->to[1] == last * each);
}

lp_status lpi_conv_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    lpi_conv_params *p = params;
    lp_shape w = lpi_in_shape(node, facts->weight), x = lpi_in_shape(node, 0);
    lp_shape y = lpi_out_shape(node, 0);
    const lp_shape spatial[2] = {{x.rank - 2, x.dims + 2},
                                 {y.rank - 2, y.dims + 2}};
    lpi_sliding s;
    lpi_conv conv;

    LP_TRY(lpi_conv_sizes(node, &conv));
    LP_TRY(
        lpi_slide_resolve(node, node->params, spatial, w.dims + 2, false, &s));
    in[0] = *out;
    if (!cut_groups(&conv, out, &in[0], &p->window))
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "a tile of channels %lld to %lld cuts groups",
                        (long long)out->from[1], (long long)out->to[1]);
    lpi_slide_cut(&s, &p->window, out, 2, &in[0]);
    in[facts->weight] = lpi_box_whole(node, facts->weight);
    in[facts->weight].from[0] = out->from[1];
    in[facts->weight].to[0] = out->to[1];
    for (int32_t i = 1; i < node->layer->inputs_count; i++) {
        bool by_channel = lpi_in_elements(node, i) == conv.out_channels &&
                          lpi_in_shape(node, i).rank == 1;

        if (i == facts->weight)
            continue;
        in[i] = lpi_box_whole(node, i);
        if (by_channel) {
            in[i].from[0] = out->from[1];
            in[i].to[0] = out->to[1];
        }
    }
    return LP_OK;
}

lp_status lpi_conv_split(const lpi_node *node, int64_t range[2], lpi_box *in)
{
    const lpi_conv_facts *facts = node->layer->row->facts;
    const lpi_slide *window = node->params;

    if (window->group != 1)
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "the channels of %lld groups cannot be summed apart",
                        (long long)window->group);
    LP_TRY(lpi_box_split(node, 0, 1, range, in));
    return lpi_box_split(node, facts->weight, 1, range, in);
}
