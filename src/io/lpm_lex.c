/* lpm_lex.c: the words, numbers and marks of the text form.
 *
 * One token is in hand at any time; what it says stands in "word", with
 * escapes decoded.  Inside round, square and curly brackets newlines are
 * blanks, outside they end a statement, as ';' does.  A spot remembers a
 * position, so that a reader can come back to it.  Every byte of the text is
 * looked at once for each time it is read, and a NUL is no valid byte, so
 * words are C strings. */
#include <string.h>

#include "io.h"

enum { SHOWN_BYTES = 48 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether a name can go on with "c". */
static bool goes_on(char c)
{
    return is_letter(c) || is_digit(c) || (c && strchr("_./-", c));
}

/* The byte "ahead" of the next one, NUL past the end. */
static char peek(const lpi_lexer *lexer, ptrdiff_t ahead)
{
    return lexer->end - lexer->next.at > ahead ? lexer->next.at[ahead] : '\0';
}

/* Store in "buffer" how a message shows the token in hand: as it stands in the
 * text, on one line, cut when long. */
static void show(const lpi_lexer *lexer, char *buffer)
{
    const char *at = lexer->token.at;
    size_t length = (size_t)(lexer->next.at - at), i, filled = 1;

    if (lexer->sign == LPI_AT_END || lexer->sign == LPI_AT_STOP) {
        strcpy(buffer, lexer->sign == LPI_AT_END ? "the end of the text"
                       : *at == ';'              ? "';'"
                                                 : "the end of the line");
        return;
    }
    buffer[0] = '\'';
    for (i = 0; i < length && i < SHOWN_BYTES; i++)
        buffer[filled++] = at[i] >= ' ' && at[i] < 0x7f ? at[i] : '?';
    strcpy(buffer + filled, i < length ? "...'" : "'");
}

lp_status lpi_lex_fail(const lpi_lexer *lexer, const char *format, ...)
{
    char where[512], reason[512], *at;
    long long line = lexer->token.line;
    va_list arguments;

    if (lexer->by_column)
        line = lexer->token.at - lexer->begin + 1;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    for (at = reason; *at; at++)
        *at = (unsigned char)*at < ' ' ? '?' : *at;
    snprintf(where, sizeof(where), "%.480s:%lld", lexer->name, line);
    return lpi_fail(lexer->error, LP_EINPUT, where, "%s", reason);
}

lp_status lpi_lex_expected(const lpi_lexer *lexer, const char *what)
{
    char shown[SHOWN_BYTES + 16];

    show(lexer, shown);
    return lpi_lex_fail(lexer, "expected %s, found %s", what, shown);
}

lp_status lpi_lex_refuse(const lpi_lexer *lexer, const char *what)
{
    char shown[SHOWN_BYTES + 16];

    show(lexer, shown);
    return lpi_lex_fail(lexer, "%s %s", what, shown);
}

lp_status lpi_lex_blame(const lpi_lexer *lexer, lp_status status)
{
    char reason[sizeof(lexer->error->message)];

    if (status != LP_EINPUT || !lexer->error)
        return status;
    memcpy(reason, lexer->error->message, sizeof(reason));
    return lpi_lex_fail(lexer, "%s", reason);
}

/* Pass blanks and comments. */
static void skip_blanks(lpi_lexer *lexer)
{
    lpi_spot *next = &lexer->next;

    for (; next->at < lexer->end; next->at++) {
        if (*next->at == '#')
            while (peek(lexer, 1) != '\n' && next->at + 1 < lexer->end)
                next->at++;
        else if (*next->at == '\n' && next->open)
            next->line++;
        else if (*next->at != ' ' && *next->at != '\t' && *next->at != '\r')
            return;
    }
}

/* Value of the hexadecimal digit "c", or -1. */
static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)((found - digits) % 16) : -1;
}

/* Append the character that the escape after a backslash stands for. */
static lp_status read_escape(lpi_lexer *lexer)
{
    static const char names[] = "\"\\nt", meanings[] = "\"\\\n\t";
    char escape = peek(lexer, 1);
    const char *found = escape ? strchr(names, escape) : NULL;
    char c;

    if (found) {
        lpi_text_append(&lexer->word, &meanings[found - names], 1);
        lexer->next.at += 2;
        return LP_OK;
    }
    if (escape != 'x' || hex_digit(peek(lexer, 2)) < 0 ||
        hex_digit(peek(lexer, 3)) < 0)
        return lpi_lex_fail(lexer, "a string knows the escapes \\\" \\\\ \\n "
                                   "\\t \\xHH only");
    c = (char)(hex_digit(peek(lexer, 2)) * 16 + hex_digit(peek(lexer, 3)));
    if (!c)
        return lpi_lex_fail(lexer, "a string cannot hold a zero byte");
    lpi_text_append(&lexer->word, &c, 1);
    lexer->next.at += 4;
    return LP_OK;
}

/* Read the string that begins here. */
static lp_status read_quoted(lpi_lexer *lexer)
{
    lpi_spot *next = &lexer->next;

    lexer->sign = LPI_QUOTED;
    next->at++;
    for (;;) {
        const char *from = next->at;

        while (peek(lexer, 0) && !strchr("\"\\\n", *next->at))
            next->at++;
        lpi_text_append(&lexer->word, from, (size_t)(next->at - from));
        if (peek(lexer, 0) == '"')
            break;
        if (peek(lexer, 0) != '\\')
            return lpi_lex_fail(lexer, next->at < lexer->end && !*next->at
                                           ? "a string holds a zero byte"
                                           : "a string does not end on its "
                                             "line");
        LP_TRY(read_escape(lexer));
    }
    next->at++;
    return LP_OK;
}

/* Take the next "length" bytes as the word of a token. */
static void take_word(lpi_lexer *lexer, lpi_sign sign, ptrdiff_t length)
{
    lexer->sign = sign;
    lpi_text_append(&lexer->word, lexer->next.at, (size_t)length);
    lexer->next.at += length;
}

/* Length of the number that begins here, 0 when none does.  A sign may follow
 * the letter of an exponent, and the x between dimensions. */
static ptrdiff_t number_length(const lpi_lexer *lexer)
{
    char first = peek(lexer, 0), second = peek(lexer, 1);
    bool is_sign = first == '-' || first == '+';
    bool hex = false;
    ptrdiff_t length;

    if (!is_digit(first) && !is_sign && (first != '.' || !is_digit(second)))
        return 0;
    for (length = 1;; length++) {
        char last = peek(lexer, length - 1), c = peek(lexer, length);

        hex = hex || ((last == 'x' || last == 'X') && length <= 2 + is_sign);
        if ((c == '-' || c == '+') && strchr(hex ? "pPx" : "eEx", last))
            continue;
        if (!is_letter(c) && !is_digit(c) && c != '.')
            return length;
    }
}

static lp_status read_mark(lpi_lexer *lexer)
{
    char c = *lexer->next.at;

    if (!c || !strchr("=,:?@()[]{}", c)) {
        lexer->next.at++;
        return lpi_lex_fail(lexer, "no statement can hold the byte 0x%02x here",
                            (unsigned char)c);
    }
    lexer->sign = LPI_MARK;
    lexer->mark = c;
    if (strchr("([{", c))
        lexer->next.open++;
    if (strchr(")]}", c) && lexer->next.open)
        lexer->next.open--;
    lexer->next.at++;
    return LP_OK;
}

lp_status lpi_lex_next(lpi_lexer *lexer)
{
    lpi_spot *next = &lexer->next;
    ptrdiff_t length;
    char c;

    skip_blanks(lexer);
    lexer->token = *next;
    lexer->word.length = 0;
    lexer->mark = '\0';
    c = peek(lexer, 0);
    if (next->at == lexer->end) {
        lexer->sign = LPI_AT_END;
    } else if (c == '\n' || c == ';') {
        lexer->sign = LPI_AT_STOP;
        next->line += c == '\n';
        next->at++;
    } else if (c == '"') {
        LP_TRY(read_quoted(lexer));
    } else if ((length = number_length(lexer)) > 0) {
        take_word(lexer, LPI_NUMBER, length);
    } else if (goes_on(c)) {
        for (length = 1; goes_on(peek(lexer, length));)
            length++;
        take_word(lexer, LPI_WORD, length);
    } else {
        LP_TRY(read_mark(lexer));
    }
    lpi_text_append(&lexer->word, "", 0);
    return lexer->word.failed ? lpi_fail_memory(lexer->error) : LP_OK;
}

lp_status lpi_lex_back(lpi_lexer *lexer, lpi_spot spot)
{
    lexer->next = spot;
    return lpi_lex_next(lexer);
}

bool lpi_lex_is(const lpi_lexer *lexer, char mark)
{
    return lexer->sign == LPI_MARK && lexer->mark == mark;
}

bool lpi_lex_is_word(const lpi_lexer *lexer, const char *word)
{
    return lexer->sign == LPI_WORD && !strcmp(lexer->word.bytes, word);
}

lp_status lpi_lex_pass(lpi_lexer *lexer, char mark)
{
    char what[] = "'?'";

    what[1] = mark;
    return lpi_lex_is(lexer, mark) ? lpi_lex_next(lexer)
                                   : lpi_lex_expected(lexer, what);
}

lp_status lpi_lex_item(lpi_lexer *lexer, char close, bool *ret_more)
{
    char what[] = "',' or '?'";

    what[sizeof(what) - 3] = close;
    *ret_more = lpi_lex_is(lexer, ',');
    return *ret_more || lpi_lex_is(lexer, close)
               ? lpi_lex_next(lexer)
               : lpi_lex_expected(lexer, what);
}

lp_status lpi_lex_name(const lpi_lexer *lexer, const char *what)
{
    bool is_name = lexer->sign == LPI_WORD || lexer->sign == LPI_QUOTED;

    return is_name && *lexer->word.bytes && !lpi_lex_is_word(lexer, "_")
               ? LP_OK
               : lpi_lex_expected(lexer, what);
}

/* Pass the token in hand; "*ret_word" is a copy of its word. */
static lp_status copy_word(lpi_lexer *lexer, const char **ret_word)
{
    char *copy =
        lpi_arena_strndup(lexer->arena, lexer->word.bytes, lexer->word.length);

    if (!copy)
        return lpi_fail_memory(lexer->error);
    LP_TRY(lpi_lex_next(lexer));
    *ret_word = copy;
    return LP_OK;
}

lp_status lpi_lex_take(lpi_lexer *lexer, const char *what,
                       const char **ret_name)
{
    LP_TRY(lpi_lex_name(lexer, what));
    return copy_word(lexer, ret_name);
}

lp_status lpi_lex_once(lpi_lexer *lexer, const char *what,
                       const char **ret_name)
{
    if (*ret_name && **ret_name)
        return lpi_lex_refuse(lexer, "given twice, here as");
    return lpi_lex_take(lexer, what, ret_name);
}

lp_status lpi_lex_string(lpi_lexer *lexer, const char *what,
                         const char **ret_string)
{
    if (lexer->sign != LPI_QUOTED)
        return lpi_lex_expected(lexer, what);
    return copy_word(lexer, ret_string);
}
