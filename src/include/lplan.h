/* lplan.h: the public interface of liblplan.
 *
 * Ownership in one line: what `_new`, `_load` or `_read` returns, you free
 * with the matching `_free`; everything else you only look at.
 *
 * Errors: functions that can fail return an lp_status and describe the
 * failure in a caller-owned lp_error (last argument, may be NULL).  Outputs
 * are called `ret_x` and are written only on success.  The library never
 * prints, never exits and never reads the environment or the locale.
 *
 * Units end the name: `_bytes`, `_ns`.  Counts are int64_t.
 *
 * In this order: errors, element types, models; the cost of a layer, reports,
 * and reports as text; devices, schedules, planning; running; problems of other
 * tools (offsets, recompute); files.  A first program needs lp_model_load,
 * lp_report_new and lp_report_write. */
#ifndef LPLAN_H
#define LPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LP_API __attribute__((visibility("default")))
#else
#define LP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---------------------------------------------------------- */

typedef enum lp_status {
    LP_OK,
    LP_EINPUT,       /* a file or an argument does not say a valid thing */
    LP_EUNSUPPORTED, /* valid, and beyond what lplan does */
    LP_EINFEASIBLE,  /* no answer exists (a budget that nothing fits) */
    LP_EINVALID,     /* the caller broke the contract of a function */
    LP_EIO,          /* the system refused to read or to write */
    LP_ENOMEM,       /* out of memory, or over the caller's memory limit */
} lp_status;

/* Names stand in messages as they stand in the file: whoever prints them on
 * a terminal escapes control characters, as the command does. */
typedef struct lp_error {
    lp_status status;
    char where[512];    /* file, file:line, file: layer 'x'; may be "" */
    char message[1024]; /* one line, no newline */
} lp_error;

/* Version of the library, "MAJOR.MINOR.PATCH". */
LP_API const char *lp_version(void);

/* ---- element types --------------------------------------------------- */

/* Numbers are those of ONNX's TensorProto.DataType. */
typedef enum lp_dtype {
    LP_UNDEFINED = 0,
    LP_FLOAT32 = 1,
    LP_UINT8 = 2,
    LP_INT8 = 3,
    LP_UINT16 = 4,
    LP_INT16 = 5,
    LP_INT32 = 6,
    LP_INT64 = 7,
    LP_STRING = 8,
    LP_BOOL = 9,
    LP_FLOAT16 = 10,
    LP_FLOAT64 = 11,
    LP_UINT32 = 12,
    LP_UINT64 = 13,
    LP_COMPLEX64 = 14,
    LP_COMPLEX128 = 15,
    LP_BFLOAT16 = 16,
    LP_FLOAT8E4M3FN = 17,
    LP_FLOAT8E4M3FNUZ = 18,
    LP_FLOAT8E5M2 = 19,
    LP_FLOAT8E5M2FNUZ = 20,
    LP_UINT4 = 21,
    LP_INT4 = 22,
    LP_FLOAT4E2M1 = 23,
    LP_FLOAT8E8M0 = 24,
    LP_UINT2 = 25,
    LP_INT2 = 26,
    LP_DTYPE_COUNT
} lp_dtype;

/* "float32", "int8", ...; "undefined" for a number out of range. */
LP_API const char *lp_dtype_name(lp_dtype dtype);

/* The dtype called "name"; common short forms (fp16, f32, i64) are known too.
 * LP_UNDEFINED when there is none. */
LP_API lp_dtype lp_dtype_from_name(const char *name);

/* Width of one element; 0 for strings and undefined. */
LP_API int32_t lp_dtype_bits(lp_dtype dtype);

/* rank -1: nothing is known; a dimension of -1: that one is not known. */
typedef struct lp_shape {
    int32_t rank;
    const int64_t *dims;
} lp_shape;

/* ---- models ---------------------------------------------------------- */

typedef struct lp_model lp_model;

/* A value for a symbolic dimension. */
typedef struct lp_binding {
    const char *name;
    int64_t value;
} lp_binding;

/* A shape that replaces the declared one of the input called "input". */
typedef struct lp_input_shape {
    const char *input;
    lp_shape shape;
    bool binds; /* what is declared as a number must be the same */
} lp_input_shape;

/* All zero is a valid default; NULL may stand for it. */
typedef struct lp_load_options {
    const lp_binding *dims;
    size_t dims_count;
    const lp_input_shape *shapes;
    size_t shapes_count;
    int64_t trips; /* trip count of Loops that do not tell; 0: unknown */
    int64_t max_memory_bytes; /* cap on memory taken for the model; 0: 8 GiB */
    bool as_written; /* only read, for lp_model_dump: not settled, so that
                        dimensions may be free, and not to be reported on */
} lp_load_options;

/* Read the model in the file "path" (.onnx, or .lpm: the text form) and
 * settle it: dimensions bound, shapes inferred, constants folded.  Weights
 * are not read; their file may be absent. */
LP_API lp_status lp_model_load(const char *path, const lp_load_options *options,
                               lp_model **ret_model, lp_error *error);

/* The same from "length" bytes at "text" in the text form (lplan-model(5)),
 * called "name" in messages. */
LP_API lp_status lp_model_read(const char *text, size_t length,
                               const char *name, const lp_load_options *options,
                               lp_model **ret_model, lp_error *error);

/* The same from the one-line form, "x:1x3x32x32; conv 16 k3 p1; relu". */
LP_API lp_status lp_model_net(const char *net, const lp_load_options *options,
                              lp_model **ret_model, lp_error *error);

/* The text form of "model"; free with lp_text_free. */
LP_API lp_status lp_model_dump(const lp_model *model, char **ret_text,
                               size_t *ret_length, lp_error *error);

LP_API void lp_model_free(lp_model *model);

/* Free a text that a function of this library returned. */
LP_API void lp_text_free(char *text);

/* ---- cost of a layer ------------------------------------------------- */

/* Arithmetic other than multiply-accumulates, by kind. */
typedef enum lp_arith {
    LP_ADD, /* add, subtract, negate, absolute value */
    LP_MUL, /* multiply */
    LP_CMP, /* compare, minimum, maximum, select, logic */
    LP_DIV, /* divide, reciprocal, modulo */
    LP_EXP, /* exp, and sigmoid's, tanh's or erf's one transcendental */
    LP_LOG,
    LP_SQRT,  /* square root, power */
    LP_TRIG,  /* sin, cos and their kin */
    LP_ROUND, /* round, floor, ceil, conversions between dtypes */
    LP_ARITH_COUNT
} lp_arith;

/* What a layer costs.  MACs by class: conv (padding taps count, transposed
 * ones by their input volume), linear (one operand derives from weights
 * alone), attention (a product of two activations). */
typedef struct lp_cost {
    int64_t macs_conv, macs_linear, macs_attention;
    int64_t arith[LP_ARITH_COUNT];
    int64_t params;       /* weight elements, each stored tensor once */
    int64_t quant_params; /* scales and zero points, listed apart */
    int64_t weight_bytes; /* stored bytes of both, each stored tensor once */
    int64_t read_bytes;   /* operands read, weights included */
    int64_t write_bytes;  /* results written */
} lp_cost;

LP_API int64_t lp_cost_macs(const lp_cost *cost);

/* Two per MAC and one for every other operation. */
LP_API int64_t lp_cost_flops(const lp_cost *cost);

/* ---- reports --------------------------------------------------------- */

typedef enum lp_row_status {
    LP_EXACT,
    LP_ESTIMATED, /* an upper bound stands for a data-dependent number */
    LP_UNKNOWN,   /* operator or shape not known: cost not counted */
    LP_FOLDED,    /* computed once, before any run: costs nothing */
} lp_row_status;

typedef struct lp_output {
    const char *name;
    lp_shape shape;
    lp_dtype dtype;
} lp_output;

/* One layer. */
typedef struct lp_row {
    int64_t index; /* the step, from 0; -1 for a folded layer */
    const char *name, *op, *domain, *module;
    const lp_output *outputs;
    int32_t outputs_count;     /* absent optional outputs are left out */
    const char *const *inputs; /* names, NULL where absent; at the end what
                                  its bodies read of the graph around them */
    int32_t inputs_count;
    lp_cost cost;
    int64_t live_bytes; /* activations resident while the layer runs */
    lp_row_status status;
    const char *note; /* why it is not exact; NULL if it is */
} lp_row;

/* All layers whose module path begins with "path", down to its depth. */
typedef struct lp_module_row {
    const char *path;
    int32_t depth; /* 1: top modules */
    int64_t layers;
    lp_cost cost;
    int64_t live_peak_bytes;
} lp_module_row;

/* A tensor that waits: held from step "from" until step "to". */
typedef struct lp_held {
    const char *tensor;
    const char *producer, *consumer; /* layer names; "" for graph in/outputs */
    lp_shape shape;
    lp_dtype dtype;
    int64_t bytes;
    int64_t from, to; /* steps; distance = to - from */
} lp_held;

typedef struct lp_convention {
    const char *name, *unit;
    int64_t value;
    const char *counts; /* what it counts, and who counts so */
} lp_convention;

/* What the weights would weigh with every weight element at "dtype". */
typedef struct lp_weights_as {
    lp_dtype dtype;
    int64_t bytes;
} lp_weights_as;

typedef struct lp_report {
    const char *model; /* file name or net, as given */
    const lp_row *rows;
    int64_t rows_count; /* folded ones included */
    int64_t layers;     /* listed ones */
    int64_t folded;
    lp_cost total;
    int64_t live_peak_bytes;
    int64_t peak_index;     /* step of the peak, -1 without layers */
    const char *peak_layer; /* its name, "" without layers */
    int64_t known;          /* listed layers that are not LP_UNKNOWN */
    double coverage;        /* known / layers, 1 without layers */
    const lp_held *peak;    /* resident at the peak, largest first; what a
                               body takes is the tensor "(workspace)" */
    int64_t peak_count;
    const lp_output *graph_inputs; /* of the graph; weights left out */
    const lp_output *graph_outputs;
    int64_t graph_inputs_count, graph_outputs_count;
    const lp_held *skips; /* by bytes x distance, largest first */
    int64_t skips_count;
    const lp_module_row *modules; /* every depth, in order of appearance */
    int64_t modules_count;
    const lp_convention *conventions;
    int64_t conventions_count;
    const lp_weights_as *weights_as;
    int64_t weights_as_count;
} lp_report;

typedef struct lp_report_options {
    const char *label;     /* stands for the model's name; NULL: its own */
    lp_dtype weights_as;   /* count weight bytes at this dtype; 0: as stored */
    int64_t skip_distance; /* least wait of a skip; 0: see lp_report_new */
} lp_report_options;

/* Count everything in "model", which must outlive the report.
 *
 * A skip is the longest wait of an activation between two steps that touch it
 * (its production, its readers, the end for an output of the graph), of
 * "skip_distance" steps or more; by default a twentieth of the layers, and 5
 * at least: residuals inside the blocks of a U-Net wait for 1/22 of its layers
 * or less, the innermost skip for 1/18 or more. */
LP_API lp_status lp_report_new(const lp_model *model,
                               const lp_report_options *options,
                               lp_report **ret_report, lp_error *error);
LP_API void lp_report_free(lp_report *report);

/* The total called "key" (params, weight_bytes, macs, macs_conv, macs_linear,
 * macs_attention, flops, read_bytes, write_bytes, live_peak_bytes, layers,
 * coverage_percent); false when there is no such key. */
LP_API bool lp_report_total(const lp_report *report, const char *key,
                            int64_t *ret_value);

/* ---- reports as text ------------------------------------------------- */

typedef enum lp_format {
    LP_FORMAT_TEXT,
    LP_FORMAT_TSV,
    LP_FORMAT_JSON,
    LP_FORMAT_NETRON, /* Netron's attachment file */
} lp_format;

/* Which table of a report. */
typedef enum lp_table {
    LP_TABLE_ALL, /* text and JSON: everything; TSV: the layers */
    LP_TABLE_LAYERS,
    LP_TABLE_MODULES,
    LP_TABLE_SKIPS,
    LP_TABLE_PEAK,
    LP_TABLE_CONVENTIONS,
} lp_table;

typedef struct lp_view {
    lp_format format;
    lp_table table;
    const char *sort;   /* a column; numbers fall, names rise; NULL: order */
    const char *filter; /* a part of the name, operator or module; NULL: all */
    int64_t top;        /* rows at most; 0: no limit (the whole report as
                                text: the 20 layers with the most MACs) */
    int32_t depth;      /* depth of the module table; 0: 1 */
    bool all;           /* folded layers too */
    bool colour;        /* ANSI colours (text) */
    bool chart;         /* burden curves drawn with characters (text) */
    int32_t width;      /* columns of the terminal (text); 0: 100 */
} lp_view;

/* Each returns a text to be freed with lp_text_free. */
LP_API lp_status lp_report_write(const lp_report *report, const lp_view *view,
                                 char **ret_text, size_t *ret_length,
                                 lp_error *error);

/* Totals of several reports, one row each, labelled by their models. */
LP_API lp_status lp_compare_write(const lp_report *const *reports, size_t count,
                                  const lp_view *view, char **ret_text,
                                  size_t *ret_length, lp_error *error);

/* Two reports side by side per module. */
LP_API lp_status lp_diff_write(const lp_report *before, const lp_report *after,
                               const lp_view *view, char **ret_text,
                               size_t *ret_length, lp_error *error);

/* ---- devices ------------------------------------------------------------- */

/* What a model is planned for: memories, rates, DMA: lplan-device(5).  What is
 * in it, lplan-planner.h shows. */
typedef struct lp_device lp_device;

/* Read a device from "length" bytes of YAML at "text", called "name" in
 * messages. */
LP_API lp_status lp_device_read(const char *text, size_t length,
                                const char *name, lp_device **ret_device,
                                lp_error *error);

/* The same from the file "path". */
LP_API lp_status lp_device_load(const char *path, lp_device **ret_device,
                                lp_error *error);

/* Its YAML form; free with lp_text_free. */
LP_API lp_status lp_device_write(const lp_device *device, char **ret_text,
                                 size_t *ret_length, lp_error *error);

LP_API void lp_device_free(lp_device *device);

/* ---- schedules --------------------------------------------------------- */

/* How a model is run: lplan-schedule(5).  It must not outlive its model. */
typedef struct lp_schedule lp_schedule;

typedef struct lp_predictions {
    int64_t live_peak_bytes;
    int64_t arena_bytes;
    int64_t fast_peak_bytes;
    int64_t traffic_bytes; /* copied between memories, weights with them where
                              the schedule says where they live */
    int64_t macs;          /* halos computed again count again */
    int64_t latency_ns;    /* on the device of the schedule; 0: not known */
} lp_predictions;

/* What a schedule is refused for; "" and -1 where nothing can be named. */
typedef struct lp_refusal {
    int64_t run; /* position in the runs, from 0 */
    char layer[256], tensor[256];
    int64_t bytes;
} lp_refusal;

/* All zero is a valid default; NULL may stand for it. */
typedef struct lp_schedule_options {
    bool no_in_place;        /* views alone share bytes */
    int64_t alignment;       /* of every interval, a power of two; 0: 64 */
    int64_t attention_rows;  /* rows of the scores in a tile of a fused
                                attention; 0: no groups */
    int64_t layer_rows;      /* rows in a tile of every other layer that can be
                                cut; 0: whole layers */
    lp_dtype assume;         /* as in lp_plan_options */
    const char *rule;        /* of the placement; NULL: the best one */
    const lp_device *device; /* whose memories there are; NULL: one memory
                                without a limit; must outlive the schedule */
} lp_schedule_options;

/* The baseline: layers in their order, everything stored, placed by the best
 * of several greedy rules. */
LP_API lp_status lp_schedule_new(const lp_model *model,
                                 const lp_schedule_options *options,
                                 lp_schedule **ret_schedule, lp_error *error);

/* Read a schedule of "model" from "length" bytes of YAML at "text", called
 * "name" in messages. */
LP_API lp_status lp_schedule_read(const lp_model *model, const char *text,
                                  size_t length, const char *name,
                                  lp_schedule **ret_schedule, lp_error *error);

/* The same from the file "path", with the scales that it keeps in files below
 * its folder. */
LP_API lp_status lp_schedule_load(const lp_model *model, const char *path,
                                  lp_schedule **ret_schedule, lp_error *error);

/* Its YAML form; free with lp_text_free. */
LP_API lp_status lp_schedule_write(const lp_schedule *schedule, char **ret_text,
                                   size_t *ret_length, lp_error *error);

LP_API void lp_schedule_free(lp_schedule *schedule);

/* Let "schedule", whose memories are those of "device", be one for it: its
 * check predicts a latency, and compares one that is predicted.  LP_EINPUT when
 * it is made for another device.  The device must outlive the schedule. */
LP_API lp_status lp_schedule_set_device(lp_schedule *schedule,
                                        const lp_device *device,
                                        lp_error *error);

/* Prove that "schedule" computes what its model computes, inside its memories.
 * LP_EINFEASIBLE when it does not: "ret_refusal" (may be NULL) and "error" say
 * why. */
LP_API lp_status lp_schedule_check(const lp_schedule *schedule,
                                   lp_predictions *ret_predictions,
                                   lp_refusal *ret_refusal, lp_error *error);

/* What lies where in the memory where layers run, a line each as TSV: name,
 * kind (value, tile, workspace, staging), module of its maker, bytes, offset,
 * from, to (runs, both included), runs; free with lp_text_free. */
LP_API lp_status lp_schedule_arena(const lp_schedule *schedule, char **ret_text,
                                   size_t *ret_length, lp_error *error);

/* The rule that placed "schedule", "given" for one read with its places. */
LP_API const char *lp_schedule_rule(const lp_schedule *schedule);

/* ---- planning ---------------------------------------------------------- */

/* Units of search work: limits are counts, never clocks. */
enum {
    LP_EFFORT_QUICK = 50000,
    LP_EFFORT_DEFAULT = 1000000,
    LP_EFFORT_THOROUGH = 20000000,
};

/* All zero is a valid default; NULL may stand for it. */
typedef struct lp_plan_options {
    const char *const *planners; /* the chain; none: joint */
    size_t planners_count;
    const lp_device *device; /* NULL: one memory, no times */
    int64_t budget_bytes;    /* of the memory where layers run, in place of the
                                device's capacity; 0: that, or as low as can
                                be */
    int64_t effort;          /* units of work; 0: LP_EFFORT_DEFAULT */
    int64_t time_limit_ns;   /* in place of an effort: as much as is likely to
                                end by then; not reproducible; 0: none */
    int64_t seed;
    const char *const *settings; /* "PLANNER.OPTION=VALUE" */
    size_t settings_count;
    const char *const *folders; /* where modules with planners are */
    size_t folders_count;
    lp_dtype assume; /* plan with all floats that take more stored as this
                        dtype, inputs and outputs of the graph excepted; 0 */
    bool find_ways;  /* when nothing fits, make plans that take less: as much
                        work again */
    bool explain;    /* make the break-even map ... */
    lp_dtype map_as; /* ... with all floats of this dtype; 0: as stored */
} lp_plan_options;

/* No schedule has less than "value" of "quantity"; "given" names what it takes
 * as it stands ("groups, runs"), "" nothing: it holds for every schedule of the
 * model. */
typedef struct lp_plan_bound {
    const char *quantity, *proof, *given;
    int64_t value, achieved;
    int64_t gap; /* achieved - value; 0: proved optimal */
} lp_plan_bound;

/* What a planner has to say, or "model", of what nobody can count in it. */
typedef struct lp_plan_note {
    const char *planner, *text;
} lp_plan_note;

/* A way to take less: with "what" the arena is "peak_bytes", at a price. */
typedef struct lp_way {
    const char *what;
    int64_t peak_bytes;
    int64_t extra_macs, extra_bytes, extra_ns; /* computed, moved between
                              memories, and waited for, beyond the model in its
                              own order with everything kept */
    bool fits;                                 /* within the budget */
} lp_way;

typedef struct lp_plan_buffer {
    const char *name;
    int64_t bytes;
} lp_plan_buffer;

/* What is over the budget. */
typedef enum lp_obstacle_cause {
    LP_OBSTACLE_LAYER,     /* one layer, as it is cut: it needs its buffers at
                              once, and no order, spill or recompute helps */
    LP_OBSTACLE_ENDS,      /* what the graph begins with, or ends with */
    LP_OBSTACLE_LOAD,      /* what is resident at once in the plan found */
    LP_OBSTACLE_PLACEMENT, /* nothing, but the plan found has no offsets */
} lp_obstacle_cause;

/* Why nothing fits. */
typedef struct lp_obstacle {
    const char *what; /* one line */
    lp_obstacle_cause cause;
    const char *layer; /* LAYER; where the plan found is fullest; "" ENDS */
    int64_t run;       /* its position in the runs; ENDS: -1, or their count */
    bool is_proof;     /* LAYER, ENDS: no plan of the model fits */
    bool is_core;      /* PLACEMENT: proved, the buffers have no offsets; else
                          they are those of the fullest run */
    int64_t least_bytes; /* LAYER, ENDS: no plan with a smaller budget; else
                            0 */
    int64_t bytes;       /* of them together */
    const lp_plan_buffer *buffers; /* the smallest set, largest first */
    int64_t buffers_count;
} lp_obstacle;

/* A tensor that waits, and what other ways to have it when it is read cost: to
 * copy it away and back, or to compute it again from what is there then. */
typedef struct lp_break_even {
    const char *tensor, *producer, *consumer; /* "": in- or output of the graph;
                                                 groups by their names */
    int64_t bytes;
    int64_t input_bytes;  /* of inputs of the graph that computing it again
                             reads, and that nobody else reads any more */
    int64_t from, to;     /* runs between which it waits */
    int64_t runs;         /* that compute it again; -1: nothing can */
    int64_t ops;          /* two a MAC, of these runs */
    int64_t weight_bytes; /* of the weights that they read */
    double ops_per_byte;
    double flips_fresh, flips_clean; /* ops per byte of the device above which
                       computing again is faster than both copies, than one;
                       beside weights that are there already */
    int64_t recompute_ns, spill_ns, reload_ns; /* 0: not known */
    const char *cheaper; /* "recompute" or "spill", weights read again; "" */
    const char *plan;    /* "kept", "spilled", "recomputed"; "" nothing fits */
} lp_break_even;

typedef struct lp_break_even_map {
    const char *device;             /* "" none */
    lp_dtype dtype;                 /* that rate and bytes are for */
    int64_t distance;               /* runs that a tensor waits at least */
    int64_t ops_per_s, bytes_per_s; /* the slower way of spilling; 0 */
    const lp_break_even *rows;      /* in the order of their production */
    int64_t count;
} lp_break_even_map;

typedef struct lp_plan {
    const lp_schedule *schedule; /* NULL when nothing fits */
    lp_predictions predictions;
    int64_t budget_bytes; /* 0: none */
    int64_t effort;       /* units of work that it was made by */
    bool reproducible;    /* the same again, on every machine */
    const lp_plan_bound *bounds;
    int64_t bounds_count;
    const lp_plan_note *notes;
    int64_t notes_count;
    const lp_obstacle *obstacle; /* NULL */
    const lp_way *ways;          /* those that fit first, by their price */
    int64_t ways_count;
    const lp_break_even_map *map; /* NULL unless asked for */
} lp_plan;

/* Plan "model", which must outlive the plan, as must the device.
 * LP_EINFEASIBLE when nothing was found that fits the budget: "ret_plan" is
 * then set too when there is more to say than the error does, else it is left
 * as it was. */
LP_API lp_status lp_plan_new(const lp_model *model,
                             const lp_plan_options *options, lp_plan **ret_plan,
                             lp_error *error);

/* With its schedule. */
LP_API void lp_plan_free(lp_plan *plan);

/* "map" as text, TSV or JSON; free with lp_text_free. */
LP_API lp_status lp_break_even_write(const lp_break_even_map *map,
                                     const lp_view *view, char **ret_text,
                                     size_t *ret_length, lp_error *error);

/* "plan" as text or JSON; free with lp_text_free. */
LP_API lp_status lp_plan_write(const lp_plan *plan, lp_format format,
                               char **ret_text, size_t *ret_length,
                               lp_error *error);

/* ---- budgets, one after the other ---------------------------------------- */

typedef struct lp_tradeoff_point {
    const char *what;           /* "baseline", or "budget" */
    int64_t budget_bytes;       /* 0: none */
    const char *status;         /* "fits", "not found", "impossible" (proved) */
    lp_predictions predictions; /* zero unless it fits */
    int64_t again_macs;         /* beyond those of the baseline */
    int64_t copied_bytes;       /* of activations, between memories */
    int64_t weight_bytes;       /* of weights, read from where they live */
    int64_t latency_bound_ns;   /* no schedule with these groups is faster */
} lp_tradeoff_point;

typedef struct lp_tradeoff {
    const char *device;              /* "" none */
    int64_t floor_bytes;             /* the largest working set; 0: not known */
    const lp_tradeoff_point *points; /* the baseline, then budgets that fall */
    int64_t count;
} lp_tradeoff;

typedef struct lp_tradeoff_options {
    int64_t steps; /* budgets below the first one */
    /* Called before each of "all" plans; false stops. */
    bool (*progress)(void *context, int64_t done, int64_t all,
                     const char *what);
    void *progress_context;
} lp_tradeoff_options;

/* Plan "model" by "plan" (NULL: its defaults) for budgets that fall from what
 * it takes without one to the largest working set, or to the budget of "plan",
 * in equal steps; a plan for a smaller one stands in where it is faster. */
LP_API lp_status lp_tradeoff_new(const lp_model *model,
                                 const lp_plan_options *plan,
                                 const lp_tradeoff_options *options,
                                 lp_tradeoff **ret_tradeoff, lp_error *error);
LP_API void lp_tradeoff_free(lp_tradeoff *tradeoff);

/* As text, TSV or JSON; free with lp_text_free. */
LP_API lp_status lp_tradeoff_write(const lp_tradeoff *tradeoff,
                                   const lp_view *view, char **ret_text,
                                   size_t *ret_length, lp_error *error);

/* The planners of the library, and those of modules in "folders", as text or
 * JSON; free with lp_text_free. */
LP_API lp_status lp_planner_list(const char *const *folders,
                                 size_t folders_count, lp_format format,
                                 char **ret_text, size_t *ret_length,
                                 lp_error *error);

/* ---- running ----------------------------------------------------------- */

/* A tensor outside models: row-major, little-endian, elements below eight
 * bits packed from the low bits of each byte. */
typedef struct lp_array {
    lp_dtype dtype;
    lp_shape shape;
    int64_t size_bytes;
    void *bytes;
} lp_array;

/* Read the file "path", NPY when its name ends in .npy, else a TensorProto
 * (.pb); LP_EUNSUPPORTED when it has more than "max_bytes" (0: 8 GiB). */
LP_API lp_status lp_array_read(const char *path, int64_t max_bytes,
                               lp_array **ret_array, lp_error *error);

/* Write "array" to the file "path" as NPY, whole or not at all. */
LP_API lp_status lp_array_write(const lp_array *array, const char *path,
                                lp_error *error);
LP_API void lp_array_free(lp_array *array);

/* When two numbers are equal: |got - wanted| <= atol + rtol * |wanted| +
 * ltol * the largest |wanted| of the array, or both NaN; integers always
 * exactly. */
typedef struct lp_tolerance {
    double rtol, atol, ltol;
    bool bytes; /* byte by byte instead */
} lp_tolerance;

typedef struct lp_difference {
    bool same;
    int64_t count;     /* elements that differ */
    double largest;    /* largest |got - wanted| */
    double scale;      /* largest |wanted| */
    char message[256]; /* what differs first; "" */
} lp_difference;

/* Compare dtypes, shapes and elements ("tolerance" NULL: rtol 1e-3, atol
 * 1e-7). */
LP_API lp_status lp_array_compare(const lp_array *got, const lp_array *wanted,
                                  const lp_tolerance *tolerance,
                                  lp_difference *ret_difference,
                                  lp_error *error);

typedef struct lp_given {
    const char *input;
    const lp_array *array;
} lp_given;

/* All zero is a valid default; NULL may stand for it. */
typedef struct lp_run_options {
    const lp_given *inputs; /* the others are drawn from "seed" */
    size_t inputs_count;
    int64_t seed;
    bool fill_weights; /* draw weights whose content is absent */
    int64_t fill_seed;
    const lp_schedule *schedule; /* NULL: the baseline, nothing compared */
    int32_t threads;             /* 0: as many as the machine has */
    bool check_memory; /* overwrite dead bytes, and compare as a schedule is */
    bool profile;
    int64_t max_memory_bytes; /* of arena, buffers, and weights in flight,
                                 each; 0: no limit */
    /* Called after each of "all" steps, and within those that are long; false
       stops the run. */
    bool (*progress)(void *context, int64_t done, int64_t all,
                     const char *layer);
    void *progress_context;
} lp_run_options;

typedef enum lp_results {
    LP_RESULTS_NONE, /* nothing to compare with */
    LP_RESULTS_EQUAL,
    LP_RESULTS_DIFFERENT,
    LP_RESULTS_QUANTIZED, /* different, as the schedule rounds what it stores */
} lp_results;

typedef struct lp_measured {
    int64_t arena_bytes, traffic_bytes, macs;
} lp_measured;

/* How far floats are from those that were wanted, over all outputs. */
typedef struct lp_distance {
    double largest; /* |got - wanted| */
    double snr_db;  /* 10 log10(sum wanted^2 / sum (got - wanted)^2) */
    double cosine;  /* sum got wanted / sqrt(sum got^2 sum wanted^2) */
} lp_distance;

/* A layer that ran. */
typedef struct lp_run_layer {
    const char *name, *op;
    int64_t runs, time_ns;
    int64_t macs, flops, moved_bytes;                   /* of all its runs */
    int64_t counted_macs, counted_flops, counted_bytes; /* of one, by analyze */
} lp_run_layer;

typedef struct lp_run {
    const char *const *output_names;
    lp_array *const *outputs;
    int64_t outputs_count;
    const char *const *drawn; /* inputs that were not given */
    int64_t drawn_count;
    lp_predictions predicted;
    lp_measured measured;
    bool is_placed;    /* false: shapes depend on data, nothing is planned */
    bool is_estimated; /* bounds were planned: measured may be less */
    lp_results results;
    char difference[512];       /* the first one; "" */
    lp_distance distance;       /* LP_RESULTS_QUANTIZED: from the run without */
    int64_t widths;             /* tensors that the schedule plans in another
                                   dtype; they are computed in their own */
    int64_t weights_peak_bytes; /* in flight at once */
    int64_t time_ns;
    const lp_run_layer *layers; /* with "profile" */
    int64_t layers_count;
} lp_run;

/* Compute "model".  With a schedule it is run twice, as the schedule says and
 * layer by layer, and the results are compared byte by byte. */
LP_API lp_status lp_model_run(const lp_model *model,
                              const lp_run_options *options, lp_run **ret_run,
                              lp_error *error);
LP_API void lp_run_free(lp_run *run);

/* Whether output_0.npy (or .pb), ... stand in the folder "path", one for each
 * output of "model": LP_EIO or LP_EINPUT name the one that does not. */
LP_API lp_status lp_outputs_exist(const lp_model *model, const char *path,
                                  lp_error *error);

/* Compare the outputs with output_0.npy (or .pb), ... in the folder "path" and
 * set the results of "run". */
LP_API lp_status lp_run_compare(lp_run *run, const char *path,
                                const lp_tolerance *tolerance, lp_error *error);

/* Write output_0.npy, ... into the folder "path", which is made. */
LP_API lp_status lp_run_save(const lp_run *run, const char *path,
                             lp_error *error);

/* "run" as text or JSON; free with lp_text_free. */
LP_API lp_status lp_run_write(const lp_run *run, lp_format format,
                              char **ret_text, size_t *ret_length,
                              lp_error *error);

typedef enum lp_verdict {
    LP_PASS,
    LP_FAIL,
    LP_SKIP, /* cannot be run */
} lp_verdict;

/* Run the case in the folder "path": model.onnx, and in test_data_set_N
 * input_*.pb and output_*.pb (ONNX's backend tests).  "ret_reason" is one line,
 * "" for LP_PASS, to be freed with lp_text_free. */
LP_API lp_status lp_case_run(const char *path, const lp_run_options *options,
                             const lp_tolerance *tolerance,
                             lp_verdict *ret_verdict, char **ret_reason,
                             lp_error *error);

/* Write the weights of "model" whose content is absent as external data into
 * the folder "path", with the values that fill_weights draws.  Of "options"
 * fill_seed and progress count, which is called after each weight; stopped, it
 * leaves only whole files. */
LP_API lp_status lp_model_fill(const lp_model *model,
                               const lp_run_options *options, const char *path,
                               lp_error *error);

/* ---- problems of other tools: offsets ----------------------------------- */

/* Buffers that want places in one memory, out of a file: lplan-solve(1). */
typedef struct lp_place_problem lp_place_problem;

typedef struct lp_place_answer {
    bool fits;               /* a placement was found */
    int64_t buffers;         /* of the problem */
    int64_t capacity_bytes;  /* asked for; 0: none */
    int64_t height_bytes;    /* of the lowest placement known; of the given one
                                when it is graded */
    int64_t bound_bytes;     /* no placement is lower */
    const char *proof;       /* of the bound */
    const char *rule;        /* that found the placement; "given" */
    int64_t work;            /* units spent */
    const char *const *core; /* ids of buffers that do not fit alone, when it is
                                proved that nothing fits */
    int64_t core_count;
} lp_place_answer;

/* Read "length" bytes of MiniMalloc's CSV at "text", called "name" in
 * messages. */
LP_API lp_status lp_place_problem_read(const char *text, size_t length,
                                       const char *name,
                                       lp_place_problem **ret_problem,
                                       lp_error *error);

/* Place all buffers within "capacity_bytes" (0: in as few bytes as can be
 * found) with "effort" units of work (0: 1,000,000).  What "ret_answer" points
 * at lives as long as the problem. */
LP_API lp_status lp_place_problem_solve(lp_place_problem *problem,
                                        int64_t capacity_bytes, int64_t effort,
                                        lp_place_answer *ret_answer,
                                        lp_error *error);

/* Compare the offsets that the file gives to all buffers with the bound.
 * LP_EINPUT when two collide, or one is missing. */
LP_API lp_status lp_place_problem_grade(lp_place_problem *problem,
                                        int64_t effort,
                                        lp_place_answer *ret_answer,
                                        lp_error *error);

/* The problem with the offsets last found, in the form it was read from; free
 * with lp_text_free. */
LP_API lp_status lp_place_problem_write(const lp_place_problem *problem,
                                        char **ret_text, size_t *ret_length,
                                        lp_error *error);

/* "answer" as text or JSON; free with lp_text_free. */
LP_API lp_status lp_place_answer_write(const lp_place_answer *answer,
                                       lp_format format, char **ret_text,
                                       size_t *ret_length, lp_error *error);
LP_API void lp_place_problem_free(lp_place_problem *problem);

/* ---- problems of other tools: recompute --------------------------------- */

/* A graph of nodes with times and sizes, out of a file: lplan-solve(1). */
typedef struct lp_remat_problem lp_remat_problem;

typedef struct lp_remat_wish {
    int64_t budget_bytes;
    bool free_order; /* first runs may change places */
    int64_t effort;  /* units of work; 0: 1,000,000 */
    int64_t seed;
    bool exact; /* go on with CBC, where it was built in */
} lp_remat_wish;

typedef struct lp_remat_answer {
    bool fits;                /* a sequence was found */
    bool reproducible;        /* the same again, on every machine */
    int64_t nodes, runs;      /* of the graph; in the sequence */
    int64_t given_peak_bytes; /* of the given order, each node once */
    int64_t floor_bytes;      /* largest working set: no budget below fits */
    int64_t floor_node;       /* id of the node whose it is */
    int64_t budget_bytes, peak_bytes;
    int64_t base_time;  /* of each node once */
    int64_t time;       /* of all runs */
    int64_t bound_time; /* no sequence within the budget takes less */
    const char *proof;  /* of the bound */
    int64_t work;       /* units spent */
} lp_remat_answer;

/* Read "length" bytes of JSON at "text", called "name" in messages. */
LP_API lp_status lp_remat_problem_read(const char *text, size_t length,
                                       const char *name,
                                       lp_remat_problem **ret_problem,
                                       lp_error *error);

/* Peak of the given order, each node once. */
LP_API int64_t lp_remat_problem_peak(const lp_remat_problem *problem);

/* The runs within the budget that take the least time. */
LP_API lp_status lp_remat_problem_solve(lp_remat_problem *problem,
                                        const lp_remat_wish *wish,
                                        lp_remat_answer *ret_answer,
                                        lp_error *error);

/* The sequence last found, as JSON; free with lp_text_free. */
LP_API lp_status lp_remat_problem_write(const lp_remat_problem *problem,
                                        char **ret_text, size_t *ret_length,
                                        lp_error *error);

/* "answer" as text or JSON; free with lp_text_free. */
LP_API lp_status lp_remat_answer_write(const lp_remat_answer *answer,
                                       lp_format format, char **ret_text,
                                       size_t *ret_length, lp_error *error);
LP_API void lp_remat_problem_free(lp_remat_problem *problem);

/* ---- files ----------------------------------------------------------- */

/* Write "length" bytes to "path": a temporary file beside it, then a rename,
 * so that a failure leaves nothing behind. */
LP_API lp_status lp_file_write(const char *path, const char *text,
                               size_t length, lp_error *error);

/* Parse a count with an optional suffix: k M G (powers of 1000), Ki Mi Gi
 * (of 1024), a trailing B allowed; false when "text" is none or overflows. */
LP_API bool lp_parse_count(const char *text, int64_t *ret_value);

#ifdef __cplusplus
}
#endif
#endif
