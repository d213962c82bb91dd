/* loads.c: bytes resident in memory 0 at each unit, tiles and all. */
#include "plan.h"

int64_t *lpi_loads_find(lpi_arena *arena, const lpi_program *program)
{
    int64_t *loads = LPI_NEW(arena, int64_t, program->units_count + 2), i;

    if (!loads)
        return NULL;
    for (i = 0; i < program->residencies_count; i++)
        if (program->residencies[i].memory == 0) {
            loads[program->residencies[i].first] +=
                program->residencies[i].bytes;
            loads[program->residencies[i].last + 1] -=
                program->residencies[i].bytes;
        }
    for (i = 1; i <= program->units_count; i++)
        loads[i] += loads[i - 1];
    return loads;
}
