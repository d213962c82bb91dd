/* unpack.c: stripped bytes to messages, and what else a file may be.
 *
 * protobuf-c allocates from an arena whose cap bounds it; what it frees stays
 * until the arena goes. */
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx.h"

enum { LOOK_BYTES = 64, FEW_BYTES = 4 };

/* First bytes of files that get mistaken for ONNX ones. */
static const struct {
    int32_t offset;
    const char *bytes, *is;
} others[] = {
    {0, "PK\003\004", "a zip archive (a PyTorch checkpoint?)"},
    {0, "\x89HDF", "an HDF5 file (a Keras model?)"},
    {0, "GGUF", "a GGUF file"},
    {4, "TFL3", "a TensorFlow Lite file"},
    {4, "ORTM", "an ONNX Runtime (.ort) file"},
    {0, "\x1f\x8b", "compressed by gzip"},
    {0, "\x28\xb5\x2f\xfd", "compressed by zstd"},
    {0,
     "\x7f"
     "ELF",
     "a program"},
    {0, "version https://git-lfs", "a Git LFS pointer: fetch the file first"},
    {8, "{\"", "a safetensors file"},
};

typedef struct taker {
    lpi_arena *arena;
    bool failed;
} taker;

static void *take(void *data, size_t size)
{
    taker *from = data;
    void *block = lpi_arena_alloc(from->arena, size);

    from->failed = from->failed || !block;
    return block;
}

static void leave(void *data, void *block)
{
    (void)data;
    (void)block;
}

lp_status lpi_onnx_unpack(lpi_arena *arena, const char *bytes, size_t length,
                          struct Onnx__ModelProto **ret_model, lp_error *error)
{
    taker from = {.arena = arena};
    ProtobufCAllocator allocator = {take, leave, &from};
    Onnx__ModelProto *model =
        onnx__model_proto__unpack(&allocator, length, (const uint8_t *)bytes);

    if (!model)
        return from.failed
                   ? lpi_fail_memory(error)
                   : lpi_fail(error, LP_EINPUT, NULL, "is not an ONNX model");
    *ret_model = model;
    return LP_OK;
}

lp_status lpi_onnx_unpack_tensor(lpi_arena *arena, const char *bytes,
                                 size_t length,
                                 struct Onnx__TensorProto **ret_tensor,
                                 lp_error *error)
{
    taker from = {.arena = arena};
    ProtobufCAllocator allocator = {take, leave, &from};
    Onnx__TensorProto *tensor =
        onnx__tensor_proto__unpack(&allocator, length, (const uint8_t *)bytes);

    if (!tensor)
        return from.failed
                   ? lpi_fail_memory(error)
                   : lpi_fail(error, LP_EINPUT, NULL, "is not a TensorProto");
    *ret_tensor = tensor;
    return LP_OK;
}

/* The "count" bytes at "bytes" are a text. */
static bool is_text(const char *bytes, int64_t count)
{
    int64_t i;

    for (i = 0; i < count; i++)
        if (!(bytes[i] >= ' ' && bytes[i] <= '~') && bytes[i] != '\t' &&
            bytes[i] != '\r' && bytes[i] != '\n')
            return false;
    return count >= FEW_BYTES;
}

const char *lpi_onnx_guess(lpi_file *file)
{
    char bytes[LOOK_BYTES];
    int64_t length = lpi_file_size(file);
    int32_t i;

    if (length > LOOK_BYTES)
        length = LOOK_BYTES;
    if (lpi_file_read(file, 0, length, bytes, NULL) != LP_OK)
        return NULL;
    for (i = 0; i < LPI_COUNT(others); i++) {
        size_t size = strlen(others[i].bytes);

        if (others[i].offset + (int64_t)size <= length &&
            !memcmp(bytes + others[i].offset, others[i].bytes, size))
            return others[i].is;
    }
    return is_text(bytes, length) ? "a text" : NULL;
}
