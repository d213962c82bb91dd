/* frame.h: a graph while it runs: its tensors, its memories, its layers and
 * their bodies.
 *
 * A part of exec.h, which alone includes it. */
#ifndef LPI_EXEC_FRAME_H
#define LPI_EXEC_FRAME_H

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

/* LP_EUNSUPPORTED when "what" (of tensor or layer "name"), "bytes" of it, are
 * over options.max_memory_bytes. */
lp_status lpi_exec_fits(const lpi_exec *exec, int64_t bytes, const char *what,
                        const char *name);

/* A buffer of "size" bytes for "tensor"; LP_EUNSUPPORTED when activations, or
 * what is static alone, are over options.max_memory_bytes. */
lp_status lpi_buffer_new(lpi_exec *exec, const lp_tensor *tensor, int64_t size,
                         bool is_static, lpi_buffer **ret_buffer);
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

#endif
