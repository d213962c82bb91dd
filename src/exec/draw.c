/* draw.c: numbers out of a counter.
 *
 * Element i of a tensor is a function of the seed, the tensor's name and i
 * alone: the name is hashed by XXH3 with the seed, the index is multiplied and
 * mixed as XXH32 mixes its last word (xxHash, XXH32_avalanche), so that any
 * part of a tensor can be drawn without the rest and the loop has no chain. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "exec.h"

enum { PART = 1024 };

/* The extent of the axis that Gather "layer" looks up, -1 when not known. */
static int64_t axis_extent(const lp_layer *layer)
{
    lp_shape shape = layer->inputs[0]->shape;
    int64_t axis = 0;

    for (int32_t i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, "axis") &&
            layer->attrs[i].kind == LPI_ATTR_INT)
            axis = layer->attrs[i].i;
    return lpi_axis(axis, shape.rank, &axis) ? shape.dims[axis] : -1;
}

lpi_draw lpi_draw_input(const lp_model *model, const lp_tensor *input)
{
    lpi_draw draw = {.spread = 1, .least = 0, .most = 9};

    for (int64_t i = 0; i < model->layers_count; i++) {
        const lp_layer *layer = model->layers[i];
        int64_t extent;

        if (strcmp(layer->op, "Gather") != 0 || layer->inputs_count < 2 ||
            layer->inputs[1] != input || !layer->inputs[0])
            continue;
        extent = axis_extent(layer);
        if (extent > 0 && draw.most >= extent)
            draw.most = extent - 1;
    }
    return draw;
}

uint64_t lpi_draw_key(uint64_t seed, const char *name)
{
    return XXH3_64bits_withSeed(name, strlen(name), seed);
}

/* 32 random bits for element "i" of the stream whose key has the halves
 * "add" and "flip". */
static inline uint32_t mix(uint32_t add, uint32_t flip, uint32_t i)
{
    uint32_t h = i * 0x9e3779b1u + add;

    h ^= flip;
    h ^= h >> 15;
    h *= 0x85ebca77u;
    h ^= h >> 13;
    h *= 0xc2b2ae3du;
    return h ^ h >> 16;
}

/* The second half of the key for elements [first, first + 2^32). */
static uint32_t flip_of(uint64_t key, int64_t first)
{
    return (uint32_t)(key >> 32) + (uint32_t)((uint64_t)first >> 32);
}

/* The elements [first, first + count), which lie in one range of 2^32. */
static inline __attribute__((always_inline)) void
draw_run(const lpi_draw *draw, uint64_t key, int64_t first, int64_t count,
         float *to)
{
    uint32_t add = (uint32_t)key, flip = flip_of(key, first);
    float centre = draw->centre, spread = draw->spread;

    for (int64_t i = 0; i < count; i++) {
        int32_t bits = (int32_t)(mix(add, flip, (uint32_t)(first + i)) >> 8);
        float unit = (float)(bits - (1 << 23)) * 0x1p-23f;

        to[i] = centre + spread * unit;
    }
}

static void draw_plain(const lpi_draw *draw, uint64_t key, int64_t first,
                       int64_t count, float *to)
{
    draw_run(draw, key, first, count, to);
}

/* The same numbers eight at a time, where the machine can. */
#if defined(__x86_64__) && defined(__clang__)
#define WIDE __attribute__((target("avx2")))
#elif defined(__x86_64__)
#define WIDE __attribute__((target("avx2"), optimize("O3")))
#endif

#ifdef WIDE
WIDE static void draw_wide(const lpi_draw *draw, uint64_t key, int64_t first,
                           int64_t count, float *to)
{
    draw_run(draw, key, first, count, to);
}
#define HAS_WIDE __builtin_cpu_supports("avx2")
#else
#define draw_wide draw_plain
#define HAS_WIDE  0
#endif

static void draw_floats(const lpi_draw *draw, uint64_t key, int64_t first,
                        int64_t count, float *to)
{
    while (count > 0) {
        int64_t left = ((int64_t)1 << 32) - (first & 0xffffffff);
        int64_t now = count < left ? count : left;

        if (HAS_WIDE)
            draw_wide(draw, key, first, now, to);
        else
            draw_plain(draw, key, first, now, to);
        first += now;
        to += now;
        count -= now;
    }
}

static void draw_ints(const lpi_draw *draw, uint64_t key, int64_t first,
                      int64_t count, int64_t *to)
{
    uint64_t range = (uint64_t)(draw->most - draw->least) + 1;

    for (int64_t i = 0; i < count; i++)
        to[i] = draw->least +
                (int64_t)(mix((uint32_t)key, flip_of(key, first + i),
                              (uint32_t)(first + i)) *
                              range >>
                          32);
}

bool lpi_draw_fill(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   int64_t count, void *to)
{
    return lpi_draw_part(dtype, draw, key, (int64_t[2]){0, count}, to);
}

bool lpi_draw_part(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   const int64_t range[2], void *to)
{
    static const lpi_draw coin = {.least = 0, .most = 1};
    lpi_class class = lpi_class_of(dtype);
    union {
        float f[PART];
        double d[PART];
        int64_t i[PART];
    } part;

    if (class == LPI_NO_CLASS)
        return false;
    if (dtype == LP_FLOAT32) {
        draw_floats(draw, key, range[0], range[1] - range[0], to);
        return true;
    }
    if (dtype == LP_BOOL)
        draw = &coin;
    for (int64_t first = range[0]; first < range[1]; first += PART) {
        int64_t now = range[1] - first < PART ? range[1] - first : PART;

        if (class == LPI_F32 || class == LPI_F64)
            draw_floats(draw, key, first, now, part.f);
        else
            draw_ints(draw, key, first, now, part.i);
        if (class == LPI_F64)
            for (int64_t i = now; i--;)
                part.d[i] = (double)part.f[i];
        lpi_pack(dtype, &part, first - range[0], now, to);
    }
    return true;
}
