/* cost.h: from settled models to reports.
 *
 * report.c makes one row a layer; the others fill in what takes more than one
 * layer to know: charge.c the weights, live.c what is resident, held.c what
 * waits, module.c the sums by module, convention.c the counts by name.
 * "scratch" is memory of one report that nobody keeps; what a report holds is
 * in its own arena, or in the model, which outlives it. */
#ifndef LPI_COST_H
#define LPI_COST_H

#include "../ops/ops.h"

/* Bodies may nest this deep. */
enum { LPI_BODIES_DEEP = 64 };

/* ---- live.c ------------------------------------------------------------- */

/* Memory that one activation takes, with all its views. */
typedef struct lpi_storage {
    const lp_tensor *root;
    int64_t bytes;
    int64_t first, last;    /* steps between which it is resident */
    int64_t from, to;       /* its longest wait between two touches */
    const lp_layer *reader; /* at "last", NULL: none, or the caller */
    const lp_layer *waiter; /* at "to", likewise */
} lpi_storage;

typedef struct lpi_lives {
    lpi_arena *scratch;      /* which holds them */
    const lp_layer **layers; /* of each step: the listed ones, in order */
    int64_t steps;
    lpi_storage *storages; /* inputs of the graph, then in order of steps */
    int64_t count;
    int64_t *live_bytes; /* of each step */
    int64_t peak_step;   /* the first largest, -1 without steps */
    int64_t peak_bytes;
    int64_t peak_workspace_bytes; /* of bodies, part of "peak_bytes" */
} lpi_lives;

/* Find the storages of "model", how long each lives, and the bytes resident
 * at each step, in time linear in the model and its bodies. */
lp_status lpi_lives_find(lpi_arena *scratch, const lp_model *model,
                         lpi_lives *ret_lives, lp_error *error);

/* The body of "layer" after position "*at" (0 at first) that can run: both
 * branches of an If, or the one that its known condition takes, or the
 * definition of a layer that has one; NULL at the end. */
const lp_model *lpi_next_body(const lp_layer *layer, int32_t *at);

/* ---- held.c ------------------------------------------------------------- */

/* Fill the peak of "report": the storages resident then, largest first; the
 * workspace of a body stands there under the name of its layer. */
lp_status lpi_peak_list(lpi_arena *arena, const lpi_lives *lives,
                        lp_report *report, lp_error *error);

/* Fill the skips of "report": the storages that wait "distance" steps or more
 * (0: the default), by bytes x distance, largest first. */
lp_status lpi_skip_list(lpi_arena *arena, const lpi_lives *lives,
                        int64_t distance, lp_report *report, lp_error *error);

/* ---- stored.c ------------------------------------------------------------ */

/* A set of tensors; two that are the same range of a file are one. */
typedef struct lpi_stored lpi_stored;

/* Empty, in "arena"; NULL without memory. */
lpi_stored *lpi_stored_new(lpi_arena *arena);

/* Put "tensor" in; "*ret_new" tells whether it was not there. */
lp_status lpi_stored_add(lpi_stored *stored, const lp_tensor *tensor,
                         bool *ret_new, lp_error *error);

/* Whether the content of "tensor" lies in a file, not in the graph. */
bool lpi_in_file(const lp_tensor *tensor);

/* ---- role.c ------------------------------------------------------------ */

/* Store in "moved", by layer of "model", the dtypes (a bit each) of integers
 * that the layer makes from data and that are weights to a later one: one pass
 * from the last layer to the first. */
lp_status lpi_find_moved(lpi_arena *scratch, const lp_model *model,
                         uint32_t *moved, lp_error *error);

/* The role of what stands behind operand "i" of "layer", whose own results
 * are "reader" to who reads them ('d' at the top): a scale made from anything
 * is a scale, a weight that is only moved stays a weight.  "moved": the dtypes
 * that lpi_find_moved found for the layer. */
char lpi_role(const lp_layer *layer, int32_t i, char reader, uint32_t moved);

/* ---- charge.c ------------------------------------------------------------ */

/* The dtypes of lp_report.weights_as. */
enum { LPI_WEIGHTS_AS = 5 };

typedef struct lpi_weights {
    lp_weights_as as[LPI_WEIGHTS_AS];
    int64_t operand_elements; /* of all distinct static operands, shapes too */
} lpi_weights;

/* Add params, quant_params and weight_bytes to the cost of "rows", one a
 * layer of "model" in its order.  With "as" not LP_UNDEFINED weights weigh
 * what they would at that dtype, and read_bytes follow. */
lp_status lpi_weights_charge(lpi_arena *scratch, const lp_model *model,
                             lp_dtype as, lp_row *rows,
                             lpi_weights *ret_weights, lp_error *error);

/* ---- width.c ------------------------------------------------------------- */

/* Let the read_bytes of "rows" follow when parameters weigh "as_bytes" (by
 * tensor of "model"; -1: what they weigh as stored; overwritten). */
lp_status lpi_reads_follow(lpi_arena *scratch, const lp_model *model,
                           int64_t *as_bytes, lp_row *rows, lp_error *error);

/* ---- module.c ------------------------------------------------------------ */

/* Fill the modules of "report", whose rows are done, every depth. */
lp_status lpi_module_list(lpi_arena *arena, lp_report *report, lp_error *error);

/* ---- convention.c, price.c --------------------------------------------- */

/* Fill the conventions of "report", whose rows and total are done. */
lp_status lpi_convention_list(lpi_arena *arena, const lpi_weights *weights,
                              lp_report *report, lp_error *error);

/* MACs and priced operations as onnx-tool counts them. */
int64_t lpi_price_onnx_tool(const lp_report *report);

/* Operations as LLM-Viewer counts them. */
int64_t lpi_price_llm_viewer(const lp_report *report);

#endif
