/* schedule.c: the reader of schedules, and both that lower and that check them,
 * under libFuzzer: any bytes are a schedule of the model here, or an error; one
 * that is written reads back, writes the same, and is judged the same.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/schedule.c tests/fuzz/lines.c
 *   ./schedule -max_len=4096 tests/fuzz/corpus/schedule
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What schedules differ on: views, parts, results in place, weights. */
static const char net[] = "opset 18\n"
                          "input x: float32[1, 4, 8]\n"
                          "weight rows: int64[2] = {4, -1}\n"
                          "weight w: float32[8, 8]\n"
                          "weight halves: int64[2] = {4, 4}\n"
                          "a = MatMul(x, w)\n"
                          "b = Relu(a)\n"
                          "c, d = Split(b, halves) {axis: 2}\n"
                          "e = Sigmoid(c)\n"
                          "f = Concat(d, e) {axis: 2}\n"
                          "g = Reshape(f, rows)\n"
                          "h = Softmax(g) {axis: -1}\n"
                          "i = MatMul(h, w)\n"
                          "output i\n"
                          "output b\n";

static lp_model *model;

static void forget(void)
{
    lp_model_free(model);
}

/* The same judgement of what "schedule" says, read again. */
static void judge(const lp_schedule *schedule)
{
    lp_predictions found, same;
    lp_error error = {.status = LP_OK};
    lp_schedule *again;
    lp_status status;
    size_t length, other;
    char *text, *twice;

    status = lp_schedule_check(schedule, &found, NULL, &error);
    if (status != LP_OK && (error.status != status || !error.message[0]))
        abort();
    if (lp_schedule_write(schedule, &text, &length, NULL) ||
        lp_schedule_read(model, text, length, "again", &again, NULL) ||
        lp_schedule_write(again, &twice, &other, NULL) || length != other ||
        memcmp(text, twice, length) != 0 ||
        lp_schedule_check(again, &same, NULL, NULL) != status ||
        (status == LP_OK && memcmp(&found, &same, sizeof(found)) != 0))
        abort();
    lp_text_free(text);
    lp_text_free(twice);
    lp_schedule_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_error error = {.status = LP_OK};
    lp_schedule *schedule;
    lp_status status;

    if (!model) {
        if (lp_model_read(net, strlen(net), "net", NULL, &model, NULL))
            abort();
        atexit(forget);
    }
    status = lp_schedule_read(model, (const char *)data, size, "fuzz",
                              &schedule, &error);
    if (status != LP_OK) {
        if (error.status != status || !error.message[0])
            abort();
        return 0;
    }
    judge(schedule);
    lp_schedule_free(schedule);
    return 0;
}
