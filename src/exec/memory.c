/* memory.c: a memory of exactly so many bytes, between pages that fault.
 *
 * The last byte lies right before the guard page behind (up to the alignment:
 * the slack holds a pattern that is checked), so that one byte too many stops
 * the process instead of spoiling a neighbour. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec.h"

enum { POISON = 0xff };

lp_status lpi_region_map(int64_t size, int64_t alignment,
                         lpi_region *ret_region, lp_error *error)
{
    int64_t page = sysconf(_SC_PAGESIZE), aligned, whole;
    lpi_region region = {.size = size};

    if (alignment > page)
        alignment = page;
    aligned = lpi_mul(lpi_ceil_div(size, alignment), alignment);
    whole = lpi_add(lpi_mul(lpi_ceil_div(aligned, page), page), 2 * page);
    if (whole >= INT64_MAX - page)
        return lpi_fail_memory(error);
    region.mapped = (size_t)whole;
    region.mapping = mmap(NULL, region.mapped, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region.mapping == MAP_FAILED)
        return lpi_fail(error, LP_ENOMEM, NULL,
                        "an arena of %lld bytes cannot be mapped",
                        (long long)size);
    if (whole > 2 * page &&
        mprotect(region.mapping + page, region.mapped - 2 * (size_t)page,
                 PROT_READ | PROT_WRITE) != 0) {
        munmap(region.mapping, region.mapped);
        return lpi_fail(error, LP_ENOMEM, NULL,
                        "an arena of %lld bytes cannot be mapped",
                        (long long)size);
    }
    (void)madvise(region.mapping, region.mapped, MADV_HUGEPAGE);
    region.base = region.mapping + whole - page - aligned;
    region.slack = aligned - size;
    memset(region.base + size, POISON, (size_t)region.slack);
    *ret_region = region;
    return LP_OK;
}

bool lpi_region_whole(const lpi_region *region)
{
    for (int64_t i = 0; i < region->slack; i++)
        if ((uint8_t)region->base[region->size + i] != POISON)
            return false;
    return true;
}

void lpi_region_unmap(lpi_region *region)
{
    if (region->mapping)
        munmap(region->mapping, region->mapped);
    *region = (lpi_region){0};
}

void lpi_poison(void *bytes, int64_t count)
{
    memset(bytes, POISON, (size_t)count);
}
