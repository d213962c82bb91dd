/* pb.c: the readers of TensorProto, SequenceProto and OptionalProto files under
 * libFuzzer: any bytes give an array or an error, and an array equals itself.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/pb.c tests/fuzz/mutate.c
 *   ./pb -max_len=4096 tests/fuzz/corpus/pb
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include "array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const lpi_declared kinds[] = {
        {.container = LPI_TENSOR, .dtype = LP_STRING},
        {.container = LPI_SEQUENCE, .dtype = LP_FLOAT32},
        {.container = LPI_OPTIONAL, .dtype = LP_FLOAT32},
    };
    lp_difference difference;
    int32_t i;

    for (i = -1; i < LPI_COUNT(kinds); i++) {
        const lp_tensor tensor = {.declared = &kinds[i < 0 ? 0 : i]};
        lp_array *array = read_bytes(data, size, ".pb", i < 0 ? NULL : &tensor);

        if (!array)
            continue;
        if (lp_array_compare(array, array, NULL, &difference, NULL) ||
            !difference.same)
            abort();
        lp_array_free(array);
    }
    return 0;
}
