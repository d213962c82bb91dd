/* test_scales.c: scales of a schedule in files beside it. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/exec/exec.h"

#include <cmocka.h>

static const char *const text_of_model =
    "opset 18\ninput x: float32[2, 3]\na = Relu(x)\ny = Neg(a)\noutput y\n";

typedef struct folder {
    char path[1000], plan[1100], scales[1100];
    lp_model *model;
} folder;

/* A model, and its baseline in a folder of its own, where "a" has "entry". */
static void prepare(folder *f, const char *entry)
{
    const char *above = getenv("TMPDIR"), *runs, *end;
    lpi_text text = {0};
    lp_schedule *plain;
    size_t length;
    char *written;

    snprintf(f->path, sizeof(f->path), "%s/lplan-scales-XXXXXX",
             above ? above : "/tmp");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->plan, sizeof(f->plan), "%s/p.yaml", f->path);
    snprintf(f->scales, sizeof(f->scales), "%s/s.npy", f->path);
    assert_int_equal(lp_model_read(text_of_model, strlen(text_of_model), "net",
                                   NULL, &f->model, NULL),
                     LP_OK);
    assert_int_equal(lp_schedule_new(f->model, NULL, &plain, NULL), LP_OK);
    assert_int_equal(lp_schedule_write(plain, &written, &length, NULL), LP_OK);
    runs = strstr(written, "runs:\n");
    end = strstr(written, "alias:\n");
    lpi_text_append(&text, written, (size_t)(runs - written));
    lpi_text_put(&text, "precision:\n  - ");
    lpi_text_put(&text, entry);
    lpi_text_put(&text, "\n");
    lpi_text_append(&text, runs, (size_t)(end - runs));
    assert_int_equal(lp_file_write(f->plan, text.bytes, text.length, NULL),
                     LP_OK);
    lpi_text_drop(&text);
    lp_text_free(written);
    lp_schedule_free(plain);
}

static void clear(folder *f)
{
    unlink(f->plan);
    unlink(f->scales);
    rmdir(f->path);
    lp_model_free(f->model);
}

/* Write "count" elements of "dtype" as the file of scales. */
static void write_scales(const folder *f, lp_dtype dtype, int64_t count,
                         const void *elements)
{
    lp_array *array = lpi_array_new(dtype, (lp_shape){1, &count});

    memcpy(array->bytes, elements, (size_t)array->size_bytes);
    assert_int_equal(lp_array_write(array, f->scales, NULL), LP_OK);
    lp_array_free(array);
}

/* As if the schedule had listed them; written again, the file is named. */
static void test_read(void **state)
{
    const double scales[3] = {0.5, 0.25, 0.125};
    lp_schedule *schedule;
    size_t length;
    char *text;
    folder f;

    (void)state;
    prepare(&f, "{tensor: a, dtype: int8, axis: 1, file: s.npy}");
    write_scales(&f, LP_FLOAT64, 3, scales);
    assert_int_equal(lp_schedule_load(f.model, f.plan, &schedule, NULL), LP_OK);
    assert_int_equal(schedule->precisions[0].scales_count, 3);
    assert_memory_equal(schedule->precisions[0].scales, scales, sizeof(scales));
    assert_int_equal(lp_schedule_write(schedule, &text, &length, NULL), LP_OK);
    assert_non_null(strstr(text, "axis: 1, file: s.npy}"));
    assert_null(strstr(text, "scales:"));
    lp_schedule_free(schedule);
    assert_int_equal(
        lp_schedule_read(f.model, text, length, "text", &schedule, NULL),
        LP_OK);
    lp_text_free(text);
    for (int32_t i = 0; i < 2; i++) {
        const lp_run_options options = {.schedule = schedule, .threads = 1};
        lp_error error = {.status = LP_OK};
        lp_run *run = NULL;

        assert_int_equal(lp_model_run(f.model, &options, &run, &error),
                         i ? LP_OK : LP_EUNSUPPORTED);
        if (!i)
            assert_non_null(strstr(error.message, "was not read"));
        lp_run_free(run);
        lp_schedule_free(schedule);
        if (!i)
            assert_int_equal(lp_schedule_load(f.model, f.plan, &schedule, NULL),
                             LP_OK);
    }
    clear(&f);
}

/* Every allocation fails in turn. */
static void test_no_memory(void **state)
{
    const float scale = 0.5f;
    lp_status status = LP_ENOMEM;
    lp_schedule *schedule;
    int64_t n;
    folder f;

    (void)state;
    prepare(&f, "{tensor: a, dtype: int8, file: s.npy}");
    write_scales(&f, LP_FLOAT32, 1, &scale);
    for (n = 1; status != LP_OK; n++) {
        lp_error error = {.status = LP_OK};

        lpi_alloc_fail_at(n);
        status = lp_schedule_load(f.model, f.plan, &schedule, &error);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
        assert_int_equal(error.status, status);
    }
    assert_true(n > 5);
    lp_schedule_free(schedule);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
