/* graph.h: a model as lplan holds it: tensors, layers, bodies.
 *
 * A reader (onnx/, the text form) builds the raw graph: names, declared
 * types, attributes as they stand in the file, operators in their own opset.
 * src/ops then settles it: binds dimensions, decodes attributes, infers
 * shapes, folds constants.  Everything lives in the arena of the model. */
#ifndef LPI_GRAPH_H
#define LPI_GRAPH_H

#include "../base/base.h"

struct lp_op;
typedef struct lp_tensor lp_tensor;
typedef struct lp_layer lp_layer;

/* ---- tensors ---------------------------------------------------------- */

typedef enum lpi_kind {
    LPI_ACTIVATION, /* produced by a layer */
    LPI_INPUT,      /* of the graph, or of a body */
    LPI_WEIGHT,     /* an initializer */
    LPI_CONSTANT,   /* the payload of a Constant node, or made by a decoder */
    LPI_CAPTURE,    /* of a body: a tensor of the graph around it */
} lpi_kind;

typedef enum lpi_container {
    LPI_TENSOR,
    LPI_SEQUENCE,
    LPI_OPTIONAL,
    LPI_MAP,
} lpi_container;

/* A dimension as declared: a number, or a name ("" when neither). */
typedef struct lpi_dim {
    int64_t value; /* -1: not a number */
    const char *symbol;
} lpi_dim;

/* A type as the file declares it; rank -1: no shape given. */
typedef struct lpi_declared {
    lpi_container container;
    lp_dtype dtype;
    int32_t rank;
    const lpi_dim *dims;
} lpi_declared;

typedef enum lpi_where {
    LPI_NOWHERE, /* no content */
    LPI_INLINE,  /* "bytes": storage form, little-endian, sub-byte packed;
                    of texts a bundle */
    LPI_IN_FILE, /* "length" bytes at "offset" of the model's own file */
    LPI_OUTSIDE, /* the same of the file "location", below its folder */
} lpi_where;

typedef enum lpi_encoding {
    LPI_RAW,    /* storage form */
    LPI_VARINT, /* packed varints, one an element (int32_data and its kin) */
} lpi_encoding;

typedef struct lpi_payload {
    lpi_where where;
    lpi_encoding encoding;
    const void *bytes;
    const char *location;
    int64_t offset, length; /* length -1: to the end of the tensor's bytes */
} lpi_payload;

struct lp_tensor {
    const char *name;
    int64_t id; /* position among the tensors of its model */
    lpi_kind kind;
    lpi_container container;
    lp_dtype dtype;      /* LP_UNDEFINED while unknown */
    lp_shape shape;      /* settled; rank -1 while unknown */
    bool is_bound;       /* "shape" is an upper bound, not exact */
    bool is_static;      /* the same in every run: weights, constants, shapes of
                            exact size and what pure layers make of them */
    bool is_weight;      /* derives from initializers and Constants alone; a
                            product with it is linear, not attention */
    lp_layer *producer;  /* NULL unless LPI_ACTIVATION (LPI_CONSTANT from a
                            node keeps its Constant layer) */
    lp_tensor *outer;    /* LPI_CAPTURE: what it stands for */
    lpi_payload payload; /* weights and constants */
    const void *value;   /* content in storage form where known, else NULL */
    bool value_is_bound; /* "value" is an upper bound, element by element */
    const lp_layer *reader; /* the last layer that was seen to read it */
    int64_t stored_bytes;   /* static tensors: bytes that hold it, or what it is
                               made of, whichever is less */
    const lpi_declared *declared; /* value_info, inputs, outputs; or NULL */
};

/* ---- attributes -------------------------------------------------------- */

typedef enum lpi_attr_kind {
    LPI_ATTR_FLOAT,
    LPI_ATTR_INT,
    LPI_ATTR_STRING,
    LPI_ATTR_TENSOR,
    LPI_ATTR_BODY,
    LPI_ATTR_FLOATS,
    LPI_ATTR_INTS,
    LPI_ATTR_STRINGS,
    LPI_ATTR_OTHER, /* types, sparse tensors, lists of graphs: kept by name */
} lpi_attr_kind;

typedef struct lpi_attr {
    const char *name;
    lpi_attr_kind kind;
    int64_t count; /* of the list kinds */
    union {
        float f;
        int64_t i;
        const char *s;
        const float *floats;
        const int64_t *ints;
        const char *const *strings;
        lp_tensor *tensor; /* not among the model's tensors */
        lp_model *body;
    };
} lpi_attr;

/* ---- layers ------------------------------------------------------------ */

struct lp_layer {
    const char *name;        /* never empty: the first output's when unnamed */
    const char *op, *domain; /* domain "" is ai.onnx */
    const char *module;      /* path "/a/b", "" at the top */
    int64_t id;              /* position in the order of the model */
    int32_t version;         /* opset of its domain */
    lp_tensor **inputs, **outputs; /* NULL: absent */
    int32_t inputs_count, outputs_count;
    lp_tensor **given; /* inputs as in the file; settling may move them */
    int32_t given_count;
    const lpi_attr *attrs;
    int32_t attrs_count;
    /* what settling adds */
    bool is_settled;         /* attributes are decoded */
    const struct lp_op *row; /* NULL: no row, opaque */
    const void *params;      /* the row's struct, newest form */
    int64_t operand_bytes;   /* of all operands, each tensor once */
    const char *note;        /* why it is not exact; NULL */
    lp_model *definition;    /* a body of other layers that it is made of, in
                                place of the bodies in "attrs"; NULL */
    bool is_static;          /* all outputs are: folded */
    bool is_unknown;         /* no row, or an output without a shape */
};

/* A named opset import. */
typedef struct lpi_opset {
    const char *domain;
    int64_t version;
} lpi_opset;

struct lp_model {
    lpi_arena *arena; /* shared with its bodies */
    const char *path; /* as given; side files are opened below its folder */
    const char *name; /* of the graph */
    const char *producer;
    int64_t ir_version;
    lpi_opset *opsets;
    int64_t opsets_count, opsets_room;
    lp_tensor **tensors;
    int64_t tensors_count, tensors_room;
    lp_layer **layers;
    int64_t layers_count, layers_room;
    lp_tensor **inputs, **outputs;
    int64_t inputs_count, inputs_room, outputs_count, outputs_room;
    lp_model *outer;      /* bodies: the graph around */
    lp_tensor **captures; /* bodies: its LPI_CAPTURE tensors */
    int64_t captures_count, captures_room;
    lpi_map *names;  /* tensor name to id, in this graph */
    const char *net; /* the one-line form it came from, or NULL */
    bool as_written; /* read, and left unsettled on purpose */
};

/* ---- build.c: how readers build a model -------------------------------- */

/* Order of a reader, for a graph and for each body alike: inputs and weights,
 * then lpi_layer_add for all nodes with their outputs, then lpi_tensor_use for
 * all inputs (bodies are read here, when every name around them is known),
 * then the outputs, then lpi_model_sort. */

/* An empty model in a new arena ("cap_bytes", 0: 8 GiB); NULL without
 * memory. */
lp_model *lpi_model_new(const char *path, int64_t cap_bytes);

/* An empty body inside "outer", in its arena. */
lp_model *lpi_model_new_body(lp_model *outer);

/* Add a tensor called "name" (copied).  A name that exists is LP_EINPUT; ""
 * is allowed for constants that decoders make and is never looked up. */
lp_status lpi_tensor_add(lp_model *model, const char *name, lpi_kind kind,
                         lp_tensor **ret_tensor, lp_error *error);

/* The tensor called "name", seen from "model": its own, or a capture (made
 * now, at every level) of one around it.  LP_EINPUT when there is none. */
lp_status lpi_tensor_use(lp_model *model, const char *name,
                         lp_tensor **ret_tensor, lp_error *error);
lp_tensor *lpi_tensor_find(const lp_model *model, const char *name);

/* Append a layer with room for its inputs and outputs (all NULL). */
lp_status lpi_layer_add(lp_model *model, const char *name, const char *domain,
                        const char *op, int32_t inputs_count,
                        int32_t outputs_count, lp_layer **ret_layer,
                        lp_error *error);

/* Append "tensor" to the inputs or the outputs of the graph. */
lp_status lpi_model_add_input(lp_model *model, lp_tensor *tensor,
                              lp_error *error);
lp_status lpi_model_add_output(lp_model *model, lp_tensor *tensor,
                               lp_error *error);
lp_status lpi_model_add_opset(lp_model *model, const char *domain,
                              int64_t version, lp_error *error);

/* Version of "domain", 0 when not imported. */
int32_t lpi_model_opset(const lp_model *model, const char *domain);

/* Bring the layers into an order in which every tensor is produced before it
 * is used; the order of the file stays wherever it can.  A cycle is
 * LP_EINPUT and names a layer on it.  Linear time. */
lp_status lpi_model_sort(lp_model *model, lp_error *error);

/* ---- tensor.c ----------------------------------------------------------- */

extern const lp_shape lpi_shape_unknown;

/* Every dimension is a number. */
bool lpi_shape_known(lp_shape shape);

/* Product of the dimensions, 1 for a scalar; -1 when not known. */
int64_t lpi_shape_elements(lp_shape shape);

/* Bytes that "elements" of "dtype" take in storage form (sub-byte ones
 * packed); 0 for strings. */
int64_t lpi_storage_bytes(lp_dtype dtype, int64_t elements);

/* Bytes of "tensor"; 0 while its shape or dtype is not known. */
int64_t lpi_tensor_bytes(const lp_tensor *tensor);
int64_t lpi_tensor_elements(const lp_tensor *tensor); /* -1: unknown */

/* "2x3x?", "scalar", "?"; appended to "text". */
void lpi_shape_print(lpi_text *text, lp_shape shape);

/* A copy of "rank" dimensions in "arena"; rank -1 result without memory. */
lp_shape lpi_shape_copy(lpi_arena *arena, int32_t rank, const int64_t *dims);

/* Make the content of weight or constant "tensor" known: "value" is set from
 * its payload when it has at most "most" elements and its bytes can be had.
 * Absent files leave it unknown; files that lie (too short, outside the
 * folder) are errors. */
lp_status lpi_tensor_load(lp_model *model, lp_tensor *tensor, int64_t most,
                          lp_error *error);

/* ---- bundle.c: values that are no plain tensors ------------------------ */

/* Texts, sequences and optionals are bundles: blocks of bytes that say their
 * own length, so that they are copied, kept and compared as any content is.
 * A bundle is a tensor of numbers, a tensor of texts (dtype LP_STRING), or
 * holds other bundles: a sequence any number, an optional one or none. */

typedef struct lpi_bundle {
    int64_t size; /* bytes of all of it, a multiple of 64 */
    int32_t container;
    int32_t dtype, rank; /* of a tensor */
    int32_t unused;
    int64_t count; /* elements of a tensor, or items */
} lpi_bundle;

enum { LPI_BUNDLES_DEEP = 16 };

/* Whether what "tensor" holds is a bundle; the shape of a sequence or an
 * optional is the one that all its items have, or unknown. */
bool lpi_is_bundle(const lp_tensor *tensor);

/* Of a tensor: its shape and its content (numbers in storage form; texts one
 * behind the other, each with its NUL). */
lp_shape lpi_bundle_shape(const lpi_bundle *bundle);
const void *lpi_bundle_bytes(const lpi_bundle *bundle);

/* Item "i" of a sequence or an optional; NULL beyond the last. */
const lpi_bundle *lpi_bundle_item(const lpi_bundle *bundle, int64_t i);

/* The texts of a tensor of texts, in "arena"; NULL without memory, or when it
 * is none. */
const char **lpi_bundle_texts(lpi_arena *arena, const lpi_bundle *bundle);

/* New bundles in "arena": of "shape" and the content at "bytes", of texts, of
 * items.  NULL without memory. */
const lpi_bundle *lpi_bundle_tensor(lpi_arena *arena, lp_dtype dtype,
                                    lp_shape shape, const void *bytes);
const lpi_bundle *lpi_bundle_of_texts(lpi_arena *arena, lp_shape shape,
                                      const char *const *texts);
const lpi_bundle *lpi_bundle_of_items(lpi_arena *arena, lpi_container container,
                                      int64_t count,
                                      const lpi_bundle *const *items);

/* ---- dtype.c: the table of dtypes ------------------------------------- */

bool lpi_dtype_is_float(lp_dtype dtype);
bool lpi_dtype_is_signed(lp_dtype dtype);  /* signed integers */
bool lpi_dtype_is_integer(lp_dtype dtype); /* bool excluded */

#endif
