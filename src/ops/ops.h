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

/* A part of a tensor: elements from[a] up to, not including, to[a] along each
 * axis; rank -1: an absent operand, or one that is needed whole. */
enum { LPI_RANKS = 8 };

typedef struct lpi_box {
    int32_t rank;
    int64_t from[LPI_RANKS], to[LPI_RANKS];
} lpi_box;

/* Whole tensors for a run: contiguous buffers in storage form.
 *
 * A sum may be computed in parts along its length, in ascending order (rows
 * with LPI_CHAINS, outputs of float32 or int32): "continues" says that output 0
 * holds the chains so far, "goes_on" that more will come, so that neither bias
 * nor activation is applied.
 *
 * An output whose tensor is bound (data-dependent) is written densely in its
 * real shape at the front of its buffer; its dimensions are stored in
 * "out_dims", which has room for the rank of its tensor. */
typedef struct lpi_run {
    const lpi_node *node;
    const void *const *in; /* as the layer's inputs; NULL: absent */
    void *const *out;      /* as the layer's outputs; NULL: absent */
    lpi_arena *scratch;
    const lpi_isa *isa; /* NULL: the best one */
    int32_t threads;    /* 0: one */
    bool continues, goes_on;
    int64_t *const *out_dims;   /* an array an output; NULL: not wanted.  Rows
                                   whose shapes do not depend on data leave it
                                   alone */
    const lpi_bundle **bundles; /* an element an output: results that are
                                   bundles, in the arena of the node's model
                                   (lpi_run_give); their "out" is NULL */
} lpi_run;

enum {
    LPI_VIEW = 1,      /* output 0 holds the bytes of input 0, in their order */
    LPI_IMPURE = 2,    /* random: two runs differ */
    LPI_MONOTONE = 4,  /* upper bounds in give upper bounds out */
    LPI_OF_SHAPE = 8,  /* reads the shape of its input, not its content */
    LPI_GAPS = 16,     /* inputs below inputs_min may be absent */
    LPI_IN_PLACE = 32, /* output 0 may lie where an input of its dtype and
                          shape lies: each element is read before written */
    LPI_CHAINS = 64,   /* understands lpi_run.continues and goes_on */
    LPI_BUNDLES = 128, /* operands or results may be bundles */
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

    /* Store in "in", an element an input, the box of each that box "out" of
     * output 0 needs, halo included and clipped to the tensor, and adapt
     * "params", a copy of the row's struct, so that the layer of these shapes
     * computes the same bytes.  NULL: the row runs whole only. */
    lp_status (*tile)(const lpi_node *node, const lpi_box *out, lpi_box *in,
                      void *params);

    /* Keep of the sum of each output element the terms from "range"[0] to
     * "range"[1], which is narrowed to their number: cut the boxes "in" that
     * "tile" gave (or whole ones) to what these need.  NULL: a sum is computed
     * at once. */
    lp_status (*split)(const lpi_node *node, int64_t range[2], lpi_box *in);

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

/* ---- families ----------------------------------------------------------- */

/* Each array ends with a NULL name. */
#define LPI_FAMILY(family) extern const lp_op lpi_ops_##family[];
#include "ops.def"
#undef LPI_FAMILY

/* All families, NULL-terminated. */
extern const lp_op *const lpi_families[];

/* ---- node.c: what hooks call -------------------------------------------- */

/* Input or output "i", NULL when absent, as for -1. */
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
 * operand gives an unknown result; false when they do not match.  Bounds that
 * do not match give the larger dimension. */
bool lpi_broadcast(const lpi_node *node, lp_shape a, lp_shape b,
                   lp_shape *ret_shape);

/* ---- decode.c ----------------------------------------------------------- */

/* Decode the attributes of "node" into its row's struct and settle it. */
lp_status lpi_node_decode(lpi_node *node);

/* ---- settle.c, infer.c -------------------------------------------------- */

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

/* Bytes of the operands of "layer", a tensor that stands there twice counted
 * once. */
int64_t lpi_operand_bytes(const lp_layer *layer);

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

/* ---- rows.c: small things that many rows share -------------------------- */

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
 * LP_EINPUT, naming "what", when they differ, the larger one when they are
 * bounds. */
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

/* ---- product.c, product8.c: runs of matrix products --------------------- */

typedef struct lpi_matmul {
    int64_t transA, transB, transBatchA, transBatchB;
    float alpha, beta, activation_alpha, activation_beta;
    const char *activation;
} lpi_matmul;

/* ---- activate.c --------------------------------------------------------- */

/* Apply the activation called "name" (NULL or empty: none), with parameters
 * "of", to "count" floats.  LP_EUNSUPPORTED for one that is not known. */
lp_status lpi_activate(const lpi_run *run, const char *name, const float of[2],
                       int64_t count, float *y);

/* What becomes of the sums of a product of 8-bit integers. */
typedef enum lpi_result8 {
    LPI_RESULT8_SUMS,
    LPI_RESULT8_QLINEAR,
    LPI_RESULT8_TO_FLOAT,
    LPI_RESULT8_DYNAMIC, /* A is quantized first */
    LPI_RESULT8_GEMM,
} lpi_result8;

/* Where the operands of a row stand (-1: none); the dtype of its result, or
 * the input it is taken from; operations for one element of it. */
typedef struct lpi_matmul_facts {
    lpi_result8 result8;
    int32_t b, bias, type_from;
    lp_dtype type;
    bool is_gemm;
    lpi_each each;
} lpi_matmul_facts;

enum { LPI_VIEW_AXES = 16 };

/* An operand as [batch..., rows, columns]: its axes and strides; batch axes
 * that are missing or repeat have stride 0.  "rank" counts the batch. */
typedef struct lpi_factor {
    int32_t rank;
    int64_t dims[LPI_VIEW_AXES], strides[LPI_VIEW_AXES];
    int64_t rows, columns, row, column; /* extents and strides */
} lpi_factor;

/* The operands of a matrix product, brought to the batch of its result. */
lp_status lpi_factors(const lpi_run *run, lpi_factor *ret_a, lpi_factor *ret_b);

/* Offset of batch "i" (row-major over the dims of "factor"). */
int64_t lpi_factor_at(const lpi_factor *factor, int64_t i);

lp_status lpi_matmul_run(const lpi_run *run);
lp_status lpi_matmul8_run(const lpi_run *run);
lp_status lpi_matmul_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* "split" of matrix products: their inner extent; of convolutions: channels of
 * the input. */
lp_status lpi_matmul_split(const lpi_node *node, int64_t range[2], lpi_box *in);
lp_status lpi_conv_split(const lpi_node *node, int64_t range[2], lpi_box *in);

/* Cut axis "axis" of input "i", "length" terms long, to "range", narrowed to
 * them. */
lp_status lpi_box_split(const lpi_node *node, int32_t i, int32_t axis,
                        int64_t range[2], lpi_box *in);

/* Input "i" as "count" floats: repeated when it has one element, "absent" when
 * there is none; NULL without memory or with another number of elements. */
const float *lpi_run_scales(const lpi_run *run, int32_t i, int64_t count,
                            float absent);

/* The same as integers. */
const int32_t *lpi_run_zeros(const lpi_run *run, int32_t i, int64_t count);

/* Add the sums "from" to "to", modulo 2 to the 32. */
void lpi_add_sums(int64_t count, const int32_t *from, int32_t *to);

/* ---- window.c: sliding windows (convolution, pooling) ------------------- */

enum { LPI_SPATIAL = 3 };

typedef struct lpi_slide {
    lpi_list kernel_shape, strides, pads, dilations;
    lpi_list output_padding, output_shape; /* transposed ones */
    const char *auto_pad;
    int64_t ceil_mode, group;
    /* A tile: its pads are these, in front, then behind; the lists above do
     * not hold. */
    bool is_cut;
    int64_t cut[2 * LPI_SPATIAL];
} lpi_slide;

/* Specs of a struct whose first field is an lpi_slide. */
#define LPI_WINDOW_SPECS                                                       \
    LPI_SPEC_LIST(lpi_slide, kernel_shape, LPI_ATTR_INTS),                     \
        LPI_SPEC_LIST(lpi_slide, strides, LPI_ATTR_INTS),                      \
        LPI_SPEC_LIST(lpi_slide, pads, LPI_ATTR_INTS),                         \
        LPI_SPEC_LIST(lpi_slide, dilations, LPI_ATTR_INTS),                    \
        LPI_SPEC_STRING(lpi_slide, auto_pad, "NOTSET")

/* Extents of the result of sliding a window of extents "kernel" over the
 * spatial extents "in" (-1: unknown, passed on) into "out", which has room
 * for in.rank of them.  LP_EINPUT for attributes that contradict. */
lp_status lpi_window_slide(const lpi_node *node, const lpi_slide *window,
                           lp_shape in, const int64_t *kernel, int64_t *out);

/* A window over up to three axes, as the kernels see it: missing axes stand in
 * front. */
typedef struct lpi_sliding {
    int64_t in[LPI_SPATIAL], out[LPI_SPATIAL], kernel[LPI_SPATIAL];
    int64_t stride[LPI_SPATIAL], dilation[LPI_SPATIAL];
    int64_t pad[LPI_SPATIAL], pad_end[LPI_SPATIAL];
} lpi_sliding;

/* Resolve "window" for a layer that slides (or spreads, "is_transposed") over
 * the spatial extents "in" to "out"; LP_EUNSUPPORTED beyond three axes. */
lp_status lpi_slide_resolve(const lpi_node *node, const lpi_slide *window,
                            const lp_shape spatial[2], const int64_t *kernel,
                            bool is_transposed, lpi_sliding *ret_sliding);

/* The part of the input that the box "out" of the output of "node" needs along
 * spatial axis "axis" (counted from the first of "rank"), which begins at
 * dimension "first" of both; sets the pads of "window". */
void lpi_slide_cut(const lpi_sliding *sliding, lpi_slide *window,
                   const lpi_box *out, int32_t first, lpi_box *in);

/* ---- convolve.c, convolve8.c: runs of convolutions ---------------------- */

typedef struct lpi_conv_params {
    lpi_slide window;
    const char *activation;
    lpi_list activation_params;
    int64_t offset_group, channels_last;
} lpi_conv_params;

/* Where the operands of a row stand (-1: none), the dtype of its result (or
 * the input it is taken from), operations for one element of it. */
typedef struct lpi_conv_facts {
    int32_t weight, bias, sum, type_from;
    lp_dtype type;
    bool is_transposed, channels_last;
    lpi_each each;
} lpi_conv_facts;

/* The sizes of the convolution "node", without operands. */
lp_status lpi_conv_sizes(const lpi_node *node, lpi_conv *ret_conv);

/* Whether the channels of "node" are the last axis; the run of rows that may
 * have them there. */
bool lpi_conv_is_last(const lpi_node *node);
lp_status lpi_conv_last_run(const lpi_run *run);

lp_status lpi_conv_layer_run(const lpi_run *run);
lp_status lpi_conv8_layer_run(const lpi_run *run);
lp_status lpi_conv_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params);

/* ---- pooling.c: runs of pooling ----------------------------------------- */

typedef struct lpi_pool {
    lpi_slide window;
    int64_t p, count_include_pad, storage_order;
    lpi_list pooled_shape;
    float spatial_scale;
} lpi_pool;

lp_status lpi_pool_max_run(const lpi_run *run);
lp_status lpi_pool_mean_run(const lpi_run *run);
lp_status lpi_pool_norm_run(const lpi_run *run);
lp_status lpi_global_max_run(const lpi_run *run);
lp_status lpi_global_mean_run(const lpi_run *run);
lp_status lpi_global_norm_run(const lpi_run *run);
lp_status lpi_unpool_run(const lpi_run *run);
lp_status lpi_pool_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                        void *params);
lp_status lpi_global_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* Means of the windows of planes "from", channels behind the batch; the first
 * spatial axis of input 0 is "first" (1: its channels are last). */
lp_status lpi_pool_means(const lpi_run *run, int32_t first, const float *from,
                         float *to);

/* ---- channels.c --------------------------------------------------------- */

/* Bring elements of "bits" of "shape", whose channels are last, to a form with
 * channels behind the batch ("to_front"), or back. */
void lpi_channels_turn(int32_t bits, lp_shape last, bool to_front,
                       const void *from, void *to);

/* ---- tables.c: runs of qlinear.c ---------------------------------------- */

typedef struct lpi_qlinear {
    lpi_pool pool;
    int64_t axis, channels_last, opset;
    float alpha;
} lpi_qlinear;

lp_status lpi_qlinear_add_run(const lpi_run *run);
lp_status lpi_qlinear_mul_run(const lpi_run *run);
lp_status lpi_qlinear_concat_run(const lpi_run *run);
lp_status lpi_qlinear_mean_run(const lpi_run *run);
lp_status lpi_qlinear_sigmoid_run(const lpi_run *run);
lp_status lpi_qlinear_leaky_run(const lpi_run *run);
lp_status lpi_qlinear_softmax_run(const lpi_run *run);

/* ---- normalise.c, normtile.c: runs of normalizations -------------------- */

typedef struct lpi_norm_params {
    int64_t axis, num_groups, size, p, training_mode, stash_type, spatial;
    float epsilon, momentum, alpha, beta, bias;
    lpi_list axes;
} lpi_norm_params;

lp_status lpi_norm_batch_run(const lpi_run *run);
lp_status lpi_norm_instance_run(const lpi_run *run);
lp_status lpi_norm_layer_run(const lpi_run *run);
lp_status lpi_norm_root_run(const lpi_run *run);
lp_status lpi_norm_groups_run(const lpi_run *run);
lp_status lpi_norm_local_run(const lpi_run *run);
lp_status lpi_norm_length_run(const lpi_run *run);
lp_status lpi_norm_variance_run(const lpi_run *run);
lp_status lpi_norm_batch_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params);
lp_status lpi_norm_channel_tile(const lpi_node *node, const lpi_box *out,
                                lpi_box *in, void *params);
lp_status lpi_norm_layer_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params);
lp_status lpi_norm_groups_tile(const lpi_node *node, const lpi_box *out,
                               lpi_box *in, void *params);

/* ---- unpack.c: runs of nbits.c ------------------------------------------- */

typedef struct lpi_nbits {
    int64_t K, N, bits, block_size;
    int64_t gather_axis, quantize_axis, quant_type;
} lpi_nbits;

lp_status lpi_nbits_run(const lpi_run *run);
lp_status lpi_bnb4_run(const lpi_run *run);
lp_status lpi_gather_blocks_run(const lpi_run *run);

/* ---- fusing.c: runs of contrib_norm.c ------------------------------------ */

typedef struct lpi_fused_norm {
    int64_t groups, activation, channels_last, mask_index_type;
    float epsilon;
} lpi_fused_norm;

/* What a row adds to its input 0 before it normalizes, in this order (0: no
 * more), where scale and shift stand (0: no shift), and whether it subtracts
 * the mean. */
typedef struct lpi_fused_facts {
    lpi_each element, group; /* prices */
    int32_t added[2], scale, shift;
    bool centred;
} lpi_fused_facts;

lp_status lpi_norm_skip_run(const lpi_run *run);
lp_status lpi_norm_skip_groups_run(const lpi_run *run);
lp_status lpi_norm_embed_run(const lpi_run *run);

/* ---- einsum.c, contract.c
 * -------------------------------------------------------- */

enum { LPI_EINSUM_SLOTS = 64, LPI_EINSUM_TERMS = 64 };

/* A term: the slots of its axes, a slot a letter or an axis of the ellipsis. */
typedef struct lpi_einsum_term {
    int32_t count;
    uint8_t slots[LPI_EINSUM_SLOTS];
} lpi_einsum_term;

/* An equation: its terms, and the extents of the slots; negative: not seen. */
typedef struct lpi_einsum {
    lpi_einsum_term terms[LPI_EINSUM_TERMS], result;
    int64_t extents[LPI_EINSUM_SLOTS];
} lpi_einsum;

lp_status lpi_einsum_read(const lpi_node *node, lpi_einsum *ret_einsum);
lp_status lpi_einsum_run(const lpi_run *run);

/* ---- quantise.c: runs of QuantizeLinear and its kin --------------------- */

typedef struct lpi_quantize {
    int64_t axis, block_size, output_dtype, saturate, precision;
} lpi_quantize;

lp_status lpi_quantize_run(const lpi_run *run);
lp_status lpi_dequantize_run(const lpi_run *run);
lp_status lpi_quantize_dynamic_run(const lpi_run *run);

/* Scale and zero point of bytes for the range of "count" elements, which holds
 * 0. */
void lpi_quantize_range(const lpi_run *run, const float *x, int64_t count,
                        float *ret_scale, float *ret_zero);

/* "v", within +-2^22, rounded half to even. */
static inline float lpi_round_even(float v)
{
    const float magic = 0x1.8p23f;

    return (v + magic) - magic;
}

/* ---- suppress.c: the run of NonMaxSuppression --------------------------- */

typedef struct lpi_dynamic {
    int64_t axis, sorted, largest, k, center_point_box;
    bool is_flat; /* Unique without an axis */
} lpi_dynamic;

lp_status lpi_suppress_run(const lpi_run *run);

/* ---- sampling.c: runs of Resize ----------------------------------------- */

typedef struct lpi_resize {
    const char *mode, *coordinate_transformation_mode, *nearest_mode;
    const char *keep_aspect_ratio_policy;
    int64_t antialias, exclude_outside;
    float cubic_coeff_a, extrapolation_value;
    lpi_list axes, scales;
    float height_scale, width_scale;
    int64_t factor[LPI_RANKS]; /* a tile of integer factors; 0: none */
} lpi_resize;

/* Positions of the operands. */
enum {
    LPI_RESIZE_X,
    LPI_RESIZE_ROI,
    LPI_RESIZE_SCALES,
    LPI_RESIZE_SIZES,
};

/* Position in scales and sizes that belongs to axis "axis", -1 for none. */
int64_t lpi_resize_item(const lpi_resize *params, int32_t rank, int64_t axis);

lp_status lpi_resize_run(const lpi_run *run);
lp_status lpi_resize_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* ---- taps.c: positions of Resize ---------------------------------------- */

/* What an axis does; "scale" 0: nothing. */
typedef struct lpi_axis_map {
    int64_t in, out;
    double scale, roi[2];
    double scaled; /* the extent that scale makes, before it is rounded */
    bool is_cut;   /* the region of interest counts */
} lpi_axis_map;

/* The positions an output position takes, "count" of them from "first" on,
 * and their weights. */
typedef struct lpi_resize_map {
    int64_t most;
    int64_t *first, *count;
    float *weight; /* most an output position */
    bool *outside; /* extrapolate */
} lpi_resize_map;

/* Where output position "i" falls in the input, and the nearest position to
 * "x". */
double lpi_resize_position(const lpi_resize *params, const lpi_axis_map *map,
                           int64_t i);
int64_t lpi_resize_nearest(const lpi_resize *params, const lpi_axis_map *map,
                           double x);

/* The taps of a linear or cubic axis, in the scratch of "run". */
lp_status lpi_resize_taps(const lpi_run *run, const lpi_axis_map *map,
                          lpi_resize_map *ret_taps);

/* ---- recurring.c: runs of LSTM, GRU, RNN -------------------------------- */

typedef struct lpi_recurrent {
    int64_t hidden_size, layout, linear_before_reset, input_forget;
    const char *direction;
    float clip;
    lpi_list activations, activation_alpha, activation_beta;
} lpi_recurrent;

/* ---- cells.c */

enum { LPI_CELL_FUNCTIONS = 3 };

/* What a step needs; "bias" and "peephole" NULL: none. */
typedef struct lpi_recurrence {
    const lpi_isa *isa;
    const lpi_recurrent *params;
    int64_t hidden, gates;
    lpi_unary functions[LPI_CELL_FUNCTIONS];
    const float *bias, *peephole;
} lpi_recurrence;

/* From the sums "gates" of a row to its next state "h" (and "c"). */
void lpi_cell_lstm(const lpi_recurrence *cell, float *gates, float *h,
                   float *c);
void lpi_cell_rnn(const lpi_recurrence *cell, float *gates, float *h);

/* A GRU needs its gates before the product of the candidate, "state": of the
 * state with R, or of the state times the reset gate. */
void lpi_cell_gru_gates(const lpi_recurrence *cell, float *gates);
void lpi_cell_gru(const lpi_recurrence *cell, float *gates, float *state,
                  float *h);

lp_status lpi_lstm_run(const lpi_run *run);
lp_status lpi_gru_run(const lpi_run *run);
lp_status lpi_rnn_run(const lpi_run *run);

/* ---- rotating.c: the run of RotaryEmbedding ----------------------------- */

typedef struct lpi_rotary {
    int64_t num_heads, rotary_embedding_dim, interleaved;
} lpi_rotary;

/* Where the caches and the positions stand. */
typedef struct lpi_rotary_facts {
    int32_t cosine, positions;
} lpi_rotary_facts;

/* Rotate "half" pairs of a head by {cosines, sines}; rotating.c. */
void lpi_rotate(const float *from, const float *const caches[2], int64_t half,
                bool interleaved, float *to);

lp_status lpi_rotary_run(const lpi_run *run);

/* The same backwards: extents of the result of a transposed convolution. */
lp_status lpi_window_spread(const lpi_node *node, const lpi_slide *window,
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

/* Attributes of Attention, and what a tile of it must know of the whole. */
typedef struct lpi_attention_params {
    int64_t q_num_heads, kv_num_heads;
    int64_t qk_matmul_output_mode, softmax_precision, is_causal;
    int64_t left_window_size, right_window_size;
    float scale, softcap;
    int64_t first_row; /* of the queries of a tile */
    int64_t queries;   /* of the whole; 0: this is it */
} lpi_attention_params;

/* What "node", an Attention, attends; the ranks of its operands are known. */
lp_status lpi_attention_resolve(const lpi_node *node,
                                lpi_attention *ret_attention);

/* ---- attending.c, attendtile.c: runs of Attention ----------------------- */

/* ---- attendbias.c */

typedef struct lpi_bias {
    const lpi_attention_params *params;
    int64_t queries, keys, past;
    const float *mask; /* 0 and -infinity when it was bool; NULL: none */
    lp_shape mask_shape;
    lpi_list limits; /* keys that count, a batch; count 0: all */
} lpi_bias;

/* Input 3 of "run" as the mask. */
lp_status lpi_bias_read(const lpi_run *run, lpi_bias *bias);

/* The mask of batch "b", head "h": element (row, key) of it; strides of 0
 * repeat. */
lpi_matrix lpi_bias_mask(const lpi_bias *bias, int64_t b, int64_t h);

/* The bias of rows [from, from + rows) into "to", and false in "live" for
 * those that see nothing. */
void lpi_bias_rows(const lpi_bias *bias, int64_t b, int64_t h, int64_t from,
                   int64_t rows, float *to, bool *live);

/* Where the heads of an operand stand: strides of batch, head and row. */
typedef struct lpi_heads {
    const float *at;
    int64_t batch, head, row;
} lpi_heads;

/* Attention at work. */
typedef struct lpi_attending {
    const lpi_run *run;
    const lpi_attention_params *params;
    lpi_attention sizes;
    lpi_heads q, k, v;
    lpi_bias bias;
    int64_t past;
    float scale;
    float *out, *scores_out; /* NULL: not wanted */
    int64_t out_batch, out_head, out_row;
    float *room;  /* scores and bias of a block, workspaces behind */
    int64_t rows; /* of a block */
} lpi_attending;

/* Compute "out" (and "scores_out"), all else but "room" and "rows" being set.
 */
lp_status lpi_attend_all(lpi_attending *j);

lp_status lpi_attention_run(const lpi_run *run);
lp_status lpi_attention_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params);

/* ---- attendfused.c: runs of contrib_attention.c -------------------------- */

typedef struct lpi_contrib {
    int64_t num_heads, kv_num_heads, past_present_share_buffer, do_rotary;
    int64_t sliding_window_cache, unidirectional, local_window_size;
    int64_t rotary_interleaved, smooth_softmax, qk_output;
    lpi_list qkv_hidden_sizes;
    float softcap, scale, mask_filter_value;
    lpi_attention found; /* what the shape hook makes of the operands */
    int64_t buffer;      /* positions of the present */
} lpi_contrib;

/* One of these operators at work: heads of the "fresh" keys and values. */
typedef struct lpi_fusing {
    lpi_attending a;
    lpi_attention_params params;
    const lpi_contrib *p;
    lpi_heads k, v;
    int64_t fresh;
} lpi_fusing;

/* Fill "j" with what attributes and shapes tell; then, heads being set, join
 * them with the past, take the masks, and compute and store output 0. */
lp_status lpi_fuse_begin(const lpi_run *run, lpi_fusing *j);
lp_status lpi_fuse_past(lpi_fusing *j, const float *const past[2],
                        float *const kept[2], int64_t before,
                        const int64_t *used);
lp_status lpi_fuse_masks(lpi_fusing *j, int32_t mask, int32_t added);
lp_status lpi_fuse_finish(lpi_fusing *j);

/* Heads of "size" side by side in "length" rows of "row" elements. */
lpi_heads lpi_heads_in_rows(const float *at, int64_t length, int64_t size,
                            int64_t row);

/* attendfused.c; the others in attendgroups.c */
lp_status lpi_attend_merged_run(const lpi_run *run);
lp_status lpi_attend_multi_run(const lpi_run *run);
lp_status lpi_attend_groups_run(const lpi_run *run);

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

/* ---- runs.c: operands as floats, and shares of work --------------------- */

/* float32, and what is computed in float32 and rounded once: float16,
 * bfloat16. */
bool lpi_is_single(lp_dtype dtype);

/* Who computes "run". */
lpi_team lpi_run_team(const lpi_run *run);

/* Elements [first, first + count) of "from" as floats and back: memory speed
 * for lpi_is_single, any dtype that holds numbers otherwise. */
void lpi_load_floats(const lpi_isa *isa, lp_dtype dtype, const void *from,
                     int64_t first, int64_t count, float *to);
void lpi_store_floats(const lpi_isa *isa, lp_dtype dtype, const float *from,
                      int64_t first, int64_t count, void *to);

/* Input "i" as floats: where it stands when it is float32, else a copy; NULL
 * when it is absent.  Only lpi_is_single. */
lp_status lpi_run_floats(const lpi_run *run, int32_t i,
                         const float **ret_floats);

/* Where to compute output "i" as floats (NULL when it is absent), and, once
 * computed, rounding it to where it belongs. */
lp_status lpi_run_result(const lpi_run *run, int32_t i, float **ret_floats);
void lpi_run_store(const lpi_run *run, int32_t i, const float *floats);

/* Call "work" for parts that make up [0, whole), one a thread, in multiples of
 * "unit"; small "cost"s (operations in all) stay in one. */
typedef void (*lpi_work)(const void *context, int64_t from, int64_t to);
void lpi_run_share(const lpi_run *run, int64_t whole, int64_t cost,
                   lpi_work work, const void *context);

/* The integer in input "i" (0 when it is absent or empty). */
lp_status lpi_run_int(const lpi_run *run, int32_t i, int64_t *ret_value);

/* ---- reals.c: operands as doubles ---------------------------------------- */

/* Input "i" as doubles in the scratch, whatever numbers it holds; NULL when it
 * is absent. */
lp_status lpi_run_reals(const lpi_run *run, int32_t i,
                        const double **ret_reals);

/* LP_EINPUT unless input "i" is absent or has "count" elements. */
lp_status lpi_run_wants(const lpi_run *run, int32_t i, int64_t count);

/* Room for the doubles of output "i" (which may be absent), all zero, and
 * rounding them once to where they belong. */
lp_status lpi_run_room(const lpi_run *run, int32_t i, double **ret_reals);
void lpi_run_keep(const lpi_run *run, int32_t i, const double *reals);

/* The same for "count" elements of "dtype" at "to". */
void lpi_store_reals(lp_dtype dtype, const double *from, int64_t count,
                     void *to);

/* ---- gridding.c, regions.c: runs of sample.c ----------------------------- */

typedef struct lpi_sample {
    const char *mode, *padding_mode;
    int64_t align_corners;
    int64_t output_height, output_width, sampling_ratio;
    float spatial_scale;
    bool is_half; /* regions are shifted by half a pixel */
    lpi_list dilations, pads, strides;
} lpi_sample;

lp_status lpi_grid_run(const lpi_run *run);
lp_status lpi_affine_grid_run(const lpi_run *run);
lp_status lpi_align_run(const lpi_run *run);
lp_status lpi_fold_run(const lpi_run *run);
lp_status lpi_roi_run(const lpi_run *run); /* MaxRoiPool */
lp_status lpi_deform_run(const lpi_run *run);

/* ---- streaming.c: runs of rotary.c's rows with a state ------------------- */

typedef struct lpi_linear {
    int64_t q_num_heads, kv_num_heads, chunk_size;
    const char *update_rule;
    float scale;
} lpi_linear;

typedef struct lpi_causal {
    const char *activation;
} lpi_causal;

lp_status lpi_linear_run(const lpi_run *run);
lp_status lpi_causal_run(const lpi_run *run);

/* ---- unique.c: the run of Unique ----------------------------------------- */

lp_status lpi_unique_run(const lpi_run *run);

/* ---- chance.c: runs of random.c ------------------------------------------ */

typedef struct lpi_chance {
    lpi_list shape;
    int64_t dtype, sample_size, is_test, seed;
    float mean, scale, low, high, ratio;
    bool is_seeded, is_normal;
} lpi_chance;

lp_status lpi_random_run(const lpi_run *run);
lp_status lpi_bernoulli_run(const lpi_run *run);
lp_status lpi_multinomial_run(const lpi_run *run);
lp_status lpi_dropout_run(const lpi_run *run);

/* ---- bundles.c: sequences, optionals, texts ------------------------------ */

/* In a run: make "bundle" (NULL: there was no memory) output "i". */
lp_status lpi_run_give(const lpi_run *run, int32_t i, const lpi_bundle *bundle);

/* In a run: input "i" as a bundle, one made of it where it is a plain tensor;
 * the second fails when it is not of "container". */
lp_status lpi_run_item(const lpi_run *run, int32_t i,
                       const lpi_bundle **ret_bundle);
lp_status lpi_run_bundle(const lpi_run *run, int32_t i, lpi_container container,
                         const lpi_bundle **ret_bundle);

/* In a run: make "item" output "i", which may be a plain tensor. */
lp_status lpi_run_take(const lpi_run *run, int32_t i, const lpi_bundle *item);

/* In shape: the bundle that input "i" holds in this run, else NULL. */
const lpi_bundle *lpi_in_bundle(const lpi_node *node, int32_t i);

/* Set the type of output "i"; the second to that of "item". */
lp_status lpi_out_container(lpi_node *node, int32_t i, lpi_container container,
                            lp_dtype dtype, lp_shape shape);
lp_status lpi_out_item(lpi_node *node, int32_t i, const lpi_bundle *item);

/* "a" where "b" is the same, else unknown. */
lp_shape lpi_shape_shared(lp_shape a, lp_shape b);

/* The run of Equal, of texts. */
lp_status lpi_texts_equal_run(const lpi_run *run);

/* ---- boxes.c: hooks for tiles ------------------------------------------- */

/* The box of all of input "i". */
lpi_box lpi_box_whole(const lpi_node *node, int32_t i);

/* The box of a tensor of "shape" that broadcasts to the tensor of "out". */
lpi_box lpi_box_broadcast(lp_shape shape, const lpi_box *out);

/* Tile of rows whose operands broadcast to the output. */
lp_status lpi_pointwise_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params);

/* Tile of rows that look along some axes of input 0 alone: "axis" and those
 * behind it up to "until" must be whole (else LP_EUNSUPPORTED); other inputs
 * are needed whole. */
lp_status lpi_box_keep(const lpi_node *node, const lpi_box *out, int64_t axis,
                       int64_t until);

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
    /* float32, float16 and bfloat16 are computed in float32, by a loop of the
     * kernel: its number and 1, */
    int8_t unary, binary;
    /* or by this function: "step[k]" is 0 where operand k is one value. */
    void (*floats)(const lpi_isa *isa, int64_t count, const float *const *x,
                   const int64_t *step, float *to, const void *params);
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

/* What lpi_pointwise_apply does where lpi_pointwise_is_fast says so. */
typedef struct lpi_operand lpi_operand;
bool lpi_pointwise_is_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                           const lpi_operand *operands, int32_t count);
lp_status lpi_pointwise_fast(const lpi_run *run, const lpi_pointwise *pointwise,
                             const lpi_operand *operands, int32_t count,
                             const int64_t *const *strides);

/* Operands of lpi_pointwise_apply; bytes NULL: absent, the lowest value of all
 * for operand 1, the highest for operand 2 (Clip). */
struct lpi_operand {
    lp_dtype dtype;
    lp_shape shape;
    const void *bytes;
};

/* Fill output 0 of "run" with what "pointwise" makes of "count" operands
 * (three at most), which broadcast to its shape. */
lp_status lpi_pointwise_apply(const lpi_run *run,
                              const lpi_pointwise *pointwise,
                              const lpi_operand *operands, int32_t count);

/* ---- curves.c: functions for lpi_pointwise.floats ----------------------- */

/* Attributes of activations; each row's specs name its own. */
typedef struct lpi_curve {
    lpi_align align; /* PRelu */
    float alpha, beta, gamma, bias, lambd;
} lpi_curve;

#define LPI_FLOATS(stem)                                                       \
    void lpi_floats_##stem(const lpi_isa *isa, int64_t count,                  \
                           const float *const *x, const int64_t *step,         \
                           float *to, const void *params)
LPI_FLOATS(leaky);
LPI_FLOATS(prelu);
LPI_FLOATS(thresholded);
LPI_FLOATS(hard_swish);
LPI_FLOATS(hard_sigmoid);
LPI_FLOATS(softsign);
LPI_FLOATS(clip);
LPI_FLOATS(where);
LPI_FLOATS(swish);
LPI_FLOATS(swiglu);
LPI_FLOATS(mish);
LPI_FLOATS(equal);
LPI_FLOATS(less);
LPI_FLOATS(greater);
LPI_FLOATS(less_or_equal);
LPI_FLOATS(greater_or_equal);

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
    int8_t lanes; /* a reducer of the kernel and 1: how float32, float16 and
                     bfloat16 are reduced along neighbouring axes; 0: none */
    bool goes_on; /* by one chain of floats along any axes, instead */
} lpi_chain;

lp_status lpi_reduce_settle(lpi_node *node);
lp_status lpi_reduce_shape(lpi_node *node);
void lpi_reduce_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_reduce_run(const lpi_run *run);
lp_status lpi_reduce_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* Mark the axes of a tensor of "rank" that "axes" (NULL: no operand) name; all
 * of them when it names none. */
lp_status lpi_reduce_mask(const lpi_node *node, const lpi_list *axes,
                          int32_t rank, bool *mask);

/* reducing.c: the same in float32, where lpi_chain.lanes says so and the axes
 * in "mask" allow it: "*ret_done". */
lp_status lpi_reduce_floats(const lpi_run *run, const bool *mask,
                            bool *ret_done);

#endif
