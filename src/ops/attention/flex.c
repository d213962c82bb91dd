/* flex.c: FlexAttention of ai.onnx.preview: attention whose scores and
 * probabilities pass through bodies.
 *
 * It is defined by the layers that its specification names; what it takes to
 * write them (the dtype, heads, the size of a head) is known when its operands
 * are, so that the shape hook writes them.  Source: ONNX operator
 * FlexAttention-1. */
#include <math.h>

#include "../ops.h"

typedef struct flex_params {
    lp_model *score_mod, *prob_mod; /* NULL: none */
    float scale;                    /* NaN: by the size of a head */
    int64_t softmax_precision;      /* a dtype; 0: by that of the operands */
} flex_params;

static const lpi_spec flex_specs[] = {
    {.name = "score_mod",
     .kind = LPI_ATTR_BODY,
     .offset = offsetof(flex_params, score_mod)},
    {.name = "prob_mod",
     .kind = LPI_ATTR_BODY,
     .offset = offsetof(flex_params, prob_mod)},
    LPI_SPEC_FLOAT(flex_params, scale, NAN),
    LPI_SPEC_INT(flex_params, softmax_precision, LP_UNDEFINED),
    {.name = NULL},
};

static lp_status flex_settle(lpi_node *node)
{
    const flex_params *params = node->params;
    const lp_model *const mods[2] = {params->score_mod, params->prob_mod};

    for (int32_t i = 0; i < 2; i++)
        if (mods[i] != NULL &&
            (mods[i]->inputs_count != 1 || mods[i]->outputs_count != 1))
            return lpi_node_fail(node,
                                 "a body has %lld inputs and %lld outputs, "
                                 "must have one of each",
                                 (long long)mods[i]->inputs_count,
                                 (long long)mods[i]->outputs_count);
    return LP_OK;
}

/* "to" is what "mod" (NULL: nothing) makes of "from". */
static void modify(lpi_define *d, lp_model *mod, const char *from,
                   const char *to)
{
    if (mod == NULL) {
        lpi_define_layer(d, "Identity", from, to, NULL);
        return;
    }
    lp_model *body = lpi_define_adopt(d, mod, from);
    lpi_define_layer(d, "If", "always", to,
                     LPI_ATTRS(LPI_GIVE_BODY("then_branch", body),
                               LPI_GIVE_BODY("else_branch", body)));
}

/* "to" is operand "from" with every head "times" times. */
static void repeat(lpi_define *d, const char *from, const char *to,
                   int64_t times)
{
    static const char heads[] = "groups";

    if (times == 1) {
        lpi_define_layer(d, "Identity", from, to, NULL);
        return;
    }
    char in[16];

    snprintf(in, sizeof(in), "%s %s", from, heads);
    lpi_define_layer(d, "Gather", in, to, LPI_ATTRS(LPI_GIVE_INT("axis", 1)));
}

/* The heads of keys that "times" heads of queries each share, as indices. */
static lp_status name_groups(lpi_define *d, int64_t heads, int64_t times)
{
    int64_t *groups = lpi_node_dims(d->node, heads);

    if (groups == NULL)
        return lpi_node_fail_memory(d->node);
    for (int64_t i = 0; i < heads; i++)
        groups[i] = i / times;
    lpi_define_ints(d, "groups", groups, heads);
    return d->status;
}

/* Write the definition for operands of "type", "heads" of queries, "times" a
 * head of keys, that are "size" long. */
static lp_status define(lpi_node *node, lp_dtype type, const int64_t sizes[3])
{
    const flex_params *params = node->params;
    lp_dtype inner = params->softmax_precision
                         ? (lp_dtype)params->softmax_precision
                     : type == LP_FLOAT64 ? LP_FLOAT64
                                          : LP_FLOAT32;
    float scale = isnan(params->scale) ? 1 / sqrtf((float)sizes[2])
                                       : params->scale;
    static const int64_t turned[4] = {0, 1, 3, 2};
    const lpi_list perm = {.count = 4, .ints = turned};
    lpi_define d = lpi_define_begin(node);

    LP_TRY(name_groups(&d, sizes[0], sizes[1]));
    lpi_define_number(&d, "always", LP_BOOL, 1);
    lpi_define_number(&d, "root", type, (double)sqrtf(scale));
    repeat(&d, "1", "k", sizes[1]);
    repeat(&d, "2", "v", sizes[1]);
    lpi_define_layer(&d, "Mul", "0 root", "q", NULL);
    lpi_define_layer(&d, "Mul", "k root", "ks", NULL);
    lpi_define_layer(&d, "Transpose", "ks", "kt",
                     LPI_ATTRS(LPI_GIVE_INTS("perm", perm)));
    lpi_define_layer(&d, "MatMul", "q kt", "qk", NULL);
    lpi_define_layer(&d, "Cast", "qk", "raw",
                     LPI_ATTRS(LPI_GIVE_INT("to", inner)));
    modify(&d, params->score_mod, "raw", "scores");
    lpi_define_layer(&d, "Softmax", "scores", "p", NULL);
    modify(&d, params->prob_mod, "p", "probs");
    lpi_define_layer(&d, "Cast", "v", "vs",
                     LPI_ATTRS(LPI_GIVE_INT("to", inner)));
    lpi_define_layer(&d, "MatMul", "probs vs", "ys", NULL);
    lpi_define_layer(&d, "Cast", "ys", "y",
                     LPI_ATTRS(LPI_GIVE_INT("to", type)));
    return lpi_define_end(&d, "y");
}

static lp_status flex_shape(lpi_node *node)
{
    lp_dtype type = lpi_in_dtype(node, 0);
    lp_shape q = lpi_in_shape(node, 0), k = lpi_in_shape(node, 1);

    if (node->layer->definition != NULL)
        return lpi_defined_shape(node);
    if (q.rank < 0 || k.rank < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (q.rank != 4 || k.rank != 4)
        return lpi_node_fail(node, "operands of rank %d and %d, must be 4",
                             q.rank, k.rank);
    if (q.dims[1] < 0 || k.dims[1] < 0 || q.dims[3] < 0)
        return lpi_out_set_shape(node, 0, type, lpi_shape_unknown);
    if (q.dims[1] < 1 || k.dims[1] < 1 || q.dims[1] % k.dims[1] != 0 ||
        q.dims[1] > LPI_FOLD_MOST)
        return lpi_node_fail(node, "%lld heads of queries, %lld of keys",
                             (long long)q.dims[1], (long long)k.dims[1]);
    const int64_t sizes[3] = {q.dims[1], q.dims[1] / k.dims[1], q.dims[3]};
    LP_TRY(define(node, type, sizes));
    return lpi_defined_shape(node);
}

#define QKV                                                                    \
    "opset 24; opset ai.onnx.preview 1; input q: float32[2, 4, 3, 8]; input "  \
    "k: float32[2, 2, 5, 8]; input v: float32[2, 2, 5, 6]; "

const lp_op lpi_ops_flex[] = {
    {.domain = "ai.onnx.preview",
     .name = "FlexAttention",
     .since = 1,
     .inputs_min = 3,
     .inputs_max = 3,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(flex_params),
     .specs = flex_specs,
     .settle = flex_settle,
     .shape = flex_shape,
     .cost = lpi_defined_cost,
     .samples = QKV "y = ai.onnx.preview.FlexAttention(q, k, v); output y\n"
                    "---\n" QKV "weight b: float32[] = {0.5}; y = "
                    "ai.onnx.preview.FlexAttention(q, k, v) {scale: 0.5, "
                    "score_mod: graph { input s: float32[2, 4, 3, 5]; t = "
                    "Add(s, b); output t }}; output y"},
    {.name = NULL},
};
