/* lplan-planner.h: what a planner sees: lplan-planner(7).
 *
 * A planner is one const struct.  It reads a problem (model, device, budget,
 * options), writes columns of a schedule, and may call the solvers at the end
 * of this file.  Its results are checked; it may neither print nor keep
 * anything: scratch memory dies when plan() returns, there are no globals and
 * no clocks, and the seed is given.
 *
 * Tensors and layers are known by their numbers: positions in the arrays of
 * the problem.
 *
 * In this order: columns of a schedule, devices, the problem, the planner's
 * struct; schedules read and written, what they mean; solvers of offsets, of
 * order, recompute and spill; units as a graph. */
#ifndef LPLAN_PLANNER_H
#define LPLAN_PLANNER_H

#include "lplan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lp_tensor lp_tensor;
typedef struct lp_layer lp_layer;

/* Memory that lives until plan() returns; zeroed. */
typedef struct lpi_arena lp_scratch;

/* "count" elements of "size" bytes; NULL without memory, over the cap, or when
 * the product overflows. */
LP_API void *lp_scratch_array(lp_scratch *scratch, int64_t count, size_t size);

#define LP_NEW(scratch, type, count)                                           \
    ((type *)lp_scratch_array((scratch), (count), sizeof(type)))

/* Fill "error" (if any) and return "status". */
LP_API lp_status lp_fail(lp_error *error, lp_status status, const char *format,
                         ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* Return early from a function when "expression" fails. */
#define LP_TRY(expression)                                                     \
    do {                                                                       \
        lp_status lp_try_status = (expression);                                \
        if (lp_try_status != LP_OK)                                            \
            return lp_try_status;                                              \
    } while (0)

/* ---- columns of a schedule -------------------------------------------- */

/* Where an entry stands in the YAML file; 0: in none. */
typedef int32_t lp_line;

/* Of a tile: the terms of the sums of a group of one layer. */
enum { LP_AXIS_REDUCTION = -1 };

typedef struct lp_tile { /* extent of the tiles along an axis of the last */
    int32_t axis;        /* layer's output 0, or LP_AXIS_REDUCTION */
    int64_t extent;
} lp_tile;

/* Layers fused, executed tile by tile; the last one's output 0 is tiled, its
 * tiles in row-major order; parts of sums are the outermost loop. */
typedef struct lp_group {
    const char *name;
    lp_layer *const *layers; /* in order */
    int32_t layers_count;
    const lp_tile *tiles;
    int32_t tiles_count;
    bool keeps_rows; /* overlap: keep rows, else compute halos again */
    lp_line line;
} lp_group;

typedef struct lp_unit {
    lp_layer *layer; /* or, when NULL, */
    const lp_group *group;
    int64_t ordinal; /* 1: its first execution */
    lp_line line;
} lp_unit;

typedef struct lp_memory {
    const char *name;
    int64_t capacity_bytes; /* 0: no limit */
    int64_t alignment;      /* of every placed interval, a power of two */
    lp_line line;
} lp_memory;

/* "tensor" lives in "memory", not in memory 0. */
typedef struct lp_home {
    const lp_tensor *tensor;
    int32_t memory;
    lp_line line;
} lp_home;

/* Copy "tensor" to "memory": issued after unit "after" (-1: at the start),
 * ready before unit "before". */
typedef struct lp_move {
    const lp_tensor *tensor;
    int32_t memory;
    int64_t after, before;
    lp_line line;
} lp_move;

/* Static "tensor" stays in memory 0 from unit "from" to unit "to". */
typedef struct lp_pin {
    const lp_tensor *tensor;
    int64_t from, to;
    lp_line line;
} lp_pin;

typedef enum lp_alias_kind {
    LP_ALIAS_VIEW,     /* output 0 is input 0 (rows with LPI_VIEW) */
    LP_ALIAS_IN_PLACE, /* output 0 overwrites an input of the same bytes */
    LP_ALIAS_PART,     /* an input of Concat lies inside the output; an
                          output of Split inside the input */
} lp_alias_kind;

/* Every production of "tensor" shares the bytes of "of". */
typedef struct lp_alias {
    const lp_tensor *tensor, *of;
    lp_alias_kind kind;
    lp_line line;
} lp_alias;

typedef enum lp_place_kind {
    LP_PLACE_VALUE,     /* a storage, called by its root tensor */
    LP_PLACE_TILE,      /* tile buffer of a tensor in a group */
    LP_PLACE_WORKSPACE, /* of a layer with bodies, called by the layer */
    LP_PLACE_STAGING,   /* of a strided part, called by its tensor */
} lp_place_kind;

/* The residency of "tensor" (WORKSPACE: of "layer") in "memory" over the units
 * "from" to "to" starts at byte "offset". */
typedef struct lp_placed {
    lp_place_kind kind;
    const lp_tensor *tensor;
    const lp_layer *layer; /* TILE: the reader, NULL: the producer */
    int32_t memory;
    int64_t from, to, offset;
    lp_line line;
} lp_placed;

/* No schedule of the model has less than "value" of "quantity"
 * (live_peak_bytes, arena_bytes, traffic_bytes, latency_ns, ...), by the
 * argument "proof" names. */
typedef struct lp_bound {
    const char *quantity;
    int64_t value;
    const char *proof;
    uint32_t given; /* no schedule with these columns as they stand (LP_GROUPS,
                       ..., or LP_ONCE); it is dropped when one of them is set
                       again */
} lp_bound;

/* ---- devices ------------------------------------------------------------ */

typedef struct lp_device_memory {
    const char *name;
    int64_t capacity_bytes; /* 0: no limit; memory 0 has one */
    int64_t alignment;
    int64_t read_bytes_per_s, write_bytes_per_s; /* by DMA; 0 in memory 0: as
                               fast as the other one; write 0 in another: it is
                               only read */
    const char *source;
} lp_device_memory;

typedef struct lp_device_rate {
    lp_dtype dtype;
    int64_t macs_per_s;
    const char *source;
} lp_device_rate;

/* What a schedule is made for: lplan-device(5).  Compute and DMA are two
 * engines, each serial. */
struct lp_device {
    const char *name, *source;
    const lp_device_memory *memories; /* memory 0: where units compute */
    int32_t memories_count;
    int32_t weights_memory;      /* where weights live; 0: no copies */
    const lp_device_rate *rates; /* at least one */
    int32_t rates_count;
    int64_t ops_per_s;    /* arithmetic that is no MAC; 0: costs nothing */
    int64_t dma_setup_ns; /* of each copy */
    const char *compute_source, *dma_source; /* of these two; "" */
};

/* MACs per second on operands of "dtype": that of the dtype listed, else of the
 * narrowest listed one that is as wide, else of the widest one, times its bits
 * by those of "dtype". */
LP_API int64_t lp_device_macs_per_s(const lp_device *device, lp_dtype dtype);

/* Time of copying "bytes" from one memory to another, set-up included; -1:
 * nothing can be written there. */
LP_API int64_t lp_device_copy_ns(const lp_device *device, int32_t from,
                                 int32_t to, int64_t bytes);

/* No schedule of "model" on "device" has a latency below "*ret_latency_ns": the
 * layers that must be computed and the weights that must be read, each once. */
LP_API lp_status lp_device_bound(const lp_device *device, const lp_model *model,
                                 int64_t *ret_latency_ns, lp_error *error);

/* Time of "cost", that of "layer", by the dtype of its first activation. */
LP_API int64_t lp_device_compute_ns(const lp_device *device,
                                    const lp_layer *layer, const lp_cost *cost);

/* ---- the problem --------------------------------------------------------- */

/* An activation. */
typedef struct lp_plan_tensor {
    const lp_tensor *tensor;
    const char *name;
    lp_dtype dtype; /* in which it is stored: its own, or the one assumed */
    lp_shape shape;
    int64_t bytes;
    int32_t producer;       /* layer; -1: input of the graph */
    const int32_t *readers; /* layers, each once, in order */
    int32_t readers_count;
    bool is_output; /* of the graph */
    int32_t viewed; /* the tensor that it is a view of (its root, for a view
                       of a view); itself when it is none */
} lp_plan_tensor;

/* A layer that runs. */
typedef struct lp_plan_layer {
    lp_layer *layer;
    const char *name, *op, *module;
    const int32_t *inputs; /* activations it reads, each once, captures too */
    const int32_t *outputs;
    int32_t inputs_count, outputs_count;
    const lp_tensor *const *weights; /* static operands, each once */
    int32_t weights_count;
    int64_t weight_bytes;    /* of them, as stored */
    int64_t workspace_bytes; /* of its bodies */
    lp_cost cost;
    int64_t compute_ns; /* on the device, one execution; 0 without one */
    bool is_pure;       /* may run again */
    bool is_view;       /* moves no bytes when its result is aliased */
} lp_plan_layer;

/* A value given with --set PLANNER.NAME=VALUE, or the default. */
typedef struct lp_setting {
    const char *name, *value;
} lp_setting;

typedef struct lp_problem {
    const lp_model *model;
    const lp_plan_layer *layers; /* in the order of the model */
    const lp_plan_tensor *tensors;
    int32_t layers_count, tensors_count;
    const lp_device *device; /* NULL: none */
    int64_t budget_bytes; /* of memory 0, arena_bytes; 0: as low as it gets */
    int64_t effort;       /* units of search work, the default is 1,000,000 */
    int64_t seed;
    const lp_setting *settings; /* of this planner, all its options */
    int32_t settings_count;
    lp_scratch *scratch;
    struct lpi_plan_run *run; /* of the driver */
} lp_problem;

/* Value of the option "name", parsed; 0 when it is none. */
LP_API int64_t lp_problem_count(const lp_problem *problem, const char *name);
LP_API const char *lp_problem_text(const lp_problem *problem, const char *name);

/* Tell the user something about the result, in one line.  What a planner that
 * lp_plan_with runs has to say stays unsaid. */
LP_API lp_status lp_problem_note(const lp_problem *problem, lp_error *error,
                                 const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* Report a way to fit into less; copied.  Those that fit the budget are shown
 * when nothing else does. */
LP_API lp_status lp_problem_add_way(const lp_problem *problem,
                                    const lp_way *way, lp_error *error);

/* Number of an activation or of a layer that runs; -1: it is none. */
LP_API int32_t lp_problem_tensor(const lp_problem *problem,
                                 const lp_tensor *tensor);
LP_API int32_t lp_problem_layer(const lp_problem *problem,
                                const lp_layer *layer);

/* ---- planners ---------------------------------------------------------- */

enum { LP_PLANNER_ABI = 1 };

/* Columns. */
enum {
    LP_PRECISION = 1,
    LP_GROUPS = 2,
    LP_RUNS = 4,
    LP_MOVE = 8, /* homes, moves and pins */
    LP_ALIAS = 16,
    LP_PLACE = 32,
};

/* Of a bound, beside columns: every unit runs once, in whatever order, and
 * nothing is copied away. */
enum { LP_ONCE = 64 };

typedef struct lp_option {
    const char *name, *initial, *help; /* a number when "initial" is one, */
    int64_t least, most;               /* from "least" to "most"; both 0: any */
} lp_option;

typedef struct lp_planner {
    uint32_t abi; /* LP_PLANNER_ABI */
    const char *name, *summary;
    uint32_t decides;         /* columns that plan() may write */
    const lp_option *options; /* ended by a name of NULL; NULL: none */
    const char *(*refuses)(const lp_problem *problem); /* a reason, or NULL;
                                                          may be NULL */
    lp_status (*plan)(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error);
} lp_planner;

/* ---- schedules, read and written --------------------------------------- */

/* What is set is copied into the schedule.  Columns depend on each other in
 * the order precision, groups, runs, moves, aliases, places: setting one
 * clears those after it (units name groups by pointer, so groups are set
 * first, and found again through lp_schedule_groups). */

LP_API const lp_memory *lp_schedule_memories(const lp_schedule *schedule,
                                             int64_t *ret_count);
LP_API const lp_group *lp_schedule_groups(const lp_schedule *schedule,
                                          int64_t *ret_count);
LP_API const lp_unit *lp_schedule_units(const lp_schedule *schedule,
                                        int64_t *ret_count);
LP_API const lp_home *lp_schedule_homes(const lp_schedule *schedule,
                                        int64_t *ret_count);
LP_API const lp_move *lp_schedule_moves(const lp_schedule *schedule,
                                        int64_t *ret_count);
LP_API const lp_pin *lp_schedule_pins(const lp_schedule *schedule,
                                      int64_t *ret_count);
LP_API const lp_alias *lp_schedule_aliases(const lp_schedule *schedule,
                                           int64_t *ret_count);
LP_API const lp_placed *lp_schedule_places(const lp_schedule *schedule,
                                           int64_t *ret_count);

LP_API lp_status lp_schedule_set_groups(lp_schedule *schedule,
                                        const lp_group *groups, int64_t count,
                                        lp_error *error);
LP_API lp_status lp_schedule_set_units(lp_schedule *schedule,
                                       const lp_unit *units, int64_t count,
                                       lp_error *error);
LP_API lp_status lp_schedule_set_homes(lp_schedule *schedule,
                                       const lp_home *homes, int64_t count,
                                       lp_error *error);
LP_API lp_status lp_schedule_set_moves(lp_schedule *schedule,
                                       const lp_move *moves, int64_t count,
                                       lp_error *error);
LP_API lp_status lp_schedule_set_pins(lp_schedule *schedule, const lp_pin *pins,
                                      int64_t count, lp_error *error);
LP_API lp_status lp_schedule_set_aliases(lp_schedule *schedule,
                                         const lp_alias *aliases, int64_t count,
                                         lp_error *error);
LP_API lp_status lp_schedule_set_places(lp_schedule *schedule,
                                        const lp_placed *places, int64_t count,
                                        lp_error *error);

/* Make "to" say what "from" says; both of the same problem. */
LP_API lp_status lp_schedule_copy(lp_schedule *to, const lp_schedule *from,
                                  lp_error *error);

/* A schedule of its own, equal to "schedule", that the driver frees when
 * plan() returns. */
LP_API lp_status lp_schedule_draft(const lp_problem *problem,
                                   const lp_schedule *schedule,
                                   lp_schedule **ret_draft, lp_error *error);

/* Ready-made columns.  "aliases": views, and results in place where legal
 * ("in_place"); "attention": group the attentions, "rows" rows of the scores
 * a tile; "rows": cut layer "layer" (a number; -1: each that can be) into tiles
 * of "rows" along the last axis but one. */
LP_API lp_status lp_schedule_baseline_aliases(lp_schedule *schedule,
                                              bool in_place, lp_error *error);

/* Views, results in place, and inputs of Concat made inside its result where
 * they are contiguous there. */
LP_API lp_status lp_schedule_joined_aliases(lp_schedule *schedule,
                                            lp_error *error);
LP_API lp_status lp_schedule_group_attention(lp_schedule *schedule,
                                             int64_t rows, lp_error *error);
LP_API lp_status lp_schedule_group_rows(const lp_problem *problem,
                                        lp_schedule *schedule, int32_t layer,
                                        int64_t rows, lp_error *error);

/* State a bound on the result; the highest of a quantity is kept, with its
 * proof. */
LP_API lp_status lp_schedule_add_bound(lp_schedule *schedule,
                                       const lp_bound *bound, lp_error *error);

/* ---- what a schedule means --------------------------------------------- */

/* Bytes in a memory over the units "from" to "to", both included: what a place
 * is wanted for. */
typedef struct lp_residency {
    lp_placed placed; /* its key; the offset is the greedy one */
    int64_t bytes, alignment;
} lp_residency;

/* What a unit takes and makes, with what it reads resident. */
typedef struct lp_unit_facts {
    int64_t operand_bytes;     /* inputs and outputs, aliases once */
    int64_t floor_bytes;       /* of them, the least in any schedule with it */
    int64_t buffer_bytes;      /* tiles, workspace, staging */
    int64_t buffer_live_bytes; /* of them, their part in live_peak_bytes */
    int64_t live_bytes;        /* resident in memory 0 while it runs */
    int64_t weight_bytes;      /* read from where weights live */
    int64_t macs, compute_ns;
} lp_unit_facts;

typedef struct lp_meaning {
    lp_predictions predictions;
    const lp_residency *residencies;
    int64_t residencies_count;
    const lp_unit_facts *units;
    int64_t units_count;
    int64_t load_bound_bytes; /* memory 0: no placement of these is lower */
} lp_meaning;

/* Lower "schedule" (LP_EINFEASIBLE when it means nothing), in scratch memory.
 * Without places it is placed by the best greedy rule. */
LP_API lp_status lp_schedule_lower(const lp_problem *problem,
                                   const lp_schedule *schedule,
                                   lp_meaning *ret_meaning, lp_error *error);

/* When what happens on the two engines: lplan-device(5). */
typedef struct lp_timeline {
    int64_t latency_ns, compute_ns, dma_ns; /* end; busy times */
    const int64_t *starts, *ends;           /* by unit */
    int64_t units_count;
    int64_t traffic_bytes;
    int64_t bound_ns;       /* no timeline of these steps is shorter */
    int64_t order_bound_ns; /* nor of any schedule with these units, whatever
                               it keeps, copies and pins */
} lp_timeline;

LP_API lp_status lp_schedule_timeline(const lp_problem *problem,
                                      const lp_schedule *schedule,
                                      lp_timeline *ret_timeline,
                                      lp_error *error);

/* Run planner "name" on "schedule" with the problem's budget, "budget_bytes"
 * when it is not 0.  Cycles are refused. */
LP_API lp_status lp_plan_with(const lp_problem *problem, const char *name,
                              int64_t budget_bytes, lp_schedule *schedule,
                              lp_error *error);

/* ---- solver: offsets --------------------------------------------------- */

/* Between "from" (included) and "to" (not), only the bytes "low" up to "high"
 * of a buffer are taken; none when they are equal. */
typedef struct lp_gap {
    int64_t from, to, low, high;
} lp_gap;

typedef struct lp_buffer {
    int64_t lower, upper; /* alive from "lower" up to, not at, "upper" */
    int64_t bytes;
    int64_t alignment; /* 0 is 1; need not be a power of two */
    int64_t offset;    /* fixed; -1: free */
    int64_t hint;      /* a good offset; -1: none */
    const lp_gap *gaps;
    int32_t gaps_count;
} lp_buffer;

typedef struct lp_place_options {
    int64_t capacity_bytes; /* fit into it; 0: as low as it gets */
    int64_t effort;         /* units of work; 0: 1,000,000 */
} lp_place_options;

typedef struct lp_placement {
    bool fits; /* "offsets" are a packing within the capacity */
    const int64_t *offsets;
    int64_t height_bytes;
    int64_t bound_bytes; /* no packing is lower */
    const char *proof;   /* of the bound: "max-load", "exhausted search", ... */
    const char *rule;    /* that found the packing */
    int64_t work;        /* units spent */
    /* When it is proved that nothing fits: a small set of buffers that does not
     * fit alone; "core_minimal": none of them can be taken out. */
    const int64_t *core;
    int64_t core_count;
    bool core_minimal;
} lp_placement;

/* Offsets for "buffers" such that none share a byte at a time.  LP_EINPUT: a
 * buffer is malformed, or fixed ones collide. */
LP_API lp_status lp_solve_place(lp_scratch *scratch, const lp_buffer *buffers,
                                int64_t count, const lp_place_options *options,
                                lp_placement *ret_placement, lp_error *error);

/* ---- solvers: order, recompute, spill ---------------------------------- */

typedef struct lp_graph_tensor {
    int64_t bytes;
    int32_t producer;              /* node; -1: there from the start */
    bool is_output;                /* stays to the end */
    bool is_stored;                /* a copy outside is there from the start */
    int64_t store_cost, load_cost; /* -1: cannot be moved */
} lp_graph_tensor;

typedef struct lp_graph_node {
    const int32_t *inputs, *outputs; /* tensors, each once */
    int32_t inputs_count, outputs_count;
    int64_t extra_bytes;     /* taken while it runs */
    int64_t cost;            /* of an execution */
    bool once;               /* may not run again */
    const int32_t *in_place; /* inputs whose bytes its first output may take */
    int32_t in_place_count;
} lp_graph_node;

/* A directed acyclic graph; nodes in a topological order.  While a node runs,
 * its inputs, its outputs (those nobody reads too) and what waits are resident
 * together; then what nobody reads later is dropped.  For lp_solve_remat one
 * of the inputs "in_place" that is dropped when the node has run takes nothing
 * beside the first output, of as many bytes, when neither is ever loaded. */
typedef struct lp_graph {
    const lp_graph_node *nodes;
    const lp_graph_tensor *tensors;
    int32_t nodes_count, tensors_count;
} lp_graph;

typedef struct lp_order_options {
    int64_t effort;       /* units of work; 0: 1,000,000 */
    int64_t enough_bytes; /* stop at a peak so low; 0: the bound */
} lp_order_options;

typedef struct lp_order_candidate { /* an order by a rule */
    const char *rule;               /* "given", "kahn", "reverse-dfs", ... */
    int64_t peak_bytes;
} lp_order_candidate;

typedef struct lp_ordering {
    const int32_t *order; /* nodes */
    int64_t peak_bytes;
    int64_t given_bytes; /* peak of the given order */
    int64_t bound_bytes; /* no order has less */
    const char *proof;   /* of the bound */
    const char *rule;    /* that found the order */
    int64_t work;
    /* What simple rules give, the given order first; "reverse-dfs" is the order
     * of ONNX Runtime. */
    const lp_order_candidate *candidates;
    int32_t candidates_count;
} lp_ordering;

/* The order of the nodes with the lowest peak. */
LP_API lp_status lp_solve_order(lp_scratch *scratch, const lp_graph *graph,
                                const lp_order_options *options,
                                lp_ordering *ret_ordering, lp_error *error);

/* Peak of "order", each node once; -1 when it is no order of "graph", or
 * without memory. */
LP_API int64_t lp_order_peak(lp_scratch *scratch, const lp_graph *graph,
                             const int32_t *order);

typedef enum lp_event_kind {
    LP_EVENT_RUN,   /* of a node */
    LP_EVENT_STORE, /* of a tensor, which stays inside */
    LP_EVENT_LOAD,
    LP_EVENT_DROP, /* of a tensor from inside */
} lp_event_kind;

typedef struct lp_event {
    lp_event_kind kind;
    int32_t of; /* node or tensor */
} lp_event;

typedef struct lp_remat_options {
    int64_t budget_bytes;
    bool free_order; /* first executions may move */
    int64_t effort;  /* units of work; 0: 1,000,000 */
    int64_t seed;
    bool exact; /* call CBC, where it was built in */
} lp_remat_options;

typedef struct lp_rematerialisation {
    bool fits;
    const lp_event *events;
    int64_t events_count;
    int64_t peak_bytes, cost; /* cost of all runs, stores and loads */
    int64_t base_cost;        /* each node once */
    int64_t bound_cost;       /* nothing within the budget costs less */
    const char *proof;
    int64_t work;
    int64_t floor_bytes; /* the largest working set: no budget below fits */
    int32_t floor_node;  /* whose it is */
} lp_rematerialisation;

/* Events that run every node within the budget at the lowest cost.  Every
 * residency ends in a DROP, but those of outputs at the end; a STORE stands
 * right after its tensor is first made, a LOAD right before a run.  When not
 * "fits", the floor tells whether nothing fits; else "proof" is "not
 * found". */
LP_API lp_status lp_solve_remat(lp_scratch *scratch, const lp_graph *graph,
                                const lp_remat_options *options,
                                lp_rematerialisation *ret_remat,
                                lp_error *error);

/* Whether CBC was built in. */
LP_API bool lp_solve_has_cbc(void);

/* ---- units as a graph -------------------------------------------------- */

/* Unit "unit" shows the bytes of "source", a tensor, as "tensor". */
typedef struct lp_unit_view {
    int64_t unit;
    int32_t storage; /* tensor of the graph */
    int32_t tensor, source;
} lp_unit_view;

/* The units of a schedule, each run once, as a graph: nodes are units, those
 * that only view left out; tensors are storages, which views share. */
typedef struct lp_unit_graph {
    lp_graph graph;             /* costs of nodes: ns on the device, else MACs;
                                   tensors cannot be moved until the caller
                                   prices it */
    const int64_t *units;       /* by node */
    const int32_t *roots;       /* by tensor of the graph: of the problem */
    const int32_t *storages;    /* by tensor of the problem: of the graph;
                                   -1: inside a group */
    const lp_unit_view *views;  /* in the order of the schedule */
    const lp_unit_facts *facts; /* by unit */
    int64_t views_count;
} lp_unit_graph;

LP_API lp_status lp_schedule_graph(const lp_problem *problem,
                                   const lp_schedule *schedule,
                                   lp_unit_graph *ret_graph, lp_error *error);

/* Give "schedule", whose units "graph" shows, the units, moves and aliases that
 * "events" mean; each move takes as long as the problem's budget allows, so
 * that it hides behind the units between.  Spills go to memory 1. */
LP_API lp_status lp_schedule_set_events(const lp_problem *problem,
                                        lp_schedule *schedule,
                                        const lp_unit_graph *graph,
                                        const lp_event *events, int64_t count,
                                        lp_error *error);

/* State bounds on what schedules with the groups and runs of "schedule" copy,
 * and so on their latency, within the capacity of memory 0, with "effort" units
 * of work. */
LP_API lp_status lp_schedule_bound_copies(const lp_problem *problem,
                                          lp_schedule *schedule, int64_t effort,
                                          lp_error *error);

#ifdef __cplusplus
}
#endif
#endif
