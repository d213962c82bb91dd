/* text.c: a text that grows.
 *
 * A failed allocation is sticky: further writes do nothing, and
 * lpi_text_take reports it once. */
#include <string.h>

#include "base.h"

/* Make room for "extra" more bytes and a NUL. */
static bool reserve(lpi_text *text, size_t extra)
{
    size_t wanted = text->length + extra + 1;
    size_t wider = text->capacity ? text->capacity : 256;
    char *fresh;

    if (text->failed)
        return false;
    if (wanted <= text->capacity)
        return true;
    while (wider < wanted)
        wider *= 2;
    fresh = lpi_realloc(text->bytes, wider);
    if (!fresh) {
        text->failed = true;
        return false;
    }
    text->bytes = fresh;
    text->capacity = wider;
    return true;
}

void lpi_text_append(lpi_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void lpi_text_put(lpi_text *text, const char *string)
{
    lpi_text_append(text, string, strlen(string));
}

void lpi_text_printf(lpi_text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format,
              arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

size_t lpi_utf8_length(const char *bytes, size_t left)
{
    const unsigned char *at = (const unsigned char *)bytes;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point;
    size_t length, i;

    if (!left)
        return 0;
    if (at[0] < 0x80)
        return 1;
    length = at[0] >= 0xf8   ? 0
             : at[0] >= 0xf0 ? 4
             : at[0] >= 0xe0 ? 3
             : at[0] >= 0xc2 ? 2
                             : 0;
    if (!length || length > left)
        return 0;
    point = at[0] & (0x7fu >> length);
    for (i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3f);
    }
    if (point < least[length] || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000))
        return 0;
    return length;
}

void lpi_text_escape_mark(lpi_text *text, const char *string, char mark)
{
    size_t left = strlen(string);

    while (left) {
        size_t length = lpi_utf8_length(string, left);
        unsigned char first = (unsigned char)*string;

        if (first == '\n' || first == '\t')
            lpi_text_put(text, first == '\n' ? "\\n" : "\\t");
        else if (first == '\\' || *string == mark)
            lpi_text_printf(text, "\\%c", first);
        else if (!length || first < 0x20 || first == 0x7f)
            lpi_text_printf(text, "\\x%02x", first);
        else
            lpi_text_append(text, string, length);
        string += length ? length : 1;
        left -= length ? length : 1;
    }
}

void lpi_text_escape(lpi_text *text, const char *string)
{
    lpi_text_escape_mark(text, string, '\\');
}

lp_status lpi_text_take(lpi_text *text, char **ret_text, size_t *ret_length,
                        lp_error *error)
{
    if (!reserve(text, 0)) {
        lpi_text_drop(text);
        return lpi_fail_memory(error);
    }
    text->bytes[text->length] = '\0';
    *ret_text = text->bytes;
    if (ret_length)
        *ret_length = text->length;
    *text = (lpi_text){0};
    return LP_OK;
}

void lpi_text_drop(lpi_text *text)
{
    lpi_free(text->bytes);
    *text = (lpi_text){0};
}

void lp_text_free(char *text)
{
    lpi_free(text);
}
