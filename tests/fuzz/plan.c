/* plan.c: models are planned under libFuzzer: any text form that can be read,
 * without a budget, for nine tenths and for a half of what that takes.  Each
 * plan has been proved by lp_plan_new; here its schedule is written, reads
 * back, and checks with the same predictions, at or above every bound.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/plan.c tests/fuzz/lines.c
 *   ./plan -max_len=4096 tests/fuzz/corpus/run
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

enum { CAP_BYTES = 32 << 20, EFFORT = 2000 };

/* No file lies below this folder, so nothing is ever opened. */
static const char name[] = "/nowhere/fuzz.lpm";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A failure is told in words. */
static void check(lp_status status, const lp_error *error)
{
    if (status != LP_OK && (error->status != status || !error->message[0]))
        abort();
}

/* The schedule of "plan" says the same once it is written and read. */
static void read_back(const lp_model *model, const lp_plan *plan)
{
    lp_predictions same;
    lp_schedule *again;
    size_t length;
    char *text;

    if (lp_schedule_write(plan->schedule, &text, &length, NULL) != LP_OK ||
        lp_schedule_read(model, text, length, "again", &again, NULL) != LP_OK ||
        lp_schedule_check(again, &same, NULL, NULL) != LP_OK ||
        memcmp(&same, &plan->predictions, sizeof(same)) != 0)
        abort();
    lp_text_free(text);
    lp_schedule_free(again);
}

/* The arena of a plan of "model" in "budget" bytes, 0 when there is none. */
static int64_t plan_in(const lp_model *model, int64_t budget)
{
    const lp_plan_options options = {.budget_bytes = budget, .effort = EFFORT};
    lp_error error = {.status = LP_OK};
    lp_plan *plan = NULL;
    int64_t peak = 0, i;
    char *text;

    check(lp_plan_new(model, &options, &plan, &error), &error);
    if (!plan)
        return 0;
    if (plan->schedule) {
        peak = plan->predictions.arena_bytes;
        if (budget && peak > budget)
            abort();
        read_back(model, plan);
    }
    for (i = 0; plan->schedule && i < plan->bounds_count; i++)
        if (plan->bounds[i].gap < 0)
            abort();
    if (lp_plan_write(plan, LP_FORMAT_JSON, &text, NULL, NULL) != LP_OK)
        abort();
    lp_text_free(text);
    lp_plan_free(plan);
    return peak;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const lp_load_options options = {.max_memory_bytes = CAP_BYTES};
    lp_error error = {.status = LP_OK};
    lp_model *model;
    int64_t peak;

    check(
        lp_model_read((const char *)data, size, name, &options, &model, &error),
        &error);
    if (error.status != LP_OK)
        return 0;
    peak = plan_in(model, 0);
    if (peak > 9) {
        plan_in(model, peak - peak / 10);
        plan_in(model, peak / 2);
    }
    lp_model_free(model);
    return 0;
}
