/* order_prepare.c: what the rules of the search need of a graph.
 *
 * Sets of ancestors and descendants; the graph of the nodes that are not lazy
 * (order_lazy.c), seen through those that are, with the lazy nodes that each
 * wants, block by block; and cuts.  A node is a cut when every node that is not
 * lazy, or is in a sweep, is its ancestor or its descendant: all orders in
 * which lazy blocks run late pass one state directly after it. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* Bytes of the sets, and members of the lists of lazy nodes, that are worth
 * it. */
enum { SETS_BYTES = 64 << 20, FIRST_MOST = 1 << 22 };

/* Sets of ancestors and descendants. */
static lp_status find_reach(lpi_arena *arena, lpi_dag *dag, lp_error *error)
{
    int64_t words = dag->words, all = lpi_mul(dag->count, words);
    int64_t v, e, i;

    dag->above = LPI_NEW(arena, uint64_t, all);
    dag->below = LPI_NEW(arena, uint64_t, all);
    if (!dag->above || !dag->below)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++)
        for (e = dag->before.begins[v]; e < dag->before.begins[v + 1]; e++) {
            int32_t from = dag->before.to[e];

            for (i = 0; i < words; i++)
                dag->above[v * words + i] |= dag->above[from * words + i];
            lpi_bit_set(dag->above + v * words, from);
        }
    for (v = dag->count - 1; v >= 0; v--)
        for (e = dag->after.begins[v]; e < dag->after.begins[v + 1]; e++) {
            int32_t to = dag->after.to[e];

            for (i = 0; i < words; i++)
                dag->below[v * words + i] |= dag->below[to * words + i];
            lpi_bit_set(dag->below + v * words, to);
        }
    return LP_OK;
}

/* What a look through lazy nodes collects for one node. */
typedef struct look {
    const lpi_dag *dag;
    int32_t *seen;  /* by node: the last that met it, + 1 */
    int32_t *stack; /* of nodes met; in the end all of them */
    int32_t count;
} look;

/* Take "v" up, once. */
static void meet(look *l, int32_t v, int32_t met_by)
{
    if (l->seen[v] != met_by + 1) {
        l->seen[v] = met_by + 1;
        l->stack[l->count++] = v;
    }
}

/* Collect whom node or sweep "v" waits for, through lazy nodes; those of the
 * sweep too. */
static void look_back(look *l, int32_t v)
{
    const lpi_links *before = &l->dag->before, *sweeps = &l->dag->sweeps;
    int32_t f = v - l->dag->count, at, e;

    l->count = 0;
    if (f < 0)
        for (e = before->begins[v]; e < before->begins[v + 1]; e++)
            meet(l, before->to[e], v);
    else
        for (e = sweeps->begins[f]; e < sweeps->begins[f + 1]; e++)
            meet(l, sweeps->to[e], v);
    for (at = 0; at < l->count; at++) {
        int32_t of = l->stack[at];

        if (l->dag->is_lazy[of])
            for (e = before->begins[of]; e < before->begins[of + 1]; e++)
                meet(l, before->to[e], v);
    }
}

/* A lazy node in a list. */
typedef struct waiting {
    int32_t root, node;
} waiting;

/* Blocks in the order of their last nodes. */
static int by_block(const void *a, const void *b)
{
    const waiting *x = a, *y = b;

    if (x->root != y->root)
        return x->root < y->root ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The lists "first" and "hard_after", as they grow. */
typedef struct linker {
    lpi_arena *arena;
    lpi_links hard;
    waiting *waiting; /* of one node */
    int64_t firsts, hards, firsts_room, hards_room;
} linker;

/* Append what "l" has collected for node "v"; false without memory. */
static bool append(linker *k, lpi_dag *dag, const look *l, const int32_t *roots,
                   int32_t v)
{
    int32_t count = 0, i;

    for (i = 0; i < l->count; i++)
        if (dag->is_lazy[l->stack[i]]) {
            k->waiting[count++] = (waiting){roots[l->stack[i]], l->stack[i]};
        } else {
            if (!LPI_GROW(k->arena, k->hard.to, k->hards, k->hards_room))
                return false;
            k->hard.to[k->hards++] = l->stack[i];
        }
    if (count)
        qsort(k->waiting, (size_t)count, sizeof(waiting), by_block);
    for (i = 0; i < count; i++) {
        if (!LPI_GROW(k->arena, dag->first.to, k->firsts, k->firsts_room))
            return false;
        dag->first.to[k->firsts++] = k->waiting[i].node;
    }
    dag->first.begins[v + 1] = (int32_t)k->firsts;
    k->hard.begins[v + 1] = (int32_t)k->hards;
    return true;
}

/* Make both lists; "ret_fits" is false when they get too long. */
static lp_status link_lazy(lpi_arena *arena, lpi_dag *dag, const int32_t *roots,
                           bool *ret_fits, lp_error *error)
{
    look l = {.dag = dag,
              .seen = LPI_NEW(arena, int32_t, dag->count),
              .stack = LPI_NEW(arena, int32_t, dag->count)};
    linker k = {.arena = arena, .waiting = LPI_NEW(arena, waiting, dag->count)};
    int32_t all = dag->count + dag->sweeps_count, v;

    dag->first.begins = LPI_NEW(arena, int32_t, all + 1);
    k.hard.begins = LPI_NEW(arena, int32_t, all + 1);
    if (!l.seen || !l.stack || !dag->first.begins || !k.hard.begins ||
        !k.waiting)
        return lpi_fail_memory(error);
    for (v = 0; v < all; v++) {
        l.count = 0;
        if (v >= dag->count || !dag->is_lazy[v])
            look_back(&l, v);
        if (!append(&k, dag, &l, roots, v))
            return lpi_fail_memory(error);
        *ret_fits = k.firsts + k.hards < FIRST_MOST;
        if (!*ret_fits)
            return LP_OK;
    }
    return lpi_links_turn(arena, &k.hard, all, dag->count, &dag->hard_after,
                          error);
}

static bool is_cut(const lpi_dag *dag, int32_t v)
{
    const uint64_t *above = dag->above + (int64_t)v * dag->words;
    const uint64_t *below = dag->below + (int64_t)v * dag->words;
    const lpi_links *sweeps = &dag->sweeps;
    int32_t i;

    if (dag->is_lazy && dag->is_lazy[v])
        return false;
    for (i = 0; i < dag->count; i++)
        if (i != v && !lpi_bit(above, i) && !lpi_bit(below, i) &&
            !(dag->is_lazy && dag->is_lazy[i]))
            return false;
    for (i = 0; i < sweeps->begins[dag->sweeps_count]; i++)
        if (!lpi_bit(above, sweeps->to[i]) && !lpi_bit(below, sweeps->to[i]))
            return false;
    return true;
}

/* Find the lazy nodes; none are when their lists get too long. */
static lp_status set_lazy(lpi_arena *arena, lpi_dag *dag, int32_t rules,
                          lp_error *error)
{
    bool fits = true;
    int32_t *roots = NULL;

    LP_TRY(lpi_dag_lazy(arena, dag, rules, &roots, error));
    LP_TRY(link_lazy(arena, dag, roots, &fits, error));
    if (fits)
        return LP_OK;
    dag->is_lazy = NULL;
    dag->sweeps_count = 0;
    dag->hard_after = dag->after;
    memset(dag->first.begins, 0, ((size_t)dag->count + 1) * sizeof(int32_t));
    return LP_OK;
}

lp_status lpi_dag_rules(lpi_arena *arena, lpi_dag *dag, int32_t rules,
                        lp_error *error)
{
    int32_t v;

    dag->first = (lpi_links){LPI_NEW(arena, int32_t, dag->count + 1), NULL};
    dag->sweeps = (lpi_links){LPI_NEW(arena, int32_t, 1), NULL};
    dag->hard_after = dag->after;
    if (!dag->first.begins || !dag->sweeps.begins)
        return lpi_fail_memory(error);
    if (lpi_mul(dag->count, dag->words) * 8 > SETS_BYTES)
        return LP_OK;
    LP_TRY(find_reach(arena, dag, error));
    if (rules & LPI_ORDER_LAZY)
        LP_TRY(set_lazy(arena, dag, rules, error));
    if (!(rules & LPI_ORDER_CUT))
        return LP_OK;
    dag->is_cut = LPI_NEW(arena, bool, dag->count);
    if (!dag->is_cut)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++)
        dag->is_cut[v] = is_cut(dag, v);
    return LP_OK;
}
