/* alloc.c: the one door to the heap, which tests can close at any call. */
#include <stdlib.h>
#include <sys/mman.h>

#include "base.h"

/* A large page of most machines. */
enum { LARGE_PAGE = 2 << 20 };

static int64_t fail_at;

static bool refused(void)
{
    return fail_at > 0 && --fail_at == 0;
}

int64_t lpi_alloc_fail_at(int64_t n)
{
    int64_t left = fail_at;

    fail_at = n;
    return left;
}

void *lpi_alloc(size_t size)
{
    return refused() ? NULL : malloc(size ? size : 1);
}

void *lpi_alloc_large(size_t size)
{
    size_t rounded = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *block;

    if (refused() || rounded < size)
        return NULL;
    block = aligned_alloc(LARGE_PAGE, rounded);
    if (block)
        (void)madvise(block, rounded, MADV_HUGEPAGE);
    return block;
}

void *lpi_realloc(void *old, size_t size)
{
    return refused() ? NULL : realloc(old, size ? size : 1);
}

void lpi_free(void *block)
{
    free(block);
}
