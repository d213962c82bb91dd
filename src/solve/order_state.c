/* order_state.c: states of the search of an order, each once, and the heap of
 * what is to be looked at.
 *
 * A state is a set of executed nodes.  A new one is closed at once under two
 * rules, for a level B below which no order exists or matters:
 *
 * Eager.  From state S, a node v (with its lazy nodes) that can run within B
 * and leaves no more than was live, nor had less on its way, is run at once.
 * Proof: live() is submodular, so running v changes the live bytes of any
 * larger state by no more than it does here, which is not above 0; put v in
 * front of any order of the rest: v itself fits, and no other transient rises.
 *
 * Chain.  The same for nodes v1, v2, ..., each of which waits for the one
 * before, where the live bytes first come down to those of S at the end: the
 * states between are the beginnings of the chain, none of which is lower, so
 * for every state Y met on the way live(Y | X) <= live(Y), X being the end.
 *
 * Invariant: every state stands in the table once; the walk is where the last
 * call left it. */
#include <string.h>

#include "solve.h"

/* Bytes of states, and links of a chain, that a search may take. */
enum { STATES_BYTES = 96 << 20, CHAIN = 16, SLOTS = 1024 };

lp_status lpi_order_search_new(lpi_arena *arena, const lpi_dag *dag,
                               int32_t rules, lpi_order_search *ret_search,
                               lp_error *error)
{
    lpi_order_search s = {.arena = arena,
                          .dag = dag,
                          .rules = rules,
                          .slots_count = SLOTS,
                          .slots = LPI_NEW(arena, uint64_t, SLOTS),
                          .trail = LPI_NEW(arena, int32_t, dag->count),
                          .order = LPI_NEW(arena, int32_t, dag->count),
                          .anchor = LPI_NEW(arena, uint64_t, dag->words),
                          .spare = LPI_NEW(arena, uint64_t, dag->words),
                          .spare2 = LPI_NEW(arena, uint64_t, dag->words)};

    if (!s.slots || !s.trail || !s.order || !s.anchor || !s.spare || !s.spare2)
        return lpi_fail_memory(error);
    LP_TRY(lpi_order_walk_new(arena, dag, true, &s.walk, error));
    if (rules & LPI_ORDER_VALLEY)
        LP_TRY(lpi_flow_new(arena, dag, &s.flow, error));
    *ret_search = s;
    return LP_OK;
}

/* ---- heap ------------------------------------------------------------------
 */

static bool comes_before(const lpi_order_item *a, const lpi_order_item *b)
{
    if (a->level != b->level)
        return a->level < b->level;
    if (a->live_bytes != b->live_bytes)
        return a->live_bytes < b->live_bytes;
    if (a->state != b->state)
        return a->state > b->state;
    return a->node < b->node;
}

lp_status lpi_order_push(lpi_order_search *s, lpi_order_item item,
                         lp_error *error)
{
    int64_t at = s->items_count;

    if (!LPI_GROW(s->arena, s->items, s->items_count, s->items_room))
        return lpi_fail_memory(error);
    s->items_count++;
    for (; at > 0 && comes_before(&item, &s->items[(at - 1) / 2]);
         at = (at - 1) / 2)
        s->items[at] = s->items[(at - 1) / 2];
    s->items[at] = item;
    return LP_OK;
}

lpi_order_item lpi_order_pop(lpi_order_search *s)
{
    lpi_order_item top = s->items[0], last = s->items[--s->items_count];
    int64_t at = 0, child;

    while ((child = 2 * at + 1) < s->items_count) {
        if (child + 1 < s->items_count &&
            comes_before(&s->items[child + 1], &s->items[child]))
            child++;
        if (!comes_before(&s->items[child], &last))
            break;
        s->items[at] = s->items[child];
        at = child;
    }
    s->items[at] = last;
    return top;
}

/* ---- table -----------------------------------------------------------------
 */

static uint64_t hash_set(const uint64_t *set, int32_t words)
{
    uint64_t hash = 0x9e3779b97f4a7c15ull;
    int32_t i;

    for (i = 0; i < words; i++) {
        hash ^= set[i];
        hash *= 0xff51afd7ed558ccdull;
        hash ^= hash >> 32;
    }
    return hash;
}

static const uint64_t *set_of(const lpi_order_search *s, int64_t state)
{
    return s->sets + state * s->dag->words;
}

/* The slot of "set": empty, or that of the state. */
static uint64_t *find_slot(lpi_order_search *s, const uint64_t *set)
{
    uint64_t mask = (uint64_t)s->slots_count - 1;
    uint64_t at = hash_set(set, s->dag->words) & mask;
    size_t size = (size_t)s->dag->words * sizeof(uint64_t);

    while (s->slots[at] >> 32 == s->generation &&
           memcmp(set_of(s, (int64_t)(s->slots[at] & UINT32_MAX)), set, size))
        at = (at + 1) & mask;
    return &s->slots[at];
}

/* Double the table when it is half full. */
static lp_status grow_slots(lpi_order_search *s, lp_error *error)
{
    int64_t i;

    if (s->states_count * 2 < s->slots_count)
        return LP_OK;
    s->slots_count *= 2;
    s->slots = LPI_NEW(s->arena, uint64_t, s->slots_count);
    if (!s->slots)
        return lpi_fail_memory(error);
    for (i = 0; i < s->states_count; i++)
        *find_slot(s, set_of(s, i)) = s->generation << 32 | (uint64_t)i;
    return LP_OK;
}

/* Add the set where the walk stands, and the trail that led there. */
static lp_status add_state(lpi_order_search *s, int32_t from, uint64_t *slot,
                           lp_error *error)
{
    size_t size = (size_t)s->dag->words * sizeof(uint64_t);
    int32_t i;

    if (!LPI_GROW(s->arena, s->states, s->states_count, s->states_room) ||
        (s->dag->words &&
         !(s->states_count < s->sets_room ||
           lpi_arena_grow(s->arena, (void **)&s->sets, s->states_count,
                          &s->sets_room, size))))
        return lpi_fail_memory(error);
    s->states[s->states_count] =
        (lpi_order_state){.parent = from,
                          .steps = (int32_t)s->steps_count,
                          .steps_count = s->trail_count,
                          .live_bytes = s->walk.live_bytes};
    for (i = 0; i < s->trail_count; i++) {
        if (!LPI_GROW(s->arena, s->steps, s->steps_count, s->steps_room))
            return lpi_fail_memory(error);
        s->steps[s->steps_count++] = s->trail[i];
    }
    if (size)
        memcpy(s->sets + s->states_count * s->dag->words, s->walk.done, size);
    *slot = s->generation << 32 | (uint64_t)s->states_count;
    s->states_count++;
    if (s->states_count * (int64_t)(size + 64) > STATES_BYTES)
        s->work = s->effort + 1;
    return grow_slots(s, error);
}

/* ---- moves -----------------------------------------------------------------
 */

/* Run the lazy nodes that "v" wants; their number.  "ret_taken" is the highest
 * transient on the way, "dips" tells whether live bytes fell below the start;
 * the nodes are noted behind the trail. */
static int32_t run_first(lpi_order_search *s, int32_t v, int64_t *ret_taken)
{
    const lpi_links *first = &s->dag->first;
    int64_t before = s->walk.live_bytes;
    int32_t count = 0, e;

    *ret_taken = 0;
    s->dips = false;
    for (e = first->begins[v]; e < first->begins[v + 1]; e++) {
        int32_t node = first->to[e];
        int64_t taken;

        if (lpi_bit(s->walk.done, node))
            continue;
        taken = lpi_order_walk_taken(&s->walk, node);
        if (taken > *ret_taken)
            *ret_taken = taken;
        lpi_order_walk_run(&s->walk, node);
        s->trail[s->trail_count + count++] = node;
        s->dips |= v < s->dag->count && s->walk.live_bytes < before;
    }
    return count;
}

int64_t lpi_order_measure(lpi_order_search *s, int32_t v, int64_t *ret_delta)
{
    int64_t before = s->walk.live_bytes, most, taken;
    int32_t count = run_first(s, v, &most);

    *ret_delta = s->walk.live_bytes - before;
    if (v < s->dag->count) {
        taken = lpi_order_walk_taken(&s->walk, v);
        *ret_delta += lpi_order_walk_delta(&s->walk, v);
        most = taken > most ? taken : most;
    } else if (count == 0) {
        most = INT64_MAX;
    }
    s->work += 1 + count;
    while (count > 0)
        lpi_order_walk_undo(&s->walk, s->trail[s->trail_count + --count]);
    return most;
}

/* Whether the walk stands at the smallest state that holds the anchor and the
 * cut "v". */
static bool is_at_cut(const lpi_order_search *s, int32_t v)
{
    const uint64_t *above;
    int32_t i;

    if (!s->dag->is_cut || v >= s->dag->count || !s->dag->is_cut[v])
        return false;
    above = s->dag->above + (int64_t)v * s->dag->words;
    for (i = 0; i < s->dag->words; i++) {
        uint64_t most = s->anchor[i] | above[i];

        if (i == v / 64)
            most |= 1ull << (v % 64);
        if (s->walk.done[i] != most)
            return false;
    }
    return true;
}

/* Run "v" with its lazy nodes for good. */
static void take(lpi_order_search *s, int32_t v)
{
    int64_t taken;

    s->trail_count += run_first(s, v, &taken);
    if (v >= s->dag->count)
        return;
    lpi_order_walk_run(&s->walk, v);
    s->trail[s->trail_count++] = v;
    if (is_at_cut(s, v))
        s->cut_count = s->trail_count;
}

/* Undo the trail down to its first "count" nodes. */
static void undo_to(lpi_order_search *s, int32_t count)
{
    while (s->trail_count > count)
        lpi_order_walk_undo(&s->walk, s->trail[--s->trail_count]);
}

/* Take a node that is eager; false: there is none. */
static bool take_eager(lpi_order_search *s)
{
    int32_t v;

    for (v = lpi_bit_next(s->walk.ready, s->walk.ready_words, 0); v >= 0;
         v = lpi_bit_next(s->walk.ready, s->walk.ready_words, v + 1)) {
        int64_t delta, taken = lpi_order_measure(s, v, &delta);

        if (delta <= 0 && taken <= s->level_bytes && !s->dips) {
            take(s, v);
            return true;
        }
    }
    return false;
}

/* The ready neighbour after "v" that fits and leaves the fewest bytes; -1. */
static int32_t find_next(lpi_order_search *s, int32_t v)
{
    const lpi_links *after = s->walk.after;
    int64_t least = INT64_MAX, delta;
    int32_t best = -1, e;

    if (v >= s->dag->count)
        return -1;
    for (e = after->begins[v]; e < after->begins[v + 1]; e++)
        if (lpi_bit(s->walk.ready, after->to[e]) &&
            lpi_order_measure(s, after->to[e], &delta) <= s->level_bytes &&
            !s->dips && delta < least) {
            best = after->to[e];
            least = delta;
        }
    return best;
}

/* Take a chain that is eager; false: there is none. */
static bool take_chain(lpi_order_search *s)
{
    int64_t before = s->walk.live_bytes, delta;
    int32_t start = s->trail_count, cut = s->cut_count, v, next, length;

    for (v = lpi_bit_next(s->walk.ready, s->walk.ready_words, 0); v >= 0;
         v = lpi_bit_next(s->walk.ready, s->walk.ready_words, v + 1)) {
        if (lpi_order_measure(s, v, &delta) > s->level_bytes || s->dips)
            continue;
        for (next = v, length = 0; next >= 0 && length < CHAIN; length++) {
            take(s, next);
            if (s->walk.live_bytes <= before)
                return true;
            next = find_next(s, next);
        }
        undo_to(s, start);
        s->cut_count = cut;
    }
    return false;
}

/* Run what is eager at the state at hand. */
static void close_state(lpi_order_search *s)
{
    bool more = true;

    while (more)
        more = ((s->rules & LPI_ORDER_EAGER) && take_eager(s)) ||
               ((s->rules & LPI_ORDER_CHAIN) && take_chain(s));
}

lp_status lpi_order_spawn(lpi_order_search *s, int32_t from, int32_t v,
                          int32_t *ret_state, lp_error *error)
{
    uint64_t *slot;

    s->trail_count = 0;
    s->cut_count = 0;
    take(s, v);
    close_state(s);
    slot = find_slot(s, s->walk.done);
    *ret_state = -1;
    if (*slot >> 32 == s->generation)
        return LP_OK;
    *ret_state = (int32_t)s->states_count;
    return add_state(s, from, slot, error);
}

lp_status lpi_order_restart(lpi_order_search *s, lp_error *error)
{
    s->states_count = s->steps_count = s->items_count = 0;
    s->generation++;
    s->trail_count = s->cut_count = 0;
    close_state(s);
    memcpy(s->order + s->order_count, s->trail,
           (size_t)s->trail_count * sizeof(int32_t));
    s->order_count += s->trail_count;
    s->trail_count = 0;
    if (s->dag->words)
        memcpy(s->anchor, s->walk.done,
               (size_t)s->dag->words * sizeof(uint64_t));
    s->anchor_bytes = s->walk.live_bytes;
    s->is_complete = s->order_count == s->dag->count;
    return add_state(s, -1, find_slot(s, s->walk.done), error);
}
