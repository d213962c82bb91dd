/* test_onnx_damage.c: the ONNX reader on damaged files.
 *
 * Each file of the fuzzing corpus is cut at every byte, and each of its bytes
 * is changed in turn; whatever remains gives a model or an error.  Every
 * allocation fails in turn.  A file that shrinks under the reader, and one
 * beyond 4 GiB, go the same way. */
#include "test_onnx.h"

#include <dirent.h>
#include <errno.h>

/* Call "visit" with the bytes of each file of the corpus; the number of
 * files is returned. */
static int each_file(sandbox *box, void (*visit)(sandbox *, uint8_t *, size_t))
{
    const char *top = getenv("top_srcdir");
    char folder[PATH_MAX], path[PATH_MAX * 2];
    struct dirent *entry;
    int count = 0;
    DIR *files;

    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/onnx",
             top ? top : ".");
    files = opendir(folder);
    if (!files)
        return 0;
    while ((entry = readdir(files))) {
        lpi_file *file;
        uint8_t *bytes;
        int64_t size;

        if (!strstr(entry->d_name, ".onnx"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        assert_int_equal(lpi_file_open(path, &file, NULL), LP_OK);
        size = lpi_file_size(file);
        bytes = malloc((size_t)size + 1);
        assert_non_null(bytes);
        assert_int_equal(lpi_file_read(file, 0, size, bytes, NULL), LP_OK);
        lpi_file_close(file);
        visit(box, bytes, (size_t)size);
        free(bytes);
        count++;
    }
    closedir(files);
    return count;
}

static void cut(sandbox *box, uint8_t *bytes, size_t size)
{
    fill(box, bytes, size);
    assert_int_equal(read_once(box), LP_OK);
    while (size-- > 0) {
        assert_int_equal(ftruncate(box->descriptor, (off_t)size), 0);
        read_once(box);
    }
    assert_int_equal(box->error.status, LP_EINPUT);
}

static void change(sandbox *box, uint8_t *bytes, size_t size)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    size_t at, i;

    fill(box, bytes, size);
    for (at = 0; at < size; at++) {
        for (i = 0; i < sizeof(masks); i++) {
            uint8_t wrong = bytes[at] ^ masks[i];

            assert_int_equal(pwrite(box->descriptor, &wrong, 1, (off_t)at), 1);
            read_once(box);
        }
        assert_int_equal(pwrite(box->descriptor, &bytes[at], 1, (off_t)at), 1);
    }
    assert_int_equal(read_once(box), LP_OK);
}

static void starve(sandbox *box, uint8_t *bytes, size_t size)
{
    lp_status status;
    int64_t n = 0, cap;

    fill(box, bytes, size);
    do {
        lpi_alloc_fail_at(++n);
        status = read_once(box);
        lpi_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ENOMEM);
    } while (status != LP_OK);
    for (cap = 64; cap < 1 << 20; cap += cap / 8) {
        lp_model *model;

        status = lpi_onnx_read(box->path, cap, &model, &box->error);
        assert_true(status == LP_OK || status == LP_ENOMEM);
        if (status == LP_OK)
            lp_model_free(model);
    }
    assert_int_equal(status, LP_OK);
}

static void cut_files(void **state)
{
    assert_true(each_file(*state, cut) > 10);
}

static void changed_files(void **state)
{
    assert_true(each_file(*state, change) > 10);
}

static void no_memory(void **state)
{
    assert_true(each_file(*state, starve) > 10);
}

static void no_files(void **state)
{
    sandbox *box = *state;
    char path[PATH_MAX];

    memcpy(path, box->path, sizeof(path));
    memcpy(box->path, box->folder, strlen(box->folder) + 1);
    assert_int_equal(read_once(box), LP_EIO);
    assert_non_null(strstr(box->error.message, "directory"));
    snprintf(box->path, sizeof(box->path), "%s/absent.onnx", box->folder);
    assert_int_equal(read_once(box), LP_EIO);
    assert_non_null(strstr(box->error.where, "absent.onnx"));
    memcpy(box->path, path, sizeof(path));
}

/* The file loses its end between opening and reading. */
static void shrinking_files(void **state)
{
    sandbox *box = *state;
    lpi_arena *arena = lpi_arena_new(1 << 20);
    lpi_onnx_links links = {0};
    lpi_text graph = {0}, bytes = {0};
    const int64_t dims[] = {500};
    lpi_file *file;

    put_relu(&graph);
    put_weight(&graph, "w", LP_FLOAT32, (lp_shape){1, dims}, 2000);
    put_node(&graph, "Neg", "x", "z");
    fill_model(box, &graph, NULL);
    assert_int_equal(lpi_file_open(box->path, &file, NULL), LP_OK);
    assert_int_equal(ftruncate(box->descriptor, 100), 0);
    assert_int_equal(lpi_onnx_skim(file, arena, &bytes, &links, &box->error),
                     LP_EIO);
    assert_non_null(strstr(box->error.message, "shrank"));
    lpi_text_drop(&bytes);
    lpi_file_close(file);
    lpi_arena_free(arena);
}

/* A weight of 5 GiB inside the file, which has a hole there. */
static void huge_files(void **state)
{
    const int64_t elements = INT64_C(5) << 28, content = elements * 4;
    sandbox *box = *state;
    lpi_text head = {0}, tensor = {0}, tail = {0}, rest = {0}, opset = {0};
    const lp_tensor *weight;
    lp_model *model;
    int64_t graph;

    put_number(&tensor, 1, elements);
    put_number(&tensor, 2, LP_FLOAT32);
    put_text(&tensor, 8, "w");
    lpi_wire_put(&tensor, 9 << 3 | 2, 1);
    lpi_wire_put(&tensor, (uint64_t)content, 1);
    put_relu(&tail);
    graph = 1 + lpi_wire_width((uint64_t)content + tensor.length) +
            (int64_t)tensor.length + content + (int64_t)tail.length;
    put_number(&head, 1, 8);
    lpi_wire_put(&head, 7 << 3 | 2, 1);
    lpi_wire_put(&head, (uint64_t)graph, 1);
    lpi_wire_put(&head, GRAPH_WEIGHT << 3 | 2, 1);
    lpi_wire_put(&head, (uint64_t)content + tensor.length, 1);
    lpi_text_append(&head, tensor.bytes, tensor.length);
    put_number(&opset, 2, 17);
    put_child(&rest, 8, &opset);
    lpi_text_append(&tail, rest.bytes, rest.length);
    fill(box, head.bytes, head.length);
    if (pwrite(box->descriptor, tail.bytes, tail.length,
               (off_t)(content + (int64_t)head.length)) !=
        (ssize_t)tail.length) {
        print_message("no file of 5 GiB can be made: %s\n", strerror(errno));
        skip();
    }
    assert_int_equal(lpi_onnx_read(box->path, 1 << 20, &model, &box->error),
                     LP_OK);
    weight = lpi_tensor_find(model, "w");
    assert_non_null(weight);
    assert_int_equal(weight->payload.where, LPI_IN_FILE);
    assert_int_equal(weight->payload.offset, head.length);
    assert_int_equal(weight->payload.length, content);
    assert_int_equal(model->layers_count, 1);
    lp_model_free(model);
    lpi_text_drop(&head);
    lpi_text_drop(&tensor);
    lpi_text_drop(&tail);
    lpi_text_drop(&rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SANDBOX(cut_files),       IN_SANDBOX(changed_files),
        IN_SANDBOX(no_memory),       IN_SANDBOX(no_files),
        IN_SANDBOX(shrinking_files), IN_SANDBOX(huge_files),
    };

    return cmocka_run_group_tests_name("onnx damage", tests, NULL, NULL);
}
