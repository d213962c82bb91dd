/* count.c: multiply-adds counted by the loops that do them, in builds for that
 * (configure --enable-counting).  Other builds count none, at no cost. */
#include "kernel.h"

#ifdef LPI_COUNTING
static int64_t done;

void lpi_macs_add(int64_t count)
{
    __atomic_fetch_add(&done, count, __ATOMIC_RELAXED);
}

int64_t lpi_macs_take(void)
{
    return __atomic_exchange_n(&done, 0, __ATOMIC_RELAXED);
}
#else
int64_t lpi_macs_take(void)
{
    return -1;
}
#endif
