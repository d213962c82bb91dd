/* reside.c: where and when the bytes of each root are resident.
 *
 * A root lives from the first of its values to the last reader of any.  Left
 * alone it has one residency, in memory 0.  With a home or moves, time is
 * walked: a move towards a higher memory ends the copies below it once it is
 * ready, and copies nothing where the bytes lie already; a move towards a
 * lower memory adds a copy.  What a unit touches and no move has brought is
 * loaded for that unit alone.  A result whose home is another memory is stored
 * there right after it is made. */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

/* A copy of a root. */
typedef struct copy {
    lpi_residency residency;
    int64_t ready; /* first unit that may read it */
    int64_t from;  /* position of the copy it was made of; -1: produced */
} copy;

typedef struct stay {
    lpi_lowering *l;
    int64_t root;
    int64_t first, last;
    const int64_t *touches; /* units that read or make a value of the root */
    int64_t touches_count;
    const lp_move **moves; /* in order */
    int64_t moves_count;
    copy *copies;
    int64_t count, room;
    lpi_copy *cleans; /* moves to where the bytes lie already */
    int64_t cleans_count, cleans_room;
} stay;

lp_status lpi_residency_add(lpi_lowering *l, const lpi_residency *residency,
                            int64_t *ret_at)
{
    lpi_program *p = l->program;

    if (!LPI_GROW(p->arena, p->residencies, p->residencies_count,
                  l->residencies_room))
        return lpi_fail_memory(l->error);
    p->residencies[p->residencies_count] = *residency;
    if (ret_at)
        *ret_at = p->residencies_count;
    p->residencies_count++;
    return LP_OK;
}

static const lp_tensor *tensor_of(const stay *s)
{
    return s->l->program->values[s->root].tensor;
}

/* Open a copy in "memory" from unit "first" on. */
static lp_status open_copy(stay *s, int32_t memory, int64_t first,
                           int64_t ready, int64_t from)
{
    if (!LPI_GROW(s->l->scratch, s->copies, s->count, s->room))
        return lpi_fail_memory(s->l->error);
    s->copies[s->count++] = (copy){
        .residency = {.kind = LPI_OF_VALUE,
                      .value = s->root,
                      .tensor = tensor_of(s),
                      .memory = memory,
                      .first = first,
                      .last = s->last,
                      .bytes = lpi_planned_bytes(s->l->schedule, tensor_of(s)),
                      .offset = -1},
        .ready = ready,
        .from = from,
    };
    return LP_OK;
}

/* The copy in the lowest memory that unit "unit" may read; -1: none.  With
 * "memory" not -1, the one there, ready or not. */
static int64_t find_copy(const stay *s, int64_t unit, int32_t memory)
{
    int64_t best = -1, i;

    for (i = 0; i < s->count; i++) {
        const lpi_residency *r = &s->copies[i].residency;

        if (r->first > unit || r->last < unit ||
            (memory < 0 ? s->copies[i].ready > unit : r->memory != memory))
            continue;
        if (best < 0 || r->memory < s->copies[best].residency.memory)
            best = i;
    }
    return best;
}

/* End the copies below "memory" after unit "last". */
static void close_below(stay *s, int32_t memory, int64_t from, int64_t last)
{
    int64_t i;

    for (i = 0; i < s->count; i++) {
        lpi_residency *r = &s->copies[i].residency;

        if (r->memory < memory && r->first <= from && r->last >= from &&
            r->last > last)
            r->last = last;
    }
}

/* "after" at the start is the time before unit 0, when inputs are there. */
static lp_status move(stay *s, const lp_move *move)
{
    int64_t at = move->after < s->first ? s->first : move->after;
    int64_t source = find_copy(s, at, -1);
    int64_t there = find_copy(s, at, move->memory);
    int32_t from;

    if (source < 0)
        return LPI_REFUSE(s->l, move->after, tensor_of(s), move->line,
                          "'%.200s' is moved while it is on its way",
                          tensor_of(s)->name);
    from = s->copies[source].residency.memory;
    if (there >= 0 && move->memory > from) {
        close_below(s, move->memory, at, at);
        if (!LPI_GROW(s->l->scratch, s->cleans, s->cleans_count,
                      s->cleans_room))
            return lpi_fail_memory(s->l->error);
        s->cleans[s->cleans_count++] =
            (lpi_copy){source, there, at + 1, move->before, true};
        return LP_OK;
    }
    if (there >= 0)
        return LPI_REFUSE(s->l, move->after, tensor_of(s), move->line,
                          "'%.200s' is moved to where it is",
                          tensor_of(s)->name);
    LP_TRY(open_copy(s, move->memory, move->after + 1, move->before, source));
    if (move->memory > from)
        close_below(s, move->memory, at, move->before - 1);
    return LP_OK;
}

/* Unit "unit" reads or makes a value of the root: it must lie in memory 0. */
static lp_status touch(stay *s, int64_t unit)
{
    int64_t at = find_copy(s, unit, 0);
    int64_t source;

    if (at >= 0 && s->copies[at].ready <= unit)
        return LP_OK;
    source = find_copy(s, unit, -1);
    if (at >= 0 || source < 0)
        return LPI_REFUSE(s->l, unit, tensor_of(s), 0,
                          "needs '%.200s' while it is on its way",
                          tensor_of(s)->name);
    LP_TRY(open_copy(s, 0, unit, unit, source));
    s->copies[s->count - 1].residency.last = unit;
    return LP_OK;
}

static int by_time(const void *a, const void *b)
{
    const lp_move *x = *(const lp_move *const *)a;
    const lp_move *y = *(const lp_move *const *)b;

    if (x->after != y->after)
        return x->after < y->after ? -1 : 1;
    return (x > y) - (x < y);
}

/* Moves follow each other with a unit between them, inside the life. */
static lp_status check_moves(stay *s)
{
    int64_t ready = -1, i;

    qsort(s->moves, (size_t)s->moves_count, sizeof(*s->moves), by_time);
    for (i = 0; i < s->moves_count; i++) {
        const lp_move *m = s->moves[i];
        bool is_input = s->l->program->values[s->root].unit < 0;

        if (m->before <= m->after || m->after < (is_input ? -1 : s->first) ||
            m->before > s->last + (s->last + 1 == s->l->program->units_count) ||
            (i && m->after < ready))
            return LPI_REFUSE(s->l, m->after, tensor_of(s), m->line,
                              "'%.200s' lives from run %lld to run %lld, and "
                              "cannot move after run %lld and before run %lld",
                              tensor_of(s)->name, (long long)s->first,
                              (long long)s->last, (long long)m->after,
                              (long long)m->before);
        ready = m->before;
    }
    return LP_OK;
}

/* Walk the life of a root that has a home elsewhere, or moves. */
static lp_status walk(stay *s, int32_t home)
{
    bool is_input = s->l->program->values[s->root].unit < 0;
    int64_t next = 0, i;
    lp_move store = {.tensor = tensor_of(s),
                     .memory = home,
                     .after = s->first,
                     .before = s->first + 1};

    LP_TRY(check_moves(s));
    LP_TRY(open_copy(s, is_input ? home : 0, s->first, s->first, -1));
    for (i = 0; i <= s->touches_count; i++) {
        int64_t unit = i < s->touches_count ? s->touches[i]
                                            : s->l->program->units_count;

        for (; next < s->moves_count && s->moves[next]->after < unit; next++)
            LP_TRY(move(s, s->moves[next]));
        if (i < s->touches_count)
            LP_TRY(touch(s, unit));
        if (i == 0 && home && !is_input && s->first < s->last)
            LP_TRY(move(s, &store));
    }
    return LP_OK;
}

/* An output of the graph ends in its home. */
static lp_status check_end(const stay *s, int32_t home)
{
    const lpi_program *p = s->l->program;

    if (p->values[s->root].last_unit < p->units_count || !p->units_count ||
        find_copy(s, p->units_count - 1, home) >= 0)
        return LP_OK;
    return LPI_REFUSE(s->l, -1, tensor_of(s), 0,
                      "'%.200s', an output of the graph, does not end in its "
                      "home '%.100s'",
                      tensor_of(s)->name, p->memories[home].name);
}

/* Hand the copies over as residencies and steps to be. */
static lp_status keep(stay *s)
{
    lpi_program *p = s->l->program;
    int64_t base = p->residencies_count, i;

    for (i = 0; i < s->count; i++) {
        copy *c = &s->copies[i];

        if (c->residency.last < c->residency.first)
            return LPI_REFUSE(s->l, c->residency.last, tensor_of(s), 0,
                              "'%.200s' would be in memory '%.100s' during no "
                              "run",
                              tensor_of(s)->name,
                              p->memories[c->residency.memory].name);
        LP_TRY(lpi_residency_add(s->l, &c->residency, NULL));
        if (c->from >= 0)
            LP_TRY(lpi_copy_add(s->l, (lpi_copy){base + c->from, base + i,
                                                 c->residency.first, c->ready,
                                                 false}));
    }
    for (i = 0; i < s->cleans_count; i++) {
        lpi_copy clean = s->cleans[i];

        clean.from += base;
        clean.to += base;
        LP_TRY(lpi_copy_add(s->l, clean));
    }
    return LP_OK;
}

/* Give the moved "root" its residencies; each move goes to the production
 * that is alive then. */
static lp_status reside_moved(lpi_lowering *l, const lpi_wishes *w,
                              int64_t root, bool *used)
{
    const lp_tensor *tensor = l->program->values[root].tensor;
    bool is_input = l->program->values[root].unit < 0;
    stay s = {
        .l = l, .root = root, .first = w->firsts[root], .last = w->lasts[root]};
    int64_t n = 0, i;
    int64_t *touches;

    for (i = w->heads[root]; i >= 0; i = w->links[i])
        n++;
    touches = LPI_NEW(l->scratch, int64_t, n);
    for (i = w->moves[tensor->id]; i >= 0; i = w->next[i])
        s.moves_count++;
    s.moves = LPI_NEW(l->scratch, const lp_move *, s.moves_count);
    if (!touches || !s.moves)
        return lpi_fail_memory(l->error);
    s.touches = touches;
    s.touches_count = n;
    for (i = w->heads[root]; i >= 0; i = w->links[i])
        touches[--n] = w->touched[i];
    s.moves_count = 0;
    for (i = w->moves[tensor->id]; i >= 0; i = w->next[i]) {
        int64_t after = l->schedule->moves[i].after;

        if (used[i] || after < (is_input ? -1 : s.first) || after > s.last)
            continue;
        used[i] = true;
        s.moves[s.moves_count++] = &l->schedule->moves[i];
    }
    LP_TRY(walk(&s, w->homes[tensor->id]));
    LP_TRY(check_end(&s, w->homes[tensor->id]));
    return keep(&s);
}

lp_status lpi_lower_residencies(lpi_lowering *l)
{
    const lpi_program *p = l->program;
    bool *used = LPI_NEW(l->scratch, bool, l->schedule->moves_count);
    lpi_wishes w = {0};
    int64_t i;

    if (!used)
        return lpi_fail_memory(l->error);
    LP_TRY(lpi_wishes_find(l, &w));
    for (i = 0; i < p->values_count; i++) {
        const lp_tensor *tensor = p->values[i].tensor;

        if (p->values[i].root != i)
            continue;
        if (w.is_moved[i]) {
            LP_TRY(reside_moved(l, &w, i, used));
            continue;
        }
        LP_TRY(lpi_residency_add(
            l,
            &(lpi_residency){.kind = LPI_OF_VALUE,
                             .value = i,
                             .tensor = tensor,
                             .first = w.firsts[i],
                             .last = w.lasts[i],
                             .bytes = lpi_planned_bytes(l->schedule, tensor),
                             .offset = -1},
            NULL));
    }
    for (i = 0; i < l->schedule->moves_count; i++)
        if (!used[i])
            return LPI_REFUSE(l, l->schedule->moves[i].after,
                              l->schedule->moves[i].tensor,
                              l->schedule->moves[i].line,
                              "'%.200s' is moved while it does not live",
                              l->schedule->moves[i].tensor->name);
    return LP_OK;
}
