/* replay.c: a main for fuzz targets without libFuzzer: runs the target once
 * on each file named on the command line, and says how many there were. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of the file "path"; NULL when they cannot be read. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size;

    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0 && (bytes = malloc((size_t)size + 1)))
        *ret_size = fread(bytes, 1, (size_t)size, file);
    fclose(file);
    return bytes;
}

int main(int count, char **names)
{
    int i;

    for (i = 1; i < count; i++) {
        size_t size = 0;
        uint8_t *bytes = read_file(names[i], &size);

        if (!bytes) {
            perror(names[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    printf("%d files replayed\n", count - 1);
    return 0;
}
