/* test_timeline.c: what happens when on the engines of a device: examples
 * computed by hand, and random schedules against what must hold. */
#include "devices.h"
#include "random_net.h"

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
        cmocka_unit_test(test_streams), cmocka_unit_test(test_pin),
        cmocka_unit_test(test_moves),   cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
