/* place_order.c: the orders in which the search takes buffers of the same
 * floor.
 *
 * Static orders are those of MiniMalloc: by lifetime, area, and the largest
 * total of a section that a buffer lies in.  Some are made anew for what a cut
 * leaves, where totals have changed. */
#include <stdlib.h>

#include "solve.h"

static int falling(const void *a, const void *b)
{
    const lpi_search_trait *x = a, *y = b;
    int32_t i;

    for (i = 0; i < 3; i++)
        if (x->keys[i] != y->keys[i])
            return x->keys[i] > y->keys[i] ? -1 : 1;
    return (x->of > y->of) - (x->of < y->of);
}

/* Lifetime, area, and largest total of a section that a buffer lies in: the
 * keys of static orders. */
enum { LIFETIME, AREA, TOTAL, VALUES };

/* Ways to search, the best first; some rank anew what a cut leaves. */
static const struct {
    const char *name;
    int32_t keys[VALUES];
    bool ranks_again;
} quests[] = {
    {"search-total-again", {TOTAL, LIFETIME, AREA}, true},
    {"search-total", {TOTAL, LIFETIME, AREA}, false},
    {"search-area-again", {TOTAL, AREA, LIFETIME}, true},
    {"search-area", {AREA, LIFETIME, TOTAL}, false},
    {"search-length", {LIFETIME, AREA, TOTAL}, false},
};

bool lpi_search_ranks_again(int32_t order)
{
    return quests[order].ranks_again;
}

const char *lpi_search_name(int32_t order)
{
    return order < LPI_COUNT(quests) ? quests[order].name : NULL;
}

static void measure(const lpi_layout *l, int32_t of, int64_t values[VALUES])
{
    int32_t i;

    values[LIFETIME] = l->buffers[of].upper - l->buffers[of].lower;
    values[AREA] = lpi_mul(l->buffers[of].bytes, values[LIFETIME]);
    values[TOTAL] = 0;
    for (i = l->first[of]; i < l->last[of]; i++)
        if (l->loads[i] > values[TOTAL])
            values[TOTAL] = l->loads[i];
}

static bool are_equal(const lpi_layout *l, int32_t a, int32_t b)
{
    return l->buffers[a].bytes == l->buffers[b].bytes &&
           l->alignments[a] == l->alignments[b] && l->first[a] == l->first[b] &&
           l->last[a] == l->last[b] && !l->buffers[a].gaps_count &&
           !l->buffers[b].gaps_count;
}

/* Rank the buffers in the order called "order". */
void lpi_search_rank(lpi_search *s, int32_t order)
{
    lpi_search_trait *traits = s->traits;
    const lpi_layout *l = s->layout;
    int32_t n = 0, i, j;

    for (i = 0; i < l->count; i++) {
        int64_t values[3];

        if (l->begins[i] == l->begins[i + 1] || l->buffers[i].offset >= 0)
            continue;
        measure(l, i, values);
        traits[n].of = i;
        for (j = 0; j < 3; j++)
            traits[n].keys[j] = values[quests[order].keys[j]];
        n++;
    }
    qsort(traits, (size_t)n, sizeof(*traits), falling);
    for (i = 0; i < n; i++) {
        s->sorted[i] = traits[i].of;
        s->rank[traits[i].of] = i;
        s->twins[traits[i].of] = -1;
        for (j = i - 1; j >= 0 && traits[j].keys[0] == traits[i].keys[0]; j--) {
            if (are_equal(l, traits[i].of, traits[j].of)) {
                s->twins[traits[i].of] = traits[j].of;
                break;
            }
        }
    }
    s->count = n;
}

static bool is_before(const lpi_search *s, int32_t a, int32_t b)
{
    if (s->floors[a] != s->floors[b])
        return s->floors[a] < s->floors[b];
    return s->rank[a] < s->rank[b];
}

/* The items of "p" without number "without", sorted again, at "items": few have
 * moved, and all of them up. */
void lpi_search_sort(const lpi_search *s, const lpi_search_part *p,
                     int32_t without, int32_t *items)
{
    int32_t n = 0, i, j;

    for (i = 0; i < p->count; i++) {
        int32_t of = p->items[i];

        if (i == without)
            continue;
        for (j = n++; j > 0 && is_before(s, of, items[j - 1]); j--)
            items[j] = items[j - 1];
        items[j] = of;
    }
}

/* Rank the "count" items anew, by the largest sum of what waits beside them,
 * and sort them. */
void lpi_search_rank_again(lpi_search *s, int32_t *items, int32_t count)
{
    const lpi_layout *l = s->layout;
    lpi_search_part all = {.items = items, .count = count};
    int32_t i, j;

    for (i = 0; i < count; i++) {
        lpi_search_trait *t = &s->traits[i];

        *t =
            (lpi_search_trait){.of = items[i], .keys = {0, -s->rank[items[i]]}};
        for (j = l->first[t->of]; j < l->last[t->of]; j++)
            if (s->waiting[j] > t->keys[0])
                t->keys[0] = s->waiting[j];
    }
    qsort(s->traits, (size_t)count, sizeof(*s->traits), falling);
    for (i = 0; i < count; i++) {
        int32_t of = s->traits[i].of;

        s->trail[s->trail_count++] =
            (lpi_search_change){LPI_CHANGED_RANK, of, s->rank[of]};
        s->rank[of] = i;
    }
    lpi_search_sort(s, &all, -1, items);
}
