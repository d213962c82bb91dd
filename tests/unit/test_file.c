/* test_file.c: files of the base floor: read by position, opened below a
 * folder, written whole. */
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/base/base.h"

#include <cmocka.h>

static char folder[PATH_MAX];

/* "name" inside the folder of the tests; the result lives in "path". */
static const char *inside(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", folder, name);
    return path;
}

static void put(const char *name, const char *bytes, size_t length)
{
    char path[PATH_MAX];
    FILE *file = fopen(inside(name, path), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    const char *above = getenv("TMPDIR");
    char path[PATH_MAX], target[PATH_MAX];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/lplan-base-XXXXXX",
             above ? above : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    if (mkdir(inside("sub", path), 0777) || mkdir(inside("sub/in", path), 0777))
        return -1;
    put("model.onnx", "model", 5);
    put("data", "0123456789", 10);
    put("sub/in/data", "deep", 4);
    if (symlink("data", inside("link", path)) ||
        symlink("sub", inside("sublink", path)) ||
        symlink(inside("data", target), inside("sub/out", path)))
        return -1;
    return 0;
}

static int remove_folder(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void files_open(void **state)
{
    char path[PATH_MAX];
    lpi_file *file;
    lp_error error;

    (void)state;
    assert_int_equal(lpi_file_open(inside("data", path), &file, &error), LP_OK);
    assert_int_equal(lpi_file_size(file), 10);
    assert_string_equal(lpi_file_name(file), path);
    lpi_file_close(file);
    lpi_file_close(NULL);
    assert_int_equal(lpi_file_open(inside("none", path), &file, &error),
                     LP_EIO);
    assert_string_equal(error.where, path);
    assert_int_equal(lpi_file_open(inside("sub", path), &file, &error), LP_EIO);
    assert_int_equal(lpi_file_open("/dev/null", &file, &error), LP_EIO);
    assert_int_equal(mkfifo(inside("pipe", path), 0600), 0);
    assert_int_equal(lpi_file_open(path, &file, &error), LP_EIO);
}

static void ranges_are_checked(void **state)
{
    static const struct {
        int64_t offset, length;
        bool good;
    } cases[] = {
        {0, 10, true},         {3, 4, true},   {10, 0, true},
        {0, 11, false},        {10, 1, false}, {11, 0, false},
        {-1, 1, false},        {0, -1, false}, {INT64_MAX, 1, false},
        {1, INT64_MAX, false},
    };
    char path[PATH_MAX], bytes[16];
    lpi_file *file;
    int32_t i;

    (void)state;
    assert_int_equal(lpi_file_open(inside("data", path), &file, NULL), LP_OK);
    for (i = 0; i < LPI_COUNT(cases); i++)
        assert_int_equal(
            lpi_file_read(file, cases[i].offset, cases[i].length, bytes, NULL),
            cases[i].good ? LP_OK : LP_EINPUT);
    assert_int_equal(lpi_file_read(file, 3, 4, bytes, NULL), LP_OK);
    assert_memory_equal(bytes, "3456", 4);
    lpi_file_close(file);
}

static void windows_cover_the_file(void **state)
{
    enum { SIZE = 200000 };
    char path[PATH_MAX], *bytes = malloc(SIZE);
    const uint8_t *window;
    int64_t at, length;
    lpi_file *file;

    (void)state;
    for (at = 0; at < SIZE; at++)
        bytes[at] = (char)(at * 7 % 251);
    put("large", bytes, SIZE);
    assert_int_equal(lpi_file_open(inside("large", path), &file, NULL), LP_OK);
    for (at = 0; at < SIZE; at += length) {
        assert_int_equal(lpi_file_window(file, at, &window, &length, NULL),
                         LP_OK);
        assert_in_range(length, 1, SIZE - at);
        assert_memory_equal(window, bytes + at, (size_t)length);
    }
    assert_int_equal(lpi_file_window(file, 5, &window, &length, NULL), LP_OK);
    assert_memory_equal(window, bytes + 5, (size_t)length);
    assert_int_equal(lpi_file_window(file, SIZE, &window, &length, NULL),
                     LP_EINPUT);
    assert_int_equal(lpi_file_window(file, -1, &window, &length, NULL),
                     LP_EINPUT);
    lpi_file_close(file);
    free(bytes);
}

static void a_file_that_shrinks_is_an_error(void **state)
{
    enum { SIZE = 150000 };
    char path[PATH_MAX], *bytes = calloc(1, SIZE);
    const uint8_t *window;
    lp_error error;
    lpi_file *file;
    int64_t length;

    (void)state;
    put("shrinks", bytes, SIZE);
    assert_int_equal(lpi_file_open(inside("shrinks", path), &file, NULL),
                     LP_OK);
    assert_int_equal(lpi_file_window(file, 0, &window, &length, NULL), LP_OK);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(lpi_file_read(file, 50, 1000, bytes, &error), LP_EIO);
    assert_non_null(strstr(error.message, "shrank"));
    assert_int_equal(lpi_file_window(file, 100000, &window, &length, &error),
                     LP_EIO);
    lpi_file_close(file);
    free(bytes);
}

static void side_files_lie_below_the_folder(void **state)
{
    static const struct {
        const char *location;
        lp_status status;
    } cases[] = {
        {"data", LP_OK},
        {"./data", LP_OK},
        {"sub/in/data", LP_OK},
        {"sub//in/data", LP_OK},
        {"none", LP_EIO},
        {"sub/none", LP_EIO},
        {"sub", LP_EIO},
        {"", LP_EINPUT},
        {"/etc/passwd", LP_EINPUT},
        {"..", LP_EINPUT},
        {"../data", LP_EINPUT},
        {"sub/../data", LP_EINPUT},
        {"sub/in/../../../data", LP_EINPUT},
        {"data/", LP_EINPUT},
        {"link", LP_EINPUT},
        {"sublink/in/data", LP_EINPUT},
        {"sub/out", LP_EINPUT},
        {"data/under", LP_EINPUT},
    };
    char path[PATH_MAX];
    int32_t i;

    (void)state;
    inside("model.onnx", path);
    for (i = 0; i < LPI_COUNT(cases); i++) {
        lpi_file *file = NULL;
        lp_status status =
            lpi_file_open_below(path, cases[i].location, &file, NULL);

        if (status != cases[i].status)
            fail_msg("'%s' gives %d", cases[i].location, (int)status);
        lpi_file_close(file);
    }
}

/* How many files in the folder begin with "prefix". */
static int count_files(const char *prefix)
{
    char command[PATH_MAX + 64];
    FILE *pipe;
    int count = -1;

    snprintf(command, sizeof(command), "ls '%s' | grep -c '^%s'", folder,
             prefix);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

static void writes_are_whole_or_nothing(void **state)
{
    char path[PATH_MAX], bytes[16] = "";
    struct stat before, after;
    lp_error error;
    lpi_file *file;

    (void)state;
    inside("written", path);
    assert_int_equal(lp_file_write(path, "first", 5, NULL), LP_OK);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(lp_file_write(path, "second", 6, NULL), LP_OK);
    assert_int_equal(stat(path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(lpi_file_open(path, &file, NULL), LP_OK);
    assert_int_equal(lpi_file_size(file), 6);
    assert_int_equal(lpi_file_read(file, 0, 6, bytes, NULL), LP_OK);
    assert_string_equal(bytes, "second");
    lpi_file_close(file);
    assert_int_equal(count_files("written"), 1);

    assert_int_equal(lp_file_write(inside("no/where", path), "x", 1, &error),
                     LP_EIO);
    assert_string_equal(error.where, path);
    assert_int_equal(lp_file_write(inside("sub", path), "x", 1, &error),
                     LP_EIO);
    assert_int_equal(count_files("sub\\."), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_open),
        cmocka_unit_test(ranges_are_checked),
        cmocka_unit_test(windows_cover_the_file),
        cmocka_unit_test(a_file_that_shrinks_is_an_error),
        cmocka_unit_test(side_files_lie_below_the_folder),
        cmocka_unit_test(writes_are_whole_or_nothing),
    };

    return cmocka_run_group_tests_name("file", tests, make_folder,
                                       remove_folder);
}
