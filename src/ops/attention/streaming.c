/* streaming.c: runs of LinearAttention and CausalConvWithState, which carry a
 * state from one token to the next.
 *
 * A head of keys has a matrix of state S, key size by value size.  A token
 * decays it by exp(g) (gated rules), corrects its value by what the state
 * already tells of its key (delta rules), adds key x value and is read with
 * the queries of its group.  Sources: ONNX operators LinearAttention-27,
 * CausalConvWithState-27; S. Yang et al., "Gated Delta Networks", 2024. */
#include <math.h>
#include <string.h>

#include "../ops.h"

/* ---- LinearAttention ----------------------------------------------------- */

/* The operands of a LinearAttention as doubles, and its sizes. */
typedef struct linear {
    const lpi_linear *params;
    int64_t tokens, keys, values; /* of a head: key size, value size */
    int64_t gates, betas;         /* of a token */
    double scale;
    const double *q, *k, *v, *gate, *beta;
    double *y;
    double *fresh; /* the value of a token */
} linear;

/* Take token "t" (of all batches) into the state "s" of head "head". */
static void take_token(const linear *l, int64_t t, int64_t head, double *s)
{
    int64_t heads = l->params->kv_num_heads;
    const double *key = l->k + (t * heads + head) * l->keys;
    const double *value = l->v + (t * heads + head) * l->values;

    for (int64_t i = 0; l->gate != NULL && i < l->keys; i++) {
        int64_t at = l->gates == heads ? head : head * l->keys + i;
        double decay = exp(l->gate[t * l->gates + at]);

        for (int64_t j = 0; j < l->values; j++)
            s[i * l->values + j] *= decay;
    }
    for (int64_t j = 0; j < l->values; j++) {
        double known = 0;

        l->fresh[j] = value[j];
        if (l->beta == NULL)
            continue;
        for (int64_t i = 0; i < l->keys; i++)
            known += s[i * l->values + j] * key[i];
        LPI_MACS(l->keys);
        l->fresh[j] = (value[j] - known) *
                      l->beta[t * l->betas + (l->betas == 1 ? 0 : head)];
    }
    for (int64_t i = 0; i < l->keys; i++)
        for (int64_t j = 0; j < l->values; j++) {
            s[i * l->values + j] += key[i] * l->fresh[j];
            LPI_MACS(1);
        }
}

/* Read the state "s" of head "head" with the queries of its group. */
static void read_token(const linear *l, int64_t t, int64_t head,
                       const double *s)
{
    int64_t heads = l->params->q_num_heads;
    int64_t group = heads / l->params->kv_num_heads;

    for (int64_t h = head * group; h < (head + 1) * group; h++)
        for (int64_t j = 0; j < l->values; j++) {
            double sum = 0;

            for (int64_t i = 0; i < l->keys; i++)
                sum += l->q[(t * heads + h) * l->keys + i] *
                       s[i * l->values + j];
            LPI_MACS(l->keys);
            l->y[(t * heads + h) * l->values + j] = l->scale * sum;
        }
}

/* The operands that the update rule asks for, and no others. */
static lp_status check_rule(const lpi_node *node)
{
    const lpi_linear *params = node->params;
    bool is_delta = strstr(params->update_rule, "delta") != NULL;
    bool is_gated = strncmp(params->update_rule, "gated", 5) == 0;
    lp_shape gate = lpi_in_shape(node, 4), beta = lpi_in_shape(node, 5);
    lp_shape k = lpi_in_shape(node, 1);
    int64_t heads = params->kv_num_heads;

    if ((lpi_in(node, 4) != NULL) != is_gated ||
        (lpi_in(node, 5) != NULL) != is_delta)
        return lpi_node_fail(node, "rule '%.40s' lacks or forbids an operand",
                             params->update_rule);
    if (is_gated && (gate.rank != 3 ||
                     (gate.dims[2] != heads && gate.dims[2] != k.dims[2])))
        return lpi_node_fail(node, "the decay does not fit the keys");
    if (is_delta &&
        (beta.rank != 3 || (beta.dims[2] != heads && beta.dims[2] != 1)))
        return lpi_node_fail(node, "beta does not fit the heads");
    return LP_OK;
}

static lp_status read_operands(const lpi_run *run, linear *l)
{
    int64_t tokens = lpi_mul(lpi_in_shape(run->node, 0).dims[0], l->tokens);
    int64_t heads = l->params->kv_num_heads;

    LP_TRY(check_rule(run->node));
    LP_TRY(lpi_run_wants(run, 1, lpi_mul(tokens, lpi_mul(heads, l->keys))));
    LP_TRY(lpi_run_wants(run, 2, lpi_mul(tokens, lpi_mul(heads, l->values))));
    LP_TRY(lpi_run_wants(run, 4, lpi_mul(tokens, l->gates)));
    LP_TRY(lpi_run_wants(run, 5, lpi_mul(tokens, l->betas)));
    LP_TRY(lpi_run_reals(run, 0, &l->q));
    LP_TRY(lpi_run_reals(run, 1, &l->k));
    LP_TRY(lpi_run_reals(run, 2, &l->v));
    LP_TRY(lpi_run_reals(run, 4, &l->gate));
    LP_TRY(lpi_run_reals(run, 5, &l->beta));
    l->fresh = LPI_NEW(run->scratch, double, l->values);
    return l->fresh != NULL ? lpi_run_room(run, 0, &l->y)
                            : lpi_node_fail_memory(run->node);
}

lp_status lpi_linear_run(const lpi_run *run)
{
    const lpi_linear *params = run->node->params;
    lp_shape q = lpi_in_shape(run->node, 0), v = lpi_in_shape(run->node, 2);
    lp_shape gate = lpi_in_shape(run->node, 4);
    lp_shape beta = lpi_in_shape(run->node, 5);
    int64_t heads = params->kv_num_heads, size;
    linear l = {.params = params,
                .tokens = q.dims[1],
                .keys = q.dims[2] / params->q_num_heads,
                .values = v.dims[2] / heads,
                .gates = gate.rank == 3 ? gate.dims[2] : 0,
                .betas = beta.rank == 3 ? beta.dims[2] : 0};
    const double *past;
    double *state;

    l.scale = params->scale != 0 ? (double)params->scale
                                 : 1 / sqrt((double)l.keys);
    size = lpi_mul(l.keys, l.values);
    LP_TRY(read_operands(run, &l));
    LP_TRY(lpi_run_wants(run, 3, lpi_mul(lpi_mul(q.dims[0], heads), size)));
    LP_TRY(lpi_run_reals(run, 3, &past));
    state =
        LPI_NEW(run->scratch, double, lpi_mul(lpi_mul(q.dims[0], heads), size));
    if (state == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < q.dims[0] * heads; i++) {
        double *s = state + i * size;

        if (past != NULL)
            memcpy(s, past + i * size, (size_t)size * sizeof(*s));
        for (int64_t t = 0; t < l.tokens; t++) {
            take_token(&l, i / heads * l.tokens + t, i % heads, s);
            read_token(&l, i / heads * l.tokens + t, i % heads, s);
        }
    }
    lpi_run_keep(run, 0, l.y);
    lpi_run_keep(run, 1, state);
    return LP_OK;
}

/* ---- CausalConvWithState ------------------------------------------------- */

/* The row of channel "i" behind its past, "kept" long, at "line"; the past
 * is zero where there is none. */
static void fill_line(const double *past, const double *x, int64_t i,
                      const int64_t kept_and_length[2], double *line)
{
    int64_t kept = kept_and_length[0], length = kept_and_length[1];

    for (int64_t k = 0; k < kept; k++)
        line[k] = past != NULL ? past[i * kept + k] : 0;
    memcpy(line + kept, x + i * length, (size_t)length * sizeof(*line));
}

/* "x" as "dtype" holds it. */
static double rounded(lp_dtype dtype, double x)
{
    uint64_t raw = 0;
    double back = x;
    float wide;

    lpi_store_reals(dtype, &x, 1, &raw);
    if (lpi_class_of(dtype) != LPI_F32)
        return x;
    lpi_unpack(dtype, &raw, 0, 1, &wide);
    back = (double)wide;
    return back;
}

lp_status lpi_causal_run(const lpi_run *run)
{
    const lpi_causal *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), w = lpi_in_shape(run->node, 1);
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    bool is_silu = strcmp(params->activation, "none") != 0;
    const int64_t sizes[2] = {w.dims[2] - 1, x.dims[2]};
    const double *in, *weight, *bias, *past;
    double *y, *state,
        *line = LPI_NEW(run->scratch, double, lpi_add(sizes[0], sizes[1]));

    if (line == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_wants(run, 1, lpi_mul(x.dims[1], w.dims[2])));
    LP_TRY(lpi_run_wants(run, 2, x.dims[1]));
    LP_TRY(lpi_run_wants(run, 3,
                         lpi_mul(lpi_mul(x.dims[0], x.dims[1]), sizes[0])));
    LP_TRY(lpi_run_reals(run, 0, &in));
    LP_TRY(lpi_run_reals(run, 1, &weight));
    LP_TRY(lpi_run_reals(run, 2, &bias));
    LP_TRY(lpi_run_reals(run, 3, &past));
    LP_TRY(lpi_run_room(run, 0, &y));
    LP_TRY(lpi_run_room(run, 1, &state));
    for (int64_t i = 0; i < x.dims[0] * x.dims[1]; i++) {
        int64_t c = i % x.dims[1];

        fill_line(past, in, i, sizes, line);
        for (int64_t t = 0; t < sizes[1]; t++) {
            double sum = bias != NULL ? bias[c] : 0;

            for (int64_t k = 0; k <= sizes[0]; k++)
                sum += weight[c * w.dims[2] + k] * line[t + k];
            LPI_MACS(w.dims[2]);
            sum = rounded(dtype, sum);
            y[i * sizes[1] + t] = is_silu ? sum / (1 + exp(-sum)) : sum;
        }
        if (lpi_out(run->node, 1) != NULL && sizes[0] > 0)
            memcpy(state + i * sizes[0], line + sizes[1],
                   (size_t)sizes[0] * sizeof(*state));
    }
    lpi_run_keep(run, 0, y);
    lpi_run_keep(run, 1, state);
    return LP_OK;
}
