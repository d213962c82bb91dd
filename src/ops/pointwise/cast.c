/* cast.c: Cast, CastLike, BitCast.
 *
 * Rounds once: doubles go to the narrow floats by way of floats rounded to odd.
 * Integers keep their low bits, floats truncate toward zero on the way to
 * integers, all but 0 is true.  Texts are cast in casttext.c.  Source: ONNX
 * operators Cast-28 (tables of the description), BitCast-26. */
#include <string.h>

#include "../ops.h"

enum { BLOCK = 256 };

typedef struct cast {
    int64_t to;
    int64_t saturate;
    const char *round_mode;
    lpi_round round; /* set by settle */
} cast;

/* Cast-1 has the name of the dtype, in capitals. */
static const struct {
    const char *name;
    lp_dtype dtype;
} names[] = {
    {"FLOAT", LP_FLOAT32},
    {"UINT8", LP_UINT8},
    {"INT8", LP_INT8},
    {"UINT16", LP_UINT16},
    {"INT16", LP_INT16},
    {"INT32", LP_INT32},
    {"INT64", LP_INT64},
    {"STRING", LP_STRING},
    {"BOOL", LP_BOOL},
    {"FLOAT16", LP_FLOAT16},
    {"DOUBLE", LP_FLOAT64},
    {"UINT32", LP_UINT32},
    {"UINT64", LP_UINT64},
    {"COMPLEX64", LP_COMPLEX64},
    {"COMPLEX128", LP_COMPLEX128},
};

/* The dtype that the attribute "to" of "node" names. */
static lp_status decode_to(const lpi_node *node, int64_t *ret_to)
{
    const lpi_attr *attr = lpi_node_attr(node, "to");
    int32_t i;

    if (!attr)
        return lpi_node_fail(node, "lacks the attribute 'to'");
    if (attr->kind == LPI_ATTR_INT) {
        if (attr->i <= LP_UNDEFINED || attr->i >= LP_DTYPE_COUNT)
            return lpi_node_fail(node, "no dtype has the number %lld",
                                 (long long)attr->i);
        *ret_to = attr->i;
        return LP_OK;
    }
    for (i = 0; i < LPI_COUNT(names) && attr->kind == LPI_ATTR_STRING; i++)
        if (!strcmp(attr->s, names[i].name)) {
            *ret_to = names[i].dtype;
            return LP_OK;
        }
    return lpi_node_fail(node, "attribute 'to' names no dtype");
}

static lp_status like_settle(lpi_node *node)
{
    static const struct {
        const char *name;
        lpi_round round;
    } modes[] = {{"up", LPI_UP}, {"down", LPI_DOWN}, {"nearest", LPI_NEAREST}};
    cast *p = (cast *)node->params;
    int32_t i;

    for (i = 0; i < LPI_COUNT(modes); i++)
        if (!strcmp(p->round_mode, modes[i].name)) {
            p->round = modes[i].round;
            return LP_OK;
        }
    return lpi_node_fail(node, "round_mode is '%.40s'", p->round_mode);
}

static lp_status cast_settle(lpi_node *node)
{
    LP_TRY(decode_to(node, &((cast *)node->params)->to));
    return like_settle(node);
}

static lp_status cast_shape(lpi_node *node)
{
    const cast *p = node->params;

    return lpi_out_set_shape(node, 0, (lp_dtype)p->to, lpi_in_shape(node, 0));
}

static lp_status like_shape(lpi_node *node)
{
    return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 1),
                             lpi_in_shape(node, 0));
}

static lp_status bits_settle(lpi_node *node)
{
    return decode_to(node, &((cast *)node->params)->to);
}

static lp_status bits_shape(lpi_node *node)
{
    lp_dtype from = lpi_in_dtype(node, 0);
    lp_dtype to = (lp_dtype)((const cast *)node->params)->to;

    if (from != LP_UNDEFINED && lp_dtype_bits(from) != lp_dtype_bits(to))
        return lpi_node_fail(node, "%s and %s differ in width",
                             lp_dtype_name(from), lp_dtype_name(to));
    return cast_shape(node);
}

/* A conversion an element, none when the dtype stays. */
static void cast_cost(const lpi_node *node, lp_cost *cost)
{
    if (lpi_in_dtype(node, 0) != lpi_out(node, 0)->dtype)
        lpi_cost_arith(cost, LP_ROUND, lpi_out_elements(node, 0));
}

/* Only the dtype of the second operand matters. */
static void like_cost(const lpi_node *node, lp_cost *cost)
{
    lpi_cost_part(node, cost, 1, 0);
    cast_cost(node, cost);
}

/* A block of values of one class. */
typedef union block {
    float f32[BLOCK];
    double f64[BLOCK];
    int64_t i64[BLOCK];
    uint64_t u64[BLOCK];
} block;

static void truths(lpi_class class, const block *from, int64_t count, block *to)
{
    int64_t i;

    for (i = 0; i < count; i++)
        to->i64[i] = class == LPI_F32   ? from->f32[i] != 0
                     : class == LPI_F64 ? from->f64[i] != 0
                                        : from->u64[i] != 0;
}

/* The values "from" of "class" as floats for a dtype narrower than float32. */
static void narrow(lpi_class class, const block *from, int64_t count, block *to)
{
    block wide;

    if (class == LPI_F32) {
        memcpy(to->f32, from->f32, (size_t)count * sizeof(float));
        return;
    }
    lpi_convert(class, from, LPI_F64, &wide, count);
    lpi_narrow(wide.f64, to->f32, count);
}

/* Cast "count" elements, at most a block, from "first" on. */
static void cast_block(const lpi_run *run, int64_t first, int64_t count)
{
    const cast *p = run->node->params;
    lp_dtype from = lpi_in_dtype(run->node, 0);
    lp_dtype to = lpi_out(run->node, 0)->dtype;
    lpi_class class = lpi_class_of(from), to_class = lpi_class_of(to);
    lpi_target target = {to, p->saturate != 0, p->round};
    block in, out;

    lpi_unpack(from, run->in[0], first, count, &in);
    if (to == LP_BOOL)
        truths(class, &in, count, &out);
    else if (to_class == LPI_F32 && to != LP_FLOAT32)
        narrow(class, &in, count, &out);
    else
        lpi_convert(class, &in, to_class, &out, count);
    if (to_class == LPI_F32)
        lpi_pack_as(&target, out.f32, first, count, run->out[0]);
    else
        lpi_pack(to, &out, first, count, run->out[0]);
}

/* Elements [from, to), bytes too, as float32, float16 or bfloat16. */
static void cast_singles(const void *context, int64_t from, int64_t to)
{
    const lpi_run *run = context;
    const lpi_isa *isa = lpi_run_team(run).isa;
    block wide;

    for (; from < to; from += BLOCK) {
        int64_t some = to - from < BLOCK ? to - from : BLOCK;

        lpi_load_floats(isa, lpi_in(run->node, 0)->dtype, run->in[0], from,
                        some, wide.f32);
        lpi_store_floats(isa, lpi_out(run->node, 0)->dtype, wide.f32, from,
                         some, run->out[0]);
    }
}

static lp_status cast_run(const lpi_run *run)
{
    lp_dtype from = lpi_in_dtype(run->node, 0);
    lp_dtype to = lpi_out(run->node, 0)->dtype;
    int64_t count = lpi_out_elements(run->node, 0), done, some;

    if (from == LP_STRING || to == LP_STRING)
        return lpi_cast_texts_run(run);
    if (from == to)
        return lpi_run_view(run);
    if (lpi_class_of(from) == LPI_NO_CLASS)
        return lpi_run_refuse(run, from);
    if (lpi_class_of(to) == LPI_NO_CLASS)
        return lpi_run_refuse(run, to);
    if ((lpi_is_single(from) || from == LP_UINT8 || from == LP_INT8 ||
         from == LP_BOOL) &&
        lpi_is_single(to)) {
        lpi_run_share(run, count, count, cast_singles, run);
        return LP_OK;
    }
    for (done = 0; done < count; done += some) {
        some = count - done < BLOCK ? count - done : BLOCK;
        cast_block(run, done, some);
    }
    return LP_OK;
}

static lp_status cast_tile(const lpi_node *node, const lpi_box *out,
                           lpi_box *in, void *params)
{
    (void)node;
    (void)params;
    in[0] = *out;
    return LP_OK;
}

static const lpi_spec cast_specs[] = {
    LPI_SPEC_INT(cast, saturate, 1),
    LPI_SPEC_STRING(cast, round_mode, "up"),
    {0},
};

const lp_op lpi_ops_cast[] = {
    {.domain = "",
     .name = "Cast",
     .since = 1,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(cast),
     .specs = cast_specs,
     .settle = cast_settle,
     .shape = cast_shape,
     .cost = cast_cost,
     .run = cast_run,
     .tile = cast_tile,
     .flags = LPI_MONOTONE | LPI_BUNDLES,
     .samples = "input x: float32[2, 3]; y = Cast(x) {to: 10}; output y\n---\n"
                "opset 5; input x: float32[2]; y = Cast(x) {to: \"INT64\"}; "
                "output y\n---\n"
                "input x: float32[4]; y = Cast(x) {to: 17, saturate: 0}; "
                "output y"},
    {.domain = "",
     .name = "CastLike",
     .since = 15,
     .inputs_min = 2,
     .inputs_max = 2,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(cast),
     .specs = cast_specs,
     .settle = like_settle,
     .shape = like_shape,
     .cost = like_cost,
     .run = cast_run,
     .flags = LPI_MONOTONE | LPI_BUNDLES,
     .samples = "input x: float32[2, 3]; input t: float16[1]; "
                "y = CastLike(x, t); output y"},
    {.domain = "",
     .name = "BitCast",
     .since = 26,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(cast),
     .settle = bits_settle,
     .shape = bits_shape,
     .run = lpi_run_view,
     .flags = LPI_VIEW,
     .samples = "opset 26; input x: float32[2]; y = BitCast(x) {to: 6}; "
                "output y"},
    {0},
};
