/* node.h: what the hooks of a row call to look at their node, to describe its
 * outputs, to count and to cut it into boxes.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_NODE_H
#define LPI_OPS_NODE_H

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

/* ---- operands.c: operands that say what to do -------------------------- */

/* In settle: make the list of integers "attr", when the layer has it and not
 * the operand, input "i". */
lp_status lpi_node_take_ints(lpi_node *node, int32_t i, const char *attr);

/* "index" of an axis of "length", counted from the end when negative;
 * LP_EINPUT when it is out of range. */
lp_status lpi_index(const lpi_node *node, int64_t index, int64_t length,
                    int64_t *ret_index);

/* Set "ret_mask" of "rank" to true where "axes" (negative ones from the end)
 * point; an axis out of range or given twice is LP_EINPUT. */
lp_status lpi_axes_mask(const lpi_node *node, const lpi_list *axes,
                        int32_t rank, bool *ret_mask);

/* LP_EINPUT when "indices", of the rank of "data", has more elements along an
 * axis other than "axis". */
lp_status lpi_indices_fit(const lpi_node *node, lp_shape data, lp_shape indices,
                          int64_t axis);

/* In a cost: only "elements" of input "i" are read, each once at most. */
void lpi_cost_part(const lpi_node *node, lp_cost *cost, int32_t i,
                   int64_t elements);

/* The cost of rows that read nothing of their inputs but the shape. */
void lpi_cost_unread(const lpi_node *node, lp_cost *cost);

/* The shape of some input is only an upper bound, so that dimensions which do
 * not fit are no contradiction: the larger one bounds them. */
bool lpi_in_bound(const lpi_node *node);

/* Some input holds integers, as shapes do, whose file is absent. */
bool lpi_in_absent(const lpi_node *node);

/* ---- fit.c: operands that fit together ---------------------------------- */

/* LP_EINPUT when the inputs of "node" are not what its row's "operands" says
 * (no row: anything); before its "shape" is called. */
lp_status lpi_node_fit(const lpi_node *node);

/* ---- boxes.c: parts of operands ---------------------------------------- */

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

/* Cut axis "axis" of input "i", "length" terms long, to "range", narrowed to
 * them. */
lp_status lpi_box_split(const lpi_node *node, int32_t i, int32_t axis,
                        int64_t range[2], lpi_box *in);

#endif
