/* order.h: the order in which the nodes of a graph take the fewest bytes.
 *
 * A part of solve.h, which alone includes it. */
#ifndef LPI_SOLVE_ORDER_H
#define LPI_SOLVE_ORDER_H

/* ---- order_graph.c: a graph, made ready -------------------------------- */

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

/* ---- order_lazy.c, order_prepare.c ------------------------------------- */

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

/* ---- order_flow.c ------------------------------------------------------ */

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

/* ---- order_bound.c ----------------------------------------------------- */

typedef struct lpi_order_bound {
    int64_t bytes;
    const char *proof;
} lpi_order_bound;

/* No order of "dag" has less; "seen" holds by node the least that known orders
 * take while it runs.  "limit" is of the work of flows. */
lp_status lpi_order_bound_find(lpi_arena *arena, const lpi_dag *dag,
                               const int64_t *seen, int64_t limit,
                               lpi_order_bound *ret_bound, lp_error *error);

/* ---- order_rules.c ----------------------------------------------------- */

/* A quick order: "make" fills "order" or says that it costs too much. */
typedef struct lpi_order_rule {
    const char *name;
    lp_status (*make)(lpi_arena *arena, const lpi_dag *dag, int64_t limit,
                      int32_t *order, bool *ret_made, lp_error *error);
} lpi_order_rule;

/* Rule "i"; NULL past the last. */
const lpi_order_rule *lpi_order_rule_at(int32_t i);

/* ---- order_state.c, order_search.c ------------------------------------- */

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

/* ---- order.c ----------------------------------------------------------- */

/* lp_solve_order with some rules of the search alone: for tests. */
lp_status lpi_solve_order(lp_scratch *scratch, const lp_graph *graph,
                          const lp_order_options *options, int32_t rules,
                          lp_ordering *ret_ordering, lp_error *error);

#endif
