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
};

struct lp_op {
    const char *domain, *name;
    int32_t since; /* oldest opset whose form settle understands */
    int16_t inputs_min, inputs_max;   /* -1: no limit */
    int16_t outputs_min, outputs_max; /* -1: no limit */

    /* A letter an input (the last repeats): d data (the default), w weight
     * elements whatever their dtype, s scale, z zero point, i indices, shapes
     * and other arguments.  NULL: all d.  Float initializers count as
     * parameters in d and w, integer ones in w only. */
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

    uint32_t flags;
    const char *samples; /* small models in the text form, split by "---" */
};

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

#endif
