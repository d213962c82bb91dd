/* shortest.c: a planner outside the library: see the Makefile beside it.
 *
 * Of the layers that can run, the one whose results, less what dies with it,
 * are smallest runs next.  It is greedy and no more: compare it with others by
 *     lplan plan MODEL --planner-path . --planner shortest */
#include <lplan-planner.h>

typedef struct runner {
    const lp_problem *problem;
    int32_t *missing; /* by layer: operands that are not there yet */
    int32_t *left;    /* by tensor: readers that have not run */
    bool *done;       /* by layer */
} runner;

/* Bytes that running "layer" adds to what is resident. */
static int64_t growth(const runner *r, int32_t layer)
{
    const lp_plan_layer *l = &r->problem->layers[layer];
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < l->outputs_count; i++)
        bytes += r->problem->tensors[l->outputs[i]].bytes;
    for (i = 0; i < l->inputs_count; i++) {
        const lp_plan_tensor *t = &r->problem->tensors[l->inputs[i]];

        if (r->left[l->inputs[i]] == 1 && !t->is_output)
            bytes -= t->bytes;
    }
    return bytes;
}

/* The layer that runs next; -1: none can. */
static int32_t choose(const runner *r)
{
    int32_t best = -1, i;

    for (i = 0; i < r->problem->layers_count; i++)
        if (!r->done[i] && !r->missing[i] &&
            (best < 0 || growth(r, i) < growth(r, best)))
            best = i;
    return best;
}

static void run(runner *r, int32_t layer)
{
    const lp_plan_layer *l = &r->problem->layers[layer];
    int32_t i, j;

    r->done[layer] = true;
    for (i = 0; i < l->inputs_count; i++)
        r->left[l->inputs[i]]--;
    for (i = 0; i < l->outputs_count; i++) {
        const lp_plan_tensor *t = &r->problem->tensors[l->outputs[i]];

        for (j = 0; j < t->readers_count; j++)
            r->missing[t->readers[j]]--;
    }
}

static lp_status plan(const lp_problem *problem, lp_schedule *schedule,
                      lp_error *error)
{
    runner r = {
        .problem = problem,
        .missing = LP_NEW(problem->scratch, int32_t, problem->layers_count),
        .left = LP_NEW(problem->scratch, int32_t, problem->tensors_count),
        .done = LP_NEW(problem->scratch, bool, problem->layers_count),
    };
    lp_unit *units = LP_NEW(problem->scratch, lp_unit, problem->layers_count);
    int32_t i, j;

    if (!r.missing || !r.left || !r.done || !units)
        return lp_fail(error, LP_ENOMEM, "out of memory");
    for (i = 0; i < problem->tensors_count; i++)
        r.left[i] = problem->tensors[i].readers_count;
    for (i = 0; i < problem->layers_count; i++)
        for (j = 0; j < problem->layers[i].inputs_count; j++)
            r.missing[i] +=
                problem->tensors[problem->layers[i].inputs[j]].producer >= 0;
    for (i = 0; i < problem->layers_count; i++) {
        int32_t layer = choose(&r);

        if (layer < 0)
            return lp_fail(error, LP_EINVALID, "no layer can run");
        units[i].layer = problem->layers[layer].layer;
        run(&r, layer);
    }
    return lp_schedule_set_units(schedule, units, problem->layers_count, error);
}

/* Choosing takes time quadratic in the layers. */
static const char *refuses(const lp_problem *problem)
{
    return problem->layers_count > 20000 ? "more than 20000 layers" : NULL;
}

LP_API const lp_planner lp_planner_shortest = {
    .abi = LP_PLANNER_ABI,
    .name = "shortest",
    .summary = "Runs next what adds the fewest bytes",
    .decides = LP_RUNS,
    .refuses = refuses,
    .plan = plan,
};
