/* wishes.c: what a schedule wants of memories, by tensor and by root. */
#include <string.h>

#include "sched.h"

static lp_status find_wishes(lpi_lowering *l, lpi_wishes *w)
{
    const lpi_program *p = l->program;
    const lp_schedule *s = l->schedule;
    int64_t i;

    w->homes = LPI_NEW(l->scratch, int32_t, p->model->tensors_count);
    w->moves = LPI_NEW(l->scratch, int64_t, p->model->tensors_count);
    w->next = LPI_NEW(l->scratch, int64_t, s->moves_count);
    w->firsts = LPI_NEW(l->scratch, int64_t, p->values_count);
    w->lasts = LPI_NEW(l->scratch, int64_t, p->values_count);
    w->is_moved = LPI_NEW(l->scratch, bool, p->values_count);
    w->heads = LPI_NEW(l->scratch, int64_t, p->values_count);
    if (!w->homes || !w->moves || !w->next || !w->firsts || !w->lasts ||
        !w->is_moved || !w->heads)
        return lpi_fail_memory(l->error);
    for (i = 0; i < p->model->tensors_count; i++)
        w->moves[i] = -1;
    for (i = 0; i < s->homes_count; i++) {
        const lp_home *home = &s->homes[i];

        if (!lpi_is_value(home->tensor) || w->homes[home->tensor->id])
            return LPI_REFUSE(l, -1, home->tensor, home->line, "'%.200s' %s",
                              home->tensor->name,
                              lpi_is_value(home->tensor)
                                  ? "has two homes"
                                  : "is no activation, and has no home");
        w->homes[home->tensor->id] = home->memory;
    }
    for (i = s->moves_count - 1; i >= 0; i--) {
        const lp_tensor *tensor = s->moves[i].tensor;

        if (!lpi_is_value(tensor))
            return LPI_REFUSE(l, -1, tensor, s->moves[i].line,
                              "'%.200s' is no activation, and is not moved",
                              tensor->name);
        w->next[i] = w->moves[tensor->id];
        w->moves[tensor->id] = i;
    }
    return LP_OK;
}

/* The life of each root, and whether anything is wished for it. */
static lp_status find_lives(lpi_lowering *l, lpi_wishes *w)
{
    const lpi_program *p = l->program;
    int64_t i;

    for (i = 0; i < p->values_count; i++) {
        w->firsts[i] = INT64_MAX;
        w->heads[i] = -1;
    }
    for (i = 0; i < p->values_count; i++) {
        const lpi_value *v = &p->values[i];
        int64_t first = v->unit < 0 ? 0 : v->unit, last = v->last_unit;
        bool wished = w->homes[v->tensor->id] || w->moves[v->tensor->id] >= 0;

        if (last >= p->units_count)
            last = p->units_count ? p->units_count - 1 : 0;
        if (first < w->firsts[v->root])
            w->firsts[v->root] = first;
        if (last > w->lasts[v->root])
            w->lasts[v->root] = last;
        if (!wished)
            continue;
        if (v->root != i)
            return LPI_REFUSE(l, v->unit, v->tensor, 0,
                              "'%.200s' shares the bytes of '%.200s', and has "
                              "no home or move of its own",
                              v->tensor->name, p->values[v->root].tensor->name);
        w->is_moved[i] = true;
    }
    for (i = 0; i < p->values_count; i++) {
        const lpi_value *v = &p->values[i];
        const lp_layer *layer = v->unit < 0 ? NULL : p->units[v->unit].layer;

        if (v->root != i && w->is_moved[v->root] &&
            !(layer && layer->row && layer->row->flags & LPI_VIEW))
            return LPI_REFUSE(l, v->unit, v->tensor, 0,
                              "'%.200s' is written into '%.200s', which is "
                              "moved",
                              v->tensor->name, p->values[v->root].tensor->name);
    }
    return LP_OK;
}

static lp_status note_touch(lpi_lowering *l, lpi_wishes *w, int64_t root,
                            int64_t unit)
{
    int64_t count = w->links_count;

    if (!w->is_moved[root] ||
        (w->heads[root] >= 0 && w->touched[w->heads[root]] == unit))
        return LP_OK;
    if (!LPI_GROW(l->scratch, w->links, count, w->links_room) ||
        !LPI_GROW(l->scratch, w->touched, count, w->touched_room))
        return lpi_fail_memory(l->error);
    w->links[count] = w->heads[root];
    w->touched[count] = unit;
    w->heads[root] = count;
    w->links_count++;
    return LP_OK;
}

static lp_status find_touches(lpi_lowering *l, lpi_wishes *w)
{
    const lpi_program *p = l->program;
    int64_t u;
    int32_t i;

    for (u = 0; u < p->units_count; u++) {
        for (i = 0; i < p->uses[u].inputs_count; i++)
            LP_TRY(note_touch(l, w, p->values[p->uses[u].inputs[i]].root, u));
        for (i = 0; i < p->uses[u].outputs_count; i++)
            LP_TRY(note_touch(l, w, p->values[p->uses[u].outputs[i]].root, u));
    }
    return LP_OK;
}

lp_status lpi_wishes_find(lpi_lowering *l, lpi_wishes *ret_wishes)
{
    LP_TRY(find_wishes(l, ret_wishes));
    LP_TRY(find_lives(l, ret_wishes));
    return find_touches(l, ret_wishes);
}
