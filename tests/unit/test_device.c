/* test_device.c: devices as files, and what happens when on their engines:
 * examples computed by hand, and random schedules against what must hold. */
#include "random_net.h"

static const char good[] =
    "lplan-device: 1\n"
    "name: box\n"
    "source: made up\n"
    "memories:\n"
    "  - {name: near, capacity_bytes: 4Ki, alignment: 16, source: a}\n"
    "  - {name: far, alignment: 16, read_bytes_per_s: 1G,"
    " write_bytes_per_s: 500M, source: b}\n"
    "weights: far\n"
    "compute:\n"
    "  ops_per_s: 2G\n"
    "  source: c\n"
    "  rates:\n"
    "    - {dtype: float32, macs_per_s: 1G, source: d}\n"
    "    - {dtype: int8, macs_per_s: 4G, source: e}\n"
    "dma: {setup_ns: 10, source: f}\n";

static lp_device *read_device(const char *text)
{
    lp_device *device = NULL;
    lp_error error = {0};

    if (lp_device_read(text, strlen(text), "box.yaml", &device, &error) !=
        LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return device;
}

/* ---- files --------------------------------------------------------------- */

static void test_read(void **state)
{
    lp_device *device = read_device(good), *again;
    size_t length, same;
    char *text, *twice;

    (void)state;
    assert_string_equal(device->name, "box");
    assert_string_equal(device->source, "made up");
    assert_int_equal(device->memories_count, 2);
    assert_int_equal(device->memories[0].capacity_bytes, 4096);
    assert_int_equal(device->memories[0].read_bytes_per_s, 0);
    assert_int_equal(device->memories[1].capacity_bytes, 0);
    assert_int_equal(device->memories[1].write_bytes_per_s, 500000000);
    assert_int_equal(device->weights_memory, 1);
    assert_int_equal(device->rates_count, 2);
    assert_int_equal(device->ops_per_s, 2000000000);
    assert_int_equal(device->dma_setup_ns, 10);
    assert_int_equal(lp_device_write(device, &text, &length, NULL), LP_OK);
    again = read_device(text);
    assert_int_equal(lp_device_write(again, &twice, &same, NULL), LP_OK);
    assert_string_equal(text, twice);
    lp_text_free(text);
    lp_text_free(twice);
    lp_device_free(device);
    lp_device_free(again);
    lp_device_free(NULL);
}

/* The good text, "old" replaced by "fresh". */
static char *edited(const char *old, const char *fresh)
{
    const char *at = strstr(good, old);
    lpi_text text = {0};

    assert_non_null(at);
    lpi_text_append(&text, good, (size_t)(at - good));
    lpi_text_put(&text, fresh);
    lpi_text_put(&text, at + strlen(old));
    return text.bytes;
}

static void test_refusals(void **state)
{
    static const struct {
        const char *old, *fresh, *where, *why;
    } cases[] = {
        {"lplan-device: 1", "lplan-device: 2", ":1", "format 2"},
        {"lplan-device: 1\n", "", ":1", "'lplan-device' is missing"},
        {"name: box", "name: ''", ":1", "name: a text"},
        {"name: box", "nmae: box", ":2", "unknown key 'nmae'"},
        {"name: box", "name: [box]", ":2", "no text"},
        {"source: made up\n", "", ":1", "'source' is missing"},
        {"source: made up", "source: ''", ":1", "source: a text"},
        {"4Ki", "0", ":5", "'0' is no count"},
        {"4Ki", "-4", ":5", "'-4' is no count"},
        {"4Ki", "nan", ":5", "'nan' is no count"},
        {"4Ki", "1e9", ":5", "'1e9' is no count"},
        {"4Ki", "4 Ki", ":5", "no count"},
        {"4Ki", "9999999999999999999", ":5", "no count"},
        {"4Ki", "1000001T", ":5", "no count"},
        {"4Ki", "[1]", ":5", "no count"},
        {"capacity_bytes: 4Ki, ", "", ":5", "no capacity_bytes"},
        {"capacity_bytes: 4Ki", "capacity_bytes: 8", ":5", "alignment"},
        {"alignment: 16", "alignment: 12", ":5", "power of two"},
        {"alignment: 16", "alignment: 4Gi", ":5", "power of two"},
        {"alignment: 16, ", "", ":5", "'alignment' is missing"},
        {", source: a", "", ":5", "'source' is missing"},
        {"source: b", "source: ''", ":6", "source: a text"},
        {"read_bytes_per_s: 1G, ", "", ":6", "no read_bytes_per_s"},
        {"read_bytes_per_s: 1G", "read_bytes_per_s: 0", ":6", "no count"},
        {"name: far", "name: near", ":6", "stands there twice"},
        {"name: far", "name: near, name: far", ":6", "stands there twice"},
        {"weights: far", "weights: away", ":1", "no memory 'away'"},
        {"weights: far\n", "", ":1", "'weights' is missing"},
        {"float32", "float33", ":12", "no dtype"},
        {"float32", "string", ":12", "cannot be computed"},
        {"int8", "float32", ":13", "stands there twice"},
        {"macs_per_s: 4G", "macs_per_s: 0", ":13", "no count"},
        {", source: e", "", ":13", "'source' is missing"},
        {"  source: c\n", "", ":9", "ops_per_s has no source"},
        {"ops_per_s: 2G", "ops_per_s: 0", ":9", "no count"},
        {"setup_ns: 10", "setup_ns: -1", ":14", "setup_ns -1"},
        {"setup_ns: 10", "setup_ns: 10000000000", ":14", "setup_ns"},
        {"setup_ns: 10", "setup_ns: 1.5", ":14", "no whole number"},
        {", source: f", "", ":14", "'source' is missing"},
        {"dma: {setup_ns: 10, source: f}", "dma: *x", ":14", "alias"},
        {"dma: {setup_ns: 10, source: f}", "dma: &x {}", ":14", "anchors"},
        {"dma: {setup_ns: 10, source: f}\n", "dma: {\n", ":15", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = edited(cases[i].old, cases[i].fresh);
        lp_device *device = NULL;
        lp_error error = {0};
        lp_status status =
            lp_device_read(text, strlen(text), "box.yaml", &device, &error);

        if (status != LP_EINPUT || device ||
            !strstr(error.where, cases[i].where) ||
            !strstr(error.message, cases[i].why))
            fail_msg("%s: %d %s: %s", cases[i].fresh, (int)status, error.where,
                     error.message);
        lpi_free(text);
    }
}

static void test_no_list(void **state)
{
    static const char *const lists[][2] = {
        {"memories: []", "from 1 to 64"},
        {"memories: near", "no list"},
        {"memories: {a: b}", "no list"},
    };
    const char *end = strstr(good, "weights:");
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        lp_device *device = NULL;
        lp_error error = {0};
        lpi_text text = {0};

        lpi_text_append(&text, good, (size_t)(strstr(good, "memories") - good));
        lpi_text_printf(&text, "%s\n%s", lists[i][0], end);
        assert_int_equal(lp_device_read(text.bytes, text.length, "box.yaml",
                                        &device, &error),
                         LP_EINPUT);
        assert_non_null(strstr(error.message, lists[i][1]));
        lpi_text_drop(&text);
    }
}

static void test_no_memory(void **state)
{
    lp_status status = LP_ENOMEM;
    int64_t n;

    (void)state;
    for (n = 1; status != LP_OK && n < 1000; n++) {
        lp_device *device = NULL;
        lp_error error = {0};

        lpi_alloc_fail_at(n);
        status =
            lp_device_read(good, strlen(good), "box.yaml", &device, &error);
        lpi_alloc_fail_at(0);
        if (status != LP_OK)
            assert_int_equal(status, LP_ENOMEM);
        lp_device_free(device);
    }
    assert_int_equal(status, LP_OK);
}

/* ---- rates --------------------------------------------------------------- */

static void test_rates(void **state)
{
    lp_device *device = read_device(good);

    (void)state;
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT32), 1000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_INT8), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_INT4), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_UINT8), 4000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT16), 1000000000);
    assert_int_equal(lp_device_macs_per_s(device, LP_FLOAT64), 500000000);
    assert_int_equal(lp_device_copy_ns(device, 1, 0, 1000), 1010);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, 1000), 2010);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, 0), 10);
    assert_int_equal(lp_device_copy_ns(device, 0, 1, INT64_MAX), INT64_MAX);
    lp_device_free(device);
}

/* ---- timelines ----------------------------------------------------------- */

/* Two products of 4x4 by 4x4 (64 MACs, 64 bytes of weights each), and one
 * element-wise layer of 16 operations between them. */
static const char chain[] = "opset 18\n"
                            "input x: float32[4, 4]\n"
                            "weight v: float32[4, 4]\n"
                            "weight w: float32[4, 4]\n"
                            "a = MatMul(x, v)\n"
                            "b = Relu(a)\n"
                            "c = MatMul(b, w)\n"
                            "output c\n";

static lp_model *read_model(const char *text)
{
    lp_model *model = NULL;
    lp_error error = {0};

    if (lp_model_read(text, strlen(text), "m", NULL, &model, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return model;
}

static lp_schedule *schedule_for(const lp_model *model, const lp_device *device,
                                 int64_t rows)
{
    const lp_schedule_options options = {
        .device = device, .no_in_place = true, .layer_rows = rows};
    lp_schedule *schedule = NULL;
    lp_error error = {0};

    if (lp_schedule_new(model, &options, &schedule, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    schedule->places_count = 0;
    schedule->has_predictions = false;
    return schedule;
}

static lp_status find_time(lpi_arena *arena, const lp_schedule *schedule,
                           lp_timeline *ret_timeline, lp_error *error)
{
    lpi_program program;

    LP_TRY(lpi_program_lower(arena, schedule, &program, NULL, error));
    LP_TRY(lpi_program_check(&program, NULL, error));
    LP_TRY(lpi_program_time(arena, &program, schedule->target, ret_timeline,
                            error));
    assert_int_equal(ret_timeline->latency_ns, program.predictions.latency_ns);
    assert_int_equal(ret_timeline->traffic_bytes,
                     program.predictions.traffic_bytes);
    return LP_OK;
}

static void expect_times(const lp_schedule *schedule, int64_t latency,
                         const int64_t *starts, const int64_t *ends)
{
    lpi_arena *arena = lpi_arena_new(INT64_C(1) << 30);
    lp_timeline t = {0};
    lp_error error = {0};
    int64_t i;

    if (find_time(arena, schedule, &t, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    for (i = 0; i < t.units_count; i++) {
        assert_int_equal(t.starts[i], starts[i]);
        assert_int_equal(t.ends[i], ends[i]);
    }
    assert_int_equal(t.latency_ns, latency);
    assert_true(t.bound_ns <= latency);
    assert_true(t.order_bound_ns <= latency);
    lpi_arena_free(arena);
}

/* A product takes 64 ns, its weights 74 (10 of them set-up), Relu 8. */
static void test_streams(void **state)
{
    static const int64_t starts[] = {0, 74, 82}, ends[] = {74, 82, 156};
    lp_device *device = read_device(good);
    lp_model *model = read_model(chain);
    lp_schedule *schedule = schedule_for(model, device, 0);
    int64_t bound = 0;

    (void)state;
    expect_times(schedule, 156, starts, ends);
    assert_int_equal(lp_device_bound(device, model, &bound, NULL), LP_OK);
    assert_int_equal(bound, 148); /* two reads; computing takes 136 */
    lp_schedule_free(schedule);
    lp_model_free(model);
    lp_device_free(device);
}

/* A pin reads w behind v while the first layer ends and Relu runs. */
static void test_pin(void **state)
{
    static const int64_t starts[] = {0, 74, 148}, ends[] = {74, 82, 212};
    lp_device *device = read_device(good);
    lp_model *model = read_model(chain);
    lp_schedule *schedule = schedule_for(model, device, 0);
    lp_pin pin = {.tensor = lpi_tensor_find(model, "w"), .to = 2};
    lp_predictions found = {0};

    (void)state;
    schedule->pins = &pin;
    schedule->pins_count = 1;
    expect_times(schedule, 212, starts, ends);
    pin.from = 1; /* 74 ns from when Relu begins, as before */
    expect_times(schedule, 212, starts, ends);
    assert_int_equal(lp_schedule_check(schedule, &found, NULL, NULL), LP_OK);
    assert_int_equal(found.traffic_bytes, 128);
    assert_int_equal(found.latency_ns, 212);
    pin.from = pin.to = 1; /* read for nobody: the product reads it again */
    expect_times(schedule, 222, (const int64_t[]){0, 74, 148},
                 (const int64_t[]){74, 82, 222});
    lp_schedule_free(schedule);
    lp_model_free(model);
    lp_device_free(device);
}

/* The input waits in the far memory: its copy comes first. */
static void test_moves(void **state)
{
    static const int64_t starts[] = {74, 148, 156}, ends[] = {148, 156, 230};
    lp_device *device = read_device(good);
    lp_model *model = read_model(chain);
    lp_schedule *schedule = schedule_for(model, device, 0);
    lp_home home = {.tensor = lpi_tensor_find(model, "x"), .memory = 1};
    lp_move move = {.tensor = home.tensor, .after = -1, .before = 0};

    (void)state;
    schedule->homes = &home;
    schedule->homes_count = 1;
    schedule->moves = &move;
    schedule->moves_count = 1;
    expect_times(schedule, 230, starts, ends);
    lp_schedule_free(schedule);
    lp_model_free(model);
    lp_device_free(device);
}

/* Nothing can be written to a memory that is only read, and a schedule of
 * another device is refused. */
static void test_misfits(void **state)
{
    char *text = edited(" write_bytes_per_s: 500M,", "");
    lp_device *device = read_device(text), *other = read_device(good);
    lp_model *model = read_model(chain);
    lp_schedule *schedule = schedule_for(model, device, 0);
    lp_move move = {.tensor = lpi_tensor_find(model, "a"),
                    .memory = 1,
                    .after = 0,
                    .before = 1};
    lp_timeline t;
    lpi_arena *arena = lpi_arena_new(INT64_C(1) << 30);
    lp_error error = {0};
    lp_memory *memories = (lp_memory *)schedule->memories;
    lp_pin pin = {.tensor = lpi_tensor_find(model, "w"), .to = 2};

    (void)state;
    assert_int_equal(lp_device_copy_ns(device, 0, 1, 8), -1);
    schedule->moves = &move;
    schedule->moves_count = 1;
    assert_int_equal(find_time(arena, schedule, &t, &error), LP_EINFEASIBLE);
    schedule->moves_count = 0;
    assert_int_equal(lp_schedule_set_device(schedule, other, &error), LP_OK);
    memories[0].capacity_bytes = 8192;
    assert_int_equal(lp_schedule_set_device(schedule, other, &error),
                     LP_EINPUT);
    memories[0].capacity_bytes = 160; /* pins and the arena together */
    assert_int_equal(find_time(arena, schedule, &t, &error), LP_OK);
    schedule->pins = &pin;
    schedule->pins_count = 1;
    assert_int_equal(find_time(arena, schedule, &t, &error), LP_EINFEASIBLE);
    assert_non_null(strstr(error.message, "pinned weights of 64 bytes"));
    schedule->device = "elsewhere";
    assert_int_equal(lp_schedule_set_device(schedule, other, &error),
                     LP_EINPUT);
    lpi_arena_free(arena);
    lp_schedule_free(schedule);
    lp_model_free(model);
    lp_device_free(device);
    lp_device_free(other);
    lpi_free(text);
}

/* ---- random schedules ---------------------------------------------------- */

/* Pin weights at random. */
static void pin_some(lp_schedule *s, lp_pin *pins)
{
    int64_t left, i;

    s->pins = pins;
    for (i = 0; i < 40 && s->pins_count < 8; i++) {
        const lp_tensor *tensor =
            s->model->tensors[pick((int32_t)s->model->tensors_count)];
        int32_t from = pick((int32_t)s->units_count);

        left = s->units_count - from;
        if (tensor->is_static)
            pins[s->pins_count++] =
                (lp_pin){.tensor = tensor,
                         .from = from,
                         .to = from + pick((int32_t)(left < 6 ? left : 6))};
    }
}

/* The last unit that reads "tensor"; -1: none. */
static int32_t last_reader(const lp_schedule *s, const lp_tensor *tensor)
{
    int32_t last = -1, u, i;

    for (u = 0; u < (int32_t)s->units_count; u++) {
        int32_t count, j;
        lp_layer *const *layers = lpi_unit_layers(&s->units[u], &count);

        for (j = 0; j < count; j++)
            for (i = 0; i < layers[j]->inputs_count; i++)
                last = layers[j]->inputs[i] == tensor ? u : last;
    }
    return last;
}

/* Spill a result after the unit that makes it, and load it later; what lowering
 * refuses is not judged. */
static void move_one(lp_schedule *s, lp_move *moves)
{
    int32_t tries, u, last, ready;

    s->moves = moves;
    for (tries = 0; tries < 20 && !s->moves_count; tries++) {
        const lp_layer *layer =
            s->units[u = pick((int32_t)s->units_count)].layer;
        const lp_tensor *tensor = layer ? layer->outputs[0] : NULL;

        last = tensor ? last_reader(s, tensor) : -1;
        if (last < u + 3)
            continue;
        ready = u + 1 + pick(last - u - 2);
        s->moves_count = 2;
        moves[0] = (lp_move){
            .tensor = tensor, .memory = 1, .after = u, .before = ready};
        moves[1] = (lp_move){.tensor = tensor,
                             .after = ready + pick(last - ready),
                             .before = last};
    }
}

static void check_times(const lp_schedule *schedule, const lp_timeline *t)
{
    int64_t compute = 0, bound = 0, i;

    for (i = 0; i < t->units_count; i++) {
        assert_true(t->starts[i] >= (i ? t->ends[i - 1] : 0));
        assert_true(t->ends[i] >= t->starts[i]);
    }
    compute = t->compute_ns;
    assert_true(compute <= t->latency_ns);
    assert_true(t->dma_ns <= t->latency_ns);
    assert_true(t->latency_ns <= compute + t->dma_ns);
    assert_true(compute <= t->bound_ns && t->dma_ns <= t->bound_ns);
    assert_true(t->bound_ns <= t->latency_ns);
    assert_true(t->order_bound_ns <= t->latency_ns);
    assert_true(compute <= t->order_bound_ns);
    assert_int_equal(
        lp_device_bound(schedule->target, schedule->model, &bound, NULL),
        LP_OK);
    assert_true(bound <= t->latency_ns);
}

/* What is measured is what is predicted. */
static void check_run(const lp_schedule *schedule)
{
    const lp_run_options options = {
        .schedule = schedule, .fill_weights = true, .threads = 1};
    lp_run *run = NULL;
    lp_error error = {0};

    if (lp_model_run(schedule->model, &options, &run, &error) != LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    assert_int_equal(run->results, LP_RESULTS_EQUAL);
    assert_int_equal(run->predicted.traffic_bytes, run->measured.traffic_bytes);
    lp_run_free(run);
}

static void test_random(void **state)
{
    char *text = edited("4Ki", "1Mi");
    lp_device *device = read_device(text);
    int32_t graphs = getenv("LPLAN_SHORT") ? 100 : 1000, judged = 0;
    int32_t moved = 0, i;

    (void)state;
    for (i = 0; i < graphs; i++) {
        lp_model *model = random_net((uint64_t)i, 3 + i % 20);
        lp_schedule *schedule = schedule_for(model, device, i % 5 ? 0 : 2);
        lpi_arena *arena = lpi_arena_new(INT64_C(1) << 30);
        lp_pin pins[8];
        lp_move moves[2];
        lp_timeline t = {0};
        lp_error error = {0};

        if (i % 3 && schedule->units_count)
            pin_some(schedule, pins);
        if (i % 2 && schedule->units_count > 4)
            move_one(schedule, moves);
        if (find_time(arena, schedule, &t, &error) == LP_OK) {
            judged++;
            moved += schedule->moves_count > 0;
            check_times(schedule, &t);
            check_run(schedule);
        } else {
            assert_int_equal(error.status, LP_EINFEASIBLE);
        }
        lpi_arena_free(arena);
        lp_schedule_free(schedule);
        lp_model_free(model);
    }
    print_message("# %d of %d schedules judged, %d with moves\n", (int)judged,
                  (int)graphs, (int)moved);
    assert_true(judged > graphs / 2);
    lp_device_free(device);
    lpi_free(text);
}

/* What a schedule says of its device comes back from its text. */
static void test_text(void **state)
{
    lp_device *device = read_device(good);
    lp_model *model = read_model(chain);
    lp_schedule *schedule = schedule_for(model, device, 0), *again = NULL;
    lp_predictions found = {0};
    lp_error error = {0};
    size_t length;
    char *text;

    (void)state;
    assert_int_equal(lp_schedule_check(schedule, &found, NULL, NULL), LP_OK);
    schedule->predictions = found;
    schedule->has_predictions = true;
    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    assert_non_null(strstr(text, "weights: far\n"));
    assert_non_null(strstr(text, "latency_ns: 156}"));
    assert_int_equal(
        lp_schedule_read(model, text, length, "s.yaml", &again, &error), LP_OK);
    assert_int_equal(lp_schedule_check(again, &found, NULL, NULL), LP_OK);
    assert_int_equal(found.latency_ns, 0);
    assert_int_equal(lp_schedule_set_device(again, device, &error), LP_OK);
    assert_int_equal(lp_schedule_check(again, &found, NULL, &error), LP_OK);
    assert_int_equal(found.latency_ns, 156);
    again->predictions.latency_ns = 155;
    assert_int_equal(lp_schedule_check(again, &found, NULL, &error),
                     LP_EINFEASIBLE);
    lp_text_free(text);
    lp_schedule_free(schedule);
    lp_schedule_free(again);
    lp_model_free(model);
    lp_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_list), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_rates),   cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pin),     cmocka_unit_test(test_moves),
        cmocka_unit_test(test_misfits), cmocka_unit_test(test_text),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
