/* casttext.c: casts from numbers to texts and back.
 *
 * A float becomes the fewest digits that read back as the same number, with a
 * point, or with an exponent below 1e-4 and from 1e16 on, as numpy prints it.
 * A text becomes what strtod reads; one that is no number is an error.
 * Source: ONNX operator Cast-28. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../ops.h"

enum { DIGITS_MOST = 64 };

/* "value", which came from "dtype", in "to". */
static void print_float(lp_dtype dtype, double value, char to[DIGITS_MOST])
{
    bool is_single = dtype != LP_FLOAT64;
    int precision = 0, exponent, places;

    if (!isfinite(value)) {
        snprintf(to, DIGITS_MOST, "%s",
                 isnan(value) ? "nan"
                 : value < 0  ? "-inf"
                              : "inf");
        return;
    }
    do
        snprintf(to, DIGITS_MOST, "%.*e", precision, value);
    while ((is_single ? (double)strtof(to, NULL) : strtod(to, NULL)) != value &&
           ++precision < 17);
    exponent = atoi(strchr(to, 'e') + 1);
    if (value != 0 && (exponent < -4 || exponent >= 16))
        return;
    places = precision - exponent;
    snprintf(to, DIGITS_MOST, "%.*f", places < 1 ? 1 : places, value);
}

/* Element "i" of input 0 in "to". */
static void print_element(const lpi_run *run, int64_t i, char to[DIGITS_MOST])
{
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    lpi_class class = lpi_class_of(dtype);
    union {
        float f32;
        double f64;
        int64_t i64;
        uint64_t u64;
    } x;

    lpi_unpack(dtype, run->in[0], i, 1, &x);
    if (class == LPI_F32 || class == LPI_F64)
        print_float(dtype, class == LPI_F32 ? (double)x.f32 : x.f64, to);
    else if (class == LPI_I64)
        snprintf(to, DIGITS_MOST, "%lld", (long long)x.i64);
    else
        snprintf(to, DIGITS_MOST, "%llu", (unsigned long long)x.u64);
}

static lp_status to_texts(const lpi_run *run)
{
    lp_shape shape = lpi_in_shape(run->node, 0);
    int64_t count = lpi_shape_elements(shape);
    const char **texts = LPI_NEW(run->scratch, const char *, count);
    char digits[DIGITS_MOST];

    for (int64_t i = 0; texts != NULL && i < count; i++) {
        print_element(run, i, digits);
        texts[i] = lpi_arena_strdup(run->scratch, digits);
        if (texts[i] == NULL)
            texts = NULL;
    }
    if (texts == NULL)
        return lpi_node_fail_memory(run->node);
    return lpi_run_give(
        run, 0, lpi_bundle_of_texts(run->node->model->arena, shape, texts));
}

/* "text" as element "i" of output 0. */
static lp_status read_element(const lpi_run *run, const char *text, int64_t i)
{
    lp_dtype dtype = lpi_out(run->node, 0)->dtype;
    lpi_class class = lpi_class_of(dtype);
    char *end = (char *)text;
    union {
        float f32;
        double f64;
        int64_t i64;
        uint64_t u64;
    } x;

    if (class == LPI_F32)
        x.f32 = strtof(text, &end);
    else if (class == LPI_F64)
        x.f64 = strtod(text, &end);
    else if (class == LPI_I64)
        x.i64 = strtoll(text, &end, 10);
    else
        x.u64 = strtoull(text, &end, 10);
    if (end == text || *end)
        return lpi_node_fail(run->node, "'%.60s' is no %s", text,
                             lp_dtype_name(dtype));
    lpi_pack(dtype, &x, i, 1, run->out[0]);
    return LP_OK;
}

static lp_status from_texts(const lpi_run *run)
{
    const lpi_bundle *bundle;
    const char **texts;

    LP_TRY(lpi_run_bundle(run, 0, LPI_TENSOR, &bundle));
    if (lpi_out(run->node, 0)->dtype == LP_STRING)
        return lpi_run_give(run, 0, bundle);
    texts = lpi_bundle_texts(run->scratch, bundle);
    if (texts == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < bundle->count; i++)
        LP_TRY(read_element(run, texts[i], i));
    return LP_OK;
}

lp_status lpi_cast_texts_run(const lpi_run *run)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
    lp_status status;

    if (c == (locale_t)0)
        return lpi_node_fail_memory(run->node);
    before = uselocale(c);
    status = lpi_in_dtype(run->node, 0) == LP_STRING ? from_texts(run)
                                                     : to_texts(run);
    uselocale(before);
    freelocale(c);
    return status;
}
