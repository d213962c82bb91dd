/* net.h: the one-line form of models.
 *
 * A part of io.h, which alone includes it. */
#ifndef LPI_IO_NET_H
#define LPI_IO_NET_H

/* Read the one-line form. */
lp_status lpi_net_read(const char *text, int64_t cap_bytes,
                       lp_model **ret_model, lp_error *error);

/* ---- net.c ------------------------------------------------------------- */

enum {
    LPI_NET_AXES = 8,      /* most dimensions of a result */
    LPI_NET_DIM_BITS = 40, /* a dimension is at most 2^40 */
    LPI_NET_INPUTS = 5,    /* most inputs of an operator */
};

/* The result of a layer, or an input. */
typedef struct lpi_net_value {
    lp_tensor *tensor;
    lp_dtype dtype;
    int32_t rank;
    int64_t dims[LPI_NET_AXES];
} lpi_net_value;

/* Numbers of one argument: 3x3 gives two. */
typedef struct lpi_net_numbers {
    int32_t count;
    int64_t at[LPI_NET_AXES];
} lpi_net_numbers;

/* What follows the word of a layer. */
typedef struct lpi_net_args {
    lpi_net_numbers plain; /* without a letter before them */
    lpi_net_numbers kernel, stride, pad, dilation, group;
    bool same;           /* pads that keep the size */
    lpi_net_value other; /* the result that is named */
} lpi_net_args;

typedef struct lpi_net_row lpi_net_row;

typedef struct lpi_net {
    lpi_lexer lexer;
    lp_model *model;
    lpi_net_value last; /* what the next layer reads */
    lpi_map *names;     /* of results, to positions in "values" */
    lpi_net_value *values;
    int64_t values_count, values_room;
    int64_t *used; /* layers of each row without a name of their own */
    /* the layer under way */
    const lpi_net_row *row;
    lpi_spot spot;
    const char *label;
    lpi_net_args args;
    lpi_attr *attrs; /* of the next operator */
    int64_t attrs_count, attrs_room;
} lpi_net;

/* A kind of layer: "build" reads "last" and "args" and sets "last". */
struct lpi_net_row {
    const char *word;
    lp_status (*build)(lpi_net *net);
    int8_t least, most;  /* how many plain numbers */
    int8_t floor;        /* the least value of one */
    const char *letters; /* of its options */
    bool names;          /* names another result */
    const char *op;      /* of rows that share a function */
};

/* Ends with a NULL word. */
extern const lpi_net_row lpi_net_rows[];

/* ---- net_emit.c: what builders call ------------------------------------- */

/* An operator to add; inputs end at the last that is not NULL. */
typedef struct lpi_net_call {
    const char *op;
    lp_tensor *inputs[LPI_NET_INPUTS];
} lpi_net_call;

/* LP_EINPUT at the word of the layer under way. */
lp_status lpi_net_fail(lpi_net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* "LABEL.part"; "" without memory. */
const char *lpi_net_below(lpi_net *net, const char *part);

/* Add an operator with the attributes collected so far; its output is called
 * "name". */
lp_status lpi_net_add(lpi_net *net, const char *name, lpi_net_call call,
                      lp_tensor **ret_output);

/* Add the last operator of a layer: its output becomes "last". */
lp_status lpi_net_finish(lpi_net *net, lpi_net_call call);

/* Collect an attribute; ints are copied, "times" times in a row. */
lp_status lpi_net_attr_int(lpi_net *net, const char *name, int64_t value);
lp_status lpi_net_attr_string(lpi_net *net, const char *name,
                              const char *value);
lp_status lpi_net_attr_ints(lpi_net *net, const char *name,
                            const lpi_net_numbers *values, int32_t times);

/* Make the weight LABEL.part, of the dtype of "last" and without content. */
lp_status lpi_net_weight(lpi_net *net, const char *part, int32_t rank,
                         const int64_t *dims, lp_tensor **ret_weight);

/* Make an operand with "count" values in storage form. */
lp_status lpi_net_constant(lpi_net *net, const char *part, lp_dtype dtype,
                           int64_t count, const void *values,
                           lp_tensor **ret_tensor);

/* Set dimension "axis" of "last", from 1 to 2^40. */
lp_status lpi_net_set_dim(lpi_net *net, int32_t axis, int64_t dim);

/* Check that "last" has from "least" to "most" dimensions. */
lp_status lpi_net_want_rank(lpi_net *net, int32_t least, int32_t most);

/* Make "numbers" one for each of "count" axes: the one given holds for all,
 * "or_else" when there is none. */
lp_status lpi_net_spread(lpi_net *net, lpi_net_numbers *numbers, int32_t count,
                         int64_t or_else);

/* ---- net_window.c ------------------------------------------------------- */

lp_status lpi_net_conv(lpi_net *net);
lp_status lpi_net_dwconv(lpi_net *net);
lp_status lpi_net_convt(lpi_net *net);
lp_status lpi_net_pool(lpi_net *net); /* MaxPool, AveragePool */
lp_status lpi_net_gap(lpi_net *net);
lp_status lpi_net_upsample(lpi_net *net);

#endif
