/* remat_change.c: what a change of a sequence does, without making it.
 *
 * Taking an item out and putting a group in touches the waits of its own
 * tensors alone: each gives one range of positions where bytes come or go, and
 * all ranges end where the item was or where the group comes.  The ranges are
 * written as differences and summed over the window that they cover; positions
 * of the group itself are counted apart.  A wait that ends in place ends one
 * position earlier; what the first load of a tensor, or the last one taken out,
 * does to results in place elsewhere is left to the rebuild. */
#include "solve.h"

/* A tensor of the group: resident from its item "first" to its last use in the
 * group, or, when it waits for a use behind, to the end. */
typedef struct touched {
    int64_t bytes; /* 0: it waits across all, and is counted there */
    int32_t tensor, first, last;
    bool waits;
    bool is_taken; /* at "last", a result is made in its place */
} touched;

enum { TOUCHED = 160 };

typedef struct measure {
    lpi_remat *remat;
    lpi_remat_change *change;
    int32_t low;     /* the first position that changes */
    int64_t through; /* bytes that wait across the place of the group, without
                        what it makes */
    touched touched[TOUCHED];
    int32_t count;
} measure;

/* Add "bytes" to positions after event "after" (-1: from the change on) up to
 * position "last". */
static void add_range(measure *m, int32_t after, int32_t last, int64_t bytes)
{
    int32_t first, at = m->change->at, removed = m->change->removed;

    if (after >= 0)
        first = LPI_REMAT_POSITION(after) + !LPI_REMAT_TAKES(after);
    else
        first = removed >= 0 && removed < at ? removed : at;
    if (first > last)
        return;
    m->remat->change[first] += bytes;
    m->remat->change[last + 1] -= bytes;
    if (first < m->low)
        m->low = first;
}

/* A wait from event "after" to the item taken out begins or ends. */
static void change_removed(measure *m, int32_t after, int64_t bytes)
{
    int32_t at = m->change->at, removed = m->change->removed;

    add_range(m, after, removed - 1, bytes);
    if (at <= removed && (after < 0 || LPI_REMAT_POSITION(after) < at))
        m->through += bytes;
}

/* What the store of a tensor costs when load "item" comes, or goes: it is paid
 * with the only load. */
static int64_t store_cost(const measure *m, int32_t item)
{
    const lpi_remat *remat = m->remat;
    int32_t removed = m->change->removed;
    int32_t others;

    if (item >= 0 || remat->graph->tensors[~item].is_stored)
        return 0;
    others = remat->loads[~item];
    if (removed >= 0 && remat->items[removed] == item)
        others--;
    return others ? 0 : remat->graph->tensors[~item].store_cost;
}

static void take_out(measure *m)
{
    lpi_remat *remat = m->remat;
    int32_t removed = m->change->removed, own, k, of = remat->items[removed];
    lpi_remat_item item = lpi_remat_item_of(remat->graph, of, &own);

    for (k = 0; k < item.outputs_count; k++) {
        int32_t t = item.outputs[k], near[2];

        lpi_remat_around(remat, t, removed, removed, near);
        if (LPI_REMAT_IS_USE(near[1]))
            change_removed(m, near[0], remat->graph->tensors[t].bytes);
    }
    for (k = 0; k < item.inputs_count; k++) {
        int32_t t = item.inputs[k], near[2];

        lpi_remat_around(remat, t, removed, removed, near);
        if (!LPI_REMAT_IS_USE(near[1]))
            change_removed(m, near[0], -remat->graph->tensors[t].bytes);
    }
    m->change->price -= item.cost + store_cost(m, of);
}

static touched *find(measure *m, int32_t tensor)
{
    int32_t k;

    if (m->remat->stamps[tensor] != m->remat->stamp)
        return NULL;
    for (k = m->count - 1; k >= 0; k--)
        if (m->touched[k].tensor == tensor)
            return &m->touched[k];
    return NULL;
}

/* Note "tensor" of "bytes" from item "first" of the group to "last"; false when
 * there is no room. */
static bool note(measure *m, touched row)
{
    if (m->count == TOUCHED)
        return false;
    m->remat->stamps[row.tensor] = m->remat->stamp;
    m->touched[m->count++] = row;
    return true;
}

/* Item "index" of the group reads "tensor", and makes its first output in the
 * place of it when "takes". */
static bool take(measure *m, int32_t tensor, int32_t index, bool takes)
{
    int64_t bytes = m->remat->graph->tensors[tensor].bytes;
    int32_t at = m->change->at, near[2];
    touched *seen = find(m, tensor);

    if (seen) {
        seen->last = index;
        seen->is_taken = takes;
        return true;
    }
    lpi_remat_around(m->remat, tensor, at, m->change->removed, near);
    if (LPI_REMAT_IS_USE(near[1]))
        return note(m, (touched){0, tensor, 0, index, true, takes});
    add_range(m, near[0], at - 1, bytes);
    return note(m, (touched){bytes, tensor, 0, index, false, takes});
}

/* Item "index" of the group makes "tensor". */
static bool make(measure *m, int32_t tensor, int32_t index)
{
    int64_t bytes = m->remat->graph->tensors[tensor].bytes;
    int32_t at = m->change->at, near[2];
    touched *seen = find(m, tensor);
    bool waits;

    if (seen) {
        waits = seen->waits;
        if (waits && !seen->bytes) {
            seen->bytes = bytes;
            m->through -= bytes;
        }
        seen->waits = false;
        return note(m, (touched){bytes, tensor, index, index, waits, false});
    }
    lpi_remat_around(m->remat, tensor, at, m->change->removed, near);
    waits = LPI_REMAT_IS_USE(near[1]);
    if (waits) {
        add_range(m, near[0], at - 1, -bytes);
        m->through -= bytes;
    }
    return note(m, (touched){bytes, tensor, index, index, waits, false});
}

/* Put item "index" of the group in; false when it is too wide. */
static bool put_in(measure *m, int32_t index)
{
    int32_t own, k, of = m->change->group[index];
    int32_t taken = lpi_remat_taken(m->remat, of);
    lpi_remat_item item = lpi_remat_item_of(m->remat->graph, of, &own);

    for (k = 0; k < item.inputs_count; k++)
        if (!take(m, item.inputs[k], index, item.inputs[k] == taken))
            return false;
    for (k = 0; k < item.outputs_count; k++)
        if (!make(m, item.outputs[k], index))
            return false;
    m->change->price += item.cost + store_cost(m, of);
    return true;
}

static int64_t above(const measure *m, int64_t bytes)
{
    int64_t budget = m->remat->budget_bytes;

    return bytes > budget ? bytes - budget : 0;
}

/* Bytes that the item at "position" brings itself: what is resident then, less
 * that, waits before it. */
static int64_t fresh_bytes(lpi_remat *remat, int32_t position)
{
    lpi_remat_item item;
    int64_t sum;
    int32_t own, k, near[2];
    int32_t taken = position == remat->count
                        ? -1
                        : lpi_remat_taken(remat, remat->items[position]);

    if (position == remat->count)
        return 0;
    item = lpi_remat_item_of(remat->graph, remat->items[position], &own);
    sum = item.extra_bytes;
    for (k = 0; k < item.outputs_count; k++)
        sum += remat->graph->tensors[item.outputs[k]].bytes;
    if (taken >= 0)
        lpi_remat_around(remat, taken, position + 1, -1, near);
    if (taken >= 0 && !LPI_REMAT_IS_USE(near[1]))
        sum -= remat->graph->tensors[taken].bytes;
    return sum;
}

/* Sum up the window, whose last position is "high", and clear it. */
static void sum_window(measure *m, int32_t high)
{
    lpi_remat *remat = m->remat;
    lpi_remat_change *change = m->change;
    int64_t sum = 0;
    int32_t p;

    for (p = m->low; p <= high; p++) {
        int64_t old = remat->resident[p];

        sum += remat->change[p];
        remat->change[p] = 0;
        if (!sum || p == change->removed)
            continue;
        change->relief += above(m, old) - above(m, old + sum);
        if (sum > 0 && old + sum > change->worst)
            change->worst = old + sum;
    }
    remat->change[p] = 0;
    remat->scanned += p - m->low;
}

/* The positions of the group itself. */
static void sum_group(measure *m)
{
    lpi_remat_change *change = m->change;
    int32_t i, k;

    for (i = 0; i < change->group_count; i++) {
        int32_t item = change->group[i];
        int64_t bytes = m->through;

        if (item >= 0)
            bytes += m->remat->graph->nodes[item].extra_bytes;
        for (k = 0; k < m->count; k++)
            if (m->touched[k].first <= i &&
                (m->touched[k].waits ||
                 i <= m->touched[k].last - m->touched[k].is_taken))
                bytes += m->touched[k].bytes;
        change->relief -= above(m, bytes);
        if (bytes > change->worst)
            change->worst = bytes;
    }
    m->remat->scanned += (int64_t)m->count * change->group_count;
}

void lpi_remat_measure(lpi_remat *remat, lpi_remat_change *change)
{
    measure m = {.remat = remat, .change = change, .low = INT32_MAX};
    int32_t high = change->removed > change->at ? change->removed : change->at;
    bool fits = true;
    int32_t i;

    remat->stamp++;
    change->relief = change->price = change->worst = 0;
    m.through = remat->resident[change->at] - fresh_bytes(remat, change->at);
    if (change->removed >= 0) {
        take_out(&m);
        change->relief += above(&m, remat->resident[change->removed]);
    }
    for (i = 0; i < change->group_count && fits; i++)
        fits = put_in(&m, i);
    if (m.low <= high)
        sum_window(&m, high);
    sum_group(&m);
    if (!fits) {
        change->relief = INT64_MIN;
        change->worst = INT64_MAX;
    }
    remat->scanned += 16;
}
