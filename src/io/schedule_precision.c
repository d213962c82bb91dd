/* schedule_precision.c: the section that says how tensors are stored. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

/* An entry as it stands in the file. */
typedef struct entry {
    lp_line line;
    const lp_tensor *tensor;
    lp_dtype dtype, assumed;
    int64_t axis;
    const lpi_yaml *scales, *zero_points;
    const char *file;
} entry;

#define AT(member) .offset = offsetof(entry, member)

static const lpi_field fields[] = {
    {.key = "tensor", .kind = LPI_FIELD_TENSOR, AT(tensor), .required = true},
    {.key = "dtype", .kind = LPI_FIELD_DTYPE, AT(dtype)},
    {.key = "assume", .kind = LPI_FIELD_DTYPE, AT(assumed)},
    {.key = "axis", .kind = LPI_FIELD_INT, AT(axis)},
    {.key = "scales", .kind = LPI_FIELD_NODE, AT(scales)},
    {.key = "zero_points", .kind = LPI_FIELD_NODE, AT(zero_points)},
    {.key = "file", .kind = LPI_FIELD_TEXT, AT(file)},
    {.key = NULL},
};

static lp_status read_scales(lpi_reader *reader, const lpi_yaml *node,
                             lpi_precision *to)
{
    double *scales;
    int64_t i;

    LP_TRY(lpi_node_list(reader, node, "scales"));
    scales = LPI_NEW(reader->schedule->arena, double, node->count);
    if (!scales)
        return lpi_fail_memory(reader->error);
    for (i = 0; i < node->count; i++) {
        const lpi_yaml *item = &node->items[i];
        lpi_locale locale;
        char *end = NULL;

        LP_TRY(lpi_locale_enter(&locale, reader->error));
        if (item->kind == LPI_YAML_TEXT)
            scales[i] = strtod(item->text, &end);
        lpi_locale_leave(locale);
        if (!end || end == item->text || *end || !isfinite((float)scales[i]) ||
            (float)scales[i] <= 0)
            return lpi_yaml_fail(reader->name, item->line, reader->error,
                                 "a scale is a float32 above zero");
    }
    to->scales = scales;
    to->scales_count = node->count;
    return LP_OK;
}

static lp_status read_zeros(lpi_reader *reader, const lpi_yaml *node,
                            lpi_precision *to)
{
    int64_t *zeros, i;

    LP_TRY(lpi_node_list(reader, node, "zero_points"));
    zeros = LPI_NEW(reader->schedule->arena, int64_t, node->count);
    if (!zeros)
        return lpi_fail_memory(reader->error);
    for (i = 0; i < node->count; i++)
        LP_TRY(lpi_node_int(reader, &node->items[i], "zero_points", &zeros[i]));
    to->zero_points = zeros;
    to->zero_points_count = node->count;
    return LP_OK;
}

/* Whether integer "value" is one of "dtype". */
static bool fits(lp_dtype dtype, int64_t value)
{
    bool is_signed = lpi_dtype_is_signed(dtype);
    int32_t bits = lp_dtype_bits(dtype) - is_signed;
    int64_t most = bits < 63 ? ((int64_t)1 << bits) - 1 : INT64_MAX;

    return value <= most && value >= (is_signed ? -most - 1 : 0);
}

/* Scales fit the tensor: one, or one a channel of "axis". */
static const char *why_not(const entry *e, const lpi_precision *p)
{
    int64_t wanted = 1, i;

    if ((e->dtype != 0) == (e->assumed != 0))
        return "either 'dtype' or 'assume' is given";
    if (e->assumed && (e->scales || e->zero_points || e->file || e->axis >= 0))
        return "an assumed width has no scales";
    if (e->axis < -1 || e->axis >= p->tensor->shape.rank)
        return "'axis' is none of the tensor";
    if (e->axis >= 0)
        wanted = p->tensor->shape.dims[e->axis];
    if (e->scales && (e->file || p->scales_count != wanted))
        return "scales are as many as there are channels, or in 'file'";
    if (p->zero_points_count &&
        (p->zero_points_count != wanted || (!e->scales && !e->file) ||
         !lpi_dtype_is_integer(p->dtype)))
        return "zero points are integers, as many as the scales";
    for (i = 0; i < p->zero_points_count; i++)
        if (!fits(p->dtype, p->zero_points[i]))
            return "a zero point is no value of the dtype";
    return NULL;
}

lp_status lpi_precision_read(lpi_reader *reader, const lpi_yaml *node)
{
    lpi_precision *list;
    int64_t i;

    LP_TRY(lpi_node_list(reader, node, "precision"));
    list = LPI_NEW(reader->schedule->arena, lpi_precision, node->count);
    if (!list)
        return lpi_fail_memory(reader->error);
    for (i = 0; i < node->count; i++) {
        entry e = {.axis = -1};
        const char *why;

        LP_TRY(lpi_record_read(reader, &node->items[i], fields, &e));
        list[i] = (lpi_precision){
            .tensor = e.tensor,
            .dtype = e.dtype ? e.dtype : e.assumed,
            .is_assumed = e.assumed != 0,
            .axis = (int32_t)(e.axis > INT32_MAX ? INT32_MAX : e.axis),
            .file = e.file,
            .line = (lp_line)node->items[i].line};
        if (e.scales)
            LP_TRY(read_scales(reader, e.scales, &list[i]));
        if (e.zero_points)
            LP_TRY(read_zeros(reader, e.zero_points, &list[i]));
        why = why_not(&e, &list[i]);
        if (why)
            return lpi_yaml_fail(reader->name, node->items[i].line,
                                 reader->error, "precision: %s", why);
    }
    return lpi_schedule_set_widths(reader->schedule, list, node->count,
                                   reader->error);
}

lp_status lpi_precision_write(const lp_schedule *schedule, lpi_text *text,
                              lp_error *error)
{
    int64_t i, j;

    lpi_text_put(text, schedule->precisions_count ? "precision:\n" : "");
    for (i = 0; i < schedule->precisions_count; i++) {
        const lpi_precision *p = &schedule->precisions[i];
        lpi_locale locale;

        LP_TRY(lpi_locale_enter(&locale, error));
        lpi_text_put(text, "  - {tensor: ");
        lpi_put_scalar(text, p->tensor->name);
        lpi_text_printf(text, ", %s: %s", p->is_assumed ? "assume" : "dtype",
                        lp_dtype_name(p->dtype));
        if (p->axis >= 0)
            lpi_text_printf(text, ", axis: %d", (int)p->axis);
        for (j = 0; j < (p->file ? 0 : p->scales_count); j++)
            lpi_text_printf(text, "%s%.17g", j ? ", " : ", scales: [",
                            p->scales[j]);
        lpi_text_put(text, j ? "]" : "");
        for (j = 0; j < p->zero_points_count; j++)
            lpi_text_printf(text, "%s%lld", j ? ", " : ", zero_points: [",
                            (long long)p->zero_points[j]);
        lpi_text_put(text, p->zero_points_count ? "]" : "");
        if (p->file) {
            lpi_text_put(text, ", file: ");
            lpi_put_scalar(text, p->file);
        }
        lpi_text_put(text, "}\n");
        lpi_locale_leave(locale);
    }
    return LP_OK;
}
