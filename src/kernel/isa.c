/* isa.c: the choice of the instruction set, at run time. */
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
