/* lower.h: from a schedule to its program: what lower.c and the files that it
 * calls share, and layers cut down to a tile.
 *
 * A part of sched.h, which alone includes it. */
#ifndef LPI_SCHED_LOWER_H
#define LPI_SCHED_LOWER_H

/* ---- lowering, inside: lower.c and the files it calls ------------------ */

/* A copy of residency "from" into "to", issued before unit "at" and ready
 * before unit "ready". */
typedef struct lpi_copy {
    int64_t from, to, at, ready;
    bool is_clean; /* "to" holds the bytes already */
} lpi_copy;

/* One lowering under way. */
typedef struct lpi_lowering {
    lpi_program *program;
    const lp_schedule *schedule;
    lpi_arena *scratch;
    const lp_alias **aliases; /* by tensor id; NULL: none */
    int64_t residencies_room, steps_room;
    lpi_copy *copies; /* between memories, in any order */
    int64_t copies_count, copies_room;
    lp_refusal *refusal;
    lp_error *error;
} lpi_lowering;

/* LP_EINFEASIBLE: unit "unit" (-1: none) is refused for "tensor" (NULL). */
lp_status lpi_refuse(lp_refusal *refusal, lp_error *error,
                     const lp_schedule *schedule, int64_t unit,
                     const char *tensor, int64_t bytes, lp_line line,
                     const char *format, ...)
    __attribute__((format(printf, 8, 9), cold));

/* The same while lowering; bytes are those of the tensor. */
#define LPI_REFUSE(l, unit, tensor, line, ...)                                 \
    lpi_refuse((l)->refusal, (l)->error, (l)->schedule, (unit),                \
               (tensor) ? (tensor)->name : NULL,                               \
               (tensor) ? lpi_planned_bytes((l)->schedule, (tensor)) : -1,     \
               (line), __VA_ARGS__)

/* "NAME" or "NAME#ORDINAL" of unit "unit" of "schedule", appended. */
void lpi_unit_name(const lp_schedule *schedule, int64_t unit, lpi_text *text);

/* Layers of a unit: one, or those of its group. */
lp_layer *const *lpi_unit_layers(const lp_unit *unit, int32_t *ret_count);

/* width.c: the dtype that "schedule" plans for a tensor, whose model it is, and
 * the bytes that follow; of a static tensor, those that are stored. */
const lpi_precision *lpi_precision_of(const lp_schedule *schedule,
                                      const lp_tensor *tensor);
lp_dtype lpi_planned_dtype(const lp_schedule *schedule,
                           const lp_tensor *tensor);
int64_t lpi_planned_bytes(const lp_schedule *schedule, const lp_tensor *tensor);
int64_t lpi_planned_stored(const lp_schedule *schedule,
                           const lp_tensor *tensor);

/* Whether elements of both take the same bits; and whether "later", where it
 * shares the bytes of "earlier", holds what it should: it is not rounded, or
 * exactly as "earlier" is. */
bool lpi_same_width(const lp_schedule *schedule, const lp_tensor *a,
                    const lp_tensor *b);
bool lpi_same_values(const lp_schedule *schedule, const lp_tensor *later,
                     const lp_tensor *earlier);

/* Refuse entries that are not legal. */
lp_status lpi_lower_widths(lpi_lowering *l);

/* Activations that a program holds: no statics, no captures. */
bool lpi_is_value(const lp_tensor *tensor);

/* values.c: the values and what each unit reads and makes. */
lp_status lpi_lower_values(lpi_lowering *l);

/* alias.c: roots, and proof that nothing is overwritten too early. */
lp_status lpi_lower_aliases(lpi_lowering *l);

/* Whether output 0 of "layer" may lie where its input "i" lies, by its row,
 * dtypes and shapes; lifetimes are another matter. */
bool lpi_in_place(const lp_layer *layer, int32_t i);

/* Where input "i" of Concat "layer" lies in its output, or output "i" of a
 * Split in its input: blocks of the planned widths; false when it is neither or
 * not on bytes. */
bool lpi_part_find(const lp_schedule *schedule, const lp_layer *layer,
                   int32_t i, bool is_concat, lpi_value *ret_box);

/* reside.c: residencies of roots, copies between memories. */
lp_status lpi_lower_residencies(lpi_lowering *l);

/* buffers.c: workspace, staging. */
lp_status lpi_lower_buffers(lpi_lowering *l);

/* group.c: tiles, and their buffers. */
lp_status lpi_lower_group(lpi_lowering *l, int64_t unit);

/* steps.c */
lp_status lpi_lower_steps(lpi_lowering *l);

/* Note a copy for lpi_lower_steps. */
lp_status lpi_copy_add(lpi_lowering *l, lpi_copy copy);

/* predict.c: live peak, traffic, macs; and once placed, arenas. */
lp_status lpi_predict(lpi_lowering *l);
lp_status lpi_predict_placed(lpi_program *program, lp_error *error);

/* The figure of "predictions" that "quantity" names; false: it names none. */
bool lpi_prediction_of(const lp_predictions *predictions, const char *quantity,
                       int64_t *ret_value);

/* weights.c: what units read from where weights live. */
typedef struct lpi_weights_held {
    int64_t *bytes;   /* by unit: of the static operands that no pin holds */
    int64_t *copies;  /* by unit: how many these are */
    int64_t *readers; /* by pin: the first unit that reads it; -1: none */
} lpi_weights_held;

lp_status lpi_weights_find(const lpi_program *program, lpi_arena *arena,
                           lpi_weights_held *ret_weights, lp_error *error);

/* The same without pins, each weight where it is read first. */
lp_status lpi_weights_firsts(const lpi_program *program, lpi_arena *arena,
                             lpi_weights_held *ret_weights, lp_error *error);

/* The most that pins hold at a unit, and with what it reads beside them. */
lp_status lpi_weights_peak(const lpi_program *program,
                           const lpi_weights_held *weights, int64_t *ret_pinned,
                           int64_t *ret_all, lp_error *error);

/* timeline.c: when "program" does what on "device"; lists are made in "arena".
 * LP_EINFEASIBLE when it writes where nothing can be written. */
lp_status lpi_program_time(lpi_arena *arena, const lpi_program *program,
                           const lp_device *device, lp_timeline *ret_timeline,
                           lp_error *error);

/* device.c, bound.c: lp_device_compute_ns and lp_device_bound with the widths
 * that "schedule" (NULL: none) plans. */
int64_t lpi_compute_ns(const lp_device *device, const lp_schedule *schedule,
                       const lp_layer *layer, const lp_cost *cost);
lp_status lpi_latency_bound(const lp_device *device, const lp_model *model,
                            const lp_schedule *schedule,
                            int64_t *ret_latency_ns, lp_error *error);

/* place.c: the offsets that the schedule gives. */
lp_status lpi_place_given(lpi_lowering *l);

/* wishes.c */
/* The moves and the home of each tensor, and the lives of roots. */
typedef struct lpi_wishes {
    int32_t *homes;          /* by tensor id */
    int64_t *moves, *next;   /* heads by tensor id, links by move; -1 */
    int64_t *firsts, *lasts; /* by root */
    int64_t *heads, *links;  /* units that touch a moved root */
    int64_t *touched;        /* pool of units, by link */
    int64_t links_count, links_room, touched_room;
    bool *is_moved; /* by value */
} lpi_wishes;

lp_status lpi_wishes_find(lpi_lowering *l, lpi_wishes *ret_wishes);

/* group.c, group_buffers.c */
/* A group being cut into tiles. */
typedef struct lpi_cutter {
    lpi_lowering *l;
    int64_t unit;
    const lp_group *group;
    lpi_stage *stages;
    int64_t tiles;
    int64_t parts, part_extent; /* of the sums, as in lpi_tiling */
    int64_t counts[LPI_RANKS];  /* of tiles, by axis */
    int64_t extents[LPI_RANKS]; /* by axis */
    int32_t *makers;            /* by tensor id: stage + 1 */
    struct lpi_rows *rows;      /* by stage: rows kept; NULL: none are */
} lpi_cutter;

lp_status lpi_cutter_refuse(const lpi_cutter *c, const lp_tensor *tensor,
                            const char *why);

lpi_box lpi_tensor_box(const lp_tensor *tensor);

/* split.c: sums in parts. */
/* Cut the sums of the only layer of "c" into parts of "extent" terms. */
lp_status lpi_cutter_split(lpi_cutter *c, int64_t extent);

/* Bytes of weights that are never in flight together. */
int64_t lpi_cutter_sliced(const lpi_cutter *c);

bool lpi_box_empty(const lpi_box *box);

/* keep.c: a group that keeps rows. */
lp_status lpi_keep_start(lpi_cutter *c);

/* What stage "s" has to compute in "tile", when those after it need the box
 * that it has now. */
lp_status lpi_keep_take(lpi_cutter *c, int32_t s, int64_t tile);

/* Whether all tiles have to be cut again: prepared for that. */
bool lpi_keep_again(lpi_cutter *c);

/* Where rows are held in each tile, once all boxes are known. */
lp_status lpi_keep_settle(lpi_cutter *c);

/* Give the pieces of "c", whose boxes are known, their buffers. */
lp_status lpi_cutter_buffers(lpi_cutter *c);

/* Append a residency; "*ret_at" may be NULL. */
lp_status lpi_residency_add(lpi_lowering *l, const lpi_residency *residency,
                            int64_t *ret_at);

/* Append "residency", a buffer, to those of unit "unit". */
lp_status lpi_buffer_add(lpi_lowering *l, int64_t unit,
                         const lpi_residency *residency, int64_t *ret_at);

/* ---- split.c, weights.c: parts of static tensors ------------------------ */

/* Whether any part of static "tensor" can be had without the rest; and whether
 * "piece" is such an operand, of which each part of the sums needs another
 * slice. */
bool lpi_can_slice(const lp_tensor *tensor);
bool lpi_is_sliced(const lpi_tiling *tiling, const lpi_piece *piece);

/* The terms of part "tile" belongs to: from, to (beyond the last one perhaps);
 * 0, 0 where sums are whole. */
void lpi_tiling_range(const lpi_tiling *tiling, int64_t tile,
                      int64_t ret_range[2]);

/* ---- shadow.c: a layer cut down to a tile ------------------------------ */

/* A box of the result, and which terms of its sums; "to" 0: all. */
typedef struct lpi_part {
    const lpi_box *out;
    int64_t from, to;
} lpi_part;

lp_status lpi_shadow_part(lpi_arena *arena, const lp_model *model,
                          const lp_layer *layer, const lpi_part *part,
                          lpi_box *ret_in, lp_layer **ret_shadow,
                          lp_error *error);

/* A layer that computes the boxes of a tile: tensors of the boxes' shapes and
 * adapted params, which a row's run and cost take as any layer.  "out" and
 * "ret_in" (room for the layer's inputs) are boxes; rank -1: whole. */
lp_status lpi_shadow_new(lpi_arena *arena, const lp_model *model,
                         const lp_layer *layer, const lpi_box *out,
                         lpi_box *ret_in, lp_layer **ret_shadow,
                         lp_error *error);

#endif
