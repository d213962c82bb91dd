/* npy.c: the reader of NPY files under libFuzzer: any bytes give an array or
 * an error, and an array that is written reads back as the same one.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... tests/fuzz/npy.c
 *   ./npy -max_len=4096 tests/fuzz/corpus/npy
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP_BYTES = 16 << 20 };

/* The name of a file of this process, which its end removes. */
static const char *scratch(void)
{
    static char path[64];

    if (!path[0])
        snprintf(path, sizeof(path), "fuzz_%ld.npy", (long)getpid());
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
    lp_array *array, *back;
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
    if (lp_array_write(array, scratch(), &error) ||
        lp_array_read(scratch(), CAP_BYTES, &back, &error) ||
        lp_array_compare(back, array, &(lp_tolerance){.bytes = true},
                         &difference, &error) ||
        !difference.same)
        abort();
    lp_array_free(array);
    lp_array_free(back);
    return 0;
}
