/* drive.c: a plan from a chain of planners, proved, or what stands in the way.
 *
 * What the chain made is proved: capacity, then the checker, then bounds. */
#include <string.h>
#include <time.h>

#include "plan.h"

/* Efforts against the clock. */
enum { RACE_FIRST = 1000, RACE_STEP = 4 };

#define RACE_MOST INT64_C(1000000000000)

/* Without planners given. */
static const char *const default_chain[] = {"joint"};

typedef struct holder {
    lp_plan plan; /* first: what the caller sees */
    lpi_arena *arena;
    lp_schedule *schedule;
} holder;

static const lp_plan_options no_options;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool lpi_is_late(lpi_planning *planning)
{
    if (planning->deadline_ns && now_ns() > planning->deadline_ns)
        planning->is_cut = true;
    return planning->is_cut;
}

/* What "effort" units of work are called; in the arena of "s". */
static lp_status name_effort(lp_schedule *s, int64_t effort, lp_error *error)
{
    static const struct {
        int64_t work;
        const char *name;
    } names[] = {{LP_EFFORT_QUICK, "quick"},
                 {LP_EFFORT_DEFAULT, "default"},
                 {LP_EFFORT_THOROUGH, "thorough"}};
    int32_t i;

    for (i = 0; i < LPI_COUNT(names); i++)
        if (effort == names[i].work) {
            s->effort = names[i].name;
            return LP_OK;
        }
    s->effort = lpi_arena_printf(s->arena, "%lld", (long long)effort);
    return s->effort ? LP_OK : lpi_fail_memory(error);
}

/* Prove the finished "schedule", or say what it does not fit. */
static lp_status prove(lpi_planning *planning, lp_schedule *schedule,
                       lp_plan *plan, lp_error *error)
{
    int64_t budget = planning->problem.budget_bytes;
    lpi_arena *arena;
    lpi_program program;
    lp_status status;

    plan->predictions = schedule->predictions;
    if (budget && schedule->predictions.arena_bytes > budget) {
        LP_TRY(lpi_obstacle_find(planning, schedule, plan, error));
        return lpi_fail(error, LP_EINFEASIBLE, NULL, "%s",
                        plan->obstacle->what);
    }
    arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, schedule, &program, NULL, error);
    if (status == LP_OK)
        status = lpi_program_check(&program, NULL, error);
    if (status == LP_OK)
        status = lpi_bounds_find(planning, schedule, &program, plan, error);
    lpi_arena_free(arena);
    if (status == LP_OK)
        plan->schedule = schedule;
    return status;
}

/* A planner found nothing that fits: show what stands in the way, once
 * attentions are cut as far as they can be. */
static lp_status explain(lpi_planning *planning, holder *h)
{
    const lp_planner *planner;
    lp_error ignored;

    if (!planning->problem.budget_bytes)
        return LP_OK;
    if (!h->schedule->groups_count &&
        lpi_registry_find(planning->registry, "attention", &planner,
                          &ignored) == LP_OK)
        (void)lpi_link_run(planning, planner, NULL,
                           planning->problem.budget_bytes, h->schedule,
                           &ignored);
    return lpi_obstacle_find(planning, h->schedule, &h->plan, NULL);
}

/* Say which layers are counted as nothing, because nobody knows their
 * operations. */
static lp_status note_unknown(lpi_planning *planning, lp_error *error)
{
    const lp_model *model = planning->model;
    const char *first = NULL;
    lp_plan_note note = {.planner = "model"};
    int64_t count = 0;

    for (int64_t i = 0; i < model->layers_count; i++) {
        lp_row_status known = LP_EXACT;
        lp_cost cost;

        if (model->layers[i]->is_static)
            continue;
        LP_TRY(lpi_layer_cost(model, model->layers[i], &cost, &known, error));
        if (known != LP_UNKNOWN)
            continue;
        first = first ? first : model->layers[i]->name;
        count++;
    }
    if (!count)
        return LP_OK;
    note.text = lpi_arena_printf(
        planning->arena,
        "%lld %s of unknown operations ('%.200s'%s) counted as none: macs and "
        "latency_ns are at least these",
        (long long)count, count == 1 ? "layer" : "layers", first,
        count == 1 ? "" : " first");
    if (!note.text || !LPI_GROW(planning->arena, planning->notes,
                                planning->notes_count, planning->notes_room))
        return lpi_fail_memory(error);
    planning->notes[planning->notes_count++] = note;
    return LP_OK;
}

/* Plan from the start: what "h" holds is filled. */
static lp_status drive(lpi_planning *planning, holder *h, lp_error *error)
{
    const lp_plan_options *options = planning->options;
    uint32_t decided = 0;
    lp_status status;

    planning->chain =
        (lpi_turns){options->planners, (int64_t)options->planners_count};
    if (!planning->chain.count)
        planning->chain = (lpi_turns){default_chain, LPI_COUNT(default_chain)};
    LP_TRY(lpi_chain_start(planning, &h->schedule, error));
    planning->problem.device = options->device;
    LP_TRY(lpi_problem_build(planning, h->schedule, error));
    LP_TRY(lpi_settings_check(planning, error));
    LP_TRY(name_effort(h->schedule, planning->problem.effort, error));
    h->schedule->is_timed = options->time_limit_ns > 0;
    h->plan.budget_bytes = planning->problem.budget_bytes;
    h->plan.effort = planning->problem.effort;
    h->plan.reproducible = !h->schedule->is_timed;
    LP_TRY(note_unknown(planning, error));
    status = lpi_chain_run(planning, h->schedule, &decided, error);
    if (planning->is_cut)
        return status;
    if (status == LP_EINFEASIBLE && explain(planning, h) == LP_ENOMEM)
        status = lpi_fail_memory(error);
    if (status == LP_OK)
        status = lpi_chain_finish(h->schedule, decided, error);
    if (status == LP_OK)
        status = prove(planning, h->schedule, &h->plan, error);
    if (status == LP_EINFEASIBLE &&
        lpi_ways_find(planning, h->plan.obstacle, NULL) == LP_ENOMEM)
        status = lpi_fail_memory(error);
    h->plan.notes = planning->notes;
    h->plan.notes_count = planning->notes_count;
    h->plan.ways = planning->ways;
    h->plan.ways_count = planning->ways_count;
    if (options->explain && (status == LP_OK || status == LP_EINFEASIBLE))
        LP_TRY(lpi_break_even_find(planning, h->schedule, &h->plan, error));
    return status;
}

static lp_status check_options(const lp_plan_options *options, lp_error *error)
{
    if (options->budget_bytes < 0)
        return lpi_fail(error, LP_EINVALID, NULL, "a budget of %lld bytes",
                        (long long)options->budget_bytes);
    if (options->effort < 0)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "an effort of %lld units of work",
                        (long long)options->effort);
    if (options->time_limit_ns < 0 ||
        (options->time_limit_ns && options->effort))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "a limit of %lld ns, or one beside an effort",
                        (long long)options->time_limit_ns);
    return LP_OK;
}

/* One plan of "model" by "effort"; LP_EINFEASIBLE without a plan past
 * "deadline_ns" (0: none). */
static lp_status attempt(lpi_registry *registry, const lp_model *model,
                         const lp_plan_options *options, int64_t effort,
                         int64_t deadline_ns, lp_plan **ret_plan,
                         lp_error *error)
{
    lpi_planning planning = {.model = model,
                             .options = options,
                             .registry = registry,
                             .deadline_ns = deadline_ns};
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(model->arena));
    holder *h = arena ? LPI_NEW(arena, holder, 1) : NULL;
    lp_error said = {.status = LP_OK};
    lp_status status;

    if (!h) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    h->arena = planning.arena = arena;
    planning.problem.effort = effort;
    planning.problem.seed = options->seed;
    status = drive(&planning, h, &said);
    if (planning.is_cut) {
        lp_plan_free(&h->plan);
        return LP_EINFEASIBLE;
    }
    if (status != LP_OK && error)
        *error = said;
    if (status == LP_OK ||
        (status == LP_EINFEASIBLE &&
         (h->plan.obstacle || h->plan.ways_count || h->plan.map)))
        *ret_plan = &h->plan;
    else
        lp_plan_free(&h->plan);
    return status;
}

/* ---- against the clock -----------------------------------------------------
 */

/* Whether "plan" is better than "best" (either may be NULL): it fits, and is
 * faster, or has fewer MACs; without a budget, takes less. */
static bool is_better(const lp_plan *plan, const lp_plan *best)
{
    const lp_predictions *a, *b;
    int64_t cost;

    if (!plan || !plan->schedule || !best || !best->schedule)
        return plan && (!best || !best->schedule);
    a = &plan->predictions;
    b = &best->predictions;
    cost = a->latency_ns != b->latency_ns ? a->latency_ns - b->latency_ns
                                          : a->macs - b->macs;
    if (!plan->budget_bytes && a->arena_bytes != b->arena_bytes)
        return a->arena_bytes < b->arena_bytes;
    return cost < 0 || (!cost && a->arena_bytes < b->arena_bytes);
}

/* Plan with more and more effort as long as the next time is likely to end
 * within the limit, once at least, and keep the best; a time in which a planner
 * would begin past the limit counts for nothing.  What is found is what its
 * effort gives, but which effort was reached is up to the machine. */
static lp_status race(lpi_registry *registry, const lp_model *model,
                      const lp_plan_options *options, lp_plan **ret_plan,
                      lp_error *error)
{
    int64_t begin = now_ns(), end = begin, last, effort = RACE_FIRST;
    lp_plan *best = NULL, *plan;
    lp_status status, found = LP_EINFEASIBLE;

    do {
        last = end;
        plan = NULL;
        status =
            attempt(registry, model, options, effort,
                    end > begin ? lpi_add(begin, options->time_limit_ns) : 0,
                    &plan, error);
        if (status == LP_OK)
            found = LP_OK;
        if (is_better(plan, best)) {
            lp_plan_free(best);
            best = plan;
        } else {
            lp_plan_free(plan);
        }
        end = now_ns();
        effort *= RACE_STEP;
    } while ((status == LP_OK || status == LP_EINFEASIBLE) &&
             effort <= RACE_MOST &&
             end - begin + RACE_STEP * (end - last) <= options->time_limit_ns);
    if (status != LP_OK && status != LP_EINFEASIBLE) {
        lp_plan_free(best);
        return status;
    }
    if (best)
        *ret_plan = best;
    return found;
}

lp_status lpi_plan_new(const lp_planner *const *table, const lp_model *model,
                       const lp_plan_options *options, lp_plan **ret_plan,
                       lp_error *error)
{
    const lp_plan_options *wanted = options ? options : &no_options;
    lpi_registry *registry;
    lp_status status;

    LP_TRY(check_options(wanted, error));
    LP_TRY(lpi_registry_new(table, wanted->folders, wanted->folders_count,
                            &registry, error));
    status = wanted->time_limit_ns
                 ? race(registry, model, wanted, ret_plan, error)
                 : attempt(registry, model, wanted,
                           wanted->effort ? wanted->effort : LP_EFFORT_DEFAULT,
                           0, ret_plan, error);
    lpi_registry_free(registry);
    return status;
}

void lp_plan_free(lp_plan *plan)
{
    holder *h = (holder *)plan;

    if (!plan)
        return;
    lp_schedule_free(h->schedule);
    lpi_arena_free(h->arena);
}
