/* check.h: what the files of the checker share: check.c, check_bytes.c,
 * check_places.c.
 *
 * A part of sched.h, which alone includes it. */
#ifndef LPI_SCHED_CHECK_H
#define LPI_SCHED_CHECK_H

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
               (tensor) ? lpi_planned_bytes((c)->p->schedule, (tensor)) : -1,  \
               0, __VA_ARGS__)

/* Whether two values of a root may share a byte; blocks of the same rows, side
 * by side, do not. */
bool lpi_value_touches(const lpi_value *a, const lpi_value *b);

/* Whether operand "of" of Concat "layer" lies where it goes in "v". */
bool lpi_is_joined(const lp_schedule *s, const lp_layer *layer,
                   const lpi_value *v, const lpi_value *of);

/* Output "i" of "layer" (NULL: a group makes it) is made as value "at": it may
 * be there, and what it overwrites is no longer valid. */
lp_status lpi_check_made(lpi_checker *c, const lp_layer *layer, int32_t i,
                         int64_t at);

/* Lives, sizes, alignment, capacity, collisions and predictions. */
lp_status lpi_check_places(lpi_checker *c);

/* Refuse a bound of "schedule" that is above what it takes by "found". */
lp_status lpi_check_bounds(const lp_schedule *schedule,
                           const lp_predictions *found, lp_refusal *refusal,
                           lp_error *error);

#endif
