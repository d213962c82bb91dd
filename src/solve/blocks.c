/* blocks.c: buffers packed in the order of time, with a list of free blocks.
 *
 * The free blocks stand in an array by offset, merged where they touch; what
 * lies above the last is free without end.  A buffer that begins takes the
 * tightest block it fits, one that ends gives its bytes back. */
#include <stdlib.h>
#include <string.h>

#include "solve.h"

typedef struct block {
    int64_t begin, end;
} block;

typedef struct heap {
    block *blocks;
    int64_t count;
    int64_t top; /* all from here on is free */
    int64_t height;
} heap;

typedef struct entry {
    int64_t time, bytes, of;
} entry;

static int by_time(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->of > y->of) - (x->of < y->of);
}

/* The position of the first block that begins at "offset" or above. */
static int64_t position(const heap *h, int64_t offset)
{
    int64_t low = 0, high = h->count;

    while (low < high) {
        int64_t middle = (low + high) / 2;

        if (h->blocks[middle].begin < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(heap *h, int64_t at, block fresh)
{
    if (fresh.begin >= fresh.end)
        return;
    memmove(&h->blocks[at + 1], &h->blocks[at],
            (size_t)(h->count - at) * sizeof(*h->blocks));
    h->blocks[at] = fresh;
    h->count++;
}

static void erase(heap *h, int64_t at)
{
    h->count--;
    memmove(&h->blocks[at], &h->blocks[at + 1],
            (size_t)(h->count - at) * sizeof(*h->blocks));
}

static void give_back(heap *h, block freed)
{
    int64_t at = position(h, freed.begin);

    if (at < h->count && h->blocks[at].begin == freed.end) {
        freed.end = h->blocks[at].end;
        erase(h, at);
    }
    if (at > 0 && h->blocks[at - 1].end == freed.begin) {
        freed.begin = h->blocks[--at].begin;
        erase(h, at);
    }
    if (freed.end == h->top)
        h->top = freed.begin;
    else
        insert(h, at, freed);
}

static int64_t take(heap *h, int64_t bytes, int64_t alignment)
{
    int64_t best = -1, slack = INT64_MAX, offset, i;
    block cut;

    for (i = 0; i < h->count; i++) {
        int64_t begin = lpi_round_up(h->blocks[i].begin, alignment);
        int64_t left = h->blocks[i].end - begin - bytes;

        if (left >= 0 && left < slack) {
            best = i;
            slack = left;
        }
    }
    cut = best < 0 ? (block){h->top, INT64_MAX} : h->blocks[best];
    offset = lpi_round_up(cut.begin, alignment);
    if (best < 0) {
        best = h->count;
        h->top = offset + bytes;
    } else {
        erase(h, best);
        insert(h, best, (block){offset + bytes, cut.end});
    }
    insert(h, best, (block){cut.begin, offset});
    if (offset + bytes > h->height)
        h->height = offset + bytes;
    return offset;
}

lp_status lpi_blocks_pack(lpi_arena *scratch, const lpi_layout *layout,
                          int64_t *offsets, int64_t *ret_height,
                          lp_error *error)
{
    const lp_buffer *buffers = layout->buffers;
    int64_t count = layout->count;
    entry *begins = LPI_NEW(scratch, entry, count);
    entry *ends = LPI_NEW(scratch, entry, count);
    heap h = {.blocks = LPI_NEW(scratch, block, lpi_add(lpi_mul(count, 2), 2))};
    int64_t n = 0, done = 0, i;

    if (!begins || !ends || !h.blocks)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++) {
        offsets[i] = 0;
        if (layout->begins[i] == layout->begins[i + 1])
            continue;
        begins[n] = (entry){layout->first[i], buffers[i].bytes, i};
        ends[n++] = (entry){layout->last[i], 0, i};
    }
    qsort(begins, (size_t)n, sizeof(*begins), by_time);
    qsort(ends, (size_t)n, sizeof(*ends), by_time);
    for (i = 0; i < n; i++) {
        int64_t of = begins[i].of;

        for (; done < n && ends[done].time <= begins[i].time; done++) {
            int64_t at = offsets[ends[done].of];

            give_back(&h, (block){at, at + buffers[ends[done].of].bytes});
        }
        offsets[of] = take(&h, buffers[of].bytes, layout->alignments[of]);
    }
    *ret_height = h.height;
    return LP_OK;
}
