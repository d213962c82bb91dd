/* attendtile.c: tiles of Attention: rows of the queries, heads, batches.
 *
 * All keys and values of a head are needed; the adapted params tell where the
 * rows stand in the whole, for causal masks and windows. */
#include "../ops.h"

/* Heads of keys for heads [from, to) of the queries, "each" to one; false when
 * they begin or end inside one and span several. */
static bool cut_heads(int64_t each, int64_t from, int64_t to, int64_t ret[2])
{
    ret[0] = from / each;
    ret[1] = (to - 1) / each + 1;
    return ret[1] - ret[0] == 1 || (from % each == 0 && to % each == 0);
}

/* Cut axis "axis" of the box of input "i", if it is there and no repeat. */
static void cut(lpi_box *box, int32_t axis, int64_t from, int64_t to)
{
    if (box->rank > axis && axis >= 0 && box->to[axis] > 1) {
        box->from[axis] = from;
        box->to[axis] = to;
    }
}

lp_status lpi_attention_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params)
{
    lpi_attention_params *p = params;
    bool flat = out->rank == 3;
    int32_t row = flat ? 1 : 2;
    int64_t heads[2] = {0, 0};
    lpi_attention s;

    LP_TRY(lpi_attention_resolve(node, &s));
    for (int32_t i = 1; i < node->layer->outputs_count; i++)
        if (lpi_out(node, i) != NULL)
            return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                            "tiles of attention with several outputs");
    LP_TRY(lpi_box_keep(node, out, out->rank - 1, out->rank));
    if (!flat &&
        !cut_heads(s.q_heads / s.kv_heads, out->from[1], out->to[1], heads))
        return lpi_fail(node->error, LP_EUNSUPPORTED, node->layer->name,
                        "a tile cuts a group of heads");
    for (int32_t i = 0; i < node->layer->inputs_count; i++) {
        in[i] = lpi_box_whole(node, i);
        if (i != 3)
            cut(&in[i], 0, out->from[0], out->to[0]);
        if (!flat && i != 0 && i != 3 && i != 6)
            cut(&in[i], 1, heads[0], heads[1]);
    }
    in[0].from[row] = out->from[row];
    in[0].to[row] = out->to[row];
    if (!flat) {
        in[0].from[1] = out->from[1];
        in[0].to[1] = out->to[1];
    }
    if (node->layer->inputs_count > 3 && in[3].rank >= 0) {
        int32_t last = in[3].rank - 1;

        cut(&in[3], last - 1, out->from[row], out->to[row]);
        if (!flat)
            cut(&in[3], last - 2, out->from[1], out->to[1]);
        cut(&in[3], last - 3, out->from[0], out->to[0]);
    }
    p->queries = p->queries > 0 ? p->queries : s.queries;
    p->first_row += out->from[row];
    return LP_OK;
}
