/* lpm_number.c: numbers of the text form, read and printed.
 *
 * The point of a float is a point in every locale: whoever reads or writes a
 * model enters the C locale for the time it takes.  Floats are printed with
 * the fewest digits that read back as the same number, which is exact because
 * strtof, strtod and printf round correctly. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

lp_status lpi_locale_enter(lpi_locale *ret_locale, lp_error *error)
{
    locale_t ours = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (ours == (locale_t)0)
        return lpi_fail_memory(error);
    *ret_locale = (lpi_locale){.ours = ours, .callers = uselocale(ours)};
    return LP_OK;
}

void lpi_locale_leave(lpi_locale locale)
{
    uselocale((locale_t)locale.callers);
    freelocale((locale_t)locale.ours);
}

lp_status lpi_lex_int(lpi_lexer *lexer, const char *what, int64_t least,
                      int64_t most, int64_t *ret_value)
{
    const char *digits = lexer->word.bytes;
    int64_t value;

    if (lexer->sign != LPI_NUMBER)
        return lpi_lex_expected(lexer, what);
    digits += *digits == '-' || *digits == '+';
    if (strspn(digits, "0123456789") != strlen(digits) || !*digits)
        return lpi_lex_expected(lexer, what);
    if (!lpi_parse_int(lexer->word.bytes, &value) || value < least ||
        value > most)
        return lpi_lex_fail(lexer, "%s must be from %lld to %lld, not %.30s",
                            what, (long long)least, (long long)most,
                            lexer->word.bytes);
    LP_TRY(lpi_lex_next(lexer));
    *ret_value = value;
    return LP_OK;
}

lp_status lpi_lex_unsigned(lpi_lexer *lexer, uint64_t *ret_value)
{
    const char *digits = lexer->word.bytes;
    unsigned long long value;

    if (lexer->sign != LPI_NUMBER ||
        strspn(digits, "0123456789") != strlen(digits))
        return lpi_lex_expected(lexer, "a whole number without sign");
    errno = 0;
    value = strtoull(digits, NULL, 10);
    if (errno)
        return lpi_lex_refuse(lexer, "64 bits do not hold");
    LP_TRY(lpi_lex_next(lexer));
    *ret_value = value;
    return LP_OK;
}

bool lpi_lex_is_float(const lpi_lexer *lexer)
{
    if (lexer->sign == LPI_NUMBER)
        return strpbrk(lexer->word.bytes, ".eExXnN");
    return lpi_lex_is_word(lexer, "inf") || lpi_lex_is_word(lexer, "nan");
}

/* Check that all of the word in hand, which ends a parse at "end", is a number
 * and that "value" is infinite only if it says so. */
static lp_status check_float(const lpi_lexer *lexer, const char *end,
                             double value)
{
    if (*end)
        return lpi_lex_expected(lexer, "a number");
    if (isinf(value) && !strpbrk(lexer->word.bytes, "iI"))
        return lpi_lex_refuse(lexer, "out of range is");
    return LP_OK;
}

/* Check that a number is in hand. */
static lp_status check_number(const lpi_lexer *lexer)
{
    return lexer->sign == LPI_NUMBER || lpi_lex_is_float(lexer)
               ? LP_OK
               : lpi_lex_expected(lexer, "a number");
}

lp_status lpi_lex_double(lpi_lexer *lexer, double *ret_value)
{
    double value;
    char *end;

    LP_TRY(check_number(lexer));
    value = strtod(lexer->word.bytes, &end);
    LP_TRY(check_float(lexer, end, value));
    LP_TRY(lpi_lex_next(lexer));
    *ret_value = value;
    return LP_OK;
}

lp_status lpi_lex_float(lpi_lexer *lexer, float *ret_value)
{
    float value;
    char *end;

    LP_TRY(check_number(lexer));
    value = strtof(lexer->word.bytes, &end);
    LP_TRY(check_float(lexer, end, (double)value));
    LP_TRY(lpi_lex_next(lexer));
    *ret_value = value;
    return LP_OK;
}

/* Append the digits of a float; ".0" when they look like a whole number. */
static void put_digits(lpi_text *text, const char *digits)
{
    lpi_text_put(text, digits);
    if (!strpbrk(digits, ".en"))
        lpi_text_put(text, ".0");
}

void lpi_print_double(lpi_text *text, double value)
{
    char digits[40];
    int precision = 15;

    if (isnan(value)) {
        lpi_text_put(text, "nan");
        return;
    }
    do
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
    while (strtod(digits, NULL) != value && ++precision <= 17);
    put_digits(text, digits);
}

void lpi_print_float(lpi_text *text, float value)
{
    char digits[40];
    int precision = 6;

    if (isnan(value)) {
        lpi_text_put(text, "nan");
        return;
    }
    do
        snprintf(digits, sizeof(digits), "%.*g", precision, (double)value);
    while (strtof(digits, NULL) != value && ++precision <= 9);
    put_digits(text, digits);
}
