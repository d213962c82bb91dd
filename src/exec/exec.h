/* exec.h: the reference executor: computes what a model computes, as its
 * layers say, or as a program of steps says.
 *
 * A frame is one graph while it runs: where the content of each of its
 * tensors lies, and its shape in this run.  Frames of bodies stand inside that
 * of their graph.  Activations lie in buffers that live as long as they are
 * needed (heap.c), or where a program places them (program.c); static tensors
 * are made when a layer needs them and released after it (content.c). */
#ifndef LPI_EXEC_H
#define LPI_EXEC_H

#include "../../onnx/onnx.h"
#include "../sched/sched.h"

typedef struct lpi_exec lpi_exec;
typedef struct lpi_frame lpi_frame;

#include "array.h"
#include "content.h"
#include "frame.h"
#include "program.h"

/* ---- ready.c --------------------------------------------------------- */

/* Refuse a model with nodes that cannot be run, or with weights that have no
 * content where none is drawn; all are named, or counted. */
lp_status lpi_exec_check(lpi_exec *exec);

/* ---- exec.c: a model ------------------------------------------------- */

/* Bytes and work seen while running. */
typedef struct lpi_counters {
    int64_t macs, traffic_bytes;
    int64_t loop_macs;   /* what the loops counted, in builds where they do */
    int64_t arena_bytes; /* end of the highest byte handed out */
    int64_t heap_bytes, heap_peak_bytes;
    bool is_estimated; /* bounds stood for sizes: less may be done */
} lpi_counters;

/* Time and work of a layer, summed over its runs. */
typedef struct lpi_profile {
    int64_t runs, time_ns, macs, flops, bytes;
} lpi_profile;

struct lpi_exec {
    const lp_model *model;
    const lp_run_options *options;
    lpi_context context; /* of shapes found while running */
    lpi_arena *arena;    /* lives as the run */
    lpi_arena *scratch;  /* of one layer */
    int32_t threads;
    lpi_content content;
    lpi_buffer *spare; /* buffers to be used again, "spare_bytes" in all */
    int64_t spare_bytes;
    lpi_stream stream;
    lpi_widths widths;
    lpi_counters counters;
    lpi_profile *profile; /* by layer of the model; NULL: not wanted */
    int64_t outermost;    /* the layer of the model whose bodies run */
    int64_t done, all;    /* steps of the model */
    lp_error *error;
};

/* An executor of "model"; lpi_exec_end also after a failure.  "error" is not
 * NULL. */
void lpi_exec_open(const lp_model *model, const lp_run_options *options,
                   lpi_exec *ret_exec, lp_error *error);

/* Prepare to run: every node that cannot be run, or every weight that is
 * absent, is named in one error. */
lp_status lpi_exec_start(lpi_exec *exec);
void lpi_exec_end(lpi_exec *exec);

/* Run the model from "inputs" (as the graph's, NULL where static) to
 * "ret_outputs", new arrays as the graph's outputs: in file order on the heap
 * when "program" is NULL. */
lp_status lpi_exec_run(lpi_exec *exec, const lpi_program *program,
                       const lp_array *const *inputs, lp_array **ret_outputs);

/* Run "layer" as a step of "frame", with its time and the progress told. */
lp_status lpi_exec_layer(lpi_frame *frame, const lp_layer *layer);

/* Take what the loops counted since the last call into the counters, unless it
 * is not of a run ("keeps" false). */
void lpi_exec_tally(lpi_exec *exec, bool keeps);

/* Tell the progress after a step called "name"; or within one, which ends
 * nothing but asks whether to go on. */
lp_status lpi_exec_poll(const lpi_exec *exec, const char *name);
lp_status lpi_exec_step(lpi_exec *exec, const char *name);
int64_t lpi_exec_now_ns(void);

/* Add the time since "start_ns" to the profile of "layer". */
void lpi_exec_profile(lpi_frame *frame, const lp_layer *layer, int64_t start_ns,
                      bool is_first);

/* LP_EINPUT in the model. */
lp_status lpi_exec_fail(const lpi_exec *exec, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

#endif
