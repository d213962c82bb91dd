/* devices.h: a device as a file, and changes of it. */
#ifndef TESTS_DEVICES_H
#define TESTS_DEVICES_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

static const char good[] =
    "lplan-device: 1\n"
    "name: box\n"
    "source: made up\n"
    "memories:\n"
    "  - {name: near, capacity_bytes: 4Ki, alignment: 16, source: a}\n"
    "  - {name: far, alignment: 16, read_bytes_per_s: 1G,"
    " write_bytes_per_s: 500M, source: b}\n"
    "weights: far\n"
    "compute:\n"
    "  ops_per_s: 2G\n"
    "  source: c\n"
    "  rates:\n"
    "    - {dtype: float32, macs_per_s: 1G, source: d}\n"
    "    - {dtype: int8, macs_per_s: 4G, source: e}\n"
    "dma: {setup_ns: 10, source: f}\n";

static lp_device *read_device(const char *text)
{
    lp_device *device = NULL;
    lp_error error = {0};

    if (lp_device_read(text, strlen(text), "box.yaml", &device, &error) !=
        LP_OK)
        fail_msg("%s: %s", error.where, error.message);
    return device;
}

/* The good text, "old" replaced by "fresh". */
static char *edited(const char *old, const char *fresh)
{
    const char *at = strstr(good, old);
    lpi_text text = {0};

    assert_non_null(at);
    lpi_text_append(&text, good, (size_t)(at - good));
    lpi_text_put(&text, fresh);
    lpi_text_put(&text, at + strlen(old));
    return text.bytes;
}

#endif
