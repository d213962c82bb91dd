/* number.c: counts that cannot wrap, and numbers read from text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

int64_t lpi_add(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t lpi_mul(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

int64_t lpi_product(const int64_t *factors, int64_t count)
{
    int64_t product = 1, i;
    bool zero = false;

    for (i = 0; i < count; i++) {
        zero = zero || factors[i] == 0;
        product = lpi_mul(product, factors[i]);
    }
    return zero ? 0 : product;
}

int64_t lpi_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

int64_t lpi_mul_div(int64_t a, int64_t b, int64_t c)
{
    unsigned __int128 product = (unsigned __int128)(uint64_t)a * (uint64_t)b;
    unsigned __int128 result = (product + (uint64_t)c - 1) / (uint64_t)c;

    return result < INT64_MAX ? (int64_t)result : INT64_MAX;
}

bool lpi_parse_int(const char *text, int64_t *ret_value)
{
    long long value;
    char *end;

    if (*text != '-' && *text != '+' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || *end || end == text)
        return false;
    *ret_value = value;
    return true;
}

/* Suffixes of lp_parse_count; a trailing B may follow each. */
static const struct {
    const char *name;
    int64_t factor;
} suffixes[] = {
    {"", 1},
    {"k", 1000},
    {"K", 1000},
    {"M", 1000000},
    {"G", 1000000000},
    {"T", 1000000000000},
    {"Ki", INT64_C(1) << 10},
    {"Mi", INT64_C(1) << 20},
    {"Gi", INT64_C(1) << 30},
    {"Ti", INT64_C(1) << 40},
};

/* The decimal number in the "length" characters at "digits", the same in
 * every locale: "*ret_scaled" times 10 to the power of minus "*ret_places".
 * False when it is none, or has more than 18 digits. */
static bool parse_decimal(const char *digits, size_t length,
                          int64_t *ret_scaled, int32_t *ret_places)
{
    bool point = false;
    size_t count = 0, i;

    *ret_scaled = *ret_places = 0;
    for (i = 0; i < length; i++) {
        if (digits[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (digits[i] == '.' || ++count > 18)
            return false;
        *ret_scaled = *ret_scaled * 10 + (digits[i] - '0');
        *ret_places += point;
    }
    return count > 0;
}

bool lp_parse_count(const char *text, int64_t *ret_value)
{
    size_t length = strspn(text, "0123456789."), i;
    int64_t value;
    int32_t places;

    if (!parse_decimal(text, length, &value, &places))
        return false;
    text += length;
    length = strlen(text);
    if (length && text[length - 1] == 'B')
        length--;
    for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        double real;

        if (strlen(suffixes[i].name) != length ||
            memcmp(suffixes[i].name, text, length) != 0)
            continue;
        if (!places) {
            *ret_value = lpi_mul(value, suffixes[i].factor);
            return *ret_value != INT64_MAX;
        }
        for (real = (double)value; places; places--)
            real /= 10;
        real *= (double)suffixes[i].factor;
        if (!(real < 9.2e18))
            return false;
        *ret_value = (int64_t)real;
        return true;
    }
    return false;
}
