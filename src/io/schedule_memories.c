/* schedule_memories.c: the sections that say which memories there are, and in
 * which of them weights live. */
#include <string.h>

#include "io.h"

static const lpi_field memory_fields[] = {
    LPI_FIELD(lp_memory, name, "name", TEXT, true),
    LPI_FIELD(lp_memory, capacity_bytes, "capacity_bytes", INT, false),
    LPI_FIELD(lp_memory, alignment, "alignment", INT, true),
    {.key = NULL},
};

static lp_status read_list(lpi_reader *r, const lpi_yaml *node)
{
    lp_schedule *s = r->schedule;
    void *list;
    int64_t i, j;

    LP_TRY(lpi_records_read(r, node, LPI_RECORDS(lp_memory, memory_fields),
                            &list, &s->memories_count));
    s->memories = list;
    if (s->memories_count < 1 || s->memories_count > 64)
        return lpi_yaml_fail(r->name, node->line, r->error,
                             "memories: from 1 to 64 are expected");
    for (i = 0; i < s->memories_count; i++) {
        const lp_memory *m = &s->memories[i];

        if (m->capacity_bytes < 0 || m->alignment < 1 ||
            m->alignment > 1 << 30 || (m->alignment & (m->alignment - 1)))
            return lpi_yaml_fail(r->name, m->line, r->error,
                                 "memories: capacity below zero, or alignment "
                                 "that is no power of two up to 2^30");
        for (j = 0; j < i; j++)
            if (!strcmp(s->memories[j].name, m->name))
                return lpi_yaml_fail(r->name, m->line, r->error,
                                     "memories: '%.200s' stands there twice",
                                     m->name);
    }
    return LP_OK;
}

lp_status lpi_memories_read(lpi_reader *reader, const lpi_yaml *node,
                            const lpi_yaml *weights)
{
    const lpi_field field = {.key = "weights", .kind = LPI_FIELD_MEMORY};

    LP_TRY(read_list(reader, node));
    return weights ? lpi_field_read(reader, weights, &field,
                                    &reader->schedule->weights_memory)
                   : LP_OK;
}
