/* lines.c: a mutator that knows lines, blocks and words of a text.
 *
 * A block is a line and the lines below it that are indented deeper; a word is
 * a run of letters, digits and what joins them, or a run of other characters.
 * One mutation drops a block, copies one elsewhere or over another, changes an
 * indent, or puts in the place of a word another word of the same text, a
 * number beside it, or a number at a limit.  One time in four libFuzzer's own
 * mutation works on the bytes.  It serves YAML, JSON, CSV and the text form
 * of models alike. */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned int seed);

enum { MOST_BYTES = 1 << 16, MOST_PIECES = 4096 };

/* Bytes "start" to "end" of a text. */
typedef struct piece {
    size_t start, end;
} piece;

static const char *const limits[] = {
    "0",          "1",          "-1",
    "2",          "64",         "255",
    "65536",      "2147483647", "-2147483648",
    "4294967296", "1e30",       "9223372036854775807",
    "0.5",        "nan",        "-9223372036854775808",
    "\"\"",       "[]",         "{}",
};

static bool joins(int c)
{
    return isalnum(c) || (c && strchr("_.-+/", c));
}

/* The lines of a text; how many. */
static int lines_of(const char *text, size_t size, piece *all)
{
    int count = 0;
    size_t at = 0;

    while (at < size && count < MOST_PIECES) {
        const char *stop = memchr(text + at, '\n', size - at);
        size_t end = stop ? (size_t)(stop - text) + 1 : size;

        all[count++] = (piece){at, end};
        at = end;
    }
    return count;
}

/* The words of a text, without its spaces; how many. */
static int words_of(const char *text, size_t size, piece *all)
{
    int count = 0;
    size_t at = 0;

    while (at < size && count < MOST_PIECES) {
        size_t end = at + 1;
        bool inside = joins((unsigned char)text[at]);

        while (inside && end < size && joins((unsigned char)text[end]))
            end++;
        if (!isspace((unsigned char)text[at]))
            all[count++] = (piece){at, end};
        at = end;
    }
    return count;
}

static size_t indent(const char *text, piece line)
{
    size_t at = line.start;

    while (at < line.end && text[at] == ' ')
        at++;
    return at - line.start;
}

/* The block that line "i" of "count" opens. */
static piece block(const char *text, const piece *lines, int count, int i)
{
    size_t depth = indent(text, lines[i]);
    piece whole = lines[i];

    while (++i < count && indent(text, lines[i]) > depth)
        whole.end = lines[i].end;
    return whole;
}

/* Bytes "to" of the text of "size" bytes in "out" become the "length" bytes at
 * "with"; the new size, or "size" where that is more than "most". */
static size_t put(char *out, size_t size, size_t most, piece to,
                  const char *with, size_t length)
{
    size_t changed = size - (to.end - to.start) + length;

    if (changed > most || changed > MOST_BYTES)
        return size;
    memmove(out + to.start + length, out + to.end, size - to.end);
    memcpy(out + to.start, with, length);
    return changed;
}

static size_t change_lines(char *out, size_t size, size_t most, const char *old)
{
    static const char spaces[] = "  ";
    static piece lines[MOST_PIECES];
    int count = lines_of(old, size, lines);
    piece from = block(old, lines, count, rand() % count);
    piece to = block(old, lines, count, rand() % count);

    switch (rand() % 5) {
    case 0:
        return put(out, size, most, from, "", 0);
    case 1:
        to.end = to.start;
        break;
    case 2:
        if (indent(old, to) < 2)
            return put(out, size, most, (piece){to.start, to.start}, spaces, 2);
        return put(out, size, most, (piece){to.start, to.start + 2}, "", 0);
    default:
        break;
    }
    return put(out, size, most, to, old + from.start, from.end - from.start);
}

static size_t change_words(char *out, size_t size, size_t most, const char *old)
{
    static piece words[MOST_PIECES];
    int count = words_of(old, size, words);
    piece to, from;
    char number[32];

    if (!count)
        return size;
    to = words[rand() % count];
    from = words[rand() % count];
    switch (rand() % 4) {
    case 0:
        return put(out, size, most, to, "", 0);
    case 1:
        if (isdigit((unsigned char)old[to.start]) &&
            to.end - to.start < sizeof(number)) {
            memcpy(number, old + to.start, to.end - to.start);
            number[to.end - to.start] = 0;
            snprintf(number, sizeof(number), "%lld",
                     (long long)(strtoull(number, NULL, 10) +
                                 (rand() % 2 ? 1 : ULLONG_MAX)));
            return put(out, size, most, to, number, strlen(number));
        }
        break;
    case 2: {
        const char *limit =
            limits[rand() % (int)(sizeof(limits) / sizeof(limits[0]))];

        return put(out, size, most, to, limit, strlen(limit));
    }
    default:
        break;
    }
    return put(out, size, most, to, old + from.start, from.end - from.start);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned int seed)
{
    static char before[MOST_BYTES], after[MOST_BYTES];
    int rounds;

    srand(seed);
    if (size == 0 || size > MOST_BYTES || rand() % 4 == 0)
        return LLVMFuzzerMutate(data, size, most);
    memcpy(after, data, size);
    for (rounds = 1 + rand() % 4; rounds > 0 && size > 0; rounds--) {
        memcpy(before, after, size);
        size = (rand() % 2 ? change_lines : change_words)(after, size, most,
                                                          before);
    }
    if (size == 0)
        after[size++] = '\n';
    memcpy(data, after, size);
    return size;
}
