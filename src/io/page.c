/* page.c: a text under way: names that fit, headings, broken lines.
 *
 * A code point counts as one column of the terminal.  A name that is too long
 * loses its middle, since the beginning and the end of a path tell the most.
 * Colour is only bold and dim, and only when the view asks for it. */
#include <string.h>

#include "io.h"

enum { WIDTH = 100, LEAST_WIDTH = 60, MOST_WIDTH = 10000 };

lp_status lpi_page_open(lpi_page *page, const lp_view *view, lp_error *error)
{
    *page = (lpi_page){.error = error};
    if (view)
        page->view = *view;
    if ((unsigned)page->view.format > LP_FORMAT_NETRON ||
        (unsigned)page->view.table > LP_TABLE_CONVENTIONS)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "a view of unknown format %d or table %d",
                        (int)page->view.format, (int)page->view.table);
    if (page->view.width <= 0)
        page->view.width = WIDTH;
    if (page->view.width < LEAST_WIDTH)
        page->view.width = LEAST_WIDTH;
    if (page->view.width > MOST_WIDTH)
        page->view.width = MOST_WIDTH;
    page->scratch = lpi_arena_new(INT64_MAX);
    return page->scratch ? LP_OK : lpi_fail_memory(error);
}

lp_status lpi_page_close(lpi_page *page, lp_status status, char **ret_text,
                         size_t *ret_length)
{
    if (status == LP_OK && page->cells.failed)
        status = lpi_fail_memory(page->error);
    if (status == LP_OK)
        status = lpi_text_take(&page->text, ret_text, ret_length, page->error);
    else
        lpi_text_drop(&page->text);
    lpi_text_drop(&page->cells);
    lpi_arena_free(page->scratch);
    return status;
}

int64_t lpi_text_columns(const char *bytes, int64_t length)
{
    int64_t columns = 0, i;

    for (i = 0; i < length; i++)
        columns += (bytes[i] & 0xc0) != 0x80;
    return columns;
}

/* Bytes of the first "columns" columns at "bytes". */
static int64_t bytes_of(const char *bytes, int64_t length, int64_t columns)
{
    int64_t i;

    for (i = 0; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80 && columns-- == 0)
            break;
    return i;
}

/* Append "bytes", which take "columns" columns, cut to "width" of them. */
void lpi_put_columns(lpi_text *text, const char *bytes, int64_t length,
                     int64_t columns, int64_t width)
{
    int64_t head, tail;

    if (columns <= width) {
        lpi_text_append(text, bytes, (size_t)length);
        return;
    }
    head = (width - 1) / 2;
    tail = width - 1 - head;
    lpi_text_append(text, bytes, (size_t)bytes_of(bytes, length, head));
    lpi_text_put(text, "…");
    head = bytes_of(bytes, length, columns - tail);
    lpi_text_append(text, bytes + head, (size_t)(length - head));
}

/* The end of the text serves as scratch. */
void lpi_put_cut(lpi_page *page, const char *name, int64_t width)
{
    lpi_text *text = &page->text;
    size_t begin = text->length;
    int64_t length;

    lpi_put_name(text, name);
    if (text->failed)
        return;
    length = (int64_t)(text->length - begin);
    lpi_put_columns(&page->cells, text->bytes + begin, length,
                    lpi_text_columns(text->bytes + begin, length), width);
    text->length = begin;
}

static void put_styled(lpi_page *page, const char *style, const char *string)
{
    lpi_text_put(&page->text, page->view.colour ? style : "");
    lpi_text_put(&page->text, string);
    lpi_text_put(&page->text, page->view.colour ? "\033[0m" : "");
}

void lpi_page_bold(lpi_page *page, const char *string)
{
    put_styled(page, "\033[1m", string);
}

void lpi_page_dim(lpi_page *page, const char *string)
{
    put_styled(page, "\033[2m", string);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Bytes of the first word of "string"; a number and its unit are one. */
static int64_t word_length(const char *string)
{
    size_t length = strcspn(string, " ");

    if (length && string[length] && is_digit(string[length - 1]) &&
        is_letter(string[length + 1]))
        length += 1 + strcspn(string + length + 1, " ");
    return (int64_t)length;
}

/* "string" broken between words into lines that begin at column "indent". */
static void wrap(lpi_page *page, const char *string, int32_t indent)
{
    int64_t at = indent;

    while (*string) {
        int64_t bytes = word_length(string);
        int64_t columns = lpi_text_columns(string, bytes);

        if (at > indent && at + 1 + columns > page->view.width) {
            lpi_text_put(&page->text, "\n");
            lpi_put_repeated(&page->text, " ", indent);
            at = indent;
        } else if (at > indent) {
            lpi_text_put(&page->text, " ");
            at++;
        }
        lpi_text_append(&page->text, string, (size_t)bytes);
        at += columns;
        string += bytes;
        string += *string == ' ';
    }
    lpi_text_put(&page->text, "\n");
}

void lpi_page_wrap_cells(lpi_page *page, int32_t indent)
{
    if (page->cells.length && !page->cells.failed)
        wrap(page, page->cells.bytes, indent);
    else
        lpi_text_put(&page->text, "\n");
    page->cells.length = 0;
}

void lpi_page_heading(lpi_page *page, const char *title)
{
    if (page->text.length)
        lpi_text_put(&page->text, "\n");
    lpi_page_bold(page, title);
    lpi_text_put(&page->text, page->view.colour ? "\033[2m  " : "  ");
    page->cells.length = 0;
    page->note_indent = (int32_t)strlen(title) + 2;
}

void lpi_page_heading_end(lpi_page *page)
{
    lpi_page_wrap_cells(page, page->note_indent);
    lpi_text_put(&page->text, page->view.colour ? "\033[0m" : "");
}

void lpi_put_shown(lpi_page *page, int64_t shown, int64_t count)
{
    lpi_put_thousands(&page->cells, shown);
    if (shown < count) {
        lpi_text_put(&page->cells, " of ");
        lpi_put_thousands(&page->cells, count);
    }
}
