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

/* ---- array.c, npy.c, pb.c: tensors outside models -------------------- */

/* An array of zeros; NULL without memory.  Free with lp_array_free. */
lp_array *lpi_array_new(lp_dtype dtype, lp_shape shape);

lp_status lpi_npy_read(const char *path, int64_t cap_bytes,
                       lp_array **ret_array, lp_error *error);

/* The NPY form of "array"; free the bytes with lp_text_free. */
lp_status lpi_npy_write(const lp_array *array, char **ret_bytes,
                        size_t *ret_length, lp_error *error);

/* compare.c: sums over floats that are compared, and what they say. */
typedef struct lpi_distances {
    double largest, got_squares, wanted_squares, difference_squares, products;
} lpi_distances;

/* Add the elements of two arrays of the same dtype and shape, if floats. */
void lpi_distance_add(lpi_distances *sums, const lp_array *got,
                      const lp_array *wanted);
lp_distance lpi_distance_of(const lpi_distances *sums);

/* ---- draw.c: numbers out of a counter -------------------------------- */

/* The start of the stream of numbers for the tensor called "name". */
uint64_t lpi_draw_key(uint64_t seed, const char *name);

/* How drawn numbers become values: centre + spread * u, u uniform in [-1, 1)
 * (floats); least .. most uniform (integers, bool). */
typedef struct lpi_draw {
    float centre, spread;
    int64_t least, most;
} lpi_draw;

/* Fill "to", "count" elements of "dtype", from the stream of "key"; bool by a
 * coin.  False for dtypes that hold no numbers. */
bool lpi_draw_fill(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   int64_t count, void *to);

/* The same for the elements from "range"[0] to "range"[1]. */
bool lpi_draw_part(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   const int64_t range[2], void *to);

/* How input "input" of the graph "model" is drawn: floats in [-1, 1), integers
 * 0 to 9, but indices of a Gather within the axis. */
lpi_draw lpi_draw_input(const lp_model *model, const lp_tensor *input);

/* ---- fill.c: values for weights whose content is absent -------------- */

/* How static tensor "tensor" of "model" is drawn: by what reads it. */
lpi_draw lpi_fill_draw(const lp_model *model, const lp_tensor *tensor);

/* ---- content.c: what static tensors hold ----------------------------- */

typedef struct lpi_slot lpi_slot;

typedef struct lpi_content {
    bool fills; /* absent content is drawn */
    uint64_t seed;
    lpi_file *file;       /* the one that was read last; NULL */
    const char *location; /* its payload.location, NULL: the model's own */
    char *flight; /* mapping of what is in flight, a stack of "flight_bytes" */
    int64_t flight_size, flight_bytes, flight_peak_bytes;
    lpi_slot **held; /* whose content is in flight, oldest first */
    int64_t held_count, held_room;
    int64_t kept_bytes;       /* small ones, which stay in their slots */
    int64_t pinned_bytes;     /* what pins hold in slots */
    const lp_tensor *pinning; /* being made to stay by a pin; NULL */
    int32_t making;           /* content for itself, or for a pin */
    lpi_map *first_of; /* range of a file to the id of the first tensor */
} lpi_content;

/* Store in "ret_bytes" the content of static "tensor" of "frame"; valid until
 * lpi_content_release with the mark that was taken before. */
lp_status lpi_content_get(lpi_frame *frame, const lp_tensor *tensor,
                          const void **ret_bytes);

/* The part "box" of "tensor", of which lpi_can_slice says yes, contiguous;
 * "slot" (zero) holds it, and must stay until it is released. */
lp_status lpi_content_slice(lpi_frame *frame, const lp_tensor *tensor,
                            const lpi_box *box, lpi_slot *slot);

/* A mark of what is in flight, and freeing what came after it. */
int64_t lpi_content_mark(const lpi_exec *exec);
void lpi_content_release(lpi_exec *exec, int64_t mark);

void lpi_content_close(lpi_exec *exec);

/* ---- weights.c: what weights hold ------------------------------------ */

/* Whether weight "tensor" has content that can be read; a file that exists
 * and is wrong is an error. */
lp_status lpi_content_exists(lpi_exec *exec, const lp_tensor *tensor,
                             bool *ret_exists);

/* Fill "bytes" with the content of weight "tensor", read or drawn. */
lp_status lpi_content_read(lpi_exec *exec, const lp_model *model,
                           const lp_tensor *tensor, void *bytes);

/* The same for the elements from "range"[0] to "range"[1] alone. */
lp_status lpi_content_read_part(lpi_exec *exec, const lp_model *model,
                                const lp_tensor *tensor, const int64_t range[2],
                                void *bytes);

/* ---- frame.c, heap.c ------------------------------------------------- */

/* Bytes on the heap that several tensors may share. */
typedef struct lpi_buffer {
    int64_t size, room;      /* room: what it was made with, "size" or more */
    struct lpi_buffer *next; /* among those to be used again */
    int32_t references;
    bool is_static; /* not an activation */
    void *bytes;
} lpi_buffer;

/* A tensor of a frame: "bytes" NULL while it is not resident. */
struct lpi_slot {
    void *bytes;
    lp_shape shape; /* in this run */
    lpi_buffer *buffer;
    int32_t uses; /* reads to come (heap) */
    bool is_pinned;
};

struct lpi_frame {
    lpi_exec *exec;
    const lp_model *model;
    lpi_frame *outer;           /* of the graph around */
    lpi_arena *arena;           /* slots and shapes */
    lpi_arena *shadow;          /* of the layer that runs */
    lpi_slot *slots;            /* by tensor id */
    const lpi_program *program; /* NULL: heap */
    char *const *memories;      /* of the program, by number */
    int64_t unit;               /* that runs; -1 before the first */
    int64_t mark;               /* of what was in flight before */
    int32_t depth;              /* of bodies */
};

/* Begin a frame of "model"; "ret_frame" is all zero, or one of the same model
 * that is begun again.  lpi_frame_end also after a failure. */
lp_status lpi_frame_start(lpi_exec *exec, const lp_model *model,
                          lpi_frame *outer, lpi_frame *ret_frame);
void lpi_frame_end(lpi_frame *frame);

/* Content and shape of "tensor" of "frame", of any kind. */
lp_status lpi_frame_get(lpi_frame *frame, const lp_tensor *tensor,
                        const void **ret_bytes, lp_shape *ret_shape);

/* Room for "tensor", an input of the graph before the first unit, then a
 * result: where the program says, else on the heap. */
lp_status lpi_frame_put(lpi_frame *frame, const lp_tensor *tensor,
                        lp_shape shape, void **ret_bytes);

/* Set the shape of "tensor" in this run (copied). */
lp_status lpi_frame_shape(lpi_frame *frame, const lp_tensor *tensor,
                          lp_shape shape);

/* NULL without memory, or when activations are over
 * options.max_memory_bytes. */
lpi_buffer *lpi_buffer_new(lpi_exec *exec, int64_t size, bool is_static);
void lpi_buffer_drop(lpi_exec *exec, lpi_buffer *buffer);

/* Free the buffers that would be used again until they and "more" bytes beside
 * the living fit below the highest load so far. */
void lpi_buffer_trim(lpi_exec *exec, int64_t more);

/* Run the layers of "frame", whose inputs are put, in their order, each
 * buffer freed after its last use. */
lp_status lpi_heap_run(lpi_frame *frame);

/* Run "frame" as its program says, or on the heap. */
lp_status lpi_frame_run(lpi_frame *frame);

/* ---- memory.c: a memory between guard pages -------------------------- */

typedef struct lpi_region {
    char *mapping;
    size_t mapped;
    char *base; /* of exactly "size" bytes, ending at the guard */
    int64_t size, slack;
} lpi_region;

/* Map "size" bytes, aligned to "alignment", between pages that fault. */
lp_status lpi_region_map(int64_t size, int64_t alignment,
                         lpi_region *ret_region, lp_error *error);
void lpi_region_unmap(lpi_region *region);

/* Whether nothing wrote into the slack behind the last byte. */
bool lpi_region_whole(const lpi_region *region);

/* Overwrite dead bytes, so that reading them shows: every float is NaN. */
void lpi_poison(void *bytes, int64_t count);

/* ---- layer.c: one layer ---------------------------------------------- */

/* Run "layer" of "frame": its operands are resident, its results are put. */
lp_status lpi_layer_run(lpi_frame *frame, const lp_layer *layer);

/* Call the row of the layer (or shadow) of "call", which says model, layer and
 * buffers. */
lp_status lpi_layer_compute(lpi_frame *frame, const lpi_run *call);

/* Count the multiplies of "layer", run with the shapes of "actual" (it, or its
 * shadow). */
lp_status lpi_layer_count(lpi_frame *frame, const lp_layer *layer,
                          const lp_layer *actual);

/* ---- body.c: layers with bodies -------------------------------------- */

/* Whether "layer" runs bodies that this folder knows how to run. */
bool lpi_body_known(const lp_layer *layer);
lp_status lpi_body_run(lpi_frame *frame, const lp_layer *layer);

/* Let "inner", the frame of "body" of "layer" in "frame", run in the workspace
 * that was planned for it, if any. */
lp_status lpi_body_place(lpi_frame *frame, const lp_layer *layer,
                         const lp_model *body, lpi_frame *inner);

/* A copy of what "tensor" of "frame" holds, and giving it to another. */
lp_status lpi_copy_out(lpi_frame *frame, const lp_tensor *tensor,
                       lp_array **ret_array);
lp_status lpi_copy_in(lpi_frame *frame, const lp_tensor *tensor,
                      const lp_array *array);

/* The body that "layer" has as attribute "name", or NULL. */
lp_model *lpi_body_of(const lp_layer *layer, const char *name);

/* The first element of operand "i" of "layer" as an integer, or "absent". */
lp_status lpi_read_int(lpi_frame *frame, const lp_layer *layer, int32_t i,
                       int64_t absent, int64_t *ret_value);

/* ---- bundle.c: sequences, optionals, texts --------------------------- */

/* Whether the bytes of "array" are a bundle, and a copy of one as an array
 * (NULL without memory). */
bool lpi_array_is_bundle(const lp_array *array);
lp_array *lpi_array_of_bundle(const lpi_bundle *bundle);

/* lp_array_compare where one of both holds a bundle. */
lp_status lpi_bundles_compare(const lp_array *got, const lp_array *wanted,
                              const lp_tolerance *tolerance,
                              lp_difference *ret_difference, lp_error *error);

/* Read the file "path" as what "tensor" of a raw model is declared to be. */
lp_status lpi_array_read(const char *path, const lp_tensor *tensor,
                         lp_array **ret_array, lp_error *error);

/* Make a copy of "bundle" the content of "tensor" of "frame". */
lp_status lpi_frame_bundle(lpi_frame *frame, const lp_tensor *tensor,
                           const lpi_bundle *bundle);

/* Refuse "tensor" when it is a constant bundle without content. */
lp_status lpi_check_bundle(const lpi_frame *frame, const lp_tensor *tensor);

lp_status lpi_map_run(lpi_frame *frame, const lp_layer *layer);

/* ---- rounds.c: Loop and Scan ----------------------------------------- */

lp_status lpi_loop_run(lpi_frame *frame, const lp_layer *layer);
lp_status lpi_scan_run(lpi_frame *frame, const lp_layer *layer);

/* ---- program.c, group.c ---------------------------------------------- */

/* Run the program of "frame", whose inputs are put; its outputs are resident
 * afterwards. */
lp_status lpi_program_run(lpi_frame *frame);

/* Where "value" lies before the first unit, or after the last. */
lp_status lpi_program_end(lpi_frame *frame, int64_t value, bool is_end,
                          char **ret_bytes, int64_t *ret_room);

/* Address of value "value" of the program of "frame" at unit "unit";
 * "*ret_room" are the bytes behind it. */
lp_status lpi_program_address(lpi_frame *frame, int64_t value, int64_t unit,
                              char **ret_bytes, int64_t *ret_room);

/* Address of residency "residency", noted as touched. */
char *lpi_program_at(lpi_frame *frame, int64_t residency);

/* roll.c: make room for tile "tile" in the rows kept of each result. */
void lpi_rows_roll(lpi_frame *frame, const lpi_tiling *tiling, int64_t tile);

/* Run unit "unit", a group, tile by tile. */
lp_status lpi_group_run(lpi_frame *frame, int64_t unit);

/* ---- stream.c: weights on their way ---------------------------------- */

/* What the unit that runs has read, and the pins of the program. */
typedef struct lpi_stream {
    bool is_open; /* a unit runs, and weights come from another memory */
    const lp_tensor **seen;
    int64_t count, room;            /* of "seen", a power of two */
    int32_t *pins;                  /* by tensor id: how many hold it */
    int64_t *begins, *ends;         /* pins by unit, ... */
    int64_t *next_begin, *next_end; /* ... linked; -1 ends */
} lpi_stream;

/* Before and after unit "unit" of the program of "frame". */
lp_status lpi_stream_begin(lpi_frame *frame, int64_t unit);
void lpi_stream_end(lpi_frame *frame, int64_t unit);

/* The unit that runs asks for the content of static "tensor" of "frame". */
lp_status lpi_stream_note(lpi_frame *frame, const lp_tensor *tensor);

/* ---- width.c: values whose planned widths are not their own ----------- */

/* A program with widths: what it plans, beside what is computed. */
typedef struct lpi_widths {
    const lpi_program *planned; /* NULL: values lie as they are planned */
    bool *begun;                /* by residency: touched */
    int64_t *taken;             /* residencies whose planned bytes are taken */
    int64_t taken_count;
} lpi_widths;

/* Begin to run "planned": the program whose values are computed. */
lp_status lpi_width_start(lpi_exec *exec, const lpi_program *planned,
                          const lpi_program **ret_carrier);

/* Residency "residency" of the program of "frame" is touched: it as planned. */
const lpi_residency *lpi_width_touch(lpi_frame *frame, int64_t residency);
void lpi_width_drop(lpi_frame *frame, int64_t residency);

/* Planned bytes of static "tensor" of "frame". */
int64_t lpi_width_stored(const lpi_frame *frame, const lp_tensor *tensor);

/* The entry by which "tensor" of "frame" is rounded, NULL: it is not; and
 * rounding the part "box" of it, or all of it, contiguous at "bytes". */
const lpi_precision *lpi_width_rounds(const lpi_frame *frame,
                                      const lp_tensor *tensor);
void lpi_width_round(const lpi_frame *frame, const lp_tensor *tensor,
                     const lpi_box *box, void *bytes);
void lpi_width_round_whole(const lpi_frame *frame, const lp_tensor *tensor,
                           lp_shape shape, void *bytes);

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

/* Tell the progress after a step called "name". */
lp_status lpi_exec_step(lpi_exec *exec, const char *name);
int64_t lpi_exec_now_ns(void);

/* Add the time since "start_ns" to the profile of "layer". */
void lpi_exec_profile(lpi_frame *frame, const lp_layer *layer, int64_t start_ns,
                      bool is_first);

/* LP_EINPUT in the model. */
lp_status lpi_exec_fail(const lpi_exec *exec, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

#endif
