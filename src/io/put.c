/* put.c: numbers and names as people and programs read them.
 *
 * No function here asks the locale: fractions are rounded to an integer of
 * decimals first and printed digit by digit.  Counts have decimal units (k, M,
 * G), memory binary ones (KiB, MiB, GiB). */
#include <math.h>
#include <string.h>

#include "io.h"

enum { DIGITS = 24 };

static const double powers[] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
                                1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

static const char *const count_units[] = {"",   " k", " M", " G",
                                          " T", " P", " E"};
static const char *const byte_units[] = {" B",   " KiB", " MiB", " GiB",
                                         " TiB", " PiB", " EiB"};

/* Write "value" backwards from "end"; returns where it begins. */
static char *digits_before(char *end, uint64_t value)
{
    do
        *--end = (char)('0' + value % 10);
    while (value /= 10);
    return end;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

void lpi_put_int(lpi_text *text, int64_t value)
{
    char digits[DIGITS], *end = digits + DIGITS;
    char *begin = digits_before(end, magnitude(value));

    if (value < 0)
        *--begin = '-';
    lpi_text_append(text, begin, (size_t)(end - begin));
}

void lpi_put_thousands(lpi_text *text, int64_t value)
{
    char digits[DIGITS], *end = digits + DIGITS;
    char *at = digits_before(end, magnitude(value));

    if (value < 0)
        lpi_text_put(text, "-");
    while (at < end) {
        size_t length = (size_t)((end - at - 1) % 3 + 1);

        lpi_text_append(text, at, length);
        at += length;
        if (at < end)
            lpi_text_put(text, ",");
    }
}

/* "value" rounded to "decimals" (at most 12); "trim" drops zeros at the end of
 * the fraction. */
static void put_decimal(lpi_text *text, double value, int32_t decimals,
                        bool trim)
{
    double scaled = floor(fabs(value) * powers[decimals] + 0.5);
    uint64_t whole = scaled < 9e18 ? (uint64_t)scaled : UINT64_MAX / 2;
    char digits[DIGITS * 2], *end = digits + sizeof(digits);
    char *begin = digits_before(end, whole);

    while (end - begin <= decimals)
        *--begin = '0';
    if (value < 0 && whole)
        lpi_text_put(text, "-");
    lpi_text_append(text, begin, (size_t)(end - begin - decimals));
    begin = end - decimals;
    while (trim && end > begin && end[-1] == '0')
        end--;
    if (end > begin)
        lpi_text_put(text, ".");
    lpi_text_append(text, begin, (size_t)(end - begin));
}

void lpi_put_fixed(lpi_text *text, double value, int32_t decimals)
{
    put_decimal(text, value, decimals, false);
}

void lpi_put_real(lpi_text *text, double value)
{
    int32_t decimals = 0;

    while (decimals + 1 < LPI_COUNT(powers) &&
           fabs(value) * powers[decimals] < 99999.5)
        decimals++;
    put_decimal(text, value, decimals, true);
}

/* "value" in the first of seven "units", each "step" times the one before, in
 * which it has at most three digits before the point (four in the first). */
static void put_scaled(lpi_text *text, int64_t value, double step,
                       const char *const *units)
{
    double scaled = (double)value;
    int32_t unit = 0;

    while (unit < 6 && fabs(scaled) >= (unit ? 999.95 : step)) {
        scaled /= step;
        unit++;
    }
    put_decimal(text, scaled, !unit ? 0 : fabs(scaled) < 9.995 ? 2 : 1, false);
    lpi_text_put(text, units[unit]);
}

void lpi_put_count(lpi_text *text, int64_t value)
{
    put_scaled(text, value, 1000, count_units);
}

void lpi_put_bytes(lpi_text *text, int64_t value)
{
    put_scaled(text, value, 1024, byte_units);
}

/* Length of the part of "string" that stands for itself in every format. */
static size_t plain_length(const char *string)
{
    size_t length = 0;

    while (string[length] >= 0x20 && string[length] < 0x7f &&
           string[length] != '\\')
        length++;
    return length;
}

void lpi_put_name(lpi_text *text, const char *name)
{
    size_t plain;

    if (!name)
        name = "?";
    plain = plain_length(name);
    lpi_text_append(text, name, plain);
    if (name[plain])
        lpi_text_escape(text, name + plain);
}

void lpi_put_repeated(lpi_text *text, const char *string, int64_t times)
{
    size_t length = strlen(string);

    for (; times > 0; times--)
        lpi_text_append(text, string, length);
}

void lpi_put_bar(lpi_text *text, double part, double whole, int32_t width)
{
    static const char *const eighths[] = {"",  "▏", "▎", "▍",
                                          "▌", "▋", "▊", "▉"};
    int64_t filled;

    if (!(whole > 0) || !(part > 0))
        return;
    filled = (int64_t)(fmin(part / whole, 1) * width * 8 + 0.5);
    lpi_put_repeated(text, "█", filled / 8);
    lpi_text_put(text, eighths[filled % 8]);
}
