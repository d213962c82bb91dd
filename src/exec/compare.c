/* compare.c: whether two arrays hold the same.
 *
 * Dtypes and shapes first.  Then elements, block by block through the class
 * of the dtype: integers and bool exactly, floats within atol + rtol *
 * |wanted|, NaN equal to NaN, infinities to themselves. */
#include <math.h>
#include <string.h>

#include "exec.h"

enum { BLOCK = 1024 };

static const lp_tolerance usual = {.rtol = 1e-3, .atol = 1e-7};

/* Elements of both arrays, as doubles when they are floats. */
typedef struct block {
    double got[BLOCK], wanted[BLOCK];
    int64_t got_ints[BLOCK], wanted_ints[BLOCK];
    char raw[BLOCK * sizeof(double)];
} block;

/* Elements [first, first + count) of "array" into "reals" or "ints". */
static void unpack(const lp_array *array, int64_t first, int64_t count,
                   block *b, double *reals, int64_t *ints)
{
    lpi_class class = lpi_class_of(array->dtype);

    lpi_unpack(array->dtype, array->bytes, first, count, b->raw);
    if (class == LPI_F32 || class == LPI_F64)
        lpi_convert(class, b->raw, LPI_F64, reals, count);
    else
        memcpy(ints, b->raw, (size_t)count * sizeof(*ints));
}

/* The largest finite magnitude of the "count" floats of "array"; 0 for
 * integers. */
static double largest_of(const lp_array *array, int64_t count, block *b)
{
    lpi_class class = lpi_class_of(array->dtype);
    double largest = 0;

    if (class != LPI_F32 && class != LPI_F64)
        return 0;
    for (int64_t i = 0; i < count; i += BLOCK) {
        int64_t part = count - i < BLOCK ? count - i : BLOCK;

        unpack(array, i, part, b, b->wanted, b->wanted_ints);
        for (int64_t k = 0; k < part; k++)
            if (isfinite(b->wanted[k]) && fabs(b->wanted[k]) > largest)
                largest = fabs(b->wanted[k]);
    }
    return largest;
}

/* Note that element "at" differs. */
static void note(lp_difference *difference, int64_t at, double got,
                 double wanted)
{
    if (!difference->count++)
        snprintf(difference->message, sizeof(difference->message),
                 "element %lld is %.9g, not %.9g", (long long)at, got, wanted);
}

/* "slack" is what atol and ltol allow. */
static void compare_reals(const block *b, int64_t first, int64_t count,
                          double rtol, double slack, lp_difference *difference)
{
    for (int64_t i = 0; i < count; i++) {
        double got = b->got[i], wanted = b->wanted[i];
        double gap = fabs(got - wanted);
        if (got == wanted || (isnan(got) && isnan(wanted)))
            continue;
        if (gap > difference->largest)
            difference->largest = gap;
        if (!(gap <= slack + rtol * fabs(wanted)) || isinf(wanted))
            note(difference, first + i, got, wanted);
    }
}

static void compare_ints(const block *b, int64_t first, int64_t count,
                         lp_difference *difference)
{
    for (int64_t i = 0; i < count; i++) {
        double got = (double)b->got_ints[i], wanted = (double)b->wanted_ints[i];

        if (fabs(wanted) > difference->scale)
            difference->scale = fabs(wanted);
        if (b->got_ints[i] == b->wanted_ints[i])
            continue;
        if (fabs(got - wanted) > difference->largest)
            difference->largest = fabs(got - wanted);
        note(difference, first + i, got, wanted);
    }
}

/* Dtype and shape differ: say how. */
static bool same_type(const lp_array *got, const lp_array *wanted,
                      lp_difference *difference)
{
    lpi_text text = {0};
    bool same = got->shape.rank == wanted->shape.rank;

    if (got->dtype != wanted->dtype) {
        snprintf(difference->message, sizeof(difference->message),
                 "is %s, not %s", lp_dtype_name(got->dtype),
                 lp_dtype_name(wanted->dtype));
        return false;
    }
    for (int32_t i = 0; same && i < got->shape.rank; i++)
        same = got->shape.dims[i] == wanted->shape.dims[i];
    if (same)
        return true;
    lpi_text_put(&text, "has the shape ");
    lpi_shape_print(&text, got->shape);
    lpi_text_put(&text, ", not ");
    lpi_shape_print(&text, wanted->shape);
    snprintf(difference->message, sizeof(difference->message), "%s",
             text.failed ? "has another shape" : text.bytes);
    lpi_text_drop(&text);
    return false;
}

static void compare_bytes(const lp_array *got, const lp_array *wanted,
                          lp_difference *difference)
{
    const char *a = got->bytes, *b = wanted->bytes;
    int64_t at = 0;

    if (!memcmp(a, b, (size_t)got->size_bytes))
        return;
    for (int64_t i = got->size_bytes; i--;)
        if (a[i] != b[i]) {
            difference->count++;
            at = i;
        }
    snprintf(difference->message, sizeof(difference->message),
             "%lld bytes differ, the first is byte %lld",
             (long long)difference->count, (long long)at);
}

void lpi_difference_print(const lp_difference *difference, char *text,
                          size_t size)
{
    *text = '\0';
    if (difference->largest > 0)
        snprintf(text, size, " (%lld element%s, by at most %.3g of %.3g)",
                 (long long)difference->count,
                 difference->count == 1 ? " differs" : "s differ",
                 difference->largest, difference->scale);
    else if (difference->count)
        snprintf(text, size, " (%lld element%s)", (long long)difference->count,
                 difference->count == 1 ? " differs" : "s differ");
}

lp_status lp_array_compare(const lp_array *got, const lp_array *wanted,
                           const lp_tolerance *tolerance,
                           lp_difference *ret_difference, lp_error *error)
{
    lpi_class class = lpi_class_of(wanted->dtype);
    int64_t count = lpi_shape_elements(wanted->shape), i;
    lp_difference difference = {0};
    double slack;
    block *b;

    if (!tolerance)
        tolerance = &usual;
    if (lpi_array_is_bundle(got) || lpi_array_is_bundle(wanted))
        return lpi_bundles_compare(got, wanted, tolerance, ret_difference,
                                   error);
    if (!same_type(got, wanted, &difference)) {
        difference.count = 1;
    } else if (tolerance->bytes || class == LPI_NO_CLASS) {
        compare_bytes(got, wanted, &difference);
    } else {
        b = lpi_alloc(sizeof(*b));
        if (!b)
            return lpi_fail_memory(error);
        difference.scale = largest_of(wanted, count, b);
        slack = tolerance->atol + tolerance->ltol * difference.scale;
        for (i = 0; i < count; i += BLOCK) {
            int64_t part = count - i < BLOCK ? count - i : BLOCK;

            unpack(got, i, part, b, b->got, b->got_ints);
            unpack(wanted, i, part, b, b->wanted, b->wanted_ints);
            if (class == LPI_F32 || class == LPI_F64)
                compare_reals(b, i, part, tolerance->rtol, slack, &difference);
            else
                compare_ints(b, i, part, &difference);
        }
        lpi_free(b);
    }
    difference.same = !difference.count;
    *ret_difference = difference;
    return LP_OK;
}

void lpi_distance_add(lpi_distances *sums, const lp_array *got,
                      const lp_array *wanted)
{
    lpi_class class = lpi_class_of(got->dtype);
    int64_t count = lpi_shape_elements(got->shape);
    block b;

    if (class != LPI_F32 && class != LPI_F64)
        return;
    for (int64_t i = 0; i < count; i += BLOCK) {
        int64_t part = count - i < BLOCK ? count - i : BLOCK;

        unpack(got, i, part, &b, b.got, b.got_ints);
        unpack(wanted, i, part, &b, b.wanted, b.wanted_ints);
        for (int64_t k = 0; k < part; k++) {
            double difference = fabs(b.got[k] - b.wanted[k]);

            if (!(difference <= sums->largest))
                sums->largest = difference;
            sums->difference_squares += difference * difference;
            sums->got_squares += b.got[k] * b.got[k];
            sums->wanted_squares += b.wanted[k] * b.wanted[k];
            sums->products += b.got[k] * b.wanted[k];
        }
    }
}

lp_distance lpi_distance_of(const lpi_distances *sums)
{
    return (lp_distance){
        .largest = sums->largest,
        .snr_db = 10 * log10(sums->wanted_squares / sums->difference_squares),
        .cosine = sums->products /
                  (sqrt(sums->got_squares) * sqrt(sums->wanted_squares)),
    };
}
