/* place.h: offsets of buffers that want bytes for a time, by greedy rules and
 * by an exact search.
 *
 * A part of solve.h, which alone includes it. */
#ifndef LPI_SOLVE_PLACE_H
#define LPI_SOLVE_PLACE_H

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

/* A begin or an end of "of" in a sweep over time. */
typedef struct lpi_edge {
    int64_t time, of;
    bool is_begin; /* begins come after the ends of the same time */
} lpi_edge;

/* For qsort: their order. */
int lpi_edge_order(const void *a, const void *b);

/* ---- layout.c ------------------------------------------------------------ */

/* A run of sections, "begin" included and "end" not, in which a buffer takes
 * its bytes "low" up to "high". */
typedef struct lpi_span {
    int32_t begin, end;
    int64_t low, high;
} lpi_span;

/* Buffers over sections of time: sets of buffers that are alive together, each
 * part of no other. */
typedef struct lpi_layout {
    const lp_buffer *buffers;
    int64_t count;
    int64_t *alignments; /* by buffer, 1 at least */
    lpi_span *spans;     /* of buffer i from begins[i] to begins[i + 1] */
    int32_t *begins;
    int32_t *first, *last; /* sections, "last" not included */
    int32_t spans_count, sections;
    int64_t *loads;      /* by section: bytes taken */
    int64_t bound_bytes; /* no packing is lower: load, alignment, fixed ends */
    int64_t step;        /* divides the height of some lowest packing */
    bool has_windows;    /* a gap in which some bytes are taken */
    bool has_fixed, has_hints;
} lpi_layout;

/* LP_EINPUT: a buffer is malformed; LP_EINFEASIBLE: offsets may overflow. */
lp_status lpi_layout_new(lpi_arena *arena, const lp_buffer *buffers,
                         int64_t count, lpi_layout *ret_layout,
                         lp_error *error);

/* How much higher than "low" buffer "high" has to start to lie above it
 * wherever they meet; INT64_MIN when they never do. */
int64_t lpi_layout_lift(const lpi_layout *layout, int64_t low, int64_t high);

/* The least multiple of "step" from "value" on. */
int64_t lpi_round_up(int64_t value, int64_t step);

/* ---- meetings.c ---------------------------------------------------------- */

/* For each buffer those that it meets in time: of buffer i others[begins[i]]
 * up to others[ends[i] - 1].  "too_many": more than fit a list, which is left
 * out. */
typedef struct lpi_meetings {
    int64_t *begins, *ends;
    int32_t *others;
    bool too_many;
} lpi_meetings;

enum { LPI_MEETINGS_MOST = 16 << 20 };

lp_status lpi_meetings_find(lpi_arena *arena, const lpi_layout *layout,
                            lpi_meetings *ret_meetings, lp_error *error);

/* ---- offsets.c: greedy rules --------------------------------------------- */

/* Name of rule "i", NULL past the last. */
const char *lpi_offset_rule(int32_t i);

/* Place the buffers of "layout" by the rule called "rule" (NULL: by each in
 * turn, until one reaches the bound; the first lowest one is kept). */
lp_status lpi_layout_pack(lpi_arena *arena, const lpi_layout *layout,
                          const lpi_meetings *meetings, const char *rule,
                          lpi_packing *ret_packing, lp_error *error);

/* The same for "intervals" alone, into memory of "arena". */
lp_status lpi_offsets_pack(lpi_arena *arena, const lpi_interval *intervals,
                           int64_t count, const char *rule,
                           lpi_packing *ret_packing, lp_error *error);

/* ---- conflicts.c --------------------------------------------------------- */

/* Two intervals that take the same byte at the same time, by a sweep over time
 * in O(n log n); "offsets" by interval.  False when there are none. */
lp_status lpi_offsets_overlap(lpi_arena *scratch, const lpi_interval *intervals,
                              const int64_t *offsets, int64_t count,
                              bool *ret_found, int64_t ret_pair[2],
                              lp_error *error);

/* ---- blocks.c ------------------------------------------------------------ */

/* Pack in the order of time, each into the tightest free block: for buffers
 * of which very many meet, none fixed.  Fills "offsets" and returns the height
 * in "ret_height". */
lp_status lpi_blocks_pack(lpi_arena *scratch, const lpi_layout *layout,
                          int64_t *offsets, int64_t *ret_height,
                          lp_error *error);

/* ---- place_search.c ---------------------------------------------------- */

/* What a search for a packing within a capacity ends with. */
typedef enum lpi_found {
    LPI_FOUND,
    LPI_NONE,  /* there is none: all was searched */
    LPI_SPENT, /* the work ran out */
} lpi_found;

typedef struct lpi_search lpi_search;

/* Look for a packing within "capacity" in order "order" with at most "limit"
 * steps of work. */
typedef struct lpi_quest {
    int64_t capacity, limit;
    int32_t order;
    int64_t steps; /* result: what was spent */
    int64_t next;  /* result after LPI_NONE: below this capacity there is none
                      either; INT64_MAX: at no capacity */
} lpi_quest;

/* Prepare to search for packings of "layout", whose memory "arena" holds. */
lp_status lpi_search_new(lpi_arena *arena, const lpi_layout *layout,
                         const lpi_meetings *meetings, lpi_search **ret_search,
                         lp_error *error);

/* "offsets" are written when a packing is found. */
lpi_found lpi_search_run(lpi_search *search, lpi_quest *quest,
                         int64_t *offsets);

/* ---- place_state.c, place_order.c: parts of the search ------------------- */

/* What to undo: a floor that was raised, a rank, or a placement. */
typedef struct lpi_search_change {
    enum { LPI_CHANGED_FLOOR, LPI_CHANGED_RANK, LPI_CHANGED_PLACED } what;
    int32_t of;
    int64_t before;
} lpi_search_change;

/* Buffers that wait. */
typedef struct lpi_search_part {
    const int32_t *items; /* sorted by (floor, rank) */
    int32_t count;
    int32_t first, last; /* sections */
} lpi_search_part;

typedef struct lpi_search_key {
    int64_t offset;
    int32_t rank;
} lpi_search_key;

/* What an order is made from. */
typedef struct lpi_search_trait {
    int32_t of;
    int64_t keys[3]; /* in falling order */
} lpi_search_trait;

struct lpi_search {
    const lpi_layout *layout;
    const lpi_meetings *meetings;
    int64_t *lifts;    /* by entry of the meetings */
    int64_t *floors;   /* by buffer */
    int64_t *placed;   /* offsets; -1: not placed */
    int32_t *sorted;   /* buffers by rank */
    int32_t *rank;     /* by buffer */
    int32_t *twins;    /* the equal one of the rank before; -1: none */
    int64_t *waiting;  /* by section: bytes of what is not placed */
    int64_t *sums;     /* by section: scratch */
    int32_t *crossing; /* by section: waiting ones that go on after it */
    lpi_search_change *trail;
    int64_t trail_count;
    int64_t trail_spare; /* entries up to which ranks may change */
    lpi_search_trait *traits;
    int32_t *stack; /* items of pieces */
    int32_t count;  /* of those not fixed */
    lpi_quest *quest;
    bool is_spent;
};

/* The lowest aligned offset from "offset" on at which buffer "of" meets no
 * fixed one. */
int64_t lpi_search_legal(const lpi_search *search, int32_t of, int64_t offset);

/* Add "sign" times buffer "of" to what waits in its sections. */
void lpi_search_count_in(lpi_search *search, int32_t of, int32_t sign);

/* Place "of" at "offset": those that it meets are raised; and take back all
 * changes down to "mark". */
void lpi_search_put(lpi_search *search, int32_t of, int64_t offset);
void lpi_search_undo(lpi_search *search, int64_t mark);

/* Whether buffer "of", windows or not, ends below the capacity at "offset". */
bool lpi_search_fits_at(lpi_search *search, int32_t of, int64_t offset);

/* Whether what waits fits over "offset" in sections "first" to "last". */
bool lpi_search_fits_over(lpi_search *search, int32_t first, int32_t last,
                          int64_t offset);

/* Whether in each section, and for each floor, what starts there or above fits
 * over it.  Nothing starts below "offset". */
bool lpi_search_fits_above(lpi_search *search, const lpi_search_part *piece,
                           int64_t offset);

/* Whether some waiting buffer can still raise "of" from its floor. */
bool lpi_search_can_rise(const lpi_search *search, int32_t of);

/* Fill the lifts. */
void lpi_search_find_lifts(lpi_search *search);

/* Name of order "order", NULL past the last, and whether it ranks anew what a
 * cut leaves. */
const char *lpi_search_name(int32_t order);
bool lpi_search_ranks_again(int32_t order);

/* Rank all buffers by "order". */
void lpi_search_rank(lpi_search *search, int32_t order);

/* Rank the "count" items anew and sort them. */
void lpi_search_rank_again(lpi_search *search, int32_t *items, int32_t count);

/* The items of "piece" without number "without", sorted again, at "items". */
void lpi_search_sort(const lpi_search *search, const lpi_search_part *piece,
                     int32_t without, int32_t *items);

/* ---- place_core.c -------------------------------------------------------- */

/* Buffers, by number, that do not fit. */
typedef struct lpi_core {
    const int64_t *items;
    int64_t count;
    bool is_minimal; /* none can be taken out */
} lpi_core;

/* A part of "layout", which is known not to fit "capacity", that does not fit
 * either, with at most about "steps" of work. */
lp_status lpi_core_find(lpi_arena *arena, const lpi_layout *layout,
                        int64_t capacity, int64_t steps, lpi_core *ret_core,
                        lp_error *error);

#endif
