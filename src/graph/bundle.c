/* bundle.c: values that are no plain tensors, as blocks of bytes.
 *
 * A head, the dimensions of a tensor, then its content or the items, one
 * behind the other, everything at a multiple of 64 bytes.  Bundles are made
 * here alone, so that what a head says of its block holds. */
#include <string.h>

#include "graph.h"

enum { GRID = 64 };

/* "bytes", or INT64_MAX, brought to the next multiple of GRID. */
static int64_t on_grid(int64_t bytes)
{
    return bytes > INT64_MAX - GRID ? INT64_MAX
                                    : (bytes + GRID - 1) / GRID * GRID;
}

static int64_t head_bytes(int64_t rank)
{
    return on_grid((int64_t)sizeof(lpi_bundle) +
                   rank * (int64_t)sizeof(int64_t));
}

bool lpi_is_bundle(const lp_tensor *tensor)
{
    return tensor->container != LPI_TENSOR || tensor->dtype == LP_STRING;
}

lp_shape lpi_bundle_shape(const lpi_bundle *bundle)
{
    return (lp_shape){bundle->rank, (const int64_t *)(bundle + 1)};
}

const void *lpi_bundle_bytes(const lpi_bundle *bundle)
{
    return (const char *)bundle + head_bytes(bundle->rank);
}

const lpi_bundle *lpi_bundle_item(const lpi_bundle *bundle, int64_t i)
{
    const char *at = lpi_bundle_bytes(bundle);

    if (bundle->container == LPI_TENSOR || i < 0 || i >= bundle->count)
        return NULL;
    while (i--)
        at += ((const lpi_bundle *)(const void *)at)->size;
    return (const void *)at;
}

const char **lpi_bundle_texts(lpi_arena *arena, const lpi_bundle *bundle)
{
    const char **texts, *at = lpi_bundle_bytes(bundle);

    if (bundle->container != LPI_TENSOR || bundle->dtype != LP_STRING)
        return NULL;
    texts = LPI_NEW(arena, const char *, bundle->count);
    for (int64_t i = 0; texts && i < bundle->count; i++) {
        texts[i] = at;
        at += strlen(at) + 1;
    }
    return texts;
}

/* A bundle with "head" and "bytes" of content, all zero; NULL without
 * memory. */
static lpi_bundle *make(lpi_arena *arena, lpi_bundle head, const int64_t *dims,
                        int64_t bytes)
{
    lpi_bundle *bundle;

    head.size = on_grid(lpi_add(head_bytes(head.rank), bytes));
    bundle = head.size == INT64_MAX ? NULL
                                    : lpi_arena_array(arena, head.size, 1);
    if (!bundle)
        return NULL;
    *bundle = head;
    if (dims && head.rank)
        memcpy(bundle + 1, dims, (size_t)head.rank * sizeof(*dims));
    return bundle;
}

static char *content(lpi_bundle *bundle)
{
    return (char *)bundle + head_bytes(bundle->rank);
}

const lpi_bundle *lpi_bundle_tensor(lpi_arena *arena, lp_dtype dtype,
                                    lp_shape shape, const void *bytes)
{
    int64_t count = lpi_shape_elements(shape);
    int64_t size = lpi_storage_bytes(dtype, count);
    lpi_bundle *bundle = make(arena,
                              (lpi_bundle){.container = LPI_TENSOR,
                                           .dtype = (int32_t)dtype,
                                           .rank = shape.rank,
                                           .count = count},
                              shape.dims, size);

    if (bundle && size)
        memcpy(content(bundle), bytes, (size_t)size);
    return bundle;
}

const lpi_bundle *lpi_bundle_of_texts(lpi_arena *arena, lp_shape shape,
                                      const char *const *texts)
{
    int64_t count = lpi_shape_elements(shape), bytes = 0;
    lpi_bundle *bundle;
    char *at;

    for (int64_t i = 0; i < count; i++)
        bytes = lpi_add(bytes, (int64_t)strlen(texts[i]) + 1);
    bundle = make(arena,
                  (lpi_bundle){.container = LPI_TENSOR,
                               .dtype = LP_STRING,
                               .rank = shape.rank,
                               .count = count},
                  shape.dims, bytes);
    if (!bundle)
        return NULL;
    at = content(bundle);
    for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]) + 1;

        memcpy(at, texts[i], length);
        at += length;
    }
    return bundle;
}

const lpi_bundle *lpi_bundle_of_items(lpi_arena *arena, lpi_container container,
                                      int64_t count,
                                      const lpi_bundle *const *items)
{
    int64_t bytes = 0;
    lpi_bundle *bundle;
    char *at;

    for (int64_t i = 0; i < count; i++)
        bytes = lpi_add(bytes, items[i]->size);
    bundle = make(arena,
                  (lpi_bundle){.container = (int32_t)container, .count = count},
                  NULL, bytes);
    if (!bundle)
        return NULL;
    at = content(bundle);
    for (int64_t i = 0; i < count; i++) {
        memcpy(at, items[i], (size_t)items[i]->size);
        at += items[i]->size;
    }
    return bundle;
}
