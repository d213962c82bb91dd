/* held.c: tensors that are held: those of the peak, and those that wait.
 *
 * Both are lists of storages, ranked by a key that falls and then by the order
 * in which the storages appear, so that the lists are the same everywhere. */
#include <stdlib.h>

#include "cost.h"

/* A wait is a skip when it spans one layer in this many, and at least so many
 * steps: longer than the longest residual of a block, shorter than the
 * innermost skip of a U-Net. */
enum { SKIP_SHARE = 20, SKIP_LEAST = 5 };

typedef struct ranked {
    int64_t key, order;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? 1 : -1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* "storage" as a report shows it, held from "from" to "to" for "consumer". */
static lp_held held(const lpi_storage *storage, int64_t from, int64_t to,
                    const lp_layer *consumer)
{
    const lp_layer *producer = storage->root->producer;

    return (lp_held){
        .tensor = storage->root->name,
        .producer = producer ? producer->name : "",
        .consumer = consumer ? consumer->name : "",
        .shape = storage->root->shape,
        .dtype = storage->root->dtype,
        .bytes = storage->bytes,
        .from = from,
        .to = to,
    };
}

/* The workspace at the peak, which belongs to no tensor. */
static lp_held held_workspace(const lpi_lives *lives)
{
    const char *name = lives->layers[lives->peak_step]->name;

    return (lp_held){
        .tensor = "(workspace)",
        .producer = name,
        .consumer = name,
        .shape = lpi_shape_unknown,
        .bytes = lives->peak_workspace_bytes,
        .from = lives->peak_step,
        .to = lives->peak_step,
    };
}

/* Sort "ranks", and make room for as many entries in "arena". */
static lp_status sort_ranks(lpi_arena *arena, ranked *ranks, int64_t count,
                            lp_held **ret_list, lp_error *error)
{
    *ret_list = LPI_NEW(arena, lp_held, count);
    if (!*ret_list)
        return lpi_fail_memory(error);
    qsort(ranks, (size_t)count, sizeof(*ranks), compare_ranked);
    return LP_OK;
}

lp_status lpi_peak_list(lpi_arena *arena, const lpi_lives *lives,
                        lp_report *report, lp_error *error)
{
    ranked *ranks = LPI_NEW(lives->scratch, ranked, lives->count + 1);
    int64_t step = lives->peak_step, count = 0, i;
    lp_held *list;

    if (!ranks)
        return lpi_fail_memory(error);
    for (i = 0; i < lives->count && step >= 0; i++)
        if (lives->storages[i].first <= step &&
            lives->storages[i].last >= step && lives->storages[i].bytes)
            ranks[count++] = (ranked){lives->storages[i].bytes, i};
    if (lives->peak_workspace_bytes)
        ranks[count++] = (ranked){lives->peak_workspace_bytes, lives->count};
    LP_TRY(sort_ranks(arena, ranks, count, &list, error));
    for (i = 0; i < count; i++) {
        const lpi_storage *storage = &lives->storages[ranks[i].order];

        list[i] =
            ranks[i].order == lives->count
                ? held_workspace(lives)
                : held(storage, storage->first, storage->last, storage->reader);
    }
    report->peak = list;
    report->peak_count = count;
    return LP_OK;
}

lp_status lpi_skip_list(lpi_arena *arena, const lpi_lives *lives,
                        int64_t distance, lp_report *report, lp_error *error)
{
    ranked *ranks = LPI_NEW(lives->scratch, ranked, lives->count);
    int64_t count = 0, i;
    lp_held *list;

    if (!ranks)
        return lpi_fail_memory(error);
    if (distance <= 0) {
        distance = lpi_ceil_div(lives->steps, SKIP_SHARE);
        if (distance < SKIP_LEAST)
            distance = SKIP_LEAST;
    }
    for (i = 0; i < lives->count; i++) {
        const lpi_storage *storage = &lives->storages[i];
        int64_t wait = storage->to - storage->from;

        if (wait >= distance && storage->bytes)
            ranks[count++] = (ranked){lpi_mul(storage->bytes, wait), i};
    }
    LP_TRY(sort_ranks(arena, ranks, count, &list, error));
    for (i = 0; i < count; i++) {
        const lpi_storage *storage = &lives->storages[ranks[i].order];

        list[i] = held(storage, storage->from, storage->to, storage->waiter);
    }
    report->skips = list;
    report->skips_count = count;
    return LP_OK;
}
