/* sched.h: schedules, what they mean, and whether they are right.
 *
 * A schedule is decisions by name (the sections of its YAML form).  Lowering
 * turns model and schedule into a program: values (productions of tensors),
 * residencies (bytes of a value in a memory over an interval of units) and
 * steps.  Checker, peaks, executor and exporters all walk the same program.
 *
 * A unit is one entry of "runs": one execution of a layer or of a group.
 * Time is counted in units, from 0; what happens between two units (copies,
 * ends of residencies) is told apart by the steps alone. */
#ifndef LPI_SCHED_H
#define LPI_SCHED_H

#include "../cost/cost.h"
#include "../solve/solve.h"

/* ---- the schedule as a value ---------------------------------------- */

/* How a tensor is stored: read, written and checked for form; executed by no
 * program yet. */
typedef struct lpi_precision {
    const lp_tensor *tensor;
    lp_dtype dtype;
    bool is_assumed; /* a width without scales */
    int32_t axis;    /* of the channels; -1: one scale for the tensor */
    const double *scales;
    const int64_t *zero_points;
    int64_t scales_count, zero_points_count;
    const char *file; /* of large scales; NULL */
    lp_line line;
} lpi_precision;

/* Room for the entries of a column. */
typedef struct lpi_stash {
    void *bytes;
    int64_t room;
} lpi_stash;

enum { LPI_STASHES = 8 };

struct lp_schedule {
    lpi_arena *arena; /* holds it; the tensors and layers are the model's */
    const lp_model *model;
    const char *name;   /* in messages: the file */
    const char *device; /* "" none */
    const char *const *planners;
    int64_t planners_count;
    int64_t seed;
    const char *effort;
    const lp_device *target;   /* that "device" names; NULL: not given */
    const lp_memory *memories; /* memory 0: where units read and write */
    int64_t memories_count;
    int32_t weights_memory; /* where weights live; 0: they are read for
                               nothing */
    const lpi_precision *precisions;
    int64_t precisions_count;
    const lp_group *groups;
    int64_t groups_count;
    const lp_unit *units;
    int64_t units_count;
    const lp_home *homes;
    int64_t homes_count;
    const lp_move *moves;
    int64_t moves_count;
    const lp_pin *pins;
    int64_t pins_count;
    const lp_alias *aliases;
    int64_t aliases_count;
    const lp_placed
        *places; /* of all residencies, or none: placed on lowering */
    int64_t places_count;
    bool has_predictions;
    lp_predictions predictions;
    const lp_bound *bounds;
    int64_t bounds_count;
    const char *rule;               /* that placed it; "given": the file */
    lpi_stash stashes[LPI_STASHES]; /* of columns that are set again */
    const struct lpi_known *known;  /* tensors and layers by address; NULL */
};

/* Of placed intervals, where nothing else is asked for. */
enum { LPI_ALIGNMENT = 64 };

/* ---- the program ------------------------------------------------------ */

/* One production of one tensor; graph inputs are produced before unit 0. */
typedef struct lpi_value {
    const lp_tensor *tensor;
    int64_t unit;        /* that produces it; -1: graph input */
    int64_t last_unit;   /* last reader, its own unit if none; units_count:
                            output of the graph */
    int64_t root;        /* value whose residencies hold it; often itself */
    int64_t root_offset; /* its first byte in the root */
    int64_t block_bytes; /* a strided part: "blocks" of so many bytes, */
    int64_t blocks;      /* one each "stride_bytes"; 1: contiguous */
    int64_t stride_bytes;
    int64_t in_place_of; /* value that it overwrites; -1 */
} lpi_value;

typedef enum lpi_residency_kind {
    LPI_OF_VALUE,     /* a root */
    LPI_OF_TILE,      /* tile buffer, or rows kept of a tensor */
    LPI_OF_WORKSPACE, /* of a body */
    LPI_OF_STAGING,   /* contiguous copy of a strided part */
} lpi_residency_kind;

typedef struct lpi_residency {
    lpi_residency_kind kind;
    int64_t value; /* VALUE: a root; STAGING: the part; else -1 */
    const lp_tensor *tensor;
    const lp_layer *layer; /* TILE: its reader, NULL: its producer; rows kept:
                              the producer; WORKSPACE: the layer */
    int32_t memory;
    int64_t first, last;   /* units, both included */
    int64_t bytes, offset; /* offset -1: not placed yet */
    int64_t live_bytes;    /* its part in live_peak_bytes */
} lpi_residency;

typedef enum lpi_step_kind {
    LPI_STEP_RUN,   /* execute unit "unit" */
    LPI_STEP_LOAD,  /* copy residency "from" to "to", a lower memory */
    LPI_STEP_STORE, /* copy residency "from" to "to", a higher memory */
    LPI_STEP_DROP,  /* residency "from" ends */
} lpi_step_kind;

/* Copies may be done when they are issued: the source does not change and the
 * destination is free from then on. */
typedef struct lpi_step {
    lpi_step_kind kind;
    int64_t unit;     /* RUN; LOAD, STORE: ready before it */
    int64_t from, to; /* residencies; -1 */
    bool is_clean;    /* STORE: "to" holds the value already, nothing moves */
} lpi_step;

/* What a unit touches.  The bytes of value v at unit u lie in the residency
 * lpi_program_where(program, v, u), at the value's root_offset. */
typedef struct lpi_use {
    const int64_t *inputs;  /* values, every distinct activation read, with
                               what bodies capture */
    const int64_t *outputs; /* values of the tensors materialised */
    int32_t inputs_count, outputs_count;
    const int64_t *buffers; /* residencies: tiles, workspace, staging */
    int32_t buffers_count;
    const struct lpi_tiling *tiling; /* of a group, else NULL */
} lpi_use;

/* An operand of a layer in a group, tile by tile.  Its bytes lie, contiguous
 * in the shape of the box,
 *   buffer >= 0: in that residency (an input is gathered into it, from the
 *                piece "source" of the group or the value "value"; an output
 *                is computed in it and copied to "value", if any);
 *   else, value >= 0: inside the whole tensor, where the box is contiguous;
 *   else, source set: inside the box of "source", likewise;
 *   else: a static tensor, cut by the executor.
 * An output whose rows are kept ("held" set) is read in the boxes "held": in
 * the residency "kept", into which each tile's box is computed or copied, or,
 * without one, in the whole tensor. */
typedef struct lpi_piece {
    const lp_tensor *tensor; /* NULL: absent operand, or output nobody reads */
    const lpi_box *boxes;    /* by tile; empty: not computed in this tile */
    const lpi_box *held;     /* by tile; NULL: as "boxes" */
    int64_t value;           /* the whole tensor; -1: exists as tiles only */
    int64_t buffer;          /* residency; -1 */
    int64_t kept;            /* residency; -1 */
    const struct lpi_piece *source; /* of an input made inside the group */
} lpi_piece;

typedef struct lpi_stage { /* a layer of a group */
    const lp_layer *layer;
    const lpi_piece *in, *out; /* as the layer's inputs and outputs */
    lp_cost cost;              /* of all its tiles */
} lpi_stage;

typedef struct lpi_tiling {
    int64_t tiles; /* executed in order, each through all stages */
    const lpi_stage *stages;
    int32_t stages_count;
    int64_t parts, part_extent; /* of the sums: tile t is of part t / (tiles /
                                   parts); extent 0: they are whole */
    int64_t sliced_bytes; /* of weights that are never in flight together */
} lpi_tiling;

typedef struct lpi_program {
    lpi_arena *arena; /* holds all of it */
    const lp_model *model;
    const lp_schedule *schedule;
    const lp_unit *units;
    int64_t units_count;
    const lp_memory *memories;
    int64_t memories_count;
    lpi_value *values; /* graph inputs, then by unit */
    int64_t values_count;
    lpi_residency *residencies;
    int64_t residencies_count;
    lpi_step *steps;
    int64_t steps_count;
    lpi_use *uses;        /* by unit */
    int64_t *arena_bytes; /* high-water by memory, once placed */
    int64_t bound_bytes;  /* memory 0: no placement is lower; 0: not sought */
    const char *rule;     /* of the placement; "given": the schedule's */
    int64_t *first_residency; /* by value, a list through "next_residency" */
    int64_t *next_residency;  /* by residency; -1 ends */
    int64_t *input_values, *output_values; /* as the graph's; -1: static */
    int64_t pinned_bytes; /* the most that pins hold in memory 0 at a unit */
    lp_predictions predictions; /* arena, fast peak and latency once placed */
} lpi_program;

/* Turn "schedule" into a program in "arena", placed as the schedule says, or by
 * lpi_program_place when it places nothing.  What it cannot mean is
 * LP_EINFEASIBLE, and "refusal" (may be NULL) says where. */
lp_status lpi_program_lower(lpi_arena *arena, const lp_schedule *schedule,
                            lpi_program *ret_program, lp_refusal *refusal,
                            lp_error *error);

/* Give every residency an offset by "rule" (NULL: the best one), and the
 * program its peaks. */
lp_status lpi_program_place(lpi_program *program, const char *rule,
                            lp_error *error);

/* Prove "program" against its schedule, trusting nobody: LP_EINFEASIBLE and
 * "refusal" (may be NULL) say what is wrong. */
lp_status lpi_program_check(const lpi_program *program, lp_refusal *refusal,
                            lp_error *error);

/* The residency that holds value "value" in memory 0 at unit "unit"; -1. */
int64_t lpi_program_where(const lpi_program *program, int64_t value,
                          int64_t unit);

/* The value of "tensor" that unit "unit" reads or makes; -1: none. */
int64_t lpi_program_value(const lpi_program *program, int64_t unit,
                          const lp_tensor *tensor, bool is_output);

/* ---- lowering, inside: lower.c and the files it calls ----------------------
 */

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
               (tensor) ? lpi_tensor_bytes(tensor) : -1, (line), __VA_ARGS__)

/* "NAME" or "NAME#ORDINAL" of unit "unit" of "schedule", appended. */
void lpi_unit_name(const lp_schedule *schedule, int64_t unit, lpi_text *text);

/* Layers of a unit: one, or those of its group. */
lp_layer *const *lpi_unit_layers(const lp_unit *unit, int32_t *ret_count);

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
 * Split in its input: blocks; false when it is neither or not on bytes. */
bool lpi_part_find(const lp_layer *layer, int32_t i, bool is_concat,
                   lpi_value *ret_box);

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

/* ---- checking, inside: check.c, check_bytes.c, check_places.c
 * -------------------------
 */

/* A residency as the steps have it. */
typedef struct lpi_held {
    int64_t begin, end; /* units; end -1: still there */
    int64_t ready;
    bool begun;
} lpi_held;

typedef struct lpi_checker {
    const lpi_program *p;
    lpi_arena *scratch;
    lpi_held *held;
    int64_t *latest;        /* by tensor id: the value of its last production */
    int64_t *made_in;       /* by tensor id: unit + 1 whose group made it */
    bool *valid;            /* by value: its bytes are as it left them */
    int64_t *heads, *links; /* values of a root that are valid */
    int64_t unit;           /* the next to run */
    lp_refusal *refusal;
    lp_error *error;
} lpi_checker;

#define LPI_REFUSE_AT(c, tensor, ...)                                          \
    lpi_refuse((c)->refusal, (c)->error, (c)->p->schedule, (c)->unit,          \
               (tensor) ? (tensor)->name : NULL,                               \
               (tensor) ? lpi_tensor_bytes(tensor) : -1, 0, __VA_ARGS__)

/* Whether two values of a root may share a byte; blocks of the same rows, side
 * by side, do not. */
bool lpi_value_touches(const lpi_value *a, const lpi_value *b);

/* Output "i" of "layer" (NULL: a group makes it) is made as value "at": it may
 * be there, and what it overwrites is no longer valid. */
lp_status lpi_check_made(lpi_checker *c, const lp_layer *layer, int32_t i,
                         int64_t at);

/* Lives, sizes, alignment, capacity, collisions and predictions. */
lp_status lpi_check_places(lpi_checker *c);

/* ---- making schedules ------------------------------------------------------
 */

/* An empty schedule of "model" in an arena of its own, and what frees it. */
lp_status lpi_schedule_new(const lp_model *model, lp_schedule **ret_schedule,
                           lp_error *error);

/* device.c: give "schedule", which has no other columns yet, the memories of
 * "device". */
lp_status lpi_schedule_for(lp_schedule *schedule, const lp_device *device,
                           lp_error *error);

/* The baseline of "model" (a body too): file order, everything stored, views
 * and in-place results where legal, placed by the best greedy rule. */
lp_status lpi_schedule_baseline(const lp_model *model,
                                const lp_schedule_options *options,
                                lp_schedule **ret_schedule, lp_error *error);

/* Set the units: each layer and group once, in the order of the model, a group
 * where its last layer stands. */
lp_status lpi_schedule_units(lp_schedule *schedule, lp_error *error);

/* Set the aliases: views, with "in_place" results over operands that die
 * there, and with "parts" what Concat joins, made inside its result where it is
 * contiguous. */
lp_status lpi_schedule_aliases(lp_schedule *schedule, bool in_place, bool parts,
                               lp_error *error);

/* Set the places, by "rule" (NULL: the best greedy one), and the predictions
 * and the bound that follow. */
lp_status lpi_schedule_place(lp_schedule *schedule, const char *rule,
                             lp_error *error);

/* Group the attentions of the model of "schedule", which has no groups: tiles
 * of "rows" rows of the scores. */
lp_status lpi_schedule_attention(lp_schedule *schedule, int64_t rows,
                                 lp_error *error);

/* Cut each layer of "schedule" that stands in no group, and can be cut, into
 * tiles of "rows" along the last axis but one of its result. */
lp_status lpi_schedule_rows(lp_schedule *schedule, int64_t rows,
                            lp_error *error);

/* The same for "layer" alone; LP_EUNSUPPORTED when it cannot be cut. */
lp_status lpi_schedule_rows_of(lp_schedule *schedule, const lp_layer *layer,
                               int64_t rows, lp_error *error);

/* The program of a body as lowering sees it when it sizes the workspace of its
 * layer: the baseline of "body" (its inputs and outputs included, captures
 * not), placed, in "arena".  The same body gives the same program. */
lp_status lpi_program_body(lpi_arena *arena, const lp_model *body,
                           lpi_program *ret_program, lp_error *error);

/* Hash of the canonical graph: structure, attributes, shapes and small
 * constants, no content of weights. */
lp_status lpi_model_hash(const lp_model *model, uint64_t *ret_hash,
                         lp_error *error);

/* Whether any part of static "tensor" can be had without the rest; and whether
 * "piece" is such an operand, of which each part of the sums needs another
 * slice. */
bool lpi_can_slice(const lp_tensor *tensor);
bool lpi_is_sliced(const lpi_tiling *tiling, const lpi_piece *piece);

/* The terms of part "tile" belongs to: from, to (beyond the last one perhaps);
 * 0, 0 where sums are whole. */
void lpi_tiling_range(const lpi_tiling *tiling, int64_t tile,
                      int64_t ret_range[2]);

/* ---- shadow.c: a layer cut down to a tile -----------------------------------
 */

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
