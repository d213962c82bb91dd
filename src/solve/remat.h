/* remat.h: recompute, store or spill: the cheapest sequence within a budget.
 *
 * A part of solve.h, which alone includes it. */
#ifndef LPI_SOLVE_REMAT_H
#define LPI_SOLVE_REMAT_H

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
    int32_t *events;   /* by tensor in order; see LPI_REMAT_POSITION */
    int32_t *takes;    /* by node: the input in whose place it makes its first
                          output where that input dies; -1 */
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

/* Whether "node" may make its first output in the place of input "tensor". */
bool lpi_remat_may_take(const lp_graph *graph, int32_t node, int32_t tensor);

/* Take the items as they stand: events, residency, cost, overflow. */
void lpi_remat_rebuild(lpi_remat *remat);

/* The events of "tensor" next to position "at", without those at position
 * "ignored": the last before it and the first at it or after; -1: none. */
void lpi_remat_around(lpi_remat *remat, int32_t tensor, int32_t at,
                      int32_t ignored, int32_t ret_events[2]);

/* An event is 4 * (position + 1), + 1 for a use, + 2 for one in whose place a
 * result is made when it is the last; -1 is none. */
#define LPI_REMAT_IS_USE(event)   ((event) >= 0 && ((event)&1))
#define LPI_REMAT_TAKES(event)    ((event) >= 0 && ((event)&2))
#define LPI_REMAT_POSITION(event) ((event) / 4 - 1)

/* The input in whose place "item" makes its first output, if it dies there; -1:
 * none.  What is loaded one day takes no part. */
static inline int32_t lpi_remat_taken(const lpi_remat *remat, int32_t item)
{
    int32_t taken = item < 0 ? -1 : remat->takes[item];

    return taken >= 0 && !remat->loads[taken] &&
                   !remat->loads[remat->graph->nodes[item].outputs[0]]
               ? taken
               : -1;
}

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

/* remat_level.c: put the items, each node once, in an order of a low peak, with
 * "effort" units of work; "ret_bytes" is the lowest peak found, nothing made in
 * place. */
lp_status lpi_remat_level(lpi_remat *remat, int64_t effort, int64_t *ret_bytes,
                          lp_error *error);

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

/* What node "i" takes while it runs, at the least: its first output in place
 * where it may be; of "*ret_places" inputs, unless that is NULL. */
int64_t lpi_remat_set(const lp_graph *graph, int32_t i, int32_t *ret_places);

/* The only input in whose place node "i" may make its first output; -1. */
int32_t lpi_remat_place(const lp_graph *graph, int32_t i);

/* Largest working set: of a node, or of the end. */
void lpi_remat_floor(const lp_graph *graph, int64_t *ret_bytes,
                     int32_t *ret_node);

#endif
