/* lpm.c: the reader of the text form under libFuzzer: any bytes give a model
 * or an error, and the text of a model reads back as the same text.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... tests/fuzz/lpm.c
 *   ./lpm -max_len=4096 tests/fuzz/corpus/lpm
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP_BYTES = 64 << 20 };

/* No file lies below this folder, so nothing is ever opened. */
static const char name[] = "/nowhere/fuzz.lpm";

/* Read "text" in at most "cap" bytes (0: the library's limit) and store the
 * text form of the model in "ret_text". */
static lp_status read_and_dump(const char *text, size_t length, int64_t cap,
                               char **ret_text, size_t *ret_length)
{
    const lp_load_options options = {.max_memory_bytes = cap};
    lp_error error = {.status = LP_OK};
    lp_model *model;
    lp_status status =
        lp_model_read(text, length, name, &options, &model, &error);

    if (status != LP_OK) {
        if (error.status != status || !error.message[0])
            abort();
        return status;
    }
    status = lp_model_dump(model, ret_text, ret_length, &error);
    lp_model_free(model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *first, *second;
    size_t first_length, second_length;

    if (read_and_dump((const char *)data, size, CAP_BYTES, &first,
                      &first_length))
        return 0;
    if (read_and_dump(first, first_length, 0, &second, &second_length) ||
        first_length != second_length ||
        memcmp(first, second, first_length) != 0)
        abort();
    lp_text_free(first);
    lp_text_free(second);
    return 0;
}
