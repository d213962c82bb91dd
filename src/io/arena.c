/* arena.c: what lies where in memory 0, and when, as TSV. */
#include "io.h"

typedef struct lying {
    const char *name, *kind, *module;
    int64_t bytes, offset, from, to;
    int64_t runs; /* of the schedule, the same in each row */
} lying;

#define COUNT(field)                                                           \
    {                                                                          \
#field, LPI_CELL_COUNT, offsetof(lying, field), false, NULL            \
    }
#define NAME(field)                                                            \
    {                                                                          \
#field, LPI_CELL_NAME, offsetof(lying, field), true, NULL              \
    }

static const lpi_column columns[] = {
    NAME(name),   NAME(kind),    NAME(module),
    COUNT(bytes), COUNT(offset), COUNT(from),
    COUNT(to),    COUNT(runs),   {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static const char *const kinds[] = {
    [LPI_OF_VALUE] = "value",
    [LPI_OF_TILE] = "tile",
    [LPI_OF_WORKSPACE] = "workspace",
    [LPI_OF_STAGING] = "staging",
};

/* Residency "r" of "program" as a row. */
static lying describe(const lpi_program *program, const lpi_residency *r)
{
    const lp_layer *layer = r->layer    ? r->layer
                            : r->tensor ? r->tensor->producer
                                        : NULL;

    return (lying){.name = r->tensor ? r->tensor->name : layer->name,
                   .kind = kinds[r->kind],
                   .module = layer && layer->module ? layer->module : "",
                   .bytes = r->bytes,
                   .offset = r->offset,
                   .from = r->first,
                   .to = r->last,
                   .runs = program->units_count};
}

static lp_status write_rows(lpi_page *page, const lpi_program *program)
{
    lying *rows = LPI_NEW(page->scratch, lying, program->residencies_count);
    lpi_table table = {.name = "arena",
                       .columns = columns,
                       .all = rows,
                       .size = sizeof(lying)};
    int64_t i;

    if (!rows)
        return lpi_fail_memory(page->error);
    for (i = 0; i < program->residencies_count; i++) {
        const lpi_residency *r = &program->residencies[i];

        if (r->memory == 0 && r->bytes && r->last >= r->first)
            rows[table.all_count++] = describe(program, r);
    }
    LP_TRY(lpi_table_choose(page, &table, false));
    lpi_tsv_table(&page->text, &table);
    return LP_OK;
}

lp_status lp_schedule_arena(const lp_schedule *schedule, char **ret_text,
                            size_t *ret_length, lp_error *error)
{
    lpi_program program;
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, NULL, error));
    status = lpi_program_lower(page.scratch, schedule, &program, NULL, error);
    if (status == LP_OK)
        status = write_rows(&page, &program);
    return lpi_page_close(&page, status, ret_text, ret_length);
}
