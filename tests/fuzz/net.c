/* net.c: the reader of models in one line under libFuzzer: any text gives a
 * model or an error.  The text form of the model reads back as the same text,
 * and its report is written in every form.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/net.c tests/fuzz/lines.c
 *   ./net -max_len=4096 tests/fuzz/corpus/net
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan.h>

enum { CAP_BYTES = 64 << 20, MOST_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The report of "model" in each form there is. */
static void report(const lp_model *model)
{
    static const lp_view views[] = {
        {.format = LP_FORMAT_TEXT, .chart = true, .all = true},
        {.format = LP_FORMAT_TEXT, .table = LP_TABLE_PEAK},
        {.format = LP_FORMAT_TSV, .table = LP_TABLE_MODULES},
        {.format = LP_FORMAT_TSV, .sort = "macs", .filter = "c"},
        {.format = LP_FORMAT_JSON, .all = true},
        {.format = LP_FORMAT_NETRON},
    };
    lp_report *made;
    size_t i;

    if (lp_report_new(model, NULL, &made, NULL) != LP_OK)
        return;
    for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        char *text;

        if (lp_report_write(made, &views[i], &text, NULL, NULL) != LP_OK)
            abort();
        lp_text_free(text);
    }
    lp_report_free(made);
}

/* What "model" is as a text reads back as the same. */
static void read_back(const lp_model *model)
{
    const lp_load_options options = {.as_written = true};
    lp_model *again;
    char *text, *other;
    size_t length;

    if (lp_model_dump(model, &text, &length, NULL) != LP_OK ||
        lp_model_read(text, length, "net", &options, &again, NULL) != LP_OK ||
        lp_model_dump(again, &other, NULL, NULL) != LP_OK ||
        strcmp(text, other) != 0)
        abort();
    lp_text_free(text);
    lp_text_free(other);
    lp_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char net[MOST_BYTES];
    const lp_load_options options = {.max_memory_bytes = CAP_BYTES};
    lp_error error = {.status = LP_OK};
    lp_model *model;
    lp_status status;

    if (size >= sizeof(net))
        return 0;
    memcpy(net, data, size);
    net[size] = 0;
    status = lp_model_net(net, &options, &model, &error);
    if (status != LP_OK) {
        if (error.status != status || !error.message[0])
            abort();
        return 0;
    }
    read_back(model);
    report(model);
    lp_model_free(model);
    return 0;
}
