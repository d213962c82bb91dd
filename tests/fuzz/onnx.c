/* onnx.c: the ONNX reader under libFuzzer: any bytes give a model or an error.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/onnx.c tests/fuzz/mutate.c
 *   ./onnx -max_len=65536 tests/fuzz/corpus/onnx
 *
 * With replay.c instead of libFuzzer's main it replays the corpus.  The bytes
 * go through one file, which is removed at exit. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lplan.h>

enum { CAP_BYTES = 256 << 20 };

static char path[] = "/tmp/lplan-fuzz-XXXXXX";
static int descriptor = -1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(void)
{
    unlink(path);
}

/* Make the file hold the "size" bytes at "data". */
static void put(const uint8_t *data, size_t size)
{
    if (descriptor < 0) {
        descriptor = mkstemp(path);
        if (descriptor < 0 || atexit(clean) != 0)
            abort();
    }
    if (ftruncate(descriptor, 0) != 0)
        abort();
    while (size) {
        ssize_t put =
            pwrite(descriptor, data, size, lseek(descriptor, 0, SEEK_END));

        if (put <= 0)
            abort();
        data += put;
        size -= (size_t)put;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_load_options options = {.max_memory_bytes = CAP_BYTES};
    lp_model *model;
    lp_error error = {.status = LP_OK};

    put(data, size);
    if (lp_model_load(path, &options, &model, &error) == LP_OK)
        lp_model_free(model);
    else if (error.status == LP_OK || !error.message[0])
        abort();
    return 0;
}
