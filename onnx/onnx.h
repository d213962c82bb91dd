/* onnx.h: reading ONNX files.
 *
 * The way of a file: skim.c walks the wire format with checks of its own and
 * leaves a stripped ModelProto, in which the content of large tensors is
 * replaced by a link into the file; protobuf-c unpacks that (unpack.c);
 * import.c and its helpers build the raw model. */
#ifndef LPI_ONNX_H
#define LPI_ONNX_H

#include "../src/graph/graph.h"

/* Read the model in the file "path" as a raw model: names, declared types,
 * attributes and operators as they stand in the file; local functions
 * expanded, bodies imported.  Payloads of large tensors are not read. */
lp_status lpi_onnx_read(const char *path, int64_t cap_bytes,
                        lp_model **ret_model, lp_error *error);

/* Read the TensorProto in the file "path" (the form of ONNX's test data) as a
 * model that holds it as its one weight, content known. */
lp_status lpi_onnx_tensor_read(const char *path, int64_t cap_bytes,
                               lp_model **ret_model, lp_error *error);

/* Read the value of "container" (a tensor of texts, a SequenceProto, an
 * OptionalProto) in the file "path" into "arena". */
lp_status lpi_onnx_bundle_read(const char *path, lpi_container container,
                               lpi_arena *arena, const lpi_bundle **ret_bundle,
                               lp_error *error);

/* ---- everything below is for this folder only --------------------------- */

/* Messages of the schema, made from onnx.proto into onnx.pb-c.h. */
struct Onnx__AttributeProto;
struct Onnx__FunctionProto;
struct Onnx__GraphProto;
struct Onnx__ModelProto;
struct Onnx__NodeProto;
struct Onnx__SparseTensorProto;
struct Onnx__TensorProto;
struct Onnx__TypeProto;
struct Onnx__ValueInfoProto;

enum {
    LPI_ONNX_MOST_OPSETS = 256,      /* most opset imports */
    LPI_ONNX_MOST_ATTRIBUTES = 1024, /* most attributes of a node */
    LPI_ONNX_LINK_BYTES = 1024, /* content of a tensor up to this is inline */
    LPI_ONNX_NAME_BYTES = 1 << 24, /* longest name */
    LPI_ONNX_TEXT_BYTES = 1 << 16, /* longest text kept */
    LPI_ONNX_NESTING = 64,         /* deepest message, body, or function call */
    LPI_ONNX_RANK = 64,            /* most dimensions of a tensor */
    LPI_ONNX_EFFORT = 1 << 22,     /* most work for functions and bodies */
    LPI_ONNX_LAYER = 16,           /* work for a layer or a call */
};

/* ---- wire.c: the wire format, byte by byte ------------------------------ */

typedef enum lpi_wire_type {
    LPI_WIRE_VARINT = 0,
    LPI_WIRE_64 = 1,
    LPI_WIRE_BYTES = 2,
    LPI_WIRE_32 = 5,
} lpi_wire_type;

/* A place in a file, and the window around it. */
typedef struct lpi_wire {
    lpi_file *file;
    const uint8_t *window; /* bytes [start, stop) of the file */
    int64_t start, stop;
    int64_t offset; /* the next byte to read */
    lp_error *error;
} lpi_wire;

/* LP_EINPUT that names the byte "offset". */
lp_status lpi_wire_fail(const lpi_wire *wire, int64_t offset,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Each reads at the place of "wire", moves it on, and fails when what it
 * reads reaches beyond byte "end", the end of the message around. */
lp_status lpi_wire_varint(lpi_wire *wire, int64_t end, uint64_t *ret_value);
lp_status lpi_wire_tag(lpi_wire *wire, int64_t end, uint32_t *ret_number,
                       lpi_wire_type *ret_type);
lp_status lpi_wire_length(lpi_wire *wire, int64_t end, int64_t *ret_length);
lp_status lpi_wire_skip(lpi_wire *wire, int64_t end, lpi_wire_type type);

/* Append the next "length" bytes to "text". */
lp_status lpi_wire_copy(lpi_wire *wire, int64_t length, lpi_text *text);

/* Append "value" as a varint of at least "width" bytes (5 at most). */
void lpi_wire_put(lpi_text *text, uint64_t value, int32_t width);
int32_t lpi_wire_width(uint64_t value);

/* ---- schema.c: which fields pass the skimmer, and how ------------------- */

typedef enum lpi_onnx_field {
    LPI_FIELD_DROPPED, /* not listed */
    LPI_FIELD_NUMBER,  /* varint */
    LPI_FIELD_NUMBERS, /* varints, packed or not */
    LPI_FIELD_FLOAT,   /* float32 */
    LPI_FIELD_FLOATS,  /* float32, packed or not */
    LPI_FIELD_NAME,    /* text that must be short and without NUL */
    LPI_FIELD_STRING,  /* text that is left empty when it is long */
    LPI_FIELD_ONE,     /* a message that may stand once */
    LPI_FIELD_MANY,    /* messages */
    LPI_FIELD_ENTRY,   /* StringStringEntryProto of which some keys pass */
    LPI_FIELD_RAW,     /* content of a tensor: bytes */
    LPI_FIELD_DATA32,  /* the same: float32, packed or not */
    LPI_FIELD_DATA64,  /* the same: float64, packed or not */
    LPI_FIELD_DATAINT, /* the same: varints, packed or not */
    LPI_FIELD_REFUSED, /* stands in the stripped message for the link */
    LPI_FIELD_KINDS
} lpi_onnx_field;

typedef enum lpi_onnx_message {
    LPI_ONNX_MODEL,
    LPI_ONNX_GRAPH,
    LPI_ONNX_NODE,
    LPI_ONNX_ATTRIBUTE,
    LPI_ONNX_TENSOR_PROTO,
    LPI_ONNX_SPARSE,
    LPI_ONNX_VALUE_INFO,
    LPI_ONNX_TYPE,
    LPI_ONNX_TYPE_TENSOR,  /* and TypeProto.SparseTensor */
    LPI_ONNX_TYPE_ELEMENT, /* TypeProto.Sequence and .Optional */
    LPI_ONNX_TYPE_MAP,
    LPI_ONNX_TYPE_OPAQUE,
    LPI_ONNX_SHAPE,
    LPI_ONNX_DIMENSION,
    LPI_ONNX_OPSET,
    LPI_ONNX_PAIR, /* StringStringEntryProto */
    LPI_ONNX_FUNCTION,
    LPI_ONNX_MESSAGES
} lpi_onnx_message;

typedef struct lpi_onnx_rule {
    uint8_t kind;  /* lpi_onnx_field */
    uint8_t child; /* lpi_onnx_message of ONE, MANY and ENTRY */
} lpi_onnx_rule;

/* The rule of field "number" of "message". */
lpi_onnx_rule lpi_schema_rule(lpi_onnx_message message, uint32_t number);
const char *lpi_schema_name(lpi_onnx_message message);

/* A field of this kind may have this wire type. */
bool lpi_schema_allows(lpi_onnx_rule rule, lpi_wire_type type);

/* The "length" bytes at "key" are a key of metadata that is kept. */
bool lpi_schema_keeps(const char *key, size_t length);

/* ---- skim.c: a file to a stripped ModelProto ---------------------------- */

/* Where the content of a large tensor lies.  The stripped message points at
 * it by TensorProto.segment.begin, a field that is refused in files. */
typedef struct lpi_onnx_link {
    uint32_t field;         /* of TensorProto; 0: no content */
    bool scattered;         /* in several pieces: "offset" is meaningless */
    int64_t offset, length; /* bytes of the file */
} lpi_onnx_link;

typedef struct lpi_onnx_links {
    lpi_onnx_link *items;
    int64_t count, room;
} lpi_onnx_links;

/* Skim "file" into "bytes" (at most as many as "arena" may hold), with the
 * links in "arena". */
lp_status lpi_onnx_skim(lpi_file *file, lpi_arena *arena, lpi_text *bytes,
                        lpi_onnx_links *links, lp_error *error);

/* The same of a file that is a TensorProto. */
lp_status lpi_onnx_skim_tensor(lpi_file *file, lpi_arena *arena,
                               lpi_text *bytes, lpi_onnx_links *links,
                               lp_error *error);

/* ---- unpack.c ----------------------------------------------------------- */

/* Unpack the "length" bytes at "bytes" into "arena". */
lp_status lpi_onnx_unpack(lpi_arena *arena, const char *bytes, size_t length,
                          struct Onnx__ModelProto **ret_model, lp_error *error);

/* The same of the bytes of a TensorProto. */
lp_status lpi_onnx_unpack_tensor(lpi_arena *arena, const char *bytes,
                                 size_t length,
                                 struct Onnx__TensorProto **ret_tensor,
                                 lp_error *error);

/* What else the file may be, by its first bytes; NULL without an idea. */
const char *lpi_onnx_guess(lpi_file *file);

/* ---- scope.c: what a name stands for ------------------------------------ */

/* One call of a local function while it is expanded. */
typedef struct lpi_onnx_call {
    const struct Onnx__FunctionProto *function;
    const struct Onnx__NodeProto *node;
    const struct lpi_onnx_scope *caller; /* where the node stands */
    const struct lpi_onnx_call *outer;   /* the call around, or NULL */
    const char *prefix;                  /* of the names inside */
    const char *module;                  /* of the layers inside */
} lpi_onnx_call;

/* Names of a function body, or of a graph inside one.  NULL stands for a
 * graph outside functions: there a name means itself. */
typedef struct lpi_onnx_scope {
    const struct lpi_onnx_scope
        *outer; /* the scope around; NULL in a function */
    const lpi_onnx_call *call;
    lpi_map *map;        /* name to position in "actual" */
    const char **actual; /* the tensor's name; NULL: absent */
    int64_t count, room;
    int64_t formals; /* the first ones: inputs and outputs of the function */
} lpi_onnx_scope;

/* What one import shares. */
typedef struct lpi_import {
    lpi_arena *scratch; /* dies with the import */
    lp_model *model;
    const struct Onnx__ModelProto *proto;
    const lpi_onnx_links *links;
    lpi_map *functions;  /* key of a function to its position, or NULL */
    lpi_map *suffixes;   /* name to the next number that makes it unique */
    lpi_map *sides;      /* external file to its position in "side_bytes" */
    int64_t *side_bytes; /* its size, -1: absent */
    int64_t sides_count, sides_room;
    lpi_map *modules; /* path to its position in "paths" */
    const char **paths;
    int64_t paths_count, paths_room;
    int64_t effort; /* spent on functions and bodies */
    int32_t depth;  /* of bodies and calls */
    lpi_text text;  /* scratch */
    lp_error *error;
} lpi_import;

/* LP_EINPUT or LP_EUNSUPPORTED in "what" (layer, tensor, ...) "name". */
lp_status lpi_import_fail(const lpi_import *import, const char *what,
                          const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));
lp_status lpi_import_fail_memory(const lpi_import *import);

/* Take "amount" from the effort that functions and bodies may cost: a unit is
 * a name, a number, or 16 bytes of text. */
lp_status lpi_import_spend(lpi_import *import, size_t amount);

/* A scope inside "outer" for the names of "call"; NULL without memory. */
lpi_onnx_scope *lpi_onnx_scope_new(lpi_import *import,
                                   const lpi_onnx_scope *outer,
                                   const lpi_onnx_call *call);
lp_status lpi_onnx_scope_bind(lpi_import *import, lpi_onnx_scope *scope,
                              const char *name, const char *actual);

/* True when "scope" or one around it knows "name"; "*ret_actual" is NULL for
 * an absent operand. */
bool lpi_onnx_scope_find(const lpi_onnx_scope *scope, const char *name,
                         const char **ret_actual);

/* Add a tensor to "model" that "scope" calls "name": an activation until the
 * caller says otherwise. */
lp_status lpi_onnx_scope_define(lpi_import *import, lp_model *model,
                                lpi_onnx_scope *scope, const char *name,
                                lp_tensor **ret_tensor);

/* ---- modpath.c: module paths -------------------------------------------- */

/* The module path of "node", which stands in "call" (or NULL); with
 * "inside", that of the layers which its call of a function makes. */
lp_status lpi_onnx_module_path(lpi_import *import,
                               const struct Onnx__NodeProto *node,
                               const lpi_onnx_call *call, bool inside,
                               const char **ret_path);

/* ---- types.c: declared types -------------------------------------------- */

lp_status lpi_import_type(const lpi_import *import,
                          const struct Onnx__ValueInfoProto *info,
                          const lpi_declared **ret_declared);

/* ---- payload.c, sparse.c, external.c: the content of tensors ------------ */

/* Give "tensor" the dtype, shape and payload of "proto". */
lp_status lpi_import_tensor(lpi_import *import,
                            const struct Onnx__TensorProto *proto,
                            lp_tensor *tensor);
lp_status lpi_import_sparse(lpi_import *import,
                            const struct Onnx__SparseTensorProto *proto,
                            lp_tensor *tensor);
lp_status lpi_import_external(lpi_import *import,
                              const struct Onnx__TensorProto *proto,
                              lp_tensor *tensor, int64_t bytes);

/* Set dtype and shape of "tensor" after checks; its bytes fit an int64_t. */
lp_status lpi_import_shape(const lpi_import *import, lp_tensor *tensor,
                           int32_t dtype, const int64_t *dims, size_t rank);

/* ---- attribute.c -------------------------------------------------------- */

/* Give "layer" of "model" the attributes of "node", which stands in
 * "scope". */
lp_status lpi_import_attributes(lpi_import *import, lp_model *model,
                                const struct Onnx__NodeProto *node,
                                const lpi_onnx_scope *scope, lp_layer *layer);

/* ---- function.c --------------------------------------------------------- */

/* Index the local functions of the model by domain, name and overload. */
lp_status lpi_onnx_functions_index(lpi_import *import);

/* The function that "node" calls, or NULL. */
const struct Onnx__FunctionProto *
lpi_onnx_function_of(const lpi_import *import,
                     const struct Onnx__NodeProto *node);

/* A layer whose inputs and attributes wait until all names are known. */
typedef struct lpi_onnx_pending {
    lp_layer *layer;
    const struct Onnx__NodeProto *node;
    lpi_onnx_scope *scope;
} lpi_onnx_pending;

/* A graph, or a body, while it is built. */
typedef struct lpi_onnx_building {
    lp_model *model;
    lpi_onnx_pending *pending;
    int64_t count, room;
} lpi_onnx_building;

/* Put the layers of "function", called by "node" in "scope", into
 * "building". */
lp_status lpi_onnx_function_expand(lpi_import *import,
                                   lpi_onnx_building *building,
                                   const struct Onnx__FunctionProto *function,
                                   const struct Onnx__NodeProto *node,
                                   lpi_onnx_scope *scope);

/* ---- layers.c ------------------------------------------------------------ */

/* Define the outputs of "nodes", then add their layers to "building". */
lp_status lpi_import_nodes(lpi_import *import, lpi_onnx_building *building,
                           struct Onnx__NodeProto *const *nodes, size_t count,
                           lpi_onnx_scope *scope);

/* Add a layer called "name"; its operands wait. */
lp_status lpi_import_layer(lpi_import *import, lpi_onnx_building *building,
                           const struct Onnx__NodeProto *node,
                           lpi_onnx_scope *scope);

/* Give the waiting layers their inputs and attributes. */
lp_status lpi_import_operands(lpi_import *import, lpi_onnx_building *building);

/* The tensor of "model" that "scope" calls "name", or NULL. */
lp_tensor *lpi_import_find(const lp_model *model, const lpi_onnx_scope *scope,
                           const char *name);

/* The name of "node": its own, that of its first output, or "". */
const char *lpi_onnx_node_name(const struct Onnx__NodeProto *node);

/* ---- import.c ------------------------------------------------------------ */

/* Build "model" from "graph", whose names mean what "scope" says. */
lp_status lpi_import_graph(lpi_import *import,
                           const struct Onnx__GraphProto *graph,
                           const lpi_onnx_scope *scope, lp_model *model);

/* "text", or "" for NULL. */
const char *lpi_onnx_or_empty(const char *text);

/* Use the names and types of "infos" for tensors of "model". */
lp_status lpi_import_infos(lpi_import *import, lp_model *model,
                           const lpi_onnx_scope *scope,
                           struct Onnx__ValueInfoProto *const *infos,
                           size_t count);

#endif
