/* ways.c: when nothing fits, what would, and what it costs.
 *
 * Every way is a plan that was made: the planners asked for with a larger
 * budget (the smallest at which they find a plan, by halving), other planners
 * with the same budget, and copying away what waits longest.  It is described
 * by what its schedule does, and priced by its predictions beside those of the
 * model in its own order with everything kept. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

enum {
    PROBES = 4, /* of a larger budget; each has this part of the effort, */
    PART = 16,
    NAMED = 3 /* tensors or layers by name in a description */
};

/* Planners that are tried in place of those asked for. */
static const char *const by_rows[] = {"attention", "order", "place"};
static const char *const by_remat[] = {"order", "remat", "place"};
static const char *const by_joint[] = {"joint"};
static const char *const spilled[] = {"attention", "order"};

static const struct {
    const char *what;
    lpi_turns turns;
} levers[] = {
    {"attentions and large layers by rows (attention,order,place)",
     {by_rows, LPI_COUNT(by_rows)}},
    {"computing again (order,remat,place)", {by_remat, LPI_COUNT(by_remat)}},
    {"all of it by turns (joint)", {by_joint, LPI_COUNT(by_joint)}},
};

typedef struct finder {
    lpi_planning *planning;
    int64_t budget, effort;
    lp_predictions base; /* the model in its own order, all kept */
    lp_way *ways;
    int64_t count, room;
    lp_error *error;
} finder;

/* ---- descriptions ----------------------------------------------------------
 */

/* ", VERB: 'a', 'b', and N more" of the "count" names in "names". */
static void put_names(lpi_text *text, const char *verb,
                      const char *const *names, int64_t count)
{
    int64_t i;

    if (!count)
        return;
    lpi_text_printf(text, "; %s", verb);
    for (i = 0; i < count && i < NAMED; i++)
        lpi_text_printf(text, "%s'%.80s'", i ? ", " : " ", names[i]);
    if (count > NAMED)
        lpi_text_printf(text, " and %lld more", (long long)(count - NAMED));
}

/* What the schedule "s" does beside running each layer once. */
static bool describe(finder *f, const lp_schedule *s, lpi_text *text)
{
    int64_t room = s->units_count + s->moves_count, count = 0, i;
    const char **names = LPI_NEW(f->planning->arena, const char *, room);

    if (!names)
        return false;
    if (s->groups_count)
        lpi_text_printf(text, "; %lld group%s by tiles",
                        (long long)s->groups_count,
                        s->groups_count == 1 ? "" : "s");
    for (i = 0; i < s->units_count; i++) {
        const lp_unit *unit = &s->units[i];

        if (unit->ordinal == 2)
            names[count++] = unit->layer ? unit->layer->name
                                         : unit->group->name;
    }
    put_names(text, "computes again", names, count);
    for (count = i = 0; i < s->moves_count; i++)
        if (s->moves[i].memory > 0)
            names[count++] = s->moves[i].tensor->name;
    put_names(text, "copies away", names, count);
    return true;
}

/* Whether a way with this peak and price stands there already. */
static bool is_known(const finder *f, const lp_way *way)
{
    int64_t i;

    for (i = 0; i < f->count; i++) {
        const lp_way *w = &f->ways[i];

        if (w->peak_bytes == way->peak_bytes &&
            w->extra_macs == way->extra_macs &&
            w->extra_bytes == way->extra_bytes && w->extra_ns == way->extra_ns)
            return true;
    }
    return false;
}

/* Whether the checker finds nothing wrong with "s" but its capacity, which is
 * lifted. */
static lp_status prove(finder *f, lp_schedule *s, bool *ret_right)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(s->arena));
    lpi_program program;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(f->error);
    ((lp_memory *)s->memories)[0].capacity_bytes = 0;
    status = lpi_program_lower(arena, s, &program, NULL, f->error);
    if (status == LP_OK)
        status = lpi_program_check(&program, NULL, f->error);
    lpi_arena_free(arena);
    *ret_right = status == LP_OK;
    return status == LP_ENOMEM ? status : LP_OK;
}

/* Add the way of schedule "s", made by "how". */
static lp_status add_way(finder *f, const char *how, lp_schedule *s)
{
    const lp_predictions *p = &s->predictions;
    lp_way way = {.peak_bytes = p->arena_bytes,
                  .extra_macs = p->macs - f->base.macs,
                  .extra_bytes = p->traffic_bytes - f->base.traffic_bytes,
                  .extra_ns = p->latency_ns - f->base.latency_ns};
    lpi_text text = {0};
    bool ok = false;

    if (is_known(f, &way))
        return LP_OK;
    LP_TRY(prove(f, s, &ok));
    if (!ok)
        return LP_OK;
    lpi_text_put(&text, how);
    ok = describe(f, s, &text) && !text.failed;
    way.what = ok ? lpi_arena_strdup(f->planning->arena, text.bytes) : NULL;
    lpi_text_drop(&text);
    if (!way.what || !LPI_GROW(f->planning->arena, f->ways, f->count, f->room))
        return lpi_fail_memory(f->error);
    f->ways[f->count++] = way;
    return LP_OK;
}

/* ---- plans -----------------------------------------------------------------
 */

/* What "turns" make within "budget" (0: as low as can be); NULL when they find
 * nothing. */
static lp_status try(finder *f, const lpi_turns *turns, int64_t budget,
                     lp_schedule **ret_schedule)
{
    lp_status status;

    *ret_schedule = NULL;
    status = lpi_chain_try(f->planning, turns, budget, f->effort, ret_schedule,
                           f->error);
    return status == LP_ENOMEM ? LP_ENOMEM : LP_OK;
}

/* The model in its own order, everything kept. */
static lp_status find_base(finder *f)
{
    const lpi_turns none = {NULL, 0};
    lp_schedule *s;

    LP_TRY(lpi_chain_try(f->planning, &none, 0, 1, &s, f->error));
    f->base = s->predictions;
    lp_schedule_free(s);
    return LP_OK;
}

/* The smallest budget that is found for the planners asked for, no lower than
 * "least". */
static lp_status add_larger(finder *f, int64_t least)
{
    lp_schedule *best, *s;
    lp_status status = LP_OK;
    int32_t i;

    LP_TRY(try(f, &f->planning->chain, 0, &best));
    for (i = 0; best && i < PROBES && status == LP_OK; i++) {
        int64_t most = best->predictions.arena_bytes;
        int64_t middle = i ? least + (most - least) / 2 : least;

        if (least >= most || middle <= f->budget)
            break;
        status = try(f, &f->planning->chain, middle, &s);
        if (s && s->predictions.arena_bytes < most) {
            lp_schedule_free(best);
            best = s;
        } else {
            lp_schedule_free(s);
        }
        if (best->predictions.arena_bytes > middle)
            least = middle + 1;
    }
    if (best && status == LP_OK)
        status = add_way(f, "the same planners, with that budget", best);
    lp_schedule_free(best);
    return status;
}

static bool is_asked(const finder *f, const lpi_turns *turns)
{
    const lpi_turns *asked = &f->planning->chain;
    int64_t i;

    for (i = 0; i < turns->count && turns->count == asked->count; i++)
        if (strcmp(turns->names[i], asked->names[i]) != 0)
            return false;
    return turns->count == asked->count;
}

static lp_status add_levers(finder *f)
{
    lp_schedule *s;
    lp_status status;
    int32_t i;

    for (i = 0; i < LPI_COUNT(levers); i++) {
        if (is_asked(f, &levers[i].turns))
            continue;
        LP_TRY(try(f, &levers[i].turns, f->budget, &s));
        status = s ? add_way(f, levers[i].what, s) : LP_OK;
        lp_schedule_free(s);
        LP_TRY(status);
    }
    return LP_OK;
}

/* Copy away what waits longest, from a schedule by rows. */
static lp_status add_spill(finder *f)
{
    const lpi_turns turns = {spilled, LPI_COUNT(spilled)};
    lp_schedule *s;
    lp_status status;
    bool found = false;

    LP_TRY(try(f, &turns, f->budget, &s));
    if (!s)
        return LP_OK;
    status = lpi_spill(f->planning, s, &found, f->error);
    if (status == LP_OK && found)
        status = add_way(f,
                         s->target ? "copying away what waits longest"
                                   : "copying away what waits longest, to a "
                                     "memory of unknown speed",
                         s);
    lp_schedule_free(s);
    return status;
}

/* ---- the list --------------------------------------------------------------
 */

/* Those that fit first, by time, MACs and bytes; then by what they need. */
static int by_price(const void *a, const void *b)
{
    const lp_way *x = a, *y = b;
    const int64_t keys[][2] = {{x->extra_ns, y->extra_ns},
                               {x->extra_macs, y->extra_macs},
                               {x->extra_bytes, y->extra_bytes},
                               {x->peak_bytes, y->peak_bytes}};
    size_t i;

    if (x->fits != y->fits)
        return x->fits ? -1 : 1;
    if (!x->fits && x->peak_bytes != y->peak_bytes)
        return x->peak_bytes < y->peak_bytes ? -1 : 1;
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return strcmp(x->what, y->what);
}

static void sort(const finder *f)
{
    int64_t i;

    for (i = 0; i < f->count; i++)
        f->ways[i].fits = f->ways[i].peak_bytes <= f->budget;
    if (f->count)
        qsort(f->ways, (size_t)f->count, sizeof(*f->ways), by_price);
}

lp_status lpi_ways_find(lpi_planning *planning, const lp_obstacle *obstacle,
                        lp_error *error)
{
    int64_t budget = planning->problem.budget_bytes, least = budget + 1;
    finder f = {.planning = planning,
                .budget = budget,
                .effort = planning->problem.effort / PART + 1,
                .ways = planning->ways,
                .count = planning->ways_count,
                .room = planning->ways_room,
                .error = error};

    if (planning->options->find_ways && budget && budget < INT64_MAX) {
        if (obstacle && obstacle->is_proof && obstacle->least_bytes > least)
            least = obstacle->least_bytes;
        LP_TRY(find_base(&f));
        LP_TRY(add_larger(&f, least));
        LP_TRY(add_levers(&f));
        LP_TRY(add_spill(&f));
    }
    sort(&f);
    planning->ways = f.ways;
    planning->ways_count = f.count;
    planning->ways_room = f.room;
    return LP_OK;
}
