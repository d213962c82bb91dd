/* remat_repair.c: a sequence brought within its budget, and trimmed.
 *
 * A step takes a position above the budget and some tensors that wait across
 * it, and measures for each what would end its wait: a load or a run again of
 * its producer right before its next use (with what that needs kept longer,
 * run again or loaded too), or, where the order is free, its producer later or
 * its reader earlier.  The change that lowers the overflow most for its price
 * is made.  (Ruin and recreate: Schrimpf and others, 2000.) */
#include "solve.h"

enum { DEPTH = 6, TRIES = 6, DETOURS = 8 };

/* What a step has found. */
typedef struct search {
    lpi_remat *remat;
    lpi_remat_change best;
    double score;            /* 0: none helps */
    lpi_remat_change detour; /* the least bad one */
    bool has_detour;
    int32_t position; /* above the budget */
} search;

static void consider(search *s, lpi_remat_change *change)
{
    double score;

    lpi_remat_measure(s->remat, change);
    if (change->relief <= 0) {
        if (change->relief > INT64_MIN &&
            (!s->has_detour || change->relief > s->detour.relief)) {
            s->detour = *change;
            s->has_detour = true;
        }
        return;
    }
    if (change->price < 0)
        change->price = 0;
    score = (double)change->relief / ((double)change->price + 0.5) *
            (double)(3 + lpi_remat_draw(s->remat, 3));
    if (score > s->score) {
        s->score = score;
        s->best = *change;
    }
}

static bool can_load(const lp_graph_tensor *tensor)
{
    return tensor->load_cost >= 0 &&
           (tensor->is_stored || tensor->store_cost >= 0);
}

static bool can_run(const lp_graph *graph, int32_t node)
{
    return node >= 0 && !graph->nodes[node].once;
}

static bool in_group(const lpi_remat_change *change, int32_t item)
{
    int32_t k;

    for (k = 0; k < change->group_count; k++)
        if (change->group[k] == item)
            return true;
    return false;
}

/* Append what makes "tensor" resident at the place of "change": with "deep",
 * what its producer lacks is by chance kept, loaded or run again; without, all
 * is kept.  False when there is no room. */
static bool supply(lpi_remat *remat, lpi_remat_change *change, int32_t tensor,
                   int32_t deep)
{
    const lp_graph *graph = remat->graph;
    int32_t node = graph->tensors[tensor].producer, k;
    const lp_graph_node *made = &graph->nodes[node];

    for (k = 0; deep && k < made->inputs_count; k++) {
        int32_t t = made->inputs[k], near[2];
        const lp_graph_tensor *input = &graph->tensors[t];
        bool loads = can_load(input), runs = can_run(graph, input->producer);

        lpi_remat_around(remat, t, change->at, -1, near);
        if (LPI_REMAT_IS_USE(near[1]) || in_group(change, ~t) ||
            in_group(change, input->producer) || lpi_remat_draw(remat, 3) == 0)
            continue;
        if (runs && (!loads || lpi_remat_draw(remat, 2))) {
            if (!supply(remat, change, t, deep - 1))
                return false;
        } else if (loads) {
            if (change->group_count == LPI_REMAT_GROUP)
                return false;
            change->group[change->group_count++] = ~t;
        }
    }
    if (in_group(change, node))
        return true;
    if (change->group_count == LPI_REMAT_GROUP)
        return false;
    change->group[change->group_count++] = node;
    return true;
}

/* Try to end the wait of "tensor" by getting it again before position "at". */
static void try_again(search *s, int32_t tensor, int32_t at)
{
    const lp_graph *graph = s->remat->graph;
    const lp_graph_tensor *row = &graph->tensors[tensor];
    lpi_remat_change change = {.removed = -1, .at = at};
    int32_t deep;

    if (can_load(row)) {
        change.group[0] = ~tensor;
        change.group_count = 1;
        consider(s, &change);
    }
    if (!can_run(graph, row->producer))
        return;
    for (deep = 0; deep < 3; deep++) {
        change = (lpi_remat_change){.removed = -1, .at = at};
        if (!supply(s->remat, &change, tensor, deep ? DEPTH : 0))
            continue;
        if (deep && change.group_count == 1)
            break;
        consider(s, &change);
    }
}

/* Whether item "from" may stand before the item at "to". */
bool lpi_remat_may_move(lpi_remat *remat, int32_t from, int32_t to)
{
    int32_t own, k, near[2];
    lpi_remat_item item =
        lpi_remat_item_of(remat->graph, remat->items[from], &own);

    if (!remat->free_order && !remat->is_again[from])
        return false;
    for (k = 0; k < item.outputs_count; k++) {
        lpi_remat_around(remat, item.outputs[k], from, from, near);
        if (to > from && near[1] >= 0 && LPI_REMAT_POSITION(near[1]) < to)
            return false;
        if (to < from && remat->is_again[from]) {
            lpi_remat_around(remat, item.outputs[k], to, from, near);
            if (near[0] < 0)
                return false;
        }
    }
    for (k = 0; to < from && k < item.inputs_count; k++) {
        lpi_remat_around(remat, item.inputs[k], to, from, near);
        if (near[0] < 0)
            return false;
    }
    return true;
}

static void try_move(search *s, int32_t from, int32_t to)
{
    lpi_remat_change change = {.removed = from, .at = to, .group_count = 1};

    if (from < 0 || from >= s->remat->count || to < 0 || to == from ||
        to == from + 1 || !lpi_remat_may_move(s->remat, from, to))
        return;
    change.group[0] = s->remat->items[from];
    consider(s, &change);
}

/* The first position where the item at "from" finds its inputs. */
int32_t lpi_remat_earliest(lpi_remat *remat, int32_t from)
{
    int32_t own, k, first = 0;
    lpi_remat_item item =
        lpi_remat_item_of(remat->graph, remat->items[from], &own);

    for (k = 0; k < item.inputs_count; k++) {
        int32_t made =
            LPI_REMAT_POSITION(remat->events[remat->begins[item.inputs[k]]]);

        if (made + 1 > first)
            first = made + 1;
    }
    return first;
}

/* Try to shorten the wait of "tensor" between events "near" by the order. */
static void try_order(search *s, const int32_t near[2])
{
    lpi_remat *remat = s->remat;
    int32_t made = LPI_REMAT_POSITION(near[0]);
    int32_t used = LPI_REMAT_POSITION(near[1]);

    if (!LPI_REMAT_IS_USE(near[0]) && made >= 0) {
        try_move(s, made, used);
        try_move(s, made, s->position + 1);
    }
    if (used < remat->count) {
        int32_t first = lpi_remat_earliest(remat, used);

        if (first <= s->position) {
            try_move(s, used, s->position);
            try_move(s, used, first);
            if (first < s->position)
                try_move(s, used,
                         first + lpi_remat_draw(remat, s->position - first));
        }
    }
}

/* A position above the budget: the highest one, or any; -1: none. */
static int32_t pick_position(lpi_remat *remat)
{
    int32_t p, count = 0, worst = -1;

    for (p = 0; p <= remat->count; p++) {
        if (remat->resident[p] <= remat->budget_bytes)
            continue;
        remat->list[count++] = p;
        if (worst < 0 || remat->resident[p] > remat->resident[worst])
            worst = p;
    }
    remat->scanned += p / 4;
    if (!count || lpi_remat_draw(remat, 2))
        return worst;
    return remat->list[lpi_remat_draw(remat, count)];
}

/* Where the item at the position makes its result in the place of an input, if
 * that dies: try to get the input again before its next use. */
static void try_taken(search *s)
{
    lpi_remat *remat = s->remat;
    int32_t near[2];
    int32_t taken = s->position == remat->count
                        ? -1
                        : lpi_remat_taken(remat, remat->items[s->position]);

    if (taken < 0)
        return;
    lpi_remat_around(remat, taken, s->position + 1, -1, near);
    if (LPI_REMAT_IS_USE(near[1]))
        try_again(s, taken, LPI_REMAT_POSITION(near[1]));
}

/* Make the best change for one position above the budget; false when none
 * helps there; then, with "detour", the one that harms least. */
static bool step(lpi_remat *remat, bool detour)
{
    const lp_graph *graph = remat->graph;
    search s = {.remat = remat, .position = pick_position(remat)};
    int32_t count = 0, samples = 8 + lpi_remat_draw(remat, 17), t, near[2];

    for (t = 0; t < graph->tensors_count; t++) {
        lpi_remat_around(remat, t, s.position, -1, near);
        if (LPI_REMAT_IS_USE(near[1]) && graph->tensors[t].bytes)
            remat->list[count++] = t;
    }
    while (count && samples--) {
        int32_t i = lpi_remat_draw(remat, count);

        t = remat->list[i];
        remat->list[i] = remat->list[--count];
        lpi_remat_around(remat, t, s.position, -1, near);
        if (near[0] < 0 || !LPI_REMAT_IS_USE(near[1]))
            continue;
        if (LPI_REMAT_POSITION(near[1]) > s.position)
            try_again(&s, t, LPI_REMAT_POSITION(near[1]));
        try_order(&s, near);
    }
    try_taken(&s);
    if (s.score > 0)
        return lpi_remat_apply(remat, &s.best);
    return detour && s.has_detour && lpi_remat_apply(remat, &s.detour);
}

bool lpi_remat_repair(lpi_remat *remat)
{
    int32_t left = 4 * remat->graph->nodes_count + 100, fails = 0, detours = 0;

    while (remat->overflow && left-- && fails < TRIES) {
        bool detour = fails == TRIES / 2 && detours < DETOURS;

        detours += detour;
        fails = step(remat, detour) ? 0 : fails + 1;
    }
    return !remat->overflow;
}

/* Whether the item at "position" does nothing: what it makes is made again
 * before it is used, and its node has run before or runs later. */
static bool is_idle(lpi_remat *remat, int32_t position)
{
    int32_t own, k, near[2], of = remat->items[position];
    lpi_remat_item item = lpi_remat_item_of(remat->graph, of, &own);

    if (remat->is_again[position])
        return true;
    if (!remat->free_order || !item.outputs_count)
        return false;
    for (k = 0; k < item.outputs_count; k++) {
        lpi_remat_around(remat, item.outputs[k], position, position, near);
        if (near[1] < 0 || LPI_REMAT_IS_USE(near[1]) ||
            remat->items[LPI_REMAT_POSITION(near[1])] != of)
            return false;
    }
    return true;
}

void lpi_remat_prune(lpi_remat *remat)
{
    bool changed = true;

    while (changed) {
        int32_t start = lpi_remat_draw(remat, remat->count + 1), i;

        changed = false;
        for (i = 0; i < remat->count; i++) {
            int32_t p = (start + i) % remat->count;
            lpi_remat_change change = {.removed = p, .at = p};

            if (!is_idle(remat, p))
                continue;
            lpi_remat_measure(remat, &change);
            if (change.worst > remat->budget_bytes)
                continue;
            lpi_remat_apply(remat, &change);
            changed = true;
        }
    }
}
