/* lpm.c: the reader of the text form under libFuzzer: any bytes give a model
 * or an error.  The text of a model reads back as the same text, and settling
 * leaves no trace in it.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/lpm.c tests/fuzz/lines.c
 *   ./lpm -max_len=4096 tests/fuzz/corpus/lpm
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

enum { CAP_BYTES = 64 << 20 };

/* No file lies below this folder, so nothing is ever opened. */
static const char name[] = "/nowhere/fuzz.lpm";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text form of the model in "text", or NULL when it cannot be read. */
static char *read_and_dump(const char *text, size_t length,
                           const lp_load_options *options)
{
    lp_error error = {.status = LP_OK};
    lp_model *model;
    char *dump;

    if (lp_model_read(text, length, name, options, &model, &error) != LP_OK) {
        if (error.status == LP_OK || !error.message[0])
            abort();
        return NULL;
    }
    if (lp_model_dump(model, &dump, NULL, &error) != LP_OK)
        abort();
    lp_model_free(model);
    return dump;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const lp_load_options first = {.max_memory_bytes = CAP_BYTES,
                                   .as_written = true};
    const lp_load_options again = {.as_written = true};
    const lp_load_options settled = {.max_memory_bytes = CAP_BYTES};
    char *text = read_and_dump((const char *)data, size, &first);
    char *other;

    if (!text)
        return 0;
    other = read_and_dump(text, strlen(text), &again);
    if (!other || strcmp(text, other) != 0)
        abort();
    lp_text_free(other);
    other = read_and_dump(text, strlen(text), &settled);
    if (other && strcmp(text, other) != 0)
        abort();
    lp_text_free(other);
    lp_text_free(text);
    return 0;
}
