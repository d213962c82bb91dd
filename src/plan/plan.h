/* plan.h: planning: planners found, and driven in a chain.
 *
 * A chain starts from the model in its own order.  Each planner writes the
 * columns that it decides; the driver verifies that it wrote no other, lowers
 * what stands there, and hands the schedule on.  After the last it is placed,
 * unless a planner did, and proved by the checker. */
#ifndef LPI_PLAN_H
#define LPI_PLAN_H

#include "../sched/sched.h"

/* ---- registry.c: planners by name ------------------------------------- */

/* A planner that was found. */
typedef struct lpi_offer {
    const lp_planner *planner; /* NULL: it cannot be used */
    const char *name, *origin; /* file of the module; "" in the library */
    const char *fault;         /* why it cannot be used; NULL */
} lpi_offer;

typedef struct lpi_registry lpi_registry;

/* Planners of "table" (ended by NULL), and modules NAME.so in "folders", which
 * stand before those of the table; they are opened when they are wanted. */
lp_status lpi_registry_new(const lp_planner *const *table,
                           const char *const *folders, size_t folders_count,
                           lpi_registry **ret_registry, lp_error *error);
void lpi_registry_free(lpi_registry *registry);

/* The planner called "name"; LP_EINPUT names those there are. */
lp_status lpi_registry_find(lpi_registry *registry, const char *name,
                            const lp_planner **ret_planner, lp_error *error);

/* All there are, in the order of the table, then modules by folder and name,
 * broken ones too. */
lp_status lpi_registry_list(lpi_registry *registry, const lpi_offer **ret_found,
                            int64_t *ret_count, lp_error *error);

/* ---- known.c: addresses that planners may name -------------------------- */

/* Whether "tensor" is an activation, a static tensor or a layer that runs of
 * the model of "schedule"; the pointer is looked up, not followed. */
lp_status lpi_know(lp_schedule *schedule, lp_error *error);
bool lpi_knows_tensor(const lp_schedule *schedule, const lp_tensor *tensor);
bool lpi_knows_layer(const lp_schedule *schedule, const lp_layer *layer);

/* ---- columns.c ----------------------------------------------------------- */

enum {
    LPI_COLUMN_GROUPS,
    LPI_COLUMN_UNITS,
    LPI_COLUMN_HOMES,
    LPI_COLUMN_MOVES,
    LPI_COLUMN_PINS,
    LPI_COLUMN_ALIASES,
    LPI_COLUMN_PLACES,
    LPI_COLUMNS
};

/* The bit LP_PRECISION << "at", by its section in YAML, or "once"; NULL after
 * the last. */
const char *lpi_column_name(int32_t at);

/* ---- print.c ----------------------------------------------------------- */

/* Numbers that stand for the content of each column. */
typedef struct lpi_print {
    uint64_t columns[LPI_COLUMNS];
} lpi_print;

void lpi_print_find(const lp_schedule *schedule, lpi_print *ret_print);

/* The first column, by its name in YAML, that changed from "before" to "after"
 * though it is not among "decides"; NULL.  Those after one that is may be as in
 * "cleared". */
const char *lpi_print_compare(const lpi_print *before, const lpi_print *after,
                              const lpi_print *cleared, uint32_t decides);

/* ---- problem.c ----------------------------------------------------------- */

/* Activations that may share bytes while both are needed: views, and parts with
 * the whole that Concat makes or Split reads; their kin, by tensor id. */
typedef struct lpi_kin {
    int64_t *of;    /* by tensor: its family */
    int64_t *most;  /* by family: bytes of its largest, in the sum ... */
    int64_t *marks; /* ... that has this number */
    int64_t mark;
} lpi_kin;

/* Planners in turn. */
typedef struct lpi_turns {
    const char *const *names;
    int64_t count;
} lpi_turns;

/* One planning under way. */
typedef struct lpi_planning {
    lpi_registry *registry;
    const lp_model *model;
    const lp_plan_options *options;
    lpi_turns chain;
    bool is_quiet;               /* a trial: notes and ways are not kept */
    int64_t deadline_ns;         /* no planner begins later; 0: none */
    bool is_cut;                 /* one would have */
    const char *const *settings; /* "PLANNER.OPTION=VALUE" */
    size_t settings_count;
    lpi_arena *arena;        /* holds the problem and the plan */
    int32_t *tensor_numbers; /* by id; -1 */
    int32_t *layer_numbers;
    lpi_kin kin;
    lp_problem problem; /* without settings, scratch and run */
    lp_plan_note *notes;
    int64_t notes_count, notes_room;
    lp_way *ways;
    int64_t ways_count, ways_room;
} lpi_planning;

/* A planner at work. */
typedef struct lpi_plan_run {
    lpi_planning *planning;
    const lp_planner *planner;
    const struct lpi_plan_run *caller; /* by lp_plan_with; NULL */
    lpi_arena *scratch;
    lp_schedule **drafts;
    int64_t drafts_count, drafts_room;
} lpi_plan_run;

/* Describe the model to planners; "first" is a schedule of it that runs each
 * layer once, in order. */
lp_status lpi_problem_build(lpi_planning *planning, const lp_schedule *first,
                            lp_error *error);

/* ---- settings.c -------------------------------------------------------- */

/* Refuse settings of planners or options that do not exist. */
lp_status lpi_settings_check(lpi_planning *planning, lp_error *error);

/* Give "problem" the settings of "planner", in "arena". */
lp_status lpi_settings_find(const lpi_planning *planning, lpi_arena *arena,
                            const lp_planner *planner, lp_problem *problem,
                            lp_error *error);

/* ---- chain.c, link.c, drive.c ------------------------------------------ */

/* Whether the deadline of "planning" is over; what is then planned is void. */
bool lpi_is_late(lpi_planning *planning);

/* The schedule that a chain starts from; sets the budget of the problem. */
lp_status lpi_chain_start(lpi_planning *planning, lp_schedule **ret_schedule,
                          lp_error *error);

/* Run the chain on "schedule"; "*ret_decided" are the columns decided. */
lp_status lpi_chain_run(lpi_planning *planning, lp_schedule *schedule,
                        uint32_t *ret_decided, lp_error *error);

/* Aliases and places, where no planner decides them, and predictions. */
lp_status lpi_chain_finish(lp_schedule *schedule, uint32_t decided,
                           lp_error *error);

/* What "chain" makes within "budget_bytes" (0: as low as can be) by "effort";
 * it may be above the budget, and is not proved. */
lp_status lpi_chain_try(lpi_planning *planning, const lpi_turns *chain,
                        int64_t budget_bytes, int64_t effort,
                        lp_schedule **ret_schedule, lp_error *error);

/* Run "planner" on "schedule" for "budget_bytes" (0: none), verify what it
 * wrote, and lower the result. */
lp_status lpi_link_run(lpi_planning *planning, const lp_planner *planner,
                       const lpi_plan_run *caller, int64_t budget_bytes,
                       lp_schedule *schedule, lp_error *error);

/* Plan "model" with the planners of "table"; see lp_plan_new. */
lp_status lpi_plan_new(const lp_planner *const *table, const lp_model *model,
                       const lp_plan_options *options, lp_plan **ret_plan,
                       lp_error *error);

/* ---- places.c ------------------------------------------------------------ */

/* By node of "graph" the storage in whose place it makes its first output each
 * time it runs; -1: none. */
lp_status lpi_events_places(lpi_arena *scratch, const lp_unit_graph *graph,
                            const lp_event *events, int64_t count,
                            int32_t **ret_places, lp_error *error);

/* Give "schedule" the aliases it finds itself, and those by "places"; "units"
 * are those that "graph" was made of. */
lp_status lpi_events_aliases(const lp_problem *problem, lp_schedule *schedule,
                             const lp_unit_graph *graph, const lp_unit *units,
                             const int32_t *places, lp_error *error);

/* ---- bounds.c, obstacle.c ---------------------------------------------- */

/* loads.c: bytes in memory 0 at each unit of "program"; NULL without memory. */
int64_t *lpi_loads_find(lpi_arena *arena, const lpi_program *program);

/* kin.c */
lp_status lpi_kin_find(lpi_planning *planning, lp_error *error);

/* Sum of the largest of each family among "values" of "program"; and whether
 * the next of them stands for its family, each family once. */
int64_t lpi_kin_bytes(lpi_kin *kin, const lpi_program *program,
                      const int64_t *values, int32_t count);
bool lpi_kin_stands(lpi_kin *kin, const lp_schedule *schedule,
                    const lp_tensor *tensor);

/* The least that the operands of unit "unit" take in memory 0 while it runs,
 * whatever shares bytes; whether inputs and outputs are counted. */
int64_t lpi_operands_floor(lpi_kin *kin, const lpi_program *program,
                           int64_t unit, bool *ret_inputs, bool *ret_outputs);

/* What unit "unit" takes there beside its operands, aliases as they stand. */
int64_t lpi_buffers_floor(const lpi_program *program, int64_t unit);

/* Fill the bounds of "plan" and of "schedule", which "program" means: those
 * that hold for every schedule of the model, and those that planners stated.
 * LP_EINPUT when the plan beats one. */
lp_status lpi_bounds_find(lpi_planning *planning, lp_schedule *schedule,
                          const lpi_program *program, lp_plan *plan,
                          lp_error *error);

/* deeds.c: unit "at" runs a position (a first execution, counted) again, or
 * needs a storage (by its root tensor) that is loaded: "of". */
typedef struct lpi_deed {
    int64_t of, at;
} lpi_deed;

typedef struct lpi_deeds {
    lpi_deed *list; /* sorted by "of", then "at" */
    int64_t count;
} lpi_deeds;

lp_status lpi_deeds_find(const lp_problem *problem, const lp_schedule *schedule,
                         lpi_deeds *ret_runs, lpi_deeds *ret_loads,
                         lp_error *error);

/* Whether there is one of "of" after unit "low" and not after unit "high". */
bool lpi_deeds_have(const lpi_deeds *deeds, int64_t of, int64_t low,
                    int64_t high);

/* break_even.c: fill the break-even map of "plan" from "schedule", which need
 * not fit. */
lp_status lpi_break_even_find(lpi_planning *planning,
                              const lp_schedule *schedule, lp_plan *plan,
                              lp_error *error);

/* Say in "plan" why "schedule" does not fit in the budget. */
lp_status lpi_obstacle_find(lpi_planning *planning, lp_schedule *schedule,
                            lp_plan *plan, lp_error *error);

/* ways.c: add to the ways of "planning" what would fit, where that was asked
 * for, and sort them; "obstacle" may be NULL. */
lp_status lpi_ways_find(lpi_planning *planning, const lp_obstacle *obstacle,
                        lp_error *error);

/* spill.c: have copies to memory 1, added where there is none, bring "schedule"
 * within the budget, or near it, and place it; whether there were any. */
lp_status lpi_spill(lpi_planning *planning, lp_schedule *schedule,
                    bool *ret_found, lp_error *error);

#endif
