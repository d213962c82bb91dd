/* array.h: what the targets of array files share: bytes are put into a file of
 * this process, which its end removes, and read from there. */
#ifndef FUZZ_ARRAY_H
#define FUZZ_ARRAY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/exec/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP_BYTES = 16 << 20 };

static char scratch[64];

static void clean(void)
{
    unlink(scratch);
}

/* The array in "data", as a file whose name ends in "suffix", read for "tensor"
 * (NULL: any); NULL when it is refused, with an error that says so. */
static lp_array *read_bytes(const uint8_t *data, size_t size,
                            const char *suffix, const lp_tensor *tensor)
{
    lp_error error = {.status = LP_OK};
    lp_array *array;
    lp_status status;

    if (!scratch[0]) {
        snprintf(scratch, sizeof(scratch), "fuzz_%ld%s", (long)getpid(),
                 suffix);
        atexit(clean);
    }
    if (lp_file_write(scratch, (const char *)data, size, &error))
        abort();
    status = tensor ? lpi_array_read(scratch, tensor, &array, &error)
                    : lp_array_read(scratch, CAP_BYTES, &array, &error);
    if (status == LP_OK)
        return array;
    if (error.status != status || !error.message[0])
        abort();
    return NULL;
}

#endif
