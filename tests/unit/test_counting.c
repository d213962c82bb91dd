/* test_counting.c: multiply-adds counted by the loops that do them, against the
 * costs of the rows: all samples, shapes drawn at random, and real models.
 *
 * The loops count in this program whatever the build: the sources that do are
 * compiled into it once more.  Every row that can be run and that a sample of
 * it charges with multiplies must have been compared. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

typedef struct tally {
    int32_t compared, with_macs, refused, wrong, tiled;
} tally;

/* Rows that multiply in one of their samples, and whether a run proved it. */
enum { ROWS = 512 };
static struct {
    const lp_op *row;
    bool is_proved;
} rows[ROWS];
static int32_t rows_count;

static void note_row(const lp_op *row, bool is_proved)
{
    int32_t i = 0;

    while (i < rows_count && rows[i].row != row)
        i++;
    assert_true(i < ROWS);
    rows_count += i == rows_count;
    rows[i].row = row;
    rows[i].is_proved |= is_proved;
}

/* Note the rows of "model" that multiply. */
static void note_rows(const lp_model *model, bool is_proved)
{
    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        lp_row_status status = LP_EXACT;
        lp_cost cost = {0};

        if (layer->row && layer->row->run && !layer->is_static &&
            lpi_layer_cost(model, layer, &cost, &status, NULL) == LP_OK &&
            lp_cost_macs(&cost) > 0)
            note_row(layer->row, is_proved);
    }
}

/* Multiplies that the costs of what ran come to, bodies with the layers that
 * they are of. */
static int64_t charged(const lp_run *run)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < run->layers_count; i++)
        sum += run->layers[i].macs;
    return sum;
}

/* Run "model", called "name", on "threads" threads and compare its multiplies;
 * whether it ran and they are right. */
static bool check_model(const lp_model *model, const char *name,
                        int32_t threads, tally *sums)
{
    lp_run_options options = {
        .fill_weights = true, .profile = true, .threads = threads};
    lp_error error = {.status = LP_OK};
    lp_run *run = NULL;
    int64_t macs;
    bool is_right;

    if (lp_model_run(model, &options, &run, &error) != LP_OK) {
        sums->refused++;
        return false;
    }
    macs = run->is_placed && !run->is_estimated ? run->predicted.macs
                                                : charged(run);
    is_right = run->measured.macs == macs;
    sums->compared++;
    sums->with_macs += macs > 0;
    sums->wrong += !is_right;
    if (!is_right)
        print_message("%s: the loops do %lld multiplies, its cost is %lld\n",
                      name, (long long)run->measured.macs, (long long)macs);
    lp_run_free(run);
    return is_right;
}

/* Run "model" by tiles of "extent" rows, and compare what they multiply with
 * what is predicted for them. */
static void check_tiles(const lp_model *model, const char *name, int64_t extent,
                        tally *sums)
{
    const lp_schedule_options wanted = {.layer_rows = extent,
                                        .attention_rows = extent};
    lp_run_options options = {.fill_weights = true};
    lp_schedule *schedule;
    lp_run *run;

    if (lp_schedule_new(model, &wanted, &schedule, NULL) != LP_OK)
        return;
    options.schedule = schedule;
    if (lp_model_run(model, &options, &run, NULL) == LP_OK) {
        bool is_right = run->is_estimated ||
                        run->measured.macs == run->predicted.macs;

        sums->tiled += schedule->groups_count > 0;
        sums->wrong += !is_right || run->results != LP_RESULTS_EQUAL;
        if (!is_right)
            print_message("%s by %lld rows: the loops do %lld multiplies, "
                          "%lld are predicted\n",
                          name, (long long)extent,
                          (long long)run->measured.macs,
                          (long long)run->predicted.macs);
        lp_run_free(run);
    }
    lp_schedule_free(schedule);
}

static bool check_text(const char *text, size_t length, const char *name,
                       int32_t threads, tally *sums)
{
    lp_model *model = NULL;
    lp_error error = {.status = LP_OK};
    bool is_right;

    if (lp_model_read(text, length, "sample", NULL, &model, &error) != LP_OK)
        return false;
    is_right = check_model(model, name, threads, sums);
    note_rows(model, is_right);
    if (is_right)
        check_tiles(model, name, 2, sums);
    lp_model_free(model);
    return is_right;
}

static void test_samples(void **ignored)
{
    tally sums = {0};
    int32_t unproved = 0;

    (void)ignored;
    for (int32_t f = 0; lpi_families[f] != NULL; f++)
        for (const lp_op *row = lpi_families[f]; row->name != NULL; row++) {
            const char *text = row->samples, *end;

            for (; (end = strstr(text, "\n---\n")) != NULL; text = end + 5)
                check_text(text, (size_t)(end - text), row->name, 1, &sums);
            check_text(text, strlen(text), row->name, 1, &sums);
        }
    for (int32_t i = 0; i < rows_count; i++)
        if (!rows[i].is_proved) {
            print_message("%s.%s is charged with multiplies and was not "
                          "compared\n",
                          rows[i].row->domain, rows[i].row->name);
            unproved++;
        }
    print_message("%d samples compared, %d of them multiply, %d not run; %d "
                  "rows multiply\n",
                  sums.compared, sums.with_macs, sums.refused, rows_count);
    assert_int_equal(sums.wrong, 0);
    assert_int_equal(unproved, 0);
    assert_true(rows_count > 30);
}

/* ---- shapes drawn at random ---------------------------------------------- */

static uint64_t state = 1;

/* A number from "least" to "most" (Marsaglia's xorshift). */
static int64_t draw(int64_t least, int64_t most)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return least + (int64_t)(state % (uint64_t)(most - least + 1));
}

/* Room for the text of a model. */
typedef struct writing {
    char text[2048];
    size_t length;
} writing;

static void put(writing *w, const char *format, ...)
{
    va_list words;

    va_start(words, format);
    w->length += (size_t)vsnprintf(w->text + w->length,
                                   sizeof(w->text) - w->length, format, words);
    va_end(words);
    assert_true(w->length < sizeof(w->text));
}

/* "name: [a, b, ...]", of "count" numbers at "of". */
static void put_list(writing *w, const char *name, const int64_t *of,
                     int32_t count)
{
    put(w, "%s[", name);
    for (int32_t i = 0; i < count; i++)
        put(w, "%s%lld", i ? ", " : "", (long long)of[i]);
    put(w, "]");
}

/* A convolution: of 1 to 3 axes, in groups, by channel, strided, dilated. */
typedef struct sizes {
    int32_t axes;
    int64_t groups, in[5], weight[5], strides[3], dilations[3], pads[6];
} sizes;

static sizes draw_sizes(bool is_transposed)
{
    sizes s = {.axes = (int32_t)draw(1, 3)};
    int64_t own = draw(1, 9), other = draw(1, 9);
    bool by_channel = draw(0, 1) == 1;

    s.groups = by_channel ? draw(2, 9) : draw(1, 3);
    own = by_channel ? 1 : own;
    other = by_channel ? draw(1, 2) : other;
    s.in[0] = draw(1, 2);
    s.in[1] = s.groups * own;
    s.weight[0] = is_transposed ? s.in[1] : s.groups * other;
    s.weight[1] = is_transposed ? other : own;
    for (int32_t i = 0; i < s.axes; i++) {
        s.weight[2 + i] = draw(1, 4);
        s.strides[i] = draw(1, 3);
        s.dilations[i] = draw(1, 2);
        s.in[2 + i] = draw(is_transposed ? 3 : 7, s.axes == 3 ? 9 : 33);
        s.pads[i] = draw(0, s.weight[2 + i] - 1);
        s.pads[s.axes + i] = draw(0, s.weight[2 + i] - 1);
    }
    return s;
}

/* The four kinds of convolution. */
static const struct {
    const char *op, *x, *w, *operands;
} convolutions[] = {
    {"Conv", "float32", "float32", "x, w"},
    {"ConvTranspose", "float32", "float32", "x, w"},
    {"ConvInteger", "uint8", "int8", "x, w"},
    {"QLinearConv", "uint8", "int8", "x, s, z, w, s, v, s, z"},
};

static void put_convolution(writing *w, int32_t kind)
{
    sizes s = draw_sizes(kind == 1);

    put(w, "opset 17; input x: %s", convolutions[kind].x);
    put_list(w, "", s.in, s.axes + 2);
    put(w, "; weight w: %s", convolutions[kind].w);
    put_list(w, "", s.weight, s.axes + 2);
    if (kind == 3)
        put(w, "; weight s: float32[] = {0.5}; weight z: uint8[] = {128}; "
               "weight v: int8[] = {0}");
    put(w, "; y = %s(%s) {group: %lld, ", convolutions[kind].op,
        convolutions[kind].operands, (long long)s.groups);
    put_list(w, "strides: ", s.strides, s.axes);
    put_list(w, ", dilations: ", s.dilations, s.axes);
    put_list(w, ", pads: ", s.pads, 2 * s.axes);
    put(w, "}; output y");
}

static void put_product(writing *w, bool is_whole)
{
    int64_t m = draw(1, 3) == 1 ? draw(1, 2) : draw(1, 70);
    int64_t k = draw(1, 600), n = draw(1, 70);
    bool is_weight = draw(0, 1) == 1;

    put(w, "opset 17; input a: %s[%lld, %lld, %lld]",
        is_whole ? "uint8" : "float32", (long long)draw(1, 2), (long long)m,
        (long long)k);
    put(w, "; %s b: %s[%lld, %lld]; y = %s(a, b); output y",
        is_weight ? "weight" : "input", is_whole ? "int8" : "float32",
        (long long)k, (long long)n, is_whole ? "MatMulInteger" : "MatMul");
}

/* An Einsum of 2 to 4 operands over 5 letters; the first has them all once, so
 * that the result may have any. */
static void put_einsum(writing *w)
{
    char equation[64] = "abcde";
    int64_t extents[5], count = draw(2, 4);

    for (int32_t i = 0; i < 5; i++)
        extents[i] = draw(1, 5);
    put(w, "opset 17; input x0: float32");
    put_list(w, "", extents, 5);
    for (int64_t t = 1; t < count; t++) {
        int64_t dims[3], letters = draw(0, 3);
        size_t end = strlen(equation);

        equation[end++] = ',';
        for (int32_t i = 0; i < letters; i++) {
            int64_t letter = draw(0, 4);

            dims[i] = extents[letter];
            equation[end++] = (char)('a' + letter);
        }
        equation[end] = '\0';
        put(w, "; input x%lld: float32", (long long)t);
        put_list(w, "", dims, (int32_t)letters);
    }
    put(w, "; y = Einsum(x0");
    for (int64_t t = 1; t < count; t++)
        put(w, ", x%lld", (long long)t);
    put(w, ") {equation: \"%s->%.*s\"}; output y", equation, (int)draw(0, 5),
        "ebdac");
}

static void test_shapes(void **ignored)
{
    tally sums = {0};

    (void)ignored;
    for (int32_t i = 0; i < 700; i++) {
        writing w = {.length = 0};
        int32_t kind = i % 7;

        if (kind < 4)
            put_convolution(&w, kind);
        else if (kind < 6)
            put_product(&w, kind == 5);
        else
            put_einsum(&w);
        check_text(w.text, w.length, w.text, i % 3 == 0 ? 3 : 1, &sums);
    }
    print_message("%d of 700 shapes compared, %d by tiles too\n", sums.compared,
                  sums.tiled);
    assert_int_equal(sums.wrong, 0);
    assert_true(sums.tiled > 100);
    assert_true(sums.compared > 600);
    assert_int_equal(sums.compared, sums.with_macs);
}

/* ---- real models ----------------------------------------------------------
 */

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
        check_model(model, entry->d_name, 0, &sums);
        lp_model_free(model);
    }
    closedir(folder);
    print_message("%d models compared, %d not run\n", sums.compared,
                  sums.refused);
    assert_int_equal(sums.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_models),
    };

    assert_true(LPI_COUNTS_MACS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
