/* settle.h: models as a whole: attributes decoded, shapes inferred, layers
 * counted, and the bodies inside layers.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_SETTLE_H
#define LPI_OPS_SETTLE_H

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

/* ---- cost.c ------------------------------------------------------------ */

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

/* ---- branch.c: bodies -------------------------------------------------- */

/* Make "cost" that of "times" runs of "body", the status of "node" the worst
 * of its layers. */
void lpi_body_cost(const lpi_node *node, const lp_model *body, int64_t times,
                   lp_cost *cost);

/* Give output "i" of "node" the type of "from", an output of a body, with the
 * shape "shape". */
lp_status lpi_out_body(lpi_node *node, int32_t i, const lp_tensor *from,
                       lp_shape shape);

/* The outputs of "branch" are those of "node", contents included. */
lp_status lpi_out_all(lpi_node *node, const lp_model *branch);

/* ---- states.c: the states of Loop and Scan ----------------------------- */

/* The states that a body carries from one iteration to the next: "count" of
 * them, from input "in" of the layer on, which are inputs of the body from
 * "body_in" and outputs from "body_out" on. */
typedef struct lpi_states {
    lp_model *body;
    int32_t count, in, body_in, body_out;
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

#endif
