/* regexclass.c: characters and classes of regular expressions.
 *
 * A class is a list of ranges of code points; classes by letter or name are of
 * ASCII, as in RE2.  Source: RE2's doc/syntax.txt. */
#include <string.h>

#include "../ops.h"

lp_status lpi_regex_fail(const lpi_regex *r, const char *why)
{
    return lpi_node_fail(r->node, "pattern: %s at '%.40s'", why, r->at);
}

uint32_t lpi_next_char(const char **at)
{
    const uint8_t *bytes = (const uint8_t *)*at;
    static const uint8_t masks[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    int32_t length = bytes[0] < 0xc0   ? 1
                     : bytes[0] < 0xe0 ? 2
                     : bytes[0] < 0xf0 ? 3
                                       : 4;
    uint32_t value = bytes[0] & (length == 1 ? 0xff : masks[length]);

    for (int32_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            (*at)++;
            return bytes[0];
        }
        value = value << 6 | (bytes[i] & 0x3f);
    }
    *at += length;
    return value;
}

lp_status lpi_regex_range(lpi_regex *r, uint32_t from, uint32_t to)
{
    if (!LPI_GROW(r->arena, r->ranges, r->ranges_count, r->ranges_room))
        return lpi_node_fail_memory(r->node);
    r->ranges[r->ranges_count++] = (lpi_char_range){from, to};
    return LP_OK;
}

/* Pairs of first and last characters, ascending, of the classes by name. */
static const struct {
    const char *name, *pairs;
} classes[] = {
    {"d", "09"},           {"w", "09AZ__az"},
    {"s", "\t\n\f\r  "},   {"alnum", "09AZaz"},
    {"alpha", "AZaz"},     {"ascii", "\1\177"},
    {"blank", "\t\t  "},   {"cntrl", "\1\37\177\177"},
    {"digit", "09"},       {"graph", "!~"},
    {"lower", "az"},       {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\r  "},
    {"upper", "AZ"},       {"word", "09AZ__az"},
    {"xdigit", "09AFaf"},
};

/* Add the class called "name", or all characters outside it. */
static lp_status add_class(lpi_regex *r, const char *name, size_t length,
                           bool is_negated)
{
    const char *pairs = NULL;
    uint32_t from = 0;

    for (int32_t i = 0; i < LPI_COUNT(classes); i++)
        if (strlen(classes[i].name) == length &&
            memcmp(classes[i].name, name, length) == 0)
            pairs = classes[i].pairs;
    if (pairs == NULL)
        return lpi_regex_fail(r, "unknown class");
    for (; *pairs; pairs += 2) {
        if (!is_negated)
            LP_TRY(lpi_regex_range(r, (uint8_t)pairs[0], (uint8_t)pairs[1]));
        else if ((uint8_t)pairs[0] > from)
            LP_TRY(lpi_regex_range(r, from, (uint8_t)pairs[0] - 1U));
        from = (uint8_t)pairs[1] + 1U;
    }
    return is_negated ? lpi_regex_range(r, from, UINT32_MAX) : LP_OK;
}

/* "digits" hexadecimal digits, or as many as stand in braces. */
static lp_status read_hex(lpi_regex *r, uint32_t *ret_char)
{
    bool braced = *r->at == '{';
    int32_t most = braced ? 8 : 2, i;

    *ret_char = 0;
    r->at += braced;
    for (i = 0; i < most && *r->at; i++, r->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *found = strchr(digits, *r->at);

        if (found == NULL)
            break;
        *ret_char = *ret_char << 4 | (uint32_t)((found - digits) & 15);
    }
    if (i == 0 || (braced && *r->at != '}') || (!braced && i != 2))
        return lpi_regex_fail(r, "wrong \\x");
    r->at += braced;
    return LP_OK;
}

/* What stands behind a backslash: a class ("*ret_class": its letter), or a
 * character. */
static lp_status read_escape(lpi_regex *r, char *ret_class, uint32_t *ret_char)
{
    static const char letters[] = "afnrtv", chars[] = "\a\f\n\r\t\v";
    const char *letter = *r->at ? strchr(letters, *r->at) : NULL;
    char c = *r->at;

    *ret_class = '\0';
    if (c == '\0')
        return lpi_regex_fail(r, "a lonely backslash");
    if (strchr("dDwWsS", c) != NULL) {
        r->at++;
        *ret_class = c;
    } else if (letter != NULL) {
        r->at++;
        *ret_char = (uint8_t)chars[letter - letters];
    } else if (c == 'x') {
        r->at++;
        return read_hex(r, ret_char);
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9')) {
        return lpi_regex_fail(r, "unknown escape");
    } else {
        *ret_char = lpi_next_char(&r->at);
    }
    return LP_OK;
}

lp_status lpi_regex_letter(lpi_regex *r, char letter)
{
    bool is_negated = letter < 'a';
    char small = (char)(is_negated ? letter + 'a' - 'A' : letter);

    return add_class(r, &small, 1, is_negated);
}

lp_status lpi_regex_member(lpi_regex *r, char *ret_class, uint32_t *ret_char)
{
    *ret_class = '\0';
    if (*r->at == '\\') {
        r->at++;
        return read_escape(r, ret_class, ret_char);
    }
    if (*r->at == '\0')
        return lpi_regex_fail(r, "a list without end");
    *ret_char = lpi_next_char(&r->at);
    return LP_OK;
}

/* "[:name:]" or "[:^name:]" at "r->at". */
static lp_status read_named(lpi_regex *r)
{
    const char *name = r->at + 2, *end = strstr(name, ":]");
    bool is_negated = *name == '^';

    if (end == NULL)
        return lpi_regex_fail(r, "a class without end");
    name += is_negated;
    r->at = end + 2;
    return add_class(r, name, (size_t)(end - name), is_negated);
}

lp_status lpi_regex_list(lpi_regex *r, lpi_regex_step *to)
{
    bool is_first = true;

    to->is_negated = *r->at == '^';
    r->at += to->is_negated;
    for (; *r->at != ']' || is_first; is_first = false) {
        uint32_t from = 0, until;
        char class, ignored;

        if (r->at[0] == '[' && r->at[1] == ':') {
            LP_TRY(read_named(r));
            continue;
        }
        LP_TRY(lpi_regex_member(r, &class, &from));
        if (class != '\0') {
            LP_TRY(lpi_regex_letter(r, class));
            continue;
        }
        until = from;
        if (r->at[0] == '-' && r->at[1] != ']' && r->at[1] != '\0') {
            r->at++;
            LP_TRY(lpi_regex_member(r, &ignored, &until));
            if (ignored != '\0' || until < from)
                return lpi_regex_fail(r, "a range that is none");
        }
        LP_TRY(lpi_regex_range(r, from, until));
    }
    r->at++;
    return LP_OK;
}

lp_status lpi_regex_fold(lpi_regex *r, int64_t first)
{
    static const lpi_char_range cases[2] = {{'A', 'Z'}, {'a', 'z'}};
    int64_t end = r->ranges_count;

    for (int64_t i = first; i < end; i++)
        for (int32_t k = 0; k < 2; k++) {
            lpi_char_range own = r->ranges[i];
            int32_t shift = k == 0 ? 32 : -32;

            if (own.from < cases[k].from)
                own.from = cases[k].from;
            if (own.to > cases[k].to)
                own.to = cases[k].to;
            if (own.from <= own.to)
                LP_TRY(lpi_regex_range(r, (uint32_t)((int32_t)own.from + shift),
                                       (uint32_t)((int32_t)own.to + shift)));
        }
    return LP_OK;
}
