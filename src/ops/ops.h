/* ops.h: one operator = one row.
 *
 * A row says all that lplan knows of an operator: attributes, shapes, cost,
 * how it computes.  Rows stand in families, a table a file; ops.def lists the
 * families.  A new operator of a family is one row and its functions in one
 * file. */
#ifndef LPI_OPS_H
#define LPI_OPS_H

#include "../graph/graph.h"
#include "../kernel/kernel.h"

typedef struct lp_op lp_op;

/* What the hooks of a row see. */
typedef struct lpi_node {
    lp_model *model;
    lp_layer *layer;
    const void *params; /* the row's struct; writable in settle */
    const struct lpi_context *context; /* NULL in cost */
    lp_error *error;                   /* where lpi_node_fail writes */
    bool is_bound;         /* shape: set when the outputs are upper bounds */
    lp_row_status *status; /* cost: may be made worse (bodies) */
} lpi_node;

/* What one settling of a model shares. */
typedef struct lpi_context {
    const lp_load_options *options; /* never NULL */
    const lpi_map *rows;    /* "domain.name" to a position in the list */
    const lp_op **list;     /* of all rows */
    const lpi_map *symbols; /* names of dimensions to their values */
    lpi_arena *scratch;     /* emptied after every layer */
} lpi_context;

/* An attribute a row decodes into its struct.  Lists become an lpi_list.
 * A required attribute that is absent, or one of a wrong kind, is an error;
 * one that no spec names is ignored. */
typedef struct lpi_list {
    int64_t count;
    union {
        const int64_t *ints;
        const float *floats;
        const char *const *strings;
    };
} lpi_list;

typedef struct lpi_spec {
    const char *name;
    lpi_attr_kind kind; /* FLOAT: float; INT: int64_t; STRING: const char *;
                           TENSOR: lp_tensor *; BODY: lp_model *;
                           lists: lpi_list */
    size_t offset;
    bool required;
    int64_t i; /* defaults */
    float f;
    const char *s;
} lpi_spec;

/* Whole tensors for a run: contiguous buffers in storage form. */
typedef struct lpi_run {
    const lpi_node *node;
    const void *const *in; /* as the layer's inputs; NULL: absent */
    void *const *out;      /* as the layer's outputs; NULL: absent */
    lpi_arena *scratch;
} lpi_run;

enum {
    LPI_VIEW = 1,     /* output 0 holds the bytes of input 0, in their order */
    LPI_IMPURE = 2,   /* random: two runs differ */
    LPI_MONOTONE = 4, /* upper bounds in give upper bounds out */
    LPI_OF_SHAPE = 8, /* reads the shape of its input, not its content */
    LPI_GAPS = 16,    /* inputs below inputs_min may be absent */
};

struct lp_op {
    const char *domain, *name;
    int32_t since; /* oldest opset whose form settle understands */
    int16_t inputs_min, inputs_max;   /* -1: no limit */
    int16_t outputs_min, outputs_max; /* -1: no limit */

    /* A letter an input (the last repeats): d data (the default), w weight
     * elements whatever their dtype, s scale, z zero point, i indices, shapes
     * and other arguments.  NULL: all d.  Float initializers count as
     * parameters everywhere but in s and z, integer ones in w only. */
    const char *roles;

    size_t params_size;
    const lpi_spec *specs; /* ends with a NULL name */
    const void *facts;     /* what shared functions must know of this row */

    /* Bring the forms of older opsets to the newest: an axes attribute becomes
     * the operand (lpi_node_add_ints), and so on.  NULL: nothing to do. */
    lp_status (*settle)(lpi_node *node);

    /* Give every output its dtype and shape (lpi_out_set).  What cannot be
     * known stays unknown, LP_OK; a contradiction is lpi_node_fail. */
    lp_status (*shape)(lpi_node *node);

    /* Add MACs and arithmetic to "cost", and correct the bytes that are in it
     * already (inputs and outputs whole) where less is touched.  All shapes
     * are known.  NULL: only bytes move. */
    void (*cost)(const lpi_node *node, lp_cost *cost);

    /* Compute the outputs, whose shapes are set.  NULL: cannot be run. */
    lp_status (*run)(const lpi_run *run);

    /* Elements that input "input", a weight tensor of layer "node", stands
     * for, where they are packed into elements of a wider dtype (MatMulNBits);
     * -1: as many as the tensor has.  NULL: never packed. */
    int64_t (*weight_elements)(const lpi_node *node, int32_t input);

    uint32_t flags;
    const char *samples; /* small models in the text form, split by "---" */
};

/* Specs: the attribute has the name of the field of "type" it goes to. */
#define LPI_SPEC_INT(type, field, value)                                       \
    {                                                                          \
        .name = #field, .kind = LPI_ATTR_INT, .offset = offsetof(type, field), \
        .i = (value)                                                           \
    }
#define LPI_SPEC_FLOAT(type, field, value)                                     \
    {                                                                          \
        .name = #field, .kind = LPI_ATTR_FLOAT,                                \
        .offset = offsetof(type, field), .f = (value)                          \
    }
#define LPI_SPEC_STRING(type, field, value)                                    \
    {                                                                          \
        .name = #field, .kind = LPI_ATTR_STRING,                               \
        .offset = offsetof(type, field), .s = (value)                          \
    }
#define LPI_SPEC_LIST(type, field, attr_kind)                                  \
    {                                                                          \
        .name = #field, .kind = (attr_kind), .offset = offsetof(type, field)   \
    }
#define LPI_SPEC_NEEDED(type, field, attr_kind)                                \
    {                                                                          \
        .name = #field, .kind = (attr_kind), .offset = offsetof(type, field),  \
        .required = true                                                       \
    }

/* ---- families --------------------------------------------------------- */

/* Each array ends with a NULL name. */
#define LPI_FAMILY(family) extern const lp_op lpi_ops_##family[];
#include "ops.def"
#undef LPI_FAMILY

/* All families, NULL-terminated. */
extern const lp_op *const lpi_families[];

/* ---- node.c: what hooks call ------------------------------------------- */

/* Input or output "i", NULL when absent. */
lp_tensor *lpi_in(const lpi_node *node, int32_t i);
lp_tensor *lpi_out(const lpi_node *node, int32_t i);

/* Shape, and dtype, of input "i"; unknown when absent. */
lp_shape lpi_in_shape(const lpi_node *node, int32_t i);
lp_dtype lpi_in_dtype(const lpi_node *node, int32_t i);
lp_shape lpi_out_shape(const lpi_node *node, int32_t i);

/* Elements of input or output "i"; 0 when absent or unknown (for costs). */
int64_t lpi_in_elements(const lpi_node *node, int32_t i);
int64_t lpi_out_elements(const lpi_node *node, int32_t i);

/* The content of input "i" as integers, in the arena of the model: true and
 * "*ret_list" when it is present and known (floats are truncated).  Marks the
 * node as bound when the content is only an upper bound. */
bool lpi_in_ints(lpi_node *node, int32_t i, lpi_list *ret_list);

/* The same as floats. */
bool lpi_in_floats(lpi_node *node, int32_t i, lpi_list *ret_list);

/* Set the type of output "i" (no effect when it is absent).  Checks that
 * dimensions are -1 or more and that their product and bytes fit. */
lp_status lpi_out_set(lpi_node *node, int32_t i, lp_dtype dtype, int32_t rank,
                      const int64_t *dims);

/* The same with a shape. */
lp_status lpi_out_set_shape(lpi_node *node, int32_t i, lp_dtype dtype,
                            lp_shape shape);

/* LP_EINPUT that names the layer. */
lp_status lpi_node_fail(const lpi_node *node, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));
lp_status lpi_node_fail_memory(const lpi_node *node);

/* Why the cost of this layer is an estimate, or not known. */
void lpi_node_note(const lpi_node *node, const char *note);

/* In settle: make input "i" (which must be absent) a constant. */
lp_status lpi_node_add_ints(lpi_node *node, int32_t i, const int64_t *values,
                            int64_t count);
lp_status lpi_node_add_floats(lpi_node *node, int32_t i, const float *values,
                              int64_t count);

/* The raw attribute called "name", or NULL: for settle. */
const lpi_attr *lpi_node_attr(const lpi_node *node, const char *name);

/* Memory in the arena of the model; NULL without. */
int64_t *lpi_node_dims(const lpi_node *node, int64_t count);

/* "axis" counted from the end when negative; false when out of [0, rank). */
bool lpi_axis(int64_t axis, int32_t rank, int64_t *ret_axis);

/* Class of the product of inputs "a" and "b": the field of "cost" to add to:
 * linear when one of them is a weight, else attention. */
int64_t *lpi_product_class(const lpi_node *node, int32_t a, int32_t b,
                           lp_cost *cost);

/* Multidirectional broadcast of "a" and "b" into "ret_shape"; an unknown
 * operand gives an unknown result; false when they do not match. */
bool lpi_broadcast(const lpi_node *node, lp_shape a, lp_shape b,
                   lp_shape *ret_shape);

/* ---- decode.c ----------------------------------------------------------- */

/* Decode the attributes of "node" into its row's struct and settle it. */
lp_status lpi_node_decode(lpi_node *node);

/* ---- settle.c, infer.c
 * ------------------------------------------------------------ */

/* Settle "model": bind the dimensions of "options", decode, infer, fold. */
lp_status lpi_model_settle(lp_model *model, const lp_load_options *options,
                           lp_error *error);

/* Infer the layers of "model", whose inputs have their types. */
lp_status lpi_model_infer(lp_model *model, const lpi_context *context,
                          lp_error *error);

/* For rows with bodies, which also set is_static, is_weight, value and
 * stored_bytes of their outputs themselves (all others have them set from
 * their inputs): infer "body" once its inputs have been given types
 * (lpi_body_bind).  Captures are bound here. */
lp_status lpi_body_infer(const lpi_node *node, lp_model *body);

/* Give input "i" of "body" the dtype, shape and, when "with_value", the
 * content of "from". */
void lpi_body_bind(lp_model *body, int32_t i, const lp_tensor *from,
                   lp_shape shape, bool with_value);

/* ---- cost.c ---------------------------------------------------------------
 */

/* Largest number of elements whose content is folded. */
enum { LPI_FOLD_MOST = 4096 };

/* The cost of "layer": bytes of activations and static operands read and
 * written, MACs and arithmetic by its row.  Weights are not charged here.
 * LP_EINPUT when a count overflows. */
lp_status lpi_layer_cost(const lp_model *model, const lp_layer *layer,
                         lp_cost *ret_cost, lp_row_status *ret_status,
                         lp_error *error);

/* Sum of the costs of the listed layers of a body. */
lp_status lpi_model_cost(const lp_model *model, lp_cost *ret_cost,
                         lp_row_status *ret_status, lp_error *error);

void lpi_cost_add(lp_cost *sum, const lp_cost *more);
void lpi_cost_scale(lp_cost *cost, int64_t factor);

/* ---- rows.c: small things that many rows share --------------------------- */

/* Operations for one element, by kind: {{[LP_ADD] = 1}}. */
typedef struct lpi_each {
    int16_t n[LP_ARITH_COUNT];
} lpi_each;

/* Add "count" operations, or "each" for each of "elements", to "cost". */
void lpi_cost_arith(lp_cost *cost, lp_arith kind, int64_t count);
void lpi_cost_each(lp_cost *cost, const lpi_each *each, int64_t elements);

/* Give output "i" the dtype and the shape of input "from". */
lp_status lpi_out_as(lpi_node *node, int32_t i, int32_t from);

/* The whole shape function of rows whose one output is as their input 0. */
lp_status lpi_shape_as_first(lpi_node *node);

/* "a" and "b" are one dimension: the known one of both, -1 when neither is;
 * LP_EINPUT, naming "what", when they differ. */
lp_status lpi_dim_same(const lpi_node *node, const char *what, int64_t a,
                       int64_t b, int64_t *ret_dim);

/* Product of dimensions [from, to) of "shape"; -1 when one is not known. */
int64_t lpi_dims_product(lp_shape shape, int64_t from, int64_t to);

/* Product of two dimensions either of which may be -1: then -1. */
int64_t lpi_dim_mul(int64_t a, int64_t b);

/* Shape of the product of matrices "a" and "b" as numpy.matmul makes it:
 * batch dimensions broadcast, vectors lose theirs.  "*ret_k" is the length of
 * the sum.  LP_EINPUT when they do not match. */
lp_status lpi_matmul_shape(const lpi_node *node, lp_shape a, lp_shape b,
                           lp_shape *ret_shape, int64_t *ret_k);

/* ---- window.c: sliding windows (convolution, pooling) -------------------- */

typedef struct lpi_window {
    lpi_list kernel_shape, strides, pads, dilations;
    lpi_list output_padding, output_shape; /* transposed ones */
    const char *auto_pad;
    int64_t ceil_mode, group;
} lpi_window;

/* Specs of a struct whose first field is an lpi_window. */
#define LPI_WINDOW_SPECS                                                       \
    LPI_SPEC_LIST(lpi_window, kernel_shape, LPI_ATTR_INTS),                    \
        LPI_SPEC_LIST(lpi_window, strides, LPI_ATTR_INTS),                     \
        LPI_SPEC_LIST(lpi_window, pads, LPI_ATTR_INTS),                        \
        LPI_SPEC_LIST(lpi_window, dilations, LPI_ATTR_INTS),                   \
        LPI_SPEC_STRING(lpi_window, auto_pad, "NOTSET")

/* Extents of the result of sliding a window of extents "kernel" over the
 * spatial extents "in" (-1: unknown, passed on) into "out", which has room
 * for in.rank of them.  LP_EINPUT for attributes that contradict. */
lp_status lpi_window_slide(const lpi_node *node, const lpi_window *window,
                           lp_shape in, const int64_t *kernel, int64_t *out);

/* The same backwards: extents of the result of a transposed convolution. */
lp_status lpi_window_spread(const lpi_node *node, const lpi_window *window,
                            lp_shape in, const int64_t *kernel, int64_t *out);

/* ---- attention.c: what the attention operators share -----------------------
 */

/* One attention: every query looks at all keys, those of the past included.
 * -1: not known. */
typedef struct lpi_attention {
    int64_t batch, q_heads, kv_heads;
    int64_t queries, keys;
    int64_t key_size, value_size; /* of one head */
    bool has_bias, has_softcap;
} lpi_attention;

/* Add the two products, the softmax between them, scale, bias and cap. */
void lpi_attention_cost(lp_cost *cost, const lpi_attention *attention);

/* Set output "i" to the shape of the scores, dtype "dtype". */
lp_status lpi_attention_scores(lpi_node *node, int32_t i, lp_dtype dtype,
                               const lpi_attention *attention);

/* Set output "i" to keys or values of "length" positions, a head being of
 * "size", dtype "dtype". */
lp_status lpi_attention_cache(lpi_node *node, int32_t i, lp_dtype dtype,
                              const lpi_attention *attention,
                              const int64_t length_and_size[2]);

/* "hidden" elements make "heads" heads: the size of one (-1 unknown), or
 * LP_EINPUT. */
lp_status lpi_attention_head(const lpi_node *node, int64_t hidden,
                             int64_t heads, int64_t *ret_size);

/* ---- branch.c: bodies ------------------------------------------------------
 */

/* Make "cost" that of "times" runs of "body", the status of "node" the worst
 * of its layers. */
void lpi_body_cost(const lpi_node *node, const lp_model *body, int64_t times,
                   lp_cost *cost);

/* Give output "i" of "node" the type of "from", an output of a body, with the
 * shape "shape". */
lp_status lpi_out_body(lpi_node *node, int32_t i, const lp_tensor *from,
                       lp_shape shape);

/* ---- states.c: the states of Loop and Scan ----------------------------------
 */

/* The states that a body carries from one iteration to the next: "count" of
 * them, from input "in" of the layer on, which are inputs of the body from
 * "body_in" and outputs from "body_out" on.  "lead" dimensions in front belong
 * to the layer alone (the batch of Scan-8). */
typedef struct lpi_states {
    lp_model *body;
    int32_t count, in, body_in, body_out, lead;
    lp_shape *shapes; /* set by lpi_states_infer: those that last */
} lpi_states;

/* Whether output "out" of "body" is its input "in", unchanged. */
bool lpi_body_passes(const lp_model *body, int64_t out, int64_t in);

/* LP_EINPUT when the body has other than "inputs" inputs, or fewer than
 * "outputs" outputs. */
lp_status lpi_states_check(const lpi_node *node, const lp_model *body,
                           int64_t inputs, int64_t outputs);

/* Infer the body, whose other inputs are bound, until the shapes of its states
 * last; once only when "trips", if known, leave no second iteration. */
lp_status lpi_states_infer(lpi_node *node, lpi_states *states, int64_t trips);

/* Set output "i" of the layer, final state "i", with the shape "shape". */
lp_status lpi_states_out(lpi_node *node, const lpi_states *states, int32_t i,
                         lp_shape shape);

/* "shape" with the dimension "extent" put in at "axis" of the result. */
lp_status lpi_states_stack(const lpi_node *node, lp_shape shape, int64_t axis,
                           int64_t extent, lp_shape *ret_shape);

/* ---- operands.c: operands that say what to do, and parts of operands ------
 */

/* In settle: make the list of integers "attr", when the layer has it and not
 * the operand, input "i". */
lp_status lpi_node_take_ints(lpi_node *node, int32_t i, const char *attr);

/* In a run: the content of input "i", which must be there, as integers. */
lp_status lpi_run_ints(const lpi_run *run, int32_t i, lpi_list *ret_list);

/* "index" of an axis of "length", counted from the end when negative;
 * LP_EINPUT when it is out of range. */
lp_status lpi_index(const lpi_node *node, int64_t index, int64_t length,
                    int64_t *ret_index);

/* Set "ret_mask" of "rank" to true where "axes" (negative ones from the end)
 * point; an axis out of range or given twice is LP_EINPUT. */
lp_status lpi_axes_mask(const lpi_node *node, const lpi_list *axes,
                        int32_t rank, bool *ret_mask);

/* In a cost: only "elements" of input "i" are read, each once at most. */
void lpi_cost_part(const lpi_node *node, lp_cost *cost, int32_t i,
                   int64_t elements);

/* The cost of rows that read nothing of their inputs but the shape. */
void lpi_cost_unread(const lpi_node *node, lp_cost *cost);

/* In a run: values of "dtype" (strings, complex numbers) are not computed. */
lp_status lpi_run_refuse(const lpi_run *run, lp_dtype dtype);

/* The shape of some input is only an upper bound, so that dimensions which do
 * not fit are no contradiction: the larger one bounds them. */
bool lpi_in_bound(const lpi_node *node);

/* Some input holds integers, as shapes do, whose file is absent. */
bool lpi_in_absent(const lpi_node *node);

/* In a run: copy "count" elements of input "i", from element "from" on, to
 * element "to" of output 0. */
void lpi_run_copy(const lpi_run *run, int32_t i, int64_t to, int64_t from,
                  int64_t count);

/* The run of views: output 0 has the bytes of input 0. */
lp_status lpi_run_view(const lpi_run *run);

/* ---- pointwise.c: rows that compute one element at a time ------------------
 *
 * A row gives one function for each kind of number and its operands broadcast.
 * "x" has one value of each operand, "params" is the row's struct.  Floats of
 * all widths are computed in double and rounded once; integers wrap. */

typedef struct lpi_pointwise {
    double (*real)(const double *x, const void *params);
    double (*libm)(double x); /* instead of "real": one operand, no params */
    int64_t (*sint)(const int64_t *x, const void *params);
    uint64_t (*uint)(const uint64_t *x, const void *params);
    lpi_each each;   /* arithmetic of an element of the output */
    bool to_bool;    /* the output is bool, whatever the operands are */
    bool mixed;      /* the operands may have different dtypes */
    bool aligned;    /* the struct begins with an lpi_align */
    bool optional;   /* operands 1 and 2 may be absent */
    int8_t typed_by; /* the operand that gives its dtype to the output */
} lpi_pointwise;

/* How the second operand broadcast before opset 7: its first axis falls on
 * axis "axis" of the first operand; LPI_UNALIGNED: on the last, as today. */
typedef struct lpi_align {
    int64_t axis, broadcast;
} lpi_align;

#define LPI_UNALIGNED INT64_MIN

/* Hooks of such rows; lpi_align_settle for those with an lpi_align. */
lp_status lpi_align_settle(lpi_node *node);
lp_status lpi_pointwise_shape(lpi_node *node);
void lpi_pointwise_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_pointwise_run(const lpi_run *run);

/* Operands of lpi_pointwise_apply; bytes NULL: absent, the lowest value of all
 * for operand 1, the highest for operand 2 (Clip). */
typedef struct lpi_operand {
    lp_dtype dtype;
    lp_shape shape;
    const void *bytes;
} lpi_operand;

/* Fill output 0 of "run" with what "pointwise" makes of "count" operands
 * (three at most), which broadcast to its shape. */
lp_status lpi_pointwise_apply(const lpi_run *run,
                              const lpi_pointwise *pointwise,
                              const lpi_operand *operands, int32_t count);

/* ---- reduce.c: rows that reduce along axes ----------------------------------
 *
 * A row says how an accumulator takes the next element of its chain. */

/* The struct of such rows begins with it. */
typedef struct lpi_reduce {
    int64_t keepdims, noop_with_empty_axes;
} lpi_reduce;

/* Where an accumulator starts: the last two are the ends of the range of the
 * dtype (infinities for floats). */
typedef enum lpi_start {
    LPI_FROM_ZERO,
    LPI_FROM_ONE,
    LPI_FROM_LOWEST,
    LPI_FROM_HIGHEST,
} lpi_start;

/* How a row accumulates: "real" and its kin take the accumulator and the next
 * element, "finish" the accumulator and the number of elements. */
typedef struct lpi_chain {
    double (*real)(double sum, double x);
    int64_t (*sint)(int64_t sum, int64_t x);
    uint64_t (*uint)(uint64_t sum, uint64_t x);
    double (*finish)(double sum, double count);
    lpi_start start;
    bool shifted;          /* the largest x is taken from x and added at the end
                              (LogSumExp, whose exponents would overflow) */
    bool mean;             /* integers are divided by their number */
    lpi_each element;      /* prices: of an element of the input, */
    lpi_each joint;        /* of each element beyond the number of outputs, */
    lpi_each result;       /* of an element of the output */
    int32_t operand_since; /* the opset in which axes became an operand */
} lpi_chain;

lp_status lpi_reduce_settle(lpi_node *node);
lp_status lpi_reduce_shape(lpi_node *node);
void lpi_reduce_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_reduce_run(const lpi_run *run);

#endif
