/* order_lazy.c: nodes that may wait for who reads them.
 *
 * A block is a node r and ancestors of r whose results only the block reads.
 * It is lazy when what it does can wait for its first reader u:
 *   (1) somebody reads the results of r;
 *   (2) least >= 0, where least = kept(r) - bytes of the tensors from outside
 *       that nobody below r reads; in a block of several nodes there are no
 *       such tensors, and least = kept(r);
 *   (3) hill - least <= wants(u) for each reader u, where hill is the most
 *       that the block takes above what was live before it, its nodes in the
 *       order of their numbers; wants(u) is the hill of the block of u, where
 *       u is lazy itself.
 * The largest state without the descendants of r is where running the block
 * changes the live bytes least, because live() is submodular: never by less
 * than "least"; nor does a part of it lower them, as parts free nothing from
 * outside.
 *
 * Claim: some best order runs each lazy block in one piece, directly before
 * another lazy block that reads it or before a node that does.  Proof: take a
 * best order and its lazy blocks, the last first; move each, A, directly before
 * the first block or node that reads it.  States between lose parts of A, so
 * their transients do not rise.  While A itself runs after state Y, at most
 * live(Y) + hill(A) <= live(Y + A) - least(A) + hill(A) <= live(Y + A) +
 * wants(u) are taken, which u takes anyway.  A block handled later is moved
 * before a block of the same run or to another run, so what was reached stays.
 *
 * The search therefore branches on the other nodes alone, each together with
 * the lazy blocks that it still wants; no block lowers the live bytes, so the
 * highest transient is that of the node itself, whatever their order.  An input
 * that nobody reads is taken while the first node runs: where there is one, no
 * block holds a node without a neighbour before it, so the first node stays
 * the first.
 *
 * Sweeps.  A tensor t that is freed by its last reader keeps its readers from
 * being lazy: run early, all of them free it.  Let each reader v of t have
 * nothing else to free, be ready once t is there, meet (1) and (3) with
 * least = kept(v), and let wants(v) - kept(v) be the same for all.  Then some
 * best order runs each reader before the last either directly before its own
 * first reader, or together with the last: move it so, t being there until the
 * last reader; its own transient is below that of the node it is moved to.
 * Together their order does not matter, the last one takes the most.  So the
 * readers are lazy, and a sweep, which runs all that are left, is one more
 * branch. */
#include "solve.h"

/* Nodes of a block. */
enum { BLOCK = 16 };

/* Whether nobody below "v" reads tensor "t", which "v" reads. */
static bool may_free(const lpi_dag *dag, int32_t v, int32_t t)
{
    const uint64_t *below = dag->below + (int64_t)v * dag->words;
    int32_t e;

    if (dag->graph->tensors[t].is_output)
        return false;
    for (e = dag->readers.begins[t]; e < dag->readers.begins[t + 1]; e++)
        if (lpi_bit(below, dag->readers.to[e]))
            return false;
    return true;
}

/* Lazy blocks being found: nodes with high numbers first. */
typedef struct blocker {
    const lpi_dag *dag;
    int32_t *roots;  /* by node: the last one of its block; itself */
    int64_t *hills;  /* by node: of its block */
    int32_t *within; /* by node: the block tried that holds it, + 1 */
    int32_t nodes[BLOCK];
    int32_t count;
} blocker;

/* Whether all that follow "v" are in the block of "root". */
static bool is_inner(const blocker *b, int32_t v, int32_t root)
{
    const lpi_links *after = &b->dag->after;
    const lp_graph_node *node = &b->dag->graph->nodes[v];
    int32_t e;

    for (e = after->begins[v]; e < after->begins[v + 1]; e++)
        if (b->within[after->to[e]] != root + 1)
            return false;
    for (e = 0; e < node->outputs_count; e++)
        if (b->dag->graph->tensors[node->outputs[e]].is_output)
            return false;
    return true;
}

/* The node with the highest number that the block of "root" can take in; -1. */
static int32_t find_inner(const blocker *b, int32_t root)
{
    const lpi_links *before = &b->dag->before;
    int32_t best = -1, i, e;

    for (i = 0; i < b->count; i++)
        for (e = before->begins[b->nodes[i]];
             e < before->begins[b->nodes[i] + 1]; e++)
            if (before->to[e] > best && b->within[before->to[e]] != root + 1 &&
                is_inner(b, before->to[e], root))
                best = before->to[e];
    return best;
}

/* Readers of tensor "t" in the block of "root" with numbers up to "last". */
static int32_t count_readers(const blocker *b, int32_t t, int32_t root,
                             int32_t last)
{
    const lpi_links *readers = &b->dag->readers;
    int32_t count = 0, e;

    for (e = readers->begins[t]; e < readers->begins[t + 1]; e++)
        count += readers->to[e] <= last &&
                 b->within[readers->to[e]] == root + 1;
    return count;
}

/* The hill of the block of "root", whose nodes stand with falling numbers. */
static int64_t find_hill(const blocker *b, int32_t root)
{
    const lp_graph *graph = b->dag->graph;
    int64_t live = 0, hill = 0;
    int32_t i, j;

    for (i = b->count - 1; i >= 0; i--) {
        int32_t v = b->nodes[i];
        const lp_graph_node *node = &graph->nodes[v];

        if (live + b->dag->wants_bytes[v] > hill)
            hill = live + b->dag->wants_bytes[v];
        live += b->dag->kept_bytes[v];
        for (j = 0; j < node->inputs_count; j++) {
            int32_t t = node->inputs[j], from = graph->tensors[t].producer;

            if (from >= 0 && b->within[from] == root + 1 &&
                count_readers(b, t, root, v) == count_readers(b, t, root, root))
                live -= graph->tensors[t].bytes;
        }
    }
    return hill;
}

/* Take node "v" into the block of "root". */
static void take_in(blocker *b, int32_t v, int32_t root)
{
    b->within[v] = root + 1;
    b->nodes[b->count++] = v;
}

/* Whether the block of "root" is lazy. */
static bool is_lazy(const blocker *b, int32_t root, int64_t *ret_hill)
{
    const lpi_dag *dag = b->dag;
    int64_t least = dag->kept_bytes[root], outside = 0;
    int32_t i, j, e;

    for (i = 0; i < b->count; i++) {
        const lp_graph_node *node = &dag->graph->nodes[b->nodes[i]];
        const lpi_links *before = &dag->before;

        if (dag->idle_bytes &&
            before->begins[b->nodes[i]] == before->begins[b->nodes[i] + 1])
            return false;
        for (j = 0; j < node->inputs_count; j++) {
            int32_t from = dag->graph->tensors[node->inputs[j]].producer;

            if ((from < 0 || b->within[from] != root + 1) &&
                may_free(dag, root, node->inputs[j]))
                outside += dag->graph->tensors[node->inputs[j]].bytes;
        }
    }
    *ret_hill = find_hill(b, root);
    if (least < outside || (outside && b->count > 1))
        return false;
    for (e = dag->after.begins[root]; e < dag->after.begins[root + 1]; e++)
        if (*ret_hill - (least - outside) > b->hills[dag->after.to[e]])
            return false;
    return true;
}

/* Find the largest lazy block of "root" among those that grow by the node with
 * the highest number. */
static void find_block(blocker *b, int32_t root, bool *lazy)
{
    int32_t kept = 0, v, i;
    int64_t hill = b->dag->wants_bytes[root];

    b->hills[root] = hill;
    if (b->dag->after.begins[root] == b->dag->after.begins[root + 1])
        return;
    b->count = 0;
    for (v = root; v >= 0 && b->count < BLOCK; v = find_inner(b, root)) {
        take_in(b, v, root);
        if (is_lazy(b, root, &hill)) {
            kept = b->count;
            b->hills[root] = hill;
        }
    }
    for (i = 0; i < kept; i++) {
        lazy[b->nodes[i]] = true;
        b->roots[b->nodes[i]] = root;
        b->hills[b->nodes[i]] = b->hills[root];
    }
}

/* Whether "v" may wait for its first reader, or for the other readers of "t",
 * the one tensor that it may free. */
static bool may_sweep(const blocker *b, int32_t v, int32_t t)
{
    const lpi_dag *dag = b->dag;
    const lp_graph_node *node = &dag->graph->nodes[v];
    int32_t from = dag->graph->tensors[t].producer, e;

    if (dag->after.begins[v] == dag->after.begins[v + 1] || dag->idle_bytes)
        return false;
    for (e = 0; e < node->inputs_count; e++)
        if (node->inputs[e] != t && may_free(dag, v, node->inputs[e]))
            return false;
    for (e = dag->before.begins[v]; e < dag->before.begins[v + 1]; e++)
        if (dag->before.to[e] != from &&
            (from < 0 || !lpi_bit(dag->above + (int64_t)from * dag->words,
                                  dag->before.to[e])))
            return false;
    for (e = dag->after.begins[v]; e < dag->after.begins[v + 1]; e++)
        if (dag->wants_bytes[v] - dag->kept_bytes[v] >
            b->hills[dag->after.to[e]])
            return false;
    return true;
}

/* Whether the readers of "t" make a sweep. */
static bool is_sweep(const blocker *b, int32_t t)
{
    const lpi_dag *dag = b->dag;
    const lpi_links *readers = &dag->readers;
    int32_t first = readers->begins[t], e;

    if (dag->graph->tensors[t].is_output || readers->begins[t + 1] == first)
        return false;
    for (e = first; e < readers->begins[t + 1]; e++) {
        int32_t v = readers->to[e], one = readers->to[first];

        if (dag->is_lazy[v] || !may_sweep(b, v, t) ||
            dag->wants_bytes[v] - dag->kept_bytes[v] !=
                dag->wants_bytes[one] - dag->kept_bytes[one])
            return false;
    }
    return true;
}

/* Find the sweeps, whose nodes become lazy. */
static lp_status find_sweeps(lpi_arena *arena, lpi_dag *dag, const blocker *b,
                             lp_error *error)
{
    const lpi_links *readers = &dag->readers;
    int32_t tensors = dag->graph->tensors_count, count = 0, t, e;

    dag->sweeps = (lpi_links){LPI_NEW(arena, int32_t, tensors + 1),
                              LPI_NEW(arena, int32_t, dag->count)};
    if (!dag->sweeps.begins || !dag->sweeps.to)
        return lpi_fail_memory(error);
    for (t = 0; t < tensors; t++) {
        if (!is_sweep(b, t))
            continue;
        for (e = readers->begins[t]; e < readers->begins[t + 1]; e++) {
            dag->is_lazy[readers->to[e]] = true;
            dag->sweeps.to[count++] = readers->to[e];
        }
        dag->sweeps.begins[++dag->sweeps_count] = count;
    }
    return LP_OK;
}

lp_status lpi_dag_lazy(lpi_arena *arena, lpi_dag *dag, int32_t rules,
                       int32_t **ret_roots, lp_error *error)
{
    blocker b = {.dag = dag,
                 .roots = LPI_NEW(arena, int32_t, dag->count),
                 .hills = LPI_NEW(arena, int64_t, dag->count),
                 .within = LPI_NEW(arena, int32_t, dag->count)};
    int32_t v;

    dag->is_lazy = LPI_NEW(arena, bool, dag->count);
    if (!b.roots || !b.hills || !b.within || !dag->is_lazy)
        return lpi_fail_memory(error);
    for (v = 0; v < dag->count; v++)
        b.roots[v] = v;
    for (v = dag->count - 1; v >= 0; v--)
        if (!dag->is_lazy[v])
            find_block(&b, v, dag->is_lazy);
    *ret_roots = b.roots;
    return rules & LPI_ORDER_SWEEP ? find_sweeps(arena, dag, &b, error) : LP_OK;
}
