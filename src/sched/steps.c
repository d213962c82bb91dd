/* steps.c: the program in the order in which it is done.
 *
 * Before each unit: what ended with the unit before is dropped; stores, those
 * out of the highest memory first, each followed by the end of its source;
 * then loads into the highest memory first.  So no copy writes over bytes that
 * are still to be read.  What is resident at the end is not dropped. */
#include <stdlib.h>
#include <string.h>

#include "sched.h"

lp_status lpi_copy_add(lpi_lowering *l, lpi_copy copy)
{
    if (!LPI_GROW(l->scratch, l->copies, l->copies_count, l->copies_room))
        return lpi_fail_memory(l->error);
    l->copies[l->copies_count++] = copy;
    return LP_OK;
}

/* A copy with what it is sorted by. */
typedef struct item {
    lpi_copy copy;
    int32_t from, to; /* memories */
} item;

static int in_order(const void *a, const void *b)
{
    const item *x = a, *y = b;
    bool x_stores = x->to > x->from, y_stores = y->to > y->from;

    if (x->copy.at != y->copy.at)
        return x->copy.at < y->copy.at ? -1 : 1;
    if (x_stores != y_stores)
        return x_stores ? -1 : 1;
    if (x->from != y->from)
        return x->from > y->from ? -1 : 1;
    return (x->copy.to > y->copy.to) - (x->copy.to < y->copy.to);
}

static lp_status add(lpi_lowering *l, lpi_step step)
{
    lpi_program *p = l->program;

    if (!LPI_GROW(p->arena, p->steps, p->steps_count, l->steps_room))
        return lpi_fail_memory(l->error);
    p->steps[p->steps_count++] = step;
    return LP_OK;
}

static lp_status add_drop(lpi_lowering *l, int64_t residency)
{
    return add(
        l, (lpi_step){
               .kind = LPI_STEP_DROP, .unit = -1, .from = residency, .to = -1});
}

/* What a step sees. */
typedef struct order {
    item *items;
    int64_t next;           /* copy */
    int64_t *heads, *links; /* residencies by their last unit */
    int64_t *stored_at;     /* by residency: the last unit a store reads it */
} order;

/* The copies before unit "unit", and what ended with the unit before. */
static lp_status add_between(lpi_lowering *l, order *o, int64_t unit)
{
    const lpi_program *p = l->program;
    int64_t i;

    for (i = unit > 0 ? o->heads[unit - 1] : -1; i >= 0; i = o->links[i])
        if (o->stored_at[i] != unit)
            LP_TRY(add_drop(l, i));
    for (; o->next < l->copies_count && o->items[o->next].copy.at == unit;
         o->next++) {
        const item *it = &o->items[o->next];
        bool stores = it->to > it->from;

        LP_TRY(
            add(l, (lpi_step){.kind = stores ? LPI_STEP_STORE : LPI_STEP_LOAD,
                              .unit = it->copy.ready,
                              .from = it->copy.from,
                              .to = it->copy.to,
                              .is_clean = it->copy.is_clean}));
        if (stores && p->residencies[it->copy.from].last == unit - 1)
            LP_TRY(add_drop(l, it->copy.from));
    }
    return LP_OK;
}

static lp_status prepare(lpi_lowering *l, order *o)
{
    const lpi_program *p = l->program;
    int64_t i;

    o->items = LPI_NEW(l->scratch, item, l->copies_count);
    o->heads = LPI_NEW(l->scratch, int64_t, p->units_count + 1);
    o->links = LPI_NEW(l->scratch, int64_t, p->residencies_count);
    o->stored_at = LPI_NEW(l->scratch, int64_t, p->residencies_count);
    if (!o->items || !o->heads || !o->links || !o->stored_at)
        return lpi_fail_memory(l->error);
    for (i = 0; i <= p->units_count; i++)
        o->heads[i] = -1;
    for (i = p->residencies_count - 1; i >= 0; i--) {
        o->stored_at[i] = -1;
        o->links[i] = o->heads[p->residencies[i].last];
        o->heads[p->residencies[i].last] = i;
    }
    for (i = 0; i < l->copies_count; i++) {
        const lpi_copy *copy = &l->copies[i];

        o->items[i] = (item){.copy = *copy,
                             .from = p->residencies[copy->from].memory,
                             .to = p->residencies[copy->to].memory};
        if (o->items[i].to > o->items[i].from)
            o->stored_at[copy->from] = copy->at;
    }
    qsort(o->items, (size_t)l->copies_count, sizeof(*o->items), in_order);
    return LP_OK;
}

lp_status lpi_lower_steps(lpi_lowering *l)
{
    order o = {0};
    int64_t i;

    LP_TRY(prepare(l, &o));
    for (i = 0; i < l->program->units_count; i++) {
        LP_TRY(add_between(l, &o, i));
        LP_TRY(add(
            l,
            (lpi_step){.kind = LPI_STEP_RUN, .unit = i, .from = -1, .to = -1}));
    }
    return LP_OK;
}
