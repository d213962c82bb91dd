/* break_even.c: the break-even map: for each tensor that waits, what it costs
 * to compute it again, and what to copy it away and back.
 *
 * First executions are taken in the order of the schedule, one position each;
 * a storage waits between two positions that touch it, and its longest wait
 * counts, as in a report.  To have it again at the end of the wait, its
 * producer runs, and whatever makes what that reads and is not resident then:
 * a closure without choice, because each storage has one producer.  Resident
 * are inputs of the graph (those that nobody reads any more then are counted),
 * and storages made before and touched then or later, whether the schedule
 * spills them or not. */
#include <math.h>
#include <string.h>

#include "plan.h"

/* A wait counts when it spans one position in this many, and at least so many:
 * as in a report. */
enum { WAIT_SHARE = 20, WAIT_LEAST = 5, NS_PER_S = 1000000000 };

/* A storage, known by its root tensor; positions. */
typedef struct storage {
    int64_t made, last; /* "made" -1: the caller, -2: nobody */
    int64_t from, to;   /* its longest wait */
} storage;

typedef struct mapper {
    lpi_planning *planning;
    lp_problem problem;
    const lp_schedule *schedule;
    lp_dtype as;
    lp_meaning meaning;
    int64_t *units; /* by position: the first execution that stands there */
    int64_t positions;
    storage *storages; /* by tensor of the problem */
    int64_t *marks;    /* by position: row + 1 that runs it again */
    int64_t *kept;     /* by tensor: row + 1 that keeps it, an input */
    int64_t *stack;
    lpi_deeds runs, loads; /* of positions again, of storages */
    lp_error *error;
} mapper;

/* ---- waits -----------------------------------------------------------------
 */

static int32_t root_of(const mapper *m, int32_t tensor)
{
    return m->problem.tensors[tensor].viewed;
}

static void touch(storage *s, int64_t at)
{
    if (s->made == -2)
        return;
    if (at - s->last > s->to - s->from) {
        s->from = s->last;
        s->to = at;
    }
    s->last = at;
}

/* Touch what the layers of position "at" read, and make what they make. */
static void walk_unit(mapper *m, int64_t at)
{
    int32_t count, i, j;
    lp_layer *const *layers =
        lpi_unit_layers(&m->schedule->units[m->units[at]], &count);

    for (i = 0; i < count; i++) {
        const lp_plan_layer *layer =
            &m->problem.layers[lp_problem_layer(&m->problem, layers[i])];

        for (j = 0; j < layer->inputs_count; j++)
            touch(&m->storages[root_of(m, layer->inputs[j])], at);
        for (j = 0; j < layer->outputs_count; j++)
            if (root_of(m, layer->outputs[j]) == layer->outputs[j])
                m->storages[layer->outputs[j]] = (storage){at, at, at, at};
    }
}

static lp_status find_waits(mapper *m)
{
    const lp_problem *p = &m->problem;
    int64_t count = m->schedule->units_count, u;
    int32_t i;

    m->units = LPI_NEW(p->scratch, int64_t, count);
    m->marks = LPI_NEW(p->scratch, int64_t, count);
    m->stack = LPI_NEW(p->scratch, int64_t, count);
    m->kept = LPI_NEW(p->scratch, int64_t, p->tensors_count);
    m->storages = LPI_NEW(p->scratch, storage, p->tensors_count);
    if (!m->units || !m->marks || !m->stack || !m->kept || !m->storages)
        return lpi_fail_memory(m->error);
    for (i = 0; i < p->tensors_count; i++)
        m->storages[i].made = p->tensors[i].producer < 0 ? -1 : -2;
    for (u = 0; u < count; u++)
        if (m->schedule->units[u].ordinal == 1) {
            m->units[m->positions] = u;
            walk_unit(m, m->positions++);
        }
    for (i = 0; i < p->tensors_count; i++)
        if (p->tensors[i].is_output && m->positions)
            touch(&m->storages[root_of(m, i)], m->positions - 1);
    return LP_OK;
}

/* ---- what it costs ---------------------------------------------------------
 */

/* Whether elements of "dtype" follow the dtype that the map is made for. */
static bool is_real(lp_dtype dtype)
{
    return dtype == LP_FLOAT32 || dtype == LP_FLOAT16 || dtype == LP_BFLOAT16 ||
           dtype == LP_FLOAT64;
}

/* "bytes" of elements of "dtype" as the map counts them. */
static int64_t bytes_as(const mapper *m, lp_dtype dtype, int64_t bytes)
{
    return m->as && is_real(dtype)
               ? lpi_mul_div(bytes, lp_dtype_bits(m->as), lp_dtype_bits(dtype))
               : bytes;
}

/* Time of the MACs and of the other operations of position "at". */
static int64_t compute_ns(const mapper *m, int64_t at)
{
    const lp_device *device = m->problem.device;
    const lp_unit_facts *facts = &m->meaning.units[m->units[at]];
    int32_t count, i;
    lp_layer *const *layers =
        lpi_unit_layers(&m->schedule->units[m->units[at]], &count);
    int64_t ns;

    if (!m->as)
        return facts->compute_ns;
    ns =
        lpi_mul_div(facts->macs, NS_PER_S, lp_device_macs_per_s(device, m->as));
    for (i = 0; i < count; i++) {
        lp_cost cost =
            m->problem.layers[lp_problem_layer(&m->problem, layers[i])].cost;

        cost.macs_conv = cost.macs_linear = cost.macs_attention = 0;
        ns = lpi_add(ns, lp_device_compute_ns(device, layers[i], &cost));
    }
    return ns;
}

/* Bytes of the weights that "layer" reads. */
static int64_t weight_bytes(const mapper *m, const lp_plan_layer *layer)
{
    int64_t bytes = 0;
    int32_t i;

    for (i = 0; i < layer->weights_count; i++)
        bytes = lpi_add(bytes, bytes_as(m, layer->weights[i]->dtype,
                                        layer->weights[i]->stored_bytes));
    return bytes;
}

/* Whether a storage is there at position "at", made before. */
static bool is_resident(const storage *s, int64_t at)
{
    return s->made < 0 || (s->made < at && s->last >= at);
}

/* Add position "at" to "row"; what it reads and is not resident at "late" goes
 * on the stack.  False when it may not run again. */
static bool run_again(mapper *m, int64_t at, int64_t late, lp_break_even *row,
                      int64_t *depth, int64_t mark)
{
    const lp_device *device = m->problem.device;
    int64_t weights = 0, compute, stream = 0;
    int32_t count, i, j;
    lp_layer *const *layers =
        lpi_unit_layers(&m->schedule->units[m->units[at]], &count);

    for (i = 0; i < count; i++) {
        const lp_plan_layer *layer =
            &m->problem.layers[lp_problem_layer(&m->problem, layers[i])];

        if (!layer->is_pure)
            return false;
        weights = lpi_add(weights, weight_bytes(m, layer));
        for (j = 0; j < layer->inputs_count; j++) {
            int32_t root = root_of(m, layer->inputs[j]);
            const storage *s = &m->storages[root];

            if (s->made < 0 && s->last < late && m->kept[root] != mark) {
                m->kept[root] = mark;
                row->input_bytes =
                    lpi_add(row->input_bytes,
                            bytes_as(m, m->problem.tensors[root].dtype,
                                     m->problem.tensors[root].bytes));
            }
            if (s->made == at || is_resident(s, late) ||
                m->marks[s->made] == mark)
                continue;
            m->marks[s->made] = mark;
            m->stack[(*depth)++] = s->made;
        }
    }
    row->runs++;
    row->ops =
        lpi_add(row->ops, lpi_mul(2, m->meaning.units[m->units[at]].macs));
    row->weight_bytes = lpi_add(row->weight_bytes, weights);
    if (device) {
        compute = compute_ns(m, at);
        if (weights && device->weights_memory)
            stream =
                lp_device_copy_ns(device, device->weights_memory, 0, weights);
        row->recompute_ns =
            lpi_add(row->recompute_ns, compute > stream ? compute : stream);
    }
    return true;
}

/* What it takes to have tensor "tensor" again at position "late". */
static void price_again(mapper *m, int32_t tensor, int64_t late,
                        lp_break_even *row, int64_t mark)
{
    int64_t depth = 0;

    if (m->storages[tensor].made < 0) {
        row->runs = -1;
        return;
    }
    m->marks[m->storages[tensor].made] = mark;
    m->stack[depth++] = m->storages[tensor].made;
    while (depth > 0) {
        int64_t at = m->stack[--depth];

        if (!run_again(m, at, late, row, &depth, mark)) {
            row->runs = -1;
            row->ops = row->weight_bytes = row->recompute_ns = 0;
            row->input_bytes = 0;
            return;
        }
    }
}

/* What copying costs, and what is cheaper. */
static void price_copies(const mapper *m, lp_break_even *row)
{
    const lp_device *device = m->problem.device;
    int64_t copies;

    row->ops_per_byte = row->runs < 0 ? NAN
                                      : (double)row->ops / (double)row->bytes;
    row->flips_clean = row->ops_per_byte;
    row->flips_fresh = row->ops_per_byte / 2;
    row->cheaper = "";
    if (!device || device->memories_count < 2)
        return;
    row->spill_ns = lp_device_copy_ns(device, 0, 1, row->bytes);
    row->reload_ns = lp_device_copy_ns(device, 1, 0, row->bytes);
    if (row->spill_ns < 0) {
        row->spill_ns = row->reload_ns = 0;
        return;
    }
    copies = lpi_add(row->spill_ns, row->reload_ns);
    row->cheaper = row->runs >= 0 && row->recompute_ns < copies ? "recompute"
                                                                : "spill";
}

/* ---- what the plan does ----------------------------------------------------
 */

/* What the schedule does with storage "tensor" while it waits. */
static const char *what_plan_does(const mapper *m, int32_t tensor)
{
    const storage *of = &m->storages[tensor];
    int64_t early = m->units[of->from], late = m->units[of->to];

    if (of->made >= 0 && lpi_deeds_have(&m->runs, of->made, early, late - 1))
        return "recomputed";
    return lpi_deeds_have(&m->loads, tensor, early, late) ? "spilled" : "kept";
}

static const char *unit_name(const mapper *m, int64_t at)
{
    const lp_unit *unit = at < 0 ? NULL : &m->schedule->units[m->units[at]];
    const char *name = !unit         ? ""
                       : unit->layer ? unit->layer->name
                                     : unit->group->name;

    return lpi_arena_strdup(m->planning->arena, name);
}

/* Fill "row" for storage "tensor". */
static lp_status fill_row(mapper *m, int32_t tensor, bool fits,
                          lp_break_even *row, int64_t mark)
{
    const lp_plan_tensor *t = &m->problem.tensors[tensor];
    const storage *s = &m->storages[tensor];

    *row = (lp_break_even){
        .tensor = t->name,
        .producer = unit_name(m, s->made),
        .consumer = unit_name(m, s->to),
        .bytes = bytes_as(m, t->dtype, t->bytes),
        .from = m->units[s->from],
        .to = m->units[s->to],
        .plan = fits ? what_plan_does(m, tensor) : "",
    };
    if (!row->producer || !row->consumer)
        return lpi_fail_memory(m->error);
    price_again(m, tensor, s->to, row, mark);
    price_copies(m, row);
    return LP_OK;
}

/* Rates of the device for "dtype". */
static void fill_rates(const mapper *m, lp_dtype dtype, lp_break_even_map *map)
{
    const lp_device *device = m->problem.device;
    int64_t whole = (int64_t)NS_PER_S * 10, ns;

    map->device = device ? device->name : "";
    map->dtype = dtype;
    if (!device || device->memories_count < 2)
        return;
    map->ops_per_s = lpi_mul(2, lp_device_macs_per_s(device, dtype));
    ns = lp_device_copy_ns(device, 0, 1, whole);
    if (ns < 0)
        return;
    if (lp_device_copy_ns(device, 1, 0, whole) > ns)
        ns = lp_device_copy_ns(device, 1, 0, whole);
    ns -= device->dma_setup_ns;
    map->bytes_per_s = ns > 0 ? lpi_mul_div(whole, NS_PER_S, ns) : 0;
}

/* Rows by position of their production, inputs first. */
static lp_status fill_map(mapper *m, bool fits, lp_break_even_map *map)
{
    const lp_problem *p = &m->problem;
    lp_break_even *rows =
        LPI_NEW(m->planning->arena, lp_break_even, p->tensors_count);
    lp_dtype dtype = LP_FLOAT32;
    int64_t largest = 0;
    int32_t i;

    if (!rows)
        return lpi_fail_memory(m->error);
    map->distance = lpi_ceil_div(m->positions, WAIT_SHARE);
    if (map->distance < WAIT_LEAST)
        map->distance = WAIT_LEAST;
    for (i = 0; i < p->tensors_count; i++) {
        const storage *s = &m->storages[i];

        if (s->made == -2 || s->to - s->from < map->distance ||
            !p->tensors[i].bytes || root_of(m, i) != i)
            continue;
        LP_TRY(fill_row(m, i, fits, &rows[map->count], map->count + 1));
        map->count++;
        if (p->tensors[i].bytes > largest) {
            largest = p->tensors[i].bytes;
            dtype = p->tensors[i].dtype;
        }
    }
    map->rows = rows;
    fill_rates(m, m->as ? m->as : dtype, map);
    return LP_OK;
}

lp_status lpi_break_even_find(lpi_planning *planning,
                              const lp_schedule *schedule, lp_plan *plan,
                              lp_error *error)
{
    lpi_plan_run run = {.planning = planning};
    mapper m = {.planning = planning,
                .problem = planning->problem,
                .schedule = schedule,
                .as = planning->options->map_as,
                .error = error};
    lp_break_even_map *map = LPI_NEW(planning->arena, lp_break_even_map, 1);
    lp_status status;

    if (m.as && !lp_dtype_bits(m.as))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "elements of %s have no width", lp_dtype_name(m.as));
    m.problem.run = &run;
    m.problem.scratch = lpi_arena_new(lpi_arena_cap(planning->arena));
    status = map && m.problem.scratch ? LP_OK : lpi_fail_memory(error);
    if (status == LP_OK)
        status = lp_schedule_lower(&m.problem, schedule, &m.meaning, error);
    if (status == LP_OK)
        status = find_waits(&m);
    if (status == LP_OK)
        status = lpi_deeds_find(&m.problem, schedule, &m.runs, &m.loads, error);
    if (status == LP_OK)
        status = fill_map(&m, plan->schedule != NULL, map);
    lpi_arena_free(m.problem.scratch);
    if (status == LP_OK)
        plan->map = map;
    return status;
}
