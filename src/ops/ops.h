/* ops.h: one operator = one row.
 *
 * A row says all that lplan knows of an operator: attributes, shapes, cost,
 * how it computes.  Rows stand in families, a table a file; ops.def lists the
 * families.  A new operator of a family is one row and its functions in one
 * file.
 *
 * The row, what its hooks see and the table of families stand here; the parts
 * that the last lines include declare what hooks call, and what files of
 * runs give to the rows, by kind of operator. */
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

    /* Which dtypes and extents of inputs agree, in the forms of fit.c, beyond
     * what "shape" looks at.  NULL: nothing to check. */
    const char *operands;

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

#include "node.h"
#include "runs.h"
#include "bundle/regex.h"
#include "settle.h"
#include "define.h"
#include "pointwise/pointwise.h"
#include "reduce/reduce.h"
#include "product/product.h"
#include "window/window.h"
#include "image/sample.h"
#include "quantize/quantize.h"
#include "norm/norm.h"
#include "recurrent/recurrent.h"
#include "attention/attention.h"
#include "dynamic/dynamic.h"
#include "learned/trees.h"

#endif
