/* solve.h: problems that know no model, and their solvers.
 *
 * Offsets: intervals of time that each want bytes at one place.  The solvers
 * here are greedy; the bound tells how good they are. */
#ifndef LPI_SOLVE_H
#define LPI_SOLVE_H

#include "../base/base.h"

/* Bytes wanted from time "first" to time "last", both included. */
typedef struct lpi_interval {
    int64_t first, last;
    int64_t bytes;     /* 0: fits anywhere */
    int64_t alignment; /* of its offset: a power of two */
} lpi_interval;

typedef struct lpi_packing {
    int64_t *offsets;     /* by interval */
    int64_t height_bytes; /* end of the highest interval */
    int64_t bound_bytes;  /* no packing is lower: the largest sum at a time */
    const char *rule;     /* that made it */
} lpi_packing;

/* ---- conflicts.c --------------------------------------------------------- */

/* For each interval those that it meets in time, by index: of interval i
 * others[begins[i]] up to others[ends[i] - 1].  "too_many": more than fit a
 * list, which is left out. */
typedef struct lpi_meetings {
    int64_t *begins, *ends;
    int32_t *others;
    bool too_many;
} lpi_meetings;

enum { LPI_MEETINGS_MOST = 16 << 20 };

lp_status lpi_meetings_find(lpi_arena *scratch, const lpi_interval *intervals,
                            int64_t count, lpi_meetings *ret_meetings,
                            lp_error *error);

/* The largest sum of bytes wanted at a time, alignment included: no packing is
 * lower.  The sum of all bytes must fit 64 bits. */
lp_status lpi_offsets_bound(lpi_arena *scratch, const lpi_interval *intervals,
                            int64_t count, int64_t *ret_bound, lp_error *error);

/* ---- offsets.c ----------------------------------------------------------- */

/* Name of rule "i", NULL past the last. */
const char *lpi_offset_rule(int32_t i);

/* Pack "intervals" by the rule called "rule" (NULL: by each in turn, until one
 * reaches the bound; the first lowest one is kept) into memory of "arena". */
lp_status lpi_offsets_pack(lpi_arena *arena, const lpi_interval *intervals,
                           int64_t count, const char *rule,
                           lpi_packing *ret_packing, lp_error *error);

/* Two intervals that take the same byte at the same time, by a sweep over time
 * in O(n log n); "offsets" by interval.  False when there are none. */
lp_status lpi_offsets_overlap(lpi_arena *scratch, const lpi_interval *intervals,
                              const int64_t *offsets, int64_t count,
                              bool *ret_found, int64_t ret_pair[2],
                              lp_error *error);

/* ---- blocks.c ------------------------------------------------------------ */

/* Pack in the order of time, each into the tightest free block: for intervals
 * of which very many meet.  Fills the offsets and the height of "packing". */
lp_status lpi_blocks_pack(lpi_arena *scratch, const lpi_interval *intervals,
                          int64_t count, lpi_packing *packing, lp_error *error);

#endif
