/* npy.c: the reader of NPY files under libFuzzer: any bytes give an array or
 * an error, and an array that is written reads back as the same one.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... tests/fuzz/npy.c
 *   ./npy -max_len=4096 tests/fuzz/corpus/npy
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include "array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_array *array = read_bytes(data, size, ".npy", NULL), *back;
    lp_difference difference;

    if (!array)
        return 0;
    if (lp_array_write(array, scratch, NULL) ||
        lp_array_read(scratch, CAP_BYTES, &back, NULL) ||
        lp_array_compare(back, array, &(lp_tolerance){.bytes = true},
                         &difference, NULL) ||
        !difference.same)
        abort();
    lp_array_free(array);
    lp_array_free(back);
    return 0;
}
