/* define.h: operators that are made of others: how definitions are written.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_DEFINE_H
#define LPI_OPS_DEFINE_H

/* The opsets of ai.onnx and ai.onnx.ml whose forms the layers of a definition
 * have. */
enum { LPI_DEFINED_OPSET = 24, LPI_DEFINED_ML = 4 };

/* A definition being written: the body of layer "node".  After a failure the
 * functions below do nothing, and lpi_define_end tells it. */
typedef struct lpi_define {
    lpi_node *node;
    lp_model *body;
    lp_status status;
} lpi_define;

lpi_define lpi_define_begin(lpi_node *node);

/* A body in the body of "d", of the same layer, and an input of it; each name
 * is of one body. */
lpi_define lpi_define_body(lpi_define *d);
void lpi_define_input(lpi_define *d, const char *name);

/* Append a layer "op" ("domain.name" beyond ai.onnx).  "in" and "out" are names
 * parted by one space: a number is that operand of the node (absent where it
 * is), "_" is absent.  "attrs" ends with a NULL name; NULL: none. */
void lpi_define_layer(lpi_define *d, const char *op, const char *in,
                      const char *out, const lpi_attr *attrs);

/* A constant called "name": a vector of integers, a scalar of "dtype". */
void lpi_define_ints(lpi_define *d, const char *name, const int64_t *values,
                     int64_t count);
void lpi_define_number(lpi_define *d, const char *name, lp_dtype dtype,
                       double value);

/* Take the body "body" that the node has as an attribute into the definition:
 * it sees the same, and its first inputs are what "in" names.  NULL after a
 * failure. */
lp_model *lpi_define_adopt(lpi_define *d, lp_model *body, const char *in);

/* The results, as names; the second makes the body the definition of the node.
 */
void lpi_define_outputs(lpi_define *d, const char *out);
lp_status lpi_define_end(lpi_define *d, const char *out);

/* A list of attributes for lpi_define_layer. */
#define LPI_ATTRS(...) ((const lpi_attr[]){__VA_ARGS__, {.name = NULL}})
#define LPI_GIVE_INT(name_, value)                                             \
    {                                                                          \
        .name = (name_), .kind = LPI_ATTR_INT, .i = (value)                    \
    }
#define LPI_GIVE_FLOAT(name_, value)                                           \
    {                                                                          \
        .name = (name_), .kind = LPI_ATTR_FLOAT, .f = (value)                  \
    }
#define LPI_GIVE_FLOATS(name_, list)                                           \
    {                                                                          \
        .name = (name_), .kind = LPI_ATTR_FLOATS, .count = (list).count,       \
        .floats = (list).floats                                                \
    }
#define LPI_GIVE_INTS(name_, list)                                             \
    {                                                                          \
        .name = (name_), .kind = LPI_ATTR_INTS, .count = (list).count,         \
        .ints = (list).ints                                                    \
    }
#define LPI_GIVE_BODY(name_, value)                                            \
    {                                                                          \
        .name = (name_), .kind = LPI_ATTR_BODY, .body = (value)                \
    }

/* Hooks of rows whose settle, or shape, has written the definition; without one
 * nothing is charged. */
lp_status lpi_defined_shape(lpi_node *node);
void lpi_defined_cost(const lpi_node *node, lp_cost *cost);

#endif
