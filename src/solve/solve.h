/* solve.h: problems that know no model, and their solvers.
 *
 * Offsets: buffers that want bytes for a time, placed by greedy rules and by an
 * exact search; lp_solve_place stands on both. */
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

/* ---- place_search.c
 * ------------------------------------------------------------ */

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

/* ---- remat*.c: recompute, store or spill --------------------------------- */

/* A sequence of items in search of the cheapest within a budget.  An item runs
 * node "i" (i >= 0), or loads tensor ~i.  Before item 0 what has no producer is
 * resident; position "count" is the end, where outputs are. */
typedef struct lpi_remat {
    lpi_arena *arena;
    const lp_graph *graph;
    int64_t budget_bytes;
    bool free_order;
    int64_t effort;  /* units of work to spend */
    int64_t scanned; /* elements looked at: work in finer units */
    uint64_t random;
    int32_t *items;
    int32_t count, capacity;
    int64_t cost; /* of the items, and of a store of what is loaded */
    int64_t peak_bytes;
    int64_t overflow;  /* bytes above the budget, summed over positions */
    int64_t *resident; /* bytes, by position, the end too */
    bool *is_again;    /* by position: may be left out */
    int32_t *loads;    /* by tensor: times it is loaded */
    int32_t *begins;   /* by tensor: its first event; one more at the end */
    int32_t *events;   /* by tensor in order: 2 * (position + 1) + is_use */
    int32_t *fills;    /* by tensor: scratch of the rebuild */
    int64_t *change;   /* by position: scratch of lpi_remat_measure */
    int64_t *stamps;   /* by tensor, by node: seen at "stamp" */
    int64_t *node_stamps;
    int64_t stamp;
    int32_t *spare; /* items: scratch of the order */
    int32_t *list;  /* by tensor or position: scratch of the repair */
    int64_t events_capacity;
} lpi_remat;

enum {
    LPI_REMAT_GROUP = 16, /* items that a change puts in at most */
    LPI_REMAT_UNIT = 2048 /* elements looked at in a unit of work */
};

/* Take out the item at "removed" (-1: none), and put "group" in before the
 * item that is at "at". */
typedef struct lpi_remat_change {
    int32_t removed, at;
    int32_t group[LPI_REMAT_GROUP];
    int32_t group_count;
    int64_t relief; /* how much the overflow falls */
    int64_t price;  /* how much the cost rises */
    int64_t worst;  /* largest residency where it rises */
} lpi_remat_change;

/* remat_state.c: room for sequences of "graph", and the given order in it. */
lp_status lpi_remat_start(lpi_arena *arena, const lp_graph *graph,
                          const lp_remat_options *options, lpi_remat *ret_remat,
                          lp_error *error);

/* Take the items as they stand: events, residency, cost, overflow. */
void lpi_remat_rebuild(lpi_remat *remat);

/* The events of "tensor" next to position "at", without those at position
 * "ignored": the last before it and the first at it or after; -1: none. */
void lpi_remat_around(lpi_remat *remat, int32_t tensor, int32_t at,
                      int32_t ignored, int32_t ret_events[2]);

#define LPI_REMAT_IS_USE(event)   ((event) >= 0 && ((event)&1))
#define LPI_REMAT_POSITION(event) ((event) / 2 - 1)

/* Replace the sequence by a copy of "items". */
void lpi_remat_assign(lpi_remat *remat, const int32_t *items, int32_t count);

/* Make "change"; false without room. */
bool lpi_remat_apply(lpi_remat *remat, const lpi_remat_change *change);

/* A number below "limit" (> 0). */
int32_t lpi_remat_draw(lpi_remat *remat, int32_t limit);

/* What "item" takes, and what it makes. */
typedef struct lpi_remat_item {
    const int32_t *inputs, *outputs;
    int32_t inputs_count, outputs_count;
    int64_t extra_bytes, cost;
} lpi_remat_item;

/* The result points to "tensor_of" for a load. */
lpi_remat_item lpi_remat_item_of(const lp_graph *graph, int32_t item,
                                 int32_t *tensor_of);

/* remat_change.c: fill relief, price and worst of "change". */
void lpi_remat_measure(lpi_remat *remat, lpi_remat_change *change);

/* remat_repair.c: lower the overflow by changes until it is 0 (true), or
 * nothing helps; then leave out what is not needed. */
bool lpi_remat_repair(lpi_remat *remat);
void lpi_remat_prune(lpi_remat *remat);

/* Whether the item at "from" may stand before the item at "to", and the first
 * position where it finds its inputs. */
bool lpi_remat_may_move(lpi_remat *remat, int32_t from, int32_t to);
int32_t lpi_remat_earliest(lpi_remat *remat, int32_t from);

/* remat_order.c: move "count" items by chance, where they may stand. */
void lpi_remat_shake(lpi_remat *remat, int32_t count);

/* Lower the overflow by the order alone, with "effort" units of work. */
void lpi_remat_anneal(lpi_remat *remat, int64_t effort);

/* remat_search.c: the best sequence found; false when none fits, and then the
 * one with the least overflow.  "bound_cost" ends the search. */
lp_status lpi_remat_search(lpi_remat *remat, int64_t bound_cost, bool *ret_fits,
                           lp_error *error);

/* remat_bound.c: no events within the budget cost less than "ret_cost", by
 * "ret_proof". */
lp_status lpi_remat_bound(lpi_remat *remat, int64_t *ret_cost,
                          const char **ret_proof, lp_error *error);

/* remat_dual.c: raise "bound" of first runs in the given order, with "effort"
 * units of work; "cost" is what is known to be possible. */
lp_status lpi_remat_dual(lpi_remat *remat, int64_t cost, int64_t effort,
                         int64_t *bound, lp_error *error);

/* cbc.c: improve "result", the bound and the sequence in hand, through CBC. */
lp_status lpi_remat_exact(lpi_remat *remat, lp_rematerialisation *result,
                          lp_error *error);

/* remat_events.c: the items as events, with stores and drops. */
lp_status lpi_remat_events(lpi_remat *remat, const lp_event **ret_events,
                           int64_t *ret_count, lp_error *error);

/* Peak of the nodes of "graph", each once in their order. */
lp_status lpi_remat_peak(lpi_arena *scratch, const lp_graph *graph,
                         int64_t *ret_bytes, lp_error *error);

/* Largest working set: of a node, or of the end. */
void lpi_remat_floor(const lp_graph *graph, int64_t *ret_bytes,
                     int32_t *ret_node);

/* ---- order_graph.c: the order of a graph, made ready ----------------------
 */

enum { LPI_ORDER_NODES = 1 << 20 };

/* Those of i: to[begins[i]] up to to[begins[i + 1] - 1]. */
typedef struct lpi_links {
    int32_t *begins, *to;
} lpi_links;

/* "links" from "count" to "others", turned around; in order. */
lp_status lpi_links_turn(lpi_arena *arena, const lpi_links *links,
                         int32_t count, int32_t others, lpi_links *ret_turned,
                         lp_error *error);

typedef struct lpi_dag {
    const lp_graph *graph;
    int32_t count, words;    /* nodes; words of a set of them */
    int64_t *kept_bytes;     /* by node: outputs that outlive it */
    int64_t *wants_bytes;    /* by node: all outputs, and extra bytes */
    lpi_links readers;       /* of tensors */
    lpi_links before, after; /* neighbours of nodes, each once */
    int64_t start_bytes;     /* live before the first node */
    int64_t idle_bytes;      /* beside it: inputs that nobody reads */
    uint64_t *above, *below; /* sets: ancestors, descendants; or NULL */
    bool *is_lazy;           /* order_lazy.c; NULL: none is */
    lpi_links sweeps;        /* lazy nodes that end a tensor together; sweep f
                                is called count + f where nodes are run */
    int32_t sweeps_count;
    lpi_links first;      /* lazy nodes that a node or sweep wants */
    lpi_links hard_after; /* neighbours, seen through lazy nodes */
    bool *is_cut;         /* comparable to all that are not lazy; NULL */
} lpi_dag;

static inline void lpi_bit_set(uint64_t *set, int32_t i)
{
    set[i / 64] |= 1ull << (i % 64);
}

static inline void lpi_bit_clear(uint64_t *set, int32_t i)
{
    set[i / 64] &= ~(1ull << (i % 64));
}

static inline bool lpi_bit(const uint64_t *set, int32_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}

/* The first member of "set" ("words" long) that is not below "from"; -1. */
int32_t lpi_bit_next(const uint64_t *set, int32_t words, int32_t from);

/* Check "graph" (LP_EINPUT) and make what depends on it alone; no rules. */
lp_status lpi_dag_new(lpi_arena *arena, const lp_graph *graph, lpi_dag *ret_dag,
                      lp_error *error);

/* Whether tensor "t" waits for somebody once it is there. */
bool lpi_dag_waits(const lpi_dag *dag, int32_t t);

/* A set of executed nodes, and what follows from it. */
typedef struct lpi_order_walk {
    const lpi_dag *dag;
    const lpi_links *after;
    const bool *skips;      /* nodes that never show as ready; NULL */
    uint64_t *done, *ready; /* sets of nodes; ready sweeps too */
    int32_t ready_words;
    int32_t *waits;  /* by node: of whom it waits */
    int32_t *unread; /* by tensor: readers to come; 1 for the end */
    int64_t live_bytes;
    int32_t done_count;
} lpi_order_walk;

/* A walk at its start; "is_lazy": lazy nodes are never ready, and nobody waits
 * for them. */
lp_status lpi_order_walk_new(lpi_arena *arena, const lpi_dag *dag, bool is_lazy,
                             lpi_order_walk *ret_walk, lp_error *error);

/* Bytes taken while "v" runs next; what live bytes change by. */
int64_t lpi_order_walk_taken(const lpi_order_walk *w, int32_t v);
int64_t lpi_order_walk_delta(const lpi_order_walk *w, int32_t v);

void lpi_order_walk_run(lpi_order_walk *w, int32_t v);
void lpi_order_walk_undo(lpi_order_walk *w, int32_t v);

/* Go to the set "done", undoing and running. */
void lpi_order_walk_to(lpi_order_walk *w, const uint64_t *done);

/* ---- order_lazy.c, order_prepare.c ------------------------------------------
 */

/* Rules of the search, which lose no best order. */
enum {
    LPI_ORDER_EAGER = 1,  /* run at once what frees as much as it keeps */
    LPI_ORDER_CHAIN = 2,  /* and chains of nodes that do so together */
    LPI_ORDER_LAZY = 4,   /* what frees nothing waits for its first reader */
    LPI_ORDER_VALLEY = 8, /* keep the lowest state, once one is low enough */
    LPI_ORDER_CUT = 16,   /* keep the state that all orders pass */
    LPI_ORDER_SWEEP = 32, /* what wants one tensor ends it all at once */
    LPI_ORDER_ALL = 63,
};

/* Mark the lazy nodes of "dag"; "ret_roots" names the last node of the block of
 * each. */
lp_status lpi_dag_lazy(lpi_arena *arena, lpi_dag *dag, int32_t rules,
                       int32_t **ret_roots, lp_error *error);

/* Sets of ancestors and descendants, lazy nodes and cuts of "dag", as far as
 * "rules" ask for them and "dag" is small enough. */
lp_status lpi_dag_rules(lpi_arena *arena, lpi_dag *dag, int32_t rules,
                        lp_error *error);

/* ---- order_flow.c ----------------------------------------------------------
 */

/* The cheapest live set between two sets of nodes, as a minimum cut. */
typedef struct lpi_flow {
    const lpi_dag *dag;
    int32_t vertices;
    lpi_links edges;             /* by vertex: edges that leave it */
    int32_t *heads;              /* by edge: where it goes; its twin is e ^ 1 */
    int64_t *rooms, *capacities; /* by edge: left; at first */
    char *labels;                /* by vertex: 1 inside, 2 outside, 0 free */
    int32_t *came;               /* by vertex: edge + 1 of the last search */
    int32_t *queue;
    int64_t fixed_bytes; /* live in every state */
    int64_t work, limit; /* edges looked at */
} lpi_flow;

lp_status lpi_flow_new(lpi_arena *arena, const lpi_dag *dag, lpi_flow *ret_flow,
                       lp_error *error);

/* The lowest live bytes of a state that contains "inside" and keeps out of
 * "outside" (sets; closed or not); "ret_state" is the smallest such state,
 * unless it is NULL.  -1 past the limit. */
int64_t lpi_flow_lowest(lpi_flow *flow, const uint64_t *inside,
                        const uint64_t *outside, uint64_t *ret_state);

/* ---- order_bound.c ---------------------------------------------------------
 */

typedef struct lpi_order_bound {
    int64_t bytes;
    const char *proof;
} lpi_order_bound;

/* No order of "dag" has less; "seen" holds by node the least that known orders
 * take while it runs.  "limit" is of the work of flows. */
lp_status lpi_order_bound_find(lpi_arena *arena, const lpi_dag *dag,
                               const int64_t *seen, int64_t limit,
                               lpi_order_bound *ret_bound, lp_error *error);

/* ---- order_rules.c ---------------------------------------------------------
 */

/* A quick order: "make" fills "order" or says that it costs too much. */
typedef struct lpi_order_rule {
    const char *name;
    lp_status (*make)(lpi_arena *arena, const lpi_dag *dag, int64_t limit,
                      int32_t *order, bool *ret_made, lp_error *error);
} lpi_order_rule;

/* Rule "i"; NULL past the last. */
const lpi_order_rule *lpi_order_rule_at(int32_t i);

/* ---- order_state.c, order_search.c -----------------------------------------
 */

typedef struct lpi_order_state {
    int32_t parent;
    int32_t steps, steps_count; /* nodes run since the parent */
    int64_t live_bytes;
} lpi_order_state;

typedef struct lpi_order_item { /* "node" to be run from "state"; -1: done */
    int64_t level, live_bytes;
    int32_t state, node;
} lpi_order_item;

typedef struct lpi_order_search {
    lpi_arena *arena;
    const lpi_dag *dag;
    int32_t rules;
    int64_t level_bytes; /* transients so high are free */
    int64_t upper_bytes; /* and from here on, of no use */
    int64_t work, effort;
    int32_t width; /* states kept by number of nodes run; 0: all */
    lpi_order_walk walk;
    lpi_flow flow;
    lpi_order_state *states;
    uint64_t *sets; /* by state */
    int32_t *steps; /* of all states */
    int64_t states_count, states_room, sets_room, steps_count, steps_room;
    uint64_t *slots; /* of the hash table: generation and state */
    int64_t slots_count;
    uint64_t generation;
    lpi_order_item *items; /* a heap */
    int64_t items_count, items_room;
    int32_t *trail; /* nodes run since the state at hand */
    int32_t trail_count, cut_count;
    uint64_t *anchor; /* kept for good: its nodes are in "order" */
    int64_t anchor_bytes;
    int32_t *order;
    int32_t order_count;
    uint64_t *spare, *spare2; /* sets */
    bool dips;                /* the last move measured, on its way */
    bool is_complete;         /* "order" holds all nodes */
    bool has_dropped;         /* for want of width */
} lpi_order_search;

lp_status lpi_order_search_new(lpi_arena *arena, const lpi_dag *dag,
                               int32_t rules, lpi_order_search *ret_search,
                               lp_error *error);

/* Forget all states but "anchor", where the walk stands. */
lp_status lpi_order_restart(lpi_order_search *s, lp_error *error);

/* The highest bytes while "v", with the lazy nodes that it wants, runs; and
 * the change of live bytes. */
int64_t lpi_order_measure(lpi_order_search *s, int32_t v, int64_t *ret_delta);

/* Run "v" from the state at hand, and what is eager then, and add the state
 * "*ret_state"; -1 when it is known already.  The walk stays there. */
lp_status lpi_order_spawn(lpi_order_search *s, int32_t from, int32_t v,
                          int32_t *ret_state, lp_error *error);

lp_status lpi_order_push(lpi_order_search *s, lpi_order_item item,
                         lp_error *error);
lpi_order_item lpi_order_pop(lpi_order_search *s);

/* What a search has found. */
typedef struct lpi_order_found {
    bool is_better;      /* "order" takes less than "upper_bytes" */
    bool is_closed;      /* "bound_bytes" was searched, not given up */
    int64_t bound_bytes; /* no order takes less; at most "upper_bytes" */
    int64_t work;
} lpi_order_found;

/* Search an order below "upper_bytes", from "lower_bytes", a bound, upwards;
 * with a "width" any within upper_bytes - 1. */
lp_status lpi_order_search_run(lpi_order_search *s, int64_t lower_bytes,
                               int64_t upper_bytes, int32_t *order,
                               lpi_order_found *ret_found, lp_error *error);

/* ---- order.c ----------------------------------------------------------------
 */

/* lp_solve_order with some rules of the search alone: for tests. */
lp_status lpi_solve_order(lp_scratch *scratch, const lp_graph *graph,
                          const lp_order_options *options, int32_t rules,
                          lp_ordering *ret_ordering, lp_error *error);

#endif
