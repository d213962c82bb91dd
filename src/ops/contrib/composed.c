/* composed.c: operators of com.microsoft that are compositions of others.
 *
 * A row lists the layers that it stands for (define.h); their shapes, costs and
 * runs are its own.  So a quantized operator is its float form between
 * dequantization and quantization, which is how ONNX Runtime computes it too,
 * or, for QAttention, within the rounding of its sums.  Source: onnxruntime,
 * contributed operators. */
#include <string.h>

#include "../ops.h"

/* A layer of the definition; "attrs" ends with a NULL name. */
typedef struct part {
    const char *op, *in, *out;
    const lpi_attr *attrs;
    bool takes_attrs; /* those of the layer itself, instead */
    const char *only; /* when attribute "metric" is this; else an Identity of
                         the first operand */
} part;

/* "parts" ends with a NULL op; "without" stands for it where input "optional"
 * is absent (0: none is looked at). */
typedef struct composed_facts {
    const part *parts, *without;
    int32_t optional;
    const char *out;
} composed_facts;

static const int64_t one_axis[1] = {-1}, first_axis[1] = {1};
static const lpi_attr flat[] = {
    {.name = "value_ints", .kind = LPI_ATTR_INTS, .count = 1, .ints = one_axis},
    {.name = NULL}};
static const lpi_attr ones[] = {{.name = "value_ints",
                                 .kind = LPI_ATTR_INTS,
                                 .count = 1,
                                 .ints = first_axis},
                                {.name = NULL}};
static const lpi_attr one[] = {LPI_GIVE_FLOAT("value_float", 1.0F),
                               {.name = NULL}};
static const lpi_attr to_int64[] = {LPI_GIVE_INT("to", LP_INT64),
                                    {.name = NULL}};
static const lpi_attr to_int32[] = {LPI_GIVE_INT("to", LP_INT32),
                                    {.name = NULL}};
static const lpi_attr unsorted[] = {LPI_GIVE_INT("sorted", 0), {.name = NULL}};

#define PARTS(name, ...) static const part name[] = {__VA_ARGS__, {.op = NULL}}

PARTS(cdist_parts, {"Constant", "", "one", .attrs = ones},
      {"ReduceSumSquare", "0 one", "a", .attrs = NULL},
      {"ReduceSumSquare", "1 one", "b", .attrs = NULL},
      {"Transpose", "b", "across", .attrs = NULL},
      {"Transpose", "1", "turned", .attrs = NULL},
      {"MatMul", "0 turned", "products", .attrs = NULL},
      {"Add", "products products", "twice", .attrs = NULL},
      {"Add", "a across", "squares", .attrs = NULL},
      {"Sub", "squares twice", "d", .attrs = NULL},
      {"Relu", "d", "y2", .attrs = NULL},
      {"Sqrt", "y2", "y", .only = "euclidean"});
PARTS(expand_parts, {"Constant", "", "flat", .attrs = flat},
      {"Cast", "1", "axis", .attrs = to_int64},
      {"Reshape", "axis flat", "axes", .attrs = NULL},
      {"Unsqueeze", "0 axes", "y", .attrs = NULL});
PARTS(gated_parts, {"Mul", "1 2", "gated", .attrs = NULL},
      {"Add", "0 gated", "y", .attrs = NULL});
PARTS(gather_parts, {"GatherND", "0 1", "y", .attrs = NULL});
PARTS(wide_parts, {"Cast", "0", "a", .attrs = to_int32},
      {"Cast", "1", "b", .attrs = to_int32},
      {"MatMul", "a b", "y", .attrs = NULL});
PARTS(pad_parts, {"Constant", "", "flat", .attrs = flat},
      {"Reshape", "1 flat", "pads", .attrs = NULL},
      {"Pad", "0 pads 2", "y", .takes_attrs = true});
PARTS(range_parts, {"Range", "0 1 2", "y", .attrs = NULL});
PARTS(range_short, {"Constant", "", "one", .attrs = one},
      {"CastLike", "one 0", "delta", .attrs = NULL},
      {"Range", "0 1 delta", "y", .attrs = NULL});
PARTS(trilu_parts, {"Trilu", "0 1", "y", .takes_attrs = true});
PARTS(unique_parts, {"Unique", "0", "y _ idx counts", .attrs = unsorted});
PARTS(where_parts, {"DequantizeLinear", "1 2 3", "x", .attrs = NULL},
      {"DequantizeLinear", "4 5 6", "z", .attrs = NULL},
      {"Where", "0 x z", "w", .attrs = NULL},
      {"QuantizeLinear", "w 7 8", "y", .attrs = NULL});
PARTS(attention_parts, {"DequantizeLinear", "0 3 6", "x", .attrs = NULL},
      {"DequantizeLinear", "1 4 7", "w", .attrs = NULL},
      {"com.microsoft.Attention", "x w 2 5 8", "y present",
       .takes_attrs = true});
PARTS(embed_parts, {"DequantizeLinear", "2 8 13", "words", .attrs = NULL},
      {"DequantizeLinear", "3 9 14", "places", .attrs = NULL},
      {"DequantizeLinear", "4 10 15", "segments", .attrs = NULL},
      {"DequantizeLinear", "5 11 16", "gamma", .attrs = NULL},
      {"DequantizeLinear", "6 12 17", "beta", .attrs = NULL},
      {"com.microsoft.EmbedLayerNormalization",
       "0 1 words places segments gamma beta 7", "y m", .takes_attrs = true});
PARTS(embed_short, {"DequantizeLinear", "2 8 13", "words", .attrs = NULL},
      {"DequantizeLinear", "3 9 14", "places", .attrs = NULL},
      {"DequantizeLinear", "5 11 16", "gamma", .attrs = NULL},
      {"DequantizeLinear", "6 12 17", "beta", .attrs = NULL},
      {"com.microsoft.EmbedLayerNormalization",
       "0 _ words places _ gamma beta 7", "y m", .takes_attrs = true});

/* Whether the attribute "metric" of "node" is "wanted". */
static bool has_metric(const lpi_node *node, const char *wanted)
{
    const lpi_attr *attr = lpi_node_attr(node, "metric");

    return attr != NULL && attr->kind == LPI_ATTR_STRING &&
           strcmp(attr->s, wanted) == 0;
}

/* The attributes of "node", with a NULL name behind them. */
static const lpi_attr *own_attrs(const lpi_node *node)
{
    int32_t count = node->layer->attrs_count;
    lpi_attr *attrs = LPI_NEW(node->model->arena, lpi_attr, count + 1);

    if (attrs != NULL && count > 0)
        memcpy(attrs, node->layer->attrs, (size_t)count * sizeof(*attrs));
    return attrs;
}

static lp_status composed_settle(lpi_node *node)
{
    const composed_facts *facts = node->layer->row->facts;
    const lpi_attr *own = own_attrs(node);
    const part *at = facts->parts;
    lpi_define d = lpi_define_begin(node);

    if (own == NULL)
        return lpi_node_fail_memory(node);
    if (facts->without != NULL && lpi_in(node, facts->optional) == NULL)
        at = facts->without;
    for (; at->op != NULL; at++)
        lpi_define_layer(&d,
                         at->only != NULL && !has_metric(node, at->only)
                             ? "Identity"
                             : at->op,
                         at->in, at->out, at->takes_attrs ? own : at->attrs);
    return lpi_define_end(&d, facts->out);
}

/* NhwcMaxPool is MaxPool between two turns of the channels. */
static lp_status nhwc_settle(lpi_node *node)
{
    int32_t rank = lpi_in_shape(node, 0).rank;
    const lpi_attr *own = own_attrs(node);
    int64_t *to = lpi_node_dims(node, rank), *back = lpi_node_dims(node, rank);
    lpi_define d;

    if (rank < 3)
        return rank < 0 ? LP_OK : lpi_node_fail(node, "input of rank %d", rank);
    if (to == NULL || back == NULL || own == NULL)
        return lpi_node_fail_memory(node);
    to[0] = back[0] = 0;
    to[1] = rank - 1;
    back[rank - 1] = 1;
    for (int32_t i = 1; i < rank - 1; i++) {
        to[i + 1] = i;
        back[i] = i + 1;
    }
    const lpi_list first = {.count = rank, .ints = to};
    const lpi_list last = {.count = rank, .ints = back};
    d = lpi_define_begin(node);
    lpi_define_layer(&d, "Transpose", "0", "x",
                     LPI_ATTRS(LPI_GIVE_INTS("perm", first)));
    lpi_define_layer(&d, "MaxPool", "x", "pooled", own);
    lpi_define_layer(&d, "Transpose", "pooled", "y",
                     LPI_ATTRS(LPI_GIVE_INTS("perm", last)));
    return lpi_define_end(&d, "y");
}

static lp_status nhwc_shape(lpi_node *node)
{
    return node->layer->definition != NULL ? lpi_defined_shape(node)
                                           : lpi_out_as(node, 0, 0);
}

#define COMPOSED(name_, least, most, outputs, out_, ...)                       \
    .domain = "com.microsoft", .name = name_, .since = 1, .inputs_min = least, \
    .inputs_max = most, .outputs_min = 1, .outputs_max = outputs,              \
    .facts = &(const composed_facts){.out = out_, __VA_ARGS__},                \
    .settle = composed_settle, .shape = lpi_defined_shape,                     \
    .cost = lpi_defined_cost

#define CONTRIB "opset 17; opset com.microsoft 1; "

const lp_op lpi_ops_composed[] = {
    {COMPOSED("CDist", 2, 2, 1, "y", .parts = cdist_parts),
     .samples = CONTRIB "input a: float32[3, 4]; input b: float32[5, 4]; y = "
                        "com.microsoft.CDist(a, b) {metric: \"euclidean\"}; "
                        "output y"},
    {COMPOSED("ExpandDims", 2, 2, 1, "y", .parts = expand_parts), .roles = "di",
     .samples = CONTRIB "input x: float32[3, 4]; weight a: int32[] = {-1}; y = "
                        "com.microsoft.ExpandDims(x, a); output y"},
    {COMPOSED("GatedAdd", 3, 3, 1, "y", .parts = gated_parts),
     .samples = CONTRIB "input x: float32[3, 4]; input z: float32[3, 4]; input "
                        "g: float32[3, 1]; y = com.microsoft.GatedAdd(x, z, "
                        "g); output y"},
    {COMPOSED("GatherND", 2, 2, 1, "y", .parts = gather_parts), .roles = "di",
     .samples = CONTRIB "input x: float32[3, 4]; input i: int64[5, 1]; y = "
                        "com.microsoft.GatherND(x, i); output y"},
    {COMPOSED("MatMulInteger16", 2, 2, 1, "y", .parts = wide_parts),
     .samples = CONTRIB "input a: int16[3, 4]; input b: int16[4, 5]; y = "
                        "com.microsoft.MatMulInteger16(a, b); output y"},
    {.domain = "com.microsoft",
     .name = "NhwcMaxPool",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .settle = nhwc_settle,
     .shape = nhwc_shape,
     .cost = lpi_defined_cost,
     .samples = CONTRIB "input x: uint8[1, 8, 8, 3]; y = "
                        "com.microsoft.NhwcMaxPool(x) {kernel_shape: [2, 2], "
                        "strides: [2, 2]}; output y"},
    {COMPOSED("Pad", 2, 3, 1, "y", .parts = pad_parts), .roles = "did",
     .samples = CONTRIB "input x: float32[3, 4]; weight p: int64[4] = {0, 1, "
                        "2, 0}; y = com.microsoft.Pad(x, p) {mode: "
                        "\"constant\"}; output y"},
    {COMPOSED("QAttention", 5, 9, 2, "y present", .parts = attention_parts),
     .roles = "dwdssizzd", .flags = LPI_GAPS,
     .samples = CONTRIB
     "input x: uint8[2, 3, 8]; weight w: uint8[8, 24]; weight b: float32[24]; "
     "weight s: float32[] = {0.5}; y = com.microsoft.QAttention(x, w, b, s, s) "
     "{num_heads: 4}; output y"},
    {COMPOSED("QEmbedLayerNormalization", 13, 18, 2, "y m",
              .parts = embed_parts, .without = embed_short, .optional = 4),
     .roles = "iiwwwwwisssssz", .flags = LPI_GAPS,
     .samples = CONTRIB
     "input i: int32[2, 3]; weight w: uint8[50, 4]; weight p: uint8[16, 4]; "
     "weight g: uint8[4]; weight s: float32[] = {0.5}; weight z: uint8[] = "
     "{3}; y, m = com.microsoft.QEmbedLayerNormalization(i, _, w, p, _, g, g, "
     "_, s, s, _, s, s, z, z, _, z, z); output y; output m"},
    {COMPOSED("QLinearWhere", 9, 9, 1, "y", .parts = where_parts),
     .roles = "dwszwszsz",
     .samples = CONTRIB
     "input c: bool[3, 4]; input a: uint8[3, 4]; input b: uint8[4]; weight s: "
     "float32[] = {0.5}; weight z: uint8[] = {3}; y = "
     "com.microsoft.QLinearWhere(c, a, s, z, b, s, z, s, z); output y"},
    {COMPOSED("Range", 2, 3, 1, "y", .parts = range_parts,
              .without = range_short, .optional = 2),
     .roles = "i",
     .samples = CONTRIB "weight a: int64[] = {2}; weight b: int64[] = {9}; "
                        "input x: int64[7]; r = com.microsoft.Range(a, b); y = "
                        "Add(x, r); output y"},
    {COMPOSED("Trilu", 1, 2, 1, "y", .parts = trilu_parts), .roles = "di",
     .samples = CONTRIB "input x: float32[3, 4]; y = com.microsoft.Trilu(x) "
                        "{upper: 0}; output y"},
    {COMPOSED("Unique", 1, 1, 3, "y idx counts", .parts = unique_parts),
     .samples = CONTRIB "input x: float32[6]; y, i, n = "
                        "com.microsoft.Unique(x); output y; output i; output "
                        "n"},
    {.name = NULL},
};
