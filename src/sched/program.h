/* program.h: what a schedule means: values, residencies, steps.
 *
 * A part of sched.h, which alone includes it. */
#ifndef LPI_SCHED_PROGRAM_H
#define LPI_SCHED_PROGRAM_H

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

/* Number "i" of the inputs, then the outputs, of a unit; how many it has. */
static inline int64_t lpi_use_value(const lpi_use *use, int32_t i)
{
    return i < use->inputs_count ? use->inputs[i]
                                 : use->outputs[i - use->inputs_count];
}

static inline int32_t lpi_use_values(const lpi_use *use)
{
    return use->inputs_count + use->outputs_count;
}

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

#endif
