/* pb.c: the reader of TensorProto files under libFuzzer: any bytes give an
 * array or an error, and an array equals itself.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... tests/fuzz/pb.c
 *   ./pb -max_len=4096 tests/fuzz/corpus/pb
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP_BYTES = 16 << 20 };

/* The name of a file of this process, which its end removes. */
static const char *scratch(void)
{
    static char path[64];

    if (!path[0])
        snprintf(path, sizeof(path), "fuzz_%ld.pb", (long)getpid());
    return path;
}

static void clean(void)
{
    unlink(scratch());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int registered;
    lp_error error = {.status = LP_OK};
    lp_difference difference;
    lp_array *array;
    lp_status status;

    if (!registered++)
        atexit(clean);
    if (lp_file_write(scratch(), (const char *)data, size, &error))
        abort();
    status = lp_array_read(scratch(), CAP_BYTES, &array, &error);
    if (status != LP_OK) {
        if (error.status != status || !error.message[0])
            abort();
        return 0;
    }
    if (lp_array_compare(array, array, NULL, &difference, &error) ||
        !difference.same)
        abort();
    lp_array_free(array);
    return 0;
}
