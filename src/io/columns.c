/* columns.c: the tables of a report.
 *
 * A table is an array of structs and a list of columns, each a field or a
 * function of one; every format walks the same columns, so that names, order
 * and numbers agree between them. */
#include <stddef.h>

#include "io.h"

const char *lpi_row_status_name(lp_row_status status)
{
    static const char *const names[] = {"exact", "estimated", "unknown",
                                        "folded"};

    return (unsigned)status < 4 ? names[status] : "unknown";
}

double lpi_coverage(const lp_report *report)
{
    if (report->layers <= 0)
        return 1;
    return (double)(lpi_mul(report->known, 1000000) / report->layers) / 1e6;
}

static lpi_cell count_cell(int64_t count)
{
    return (lpi_cell){.kind = LPI_CELL_COUNT, .count = count};
}

static lpi_cell name_cell(const char *name)
{
    return (lpi_cell){.kind = LPI_CELL_NAME, .name = name};
}

static const char *dtype_name(lp_dtype dtype)
{
    return dtype == LP_UNDEFINED ? NULL : lp_dtype_name(dtype);
}

static lpi_cell get_shape(const void *field)
{
    const lp_row *row = field;

    return (lpi_cell){
        .kind = LPI_CELL_SHAPE,
        .shape = row->outputs_count ? row->outputs[0].shape : lpi_shape_unknown,
    };
}

static lpi_cell get_dtype(const void *field)
{
    const lp_row *row = field;

    return name_cell(row->outputs_count ? dtype_name(row->outputs[0].dtype)
                                        : NULL);
}

static lpi_cell get_status(const void *field)
{
    return name_cell(lpi_row_status_name(*(const lp_row_status *)field));
}

static lpi_cell get_macs(const void *field)
{
    return count_cell(lp_cost_macs(field));
}

static lpi_cell get_flops(const void *field)
{
    return count_cell(lp_cost_flops(field));
}

static lpi_cell get_intensity(const void *field)
{
    const lp_cost *cost = field;
    int64_t moved = lpi_add(cost->read_bytes, cost->write_bytes);
    double flops = (double)lp_cost_flops(cost);

    return (lpi_cell){.kind = LPI_CELL_REAL,
                      .real = moved ? flops / (double)moved : 0};
}

static lpi_cell get_depth(const void *field)
{
    return count_cell(*(const int32_t *)field);
}

static lpi_cell get_held_dtype(const void *field)
{
    return name_cell(dtype_name(*(const lp_dtype *)field));
}

static lpi_cell get_distance(const void *field)
{
    const lp_held *held = field;

    return count_cell(held->to - held->from);
}

static lpi_cell get_byte_layers(const void *field)
{
    const lp_held *held = field;

    return count_cell(lpi_mul(held->bytes, held->to - held->from));
}

static lpi_cell get_coverage(const void *field)
{
    return (lpi_cell){.kind = LPI_CELL_REAL, .real = lpi_coverage(field)};
}

#define COUNT(type, field, name)                                               \
    {                                                                          \
        name, LPI_CELL_COUNT, offsetof(type, field), false, NULL               \
    }
#define NAME(type, field, name)                                                \
    {                                                                          \
        name, LPI_CELL_NAME, offsetof(type, field), true, NULL                 \
    }
#define COST(type, field)                                                      \
    COUNT(type, field.params, "params"),                                       \
        COUNT(type, field.weight_bytes, "weight_bytes"),                       \
        {"macs", LPI_CELL_COUNT, offsetof(type, field), false, get_macs},      \
        COUNT(type, field.macs_conv, "macs_conv"),                             \
        COUNT(type, field.macs_linear, "macs_linear"),                         \
        COUNT(type, field.macs_attention, "macs_attention"),                   \
    {                                                                          \
        "flops", LPI_CELL_COUNT, offsetof(type, field), false, get_flops       \
    }
#define MOVED(type, field)                                                     \
    COUNT(type, field.read_bytes, "read_bytes"),                               \
        COUNT(type, field.write_bytes, "write_bytes")

static const lpi_column layer_columns[] = {
    COUNT(lp_row, index, "index"),
    NAME(lp_row, name, "name"),
    NAME(lp_row, op, "op"),
    NAME(lp_row, module, "module"),
    {"out_shape", LPI_CELL_SHAPE, 0, false, get_shape},
    {"dtype", LPI_CELL_NAME, 0, false, get_dtype},
    COST(lp_row, cost),
    MOVED(lp_row, cost),
    COUNT(lp_row, live_bytes, "live_bytes"),
    {"intensity", LPI_CELL_REAL, offsetof(lp_row, cost), false, get_intensity},
    {"status", LPI_CELL_NAME, offsetof(lp_row, status), false, get_status},
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static const lpi_column module_columns[] = {
    NAME(lp_module_row, path, "path"),
    {"depth", LPI_CELL_COUNT, offsetof(lp_module_row, depth), false, get_depth},
    COUNT(lp_module_row, layers, "layers"),
    COST(lp_module_row, cost),
    MOVED(lp_module_row, cost),
    COUNT(lp_module_row, live_peak_bytes, "live_peak_bytes"),
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static const lpi_column held_columns[] = {
    NAME(lp_held, tensor, "tensor"),
    NAME(lp_held, producer, "producer"),
    NAME(lp_held, consumer, "consumer"),
    {"shape", LPI_CELL_SHAPE, offsetof(lp_held, shape), false, NULL},
    {"dtype", LPI_CELL_NAME, offsetof(lp_held, dtype), false, get_held_dtype},
    COUNT(lp_held, bytes, "bytes"),
    COUNT(lp_held, from, "from"),
    COUNT(lp_held, to, "to"),
    {"distance", LPI_CELL_COUNT, 0, false, get_distance},
    {"byte_layers", LPI_CELL_COUNT, 0, false, get_byte_layers},
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

static const lpi_column convention_columns[] = {
    NAME(lp_convention, name, "name"),
    NAME(lp_convention, unit, "unit"),
    COUNT(lp_convention, value, "value"),
    NAME(lp_convention, counts, "counts"),
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

const lpi_column lpi_total_columns[] = {
    NAME(lp_report, model, "model"),
    COUNT(lp_report, layers, "layers"),
    COST(lp_report, total),
    COUNT(lp_report, live_peak_bytes, "live_peak_bytes"),
    NAME(lp_report, peak_layer, "peak_layer"),
    {"coverage", LPI_CELL_REAL, 0, false, get_coverage},
    {NULL, LPI_CELL_NAME, 0, false, NULL},
};

lpi_cell lpi_cell_get(const lpi_column *column, const void *row)
{
    const void *field = (const char *)row + column->offset;

    if (column->get)
        return column->get(field);
    switch (column->kind) {
    case LPI_CELL_COUNT:
        return count_cell(*(const int64_t *)field);
    case LPI_CELL_NAME:
        return name_cell(*(const char *const *)field);
    case LPI_CELL_SHAPE:
        return (lpi_cell){.kind = LPI_CELL_SHAPE,
                          .shape = *(const lp_shape *)field};
    case LPI_CELL_REAL:
        break;
    }
    return (lpi_cell){.kind = LPI_CELL_REAL, .real = *(const double *)field};
}

/* "table" over "count" structs of "type" at "at". */
#define OVER(key, list, at, count, type)                                       \
    (lpi_table)                                                                \
    {                                                                          \
        .name = (key), .columns = (list), .all = (at), .all_count = (count),   \
        .size = sizeof(type)                                                   \
    }

static lp_status modules_table(lpi_page *page, const lp_report *report,
                               lpi_table *ret_table)
{
    const lp_module_row *rows = report->modules;
    int64_t count = report->modules_count;

    if (page->view.depth || page->view.format != LP_FORMAT_JSON)
        LP_TRY(lpi_modules_at(page, report, page->view.depth, &rows, &count));
    *ret_table = OVER("modules", module_columns, rows, count, lp_module_row);
    return LP_OK;
}

lp_status lpi_table_of(lpi_page *page, const lp_report *report, lp_table which,
                       lpi_table *ret_table)
{
    lp_table asked = page->view.table;
    lpi_table table;

    switch (which) {
    case LP_TABLE_MODULES:
        LP_TRY(modules_table(page, report, &table));
        break;
    case LP_TABLE_SKIPS:
        table = OVER("skips", held_columns, report->skips, report->skips_count,
                     lp_held);
        break;
    case LP_TABLE_PEAK:
        table = OVER("peak", held_columns, report->peak, report->peak_count,
                     lp_held);
        break;
    case LP_TABLE_CONVENTIONS:
        table = OVER("conventions", convention_columns, report->conventions,
                     report->conventions_count, lp_convention);
        break;
    default:
        table = OVER("layers", layer_columns, report->rows, report->rows_count,
                     lp_row);
        table.is_layers = true;
    }
    LP_TRY(lpi_table_choose(page, &table,
                            asked == which ||
                                (asked == LP_TABLE_ALL && table.is_layers)));
    *ret_table = table;
    return LP_OK;
}
