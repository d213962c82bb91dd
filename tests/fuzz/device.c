/* device.c: the reader of devices under libFuzzer: any bytes give a device or
 * an error, and a device that is written reads back and writes the same.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... \
 *       tests/fuzz/device.c tests/fuzz/lines.c
 *   ./device -max_len=4096 tests/fuzz/corpus/device
 *
 * With replay.c instead of libFuzzer's main it replays the corpus. */
#include <stdlib.h>
#include <string.h>

#include <lplan-planner.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What planners count on. */
static void check(const lp_device *device)
{
    int32_t i;

    if (device->memories_count < 1 || device->rates_count < 1 ||
        device->memories[0].capacity_bytes < 1 ||
        device->weights_memory >= device->memories_count)
        abort();
    for (i = 0; i < device->memories_count; i++)
        if (device->memories[i].alignment < 1 ||
            lp_device_copy_ns(device, i, 0, INT64_MAX) < 0)
            abort();
    for (i = 1; i < LP_DTYPE_COUNT; i++)
        if (lp_dtype_bits((lp_dtype)i) &&
            lp_device_macs_per_s(device, (lp_dtype)i) < 1)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lp_error error = {.status = LP_OK};
    lp_device *device, *again;
    size_t length, same;
    char *text, *twice;
    lp_status status;

    status = lp_device_read((const char *)data, size, "fuzz", &device, &error);
    if (status != LP_OK) {
        if (error.status != status || !error.message[0])
            abort();
        return 0;
    }
    check(device);
    if (lp_device_write(device, &text, &length, &error) ||
        lp_device_read(text, length, "again", &again, &error) ||
        lp_device_write(again, &twice, &same, &error) || length != same ||
        memcmp(text, twice, length) != 0)
        abort();
    lp_text_free(text);
    lp_text_free(twice);
    lp_device_free(device);
    lp_device_free(again);
    return 0;
}
