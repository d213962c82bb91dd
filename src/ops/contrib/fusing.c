/* fusing.c: runs of the normalizations of com.microsoft that fuse residuals,
 * biases and embeddings.
 *
 * The sum is taken in float32, operand after operand, and normalized by the
 * kernel (kernel.h).  Group norms whose channels are last are turned for it
 * and back.  Source: onnxruntime, contributed operators. */
#include <string.h>

#include "../ops.h"

/* Add "from", repeated over the "count" elements of "to", to it. */
static void add_repeated(const lpi_isa *isa, int64_t count, const float *from,
                         int64_t own, float *to)
{
    for (int64_t i = 0; i < count && own > 0; i += own)
        isa->binary[LPI_BINARY_ADD](own, to + i, 1, from, 1, to + i);
}

/* Input 0 plus what the row adds, in the room of output "kept", or in the
 * scratch when nobody wants it.  Where images have "image" elements (else 0),
 * an operand of less than all has a row of the last axis for each. */
static lp_status take_sum(const lpi_run *run, int32_t kept, int64_t image,
                          float **ret_sum)
{
    const lpi_fused_facts *facts = run->node->layer->row->facts;
    const lpi_isa *isa = lpi_run_team(run).isa;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t count = lpi_shape_elements(x), width = x.dims[x.rank - 1];
    const float *from;

    LP_TRY(lpi_run_result(run, kept, ret_sum));
    if (*ret_sum == NULL)
        *ret_sum = LPI_NEW(run->scratch, float, count);
    if (*ret_sum == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_floats(run, 0, &from));
    memcpy(*ret_sum, from, (size_t)count * sizeof(*from));
    for (int32_t i = 0; i < LPI_COUNT(facts->added); i++) {
        int64_t own = lpi_in_elements(run->node, facts->added[i]);

        if (facts->added[i] == 0)
            break;
        LP_TRY(lpi_run_floats(run, facts->added[i], &from));
        if (from == NULL)
            continue;
        if (own == 0 || count % own != 0)
            return lpi_node_fail(run->node, "input %d does not fit the first",
                                 facts->added[i]);
        if (image > 0 && own > width && own < count)
            for (int64_t n = 0; n < count / image; n++)
                add_repeated(isa, image, from + n * width, width,
                             *ret_sum + n * image);
        else
            add_repeated(isa, count, from, own, *ret_sum);
    }
    return LP_OK;
}

/* Scale, shift and epsilon of "norm", each with "channels" elements. */
static lp_status read_scale(const lpi_run *run, int64_t channels,
                            lpi_norm *norm)
{
    const lpi_fused_facts *facts = run->node->layer->row->facts;
    const lpi_fused_norm *p = run->node->params;

    LP_TRY(lpi_run_wants(run, facts->scale, channels));
    LP_TRY(lpi_run_floats(run, facts->scale, &norm->scale));
    if (facts->shift > 0) {
        LP_TRY(lpi_run_wants(run, facts->shift, channels));
        LP_TRY(lpi_run_floats(run, facts->shift, &norm->shift));
    }
    norm->epsilon = (double)p->epsilon;
    norm->centred = facts->centred;
    return LP_OK;
}

/* Normalize rows of "sum", of the last axis of output 0. */
static lp_status normalise_rows(const lpi_run *run, const float *sum,
                                bool with_statistics)
{
    lp_shape y = lpi_out_shape(run->node, 0);
    int64_t width = y.dims[y.rank - 1];
    lpi_team team = lpi_run_team(run);
    lpi_norm norm = {.rows = lpi_dims_product(y, 0, y.rank - 1),
                     .count = width,
                     .plane = 1,
                     .channels = width,
                     .from = sum};

    LP_TRY(read_scale(run, width, &norm));
    LP_TRY(lpi_run_result(run, 0, &norm.to));
    if (with_statistics) {
        LP_TRY(lpi_run_result(run, 1, &norm.ret_mean));
        LP_TRY(lpi_run_result(run, 2, &norm.ret_inverse));
    }
    if (norm.rows > 0 && width > 0)
        lpi_norm_run(&team, &norm);
    lpi_run_store(run, 0, norm.to);
    return LP_OK;
}

lp_status lpi_norm_skip_run(const lpi_run *run)
{
    float *sum;

    LP_TRY(take_sum(run, 3, 0, &sum));
    LP_TRY(normalise_rows(run, sum, true));
    lpi_run_store(run, 3, sum);
    return LP_OK;
}

/* ---- GroupNorm, SkipGroupNorm -------------------------------------------- */

/* Elements with their channels behind the batch. */
static void normalise_groups(const lpi_run *run, lpi_norm *norm, float *sum,
                             float *to)
{
    lpi_team team = lpi_run_team(run);

    norm->from = sum;
    norm->to = to;
    if (norm->rows > 0 && norm->count > 0)
        lpi_norm_run(&team, norm);
}

lp_status lpi_norm_skip_groups_run(const lpi_run *run)
{
    const lpi_fused_norm *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    bool last = p->channels_last != 0;
    int64_t count = lpi_shape_elements(x);
    int64_t channels = x.dims[last ? x.rank - 1 : 1];
    int64_t image = lpi_dims_product(x, 1, x.rank);
    lpi_norm norm = {.rows = lpi_mul(x.dims[0], p->groups),
                     .count = image / p->groups,
                     .plane = channels > 0 ? image / channels : 0,
                     .channels = channels};
    lpi_team team = lpi_run_team(run);
    float *sum, *to, *turned;

    LP_TRY(take_sum(run, 1, last ? image : 0, &sum));
    LP_TRY(read_scale(run, channels, &norm));
    LP_TRY(lpi_run_result(run, 0, &to));
    if (last) {
        turned = LPI_NEW(run->scratch, float, count);
        if (turned == NULL)
            return lpi_node_fail_memory(run->node);
        lpi_channels_turn(32, x, true, sum, turned);
        normalise_groups(run, &norm, turned, turned);
        lpi_channels_turn(32, x, false, turned, to);
    } else {
        normalise_groups(run, &norm, sum, to);
    }
    if (p->activation != 0)
        lpi_unary_run(&team, LPI_UNARY_SILU, count, to, to);
    lpi_run_store(run, 0, to);
    lpi_run_store(run, 1, sum);
    return LP_OK;
}

/* ---- EmbedLayerNormalization --------------------------------------------- */

/* Add row "at" of table "table" (absent: nothing) to "to". */
static lp_status add_row(const lpi_run *run, int32_t table, int64_t at,
                         const float *rows, float *to)
{
    lp_shape shape = lpi_in_shape(run->node, table);
    int64_t width = shape.rank == 2 ? shape.dims[1] : 0;

    if (rows == NULL)
        return LP_OK;
    if (at < 0 || at >= shape.dims[0])
        return lpi_node_fail(run->node, "row %lld of a table of %lld",
                             (long long)at, (long long)shape.dims[0]);
    add_repeated(lpi_run_team(run).isa, width, rows + at * width, width, to);
    return LP_OK;
}

/* Output 1: ones of the mask of each sequence. */
static void count_mask(const lpi_run *run, const lpi_list *mask, int64_t batch,
                       int64_t length)
{
    int32_t *to = lpi_out(run->node, 1) != NULL ? run->out[1] : NULL;

    for (int64_t b = 0; b < batch && to != NULL; b++) {
        to[b] = 0;
        for (int64_t i = 0; i < length && mask->count > 0; i++)
            to[b] += mask->ints[b * length + i] == 1;
    }
}

lp_status lpi_norm_embed_run(const lpi_run *run)
{
    const lpi_node *node = run->node;
    lp_shape y = lpi_out_shape(node, 0);
    int64_t length = y.dims[1], width = y.dims[2], count = y.dims[0] * length;
    lpi_list ids = {0}, segments = {0}, mask = {0}, places = {0};
    lpi_list *const lists[4] = {&ids, &segments, &mask, &places};
    static const int32_t inputs[4] = {0, 1, 7, 8};
    const float *tables[3];
    float *sum;

    for (int32_t i = 0; i < 4; i++)
        if (lpi_in(node, inputs[i]) != NULL)
            LP_TRY(lpi_run_ints(run, inputs[i], lists[i]));
    for (int32_t i = 0; i < 3; i++)
        LP_TRY(lpi_run_floats(run, 2 + i, &tables[i]));
    LP_TRY(lpi_run_wants(run, 1, count));
    LP_TRY(lpi_run_wants(run, 7, count));
    LP_TRY(lpi_run_result(run, 2, &sum));
    if (sum == NULL)
        sum = LPI_NEW(run->scratch, float, count *width);
    if (sum == NULL)
        return lpi_node_fail_memory(node);
    memset(sum, 0, (size_t)(count * width) * sizeof(*sum));
    for (int64_t i = 0; i < count; i++) {
        float *row = sum + i * width;
        int64_t place = i % length;

        if (places.count > 0)
            place = places.ints[places.count == count ? i : place];
        LP_TRY(add_row(run, 2, ids.ints[i], tables[0], row));
        LP_TRY(add_row(run, 3, place, tables[1], row));
        if (segments.count > 0)
            LP_TRY(add_row(run, 4, segments.ints[i], tables[2], row));
    }
    count_mask(run, &mask, y.dims[0], length);
    LP_TRY(normalise_rows(run, sum, false));
    lpi_run_store(run, 2, sum);
    return LP_OK;
}
