/* sched.h: schedules, what they mean, and whether they are right.
 *
 * A schedule is decisions by name (the sections of its YAML form).  Lowering
 * turns model and schedule into a program: values (productions of tensors),
 * residencies (bytes of a value in a memory over an interval of units) and
 * steps.  Checker, peaks, executor and exporters all walk the same program.
 *
 * A unit is one entry of "runs": one execution of a layer or of a group.
 * Time is counted in units, from 0; what happens between two units (copies,
 * ends of residencies) is told apart by the steps alone.
 *
 * The schedule as a value stands here; what it means (program.h), how that is
 * found (lower.h) and judged (check.h), and how schedules are made (make.h)
 * in the parts that the last lines include. */
#ifndef LPI_SCHED_H
#define LPI_SCHED_H

#include "../cost/cost.h"
#include "../solve/solve.h"

/* ---- the schedule as a value ---------------------------------------- */

/* How a tensor is stored, not as its own dtype says. */
typedef struct lpi_precision {
    const lp_tensor *tensor;
    lp_dtype dtype;
    bool is_assumed; /* a width without scales */
    int32_t axis;    /* of the channels; -1: one scale for the tensor */
    const double *scales;
    const int64_t *zero_points;
    int64_t scales_count, zero_points_count;
    const char *file; /* that holds the scales, NULL; "scales" NULL: not read */
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
    bool is_timed;             /* the effort was found by a clock */
    const lp_device *target;   /* that "device" names; NULL: not given */
    const lp_memory *memories; /* memory 0: where units read and write */
    int64_t memories_count;
    int32_t weights_memory; /* where weights live; 0: they are read for
                               nothing */
    const lpi_precision *precisions;
    int64_t precisions_count;
    const lpi_precision *const
        *widths; /* by tensor id; NULL: all as they are */
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

#include "program.h"
#include "lower.h"
#include "check.h"
#include "make.h"

#endif
