/* run.c: models are settled, counted and run under libFuzzer: any text form
 * that can be read is analyzed, and computed with drawn inputs and weights
 * under a cap of memory and of steps, once in its planned arena with dead
 * bytes overwritten; large weights, which no cap counts, are left out.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/run.c tests/fuzz/lines.c
 *   ./run -max_len=4096 tests/fuzz/corpus/run
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

enum {
    CAP_BYTES = 32 << 20,
    MOST_FLOPS = 1 << 21,
    MOST_STEPS = 20000,
};

/* No file lies below this folder, so nothing is ever opened. */
static const char name[] = "/nowhere/fuzz.lpm";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A failure is told in words. */
static void check(lp_status status, const lp_error *error)
{
    if (status != LP_OK && (error->status != status || !error->message[0]))
        abort();
}

static bool go_on(void *context, int64_t done, int64_t all, const char *layer)
{
    int *steps = context;

    (void)done;
    (void)all;
    (void)layer;
    return (*steps)++ < MOST_STEPS;
}

static void run(lp_model *model)
{
    int steps = 0;
    const lp_run_options options = {
        .fill_weights = true,
        .threads = 1,
        .check_memory = true,
        .max_memory_bytes = CAP_BYTES,
        .progress = go_on,
        .progress_context = &steps,
    };
    lp_error error = {.status = LP_OK};
    lp_run *done;
    lp_status status = lp_model_run(model, &options, &done, &error);

    check(status, &error);
    if (status == LP_OK)
        lp_run_free(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const lp_load_options options = {.max_memory_bytes = CAP_BYTES};
    lp_error error = {.status = LP_OK};
    lp_model *model;
    lp_report *report;
    int64_t flops, weights;
    lp_status status;

    status =
        lp_model_read((const char *)data, size, name, &options, &model, &error);
    check(status, &error);
    if (status != LP_OK)
        return 0;
    status = lp_report_new(model, NULL, &report, &error);
    check(status, &error);
    if (status == LP_OK) {
        if (lp_report_total(report, "flops", &flops) && flops < MOST_FLOPS &&
            lp_report_total(report, "weight_bytes", &weights) &&
            weights < CAP_BYTES)
            run(model);
        lp_report_free(report);
    }
    lp_model_free(model);
    return 0;
}
