/* isa.c: the choice of the instruction set, at run time, and what falls to each
 * thread of a team. */
#include <string.h>

#include "kernel.h"

#if defined(__x86_64__)
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq");
}

static bool has(const lpi_isa *isa)
{
    __builtin_cpu_init();
    if (isa == &lpi_isa_avx512vnni)
        return has_avx512() && __builtin_cpu_supports("avx512vnni");
    if (isa == &lpi_isa_avx512)
        return has_avx512();
    if (isa == &lpi_isa_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
}

static const lpi_isa *const sets[] = {&lpi_isa_avx512vnni, &lpi_isa_avx512,
                                      &lpi_isa_avx2, &lpi_isa_generic};
#else
static bool has(const lpi_isa *isa)
{
    return isa != NULL;
}

static const lpi_isa *const sets[] = {&lpi_isa_generic};
#endif

const lpi_isa *lpi_isa_find(const char *name)
{
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (has(sets[i]) && (!name || !strcmp(sets[i]->name, name)))
            return sets[i];
    return NULL;
}

const lpi_isa *lpi_isa_best(void)
{
    return lpi_isa_find(NULL);
}

void lpi_share(int64_t whole, int64_t unit, int32_t i, int32_t count,
               int64_t *ret_from, int64_t *ret_to)
{
    int64_t units = lpi_ceil_div(whole, unit);

    *ret_from = units * i / count * unit;
    *ret_to = units * (i + 1) / count * unit;
    *ret_from = *ret_from < whole ? *ret_from : whole;
    *ret_to = *ret_to < whole ? *ret_to : whole;
}
