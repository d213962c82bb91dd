/* test_counting.c: multiply-adds counted by the loops that do them, against the
 * costs of the rows: all samples, whole, and real models.
 *
 * Needs a build that counts (configure --enable-counting), and is skipped in
 * any other.  In such a build every run measures its multiplies so, and the
 * other tests compare what they measure with what was planned. */
#include <dirent.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

/* Operators that are not compared: why. */
static const struct {
    const char *op, *why;
} others[] = {
    {"ConvTranspose", "computed by what each result gathers: taps that fall "
                      "beside the operand count, those cropped do not"},
    {"DeformConv", "its loops say nothing"},
    {"Einsum", "its loops say nothing"},
    {"LinearAttention", "its loops say nothing"},
    {"CausalConvWithState", "its loops say nothing"},
};

static const char *why_other(const lp_model *model)
{
    for (int64_t i = 0; i < model->layers_count; i++)
        for (int32_t k = 0; k < LPI_COUNT(others); k++)
            if (!strcmp(model->layers[i]->op, others[k].op))
                return others[k].why;
    return NULL;
}

typedef struct tally {
    int32_t compared, with_macs, refused, other, wrong;
} tally;

/* Run "model", called "name", and compare its multiplies. */
static void check_model(const lp_model *model, const char *name, tally *sums)
{
    lp_run_options options = {.fill_weights = true};
    lp_error error = {.status = LP_OK};
    lp_run *run = NULL;
    int64_t macs;

    if (lp_model_run(model, &options, &run, &error) != LP_OK) {
        sums->refused++;
        return;
    }
    macs = run->predicted.macs;
    if (!run->is_placed || run->is_estimated) {
        sums->refused++;
    } else if (why_other(model)) {
        sums->other++;
    } else {
        sums->compared++;
        sums->with_macs += macs > 0;
        sums->wrong += run->measured.macs != macs;
        if (run->measured.macs != macs)
            print_message("%s: the loops do %lld multiplies, its cost is "
                          "%lld\n",
                          name, (long long)run->measured.macs, (long long)macs);
    }
    lp_run_free(run);
}

static void check_sample(const lp_op *row, const char *text, size_t length,
                         tally *sums)
{
    lp_model *model = NULL;
    lp_error error = {.status = LP_OK};

    if (lp_model_read(text, length, "sample", NULL, &model, &error) != LP_OK)
        return;
    check_model(model, row->name, sums);
    lp_model_free(model);
}

static void test_samples(void **ignored)
{
    tally sums = {0};

    (void)ignored;
    for (int32_t f = 0; lpi_families[f] != NULL; f++)
        for (const lp_op *row = lpi_families[f]; row->name != NULL; row++) {
            const char *text = row->samples, *end;

            for (; (end = strstr(text, "\n---\n")) != NULL; text = end + 5)
                check_sample(row, text, (size_t)(end - text), &sums);
            check_sample(row, text, strlen(text), &sums);
        }
    print_message("%d samples compared, %d of them multiply, %d not run, %d "
                  "counted otherwise\n",
                  sums.compared, sums.with_macs, sums.refused, sums.other);
    assert_int_equal(sums.wrong, 0);
    assert_true(sums.with_macs > 20);
}

static void test_models(void **ignored)
{
    const char *models = getenv("LPLAN_MODELS");
    char path[512];
    struct dirent *entry;
    tally sums = {0};
    DIR *folder;

    (void)ignored;
    snprintf(path, sizeof(path), "%.400s/tiny", models ? models : "");
    folder = models && *models ? opendir(path) : NULL;
    if (!folder)
        skip();
    while ((entry = readdir(folder))) {
        lp_model *model = NULL;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%.300s/tiny/%.150s/model.onnx", models,
                 entry->d_name);
        if (lp_model_load(path, NULL, &model, NULL) != LP_OK)
            continue;
        check_model(model, entry->d_name, &sums);
        lp_model_free(model);
    }
    closedir(folder);
    print_message("%d models compared, %d not run, %d counted otherwise\n",
                  sums.compared, sums.refused, sums.other);
    assert_int_equal(sums.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_models),
    };

    if (!LPI_COUNTS_MACS) {
        print_message("1..0 # SKIP no build that counts multiplies\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
